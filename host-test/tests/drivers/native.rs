//! The exchange itself, no wasm around it: events in the order in which Envoy makes them, effects carried out as the shell and
//! Envoy carry them out. Time stands still, so a backend that hangs costs nothing. What requests share (counts, above all) lives as
//! long as the document that was loaded.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tollgate::compile::{Compiled, compile};
use tollgate::exchange::Exchange;
use tollgate::flow::{Callout, CalloutOutcome, Effect, Event, NoReply, Question};
use tollgate::gateway::Gateway;
use tollgate::http::{Headers, RequestHead, Response, ResponseHead};
use tollgate::platform::{Level, Platform, Version};

use super::body::{latin1, to_latin1};
use super::case::Request;
use super::observation::{Observation, UpstreamRequest, execution_log, sorted};
use super::router::{Answer, BUFFER_LIMIT, downstream_head, local, route};
use super::{Clusters, Driver};

/// 2026-01-02T03:04:05.678Z
const NOW_MILLIS: u64 = 1_767_323_045_678;

/// Compiled documents, by name.
#[derive(Default)]
pub struct Native {
    gateways: BTreeMap<String, Loaded>,
    requests: u64,
}

/// A compiled document, and what its requests share.
struct Loaded {
    gateway: Arc<Gateway>,
    shared: Rc<RefCell<SharedData>>,
}

/// Shared data by Envoy's rules.
#[derive(Default)]
struct SharedData {
    values: BTreeMap<String, (Vec<u8>, u32)>,
    last: u32,
}

/// What the gateway asks of its host, answered from plain values.
struct Port {
    random: u64,
    details: Option<String>,
    body: Vec<u8>,
    shared: Rc<RefCell<SharedData>>,
    waited_millis: u64,
    access_log: RefCell<Option<String>>,
    logged: RefCell<Vec<String>>,
}

struct Stream<'a> {
    exchange: Exchange,
    port: Port,
    clusters: &'a Clusters,
    is_head: bool,
    upstream: Vec<UpstreamRequest>,
}

/// How the request side of a stream ended.
enum Outcome {
    Forwarded(Box<RequestHead>, Vec<u8>),
    Answered(Answer),
}

// === impl Native ===

impl Driver for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn now(&self) -> Duration {
        Duration::from_millis(NOW_MILLIS)
    }

    fn load(&mut self, name: &str, document: &Value) -> Result<(), String> {
        let Compiled { gateway, problems, .. } = compile(document);
        match gateway {
            Some(gateway) => {
                let loaded = Loaded { gateway: Arc::new(gateway), shared: Rc::default() };
                self.gateways.insert(name.to_owned(), loaded);
                Ok(())
            }
            None => Err(problems.iter().map(|p| format!("{p}\n")).collect()),
        }
    }

    fn observe(&mut self, name: &str, request: &Request, clusters: &Clusters) -> Result<Observation, String> {
        self.requests += 1;
        let Loaded { gateway, shared } = self.gateways.get(name).ok_or_else(|| format!("`{name}` is not loaded"))?;
        Stream {
            exchange: Exchange::new(gateway.clone()),
            port: Port {
                random: self.requests,
                details: None,
                body: Vec::new(),
                shared: shared.clone(),
                waited_millis: 0,
                access_log: RefCell::default(),
                logged: RefCell::default(),
            },
            clusters,
            is_head: request.method == "HEAD",
            upstream: Vec::new(),
        }
        .run(request)
    }
}

// === impl Stream ===

impl Stream<'_> {
    /// One event, and the calls that the exchange makes because of it: time stands still, so each is answered at once.
    fn on(&mut self, event: Event) -> Effect {
        let mut effect = self.exchange.on(event, &mut self.port);
        while let Effect::Call(ticket, callout) = effect {
            let outcome = self.call(callout);
            effect = self.exchange.on(Event::CalloutDone { ticket, outcome }, &mut self.port);
        }
        effect
    }

    /// Envoy's client for callouts goes through the same router, with the cluster and the time given.
    fn call(&mut self, callout: Callout) -> CalloutOutcome {
        let Callout { cluster, question, timeout_millis } = callout;
        // The backends of case files speak HTTP/1.1.
        let Question::Http { mut head, body } = question else { return Err(NoReply) };
        head.headers.append("x-tollgate-cluster", cluster);
        head.headers.append("x-envoy-upstream-rq-timeout-ms", timeout_millis.to_string());
        head.headers.append("x-envoy-internal", "true");
        head.headers.append("x-forwarded-proto", "http");
        if !body.is_empty() {
            head.headers.set("content-length", body.len().to_string());
        }
        let Answer { mut head, pieces, details, breaks_off, stalls, .. } =
            route(head, body, &[], self.clusters, &mut self.upstream);
        if stalls {
            self.port.waited_millis += timeout_millis;
        }
        if breaks_off {
            return Err(NoReply);
        }
        if details.as_deref() == Some("via_upstream") {
            head.headers.set("x-envoy-upstream-service-time", "0");
        }
        Ok(Response { head, body: pieces.concat() })
    }

    fn run(mut self, request: &Request) -> Result<Observation, String> {
        let answer = match self.request(request)? {
            Outcome::Answered(answer) => answer,
            Outcome::Forwarded(head, body) => route(*head, body, &trailers(request), self.clusters, &mut self.upstream),
        };
        let observation = self.response(answer)?;
        self.exchange.close(&self.port);
        let logged = self.port.logged.into_inner();
        Ok(Observation {
            upstream: self.upstream,
            access_log: self.port.access_log.into_inner(),
            execution_log: Some(execution_log(logged.iter().map(String::as_str))),
            ..observation
        })
    }

    /// Feeds the request until the exchange lets it go or answers it. Envoy tells the end of a body apart from its last bytes.
    fn request(&mut self, request: &Request) -> Result<Outcome, String> {
        let client_head = downstream_head(request);
        let pieces = request.pieces();
        let end = pieces.is_empty() && !request.is_chunked();
        let effect = self.on(Event::RequestHead { head: client_head.clone(), end });
        let mut head = None;
        let mut sent = Vec::new();
        if let Some(answer) = self.step(effect, &client_head, &mut head, &mut sent)? {
            return Ok(Outcome::Answered(answer));
        }
        let last = (!end && request.trailers.is_empty()).then(Vec::new);
        let pieces = pieces.into_iter().map(|piece| (piece, false)).chain(last.map(|piece| (piece, true)));
        for (piece, end) in pieces {
            self.port.body.extend(piece);
            let event = Event::RequestBody { size: self.port.body.len(), end };
            let effect = self.on(event);
            if let Some(answer) = self.step(effect, &client_head, &mut head, &mut sent)? {
                return Ok(Outcome::Answered(answer));
            }
            if self.port.body.len() > BUFFER_LIMIT {
                return Ok(Outcome::Answered(local(413, "request_payload_too_large", "Payload Too Large")));
            }
        }
        if !request.trailers.is_empty() {
            let effect = self.on(Event::RequestTrailers);
            if let Some(answer) = self.step(effect, &client_head, &mut head, &mut sent)? {
                return Ok(Outcome::Answered(answer));
            }
        }
        match head {
            Some(head) if self.port.body.is_empty() => Ok(Outcome::Forwarded(Box::new(head), sent)),
            _ => Err("the request is held for ever".to_owned()),
        }
    }

    /// Carries out one effect of the request side; an answer ends it.
    fn step(
        &mut self,
        effect: Effect,
        client_head: &RequestHead,
        head: &mut Option<RequestHead>,
        sent: &mut Vec<u8>,
    ) -> Result<Option<Answer>, String> {
        match effect {
            Effect::Hold => return Ok(None),
            Effect::Reply(response) => return Ok(Some(Answer::own(response))),
            Effect::Continue if head.is_none() => *head = Some(client_head.clone()),
            Effect::Continue => {}
            Effect::Forward(forwarded) if head.is_none() => *head = Some(forwarded),
            effect => return Err(format!("an effect that does not fit a request: {effect:?}")),
        }
        sent.append(&mut self.port.body);
        Ok(None)
    }

    /// Feeds the answer, whoever made it, and tells what the client gets.
    fn response(&mut self, answer: Answer) -> Result<Observation, String> {
        let Answer { head, pieces, trailers, details, breaks_off, .. } = answer;
        if breaks_off {
            return Err("a forwarded answer that breaks off is no answer to observe".to_owned());
        }
        self.port.details = details;
        let end = self.is_head || (pieces.iter().all(Vec::is_empty) && trailers.is_empty());
        let mut relayed = None;
        let (mut held, mut body) = (0, Vec::new());
        let mut discarded = false;
        let mut effect = self.on(Event::ResponseHead { head: head.clone(), end });
        let last = trailers.is_empty().then(Vec::new);
        let mut rest = pieces.into_iter().map(|piece| (piece, false)).chain(last.map(|piece| (piece, true)));
        let mut trailers_due = !end && !trailers.is_empty();
        loop {
            match effect {
                Effect::Hold => {}
                Effect::Continue => {
                    relayed.get_or_insert_with(|| head.clone());
                    held = 0;
                }
                Effect::Relay(new) if relayed.is_none() => {
                    relayed = Some(new);
                    held = 0;
                }
                Effect::Discard if relayed.is_some() => {
                    discarded = true;
                    held = 0;
                }
                Effect::Replace(response) | Effect::Reply(response) if relayed.is_none() => {
                    return self.finish(response.head, response.body, Vec::new());
                }
                effect => return Err(format!("an effect that does not fit a response: {effect:?}")),
            }
            match rest.next().filter(|_| !end) {
                Some((piece, end)) => {
                    held += piece.len();
                    body.extend(piece);
                    effect = self.on(Event::ResponseBody { size: held, end });
                }
                None if trailers_due => {
                    trailers_due = false;
                    effect = self.on(Event::ResponseTrailers);
                }
                None => break,
            }
        }
        let head = relayed.filter(|_| held == 0).ok_or("the response is held for ever")?;
        if discarded {
            body.clear();
        }
        self.finish(head, body, trailers)
    }

    /// What the HTTP codec makes of an answer.
    fn finish(&self, head: ResponseHead, mut body: Vec<u8>, trailers: Vec<(String, String)>) -> Result<Observation, String> {
        let ResponseHead { status, mut headers } = head;
        if self.is_head || matches!(status, 204 | 304) {
            body.clear();
        } else if let Some(length) = headers.get("content-length")
            && to_latin1(length) != body.len().to_string()
        {
            return Err(format!("content-length {}, but {} bytes of body", to_latin1(length), body.len()));
        }
        if !headers.contains("date") {
            headers.append("date", "Fri, 02 Jan 2026 03:04:05 GMT");
        }
        Ok(Observation {
            status,
            headers: sorted(headers.into_iter().map(|(name, value)| (name, to_latin1(&value)))),
            body,
            trailers: sorted(trailers),
            ..Observation::default()
        })
    }
}

/// The trailers that the shell lets go on.
fn trailers(request: &Request) -> Vec<(String, String)> {
    let bytes = |text: &str| latin1(text).expect("checked when the file was read");
    let sent: Headers = request.trailers.iter().map(|(name, value)| (name.to_ascii_lowercase(), bytes(value))).collect();
    let kept = Exchange::clean_trailers(sent.clone()).unwrap_or(sent);
    kept.into_iter().map(|(name, value)| (name, to_latin1(&value))).collect()
}

// === impl Answer ===

impl Answer {
    /// A reply of the filter's own, which passes its response callbacks like any other.
    fn own(response: Response) -> Self {
        Self {
            head: response.head,
            pieces: vec![response.body],
            trailers: Vec::new(),
            details: None,
            breaks_off: false,
            stalls: false,
        }
    }
}

// === impl SharedData ===

impl SharedData {
    /// Compares only with a value that is there.
    fn set(&mut self, key: &str, value: &[u8], version: Version) -> bool {
        let is_current = match (self.values.get(key), version) {
            (None, _) | (_, Version::Any) => true,
            (Some(_), Version::Missing) => false,
            (Some((_, current)), Version::Is(expected)) => *current == expected,
        };
        if is_current {
            self.last += 1;
            self.values.insert(key.to_owned(), (value.to_vec(), self.last));
        }
        is_current
    }
}

// === impl Port ===

impl Platform for Port {
    fn now_millis(&self) -> u64 {
        NOW_MILLIS
    }

    /// Stands still, too, but for backends that stall: then a call takes all of its time.
    fn monotonic_nanos(&self) -> u64 {
        (self.now_millis() + self.waited_millis) * 1_000_000
    }

    fn random(&mut self) -> [u8; 16] {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.random.to_be_bytes());
        bytes[8..].copy_from_slice(&self.random.rotate_left(31).to_be_bytes());
        bytes
    }

    fn source_address(&self) -> Option<String> {
        Some("127.0.0.1:51234".to_owned())
    }

    fn response_code_details(&self) -> Option<String> {
        self.details.clone()
    }

    fn request_body(&self) -> Vec<u8> {
        self.body.clone()
    }

    /// The gateway verifies itself; the host and Envoy do it with libraries of their own, and have to agree.
    fn verify_signature(&self, _hash: &str, _key: &[u8], _signature: &[u8], _text: &[u8]) -> Option<bool> {
        None
    }

    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.shared.borrow().values.get(key).cloned()
    }

    fn set_shared_data(&self, key: &str, value: &[u8], version: Version) -> bool {
        self.shared.borrow_mut().set(key, value, version)
    }

    fn write_access_log(&self, line: &str) {
        *self.access_log.borrow_mut() = Some(line.to_owned());
    }

    fn log(&self, _level: Level, message: &str) {
        self.logged.borrow_mut().push(message.to_owned());
    }
}
