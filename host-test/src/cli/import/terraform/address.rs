//! Addresses and references: `module.shop["eu"].aws_lambda_function.f[0].arn`. Terraform: "References to Named Values" and "Resource
//! Addressing".

use std::fmt;

use serde_json::Value;

/// The key of an instance of a module or resource: of `for_each`, or of `count`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Text(String),
    Number(u64),
}

/// One step of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Name(String),
    Key(Key),
}

/// A module on the way from the root: its name, and which of its instances.
pub type Step = (String, Option<Key>);

/// Takes an address apart. What stands in brackets and is neither a number nor a text has no key.
pub fn parts(address: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = address;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (key, after) = bracket(inner);
            parts.extend(key.map(Part::Key));
            rest = after;
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (name, after) = name.split_at(end);
            match name.parse() {
                // An old spelling of an index: `list.0`.
                Ok(number) => parts.push(Part::Key(Key::Number(number))),
                Err(_) => parts.push(Part::Name(name.to_owned())),
            }
            rest = after;
        }
    }
    parts
}

/// The key behind an opening bracket, and what follows the closing one. A quoted key is written as JSON writes a text.
fn bracket(inner: &str) -> (Option<Key>, &str) {
    if inner.starts_with('"') {
        let mut values = serde_json::Deserializer::from_str(inner).into_iter::<String>();
        let Some(Ok(key)) = values.next() else { return (None, "") };
        let after = inner.get(values.byte_offset()..).unwrap_or("");
        return (Some(Key::Text(key)), after.strip_prefix(']').unwrap_or(after));
    }
    let (key, after) = inner.split_once(']').unwrap_or((inner, ""));
    (key.parse().ok().map(Key::Number), after)
}

/// The modules that an address of a module names: `module.a[0].module.b`.
pub fn modules(address: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for part in parts(address) {
        match part {
            // A module may be called `module`: every second name is a keyword.
            Part::Name(name) => steps.push((name, None)),
            Part::Key(key) => {
                if let Some(step) = steps.last_mut() {
                    step.1 = Some(key);
                }
            }
        }
    }
    steps.into_iter().skip(1).step_by(2).collect()
}

/// Whether a reference only repeats the beginning of the one before: Terraform writes `a.b.id` and then `a.b`.
pub fn is_beginning(short: &str, long: &str) -> bool {
    long.strip_prefix(short).is_some_and(|rest| rest.starts_with(['.', '[']))
}

// === impl Key ===

impl Key {
    /// The `index` of a resource.
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Number(number) => number.as_u64().map(Self::Number),
            _ => None,
        }
    }

    /// As JSON has it.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
        }
    }
}

/// `["eu"]`, `[0]`
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.to_value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Part {
        Part::Name(name.to_owned())
    }

    #[test]
    fn an_address_is_taken_apart_whatever_its_keys_hold() {
        let parts = parts(r#"module.a["x.y]\"z"].aws_x.y[3].list.0.id"#);
        let expected = [
            name("module"),
            name("a"),
            Part::Key(Key::Text("x.y]\"z".to_owned())),
            name("aws_x"),
            name("y"),
            Part::Key(Key::Number(3)),
            name("list"),
            Part::Key(Key::Number(0)),
            name("id"),
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn modules_are_every_second_name() {
        let eu = Some(Key::Text("eu".to_owned()));
        assert_eq!(modules(r#"module.module["eu"].module.b"#), [("module".to_owned(), eu), ("b".to_owned(), None)]);
        assert!(modules("").is_empty());
    }

    #[test]
    fn a_repeated_beginning_ends_at_a_step() {
        assert!(is_beginning("aws_x.y", "aws_x.y.id"));
        assert!(is_beginning("aws_x.y", "aws_x.y[0].id"));
        assert!(!is_beginning("aws_x.y", "aws_x.yy.id"));
    }
}
