//! Methods of `java.lang.String`. Java counts units of UTF-16: so do lengths and indexes here; half of a character is no text and
//! reads as U+FFFD.

use super::number::ordering;
use super::{Patterns, count, new_list};
use crate::java_regex::JavaRegex;
use crate::template::host::Fault;
use crate::value::{Exhausted, Heap, Text, Value, java_text};

pub fn call(text: &Text, method: &str, arguments: &[Value], patterns: &mut Patterns, heap: &mut Heap) -> Result<Value, Fault> {
    spend_text(text, heap)?;
    let mut texts = [const { None }; 2];
    for (place, argument) in texts.iter_mut().zip(arguments) {
        *place = match argument {
            Value::Text(text) => {
                spend_text(text, heap)?;
                Some(text.as_str())
            }
            _ => None,
        };
    }
    let boolean = |value| Ok(Value::Boolean(value));
    match (method, arguments, texts) {
        ("length", [], _) => Ok(count(units(text))),
        ("isEmpty", [], _) => boolean(text.is_empty()),
        ("isBlank", [], _) => boolean(text.chars().all(char::is_whitespace)),
        ("trim", [], _) => Ok(Value::text(text.trim_matches(|c| c <= ' '))),
        ("strip", [], _) => Ok(Value::text(text.trim())),
        ("toLowerCase", [], _) => Ok(Value::text(text.to_lowercase())),
        ("toUpperCase", [], _) => Ok(Value::text(text.to_uppercase())),
        ("intern", [], _) => Ok(Value::Text(text.clone())),
        ("hashCode", [], _) => {
            let hash = text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
            Ok(Value::Integer(i64::from(hash)))
        }
        ("toCharArray", [], _) => {
            heap.spend(text.len() as u64)?;
            let characters = text.chars().map(|c| Value::text(c.encode_utf8(&mut [0; 4]) as &str)).collect();
            Ok(new_list(characters, heap)?)
        }
        ("charAt", [Value::Integer(index)], _) => Ok(substring(text, *index, Some(index.saturating_add(1)))),
        ("substring" | "subSequence", [Value::Integer(from)], _) => Ok(substring(text, *from, None)),
        ("substring" | "subSequence", [Value::Integer(from), Value::Integer(to)], _) => Ok(substring(text, *from, Some(*to))),
        ("equalsIgnoreCase", [_], [Some(other), _]) => {
            let lower = |text: &str| text.to_uppercase().to_lowercase();
            boolean(lower(text) == lower(other))
        }
        ("compareTo", [_], [Some(other), _]) => Ok(compare(text, other)),
        ("compareToIgnoreCase", [_], [Some(other), _]) => Ok(compare(&text.to_lowercase(), &other.to_lowercase())),
        ("contains", [_], [Some(part), _]) => boolean(text.contains(part)),
        ("startsWith", [_], [Some(part), _]) => boolean(text.starts_with(part)),
        ("startsWith", [_, Value::Integer(from)], [Some(part), _]) => {
            boolean(tail(text, *from).is_some_and(|(_, tail)| tail.starts_with(part)))
        }
        ("endsWith", [_], [Some(part), _]) => boolean(text.ends_with(part)),
        ("indexOf", [_], [Some(part), _]) => Ok(index(text, text.find(part))),
        ("indexOf", [_, Value::Integer(from)], [Some(part), _]) => {
            let found = tail(text, (*from).max(0)).and_then(|(before, tail)| Some(before + tail.find(part)?));
            Ok(index(text, found))
        }
        ("lastIndexOf", [_], [Some(part), _]) => Ok(index(text, text.rfind(part))),
        ("lastIndexOf", [_, Value::Integer(from)], [Some(part), _]) => {
            let end = tail(text, *from).map_or(text.len(), |(before, _)| before.saturating_add(part.len()));
            let head = if *from < 0 { None } else { Some(text.get(..end).unwrap_or(text)) };
            Ok(index(text, head.and_then(|head| head.rfind(part))))
        }
        ("concat", [_], [Some(other), _]) => made(text.to_string() + other, heap),
        ("repeat", [Value::Integer(times)], _) => {
            let times = usize::try_from(*times).unwrap_or_default();
            heap.budget.spend_bytes(text.len().saturating_mul(times))?;
            Ok(Value::text(text.repeat(times)))
        }
        ("replace", [_, _], [Some(old), Some(new)]) => {
            // What comes out may be as long as the product.
            let times = text.matches(old).count();
            heap.spend(times as u64)?;
            heap.budget.spend_bytes(times.saturating_mul(new.len()))?;
            Ok(Value::text(text.replace(old, new)))
        }
        ("matches", [Value::Text(pattern)], _) => boolean(patterns.get(pattern, text.len(), heap)?.is_whole_match(text)),
        ("replaceAll" | "replaceFirst", [Value::Text(pattern), _], [_, Some(replacement)]) => {
            let limit = if method == "replaceFirst" { 1 } else { usize::MAX };
            let regex = patterns.get(pattern, text.len(), heap)?;
            let budget = &mut heap.budget;
            let text = regex.replace(text, replacement, limit, &mut |bytes| budget.spend_bytes(bytes))?;
            made(text.map_err(Fault::Method)?, heap)
        }
        ("split", [Value::Text(pattern)], _) => split(text, patterns.get(pattern, text.len(), heap)?, 0, heap),
        ("split", [Value::Text(pattern), Value::Integer(limit)], _) => {
            split(text, patterns.get(pattern, text.len(), heap)?, *limit, heap)
        }
        ("valueOf" | "copyValueOf", [value], _) => Ok(Value::text(java_text(value, heap)?)),
        ("join", [_, Value::List(items)], [Some(between), _]) => {
            let mut joined = String::new();
            let mut place = 0;
            while let Some(item) = heap.list(*items).get(place).cloned() {
                heap.budget.spend_bytes(between.len())?;
                joined.push_str(if place == 0 { "" } else { between });
                joined.push_str(&java_text(&item, heap)?);
                place += 1;
            }
            Ok(Value::text(joined))
        }
        _ => Ok(Value::Null),
    }
}

/// What is beyond ASCII is gone through character by character.
fn spend_text(text: &str, heap: &mut Heap) -> Result<(), Exhausted> {
    heap.budget.spend_bytes(text.len())?;
    if text.is_ascii() { Ok(()) } else { heap.spend(text.len() as u64 / 16) }
}

fn made(text: String, heap: &mut Heap) -> Result<Value, Fault> {
    heap.budget.spend_bytes(text.len())?;
    Ok(Value::text(text))
}

fn split(text: &str, regex: &JavaRegex, limit: i64, heap: &mut Heap) -> Result<Value, Fault> {
    let budget = &mut heap.budget;
    let parts = regex.split(text, limit, &mut |bytes| budget.spend_bytes(bytes))?;
    Ok(new_list(parts.into_iter().map(Value::text).collect(), heap)?)
}

fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

fn index(text: &str, found: Option<usize>) -> Value {
    found.map_or(Value::Integer(-1), |at| count(units(text.get(..at).unwrap_or_default())))
}

/// What begins at an index, and where that is in bytes; none past the end.
fn tail(text: &str, from: i64) -> Option<(usize, &str)> {
    let from = usize::try_from(from).ok()?;
    let mut passed = 0;
    let at = text.char_indices().find(|(_, character)| {
        let here = passed >= from;
        passed += character.len_utf16();
        here
    });
    let at = match at {
        Some((at, _)) => at,
        None if passed >= from => text.len(),
        None => return None,
    };
    Some((at, text.get(at..)?))
}

fn substring(text: &str, from: i64, to: Option<i64>) -> Value {
    let from = usize::try_from(from).ok();
    if text.is_ascii() {
        let to = to.map_or(Some(text.len()), |to| usize::try_from(to).ok());
        return from.zip(to).and_then(|(from, to)| text.get(from..to)).map_or(Value::Null, Value::text);
    }
    let units: Vec<u16> = text.encode_utf16().collect();
    let to = to.map_or(Some(units.len()), |to| usize::try_from(to).ok());
    let part = from.zip(to).and_then(|(from, to)| units.get(from..to));
    part.map_or(Value::Null, |part| Value::text(String::from_utf16_lossy(part)))
}

/// The difference of the first units that differ, else of the lengths.
fn compare(left: &str, right: &str) -> Value {
    let differs = left.encode_utf16().zip(right.encode_utf16()).find(|(left, right)| left != right);
    match differs {
        Some((left, right)) => Value::Integer(i64::from(left) - i64::from(right)),
        None => {
            let difference = i64::try_from(units(left)).unwrap_or_default() - i64::try_from(units(right)).unwrap_or_default();
            if difference == 0 { ordering(std::cmp::Ordering::Equal) } else { Value::Integer(difference) }
        }
    }
}
