//! Entries by their name, in the order in which they came. One kind of map stands behind all of them, whatever they hold: every
//! other kind would be kilobytes of the module that Envoy compiles when it starts.

use std::collections::BTreeMap;

/// What stands under which name. It is found in a time that hardly grows with the number of entries.
#[derive(Debug, Clone)]
pub struct Table<T> {
    places: Places,
    entries: Vec<T>,
}

/// Where the entry of each name stands.
#[derive(Debug, Clone, Default)]
struct Places(BTreeMap<Vec<u8>, usize>);

// === impl Places ===

impl Places {
    fn get(&self, name: &[u8]) -> Option<usize> {
        self.0.get(name).copied()
    }

    /// The same; a name that has no place takes this one.
    fn get_or_take(&mut self, name: &[u8], place: usize) -> usize {
        if let Some(taken) = self.get(name) {
            return taken;
        }
        self.0.insert(name.to_vec(), place);
        place
    }
}

// === impl Table ===

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { places: Places::default(), entries: Vec::new() }
    }
}

impl<T> Table<T> {
    /// Adds an entry; false when the name is taken, and then nothing is changed.
    pub fn insert(&mut self, name: impl AsRef<[u8]>, entry: T) -> bool {
        let next = self.entries.len();
        let is_new = self.places.get_or_take(name.as_ref(), next) == next;
        if is_new {
            self.entries.push(entry);
        }
        is_new
    }

    /// The entry of a name.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&T> {
        self.entries.get(self.places.get(name.as_ref())?)
    }

    /// The same, to change it. A name that has none gets one first, so that it is always there.
    pub fn entry(&mut self, name: impl AsRef<[u8]>, new: impl FnOnce() -> T) -> Option<&mut T> {
        let next = self.entries.len();
        let place = self.places.get_or_take(name.as_ref(), next);
        if place == next {
            self.entries.push(new());
        }
        self.entries.get_mut(place)
    }

    /// All entries, in the order in which they came.
    pub fn entries(&self) -> &[T] {
        &self.entries
    }

    /// The same, for good.
    pub fn into_entries(self) -> Vec<T> {
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_of_a_name_stays_and_all_keep_their_order() {
        let mut table = Table::default();
        assert!(table.insert("b", 1) && table.insert("a", 2) && !table.insert("b", 3));
        assert_eq!((table.get("b"), table.get("a"), table.get("c")), (Some(&1), Some(&2), None));
        if let Some(entry) = table.entry("a", || 0) {
            *entry = 4;
        }
        assert_eq!(table.entry("d", || 5), Some(&mut 5));
        assert_eq!(table.into_entries(), [1, 4, 5]);
    }
}
