//! Text that shares the bytes of what it was cut from: a string of a parsed body costs a count, not a copy.

use std::fmt;
use std::ops::{Deref, Range};
use std::rc::Rc;

/// A piece of a shared text.
#[derive(Clone)]
pub struct Text {
    source: Rc<str>,
    start: u32,
    end: u32,
}

// === impl Text ===

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.source.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.end == self.start
    }

    /// Its bytes. To compare two of them takes no look at where their characters end.
    pub fn as_bytes(&self) -> &[u8] {
        self.source.as_bytes().get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// A part of it, by its bytes; empty where these are no characters of it.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let at = |offset: usize| u32::try_from((self.start as usize).saturating_add(offset)).unwrap_or(u32::MAX).min(self.end);
        let (start, end) = (at(range.start), at(range.end));
        let is_text = self.source.get(start as usize..end as usize).is_some();
        Self { source: Rc::clone(&self.source), start, end: if is_text { end } else { start } }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        // Nothing that a request brings or makes is near 4 GB; what would be is nothing.
        match u32::try_from(text.len()) {
            Ok(end) => Self { source: Rc::from(text), start: 0, end },
            Err(_) => Self { source: Rc::from(""), start: 0, end: 0 },
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::from("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_shares_and_never_leaves_its_text() {
        let text = Text::from("a€bc");
        let slice = text.slice(1..5);
        assert_eq!(slice, "€b");
        assert_eq!(slice.slice(3..4), "b");
        assert_eq!(slice.slice(3..40), "b");
        assert_eq!(slice.slice(1..4), "");
        assert_eq!(slice.slice(9..20), "");
        for nothing in [slice.slice(1..4), text.slice(2..3), text.slice(9..20)] {
            assert!(nothing.is_empty() && nothing.as_bytes().is_empty() && nothing == Text::default(), "{nothing:?}");
        }
    }
}
