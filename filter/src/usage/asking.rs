//! A request that waits for the word of a rate limit service.

use super::service::{Answer, Limits, RateLimitService};
use super::{Exceeded, Meter, Progress, admit, refuse};
use crate::authorizer::Authorized;
use crate::context::Context;
use crate::flow::CalloutOutcome;
use crate::gateway_response::{Failure, ResponseType};
use crate::platform::Platform;
use std::sync::Arc;

/// A request that waits for the rate limit service.
#[derive(Debug)]
pub struct Asking {
    authorized: Authorized,
    /// Where it is counted already.
    counted: Vec<Arc<Meter>>,
    service: Arc<RateLimitService>,
    /// What is asked one after the other; the first one last.
    questions: Vec<Limits>,
}

// === impl Asking ===

impl Asking {
    pub(super) fn new(
        authorized: Authorized,
        counted: Vec<Arc<Meter>>,
        service: Arc<RateLimitService>,
        questions: Vec<Limits>,
    ) -> Self {
        Self { authorized, counted, service, questions }
    }

    /// Asks the next question; who has no more of them is through.
    pub(super) fn ask(self) -> Progress {
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
        let answer = self.service.answer(outcome, platform);
        let exceeded = self.questions.pop().map_or(Exceeded::Throttle, |asked| asked.exceeded);
        match answer {
            Answer::Within(facts) => {
                self.authorized.note(facts);
                self.ask()
            }
            Answer::Exceeded(facts) => {
                self.authorized.note(facts);
                self.refuse(exceeded.failure(), platform)
            }
            // Without a second question: nobody waits for the same silence twice.
            Answer::None if self.service.fails_open() => admit(self.authorized),
            Answer::None => {
                let failure = Failure::new(ResponseType::Default5xx).with_status(500).saying("Internal server error");
                self.refuse(failure, platform)
            }
        }
    }

    fn refuse(self, failure: Failure, platform: &dyn Platform) -> Progress {
        self.counted.iter().for_each(|meter| meter.give_back(platform));
        refuse(self.authorized, failure)
    }

    /// What is known of the request, of which nothing more is asked.
    pub fn into_context(self) -> Context {
        self.authorized.into_context()
    }
}
