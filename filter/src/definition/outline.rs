//! The gateway document before it is read: the tree of everything but the path items of its definitions, which stay text until each
//! is compiled. The tree of thousands of resources is several times as large as what is made of it, and the memory of a VM never
//! shrinks again.

use super::protobuf_struct;
use crate::problem::{About, JsonPath, Problem, Severity};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Error, Map, Value, from_str};
use std::borrow::Cow;
use std::fmt;

/// A gateway document, taken apart.
#[derive(Debug)]
pub struct Outline<'t> {
    /// Everything else. A definition has its `paths` here too where something in it refers into them.
    pub tree: Value,
    /// The path items of each element of `apis`; none, where its definition has no object of them.
    pub paths: Vec<Option<Members<'t>>>,
}

/// The members of an object, in the order written, each still text.
#[derive(Debug)]
pub struct Members<'t>(Vec<(String, &'t RawValue)>);

/// The plugin configuration as JSON text, which it is, or a binary `google.protobuf.Struct`.
pub fn json(bytes: &[u8]) -> Result<Cow<'_, str>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string());
    // JSON first: a Struct begins with the tag 0x0a, which is white space to JSON, but no Struct is JSON to its end.
    let json = text.and_then(|text| from_str::<&RawValue>(text).map(|_| text).map_err(|error| error.to_string()));
    json.map(Cow::Borrowed).or_else(|error| {
        let json = protobuf_struct::to_json(bytes).filter(|_| !bytes.is_empty());
        json.map(Cow::Owned).ok_or_else(|| not_json(&error))
    })
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
        // What is wrong within a part of the text is told with its place in the whole.
        Self::of(text).map_err(|error| not_json(&from_str::<Value>(text).err().unwrap_or(error).to_string()))
    }

    fn of(text: &'t str) -> Result<Self, Error> {
        let mut paths = Vec::new();
        let tree = object(from_str(text)?, |name, value| match name {
            "apis" => array(value, |api| {
                let mut of_api = None;
                let tree = object(api, |name, value| match name {
                    "definition" => definition(value, &mut of_api).map(Some),
                    _ => tree(value),
                });
                paths.push(of_api);
                tree
            })
            .map(Some),
            _ => tree(value),
        })?;
        Ok(Self { tree, paths })
    }
}

fn tree(text: &RawValue) -> Result<Option<Value>, Error> {
    from_str(text.get()).map(Some)
}

/// The tree of a definition, whose path items go to `paths`.
fn definition<'t>(definition: &'t RawValue, paths: &mut Option<Members<'t>>) -> Result<Value, Error> {
    // However a slash is written.
    let refers = ["#/paths", "#\\/paths"].iter().any(|pointer| definition.get().contains(pointer));
    object(definition, |name, value| {
        if name != "paths" || !value.get().starts_with('{') {
            return tree(value);
        }
        let items: Members<'t> = from_str(value.get())?;
        for (_, item) in items.iter() {
            // What is no JSON is found now, and not when there is nobody any more to tell it to.
            tree(item)?;
        }
        *paths = Some(items);
        if refers { tree(value) } else { Ok(None) }
    })
}

/// An object whose members are read by `read`, and left out where it says none; anything else is read as it is.
fn object<'t>(
    text: &'t RawValue,
    mut read: impl FnMut(&str, &'t RawValue) -> Result<Option<Value>, Error>,
) -> Result<Value, Error> {
    if !text.get().starts_with('{') {
        return from_str(text.get());
    }
    let mut members = Map::new();
    for (name, value) in from_str::<Members<'t>>(text.get())?.0 {
        if let Some(value) = read(&name, value)? {
            members.insert(name, value);
        }
    }
    Ok(Value::Object(members))
}

/// The same of an array.
fn array<'t>(text: &'t RawValue, read: impl FnMut(&'t RawValue) -> Result<Value, Error>) -> Result<Value, Error> {
    if !text.get().starts_with('[') {
        return from_str(text.get());
    }
    let elements: Vec<&'t RawValue> = from_str(text.get())?;
    elements.into_iter().map(read).collect()
}

// === impl Members ===

impl<'t> Members<'t> {
    /// The names and the texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'t RawValue)> {
        self.0.iter().map(|(name, text)| (name.as_str(), *text))
    }
}

impl<'t> Deserialize<'t> for Members<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'t> Visitor<'t> for Read {
            type Value = Members<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut members: A) -> Result<Members<'t>, A::Error> {
                let mut read: Vec<(String, &'t RawValue)> = Vec::new();
                let mut places = Map::new();
                while let Some((name, value)) = members.next_entry::<String, &'t RawValue>()? {
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
                Ok(Members(read))
            }
        }
        deserializer.deserialize_map(Read)
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
        assert_eq!(paths(&outline), [named(&[("/a", "3"), ("/b", "2")])]);
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
        for (text, place) in [
            ("{\n \"apis\": [,]}", "line 2 column 11"),
            ("{\"apis\": [{\"definition\": {\"paths\": {\n  \"/a\": \"\\ud800\"}}}]}", "line 2 column"),
            ("{\"apis\": [\n  1e999]}", "number out of range at line 2 column 7"),
        ] {
            let problem = json(text.as_bytes()).and_then(|json| Outline::read(&json).map(drop)).unwrap_err();
            assert!(problem.message.contains(place), "{}", problem.message);
        }
    }

    #[test]
    fn leading_white_space_does_not_make_json_a_struct() {
        assert_eq!(json(b"\n{\n}").unwrap(), "\n{\n}");
    }
}
