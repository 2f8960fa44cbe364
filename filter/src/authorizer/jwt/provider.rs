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
//! | attempts begin | at most every 10 s while there are keys; without keys 2 s after one that failed, 4 s after one nobody heard of |
//! | a failure takes nothing away | keys count for 24 hours; then requests fail, and never pass |
//! | a clock that goes back | locks nobody out: a time to come is no time |

use super::issuer::Keys;
use super::shared::{Attempt, SharedKeys};
use super::url::Url;
use crate::definition::Directory;
use crate::flow::{Callout, CalloutOutcome, Ticket};
use crate::http::{Headers, RequestHead};
use crate::jose::{KeySet, Origin};
use crate::platform::{Level, Platform, Version};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// After this keys are fetched again.
const REFRESH_MILLIS: u64 = 5 * 60 * 1000;
/// After this keys count no more.
const STALE_MILLIS: u64 = 24 * 60 * 60 * 1000;
/// From one attempt to the next while there are keys.
const COOLDOWN_MILLIS: u64 = 10_000;
/// The same without keys, after an attempt that failed.
const RETRY_MILLIS: u64 = 2_000;
/// The same after an attempt of which nobody heard: beyond both of its calls.
const LEASE_MILLIS: u64 = 4_000;
/// AWS's timeout of each call.
const CALL_MILLIS: u64 = 1_500;
/// How far the clocks of two workers may be apart.
const SKEW_MILLIS: u64 = 1_000;
/// The same cause is told again after this.
const TELL_MILLIS: u64 = 5 * 60 * 1000;
const LINE_LIMIT: usize = 500;
const BODY_LIMIT: usize = 256 * 1024;

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

/// A URL and the cluster that reaches it.
#[derive(Debug, Clone)]
pub struct Place {
    /// What to ask for.
    pub url: Url,
    /// Whom to ask.
    pub cluster: String,
}

/// What a worker knows.
#[derive(Debug, Default)]
struct State {
    keys: Option<Fetched>,
    /// How many other key sets there were.
    number: u64,
    /// Of the shared keys that were read last.
    version: Option<u32>,
    /// Where the issuer said its keys are.
    uri: String,
    discovered_millis: u64,
    /// The call that this worker waits for.
    flight: Option<Flight>,
    /// What was told last, and when.
    told: Option<(String, u64)>,
}

#[derive(Debug)]
struct Fetched {
    keys: Keys,
    text: Vec<u8>,
    fetched_millis: u64,
}

#[derive(Debug)]
struct Flight {
    ticket: Ticket,
    started_millis: u64,
    step: Step,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Discovery,
    Keys,
}

// === impl Provider ===

impl Provider {
    /// A provider without keys yet.
    pub fn new(issuer: &str, home: Home) -> Self {
        // What another version of this module wrote, or another place of the keys, is something else.
        let given = match &home {
            Home::Discovery(_) => String::new(),
            Home::Keys(place) => format!(" {}://{}{}", place.url.scheme, place.url.authority, place.url.path),
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

// === impl State ===

impl State {
    fn usable(&self, now: u64) -> Option<Keys> {
        let fetched = self.keys.as_ref()?;
        // Keys of a time to come: the clock went back, and nobody knows how old they are. They are fetched again at once.
        let is_stale = age(fetched.fetched_millis, now).is_some_and(|age| age >= STALE_MILLIS);
        (!is_stale).then(|| fetched.keys.clone())
    }

    fn ask(&mut self, place: Place, step: Step, started_millis: u64, ticket: Ticket) -> (Ticket, Callout) {
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
        (ticket, Callout { cluster: place.cluster, head, body: Vec::new(), timeout_millis: CALL_MILLIS })
    }

    fn is_newer_than(&self, millis: u64, now: u64) -> bool {
        self.keys.as_ref().is_some_and(|fetched| fetched.fetched_millis > millis && age(fetched.fetched_millis, now).is_some())
    }

    /// Puts keys in the place of those that are there, if there is one among them that can be used; tells which cannot.
    fn install(&mut self, text: &[u8], fetched_millis: u64) -> Result<String, String> {
        if let Some(fetched) = self.keys.as_mut().filter(|fetched| fetched.text == text) {
            fetched.fetched_millis = fetched_millis;
            return Ok(String::new());
        }
        let (set, skipped) = KeySet::parse(text, Origin::Fetched).map_err(|invalid| invalid.to_string())?;
        let skipped = skipped.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        if set.is_empty() {
            return Err(format!("its key set has no key that can be used: {skipped}"));
        }
        self.number += 1;
        let keys = Keys { set: Arc::new(set), number: self.number };
        self.keys = Some(Fetched { keys, text: text.to_vec(), fetched_millis });
        Ok(skipped)
    }
}

/// How long ago that was; none: it has not been yet.
fn age(then: u64, now: u64) -> Option<u64> {
    if then > now.saturating_add(SKEW_MILLIS) { None } else { Some(now.saturating_sub(then)) }
}

fn body(outcome: &CalloutOutcome) -> Result<&[u8], String> {
    match outcome {
        Err(_) => Err("did not come".to_owned()),
        Ok(response) if response.head.status != 200 => Err(format!("came with status {}", response.head.status)),
        Ok(response) if response.body.len() > BODY_LIMIT => Err("has more than 256 KiB".to_owned()),
        Ok(response) => Ok(&response.body),
    }
}

/// Where the keys are. OpenID Connect Discovery 1.0, section 4.3: the issuer must be exactly the one that was asked.
fn read_discovery(body: &[u8], issuer: &str) -> Result<String, String> {
    let document: Value = serde_json::from_slice(body).map_err(|_| "is not JSON")?;
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    match text("issuer") {
        Some(named) if named == issuer => {}
        Some(named) => return Err(format!("names another issuer: `{}`", named.escape_debug())),
        None => return Err("names no `issuer`".to_owned()),
    }
    text("jwks_uri").map(str::to_owned).ok_or_else(|| "names no `jwks_uri`".to_owned())
}

/// Only who is in the document may be called, over no less than what the issuer itself is called over.
fn place_of(uri: &str, home: &Place, directory: &Directory) -> Result<Place, String> {
    let url = Url::parse(uri).filter(|url| url.scheme == "https" || url.scheme == home.url.scheme);
    let url = url.ok_or_else(|| format!("its `jwks_uri` is no https URL: `{}`", uri.escape_debug()))?;
    match directory.find(&url.authority) {
        Some(cluster) => Ok(Place { cluster: cluster.to_owned(), url }),
        None => {
            let host = &url.authority;
            Err(format!("no upstream for `{host}`, where its keys are; help: add `upstreams: {{\"{host}\": {{cluster: NAME}}}}`"))
        }
    }
}
