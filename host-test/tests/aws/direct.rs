//! Integration subtypes of an HTTP API: the same services, called without a template.

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::messages::{input_of, only, queued, recorded};
use crate::process::moto::{Moto, element};

pub fn calls_reach_a_queue(edge: &Edge, moto: &Moto) {
    let order = r#"{"sku": "hat & glove=1 %", "note": "€\n"}"#;
    let answer = edge.json("POST", "/direct/orders", order, 200);
    // SQS answers these in XML.
    assert!(!element(&answer, "MessageId").is_empty(), "{}: {answer}", edge.name);
    assert_eq!(queued(moto), [order], "{}", edge.name);
}

pub fn calls_reach_an_event_bus(edge: &Edge, moto: &Moto) {
    let detail = json!({"by": edge.name, "text": "it's \"quoted\""});
    let answer: Value = serde_json::from_str(&edge.json("POST", "/direct/events/sold", &detail.to_string(), 200)).expect("JSON");
    assert_eq!(answer["FailedEntryCount"], 0, "{}: {answer}", edge.name);
    let heard = only(moto, "events");
    assert_eq!((&heard["detail-type"], &heard["detail"]), (&json!("sold"), &detail), "{}", edge.name);
}

pub fn calls_reach_a_stream(edge: &Edge, moto: &Moto) {
    let key = format!("direct-{}", edge.name);
    let click = json!({"key": key, "data": "eyJhdCI6MTJ9"}).to_string();
    edge.json("POST", "/direct/clicks", &click, 200);
    assert_eq!(recorded(moto, &key), ["eyJhdCI6MTJ9"], "{}", edge.name);
}

pub fn calls_start_a_state_machine(edge: &Edge, moto: &Moto) {
    let input = json!({"by": edge.name});
    let answer: Value = serde_json::from_str(&edge.json("POST", "/direct/jobs", &input.to_string(), 200)).expect("JSON");
    assert_eq!(input_of(moto, &answer["executionArn"]), input, "{}: {answer}", edge.name);
}

/// What a service refuses is no business of the client's.
pub fn calls_that_a_service_refuses_are_a_500(edge: &Edge) {
    for path in ["/direct/orders", "/direct/events/sold", "/direct/jobs"] {
        assert_eq!(edge.json("POST", path, "{}", 500), r#"{"message":"Internal Server Error"}"#, "{} {path}", edge.name);
    }
}
