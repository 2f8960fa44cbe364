//! JSON (RFC 8259), read strictly. Strings without escapes share the body's bytes.

use super::plain::plain_length;
use super::{DEPTH_LIMIT, Exhausted, Heap, ListKind, Map, Text, Value};

/// Why a text is not read as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotJson {
    /// It is not JSON.
    Syntax {
        /// Where, in bytes.
        offset: usize,
        /// What is wrong.
        message: &'static str,
    },
    /// It has more values, or is nested deeper, than is read.
    Exhausted(Exhausted),
}

/// Reads a text.
pub fn parse(text: &Text, heap: &mut Heap) -> Result<Value, NotJson> {
    heap.budget.spend_bytes(text.len())?;
    let mut parser = Parser { text, bytes: text.as_bytes(), at: 0, passed: 0, heap };
    let value = parser.value(0)?;
    parser.skip_space();
    parser.heap.budget.spend_characters(parser.passed)?;
    if parser.at < parser.bytes.len() { Err(parser.wrong("something follows the value")) } else { Ok(value) }
}

/// The steps of a value, and more of a list or an object.
const VALUE: u64 = 2;
const CONTAINER: u64 = 2;

struct Parser<'a> {
    text: &'a Text,
    bytes: &'a [u8],
    at: usize,
    /// Blanks and digits that are not paid for yet.
    passed: usize,
    heap: &'a mut Heap,
}

// === impl NotJson ===

impl From<Exhausted> for NotJson {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

// === impl Parser ===

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, NotJson> {
        self.heap.spend(VALUE)?;
        if self.passed > 64 {
            self.heap.budget.spend_characters(std::mem::take(&mut self.passed))?;
        }
        if depth > DEPTH_LIMIT {
            return Err(Exhausted::Depth.into());
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Boolean(true)),
            Some(b'f') => self.word("false", Value::Boolean(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => Err(self.wrong("no value begins with this character")),
            None => Err(self.wrong("the text ends where a value is due")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, NotJson> {
        self.heap.spend(CONTAINER)?;
        let mut entries: Vec<(Text, Value)> = Vec::new();
        let mut bytes = 0;
        self.at += 1;
        self.skip_space();
        if self.take(b'}') {
            return Ok(self.heap.new_map(Map::new()));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a member begins with its name in double quotes"));
            }
            self.heap.spend(1)?;
            let key = self.string()?;
            bytes += key.len();
            self.skip_space();
            if !self.take(b':') {
                return Err(self.wrong("a colon follows the name of a member"));
            }
            let value = self.value(depth + 1)?;
            entries.push((key, value));
            self.skip_space();
            if self.take(b'}') {
                self.heap.budget.spend_sorting(entries.len(), bytes)?;
                return Ok(self.heap.new_map(Map::from_entries(entries)));
            }
            if !self.take(b',') {
                return Err(self.wrong("a comma or `}` follows a member"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, NotJson> {
        self.heap.spend(CONTAINER)?;
        let mut items = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.take(b']') {
            return Ok(self.heap.new_list(ListKind::Json, items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(self.heap.new_list(ListKind::Json, items));
            }
            if !self.take(b',') {
                return Err(self.wrong("a comma or `]` follows an item"));
            }
        }
    }

    fn string(&mut self) -> Result<Text, NotJson> {
        self.at += 1;
        let start = self.at;
        self.at += plain_length(self.bytes.get(start..).unwrap_or_default());
        if self.take(b'"') {
            return Ok(self.text.slice(start..self.at - 1));
        }
        let mut text = String::new();
        let mut from = start;
        loop {
            text.push_str(self.text.get(from..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text::from(text));
                }
                Some(b'\\') => {
                    self.heap.spend(1)?;
                    text.push(self.escaped()?);
                }
                Some(_) => return Err(self.wrong("a control character in a string")),
                None => return Err(self.wrong("the text ends within a string")),
            }
            from = self.at;
            self.at += plain_length(self.bytes.get(from..).unwrap_or_default());
        }
    }

    fn escaped(&mut self) -> Result<char, NotJson> {
        let character = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.wrong("no escape of JSON")),
        };
        self.at += 2;
        Ok(character)
    }

    /// `\u` and four digits, or two of them that are one character; half a pair is the replacement character.
    fn unicode(&mut self) -> Result<char, NotJson> {
        self.heap.spend(1)?;
        let first = self.unit(self.at).ok_or_else(|| self.wrong("four hexadecimal digits follow `\\u`"))?;
        self.at += 6;
        if (0xd800..0xdc00).contains(&first) {
            if let Some(second) = self.unit(self.at).filter(|second| (0xdc00..0xe000).contains(second)) {
                self.at += 6;
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
    }

    fn number(&mut self) -> Result<Value, NotJson> {
        let start = self.at;
        self.take(b'-');
        let whole = self.digits();
        if whole == 0 || whole > 1 && self.bytes.get(self.at - whole) == Some(&b'0') {
            return Err(self.wrong("a number has a digit, and no zeros in front of it"));
        }
        let mut is_whole = true;
        if self.take(b'.') {
            is_whole = false;
            if self.digits() == 0 {
                return Err(self.wrong("a digit follows a decimal point"));
            }
        }
        if self.take(b'e') || self.take(b'E') {
            is_whole = false;
            let _ = self.take(b'+') || self.take(b'-');
            if self.digits() == 0 {
                return Err(self.wrong("a digit follows the `e` of an exponent"));
            }
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        if !is_whole {
            self.heap.spend(1 + digits.len().saturating_sub(8) as u64)?;
            return Ok(Value::Double(digits.parse().unwrap_or_default()));
        }
        Ok(digits.parse().map_or_else(|_| Value::BigInteger(self.text.slice(start..self.at)), Value::Integer))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.passed += self.at - start;
        self.at - start
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, NotJson> {
        if !self.bytes.get(self.at..).unwrap_or_default().starts_with(word.as_bytes()) {
            return Err(self.wrong("a word that JSON does not have"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn skip_space(&mut self) {
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        if self.peek().as_ref().is_some_and(|byte| is_space(&byte)) {
            let count = self.bytes.get(self.at..).unwrap_or_default().iter().take_while(is_space).count();
            self.at += count;
            self.passed += count;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn wrong(&self, message: &'static str) -> NotJson {
        NotJson::Syntax { offset: self.at, message }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Budget, json_text};
    use super::*;

    fn read(json: &str) -> Result<String, NotJson> {
        let mut heap = Heap::new(Budget::default());
        let value = parse(&json.into(), &mut heap)?;
        Ok(json_text(&value, &mut heap).unwrap())
    }

    #[test]
    fn what_json_is_and_what_it_is_not_is_as_serde_json_says() {
        for json in [
            "",
            " ",
            "{",
            "{\"a\"",
            "{\"a\":}",
            "{\"a\":1,}",
            "[1,]",
            "[1 2]",
            "01",
            "-",
            "-0",
            "1.",
            "1.0",
            ".5",
            "1e",
            "1e5",
            "1E+2",
            "tru",
            "true",
            "nul",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u00e9\\n\"",
            "\"\u{1}\"",
            "\"a",
            "{a:1}",
            "{'a':1}",
            "[[[]]]",
            "1 1",
            "\u{feff}1",
            " {\"a\" : [ 1 , {\"b\":null} ] } \n",
            "+1",
            "NaN",
            "\"\\ud83d\\ude00\"",
            "\"\u{1f600}\"",
            "[]]",
            "}",
            "1e400",
        ] {
            let ours = read(json);
            if json == "1e400" {
                // Java reads it as infinity, for which JSON has no word.
                assert_eq!(ours.as_deref(), Ok("null"));
                continue;
            }
            let serde: Result<serde_json::Value, _> = serde_json::from_str(json);
            assert_eq!(ours.is_ok(), serde.is_ok(), "{json}: {ours:?} {serde:?}");
            if let (Ok(ours), Ok(serde)) = (ours, serde) {
                let again: serde_json::Value = serde_json::from_str(&ours).unwrap();
                assert!(again == serde || again.as_f64() == serde.as_f64(), "{json}: {ours}");
            }
        }
    }

    #[test]
    fn the_depth_and_the_number_of_values_are_bounded() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(read(&deep(256)).is_ok());
        assert_eq!(read(&deep(258)), Err(NotJson::Exhausted(Exhausted::Depth)));
        let many = format!("[{}0]", "0,".repeat(1_000_000));
        assert_eq!(read(&many), Err(NotJson::Exhausted(Exhausted::Steps)));
    }

    #[test]
    fn half_a_pair_is_replaced() {
        assert_eq!(read(r#""\ud83dx""#).unwrap(), "\"\u{fffd}x\"");
    }
}
