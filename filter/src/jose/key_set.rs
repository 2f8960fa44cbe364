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
