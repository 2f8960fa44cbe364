//! Answers that are not the upstream's: those that the proxy makes in its place, and our own on their way through the proxy. Both
//! come by as responses (Envoy #28826), with Envoy's word for their cause in `response.code_details`.

use crate::context::Context;
use crate::flow::Effect;
use crate::gateway_response::{Failure, ResponseType};
use crate::http::{Response, ResponseHead};
use crate::platform::{Level, Platform};

/// What an answer of the proxy itself means. Only an error can be one, or an answer to gRPC, whose errors Envoy sends with status
/// 200; a backend's own answer is not asked about twice.
pub fn failure_of(head: &ResponseHead, context: &Context, platform: &dyn Platform) -> Option<Failure> {
    // A backend that changes protocols though nobody asked it to, or whose status is none (RFC 9110, section 15): Envoy passes on
    // whatever number there is. assumed(no-status): what is no answer to HTTP is none to API Gateway.
    if !(200..600).contains(&head.status) {
        return Some(Failure::new(ResponseType::IntegrationFailure));
    }
    let is_grpc = context.headers().get("content-type").is_some_and(|value| value.starts_with(b"application/grpc"));
    if (200..400).contains(&head.status) && !is_grpc {
        return None;
    }
    let details = platform.response_code_details()?;
    let response_type = match details.as_str() {
        "via_upstream" => return None,
        // The client was too slow, or went away: the proxy's answer is as good as any.
        _ if head.status == 408 => return None,
        "request_payload_too_large" => ResponseType::RequestTooLarge,
        "response_timeout" | "upstream_per_try_timeout" | "stream_idle_timeout" | "upstream_max_stream_duration_reached" => {
            ResponseType::IntegrationTimeout
        }
        // The proxy does not know where to send it.
        "route_not_found" => ResponseType::IntegrationFailure,
        _ if (400..500).contains(&head.status) => return None,
        _ => ResponseType::IntegrationFailure,
    };
    platform.log(Level::Info, &format!("the proxy answered {} ({details}): {}", head.status, response_type.as_str()));
    Some(Failure::new(response_type))
}

/// Whether our own answer passes as it was made. Envoy takes the content type from one without a body, makes a status 200 of it
/// for a gRPC client, and may have begun an answer of its own (413) just before ours.
pub fn is_unchanged(ours: &Response, head: &ResponseHead) -> bool {
    let kept = |(name, value): (&str, &[u8])| head.headers.get_all(name).any(|sent| sent == value);
    head.status == ours.head.status && ours.head.headers.iter().all(kept)
}

/// Our answer in the place of the proxy's. Where the proxy's has no body there is none to put ours into: an answer to HEAD keeps the
/// length of what GET would get, and one to a gRPC client, for which Envoy makes heads only, is without.
pub fn replace(mut ours: Response, end: bool, client_sent_head: bool) -> Effect {
    if end && !client_sent_head {
        ours.body.clear();
    }
    Effect::Replace(ours.without_forbidden_body())
}
