//! One stream: what comes goes into an exchange, and what comes out has to fit what came out before.

use super::oracle::{Claim, Oracle};
use super::{Trace, words};
use crate::{Reader, Worker, check_fields, check_request, check_response};
use std::fmt::Write;
use std::sync::Arc;
use tollgate::exchange::Exchange;
use tollgate::flow::{Callout, CalloutOutcome, Effect, Event, NoReply, PAYLOAD_LIMIT, Question, Ticket};
use tollgate::gateway::Gateway;
use tollgate::http::Headers;

/// How far a stream came, by what the host was told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// Nothing of the request has gone on.
    Held,
    /// The upstream has its head.
    Upstream,
    /// The client has an answer of the gateway's own, or is getting it.
    Answered,
    /// The client has the head of a response that came by.
    Responded,
}

/// What may come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    ResponseHead,
    ResponseRest,
}

/// One stream of a worker.
pub struct Stream<'w> {
    document: usize,
    exchange: Exchange,
    host: Worker<'w>,
    reached: Reached,
    claim: Claim,
    calls: Vec<(Ticket, Callout)>,
    /// The call that is waited for.
    pending: Option<Ticket>,
    /// An authorizer, a rate limit service, an integration: each is asked so often.
    asked: u32,
    replaced: bool,
    has_head: bool,
}

/// An authorizer, a rate limit service twice, an integration.
const CALLS: u32 = 4;

// === impl Stream ===

impl<'w> Stream<'w> {
    /// A stream of a gateway.
    pub fn new(document: usize, gateway: Arc<Gateway>, host: Worker<'w>) -> Self {
        Self {
            document,
            exchange: Exchange::new(gateway),
            host,
            reached: Reached::Held,
            claim: Claim::default(),
            calls: Vec::new(),
            pending: None,
            asked: 0,
            replaced: false,
            has_head: false,
        }
    }

    /// The head of a request; Envoy sends one, and a second one changes nothing.
    pub fn head(&mut self, input: &mut Reader<'_>, oracle: &mut Oracle, trace: &mut Trace) {
        let (head, claim) = words::request_head(input, self.host.source);
        if !self.has_head {
            self.claim = claim;
        }
        self.has_head = true;
        let end = input.flag();
        self.on(Event::RequestHead { head, end }, Kind::Request, oracle, trace);
    }

    /// More of the body: the host shows all that it holds, or what passes.
    pub fn body(&mut self, input: &mut Reader<'_>, oracle: &mut Oracle, trace: &mut Trace) {
        let body = words::body(input);
        let flags = input.byte();
        if self.reached == Reached::Held {
            self.host.body.extend(body);
        } else {
            self.host.body = body;
        }
        let size = match flags >> 1 {
            127 => PAYLOAD_LIMIT + 1,
            126 => usize::MAX,
            125 => PAYLOAD_LIMIT,
            _ => self.host.body.len(),
        };
        self.on(Event::RequestBody { size, end: flags & 1 == 1 }, Kind::Request, oracle, trace);
    }

    /// Trailers, which end the body.
    pub fn trailers(&mut self, oracle: &mut Oracle, trace: &mut Trace) {
        let trailers = [("x-a", "b"), ("x-amzn-requestid", "r"), ("x-envoy-x", "y")];
        let trailers: Headers = trailers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        let clean = Exchange::clean_trailers(trailers);
        check_fields(&clean.clone().unwrap_or_default());
        assert!(Exchange::clean_trailers(clean.unwrap_or_default()).is_none(), "what is clean stays so");
        self.on(Event::RequestTrailers, Kind::Request, oracle, trace);
    }

    /// The call that is waited for is over.
    pub fn answer(&mut self, input: &mut Reader<'_>, oracle: &mut Oracle, trace: &mut Trace) {
        let Some(ticket) = self.pending.take() else { return };
        let outcome = words::outcome(input);
        self.note_answer(ticket, &outcome, oracle);
        self.on(Event::CalloutDone { ticket, outcome }, Kind::Request, oracle, trace);
    }

    /// An answer of a call that was answered already, or that nobody made: it changes nothing.
    pub fn stray_answer(&mut self, input: &mut Reader<'_>, oracle: &mut Oracle, trace: &mut Trace) {
        let ticket = Ticket(if input.flag() { u32::from(input.byte()) } else { u32::MAX - u32::from(input.byte()) });
        if Some(ticket) == self.pending {
            return;
        }
        let outcome = words::outcome(input);
        let effect = self.exchange.on(Event::CalloutDone { ticket, outcome }, &mut self.host);
        assert_eq!(effect, Effect::Hold, "a stray answer");
        let _ = (oracle, write!(trace, "stray"));
    }

    /// A response comes by.
    pub fn response(&mut self, input: &mut Reader<'_>, oracle: &mut Oracle, trace: &mut Trace) {
        let (head, details) = words::response_head(input);
        self.host.details = details;
        let end = input.flag();
        self.on(Event::ResponseHead { head, end }, Kind::ResponseHead, oracle, trace);
    }

    /// What follows the head of a response.
    pub fn response_rest(&mut self, input: &mut Reader<'_>, oracle: &mut Oracle, trace: &mut Trace) {
        let size = usize::from(input.byte());
        let event = match input.below(3) {
            0 => Event::ResponseTrailers,
            end => Event::ResponseBody { size, end: end == 2 },
        };
        self.on(event, Kind::ResponseRest, oracle, trace);
    }

    /// The stream is over, wherever it is: what comes after that changes nothing.
    pub fn close(mut self, oracle: &mut Oracle, trace: &mut Trace) {
        let lines = self.host.world.lines.get();
        self.exchange.close(&self.host);
        assert!(self.host.world.lines.get() - lines <= 1, "a request has one line");
        let _ = (oracle, write!(trace, "{:?}", self.reached));
        assert!(self.exchange.is_over(), "a stream that is closed is over: {:?}", self.exchange);
        if let Some(ticket) = self.pending {
            let late = self.exchange.on(Event::CalloutDone { ticket, outcome: Err(NoReply) }, &mut self.host);
            assert_eq!(late, Effect::Hold, "an answer after the end");
        }
        let lines = self.host.world.lines.get();
        self.exchange.close(&self.host);
        assert_eq!(self.host.world.lines.get(), lines, "nothing is told twice");
    }

    fn note_answer(&mut self, ticket: Ticket, outcome: &CalloutOutcome, oracle: &mut Oracle) {
        let call = self.calls.iter().find(|(known, _)| *known == ticket).map(|(_, call)| call);
        let (Some(call), Ok(response)) = (call, outcome) else { return };
        if call.cluster == "auth" {
            oracle.note_answer(&self.claim, &response.body);
        }
        if matches!(call.question, Question::Grpc { .. }) && response.body.windows(2).any(|pair| pair == [8, 1]) {
            self.claim.passes += 1;
        }
    }

    fn on(&mut self, event: Event, kind: Kind, oracle: &mut Oracle, trace: &mut Trace) {
        let was_over = self.exchange.is_over();
        let mut effect = self.exchange.on(event, &mut self.host);
        let _ = write!(trace, "{effect:?}");
        // A call that the host does not take is over at once.
        while let Effect::Call(ticket, callout) = effect {
            assert_eq!((kind, self.reached), (Kind::Request, Reached::Held), "{callout:?}");
            self.asked += 1;
            assert!(self.asked <= CALLS, "calls go on and on");
            callout.http_head().into_iter().for_each(check_request);
            if self.exchange.asks_backend() {
                let target = callout.http_head().map_or(String::new(), |head| String::from_utf8_lossy(&head.path).into_owned());
                oracle.note_backend(self.document, &target, &self.claim);
            }
            self.calls.push((ticket, callout));
            if self.host.seed % 16 != 15 {
                self.pending = Some(ticket);
                return;
            }
            effect = self.exchange.on(Event::CalloutDone { ticket, outcome: Err(NoReply) }, &mut self.host);
            let _ = write!(trace, "{effect:?}");
        }
        assert!(!was_over || matches!(effect, Effect::Hold | Effect::Continue), "{effect:?} after the end");
        self.check(effect, kind, oracle);
    }

    /// At most one answer, in the place where the host can still give it.
    fn check(&mut self, effect: Effect, kind: Kind, oracle: &mut Oracle) {
        match effect {
            Effect::Hold => assert_ne!(kind, Kind::ResponseRest),
            Effect::Continue => {
                let passes = kind != Kind::Request || matches!(self.reached, Reached::Upstream | Reached::Responded);
                assert!(passes, "what the client sent goes on as it is");
                if kind == Kind::ResponseHead && self.reached != Reached::Answered {
                    self.reached = Reached::Responded;
                }
            }
            Effect::Forward(head) => {
                assert_eq!((kind, self.reached), (Kind::Request, Reached::Held), "{head:?}");
                check_request(&head);
                oracle.note_backend(self.document, &String::from_utf8_lossy(&head.path), &self.claim);
                self.reached = Reached::Upstream;
                self.pending = None;
            }
            Effect::Reply(response) => {
                assert_eq!(kind, Kind::Request);
                assert!(matches!(self.reached, Reached::Held | Reached::Upstream), "a second answer: {response:?}");
                check_response(&response.head);
                assert!(!response.head.forbids_body() || response.body.is_empty());
                self.reached = Reached::Answered;
                self.pending = None;
            }
            Effect::Relay(head) => {
                assert_eq!(kind, Kind::ResponseHead);
                assert!(matches!(self.reached, Reached::Held | Reached::Upstream), "a second answer: {head:?}");
                check_fields(&head.headers);
                self.reached = Reached::Responded;
                self.pending = None;
            }
            Effect::Replace(response) => {
                assert_eq!(kind, Kind::ResponseHead);
                assert!(!self.replaced && self.reached != Reached::Responded, "a second answer: {response:?}");
                check_response(&response.head);
                self.replaced = true;
                self.reached = Reached::Responded;
                self.pending = None;
            }
            Effect::Discard => assert_eq!(kind, Kind::ResponseRest),
            Effect::Call(..) => unreachable!("made above"),
        }
    }
}
