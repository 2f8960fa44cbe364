//! The answer on the wire.
//!
//! RateLimitResponse { 1 overall_code, 2: DescriptorStatus* }; DescriptorStatus { 2 RateLimit, 3 limit_remaining, 4 Duration };
//! RateLimit { 1 requests_per_unit, 2 unit }; Duration { 1 seconds }. Other fields are stepped over.

use super::descriptor::Limits;
use crate::context::RateLimitFacts;
use crate::protobuf::{Field, take_field};

/// What the service says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::usage) enum Answer {
    /// Counted.
    Within(Option<RateLimitFacts>),
    /// One too many.
    Exceeded(Option<RateLimitFacts>),
    /// Nothing that could be understood.
    None,
}

/// A `RateLimitResponse`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Whether the request is one too many.
    pub exceeded: bool,
    /// How the limits stand that were asked, in their order; whatever comes after them nobody asked for.
    statuses: Vec<Status>,
}

/// A `DescriptorStatus`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Status {
    /// None when the service knows of no limit here.
    limit: Option<Limit>,
    remaining: u64,
    reset_seconds: u64,
}

/// A `RateLimit`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Limit {
    requests: u64,
    unit: u64,
}

/// A longer answer is none: with three limits it has a hundred bytes.
const SIZE_LIMIT: usize = 64 * 1024;

const OK: u64 = 1;
const OVER_LIMIT: u64 = 2;

// === impl Said ===

impl Said {
    /// Reads an answer to so many limits; none when it is no message, or says neither yes nor no.
    pub(super) fn read(mut message: &[u8], asked: usize) -> Option<Self> {
        if message.len() > SIZE_LIMIT {
            return None;
        }
        let (mut code, mut statuses) = (0, Vec::new());
        while !message.is_empty() {
            match take_field(&mut message)? {
                (1, Field::Varint(number)) => code = number,
                (2, Field::Bytes(status)) if statuses.len() < asked => statuses.push(Status::read(status)?),
                _ => {}
            }
        }
        let exceeded = match code {
            OK => false,
            OVER_LIMIT => true,
            _ => return None,
        };
        Some(Self { exceeded, statuses })
    }

    /// Whether the service tells of every limit that it has none: envoyproxy/ratelimit does so for a domain that it does not know.
    pub(super) fn knows_no_limit(&self) -> bool {
        !self.statuses.is_empty() && self.statuses.iter().all(|status| status.limit.is_none())
    }

    /// What the client is told; none when the service told nothing.
    pub(super) fn facts(&self, limits: &Limits) -> Option<RateLimitFacts> {
        let facts = |status: &Status| {
            let limit = status.limit.as_ref()?;
            // The window of a quota is longer than its period.
            let (window_seconds, reset_seconds) = match limits.period {
                Some(period) => (Some(period.seconds), period.left),
                None => (limit.window_seconds(), status.reset_seconds),
            };
            Some(RateLimitFacts::new(limit.requests, window_seconds, status.remaining, reset_seconds))
        };
        self.statuses.iter().filter_map(facts).reduce(RateLimitFacts::and)
    }
}

// === impl Status ===

impl Status {
    fn read(mut message: &[u8]) -> Option<Self> {
        let mut status = Self::default();
        while !message.is_empty() {
            match take_field(&mut message)? {
                (2, Field::Bytes(limit)) => status.limit = Some(Limit::read(limit)?),
                (3, Field::Varint(remaining)) => status.remaining = remaining,
                (4, Field::Bytes(duration)) => status.reset_seconds = seconds(duration)?,
                _ => {}
            }
        }
        Some(status)
    }
}

// === impl Limit ===

impl Limit {
    fn read(mut message: &[u8]) -> Option<Self> {
        let mut limit = Self::default();
        while !message.is_empty() {
            match take_field(&mut message)? {
                (1, Field::Varint(requests)) => limit.requests = requests,
                (2, Field::Varint(unit)) => limit.unit = unit,
                _ => {}
            }
        }
        Some(limit)
    }

    /// As envoyproxy/ratelimit counts them; none of a unit that has none.
    fn window_seconds(&self) -> Option<u64> {
        const DAY: u64 = 86_400;
        Some(match self.unit {
            1 => 1,
            2 => 60,
            3 => 3600,
            4 => DAY,
            5 => 30 * DAY,
            6 => 365 * DAY,
            7 => 7 * DAY,
            _ => return None,
        })
    }
}

/// The seconds of a `Duration`, which may be negative, a number with the highest bit: then nothing is left of it.
fn seconds(mut message: &[u8]) -> Option<u64> {
    let mut seconds = 0;
    while !message.is_empty() {
        if let (1, Field::Varint(number)) = take_field(&mut message)? {
            seconds = i64::try_from(number).map_or(0, |_| number);
        }
    }
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_as_long_as_the_service_counts_it() {
        let windows = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(|unit| Limit { requests: 1, unit }.window_seconds());
        let known = [1, 60, 3_600, 86_400, 2_592_000, 31_536_000, 604_800].map(Some);
        assert_eq!(windows[1..8], known);
        assert_eq!([windows[0], windows[8]], [None, None]);
    }

    #[test]
    fn an_answer_has_64_kib_at_the_most() {
        // OK, and a field of no interest with its length in three bytes.
        let answer = |length: usize| {
            let more = length - 6;
            let mut message = vec![8, 1, 0x7a, (more & 0x7f) as u8 | 0x80, (more >> 7 & 0x7f) as u8 | 0x80, (more >> 14) as u8];
            message.resize(length, 0);
            Said::read(&message, 0).is_some()
        };
        assert_eq!([answer(65_536), answer(65_537)], [true, false]);
    }
}
