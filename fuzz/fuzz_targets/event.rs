//! The events that functions get, of any request: JSON that says what was sent, and nothing else.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use tollgate::base64;
use tollgate::gateway::Gateway;
use tollgate::http::{CanonicalPath, Query, ResponseHead, is_field_name, is_field_value};
use tollgate_fuzz::{World, access_log, ask, gateway, no_reply, parts, request};

const FUNCTION: &str =
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111122223333:function:f/invocations";

const STAGES: [&str; 5] = ["rest", "one", "two", "asks", "old"];

static GATEWAY: LazyLock<Arc<Gateway>> = LazyLock::new(|| {
    let function =
        |version: &str| json!({"type": "aws_proxy", "httpMethod": "POST", "uri": FUNCTION, "payloadFormatVersion": version});
    let api = |name: &str, protocol: &str, integration: Value, authorizer: Option<Value>| {
        let mut method = json!({"x-amazon-apigateway-integration": integration});
        let mut definition = json!({"openapi": "3.0.1"});
        if let Some(authorizer) = authorizer {
            method["security"] = json!([{"s": []}]);
            definition["components"] = json!({"securitySchemes": {"s": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authorizer": authorizer}}});
        }
        if protocol == "REST" {
            definition["x-amazon-apigateway-binary-media-types"] = json!(["image/png"]);
        }
        definition["paths"] = json!({"/{p}/{rest+}": {"x-amazon-apigateway-any-method": method}});
        json!({"name": name, "protocol": protocol, "stages": [{"stageName": name, "variables": {"v": "w"}, "accessLogSettings": access_log()}], "definition": definition})
    };
    let request = |version: Option<&str>| {
        let mut authorizer = json!({"type": "request", "authorizerUri": "https://auth.test/", "authorizerResultTtlInSeconds": 0});
        if let Some(version) = version {
            authorizer["authorizerPayloadFormatVersion"] = version.into();
        }
        authorizer
    };
    let mut rest = function("1.0");
    rest.as_object_mut().expect("an object").remove("payloadFormatVersion");
    Arc::new(gateway(&json!({
        "apis": [api("rest", "REST", rest.clone(), None), api("one", "HTTP", function("1.0"), None), api("two", "HTTP", function("2.0"), None),
            api("asks", "HTTP", function("2.0"), Some(request(Some("2.0")))), api("old", "REST", rest, Some(request(None)))],
        "upstreams": {"lambda.us-east-1.amazonaws.com": {"cluster": "l"}, "auth.test": {"cluster": "a"}},
    })))
});

fn check_body(event: &Value, body: &[u8]) {
    let is_base64 = event["isBase64Encoded"].as_bool().expect("it says so");
    let text = event["body"].as_str().unwrap_or_default();
    if is_base64 {
        assert_eq!(base64::decode(text.as_bytes()).as_deref(), Some(body));
    } else {
        assert_eq!(text, String::from_utf8_lossy(body));
    }
}

/// The values of a name in one map, of which the other one has the last.
fn check_maps(event: &Value, single: &str, multi: &str) {
    let (Some(single), Some(multi)) = (event[single].as_object(), event[multi].as_object()) else { return };
    assert_eq!(single.len(), multi.len());
    for (name, values) in multi {
        let values = values.as_array().expect("a list");
        let one = single[name].as_str().expect("a text");
        let last = values.last().and_then(Value::as_str).expect("a value");
        assert!(one == last || one.contains(last), "{name}: {one} of {values:?}");
    }
}

fn check(stage: &str, event: &Value, target: &str, body: &[u8]) {
    let read = CanonicalPath::parse(target.as_bytes()).expect("it was routed");
    let pairs: Vec<_> =
        Query::parse(read.query().unwrap_or_default()).iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    match stage {
        "two" | "asks" => {
            assert_eq!(event["version"], "2.0");
            assert_eq!(event["rawQueryString"], read.query().unwrap_or_default());
            let known = event["queryStringParameters"].as_object().map_or(0, serde_json::Map::len);
            let names: std::collections::BTreeSet<_> = pairs.iter().map(|(name, _)| name).collect();
            assert_eq!(known, names.len());
        }
        _ => {
            check_maps(event, "headers", "multiValueHeaders");
            check_maps(event, "queryStringParameters", "multiValueQueryStringParameters");
            let all = event["multiValueQueryStringParameters"].as_object();
            let all: usize = all.map_or(0, |all| all.values().map(|values| values.as_array().map_or(0, Vec::len)).sum());
            assert_eq!(all, pairs.len(), "{pairs:?} {event}");
            assert_eq!(event["requestContext"]["stage"], stage);
        }
    }
    if !matches!(stage, "asks" | "old") {
        check_body(event, body);
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((flags, data)) = data.split_first() else { return };
    let [target, name, value, body] = parts::<4>(data);
    let stage = STAGES[usize::from(flags & 7) % STAGES.len()];
    let target = format!("/{stage}/{}", String::from_utf8_lossy(target));
    let types = ["application/json", "image/png", "text/plain", ""];
    let methods = ["POST", "GET", "DELETE", "PUT"];
    let mut head =
        request(methods[usize::from(flags >> 3 & 3)], &target, "api.test:443", &[("cookie", "a=b; c=d"), ("user-agent", "u")]);
    if let Some(known) = Some(types[usize::from(flags >> 5 & 3)]).filter(|known| !known.is_empty()) {
        head.headers.append("content-type", known);
    }
    for name in name.split(|byte| *byte == b',').take(4) {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        if is_field_name(&name) && is_field_value(value) {
            head.headers.append(name, value);
        }
    }
    let world = World::default();
    let mut host = world.worker();
    host.body = body.to_vec();
    let upstream = ResponseHead { status: 200, ..ResponseHead::default() };
    let asked = ask(&GATEWAY, head, &mut host, &mut |_| no_reply(), &upstream);
    assert!(asked.forwarded.is_none() && asked.calls.len() <= 1);
    if let Some(sent) = asked.sent() {
        let event = serde_json::from_slice(sent).expect("an event is JSON");
        check(stage, &event, &target, body);
    }
});
