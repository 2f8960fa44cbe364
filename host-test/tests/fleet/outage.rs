//! A time in which nobody can be counted, in the midst of a load; and what must be true of it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Fleet, Folder, millis, shared, slowest};
use crate::drivers::report::say;
use crate::usage::load::{End, Load, Sample};

/// `timeoutMillis` of the documents.
pub const TIMEOUT: Duration = Duration::from_millis(300);

/// What an answer may take on top of it.
const SLACK: Duration = Duration::from_millis(500);

/// The quota of each document.
const LIMIT: u64 = 1_000;

/// How long the load before and after takes, all in all.
const LOAD: Duration = Duration::from_secs(3);

/// How long the load lasts before something happens.
const BEFORE: Duration = Duration::from_millis(700);

/// What to do when the service does not answer: both values of `failureMode`.
const MODES: [&str; 2] = ["deny", "allow"];

/// From when to when certainly nobody could be counted.
#[derive(Clone, Copy)]
pub struct Outage {
    pub began: Instant,
    pub ended: Instant,
}

/// A document for each mode, and where its counts are.
pub struct Trial<'a> {
    redis: &'a str,
    /// How many questions a request has.
    questions: u32,
    documents: [(String, Value); 2],
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It passed, and so much of the quota was left.
    Counted(u64),
    /// It passed without being counted.
    LetThrough,
    /// The quota is used up.
    Exceeded,
    /// Nobody counted it in time.
    Failed,
}

// === impl Fate ===

impl Fate {
    fn of(sample: &Sample) -> Self {
        // The quota is the nearest of all limits. Who knows of no limit, or of another one only, was not counted by it.
        match (sample.status, sample.body.as_str(), sample.remaining) {
            (200, "", Some(left)) if left < LIMIT => Self::Counted(left),
            (200, "", _) => Self::LetThrough,
            (429, super::EXCEEDED, _) => Self::Exceeded,
            (500, super::FAILED, _) => Self::Failed,
            _ => panic!("{sample:?}"),
        }
    }

    fn count(self, samples: &[Sample]) -> usize {
        samples.iter().filter(|sample| Self::of(sample) == self).count()
    }
}

// === impl Outage ===

impl Outage {
    /// From now on until something is done.
    pub fn until(mut done: impl FnMut()) -> Self {
        let began = Instant::now();
        std::thread::sleep(Duration::from_millis(1_200));
        let ended = Instant::now();
        done();
        Self { began, ended }
    }

    /// Whether a request was sent, and answered, while it lasted.
    fn holds(self, sample: &Sample) -> bool {
        self.began <= sample.sent && sample.received <= self.ended
    }
}

// === impl Trial ===

impl<'a> Trial<'a> {
    /// Each document has these limits beside the quota.
    pub fn new(what: &str, redis: &'a str, more: &Value) -> Self {
        let mut limits = json!({"quota": {"limit": LIMIT, "period": "MONTH"}});
        for (name, value) in more.as_object().into_iter().flatten() {
            limits[name] = value.clone();
        }
        let questions = if more.is_null() { 1 } else { 2 };
        let documents = MODES.map(|mode| {
            let name = format!("{what} {mode}");
            let service = json!({"timeoutMillis": TIMEOUT.as_millis() as u64, "failureMode": mode});
            (name.clone(), shared(&name, &limits, service))
        });
        Self { redis, questions, documents }
    }

    pub fn documents(&self) -> impl Iterator<Item = (&str, Value)> {
        self.documents.iter().map(|(name, document)| (name.as_str(), document.clone()))
    }

    /// Loads both documents, lets it happen, loads them again with more than is left, and judges. Gives back what was answered
    /// within the outage.
    pub fn judge(&self, fleet: &Fleet, happens: impl FnOnce() -> Outage) -> Vec<Sample> {
        let load = Load { connections: 6, requests_of_connection: 50, end: End::Time(LOAD), pause: Duration::from_millis(20) };
        let (loads, outage) = std::thread::scope(|scope| {
            let loads = self.documents.each_ref().map(|(name, _)| scope.spawn(move || fleet.run(name, load)));
            std::thread::sleep(BEFORE);
            let outage = happens();
            (loads.map(|load| load.join().expect("every request is answered")), outage)
        });
        let mut all_within = Vec::new();
        for (((name, document), mode), samples) in self.documents.iter().zip(MODES).zip(loads) {
            let rest = Load { end: End::Requests(LIMIT * 3 / 5), pause: Duration::ZERO, ..load };
            let rest = fleet.run(name, rest);
            assert!(Fate::Exceeded.count(&rest) > 0, "{name}: the quota is never used up");
            let within = self.judge_one(name, mode, outage, [samples, rest].concat());
            assert_eq!(Folder::new().used_and_left(document, self.redis), (LIMIT, 0), "{name}");
            all_within.extend(within);
        }
        all_within
    }

    fn judge_one(&self, name: &str, mode: &str, outage: Outage, samples: Vec<Sample>) -> Vec<Sample> {
        let uncounted = if mode == "deny" { Fate::Failed } else { Fate::LetThrough };
        let mut left = Vec::new();
        let (mut before, mut back) = (0_u64, None);
        for sample in &samples {
            match Fate::of(sample) {
                Fate::Counted(remaining) => {
                    assert!(!outage.holds(sample), "{name}: nobody can have counted {sample:?}");
                    left.push(remaining);
                    before += u64::from(sample.received <= outage.began);
                    if sample.sent >= outage.ended {
                        back = back.min(Some(sample.received)).or(Some(sample.received));
                    }
                }
                Fate::Exceeded => assert!(!outage.holds(sample), "{name}: nobody can have refused {sample:?}"),
                fate => assert_eq!(fate, uncounted, "{name}: {sample:?}"),
            }
        }
        let back = back.unwrap_or_else(|| panic!("{name}: nothing is counted any more")).saturating_duration_since(outage.ended);
        let within: Vec<Sample> = samples.iter().filter(|sample| outage.holds(sample)).cloned().collect();
        let counted = left.len() as u64;
        assert!(counted <= LIMIT, "{name}: {counted} were admitted of a quota of {LIMIT}");
        let lost = LIMIT - counted;
        // Whoever heard nothing in time may have been counted, if there was anybody to count.
        let unsure = (uncounted.count(&samples) - within.len()) as u64;
        let (slowest_of_all, slowest_within) = (slowest(&samples), slowest(&within));
        say(&format!(
            "{name}: of a quota of {LIMIT} {counted} were admitted ({before} before it) and {lost} lost, {unsure} at most; \
             {} in the {} in which nobody could count; counted again after {}; slowest answer {}, in that time {}\n",
            within.len(),
            millis(outage.ended - outage.began),
            millis(back),
            millis(slowest_of_all),
            millis(slowest_within),
        ));
        assert!(within.len() >= 12 && before >= 12, "{name}: that is no load");
        assert!(lost <= unsure, "{name}: {lost} of the quota are lost, {unsure} at most can be");
        left.sort_unstable();
        let all = left.len();
        left.dedup();
        assert_eq!(left.len(), all, "{name}: a count was granted twice");
        assert!(slowest_within <= TIMEOUT + SLACK, "{name}: {slowest_within:?}");
        assert!(slowest_of_all <= TIMEOUT * self.questions + SLACK, "{name}: {slowest_of_all:?}");
        within
    }
}
