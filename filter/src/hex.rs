//! Lower-case hexadecimal, without the machinery of formatting: every request has ids.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Two digits for each byte, behind what is there.
pub fn push(text: &mut String, bytes: &[u8]) {
    text.reserve(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0x0f));
    }
}

/// Two digits for each byte.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    push(&mut text, bytes);
    text
}

fn digit(number: u8) -> char {
    char::from(DIGITS.get(usize::from(number)).copied().unwrap_or(b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_two_digits() {
        let all: Vec<u8> = (0..=255).collect();
        let expected: String = all.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(encode(&all), expected);
    }
}
