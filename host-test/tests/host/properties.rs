//! Properties.

use crate::probe::{host, plan, said};

/// What the filter reads at a path of the request phase.
fn read(paths: &[&str]) -> Vec<String> {
    let text: Vec<String> = paths.iter().map(|path| format!("request:property {path}")).collect();
    said(&host().send(plan(&text.join("; ")).header("x-a", "1").header("x-a", "2")))
}

#[test]
fn the_attributes_of_the_request() {
    let lines = read(&[
        "request/path",
        "request/url_path",
        "request/query",
        "request/host",
        "request/method",
        "request/scheme",
        "request/protocol",
        "request/headers/x-a",
        "request/size",
        "request/duration",
        "request/nothing",
    ]);
    let expected = [
        "request/path is `/a?q=1`",
        "request/url_path is `/a`",
        "request/query is `q=1`",
        "request/host is `example.com`",
        "request/method is `GET`",
        "request/scheme is `http`",
        "request/protocol is `HTTP/1.1`",
        "request/headers/x-a is `1,2`",
        "request/size is [0, 0, 0, 0, 0, 0, 0, 0]",
        "request/duration is not there",
        "request/nothing is not there",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn the_attributes_of_the_connection() {
    let lines = read(&["source/address", "source/port", "destination/address", "connection/id", "connection/mtls"]);
    let expected = [
        "source/address is `203.0.113.7:40000`",
        "source/port is [64, 156, 0, 0, 0, 0, 0, 0]",
        "destination/address is `127.0.0.1:10000`",
        "connection/id is [1, 0, 0, 0, 0, 0, 0, 0]",
        "connection/mtls is [0]",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn the_attributes_of_the_plugin_and_the_route() {
    let lines = read(&["plugin_name", "node/id", "xds/cluster_name", "cluster_name", "route_name", "nothing"]);
    let expected = [
        "plugin_name is `plugin`",
        "node/id is `tollgate-host`",
        "xds/cluster_name is `be`",
        "cluster_name is not there",
        "route_name is not there",
        "nothing is not there",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn the_response_is_known_when_there_is_one() {
    let text = "request:property response/code; response:property response/code; response:property response/code_details; \
                response:property response/headers/content-type; log:property response/size";
    let lines = said(&host().send(plan(text)));
    let expected = [
        "response/code is not there",
        "response/code is [200, 0, 0, 0, 0, 0, 0, 0]",
        "response/code_details is `via_upstream`",
        "response/headers/content-type is `text/x`",
        "log",
        "response/size is [5, 0, 0, 0, 0, 0, 0, 0]",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn the_request_is_forgotten_with_its_head() {
    let lines =
        said(&host().send(plan("response:property request/path; response:property request/time; response:property source/port")));
    assert_eq!(lines[0], "request/path is not there");
    assert!(lines[1].starts_with("request/time is ["), "times stay: {lines:?}");
    assert!(lines[2].starts_with("source/port is ["));
}

#[test]
fn what_a_filter_sets_it_can_read_for_the_life_of_the_stream() {
    let text =
        "request:set-property me you; response:property me; response:property filter_state/wasm.me; response:property wasm.me";
    let mut host = host();
    let lines = said(&host.send(plan(text)));
    assert_eq!(lines, ["me is `you`", "filter_state/wasm.me is `you`", "wasm.me is not there"]);
    assert_eq!(said(&host.send(plan("request:property me"))).last().unwrap(), "me is not there");
}

#[test]
fn what_a_filter_has_set_at_the_end_is_left_of_the_stream() {
    let outcome = host().send(plan("request:set-property me you; log:set-property line GET /a 200"));
    let end = outcome.response.end.expect("the stream is over");
    let left: Vec<_> = end.filter_state.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    assert_eq!(left, [(&b"line"[..], &b"GET /a 200"[..]), (b"me", b"you")]);
    assert_eq!(end.code_details.as_deref(), Some("via_upstream"));
}

#[test]
fn the_guest_reads_the_hosts_clock_and_its_output_goes_to_the_log() {
    let lines = said(&host().send(plan("request:time; request:print printed")));
    assert_eq!(lines, ["time: SystemTime { tv_sec: 1767225600, tv_nsec: 0 }", "printed"]);
}
