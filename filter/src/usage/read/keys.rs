//! `apiKeys` of the gateway document. No problem shows a value, nor a digest of one.
//!
//! AWS: `CreateApiKey` of the API Gateway reference.

use crate::definition::{Node, stable_id};
use crate::problem::{JsonPath, Problems};
use crate::usage::{Key, Table};

use hmac_sha256::Hash;

/// The keys, and what plans call them.
#[derive(Debug, Default)]
pub struct Keys {
    /// Those that can be used, in the order of the document.
    pub keys: Vec<Key>,
    /// Where each of them is said.
    pub paths: Vec<JsonPath>,
    /// Where each one is; none where something is wrong with it, which is told.
    names: Table<Option<usize>>,
}

/// How long a value is, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 20..=128;

const KNOWN: [&str; 6] = ["name", "id", "value", "sha256", "enabled", "description"];

// === impl Keys ===

impl Keys {
    /// Reads them.
    pub fn read(node: Option<&Node<'_>>, problems: &mut Problems) -> Self {
        let mut read = Self::default();
        // What is taken, and by whom.
        let (mut digests, mut ids) = (Table::default(), Table::default());
        for node in node.map(|node| node.elements(problems)).unwrap_or_default() {
            node.only(&KNOWN, problems);
            let Some(name) = node.required_text("name", problems) else { continue };
            if read.names.get(&name).is_some() {
                problems.error(&node.path.key("name"), format!("a second key named `{name}`"), None);
                continue;
            }
            let key = read_key(&node, &name, problems).filter(|key| {
                let said = if node.get("value").is_some() { "value" } else { "sha256" };
                let help = "a value tells who calls, so each key has its own";
                is_first(&mut digests, &key.digest, key, ("the value", help), &node.path.key(said), problems)
            });
            let key = key.filter(|key| {
                let help = "`$context.identity.apiKeyId` tells who called";
                is_first(&mut ids, key.id.as_bytes(), key, ("the id", help), &node.path.key("id"), problems)
            });
            read.names.insert(&name, key.is_some().then_some(read.keys.len()));
            if let Some(key) = key {
                read.keys.push(key);
                read.paths.push(node.path);
            }
        }
        read
    }

    /// Where a key is among the keys; none when no key has the name. Inside, none when something is wrong with it.
    pub fn find(&self, name: &str) -> Option<Option<usize>> {
        self.names.get(name).copied()
    }
}

/// Whether nobody else has the same, which is told.
fn is_first(
    taken: &mut Table<String>,
    what: &[u8],
    key: &Key,
    (called, help): (&str, &str),
    path: &JsonPath,
    problems: &mut Problems,
) -> bool {
    if let Some(other) = taken.get(what) {
        problems.error(path, format!("{called} of key `{}` is that of key `{other}`", key.name), Some(help));
        return false;
    }
    taken.insert(what, key.name.clone());
    true
}

fn read_key(node: &Node<'_>, name: &str, problems: &mut Problems) -> Option<Key> {
    if let Some(description) = node.get("description") {
        description.text(problems);
    }
    let id = match node.get("id") {
        Some(_) => node.text_of("id", problems),
        None => Some(stable_id(name, 10)),
    };
    let enabled = node.get("enabled").map(|enabled| enabled.boolean(problems));
    let digest = read_digest(node, name, problems);
    Some(Key { id: id?, digest: digest?, enabled: enabled.unwrap_or(Some(true))?, memberships: Vec::new(), name: name.to_owned() })
}

fn read_digest(node: &Node<'_>, name: &str, problems: &mut Problems) -> Option<[u8; 32]> {
    match (node.get("value"), node.get("sha256")) {
        (Some(value), None) => digest_of_value(&value, name, problems),
        (None, Some(digits)) => {
            let digest = from_hex(digits.string(problems)?);
            let help = Some("64 hexadecimal digits: `printf %s VALUE | sha256sum`");
            if digest.is_none() {
                problems.error(&digits.path, format!("the `sha256` of key `{name}` is no SHA-256"), help);
            }
            // A variable of the shell that is not set: an empty header would be the key.
            if digest == Some(Hash::hash(b"")) {
                problems.error(&digits.path, format!("the `sha256` of key `{name}` is that of nothing"), help);
                return None;
            }
            digest
        }
        (Some(_), Some(digits)) => {
            problems.error(&digits.path, format!("key `{name}` has a `value` and a `sha256`"), Some("keep one"));
            None
        }
        (None, None) => {
            let help = "`value`, or `sha256` where the document is to hold no secret";
            problems.error(&node.path, format!("key `{name}` has no value"), Some(help));
            None
        }
    }
}

fn digest_of_value(node: &Node<'_>, name: &str, problems: &mut Problems) -> Option<[u8; 32]> {
    let value = node.string(problems)?;
    if !LENGTH.contains(&value.chars().count()) {
        let message = format!("the value of key `{name}` is too short or too long");
        let help = format!("from {} to {} characters", LENGTH.start(), LENGTH.end());
        problems.error(&node.path, message, Some(&help));
        return None;
    }
    if value.trim() != value || value.chars().any(char::is_control) {
        let message = format!("no header can have the value of key `{name}`");
        problems.error(&node.path, message, Some("no control characters, no white space at its ends"));
        return None;
    }
    Some(Hash::hash(value.as_bytes()))
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if text.len() != 2 * digest.len() {
        return None;
    }
    for (byte, digits) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let mut digits = digits.iter().map(|byte| digit(*byte));
        *byte = digits.next()?? << 4 | digits.next()??;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const VALUE: &str = "0123456789abcdefghijKEY1";

    fn keys(value: Value) -> (Keys, Vec<String>) {
        let mut problems = Problems::default();
        let keys = Keys::read(Some(&Node::root(&value)), &mut problems);
        let told: Vec<String> = problems.into_vec().iter().map(ToString::to_string).collect();
        // Whatever is wrong, and whatever is right.
        for text in [format!("{told:?}"), format!("{keys:?}")] {
            assert!(!text.contains("KEY1") && !text.contains(&sha256(VALUE)), "{text}");
        }
        (keys, told)
    }

    fn sha256(value: &str) -> String {
        Hash::hash(value.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_value_and_its_digest_are_the_same_key() {
        let (one, told) = keys(json!([{"name": "a", "value": VALUE, "description": "Petra's"}]));
        assert!(told.is_empty(), "{told:?}");
        let (other, told) = keys(json!([{"name": "a", "sha256": sha256(VALUE).to_uppercase(), "enabled": "false", "id": "k1"}]));
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(one.keys[0].digest, other.keys[0].digest);
        assert_eq!((one.keys[0].id.as_str(), one.keys[0].enabled), (stable_id("a", 10).as_str(), true));
        assert_eq!((other.keys[0].id.as_str(), other.keys[0].enabled), ("k1", false));
    }

    #[test]
    fn two_keys_with_one_value_are_told_whichever_way_it_is_written() {
        let (read, told) = keys(json!([
            {"name": "a", "value": VALUE},
            {"name": "b", "sha256": sha256(VALUE)},
            {"name": "c", "value": VALUE},
        ]));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("$[1].sha256: the value of key `b` is that of key `a`"), "{told:?}");
        assert!(told[1].starts_with("$[2].value: the value of key `c` is that of key `a`"), "{told:?}");
        // Known by name, so that no plan is told of them once more.
        assert_eq!((read.find("a"), read.find("b"), read.find("d")), (Some(Some(0)), Some(None), None));
    }

    #[test]
    fn a_value_has_20_to_128_characters() {
        for (length, is_one) in [(19, false), (20, true), (128, true), (129, false)] {
            let (read, told) = keys(json!([{"name": "a", "value": "ä".repeat(length)}]));
            assert_eq!((read.keys.len() == 1, told.is_empty()), (is_one, is_one), "{length}: {told:?}");
        }
    }

    #[test]
    fn every_mistake_of_a_key_is_told_once_and_shows_no_value() {
        for (key, start) in [
            (json!({"value": VALUE}), "$[0]: no `name`"),
            (json!({"name": "", "value": VALUE}), "$[0].name: `name` is empty"),
            (json!({"name": "a"}), "$[0]: key `a` has no value"),
            (json!({"name": "a", "value": VALUE, "sha256": sha256(VALUE)}), "$[0].sha256: key `a` has a `value` and a `sha256`"),
            (json!({"name": "a", "sha256": VALUE}), "$[0].sha256: the `sha256` of key `a` is no SHA-256"),
            (json!({"name": "a", "sha256": "é".repeat(32)}), "$[0].sha256: the `sha256` of key `a` is no SHA-256"),
            (json!({"name": "a", "sha256": sha256("")}), "$[0].sha256: the `sha256` of key `a` is that of nothing"),
            (json!({"name": "a", "value": format!("{VALUE}\n{VALUE}")}), "$[0].value: no header can have the value of key `a`"),
            (json!({"name": "a", "value": format!(" {VALUE}")}), "$[0].value: no header can have the value of key `a`"),
            (json!({"name": "a", "value": 12_345_678_901_234_567_890_u64}), "$[0].value: expected a string, found a number"),
            (json!({"name": "a", "value": VALUE, "enabled": "yes"}), "$[0].enabled: expected `true` or `false`"),
            (json!({"name": "a", "value": VALUE, "id": ""}), "$[0].id: `id` is empty"),
            (json!({"name": "a", "value": VALUE, "stageKeys": []}), "$[0].stageKeys: unknown key `stageKeys`"),
            (json!("KEY1"), "$[0]: expected an object"),
        ] {
            let (_, told) = keys(json!([key]));
            assert!(told[0].starts_with(start), "{told:?}");
        }
    }

    #[test]
    fn names_and_ids_are_unique() {
        let value = |digit: char| digit.to_string().repeat(20);
        let (_, told) = keys(json!([
            {"name": "a", "value": value('1'), "id": "k"},
            {"name": "a", "value": value('2')},
            {"name": "b", "value": value('3'), "id": "k"},
        ]));
        assert!(told[0].starts_with("$[1].name: a second key named `a`"), "{told:?}");
        assert!(told[1].starts_with("$[2].id: the id of key `b` is that of key `a`"), "{told:?}");
        assert_eq!(told.len(), 2, "{told:?}");
    }
}
