//! `$util`. AWS: "$util variables" of the mapping template reference.

use crate::base64;
use crate::template::Fault;
use crate::value::{Exhausted, Heap, Text, Value, java_text, parse, write_hex};

/// A function of one text; none where the text is not what it reads.
type Function = fn(&Text, &mut Heap) -> Option<Value>;

const FUNCTIONS: [(&str, Function); 6] = [
    ("escapeJavaScript", |text, _| Some(Value::text(escape_java_script(text)))),
    ("parseJson", |text, heap| parse(text, heap).ok()),
    ("urlEncode", |text, _| Some(Value::text(url_encode(text)))),
    ("urlDecode", |text, _| url_decode(text).map(Value::text)),
    ("base64Encode", |text, _| Some(Value::text(base64::encode(text.as_bytes())))),
    ("base64Decode", |text, _| Some(Value::text(String::from_utf8_lossy(&lenient_base64(text)).as_ref()))),
];

/// Calls a function by its name. Of `null` there is nothing but `null`; of what is no text its text is taken. What cannot be decoded
/// or parsed fails the template, as what throws in Java would: assumed(util-bad-input).
pub fn call(name: &str, arguments: &[Value], heap: &mut Heap) -> Result<Value, Fault> {
    let Some((_, function)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else { return Ok(Value::Null) };
    let text = match arguments.first() {
        None | Some(Value::Null) => return Ok(Value::Null),
        Some(Value::Text(text)) => text.clone(),
        Some(other) => Text::from(java_text(other, heap)?),
    };
    // Each byte becomes up to six, by way of a match.
    heap.budget.spend_characters(24 + text.len())?;
    function(&text, heap).ok_or_else(|| match heap.budget.left() {
        0 => Fault::Exhausted(Exhausted::Steps),
        _ => Fault::Method(format!("`$util.{name}` cannot read its text")),
    })
}

/// `StringEscapeUtils.escapeJavaScript` of commons-lang: quotes of both kinds, `\`, `/`, control characters, and all beyond ASCII as
/// UTF-16.
fn escape_java_script(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\'' | '"' | '\\' | '/' => {
                out.push('\\');
                out.push(character);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='\u{7f}' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str("\\u");
                    write_hex(&mut out, *unit, 4);
                }
            }
        }
    }
    out
}

/// `URLEncoder.encode` of Java: that of forms.
fn url_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => out.push(char::from(byte)),
            _ => {
                out.push('%');
                write_hex(&mut out, u16::from(byte), 2);
            }
        }
    }
    out
}

/// `URLDecoder.decode` of Java; none for a `%` without two digits behind it.
fn url_decode(text: &str) -> Option<String> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let [high, low, after @ ..] = tail else { return None };
                bytes.push(digit(high)? * 16 + digit(low)?);
                rest = after;
            }
            _ => bytes.push(*byte),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Both alphabets are read, what is in neither is passed over, and `=` is the end, as commons-codec does.
fn lenient_base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for letter in text.bytes().take_while(|letter| *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or(0));
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn util(name: &str, text: &str) -> Value {
        call(name, &[Value::text(text)], &mut Heap::default()).unwrap()
    }

    #[test]
    fn java_script_is_escaped_as_commons_lang_2_6_does() {
        let escaped = "\\u0000\\u0001\\b\\t\\n\\u000B\\f\\r\\u001F !\\\"#$%&\\'()*+,-.\\/0;<=>?@[\\\\]^_`{|}~\u{7f}\\u00E9\\u20AC\\uD83D\\uDE00";
        let plain = "\0\u{1}\u{8}\t\n\u{b}\u{c}\r\u{1f} !\"#$%&'()*+,-./0;<=>?@[\\]^_`{|}~\u{7f}é€\u{1f600}";
        assert_eq!(util("escapeJavaScript", plain), Value::text(escaped));
    }

    #[test]
    fn urls_are_encoded_and_decoded_as_java_does() {
        let plain = "a \n!\"#$%&'()*+,-./:;=?@[\\]^_`{|}~\u{7f}é€\u{1f600}Z9";
        let encoded = "a+%0A%21%22%23%24%25%26%27%28%29*%2B%2C-.%2F%3A%3B%3D%3F%40%5B%5C%5D%5E_%60%7B%7C%7D%7E%7F%C3%A9%E2%82%AC%F0%9F%98%80Z9";
        assert_eq!(util("urlEncode", plain), Value::text(encoded));
        assert_eq!(util("urlDecode", encoded), Value::text(plain));
        assert_eq!(util("urlDecode", "a+b%20c%ff"), Value::text("a b c\u{fffd}"));
        for broken in ["%zz", "%4", "a%"] {
            assert!(matches!(call("urlDecode", &[Value::text(broken)], &mut Heap::default()), Err(Fault::Method(_))));
        }
    }

    #[test]
    fn base64_goes_both_ways_and_reads_what_is_nearly_base64() {
        for (plain, encoded) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("a€?>", "YeKCrD8+")] {
            assert_eq!(util("base64Encode", plain), Value::text(encoded));
            assert_eq!(util("base64Decode", encoded), Value::text(plain));
        }
        assert_eq!(util("base64Decode", "Y Q=\n"), Value::text("a"));
        assert_eq!(util("base64Decode", "YeKCrD8-"), Value::text("a€?>"));
        assert_eq!(util("base64Decode", "%%"), Value::text(""));
    }

    #[test]
    fn null_stays_null_and_an_unknown_function_is_none() {
        let mut heap = Heap::default();
        for (name, _) in FUNCTIONS {
            assert_eq!(call(name, &[Value::Null], &mut heap), Ok(Value::Null));
            assert_eq!(call(name, &[], &mut heap), Ok(Value::Null));
        }
        assert!(matches!(call("parseJson", &[Value::text("{a")], &mut heap), Err(Fault::Method(_))));
        assert_eq!(util("parseJson", "5"), Value::Integer(5));
        assert_eq!(util("urlEncode", "x y"), call("urlEncode", &[Value::text("x y")], &mut heap).unwrap());
        assert_eq!(call("base64Encode", &[Value::Integer(1)], &mut heap), Ok(Value::text("MQ==")));
        assert_eq!(util("qr", "x"), Value::Null);
    }
}
