//! All backends and functions behind the gateway under attack: one strict server, which takes nothing that no client was allowed to
//! send, and answers as badly as a request asks it to.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use socket2::SockRef;

use super::wrong_answers;
use crate::drivers::http1::{self, Message};

/// The header by which a request of the attack is known.
pub const TICKET: &str = "x-attack-ticket";

/// The header that asks for a bad answer.
pub const ANSWER: &str = "x-attack-answer";

/// What stands in whatever must reach no upstream.
pub const FORBIDDEN: &str = "smuggled";

/// What is known of the requests.
#[derive(Default)]
struct Known {
    /// The tickets that came, and how often.
    tickets: BTreeMap<String, usize>,
    /// Shots with a number below that were sent.
    sent: u64,
    finds: Vec<String>,
    arrivals: usize,
    functions: usize,
}

/// The server.
#[derive(Clone)]
pub struct Upstream {
    address: SocketAddr,
    known: Arc<Mutex<Known>>,
}

// === impl Upstream ===

impl Upstream {
    /// Starts it; it ends with the process.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there are ports");
        let address = listener.local_addr().expect("it is bound");
        let upstream = Self { address, known: Arc::default() };
        let server = upstream.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                // An error means that Envoy hung up.
                std::thread::spawn(move || drop(server.serve(stream)));
            }
        });
        upstream
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests of shots below this number may come, once each.
    pub fn expect(&self, below: u64) {
        self.known.lock().expect("no thread of it panics").sent = below;
    }

    /// What came that must not, since it was last asked.
    pub fn finds(&self) -> Vec<String> {
        std::mem::take(&mut self.known.lock().expect("no thread of it panics").finds)
    }

    /// How many requests came to backends, and how many to functions.
    pub fn arrivals(&self) -> (usize, usize) {
        let known = self.known.lock().expect("no thread of it panics");
        (known.arrivals, known.functions)
    }

    fn find(&self, what: String) {
        self.known.lock().expect("no thread of it panics").finds.push(what);
    }

    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let request = match http1::read_request(&mut reader) {
                Ok(Some(request)) => request,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::InvalidData && !error.to_string().starts_with("closed") => {
                    self.find(format!("an upstream request that is no HTTP: {error}"));
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            let answer = self.take(&request);
            let method = request.method_and_target().0;
            if !reader.buffer().is_empty() {
                self.find(format!("a second request on an upstream connection before the first is answered: {:?}", request.start));
            }
            if !wrong_answers::send(&mut stream, &answer, method, &request)? {
                // Half of them end by a reset.
                if answer.contains("reset") {
                    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
                }
                return Ok(());
            }
        }
    }

    /// Looks at a request, and tells how it is to be answered.
    fn take(&self, request: &Message) -> String {
        let (_, target) = request.method_and_target();
        let is_function = request.header("host") == Some("lambda.us-east-1.amazonaws.com");
        for problem in shape(request) {
            self.find(format!("{problem}: {:?} {:?}", request.start, request.headers));
        }
        let event: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let of_event = |name: &str| {
            let headers = event["headers"].as_object()?;
            let value = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?.1;
            Some(value.as_str()?.to_owned())
        };
        let of_head = |name: &str| request.header(name).map(str::to_owned);
        let is_authorizer = is_function
            && (target.contains("function:authorizer")
                || !target.contains("function:proxied") && !target.contains("function:custom"));
        let wished = of_head(ANSWER).or_else(|| of_event(ANSWER));
        if is_authorizer {
            self.known.lock().expect("no thread of it panics").functions += 1;
            let token = event["authorizationToken"].as_str().map(str::to_owned).or_else(|| of_event("x-user"));
            let word = token.filter(|token| token.starts_with("word-")).unwrap_or_else(|| "word-deny".to_owned());
            return format!("authorizer:{}", &word["word-".len()..]);
        }
        let ticket = of_head(TICKET).or_else(|| of_event(TICKET));
        let mut known = self.known.lock().expect("no thread of it panics");
        known.arrivals += 1;
        let sent = known.sent;
        let is_known = |ticket: &&String| number_of(ticket).is_some_and(|number| number < sent);
        let times = ticket.as_ref().filter(is_known).map(|ticket| {
            let times = known.tickets.entry(ticket.clone()).or_default();
            *times += 1;
            *times
        });
        match times {
            Some(1) => {}
            Some(times) => known.finds.push(format!("it came {times} times: {:?} {ticket:?}", request.start)),
            None => known.finds.push(format!("an upstream got what nobody sent: {:?} {:?}", request.start, request.headers)),
        }
        drop(known);
        let kind = if is_function { "function" } else { "backend" };
        let (ticket, wished) = (ticket.unwrap_or_default(), wished.unwrap_or_else(|| "ok".to_owned()));
        format!("{kind}:{wished}:{ticket}")
    }
}

/// The shot of a ticket: `t7x0` of a request, `o7` of the ordinary one behind it.
fn number_of(ticket: &str) -> Option<u64> {
    let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    match ticket.strip_prefix('t').and_then(|rest| rest.split_once('x')) {
        Some((number, place)) => digits(place).and_then(|_: u64| digits(number)),
        None => ticket.strip_prefix('o').and_then(digits),
    }
}

/// What is wrong with the shape of an upstream request.
fn shape(request: &Message) -> Vec<String> {
    let mut problems = Vec::new();
    let (method, target) = request.method_and_target();
    let all = |name: &str| request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).count();
    let mut add = |is_wrong: bool, what: &str| {
        if is_wrong {
            problems.push(what.to_owned());
        }
    };
    add(!request.start.ends_with(" HTTP/1.1") || request.start.split(' ').count() != 3, "a request line that two read differently");
    add(!target.starts_with('/') || target.bytes().any(|byte| !(0x21..=0x7e).contains(&byte)), "a target that is no path");
    add(
        method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)),
        "a method that is no token",
    );
    add(all("host") != 1, "not one host");
    add(all("content-length") + all("transfer-encoding") > 1, "two ways to know the length");
    add(request.start.contains(FORBIDDEN), "what was hidden in another request");
    // Envoy's client for calls of filters writes two of its own, whose values no client chooses.
    let is_of_calls = |name: &str, value: &str| match name {
        "x-envoy-internal" => value == "true",
        "x-envoy-expected-rq-timeout-ms" => value.parse().is_ok_and(|millis: u32| (1_000..=30_000).contains(&millis)),
        _ => false,
    };
    let is_own = |name: &str, value: &str| {
        let name = name.to_ascii_lowercase();
        name == "x-tollgate-cluster" || (name.starts_with("x-envoy-") && !is_of_calls(&name, value))
    };
    add(request.headers.iter().any(|(name, value)| is_own(name, value)), "a header of the gateway's own");
    for (name, value) in &request.headers {
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        add(!is_name, "a header name that is no token");
        add(value.chars().any(|c| matches!(c, '\r' | '\n' | '\0')), "a header value with a line end");
    }
    problems
}
