//! Values as text: JSON, and what Java's `toString` gives.

use super::heap::ListKind;
use super::plain::plain_length;
use super::{DEPTH_LIMIT, Exhausted, Heap, MapKind, Value, double};

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Json,
    Java,
}

/// The value as JSON.
pub fn json_text(value: &Value, heap: &mut Heap) -> Result<String, Exhausted> {
    let mut out = String::new();
    write(&mut out, value, Style::Json, 0, heap)?;
    Ok(out)
}

/// The value as Java's `toString` gives it: maps as `{a=b}`, lists of JSON as JSON (recorded: `test_input_path_template_formatting`),
/// lists of templates as `[a, b]`.
pub fn java_text(value: &Value, heap: &mut Heap) -> Result<String, Exhausted> {
    let mut out = String::new();
    write(&mut out, value, Style::Java, 0, heap)?;
    Ok(out)
}

/// The steps of a value, and more of a number that is no whole one.
const VALUE: u64 = 2;
const DOUBLE: u64 = 4;

fn write(out: &mut String, value: &Value, style: Style, depth: usize, heap: &mut Heap) -> Result<(), Exhausted> {
    heap.spend(VALUE)?;
    // A list may hold itself.
    if depth > DEPTH_LIMIT {
        return Err(Exhausted::Depth);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Integer(number) => write_integer(out, *number),
        Value::BigInteger(digits) => {
            heap.budget.spend_bytes(digits.len())?;
            out.push_str(digits);
        }
        // assumed(json-infinity): JSON has no word for what `1e999` is read as.
        Value::Double(number) if style == Style::Json && !number.is_finite() => out.push_str("null"),
        Value::Double(number) => {
            heap.spend(DOUBLE)?;
            out.push_str(&double::text(*number));
        }
        Value::Text(text) => {
            heap.spend_on(value)?;
            match style {
                Style::Json => {
                    let escapes = write_json_string(out, text);
                    heap.spend(escapes)?;
                }
                Style::Java => out.push_str(text),
            }
        }
        Value::Host(_) => {}
        Value::List(id) => {
            let style = if heap.list_kind(*id) == ListKind::Json { Style::Json } else { style };
            out.push('[');
            let mut index = 0;
            while let Some(item) = heap.list(*id).get(index).cloned() {
                separate(out, index, style);
                write(out, &item, style, depth + 1, heap)?;
                index += 1;
            }
            out.push(']');
        }
        Value::Map(id) if style == Style::Java && heap.map(*id).kind() == MapKind::Silent => {}
        Value::Map(id) if style == Style::Java && heap.map(*id).kind() == MapKind::Entry => {
            for (name, behind) in [("key", "="), ("value", "")] {
                let part = heap.map(*id).get(name).cloned().unwrap_or_default();
                write(out, &part, style, depth + 1, heap)?;
                out.push_str(behind);
            }
        }
        Value::Map(id) => {
            out.push('{');
            let mut index = 0;
            while let Some((key, item)) = heap.map(*id).at(index).map(|(key, item)| (key.clone(), item.clone())) {
                separate(out, index, style);
                heap.budget.spend_bytes(key.len())?;
                match style {
                    Style::Json => {
                        let escapes = write_json_string(out, &key);
                        heap.spend(escapes)?;
                        out.push(':');
                    }
                    Style::Java => {
                        heap.budget.spend_bytes(key.len())?;
                        out.push_str(&key);
                        out.push('=');
                    }
                }
                write(out, &item, style, depth + 1, heap)?;
                index += 1;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn separate(out: &mut String, index: usize, style: Style) {
    if index > 0 {
        out.push_str(if style == Style::Json { "," } else { ", " });
    }
}

/// What `{number}` prints, without its machinery.
fn write_integer(out: &mut String, number: i64) {
    let mut digits = [0; 20];
    let (mut place, mut rest) = (digits.len(), number.unsigned_abs());
    while let Some(digit) = place.checked_sub(1).and_then(|place| digits.get_mut(place)) {
        place -= 1;
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push('-');
    }
    out.push_str(digits.get(place..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default());
}

/// The last digits of a number, in capital letters.
pub fn write_hex(out: &mut String, number: u16, digits: u32) {
    for place in (0..digits).rev() {
        let digit = char::from_digit(u32::from(number >> (4 * place) & 15), 16).unwrap_or_default();
        out.push(digit.to_ascii_uppercase());
    }
}

/// A text as a JSON string, in its quotes; how many of its characters are escaped.
pub fn write_json_string(out: &mut String, text: &str) -> u64 {
    out.push('"');
    let (mut escapes, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let start = at;
        at += plain_length(bytes.get(at..).unwrap_or_default());
        out.push_str(text.get(start..at).unwrap_or_default());
        while let Some(byte @ (b'"' | b'\\' | 0..=0x1f)) = bytes.get(at).copied() {
            at += 1;
            escapes += 1;
            let escaped = match byte {
                b'"' => "\\\"",
                b'\\' => "\\\\",
                b'\n' => "\\n",
                b'\r' => "\\r",
                b'\t' => "\\t",
                8 => "\\b",
                12 => "\\f",
                0..16 => "\\u000",
                _ => "\\u001",
            };
            out.push_str(escaped);
            // A control character ends in a digit.
            if escaped.len() > 2 {
                let digit = b"0123456789ABCDEF".get(usize::from(byte & 15)).copied().unwrap_or_default();
                out.push(char::from(digit));
            }
        }
    }
    out.push('"');
    escapes
}

#[cfg(test)]
mod tests {
    use super::super::{Budget, parse};
    use super::*;

    fn heap_of(json: &str) -> (Heap, Value) {
        let mut heap = Heap::new(Budget::default());
        let value = parse(&json.into(), &mut heap).unwrap();
        (heap, value)
    }

    #[test]
    fn maps_print_as_java_and_lists_of_json_as_json() {
        for (json, java) in [
            (r#"{"foo":"bar","n":1.50}"#, "{foo=bar, n=1.5}"),
            (r#"[{"foo":"bar"}]"#, r#"[{"foo":"bar"}]"#),
            (r#"{"foo":[{"nested":"bar"}]}"#, r#"{foo=[{"nested":"bar"}]}"#),
            (r#"{"a":null,"b":{"c":true}}"#, "{a=null, b={c=true}}"),
        ] {
            let (mut heap, value) = heap_of(json);
            assert_eq!(java_text(&value, &mut heap).unwrap(), java);
        }
        let mut heap = Heap::default();
        let list = heap.new_list(ListKind::Java, vec![Value::text("a"), Value::Integer(2)]);
        assert_eq!(java_text(&list, &mut heap).unwrap(), "[a, 2]");
        assert_eq!(json_text(&list, &mut heap).unwrap(), r#"["a",2]"#);
    }

    #[test]
    fn json_prints_as_it_was_read() {
        for json in [
            r#"{"a":[0,7,10,-9223372036854775808,9223372036854775807,-2,"x\n\"\\"],"b":{},"c":[],"d":123456789012345678901234567890}"#,
            r#""\u0001""#,
            "null",
        ] {
            let (mut heap, value) = heap_of(json);
            assert_eq!(json_text(&value, &mut heap).unwrap(), json);
        }
    }

    #[test]
    fn names_and_long_numbers_are_paid_for() {
        let long = "1".repeat(100_000);
        for json in [format!("{{\"{long}\":1}}"), long] {
            for print in [java_text, json_text] {
                let (mut heap, value) = heap_of(&json);
                heap.budget = Budget::new(1000);
                assert_eq!(print(&value, &mut heap), Err(Exhausted::Steps));
            }
        }
    }

    #[test]
    fn a_list_that_holds_itself_ends() {
        let mut heap = Heap::default();
        let list = heap.new_list(ListKind::Java, Vec::new());
        let Value::List(id) = list else { panic!() };
        heap.list_mut(id).unwrap().push(list.clone());
        assert_eq!(java_text(&list, &mut heap), Err(Exhausted::Depth));
    }
}
