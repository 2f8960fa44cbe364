//! The module and a rate limit service: gateways that share nothing but the service share its counts, and a service that is slow,
//! gone or broken costs what the document says.
//!
//! The service here counts as envoyproxy/ratelimit does: by the names of a descriptor, in windows that are multiples of their unit
//! since 1970, and by the limit that the question brings along. It reads questions with a few lines of its own.

mod drivers;

use drivers::envoy::module;
use drivers::report::say;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tollgate_host::{Clock, FilterModule, Host, Outcome, Request, Stub, UpstreamReply, UpstreamRequest, VirtualClock};

/// What an HTTP_PROXY route may cost on the border of the module when the service is asked twice: two calls and their two answers
/// beside the bucket, the heads, and the clock and latencies that metrics are made of.
const HOST_CALLS: u64 = 22;

/// Counts for everybody who asks.
#[derive(Clone)]
struct Service {
    counts: Arc<Mutex<BTreeMap<Vec<u8>, u64>>>,
    clock: VirtualClock,
}

/// One descriptor of a question.
struct Descriptor {
    /// The bytes of its entries: the name of its counter.
    entries: Vec<u8>,
    limit: u64,
    unit: u64,
}

// === impl Service ===

impl Service {
    fn new(clock: &VirtualClock) -> Self {
        Self { counts: Arc::default(), clock: clock.clone() }
    }

    fn stub(&self) -> Stub {
        let service = self.clone();
        Stub::ask(move |request| service.answer(request))
    }

    fn answer(&self, request: &UpstreamRequest) -> Stub {
        assert_eq!(request.path(), "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit");
        assert_eq!(request.headers.get_str("content-type"), Some("application/grpc"));
        let now = self.clock.wall().as_secs();
        let mut counts = self.counts.lock().expect("no test fails while it counts");
        let (mut over, mut statuses) = (false, Vec::new());
        for Descriptor { entries, limit, unit } in descriptors(request.body.get(5..).expect("a frame")) {
            let window = match unit {
                1 => 1,
                2 => 60,
                4 => 86_400,
                6 => 365 * 86_400,
                other => panic!("unit {other}"),
            };
            let counter = [entries, (now / window).to_le_bytes().to_vec()].concat();
            let count = counts.entry(counter).or_default();
            *count += 1;
            over |= *count > limit;
            let status = [
                varint(1, if *count > limit { 2 } else { 1 }),
                bytes(2, &[varint(1, limit), varint(2, unit)].concat()),
                varint(3, limit.saturating_sub(*count)),
                bytes(4, &varint(1, window - now % window)),
            ];
            statuses.extend(bytes(2, &status.concat()));
        }
        says(&[varint(1, if over { 2 } else { 1 }), statuses].concat())
    }

    /// The names of all counters, as text.
    fn names(&self) -> Vec<String> {
        let counts = self.counts.lock().expect("no test fails while it counts");
        counts.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }
}

/// A unary answer.
fn says(message: &[u8]) -> Stub {
    let length = u32::try_from(message.len()).expect("a short message").to_be_bytes();
    let frame = [&[0][..], &length, message].concat();
    let reply = UpstreamReply::new(200).header("content-type", "application/grpc").chunk(frame).trailer("grpc-status", "0");
    Stub::respond(reply)
}

fn varint(field: u8, number: u64) -> Vec<u8> {
    let mut out = vec![field << 3];
    put(number, &mut out);
    out
}

fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![field << 3 | 2];
    put(value.len() as u64, &mut out);
    out.extend_from_slice(value);
    out
}

fn put(mut number: u64, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// `RateLimitRequest { 2: descriptors { 1: entries, 2: limit { 1 requests_per_unit, 2 unit } } }`
fn descriptors(message: &[u8]) -> Vec<Descriptor> {
    let descriptor = |message: &[u8]| {
        let (mut entries, mut limit) = (Vec::new(), Vec::new());
        for (field, value, _) in fields(message) {
            match field {
                1 => entries.extend(bytes(1, value)),
                2 => limit = fields(value),
                other => panic!("field {other} of a descriptor"),
            }
        }
        let number = |wanted| limit.iter().find(|(field, _, _)| *field == wanted).map_or(0, |(_, _, number)| *number);
        Descriptor { entries, limit: number(1), unit: number(2) }
    };
    fields(message).into_iter().filter(|(field, _, _)| *field == 2).map(|(_, value, _)| descriptor(value)).collect()
}

/// Field, bytes, number; panics where the message is none.
fn fields(mut message: &[u8]) -> Vec<(u8, &[u8], u64)> {
    let take = |message: &mut &[u8]| {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = message.split_first().expect("a whole number");
            *message = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return number;
            }
        }
        panic!("an endless number")
    };
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = take(&mut message);
        let number = take(&mut message);
        let mut value = &[][..];
        match tag & 7 {
            0 => {}
            2 => {
                let (head, tail) = message.split_at(usize::try_from(number).expect("a length"));
                (value, message) = (head, tail);
            }
            other => panic!("wire type {other}"),
        }
        found.push((u8::try_from(tag >> 3).expect("a small field"), value, number));
    }
    found
}

fn document(service: Value, plan: &Value) -> Value {
    let operation = |uri: &str| {
        json!({"security": [{"api_key": []}],
            "x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "ANY", "uri": uri}})
    };
    let mut plan = plan.clone();
    plan["usagePlanName"] = json!("gold");
    plan["keys"] = json!(["ann"]);
    if plan["apiStages"].is_null() {
        plan["apiStages"] = json!([{"api": "pets", "stage": "prod"}]);
    }
    json!({
        "apis": [{
            "name": "pets",
            "protocol": "REST",
            "stages": [{"stageName": "prod"}],
            "definition": {
                "openapi": "3.0.1",
                "components": {"securitySchemes": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}},
                "paths": {"/pets": {"get": operation("http://b.test/"), "post": operation("http://b.test/")}},
            },
        }],
        "apiKeys": [{"name": "ann", "value": KEY}],
        "usagePlans": [plan],
        "rateLimitService": service,
        "upstreams": {"b.test": {"cluster": "b"}},
    })
}

const KEY: &str = "the-secret-of-ann-0123456789";

/// A gateway of its own, as another replica is, on the same clock as the service.
fn gateway(document: &Value, clock: &VirtualClock, stub: Stub) -> Host {
    static MODULE: OnceLock<FilterModule> = OnceLock::new();
    let module = MODULE.get_or_init(|| FilterModule::from_file(module()).expect("the module is one"));
    Host::builder(module)
        .plugin_configuration(document.to_string())
        .allow_on_headers_stop_iteration(true)
        .clock(clock.clone())
        .cluster("b", Stub::reply(200, [("x-ratelimit-limit", "of the backend")], "hello"))
        .cluster("counter", stub)
        .build()
        .expect("the document is served")
}

fn get() -> Request {
    Request::get("/prod/pets").header("x-api-key", KEY)
}

fn service() -> Value {
    json!({"cluster": "counter"})
}

fn answer(outcome: &Outcome) -> (u16, String) {
    (outcome.response.status(), outcome.response.text())
}

fn refusal(status: u16, message: &str) -> (u16, String) {
    (status, format!(r#"{{"message":"{message}"}}"#))
}

#[test]
fn gateways_that_share_nothing_but_the_service_share_a_quota() {
    let clock = VirtualClock::default();
    let counter = Service::new(&clock);
    let document = document(service(), &json!({"quota": {"limit": 3, "period": "MONTH"}}));
    let [mut one, mut other] = [(); 2].map(|()| gateway(&document, &clock, counter.stub()));
    for host in [&mut one, &mut other] {
        assert_eq!(answer(&host.send(get())), (200, "hello".to_owned()));
    }
    assert_eq!(answer(&one.send(get())), (200, "hello".to_owned()));
    for host in [&mut one, &mut other] {
        let outcome = host.send(get());
        assert_eq!(answer(&outcome), refusal(429, "Limit Exceeded"));
        assert!(outcome.forwarded().is_empty(), "the backend hears nothing of it");
    }
    let names = counter.names();
    assert!(names.iter().all(|name| !name.contains(KEY)), "a key is a secret");
    assert!(names.len() == 1 && ["quota", "gold", "ann", "MONTH"].iter().all(|name| names[0].contains(name)), "{names:?}");
}

#[test]
fn a_throttle_is_asked_before_the_quota_and_takes_nothing_from_it() {
    let clock = VirtualClock::default();
    let counter = Service::new(&clock);
    let plan = json!({"throttle": {"rateLimit": 1, "burstLimit": 2}, "quota": {"limit": 1000, "period": "DAY"}});
    let document = document(service(), &plan);
    let [mut one, mut other, mut third] = [(); 3].map(|()| gateway(&document, &clock, counter.stub()));
    for host in [&mut one, &mut other] {
        let outcome = host.send(get());
        assert_eq!((outcome.response.status(), outcome.callouts().len()), (200, 2));
    }
    // Its own bucket is full, and the second is used up.
    let outcome = third.send(get());
    assert_eq!(answer(&outcome), refusal(429, "Too Many Requests"));
    assert_eq!(outcome.callouts().len(), 1, "nobody asks for the quota of a throttled request");
    clock.advance(Duration::from_secs(1));
    for _ in 0..2 {
        assert_eq!(third.send(get()).response.status(), 200, "what was refused took nothing from the bucket of this gateway");
    }
    let outcome = third.send(get());
    assert_eq!(
        (answer(&outcome), outcome.callouts().len()),
        (refusal(429, "Too Many Requests"), 0),
        "its own bucket says no alone"
    );
}

#[test]
fn the_throttle_of_a_method_counts_for_itself() {
    let clock = VirtualClock::default();
    let counter = Service::new(&clock);
    let stages = json!([{"api": "pets", "stage": "prod", "throttle": {"/pets/GET": {"rateLimit": 1, "burstLimit": 1}}}]);
    let document = document(service(), &json!({"apiStages": stages, "throttle": {"rateLimit": 100, "burstLimit": 100}}));
    let [mut one, mut other] = [(); 2].map(|()| gateway(&document, &clock, counter.stub()));
    assert_eq!(one.send(get()).response.status(), 200);
    assert_eq!(answer(&other.send(get())), refusal(429, "Too Many Requests"));
    let post = Request::post("/prod/pets", "x").header("x-api-key", KEY);
    assert_eq!(other.send(post).response.status(), 200, "the plan's throttle counts the other methods");
}

#[test]
fn a_service_that_does_not_answer_costs_what_the_document_says() {
    let plan = json!({"throttle": {"rateLimit": 100, "burstLimit": 100}, "quota": {"limit": 1000, "period": "DAY"}});
    let megabyte = [&[0x08, 0x01][..], &b"\x12\x02\x08\x01".repeat(1 << 18)].concat();
    let stubs = [
        ("refuses", Stub::refuse("delayed connect error: Connection refused"), 0),
        ("hangs", Stub::hang(), 100),
        ("fails", Stub::respond(UpstreamReply::new(200).header("grpc-status", "14")), 0),
        ("speaks no gRPC", Stub::reply(200, [], "<html>"), 0),
        ("says UNKNOWN", says(b""), 0),
        ("speaks nonsense", says(b"\xff\xff"), 0),
        ("says too much", says(&megabyte), 0),
    ];
    for (what, stub, millis) in stubs {
        for (mode, wanted) in [("deny", refusal(500, "Internal server error")), ("allow", (200, "hello".to_owned()))] {
            let clock = VirtualClock::default();
            let document = document(json!({"cluster": "counter", "failureMode": mode}), &plan);
            let mut host = gateway(&document, &clock, stub.clone());
            let outcome = host.send(get());
            assert_eq!(answer(&outcome), wanted, "{what}, {mode}: {:?}", outcome.logs);
            assert_eq!(outcome.callouts().len(), 1, "{what}, {mode}: nobody waits for the same silence twice");
            assert_eq!(outcome.took, Duration::from_millis(millis), "{what}, {mode}");
            let lines = outcome.logs.iter().filter(|line| line.message.contains("the rate limit service of cluster `counter`"));
            assert_eq!(lines.count(), 1, "{what}, {mode}: {:?}", outcome.logs);
            let again = host.send(get());
            assert_eq!(answer(&again), wanted, "{what}, {mode}: the module lives");
        }
    }
}

#[test]
fn a_cluster_that_is_not_there_is_no_answer_at_once() {
    let clock = VirtualClock::default();
    for (mode, wanted) in [("deny", 500), ("allow", 200)] {
        let document =
            document(json!({"cluster": "nowhere", "failureMode": mode}), &json!({"quota": {"limit": 1, "period": "DAY"}}));
        let mut host = gateway(&document, &clock, Stub::hang());
        let outcome = host.send(get());
        assert_eq!((outcome.response.status(), outcome.took), (wanted, Duration::ZERO));
    }
}

#[test]
fn the_document_says_how_long_an_answer_may_take() {
    let clock = VirtualClock::default();
    let counter = Service::new(&clock);
    for (millis, wanted) in [(250, 200), (249, 500)] {
        let document =
            document(json!({"cluster": "counter", "timeoutMillis": millis}), &json!({"quota": {"limit": 9, "period": "DAY"}}));
        let mut host = gateway(&document, &clock, counter.stub().after(Duration::from_millis(250)));
        assert_eq!(host.send(get()).response.status(), wanted, "{millis} ms");
    }
}

#[test]
fn a_body_that_comes_meanwhile_is_forwarded_whole_and_once() {
    let clock = VirtualClock::default();
    let counter = Service::new(&clock);
    let plan = json!({"throttle": {"rateLimit": 100, "burstLimit": 100}, "quota": {"limit": 1000, "period": "DAY"}});
    let mut host = gateway(&document(service(), &plan), &clock, counter.stub().after(Duration::from_millis(50)));
    let stream = host.open(Request::new("POST", "/prod/pets").header("x-api-key", KEY).chunk("one ").open_ended());
    host.advance(Duration::from_millis(60));
    host.send_data(stream, "two ", false);
    host.advance(Duration::from_millis(60));
    host.send_data(stream, "three", true);
    host.advance(Duration::from_millis(60));
    assert_eq!(host.response(stream).status(), 200);
    let requests = host.take_upstream_requests();
    let forwarded: Vec<_> = requests.iter().filter(|request| !request.callout).map(|request| request.body.clone()).collect();
    assert_eq!(forwarded, ["one two three"]);
}

#[test]
fn a_client_that_goes_away_meanwhile_leaves_nothing_behind() {
    let clock = VirtualClock::default();
    let counter = Service::new(&clock);
    let document = document(service(), &json!({"quota": {"limit": 9, "period": "DAY"}}));
    let mut host = gateway(&document, &clock, counter.stub().after(Duration::from_millis(50)));
    let stream = host.open(get());
    host.abort(stream);
    host.advance(Duration::from_secs(1));
    assert_eq!(host.worker().open_streams(), 0);
    assert_eq!(answer(&host.send(get())), (200, "hello".to_owned()));
}

#[test]
fn clients_are_told_of_the_nearest_limit_where_the_document_says_so() {
    let clock = VirtualClock::default();
    let counter = Service::new(&clock);
    let plan = json!({"throttle": {"rateLimit": 10, "burstLimit": 20}, "quota": {"limit": 2, "period": "DAY"}});
    let told = |outcome: &Outcome| {
        ["limit", "remaining", "reset"].map(|name| outcome.response.header(&format!("x-ratelimit-{name}")).map(str::to_owned))
    };
    let loud = json!({"cluster": "counter", "enableXRatelimitHeaders": "DRAFT_VERSION_03"});
    let mut host = gateway(&document(loud, &plan), &clock, counter.stub());
    let reset = 86_400 - clock.wall().as_secs() % 86_400;
    for (status, remaining) in [(200, 1), (200, 0), (429, 0)] {
        let outcome = host.send(get());
        assert_eq!(outcome.response.status(), status);
        let wanted = ["2, 20;w=1, 620;w=60, 2;w=86400".to_owned(), remaining.to_string(), reset.to_string()];
        assert_eq!(told(&outcome), wanted.map(Some));
    }
    let mut host = gateway(&document(service(), &plan), &clock, says(b"\x08\x01"));
    assert_eq!(told(&host.send(get())), [Some("of the backend".to_owned()), None, None]);
}

#[test]
fn two_questions_cost_few_host_calls() {
    let clock = VirtualClock::default();
    let counter = Service::new(&clock);
    let plan = json!({"throttle": {"rateLimit": 100, "burstLimit": 100}, "quota": {"limit": 1000, "period": "DAY"}});
    let mut host = gateway(&document(service(), &plan), &clock, counter.stub());
    host.send(get());
    let outcome = host.send(get());
    assert_eq!((outcome.response.status(), outcome.callouts().len()), (200, 2));
    let calls = outcome.total_host_calls();
    say(&format!("throttle and quota of a service: {calls} host calls {:?}, {} fuel\n", outcome.host_calls, outcome.fuel));
    assert!(calls <= HOST_CALLS, "{:?}", outcome.host_calls);
}
