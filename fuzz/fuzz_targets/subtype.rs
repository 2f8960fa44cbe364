//! The calls of integration subtypes, of any request: what a client sends stays in its parameter.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use tollgate::flow::Callout;
use tollgate::gateway::Gateway;
use tollgate::http::{Query, ResponseHead, is_field_value, percent_encode};
use tollgate_fuzz::{UPSTREAM, World, access_log, ask, gateway, reply, request, text_parts};

const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/q";

/// Each with one parameter of a form of its own.
const ROUTES: [(&str, &str); 12] = [
    ("SQS-SendMessage", "MessageBody"),
    ("SQS-SendMessage", "MessageAttributes"),
    ("SQS-SendMessage", "QueueUrl"),
    ("SQS-ReceiveMessage", "AttributeNames"),
    ("SQS-DeleteMessage", "ReceiptHandle"),
    ("SQS-PurgeQueue", "QueueUrl"),
    ("EventBridge-PutEvents", "Detail"),
    ("EventBridge-PutEvents", "Time"),
    ("EventBridge-PutEvents", "Resources"),
    ("AppConfig-GetConfiguration", "Application"),
    ("Kinesis-PutRecord", "Data"),
    ("StepFunctions-StartExecution", "Input"),
];

static GATEWAY: LazyLock<Arc<Gateway>> = LazyLock::new(|| {
    let fixed = |subtype: &str| match subtype {
        "SQS-SendMessage" => json!({"QueueUrl": QUEUE, "MessageBody": "m"}),
        "SQS-DeleteMessage" => json!({"QueueUrl": QUEUE, "ReceiptHandle": "r"}),
        "SQS-ReceiveMessage" | "SQS-PurgeQueue" => json!({"QueueUrl": QUEUE}),
        "EventBridge-PutEvents" => json!({"Detail": "{}", "DetailType": "t", "Source": "s"}),
        "AppConfig-GetConfiguration" => json!({"Application": "a", "Environment": "e", "Configuration": "c", "ClientId": "i"}),
        "Kinesis-PutRecord" => json!({"StreamName": "s", "Data": "d", "PartitionKey": "p"}),
        _ => json!({"StateMachineArn": "arn:aws:states:us-east-1:111122223333:stateMachine:m", "Input": "{}"}),
    };
    let path = |(number, (subtype, parameter)): (usize, &(&str, &str))| {
        let mut parameters = fixed(subtype);
        parameters[parameter] = "${request.header.x-a}${request.querystring.q}$request.body.a".into();
        parameters[parameter] = ["$request.header.x-a", "$request.querystring.q", "$request.body.a"][number % 3].into();
        let integration = json!({"type": "aws_proxy", "integrationSubtype": subtype, "payloadFormatVersion": "1.0", "credentials": "arn:aws:iam::111122223333:role/r", "requestParameters": parameters});
        (format!("/{number}"), json!({"post": {"x-amazon-apigateway-integration": integration}}))
    };
    let paths: Value = ROUTES.iter().enumerate().map(path).collect();
    let hosts = ["sqs", "events", "appconfig", "kinesis", "states"];
    let upstreams: Value =
        hosts.map(|host| (format!("{host}.us-east-1.amazonaws.com"), json!({"cluster": host}))).into_iter().collect();
    Arc::new(gateway(&json!({
        "apis": [{"name": "a", "protocol": "HTTP", "stages": [{"stageName": "s", "accessLogSettings": access_log()}], "definition": {"openapi": "3.0.1", "paths": paths}}],
        "upstreams": upstreams,
    })))
});

fn check(subtype: &str, parameter: &str, call: &Callout, body: &[u8], value: &str) {
    let head = call.http_head().expect("HTTP");
    assert_eq!(head.headers.get_all("content-length").count(), usize::from(head.method != "GET"));
    let text = std::str::from_utf8(body).expect("text");
    if subtype.starts_with("SQS-") {
        let form = Query::parse(text);
        assert_eq!(form.all("Action").collect::<Vec<_>>(), [subtype.trim_start_matches("SQS-")]);
        assert_eq!(form.all("Version").count(), 1, "{text}");
        if parameter == "MessageBody" {
            assert_eq!(form.all(parameter).collect::<Vec<_>>(), [value]);
        }
        assert!(form.all("MessageBody").count() <= 1 && form.all("QueueUrl").count() <= 1, "{text}");
        // Envoy signs and sends it to the host of the service, whatever a client says of its queue.
        assert!(head.authority.starts_with(b"sqs."));
    } else if subtype.starts_with("AppConfig-") {
        let target = String::from_utf8_lossy(&head.path);
        let (path, query) = target.split_once('?').expect("a query");
        assert_eq!(path, format!("/applications/{}/environments/e/configurations/c", percent_encode(value.as_bytes())));
        assert_eq!(Query::parse(query).iter().count(), 1, "{query}");
    } else {
        let mut message: Value = serde_json::from_str(text).expect("JSON");
        if subtype == "EventBridge-PutEvents" {
            assert_eq!(message["Entries"].as_array().map(Vec::len), Some(1));
            message = message["Entries"][0].take();
        }
        let name = if subtype.starts_with("StepFunctions") { parameter.to_ascii_lowercase() } else { parameter.to_owned() };
        match parameter {
            "Time" => assert!(message[&name].is_i64(), "{text}"),
            "Resources" => assert!(message[&name].as_array().is_some_and(|list| list.iter().all(Value::is_string))),
            _ => assert_eq!(message[&name], value, "{text}"),
        }
        assert!(message.as_object().is_some_and(|members| members.len() <= 5));
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    let number = usize::from(*which) % ROUTES.len();
    let (subtype, parameter) = ROUTES[number];
    let Some([value]) = text_parts::<1>(data) else { return };
    let world = World::default();
    let mut host = world.worker();
    let (mut headers, mut query) = (Vec::new(), String::new());
    match number % 3 {
        0 if is_field_value(value.as_bytes()) => headers.push(("x-a", value)),
        1 => query = format!("?q={}", percent_encode(value.as_bytes())),
        _ => host.body = json!({"a": value}).to_string().into_bytes(),
    }
    let head = request("POST", &format!("/s/{number}{query}"), "api.test", &headers);
    let upstream = ResponseHead { status: 200, ..ResponseHead::default() };
    let asked = ask(&GATEWAY, head, &mut host, &mut |_| reply(200, &[UPSTREAM], b"<a/>"), &upstream);
    match asked.calls.as_slice() {
        [] => assert_eq!(asked.status(), 400, "{asked:?}"),
        [call] => {
            let is_there = number % 3 != 0 || !headers.is_empty();
            let body = asked.sent().unwrap_or_default();
            let trimmed = if number % 3 == 0 { value.trim_matches([' ', '\t']) } else { value };
            if is_there && trimmed == value {
                check(subtype, parameter, call, body, value);
            }
        }
        _ => panic!("one call is enough: {asked:?}"),
    }
});
