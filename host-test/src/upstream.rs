//! Stub upstreams for tests: they answer, take their time, refuse, break off or say nothing, and
//! the host keeps what they were sent.

use crate::headers::HeaderMap;
use crate::output::UpstreamFailure;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

/// A request as an upstream got it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamRequest {
    /// The cluster it was sent to.
    pub cluster: String,
    /// All headers, pseudo headers first, in order.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// The trailers; empty when there were none.
    pub trailers: HeaderMap,
    /// Whether it was sent to its end.
    pub complete: bool,
    /// Whether it is a callout of the guest, not a forwarded request.
    pub callout: bool,
}

/// What an upstream does with a request, once it has all of it.
#[derive(Clone)]
pub struct Stub {
    behaviour: Behaviour,
    delay: Duration,
}

#[derive(Clone)]
enum Behaviour {
    Reply(UpstreamReply),
    Fail(UpstreamFailure),
    Hang,
    Ask(Arc<dyn Fn(&UpstreamRequest) -> Stub + Send + Sync>),
}

/// A response of a stub.
#[derive(Clone, Debug, Default)]
pub struct UpstreamReply {
    headers: HeaderMap,
    chunks: Vec<Bytes>,
    trailers: Option<HeaderMap>,
    breaks_off: bool,
    stalls: bool,
}

/// One step of what a stub does.
pub(crate) enum Step {
    Head(HeaderMap, bool),
    Data(Bytes, bool),
    Trailers(HeaderMap),
    Fail(UpstreamFailure),
}

// === impl UpstreamRequest ===

impl UpstreamRequest {
    /// `:method`
    pub fn method(&self) -> &str {
        self.headers.get_str(":method").unwrap_or_default()
    }

    /// `:path`
    pub fn path(&self) -> &str {
        self.headers.get_str(":path").unwrap_or_default()
    }

    /// `:authority`
    pub fn authority(&self) -> &str {
        self.headers.get_str(":authority").unwrap_or_default()
    }

    /// Whether `content-length`, where there is one, is the length of the body. Where not, the
    /// backend of a real Envoy waits for ever or reads garbage.
    pub fn length_is_right(&self) -> bool {
        match self.headers.get_str("content-length") {
            None => true,
            Some(text) => text.parse() == Ok(self.body.len()),
        }
    }
}

// === impl Stub ===

impl Stub {
    /// Answers with a status, headers and a body.
    pub fn reply<const N: usize>(status: u16, headers: [(&str, &str); N], body: impl Into<Bytes>) -> Self {
        let mut reply = UpstreamReply::new(status);
        for (name, value) in headers {
            reply = reply.header(name, value.to_owned());
        }
        Self::respond(reply.body(body))
    }

    /// Answers with a response built by hand.
    pub fn respond(reply: UpstreamReply) -> Self {
        Self::new(Behaviour::Reply(reply))
    }

    /// Lets no connection through, for a reason that `response.code_details` names; Envoy's for a port that
    /// nobody listens on is `delayed connect error: Connection refused`.
    pub fn refuse(reason: impl Into<String>) -> Self {
        Self::new(Behaviour::Fail(UpstreamFailure::Connect(reason.into())))
    }

    /// Closes the connection instead of answering.
    pub fn close() -> Self {
        Self::new(Behaviour::Fail(UpstreamFailure::Closed))
    }

    /// Resets the stream instead of answering.
    pub fn reset() -> Self {
        Self::new(Behaviour::Fail(UpstreamFailure::Reset))
    }

    /// Never answers.
    pub fn hang() -> Self {
        Self::new(Behaviour::Hang)
    }

    /// Decides by the request. The stub it answers acts after its own delay and this one's.
    pub fn ask(decide: impl Fn(&UpstreamRequest) -> Stub + Send + Sync + 'static) -> Self {
        Self::new(Behaviour::Ask(Arc::new(decide)))
    }

    /// Acts that much later, on the host's virtual clock.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay += delay;
        self
    }

    fn new(behaviour: Behaviour) -> Self {
        Self { behaviour, delay: Duration::ZERO }
    }

    /// What happens to this request, and after how long.
    pub(crate) fn act(&self, request: &UpstreamRequest) -> (Duration, Vec<Step>) {
        match &self.behaviour {
            Behaviour::Ask(decide) => {
                let (delay, steps) = decide(request).act(request);
                (self.delay + delay, steps)
            }
            Behaviour::Hang => (self.delay, Vec::new()),
            Behaviour::Fail(failure) => (self.delay, vec![Step::Fail(failure.clone())]),
            Behaviour::Reply(reply) => (self.delay, reply.steps(request.method() == "HEAD")),
        }
    }
}

// === impl UpstreamReply ===

impl UpstreamReply {
    /// An empty response.
    pub fn new(status: u16) -> Self {
        let mut reply = Self::default();
        reply.headers.add(":status", status.to_string());
        reply
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        self.headers.add(name, value);
        self
    }

    /// Sets the body, with the content-length that belongs to it unless one was given.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        if !self.headers.contains("content-length") {
            self.headers.add("content-length", body.len().to_string());
        }
        self.chunks = if body.is_empty() { Vec::new() } else { vec![body] };
        self
    }

    /// Adds a chunk of the body, which then has no content-length of its own.
    pub fn chunk(mut self, chunk: impl Into<Bytes>) -> Self {
        self.chunks.push(chunk.into());
        self
    }

    /// Adds a trailer.
    pub fn trailer(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        self.trailers.get_or_insert_default().add(name, value);
        self
    }

    /// The connection is lost after what was given so far.
    pub fn breaking_off(mut self) -> Self {
        self.breaks_off = true;
        self
    }

    /// Nothing comes after what was given so far.
    pub fn stalling(mut self) -> Self {
        self.stalls = true;
        self
    }

    fn steps(&self, head_only: bool) -> Vec<Step> {
        let chunks: &[Bytes] = if head_only { &[] } else { &self.chunks };
        let open = self.breaks_off || self.stalls || self.trailers.is_some();
        let mut headers = self.headers.clone();
        if !self.chunks.is_empty() && !headers.contains("content-length") {
            // A backend that speaks HTTP/1.1 says so, and Envoy shows it to the filter.
            headers.add("transfer-encoding", "chunked");
        }
        let mut steps = vec![Step::Head(headers, chunks.is_empty() && !open)];
        steps.extend(chunks.iter().map(|chunk| Step::Data(chunk.clone(), false)));
        if !chunks.is_empty() && !open {
            // Over HTTP/1.1 the end of a body comes by itself, after the last chunk.
            steps.push(Step::Data(Bytes::new(), true));
        }
        if self.breaks_off {
            steps.push(Step::Fail(UpstreamFailure::Closed));
        } else if self.stalls {
            return steps;
        } else if let Some(trailers) = &self.trailers {
            steps.push(Step::Trailers(trailers.clone()));
        }
        steps
    }
}
