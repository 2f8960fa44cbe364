//! The functions of Lambda authorizers: what they say of whom. A function that fails always says yes beside it, so that a gateway
//! which reads only a part of an answer lets somebody through.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::apis::{REQUEST_RULES, Rules, TOKEN_RULES};
use super::documents::policy;
use crate::drivers::case::Backend;

/// What a function says of one identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Its policy, or yes.
    Known,
    /// An explicit deny, or no.
    Denied,
    /// A policy that allows something else; no.
    Elsewhere,
    /// It raises `Unauthorized`.
    Raises,
    /// It raises something else.
    Handled,
    /// The service fails.
    Status500,
    /// The service refuses the call.
    Status403,
    /// Not JSON.
    Garbage,
    /// JSON that ends too early.
    Half,
    /// JSON of another shape.
    Shape,
    /// The connection breaks.
    Dies,
}

/// All of them.
pub const WORDS: [Word; 11] = [
    Word::Known,
    Word::Denied,
    Word::Elsewhere,
    Word::Raises,
    Word::Handled,
    Word::Status500,
    Word::Status403,
    Word::Garbage,
    Word::Half,
    Word::Shape,
    Word::Dies,
];

/// What [`Word::Elsewhere`] allows: nothing that there is, though it looks alike.
pub const ELSEWHERE: Rules = Rules { allow: &["elsewhere/*", "main", "*/GET", "prod/GET/*"], deny: &[] };

const ALL: Rules = Rules { allow: &["*"], deny: &[] };

/// What a function answers: status, whether it is an error of the function, and the body. None: nothing, and it hangs up.
pub fn answer(function: &str, word: Word) -> Option<(u16, bool, String)> {
    let is_simple = function == "simple";
    let says = |rules: &Rules| json!({ "principalId": "somebody", "policyDocument": policy(rules, false) }).to_string();
    let yes = if is_simple { json!({ "isAuthorized": true }).to_string() } else { says(&ALL) };
    let no = if is_simple { json!({ "isAuthorized": false }).to_string() } else { says(&Rules { allow: &["*"], deny: &["*"] }) };
    if function == "sealed" {
        return Some((200, false, no));
    }
    Some(match word {
        Word::Known if is_simple => (200, false, yes),
        Word::Known => (200, false, says(if function == "tokens" { &TOKEN_RULES } else { &REQUEST_RULES })),
        Word::Denied => (200, false, no),
        Word::Elsewhere if is_simple => (200, false, no),
        Word::Elsewhere => (200, false, says(&ELSEWHERE)),
        Word::Raises => (200, true, json!({ "errorMessage": "Unauthorized", "isAuthorized": true }).to_string()),
        Word::Handled => (200, true, yes),
        Word::Status500 => (500, false, yes),
        Word::Status403 => (403, false, yes),
        Word::Garbage => (200, false, "Allow".to_owned()),
        Word::Half => (200, false, yes[..yes.len() - 1].to_owned()),
        Word::Shape if is_simple => (200, false, json!({ "isAuthorized": "true" }).to_string()),
        Word::Shape => {
            let document: Value = policy(&ALL, false);
            (200, false, json!({ "principalId": "somebody", "policyDocument": document.to_string() }).to_string())
        }
        Word::Dies => return None,
    })
}

/// All functions, as the drivers play them, when they are asked about somebody of whom they say this.
pub fn backend(word: Word) -> Backend {
    let mut paths: BTreeMap<String, Value> = BTreeMap::new();
    for function in ["tokens", "sealed", "requests", "simple"] {
        let stub = match answer(function, word) {
            None => json!({ "fault": "reset" }),
            Some((status, is_error, body)) => {
                let headers = if is_error { json!([["x-amz-function-error", "Unhandled"]]) } else { json!([]) };
                json!({ "status": status, "headers": headers, "body": body })
            }
        };
        paths.insert(format!("re::function:{function}/"), stub);
    }
    serde_json::from_value(json!({ "status": 404, "paths": paths })).expect("it is a backend of a case file")
}
