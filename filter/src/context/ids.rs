//! The ids of one request: made from sixteen random bytes, used in headers, logs and traces.

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
        let mut text = String::with_capacity(36);
        for (index, byte) in self.0.iter().enumerate() {
            let byte = match index {
                6 => byte & 0x0f | 0x40,
                8 => byte & 0x3f | 0x80,
                _ => *byte,
            };
            if matches!(index, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }

    /// `x-amz-apigw-id`, `apigw-requestid`: fifteen characters of base64 and a `=`, as AWS's are.
    pub fn extended_request_id(&self) -> String {
        let digit = |(index, byte): (usize, &u8)| {
            // The other half of each byte than the UUID shows first: the two ids do not look like one.
            let shifted = byte.rotate_left(u32::try_from(index % 7).unwrap_or(0)) & 0x3f;
            char::from(BASE64.get(usize::from(shifted)).copied().unwrap_or(b'A'))
        };
        self.0.iter().enumerate().take(15).map(digit).chain(['=']).collect()
    }

    /// The root of a new trace: `1-<8 hex: seconds>-<24 hex>`.
    pub fn trace_root(&self, now_millis: u64) -> String {
        let unique: String = self.0.iter().skip(4).map(|byte| format!("{byte:02x}")).collect();
        format!("1-{:08x}-{unique}", (now_millis / 1000) & 0xffff_ffff)
    }

    /// A segment of a trace: 16 hex.
    pub fn trace_parent(&self) -> String {
        self.0.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
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
