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

/// Of one authorizer in one worker: 4 MiB.
const CAPACITY: Capacity = Capacity { entries: 1_024, bytes: 4_194_304 };

// === impl Lambda ===

impl Lambda {
    /// Compiles a scheme with an authorizer of type `token` or `request`.
    pub fn compile(requirement: &SchemeRequirement<'_>, scope: &mut AuthorizerScope<'_, '_>) -> Option<Arc<dyn Authorizer>> {
        let SchemeRequirement { scheme, authorizer, .. } = requirement;
        let settings = LambdaAuthorizer::compile(scheme, authorizer, scope.protocol, scope.variables, scope.problems)?;
        let place = authorizer.get("authorizerUri")?;
        let cluster = scope.directory.cluster(settings.function().endpoint(), &place, scope.problems);
        Some(Arc::new(Self { settings, cluster, cache: Cache::new(CAPACITY) }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorizer::Issuers;
    use crate::context::Context;
    use crate::definition::{Document, Node, Outline, Protocol};
    use crate::event::tests::{STILL, request};
    use crate::flow::NoReply;
    use crate::http::{Response, ResponseHead};
    use crate::platform::Still;
    use crate::problem::Problems;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    const TOKEN: (&str, &str) = ("auth", "token");

    /// An authorizer with these settings, in a scheme named `authz` of the header `auth`.
    fn lambda(protocol: Protocol, mut settings: Value) -> Arc<dyn Authorizer> {
        settings["authorizerUri"] = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
            arn:aws:lambda:us-east-1:123456789012:function:authz/invocations"
            .into();
        let document = json!({
            "upstreams": {"lambda.us-east-1.amazonaws.com": {"cluster": "functions"}},
            "authz": {"type": "apiKey", "name": "auth", "in": "header", "a": settings},
        });
        let root = Node::root(&document);
        let outline = Outline::from_value(&document);
        let mut directory = Document::read(&outline, &mut Problems::default()).directory;
        let mut problems = Problems::default();
        let mut issuers = Issuers::read(None, &mut problems);
        let scheme = root.get("authz").unwrap();
        let authorizer = scheme.get("a").unwrap();
        let requirement = SchemeRequirement { name: "authz", scheme, authorizer, scopes: Vec::new() };
        let mut scope = AuthorizerScope {
            protocol,
            variables: &BTreeMap::new(),
            directory: &mut directory,
            issuers: &mut issuers,
            problems: &mut problems,
        };
        let compiled = Lambda::compile(&requirement, &mut scope);
        assert!(problems.into_vec().is_empty());
        compiled.unwrap()
    }

    fn rest(ttl: u32) -> Arc<dyn Authorizer> {
        lambda(Protocol::Rest, json!({"type": "token", "authorizerResultTtlInSeconds": ttl}))
    }

    fn pets(headers: &[(&str, &str)]) -> Context {
        request(Protocol::Rest, "GET", "/prod/pets", headers)
    }

    fn at(millis: u64) -> Still {
        Still { now_millis: STILL.now_millis + millis, ..STILL }
    }

    fn ask(authorizer: &dyn Authorizer, context: &Context, millis: u64) -> Verdict {
        authorizer.authorize(&Demand { context, scopes: &[] }, &mut at(millis))
    }

    fn say(authorizer: &dyn Authorizer, context: &Context, body: &Value) -> Verdict {
        let head = ResponseHead { status: 200, ..ResponseHead::default() };
        let outcome = Ok(Response { head, body: body.to_string().into_bytes() });
        authorizer.called(&Demand { context, scopes: &[] }, outcome, &mut at(0))
    }

    /// Of a grant: the decision and the facts.
    fn granted(verdict: Verdict) -> (Decision, AuthorizerFacts) {
        match verdict {
            Verdict::Granted(Grant { facts, principal: Principal::Anonymous, weight: Weight::Either(decision) }) => {
                (decision, facts)
            }
            other => panic!("{other:?}"),
        }
    }

    fn refused(verdict: Verdict) -> Failure {
        match verdict {
            Verdict::Refused(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    fn policy(effect: &str, path: &str) -> Value {
        let resource = format!("arn:aws:execute-api:*:*:*/prod/GET/{path}");
        let statement = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource});
        json!({"principalId": "u", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"k": 1}, "usageIdentifierKey": "key"})
    }

    #[test]
    fn the_function_is_asked_and_its_policy_decides() {
        let context = pets(&[TOKEN]);
        for (effect, path, decision) in [
            ("Allow", "pets", Decision::Allow),
            ("Deny", "pets", Decision::Deny),
            ("Allow", "other", Decision::Neither),
            ("Deny", "other", Decision::Neither),
        ] {
            let authorizer = rest(300);
            let Verdict::Call(callout) = ask(&*authorizer, &context, 0) else { panic!("no call") };
            assert_eq!((callout.cluster.as_str(), callout.timeout_millis), ("functions", 29_000));
            assert!(callout.http_head().unwrap().path.starts_with(b"/2015-03-31/functions/"));
            let (said, facts) = granted(say(&*authorizer, &context, &policy(effect, path)));
            assert_eq!(said, decision, "{effect} {path}");
            assert_eq!((facts.principal_id.as_deref(), facts.usage_identifier_key.as_deref()), (Some("u"), Some("key")));
            assert_eq!(Value::from(facts.context), json!({"k": "1"}));
        }
    }

    #[test]
    fn an_answer_is_remembered_for_its_identity_and_its_time_and_decides_anew() {
        let (context, other) = (pets(&[TOKEN]), pets(&[("auth", "other")]));
        let authorizer = rest(300);
        granted(say(&*authorizer, &context, &policy("Allow", "pets")));
        assert_eq!(granted(ask(&*authorizer, &context, 0)).0, Decision::Allow);
        let elsewhere = request(Protocol::Rest, "GET", "/prod/admin", &[TOKEN]);
        assert_eq!(granted(ask(&*authorizer, &elsewhere, 0)).0, Decision::Neither);
        assert!(matches!(ask(&*authorizer, &other, 0), Verdict::Call(_)));
        assert_eq!(granted(ask(&*authorizer, &context, 299_999)).0, Decision::Allow);
        assert!(matches!(ask(&*authorizer, &context, 300_000), Verdict::Call(_)));
        let forgetful = rest(0);
        granted(say(&*forgetful, &context, &policy("Allow", "pets")));
        assert!(matches!(ask(&*forgetful, &context, 0), Verdict::Call(_)));
    }

    #[test]
    fn a_simple_answer_allows_or_denies() {
        let settings = json!({"type": "request", "identitySource": "$request.header.auth", "authorizerResultTtlInSeconds": 60,
            "authorizerPayloadFormatVersion": "2.0", "enableSimpleResponses": true});
        let context = request(Protocol::Http, "GET", "/pets", &[TOKEN]);
        for (word, decision) in [(true, Decision::Allow), (false, Decision::Deny)] {
            let authorizer = lambda(Protocol::Http, settings.clone());
            let Verdict::Call(callout) = ask(&*authorizer, &context, 0) else { panic!("no call") };
            assert_eq!(callout.timeout_millis, 10_000);
            let (said, facts) = granted(say(&*authorizer, &context, &json!({"isAuthorized": word, "context": {"k": [1]}})));
            assert_eq!((said, Value::from(facts.context)), (decision, json!({"k": [1]})));
            assert_eq!(granted(ask(&*authorizer, &context, 0)).0, decision);
        }
    }

    #[test]
    fn who_shows_nothing_is_not_asked_for_and_what_fails_lets_nobody_in() {
        let authorizer = rest(300);
        for headers in [&[][..], &[("auth", "")]] {
            assert_eq!(refused(ask(&*authorizer, &pets(headers), 0)), Failure::new(ResponseType::Unauthorized));
        }
        let context = pets(&[TOKEN]);
        let broken = Failure::new(ResponseType::AuthorizerConfigurationError);
        let demand = Demand { context: &context, scopes: &[] };
        assert_eq!(refused(authorizer.called(&demand, Err(NoReply), &mut at(0))), broken);
        for body in [json!({}), json!({"principalId": "u", "policyDocument": {"Statement": "x"}}), json!({"isAuthorized": true})] {
            assert_eq!(refused(say(&*authorizer, &context, &body)), broken, "{body}");
        }
        // None of it is remembered.
        assert!(matches!(ask(&*authorizer, &context, 0), Verdict::Call(_)));
    }

    #[test]
    fn it_is_asked_last_and_may_name_a_key() {
        let authorizer = rest(300);
        assert!(authorizer.asks_after_policy() && authorizer.names_api_keys() && !authorizer.knows_scopes());
        assert_eq!((authorizer.summary().as_str(), authorizer.credentials()), ("Lambda authorizer authz", vec!["auth".to_owned()]));
    }
}
