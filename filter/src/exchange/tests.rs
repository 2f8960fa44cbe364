//! Requests that a rate limit service has a say in, from their first event to their answer.

use super::*;
use crate::authorizer::Guard;
use crate::context::{RouteFacts, StageFacts};
use crate::definition::{Node, Protocol};
use crate::flow::{NoReply, Question};
use crate::gateway::Api;
use crate::gateway_response::{Failure, GatewayResponses};
use crate::http::ResponseHead;
use crate::integration::Integration;
use crate::metrics::Series;
use crate::platform::{Level, Version};
use crate::problem::Problems;
use crate::route::{Pattern, RouteTable, Verb};
use crate::usage::{
    Key, KeyDemand, KeyRing, KeySource, Lease, Leases, Membership, Meter, Period, Place, Plan, PlanStage, Quota, RateLimitService,
    Table, Throttle, Usage,
};
use crate::validation::Validation;
use hmac_sha256::Hash;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;

/// A host with one worker, at 2026-11-21T07:00:00Z.
#[derive(Default)]
struct Host {
    shared: RefCell<HashMap<String, (Vec<u8>, u32)>>,
}

impl Platform for Host {
    fn now_millis(&self) -> u64 {
        1_795_244_400_000
    }
    fn monotonic_nanos(&self) -> u64 {
        7_000_000_000
    }
    fn random(&mut self) -> [u8; 16] {
        [7; 16]
    }
    fn source_address(&self) -> Option<String> {
        None
    }
    fn response_code_details(&self) -> Option<String> {
        Some("via_upstream".to_owned())
    }
    fn request_body(&self) -> Vec<u8> {
        Vec::new()
    }
    fn verify_signature(&self, _: &str, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }
    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.shared.borrow().get(key).cloned()
    }
    fn set_shared_data(&self, key: &str, value: &[u8], version: Version) -> bool {
        let mut shared = self.shared.borrow_mut();
        let now = shared.get(key).map(|(_, version)| *version);
        let fits = match version {
            Version::Any => true,
            Version::Missing => now.is_none(),
            Version::Is(wanted) => now == Some(wanted),
        };
        if fits {
            shared.insert(key.to_owned(), (value.to_vec(), now.unwrap_or(0) + 1));
        }
        fits
    }
    fn log(&self, _: Level, _: &str) {}
}

/// Forwards what it gets, once it has the whole body.
#[derive(Debug)]
struct Backend;

impl Integration for Backend {
    fn needs_body(&self, _: &Context) -> bool {
        true
    }
    fn request(&self, admitted: &Admitted, _: &dyn Platform) -> Result<IntegrationRequest, Failure> {
        Ok(IntegrationRequest::Forward(admitted.context().request.clone()))
    }
    fn response(&self, _: &Context, head: ResponseHead, _: &dyn Platform) -> ResponseHead {
        head
    }
    fn summary(&self) -> String {
        String::new()
    }
}

/// A gateway with `POST /s/pets`, which wants the key `secret`, and everything that counts there.
struct Case {
    host: Host,
    gateway: Arc<Gateway>,
    /// Of the key, and of the stage: what this Envoy counts itself.
    meters: Vec<Arc<Lease>>,
}

/// One request.
struct Run<'a> {
    exchange: Exchange,
    case: &'a mut Case,
}

const BURST: u32 = 5;

/// RateLimitResponse { overall_code: OK }
const OK: &[u8] = b"\x08\x01";

/// RateLimitResponse { overall_code: OVER_LIMIT }
const OVER_LIMIT: &[u8] = b"\x08\x02";

// === impl Case ===

impl Case {
    fn new(service: &Value) -> Self {
        let quota = Quota { limit: 1000, offset: 0, period: Period::Month };
        Self::with(
            service,
            Plan { name: "gold".to_owned(), throttle: throttle(), quota: Some(quota), stages: Table::default() },
            None,
        )
    }

    /// `method`: the throttle that the method has of its own on the plan.
    fn with(service: &Value, mut plan: Plan, method: Option<Throttle>) -> Self {
        let place = Place { api: "pets".to_owned(), stage: "s".to_owned(), method: "/pets/POST".to_owned() };
        let mut methods = Table::default();
        if let Some(throttle) = method {
            methods.insert(&place.method, throttle);
        }
        let stage = PlanStage { api: place.api.clone(), stage: place.stage.clone(), methods };
        plan.stages.insert(stage.name(), stage);
        let leases = Arc::<Leases>::default();
        let membership = Membership::new(Arc::new(plan), "ann", &leases);
        let of_stage = Lease::new(Meter { slot: "stage".to_owned(), throttle: throttle(), quota: None }, &leases);
        let meters = vec![Arc::clone(&membership.both), Arc::clone(&of_stage)];
        let mut keys = KeyRing::default();
        keys.insert(Key {
            name: "ann".to_owned(),
            id: "id".to_owned(),
            digest: Hash::hash(b"secret"),
            enabled: true,
            memberships: vec![membership],
        });
        let mut problems = Problems::default();
        let service = RateLimitService::read(&Node::root(service), &mut problems);
        assert!(problems.into_vec().is_empty());
        let key = KeyDemand { source: KeySource::Header, keys: Arc::new(keys), place, service: service.map(Arc::new) };
        let route = Route {
            method: "POST",
            facts: Arc::new(RouteFacts::default()),
            guard: Guard::default(),
            usage: Usage { key: Some(Box::new(key)), meters: vec![of_stage] },
            validation: Validation::default(),
            integration: Box::new(Backend),
            streams: false,
            series: None,
            execution_log: None,
        };
        let mut table = RouteTable::new(Protocol::Rest);
        let route = Arc::new(route);
        let pattern = Pattern::parse("/pets").unwrap_or_else(|_| panic!("a pattern"));
        assert!(table.insert(pattern, Verb::Method("POST"), 0).is_ok());
        let api =
            Api { name: "pets".to_owned(), protocol: Protocol::Rest, gateway_responses: GatewayResponses::default(), cors: None };
        let facts = Arc::new(StageFacts { stage: "s".to_owned(), ..StageFacts::default() });
        let mut gateway = Gateway::default();
        let stage = Stage {
            api: Arc::new(api),
            facts,
            base_path: "/s".to_owned(),
            hosts: Vec::new(),
            series: Series::new(Protocol::Rest, &[("Stage", "s")]),
            access_log: None,
            table,
            routes: vec![route],
        };
        assert!(gateway.insert(stage));
        Self { host: Host::default(), gateway: Arc::new(gateway), meters }
    }

    /// A request with an API key, whose body is still to come, and what the gateway does first.
    fn begin(&mut self, key: &str) -> (Run<'_>, Effect) {
        let mut run = Run { exchange: Exchange::new(Arc::clone(&self.gateway)), case: self };
        let pairs = [(":method", "POST"), (":path", "/s/pets"), (":authority", "h"), (":scheme", "http"), ("x-api-key", key)];
        let pairs = pairs.map(|(name, value)| (name, value.as_bytes()));
        let effect = run.on(Event::RequestHead { head: RequestHead::from_pairs(pairs), end: false });
        (run, effect)
    }

    /// What is left of each bucket of this Envoy.
    fn left(&self) -> Vec<u64> {
        let shared = self.host.shared.borrow();
        let left = |meter: &Arc<Lease>| {
            let state = meter.state(shared.get(&meter.slot).map(|(bytes, _)| bytes.as_slice()));
            let throttle = meter.throttle?;
            Some(state.bucket.map_or(u64::from(throttle.burst()), |bucket| bucket.available(throttle, self.host.monotonic_nanos())))
        };
        self.meters.iter().filter_map(left).collect()
    }
}

// === impl Run ===

impl Run<'_> {
    fn on(&mut self, event: Event) -> Effect {
        self.exchange.on(event, &mut self.case.host)
    }

    /// The service answers these bytes, or nothing.
    fn answered(&mut self, ticket: Ticket, answer: Option<&[u8]>) -> Effect {
        let outcome = answer.map(|body| Response { head: ResponseHead::default(), body: body.to_vec() }).ok_or(NoReply);
        self.on(Event::CalloutDone { ticket, outcome })
    }

    /// The body arrives and ends, and the backend answers 200.
    fn finish(&mut self) -> ResponseHead {
        assert!(matches!(self.on(Event::RequestBody { size: 3, end: true }), Effect::Forward(_)));
        match self.on(Event::ResponseHead { head: ResponseHead { status: 200, ..ResponseHead::default() }, end: true }) {
            Effect::Relay(head) => head,
            other => panic!("no answer: {other:?}"),
        }
    }
}

fn throttle() -> Option<Throttle> {
    Some(Throttle::new(10.0, BURST))
}

/// What is asked: the ticket, and the first entry's value of the message, which names the limit.
fn asked(effect: &Effect) -> (Ticket, &'static str) {
    let Effect::Call(ticket, Callout { cluster, question: Question::Grpc { message, .. }, timeout_millis: 100 }) = effect else {
        panic!("nothing is asked: {effect:?}");
    };
    assert_eq!(cluster, "counter");
    let names = |what: &[u8]| message.windows(what.len()).any(|window| window == what);
    assert!(names(b"gold") && names(b"ann") && !names(b"secret"), "a question has names, and no key");
    let found = ["quota", "throttle"].into_iter().find(|limit| names(limit.as_bytes()));
    (*ticket, found.unwrap_or("neither"))
}

fn refused(effect: &Effect) -> (u16, String) {
    match effect {
        Effect::Reply(response) => (response.head.status, String::from_utf8_lossy(&response.body).into_owned()),
        other => panic!("no refusal: {other:?}"),
    }
}

fn service() -> Value {
    json!({"cluster": "counter"})
}

#[test]
fn the_throttle_is_asked_then_the_quota_and_then_the_request_goes_on() {
    let mut case = Case::new(&service());
    let (mut run, effect) = case.begin("secret");
    let (ticket, limit) = asked(&effect);
    assert_eq!(limit, "throttle");
    let effect = run.answered(ticket, Some(OK));
    let (ticket, limit) = asked(&effect);
    assert_eq!(limit, "quota");
    assert_eq!(run.answered(ticket, Some(OK)), Effect::Hold, "the integration waits for the body");
    let head = run.finish();
    assert!(!head.headers.contains("x-ratelimit-limit"), "clients are told nothing unless the document says so");
    assert_eq!(case.left(), [u64::from(BURST) - 1; 2], "each Envoy counts its own bucket, too");
}

#[test]
fn a_throttled_request_is_not_asked_for_the_quota() {
    let mut case = Case::new(&service());
    let (mut run, effect) = case.begin("secret");
    let (ticket, _) = asked(&effect);
    let refusal = run.answered(ticket, Some(OVER_LIMIT));
    assert_eq!(refused(&refusal), (429, r#"{"message":"Too Many Requests"}"#.to_owned()));
    assert_eq!(case.left(), [u64::from(BURST); 2], "what is refused counts nowhere here");
}

#[test]
fn a_request_beyond_the_quota_is_refused_as_such_and_gives_its_tokens_back() {
    let mut case = Case::new(&service());
    let (mut run, effect) = case.begin("secret");
    let (ticket, _) = asked(&effect);
    let effect = run.answered(ticket, Some(OK));
    let (ticket, _) = asked(&effect);
    let refusal = run.answered(ticket, Some(OVER_LIMIT));
    assert_eq!(refused(&refusal), (429, r#"{"message":"Limit Exceeded"}"#.to_owned()));
    assert_eq!(case.left(), [u64::from(BURST); 2]);
}

#[test]
fn without_an_answer_a_request_is_refused_and_counts_nowhere() {
    for (answer, first) in [(None, true), (Some(&b"\x08\x00"[..]), true), (Some(b"\xff"), true), (None, false), (Some(b""), false)]
    {
        let mut case = Case::new(&json!({"cluster": "counter", "failureMode": "deny"}));
        let (mut run, mut effect) = case.begin("secret");
        if !first {
            let (ticket, _) = asked(&effect);
            effect = run.answered(ticket, Some(OK));
        }
        let (ticket, _) = asked(&effect);
        let refusal = run.answered(ticket, answer);
        assert_eq!(refused(&refusal), (500, r#"{"message":"Internal server error"}"#.to_owned()), "{answer:?}");
        assert_eq!(case.left(), [u64::from(BURST); 2]);
    }
}

#[test]
fn without_an_answer_a_request_passes_where_the_document_says_so_and_nobody_is_asked_twice() {
    let mut case = Case::new(&json!({"cluster": "counter", "failureMode": "allow"}));
    let (mut run, effect) = case.begin("secret");
    let (ticket, limit) = asked(&effect);
    assert_eq!(limit, "throttle");
    assert_eq!(run.answered(ticket, None), Effect::Hold);
    assert_eq!(run.finish().status, 200);
    assert_eq!(case.left(), [u64::from(BURST) - 1; 2], "this Envoy's own throttles hold all the same");
}

#[test]
fn answers_that_come_late_twice_or_to_nothing_change_nothing() {
    let mut case = Case::new(&service());
    let (mut run, effect) = case.begin("secret");
    let (first, _) = asked(&effect);
    assert_eq!(run.answered(Ticket(first.0 + 1), Some(OVER_LIMIT)), Effect::Hold, "nobody asked that");
    let effect = run.answered(first, Some(OK));
    let (second, _) = asked(&effect);
    assert_eq!(run.answered(first, Some(OVER_LIMIT)), Effect::Hold, "that was answered");
    assert_eq!(run.answered(second, Some(OK)), Effect::Hold);
    assert_eq!(run.answered(second, Some(OVER_LIMIT)), Effect::Hold);
    assert_eq!(run.finish().status, 200);
    assert_eq!(run.answered(second, None), Effect::Hold);
    assert_eq!(case.left(), [u64::from(BURST) - 1; 2]);
}

#[test]
fn the_body_that_arrives_meanwhile_is_held() {
    let mut case = Case::new(&service());
    let (mut run, effect) = case.begin("secret");
    let (ticket, _) = asked(&effect);
    assert_eq!(run.on(Event::RequestBody { size: 3, end: false }), Effect::Hold);
    let effect = run.answered(ticket, Some(OK));
    let (ticket, _) = asked(&effect);
    assert_eq!(run.on(Event::RequestBody { size: 6, end: true }), Effect::Hold);
    assert!(matches!(run.answered(ticket, Some(OK)), Effect::Forward(_)), "it is whole, and nothing more is waited for");
}

#[test]
fn a_body_that_is_too_large_meanwhile_is_refused_and_a_late_answer_changes_nothing() {
    let mut case = Case::new(&service());
    let (mut run, effect) = case.begin("secret");
    let (ticket, _) = asked(&effect);
    assert_eq!(refused(&run.on(Event::RequestBody { size: PAYLOAD_LIMIT + 1, end: false })).0, 413);
    assert_eq!(run.answered(ticket, Some(OK)), Effect::Hold);
    assert_eq!(case.left(), [u64::from(BURST); 2], "it reached nobody, and counts nowhere here");
}

#[test]
fn a_request_that_the_proxy_answers_meanwhile_counts_nowhere_here() {
    for asked_before in [0, 1] {
        let mut case = Case::new(&service());
        let (mut run, mut effect) = case.begin("secret");
        for _ in 0..asked_before {
            let (ticket, _) = asked(&effect);
            effect = run.answered(ticket, Some(OK));
        }
        let (ticket, _) = asked(&effect);
        let timeout = ResponseHead { status: 408, ..ResponseHead::default() };
        assert!(matches!(run.on(Event::ResponseHead { head: timeout, end: true }), Effect::Relay(_)));
        assert_eq!(run.answered(ticket, Some(OK)), Effect::Hold, "too late");
        assert_eq!(case.left(), [u64::from(BURST); 2]);
    }
}

#[test]
fn a_request_that_is_broken_off_meanwhile_counts_nowhere_here_and_is_over() {
    let mut case = Case::new(&service());
    let (mut run, effect) = case.begin("secret");
    let (ticket, _) = asked(&effect);
    // Without an access log, too: who looks at requests changes nothing.
    run.exchange.close(&run.case.host);
    assert!(run.exchange.is_over());
    assert_eq!(run.answered(ticket, Some(OK)), Effect::Hold, "nobody waits for it any more");
    assert_eq!(case.left(), [u64::from(BURST); 2]);
}

#[test]
fn nobody_is_asked_about_a_key_that_does_not_count() {
    let mut case = Case::new(&service());
    for key in ["wrong", ""] {
        let (_, effect) = case.begin(key);
        assert_eq!(refused(&effect), (403, r#"{"message":"Forbidden"}"#.to_owned()));
    }
    assert!(case.host.shared.borrow().is_empty());
}

#[test]
fn nobody_is_asked_when_this_envoys_own_bucket_is_empty() {
    let mut case = Case::new(&service());
    for _ in 0..BURST {
        let (_, effect) = case.begin("secret");
        asked(&effect);
    }
    let (_, effect) = case.begin("secret");
    assert_eq!(refused(&effect), (429, r#"{"message":"Too Many Requests"}"#.to_owned()));
}

#[test]
fn nobody_is_asked_for_a_quota_of_nothing() {
    let quota = Some(Quota { limit: 0, offset: 0, period: Period::Day });
    let plan = Plan { name: "gold".to_owned(), throttle: throttle(), quota, stages: Table::default() };
    let mut case = Case::with(&service(), plan, None);
    let (_, effect) = case.begin("secret");
    assert_eq!(refused(&effect), (429, r#"{"message":"Limit Exceeded"}"#.to_owned()));
    assert_eq!(case.left(), [u64::from(BURST); 2]);
}

#[test]
fn a_plan_without_limits_asks_nothing() {
    let plan = Plan { name: "gold".to_owned(), throttle: None, quota: None, stages: Table::default() };
    let mut case = Case::with(&service(), plan, None);
    let (mut run, effect) = case.begin("secret");
    assert_eq!(effect, Effect::Hold);
    assert_eq!(run.finish().status, 200);
}

#[test]
fn the_throttle_of_a_method_is_asked_in_the_place_of_the_plans() {
    let plan = Plan { name: "gold".to_owned(), throttle: throttle(), quota: None, stages: Table::default() };
    let mut case = Case::with(&service(), plan, Some(Throttle::new(2.0, 2)));
    let (mut run, effect) = case.begin("secret");
    let Effect::Call(ticket, Callout { question: Question::Grpc { message, .. }, .. }) = &effect else {
        panic!("nothing is asked: {effect:?}");
    };
    assert!(message.windows(10).any(|window| window == b"/pets/POST"), "{message:?}");
    assert_eq!(run.answered(*ticket, Some(OK)), Effect::Hold);
}

#[test]
fn clients_are_told_of_the_nearest_limit_whatever_the_answer() {
    // RateLimitResponse { OK, statuses: { 5 a SECOND, 4 remain, 1 s }, { 605 a MINUTE, 600 remain, 42 s } }
    let within =
        b"\x08\x01\x12\x0e\x08\x01\x12\x04\x08\x05\x10\x01\x18\x04\x22\x02\x08\x01\x12\x10\x08\x01\x12\x05\x08\xdd\x04\x10\x02\
          \x18\xd8\x04\x22\x02\x08\x2a";
    // RateLimitResponse { OVER_LIMIT, statuses: { 1000 a YEAR, 0 remain } }
    let over = b"\x08\x02\x12\x07\x12\x05\x08\xe8\x07\x10\x06";
    // RateLimitResponse { OK, statuses: { 1000 a YEAR, 30 remain } }
    let ok = b"\x08\x01\x12\x09\x12\x05\x08\xe8\x07\x10\x06\x18\x1e";
    let month = 30 * 86_400;
    for (quota, first, remaining) in [(&over[..], "1000", "0"), (ok, "5", "4")] {
        let mut case = Case::new(&json!({"cluster": "counter", "enableXRatelimitHeaders": "DRAFT_VERSION_03"}));
        let (mut run, effect) = case.begin("secret");
        let (ticket, _) = asked(&effect);
        let effect = run.answered(ticket, Some(within));
        let (ticket, _) = asked(&effect);
        let head = match run.answered(ticket, Some(quota)) {
            Effect::Reply(response) => response.head,
            _ => run.finish(),
        };
        let text = |name: &str| head.headers.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
        assert_eq!(text("x-ratelimit-limit"), Some(format!("{first}, 5;w=1, 605;w=60, 1000;w={month}")));
        assert_eq!(text("x-ratelimit-remaining").as_deref(), Some(remaining));
        let reset = if remaining == "0" { 10 * 86_400 - 7 * 3600 } else { 1 };
        assert_eq!(text("x-ratelimit-reset"), Some(reset.to_string()));
        assert_eq!(head.status, if remaining == "0" { 429 } else { 200 });
    }
}
