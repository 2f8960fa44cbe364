//! SQS, SNS, Step Functions, EventBridge and Kinesis: what is sent arrives, as the templates make it.

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::process::moto::{ACCOUNT, Moto, REGION, element};

/// Queues of everything that can be heard, since moto shows no message of a topic or of a bus itself.
pub fn prepare(moto: &Moto) {
    for queue in ["orders", "alerts", "events"] {
        moto.json("sqs", "AmazonSQS.CreateQueue", &json!({"QueueName": queue}));
    }
    let topic = moto.query("sns", &[("Action", "CreateTopic"), ("Name", "alerts")]);
    let queue = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:alerts");
    let topic = element(&topic, "TopicArn");
    moto.query("sns", &[("Action", "Subscribe"), ("TopicArn", &topic), ("Protocol", "sqs"), ("Endpoint", &queue)]);

    let machine = json!({
        "name": "jobs",
        "definition": json!({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}).to_string(),
        "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/jobs"),
    });
    moto.json("states", "AWSStepFunctions.CreateStateMachine", &machine);

    moto.json("events", "AWSEvents.CreateEventBus", &json!({"Name": "shop"}));
    let pattern = json!({"source": ["shop"]}).to_string();
    moto.json("events", "AWSEvents.PutRule", &json!({"Name": "all", "EventBusName": "shop", "EventPattern": pattern}));
    let target = json!({"Id": "queue", "Arn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:events")});
    moto.json("events", "AWSEvents.PutTargets", &json!({"Rule": "all", "EventBusName": "shop", "Targets": [target]}));

    moto.json("kinesis", "Kinesis_20131202.CreateStream", &json!({"StreamName": "clicks", "ShardCount": 1}));
}

/// The texts of the orders, which are gone then.
pub fn queued(moto: &Moto) -> Vec<String> {
    received(moto, "orders")
}

fn received(moto: &Moto, queue: &str) -> Vec<String> {
    let url = format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue}");
    let messages = moto.json("sqs", "AmazonSQS.ReceiveMessage", &json!({"QueueUrl": url, "MaxNumberOfMessages": 10}));
    let messages = messages["Messages"].as_array().cloned().unwrap_or_default();
    for message in &messages {
        moto.json("sqs", "AmazonSQS.DeleteMessage", &json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}));
    }
    messages.iter().map(|message| message["Body"].as_str().expect("a message has a body").to_owned()).collect()
}

/// The only text of a queue, as JSON.
pub fn only(moto: &Moto, queue: &str) -> Value {
    let [text] = <[String; 1]>::try_from(received(moto, queue)).unwrap_or_else(|all| panic!("not one message: {all:?}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub fn reach_a_queue(edge: &Edge, moto: &Moto) {
    let order = r#"{"sku": "hat & glove=1 %", "note": "€\n"}"#;
    assert_eq!(edge.json("POST", "/prod/orders", order, 200), r#"{"queued": true}"#, "{}", edge.name);
    assert_eq!(queued(moto), [order], "{}", edge.name);
}

pub fn reach_a_topic(edge: &Edge, moto: &Moto) {
    let text = "water & fire + 100 % = é";
    let answer = edge.json("POST", "/prod/alerts", &json!({"text": text}).to_string(), 200);
    assert_eq!(answer, r#"{"told": true}"#, "{}", edge.name);
    let heard = only(moto, "alerts");
    assert_eq!(heard["Message"], text, "{}", edge.name);
}

pub fn start_a_state_machine(edge: &Edge, moto: &Moto) {
    let input = json!({"by": edge.name, "text": "it's \"quoted\""});
    let answer = edge.json("POST", "/prod/jobs", &input.to_string(), 202);
    let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
    assert_eq!(input_of(moto, &answer["job"]), input, "{}", edge.name);
}

/// What an execution was started with.
pub fn input_of(moto: &Moto, execution: &Value) -> Value {
    let execution = moto.json("states", "AWSStepFunctions.DescribeExecution", &json!({"executionArn": execution}));
    serde_json::from_str(execution["input"].as_str().unwrap_or_default()).unwrap_or_default()
}

pub fn reach_an_event_bus(edge: &Edge, moto: &Moto) {
    let event = json!({"type": "sold", "detail": {"by": edge.name, "text": "it's \"quoted\""}});
    assert_eq!(edge.json("POST", "/prod/events", &event.to_string(), 200), r#"{"failed": 0}"#, "{}", edge.name);
    let heard = only(moto, "events");
    assert_eq!((&heard["source"], &heard["detail-type"]), (&json!("shop"), &json!("sold")), "{}: {heard}", edge.name);
    assert_eq!(heard["detail"], event["detail"], "{}", edge.name);
}

pub fn reach_a_stream(edge: &Edge, moto: &Moto) {
    let click = json!({"key": edge.name, "data": {"at": 12}}).to_string();
    assert_eq!(edge.json("POST", "/prod/clicks", &click, 200), r#"{"shard": "shardId-000000000000"}"#, "{}", edge.name);
    // {"at":12}
    assert_eq!(recorded(moto, edge.name), ["eyJhdCI6MTJ9"], "{}", edge.name);
}

/// The data of the stream's records with a key.
pub fn recorded(moto: &Moto, key: &str) -> Vec<String> {
    let iterator = json!({"StreamName": "clicks", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = moto.json("kinesis", "Kinesis_20131202.GetShardIterator", &iterator)["ShardIterator"].take();
    let records = moto.json("kinesis", "Kinesis_20131202.GetRecords", &json!({"ShardIterator": iterator}));
    let mine = records["Records"].as_array().into_iter().flatten().filter(|record| record["PartitionKey"] == key);
    mine.map(|record| record["Data"].as_str().expect("a record has data").to_owned()).collect()
}
