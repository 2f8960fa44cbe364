//! Whole definitions, policies and schemas that stand in a property: as an object, or as the text of one.

use serde_json::{Map, Value, json};
use tollgate::definition::Node;
use tollgate::problem::{JsonPath, Problems};

use super::draft::Draft;

/// An object that may be written as JSON text.
pub fn object(node: &Node<'_>, problems: &mut Problems) -> Option<Value> {
    let value = match node.value {
        Value::String(text) => serde_json::from_str(text).ok(),
        value => Some(value.clone()),
    };
    let value = value.filter(Value::is_object);
    if value.is_none() {
        problems.error(&node.path, "neither an object nor the JSON text of one", None);
    }
    value
}

/// The member of an object at a path of names, made where it is not there.
pub fn member<'d>(definition: &'d mut Map<String, Value>, names: &[&str]) -> &'d mut Map<String, Value> {
    let mut map = definition;
    for name in names {
        let value = map.entry(*name).or_insert_with(|| json!({}));
        if !value.is_object() {
            *value = json!({});
        }
        let Value::Object(inner) = value else { unreachable!("it was made an object") };
        map = inner;
    }
    map
}

/// Sets an extension of the definition, and where it comes from.
pub fn set(definition: &mut Map<String, Value>, name: &str, value: Value, made: &JsonPath, written: &JsonPath, draft: &mut Draft) {
    draft.note(&made.key("definition").key(name), written);
    definition.insert(name.to_owned(), value);
}
