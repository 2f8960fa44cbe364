//! Manifests against the schemas of their CRDs, as an API server validates them strictly: a field that is not in the schema is an
//! error, where the API server by itself would drop it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::process::repository;

/// A resource's name: RFC 1123.
const NAME: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// By `GROUP_VERSION_KIND`.
pub struct Schemas(BTreeMap<String, jsonschema::Validator>);

/// The resources of a stream of YAML.
pub fn resources(text: &str) -> Vec<Value> {
    let documents = serde_norway::Deserializer::from_str(text);
    let read = documents.map(|document| Value::deserialize(document).expect("the output is YAML"));
    read.filter(|value| !value.is_null()).collect()
}

// === impl Schemas ===

impl Schemas {
    /// All that are there.
    pub fn read() -> Self {
        let mut schemas = BTreeMap::new();
        for entry in std::fs::read_dir(repository().join("host-test/tests/bundle/crds")).expect("the schemas are there") {
            let path = entry.expect("a folder can be read").path();
            if path.extension().is_none_or(|end| end != "json") {
                continue;
            }
            let name = path.file_stem().and_then(|name| name.to_str()).expect("names are UTF-8").to_owned();
            let text = std::fs::read_to_string(&path).expect("a schema can be read");
            let mut schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
            strict(&mut schema);
            let [group, version, kind] = *name.splitn(3, '_').collect::<Vec<_>>() else {
                panic!("`{name}` is no name of a schema")
            };
            schema["required"] = json!(["apiVersion", "kind", "metadata", "spec"]);
            schema["properties"]["apiVersion"] = json!({ "const": format!("{group}/{version}") });
            schema["properties"]["kind"] = json!({ "const": kind });
            schema["properties"]["metadata"] = json!({
                "type": "object",
                "required": ["name", "namespace"],
                "additionalProperties": false,
                "properties": { "name": { "type": "string", "maxLength": 253, "pattern": NAME }, "namespace": { "type": "string", "pattern": NAME } },
            });
            schemas.insert(name, jsonschema::validator_for(&schema).expect("a schema is one"));
        }
        Self(schemas)
    }

    /// What is wrong with a resource.
    pub fn errors(&self, resource: &Value) -> Vec<String> {
        let text = |key: &str| resource[key].as_str().unwrap_or_default();
        let name = format!("{}_{}", text("apiVersion").replace('/', "_"), text("kind"));
        match self.0.get(&name) {
            None => vec![format!("there is no schema of {name}")],
            Some(schema) => schema.iter_errors(resource).map(|error| format!("{name}{}: {error}", error.instance_path())).collect(),
        }
    }
}

/// A structural schema as JSON Schema that refuses what it does not have.
fn strict(schema: &mut Value) {
    const FREE: &str = "x-kubernetes-preserve-unknown-fields";
    if schema["x-kubernetes-int-or-string"] == true {
        schema["type"] = json!(["integer", "string"]);
    }
    let Some(members) = schema.as_object_mut() else { return };
    if members.get("type") == Some(&json!("object"))
        && !members.contains_key("additionalProperties")
        && members.get(FREE) != Some(&json!(true))
    {
        members.insert("additionalProperties".to_owned(), false.into());
    }
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        properties.values_mut().for_each(strict);
    }
    for key in ["items", "additionalProperties"] {
        members.get_mut(key).filter(|value| value.is_object()).into_iter().for_each(strict);
    }
}
