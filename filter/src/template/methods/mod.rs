//! The methods of Java that templates call on their values. What there is not is `null`, as a call with arguments of another kind.
//!
//! assumed(template-method-exception): where Java throws (an index out of range, a number that is none), the call is worth nothing.

mod list;
mod map;
mod number;
mod text;

use super::evaluate::equals;
use super::host::Fault;
use crate::java_regex::JavaRegex;
use crate::value::{Exhausted, Heap, ListKind, Text, Value, java_text};

/// The patterns that a rendering has compiled: a loop compiles its own once.
#[derive(Default)]
pub struct Patterns(Vec<(Text, JavaRegex)>);

/// So many are kept.
const PATTERNS: usize = 16;

// === impl Patterns ===

impl Patterns {
    /// A pattern, to go through so many bytes once.
    fn get(&mut self, pattern: &Text, bytes: usize, heap: &mut Heap) -> Result<&JavaRegex, Fault> {
        let place = match self.0.iter().position(|(known, _)| known == pattern) {
            Some(place) => place,
            None => {
                let regex = JavaRegex::compile(pattern).map_err(Fault::Method)?;
                heap.spend(regex.compile_steps())?;
                self.0.truncate(PATTERNS - 1);
                self.0.insert(0, (pattern.clone(), regex));
                0
            }
        };
        let (_, regex) = self.0.get(place).ok_or(Fault::Exhausted(Exhausted::Depth))?;
        heap.spend(regex.steps(bytes))?;
        Ok(regex)
    }
}

/// Calls a method.
pub fn call(receiver: &Value, method: &str, arguments: &[Value], patterns: &mut Patterns, heap: &mut Heap) -> Result<Value, Fault> {
    heap.spend(2)?;
    match (method, arguments) {
        ("toString", []) => return Ok(Value::text(java_text(receiver, heap)?)),
        ("equals", [other]) => return Ok(Value::Boolean(equals(receiver, other, 0, heap)?)),
        _ => {}
    }
    match receiver {
        Value::Text(text) => text::call(text, method, arguments, patterns, heap),
        Value::List(id) => Ok(list::call(*id, method, arguments, heap)?),
        Value::Map(id) => Ok(map::call(*id, method, arguments, heap)?),
        Value::Boolean(value) => Ok(boolean(*value, method, arguments)),
        _ => {
            let texts = arguments.iter().filter_map(Value::as_text).map(|text| text.len()).sum();
            heap.budget.spend_bytes(texts)?;
            Ok(number::call(receiver, method, arguments))
        }
    }
}

fn boolean(value: bool, method: &str, arguments: &[Value]) -> Value {
    match (method, arguments) {
        ("booleanValue", []) => Value::Boolean(value),
        ("hashCode", []) => Value::Integer(if value { 1231 } else { 1237 }),
        ("compareTo", [Value::Boolean(other)]) => Value::Integer(i64::from(value) - i64::from(*other)),
        ("parseBoolean" | "valueOf", [Value::Text(text)]) => Value::Boolean(text.eq_ignore_ascii_case("true")),
        _ => Value::Null,
    }
}

/// A count as a value.
fn count(number: usize) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A place as Java counts it, up to a length; none: it is out of range.
fn place(index: i64, length: usize) -> Option<usize> {
    usize::try_from(index).ok().filter(|index| *index <= length)
}

/// The item that equals a value, from the front or from the back.
fn position(items: &[Value], wanted: &Value, backwards: bool, heap: &mut Heap) -> Result<Option<usize>, Exhausted> {
    for step in 0..items.len() {
        let index = if backwards { items.len() - 1 - step } else { step };
        let Some(item) = items.get(index) else { break };
        if equals(item, wanted, 0, heap)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// A list that a method makes.
fn new_list(items: Vec<Value>, heap: &mut Heap) -> Result<Value, Exhausted> {
    heap.spend(1 + items.len() as u64)?;
    Ok(heap.new_list(ListKind::Java, items))
}
