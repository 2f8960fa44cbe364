//! Templates of SAM and of the serverless framework, once they are imported: what requests get. The documents are those of
//! `tests/import`, which its own test keeps.

mod process;

use std::path::Path;

use process::tollgate;

/// What one request gets of an imported document.
fn explained(folder: &str, arguments: &[&str]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import").join(folder).join("gateway.yaml");
    let mut all = vec!["explain"];
    all.extend(arguments);
    all.push(file.to_str().expect("UTF-8"));
    let output = tollgate(&all);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Every part is in what a request gets.
fn gets(folder: &str, arguments: &[&str], parts: &[&str]) {
    let text = explained(folder, arguments);
    for part in parts {
        assert!(text.contains(part), "{folder}: {arguments:?} has no {part}:\n{text}");
    }
}

#[test]
fn events_of_functions_are_routes_that_call_them() {
    let answer = ["--answer", r#"200 {"statusCode": 201, "body": "hello"}"#];
    let hello = "functions/arn:aws:lambda:us-east-1:000000000000:function:HelloWorldFunction/invocations";
    gets("sam/hello-world", &[&["GET", "/Prod/hello"], &answer[..]].concat(), &[hello, "201"]);
    gets("sam/hello-world", &[&["DELETE", "/Prod/hello/a/b"], &answer[..]].concat(), &[hello, "201"]);
    gets("sam/hello-world", &["POST", "/Prod/hello"], &["403"]);
    // The alias that SAM publishes, and the other one that one function asks for.
    let live = "function:things:live/invocations";
    gets("sam/globals", &[&["GET", "/things/7"], &answer[..]].concat(), &[live, "201"]);
    gets("sam/globals", &[&["PUT", "/whatever"], &answer[..]].concat(), &["function:plain:beta/invocations"]);
}

#[test]
fn authorizers_guard_what_the_template_says_and_nothing_else() {
    gets("sam/authorizers", &["GET", "/v1/pets?page=1"], &["401", "www-authenticate: Bearer realm=\"pets\""]);
    gets("sam/authorizers", &["GET", "/v1/health", "--answer", r#"200 {"statusCode": 204}"#], &["204"]);
    let preflight = ["access-control-allow-origin: https://shop.example.com", "access-control-allow-methods: GET,OPTIONS,POST"];
    gets("sam/authorizers", &["OPTIONS", "/v1/pets"], &[&["200"], &preflight[..]].concat());
    gets("sam/http-jwt", &["GET", "/live/orders"], &["401"]);
    gets("sam/http-jwt", &["GET", "/live/health", "--answer", r#"200 {"statusCode": 204}"#], &["204"]);
    gets("sam/usage-plans", &["GET", "/Prod/partners/7"], &["403"]);
    gets("sam/usage-plans", &["POST", "/admin/admin"], &["403"]);
}

#[test]
fn services_are_called_as_the_definition_says() {
    let sent = explained("sam/definition-body", &["POST", "/Prod/orders", "--body", r#"{"pet": 7}"#, "--answer", "200 {}"]);
    for part in ["/000000000000/orders", r#"Action=SendMessage&MessageBody={"pet": 7}"#, "202", r#"{"queued": true}"#] {
        assert!(sent.contains(part), "no {part}:\n{sent}");
    }
    let started =
        explained("sam/state-machine", &["POST", "/Prod/checkouts", "--body", r#"{"cart": "it's"}"#, "--answer", "200 {}"]);
    for part in [r#"it\'s"#, "stateMachine:checkout"] {
        assert!(started.contains(part), "no {part}:\n{started}");
    }
}

#[test]
fn what_the_serverless_framework_compiles_is_served_as_in_aws() {
    let answer = ["--answer", r#"200 {"statusCode": 201, "body": "hello"}"#];
    gets(
        "serverless/rest-cors-authorizer",
        &[&["GET", "/dev/notes?page=2"], &answer[..]].concat(),
        &["function:notes-dev-list/invocations", "201"],
    );
    gets("serverless/rest-cors-authorizer", &["PUT", "/dev/notes/7"], &["401", "access-control-allow-origin: *"]);
    let preflight = ["OPTIONS", "/dev/notes", "-H", "Origin: https://notes.example.com"];
    gets(
        "serverless/rest-cors-authorizer",
        &preflight,
        &["access-control-allow-credentials: true", "access-control-allow-methods: OPTIONS,GET"],
    );
    gets("serverless/api-keys", &["GET", "/prod/reports"], &["403"]);
    let key = ["-H", "X-API-Key: h4Qd82LsPzN7vKxW3mYbTc5R"];
    gets("serverless/api-keys", &[&["GET", "/prod/reports"], &key[..], &answer[..]].concat(), &["201"]);
    gets("serverless/http-api-jwt", &["POST", "/orders"], &["401"]);
    gets("serverless/http-api-jwt", &[&["GET", "/elsewhere"], &answer[..]].concat(), &["function:orders-dev-orders"]);
    gets("serverless/services", &["GET", "/dev/status"], &["200", r#"{"status": "up", "stage": "dev"}"#]);
    let sent = ["POST", "/dev/intake", "--body", "{\"n\": 1}", "--answer", "200 {}"];
    gets("serverless/services", &sent, &["Action=SendMessage", "/000000000000/intake-dev-queue"]);
}
