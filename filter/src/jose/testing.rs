//! Signers of every algorithm, and a host that verifies as Envoy does, both by `ring`: neither shares code with what is tested.
//! Included by `tests/wycheproof.rs`, too.

use super::HostVerifier;
use jwt_simple::algorithms::RS256KeyPair;
use jwt_simple::reexports::ct_codecs::{Base64UrlSafeNoPadding, Encoder};
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair};
use ring::{hmac, rsa};
use serde_json::{Value, json};
use std::sync::OnceLock;

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlSafeNoPadding::encode_to_string(bytes).unwrap()
}

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// One algorithm with a key of its own.
pub struct Signer {
    pub algorithm: &'static str,
    /// The public key, or the secret.
    pub jwk: Value,
    sign: Sign,
}

impl Signer {
    /// One of each; the key's name is the algorithm in small letters.
    pub fn all() -> Vec<Self> {
        vec![
            Self::rsa("RS256", &signature::RSA_PKCS1_SHA256),
            Self::rsa("RS384", &signature::RSA_PKCS1_SHA384),
            Self::rsa("RS512", &signature::RSA_PKCS1_SHA512),
            Self::rsa("PS256", &signature::RSA_PSS_SHA256),
            Self::rsa("PS384", &signature::RSA_PSS_SHA384),
            Self::rsa("PS512", &signature::RSA_PSS_SHA512),
            Self::ec("ES256", "P-256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            Self::ec("ES384", "P-384", &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            Self::ed25519(),
            Self::secret(),
        ]
    }

    pub fn of(algorithm: &str) -> Self {
        Self::all().into_iter().find(|signer| signer.algorithm == algorithm).unwrap()
    }

    fn new(algorithm: &'static str, mut jwk: Value, sign: Sign) -> Self {
        jwk["kid"] = algorithm.to_lowercase().into();
        jwk["alg"] = algorithm.into();
        Self { algorithm, jwk, sign }
    }

    fn rsa(algorithm: &'static str, encoding: &'static dyn RsaEncoding) -> Self {
        // Made once a run, because it takes a second.
        static KEY: OnceLock<Vec<u8>> = OnceLock::new();
        let der = KEY.get_or_init(|| RS256KeyPair::generate(2048).unwrap().to_der().unwrap());
        let key = RsaKeyPair::from_pkcs8(der).unwrap();
        let public: rsa::PublicKeyComponents<Vec<u8>> = key.public().into();
        let jwk = json!({"kty": "RSA", "n": base64url(public.n), "e": base64url(public.e)});
        let sign = move |text: &[u8]| {
            let mut made = vec![0; key.public().modulus_len()];
            key.sign(encoding, &SystemRandom::new(), text, &mut made).unwrap();
            made
        };
        Self::new(algorithm, jwk, Box::new(sign))
    }

    fn ec(algorithm: &'static str, curve: &str, signing: &'static EcdsaSigningAlgorithm) -> Self {
        let random = SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(signing, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(signing, der.as_ref(), &random).unwrap();
        let point = key.public_key().as_ref();
        let (x, y) = point[1..].split_at(point.len() / 2);
        let jwk = json!({"kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y)});
        Self::new(algorithm, jwk, Box::new(move |text| key.sign(&random, text).unwrap().as_ref().to_vec()))
    }

    fn ed25519() -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_key())});
        Self::new("EdDSA", jwk, Box::new(move |text| key.sign(text).as_ref().to_vec()))
    }

    fn secret() -> Self {
        let secret = [9; 32];
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let jwk = json!({"kty": "oct", "k": base64url(secret)});
        Self::new("HS256", jwk, Box::new(move |text| hmac::sign(&key, text).as_ref().to_vec()))
    }

    pub fn set(&self) -> Value {
        json!({"keys": [self.jwk]})
    }

    pub fn header(&self) -> Value {
        json!({"alg": self.algorithm, "kid": self.jwk["kid"]})
    }

    /// A token of any header and any payload, rightly signed.
    pub fn sign(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let signed = format!("{}.{}", base64url(header), base64url(payload));
        let signature = base64url((self.sign)(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// A token of this payload.
    pub fn token(&self, payload: &str) -> String {
        self.sign(self.header().to_string(), payload)
    }
}

/// A host that verifies as Envoy does: RSASSA-PKCS1-v1_5 and ECDSA in DER.
pub struct Ring;

impl HostVerifier for Ring {
    fn verify(&self, hash: &str, public_key_der: &[u8], signature: &[u8], text: &[u8]) -> Option<bool> {
        // The keys before which these bytes stand: (SEQUENCE (SEQUENCE OID ..) (BIT STRING 0 ..)).
        const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
        let is_ec = public_key_der.windows(EC.len()).any(|window| window == EC);
        let (algorithm, key): (&dyn signature::VerificationAlgorithm, _) = match (is_ec, hash) {
            (true, "sha256") => (&signature::ECDSA_P256_SHA256_ASN1, &public_key_der[public_key_der.len() - 65..]),
            (true, "sha384") => (&signature::ECDSA_P384_SHA384_ASN1, &public_key_der[public_key_der.len() - 97..]),
            (false, "sha256") => (&signature::RSA_PKCS1_2048_8192_SHA256, &public_key_der[24..]),
            (false, "sha384") => (&signature::RSA_PKCS1_2048_8192_SHA384, &public_key_der[24..]),
            (false, "sha512") => (&signature::RSA_PKCS1_2048_8192_SHA512, &public_key_der[24..]),
            _ => panic!("{hash} is not asked for"),
        };
        Some(signature::UnparsedPublicKey::new(algorithm, key).verify(text, signature).is_ok())
    }
}
