//! Project Wycheproof's vectors for JSON Web Signatures and Keys, through the module: the verdict of the gateway in wasm is that of
//! the same code run natively, whether the host verifies signatures or the module does it itself. (That the verdicts are the right
//! ones is asserted beside the code, in the filter's own tests.)

mod drivers;

use drivers::beside::beside;
use drivers::envoy::{module, workspace};
use drivers::report::say;
use serde_json::{Value, json};
use tollgate::jose::{KeySet, Origin, Rejection, Unverified};
use tollgate_host::{FilterModule, Host, Request};

const ISSUER: &str = "https://issuer.test";

/// What the challenge says of a token whose signature is right, and whose payload is no set of claims: all vectors are such.
const SIGNATURE_HOLDS: &str = "the token does not have valid claims";

/// An HTTP API that takes tokens of the keys.
fn document(keys: &Value) -> String {
    let authorizer = json!({"type": "jwt", "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {"issuer": ISSUER, "audience": ["a"]}});
    json!({
        "apis": [{
            "name": "a", "protocol": "HTTP", "stages": [{"stageName": "$default"}],
            "definition": {
                "openapi": "3.0.1",
                "components": {"securitySchemes": {"jwt": {"type": "oauth2", "x-amazon-apigateway-authorizer": authorizer}}},
                "paths": {"/": {"get": {"security": [{"jwt": []}], "x-amazon-apigateway-integration": {
                    "type": "http_proxy", "httpMethod": "GET", "uri": "http://b.test/", "payloadFormatVersion": "1.0"}}}},
            },
        }],
        "issuers": {ISSUER: {"jwks": keys}},
        "upstreams": {"b.test": {"cluster": "b"}},
    })
    .to_string()
}

/// Whether the signature holds, natively.
fn natively(keys: &Value, token: &str) -> bool {
    let Ok((keys, _)) = KeySet::parse(keys.to_string().as_bytes(), Origin::Document) else { return false };
    matches!(Unverified::parse(token).and_then(|token| token.verify(&keys, None)), Ok(_) | Err(Rejection::Claims))
}

/// The same of a request to the module.
fn in_wasm(host: &mut Host, token: &str) -> bool {
    let outcome = host.send(Request::get("/").header("authorization", format!("Bearer {token}")));
    assert_eq!(outcome.response.status(), 401, "{token}: no vector is a token with claims");
    assert!(outcome.upstream_requests.is_empty(), "{token} reached the backend");
    let challenge = outcome.response.headers.get("www-authenticate").unwrap_or_default();
    String::from_utf8_lossy(challenge).contains(SIGNATURE_HOLDS)
}

#[test]
fn the_module_judges_every_vector_as_the_native_code_does_on_both_ways() {
    let Some(folder) = beside("corpora/wycheproof") else { return };
    let module = FilterModule::from_file_cached(module(), workspace().join("target/wasmtime-cache")).expect("the module is one");
    let (mut vectors, mut held, mut refused_documents) = (0, 0, 0);
    let mut wrong = Vec::new();
    for name in ["json_web_signature_test", "json_web_key_test", "json_web_crypto_test"] {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).expect("the corpus is there");
        let corpus: Value = serde_json::from_str(&text).expect("the corpus is JSON");
        for group in corpus["testGroups"].as_array().expect("a list") {
            let key = group.get("public").unwrap_or(&group["private"]);
            let keys = if key.get("keys").is_some() { key.clone() } else { json!({"keys": [key]}) };
            // Once with the host's `verify_signature`, once without.
            let mut hosts: Vec<Host> = [true, false]
                .into_iter()
                .filter_map(|offered| {
                    Host::builder(&module).plugin_configuration(document(&keys)).verify_signature(offered).build().ok()
                })
                .collect();
            refused_documents += usize::from(hosts.is_empty());
            for test in group["tests"].as_array().expect("a list") {
                // Tests of encryption have no `jws`.
                let Some(token) = test["jws"].as_str().or(test["jwe"].as_str()) else { continue };
                vectors += 1;
                let native = natively(&keys, token);
                held += usize::from(native);
                if hosts.is_empty() && native {
                    wrong.push(format!("{name} {}: the document is refused", test["tcId"]));
                }
                for (host, way) in hosts.iter_mut().zip(["by the host", "by the module"]) {
                    if in_wasm(host, token) != native {
                        wrong.push(format!("{name} {} {way}: {}, natively {native}", test["tcId"], !native));
                    }
                }
            }
        }
    }
    say(&format!(
        "wycheproof in wasm, both ways: {vectors} vectors, {held} hold; {refused_documents} key sets refused with the document\n"
    ));
    assert!(vectors > 450 && held > 40, "{vectors} vectors, {held} hold");
    assert!(wrong.is_empty(), "{} vectors:\n{}", wrong.len(), wrong.join("\n"));
}
