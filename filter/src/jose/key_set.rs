//! JSON Web Key Sets (RFC 7517, section 5): which key a token means.

use super::algorithm::Algorithm;
use super::key::{Key, Unusable};
use super::strict_json;
use super::token::Rejection;
use serde_json::Value;
use std::fmt;

/// Keys that were read and checked; nothing changes them.
pub struct KeySet {
    keys: Vec<Key>,
}

/// Where a set comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From its issuer, over the network: public keys only. Who can read a secret there can sign.
    Fetched,
    /// From the user's own document.
    Document,
}

/// A key of a set that is not used. RFC 7517, section 5: keys that a reader does not understand do not spoil the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in the set, from 0.
    pub index: usize,
    /// What it calls itself.
    pub kid: Option<String>,
    /// Why: prose.
    pub reason: &'static str,
}

/// Why text is no key set at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidKeySet {
    /// Too much text.
    TooLarge,
    /// No JSON, or JSON that is too deep or has a member twice.
    Json,
    /// JSON, but no object with `keys`.
    NoKeys,
    /// Too many keys.
    TooManyKeys,
    /// Secrets beside public keys: a token signed with the one must never be taken for the other.
    Mixed,
}

const TEXT_LIMIT: usize = 256 * 1024;
const KEY_LIMIT: usize = 100;

// === impl KeySet ===

impl KeySet {
    /// Reads a set from its text; tells the keys that are left out.
    pub fn parse(text: &[u8], origin: Origin) -> Result<(Self, Vec<SkippedKey>), InvalidKeySet> {
        if text.len() > TEXT_LIMIT {
            return Err(InvalidKeySet::TooLarge);
        }
        Self::from_value(&strict_json::value(text).ok_or(InvalidKeySet::Json)?, origin)
    }

    /// Reads a set from JSON that was read before; whoever did so answers for members that were there twice.
    pub fn from_value(value: &Value, origin: Origin) -> Result<(Self, Vec<SkippedKey>), InvalidKeySet> {
        let members = value.get("keys").and_then(Value::as_array).ok_or(InvalidKeySet::NoKeys)?;
        if members.len() > KEY_LIMIT {
            return Err(InvalidKeySet::TooManyKeys);
        }
        let (mut read, mut skipped) = (Vec::<(usize, Key)>::new(), Vec::new());
        // What may be meant in the place of another: names of bad keys with their types, and places of keys that share a name.
        let (mut bad, mut confused) = (Vec::new(), Vec::new());
        for (index, jwk) in members.iter().enumerate() {
            let key = match key(jwk, origin) {
                Ok(key) => key,
                Err(unusable) => {
                    if matches!(unusable, Unusable::Bad(_)) {
                        bad.push((kid(jwk), jwk.get("kty").and_then(Value::as_str)));
                    }
                    skipped.push(SkippedKey { index, kid: kid(jwk).map(str::to_owned), reason: unusable.reason() });
                    continue;
                }
            };
            // The same key again is no second meaning; another one is, and then neither can be meant.
            let rivals = read.iter().filter(|(_, other)| other.is_confused_with(&key));
            let (again, others): (Vec<_>, Vec<_>) = rivals.partition(|(_, other)| other.material == key.material);
            if others.is_empty() && !again.is_empty() {
                skipped.push(SkippedKey { index, kid: key.kid, reason: "it is there already" });
                continue;
            }
            if !others.is_empty() {
                confused.extend(others.iter().map(|(other, _)| *other));
                confused.push(index);
            }
            read.push((index, key));
        }
        let mut keys = Vec::new();
        for (index, key) in read {
            let bad_twin = key.kid.is_some() && bad.contains(&(key.kid.as_deref(), Some(key.material.kty())));
            if bad_twin || confused.contains(&index) {
                skipped.push(SkippedKey { index, kid: key.kid, reason: "another key of the set has its `kid`" });
            } else {
                keys.push(key);
            }
        }
        let secrets = keys.iter().filter(|key| key.material.is_secret()).count();
        if secrets != 0 && secrets != keys.len() {
            return Err(InvalidKeySet::Mixed);
        }
        Ok((Self { keys }, skipped))
    }

    /// True if a token with this header would find its key: whether to fetch the set anew is a question of this.
    pub fn contains(&self, kid: Option<&str>, algorithm: Algorithm) -> bool {
        self.find(kid, algorithm).is_ok()
    }

    /// The number of keys that are used.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True if no key is used.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The one key that may have signed a token with this header. A token that names no key means the only one that fits.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Key, Rejection> {
        let mut named = self.keys.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid).peekable();
        let known = kid.is_some() && named.peek().is_some();
        let mut fitting = named.filter(|key| key.allows(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) if known => Err(Rejection::Algorithm),
            _ => Err(Rejection::UnknownKey),
        }
    }
}

/// How many, and nothing of them: a secret may be among them.
impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySet({} keys)", self.len())
    }
}

fn kid(jwk: &Value) -> Option<&str> {
    jwk.get("kid").and_then(Value::as_str)
}

fn key(jwk: &Value, origin: Origin) -> Result<Key, Unusable> {
    let members = jwk.as_object().ok_or(Unusable::Bad("it is no object"))?;
    if members.get("kid").is_some_and(|kid| !kid.is_string()) {
        return Err(Unusable::Bad("its `kid` is no string"));
    }
    if origin == Origin::Fetched && members.get("kty").is_some_and(|kty| kty == "oct") {
        return Err(Unusable::Foreign("it is a secret, and whoever can fetch it could sign"));
    }
    Key::parse(members, kid(jwk))
}

// === impl SkippedKey ===

/// `key 2 (`abc`) is not used: why`
impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {}", self.index)?;
        if let Some(kid) = &self.kid {
            write!(f, " (`{}`)", kid.escape_debug())?;
        }
        write!(f, " is not used: {}", self.reason)
    }
}

// === impl InvalidKeySet ===

impl fmt::Display for InvalidKeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the key set has more than 256 KiB",
            Self::Json => "the key set is no JSON, too deep, or has a member twice",
            Self::NoKeys => "a key set is an object with an array `keys`",
            Self::TooManyKeys => "the key set has more than 100 keys",
            Self::Mixed => "the key set has secrets beside public keys",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Unverified;
    use super::super::testing::{Signer, base64url};
    use super::*;
    use serde_json::json;

    fn read(value: &Value, origin: Origin) -> (KeySet, Vec<SkippedKey>) {
        KeySet::from_value(value, origin).unwrap()
    }

    /// Why a key is not used, if so.
    fn refusal(jwk: &Value) -> Option<&'static str> {
        let (keys, skipped) = read(&json!({"keys": [jwk]}), Origin::Document);
        assert_eq!(keys.len() + skipped.len(), 1);
        skipped.first().map(|skipped| skipped.reason)
    }

    /// The key with some members changed; null: without it.
    fn with(jwk: &Value, changes: Value) -> Value {
        let mut jwk = jwk.clone();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(jwk.as_object_mut().unwrap().remove(name)),
                _ => jwk[name] = value.clone(),
            }
        }
        jwk
    }

    #[test]
    fn a_key_is_for_its_algorithm_or_for_what_its_type_can_do() {
        use Algorithm::{Es256, Hs256, Ps384, Rs256, Rs512};
        let rsa = Signer::of("RS256").jwk;
        let (keys, _) = read(&json!({"keys": [rsa]}), Origin::Fetched);
        assert!(keys.contains(Some("rs256"), Rs256) && keys.contains(None, Rs256));
        assert!(!keys.contains(Some("rs256"), Rs512) && !keys.contains(Some("rs256"), Ps384) && !keys.contains(Some("x"), Rs256));
        let (keys, _) = read(&json!({"keys": [with(&rsa, json!({"alg": null}))]}), Origin::Fetched);
        assert!(keys.contains(Some("rs256"), Rs256) && keys.contains(Some("rs256"), Rs512) && keys.contains(None, Ps384));
        assert!(!keys.contains(Some("rs256"), Es256) && !keys.contains(None, Hs256));
        assert_eq!(keys.find(Some("rs256"), Hs256).err(), Some(Rejection::Algorithm));
        assert_eq!(keys.find(None, Hs256).err(), Some(Rejection::UnknownKey));
        assert_eq!(keys.find(Some("x"), Rs256).err(), Some(Rejection::UnknownKey));
    }

    #[test]
    fn a_token_without_a_kid_needs_the_only_key_that_fits() {
        let (one, two) = (Signer::of("ES256"), Signer::of("ES256"));
        let (first, second) = (with(&one.jwk, json!({"kid": "1"})), with(&two.jwk, json!({"kid": "2"})));
        let token = one.sign(r#"{"alg":"ES256"}"#, "{}");
        let verify = |set: Value| Unverified::parse(&token).and_then(|token| token.verify(&read(&set, Origin::Fetched).0, None));
        assert!(verify(json!({"keys": [first]})).is_ok());
        assert!(verify(json!({"keys": [first, Signer::of("EdDSA").jwk]})).is_ok());
        assert!(verify(json!({"keys": [with(&first, json!({"kid": null}))]})).is_ok());
        assert_eq!(verify(json!({"keys": [first, second]})), Err(Rejection::UnknownKey));
        assert_eq!(verify(json!({"keys": []})), Err(Rejection::UnknownKey));
        assert_eq!(verify(json!({"keys": [second]})), Err(Rejection::Signature));
    }

    #[test]
    fn a_token_with_a_kid_means_no_key_without() {
        let signer = Signer::of("ES256");
        let set = json!({"keys": [with(&signer.jwk, json!({"kid": null}))]});
        let (text, keys) = (signer.token("{}"), read(&set, Origin::Fetched).0);
        assert_eq!(Unverified::parse(&text).and_then(|token| token.verify(&keys, None)), Err(Rejection::UnknownKey));
    }

    #[test]
    fn keys_that_share_a_name_and_an_algorithm_are_both_left_out() {
        let (one, two) = (Signer::of("ES256").jwk, Signer::of("ES256").jwk);
        let ed = with(&Signer::of("EdDSA").jwk, json!({"kid": "es256"}));
        let left = |keys: Value| {
            let (keys, skipped) = read(&json!({"keys": keys}), Origin::Fetched);
            (keys.len(), skipped.iter().map(|key| key.index).collect::<Vec<_>>())
        };
        assert_eq!(left(json!([one, two])), (0, vec![0, 1]));
        assert_eq!(left(json!([one, ed, with(&two, json!({"alg": null})), one])), (1, vec![0, 2, 3]));
        assert_eq!(left(json!([one, one])), (1, vec![1]));
        assert_eq!(left(json!([one, ed])), (2, vec![]));
        assert_eq!(left(json!([one, with(&two, json!({"kid": "2"}))])), (2, vec![]));
        // A bad key of the same name and type may be the one that is meant; one for something else may not.
        assert_eq!(left(json!([one, with(&two, json!({"x": "AA"}))])), (0, vec![1, 0]));
        assert_eq!(left(json!([with(&two, json!({"use": "enc"})), one])), (1, vec![0]));
    }

    #[test]
    fn a_fetched_secret_is_left_out_and_a_written_one_stands_alone() {
        let (secret, public) = (Signer::of("HS256").jwk, Signer::of("ES256").jwk);
        let (keys, skipped) = read(&json!({"keys": [secret, public]}), Origin::Fetched);
        assert_eq!((keys.len(), skipped.len()), (1, 1));
        assert_eq!(skipped[0].to_string(), "key 0 (`hs256`) is not used: it is a secret, and whoever can fetch it could sign");
        let mixed = KeySet::from_value(&json!({"keys": [secret, public]}), Origin::Document);
        assert_eq!(mixed.err(), Some(InvalidKeySet::Mixed));
        let (keys, _) = read(&json!({"keys": [secret]}), Origin::Document);
        assert_eq!(format!("{keys:?}"), "KeySet(1 keys)");
        let short = with(&secret, json!({"k": base64url([9; 31])}));
        assert_eq!(refusal(&short), Some("its secret has less than 32 bytes"));
        assert_eq!(refusal(&with(&secret, json!({"alg": "HS512"}))), Some("its `alg` is not supported"));
        assert_eq!(refusal(&with(&secret, json!({"alg": "RS256"}))), Some("its `alg` does not fit its `kty` or `crv`"));
    }

    #[test]
    fn keys_for_other_purposes_are_left_out() {
        let jwk = Signer::of("ES256").jwk;
        for (changes, expected) in [
            (json!({"use": "sig"}), None),
            (json!({"key_ops": ["verify"]}), None),
            (json!({"key_ops": ["sign", "verify"]}), None),
            (json!({"d": "AA", "x5c": ["MIIB"], "ext": true}), None),
            (json!({"use": "enc"}), Some("its `use` is not `sig`")),
            (json!({"use": 1}), Some("its `use` is not `sig`")),
            (json!({"key_ops": ["sign"]}), Some("its `key_ops` do not contain `verify`")),
            (json!({"key_ops": []}), Some("its `key_ops` do not contain `verify`")),
            (json!({"key_ops": "verify"}), Some("its `key_ops` do not contain `verify`")),
            (json!({"alg": "ES512"}), Some("its `alg` is not supported")),
            (json!({"alg": "none"}), Some("its `alg` is not supported")),
            (json!({"alg": 1}), Some("its `alg` is not supported")),
            (json!({"alg": "ES384"}), Some("its `alg` does not fit its `kty` or `crv`")),
            (json!({"kty": "XX"}), Some("its `kty` is not supported")),
            (json!({"kty": null}), Some("a member that its type needs is not there, or no string")),
            (json!({"kid": 1}), Some("its `kid` is no string")),
        ] {
            assert_eq!(refusal(&with(&jwk, changes.clone())), expected, "{changes}");
        }
        assert_eq!(refusal(&json!("key")), Some("it is no object"));
    }

    #[test]
    fn weak_rsa_keys_are_left_out() {
        let jwk = Signer::of("RS256").jwk;
        let modulus = |bytes: usize, first: u8, last: u8| {
            let mut n = vec![0x5a; bytes];
            (n[0], n[bytes - 1]) = (first, last);
            json!({"n": base64url(n)})
        };
        let size = Some("its modulus has less than 2048 or more than 4096 bits");
        let exponent = Some("its exponent is 1, even, or too large");
        for (changes, expected) in [
            (modulus(256, 0x80, 1), None),
            (modulus(257, 0x00, 1), size), // a zero byte and 2047 bits
            (modulus(256, 0x7f, 1), size),
            (modulus(512, 0xff, 1), None),
            (modulus(513, 0x01, 1), size),
            (modulus(513, 0x00, 1), None), // a zero byte and 4095 bits
            (modulus(256, 0x80, 2), Some("its modulus is weak")),
            (json!({"n": base64url([vec![0; 255], vec![1]].concat())}), size),
            (json!({"n": ""}), size),
            (json!({"n": "AA="}), Some("a number of it is not base64url without padding")),
            (json!({"e": "Aw"}), None),
            (json!({"e": "AAEAAQ"}), None),
            (json!({"e": "_____w"}), None),
            (json!({"e": "AQ"}), exponent),
            (json!({"e": "Ag"}), exponent),
            (json!({"e": "AA"}), exponent),
            (json!({"e": ""}), exponent),
            (json!({"e": "AQAAAAE"}), exponent),
            (json!({"e": null}), Some("a member that its type needs is not there, or no string")),
        ] {
            assert_eq!(refusal(&with(&jwk, changes.clone())), expected, "{changes}");
        }
    }

    #[test]
    fn points_that_are_none_are_left_out() {
        let (p256, p384, ed) = (Signer::of("ES256").jwk, Signer::of("ES384").jwk, Signer::of("EdDSA").jwk);
        let size = Some("its coordinates do not have the size of its curve");
        let off = Some("its point is not on its curve");
        let curve = Some("its `crv` is not supported");
        let small = Some("its point is not on its curve, or of small order");
        let mut identity = [0; 32];
        identity[0] = 1;
        for (jwk, changes, expected) in [
            (&p256, json!({"x": base64url([1; 31])}), size),
            (&p256, json!({"x": base64url([1; 33])}), size),
            (&p256, json!({"y": ""}), size),
            (&p256, json!({"y": p256["x"]}), off),
            (&p256, json!({"x": base64url([0; 32]), "y": base64url([0; 32])}), off),
            (&p256, json!({"x": base64url([0xff; 32])}), off),
            (&p384, json!({"y": p384["x"]}), off),
            (&p384, json!({"crv": "P-256", "alg": null}), size),
            (&p256, json!({"crv": "P-384", "alg": null}), size),
            (&p256, json!({"crv": "P-521"}), curve),
            (&p256, json!({"crv": "secp256k1"}), curve),
            (&ed, json!({"crv": "X25519"}), curve),
            (&ed, json!({"crv": "Ed448"}), curve),
            (&ed, json!({"x": base64url([7; 31])}), small),
            (&ed, json!({"x": base64url(identity)}), small),
            (&ed, json!({"x": base64url([0; 32])}), small),
        ] {
            assert_eq!(refusal(&with(jwk, changes.clone())), expected, "{changes}");
        }
    }

    #[test]
    fn text_that_is_no_set_is_refused() {
        let parse = |text: &str| KeySet::parse(text.as_bytes(), Origin::Fetched).map(|(keys, skipped)| (keys.len(), skipped.len()));
        assert_eq!(parse(r#"{"keys":[]}"#), Ok((0, 0)));
        assert_eq!(parse(r#"{"keys":[1,{},{"kty":"RSA"}],"x":1}"#), Ok((0, 3)));
        for text in ["", "x", "{\"keys\":[]}x", "{\"keys\":[],\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"kty\":\"RSA\"}]}"] {
            assert_eq!(parse(text), Err(InvalidKeySet::Json), "{text}");
        }
        assert_eq!(parse(&format!("{{\"keys\":{}{}}}", "[".repeat(16), "]".repeat(16))), Err(InvalidKeySet::Json));
        for text in ["[]", "{}", "{\"keys\":{}}", "{\"kty\":\"RSA\"}", "null"] {
            assert_eq!(parse(text), Err(InvalidKeySet::NoKeys), "{text}");
        }
        let many = |count: usize| json!({"keys": vec![json!({}); count]}).to_string();
        assert_eq!(parse(&many(100)), Ok((0, 100)));
        assert_eq!(parse(&many(101)), Err(InvalidKeySet::TooManyKeys));
        let padded = |length: usize| [r#"{"keys":[]}"#, &" ".repeat(length - 11)].concat();
        assert_eq!(parse(&padded(256 * 1024)), Ok((0, 0)));
        assert_eq!(parse(&padded(256 * 1024 + 1)), Err(InvalidKeySet::TooLarge));
    }
}
