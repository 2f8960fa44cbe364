//! A meter counts what passes, together with all other workers of the host: its state is shared under a name that the
//! configuration gives it, and every change of it is one compare-and-set, so that no request is lost or counted twice.
//!
//! A request that is refused changes nothing (but for the first one after the clock was set back, or of a first period that has nothing
//! left): a flood beyond a limit costs one look each.

use super::clock::Clock;
use super::lot::{self, Lot};
use super::quota::Quota;
use super::state::State;
use super::throttle::{Bucket, Throttle};
use crate::platform::{Level, Platform, Version};

/// How often a change is tried anew because another worker was faster. One of the workers always succeeds; that one fails so often
/// in a row takes a crowd that no proxy has.
const ATTEMPTS: u32 = 256;

/// The most turns that a worker waits before it tries anew, as a power of two: some microseconds.
const LONGEST_WAIT: u32 = 12;

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

/// Workers that try in step fail in step: each would come right after the same other one, again and again. So who was slower waits
/// a moment, of a length that chance says, and longer the more often it was.
fn step_aside(attempt: u32, chance: u64) {
    let mixed = chance.wrapping_add(u64::from(attempt)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let turns = mixed % (1 << (attempt + 3).min(LONGEST_WAIT));
    for turn in 0..turns {
        std::hint::black_box(turn);
        std::hint::spin_loop();
    }
}

// === impl Meter ===

impl Meter {
    /// Counts one request, unless it is one too many. A throttled one does not count towards the quota.
    pub fn take(&self, platform: &dyn Platform) -> Result<(), Exceeded> {
        self.take_at(&Clock::new(platform))
    }

    /// The same, beside other meters of the same request.
    pub fn take_at(&self, clock: &Clock<'_>) -> Result<(), Exceeded> {
        self.take_lot(clock, Lot::default(), 1).map(drop)
    }

    /// Counts as many requests as are wanted, or as many as a lot may have, and at least one. What is left of the lot before goes
    /// back in the same change: who is refused keeps it.
    pub(super) fn take_lot(&self, clock: &Clock<'_>, before: Lot, wanted: u64) -> Result<Lot, Exceeded> {
        if self.is_unlimited() {
            return Ok(Lot::default());
        }
        let platform = clock.platform();
        let mut taken = Err(Exceeded::Throttle);
        let changed = self.change(clock, |state| {
            taken = Err(Exceeded::Throttle);
            let (mut now, mut size) = (clock.nanos(), wanted);
            let mut after = state;
            if let Some(throttle) = self.throttle {
                let bucket = state.bucket.unwrap_or_else(|| Bucket::full(throttle, now));
                if bucket.is_later_than(now) {
                    // Another worker wrote since the clock was read: only a clock that was set back is still behind then.
                    clock.renew();
                    now = clock.nanos();
                }
                let refilled = bucket.with(throttle, before.left()).refilled(throttle, now);
                if refilled.tokens() == 0 {
                    return bucket.set_back(throttle, now).map(|bucket| State { bucket: Some(bucket), ..state });
                }
                size = size.min(lot::of_bucket(refilled.tokens()));
                after.bucket = Some(refilled);
            }
            let mut period = None;
            if let Some(quota) = self.quota {
                let millis = platform.now_millis();
                let counter = quota.at(before.leave(state.counter), millis / 1000);
                let left = counter.left(quota);
                if left == 0 {
                    taken = Err(Exceeded::Quota);
                    let begun = quota.begun(state.counter, millis / 1000);
                    return begun.map(|counter| State { counter: Some(counter), ..state });
                }
                size = size.min(lot::of_quota(left));
                let end_millis = quota.period.end_seconds(millis / 1000).saturating_mul(1000);
                period = Some((counter.period(), end_millis.saturating_sub(millis)));
                after.counter = Some(counter.with(size));
            }
            if self.throttle.is_some() {
                after.bucket = Some(after.bucket?.without(size)?);
            }
            taken = Ok(Lot::new(size, now, period));
            Some(after)
        });
        if taken.is_ok() && !changed {
            platform.log(Level::Warn, &format!("too many workers count `{}` at once: the request is refused", self.slot));
            return Err(Exceeded::Throttle);
        }
        taken
    }

    /// Takes back that a request was counted which something else refused.
    pub fn give_back(&self, platform: &dyn Platform) {
        if !self.give_back_lot(&Clock::new(platform), Lot::one()) {
            platform
                .log(Level::Warn, &format!("too many workers count `{}` at once: a request counts that was refused", self.slot));
        }
    }

    /// The same for what is left of a lot; false when others were always faster.
    pub(super) fn give_back_lot(&self, clock: &Clock<'_>, lot: Lot) -> bool {
        let mut is_due = false;
        let changed = self.change(clock, |state| {
            let bucket = match (self.throttle, state.bucket) {
                (Some(throttle), Some(bucket)) => Some(bucket.with(throttle, lot.left())),
                (_, bucket) => bucket,
            };
            let counter = if self.quota.is_some() { lot.leave(state.counter) } else { state.counter };
            // Where nothing is shared, nothing was counted: it began anew in between.
            let after = State { bucket, counter };
            is_due = after != state;
            is_due.then_some(after)
        });
        changed || !is_due
    }

    fn is_unlimited(&self) -> bool {
        self.throttle.is_none() && self.quota.is_none()
    }

    /// What the workers share, as far as this version reads it.
    pub fn state(&self, shared: Option<&[u8]>) -> State {
        shared.and_then(State::from_bytes).unwrap_or_default()
    }

    /// Changes the shared state; false when the change says none, or others were always faster.
    fn change(&self, clock: &Clock<'_>, mut change: impl FnMut(State) -> Option<State>) -> bool {
        let platform = clock.platform();
        for attempt in 0..ATTEMPTS {
            let (before, version) = match platform.shared_data(&self.slot) {
                Some((bytes, version)) => (self.state(Some(&bytes)), Version::Is(version)),
                None => (State::default(), Version::Missing),
            };
            let Some(after) = change(before) else { return false };
            if platform.set_shared_data(&self.slot, &after.to_bytes(), version) {
                return true;
            }
            clock.renew();
            step_aside(attempt, clock.nanos());
            clock.renew();
        }
        false
    }
}
