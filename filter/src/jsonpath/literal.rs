//! What a filter compares with: texts, numbers and JSON as json-smart reads it, with either quotes or none.

use super::compile::closing;
use crate::value::{Exhausted, Heap, ListKind, Map, Text, Value};

/// A value of a path's text.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Null,
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Text(String),
    List(Vec<Literal>),
    Map(Vec<(String, Literal)>),
}

/// How deep lists and maps may stand in each other.
const DEPTH: usize = 12;

// === impl Literal ===

impl Literal {
    /// Reads a whole text as JSON.
    pub fn parse(text: &str) -> Option<Self> {
        read(text.trim(), DEPTH)
    }

    /// A number, as Java's `BigDecimal` reads it.
    pub fn number(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse() {
            return Some(Self::Integer(number));
        }
        let is_number = text.bytes().any(|byte| byte.is_ascii_digit()) && !text.ends_with(['e', 'E', '-']);
        text.parse().ok().filter(|_| is_number).map(Self::Double)
    }

    /// As a value of a heap.
    pub fn value(&self, heap: &mut Heap) -> Result<Value, Exhausted> {
        heap.spend(1)?;
        Ok(match self {
            Self::Null => Value::Null,
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Integer(number) => Value::Integer(*number),
            Self::Double(number) => Value::Double(*number),
            Self::Text(text) => Value::text(text.as_str()),
            Self::List(items) => {
                let items = items.iter().map(|item| item.value(heap)).collect::<Result<_, _>>()?;
                heap.new_list(ListKind::Json, items)
            }
            Self::Map(entries) => {
                let mut map = Map::new();
                for (name, item) in entries {
                    let item = item.value(heap)?;
                    map.insert(Text::from(name), item);
                }
                heap.new_map(map)
            }
        })
    }
}

fn read(text: &str, depth: usize) -> Option<Literal> {
    let depth = depth.checked_sub(1)?;
    if let Some(inner) = text.strip_prefix('[') {
        let items = parts(inner.strip_suffix(']')?)?;
        return items.into_iter().map(|item| read(item, depth)).collect::<Option<_>>().map(Literal::List);
    }
    if let Some(inner) = text.strip_prefix('{') {
        let entry = |part: &str| {
            let colon = find(part, b':')?;
            let name = part.get(..colon)?.trim();
            Some((quoted(name).unwrap_or_else(|| name.to_owned()), read(part.get(colon + 1..)?.trim(), depth)?))
        };
        return parts(inner.strip_suffix('}')?)?.into_iter().map(entry).collect::<Option<_>>().map(Literal::Map);
    }
    Some(match text {
        "null" => Literal::Null,
        "true" => Literal::Boolean(true),
        "false" => Literal::Boolean(false),
        "" => return None,
        _ => quoted(text).map(Literal::Text).or_else(|| Literal::number(text)).unwrap_or_else(|| Literal::Text(text.to_owned())),
    })
}

fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text.get(1..)?.strip_suffix(quote).map(unescaped)
}

/// The parts between the commas that stand in no brackets or quotes; none for nothing.
fn parts(text: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let comma = find(rest, b',').unwrap_or(rest.len());
        parts.push(rest.get(..comma)?.trim());
        rest = rest.get(comma + 1..).unwrap_or_default().trim();
    }
    Some(parts)
}

/// The first such byte that stands in no brackets or quotes.
fn find(text: &str, wanted: u8) -> Option<usize> {
    let mut place = 0;
    let mut quote = None;
    while let Some(byte) = text.as_bytes().get(place).copied() {
        match (quote, byte) {
            (Some(_), b'\\') => place += 1,
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, _) if byte == wanted => return Some(place),
            (None, b'[' | b'{') => place = closing(text, place)?,
            (None, _) => {}
        }
        place += 1;
    }
    None
}

/// The text without its escapes.
pub fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut characters = after.chars();
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let digits = after.get(1..5).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                out.push(digits.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER));
                rest = after.get(5..).unwrap_or_default();
                continue;
            }
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
        rest = characters.as_str();
    }
    out + rest
}
