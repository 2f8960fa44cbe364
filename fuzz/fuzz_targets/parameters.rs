//! Parameter mappings: what an operator writes with what a client sends, of REST and HTTP APIs, on the way there and back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate::compile::compile;
use tollgate::flow::Callout;
use tollgate::gateway::Gateway;
use tollgate::http::{ResponseHead, is_field_value};
use tollgate::mapping::Expression;
use tollgate_fuzz::{UPSTREAM, World, ask, reply, request, text_parts, within_millis};

const BACKEND: &str = "backend.test";

fn compiled(protocol: &str, integration: Value, path: &str) -> Option<Arc<Gateway>> {
    let method = json!({"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": integration}});
    let document = json!({
        "apis": [{
            "name": "a", "protocol": protocol, "definition": {"openapi": "3.0.1", "paths": {path: method}},
            "stages": [{"stageName": "s", "variables": {"v": "w"}}]}],
        "upstreams": {BACKEND: {"cluster": "b"}},
    });
    compile(&document).gateway.map(Arc::new)
}

fn rest(key: &str, value: &str, response_key: &str, response_value: &str) -> Option<Arc<Gateway>> {
    let responses = json!({"default": {"statusCode": "200", "responseParameters": {response_key: response_value}}});
    let integration = json!({
        "type": "http", "httpMethod": "POST", "uri": format!("https://{BACKEND}/x/{{p}}?k=1"), "passthroughBehavior": "when_no_match",
        "requestParameters": {"integration.request.path.p": "method.request.path.p", key: value},
        "responses": if response_key.is_empty() { json!({"default": {"statusCode": "200"}}) } else { responses }});
    compiled("REST", integration, "/r/{p+}")
}

fn http(key: &str, value: &str, response_key: &str, response_value: &str) -> Option<Arc<Gateway>> {
    let mut integration = json!({
        "type": "http_proxy", "httpMethod": "ANY", "uri": format!("https://{BACKEND}/x/{{p}}"), "payloadFormatVersion": "1.0",
        "requestParameters": {key: value}});
    if !response_key.is_empty() {
        integration["responseParameters"] =
            json!({"default": {response_key: response_value}, "200": {response_key: response_value}});
    }
    compiled("HTTP", integration, "/r/{p+}")
}

/// Whatever is mapped, the request goes to its backend, and nothing that only the proxy may say is said.
fn send(gateway: &Arc<Gateway>, key: &str, target: &str, header: &str, body: &str) {
    let world = World::default();
    let mut host = world.worker();
    host.has_known_log = false;
    host.body = body.as_bytes().to_vec();
    let value = if is_field_value(header.as_bytes()) { header } else { "v" };
    let headers = [
        ("content-type", "application/json"),
        ("x-a", value),
        ("x-a", "2"),
        ("cookie", value),
        ("accept", "application/json"),
        ("x-envoy-max-retries", "9"),
    ];
    let head = request("POST", &format!("/s/r/{target}"), "api.test", &headers);
    let mut upstream = ResponseHead { status: 200, ..ResponseHead::default() };
    upstream.headers.append("x-a", value);
    upstream.headers.append("content-type", "application/json");
    let mut answer = |_: &Callout| reply(200, &[UPSTREAM, ("x-a", value), ("content-type", "application/json")], body.as_bytes());
    let asked = within_millis(250, "a request", || ask(gateway, head.clone(), &mut host, &mut answer, &upstream));
    assert!((200..600).contains(&asked.status()), "{asked:?}");
    let is_host = key.eq_ignore_ascii_case("overwrite:header.host") || key.eq_ignore_ascii_case("integration.request.header.host");
    for head in asked.forwarded.iter().chain(asked.calls.iter().filter_map(|call| call.http_head())) {
        assert!(is_host || head.authority == BACKEND.as_bytes(), "{head:?}");
        assert!(key.contains("path") || head.path.starts_with(b"/x/"), "{head:?}");
        for (name, value) in head.headers.iter().filter(|(name, _)| name.starts_with("x-envoy-")) {
            assert!(name == "x-envoy-upstream-rq-timeout-ms" && value.iter().all(u8::is_ascii_digit), "{name}");
        }
        assert!(head.headers.get_all("host").count() == 0, "{head:?}");
        assert!(head.headers.get_all("content-length").count() <= 1);
    }
    let mut again = world.worker();
    again.body = body.as_bytes().to_vec();
    again.has_known_log = false;
    assert_eq!(asked, ask(gateway, head, &mut again, &mut answer, &upstream), "the same request twice");
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    let Some([key, value, response_key, response_value, target, header, body]) = text_parts::<7>(data) else { return };
    if let Ok(read) = Expression::parse(value) {
        assert_eq!(Expression::parse(value), Ok(read));
    }
    let make = if kind % 2 == 0 { rest } else { http };
    if let Some(gateway) = make(key, value, response_key, response_value) {
        send(&gateway, key, target, header, body);
    }
});
