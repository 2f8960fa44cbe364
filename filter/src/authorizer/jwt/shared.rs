//! What all workers of a proxy share of an issuer: the keys that one of them fetched, and when one of them last began to fetch.
//!
//! Two entries an issuer. Their names come from the configuration alone, so no client can make one. `attempt` is a lease: who puts
//! its own start there by compare-and-set fetches, and nobody else does until it is old.

/// The last time somebody began to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub started_millis: u64,
    /// It failed, and nothing is under way any more.
    pub failed: bool,
}

/// Keys that were fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedKeys<'a> {
    /// When the attempt began that brought them: they are at least as new.
    pub fetched_millis: u64,
    /// When the issuer last said where its keys are.
    pub discovered_millis: u64,
    /// Where it said they are; empty when nobody asked it.
    pub uri: &'a str,
    /// The key set, as it came.
    pub text: &'a [u8],
}

// === impl Attempt ===

impl Attempt {
    /// None: not what this version writes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first_chunk::<8>()? {
            (started, [failed @ (0 | 1)]) => Some(Self { started_millis: u64::from_be_bytes(*started), failed: *failed == 1 }),
            _ => None,
        }
    }

    /// The entry.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.started_millis.to_be_bytes().to_vec();
        bytes.push(u8::from(self.failed));
        bytes
    }
}

// === impl SharedKeys ===

impl<'a> SharedKeys<'a> {
    /// None: not what this version writes.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (fetched, rest) = bytes.split_first_chunk::<8>()?;
        let (discovered, rest) = rest.split_first_chunk::<8>()?;
        let (size, rest) = rest.split_first_chunk::<4>()?;
        let (uri, text) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*size)).ok()?)?;
        Some(Self {
            fetched_millis: u64::from_be_bytes(*fetched),
            discovered_millis: u64::from_be_bytes(*discovered),
            uri: std::str::from_utf8(uri).ok()?,
            text,
        })
    }

    /// The entry.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.fetched_millis.to_be_bytes().to_vec();
        bytes.extend(self.discovered_millis.to_be_bytes());
        bytes.extend(u32::try_from(self.uri.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(self.uri.as_bytes());
        bytes.extend(self.text);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_they_are_written() {
        for failed in [false, true] {
            let attempt = Attempt { started_millis: u64::MAX - 1, failed };
            assert_eq!(Attempt::parse(&attempt.to_bytes()), Some(attempt));
        }
        for (uri, text) in [("", "".as_bytes()), ("https://a.test/k\u{e9}", b"{\"keys\":[]}\0\xff")] {
            let keys = SharedKeys { fetched_millis: 1, discovered_millis: u64::MAX, uri, text };
            assert_eq!(SharedKeys::parse(&keys.to_bytes()), Some(keys));
        }
    }

    #[test]
    fn entries_of_somebody_else_are_none() {
        for bytes in [b"".as_slice(), b"12345678", b"12345678\x02", b"12345678\x01x"] {
            assert_eq!(Attempt::parse(bytes), None, "{bytes:?}");
        }
        let keys = SharedKeys { fetched_millis: 1, discovered_millis: 2, uri: "https://a.test", text: b"" }.to_bytes();
        for end in 0..keys.len() {
            assert_eq!(SharedKeys::parse(&keys[..end]), None, "{end}");
        }
        assert_eq!(SharedKeys::parse(&[0xff; 40]), None);
    }
}
