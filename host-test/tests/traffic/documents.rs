//! The gateway document that serves every kind: a REST API at `/prod`, an HTTP API at `/`.

use std::time::Duration;

use serde_json::{Value, json};

use super::upstream::Address;

/// `timeoutInMillis` of every integration.
pub const INTEGRATION_TIMEOUT: Duration = Duration::from_millis(1_000);

/// `timeoutMillis` of the rate limit service: more than the default, since the service shares the processors with all the others.
pub const LIMITS_TIMEOUT: Duration = Duration::from_millis(500);

/// The value of the key that may call.
pub const KEY: &str = "a-key-that-opens-everything";

/// The value of the key whose quota is 0.
pub const SPENT_KEY: &str = "a-key-that-has-used-up-its-quota";

/// The cluster of the rate limit service.
pub const LIMITS: &str = "limits";

/// What is different from one document to the next.
#[derive(Debug, Clone)]
pub struct Variant {
    /// MOCKs tell it.
    pub version: u32,
    /// Whether plans are counted by a service.
    pub service: bool,
    /// The path of an issuer of whom nothing is known yet.
    pub new_issuer: Option<String>,
}

fn function(region: &str, name: &str) -> String {
    let arn = format!("arn:aws:lambda:{region}:123456789012:function:{name}");
    format!("arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations")
}

/// The document.
pub fn document(issuer: Address, variant: &Variant) -> Value {
    let mut issuers = vec!["main".to_owned()];
    issuers.extend(variant.new_issuer.clone());
    let urls = issuers.iter().map(|path| (format!("http://{issuer}/{path}"), json!({})));
    let issuers: Value = urls.collect::<serde_json::Map<_, _>>().into();
    let mut document = json!({
        "apis": [rest(variant.version), http(issuer, variant.new_issuer.as_deref())],
        "account": {"throttleSettings": {"rateLimit": 1_000_000, "burstLimit": 1_000_000}},
        "apiKeys": [{"name": "open", "value": KEY}, {"name": "spent", "value": SPENT_KEY}],
        "usagePlans": [
            {"usagePlanName": "gold", "apiStages": [{"api": "rest", "stage": "prod"}], "keys": ["open"],
             "throttle": {"rateLimit": 100_000, "burstLimit": 100_000}, "quota": {"limit": 1_000_000_000, "period": "MONTH"}},
            {"usagePlanName": "spent", "apiStages": [{"api": "rest", "stage": "prod"}], "keys": ["spent"],
             "quota": {"limit": 0, "period": "MONTH"}},
        ],
        "issuers": issuers,
        "upstreams": {
            "backend.test": {"cluster": "backend"},
            "lambda.eu-west-1.amazonaws.com": {"cluster": "lambda"},
            "lambda.us-east-1.amazonaws.com": {"cluster": "authorizers"},
            issuer.to_string(): {"cluster": "issuer"},
        },
    });
    if variant.service {
        document["rateLimitService"] = json!({"cluster": LIMITS, "timeoutMillis": LIMITS_TIMEOUT.as_millis() as u64});
    }
    document
}

fn proxy(uri: &str) -> Value {
    json!({"type": "http_proxy", "httpMethod": "ANY", "uri": uri, "timeoutInMillis": INTEGRATION_TIMEOUT.as_millis() as u64})
}

fn rest(version: u32) -> Value {
    let timeout = INTEGRATION_TIMEOUT.as_millis() as u64;
    let ok = json!({"200": {"description": "ok"}});
    let route = |security: Value, integration: Value| json!({"security": security, "responses": ok, "x-amazon-apigateway-integration": integration});
    let mock = json!({
        "type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {"statusCode": "200", "responseTemplates": {
            "application/json": format!("{{\"id\": \"$input.params('x-id')\", \"version\": {version}}}")}}},
    });
    let template = json!({
        "type": "http", "httpMethod": "POST", "uri": "http://backend.test/wrapped", "timeoutInMillis": timeout,
        "requestParameters": {"integration.request.header.x-id": "method.request.header.x-id"},
        "requestTemplates": {"application/json":
            "#set($root = $input.path('$'))\n{\"wrapped\": [#foreach($item in $root.items)$item#if($foreach.hasNext), #end#end], \"id\": \"$root.id\"}"},
        "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json":
            "{\"id\": $input.json('$.id'), \"count\": $input.json('$.wrapped.size'), \"first\": $input.json('$.wrapped.items[0]')}"}}},
    });
    let lambda =
        json!({"type": "aws_proxy", "httpMethod": "POST", "uri": function("eu-west-1", "echo"), "timeoutInMillis": timeout});
    let mut valid = route(json!([]), proxy("http://backend.test/valid"));
    valid["x-amazon-apigateway-request-validator"] = "body".into();
    valid["requestBody"] = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Named"}}}});
    let mut with_header = route(json!([]), template);
    with_header["parameters"] = json!([{"name": "x-id", "in": "header", "schema": {"type": "string"}}]);
    json!({
        "name": "rest", "protocol": "REST", "region": "us-east-1", "accountId": "123456789012", "apiId": "rest000000",
        "stages": [{"stageName": "prod", "methodSettings": {"*/*": {"throttlingRateLimit": 1_000_000, "throttlingBurstLimit": 1_000_000, "metricsEnabled": true}}}],
        "definition": {
            "openapi": "3.0.1", "info": {"title": "rest", "version": "1"},
            "x-amazon-apigateway-request-validators": {"body": {"validateRequestBody": true, "validateRequestParameters": false}},
            "paths": {
                "/open": {"get": route(json!([]), proxy("http://backend.test/open"))},
                "/post": {"post": route(json!([]), proxy("http://backend.test/post"))},
                "/error": {"get": route(json!([]), proxy("http://backend.test/error"))},
                "/mock": {"get": route(json!([]), mock)},
                "/template": {"post": with_header},
                "/lambda": {"post": route(json!([]), lambda)},
                "/keyed": {"get": route(json!([{"key": []}]), proxy("http://backend.test/keyed"))},
                "/remembered": {"get": route(json!([{"desk": []}]), proxy("http://backend.test/remembered"))},
                "/valid": {"post": valid},
            },
            "components": {
                "schemas": {"Named": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}},
                "securitySchemes": {
                    "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
                    "desk": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "custom",
                        "x-amazon-apigateway-authorizer": {
                            "type": "token", "authorizerUri": function("us-east-1", "desk"),
                            "identityValidationExpression": "desk-[0-9]+", "authorizerResultTtlInSeconds": 300}},
                },
            },
        },
    })
}

fn http(issuer: Address, new_issuer: Option<&str>) -> Value {
    let route = |path: &str, scheme: &str| {
        let mut integration = proxy(&format!("http://backend.test{path}"));
        integration["payloadFormatVersion"] = "1.0".into();
        json!({"get": {"security": [{scheme: []}], "x-amazon-apigateway-integration": integration}})
    };
    let jwt = |path: &str| {
        json!({"type": "oauth2", "x-amazon-apigateway-authorizer": {
            "type": "jwt", "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"issuer": format!("http://{issuer}/{path}"), "audience": ["api"]}}})
    };
    let asks = |name: &str| {
        json!({"type": "apiKey", "name": "Unused", "in": "header", "x-amazon-apigateway-authorizer": {
            "type": "request", "authorizerPayloadFormatVersion": "2.0", "enableSimpleResponses": true,
            "authorizerUri": function("us-east-1", name), "identitySource": "$request.header.x-who"}})
    };
    let mut api = json!({
        "name": "http", "protocol": "HTTP", "region": "us-east-1", "accountId": "123456789012", "apiId": "http000000",
        "stages": [{"stageName": "$default"}],
        "definition": {
            "openapi": "3.0.1", "info": {"title": "http", "version": "1"},
            "x-amazon-apigateway-cors": {"allowOrigins": ["https://app.example.com"], "allowMethods": ["GET"]},
            "paths": {
                "/jwt": route("/jwt", "main"),
                "/authorized": route("/authorized", "asks"),
                "/hanging": route("/hanging", "hangs"),
            },
            "components": {"securitySchemes": {"main": jwt("main"), "asks": asks("asks"), "hangs": asks("hangs")}},
        },
    });
    if let Some(path) = new_issuer {
        api["definition"]["paths"]["/new"] = route("/new", "new");
        api["definition"]["components"]["securitySchemes"]["new"] = jwt(path);
    }
    api
}
