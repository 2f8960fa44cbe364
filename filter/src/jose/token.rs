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
    let kind_is_jwt = !header.contains_key("typ") || is_of_access(kind);
    // A token in a token (RFC 7519, section 5.2) would be claims that nobody verified.
    kind_is_jwt && !content.rsplit('/').next().is_some_and(is_jwt)
}

/// `JWT`, or `at+jwt` for an access token (RFC 9068): a logout token or a security event must not pass for one (RFC 8725, section
/// 3.12).
fn is_of_access(media_type: &str) -> bool {
    ["jwt", "at+jwt", "application/at+jwt"].iter().any(|known| known.eq_ignore_ascii_case(media_type))
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

#[cfg(test)]
mod tests {
    use super::super::testing::{Signer, base64url};
    use super::super::{KeySet, Origin};
    use super::*;
    use serde_json::json;

    /// A token with this header, not signed.
    fn parse(header: impl AsRef<[u8]>) -> Result<(), Rejection> {
        Unverified::parse(&format!("{}.e30.AA", base64url(header))).map(|_| ())
    }

    #[test]
    fn a_token_tells_its_algorithm_and_its_key_and_nothing_else() {
        let text = format!("{}.e30.AA", base64url(r#"{"alg":"ES256","kid":"k","typ":"JWT"}"#));
        let token = Unverified::parse(&text).unwrap();
        assert_eq!((token.algorithm(), token.kid()), (Algorithm::Es256, Some("k")));
        assert_eq!(format!("{token:?}"), "Unverified(ES256, Some(\"k\"))");
        assert_eq!(parse(r#"{"alg":"ES256"}"#), Ok(()));
    }

    #[test]
    fn every_algorithm_verifies_and_its_claims_are_read() {
        for signer in Signer::all() {
            let (keys, skipped) = KeySet::from_value(&signer.set(), Origin::Document).unwrap();
            assert!(skipped.is_empty() && keys.len() == 1, "{skipped:?}");
            let text = signer.token(r#"{"iss":"i"}"#);
            let claims = Unverified::parse(&text).and_then(|token| token.verify(&keys, None));
            assert_eq!(claims.unwrap().iss(), Some("i"), "{}", signer.algorithm);
            let text = signer.token("foo");
            let claims = Unverified::parse(&text).and_then(|token| token.verify(&keys, None));
            assert_eq!(claims, Err(Rejection::Claims), "{}", signer.algorithm);
        }
    }

    #[test]
    fn other_numbers_of_parts_are_refused() {
        let header = base64url(r#"{"alg":"HS256"}"#);
        for text in ["", ".", "..", "...", "e30", "e30.e30", "{}"] {
            assert_eq!(Unverified::parse(text).err(), Some(Rejection::Malformed), "{text}");
        }
        for rest in ["", ".", ".e30", ".e30.AA.AA", ".e30.AA.AA.AA", ".e30.AA.", "..e30.AA", ".e30..AA"] {
            assert_eq!(Unverified::parse(&format!("{header}{rest}")).err(), Some(Rejection::Malformed), "{rest}");
        }
        let json = json!({"protected": header, "payload": "e30", "signature": "AA"}).to_string();
        assert_eq!(Unverified::parse(&json).err(), Some(Rejection::Malformed));
    }

    #[test]
    fn base64_that_is_not_strict_is_refused_in_every_part() {
        let header = base64url(r#"{"alg":"HS256"}"#);
        for part in ["AA==", "AB", "A", "A+", "A/", "AA ", " AA", "AA\n", "A\u{e4}", "A%41"] {
            for text in [format!("{header}{part}.e30.AA"), format!("{header}.{part}.AA"), format!("{header}.e30.{part}")] {
                assert_eq!(Unverified::parse(&text).err(), Some(Rejection::Malformed), "{text}");
            }
        }
    }

    #[test]
    fn eight_kibibytes_are_the_most() {
        let token = |length: usize| {
            let start = format!("{}.", base64url(r#"{"alg":"HS256"}"#));
            format!("{start}{}.AA", "A".repeat(length - start.len() - 3))
        };
        // A part of 4n + 1 characters is no base64, so the next length down stands for the limit.
        let longest = (8189..=8192).rev().find(|length| Unverified::parse(&token(*length)).is_ok());
        assert!(longest.is_some_and(|length| length >= 8191));
        assert!((8193..=8200).all(|length| Unverified::parse(&token(length)).is_err()));
    }

    #[test]
    fn algorithms_that_are_not_taken_are_refused() {
        for name in ["none", "None", "NONE", "nOnE", "", "HS384", "HS512", "ES512", "ES256K", "rs256", "RSA-OAEP", "dir", " RS256"]
        {
            assert_eq!(parse(json!({"alg": name}).to_string()), Err(Rejection::Algorithm), "{name}");
        }
        for header in
            [json!({}), json!({"alg": null}), json!({"alg": ["RS256"]}), json!({"alg": 1}), json!(["RS256"]), json!("RS256")]
        {
            assert_eq!(parse(header.to_string()), Err(Rejection::Malformed), "{header}");
        }
        assert_eq!(Unverified::parse("eyJhbGciOiJub25lIn0.e30.").err(), Some(Rejection::Algorithm));
    }

    #[test]
    fn headers_that_are_not_strict_json_are_refused() {
        for header in [
            r#"{"alg":"none","alg":"RS256"}"#,
            r#"{"alg":"RS256","\u0061lg":"RS256"}"#,
            r#"{"alg":"RS256","x":{"y":1,"y":1}}"#,
            r#"{"alg":"RS256"} {}"#,
            r#"{"alg":"RS256"}x"#,
            r#"{"alg":"RS256",}"#,
            r#"{"alg":"RS256","x":1e400}"#,
            r#"{"alg":"RS256","x":[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]}"#,
            "",
        ] {
            assert_eq!(parse(header), Err(Rejection::Malformed), "{header}");
        }
        assert_eq!(parse(b"{\"alg\":\"RS256\",\"x\":\"\xff\"}"), Err(Rejection::Malformed));
        assert_eq!(parse("{ \"alg\" :\n\t\"RS256\" }"), Ok(()));
    }

    #[test]
    fn extensions_nested_tokens_and_other_types_are_refused() {
        for (name, value) in [
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("crit", json!(null)),
            ("b64", json!(false)),
            ("b64", json!(true)),
            ("cty", json!("JWT")),
            ("cty", json!("jwt")),
            ("cty", json!("application/jwt")),
            ("cty", json!("Application/JWT")),
            ("cty", json!("at+JWT")),
            ("cty", json!(1)),
            ("typ", json!("JWE")),
            ("typ", json!("")),
            ("typ", json!(null)),
            ("typ", json!("application/jwt")),
            ("kid", json!(null)),
            ("kid", json!(1)),
            ("kid", json!(["k"])),
            ("salt", json!("A")),
            ("jku", json!(1)),
        ] {
            let header = json!({"alg": "RS256", name: value});
            assert_eq!(parse(header.to_string()), Err(Rejection::Malformed), "{header}");
        }
    }

    #[test]
    fn members_that_do_not_matter_do_not_matter() {
        for (name, value) in [
            ("typ", json!("JWT")),
            ("typ", json!("jwt")),
            ("typ", json!("at+jwt")),
            ("typ", json!("application/at+JWT")),
            ("cty", json!("json")),
            ("kid", json!("")),
            ("salt", json!("AA")),
            ("x", json!({"y": [1]})),
            ("jku", json!("https://attacker.test/keys")),
            ("x5u", json!("https://attacker.test/chain")),
            ("x5c", json!(["MIIB"])),
            ("x5t#S256", json!("AA")),
        ] {
            let header = json!({"alg": "RS256", name: value});
            assert_eq!(parse(header.to_string()), Ok(()), "{header}");
        }
    }

    #[test]
    fn a_key_that_the_token_brings_along_verifies_nothing() {
        let (signer, other) = (Signer::of("ES256"), Signer::of("ES256"));
        let (keys, _) = KeySet::from_value(&other.set(), Origin::Fetched).unwrap();
        for jwk in [signer.jwk.clone(), json!(signer.jwk.to_string())] {
            let mut header = signer.header();
            header["jwk"] = jwk;
            let text = signer.sign(header.to_string(), "{}");
            assert!(Unverified::parse(&text).and_then(|token| token.verify(&keys, None)).is_err());
        }
    }
}
