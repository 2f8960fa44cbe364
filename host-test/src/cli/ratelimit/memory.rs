//! Counters in this process, in limitador's storage: gone with it, and shared with no other.
//!
//! A counter is a limit of its own there, named by its identity. limitador would keep one limit with many counters in a cache
//! that drops counters when it is full, and with each of them its limit; a limit of its own stays until it is deleted, which is
//! done here when nothing is left in its window.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use limitador::counter::Counter as Stored;
use limitador::limit::{Context, Limit};
use limitador::storage::CounterStorage;
use limitador::storage::in_memory::InMemoryStorage;

use super::counters::{Counter, Found, Hit, Refusal, Standing, decide};

/// Counters that can be there at once, half a gigabyte when all of them have the longest names.
const MAX_COUNTERS: usize = 100_000;

/// Counters below which nobody looks for those that are over.
const MIN_SWEEP: usize = 1024;

/// How often they are looked for at the most: when all are live, looking again does not help.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// Counters of this process.
pub struct Memory {
    counters: Mutex<Counters>,
}

struct Counters {
    storage: InMemoryStorage,
    known: HashSet<Arc<Limit>>,
    /// How many are known when those that are over are looked for again.
    sweep_at: usize,
    swept: Option<Instant>,
    max: usize,
}

// === impl Memory ===

impl Memory {
    pub fn new() -> Self {
        Self::with_room_for(MAX_COUNTERS)
    }

    fn with_room_for(max: usize) -> Self {
        let storage = InMemoryStorage::new(0);
        let sweep_at = MIN_SWEEP.min(max);
        Self { counters: Mutex::new(Counters { storage, known: HashSet::new(), sweep_at, swept: None, max }) }
    }

    /// Counts all hits, or none.
    pub fn count(&self, hits: &[Hit]) -> Result<Vec<Standing>, Refusal> {
        // Whoever panicked has left no hit half counted: there is nothing between two updates that can.
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.count(hits)
    }
}

// === impl Counters ===

impl Counters {
    fn count(&mut self, hits: &[Hit]) -> Result<Vec<Standing>, Refusal> {
        let mut stored = hits.iter().map(|hit| stored(&hit.counter)).collect::<Result<Vec<_>, _>>()?;
        self.storage.check(&mut stored, 0).map_err(broken)?;
        let found: Vec<_> = stored.iter().map(found).collect();
        let standings = decide(hits, &found);
        if standings.iter().any(|standing| standing.over) {
            return Ok(standings);
        }
        let counted: Vec<_> = hits.iter().zip(&stored).filter(|(hit, _)| hit.hits > 0).collect();
        self.make_room(counted.iter().filter(|(_, stored)| !self.known.contains(stored.limit())).count())?;
        for (hit, stored) in counted {
            self.known.insert(Arc::new(stored.limit().clone()));
            self.storage.update_counter(stored, hit.hits).map_err(broken)?;
        }
        Ok(standings)
    }

    fn make_room(&mut self, new: usize) -> Result<(), Refusal> {
        let rested = self.swept.is_none_or(|swept| swept.elapsed() >= SWEEP_PAUSE);
        if self.known.len() + new > self.sweep_at && rested {
            self.sweep()?;
            self.swept = Some(Instant::now());
        }
        if new > 0 && self.known.len() + new > self.max {
            return Err(Refusal::Full(format!("there are {} counters in memory, and no room for more", self.known.len())));
        }
        Ok(())
    }

    /// Deletes the counters whose windows are over. Twice as many as are left must come before the next time, so that a hit costs
    /// the same however many there are.
    fn sweep(&mut self) -> Result<(), Refusal> {
        let mut over = HashSet::new();
        for limit in &self.known {
            let mut one = vec![of_limit(Arc::clone(limit))?];
            self.storage.check(&mut one, 0).map_err(broken)?;
            if one.iter().map(found).all(|found| found.used == 0) {
                over.insert(Arc::clone(limit));
            }
        }
        self.storage.delete_counters(&over).map_err(broken)?;
        self.known.retain(|limit| !over.contains(limit));
        self.sweep_at = (2 * self.known.len()).clamp(MIN_SWEEP.min(self.max), self.max);
        Ok(())
    }
}

/// The limit of every counter is the greatest there is: what remains of it tells what was used, whatever a request allows.
const MOST: u64 = u64::MAX;

fn stored(counter: &Counter) -> Result<Stored, Refusal> {
    of_limit(Arc::new(Limit::new(counter.identity(), MOST, counter.window().as_secs(), [], [])))
}

fn of_limit(limit: Arc<Limit>) -> Result<Stored, Refusal> {
    let stored = Stored::new(limit, &Context::default()).map_err(broken)?;
    stored.ok_or_else(|| broken("a limit without variables has no counter"))
}

fn found(stored: &Stored) -> Found {
    let used = MOST - stored.remaining().unwrap_or(MOST);
    Found { used, left: stored.expires_in() }
}

fn broken(error: impl std::fmt::Display) -> Refusal {
    Refusal::Unavailable(format!("cannot count in memory: {error}"))
}

#[cfg(test)]
mod tests {
    use super::super::counters::Unit;
    use super::*;

    fn hit(value: &str, unit: Unit) -> Hit {
        Hit::new(Counter::new("d", [("k", value)].into_iter(), unit, 1), 1)
    }

    #[test]
    fn there_is_room_for_so_many_counters_and_those_that_are_there_go_on_counting() {
        let memory = Memory::with_room_for(2);
        for value in ["a", "b"] {
            assert!(!memory.count(&[hit(value, Unit::Hour)]).unwrap()[0].over);
        }
        assert!(matches!(memory.count(&[hit("c", Unit::Hour)]), Err(Refusal::Full(_))));
        assert!(memory.count(&[hit("a", Unit::Hour)]).unwrap()[0].over);
        let read = Hit { hits: 0, ..hit("c", Unit::Hour) };
        assert!(!memory.count(&[read]).unwrap()[0].over, "reading takes no room");
    }

    #[test]
    fn a_counter_whose_window_is_over_makes_room_and_the_others_stay() {
        let memory = Memory::with_room_for(2);
        memory.count(&[hit("hour", Unit::Hour), hit("second", Unit::Second)]).unwrap();
        assert!(matches!(memory.count(&[hit("new", Unit::Hour)]), Err(Refusal::Full(_))));
        std::thread::sleep(Duration::from_millis(1100));
        assert!(!memory.count(&[hit("new", Unit::Hour)]).unwrap()[0].over);
        assert!(memory.count(&[hit("hour", Unit::Hour)]).unwrap()[0].over);
        assert_eq!(memory.counters.lock().unwrap().known.len(), 2);
    }

    #[test]
    fn a_request_that_is_refused_takes_no_room() {
        let memory = Memory::with_room_for(2);
        let refused = Hit::new(Counter::new("d", [("k", "v")].into_iter(), Unit::Hour, 0), 1);
        assert!(memory.count(&[hit("a", Unit::Hour), refused]).unwrap()[1].over);
        let unread = Hit { hits: 0, ..hit("b", Unit::Hour) };
        assert!(!memory.count(&[unread]).unwrap()[0].over);
        assert_eq!(memory.counters.lock().unwrap().known.len(), 0);
    }
}
