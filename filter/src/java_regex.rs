//! Java's regular expressions on the linear-time engine.

use regex_lite::Regex;

/// A compiled pattern.
#[derive(Debug)]
pub struct JavaRegex(Regex);

// === impl JavaRegex ===

impl JavaRegex {
    /// Reads a pattern.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        Regex::new(pattern).and_then(|_| Regex::new(&format!("^(?:{pattern})$"))).map(Self).map_err(|error| error.to_string())
    }

    /// Whether it matches all of a text.
    pub fn is_whole_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}
