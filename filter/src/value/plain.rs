//! How far a text goes on without anything that JSON escapes.

/// A byte in each of eight places.
const EACH: u64 = 0x0101_0101_0101_0101;

/// How many bytes from the first are neither a quote, nor a backslash, nor a control character. Eight are looked at together: most
/// texts have nothing of it.
pub fn plain_length(bytes: &[u8]) -> usize {
    let is_plain = |byte: &&u8| !matches!(**byte, b'"' | b'\\' | 0..=0x1f);
    let eights = bytes.chunks_exact(8).map_while(|eight| eight.try_into().ok().map(u64::from_le_bytes));
    let length = 8 * eights.take_while(|eight| !has_special(*eight)).count();
    length + bytes.get(length..).unwrap_or_default().iter().take_while(is_plain).count()
}

/// Whether any of eight bytes is not plain. `x - 1 & !x` has a byte's highest bit only where `x` is zero in it, or a byte below was.
fn has_special(eight: u64) -> bool {
    let is_zero = |x: u64| x.wrapping_sub(EACH) & !x;
    let control = eight.wrapping_sub(EACH * 0x20) & !eight;
    (control | is_zero(eight ^ (EACH * 0x22)) | is_zero(eight ^ (EACH * 0x5c))) & (EACH * 0x80) != 0
}

#[cfg(test)]
mod tests {
    use super::plain_length;

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
