//! Functions on this machine: the official runtime clients of Python and Node and one by hand, called over Lambda's Invoke API, by
//! `tollgate serve` and by a real Envoy. Needs the runtime clients (`make need-functions`), the module and ENVOY.

mod drivers;
#[path = "functions/gateway.rs"]
mod gateway;
#[path = "functions/lambda.rs"]
mod lambda;
mod process;

use std::time::{Duration, Instant};

use lambda::{Lambda, file, gone, is_there, json, status};
use process::{Server, printed, tollgate};
use serde_json::{Value, json};
use tollgate::base64;

/// The three ways in which a function speaks the runtime API here.
const RUNTIMES: [&str; 3] = ["python", "node", "raw"];

fn pid(answer: &Value) -> u64 {
    answer["pid"].as_u64().unwrap_or_else(|| panic!("no pid: {answer}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no `{key}`: {value}"))
}

/// The message of a failure behind the id of its request, which differs.
fn message(failure: &Value) -> &str {
    let (id, rest) = text(failure, "errorMessage").split_once(" Error: ").expect("the id of the request comes first");
    assert!(id.starts_with("RequestId: ") && id.len() == "RequestId: ".len() + 36, "{id}");
    rest
}

// --- the runtime API --------------------------------------------------------------------------------------------------------

#[test]
fn an_event_goes_in_and_the_answer_comes_out_of_one_process_again_and_again() {
    let lambda = Lambda::start();
    for runtime in RUNTIMES {
        let event = json!({"text": "häß\u{1f600}", "list": [1, 2.5, null], "deep": {"a": {"b": "\"\\\n"}}});
        let answers = [0, 1, 2].map(|_| lambda.answer(runtime, &event.to_string()));
        assert_eq!(answers[0]["event"], event, "{runtime}");
        assert!(answers.iter().all(|answer| pid(answer) == pid(&answers[0])), "{runtime} starts a process for each: {answers:?}");
    }
}

#[test]
fn a_function_sees_what_lambda_tells_it() {
    let lambda = Lambda::start();
    let context = base64::encode(br#"{"custom": {"a": "b"}, "client": {}, "env": {}}"#);
    let headers =
        [("x-amz-client-context", context.as_str()), ("x-amzn-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1")];
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:python:live";
    let called = lambda.call(&arn.replace(':', "%3A"), "{}", &headers);
    let answer = json(&called);
    assert_eq!(text(&answer, "requestId"), called.header("x-amzn-requestid").expect("an id"));
    assert_eq!(called.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(text(&answer, "arn"), arn);
    assert_eq!(text(&answer, "functionName"), "python");
    assert_eq!(text(&answer, "functionVersion"), "$LATEST");
    assert_eq!(text(&answer, "memory"), "128");
    assert_eq!(text(&answer, "logGroup"), "/aws/lambda/python");
    assert_eq!(text(&answer, "trace"), headers[1].1);
    assert_eq!(answer["client"], json!({"a": "b"}));
    let remaining = answer["remaining"].as_u64().expect("a number");
    assert!((1000..=3000).contains(&remaining), "{remaining}");
    let environment = &answer["environment"];
    assert_eq!(text(environment, "GREETING"), "hi");
    assert_eq!((text(environment, "AWS_REGION"), text(environment, "TZ")), ("us-east-1", ":UTC"));
    assert_eq!(text(environment, "_HANDLER"), "app.handler");
    assert!(text(environment, "LAMBDA_TASK_ROOT").ends_with("/host-test/tests/functions"), "{environment}");
    // By its name alone it has the ARN that it would have.
    assert_eq!(text(&lambda.answer("python", "{}"), "arn"), "arn:aws:lambda:us-east-1:000000000000:function:python");
    let by_version = lambda.call("python:7", "{}", &[]);
    assert_eq!(by_version.header("x-amz-executed-version"), Some("7"));
    let answer = lambda.answer("patient", "{}");
    assert_eq!(text(&answer, "memory"), "256");
    assert!((18_000..=20_000).contains(&answer["remaining"].as_u64().expect("a number")), "{answer}");
}

#[test]
fn the_headers_of_an_invocation_are_those_that_are_documented() {
    let lambda = Lambda::start();
    let answer = lambda.answer("raw", "");
    assert_eq!(answer["event"], json!({}), "no payload is an empty object");
    let mut names: Vec<&String> = answer["headers"].as_object().expect("headers").keys().collect();
    names.retain(|name| !["date", "content-length"].contains(&name.as_str()));
    names.sort_unstable();
    let documented = [
        "content-type",
        "lambda-runtime-aws-request-id",
        "lambda-runtime-deadline-ms",
        "lambda-runtime-invoked-function-arn",
        "lambda-runtime-trace-id",
    ];
    assert_eq!(names, documented);
    assert!(text(&answer["headers"], "lambda-runtime-trace-id").starts_with("Root=1-"), "{answer}");
}

#[test]
fn what_the_runtime_api_does_not_allow_is_refused_and_does_no_harm() {
    let lambda = Lambda::start();
    let answer = lambda.answer("raw", r#"{"do": "wrong"}"#);
    let seen = json!({"unknown id": 400, "next too early": 403, "init error too late": 403, "no route": 404, "wrong method": 404});
    assert_eq!(answer["seen"], seen);
    lambda.server.wait_for(r#"response: 202 {"status":"OK"}"#);
    assert_eq!(pid(&lambda.answer("raw", "{}")), pid(&answer));
}

// --- failures ---------------------------------------------------------------------------------------------------------------

#[test]
fn an_error_of_the_function_is_told_as_it_tells_it_and_its_process_goes_on() {
    let lambda = Lambda::start();
    let before = [("python", pid(&lambda.answer("python", "{}"))), ("node", pid(&lambda.answer("node", "{}")))];
    let python = lambda.failure("python", r#"{"do": "raise"}"#);
    assert_eq!((text(&python, "errorType"), text(&python, "errorMessage")), ("ValueError", "no such pet"));
    assert!(python["stackTrace"][0].as_str().is_some_and(|line| line.contains("app.py")), "{python}");
    let node = lambda.failure("node", r#"{"do": "raise"}"#);
    assert_eq!((text(&node, "errorType"), text(&node, "errorMessage")), ("TypeError", "no such pet"));
    assert!(node["trace"].is_array(), "{node}");
    let raw = lambda.failure("raw", r#"{"do": "error"}"#);
    assert_eq!(raw, json!({"errorType": "Own.Error", "errorMessage": "as it was posted"}));
    for (runtime, pid_before) in before {
        assert_eq!(pid(&lambda.answer(runtime, "{}")), pid_before, "{runtime}");
    }
}

#[test]
fn a_function_that_takes_too_long_is_ended_with_all_that_it_started_and_the_next_call_has_a_new_one() {
    let lambda = Lambda::start();
    let first = pid(&lambda.answer("hasty", "{}"));
    let begun = Instant::now();
    let failure = lambda.failure("hasty", r#"{"do": "child", "seconds": 1000}"#);
    let took = begun.elapsed();
    assert_eq!((text(&failure, "errorType"), message(&failure)), ("Sandbox.Timedout", "Task timed out after 1.00 seconds"));
    assert!((Duration::from_secs(1)..Duration::from_secs(5)).contains(&took), "{took:?}");
    let child = lambda.server.wait_for("| child ");
    let child: u64 = child.rsplit(' ').next().and_then(|pid| pid.parse().ok()).expect("a pid");
    lambda.server.wait_for("Status: timeout");
    gone(child);
    gone(first);
    assert_ne!(pid(&lambda.answer("hasty", "{}")), first);
}

#[test]
fn a_process_that_ends_is_told_of_and_the_next_call_has_a_new_one() {
    let lambda = Lambda::start();
    let first = pid(&lambda.answer("hasty", "{}"));
    for (event, wanted) in [
        (r#"{"do": "exit", "code": 3}"#, "Runtime exited with error: exit status 3"),
        (r#"{"do": "exit", "code": 0}"#, "Runtime exited without providing a reason"),
        (r#"{"do": "die"}"#, "Runtime exited with error: signal: killed"),
    ] {
        let failure = lambda.failure("hasty", event);
        assert_eq!((text(&failure, "errorType"), message(&failure)), ("Runtime.ExitError", wanted));
        let next = pid(&lambda.answer("hasty", "{}"));
        assert_ne!(next, first, "{event}");
    }
    // It answered, and ended before it asked for more: the answer counts.
    let left = pid(&lambda.answer("one", r#"{"do": "leave"}"#));
    assert_ne!(pid(&lambda.answer("one", "{}")), left);
}

#[test]
fn a_process_that_cannot_start_is_told_of_in_the_words_of_lambda() {
    let lambda = Lambda::start();
    let at_start = [
        ("ends", "Runtime.ExitError", "Runtime exited without providing a reason"),
        ("fails", "Runtime.ExitError", "Runtime exited with error: exit status 7"),
    ];
    for (function, error_type, wanted) in at_start {
        let failure = lambda.failure(function, "{}");
        assert_eq!((text(&failure, "errorType"), message(&failure)), (error_type, wanted));
    }
    lambda.server.wait_for("Phase: init\tStatus: error\tError Type: Runtime.ExitError");
    let failure = lambda.failure("no-program", "{}");
    assert_eq!(text(&failure, "errorType"), "Runtime.InvalidEntrypoint");
    assert!(message(&failure).ends_with("no-such-program: no such file or directory"), "{failure}");
    let failure = lambda.failure("no-folder", "{}");
    assert_eq!(text(&failure, "errorType"), "Runtime.InvalidWorkingDir");
    // These two say themselves what is wrong.
    let failure = lambda.failure("no-database", "{}");
    assert_eq!(failure, json!({"errorType": "Own.NoDatabase", "errorMessage": "there is no database", "stackTrace": []}));
    let failure = lambda.failure("no-module", "{}");
    assert_eq!(text(&failure, "errorType"), "Runtime.ImportModuleError");
    assert!(text(&failure, "errorMessage").contains("No module named 'nothing'"), "{failure}");
}

#[test]
fn a_process_that_never_asks_for_work_is_given_ten_seconds() {
    let lambda = Lambda::start();
    let begun = Instant::now();
    let failure = lambda.failure("hangs", "{}");
    assert_eq!((text(&failure, "errorType"), message(&failure)), ("Sandbox.Timedout", "Task timed out after 10.00 seconds"));
    assert!((Duration::from_secs(10)..Duration::from_secs(15)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[test]
fn starts_that_fail_come_ever_more_slowly_and_one_that_works_ends_that() {
    let lambda = Lambda::start();
    let begun = Instant::now();
    for _ in 0..4 {
        lambda.failure("fails", "{}");
    }
    // 100, 200 and 400 ms behind the first three.
    assert!(begun.elapsed() >= Duration::from_millis(700), "{:?}", begun.elapsed());
}

// --- how many at once -------------------------------------------------------------------------------------------------------

#[test]
fn a_busy_function_gets_another_process_until_there_are_as_many_as_it_may_have() {
    let lambda = Lambda::start();
    let sleep = r#"{"do": "sleep", "seconds": 3}"#;
    let client = *lambda;
    std::thread::scope(|scope| {
        let begun = Instant::now();
        let running = [0, 1].map(|_| scope.spawn(move || pid(&client.answer("patient", sleep))));
        // Both have begun.
        (0..2).for_each(|_| drop(lambda.server.wait_for("START")));
        let (status, error_type, body) = lambda.refusal("patient", "{}", &[]);
        assert_eq!((status, error_type.as_str()), (429, "TooManyRequestsException"));
        let reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
        assert_eq!(body, json!({"Reason": reason, "Type": "User", "message": "Rate Exceeded."}));
        let pids = running.map(|thread| thread.join().expect("it answers"));
        assert_ne!(pids[0], pids[1]);
        assert!(begun.elapsed() < Duration::from_millis(5900), "one after the other: {:?}", begun.elapsed());
        let next = pid(&lambda.answer("patient", "{}"));
        assert!(pids.contains(&next), "both processes are idle, and a third was started");
    });
    assert_eq!(lambda.refusal("off", "{}", &[]).0, 429, "0 is none at all");
    assert_eq!(lambda.refusal("off", "{}", &[("x-amz-invocation-type", "Event")]).0, 429);
}

#[test]
fn an_answer_is_not_kept_back_by_what_the_process_does_behind_it() {
    let lambda = Lambda::start();
    let first = pid(&lambda.answer("one", "{}"));
    let begun = Instant::now();
    assert_eq!(pid(&lambda.answer("one", r#"{"do": "linger", "seconds": 1}"#)), first);
    assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
    assert_eq!(lambda.refusal("one", "{}", &[]).0, 429, "it still works");
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(pid(&lambda.answer("one", "{}")), first);
    // It has the time of the invocation for that, and not more.
    assert_eq!(pid(&lambda.answer("one", r#"{"do": "linger", "seconds": 1000}"#)), first);
    lambda.server.wait_for("the process did not ask for more in time");
    gone(first);
}

// --- the Invoke API ---------------------------------------------------------------------------------------------------------

#[test]
fn an_event_is_accepted_at_once_and_done_in_the_background_one_behind_the_other() {
    let lambda = Lambda::start();
    let begun = Instant::now();
    for _ in 0..3 {
        let accepted = lambda.call("hasty", r#"{"do": "sleep", "seconds": 0.5}"#, &[("x-amz-invocation-type", "Event")]);
        assert_eq!((status(&accepted), accepted.body.as_slice()), (202, b"".as_slice()));
        assert_eq!(accepted.header("x-amzn-requestid").map(str::len), Some(36));
    }
    assert!(begun.elapsed() < Duration::from_millis(400), "{:?}", begun.elapsed());
    for _ in 0..3 {
        lambda.server.wait_for("REPORT");
    }
    assert!(begun.elapsed() >= Duration::from_millis(1500), "{:?}", begun.elapsed());
}

#[test]
fn what_lambda_does_not_take_is_refused_in_its_words() {
    let lambda = Lambda::start();
    let (status_of, error_type, body) = lambda.refusal("nobody:live", "{}", &[]);
    assert_eq!((status_of, error_type.as_str()), (404, "ResourceNotFoundException"));
    assert_eq!(
        body,
        json!({"Type": "User", "Message": "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:live"})
    );
    // The region is that of the host, as a gateway asks.
    let (.., body) = lambda.refusal("nobody", "{}", &[("host", "lambda.eu-west-1.amazonaws.com")]);
    assert_eq!(text(&body, "Message"), "Function not found: arn:aws:lambda:eu-west-1:000000000000:function:nobody");

    let (status_of, error_type, body) = lambda.refusal("raw", "{no", &[]);
    assert_eq!((status_of, error_type.as_str()), (400, "InvalidRequestContentException"));
    assert!(
        text(&body, "message").starts_with("Could not parse request body into json: Could not parse payload into json: "),
        "{body}"
    );
    assert_eq!(text(&body, "Type"), "User");
    assert_eq!(lambda.refusal("raw", "{} {}", &[]).0, 400);

    let (status_of, error_type, body) = lambda.refusal("raw", "{}", &[("x-amz-client-context", "no base64!")]);
    assert_eq!((status_of, error_type.as_str()), (400, "InvalidRequestContentException"));
    assert_eq!(text(&body, "message"), "Client context must be a valid Base64-encoded JSON object.");

    let (status_of, error_type, body) = lambda.refusal("raw", "{}", &[("x-amz-invocation-type", "Later")]);
    assert_eq!((status_of, error_type.as_str()), (400, "ValidationException"));
    assert!(text(&body, "message").contains("Value 'Later' at 'invocationType'"), "{body}");
    assert_eq!(lambda.refusal("a%20b", "{}", &[]).1, "ValidationException");

    // What any page in a browser of this machine can send.
    let page = [("origin", "https://elsewhere.example"), ("content-type", "text/plain")];
    assert_eq!((lambda.refusal("raw", "{}", &page).0), 403);

    let dry = lambda.call("raw", "{}", &[("x-amz-invocation-type", "DryRun")]);
    assert_eq!(status(&dry), 204);
    let other = lambda.ask("GET", "/2015-03-31/functions/raw/invocations");
    assert_eq!((status(&other), other.header("x-amzn-errortype")), (404, Some("UnknownOperationException")));
    assert_eq!(status(&lambda.ask("POST", "/2015-03-31/functions/a/b/invocations")), 404);
}

#[test]
fn payloads_are_taken_and_given_up_to_the_limits_of_lambda() {
    const LIMIT: usize = 6 * 1024 * 1024;
    let lambda = Lambda::start();
    let payload = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    let answer = lambda.answer("python", &payload(LIMIT - 1000));
    assert_eq!(answer["event"].as_str().map(str::len), Some(LIMIT - 1002));
    let (status_of, error_type, body) = lambda.refusal("python", &payload(LIMIT + 1), &[]);
    assert_eq!((status_of, error_type.as_str()), (413, "RequestTooLargeException"));
    assert_eq!(text(&body, "message"), "Request must be smaller than 6291456 bytes for the InvokeFunction operation");
    let event = [("x-amz-invocation-type", "Event")];
    assert_eq!(lambda.refusal("python", &payload(1024 * 1024 + 1), &event).0, 413);
    let too_large = json!({
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    });
    assert_eq!(lambda.failure("python", r#"{"do": "large", "bytes": 7000000}"#), too_large);
    lambda.answer("python", "{}");
}

#[test]
fn the_end_of_the_log_is_handed_out_to_who_asks_for_it() {
    let lambda = Lambda::start();
    for runtime in ["python", "node"] {
        let called = lambda.call(runtime, r#"{"do": "print"}"#, &[("x-amz-log-type", "Tail")]);
        let log = base64::decode(called.header("x-amz-log-result").expect("a log").as_bytes()).expect("base64");
        let log = String::from_utf8(log).expect("text");
        let id = called.header("x-amzn-requestid").expect("an id");
        let begin = log.find(&format!("START RequestId: {id} Version: $LATEST\n")).expect("it begins");
        let said = log.find("on stdout\n").expect("what it said");
        let end = log.find(&format!("END RequestId: {id}\nREPORT RequestId: {id}\tDuration: ")).expect("it ends");
        assert!(begin < said && said < end && log.contains("\tInit Duration: "), "{log}");
        assert!(runtime == "node" || log.contains("on stderr\n"), "{log}");
    }
    assert_eq!(lambda.call("python", "{}", &[]).header("x-amz-log-result"), None);
}

#[test]
fn a_server_that_stops_leaves_no_process_behind() {
    let mut lambda = Lambda::start();
    let idle = RUNTIMES.map(|runtime| pid(&lambda.answer(runtime, "{}")));
    let event = lambda.call("patient", r#"{"do": "child", "seconds": 1000}"#, &[("x-amz-invocation-type", "Event")]);
    assert_eq!(status(&event), 202);
    let child = lambda.server.wait_for("| child ");
    let child: u64 = child.rsplit(' ').next().and_then(|pid| pid.parse().ok()).expect("a pid");
    assert!(idle.iter().chain([&child]).all(|pid| is_there(*pid)));
    assert!(lambda.server.stop().success());
    idle.into_iter().chain([child]).for_each(gone);
}

// --- the document -----------------------------------------------------------------------------------------------------------

#[test]
fn mistakes_in_functions_are_told_with_their_place_and_nothing_is_started() {
    let folder = std::env::temp_dir().join(format!("tollgate-functions-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let path = |name: &str| folder.join(name).to_str().expect("paths are UTF-8").to_owned();
    let definition = "apis:\n  - name: a\n    stages: [{stageName: s}]\n    definition: {openapi: 3.0.1, paths: {}}\n";
    let wrong = "functions:\n  hello:\n    command: [x]\n    timout: 3\n    memorySize: 12\n";
    std::fs::write(folder.join("wrong.yaml"), format!("{definition}{wrong}")).expect("a file can be written");
    std::fs::write(folder.join("alone.json"), r#"{"functions": {"hello": {"command": "x"}}}"#).expect("a file can be written");
    std::fs::write(folder.join("none.yaml"), definition).expect("a file can be written");
    let wrong = path("wrong.yaml");
    for command in [vec!["lint", &wrong], vec!["serve", &wrong, "--listen", "127.0.0.1:0"], vec!["functions", &wrong]] {
        let output = tollgate(&command);
        let said = printed(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        for told in ["unknown key `timout`", "wrong.yaml:8:5", "$.functions.hello.memorySize", "from 128 to 10240"] {
            assert!(said.contains(told), "{command:?}: no {told}\n{said}");
        }
    }
    let output = tollgate(&["functions", &path("alone.json")]);
    assert!(output.status.code() == Some(1) && printed(&output).contains("$.functions.hello.command"), "{}", printed(&output));
    let output = tollgate(&["functions", &path("none.yaml")]);
    assert!(output.status.code() == Some(1) && printed(&output).contains("has no `functions`"), "{}", printed(&output));
    assert_eq!(tollgate(&["functions", &path("gone.yaml")]).status.code(), Some(2));
    let _ = std::fs::remove_dir_all(&folder);
}

// --- behind a gateway -------------------------------------------------------------------------------------------------------

/// `serve` with the functions of `gateway.yaml`.
fn serve() -> Server {
    Server::start(&["serve", &file("gateway.yaml")])
}

#[test]
fn serve_runs_the_functions_of_its_document_and_names_those_that_it_has_not() {
    let mut server = serve();
    assert!(
        server.before.contains("the definition calls the function `elsewhere`, which `functions` does not have"),
        "{}",
        server.before
    );
    let address = server.address.parse().expect("an address");
    let ask = |token: &str| gateway::get(address, "rest.test", "/test/guarded", &[("authorization", token)]);
    let allowed = ask("let me in");
    assert_eq!(status(&allowed), 200, "{}", String::from_utf8_lossy(&allowed.body));
    let guard = pid(&json(&allowed));
    assert_eq!(status(&ask("no")), 403);
    assert_eq!(pid(&json(&ask("let me in"))), guard, "one process does them all");
    let missing = gateway::get(address, "rest.test", "/test/missing", &[]);
    assert_eq!(status(&missing), 500, "{}", String::from_utf8_lossy(&missing.body));
    assert!(server.stop().success());
    gone(guard);
}

#[test]
fn an_upstream_that_the_user_names_is_asked_in_the_place_of_the_functions() {
    let lambda = Lambda::start();
    for name in ["lambda.us-east-1.amazonaws.com", "lambda"] {
        let upstream = format!("{name}=http://{}", lambda.server.address);
        let server = Server::start(&["serve", &file("gateway.yaml"), "--upstream", &upstream]);
        assert!(server.before.contains("`--upstream` says where `lambda.us-east-1.amazonaws.com` is"), "{}", server.before);
        let address = server.address.parse().expect("an address");
        let refused = gateway::get(address, "rest.test", "/test/guarded", &[("authorization", "let me in")]);
        assert_eq!(status(&refused), 500, "{name}: that Lambda has no `guard`");
    }
}

#[test]
fn explain_asks_the_functions_of_its_document_and_leaves_none_behind() {
    let route = ["explain", "GET", "rest.test/test/guarded", &file("gateway.yaml"), "-H", "authorization: let me in"];
    let output = tollgate(&[&route[..], &["--format", "json"]].concat());
    assert!(output.status.success(), "{}", printed(&output));
    let explained: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    gone(pid(&serde_json::from_str(text(&explained["response"], "body")).expect("the function is in the answer")));
}

#[test]
fn a_changed_document_has_new_processes_and_the_old_ones_end() {
    let folder = std::env::temp_dir().join(format!("tollgate-functions-watch-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let text = std::fs::read_to_string(file("gateway.yaml")).expect("it is there");
    let text = text.replace("../../..", repository_path().as_str());
    std::fs::copy(file("app.py"), folder.join("app.py")).expect("a file can be copied");
    std::fs::write(folder.join("gateway.yaml"), &text).expect("a file can be written");
    let server = Server::start(&["serve", folder.join("gateway.yaml").to_str().expect("UTF-8"), "--watch"]);
    let address = server.address.parse().expect("an address");
    let guard = || pid(&json(&gateway::get(address, "rest.test", "/test/guarded", &[("authorization", "let me in")])));
    let first = guard();
    std::fs::write(folder.join("gateway.yaml"), format!("{text}# changed\n")).expect("a file can be written");
    server.wait_for("serving the changed definition");
    gone(first);
    assert_ne!(guard(), first);
    let _ = std::fs::remove_dir_all(&folder);
}

fn repository_path() -> String {
    process::repository().to_str().expect("paths are UTF-8").to_owned()
}

#[test]
fn events_of_both_formats_have_the_keys_that_were_recorded_through_serve() {
    let server = serve();
    gateway::assert_events(server.address.parse().expect("an address"));
}

#[test]
fn events_of_both_formats_have_the_keys_that_were_recorded_through_envoy() {
    let lambda = Server::start(&["functions", &file("gateway.yaml")]);
    let envoy = gateway::Gateway::start(lambda.address.parse().expect("an address"));
    let allowed = gateway::get(envoy.address(), "rest.test", "/test/guarded", &[("authorization", "let me in")]);
    assert_eq!(status(&allowed), 200, "{}", String::from_utf8_lossy(&allowed.body));
    gateway::assert_events(envoy.address());
    let missing = gateway::get(envoy.address(), "rest.test", "/test/missing", &[]);
    assert_eq!(status(&missing), 500);
}
