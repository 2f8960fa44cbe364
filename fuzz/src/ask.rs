//! One request from its head to its answer, with all that went over the wire.

use crate::{Worker, check_request, check_response};
use std::sync::Arc;
use tollgate::exchange::Exchange;
use tollgate::flow::{Callout, CalloutOutcome, Effect, Event};
use tollgate::gateway::Gateway;
use tollgate::http::{RequestHead, Response, ResponseHead};

/// What became of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// What went to the upstream.
    pub forwarded: Option<RequestHead>,
    /// What was asked, in its order.
    pub calls: Vec<Callout>,
    /// What the client got; of a response that streams, the head.
    pub response: Option<Response>,
    /// Whether the last call was that of the integration.
    pub asked_backend: bool,
}

/// No request needs more events.
const EVENTS: usize = 8;

// === impl Asked ===

impl Asked {
    /// The status that the client got; 0 for none.
    pub fn status(&self) -> u16 {
        self.response.as_ref().map_or(0, |response| response.head.status)
    }

    /// The body of the last call.
    pub fn sent(&self) -> Option<&[u8]> {
        match &self.calls.last()?.question {
            tollgate::flow::Question::Http { body, .. } => Some(body),
            tollgate::flow::Question::Grpc { message, .. } => Some(message),
        }
    }
}

/// Sends a request, whose body the host has; `answer` says what comes of a call, `upstream` what the upstream answers.
pub fn ask(
    gateway: &Arc<Gateway>,
    head: RequestHead,
    host: &mut Worker<'_>,
    answer: &mut dyn FnMut(&Callout) -> CalloutOutcome,
    upstream: &ResponseHead,
) -> Asked {
    let mut exchange = Exchange::new(Arc::clone(gateway));
    let mut asked = Asked::default();
    let size = host.body.len();
    let mut event = Event::RequestHead { head, end: size == 0 };
    for _ in 0..EVENTS {
        event = match exchange.on(event, host) {
            Effect::Call(ticket, callout) => {
                callout.http_head().into_iter().for_each(check_request);
                let outcome = answer(&callout);
                asked.calls.push(callout);
                asked.asked_backend = exchange.asks_backend();
                Event::CalloutDone { ticket, outcome }
            }
            Effect::Hold => Event::RequestBody { size, end: true },
            Effect::Forward(head) => {
                check_request(&head);
                asked.forwarded = Some(head);
                asked.response = Some(relay(&mut exchange, upstream, host));
                break;
            }
            Effect::Reply(response) => {
                check_response(&response.head);
                asked.response = Some(response);
                break;
            }
            other => panic!("no effect of a request that is not answered yet: {other:?}"),
        };
    }
    exchange.close(host);
    asked
}

fn relay(exchange: &mut Exchange, upstream: &ResponseHead, host: &mut Worker<'_>) -> Response {
    match exchange.on(Event::ResponseHead { head: upstream.clone(), end: true }, host) {
        Effect::Relay(head) => {
            check_response(&head);
            Response { head, body: Vec::new() }
        }
        Effect::Replace(response) | Effect::Reply(response) => {
            check_response(&response.head);
            response
        }
        other => panic!("no effect of a response: {other:?}"),
    }
}
