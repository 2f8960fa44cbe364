//! JSON (RFC 8259) that is looked over, and not built: a function's output may have megabytes, of which one text is wanted.

use super::plain::plain_length;

/// Deeper text is none.
const DEPTH_LIMIT: u32 = 120;

/// Of text with more values than these nobody looks at the rest: some 20 ms.
const VALUES: usize = 200_000;

/// The names and values of an object's members, as they are written, in their order, as long as whoever is told wants more. None: it
/// is no object, or no JSON, or too much.
pub fn members<'t>(text: &'t str, each: &mut dyn FnMut(&'t str, &'t str) -> bool) -> Option<()> {
    let mut skimmer = Skimmer { text, at: 0, left: VALUES };
    skimmer.skip_space();
    skimmer.take(b'{')?;
    skimmer.skip_space();
    if skimmer.take(b'}').is_none() {
        loop {
            let name = skimmer.name()?;
            skimmer.skip_space();
            let start = skimmer.at;
            skimmer.value()?;
            if !each(name, text.get(start..skimmer.at)?) {
                return Some(());
            }
            skimmer.skip_space();
            if skimmer.take(b',').is_none() {
                skimmer.take(b'}')?;
                break;
            }
        }
    }
    skimmer.end()
}

/// What the value of a member says, if it is a string. None: it is none, or has half a character in it.
pub fn said(value: &str) -> Option<String> {
    unescaped(value.strip_prefix('"')?.strip_suffix('"')?)
}

/// The same of a text that may be no JSON.
pub fn string(text: &str) -> Option<String> {
    let mut skimmer = Skimmer { text, at: 0, left: VALUES };
    skimmer.skip_space();
    let start = skimmer.at + 1;
    skimmer.string()?;
    let inside = text.get(start..skimmer.at - 1)?;
    skimmer.end()?;
    unescaped(inside)
}

/// The text of a member of an object; the last one, where there are several.
pub fn text_of(text: &[u8], name: &str) -> Option<String> {
    let mut found = None;
    members(std::str::from_utf8(text).ok()?, &mut |known, value| {
        if known == name {
            found = Some(value);
        }
        true
    })?;
    said(found?)
}

struct Skimmer<'t> {
    text: &'t str,
    at: usize,
    /// Values.
    left: usize,
}

// === impl Skimmer ===

impl<'t> Skimmer<'t> {
    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) -> Option<()> {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next.then_some(())
    }

    #[inline(always)]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn end(&mut self) -> Option<()> {
        self.skip_space();
        self.peek().is_none().then_some(())
    }

    /// The name of a member, without its quotes, and the colon.
    fn name(&mut self) -> Option<&'t str> {
        self.skip_space();
        let start = self.at + 1;
        self.string()?;
        let name = self.text.get(start..self.at - 1)?;
        self.skip_space();
        self.take(b':')?;
        Some(name)
    }

    /// One value with all that is in it; which of the open ones are objects, is a bit each.
    fn value(&mut self) -> Option<()> {
        let (mut depth, mut objects) = (0, 0_u128);
        loop {
            self.left = self.left.checked_sub(1)?;
            self.skip_space();
            let opens = match self.peek()? {
                b'{' => Some((1, b'}')),
                b'[' => Some((0, b']')),
                _ => None,
            };
            if let Some((is_object, close)) = opens {
                self.at += 1;
                self.skip_space();
                if self.take(close).is_none() {
                    depth += 1;
                    if depth > DEPTH_LIMIT {
                        return None;
                    }
                    objects = objects << 1 | is_object;
                    if is_object == 1 {
                        self.name()?;
                    }
                    continue;
                }
            } else {
                self.scalar()?;
            }
            // What ends here may end others.
            loop {
                if depth == 0 {
                    return Some(());
                }
                self.skip_space();
                let is_object = objects & 1 == 1;
                if self.take(b',').is_some() {
                    if is_object {
                        self.name()?;
                    }
                    break;
                }
                self.take(if is_object { b'}' } else { b']' })?;
                depth -= 1;
                objects >>= 1;
            }
        }
    }

    fn scalar(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.at += word.len();
        self.text.as_bytes().get(self.at - word.len()..self.at).filter(|found| *found == word).map(|_| ())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            let _ = self.take(b'+').or_else(|| self.take(b'-'));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        (self.at > start).then_some(())
    }

    fn string(&mut self) -> Option<()> {
        self.take(b'"')?;
        let mut rest = self.rest();
        loop {
            rest = rest.get(plain_length(rest)..)?;
            while let [b'\\', escape, tail @ ..] = rest {
                rest = match escape {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => tail,
                    b'u' => unit(tail)?.1,
                    _ => return None,
                };
            }
            match rest {
                [b'"', tail @ ..] => {
                    self.at = self.text.len() - tail.len();
                    return Some(());
                }
                [0..=0x1f | b'\\', ..] | [] => return None,
                _ => {}
            }
        }
    }
}

/// What stands between the quotes of a string that is one.
fn unescaped(inside: &str) -> Option<String> {
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside.as_bytes();
    while !rest.is_empty() {
        let (plain, tail) = rest.split_at_checked(plain_length(rest))?;
        out.extend_from_slice(plain);
        rest = tail;
        while let [b'\\', escape, tail @ ..] = rest {
            rest = tail;
            out.push(match escape {
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'u' => {
                    let (mut code, after) = unit(rest)?;
                    rest = after;
                    if (0xd800..0xdc00).contains(&code) {
                        let (low, after) = unit(rest.strip_prefix(b"\\u")?)?;
                        rest = after;
                        code = 0x10000 + ((code - 0xd800) << 10) + low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    }
                    if code < 0x80 {
                        code as u8
                    } else {
                        let character = char::from_u32(code)?;
                        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                        continue;
                    }
                }
                itself => *itself,
            });
        }
    }
    String::from_utf8(out).ok()
}

/// Four hexadecimal digits, and what is behind them.
fn unit(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let [a, b, c, d, rest @ ..] = bytes else { return None };
    let value = |digit: &u8| DIGITS.get(usize::from(*digit)).map_or(NONE, |value| u32::from(*value));
    let (a, b, c, d) = (value(a), value(b), value(c), value(d));
    ((a | b | c | d) < NONE).then_some((a << 12 | b << 8 | c << 4 | d, rest))
}

/// What stands for no value in [`DIGITS`].
const NONE: u32 = 16;

/// The value of each hexadecimal digit.
const DIGITS: [u8; 256] = {
    let mut values = [NONE as u8; 256];
    let mut value = 0;
    while value < 16 {
        #[expect(clippy::indexing_slicing, reason = "computed while compiling")]
        {
            values[b"0123456789abcdef"[value as usize] as usize] = value;
            values[b"0123456789ABCDEF"[value as usize] as usize] = value;
        }
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn read(text: &str) -> Option<Vec<(&str, &str)>> {
        let mut found = Vec::new();
        members(text, &mut |name, value| {
            found.push((name, value));
            true
        })?;
        Some(found)
    }

    #[test]
    fn members_are_told_as_they_are_written() {
        assert_eq!(read(" {} "), Some(vec![]));
        let text = r#" { "a" : [1, {"b": [], "c": {}}, -0.5e+7] , "d":"x\"}" ,"a": null } "#;
        let wanted = vec![("a", r#"[1, {"b": [], "c": {}}, -0.5e+7]"#), ("d", r#""x\"}""#), ("a", "null")];
        assert_eq!(read(text), Some(wanted));
        assert_eq!(text_of(text.as_bytes(), "d").as_deref(), Some("x\"}"));
        assert_eq!((text_of(text.as_bytes(), "a"), text_of(b"\xff", "a")), (None, None));
    }

    #[test]
    fn what_serde_reads_is_read_and_nothing_else() {
        for text in [
            "",
            "1",
            "[]",
            "\"a\"",
            "{",
            "{}x",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":-}",
            "{\"a\":1e}",
            "{\"a\":+1}",
            "{\"a\":tru}",
            "{\"a\":truex}",
            "{\"a\":nul",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12g4\"}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"}",
            "{\"a\":[1 2]}",
            "{\"a\":[1,]}",
            "{\"a\":[}]}",
            "{\"a\":{]}",
            "{\"a\":[1}",
            "{\"a\":1}}",
            "{\"a\" 1}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":NaN}",
            "\u{feff}{}",
            "{\"a\":0}",
            "{\"a\":-0.0E-0}",
            "{\"a\":[[],{},[{}]]}",
            "{\"\":\"\\ud83d\\ude00\"}",
        ] {
            let is_object = serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
            assert_eq!(read(text).is_some(), is_object, "{text}");
        }
    }

    #[test]
    fn a_string_says_what_serde_says() {
        for text in [
            r#""""#,
            r#" "a" "#,
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\u00e9\u20AC\ud83d\ude00x""#,
            r#""é€😀""#,
            r#""\ud83d""#,
            r#""\ud83dx""#,
            r#""\ud83d\u0041""#,
            r#""\ude00""#,
            r#""a"#,
            r#"a""#,
            r#""a"b"#,
            "\"",
            "1",
            "\"\n\"",
            r#""\"#,
            r#""\u12""#,
        ] {
            assert_eq!(string(text), serde_json::from_str(text).ok(), "{text}");
        }
    }

    #[test]
    fn what_is_nested_deep_is_nothing() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(100)).is_some() && read(&nested(200)).is_none());
        assert!(read(&format!("{{\"a\":{}", "{\"a\":".repeat(1_000_000))).is_none());
    }

    #[test]
    fn nobody_looks_at_more_values_than_are_worth_it() {
        let list = |values: usize| format!("{{\"a\":[{}1]}}", "1,".repeat(values));
        assert!(read(&list(100_000)).is_some() && read(&list(VALUES)).is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(text in ".*", spaces in "[ \n\r\t]{0,3}") {
            let written = format!("{spaces}{}{spaces}", json!(text));
            prop_assert_eq!(string(&written), Some(text.clone()));
            let object = json!({"x": [text.clone(), {"y": text.clone()}], "z": text}).to_string();
            prop_assert_eq!(text_of(object.as_bytes(), "z"), Some(text));
        }

        #[test]
        fn no_text_is_too_odd(text in r#"[\[\]{}",:\\u0-9a-f eE.+\-tn]{0,40}"#) {
            let text = format!("{{\"a\":{text}}}");
            let wanted = serde_json::from_str::<Value>(&text);
            // Numbers and halves of characters that serde cannot tell are JSON all the same.
            if wanted.is_ok() {
                prop_assert!(read(&text).is_some(), "{}", text);
            }
        }
    }
}
