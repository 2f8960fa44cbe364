//! What backends answer: functions in each of their formats, services, HTTP backends with selection patterns, and the bodies that a
//! MOCK reads. The client gets HTTP, whatever it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use tollgate::base64;
use tollgate::flow::Callout;
use tollgate::gateway::Gateway;
use tollgate::http::{ResponseHead, is_field_name, is_field_value};
use tollgate_fuzz::{Asked, UPSTREAM, World, access_log, ask, gateway, parts, reply, request, within_millis};

const FUNCTION: &str =
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111122223333:function:f/invocations";

/// The routes, and the stage that has them.
const ROUTES: [(&str, &str); 11] = [
    ("rest", "proxy"),
    ("rest", "text"),
    ("rest", "binary"),
    ("rest", "custom"),
    ("rest", "queue"),
    ("rest", "http"),
    ("rest", "mock"),
    ("http", "one"),
    ("http", "two"),
    ("http", "send"),
    ("http", "events"),
];

static GATEWAY: LazyLock<Arc<Gateway>> = LazyLock::new(|| {
    let method = |integration: Value| json!({"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": integration}});
    let responses = json!({
        "default": {"statusCode": "200", "responseParameters": {"method.response.header.x-a": "integration.response.header.x-a", "method.response.header.x-b": "integration.response.body.a.b",
            "method.response.header.x-m": "integration.response.multivalueheader.x-a"},
            "responseTemplates": {"application/json": "$input.json('$')|$input.path('$.a')|$util.escapeJavaScript($input.body)", "text/plain": "$input.body"}},
        "4\\d{2}": {"statusCode": "404"}, "2\\d{2}|.*ok.*": {"statusCode": "201"}, ".*rror.*": {"statusCode": "502", "responseTemplates": {"application/json": "$input.path('$.errorMessage')"}}});
    let aws = |handling: Option<&str>| {
        let mut integration = json!({"type": "aws", "httpMethod": "POST", "uri": FUNCTION, "responses": responses});
        if let Some(handling) = handling {
            integration["contentHandling"] = handling.into();
            integration["responses"] = json!({"default": {"statusCode": "200", "contentHandling": handling}});
        }
        integration
    };
    let binary = json!(["image/png", "application/octet-stream"]);
    let two = |version: &str| {
        json!({"type": "aws_proxy", "httpMethod": "POST", "uri": FUNCTION, "payloadFormatVersion": version,
        "responseParameters": {"200": {"append:header.x-z": "$response.body.a", "overwrite:statuscode": "$response.header.x-status"}}})
    };
    let subtype = |name: &str, parameters: Value| json!({"type": "aws_proxy", "integrationSubtype": name, "payloadFormatVersion": "1.0", "credentials": "arn:aws:iam::111122223333:role/r", "requestParameters": parameters});
    let post = |integration: Value| json!({"post": {"x-amazon-apigateway-integration": integration}});
    Arc::new(gateway(&json!({
        "apis": [
            {"name": "rest", "protocol": "REST", "stages": [{"stageName": "rest", "accessLogSettings": access_log(), "methodSettings": {"*/*": {"loggingLevel": "INFO", "dataTraceEnabled": true}}}], "definition": {
                "openapi": "3.0.1", "x-amazon-apigateway-binary-media-types": binary, "paths": {
                    "/proxy": method(json!({"type": "aws_proxy", "httpMethod": "POST", "uri": FUNCTION})),
                    "/text": method(aws(Some("CONVERT_TO_TEXT"))), "/binary": method(aws(Some("CONVERT_TO_BINARY"))), "/custom": method(aws(None)),
                    "/queue": method(json!({"type": "aws", "httpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:sqs:path/1/q", "responses": responses})),
                    "/http": method(json!({"type": "http", "httpMethod": "POST", "uri": "https://backend.test/", "responses": responses})),
                    "/mock": method(json!({"type": "mock", "passthroughBehavior": "when_no_match", "responses": responses}))}}},
            {"name": "http", "protocol": "HTTP", "stages": [{"stageName": "http", "accessLogSettings": access_log()}], "definition": {
                "openapi": "3.0.1", "paths": {
                    "/one": method(two("1.0")), "/two": method(two("2.0")),
                    "/send": post(subtype("SQS-SendMessage", json!({"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q", "MessageBody": "$request.body"}))),
                    "/events": post(subtype("EventBridge-PutEvents", json!({"Detail": "$request.body", "DetailType": "t", "Source": "s", "Time": "$request.header.x-a"})))}}},
        ],
        "upstreams": {"backend.test": {"cluster": "b"}, "lambda.us-east-1.amazonaws.com": {"cluster": "l"}, "sqs.us-east-1.amazonaws.com": {"cluster": "q"}, "events.us-east-1.amazonaws.com": {"cluster": "e"}},
    })))
});

/// What the function of a proxy integration says is what the client gets.
fn check_output(asked: &Asked, body: &[u8], is_rest: bool) {
    let Ok(output) = serde_json::from_slice::<Value>(body) else {
        // What is no JSON is a body of format 2.0, and else malformed.
        return assert!(matches!(asked.status(), 200 | 500 | 502), "{asked:?}");
    };
    let response = asked.response.as_ref().expect("an answer");
    let Some(status) = output["statusCode"].as_u64().filter(|_| output.is_object()) else { return };
    // A member that is there twice, and mappings that change the status, are somebody else's business.
    if u64::from(response.head.status) != status || !is_rest {
        return;
    }
    if let (Some(text), Some(true)) = (output["body"].as_str(), output["isBase64Encoded"].as_bool()) {
        let decoded = base64::decode(text.as_bytes());
        let is_one = response.body == text.as_bytes() || decoded.is_some_and(|bytes| bytes == response.body);
        assert!(is_one || response.body.is_empty() || response.head.status == 502 || response.head.status == 500, "{asked:?}");
    }
}

fuzz_target!(|data: &[u8]| {
    let [which, flags, data @ ..] = data else { return };
    let (stage, route) = ROUTES[usize::from(*which) % ROUTES.len()];
    let [header, body] = parts::<2>(data);
    let world = World::default();
    let mut host = world.worker();
    host.body = body.to_vec();
    let types = ["application/json", "image/png", "text/plain", "*/*"];
    let (content, accept, method) =
        (types[usize::from(flags & 3)], types[usize::from(flags >> 2 & 3)], if flags & 16 == 0 { "POST" } else { "HEAD" });
    let value = std::str::from_utf8(header).ok().filter(|value| is_field_value(value.as_bytes())).unwrap_or("v");
    let mut head =
        request(method, &format!("/{stage}/{route}"), "api.test", &[("content-type", content), ("accept", accept), ("x-a", value)]);
    if flags & 32 != 0 && is_field_name(value) {
        head.headers.append(value.to_ascii_lowercase(), "1");
    }
    let status = [200, 200, 404, 500][usize::from(flags >> 6)];
    let mut answer = |_: &Callout| reply(status, &[UPSTREAM, ("content-type", content), ("x-a", value), ("x-status", value)], body);
    let upstream = ResponseHead { status: 200, ..ResponseHead::default() };
    let asked = within_millis(250, "an answer", || ask(&GATEWAY, head.clone(), &mut host, &mut answer, &upstream));
    assert!((200..600).contains(&asked.status()) && asked.calls.len() <= 1, "{asked:?}");
    if (status, route) == (200, "proxy") && method == "POST" {
        check_output(&asked, body, true);
    }
    if let (Some(sent), true) = (asked.sent(), ["events", "one", "two", "proxy"].contains(&route)) {
        assert!(serde_json::from_slice::<Value>(sent).is_ok(), "{:?}", String::from_utf8_lossy(sent));
    }
    let mut again = world.worker();
    again.body = body.to_vec();
    assert_eq!(asked, ask(&GATEWAY, head, &mut again, &mut answer, &upstream));
});
