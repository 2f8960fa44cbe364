//! Values of HTTP APIs: every form of the page, what is missing, and what is refused.

use super::*;
use crate::context::{Context, Ids, StageFacts};
use crate::definition::Node;
use crate::http::{Headers, RequestHead};
use crate::platform::Still;
use crate::problem::Problems;
use serde_json::json;
use std::sync::Arc;

const HOST: Still = Still { now_millis: 1_700_000_000_000, source_address: Some("192.0.2.7:1234") };

fn context() -> Context {
    let pairs = [
        (":method", "POST"),
        (":path", "/dev/pets/a%2Fb?q=1&q=2+3&Q=other"),
        (":authority", "api.example.com"),
        ("x-a", "1"),
        ("x-a", "2"),
    ];
    let pairs = pairs.map(|(name, value)| (name, value.as_bytes()));
    let mut context = Context::new(Ids::new([1; 16]), RequestHead::from_pairs(pairs));
    let variables = [("env".to_owned(), "e1".to_owned())].into();
    context.stage = Some(Arc::new(StageFacts { stage: "dev".to_owned(), variables, ..StageFacts::default() }));
    context.stage_path = "/pets/a%2Fb".to_owned();
    context.path_parameters = vec![("id".to_owned(), "a%2Fb".to_owned())];
    context
}

fn compile(text: &str, side: Side) -> Result<HttpExpression, String> {
    let (mut problems, value) = (Problems::default(), json!(text));
    let node = Node::root(&value);
    HttpExpression::compile(&node, side, &mut problems).ok_or_else(|| format!("{problems:?}"))
}

fn request(text: &str, body: &[u8]) -> Option<String> {
    let context = context();
    let value = compile(text, Side::Request).unwrap().value(&Sources::of(&context).with_body(body), &HOST);
    value.map(|value| String::from_utf8(value).unwrap())
}

#[test]
fn every_form_of_the_page_has_its_value() {
    let body = br#"{"a":{"name":"n1","n":[1,{"deep":true}]},"none":null}"#;
    for (text, value) in [
        ("$request.header.x-a", "1,2"),
        ("$request.header.X-A", "1,2"),
        ("${request.header.x-a}", "1,2"),
        ("$request.header.host", "api.example.com"),
        ("$request.querystring.q", "1,2 3"),
        ("$request.querystring.Q", "other"),
        ("$request.path", "/pets/a%2Fb"),
        ("$request.path.id", "a%2Fb"),
        ("$request.body.a.name", "n1"),
        ("$request.body.a.n[1].deep", "true"),
        ("$request.body.a['name']", "n1"),
        ("$request.body.a.n", r#"[1,{"deep":true}]"#),
        ("$context.stage", "dev"),
        ("$context.identity.sourceIp", "192.0.2.7"),
        ("$stageVariables.env", "e1"),
        ("constant", "constant"),
        ("'quoted'", "'quoted'"),
        ("", ""),
        ("costs $5 or 5$", "costs $5 or 5$"),
        ("${request.path.id}/${context.stage} ${stageVariables.env}", "a%2Fb/dev e1"),
        ("/v1/$request.path.id", "/v1/a%2Fb"),
        ("[$request.body.a.n[0]][$request.header.x-a]", "[1][1,2]"),
        ("$context.stage. $request.body.a.n[0], ok", "dev. 1, ok"),
    ] {
        assert_eq!(request(text, body).as_deref(), Some(value), "{text}");
    }
    assert_eq!(request("$request.body", b"not json \xc3\xa9").as_deref(), Some("not json \u{e9}"));
}

#[test]
fn a_missing_variable_alone_is_no_value_and_is_empty_among_others() {
    for text in [
        "$request.header.none",
        "$request.header.content-length",
        "$request.querystring.none",
        "$request.path.none",
        "$request.body",
        "$request.body.none",
        "$context.authorizer.none",
        "$stageVariables.none",
    ] {
        assert_eq!(request(text, b""), None, "{text}");
        assert_eq!(request(&format!("<{text}>"), b"").as_deref(), Some("<>"), "{text}");
    }
    for body in [b"{\"a\":".as_slice(), b"text", b"\"text\"", b"[1]", b"{\"a\":null}", b"\xff"] {
        assert_eq!(request("$request.body.a", body), None, "{body:?}");
    }
}

#[test]
fn a_body_longer_than_the_limit_has_no_parts_and_is_whole_without_a_path() {
    for (pad, value) in [(100 * 1024 - 16, Some("1")), (100 * 1024 - 15, None)] {
        let body = format!("{{\"a\":1,\"pad\":\"{}\"}}", "x".repeat(pad));
        assert_eq!(request("$request.body.a", body.as_bytes()).as_deref(), value, "{}", body.len());
        assert_eq!(request("$request.body", body.as_bytes()), Some(body));
    }
}

#[test]
fn a_response_has_its_own_sources() {
    let mut headers = Headers::new();
    headers.append("x-b", "1");
    headers.append("x-b", b"\xff".as_slice());
    let context = context();
    let sources = Sources::of(&context).with_response(&headers).with_body(br#"{"a":[2]}"#);
    let value = |text: &str| compile(text, Side::Response).unwrap().value(&sources, &HOST);
    assert_eq!(value("$response.header.X-B"), Some(b"1,\xff".to_vec()));
    assert_eq!(value("$response.body.a[0]"), Some(b"2".to_vec()));
    assert_eq!(value("${response.body} ${context.stage}"), Some(br#"{"a":[2]} dev"#.to_vec()));
    assert_eq!(value("$response.header.none"), None);
}

#[test]
fn what_no_side_has_is_refused() {
    for (text, side) in [
        ("$request.headers.x", Side::Request),
        ("$request.header.", Side::Request),
        ("$request.bodyx", Side::Request),
        ("$request.body..a", Side::Request),
        ("$request.body.a[?(@.b)]", Side::Request),
        ("$request.body.a[", Side::Request),
        ("$method.request.header.x", Side::Request),
        ("${request.header.x", Side::Request),
        ("${}", Side::Request),
        ("$response.header.x", Side::Request),
        ("$response.body.x", Side::Request),
        ("$request.header.x", Side::Response),
        ("$request.body", Side::Response),
        ("$request.path", Side::Response),
        ("$response.body..x", Side::Response),
    ] {
        assert!(compile(text, side).is_err(), "{text}");
    }
    let message = compile("x $request.body..a", Side::Request).unwrap_err();
    assert!(message.contains("`$request.body..a` has a recursive descent or a filter"), "{message}");
}

#[test]
fn only_bodies_are_waited_for() {
    for (text, needs) in [("$request.body", true), ("a ${request.body.x}", true), ("$request.path", false), ("x", false)] {
        assert_eq!(compile(text, Side::Request).unwrap().needs_body(), needs, "{text}");
    }
}
