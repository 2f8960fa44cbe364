//! A meter counts what passes, together with all other workers of the host: its state is shared under a name that the
//! configuration gives it, and every change of it is one compare-and-set, so that no request is lost or counted twice.
//!
//! A request that is refused changes nothing: a flood beyond a limit costs one look each.

use super::quota::Quota;
use super::state::State;
use super::throttle::{Bucket, Throttle};
use crate::platform::{Level, Platform, Version};

/// How often a change is tried anew because another worker was faster. One of the workers always succeeds; that one fails so often
/// in a row takes a crowd that no proxy has.
const ATTEMPTS: u32 = 256;

/// What is counted under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// The name of what the workers share.
    pub slot: String,
    /// How many in a while.
    pub throttle: Option<Throttle>,
    /// How many in a day, a week or a month.
    pub quota: Option<Quota>,
}

/// Why a request may not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exceeded {
    /// There are too many at once.
    Throttle,
    /// There were too many since the period began.
    Quota,
}

/// The name of a slot: what is counted, whatever characters the names have. Only what a configuration names stands in it, so that
/// their number is fixed by the configuration.
pub fn slot(parts: &[&str]) -> String {
    format!("usage{}", serde_json::Value::from(parts))
}

// === impl Meter ===

impl Meter {
    /// Counts one request, unless it is one too many. A throttled one does not count towards the quota.
    pub fn take(&self, platform: &dyn Platform) -> Result<(), Exceeded> {
        let mut refused = None;
        let counted = self.change(platform, |state| {
            let bucket = match self.throttle {
                Some(throttle) => {
                    let now = platform.monotonic_nanos();
                    let bucket = state.bucket.unwrap_or_else(|| Bucket::full(throttle, now)).take(throttle, now);
                    refused = Some(Exceeded::Throttle);
                    Some(bucket?)
                }
                None => state.bucket,
            };
            let counter = match self.quota {
                Some(quota) => {
                    refused = Some(Exceeded::Quota);
                    Some(quota.take(state.counter, platform.now_millis() / 1000)?)
                }
                None => state.counter,
            };
            refused = None;
            Some(State { bucket, counter })
        });
        match refused {
            Some(exceeded) => Err(exceeded),
            None if counted => Ok(()),
            None => {
                platform.log(Level::Warn, &format!("too many workers count `{}` at once: the request is refused", self.slot));
                Err(Exceeded::Throttle)
            }
        }
    }

    /// Takes back that a request was counted which something else refused.
    pub fn give_back(&self, platform: &dyn Platform) {
        self.change(platform, |state| {
            let bucket = state.bucket.map(|bucket| self.throttle.map_or(bucket, |throttle| bucket.give_back(throttle)));
            let seconds = || platform.now_millis() / 1000;
            let counter = state.counter.map(|counter| self.quota.map_or(counter, |quota| quota.give_back(counter, seconds())));
            Some(State { bucket, counter })
        });
    }

    /// What the workers share, as far as this version reads it.
    pub fn state(&self, shared: Option<&[u8]>) -> State {
        shared.and_then(State::from_bytes).unwrap_or_default()
    }

    /// Changes the shared state; false when the change says none, or others were always faster.
    fn change(&self, platform: &dyn Platform, mut change: impl FnMut(State) -> Option<State>) -> bool {
        for _ in 0..ATTEMPTS {
            let (before, version) = match platform.shared_data(&self.slot) {
                Some((bytes, version)) => (self.state(Some(&bytes)), Version::Is(version)),
                None => (State::default(), Version::Missing),
            };
            let Some(after) = change(before) else { return false };
            if platform.set_shared_data(&self.slot, &after.to_bytes(), version) {
                return true;
            }
        }
        false
    }
}
