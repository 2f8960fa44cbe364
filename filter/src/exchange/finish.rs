//! What every answer carries, whoever made it.

use crate::context::Context;
use crate::definition::Protocol;
use crate::gateway::Stage;
use crate::http::{MediaType, ResponseHead};

/// Content type, CORS, limits, ids (recorded for REST: `test_invocation_trace_id`).
pub(super) fn finish(head: &mut ResponseHead, stage: &Stage, context: &Context) {
    if context.protocol == Protocol::Rest && !head.headers.contains("content-type") {
        head.headers.append("content-type", MediaType::JSON);
    }
    if let Some(cors) = &stage.api.cors {
        cors.apply(context.headers(), &mut head.headers);
    }
    if let Some(rate_limit) = &context.rate_limit {
        rate_limit.write(&mut head.headers);
    }
    add_ids(head, context);
}

/// The ids of the request.
pub(super) fn add_ids(head: &mut ResponseHead, context: &Context) {
    match context.protocol {
        Protocol::Rest => {
            head.headers.set("x-amzn-requestid", context.ids.request_id());
            head.headers.set("x-amz-apigw-id", context.ids.extended_request_id());
        }
        Protocol::Http => head.headers.set("apigw-requestid", context.ids.extended_request_id()),
    }
}
