//! What the fuzz targets share.
//!
//! Each target in `fuzz_targets` feeds bytes to one parser of the filter and asserts more than that it does not panic: whatever
//! is accepted has to be what it should be. `fuzz/run` builds and runs them (see the Makefile), `fuzz/seeds` writes what they
//! begin with, `fuzz/dictionaries` has the words that they put in.
//!
//! An assertion about secrets or signatures cannot be met by luck: the targets sign what they want to be accepted themselves.

mod ask;
pub mod documents;
mod play;
mod reader;
pub mod signing;
mod world;

pub use ask::{Asked, ask};
pub use play::play;
pub use reader::Reader;
pub use world::{START_MILLIS, Worker, World};

use std::sync::Arc;
use tollgate::compile::compile;
use tollgate::exchange::Exchange;
use tollgate::flow::{CalloutOutcome, Effect, Event, NoReply};
use tollgate::gateway::Gateway;
use tollgate::http::{Headers, RequestHead, Response, ResponseHead, is_field_name, is_field_value};
use tollgate::platform::{Level, Platform, Version};

/// A host of plain values: it keeps nothing, and its clock stands.
pub struct Host {
    /// The request's body.
    pub body: Vec<u8>,
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The gateway answered it.
    Answered(u16),
    /// It went upstream.
    Forwarded,
    /// It waits for something that does not come.
    Held,
}

/// Numbers out of an input: the same ones each time, or a find could not be reproduced.
pub struct Numbers(u64);

/// What access logs of the targets have: what callers and functions say.
const LOGGED: [&str; 8] = [
    "requestId",
    "path",
    "identity.userAgent",
    "authorizer.principalId",
    "authorizer.key",
    "authorizer.error",
    "error.message",
    "responseLength",
];

/// An access log that is one JSON object, whatever its values are.
pub fn access_log() -> serde_json::Value {
    let members: Vec<String> = LOGGED.iter().map(|name| format!("\"{name}\":\"$context.{name}\"")).collect();
    serde_json::json!({"format": format!("{{{}}}", members.join(","))})
}

/// Whether a line of such a log is still one JSON object of so many members, and nothing but it.
fn is_logged(line: &str, members: usize) -> bool {
    let object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line);
    object.is_ok_and(|object| object.len() == members) && !line.contains(char::is_control)
}

/// No request of the targets needs more events.
const EVENTS: usize = 8;

/// The parts of an input that has several, with NUL between them; what is missing is empty.
pub fn parts<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let mut parts = data.splitn(N, |byte| *byte == 0);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The same of an input that is text.
pub fn text_parts<const N: usize>(data: &[u8]) -> Option<[&str; N]> {
    let mut texts = [""; N];
    for (text, part) in texts.iter_mut().zip(parts::<N>(data)) {
        *text = std::str::from_utf8(part).ok()?;
    }
    Some(texts)
}

/// What work has as its result, which must not take longer: by the clock of this process, so that a busy machine does no harm.
pub fn within<T>(seconds: u64, what: &str, work: impl FnOnce() -> T) -> T {
    within_millis(seconds * 1000, what, work)
}

/// The same of something small.
pub fn within_millis<T>(millis: u64, what: &str, work: impl FnOnce() -> T) -> T {
    unsafe extern "C" {
        safe fn clock() -> std::ffi::c_long;
    }
    let begin = clock();
    let done = work();
    // POSIX: a million a second.
    let spent = u64::try_from(clock().saturating_sub(begin)).unwrap_or_default();
    assert!(spent <= millis * 1000, "{what} took {spent} µs");
    done
}

/// Sends a request through a gateway; each call that it makes has the outcome given. Every head that comes out is looked at. Tells
/// what became of it, and the number of calls.
pub fn send(gateway: &Arc<Gateway>, head: RequestHead, body: &[u8], outcome: &CalloutOutcome) -> (Outcome, u32) {
    let mut host = Host { body: body.to_vec() };
    let mut exchange = Exchange::new(Arc::clone(gateway));
    let (outcome, calls) = run(&mut exchange, head, outcome, &mut host);
    exchange.close(&host);
    (outcome, calls)
}

fn run(exchange: &mut Exchange, head: RequestHead, outcome: &CalloutOutcome, host: &mut Host) -> (Outcome, u32) {
    let size = host.body.len();
    let mut calls = 0;
    let mut event = Event::RequestHead { head, end: size == 0 };
    for _ in 0..EVENTS {
        event = match exchange.on(event, host) {
            Effect::Call(ticket, callout) => {
                calls += 1;
                callout.http_head().into_iter().for_each(check_request);
                Event::CalloutDone { ticket, outcome: outcome.clone() }
            }
            Effect::Hold => Event::RequestBody { size, end: true },
            Effect::Forward(head) => {
                check_request(&head);
                answer_upstream(exchange, host);
                return (Outcome::Forwarded, calls);
            }
            Effect::Reply(response) => {
                check_response(&response.head);
                return (Outcome::Answered(response.head.status), calls);
            }
            other => panic!("no effect of a request that is not answered yet: {other:?}"),
        };
    }
    (Outcome::Held, calls)
}

/// The upstream's answer goes back to the client, or another one in its place.
fn answer_upstream(exchange: &mut Exchange, host: &mut Host) {
    let headers = [("content-type", "application/json"), ("connection", "close"), ("x-a", "b")];
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    let head = ResponseHead { status: 200, headers };
    match exchange.on(Event::ResponseHead { head, end: true }, host) {
        Effect::Relay(head) => check_response(&head),
        Effect::Replace(response) | Effect::Reply(response) => check_response(&response.head),
        Effect::Continue => {}
        other => panic!("no effect of a response: {other:?}"),
    }
}

/// Nothing of it ends a line early, or is no HTTP.
pub fn check_request(head: &RequestHead) {
    assert!(is_field_name(&head.method), "{head:?}");
    assert!(head.path.starts_with(b"/") && head.path.iter().all(u8::is_ascii_graphic), "{head:?}");
    assert!(is_field_value(&head.authority), "{head:?}");
    check_fields(&head.headers);
}

/// A head that goes to a client is HTTP.
pub fn check_response(head: &ResponseHead) {
    assert!((200..600).contains(&head.status), "{head:?}");
    check_fields(&head.headers);
}

/// No field ends its line early.
pub fn check_fields(headers: &Headers) {
    for (name, value) in headers.iter() {
        assert!(is_field_name(name) && is_field_value(value), "{name:?}: {:?}", String::from_utf8_lossy(value));
    }
}

/// Something of a fixed text that has to compile.
pub fn gateway(document: &serde_json::Value) -> Gateway {
    let compiled = compile(document);
    compiled.gateway.unwrap_or_else(|| panic!("{:#?}", compiled.problems))
}

/// What Envoy adds to every answer of a backend, and to none of its own.
pub const UPSTREAM: (&str, &str) = ("x-envoy-upstream-service-time", "1");

/// A call that nobody answered.
pub fn no_reply() -> CalloutOutcome {
    Err(NoReply)
}

/// A call that was answered.
pub fn reply(status: u16, headers: &[(&str, &str)], body: &[u8]) -> CalloutOutcome {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    Ok(Response { head: ResponseHead { status, headers }, body: body.to_vec() })
}

/// A request head.
pub fn request(method: &str, path: &str, authority: &str, headers: &[(&str, &str)]) -> RequestHead {
    RequestHead {
        method: method.to_owned(),
        path: path.as_bytes().to_vec(),
        authority: authority.as_bytes().to_vec(),
        scheme: "https".to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect(),
    }
}

// === impl Host ===

impl Platform for Host {
    fn now_millis(&self) -> u64 {
        1_767_323_045_000
    }

    fn monotonic_nanos(&self) -> u64 {
        self.now_millis() * 1_000_000
    }
    fn random(&mut self) -> [u8; 16] {
        [7; 16]
    }
    fn source_address(&self) -> Option<String> {
        Some("192.0.2.1:1234".to_owned())
    }
    fn response_code_details(&self) -> Option<String> {
        Some("via_upstream".to_owned())
    }
    fn request_body(&self) -> Vec<u8> {
        self.body.clone()
    }
    fn verify_signature(&self, _: &str, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }
    fn shared_data(&self, _: &str) -> Option<(Vec<u8>, u32)> {
        None
    }
    fn set_shared_data(&self, _: &str, _: &[u8], _: Version) -> bool {
        true
    }
    fn log(&self, _: Level, message: &str) {
        assert!(!message.contains(['\n', '\r']), "{message:?}");
    }
    fn write_access_log(&self, line: &str) {
        assert!(is_logged(line, LOGGED.len()), "{line:?}");
    }
}

// === impl Numbers ===

impl Numbers {
    /// FNV-1a of the input.
    pub fn of(data: &[u8]) -> Self {
        Self(data.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)))
    }

    /// The next one, xorshift64*; 0 where there is no choice.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}
