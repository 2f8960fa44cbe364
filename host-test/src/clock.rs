//! Time, as the host sees it: a monotonic clock for deadlines and a wall clock for the guest.
//!
//! The core never waits. It is told that time has passed and says when it wants to be told next;
//! so tests move a [`VirtualClock`] by hand and a server uses [`SystemClock`].

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// A source of time.
pub trait Clock: Send + Sync {
    /// Time since some fixed start; never goes back. Deadlines are values of this clock.
    fn now(&self) -> Duration;
    /// The wall clock, as time since 1970-01-01T00:00:00Z; what the guest reads.
    fn wall(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

/// A clock that only moves when told to. Clones show the same time.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    elapsed: Arc<Mutex<Duration>>,
    epoch: Duration,
}

// === impl SystemClock ===

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}

// === impl VirtualClock ===

impl VirtualClock {
    /// Stands at `epoch` after 1970 until it is moved.
    pub fn starting_at(epoch: Duration) -> Self {
        Self { elapsed: Arc::default(), epoch }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let mut elapsed = self.elapsed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *elapsed = elapsed.saturating_add(by);
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Default for VirtualClock {
    /// Stands at 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::starting_at(Duration::from_secs(1_767_225_600))
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        self.elapsed()
    }

    fn wall(&self) -> Duration {
        self.epoch.saturating_add(self.elapsed())
    }
}
