//! What the drivers of the matrix share: the requests for one clock, what came of them, and how few would be too few.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::apis::{Guard, Protocol};
use super::comparison::{Comparison, Seen};
use super::credentials::{self, Credential};
use super::documents::document;
use super::matrix::{self, Attempt, Random};
use super::reference::{Verdict, judge};
use crate::drivers::case::Request;
use crate::drivers::report::say;

/// Of the mixed part of the matrix, unless BYPASS_SEED is another.
const SEED: u64 = 20_261_121;

/// Both documents.
pub const PROTOCOLS: [Protocol; 2] = [Protocol::Rest, Protocol::Http];

/// The seed of the mixed part of the matrix.
pub fn seed() -> u64 {
    std::env::var("BYPASS_SEED").map_or(SEED, |seed| seed.parse().expect("BYPASS_SEED is a number"))
}

/// Guards, and how many requests have to get through each of them, and to be stopped there, natively.
pub const FLOORS: [(&str, usize, usize); 12] = [
    ("open", 5_000, 100),
    ("IAM", 200, 1_000),
    ("TOKEN", 50, 500),
    ("TOKEN without expression", 50, 500),
    ("TOKEN that denies", 0, 500),
    ("REQUEST", 100, 500),
    ("REQUEST, yes or no", 50, 500),
    ("JWT", 300, 1_000),
    ("JWT with scopes", 50, 500),
    ("JWT in the query", 50, 300),
    ("Cognito", 100, 1_000),
    ("Cognito with scopes", 20, 300),
];

/// The same in a sample: these, or fewer where natively fewer are asked for.
pub const SAMPLE_FLOOR: usize = 25;

/// A request as it was sent, and what came of it.
pub struct Outcome {
    /// What was sent.
    pub attempt: Attempt,
    /// The same, as it was on the wire.
    pub request: Request,
    /// What backends got.
    pub seen: Vec<Seen>,
    /// What the client got.
    pub status: String,
}

/// The matrix for one clock.
pub struct Attack {
    /// What clients show.
    pub credentials: Vec<Credential>,
    /// What they send.
    pub attempts: Vec<Attempt>,
}

// === impl Attack ===

impl Attack {
    /// Of the seed that BYPASS_SEED names, or of ours.
    pub fn new(now: Duration) -> Self {
        let credentials = credentials::all(now);
        let attempts = matrix::all(&credentials, seed());
        Self { credentials, attempts }
    }

    /// What the reference says.
    pub fn judge(&self, attempt: &Attempt, request: &Request) -> Verdict {
        judge(attempt.protocol, request, &self.credentials[attempt.credential])
    }

    /// A part in which every verdict, every class and every kind of guard is well represented.
    pub fn sample(&self, count: usize, now: Duration) -> Vec<Attempt> {
        let label = |attempt: &Attempt| match self.judge(attempt, &attempt.request(&self.credentials, now)) {
            Verdict::Reaches(_, kind) => (true, kind),
            Verdict::Stops(kind) => (false, kind),
            Verdict::Perhaps(class, _) => (false, class),
        };
        Random(seed()).sample(&self.attempts, label, count)
    }

    /// All of them, against the reference.
    pub fn compare(&self, outcomes: &[Outcome]) -> Comparison {
        compare(outcomes, |attempt, request| self.judge(attempt, request))
    }
}

/// All of them, against somebody who says what may pass.
pub fn compare(outcomes: &[Outcome], judge: impl Fn(&Attempt, &Request) -> Verdict) -> Comparison {
    let mut comparison = Comparison::default();
    for Outcome { attempt, request, seen, status } in outcomes {
        comparison.add(attempt, request, &judge(attempt, request), seen, status);
    }
    comparison
}

/// Both documents, with every guard in its place.
pub fn documents() -> BTreeMap<String, Value> {
    documents_with(|guard| guard)
}

/// The same with changed guards.
pub fn documents_with(changed: impl Fn(Guard) -> Guard) -> BTreeMap<String, Value> {
    PROTOCOLS.into_iter().map(|protocol| (protocol.document().to_owned(), document(protocol, &changed))).collect()
}

/// The figures, and that they are none of a test that saw nothing.
pub fn told(driver: &str, comparison: &Comparison, at_least: usize, floor: usize, start: Instant) {
    say(&format!("{driver}, {:.1?}: {}", start.elapsed(), comparison.told()));
    comparison.assert_none(driver);
    assert!(comparison.total() >= at_least, "{driver}: {} requests are too few", comparison.total());
    let missed = floors_missed(comparison, floor);
    assert!(missed.is_empty(), "{driver}: {missed:?}");
}

/// The kinds of guard that let too few requests through, or stopped too few.
pub fn floors_missed(comparison: &Comparison, floor: usize) -> Vec<String> {
    let missed = |(kind, reached, refused): (&str, usize, usize)| {
        let count = |counts: &BTreeMap<&str, usize>| counts.get(kind).copied().unwrap_or_default();
        let (through, stopped) = (count(&comparison.reached), count(&comparison.refused));
        (through < reached.min(floor) || stopped < refused.min(floor))
            .then(|| format!("`{kind}` let only {through} requests through, or stopped only {stopped}"))
    };
    FLOORS.into_iter().filter_map(missed).collect()
}
