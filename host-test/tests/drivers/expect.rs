//! Checks an observation against what a case expects; every difference is a line, never only the first.

use std::collections::BTreeMap;

use fancy_regex::Regex;
use serde_json::Value;

use super::body::from_base64;
use super::case::{Expect, ExpectMessage, ExpectUpstream, Upstream};
use super::observation::{Line, Observation, UpstreamRequest, joined, shown};

/// How an observation differs from what was expected.
pub fn differences(expect: &Expect, seen: &Observation) -> Vec<String> {
    let mut bad = Vec::new();
    let status = seen.status.to_string();
    let wanted = expect.status.as_str().map_or_else(|| expect.status.to_string(), str::to_owned);
    if !same_text(&wanted, &status) {
        bad.push(format!("status {status}, not {wanted}: {}", shown(&seen.body)));
    }
    message(&expect.message, &seen.headers, &seen.body, "answer", &mut bad);
    match &expect.upstream {
        None => {}
        Some(Upstream::Word(_)) => upstream(&[], &seen.upstream, &mut bad),
        Some(Upstream::One(one)) => upstream(std::slice::from_ref(&**one), &seen.upstream, &mut bad),
        Some(Upstream::Many(many)) => upstream(many, &seen.upstream, &mut bad),
    }
    if let Some(wanted) = &expect.access_log {
        let line = seen.access_log.as_deref().unwrap_or("none");
        if !same_text(wanted, line) {
            bad.push(format!("access log `{line}`, not `{wanted}`"));
        }
    }
    if let (Some(wanted), Some(lines)) = (&expect.execution_log, &seen.execution_log)
        && !(wanted.len() == lines.len() && wanted.iter().zip(lines).all(|(wanted, line)| same_text(wanted, line)))
    {
        bad.push(format!("execution log\n  {}\nnot\n  {}", lines.join("\n  "), wanted.join("\n  ")));
    }
    bad
}

fn upstream(expected: &[ExpectUpstream], seen: &[UpstreamRequest], bad: &mut Vec<String>) {
    if expected.len() != seen.len() {
        let paths: Vec<String> = seen.iter().map(|u| format!("{} {}{}", u.method, u.host, u.path)).collect();
        bad.push(format!("{} upstream requests, not {}: {paths:?}", seen.len(), expected.len()));
    }
    for (expect, seen) in expected.iter().zip(seen) {
        for (what, wanted, got) in [
            ("cluster", &expect.cluster, &seen.cluster),
            ("host", &expect.host, &seen.host),
            ("method", &expect.method, &seen.method),
            ("path", &expect.path, &seen.path),
        ] {
            if let Some(wanted) = wanted
                && !same_text(wanted, got)
            {
                bad.push(format!("upstream {what} `{got}`, not `{wanted}`"));
            }
        }
        let trailers: BTreeMap<String, String> = seen.trailers.iter().cloned().collect();
        if expect.trailers.as_ref().is_some_and(|wanted| *wanted != trailers) {
            bad.push(format!("upstream trailers {trailers:?}, not {:?}", expect.trailers));
        }
        message(&expect.message, &seen.headers, &seen.body, "upstream", bad);
    }
}

/// Headers and body of one message.
pub fn message(expect: &ExpectMessage, headers: &[Line], body: &[u8], whose: &str, bad: &mut Vec<String>) {
    for (name, wanted) in &expect.headers {
        let got = joined(headers, &name.to_ascii_lowercase());
        if !got.as_ref().is_some_and(|got| same_text(wanted, got)) {
            let got = got.unwrap_or_else(|| "(none)".to_owned());
            bad.push(format!("{whose} header {name} `{got}`, not `{wanted}`"));
        }
    }
    for name in &expect.absent_headers {
        if let Some(got) = joined(headers, &name.to_ascii_lowercase()) {
            bad.push(format!("{whose} header {name} is there: `{got}`"));
        }
    }
    if let Some(wanted) = &expect.body
        && !same_text(wanted, &String::from_utf8_lossy(body))
    {
        bad.push(format!("{whose} body `{}`, not `{wanted}`", shown(body)));
    }
    if let Some(wanted) = &expect.body_json
        && !serde_json::from_slice(body).is_ok_and(|got| same_json(wanted, &got))
    {
        bad.push(format!("{whose} body `{}`, not the JSON `{wanted}`", shown(body)));
    }
    if !expect.body_at.is_empty() {
        let got = serde_json::from_slice::<Value>(body).unwrap_or_default();
        for (place, wanted) in &expect.body_at {
            let here = got.pointer(place);
            if !here.map_or_else(|| wanted == "<none>", |here| same_json(wanted, here)) {
                let here = here.map_or_else(|| "nothing".to_owned(), Value::to_string);
                bad.push(format!("{whose} body has {} at {place}, not {wanted}", shown(here.as_bytes())));
            }
        }
    }
    if let Some(wanted) = &expect.body_base64
        && from_base64(wanted) != body
    {
        bad.push(format!("{whose} body is other bytes: {:?}", &body[..body.len().min(60)]));
    }
    if let Some(wanted) = expect.body_size
        && wanted != body.len()
    {
        bad.push(format!("{whose} body has {} bytes, not {wanted}", body.len()));
    }
}

/// Exact, or found by the pattern after `re:`.
pub fn same_text(wanted: &str, got: &str) -> bool {
    match wanted.strip_prefix("re:") {
        None => wanted == got,
        Some(pattern) => {
            let pattern = Regex::new(pattern).unwrap_or_else(|e| panic!("`{wanted}` is no pattern: {e}"));
            pattern.is_match(got).unwrap_or(false)
        }
    }
}

/// Deep equality with exact keys; `<any>` and `re:…` match as texts inside, numbers by value.
pub fn same_json(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::String(any), _) if any == "<any>" => true,
        (Value::String(text), Value::String(got)) => same_text(text, got),
        (Value::Array(wanted), Value::Array(got)) => {
            wanted.len() == got.len() && wanted.iter().zip(got).all(|(w, g)| same_json(w, g))
        }
        (Value::Object(wanted), Value::Object(got)) => {
            wanted.len() == got.len() && wanted.iter().all(|(k, w)| got.get(k).is_some_and(|g| same_json(w, g)))
        }
        (Value::Number(wanted), Value::Number(got)) => wanted == got || wanted.as_f64() == got.as_f64(),
        _ => wanted == got,
    }
}

/// Objects as subsets, everything else as [`same_json`].
pub fn subset_json(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => wanted.iter().all(|(k, w)| got.get(k).is_some_and(|g| subset_json(w, g))),
        _ => same_json(wanted, got),
    }
}
