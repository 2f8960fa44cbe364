//! A backend and a function that are not there, are slow, or hang up in the midst of an answer.

use std::time::Duration;

use super::trial::{Allowed, Fault, Trial};
use crate::traffic::documents::INTEGRATION_TIMEOUT;
use crate::traffic::kind::{Goal, Kind};
use crate::traffic::upstream::Trouble;

enum What {
    Down,
    Slow,
    Reset,
}

struct Upstream(What);

pub fn all() -> Vec<Box<dyn Fault>> {
    [What::Down, What::Slow, What::Reset].map(|what| -> Box<dyn Fault> { Box::new(Upstream(what)) }).into()
}

impl Fault for Upstream {
    fn name(&self) -> &'static str {
        match self.0 {
            What::Down => "upstream-down",
            What::Slow => "upstream-slow",
            What::Reset => "upstream-reset",
        }
    }

    fn begin(&self, trial: &mut Trial<'_>) {
        for host in [&trial.scene.upstreams.backend, &trial.scene.upstreams.lambda] {
            match self.0 {
                What::Down => host.down(),
                What::Slow => host.play(Trouble::Slow(2 * INTEGRATION_TIMEOUT)),
                What::Reset => host.play(Trouble::Reset),
            }
        }
    }

    fn least(&self) -> Duration {
        // What is answered when its time is over has to be answered in the midst of it.
        if matches!(self.0, What::Slow) { INTEGRATION_TIMEOUT + Duration::from_millis(500) } else { Duration::ZERO }
    }

    fn end(&self, trial: &mut Trial<'_>) {
        for host in [&trial.scene.upstreams.backend, &trial.scene.upstreams.lambda] {
            match self.0 {
                What::Down => host.up(),
                What::Slow | What::Reset => host.play(Trouble::None),
            }
        }
    }

    fn allows(&self, kind: Kind) -> Allowed {
        if kind.goal() == Goal::Gateway {
            return Allowed::NOTHING;
        }
        let status = if matches!(kind, Kind::Authorized | Kind::Jwt) { 503 } else { 504 };
        match self.0 {
            // What streams has begun when the connection ends; and who is in the midst of it when everybody is cut off.
            What::Reset | What::Down => Allowed { cut: true, ..Allowed::status(status) },
            What::Slow => Allowed::status(status),
        }
    }

    fn has_to_show(&self, kind: Kind) -> bool {
        kind == Kind::Open || kind == Kind::Lambda || kind == Kind::Template
    }
}
