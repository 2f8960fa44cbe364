//! The command as a script sees it: what it prints, where it says a mistake stands, and how it exits.

mod process;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use process::{TOLLGATE, printed, tollgate};
use serde_json::Value;

/// Files of one test, gone with it.
struct Files(PathBuf);

// === impl Files ===

impl Files {
    fn new(test: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("tollgate-cli-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        for (name, text) in files {
            std::fs::write(folder.join(name), text).expect("a file can be written");
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("paths are UTF-8").to_owned()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Five mistakes, of the file itself and of what it says; `$` is the root.
const YAML: &str = r#"openapi: 3.0.1
paths:
  /pets:
    get:
      x-amazon-apigateway-integration:
        type: htpp_proxy
        uri: http://pets.test/pets
        httpMethod: GET
  /pets/{id:
    get:
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: http://pets.test/}
  /owners:
    get:
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: !Sub 'http://${Host}/'}
  /shops:
    get:
      x-amazon-apigateway-integration: {type: mock, passthroughBehavior: sometimes}
  /shops:
    post:
      x-amazon-apigateway-integration: {type: mock, passthroughBehavior: sometimes}
"#;

const YAML_PLACES: [(u64, u64, &str); 5] = [
    (6, 15, r#"$.paths["/pets"].get["x-amazon-apigateway-integration"].type"#),
    (10, 5, r#"$.paths["/pets/{id"].get"#),
    (14, 81, r#"$.paths["/owners"].get["x-amazon-apigateway-integration"].uri"#),
    (18, 3, r#"$.paths["/shops"]"#),
    (20, 74, r#"$.paths["/shops"].post["x-amazon-apigateway-integration"].passthroughBehavior"#),
];

const JSON: &str = r#"{"apis": [{
	"name": "ünïcode", "protocol": "SOAP",
	"stages": [{"stageName": "a b"}, {"stageName": "prod", "basPath": "/"}],
	"definition": {"openapi": "3.0.1", "paths": {
		"/x": {"get": {"x-amazon-apigateway-integration": {"type": "mokc"}}},
		"/x": {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}
	}}
}], "upstream": {}}
"#;

const JSON_PLACES: [(u64, u64, &str); 5] = [
    (2, 33, "$.apis[0].protocol"),
    (3, 27, "$.apis[0].stages[0].stageName"),
    (3, 57, "$.apis[0].stages[1].basPath"),
    (6, 3, r#"$.apis[0].definition.paths["/x"]"#),
    (8, 5, "$.upstream"),
];

const PETS: &str = "openapi: 3.0.1
paths:
  /pets/{id}:
    get:
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: 'http://pets.test/{id}',
        requestParameters: {integration.request.path.id: method.request.path.id}}
    x-amazon-apigateway-any-method:
      x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{\"statusCode\": 200}'},
        responses: {default: {statusCode: 200}}}
";

fn problems(output: &Output) -> Vec<Value> {
    let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", printed(output)));
    value["problems"].as_array().expect("problems are a list").clone()
}

fn places(output: &Output) -> Vec<(u64, u64, String)> {
    let number = |problem: &Value, name: &str| problem[name].as_u64().unwrap_or_default();
    let place = |problem: &Value| {
        (number(problem, "line"), number(problem, "column"), problem["path"].as_str().unwrap_or_default().to_owned())
    };
    problems(output).iter().map(place).collect()
}

fn wanted(places: &[(u64, u64, &str)]) -> Vec<(u64, u64, String)> {
    places.iter().map(|(line, column, path)| (*line, *column, (*path).to_owned())).collect()
}

#[test]
fn five_mistakes_in_yaml_are_five_problems_at_their_places() {
    let files = Files::new("yaml", &[("api.yaml", YAML)]);
    let output = tollgate(&["lint", "--format", "json", &files.path("api.yaml")]);
    assert_eq!(places(&output), wanted(&YAML_PLACES), "{}", printed(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn five_mistakes_in_json_with_tabs_are_five_problems_at_their_places() {
    let files = Files::new("json", &[("gateway.json", JSON)]);
    let output = tollgate(&["lint", "--format", "json", &files.path("gateway.json")]);
    assert_eq!(places(&output), wanted(&JSON_PLACES), "{}", printed(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_member_that_should_not_be_there_is_shown_by_its_name() {
    let text = "apis:
- name: a
  protocol: REST
  stages: [{stageName: prod, zz1: 1}, {stageName: dev, zz2:
    2}]
  ? zz3
  : x
  definition: {openapi: 3.0.1, paths: {/a: {x-amazon-apigateway-cors: 1}}, x-amazon-apigateway-nothing: x}
";
    let files = Files::new("stray", &[("gateway.yaml", text)]);
    let output = tollgate(&["lint", "--format", "json", &files.path("gateway.yaml")]);
    for (line, name) in [(4, "zz1"), (4, "zz2"), (6, "zz3"), (8, "x-amazon-apigateway-cors"), (8, "x-amazon-apigateway-nothing")] {
        let column = text.lines().nth(line - 1).and_then(|text| text.find(name)).expect("it stands there") + 1;
        let shown = places(&output).into_iter().find(|(.., path)| path.contains(name)).map(|(line, column, _)| (line, column));
        assert_eq!(shown, Some((line as u64, column as u64)), "{name}: {}", printed(&output));
    }
}

/// Only a gateway document says of clusters, and only Envoy needs them: a bare definition is not asked for any.
#[test]
fn a_host_without_a_cluster_is_a_warning_in_a_gateway_document() {
    let definition = r#"{openapi: 3.0.1, paths: {/x: {get: {x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://b.test/"}}}}}"#;
    let document = format!("apis:\n  - name: a\n    definition: {definition}\n    stages: [{{stageName: s}}]\n");
    let files = Files::new("clusters", &[("bare.yaml", definition), ("gateway.yaml", &document)]);
    let output = tollgate(&["lint", &files.path("gateway.yaml")]);
    assert!(output.status.success() && printed(&output).contains("warning: no upstream for `b.test`"), "{}", printed(&output));
    let output = tollgate(&["lint", &files.path("bare.yaml")]);
    assert!(output.status.success() && !printed(&output).contains("upstream"), "{}", printed(&output));
}

#[test]
fn a_person_sees_the_line_the_path_and_the_help() {
    let files = Files::new("human", &[("api.yaml", YAML)]);
    let file = files.path("api.yaml");
    let output = tollgate(&["lint", &file]);
    let shown = format!(
        "error: the CloudFormation function `!Sub` has no value outside its template
  --> {file}:14:81
   |
14 |       x-amazon-apigateway-integration: {{type: http_proxy, httpMethod: GET, uri: !Sub 'http://${{Host}}/'}}
   |                                                                                 ^^^^^^^^^^^^^^^^^^^^^^
   = path: $.paths[\"/owners\"].get[\"x-amazon-apigateway-integration\"].uri
   = help: resolve the template first"
    );
    let text = printed(&output);
    assert!(text.contains(&shown), "{text}");
    assert!(text.ends_with(&format!("5 errors in {file}\n")), "{text}");
    assert!(!text.contains('\u{1b}'), "colours without a terminal");
}

#[test]
fn colours_are_forced_by_the_variable_alone() {
    let files = Files::new("colour", &[("api.yaml", YAML)]);
    let mut command = Command::new(TOLLGATE);
    command.args(["lint", &files.path("api.yaml")]).env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1");
    let output = command.output().expect("the command can be run");
    assert!(printed(&output).contains("\u{1b}[1m\u{1b}[31merror"), "{:?}", printed(&output));
}

#[test]
fn the_exit_code_tells_clean_from_wrong_from_unreadable() {
    let files = Files::new("exit", &[("good.yaml", PETS), ("bad.yaml", YAML), ("half.json", "{\"apis\": [")]);
    let [good, bad, half, gone] = ["good.yaml", "bad.yaml", "half.json", "gone.yaml"].map(|name| files.path(name));
    for (arguments, code) in [
        (vec!["lint", &good], 0),
        (vec!["lint", &bad], 1),
        (vec!["lint", &good, &bad], 1),
        (vec!["lint", &half], 1),
        (vec!["lint", &gone], 2),
        (vec!["lint", &bad, &gone], 2),
        (vec!["lint"], 2),
        (vec!["lint", &good, "--fromat", "json"], 2),
        (vec!["routes", &good], 0),
        (vec!["routes", &bad], 1),
        (vec!["routes", &good, "--stage", "a b"], 1),
        (vec!["serve", &bad, "--listen", "127.0.0.1:0"], 1),
        (vec!["serve", &gone], 2),
        (vec!["serve", "-", "--watch"], 2),
        (vec!["serve", &good, "--upstream", "pets.test"], 2),
        (vec!["serve", &good, "--module", &gone], 2),
        (vec!["stub", &good], 1),
        (vec!["functions", &good], 1),
        (vec!["functions", &gone], 2),
        (vec!["functions"], 2),
        (vec!["gateway-responses"], 0),
        (vec!["completions", "sh"], 2),
        (vec!["--version"], 0),
        (vec![], 2),
    ] {
        let output = tollgate(&arguments);
        assert_eq!(output.status.code(), Some(code), "tollgate {}\n{}", arguments.join(" "), printed(&output));
    }
}

#[test]
fn an_unreadable_file_does_not_hide_the_problems_of_the_others() {
    let files = Files::new("both", &[("bad.yaml", YAML)]);
    let output = tollgate(&["lint", "--format", "json", &files.path("gone.yaml"), &files.path("bad.yaml")]);
    assert_eq!(problems(&output).len(), 5);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("gone.yaml`: there is no such file") && said.contains("help: "), "{said}");
}

#[test]
fn a_syntax_error_is_told_with_line_and_column() {
    let files = Files::new("syntax", &[("a.json", "{\"openapi\":\n  \"3.0.1\",,}"), ("a.yaml", "openapi: 3.0.1\npaths: {\n")]);
    let json = tollgate(&["lint", "--format", "json", &files.path("a.json")]);
    assert_eq!(places(&json), [(2, 11, "$".to_owned())], "{}", printed(&json));
    let yaml = tollgate(&["lint", "--format", "json", &files.path("a.yaml")]);
    assert_eq!(problems(&yaml).len(), 1, "{}", printed(&yaml));
    assert!(problems(&yaml)[0]["line"].as_u64().is_some_and(|line| line >= 2), "{}", printed(&yaml));
}

#[test]
fn the_standard_input_is_read_and_named() {
    let mut command = Command::new(TOLLGATE);
    command.args(["lint", "-"]).env("NO_COLOR", "1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command can be run");
    child.stdin.take().expect("a pipe").write_all(YAML.as_bytes()).expect("the command reads");
    let output = child.wait_with_output().expect("the command ends");
    assert!(printed(&output).contains(" --> <stdin>:6:15"), "{}", printed(&output));
}

#[test]
fn the_route_table_is_aligned_and_in_the_order_of_the_definition() {
    let files = Files::new("routes", &[("pets.yaml", PETS)]);
    let output = tollgate(&["routes", &files.path("pets.yaml")]);
    assert_eq!(
        printed(&output),
        "METHOD  PATH             INTEGRATION                           AUTHORIZATION  STAGE
GET     /prod/pets/{id}  HTTP_PROXY GET http://pets.test/{id}  NONE           prod
ANY     /prod/pets/{id}  MOCK                                  NONE           prod
"
    );
    let output = tollgate(&["routes", &files.path("pets.yaml"), "--stage", "dev", "--format", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", printed(&output)));
    assert_eq!(value["routes"][1]["path"], "/dev/pets/{id}");
    assert_eq!(value["routes"][1]["stage"], "dev");
}

#[test]
fn a_definition_with_errors_has_no_routes_but_reasons() {
    let files = Files::new("noroutes", &[("api.yaml", YAML)]);
    let output = tollgate(&["routes", &files.path("api.yaml")]);
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("5 errors in"), "{}", printed(&output));
}

#[test]
fn a_stage_that_is_not_there_is_refused_with_those_that_are() {
    let document = format!(
        "{{\"apis\": [{{\"name\": \"a\", \"definitionFile\": \"pets.yaml\", \"stages\": [{}]}}]}}",
        r#"{"stageName": "dev"}"#
    );
    let files = Files::new("stage", &[("pets.yaml", PETS), ("gateway.json", &document)]);
    let output = tollgate(&["routes", &files.path("gateway.json"), "--stage", "prod"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(printed(&output).contains("no stage is named `prod`") && printed(&output).contains("`dev`"), "{}", printed(&output));
}

#[test]
fn rows_of_weak_evidence_are_marked_and_counted() {
    let output = tollgate(&["gateway-responses", "--evidence"]);
    let text = printed(&output);
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{text}")).to_owned();
    assert!(line("INTEGRATION_TIMEOUT ").contains(" weak "));
    assert!(!line("MISSING_AUTHENTICATION_TOKEN ").contains(" weak "));
    let weak = text.lines().filter(|line| line.contains(" weak ") && !line.contains("rest on")).count();
    assert!(text.ends_with(&format!("{weak} of 21 rows rest on weak evidence\n")), "{text}");
}

#[test]
fn completions_know_every_subcommand() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = tollgate(&["completions", shell]);
        let script = printed(&output);
        for name in ["serve", "functions", "lint", "routes", "explain", "render", "gateway-responses", "stub", "completions"] {
            assert!(script.contains(name), "{shell} does not know {name}");
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let files = Files::new("head", &[("api.yaml", YAML)]);
    let line = format!("'{TOLLGATE}' lint '{}' 2>&1 | head -n 1; exit ${{PIPESTATUS[0]}}", files.path("api.yaml"));
    let output = Command::new("bash").args(["-c", &line]).output().expect("bash can be run");
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    assert_eq!(printed(&output).lines().count(), 1);
}
