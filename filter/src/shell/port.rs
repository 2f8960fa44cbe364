//! The port over host calls.

use super::{monotonic, signature, telemetry};
use crate::platform::{Level, MetricKind, Platform, Version};
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel};
use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What one stream may ask of the host.
pub struct Port<'a> {
    /// Shared by all streams of a configuration.
    pub randomness: &'a RefCell<Randomness>,
    /// How much of the request body the host holds.
    pub held: usize,
    /// Whether the host verifies signatures.
    pub verifies: bool,
    looked: Cell<Option<u64>>,
}

// === impl Port ===

impl<'a> Port<'a> {
    /// For one event, or the calls that follow it at once: the monotonic clock is looked at once.
    pub fn new(randomness: &'a RefCell<Randomness>, held: usize, verifies: bool) -> Self {
        Self { randomness, held, verifies, looked: Cell::new(None) }
    }
}

/// Random bytes without a host call each: xoshiro256++, seeded once from the host's entropy. Good for ids, not for secrets.
pub struct Randomness([u64; 4]);

impl Platform for Port<'_> {
    fn now_millis(&self) -> u64 {
        let now = hostcalls::get_current_time().unwrap_or(SystemTime::UNIX_EPOCH);
        let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic_nanos(&self) -> u64 {
        let now = self.looked.get().unwrap_or_else(monotonic::now_nanos);
        self.looked.set(Some(now));
        now
    }

    fn random(&mut self) -> [u8; 16] {
        self.randomness.borrow_mut().bytes()
    }

    fn source_address(&self) -> Option<String> {
        property(&["source", "address"])
    }

    fn response_code_details(&self) -> Option<String> {
        property(&["response", "code_details"])
    }

    fn request_body(&self) -> Vec<u8> {
        hostcalls::get_buffer(BufferType::HttpRequestBody, 0, self.held).ok().flatten().unwrap_or_default()
    }

    fn verify_signature(&self, hash: &str, public_key: &[u8], signature: &[u8], text: &[u8]) -> Option<bool> {
        self.verifies.then(|| signature::verify(hash, public_key, signature, text)).flatten()
    }

    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        let (value, version) = hostcalls::get_shared_data(key).ok()?;
        // The SDK shows an empty value as none; what is there has a version.
        Some((value.unwrap_or_default(), version?))
    }

    fn set_shared_data(&self, key: &str, value: &[u8], version: Version) -> bool {
        let version = match version {
            Version::Any => None,
            // The host compares with what is there only if something is there; only the last of 2^32 writes has this version.
            Version::Missing => Some(u32::MAX),
            Version::Is(version) => Some(version),
        };
        hostcalls::set_shared_data(key, Some(value), version).is_ok()
    }

    fn metric(&self, kind: MetricKind, name: &str) -> Option<u32> {
        telemetry::define(kind, name)
    }

    fn add_to_counter(&self, metric: u32, number: u64) {
        telemetry::add(metric, number);
    }

    fn record_in_histogram(&self, metric: u32, value: u64) {
        telemetry::record(metric, value);
    }

    fn tls_version(&self) -> Option<String> {
        property(&["connection", "tls_version"])
    }

    fn write_access_log(&self, line: &str) {
        telemetry::write_access_log(line);
    }

    fn log(&self, level: Level, message: &str) {
        log(level, message);
    }
}

/// A line in the proxy's log.
pub fn log(level: Level, message: &str) {
    let level = match level {
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
    };
    // There is nobody to tell that telling failed.
    let _ = hostcalls::log(level, message);
}

fn property(path: &[&str]) -> Option<String> {
    let bytes = hostcalls::get_property(path.to_vec()).ok().flatten()?;
    String::from_utf8(bytes).ok()
}

// === impl Randomness ===

impl Default for Randomness {
    fn default() -> Self {
        // The standard library seeds its hasher from the host's `random_get`; two hashers give two words, and so on.
        use std::hash::{BuildHasher, RandomState};
        Self(std::array::from_fn(|index| RandomState::new().hash_one(index) | 1))
    }
}

impl Randomness {
    fn bytes(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for half in bytes.chunks_exact_mut(8) {
            half.copy_from_slice(&self.next().to_le_bytes());
        }
        bytes
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }
}
