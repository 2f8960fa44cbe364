//! The gateway documents of whole exchanges: every kind of integration, authorizer and limit, with all that is told of a request.
//!
//! What stands behind a guarded route is a backend that nothing else leads to: its path begins with [`GUARDED`] and the name of what
//! guards it, so that whoever sees a request go there knows who must have been let in.

use crate::access_log;
use crate::signing::{ACCESS_KEY, SECRET_KEY, secret_keys};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// How the path of a guarded backend begins.
pub const GUARDED: &str = "/guarded-";
/// A key of the usage plans.
pub const API_KEY: &str = "12345678901234567890";
/// What a token's `iss` says: keys that stand in the document, those of the user pool, and those that are fetched.
pub const ISSUER: &str = "https://i.test";
/// Of the user pool.
pub const POOL: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_a";
/// Of keys that are fetched.
pub const PUBLISHER: &str = "https://p.test";

/// Requests that a key may make in a day, and at once.
pub const QUOTA: u64 = 6;
/// The same at once.
pub const BURST: u64 = 8;

const FUNCTION: &str =
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:111122223333:function:";

/// All of them.
pub static DOCUMENTS: LazyLock<[Value; 7]> = LazyLock::new(|| std::array::from_fn(document));

fn document(number: usize) -> Value {
    let mut document = match number {
        0 => json!({"apis": [rest("open", integrations())]}),
        1 => json!({"apis": [guarded(), walled()], "iam": users(), "issuers": {POOL: {"jwks": secret_keys()}}}),
        2 => json!({"apis": [http(ISSUER)], "issuers": {ISSUER: {"jwks": secret_keys()}}}),
        3 => limited(None),
        4 => limited(Some("deny")),
        5 => limited(Some("allow")),
        _ => json!({"apis": [http(PUBLISHER)]}),
    };
    let hosts = [
        ("backend.test", "b"),
        ("auth.test", "auth"),
        ("p.test", "p"),
        ("keys.test", "k"),
        ("lambda.us-east-1.amazonaws.com", "l"),
        ("sqs.us-east-1.amazonaws.com", "q"),
        ("events.us-east-1.amazonaws.com", "e"),
    ];
    document["upstreams"] = hosts.into_iter().map(|(host, cluster)| (host.to_owned(), json!({"cluster": cluster}))).collect();
    document
}

/// All that can be told of a request is told.
fn stage(mut stage: Value, is_rest: bool) -> Value {
    stage["accessLogSettings"] = access_log();
    stage["variables"] = json!({"v": "w"});
    if is_rest && stage.get("methodSettings").is_none() {
        stage["methodSettings"] = json!({"*/*": {"metricsEnabled": true, "loggingLevel": "INFO", "dataTraceEnabled": true}});
    }
    stage
}

fn rest(name: &str, paths: Value) -> Value {
    json!({
        "name": name,
        "protocol": "REST",
        "apiId": "abcdef1234",
        "accountId": "111122223333",
        "definition": {
            "openapi": "3.0.1",
            "x-amazon-apigateway-binary-media-types": ["image/png"],
            "x-amazon-apigateway-gateway-responses": {
                "DEFAULT_4XX": {
                    "responseParameters": {"gatewayresponse.header.x-error": "context.error.responseType", "gatewayresponse.header.x-q": "method.request.querystring.q"},
                    "responseTemplates": {"application/json": "{\"m\":$context.error.messageString,\"w\":\"$context.error.validationErrorString\"}", "text/plain": "$context.error.message"}},
                "DEFAULT_5XX": {"statusCode": 503},
            },
            "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": true, "validateRequestParameters": true}},
            "paths": paths,
        },
        "stages": [stage(json!({"stageName": "prod"}), true)],
    })
}

fn proxy(path: &str) -> Value {
    json!({"type": "http_proxy", "httpMethod": "ANY", "uri": format!("https://backend.test{path}")})
}

fn integrations() -> Value {
    let method = |integration: Value| json!({"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": integration}});
    let responses = json!({
        "default": {"statusCode": "200", "responseParameters": {
            "method.response.header.x-a": "integration.response.header.x-a", "method.response.header.x-b": "integration.response.body.a.b"},
            "responseTemplates": {"application/json": "{\"s\":\"$util.escapeJavaScript($input.body)\",\"p\":$input.json('$.a')}#set($context.responseOverride.header.x-o = $input.path('$.o'))"}},
        "4\\d{2}": {"statusCode": "404", "responseTemplates": {"application/json": "$input.path('$.errorMessage')"}},
        ".*rror.*": {"statusCode": "500"},
    });
    let template = "#set($context.requestOverride.header.x-over = \"$input.params('x-a')\")#set($context.requestOverride.querystring.o = $input.path('$.o')){\"statusCode\": 200, \"b\": $input.json('$'), \"q\": \"$util.escapeJavaScript($input.params('q'))\"}";
    let validated = json!({"post": {
        "x-amazon-apigateway-request-validator": "all", "parameters": [{"name": "x-must", "in": "header", "required": true}],
        "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 1}}}}}},
        "x-amazon-apigateway-integration": proxy("/valid")}});
    json!({
        "/mock": method(json!({"type": "mock", "requestTemplates": {"application/json": template, "text/plain": "$input.body"}, "responses": responses})),
        "/proxy/{p+}": method(json!({"type": "http_proxy", "httpMethod": "ANY", "uri": "https://backend.test/open/{p}", "requestParameters": {
            "integration.request.path.p": "method.request.path.p", "integration.request.header.x-q": "method.request.querystring.q",
            "integration.request.header.x-m": "method.request.multivalueheader.x-a"}})),
        "/http": method(json!({"type": "http", "httpMethod": "POST", "uri": "https://backend.test/http", "passthroughBehavior": "when_no_templates",
            "requestTemplates": {"application/json": template}, "requestParameters": {
                "integration.request.header.x-b": "method.request.body.a", "integration.request.querystring.v": "stageVariables.v"},
            "responses": responses})),
        "/lambda": method(json!({"type": "aws_proxy", "httpMethod": "POST", "uri": format!("{FUNCTION}open/invocations")})),
        "/custom": method(json!({"type": "aws", "httpMethod": "POST", "uri": format!("{FUNCTION}custom/invocations"),
            "requestTemplates": {"application/json": template}, "responses": responses, "contentHandling": "CONVERT_TO_TEXT"})),
        "/queue": method(json!({"type": "aws", "httpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:sqs:path/111122223333/q",
            "requestParameters": {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
            "requestTemplates": {"application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"}, "responses": responses})),
        "/valid": validated,
    })
}

fn users() -> Value {
    let policy =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}]});
    json!({"users": [{"accessKeyId": ACCESS_KEY, "secretAccessKey": SECRET_KEY, "userName": "u", "policies": [policy]}]})
}

fn guarded() -> Value {
    let guard = |name: &str| json!({"x-amazon-apigateway-any-method": {"security": [{name: []}], "x-amazon-apigateway-integration": proxy(&format!("{GUARDED}{name}"))}});
    let mut api = rest(
        "guarded",
        json!({
            "/token": guard("token"), "/request": guard("request"), "/pool": guard("pool"),
            "/iam": {"get": {"x-amazon-apigateway-auth": {"type": "AWS_IAM"}, "x-amazon-apigateway-integration": proxy("/guarded-iam")}},
            "/closed": {"post": {"security": [{"token": []}], "x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": format!("{FUNCTION}guarded-token/invocations")}}},
        }),
    );
    let scheme = |authorizer: Value| json!({"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authorizer": authorizer});
    api["definition"]["components"] = json!({"securitySchemes": {
        "token": scheme(json!({"type": "token", "authorizerUri": "https://auth.test/", "identityValidationExpression": ".+", "authorizerResultTtlInSeconds": 300})),
        "request": scheme(json!({"type": "request", "authorizerUri": "https://auth.test/", "identitySource": "method.request.header.Authorization", "authorizerResultTtlInSeconds": 0})),
        "pool": scheme(json!({"type": "cognito_user_pools", "providerARNs": ["arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_a"]})),
    }});
    api
}

/// Behind a resource policy, for some addresses alone.
fn walled() -> Value {
    let mut api = rest("walled", json!({"/walled": {"get": {"x-amazon-apigateway-integration": proxy("/guarded-wall")}}}));
    api["definition"]["x-amazon-apigateway-policy"] = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke",
        "Resource": "execute-api:/*", "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}]});
    api["stages"] = json!([stage(json!({"stageName": "wall"}), true)]);
    api
}

fn http(issuer: &str) -> Value {
    let scheme = |authorizer: Value| json!({"type": "oauth2", "x-amazon-apigateway-authorizer": authorizer});
    let backend = |path: &str| json!({"type": "http_proxy", "httpMethod": "ANY", "payloadFormatVersion": "1.0", "uri": format!("https://backend.test{path}")});
    let mut open = backend("/open/{p}");
    open["requestParameters"] = json!({"overwrite:header.x-a": "$request.querystring.q", "append:header.x-b": "$request.header.x-a", "remove:querystring.r": "''",
        "overwrite:path": "/open/$request.path.p", "append:querystring.b": "$request.body.a"});
    open["responseParameters"] =
        json!({"200": {"overwrite:statuscode": "$response.header.x-status", "append:header.x-c": "$response.body.a"}});
    json!({
        "name": "http",
        "protocol": "HTTP",
        "definition": {
            "openapi": "3.0.1",
            "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.test"], "allowMethods": ["GET"], "allowHeaders": ["x-a"], "exposeHeaders": ["x-e"], "maxAge": 5, "allowCredentials": true},
            "paths": {
                "/jwt": {"x-amazon-apigateway-any-method": {"security": [{"jwt": []}], "x-amazon-apigateway-integration": backend("/guarded-jwt")}},
                "/simple": {"x-amazon-apigateway-any-method": {"security": [{"simple": []}], "x-amazon-apigateway-integration": backend("/guarded-simple")}},
                "/open/{p}": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": open}},
                "/lambda": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0", "uri": format!("{FUNCTION}open/invocations")}}},
                "/queue": {"post": {"x-amazon-apigateway-integration": {"type": "aws_proxy", "integrationSubtype": "SQS-SendMessage", "payloadFormatVersion": "1.0", "credentials": "arn:aws:iam::111122223333:role/r",
                    "requestParameters": {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/q", "MessageBody": "$request.body.a", "DelaySeconds": "$request.header.x-a"}}}},
                "/$default": {"x-amazon-apigateway-any-method": {"isDefaultRoute": true, "x-amazon-apigateway-integration": backend("/default")}},
            },
            "components": {"securitySchemes": {
                "jwt": scheme(json!({"type": "jwt", "identitySource": "$request.header.Authorization", "jwtConfiguration": {"issuer": issuer, "audience": ["a"]}})),
                "simple": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authorizer": {"type": "request", "authorizerUri": "https://auth.test/", "identitySource": "$request.header.Authorization",
                    "authorizerPayloadFormatVersion": "2.0", "enableSimpleResponses": true, "authorizerResultTtlInSeconds": 60}},
            }},
        },
        "stages": [stage(json!({"stageName": "$default"}), false)],
    })
}

/// A route that wants a key, whose plan has a throttle and a quota; counted here, or by a service that is asked.
fn limited(service: Option<&str>) -> Value {
    let mut api = rest(
        "limited",
        json!({
            "/key": {"get": {"security": [{"key": []}], "x-amazon-apigateway-integration": proxy("/guarded-key")}},
            "/free": {"get": {"x-amazon-apigateway-integration": proxy("/open")}},
        }),
    );
    api["definition"]["components"] = json!({"securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}});
    let limits = json!({"*/*": {"throttlingRateLimit": 0.001, "throttlingBurstLimit": 12}});
    // Without an access log: who looks at requests must not change what they count.
    api["stages"] = json!([{"stageName": "prod", "methodSettings": limits}]);
    let mut document = json!({
        "apis": [api],
        "usagePlans": [{"usagePlanName": "plan", "apiStages": [{"api": "limited", "stage": "prod"}], "throttle": {"rateLimit": 0.001, "burstLimit": BURST},
            "quota": {"limit": QUOTA, "period": "DAY"}, "keys": ["key"]}],
        "apiKeys": [{"name": "key", "value": API_KEY}],
    });
    if let Some(mode) = service {
        document["rateLimitService"] = json!({"cluster": "r", "failureMode": mode, "enableXRatelimitHeaders": "DRAFT_VERSION_03"});
    }
    document
}
