//! What is said of a request: gateway responses as an operator customizes them, lines of access logs in any format.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tollgate::compile::compile;
use tollgate::http::{ResponseHead, is_field_value};
use tollgate_fuzz::{World, ask, no_reply, request, text_parts, within_millis};

/// What an operator writes, and what somebody sends.
struct Case<'a> {
    parameter: &'a str,
    template: &'a str,
    status: &'a str,
    format: &'a str,
    header: &'a str,
    target: &'a str,
}

fn document(case: &Case<'_>, protocol: &str) -> Value {
    let mut customization = Map::new();
    if !case.template.is_empty() {
        customization
            .insert("responseTemplates".to_owned(), json!({"application/json": case.template, "text/html": case.template}));
    }
    if !case.parameter.is_empty() {
        customization.insert("responseParameters".to_owned(), json!({"gatewayresponse.header.x-p": case.parameter}));
    }
    if !case.status.is_empty() {
        customization.insert("statusCode".to_owned(), case.status.into());
    }
    let mut definition = json!({"openapi": "3.0.1", "paths": {"/x/{p}": {"get": {
        "x-amazon-apigateway-request-validator": "v", "parameters": [{"name": "x-must", "in": "header", "required": true}],
        "x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "GET", "uri": "https://b.test/", "payloadFormatVersion": "1.0"}}}}});
    if protocol == "REST" {
        definition["x-amazon-apigateway-request-validators"] = json!({"v": {"validateRequestParameters": true}});
        definition["x-amazon-apigateway-gateway-responses"] =
            json!({"DEFAULT_4XX": customization, "MISSING_AUTHENTICATION_TOKEN": customization});
    } else {
        let method = definition["paths"]["/x/{p}"]["get"].as_object_mut().expect("a method");
        method.remove("x-amazon-apigateway-request-validator");
    }
    json!({
        "apis": [{"name": "a", "protocol": protocol, "definition": definition,
            "stages": [{"stageName": "s", "variables": {"v": "w"}, "accessLogSettings": {"format": case.format}}]}],
        "upstreams": {"b.test": {"cluster": "b"}},
    })
}

fn check(case: &Case<'_>, protocol: &str) {
    let compiled = compile(&document(case, protocol));
    compiled.problems.iter().for_each(|problem| assert!(!problem.to_string().is_empty()));
    let Some(gateway) = compiled.gateway.map(Arc::new) else { return };
    let value = if is_field_value(case.header.as_bytes()) { case.header } else { "v" };
    for path in ["/s/x/1", "/s/nowhere", "/s/x/"] {
        let world = World::default();
        let mut host = world.worker();
        host.has_known_log = false;
        let headers = [("user-agent", value), ("accept", value), ("x-a", value), ("authorization", value)];
        let head = request("GET", &format!("{path}{}", case.target), "api.test", &headers);
        let upstream = ResponseHead { status: 200, ..ResponseHead::default() };
        let asked = within_millis(250, "a request", || ask(&gateway, head, &mut host, &mut |_| no_reply(), &upstream));
        assert!((200..600).contains(&asked.status()), "{asked:?}");
        // A path that nobody can read is none of a stage.
        assert!(world.lines.get() <= 1);
        let body = asked.response.map_or(0, |response| response.body.len());
        let most = case.template.len() * (case.header.len() + case.target.len() + 300) + 4096;
        assert!(body <= most, "{body} bytes of {most}");
    }
}

fuzz_target!(|data: &[u8]| {
    let Some([parameter, template, status, format, header, target]) = text_parts(data) else { return };
    let format = if format.is_empty() { "$context.requestId" } else { format };
    let case = Case { parameter, template, status, format, header, target };
    check(&case, "REST");
    check(&case, "HTTP");
});
