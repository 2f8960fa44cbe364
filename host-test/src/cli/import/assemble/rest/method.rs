//! A method: the operation object that it becomes. AWS: `AWS::ApiGateway::Method` and its `Integration`.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tollgate::definition::Node;
use tollgate::problem::{JsonPath, Problems};

use super::super::Api;
use super::super::documents::member;
use super::super::draft::Draft;
use super::super::stack::Stack;
use super::{authorizer, operation_path, validator_name};
use crate::cli::import::resource::Resource;

/// What methods ask of the rest of the definition.
#[derive(Debug, Default)]
pub struct Used {
    /// Names of models.
    pub models: BTreeSet<String>,
    /// Whether a method wants a signature.
    pub iam: bool,
    /// Whether a method wants an API key.
    pub api_key: bool,
}

const INTEGRATION: [(&str, &str); 17] = [
    ("Type", "type"),
    ("IntegrationHttpMethod", "httpMethod"),
    ("Uri", "uri"),
    ("Credentials", "credentials"),
    ("ConnectionType", "connectionType"),
    ("ConnectionId", "connectionId"),
    ("IntegrationTarget", "integrationTarget"),
    ("PassthroughBehavior", "passthroughBehavior"),
    ("ContentHandling", "contentHandling"),
    ("TimeoutInMillis", "timeoutInMillis"),
    ("ResponseTransferMode", "responseTransferMode"),
    ("RequestParameters", "requestParameters"),
    ("RequestTemplates", "requestTemplates"),
    ("CacheNamespace", "cacheNamespace"),
    ("CacheKeyParameters", "cacheKeyParameters"),
    ("TlsConfig", "tlsConfig"),
    ("IntegrationResponses", "responses"),
];

const RESPONSE: [(&str, &str); 5] = [
    ("StatusCode", "statusCode"),
    ("ResponseParameters", "responseParameters"),
    ("ResponseTemplates", "responseTemplates"),
    ("ContentHandling", "contentHandling"),
    ("SelectionPattern", "selectionPattern"),
];

/// Adds a method to the paths.
#[expect(clippy::too_many_arguments, reason = "what a method is made of")]
pub fn add(
    api: &Api<'_>,
    resource: &Resource,
    path: &str,
    stack: &Stack,
    paths: &mut Map<String, Value>,
    used: &mut Used,
    draft: &mut Draft,
    problems: &mut Problems,
) {
    let Some(verb) = resource.get("HttpMethod").and_then(|verb| verb.text(problems)) else {
        problems.error(&resource.path, format!("`{}` has no `HttpMethod`", resource.id), None);
        return;
    };
    let key =
        if verb.eq_ignore_ascii_case("ANY") { "x-amazon-apigateway-any-method".to_owned() } else { verb.to_ascii_lowercase() };
    let made = operation_path(api, path, &key);
    draft.note(&made, &resource.path.key("Properties"));
    let mut operation = Map::new();
    if let Some(name) = resource.get("OperationName").and_then(|name| name.text(problems)) {
        operation.insert("operationId".to_owned(), name.into());
    }
    parameters(resource, path, &mut operation, problems);
    request_body(resource, used, &mut operation, problems);
    operation.insert("responses".to_owned(), responses(resource, used, problems));
    if let Some(security) = authorizer::security(resource, stack, used, problems) {
        draft.note(&made.key("security"), &resource.place("AuthorizationType"));
        operation.insert("security".to_owned(), security);
    }
    if resource.get("RequestValidatorId").is_some() {
        let kind = "AWS::ApiGateway::RequestValidator";
        if let Some(validator) = stack.named_by(resource, "RequestValidatorId", kind, problems) {
            operation.insert("x-amazon-apigateway-request-validator".to_owned(), validator_name(validator).into());
        }
    }
    if let Some(node) = resource.get("Integration") {
        let made = made.key("x-amazon-apigateway-integration");
        draft.note(&made, &node.path);
        let integration = integration(&node, &made, draft, problems);
        operation.insert("x-amazon-apigateway-integration".to_owned(), integration);
    }
    if member(paths, &[path]).insert(key, Value::Object(operation)).is_some() {
        problems.error(&resource.path, format!("a second method `{verb} {path}`"), Some("keep one of them"));
    }
}

/// `integration` of the operation.
fn integration(node: &Node<'_>, made: &JsonPath, draft: &mut Draft, problems: &mut Problems) -> Value {
    let mut integration = Map::new();
    draft.rename(node, &INTEGRATION, made, &mut integration, problems);
    for name in ["type", "passthroughBehavior"] {
        if let Some(Value::String(text)) = integration.get_mut(name) {
            *text = text.to_ascii_lowercase();
        }
    }
    for name in ["timeoutInMillis", "tlsConfig"] {
        if let Some(value) = integration.get_mut(name) {
            *value = super::super::draft::camel_case(value);
        }
    }
    let responses = node.get("IntegrationResponses").filter(|responses| !responses.value.is_null());
    if let Some(list) = responses {
        let responses = integration_responses(&list, &made.key("responses"), draft, problems);
        integration.insert("responses".to_owned(), responses);
    }
    Value::Object(integration)
}

/// A list with patterns becomes an object of them.
fn integration_responses(list: &Node<'_>, made: &JsonPath, draft: &mut Draft, problems: &mut Problems) -> Value {
    let mut responses = Map::new();
    for node in list.elements(problems) {
        let pattern = node.get("SelectionPattern").and_then(|pattern| pattern.text(problems));
        let pattern = pattern.filter(|pattern| !pattern.is_empty()).unwrap_or_else(|| "default".to_owned());
        let made = made.key(&pattern);
        draft.note(&made, &node.path);
        let mut response = Map::new();
        draft.rename(&node, &RESPONSE, &made, &mut response, problems);
        response.remove("selectionPattern");
        if let Some(status) = response.get_mut("statusCode") {
            *status = Value::String(status.as_str().map_or_else(|| status.to_string(), str::to_owned));
        }
        if responses.insert(pattern.clone(), Value::Object(response)).is_some() {
            let message = match pattern.as_str() {
                "default" => "a second integration response without `SelectionPattern`".to_owned(),
                pattern => format!("a second integration response for `{pattern}`"),
            };
            problems.error(&node.path, message, Some("each of them has a pattern of its own, and one may have none"));
        }
    }
    Value::Object(responses)
}

/// `method.request.header.X: true` and the variables of the path.
fn parameters(resource: &Resource, path: &str, operation: &mut Map<String, Value>, problems: &mut Problems) {
    let mut parameters = Vec::new();
    let parameter = |name: &str, place: &str, required: bool| json!({ "name": name, "in": place, "required": required, "schema": { "type": "string" } });
    for variable in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        parameters.push(parameter(variable.trim_end_matches('+'), "path", true));
    }
    if let Some(declared) = resource.get("RequestParameters") {
        for (name, required) in declared.members(problems) {
            let places = [("header", "header"), ("querystring", "query"), ("path", "path")];
            let known = places.iter().find_map(|(place, written)| {
                let name = name.strip_prefix("method.request.")?.strip_prefix(place)?.strip_prefix('.')?;
                Some((name, *written))
            });
            let Some((name, place)) = known else {
                // "multivalueheader" and "multivaluequerystring" are of mappings only.
                problems.error(
                    &required.path,
                    format!("`{name}` is no parameter of a request"),
                    Some("`method.request.header.NAME` and the like"),
                );
                continue;
            };
            let required = required.boolean(problems).unwrap_or(false);
            if place != "path" {
                parameters.push(parameter(name, place, required));
            }
        }
    }
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
}

fn request_body(resource: &Resource, used: &mut Used, operation: &mut Map<String, Value>, problems: &mut Problems) {
    let Some(models) = resource.get("RequestModels") else { return };
    let content = content(&models, used, problems);
    if !content.is_empty() {
        operation.insert("requestBody".to_owned(), json!({ "content": content }));
    }
}

/// Media type to model.
fn content(models: &Node<'_>, used: &mut Used, problems: &mut Problems) -> Map<String, Value> {
    let mut content = Map::new();
    for (media_type, model) in models.members(problems) {
        let Some(name) = model.text(problems) else { continue };
        content.insert(media_type.to_owned(), json!({ "schema": { "$ref": format!("#/components/schemas/{name}") } }));
        used.models.insert(name);
    }
    content
}

fn responses(resource: &Resource, used: &mut Used, problems: &mut Problems) -> Value {
    let mut responses = Map::new();
    for node in resource.get("MethodResponses").map(|list| list.elements(problems)).unwrap_or_default() {
        node.only(&["StatusCode", "ResponseParameters", "ResponseModels"], problems);
        let Some(status) = node.required_text("StatusCode", problems) else { continue };
        let mut response = Map::new();
        response.insert("description".to_owned(), format!("{status} response").into());
        let mut headers = Map::new();
        for (name, _) in node.get("ResponseParameters").map(|named| named.members(problems)).unwrap_or_default() {
            if let Some(header) = name.strip_prefix("method.response.header.") {
                headers.insert(header.to_owned(), json!({ "schema": { "type": "string" } }));
            }
        }
        if !headers.is_empty() {
            response.insert("headers".to_owned(), Value::Object(headers));
        }
        let content = node.get("ResponseModels").map(|models| content(&models, used, problems)).unwrap_or_default();
        if !content.is_empty() {
            response.insert("content".to_owned(), Value::Object(content));
        }
        responses.insert(status, Value::Object(response));
    }
    Value::Object(responses)
}
