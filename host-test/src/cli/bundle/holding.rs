//! Whether the filter holds requests while it asks somebody or waits for their bodies. Envoy lets it read a held body only with
//! `allow_on_headers_stop_iteration`, which WasmPlugin, TrafficExtension and EnvoyExtensionPolicy do not have.

use serde_json::Value;
use tollgate::context::{Context, Ids};
use tollgate::gateway::{Gateway, Route};
use tollgate::http::RequestHead;

/// Why requests are held, in words; none only where every route certainly forwards at once. When in doubt, they are.
pub fn reason(gateway: &Gateway, document: &Value) -> Option<String> {
    if gateway.plans.service().is_some() {
        return Some("the rate limit service is asked".to_owned());
    }
    let mut stages = gateway.stages();
    stages.find_map(|stage| stage.routes().find_map(|route| of_route(route, document)))
}

fn of_route(route: &Route, document: &Value) -> Option<String> {
    let name = format!("{} {}", route.method, route.resource_path());
    let context = Context::new(Ids::new([0; 16]), RequestHead::default());
    let integration = route.integration.summary();
    let guard = route.guard.authorizer.as_ref().map(|authorizer| authorizer.summary());
    let forwards = integration.starts_with("HTTP_PROXY ") && !route.integration.needs_body(&context);
    if !forwards {
        return Some(format!("`{name}` is {integration}"));
    }
    // Keys are fetched by a timer, never by a request.
    if let Some(guard) = guard.filter(|guard| !["JWT ", "COGNITO_USER_POOLS "].iter().any(|kind| guard.starts_with(kind))) {
        return Some(format!("`{name}` is guarded by {guard}"));
    }
    // Whether it looks at a body depends on the request; where nothing of the document asks for it, it does not.
    (validates(document)).then(|| "bodies may be validated".to_owned())
}

fn validates(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().any(|(key, value)| (key == "validateRequestBody" && value != false) || validates(value))
        }
        Value::Array(items) => items.iter().any(validates),
        _ => false,
    }
}
