//! The gateway document before it is read: the tree of everything but the path items of its definitions, which stay text until each
//! is compiled. The tree of thousands of resources is several times as large as what is made of it, and the memory of a VM never
//! shrinks again.

use super::protobuf_struct;
use crate::problem::{About, JsonPath, Problem, Severity};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};
use std::fmt;

/// A gateway document, taken apart.
#[derive(Debug)]
pub struct Outline<'t> {
    /// Everything else. Definitions have their `paths` here too where something may refer into them.
    pub tree: Value,
    /// The path items of each element of `apis`; none, where its definition has no object of them.
    pub paths: Vec<Option<Members<'t>>>,
}

/// The members of an object, in the order written, each still text.
#[derive(Debug)]
pub struct Members<'t>(Vec<(String, &'t RawValue)>);

/// Where the reader of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Document,
    Apis,
    Api,
    Definition,
    Paths,
    Elsewhere,
}

/// Reads a document in one go.
struct Reader<'t, 'o> {
    place: Place,
    /// Whether `paths` become trees, too.
    refers: bool,
    paths: &'o mut Vec<Option<Members<'t>>>,
}

/// What `read` makes of the plugin configuration, which is JSON text or a binary `google.protobuf.Struct`.
pub fn outlined<T>(bytes: &[u8], read: impl FnOnce(&Outline<'_>) -> T) -> Result<T, Problem> {
    // JSON first: a Struct begins with the tag 0x0a, which is white space to JSON, but no Struct is JSON to its end.
    let problem = match std::str::from_utf8(bytes).map_err(|error| not_json(&error.to_string())).and_then(Outline::read) {
        Ok(outline) => return Ok(read(&outline)),
        Err(problem) => problem,
    };
    let json = protobuf_struct::to_json(bytes).filter(|_| !bytes.is_empty()).ok_or(problem)?;
    Outline::read(&json).map(|outline| read(&outline))
}

fn not_json(error: &str) -> Problem {
    Problem {
        severity: Severity::Error,
        path: JsonPath::root(),
        about: About::Value,
        message: format!("the document is not JSON: {error}"),
        help: Some("hand the gateway document over as JSON text or as an inline google.protobuf.Struct".to_owned()),
    }
}

// === impl Outline ===

impl<'t> Outline<'t> {
    /// Takes a document apart.
    pub fn read(text: &'t str) -> Result<Self, Problem> {
        let mut paths = Vec::new();
        // However a slash is written.
        let refers = ["#/paths", "#\\/paths"].iter().any(|pointer| text.contains(pointer));
        let reader = Reader { place: Place::Document, refers, paths: &mut paths };
        let mut json = serde_json::Deserializer::from_str(text);
        let tree = reader.deserialize(&mut json).and_then(|tree| json.end().map(|()| tree));
        tree.map(|tree| Self { tree, paths }).map_err(|error| not_json(&error.to_string()))
    }
}

// === impl Reader ===

impl<'t> Reader<'t, '_> {
    fn below(&mut self, place: Place) -> Reader<'t, '_> {
        Reader { place, refers: self.refers, paths: self.paths }
    }
}

impl<'t> DeserializeSeed<'t> for Reader<'t, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'t>>(self, json: D) -> Result<Value, D::Error> {
        if self.place == Place::Elsewhere { Value::deserialize(json) } else { json.deserialize_any(self) }
    }
}

impl<'t> Visitor<'t> for Reader<'t, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'t>>(mut self, mut json: A) -> Result<Value, A::Error> {
        if self.place == Place::Paths {
            let items = Members::read(json)?;
            let trees = if self.refers { items.trees().map_err(A::Error::custom)? } else { Map::new() };
            if let Some(paths) = self.paths.last_mut() {
                *paths = Some(items);
            }
            return Ok(Value::Object(trees));
        }
        let mut members = Map::new();
        while let Some(name) = json.next_key::<String>()? {
            let place = self.place.below(&name);
            if let (Place::Definition | Place::Paths, Some(paths)) = (place, self.paths.last_mut()) {
                // Of two with one name the last counts.
                *paths = None;
            }
            let value = json.next_value_seed(self.below(place))?;
            if place == Place::Paths && value.is_object() && !self.refers {
                members.shift_remove(&name);
            } else {
                members.insert(name, value);
            }
        }
        Ok(Value::Object(members))
    }

    fn visit_seq<A: SeqAccess<'t>>(mut self, mut json: A) -> Result<Value, A::Error> {
        let is_apis = self.place == Place::Apis;
        let place = if is_apis { Place::Api } else { Place::Elsewhere };
        let mut elements = Vec::new();
        loop {
            if is_apis {
                // Of two lists the last counts.
                self.paths.truncate(elements.len());
                self.paths.push(None);
            }
            let Some(element) = json.next_element_seed(self.below(place))? else { break };
            elements.push(element);
        }
        if is_apis {
            self.paths.truncate(elements.len());
        }
        Ok(Value::Array(elements))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::from(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

// === impl Place ===

impl Place {
    /// The place of a member.
    fn below(self, name: &str) -> Self {
        match (self, name) {
            (Self::Document, "apis") => Self::Apis,
            (Self::Api, "definition") => Self::Definition,
            (Self::Definition, "paths") => Self::Paths,
            _ => Self::Elsewhere,
        }
    }
}

// === impl Members ===

impl<'t> Members<'t> {
    /// The names and the texts.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &'t RawValue)> {
        self.0.iter().map(|(name, text)| (name.as_str(), *text))
    }

    fn read<A: MapAccess<'t>>(mut json: A) -> Result<Self, A::Error> {
        let mut read: Vec<(String, &'t RawValue)> = Vec::new();
        let mut places = Map::new();
        while let Some((name, value)) = json.next_entry::<String, &'t RawValue>()? {
            // The last of those with one name counts, where the first stands: as in every other object.
            let known = places.get(&name).and_then(Value::as_u64).and_then(|place| usize::try_from(place).ok());
            match known.and_then(|place| read.get_mut(place)) {
                Some(member) => member.1 = value,
                None => {
                    places.insert(name.clone(), Value::from(read.len()));
                    read.push((name, value));
                }
            }
        }
        Ok(Self(read))
    }

    fn trees(&self) -> Result<Map<String, Value>, serde_json::Error> {
        self.iter().map(|(name, text)| Ok((name.to_owned(), serde_json::from_str(text.get())?))).collect()
    }
}

#[cfg(test)]
impl Outline<'static> {
    /// The outline of a tree.
    pub fn from_value(document: &Value) -> Self {
        Self::read(document.to_string().leak()).unwrap()
    }

    /// The outline of one definition.
    pub fn of_definition(definition: &Value) -> Self {
        Self::from_value(&serde_json::json!({"apis": [{"definition": definition}]}))
    }

    /// That definition, as if it were the whole document.
    pub fn definition(&self) -> super::Definition<'_> {
        let value = self.tree.pointer("/apis/0/definition").unwrap();
        super::Definition { root: super::Node::root(value), paths: self.paths[0].as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(outline: &Outline<'_>) -> Vec<Vec<(String, String)>> {
        let text = |(name, item): (&str, &RawValue)| (name.to_owned(), item.get().to_owned());
        outline.paths.iter().map(|paths| paths.iter().flat_map(Members::iter).map(text).collect()).collect()
    }

    fn named(items: &[(&str, &str)]) -> Vec<(String, String)> {
        items.iter().map(|(name, item)| ((*name).to_owned(), (*item).to_owned())).collect()
    }

    #[test]
    fn path_items_stay_text_and_everything_else_becomes_a_tree() {
        let text =
            r#" {"a": null, "apis": [{"name": "x", "definition": {"x-y": [1], "paths": {"/b": {"get": {}}, "/a": 1 }}}, 7]}"#;
        let outline = Outline::read(text).unwrap();
        assert_eq!(outline.tree, json!({"a": null, "apis": [{"name": "x", "definition": {"x-y": [1]}}, 7]}));
        assert_eq!(paths(&outline), [named(&[("/b", r#"{"get": {}}"#), ("/a", "1")]), named(&[])]);
    }

    #[test]
    fn of_two_members_with_one_name_the_last_counts() {
        let text = r#"{"apis": 1, "apis": [{"definition": {"paths": {"/a": 1, "/b": 2, "/a": 3}, "x": 1, "x": 2}}]}"#;
        let outline = Outline::read(text).unwrap();
        assert_eq!(outline.tree, json!({"apis": [{"definition": {"x": 2}}]}));
        assert_eq!(named(&[("/a", "3"), ("/b", "2")]), paths(&outline)[0]);
        for (twice, tree, is_there) in [
            (r#""paths": {"/a": {}}, "paths": 1"#, json!({"paths": 1}), false),
            (r#""paths": 1, "paths": {"/a": {}}"#, json!({}), true),
            (r#""paths": {"/a": {}}}, "definition": {"x": 1"#, json!({"x": 1}), false),
        ] {
            let text = format!(r#"{{"apis": [{{}}, {{}}], "apis": [{{"definition": {{{twice}}}}}]}}"#);
            let outline = Outline::read(&text).unwrap();
            assert_eq!(outline.tree, json!({"apis": [{"definition": tree}]}));
            assert_eq!(outline.paths[0].is_some(), is_there, "{text}");
        }
    }

    #[test]
    fn what_is_no_object_of_paths_is_left_for_whoever_reads_it() {
        for definition in [json!({"paths": [1]}), json!({"paths": null}), json!("text"), json!({})] {
            let outline = Outline::of_definition(&definition);
            assert_eq!(outline.tree["apis"][0]["definition"], definition);
            assert!(outline.paths[0].is_none());
        }
        for apis in [json!({"definition": {"paths": {}}}), json!(null), json!([[]])] {
            let outline = Outline::from_value(&json!({"apis": apis}));
            assert_eq!(outline.tree["apis"], apis);
        }
    }

    #[test]
    fn a_definition_that_refers_into_its_paths_has_them_as_a_tree_too() {
        for pointer in ["#/paths/~1a", r"#\/paths\/~1a"] {
            let text = format!(r#"{{"apis": [{{"definition": {{"paths": {{"/a": {{}}, "/b": {{"$ref": "{pointer}"}}}}}}}}]}}"#);
            let outline = Outline::read(&text).unwrap();
            assert_eq!(outline.tree["apis"][0]["definition"]["paths"]["/b"]["$ref"], "#/paths/~1a");
            assert_eq!(paths(&outline)[0].len(), 2);
        }
    }

    #[test]
    fn text_that_is_neither_json_nor_a_struct_is_one_problem_with_its_place_in_the_text() {
        for (text, place) in
            [("{\n \"apis\": [,]}", "line 2 column 11"), ("{\"apis\": [\n  1e999]}", "number out of range at line 2 column 7")]
        {
            let problem = outlined(text.as_bytes(), |_| ()).unwrap_err();
            assert!(problem.message.contains(place), "{}", problem.message);
        }
    }

    #[test]
    fn leading_white_space_does_not_make_json_a_struct() {
        assert_eq!(outlined(b"\n{\n}", |outline| outline.tree.clone()), Ok(json!({})));
    }
}
