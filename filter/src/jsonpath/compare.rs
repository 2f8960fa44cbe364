//! The operators of filters.

use super::evaluate::{Side, Stop};
use crate::java_regex::JavaRegex;
use crate::value::{DEPTH_LIMIT, Exhausted, Heap, Value, java_text};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Whether an operator holds between its sides; [`Stop::Nowhere`] where it cannot be applied to them.
pub type Comparison = fn(&mut Heap, &Side<'_>, &Side<'_>) -> Result<bool, Stop>;

/// All operators; names compare without case.
pub const OPERATORS: [(&str, Comparison); 18] = [
    ("==", |heap, left, right| equal(heap, left, right)),
    ("!=", |heap, left, right| equal(heap, left, right).map(|equal| !equal)),
    ("===", |heap, left, right| Ok(is_same_kind(left, right) && equal(heap, left, right)?)),
    ("!==", |heap, left, right| Ok(!(is_same_kind(left, right) && equal(heap, left, right)?))),
    ("<", |heap, left, right| Ok(order(heap, left, right)? == Some(Ordering::Less))),
    ("<=", |heap, left, right| Ok(order(heap, left, right)?.is_some_and(Ordering::is_le))),
    (">", |heap, left, right| Ok(order(heap, left, right)? == Some(Ordering::Greater))),
    (">=", |heap, left, right| Ok(order(heap, left, right)?.is_some_and(Ordering::is_ge))),
    ("=~", matches),
    ("in", is_in),
    ("nin", |heap, left, right| is_in(heap, left, right).map(|is_in| !is_in)),
    ("contains", contains),
    ("subsetof", |heap, left, right| Ok(list(right).is_some() && common(heap, left, right)?.is_some_and(|(all, _)| all))),
    ("anyof", |heap, left, right| Ok(list(right).is_some() && common(heap, left, right)?.is_some_and(|(_, any)| any))),
    ("noneof", |heap, left, right| Ok(list(right).is_some() && common(heap, left, right)?.is_some_and(|(_, any)| !any))),
    ("all", |heap, left, right| Ok(list(left).is_some() && common(heap, right, left)?.is_some_and(|(all, _)| all))),
    ("size", is_of_size),
    ("empty", is_empty),
];

fn list<'s>(side: &'s Side<'_>) -> Option<&'s Value> {
    match side {
        Side::Value(list @ Value::List(_)) => Some(list),
        _ => None,
    }
}

fn is_same_kind(left: &Side<'_>, right: &Side<'_>) -> bool {
    let kind = |side: &Side<'_>| match side {
        Side::Value(Value::Null) => 1,
        Side::Value(Value::Boolean(_)) => 2,
        Side::Value(Value::Integer(_) | Value::BigInteger(_) | Value::Double(_)) => 3,
        Side::Value(Value::Text(_)) => 4,
        Side::Value(Value::List(_) | Value::Map(_)) => 5,
        Side::Value(Value::Host(_)) | Side::Undefined | Side::Pattern(_) => 0,
    };
    kind(left) == kind(right)
}

fn equal(heap: &mut Heap, left: &Side<'_>, right: &Side<'_>) -> Result<bool, Stop> {
    match (left, right) {
        (Side::Value(left), Side::Value(right)) => are_equal(heap, left, right),
        _ => Ok(false),
    }
}

/// Takes the steps of work on the digits of a long number.
fn spend_digits(heap: &mut Heap, value: &Value) -> Result<(), Exhausted> {
    match value {
        Value::BigInteger(digits) => heap.spend(1 + digits.len() as u64 / 8),
        _ => Ok(()),
    }
}

/// Numbers and texts compare with each other, as the left one does.
fn are_equal(heap: &mut Heap, left: &Value, right: &Value) -> Result<bool, Stop> {
    spend_digits(heap, left)?;
    spend_digits(heap, right)?;
    Ok(match (left, right) {
        (Value::List(_) | Value::Map(_), Value::List(_) | Value::Map(_)) => is_identical(heap, left, right, 0)?,
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::Text(left), _) => number_text(heap, right)?.is_some_and(|right| left.as_str() == right),
        (_, Value::Text(right)) => {
            heap.spend(1 + right.len() as u64 / 8)?;
            let right = right.parse::<f64>().ok();
            double(left).is_some() && double(left) == right
        }
        _ => match (double(left), double(right)) {
            (Some(_), Some(_)) => compare_numbers(left, right) == Some(Ordering::Equal),
            _ => left == right,
        },
    })
}

/// Whether two values are the same all the way down, as `equals` of Java's lists and maps has it.
fn is_identical(heap: &mut Heap, left: &Value, right: &Value, depth: usize) -> Result<bool, Exhausted> {
    heap.spend(2)?;
    if depth > DEPTH_LIMIT {
        return Err(Exhausted::Depth);
    }
    match (left, right) {
        (Value::List(a), Value::List(b)) => {
            if heap.list(*a).len() != heap.list(*b).len() {
                return Ok(false);
            }
            let mut place = 0;
            while let (Some(a), Some(b)) = (heap.list(*a).get(place).cloned(), heap.list(*b).get(place).cloned()) {
                if !is_identical(heap, &a, &b, depth + 1)? {
                    return Ok(false);
                }
                place += 1;
            }
            Ok(true)
        }
        (Value::Map(a), Value::Map(b)) => {
            if heap.map(*a).len() != heap.map(*b).len() {
                return Ok(false);
            }
            let mut place = 0;
            while let Some((key, a)) = heap.map(*a).at(place).map(|(key, value)| (key.clone(), value.clone())) {
                // It is looked for.
                heap.spend(4)?;
                let Some(b) = heap.map(*b).get(&key).cloned() else { return Ok(false) };
                if !is_identical(heap, &a, &b, depth + 1)? {
                    return Ok(false);
                }
                place += 1;
            }
            Ok(true)
        }
        _ => {
            heap.spend_on(left)?;
            Ok(left == right)
        }
    }
}

fn double(value: &Value) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "whole numbers beyond 2^53 compare as such before")]
        Value::Integer(number) => Some(*number as f64),
        Value::BigInteger(digits) => digits.parse().ok(),
        Value::Double(number) => Some(*number),
        _ => None,
    }
}

fn compare_numbers(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => Some(left.cmp(right)),
        _ => double(left)?.partial_cmp(&double(right)?),
    }
}

/// A number as `BigDecimal` of Java prints it.
fn number_text(heap: &mut Heap, value: &Value) -> Result<Option<String>, Exhausted> {
    if !matches!(value, Value::Integer(_) | Value::BigInteger(_) | Value::Double(_)) {
        return Ok(None);
    }
    java_text(value, heap).map(|text| Some(text.replace('E', "E+").replace("E+-", "E-")))
}

fn order(heap: &mut Heap, left: &Side<'_>, right: &Side<'_>) -> Result<Option<Ordering>, Stop> {
    let (Side::Value(left), Side::Value(right)) = (left, right) else { return Ok(None) };
    spend_digits(heap, left)?;
    spend_digits(heap, right)?;
    if let (Some(_), Some(_)) = (double(left), double(right)) {
        return Ok(compare_numbers(left, right));
    }
    let (Some(left), Some(right)) = (text(heap, left)?, text(heap, right)?) else { return Ok(None) };
    Ok(Some(left.cmp(&right)))
}

/// A text, or a number as one.
fn text<'v>(heap: &mut Heap, value: &'v Value) -> Result<Option<Cow<'v, str>>, Exhausted> {
    match value {
        Value::Text(text) => Ok(Some(Cow::Borrowed(text.as_str()))),
        _ => Ok(number_text(heap, value)?.map(Cow::Owned)),
    }
}

/// One side is a pattern; of a list any item may match. What is no scalar is the empty text.
fn matches(heap: &mut Heap, left: &Side<'_>, right: &Side<'_>) -> Result<bool, Stop> {
    let (pattern, input) = match (left, right) {
        (Side::Pattern(_), Side::Pattern(_)) => return Ok(false),
        (Side::Pattern(pattern), input) | (input, Side::Pattern(pattern)) => (pattern, input),
        _ => return Ok(false),
    };
    match input {
        Side::Value(Value::List(id)) => {
            let mut place = 0;
            while let Some(item) = heap.list(*id).get(place).cloned() {
                if is_match(heap, pattern, &item)? {
                    return Ok(true);
                }
                place += 1;
            }
            Ok(false)
        }
        Side::Value(value) => is_match(heap, pattern, value),
        _ => is_match(heap, pattern, &Value::Null),
    }
}

fn is_match(heap: &mut Heap, pattern: &JavaRegex, value: &Value) -> Result<bool, Stop> {
    let text = match value {
        Value::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        value => text(heap, value)?.unwrap_or_default(),
    };
    heap.spend(pattern.steps(text.len()))?;
    Ok(pattern.is_whole_match(&text))
}

/// The items of the list on a side; anything else that is one value cannot be asked.
fn items(heap: &mut Heap, side: &Side<'_>) -> Result<Option<Vec<Value>>, Stop> {
    match side {
        Side::Value(Value::List(id)) => {
            heap.spend(heap.list(*id).len() as u64)?;
            Ok(Some(heap.list(*id).to_vec()))
        }
        Side::Value(Value::Map(_)) => Ok(None),
        _ => Err(Stop::Nowhere),
    }
}

fn is_in(heap: &mut Heap, left: &Side<'_>, right: &Side<'_>) -> Result<bool, Stop> {
    let Some(items) = items(heap, right)? else { return Ok(false) };
    has(heap, &items, left)
}

fn has(heap: &mut Heap, items: &[Value], wanted: &Side<'_>) -> Result<bool, Stop> {
    heap.spend(items.len() as u64)?;
    let Side::Value(wanted) = wanted else { return Ok(false) };
    for item in items {
        if are_equal(heap, wanted, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn contains(heap: &mut Heap, left: &Side<'_>, right: &Side<'_>) -> Result<bool, Stop> {
    match (left, right) {
        (Side::Value(Value::Text(text)), Side::Value(Value::Text(part))) => {
            heap.budget.spend_bytes(text.len())?;
            Ok(text.contains(part.as_str()))
        }
        (Side::Value(Value::List(_)), _) => is_in(heap, right, left),
        _ => Ok(false),
    }
}

/// Whether all, and whether any, of the items on the left are among those on the right.
fn common(heap: &mut Heap, left: &Side<'_>, right: &Side<'_>) -> Result<Option<(bool, bool)>, Stop> {
    let (Some(left), Some(right)) = (items(heap, left)?, items(heap, right)?) else { return Ok(None) };
    let (mut all, mut any) = (true, false);
    for item in left {
        let is_there = has(heap, &right, &Side::Value(item))?;
        all &= is_there;
        any |= is_there;
    }
    Ok(Some((all, any)))
}

fn is_of_size(heap: &mut Heap, left: &Side<'_>, right: &Side<'_>) -> Result<bool, Stop> {
    let Side::Value(Value::Integer(size)) = right else { return Ok(false) };
    let length = match left {
        Side::Value(Value::Text(text)) => {
            heap.budget.spend_bytes(text.len())?;
            text.encode_utf16().count()
        }
        Side::Value(Value::List(id)) => heap.list(*id).len(),
        _ => return Ok(false),
    };
    Ok(usize::try_from(*size) == Ok(length))
}

fn is_empty(heap: &mut Heap, left: &Side<'_>, right: &Side<'_>) -> Result<bool, Stop> {
    let is_empty = match left {
        Side::Value(Value::Text(text)) => text.is_empty(),
        Side::Value(Value::List(id)) => heap.list(*id).is_empty(),
        Side::Value(Value::Map(id)) => heap.map(*id).is_empty(),
        _ => return Ok(false),
    };
    match right {
        Side::Value(Value::Boolean(wanted)) => Ok(is_empty == *wanted),
        _ => Err(Stop::Nowhere),
    }
}
