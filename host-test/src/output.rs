//! What a worker asks its driver to do, and how the driver names what became of it.

use crate::headers::HeaderMap;
use crate::stream::StreamId;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Names one request to an upstream, of the router or a callout; never used twice in a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub(crate) u64);

/// What a worker asks its driver to do. Outputs must be carried out in order.
#[derive(Clone, Debug)]
pub enum Output {
    /// Begin a request to a cluster. The head has `:method`, `:path`, `:authority`, `:scheme`.
    UpstreamHead {
        /// Names the request in all that follows.
        exchange: ExchangeId,
        /// One of [`Settings::clusters`](crate::Settings::clusters).
        cluster: String,
        /// The request head.
        head: HeaderMap,
        /// Nothing follows.
        end: bool,
        /// It is a callout of the guest, not a client's request.
        callout: bool,
    },
    /// Send a part of a request's body.
    UpstreamData {
        /// Of which request.
        exchange: ExchangeId,
        /// May be empty, to bring the end.
        data: Bytes,
        /// Nothing follows.
        end: bool,
    },
    /// Send a request's trailers, which end it.
    UpstreamTrailers {
        /// Of which request.
        exchange: ExchangeId,
        /// The trailers.
        trailers: HeaderMap,
    },
    /// Give a request up; the worker wants to hear nothing more of it.
    UpstreamReset {
        /// Of which request.
        exchange: ExchangeId,
    },
    /// Stop or go on reading a response: the worker holds enough of it. A driver may ignore this
    /// at the price of memory.
    UpstreamFlow {
        /// Of which request.
        exchange: ExchangeId,
        /// Whether to go on.
        go: bool,
    },
    /// Begin the response to a stream. The head has `:status`.
    ResponseHead {
        /// To which stream.
        stream: StreamId,
        /// The response head.
        head: HeaderMap,
        /// Nothing follows.
        end: bool,
    },
    /// Send a part of the response's body.
    ResponseData {
        /// To which stream.
        stream: StreamId,
        /// May be empty, to bring the end.
        data: Bytes,
        /// Nothing follows.
        end: bool,
    },
    /// Send the response's trailers, which end it.
    ResponseTrailers {
        /// To which stream.
        stream: StreamId,
        /// The trailers.
        trailers: HeaderMap,
    },
    /// Cut the client off.
    ResponseReset {
        /// Which stream.
        stream: StreamId,
    },
    /// Stop or go on reading a request: the worker holds enough of it. A driver may ignore this
    /// at the price of memory.
    RequestFlow {
        /// Which stream.
        stream: StreamId,
        /// Whether to go on.
        go: bool,
    },
    /// A stream is over, and the guest has written its access log. There is nothing to carry out.
    StreamEnded {
        /// Which stream.
        stream: StreamId,
        /// What is left of it.
        end: StreamEnd,
    },
}

/// What is left of a stream that is over, for whoever logs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamEnd {
    /// The properties `wasm.<name>` that the guest has set, also in `proxy_on_log`: what `%FILTER_STATE(wasm.<name>)%` shows in
    /// Envoy's access log.
    pub filter_state: BTreeMap<Bytes, Bytes>,
    /// Envoy's `%RESPONSE_CODE_DETAILS%`.
    pub code_details: Option<String>,
}

/// How an upstream was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamFailure {
    /// No connection; the text is the system's reason, which Envoy tells the client.
    Connect(String),
    /// The connection was closed before the response ended.
    Closed,
    /// The upstream reset the stream.
    Reset,
}
