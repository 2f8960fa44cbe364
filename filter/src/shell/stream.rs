//! One HTTP stream: callbacks to events, effects to host calls.

use super::callout::{self, Number};
use super::header_map::{self, HeaderMap};
use super::local_reply;
use super::port::{Port, Randomness, log};
use crate::exchange::Exchange;
use crate::flow::{CalloutOutcome, Effect, Event, NoReply, Ticket};
use crate::gateway::Gateway;
use crate::http::{RequestHead, Response, ResponseHead};
use crate::platform::Level;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, BufferType, MapType};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// One request and its response.
pub struct Stream {
    /// None: the configuration was never accepted, and nothing may pass.
    exchange: Option<Exchange>,
    randomness: Rc<RefCell<Randomness>>,
    /// Whether the host verifies signatures.
    verifies: bool,
    /// The call under way: the host's number, and the exchange's.
    call: Option<(Number, Ticket)>,
    /// The body that takes the place of the proxy's own.
    replacement: Option<Vec<u8>>,
}

// === impl Stream ===

impl Stream {
    /// A stream of a configuration.
    pub fn new(gateway: Option<Arc<Gateway>>, randomness: Rc<RefCell<Randomness>>, verifies: bool) -> Self {
        Self { exchange: gateway.map(Exchange::new), randomness, verifies, call: None, replacement: None }
    }

    fn on(&mut self, event: Event, held: usize) -> Action {
        let Some(exchange) = &mut self.exchange else {
            match event {
                Event::RequestHead { .. } => {}
                Event::RequestBody { .. } | Event::RequestTrailers => return Action::Pause,
                // The refusal itself comes by as a response, and must not be refused again.
                Event::ResponseHead { .. } | Event::ResponseBody { .. } | Event::ResponseTrailers => return Action::Continue,
                Event::CalloutDone { .. } => return Action::Pause,
            }
            log(Level::Error, "no configuration was ever accepted: the request is refused");
            return reply(&internal_error());
        };
        let mut port = Port::new(&self.randomness, held, self.verifies);
        let mut effect = exchange.on(event, &mut port);
        // A call that the host does not take is over at once.
        while let Effect::Call(ticket, call) = effect {
            match callout::dispatch(&call) {
                Some(number) => {
                    self.call = Some((number, ticket));
                    return Action::Pause;
                }
                None => effect = exchange.on(Event::CalloutDone { ticket, outcome: Err(NoReply) }, &mut port),
            }
        }
        self.carry_out(effect, held)
    }

    fn called(&mut self, number: Number, outcome: impl FnOnce() -> CalloutOutcome) {
        let Some((_, ticket)) = self.call.take_if(|(under_way, _)| *under_way == number) else { return };
        let outcome = outcome();
        if self.on(Event::CalloutDone { ticket, outcome }, usize::MAX) == Action::Continue {
            let _ = hostcalls::resume_http_request();
        }
    }

    fn carry_out(&mut self, effect: Effect, size: usize) -> Action {
        match effect {
            Effect::Continue => Action::Continue,
            Effect::Hold | Effect::Call(..) => Action::Pause,
            Effect::Forward(head) => {
                // What the client sent must never go on in its place.
                if header_map::write(MapType::HttpRequestHeaders, head.pairs()) {
                    return Action::Continue;
                }
                log(Level::Error, "the host did not take the request head: the request is refused");
                reply(&internal_error())
            }
            Effect::Relay(head) => {
                set_response_head(&head);
                Action::Continue
            }
            Effect::Reply(response) => reply(&response),
            Effect::Discard => {
                set_response_body(size, &[]);
                Action::Continue
            }
            Effect::Replace(Response { mut head, body }) => {
                if !head.forbids_body() {
                    head.headers.set("content-length", body.len().to_string());
                }
                set_response_head(&head);
                self.replacement = Some(body);
                Action::Continue
            }
        }
    }
}

impl Context for Stream {
    fn on_http_call_response(&mut self, number: u32, headers: usize, body_size: usize, _: usize) {
        self.called(Number::Http(number), || callout::http_outcome(headers, body_size, callout::BODY_LIMIT));
    }

    fn on_grpc_call_response(&mut self, number: u32, status: u32, size: usize) {
        self.called(Number::Grpc(number), || callout::grpc_outcome(status, size));
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        let head = RequestHead::from_pairs(HeaderMap::read(MapType::HttpRequestHeaders).pairs());
        #[cfg(feature = "trap")]
        super::trap::if_asked(&head);
        self.on(Event::RequestHead { head, end }, 0)
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        self.on(Event::RequestBody { size, end }, size)
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let trailers = HeaderMap::read(MapType::HttpRequestTrailers);
        let trailers = trailers.pairs().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        if let Some(trailers) = Exchange::clean_trailers(trailers) {
            header_map::write(MapType::HttpRequestTrailers, trailers.iter());
        }
        self.on(Event::RequestTrailers, usize::MAX)
    }

    fn on_http_response_headers(&mut self, _: usize, end: bool) -> Action {
        if self.exchange.as_ref().is_none_or(Exchange::is_over) {
            return Action::Continue;
        }
        let head = ResponseHead::from_pairs(HeaderMap::read(MapType::HttpResponseHeaders).pairs());
        let action = self.on(Event::ResponseHead { head, end }, 0);
        if end {
            // No body callback comes in which it could be put.
            self.replacement = None;
        }
        action
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        match self.replacement.take() {
            Some(body) => {
                set_response_body(size, &body);
                // What follows of the proxy's own body is dropped.
                self.replacement = (!end).then(Vec::new);
                Action::Continue
            }
            None => self.on(Event::ResponseBody { size, end }, size),
        }
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        self.on(Event::ResponseTrailers, 0)
    }

    fn on_log(&mut self) {
        if let Some(exchange) = &mut self.exchange {
            exchange.close(&Port::new(&self.randomness, 0, self.verifies));
        }
    }
}

/// A host that does not take it leaves the head that is there: the response is not the gateway's to refuse any more.
fn set_response_head(head: &ResponseHead) {
    let status = head.status.to_string();
    header_map::write(MapType::HttpResponseHeaders, head.pairs(&status));
}

fn set_response_body(size: usize, body: &[u8]) {
    let _ = hostcalls::set_buffer(BufferType::HttpResponseBody, 0, size, body);
}

/// The stream is over for the upstream either way: paused, or answered.
fn reply(response: &Response) -> Action {
    if !local_reply::send(response) {
        log(Level::Error, "the host did not take an answer: the stream stays closed to the upstream");
    }
    Action::Pause
}

/// For what must not happen, where no API is known whose gateway responses could say it.
fn internal_error() -> Response {
    Response {
        head: ResponseHead { status: 500, ..ResponseHead::default() },
        body: br#"{"message":"Internal server error"}"#.to_vec(),
    }
}
