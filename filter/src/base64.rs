//! Base64 as RFC 4648, section 4 has it: the form of binary payloads where text is due.

//!
//! Payloads have up to ten megabytes and are no secrets: this is no code of constant time, as that of the token's parts is, but ten times
//! as fast.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What stands for no value in [`VALUES`].
const NONE: u8 = 64;

/// The value of each letter.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 64 {
        #[expect(clippy::indexing_slicing, reason = "computed while compiling")]
        {
            values[ALPHABET[value as usize] as usize] = value;
        }
        value += 1;
    }
    values
};

#[inline(always)]
fn value(letter: &u8) -> u32 {
    VALUES.get(usize::from(*letter)).map_or(0, |value| u32::from(*value))
}

/// The text of bytes.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    let letter = |bits: u32| ALPHABET.get((bits & 63) as usize).copied().unwrap_or(b'=');
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let third = if chunk.len() > 1 { letter(bits >> 6) } else { b'=' };
        let fourth = if chunk.len() > 2 { letter(bits) } else { b'=' };
        out.extend_from_slice(&[letter(bits >> 18), letter(bits >> 12), third, fourth]);
    }
    String::from_utf8(out).unwrap_or_default()
}

/// The bytes of a text, padded or not, as Java's decoder takes it; none when it is not in that form.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let unpadded = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    if unpadded.len() != text.len() && text.len() % 4 != 0 {
        return None;
    }
    let mut out = vec![0; unpadded.len() / 4 * 3];
    let chunks = unpadded.chunks_exact(4);
    let rest = chunks.remainder();
    // Seen once, at the end.
    let mut all = 0;
    for (letters, bytes) in chunks.zip(out.chunks_exact_mut(3)) {
        let ([a, b, c, d], [x, y, z]) = (letters, bytes) else { return None };
        let (a, b, c, d) = (value(a), value(b), value(c), value(d));
        all |= a | b | c | d;
        let bits = a << 18 | b << 12 | c << 6 | d;
        (*x, *y, *z) = ((bits >> 16) as u8, (bits >> 8) as u8, bits as u8);
    }
    if all & u32::from(NONE) != 0 {
        return None;
    }
    let bits = rest.iter().map(value).try_fold(0, |bits, value| (value < 64).then_some(bits << 6 | value))?;
    // What is left of the bits of the last letter is zero.
    match rest.len() {
        0 => {}
        2 if bits & 15 == 0 => out.push((bits >> 4) as u8),
        3 if bits & 3 == 0 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => return None,
    }
    Some(out)
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
