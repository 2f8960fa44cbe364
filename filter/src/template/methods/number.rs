//! Methods of `Integer`, `Long`, `BigInteger` and `Double`, static ones among them: `$zero.parseInt("5")` is how a template reads
//! a number.

use crate::template::number::Number;
use crate::value::Value;
use std::cmp::Ordering;

pub fn call(receiver: &Value, method: &str, arguments: &[Value]) -> Value {
    let Some(number) = Number::of(receiver) else { return Value::Null };
    let is_double = matches!(number, Number::Double(_));
    match (method, arguments) {
        ("intValue" | "longValue" | "shortValue" | "byteValue", []) => whole(number, method),
        ("doubleValue" | "floatValue", []) => match number {
            Number::Whole(number) => Value::Double(number as f64),
            Number::Double(number) => Value::Double(number),
        },
        ("compareTo", [other]) => match Number::of(other).filter(|other| is_double == matches!(other, Number::Double(_))) {
            Some(other) => ordering(number.compare(other).unwrap_or(Ordering::Equal)),
            None => Value::Null,
        },
        ("hashCode", []) => match number {
            Number::Whole(number) if i32::try_from(number).is_ok() => receiver.clone(),
            Number::Whole(number) => fold(number as i64),
            Number::Double(number) => fold(number.to_bits() as i64),
        },
        ("isNaN", []) => Value::Boolean(matches!(number, Number::Double(number) if number.is_nan())),
        ("isInfinite", []) => Value::Boolean(matches!(number, Number::Double(number) if number.is_infinite())),
        ("parseDouble" | "valueOf", [Value::Text(text)]) if is_double => double(text),
        ("parseInt" | "valueOf" | "parseLong" | "decode", [Value::Text(text)]) if !is_double => integer(text, 10),
        ("parseInt" | "valueOf" | "parseLong", [Value::Text(text), Value::Integer(radix)]) if !is_double => {
            u32::try_from(*radix).map_or(Value::Null, |radix| integer(text, radix))
        }
        ("valueOf", [Value::Integer(other)]) if !is_double => Value::Integer(*other),
        ("valueOf", [Value::Double(other)]) if is_double => Value::Double(*other),
        ("toString", [Value::Integer(other)]) if !is_double => Value::text(other.to_string()),
        ("toHexString", [Value::Integer(other)]) if !is_double => Value::text(match i32::try_from(*other) {
            Ok(other) => format!("{other:x}"),
            Err(_) => format!("{other:x}"),
        }),
        ("max", [Value::Integer(one), Value::Integer(other)]) => Value::Integer(*one.max(other)),
        ("min", [Value::Integer(one), Value::Integer(other)]) => Value::Integer(*one.min(other)),
        _ => Value::Null,
    }
}

pub fn ordering(ordering: Ordering) -> Value {
    Value::Integer(ordering as i64)
}

/// A whole number of so many bits; of a fraction what is in front of the point.
fn whole(number: Number, method: &str) -> Value {
    let wide = match number {
        Number::Whole(number) => number as i64,
        Number::Double(number) => number as i64,
    };
    Value::Integer(match (method, number) {
        ("longValue", _) => wide,
        ("shortValue", _) => i64::from(wide as i16),
        ("byteValue", _) => i64::from(wide as i8),
        (_, Number::Double(number)) => i64::from(number as i32),
        _ => i64::from(wide as i32),
    })
}

/// Java's hash of 64 bits.
fn fold(bits: i64) -> Value {
    let bits = bits as u64;
    Value::Integer(i64::from((bits ^ (bits >> 32)) as u32 as i32))
}

fn integer(text: &str, radix: u32) -> Value {
    match (2..=36).contains(&radix).then(|| i64::from_str_radix(text, radix)) {
        Some(Ok(number)) => Value::Integer(number),
        _ => Value::Null,
    }
}

fn double(text: &str) -> Value {
    let text = text.trim();
    // Rust reads `inf` and `nan` too; Java does not.
    let is_number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    text.parse().ok().filter(|_| is_number).map_or(Value::Null, Value::Double)
}
