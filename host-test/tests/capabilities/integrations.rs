//! The tables of integrations: every key of the integration object, and what becomes of it in each kind.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tollgate::compile::compile;
use tollgate::problem::Severity;

use super::{document, known, names};
use crate::page;
use crate::pages::Row;

const PLACE: &str = "$.apis[0].definition.paths[\"/a\"].get[\"x-amazon-apigateway-integration\"]";

/// A kind of integration: its column, its API, an integration without a problem, and where the keys that it reads are listed.
struct Kind {
    column: &'static str,
    protocol: &'static str,
    integration: Value,
    page: &'static str,
    heading: &'static str,
}

fn kinds() -> [Kind; 9] {
    let function =
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:1:function:f/invocations";
    let kind = |column, protocol, integration, page, heading| Kind { column, protocol, integration, page, heading };
    let http = |of: &str| json!({"type": of, "uri": "http://b.test/"});
    let subtype = json!({"type": "aws_proxy", "integrationSubtype": "SQS-PurgeQueue",
        "requestParameters": {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q"}});
    [
        kind("MOCK", "REST", json!({"type": "mock"}), "mock", "Settings"),
        kind("HTTP", "REST", http("http"), "http", "Settings of HTTP"),
        kind("HTTP_PROXY, REST", "REST", http("http_proxy"), "http", "Settings of HTTP_PROXY"),
        kind("HTTP_PROXY, HTTP", "HTTP", http("http_proxy"), "http", "Settings of HTTP_PROXY"),
        kind(
            "AWS_PROXY, REST",
            "REST",
            json!({"type": "aws_proxy", "httpMethod": "POST", "uri": function}),
            "lambda",
            "Settings of AWS_PROXY",
        ),
        kind(
            "AWS_PROXY, HTTP",
            "HTTP",
            json!({"type": "aws_proxy", "payloadFormatVersion": "2.0", "uri": function}),
            "lambda",
            "Settings of AWS_PROXY",
        ),
        kind("AWS, function", "REST", json!({"type": "aws", "httpMethod": "POST", "uri": function}), "lambda", "Settings of AWS"),
        kind(
            "AWS, service",
            "REST",
            json!({"type": "aws", "httpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:sqs:action/ListQueues"}),
            "aws-services",
            "Settings of AWS",
        ),
        kind("subtype", "HTTP", subtype, "aws-services", "Settings of a subtype"),
    ]
}

/// What a definition may well say under a key; none where the kind says it already.
fn sample(key: &str, kind: &Kind) -> Value {
    let is_http = kind.protocol == "HTTP";
    match key {
        "cacheKeyParameters" => json!(["method.request.querystring.a"]),
        "cacheNamespace" => json!("a"),
        "connectionId" => json!("link"),
        "connectionType" => json!("VPC_LINK"),
        "contentHandling" => json!("CONVERT_TO_TEXT"),
        "credentials" => json!("arn:aws:iam::123456789012:role/r"),
        "httpMethod" => json!("POST"),
        "integrationSubtype" => json!("SQS-PurgeQueue"),
        "integrationTarget" => json!("arn:aws:elasticloadbalancing:us-east-1:1:listener/l"),
        "passthroughBehavior" => json!("when_no_match"),
        "payloadFormatVersion" => json!(if kind.column == "AWS_PROXY, HTTP" { "2.0" } else { "1.0" }),
        "requestParameters" if kind.column == "subtype" => json!({"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q"}),
        "requestParameters" if is_http => json!({"append:header.x-a": "a"}),
        "requestParameters" => json!({"integration.request.header.X-A": "'a'"}),
        "requestTemplates" => json!({"application/json": "{\"statusCode\": 200}"}),
        "responseParameters" => json!({"200": {"append:header.x-a": "a"}}),
        "responses" => json!({"default": {"statusCode": "200"}}),
        "responseTransferMode" => json!("STREAM"),
        "timeoutInMillis" => json!(1000),
        "tlsConfig" => json!({"insecureSkipVerification": true}),
        "type" => kind.integration["type"].clone(),
        "uri" => kind.integration.get("uri").cloned().unwrap_or_else(|| json!("http://b.test/")),
        _ => panic!("nobody says what `{key}` may be"),
    }
}

/// `read`, `warned` or `refused`; where nothing is told, the key is read or there is nothing to do.
fn outcome(key: &str, kind: &Kind) -> &'static str {
    let mut integration = kind.integration.clone();
    integration[key] = sample(key, kind);
    // A link has two halves; only an endpoint has one.
    if matches!(key, "connectionId" | "connectionType") && kind.column.starts_with("HTTP") {
        integration["connectionId"] = sample("connectionId", kind);
        integration["connectionType"] = sample("connectionType", kind);
    }
    // With a subtype the parameters are its own.
    if key == "integrationSubtype" && kind.column == "AWS_PROXY, HTTP" {
        integration["requestParameters"] = json!({"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q"});
        integration["payloadFormatVersion"] = json!("1.0");
    }
    let definition = json!({"paths": {"/a": {"get": {"x-amazon-apigateway-integration": integration}}}});
    let problems = compile(&document(kind.protocol, &definition)).problems;
    let place = format!("{PLACE}.{key}");
    let of_it = |severity| problems.iter().any(|p| p.path.to_string().starts_with(&place) && p.severity == severity);
    let other = problems.iter().find(|p| p.severity == Severity::Error && !p.path.to_string().starts_with(&place));
    assert!(other.is_none(), "{} {key}: {other:?}", kind.column);
    match (of_it(Severity::Error), of_it(Severity::Warning)) {
        (true, _) => "refused",
        (false, true) => "warned",
        (false, false) => "read",
    }
}

fn keys() -> BTreeSet<String> {
    let definition = json!({"paths": {"/a": {"get": {"x-amazon-apigateway-integration": {"none": 1}}}}});
    known(&document("REST", &definition), &format!("{PLACE}.none"))
}

#[test]
fn the_page_of_integrations_lists_every_key_of_the_integration_object() {
    assert_eq!(names(&page("docs/integrations.md"), "Settings"), keys());
}

#[test]
fn what_becomes_of_each_key_in_each_kind_is_what_the_table_says() {
    let rows: Vec<Row> = page("docs/integrations.md").rows().into_iter().filter(|row| row.has("key")).collect();
    let row_of = |key: &str| rows.iter().find(|row| row.cell("key").trim_matches('`') == key);
    let mut wrong = Vec::new();
    for key in keys() {
        let outcomes = kinds().map(|kind| outcome(&key, &kind));
        let is = |kind: &Kind, outcome: &str| {
            let cell = row_of(&key).map(|row| row.cell(kind.column));
            cell == Some(outcome) || (cell == Some("-") && outcome == "read")
        };
        if !kinds().iter().zip(outcomes).all(|(kind, outcome)| is(kind, outcome)) {
            wrong.push(format!("| `{key}` | {} |", outcomes.join(" | ")));
        }
    }
    assert!(wrong.is_empty(), "the table should say:\n{}", wrong.join("\n"));
    assert_eq!(rows.len(), keys().len(), "a key that there is not, or twice");
}

#[test]
fn the_page_of_each_kind_lists_what_it_reads_and_what_it_refuses() {
    let rows: Vec<Row> = page("docs/integrations.md").rows().into_iter().filter(|row| row.has("key")).collect();
    let known = keys();
    for (page_name, heading) in kinds().map(|kind| (kind.page, kind.heading)) {
        let of_heading: Vec<Kind> = kinds().into_iter().filter(|kind| (kind.page, kind.heading) == (page_name, heading)).collect();
        let is_read = |row: &&Row| of_heading.iter().any(|kind| row.cell(kind.column) == "read");
        let read: BTreeSet<String> = rows.iter().filter(is_read).map(|row| row.cell("key").trim_matches('`').to_owned()).collect();
        let listed = names(&page(&format!("docs/{page_name}.md")), heading);
        let missing: Vec<&String> = read.difference(&listed).collect();
        assert!(missing.is_empty(), "docs/{page_name}.md, `{heading}`: {missing:?} are read");
        let strange: Vec<&String> = listed.difference(&known).collect();
        assert!(strange.is_empty(), "docs/{page_name}.md, `{heading}`: {strange:?} are no keys");
    }
}

#[test]
fn an_integration_response_has_exactly_the_keys_that_the_reader_knows() {
    let definition = json!({"paths": {"/a": {"get": {"x-amazon-apigateway-integration":
        {"type": "mock", "responses": {"default": {"none": 1, "statusCode": 200}}}}}}});
    let known = known(&document("REST", &definition), &format!("{PLACE}.responses.default.none"));
    assert_eq!(names(&page("docs/integrations.md"), "An integration response"), known);
}

#[test]
fn every_subtype_stands_on_its_page_with_exactly_its_parameters() {
    let definition = |subtype: &str| {
        json!({"paths": {"/a": {"get": {"x-amazon-apigateway-integration":
        {"type": "aws_proxy", "integrationSubtype": subtype, "requestParameters": {"none": "1"}}}}}})
    };
    let help = |subtype: &str, place: &str| {
        let problems = compile(&document("HTTP", &definition(subtype))).problems;
        let problem = problems.into_iter().find(|problem| problem.path.to_string() == format!("{PLACE}.{place}"));
        problem.and_then(|problem| problem.help).unwrap_or_else(|| panic!("no problem about `{subtype}`"))
    };
    let rows = page("docs/aws-services.md").rows();
    let rows: Vec<&Row> = rows.iter().filter(|row| row.has("subtype")).collect();
    let all = help("none", "integrationSubtype");
    let subtypes: Vec<&str> = all.split('`').skip(1).step_by(2).collect();
    let mut wrong = Vec::new();
    for subtype in &subtypes {
        let told = help(subtype, "requestParameters.none");
        let (needs, takes) =
            told.split_once(" needs ").and_then(|(_, rest)| rest.split_once(", and takes ")).expect("it says both");
        let optional = takes.trim_end_matches("`Region`").trim_end_matches(", ");
        let row = rows.iter().find(|row| row.cell("subtype").trim_matches('`') == *subtype);
        if !row.is_some_and(|row| row.cell("required") == needs && row.cell("optional") == optional) {
            wrong.push(format!("| `{subtype}` | {needs} | {optional} |"));
        }
    }
    assert!(wrong.is_empty(), "the table should say:\n{}", wrong.join("\n"));
    assert_eq!(rows.len(), subtypes.len());
}
