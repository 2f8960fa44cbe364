//! A file of calls: the gateway document, the backends behind it, what a page calls, and what it must get to see of each.
//!
//! ```yaml
//! about: What this file guards.
//! document: { apis: … }              # {{page}} is the origin of the page, {{jwks}} the set of test keys
//! tokens: { good: { … } }            # as in case files
//! backends: { backend.test: { … } }  # as in case files
//! calls:
//!   - name: a sentence
//!     from: elsewhere                # the same page at another origin; default `page`
//!     call: { path: /shop/items, method: PUT, headers: { x-a: "{{token:good}}" }, credentials: include, body: text, times: 2 }
//!     wire: [OPTIONS 204, PUT 200, PUT 200]   # what the gateway's own log has of it
//!     sees: { status: 200, headers: { x-page: "2" }, absentHeaders: [x-secret], body: … }   # as `expect` of a case
//!     blocked: part of the reason that the console tells        # instead of `sees`
//!     backend: { headers: { cookie: a=b }, absentHeaders: [x] } # what the last request had that reached a backend
//! ```
//! Each call gets a query of its own, `call=` and its number, so that logs tell calls apart and no preflight is that of another.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::drivers::case::{Backend, Expect, ExpectMessage};
use crate::drivers::tokens::{Tokens, put_keys, put_tokens};

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// For the reader.
    #[allow(dead_code, reason = "it is for the reader")]
    about: String,
    document: Value,
    #[serde(default)]
    tokens: Tokens,
    /// Integration host to what it answers.
    pub backends: BTreeMap<String, Backend>,
    /// In the order in which the page makes them.
    pub calls: Vec<Row>,
}

/// One call and what must come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// A sentence.
    pub name: String,
    /// Where the page is.
    #[serde(default)]
    pub from: From,
    call: Call,
    /// Method and status of each request that the gateway logs.
    pub wire: Vec<String>,
    /// The answer that the page may read.
    pub sees: Option<Expect>,
    /// Why it may not.
    pub blocked: Option<String>,
    /// What a backend gets.
    pub backend: Option<ExpectMessage>,
}

/// The origin that calls.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// The one that `{{page}}` stands for.
    #[default]
    Page,
    /// Another one.
    Elsewhere,
}

/// The query that tells calls apart.
const MARK: &str = "call=";

/// What a script hands to `fetch`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Call {
    path: String,
    #[serde(default = "get")]
    method: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default = "omit")]
    credentials: String,
    body: Option<String>,
    body_size: Option<usize>,
    #[serde(default = "once")]
    times: u32,
    #[serde(default)]
    pause_millis: u32,
}

/// The number of the call that a request belongs to, whatever the gateway made of its path.
pub fn number_of(target: &str) -> Option<usize> {
    target.split(['?', '&']).find_map(|part| part.strip_prefix(MARK))?.parse().ok()
}

fn get() -> String {
    "GET".to_owned()
}

fn omit() -> String {
    "omit".to_owned()
}

fn once() -> u32 {
    1
}

// === impl Table ===

impl Table {
    /// Reads a file of this folder for a page of that origin; panics with what is wrong with it.
    pub fn read(name: &str, page: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(name);
        let text = std::fs::read_to_string(&path).expect("the file is there").replace("{{page}}", page);
        let mut table: Self = serde_norway::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        put_keys(&mut table.document);
        for row in &table.calls {
            let one = row.sees.is_some() != row.blocked.is_some();
            assert!(one, "{}: `{}` needs one of `sees` and `blocked`", path.display(), row.name);
        }
        table
    }

    /// The gateway document, with a cluster for each backend.
    pub fn document(&self) -> Value {
        let mut document = self.document.clone();
        let clusters = self.backends.keys().map(|host| (host.clone(), json!({ "cluster": host })));
        document["upstreams"] = clusters.collect::<serde_json::Map<_, _>>().into();
        document
    }

    /// The calls of a page at that origin, and their numbers.
    pub fn from(&self, from: From) -> Vec<(usize, &Row)> {
        self.calls.iter().enumerate().filter(|(_, row)| row.from == from).collect()
    }

    /// The same as the page takes them.
    pub fn for_page(&self, from: From, gateway: &str) -> Value {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let call = |(number, row): (usize, &Row)| {
            let Call { method, headers, credentials, body, body_size, times, pause_millis, .. } = &row.call;
            let headers: BTreeMap<_, _> =
                headers.iter().map(|(name, value)| (name, put_tokens(value, &self.tokens, now))).collect();
            json!({
                "url": format!("{gateway}{}", row.target(number)), "method": method, "headers": headers, "credentials": credentials,
                "body": body, "bodySize": body_size, "times": times, "pauseMillis": pause_millis,
            })
        };
        self.from(from).into_iter().map(call).collect()
    }
}

// === impl Row ===

impl Row {
    /// Path and query.
    pub fn target(&self, number: usize) -> String {
        let path = &self.call.path;
        format!("{path}{}{MARK}{number}", if path.contains('?') { '&' } else { '?' })
    }
}
