//! Answers of the filter itself.

use crate::probe::{builder, hello, host, plan, said, upload};
use std::time::Duration;

#[test]
fn a_reply_runs_the_filters_own_response_callbacks() {
    let text = "request:reply 200 hi; request:pause; response:all; response-body:show; response:property response/code";
    let outcome = host().send(plan(text));
    assert_eq!((outcome.response.status(), outcome.response.text().as_str()), (200, "hi"));
    let all = r#"all [(":status", "200"), ("x-made-by", "filter"), ("content-length", "2"), ("content-type", "text/plain")]"#;
    assert_eq!(said(&outcome), [all, "response/code is [200, 0, 0, 0, 0, 0, 0, 0]", "body `hi`, 2 bytes, end true"]);
    assert!(outcome.upstream_requests.is_empty());
}

#[test]
fn a_reply_stops_the_request_even_when_the_callback_continues() {
    let outcome = host().send(upload("request:reply 403; request-body:log body", &["abc"]));
    assert_eq!(outcome.response.status(), 403);
    assert!(outcome.upstream_requests.is_empty());
    assert_eq!(said(&outcome), [""; 0]);
}

#[test]
fn a_reply_without_a_body_has_neither_type_nor_text() {
    let outcome = host().send(plan("request:reply 403; response:all"));
    assert_eq!(said(&outcome), [r#"all [(":status", "403"), ("x-made-by", "filter")]"#]);
    assert_eq!(outcome.response.header("content-length"), Some("0"));
}

#[test]
fn a_second_reply_is_taken_and_forgotten() {
    let outcome = host().send(plan("request:reply 201 hi; request:reply-again"));
    assert!(said(&outcome).contains(&"again: Ok(())".to_owned()));
    assert_eq!((outcome.response.status(), outcome.response.text().as_str()), (201, "hi"));
}

#[test]
fn a_reply_to_a_response_head_goes_out_past_the_filter() {
    let outcome = host().send(plan("response:reply 201 new; response:log head; response-body:show"));
    assert_eq!((outcome.response.status(), outcome.response.text().as_str()), (201, "new"));
    assert_eq!(said(&outcome), ["head"]);
}

#[test]
fn a_reply_after_the_head_is_out_cuts_the_client_off() {
    let outcome = host().send(plan("response-body:reply 201 new"));
    assert!(outcome.response.reset);
    let outcome = host().send(plan("response:pause; response-body:reply 201 new"));
    assert_eq!(outcome.response.text(), "new", "its head was held");
}

#[test]
fn a_reply_to_head_has_the_length_and_not_the_body() {
    let outcome = host().send(plan("request:reply 200 hi").header(":method", "HEAD"));
    assert_eq!(outcome.response.header("content-length"), Some("2"));
    assert_eq!(outcome.response.text(), "");
    assert!(outcome.response.complete);
}

#[test]
fn a_grpc_request_is_answered_in_the_form_of_grpc() {
    let outcome = host().send(plan("request:reply 403 no % way").header("content-type", "application/grpc"));
    assert_eq!(outcome.response.status(), 200);
    assert_eq!(outcome.response.header("grpc-status"), Some("7"));
    assert_eq!(outcome.response.header("grpc-message"), Some("no %25 way"));
}

#[test]
fn a_reply_from_a_callouts_callback_answers_the_paused_stream() {
    let outcome = host().send(plan("request:call be 1000 /a; request:pause; call:reply 202 from the callout"));
    assert_eq!((outcome.response.status(), outcome.response.text().as_str()), (202, "from the callout"));
    assert_eq!(outcome.callouts().len(), 1);
    assert!(outcome.forwarded().is_empty());
}

#[test]
fn a_reply_gives_up_the_request_that_was_forwarded() {
    let mut host = builder().cluster("slow", hello().after(Duration::from_secs(2))).build().unwrap();
    let outcome = host.send(plan("request:call be 1000 /a; request:set x-tollgate-cluster slow; call:reply 200 early"));
    assert_eq!(outcome.response.text(), "early");
    assert!(outcome.took < Duration::from_secs(2));
}

#[test]
fn a_closed_stream_is_cut_off() {
    let outcome = host().send(plan("request:close; log:property response/code_details"));
    assert!(outcome.response.reset);
    assert_eq!(said(&outcome), ["log", "response/code_details is `wasm_close_stream`"]);
}
