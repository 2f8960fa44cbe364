//! What stands before a route: the resource policy of the API, the authorizer of the method, and how the two are put together.
//!
//! AWS: "How API Gateway resource policies affect authorization workflow". A request that nobody lets through is refused: there is
//! no way to an [`Authorized`] but [`Guard::pass`].

use super::condition_keys::evaluate;
use super::{Authorized, Authorizer, Demand, Grant, Verdict, Weight};
use crate::context::Context;
use crate::event::{METHOD_ARN_LIMIT, method_arn};
use crate::flow::{Callout, CalloutOutcome};
use crate::gateway_response::{Failure, ResponseType};
use crate::platform::Platform;
use crate::policy::{Decision, Policy, Principal, table_a, table_b};
use std::sync::Arc;

/// Who may pass to a route.
#[derive(Debug, Default)]
pub struct Guard {
    /// `x-amazon-apigateway-policy` of the API.
    pub policy: Option<Arc<Policy>>,
    /// None: everyone whom the policy lets through.
    pub authorizer: Option<Arc<dyn Authorizer>>,
    /// Of which the caller needs one.
    pub scopes: Vec<String>,
}

/// How far a request came.
pub enum Progress {
    /// Through.
    Authorized(Box<Authorized>),
    /// Not through.
    Refused(Box<Context>, Failure),
    /// Somebody has to be asked.
    Call(Box<Context>, Callout),
}

// === impl Guard ===

impl Guard {
    /// Whether the request body is read before anything is decided.
    pub fn needs_body(&self, context: &Context, platform: &dyn Platform) -> bool {
        self.authorizer.as_ref().is_some_and(|authorizer| authorizer.needs_body(context, platform))
    }

    /// Looks at a routed request.
    pub fn enter(&self, context: Context, platform: &mut dyn Platform) -> Progress {
        if self.is_open() {
            return self.pass(context, Grant::anyone(), platform);
        }
        if method_arn(&context).len() > METHOD_ARN_LIMIT {
            let failure = Failure::new(ResponseType::Default4xx).with_status(414).saying("Request URI too long");
            return Progress::Refused(Box::new(context), failure);
        }
        let Some(authorizer) = &self.authorizer else {
            return self.pass(context, Grant::anyone(), platform);
        };
        // Route, the policy's explicit deny, then whoever has to be asked elsewhere (documented): nobody is asked in vain.
        if authorizer.asks_after_policy() && self.decide(&context, &Principal::Anonymous, platform) == Some(Decision::Deny) {
            let failure = refusal(&Grant::anyone(), Some(Decision::Deny), &context);
            return Progress::Refused(Box::new(context), failure);
        }
        let verdict = authorizer.authorize(&Demand { context: &context, scopes: &self.scopes }, platform);
        self.proceed(context, verdict, platform)
    }

    /// Whether nobody is asked at all.
    pub fn is_open(&self) -> bool {
        self.policy.is_none() && self.authorizer.is_none()
    }

    /// Goes on with a request for which a call was made.
    pub fn called(&self, context: Context, outcome: CalloutOutcome, platform: &mut dyn Platform) -> Progress {
        let verdict = match &self.authorizer {
            Some(authorizer) => authorizer.called(&Demand { context: &context, scopes: &self.scopes }, outcome, platform),
            // Nobody asked for a call.
            None => Verdict::Refused(Failure::configuration()),
        };
        self.proceed(context, verdict, platform)
    }

    fn proceed(&self, context: Context, verdict: Verdict, platform: &mut dyn Platform) -> Progress {
        match verdict {
            Verdict::Granted(grant) => self.pass(context, grant, platform),
            Verdict::Refused(failure) => Progress::Refused(Box::new(context), failure),
            Verdict::Call(callout) => Progress::Call(Box::new(context), callout),
        }
    }

    /// The authorizer's word and the resource policy's, put together.
    fn pass(&self, mut context: Context, grant: Grant, platform: &dyn Platform) -> Progress {
        context.authorizer.clone_from(&grant.facts);
        if grant.facts.caller.is_some() {
            // Documented ("Amazon API Gateway important notes"): the header is dropped where it was an AWS signature.
            context.request.headers.remove("authorization");
        }
        let resource = self.decide(&context, &grant.principal, platform);
        let allowed = match (grant.weight, resource) {
            // Nobody but the policy decides, or it has to agree explicitly: REST APIs without an authorizer, and with a token.
            (Weight::Known, resource) => matches!(resource, None | Some(Decision::Allow)),
            (Weight::Either(own), resource) => table_a(own, resource.unwrap_or(Decision::Neither)),
            (Weight::Both(own), resource) => table_b(own, resource.unwrap_or(Decision::Neither)),
        };
        if allowed {
            return Progress::Authorized(Box::new(Authorized { context }));
        }
        let failure = refusal(&grant, resource, &context);
        Progress::Refused(Box::new(context), failure)
    }

    /// What the resource policy says; none where there is none.
    fn decide(&self, context: &Context, principal: &Principal, platform: &dyn Platform) -> Option<Decision> {
        let policy = self.policy.as_ref()?;
        Some(evaluate(policy, context, principal, platform))
    }

    /// One cell of the route table: `NONE`, `AWS_IAM`, `JWT https://…`.
    pub fn summary(&self) -> String {
        let authorizer = self.authorizer.as_ref().map_or_else(|| "NONE".to_owned(), |authorizer| authorizer.summary());
        if self.policy.is_some() { format!("{authorizer} + resource policy") } else { authorizer }
    }
}

/// The texts of AWS's page "Troubleshoot 403 errors from API Gateway".
fn refusal(grant: &Grant, resource: Option<Decision>, context: &Context) -> Failure {
    let own = match grant.weight {
        Weight::Known => Decision::Neither,
        Weight::Either(own) | Weight::Both(own) => own,
    };
    let explicit = if own == Decision::Deny || resource == Some(Decision::Deny) { " with an explicit deny" } else { "" };
    let failure = Failure::new(ResponseType::AccessDenied);
    // A function's policy names nobody: the text of authorizers.
    if resource.is_none() && grant.principal == Principal::Anonymous {
        return failure.saying(format!("User is not authorized to access this resource{explicit}"));
    }
    let user = match &grant.principal {
        Principal::Anonymous => "anonymous",
        Principal::Aws { arn, .. } => arn,
    };
    let resource = masked(&method_arn(context));
    failure.saying(format!("User: {user} is not authorized to perform: execute-api:Invoke on resource: {resource}{explicit}"))
}

/// The account of an ARN is shown by its last four digits.
fn masked(arn: &str) -> String {
    let mask = |(index, part): (usize, &str)| match index {
        4 => {
            let hidden = part.chars().count().saturating_sub(4);
            let shown: String = part.chars().skip(hidden).collect();
            format!("{}{shown}", "*".repeat(hidden))
        }
        _ => part.to_owned(),
    };
    arn.splitn(6, ':').enumerate().map(mask).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::CallerFacts;
    use crate::definition::{Node, Protocol};
    use crate::event::tests::{STILL, request};
    use crate::policy::{ApiArn, Kind};
    use crate::problem::Problems;
    use Decision::{Allow, Deny, Neither};
    use serde_json::json;
    use std::sync::atomic::{AtomicU32, Ordering};

    const USER: &str = "arn:aws:iam::111122223333:user/u";

    /// Grants with these words, and counts how often it is asked.
    struct Says {
        weight: Weight,
        signed: bool,
        last: bool,
        asked: AtomicU32,
    }

    impl Says {
        fn new(weight: Weight) -> Self {
            Self { weight, signed: false, last: false, asked: AtomicU32::new(0) }
        }

        fn grant(&self) -> Verdict {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let mut grant = Grant { weight: self.weight, ..Grant::anyone() };
            grant.facts.principal_id = Some("p".to_owned());
            if self.signed {
                grant.facts.caller = Some(CallerFacts::default());
                grant.principal = Principal::Aws { arn: USER.to_owned(), account: "111122223333".to_owned() };
            }
            Verdict::Granted(grant)
        }
    }

    impl Authorizer for Says {
        fn needs_body(&self, _: &Context, _: &dyn Platform) -> bool {
            self.last
        }

        fn authorize(&self, demand: &Demand<'_>, _: &mut dyn Platform) -> Verdict {
            assert_eq!(demand.scopes, ["a"]);
            self.grant()
        }

        fn asks_after_policy(&self) -> bool {
            self.last
        }

        fn summary(&self) -> String {
            "SAYS".to_owned()
        }
    }

    /// A policy that says this of whoever is named: nothing, where it is about somebody else.
    fn policy(said: Decision, principal: &serde_json::Value) -> Arc<Policy> {
        let effect = if said == Deny { "Deny" } else { "Allow" };
        let resource = if said == Neither { "execute-api:/*/PUT/*" } else { "execute-api:/*" };
        let statement = json!({"Effect": effect, "Principal": principal, "Action": "execute-api:Invoke", "Resource": resource});
        let document = json!({"Version": "2012-10-17", "Statement": [statement]});
        let api = ApiArn { region: "eu-west-1", account: "123456789012", api: "apiid" };
        Arc::new(Policy::compile(&Node::root(&document), Kind::Resource(api), &mut Problems::default()).unwrap())
    }

    fn guard(said: Option<Decision>, says: Option<Says>) -> Guard {
        let authorizer = says.map(|says| Arc::new(says) as Arc<dyn Authorizer>);
        Guard { policy: said.map(|said| policy(said, &json!("*"))), authorizer, scopes: vec!["a".to_owned()] }
    }

    fn pets() -> Context {
        request(Protocol::Rest, "GET", "/prod/pets", &[("authorization", "secret")])
    }

    /// `None`: through; otherwise what the client is told.
    fn refused(progress: Progress) -> Option<String> {
        match progress {
            Progress::Authorized(_) => None,
            Progress::Refused(_, failure) => Some(failure.describe()),
            Progress::Call(..) => panic!("a call"),
        }
    }

    fn enter(guard: &Guard) -> Option<String> {
        refused(guard.enter(pets(), &mut STILL.clone()))
    }

    #[test]
    fn who_passes_is_decided_by_the_policy_and_the_authorizer_together() {
        let resource = [None, Some(Allow), Some(Deny), Some(Neither)];
        for (weight, passes) in [
            (None, [true, true, false, false]),
            (Some(Weight::Known), [true, true, false, false]),
            (Some(Weight::Either(Allow)), [true, true, false, true]),
            (Some(Weight::Either(Neither)), [false, true, false, false]),
            (Some(Weight::Either(Deny)), [false, false, false, false]),
            (Some(Weight::Both(Allow)), [false, true, false, false]),
            (Some(Weight::Both(Neither)), [false, false, false, false]),
            (Some(Weight::Both(Deny)), [false, false, false, false]),
        ] {
            for (said, passes) in resource.into_iter().zip(passes) {
                let guard = guard(said, weight.map(Says::new));
                assert_eq!(enter(&guard).is_none(), passes, "{weight:?} {said:?}");
                assert_eq!(guard.is_open(), weight.is_none() && said.is_none(), "{weight:?} {said:?}");
            }
        }
    }

    #[test]
    fn an_authorizer_that_costs_a_call_is_not_asked_for_whom_the_policy_denies() {
        for (last, said, asked) in
            [(true, Deny, 0), (true, Neither, 1), (true, Allow, 1), (false, Deny, 1), (false, Neither, 1), (false, Allow, 1)]
        {
            let says = Arc::new(Says { last, ..Says::new(Weight::Known) });
            let guard = Guard { authorizer: Some(says.clone()), ..guard(Some(said), None) };
            assert_eq!(enter(&guard).is_none(), said == Allow, "{last} {said:?}");
            assert_eq!(says.asked.load(Ordering::Relaxed), asked, "{last} {said:?}");
        }
    }

    #[test]
    fn an_arn_may_be_as_long_as_the_limit_where_somebody_looks_at_it() {
        let base = method_arn(&request(Protocol::Rest, "GET", "/prod/", &[])).len();
        for (length, guard, told) in [
            (METHOD_ARN_LIMIT, guard(Some(Allow), None), None),
            (METHOD_ARN_LIMIT + 1, guard(Some(Allow), None), Some("DEFAULT_4XX: Request URI too long".to_owned())),
            (
                METHOD_ARN_LIMIT + 1,
                guard(None, Some(Says::new(Weight::Known))),
                Some("DEFAULT_4XX: Request URI too long".to_owned()),
            ),
            (METHOD_ARN_LIMIT + 1, guard(None, None), None),
        ] {
            let context = request(Protocol::Rest, "GET", &format!("/prod/{}", "a".repeat(length - base)), &[]);
            assert_eq!(method_arn(&context).len(), length);
            assert_eq!(refused(guard.enter(context, &mut STILL.clone())), told);
        }
    }

    #[test]
    fn the_end_of_a_call_that_nobody_made_lets_nobody_in() {
        for guard in [guard(None, None), guard(Some(Allow), None), guard(None, Some(Says::new(Weight::Known)))] {
            let progress = guard.called(pets(), Err(crate::flow::NoReply), &mut STILL.clone());
            assert_eq!(refused(progress).as_deref(), Some("API_CONFIGURATION_ERROR: Internal server error"));
        }
    }

    #[test]
    fn what_let_somebody_in_is_told_and_a_signature_goes_no_further() {
        for signed in [true, false] {
            let guard = guard(None, Some(Says { signed, ..Says::new(Weight::Known) }));
            let Progress::Authorized(authorized) = guard.enter(pets(), &mut STILL.clone()) else { panic!("not let in") };
            assert_eq!(authorized.context().authorizer.principal_id.as_deref(), Some("p"));
            assert_eq!(authorized.into_context().headers().last("authorization").is_none(), signed);
        }
    }

    #[test]
    fn a_refusal_names_the_caller_the_method_and_an_explicit_deny() {
        let anyone = "ACCESS_DENIED: User is not authorized to access this resource";
        let named = |user: &str| {
            let arn = "arn:aws:execute-api:eu-west-1:********9012:apiid/prod/GET/pets";
            format!("ACCESS_DENIED: User: {user} is not authorized to perform: execute-api:Invoke on resource: {arn}")
        };
        let deny = " with an explicit deny";
        for (said, weight, signed, told) in [
            (None, Weight::Either(Neither), false, anyone.to_owned()),
            (None, Weight::Either(Deny), false, format!("{anyone}{deny}")),
            (None, Weight::Both(Deny), false, format!("{anyone}{deny}")),
            (None, Weight::Either(Neither), true, named(USER)),
            (None, Weight::Either(Deny), true, format!("{}{deny}", named(USER))),
            (Some(Neither), Weight::Known, false, named("anonymous")),
            (Some(Deny), Weight::Known, false, format!("{}{deny}", named("anonymous"))),
            (Some(Deny), Weight::Either(Allow), true, format!("{}{deny}", named(USER))),
            (Some(Neither), Weight::Both(Allow), true, named(USER)),
        ] {
            let guard = guard(said, Some(Says { signed, ..Says::new(weight) }));
            assert_eq!(enter(&guard), Some(told), "{said:?} {weight:?} {signed}");
        }
    }

    #[test]
    fn a_policy_asks_who_it_is_once_an_authorizer_knows() {
        for (signed, passes) in [(true, true), (false, false)] {
            let says: Arc<dyn Authorizer> = Arc::new(Says { signed, ..Says::new(Weight::Known) });
            let policy = Some(policy(Allow, &json!({"AWS": USER})));
            let guard = Guard { policy, authorizer: Some(says), scopes: vec!["a".to_owned()] };
            assert_eq!(enter(&guard).is_none(), passes);
        }
    }

    #[test]
    fn a_body_is_held_for_an_authorizer_that_looks_at_it() {
        for last in [true, false] {
            let guard = guard(None, Some(Says { last, ..Says::new(Weight::Known) }));
            assert_eq!(guard.needs_body(&pets(), &STILL), last);
        }
        assert!(!guard(Some(Allow), None).needs_body(&pets(), &STILL));
    }

    #[test]
    fn the_route_table_has_the_authorizer_and_whether_there_is_a_policy() {
        let says = || Some(Says::new(Weight::Known));
        let guards = [guard(None, None), guard(None, says()), guard(Some(Allow), None), guard(Some(Allow), says())];
        assert_eq!(guards.map(|guard| guard.summary()), ["NONE", "SAYS", "NONE + resource policy", "SAYS + resource policy"]);
        let says: Arc<dyn Authorizer> = Arc::new(Says::new(Weight::Known));
        assert_eq!(format!("{says:?}"), "SAYS");
    }

    /// What an authorizer does that says nothing of it: nothing that lets somebody in or costs something.
    #[test]
    fn what_an_authorizer_does_not_say_is_the_safe_side() {
        struct Bare;
        impl Authorizer for Bare {
            fn authorize(&self, _: &Demand<'_>, _: &mut dyn Platform) -> Verdict {
                Verdict::Refused(Failure::configuration())
            }

            fn summary(&self) -> String {
                String::new()
            }
        }
        let context = pets();
        assert!(!Bare.needs_body(&context, &STILL));
        assert_eq!([Bare.knows_scopes(), Bare.names_api_keys(), Bare.asks_after_policy()], [false; 3]);
        assert!(Bare.credentials().is_empty());
    }

    #[test]
    fn what_is_learnt_of_a_caller_later_stays_with_the_request() {
        let Progress::Authorized(mut authorized) = guard(None, None).enter(pets(), &mut STILL.clone()) else {
            panic!("not let in")
        };
        let key = crate::context::ApiKeyFacts { id: "i".to_owned(), value: "v".to_owned() };
        authorized.identify(key.clone());
        assert_eq!(authorized.into_context().api_key, Some(key));
    }
}
