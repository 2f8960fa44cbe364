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
