//! Where a template cannot be read.

use std::fmt;

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// The same, by its byte: lines are counted when there is an error to tell.
#[derive(Debug)]
pub struct Wrong {
    pub at: usize,
    pub message: String,
}

// === impl SyntaxError ===

impl SyntaxError {
    pub(super) fn locate(text: &str, wrong: Wrong) -> Self {
        let (line, column) = position(text, wrong.at);
        Self { line, column, message: wrong.message }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

// === impl Wrong ===

impl Wrong {
    pub fn new<T>(at: usize, message: impl Into<String>) -> Result<T, Self> {
        Err(Self { at, message: message.into() })
    }
}

/// The line and the column of a byte.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count();
    (before.matches('\n').count() + 1, column + 1)
}
