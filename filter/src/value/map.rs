//! A map that keeps its order, as Java's `LinkedHashMap` and the JSON objects of API Gateway do.

use super::{Text, Value};

/// Keys and values in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Map {
    entries: Vec<(Text, Value)>,
    /// The places of the entries in the order of their keys, once there are so many that looking at each would take long. Sorted,
    /// not hashed: whoever sends a body chooses its keys.
    sorted: Vec<u32>,
    kind: MapKind,
}

/// What a map stands for: it decides how it prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MapKind {
    /// `{a=b}`
    #[default]
    Plain,
    /// One entry of another map, with its `key` and its `value`: `a=b`
    Entry,
    /// Prints as nothing.
    Silent,
}

/// Up to here each entry is looked at.
const FEW: usize = 16;

// === impl Map ===

impl Map {
    /// No entries.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), sorted: Vec::new(), kind: MapKind::Plain }
    }

    /// An entry of a map, as Java's `Map.Entry`.
    pub fn entry(key: Text, value: Value) -> Self {
        let entries = Vec::from([(Text::from("key"), Value::Text(key)), (Text::from("value"), value)]);
        Self { entries, sorted: Vec::new(), kind: MapKind::Entry }
    }

    /// Makes it print as nothing where Java's text is asked for: `$context` and the maps in it do (recorded:
    /// `test_sqs_amz_json_protocol`).
    pub fn silence(&mut self) {
        self.kind = MapKind::Silent;
    }

    /// What it stands for.
    pub fn kind(&self) -> MapKind {
        self.kind
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(self.place(key).ok()?).map(|(_, value)| value)
    }

    /// Puts a value under a key; what was there before. A key that is there already keeps its place.
    pub fn insert(&mut self, key: Text, value: Value) -> Option<Value> {
        match self.place(&key) {
            Ok(place) => self.entries.get_mut(place).map(|(_, old)| std::mem::replace(old, value)),
            Err(place) => {
                if !self.sorted.is_empty() {
                    self.sorted.insert(place, u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
                }
                self.entries.push((key, value));
                if self.sorted.is_empty() && self.entries.len() > FEW {
                    self.sort();
                }
                None
            }
        }
    }

    /// Puts many values under their keys: one at a time, each may move all that are there.
    pub fn extend(&mut self, more: Vec<(Text, Value)>) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.extend(more);
        *self = Self { kind: self.kind, ..Self::from_entries(entries) };
    }

    /// Takes a key away; what it had.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.place(key).ok()?;
        let (_, value) = self.entries.remove(place);
        // Those behind it move up.
        self.sorted.retain(|sorted| *sorted as usize != place);
        for sorted in self.sorted.iter_mut().filter(|sorted| **sorted as usize > place) {
            *sorted -= 1;
        }
        Some(value)
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Value)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The entry at a place.
    pub fn at(&self, place: usize) -> Option<(&Text, &Value)> {
        self.entries.get(place).map(|(key, value)| (key, value))
    }

    /// Of entries as they were read: of those with the same key the last value counts, at the place of the first.
    pub fn from_entries(entries: Vec<(Text, Value)>) -> Self {
        let mut map = Self { entries, ..Self::default() };
        if map.entries.len() <= FEW {
            let mut before = map.entries.as_slice();
            let mut is_again = false;
            while let [rest @ .., (key, _)] = before {
                is_again = is_again || rest.iter().any(|(known, _)| known == key);
                before = rest;
            }
            if !is_again {
                return map;
            }
            let mut few = Self::new();
            for (key, value) in map.entries {
                few.insert(key, value);
            }
            return few;
        }
        map.sort();
        let key = |place: &u32| map.entries.get(*place as usize).map(|(key, _)| key.as_bytes());
        // Equal keys stand together, in the order in which they came.
        let (mut repeated, mut first) = (Vec::new(), None);
        for pair in map.sorted.windows(2) {
            let [before, this] = pair else { continue };
            if key(before) == key(this) {
                repeated.push((*first.get_or_insert(*before), *this));
            } else {
                first = None;
            }
        }
        if repeated.is_empty() {
            return map;
        }
        for (first, later) in &repeated {
            let value = map.entries.get_mut(*later as usize).map(|(_, value)| std::mem::take(value));
            if let (Some((_, kept)), Some(value)) = (map.entries.get_mut(*first as usize), value) {
                *kept = value;
            }
        }
        let mut gone: Vec<_> = repeated.into_iter().map(|(_, later)| later).collect();
        gone.sort_unstable();
        let mut place = 0u32;
        map.entries.retain(|_| {
            let kept = gone.binary_search(&place).is_err();
            place += 1;
            kept
        });
        map.sorted.clear();
        if map.entries.len() > FEW {
            map.sort();
        }
        map
    }

    /// Where a key is; else where it belongs among the sorted ones.
    fn place(&self, key: &str) -> Result<usize, usize> {
        if self.sorted.is_empty() {
            return self.entries.iter().position(|(known, _)| known.as_bytes() == key.as_bytes()).ok_or(self.entries.len());
        }
        let known = |place: &u32| self.entries.get(*place as usize).map(|(known, _)| known.as_bytes()).unwrap_or_default();
        let found = self.sorted.binary_search_by(|place| known(place).cmp(key.as_bytes()))?;
        Ok(self.sorted.get(found).map_or(0, |place| *place as usize))
    }

    fn sort(&mut self) {
        let mut sorted: Vec<u32> = (0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX)).collect();
        let key = |place: &u32| self.entries.get(*place as usize).map(|(key, _)| key.as_bytes());
        sorted.sort_unstable_by(|a, b| key(a).cmp(&key(b)).then(a.cmp(b)));
        self.sorted = sorted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(keys: impl IntoIterator<Item = (String, i64)>) -> Vec<(Text, Value)> {
        keys.into_iter().map(|(key, value)| (Text::from(key), Value::Integer(value))).collect()
    }

    #[test]
    fn few_or_many_it_keeps_order_and_the_last_value() {
        for count in [3, 16, 17, 200] {
            let twice = (0..count).chain([1, 0, 1]).enumerate().map(|(n, key)| (format!("k{key}"), n as i64));
            let mut map = Map::from_entries(entries(twice));
            assert_eq!(map.len(), count, "{count}");
            let keys: Vec<_> = map.iter().map(|(key, _)| key.to_string()).collect();
            assert_eq!(keys, (0..count).map(|key| format!("k{key}")).collect::<Vec<_>>());
            assert_eq!(map.get("k1"), Some(&Value::Integer(count as i64 + 2)));
            assert_eq!(map.get("k0"), Some(&Value::Integer(count as i64 + 1)));
            assert_eq!(map.insert(Text::from("k2"), Value::Null), Some(Value::Integer(2)));
            assert_eq!(map.insert(Text::from("a"), Value::Null), None);
            assert_eq!((map.remove("k0").is_some(), map.get("k0"), map.get("k1").is_some()), (true, None, true));
            assert_eq!(map.iter().last().map(|(key, _)| key.to_string()), Some("a".to_owned()));
        }
    }

    #[test]
    fn many_at_once_are_as_one_by_one() {
        for (count, more) in [(0, 3), (3, 20), (20, 40), (40, 3)] {
            let key = |n: i64| (format!("k{n}"), n);
            let mut one_by_one = Map::from_entries(entries((0..count).map(key)));
            one_by_one.silence();
            let mut at_once = one_by_one.clone();
            let others = || entries((0..more).rev().map(|n| (format!("k{}", n * 2), -n)));
            for (key, value) in others() {
                one_by_one.insert(key, value);
            }
            at_once.extend(others());
            assert_eq!(at_once, one_by_one, "{count} {more}");
        }
    }

    #[test]
    fn it_grows_past_the_line_one_by_one() {
        let mut map = Map::new();
        for n in (0..100).rev() {
            map.insert(Text::from(format!("{n}")), Value::Integer(n));
        }
        assert!((0..100).all(|n| map.get(&n.to_string()) == Some(&Value::Integer(n))) && map.get("100").is_none());
    }
}
