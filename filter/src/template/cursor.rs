//! The characters of a template, and the small things that are read of them.

use super::names::Names;
use super::syntax::Wrong;

/// How deep blocks, brackets, and strings within strings may be nested.
const NESTING_LIMIT: usize = 100;

/// A place in a template.
pub struct Cursor<'t, 'n> {
    pub text: &'t str,
    pub at: usize,
    pub names: &'n mut Names,
    depth: usize,
}

// === impl Cursor ===

impl<'t, 'n> Cursor<'t, 'n> {
    pub fn new(text: &'t str, names: &'n mut Names, depth: usize) -> Self {
        Self { text, at: 0, names, depth }
    }

    /// Goes one level deeper; [`Self::leave`] comes back.
    pub fn enter(&mut self, opener: usize) -> Result<(), Wrong> {
        self.depth += 1;
        if self.depth > NESTING_LIMIT {
            return Wrong::new(opener, format!("nested deeper than {NESTING_LIMIT} levels"));
        }
        Ok(())
    }

    pub fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    pub fn depth(&self) -> usize {
        self.depth
    }

    pub fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The byte so many after this place; 0 after the end.
    pub fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or_default()
    }

    pub fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// How many bytes from here, after so many, are of a kind.
    pub fn run(&self, ahead: usize, of: impl Fn(u8) -> bool) -> usize {
        self.text.as_bytes().get(self.at + ahead..).unwrap_or_default().iter().take_while(|byte| of(**byte)).count()
    }

    pub fn skip_space(&mut self) {
        self.at += self.run(0, |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    /// Blanks and the end of the line behind a directive: they go with it. A line that goes on keeps its blanks.
    pub fn skip_line_end(&mut self) {
        let blanks = self.run(0, |byte| matches!(byte, b' ' | b'\t'));
        let newline = match (self.byte(blanks), self.byte(blanks + 1)) {
            (b'\r', b'\n') => 2,
            (b'\r' | b'\n', _) => 1,
            _ => return,
        };
        self.at += blanks + newline;
    }

    /// The name of a reference, or of what is asked of it: a letter or `_`, then letters, digits, `-`, `_`.
    pub fn identifier(&mut self) -> Option<&'t str> {
        let start = self.at;
        let first = self.byte(0);
        if !first.is_ascii_alphabetic() && first != b'_' {
            return None;
        }
        self.at += self.run(0, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        Some(self.since(start))
    }

    /// How long the word at a place is: a letter, `_` or `@`, then letters, digits, `_`, `@`; 0: there is none.
    pub fn word(&self, ahead: usize) -> usize {
        let first = self.byte(ahead);
        if !first.is_ascii_alphabetic() && !matches!(first, b'_' | b'@') {
            return 0;
        }
        self.run(ahead, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@'))
    }

    /// How long `#set(` with the blanks in front of it is, if it is here.
    pub fn set_ahead(&self) -> Option<usize> {
        let blanks = self.run(0, |byte| matches!(byte, b' ' | b'\t'));
        let rest = self.rest().get(blanks..)?;
        let after = rest.strip_prefix("#set").or_else(|| rest.strip_prefix("#{set}"))?.trim_start_matches(' ');
        let after = after.strip_prefix('(')?;
        Some(self.rest().len() - after.len())
    }

    /// The name behind a `#`, and how long both and braces are; no name: 0.
    pub fn directive_name(&self) -> (usize, &'t str) {
        let name = |from: usize, length: usize| self.rest().get(from..from + length).unwrap_or_default();
        if self.byte(1) == b'{' {
            let length = self.word(2);
            let whole = length > 0 && self.byte(2) != b'@' && self.byte(2 + length) == b'}';
            return if whole { (length + 3, name(2, length)) } else { (0, "") };
        }
        match self.word(1) {
            0 => (0, ""),
            length => (length + 1, name(1, length)),
        }
    }

    /// What is here, for a message: one word, or one character.
    pub fn found(&self) -> String {
        match (self.word(0), self.rest().chars().next()) {
            (_, None) => "the end".to_owned(),
            (0, Some(character)) => format!("`{}`", character.escape_debug()),
            (length, _) => format!("`{}`", self.rest().get(..length.min(40)).unwrap_or_default()),
        }
    }

    /// A `)` that ends a directive or a bracket of an expression, with the rest of a line that is blank.
    pub fn close(&mut self, opener: usize, what: &str) -> Result<(), Wrong> {
        self.skip_space();
        if self.take(")") {
            self.skip_line_end();
            return Ok(());
        }
        self.unclosed(opener, what, ")")
    }

    /// Says what is missing and where the opener is.
    pub fn unclosed<T>(&self, opener: usize, what: &str, closer: &str) -> Result<T, Wrong> {
        if self.rest().is_empty() {
            return Wrong::new(opener, format!("`{what}` has no `{closer}`"));
        }
        Wrong::new(self.at, format!("{} where `{what}` goes on or is closed with `{closer}`", self.found()))
    }

    /// A string in quotes, without them; the cursor is at the first one. A quote that is written twice stands for one; a backslash
    /// escapes nothing.
    pub fn quoted(&mut self) -> Result<String, Wrong> {
        let quote = self.byte(0);
        let opener = self.at;
        let mut end = opener + 1;
        loop {
            self.at = end;
            end += self.run(0, |byte| byte != quote);
            let two = [quote, quote];
            match self.text.as_bytes().get(end..) {
                Some(rest) if rest.starts_with(&two) => end += 2,
                Some([_, ..]) => break,
                _ => return Wrong::new(opener, format!("the string has no `{}` at its end", char::from(quote))),
            }
        }
        self.at = end + 1;
        let inner = self.text.get(opener + 1..end).unwrap_or_default();
        let one = if quote == b'"' { "\"" } else { "'" };
        Ok(inner.replace(&one.repeat(2), one))
    }
}
