//! What goes into a [`Host`](super::Host) and what comes out of it.

use crate::headers::HeaderMap;
use crate::output::StreamEnd;
use crate::state::LogLine;
use crate::stream::Connection;
use crate::upstream::UpstreamRequest;
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;
use std::time::Duration;

/// A request of a client.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) connection: Connection,
    pub(super) headers: HeaderMap,
    pub(super) chunks: Vec<Bytes>,
    pub(super) trailers: Option<HeaderMap>,
    pub(super) open_ended: bool,
}

/// A response, as far as the client got it.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// All headers with `:status`; empty while there is no response.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The trailers; empty when there were none.
    pub trailers: HeaderMap,
    /// It came to its end.
    pub complete: bool,
    /// The client was cut off.
    pub reset: bool,
    /// What is left of the stream once it is over.
    pub end: Option<StreamEnd>,
    pub(super) received: BytesMut,
}

/// All that came of one request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the client got. When nothing came within [`Host::PATIENCE`](super::Host::PATIENCE), it is not complete.
    pub response: Response,
    /// What upstreams got meanwhile, callouts too, in the order in which they were begun.
    pub upstream_requests: Vec<UpstreamRequest>,
    /// How often each host function was called meanwhile.
    pub host_calls: BTreeMap<&'static str, u64>,
    /// The fuel that the guest used meanwhile.
    pub fuel: u64,
    /// How many bytes crossed the border of the guest's memory meanwhile, either way.
    pub bytes_copied: u64,
    /// What was logged meanwhile.
    pub logs: Vec<LogLine>,
    /// How long it took on the virtual clock.
    pub took: Duration,
}

// === impl Request ===

impl Request {
    /// A request to `example.com` with a method and a path.
    pub fn new(method: &str, path: &str) -> Self {
        let headers = [(":authority", "example.com"), (":path", path), (":method", method)];
        Self {
            connection: Connection::default(),
            headers: headers.iter().map(|(name, value)| (name, value.to_string())).collect(),
            chunks: Vec::new(),
            trailers: None,
            open_ended: false,
        }
    }

    /// GET
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// POST with a body.
    pub fn post(path: &str, body: impl Into<Bytes>) -> Self {
        Self::new("POST", path).body(body)
    }

    /// Adds a header; a pseudo header is set.
    pub fn header(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        if name.starts_with(':') {
            self.headers.set(name, value);
        } else {
            self.headers.add(name, value);
        }
        self
    }

    /// The body in one chunk, with its content-length.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        self.headers.set("content-length", body.len().to_string());
        self.chunks = if body.is_empty() { Vec::new() } else { vec![body] };
        self
    }

    /// Adds a chunk to the body, without a content-length.
    pub fn chunk(mut self, chunk: impl Into<Bytes>) -> Self {
        self.chunks.push(chunk.into());
        self
    }

    /// Adds a trailer.
    pub fn trailer(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        self.trailers.get_or_insert_default().add(name, value);
        self
    }

    /// More of the body will come by [`Host::send_data`](super::Host::send_data).
    pub fn open_ended(mut self) -> Self {
        self.open_ended = true;
        self
    }

    /// The connection it comes over.
    pub fn connection(mut self, connection: Connection) -> Self {
        self.connection = connection;
        self
    }
}

// === impl Response ===

impl Response {
    /// The status; 0 while there is none.
    pub fn status(&self) -> u16 {
        self.header(":status").and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// The first value of a header, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get_str(name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

// === impl Outcome ===

impl Outcome {
    /// The number of host calls of all kinds.
    pub fn total_host_calls(&self) -> u64 {
        self.host_calls.values().sum()
    }

    /// The requests that were forwarded, without callouts.
    pub fn forwarded(&self) -> Vec<&UpstreamRequest> {
        self.upstream_requests.iter().filter(|request| !request.callout).collect()
    }

    /// The callouts of the guest.
    pub fn callouts(&self) -> Vec<&UpstreamRequest> {
        self.upstream_requests.iter().filter(|request| request.callout).collect()
    }
}
