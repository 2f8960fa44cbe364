//! The ids of one request: made from sixteen random bytes, used in headers, logs and traces.

use crate::hex;

/// Sixteen random bytes and the spellings that AWS gives to such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids([u8; 16]);

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// === impl Ids ===

impl Ids {
    /// The ids of a request.
    pub fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// `x-amzn-RequestId`: a version 4 UUID (recorded: `test_invocation_trace_id`).
    pub fn request_id(&self) -> String {
        let [a, b, c, d, e, f, version, g, variant, h, node @ ..] = self.0;
        let mut text = String::with_capacity(36);
        hex::push(&mut text, &[a, b, c, d]);
        for group in [[e, f], [version & 0x0f | 0x40, g], [variant & 0x3f | 0x80, h]] {
            text.push('-');
            hex::push(&mut text, &group);
        }
        text.push('-');
        hex::push(&mut text, &node);
        text
    }

    /// `x-amz-apigw-id`, `apigw-requestid`: fifteen characters of base64 and a `=`, as AWS's are.
    pub fn extended_request_id(&self) -> String {
        let digit = |(index, byte): (usize, &u8)| {
            // The other half of each byte than the UUID shows first: the two ids do not look like one.
            let shifted = byte.rotate_left(u32::try_from(index % 7).unwrap_or(0)) & 0x3f;
            char::from(BASE64.get(usize::from(shifted)).copied().unwrap_or(b'A'))
        };
        let mut text = String::with_capacity(16);
        text.extend(self.0.iter().enumerate().take(15).map(digit));
        text.push('=');
        text
    }

    /// The root of a new trace: `1-<8 hex: seconds>-<24 hex>`.
    pub fn trace_root(&self, now_millis: u64) -> String {
        let [_, _, _, _, unique @ ..] = &self.0;
        let [_, _, _, _, seconds @ ..] = (now_millis / 1000).to_be_bytes();
        let mut text = String::with_capacity(35);
        text.push_str("1-");
        hex::push(&mut text, &seconds);
        text.push('-');
        hex::push(&mut text, unique);
        text
    }

    /// A segment of a trace: 16 hex.
    pub fn trace_parent(&self) -> String {
        let [parent @ .., _, _, _, _, _, _, _, _] = &self.0;
        hex::encode(parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shapes_that_aws_gives_them() {
        let ids = Ids::new([0xff; 16]);
        assert_eq!(ids.request_id(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(ids.extended_request_id(), "_______________=");
        assert_eq!(ids.trace_root(1_700_000_000_123), "1-6553f100-ffffffffffffffffffffffff");
        assert_eq!(ids.trace_parent(), "ffffffffffffffff");
    }
}
