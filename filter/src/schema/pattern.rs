//! Regular expressions of schemas: ECMA 262, as far as an engine of linear time has it. Look-around and references back are refused
//! when the definition is compiled.

use crate::definition::Node;
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

    /// Whether it is found in a text. At each byte the engine may be at as many places of the expression as that has.
    pub fn is_in(&self, text: &str, heap: &mut Heap) -> Result<bool, Exhausted> {
        heap.spend((text.len() as u64).saturating_mul(self.weight.saturating_mul(2).saturating_add(1)).saturating_add(8))?;
        Ok(self.regex.is_match(text))
    }
}

/// How many places an expression has, about: its characters and classes, as often as they and the groups around them are repeated.
fn weight(source: &str) -> u64 {
    let most = |count: &str| count.split(',').filter_map(|end| end.trim().parse::<u64>().ok()).max().unwrap_or(1);
    // What stands before each open group; what stands before the last part of the innermost, and that part.
    let (mut open, mut sum, mut last) = (Vec::new(), 0u64, 0u64);
    let mut rest = source.chars();
    while let Some(character) = rest.next() {
        let before = sum.saturating_add(last);
        match character {
            '(' => {
                open.push(before);
                (sum, last) = (0, 0);
            }
            ')' => (sum, last) = (open.pop().unwrap_or(0), before),
            '{' => {
                let count: String = rest.by_ref().take_while(|character| *character != '}').collect();
                last = last.saturating_mul(most(&count).max(1));
            }
            _ => {
                while let Some(next) = (character == '[').then(|| rest.next()).flatten().filter(|next| *next != ']') {
                    (next == '\\').then(|| rest.next());
                }
                (character == '\\').then(|| rest.next());
                (sum, last) = (before, 1);
            }
        }
    }
    sum.saturating_add(last)
}

#[cfg(test)]
mod tests {
    use super::weight;

    #[test]
    fn what_is_repeated_weighs_as_often() {
        for (source, places) in
            [("", 0), ("^a$", 3), ("[a-z\\]]{2,8}", 8), ("a(b{3}|c){2,10}d", 52), ("\\(\\d{4}", 5), ("((a{9}){9}){9}", 729)]
        {
            assert_eq!(weight(source), places, "{source}");
        }
    }
}
