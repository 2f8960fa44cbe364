//! What a trap costs.

use crate::probe::{builder, host, plan, said};
use std::time::Duration;
use tollgate_host::{OnTrap, Request};

fn bad() -> Request {
    plan("request:all").header("x-bad", b"\xff\xfe".to_vec())
}

#[test]
fn a_header_that_is_no_utf8_costs_a_filter_that_takes_strings_one_request() {
    let mut host = host();
    let outcome = host.send(bad());
    assert_eq!((outcome.response.status(), outcome.response.text().as_str()), (503, ""));
    assert!(said(&outcome).iter().any(|line| line.contains("FromUtf8Error")), "{:?}", said(&outcome));
    assert!(said(&outcome).iter().any(|line| line.contains("proxy_on_request_headers")), "{:?}", said(&outcome));
    assert_eq!(host.worker().vm_reloads(), 0);
    assert_eq!(host.send(plan("")).response.status(), 200);
    assert_eq!(host.worker().vm_reloads(), 1);
}

#[test]
fn a_reload_waits_until_the_vm_is_as_old_as_the_backoff() {
    let backoff = Duration::from_secs(1);
    let mut host = builder().on_trap(OnTrap::Reload { backoff }).build().unwrap();
    assert_eq!(host.send(plan("request:panic")).response.status(), 503);
    assert_eq!(host.send(plan("")).response.status(), 503);
    host.advance(backoff);
    assert_eq!(host.send(plan("")).response.status(), 200);
    host.advance(backoff);
    assert_eq!(host.send(plan("request:panic")).response.status(), 503);
    assert_eq!(host.send(plan("")).response.status(), 200, "the VM was old enough");
}

#[test]
fn fail_closed_stays_closed() {
    let mut host = builder().on_trap(OnTrap::FailClosed).build().unwrap();
    host.send(plan("request:panic"));
    host.advance(Duration::from_secs(3600));
    assert_eq!(host.send(plan("")).response.status(), 503);
    assert_eq!(host.worker().vm_reloads(), 0);
}

#[test]
fn streams_that_were_paused_hang_until_their_timeout() {
    let mut host = host();
    let paused = host.open(plan("request:pause"));
    host.send(plan("request:panic"));
    assert_eq!(host.send(plan("")).response.status(), 200, "new streams are served");
    host.advance(Duration::from_secs(299));
    assert_eq!(host.response(paused).status(), 0);
    host.advance(Duration::from_secs(2));
    assert_eq!(host.response(paused).status(), 503, "the idle timeout's reply meets a filter that is gone");
}

#[test]
fn a_forwarded_request_of_the_old_vm_is_503_when_its_answer_comes() {
    let slow = crate::probe::hello().after(Duration::from_secs(1));
    let mut host = builder().cluster("slow", slow).build().unwrap();
    let waiting = host.open(plan("request:set x-tollgate-cluster slow"));
    host.send(plan("request:panic"));
    host.advance(Duration::from_secs(2));
    assert_eq!(host.response(waiting).status(), 503);
}

#[test]
fn a_reply_before_the_trap_is_not_sent() {
    let outcome = host().send(plan("request:reply 200 hi; request:panic"));
    assert_eq!(outcome.response.status(), 503);
}

#[test]
fn a_trap_in_the_response_is_503_too() {
    let outcome = host().send(plan("response:panic"));
    assert_eq!((outcome.response.status(), outcome.response.text().as_str()), (503, ""));
    let outcome = host().send(plan("response-body:panic"));
    assert!(outcome.response.reset, "its head was out");
}

#[test]
fn an_endless_loop_ends_as_a_trap_when_the_fuel_is_used_up() {
    let mut host = builder().fuel_per_callback(50_000_000).build().unwrap();
    let outcome = host.send(plan("request:loop"));
    assert_eq!(outcome.response.status(), 503);
    assert!(said(&outcome).iter().any(|line| line.contains("fuel")), "{:?}", said(&outcome));
    assert_eq!(host.send(plan("")).response.status(), 200);
}

#[test]
fn data_metrics_and_logs_outlive_the_vm() {
    let mut host = host();
    host.send(plan("request:share k 0 v; request:count hits 1"));
    host.send(plan("request:panic"));
    assert_eq!(said(&host.send(plan("request:count hits 1; request:shared k"))).last().unwrap(), "shared k: Some(\"v\") Some(1)");
    assert_eq!(host.metrics()["hits"], tollgate_host::Metric::Counter(2));
}

#[test]
fn a_trap_on_the_timer_stops_the_timer_until_the_vm_is_new() {
    let mut host = builder().plugin_configuration("configure:tick 100; tick:panic").build().unwrap();
    host.advance(Duration::from_secs(1));
    let ticks = host.take_logs().iter().filter(|line| line.message == "tick").count();
    assert_eq!(ticks, 1);
    assert_eq!(host.send(Request::get("/").header("x-tollgate-cluster", "be")).response.status(), 200);
    host.advance(Duration::from_millis(150));
    assert_eq!(host.take_logs().iter().filter(|line| line.message == "tick").count(), 1);
}
