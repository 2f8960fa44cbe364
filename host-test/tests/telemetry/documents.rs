//! The gateway that these tests look at: three APIs, of which one method and one route have metrics of their own.

use serde_json::{Value, json};

use crate::drivers::case::Backend;
use crate::drivers::edge::Configuration;
use crate::drivers::envoy::Plugins;

/// The only backend, and its cluster.
pub const BACKEND: &str = "backend.test";

pub fn plugins(document: &Value) -> Plugins {
    [("telemetry".to_owned(), Configuration::Text(document.to_string()))].into()
}

/// Answers with the status that the query asks for, and 5 bytes.
pub fn backend(delay_millis: u64) -> Backend {
    let answer = |status: u16| json!({ "status": status, "body": "hello", "delayMillis": delay_millis });
    let paths = [404, 500, 503].map(|status| (format!("re:status={status}"), answer(status)));
    let mut backend = answer(200);
    backend["paths"] = paths.into_iter().collect::<serde_json::Map<_, _>>().into();
    serde_json::from_value(backend).expect("a backend")
}

pub fn gateway() -> Value {
    let mock = json!({ "x-amazon-apigateway-integration": {
        "type": "mock",
        "requestTemplates": { "application/json": "{\"statusCode\":200}" },
        "responses": { "default": { "statusCode": "200" } },
    } });
    let proxy = json!({ "x-amazon-apigateway-integration": {
        "type": "http_proxy", "httpMethod": "ANY", "uri": "http://backend.test/x", "payloadFormatVersion": "1.0",
    } });
    let api = |paths: Value| json!({ "openapi": "3.0.1", "info": { "title": "x", "version": "1" }, "paths": paths });
    let settings =
        json!({ "/pets/GET": { "metricsEnabled": true }, "/pets/POST": { "metricsEnabled": false, "loggingLevel": "INFO" } });
    let format = "$context.requestId $context.httpMethod $context.resourcePath $context.status $context.responseLength";
    json!({
        "upstreams": { BACKEND: { "cluster": BACKEND } },
        "apis": [
            {
                "name": "pets",
                "definition": api(json!({ "/pets": { "get": proxy, "post": proxy }, "/mock": { "get": mock } })),
                "stages": [
                    { "stageName": "prod", "methodSettings": settings, "accessLogSettings": { "format": format } },
                    { "stageName": "beta" },
                ],
            },
            {
                "name": "other pets: =all;",
                "definition": api(json!({ "/mock": { "get": mock } })),
                "stages": [{ "stageName": "other" }],
            },
            {
                "name": "orders",
                "protocol": "HTTP",
                "apiId": "orders0001",
                "definition": api(json!({ "/orders/{id}": { "get": proxy }, "/detailed": { "get": proxy } })),
                "stages": [{ "stageName": "live", "routeSettings": { "GET /detailed": { "detailedMetricsEnabled": true } } }],
            },
        ],
    })
}
