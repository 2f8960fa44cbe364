//! A Lambda authorizer that runs out of time, that Lambda cannot call, that answers what is no answer; and one that never answers.

use super::trial::{Allowed, Fault, Trial};
use crate::traffic::kind::Kind;
use crate::traffic::upstream::Trouble;

/// The name of the one that never answers. It takes ten seconds of its own, so it goes on beside the others.
pub const HANGING: &str = "authorizer-hangs";

struct Authorizer(&'static str, Trouble);

pub fn all() -> Vec<Box<dyn Fault>> {
    vec![
        Box::new(Authorizer("authorizer-timeout", Trouble::TimedOut)),
        Box::new(Authorizer("authorizer-500", Trouble::Status(500))),
        Box::new(Authorizer("authorizer-malformed", Trouble::Garbage)),
    ]
}

impl Fault for Authorizer {
    fn name(&self) -> &'static str {
        self.0
    }

    fn begin(&self, trial: &mut Trial<'_>) {
        trial.scene.upstreams.authorizers.play(self.1);
    }

    fn end(&self, trial: &mut Trial<'_>) {
        trial.scene.upstreams.authorizers.play(Trouble::None);
    }

    fn allows(&self, kind: Kind) -> Allowed {
        match kind {
            // What is remembered goes on to count.
            Kind::Authorized | Kind::Denied | Kind::Remembered => Allowed::status(500),
            _ => Allowed::NOTHING,
        }
    }

    fn fails_closed(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Authorized | Kind::Denied | Kind::Remembered)
    }

    fn has_to_show(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Authorized | Kind::Denied)
    }
}
