//! What the gateway tells of itself and of the request to whoever it calls.

use super::{Context, TRACE_HEADER};
use crate::http::{Headers, MediaType};
use crate::platform::Platform;

/// What a backend gets without any mapping (recorded for HTTP: `TestApiGatewayHeaderRemapping`). assumed(function-call-headers): a
/// function, too, whoever calls it.
pub fn gateway_headers(context: &Context, platform: &dyn Platform) -> Headers {
    let api_id = context.stage.as_ref().map(|stage| stage.api_id.as_str()).unwrap_or_default();
    let mut headers = Headers::new();
    headers.append("accept", MediaType::JSON);
    headers.append("user-agent", format!("AmazonAPIGateway_{api_id}"));
    headers.append("x-amzn-apigateway-api-id", api_id);
    headers.append(TRACE_HEADER, context.trace_id(platform));
    headers
}
