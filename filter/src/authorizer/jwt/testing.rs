//! Signers of tokens for tests; `tests/issuers.rs` includes them, too.

use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// A key with a name.
pub struct Signer {
    /// The public key, or the secret.
    pub jwk: Value,
    algorithm: &'static str,
    sign: Sign,
}

impl Signer {
    /// EdDSA; the same seed is the same key.
    pub fn public(kid: &str, seed: u8) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": base64url(key.public_key().as_ref())});
        Self { jwk, algorithm: "EdDSA", sign: Box::new(move |text| key.sign(text).as_ref().to_vec()) }
    }

    /// ES256, another key at each call: what the host may verify.
    #[allow(dead_code, reason = "the other one who includes this file needs none")]
    pub fn elliptic(kid: &str) -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let (x, y) = key.public_key().as_ref()[1..].split_at(32);
        let jwk = json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": base64url(x), "y": base64url(y)});
        Self { jwk, algorithm: "ES256", sign: Box::new(move |text| key.sign(&random, text).unwrap().as_ref().to_vec()) }
    }

    /// HS256.
    pub fn secret(kid: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[9; 32]);
        let jwk = json!({"kty": "oct", "kid": kid, "k": base64url(&[9; 32])});
        Self { jwk, algorithm: "HS256", sign: Box::new(move |text| hmac::sign(&key, text).as_ref().to_vec()) }
    }

    /// A token of this payload.
    pub fn token(&self, payload: &str) -> String {
        self.sign(&json!({"alg": self.algorithm, "kid": self.jwk["kid"]}).to_string(), payload)
    }

    /// A token of any header.
    pub fn sign(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
        let signature = base64url(&(self.sign)(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        text.extend((0..=chunk.len()).map(|digit| char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize])));
    }
    text
}
