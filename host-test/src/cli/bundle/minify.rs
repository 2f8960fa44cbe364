//! A document without what nobody asks at run time: descriptions, examples, tags, the models of responses and those that no request
//! is checked against. Custom resources of Kubernetes have an end, at about 1.5 MB.
//!
//! What it does not know it leaves alone: extensions, templates and mappings are not looked into.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// What OpenAPI has for the reader, wherever it stands.
const WORDS: [&str; 6] = ["description", "summary", "externalDocs", "example", "examples", "tags"];

/// Places of schemas that hold one, a list of them, or some by name.
const ONE_SCHEMA: [&str; 9] =
    ["items", "additionalProperties", "additionalItems", "not", "contains", "propertyNames", "if", "then", "else"];
const SCHEMAS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const NAMED_SCHEMAS: [&str; 4] = ["properties", "patternProperties", "definitions", "$defs"];

/// What a reference to a model begins with, in OpenAPI and in Swagger.
const MODELS: [[&str; 2]; 2] = [["components", "schemas"], ["", "definitions"]];

/// Takes it out of a gateway document.
pub fn minify(document: &mut Value) {
    for list in ["apiKeys", "usagePlans"] {
        each(document.get_mut(list), |entry| drop_members(entry, &["description"]));
    }
    each(document.get_mut("apis"), |api| {
        if let Some(definition) = api.get_mut("definition") {
            minify_definition(definition);
        }
    });
}

fn minify_definition(definition: &mut Value) {
    drop_members(definition, &["externalDocs", "tags", "x-amazon-apigateway-documentation"]);
    if let Some(info) = definition.get_mut("info").and_then(Value::as_object_mut) {
        info.retain(|name, _| ["title", "version"].contains(&name.as_str()) || name.starts_with("x-"));
    }
    each(definition.get_mut("servers"), words);
    each(definition.get_mut("paths"), path_item);
    for name in ["parameters", "responses", "securityDefinitions"] {
        components(name, definition.get_mut(name));
    }
    if let Some(members) = definition.get_mut("components").and_then(Value::as_object_mut) {
        members.iter_mut().for_each(|(name, value)| components(name, Some(value)));
    }
    each(definition.get_mut("definitions"), schema);
    drop_unused_models(definition);
}

/// Swagger has them at the top, OpenAPI among `components`.
fn components(name: &str, named: Option<&mut Value>) {
    match name {
        "schemas" => each(named, schema),
        "parameters" => each(named, parameter),
        "requestBodies" => each(named, request_body),
        "responses" => each(named, response),
        "headers" => each(named, parameter),
        "securitySchemes" | "securityDefinitions" => each(named, |scheme| drop_members(scheme, &["description"])),
        _ => {}
    }
}

fn path_item(item: &mut Value) {
    drop_members(item, &["description", "summary"]);
    each(item.get_mut("parameters"), parameter);
    let Some(members) = item.as_object_mut() else { return };
    for (name, value) in members.iter_mut() {
        let is_any = name == "x-amazon-apigateway-any-method";
        if is_any || (!name.starts_with("x-") && value.is_object()) {
            operation(value);
        }
    }
}

fn operation(operation: &mut Value) {
    words(operation);
    each(operation.get_mut("parameters"), parameter);
    if let Some(body) = operation.get_mut("requestBody") {
        request_body(body);
    }
    each(operation.get_mut("responses"), response);
}

fn parameter(parameter: &mut Value) {
    words(parameter);
    if let Some(value) = parameter.get_mut("schema") {
        schema(value);
    }
    content(parameter);
}

fn request_body(body: &mut Value) {
    words(body);
    content(body);
}

/// The model of a response is for those who write clients: no response is checked.
fn response(response: &mut Value) {
    words(response);
    drop_members(response, &["schema", "links"]);
    each(response.get_mut("content"), |media| drop_members(media, &["schema", "example", "examples", "encoding"]));
    each(response.get_mut("headers"), parameter);
}

fn content(of: &mut Value) {
    each(of.get_mut("content"), |media| {
        words(media);
        if let Some(value) = media.get_mut("schema") {
            schema(value);
        }
    });
}

/// Its keywords; a property may well be called `description`.
fn schema(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else { return };
    for name in ["description", "externalDocs", "example", "examples", "$comment", "xml"] {
        members.shift_remove(name);
    }
    for (name, value) in members.iter_mut() {
        let name = name.as_str();
        let are_several = [&NAMED_SCHEMAS, &SCHEMAS].iter().any(|names| names.contains(&name));
        if are_several || (name == "items" && value.is_array()) {
            each(Some(value), self::schema);
        } else if ONE_SCHEMA.contains(&name) {
            self::schema(value);
        }
    }
}

/// Models that nothing names any more, not even another model that is named.
fn drop_unused_models(definition: &mut Value) {
    for [parent, name] in MODELS {
        let pointer = if parent.is_empty() { format!("/{name}") } else { format!("/{parent}/{name}") };
        let Some(models) = definition.pointer(&pointer).and_then(Value::as_object).cloned() else { continue };
        let prefix = format!("#{pointer}/");
        let mut others = definition.clone();
        if let Some(models) = others.pointer_mut(&pointer) {
            *models = Value::Null;
        }
        let mut used = BTreeSet::new();
        let mut wanted = names(&others, &prefix);
        while let Some(name) = wanted.pop() {
            if let Some(model) = models.get(&name).filter(|_| !used.contains(&name)) {
                wanted.extend(names(model, &prefix));
                used.insert(name);
            }
        }
        if let Some(models) = definition.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            models.retain(|name, _| used.contains(name));
        }
    }
}

/// The models that texts of a value name, as references or by AWS's URLs of models (`.../restapis/ID/models/NAME`).
fn names(value: &Value, prefix: &str) -> Vec<String> {
    match value {
        Value::String(text) => {
            let named = text.strip_prefix(prefix).or_else(|| text.rsplit_once("/models/").map(|(_, name)| name));
            let named = named.map(|name| name.split('/').next().unwrap_or(name));
            named.map(|name| name.replace("~1", "/").replace("~0", "~")).into_iter().collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| names(item, prefix)).collect(),
        Value::Object(members) => members.values().flat_map(|value| names(value, prefix)).collect(),
        _ => Vec::new(),
    }
}

fn words(value: &mut Value) {
    drop_members(value, &WORDS);
}

fn drop_members(value: &mut Value, names: &[&str]) {
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, _| !names.contains(&name.as_str()));
    }
}

/// Every element of a list, or every member of an object.
fn each(value: Option<&mut Value>, change: impl FnMut(&mut Value)) {
    match value {
        Some(Value::Array(items)) => items.iter_mut().for_each(change),
        Some(Value::Object(members)) => Map::values_mut(members).for_each(change),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_for_readers_goes_and_a_property_of_that_name_stays() {
        let mut document = json!({"apis": [{"definition": {
            "info": {"title": "t", "version": "1", "description": "d"},
            "paths": {"/a": {"post": {
                "description": "d", "operationId": "o",
                "parameters": [{"name": "description", "in": "query", "description": "d"}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}},
                "responses": {"200": {"description": "d", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Out"}}}}},
                "x-amazon-apigateway-integration": {"requestTemplates": {"application/json": "{\"description\": 1}"}, "description": "kept"},
            }}},
            "components": {"schemas": {
                "In": {"type": "object", "description": "d", "properties": {"description": {"type": "string", "example": "e"},
                    "next": {"$ref": "#/components/schemas/Next"}}},
                "Next": {"type": "object", "properties": {"in": {"$ref": "#/components/schemas/In"}}},
                "Out": {"type": "object"},
            }},
        }}]});
        minify(&mut document);
        assert_eq!(
            document["apis"][0]["definition"],
            json!({
                "info": {"title": "t", "version": "1"},
                "paths": {"/a": {"post": {
                    "operationId": "o",
                    "parameters": [{"name": "description", "in": "query"}],
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/In"}}}},
                    "responses": {"200": {"content": {"application/json": {}}}},
                    "x-amazon-apigateway-integration": {"requestTemplates": {"application/json": "{\"description\": 1}"}, "description": "kept"},
                }}},
                "components": {"schemas": {
                    "In": {"type": "object", "properties": {"description": {"type": "string"}, "next": {"$ref": "#/components/schemas/Next"}}},
                    "Next": {"type": "object", "properties": {"in": {"$ref": "#/components/schemas/In"}}},
                }},
            })
        );
    }
}
