//! Signatures (RFC 7518, section 3; RFC 8037, section 3.1), by the host where it can, else here.

use super::algorithm::Algorithm;
use super::der;
use super::key::{Curve, Material};
use super::token::{Rejection, Unverified};
use jwt_simple::Error;
use jwt_simple::algorithms::{
    ECDSAP256PublicKeyLike, ECDSAP384PublicKeyLike, ES256PublicKey, ES384PublicKey, Ed25519PublicKey, EdDSAPublicKeyLike,
    PS256PublicKey, PS384PublicKey, PS512PublicKey, RS256PublicKey, RS384PublicKey, RS512PublicKey, RSAPublicKeyLike,
};
use jwt_simple::claims::{JWTClaims, NoCustomClaims};
use jwt_simple::common::VerificationOptions;
use jwt_simple::reexports::coarsetime::UnixTimeStamp;

/// A host that verifies signatures: RSASSA-PKCS1-v1_5 and ECDSA.
pub trait HostVerifier {
    /// Whether the signature of the text is right; none: the host cannot tell.
    ///
    /// The hash is `sha256`, `sha384` or `sha512`; the key a SubjectPublicKeyInfo in DER; the signature is what RSA gives, or the
    /// DER sequence of ECDSA.
    fn verify(&self, hash: &str, public_key_der: &[u8], signature: &[u8], text: &[u8]) -> Option<bool>;
}

/// Checks the signature of a token whose algorithm the key allows.
pub(super) fn signature(key: &Material, token: &Unverified<'_>, host: Option<&dyn HostVerifier>) -> Result<(), Rejection> {
    if !is_well_formed(key, &token.signature) {
        return Err(Rejection::Signature);
    }
    match host.and_then(|host| by_host(key, token, host)) {
        Some(true) => Ok(()),
        Some(false) => Err(Rejection::Signature),
        None => by_software(key, token),
    }
}

/// Whether the bytes could be a signature of the key: asked once, so that it does not matter how strict the verifiers are.
fn is_well_formed(key: &Material, signature: &[u8]) -> bool {
    match key {
        Material::Rsa { modulus, .. } => signature.len() == modulus.len(),
        Material::Ec { curve, .. } => halves(*curve, signature).is_some_and(|(r, s)| is_scalar(*curve, r) && is_scalar(*curve, s)),
        Material::Ed25519(_) => signature.len() == 64,
        Material::Secret(_) => signature.len() == 32,
    }
}

/// r and s, as RFC 7518, section 3.4 puts them together.
fn halves(curve: Curve, signature: &[u8]) -> Option<(&[u8], &[u8])> {
    let size = curve.order().len();
    signature.split_at_checked(size).filter(|(_, s)| s.len() == size)
}

/// From 1 to n - 1; numbers of the same length compare like text.
fn is_scalar(curve: Curve, number: &[u8]) -> bool {
    number.iter().any(|byte| *byte != 0) && number < curve.order()
}

fn by_host(key: &Material, token: &Unverified<'_>, host: &dyn HostVerifier) -> Option<bool> {
    let hash = match token.algorithm() {
        Algorithm::Rs256 | Algorithm::Es256 => "sha256",
        Algorithm::Rs384 | Algorithm::Es384 => "sha384",
        Algorithm::Rs512 => "sha512",
        // PSS is a padding that no host is told of.
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 | Algorithm::EdDsa | Algorithm::Hs256 => return None,
    };
    let text = token.signed.as_bytes();
    match key {
        Material::Rsa { der, .. } => host.verify(hash, der, &token.signature, text),
        Material::Ec { curve, der, .. } => {
            let (r, s) = halves(*curve, &token.signature)?;
            host.verify(hash, der, &der::integers(r, s), text)
        }
        Material::Ed25519(_) | Material::Secret(_) => None,
    }
}

/// Keys are built anew each time: that is little beside the verification, and one form of a key is enough to keep.
fn by_software(key: &Material, token: &Unverified<'_>) -> Result<(), Rejection> {
    let (text, options) = (token.text, Some(options()));
    let read = match (key, token.algorithm()) {
        (Material::Rsa { modulus, exponent, .. }, algorithm) => {
            let (n, e) = (modulus.as_slice(), exponent.as_slice());
            match algorithm {
                Algorithm::Rs256 => RS256PublicKey::from_components(n, e).and_then(|key| key.verify_token(text, options)),
                Algorithm::Rs384 => RS384PublicKey::from_components(n, e).and_then(|key| key.verify_token(text, options)),
                Algorithm::Rs512 => RS512PublicKey::from_components(n, e).and_then(|key| key.verify_token(text, options)),
                Algorithm::Ps256 => PS256PublicKey::from_components(n, e).and_then(|key| key.verify_token(text, options)),
                Algorithm::Ps384 => PS384PublicKey::from_components(n, e).and_then(|key| key.verify_token(text, options)),
                Algorithm::Ps512 => PS512PublicKey::from_components(n, e).and_then(|key| key.verify_token(text, options)),
                _ => return Err(Rejection::Algorithm),
            }
        }
        (Material::Ec { point, .. }, Algorithm::Es256) => {
            ES256PublicKey::from_bytes(point).and_then(|key| key.verify_token(text, options))
        }
        (Material::Ec { point, .. }, Algorithm::Es384) => {
            ES384PublicKey::from_bytes(point).and_then(|key| key.verify_token(text, options))
        }
        (Material::Ed25519(point), Algorithm::EdDsa) => {
            Ed25519PublicKey::from_bytes(point).and_then(|key| key.verify_token(text, options))
        }
        (Material::Secret(secret), Algorithm::Hs256) => return mac(secret, token),
        _ => return Err(Rejection::Algorithm),
    };
    verdict(read)
}

/// Compared in constant time.
fn mac(secret: &[u8], token: &Unverified<'_>) -> Result<(), Rejection> {
    match <&[u8; 32]>::try_from(token.signature.as_slice()) {
        Ok(tag) if hmac_sha256::HMAC::verify(token.signed, secret, tag) => Ok(()),
        _ => Err(Rejection::Signature),
    }
}

/// Nothing is checked but the signature: claims and times are not this module's, and there is no clock to be asked.
fn options() -> VerificationOptions {
    VerificationOptions {
        accept_future: true,
        time_tolerance: None,
        artificial_time: Some(UnixTimeStamp::from_secs(0)),
        ..VerificationOptions::default()
    }
}

/// The header was read before, so an error about JSON is one about the claims, which are read after the signature.
fn verdict(read: Result<JWTClaims<NoCustomClaims>, Error>) -> Result<(), Rejection> {
    match read {
        Ok(_) => Ok(()),
        Err(error) if error.is::<serde_json::Error>() => Err(Rejection::Claims),
        Err(_) => Err(Rejection::Signature),
    }
}
