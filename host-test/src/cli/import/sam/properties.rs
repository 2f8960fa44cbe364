//! Reads the members of an object of a SAM template one by one. What nobody asked for is no property that SAM knows, and is
//! refused at its place.

use serde_json::{Map, Value};
use tollgate::problem::{JsonPath, Problems};

use super::super::resource::Resource;

/// The members that are left to read.
#[derive(Debug, Clone)]
pub struct Properties {
    members: Map<String, Value>,
    path: JsonPath,
    places: Vec<(String, JsonPath)>,
}

// === impl Properties ===

impl Properties {
    /// Those of a resource.
    pub fn of(resource: &Resource) -> Self {
        let members = resource.properties.as_object().cloned().unwrap_or_default();
        Self { members, path: resource.path.key("Properties"), places: resource.places.clone() }
    }

    /// Those of any other object; something that is no object is refused.
    pub fn of_object(value: Value, path: &JsonPath, problems: &mut Problems) -> Option<Self> {
        match value {
            Value::Object(members) => Some(Self { members, path: path.clone(), places: Vec::new() }),
            Value::Null => Some(Self { members: Map::new(), path: path.clone(), places: Vec::new() }),
            _ => {
                problems.error(path, "has to be an object", None);
                None
            }
        }
    }

    /// Where a member stands.
    pub fn path(&self, name: &str) -> JsonPath {
        let known = self.places.iter().find(|(known, _)| known == name).map(|(_, path)| path.clone());
        known.unwrap_or_else(|| self.path.key(name))
    }

    /// Where the object stands.
    pub fn root(&self) -> &JsonPath {
        &self.path
    }

    /// A member, which stays.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A member, which is read then. `null` is as good as none.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.members.shift_remove(name).filter(|value| !value.is_null())
    }

    /// A member that says yes or no.
    pub fn flag(&mut self, name: &str, problems: &mut Problems) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(flag) => Some(flag),
            // What came out of a parameter is text.
            Value::String(text) if text == "true" || text == "false" => Some(text == "true"),
            value => self.wrong(name, &value, "true or false", problems),
        }
    }

    /// A member that is plain text.
    pub fn text(&mut self, name: &str, problems: &mut Problems) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            value => self.wrong(name, &value, "text", problems),
        }
    }

    /// A member that is a list.
    pub fn list(&mut self, name: &str, problems: &mut Problems) -> Option<Vec<Value>> {
        match self.take(name)? {
            Value::Array(items) => Some(items),
            value => self.wrong(name, &value, "a list", problems),
        }
    }

    /// A member that is an object.
    pub fn object(&mut self, name: &str, problems: &mut Problems) -> Option<Self> {
        let value = self.take(name)?;
        Self::of_object(value, &self.path(name), problems)
    }

    /// Says something more.
    pub fn put(&mut self, name: &str, value: Value) {
        self.members.insert(name.to_owned(), value);
    }

    /// A function that is left here hangs on a parameter without a value, or on another resource.
    fn wrong<T>(&self, name: &str, value: &Value, wanted: &str, problems: &mut Problems) -> Option<T> {
        if is_intrinsic(value) {
            let help = "where a parameter decides, `--parameter NAME=VALUE` gives it a value";
            problems.error(&self.path(name), format!("`{name}` has to be known before SAM's transform"), Some(help));
        } else {
            problems.error(&self.path(name), format!("`{name}` has to be {wanted}"), None);
        }
        None
    }

    /// The names that are left, in their order.
    pub fn names(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }

    /// Members that have no say in what a gateway answers: tags, permissions, what is said of deployments.
    pub fn skip(&mut self, names: &[&str]) {
        for name in names {
            self.members.shift_remove(*name);
        }
    }

    /// The members of these names, as they are, for a resource whose properties are called the same.
    pub fn pass(&mut self, names: &[&str], to: &mut Map<String, Value>) {
        for name in names {
            if let Some(value) = self.take(name) {
                to.insert((*name).to_owned(), value);
            }
        }
    }

    /// Tells of what is left where SAM takes no notice of it.
    pub fn finish_unread(self, of: &str, problems: &mut Problems) {
        for name in self.members.keys() {
            let message = format!("`{name}` is no property of {of}, and SAM takes no notice of it");
            problems.warning(&self.path(name), message, Some("leave it out"));
        }
    }

    /// Refuses what is left, as SAM does.
    pub fn finish(self, of: &str, problems: &mut Problems) {
        for name in self.members.keys() {
            problems.stray(&self.path(name), format!("`{name}` is no property of {of}"), None);
        }
    }
}

/// Whether a value is an intrinsic function that is resolved later.
pub fn is_intrinsic(value: &Value) -> bool {
    let Some((name, _)) = value.as_object().filter(|object| object.len() == 1).and_then(|object| object.iter().next()) else {
        return false;
    };
    name == "Ref" || name == "Condition" || name.starts_with("Fn::")
}

/// What SAM holds for true: not false, nothing, or empty.
pub fn is_set(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
        Some(_) => true,
    }
}
