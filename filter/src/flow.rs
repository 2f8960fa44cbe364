//! Events in, effects out: the whole conversation between an `Exchange` and its host.

use crate::http::{RequestHead, Response, ResponseHead};

/// The payload limit of API Gateway, for requests and for what integrations answer: 10 MB.
pub const PAYLOAD_LIMIT: usize = 10_485_760;

/// What happened to the stream. Sizes are in bytes; the bytes themselves are asked for through the
/// [`Platform`](crate::platform::Platform) when a route needs them.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// The request head arrived; `end`: there is neither body nor trailers.
    RequestHead {
        /// As the client sent it.
        head: RequestHead,
        /// Nothing follows.
        end: bool,
    },
    /// Request body: the chunk at hand while the body streams, the whole buffered body while it is held.
    RequestBody {
        /// How much.
        size: usize,
        /// Nothing follows.
        end: bool,
    },
    /// Trailers end a request body.
    RequestTrailers,
    /// The response head, from the upstream or from the proxy itself.
    ResponseHead {
        /// As it stands before the gateway looked at it.
        head: ResponseHead,
        /// Nothing follows.
        end: bool,
    },
    /// Response body.
    ResponseBody {
        /// How much.
        size: usize,
        /// Nothing follows.
        end: bool,
    },
    /// Trailers end a response body.
    ResponseTrailers,
    /// A call that the exchange asked for is over.
    CalloutDone {
        /// Which.
        ticket: Ticket,
        /// What came of it.
        outcome: CalloutOutcome,
    },
}

/// Names one callout among those of its exchange, or of its gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(pub u32);

/// A request that the gateway makes itself, through a cluster of the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callout {
    /// Whom to ask.
    pub cluster: String,
    /// What.
    pub question: Question,
    /// How long to wait.
    pub timeout_millis: u64,
}

/// What a callout asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// An HTTP request.
    Http {
        /// Method, path, authority and fields.
        head: RequestHead,
        /// The body, complete.
        body: Vec<u8>,
    },
    /// A unary gRPC call.
    Grpc {
        /// `envoy.service.ratelimit.v3.RateLimitService`
        service: &'static str,
        /// `ShouldRateLimit`
        method: &'static str,
        /// The message.
        message: Vec<u8>,
    },
}

// === impl Callout ===

impl Callout {
    /// The request as HTTP/1.1 writes it, for people.
    pub fn describe(&self) -> String {
        match &self.question {
            Question::Http { head, body } => format!("{}\n\n{}", head.describe(), String::from_utf8_lossy(body)),
            Question::Grpc { service, method, .. } => format!("{service}/{method}"),
        }
    }

    /// The head of an HTTP request.
    pub fn http_head(&self) -> Option<&RequestHead> {
        match &self.question {
            Question::Http { head, .. } => Some(head),
            Question::Grpc { .. } => None,
        }
    }
}

/// An answer, or none: refused, timed out, broken off. What a gRPC call returned is the body of an answer with status 200; one that
/// ended with an error has none.
pub type CalloutOutcome = Result<Response, NoReply>;

/// A callout that nobody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoReply;

/// What the host has to do before the stream goes on.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Go on with what is there.
    Continue,
    /// Keep it until the next event.
    Hold,
    /// Keep it, and make this call.
    Call(Ticket, Callout),
    /// Go on with this request head in the place of the client's.
    Forward(RequestHead),
    /// Answer the client with this; the upstream, if there is one already, is let go.
    Reply(Response),
    /// Go on with this response head in the place of the upstream's.
    Relay(ResponseHead),
    /// Go on without the response body at hand.
    Discard,
    /// Go on with this answer in the place of head *and* body of the response at hand.
    Replace(Response),
}
