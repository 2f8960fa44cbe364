//! `--context`: values that take the place of the sample's, whatever they are.

use serde_json::{Map, Value as Json};
use tollgate::value::{Exhausted, Heap, NotJson, Text, Value, parse};

use crate::cli::{Failure, given};

/// What `$context` has beside what is known of the request, as JSON.
#[derive(Debug, Default)]
pub struct GivenContext(Option<Text>);

// === impl GivenContext ===

impl GivenContext {
    /// Reads the option.
    pub fn read(text: Option<&str>) -> Result<Self, Failure> {
        let Some(text) = text else { return Ok(Self::default()) };
        let help = "write an object, such as `{\"identity\": {\"sourceIp\": \"1.2.3.4\"}}`, or `@` and a file with one";
        let wrong = |what: String| Failure::usage(format!("`--context` {what}")).help(help);
        let bytes = given::bytes(text)?;
        match serde_json::from_slice(&bytes) {
            Ok(Json::Object(members)) => {
                let nested = nested(members).map_err(|name| wrong(format!("gives `{name}` two values")))?;
                Ok(Self(Some(Text::from(Json::Object(nested).to_string().as_str()))))
            }
            Ok(_) => Err(wrong("is no JSON object".to_owned())),
            Err(error) => Err(wrong(format!("is not JSON: {error}"))),
        }
    }

    /// Puts its values into the map `$context`; what stands there beside them stays.
    pub fn merge(&self, context: &Value, heap: &mut Heap) -> Result<(), Exhausted> {
        let Some(text) = &self.0 else { return Ok(()) };
        match parse(text, heap) {
            Ok(given) => {
                silence(&given, heap);
                put(context, &given, heap);
            }
            Err(NotJson::Exhausted(limit)) => return Err(limit),
            // It was JSON when the option was read.
            Err(_) => {}
        }
        Ok(())
    }
}

/// `{"a.b": 1}` is `{"a": {"b": 1}}`, on the first level; the name of one that has a value already otherwise.
fn nested(members: Map<String, Json>) -> Result<Map<String, Json>, String> {
    let mut root = Map::new();
    for (name, value) in members {
        let mut place = &mut root;
        let mut steps = name.split('.').peekable();
        while let Some(step) = steps.next() {
            if steps.peek().is_some() {
                let inner = place.entry(step).or_insert_with(|| Json::Object(Map::new()));
                place = inner.as_object_mut().ok_or_else(|| name.clone())?;
                continue;
            }
            match (place.get_mut(step), &value) {
                (None, _) => {
                    place.insert(step.to_owned(), value);
                }
                (Some(Json::Object(known)), Json::Object(more)) => known.extend(more.clone()),
                (Some(_), _) => return Err(name),
            }
            break;
        }
    }
    Ok(root)
}

/// As `$context` itself, maps in it print as nothing.
fn silence(given: &Value, heap: &mut Heap) {
    let mut values = vec![given.clone()];
    while let Some(value) = values.pop() {
        let Value::Map(id) = value else { continue };
        if let Some(map) = heap.map_mut(id) {
            map.silence();
        }
        values.extend(heap.map(id).iter().map(|(_, value)| value.clone()));
    }
}

/// Maps are put together, member by member; anything else takes the place of what was there.
fn put(target: &Value, given: &Value, heap: &mut Heap) {
    // Pairs of maps that are still to be put together: as many as the option has objects.
    let mut pairs = vec![(target.clone(), given.clone())];
    while let Some((target, given)) = pairs.pop() {
        let (Value::Map(target), Value::Map(given)) = (target, given) else { continue };
        let members: Vec<(Text, Value)> = heap.map(given).iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        for (name, value) in members {
            match (heap.map(target).get(&name).cloned(), value) {
                (Some(known @ Value::Map(_)), value @ Value::Map(_)) => pairs.push((known, value)),
                (_, value) => {
                    if let Some(map) = heap.map_mut(target) {
                        map.insert(name, value);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate::value::{Budget, json_text};

    #[test]
    fn names_with_dots_are_objects_and_what_is_known_stays() {
        let given =
            GivenContext::read(Some(r#"{"identity.sourceIp": "1.2.3.4", "identity": {"user": "u"}, "stage": "dev"}"#)).unwrap();
        let mut heap = Heap::new(Budget::default());
        let known = r#"{"identity":{"sourceIp":"127.0.0.1","userAgent":"curl"},"stage":"prod","path":"/"}"#;
        let context = parse(&Text::from(known), &mut heap).unwrap();
        given.merge(&context, &mut heap).unwrap();
        let merged = r#"{"identity":{"sourceIp":"1.2.3.4","userAgent":"curl","user":"u"},"stage":"dev","path":"/"}"#;
        let read = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        assert_eq!(read(&json_text(&context, &mut heap).unwrap()), read(merged));
    }

    #[test]
    fn what_is_no_object_or_says_two_things_is_refused() {
        for text in ["[]", "1", "{", r#"{"a": 1, "a.b": 2}"#, r#"{"a.b": 2, "a": 1}"#] {
            assert!(GivenContext::read(Some(text)).is_err(), "{text}");
        }
        assert!(GivenContext::read(None).unwrap().0.is_none());
    }
}
