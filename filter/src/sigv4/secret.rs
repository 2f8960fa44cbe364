//! The secret access key, and the signing key that is derived from it for one day, region and service.

use super::Scope;
use hmac_sha256::HMAC;
use std::fmt;

/// A secret access key. It can be used, never seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

// === impl Secret ===

impl Secret {
    /// A secret that is one: whoever has an empty secret could be anybody.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self(text))
    }

    /// The key that signs one day's requests to one service in one region.
    pub fn signing_key(&self, scope: &Scope) -> [u8; 32] {
        let date = HMAC::mac(&scope.date, format!("AWS4{}", self.0));
        let region = HMAC::mac(&scope.region, date);
        let service = HMAC::mac(&scope.service, region);
        HMAC::mac("aws4_request", service)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(<redacted>)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_and_not_empty() {
        assert_eq!(format!("{:?}", Secret::new("hidden")), "Some(Secret(<redacted>))");
        assert_eq!(Secret::new(""), None);
    }

    #[test]
    fn the_key_is_that_of_the_aws_documentation() {
        // "Examples of how to derive a signing key", AWS General Reference.
        let scope = Scope { date: "20150830".into(), region: "us-east-1".into(), service: "iam".into() };
        let key = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").unwrap().signing_key(&scope);
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }
}
