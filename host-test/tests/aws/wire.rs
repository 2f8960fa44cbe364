//! What arrives at a service, verified by a signer of our own.

use std::time::{Duration, SystemTime};

use crate::drivers::http1::Message;
use crate::drivers::signer::{Parts, Signer, sha256};
use crate::drivers::stub::Stub;
use crate::edge::Edge;
use crate::process::moto::{AccessKey, REGION};

/// What every signature of ours is made over; a content type where there is a body, a target where the service takes one.
const SIGNED: [&str; 3] = ["host", "x-amz-content-sha256", "x-amz-date"];

/// A request and what came of it at the service.
fn arrival(edge: &Edge, services: &Stub, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Message {
    let before = services.seen().len();
    edge.send(method, path, headers, body);
    let mut seen = services.seen().split_off(before);
    assert_eq!(seen.len(), 1, "{} {method} {path}", edge.name);
    seen.remove(0)
}

/// The only value of a header.
fn only<'a>(edge: &Edge, message: &'a Message, name: &str) -> &'a str {
    let mut values = message.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
    let value = values.next().unwrap_or_else(|| panic!("{}: no {name}: {message:?}", edge.name));
    assert_eq!(values.next(), None, "{}: two of {name}", edge.name);
    &value.1
}

fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970")
}

pub fn is_signed_as(edge: &Edge, services: &Stub, key: &AccessKey) {
    let json = [("content-type", "application/json")];
    let pet = r#"{"id": "1", "name": "\u00e9", "types": ["a"], "height": 1}"#;
    for (service, path, body, more) in [
        ("lambda", "/prod/function", r#"{"a": 1}"#, None),
        ("dynamodb", "/prod/pets", pet, Some("x-amz-target")),
        ("sqs", "/prod/orders", r#"{"sku": "hat"}"#, None),
        ("kinesis", "/prod/clicks", r#"{"key": "a", "data": {}}"#, Some("x-amz-target")),
    ] {
        let before = now();
        let message = arrival(edge, services, "POST", path, &json, body.as_bytes());
        let payload = sha256(&message.body);
        assert_eq!(only(edge, &message, "x-amz-content-sha256"), payload, "{} {service}", edge.name);
        assert_eq!(only(edge, &message, "host"), format!("{service}.{REGION}.amazonaws.com"), "{}", edge.name);
        let signed: Vec<String> = SIGNED.into_iter().chain(["content-type"]).chain(more).map(str::to_owned).collect();
        let unsigned = |name: &str| ["authorization", "x-amz-date"].contains(&name.to_ascii_lowercase().as_str());
        let headers: Vec<_> = message.headers.iter().filter(|(name, _)| !unsigned(name)).cloned().collect();
        let target = message.start.split(' ').nth(1).expect("a request has a target");
        let parts = Parts { method: "POST", target, headers: &headers, payload: &payload, signed_headers: Some(&signed) };
        // It was signed between then and now.
        let signatures: Vec<_> =
            (before.as_secs()..=now().as_secs()).map(|second| signature(key, service, second, &parts)).collect();
        let found = only(edge, &message, "authorization").replace(", ", ",");
        assert!(signatures.contains(&found), "{} {service}: {found}\nis none of {signatures:#?}", edge.name);
    }
}

fn signature(key: &AccessKey, service: &str, second: u64, parts: &Parts<'_>) -> String {
    let signer = Signer {
        access_key_id: &key.id,
        secret_access_key: &key.secret,
        session_token: None,
        region: REGION,
        service,
        at: Duration::from_secs(second),
    };
    let lines = signer.sign(parts);
    lines.into_iter().find(|(name, _)| name == "authorization").expect("it signs").1.replace(", ", ",")
}

/// Filters of a cluster hold a body within limits; a callout's is there whole.
pub fn has_a_digest_of_large_bodies(edge: &Edge, services: &Stub) {
    for size in [0, 1_000_000, 9_000_000] {
        let body: Vec<u8> = (0..size).map(|index: usize| (index * 31 + index / 256) as u8).collect();
        let message = arrival(edge, services, "PUT", "/prod/files/large", &[("content-type", "application/octet-stream")], &body);
        assert!(message.body == body, "{} {size}: {} other bytes", edge.name, message.body.len());
        assert_eq!(only(edge, &message, "x-amz-content-sha256"), sha256(&body), "{} {size}", edge.name);
    }
}

pub fn has_nothing_of_the_clients_signature(edge: &Edge, services: &Stub) {
    let theirs = [
        ("content-type", "application/octet-stream"),
        ("authorization", "AWS4-HMAC-SHA256 Credential=theirs"),
        ("x-amz-date", "20200101T000000Z"),
        ("x-amz-security-token", "theirs"),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
    ];
    // The document maps all of them that may be mapped.
    let message = arrival(edge, services, "PUT", "/prod/files/picture", &theirs, b"picture");
    assert!(only(edge, &message, "authorization").contains("Credential=AKIDEXAMPLE/"), "{}: {message:?}", edge.name);
    assert!(!only(edge, &message, "x-amz-date").starts_with("2020"), "{}: {message:?}", edge.name);
    assert_eq!(only(edge, &message, "x-amz-content-sha256"), sha256(b"picture"), "{}", edge.name);
    assert_eq!(message.header("x-amz-security-token"), None, "{}", edge.name);
}
