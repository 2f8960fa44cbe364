//! What each subtype calls, what a hostile value does to it, and what is refused.

use super::call::{Call, Unusable};
use super::parameter::Parameter;
use super::table::{Form, ROWS, Row};
use crate::context::{Context, Ids, StageFacts};
use crate::definition::{Directory, Node, Operation, OperationKey, Protocol};
use crate::http::{BinaryMediaTypes, Query, RequestHead};
use crate::integration::Scope;
use crate::mapping::Sources;
use crate::platform::Still;
use crate::problem::Problems;
use serde_json::{Value, json};
use std::sync::Arc;

const HOST: Still = Still { now_millis: 1_700_000_000_000, source_address: None };

fn row(name: &str) -> &'static Row {
    ROWS.iter().find(|row| row.name == name).unwrap()
}

fn call(name: &str, filled: &[(&'static str, &str)]) -> Result<Call, Unusable> {
    Call::of(row(name), filled.iter().map(|(name, text)| (*name, (*text).to_owned())).collect())
}

fn json_body(name: &str, filled: &[(&'static str, &str)]) -> Value {
    let call = call(name, filled).unwrap();
    assert_eq!(call.target, "/");
    serde_json::from_str(&call.body).unwrap()
}

fn form(name: &str, filled: &[(&'static str, &str)]) -> (String, Vec<(String, String)>) {
    let call = call(name, filled).unwrap();
    let fields = Query::parse(&call.body);
    (call.target, fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[test]
fn parameters_are_members_of_a_json_services_request() {
    assert_eq!(
        json_body("Kinesis-PutRecord", &[("StreamName", "s"), ("Data", "aGk="), ("PartitionKey", "p")]),
        json!({"StreamName": "s", "Data": "aGk=", "PartitionKey": "p"})
    );
    assert_eq!(
        json_body("StepFunctions-StartSyncExecution", &[("StateMachineArn", "arn:x"), ("Input", "{\"a\":1}")]),
        json!({"stateMachineArn": "arn:x", "input": "{\"a\":1}"})
    );
    let event = [("Detail", "{}"), ("Source", "s"), ("Time", "2023-11-14T22:13:20.5Z"), ("Resources", "arn:a, arn:b")];
    assert_eq!(
        json_body("EventBridge-PutEvents", &event),
        json!({"Entries": [{"Detail": "{}", "Source": "s", "Time": 1_700_000_000, "Resources": ["arn:a", "arn:b"]}]})
    );
    assert_eq!(
        json_body("EventBridge-PutEvents", &[("Resources", r#"["a,b", 1]"#), ("Time", "1700000000")]),
        json!({"Entries": [{"Resources": ["a,b", "1"], "Time": 1_700_000_000}]})
    );
    assert_eq!(call("EventBridge-PutEvents", &[("Time", "yesterday")]), Err(Unusable("Time")));
}

#[test]
fn a_hostile_value_stays_in_its_member() {
    let hostile = "\",\"stateMachineArn\":\"arn:evil\"}\\\u{0}\u{1f}\u{2028}\n&Action=DeleteQueue";
    let big = "\"".repeat(1_000_000);
    for value in [hostile, &big] {
        let filled = [("StateMachineArn", "arn:x"), ("Input", value)];
        assert_eq!(json_body("StepFunctions-StartExecution", &filled), json!({"stateMachineArn": "arn:x", "input": value}));
        let (target, fields) = form("SQS-SendMessage", &[("QueueUrl", "https://h/1/q"), ("MessageBody", value)]);
        assert_eq!(target, "/1/q");
        assert_eq!(fields.len(), 4);
        assert_eq!(fields[3], ("MessageBody".to_owned(), value.to_owned()));
    }
}

#[test]
fn a_message_is_a_form_posted_to_its_queue() {
    let attributes = r#"{"a.1": {"DataType": "String", "StringValue": "x&y"}, "n": {"DataType": "Number", "StringValue": 5}}"#;
    let system = r#"{"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}"#;
    let filled = [
        ("QueueUrl", "https://sqs.us-east-1.amazonaws.com/123/q.fifo"),
        ("MessageBody", "b"),
        ("DelaySeconds", "5"),
        ("MessageAttributes", attributes),
        ("MessageSystemAttributes", system),
    ];
    let (target, fields) = form("SQS-SendMessage", &filled);
    assert_eq!(target, "/123/q.fifo");
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        fields,
        [
            "Action=SendMessage",
            "Version=2012-11-05",
            "QueueUrl=https://sqs.us-east-1.amazonaws.com/123/q.fifo",
            "MessageBody=b",
            "DelaySeconds=5",
            "MessageAttribute.1.Name=a.1",
            "MessageAttribute.1.Value.DataType=String",
            "MessageAttribute.1.Value.StringValue=x&y",
            "MessageAttribute.2.Name=n",
            "MessageAttribute.2.Value.DataType=Number",
            "MessageAttribute.2.Value.StringValue=5",
            "MessageSystemAttribute.1.Name=AWSTraceHeader",
            "MessageSystemAttribute.1.Value.DataType=String",
            "MessageSystemAttribute.1.Value.StringValue=Root=1",
        ]
    );
    for text in ["x", "[]", r#"{"a": 1}"#, r#"{"a": {"#] {
        assert_eq!(call("SQS-SendMessage", &[("MessageAttributes", text)]), Err(Unusable("MessageAttributes")), "{text}");
    }
    let (_, fields) = form("SQS-ReceiveMessage", &[("AttributeNames", "All"), ("MessageAttributeNames", r#"["a","b"]"#)]);
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).skip(2).collect();
    assert_eq!(names, ["AttributeName.1", "MessageAttributeName.1", "MessageAttributeName.2"]);
}

#[test]
fn no_url_of_a_queue_leads_elsewhere() {
    for url in ["http://127.0.0.1:5000/123/q.fifo", "https://evil.test/123/q.fifo"] {
        assert_eq!(call("SQS-PurgeQueue", &[("QueueUrl", url)]).unwrap().target, "/123/q.fifo", "{url}");
    }
    for url in [
        "q",
        "https://h",
        "https://h/q",
        "https://h//123/q",
        "https://h/../123/q",
        "https://h/123/..",
        "https://h/123/tenant-a/999/other",
        "https://h/123/q?Action=DeleteQueue",
        "https://h/123/a%2Fb",
        "https://h/123/q\r\nx: y",
    ] {
        assert_eq!(call("SQS-PurgeQueue", &[("QueueUrl", url)]), Err(Unusable("QueueUrl")), "{url}");
    }
}

#[test]
fn a_configuration_is_read_by_its_path() {
    let get = |application, version| {
        let mut filled = vec![("ClientId", "c&d"), ("Environment", "e/f"), ("Application", application), ("Configuration", "x")];
        filled.extend(version);
        call("AppConfig-GetConfiguration", &filled).map(|call| call.target)
    };
    assert_eq!(get("a", None).unwrap(), "/applications/a/environments/e%2Ff/configurations/x?client_id=c%26d");
    let versioned = get("a", Some(("ClientConfigurationVersion", "2"))).unwrap();
    assert!(versioned.ends_with("/configurations/x?client_id=c%26d&client_configuration_version=2"), "{versioned}");
    assert_eq!(get("..", None), Err(Unusable("Application")));
}

#[test]
fn a_subtype_is_named_once_and_its_service_knows_the_action() {
    for row in &ROWS {
        assert!(!row.action().is_empty(), "{}", row.name);
        assert_eq!(ROWS.iter().filter(|other| other.name == row.name).count(), 1);
        let is_json = !matches!(row.form, Form::Queue | Form::Configuration);
        assert_eq!(super::action_headers(row.service, row.action()).is_some(), is_json, "{}", row.name);
    }
}

fn compile(parameters: &Value, subtype: &str) -> (Vec<Parameter>, String, Vec<String>) {
    let value = json!({"requestParameters": parameters});
    let (node, mut problems) = (Node::root(&value), Problems::default());
    let pattern = crate::route::Pattern::parse("/").unwrap();
    let empty = json!({});
    let operation = Operation {
        path: "/".to_owned(),
        key: OperationKey::Default,
        node: Node::root(&empty),
        integration: None,
        path_parameters: None,
    };
    let mut scope = Scope {
        protocol: Protocol::Http,
        region: "eu-west-1",
        variables: &[("region".to_owned(), "us-west-2".to_owned())].into(),
        directory: &mut Directory::default(),
        binary_media_types: &BinaryMediaTypes::default(),
        pattern: &pattern,
        operation: &operation,
        problems: &mut problems,
    };
    let compiled = super::parameter::compile_all(row(subtype), &node, &mut scope);
    let region = super::parameter::region(&node, &mut scope);
    let found = problems.into_vec().into_iter().map(|p| format!("{}: {} ({})", p.path, p.message, p.help.unwrap_or_default()));
    (compiled, region, found.collect())
}

fn fill(value: &str, header: &str, body: &[u8]) -> Result<String, Unusable> {
    let (parameters, _, problems) = compile(&json!({"StateMachineArn": "a", "Input": value}), "StepFunctions-StartExecution");
    assert_eq!(problems, [""; 0]);
    let pairs = [(":method", "POST"), (":path", "/"), (":authority", "h"), ("x-a", header)];
    let pairs = pairs.map(|(name, value)| (name, value.as_bytes()));
    let mut context = Context::new(Ids::new([1; 16]), RequestHead::from_pairs(pairs));
    context.stage = Some(Arc::new(StageFacts::default()));
    let input = parameters.iter().find(|p| format!("{p:?}").contains("\"Input\"")).unwrap();
    input.fill(&Sources::of(&context).with_body(body), &HOST).map(|(_, text)| text)
}

#[test]
fn a_value_within_a_json_text_never_ends_its_string() {
    for (value, filled) in [
        ("$request.header.x-a", r#"a"b\"#),
        ("see $request.header.x-a", r#"see a"b\"#),
        (r#"{"h": "$request.header.x-a"}"#, r#"{"h": "a\"b\\"}"#),
        (r#"{"h\"": "${request.header.x-a}!", "o": $request.body}"#, r#"{"h\"": "a\"b\\!", "o": {"x":"y"}}"#),
        (r#" [ "$request.body" ]"#, r#" [ "{\"x\":\"y\"}" ]"#),
        (r#"{"none": "$request.header.none"}"#, r#"{"none": ""}"#),
    ] {
        assert_eq!(fill(value, r#"a"b\"#, br#"{"x":"y"}"#).as_deref(), Ok(filled), "{value}");
    }
}

#[test]
fn a_value_outside_the_strings_of_a_json_text_is_one_json_value() {
    let amount = r#"{"amount": $request.header.x-a, "role": "guest"}"#;
    assert_eq!(fill(amount, "1.5", b"").as_deref(), Ok(r#"{"amount": 1.5, "role": "guest"}"#));
    for hostile in [r#"1, "role": "admin""#, r#"1}, {"#, "one"] {
        assert_eq!(fill(amount, hostile, b""), Err(Unusable("Input")), "{hostile}");
    }
    // A `\` that would make of the quote's own escape an end of the string.
    assert_eq!(fill(r#"{"path": "C:\${request.header.x-a}"}"#, r#"", "role": "admin"#, b""), Err(Unusable("Input")));
}

#[test]
fn what_resolves_to_nothing_makes_no_call() {
    assert_eq!(fill("$request.header.none", "", b""), Err(Unusable("Input")));
    assert_eq!(fill("$request.header.x-a", "", b""), Err(Unusable("Input")));
    assert_eq!(fill("$request.body", "", b"\xff").as_deref(), Ok("\u{fffd}"));
}

#[test]
fn missing_and_unknown_parameters_are_told_with_those_that_there_are() {
    let (_, region, problems) = compile(&json!({"QueueUrl": "u", "queueUrl": "u"}), "SQS-DeleteMessage");
    assert_eq!(region, "eu-west-1");
    let help = "(`SQS-DeleteMessage` needs `QueueUrl`, `ReceiptHandle`, and takes `Region`)";
    assert_eq!(
        problems,
        [
            format!("$.requestParameters.queueUrl: `SQS-DeleteMessage` has no parameter `queueUrl` {help}"),
            format!("$.requestParameters: no `ReceiptHandle` {help}"),
        ]
    );
    assert_eq!(compile(&json!({"QueueUrl": ""}), "SQS-PurgeQueue").2, ["$.requestParameters.QueueUrl: `QueueUrl` is empty ()"]);
}

#[test]
fn no_request_chooses_the_region() {
    let region = |region: &str| {
        let (_, region, problems) = compile(&json!({"QueueUrl": "u", "Region": region}), "SQS-PurgeQueue");
        if problems.is_empty() { Ok(region) } else { Err(problems.join("")) }
    };
    assert_eq!(region("us-west-1").as_deref(), Ok("us-west-1"));
    assert_eq!(region("${stageVariables.region}").as_deref(), Ok("us-west-2"));
    for bad in ["$request.header.x", "${stageVariables.none}", "evil.test/", ""] {
        assert!(region(bad).is_err(), "{bad}");
    }
}
