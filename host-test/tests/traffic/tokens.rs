//! Tokens of the issuers that [`super::upstream`] plays, and the keys that those publish.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
};
use serde_json::{Value, json};

use crate::drivers::body::from_base64;
use crate::drivers::tokens::base64url;

/// A key of an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// ES256, there from the start.
    First,
    /// ES384, there after a rotation.
    Second,
    /// Another name of the second.
    Never,
}

/// Signs.
pub struct Signer {
    first: EcdsaKeyPair,
    second: EcdsaKeyPair,
    random: SystemRandom,
}

/// From when until when a token counts, in seconds from now.
pub type Span = (i64, i64);

/// A day in both directions: no clock of a test leaves it.
pub const LONG: Span = (-86_400, 86_400);

// === impl Key ===

impl Key {
    fn of(self) -> (&'static str, &'static str, &'static str, &'static EcdsaSigningAlgorithm, &'static str) {
        match self {
            Self::First => ("first", "ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING, include_str!("../keys/p256.pem")),
            Self::Never => ("never", "ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING, include_str!("../keys/p384.pem")),
            Self::Second => ("second", "ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING, include_str!("../keys/p384.pem")),
        }
    }

    fn pair(self) -> EcdsaKeyPair {
        let (_, _, _, algorithm, pem) = self.of();
        let der = from_base64(&pem.lines().filter(|line| !line.starts_with('-')).collect::<String>());
        EcdsaKeyPair::from_pkcs8(algorithm, &der, &SystemRandom::new()).expect("it was made with openssl")
    }

    /// As a key set has it.
    pub fn published(self) -> Value {
        let (kid, _, curve, _, _) = self.of();
        let pair = self.pair();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
        json!({"kty": "EC", "kid": kid, "use": "sig", "crv": curve, "x": base64url(x), "y": base64url(y)})
    }
}

// === impl Signer ===

impl Default for Signer {
    fn default() -> Self {
        Self { first: Key::First.pair(), second: Key::Second.pair(), random: SystemRandom::new() }
    }
}

impl Signer {
    /// A token for the audience `api`; `name` makes it another one.
    pub fn token(&self, issuer: &str, key: Key, name: u32, (from, until): Span) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
        let at = |offset: i64| now.saturating_add_signed(offset);
        let (kid, algorithm, ..) = key.of();
        let header = json!({"alg": algorithm, "kid": kid, "typ": "JWT"});
        let claims = json!({"iss": issuer, "aud": "api", "sub": name.to_string(), "nbf": at(from), "exp": at(until)});
        let text = format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
        let pair = if key == Key::First { &self.first } else { &self.second };
        let signature = pair.sign(&self.random, text.as_bytes()).expect("there is randomness");
        format!("{text}.{}", base64url(signature.as_ref()))
    }
}
