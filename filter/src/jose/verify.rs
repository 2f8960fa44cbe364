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

#[cfg(test)]
mod tests {
    use super::super::testing::{Ring, Signer, base64url};
    use super::super::{Claims, KeySet, Origin};
    use super::*;
    use serde_json::json;
    use std::cell::RefCell;

    fn keys(signer: &Signer) -> KeySet {
        KeySet::from_value(&signer.set(), Origin::Document).unwrap().0
    }

    fn verify(text: &str, keys: &KeySet, host: Option<&dyn HostVerifier>) -> Result<Claims, Rejection> {
        Unverified::parse(text).and_then(|token| token.verify(keys, host))
    }

    /// A host that says the same to everything, and remembers what it was asked.
    struct Says(Option<bool>, RefCell<Vec<(String, usize)>>);

    impl HostVerifier for Says {
        fn verify(&self, hash: &str, _: &[u8], signature: &[u8], _: &[u8]) -> Option<bool> {
            self.1.borrow_mut().push((hash.to_owned(), signature.len()));
            self.0
        }
    }

    #[test]
    fn the_host_is_asked_for_what_it_can_and_believed() {
        for signer in Signer::all() {
            let (keys, good) = (keys(&signer), signer.token("{}"));
            let bad = signer.token("{}").replace(".e30.", ".e30x."); // other text, same signature
            let hash = match signer.algorithm {
                "RS256" | "ES256" => Some("sha256"),
                "RS384" | "ES384" => Some("sha384"),
                "RS512" => Some("sha512"),
                _ => None,
            };
            let (no, yes, silent) = (Some(false), Some(true), None);
            for (answer, good_is_good, bad_is_good) in
                [(no, hash.is_none(), false), (yes, true, hash.is_some()), (silent, true, false)]
            {
                let host = Says(answer, RefCell::default());
                assert_eq!(verify(&good, &keys, Some(&host)).is_ok(), good_is_good, "{} {answer:?}", signer.algorithm);
                assert_eq!(host.1.borrow().first().map(|(hash, _)| hash.as_str()), hash);
                let verdict = verify(&bad, &keys, Some(&host));
                assert_eq!(verdict != Err(Rejection::Signature), bad_is_good, "{} {answer:?}", signer.algorithm);
            }
        }
    }

    #[test]
    fn signatures_of_another_form_never_reach_a_host() {
        let order = |curve: Curve| curve.order().to_vec();
        for (algorithm, size, order) in
            [("ES256", 32, order(Curve::P256)), ("ES384", 48, order(Curve::P384)), ("RS256", 256, vec![])]
        {
            let signer = Signer::of(algorithm);
            let keys = keys(&signer);
            let (zero, one, full) = (vec![0; size], [vec![0; size - 1], vec![1]].concat(), vec![0xff; size]);
            let mut wrong = vec![vec![], vec![1; 1], vec![1; size - 1], vec![1; size * 2 + 1], vec![1; size * 4]];
            if algorithm != "RS256" {
                wrong.extend([vec![1; size], der::integers(&one, &one)]);
                for bad in [&zero, &order, &full] {
                    wrong.extend([[bad.as_slice(), &one].concat(), [one.as_slice(), bad].concat(), [bad.as_slice(), bad].concat()]);
                }
            }
            for signature in wrong {
                let text = format!("{}.e30.{}", base64url(signer.header().to_string()), base64url(&signature));
                let host = Says(Some(true), RefCell::default());
                assert_eq!(verify(&text, &keys, Some(&host)), Err(Rejection::Signature), "{algorithm} {signature:?}");
                assert_eq!(verify(&text, &keys, None), Err(Rejection::Signature));
                assert!(host.1.borrow().is_empty());
            }
        }
    }

    #[test]
    fn signatures_of_edwards_curves_and_macs_have_their_length() {
        for (algorithm, size) in [("EdDSA", 64), ("HS256", 32)] {
            let signer = Signer::of(algorithm);
            for length in [0, 1, size - 1, size, size + 1, size * 2] {
                let text = format!("{}.e30.{}", base64url(signer.header().to_string()), base64url(vec![0; length]));
                assert_eq!(verify(&text, &keys(&signer), None), Err(Rejection::Signature), "{algorithm} {length}");
            }
        }
    }

    #[test]
    fn a_der_signature_is_none() {
        let signer = Signer::of("ES256");
        let text = signer.token("{}");
        let token = Unverified::parse(&text).unwrap();
        let (r, s) = halves(Curve::P256, &token.signature).unwrap();
        let der = format!("{}.{}", token.signed, base64url(der::integers(r, s)));
        assert_eq!(verify(&der, &keys(&signer), None), Err(Rejection::Signature));
        assert_eq!(verify(&der, &keys(&signer), Some(&Ring)), Err(Rejection::Signature));
    }

    /// The key's bytes as a secret: the oldest confusion of all (RFC 8725, section 2.1).
    #[test]
    fn a_mac_made_with_a_public_key_is_refused() {
        let signer = Signer::of("RS256");
        let keys = keys(&signer);
        let n = signer.jwk["n"].as_str().unwrap();
        for header in [json!({"alg": "HS256", "kid": "rs256"}), json!({"alg": "HS256"})] {
            let signed = format!("{}.e30", base64url(header.to_string()));
            for secret in [n.as_bytes(), &super::super::base64::decode(n).unwrap(), signer.jwk.to_string().as_bytes()] {
                let text = format!("{signed}.{}", base64url(hmac_sha256::HMAC::mac(&signed, secret)));
                assert!(matches!(verify(&text, &keys, None), Err(Rejection::Algorithm | Rejection::UnknownKey)));
            }
        }
    }

    #[test]
    fn times_are_not_asked() {
        let signer = Signer::of("RS256");
        for payload in
            [r#"{"exp":0}"#, r#"{"exp":0.5}"#, r#"{"nbf":1e300}"#, r#"{"iat":18446744073709551615}"#, r#"{"exp":1e300,"iat":-0.0}"#]
        {
            assert!(verify(&signer.token(payload), &keys(&signer), None).is_ok(), "{payload}");
        }
    }
}
