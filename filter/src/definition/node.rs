//! A JSON value that knows its place. Reading through a [`Node`] is what makes every problem carry a path, and what makes an
//! unknown key, a wrong type or an unresolved CloudFormation function impossible to overlook.

use crate::problem::{JsonPath, Problems, quoted};
use serde_json::Value;

/// A value of the document and where it stands.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// The value.
    pub value: &'a Value,
    /// Its place.
    pub path: JsonPath,
}

/// How many `$ref` may stand one behind the other.
const REFERENCE_HOPS: usize = 16;

// === impl Node ===

impl<'a> Node<'a> {
    /// The document itself.
    pub fn root(value: &'a Value) -> Self {
        Self { value, path: JsonPath::root() }
    }

    /// A member that is there and not null.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        match self.value.get(key) {
            None | Some(Value::Null) => None,
            Some(value) => Some(Node { value, path: self.path.key(key) }),
        }
    }

    /// The same with the name as it stands there, which lives as long as the document.
    pub fn named(&self, key: &str) -> Option<(&'a str, Node<'a>)> {
        let (name, _) = self.value.as_object()?.get_key_value(key)?;
        Some((name, self.get(key)?))
    }

    /// The members of an object; anything else is a problem and has none.
    pub fn members(&self, problems: &mut Problems) -> Vec<(&'a str, Node<'a>)> {
        let Value::Object(members) = self.value else {
            self.unexpected("an object", problems);
            return Vec::new();
        };
        let member = |(key, value): (&'a String, &'a Value)| (key.as_str(), Node { value, path: self.path.key(key) });
        members.iter().map(member).collect()
    }

    /// The elements of an array; anything else is a problem and has none.
    pub fn elements(&self, problems: &mut Problems) -> Vec<Node<'a>> {
        let Value::Array(elements) = self.value else {
            self.unexpected("an array", problems);
            return Vec::new();
        };
        elements.iter().enumerate().map(|(i, value)| Node { value, path: self.path.index(i) }).collect()
    }

    /// A string.
    pub fn string(&self, problems: &mut Problems) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.unexpected("a string", problems);
        }
        text
    }

    /// The strings of an array.
    pub fn strings(&self, problems: &mut Problems) -> Vec<&'a str> {
        self.elements(problems).iter().filter_map(|element| element.string(problems)).collect()
    }

    /// A string, or the text of a number or a boolean: what AWS's importer takes for a string.
    pub fn text(&self, problems: &mut Problems) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            _ => {
                self.unexpected("a string", problems);
                None
            }
        }
    }

    /// The text of a member that is there and not empty; anything else is a problem.
    pub fn required_text(&self, key: &str, problems: &mut Problems) -> Option<String> {
        if self.get(key).is_none() {
            problems.error(&self.path, format!("no `{key}`"), None);
        }
        self.text_of(key, problems)
    }

    /// The same of one that need not be there.
    pub fn text_of(&self, key: &str, problems: &mut Problems) -> Option<String> {
        let value = self.get(key)?;
        let text = value.text(problems)?;
        if text.is_empty() {
            problems.error(&value.path, format!("`{key}` is empty"), None);
            return None;
        }
        Some(text)
    }

    /// `true` or `false`, also as text.
    pub fn boolean(&self, problems: &mut Problems) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(*value),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => {
                self.unexpected("`true` or `false`", problems);
                None
            }
        }
    }

    /// A whole number within a range, also as text.
    pub fn integer(&self, range: std::ops::RangeInclusive<u64>, problems: &mut Problems) -> Option<u64> {
        let number = match self.value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_u64(),
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            self.unexpected(&format!("a whole number from {} to {}", range.start(), range.end()), problems);
        }
        number
    }

    /// A finite number, also as text.
    pub fn number(&self, problems: &mut Problems) -> Option<f64> {
        let number = match self.value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_f64(),
        };
        let number = number.filter(|number: &f64| number.is_finite());
        if number.is_none() {
            self.unexpected("a number", problems);
        }
        number
    }

    /// One of a few names, in any case: AWS's importer does not look at it.
    pub fn one_of<T: Copy>(&self, choices: &[(&str, T)], problems: &mut Problems) -> Option<T> {
        let text = self.string(problems)?;
        let chosen = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, choice)| *choice);
        if chosen.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.not_one_of(text, &names, problems);
        }
        chosen
    }

    fn not_one_of(&self, text: &str, names: &[&str], problems: &mut Problems) {
        let help = format!("use one of {}", quoted(names));
        problems.error(&self.path, format!("`{text}` is not known here"), Some(&help));
    }

    /// Reports every member whose name is not in the list.
    pub fn only(&self, known: &[&str], problems: &mut Problems) {
        for (key, member) in self.members(problems) {
            if !known.contains(&key) {
                problems.stray(&member.path, format!("unknown key `{key}`"), Some(&format!("known here: {}", known.join(", "))));
            }
        }
    }

    /// Reports every null below: where a guard is said, nothing must not be taken for something left out.
    pub fn no_nulls(&self, problems: &mut Problems) {
        match self.value {
            Value::Null => problems.error(&self.path, "nothing is said here", Some("say it, or take the name away")),
            Value::Array(elements) => {
                let node = |(index, value)| Node { value, path: self.path.index(index) };
                elements.iter().enumerate().map(node).for_each(|element| element.no_nulls(problems));
            }
            Value::Object(members) => {
                let node = |(key, value): (&'a String, &'a Value)| Node { value, path: self.path.key(key) };
                members.iter().map(node).for_each(|member| member.no_nulls(problems));
            }
            _ => {}
        }
    }

    /// The member that guards something, told if it is there and null.
    pub fn guarding(&self, key: &str, problems: &mut Problems) -> Option<Node<'a>> {
        if self.value.get(key).is_some_and(Value::is_null) {
            Node { value: &Value::Null, path: self.path.key(key) }.no_nulls(problems);
        }
        self.get(key)
    }

    /// What `$ref` points at, within the same definition; the value itself when there is none.
    pub fn resolved(&self, root: &Node<'a>, problems: &mut Problems) -> Option<Node<'a>> {
        let mut node = self.clone();
        for _ in 0..REFERENCE_HOPS {
            let Some(reference) = node.get("$ref") else { return Some(node) };
            let text = reference.string(problems)?;
            let Some(target) = text.strip_prefix('#').and_then(|pointer| root.pointed_at(pointer)) else {
                let help = "only references into the same definition, such as `#/components/…`, are served";
                problems.error(&reference.path, format!("nothing stands at `{text}`"), Some(help));
                return None;
            };
            node = target;
        }
        problems.error(&self.path, "`$ref` points at itself", None);
        None
    }

    fn pointed_at(&self, pointer: &str) -> Option<Node<'a>> {
        pointer.split('/').skip(1).try_fold(self.clone(), |node, token| {
            let key = token.replace("~1", "/").replace("~0", "~");
            match node.value {
                Value::Array(_) => {
                    let index = key.parse().ok()?;
                    Some(Node { value: node.value.get(index)?, path: node.path.index(index) })
                }
                _ => node.get(&key),
            }
        })
    }

    fn unexpected(&self, wanted: &str, problems: &mut Problems) {
        if let Some(function) = self.cloudformation_function() {
            let help = "serve the exported definition, or resolve the template first";
            problems.error(&self.path, format!("unresolved CloudFormation function `{function}`"), Some(help));
        } else {
            problems.error(&self.path, format!("expected {wanted}, found {}", kind_of(self.value)), None);
        }
    }

    /// `{"Fn::Sub": …}` or `{"Ref": …}`: an infrastructure template, not an export.
    fn cloudformation_function(&self) -> Option<&'a str> {
        let members = self.value.as_object()?;
        let (key, _) = members.iter().next()?;
        (members.len() == 1 && (key.starts_with("Fn::") || key == "Ref")).then_some(key)
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(read: impl FnOnce(&Node<'_>, &mut Problems), value: Value) -> Vec<String> {
        let mut problems = Problems::default();
        read(&Node::root(&value), &mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_reference_is_followed_and_the_place_is_the_targets() {
        let value = json!({"a": {"$ref": "#/b/x~1y/1"}, "b": {"x/y": [0, {"$ref": "#/c"}]}, "c": {"d": 1}});
        let root = Node::root(&value);
        let node = root.get("a").unwrap().resolved(&root, &mut Problems::default()).unwrap();
        assert_eq!(node.path.to_string(), "$.c");
    }

    #[test]
    fn a_reference_to_nothing_or_to_itself_is_a_problem() {
        let value = json!({"a": {"$ref": "#/b"}, "loop": {"$ref": "#/loop"}});
        let told = told(
            |root, problems| {
                assert!(root.get("a").unwrap().resolved(root, problems).is_none());
                assert!(root.get("loop").unwrap().resolved(root, problems).is_none());
            },
            value.clone(),
        );
        assert!(told[0].starts_with("$.a[\"$ref\"]: nothing stands at `#/b`"), "{told:?}");
        assert_eq!(told[1], "$.loop: `$ref` points at itself");
    }

    #[test]
    fn an_unresolved_cloudformation_function_is_named() {
        let told = told(|n, p| assert_eq!(n.get("uri").unwrap().string(p), None), json!({"uri": {"Fn::Sub": "x"}}));
        assert!(told[0].contains("unresolved CloudFormation function `Fn::Sub`"), "{told:?}");
    }

    #[test]
    fn enumerations_do_not_look_at_case() {
        let value = json!("Http_Proxy");
        assert_eq!(Node::root(&value).one_of(&[("HTTP_PROXY", 1)], &mut Problems::default()), Some(1));
    }
}
