//! What the gateway asks of its host, for one request; what it tells of the request is kept.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};
use tollgate::platform::{Level, Platform, Section, Version};

/// A thing that was told of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where the request was.
    pub section: Section,
    /// What is told.
    pub name: &'static str,
    /// The text, of one line or many.
    pub text: String,
}

/// What the gateway remembers between requests at its host: a number of the version with each value.
pub type Memory = Arc<Mutex<BTreeMap<String, (Vec<u8>, u32)>>>;

/// A host as it was when a request came.
pub struct Moment {
    /// Milliseconds since 1970.
    pub now_millis: u64,
    /// The clock that nobody sets.
    pub monotonic_nanos: u64,
    /// What the ids of the request are made from.
    pub random: [u8; 16],
    /// Who sent it.
    pub source_address: String,
    /// What was remembered.
    pub memory: Memory,
}

/// The host of one request.
pub struct Port {
    /// What was told so far.
    steps: RefCell<Vec<Step>>,
    /// The body of the request, as long as it is held.
    pub body: Vec<u8>,
    /// Who made the response at hand.
    pub details: Option<String>,
    memory: Memory,
    started: Instant,
    /// None: now.
    moment: Option<Moment>,
}

// === impl Port ===

impl Port {
    pub fn new(body: Vec<u8>) -> Self {
        let (steps, details, memory, moment) = Default::default();
        Self { steps, body, details, memory, started: Instant::now(), moment }
    }

    /// A host at which it is another time.
    pub fn at(moment: Moment, body: Vec<u8>) -> Self {
        Self { memory: Arc::clone(&moment.memory), moment: Some(moment), ..Self::new(body) }
    }

    /// Keeps a step; one without a text says nothing.
    pub fn tell(&self, section: Section, name: &'static str, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.steps.borrow_mut().push(Step { section, name, text });
        }
    }

    fn memory(&self) -> MutexGuard<'_, BTreeMap<String, (Vec<u8>, u32)>> {
        // Every value is whole, whoever panicked beside it.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that was told since the last time.
    pub fn take_steps(&self) -> Vec<Step> {
        self.steps.take()
    }
}

impl Platform for Port {
    fn now_millis(&self) -> u64 {
        if let Some(moment) = &self.moment {
            return moment.now_millis;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic_nanos(&self) -> u64 {
        if let Some(moment) = &self.moment {
            return moment.monotonic_nanos;
        }
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn random(&mut self) -> [u8; 16] {
        if let Some(moment) = &self.moment {
            return moment.random;
        }
        let mut bytes = [0; 16];
        // Ids only: without random numbers they are zero, and the request is explained all the same.
        let _ = SystemRandom::new().fill(&mut bytes);
        bytes
    }

    fn source_address(&self) -> Option<String> {
        Some(self.moment.as_ref().map_or("127.0.0.1:51234", |moment| &moment.source_address).to_owned())
    }

    fn response_code_details(&self) -> Option<String> {
        self.details.clone()
    }

    fn request_body(&self) -> Vec<u8> {
        self.body.clone()
    }

    /// The gateway verifies itself.
    fn verify_signature(&self, _hash: &str, _key: &[u8], _signature: &[u8], _text: &[u8]) -> Option<bool> {
        None
    }

    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.memory().get(key).cloned()
    }

    fn set_shared_data(&self, key: &str, value: &[u8], version: Version) -> bool {
        let mut shared = self.memory();
        let current = shared.get(key).map(|(_, version)| *version);
        let is_current = match (current, version) {
            (None, _) | (_, Version::Any) => true,
            (Some(_), Version::Missing) => false,
            (Some(current), Version::Is(expected)) => current == expected,
        };
        if is_current {
            shared.insert(key.to_owned(), (value.to_vec(), current.unwrap_or(0) + 1));
        }
        is_current
    }

    /// A line for the operator stands where the request was when it was written.
    fn log(&self, level: Level, message: &str) {
        let name = match level {
            Level::Debug | Level::Info => return,
            Level::Warn => "warning",
            Level::Error => "error",
        };
        let section = self.steps.borrow().last().map_or(Section::MethodRequest, |step| step.section);
        self.tell(section, name, message);
    }

    fn note(&self, section: Section, name: &'static str, text: &dyn Fn() -> String) {
        self.tell(section, name, text());
    }
}
