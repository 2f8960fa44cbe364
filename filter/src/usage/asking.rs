//! A request that waits for the word of a rate limit service.

use super::service::{Answer, Limits, RateLimitService};
use super::{Lease, Progress, admit};
use crate::authorizer::Authorized;
use crate::context::{Context, RateLimitFacts};
use crate::flow::CalloutOutcome;
use crate::gateway_response::{Failure, ResponseType};
use crate::platform::Platform;
use std::sync::Arc;

/// A request that waits for the rate limit service.
#[derive(Debug)]
pub struct Asking {
    authorized: Authorized,
    /// Where it is counted already.
    counted: Vec<Arc<Lease>>,
    service: Arc<RateLimitService>,
    /// What is asked one after the other; the first one last.
    questions: Vec<Limits>,
}

// === impl Asking ===

impl Asking {
    pub(super) fn new(
        authorized: Authorized,
        counted: Vec<Arc<Lease>>,
        service: Arc<RateLimitService>,
        questions: Vec<Limits>,
    ) -> Self {
        Self { authorized, counted, service, questions }
    }

    /// Asks the next question; who has no more of them is through. Where one can only be answered by no, none is asked.
    pub(super) fn ask(self, platform: &dyn Platform) -> Progress {
        if let Some(limits) = self.questions.iter().rfind(|limits| limits.allow_nothing()) {
            let failure = limits.exceeded.failure();
            return self.refuse(failure, platform);
        }
        match self.questions.last() {
            Some(limits) => {
                let callout = self.service.question(limits);
                Progress::Call(Box::new(self), callout)
            }
            None => admit(self.authorized),
        }
    }

    /// Goes on with what the service said.
    pub fn called(mut self, outcome: CalloutOutcome, platform: &dyn Platform) -> Progress {
        // Who has no more questions waits for no answer.
        let Some(asked) = self.questions.pop() else { return self.fail(platform) };
        match self.service.answer(&asked, outcome, platform) {
            Answer::Within(facts) => {
                self.note(facts);
                self.ask(platform)
            }
            Answer::Exceeded(facts) => {
                self.note(facts);
                self.refuse(asked.exceeded.failure(), platform)
            }
            // Without a second question: nobody waits for the same silence twice.
            Answer::None if self.service.fails_open() => admit(self.authorized),
            Answer::None => self.fail(platform),
        }
    }

    /// Envoy's own rate limit filter answers so, too.
    fn fail(self, platform: &dyn Platform) -> Progress {
        let failure = Failure::new(ResponseType::Default5xx).with_status(500).saying("Internal server error");
        self.refuse(failure, platform)
    }

    /// What both answers say of the limits, where there were two.
    fn note(&mut self, facts: Option<RateLimitFacts>) {
        let before = self.authorized.context().rate_limit;
        self.authorized.note(facts.map(|facts| before.map_or(facts, |before| before.and(facts))));
    }

    fn refuse(self, failure: Failure, platform: &dyn Platform) -> Progress {
        Progress::Refused(Box::new(self.give_up(platform)), failure)
    }

    /// The request goes no further, whoever said so, and counts nowhere here. What is left is what is known of it.
    pub fn give_up(self, platform: &dyn Platform) -> Context {
        self.counted.iter().for_each(|lease| lease.give_back(platform));
        self.authorized.into_context()
    }
}
