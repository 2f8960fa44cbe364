//! What is counted: counters, each with a fixed window that begins with its first hit, in memory or in Redis.
//!
//! A request hits several counters, and hits all of them or none. Nothing comes between the look at a counter and its hit, in
//! memory by a lock and in Redis by a script, so that what is admitted is never more than the limit, whoever else counts.

use std::collections::HashMap;
use std::time::Duration;

use super::memory::Memory;
use super::redis::Redis;

/// The length of a window. `envoy.type.v3.RateLimitUnit` and `RateLimitResponse.RateLimit.Unit` number them alike; only the
/// latter has a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    /// 30 days
    Month,
    /// 365 days
    Year,
    Week,
}

/// A counter, and the limit that a request sets it.
#[derive(Debug, Clone)]
pub struct Counter {
    identity: String,
    unit: Unit,
    per_unit: u32,
}

/// What a request adds to a counter; nothing, when it only wants to know.
#[derive(Debug, Clone)]
pub struct Hit {
    pub counter: Counter,
    pub hits: u64,
}

/// How a counter stands after a request was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The request does not fit.
    pub over: bool,
    /// Hits in this window.
    pub used: u64,
    /// Hits that still fit.
    pub remaining: u32,
    /// Until the window ends.
    pub reset: Duration,
}

/// What is found before anything is counted.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    pub used: u64,
    /// None: there is no window yet.
    pub left: Option<Duration>,
}

/// Where counters are.
pub enum Store {
    Memory(Memory),
    Redis(Redis),
}

/// Why nothing was counted.
#[derive(Debug)]
pub enum Refusal {
    /// Redis does not do it, in its own words.
    Unavailable(String),
    /// Memory has no place for another counter.
    Full(String),
}

// === impl Unit ===

impl Unit {
    pub const ALL: [Self; 7] = [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Month, Self::Year, Self::Week];

    /// None: unknown, or no number of a unit.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.number() == number)
    }

    pub fn number(self) -> i32 {
        match self {
            Self::Second => 1,
            Self::Minute => 2,
            Self::Hour => 3,
            Self::Day => 4,
            Self::Month => 5,
            Self::Year => 6,
            Self::Week => 7,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Second => "SECOND",
            Self::Minute => "MINUTE",
            Self::Hour => "HOUR",
            Self::Day => "DAY",
            Self::Month => "MONTH",
            Self::Year => "YEAR",
            Self::Week => "WEEK",
        }
    }

    fn window(self) -> Duration {
        const DAY: u64 = 24 * 60 * 60;
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => 30 * DAY,
            Self::Year => 365 * DAY,
        })
    }
}

// === impl Counter ===

impl Counter {
    /// The counter of a descriptor: its entries in their order, and the unit of its limit. The number of the limit is not part of
    /// it, so that a plan that is changed goes on counting.
    pub fn new<'a>(domain: &str, entries: impl Iterator<Item = (&'a str, &'a str)>, unit: Unit, per_unit: u32) -> Self {
        let entries: Vec<_> = entries.map(|(key, value)| serde_json::json!([key, value])).collect();
        // JSON, so that no text in an entry makes two counters one.
        let identity = serde_json::json!([domain, unit.name(), entries]).to_string();
        Self { identity, unit, per_unit }
    }

    /// What no other counter has, as a JSON array of domain, unit and entries.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    pub fn unit(&self) -> Unit {
        self.unit
    }

    pub fn per_unit(&self) -> u32 {
        self.per_unit
    }

    pub fn window(&self) -> Duration {
        self.unit.window()
    }
}

// === impl Hit ===

impl Hit {
    pub fn new(counter: Counter, hits: u64) -> Self {
        // More than any limit is as much as any other, and stays exact where a store computes with floating point.
        Self { counter, hits: hits.min(u64::from(u32::MAX) + 1) }
    }
}

// === impl Store ===

impl Store {
    /// Counts all hits, or none when one does not fit; tells how each counter stands then.
    pub async fn count(&self, hits: &[Hit]) -> Result<Vec<Standing>, Refusal> {
        match self {
            Self::Memory(memory) => memory.count(hits),
            Self::Redis(redis) => redis.count(hits).await,
        }
    }
}

impl Redis {
    /// How a counter stands; nothing is counted.
    pub async fn read(&self, counter: Counter) -> Result<Standing, Refusal> {
        let mut standings = self.count(&[Hit::new(counter, 0)]).await?;
        standings.pop().ok_or_else(|| Refusal::Unavailable("redis tells of no counter".to_owned()))
    }
}

/// Whether each hit fits into what was found, and how its counter stands then. A counter that is hit twice holds both.
pub fn decide(hits: &[Hit], found: &[Found]) -> Vec<Standing> {
    let mut more: HashMap<&str, u64> = HashMap::new();
    let mut over = Vec::with_capacity(hits.len());
    for (hit, found) in hits.iter().zip(found) {
        let before = more.entry(hit.counter.identity()).or_default();
        let fits = hit.hits == 0 || found.used.saturating_add(*before).saturating_add(hit.hits) <= u64::from(hit.counter.per_unit);
        if fits {
            *before += hit.hits;
        }
        over.push(!fits);
    }
    let counted = !over.contains(&true);
    let standing = |((hit, found), over): ((&Hit, &Found), bool)| {
        let added = if counted { more.get(hit.counter.identity()).copied().unwrap_or_default() } else { 0 };
        let used = found.used.saturating_add(added);
        let remaining = u64::from(hit.counter.per_unit).saturating_sub(used);
        Standing {
            over,
            used,
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
            reset: found.left.unwrap_or(hit.counter.window()),
        }
    };
    hits.iter().zip(found).zip(over).map(standing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(domain: &str, entries: &[(&str, &str)], unit: Unit) -> Counter {
        Counter::new(domain, entries.iter().copied(), unit, 10)
    }

    #[test]
    fn a_counter_is_its_domain_its_unit_and_its_entries_in_order() {
        let all = [
            counter("d", &[("a", "1"), ("b", "2")], Unit::Hour),
            counter("d", &[("b", "2"), ("a", "1")], Unit::Hour),
            counter("d", &[("a", "1"), ("b", "2")], Unit::Day),
            counter("e", &[("a", "1"), ("b", "2")], Unit::Hour),
            counter("d", &[("a", "1"), ("b", "")], Unit::Hour),
            counter("d", &[("a", "1"), ("b\",\"2", "")], Unit::Hour),
            counter("d", &[("a", "1")], Unit::Hour),
        ];
        let distinct: std::collections::HashSet<_> = all.iter().map(Counter::identity).collect();
        assert_eq!(distinct.len(), all.len());
        let other = Counter::new("d", [("a", "1")].into_iter(), Unit::Hour, 99);
        assert_eq!(other.identity(), counter("d", &[("a", "1")], Unit::Hour).identity());
    }

    #[test]
    fn a_counter_that_is_hit_twice_must_hold_both_hits() {
        let hit = |hits| Hit::new(counter("d", &[("a", "1")], Unit::Hour), hits);
        let found = [Found { used: 4, left: Some(Duration::from_secs(9)) }; 2];
        let standings = decide(&[hit(3), hit(3)], &found);
        assert!(standings.iter().all(|standing| !standing.over && standing.used == 10 && standing.remaining == 0));
        let standings = decide(&[hit(3), hit(4)], &found);
        assert_eq!(standings.iter().map(|standing| standing.over).collect::<Vec<_>>(), [false, true]);
        assert!(standings.iter().all(|standing| standing.used == 4 && standing.remaining == 6));
    }

    #[test]
    fn no_hit_is_never_over_and_no_number_of_hits_wraps() {
        let over = |hits| {
            let hit = Hit::new(counter("d", &[("a", "1")], Unit::Hour), hits);
            decide(&[hit], &[Found { used: u64::MAX, left: None }])[0].over
        };
        assert!(!over(0));
        assert!(over(1));
        assert!(over(u64::MAX));
    }

    #[test]
    fn every_unit_has_the_number_that_it_is_found_by() {
        for unit in Unit::ALL {
            assert_eq!(Unit::from_number(unit.number()), Some(unit));
        }
        assert_eq!((Unit::from_number(0), Unit::from_number(8)), (None, None));
    }
}
