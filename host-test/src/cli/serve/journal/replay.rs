//! A request once more, natively, with the answers that were given to the module: what the gateway tells of it on its way.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tollgate::context::Ids;
use tollgate::flow::{Callout, Question};
use tollgate::gateway::Gateway;
use tollgate::http::{Headers, RequestHead, Response, ResponseHead};
use tollgate::integration::CLUSTER_HEADER;
use tollgate::platform::Section;
use tollgate_host::{HeaderMap, UpstreamFailure};

use super::record::{Asked, Record};
use crate::cli::explain::backend::{Lost, Reply, Servers};
use crate::cli::explain::platform::{Memory, Moment, Port, Step};
use crate::cli::explain::request;
use crate::cli::explain::run::run_at;
use crate::cli::explain::secrets::Secrets;

/// How many answers are kept that belong to no request.
const COMMON: usize = 64;

/// How much of one step is kept.
const STEP: usize = 16 * 1024;

/// Headers that are another time's, or another connection's.
const PASSING: [&str; 4] = ["date", "server", "x-envoy-upstream-service-time", "connection"];

/// What the gateway did with a request.
pub struct Told {
    /// Every step, secrets shortened.
    pub steps: Vec<Step>,
    /// `GET /pets/{petId}`
    pub route: Option<String>,
    /// The names of the API and of the stage.
    pub stage: Option<(String, String)>,
    /// Whether it has to be said which stage: there is more than one.
    pub is_one_of_many: bool,
    /// What guards the route; none where nothing does.
    pub authorizer: Option<String>,
    /// Whether it let the request pass; none where it never said.
    pub is_authorized: Option<bool>,
    /// The type of the gateway response, and what else is told of the failure.
    pub failure: Option<String>,
    /// How long the backend took.
    pub integration_latency: Option<Duration>,
    /// As the client got it.
    pub request_id: Option<String>,
    /// What of this cannot be relied on, and why.
    pub remark: Option<String>,
}

/// The gateway of one configuration, as it stands at the requests that are over.
pub struct Replayer {
    gateway: Arc<Gateway>,
    memory: Memory,
    /// By cluster and path, the latest of each: what the gateway asked for itself.
    common: Mutex<BTreeMap<(String, String), Asked>>,
    is_one_of_many: bool,
}

/// The answers that were given.
struct Given<'a> {
    record: &'a Record,
    replayer: &'a Replayer,
    /// Which of them were given again.
    used: RefCell<Vec<bool>>,
}

// === impl Replayer ===

impl Replayer {
    /// `memory`: what the gateways of all configurations remember.
    pub fn new(gateway: Arc<Gateway>, memory: Memory) -> Self {
        let is_one_of_many = gateway.stages().count() > 1;
        Self { gateway, memory, common: Mutex::default(), is_one_of_many }
    }

    /// An answer that belongs to no request.
    pub fn heard(&self, path: String, asked: Asked) {
        let mut common = self.common.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (asked.cluster.clone(), path);
        if common.len() < COMMON || common.contains_key(&key) {
            common.insert(key, asked);
        }
    }

    /// What the gateway did.
    pub fn tell(&self, record: &Record) -> Told {
        let head = RequestHead::from_pairs(pairs(&record.head));
        let secrets = Secrets::of(&head);
        let moment = Moment {
            now_millis: u64::try_from(record.wall.as_millis()).unwrap_or(u64::MAX),
            monotonic_nanos: u64::try_from(record.monotonic.as_nanos()).unwrap_or(u64::MAX),
            random: random_of(record.response.as_ref()),
            source_address: record.peer.to_string(),
            memory: Arc::clone(&self.memory),
        };
        let asked = request::Asked { head, body: record.body.bytes.clone(), remark: None };
        let given = Given { record, replayer: self, used: RefCell::new(vec![false; record.asked.len()]) };
        let port = Port::at(moment, asked.body.clone());
        let Ok(explained) = run_at(&self.gateway, &asked, &given, port) else { return Told::without_steps(record) };
        let remark = difference(record, &explained.response);
        let mut told = Told { is_one_of_many: self.is_one_of_many, remark, ..Told::without_steps(record) };
        told.steps = explained.steps;
        for step in &mut told.steps {
            step.text = secrets.text(&step.text);
            let end = step.text.floor_char_boundary(STEP);
            if end < step.text.len() {
                step.text.truncate(end);
                step.text.push('…');
            }
        }
        // Only now: messages of failures may quote what the client sent.
        told.read();
        told
    }
}

/// Where the replay did not come to what the module answered.
fn difference(record: &Record, replayed: &Response) -> Option<String> {
    let Some(response) = &record.response else {
        return Some("the client went away before it was answered: what is told below of an answer never came".to_owned());
    };
    if record.body.cut || record.response_body.cut || record.asked.iter().any(|asked| asked.body.cut) {
        return Some("a body is longer than what is kept of it: these are the steps of its beginning".to_owned());
    }
    let really = ResponseHead::from_pairs(pairs(response));
    let differs = |what: String| {
        Some(format!(
            "the module remembers more than this trace knows of, and answered otherwise: {what}; take the steps with care"
        ))
    };
    if really.status != replayed.head.status {
        return differs(format!("with status {}, and not with {}", really.status, replayed.head.status));
    }
    let lines = |headers: &Headers| {
        let kept = headers.iter().filter(|(name, _)| !PASSING.contains(name));
        let mut lines: Vec<(String, Vec<u8>)> = kept.map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        lines.sort();
        lines
    };
    let (really, replayed_lines) = (lines(&really.headers), lines(&replayed.head.headers));
    let missed = really.iter().chain(&replayed_lines).find(|line| !(really.contains(line) && replayed_lines.contains(line)));
    // The proxy writes lengths itself.
    if let Some((name, _)) = missed.filter(|(name, _)| name != "content-length") {
        return differs(format!("the header `{name}` is another"));
    }
    let was_head = record.head.get(":method") == Some(b"HEAD");
    if !was_head && record.response_body.bytes != replayed.body {
        return differs("with another body".to_owned());
    }
    None
}

/// Sixteen bytes whose ids are those that the client got: the trace shows the very request.
fn random_of(response: Option<&HeaderMap>) -> [u8; 16] {
    let text = |name: &str| response.and_then(|head| head.get_str(name));
    let mut bytes = [0; 16];
    let Some(extended) = text("x-amz-apigw-id").or_else(|| text("apigw-requestid")).filter(|id| id.len() == 16) else {
        return bytes;
    };
    let id = text("x-amzn-requestid").map(|id| id.replace('-', ""));
    for place in 0..bytes.len() {
        let wanted = |byte: u8| {
            let mut bytes = bytes;
            bytes[place] = byte;
            let made = Ids::new(bytes);
            let is_extended = made.extended_request_id().as_bytes().get(place) == extended.as_bytes().get(place);
            let digits = 2 * place..2 * place + 2;
            let is_id = id.as_ref().is_none_or(|id| made.request_id().replace('-', "").get(digits.clone()) == id.get(digits));
            is_id && (is_extended || place == 15)
        };
        let found = (0..=u8::MAX).find(|byte| wanted(*byte));
        if let (Some(found), Some(slot)) = (found, bytes.get_mut(place)) {
            *slot = found;
        }
    }
    bytes
}

fn pairs(head: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    head.iter().map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.to_vec())).collect()
}

// === impl Given ===

impl Given<'_> {
    /// The next answer of a cluster that was not given yet.
    fn next(&self, callout: bool, cluster: &str) -> Option<&Asked> {
        let mut used = self.used.borrow_mut();
        let candidates = self.record.asked.iter().zip(used.iter_mut());
        let (asked, used) =
            candidates.into_iter().find(|(asked, used)| !**used && asked.callout == callout && asked.cluster == cluster)?;
        *used = true;
        Some(asked)
    }
}

impl Servers for Given<'_> {
    fn forward(&self, head: RequestHead, _: Vec<u8>) -> Reply {
        let cluster = String::from_utf8_lossy(head.headers.get(CLUSTER_HEADER).unwrap_or_default()).into_owned();
        let timed_out = self.record.end.code_details.as_deref() == Some("response_timeout");
        match self.next(false, &cluster) {
            Some(asked) => asked.reply(false, timed_out),
            None => unheard(cluster),
        }
    }

    fn call(&self, callout: Callout, _: bool) -> Reply {
        let is_grpc = matches!(callout.question, Question::Grpc { .. });
        if let Some(asked) = self.next(true, &callout.cluster) {
            return asked.reply(is_grpc, asked.failure.is_none());
        }
        let path = callout.http_head().map(|head| String::from_utf8_lossy(&head.path).into_owned()).unwrap_or_default();
        let common = self.replayer.common.lock().unwrap_or_else(PoisonError::into_inner);
        match common.get(&(callout.cluster.clone(), path)) {
            Some(asked) => asked.reply(is_grpc, asked.failure.is_none()),
            None => unheard(callout.cluster),
        }
    }
}

/// The module did not ask: it remembered something.
fn unheard(cluster: String) -> Reply {
    let words = "nobody was asked".to_owned();
    Reply { server: String::new(), latency: None, outcome: Err(Lost { cluster, words, timed_out: false, has_substitute: true }) }
}

// === impl Asked ===

impl Asked {
    /// What the gateway heard; `timed_out`: what it means when nothing was heard.
    fn reply(&self, is_grpc: bool, timed_out: bool) -> Reply {
        let lost = |words: &str, timed_out: bool| Lost {
            cluster: self.cluster.clone(),
            words: words.to_owned(),
            timed_out,
            has_substitute: !is_grpc,
        };
        let outcome = match (&self.head, &self.failure) {
            (_, Some(UpstreamFailure::Connect(cause))) => Err(lost(cause, false)),
            (None, Some(_)) => Err(lost("the connection broke off", false)),
            (None, None) => Err(lost(if timed_out { "no answer in time" } else { "no answer" }, timed_out)),
            (Some(head), _) if is_grpc => {
                match (self.trailers.get_str("grpc-status").or(head.get_str("grpc-status")), self.body.bytes.get(5..)) {
                    (Some("0"), Some(message)) => {
                        Ok(Response { head: ResponseHead { status: 200, ..ResponseHead::default() }, body: message.to_vec() })
                    }
                    (status, _) => Err(lost(&format!("gRPC status {}", status.unwrap_or("none")), false)),
                }
            }
            (Some(head), _) => {
                let mut head = ResponseHead::from_pairs(pairs(head));
                head.headers.retain(|name| !matches!(name, "connection" | "keep-alive" | "transfer-encoding" | "upgrade"));
                Ok(Response { head, body: self.body.bytes.clone() })
            }
        };
        Reply { server: format!("cluster {}", self.cluster), latency: self.latency, outcome }
    }
}

// === impl Told ===

impl Told {
    /// What is known without the gateway.
    pub fn without_steps(record: &Record) -> Self {
        let text = |name: &str| record.response.as_ref()?.get_str(name).map(str::to_owned);
        let backends = record.asked.iter().rfind(|asked| !asked.callout).or_else(|| record.asked.last());
        Self {
            steps: Vec::new(),
            route: None,
            stage: None,
            is_one_of_many: false,
            authorizer: None,
            is_authorized: None,
            failure: None,
            integration_latency: backends.and_then(|asked| asked.latency),
            request_id: text("x-amzn-requestid").or_else(|| text("apigw-requestid")),
            remark: Some("too much was going on to keep the steps of this request".to_owned()),
        }
    }

    /// What the log says of the steps.
    fn read(&mut self) {
        let steps = std::mem::take(&mut self.steps);
        let step = |section: Section, name: &str| steps.iter().find(|step| step.section == section && step.name == name);
        let text = |section, name| step(section, name).map(|step| step.text.as_str());
        // `GET /pets/{petId} of `petstore`, stage `prod``
        let route = text(Section::MethodRequest, "route").and_then(|route| route.rsplit_once(" of `"));
        self.route = route.map(|(route, _)| if route.starts_with("$default ") { "$default" } else { route }.to_owned());
        let stage = route.and_then(|(_, stage)| stage.strip_suffix('`')?.rsplit_once("`, stage `"));
        self.stage = stage.map(|(api, stage)| (api.to_owned(), stage.to_owned()));
        self.failure = text(Section::GatewayResponse, "failure").map(str::to_owned);
        self.authorizer = text(Section::MethodRequest, "authorizer").filter(|guard| *guard != "NONE").map(str::to_owned);
        let is_guards = |failure: &str| {
            const TYPES: [&str; 7] = [
                "ACCESS_DENIED",
                "AUTHORIZER_FAILURE",
                "AUTHORIZER_CONFIGURATION_ERROR",
                "EXPIRED_TOKEN",
                "INVALID_SIGNATURE",
                "MISSING_AUTHENTICATION_TOKEN",
                "UNAUTHORIZED",
            ];
            TYPES.contains(&failure.split(':').next().unwrap_or_default())
        };
        let is_refused = self.failure.as_deref().is_some_and(is_guards);
        self.is_authorized = self.authorizer.as_ref().map(|_| !is_refused);
        let has_backend = steps.iter().any(|step| step.section == Section::Integration);
        self.integration_latency = self.integration_latency.filter(|_| has_backend);
        self.steps = steps;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_has_the_ids_that_the_client_got() {
        let random = std::array::from_fn(|index| u8::try_from(index * 37 % 256).unwrap_or_default());
        let ids = Ids::new(random);
        let mut rest = HeaderMap::new();
        rest.add("x-amzn-requestid", ids.request_id());
        rest.add("x-amz-apigw-id", ids.extended_request_id());
        let found = Ids::new(random_of(Some(&rest)));
        assert_eq!((found.request_id(), found.extended_request_id()), (ids.request_id(), ids.extended_request_id()));
        let mut http = HeaderMap::new();
        http.add("apigw-requestid", ids.extended_request_id());
        assert_eq!(Ids::new(random_of(Some(&http))).extended_request_id(), ids.extended_request_id());
        // An answer that is none of the gateway's.
        http.set("apigw-requestid", "short");
        assert_eq!(random_of(Some(&http)), [0; 16]);
        assert_eq!(random_of(None), [0; 16]);
    }
}
