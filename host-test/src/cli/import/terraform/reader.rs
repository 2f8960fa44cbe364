//! Reads the attributes of an instance by a table. What the table does not know is told.

use serde_json::{Map, Value};
use tollgate::problem::{JsonPath, Problems};

use super::super::Settings;
use super::cursor::{Cursor, is_empty, plain};
use super::file::File;
use super::rules::Home;
use super::shape::{Field, Shape};
use crate::cli::source;

/// Properties, and where each stands.
#[derive(Default)]
pub struct Converted {
    pub properties: Map<String, Value>,
    pub places: Vec<(String, JsonPath)>,
}

/// Everything that reading takes.
pub struct Reader<'s, 'f> {
    pub file: &'s File<'f>,
    pub settings: &'s Settings,
    pub home: Home<'s>,
    pub problems: &'s mut Problems,
}

/// Attributes of many resources that say nothing of what is served.
const EVERYWHERE: [&str; 9] =
    ["id", "arn", "region", "tags", "tags_all", "timeouts", "created_date", "last_updated_date", "execution_arn"];

// === impl Reader ===

impl<'s, 'f> Reader<'s, 'f> {
    /// All attributes of an instance, by a table.
    pub fn convert(&mut self, cursor: &Cursor<'s, 'f>, fields: &[Field]) -> Converted {
        let mut converted = Converted::default();
        for field in fields {
            let at = cursor.field(field.from);
            if let Some(value) = self.read(&at, &field.shape) {
                converted.places.push((field.to.to_owned(), at.path));
                converted.properties.insert(field.to.to_owned(), value);
            }
        }
        for (name, value) in cursor.value.and_then(Value::as_object).into_iter().flatten() {
            let is_known = EVERYWHERE.contains(&name.as_str()) || fields.iter().any(|field| field.from == name);
            if !is_known && !is_empty(value) && *value != false && value.as_f64() != Some(0.0) {
                let at = cursor.field(name);
                let message = format!("`{}` of `{}` is not read", at.name, at.instance.address);
                self.problems.warning(&at.path, message, Some("the document is made without it"));
            }
        }
        converted
    }

    /// One attribute.
    pub fn read(&mut self, at: &Cursor<'s, 'f>, shape: &Shape) -> Option<Value> {
        let known = || at.value.filter(|value| !is_empty(value)).cloned();
        match shape {
            Shape::Unused => None,
            Shape::Link(kinds) => self.link(at, kinds),
            Shape::VpcLink(kinds) => self.vpc_link(at, kinds),
            Shape::Parent => self.parent(at),
            Shape::Target => self.target(at),
            Shape::Block(fields) if at.value.is_some_and(Value::is_array) => {
                let block = at.blocks().next()?;
                let properties = self.convert(&block, fields).properties;
                (!properties.is_empty()).then_some(Value::Object(properties))
            }
            Shape::Blocks(fields) if at.value.is_some_and(Value::is_array) => {
                let blocks: Vec<Cursor<'s, 'f>> = at.blocks().collect();
                let blocks = blocks.iter().map(|block| Value::Object(self.convert(block, fields).properties));
                let blocks: Vec<Value> = blocks.collect();
                (!blocks.is_empty()).then_some(Value::Array(blocks))
            }
            // Inside of `dynamic` nobody knows whether it is set at all: what has a default has it.
            Shape::Unless(_) if at.hidden && at.expression.is_none() && at.value.is_none() => None,
            _ if at.is_unknown() => self.unknown(at, shape),
            Shape::Unless(default) => known().filter(|value| plain(value) != *default),
            Shape::Number => {
                let value = known()?;
                Some(value.as_str().and_then(|text| text.parse::<i64>().ok()).map_or(value, Value::from))
            }
            Shape::Json => self.json(at, at.text()?),
            Shape::Plain | Shape::List | Shape::Direct | Shape::Uri | Shape::HttpUri | Shape::Issuer if at.is_partly_unknown() => {
                self.partly(at)
            }
            Shape::Plain
            | Shape::List
            | Shape::Direct
            | Shape::Loose
            | Shape::Uri
            | Shape::HttpUri
            | Shape::Issuer
            | Shape::MethodPath => known(),
            Shape::Block(_) | Shape::Blocks(_) => None,
        }
    }

    /// A text that holds JSON, or YAML.
    pub(super) fn json(&mut self, at: &Cursor<'s, 'f>, text: &str) -> Option<Value> {
        match source::value_of(text) {
            Ok(value) => Some(value),
            Err(message) => {
                let message = format!("`{}` of `{}` is neither JSON nor YAML: {message}", at.name, at.instance.address);
                self.problems.error(&at.path, message, None);
                None
            }
        }
    }
}
