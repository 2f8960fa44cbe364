//! What the service is asked: each limit of a plan as a descriptor, the names that it counts under and the limit itself.
//!
//! The names are those of the document, never the API key. A counter is known by all of them, and the period of a quota is one:
//! its window only has to be at least as long. Windows of envoyproxy/ratelimit are multiples of their unit since 1970, so that a
//! MONTH (30 days) or WEEK would end amid every month and week, and the quota begin anew; a YEAR (365 days) ends amid one of them a
//! year.

use crate::calendar::Moment;
use crate::usage::quota::{Period, Quota};
use crate::usage::throttle::Throttle;
use crate::usage::{Exceeded, Place};

/// What is asked at once: limits of which none may be exceeded.
#[derive(Debug)]
pub(in crate::usage) struct Limits {
    /// What it means that one of them is.
    pub exceeded: Exceeded,
    /// Each of them.
    pub(in crate::usage) descriptors: Vec<Descriptor>,
    /// The period of a quota.
    pub(super) period: Option<Span>,
}

/// A time that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// How long it is.
    pub seconds: u64,
    /// How much of it is left.
    pub left: u64,
}

/// One limit: `RateLimitDescriptor`.
#[derive(Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// What it counts under.
    pub entries: Vec<(&'static str, String)>,
    /// Requests in a window.
    pub limit: u32,
    /// How long the window is.
    pub unit: Unit,
}

/// A window, by its number in `RateLimitUnit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// One second.
    Second = 1,
    /// 60 seconds.
    Minute = 2,
    /// 24 hours.
    Day = 4,
    /// 365 days.
    Year = 6,
}

// === impl Limits ===

impl Limits {
    /// Of a key on a plan.
    pub(in crate::usage) fn quota(plan: &str, key: &str, quota: Quota, now_seconds: u64) -> Self {
        let (start, end) = (quota.period.start_seconds(now_seconds), quota.period.end_seconds(now_seconds));
        let Moment { year, month, day, .. } = Moment::of(start);
        let mut entries = caller("quota", plan, key);
        entries.push(("period", quota.period.as_str().to_owned()));
        entries.push(("period_start", format!("{year:04}-{month:02}-{day:02}")));
        let unit = match quota.period {
            Period::Day => Unit::Day,
            Period::Week | Period::Month => Unit::Year,
        };
        Self {
            exceeded: Exceeded::Quota,
            descriptors: vec![Descriptor { entries, limit: saturated(quota.limit), unit }],
            period: Some(Span { seconds: end.saturating_sub(start), left: end.saturating_sub(now_seconds) }),
        }
    }

    /// Of a key on a plan.
    pub(in crate::usage) fn throttle(plan: &str, key: &str, throttle: Throttle) -> Self {
        Self::windows(&caller("throttle", plan, key), throttle)
    }

    /// Of a key on a plan and one method.
    pub(in crate::usage) fn method_throttle(plan: &str, key: &str, place: &Place, throttle: Throttle) -> Self {
        let mut entries = caller("throttle", plan, key);
        entries.push(("api", place.api.clone()));
        entries.push(("stage", place.stage.clone()));
        entries.push(("method", place.method.clone()));
        Self::windows(&entries, throttle)
    }

    /// A bucket, as windows: a burst passes at once, and a minute lets no more through than the bucket would in a minute.
    fn windows(entries: &[(&'static str, String)], throttle: Throttle) -> Self {
        let burst = u64::from(throttle.burst());
        let window = |name: &str, limit: u64, unit| {
            let mut entries = entries.to_vec();
            entries.push(("window", name.to_owned()));
            Descriptor { entries, limit: saturated(limit), unit }
        };
        let second = window("second", throttle.rate_ceiling().max(burst), Unit::Second);
        let minute = window("minute", throttle.in_seconds(60).saturating_add(burst), Unit::Minute);
        Self { exceeded: Exceeded::Throttle, descriptors: vec![second, minute], period: None }
    }

    /// Whether one of them is zero, so that nobody has to be asked.
    pub(in crate::usage) fn allow_nothing(&self) -> bool {
        self.descriptors.iter().any(|descriptor| descriptor.limit == 0)
    }
}

fn caller(limit: &str, plan: &str, key: &str) -> Vec<(&'static str, String)> {
    vec![("limit", limit.to_owned()), ("plan", plan.to_owned()), ("key", key.to_owned())]
}

/// The wire has 32 bits. A quota beyond them is an error of the document (`read/quota.rs`); a throttle beyond them lets
/// 70 million requests a second through, more than any service counts.
fn saturated(limit: u64) -> u32 {
    u32::try_from(limit).unwrap_or(u32::MAX)
}
