//! Routes and stages: which one a request reaches, against a search that looks at each of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use tollgate::definition::Protocol;
use tollgate::route::{Pattern, RouteTable, StageTable, Verb};
use tollgate_fuzz::text_parts;

const METHODS: [&str; 4] = ["GET", "POST", "OPTIONS", "DELETE"];
const ROUTES: usize = 12;

/// Lines of `METHOD /path`.
fn routes(text: &str) -> Vec<(Verb, Pattern, &str)> {
    let route = |line| {
        let (method, path) = str::split_once(line, ' ')?;
        let verb = METHODS.iter().find(|known| **known == method).map_or(Verb::Any, |known| Verb::Method(known));
        Some((verb, Pattern::parse(path).ok()?, path))
    };
    text.lines().filter_map(route).take(ROUTES).collect()
}

fn table(protocol: Protocol, routes: &[(Verb, Pattern, &str)]) -> Option<RouteTable<usize>> {
    let mut table = RouteTable::new(protocol);
    for (index, (verb, pattern, _)) in routes.iter().enumerate() {
        table.insert(pattern.clone(), *verb, index).ok()?;
    }
    Some(table)
}

/// Whether a pattern takes a path, segment by segment.
fn takes(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut there) = (trimmed(pattern).split('/'), trimmed(path).split('/'));
    loop {
        match (wanted.next(), there.next()) {
            (None, None) => return true,
            (Some(wanted), Some(there)) if wanted.ends_with("+}") => return !(there.is_empty() && wanted.is_empty()),
            (Some(wanted), Some(there)) if wanted.starts_with('{') => {
                if there.is_empty() {
                    return false;
                }
            }
            (Some(wanted), Some(there)) if wanted == there => {}
            _ => return false,
        }
    }
}

fn trimmed(path: &str) -> &str {
    path.trim_end_matches('/').trim_start_matches('/')
}

fn find(protocol: Protocol, text: &str, path: &str) {
    let routes = routes(text);
    let Some(table) = table(protocol, &routes).filter(|_| path.starts_with('/')) else { return };
    let reversed: Vec<_> = routes.iter().rev().cloned().collect();
    let other = self::table(protocol, &reversed).expect("the order is no conflict");
    for method in METHODS {
        let found = table.find(method, path);
        let place = found.as_ref().map(|found| (routes[*found.route].2, routes[*found.route].0));
        let again = other.find(method, path).map(|found| (reversed[*found.route].2, reversed[*found.route].0));
        assert_eq!(place, again, "{method} {path}: the order does not matter");
        assert_eq!(place, table.find(method, &format!("{path}/")).map(|found| (routes[*found.route].2, routes[*found.route].0)));
        if let Some(found) = found {
            let (verb, pattern, written) = &routes[*found.route];
            assert!(
                *verb == Verb::Any
                    || *verb == Verb::Method(METHODS[METHODS.iter().position(|known| *known == method).expect("one")])
            );
            assert!(takes(written, path), "{written} for {path}");
            assert_eq!(found.parameters.len(), pattern.parameters().len());
            for (name, value) in &found.parameters {
                assert!(!value.is_empty() && path.contains(value.as_str()), "{name}={value} of {path}");
            }
        }
        // A resource without parameters is found by its own name.
        let own = routes.iter().find(|(verb, _, written)| {
            (*verb == Verb::Any || *verb == Verb::Method(METHODS[METHODS.iter().position(|known| *known == method).expect("one")]))
                && !written.contains('{')
                && trimmed(written) == trimmed(path)
                && !path.contains("//")
        });
        assert!(own.is_none() || place.is_some(), "{method} {path} of {text}");
    }
}

/// Lines of `HOST /base/path`.
fn stages(text: &str, host: &str, path: &str) {
    let mut table = StageTable::default();
    let mut all = BTreeMap::new();
    for (host, base) in text.lines().filter_map(|line| line.split_once(' ')).take(ROUTES) {
        let host = host.to_ascii_lowercase();
        if base.starts_with('/') && !base.ends_with('/') && !base.contains("//") && !host.contains(':') {
            let first = all.insert((host.clone(), base.to_owned()), base.to_owned());
            assert_eq!(table.insert(&host, base, base.to_owned()), first);
        }
    }
    if !path.starts_with('/') {
        return;
    }
    let name =
        host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())).map_or(host, |(name, _)| name);
    let name = name.to_ascii_lowercase();
    let listed = all.keys().any(|(host, _)| *host == name);
    let domain = if listed { name.as_str() } else { "" };
    let is_below = |base: &str| path == base || path.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
    let best = all.iter().filter(|((host, base), _)| host == domain && is_below(base)).max_by_key(|((_, base), _)| base.len());
    let found = table.find(host, path);
    assert_eq!(found.as_ref().map(|found| found.stage), best.map(|(_, stage)| stage), "{host} {path}");
    assert_eq!(table.lists(host), listed && !name.is_empty() || listed);
    if let Some(found) = found {
        assert!(found.path.starts_with('/') && !found.path.starts_with("//"), "{}", found.path);
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    let Some([text, path, host]) = text_parts(data) else { return };
    match kind % 3 {
        0 => find(Protocol::Rest, text, path),
        1 => find(Protocol::Http, text, path),
        _ => stages(text, host, path),
    }
});
