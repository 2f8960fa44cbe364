//! The definition of an HTTP API: its `Body`, or what its routes, integrations and authorizers say. AWS: `AWS::ApiGatewayV2::Api`,
//! "Working with OpenAPI definitions for HTTP APIs".

mod authorizer;
mod integration;

use serde_json::{Map, Value, json};
use tollgate::problem::Problems;

use super::Api;
use super::documents::{member, object, set};
use super::draft::{Draft, camel_case};
use super::stack::{Stack, is_of_the_same_api, text};
use crate::cli::import::resource::Resource;

const ROUTE: &str = "AWS::ApiGatewayV2::Route";

/// Its definition.
pub fn definition(api: &Api<'_>, stack: &Stack, draft: &mut Draft, problems: &mut Problems) -> Value {
    let mut definition = match api.resource.get("Body") {
        Some(body) => {
            draft.note(&api.path.key("definition"), &body.path);
            draft.note_parts(api.resource, "Body", &api.path.key("definition"));
            for kind in [ROUTE, "AWS::ApiGatewayV2::Authorizer", "AWS::ApiGatewayV2::Integration"] {
                for resource in stack.of_owner(kind, "ApiId", &api.id) {
                    let message = format!("`{}` adds to an API that has a `Body`, which is not carried over", resource.id);
                    problems.error(&resource.path, message, Some("say it in the body"));
                }
            }
            match object(&body, problems) {
                Some(Value::Object(body)) => body,
                _ => return json!({}),
            }
        }
        None => written(api, stack, draft, problems),
    };
    if let Some(cors) = api.resource.get("CorsConfiguration") {
        set(&mut definition, "x-amazon-apigateway-cors", camel_case(cors.value), &api.path, &cors.path, draft);
    }
    Value::Object(definition)
}

fn written(api: &Api<'_>, stack: &Stack, draft: &mut Draft, problems: &mut Problems) -> Map<String, Value> {
    let mut definition = Map::new();
    definition.insert("openapi".to_owned(), "3.0.1".into());
    definition.insert("info".to_owned(), json!({ "title": api.name, "version": "1.0" }));
    let mut paths = Map::new();
    let mut is_signed = false;
    for route in stack.of_owner(ROUTE, "ApiId", &api.id) {
        is_signed |= add(api, route, stack, &mut paths, draft, problems);
    }
    quick_create(api, &mut paths, draft, problems);
    definition.insert("paths".to_owned(), Value::Object(paths));
    authorizer::schemes(api, stack, is_signed, &mut definition, draft, problems);
    definition
}

/// Where a route key stands in a definition: path and method.
fn place_of(key: &str) -> Option<(String, String)> {
    const ANY: &str = "x-amazon-apigateway-any-method";
    if key == "$default" {
        return Some(("/$default".to_owned(), ANY.to_owned()));
    }
    let (method, path) = key.split_once(' ')?;
    let method = if method.eq_ignore_ascii_case("ANY") { ANY.to_owned() } else { method.to_ascii_lowercase() };
    path.starts_with('/').then(|| (path.to_owned(), method))
}

/// Adds a route. True when it asks for a signature.
fn add(
    api: &Api<'_>,
    route: &Resource,
    stack: &Stack,
    paths: &mut Map<String, Value>,
    draft: &mut Draft,
    problems: &mut Problems,
) -> bool {
    let key = text(route, "RouteKey").unwrap_or_default();
    let Some((path, method)) = place_of(key) else {
        let help = "`METHOD /PATH`, or `$default`";
        problems.error(&route.place("RouteKey"), format!("`{key}` is no route key of an HTTP API"), Some(help));
        return false;
    };
    let made = api.path.key("definition").key("paths").key(&path).key(&method);
    draft.note(&made, &route.path);
    let mut operation = Map::new();
    if let Some(name) = text(route, "OperationName") {
        operation.insert("operationId".to_owned(), name.into());
    }
    operation.insert("responses".to_owned(), json!({ "default": { "description": format!("the answer of {key}") } }));
    if key == "$default" {
        operation.insert("isDefaultRoute".to_owned(), true.into());
    }
    let (security, is_signed) = authorizer::security(route, stack, problems);
    if let Some(security) = security {
        draft.note(&made.key("security"), &route.place("AuthorizationType"));
        operation.insert("security".to_owned(), security);
    }
    let made = made.key("x-amazon-apigateway-integration");
    if let Some(integration) = target(route, stack, problems) {
        let integration = integration::written(integration, &made, draft, problems);
        operation.insert("x-amazon-apigateway-integration".to_owned(), integration);
    }
    if member(paths, &[&path]).insert(method, Value::Object(operation)).is_some() {
        problems.error(&route.path, format!("a second route `{key}`"), Some("keep one of them"));
    }
    is_signed
}

/// `integrations/ID`
fn target<'s>(route: &Resource, stack: &'s Stack, problems: &mut Problems) -> Option<&'s Resource> {
    let node = route.get("Target")?;
    let target = node.text(problems)?;
    let Some(found) = target.strip_prefix("integrations/").and_then(|id| stack.find("AWS::ApiGatewayV2::Integration", id)) else {
        let help = "write `integrations/` and a reference to an AWS::ApiGatewayV2::Integration of the template";
        problems.error(&node.path, format!("`{target}` is no integration of the template"), Some(help));
        return None;
    };
    is_of_the_same_api(found, route, &node, problems).then_some(found)
}

/// `Target` of the API itself: one route, to a function or a URL.
fn quick_create(api: &Api<'_>, paths: &mut Map<String, Value>, draft: &mut Draft, problems: &mut Problems) {
    let Some(target) = api.resource.get("Target") else { return };
    let Some(uri) = target.text(problems) else { return };
    let key = text(api.resource, "RouteKey").unwrap_or("$default");
    let Some((path, method)) = place_of(key) else {
        problems.error(&api.resource.place("RouteKey"), format!("`{key}` is no route key of an HTTP API"), None);
        return;
    };
    let integration = if uri.starts_with("arn:") {
        json!({ "type": "aws_proxy", "httpMethod": "POST", "uri": uri, "payloadFormatVersion": "2.0" })
    } else {
        json!({ "type": "http_proxy", "httpMethod": "ANY", "uri": uri, "payloadFormatVersion": "1.0" })
    };
    let made = api.path.key("definition").key("paths").key(&path).key(&method);
    draft.note(&made, &target.path);
    let mut operation = json!({
        "responses": { "default": { "description": format!("the answer of {key}") } },
        "x-amazon-apigateway-integration": integration,
    });
    if key == "$default" {
        operation["isDefaultRoute"] = true.into();
    }
    member(paths, &[&path]).insert(method, operation);
}
