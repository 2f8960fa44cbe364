//! Entries by their name, in the order in which they came. One kind of map stands behind all of them, whatever they hold: every
//! other kind would be kilobytes of the module that Envoy compiles when it starts.

use std::collections::BTreeMap;

/// What stands under which name. It is found in a time that hardly grows with the number of entries.
#[derive(Debug, Clone)]
pub struct Table<T> {
    places: BTreeMap<Vec<u8>, usize>,
    entries: Vec<T>,
}

// === impl Table ===

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), entries: Vec::new() }
    }
}

impl<T> Table<T> {
    /// Adds an entry; false when the name is taken, and then nothing is changed.
    pub fn insert(&mut self, name: impl AsRef<[u8]>, entry: T) -> bool {
        if self.places.contains_key(name.as_ref()) {
            return false;
        }
        self.places.insert(name.as_ref().to_vec(), self.entries.len());
        self.entries.push(entry);
        true
    }

    /// The entry of a name.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&T> {
        self.entries.get(*self.places.get(name.as_ref())?)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, name: impl AsRef<[u8]>) -> Option<&mut T> {
        self.entries.get_mut(*self.places.get(name.as_ref())?)
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

impl<T: PartialEq> PartialEq for Table<T> {
    fn eq(&self, other: &Self) -> bool {
        self.places == other.places && self.entries == other.entries
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
        if let Some(entry) = table.get_mut("a") {
            *entry = 4;
        }
        assert_eq!(table.into_entries(), [1, 4]);
    }
}
