//! A rate limit service that is killed, and one that hangs. The document says `failureMode: deny`, which is the default.

use std::time::Duration;

use super::trial::{Allowed, Fault, Trial};
use crate::traffic::documents::LIMITS_TIMEOUT;
use crate::traffic::kind::Kind;

struct Limits {
    is_killed: bool,
}

pub fn all() -> Vec<Box<dyn Fault>> {
    vec![Box::new(Limits { is_killed: true }), Box::new(Limits { is_killed: false })]
}

impl Fault for Limits {
    fn name(&self) -> &'static str {
        if self.is_killed { "ratelimit-down" } else { "ratelimit-hangs" }
    }

    fn begin(&self, trial: &mut Trial<'_>) {
        if self.is_killed { trial.service.kill() } else { trial.service.freeze() }
    }

    fn least(&self) -> Duration {
        2 * LIMITS_TIMEOUT + Duration::from_millis(200)
    }

    fn end(&self, trial: &mut Trial<'_>) {
        if self.is_killed {
            let address = trial.service.address.clone();
            trial.service = crate::service::Service::start_at(&address, &[]);
        } else {
            trial.service.thaw();
        }
    }

    fn allows(&self, kind: Kind) -> Allowed {
        // A quota of 0 refuses without asking anybody.
        if kind == Kind::Keyed { Allowed::status(500) } else { Allowed::NOTHING }
    }

    fn fails_closed(&self, kind: Kind) -> bool {
        kind == Kind::Keyed
    }

    fn has_to_show(&self, kind: Kind) -> bool {
        kind == Kind::Keyed
    }
}
