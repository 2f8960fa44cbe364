use super::*;
use crate::value::{Budget, NotJson, parse};
use serde_json::json;

fn schema(schema: &serde_json::Value) -> Schema {
    Schema::compile_value(schema).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// What is said of a value; an empty text where it is valid.
fn said(of: &serde_json::Value, json: &str) -> String {
    let mut heap = Heap::new(Budget::default());
    let value = parse(&json.into(), &mut heap).unwrap();
    match schema(of).validate(&value, &mut heap).unwrap() {
        Verdict::Valid => String::new(),
        Verdict::Invalid(why) => why,
    }
}

fn told(schema: &serde_json::Value) -> Vec<String> {
    let mut problems = Problems::default();
    let root = Node::root(schema);
    let compiled = Schema::compile(&root, &root, &mut problems);
    assert!(compiled.is_some() || problems.any_error());
    problems.into_vec().iter().map(ToString::to_string).collect()
}

#[test]
fn findings_are_those_of_the_validator_of_aws() {
    for (schema, json, text) in [
        (json!({"required": ["name", "a"]}), "{}", r#"[object has missing required properties (["a","name"])]"#),
        (
            json!({"properties": {"n": {"type": "number"}}}),
            r#"{"n": "x"}"#,
            r#"[instance type (string) does not match any allowed primitive type (allowed: ["integer","number"])]"#,
        ),
        (
            json!({"type": ["object", "null"]}),
            "1.0",
            r#"[instance type (number) does not match any allowed primitive type (allowed: ["null","object"])]"#,
        ),
        (json!({"enum": ["b", 1]}), r#""a""#, r#"[instance value ("a") not found in enum (possible values: ["b",1])]"#),
        (json!({"minimum": 25}), "3", "[numeric instance is lower than the required minimum (minimum: 25, found: 3)]"),
        (json!({"maximum": 2.5}), "2.6", "[numeric instance is greater than the required maximum (maximum: 2.5, found: 2.6)]"),
        (
            json!({"minimum": 3, "exclusiveMinimum": true}),
            "3",
            "[numeric instance is not strictly greater than the required minimum 3]",
        ),
        (
            json!({"maximum": 3, "exclusiveMaximum": true}),
            "3.0",
            "[numeric instance is not strictly lower than the required maximum 3]",
        ),
        (json!({"multipleOf": 2}), "3", "[remainder of division is not zero (3 / 2)]"),
        (json!({"minLength": 2}), r#""é""#, "[string \"é\" is too short (length: 1, required minimum: 2)]"),
        (json!({"maxLength": 1}), r#""ab""#, "[string \"ab\" is too long (length: 2, maximum allowed: 1)]"),
        (json!({"pattern": "^a$"}), r#""b""#, "[ECMA 262 regex \"^a$\" does not match input string \"b\"]"),
        (json!({"minItems": 1}), "[]", "[array is too short: must have at least 1 elements but instance has 0 elements]"),
        (json!({"maxItems": 1}), "[1,2]", "[array is too long: must have at most 1 elements but instance has 2 elements]"),
        (json!({"uniqueItems": true}), "[1,1.0]", "[array must not contain duplicate elements]"),
        (
            json!({"items": [{}], "additionalItems": false}),
            "[1,2]",
            "[schema only allows 1 elements in array but instance has 2 elements]",
        ),
        (json!({"minProperties": 1}), "{}", "[object has too few properties (found 0 but schema requires at least 1)]"),
        (json!({"maxProperties": 0}), r#"{"a":1}"#, "[object has too many properties (found 1 but schema requires at most 0)]"),
        (
            json!({"additionalProperties": false, "properties": {"b": {}}}),
            r#"{"z":1,"b":1,"a":1}"#,
            r#"[object instance has properties which are not allowed by the schema: ["a","z"]]"#,
        ),
        (
            json!({"dependencies": {"a": ["b", "c"]}}),
            r#"{"a":1,"b":1}"#,
            r#"[property "a" of object has missing property dependencies (schema requires ["b","c"]; missing: ["c"])]"#,
        ),
        (
            json!({"allOf": [{}, {"type": "null"}]}),
            "1",
            "[instance failed to match all required schemas (matched only 1 out of 2)]",
        ),
        (json!({"anyOf": [{"type": "null"}]}), "1", "[instance failed to match at least one required schema among 1]"),
        (json!({"oneOf": [{}, {}]}), "1", "[instance failed to match exactly one schema (matched 2 out of 2)]"),
        (json!({"format": "email"}), r#""joe""#, "[string \"joe\" is not a valid email address]"),
        (json!({"not": {}}), "1", "[instance matched a schema which it should not have]"),
    ] {
        assert_eq!(said(&schema, json), text);
    }
}

#[test]
fn findings_are_told_in_order_and_what_is_in_a_wrong_value_is_not_looked_at() {
    let schema = json!({
        "required": ["b"],
        "additionalProperties": false,
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"properties": {"d": {"type": "null"}}}},
    });
    assert_eq!(
        said(&schema, r#"{"a": 1, "x": 2}"#),
        r#"[object instance has properties which are not allowed by the schema: ["x"], object has missing required properties (["b"])]"#
    );
    let both = said(&schema, r#"{"b": 1, "a": 1, "c": {"d": 1}}"#);
    assert_eq!(both.matches("instance type (integer)").count(), 2, "{both}");
}

#[test]
fn findings_end_somewhere() {
    let many = format!("[{}0]", "\"é\",".repeat(10_000));
    let text = said(&json!({"items": {"type": "null"}}), &many);
    assert!(text.len() <= 4098 && text.len() > 4000, "{}", text.len());
    assert!(said(&json!({"maxLength": 1}), &format!("\"{}\"", "é".repeat(100_000))).len() <= 4098);
}

#[test]
fn models_point_at_each_other_by_either_address() {
    let document = json!({
        "components": {"schemas": {
            "Person": {"required": ["name"], "properties": {"house": {"$ref": "#/components/schemas/House"}}},
            "House": {"properties": {"contains": {"items": {"$ref": "https://apigateway.amazonaws.com/restapis/a1/models/Person"}}}},
            "Renamed": {"id": "urn:x", "properties": {"house": {"$ref": "#/components/schemas/House"}}},
        }},
    });
    let root = Node::root(&document);
    let schemas = root.get("components").unwrap().get("schemas").unwrap();
    for (name, json, valid) in [
        ("Person", r#"{"name":1,"house":{"contains":[{"name":1}]}}"#, true),
        ("Person", r#"{"name":1,"house":{"contains":[{"house":{}}]}}"#, false),
        ("Renamed", r#"{"house":{"contains":[{}]}}"#, false),
    ] {
        let mut problems = Problems::default();
        let compiled = Schema::compile(&root, &schemas.get(name).unwrap(), &mut problems).unwrap();
        assert!(problems.into_vec().is_empty());
        let mut heap = Heap::new(Budget::default());
        let value = parse(&json.into(), &mut heap).unwrap();
        assert_eq!(compiled.is_valid(&value, &mut heap), Ok(valid), "{name} {json}");
    }
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let told = told(&json!({
        "type": ["strin", "object"],
        "minLength": -1,
        "multipleOf": 0,
        "required": true,
        "nullable": true,
        "exclusiveMinimum": 3,
        "minimum": 1,
        "exclusiveMaximum": 5,
        "enum": [],
        "anyOf": {},
        "not": 5,
        "properties": {"a": {"pattern": "^(?!x)"}, "b": {"$ref": "#/nothing"}, "c": {"$ref": "other.json"}, "d": {"$ref": "#/properties/d"}},
    }));
    for place in [
        "$.type[0]: `strin` is no type",
        "$.minLength: expected a whole number",
        "$.multipleOf: a number is a multiple",
        "$.required: `required` has no effect",
        "$.nullable: `nullable` has no effect",
        "$.exclusiveMinimum: `exclusiveMinimum` has no effect",
        "$.exclusiveMaximum: `exclusiveMaximum` has no effect",
        "$.enum: no value is named",
        "$.anyOf: expected an array",
        "$.not: expected an object",
        "$.properties.a.pattern: the pattern `^(?!x)` is not served",
        "$.properties.b[\"$ref\"]: nothing stands at `#/nothing`",
        "$.properties.c[\"$ref\"]: nothing stands at `other.json`",
        "$.properties.d: `$ref` points at itself",
    ] {
        assert!(told.iter().any(|problem| problem.starts_with(place)), "{place} not in {told:#?}");
    }
}

#[test]
fn a_schema_that_leads_back_to_itself_ends() {
    for (schema_value, exhausted) in [
        (json!({"allOf": [{"$ref": "#"}]}), Exhausted::Depth),
        (json!({"not": {"$ref": "#"}}), Exhausted::Depth),
        (json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}), Exhausted::Depth),
    ] {
        let mut heap = Heap::new(Budget::default());
        assert_eq!(schema(&schema_value).is_valid(&Value::Null, &mut heap), Err(exhausted), "{schema_value}");
    }
}

#[test]
fn no_body_takes_more_than_its_budget() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let nested = json!({"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#"}}]});
    for (of, json, wanted) in [
        (&nested, deep(200), Ok(true)),
        (&nested, deep(256), Ok(true)),
        (&json!({"uniqueItems": true}), format!("[{}-1]", (0..20_000).map(|n| format!("{n},")).collect::<String>()), Ok(true)),
        (&json!({"uniqueItems": true}), format!("[{}0]", "0,".repeat(400_000)), Err(Exhausted::Steps)),
        (&json!({"pattern": "(a|aa)+$"}), format!("\"{}b\"", "a".repeat(5_000_000)), Err(Exhausted::Steps)),
        (&json!({"multipleOf": 7}), "9".repeat(1_000_000), Err(Exhausted::Steps)),
        (&json!({"items": {"allOf": [{}, {}, {}]}}), format!("[{}0]", "0,".repeat(200_000)), Err(Exhausted::Steps)),
    ] {
        let mut heap = Heap::new(Budget::default());
        let value = parse(&json.into(), &mut heap).unwrap();
        assert_eq!(schema(of).is_valid(&value, &mut heap), wanted, "{of}");
    }
    let mut heap = Heap::new(Budget::default());
    assert_eq!(parse(&deep(300).into(), &mut heap), Err(NotJson::Exhausted(Exhausted::Depth)));
}
