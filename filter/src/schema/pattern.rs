//! Regular expressions of schemas: ECMA 262, as far as an engine of linear time has it. Look-around and references back are refused
//! when the definition is compiled.

use crate::definition::Node;
use crate::java_regex::{steps, weight};
use crate::problem::Problems;
use crate::value::{Exhausted, Heap};
use regex_lite::Regex;

/// A compiled regular expression.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    weight: u64,
}

// === impl Pattern ===

impl Pattern {
    /// Compiles an expression, and tells what is wrong with it.
    pub fn compile(source: &str, place: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        match Regex::new(source) {
            Ok(regex) => Some(Self { regex, weight: weight(source) }),
            Err(error) => {
                let help = Some("look-around and references back are not served");
                problems.error(&place.path, format!("the pattern `{source}` is not served: {error}"), help);
                None
            }
        }
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether it is found in a text.
    pub fn is_in(&self, text: &str, heap: &mut Heap) -> Result<bool, Exhausted> {
        heap.spend(steps(text.len(), self.weight))?;
        Ok(self.regex.is_match(text))
    }
}
