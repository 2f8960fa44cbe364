//! `tollgate import`: each template in `tests/import/TOOL/NAME/` becomes the `gateway.yaml` beside it, or is refused where there is
//! none; `told` is what the standard error says. `UPDATE=1 cargo test --test import` writes them anew, to be reviewed by whoever
//! changes them. `arguments` in a folder holds further arguments, one a line.

mod process;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use process::{TOLLGATE, tollgate};
use serde_json::Value;

/// What an import reads.
const INPUTS: [&str; 5] = ["template.yaml", "template.json", "state.json", "plan.json", "input.json"];

/// Those that become a document.
fn good() -> Vec<PathBuf> {
    let mut folders = folders();
    folders.retain(|folder| folder.join(DOCUMENT).exists());
    folders
}

const DOCUMENT: &str = "gateway.yaml";

fn folders() -> Vec<PathBuf> {
    let tools = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import")).expect("the folder is there");
    let entries = |folder: PathBuf| fs::read_dir(folder).expect("a folder of a tool").map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<PathBuf> = tools.flat_map(|tool| entries(tool.expect("a tool").path())).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    folders
}

fn input(folder: &Path) -> PathBuf {
    let found = INPUTS.iter().map(|name| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{} has none of {INPUTS:?}", folder.display()))
}

/// Runs the command in the folder, so that what it says names no path of this machine.
fn import(folder: &Path) -> Output {
    let further = fs::read_to_string(folder.join("arguments")).unwrap_or_default();
    let file = input(folder);
    Command::new(TOLLGATE)
        .current_dir(folder)
        .arg("import")
        .arg(file.file_name().expect("a file"))
        .args(further.lines())
        .output()
        .expect("the command runs")
}

#[test]
fn every_template_becomes_the_document_beside_it() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut wrong = Vec::new();
    let folders = folders();
    assert!(good().len() >= 8, "{folders:?}");
    for folder in &folders {
        let output = import(folder);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        let (made, said) = (text(output.stdout), text(output.stderr));
        // Half a document is never written.
        assert_eq!(made.is_empty(), output.status.code() == Some(1), "{}:\n{said}", folder.display());
        for (name, now) in [(DOCUMENT, made), ("told", said)] {
            let file = folder.join(name);
            let known = fs::read_to_string(&file).unwrap_or_default();
            if known == now {
                continue;
            }
            if !update {
                wrong.push(format!("{} is now:\n{now}", file.display()));
            } else if now.is_empty() {
                fs::remove_file(&file).expect("the file can be removed");
            } else {
                fs::write(&file, now).expect("the file can be written");
            }
        }
    }
    assert!(wrong.is_empty(), "UPDATE=1 takes it over:\n{}", wrong.join("\n"));
}

#[test]
fn every_document_compiles_as_a_document_and_has_routes() {
    for folder in good() {
        let file = folder.join("gateway.yaml");
        let output = tollgate(&["lint", "--format", "json", file.to_str().expect("UTF-8")]);
        let told: Value = serde_json::from_slice(&output.stdout).expect("one object");
        assert_eq!(told["errors"], 0, "{}: {told:#}", folder.display());
        let output = tollgate(&["routes", "--format", "json", file.to_str().expect("UTF-8")]);
        let routes: Value = serde_json::from_slice(&output.stdout).expect("routes");
        let count = routes.as_array().or_else(|| routes["routes"].as_array()).map_or(0, Vec::len);
        assert!(count > 0, "{}: {routes:#}", folder.display());
    }
}

#[test]
fn the_two_forms_hold_the_same_document() {
    for folder in good() {
        let file = input(&folder);
        let further = fs::read_to_string(folder.join("arguments")).unwrap_or_default();
        let mut arguments = vec!["import", "--format", "json", file.to_str().expect("UTF-8")];
        arguments.extend(further.lines());
        let json: Value = serde_json::from_slice(&tollgate(&arguments).stdout).expect("JSON");
        let yaml = fs::read_to_string(folder.join("gateway.yaml")).expect("the document");
        let yaml: Value = serde_norway::from_str(&yaml).expect("YAML");
        assert_eq!(json, yaml, "{}", folder.display());
    }
}

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

#[test]
fn a_request_goes_through_an_imported_rest_api_as_the_template_says() {
    let full = "cloudformation/rest-full";
    let listed = explained(full, &["GET", "/dev/pets?limit=2", "--answer", r#"200 ["Rex", "Tom"]"#]);
    assert!(listed.contains("host: pets.example.com"), "{listed}");
    assert!(listed.contains(r#"{"pets": ["Rex","Tom"], "count": 2}"#), "{listed}");
    let unlimited = explained(full, &["GET", "/dev/pets", "--answer", "200 []"]);
    assert!(unlimited.contains("Missing required request parameters: [limit]"), "{unlimited}");
    let anonymous = explained(full, &["GET", "/dev/pets/1", "--answer", "200 {}"]);
    assert!(anonymous.contains("401"), "{anonymous}");
    assert!(anonymous.contains("access-control-allow-origin: *"), "{anonymous}");
    let preflight = explained("cloudformation/cdk-lambda-rest", &["OPTIONS", "/prod/any/thing"]);
    assert!(preflight.contains("access-control-allow-methods: OPTIONS,GET,PUT,POST,DELETE,PATCH,HEAD"), "{preflight}");
    let greeted = explained(
        "cloudformation/cdk-lambda-rest",
        &[
            "GET",
            "/prod/hello",
            "--answer",
            r#"200 {"statusCode": 201, "body": "hello"}"#,
            "--upstream",
            "lambda.us-east-1.amazonaws.com=http://127.0.0.1:9",
        ],
    );
    assert!(greeted.contains("201"), "{greeted}");
    assert!(
        greeted.contains("functions/arn:aws:lambda:us-east-1:000000000000:function:GreeterHandler3F2B9E2C/invocations"),
        "{greeted}"
    );
}

#[test]
fn a_request_goes_through_an_imported_http_api_as_the_template_says() {
    let old = explained("cloudformation/http-jwt", &["GET", "/old/a/b?debug=1", "--answer", "404 {}"]);
    assert!(old.contains("GET /a/b"), "{old}");
    assert!(old.contains("403"), "{old}");
    let anonymous = explained("cloudformation/http-jwt", &["GET", "/tasks", "--answer", "200 {}"]);
    assert!(anonymous.contains("401"), "{anonymous}");
    let sent = explained(
        "cloudformation/http-services",
        &[
            "POST",
            "events.localhost/messages",
            "--body",
            "hi",
            "--answer",
            "200 <a/>",
            "--upstream",
            "sqs.us-east-1.amazonaws.com=http://127.0.0.1:9",
        ],
    );
    assert!(sent.contains("MessageBody"), "{sent}");
}

#[test]
fn domains_and_literals_of_a_body_are_served_where_the_template_says() {
    let shop = "cloudformation/domains";
    for path in ["/prod/items", "api.example.com/shop/items", "stages.example.com/beta/items"] {
        let answer = explained(shop, &["GET", path, "--answer", "200 []"]);
        assert!(answer.contains("GET /items of `shop`") || answer.contains("route: GET /items"), "{path}: {answer}");
    }
    let included = explained("cloudformation/body-sub", &["GET", "/prod/v2/included", "--answer", "200 {}"]);
    assert!(included.contains("host: included.us-east-1.example.com"), "{included}");
    let http = explained(
        "cloudformation/body-sub",
        &["GET", "/live/api/reports", "--answer", "200 {}", "--upstream", "lambda.us-east-1.amazonaws.com=http://127.0.0.1:9"],
    );
    assert!(http.contains("function:report-prod/invocations"), "{http}");
    let health = explained("cloudformation/body-sub", &["GET", "/prod/v2/health"]);
    // `${!Stage}` is `${Stage}` in the template, which Velocity knows nothing of.
    assert!(health.contains(r#"{"stage": "prod", "literal": "", "id": ""#), "{health}");
    let lost = explained("cloudformation/body-sub", &["GET", "/prod/v2/nowhere"]);
    assert!(lost.contains("no such report"), "{lost}");
}

/// Imports a template from the standard input.
fn piped(template: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut child = Command::new(TOLLGATE)
        .args(["import", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    child.stdin.take().expect("a pipe").write_all(template.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A REST API of one MOCK; `METHOD` are further properties of it, `RESOURCES` further resources.
fn template(method: &str, resources: &str) -> String {
    format!(
        "Resources:
  Api: {{ Type: AWS::ApiGateway::RestApi, Properties: {{ Name: a }} }}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      Integration: {{ Type: MOCK, RequestTemplates: {{ application/json: '{{\"statusCode\": 200}}' }}, IntegrationResponses: [{{ StatusCode: 200 }}] }}
      MethodResponses: [{{ StatusCode: 200 }}]
{method}  Deployment: {{ Type: AWS::ApiGateway::Deployment, Properties: {{ RestApiId: !Ref Api, StageName: prod }} }}
{resources}"
    )
}

/// A mistake is told with its line, and nothing is written.
fn refused(template: &str, arguments: &[&str], line: usize, message: &str) {
    let (code, out, said) = piped(template, arguments);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{message}: {said}");
    assert!(said.contains(message), "{message} not in:\n{said}");
    assert!(said.contains(&format!("<stdin>:{line}:")), "line {line} not in:\n{said}");
}

#[test]
fn what_cannot_be_carried_over_is_told_with_its_line_and_nothing_is_written() {
    let (code, out, said) = piped(&template("", ""), &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(out.contains("stageName: prod"), "{out}");

    refused("Resources:\n  Api: [\n", &[], 3, "while parsing");
    let method = |property: &str| template(&format!("      {property}\n"), "");
    refused(&method("OperationName: !Ref Nowhere"), &[], 11, "`Nowhere` is neither a parameter nor a resource of the template");
    refused(&method("OperationName: !Sub 'x-${Nowhere.Arn}'"), &[], 11, "`Nowhere` is neither a parameter nor a resource");
    refused(
        &method("OperationName: !GetAtt Api.Nothing"),
        &[],
        11,
        "the attribute `Nothing` of `Api`, an AWS::ApiGateway::RestApi, is known to AWS alone",
    );
    refused(&method("OperationName: !ImportValue shared-name"), &[], 11, "another stack exports `shared-name`");
    refused(&method("OperationName: !Select [3, [a, b]]"), &[], 11, "`Fn::Select` takes value 3 of a list that has 2");
    refused(&method("OperationName: !FindInMap [A, b, c]"), &[], 11, "the mapping `A` has no `b` with a `c`");
    refused(&method("OperationName: !If [Missing, a, b]"), &[], 11, "the template has no condition `Missing`");
    refused(&method("OperationName: !Join [a]"), &[], 11, "`Fn::Join` has another argument than it takes");
    refused(&method("OperationName: '{{resolve:ssm:/a/b:1}}'"), &[], 11, "AWS looks `{{resolve:ssm:/a/b:1}}` up");
    refused(&method("OperationName: !Cidr [a, 1, 1]"), &[], 11, "`Fn::Cidr` is not resolved here");
    refused(&method("OperationName: { Fn::Transform: { Name: Macro } }"), &[], 11, "`Fn::Transform` by Macro happens in AWS");
    refused(
        &method("OperationName: { Fn::Transform: { Name: 'AWS::Include', Parameters: { Location: s3://b/k } } }"),
        &[],
        11,
        "`Fn::Transform` by AWS::Include happens in AWS",
    );
    refused(&method("OperationName: !Ref AWS::Nothing"), &[], 11, "there is no pseudo parameter `AWS::Nothing`");
    refused(&method("Authorisation: NONE"), &[], 11, "AWS::ApiGateway::Method has no property `Authorisation`");
    refused(&method("AuthorizationType: CUSTOM"), &[], 3, "`Get` has no `AuthorizerId`");
    refused(&method("AuthorizationType: MAGIC"), &[], 11, "`MAGIC` is no authorization type");
    refused(&method("RequestModels: { application/json: Nothing }"), &[], 3, "the API has no model `Nothing`");
    refused(&method("RequestParameters: { integration.request.header.a: true }"), &[], 11, "is no parameter of a request");

    let resource = |resource: &str| template("", &format!("  {resource}\n"));
    let method_of = |id: &str| {
        resource(&format!(
            "Post: {{ Type: AWS::ApiGateway::Method, Properties: {{ RestApiId: !Ref Api, ResourceId: !Ref {id}, HttpMethod: POST, Integration: {{ Type: MOCK }} }} }}"
        ))
    };
    refused(&method_of("Nowhere"), &[], 12, "`Nowhere` is neither a parameter nor a resource of the template");
    refused(&method_of("Deployment"), &[], 12, "is no AWS::ApiGateway::Resource of the template");
    refused(
        &resource("Ws: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: w, ProtocolType: WEBSOCKET } }"),
        &[],
        12,
        "`Ws` is a WebSocket API, which is not served",
    );
    refused(
        &resource("Over: { Type: AWS::ApiGatewayV2::ApiGatewayManagedOverrides, Properties: { ApiId: x } }"),
        &[],
        12,
        "not carried over: AWS::ApiGatewayV2::ApiGatewayManagedOverrides",
    );
    refused(
        &resource("New: { Type: AWS::ApiGateway::Teleporter }"),
        &[],
        12,
        "the type `AWS::ApiGateway::Teleporter` is not known",
    );
    refused(
        &resource("Key: { Type: AWS::ApiGateway::ApiKey, Properties: { Enabled: true } }"),
        &[],
        12,
        "AWS makes the value of the API key `Key` up",
    );
    refused(
        &resource("Model: { Type: AWS::ApiGateway::Model, Properties: { RestApiId: other, Name: M, Schema: {} } }"),
        &[],
        12,
        "`other` is no AWS::ApiGateway::RestApi of the template",
    );
    refused(&resource("Fn::ForEach::Many: [A, [b], {}]"), &[], 12, "`Fn::ForEach` happens in AWS");
    refused(
        &resource(
            "Two: { Type: AWS::ApiGateway::Stage, Properties: { RestApiId: !Ref Api, StageName: two, CacheClusterEnabled: true } }",
        ),
        &[],
        12,
        "not served yet: response caching",
    );
    refused(
        &resource(
            "Two: { Type: AWS::ApiGateway::Stage, Properties: { RestApiId: !Ref Api, StageName: two, CanarySetting: { PercentTraffic: 1 } } }",
        ),
        &[],
        12,
        "not served yet: canary deployments",
    );
    refused(
        &resource(
            "Map: { Type: AWS::ApiGateway::BasePathMapping, Properties: { RestApiId: !Ref Api, DomainName: a.example.com, Stage: nowhere } }",
        ),
        &[],
        12,
        "the API has no stage `nowhere`",
    );
    refused(
        &resource(
            "Dom: { Type: AWS::ApiGateway::DomainName, Properties: { DomainName: a.example.com, RoutingMode: ROUTING_RULE_ONLY } }",
        ),
        &[],
        12,
        "`RoutingMode` cannot be carried over",
    );
    refused(
        &resource("Auth: { Type: AWS::ApiGateway::Authorizer, Properties: { RestApiId: !Ref Deployment, Name: a, Type: TOKEN } }"),
        &[],
        12,
        "is no AWS::ApiGateway::RestApi of the template",
    );
    refused(
        &format!("Transform: [AWS::LanguageExtensions, My::Macro]\n{}", template("", "")),
        &[],
        1,
        "the transform `My::Macro` happens in AWS",
    );
    let looped = "A: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref Api, ParentId: !Ref B, PathPart: a } }
  B: { Type: AWS::ApiGateway::Resource, Properties: { RestApiId: !Ref Api, ParentId: !Ref A, PathPart: b } }";
    refused(&resource(looped), &[], 12, "the resource `A` is below `B`, which leads to no root");
}

#[test]
fn parameters_and_conditions_are_asked_for_only_where_they_count() {
    let with = |head: &str, property: &str| format!("{head}{}", template(&format!("      {property}\n"), ""));
    let missing = with("Parameters: { Name: { Type: String } }\n", "OperationName: !Ref Name");
    refused(&missing, &[], 12, "the parameter `Name` has no value");
    let (code, out, said) = piped(&missing, &["--parameter", "Name=list"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(out.contains("operationId: list"), "{out}");
    refused(&missing, &["--parameter", "Name=a", "--parameter", "Nmae=b"], 1, "the template has no parameter `Nmae`");

    // Nobody asks for a certificate, whoever makes it.
    let custom = "  Custom: { Type: Custom::Thing }
  Domain: { Type: AWS::ApiGateway::DomainName, Properties: { DomainName: a.example.com, RegionalCertificateArn: !GetAtt Custom.Arn } }
  Logs: { Type: AWS::ApiGateway::Account, Properties: { CloudWatchRoleArn: !GetAtt Custom.Arn } }\n";
    let (code, _, said) = piped(&template("", custom), &[]);
    assert_eq!(code, Some(0), "{said}");

    let unused = with("Parameters: { Name: { Type: String } }\n", "OperationName: list");
    assert_eq!(piped(&unused, &[]).0, Some(0));

    let allowed = with("Parameters: { Name: { Type: String, AllowedValues: [a, b] } }\n", "OperationName: !Ref Name");
    refused(&allowed, &["--parameter", "Name=c"], 1, "`c` is not among the allowed values of the parameter `Name`");

    let circle = "Conditions: { A: !Not [!Condition B], B: !And [!Condition A, !Condition A] }\n";
    refused(&with(circle, "OperationName: !If [A, x, y]"), &[], 1, "the condition `A` depends on itself");

    let dropped = with("Conditions: { Never: !Equals [a, b] }\n", "OperationName: !Ref Gone");
    let dropped = format!("{dropped}  Gone: {{ Type: AWS::SNS::Topic, Condition: Never }}\n");
    refused(&dropped, &[], 12, "`Gone` is not there: its condition `Never` does not hold");

    let stored =
        with("Parameters: { Name: { Type: 'AWS::SSM::Parameter::Value<String>', Default: /a } }\n", "OperationName: !Ref Name");
    refused(&stored, &[], 12, "the parameter `Name` is looked up in Systems Manager");
}

#[test]
fn a_value_that_only_aws_knows_can_be_said() {
    for (property, value, expected) in [
        ("!GetAtt Function.Arn", "Function.Arn=arn:mine", "arn:mine"),
        ("!Ref Function", "Function=mine", "mine"),
        ("!GetAtt Function.Arn", "Function=mine", "arn:aws:lambda:us-east-1:000000000000:function:mine"),
        ("!ImportValue a:b", "a:b=exported", "exported"),
        ("'x-{{resolve:ssm:/a}}-y'", "resolve:ssm:/a=in", "x-in-y"),
        ("!Sub '${Custom.Some.Thing}'", "Custom.Some.Thing=made", "made"),
    ] {
        let resources = "  Function: { Type: AWS::Lambda::Function }\n  Custom: { Type: Custom::Thing }\n";
        let template = template(&format!("      OperationName: {property}\n"), resources);
        let (code, out, said) = piped(&template, &["--value", value]);
        assert_eq!(code, Some(0), "{property}: {said}");
        assert!(out.contains(&format!("operationId: {expected}")), "{property}: {out}");
    }
}

#[test]
fn other_regions_have_other_partitions_and_cycles_among_resources_end() {
    let resources = "  Function: { Type: AWS::Lambda::Function, Properties: { FunctionName: !Sub 'f-${AWS::StackName}' } }\n";
    let uri = template("      OperationName: !Sub '${Function.Arn} ${AWS::URLSuffix}'\n", resources);
    let (_, out, said) = piped(&uri, &["--region", "cn-north-1", "--account", "123456789012", "--stack-name", "pets"]);
    assert!(out.contains("arn:aws-cn:lambda:cn-north-1:123456789012:function:f-pets amazonaws.com.cn"), "{out}{said}");

    let circle = "  A: { Type: AWS::SQS::Queue, Properties: { QueueName: !GetAtt B.QueueName } }
  B: { Type: AWS::SQS::Queue, Properties: { QueueName: !GetAtt A.QueueName } }\n";
    let template = template("      OperationName: !GetAtt A.QueueName\n", circle);
    refused(&template, &[], 13, "`B.QueueName` depends on itself");
}

#[test]
fn what_aws_prints_of_a_stack_is_read_too() {
    let inner = serde_json::json!({"Resources": {
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "a", "ProtocolType": "HTTP", "Target": "https://b.example.com"}},
    }});
    let wrapped = serde_json::json!({"TemplateBody": inner, "StagesAvailable": ["Original", "Processed"]});
    let (code, out, said) = piped(&format!("{wrapped:#}"), &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(out.contains("uri: https://b.example.com"), "{out}");
    let text = serde_json::json!({"TemplateBody": "Resources: {}", "StagesAvailable": []});
    let (code, _, said) = piped(&text.to_string(), &[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("--query TemplateBody --output text"), "{said}");
    for (file, help) in [
        ("service: a\nprovider: { name: aws }\n", "serverless package"),
        ("openapi: 3.0.1\npaths: {}\n", "tollgate serve"),
        ("a: 1\n", "terraform show -json"),
        ("Resources: {}\n", "AWS::ApiGateway::RestApi"),
    ] {
        let (code, out, said) = piped(file, &[]);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{said}");
        assert!(said.contains(help), "{help}: {said}");
    }
}

#[test]
fn a_file_is_written_only_when_all_is_well() {
    let folder = std::env::temp_dir().join(format!("tollgate-import-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (good, bad) = (folder.join("good.yaml"), folder.join("bad.yaml"));
    let (code, out, said) = piped(&template("", ""), &["--output", good.to_str().expect("UTF-8")]);
    assert_eq!((code, out.as_str()), (Some(0), ""), "{said}");
    assert!(said.contains(&format!("next: tollgate serve {}", good.display())), "{said}");
    assert!(fs::read_to_string(&good).expect("the document").contains("stageName: prod"));
    let (code, ..) = piped(&template("      Nothing: 1\n", ""), &["--output", bad.to_str().expect("UTF-8")]);
    assert_eq!(code, Some(1));
    assert!(!bad.exists());
    fs::remove_dir_all(&folder).expect("the folder goes");
}
