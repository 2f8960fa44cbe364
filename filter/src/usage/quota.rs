//! The quota: how many requests in a day, a week or a month of the UTC calendar.
//!
//! AWS: "Usage plans and API keys for REST APIs in API Gateway", `QuotaSettings` of the API reference.

use super::state::Field;
use crate::calendar::{Moment, days};

/// How many requests in which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests in one period.
    pub limit: u64,
    /// Requests of the first period that count as made already.
    pub offset: u64,
    /// How long it takes until the count begins anew.
    pub period: Period,
}

/// The time in which requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From midnight to midnight, UTC.
    Day,
    /// assumed(quota-week): seven days from Sunday on; AWS says only that a quota can be weekly.
    Week,
    /// From the first of a month.
    Month,
}

/// How many requests were counted, and when. The period before is remembered, too: a clock that is set forwards and back again
/// neither grants it twice nor locks anybody out until a day that is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    current: Count,
    other: Count,
}

/// The requests of one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    period: u64,
    used: u64,
}

/// No period has this number.
const NONE: Count = Count { period: u64::MAX, used: 0 };

const DAY_SECONDS: u64 = 86_400;

// === impl Quota ===

impl Quota {
    /// The counter once one more request is counted; none when the limit is reached. `counter` is none before the first request,
    /// whose period is the initial one: assumed(quota-offset), AWS does not say when that begins.
    pub fn take(self, counter: Option<Counter>, now_seconds: u64) -> Option<Counter> {
        let counter = self.at(counter, now_seconds);
        (counter.left(self) > 0).then(|| counter.with(1))
    }

    /// The counter of a first period in which nothing may pass; none where there is nothing to write down. Whoever is refused writes
    /// it: otherwise every look would find the first period anew, and the offset would count for ever.
    pub fn begun(self, counter: Option<Counter>, now_seconds: u64) -> Option<Counter> {
        (counter.is_none() && self.offset > 0).then(|| self.at(None, now_seconds))
    }

    /// Requests that count as made in the period at hand.
    pub fn used(self, counter: Option<Counter>, now_seconds: u64) -> u64 {
        self.at(counter, now_seconds).current.used
    }

    /// The counter, turned to the period at hand.
    pub(super) fn at(self, counter: Option<Counter>, now_seconds: u64) -> Counter {
        let period = self.period.number(now_seconds);
        match counter {
            None => Counter { current: Count { period, used: self.offset }, other: NONE },
            Some(counter) if counter.current.period == period => counter,
            Some(Counter { current, other }) if other.period == period => Counter { current: other, other: current },
            Some(Counter { current, .. }) => Counter { current: Count { period, used: 0 }, other: current },
        }
    }
}

// === impl Period ===

impl Period {
    /// As API Gateway spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "DAY",
            Self::Week => "WEEK",
            Self::Month => "MONTH",
        }
    }

    /// The first second of the period that a moment is in.
    pub fn start_seconds(self, now_seconds: u64) -> u64 {
        let day = now_seconds / DAY_SECONDS;
        let first = match self {
            Self::Day => day,
            // 1970-01-01 was a Thursday, the fifth day of its week.
            Self::Week => day.saturating_sub((day + 4) % 7),
            Self::Month => day - (Moment::of(now_seconds).day - 1),
        };
        first * DAY_SECONDS
    }

    /// The first second of the period after that.
    pub fn end_seconds(self, now_seconds: u64) -> u64 {
        let start = self.start_seconds(now_seconds);
        match self {
            Self::Day => start.saturating_add(DAY_SECONDS),
            // The first week has no Sunday: the clock begins on its Thursday.
            Self::Week if start == 0 => 3 * DAY_SECONDS,
            Self::Week => start.saturating_add(7 * DAY_SECONDS),
            Self::Month => {
                let Moment { year, month, .. } = Moment::of(start);
                let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
                let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
                u64::try_from(days(signed(year), signed(month), 1)).unwrap_or(0).saturating_mul(DAY_SECONDS)
            }
        }
    }

    /// A number that no other period has, of whatever length: a plan whose period becomes another one counts anew.
    fn number(self, now_seconds: u64) -> u64 {
        self.start_seconds(now_seconds) / DAY_SECONDS * 4 + self as u64
    }
}

// === impl Counter ===

impl Counter {
    /// The counter without the request that it counted last. Of the period of that request, which may be over since: the one at
    /// hand has nothing to give.
    pub fn give_back(self) -> Self {
        self.without(1, self.period())
    }

    /// The counter without so many requests of a period; the same when it knows nothing of that one.
    pub(super) fn without(self, requests: u64, of: u64) -> Self {
        let without = |Count { period, used }| match period == of {
            true => Count { period, used: used.saturating_sub(requests) },
            false => Count { period, used },
        };
        Self { current: without(self.current), other: without(self.other) }
    }

    /// The counter with so many requests more.
    pub(super) fn with(self, requests: u64) -> Self {
        let Self { current: Count { period, used }, other } = self;
        Self { current: Count { period, used: used.saturating_add(requests) }, other }
    }

    /// Requests that are left of the period that was counted last.
    pub(super) fn left(self, quota: Quota) -> u64 {
        quota.limit.saturating_sub(self.current.used)
    }

    /// The number of that period.
    pub(super) fn period(self) -> u64 {
        self.current.period
    }
}

impl Field for Counter {
    const SIZE: usize = 32;

    fn write(&self, bytes: &mut Vec<u8>) {
        for number in [self.current.period, self.current.used, self.other.period, self.other.used] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut numbers = bytes.chunks_exact(8).map(|chunk| chunk.try_into().map(u64::from_le_bytes));
        let mut count = || Some(Count { period: numbers.next()?.ok()?, used: numbers.next()?.ok()? });
        Some(Self { current: count()?, other: count()? })
    }
}
