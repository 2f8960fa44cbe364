//! Many Envoys, one count: the limits of plans, asked of a rate limit service.
//!
//! Envoy: `envoy.service.ratelimit.v3.RateLimitService`, which envoyproxy/ratelimit and Limitador serve.

use super::quota::Quota;
use super::throttle::Throttle;
use super::{Exceeded, Place};
use crate::context::RateLimitFacts;
use crate::definition::Node;
use crate::flow::{Callout, CalloutOutcome, Question};
use crate::platform::Platform;
use crate::problem::Problems;

/// Whom all Envoys ask.
#[derive(Debug)]
pub struct RateLimitService {
    cluster: String,
    timeout_millis: u64,
    fails_open: bool,
}

/// What is asked at once: limits of which none may be exceeded.
#[derive(Debug)]
pub(super) struct Limits {
    /// What it means that one of them is.
    pub exceeded: Exceeded,
}

/// What the service says.
pub(super) enum Answer {
    /// Counted.
    Within(Option<RateLimitFacts>),
    /// One too many.
    Exceeded(Option<RateLimitFacts>),
    /// Nothing that could be understood.
    None,
}

// === impl RateLimitService ===

impl RateLimitService {
    /// Reads `rateLimitService` of the gateway document.
    pub fn read(_node: &Node<'_>, _problems: &mut Problems) -> Option<Self> {
        None
    }

    /// Whether a request passes when the service does not answer.
    pub(super) fn fails_open(&self) -> bool {
        self.fails_open
    }

    /// Asks.
    pub(super) fn question(&self, _limits: &Limits) -> Callout {
        let question = Question::Grpc {
            service: "envoy.service.ratelimit.v3.RateLimitService",
            method: "ShouldRateLimit",
            message: Vec::new(),
        };
        Callout { cluster: self.cluster.clone(), question, timeout_millis: self.timeout_millis }
    }

    /// Reads the answer.
    pub(super) fn answer(&self, _outcome: CalloutOutcome, _platform: &dyn Platform) -> Answer {
        Answer::None
    }
}

// === impl Limits ===

impl Limits {
    /// Of a key on a plan.
    pub(super) fn quota(_plan: &str, _key: &str, _quota: Quota, _now_seconds: u64) -> Self {
        Self { exceeded: Exceeded::Quota }
    }

    /// Of a key on a plan.
    pub(super) fn throttle(_plan: &str, _key: &str, _throttle: Throttle) -> Self {
        Self { exceeded: Exceeded::Throttle }
    }

    /// Of a key on a plan and one method.
    pub(super) fn method_throttle(_plan: &str, _key: &str, _place: &Place, _throttle: Throttle) -> Self {
        Self { exceeded: Exceeded::Throttle }
    }
}
