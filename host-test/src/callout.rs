//! Callouts: requests that the guest makes itself. HTTP calls and gRPC calls go out through the
//! same exchanges as the requests that the router forwards.

use crate::abi::Status;
use crate::body::Body;
use crate::headers::HeaderMap;
use crate::output::{ExchangeId, Output};
use crate::protobuf::{Field, Reader};
use crate::state::HostState;
use crate::stream::StreamId;
use bytes::{Buf, Bytes, BytesMut};
use std::collections::HashMap;
use std::time::Duration;

/// All callouts of a worker, and who owns each exchange.
#[derive(Default)]
pub(crate) struct Callouts {
    /// What the running callback may read of the reply it is told of.
    pub delivering: Option<Reply>,
    pub owners: HashMap<ExchangeId, Owner>,
    pub http: HashMap<u32, HttpCall>,
    pub grpc: HashMap<u32, GrpcCall>,
    last_exchange: u64,
    last_http: u32,
    last_grpc: u32,
}

/// Whose request an exchange carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Router(StreamId),
    Http(u32),
    Grpc(u32),
}

/// The parts of a reply.
#[derive(Default)]
pub(crate) struct Reply {
    pub http_headers: Option<HeaderMap>,
    pub http_body: Option<Body>,
    pub http_trailers: Option<HeaderMap>,
    pub grpc_initial: Option<HeaderMap>,
    pub grpc_message: Option<Bytes>,
    pub grpc_trailing: Option<HeaderMap>,
}

pub(crate) struct HttpCall {
    pub root: u32,
    pub exchange: ExchangeId,
    pub deadline: Option<Duration>,
    pub sent_at: Duration,
    pub reply: Reply,
}

pub(crate) struct GrpcCall {
    pub root: u32,
    pub exchange: ExchangeId,
    pub unary: bool,
    pub deadline: Option<Duration>,
    pub received: BytesMut,
    pub message: Option<Bytes>,
    pub local_closed: bool,
}

/// The first byte of a gRPC frame says that it is compressed, four bytes say how long it is.
const FRAME_HEAD: usize = 5;

// === impl Callouts ===

impl Callouts {
    pub fn exchange(&mut self, owner: Owner) -> ExchangeId {
        self.last_exchange += 1;
        let id = ExchangeId(self.last_exchange);
        self.owners.insert(id, owner);
        id
    }

    fn http_token(&mut self) -> u32 {
        loop {
            self.last_http = self.last_http.wrapping_add(1);
            if self.last_http != 0 && !self.http.contains_key(&self.last_http) {
                return self.last_http;
            }
        }
    }

    /// Unary calls have odd tokens, streams even ones.
    fn grpc_token(&mut self, unary: bool) -> u32 {
        loop {
            self.last_grpc = self.last_grpc.wrapping_add(1);
            let fits = (self.last_grpc % 2 == 1) == unary;
            if fits && self.last_grpc != 0 && !self.grpc.contains_key(&self.last_grpc) {
                return self.last_grpc;
            }
        }
    }

    /// The earliest deadline of any callout.
    pub fn next_deadline(&self) -> Option<Duration> {
        let http = self.http.values().filter_map(|call| call.deadline);
        http.chain(self.grpc.values().filter_map(|call| call.deadline)).min()
    }
}

// === impl GrpcCall ===

impl GrpcCall {
    /// The next whole message that has arrived.
    pub fn next_message(&mut self) -> Option<Bytes> {
        let length = self.received.get(1..FRAME_HEAD)?.try_into().ok().map(u32::from_be_bytes)?;
        let length = length as usize;
        if self.received.len() < FRAME_HEAD.checked_add(length)? {
            return None;
        }
        self.received.advance(FRAME_HEAD);
        Some(self.received.split_to(length).freeze())
    }
}

fn frame(message: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(FRAME_HEAD + message.len());
    out.extend_from_slice(&[0]);
    out.extend_from_slice(&(message.len() as u32).to_be_bytes());
    out.extend_from_slice(message);
    out.freeze()
}

// === impl HostState ===

impl HostState {
    pub fn http_call(
        &mut self,
        cluster: &[u8],
        mut headers: HeaderMap,
        body: Bytes,
        trailers: HeaderMap,
        timeout: Option<Duration>,
    ) -> Result<u32, Status> {
        let cluster = self.known_cluster(cluster).ok_or(Status::BadArgument)?;
        if [":path", ":method", ":authority"].iter().any(|name| !headers.contains(name)) {
            return Err(Status::BadArgument);
        }
        if !body.is_empty() {
            headers.set("content-length", body.len().to_string());
        }
        if !headers.contains(":scheme") {
            headers.add(":scheme", "http");
        }
        // Envoy's own client for callouts marks them so, and forwards through a router.
        headers.set("x-envoy-internal", "true");
        if let Some(timeout) = timeout {
            headers.set("x-envoy-expected-rq-timeout-ms", timeout.as_millis().to_string());
        }
        let sent_at = self.clock.now();
        let root = self.root_id();
        let token = self.callouts.http_token();
        let exchange = self.callouts.exchange(Owner::Http(token));
        let deadline = timeout.map(|timeout| self.clock.now() + timeout);
        let call = HttpCall { root, exchange, deadline, sent_at, reply: Reply::default() };
        self.callouts.http.insert(token, call);
        let end = body.is_empty() && trailers.is_empty();
        self.outputs.push_back(Output::UpstreamHead { exchange, cluster, head: headers, end, callout: true });
        if !body.is_empty() {
            let end = trailers.is_empty();
            self.outputs.push_back(Output::UpstreamData { exchange, data: body, end });
        }
        if !trailers.is_empty() {
            self.outputs.push_back(Output::UpstreamTrailers { exchange, trailers });
        }
        Ok(token)
    }

    fn known_cluster(&self, name: &[u8]) -> Option<String> {
        let name = std::str::from_utf8(name).ok()?;
        self.settings.clusters.get(name).cloned()
    }

    /// A service is a `GrpcService` message {1 envoy_grpc {1 cluster_name}}, or else the name of a cluster (measured on Envoy 1.40,
    /// where a name that happens to be such a message ends the process).
    fn grpc_cluster(&self, service: &[u8]) -> Result<String, Status> {
        let member = |message: &[u8]| {
            Reader::new(message).flatten().find_map(|field| match field {
                (1, Field::Bytes(member)) => Some(member.to_vec()),
                _ => None,
            })
        };
        match member(service).and_then(|target| member(&target)) {
            Some(name) => self.known_cluster(&name).ok_or(Status::InternalFailure),
            None => self.known_cluster(service).ok_or(Status::ParseFailure),
        }
    }

    /// Starts a unary call when there is a message, else a stream.
    pub fn grpc_open(
        &mut self,
        cluster: &[u8],
        service: &[u8],
        method: &[u8],
        metadata: HeaderMap,
        unary: Option<(Bytes, Duration)>,
    ) -> Result<u32, Status> {
        let cluster = self.grpc_cluster(cluster)?;
        let path = [b"/", service, b"/", method].concat();
        let timeout = unary.as_ref().map(|(_, timeout)| *timeout).filter(|t| !t.is_zero());
        let mut head = HeaderMap::from([
            (":method", Bytes::from("POST")),
            (":path", path.into()),
            (":authority", cluster.clone().into()),
            (":scheme", "http".into()),
            ("te", "trailers".into()),
        ]);
        if let Some(timeout) = timeout {
            head.add("grpc-timeout", format!("{}m", timeout.as_millis()));
        }
        head.add("content-type", "application/grpc");
        for (name, value) in metadata.entries() {
            head.add(name, value.clone());
        }
        let root = self.root_id();
        let token = self.callouts.grpc_token(unary.is_some());
        let exchange = self.callouts.exchange(Owner::Grpc(token));
        let call = GrpcCall {
            root,
            exchange,
            unary: unary.is_some(),
            deadline: timeout.map(|timeout| self.clock.now() + timeout),
            received: BytesMut::new(),
            message: None,
            local_closed: unary.is_some(),
        };
        self.callouts.grpc.insert(token, call);
        self.outputs.push_back(Output::UpstreamHead { exchange, cluster, head, end: false, callout: true });
        if let Some((message, _)) = unary {
            let data = frame(&message);
            self.outputs.push_back(Output::UpstreamData { exchange, data, end: true });
        }
        Ok(token)
    }

    pub fn grpc_send(&mut self, token: u32, message: &[u8], end: bool) -> Status {
        let Some(call) = self.callouts.grpc.get_mut(&token) else {
            return if token % 2 == 1 { Status::BadArgument } else { Status::NotFound };
        };
        if call.unary {
            return Status::BadArgument;
        }
        if !call.local_closed {
            call.local_closed = end;
            let (exchange, data) = (call.exchange, frame(message));
            self.outputs.push_back(Output::UpstreamData { exchange, data, end });
        }
        Status::Ok
    }

    /// Ends our side of a stream; a unary call is given up.
    pub fn grpc_close(&mut self, token: u32) -> Status {
        let Some(call) = self.callouts.grpc.get_mut(&token) else {
            return Status::NotFound;
        };
        if call.unary {
            return self.grpc_cancel(token);
        }
        if !call.local_closed {
            call.local_closed = true;
            let exchange = call.exchange;
            let data = Bytes::new();
            self.outputs.push_back(Output::UpstreamData { exchange, data, end: true });
        }
        Status::Ok
    }

    pub fn grpc_cancel(&mut self, token: u32) -> Status {
        let Some(call) = self.callouts.grpc.remove(&token) else {
            return Status::NotFound;
        };
        self.callouts.owners.remove(&call.exchange);
        self.outputs.push_back(Output::UpstreamReset { exchange: call.exchange });
        Status::Ok
    }
}
