//! Where lists and maps live.

use super::{Budget, Exhausted, Map, Text, Value};

/// The lists and maps of one rendering or of one body, and what may still be spent on them.
#[derive(Debug, Default)]
pub struct Heap {
    lists: Vec<(ListKind, Vec<Value>)>,
    maps: Vec<Map>,
    /// What stands for a map of another heap.
    empty: Map,
    /// What is left to spend.
    pub budget: Budget,
}

/// A list of a heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListId(u32);

/// A map of a heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapId(u32);

/// Where a list comes from: it decides how it prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// Of JSON: prints as JSON.
    Json,
    /// Of a template: prints as Java's `ArrayList`.
    Java,
}

// === impl Heap ===

impl Heap {
    /// An empty heap.
    pub fn new(budget: Budget) -> Self {
        Self { budget, ..Self::default() }
    }

    /// Takes steps.
    pub fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        self.budget.spend(steps)
    }

    /// Takes the steps of work on each character of a text, or on each digit of a number without a bound.
    pub fn spend_on(&mut self, value: &Value) -> Result<(), Exhausted> {
        match value {
            Value::Text(text) | Value::BigInteger(text) => self.budget.spend_bytes(text.len()),
            _ => Ok(()),
        }
    }

    /// A list of these items.
    pub fn new_list(&mut self, kind: ListKind, items: Vec<Value>) -> Value {
        let id = u32::try_from(self.lists.len()).unwrap_or(u32::MAX);
        self.lists.push((kind, items));
        Value::List(ListId(id))
    }

    /// A map of these entries.
    pub fn new_map(&mut self, map: Map) -> Value {
        let id = u32::try_from(self.maps.len()).unwrap_or(u32::MAX);
        self.maps.push(map);
        Value::Map(MapId(id))
    }

    /// The items of a list; none for a list of another heap.
    pub fn list(&self, id: ListId) -> &[Value] {
        self.lists.get(id.0 as usize).map(|(_, items)| items.as_slice()).unwrap_or_default()
    }

    /// The items of a list, to change them.
    pub fn list_mut(&mut self, id: ListId) -> Option<&mut Vec<Value>> {
        self.lists.get_mut(id.0 as usize).map(|(_, items)| items)
    }

    /// Where a list comes from.
    pub fn list_kind(&self, id: ListId) -> ListKind {
        self.lists.get(id.0 as usize).map_or(ListKind::Java, |(kind, _)| *kind)
    }

    /// A map; an empty one for a map of another heap.
    pub fn map(&self, id: MapId) -> &Map {
        self.maps.get(id.0 as usize).unwrap_or(&self.empty)
    }

    /// A map, to change it.
    pub fn map_mut(&mut self, id: MapId) -> Option<&mut Map> {
        self.maps.get_mut(id.0 as usize)
    }

    /// Puts a value under a key of a map; what was there before. The more there are, the more has to move.
    pub fn insert(&mut self, id: MapId, key: Text, value: Value) -> Result<Value, Exhausted> {
        self.spend(8 + self.map(id).len() as u64 / 16)?;
        self.budget.spend_bytes(key.len())?;
        Ok(self.map_mut(id).and_then(|map| map.insert(key, value)).unwrap_or_default())
    }

    /// The member of a map; none where it is no map, or has no such member.
    pub fn member(&self, value: &Value, key: &str) -> Option<&Value> {
        match value {
            Value::Map(id) => self.map(*id).get(key),
            _ => None,
        }
    }

    /// A map of texts.
    pub fn new_text_map(&mut self, entries: impl IntoIterator<Item = (Text, Text)>) -> Value {
        let entries = entries.into_iter().map(|(key, value)| (key, Value::Text(value))).collect();
        self.new_map(Map::from_entries(entries))
    }
}
