//! Many Envoys, one count: the limits of plans, asked of a rate limit service.
//!
//! Envoy: `envoy.service.ratelimit.v3.RateLimitService` (`rls.proto`), which envoyproxy/ratelimit and Limitador serve. Every limit
//! goes along with the question, so that the document stays the only place where limits are written. What a service wants added to
//! requests and responses is not.

mod answer;
mod descriptor;
mod message;

pub(super) use answer::Answer;
pub(super) use descriptor::Limits;
pub use descriptor::{Descriptor, Unit};

use crate::definition::Node;
use crate::flow::{Callout, CalloutOutcome, Question};
use crate::platform::{Level, Platform};
use crate::problem::Problems;
use answer::Said;
use std::sync::atomic::{AtomicU64, Ordering};

/// Whom all Envoys ask.
#[derive(Debug)]
pub struct RateLimitService {
    cluster: String,
    /// Whose limits these are: a service may count for others, too.
    domain: String,
    timeout_millis: u64,
    fails_open: bool,
    /// Whether the client is told how far it is from its limits.
    tells_client: bool,
    /// When something was wrong that the log has, on the monotonic clock; 0 for never.
    warned_at: AtomicU64,
}

const KEYS: [&str; 5] = ["cluster", "domain", "timeoutMillis", "failureMode", "enableXRatelimitHeaders"];

const DOMAIN: &str = "tollgate";

/// Envoy's own filter waits 20 ms; a request with a throttle and a quota asks twice, and the first time on a new connection.
const TIMEOUT_MILLIS: u64 = 100;

/// What is passed on as the name of a cluster has to fit a short message (`shell/callout.rs`).
const NAME_LIMIT: usize = 120;

/// A service that is down costs a line a second, and not one a request.
const WARNING_NANOS: u64 = 1_000_000_000;

// === impl RateLimitService ===

impl RateLimitService {
    /// Reads `rateLimitService` of the gateway document.
    pub fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        node.only(&KEYS, problems);
        if !node.value.is_object() {
            return None;
        }
        let Some(cluster) = node.get("cluster") else {
            let help = "write `rateLimitService: {cluster: NAME}`: the Envoy cluster that reaches it, by HTTP/2";
            problems.error(&node.path, "no `cluster`", Some(help));
            return None;
        };
        let cluster = name(&cluster, problems);
        let domain = match node.get("domain") {
            Some(domain) => name(&domain, problems),
            None => Some(DOMAIN),
        };
        let timeout_millis = match node.get("timeoutMillis") {
            Some(timeout) => timeout.integer(1..=10_000, problems),
            None => Some(TIMEOUT_MILLIS),
        };
        let fails_open = match node.get("failureMode") {
            Some(mode) => mode.one_of(&[("deny", false), ("allow", true)], problems),
            None => Some(false),
        };
        let tells_client = match node.get("enableXRatelimitHeaders") {
            Some(version) => version.one_of(&[("OFF", false), ("DRAFT_VERSION_03", true)], problems),
            None => Some(false),
        };
        Some(Self {
            cluster: cluster?.to_owned(),
            domain: domain?.to_owned(),
            timeout_millis: timeout_millis?,
            fails_open: fails_open?,
            tells_client: tells_client?,
            warned_at: AtomicU64::new(0),
        })
    }

    /// The cluster that reaches it.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Under what name it counts.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether a request passes when the service does not answer.
    pub(super) fn fails_open(&self) -> bool {
        self.fails_open
    }

    /// Asks.
    pub(super) fn question(&self, limits: &Limits) -> Callout {
        let question = Question::Grpc {
            service: "envoy.service.ratelimit.v3.RateLimitService",
            method: "ShouldRateLimit",
            message: message::write(&self.domain, &limits.descriptors),
        };
        Callout { cluster: self.cluster.clone(), question, timeout_millis: self.timeout_millis }
    }

    /// Reads the answer.
    pub(super) fn answer(&self, limits: &Limits, outcome: CalloutOutcome, platform: &dyn Platform) -> Answer {
        let Ok(response) = outcome else {
            return self.no_answer("does not answer", platform);
        };
        let Some(said) = Said::read(&response.body, limits.descriptors.len()) else {
            return self.no_answer("answers neither yes nor no", platform);
        };
        if said.knows_no_limit() {
            self.warn(&format!("counts nothing: does it know the domain `{}`?", self.domain), platform);
        }
        let facts = self.tells_client.then(|| said.facts(limits)).flatten();
        if said.exceeded { Answer::Exceeded(facts) } else { Answer::Within(facts) }
    }

    fn no_answer(&self, what: &str, platform: &dyn Platform) -> Answer {
        let then = if self.fails_open { "pass uncounted" } else { "are refused" };
        self.warn(&format!("{what}: requests {then}"), platform);
        Answer::None
    }

    fn warn(&self, what: &str, platform: &dyn Platform) {
        // A host without this clock shows 0 for ever: it gets one line.
        let now = platform.monotonic_nanos();
        let last = self.warned_at.load(Ordering::Relaxed);
        if last != 0 && now.saturating_sub(last) < WARNING_NANOS {
            return;
        }
        self.warned_at.store(now.max(1), Ordering::Relaxed);
        platform.log(Level::Warn, &format!("the rate limit service of cluster `{}` {what}", self.cluster));
    }
}

/// A name that is one.
fn name<'a>(node: &Node<'a>, problems: &mut Problems) -> Option<&'a str> {
    let text = node.string(problems)?;
    if text.is_empty() || text.len() > NAME_LIMIT {
        problems.error(&node.path, format!("a name has from 1 to {NAME_LIMIT} bytes, and this one {}", text.len()), None);
        return None;
    }
    Some(text)
}

#[cfg(test)]
mod tests;
