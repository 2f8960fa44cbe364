//! Gateway documents with limits. All routes are MOCKs: nobody but the gateway takes part.

use serde_json::{Value, json};

/// The name of a key is its number; this is its value.
pub fn key(number: usize) -> String {
    format!("the-value-of-key-number-{number:08}")
}

/// An API with a route for everybody (`/prod/open`), two that require a key (`/prod/keyed` and `/prod/limited`), these plans, so many
/// keys, and more settings of its stage. Each answer tells the version of the document.
pub fn document(version: u32, keys: usize, plans: &Value, stage: &Value) -> Value {
    let integration = json!({
        "type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {"statusCode": "200", "responseParameters": {"method.response.header.x-version": format!("'{version}'")}}},
    });
    let route = |security: Value| {
        json!({"get": {
            "security": security, "x-amazon-apigateway-integration": integration,
            "responses": {"200": {"description": "", "headers": {"x-version": {"schema": {"type": "string"}}}}},
        }})
    };
    let keyed = json!([{"api_key": []}]);
    let mut settings = json!({"stageName": "prod"});
    for (name, value) in stage.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    let mut document = json!({
        "apis": [{
            "name": "a", "stages": [settings],
            "definition": {
                "openapi": "3.0.1",
                "paths": {"/open": route(json!([])), "/keyed": route(keyed.clone()), "/limited": route(keyed)},
                "components": {"securitySchemes": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}},
            },
        }],
    });
    if keys > 0 {
        let all = (0..keys).map(|number| json!({"name": number.to_string(), "value": key(number)}));
        document["apiKeys"] = all.collect();
        document["usagePlans"] = plans.clone();
    }
    document
}

/// A plan of the stage with these keys; `limits` has `throttle`, `quota`, or both.
pub fn plan(name: &str, keys: &[usize], limits: &Value) -> Value {
    let mut plan = json!({
        "usagePlanName": name, "apiStages": [{"api": "a", "stage": "prod"}],
        "keys": keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    for (name, value) in limits.as_object().into_iter().flatten() {
        plan[name] = value.clone();
    }
    plan
}
