//! The canonical request: the one form in which signer and verifier write the same request down (IAM user guide, "Create a signed
//! request", steps 1 to 3). What means the same to the gateway is written the same here, and what does not is not: a signature
//! must not carry over to a request that is read differently.

use super::{Rules, Signed, Unauthentic};
use crate::http::{RequestHead, percent_encode};
use hmac_sha256::Hash;

/// What was signed, or should have been: for whoever has to find out why two signatures differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Header values may be any bytes.
    pub canonical_request: Vec<u8>,
    /// What the signing key signs.
    pub string_to_sign: String,
}

/// The query parameter that cannot be part of what it signs.
pub(super) const SIGNATURE: &[u8] = b"X-Amz-Signature";
pub(super) const TOKEN: &[u8] = b"X-Amz-Security-Token";

// === impl Explained ===

impl Explained {
    pub(super) fn new(signed: &Signed, request: &RequestHead, payload: &str, rules: &Rules<'_>) -> Result<Self, Unauthentic> {
        let (raw_path, raw_query) = split_target(&request.path);
        let left_out = |name: &[u8]| signed.is_presigned() && (name == SIGNATURE || (rules.token_after_signing && name == TOKEN));
        let mut text = Vec::with_capacity(request.path.len() * 2 + 1024);
        let mut line = |part: &[u8]| {
            text.extend_from_slice(part);
            text.push(b'\n');
        };
        line(request.method.as_bytes());
        line(path(raw_path, rules.normalize_path).as_bytes());
        line(query(raw_query, left_out).as_bytes());
        for name in &signed.signed_headers {
            line(&header(name, request).ok_or_else(|| Unauthentic::NotSent(name.clone()))?);
        }
        line(b"");
        line(signed.signed_headers.join(";").as_bytes());
        text.extend_from_slice(payload.as_bytes());
        let string_to_sign =
            format!("{}\n{}\n{}\n{}", super::ALGORITHM, signed.date, signed.scope.credential_scope(), hex(&Hash::hash(&text)));
        Ok(Self { canonical_request: text, string_to_sign })
    }
}

/// Path and query, as they were sent.
pub(super) fn split_target(target: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = target.splitn(2, |byte| *byte == b'?');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// The path as it was sent, encoded once more: `%3A` is signed as `%253A` for every service but S3 (seen for API Gateway in
/// aws/aws-sdk-net #3132). Dot segments and repeated slashes are taken out first, as AWS's own signers do (botocore,
/// `normalize_url_path`); the gateway refuses the former before it comes here.
fn path(path: &[u8], normalize: bool) -> String {
    let segments: Vec<_> = path.split(|byte| *byte == b'/').collect();
    if !normalize {
        return segments.iter().map(|segment| percent_encode(segment)).collect::<Vec<_>>().join("/");
    }
    let mut kept: Vec<&[u8]> = Vec::with_capacity(segments.len());
    for segment in segments {
        match segment {
            b"" | b"." => {}
            b".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    let mut text: String = kept.iter().map(|segment| format!("/{}", percent_encode(segment))).collect();
    if text.is_empty() || path.ends_with(b"/") {
        text.push('/');
    }
    text
}

/// The parameters decoded, encoded in the one strict way, and sorted by name and then by value.
fn query(query: &[u8], left_out: impl Fn(&[u8]) -> bool) -> String {
    let mut parameters: Vec<String> = parameters(query)
        .map(|(name, value)| (decode(name), value))
        .filter(|(name, _)| !left_out(name))
        .map(|(name, value)| format!("{}={}", percent_encode(&name), percent_encode(&decode(value))))
        .collect();
    // By name first: `Param` comes before `Param-3`, although `=` comes after `-`.
    parameters.sort_unstable_by(|one, other| one.split_once('=').cmp(&other.split_once('=')));
    parameters.join("&")
}

/// Names and values as they were sent, split where [`crate::http::Query`] splits: at `;` too, else `a=1;b=2` and `a=1%3Bb%3D2`
/// would have one signature and two meanings: assumed(sigv4-semicolon).
pub(super) fn parameters(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    query.split(|byte| matches!(byte, b'&' | b';')).filter(|pair| !pair.is_empty()).map(|pair| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    })
}

/// Percent-decoding into bytes. `+` is a space, as for whoever reads the parameter later: assumed(sigv4-plus). A broken encoding
/// stays what it is.
pub(super) fn decode(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => match (nibble(*high), nibble(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high * 16 + low);
                    rest = after;
                }
                _ => bytes.push(b'%'),
            },
            _ => bytes.push(byte),
        }
    }
    bytes
}

/// `name:value`, the values of several lines joined by commas; nothing for a header that was not sent.
fn header(name: &str, request: &RequestHead) -> Option<Vec<u8>> {
    let mut line = format!("{name}:").into_bytes();
    // The host is the `:authority` of the request; a `Host` line beside it would be a second opinion, and changes the signature.
    let is_host = matches!(name, "host" | ":authority") && !request.authority.is_empty();
    let authority = is_host.then_some(request.authority.as_slice());
    let mut values = authority.into_iter().chain(request.headers.get_all(name)).peekable();
    values.peek()?;
    for (place, value) in values.enumerate() {
        if place > 0 {
            line.push(b',');
        }
        fold_spaces(value, &mut line);
    }
    Some(line)
}

/// No space around it, and one space for each run within. A folded line counts as a run.
fn fold_spaces(value: &[u8], line: &mut Vec<u8>) {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    for (place, word) in value.split(is_space).filter(|word| !word.is_empty()).enumerate() {
        if place > 0 {
            line.push(b' ');
        }
        line.extend_from_slice(word);
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    crate::hex::encode(bytes)
}

/// 64 lower-case hexadecimal digits.
pub(super) fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let mut digits = text.bytes().map(|digit| if digit.is_ascii_uppercase() { None } else { nibble(digit) });
    for byte in &mut bytes {
        *byte = digits.next()?? * 16 + digits.next()??;
    }
    digits.next().is_none().then_some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_encoded_once_more_than_it_was_sent() {
        for (sent, signed) in [
            ("/$default/%40connections/P%3D", "/%24default/%2540connections/P%253D"),
            ("/_search/%3Fa=b%20c", "/_search/%253Fa%3Db%2520c"),
            ("", "/"),
            ("//a//./b/../c//", "/a/c/"),
            ("/../..", "/"),
            ("/a/.", "/a"),
        ] {
            assert_eq!(path(sent.as_bytes(), true), signed, "{sent}");
        }
        assert_eq!(path(b"//a/./b c", false), "//a/./b%20c");
    }

    #[test]
    fn a_query_has_one_form_for_each_meaning() {
        let canonical = |text: &[u8]| query(text, |name| name == SIGNATURE);
        assert_eq!(canonical(b"b=2&a=%32&a=1&Param-3=x&Param=y&c"), "Param=y&Param-3=x&a=1&a=2&b=2&c=");
        assert_eq!(canonical(b"a=x+y%2Bz&e=%c3%A9&X-Amz-Signature=0&%58-Amz-Signature=1"), "a=x%20y%2Bz&e=%C3%A9");
        assert_eq!(canonical(b"a=1;b=2&&bad=%zz%4&n=\xff=="), "a=1&b=2&bad=%25zz%254&n=%FF%3D%3D");
        assert_ne!(canonical(b"a=1;b=2"), canonical(b"a=1%3Bb%3D2"));
        assert_eq!(canonical(b""), "");
    }

    #[test]
    fn header_values_are_joined_and_their_spaces_folded() {
        let mut request = RequestHead { authority: b"a:443".to_vec(), ..RequestHead::default() };
        request.headers.append("X", "  a \t b  ");
        request.headers.append("x", b"\xff\r\n c".to_vec());
        request.headers.append("Empty", " ");
        let line = |name: &str| header(name, &request);
        assert_eq!(line("x").unwrap(), b"x:a b,\xff c");
        assert_eq!(line("empty").unwrap(), b"empty:");
        assert_eq!(line("host").unwrap(), b"host:a:443");
        assert_eq!(line(":authority").unwrap(), b":authority:a:443");
        assert_eq!(line("y"), None);
        request.headers.append("Host", "b");
        assert_eq!(header("host", &request).unwrap(), b"host:a:443,b");
    }

    #[test]
    fn only_64_lower_case_digits_are_a_hash() {
        let text = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        assert_eq!(unhex(text).map(|bytes| hex(&bytes)).as_deref(), Some(text));
        for text in [&text.replacen('5', "", 1), &text.to_uppercase(), &format!("{text}0"), &text.replace('f', "g"), ""] {
            assert_eq!(unhex(text), None, "{text}");
        }
    }
}
