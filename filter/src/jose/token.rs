//! JWTs as JWS in compact serialisation (RFC 7515, section 7.1; RFC 7519, section 7.2): three parts, read strictly before anything
//! of them is believed.

use super::algorithm::Algorithm;
use super::claims::Claims;
use super::key_set::KeySet;
use super::verify::{self, HostVerifier};
use super::{base64, strict_json};
use jwt_simple::token::Token;
use serde_json::{Map, Value};
use std::fmt;

/// A token that was read and not verified: nothing of it can be asked but what chooses the key.
pub struct Unverified<'a> {
    algorithm: Algorithm,
    kid: Option<String>,
    /// All of it.
    pub(super) text: &'a str,
    /// What is signed: the first two parts, as they came.
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
    payload: Vec<u8>,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// It is no JWT as it should be.
    Malformed,
    /// Its algorithm is not taken, or not by the key it names.
    Algorithm,
    /// No key, or more than one, could have signed it.
    UnknownKey,
    /// The signature is wrong.
    Signature,
    /// The signature is right, but the payload is no set of claims.
    Claims,
}

/// Longer tokens are refused.
const TEXT_LIMIT: usize = 8 * 1024;

// === impl Unverified ===

impl<'a> Unverified<'a> {
    /// Reads a token.
    pub fn parse(token: &'a str) -> Result<Self, Rejection> {
        if token.len() > TEXT_LIMIT {
            return Err(Rejection::Malformed);
        }
        let parts = parts(token).ok_or(Rejection::Malformed)?;
        let header = base64::decode(parts.header).and_then(|header| strict_json::object(&header)).ok_or(Rejection::Malformed)?;
        let name = header.get("alg").and_then(Value::as_str).ok_or(Rejection::Malformed)?;
        let algorithm = Algorithm::parse(name).ok_or(Rejection::Algorithm)?;
        if !is_plain_jwt(&header) || !is_read_alike(token, &header) {
            return Err(Rejection::Malformed);
        }
        Ok(Self {
            algorithm,
            kid: header.get("kid").and_then(Value::as_str).map(str::to_owned),
            text: token,
            signed: parts.signed,
            signature: base64::decode(parts.signature).ok_or(Rejection::Malformed)?,
            payload: base64::decode(parts.payload).ok_or(Rejection::Malformed)?,
        })
    }

    /// What the header says it is signed with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What the header says it is signed by.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Checks the signature with the one key that may have made it, and reads the claims. With a host, the host checks what it can.
    pub fn verify(self, keys: &KeySet, host: Option<&dyn HostVerifier>) -> Result<Claims, Rejection> {
        let key = keys.find(self.kid(), self.algorithm)?;
        verify::signature(&key.material, &self, host)?;
        Claims::parse(&self.payload).ok_or(Rejection::Claims)
    }
}

/// The algorithm and the key's name, and nothing else: the rest is not to be believed, nor to be found in a log.
impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unverified({}, {:?})", self.algorithm.as_str(), self.kid)
    }
}

struct Parts<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signed: &'a str,
}

/// Five parts would be a JWE, and none the JSON serialisation.
fn parts(token: &str) -> Option<Parts<'_>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    (!payload.contains('.')).then_some(Parts { header, payload, signature, signed })
}

/// Whether the header is that of a signed JWT which hides nothing.
fn is_plain_jwt(header: &Map<String, Value>) -> bool {
    // No extension is understood here, so none can be critical (RFC 7515, section 4.1.11), nor is an unencoded payload (RFC 7797).
    if header.contains_key("crit") || header.contains_key("b64") {
        return false;
    }
    let text = |name: &str| match header.get(name) {
        None => Some(""),
        Some(value) => value.as_str(),
    };
    let (Some(kind), Some(content), Some(_)) = (text("typ"), text("cty"), text("kid")) else { return false };
    let kind_is_jwt = !header.contains_key("typ") || is_jwt(kind);
    // A token in a token (RFC 7519, section 5.2) would be claims that nobody verified.
    kind_is_jwt && !is_jwt(content.strip_prefix("application/").unwrap_or(content))
}

/// `JWT`, or a kind of it such as `at+jwt` (RFC 8725, section 3.11); case does not count.
fn is_jwt(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    media_type == "jwt" || media_type.ends_with("+jwt")
}

/// Whether the verification here reads the header, too: it wants text where text is due in members that nobody asks (so a `jwk` that
/// is an object is refused), and base64url in `salt`, which is its own. Asked before a host verifies as well, so that both agree.
fn is_read_alike(token: &str, header: &Map<String, Value>) -> bool {
    let salt_decodes = header.get("salt").and_then(Value::as_str).is_none_or(|salt| base64::decode(salt).is_some());
    salt_decodes && Token::decode_metadata(token).is_ok()
}

// === impl Rejection ===

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the token is malformed",
            Self::Algorithm => "the algorithm of the token is not allowed",
            Self::UnknownKey => "the key of the token is not known",
            Self::Signature => "the signature of the token is wrong",
            Self::Claims => "the payload of the token is no set of claims",
        })
    }
}
