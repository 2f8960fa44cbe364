//! What `$ref` points at: a JSON pointer into the definition, a model by API Gateway's own address, or a schema by its `id`. Nothing
//! outside of the definition is ever fetched.

use crate::definition::Node;
use crate::problem::Problems;
use serde_json::Value;
use std::rc::Rc;

/// A schema, and the address that its own `id` and its references are relative to.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    pub node: Node<'a>,
    /// Of the schema around it.
    pub base: Rc<str>,
}

/// The schemas of a document that have an `id`.
#[derive(Debug)]
pub struct References<'a> {
    root: Node<'a>,
    named: Vec<(String, Place<'a>)>,
}

/// How models name each other in what API Gateway exports: `https://apigateway.amazonaws.com/restapis/ID/models/NAME`.
const MODELS: &str = "https://apigateway.amazonaws.com/restapis/";

/// How many `$ref` may stand one behind the other.
const HOPS: usize = 64;

// === impl Place ===

impl<'a> Place<'a> {
    /// The address that what is in it is relative to.
    pub fn inner_base(&self) -> Rc<str> {
        match self.id() {
            Some(id) => join(&self.base, id).into(),
            None => Rc::clone(&self.base),
        }
    }

    /// Its `id`, which means nothing beside a `$ref`.
    fn id(&self) -> Option<&'a str> {
        let is_reference = self.node.get("$ref").is_some();
        self.node.value.get("id").and_then(Value::as_str).filter(|_| !is_reference)
    }

    fn member(&self, node: Node<'a>) -> Self {
        Self { node, base: self.inner_base() }
    }
}

// === impl References ===

impl<'a> References<'a> {
    /// Looks for the schemas with an `id` in one and in all that is in it.
    pub fn read(root: &Node<'a>, schema: &Node<'a>) -> Self {
        let mut named = Vec::new();
        let mut open = vec![Place { node: schema.clone(), base: "".into() }];
        while let Some(place) = open.pop() {
            if place.id().is_some() {
                named.push((place.inner_base().trim_end_matches('#').to_owned(), place.clone()));
            }
            for key in ["items", "additionalItems", "additionalProperties", "not"] {
                open.extend(place.node.get(key).filter(|node| node.value.is_object()).map(|node| place.member(node)));
            }
            for key in ["definitions", "properties", "patternProperties", "dependencies", "items", "allOf", "anyOf", "oneOf"] {
                let Some(node) = place.node.get(key).filter(|node| key != "items" || node.value.is_array()) else { continue };
                open.extend(children(&node).into_iter().map(|node| place.member(node)));
            }
        }
        Self { root: root.clone(), named }
    }

    /// The schema itself, behind all its references.
    pub fn follow(&self, mut place: Place<'a>, problems: &mut Problems) -> Option<Place<'a>> {
        let first = place.node.clone();
        for _ in 0..HOPS {
            let Some(reference) = place.node.get("$ref") else { return Some(place) };
            let text = reference.string(problems)?;
            let Some(target) = self.find(text, &place.base) else {
                let help = "only references into the same definition, such as `#/components/schemas/…`, are served";
                problems.error(&reference.path, format!("nothing stands at `{text}`"), Some(help));
                return None;
            };
            place = target;
        }
        problems.error(&first.path, "`$ref` points at itself", None);
        None
    }

    fn find(&self, reference: &str, base: &str) -> Option<Place<'a>> {
        let address = join(base, reference);
        let (document, fragment) = address.split_once('#').unwrap_or((&address, ""));
        let root = || Place { node: self.root.clone(), base: "".into() };
        let start = match document {
            "" => Some(root()),
            _ => self.named(document).or_else(|| self.model(document)),
        };
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return self.named(&address);
        }
        // A model with an `id` is still a part of the definition that others point into.
        pointed_at(start?, fragment).or_else(|| pointed_at(root(), fragment).filter(|_| reference.starts_with('#')))
    }

    fn named(&self, address: &str) -> Option<Place<'a>> {
        self.named.iter().find(|(known, _)| known == address).map(|(_, place)| place.clone())
    }

    fn model(&self, address: &str) -> Option<Place<'a>> {
        let (_, name) = address.strip_prefix(MODELS)?.split_once("/models/")?;
        let models = self.root.get("components").and_then(|components| components.get("schemas"));
        let node = models.or_else(|| self.root.get("definitions"))?.get(name)?;
        Some(Place { node, base: "".into() })
    }
}

/// The members of an object or the elements of an array.
fn children<'a>(node: &Node<'a>) -> Vec<Node<'a>> {
    match node.value {
        Value::Array(elements) => {
            let child = |(index, value)| Node { value, path: node.path.index(index) };
            elements.iter().enumerate().map(child).collect()
        }
        Value::Object(members) => {
            let child = |(key, value): (&'a String, &'a Value)| Node { value, path: node.path.key(key) };
            members.iter().map(child).collect()
        }
        _ => Vec::new(),
    }
}

/// What a JSON pointer, percent-encoded as a fragment is, points at.
fn pointed_at<'a>(start: Place<'a>, fragment: &str) -> Option<Place<'a>> {
    fragment.split('/').skip(1).try_fold(start, |place, token| {
        let key = percent_decode(token).replace("~1", "/").replace("~0", "~");
        let node = match place.node.value {
            Value::Array(elements) => {
                let index: usize = key.parse().ok()?;
                Node { value: elements.get(index)?, path: place.node.path.index(index) }
            }
            _ => place.node.get(&key)?,
        };
        Some(place.member(node))
    })
}

fn percent_decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(part.bytes().skip(2));
            }
            None => {
                bytes.push(b'%');
                bytes.extend(part.bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The address that a reference means beside another (RFC 3986, section 5, without `..`).
fn join(base: &str, reference: &str) -> String {
    let base = base.split('#').next().unwrap_or_default();
    let scheme = reference.split(['/', '#', '?']).next().unwrap_or_default();
    if scheme.contains(':') {
        return reference.to_owned();
    }
    if reference.is_empty() || reference.starts_with('#') {
        return format!("{base}{reference}");
    }
    let path = base.find("://").map_or(0, |at| at + 3);
    let (authority, path) = base.split_at_checked(path).unwrap_or_default();
    let kept = if reference.starts_with('/') { path.find('/') } else { path.rfind('/').map(|at| at + 1) };
    let kept = path.get(..kept.unwrap_or(0)).unwrap_or_default();
    format!("{authority}{kept}{reference}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined() {
        for (base, reference, joined) in [
            ("", "#/a", "#/a"),
            ("http://h/a/b.json", "c.json#x", "http://h/a/c.json#x"),
            ("http://h/a/b.json", "/c", "http://h/c"),
            ("http://h/a/b.json#x", "#y", "http://h/a/b.json#y"),
            ("http://h/a", "urn:x", "urn:x"),
            ("http://h/tree", "node", "http://h/node"),
            ("", "node", "node"),
        ] {
            assert_eq!(join(base, reference), joined, "{base} {reference}");
        }
    }

    #[test]
    fn a_fragment_is_decoded() {
        assert_eq!(percent_decode("a%25b%22%zz%"), "a%b\"%zz%");
    }
}
