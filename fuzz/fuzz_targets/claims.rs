//! The claims of tokens that are rightly signed, before the authorizers of HTTP APIs and of user pools: who gets in is who should.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock};
use tollgate::gateway::Gateway;
use tollgate::http::ResponseHead;
use tollgate_fuzz::documents::{ISSUER, POOL};
use tollgate_fuzz::signing::{secret_keys, secret_token};
use tollgate_fuzz::{START_MILLIS, World, access_log, ask, gateway, no_reply, request};

static GATEWAY: LazyLock<Arc<Gateway>> = LazyLock::new(|| {
    let scheme = |authorizer: Value| json!({"type": "oauth2", "x-amazon-apigateway-authorizer": authorizer});
    let key = |authorizer: Value| json!({"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authorizer": authorizer});
    let route = |scopes: Value| {
        json!({"get": {"security": [{"s": scopes}], "x-amazon-apigateway-integration":
        {"type": "http_proxy", "httpMethod": "GET", "uri": "https://backend.test/x", "payloadFormatVersion": "1.0"}}})
    };
    let jwt = scheme(
        json!({"type": "jwt", "identitySource": "$request.header.Authorization", "jwtConfiguration": {"issuer": ISSUER, "audience": ["a", "b"]}}),
    );
    let pool = key(
        json!({"type": "cognito_user_pools", "providerARNs": ["arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_a"]}),
    );
    let api = |name: &str, protocol: &str, scheme: Value| {
        json!({
        "name": name, "protocol": protocol, "stages": [{"stageName": name, "accessLogSettings": access_log()}],
        "definition": {"openapi": "3.0.1", "paths": {"/x": route(json!([])), "/scoped": route(json!(["read", "write"]))}, "components": {"securitySchemes": {"s": scheme}}}})
    };
    Arc::new(gateway(&json!({
        "apis": [api("http", "HTTP", jwt), api("pool", "REST", pool)],
        "issuers": {ISSUER: {"jwks": secret_keys()}, POOL: {"jwks": secret_keys()}},
        "upstreams": {"backend.test": {"cluster": "b"}},
    })))
});

/// Whether such claims may be let in, as loosely as can be.
fn may(claims: &Map<String, Value>, api: &str, is_scoped: bool) -> bool {
    let now = START_MILLIS as f64 / 1000.0;
    let time = |name: &str| claims.get(name).map(|value| value.as_f64().unwrap_or(f64::NAN));
    let in_time =
        time("exp").is_some_and(|exp| exp > now) && [time("nbf"), time("iat")].into_iter().flatten().all(|time| time <= now);
    let texts = |name: &str| match claims.get(name) {
        Some(Value::String(text)) => text.split(' ').map(str::to_owned).collect::<Vec<_>>(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let has_scope = !is_scoped
        || ["scope", "scp", "scopes"].iter().any(|name| texts(name).iter().any(|scope| scope == "read" || scope == "write"));
    let for_us = match api {
        "http" => {
            let of = |name: &str| texts(name).iter().any(|audience| audience == "a" || audience == "b");
            claims.get("iss").is_some_and(|iss| iss == ISSUER) && (of("aud") || !claims.contains_key("aud") && of("client_id"))
        }
        _ => {
            let due = if is_scoped { "access" } else { "id" };
            claims.get("iss").is_some_and(|iss| iss == POOL) && claims.get("token_use").is_some_and(|found| found == due)
        }
    };
    in_time && has_scope && for_us
}

fn send(token: &str, api: &str, path: &str) -> bool {
    let world = World::default();
    let mut host = world.worker();
    let head = request("GET", &format!("/{api}/{path}"), "api.test", &[("authorization", &format!("Bearer {token}"))]);
    let upstream = ResponseHead { status: 200, ..ResponseHead::default() };
    let asked = ask(&GATEWAY, head, &mut host, &mut |_| no_reply(), &upstream);
    assert!(asked.calls.is_empty() && world.lines.get() == 1);
    assert!(asked.forwarded.is_some() || matches!(asked.status(), 401 | 403), "{asked:?}");
    asked.forwarded.is_some()
}

fuzz_target!(|data: &[u8]| {
    let token = secret_token(data);
    let claims = serde_json::from_slice::<Map<String, Value>>(data);
    for api in ["http", "pool"] {
        for (path, is_scoped) in [("x", false), ("scoped", true)] {
            let passed = send(&token, api, path);
            assert!(!passed || claims.as_ref().is_ok_and(|claims| may(claims, api, is_scoped)), "{api} {path}: {claims:?}");
            // It is remembered, and means the same.
            assert_eq!(passed, send(&token, api, path));
        }
    }
});
