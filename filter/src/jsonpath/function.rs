//! The functions of a path: `$.prices.avg()`.

use super::evaluate::Stop;
use crate::value::{Heap, ListKind, Value, java_text};

/// A function by its place in the table.
#[derive(Debug, Clone, Copy)]
pub struct Function(&'static (&'static str, Body));

type Body = fn(&mut Heap, &Value, &[Value]) -> Result<Value, Stop>;

const FUNCTIONS: [(&str, Body); 13] = [
    ("length", length),
    ("size", length),
    ("min", |heap, model, arguments| numeric(heap, model, arguments, |n| n.iter().copied().fold(f64::MAX, f64::min))),
    ("max", |heap, model, arguments| numeric(heap, model, arguments, |n| n.iter().copied().fold(f64::MIN, f64::max))),
    ("sum", |heap, model, arguments| numeric(heap, model, arguments, |n| n.iter().sum())),
    ("avg", |heap, model, arguments| numeric(heap, model, arguments, average)),
    ("stddev", |heap, model, arguments| {
        numeric(heap, model, arguments, |n| {
            let squares: Vec<f64> = n.iter().map(|number| number * number).collect();
            (average(&squares) - average(n).powi(2)).sqrt()
        })
    }),
    ("keys", keys),
    ("concat", concat),
    ("append", append),
    ("first", |heap, model, _| item(heap, model, 0)),
    ("last", |heap, model, _| item(heap, model, -1)),
    ("index", |heap, model, arguments| {
        let index = arguments.first().and_then(Value::as_integer).ok_or(Stop::Nowhere)?;
        item(heap, model, index)
    }),
];

// === impl Function ===

impl Function {
    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        static TABLE: &[(&str, Body)] = &FUNCTIONS;
        TABLE.iter().find(|(known, _)| *known == name).map(Self)
    }

    /// Whether it is `length` or `size`, whose argument is read in a way of its own.
    pub fn is_length(self) -> bool {
        matches!(self.0.0, "length" | "size")
    }

    /// Its result for the value that a path came to.
    pub fn call(self, heap: &mut Heap, model: &Value, arguments: &[Value]) -> Result<Value, Stop> {
        self.0.1(heap, model, arguments)
    }
}

fn length(heap: &mut Heap, model: &Value, arguments: &[Value]) -> Result<Value, Stop> {
    let length = match arguments.first().filter(|argument| matches!(argument, Value::List(_))).unwrap_or(model) {
        Value::List(id) => heap.list(*id).len(),
        Value::Map(id) => heap.map(*id).len(),
        _ => return Ok(Value::Null),
    };
    Ok(Value::Integer(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// A result of the numbers of the list and of the arguments; there is none without a number.
fn numeric(heap: &mut Heap, model: &Value, arguments: &[Value], of: fn(&[f64]) -> f64) -> Result<Value, Stop> {
    let mut numbers = Vec::new();
    let size = |value: &Value| if let Value::BigInteger(digits) = value { 1 + digits.len() as u64 / 8 } else { 1 };
    for value in std::iter::once(model).chain(arguments) {
        heap.spend(size(value))?;
        match value {
            Value::List(id) => {
                heap.spend(heap.list(*id).iter().map(size).sum())?;
                numbers.extend(heap.list(*id).iter().filter_map(double));
            }
            // The model itself counts only as a list.
            scalar if !std::ptr::eq(scalar, model) => {
                heap.spend_on(scalar)?;
                numbers.extend(double(scalar));
            }
            _ => {}
        }
    }
    if numbers.is_empty() { Err(Stop::Nowhere) } else { Ok(Value::Double(of(&numbers))) }
}

fn double(value: &Value) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "Java's `doubleValue` does so too")]
        Value::Integer(number) => Some(*number as f64),
        Value::BigInteger(digits) => digits.parse().ok(),
        Value::Double(number) => Some(*number),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "no list has 2^53 items")]
fn average(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn keys(heap: &mut Heap, model: &Value, _: &[Value]) -> Result<Value, Stop> {
    let Value::Map(id) = model else { return Ok(Value::Null) };
    let keys: Vec<Value> = heap.map(*id).iter().map(|(key, _)| Value::Text(key.clone())).collect();
    heap.spend(2 * keys.len() as u64)?;
    Ok(heap.new_list(ListKind::Json, keys))
}

fn concat(heap: &mut Heap, model: &Value, arguments: &[Value]) -> Result<Value, Stop> {
    let mut text = String::new();
    for item in of_list(model, heap)? {
        if let Value::Text(item) = item {
            heap.budget.spend_bytes(item.len())?;
            text.push_str(&item);
        }
    }
    for argument in arguments {
        if let Value::Text(argument) = argument {
            heap.budget.spend_bytes(argument.len())?;
            text.push_str(argument);
        }
        for item in of_list(argument, heap)? {
            if !item.is_null() {
                text.push_str(&java_text(&item, heap)?);
            }
        }
    }
    Ok(Value::text(text))
}

/// The items of a list; none of anything else.
fn of_list(value: &Value, heap: &mut Heap) -> Result<Vec<Value>, Stop> {
    let Value::List(id) = value else { return Ok(Vec::new()) };
    heap.spend(heap.list(*id).len() as u64)?;
    Ok(heap.list(*id).to_vec())
}

/// A list with the arguments behind its items. Jayway changes the list of the document itself; here it is a new one.
fn append(heap: &mut Heap, model: &Value, arguments: &[Value]) -> Result<Value, Stop> {
    if !matches!(model, Value::List(_)) {
        return Ok(model.clone());
    }
    let mut items = of_list(model, heap)?;
    items.extend_from_slice(arguments);
    Ok(heap.new_list(ListKind::Json, items))
}

fn item(heap: &mut Heap, model: &Value, index: i64) -> Result<Value, Stop> {
    let Value::List(id) = model else { return Err(Stop::Nowhere) };
    let items = heap.list(*id);
    let index = if index < 0 { i64::try_from(items.len()).unwrap_or(0) + index } else { index };
    usize::try_from(index).ok().and_then(|index| items.get(index)).cloned().ok_or(Stop::Nowhere)
}
