//! The router: sends the request to a cluster, brings the response back, watches the time.

use super::{Side, StreamId};
use crate::body::Body;
use crate::callout::Owner;
use crate::headers::HeaderMap;
use crate::inline;
use crate::output::{ExchangeId, Output, UpstreamFailure};
use crate::settings::LogLevel;
use crate::state::LocalReply;
use crate::worker::Worker;
use bytes::Bytes;
use std::time::Duration;

/// The router's part of a stream.
#[derive(Default)]
pub(crate) struct RouterState {
    /// Where the request went.
    pub cluster: Option<String>,
    pub exchange: Option<ExchangeId>,
    timeout: Option<Duration>,
    pub deadline: Option<Duration>,
    sent_at: Duration,
}

mod flags {
    //! Bits of `response.flags`.
    pub const TIMEOUT: u64 = 0x4;
    pub const UPSTREAM_RESET: u64 = 0x10;
    pub const CONNECTION_FAILURE: u64 = 0x20;
    pub const CONNECTION_TERMINATION: u64 = 0x40;
    pub const NO_ROUTE: u64 = 0x100;
    pub const DOWNSTREAM_PROTOCOL_ERROR: u64 = 0x4_0000;
    pub const PROTOCOL_ERROR: u64 = 0x80_0000;
    pub const NO_CLUSTER: u64 = 0x0100_0000;
}

/// Request headers that speak to the router and end there.
const FOR_THE_ROUTER: &[&str] = &[
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-max-retries",
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-upstream-alt-stat-name",
];

impl Worker {
    /// The filter let the request head go.
    pub(super) fn route_head(&mut self, id: StreamId, end: bool) {
        let settings = self.settings();
        let Some(stream) = self.stream_mut(id) else { return };
        let Some(mut head) = stream.request.headers.clone() else { return };
        if !head.contains(":method") {
            stream.response_flags |= flags::DOWNSTREAM_PROTOCOL_ERROR;
            self.local_reply(id, LocalReply::removed(503, "request", ":method"));
            return;
        }
        let Some(name) = settings.route.cluster.of(&head) else {
            stream.response_flags |= flags::NO_ROUTE;
            self.local_reply(id, LocalReply::new(404, "", "route_not_found"));
            return;
        };
        stream.router.cluster = Some(name.clone());
        if !settings.clusters.contains(&name) {
            stream.response_flags |= flags::NO_CLUSTER;
            self.local_reply(id, LocalReply::new(503, "", "cluster_not_found"));
            return;
        }
        let asked = head.get_str("x-envoy-upstream-rq-timeout-ms").and_then(|ms| ms.parse().ok());
        let timeout = asked.map(Duration::from_millis).or(settings.route.timeout);
        // Zero means no timeout.
        let timeout = timeout.filter(|timeout| !timeout.is_zero());
        for name in FOR_THE_ROUTER {
            head.remove(name);
        }
        if let Some(timeout) = timeout.filter(|_| !settings.route.suppress_envoy_headers) {
            head.set("x-envoy-expected-rq-timeout-ms", timeout.as_millis().to_string());
        }
        stream.router.timeout = timeout;
        let state = self.vm_mut().state_mut();
        let exchange = state.callouts.exchange(Owner::Router(id));
        state.outputs.push_back(Output::UpstreamHead { exchange, cluster: name, head, end, callout: false });
        if let Some(stream) = self.stream_mut(id) {
            stream.router.exchange = Some(exchange);
        }
        if end {
            self.request_sent(id);
        }
    }

    pub(super) fn route_data(&mut self, id: StreamId, data: Body, end: bool) {
        let Some(exchange) = self.stream_mut(id).and_then(|s| s.router.exchange) else { return };
        self.send_upstream(exchange, data, end);
        if end {
            self.request_sent(id);
        }
    }

    pub(super) fn route_trailers(&mut self, id: StreamId) {
        let Some(stream) = self.stream_mut(id) else { return };
        let trailers = stream.request.trailers.clone().unwrap_or_default();
        let Some(exchange) = stream.router.exchange else { return };
        self.output(Output::UpstreamTrailers { exchange, trailers });
        self.request_sent(id);
    }

    /// Emits body chunks, the last one with the end of the stream.
    fn send_upstream(&mut self, exchange: ExchangeId, mut data: Body, end: bool) {
        while let Some(chunk) = data.pop() {
            let end = end && data.is_empty();
            self.output(Output::UpstreamData { exchange, data: chunk, end });
            if end {
                return;
            }
        }
        if end {
            self.output(Output::UpstreamData { exchange, data: Bytes::new(), end });
        }
    }

    /// The timeout of the route runs from the end of the request, and that for the whole request ends there: it counts what the
    /// filter takes, too (Envoy 1.40: a request that a filter holds is answered 504 by it).
    fn request_sent(&mut self, id: StreamId) {
        let now = self.now();
        if let Some(stream) = self.stream_mut(id) {
            stream.router.sent_at = now;
            stream.request_deadline = None;
            stream.router.deadline = stream.router.timeout.map(|timeout| now + timeout);
        }
    }

    pub(super) fn cancel_upstream(&mut self, id: StreamId) {
        let Some(stream) = self.stream_mut(id) else { return };
        stream.router.deadline = None;
        if let Some(exchange) = stream.router.exchange.take() {
            self.vm_mut().state_mut().callouts.owners.remove(&exchange);
            self.output(Output::UpstreamReset { exchange });
        }
    }

    /// The upstream answered.
    pub(crate) fn response_head(&mut self, id: StreamId, head: HeaderMap, end: bool) {
        self.touch(id);
        let now = self.now();
        let suppress = self.settings().route.suppress_envoy_headers;
        let Some(stream) = self.stream_mut(id) else { return };
        if stream.response_started {
            return;
        }
        let mut head = inline::fold(head, Side::Response);
        stream.response_started = true;
        stream.request_deadline = None;
        stream.response_code = head.get_str(":status").and_then(|status| status.parse().ok());
        stream.code_details = Some("via_upstream".into());
        if !suppress {
            let waited = now.saturating_sub(stream.router.sent_at).as_millis();
            head.set("x-envoy-upstream-service-time", waited.to_string());
        }
        self.response_ends(id, end);
        self.head_in(id, Side::Response, head, end);
    }

    pub(crate) fn response_data(&mut self, id: StreamId, data: Bytes, end: bool) {
        self.touch(id);
        self.response_ends(id, end);
        self.data_in(id, Side::Response, Body::from(data), end);
    }

    pub(crate) fn response_trailers(&mut self, id: StreamId, trailers: HeaderMap) {
        self.touch(id);
        self.response_ends(id, true);
        self.trailers_in(id, Side::Response, trailers);
    }

    /// The exchange is over on the upstream's side: nothing can time out or fail any more.
    fn response_ends(&mut self, id: StreamId, end: bool) {
        let Some(stream) = self.stream_mut(id) else { return };
        if end && stream.router.deadline.take().is_some() {
            // Only an exchange whose request is all sent is done with; else it is cut at the end.
            stream.router.exchange = None;
        }
    }

    /// The upstream is lost.
    pub(crate) fn response_failed(&mut self, id: StreamId, failure: UpstreamFailure) {
        let Some(stream) = self.stream_mut(id) else { return };
        stream.router.exchange = None;
        stream.router.deadline = None;
        let begun = stream.response_started;
        stream.response_flags |= match failure {
            UpstreamFailure::Connect(_) => flags::CONNECTION_FAILURE,
            // A body of HTTP/1.1 that breaks off is against the protocol.
            UpstreamFailure::Closed if begun => flags::PROTOCOL_ERROR,
            UpstreamFailure::Closed => flags::CONNECTION_TERMINATION,
            UpstreamFailure::Reset => flags::UPSTREAM_RESET,
        };
        if begun {
            let reason = match failure {
                UpstreamFailure::Closed => "protocol_error".to_owned(),
                _ => failure.reason().replace(' ', "_"),
            };
            stream.code_details = Some(format!("upstream_reset_after_response_started{{{reason}}}"));
            self.log(LogLevel::Debug, "the upstream was lost in the middle of its response");
            self.reset_downstream(id);
            return;
        }
        self.local_reply(id, failure.reply());
    }

    /// The upstream took too long.
    pub(super) fn response_timed_out(&mut self, id: StreamId) {
        self.cancel_upstream(id);
        let Some(stream) = self.stream_mut(id) else { return };
        stream.response_flags |= flags::TIMEOUT;
        if stream.response_started {
            stream.code_details = Some("response_timeout".into());
            self.reset_downstream(id);
            return;
        }
        self.local_reply(id, LocalReply::upstream_timeout());
    }
}

// === impl LocalReply ===

impl LocalReply {
    /// A filter took a header away that the message cannot be without.
    pub(super) fn removed(status: u32, what: &str, name: &str) -> Self {
        let details = format!("filter_removed_required_{what}_headers{{missing_required_header:_{name}}}");
        Self { body: format!("missing required header: {name}").into(), ..Self::new(status, "", details) }
    }

    pub(crate) fn upstream_timeout() -> Self {
        Self::new(504, "upstream request timeout", "response_timeout")
    }
}

// === impl UpstreamFailure ===

impl UpstreamFailure {
    /// Envoy's name of it.
    fn reason(&self) -> &'static str {
        match self {
            Self::Connect(_) => "remote connection failure",
            Self::Closed => "connection termination",
            Self::Reset => "remote reset",
        }
    }

    /// What the client is told when no response had begun.
    pub(crate) fn reply(&self) -> LocalReply {
        let reason = self.reason();
        let body = format!("upstream connect error or disconnect/reset before headers. reset reason: {reason}");
        let mut details = reason.replace(' ', "_");
        // The cause is for the access log, not for the client.
        if let Self::Connect(cause) = self {
            details = format!("{details}|{}", cause.replace(' ', "_"));
        }
        LocalReply { body: body.into(), ..LocalReply::new(503, "", format!("upstream_reset_before_response_started{{{details}}}")) }
    }
}
