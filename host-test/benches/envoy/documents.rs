//! The gateway documents that are measured.

use serde_json::{Map, Value, json};

use crate::drivers::tokens::put_keys;

/// Who issues the tokens, for both sides.
pub const ISSUER: &str = "https://issuer.test";

/// For whom they are.
pub const AUDIENCE: &str = "bench";

/// The origin whose page calls.
pub const ORIGIN: &str = "https://shop.test";

/// More than any machine sends, so that every request is counted and none refused.
const RATE: u64 = 10_000_000;

/// An HTTP API with CORS, a throttle and metrics, whose routes go to one backend; with a JWT authorizer where that is asked for.
pub fn http_api(has_authorizer: bool) -> Value {
    let mut get = json!({
        "responses": {"default": {"description": ""}},
        "x-amazon-apigateway-integration": {
            "type": "http_proxy", "httpMethod": "GET", "uri": "http://backend.test/pets", "payloadFormatVersion": "1.0",
        },
    });
    let mut components = json!({});
    if has_authorizer {
        get["security"] = json!([{"jwt": []}]);
        components = json!({"securitySchemes": {"jwt": {"type": "oauth2", "x-amazon-apigateway-authorizer": {
            "type": "jwt", "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"issuer": ISSUER, "audience": [AUDIENCE]},
        }}}});
    }
    let definition = json!({
        "openapi": "3.0.1",
        "x-amazon-apigateway-cors": {"allowOrigins": [ORIGIN], "allowMethods": ["GET"], "allowHeaders": ["authorization"]},
        "paths": {"/pets": {"get": get}},
        "components": components,
    });
    let settings = json!({"throttlingRateLimit": RATE, "throttlingBurstLimit": RATE, "detailedMetricsEnabled": true});
    let mut document = with_account(json!({
        "apis": [{
            "name": "bench", "protocol": "HTTP", "definition": definition,
            "stages": [{"stageName": "prod", "defaultRouteSettings": settings}],
        }],
        "issuers": {ISSUER: {"jwks": "{{jwks}}"}},
        "upstreams": {"backend.test": {"cluster": "backend"}},
    }));
    put_keys(&mut document);
    document
}

/// A REST API with one open route and one that takes one of so many keys, all on one plan.
pub fn keyed(keys: usize) -> Value {
    let name = |number: usize| format!("k{number}");
    let route = |security: Value| {
        json!({"get": {"security": security, "x-amazon-apigateway-integration": {
        "type": "http_proxy", "httpMethod": "GET", "uri": "http://backend.test/pets"}}})
    };
    let mut document = rest(json!({"/open": route(json!([])), "/keyed": route(json!([{"api_key": []}]))}));
    document["apis"][0]["definition"]["components"] =
        json!({"securitySchemes": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}});
    document["apiKeys"] = (0..keys).map(|n| json!({"name": name(n), "value": key(n)})).collect();
    document["usagePlans"] = json!([{
        "usagePlanName": "p", "apiStages": [{"api": "bench", "stage": "prod"}], "keys": (0..keys).map(name).collect::<Vec<_>>(),
        "throttle": {"rateLimit": RATE, "burstLimit": RATE}, "quota": {"limit": 1_000_000_000_u64, "period": "MONTH"},
    }]);
    document
}

/// The value of a key.
pub fn key(number: usize) -> String {
    format!("the-value-of-key-number-{number:08}")
}

/// So many routes with a parameter, which go to one backend.
pub fn routes(count: usize) -> Value {
    let integration = |n: usize| {
        json!({"x-amazon-apigateway-integration": {
        "type": "http_proxy", "httpMethod": "GET", "uri": format!("http://backend.test/r{n:05}/{{id}}"),
        "requestParameters": {"integration.request.path.id": "method.request.path.id"}}})
    };
    rest((0..count).map(|n| (template(n), json!({"get": integration(n)}))).collect::<Map<_, _>>().into())
}

/// So many routes with a parameter, which are answered here.
pub fn mocks(count: usize) -> Value {
    rest((0..count).map(|n| (template(n), json!({"get": mock()}))).collect::<Map<_, _>>().into())
}

/// The template of a route.
pub fn template(number: usize) -> String {
    format!("/r{number:05}/{{id}}")
}

fn mock() -> Value {
    json!({"x-amazon-apigateway-integration": {"type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {"statusCode": 200, "responseTemplates": {"application/json": "{\"message\": \"hello\"}"}}}}})
}

/// A function behind a REST API, and a backend between two mapping templates.
pub fn bodies() -> Value {
    let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations";
    let function = json!({"type": "aws_proxy", "httpMethod": "POST", "uri": uri});
    let request = "{\"name\": $input.json('$.name'), \"tag\": \"$util.escapeJavaScript($input.path('$.tag'))\", \"stage\": \"$context.stage\"}";
    let response = "{\"pets\": [#foreach($pet in $input.path('$.pets')){\"id\": $pet.id, \"name\": \"$pet.name\"}#if($foreach.hasNext),#end#end]}";
    let template = json!({"type": "http", "httpMethod": "POST", "uri": "http://backend.test/template",
        "requestTemplates": {"application/json": request},
        "responses": {"default": {"statusCode": 200, "responseTemplates": {"application/json": response}}}});
    let proxy = json!({"type": "http_proxy", "httpMethod": "POST", "uri": "http://backend.test/pets"});
    let post = |integration: Value| json!({"post": {"responses": {"200": {"description": ""}}, "x-amazon-apigateway-integration": integration}});
    let mut document = rest(json!({"/function": post(function), "/template": post(template), "/proxy": post(proxy)}));
    document["upstreams"]["lambda.us-east-1.amazonaws.com"] = json!({"cluster": "backend"});
    document
}

fn rest(paths: Value) -> Value {
    let settings = json!({"*/*": {"throttlingRateLimit": RATE, "throttlingBurstLimit": RATE, "metricsEnabled": true}});
    with_account(json!({
        "apis": [{
            "name": "bench",
            "definition": {"openapi": "3.0.1", "paths": paths},
            "stages": [{"stageName": "prod", "methodSettings": settings}],
        }],
        "upstreams": {"backend.test": {"cluster": "backend"}},
    }))
}

fn with_account(mut document: Value) -> Value {
    document["account"] = json!({"throttleSettings": {"rateLimit": RATE, "burstLimit": RATE}});
    document
}
