//! An issuer that cannot say its keys. Tokens of the one that did go on to count; those of another one, of whom nothing is known yet,
//! are answered 500, and count soon after it can. And one that signs with a new key.

use std::time::Duration;

use super::trial::{Allowed, Fault, Trial};
use crate::traffic::kind::{Kind, Mix};
use crate::traffic::tokens::Key;
use crate::traffic::upstream::Trouble;

enum What {
    Down,
    Slow,
    Garbage,
    Huge,
}

struct Issuer(What);

struct Rotation;

/// Beyond what a key set may have.
const HUGE: usize = 2 * 1024 * 1024;

/// From one fetch to the next.
const COOLDOWN: Duration = Duration::from_millis(10_500);

/// Beyond what a fetch may take.
const SLOW: Duration = Duration::from_millis(2_500);

pub fn all() -> Vec<Box<dyn Fault>> {
    let mut faults: Vec<Box<dyn Fault>> = Vec::new();
    faults.push(Box::new(Rotation));
    for what in [What::Down, What::Slow, What::Garbage, What::Huge] {
        faults.push(Box::new(Issuer(what)));
    }
    faults
}

impl Fault for Issuer {
    fn name(&self) -> &'static str {
        match self.0 {
            What::Down => "jwks-down",
            What::Slow => "jwks-slow",
            What::Garbage => "jwks-garbage",
            What::Huge => "jwks-huge",
        }
    }

    fn more(&self) -> Mix {
        // A key that nobody knows makes the gateway ask the other issuer, too, in vain.
        &[(Kind::NewIssuer, 6), (Kind::UnknownKey, 1)]
    }

    fn begin(&self, trial: &mut Trial<'_>) {
        let issuer = &trial.scene.upstreams.issuer;
        match self.0 {
            What::Down => issuer.down(),
            What::Slow => issuer.play(Trouble::Slow(SLOW)),
            What::Garbage => issuer.play(Trouble::Garbage),
            What::Huge => issuer.play(Trouble::Huge(HUGE)),
        }
        trial.serve_new_issuer(self.name());
    }

    fn end(&self, trial: &mut Trial<'_>) {
        let issuer = &trial.scene.upstreams.issuer;
        match self.0 {
            What::Down => issuer.up(),
            What::Slow | What::Garbage | What::Huge => issuer.play(Trouble::None),
        }
    }

    fn allows(&self, kind: Kind) -> Allowed {
        match kind {
            Kind::NewIssuer => Allowed::status(500),
            _ => Allowed::NOTHING,
        }
    }

    fn fails_closed(&self, kind: Kind) -> bool {
        kind == Kind::NewIssuer
    }

    fn after(&self) -> Duration {
        Duration::from_millis(2_600)
    }

    fn has_to_show(&self, kind: Kind) -> bool {
        kind == Kind::NewIssuer
    }
}

impl Fault for Rotation {
    fn name(&self) -> &'static str {
        "jwks-rotated"
    }

    fn more(&self) -> Mix {
        &[(Kind::RotatedKey, 6)]
    }

    fn begin(&self, trial: &mut Trial<'_>) {
        // The keys are asked for again no sooner than ten seconds after the last time, which was the start.
        trial.scene.wait_until_old(COOLDOWN);
        trial.scene.upstreams.issuer.publish("main", &[Key::First, Key::Second]);
    }

    fn end(&self, _: &mut Trial<'_>) {}

    fn allows(&self, kind: Kind) -> Allowed {
        if kind == Kind::RotatedKey { Allowed::status(401) } else { Allowed::NOTHING }
    }

    fn fails_closed(&self, kind: Kind) -> bool {
        kind == Kind::RotatedKey
    }

    /// Nothing ends: the new key counts from the first fetch on.
    fn is_over_at_once(&self) -> bool {
        true
    }
}
