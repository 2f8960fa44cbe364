//! AWS services behind routes, through a real Envoy and through `tollgate serve`, with moto in the place of AWS: each request is
//! signed by whoever sends it, moto checks the signature and the policy of the user, and what a request does is seen in moto.
//! Needs ENVOY, MOTO_SERVER and the module: `make test` brings them.

mod drivers;
mod process;

#[path = "aws/direct.rs"]
mod direct;
#[path = "aws/edge.rs"]
mod edge;
#[path = "aws/envoy.rs"]
mod envoy;
#[path = "aws/files.rs"]
mod files;
#[path = "aws/messages.rs"]
mod messages;
#[path = "aws/pets.rs"]
mod pets;
#[path = "aws/wire.rs"]
mod wire;

use drivers::case::Backend;
use drivers::stub::Stub;
use edge::{Edge, both};
use process::moto::{AccessKey, Moto};

/// What the policy of the gateway's user allows; no `dynamodb:DeleteItem`.
const ALLOWED: [&str; 10] = [
    "dynamodb:PutItem",
    "dynamodb:GetItem",
    "s3:ListBucket",
    "s3:GetObject",
    "s3:PutObject",
    "sqs:SendMessage",
    "sns:Publish",
    "states:StartExecution",
    "events:PutEvents",
    "kinesis:PutRecord",
];

/// A route of each service, with a body that it takes.
const ROUTES: [(&str, &str, &str); 8] = [
    ("POST", "/prod/pets", r#"{"id": "refused", "name": "x", "types": ["x"], "height": 1}"#),
    ("GET", "/prod/files", ""),
    ("GET", "/prod/files/picture", ""),
    ("POST", "/prod/orders", r#"{"sku": "refused"}"#),
    ("POST", "/prod/alerts", r#"{"text": "refused"}"#),
    ("POST", "/prod/jobs", r#"{"n": 1}"#),
    ("POST", "/prod/events", r#"{"type": "refused", "detail": {}}"#),
    ("POST", "/prod/clicks", r#"{"key": "refused", "data": {}}"#),
];

/// moto with all that the document names, and a user who may use it.
fn services() -> (Moto, AccessKey) {
    let mut moto = Moto::start();
    pets::prepare(&moto);
    files::prepare(&moto);
    messages::prepare(&moto);
    let key = moto.user("gateway", &ALLOWED);
    moto.guard();
    (moto, key)
}

#[test]
fn every_service_takes_what_the_gateway_signs_and_does_it() {
    let (moto, key) = services();
    for edge in both("aws", &key, moto.address()) {
        pets::are_put_and_found(&edge, &moto);
        pets::what_the_policy_does_not_allow_is_refused(&edge, &moto);
        files::are_put_and_got_and_listed_byte_for_byte(&edge, &moto);
        files::of_many_megabytes_are_signed_whole(&edge, &moto);
        messages::reach_a_queue(&edge, &moto);
        messages::reach_a_topic(&edge, &moto);
        messages::start_a_state_machine(&edge, &moto);
        messages::reach_an_event_bus(&edge, &moto);
        messages::reach_a_stream(&edge, &moto);
        direct::calls_reach_a_queue(&edge, &moto);
        direct::calls_reach_an_event_bus(&edge, &moto);
        direct::calls_reach_a_stream(&edge, &moto);
        direct::calls_start_a_state_machine(&edge, &moto);
    }
}

#[test]
fn a_wrong_secret_is_the_services_403_and_nothing_happens() {
    let (moto, key) = services();
    let wrong = AccessKey { secret: "wrong".to_owned(), ..key };
    for edge in both("aws-wrong-secret", &wrong, moto.address()) {
        for (method, path, body) in ROUTES {
            let answer = edge.send(method, path, &[("content-type", "application/json")], body.as_bytes());
            // The integration response maps 403 to 403 and lets the service's own words through.
            let text = String::from_utf8_lossy(&answer.body);
            assert_eq!(answer.status().ok(), Some(403), "{} {method} {path}: {text}", edge.name);
            assert!(text.contains("SignatureDoesNotMatch"), "{} {method} {path}: {text}", edge.name);
        }
        direct::calls_that_a_service_refuses_are_a_500(&edge);
        let item = pets::item(&moto, "refused");
        assert!(item.is_null(), "{}: {item}", edge.name);
        assert_eq!(messages::queued(&moto), Vec::<String>::new(), "{}", edge.name);
    }
}

/// moto believes the digest of the body that it is told, and looks at no more than one signature.
#[test]
fn a_signature_is_over_the_body_that_arrives_and_the_only_one() {
    let mut services = Stub::start();
    services.play(&Backend::default());
    let key = AccessKey { id: "AKIDEXAMPLE".to_owned(), secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned() };
    for edge in both("aws-wire", &key, services.address()) {
        wire::is_signed_as(&edge, &services, &key);
        wire::has_a_digest_of_large_bodies(&edge, &services);
        wire::has_nothing_of_the_clients_signature(&edge, &services);
    }
}

#[test]
fn without_credentials_a_local_server_is_asked_unsigned_and_aws_itself_is_not_asked() {
    let mut services = Stub::start();
    services.play(&Backend::default());
    let (edge, said) = Edge::serve_without_credentials("sqs", services.address());
    let note = "note: without AWS credentials, requests to what stands in for sqs (us-east-1) are not signed";
    assert!(said.lines().any(|line| line == note), "{said}");
    let warning =
        said.lines().find(|line| line.starts_with("warning: requests to dynamodb (us-east-1), events")).unwrap_or_default();
    assert!(warning.contains(" fail: no AWS credentials in the environment, the profile, "), "{said}");
    assert!(warning.contains("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"), "{said}");

    edge.json("POST", "/prod/orders", "{}", 200);
    let [order] = <[_; 1]>::try_from(services.seen()).expect("the local server is asked");
    assert_eq!((order.header("authorization"), order.header("x-amz-date")), (None, None));
    // What a backend that cannot be reached gets.
    let answer = edge.json("POST", "/prod/pets", r#"{"id": "1", "name": "a", "types": ["a"], "height": 1}"#, 504);
    assert_eq!(answer, r#"{"message":"Network error communicating with endpoint"}"#);
    let line = edge.wait_for("backend of `dynamodb`");
    assert!(
        line.starts_with("backend of `dynamodb`: the request cannot be signed: no AWS credentials in the environment"),
        "{line}"
    );
}
