//! The wire format of protocol buffers: fields, one after the other. Which fields a message has is its reader's business.
//!
//! Nothing here copies, recurses or allocates for what it reads: a message of any size costs one walk along its fields.

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// A number, a boolean or an enumeration.
    Varint(u64),
    /// `double` and `fixed64`, as they stand there.
    Fixed64([u8; 8]),
    /// A text, bytes or a message.
    Bytes(&'a [u8]),
    /// `float` and `fixed32`, which no message here has.
    Fixed32,
}

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const LENGTH: u8 = 2;
const FIXED32: u8 = 5;

/// Takes the first field from a message: its number and its value. None when the bytes are no field; groups, which protocol buffers
/// gave up, are none.
pub fn take_field<'a>(message: &mut &'a [u8]) -> Option<(u64, Field<'a>)> {
    let tag = take_varint(message)?;
    let field = match u8::try_from(tag & 7).ok()? {
        VARINT => Field::Varint(take_varint(message)?),
        FIXED64 => Field::Fixed64(take(message, 8)?.try_into().ok()?),
        LENGTH => {
            let length = usize::try_from(take_varint(message)?).ok()?;
            Field::Bytes(take(message, length)?)
        }
        FIXED32 => take(message, 4).map(|_| Field::Fixed32)?,
        _ => return None,
    };
    Some((tag >> 3, field))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = bytes.split_at_checked(length)?;
    *bytes = tail;
    Some(head)
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, tail) = bytes.split_first()?;
        *bytes = tail;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Adds a number to a message. `field` is below 16: its tag is one byte.
pub fn put_number(field: u8, number: u64, message: &mut Vec<u8>) {
    message.push(field << 3 | VARINT);
    put_varint(number, message);
}

/// Adds a text, bytes or a message to a message. `field` is below 16: its tag is one byte.
pub fn put_bytes(field: u8, bytes: &[u8], message: &mut Vec<u8>) {
    message.push(field << 3 | LENGTH);
    put_varint(bytes.len() as u64, message);
    message.extend_from_slice(bytes);
}

fn put_varint(mut number: u64, message: &mut Vec<u8>) {
    while number > 0x7f {
        message.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    message.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of <https://protobuf.dev/programming-guides/encoding>: 150 as field 1, `testing` as field 2.
    #[test]
    fn the_examples_of_the_specification_are_read_and_written() {
        let mut message = Vec::new();
        put_number(1, 150, &mut message);
        put_bytes(2, b"testing", &mut message);
        assert_eq!(message, b"\x08\x96\x01\x12\x07testing");
        let mut rest = message.as_slice();
        assert_eq!(take_field(&mut rest), Some((1, Field::Varint(150))));
        assert_eq!(take_field(&mut rest), Some((2, Field::Bytes(b"testing"))));
        assert_eq!((rest, take_field(&mut rest)), (&b""[..], None));
    }

    #[test]
    fn numbers_of_every_length_come_back() {
        for number in (0..64).flat_map(|bit| [(1 << bit) - 1, 1_u64 << bit]).chain([u64::MAX]) {
            let mut message = Vec::new();
            put_number(15, number, &mut message);
            assert_eq!(take_field(&mut message.as_slice()), Some((15, Field::Varint(number))));
        }
    }

    #[test]
    fn fields_of_a_fixed_size_are_stepped_over() {
        let mut rest = &b"\x0d\x01\x02\x03\x04\x11\x01\x02\x03\x04\x05\x06\x07\x08\x18\x01"[..];
        assert_eq!(take_field(&mut rest), Some((1, Field::Fixed32)));
        assert_eq!(take_field(&mut rest), Some((2, Field::Fixed64([1, 2, 3, 4, 5, 6, 7, 8]))));
        assert_eq!(take_field(&mut rest), Some((3, Field::Varint(1))));
    }

    #[test]
    fn what_is_cut_off_too_long_or_a_group_is_no_field() {
        let endless = [0xff; 32];
        for bytes in
            [&b"\x08"[..], b"\x08\x80", b"\x12\x02a", b"\x12", b"\x0d\x01", b"\x11\x01", b"\x0b", b"\x0c", b"\x0e", &endless]
        {
            assert_eq!(take_field(&mut &*bytes), None, "{bytes:?}");
        }
        let length_beyond_memory = b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(take_field(&mut &length_beyond_memory[..]), None);
    }
}
