//! The router's own answers.

use crate::probe::{builder, hello, host, plan, said};
use std::time::Duration;
use tollgate_host::{ClusterChoice, Host, Outcome, Stub, UpstreamReply};

const SHOW: &str = "response:property response/code_details; response:property response/flags; response:set x-seen 1";

fn send(stub: Stub) -> Outcome {
    builder().cluster("be", stub).build().unwrap().send(plan(SHOW))
}

/// Status, body, details and flags; and the filter must have seen the reply.
fn expect(outcome: &Outcome, status: u16, body: &str, details: &str, flags: u64) {
    assert_eq!((outcome.response.status(), outcome.response.text().as_str()), (status, body));
    assert_eq!(outcome.response.header("x-seen"), Some("1"), "the filter sees it");
    let lines = said(outcome);
    assert_eq!(lines[0], format!("response/code_details is `{details}`"));
    assert_eq!(lines[1], format!("response/flags is {:?}", flags.to_le_bytes()));
}

#[test]
fn an_unknown_cluster_is_503_without_a_body() {
    let outcome = host().send(plan(SHOW).header("x-tollgate-cluster", "second").header("x-plan", "unused"));
    assert_eq!(outcome.response.status(), 200, "the first value of the header counts");
    let outcome = host().send(plan(&format!("request:set x-tollgate-cluster nope; {SHOW}")));
    expect(&outcome, 503, "", "cluster_not_found", 0x0100_0000);
    let outcome = host().send(plan(&format!("request:remove x-tollgate-cluster; {SHOW}")));
    expect(&outcome, 503, "", "cluster_not_found", 0x0100_0000);
}

#[test]
fn no_route_is_404() {
    let mut host = builder().with(|settings| settings.route.cluster = ClusterChoice::NoRoute).build().unwrap();
    expect(&host.send(plan(SHOW)), 404, "", "route_not_found", 0x100);
}

#[test]
fn a_refused_connection_is_503_and_its_cause_is_in_the_details() {
    let body = "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";
    let details = "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}";
    expect(&send(Stub::refuse("delayed connect error: Connection refused")), 503, body, details, 0x20);
}

#[test]
fn a_connection_that_is_closed_before_the_answer_is_503() {
    let body = "upstream connect error or disconnect/reset before headers. reset reason: connection termination";
    expect(&send(Stub::close()), 503, body, "upstream_reset_before_response_started{connection_termination}", 0x40);
    let body = "upstream connect error or disconnect/reset before headers. reset reason: remote reset";
    expect(&send(Stub::reset()), 503, body, "upstream_reset_before_response_started{remote_reset}", 0x10);
}

#[test]
fn an_answer_that_breaks_off_cuts_the_client_off() {
    let reply = UpstreamReply::new(200).chunk("abc").breaking_off();
    let mut host = builder().cluster("be", Stub::respond(reply)).build().unwrap();
    let outcome = host.send(plan("log:property response/code_details; log:property response/flags"));
    assert_eq!((outcome.response.status(), outcome.response.text().as_str()), (200, "abc"));
    assert!(outcome.response.reset && !outcome.response.complete);
    let details = "response/code_details is `upstream_reset_after_response_started{protocol_error}`";
    assert_eq!(said(&outcome), ["log", details, "response/flags is [0, 0, 128, 0, 0, 0, 0, 0]"]);
}

fn slow() -> Host {
    builder().cluster("be", hello().after(Duration::from_secs(20))).build().unwrap()
}

#[test]
fn an_answer_that_is_late_is_504() {
    let outcome = slow().send(plan(SHOW));
    expect(&outcome, 504, "upstream request timeout", "response_timeout", 0x4);
    assert_eq!(outcome.took, Duration::from_secs(15));
    let mut host = builder().cluster("be", hello().after(Duration::from_secs(20))).route_timeout(None).build().unwrap();
    assert_eq!(host.send(plan(SHOW)).response.text(), "hello");
}

#[test]
fn the_filter_sets_the_time_and_the_upstream_is_told_how_long_it_has() {
    let outcome = slow().send(plan(&format!("request:set x-envoy-upstream-rq-timeout-ms 700; {SHOW}")));
    expect(&outcome, 504, "upstream request timeout", "response_timeout", 0x4);
    assert_eq!(outcome.took, Duration::from_millis(700));
    let headers = &outcome.upstream_requests[0].headers;
    assert!(!headers.contains("x-envoy-upstream-rq-timeout-ms"));
    assert_eq!(headers.get_str("x-envoy-expected-rq-timeout-ms"), Some("700"));
    let outcome = slow().send(plan("request:set x-envoy-upstream-rq-timeout-ms 0"));
    assert_eq!(outcome.response.text(), "hello", "zero means for ever");
}

#[test]
fn a_client_cannot_set_the_time() {
    let outcome = slow().send(plan("").header("x-envoy-upstream-rq-timeout-ms", "1"));
    assert_eq!(outcome.took, Duration::from_secs(15));
}

#[test]
fn a_stream_that_is_idle_is_504_when_its_request_is_complete_and_408_when_not() {
    let outcome = host().send(plan(&format!("request:pause; {SHOW}")));
    expect(&outcome, 504, "stream timeout", "stream_idle_timeout", 0x1_0000);
    assert_eq!(outcome.took, Duration::from_secs(300));
    let outcome = host().send(plan(SHOW).open_ended());
    expect(&outcome, 408, "stream timeout", "stream_idle_timeout", 0x1_0000);
}

#[test]
fn a_request_that_takes_too_long_to_arrive_is_408_and_one_that_the_filter_holds_is_504() {
    let limited = || builder().with(|settings| settings.listener.request_timeout = Some(Duration::from_secs(60))).build().unwrap();
    expect(&limited().send(plan(SHOW).open_ended()), 408, "request timeout", "request_overall_timeout", 0);
    let outcome = limited().send(plan(&format!("request:pause; {SHOW}")));
    expect(&outcome, 504, "request timeout", "request_overall_timeout", 0);
    assert_eq!(outcome.took, Duration::from_secs(60));
}

#[test]
fn a_late_answer_to_a_stream_that_is_over_is_ignored() {
    let mut host = slow();
    assert_eq!(host.send(plan("")).response.status(), 504);
    host.advance(Duration::from_secs(60));
    assert_eq!(host.worker().open_streams(), 0);
}
