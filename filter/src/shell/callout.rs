//! Calls that the gateway makes itself.

use super::port::log;
use crate::flow::{Callout, CalloutOutcome, NoReply};
use crate::http::{Response, ResponseHead};
use crate::platform::Level;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};
use std::time::Duration;

/// Answers beyond this are none: no authorizer or key set is that long.
const BODY_LIMIT: usize = 6 * 1024 * 1024;

/// Makes a call; the host's number for it, or none when the host does not take it.
pub fn dispatch(callout: &Callout) -> Option<u32> {
    let pairs = callout.head.clone().into_pairs();
    let headers: Option<Vec<(&str, &str)>> =
        pairs.iter().map(|(name, value)| Some((name.as_str(), std::str::from_utf8(value).ok()?))).collect();
    let timeout = Duration::from_millis(callout.timeout_millis);
    let body = (!callout.body.is_empty()).then_some(callout.body.as_slice());
    let dispatched = hostcalls::dispatch_http_call(&callout.cluster, headers?, body, Vec::new(), timeout);
    if dispatched.is_err() {
        log(Level::Warn, &format!("the proxy takes no call to cluster `{}`: unknown, or without a healthy host", callout.cluster));
    }
    dispatched.ok()
}

/// What came of a call, read in its callback.
pub fn outcome(headers: usize, body_size: usize) -> CalloutOutcome {
    if headers == 0 || body_size > BODY_LIMIT {
        return Err(NoReply);
    }
    let pairs = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).map_err(|_| NoReply)?;
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size).ok().flatten().unwrap_or_default();
    Ok(Response { head: ResponseHead::from_pairs(pairs), body })
}
