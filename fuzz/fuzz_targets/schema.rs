//! JSON Schema, draft 4: [`Schema::compile_value`], and what it says of a value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tollgate::schema::{Schema, Verdict};
use tollgate::value::{Budget, Exhausted, Heap, parse};
use tollgate_fuzz::{text_parts, within};

const STEPS: u64 = 50_000;

/// Whether a text is as a schema says; none: it is no JSON. The verdict with a reason is the same.
fn is_valid(schema: &Schema, text: &str) -> Option<Result<bool, Exhausted>> {
    let heap = || {
        let mut heap = Heap::new(Budget::new(STEPS));
        let value = parse(&text.into(), &mut heap).ok()?;
        heap.budget = Budget::new(STEPS);
        Some((heap, value))
    };
    let (mut quiet, value) = heap()?;
    let valid = within(2, "looking", || schema.is_valid(&value, &mut quiet));
    let (mut loud, value) = heap()?;
    let verdict = within(2, "looking and telling", || schema.validate(&value, &mut loud));
    match (&valid, &verdict) {
        (Ok(valid), Ok(verdict)) => assert_eq!(*valid, *verdict == Verdict::Valid, "{verdict:?}"),
        // Telling what is wrong takes more steps, and never less.
        (Err(_), Ok(verdict)) => assert!(*verdict != Verdict::Valid, "{verdict:?}"),
        _ => {}
    }
    if let Ok(Verdict::Invalid(why)) = verdict {
        assert!(why.starts_with('[') && why.ends_with(']') && why.len() > 2, "{why}");
    }
    Some(valid)
}

fn compile(schema: &Value) -> Option<Schema> {
    match within(2, "compiling", || Schema::compile_value(schema)) {
        Ok(schema) => Some(schema),
        Err(problems) => {
            assert!(!problems.is_empty() && problems.iter().all(|problem| !problem.to_string().is_empty()));
            None
        }
    }
}

/// The members of all objects, last first.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().rev().map(|(name, value)| (name.clone(), reversed(value))).collect(),
        Value::Array(items) => items.iter().map(reversed).collect(),
        value => value.clone(),
    }
}

fuzz_target!(|data: &[u8]| {
    let Some([schema_text, instance]) = text_parts(data) else { return };
    let Ok(schema) = serde_json::from_str::<Value>(schema_text) else { return };
    let Some(compiled) = compile(&schema) else { return };
    let Some(valid) = is_valid(&compiled, instance) else { return };

    let says = |schema: &Value| is_valid(&compile(schema)?, instance)?.ok();
    assert_eq!(says(&json!({})), Some(true));
    assert_eq!(says(&json!({"not": {}})), Some(false));
    if let Ok(value) = serde_json::from_str::<Value>(instance) {
        // As serde_json has it, which rounds some numbers.
        let instance = value.to_string();
        if let Some(Ok(is_itself)) = compile(&json!({"enum": [value]})).and_then(|schema| is_valid(&schema, &instance)) {
            assert!(is_itself);
        }
        if let (Some(Ok(one)), Some(Ok(other))) =
            (is_valid(&compiled, &instance), is_valid(&compiled, &reversed(&value).to_string()))
        {
            assert_eq!(one, other, "the order of members means nothing");
        }
    }
    let Ok(valid) = valid else { return };
    if let Some(mirrored) = says(&reversed(&schema)) {
        assert_eq!(mirrored, valid, "the order of members means nothing");
    }
    // References begin at the root, which would be another one.
    if schema_text.contains("ref") || schema_text.contains("\\u") {
        return;
    }
    for (around, expected) in [
        (json!({"allOf": [schema, {}]}), valid),
        (json!({"anyOf": [{"not": {}}, schema]}), valid),
        (json!({"oneOf": [schema, schema]}), false),
        (json!({"oneOf": [schema, {"not": {}}]}), valid),
        (json!({"not": schema}), !valid),
    ] {
        if let Some(said) = says(&around) {
            assert_eq!(said, expected, "{around}");
        }
    }
});
