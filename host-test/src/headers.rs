//! Header and trailer maps: ordered, repeated names kept, values are bytes.
//!
//! This is what Envoy's `HeaderMap` is to its filters: names are lower case, pseudo headers
//! (`:method`, `:path`, …) are ordinary entries that stand before all others, and a value is
//! any byte string that HTTP lets through, UTF-8 or not.

use bytes::Bytes;
use std::fmt;

/// An ordered multimap of header names to values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HeaderMap {
    entries: Vec<(Bytes, Bytes)>,
}

// === impl HeaderMap ===

impl HeaderMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries there are; a repeated name counts each time.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first value of `name`, which must be in lower case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.entries.iter().find(|(key, _)| key.as_ref() == name.as_bytes());
        found.map(|(_, value)| value.as_ref())
    }

    /// The first value of `name` as text; `None` too where it is not UTF-8.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of `name`, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.entries.iter().filter(move |(key, _)| key.as_ref() == name.as_bytes()).map(|(_, value)| value.as_ref())
    }

    /// Whether `name` is present.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Appends an entry; the name is lower-cased. A pseudo header goes before the ordinary ones.
    pub fn add(&mut self, name: impl AsRef<[u8]>, value: impl Into<Bytes>) {
        let name = Bytes::from(name.as_ref().to_ascii_lowercase());
        let entry = (name, value.into());
        if entry.0.first() == Some(&b':') {
            let at = self.entries.iter().take_while(|(key, _)| key.first() == Some(&b':')).count();
            self.entries.insert(at, entry);
        } else {
            self.entries.push(entry);
        }
    }

    /// Gives `name` exactly this value: the first entry keeps its place, others of the name go.
    pub fn set(&mut self, name: impl AsRef<[u8]>, value: impl Into<Bytes>) {
        let name = name.as_ref().to_ascii_lowercase();
        match self.entries.iter().position(|(key, _)| key.as_ref() == name) {
            None => self.add(name, value),
            Some(first) => {
                if let Some(entry) = self.entries.get_mut(first) {
                    entry.1 = value.into();
                }
                let mut index = 0;
                self.entries.retain(|(key, _)| {
                    index += 1;
                    index - 1 == first || key.as_ref() != name
                });
            }
        }
    }

    /// As [`set`](Self::set), but the entry moves to the end; what a guest's `replace` does in Envoy.
    pub fn replace(&mut self, name: impl AsRef<[u8]>, value: impl Into<Bytes>) {
        self.remove(&name);
        self.add(name, value);
    }

    /// Removes every entry of `name`; says whether there was one.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) -> bool {
        let name = name.as_ref().to_ascii_lowercase();
        let before = self.entries.len();
        self.entries.retain(|(key, _)| key.as_ref() != name);
        before != self.entries.len()
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The entries in order, sharing their bytes.
    pub fn entries(&self) -> &[(Bytes, Bytes)] {
        &self.entries
    }

    /// The sum of the lengths of all names and values, Envoy's `byteSize`.
    pub fn byte_size(&self) -> usize {
        self.entries.iter().map(|(name, value)| name.len() + value.len()).sum()
    }
}

impl fmt::Debug for HeaderMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(
                self.iter().map(|(name, value)| format!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))),
            )
            .finish()
    }
}

impl<N: AsRef<[u8]>, V: Into<Bytes>> FromIterator<(N, V)> for HeaderMap {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut map = Self::new();
        for (name, value) in pairs {
            map.add(name, value);
        }
        map
    }
}

impl<N: AsRef<[u8]>, V: Into<Bytes>, const C: usize> From<[(N, V); C]> for HeaderMap {
    fn from(pairs: [(N, V); C]) -> Self {
        pairs.into_iter().collect()
    }
}
