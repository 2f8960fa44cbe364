//! Base64, protocol buffers, the calendar, keys of what is remembered: small things that everything else stands on.

#![no_main]

use jwt_simple::reexports::ct_codecs::{Base64, Base64NoPadding, Decoder, Encoder};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use tollgate::base64;
use tollgate::cache::key_of;
use tollgate::calendar::{Moment, days};
use tollgate::definition;
use tollgate::protobuf::{Field, put_bytes, put_number, take_field};
use tollgate_fuzz::Reader;

/// Two codecs, one result.
fn base64_of(data: &[u8]) {
    let text = base64::encode(data);
    assert_eq!(Ok(&text), Base64::encode_to_string(data).as_ref());
    assert_eq!(base64::decode(text.as_bytes()).as_deref(), Some(data));
    let decoded = base64::decode(data);
    let other = Base64::decode_to_vec(data, None).or_else(|_| Base64NoPadding::decode_to_vec(data, None)).ok();
    assert_eq!(decoded, other, "{:?}", String::from_utf8_lossy(data));
}

/// Every field is read as it is written.
fn fields(data: &[u8]) {
    let (mut rest, mut steps) = (data, 0);
    while let Some((number, field)) = take_field(&mut rest) {
        steps += 1;
        let mut message = Vec::new();
        match (u8::try_from(number).ok().filter(|number| *number < 16), field) {
            (Some(number), Field::Varint(value)) => put_number(number, value, &mut message),
            (Some(number), Field::Bytes(bytes)) => put_bytes(number, bytes, &mut message),
            _ => continue,
        }
        let mut again = message.as_slice();
        assert_eq!((take_field(&mut again), again), (Some((number, field)), &b""[..]));
    }
    assert!(steps <= data.len() / 2 && rest.len() <= data.len());
}

/// A document as Envoy hands it over says what it says as JSON.
fn document(data: &[u8]) {
    let _ = read(data);
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(data) else { return };
    let message = write(&object);
    // An empty message is no document, and what begins like JSON is read as that.
    let Some(read) = read(&message) else { return };
    // Path items are no trees.
    if message.first() == Some(&b'\n') && !object.contains_key("apis") {
        assert_eq!(read, plain(Value::Object(object)));
    }
}

fn read(data: &[u8]) -> Option<Value> {
    definition::outlined(data, |outline| outline.tree.clone()).ok()
}

fn write(object: &Map<String, Value>) -> Vec<u8> {
    let mut message = Vec::new();
    for (name, value) in object {
        let mut entry = Vec::new();
        put_bytes(1, name.as_bytes(), &mut entry);
        put_bytes(2, &written(value), &mut entry);
        put_bytes(1, &entry, &mut message);
    }
    message
}

fn written(value: &Value) -> Vec<u8> {
    let mut message = Vec::new();
    match value {
        Value::Null => put_number(1, 0, &mut message),
        Value::Number(number) => {
            message.push(2 << 3 | 1);
            message.extend(number.as_f64().unwrap_or_default().to_le_bytes());
        }
        Value::String(text) => put_bytes(3, text.as_bytes(), &mut message),
        Value::Bool(flag) => put_number(4, u64::from(*flag), &mut message),
        Value::Object(object) => put_bytes(5, &write(object), &mut message),
        Value::Array(list) => {
            let mut values = Vec::new();
            list.iter().for_each(|value| put_bytes(1, &written(value), &mut values));
            put_bytes(6, &values, &mut message);
        }
    }
    message
}

/// Numbers as protocol buffers have them: whole ones are whole again.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            let mut message = vec![2 << 3 | 1];
            message.extend(float.to_le_bytes());
            let mut entry = Vec::new();
            put_bytes(1, b"n", &mut entry);
            put_bytes(2, &message, &mut entry);
            let mut document = Vec::new();
            put_bytes(1, &entry, &mut document);
            let mut read = read(&document).expect("a document of one number");
            // As text in between, whose reader is off by a bit at most.
            assert!(read["n"].as_f64().is_some_and(|read| (read - float).abs() <= float.abs() * f64::EPSILON), "{float}");
            read["n"].take()
        }
        Value::Array(list) => list.into_iter().map(plain).collect(),
        Value::Object(object) => Value::Object(object.into_iter().map(|(name, value)| (name, plain(value))).collect()),
        other => other,
    }
}

fn calendar(mut input: Reader<'_>) {
    let seconds = input.number() >> 16;
    let Moment { year, month, day, hour, minute, second } = Moment::of(seconds);
    let [year, month, day] = [year, month, day].map(|number| i64::try_from(number).expect("a date"));
    let again = days(year, month, day) * 86_400 + i64::try_from(hour * 3600 + minute * 60 + second).expect("a time");
    assert_eq!(u64::try_from(again), Ok(seconds));
    assert!((1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60);
    let later = Moment::of(seconds + 86_400);
    assert!((later.year, later.month, later.day) > (year as u64, month as u64, day as u64));
}

fn key_parts<'a>(input: &mut Reader<'a>) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    for _ in 0..input.below(4) {
        let length = input.below(6);
        parts.push(input.take(length));
    }
    parts
}

/// Different parts are different keys, wherever one ends and the next one begins.
fn keys(mut input: Reader<'_>) {
    let (one, other) = (key_parts(&mut input), key_parts(&mut input));
    assert_eq!(key_of(one.iter().copied()) == key_of(other.iter().copied()), one == other);
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 5 {
        0 => base64_of(data),
        1 => fields(data),
        2 => document(data),
        3 => calendar(Reader::new(data)),
        _ => keys(Reader::new(data)),
    }
});
