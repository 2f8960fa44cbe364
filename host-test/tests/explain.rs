//! `tollgate explain` as its users run it: what it says of a request, step by step, whom it asks, and how it exits. No module is
//! needed: the gateway runs in the command itself.

mod process;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use process::{Server, TOLLGATE, printed, repository, tollgate};
use serde_json::{Value, json};

/// A mock, a proxy, one that gives up soon, and one behind a function.
const API: &str = r#"swagger: "2.0"
info: {title: pets, version: "1"}
paths:
  /mock:
    get:
      x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'},
        responses: {default: {statusCode: 200, responseTemplates: {application/json: '{"a": 1}'}}}}
  /pets/{id}:
    x-amazon-apigateway-any-method:
      parameters: [{name: id, in: path, required: true, type: string}]
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, uri: 'http://pets.test/{id}',
        requestParameters: {integration.request.path.id: method.request.path.id}}
  /late:
    get:
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: 'http://pets.test/late', timeoutInMillis: 300}
  /guarded:
    get:
      security: [{ticket: []}]
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: 'http://pets.test/guarded'}
securityDefinitions:
  ticket:
    type: apiKey
    name: Authorization
    in: header
    x-amazon-apigateway-authtype: custom
    x-amazon-apigateway-authorizer: {type: token, identityValidationExpression: 'ticket-.*',
      authorizerUri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations'}
"#;

/// The function refuses one ticket of two; the backend keeps nobody waiting but who asks for `late`.
const BACKEND: &str = r#"replies:
  - {method: POST, path: '/2015-03-31/functions/{function}/invocations', body: {principalId: ann, policyDocument: {Version: "2012-10-17",
      Statement: [{Effect: Deny, Action: "*", Resource: "*"}]}}}
  - {path: /late, delayMillis: 2000}
  - {path: /3, status: 201, headers: {x-from: [stub, again], set-cookie: "sid=0123456789; Path=/"}, echo: true}
"#;

/// Signed with the key of `examples/authorizers`; it does not expire.
fn token() -> String {
    let page = std::fs::read_to_string(repository().join("examples/authorizers/README.md")).expect("the page is there");
    let start = page.find("Bearer eyJ").expect("the page has a token") + "Bearer ".len();
    page.get(start..).and_then(|rest| rest.split('\'').next()).expect("it ends with a quote").to_owned()
}

/// Files of one test, gone with it.
struct Files(PathBuf);

// === impl Files ===

impl Files {
    fn new(test: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("tollgate-explain-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let files_of_all = [("api.yaml", API), ("backend.yaml", BACKEND)];
        for (name, text) in files_of_all.iter().chain(files) {
            std::fs::write(folder.join(name), text).expect("a file can be written");
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("paths are UTF-8").to_owned()
    }

    fn stub(&self) -> Server {
        Server::start(&["stub", &self.path("backend.yaml")])
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn explain(arguments: &[&str]) -> Output {
    tollgate(&[&["explain"], arguments].concat())
}

/// The same as one object, and how it exits.
fn explain_json(arguments: &[&str]) -> (Value, Option<i32>) {
    let output = explain(&[arguments, &["--format", "json"]].concat());
    let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", printed(&output)));
    (value, output.status.code())
}

/// The first text of a step.
fn step<'a>(value: &'a Value, section: &str, name: &str) -> Option<&'a str> {
    let steps = value["steps"].as_array().expect("steps are a list");
    steps.iter().find(|step| step["section"] == section && step["name"] == name).and_then(|step| step["text"].as_str())
}

fn sections(value: &Value) -> Vec<&str> {
    let mut sections: Vec<&str> =
        value["steps"].as_array().expect("a list").iter().filter_map(|step| step["section"].as_str()).collect();
    sections.dedup();
    sections
}

#[test]
fn a_mock_is_explained_without_anybody_being_asked() {
    let files = Files::new("mock", &[]);
    let output = explain(&["GET", "/prod/mock", &files.path("api.yaml")]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let shown = "Method request
  route: GET /mock of `api`, stage `prod`
  request:
    GET /prod/mock
    host: localhost
    x-forwarded-for: 127.0.0.1
    x-forwarded-proto: http
  authorizer: NONE

";
    assert!(text.starts_with(shown), "{text}");
    assert!(text.contains("\nMethod response\n  response:\n    200\n"), "{text}");
    assert!(text.ends_with("\n\n    {\"a\": 1}\n"), "{text}");
    assert!(!text.contains('\u{1b}'), "colours without a terminal");
}

#[test]
fn headings_are_bold_where_colours_are_wanted() {
    let files = Files::new("colour", &[]);
    let mut command = Command::new(TOLLGATE);
    command.args(["explain", "GET", "/mock", &files.path("api.yaml")]).env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1");
    let output = command.output().expect("the command can be run");
    assert!(printed(&output).contains("\u{1b}[1mMethod request\u{1b}[0m"), "{:?}", printed(&output));
}

#[test]
fn the_base_path_of_the_only_stage_can_be_left_out_and_that_is_told() {
    let files = Files::new("base", &[]);
    let (value, code) = explain_json(&["get", "/mock?a=/b", &files.path("api.yaml"), "--stage", "dev"]);
    assert_eq!((value["request"]["path"].as_str(), code), (Some("/dev/mock?a=/b"), Some(0)));
    assert_eq!(value["request"]["method"], "GET");
    let told = step(&value, "MethodRequest", "path");
    assert_eq!(told, Some("`/mock?a=/b` is below no stage; what follows is of `/dev/mock?a=/b`"));
}

#[test]
fn a_backend_is_really_called_and_what_it_got_and_said_is_shown() {
    let files = Files::new("backend", &[("pet.json", "{\"id\":3}")]);
    let stub = files.stub();
    let upstream = format!("pets.test=http://{}", stub.address);
    let body = format!("@{}", files.path("pet.json"));
    let file = files.path("api.yaml");
    let mut arguments = vec!["POST", "/prod/pets/3", &file, "--upstream", &upstream, "--body", &body];
    arguments.extend(["-H", "X-Shop: a: b", "--header", "Content-Type=application/json"]);
    let (value, code) = explain_json(&arguments);
    assert_eq!(code, Some(0));
    assert_eq!(sections(&value), ["MethodRequest", "IntegrationRequest", "Integration", "MethodResponse"], "{value:#}");
    assert_eq!(step(&value, "MethodRequest", "path parameters"), Some("id: 3"));
    assert_eq!(step(&value, "IntegrationRequest", "parameters"), Some("path.id: 3"));
    assert_eq!(step(&value, "MethodRequest", "request body"), Some("{\"id\":3}"));
    assert!(step(&value, "Integration", "request").is_some_and(|text| text.starts_with("POST /3\nhost: pets.test\n")), "{value:#}");
    assert_eq!(step(&value, "Integration", "server"), Some(format!("http://{}", stub.address).as_str()));
    assert!(step(&value, "Integration", "latency").is_some_and(|text| text.ends_with(" ms")), "{value:#}");
    assert!(step(&value, "Integration", "response").is_some_and(|text| text.starts_with("201\nx-from: stub\nx-from: again\n")));
    // The stub says what it got.
    assert_eq!(value["response"]["status"], 201);
    let got: Value = serde_json::from_str(value["response"]["body"].as_str().expect("a text")).expect("it echoes JSON");
    assert_eq!((&got["method"], &got["target"], &got["body"]), (&json!("POST"), &json!("/3"), &json!("{\"id\":3}")));
    let sent: Vec<&Value> = got["headers"].as_array().expect("a list").iter().collect();
    assert!(sent.contains(&&json!(["x-shop", "a: b"])) && sent.contains(&&json!(["content-length", "8"])), "{got:#}");
    let names = got.to_string();
    assert!(!names.contains("x-tollgate-cluster") && !names.contains("x-envoy"), "no backend sees what steers the proxy: {names}");
}

#[test]
fn with_an_answer_nobody_is_asked() {
    let whole = "HTTP/1.1 404 Not Found\r\nX-From: file\r\nContent-Type: text/plain\r\n\r\nnone";
    let files = Files::new("answer", &[("answer.txt", whole)]);
    let from_file = format!("@{}", files.path("answer.txt"));
    for (answer, status, header, body) in [
        ("200", 200, json!(["content-length", "0"]), ""),
        ("404 {\"a\":1}", 404, json!(["content-type", "application/json"]), "{\"a\":1}"),
        (from_file.as_str(), 404, json!(["x-from", "file"]), "none"),
    ] {
        let (value, code) = explain_json(&["GET", "/prod/pets/3", &files.path("api.yaml"), "--answer", answer]);
        let response = &value["response"];
        assert_eq!((response["status"].as_u64(), code), (Some(status), Some(0)), "an integration answered, whatever it said");
        assert_eq!(response["body"], body);
        assert!(response["headers"].as_array().expect("a list").contains(&header), "{response:#}");
        assert_eq!(step(&value, "Integration", "server"), Some("--answer"));
        assert_eq!(step(&value, "Integration", "latency"), None);
    }
}

#[test]
fn a_backend_that_is_not_there_is_a_gateway_response_with_help() {
    let files = Files::new("gone", &[]);
    let upstream = "pets.test=http://127.0.0.1:1";
    let output = explain(&["GET", "/prod/pets/3", &files.path("api.yaml"), "--upstream", upstream]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("\n  no answer: ") && text.contains("\nGateway response\n  failure: INTEGRATION_FAILURE"), "{text}");
    let help = "help: `pets.test` did not answer: `--upstream pets.test=http://127.0.0.1:PORT` asks another server, `--answer 200` asks none";
    assert!(String::from_utf8_lossy(&output.stderr).contains(help), "{text}");
}

#[test]
fn a_backend_that_takes_too_long_is_a_gateway_response_of_its_own() {
    let files = Files::new("late", &[]);
    let stub = files.stub();
    let upstream = format!("pets.test=http://{}", stub.address);
    let (value, code) = explain_json(&["GET", "/prod/late", &files.path("api.yaml"), "--upstream", &upstream]);
    assert_eq!((value["response"]["status"].as_u64(), code), (Some(504), Some(3)));
    assert_eq!(step(&value, "Integration", "no answer"), Some("no answer within 300 ms"));
    assert!(step(&value, "GatewayResponse", "failure").is_some_and(|text| text.starts_with("INTEGRATION_TIMEOUT")), "{value:#}");
}

#[test]
fn a_route_that_is_not_there_is_told_with_the_request_and_where_routes_are_listed() {
    let files = Files::new("route", &[]);
    let output = explain(&["GET", "/prod/wombats", &files.path("api.yaml")]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.starts_with("Method request\n  request:\n    GET /prod/wombats\n"), "{text}");
    assert!(text.contains("\nGateway response\n  failure: MISSING_AUTHENTICATION_TOKEN: Missing Authentication Token\n"), "{text}");
    assert!(text.contains("help: no route was found"), "{text}");
}

#[test]
fn an_authorizer_is_asked_and_its_refusal_is_shown_with_no_secret() {
    let files = Files::new("authorizer", &[]);
    let stub = files.stub();
    let upstream = format!("lambda.us-east-1.amazonaws.com=http://{}", stub.address);
    let file = files.path("api.yaml");
    let arguments = ["GET", "/prod/guarded", &file, "--upstream", &upstream, "-H", "Authorization: ticket-0123456789"];
    let output = explain(&arguments);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("  authorizer: Lambda authorizer ticket\n  authorizer asks:\n    POST /2015-03-31/functions/"), "{text}");
    assert!(text.contains("  answer:\n    200\n") && text.contains("\"principalId\":\"ann\""), "{text}");
    assert!(text.contains("failure: ACCESS_DENIED: User is not authorized"), "{text}");
    assert!(!text.contains("0123456789") && text.contains("authorization: tick…"), "{text}");
    assert!(text.contains("\"authorizationToken\":\"tick…\""), "the event has it too: {text}");
    let (value, _) = explain_json(&arguments);
    assert!(!value.to_string().contains("0123456789"), "{value:#}");
    let shown = printed(&explain(&[&arguments[..], &["--show-secrets"]].concat()));
    assert!(shown.contains("authorization: ticket-0123456789"), "{shown}");
    // A ticket that cannot be one is refused by the gateway itself.
    let (value, code) = explain_json(&["GET", "/prod/guarded", &file, "-H", "Authorization: x"]);
    assert_eq!((value["response"]["status"].as_u64(), code), (Some(401), Some(3)), "{value:#}");
    assert_eq!(step(&value, "MethodRequest", "authorizer asks"), None);
}

#[test]
fn a_function_that_does_not_answer_is_named_and_the_answer_of_the_backend_is_not_its() {
    let files = Files::new("function", &[]);
    let file = files.path("api.yaml");
    let upstream = "lambda.us-east-1.amazonaws.com=http://127.0.0.1:1";
    let output =
        explain(&["GET", "/prod/guarded", &file, "--upstream", upstream, "--answer", "200", "-H", "Authorization: ticket-1"]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(
        text.contains("failure: AUTHORIZER_CONFIGURATION_ERROR") && text.contains("help: `lambda.us-east-1.amazonaws.com` did not"),
        "{text}"
    );
}

/// The API of the example, whose issuer publishes its keys here.
fn login(files: &Files) -> String {
    let example = std::fs::read_to_string(repository().join("examples/authorizers/gateway.yaml")).expect("the example is there");
    let published = example.replace("{ jwksFile: keys.json }", "{ jwksUri: \"https://login.example.com/keys\" }");
    assert_ne!(published, example);
    let published = published.replace("upstreams:\n", "upstreams:\n  login.example.com: { cluster: login }\n");
    std::fs::write(files.0.join("login.yaml"), published).expect("a file can be written");
    let keys = std::fs::read_to_string(repository().join("examples/authorizers/keys.json")).expect("the keys are there");
    std::fs::write(files.0.join("keys.yaml"), format!("{{\"replies\": [{{\"path\": \"/keys\", \"body\": {keys}}}]}}"))
        .expect("a file");
    files.path("login.yaml")
}

#[test]
fn the_keys_of_an_issuer_are_fetched_for_a_route_that_needs_them_and_for_no_other() {
    let files = Files::new("keys", &[]);
    let file = login(&files);
    let issuer = Server::start(&["stub", &files.path("keys.yaml")]);
    let upstream = format!("login.example.com=http://{}", issuer.address);
    let authorization = format!("Authorization: Bearer {}", token());
    let arguments = ["POST", "/notes", &file, "--upstream", &upstream, "-H", &authorization, "--answer", "200", "--body", "x"];
    let (value, code) = explain_json(&arguments);
    assert_eq!((value["response"]["status"].as_u64(), code), (Some(200), Some(0)), "{value:#}");
    assert!(step(&value, "MethodRequest", "issuer is asked").is_some_and(|text| text.starts_with("GET /keys\n")), "{value:#}");
    assert!(!value.to_string().contains(&token()));
    let (value, code) = explain_json(&["GET", "/prod/health", &file]);
    assert_eq!(code, Some(0), "{value:#}");
    assert_eq!(step(&value, "MethodRequest", "issuer is asked"), None);
    // Nobody there: the log line stands where it was written.
    let gone = ["POST", "/notes", &file, "--upstream", "login.example.com=http://127.0.0.1:1", "-H", &authorization];
    let (value, code) = explain_json(&gone);
    assert_eq!((value["response"]["status"].as_u64(), code), (Some(500), Some(3)), "{value:#}");
    assert!(step(&value, "MethodRequest", "warning").is_some_and(|text| text.contains("login.example.com")), "{value:#}");
}

/// An integration with templates, and a key that a service counts.
const ORDERS: &str = r#"apis:
  - name: orders
    stages: [{stageName: prod}]
    definition:
      swagger: "2.0"
      info: {title: orders, version: "1"}
      paths:
        /orders:
          post:
            responses: {"201": {description: made, headers: {X-Place: {type: string}}}}
            x-amazon-apigateway-integration:
              type: http
              httpMethod: PUT
              uri: http://orders.test/queue
              requestTemplates: {application/json: '{"pet": "$input.path("$.pet")"}'}
              responses:
                default:
                  statusCode: 201
                  responseParameters: {method.response.header.X-Place: integration.response.header.Location}
                  responseTemplates: {application/json: '{"queued": $input.json("$.ok")}'}
        /counted:
          get:
            security: [{api_key: []}]
            x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'},
              responses: {default: {statusCode: 200}}}
      securityDefinitions: {api_key: {type: apiKey, name: x-api-key, in: header}}
upstreams:
  orders.test: {cluster: orders}
rateLimitService: {cluster: counter, failureMode: deny}
apiKeys: [{name: ann, value: "0123456789abcdefghij"}]
usagePlans: [{usagePlanName: gold, keys: [ann], throttle: {rateLimit: 10, burstLimit: 2}, apiStages: [{api: orders, stage: prod}]}]
"#;

#[test]
fn templates_are_shown_with_what_they_make_and_the_backend_can_be_answered_for() {
    let files = Files::new("orders", &[("orders.yaml", ORDERS)]);
    let file = files.path("orders.yaml");
    let answer = "HTTP/1.1 200 OK\nLocation: /q/1\n\n{\"ok\":true}";
    let arguments = ["POST", "/orders", &file, "--body", "{\"pet\":\"dog\"}", "--answer", answer];
    let (value, code) = explain_json(&arguments);
    assert_eq!(code, Some(0), "{value:#}");
    let all = ["MethodRequest", "IntegrationRequest", "Integration", "IntegrationResponse", "MethodResponse"];
    assert_eq!(sections(&value), all, "{value:#}");
    assert!(step(&value, "Integration", "request").is_some_and(|text| text.ends_with("\n\n{\"pet\": \"dog\"}")), "{value:#}");
    let answered = "200\nlocation: /q/1\ncontent-length: 11\n\n{\"ok\":true}";
    assert_eq!(step(&value, "Integration", "response"), Some(answered));
    assert_eq!((&value["response"]["status"], &value["response"]["body"]), (&json!(201), &json!("{\"queued\": true}")));
    // A body that the template cannot read goes nowhere.
    let (value, code) = explain_json(&["POST", "/orders", &file, "--body", "{\"pet\"", "--answer", "200"]);
    assert_eq!((value["response"]["status"].as_u64(), code), (Some(400), Some(3)), "{value:#}");
    assert!(!sections(&value).contains(&"Integration"), "{value:#}");
    // Nor does an answer come from nobody.
    let upstream = "orders.test=http://127.0.0.1:1";
    let (value, code) = explain_json(&["POST", "/orders", &file, "--body", "{}", "--upstream", upstream]);
    assert_eq!((value["response"]["status"].as_u64(), code), (Some(504), Some(3)), "{value:#}");
    assert_eq!(step(&value, "Integration", "response"), None);
}

#[test]
fn a_rate_limit_service_is_really_asked() {
    let files = Files::new("limits", &[("orders.yaml", ORDERS)]);
    let file = files.path("orders.yaml");
    let service = Server::start_as(&["ratelimit"], "grpc");
    let upstream = format!("counter=http://{}", service.address);
    let request = ["GET", "/counted", &file, "-H", "x-api-key: 0123456789abcdefghij", "--upstream", &upstream];
    let (value, code) = explain_json(&request);
    assert_eq!(code, Some(0), "{value:#}");
    let asked = "envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";
    assert_eq!(step(&value, "MethodRequest", "rate limit service is asked"), Some(asked));
    assert_eq!(step(&value, "MethodRequest", "server"), Some(format!("http://{}", service.address).as_str()));
    assert!(!value.to_string().contains("0123456789"), "{value:#}");
    drop(service);
    let (value, code) = explain_json(&request);
    assert_eq!((value["response"]["status"].as_u64(), code), (Some(500), Some(3)), "{value:#}");
    assert!(step(&value, "MethodRequest", "no answer").is_some(), "{value:#}");
}

#[test]
fn a_domain_stands_before_the_path_or_in_the_host_header() {
    let file = "examples/mappings/gateway.yaml";
    let of_path = explain_json(&["GET", "beta.example.com/items/1", file, "--answer", "200"]);
    let of_header = explain_json(&["GET", "/items/1", file, "--answer", "200", "-H", "Host: beta.example.com"]);
    for (value, code) in [of_path, of_header] {
        assert_eq!((value["request"]["host"].as_str(), code), (Some("beta.example.com"), Some(0)), "{value:#}");
    }
}

#[test]
fn a_cookie_of_a_backend_is_shown_shortened_in_both_forms() {
    let files = Files::new("cookie", &[]);
    let stub = files.stub();
    let upstream = format!("pets.test=http://{}", stub.address);
    let file = files.path("api.yaml");
    let arguments = ["GET", "/prod/pets/3", &file, "--upstream", &upstream];
    let text = printed(&explain(&arguments));
    assert!(text.contains("set-cookie: sid=0123…; Path=/") && !text.contains("0123456789"), "{text}");
    let (value, _) = explain_json(&arguments);
    assert!(value["response"]["headers"].as_array().expect("a list").contains(&json!(["set-cookie", "sid=0123…; Path=/"])));
}

#[test]
fn a_backend_cannot_move_the_cursor() {
    let files = Files::new("cursor", &[]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let upstream = format!("pets.test=http://{address}");
    let backend = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the command connects");
        let mut seen = Vec::new();
        while !seen.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).expect("it sends a head"), 1);
            seen.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n\x1b[2Jab\tc").expect("it reads");
    });
    let output = explain(&["GET", "/prod/pets/1", &files.path("api.yaml"), "--upstream", &upstream]);
    let text = printed(&output);
    // Where the command did not come, somebody has to.
    drop(TcpStream::connect(address));
    assert!(backend.join().is_ok(), "{text}");
    assert!(!text.contains('\u{1b}') && text.contains("\\u{1b}[2Jab\tc"), "{text}");
}

#[test]
fn the_exit_code_tells_answers_from_mistakes() {
    let files =
        Files::new("exit", &[("bad.yaml", "openapi: 3.0.1\npaths: {/a: {get: {x-amazon-apigateway-integration: {type: no}}}}\n")]);
    let [file, bad, gone] = ["api.yaml", "bad.yaml", "gone.yaml"].map(|name| files.path(name));
    for (arguments, code, said) in [
        (vec!["GET", "/prod/mock", &file], 0, "Method response"),
        (vec!["GET", "/prod/none", &file], 3, "Gateway response"),
        (vec!["GET", "/a", &bad], 1, "1 error in"),
        (vec!["GET", "/a", &gone], 2, "there is no such file"),
        (vec!["GET", "/mock"], 2, "required"),
        (vec!["G T", "/mock", &file], 2, "is no method"),
        (vec!["GET", "/a b", &file], 2, "is no path"),
        (vec!["GET", "/mock", &file, "-H", "no header"], 2, "write `Name: value`"),
        (vec!["GET", "/mock", &file, "--answer", "none"], 2, "`--answer` is no answer"),
        (vec!["GET", "/mock", &file, "--body", "@/no/such/file"], 2, "there is no such file"),
        (vec!["GET", "/mock", &file, "--upstream", "pets.test"], 2, "write `HOST=URL`"),
        (vec!["GET", "/prod/mock", &file, "--upstream", "typo.test=http://127.0.0.1:1"], 0, "nothing goes to `typo.test`"),
        (vec!["GET", "/prod/mock", &file, "--stage-variable", "a"], 2, "write `NAME=VALUE`"),
        (vec!["GET", "/v1/items/1", "examples/mappings/gateway.yaml", "--stage", "none"], 2, "no stage is named `none`"),
    ] {
        let output = explain(&arguments);
        assert_eq!(output.status.code(), Some(code), "tollgate explain {}\n{}", arguments.join(" "), printed(&output));
        assert!(printed(&output).contains(said), "{said}\n{}", printed(&output));
    }
}

#[test]
fn a_body_and_a_definition_come_from_the_standard_input() {
    let files = Files::new("stdin", &[]);
    for (file, body, input) in [("-", "x", API), (&files.path("api.yaml"), "@-", "from a pipe")] {
        let mut command = Command::new(TOLLGATE);
        command.args(["explain", "POST", "/prod/pets/1", file, "--answer", "200", "--body", body]).env("NO_COLOR", "1");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be run");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("the command reads");
        let output = child.wait_with_output().expect("the command ends");
        let wanted = if body == "@-" { "request body: from a pipe" } else { "request body: x" };
        assert!(output.status.success() && printed(&output).contains(wanted), "{}", printed(&output));
    }
}
