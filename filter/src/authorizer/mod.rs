//! Who may call. The only place where an [`Authorized`] is made: an integration takes nothing else, so a request that skipped this
//! stage does not compile.
//!
//! One file or folder a kind of authorizer; the registry of kinds is `compile/kinds.rs`. A [`Guard`] stands before each route: the
//! resource policy of the API, the authorizer of the method, and how the two are put together.

mod condition_keys;
mod guard;
mod iam;
mod jwt;
mod lambda;
mod requirement;

pub use guard::{Guard, Progress};
pub use iam::{Iam, Users};
pub use jwt::{Cognito, IssuerKeys, Issuers, Jwt};
pub use lambda::Lambda;
pub use requirement::{Demanded, Requirement, SchemeRequirement};

use crate::context::{ApiKeyFacts, AuthorizerFacts, Context, RateLimitFacts};
use crate::definition::{Directory, Protocol};
use crate::flow::{Callout, CalloutOutcome};
use crate::gateway_response::Failure;
use crate::platform::Platform;
use crate::policy::{Decision, Principal};
use crate::problem::Problems;
use std::collections::BTreeMap;
use std::fmt;

/// A compiled authorizer, shared by all routes of a stage that name it.
pub trait Authorizer: Send + Sync {
    /// Whether it looks at the request body, which is read first then.
    fn needs_body(&self, _: &Context, _: &dyn Platform) -> bool {
        false
    }

    /// Looks at a request.
    fn authorize(&self, demand: &Demand<'_>, platform: &mut dyn Platform) -> Verdict;

    /// Goes on with a request for which a call was made. Only who makes calls is asked.
    fn called(&self, _: &Demand<'_>, _: CalloutOutcome, _: &mut dyn Platform) -> Verdict {
        Verdict::Refused(Failure::configuration())
    }

    /// Whether a route may ask for scopes.
    fn knows_scopes(&self) -> bool {
        false
    }

    /// Whether it can say which API key a request counts for.
    fn names_api_keys(&self) -> bool {
        false
    }

    /// Whether an explicit deny of the resource policy comes first: where asking costs a call to somebody else.
    fn asks_after_policy(&self) -> bool {
        false
    }

    /// The headers and query parameters in which it looks for what lets a caller in: no log shows them.
    fn credentials(&self) -> Vec<String> {
        Vec::new()
    }

    /// One cell of the route table: `JWT https://issuer.example.com`.
    fn summary(&self) -> String;
}

/// Its summary: `Debug` as a part of the trait would keep the derived one of every field in the module.
impl fmt::Debug for dyn Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())
    }
}

/// What the compile step of an authorizer may look at, and where it tells what it found.
pub struct AuthorizerScope<'a, 'b> {
    /// REST or HTTP.
    pub protocol: Protocol,
    /// The stage's variables.
    pub variables: &'b BTreeMap<String, String>,
    /// Where hosts are.
    pub directory: &'b mut Directory,
    /// Whose tokens are known.
    pub issuers: &'b mut Issuers<'a>,
    /// The findings.
    pub problems: &'b mut Problems,
}

/// What an authorizer is asked.
pub struct Demand<'a> {
    /// The request, routed.
    pub context: &'a Context,
    /// The scopes of the route, of which the caller needs one; empty where it asks for none.
    pub scopes: &'a [String],
}

/// What an authorizer found out about a caller.
#[derive(Debug, Clone)]
pub struct Grant {
    /// What `$context` says of it.
    pub facts: AuthorizerFacts,
    /// Who it is to a resource policy.
    pub principal: Principal,
    /// How much that counts beside a resource policy.
    pub weight: Weight,
}

/// How an authorizer's word and the resource policy's are put together (AWS: "How API Gateway resource policies affect
/// authorization workflow").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The caller is authenticated, or nobody asked: the policy, where there is one, must allow explicitly.
    Known,
    /// Table A: one of both allows, and none denies.
    Either(Decision),
    /// Table B: both allow.
    Both(Decision),
}

/// What an authorizer says.
#[derive(Debug)]
pub enum Verdict {
    /// The caller is known, and may call as far as the authorizer is concerned.
    Granted(Grant),
    /// The caller may not.
    Refused(Failure),
    /// Somebody else has to be asked first.
    Call(Callout),
}

/// A request that may reach its integration.
#[derive(Debug)]
pub struct Authorized {
    context: Context,
}

// === impl Grant ===

impl Grant {
    /// Nobody was asked who it is.
    pub fn anyone() -> Self {
        Self { facts: AuthorizerFacts::default(), principal: Principal::Anonymous, weight: Weight::Known }
    }
}

// === impl Authorized ===

impl Authorized {
    /// What is known of the request.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The caller turned out to have an API key.
    pub fn identify(&mut self, key: ApiKeyFacts) {
        self.context.api_key = Some(key);
    }

    /// A rate limit service said something that the client is to be told.
    pub fn note(&mut self, said: Option<RateLimitFacts>) {
        self.context.rate_limit = said.or(self.context.rate_limit);
    }

    /// The same, once nothing more is asked of the authorization.
    pub fn into_context(self) -> Context {
        self.context
    }
}
