//! JSONPath in Jayway's dialect (the Java library json-path 2), which API Gateway's `$input.json`, `$input.path` and body mappings
//! speak.

use crate::value::{Exhausted, Heap, Value};

/// A compiled path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {}

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPath {
    /// Where, in bytes of the path.
    pub offset: usize,
    /// What is wrong.
    pub message: &'static str,
}

// === impl JsonPath ===

impl JsonPath {
    /// Reads a path. One that does not begin with `$` gets `$.` put in front.
    pub fn parse(_text: &str) -> Result<Self, InvalidPath> {
        Err(InvalidPath { offset: 0, message: "not read yet" })
    }

    /// Whether it leads to one value at most; any other reads as a list.
    pub fn is_definite(&self) -> bool {
        true
    }

    /// What it leads to; none where it leads nowhere. A path that is not definite always reads as a list, possibly an empty one.
    pub fn read(&self, _root: &Value, _heap: &mut Heap) -> Result<Option<Value>, Exhausted> {
        Ok(None)
    }
}

// === impl InvalidPath ===

impl std::fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at its byte {}", self.message, self.offset)
    }
}
