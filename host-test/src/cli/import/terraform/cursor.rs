//! A value of an instance: what is known of it, what is not, and the expression that the configuration has for it.

use serde_json::Value;
use tollgate::problem::JsonPath;

use super::file::{File, Instance};

/// A value of an instance, known or not.
#[derive(Clone)]
pub struct Cursor<'s, 'f> {
    pub instance: &'s Instance<'f>,
    pub value: Option<&'f Value>,
    pub unknown: Option<&'f Value>,
    pub expression: Option<&'f Value>,
    /// The block around it is written by `dynamic`, of which a plan shows no expressions.
    pub hidden: bool,
    pub path: JsonPath,
    /// `jwt_configuration[0].issuer`
    pub name: String,
}

/// Whether a value says nothing: Terraform writes what is not set as `null`, or as what is empty.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

// === impl Cursor ===

impl<'s, 'f> Cursor<'s, 'f> {
    /// All of an instance.
    pub fn new(file: &'s File<'f>, instance: &'s Instance<'f>) -> Self {
        Self {
            instance,
            value: Some(instance.values),
            unknown: instance.unknown,
            expression: file.expressions(instance),
            hidden: false,
            path: instance.path.clone(),
            name: String::new(),
        }
    }

    /// One of its attributes.
    pub fn field(&self, name: &str) -> Self {
        let of = |value: Option<&'f Value>| value.and_then(|value| value.get(name));
        Self {
            instance: self.instance,
            value: of(self.value).filter(|value| !value.is_null()),
            unknown: of(self.unknown),
            expression: of(self.expression),
            hidden: self.hidden,
            path: self.path.key(name),
            name: if self.name.is_empty() { name.to_owned() } else { format!("{}.{name}", self.name) },
        }
    }

    /// One of its blocks.
    pub fn block(&self, index: usize) -> Self {
        let of = |value: Option<&'f Value>| value.and_then(|value| value.get(index));
        let value = of(self.value);
        let expression = self.expression.and_then(|expression| written(expression, index, value));
        Self {
            instance: self.instance,
            value,
            unknown: of(self.unknown),
            expression,
            hidden: self.hidden || expression.is_none(),
            path: self.path.index(index),
            name: format!("{}[{index}]", self.name),
        }
    }

    /// One element of a map; the configuration has one expression for all of them.
    pub fn element(&self, name: &str) -> Self {
        let mut element = self.field(name);
        element.expression = self.expression;
        element.name = format!("{}[{}]", self.name, Value::from(name));
        element
    }

    /// All blocks of a name.
    pub fn blocks(&self) -> impl Iterator<Item = Self> + use<'_, 's, 'f> {
        let count = self.value.and_then(Value::as_array).map_or(0, Vec::len);
        (0..count).map(|index| self.block(index))
    }

    /// A known text.
    pub fn text(&self) -> Option<&'f str> {
        self.value.and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Whether the configuration sets it to what is known only after apply.
    pub fn is_unknown(&self) -> bool {
        let is_set = self.expression.is_some() || self.hidden;
        match self.unknown {
            Some(Value::Bool(true)) => is_set,
            // A plan whose `resource_changes` were cut away.
            None if self.instance.unknown.is_none() => {
                self.value.is_none() && self.expression.is_some_and(|it| it.get("references").is_some())
            }
            _ => false,
        }
    }

    pub fn is_partly_unknown(&self) -> bool {
        let is_set = self.expression.is_some() || self.hidden;
        is_set && self.unknown.is_some_and(|unknown| !unknown.is_boolean() && holds_unknown(unknown))
    }
}

/// Whether any part of a value is known only after apply.
pub fn holds_unknown(unknown: &Value) -> bool {
    match unknown {
        Value::Bool(unknown) => *unknown,
        Value::Array(elements) => elements.iter().any(holds_unknown),
        Value::Object(members) => members.values().any(holds_unknown),
        _ => false,
    }
}

/// The block of the configuration that a block of the values was written by. A set has another order than its blocks: that with the
/// same constants is meant.
fn written<'f>(expression: &'f Value, index: usize, value: Option<&Value>) -> Option<&'f Value> {
    let Value::Array(blocks) = expression else { return Some(expression) };
    if let [only] = blocks.as_slice() {
        return Some(only);
    }
    let fits = |block: &&'f Value| {
        let members = block.as_object().into_iter().flatten();
        members.filter_map(|(name, inner)| Some((name, inner.get("constant_value")?))).all(|(name, constant)| {
            let found = value.and_then(|value| value.get(name)).unwrap_or(&Value::Null);
            // A number may be written as a text, and a text as a number.
            found == constant || plain(found) == plain(constant)
        })
    };
    let fitting: Vec<&Value> = blocks.iter().filter(fits).collect();
    match fitting.as_slice() {
        [only] => Some(only),
        _ => blocks.get(index),
    }
}

/// A text without its quotes, anything else as JSON writes it.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
