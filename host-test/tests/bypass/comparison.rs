//! What a gateway did, against what the reference says: counts by class, and offenders in a form that can be sent again.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::apis::Protocol;
use super::matrix::Attempt;
use super::reference::{Arrival, Verdict};
use crate::drivers::case::Request;

/// What an upstream got, with its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The cluster, or the host.
    pub host: String,
    /// The method.
    pub method: String,
    /// The target.
    pub target: String,
}

/// The comparison of a run.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Requests by what the reference says of them, and what became of them.
    pub counts: BTreeMap<(&'static str, &'static str), usize>,
    /// Requests that reached an upstream, by the kind of their guard.
    pub reached: BTreeMap<&'static str, usize>,
    /// Requests that did not, by what stopped them.
    pub refused: BTreeMap<&'static str, usize>,
    /// Reached without permission, or by another way than is permitted.
    pub bypasses: Vec<String>,
    /// Permitted, and stopped all the same.
    pub stopped: Vec<String>,
}

/// How many offenders are shown.
const SHOWN: usize = 20;

// === impl Comparison ===

impl Comparison {
    /// One request: what the reference says, and all that the upstreams of the integrations got because of it.
    pub fn add(&mut self, attempt: &Attempt, request: &Request, verdict: &Verdict, seen: &[Seen], status: &str) {
        let (class, permitted): (&'static str, &[Arrival]) = match verdict {
            Verdict::Reaches(arrival, kind) => {
                if !seen.is_empty() {
                    *self.reached.entry(kind).or_default() += 1;
                }
                ("permitted", std::slice::from_ref(arrival))
            }
            Verdict::Stops(kind) => {
                if seen.is_empty() {
                    *self.refused.entry(kind).or_default() += 1;
                }
                ("not permitted", &[])
            }
            Verdict::Perhaps(class, arrivals) => (class, arrivals),
        };
        let became = match (seen, permitted) {
            ([], [_, ..]) if class != "permitted" => "stopped, and might have passed",
            ([], _) => "stopped",
            _ => "reached",
        };
        *self.counts.entry((class, became)).or_default() += 1;
        let query = request.path.split_once('?').map_or("", |(_, query)| query.trim_end());
        let fits = |seen: &Seen| {
            let (path, passed) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
            let same =
                |permitted: &Arrival| permitted.host == seen.host && permitted.method == seen.method && permitted.path == path;
            passed == query && permitted.iter().any(same)
        };
        let is_bypass = seen.len() > 1 || !seen.iter().all(fits);
        let is_stopped = seen.is_empty() && matches!(verdict, Verdict::Reaches(..));
        if is_bypass || is_stopped {
            let text = offender(attempt, request, verdict, seen, status);
            if is_bypass { self.bypasses.push(text) } else { self.stopped.push(text) }
        }
    }

    /// How many requests were compared.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }

    /// The counts, for people.
    pub fn told(&self) -> String {
        let mut text =
            format!("{} requests, {} bypasses, {} stopped in vain\n", self.total(), self.bypasses.len(), self.stopped.len());
        for ((class, became), count) in &self.counts {
            let _ = writeln!(text, "{count:>8}  {class}: {became}");
        }
        for (what, counts) in [("reached as permitted", &self.reached), ("stopped as not permitted", &self.refused)] {
            let by_guard: Vec<String> = counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            let _ = writeln!(text, "  {what}: {}", by_guard.join("; "));
        }
        text
    }

    /// Panics with the first offenders, bypasses first.
    pub fn assert_none(&self, driver: &str) {
        let (bypasses, stopped) = (self.bypasses.len(), self.stopped.len());
        let none = bypasses + stopped == 0;
        assert!(none, "{driver}: {bypasses} bypasses, {stopped} stopped in vain\n{}", self.offenders());
    }

    /// The first offenders, bypasses first.
    pub fn offenders(&self) -> String {
        let all: Vec<&str> = self.bypasses.iter().chain(&self.stopped).take(SHOWN).map(String::as_str).collect();
        all.join("\n")
    }
}

/// As a request of a case file, and by its number.
fn offender(attempt: &Attempt, request: &Request, verdict: &Verdict, seen: &[Seen], status: &str) -> String {
    let protocol = if attempt.protocol == Protocol::Rest { "rest" } else { "http" };
    let shorten = |text: &str| {
        if text.len() > 600 {
            format!("{}… ({} bytes)", text.chars().take(600).collect::<String>(), text.len())
        } else {
            text.to_owned()
        }
    };
    let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("[{name:?}, {:?}]", shorten(value))).collect();
    let seed = std::env::var("BYPASS_SEED").map(|seed| format!("BYPASS_SEED={seed} ")).unwrap_or_default();
    let (says, did) = (shorten(&format!("{verdict:?}")), shorten(&format!("{status}, {seen:?}")));
    format!(
        "#{} ({protocol}) {}\n  request: {{ method: {:?}, path: {:?}, headers: [{}] }}\n  says: {says}\n  did: {did}\n  \
         again: {seed}BYPASS_ONLY={} cargo test -p tollgate-host --test bypass -- --nocapture",
        attempt.number,
        attempt.name,
        request.method,
        shorten(&request.path),
        headers.join(", "),
        attempt.number,
    )
}
