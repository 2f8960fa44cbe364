//! A proxy of plain values: what its workers share, its clocks, and what each of them is asked.
//!
//! Shared data is Envoy's (`SharedData::set`): one counter of versions for all keys, and a write is refused when what is there has
//! another version than the one that was named.

use crate::{LOGGED, is_logged};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use tollgate::platform::{Level, MetricKind, Platform, Section, Version};

/// What all workers have in common.
pub struct World {
    /// Values with their versions.
    pub data: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    /// Milliseconds since 1970.
    pub wall: Cell<u64>,
    /// The clock that nobody sets.
    pub nanos: Cell<u64>,
    /// So many writes are refused, as if another worker had been faster each time.
    pub refusals: Cell<u32>,
    /// Reads and writes so far: the work that a step makes for the host.
    pub accesses: Cell<u64>,
    /// What was counted, by the metric's name.
    pub counters: RefCell<HashMap<String, u64>>,
    /// Lines of access logs.
    pub lines: Cell<u64>,
    /// Bytes of log messages.
    pub logged: Cell<usize>,
    version: Cell<u32>,
    metrics: RefCell<Vec<String>>,
}

/// One stream of a worker.
pub struct Worker<'w> {
    /// Its proxy.
    pub world: &'w World,
    /// The body that the host has buffered.
    pub body: Vec<u8>,
    /// Who calls.
    pub source: &'static str,
    /// `response.code_details`
    pub details: Option<&'static str>,
    /// What the ids of its request are made of.
    pub seed: u8,
    /// Whether the access log has the members of [`access_log`](crate::access_log).
    pub has_known_log: bool,
}

/// 2026-01-02T03:04:05Z
pub const START_MILLIS: u64 = 1_767_323_045_000;

// === impl World ===

impl Default for World {
    fn default() -> Self {
        Self {
            data: RefCell::default(),
            wall: START_MILLIS.into(),
            nanos: 1_000_000_000_000.into(),
            refusals: 0.into(),
            accesses: 0.into(),
            counters: RefCell::default(),
            lines: 0.into(),
            logged: 0.into(),
            version: 0.into(),
            metrics: RefCell::default(),
        }
    }
}

impl World {
    /// A stream of one of its workers.
    pub fn worker(&self) -> Worker<'_> {
        Worker {
            world: self,
            body: Vec::new(),
            source: "192.0.2.1:1234",
            details: Some("via_upstream"),
            seed: 7,
            has_known_log: true,
        }
    }

    /// Both clocks go on.
    pub fn pass(&self, millis: u64) {
        self.wall.set(self.wall.get().saturating_add(millis));
        self.nanos.set(self.nanos.get().saturating_add(millis.saturating_mul(1_000_000)));
    }

    /// Whatever somebody else put there.
    pub fn put(&self, key: &str, value: &[u8]) {
        self.version.set(self.version.get() + 1);
        self.data.borrow_mut().insert(key.to_owned(), (value.to_vec(), self.version.get()));
    }

    /// The names of all that is shared.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.data.borrow().keys().cloned().collect();
        keys.sort_unstable();
        keys
    }

    /// The bytes under a name.
    pub fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.data.borrow().get(key).map(|(value, _)| value.clone())
    }
}

// === impl Worker ===

impl Platform for Worker<'_> {
    fn now_millis(&self) -> u64 {
        self.world.wall.get()
    }
    fn monotonic_nanos(&self) -> u64 {
        self.world.nanos.get()
    }
    fn random(&mut self) -> [u8; 16] {
        [self.seed; 16]
    }
    fn source_address(&self) -> Option<String> {
        Some(self.source.to_owned())
    }
    fn response_code_details(&self) -> Option<String> {
        self.details.map(str::to_owned)
    }
    fn request_body(&self) -> Vec<u8> {
        self.body.clone()
    }
    fn verify_signature(&self, _: &str, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }
    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.world.accesses.set(self.world.accesses.get() + 1);
        self.world.data.borrow().get(key).cloned()
    }
    fn set_shared_data(&self, key: &str, value: &[u8], version: Version) -> bool {
        let world = self.world;
        world.accesses.set(world.accesses.get() + 1);
        if let Some(left) = world.refusals.get().checked_sub(1) {
            world.refusals.set(left);
            return false;
        }
        let current = world.data.borrow().get(key).map(|(_, version)| *version);
        let is_other = match (version, current) {
            (Version::Any, _) | (_, None) => false,
            (Version::Missing, Some(_)) => true,
            (Version::Is(version), Some(current)) => version != current,
        };
        if is_other {
            return false;
        }
        world.put(key, value);
        true
    }
    fn log(&self, level: Level, message: &str) {
        assert!(!message.contains(['\n', '\r']), "{message:?}");
        // Execution logs are as long as bodies, which they say; a warning is a line.
        assert!(level < Level::Warn || message.len() < 16 * 1024, "{} bytes: {:?}", message.len(), message.get(..200));
        self.world.logged.set(self.world.logged.get() + message.len());
    }
    fn metric(&self, _: MetricKind, name: &str) -> Option<u32> {
        let mut metrics = self.world.metrics.borrow_mut();
        let place = metrics.iter().position(|known| known == name).unwrap_or_else(|| {
            metrics.push(name.to_owned());
            metrics.len() - 1
        });
        u32::try_from(place).ok()
    }
    fn add_to_counter(&self, metric: u32, number: u64) {
        let name = self.world.metrics.borrow()[metric as usize].clone();
        *self.world.counters.borrow_mut().entry(name).or_default() += number;
    }
    fn write_access_log(&self, line: &str) {
        assert!(!line.contains(['\n', '\r', '\0']), "{line:?}");
        assert!(!self.has_known_log || is_logged(line, LOGGED.len()), "{line:?}");
        self.world.lines.set(self.world.lines.get() + 1);
    }
    fn note(&self, _: Section, _: &'static str, text: &dyn Fn() -> String) {
        let _ = std::hint::black_box(text());
    }
}
