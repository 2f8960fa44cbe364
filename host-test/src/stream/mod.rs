//! One HTTP stream: Envoy's filter manager around one wasm filter, with the connection manager
//! on its downstream edge and the router on its upstream edge.
//!
//! ```text
//!   downstream -> edge -> [ filter: request  callbacks ] -> router -> upstream
//!   downstream <- edge <- [ filter: response callbacks ] <- router <- upstream
//! ```
//! Both directions obey the same rules, so both are a [`Half`] and `iterate` runs either one.

mod edge;
mod iterate;
mod lifecycle;
mod local_reply;
mod router;

use crate::body::Body;
use crate::headers::HeaderMap;
use crate::state::LocalReply;
use bytes::Bytes;
pub(crate) use local_reply::grpc_of_http;
use router::RouterState;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Names a stream of one worker; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(crate) u64);

/// The downstream connection, as far as the guest can see it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Property `connection.id`.
    pub id: u64,
    /// Property `source.address`; goes to `x-forwarded-for`.
    pub peer: SocketAddr,
    /// Property `destination.address`.
    pub local: SocketAddr,
    /// Property `request.protocol`: `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`.
    pub protocol: &'static str,
    /// Whether it is encrypted; decides `x-forwarded-proto` and `:scheme`.
    pub tls: bool,
    /// Property `connection.mtls`.
    pub mtls: bool,
    /// Property `connection.requested_server_name`.
    pub server_name: Option<String>,
    /// Property `connection.tls_version`.
    pub tls_version: Option<String>,
}

/// The two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// What the filter's last status lets happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Iteration {
    #[default]
    Continue,
    /// Data still reaches the filter, nothing passes it.
    StopSingle,
    /// Data is held before the filter.
    StopAll,
}

/// One direction of a stream, around the filter.
#[derive(Default)]
pub(crate) struct Half {
    headers: Option<HeaderMap>,
    headers_shown: bool,
    headers_passed: bool,
    trailers: Option<HeaderMap>,
    trailers_shown: bool,
    trailers_passed: bool,
    /// The chunk of the running callback.
    chunk: Option<Body>,
    /// What the filter manager holds back.
    held: Option<Body>,
    /// The filter asked for buffering: it sees what is held instead of a chunk.
    buffering: bool,
    iteration: Iteration,
    /// The last piece has come in.
    ended: bool,
    /// Only to be read: the guest writes its access log.
    frozen: bool,
    /// The source was told to wait.
    throttled: bool,
}

/// A stream.
pub(crate) struct Stream {
    pub connection: Connection,
    /// The guest's context, and the VM it lives in.
    pub context: u32,
    pub generation: u64,
    request: Half,
    response: Half,
    pub router: RouterState,
    /// The filter runs no more for this stream.
    filter_gone: bool,
    /// The depth of filter callbacks of this stream on the stack.
    in_callback: u32,
    /// A local reply that waits until the running callback is done with.
    prepared: Option<LocalReply>,
    pub local_reply_held: bool,
    pub is_head: bool,
    pub is_grpc: bool,
    response_started: bool,
    head_sent: bool,
    /// The declared length of the response body that is still to come.
    expected: Option<u64>,
    bodiless: bool,
    pub started: Duration,
    pub started_wall: Duration,
    pub ended_at: Option<Duration>,
    pub request_deadline: Option<Duration>,
    pub idle_deadline: Option<Duration>,
    pub request_bytes: u64,
    pub response_bytes: u64,
    pub response_code: Option<u16>,
    pub code_details: Option<String>,
    pub response_flags: u64,
    /// `wasm.<name>`, written by `set_property`.
    pub filter_state: BTreeMap<Bytes, Bytes>,
    /// Written by `set_envoy_filter_state`.
    pub envoy_filter_state: BTreeMap<Bytes, Bytes>,
}

// === impl Stream ===

impl Stream {
    fn new(connection: Connection, now: Duration, wall: Duration) -> Self {
        Self {
            connection,
            context: 0,
            generation: 0,
            request: Half::default(),
            response: Half::default(),
            router: RouterState::default(),
            filter_gone: false,
            in_callback: 0,
            prepared: None,
            local_reply_held: false,
            is_head: false,
            is_grpc: false,
            response_started: false,
            head_sent: false,
            expected: None,
            bodiless: false,
            started: now,
            started_wall: wall,
            ended_at: None,
            request_deadline: None,
            idle_deadline: None,
            request_bytes: 0,
            response_bytes: 0,
            response_code: None,
            code_details: None,
            response_flags: 0,
            filter_state: BTreeMap::new(),
            envoy_filter_state: BTreeMap::new(),
        }
    }

    pub fn half(&self, side: Side) -> &Half {
        match side {
            Side::Request => &self.request,
            Side::Response => &self.response,
        }
    }

    pub fn half_mut(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }
}

// === impl Half ===

impl Half {
    /// The head, while the guest holds it.
    pub fn shown_headers(&self) -> Option<&HeaderMap> {
        self.headers.as_ref().filter(|_| self.headers_shown)
    }

    pub fn shown_headers_mut(&mut self) -> Option<&mut HeaderMap> {
        self.headers.as_mut().filter(|_| self.headers_shown && !self.frozen)
    }

    /// The trailers, while the guest holds them.
    pub fn shown_trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref().filter(|_| self.trailers_shown)
    }

    pub fn shown_trailers_mut(&mut self) -> Option<&mut HeaderMap> {
        self.trailers.as_mut().filter(|_| self.trailers_shown && !self.frozen)
    }

    /// The body as the guest sees it: all that is held when it buffers, else the chunk.
    pub fn shown_body(&self) -> Option<&Body> {
        if self.buffering { self.held.as_ref() } else { self.chunk.as_ref() }
    }

    pub fn shown_body_mut(&mut self) -> Option<&mut Body> {
        if self.buffering { self.held.as_mut() } else { self.chunk.as_mut() }
    }

    /// Shows the guest what there was, for its access log, or hides it again.
    fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen;
        self.headers_shown = frozen;
        self.trailers_shown = frozen;
    }

    /// Takes everything out of the guest's sight but what it buffers.
    pub fn hide(&mut self) {
        self.headers_shown = false;
        self.trailers_shown = false;
    }
}

// === impl Connection ===

impl Default for Connection {
    /// An unencrypted HTTP/1.1 connection from 203.0.113.7 to 127.0.0.1:10000.
    fn default() -> Self {
        Self {
            id: 1,
            peer: SocketAddr::from(([203, 0, 113, 7], 40_000)),
            local: SocketAddr::from(([127, 0, 0, 1], 10_000)),
            protocol: "HTTP/1.1",
            tls: false,
            mtls: false,
            server_name: None,
            tls_version: None,
        }
    }
}
