//! One JSON Web Key (RFC 7517, section 4; RFC 7518, section 6; RFC 8037), checked once, with the algorithms that it is for. Members
//! of private keys are not read.

use super::algorithm::Algorithm;
use super::{base64, der, roca};
use Unusable::{Bad, Foreign};
use jwt_simple::algorithms::{ES256PublicKey, ES384PublicKey, Ed25519PublicKey, EdDSAPublicKeyLike};
use serde_json::{Map, Value};

/// A key that may verify.
pub(super) struct Key {
    pub(super) kid: Option<String>,
    /// The `alg` of the key. Without one it is for whatever its type can do: assumed(jwk-without-alg), RS* and PS* alike for RSA.
    pub(super) only: Option<Algorithm>,
    pub(super) material: Material,
}

/// What verifies. Nothing of it prints: a secret is among it.
#[derive(PartialEq)]
pub(super) enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
        /// As the host asks for it.
        der: Vec<u8>,
    },
    Ec {
        curve: Curve,
        /// Uncompressed: 4, x, y (SEC 1, section 2.3.3).
        point: Vec<u8>,
        /// As the host asks for it.
        der: Vec<u8>,
    },
    Ed25519(Vec<u8>),
    Secret(Vec<u8>),
}

/// Why a key is not used: prose.
#[derive(Clone, Copy)]
pub(super) enum Unusable {
    /// It is for something else, or of a kind that is not supported.
    Foreign(&'static str),
    /// It is of a kind that is supported, and it is bad.
    Bad(&'static str),
}

/// The curves of ECDSA.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Curve {
    P256,
    P384,
}

/// BoringSSL and `rsa` take 16,384 and 4,096 at the most: what one of them refuses, both refuse.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// 65537 has 17 bits; NIST SP 800-56B allows 256, BoringSSL 33, and each costs.
const EXPONENT_BYTES: usize = 4;

/// RFC 7518, section 3.2: as many bytes as the hash has.
const SECRET_BYTES: usize = 32;

// === impl Key ===

impl Key {
    /// Reads a key; an error says why it is no key for us.
    pub(super) fn parse(jwk: &Map<String, Value>, kid: Option<&str>) -> Result<Self, Unusable> {
        // An encryption key may be a signature key's twin: what it is not for, it must not be used for.
        if jwk.get("use").is_some_and(|usage| usage != "sig") {
            return Err(Foreign("its `use` is not `sig`"));
        }
        if let Some(operations) = jwk.get("key_ops") {
            if !operations.as_array().is_some_and(|operations| operations.iter().any(|operation| operation == "verify")) {
                return Err(Foreign("its `key_ops` do not contain `verify`"));
            }
        }
        let only = match jwk.get("alg") {
            None => None,
            Some(name) => Some(name.as_str().and_then(Algorithm::parse).ok_or(Foreign("its `alg` is not supported"))?),
        };
        let material = match text(jwk, "kty")? {
            "RSA" => Material::rsa(jwk)?,
            "EC" => Material::ec(jwk)?,
            "OKP" => Material::okp(jwk)?,
            "oct" => Material::secret(jwk)?,
            _ => return Err(Foreign("its `kty` is not supported")),
        };
        let key = Self { kid: kid.map(str::to_owned), only, material };
        match key.only {
            Some(algorithm) if !key.material.fits(algorithm) => Err(Bad("its `alg` does not fit its `kty` or `crv`")),
            _ => Ok(key),
        }
    }

    /// The key decides what it is used for, never the token (RFC 8725, section 3.1).
    pub(super) fn allows(&self, algorithm: Algorithm) -> bool {
        self.only.map_or_else(|| self.material.fits(algorithm), |only| only == algorithm)
    }

    /// True if a token could mean either of them.
    pub(super) fn is_confused_with(&self, other: &Self) -> bool {
        let overlap = Algorithm::ALL.iter().any(|(_, algorithm)| self.allows(*algorithm) && other.allows(*algorithm));
        overlap && self.kid.is_some() && self.kid == other.kid
    }
}

// === impl Material ===

impl Material {
    fn rsa(jwk: &Map<String, Value>) -> Result<Self, Unusable> {
        // A zero byte in front must not be there (RFC 7518, section 6.3.1.1), but some libraries write it, and the number is the same.
        let (modulus, exponent) = (bytes(jwk, "n")?, bytes(jwk, "e")?);
        let modulus = der::without_leading_zeros(&modulus);
        let exponent = der::without_leading_zeros(&exponent);
        let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
        if !MODULUS_BITS.contains(&bits) {
            return Err(Bad("its modulus has less than 2048 or more than 4096 bits"));
        }
        if !is_odd(modulus) || roca::is_marked(modulus) {
            return Err(Bad("its modulus is weak"));
        }
        if !is_odd(exponent) || exponent == [1] || exponent.len() > EXPONENT_BYTES {
            return Err(Bad("its exponent is 1, even, or too large"));
        }
        let der = der::rsa_public_key(modulus, exponent);
        Ok(Self::Rsa { modulus: modulus.to_vec(), exponent: exponent.to_vec(), der })
    }

    fn ec(jwk: &Map<String, Value>) -> Result<Self, Unusable> {
        let (curve, identifier) = match text(jwk, "crv")? {
            "P-256" => (Curve::P256, der::P256),
            "P-384" => (Curve::P384, der::P384),
            _ => return Err(Foreign("its `crv` is not supported")),
        };
        let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
        // Both in full, zero bytes in front included (RFC 7518, section 6.2.1.2).
        if x.len() != curve.size() || y.len() != curve.size() {
            return Err(Bad("its coordinates do not have the size of its curve"));
        }
        let point = [&[4], x.as_slice(), y.as_slice()].concat();
        let on_curve = match curve {
            Curve::P256 => ES256PublicKey::from_bytes(&point).is_ok(),
            Curve::P384 => ES384PublicKey::from_bytes(&point).is_ok(),
        };
        if !on_curve {
            return Err(Bad("its point is not on its curve"));
        }
        let der = der::public_key(identifier, &point);
        Ok(Self::Ec { curve, point, der })
    }

    fn okp(jwk: &Map<String, Value>) -> Result<Self, Unusable> {
        if text(jwk, "crv")? != "Ed25519" {
            return Err(Foreign("its `crv` is not supported"));
        }
        let point = bytes(jwk, "x")?;
        let valid = Ed25519PublicKey::from_bytes(&point).is_ok_and(|key| key.public_key().as_ref().validate().is_ok());
        if !valid {
            return Err(Bad("its point is not on its curve, or of small order"));
        }
        Ok(Self::Ed25519(point))
    }

    fn secret(jwk: &Map<String, Value>) -> Result<Self, Unusable> {
        let secret = bytes(jwk, "k")?;
        if secret.len() < SECRET_BYTES {
            return Err(Bad("its secret has less than 32 bytes"));
        }
        Ok(Self::Secret(secret))
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm::{EdDsa, Es256, Es384, Hs256, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Rsa { .. } => matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512),
            Self::Ec { curve: Curve::P256, .. } => algorithm == Es256,
            Self::Ec { curve: Curve::P384, .. } => algorithm == Es384,
            Self::Ed25519(_) => algorithm == EdDsa,
            Self::Secret(_) => algorithm == Hs256,
        }
    }

    /// The name of its type.
    pub(super) fn kty(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::Ec { .. } => "EC",
            Self::Ed25519(_) => "OKP",
            Self::Secret(_) => "oct",
        }
    }

    /// True if whoever can verify can sign, too.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }
}

// === impl Curve ===

impl Curve {
    /// The bytes of a coordinate, and of the order.
    fn size(self) -> usize {
        self.order().len()
    }

    /// n (SP 800-186, section 3.2.1).
    pub(super) fn order(self) -> &'static [u8] {
        match self {
            Self::P256 => &[
                0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
                0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
            ],
            Self::P384 => &[
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0,
                0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
            ],
        }
    }
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last % 2 == 1)
}

fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<&'a str, Unusable> {
    jwk.get(name).and_then(Value::as_str).ok_or(Bad("a member that its type needs is not there, or no string"))
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, Unusable> {
    base64::decode(text(jwk, name)?).ok_or(Bad("a number of it is not base64url without padding"))
}

// === impl Unusable ===

impl Unusable {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Foreign(reason) | Bad(reason) => reason,
        }
    }
}
