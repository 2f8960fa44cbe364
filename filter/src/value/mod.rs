//! Values that are not known before a request comes: what a body says, what a template computes. JSON in, JSON or Java's text out.
//!
//! Lists and maps live in a [`Heap`] and are named by their place in it. So a template can put a list into itself, as Java's can,
//! and nothing is lost or freed for ever in a circle; and a value that is nested a million deep is dropped as flat as any other.
//!
//! Whatever grows with a request's size takes steps from the heap's [`Budget`]: no request keeps a worker longer than that.

mod budget;
mod double;
mod heap;
mod map;
mod parse;
mod plain;
mod print;
pub mod skim;
mod text;
mod utf8;

pub use budget::{Budget, Exhausted};
pub use double::decimal;
pub use heap::{Heap, ListId, ListKind, MapId};
pub use map::{Map, MapKind};

pub use parse::{NotJson, parse};
pub use plain::utf16_length;
pub use print::{java_text, json_text, write_hex, write_json_string};
pub use text::Text;
pub use utf8::lossy;

/// How deep values may be nested, in what is read and in what is printed.
pub const DEPTH_LIMIT: usize = 256;

/// One value.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `null`, and whatever is missing.
    #[default]
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// A whole number of Java's `Integer` or `Long`.
    Integer(i64),
    /// The digits of a whole number beyond that: Java's `BigInteger`.
    BigInteger(Text),
    /// A number with a fraction or an exponent.
    Double(f64),
    /// Text.
    Text(Text),
    /// A list of the heap.
    List(ListId),
    /// A map of the heap.
    Map(MapId),
    /// Something of whoever renders a template, by its name: `input`, `context.identity`.
    Host(Text),
}

// === impl Value ===

impl Value {
    /// Text.
    pub fn text(text: impl Into<Text>) -> Self {
        Self::Text(text.into())
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The text of a text.
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a whole number.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }
}
