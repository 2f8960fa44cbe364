//! `verify_signature`: RSA PKCS #1 v1.5 and ECDSA with DER signatures, as BoringSSL does it in
//! Envoy, on `ring`. Weaker than there: RSA keys below 2048 bits and P-521 are refused, and P-256
//! and P-384 know SHA-256 and SHA-384 only.

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};

/// What the guest wants verified.
#[derive(Default)]
pub(super) struct Request<'a> {
    pub hash: &'a [u8],
    pub key_der: &'a [u8],
    pub key_pem: &'a [u8],
    pub signature: &'a [u8],
    pub text: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Rsa,
    P256,
    P384,
}

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

/// Says why not, in Envoy's words where it has any.
pub(super) fn verify(request: &Request<'_>) -> Result<(), String> {
    let hash = String::from_utf8_lossy(request.hash).to_ascii_lowercase();
    let decoded;
    let der = if request.key_pem.is_empty() {
        request.key_der
    } else {
        decoded = pem(request.key_pem).ok_or("Failed to import public key from PEM.")?;
        decoded.as_slice()
    };
    let (kind, key) = public_key(der).ok_or("Failed to initialize digest verify.")?;
    let algorithm: &'static dyn VerificationAlgorithm = match (kind, hash.as_str()) {
        (KeyKind::Rsa, "sha1") => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (KeyKind::Rsa, "sha256") => &RSA_PKCS1_2048_8192_SHA256,
        (KeyKind::Rsa, "sha384") => &RSA_PKCS1_2048_8192_SHA384,
        (KeyKind::Rsa, "sha512") => &RSA_PKCS1_2048_8192_SHA512,
        (KeyKind::P256, "sha256") => &ECDSA_P256_SHA256_ASN1,
        (KeyKind::P256, "sha384") => &ECDSA_P256_SHA384_ASN1,
        (KeyKind::P384, "sha256") => &ECDSA_P384_SHA256_ASN1,
        (KeyKind::P384, "sha384") => &ECDSA_P384_SHA384_ASN1,
        _ => return Err(format!("{hash} is not supported.")),
    };
    UnparsedPublicKey::new(algorithm, key)
        .verify(request.text, request.signature)
        .map_err(|_| "Failed to verify digest. Error code: 0".to_owned())
}

/// Takes a SubjectPublicKeyInfo apart: the kind of key, and its bits as `ring` wants them.
fn public_key(der: &[u8]) -> Option<(KeyKind, &[u8])> {
    let (info, rest) = element(der, 0x30)?;
    let (algorithm, info) = element(info, 0x30)?;
    let (bits, after) = element(info, 0x03)?;
    let (oid, parameters) = element(algorithm, 0x06)?;
    if !rest.is_empty() || !after.is_empty() {
        return None;
    }
    let kind = if oid == RSA_ENCRYPTION {
        KeyKind::Rsa
    } else if oid == EC_PUBLIC_KEY {
        match element(parameters, 0x06)?.0 {
            curve if curve == PRIME256V1 => KeyKind::P256,
            curve if curve == SECP384R1 => KeyKind::P384,
            _ => return None,
        }
    } else {
        return None;
    };
    // The first byte of a bit string counts its unused bits.
    bits.strip_prefix(&[0]).map(|key| (kind, key))
}

/// The content of the DER element with this tag at the start, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [first, length, rest @ ..] = der else {
        return None;
    };
    if *first != tag {
        return None;
    }
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?), rest.get(2..)?),
        _ => return None,
    };
    rest.split_at_checked(length)
}

fn pem(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, text) = text.split_once("-----BEGIN PUBLIC KEY-----")?;
    let (text, _) = text.split_once("-----END PUBLIC KEY-----")?;
    let (mut out, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}
