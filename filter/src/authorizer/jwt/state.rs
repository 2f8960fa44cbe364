//! What one worker knows of an issuer: its keys, where they are, and the call that it waits for.

use super::issuer::Keys;
use super::place::Place;
use crate::flow::{Callout, Question, Ticket};
use crate::http::{Headers, RequestHead};
use crate::jose::{KeySet, Origin};
use std::sync::Arc;

/// After this keys count no more.
const STALE_MILLIS: u64 = 24 * 60 * 60 * 1000;
/// AWS's timeout of each call.
const CALL_MILLIS: u64 = 1_500;
/// How far the clocks of two workers may be apart.
const SKEW_MILLIS: u64 = 1_000;

/// What a worker knows.
#[derive(Debug, Default)]
pub struct State {
    /// The keys that were taken last.
    pub keys: Option<Fetched>,
    /// How many other key sets there were.
    pub number: u64,
    /// Of the shared keys that were read last.
    pub version: Option<u32>,
    /// Where the issuer said its keys are.
    pub uri: String,
    /// When it said so; 0: it is to be asked again.
    pub discovered_millis: u64,
    /// The call that this worker waits for.
    pub flight: Option<Flight>,
    /// What was told last, and when.
    pub told: Option<(String, u64)>,
}

/// Keys that were fetched.
#[derive(Debug)]
pub struct Fetched {
    keys: Keys,
    text: Vec<u8>,
    /// When the attempt began that brought them.
    pub fetched_millis: u64,
}

/// A call on its way.
#[derive(Debug)]
pub struct Flight {
    /// Its ticket.
    pub ticket: Ticket,
    /// When the attempt began.
    pub started_millis: u64,
    /// What is asked.
    pub step: Step,
}

/// What a call asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Where the keys are.
    Discovery,
    /// The keys.
    Keys,
}

// === impl State ===

impl State {
    /// The keys that count now.
    pub fn usable(&self, now: u64) -> Option<Keys> {
        let fetched = self.keys.as_ref()?;
        // Keys of a time to come: the clock went back, and nobody knows how old they are. They are fetched again at once.
        let is_stale = age(fetched.fetched_millis, now).is_some_and(|age| age >= STALE_MILLIS);
        (!is_stale).then(|| fetched.keys.clone())
    }

    /// The call that asks a place.
    pub fn ask(&mut self, place: Place, step: Step, started_millis: u64, ticket: Ticket) -> (Ticket, Callout) {
        self.flight = Some(Flight { ticket, started_millis, step });
        let mut headers = Headers::new();
        headers.append("accept", "application/json");
        let head = RequestHead {
            method: "GET".to_owned(),
            path: place.url.path.into_bytes(),
            authority: place.url.authority.into_bytes(),
            scheme: place.url.scheme.to_owned(),
            headers,
        };
        let question = Question::Http { head, body: Vec::new() };
        (ticket, Callout { cluster: place.cluster, question, timeout_millis: CALL_MILLIS })
    }

    /// Whether there are keys of a later attempt.
    pub fn is_newer_than(&self, millis: u64, now: u64) -> bool {
        self.keys.as_ref().is_some_and(|fetched| fetched.fetched_millis > millis && age(fetched.fetched_millis, now).is_some())
    }

    /// Puts keys in the place of those that are there, if there is one among them that can be used; tells which cannot.
    pub fn install(&mut self, text: &[u8], fetched_millis: u64) -> Result<String, String> {
        if let Some(fetched) = self.keys.as_mut().filter(|fetched| fetched.text == text) {
            fetched.fetched_millis = fetched_millis;
            return Ok(String::new());
        }
        let (set, skipped) = KeySet::parse(text, Origin::Fetched).map_err(|invalid| invalid.to_string())?;
        let skipped = skipped.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        if set.is_empty() {
            let why = if skipped.is_empty() { "it is empty" } else { skipped.as_str() };
            return Err(format!("its key set has no key that can be used: {why}"));
        }
        self.number += 1;
        let keys = Keys { set: Arc::new(set), number: self.number };
        self.keys = Some(Fetched { keys, text: text.to_vec(), fetched_millis });
        Ok(skipped)
    }
}

/// How long ago that was; none: it has not been yet.
pub fn age(then: u64, now: u64) -> Option<u64> {
    if then > now.saturating_add(SKEW_MILLIS) { None } else { Some(now.saturating_sub(then)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_ahead_is_now_and_more_has_not_been_yet() {
        for (then, now, expected) in
            [(5, 10, Some(5)), (10, 10, Some(0)), (1_010, 10, Some(0)), (1_011, 10, None), (u64::MAX, u64::MAX, Some(0))]
        {
            assert_eq!(age(then, now), expected, "{then} {now}");
        }
    }

    #[test]
    fn keys_count_for_a_day() {
        let mut state = State::default();
        let jwk = super::super::testing::Signer::public("k", 1).jwk;
        assert!(state.install(serde_json::json!({"keys": [jwk]}).to_string().as_bytes(), 1_000_000).is_ok());
        for (millis, usable) in [(0, true), (86_399_999, true), (86_400_000, false)] {
            assert_eq!(state.usable(1_000_000 + millis).is_some(), usable, "after {millis} ms");
        }
    }
}
