//! What is remembered between requests: results of authorizers, tokens that were verified. Bounded in entries and in bytes, and
//! nothing is given out after its time. Keys are kept and compared whole: a decision never hangs on a hash.
//!
//! Eviction takes two generations: new entries and those asked for go into the young one; when it is full it becomes the old one,
//! and the old one is forgotten. So what is in use stays, every step costs the same, and a flood of keys pushes out no more than
//! what nobody has asked for since.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How much a cache may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Entries.
    pub entries: usize,
    /// Bytes: keys, values as they were weighed, and what an entry takes beside them.
    pub bytes: usize,
}

/// A bounded map from bytes to values that expire; shared, so it locks itself.
pub struct Cache<T> {
    capacity: Capacity,
    state: Mutex<State<T>>,
}

struct State<T> {
    young: HashMap<Box<[u8]>, Entry<T>>,
    young_weight: usize,
    old: HashMap<Box<[u8]>, Entry<T>>,
    latest_millis: u64,
}

struct Entry<T> {
    value: T,
    weight: usize,
    expires_at_millis: u64,
}

/// What an entry takes beside its key and value: about what the map and the allocator add.
const OVERHEAD: usize = 96;

/// A key of several parts: each with its length in front, so that no two lists of parts make the same key.
pub fn key_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut key = Vec::new();
    for part in parts {
        key.extend_from_slice(&(part.len() as u64).to_be_bytes());
        key.extend_from_slice(part);
    }
    key
}

// === impl Cache ===

impl<T: Clone> Cache<T> {
    /// An empty cache.
    pub fn new(capacity: Capacity) -> Self {
        let state = State { young: HashMap::new(), young_weight: 0, old: HashMap::new(), latest_millis: 0 };
        Self { capacity, state: Mutex::new(state) }
    }

    /// The value of a key whose time is not over.
    pub fn get(&self, key: &[u8], now_millis: u64) -> Option<T> {
        let mut state = self.lock(now_millis);
        if let Some(entry) = state.young.get(key) {
            if entry.is_alive(now_millis) {
                return Some(entry.value.clone());
            }
            state.forget(key);
            return None;
        }
        let (key, entry) = state.old.remove_entry(key).filter(|(_, entry)| entry.is_alive(now_millis))?;
        let value = entry.value.clone();
        state.put(key, entry, self.capacity);
        Some(value)
    }

    /// Remembers a value, in the place of an earlier one. `weight` is how many bytes it takes, by the caller's estimate; one that
    /// would fill half of the cache is not remembered.
    pub fn insert(&self, key: &[u8], value: T, weight: usize, now_millis: u64, expires_at_millis: u64) {
        let mut state = self.lock(now_millis);
        state.forget(key);
        let weight = weight.saturating_add(key.len()).saturating_add(OVERHEAD);
        let entry = Entry { value, weight, expires_at_millis };
        if entry.is_alive(now_millis) && weight <= self.capacity.bytes / 2 && self.capacity.entries >= 2 {
            state.put(key.into(), entry, self.capacity);
        }
    }

    fn lock(&self, now_millis: u64) -> MutexGuard<'_, State<T>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock went back: nobody knows any more how old an entry is, and one must not live longer for it.
        if now_millis < state.latest_millis {
            state.clear();
        }
        state.latest_millis = now_millis;
        state
    }
}

/// Without its keys: they are secrets.
impl<T> fmt::Debug for Cache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

// === impl State ===

impl<T> State<T> {
    /// The caller has made sure that the key is in neither generation.
    fn put(&mut self, key: Box<[u8]>, entry: Entry<T>, capacity: Capacity) {
        let weight = self.young_weight.saturating_add(entry.weight);
        if self.young.len() >= capacity.entries / 2 || weight > capacity.bytes / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_weight = 0;
        }
        self.young_weight = self.young_weight.saturating_add(entry.weight);
        self.young.insert(key, entry);
    }

    fn forget(&mut self, key: &[u8]) {
        if let Some(entry) = self.young.remove(key) {
            self.young_weight = self.young_weight.saturating_sub(entry.weight);
        }
        self.old.remove(key);
    }

    fn clear(&mut self) {
        self.young.clear();
        self.young_weight = 0;
        self.old.clear();
    }
}

// === impl Entry ===

impl<T> Entry<T> {
    fn is_alive(&self, now_millis: u64) -> bool {
        now_millis < self.expires_at_millis
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const ROOMY: Capacity = Capacity { entries: 100, bytes: 100_000 };

    fn count<T>(cache: &Cache<T>) -> usize {
        let state = cache.state.lock().unwrap();
        state.young.len() + state.old.len()
    }

    #[test]
    fn a_value_is_given_until_its_time_is_over_and_not_a_millisecond_longer() {
        let cache = Cache::new(ROOMY);
        cache.insert(b"k", 1, 0, 1_000, 2_000);
        assert_eq!(cache.get(b"k", 1_000), Some(1));
        assert_eq!(cache.get(b"k", 1_999), Some(1));
        assert_eq!(cache.get(b"k", 2_000), None);
        assert_eq!(count(&cache), 0);
        cache.insert(b"k", 1, 0, 3_000, 3_000);
        assert_eq!(count(&cache), 0);
    }

    #[test]
    fn a_clock_that_goes_back_makes_the_cache_forget() {
        let cache = Cache::new(ROOMY);
        cache.insert(b"k", 1, 0, 1_000, 2_000);
        assert_eq!(cache.get(b"k", 1_900), Some(1));
        assert_eq!(cache.get(b"k", 1_100), None);
        assert_eq!(cache.get(b"k", 1_950), None);
        cache.insert(b"k", 2, 0, 1_950, 2_950);
        cache.insert(b"other", 3, 0, 1_000, 2_000);
        assert_eq!((cache.get(b"k", 1_000), cache.get(b"other", 1_000)), (None, Some(3)));
    }

    #[test]
    fn entries_stay_within_the_capacity_and_those_in_use_stay() {
        let cache = Cache::new(Capacity { entries: 8, bytes: 100_000 });
        cache.insert(b"used", 0, 0, 0, 1_000);
        for index in 1..1_000_u32 {
            cache.insert(&index.to_be_bytes(), index, 0, 0, 1_000);
            assert!(count(&cache) <= 8);
            assert_eq!(cache.get(b"used", 0), Some(0), "after {index}");
        }
        assert_eq!(cache.get(&999_u32.to_be_bytes(), 0), Some(999));
        assert_eq!(cache.get(&1_u32.to_be_bytes(), 0), None);
    }

    #[test]
    fn bytes_stay_within_the_capacity() {
        let cache = Cache::new(Capacity { entries: 1_000, bytes: 10_000 });
        for index in 0..100_u32 {
            cache.insert(&index.to_be_bytes(), index, 900, 0, 1_000);
            // Two generations of 5,000 bytes, each entry of 1,000.
            assert!(count(&cache) <= 10);
        }
        assert_eq!(cache.get(&99_u32.to_be_bytes(), 0), Some(99));
        let key = 99_u32.to_be_bytes();
        cache.insert(&key, 1, 6_000, 0, 1_000);
        assert_eq!(cache.get(&key, 0), None, "what it replaces is gone, though it is too heavy itself");
    }

    #[test]
    fn a_later_value_takes_the_place_of_the_earlier_one_in_either_generation() {
        let cache = Cache::new(Capacity { entries: 4, bytes: 100_000 });
        cache.insert(b"a", 1, 0, 0, 1_000);
        cache.insert(b"b", 1, 0, 0, 1_000);
        cache.insert(b"c", 1, 0, 0, 1_000);
        cache.insert(b"a", 2, 0, 0, 1_000);
        cache.insert(b"c", 2, 0, 0, 1_000);
        assert_eq!((cache.get(b"a", 0), cache.get(b"c", 0)), (Some(2), Some(2)));
        assert_eq!(cache.lock(0).young_weight, 2 * (OVERHEAD + 1));
    }

    #[test]
    fn no_two_lists_of_parts_make_the_same_key() {
        let keys = [
            key_of([b"ab".as_slice(), b"c"]),
            key_of([b"a".as_slice(), b"bc"]),
            key_of([b"abc".as_slice()]),
            key_of([b"".as_slice(), b"abc"]),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(keys.iter().skip(index + 1).all(|other| other != key));
        }
    }

    #[test]
    fn a_panic_elsewhere_does_not_take_the_cache_away() {
        let cache = Arc::new(Cache::new(ROOMY));
        cache.insert(b"k", 1, 0, 0, 1_000);
        let holder = Arc::clone(&cache);
        let panicked = std::thread::spawn(move || {
            let _guard = holder.lock(0);
            panic!("while it is locked");
        });
        assert!(panicked.join().is_err());
        assert_eq!(cache.get(b"k", 1), Some(1));
    }

    #[test]
    fn a_log_never_shows_a_key() {
        let cache = Cache::new(ROOMY);
        cache.insert(b"secret", "value", 0, 0, 1_000);
        assert!(!format!("{cache:?}").contains("secret"));
    }
}
