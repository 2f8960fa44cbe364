//! Where things are, as a document says it: URIs, ARNs, issuers, places of keys, identity sources, hosts of stages.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::Arc;
use tollgate::compile::compile;
use tollgate::http::ResponseHead;
use tollgate_fuzz::{World, ask, no_reply, request, text_parts, within_millis};

const UPSTREAMS: [&str; 4] = ["backend.test", "i.test", "lambda.us-east-1.amazonaws.com", "sqs.us-east-1.amazonaws.com"];

fn document(kind: u8, text: &str, variable: &str) -> Value {
    let mut integration =
        json!({"type": "http_proxy", "httpMethod": "POST", "uri": "https://backend.test/", "payloadFormatVersion": "1.0"});
    let mut authorizer = json!({"type": "jwt", "identitySource": "$request.header.Authorization", "jwtConfiguration": {"issuer": "https://i.test", "audience": ["a"]}});
    let mut stage = json!({"stageName": "s", "variables": {"v": variable}});
    let mut document = json!({});
    let mut protocol = "HTTP";
    let mut is_guarded = true;
    match kind % 9 {
        0 | 1 => {
            integration["uri"] = text.into();
            is_guarded = false;
            protocol = if kind % 9 == 0 { "HTTP" } else { "REST" };
        }
        2 => {
            integration =
                json!({"type": "aws", "httpMethod": "POST", "uri": text, "responses": {"default": {"statusCode": "200"}}});
            (is_guarded, protocol) = (false, "REST");
        }
        3 => {
            integration = json!({"type": "aws_proxy", "httpMethod": "POST", "uri": text, "payloadFormatVersion": "2.0"});
            is_guarded = false;
        }
        4 => authorizer["jwtConfiguration"]["issuer"] = text.into(),
        5 => authorizer["identitySource"] = text.into(),
        6 => {
            authorizer = json!({"type": "request", "authorizerUri": text, "identitySource": "$request.header.Authorization", "authorizerPayloadFormatVersion": "2.0", "enableSimpleResponses": true});
        }
        7 => {
            authorizer = json!({"type": "cognito_user_pools", "providerARNs": [text]});
            protocol = "REST";
            integration.as_object_mut().expect("an object").remove("payloadFormatVersion");
        }
        _ => {
            stage["hosts"] = json!([text]);
            stage["basePath"] = variable.into();
            document["issuers"] = json!({"https://i.test": {"jwksUri": text}});
        }
    }
    let mut method = json!({"x-amazon-apigateway-integration": integration});
    if is_guarded {
        method["security"] = json!([{"a": []}]);
    }
    document["apis"] = json!([{"name": "a", "protocol": protocol, "stages": [stage], "definition": {"openapi": "3.0.1",
        "paths": {"/{p}": {"x-amazon-apigateway-any-method": method}},
        "components": {"securitySchemes": {"a": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authorizer": authorizer}}}}}]);
    document["upstreams"] = UPSTREAMS.map(|host| (host.to_owned(), json!({"cluster": host}))).into_iter().collect();
    document
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    let Some([text, variable, target]) = text_parts(data) else { return };
    let document = document(*kind, text, variable);
    let compiled = within_millis(250, "compiling", || compile(&document));
    for problem in &compiled.problems {
        let told = problem.to_string();
        assert!(!told.is_empty() && !told.contains(['\n', '\r', '\0']), "{told:?}");
    }
    for endpoint in &compiled.endpoints {
        assert!(["http", "https"].contains(&endpoint.scheme.as_str()), "{endpoint:?}");
        assert!(!endpoint.authority.contains(['/', '@', '#', '?', ' ', '\\', '{']), "{endpoint:?}");
    }
    let Some(gateway) = compiled.gateway.map(Arc::new) else { return };
    let world = World::default();
    let path = gateway.stages().next().map(|stage| stage.base_path.clone()).unwrap_or_default();
    let host = gateway.stages().next().and_then(|stage| stage.hosts.first().cloned()).unwrap_or_else(|| "api.test".to_owned());
    let head = request("POST", &format!("{path}/{target}"), &host, &[("authorization", "Bearer a.b.c"), ("x-a", "1")]);
    let upstream = ResponseHead { status: 200, ..ResponseHead::default() };
    let mut worker = world.worker();
    worker.has_known_log = false;
    let asked = ask(&gateway, head, &mut worker, &mut |_| no_reply(), &upstream);
    // Nobody is called whom the document does not name.
    let known: Vec<&str> = compiled.endpoints.iter().map(|endpoint| endpoint.authority.as_str()).collect();
    for head in asked.forwarded.iter().chain(asked.calls.iter().filter_map(|call| call.http_head())) {
        let authority = String::from_utf8_lossy(&head.authority);
        assert!(known.contains(&authority.as_ref()) || UPSTREAMS.contains(&authority.as_ref()), "{authority} of {known:?}");
    }
    for (_, call) in gateway.issuer_keys.tick(&mut worker) {
        tollgate_fuzz::check_request(call.http_head().expect("HTTP"));
    }
});
