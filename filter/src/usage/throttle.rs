//! The token bucket: how many requests at once, and how many a second on average.
//!
//! AWS: "Throttle requests to your REST APIs for better throughput in API Gateway" (rate: tokens added a second; burst: the capacity
//! of the bucket).
//!
//! Whole numbers only, so that nothing drifts: a level counts thousand-millionths of a token, and because the clock counts
//! nanoseconds, a rate of one token a second adds exactly one of them each.

use super::state::Field;

/// One token in the units of a level.
const TOKEN: u64 = 1_000_000_000;

/// How far a clock may stand behind the last reading: two workers read it one after the other and write in the other order.
/// Whoever is further behind looks at a clock that was set anew.
const OUT_OF_ORDER_NANOS: u64 = 1_000_000_000;

/// A rate and a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// Millionths of a token that a second adds.
    rate_micros: u64,
    /// Tokens that the bucket holds.
    burst: u32,
}

/// What is left in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    level: u64,
    /// When that was so, on the monotonic clock.
    at_nanos: u64,
}

// === impl Throttle ===

impl Throttle {
    /// So many requests a second, so many at once. `rate` is finite and not negative; more than a thousand million is as much.
    pub fn new(rate: f64, burst: u32) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the range of u64, and `as` saturates")]
        let rate_micros = (rate.clamp(0.0, 1e9) * 1e6).round() as u64;
        Self { rate_micros, burst }
    }

    /// Requests a second, rounded up.
    pub fn rate_ceiling(self) -> u64 {
        self.rate_micros.div_ceil(1_000_000)
    }

    /// Requests in so many seconds, rounded up.
    pub fn in_seconds(self, seconds: u64) -> u64 {
        self.rate_micros.saturating_mul(seconds).div_ceil(1_000_000)
    }

    /// Requests at once.
    pub fn burst(self) -> u32 {
        self.burst
    }

    fn capacity(self) -> u64 {
        u64::from(self.burst).saturating_mul(TOKEN)
    }
}

// === impl Bucket ===

impl Bucket {
    /// A bucket that nobody has taken from.
    pub fn full(throttle: Throttle, now_nanos: u64) -> Self {
        Self { level: throttle.capacity(), at_nanos: now_nanos }
    }

    /// The bucket with one token less; none when there is no whole one.
    pub fn take(self, throttle: Throttle, now_nanos: u64) -> Option<Self> {
        self.refilled(throttle, now_nanos).without(1)
    }

    /// The bucket with so many tokens less, at the time at which it was last refilled; none when there are fewer.
    pub(super) fn without(self, tokens: u64) -> Option<Self> {
        Some(Self { level: self.level.checked_sub(tokens.checked_mul(TOKEN)?)?, ..self })
    }

    /// The bucket on a clock that was set back since; none on one that was not. Whoever finds no token writes it down: otherwise
    /// every look would find the clock set back anew, and nothing would be added until it is where it was.
    pub fn set_back(self, throttle: Throttle, now_nanos: u64) -> Option<Self> {
        let refilled = self.refilled(throttle, now_nanos);
        (refilled.at_nanos < self.at_nanos).then_some(refilled)
    }

    /// The bucket with the token that nobody used after all. Nobody knows whether the bucket would have been full without its
    /// taker: so many tokens as are given back in a while may be taken in it beyond burst and rate, and not one more.
    pub fn give_back(self, throttle: Throttle) -> Self {
        self.with(throttle, 1)
    }

    /// The same with so many of them.
    pub(super) fn with(self, throttle: Throttle, tokens: u64) -> Self {
        Self { level: self.level.saturating_add(tokens.saturating_mul(TOKEN)).min(throttle.capacity()), ..self }
    }

    /// Whole tokens, at the time at which it was last refilled.
    pub(super) fn tokens(self) -> u64 {
        self.level / TOKEN
    }

    /// Whether somebody wrote it at a later time.
    pub fn is_later_than(self, now_nanos: u64) -> bool {
        self.at_nanos > now_nanos
    }

    /// Whole tokens that could be taken now.
    pub fn available(self, throttle: Throttle, now_nanos: u64) -> u64 {
        self.refilled(throttle, now_nanos).tokens()
    }

    /// The bucket with what the rate added since.
    pub(super) fn refilled(self, throttle: Throttle, now_nanos: u64) -> Self {
        let Self { level, at_nanos } = self;
        let at_nanos = match at_nanos.checked_sub(now_nanos) {
            // The time in between was counted already by whoever wrote last.
            Some(behind) if behind <= OUT_OF_ORDER_NANOS => at_nanos,
            // The clock went forwards, or was set back: then nothing is added for a time that nobody knows.
            _ => now_nanos,
        };
        let elapsed = at_nanos.saturating_sub(self.at_nanos);
        let added = u128::from(elapsed) * u128::from(throttle.rate_micros) / 1_000_000;
        let added = u64::try_from(added).unwrap_or(u64::MAX);
        // A burst that a new configuration made smaller counts at once.
        Self { level: level.saturating_add(added).min(throttle.capacity()), at_nanos }
    }
}

impl Field for Bucket {
    const SIZE: usize = 16;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.level.to_le_bytes());
        bytes.extend_from_slice(&self.at_nanos.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (level, at_nanos) = bytes.split_at_checked(8)?;
        Some(Self { level: u64::from_le_bytes(level.try_into().ok()?), at_nanos: u64::from_le_bytes(at_nanos.try_into().ok()?) })
    }
}
