//! The document in the making, and where each part of it comes from: what the compiler says of the document is shown at the line of
//! the template.

use std::collections::HashMap;

use serde_json::{Map, Value};
use tollgate::definition::Node;
use tollgate::problem::{JsonPath, Problems, Segment};

use crate::cli::import::resource::Resource;

/// Parts of the document.
#[derive(Debug, Default)]
pub struct Draft {
    /// `apis`
    pub apis: Vec<Value>,
    /// `apiKeys`
    pub api_keys: Vec<Value>,
    /// `usagePlans`
    pub usage_plans: Vec<Value>,
    /// Path in the document, path in the source.
    origins: Vec<(JsonPath, JsonPath)>,
}

/// Where a value of the document is written.
#[derive(Debug)]
pub struct Origins(HashMap<JsonPath, JsonPath>);

// === impl Draft ===

impl Draft {
    /// Remembers where a part of the document comes from.
    pub fn note(&mut self, made: &JsonPath, written: &JsonPath) {
        self.origins.push((made.clone(), written.clone()));
    }

    /// Remembers where the parts of a property come from that was put together from elsewhere.
    pub fn note_parts(&mut self, resource: &Resource, property: &str, made: &JsonPath) {
        for (name, written) in &resource.places {
            if let Some(pointer) = name.strip_prefix(property).and_then(|rest| rest.strip_prefix('/')) {
                let names = pointer.split('/').map(|name| name.replace("~1", "/").replace("~0", "~"));
                self.note(&names.fold(made.clone(), |made, name| made.key(&name)), written);
            }
        }
    }

    /// Takes members of an object over under their names in the document; what the object has beside them is told.
    pub fn rename(
        &mut self,
        from: &Node<'_>,
        names: &[(&str, &str)],
        made: &JsonPath,
        into: &mut Map<String, Value>,
        problems: &mut Problems,
    ) {
        let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        from.only(&known, problems);
        for (name, to) in names {
            if let Some(value) = from.get(name).filter(|value| !value.value.is_null()) {
                self.note(&made.key(to), &value.path);
                into.insert((*to).to_owned(), value.value.clone());
            }
        }
    }

    /// Where a part of the document comes from.
    pub fn written_at(&self, made: &JsonPath) -> JsonPath {
        self.origins.iter().find(|(path, _)| path == made).map(|(_, written)| written.clone()).unwrap_or_default()
    }

    /// The document, and where its parts come from.
    pub fn finish(self) -> (Value, Origins) {
        let mut document = Map::new();
        document.insert("apis".to_owned(), Value::Array(self.apis));
        for (name, list) in [("apiKeys", self.api_keys), ("usagePlans", self.usage_plans)] {
            if !list.is_empty() {
                document.insert(name.to_owned(), Value::Array(list));
            }
        }
        (Value::Object(document), Origins(self.origins.into_iter().collect()))
    }
}

// === impl Origins ===

impl Origins {
    /// The place in the source of a place in the document: the nearest that is known, and from there on by equal names.
    pub fn of(&self, path: &JsonPath, root: &Value) -> JsonPath {
        let segments = path.segments();
        let mut made = JsonPath::root();
        let mut nearest = None;
        for (depth, segment) in segments.iter().enumerate() {
            made = match segment {
                Segment::Key(name) => made.key(name),
                Segment::Index(index) => made.index(*index),
            };
            nearest = self.0.get(&made).map(|written| (depth + 1, written)).or(nearest);
        }
        let Some((known, written)) = nearest else { return JsonPath::root() };
        let mut place = written.clone();
        let mut value = written.segments().into_iter().try_fold(root, step);
        for segment in segments.iter().skip(known) {
            let capital = match segment {
                Segment::Key(name) => Segment::Key(capitalized(name)),
                Segment::Index(index) => Segment::Index(*index),
            };
            let Some((next, taken)) = value.and_then(|value| {
                let same = step(value, segment).map(|next| (next, *segment));
                same.or_else(|| step(value, &capital).map(|next| (next, &capital)))
            }) else {
                break;
            };
            place = match taken {
                Segment::Key(name) => place.key(name),
                Segment::Index(index) => place.index(*index),
            };
            value = Some(next);
        }
        place
    }
}

fn step<'v>(value: &'v Value, segment: &Segment) -> Option<&'v Value> {
    match segment {
        Segment::Key(name) => value.get(name),
        Segment::Index(index) => value.get(index),
    }
}

/// `uri` as CloudFormation writes it.
fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// `ThrottlingRateLimit` as the document writes it, in an object and all objects in it.
pub fn camel_case(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (lower_first(name), camel_case(value))).collect(),
        Value::Array(elements) => elements.iter().map(camel_case).collect(),
        scalar => plain(scalar),
    }
}

/// `Issuer` as the document writes it.
pub fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Parameters of CloudFormation are texts, and where they are put in they still are: `"true"` and `"10"` become what they mean.
pub fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) if text.eq_ignore_ascii_case("true") => Value::Bool(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Value::Bool(false),
        Value::String(text) if text.parse::<serde_json::Number>().is_ok() => {
            text.parse().map_or_else(|_| value.clone(), Value::Number)
        }
        value => value.clone(),
    }
}
