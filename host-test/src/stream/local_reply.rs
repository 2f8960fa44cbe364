//! Answers that no upstream gave: the filter's own, the router's, the connection manager's.
//!
//! They run the filter's response callbacks like any response, unless those have begun already;
//! then they go out past the filter. Once a head is out, all that is left is a reset.

use super::{Half, Iteration, Side, StreamId};
use crate::body::Body;
use crate::headers::HeaderMap;
use crate::inline;
use crate::settings::LogLevel;
use crate::state::LocalReply;
use crate::worker::Worker;
use bytes::Bytes;

impl Worker {
    /// Answers a stream now, or when the callback that runs is done with.
    pub(super) fn local_reply(&mut self, id: StreamId, reply: LocalReply) {
        let Some(stream) = self.stream_mut(id) else { return };
        if stream.in_callback == 0 {
            self.execute_local_reply(id, reply);
        } else if stream.prepared.is_none() {
            stream.prepared = Some(reply);
        } else {
            self.log(LogLevel::Debug, "a second local reply of a stream is ignored");
        }
    }

    pub(super) fn execute_local_reply(&mut self, id: StreamId, reply: LocalReply) {
        self.cancel_upstream(id);
        let Some(stream) = self.stream_mut(id) else { return };
        // What is left of the request goes nowhere.
        stream.request.iteration = Iteration::StopAll;
        stream.request.held = None;
        stream.request.buffering = false;
        stream.local_reply_held = true;
        if stream.head_sent {
            stream.code_details = Some(reply.details);
            self.log(LogLevel::Debug, "a local reply came after the response head: reset");
            self.reset_downstream(id);
            return;
        }
        let (head, body) = reply.render(stream.is_grpc);
        let status = head.get_str(":status").and_then(|status| status.parse().ok());
        stream.response_code = status;
        stream.code_details = Some(reply.details);
        let end = body.is_empty() || stream.is_head;
        if !stream.response_started {
            stream.response_started = true;
            stream.request_deadline = None;
            self.head_in(id, Side::Response, head, end);
            if !end && self.stream_mut(id).is_some() {
                self.data_in(id, Side::Response, Body::from(body), true);
            }
            return;
        }
        // The filter is at this stream's response already: it does not see another one.
        stream.filter_gone = true;
        stream.response = Half { headers: Some(head), headers_passed: true, ended: true, ..Half::default() };
        self.send_head(id, end);
        if !end && self.stream_mut(id).is_some() {
            self.send_data(id, Body::from(body), true);
        }
    }
}

// === impl LocalReply ===

impl LocalReply {
    /// A plain answer.
    pub(crate) fn new(status: u32, body: &'static str, details: impl Into<String>) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
            details: details.into(),
            grpc_status: None,
        }
    }

    /// The head and the body, in the form of gRPC for a gRPC request.
    pub(crate) fn render(&self, grpc: bool) -> (HeaderMap, Bytes) {
        let mut head = HeaderMap::new();
        head.add(":status", if grpc { "200".into() } else { self.status.to_string() });
        for (name, value) in self.headers.entries() {
            inline::add(&mut head, Side::Response, name, value.clone());
        }
        if grpc {
            let code = self.grpc_status.unwrap_or(grpc_of_http(self.status));
            head.set("content-type", "application/grpc");
            head.set("grpc-status", code.to_string());
            if !self.body.is_empty() {
                head.set("grpc-message", percent_encoded(&self.body));
            }
            return (head, Bytes::new());
        }
        if self.body.is_empty() {
            head.remove("content-length");
            head.remove("content-type");
        } else {
            head.set("content-length", self.body.len().to_string());
            if !head.contains("content-type") {
                head.add("content-type", "text/plain");
            }
        }
        (head, self.body.clone())
    }
}

/// The status that gRPC gives an HTTP status.
pub(crate) fn grpc_of_http(status: u32) -> u32 {
    match status {
        200 => 0,
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}

fn percent_encoded(text: &[u8]) -> String {
    text.iter()
        .map(|byte| match byte {
            b' '..=b'~' if *byte != b'%' => char::from(*byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
