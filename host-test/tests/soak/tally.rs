//! What came of all requests, without keeping them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::traffic::kind::{Goal, Kind};
use crate::traffic::ledger::Ledger;
use crate::traffic::load::{Fate, Record};

/// Microseconds of a bucket of latencies.
const BUCKET: usize = 100;

/// What an answer may take on top of the timeouts of its definition.
const SLACK: Duration = Duration::from_millis(500);

/// Counts.
#[derive(Debug, Default)]
pub struct Tally {
    kinds: BTreeMap<Kind, (u64, u64)>,
    lost: u64,
    doubled: u64,
    strayed: u64,
    /// How many took so many times [`BUCKET`].
    latencies: Vec<u64>,
    late: Duration,
    oddities: Vec<String>,
}

// === impl Tally ===

impl Tally {
    /// Takes what is over.
    pub fn add(&mut self, (records, oddities): (Vec<Record>, Vec<String>), ledger: &Ledger) {
        for record in records {
            let (all, right) = self.kinds.entry(record.kind).or_default();
            let is_right = matches!(record.fate, Fate::Right(_));
            *all += 1;
            *right += u64::from(is_right);
            let arrivals = ledger.arrivals(record.id);
            self.lost += u64::from(is_right && record.kind.goal() == Goal::Upstream && arrivals == 0);
            self.doubled += u64::from(arrivals > 1 || ledger.questions(record.id) > 1);
            self.strayed += u64::from(record.kind.goal() == Goal::Gateway && arrivals > 0);
            let place = (record.took.as_micros() as usize / BUCKET).min(100_000);
            if self.latencies.len() <= place {
                self.latencies.resize(place + 1, 0);
            }
            self.latencies[place] += 1;
            self.late = self.late.max(record.took.saturating_sub(record.kind.timeout()));
        }
        self.oddities.extend(oddities.into_iter().take(20usize.saturating_sub(self.oddities.len())));
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.kinds.values().map(|(all, _)| all).sum()
    }

    fn right(&self) -> u64 {
        self.kinds.values().map(|(_, right)| right).sum()
    }

    fn percentile(&self, of_thousand: u64) -> f64 {
        let rank = self.total() * of_thousand / 1_000;
        let mut seen = 0;
        let place = self.latencies.iter().position(|count| {
            seen += count;
            seen > rank
        });
        (place.unwrap_or(self.latencies.len()) * BUCKET) as f64 / 1_000.0
    }

    pub fn line(&self) -> String {
        format!(
            "{} requests, {} not right, {} lost, {} doubled, p50 {:.1} ms, p99 {:.1} ms",
            self.total(),
            self.total() - self.right(),
            self.lost,
            self.doubled,
            self.percentile(500),
            self.percentile(990)
        )
    }

    /// A row a kind.
    pub fn table(&self) -> String {
        let mut table = format!("{:<16} {:>10} {:>10}", "kind", "requests", "not right");
        for (kind, (all, right)) in &self.kinds {
            let _ = write!(table, "\n{:<16} {all:>10} {:>10}", format!("{kind:?}"), all - right);
        }
        table
    }

    /// What must not be.
    pub fn complaints(&self, right_of_ten_thousand: u64, stall: Duration) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.right() * 10_000 < self.total() * right_of_ten_thousand {
            complaints.push(format!("{} of {} are not right", self.total() - self.right(), self.total()));
        }
        for (what, count) in
            [("are lost", self.lost), ("came twice", self.doubled), ("had to stay here, and went on", self.strayed)]
        {
            if count > 0 {
                complaints.push(format!("{count} requests {what}"));
            }
        }
        if self.late > SLACK.saturating_add(stall) {
            complaints.push(format!("an answer {:?} beyond its timeout", self.late));
        }
        if !complaints.is_empty() {
            complaints.extend(self.oddities.iter().map(|oddity| format!("such as {oddity}")));
        }
        complaints
    }
}
