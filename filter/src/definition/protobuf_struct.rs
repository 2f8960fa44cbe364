//! `google.protobuf.Struct` on the wire. Envoy hands an inline `Struct` plugin configuration over as these bytes, not as the JSON
//! that its documentation promises (measured on 1.40).
//!
//! Struct { 1: map<string, Value> }; Value { 1 null, 2 double, 3 string, 4 bool, 5 Struct, 6 ListValue }; ListValue { 1: Value* }.

use crate::protobuf::{Field, take_field};
use serde_json::{Number, Value};

/// As deep as `serde_json` reads, so that both forms of one document are accepted or refused alike.
const DEPTH: usize = 128;

/// The largest whole number that a double holds exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A whole message as JSON text; `None` when the bytes are not one.
pub fn to_json(bytes: &[u8]) -> Option<String> {
    let mut json = String::new();
    structure(bytes, DEPTH, &mut json)?;
    Some(json)
}

fn structure(mut bytes: &[u8], depth: usize, json: &mut String) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    json.push('{');
    let start = json.len();
    while !bytes.is_empty() {
        let mut entry = match take_field(&mut bytes)? {
            (1, Field::Bytes(entry)) => entry,
            _ => return None,
        };
        let (mut key, mut message) = (&[][..], &[][..]);
        while !entry.is_empty() {
            match take_field(&mut entry)? {
                (1, Field::Bytes(text)) => key = text,
                (2, Field::Bytes(value)) => message = value,
                _ => return None,
            }
        }
        separate(start, json);
        string(key, json)?;
        json.push(':');
        value(message, depth, json)?;
    }
    json.push('}');
    Some(())
}

/// The last of its fields counts; a message without any is null.
fn value(mut bytes: &[u8], depth: usize, json: &mut String) -> Option<()> {
    let start = json.len();
    json.push_str("null");
    while !bytes.is_empty() {
        json.truncate(start);
        match take_field(&mut bytes)? {
            (1, Field::Varint(_)) => json.push_str("null"),
            (2, Field::Fixed64(double)) => json.push_str(&number(f64::from_le_bytes(double))?.to_string()),
            (3, Field::Bytes(text)) => string(text, json)?,
            (4, Field::Varint(flag)) => json.push_str(if flag != 0 { "true" } else { "false" }),
            (5, Field::Bytes(message)) => structure(message, depth, json)?,
            (6, Field::Bytes(message)) => list(message, depth, json)?,
            _ => return None,
        }
    }
    Some(())
}

fn list(mut bytes: &[u8], depth: usize, json: &mut String) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    json.push('[');
    let start = json.len();
    while !bytes.is_empty() {
        separate(start, json);
        match take_field(&mut bytes)? {
            (1, Field::Bytes(message)) => value(message, depth, json)?,
            _ => return None,
        }
    }
    json.push(']');
    Some(())
}

fn string(text: &[u8], json: &mut String) -> Option<()> {
    json.push_str(&Value::from(std::str::from_utf8(text).ok()?).to_string());
    Some(())
}

fn separate(start: usize, json: &mut String) {
    if json.len() > start {
        json.push(',');
    }
}

/// A Struct knows only doubles; `200` has to come back as a whole number.
fn number(double: f64) -> Option<Number> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and exact")]
    if double.fract() == 0.0 && double.abs() <= EXACT {
        return Some(Number::from(double as i64));
    }
    Number::from_f64(double)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FIXED64: u8 = 1;
    const LENGTH: u8 = 2;

    /// The encoder's mirror image: independent of the decoder but for the wire format itself.
    fn encode(value: &Value) -> Vec<u8> {
        let bytes = |number: u8, body: Vec<u8>| {
            let mut out = vec![number << 3 | LENGTH];
            let mut length = body.len();
            while length >= 0x80 {
                out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
                length >>= 7;
            }
            out.push(u8::try_from(length).unwrap());
            out.extend(body);
            out
        };
        let message = |value: &Value| match value {
            Value::Null => vec![1 << 3, 0],
            Value::Number(n) => [vec![2 << 3 | FIXED64], n.as_f64().unwrap().to_le_bytes().to_vec()].concat(),
            Value::String(s) => bytes(3, s.clone().into_bytes()),
            Value::Bool(b) => vec![4 << 3, u8::from(*b)],
            Value::Object(_) => bytes(5, encode(value)),
            Value::Array(_) => bytes(6, encode(value)),
        };
        match value {
            Value::Object(members) => members
                .iter()
                .flat_map(|(k, v)| bytes(1, [bytes(1, k.clone().into_bytes()), bytes(2, message(v))].concat()))
                .collect(),
            Value::Array(elements) => elements.iter().flat_map(|v| bytes(1, message(v))).collect(),
            _ => panic!("not a message"),
        }
    }

    fn decode(bytes: &[u8]) -> Option<Value> {
        to_json(bytes).map(|json| serde_json::from_str(&json).unwrap())
    }

    #[test]
    fn every_kind_of_value_comes_back() {
        let long = "x".repeat(300);
        let value = json!({"a": {"b": [1, -2.5, "x", true, null, {"c": {}}, []]}, "\"\n": "\\", "long": long, "status": 200});
        assert_eq!(decode(&encode(&value)), Some(value));
    }

    #[test]
    fn bytes_that_are_no_struct_are_refused_at_every_length() {
        let bytes = encode(&json!({"a": {"b": [1, "text", {"c": true}]}}));
        for length in 1..bytes.len() {
            assert_eq!(decode(&bytes[..length]), None, "{length}");
        }
        assert_eq!(decode(&[0xff; 32]), None);
    }

    #[test]
    fn depth_is_bounded() {
        let mut value = json!({});
        for _ in 0..200 {
            value = json!({"a": value});
        }
        assert_eq!(decode(&encode(&value)), None);
    }
}
