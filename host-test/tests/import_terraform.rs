//! `tollgate import` of what `terraform show -json` prints. Files that are imported are in `tests/import/terraform`, each beside the
//! `main.tf` that it stands for, and compared by `tests/import.rs`; here are what requests get of them, and the files that are refused:
//! `told` in a folder of `tests/import_terraform` is what the standard error says (`UPDATE=1` writes it anew).

mod process;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use process::{TOLLGATE, tollgate};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Imports the file of a folder, from there.
fn import(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(TOLLGATE).current_dir(folder).args(["import", "input.json"]).args(arguments).output().expect("the command runs")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn what_cannot_be_imported_is_told_with_its_place_and_nothing_is_written() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let entries = fs::read_dir(folder("import_terraform")).expect("the folder is there");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    assert!(folders.len() >= 7, "{folders:?}");
    for folder in folders {
        let output = import(&folder, &[]);
        let said = text(output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{}: {said}", folder.display());
        let file = folder.join("told");
        if update {
            fs::write(&file, &said).expect("the file can be written");
        }
        assert_eq!(said, fs::read_to_string(&file).unwrap_or_default(), "{}: UPDATE=1 takes it over", folder.display());
    }
}

#[test]
fn a_value_that_is_known_only_after_apply_can_be_said() {
    let host = folder("import_terraform/unknown-host-plan");
    let output = import(&host, &["--value", "aws_api_gateway_integration.pets.uri=http://pets.internal/pets"]);
    let document = text(output.stdout);
    assert!(document.contains("uri: http://pets.internal/pets"), "{document}{}", text(output.stderr));

    let body = r#"aws_api_gateway_rest_api.api.body={"openapi": "3.0.1", "info": {"title": "pets", "version": "1"}, "paths": {"/pets":
        {"get": {"x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "GET", "uri": "https://p.test"}}}}}"#;
    let output = import(&folder("import_terraform/unknown-body-plan"), &["--value", body]);
    let document = text(output.stdout);
    assert!(document.contains("uri: https://p.test"), "{document}{}", text(output.stderr));

    let output = import(&host, &["--value", "aws_api_gateway_integration.pet.uri=http://pets.internal/pets"]);
    let said = text(output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("`--value aws_api_gateway_integration.pet.uri=…` is of no resource of this file"), "{said}");
}

#[test]
fn region_and_account_are_those_of_the_command_line_or_else_of_the_file() {
    let module = folder("import/terraform/vpc-link-module-plan");
    let of = |arguments: &[&str]| {
        let document = text(import(&module, arguments).stdout);
        let line = |name: &str| document.lines().find(|line| line.contains(name)).map(|line| line.trim().to_owned());
        (line("accountId:"), line("region:"))
    };
    let some = |text: &str| Some(text.to_owned());
    // The provider is configured for a region, and nothing says the account.
    assert_eq!(of(&[]), (some("accountId: '000000000000'"), some("region: eu-west-1")));
    let said = of(&["--account", "210987654321", "--region", "us-east-2"]);
    assert_eq!(said, (some("accountId: '210987654321'"), some("region: us-east-2")));
}

#[test]
fn a_state_is_told_by_what_is_in_it_and_from_the_standard_input() {
    let file = fs::File::open(folder("import/terraform/http-api-state/input.json")).expect("the state");
    let output = Command::new(TOLLGATE).args(["import", "-"]).stdin(file).output().expect("the command runs");
    let expected = fs::read_to_string(folder("import/terraform/http-api-state/gateway.yaml")).expect("the document");
    assert_eq!(text(output.stdout), expected, "{}", text(output.stderr));
}

/// What a request gets of an imported document.
fn explained(name: &str, arguments: &[&str]) -> String {
    let file = folder("import/terraform").join(name).join("gateway.yaml");
    let mut all = vec!["explain"];
    all.extend(arguments);
    all.push(file.to_str().expect("UTF-8"));
    let output = tollgate(&all);
    let shown = text(output.stdout);
    assert!(!shown.is_empty(), "{}", text(output.stderr));
    shown
}

fn has(shown: &str, parts: &[&str]) {
    for part in parts {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
}

#[test]
fn requests_go_through_imported_rest_apis_as_their_configuration_says() {
    let site = "http-proxy-cors-state";
    has(&explained(site, &["GET", "/live/pets/7", "--answer", "200 {}"]), &["host: pets.example.com", "/v2/pets/7"]);
    let preflight = explained(site, &["OPTIONS", "/live/pets"]);
    has(&preflight, &["access-control-allow-methods: GET,OPTIONS", "access-control-allow-origin: https://pets.example.com"]);

    let lambda = ["--upstream", "lambda.eu-west-1.amazonaws.com=http://127.0.0.1:9"];
    let answer = r#"200 {"statusCode": 204}"#;
    let called = explained("proxy-plan", &[&["GET", "/prod/any/thing", "--answer", answer][..], &lambda].concat());
    has(&called, &["functions/arn:aws:lambda:eu-west-1:123456789012:function:orders/invocations", "204"]);

    let dynamodb = ["--upstream", "dynamodb.eu-west-1.amazonaws.com=http://127.0.0.1:9"];
    let item = r#"200 {"Item": {"id": {"S": "7"}, "text": {"S": "buy milk"}}}"#;
    let note = explained("dynamodb-plan", &[&["GET", "/v1/notes/7", "--answer", item][..], &dynamodb].concat());
    has(&note, &[r#""Key": { "id": { "S": "7" } }"#, r#"{ "id": "7", "text": "buy milk" }"#]);
    let none = explained("dynamodb-plan", &[&["GET", "/v1/notes/7", "--answer", "404 {}"][..], &dynamodb].concat());
    has(&none, &["no such note"]);

    has(&explained("vpc-link-module-plan", &["GET", "/prod/a/b", "--answer", "200 {}"]), &["reports.internal", "/a/b"]);
    has(&explained("body-plan", &["GET", "/v2/products/42", "--answer", "200 {}"]), &["products.example.com", "/42"]);
    has(&explained("deployment-stage-state", &["GET", "/live/hello"]), &["403"]);
    // Both identity sources of the authorizer have to come.
    let incomplete = explained("usage-plan-state", &["POST", "/v1/items", "--header", "x-user: me", "--body", "{}"]);
    has(&incomplete, &["Lambda authorizer users + resource policy", "401"]);
}

#[test]
fn requests_go_through_imported_http_apis_as_their_configuration_says() {
    let shop = "http-api-state";
    has(&explained(shop, &["GET", "api.shop.example.com/orders", "--answer", "200 {}"]), &["401"]);
    let status = explained(shop, &["GET", "/status", "--answer", "200 {}"]);
    has(&status, &["x-gateway: tollgate", "204"]);
    has(&explained(shop, &["GET", "/status", "--answer", "503 {}"]), &["retry-after: 30"]);

    let queue = ["--upstream", "sqs.eu-west-1.amazonaws.com=http://127.0.0.1:9"];
    let sent = explained("http-api-plan", &[&["POST", "/live/later", "--body", "hi", "--answer", "200 <a/>"][..], &queue].concat());
    has(&sent, &["MessageBody"]);
    let mapped = explained(
        "http-api-plan",
        &[&["POST", "api.shop.example.com/v1/later", "--body", "hi", "--answer", "200 <a/>"][..], &queue].concat(),
    );
    has(&mapped, &["MessageBody"]);
}
