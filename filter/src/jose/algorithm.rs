//! The signature algorithms that are taken (RFC 7518, section 3.1; RFC 8037). What is not in the list does not exist: not `none`, in
//! no spelling, and no MAC but HS256.

/// How a token is signed: the `alg` of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256.
    Hs256,
}

// === impl Algorithm ===

impl Algorithm {
    pub(super) const ALL: [(&'static str, Self); 10] = [
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
        ("HS256", Self::Hs256),
    ];

    /// Reads the name; case counts (RFC 7515, section 4.1.1).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }

    /// The name as headers and keys have it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (name, algorithm) in Algorithm::ALL {
            assert_eq!(Algorithm::parse(name), Some(algorithm));
            assert_eq!(algorithm.as_str(), name);
        }
    }

    #[test]
    fn none_and_other_spellings_are_no_algorithms() {
        for name in ["none", "None", "NONE", "nOnE", "", "rs256", "RS256 ", "eddsa", "EDDSA", "HS384", "HS512", "ES512", "ES256K"] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }
}
