//! A bootstrap in which nothing is wrong: the shipped listener, and a cluster of each sort that a document can want.

use std::path::Path;

use serde_json::{Value, json};

use crate::process::repository;

const API_KEY: &str = "0123456789abcdefghij";

fn read(file: &str) -> Value {
    let text = std::fs::read_to_string(repository().join(file)).expect("the file is there");
    serde_norway::from_str(&text).expect("the file is YAML")
}

/// A backend by https, a service of AWS, and keys that a service counts.
pub fn document() -> Value {
    let pets = json!({"type": "http_proxy", "httpMethod": "GET", "uri": "https://pets.example.com/"});
    let dynamodb = json!({
        "type": "aws", "httpMethod": "POST", "uri": "arn:aws:apigateway:eu-west-1:dynamodb:action/Scan",
        "responses": {"default": {"statusCode": "200"}},
    });
    let operation =
        |integration: Value| json!({"responses": {"200": {"description": "d"}}, "x-amazon-apigateway-integration": integration});
    json!({
        "apis": [{
            "name": "pets",
            "protocol": "REST",
            "definition": {"openapi": "3.0.1", "paths": {"/pets": {"get": operation(pets), "post": operation(dynamodb)}}},
            "stages": [{"stageName": "prod"}],
        }],
        "apiKeys": [{"name": "k", "value": API_KEY}],
        "usagePlans": [{
            "usagePlanName": "p", "apiStages": [{"api": "pets", "stage": "prod"}], "keys": ["k"],
            "quota": {"limit": 5, "period": "DAY"},
        }],
        "rateLimitService": {"cluster": "ratelimit"},
        "upstreams": {
            "pets.example.com": {"cluster": "pets"},
            "dynamodb.eu-west-1.amazonaws.com": {"cluster": "dynamodb"},
        },
    })
}

/// The bootstrap around it.
pub fn healthy(module: &Path) -> Value {
    let mut bootstrap = read("envoy/edge.yaml");
    let services = read("envoy/aws.yaml");
    let service = |name: &str| {
        let all = services["static_resources"]["clusters"].as_array().expect("it lists clusters");
        all.iter().find(|cluster| cluster["name"] == name).expect("it is there").clone()
    };
    let mut dynamodb = service("dynamodb");
    options(&mut dynamodb)["http_filters"][0]["typed_config"]["region"] = "eu-west-1".into();
    let mut pets = bootstrap["static_resources"]["clusters"][0].clone();
    pets["name"] = "pets".into();
    pets["transport_socket"] = dynamodb["transport_socket"].clone();
    let mut ratelimit = bootstrap["static_resources"]["clusters"][0].clone();
    ratelimit["name"] = "ratelimit".into();
    ratelimit["typed_extension_protocol_options"] = dynamodb["typed_extension_protocol_options"].clone();
    *options(&mut ratelimit) = json!({"explicit_http_config": {"http2_protocol_options": {}}});
    // A name keeps Envoy from taking it for a stand-in on this machine.
    for (cluster, host) in [(&mut pets, "pets.example.com"), (&mut ratelimit, "ratelimit")] {
        cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]["address"] =
            host.into();
    }
    bootstrap["static_resources"]["clusters"] = json!([pets, dynamodb, ratelimit]);
    plugin(&mut bootstrap)["vm_config"]["code"]["local"]["filename"] = module.to_str().expect("paths are UTF-8").into();
    set_document(&mut bootstrap, &document());
    bootstrap
}

/// Puts another document into it.
pub fn set_document(bootstrap: &mut Value, document: &Value) {
    plugin(bootstrap)["configuration"]["value"] = document.to_string().into();
}

pub fn listener(bootstrap: &mut Value) -> &mut Value {
    &mut bootstrap["static_resources"]["listeners"][0]
}

pub fn manager(bootstrap: &mut Value) -> &mut Value {
    &mut listener(bootstrap)["filter_chains"][0]["filters"][0]["typed_config"]
}

pub fn filters(bootstrap: &mut Value) -> &mut Vec<Value> {
    manager(bootstrap)["http_filters"].as_array_mut().expect("it lists filters")
}

pub fn plugin(bootstrap: &mut Value) -> &mut Value {
    &mut manager(bootstrap)["http_filters"][0]["typed_config"]["config"]
}

pub fn host(bootstrap: &mut Value) -> &mut Value {
    &mut manager(bootstrap)["route_config"]["virtual_hosts"][0]
}

pub fn route(bootstrap: &mut Value) -> &mut Value {
    &mut host(bootstrap)["routes"][0]["route"]
}

pub fn cluster<'a>(bootstrap: &'a mut Value, name: &str) -> &'a mut Value {
    let all = bootstrap["static_resources"]["clusters"].as_array_mut().expect("it lists clusters");
    all.iter_mut().find(|cluster| cluster["name"] == name).expect("it is there")
}

pub fn options(cluster: &mut Value) -> &mut Value {
    &mut cluster["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]
}
