//! The connection manager's edge: what it does to a request head before the filter sees it, and
//! to a response on its way out.

use super::{Side, Stream, StreamId};
use crate::body::Body;
use crate::headers::HeaderMap;
use crate::inline;
use crate::output::Output;
use crate::random::Random;
use crate::settings::{Listener, LogLevel};
use crate::state::LocalReply;
use crate::worker::Worker;
use bytes::Bytes;
use std::time::SystemTime;

/// Headers that belong to one connection.
const HOP_BY_HOP: &[&str] = &["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// Headers that `connection` may name and that are dealt with by themselves.
const KEPT_THOUGH_NOMINATED: &[&str] = &["close", "keep-alive", "upgrade", "te"];

/// Headers that only Envoy itself may set, removed from what comes from outside.
const INTERNAL: &[&str] = &[
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-max-retries",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-force-trace",
    "x-envoy-ip-tags",
    "x-envoy-original-url",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-internal",
];

/// Makes of a head that came over the wire the head that filters see.
pub(super) fn receive(head: &mut HeaderMap, stream: &Stream, listener: &Listener, random: &mut Random) {
    let scheme = if stream.connection.tls { "https" } else { "http" };
    if !head.contains(":scheme") {
        head.add(":scheme", scheme);
    }
    if let Some(host) = head.get("host").map(Bytes::copy_from_slice) {
        if !head.contains(":authority") {
            head.add(":authority", host);
        }
        head.remove("host");
    }
    *head = inline::fold(std::mem::take(head), Side::Request);
    let nominated: Vec<String> =
        head.get_str("connection").map(|value| value.split(',').map(|name| name.trim().to_owned()).collect()).unwrap_or_default();
    // Envoy refuses some names here with 400; what is left is removed.
    for name in nominated.iter().filter(|name| !KEPT_THOUGH_NOMINATED.contains(&name.as_str())) {
        head.remove(name);
    }
    let upgrade =
        head.get_str("connection").is_some_and(|value| value.split(',').any(|token| token.trim().eq_ignore_ascii_case("upgrade")));
    remove_hop_by_hop(head, upgrade);
    if head.get("te").is_some_and(|te| !te.eq_ignore_ascii_case(b"trailers")) {
        head.remove("te");
    }
    if listener.use_remote_address {
        let peer = stream.connection.peer.ip().to_string();
        let forwarded = match head.get("x-forwarded-for") {
            Some(earlier) => [earlier, b",", peer.as_bytes()].concat(),
            None => peer.into_bytes(),
        };
        head.set("x-forwarded-for", forwarded);
        head.set("x-forwarded-proto", scheme);
        for name in INTERNAL {
            head.remove(name);
        }
        let external = stream.connection.peer.ip().to_string();
        head.set("x-envoy-external-address", external);
    } else if !head.contains("x-forwarded-proto") {
        head.add("x-forwarded-proto", scheme);
    }
    // The server has answered it.
    head.remove("expect");
    // A request id from outside is not to be trusted at an edge.
    let trusted = !listener.use_remote_address && head.contains("x-request-id");
    if listener.generate_request_id
        && !trusted
        && let Some(id) = random.uuid()
    {
        head.set("x-request-id", id);
    }
}

fn remove_hop_by_hop(head: &mut HeaderMap, keep_upgrade: bool) {
    for name in HOP_BY_HOP {
        let kept = keep_upgrade && (*name == "upgrade" || *name == "connection");
        if !kept {
            head.remove(name);
        }
    }
}

impl Worker {
    /// The filter let the response head go.
    pub(super) fn send_head(&mut self, id: StreamId, end: bool) {
        let settings = self.settings();
        let wall = self.wall();
        let Some(stream) = self.stream_mut(id) else { return };
        let Some(mut head) = stream.response.headers.clone() else { return };
        let status: Option<u16> = head.get_str(":status").and_then(|status| status.parse().ok());
        // Envoy would send a final response with a status of 1xx, which no client understands.
        let Some(status) = status.filter(|status| (200..=999).contains(status)) else {
            stream.response.headers_passed = true;
            self.local_reply(id, LocalReply::removed(502, "response", ":status"));
            return;
        };
        stream.response_code = Some(status);
        remove_hop_by_hop(&mut head, false);
        if !head.contains("date") {
            head.add("date", httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + wall));
        }
        if let Some(name) = &settings.listener.server_name {
            head.set("server", name.clone());
        }
        stream.head_sent = true;
        stream.bodiless = stream.is_head;
        // A 304 declares the length of a body that it has not. A 204 should have neither, but
        // Envoy sends what the filter gave it.
        let unmeasured = stream.is_head || status == 204 || status == 304;
        stream.expected = match head.get_str("content-length") {
            Some(text) if !unmeasured => text.parse().ok(),
            _ => None,
        };
        let end = end || stream.bodiless;
        if end && !unmeasured && stream.expected.is_none() {
            // Else a client of HTTP/1.1 could not see the end.
            head.add("content-length", "0");
            stream.expected = Some(0);
        }
        let late = end && stream.expected.is_some_and(|expected| expected > 0);
        self.output(Output::ResponseHead { stream: id, head, end });
        if late {
            self.wrong_length(id);
        } else if end {
            self.finish(id);
        }
    }

    pub(super) fn send_data(&mut self, id: StreamId, mut data: Body, end: bool) {
        let Some(stream) = self.stream_mut(id) else { return };
        if stream.bodiless {
            return;
        }
        stream.response_bytes += data.len() as u64;
        if let Some(expected) = stream.expected {
            match expected.checked_sub(data.len() as u64) {
                Some(left) if left == 0 || !end => stream.expected = Some(left),
                _ => {
                    self.wrong_length(id);
                    return;
                }
            }
        }
        while let Some(chunk) = data.pop() {
            let end = end && data.is_empty();
            self.output(Output::ResponseData { stream: id, data: chunk, end });
            if end {
                self.finish(id);
                return;
            }
        }
        if end {
            self.output(Output::ResponseData { stream: id, data: Bytes::new(), end });
            self.finish(id);
        }
    }

    pub(super) fn send_trailers(&mut self, id: StreamId) {
        let Some(stream) = self.stream_mut(id) else { return };
        if stream.bodiless {
            return;
        }
        let trailers = stream.half(Side::Response).trailers.clone().unwrap_or_default();
        self.output(Output::ResponseTrailers { stream: id, trailers });
        self.finish(id);
    }

    /// Envoy would send it as it is, and its client would wait for ever or read garbage.
    fn wrong_length(&mut self, id: StreamId) {
        let message = "the response's content-length is not that of its body: reset";
        self.log(LogLevel::Error, message);
        self.reset_downstream(id);
    }
}
