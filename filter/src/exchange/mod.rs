//! The pipeline: one request through the gateway, as a state machine. Events in, effects out; no sockets, no clock of its own.
//!
//! ```text
//! request head -> read -> stage -> route, or CORS preflight (HTTP) -> authorize -> count -> validate -> integration request -> upstream
//!                                                               [body, callouts] [callouts] [body]                         or answer
//! response head -> integration response, or gateway response if the proxy itself answered -> ids, CORS -> client
//! ```
//! The order is AWS's: the route decides what guards it, so it stands before authorization; a preflight needs no route, and no
//! authorization but that of a guarded route which takes OPTIONS; only who may call is counted, against its plan and then what all
//! share; only who may call so often hears what is wrong with a request; nothing reaches an integration but an `Admitted`.

mod answers;
mod candidate;
mod finish;
mod notes;
mod proxy_answers;
mod record;
mod routing;

use crate::authorizer;
use crate::context::Context;
use crate::flow::{Callout, CalloutOutcome, Effect, Event, PAYLOAD_LIMIT, Ticket};
use crate::gateway::{Gateway, Route, Stage};
use crate::http::{Headers, RequestHead, Response};
use crate::integration::{IntegrationRequest, Pending, is_reserved};
use crate::platform::{Platform, Section};
use crate::usage::{self, Admitted};
use candidate::{Candidate, Held, Routed, Step};
use notes::{note_route, outcome_text};
use proxy_answers::{is_unchanged, replace};
use record::Record;
use routing::{Found, Refused, find_route, preflight, read};
use std::sync::Arc;

/// One request and where it stands.
#[derive(Debug)]
pub struct Exchange {
    gateway: Arc<Gateway>,
    phase: Phase,
    calls: u32,
    record: Record,
}

#[derive(Debug)]
enum Phase {
    /// Nothing came yet.
    New,
    /// The authorizer needs the body, or the authorizer or whoever counts needs somebody's word: it is still coming.
    Entering(Box<Candidate>),
    /// The integration needs the body, which is still coming.
    Reading(Routed, Box<Admitted>),
    /// The integration asked somebody by a call of its own, and its answer is to come.
    Calling { routed: Routed, context: Box<Context>, pending: Pending, waits_for: Ticket },
    /// The upstream has the request, or is getting it.
    Forwarded { stage: Arc<Stage>, route: Arc<Route>, context: Box<Context>, sent: usize },
    /// The response streams to the client, perhaps while the request still streams to the upstream. The body of an answer to HEAD
    /// does not.
    Relaying { discard: bool, sent: usize },
    /// Answered. The answer comes by once more as the proxy's response, and is put right where the proxy changed it.
    Answered { response: Box<Response>, client_sent_head: bool },
    /// Answered: whatever still comes is none of the gateway's business.
    Done,
}

// === impl Exchange ===

impl Exchange {
    /// A request that is about to come.
    pub fn new(gateway: Arc<Gateway>) -> Self {
        Self { gateway, phase: Phase::New, calls: 0, record: Record::default() }
    }

    /// What to do about an event. Every phase takes every event; one that comes too late changes nothing.
    pub fn on(&mut self, event: Event, platform: &mut dyn Platform) -> Effect {
        match (std::mem::replace(&mut self.phase, Phase::Done), event) {
            (Phase::New, Event::RequestHead { head, end }) => self.request_head(head, end, platform),
            (Phase::Entering(candidate), Event::RequestBody { size, end }) => {
                self.entering(*candidate, Held { size, end }, platform)
            }
            (Phase::Entering(candidate), Event::RequestTrailers) => {
                let held = Held { end: true, ..candidate.routed.held };
                self.entering(*candidate, held, platform)
            }
            (Phase::Entering(candidate), Event::CalloutDone { ticket, outcome }) if candidate.waits_for == Some(ticket) => {
                self.called(*candidate, outcome, platform)
            }
            (Phase::Entering(candidate), Event::ResponseHead { head, end }) => {
                let Candidate { routed: Routed { stage, route, .. }, step, .. } = *candidate;
                let context = step.give_up(platform);
                self.response_head(&stage, &route, context, (head, end), 0, platform)
            }
            (Phase::Reading(routed, admitted), Event::RequestBody { size, end }) => {
                self.reading(routed, admitted, Held { size, end }, platform)
            }
            (Phase::Reading(routed, admitted), Event::RequestTrailers) => self.integrate(routed, *admitted, 0, platform),
            (Phase::Reading(Routed { stage, route, .. }, admitted), Event::ResponseHead { head, end }) => {
                self.response_head(&stage, &route, admitted.into_context(), (head, end), 0, platform)
            }
            (Phase::Calling { routed, context, pending, waits_for }, Event::CalloutDone { ticket, outcome })
                if ticket == waits_for =>
            {
                self.integration_called(routed, *context, pending, outcome, platform)
            }
            (Phase::Calling { routed, context, .. }, Event::RequestBody { size, .. }) if size > PAYLOAD_LIMIT => {
                self.too_large(routed.stage, *context, platform)
            }
            (Phase::Calling { routed: Routed { stage, route, .. }, context, .. }, Event::ResponseHead { head, end }) => {
                self.response_head(&stage, &route, *context, (head, end), 0, platform)
            }
            (Phase::Forwarded { stage, route, context, sent }, Event::RequestBody { size, .. }) => {
                self.sending(stage, route, context, sent.saturating_add(size), platform)
            }
            (Phase::Forwarded { stage, route, context, sent }, Event::ResponseHead { head, end }) => {
                self.response_head(&stage, &route, *context, (head, end), sent, platform)
            }
            (Phase::Answered { response, client_sent_head }, Event::ResponseHead { head, end }) => {
                if is_unchanged(&response, &head) {
                    return Effect::Continue;
                }
                let effect = replace(*response, end, client_sent_head);
                if let Effect::Replace(Response { body, .. }) = &effect {
                    self.record.carried(body, client_sent_head);
                }
                effect
            }
            (Phase::Relaying { discard, sent }, Event::ResponseBody { size, .. }) => {
                self.phase = Phase::Relaying { discard, sent };
                if discard {
                    return Effect::Discard;
                }
                self.record.sent(size);
                Effect::Continue
            }
            (Phase::Relaying { discard, sent }, Event::RequestBody { size, .. }) => {
                let sent = sent.saturating_add(size);
                self.record.received(sent);
                self.phase = Phase::Relaying { discard, sent };
                // It is too late for a 413, but no more goes upstream.
                if sent > PAYLOAD_LIMIT { Effect::Hold } else { Effect::Continue }
            }
            (Phase::Relaying { discard, sent }, Event::RequestTrailers) => {
                self.phase = Phase::Relaying { discard, sent };
                if sent > PAYLOAD_LIMIT { Effect::Hold } else { Effect::Continue }
            }
            (phase @ Phase::Forwarded { .. }, Event::RequestTrailers) => {
                self.phase = phase;
                Effect::Continue
            }
            // What comes of a request that is not let through, or is answered already, goes nowhere.
            (phase, Event::RequestHead { .. } | Event::RequestBody { .. } | Event::RequestTrailers) => {
                self.phase = phase;
                Effect::Hold
            }
            (phase, Event::ResponseHead { .. } | Event::ResponseBody { .. } | Event::ResponseTrailers) => {
                self.phase = phase;
                Effect::Continue
            }
            // A late answer to a question that nobody asks any more.
            (phase, Event::CalloutDone { .. }) => {
                self.phase = phase;
                Effect::Hold
            }
        }
    }

    fn request_head(&mut self, head: RequestHead, end: bool, platform: &mut dyn Platform) -> Effect {
        self.record.begin(platform);
        let context = read(head, platform);
        match find_route(&self.gateway, context) {
            Ok(Found::Preflight(stage, context, response)) => {
                self.record.staged(&stage, &context, platform);
                self.reply(response, *context, platform)
            }
            Ok(Found::Route(stage, route, context)) => {
                note_route(&stage, &route, &context, platform);
                self.record.staged(&stage, &context, platform);
                self.record.routed(&route, &context, platform);
                let routed = Routed { stage, route, held: Held { size: 0, end: false } };
                let candidate = Candidate { routed, step: Step::Authorize(context), waits_for: None };
                self.entering(candidate, Held { size: 0, end }, platform)
            }
            Err(refused) => {
                if let Some(stage) = &refused.stage {
                    self.record.staged(stage, &refused.context, platform);
                }
                self.refuse(*refused, platform)
            }
        }
    }

    /// A routed request, of which so much is there: asks the guard as soon as what it needs is there.
    fn entering(&mut self, mut candidate: Candidate, held: Held, platform: &mut dyn Platform) -> Effect {
        self.record.received(held.size);
        if held.size > PAYLOAD_LIMIT {
            let context = candidate.step.give_up(platform);
            return self.too_large(candidate.routed.stage, context, platform);
        }
        candidate.routed.held = held;
        match candidate {
            Candidate { routed, step: Step::Authorize(context), waits_for: None }
                if held.end || !routed.route.guard.needs_body(&context, platform) =>
            {
                let progress = routed.route.guard.enter(*context, platform);
                self.authorized(routed, progress, platform)
            }
            candidate => {
                self.phase = Phase::Entering(Box::new(candidate));
                Effect::Hold
            }
        }
    }

    /// A call that was made for a candidate is over.
    fn called(&mut self, candidate: Candidate, outcome: CalloutOutcome, platform: &mut dyn Platform) -> Effect {
        let Candidate { routed, step, .. } = candidate;
        platform.note(Section::MethodRequest, "answer", &|| outcome_text(&outcome));
        match step {
            Step::Authorize(context) => {
                self.record.authorizer.called(&outcome, platform);
                let progress = routed.route.guard.called(*context, outcome, platform);
                self.authorized(routed, progress, platform)
            }
            Step::Count(asking) => self.counted(routed, asking.called(outcome, platform), platform),
        }
    }

    fn authorized(&mut self, routed: Routed, progress: authorizer::Progress, platform: &mut dyn Platform) -> Effect {
        match progress {
            authorizer::Progress::Authorized(authorized) => {
                self.record.admitted();
                if let Some(response) = preflight(&routed.stage, authorized.context()) {
                    return self.reply(response, authorized.into_context(), platform);
                }
                let progress = routed.route.usage.enter(*authorized, platform);
                self.counted(routed, progress, platform)
            }
            authorizer::Progress::Refused(context, failure) => {
                self.record.not_admitted(&failure);
                self.refuse(Refused { stage: Some(routed.stage), context: *context, failure }, platform)
            }
            authorizer::Progress::Call(context, callout) => {
                self.record.authorizer.ask(platform);
                self.call(routed, Step::Authorize(context), callout, platform)
            }
        }
    }

    fn counted(&mut self, routed: Routed, progress: usage::Progress, platform: &dyn Platform) -> Effect {
        match progress {
            usage::Progress::Admitted(admitted) => {
                let validation = &routed.route.validation;
                if let Err(failure) = validation.check_parameters(admitted.context()) {
                    return self.refuse(Refused { stage: Some(routed.stage), context: admitted.into_context(), failure }, platform);
                }
                let needs_body =
                    validation.needs_body(admitted.context()) || routed.route.integration.needs_body(admitted.context());
                if !routed.held.end && needs_body {
                    self.phase = Phase::Reading(routed, admitted);
                    return Effect::Hold;
                }
                let sent = routed.held.size;
                self.integrate(routed, *admitted, sent, platform)
            }
            usage::Progress::Refused(context, failure) => {
                self.refuse(Refused { stage: Some(routed.stage), context: *context, failure }, platform)
            }
            usage::Progress::Call(asking, callout) => self.call(routed, Step::Count(asking), callout, platform),
        }
    }

    /// Somebody has to be asked first.
    fn call(&mut self, routed: Routed, step: Step, callout: Callout, platform: &dyn Platform) -> Effect {
        platform.note(Section::MethodRequest, step.asks(), &|| callout.describe());
        let ticket = self.ticket();
        self.phase = Phase::Entering(Box::new(Candidate { routed, step, waits_for: Some(ticket) }));
        Effect::Call(ticket, callout)
    }

    fn ticket(&mut self) -> Ticket {
        self.calls = self.calls.wrapping_add(1);
        Ticket(self.calls)
    }

    /// The body is held until it is whole; the size is that of all of it.
    fn reading(&mut self, routed: Routed, admitted: Box<Admitted>, held: Held, platform: &dyn Platform) -> Effect {
        self.record.received(held.size);
        if held.size > PAYLOAD_LIMIT {
            return self.too_large(routed.stage, admitted.into_context(), platform);
        }
        if held.end {
            return self.integrate(routed, *admitted, 0, platform);
        }
        self.phase = Phase::Reading(routed, admitted);
        Effect::Hold
    }

    /// The body streams to the upstream; the size is that of all that was sent.
    fn sending(
        &mut self,
        stage: Arc<Stage>,
        route: Arc<Route>,
        context: Box<Context>,
        sent: usize,
        platform: &dyn Platform,
    ) -> Effect {
        self.record.received(sent);
        if sent > PAYLOAD_LIMIT {
            return self.too_large(stage, *context, platform);
        }
        self.phase = Phase::Forwarded { stage, route, context, sent };
        Effect::Continue
    }

    /// `sent`: how much of the body goes on with the head.
    fn integrate(&mut self, routed: Routed, admitted: Admitted, sent: usize, platform: &dyn Platform) -> Effect {
        let Routed { ref stage, ref route, .. } = routed;
        let validated = route.validation.check_body(admitted.context(), platform);
        match validated.and_then(|()| route.integration.request(&admitted, platform)) {
            Ok(IntegrationRequest::Forward(head)) => {
                platform.note(Section::Integration, "request", &|| head.describe());
                self.record.forwarded(admitted.context(), routed.held.end, &head, platform);
                let context = Box::new(admitted.into_context());
                let Routed { stage, route, .. } = routed;
                self.phase = Phase::Forwarded { stage, route, context, sent };
                Effect::Forward(head)
            }
            Ok(IntegrationRequest::Call(callout, pending)) => {
                platform.note(Section::Integration, "request", &|| callout.describe());
                self.record.called(admitted.context(), routed.held.end, &callout, platform);
                let waits_for = self.ticket();
                let context = Box::new(admitted.into_context());
                self.phase = Phase::Calling { routed, context, pending, waits_for };
                Effect::Call(waits_for, callout)
            }
            Ok(IntegrationRequest::Respond(response)) => {
                self.record.arrived(admitted.context(), routed.held.end, platform);
                self.integrated(&Arc::clone(stage), admitted.into_context(), response, platform)
            }
            Err(failure) => {
                self.refuse(Refused { stage: Some(Arc::clone(stage)), context: admitted.into_context(), failure }, platform)
            }
        }
    }

    /// The call that an integration asked for is over.
    fn integration_called(
        &mut self,
        routed: Routed,
        context: Context,
        pending: Pending,
        outcome: CalloutOutcome,
        platform: &dyn Platform,
    ) -> Effect {
        let Routed { stage, route, .. } = routed;
        platform.note(Section::Integration, "response", &|| outcome_text(&outcome));
        self.record.call_ended(&context, &outcome, platform);
        match route.integration.called(&context, pending, outcome, platform) {
            Ok(response) => {
                if route.integration.has_status_of_its_own() {
                    self.record.integration_became(response.head.status);
                }
                self.integrated(&stage, context, response, platform)
            }
            Err(failure) => {
                self.record.integration_failed(&failure, platform);
                self.refuse(Refused { stage: Some(stage), context, failure }, platform)
            }
        }
    }

    /// The stream is over, answered or not: it is counted, and logged. What was counted ahead of a word that never came is given back.
    pub fn close(&mut self, platform: &dyn Platform) {
        let context = match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Entering(candidate) => Some(candidate.step.give_up(platform)),
            Phase::Reading(_, admitted) => Some(admitted.into_context()),
            Phase::Calling { context, .. } | Phase::Forwarded { context, .. } => Some(*context),
            Phase::New | Phase::Relaying { .. } | Phase::Answered { .. } | Phase::Done => None,
        };
        if let Some(context) = context {
            self.record.keep(context);
        }
        std::mem::take(&mut self.record).close(platform);
    }

    /// Request trailers without the names that only the gateway or the proxy may set: a backend may read them as headers. None when
    /// there is nothing to take away.
    pub fn clean_trailers(mut trailers: Headers) -> Option<Headers> {
        let reserved = trailers.iter().any(|(name, _)| is_reserved(name));
        trailers.retain(|name| !is_reserved(name));
        reserved.then_some(trailers)
    }

    /// Whether the call that it waits for is its integration's, and no authorizer's.
    pub fn asks_backend(&self) -> bool {
        matches!(self.phase, Phase::Calling { .. })
    }

    /// Whether nothing that still comes can change anything, so that nobody need look at it.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }
}

#[cfg(test)]
mod tests;
