//! `issuers` of the document: keys that stand in it, keys at a place that it names, and permission to be called without TLS.
//!
//! ```yaml
//! issuers:
//!   "https://issuer.example.com":                # exactly what `iss` says
//!     jwks: { keys: [ … ] }                      # these, and nothing is fetched; or
//!     jwksUri: https://keys.example.com/jwks     # from there, without asking the issuer
//! ```
//! An issuer needs no entry: it is asked where its keys are. One whose URL is `http` is taken only with an entry, which says that
//! this is meant; a loopback address makes no difference.

use super::issuer::{Issuer, Keys, Source};
use super::issuer_keys::IssuerKeys;
use super::place::Place;
use super::provider::{Home, Provider};
use super::url::Url;
use crate::definition::{Directory, Endpoint, Node};
use crate::jose::{KeySet, Origin};
use crate::problem::Problems;
use std::collections::BTreeMap;
use std::sync::Arc;

/// `issuers` of the document, while it is compiled, and everybody whom an authorizer names.
pub struct Issuers<'a> {
    entries: Vec<Entry<'a>>,
    trusted: BTreeMap<String, Arc<Issuer>>,
}

struct Entry<'a> {
    issuer: &'a str,
    node: Node<'a>,
    keys: Option<Keys>,
    keys_url: Option<(Node<'a>, Url)>,
    is_named: bool,
}

// === impl Issuers ===

impl<'a> Issuers<'a> {
    /// Reads `issuers`.
    pub fn read(node: Option<&Node<'a>>, problems: &mut Problems) -> Self {
        let members = node.map(|node| node.members(problems)).unwrap_or_default();
        let entries = members.into_iter().map(|(issuer, node)| Entry::read(issuer, node, problems)).collect();
        Self { entries, trusted: BTreeMap::new() }
    }

    /// The issuer that an authorizer names.
    pub(super) fn trust(
        &mut self,
        issuer: &str,
        place: &Node<'_>,
        directory: &mut Directory,
        problems: &mut Problems,
    ) -> Option<Arc<Issuer>> {
        let mut entry = self.entries.iter_mut().find(|entry| entry.issuer == issuer);
        if let Some(entry) = &mut entry {
            entry.is_named = true;
        }
        let Some(url) = Url::of_issuer(issuer) else {
            let help = "an absolute https URL without user, query and fragment, exactly as the token's `iss` has it";
            problems.error(&place.path, format!("`{issuer}` is no issuer"), Some(help));
            return None;
        };
        if url.scheme == "http" && entry.is_none() {
            let help = format!("name it in the document if that is meant: `issuers: {{\"{issuer}\": {{}}}}`");
            problems.error(&place.path, format!("the issuer `{issuer}` has no https URL"), Some(&help));
            return None;
        }
        if let Some(known) = self.trusted.get(issuer) {
            return Some(Arc::clone(known));
        }
        let source = match entry.as_deref() {
            Some(Entry { keys: Some(keys), .. }) => Source::Document(keys.clone()),
            Some(Entry { keys_url: Some((node, url)), .. }) => {
                let place = reach(url.clone(), node, directory, problems);
                Source::Fetched(Box::new(Provider::new(issuer, Home::Keys(place))))
            }
            _ => {
                let place = reach(url.discovery(), place, directory, problems);
                Source::Fetched(Box::new(Provider::new(issuer, Home::Discovery(place))))
            }
        };
        let trusted = Arc::new(Issuer::new(issuer, source));
        self.trusted.insert(issuer.to_owned(), Arc::clone(&trusted));
        Some(trusted)
    }

    /// The keys of all issuers that an authorizer named.
    pub fn into_keys(self, directory: &Directory, problems: &mut Problems) -> IssuerKeys {
        for entry in self.entries.iter().filter(|entry| !entry.is_named) {
            let message = format!("no authorizer names the issuer `{}`", entry.issuer);
            problems.warning(&entry.node.path, message, Some("it must be written exactly as the authorizer has it"));
        }
        IssuerKeys::new(self.trusted.into_values(), directory)
    }
}

// === impl Entry ===

impl<'a> Entry<'a> {
    fn read(issuer: &'a str, node: Node<'a>, problems: &mut Problems) -> Self {
        node.only(&["jwks", "jwksUri"], problems);
        let (jwks, uri) = (node.get("jwks"), node.get("jwksUri"));
        if let (Some(_), Some(uri)) = (&jwks, &uri) {
            problems.error(&uri.path, "`jwks` and `jwksUri` say two things", Some("keep one"));
        }
        let issuer_url = Url::of_issuer(issuer);
        if issuer_url.is_none() {
            problems.error(
                &node.path,
                format!("`{issuer}` is no issuer"),
                Some("an absolute URL without user, query and fragment"),
            );
        }
        let keys_url = uri.and_then(|node| {
            let text = node.string(problems)?;
            let is_plain = issuer_url.is_some_and(|issuer| issuer.scheme == "http");
            let url = Url::parse(text).filter(|url| url.scheme == "https" || is_plain);
            if url.is_none() {
                problems.error(&node.path, format!("`{text}` is no absolute https URL"), None);
            }
            Some((node, url?))
        });
        Self { issuer, keys: jwks.and_then(|jwks| read_keys(&jwks, problems)), keys_url, node, is_named: false }
    }
}

fn read_keys(node: &Node<'_>, problems: &mut Problems) -> Option<Keys> {
    node.members(problems);
    match KeySet::from_value(node.value, Origin::Document) {
        Ok((set, skipped)) => {
            for key in &skipped {
                problems.warning(&node.path.key("keys").index(key.index), key.to_string(), None);
            }
            if set.is_empty() {
                problems.error(&node.path, "no key that can be used", Some("without `jwks` the keys are fetched from the issuer"));
                return None;
            }
            Some(Keys { set: Arc::new(set), number: 0 })
        }
        Err(invalid) => {
            problems.error(&node.path, invalid.to_string(), None);
            None
        }
    }
}

fn reach(url: Url, place: &Node<'_>, directory: &mut Directory, problems: &mut Problems) -> Place {
    let authority = url.authority.clone();
    let endpoint = Endpoint { name: authority.clone(), scheme: url.scheme.to_owned(), authority, signing: None };
    Place { cluster: directory.cluster(endpoint, place, problems), url }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Severity;
    use serde_json::{Value, json};

    /// What is told of a document in which an authorizer names these issuers, and the hosts that it needs.
    fn told(document: &Value, named: &[&str]) -> (Vec<String>, Vec<String>) {
        let mut problems = Problems::default();
        let root = Node::root(document);
        let mut directory = Directory::default();
        let mut issuers = Issuers::read(root.get("issuers").as_ref(), &mut problems);
        for issuer in named {
            issuers.trust(issuer, &root, &mut directory, &mut problems);
        }
        issuers.into_keys(&directory, &mut problems);
        let problem = |problem: &crate::problem::Problem| {
            let severity = if problem.severity == Severity::Error { "error" } else { "warning" };
            format!("{severity} {}: {}", problem.path, problem.message)
        };
        let hosts = directory.into_endpoints().into_iter().map(|endpoint| format!("{}://{}", endpoint.scheme, endpoint.name));
        (problems.into_vec().iter().map(problem).collect(), hosts.collect())
    }

    fn jwks() -> Value {
        json!({"keys": [{"kty": "oct", "kid": "a", "k": "A".repeat(64)}]})
    }

    #[test]
    fn what_is_fetched_needs_an_upstream_and_what_stands_there_needs_none() {
        let document = json!({"issuers": {
            "https://a.test": {"jwks": jwks()},
            "https://b.test": {"jwksUri": "https://Keys.B.test/jwks"},
            "https://d.test": {},
        }});
        let issuers = ["https://a.test", "https://b.test", "https://C.test:8443/x", "https://d.test", "https://b.test"];
        let (told, hosts) = told(&document, &issuers);
        assert_eq!(hosts, ["https://keys.b.test", "https://c.test:8443", "https://d.test"]);
        let messages: Vec<_> = told.iter().map(|line| line.split_once(": ").unwrap().1).collect();
        assert_eq!(messages, ["no upstream for `keys.b.test`", "no upstream for `c.test:8443`", "no upstream for `d.test`"]);
    }

    #[test]
    fn an_issuer_without_tls_is_taken_only_when_the_document_names_it() {
        let document = json!({"issuers": {"http://localhost:9000": {"jwksUri": "http://localhost:9000/k"}}});
        let (told, hosts) = told(&document, &["http://localhost:9000", "http://127.0.0.1"]);
        assert_eq!(hosts, ["http://localhost:9000"]);
        assert_eq!(told[1], "error $: the issuer `http://127.0.0.1` has no https URL");
    }

    #[test]
    fn every_mistake_is_told() {
        let document = json!({"issuers": {
            "https://a.test": {"jwks": jwks(), "jwksUri": "https://a.test/k"},
            "https://b.test?": {"x": 1},
            "https://c.test": {"jwksUri": "http://c.test/k"},
            "https://d.test": {"jwks": {"keys": []}},
            "https://e.test": {"jwks": {"keys": [jwks()["keys"][0], {"kty": "x"}]}},
            "https://f.test": {"jwks": []},
            "https://g.test": [],
        }});
        let (told, _) = told(&document, &["https://a.test", "https://e.test", "a.test", "https://u@b.test"]);
        let expected = [
            "error $.issuers[\"https://a.test\"].jwksUri: `jwks` and `jwksUri` say two things",
            "error $.issuers[\"https://b.test?\"].x: unknown key `x`",
            "error $.issuers[\"https://b.test?\"]: `https://b.test?` is no issuer",
            "error $.issuers[\"https://c.test\"].jwksUri: `http://c.test/k` is no absolute https URL",
            "error $.issuers[\"https://d.test\"].jwks: no key that can be used",
            "warning $.issuers[\"https://e.test\"].jwks.keys[1]: key 1 is not used: its `kty` is not supported",
            "error $.issuers[\"https://f.test\"].jwks: expected an object, found an array",
            "error $.issuers[\"https://f.test\"].jwks: a key set is an object with an array `keys`",
            "error $.issuers[\"https://g.test\"]: expected an object, found an array",
            "error $: `a.test` is no issuer",
            "error $: `https://u@b.test` is no issuer",
            "warning $.issuers[\"https://b.test?\"]: no authorizer names the issuer `https://b.test?`",
        ];
        assert_eq!(told[..expected.len()], expected);
        assert_eq!(told.len(), expected.len() + 4, "{told:#?}");
    }
}
