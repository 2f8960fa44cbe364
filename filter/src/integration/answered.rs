//! What a call of an integration led to: the backend's own answer, or a failure where nobody answered, or the proxy in its place.

use crate::flow::{CalloutOutcome, PAYLOAD_LIMIT};
use crate::gateway_response::{Failure, ResponseType};
use crate::http::{Response, ResponseHead};
use crate::platform::{Level, Platform};

/// What Envoy's router adds to every answer of a backend, and to none of its own (`suppress_envoy_headers` is not set for calls of
/// filters).
const UPSTREAM_SERVICE_TIME: &str = "x-envoy-upstream-service-time";

/// The answer to a call that began then, on the monotonic clock.
pub fn answered(
    outcome: CalloutOutcome,
    timeout_millis: u64,
    asked_nanos: u64,
    platform: &dyn Platform,
) -> Result<Response, Failure> {
    let answer = backend_answer(outcome, &|| is_over(timeout_millis, asked_nanos, platform))?;
    // assumed(large-answer): the payload limit is documented, and in public logs such an answer is an error of the gateway.
    if answer.body.len() > PAYLOAD_LIMIT {
        platform.log(Level::Warn, "the integration's response is larger than 10485760 bytes");
        return Err(Failure::configuration());
    }
    Ok(answer)
}

/// Whether somebody answered a call, and not the proxy in his place.
pub fn is_of_backend(head: &ResponseHead) -> bool {
    head.headers.contains(UPSTREAM_SERVICE_TIME)
}

/// Whether a call that began then has had its time. The proxy's timer may be a little early.
fn is_over(timeout_millis: u64, asked_nanos: u64, platform: &dyn Platform) -> bool {
    const EARLY_MILLIS: u64 = 5;
    let waited = platform.monotonic_nanos().saturating_sub(asked_nanos) / 1_000_000;
    waited + EARLY_MILLIS >= timeout_millis
}

fn backend_answer(outcome: CalloutOutcome, time_is_over: &dyn Fn() -> bool) -> Result<Response, Failure> {
    let failed = Failure::new(ResponseType::IntegrationFailure);
    let timed_out = Failure::new(ResponseType::IntegrationTimeout);
    // Of an answer that stops halfway the proxy tells nothing but that there is none.
    let Ok(mut answer) = outcome else { return Err(if time_is_over() { timed_out } else { failed }) };
    if !is_of_backend(&answer.head) {
        return Err(if answer.head.status == 504 { timed_out } else { failed });
    }
    answer.head.headers.retain(|name| !name.starts_with("x-envoy-"));
    Ok(answer)
}
