//! JSON that means one thing only. Two readers of an object with a member twice may each take another one (RFC 8725, section 2.4
//! and RFC 7519, section 4), so such text is refused; so is text that is nested deeper than any token or key has reason to be.

use serde_json::{Map, Value};

/// Deeper text is refused.
const DEPTH_LIMIT: usize = 16;

/// Reads text of exactly one value. None: it is not JSON, not UTF-8, too deep, or has a member twice at any depth.
pub(super) fn value(text: &[u8]) -> Option<Value> {
    let (depth, colons) = shape(text);
    if depth > DEPTH_LIMIT {
        return None;
    }
    let value = serde_json::from_slice(text).ok()?;
    // A member that was there twice is there once now: the value has fewer members than the text has colons.
    (members(&value) == colons).then_some(value)
}

/// The same, of an object.
pub(super) fn object(text: &[u8]) -> Option<Map<String, Value>> {
    match value(text)? {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// How deep the text is nested, and how many colons are outside its strings: true of valid JSON, and of other text nobody asks.
fn shape(text: &[u8]) -> (usize, usize) {
    let (mut depth, mut deepest, mut colons) = (0_usize, 0, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' => colons += 1,
            _ => {}
        }
    }
    (deepest, colons)
}

/// Recurses as deep as the limit allows.
fn members(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        Value::Array(array) => array.iter().map(members).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_read() {
        let text = r#" {"a": {"b": [1, {"a": ":"}], "c\"": "{[\\"}, "\u0062": -0.5e3, "": {}} "#;
        assert_eq!(value(text.as_bytes()), serde_json::from_str(text).ok());
        assert!(value(text.as_bytes()).is_some());
        assert_eq!(object(b"[]"), None);
        assert_eq!(object(b"{}"), Some(Map::new()));
    }

    #[test]
    fn members_that_are_there_twice_are_refused_at_any_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":1,"b":2,"a":3}"#,
            r#"[{"x":[{"a":{},"a":[]}]}]"#,
            r#"{"a":{"b":1,"c":2},"a":{"b":1,"c":2,"d":3}}"#,
            r#"{"":1,"":2}"#,
        ] {
            assert_eq!(value(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_one_value_of_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "{}}",
            "{} x",
            "{}{}",
            "\u{feff}{}",
            "{'a':1}",
            "{\"a\":1,}",
            "[1e400]",
            "[-1e400]",
            "[01]",
            "[NaN]",
            "\"\\ud800\"",
            "/**/{}",
            "{\"a\":\"\n\"}",
        ] {
            assert_eq!(value(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(value(b"{\"a\":\"\xff\"}"), None);
        assert_eq!(value(b"{}\0"), None);
    }

    #[test]
    fn sixteen_levels_are_the_most() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(value(nested(16).as_bytes()).is_some());
        assert_eq!(value(nested(17).as_bytes()), None);
        assert_eq!(value(nested(100_000).as_bytes()), None);
        assert_eq!(value("[".repeat(100_000).as_bytes()), None);
        assert!(value(format!("\"{}\"", "[".repeat(100)).as_bytes()).is_some());
    }
}
