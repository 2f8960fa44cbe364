//! Methods of `java.util.List`; an array of Java is one too, for a template.

use super::{count, new_list, place, position};
use crate::value::{Exhausted, Heap, ListId, Value};

pub fn call(id: ListId, method: &str, arguments: &[Value], heap: &mut Heap) -> Result<Value, Exhausted> {
    let length = heap.list(id).len();
    let done = Value::Boolean(true);
    // What moves or copies items pays for it.
    let moves = matches!(method, "add" if arguments.len() == 2) || matches!(method, "remove");
    heap.spend(if moves { length as u64 / 16 } else { 0 })?;
    Ok(match (method, arguments) {
        ("size" | "count", []) => count(length),
        ("isEmpty", []) => Value::Boolean(length == 0),
        ("get", [Value::Integer(index)]) => {
            place(*index, length).and_then(|place| heap.list(id).get(place)).cloned().unwrap_or_default()
        }
        ("add", [item]) => {
            if let Some(items) = heap.list_mut(id) {
                items.push(item.clone());
            }
            done
        }
        ("add", [Value::Integer(index), item]) => {
            if let (Some(place), Some(items)) = (place(*index, length), heap.list_mut(id)) {
                items.insert(place, item.clone());
            }
            Value::Null
        }
        ("set", [Value::Integer(index), item]) => {
            let place = place(*index, length).and_then(|place| heap.list_mut(id)?.get_mut(place));
            place.map(|place| std::mem::replace(place, item.clone())).unwrap_or_default()
        }
        ("remove", [Value::Integer(index)]) => match (place(*index, length), heap.list_mut(id)) {
            (Some(place), Some(items)) if place < length => items.remove(place),
            _ => Value::Null,
        },
        ("remove", [item]) => {
            let items = copy(id, heap)?;
            let found = position(&items, item, false, heap)?;
            if let (Some(place), Some(items)) = (found, heap.list_mut(id)) {
                items.remove(place);
            }
            Value::Boolean(found.is_some())
        }
        ("addAll", [more]) => match items(more, heap)? {
            Some(more) => {
                let changed = !more.is_empty();
                if let Some(items) = heap.list_mut(id) {
                    items.extend(more);
                }
                Value::Boolean(changed)
            }
            None => Value::Null,
        },
        ("clear", []) => {
            heap.list_mut(id).map(Vec::clear);
            Value::Null
        }
        ("contains" | "indexOf" | "lastIndexOf", [item]) => {
            let items = copy(id, heap)?;
            let found = position(&items, item, method == "lastIndexOf", heap)?;
            match method {
                "contains" => Value::Boolean(found.is_some()),
                _ => found.map_or(Value::Integer(-1), count),
            }
        }
        ("containsAll", [others]) => {
            let (items, Some(others)) = (copy(id, heap)?, self::items(others, heap)?) else { return Ok(Value::Null) };
            for other in others {
                if position(&items, &other, false, heap)?.is_none() {
                    return Ok(Value::Boolean(false));
                }
            }
            done
        }
        ("removeAll" | "retainAll", [others]) => {
            let (items, Some(others)) = (copy(id, heap)?, self::items(others, heap)?) else { return Ok(Value::Null) };
            let mut kept = Vec::new();
            for item in items {
                if position(&others, &item, false, heap)?.is_some() == (method == "retainAll") {
                    kept.push(item);
                }
            }
            let changed = kept.len() != length;
            if let Some(items) = heap.list_mut(id) {
                *items = kept;
            }
            Value::Boolean(changed)
        }
        ("subList", [Value::Integer(from), Value::Integer(to)]) => match (place(*from, length), place(*to, length)) {
            // A copy: Java's changes with the list that it is of.
            (Some(from), Some(to)) if from <= to => {
                let part = heap.list(id).get(from..to).unwrap_or_default().to_vec();
                new_list(part, heap)?
            }
            _ => Value::Null,
        },
        ("iterator" | "listIterator" | "toArray", []) => Value::List(id),
        _ => Value::Null,
    })
}

fn copy(id: ListId, heap: &mut Heap) -> Result<Vec<Value>, Exhausted> {
    heap.spend(1 + heap.list(id).len() as u64 / 4)?;
    Ok(heap.list(id).to_vec())
}

fn items(value: &Value, heap: &mut Heap) -> Result<Option<Vec<Value>>, Exhausted> {
    match value {
        Value::List(id) => {
            heap.spend(heap.list(*id).len() as u64)?;
            copy(*id, heap).map(Some)
        }
        _ => Ok(None),
    }
}
