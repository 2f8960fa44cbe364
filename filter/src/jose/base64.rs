//! Base64url as RFC 7515, section 2 has it: no padding, no other alphabet, no whitespace, and no bits left over, so that every value
//! has exactly one text. The decoder is the one that the verification has, so that both read the same.

use jwt_simple::reexports::ct_codecs::{Base64UrlSafeNoPadding, Decoder};

/// None: it is not in that form.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlSafeNoPadding::decode_to_vec(text, None).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_one_text() {
        assert_eq!(decode("").unwrap(), b"");
        assert_eq!(decode("-_8").unwrap(), [0xfb, 0xff]);
        for text in ["-_8=", "+/8", "-_9", "-", "-_8\n", " -_8", "-_ 8", "AAAAA", "A\u{e4}"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
