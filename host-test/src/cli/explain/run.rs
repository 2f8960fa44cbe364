//! One request through an exchange: events in the order in which Envoy makes them, effects carried out as Envoy and the shell carry
//! them out.

use std::sync::Arc;
use std::time::Duration;

use tollgate::exchange::Exchange;
use tollgate::flow::{Effect, Event};
use tollgate::gateway::Gateway;
use tollgate::http::{RequestHead, Response, ResponseHead};
use tollgate::platform::Section;

use super::backend::{self, Lost, Reply, Servers};
use super::platform::{Port, Step};
use super::request::Asked;
use crate::cli::Failure;

/// What became of a request.
pub struct Explained {
    /// Everything that was told of it, in order; the last is what the client gets.
    pub steps: Vec<Step>,
    /// What the client gets.
    pub response: Response,
    /// What to do about servers that did not answer.
    pub help: Vec<String>,
}

struct Run<'a> {
    exchange: Exchange,
    port: Port,
    backends: &'a dyn Servers,
    help: Vec<String>,
}

/// How the request side ended.
enum Outcome {
    Forwarded(RequestHead),
    Answered(Response),
}

/// Sends a request through a gateway.
pub fn run(gateway: &Arc<Gateway>, asked: &Asked, backends: &dyn Servers) -> Result<Explained, Failure> {
    run_at(gateway, asked, backends, Port::new(asked.body.clone()))
}

/// The same at another host than this one at this moment.
pub fn run_at(gateway: &Arc<Gateway>, asked: &Asked, backends: &dyn Servers, port: Port) -> Result<Explained, Failure> {
    let mut run = Run { exchange: Exchange::new(Arc::clone(gateway)), port, backends, help: Vec::new() };
    let about_keys = if needs_keys(gateway, asked) { run.fetch_keys(gateway) } else { Vec::new() };
    if let Some(remark) = &asked.remark {
        run.port.tell(Section::MethodRequest, "path", remark);
    }
    let response = match run.request(asked)? {
        Outcome::Answered(response) => response,
        Outcome::Forwarded(head) => run.forward(head, asked)?,
    };
    let mut steps = run.port.take_steps();
    tell_request(&mut steps, asked);
    let place = steps.iter().position(|step| step.name == "authorizer").map_or(0, |at| at + 1);
    steps.splice(place..place, about_keys);
    if !steps.iter().any(|step| step.name == "route") && steps.iter().any(|step| step.section == Section::GatewayResponse) {
        run.help.push("no route was found: `tollgate routes` shows all of a definition".to_owned());
    }
    for step in steps.iter_mut().filter(|step| is_answer(step)) {
        step.text = backend::told(&step.text);
    }
    // The exchange tells of heads whose bodies it never sees.
    let is_told_again = |step: &Step| step.section == Section::MethodResponse && step.name == "response";
    steps.retain(|step| !step.text.is_empty() && !is_told_again(step));
    steps.push(Step { section: Section::MethodResponse, name: "response", text: response.describe() });
    Ok(Explained { steps, response, help: run.help })
}

/// Whether a step is what somebody answered.
fn is_answer(step: &Step) -> bool {
    matches!((step.section, step.name), (Section::MethodRequest, "answer") | (Section::Integration, "response"))
}

/// The request, also where it found no route, and its body, of which the exchange tells nothing.
fn tell_request(steps: &mut Vec<Step>, asked: &Asked) {
    let step = |name, text| Step { section: Section::MethodRequest, name, text };
    let told = steps.iter().position(|step| step.section == Section::MethodRequest && step.name == "request");
    let place = told.unwrap_or_else(|| {
        let first = usize::from(asked.remark.is_some());
        steps.insert(first, step("request", asked.head.describe()));
        first
    });
    if !asked.body.is_empty() {
        steps.insert(place + 1, step("request body", String::from_utf8_lossy(&asked.body).into_owned()));
    }
}

/// Whether the route asks for a token whose keys are published: looked at by a request that nothing comes of, because issuers are not
/// asked for a route that needs none.
fn needs_keys(gateway: &Arc<Gateway>, asked: &Asked) -> bool {
    if gateway.issuer_keys.period_millis().is_none() {
        return false;
    }
    let mut port = Port::new(asked.body.clone());
    let event = Event::RequestHead { head: asked.head.clone(), end: asked.body.is_empty() };
    Exchange::new(Arc::clone(gateway)).on(event, &mut port);
    let takes_tokens = |text: &str| ["JWT ", "COGNITO_USER_POOLS "].iter().any(|kind| text.starts_with(kind));
    port.take_steps().iter().any(|step| step.name == "authorizer" && takes_tokens(&step.text))
}

// === impl Run ===

impl Run<'_> {
    /// Asks the issuers, and tells what they said.
    fn fetch_keys(&mut self, gateway: &Gateway) -> Vec<Step> {
        let mut calls = gateway.issuer_keys.tick(&mut self.port);
        while let Some((ticket, callout)) = calls.pop() {
            self.port.tell(Section::MethodRequest, "issuer is asked", callout.describe());
            let reply = self.backends.call(callout, false);
            let outcome = backend::outcome(self.hear(Section::MethodRequest, reply));
            let answer = outcome.as_ref().map_or_else(|_| String::new(), Response::describe);
            self.port.tell(Section::MethodRequest, "answer", answer);
            calls.extend(gateway.issuer_keys.called(ticket, outcome, &mut self.port));
        }
        self.port.take_steps()
    }

    /// One event, and the calls that the exchange makes because of it.
    fn on(&mut self, event: Event) -> Effect {
        let mut effect = self.exchange.on(event, &mut self.port);
        while let Effect::Call(ticket, callout) = effect {
            let is_backends = self.exchange.asks_backend();
            let section = if is_backends { Section::Integration } else { Section::MethodRequest };
            let reply = self.backends.call(callout, is_backends);
            let outcome = backend::outcome(self.hear(section, reply));
            effect = self.exchange.on(Event::CalloutDone { ticket, outcome }, &mut self.port);
        }
        effect
    }

    /// Tells who was asked and how long it took, and what to do where nobody answered.
    fn hear(&mut self, section: Section, reply: Reply) -> Result<Response, Lost> {
        let Reply { server, latency, outcome } = reply;
        self.port.tell(section, "server", server);
        self.port.tell(section, "latency", latency.map(in_words).unwrap_or_default());
        if let Err(Lost { cluster, words, .. }) = &outcome {
            self.port.tell(section, "no answer", words);
            let instead = format!("`--upstream {cluster}=http://127.0.0.1:PORT` asks another server");
            let offline = if section == Section::Integration { ", `--answer 200` asks none" } else { "" };
            self.help.push(format!("`{cluster}` did not answer: {instead}{offline}"));
        }
        outcome
    }

    /// Feeds the request until the exchange lets it go or answers it.
    fn request(&mut self, asked: &Asked) -> Result<Outcome, Failure> {
        let mut forwarded = None;
        let end = asked.body.is_empty();
        let mut events = vec![Event::RequestHead { head: asked.head.clone(), end }];
        if !end {
            events.push(Event::RequestBody { size: asked.body.len(), end: true });
        }
        for event in events {
            match self.on(event) {
                Effect::Reply(response) => return Ok(Outcome::Answered(response)),
                Effect::Forward(head) => forwarded = Some(head),
                _ => {}
            }
        }
        forwarded.map(Outcome::Forwarded).ok_or_else(|| Failure::new("the gateway neither answers the request nor lets it go"))
    }

    /// Asks the backend, and feeds what it answers.
    fn forward(&mut self, head: RequestHead, asked: &Asked) -> Result<Response, Failure> {
        self.port.tell(Section::Integration, "request body", String::from_utf8_lossy(&asked.body));
        let is_head = head.method == "HEAD";
        let reply = self.backends.forward(head, asked.body.clone());
        let (answer, details) = match self.hear(Section::Integration, reply) {
            Ok(mut answer) => {
                if is_head {
                    answer.body.clear();
                }
                (answer, "via_upstream")
            }
            Err(lost) => lost.into_proxy_answer(),
        };
        let is_from_backend = details == "via_upstream";
        self.port.details = Some(details.to_owned());
        let body = if is_from_backend { String::from_utf8_lossy(&answer.body).into_owned() } else { String::new() };
        let response = self.response(answer)?;
        let told = self.port.take_steps();
        for step in told {
            let is_backends = step.section == Section::Integration && is_answer(&step);
            self.port.tell(step.section, step.name, step.text);
            if is_backends {
                self.port.tell(Section::Integration, "response body", body.clone());
            }
        }
        Ok(response)
    }

    fn response(&mut self, answer: Response) -> Result<Response, Failure> {
        let Response { head, mut body } = answer;
        let end = body.is_empty();
        let mut relayed: Option<ResponseHead> = None;
        let mut events = vec![Event::ResponseHead { head: head.clone(), end }];
        if !end {
            events.push(Event::ResponseBody { size: body.len(), end: true });
        }
        for event in events {
            match self.on(event) {
                Effect::Replace(response) | Effect::Reply(response) => return Ok(response),
                Effect::Relay(new) => relayed = Some(new),
                Effect::Continue if relayed.is_none() => relayed = Some(head.clone()),
                Effect::Discard => body.clear(),
                _ => {}
            }
        }
        let head = relayed.ok_or_else(|| Failure::new("the gateway holds the response for ever"))?;
        Ok(Response { head, body }.without_forbidden_body())
    }
}

/// `0.4 ms`, `12 ms`
fn in_words(time: Duration) -> String {
    let digits = usize::from(time < Duration::from_millis(10));
    format!("{:.digits$} ms", time.as_secs_f64() * 1000.0)
}

// === impl Explained ===

impl Explained {
    /// Whether the answer is a gateway response.
    pub fn is_refused(&self) -> bool {
        self.steps.iter().any(|step| step.section == Section::GatewayResponse)
    }
}
