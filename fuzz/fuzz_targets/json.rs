//! JSON of bodies: [`parse`] takes what serde_json takes, and [`json_text`] writes it again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::value::{Budget, Heap, NotJson, Value, json_text, parse};
use tollgate_fuzz::within;

/// Enough for the longest input, however it is nested.
const STEPS: u64 = 100_000;

fn read(text: &str) -> (Heap, Result<Value, NotJson>) {
    let mut heap = Heap::new(Budget::new(STEPS));
    let value = parse(&text.into(), &mut heap);
    (heap, value)
}

/// The value as serde_json has it; none where that has no such number or string.
fn same(ours: &Value, theirs: &serde_json::Value, heap: &Heap) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Boolean(ours), serde_json::Value::Bool(theirs)) => ours == theirs,
        (Value::Integer(ours), serde_json::Value::Number(theirs)) => match theirs.as_i64() {
            Some(theirs) => *ours == theirs,
            // serde_json has no -0 among the whole numbers.
            None => *ours == 0 && theirs.as_f64() == Some(0.0),
        },
        (Value::BigInteger(ours), serde_json::Value::Number(theirs)) => {
            theirs.as_i64().is_none() && near(ours.parse().expect("digits"), theirs.as_f64())
        }
        (Value::Double(ours), serde_json::Value::Number(theirs)) => near(*ours, theirs.as_f64()),
        (Value::Text(ours), serde_json::Value::String(theirs)) => ours.as_str() == theirs,
        (Value::List(ours), serde_json::Value::Array(theirs)) => {
            let ours = heap.list(*ours);
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs, heap))
        }
        (Value::Map(ours), serde_json::Value::Object(theirs)) => {
            let ours = heap.map(*ours);
            let pairs = ours.iter().zip(theirs);
            let found = |key: &str, value| ours.get(key).is_some_and(|found| found == value);
            ours.len() == theirs.len()
                && pairs
                    .into_iter()
                    .all(|((key, value), (name, theirs))| key.as_str() == name && found(name, value) && same(value, theirs, heap))
        }
        _ => false,
    }
}

/// serde_json rounds the last digit as it likes.
fn near(ours: f64, theirs: Option<f64>) -> bool {
    theirs.is_some_and(|theirs| ours == theirs || ((ours - theirs) / theirs).abs() < 1e-14)
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (mut heap, ours) = within(1, "reading", || read(text));
    match (&ours, serde_json::from_str::<serde_json::Value>(text)) {
        (Ok(value), Ok(theirs)) => {
            assert!(same(value, &theirs, &heap), "{theirs}");
            let written = json_text(value, &mut heap).expect("what was read is not too much to write");
            let (mut heap, again) = read(&written);
            let again = again.expect("what was written is JSON");
            assert!(same(&again, &theirs, &heap), "{theirs} {written}");
            assert_eq!(json_text(&again, &mut heap).as_deref(), Ok(written.as_str()));
        }
        // What serde_json has no place for: a number without bounds, half a surrogate pair, a depth of 128.
        (Ok(_) | Err(NotJson::Exhausted(_)), Err(theirs)) => {
            let why = theirs.to_string();
            let known = ["number out of range", "surrogate", "unexpected end of hex escape", "recursion limit exceeded"];
            assert!(known.iter().any(|known| why.contains(known)), "{why}");
        }
        (Err(NotJson::Syntax { offset, .. }), Err(_)) => assert!(text.is_char_boundary(*offset), "{offset}"),
        (Err(ours), Ok(_)) => panic!("{ours:?}"),
    }
});
