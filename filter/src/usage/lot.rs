//! How many requests a worker takes out of a shared meter at once, and for how long it may keep them.
//!
//! AWS: "Throttle requests to your REST APIs for better throughput in API Gateway" (throttles and quotas "are applied on a
//! best-effort basis and should be treated as targets rather than guaranteed request ceilings"). Here they stay ceilings but for one
//! lot of each worker: a lot is gone from what all share before its first request passes.

use super::quota::Counter;

/// A lot is no more than this part of the tokens that a bucket has: where it has fewer than two such parts, each is taken by itself.
const PART_OF_BUCKET: u64 = 64;

/// The same of the requests that are left of a quota.
const PART_OF_QUOTA: u64 = 256;

/// With so many requests in a lot what it costs to take one is nothing beside them.
const LARGEST: u64 = 100;

/// How long a lot may be spent.
const LIFE_NANOS: u64 = 1_000_000_000;

/// Requests that were counted at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lot {
    /// So many.
    size: u64,
    /// Those that nobody has made yet.
    left: u64,
    /// From when on they may be made, on the monotonic clock, and until when.
    since_nanos: u64,
    until_nanos: u64,
    /// The number of the quota's period that they count in.
    period: Option<u64>,
}

/// The most requests of a lot out of a bucket with so many tokens; at least one.
pub(super) fn of_bucket(tokens: u64) -> u64 {
    (tokens / PART_OF_BUCKET).clamp(1, LARGEST)
}

/// The same out of a quota of which so many requests are left.
pub(super) fn of_quota(left: u64) -> u64 {
    (left / PART_OF_QUOTA).clamp(1, LARGEST)
}

// === impl Lot ===

impl Lot {
    /// Of so many requests, the first of which is made at once. Within the period of a quota, by its number and the milliseconds
    /// that are left of it: when it ends, so do they.
    pub(super) fn new(size: u64, now_nanos: u64, period: Option<(u64, u64)>) -> Self {
        let life = period.map_or(LIFE_NANOS, |(_, left_millis)| left_millis.saturating_mul(1_000_000).min(LIFE_NANOS));
        let until_nanos = now_nanos.saturating_add(life);
        Self { size, left: size.saturating_sub(1), since_nanos: now_nanos, until_nanos, period: period.map(|(number, _)| number) }
    }

    /// A request that was counted by itself, in whatever period, and was not made.
    pub(super) fn one() -> Self {
        Self { size: 1, left: 1, ..Self::default() }
    }

    /// Those that nobody has made.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// The counter of a quota without those.
    pub(super) fn leave(&self, counter: Option<Counter>) -> Option<Counter> {
        counter.map(|counter| counter.without(self.left, self.period.unwrap_or(counter.period())))
    }

    /// Whether they may be made now. A clock that was set back says no.
    pub(super) fn lasts(&self, now_nanos: u64) -> bool {
        (self.since_nanos..self.until_nanos).contains(&now_nanos)
    }

    /// One is made; false when there is none.
    pub(super) fn spend(&mut self, now_nanos: u64) -> bool {
        let spends = self.left > 0 && self.lasts(now_nanos);
        self.left -= u64::from(spends);
        spends
    }

    /// One was not made after all; false when it must go back to where all were taken from. A request that was taken by itself is
    /// given back so, too.
    pub(super) fn regain(&mut self, now_nanos: u64) -> bool {
        let regains = self.size > 1 && self.left < self.size && self.lasts(now_nanos);
        self.left += u64::from(regains);
        regains
    }

    /// Those that are left go back.
    pub(super) fn give_up(&mut self) {
        *self = Self { size: self.spent(), left: 0, ..*self };
    }

    /// How many the next one should have: twice as many if these did not last, else as many as were made of them. So a worker that is
    /// rarely asked takes them one by one.
    pub(super) fn next(&self, now_nanos: u64) -> u64 {
        let factor = if self.lasts(now_nanos) { 2 } else { 1 };
        self.spent().saturating_mul(factor).max(1)
    }

    fn spent(&self) -> u64 {
        self.size.saturating_sub(self.left)
    }
}
