//! What a worker has of a shared meter: a lot that it spends without a word to the host. Crossing the border between gateway and
//! host costs more than all counting.
//!
//! What is left of a lot goes back: with the next one, or within a second or two ([`Leases::tick`]), or when the configuration goes
//! ([`Leases::close`]). A VM that is thrown away takes what it had along: as many tokens are gone, and count in a quota.

use super::clock::Clock;
use super::lot::Lot;
use super::meter::{Exceeded, Meter};
use crate::platform::Platform;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// A meter, and what this worker has of it.
#[derive(Debug)]
pub struct Lease {
    meter: Meter,
    lot: Mutex<Lot>,
    /// Whether `all` knows that something is left.
    listed: AtomicBool,
    all: Arc<Leases>,
}

/// The leases of one configuration in one worker.
#[derive(Debug, Default)]
pub struct Leases {
    /// Those that have something left, and maybe some that had.
    held: Mutex<Vec<Weak<Lease>>>,
    /// Nobody will come for what is left any more.
    closed: AtomicBool,
}

/// How many lots go back in one tick: what it takes is the time of no request. The others follow in the next one.
const RETURNS: usize = 500;

// === impl Lease ===

impl Lease {
    /// A lease with nothing in it.
    pub fn new(meter: Meter, all: &Arc<Leases>) -> Arc<Self> {
        Arc::new(Self { meter, lot: Mutex::default(), listed: AtomicBool::new(false), all: Arc::clone(all) })
    }

    /// Counts one request, unless it is one too many.
    pub fn take(self: &Arc<Self>, clock: &Clock<'_>) -> Result<(), Exceeded> {
        let mut lot = lock(&self.lot);
        if lot.spend(clock.nanos()) {
            return Ok(());
        }
        let wanted = if self.all.closed.load(Ordering::Relaxed) { 1 } else { lot.next(clock.nanos()) };
        *lot = self.meter.take_lot(clock, *lot, wanted)?;
        if lot.left() > 0 {
            self.list();
        }
        Ok(())
    }

    /// Takes back that a request was counted which something else refused.
    pub fn give_back(self: &Arc<Self>, platform: &dyn Platform) {
        if !self.all.closed.load(Ordering::Relaxed) && lock(&self.lot).regain(Clock::new(platform).nanos()) {
            self.list();
        } else {
            self.meter.give_back(platform);
        }
    }

    /// Gives back what is left if it may not be spent any more, or `all` the same. True when something stays.
    fn settle(&self, clock: &Clock<'_>, most: &mut usize, all: bool) -> bool {
        let mut lot = lock(&self.lot);
        if lot.left() > 0 && *most > 0 && (all || !lot.lasts(clock.nanos())) {
            *most -= 1;
            if self.meter.give_back_lot(clock, *lot) {
                lot.give_up();
            }
        }
        let stays = lot.left() > 0;
        self.listed.store(stays, Ordering::Relaxed);
        stays
    }

    fn list(self: &Arc<Self>) {
        if !self.listed.swap(true, Ordering::Relaxed) {
            lock(&self.all.held).push(Arc::downgrade(self));
        }
    }
}

/// What it counts, with nothing of a lease about it.
impl Deref for Lease {
    type Target = Meter;

    fn deref(&self) -> &Meter {
        &self.meter
    }
}

// === impl Leases ===

impl Leases {
    /// Gives back what was left too long; it wants to be asked every second.
    pub fn tick(&self, platform: &dyn Platform) {
        self.settle(platform, RETURNS, false);
    }

    /// Gives everything back, and takes every further request by itself: for those that outlive their configuration.
    pub fn close(&self, platform: &dyn Platform) {
        self.closed.store(true, Ordering::Relaxed);
        self.settle(platform, usize::MAX, true);
    }

    fn settle(&self, platform: &dyn Platform, mut most: usize, all: bool) {
        let mut held = std::mem::take(&mut *lock(&self.held));
        let clock = Clock::new(platform);
        held.retain(|lease| lease.upgrade().is_some_and(|lease| lease.settle(&clock, &mut most, all)));
        lock(&self.held).append(&mut held);
    }
}

/// Nothing panics between two changes.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
