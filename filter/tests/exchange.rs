//! The phase machine: every event in every phase, bodies that are held, counted or dropped.

#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test may panic; helpers beside the test count as code")]

use serde_json::{Value, json};
use std::sync::Arc;
use tollgate::compile::compile;
use tollgate::exchange::Exchange;
use tollgate::flow::{CalloutOutcome, Effect, Event, NoReply, PAYLOAD_LIMIT, Ticket};
use tollgate::gateway::Gateway;
use tollgate::http::{RequestHead, Response, ResponseHead};
use tollgate::platform::{Level, Platform, Version};

/// A host of plain values.
#[derive(Default)]
struct Host {
    body: &'static str,
    details: Option<&'static str>,
}

impl Platform for Host {
    fn now_millis(&self) -> u64 {
        1_700_000_000_000
    }

    fn monotonic_nanos(&self) -> u64 {
        self.now_millis() * 1_000_000
    }
    fn random(&mut self) -> [u8; 16] {
        [7; 16]
    }
    fn source_address(&self) -> Option<String> {
        Some("192.0.2.1:1234".to_owned())
    }
    fn response_code_details(&self) -> Option<String> {
        self.details.map(str::to_owned)
    }
    fn request_body(&self) -> Vec<u8> {
        self.body.into()
    }
    fn verify_signature(&self, _: &str, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }
    fn shared_data(&self, _: &str) -> Option<(Vec<u8>, u32)> {
        None
    }
    fn set_shared_data(&self, _: &str, _: &[u8], _: Version) -> bool {
        true
    }
    fn log(&self, _: Level, _: &str) {}
}

/// One API with a route that answers itself, one that reads the body first, and one that proxies.
fn gateway() -> Arc<Gateway> {
    let mock = |templates: Value| {
        json!({"x-amazon-apigateway-integration": {"type": "mock", "requestTemplates": templates,
            "responses": {"default": {"statusCode": 200}, "404": {"statusCode": 404}}}})
    };
    let proxy = json!({"x-amazon-apigateway-integration": {"type": "http_proxy", "uri": "http://b.test/x"}});
    let with = |key: &str, value: Value| {
        let mut operation = proxy.clone();
        operation[key] = value;
        operation
    };
    let guarded = with("security", json!([{"function": []}]));
    let signed = with("x-amazon-apigateway-auth", json!({"type": "AWS_IAM"}));
    let function = json!({"type": "apiKey", "name": "auth", "in": "header", "x-amazon-apigateway-authorizer": {
        "type": "token", "authorizerUri": "http://f.test/authorize", "authorizerResultTtlInSeconds": 0}});
    let document = json!({
        "apis": [{"name": "a", "stages": [{"stageName": "s"}], "definition": {"openapi": "3.0.1", "paths": {
            "/mock": {"get": mock(json!({"application/json": "{statusCode: 200}"}))},
            "/body": {"post": mock(json!({}))},
            "/http": {"post": {"x-amazon-apigateway-integration": {"type": "http", "httpMethod": "POST", "uri": "http://b.test/x",
                "requestTemplates": {"application/json": "{}"}, "responses": {"default": {"statusCode": 200}}}}},
            "/proxy": {"x-amazon-apigateway-any-method": proxy.clone()},
            "/guarded": {"x-amazon-apigateway-any-method": guarded},
            "/signed": {"x-amazon-apigateway-any-method": signed},
        }, "components": {"securitySchemes": {"function": function}}}}],
        "iam": {"users": [{"accessKeyId": "AKID", "secretAccessKey": "secret"}]},
        "upstreams": {"b.test": {"cluster": "b"}, "f.test": {"cluster": "f"}},
    });
    let compiled = compile(&document);
    Arc::new(compiled.gateway.unwrap_or_else(|| panic!("{:#?}", compiled.problems)))
}

fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> Event {
    let pairs = [(":method", method), (":path", path), (":authority", "h"), (":scheme", "http")];
    let pairs = pairs.iter().chain(headers).map(|(n, v)| (*n, v.as_bytes()));
    Event::RequestHead { head: RequestHead::from_pairs(pairs), end: false }
}

fn response(status: u16) -> Event {
    Event::ResponseHead { head: ResponseHead { status, ..ResponseHead::default() }, end: false }
}

fn status(effect: &Effect) -> u16 {
    match effect {
        Effect::Reply(response) | Effect::Replace(response) => response.head.status,
        Effect::Relay(head) => head.status,
        other => panic!("no answer: {other:?}"),
    }
}

/// Every sequence of up to four events, from every way to begin, whoever answers: nothing panics, there is one reply at the most,
/// and a response is put in the place of another once at the most.
#[test]
fn every_event_is_taken_in_every_phase() {
    let events: [fn() -> Event; 14] = [
        || head("GET", "/s/mock", &[]),
        || head("POST", "/s/guarded", &[("auth", "t")]),
        || said(Ticket(1), "Allow"),
        || said(Ticket(1), "Deny"),
        || done(Ticket(1), Err(NoReply)),
        || head("POST", "/s/body", &[]),
        || head("POST", "/s/proxy", &[]),
        || head("POST", "/s/http", &[("content-type", "application/json")]),
        || Event::RequestBody { size: 3, end: false },
        || Event::RequestBody { size: 3, end: true },
        || Event::RequestTrailers,
        || response(504),
        || Event::ResponseBody { size: 3, end: true },
        || Event::ResponseTrailers,
    ];
    let gateway = gateway();
    let count = events.len();
    let details = [None, Some("via_upstream"), Some("request_payload_too_large"), Some("response_timeout")];
    for (sequence, details) in (0..count.pow(4)).flat_map(|sequence| details.map(|details| (sequence, details))) {
        let mut exchange = Exchange::new(Arc::clone(&gateway));
        let (mut replies, mut responses) = (0, 0);
        for place in 0..4_u32 {
            let event = events.get(sequence / count.pow(place) % count).unwrap();
            match exchange.on(event(), &mut Host { details, ..Host::default() }) {
                Effect::Reply(_) => replies += 1,
                Effect::Relay(_) | Effect::Replace(_) => responses += 1,
                _ => {}
            }
        }
        // An answer of the gateway comes by once more as a response, and may be put right then.
        assert!(replies <= 1 && responses <= 1, "sequence {sequence}: {replies} replies, {responses} responses");
    }
}

#[test]
fn an_answer_that_the_proxy_changed_on_its_way_is_put_right() {
    let reply = |host: &mut Host| {
        let mut exchange = Exchange::new(gateway());
        let Effect::Reply(reply) = exchange.on(head("GET", "/s/nowhere", &[]), host) else { panic!("no reply") };
        (exchange, reply)
    };
    let mut host = Host::default();
    let (mut exchange, ours) = reply(&mut host);
    let untouched = Event::ResponseHead { head: ours.head.clone(), end: false };
    assert_eq!(exchange.on(untouched, &mut host), Effect::Continue);

    let (mut exchange, ours) = reply(&mut host);
    let mut as_grpc = ours.head.clone();
    as_grpc.status = 200;
    as_grpc.headers.set("content-type", "application/grpc");
    // Envoy makes heads only for gRPC, so there is no body to put ours into.
    let effect = exchange.on(Event::ResponseHead { head: as_grpc, end: true }, &mut host);
    assert_eq!(effect, Effect::Replace(Response { body: Vec::new(), ..ours }));

    let (mut exchange, ours) = reply(&mut host);
    let begun = Event::ResponseHead { head: ResponseHead { status: 413, ..ResponseHead::default() }, end: false };
    assert_eq!(exchange.on(begun, &mut host), Effect::Replace(ours));
}

#[test]
fn no_more_than_the_limit_goes_upstream_even_while_the_answer_streams() {
    let mut exchange = Exchange::new(gateway());
    let mut host = Host::default();
    exchange.on(head("POST", "/s/proxy", &[]), &mut host);
    exchange.on(response(200), &mut host);
    assert_eq!(exchange.on(Event::RequestBody { size: PAYLOAD_LIMIT, end: false }, &mut host), Effect::Continue);
    assert_eq!(exchange.on(Event::RequestBody { size: 1, end: false }, &mut host), Effect::Hold);
    assert_eq!(exchange.on(Event::RequestTrailers, &mut host), Effect::Hold);
    assert_eq!(exchange.on(Event::ResponseBody { size: 1, end: true }, &mut host), Effect::Continue);
}

#[test]
fn a_length_that_no_machine_holds_is_too_large() {
    for length in ["5000000000", "99999999999999999999999999"] {
        let effect = Exchange::new(gateway()).on(head("POST", "/s/proxy", &[("content-length", length)]), &mut Host::default());
        assert_eq!(status(&effect), 413, "{length}");
    }
}

#[test]
fn a_route_that_needs_the_body_waits_for_its_end_or_for_trailers() {
    for last in [Event::RequestBody { size: 20, end: true }, Event::RequestTrailers] {
        let mut exchange = Exchange::new(gateway());
        let mut host = Host { body: "{\"statusCode\": 404}", ..Host::default() };
        assert_eq!(exchange.on(head("POST", "/s/body", &[]), &mut host), Effect::Hold);
        assert_eq!(exchange.on(Event::RequestBody { size: 10, end: false }, &mut host), Effect::Hold);
        assert_eq!(status(&exchange.on(last, &mut host)), 404);
    }
}

#[test]
fn a_body_over_the_limit_is_refused_held_streamed_or_announced() {
    let too_much = PAYLOAD_LIMIT + 1;
    let mut host = Host::default();
    let mut held = Exchange::new(gateway());
    held.on(head("POST", "/s/body", &[]), &mut host);
    assert_eq!(status(&held.on(Event::RequestBody { size: too_much, end: false }, &mut host)), 413);

    let mut streamed = Exchange::new(gateway());
    streamed.on(head("POST", "/s/proxy", &[]), &mut host);
    assert_eq!(streamed.on(Event::RequestBody { size: PAYLOAD_LIMIT, end: false }, &mut host), Effect::Continue);
    assert_eq!(status(&streamed.on(Event::RequestBody { size: 1, end: false }, &mut host)), 413);

    let announced = [("content-length", too_much.to_string())];
    let announced: Vec<_> = announced.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(status(&Exchange::new(gateway()).on(head("POST", "/s/proxy", &announced), &mut host)), 413);
}

#[test]
fn an_answer_to_head_has_no_body_whatever_the_upstream_sent() {
    let mut exchange = Exchange::new(gateway());
    let mut host = Host::default();
    exchange.on(head("HEAD", "/s/proxy", &[]), &mut host);
    exchange.on(response(200), &mut host);
    assert_eq!(exchange.on(Event::ResponseBody { size: 5, end: true }, &mut host), Effect::Discard);
}

#[test]
fn the_proxys_own_answer_becomes_a_gateway_response_and_a_backends_does_not() {
    for (details, upstream_status, wanted) in [
        (Some("via_upstream"), 504, 504),
        (None, 500, 500),
        (Some("response_timeout"), 504, 504),
        (Some("upstream_reset_before_response_started{connection_termination}"), 503, 504),
        (Some("request_payload_too_large"), 413, 413),
        (Some("request_overall_timeout"), 408, 408),
        (Some("route_not_found"), 404, 504),
        (Some("via_upstream"), 101, 504),
    ] {
        let mut exchange = Exchange::new(gateway());
        let mut host = Host { details, ..Host::default() };
        exchange.on(head("POST", "/s/proxy", &[]), &mut host);
        let effect = exchange.on(response(upstream_status), &mut host);
        assert_eq!(status(&effect), wanted, "{details:?}");
        let made_here = upstream_status == 101 || details.is_some_and(|d| d != "via_upstream" && upstream_status != 408);
        assert_eq!(matches!(effect, Effect::Replace(_)), made_here, "{details:?}");
    }
}

#[test]
fn the_override_header_is_the_method_and_goes_no_further() {
    let mut exchange = Exchange::new(gateway());
    let headers = [("x-http-method-override", "put"), ("x-other", "1")];
    let Effect::Forward(forwarded) = exchange.on(head("POST", "/s/proxy", &headers), &mut Host::default()) else {
        panic!("not forwarded")
    };
    assert_eq!(forwarded.method, "PUT");
    assert!(!forwarded.headers.contains("x-http-method-override") && forwarded.headers.contains("x-other"));
}

/// What the authorizer's function says, for the call with this ticket.
fn said(ticket: Ticket, effect: &str) -> Event {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": "*", "Resource": "*"}]});
    let body = json!({"principalId": "p", "policyDocument": policy}).to_string().into_bytes();
    let head = ResponseHead { status: 200, ..ResponseHead::default() };
    done(ticket, Ok(Response { head, body }))
}

fn done(ticket: Ticket, outcome: CalloutOutcome) -> Event {
    Event::CalloutDone { ticket, outcome }
}

/// A guarded request up to the call that it waits for.
fn asking(end: bool) -> (Exchange, Ticket) {
    let mut exchange = Exchange::new(gateway());
    let Event::RequestHead { head, .. } = head("POST", "/s/guarded", &[("auth", "token")]) else { panic!("a head is a head") };
    match exchange.on(Event::RequestHead { head, end }, &mut Host::default()) {
        Effect::Call(ticket, call) => {
            let path = call.http_head().map(|head| head.path.as_slice());
            assert_eq!((call.cluster.as_str(), path), ("f", Some(b"/authorize".as_slice())));
            (exchange, ticket)
        }
        effect => panic!("{effect:?}"),
    }
}

#[test]
fn a_request_waits_for_the_word_of_its_authorizer_and_for_nothing_else() {
    let mut host = Host::default();
    let (mut exchange, ticket) = asking(false);
    assert_eq!(exchange.on(Event::RequestBody { size: 3, end: false }, &mut host), Effect::Hold);
    assert_eq!(exchange.on(said(Ticket(ticket.0 + 1), "Allow"), &mut host), Effect::Hold);
    assert_eq!(exchange.on(Event::RequestBody { size: 5, end: true }, &mut host), Effect::Hold);
    assert!(matches!(exchange.on(said(ticket, "Allow"), &mut host), Effect::Forward(_)));
    assert_eq!(exchange.on(said(ticket, "Deny"), &mut host), Effect::Hold);
}

#[test]
fn what_was_held_while_it_waited_counts_against_the_payload_limit() {
    let mut host = Host::default();
    let (mut exchange, ticket) = asking(false);
    assert_eq!(exchange.on(Event::RequestBody { size: PAYLOAD_LIMIT, end: false }, &mut host), Effect::Hold);
    assert!(matches!(exchange.on(said(ticket, "Allow"), &mut host), Effect::Forward(_)));
    assert_eq!(status(&exchange.on(Event::RequestBody { size: 1, end: false }, &mut host)), 413);

    let (mut exchange, ticket) = asking(false);
    assert_eq!(status(&exchange.on(Event::RequestBody { size: PAYLOAD_LIMIT + 1, end: false }, &mut host)), 413);
    assert_eq!(exchange.on(said(ticket, "Allow"), &mut host), Effect::Hold);
}

#[test]
fn nobodys_word_and_a_word_that_is_none_let_nothing_through() {
    let mut host = Host::default();
    let bad = |status, body: &[u8]| Ok(Response { head: ResponseHead { status, ..ResponseHead::default() }, body: body.to_vec() });
    for outcome in [Err(NoReply), bad(504, b""), bad(200, b""), bad(200, b"{}"), bad(0, b"{}")] {
        let (mut exchange, ticket) = asking(true);
        assert_eq!(status(&exchange.on(done(ticket, outcome.clone()), &mut host)), 500, "{outcome:?}");
    }
    let (mut exchange, ticket) = asking(true);
    assert_eq!(status(&exchange.on(said(ticket, "Deny"), &mut host)), 403);
}

#[test]
fn a_body_that_ends_with_trailers_is_whole_for_who_verifies_its_signature() {
    let mut host = Host::default();
    let signature = format!(
        "AWS4-HMAC-SHA256 Credential=AKID/20231114/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature={}",
        "0".repeat(64)
    );
    let mut stranger = Exchange::new(gateway());
    let by_stranger = signature.replace("AKID", "OTHER");
    let event = head("POST", "/s/signed", &[("authorization", &by_stranger), ("x-amz-date", "20231114T221320Z")]);
    assert_eq!(status(&stranger.on(event, &mut host)), 403, "nobody's body is held for a stranger");

    let mut exchange = Exchange::new(gateway());
    let event = head("POST", "/s/signed", &[("authorization", &signature), ("x-amz-date", "20231114T221320Z")]);
    let Event::RequestHead { head, .. } = event else { panic!("a head is a head") };
    assert_eq!(exchange.on(Event::RequestHead { head, end: false }, &mut host), Effect::Hold);
    assert_eq!(exchange.on(Event::RequestBody { size: 3, end: false }, &mut host), Effect::Hold);
    assert_eq!(status(&exchange.on(Event::RequestTrailers, &mut host)), 403);
}
