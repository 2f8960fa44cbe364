//! Calls that the gateway makes itself.

use super::header_map::HeaderMap;
use super::port::log;
use crate::flow::{Callout, CalloutOutcome, NoReply, PAYLOAD_LIMIT, Question};
use crate::http::{RequestHead, Response, ResponseHead};
use crate::platform::Level;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};
use std::time::Duration;

/// As much is read of an answer to a stream: what API Gateway takes of an integration's, and a byte by which whoever asked sees that
/// it is more.
pub const BODY_LIMIT: usize = PAYLOAD_LIMIT + 1;

/// Messages beyond this are none: Envoy holds any size, and the memory of a VM never shrinks.
const MESSAGE_LIMIT: usize = 64 * 1024;

/// How the host names a call: each kind counts for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Number {
    /// An HTTP request.
    Http(u32),
    /// A gRPC call.
    Grpc(u32),
}

/// Makes a call; what names it, or none when the host does not take it.
pub fn dispatch(callout: &Callout) -> Option<Number> {
    let timeout = Duration::from_millis(callout.timeout_millis);
    let number = match &callout.question {
        Question::Http { head, body } => http(&callout.cluster, head, body, timeout).map(Number::Http),
        Question::Grpc { service, method, message } => grpc(&callout.cluster, service, method, message, timeout).map(Number::Grpc),
    };
    if number.is_none() {
        log(Level::Warn, &format!("the proxy takes no call to cluster `{}`: unknown, or without a healthy host", callout.cluster));
    }
    number
}

fn http(cluster: &str, head: &RequestHead, body: &[u8], timeout: Duration) -> Option<u32> {
    let headers: Option<Vec<(&str, &str)>> =
        head.pairs().map(|(name, value)| Some((name, std::str::from_utf8(value).ok()?))).collect();
    let body = (!body.is_empty()).then_some(body);
    hostcalls::dispatch_http_call(cluster, headers?, body, Vec::new(), timeout).ok()
}

fn grpc(cluster: &str, service: &str, method: &str, message: &[u8], timeout: Duration) -> Option<u32> {
    let target = grpc_service(cluster)?;
    hostcalls::dispatch_grpc_call(&target, service, method, Vec::new(), Some(message), timeout).ok()
}

/// The cluster of a gRPC call as the message that Envoy wants: `GrpcService { 1 envoy_grpc { 1 cluster_name } }`. Envoy takes a bare
/// name, too, unless that happens to be such a message with nothing in it that it knows, as `authority` and `api-limit` are: then
/// the whole process aborts (measured on 1.40). None for a name that is too long: a length of two bytes is no text.
fn grpc_service(cluster: &str) -> Option<String> {
    let length = |size: usize| u8::try_from(size).ok().filter(u8::is_ascii).map(char::from);
    Some(format!("\n{}\n{}{cluster}", length(cluster.len() + 2)?, length(cluster.len())?))
}

/// What came of an HTTP request, read in its callback: no more of its body than is of use, since the memory of a VM never shrinks.
pub fn http_outcome(headers: usize, body_size: usize, limit: usize) -> CalloutOutcome {
    if headers == 0 {
        return Err(NoReply);
    }
    let head = ResponseHead::from_pairs(HeaderMap::read(MapType::HttpCallResponseHeaders).pairs());
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size.min(limit)).ok().flatten().unwrap_or_default();
    Ok(Response { head, body })
}

/// What came of a gRPC call, read in its callback.
pub fn grpc_outcome(status: u32, size: usize) -> CalloutOutcome {
    if status != 0 || size > MESSAGE_LIMIT {
        return Err(NoReply);
    }
    let body = hostcalls::get_buffer(BufferType::GrpcReceiveBuffer, 0, size).ok().flatten().unwrap_or_default();
    Ok(Response { head: ResponseHead { status: 200, ..ResponseHead::default() }, body })
}
