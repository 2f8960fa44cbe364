//! Eight bytes of a text at a time: how far it goes on without anything that JSON escapes, and how long Java calls it.

/// The same byte in each of eight places.
const fn eight(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The highest bit of each byte.
const HIGH: u64 = eight(0x80);

/// How many bytes from the first are neither a quote, nor a backslash, nor a control character. Eight are looked at together: most
/// texts have nothing of it.
pub fn plain_length(bytes: &[u8]) -> usize {
    let is_plain = |byte: &&u8| !matches!(**byte, b'"' | b'\\' | 0..=0x1f);
    // One escape often follows another.
    if !bytes.first().is_some_and(|byte| is_plain(&byte)) {
        return 0;
    }
    let eights = bytes.chunks_exact(8).map_while(|eight| eight.try_into().ok().map(u64::from_le_bytes));
    let length = 8 * eights.take_while(|eight| !has_special(*eight)).count();
    length + bytes.get(length..).unwrap_or_default().iter().take_while(is_plain).count()
}

/// How many units of UTF-16 a text has: one for each byte that begins a character, one more where that has four bytes.
pub fn utf16_length(text: &str) -> usize {
    let (mut eights, mut length) = (text.as_bytes().chunks_exact(8), 0);
    let units = |eight: u64| {
        let (second, third, fourth) = (eight << 1, eight << 2, eight << 3);
        let (follows, is_long) = (eight & !second, eight & second & third & fourth);
        8 - (follows & HIGH).count_ones() + (is_long & HIGH).count_ones()
    };
    for eight in &mut eights {
        length += eight.try_into().map_or(0, |eight| units(u64::from_le_bytes(eight)) as usize);
    }
    length + eights.remainder().iter().map(|byte| usize::from(*byte & 0xc0 != 0x80) + usize::from(*byte >= 0xf0)).sum::<usize>()
}

/// Whether any of eight bytes is not plain. `x - 1 & !x` has a byte's highest bit only where `x` is zero in it, or a byte below was.
fn has_special(bytes: u64) -> bool {
    let is_zero = |x: u64| x.wrapping_sub(eight(1)) & !x;
    let control = bytes.wrapping_sub(eight(b' ')) & !bytes;
    (control | is_zero(bytes ^ eight(b'"')) | is_zero(bytes ^ eight(b'\\'))) & HIGH != 0
}

#[cfg(test)]
mod tests {
    use super::{plain_length, utf16_length};

    #[test]
    fn a_text_is_as_long_as_its_units() {
        let text = "aé€\u{1f600}\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}xyz".repeat(3);
        for (at, _) in text.char_indices() {
            let (_, rest) = text.split_at(at);
            assert_eq!(utf16_length(rest), rest.encode_utf16().count(), "{at}");
        }
    }

    #[test]
    fn every_byte_is_found_at_every_place() {
        for place in 0..20 {
            for byte in 0..=255 {
                let mut bytes = vec![b'x'; 20];
                bytes[place] = byte;
                let is_special = byte < 0x20 || byte == b'"' || byte == b'\\';
                assert_eq!(plain_length(&bytes), if is_special { place } else { 20 }, "{byte} at {place}");
            }
        }
        assert_eq!(plain_length(b""), 0);
    }
}
