//! The definition of a REST API: its `Body`, or what its resources, methods, authorizers and models say. AWS: `AWS::ApiGateway::RestApi`
//! and "x-amazon-apigateway" extensions.

mod authorizer;
mod method;
mod model;

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::Api;
use super::documents::{member, object, set};
use super::draft::{Draft, plain};
use super::stack::{Stack, text};
use crate::cli::import::resource::Resource;

/// Its definition.
pub fn definition(api: &Api<'_>, stack: &Stack, draft: &mut Draft, problems: &mut Problems) -> Value {
    let mut definition = match api.resource.get("Body") {
        Some(body) => {
            draft.note(&api.path.key("definition"), &body.path);
            draft.note_parts(api.resource, "Body", &api.path.key("definition"));
            beside_body(api, stack, problems);
            match object(&body, problems) {
                Some(Value::Object(body)) => body,
                _ => return json!({}),
            }
        }
        None => written(api, stack, draft, problems),
    };
    settings(api, &mut definition, draft, problems);
    gateway_responses(api, stack, &mut definition, draft, problems);
    Value::Object(definition)
}

/// From resources of its own.
fn written(api: &Api<'_>, stack: &Stack, draft: &mut Draft, problems: &mut Problems) -> Map<String, Value> {
    let mut definition = Map::new();
    definition.insert("openapi".to_owned(), "3.0.1".into());
    definition.insert("info".to_owned(), json!({ "title": api.name, "version": "1.0" }));
    let paths = paths(api, stack, problems);
    let mut methods = Map::new();
    let mut used = method::Used::default();
    for resource in stack.of_owner("AWS::ApiGateway::Method", "RestApiId", &api.id) {
        let Some(path) = resource.get("ResourceId").and_then(|id| id.text(problems)).and_then(|id| paths.get(&id)) else {
            stack.named_by(resource, "ResourceId", "AWS::ApiGateway::Resource", problems);
            continue;
        };
        method::add(api, resource, path, stack, &mut methods, &mut used, draft, problems);
    }
    definition.insert("paths".to_owned(), Value::Object(methods));
    authorizer::schemes(api, stack, &used, &mut definition, draft, problems);
    model::schemas(api, stack, &used, &mut definition, draft, problems);
    validators(api, stack, &mut definition, draft, problems);
    definition
}

/// The path of each resource by its id, the root's with it.
fn paths(api: &Api<'_>, stack: &Stack, problems: &mut Problems) -> HashMap<String, String> {
    let mut paths = HashMap::from([(format!("{}root", api.id), "/".to_owned())]);
    if let Some(root) = stack.root_of(&api.resource.id) {
        paths.insert(root.to_owned(), "/".to_owned());
    }
    let mut waiting: Vec<&Resource> = stack.of_owner("AWS::ApiGateway::Resource", "RestApiId", &api.id).collect();
    loop {
        let before = waiting.len();
        waiting.retain(|resource| {
            let Some(parent) = text(resource, "ParentId").and_then(|parent| paths.get(parent)) else { return true };
            let part = text(resource, "PathPart").unwrap_or_default();
            let path = format!("{}/{part}", parent.trim_end_matches('/'));
            paths.insert(stack.identity(resource).to_owned(), path);
            false
        });
        if waiting.is_empty() || waiting.len() == before {
            break;
        }
    }
    for resource in waiting {
        let parent = text(resource, "ParentId").and_then(|parent| stack.find("AWS::ApiGateway::Resource", parent));
        match parent {
            Some(parent) if text(parent, "RestApiId") == Some(api.id.as_str()) => {
                let message = format!("the resource `{}` is below `{}`, which leads to no root", resource.id, parent.id);
                problems.error(&resource.place("ParentId"), message, None);
            }
            Some(parent) => {
                let message = format!("`{}` is a resource of another API", parent.id);
                problems.error(&resource.place("ParentId"), message, None);
            }
            None => {
                stack.named_by(resource, "ParentId", "AWS::ApiGateway::Resource", problems);
            }
        }
    }
    paths
}

/// What says more of an API than its body cannot be told apart from it.
fn beside_body(api: &Api<'_>, stack: &Stack, problems: &mut Problems) {
    for kind in ["Authorizer", "Method", "Model", "RequestValidator", "Resource"] {
        for resource in stack.of_owner(&format!("AWS::ApiGateway::{kind}"), "RestApiId", &api.id) {
            let message = format!("`{}` adds to an API that has a `Body`, which is not carried over", resource.id);
            problems.error(&resource.path, message, Some("say it in the body"));
        }
    }
}

const INSTEAD: [(&str, &str); 5] = [
    ("ApiKeySourceType", "x-amazon-apigateway-api-key-source"),
    ("EndpointAccessMode", "x-amazon-apigateway-endpoint-access-mode"),
    ("MinimumCompressionSize", "x-amazon-apigateway-minimum-compression-size"),
    ("Policy", "x-amazon-apigateway-policy"),
    ("SecurityPolicy", "x-amazon-apigateway-security-policy"),
];

/// Properties that are extensions of the definition.
fn settings(api: &Api<'_>, definition: &mut Map<String, Value>, draft: &mut Draft, problems: &mut Problems) {
    for (property, extension) in INSTEAD {
        // The serverless framework writes an empty policy where it has none.
        let Some(node) = api.resource.get(property).filter(|node| plain(node.value) != "") else { continue };
        let value = if property == "Policy" { object(&node, problems) } else { Some(plain(node.value)) };
        if let Some(value) = value {
            set(definition, extension, value, &api.path, &node.path, draft);
        }
    }
    if let Some(types) = api.resource.get("BinaryMediaTypes") {
        // "Use `~1` instead of `/`" in templates.
        let types: Vec<String> = types.strings(problems).iter().map(|text| text.replace("~1", "/")).collect();
        let place = api.resource.place("BinaryMediaTypes");
        set(definition, "x-amazon-apigateway-binary-media-types", json!(types), &api.path, &place, draft);
    }
    endpoint(api, definition, draft, problems);
}

/// Types of endpoints say nothing here; what keeps callers out is carried over, and the compiler says what becomes of it.
fn endpoint(api: &Api<'_>, definition: &mut Map<String, Value>, draft: &mut Draft, problems: &mut Problems) {
    let mut endpoint = Map::new();
    let mut place = None;
    if let Some(node) = api.resource.get("EndpointConfiguration") {
        let is_private = node.get("Types").is_some_and(|types| types.value.to_string().contains("PRIVATE"));
        if is_private {
            endpoint.insert("types".to_owned(), json!(["PRIVATE"]));
        }
        if let Some(ids) = node.get("VpcEndpointIds") {
            endpoint.insert("vpcEndpointIds".to_owned(), ids.value.clone());
        }
        place = Some(node.path);
    }
    if let Some(node) = api.resource.get("DisableExecuteApiEndpoint").filter(|node| node.boolean(problems) == Some(true)) {
        endpoint.insert("disableExecuteApiEndpoint".to_owned(), true.into());
        place = Some(node.path);
    }
    if let Some(place) = place.filter(|_| !endpoint.is_empty()) {
        set(definition, "x-amazon-apigateway-endpoint-configuration", Value::Object(endpoint), &api.path, &place, draft);
    }
}

fn gateway_responses(
    api: &Api<'_>,
    stack: &Stack,
    definition: &mut Map<String, Value>,
    draft: &mut Draft,
    problems: &mut Problems,
) {
    const NAME: &str = "x-amazon-apigateway-gateway-responses";
    for resource in stack.of_owner("AWS::ApiGateway::GatewayResponse", "RestApiId", &api.id) {
        let Some(kind) = resource.get("ResponseType").and_then(|kind| kind.text(problems)) else {
            problems.error(&resource.path, format!("`{}` has no `ResponseType`", resource.id), None);
            continue;
        };
        let made = api.path.key("definition").key(NAME).key(&kind);
        draft.note(&made, &resource.path.key("Properties"));
        let mut response = Map::new();
        for (from, to) in
            [("StatusCode", "statusCode"), ("ResponseParameters", "responseParameters"), ("ResponseTemplates", "responseTemplates")]
        {
            if let Some(node) = resource.get(from) {
                draft.note(&made.key(to), &node.path);
                response.insert(to.to_owned(), node.value.clone());
            }
        }
        if member(definition, &[NAME]).insert(kind.clone(), Value::Object(response)).is_some() {
            problems.error(&resource.path, format!("a second gateway response for `{kind}`"), Some("keep one of them"));
        }
    }
}

fn validators(api: &Api<'_>, stack: &Stack, definition: &mut Map<String, Value>, draft: &mut Draft, problems: &mut Problems) {
    const NAME: &str = "x-amazon-apigateway-request-validators";
    for resource in stack.of_owner("AWS::ApiGateway::RequestValidator", "RestApiId", &api.id) {
        let mut validator = Map::new();
        for (from, to) in
            [("ValidateRequestBody", "validateRequestBody"), ("ValidateRequestParameters", "validateRequestParameters")]
        {
            let flag = resource.get(from).and_then(|flag| flag.boolean(problems)).unwrap_or(false);
            validator.insert(to.to_owned(), flag.into());
        }
        let name = validator_name(resource);
        draft.note(&api.path.key("definition").key(NAME).key(name), &resource.path);
        if member(definition, &[NAME]).insert(name.to_owned(), Value::Object(validator)).is_some() {
            problems.error(&resource.path, format!("a second request validator `{name}`"), Some("give it another `Name`"));
        }
    }
}

fn validator_name(resource: &Resource) -> &str {
    text(resource, "Name").unwrap_or(&resource.id)
}

/// Where an operation stands in the document.
fn operation_path(api: &Api<'_>, path: &str, method: &str) -> JsonPath {
    api.path.key("definition").key("paths").key(path).key(method)
}
