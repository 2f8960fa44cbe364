//! One text for all values that draft 4 calls equal: members in the order of their names, numbers by their size.

use super::number::Decimal;
use crate::value::{DEPTH_LIMIT, Exhausted, Heap, Text, Value, write_json_string};

/// The text of a value.
pub fn canonical(value: &Value, heap: &mut Heap) -> Result<String, Exhausted> {
    let mut out = String::new();
    write(&mut out, value, 0, heap)?;
    Ok(out)
}

fn write(out: &mut String, value: &Value, depth: usize, heap: &mut Heap) -> Result<(), Exhausted> {
    heap.spend(2)?;
    if depth > DEPTH_LIMIT {
        return Err(Exhausted::Depth);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(true) => out.push_str("true"),
        Value::Boolean(false) => out.push_str("false"),
        Value::Integer(_) | Value::BigInteger(_) | Value::Double(_) => {
            spend_number(value, heap)?;
            if let Some(number) = Decimal::of(value) {
                number.write(out);
            }
        }
        Value::Text(text) => {
            heap.budget.spend_bytes(text.len())?;
            write_json_string(out, text);
        }
        Value::Host(_) => {}
        Value::List(id) => {
            out.push('[');
            let mut index = 0;
            while let Some(item) = heap.list(*id).get(index).cloned() {
                write(out, &item, depth + 1, heap)?;
                out.push(',');
                index += 1;
            }
            out.push(']');
        }
        Value::Map(_) => {
            out.push('{');
            for name in sorted_names(value, heap)? {
                write_json_string(out, &name);
                out.push(':');
                let member = heap.member(value, &name).cloned().unwrap_or_default();
                write(out, &member, depth + 1, heap)?;
                out.push(',');
            }
            out.push('}');
        }
    }
    Ok(())
}

/// The names of an object's members, in their order.
pub fn sorted_names(value: &Value, heap: &mut Heap) -> Result<Vec<Text>, Exhausted> {
    let Value::Map(id) = value else { return Ok(Vec::new()) };
    let mut names: Vec<Text> = heap.map(*id).iter().map(|(name, _)| name.clone()).collect();
    heap.spend(2 * names.len() as u64)?;
    heap.budget.spend_sorting(names.len(), names.iter().map(Text::len).sum())?;
    names.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    Ok(names)
}

/// Takes the steps of work on a number, digit by digit.
pub fn spend_number(value: &Value, heap: &mut Heap) -> Result<(), Exhausted> {
    let digits = if let Value::BigInteger(digits) = value { digits.len() } else { 0 };
    heap.spend(12 + digits as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse;

    #[test]
    fn equal_values_have_one_text_and_others_do_not() {
        let of = |json: &str| {
            let mut heap = Heap::default();
            let value = parse(&json.into(), &mut heap).unwrap();
            canonical(&value, &mut heap).unwrap()
        };
        for (one, other) in
            [(r#"{"a":1,"b":[2,{}]}"#, r#"{"b":[2.0,{}],"a":1e0}"#), ("100", "1E2"), ("0", "-0.0"), (r#""\u0061""#, r#""a""#)]
        {
            assert_eq!(of(one), of(other));
        }
        for (one, other) in
            [("1", "true"), ("0", "false"), (r#""1""#, "1"), ("null", r#""null""#), ("[1,2]", "[12]"), ("[]", "{}"), ("10", "1")]
        {
            assert_ne!(of(one), of(other));
        }
    }
}
