//! The table of APIs as gateway documents: OpenAPI with AWS's extensions.

use serde_json::{Map, Value, json};

use super::apis::{ACCOUNT, APIS, Api, Guard, Protocol, Route, Rules, USERS};
use crate::drivers::tokens::put_keys;

/// Where requests that may pass go.
pub const BACKEND: &str = "backend.test";

/// Where those of default routes go, whose path is appended whole.
pub const DEFAULT_BACKEND: &str = "default.test";

/// Where functions are.
pub const LAMBDA: &str = "lambda.us-east-1.amazonaws.com";

/// Whose tokens are taken.
pub const ISSUER: &str = "https://issuer.test";

/// Whose tokens a user pool's are.
pub const POOL: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Pool1";

/// The document of all APIs of a protocol; `changed` may take a guard away.
pub fn document(protocol: Protocol, changed: &dyn Fn(Guard) -> Guard) -> Value {
    let apis: Vec<Value> = APIS.iter().filter(|api| api.protocol == protocol).map(|api| of_api(api, changed)).collect();
    let users: Vec<Value> = USERS
        .iter()
        .map(|user| {
            let policies: Vec<Value> = user.rules.iter().map(|rules| policy(rules, false)).collect();
            let account = if user.is_foreign { "111111111111" } else { ACCOUNT };
            json!({ "accessKeyId": user.key, "secretAccessKey": secret(user.key), "accountId": account, "policies": policies })
        })
        .collect();
    let cluster = |host: &str| json!({ "cluster": host });
    let keys = json!({ "jwks": "{{jwks}}" });
    let issuers = if protocol == Protocol::Rest { json!({ ISSUER: keys, POOL: keys }) } else { json!({ ISSUER: keys }) };
    let mut upstreams = json!({ BACKEND: cluster(BACKEND), LAMBDA: cluster(LAMBDA) });
    if protocol == Protocol::Http {
        upstreams[DEFAULT_BACKEND] = cluster(DEFAULT_BACKEND);
    }
    let mut document = json!({
        "apis": apis, "iam": { "users": users }, "issuers": issuers, "upstreams": upstreams,
        // Who may call is asked here, and not how often: natively time stands still, and no bucket is filled again.
        "account": { "throttleSettings": { "rateLimit": -1, "burstLimit": -1 } },
    });
    put_keys(&mut document);
    document
}

/// The secret of an access key.
pub fn secret(key: &str) -> String {
    format!("the secret of {key}")
}

/// A policy document.
pub fn policy(rules: &Rules, of_resource: bool) -> Value {
    let statement = |effect: &str, patterns: &[&str]| {
        let arns: Vec<String> = patterns.iter().map(|p| format!("arn:aws:execute-api:us-east-1:{ACCOUNT}:{p}")).collect();
        let mut statement = json!({ "Effect": effect, "Action": "execute-api:Invoke", "Resource": arns });
        if of_resource {
            statement["Principal"] = "*".into();
        }
        statement
    };
    let statements = [("Allow", rules.allow), ("Deny", rules.deny)].into_iter().filter(|(_, patterns)| !patterns.is_empty());
    let statements: Vec<Value> = statements.map(|(effect, patterns)| statement(effect, patterns)).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn of_api(api: &Api, changed: &dyn Fn(Guard) -> Guard) -> Value {
    let mut paths = Map::new();
    for route in api.routes {
        let is_default = route.pattern == "$default";
        let path = if is_default { "/$default" } else { route.pattern };
        let key =
            if route.method == "ANY" { "x-amazon-apigateway-any-method".to_owned() } else { route.method.to_ascii_lowercase() };
        let mut operation = operation(api, route, changed(route.guard));
        if is_default {
            operation["isDefaultRoute"] = true.into();
        }
        paths.entry(path).or_insert_with(|| json!({}))[key] = operation;
    }
    let mut definition = json!({
        "openapi": "3.0.1", "info": { "title": api.id, "version": "1" }, "paths": paths,
        "components": { "securitySchemes": schemes(api.protocol) },
    });
    if let Some(rules) = &api.policy {
        definition["x-amazon-apigateway-policy"] = policy(rules, true);
    }
    if api.cors {
        definition["x-amazon-apigateway-cors"] = json!({ "allowOrigins": ["https://app.test"], "allowMethods": ["*"] });
    }
    let stages: Vec<Value> = api
        .stages
        .iter()
        .map(|stage| {
            let base = if stage.base.is_empty() { "/" } else { stage.base };
            let mut out = json!({ "stageName": stage.name, "basePath": base });
            if stage.is_listed {
                out["hosts"] = json!([stage.host]);
            }
            out
        })
        .collect();
    let protocol = if api.protocol == Protocol::Rest { "REST" } else { "HTTP" };
    json!({ "name": api.id, "apiId": api.id, "accountId": ACCOUNT, "region": "us-east-1", "protocol": protocol,
        "definition": definition, "stages": stages })
}

fn operation(api: &Api, route: &Route, guard: Guard) -> Value {
    let mut uri = format!("http://{BACKEND}{}", api.marker(route));
    let mut parameters = Map::new();
    for name in route.variables() {
        uri.push_str(&format!("/{{{name}}}"));
        parameters.insert(format!("integration.request.path.{name}"), format!("method.request.path.{name}").into());
    }
    if route.pattern == "$default" {
        uri = format!("http://{DEFAULT_BACKEND}");
    }
    let mut integration = json!({ "type": "http_proxy", "httpMethod": "ANY", "uri": uri });
    match api.protocol {
        Protocol::Rest => integration["requestParameters"] = parameters.into(),
        Protocol::Http => integration["payloadFormatVersion"] = "1.0".into(),
    }
    let mut operation = json!({ "responses": {}, "x-amazon-apigateway-integration": integration });
    match guard {
        Guard::Open => {}
        Guard::Iam => operation["x-amazon-apigateway-auth"] = json!({ "type": "AWS_IAM" }),
        Guard::Token => operation["security"] = json!([{ "token": [] }]),
        Guard::AnyToken => operation["security"] = json!([{ "anytoken": [] }]),
        Guard::Sealed => operation["security"] = json!([{ "sealed": [] }]),
        Guard::Request => operation["security"] = json!([{ "request": [] }]),
        Guard::Simple => operation["security"] = json!([{ "simple": [] }]),
        Guard::Jwt(scopes) => operation["security"] = json!([{ "jwt": scopes }]),
        Guard::JwtInQuery => operation["security"] = json!([{ "query": [] }]),
        Guard::Pool(scopes) => operation["security"] = json!([{ "pool": scopes }]),
    }
    operation
}

fn schemes(protocol: Protocol) -> Value {
    let scheme = |header: &str, kind: &str, authorizer: Value| {
        json!({ "type": "apiKey", "name": header, "in": "header", "x-amazon-apigateway-authtype": kind,
            "x-amazon-apigateway-authorizer": authorizer })
    };
    let function = |name: &str| {
        format!(
            "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
             arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}/invocations"
        )
    };
    if protocol == Protocol::Http {
        let jwt = |source: &str| {
            json!({ "type": "oauth2", "x-amazon-apigateway-authorizer": { "type": "jwt", "identitySource": source,
                "jwtConfiguration": { "issuer": ISSUER, "audience": ["api"] } } })
        };
        let request = |name: &str, version: &str, sources: &str, more: Value| {
            let mut authorizer = json!({ "type": "request", "authorizerUri": function(name), "identitySource": sources,
                "authorizerPayloadFormatVersion": version, "authorizerResultTtlInSeconds": 60 });
            authorizer.as_object_mut().expect("it is one").extend(more.as_object().expect("it is one").clone());
            scheme("Unused", "custom", authorizer)
        };
        return json!({
            "jwt": jwt("$request.header.Authorization"),
            "query": jwt("$request.querystring.token"),
            "request": request("requests", "1.0", "$request.header.X-User, $request.querystring.tenant", json!({})),
            "simple": request("simple", "2.0", "$request.header.X-User", json!({ "enableSimpleResponses": true })),
        });
    }
    json!({
        "token": scheme("Authorization", "custom", json!({ "type": "token", "authorizerUri": function("tokens"),
            "identityValidationExpression": "Bearer tok-[a-z]+" })),
        "anytoken": scheme("X-Token", "custom", json!({ "type": "token", "authorizerUri": function("tokens"),
            "authorizerResultTtlInSeconds": 0 })),
        "sealed": scheme("Authorization", "custom", json!({ "type": "token", "authorizerUri": function("sealed") })),
        "request": scheme("Unused", "custom", json!({ "type": "request", "authorizerUri": function("requests"),
            "identitySource": "method.request.header.X-User, method.request.querystring.tenant" })),
        "jwt": scheme("Authorization", "custom", json!({ "type": "jwt", "identitySource": "method.request.header.Authorization",
            "jwtConfiguration": { "issuers": [{ "issuer": ISSUER, "audiences": ["api"] }], "defaultAlgorithms": ["RS256", "ES256"] } })),
        "pool": scheme("Authorization", "cognito_user_pools", json!({ "type": "cognito_user_pools",
            "providerARNs": [format!("arn:aws:cognito-idp:us-east-1:{ACCOUNT}:userpool/us-east-1_Pool1")] })),
    })
}
