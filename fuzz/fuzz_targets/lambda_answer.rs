//! What a Lambda authorizer answers, through the gateway: a REST API and an HTTP API, with each form of answer.
//!
//! The routes behind put what the function said into headers, query and path of the request that goes upstream.

#![no_main]

use hmac_sha256::Hash;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use tollgate::compile::compile;
use tollgate::gateway::Gateway;
use tollgate::http::RequestHead;
use tollgate_fuzz::{Numbers, Outcome, access_log, no_reply, reply, request, send};

/// The authorizers by the path of their API, and whether an answer is no policy but yes or no.
const KINDS: [(&str, &str, bool); 5] = [
    ("/token/", "REST", false),
    ("/request/", "REST", false),
    ("/http1/", "HTTP", false),
    ("/http2/", "HTTP", false),
    ("/simple/", "HTTP", true),
];

static GATEWAY: LazyLock<Arc<Gateway>> = LazyLock::new(|| {
    let compiled = compile(&json!({
        "apis": KINDS.map(|(path, protocol, _)| api(path.trim_matches('/'), protocol)),
        "upstreams": {"backend.test": {"cluster": "b"}, "function.test": {"cluster": "f"}},
    }));
    Arc::new(compiled.gateway.unwrap_or_else(|| panic!("{:#?}", compiled.problems)))
});

/// All that can be told of a request is told.
fn stage(name: &str, protocol: &str) -> Value {
    let mut stage = json!({"stageName": name, "accessLogSettings": access_log()});
    if protocol == "REST" {
        stage["methodSettings"] = json!({"*/*": {"metricsEnabled": true, "loggingLevel": "INFO", "dataTraceEnabled": true}});
    }
    stage
}

fn api(name: &str, protocol: &str) -> Value {
    let mut authorizer = json!({"type": "request", "authorizerUri": "https://function.test/", "authorizerResultTtlInSeconds": 300});
    match name {
        "token" => authorizer["type"] = "token".into(),
        "request" => authorizer["identitySource"] = "method.request.header.Authorization".into(),
        _ => {
            authorizer["identitySource"] = "$request.header.Authorization".into();
            authorizer["authorizerPayloadFormatVersion"] = if name == "http1" { "1.0" } else { "2.0" }.into();
            authorizer["enableSimpleResponses"] = (name == "simple").into();
        }
    }
    let mut integration = json!({"type": "http_proxy", "httpMethod": "GET", "uri": "https://backend.test/x"});
    if protocol == "REST" {
        integration["uri"] = "https://backend.test/{who}".into();
        integration["requestParameters"] = json!({
            "integration.request.header.x-who": "context.authorizer.principalId",
            "integration.request.header.x-key": "context.authorizer.key",
            "integration.request.querystring.key": "context.authorizer.key",
            "integration.request.path.who": "context.authorizer.principalId",
        });
    } else {
        integration["payloadFormatVersion"] = "1.0".into();
    }
    let scheme = json!({"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authorizer": authorizer});
    json!({
        "name": name,
        "protocol": protocol,
        "definition": {
            "openapi": "3.0.1",
            "paths": {"/": {"get": {"security": [{"f": []}], "x-amazon-apigateway-integration": integration}}},
            "components": {"securitySchemes": {"f": scheme}},
        },
        "stages": [stage(name, protocol)],
    })
}

/// Whether an answer can let anybody in at all: read a second time, as loosely as can be.
fn may_allow(body: &[u8], protocol: &str, is_simple: bool) -> bool {
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return false };
    if is_simple {
        return answer["isAuthorized"] == true;
    }
    let allows = |statement: &Value| statement["Effect"] == "Allow";
    let statements = &answer["policyDocument"]["Statement"];
    let somebody = protocol == "HTTP" || answer["principalId"].is_string();
    somebody && statements.as_array().map_or_else(|| allows(statements), |all| all.iter().any(allows))
}

/// A call that failed lets nobody in, whatever came with it.
fn check_failures(path: &str, data: &[u8]) {
    for outcome in [no_reply(), reply(502, &[], data), reply(200, &[("x-amz-function-error", "Unhandled")], data)] {
        let (refused, calls) = send(&GATEWAY, ask(path, "nobody"), b"", &outcome);
        assert!(matches!(refused, Outcome::Answered(401 | 500)) && calls == 1, "{path}: {refused:?}");
    }
}

/// An answer lets somebody in only if it may; what is remembered of it says the same, and nothing is remembered of what is none.
fn check_answer(path: &str, data: &[u8], may_allow: bool) {
    // Another identity for each answer, so that what is remembered is this one.
    let identity: String = Hash::hash(data).iter().map(|byte| format!("{byte:02x}")).collect();
    let (first, _) = send(&GATEWAY, ask(path, &identity), b"", &reply(200, &[], data));
    match first {
        // With what the function said there may be no path to go to: 400.
        Outcome::Forwarded | Outcome::Answered(400) => assert!(may_allow, "{path}: {first:?}"),
        Outcome::Answered(403 | 500) => {}
        _ => panic!("{path}: {first:?}"),
    }
    let (second, calls) = send(&GATEWAY, ask(path, &identity), b"", &no_reply());
    assert_eq!(first, second, "{path}");
    assert_eq!(calls, u32::from(first == Outcome::Answered(500)), "{path}: {first:?}");
}

fn ask(path: &str, identity: &str) -> RequestHead {
    request("GET", path, "h", &[("authorization", identity)])
}

fuzz_target!(|data: &[u8]| {
    let (path, ..) = KINDS[Numbers::of(data).below(KINDS.len())];
    check_failures(path, data);
    for (path, protocol, is_simple) in KINDS {
        check_answer(path, data, may_allow(data, protocol, is_simple));
    }
});
