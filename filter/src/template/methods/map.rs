//! Methods of `java.util.Map`.

use super::{count, new_list};
use crate::template::evaluate::equals;
use crate::value::{Exhausted, Heap, Map, MapId, Text, Value, java_text};

pub fn call(id: MapId, method: &str, arguments: &[Value], heap: &mut Heap) -> Result<Value, Exhausted> {
    let length = heap.map(id).len();
    let key = match arguments.first() {
        Some(Value::Text(key)) => key.clone(),
        // `putAll`, `containsValue` take a value: no key is made of it.
        Some(key) if method != "putAll" && method != "containsValue" => Text::from(java_text(key, heap)?),
        _ => Text::default(),
    };
    heap.budget.spend_bytes(key.len())?;
    // What moves entries pays for it.
    heap.spend(match method {
        "remove" => 1 + length as u64 / 8,
        "put" | "putIfAbsent" => 1 + length as u64 / 256,
        _ => 0,
    })?;
    Ok(match (method, arguments) {
        ("size", []) => count(length),
        ("isEmpty", []) => Value::Boolean(length == 0),
        ("get", [_]) => heap.map(id).get(&key).cloned().unwrap_or_default(),
        ("getOrDefault", [_, other]) => heap.map(id).get(&key).unwrap_or(other).clone(),
        ("containsKey", [_]) => Value::Boolean(heap.map(id).get(&key).is_some()),
        ("put", [_, value]) => heap.map_mut(id).and_then(|map| map.insert(key, value.clone())).unwrap_or_default(),
        ("putIfAbsent", [_, value]) => match heap.map(id).get(&key) {
            Some(known) if !known.is_null() => known.clone(),
            _ => heap.map_mut(id).and_then(|map| map.insert(key, value.clone())).unwrap_or_default(),
        },
        ("remove", [_]) => heap.map_mut(id).and_then(|map| map.remove(&key)).unwrap_or_default(),
        ("putAll", [Value::Map(other)]) => {
            let more = entries(*other, heap)?;
            for (key, value) in more {
                heap.spend(1 + heap.map(id).len() as u64 / 256)?;
                if let Some(map) = heap.map_mut(id) {
                    map.insert(key, value);
                }
            }
            Value::Null
        }
        ("clear", []) => {
            if let Some(map) = heap.map_mut(id) {
                *map = Map::new();
            }
            Value::Null
        }
        ("containsValue", [wanted]) => {
            for (_, value) in entries(id, heap)? {
                if equals(&value, wanted, 0, heap)? {
                    return Ok(Value::Boolean(true));
                }
            }
            Value::Boolean(false)
        }
        ("keySet", []) => {
            let keys = entries(id, heap)?.into_iter().map(|(key, _)| Value::Text(key)).collect();
            new_list(keys, heap)?
        }
        ("values", []) => {
            let values = entries(id, heap)?.into_iter().map(|(_, value)| value).collect();
            new_list(values, heap)?
        }
        ("entrySet", []) => {
            let mut items = Vec::new();
            for (key, value) in entries(id, heap)? {
                items.push(heap.new_map(Map::entry(key, value)));
            }
            new_list(items, heap)?
        }
        // Of an entry of `entrySet`.
        ("getKey", []) => heap.map(id).get("key").cloned().unwrap_or_default(),
        ("getValue", []) => heap.map(id).get("value").cloned().unwrap_or_default(),
        _ => Value::Null,
    })
}

fn entries(id: MapId, heap: &mut Heap) -> Result<Vec<(Text, Value)>, Exhausted> {
    heap.spend(1 + 2 * heap.map(id).len() as u64)?;
    Ok(heap.map(id).iter().map(|(key, value)| (key.clone(), value.clone())).collect())
}
