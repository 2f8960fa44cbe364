//! Models as schemas of the definition. AWS: `AWS::ApiGateway::Model`, "Data models for REST APIs".

use serde_json::{Map, Value, json};
use tollgate::problem::Problems;

use super::super::Api;
use super::super::documents::{member, object};
use super::super::draft::Draft;
use super::super::stack::{Stack, text};
use super::method::Used;

/// `components.schemas`: the API's models, and those that every API has.
pub fn schemas(
    api: &Api<'_>,
    stack: &Stack,
    used: &Used,
    definition: &mut Map<String, Value>,
    draft: &mut Draft,
    problems: &mut Problems,
) {
    let mut schemas = Map::new();
    for resource in stack.of_owner("AWS::ApiGateway::Model", "RestApiId", &api.id) {
        let name = text(resource, "Name").unwrap_or(stack.identity(resource));
        let made = api.path.key("definition").key("components").key("schemas").key(name);
        draft.note(&made, &resource.place("Schema"));
        let schema = resource.get("Schema").and_then(|schema| object(&schema, problems)).unwrap_or_else(|| json!({}));
        if schemas.insert(name.to_owned(), pointed(schema, name)).is_some() {
            problems.error(&resource.path, format!("a second model `{name}`"), Some("give it another `Name`"));
        }
    }
    for name in &used.models {
        if !schemas.contains_key(name) {
            let schema = match name.as_str() {
                "Empty" => json!({ "title": "Empty Schema", "type": "object" }),
                "Error" => {
                    json!({ "title": "Error Schema", "type": "object", "properties": { "message": { "type": "string" } } })
                }
                name => {
                    let place = stack
                        .of_owner("AWS::ApiGateway::Method", "RestApiId", &api.id)
                        .find(|method| method.properties.to_string().contains(&format!(":{}", Value::from(name))));
                    let path = place.map_or_else(|| api.resource.path.clone(), |method| method.path.clone());
                    problems.error(&path, format!("the API has no model `{name}`"), None);
                    continue;
                }
            };
            schemas.insert(name.clone(), schema);
        }
    }
    if !schemas.is_empty() {
        *member(definition, &["components", "schemas"]) = schemas;
    }
}

/// Models name others by a URL, and parts of their own from their root: in a definition both are parts of it.
fn pointed(mut schema: Value, name: &str) -> Value {
    match &mut schema {
        Value::Object(members) => {
            for (key, value) in members.iter_mut() {
                match value {
                    Value::String(text) if key == "$ref" => *text = pointer(text, name),
                    value => *value = pointed(value.take(), name),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| *element = pointed(element.take(), name)),
        _ => {}
    }
    schema
}

fn pointer(text: &str, name: &str) -> String {
    let model = text.strip_prefix("https://apigateway.amazonaws.com/restapis/").and_then(|rest| rest.split_once("/models/"));
    match model {
        Some((_, model)) => format!("#/components/schemas/{model}"),
        None if text == "#" => format!("#/components/schemas/{name}"),
        None => match text.strip_prefix("#/") {
            Some(rest) => format!("#/components/schemas/{name}/{rest}"),
            None => text.to_owned(),
        },
    }
}
