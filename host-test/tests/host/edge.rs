//! What the connection manager does to heads.

use crate::probe::{builder, hello, plan, said};
use tollgate_host::{Connection, Request};

#[test]
fn the_upstream_learns_the_client_and_the_scheme() {
    let outcome =
        crate::probe::host().send(plan("").header("x-forwarded-for", "198.51.100.1").header("x-forwarded-proto", "https"));
    let headers = &outcome.upstream_requests[0].headers;
    assert_eq!(headers.get_str("x-forwarded-for"), Some("198.51.100.1,203.0.113.7"));
    assert_eq!(headers.get_str("x-forwarded-proto"), Some("http"));
    assert_eq!(headers.get_str(":scheme"), Some("http"));
    assert_eq!(headers.get_str("x-envoy-external-address"), Some("203.0.113.7"));
    let tls = Connection { tls: true, ..Connection::default() };
    let outcome = crate::probe::host().send(plan("").connection(tls));
    assert_eq!(outcome.upstream_requests[0].headers.get_str("x-forwarded-proto"), Some("https"));
}

#[test]
fn a_request_id_is_made_and_one_from_outside_is_not_believed() {
    let mut host = crate::probe::host();
    let mut ids = Vec::new();
    for request in [plan(""), plan("").header("x-request-id", "mine")] {
        let outcome = host.send(request);
        let id = outcome.upstream_requests[0].headers.get_str("x-request-id").unwrap().to_owned();
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4", "it is a random UUID");
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
    let mut host = builder().with(|settings| settings.listener.generate_request_id = false).build().unwrap();
    let outcome = host.send(plan("").header("x-request-id", "mine"));
    assert_eq!(outcome.upstream_requests[0].headers.get_str("x-request-id"), Some("mine"));
}

#[test]
fn headers_of_one_connection_end_here() {
    let request = plan("")
        .header("connection", "x-mine, close")
        .header("x-mine", "1")
        .header("keep-alive", "1")
        .header("te", "gzip")
        .header("proxy-connection", "keep-alive")
        .header("transfer-encoding", "chunked")
        .header("expect", "100-continue");
    let outcome = crate::probe::host().send(request);
    for name in ["connection", "x-mine", "keep-alive", "te", "proxy-connection", "transfer-encoding", "expect"] {
        assert!(!outcome.upstream_requests[0].headers.contains(name), "{name}");
    }
    let outcome = crate::probe::host().send(plan("").header("te", "trailers"));
    assert_eq!(outcome.upstream_requests[0].headers.get_str("te"), Some("trailers"));
}

#[test]
fn headers_that_steer_envoy_are_taken_from_clients() {
    let outcome = crate::probe::host().send(plan("").header("x-envoy-max-retries", "9").header("x-envoy-other", "1"));
    assert!(!outcome.upstream_requests[0].headers.contains("x-envoy-max-retries"));
    assert!(outcome.upstream_requests[0].headers.contains("x-envoy-other"));
}

#[test]
fn the_head_comes_to_the_filter_in_envoys_order() {
    let outcome = crate::probe::host().send(Request::get("/").header("x-plan", "request:all").header("x-tollgate-cluster", "be"));
    let all = &said(&outcome)[0];
    let places: Vec<usize> =
        [":authority", ":path", ":method", ":scheme", "x-plan", "x-forwarded-for", "x-forwarded-proto", "x-request-id"]
            .iter()
            .map(|name| all.find(&format!("\"{name}\"")).unwrap_or_else(|| panic!("no {name} in {all}")))
            .collect();
    assert!(places.is_sorted(), "{all}");
}

#[test]
fn a_response_gets_a_date_and_the_servers_name() {
    let outcome = crate::probe::host().send(plan(""));
    assert_eq!(outcome.response.header("date"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
    assert_eq!(outcome.response.header("server"), Some("envoy"));
    assert_eq!(outcome.response.header("x-envoy-upstream-service-time"), Some("0"));
    let mut host = builder()
        .with(|settings| {
            settings.listener.server_name = None;
            settings.route.suppress_envoy_headers = true;
        })
        .build()
        .unwrap();
    let outcome = host.send(plan("response:set date kept; response:add connection close"));
    assert_eq!(outcome.response.header("date"), Some("kept"));
    assert_eq!(outcome.response.header("server"), None);
    assert_eq!(outcome.response.header("x-envoy-upstream-service-time"), None);
    assert_eq!(outcome.response.header("connection"), None);
}

#[test]
fn what_an_upstream_says_of_its_connection_is_seen_by_the_filter_and_ends_here() {
    let reply = tollgate_host::Stub::reply(200, [("connection", "keep-alive"), ("keep-alive", "timeout=5")], "x");
    let mut host = builder().cluster("be", reply).build().unwrap();
    let outcome = host.send(plan("response:get connection"));
    assert_eq!(said(&outcome)[0], "connection is Some(\"keep-alive\")");
    assert_eq!(outcome.response.header("keep-alive"), None);
}

#[test]
fn two_hosts_on_one_clock_share_data_and_nothing_else() {
    let mut one = builder().build().unwrap();
    let mut two = builder().cluster("be", hello()).sharing_with(&one).build().unwrap();
    one.send(plan("request:share k 0 v; request:count hits 1"));
    let outcome = two.send(plan("request:shared k; request:count hits 1"));
    assert_eq!(said(&outcome).last().unwrap(), "shared k: Some(\"v\") Some(1)");
    assert_eq!(two.metrics()["hits"], tollgate_host::Metric::Counter(2));
    let mut alone = builder().build().unwrap();
    assert_eq!(said(&alone.send(plan("request:shared k"))).last().unwrap(), "shared k: None None");
}
