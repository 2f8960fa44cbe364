//! API keys: which there are, and how a request shows one.
//!
//! AWS: "Usage plans and API keys for REST APIs in API Gateway", "x-amazon-apigateway-api-key-source property". A document may hold
//! SHA-256 digests in the place of keys, and the gateway holds nothing else: who reads its memory or its log learns no key.

use super::Place;
use super::plan::Membership;
use super::table::Table;
use crate::context::Context;
use crate::definition::Node;
use crate::problem::Problems;

use hmac_sha256::Hash;
use std::fmt;

/// Where a request has its API key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeySource {
    /// The header `X-API-Key`.
    #[default]
    Header,
    /// What the authorizer said: `usageIdentifierKey`.
    Authorizer,
}

/// An API key without its value.
pub struct Key {
    /// What plans call it.
    pub name: String,
    /// `$context.identity.apiKeyId`
    pub id: String,
    /// The SHA-256 of its value.
    pub digest: [u8; 32],
    /// Whether it counts.
    pub enabled: bool,
    /// The plans that it is on.
    pub memberships: Vec<Membership>,
}

/// All keys of a document. What it costs to find one hardly grows with their number.
#[derive(Debug, Default)]
pub struct KeyRing {
    /// By the first bytes of the digest. Whoever learns from the time that a look takes how far a digest agrees learns nothing of a
    /// key; the whole is compared in constant time all the same.
    keys: Table<Vec<Key>>,
}

/// The header, in lower case.
const HEADER: &str = "x-api-key";

// === impl KeySource ===

impl KeySource {
    /// Reads `x-amazon-apigateway-api-key-source`.
    pub fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        node.one_of(&[("HEADER", Self::Header), ("AUTHORIZER", Self::Authorizer)], problems)
    }

    /// The key that a request shows. Two headers are two keys, and none counts: assumed(two-api-keys).
    pub fn value(self, context: &Context) -> Option<Vec<u8>> {
        match self {
            Self::Header => {
                let mut values = context.headers().get_all(HEADER);
                let value = values.next()?;
                values.next().is_none().then(|| value.to_vec())
            }
            Self::Authorizer => context.authorizer.usage_identifier_key.as_ref().map(|key| key.as_bytes().to_vec()),
        }
    }
}

// === impl KeyRing ===

impl KeyRing {
    /// Adds a key; false when there is one with the same value, which stays.
    pub fn insert(&mut self, key: Key) -> bool {
        let Some(same) = self.keys.entry(prefix(&key.digest), Vec::new) else { return false };
        if same.iter().any(|other| other.digest == key.digest) {
            return false;
        }
        same.push(key);
        true
    }

    /// The key with a value, if it counts.
    pub fn find(&self, value: &[u8]) -> Option<&Key> {
        let digest = Hash::hash(value);
        self.keys.get(prefix(&digest))?.iter().find(|key| is_equal(&key.digest, &digest)).filter(|key| key.enabled)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.entries().iter().flatten()
    }
}

fn prefix(digest: &[u8; 32]) -> [u8; 8] {
    let mut prefix = [0; 8];
    prefix.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
    prefix
}

/// In a time that does not depend on where they differ.
fn is_equal(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let difference = one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b));
    std::hint::black_box(difference) == 0
}

// === impl Key ===

/// Without the digest: who has it can try values until one fits.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, id, enabled, memberships, digest: _ } = self;
        let mut key = f.debug_struct("Key");
        key.field("name", name).field("id", id).field("digest", &"<redacted>");
        key.field("enabled", enabled).field("memberships", memberships).finish()
    }
}

impl Key {
    /// The plan under which the key may call a route.
    pub fn membership(&self, place: &Place) -> Option<&Membership> {
        self.memberships.iter().find(|membership| membership.plan.stage(&place.api, &place.stage).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Protocol;
    use crate::event::tests::request;
    use serde_json::json;

    fn key(name: &str, value: &[u8], enabled: bool) -> Key {
        Key { name: name.to_owned(), id: name.to_owned(), digest: Hash::hash(value), enabled, memberships: Vec::new() }
    }

    #[test]
    fn a_key_is_found_by_its_whole_value_and_counts_while_it_is_enabled() {
        let mut ring = KeyRing::default();
        assert!(ring.insert(key("a", b"one", true)) && ring.insert(key("b", b"two", false)));
        assert!(!ring.insert(key("c", b"one", true)), "the value is taken");
        let found = |value: &[u8]| ring.find(value).map(|key| key.name.as_str());
        assert_eq!([&b"one"[..], b"two", b"three", b"on", b""].map(found), [Some("a"), None, None, None, None]);
        assert_eq!(ring.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn keys_whose_digests_begin_alike_are_told_apart() {
        let digest = Hash::hash(b"one");
        let mut alike = digest;
        alike[31] ^= 1;
        let mut ring = KeyRing::default();
        assert!(ring.insert(Key { digest: alike, ..key("alike", b"", true) }));
        assert!(ring.find(b"one").is_none());
        assert!(ring.insert(key("a", b"one", true)));
        assert_eq!(ring.find(b"one").map(|key| key.name.as_str()), Some("a"));
        for index in 0..32 {
            for bit in [1, 0x80] {
                let mut other = digest;
                other[index] ^= bit;
                assert!(!is_equal(&digest, &other), "{index}");
                // Two differences are no fewer than one.
                other[(index + 1) % 32] ^= bit;
                assert!(!is_equal(&digest, &other), "{index}");
            }
        }
        assert!(is_equal(&digest, &Hash::hash(b"one")));
        assert_eq!(prefix(&digest)[..], digest[..8]);
    }

    #[test]
    fn a_key_is_shown_by_one_header_or_said_by_the_authorizer() {
        let with = |headers: &[(&str, &str)]| {
            let mut context = request(Protocol::Rest, "GET", "/prod/", headers);
            context.authorizer.usage_identifier_key = Some("said".to_owned());
            context
        };
        for (headers, shown) in
            [(vec![], None), (vec![("X-Api-Key", "k")], Some("k")), (vec![("x-api-key", "k"), ("x-api-key", "k")], None)]
        {
            assert_eq!(KeySource::Header.value(&with(&headers)), shown.map(|shown| shown.as_bytes().to_vec()));
            assert_eq!(KeySource::Authorizer.value(&with(&headers)), Some(b"said".to_vec()));
        }
        for (said, source, told) in
            [("HEADER", Some(KeySource::Header), 0), ("AUTHORIZER", Some(KeySource::Authorizer), 0), ("COOKIE", None, 1)]
        {
            let mut problems = Problems::default();
            assert_eq!(KeySource::read(&Node::root(&json!(said)), &mut problems), source);
            assert_eq!(problems.into_vec().len(), told);
        }
    }

    #[test]
    fn a_key_that_is_printed_shows_neither_its_value_nor_the_digest_of_it() {
        let digest = Hash::hash(b"a value that nobody may see");
        let key = Key { name: "partner".to_owned(), id: "id".to_owned(), digest, enabled: true, memberships: Vec::new() };
        let printed = format!("{key:?}");
        assert!(printed.contains("partner") && printed.contains("<redacted>"), "{printed}");
        assert!(
            !printed.contains(&format!("{:?}", digest)) && !printed.contains(&format!("{}, {}", digest[0], digest[1])),
            "{printed}"
        );
    }
}
