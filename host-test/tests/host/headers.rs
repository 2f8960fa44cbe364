//! Header maps, as the guest sees and edits them.

use crate::probe::{builder, host, plan, said};
use tollgate_host::{Request, Stub, UpstreamReply};

#[test]
fn edits_of_the_request_head_reach_the_upstream() {
    let text = "request:set :path /b; request:set :method PUT; request:set :authority other; request:add x-a 1; request:add x-a 2; \
                request:remove x-gone";
    let outcome = host().send(plan(text).header("x-gone", "1"));
    let request = &outcome.upstream_requests[0];
    assert_eq!((request.method(), request.path(), request.authority()), ("PUT", "/b", "other"));
    assert_eq!(request.headers.get_all("x-a").collect::<Vec<_>>(), [b"1", b"2"]);
    assert!(!request.headers.contains("x-gone"));
}

#[test]
fn edits_of_the_response_head_reach_the_client() {
    let text = "response:set :status 201; response:add x-a 1; response:remove content-type";
    let outcome = host().send(plan(text));
    assert_eq!(outcome.response.status(), 201);
    assert_eq!(outcome.response.header("x-a"), Some("1"));
    assert_eq!(outcome.response.header("content-type"), None);
    assert_eq!(outcome.response.text(), "hello");
}

#[test]
fn a_repeated_header_reads_as_its_first_value_and_is_replaced_as_a_whole_at_the_end() {
    let outcome = host().send(plan("request:get x-rep; request:set x-rep new").header("x-rep", "1").header("x-rep", "2"));
    assert_eq!(said(&outcome)[0], "x-rep is Some(\"1\")");
    let names: Vec<_> = outcome.upstream_requests[0].headers.iter().filter(|(name, _)| name.starts_with(b"x-re")).collect();
    assert_eq!(names, [(b"x-request-id".as_slice(), names[0].1), (b"x-rep", b"new")]);
}

#[test]
fn headers_that_envoy_keeps_once_are_joined_and_others_stay_apart() {
    let request = plan("request:add accept c; request:add x-api-key 3; request:all")
        .header("accept", "a")
        .header("accept", "b")
        .header("x-api-key", "1")
        .header("x-api-key", "2")
        .header("cookie", "1")
        .header("cookie", "2");
    let outcome = host().send(request);
    let headers = &outcome.upstream_requests[0].headers;
    let all = |name| headers.get_all(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>();
    assert_eq!(all("accept"), ["a,b,c"]);
    assert_eq!(all("x-api-key"), ["1", "2", "3"]);
    assert_eq!(all("cookie"), ["1", "2"]);
}

#[test]
fn headers_of_a_response_are_joined_by_another_list() {
    let reply = UpstreamReply::new(200).header("vary", "a").header("vary", "b").header("set-cookie", "a").header("set-cookie", "b");
    let outcome = builder().cluster("be", Stub::respond(reply)).build().unwrap().send(plan("response:all"));
    assert_eq!(outcome.response.headers.get_all("vary").count(), 1);
    assert_eq!(outcome.response.headers.get_all("set-cookie").count(), 2);
}

#[test]
fn a_head_that_the_filter_let_go_can_be_neither_read_nor_changed() {
    // The SDK panics when the host refuses.
    let outcome = host().send(plan("response:request-header :path"));
    assert_eq!(outcome.response.status(), 503);
    assert!(said(&outcome).iter().any(|line| line.contains("unexpected status: 2")), "{:?}", said(&outcome));
}

#[test]
fn names_are_lower_case_whoever_writes_them() {
    let outcome = host().send(plan("request:add X-Shout 1; request:get X-SHOUT; request:get x-shout").header("X-Client", "1"));
    assert_eq!(said(&outcome), ["X-SHOUT is Some(\"1\")", "x-shout is Some(\"1\")"]);
    assert!(outcome.upstream_requests[0].headers.contains("x-client"));
}

#[test]
fn setting_all_pairs_replaces_the_map() {
    let outcome = host().send(plan("response:only x-a 1"));
    assert_eq!(outcome.response.status(), 200);
    assert_eq!(outcome.response.header("x-a"), Some("1"));
    assert_eq!(outcome.response.header("content-type"), None);
}

#[test]
fn bytes_that_are_no_utf8_pass_through_a_filter_that_does_not_look() {
    let outcome = host().send(plan("").header("x-bytes", b"\xff\xfe".to_vec()));
    assert_eq!(outcome.upstream_requests[0].headers.get("x-bytes"), Some(b"\xff\xfe".as_slice()));
}

#[test]
fn a_response_without_a_status_is_answered_by_502() {
    for text in ["response:remove :status", "response:set :status abc", "response:add :status 201"] {
        let outcome = host().send(plan(&format!("{text}; log:property response/code_details")));
        assert_eq!(
            (outcome.response.status(), outcome.response.text().as_str()),
            (502, "missing required header: :status"),
            "{text}"
        );
        let details = "response/code_details is `filter_removed_required_response_headers{missing_required_header:_:status}`";
        assert!(said(&outcome).iter().any(|line| line == details), "{:?}", said(&outcome));
    }
}

#[test]
fn a_request_without_a_path_has_no_route_and_one_without_a_method_is_503() {
    for (text, status) in [("request:remove :path", 404), ("request:remove :method", 503)] {
        let outcome = host().send(plan(text));
        assert_eq!(outcome.response.status(), status, "{text}");
        assert!(outcome.upstream_requests.is_empty());
    }
}

#[test]
fn the_log_callback_reads_both_heads_and_writes_neither() {
    let outcome =
        host().send(plan("log:request-header :path; log:get :status; log:property request/path; done:property request/path"));
    let lines = said(&outcome);
    assert_eq!(
        lines,
        [
            "log",
            "request :path: Ok(Some(\"/a?q=1\"))",
            ":status is Some(\"200\")",
            "request/path is `/a?q=1`",
            "done",
            "request/path is not there"
        ]
    );
    let outcome = host().send(plan("log:add x y; log:log after"));
    assert!(said(&outcome).iter().any(|line| line.contains("unexpected status: 2")), "{:?}", said(&outcome));
}

#[test]
fn the_cluster_header_may_be_written_over_what_the_client_sent() {
    let mut host = builder().cluster("other", Stub::reply(204, [], "")).build().unwrap();
    let outcome =
        host.send(Request::get("/").header("x-plan", "request:set x-tollgate-cluster other").header("x-tollgate-cluster", "be"));
    assert_eq!(outcome.response.status(), 204);
    assert_eq!(outcome.upstream_requests[0].cluster, "other");
}
