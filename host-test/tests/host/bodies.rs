//! Pauses, buffers, limits and trailers.

use crate::probe::{builder, host, plan, said, upload};
use std::time::Duration;
use tollgate_host::{Request, Stub, UpstreamReply};

#[test]
fn a_body_passes_in_its_chunks_when_nobody_stops_it() {
    let outcome = host().send(upload("request-body:show", &["abc", "def"]));
    let lines = ["body `abc`, 3 bytes, end false", "body `def`, 3 bytes, end false", "body ``, 0 bytes, end true"];
    assert_eq!(said(&outcome), lines);
    assert_eq!(outcome.upstream_requests[0].body, "abcdef");
}

#[test]
fn a_paused_body_is_shown_as_a_whole_and_the_head_waits_for_it() {
    let text = "request:pause; request-body:collect; request-body:show; request-body:upper";
    let outcome = host().send(upload(text, &["abc", "def"]));
    let lines = ["body `abc`, 3 bytes, end false", "body `ABCdef`, 6 bytes, end false", "body `ABCDEF`, 6 bytes, end true"];
    assert_eq!(said(&outcome), lines);
    assert_eq!(outcome.upstream_requests[0].body, "ABCDEF");
}

#[test]
fn a_head_may_still_change_when_the_body_is_complete() {
    let text = "request:pause; request-body:collect; request-body:body longer than before; request-body:set content-length 18; \
                request-body:set :path /new";
    let outcome = host().send(plan(text).header(":method", "POST").body("abc"));
    let request = &outcome.upstream_requests[0];
    assert_eq!((request.path(), &request.body[..]), ("/new", &b"longer than before"[..]));
    assert!(request.length_is_right());
}

#[test]
fn a_pause_in_the_head_stops_the_body_unless_the_plugin_allows_it() {
    let send = |allow| {
        let mut host = builder().allow_on_headers_stop_iteration(allow).build().unwrap();
        let outcome = host.send(upload("request:pause; request-body:show", &["abc"]));
        (said(&outcome), outcome.response)
    };
    let (lines, response) = send(true);
    assert_eq!(lines, ["body `abc`, 3 bytes, end false", "body ``, 0 bytes, end true"]);
    assert_eq!(response.status(), 200);
    let (lines, response) = send(false);
    assert!(!lines.iter().any(|line| line.starts_with("body")), "{lines:?}");
    assert_eq!((response.status(), response.text().as_str()), (504, "stream timeout"));
}

#[test]
fn a_stream_that_goes_on_shows_the_filter_what_was_held_before_it() {
    let mut host = builder().allow_on_headers_stop_iteration(false).build().unwrap();
    let text = "request:call be 1000 /callee; request:pause; call:continue; request-body:show";
    let outcome = host.send(upload(text, &["abc", "def"]));
    assert_eq!(outcome.response.status(), 200);
    // The callee answers at once, so the stream goes on before its body comes; with a slower one the body is held.
    host.restub("be", Stub::reply(200, [], "").after(Duration::from_millis(5)));
    let outcome = host.send(upload(text, &["abc", "def"]));
    assert!(said(&outcome).contains(&"body `abcdef`, 6 bytes, end true".to_owned()), "{:?}", said(&outcome));
    assert_eq!(outcome.forwarded()[0].body, "abcdef");
}

#[test]
fn a_stop_of_everything_waits_instead_of_refusing_a_large_body() {
    let mut host = builder().allow_on_headers_stop_iteration(false).buffer_limit(4).build().unwrap();
    host.restub("be", Stub::reply(200, [], "").after(Duration::from_millis(5)));
    let outcome = host.send(upload("request:call be 1000 /callee; request:pause; call:continue", &["abc", "def"]));
    assert_eq!(outcome.response.status(), 200);
    assert_eq!(outcome.forwarded()[0].body, "abcdef");
}

#[test]
fn a_request_without_a_body_gets_no_body_callback() {
    let outcome = host().send(plan("request-body:log body"));
    assert_eq!(said(&outcome), [""; 0]);
}

#[test]
fn a_body_that_outgrows_the_buffer_is_413_and_the_filter_sees_that_reply() {
    let text =
        "request:pause; request-body:collect; response:property response/code_details; response:set x-seen 1; response-body:show";
    let outcome = builder().buffer_limit(10).build().unwrap().send(upload(text, &["123456", "7890", "1"]));
    assert_eq!(outcome.response.status(), 413);
    assert_eq!(outcome.response.text(), "Payload Too Large");
    assert_eq!(outcome.response.header("x-seen"), Some("1"));
    let lines = ["response/code_details is `request_payload_too_large`", "body `Payload Too Large`, 17 bytes, end true"];
    assert_eq!(said(&outcome), lines);
    assert!(outcome.upstream_requests.is_empty());
}

#[test]
fn a_body_as_large_as_the_buffer_passes() {
    let outcome = builder().buffer_limit(10).build().unwrap().send(upload("request-body:collect", &["123456", "7890"]));
    assert_eq!(outcome.upstream_requests[0].body, "1234567890");
}

#[test]
fn a_response_that_outgrows_the_buffer_is_500_past_the_filter() {
    let text = "response:pause; response-body:collect; response:log head; log:property response/code_details";
    let mut host = builder().buffer_limit(4).build().unwrap();
    let outcome = host.send(plan(text));
    assert_eq!((outcome.response.status(), outcome.response.text().as_str()), (500, "Internal Server Error"));
    assert_eq!(said(&outcome), ["head", "log", "response/code_details is `response_payload_too_large`"]);
    let outcome = host.send(plan("response-body:collect"));
    assert!(outcome.response.reset, "its head was out already");
}

#[test]
fn trailers_end_a_body_and_can_still_change_it() {
    let text =
        "request:pause; request-body:pause; request-trailers:trailers; request-trailers:append zzz; request-trailers:add x-new 1";
    let outcome = host().send(upload(text, &["abc", "def"]).trailer("x-t", "v"));
    assert_eq!(said(&outcome), ["trailers Ok([(\"x-t\", \"v\")])"]);
    let request = &outcome.upstream_requests[0];
    assert_eq!(request.body, "abcdefzzz");
    assert_eq!((request.trailers.get_str("x-t"), request.trailers.get_str("x-new")), (Some("v"), Some("1")));
}

#[test]
fn trailers_that_are_paused_hold_everything_back() {
    let mut host = builder().build().unwrap();
    let outcome = host.send(upload("request:pause; request-body:pause; request-trailers:pause", &["abc"]).trailer("x-t", "v"));
    assert!(outcome.upstream_requests.is_empty());
    assert_eq!(outcome.response.status(), 504);
}

#[test]
fn a_response_with_trailers_can_be_collected_and_its_trailers_edited() {
    let reply = UpstreamReply::new(200).chunk("ab").chunk("c").trailer("x-t", "v");
    let mut host = builder().cluster("be", Stub::respond(reply)).build().unwrap();
    let text =
        "response:pause; response-body:pause; response-trailers:show; response-trailers:upper; response-trailers:add x-new 1";
    let outcome = host.send(plan(text));
    assert_eq!(outcome.response.text(), "ABC");
    assert_eq!(outcome.response.trailers.get_str("x-t"), Some("v"));
    assert_eq!(outcome.response.trailers.get_str("x-new"), Some("1"));
}

#[test]
fn a_collected_response_goes_out_with_another_body_and_head() {
    let text = "response:pause; response-body:collect; response-body:body other length; response-body:set content-length 12; \
                response-body:set :status 418";
    let outcome = host().send(plan(text));
    assert_eq!((outcome.response.status(), outcome.response.text().as_str()), (418, "other length"));
    assert_eq!(outcome.response.header("content-length"), Some("12"));
}

#[test]
fn a_content_length_that_is_wrong_cuts_the_client_off_and_is_logged() {
    for text in ["response-body:body 1234567", "response-body:body 12"] {
        let outcome = host().send(plan(&format!("response:pause; response-body:collect; {text}")));
        assert!(outcome.response.reset, "{text}");
        assert!(said(&outcome).iter().any(|line| line.contains("content-length")), "{:?}", said(&outcome));
    }
}

#[test]
fn a_forwarded_request_shows_when_its_length_is_wrong() {
    let outcome =
        host().send(plan("request:pause; request-body:collect; request-body:body 1").header(":method", "POST").body("abc"));
    assert!(!outcome.upstream_requests[0].length_is_right());
}

#[test]
fn a_chunk_can_be_prepended_and_appended_to() {
    let outcome = host().send(upload("request-body:append X; request-body:prepend Y", &["abc", "def"]));
    assert_eq!(outcome.upstream_requests[0].body, "YabcXYdefXYX");
}

#[test]
fn a_stream_continued_inside_the_callback_that_pauses_goes_on_at_once() {
    let outcome = host().send(upload("request:continue; request:pause; request-body:show", &["abc"]));
    assert_eq!(said(&outcome), ["body `abc`, 3 bytes, end false", "body ``, 0 bytes, end true"]);
    assert_eq!(outcome.upstream_requests[0].body, "abc");
}

#[test]
fn a_stream_continued_inside_the_callback_that_continues_is_told_in_the_log() {
    let outcome = host().send(plan("request:continue"));
    assert_eq!(outcome.upstream_requests.len(), 1, "Envoy sends it twice");
    assert!(said(&outcome).iter().any(|line| line.contains("twice")), "{:?}", said(&outcome));
}

#[test]
fn a_head_request_gets_no_body_and_keeps_the_length() {
    let outcome = host().send(plan("response:get content-length").header(":method", "HEAD"));
    assert_eq!(said(&outcome), ["content-length is Some(\"5\")"]);
    assert_eq!(outcome.response.header("content-length"), Some("5"));
    assert_eq!(outcome.response.text(), "");
    assert!(outcome.response.complete);
}

#[test]
fn an_open_request_streams_to_the_upstream_while_the_client_sends() {
    let mut host = host();
    let stream = host.open(Request::new("POST", "/").header("x-tollgate-cluster", "be").open_ended());
    host.send_data(stream, "abc", false);
    let before = host.take_upstream_requests();
    assert_eq!((&before[0].body[..], before[0].complete), (&b"abc"[..], false));
    host.send_data(stream, "def", true);
    host.advance(Duration::ZERO);
    assert_eq!(host.response(stream).text(), "hello");
}
