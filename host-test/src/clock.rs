//! Time, as the host sees it: a monotonic clock for deadlines and a wall clock for the guest.
//!
//! The core never waits. It is told that time has passed and says when it wants to be told next;
//! so tests move a [`VirtualClock`] by hand and a server uses [`SystemClock`].

use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime};

/// What the monotonic clocks show at their start: a guest may take zero for never, and Envoy's does not show it either.
const ORIGIN: Duration = Duration::from_secs(1_000);

/// All workers of a process read one monotonic clock, as in Envoy: what one writes into shared data another can compare.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A source of time. The guest reads both clocks.
pub trait Clock: Send + Sync {
    /// The monotonic clock: time since some fixed start; never goes back. Deadlines are values of this clock.
    fn now(&self) -> Duration;
    /// The wall clock, as time since 1970-01-01T00:00:00Z; can be set, forwards and backwards.
    fn wall(&self) -> Duration;
}

/// The machine's clock. All of a process show the same time.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// A clock that only moves when told to. Clones show the same time.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    moved: Arc<Mutex<Moved>>,
    epoch: Duration,
}

/// How far a virtual clock is from where it started.
#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    elapsed: Duration,
    /// By how many milliseconds the wall clock was set forward, beside the time that elapsed.
    stepped: i64,
}

// === impl SystemClock ===

impl SystemClock {
    /// A clock whose monotonic time is that of every other one of the process.
    pub fn new() -> Self {
        Self
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        ORIGIN + START.elapsed()
    }

    fn wall(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}

// === impl VirtualClock ===

impl VirtualClock {
    /// Stands at `epoch` after 1970 until it is moved.
    pub fn starting_at(epoch: Duration) -> Self {
        Self { moved: Arc::default(), epoch }
    }

    /// Lets time pass: both clocks move forward.
    pub fn advance(&self, by: Duration) {
        self.update(|moved| moved.elapsed = moved.elapsed.saturating_add(by));
    }

    /// Sets the wall clock forward by so many milliseconds, or back; no time passes.
    pub fn step_wall(&self, millis: i64) {
        self.update(|moved| moved.stepped = moved.stepped.saturating_add(millis));
    }

    fn update(&self, change: impl FnOnce(&mut Moved)) {
        change(&mut self.moved.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    }

    fn moved(&self) -> Moved {
        *self.moved.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
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
        ORIGIN.saturating_add(self.moved().elapsed)
    }

    fn wall(&self) -> Duration {
        let Moved { elapsed, stepped } = self.moved();
        let unset = self.epoch.saturating_add(elapsed);
        let by = Duration::from_millis(stepped.unsigned_abs());
        if stepped < 0 { unset.saturating_sub(by) } else { unset.saturating_add(by) }
    }
}
