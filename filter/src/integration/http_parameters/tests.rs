//! What the cases cannot see: which answers are held, and what people read of a mapping.

use super::*;
use crate::context::{Context, Ids};
use crate::http::{RequestHead, ResponseHead};
use crate::platform::Still;
use serde_json::{Value, json};

const HOST: Still = Still { now_millis: 1_700_000_000_000, source_address: None };

fn responses(parameters: Value) -> HttpResponseParameters {
    let mut problems = Problems::default();
    let integration = json!({"responseParameters": parameters});
    let compiled = HttpResponseParameters::compile(&Node::root(&integration), &mut problems);
    assert!(!problems.any_error(), "{problems:?}");
    compiled
}

#[test]
fn an_answer_is_held_only_where_its_body_is_mapped_or_may_be_forbidden() {
    for (parameters, held) in [
        (json!({}), false),
        (json!({"200": {}}), false),
        (json!({"200": {"append:header.x": "$response.header.y", "remove:header.z": "''"}}), false),
        (json!({"200": {"overwrite:statuscode": "201"}, "304": {"overwrite:statuscode": 200}}), false),
        (json!({"200": {}, "404": {"append:header.x": "a ${response.body.b}"}}), true),
        (json!({"200": {"append:header.x": "$response.body"}}), true),
        (json!({"200": {"overwrite:statuscode": "204"}}), true),
        (json!({"200": {"overwrite:statuscode": "304"}}), true),
        (json!({"200": {"overwrite:statuscode": "$response.header.x-status"}}), true),
        (json!({"200": {"overwrite:statuscode": "$stageVariables.status"}}), true),
    ] {
        assert_eq!(responses(parameters.clone()).need_answer(), held, "{parameters}");
    }
}

#[test]
fn a_length_goes_with_the_status_that_had_no_body() {
    let context = Context::new(Ids::new([1; 16]), RequestHead::default());
    let parameters = responses(json!({"304": {"overwrite:statuscode": "200"}, "200": {"overwrite:statuscode": "201"}}));
    for (status, mapped, length) in [(304, 200, None), (200, 201, Some(b"7".as_slice())), (404, 404, Some(b"7"))] {
        let mut head = ResponseHead { status, ..ResponseHead::default() };
        head.headers.append("content-length", "7");
        parameters.apply(&context, &mut head, b"", &HOST);
        assert_eq!((head.status, head.headers.get("content-length")), (mapped, length));
    }
}

#[test]
fn people_read_a_line_a_mapping_in_the_order_of_their_effect() {
    let (mut problems, integration) =
        (Problems::default(), json!({"append:header.a": "1", "overwrite:header.b": "\u{e9}", "remove:header.c": "''"}));
    let mut mappings = Vec::new();
    for (key, value) in Node::root(&integration).members(&mut problems) {
        let (action, what) = target(key).unwrap();
        mappings.extend(Mapping::header(action, what.strip_prefix("header.").unwrap(), &value, Side::Request, &mut problems));
    }
    let context = Context::new(Ids::new([1; 16]), RequestHead::default());
    let mapped = evaluate_headers(&mappings, &Sources::of(&context), &HOST);
    let mut lines = Vec::new();
    describe("header", &mapped, &mut lines);
    assert_eq!(lines, ["remove:header.c: ", "overwrite:header.b: \u{e9}", "append:header.a: 1"]);
}

#[test]
fn every_reserved_name_is_refused_whatever_its_case() {
    for name in
        RESERVED.iter().chain(&OWN_RESERVED).map(|name| name.to_ascii_uppercase() + if name.ends_with('-') { "X" } else { "" })
    {
        for side in [Side::Request, Side::Response] {
            let (mut problems, value) = (Problems::default(), json!("x"));
            assert!(Mapping::header(Action::Append, &name, &Node::root(&value), side, &mut problems).is_none(), "{name}");
            assert!(problems.any_error());
        }
    }
}
