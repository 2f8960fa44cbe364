//! JSON Web Tokens that case files ask for, and the key sets that verify them. Tokens are made when the request is sent, because
//! their times are relative to the clock of the driver that gets it. The keys are in `tests/keys`.

use std::collections::BTreeMap;
use std::time::Duration;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    RsaPublicKeyComponents,
};
use ring::{hmac, signature};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::body::from_base64;

/// The tokens of a case file, by name.
pub type Tokens = BTreeMap<String, Token>;

/// One token of a case file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Token {
    key: SigningKey,
    /// Over `alg`, `kid` and `typ`; null takes one away.
    #[serde(default)]
    header: Map<String, Value>,
    claims: Option<Value>,
    payload: Option<String>,
    corrupt: Option<Corrupt>,
}

/// Which key signs, with which algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SigningKey {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Eddsa,
    Hs256,
    /// The attack: a MAC whose secret is the public RSA key, as PEM.
    Hs256WithRsaPublicKey,
    /// Nobody: `alg: none`, and an empty signature.
    None,
}

/// What is wrong with a token once it is signed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Corrupt {
    /// A bit of the signature is flipped.
    Signature,
}

const RSA: &str = include_str!("../keys/rsa.pem");
const P256: &str = include_str!("../keys/p256.pem");
const P384: &str = include_str!("../keys/p384.pem");
const ED25519: &str = include_str!("../keys/ed25519.pem");

/// The secret of HS256.
const SECRET: &[u8] = b"a secret of tests, as long as RFC 7518 asks for";

/// What `{{jwks}}` stands for.
fn public_keys() -> Value {
    let rsa = rsa();
    let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(rsa.public());
    let curve = |kid: &str, name: &str, algorithm: &'static EcdsaSigningAlgorithm, pem: &str| {
        let pair = ec(algorithm, pem);
        let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
        json!({ "kty": "EC", "kid": kid, "use": "sig", "crv": name, "x": base64url(x), "y": base64url(y) })
    };
    json!({ "keys": [
        { "kty": "RSA", "kid": "rsa", "use": "sig", "n": base64url(&n), "e": base64url(&e) },
        curve("p256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING, P256),
        curve("p384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING, P384),
        { "kty": "OKP", "kid": "ed25519", "use": "sig", "crv": "Ed25519", "x": base64url(ed25519().public_key().as_ref()) },
    ] })
}

/// Puts key sets in the place of `{{jwks}}` and `{{jwks:hs256}}`, wherever a text of the document is exactly that.
pub fn put_keys(document: &mut Value) {
    match document {
        Value::String(text) if text == "{{jwks}}" => *document = public_keys(),
        Value::String(text) if text == "{{jwks:hs256}}" => {
            *document = json!({ "keys": [{ "kty": "oct", "kid": "hs256", "use": "sig", "k": base64url(SECRET) }] });
        }
        Value::Array(elements) => elements.iter_mut().for_each(put_keys),
        Value::Object(members) => members.values_mut().for_each(put_keys),
        _ => {}
    }
}

/// Puts tokens in the place of each `{{token:NAME}}`.
pub fn put_tokens(text: &str, tokens: &Tokens, now: Duration) -> String {
    let mut out = text.to_owned();
    for name in names(text) {
        out = out.replace(&format!("{{{{token:{name}}}}}"), &tokens[name].compact(now));
    }
    out
}

/// The tokens that a text asks for.
pub fn names(text: &str) -> Vec<&str> {
    text.split("{{token:").skip(1).map(|rest| rest.split("}}").next().unwrap_or_default()).collect()
}

// === impl Token ===

impl Token {
    /// What serde cannot say: a token has one payload.
    pub fn is_valid(&self) -> bool {
        self.claims.is_some() != self.payload.is_some()
    }

    /// The compact serialization, at this time since 1970.
    fn compact(&self, now: Duration) -> String {
        let mut header = Map::new();
        header.insert("alg".to_owned(), self.key.algorithm().into());
        header.insert("kid".to_owned(), self.key.kid().into());
        header.insert("typ".to_owned(), "JWT".into());
        header.extend(self.header.clone());
        header.retain(|_, value| !value.is_null());
        let payload = match (&self.claims, &self.payload) {
            (_, Some(text)) => text.clone(),
            (Some(claims), None) => timed(claims, now).to_string(),
            (None, None) => String::new(),
        };
        let text = format!("{}.{}", base64url(Value::Object(header).to_string().as_bytes()), base64url(payload.as_bytes()));
        let mut signature = self.key.sign(text.as_bytes());
        if let (Some(Corrupt::Signature), Some(byte)) = (self.corrupt, signature.first_mut()) {
            *byte ^= 1;
        }
        format!("{text}.{}", base64url(&signature))
    }
}

/// `now`, `now+N` and `now-N` become seconds since 1970.
fn timed(value: &Value, now: Duration) -> Value {
    match value {
        Value::String(text) => {
            let offset = text.strip_prefix("now").map(|offset| if offset.is_empty() { "0" } else { offset });
            let offset = offset.and_then(|offset| offset.parse::<i64>().ok());
            offset.map_or_else(|| value.clone(), |offset| json!(now.as_secs().saturating_add_signed(offset)))
        }
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), timed(value, now))).collect(),
        _ => value.clone(),
    }
}

// === impl SigningKey ===

impl SigningKey {
    fn algorithm(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Eddsa => "EdDSA",
            Self::Hs256 | Self::Hs256WithRsaPublicKey => "HS256",
            Self::None => "none",
        }
    }

    fn kid(self) -> &'static str {
        match self {
            Self::Es256 => "p256",
            Self::Es384 => "p384",
            Self::Eddsa => "ed25519",
            Self::Hs256 => "hs256",
            _ => "rsa",
        }
    }

    fn sign(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Rs256 => sign_rsa(&RSA_PKCS1_SHA256, text),
            Self::Rs384 => sign_rsa(&RSA_PKCS1_SHA384, text),
            Self::Rs512 => sign_rsa(&RSA_PKCS1_SHA512, text),
            Self::Ps256 => sign_rsa(&RSA_PSS_SHA256, text),
            Self::Ps384 => sign_rsa(&RSA_PSS_SHA384, text),
            Self::Ps512 => sign_rsa(&RSA_PSS_SHA512, text),
            Self::Es256 => sign_ec(&ECDSA_P256_SHA256_FIXED_SIGNING, P256, text),
            Self::Es384 => sign_ec(&ECDSA_P384_SHA384_FIXED_SIGNING, P384, text),
            Self::Eddsa => ed25519().sign(text).as_ref().to_vec(),
            Self::Hs256 => sign_hmac(SECRET, text),
            Self::Hs256WithRsaPublicKey => sign_hmac(rsa_public_pem().as_bytes(), text),
            Self::None => Vec::new(),
        }
    }
}

fn sign_rsa(padding: &'static dyn RsaEncoding, text: &[u8]) -> Vec<u8> {
    let pair = rsa();
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(padding, &SystemRandom::new(), text, &mut signature).expect("the key is large enough");
    signature
}

fn sign_ec(algorithm: &'static EcdsaSigningAlgorithm, pem: &str, text: &[u8]) -> Vec<u8> {
    let signature: signature::Signature = ec(algorithm, pem).sign(&SystemRandom::new(), text).expect("there is randomness");
    signature.as_ref().to_vec()
}

fn sign_hmac(secret: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text).as_ref().to_vec()
}

fn rsa() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&der(RSA)).expect("it was made with openssl")
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm, pem: &str) -> EcdsaKeyPair {
    EcdsaKeyPair::from_pkcs8(algorithm, &der(pem), &SystemRandom::new()).expect("it was made with openssl")
}

fn ed25519() -> Ed25519KeyPair {
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der(ED25519)).expect("it was made with openssl")
}

/// As an issuer publishes it outside key sets: SubjectPublicKeyInfo. What an attacker would take for a secret.
fn rsa_public_pem() -> String {
    // SEQUENCE { SEQUENCE { rsaEncryption, NULL }, BIT STRING }; all lengths have two bytes with a key of 2048 bits.
    const ALGORITHM: [u8; 15] = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let tagged = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).expect("it is short").to_be_bytes();
        [&[tag, 0x82, length[0], length[1]], content].concat()
    };
    let pair = rsa();
    let bits = tagged(0x03, &[&[0], pair.public().as_ref()].concat());
    let encoded = base64(&tagged(0x30, &[&ALGORITHM, bits.as_slice()].concat()));
    let lines: Vec<&str> = encoded.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("it is ASCII")).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

fn der(pem: &str) -> Vec<u8> {
    from_base64(&pem.lines().filter(|line| !line.starts_with('-')).collect::<String>())
}

/// Base64 with padding.
fn base64(bytes: &[u8]) -> String {
    let padding = "=".repeat((3 - bytes.len() % 3) % 3);
    base64url(bytes).replace('-', "+").replace('_', "/") + &padding
}

/// Base64 of the other alphabet, without padding (RFC 7515, section 2).
pub fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |bits, (place, byte)| bits | u32::from(*byte) << (16 - 8 * place));
        for digit in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    out
}
