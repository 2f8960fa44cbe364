//! The bytes were written by the Python classes that protoc makes of Envoy's own `.proto` files (PyPI `xds-protos` 1.85.0), which
//! share nothing with this module.

use super::descriptor::Unit;
use super::*;
use crate::flow::NoReply;
use crate::http::{Headers, Response, ResponseHead};
use crate::platform::Version;
use crate::usage::quota::{Period, Quota};
use crate::usage::throttle::Throttle;
use crate::usage::{Exceeded, Place};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};

/// A clock and a log.
#[derive(Default)]
struct Host {
    nanos: Cell<u64>,
    logs: RefCell<Vec<String>>,
}

impl Platform for Host {
    fn now_millis(&self) -> u64 {
        0
    }
    fn monotonic_nanos(&self) -> u64 {
        self.nanos.get()
    }
    fn random(&mut self) -> [u8; 16] {
        [0; 16]
    }
    fn source_address(&self) -> Option<String> {
        None
    }
    fn response_code_details(&self) -> Option<String> {
        None
    }
    fn request_body(&self) -> Vec<u8> {
        Vec::new()
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
    fn log(&self, level: Level, message: &str) {
        assert_eq!(level, Level::Warn);
        self.logs.borrow_mut().push(message.to_owned());
    }
}

/// 2026-11-21T07:00:00Z, a Saturday.
const NOW: u64 = 1_795_244_400;

fn read(value: &Value) -> (Option<RateLimitService>, Vec<String>) {
    let mut problems = Problems::default();
    let service = RateLimitService::read(&Node::root(value), &mut problems);
    (service, problems.into_vec().iter().map(ToString::to_string).collect())
}

fn service(value: &Value) -> RateLimitService {
    read(value).0.expect("a service")
}

fn quota(limit: u64, period: Period) -> Quota {
    Quota { limit, offset: 0, period }
}

fn monthly() -> Limits {
    Limits::quota("gold", "ann", quota(1000, Period::Month), NOW)
}

fn throttle() -> Limits {
    Limits::throttle("gold", "ann", Throttle::new(10.0, 20))
}

fn place() -> Place {
    Place { api: "pets".to_owned(), stage: "prod".to_owned(), method: "/pets/GET".to_owned() }
}

fn message(service: &RateLimitService, limits: &Limits) -> Vec<u8> {
    match service.question(limits).question {
        Question::Grpc { message, .. } => message,
        Question::Http { .. } => panic!("no gRPC"),
    }
}

fn answered(service: &RateLimitService, limits: &Limits, body: &[u8], host: &Host) -> Answer {
    service.answer(limits, Ok(Response { head: ResponseHead::default(), body: body.to_vec() }), host)
}

/// The headers that a client would get, or that the answer is none.
fn told(limits: &Limits, body: &[u8]) -> Option<[String; 3]> {
    let service = service(&json!({"cluster": "c", "enableXRatelimitHeaders": "DRAFT_VERSION_03"}));
    let (Answer::Within(Some(facts)) | Answer::Exceeded(Some(facts))) = answered(&service, limits, body, &Host::default()) else {
        return None;
    };
    let mut headers = Headers::new();
    facts.write(&mut headers);
    let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value).into_owned()).expect("a header");
    Some(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"].map(text))
}

/// RateLimitResponse { overall_code: OK, statuses: { 20 a SECOND, 19 remain, 1 s }, { 620 a MINUTE, named `n`, 7 remain, 42.000000005 s } }
const WITHIN: &[u8] =
    b"\x08\x01\x12\x0e\x08\x01\x12\x04\x08\x14\x10\x01\x18\x13\x22\x02\x08\x01\x12\x14\x08\x01\x12\x08\x08\xec\x04\
      \x10\x02\x1a\x01n\x18\x07\x22\x04\x08*\x10\x05";

/// RateLimitResponse { overall_code: OVER_LIMIT, statuses: { 1000 a YEAR, 0 remain, 3456000 s } }
const OVER: &[u8] = b"\x08\x02\x12\x10\x08\x02\x12\x05\x08\xe8\x07\x10\x06\x22\x05\x08\x80\xf8\xd2\x01";

/// RateLimitResponse { overall_code: OK, statuses: { code: OK }, { code: OK } }
const NO_LIMIT: &[u8] = b"\x08\x01\x12\x02\x08\x01\x12\x02\x08\x01";

#[test]
fn defaults_are_those_of_the_document_format() {
    let (service, told) = read(&json!({"cluster": "c"}));
    let service = service.expect("a service");
    assert!(told.is_empty(), "{told:?}");
    assert_eq!((service.domain.as_str(), service.timeout_millis), ("tollgate", 100));
    assert!(!service.fails_open() && !service.tells_client);
    let callout = service.question(&throttle());
    assert_eq!((callout.cluster.as_str(), callout.timeout_millis), ("c", 100));
    assert!(matches!(
        callout.question,
        Question::Grpc { service: "envoy.service.ratelimit.v3.RateLimitService", method: "ShouldRateLimit", .. }
    ));
}

#[test]
fn a_name_has_from_1_to_120_bytes() {
    for (length, is_one) in [(0, false), (1, true), (120, true), (121, false)] {
        assert_eq!(read(&json!({"cluster": "c".repeat(length)})).0.is_some(), is_one, "{length}");
    }
}

#[test]
fn everything_is_read() {
    let service = service(&json!({"cluster": "c", "domain": "shop", "timeoutMillis": 10_000, "failureMode": "allow",
        "enableXRatelimitHeaders": "DRAFT_VERSION_03"}));
    assert_eq!((service.cluster(), service.domain(), service.timeout_millis), ("c", "shop", 10_000));
    assert!(service.fails_open() && service.tells_client);
}

#[test]
fn each_mistake_is_told_once_with_its_place() {
    let long = "x".repeat(121);
    for (value, wanted) in [
        (json!("c"), "$: expected an object"),
        (json!([]), "$: expected an object"),
        (json!({}), "$: no `cluster`; help: write `rateLimitService: {cluster: NAME}`"),
        (json!({"cluster": null}), "$: no `cluster`"),
        (json!({"cluster": ""}), "$.cluster: a name has from 1 to 120 bytes, and this one 0"),
        (json!({"cluster": long}), "$.cluster: a name has from 1 to 120 bytes, and this one 121"),
        (json!({"cluster": 1}), "$.cluster: expected a string"),
        (json!({"cluster": "c", "domain": ""}), "$.domain: a name has"),
        (json!({"cluster": "c", "timeoutMillis": 0}), "$.timeoutMillis: expected a whole number from 1 to 10000"),
        (json!({"cluster": "c", "timeoutMillis": 10_001}), "$.timeoutMillis: expected a whole number from 1 to 10000"),
        (json!({"cluster": "c", "timeoutMillis": "20ms"}), "$.timeoutMillis: expected a whole number from 1 to 10000"),
        (
            json!({"cluster": "c", "failureMode": "open"}),
            "$.failureMode: `open` is not known here; help: use one of `deny`, `allow`",
        ),
        (json!({"cluster": "c", "failureMode": true}), "$.failureMode: expected a string"),
        (json!({"cluster": "c", "enableXRatelimitHeaders": true}), "$.enableXRatelimitHeaders: expected a string"),
        (json!({"cluster": "c", "enableXRatelimitHeaders": "ON"}), "$.enableXRatelimitHeaders: `ON` is not known here"),
    ] {
        let (service, told) = read(&value);
        assert!(service.is_none(), "{value}");
        assert!(told.len() == 1 && told[0].starts_with(wanted), "{value}: {told:?}");
    }
    let (_, told) = read(&json!({"cluster": "c", "timeout": 1}));
    assert!(told[0].starts_with("$.timeout: unknown key `timeout`"), "{told:?}");
}

#[test]
fn a_quota_is_one_descriptor_that_names_its_period() {
    let month =
        b"\x0a\x08tollgate\x12^\x0a\x0e\x0a\x05limit\x12\x05quota\x0a\x0c\x0a\x04plan\x12\x04gold\x0a\x0a\x0a\x03key\x12\x03ann\
          \x0a\x0f\x0a\x06period\x12\x05MONTH\x0a\x1a\x0a\x0cperiod_start\x12\x0a2026-11-01\x12\x05\x08\xe8\x07\x10\x06\x18\x01";
    assert_eq!(message(&service(&json!({"cluster": "c"})), &monthly()), month);
    for (period, start, unit) in [
        (Period::Day, "2026-11-21", Unit::Day),
        (Period::Week, "2026-11-15", Unit::Year),
        (Period::Month, "2026-11-01", Unit::Year),
    ] {
        let limits = Limits::quota("gold", "ann", quota(5, period), NOW);
        let descriptor = &limits.descriptors[0];
        assert_eq!((descriptor.unit, descriptor.limit, limits.descriptors.len()), (unit, 5, 1));
        assert_eq!(descriptor.entries.last(), Some(&("period_start", start.to_owned())));
        assert_eq!(limits.exceeded, Exceeded::Quota);
    }
}

#[test]
fn a_throttle_is_two_windows_that_are_asked_together() {
    let plan = b"\x0a\x08tollgate\x12E\x0a\x11\x0a\x05limit\x12\x08throttle\x0a\x0c\x0a\x04plan\x12\x04gold\x0a\x0a\x0a\x03key\x12\x03ann\
          \x0a\x10\x0a\x06window\x12\x06second\x12\x04\x08\x14\x10\x01\x12F\x0a\x11\x0a\x05limit\x12\x08throttle\x0a\x0c\x0a\x04plan\
          \x12\x04gold\x0a\x0a\x0a\x03key\x12\x03ann\x0a\x10\x0a\x06window\x12\x06minute\x12\x05\x08\xec\x04\x10\x02\x18\x01";
    assert_eq!(message(&service(&json!({"cluster": "c"})), &throttle()), plan);
    let method = b"\x0a\x04shop\x12v\x0a\x11\x0a\x05limit\x12\x08throttle\x0a\x0c\x0a\x04plan\x12\x04gold\x0a\x0a\x0a\x03key\x12\x03ann\
          \x0a\x0b\x0a\x03api\x12\x04pets\x0a\x0d\x0a\x05stage\x12\x04prod\x0a\x13\x0a\x06method\x12\x09/pets/GET\x0a\x10\x0a\x06window\
          \x12\x06second\x12\x04\x08\x03\x10\x01\x12v\x0a\x11\x0a\x05limit\x12\x08throttle\x0a\x0c\x0a\x04plan\x12\x04gold\x0a\x0a\x0a\
          \x03key\x12\x03ann\x0a\x0b\x0a\x03api\x12\x04pets\x0a\x0d\x0a\x05stage\x12\x04prod\x0a\x13\x0a\x06method\x12\x09/pets/GET\
          \x0a\x10\x0a\x06window\x12\x06minute\x12\x04\x08\x5c\x10\x02\x18\x01";
    let limits = Limits::method_throttle("gold", "ann", &place(), Throttle::new(1.5, 2));
    let [second, minute] = [0, 1].map(|index| limits.descriptors[index].limit);
    assert_eq!((second, minute), (2, 92), "1.5 a second, rounded up; 90 a minute, and the burst");
    let limits = Limits::method_throttle("gold", "ann", &place(), Throttle::new(1.5, 3));
    assert_eq!(limits.descriptors[0].limit, 3, "a burst passes in one second");
    let limits = Limits::method_throttle("gold", "ann", &place(), Throttle::new(1.48, 3));
    assert_eq!(message(&service(&json!({"cluster": "c", "domain": "shop"})), &limits), method, "88.8 a minute, rounded up");
}

#[test]
fn what_has_more_than_32_bits_is_as_much_as_they_hold_and_nothing_is_never_asked() {
    assert!(!monthly().allow_nothing() && !throttle().allow_nothing());
    assert!(Limits::quota("gold", "ann", quota(0, Period::Day), NOW).allow_nothing());
    assert!(Limits::throttle("gold", "ann", Throttle::new(0.0, 0)).allow_nothing());
    let fast = Limits::throttle("gold", "ann", Throttle::new(1e9, u32::MAX));
    assert_eq!([0, 1].map(|index| fast.descriptors[index].limit), [u32::MAX; 2]);
}

#[test]
fn the_nearest_limit_is_told_to_clients_that_are_told() {
    assert_eq!(told(&throttle(), WITHIN), Some(["620, 20;w=1, 620;w=60", "7", "42"].map(str::to_owned)));
    let host = Host::default();
    let quiet = service(&json!({"cluster": "c"}));
    assert_eq!(answered(&quiet, &throttle(), WITHIN, &host), Answer::Within(None));
    assert_eq!(answered(&quiet, &monthly(), OVER, &host), Answer::Exceeded(None));
    assert!(host.logs.borrow().is_empty());
}

#[test]
fn a_quota_is_told_by_its_period_and_not_by_the_window_that_contains_it() {
    let days = |days: u64| days * 86_400;
    let left = days(10) - 7 * 3600;
    assert_eq!(told(&monthly(), OVER), Some([format!("1000, 1000;w={}", days(30)), "0".to_owned(), left.to_string()]));
    let weekly = Limits::quota("gold", "ann", quota(1000, Period::Week), NOW);
    let left = days(1) - 7 * 3600;
    assert_eq!(told(&weekly, OVER), Some([format!("1000, 1000;w={}", days(7)), "0".to_owned(), left.to_string()]));
}

#[test]
fn a_time_that_is_over_and_a_unit_that_nobody_knows_are_not_told() {
    // RateLimitResponse { overall_code: OK, statuses: { 5 an UNKNOWN, 4 remain, -3 s } }
    let odd = b"\x08\x01\x12\x15\x08\x01\x12\x02\x08\x05\x18\x04\x22\x0b\x08\xfd\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    assert_eq!(told(&throttle(), odd), Some(["5", "4", "0"].map(str::to_owned)));
}

#[test]
fn fields_of_no_interest_are_stepped_over() {
    // RateLimitResponse { overall_code: OK, response_headers_to_add, request_headers_to_add, raw_body, dynamic_metadata, quota }
    let everything =
        b"\x08\x01\x1a\x06\x0a\x01x\x12\x01y\x22\x06\x0a\x01x\x12\x01y*\x04body2\x10\x0a\x0e\x0a\x01a\x12\x09\x11\x00\x00\x00\
          \x00\x00\x00\xf8?:\x05\x08\x01\x1a\x01q";
    let host = Host::default();
    assert_eq!(answered(&service(&json!({"cluster": "c"})), &throttle(), everything, &host), Answer::Within(None));
    assert!(host.logs.borrow().is_empty(), "Limitador sends no statuses: that is not to count nothing");
}

#[test]
fn a_service_that_knows_no_limit_is_told_of() {
    let host = Host::default();
    assert_eq!(answered(&service(&json!({"cluster": "c"})), &throttle(), NO_LIMIT, &host), Answer::Within(None));
    let line = "the rate limit service of cluster `c` counts nothing: does it know the domain `tollgate`?";
    assert_eq!(*host.logs.borrow(), [line]);
}

#[test]
fn what_says_neither_yes_nor_no_is_no_answer() {
    let service = service(&json!({"cluster": "c"}));
    let huge = [OVER, b"*\xff\xff\x07", &vec![b'x'; 0x1_ffff]].concat();
    let crowd = [&b"\x08\x01"[..], &b"\x12\x02\x08\x01".repeat(16_000)].concat();
    // Code UNKNOWN, code 3, no message, half a message, a group, a status that is none, nothing at all.
    for body in [&b"\x12\x02\x08\x01"[..], b"\x08\x03", b"<html>", &OVER[..9], b"\x0b", b"\x08\x01\x12\x01\x08", b"", &huge] {
        assert_eq!(answered(&service, &throttle(), body, &Host::default()), Answer::None, "{:?}", &body[..body.len().min(16)]);
    }
    // 16,000 statuses in the place of two: what nobody asked for nobody looks at.
    let said = Said::read(&crowd, 2).expect("an answer");
    assert_eq!(said, Said::read(NO_LIMIT, 2).expect("an answer"));
}

#[test]
fn cut_off_anywhere_an_answer_is_none_or_says_what_it_said_so_far() {
    for length in 0..WITHIN.len() {
        // After the code, and after each status, stands a whole message.
        let whole = [2, 18].contains(&length);
        assert_eq!(Said::read(&WITHIN[..length], 2).is_some(), whole, "{length}");
    }
}

#[test]
fn a_service_that_is_down_costs_one_line_a_second() {
    let service = service(&json!({"cluster": "c", "failureMode": "allow"}));
    let host = Host::default();
    let second = 1_000_000_000;
    for (nanos, lines) in [(5 * second, 1), (5 * second, 1), (6 * second - 1, 1), (6 * second, 2), (6 * second + 1, 2)] {
        host.nanos.set(nanos);
        assert_eq!(service.answer(&throttle(), Err(NoReply), &host), Answer::None);
        assert_eq!(host.logs.borrow().len(), lines, "{nanos}");
    }
    let line = "the rate limit service of cluster `c` does not answer: requests pass uncounted";
    assert_eq!(*host.logs.borrow(), [line; 2]);
}
