use super::*;
use crate::cli::source::text::Position;
use serde_json::json;
use tollgate::problem::JsonPath;

fn read(text: &str) -> Result<(SourceFile, Parsed), Box<(SourceFile, Finding)>> {
    let file = SourceFile::new("api.yaml".into(), text);
    match parse(&file, FileId(0), Tags::Refused) {
        Ok(parsed) => Ok((file, parsed)),
        Err(finding) => Err(Box::new((file, finding))),
    }
}

fn clean(text: &str) -> serde_json::Value {
    let (_, parsed) = read(text).unwrap_or_else(|read| panic!("{}", read.1.problem));
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    parsed.root.to_value()
}

#[test]
fn keys_are_texts_and_values_follow_the_core_schema() {
    let text = "responses:\n  200: {a: 1}\n  default: {on: yes, off: no}\ntrue: 2020-01-02\nid: 012345678901\n";
    assert_eq!(
        clean(text),
        json!({"responses": {"200": {"a": 1}, "default": {"on": "yes", "off": "no"}}, "true": "2020-01-02", "id": "012345678901"})
    );
}

#[test]
fn tags_of_the_core_schema_decide_the_type() {
    assert_eq!(clean("a: !!str 5\nb: !!int 5\nc: ! 5\nd: '5'"), json!({"a": "5", "b": 5, "c": "5", "d": "5"}));
}

#[test]
fn an_alias_has_the_value_and_the_place_of_its_anchor() {
    let (file, parsed) = read("a: &x\n  type: mock\nb: *x\n").unwrap();
    assert_eq!(parsed.root.to_value(), json!({"a": {"type": "mock"}, "b": {"type": "mock"}}));
    let span = parsed.root.place(&JsonPath::root().key("b").key("type")).unwrap();
    assert_eq!(file.position(span.start), Position { line: 2, column: 9 });
}

#[test]
fn a_merge_key_fills_in_what_is_not_written() {
    let text = "base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nuse:\n  <<: [*b, *m]\n  x: 9\n";
    assert_eq!(clean(text)["use"], json!({"x": 9, "y": 2, "z": 4}));
}

#[test]
fn a_quoted_merge_key_is_a_key_like_any_other() {
    assert_eq!(clean("'<<': {x: 1}"), json!({"<<": {"x": 1}}));
}

#[test]
fn nested_anchors_cannot_fill_the_memory() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let list = vec![format!("*a{}", n - 1); 10].join(", ");
        text.push_str(&format!("a{n}: &a{n} [{list}]\n"));
    }
    let (_, finding) = *read(&text).unwrap_err();
    assert_eq!(finding.problem.message, "aliases add more than 1000000 values");
}

#[test]
fn an_alias_inside_its_own_anchor_is_refused() {
    assert!(read("a: &x [*x]\n").is_err());
}

#[test]
fn a_key_written_twice_is_told_with_both_places() {
    let (file, parsed) = read("paths:\n  /a: 1\n  /b: 2\n  /a: 3\n").unwrap();
    let finding = &parsed.findings[0];
    assert_eq!(
        finding.problem.to_string(),
        "$.paths[\"/a\"]: `/a` is written twice in one object; help: the first one is on line 2: keep one of them"
    );
    assert_eq!(file.position(finding.span.unwrap().start), Position { line: 4, column: 3 });
}

#[test]
fn places_hold_after_accents_and_with_carriage_returns() {
    let (file, parsed) = read("ü: é\r\nlist:\r\n  - ö: [ß, {k: v}]\r\n").unwrap();
    let path = JsonPath::root().key("list").index(0).key("ö").index(1).key("k");
    let span = parsed.root.place(&path).unwrap();
    assert_eq!(file.position(span.start), Position { line: 3, column: 16 });
    assert_eq!(&file.text[span.start..span.end], "v");
}

#[test]
fn a_carriage_return_alone_ends_a_line_too() {
    let (file, parsed) = read("a: 1\rb:\r  c: 2\r").unwrap();
    let span = parsed.root.place(&JsonPath::root().key("b").key("c")).unwrap();
    assert_eq!((file.position(span.start), &file.text[span.start..span.end]), (Position { line: 3, column: 6 }, "2"));
}

#[test]
fn an_empty_value_is_null_and_stands_at_its_key() {
    let (file, parsed) = read("get:\npost: 1\n").unwrap();
    assert_eq!(parsed.root.to_value(), json!({"get": null, "post": 1}));
    let span = parsed.root.place(&JsonPath::root().key("get")).unwrap();
    assert_eq!(file.position(span.start), Position { line: 1, column: 1 });
}

#[test]
fn a_cloudformation_function_names_its_place_and_the_way_out() {
    let (file, parsed) = read("uri: !Sub 'http://${Host}'\narn: !GetAtt [A, Arn]\n").unwrap();
    assert_eq!(parsed.findings.len(), 2);
    let problem = &parsed.findings[0].problem;
    assert_eq!(problem.message, "the CloudFormation function `!Sub` has no value outside its template");
    assert!(problem.help.as_deref().unwrap().starts_with("resolve the template first"));
    assert_eq!(problem.path.to_string(), "$.uri");
    assert_eq!(file.position(parsed.findings[1].span.unwrap().start).line, 2);
}

#[test]
fn an_unknown_tag_is_told_as_it_was_written() {
    let (_, parsed) = read("a: !!binary aGk=\nb: !mine x\n").unwrap();
    let messages: Vec<_> = parsed.findings.iter().map(|f| f.problem.message.as_str()).collect();
    assert_eq!(
        messages,
        ["the YAML tag `!!binary` has no meaning in a definition", "the YAML tag `!mine` has no meaning in a definition"]
    );
}

#[test]
fn what_is_not_yaml_is_an_error_at_its_line() {
    for (text, line) in [("a: [1, 2\nb: 3\n", 2), ("a: 'x\n", 1), ("a:\n\tb: 1\n", 2), ("a: b: c\n", 1)] {
        let (file, finding) = *read(text).expect_err(text);
        let at = file.position(finding.span.unwrap().start).line;
        assert!(at == line || at == line + 1, "{text:?}: line {at}, {}", finding.problem);
    }
}

#[test]
fn a_second_document_is_refused() {
    let (file, finding) = *read("a: 1\n---\nb: 2\n").unwrap_err();
    assert_eq!(finding.problem.message, "a second YAML document starts here");
    assert_eq!(file.position(finding.span.unwrap().start).line, 2);
}

#[test]
fn nesting_without_end_is_refused_and_does_not_overflow_the_stack() {
    assert!(read(&"[".repeat(20_000)).is_err());
}

#[test]
fn short_forms_of_cloudformation_are_functions_in_a_template_only() {
    let text = "a: !Sub '${x}'\nb: !If [c, !Ref d, &e !GetAtt f.Arn]\nc: !FindInMap\n  - g\nd: *e\ne: !Base64 5\nf: !Condition h\n";
    let file = SourceFile::new("t.yaml".into(), text);
    let parsed = parse(&file, FileId(0), Tags::Functions).unwrap();
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let attribute = json!({"Fn::GetAtt": "f.Arn"});
    assert_eq!(
        parsed.root.to_value(),
        json!({"a": {"Fn::Sub": "${x}"}, "b": {"Fn::If": ["c", {"Ref": "d"}, attribute]}, "c": {"Fn::FindInMap": ["g"]},
            "d": attribute, "e": {"Fn::Base64": "5"}, "f": {"Condition": "h"}})
    );
    let (_, parsed) = read(text).unwrap();
    assert!(parsed.findings[0].problem.message.contains("`!Sub` has no value outside its template"));
    let other = parse(&SourceFile::new("t.yaml".into(), "a: !Magic b"), FileId(0), Tags::Functions).unwrap();
    assert_eq!(other.findings[0].problem.message, "the YAML tag `!Magic` has no meaning in a definition");
}
