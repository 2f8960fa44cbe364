//! The authorizer at work: what is remembered is used, what is not is asked, and what the function says becomes a verdict.

use super::{Answer, InvokeRequest, LambdaAuthorizer, Refusal};
use crate::authorizer::condition_keys::evaluate;
use crate::authorizer::{Authorizer, AuthorizerScope, Demand, Grant, SchemeRequirement, Verdict, Weight};
use crate::cache::{Cache, Capacity};
use crate::context::AuthorizerFacts;
use crate::flow::{Callout, CalloutOutcome, Question};
use crate::gateway_response::{Failure, ResponseType};
use crate::platform::{Level, Platform};
use crate::policy::{Decision, Policy, Principal};
use std::sync::Arc;

/// A Lambda authorizer with its upstream, and what it remembers.
#[derive(Debug)]
pub struct Lambda {
    settings: LambdaAuthorizer,
    cluster: String,
    cache: Cache<Arc<Remembered>>,
}

/// What a function said of an identity; a policy is evaluated for each request anew.
#[derive(Debug)]
struct Remembered {
    word: Word,
    facts: AuthorizerFacts,
}

#[derive(Debug)]
enum Word {
    Policy(Policy),
    Simple(bool),
}

// === impl Lambda ===

impl Lambda {
    /// Compiles a scheme with an authorizer of type `token` or `request`.
    pub fn compile(requirement: &SchemeRequirement<'_>, scope: &mut AuthorizerScope<'_, '_>) -> Option<Arc<dyn Authorizer>> {
        let SchemeRequirement { scheme, authorizer, .. } = requirement;
        let settings = LambdaAuthorizer::compile(scheme, authorizer, scope.protocol, scope.variables, scope.problems)?;
        let place = authorizer.get("authorizerUri")?;
        let cluster = scope.directory.cluster(settings.function().endpoint(), &place, scope.problems);
        let cache = Cache::new(Capacity { entries: 1_024, bytes: 4 * 1024 * 1024 });
        Some(Arc::new(Self { settings, cluster, cache }))
    }

    fn verdict(&self, remembered: &Remembered, demand: &Demand<'_>, platform: &dyn Platform) -> Verdict {
        let decision = match &remembered.word {
            Word::Policy(policy) => evaluate(policy, demand.context, &Principal::Anonymous, platform),
            Word::Simple(true) => Decision::Allow,
            Word::Simple(false) => Decision::Deny,
        };
        let facts = remembered.facts.clone();
        Verdict::Granted(Grant { facts, principal: Principal::Anonymous, weight: Weight::Either(decision) })
    }

    /// The function's answer, compiled.
    fn read(&self, outcome: CalloutOutcome) -> Result<(Remembered, usize), Refusal> {
        let response = outcome.map_err(|_| Refusal::Failed("the function was not reached".to_owned()))?;
        let answer = self.settings.answer(response.head.status, &response.head.headers, &response.body)?;
        let weight = answer.weight();
        let remembered = match answer {
            Answer::Policy { principal_id, policy, context, usage_identifier_key } => {
                let policy = Policy::parse(&policy).map_err(|malformed| Refusal::Malformed(malformed.to_string()))?;
                let facts = AuthorizerFacts { principal_id, context, usage_identifier_key, ..AuthorizerFacts::default() };
                Remembered { word: Word::Policy(policy), facts }
            }
            Answer::Simple { is_authorized, context } => {
                let facts = AuthorizerFacts { context, ..AuthorizerFacts::default() };
                Remembered { word: Word::Simple(is_authorized), facts }
            }
        };
        Ok((remembered, weight))
    }
}

impl Authorizer for Lambda {
    fn credentials(&self) -> Vec<String> {
        self.settings.credentials()
    }

    fn authorize(&self, demand: &Demand<'_>, platform: &mut dyn Platform) -> Verdict {
        let Ok(identity) = self.settings.identity(demand.context, platform) else {
            return Verdict::Refused(Failure::new(ResponseType::Unauthorized));
        };
        if self.settings.ttl_millis() > 0 {
            let key = self.settings.cache_key(demand.context, &identity);
            if let Some(remembered) = self.cache.get(&key, platform.now_millis()) {
                return self.verdict(&remembered, demand, platform);
            }
        }
        let InvokeRequest { head, body } = self.settings.request(demand.context, &identity, platform);
        let question = Question::Http { head, body };
        Verdict::Call(Callout { cluster: self.cluster.clone(), question, timeout_millis: self.settings.timeout_millis() })
    }

    fn called(&self, demand: &Demand<'_>, outcome: CalloutOutcome, platform: &mut dyn Platform) -> Verdict {
        let (remembered, weight) = match self.read(outcome) {
            Ok((remembered, weight)) => (Arc::new(remembered), weight),
            Err(refusal) => {
                if let Refusal::Failed(reason) | Refusal::Malformed(reason) = &refusal {
                    platform.log(Level::Warn, &format!("{}: {reason}", self.summary()));
                }
                return Verdict::Refused(Failure::new(refusal.response_type()));
            }
        };
        let ttl = self.settings.ttl_millis();
        // The identity is read a second time, and is the same: the request has not changed.
        if let Some(identity) = self.settings.identity(demand.context, platform).ok().filter(|_| ttl > 0) {
            let key = self.settings.cache_key(demand.context, &identity);
            let now = platform.now_millis();
            self.cache.insert(&key, Arc::clone(&remembered), weight, now, now.saturating_add(ttl));
        }
        self.verdict(&remembered, demand, platform)
    }

    fn names_api_keys(&self) -> bool {
        true
    }

    fn asks_after_policy(&self) -> bool {
        true
    }

    fn summary(&self) -> String {
        format!("Lambda authorizer {}", self.settings.name)
    }
}
