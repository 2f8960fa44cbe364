//! The one encoding of a target that everybody who signs agrees on: all but unreserved characters (RFC 3986, section 2.3) by
//! their bytes, once. What clients send, and URIs of definitions say, may leave more as it is. S3 signs a path as it is decoded and
//! encoded again; Envoy's signer takes one with a `:` in it for a path that is not encoded at all, and the service refuses that
//! signature.

use crate::http::percent_encode;

/// The target in that encoding.
pub fn strictly_encoded(target: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(target.len());
    let (mut in_query, mut in_value) = (false, false);
    let mut rest = target;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'%' => match tail.split_at_checked(2) {
                Some((digits, after)) if digits.iter().all(u8::is_ascii_hexdigit) => {
                    out.push(byte);
                    out.extend(digits.iter().map(u8::to_ascii_uppercase));
                    rest = after;
                }
                _ => out.extend(b"%25"),
            },
            b'/' if !in_query => out.push(byte),
            b'?' if !in_query => {
                in_query = true;
                out.push(byte);
            }
            b'&' if in_query => {
                in_value = false;
                out.push(byte);
            }
            b'=' if in_query && !in_value => {
                in_value = true;
                out.push(byte);
            }
            _ => out.extend(percent_encode(&[byte]).into_bytes()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_wrote_a_target_it_has_one_encoding() {
        for (written, sent) in [
            ("/bucket/a b:c+d~e/@=;", "/bucket/a%20b%3Ac%2Bd~e/%40%3D%3B"),
            ("/bucket/a%20b%3ac%2fd//e", "/bucket/a%20b%3Ac%2Fd//e"),
            ("/\u{e9}", "/%C3%A9"),
            ("/a%2/%zz/%", "/a%252/%25zz/%25"),
            ("/b?prefix=a/b:c&x=1=2&lifecycle&y=?", "/b?prefix=a%2Fb%3Ac&x=1%3D2&lifecycle&y=%3F"),
            ("/?Action=Publish", "/?Action=Publish"),
            ("/", "/"),
        ] {
            assert_eq!(String::from_utf8(strictly_encoded(written.as_bytes())).unwrap(), sent, "{written}");
        }
    }
}
