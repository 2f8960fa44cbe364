//! Base64 as RFC 4648, section 4 has it: the form of binary payloads where text is due.

use jwt_simple::reexports::ct_codecs::{Base64, Base64NoPadding, Decoder, Encoder};

/// The text of bytes.
pub fn encode(bytes: &[u8]) -> String {
    Base64::encode_to_string(bytes).unwrap_or_default()
}

/// The bytes of a text, padded or not, as Java's decoder takes it; none when it is not in that form.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let unpadded = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let is_whole = unpadded.len() == text.len() || text.len() % 4 == 0;
    Base64NoPadding::decode_to_vec(unpadded, None).ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_nothing_else_is() {
        for bytes in [b"".as_slice(), b"f", b"fo", b"foo", b"\x00\x01\xff\xfe"] {
            let text = encode(bytes);
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes));
            assert_eq!(decode(text.trim_end_matches('=').as_bytes()).as_deref(), Some(bytes));
        }
        assert_eq!(encode(b"\x00\x01\xff\xfe"), "AAH//g==");
        for text in ["plain text", "A", "AAA=A", "Zg=", "Zg===", "AAH_", "AAH/\n"] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }
}
