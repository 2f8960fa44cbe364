//! The few DER structures that a host asks for: public keys as SubjectPublicKeyInfo (RFC 5280, 3279, 5480) and ECDSA signatures as
//! a sequence of two integers. Written only, never read.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// rsaEncryption with its parameters: NULL.
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// id-ecPublicKey on prime256v1.
pub(super) const P256: &[u8] =
    &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// id-ecPublicKey on secp384r1.
pub(super) const P384: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

/// The public key of a modulus and an exponent.
pub(super) fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    public_key(RSA, &integers(modulus, exponent))
}

/// The public key of an algorithm with its parameters.
pub(super) fn public_key(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let mut content = element(SEQUENCE, algorithm);
    // A bit string says first how many bits of its last byte do not count.
    content.extend(element(BIT_STRING, &[&[0], key].concat()));
    element(SEQUENCE, &content)
}

/// A sequence of two positive integers.
pub(super) fn integers(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut content = integer(first);
    content.extend(integer(second));
    element(SEQUENCE, &content)
}

/// An integer in as few bytes as it takes; a zero byte in front where it would read as negative.
fn integer(big_endian: &[u8]) -> Vec<u8> {
    let digits = without_leading_zeros(big_endian);
    match digits.first() {
        Some(first) if *first < 0x80 => element(INTEGER, digits),
        _ => element(INTEGER, &[&[0], digits].concat()),
    }
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = without_leading_zeros(&length);
    let mut element = vec![tag];
    match digits {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        _ => {
            // At most eight digits, so this fits.
            element.push(0x80 | digits.len() as u8);
            element.extend(digits);
        }
    }
    element.extend(content);
    element
}

/// The digits that count of a big-endian number.
pub(super) fn without_leading_zeros(big_endian: &[u8]) -> &[u8] {
    let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
    big_endian.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_and_positive() {
        assert_eq!(integers(&[0, 0, 1], &[0x80]), [0x30, 7, 2, 1, 1, 2, 2, 0, 0x80]);
        assert_eq!(integers(&[0x7f, 0], &[0, 0]), [0x30, 7, 2, 2, 0x7f, 0, 2, 1, 0]);
    }

    #[test]
    fn lengths_take_the_short_form_where_they_can() {
        assert_eq!(element(4, &[]), [4, 0]);
        assert_eq!(element(4, &[9; 127])[..2], [4, 127]);
        assert_eq!(element(4, &[9; 128])[..3], [4, 0x81, 128]);
        assert_eq!(element(4, &[9; 255])[..3], [4, 0x81, 255]);
        assert_eq!(element(4, &[9; 256])[..4], [4, 0x82, 1, 0]);
    }
}
