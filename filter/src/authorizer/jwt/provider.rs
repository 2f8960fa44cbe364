//! The keys of an issuer that publishes them: fetched from a timer, kept fresh, shared by all workers of the proxy.
//!
//! OpenID Connect Discovery 1.0, section 4; AWS: "Control access to HTTP APIs with JWT authorizers" (1,500 ms a call; keys are cached
//! up to two hours there, five minutes here).
//!
//! # What holds
//! | | |
//! |---|---|
//! | one fetch at a time for all workers | a lease in shared data, see [`super::shared`] |
//! | keys are fetched again | after five minutes, whether or not a request comes; and once for a key that is not known |
//! | attempts begin | at most every 10 s while there are keys; without keys 1.5 s after one that failed, 4 s after one nobody heard of |
//! | a failure takes nothing away | keys count for 24 hours; then requests fail, and never pass |
//! | a clock that goes back | locks nobody out: a time to come is no time |

use super::issuer::Keys;
use super::place::{Place, body, place_of, read_discovery};
use super::shared::{Attempt, SharedKeys};
use super::state::{State, Step, age};
use crate::definition::Directory;
use crate::flow::{Callout, CalloutOutcome, Ticket};
use crate::platform::{Level, Platform, Version};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// After this keys are fetched again.
const REFRESH_MILLIS: u64 = 5 * 60 * 1000;
/// From one attempt to the next while there are keys.
const COOLDOWN_MILLIS: u64 = 10_000;
/// The same without keys, after an attempt that failed: within two seconds after the issuer is there, with the timer's own period,
/// requests pass.
const RETRY_MILLIS: u64 = 1_500;
/// The same after an attempt of which nobody heard: beyond both of its calls.
const LEASE_MILLIS: u64 = 4_000;
/// The same cause is told again after this.
const TELL_MILLIS: u64 = 5 * 60 * 1000;
const LINE_LIMIT: usize = 500;

/// An issuer that publishes its keys.
#[derive(Debug)]
pub struct Provider {
    issuer: String,
    home: Home,
    /// Names in shared data.
    keys_name: String,
    attempt_name: String,
    /// When a request last named a key that is not known; 0: none did.
    missed_millis: AtomicU64,
    state: Mutex<State>,
}

/// Whom to ask first.
#[derive(Debug)]
pub enum Home {
    /// The issuer, which says where its keys are.
    Discovery(Place),
    /// The document says where they are: `jwksUri`.
    Keys(Place),
}

// === impl Provider ===

impl Provider {
    /// A provider without keys yet.
    pub fn new(issuer: &str, home: Home) -> Self {
        // What another version of this module wrote, or another place of the keys, is something else: what another document reaches
        // by another cluster may be another server that calls itself the same.
        let given = match &home {
            Home::Discovery(place) => format!(" by {}", place.cluster),
            Home::Keys(place) => {
                format!(" {}://{}{} by {}", place.url.scheme, place.url.authority, place.url.path, place.cluster)
            }
        };
        Self {
            issuer: issuer.to_owned(),
            home,
            keys_name: format!("tollgate.jwks.1.keys {issuer}{given}"),
            attempt_name: format!("tollgate.jwks.1.attempt {issuer}{given}"),
            missed_millis: AtomicU64::new(0),
            state: Mutex::new(State::default()),
        }
    }

    /// The keys that count now. A worker that has none takes what is shared, so a new configuration has no gap.
    pub fn keys(&self, now: u64, platform: &dyn Platform) -> Option<Keys> {
        let mut state = self.lock();
        if state.usable(now).is_none() {
            self.reload(&mut state, platform);
        }
        state.usable(now)
    }

    /// A request named a key that is not known.
    pub fn miss(&self, now: u64) {
        self.missed_millis.store(now, Ordering::Relaxed);
    }

    /// Takes what the workers share already.
    pub fn load(&self, platform: &dyn Platform) {
        self.reload(&mut self.lock(), platform);
    }

    /// Time has passed: the call to make, where one is due and this worker is the one to make it.
    pub fn tick(&self, platform: &dyn Platform, directory: &Directory, ticket: Ticket) -> Option<(Ticket, Callout)> {
        let now = platform.now_millis();
        let mut state = self.lock();
        self.reload(&mut state, platform);
        self.missed_millis.fetch_min(now, Ordering::Relaxed);
        // A reply that never comes is not waited for.
        state.flight.take_if(|flight| age(flight.started_millis, now).is_none_or(|age| age >= LEASE_MILLIS));
        if state.flight.is_some() {
            return None;
        }
        let entry = platform.shared_data(&self.attempt_name);
        let attempt = entry.as_ref().and_then(|(bytes, _)| Attempt::parse(bytes));
        if !self.is_due(&state, attempt, now) {
            return None;
        }
        let version = entry.map_or(Version::Missing, |(_, version)| Version::Is(version));
        let lease = Attempt { started_millis: now, failed: false };
        if !platform.set_shared_data(&self.attempt_name, &lease.to_bytes(), version) {
            return None;
        }
        let known = !state.uri.is_empty() && age(state.discovered_millis, now).is_some_and(|age| age < REFRESH_MILLIS);
        match &self.home {
            Home::Discovery(place) if !known => Some(state.ask(place.clone(), Step::Discovery, now, ticket)),
            _ => self.ask_for_keys(&mut state, now, platform, directory, ticket),
        }
    }

    /// A call is over, of this provider or of another one: the call to make next, when it was the first of two.
    pub fn called(
        &self,
        ticket: Ticket,
        outcome: &CalloutOutcome,
        platform: &dyn Platform,
        directory: &Directory,
        next: Ticket,
    ) -> Option<(Ticket, Callout)> {
        let mut state = self.lock();
        let flight = state.flight.take_if(|flight| flight.ticket == ticket)?;
        let started = flight.started_millis;
        match (flight.step, body(outcome)) {
            (Step::Discovery, Ok(body)) => match read_discovery(body, &self.issuer) {
                Ok(uri) => {
                    state.uri = uri;
                    state.discovered_millis = started;
                    self.ask_for_keys(&mut state, started, platform, directory, next)
                }
                Err(cause) => self.fail(&mut state, started, &format!("its discovery document {cause}"), platform),
            },
            // Where the keys were is the best guess while the issuer does not say.
            (Step::Discovery, Err(_)) if !state.uri.is_empty() => self.ask_for_keys(&mut state, started, platform, directory, next),
            (Step::Discovery, Err(cause)) => self.fail(&mut state, started, &format!("its discovery document {cause}"), platform),
            // Somebody was faster: this worker waited so long that its lease ran out.
            (Step::Keys, Ok(_)) if state.is_newer_than(started, platform.now_millis()) => None,
            (Step::Keys, Ok(text)) => {
                let before = state.number;
                match state.install(text, started) {
                    Ok(skipped) => {
                        self.publish(&state, text, platform);
                        state.told = None;
                        if state.number != before {
                            self.tell(Level::Info, "new keys", platform);
                            if !skipped.is_empty() {
                                self.tell(Level::Warn, &skipped, platform);
                            }
                        }
                        None
                    }
                    Err(cause) => self.fail(&mut state, started, &cause, platform),
                }
            }
            (Step::Keys, Err(cause)) => self.fail(&mut state, started, &format!("its key set {cause}"), platform),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_due(&self, state: &State, attempt: Option<Attempt>, now: u64) -> bool {
        let has_keys = state.usable(now).is_some();
        let attempt = attempt.and_then(|attempt| Some((attempt, age(attempt.started_millis, now)?)));
        if let Some((attempt, age)) = attempt {
            let cooldown = match (has_keys, attempt.failed) {
                (true, _) => COOLDOWN_MILLIS,
                (false, true) => RETRY_MILLIS,
                (false, false) => LEASE_MILLIS,
            };
            if age < cooldown {
                return false;
            }
        }
        let fetched_millis = state.keys.as_ref().map_or(0, |fetched| fetched.fetched_millis);
        let is_fresh = age(fetched_millis, now).is_some_and(|age| age < REFRESH_MILLIS);
        // An attempt that began after the request, whoever made it, has answered it: a key is missed once, not by each worker.
        let answered = attempt.map_or(0, |(attempt, _)| attempt.started_millis);
        !has_keys || !is_fresh || self.missed_millis.load(Ordering::Relaxed) > answered
    }

    fn ask_for_keys(
        &self,
        state: &mut State,
        started: u64,
        platform: &dyn Platform,
        directory: &Directory,
        ticket: Ticket,
    ) -> Option<(Ticket, Callout)> {
        let place = match &self.home {
            Home::Keys(place) => place.clone(),
            Home::Discovery(home) => match place_of(&state.uri, home, directory) {
                Ok(place) => place,
                Err(cause) => return self.fail(state, started, &cause, platform),
            },
        };
        Some(state.ask(place, Step::Keys, started, ticket))
    }

    /// Takes what another worker shared, when it is something else than what was taken last.
    fn reload(&self, state: &mut State, platform: &dyn Platform) {
        let Some((bytes, version)) = platform.shared_data(&self.keys_name) else { return };
        if state.version == Some(version) {
            return;
        }
        state.version = Some(version);
        let Some(shared) = SharedKeys::parse(&bytes) else { return };
        if state.install(shared.text, shared.fetched_millis).is_ok() {
            shared.uri.clone_into(&mut state.uri);
            state.discovered_millis = shared.discovered_millis;
        }
    }

    /// Shares what was fetched, unless somebody shared newer keys meanwhile.
    fn publish(&self, state: &State, text: &[u8], platform: &dyn Platform) {
        let Some(fetched) = &state.keys else { return };
        let ours = SharedKeys {
            fetched_millis: fetched.fetched_millis,
            discovered_millis: state.discovered_millis,
            uri: &state.uri,
            text,
        };
        // Once for each worker that could be in between; there is at most one with a lease that ran out.
        for _ in 0..3 {
            let entry = platform.shared_data(&self.keys_name);
            let theirs = entry.as_ref().and_then(|(bytes, _)| SharedKeys::parse(bytes));
            let now = platform.now_millis();
            if theirs.is_some_and(|theirs| theirs.fetched_millis > ours.fetched_millis && age(theirs.fetched_millis, now).is_some())
            {
                return;
            }
            let version = entry.map_or(Version::Missing, |(_, version)| Version::Is(version));
            if platform.set_shared_data(&self.keys_name, &ours.to_bytes(), version) {
                return;
            }
        }
    }

    /// The attempt is over without keys: the next one need not wait for it.
    fn fail(&self, state: &mut State, started: u64, cause: &str, platform: &dyn Platform) -> Option<(Ticket, Callout)> {
        state.discovered_millis = 0;
        let now = platform.now_millis();
        let is_told =
            state.told.as_ref().is_some_and(|(told, when)| told == cause && age(*when, now).is_some_and(|age| age < TELL_MILLIS));
        if !is_told {
            state.told = Some((cause.to_owned(), now));
            self.tell(Level::Warn, &format!("no new keys: {cause}"), platform);
        }
        let own = Attempt { started_millis: started, failed: false };
        if let Some((bytes, version)) = platform.shared_data(&self.attempt_name) {
            if Attempt::parse(&bytes) == Some(own) {
                let failed = Attempt { failed: true, ..own }.to_bytes();
                platform.set_shared_data(&self.attempt_name, &failed, Version::Is(version));
            }
        }
        None
    }

    fn tell(&self, level: Level, what: &str, platform: &dyn Platform) {
        // What an issuer wrote may be part of it.
        let what: String = what.chars().take(LINE_LIMIT).collect();
        platform.log(level, &format!("issuer `{}`: {what}", self.issuer));
    }
}
