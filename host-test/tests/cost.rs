//! What a request costs, in figures that do not depend on the machine: host calls, and wasmtime's fuel. Rules of the house: at most
//! ten host calls for an open route, twelve for one whose caller is known already, and a cost that does not grow with the number of
//! routes.

mod drivers;

use drivers::envoy::module;
use drivers::report::say;
use drivers::tokens::{Tokens, put_keys, put_tokens};
use serde_json::{Map, Value, json};
use tollgate_host::{Clock, FilterModule, Host, Outcome, Request, Stub};

/// An open route may cross the filter's border this often.
const HOST_CALLS: u64 = 10;

/// A route whose caller was let in before (a token that was verified, a function that was asked), this often.
const WARM_HOST_CALLS: u64 = 12;

/// The fuel of one request among 10,000 routes over that among 10.
const GROWTH: f64 = 1.05;

fn host(routes: usize) -> Host {
    let integration = |uri: String| {
        json!({"x-amazon-apigateway-integration": {"type": "http_proxy", "uri": uri,
        "requestParameters": {"integration.request.path.id": "method.request.path.id"}}})
    };
    let mock = json!({"get": {"x-amazon-apigateway-integration": {"type": "mock", "requestTemplates": {"application/json": "{statusCode: 200}"},
        "responses": {"default": {"statusCode": 200}}}}});
    let mut paths: Map<String, Value> = (0..routes)
        .map(|n| {
            (
                format!("/r{n:05}/{{id}}"),
                json!({"x-amazon-apigateway-any-method": integration(format!("http://b.test/r{n}/{{id}}"))}),
            )
        })
        .collect();
    paths.insert("/mock".to_owned(), mock);
    let document = json!({
        "apis": [{"name": "a", "definition": {"openapi": "3.0.1", "paths": paths}, "stages": [{"stageName": "prod"}]}],
        "upstreams": {"b.test": {"cluster": "b"}},
    });
    let module = FilterModule::from_file(module()).expect("the module is one");
    let stub = Stub::reply(200, [("content-type", "application/json")], "{}");
    Host::builder(&module).plugin_configuration(document.to_string()).cluster("b", stub).build().expect("the document is served")
}

/// The second of two requests: the first may fill caches.
fn measure(host: &mut Host, path: &str) -> Outcome {
    let request = || Request::get(path).header("user-agent", "test").header("accept", "*/*");
    host.send(request());
    host.send(request())
}

#[test]
fn an_open_route_makes_few_host_calls() {
    let mut host = host(10);
    for (path, status) in [("/prod/r00007/42", 200), ("/prod/mock", 200), ("/prod/nowhere", 403)] {
        let outcome = measure(&mut host, path);
        assert_eq!(outcome.response.status(), status, "{path}");
        let calls = outcome.total_host_calls();
        say(&format!("{path}: {calls} host calls {:?}, {} fuel\n", outcome.host_calls, outcome.fuel));
        assert!(outcome.total_host_calls() <= HOST_CALLS, "{path}: {:?}", outcome.host_calls);
    }
}

/// One HTTP_PROXY route for each kind of authorizer, with the same issuer, function and user.
fn guarded(protocol: &str) -> Value {
    let header = if protocol == "HTTP" { "$request.header.Authorization" } else { "method.request.header.Authorization" };
    let jwt = match protocol {
        "HTTP" => json!({"type": "jwt", "identitySource": header, "jwtConfiguration": {"issuer": ISSUER, "audience": ["a"]}}),
        _ => json!({"type": "cognito_user_pools", "providerARNs": ["arn:aws:cognito-idp:us-east-1:1:userpool/us-east-1_pool"]}),
    };
    let lambda = json!({"type": "request", "identitySource": header, "authorizerUri": "http://f.test/", "authorizerResultTtlInSeconds": 60,
        "authorizerPayloadFormatVersion": "1.0"});
    let scheme = |authorizer: Value| json!({"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authorizer": authorizer});
    let route = |security: Value| {
        json!({"get": {"security": security, "x-amazon-apigateway-integration": {
            "type": "http_proxy", "httpMethod": "GET", "uri": "http://b.test/", "payloadFormatVersion": "1.0"}}})
    };
    let mut document = json!({
        "apis": [{
            "name": "a", "protocol": protocol, "stages": [{"stageName": "prod"}],
            "definition": {
                "openapi": "3.0.1",
                "components": {"securitySchemes": {"jwt": scheme(jwt), "lambda": scheme(lambda)}},
                "paths": {"/jwt": route(json!([{"jwt": []}])), "/lambda": route(json!([{"lambda": []}]))},
            },
        }],
        "issuers": {ISSUER: {"jwks": "{{jwks}}"}},
        "upstreams": {"b.test": {"cluster": "b"}, "f.test": {"cluster": "f"}},
    });
    put_keys(&mut document);
    document
}

const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool";

#[test]
fn a_caller_who_is_known_costs_few_host_calls() {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let answer = json!({"principalId": "p", "policyDocument": policy}).to_string();
    let claims = json!({"iss": ISSUER, "aud": "a", "token_use": "id", "sub": "u", "exp": "now+3600", "iat": "now-10"});
    let tokens: Tokens = serde_json::from_value(json!({"good": {"key": "rs256", "claims": claims}})).expect("a token");
    for protocol in ["REST", "HTTP"] {
        let module = FilterModule::from_file(module()).expect("the module is one");
        let mut host = Host::builder(&module)
            .plugin_configuration(guarded(protocol).to_string())
            .cluster("b", Stub::reply(200, [("content-type", "application/json")], "{}"))
            .cluster("f", Stub::reply(200, [("content-type", "application/json")], answer.clone()))
            .build()
            .expect("the document is served");
        let token = put_tokens("Bearer {{token:good}}", &tokens, host.clock().wall());
        for path in ["/prod/jwt", "/prod/lambda"] {
            let request = || Request::get(path).header("user-agent", "test").header("authorization", token.clone());
            let cold = host.send(request());
            let warm = host.send(request());
            assert_eq!((cold.response.status(), warm.response.status()), (200, 200), "{protocol} {path}: {:?}", warm.logs);
            let calls = warm.total_host_calls();
            say(&format!(
                "{protocol} {path}: warm {calls} host calls {:?}, {} fuel; cold {} fuel\n",
                warm.host_calls, warm.fuel, cold.fuel
            ));
            assert!(calls <= WARM_HOST_CALLS, "{protocol} {path}: {:?}", warm.host_calls);
            assert_eq!(warm.upstream_requests.len(), 1, "{protocol} {path}: nobody but the backend is asked");
        }
    }
}

#[test]
fn the_number_of_routes_does_not_change_the_cost_of_a_request() {
    let [few, many] = [10, 10_000].map(|routes| {
        let outcome = measure(&mut host(routes), &format!("/prod/r{:05}/42", routes - 1));
        assert_eq!(outcome.response.status(), 200);
        outcome.fuel
    });
    #[expect(clippy::cast_precision_loss, reason = "fuel is far below 2^52")]
    let ratio = many as f64 / few as f64;
    say(&format!("fuel among 10 routes {few}, among 10,000 {many}: {ratio:.3}\n"));
    assert!(ratio <= GROWTH, "{many} / {few} = {ratio:.3}");
}
