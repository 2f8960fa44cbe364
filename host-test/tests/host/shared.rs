//! Shared data, queues, metrics, timers, configuration.

use crate::probe::{builder, host, plan, said};
use std::time::Duration;
use tollgate_host::{LogLevel, Metric, StartError};

#[test]
fn compare_and_set_compares_only_with_what_exists() {
    let text = "request:shared k; request:share k 7 v; request:shared k; request:share k 99 w; request:shared k; request:share k 1 z; \
                request:shared k; request:share k 0 y; request:shared k";
    let expected = [
        "shared k: None None",
        "share k: Ok(())",
        "shared k: Some(\"v\") Some(1)",
        "share k: Err(CasMismatch)",
        "shared k: Some(\"v\") Some(1)",
        "share k: Ok(())",
        "shared k: Some(\"z\") Some(2)",
        "share k: Ok(())",
        "shared k: Some(\"y\") Some(3)",
    ];
    let mut host = host();
    assert_eq!(said(&host.send(plan(text))), expected);
    assert_eq!(host.shared_data("", "k").as_deref(), Some(&b"y"[..]));
}

#[test]
fn vms_of_another_id_do_not_share() {
    let mut one = builder().build().unwrap();
    one.send(plan("request:share k 0 v"));
    let mut other = builder().with(|settings| settings.plugin.vm_id = "other".into()).sharing_with(&one).build().unwrap();
    assert_eq!(said(&other.send(plan("request:shared k"))).last().unwrap(), "shared k: None None");
}

#[test]
fn a_queue_tells_its_listener_of_every_item() {
    let mut host = builder().plugin_configuration("configure:queue q").build().unwrap();
    let outcome = host.send(plan("request:enqueue q one; request:enqueue q two"));
    let lines = said(&outcome);
    assert!(lines.contains(&"dequeued one".to_owned()) && lines.contains(&"dequeued two".to_owned()), "{lines:?}");
}

#[test]
fn a_queue_reaches_another_vm_of_the_same_id() {
    let listener = builder().plugin_configuration("configure:queue q");
    let mut listener = listener.build().unwrap();
    let mut sender = builder().sharing_with(&listener).build().unwrap();
    let outcome = sender.send(plan("request:enqueue q item"));
    assert!(!said(&outcome).iter().any(|line| line.starts_with("dequeued")));
    listener.advance(Duration::ZERO);
    assert!(listener.take_logs().iter().any(|line| line.message == "dequeued item"));
}

#[test]
fn metrics_count_and_keep_their_names_over_definitions() {
    let mut host = host();
    let text = "request:count hits 2; request:count hits 3; request:gauge level 7; request:histogram size 5; request:histogram size 6; \
                request:count hits -1";
    host.send(plan(text));
    let metrics = host.metrics();
    assert_eq!(metrics["hits"], Metric::Counter(5));
    assert_eq!(metrics["level"], Metric::Gauge(7));
    assert_eq!(metrics["size"], Metric::Histogram(vec![5, 6]));
}

#[test]
fn a_timer_ticks_at_its_period_and_stops_when_told_to() {
    let mut host = builder().plugin_configuration("configure:tick 100").build().unwrap();
    host.take_logs();
    host.advance(Duration::from_millis(350));
    let ticks = |logs: Vec<tollgate_host::LogLine>| logs.iter().filter(|line| line.message == "tick").count();
    assert_eq!(ticks(host.take_logs()), 3);
    host.reconfigure("configure:tick 0").unwrap();
    host.send(plan(""));
    host.take_logs();
    host.advance(Duration::from_secs(1));
    assert_eq!(ticks(host.take_logs()), 0);
}

#[test]
fn a_new_configuration_serves_new_streams() {
    let mut host = builder().plugin_configuration("request:reply 201 old").build().unwrap();
    let get = || tollgate_host::Request::get("/").header("x-tollgate-cluster", "be");
    assert_eq!(host.send(get()).response.status(), 201);
    host.reconfigure("request:reply 202 new").unwrap();
    assert_eq!(host.send(get()).response.status(), 202);
}

#[test]
fn a_configuration_that_is_refused_changes_nothing() {
    let mut host = builder().plugin_configuration("request:reply 201 old").build().unwrap();
    let error = host.reconfigure("request:reply 202 new; refuse:x").unwrap_err();
    assert!(matches!(&error, StartError::Refused(_)), "{error}");
    assert!(error.logs().iter().any(|line| line.message.starts_with("configured with")), "it brings what was logged");
    let get = tollgate_host::Request::get("/").header("x-tollgate-cluster", "be");
    assert_eq!(host.send(get).response.status(), 201);
}

#[test]
fn a_configuration_that_traps_is_refused_too() {
    let mut host = builder().plugin_configuration("request:reply 201 old").build().unwrap();
    let error = host.reconfigure("configure:panic").unwrap_err();
    assert!(matches!(error, StartError::Trap(..)), "{error}");
    assert_eq!(host.send(tollgate_host::Request::get("/")).response.status(), 201);
    let error = builder().plugin_configuration("configure:panic").build().err().expect("there is nothing to serve");
    assert!(error.to_string().contains("proxy_on_configure"), "{error}");
}

#[test]
fn a_stream_of_the_old_configuration_ends_as_it_began() {
    let slow = crate::probe::hello().after(Duration::from_secs(1));
    let mut host = builder().plugin_configuration("response:add x-old 1").cluster("be", slow).build().unwrap();
    let stream = host.open(tollgate_host::Request::get("/").header("x-tollgate-cluster", "be"));
    host.reconfigure("response:add x-new 1").unwrap();
    host.advance(Duration::from_secs(2));
    assert_eq!(host.response(stream).header("x-old"), Some("1"));
}

#[test]
fn lines_below_the_level_are_not_kept_and_the_guest_knows_it() {
    let mut host = builder().log_level(LogLevel::Error).build().unwrap();
    assert!(said(&host.send(plan("request:log x"))).is_empty());
}

#[test]
fn host_calls_and_fuel_are_counted_for_each_request() {
    let mut host = host();
    let outcome = host.send(plan("request:get x; request:get y; request:share k 0 v"));
    assert_eq!(outcome.host_calls["proxy_get_header_map_value"], 3, "one of them reads the plan");
    assert_eq!(outcome.host_calls["proxy_set_shared_data"], 1);
    assert_eq!(outcome.total_host_calls(), outcome.host_calls.values().sum::<u64>());
    assert!(outcome.fuel > 1000);
    let outcome = host.send(plan(""));
    assert!(!outcome.host_calls.contains_key("proxy_set_shared_data"));
}
