//! Which ids arrived where, and how often.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// What the upstreams write down.
#[derive(Debug, Default)]
pub struct Ledger {
    next: AtomicU32,
    arrivals: Mutex<Vec<u8>>,
    asked: Mutex<Vec<u8>>,
    /// What arrived and cannot have been sent so.
    garbled: Mutex<Vec<String>>,
}

// === impl Ledger ===

impl Ledger {
    /// An id that nobody has.
    pub fn id(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// A request reached its backend or its function.
    pub fn arrived(&self, id: u32) {
        count(&self.arrivals, id);
    }

    /// A Lambda authorizer was asked for a request.
    pub fn asked(&self, id: u32) {
        count(&self.asked, id);
    }

    /// Something arrived that nobody has sent.
    pub fn garbled(&self, what: String) {
        lock(&self.garbled).push(what);
    }

    /// How often a request reached its upstream.
    pub fn arrivals(&self, id: u32) -> u8 {
        lock(&self.arrivals).get(id as usize).copied().unwrap_or_default()
    }

    /// How often an authorizer was asked for it.
    pub fn questions(&self, id: u32) -> u8 {
        lock(&self.asked).get(id as usize).copied().unwrap_or_default()
    }

    /// What nobody has sent, since this was last asked.
    pub fn take_garbled(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.garbled))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(counts: &Mutex<Vec<u8>>, id: u32) {
    let mut counts = lock(counts);
    let place = id as usize;
    if counts.len() <= place {
        counts.resize(place + 4_096, 0);
    }
    counts[place] = counts[place].saturating_add(1);
}
