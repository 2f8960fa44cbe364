//! How much a caller may call: API keys, usage plans, throttling and quotas. The only place where an [`Admitted`] is made: an
//! integration takes nothing else, so a request that skipped this stage does not compile.
//!
//! ```text
//! Authorized -> API key -> plan: method's throttle, else the plan's; quota -> stage: method's throttle -> stage -> account -> Admitted
//!               403        429 (of one caller)                                429 (of all callers)
//! ```
//! The order is AWS's ("Throttle requests to your REST APIs for better throughput in API Gateway"): what limits one caller comes
//! before what all share, so that a caller beyond its plan takes nothing from the others. A request that is refused further down
//! counts nowhere: assumed(refused-counts-nowhere), AWS says of none of its refusals what it counts towards.
//!
//! All limits are counted by the workers of one Envoy together; those of plans by all Envoys, where the document names a rate
//! limit service.

mod asking;
mod clock;
mod key;
mod lease;
mod limits;
mod lot;
mod meter;
mod methods;
mod plan;
mod plans;
mod quota;
mod read;
mod report;
mod service;
mod state;
mod table;
mod throttle;

pub use asking::Asking;
pub use clock::Clock;
pub use key::{Key, KeyRing, KeySource};
pub use lease::{Lease, Leases};
pub use limits::{AccountLimits, StageLimits, agree};
pub use meter::{Exceeded, Meter, slot};
pub use methods::{Methods, method_name};
pub use plan::{Membership, Plan, PlanStage};
pub use plans::UsagePlans;
pub use quota::{Period, Quota};
pub use report::{KeyUsage, Now, QuotaUsage, SharedQuota, ThrottleUsage};
pub use service::{Descriptor, RateLimitService, Unit};
pub use state::State;
pub use table::Table;
pub use throttle::{Bucket, Throttle};

use crate::authorizer::Authorized;
use crate::context::{ApiKeyFacts, Context};
use crate::flow::Callout;
use crate::gateway_response::{Failure, ResponseType};
use crate::platform::Platform;
use service::Limits;
use std::sync::Arc;

/// What counts the requests of one route.
#[derive(Debug, Default)]
pub struct Usage {
    /// Where the method requires an API key.
    pub key: Option<Box<KeyDemand>>,
    /// What all callers share, in the order in which it is asked: method, stage, account.
    pub meters: Vec<Arc<Lease>>,
}

/// That a caller has to show an API key.
#[derive(Debug)]
pub struct KeyDemand {
    /// Where the key is.
    pub source: KeySource,
    /// All keys of the document.
    pub keys: Arc<KeyRing>,
    /// The route, as plans name it.
    pub place: Place,
    /// What counts for all Envoys.
    pub service: Option<Arc<RateLimitService>>,
}

/// A route, as usage plans name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name of the API in the document.
    pub api: String,
    /// The name of the stage.
    pub stage: String,
    /// `/pets/{petId}/GET`
    pub method: String,
}

/// A request that may go to its integration.
#[derive(Debug)]
pub struct Admitted {
    authorized: Authorized,
}

/// How far a request came.
pub enum Progress {
    /// Through.
    Admitted(Box<Admitted>),
    /// Not through.
    Refused(Box<Context>, Failure),
    /// The rate limit service has to be asked.
    Call(Box<Asking>, Callout),
}

/// An API key that lets a request in.
struct Caller {
    facts: ApiKeyFacts,
    /// What counts its requests here.
    meters: [Option<Arc<Lease>>; 2],
    /// What counts them for all Envoys.
    shared: Option<(Arc<RateLimitService>, Vec<Limits>)>,
}

// === impl Usage ===

impl Usage {
    /// Looks at an authorized request.
    pub fn enter(&self, mut authorized: Authorized, platform: &dyn Platform) -> Progress {
        let (mut own, mut shared) = ([None, None], None);
        if let Some(demand) = &self.key {
            let Some(caller) = demand.caller(authorized.context(), platform) else {
                return refuse(authorized, Failure::new(ResponseType::InvalidApiKey));
            };
            authorized.identify(caller.facts);
            (own, shared) = (caller.meters, caller.shared);
        }
        let all = || own.iter().flatten().chain(&self.meters);
        if let Err(exceeded) = take_all(all, platform) {
            return refuse(authorized, exceeded.failure());
        }
        match shared {
            Some((service, questions)) => Asking::new(authorized, all().cloned().collect(), service, questions).ask(platform),
            None => admit(authorized),
        }
    }
}

/// Counts a request everywhere, or nowhere.
fn take_all<'a, I>(all: impl Fn() -> I, platform: &dyn Platform) -> Result<(), Exceeded>
where
    I: Iterator<Item = &'a Arc<Lease>>,
{
    let clock = Clock::new(platform);
    for (index, lease) in all().enumerate() {
        if let Err(exceeded) = lease.take(&clock) {
            all().take(index).for_each(|lease| lease.give_back(platform));
            return Err(exceeded);
        }
    }
    Ok(())
}

fn admit(authorized: Authorized) -> Progress {
    Progress::Admitted(Box::new(Admitted { authorized }))
}

fn refuse(authorized: Authorized, failure: Failure) -> Progress {
    Progress::Refused(Box::new(authorized.into_context()), failure)
}

// === impl KeyDemand ===

impl KeyDemand {
    /// Who calls; none for every kind of key that does not let a request in.
    fn caller(&self, context: &Context, platform: &dyn Platform) -> Option<Caller> {
        let value = self.source.value(context)?;
        let key = self.keys.find(&value)?;
        let membership = key.membership(&self.place)?;
        let value = String::from_utf8(value).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let facts = ApiKeyFacts { id: key.id.clone(), value };
        let name = &key.name;
        Some(match &self.service {
            // The quota is the service's alone: it outlives this Envoy there.
            Some(service) => {
                let limits = membership.limits(name, &self.place, platform.now_millis() / 1000);
                let shared = Some((Arc::clone(service), limits));
                Caller { facts, meters: membership.throttles(name, &self.place), shared }
            }
            None => Caller { facts, meters: membership.meters(name, &self.place), shared: None },
        })
    }
}

// === impl Exceeded ===

impl Exceeded {
    fn failure(self) -> Failure {
        Failure::new(match self {
            Self::Throttle => ResponseType::Throttled,
            Self::Quota => ResponseType::QuotaExceeded,
        })
    }
}

// === impl Admitted ===

impl Admitted {
    /// What is known of the request.
    pub fn context(&self) -> &Context {
        self.authorized.context()
    }

    /// The same, once nothing more is asked of it.
    pub fn into_context(self) -> Context {
        self.authorized.into_context()
    }
}

#[cfg(test)]
mod tests;
