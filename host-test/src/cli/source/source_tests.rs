use super::*;
use crate::cli::testing::Folder;
use serde_json::json;

use super::text::Position;

fn load(folder: &Folder, file: &str) -> Source {
    Source::load(&folder.path(file), &Choice::default()).unwrap_or_else(|failure| panic!("{}", failure.message))
}

#[test]
fn a_bare_rest_definition_becomes_a_document_with_the_stage_prod() {
    let folder = Folder::new();
    folder.write("petstore.yaml", "openapi: 3.0.1\npaths: {}\n");
    let source = load(&folder, "petstore.yaml");
    assert_eq!(
        source.document().unwrap(),
        json!({"apis": [{"name": "petstore", "protocol": "REST", "definition": {"openapi": "3.0.1", "paths": {}}, "stages": [{"stageName": "prod"}]}]})
    );
}

#[test]
fn a_bare_http_api_gets_the_default_stage_and_a_named_one_its_name() {
    let folder = Folder::new();
    folder.write(
        "api.json",
        r#"{"openapi": "3.0.1", "x-amazon-apigateway-importexport-version": "1.0", "x-amazon-apigateway-cors": {}, "paths": {}}"#,
    );
    let document = load(&folder, "api.json").document().unwrap();
    assert_eq!(document["apis"][0]["protocol"], "HTTP");
    assert_eq!(document["apis"][0]["stages"], json!([{"stageName": "$default"}]));
    let choice = Choice { stage: Some("dev".into()), variables: vec![("host".into(), "a".into()), ("host".into(), "b".into())] };
    let document = Source::load(&folder.path("api.json"), &choice).unwrap().document().unwrap();
    assert_eq!(document["apis"][0]["stages"], json!([{"stageName": "dev", "variables": {"host": "b"}}]));
}

#[test]
fn a_definition_file_is_inlined_and_keeps_its_own_lines() {
    let folder = Folder::new();
    folder.write("gateway.yaml", "apis:\n  - name: a\n    definitionFile: sub/api.json\n    stages: [{stageName: prod}]\n");
    folder.write("sub/api.json", "{\"openapi\": \"3.0.1\",\n \"paths\": {\"/x\": 7}}");
    let source = load(&folder, "gateway.yaml");
    let document = source.document().unwrap();
    assert_eq!(document["apis"][0]["definition"]["paths"], json!({"/x": 7}));
    assert!(document["apis"][0].get("definitionFile").is_none());
    let path = JsonPath::root().key("apis").index(0).key("definition").key("paths").key("/x");
    let span = source.place(&path, About::Value).unwrap();
    assert_eq!(span.file, FileId(1));
    assert_eq!(source.files()[1].position(span.start), Position { line: 2, column: 18 });
    assert_eq!(source.versions().len(), 2);
}

#[test]
fn a_definition_file_that_is_missing_is_told_at_the_line_that_names_it() {
    let folder = Folder::new();
    folder.write("gateway.yaml", "apis:\n  - name: a\n    definitionFile: gone.yaml\n");
    let source = load(&folder, "gateway.yaml");
    let finding = &source.findings()[0];
    assert!(finding.problem.message.contains("gone.yaml`: there is no such file"), "{}", finding.problem);
    assert_eq!(source.files()[0].position(finding.span.unwrap().start), Position { line: 3, column: 21 });
}

#[test]
fn what_is_found_in_a_definition_file_is_told_by_its_path_in_the_document() {
    let folder = Folder::new();
    folder.write("gateway.yaml", "apis:\n  - name: a\n    definitionFile: api.yaml\n");
    folder.write("api.yaml", "openapi: 3.0.1\npaths:\n  /a: {}\n  /a: {}\n");
    let source = load(&folder, "gateway.yaml");
    assert_eq!(source.findings()[0].problem.path.to_string(), "$.apis[0].definition.paths[\"/a\"]");
    assert_eq!(source.findings()[0].span.unwrap().file, FileId(1));
}

#[test]
fn the_paths_of_a_bare_definition_start_at_its_own_root() {
    let folder = Folder::new();
    folder.write("api.yaml", "openapi: 3.0.1\npaths:\n  /a: {}\n  /a: {}\n");
    let source = load(&folder, "api.yaml");
    assert_eq!(source.shown(&source.findings()[0].problem.path).to_string(), "$.paths[\"/a\"]");
}

#[test]
fn files_that_are_something_else_are_refused_with_a_way_out() {
    let folder = Folder::new();
    for (text, message) in [
        ("AWSTemplateFormatVersion: '2010-09-09'\nResources: {}\n", "this is a CloudFormation template, not a definition"),
        ("a: 1\n", "neither a gateway document nor a definition"),
        ("[1]", "the file holds no object"),
        ("", "the file is empty"),
    ] {
        folder.write("x.yaml", text);
        let source = load(&folder, "x.yaml");
        assert_eq!(source.findings()[0].problem.message, message);
        assert!(source.document().is_none());
    }
}

#[test]
fn json_is_known_by_its_content_and_flow_yaml_by_the_name() {
    let folder = Folder::new();
    folder.write("json.yaml", "{\"openapi\":\t\"3.0.1\"}");
    folder.write("flow.yaml", "{openapi: 3.0.1, paths: {}}");
    folder.write("flow.json", "{openapi: 3.0.1}");
    assert!(load(&folder, "json.yaml").document().is_some());
    assert!(load(&folder, "flow.yaml").document().is_some());
    assert!(load(&folder, "flow.json").document().is_none());
}

#[test]
fn bytes_that_are_not_text_are_told_with_their_line() {
    let folder = Folder::new();
    std::fs::write(folder.path("x.yaml"), b"a: 1\nb: \xff\n").unwrap();
    let failure = Source::load(&folder.path("x.yaml"), &Choice::default()).err().unwrap();
    assert!(failure.message.contains("line 2"), "{}", failure.message);
}

#[test]
fn a_stream_is_parted_where_yaml_parts_it_and_nowhere_else() {
    let parted = |text: &str| documents_of("a.yaml", text).unwrap_or_else(|failure| panic!("{text:?}: {failure:?}"));
    for (text, expected) in [
        ("a: 1\n---\nb: 2\n", json!([{"a": 1}, {"b": 2}])),
        ("--- # first\na: 1\n--- {b: 2}\n", json!([{"a": 1}, {"b": 2}])),
        ("a: 1\n...\n# between\n---\nb: 2\n...\n", json!([{"a": 1}, {"b": 2}])),
        ("a: |\n  ---\n  x\n", json!([{"a": "---\nx\n"}])),
        ("%YAML 1.2\n---\na: 1\n", json!([{"a": 1}])),
        ("# nothing\n---\n# nothing\n---\na: 1\n---\n", json!([{"a": 1}])),
        ("---\r\na: 1\r\n---\r\nb: 2\r\n", json!([{"a": 1}, {"b": 2}])),
        ("{\"a\": 1}", json!([{"a": 1}])),
        ("{\"a\": 1}\n---\n{\"b\": 2}\n", json!([{"a": 1}, {"b": 2}])),
        ("a: &x 1\nb: *x\n---\na: &x 2\nb: *x\n", json!([{"a": 1, "b": 1}, {"a": 2, "b": 2}])),
        ("", json!([])),
    ] {
        assert_eq!(Value::from(parted(text)), expected, "{text:?}");
    }
    assert!(documents_of("a.yaml", "a: &x 1\n---\nb: *x\n").is_err());
    let failure = documents_of("a.yaml", "a: 1\n---\nb: [\n").expect_err("it does not end");
    assert!(format!("{failure:?}").contains("a.yaml:4:"), "{failure:?}");
}
