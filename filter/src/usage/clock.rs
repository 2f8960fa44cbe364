//! What time it is while one request is counted: asked once for all meters, and anew after another worker was faster. The answer
//! may be some microseconds old, which a bucket expects of workers anyway.

use crate::platform::Platform;
use std::cell::Cell;

/// The host's clock that nobody sets, read when somebody asks.
pub struct Clock<'p> {
    platform: &'p dyn Platform,
    read: Cell<Option<u64>>,
}

// === impl Clock ===

impl<'p> Clock<'p> {
    /// Not read yet.
    pub fn new(platform: &'p dyn Platform) -> Self {
        Self { platform, read: Cell::new(None) }
    }

    /// The host.
    pub fn platform(&self) -> &'p dyn Platform {
        self.platform
    }

    /// What buckets read the time from. A host without a monotonic clock (it stands at 0) has another one at least: that is set now
    /// and then, which costs a burst or a token, where a bucket without a clock would be empty for ever.
    pub fn nanos(&self) -> u64 {
        self.read.get().unwrap_or_else(|| {
            let nanos = match self.platform.monotonic_nanos() {
                0 => self.platform.now_millis().saturating_mul(1_000_000),
                nanos => nanos,
            };
            self.read.set(Some(nanos));
            nanos
        })
    }

    /// The time has gone on.
    pub fn renew(&self) {
        self.read.set(None);
    }
}
