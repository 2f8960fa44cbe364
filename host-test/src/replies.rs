//! What comes back from upstreams: to the router's streams, and to the guest's callouts.
//!
//! A callout's reply goes to its root context, whether the stream that started it lives or not;
//! the guest drops what it no longer wants.

use crate::body::Body;
use crate::callout::{Owner, Reply};
use crate::headers::HeaderMap;
use crate::inline;
use crate::output::{ExchangeId, Output, UpstreamFailure};
use crate::state::LocalReply;
use crate::stream::{Side, grpc_of_http};
use crate::vm::Call;
use crate::worker::Worker;
use bytes::Bytes;
use std::time::Duration;

/// The numbers `proxy_get_status` gives for a lost HTTP callout.
const BROKEN_CONNECTION: u32 = 11;

impl Worker {
    /// A response head arrived from an upstream. With `end` nothing follows.
    pub fn upstream_head(&mut self, exchange: ExchangeId, head: HeaderMap, end: bool) {
        match self.owner(exchange) {
            None => {}
            Some(Owner::Router(stream)) => {
                self.close_exchange_at_end(exchange, end);
                self.response_head(stream, head, end);
            }
            Some(Owner::Http(token)) => {
                let now = self.now();
                if let Some(call) = self.vm_mut().state_mut().callouts.http.get_mut(&token) {
                    let mut head = inline::fold(head, Side::Response);
                    let waited = now.saturating_sub(call.sent_at).as_millis();
                    head.set("x-envoy-upstream-service-time", waited.to_string());
                    call.reply.http_headers = Some(head);
                }
                self.http_call_ends(token, end);
            }
            Some(Owner::Grpc(token)) => self.grpc_head(token, head, end),
        }
    }

    /// A part of a response body arrived.
    pub fn upstream_data(&mut self, exchange: ExchangeId, data: Bytes, end: bool) {
        match self.owner(exchange) {
            None => {}
            Some(Owner::Router(stream)) => {
                self.close_exchange_at_end(exchange, end);
                self.response_data(stream, data, end);
            }
            Some(Owner::Http(token)) => {
                if let Some(call) = self.vm_mut().state_mut().callouts.http.get_mut(&token) {
                    call.reply.http_body.get_or_insert_default().push(data);
                }
                self.http_call_ends(token, end);
            }
            Some(Owner::Grpc(token)) => self.grpc_data(token, &data, end),
        }
    }

    /// A response's trailers arrived; they end it.
    pub fn upstream_trailers(&mut self, exchange: ExchangeId, trailers: HeaderMap) {
        match self.owner(exchange) {
            None => {}
            Some(Owner::Router(stream)) => {
                self.close_exchange_at_end(exchange, true);
                self.response_trailers(stream, trailers);
            }
            Some(Owner::Http(token)) => {
                if let Some(call) = self.vm_mut().state_mut().callouts.http.get_mut(&token) {
                    call.reply.http_trailers = Some(trailers);
                }
                self.http_call_ends(token, true);
            }
            Some(Owner::Grpc(token)) => self.grpc_trailers(token, trailers),
        }
    }

    /// An upstream could not be reached, or was lost before its response ended.
    pub fn upstream_failed(&mut self, exchange: ExchangeId, failure: UpstreamFailure) {
        let owner = self.vm_mut().state_mut().callouts.owners.remove(&exchange);
        match owner {
            None => {}
            Some(Owner::Router(stream)) => self.response_failed(stream, failure),
            Some(Owner::Http(token)) => {
                let begun = self.vm().state().callouts.http.get(&token).is_some_and(|call| call.reply.http_headers.is_some());
                if begun {
                    self.http_call_lost(token);
                } else {
                    self.http_call_answered(token, failure.reply());
                }
            }
            Some(Owner::Grpc(token)) => {
                let reply = failure.reply();
                let body = String::from_utf8_lossy(&reply.body).into_owned();
                self.grpc_over(token, 14, &format!("{body}{{{}}}", reply.details));
            }
        }
    }

    fn owner(&self, exchange: ExchangeId) -> Option<Owner> {
        self.vm().state().callouts.owners.get(&exchange).copied()
    }

    fn close_exchange_at_end(&mut self, exchange: ExchangeId, end: bool) {
        if end {
            self.vm_mut().state_mut().callouts.owners.remove(&exchange);
        }
    }

    fn http_call_ends(&mut self, token: u32, end: bool) {
        if end {
            let call = self.vm_mut().state_mut().callouts.http.remove(&token);
            if let Some(call) = call {
                self.vm_mut().state_mut().callouts.owners.remove(&call.exchange);
                self.deliver_http(token, call.root, call.reply);
            }
        }
    }

    /// Envoy's router answers for an upstream that gives no answer, and so the guest gets 503 or
    /// 504 like a client would.
    fn http_call_answered(&mut self, token: u32, reply: LocalReply) {
        let call = self.vm_mut().state_mut().callouts.http.remove(&token);
        if let Some(call) = call {
            let (head, body) = reply.render(false);
            let reply = Reply { http_headers: Some(head), http_body: Some(Body::from(body)), ..Reply::default() };
            self.deliver_http(token, call.root, reply);
        }
    }

    /// The reply broke off: the guest is told of no headers at all.
    fn http_call_lost(&mut self, token: u32) {
        let call = self.vm_mut().state_mut().callouts.http.remove(&token);
        if let Some(call) = call {
            self.vm_mut().state_mut().set_status(BROKEN_CONNECTION, "reset");
            self.deliver_http(token, call.root, Reply::default());
            self.vm_mut().state_mut().set_status(0, "");
        }
    }

    fn deliver_http(&mut self, token: u32, root: u32, mut reply: Reply) {
        let count = |map: &Option<HeaderMap>| map.as_ref().map_or(0, HeaderMap::len) as u32;
        let headers = count(&reply.http_headers);
        let trailers = count(&reply.http_trailers);
        if headers > 0 {
            reply.http_body.get_or_insert_default();
        }
        let body = reply.http_body.as_ref().map_or(0, Body::len) as u32;
        let call = Call::HttpCallResponse { token, headers, body, trailers };
        self.deliver(root, reply, call);
    }

    /// Runs a callback of a root context while the guest may read a reply.
    fn deliver(&mut self, root: u32, reply: Reply, call: Call) {
        self.vm_mut().state_mut().callouts.delivering = Some(reply);
        if !self.vm().failed {
            match self.vm_mut().call(root, call) {
                Ok(_) => {
                    self.callouts_delivered();
                }
                Err(trap) => {
                    self.trapped(trap);
                    self.callouts_delivered();
                }
            }
        }
        self.vm_mut().state_mut().callouts.delivering = None;
    }

    fn callouts_delivered(&mut self) {
        self.vm_mut().state_mut().callouts.delivering = None;
        self.run_deferred();
    }

    fn grpc_head(&mut self, token: u32, head: HeaderMap, end: bool) {
        let Some(call) = self.vm_mut().state_mut().callouts.grpc.get_mut(&token) else { return };
        let (root, unary) = (call.root, call.unary);
        let status = head.get_str(":status").and_then(|status| status.parse().ok()).unwrap_or(0);
        if status != 200 {
            self.grpc_cut(token);
            self.grpc_over(token, grpc_of_http(status), "");
            return;
        }
        if end {
            self.grpc_trailers(token, head);
            return;
        }
        if !unary {
            let count = head.len() as u32;
            let reply = Reply { grpc_initial: Some(head), ..Reply::default() };
            self.deliver(root, reply, Call::GrpcInitialMetadata { token, count });
        }
    }

    fn grpc_data(&mut self, token: u32, data: &[u8], end: bool) {
        let Some(call) = self.vm_mut().state_mut().callouts.grpc.get_mut(&token) else { return };
        call.received.extend_from_slice(data);
        loop {
            let callouts = &mut self.vm_mut().state_mut().callouts;
            let Some(call) = callouts.grpc.get_mut(&token) else { return };
            let Some(message) = call.next_message() else { break };
            if call.unary {
                call.message = Some(message);
            } else {
                let root = call.root;
                self.grpc_message(token, root, message);
            }
        }
        if end {
            // A gRPC response without trailers has no status.
            self.grpc_over(token, 2, "");
        }
    }

    fn grpc_message(&mut self, token: u32, root: u32, message: Bytes) {
        let size = message.len() as u32;
        let reply = Reply { grpc_message: Some(message), ..Reply::default() };
        self.deliver(root, reply, Call::GrpcReceive { token, size });
    }

    fn grpc_trailers(&mut self, token: u32, trailers: HeaderMap) {
        let Some(call) = self.vm_mut().state_mut().callouts.grpc.get_mut(&token) else { return };
        let (root, unary) = (call.root, call.unary);
        let status = trailers.get_str("grpc-status").and_then(|status| status.parse().ok());
        let message = trailers.get_str("grpc-message").unwrap_or_default().to_owned();
        if !unary {
            let count = trailers.len() as u32;
            let reply = Reply { grpc_trailing: Some(trailers), ..Reply::default() };
            self.deliver(root, reply, Call::GrpcTrailingMetadata { token, count });
        }
        self.grpc_over(token, status.unwrap_or(2), &message);
    }

    /// A gRPC call has its status: a good unary one hands over its message, all others close.
    fn grpc_over(&mut self, token: u32, status: u32, message: &str) {
        let callouts = &mut self.vm_mut().state_mut().callouts;
        let Some(call) = callouts.grpc.remove(&token) else { return };
        callouts.owners.remove(&call.exchange);
        match call.message {
            Some(body) if call.unary && status == 0 => self.grpc_message(token, call.root, body),
            // A unary call that ends well without a message has failed all the same.
            _ => {
                let status = if call.unary && status == 0 { 13 } else { status };
                self.vm_mut().state_mut().set_status(status, message);
                self.deliver(call.root, Reply::default(), Call::GrpcClose { token, status });
                self.vm_mut().state_mut().set_status(0, "");
            }
        }
    }

    fn grpc_cut(&mut self, token: u32) {
        let exchange = self.vm().state().callouts.grpc.get(&token).map(|call| call.exchange);
        if let Some(exchange) = exchange {
            self.vm_mut().state_mut().callouts.owners.remove(&exchange);
            self.output(Output::UpstreamReset { exchange });
        }
    }

    /// Ends callouts whose time is over.
    pub(crate) fn expire_callouts(&mut self, now: Duration) {
        let due = |deadline: Option<Duration>| deadline.is_some_and(|deadline| deadline <= now);
        let callouts = &self.vm().state().callouts;
        let mut http: Vec<(u32, ExchangeId)> =
            callouts.http.iter().filter(|(_, call)| due(call.deadline)).map(|(token, call)| (*token, call.exchange)).collect();
        let mut grpc: Vec<u32> = callouts.grpc.iter().filter(|(_, call)| due(call.deadline)).map(|(token, _)| *token).collect();
        http.sort_unstable();
        grpc.sort_unstable();
        for (token, exchange) in http {
            self.vm_mut().state_mut().callouts.owners.remove(&exchange);
            self.output(Output::UpstreamReset { exchange });
            // The router answers only where nobody began to (measured on Envoy 1.40).
            if self.vm().state().callouts.http.get(&token).is_some_and(|call| call.reply.http_headers.is_some()) {
                self.http_call_lost(token);
            } else {
                self.http_call_answered(token, LocalReply::upstream_timeout());
            }
        }
        for token in grpc {
            self.grpc_cut(token);
            self.grpc_over(token, 14, "upstream request timeout");
        }
    }

    /// The VM is gone, and with it whoever waited for callouts.
    pub(crate) fn forget_callouts(&mut self) {
        let callouts = &mut self.vm_mut().state_mut().callouts;
        let http = callouts.http.drain().map(|(_, call)| call.exchange);
        let mut exchanges: Vec<ExchangeId> = http.collect();
        exchanges.extend(callouts.grpc.drain().map(|(_, call)| call.exchange));
        for exchange in exchanges {
            self.vm_mut().state_mut().callouts.owners.remove(&exchange);
        }
    }
}
