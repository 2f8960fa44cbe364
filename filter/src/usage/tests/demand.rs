//! Requests with keys and plans: who passes, who does not, and what counts afterwards.

use super::meter::Shared;
use crate::authorizer::{Authorized, Guard, Progress as Entered};
use crate::definition::{Document, Outline, Protocol};
use crate::event::tests::{STILL, request};
use crate::flow::{NoReply, Question};
use crate::gateway_response::{Failure, ResponseType};
use crate::platform::Platform;
use crate::problem::Problems;
use crate::usage::{Asking, KeySource, Lease, Leases, Meter, Now, Period, Place, Progress, Quota, Throttle, Usage, UsagePlans};
use serde_json::{Value, json};
use std::sync::Arc;

const KEY: &str = "a value that is long enough";
const DISABLED: &str = "a value that does not count";

fn plans(plan: Value, service: Option<Value>) -> UsagePlans {
    let mut plan = plan;
    plan["usagePlanName"] = json!("gold");
    plan["apiStages"] = json!([{"api": "pets", "stage": "prod"}]);
    plan["keys"] = json!(["ann", "off"]);
    let mut document = json!({
        "apis": [{"name": "pets", "protocol": "REST", "definition": {"openapi": "3.0.1", "paths": {}}, "stages": [{"stageName": "prod"}]}],
        "apiKeys": [{"name": "ann", "id": "idann", "value": KEY}, {"name": "off", "value": DISABLED, "enabled": false}],
        "usagePlans": [plan],
    });
    if let Some(service) = service {
        document["rateLimitService"] = service;
    }
    let mut problems = Problems::default();
    let outline = Outline::from_value(&document);
    let document = Document::read(&outline, &mut problems);
    let plans = UsagePlans::read(&document, &mut problems);
    assert!(!problems.any_error(), "{:?}", problems.into_vec());
    plans
}

fn usage(plans: &UsagePlans, stage: &str, meters: &[&Arc<Lease>]) -> Usage {
    let place = Place { api: "pets".to_owned(), stage: stage.to_owned(), method: "//GET".to_owned() };
    let key = Box::new(plans.demand(KeySource::Header, place));
    Usage { key: Some(key), meters: meters.iter().map(|meter| Arc::clone(meter)).collect() }
}

fn authorized(key: Option<&str>) -> Authorized {
    let headers: Vec<_> = key.map(|key| ("x-api-key", key)).into_iter().collect();
    match Guard::default().enter(request(Protocol::Rest, "GET", "/prod/", &headers), &mut STILL.clone()) {
        Entered::Authorized(authorized) => *authorized,
        Entered::Refused(..) | Entered::Call(..) => panic!("not let in"),
    }
}

/// What a request with that key is told; nothing: it passes.
fn told(usage: &Usage, host: &Shared, key: Option<&str>) -> Option<Failure> {
    match usage.enter(authorized(key), host) {
        Progress::Admitted(admitted) => {
            let shown = admitted.context().api_key.clone().map(|facts| [facts.id, facts.value]);
            assert_eq!(shown, usage.key.as_ref().map(|_| ["idann".to_owned(), KEY.to_owned()]));
            assert_eq!(admitted.into_context().stage_path, "/");
            None
        }
        Progress::Refused(_, failure) => Some(failure),
        Progress::Call(..) => panic!("a call"),
    }
}

fn failure(response_type: ResponseType) -> Option<Failure> {
    Some(Failure::new(response_type))
}

fn meter(slot: &str, throttle: Option<Throttle>, quota: Option<Quota>) -> Arc<Lease> {
    Lease::new(Meter { slot: slot.to_owned(), throttle, quota }, &Arc::<Leases>::default())
}

#[test]
fn only_a_key_that_counts_on_a_plan_of_the_stage_lets_a_request_in() {
    let plans = plans(json!({}), None);
    assert!(plans.service().is_none());
    let host = Shared::default();
    for (stage, key, expected) in [
        ("prod", Some(KEY), None),
        ("prod", None, failure(ResponseType::InvalidApiKey)),
        ("prod", Some(""), failure(ResponseType::InvalidApiKey)),
        ("prod", Some(DISABLED), failure(ResponseType::InvalidApiKey)),
        ("prod", Some("another value that is long"), failure(ResponseType::InvalidApiKey)),
        ("beta", Some(KEY), failure(ResponseType::InvalidApiKey)),
    ] {
        assert_eq!(told(&usage(&plans, stage, &[]), &host, key), expected, "{stage} {key:?}");
    }
    assert_eq!(told(&Usage::default(), &host, None), None);
}

#[test]
fn a_caller_beyond_its_plan_is_told_which_limit_it_was() {
    for (plan, expected) in [
        (json!({"throttle": {"rateLimit": 0, "burstLimit": 2}}), ResponseType::Throttled),
        (json!({"quota": {"limit": 2, "period": "DAY"}}), ResponseType::QuotaExceeded),
    ] {
        let (plans, host) = (plans(plan, None), Shared::default());
        let usage = usage(&plans, "prod", &[]);
        let told = [(); 3].map(|()| told(&usage, &host, Some(KEY)));
        assert_eq!(told, [None, None, failure(expected)]);
    }
}

#[test]
fn a_request_that_a_later_limit_refuses_counts_nowhere() {
    let day = |limit| Some(Quota { limit, offset: 0, period: Period::Day });
    let (first, second, last) = (meter("first", None, day(9)), meter("second", None, day(9)), meter("last", None, day(1)));
    let host = Shared::default();
    let all = Usage { key: None, meters: [&first, &second, &last].map(Arc::clone).into() };
    assert_eq!(told(&all, &host, None), None);
    assert_eq!([&first, &second, &last].map(|meter| host.used(meter)), [1, 1, 1]);
    assert_eq!(told(&all, &host, None), failure(ResponseType::QuotaExceeded));
    assert_eq!([&first, &second, &last].map(|meter| host.used(meter)), [1, 1, 1]);
    // Nor with one that never asked further down.
    let turned = Usage { key: None, meters: [&last, &first].map(Arc::clone).into() };
    assert_eq!(told(&turned, &host, None), failure(ResponseType::QuotaExceeded));
    assert_eq!(host.used(&first), 1);
}

fn asked(usage: &Usage, host: &Shared) -> (Box<Asking>, Vec<u8>) {
    match usage.enter(authorized(Some(KEY)), host) {
        Progress::Call(asking, callout) => match callout.question {
            Question::Grpc { service, method, message } => {
                assert_eq!((service, method), ("envoy.service.ratelimit.v3.RateLimitService", "ShouldRateLimit"));
                (asking, message)
            }
            Question::Http { .. } => panic!("no gRPC"),
        },
        Progress::Admitted(_) => panic!("nobody was asked"),
        Progress::Refused(_, failure) => panic!("{failure:?}"),
    }
}

#[test]
fn a_service_is_asked_for_the_quota_and_its_silence_counts_nowhere() {
    for (open, passes) in [(false, false), (true, true)] {
        let service = json!({"cluster": "limits", "failureMode": if open { "allow" } else { "deny" }});
        let plans = plans(json!({"quota": {"limit": 1, "period": "DAY"}}), Some(service));
        assert!(plans.service().is_some());
        let (own, host) = (meter("own", None, Some(Quota { limit: 9, offset: 0, period: Period::Day })), Shared::default());
        let usage = usage(&plans, "prod", &[&own]);
        let (asking, message) = asked(&usage, &host);
        assert!(String::from_utf8_lossy(&message).contains("gold"));
        assert_eq!(host.used(&own), 1);
        match asking.called(Err(NoReply), &host) {
            Progress::Admitted(admitted) => assert!(passes && admitted.context().api_key.is_some()),
            Progress::Refused(_, failure) => {
                assert!(!passes);
                assert_eq!(failure.describe(), "DEFAULT_5XX: Internal server error");
            }
            Progress::Call(..) => panic!("asked twice"),
        }
        assert_eq!(host.used(&own), u64::from(passes));
        // A client that goes away while the service is asked was not served.
        let (asking, _) = asked(&usage, &host);
        assert_eq!(host.used(&own), u64::from(passes) + 1);
        asking.give_up(&host);
        assert_eq!(host.used(&own), u64::from(passes));
    }
}

#[test]
fn what_each_key_used_is_told_in_the_order_of_plans_and_names() {
    let limits = json!({"throttle": {"rateLimit": 0, "burstLimit": 3}, "quota": {"limit": 5, "period": "DAY"}});
    let (plans, host) = (plans(limits.clone(), None), Shared::default());
    let usage = usage(&plans, "prod", &[]);
    assert_eq!([(); 2].map(|()| told(&usage, &host, Some(KEY))), [None, None]);
    let now = Now { seconds: host.now_millis() / 1000, nanos: host.monotonic_nanos() };
    let rows = plans.report(now, |slot| host.shared_data(slot).map(|(bytes, _)| bytes));
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let (quota, throttle) = (row.quota.unwrap(), row.throttle.unwrap());
            (row.plan, row.key, row.enabled, [quota.limit, quota.used, quota.left()], [u64::from(throttle.burst), throttle.left])
        })
        .collect();
    assert_eq!(told, [("gold", "ann", true, [5, 2, 3], [3, 1]), ("gold", "off", false, [5, 0, 5], [3, 3])]);
    assert_eq!(plans.memberships().iter().map(|(key, _)| key.name.as_str()).collect::<Vec<_>>(), ["ann", "off"]);
    let day = rows[0].quota.unwrap();
    assert_eq!((day.period, day.end_seconds - day.start_seconds), (Period::Day, 86_400));
    // A service that counts for all Envoys is asked instead.
    let shared = self::plans(limits, Some(json!({"cluster": "limits"})));
    assert!(shared.report(now, |_| None).iter().all(|row| row.quota.is_none() && row.throttle.is_some()));
    let asked = shared.shared_quotas(now.seconds);
    assert_eq!(
        asked.iter().map(|row| (row.plan, row.key, row.enabled)).collect::<Vec<_>>(),
        [("gold", "ann", true), ("gold", "off", false)]
    );
    assert_eq!(asked[0].asked.as_ref().map(|(quota, _)| quota.limit), Some(5));
}
