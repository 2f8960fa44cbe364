//! Who may reach what: AWS's rules, written down a second time and naively, from the developer guide and the recorded behaviour of
//! API Gateway, without a look at the gateway's source. All routes are tried, one after the other; nothing is cached or compiled.
//!
//! Where AWS's rule is not known, a verdict is a class by name, with every arrival that one of its readings permits.

use super::apis::{APIS, Api, Guard, Protocol, Route, Rules, Stage};
use super::credentials::{Credential, TokenUse};
use super::documents::{BACKEND, DEFAULT_BACKEND};
use crate::drivers::case::Request;

/// What an upstream gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The host of the integration.
    pub host: &'static str,
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
}

/// What may become of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It reaches the upstream so, behind this kind of guard.
    Reaches(Arrival, &'static str),
    /// It does not, at this kind of guard, or before one.
    Stops(&'static str),
    /// AWS's rule is not known: it stops, or it reaches the upstream in one of these ways.
    Perhaps(&'static str, Vec<Arrival>),
}

/// The stage, the route and the path of a request; what a guard decides about.
struct Call<'a> {
    api: &'static Api,
    stage: &'static Stage,
    route: &'static Route,
    method: &'a str,
    /// Below the stage, without slashes at its ends.
    path: String,
    /// The same with those at its end.
    sent: String,
}

const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Judges a request as the client sends it, with what its credential is worth.
pub fn judge(protocol: Protocol, request: &Request, credential: &Credential) -> Verdict {
    // RFC 9112, section 3: whoever reads a request line leniently ends the target at any whitespace.
    let line = request.path.split('\t').next().unwrap_or_default();
    let target = line.split('?').next().unwrap_or_default();
    let named = |name: &str| {
        request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect::<Vec<_>>()
    };
    // "X-HTTP-Method-Override overrides the method": known issues of REST APIs.
    let overrides = if protocol == Protocol::Rest { named("x-http-method-override") } else { Vec::new() };
    let (methods, odd_method) = match overrides.as_slice() {
        [] => (vec![request.method.clone()], false),
        [one] if METHODS.contains(one) => (vec![(*one).to_owned()], false),
        several => {
            let all = several.iter().flat_map(|value| value.split(',')).map(|value| value.trim().to_ascii_uppercase());
            (all.chain([request.method.clone()]).collect(), true)
        }
    };
    // RFC 9112, section 3.2.2: a server takes the absolute form, too, and its host.
    let (host, path, is_absolute) = match target.split_once("://") {
        Some(("http" | "https", rest)) => {
            let at = rest.find('/').unwrap_or(rest.len());
            (&rest[..at], &rest[at..], true)
        }
        _ => (request.host(), target, false),
    };
    let Some(canonical) = canonical(path).filter(|_| is_plain(line)) else { return Verdict::Stops("no reading") };
    let Some(host) = readable_host(host) else { return Verdict::Stops("no reading") };
    let class = if line.len() < request.path.len() {
        Some("whitespace in the request line")
    } else if odd_method {
        Some("odd method override")
    } else if is_absolute {
        Some("absolute form")
    } else if path.len() > 8_000 {
        Some("very long")
    } else {
        credential.worth.unsure.or_else(|| unsure(protocol, request, credential, (path, &canonical), !overrides.is_empty()))
    };
    let is_preflight = !named("origin").is_empty() && !named("access-control-request-method").is_empty();
    let (mut arrivals, mut kind) = (Vec::new(), "no route");
    for method in &methods {
        let Some(call) = find(protocol, &host, method, &canonical) else { continue };
        kind = call.route.guard.kind();
        let is_answered = call.api.cors && is_preflight && method == "OPTIONS";
        if !is_answered && permits(&call, credential) {
            arrivals.push(arrival(&call));
        }
    }
    match class {
        Some(class) => Verdict::Perhaps(class, arrivals),
        None => arrivals.pop().map_or(Verdict::Stops(kind), |arrival| Verdict::Reaches(arrival, kind)),
    }
}

/// What AWS does not say.
fn unsure(
    protocol: Protocol,
    request: &Request,
    credential: &Credential,
    (path, canonical): (&str, &str),
    is_overridden: bool,
) -> Option<&'static str> {
    // What exactly is signed then, nobody says; a `;` splits the data of a query (known issues).
    let is_odd = is_overridden
        || path != canonical
        || path.contains("//")
        || request.path.split('?').nth(1).is_some_and(|q| q.contains(';'));
    if credential.worth.signer.is_some() && is_odd {
        return Some("signature over something odd");
    }
    if path.bytes().any(|byte| b"\"<>[]^`{|}".contains(&byte)) {
        return Some("characters that a URI does not have");
    }
    if path.contains(':') {
        return Some("colon in a path");
    }
    if protocol == Protocol::Http && !METHODS.contains(&request.method.as_str()) {
        return Some("unknown method of an HTTP API");
    }
    // In front and at the end they do not count.
    canonical.trim_matches('/').contains("//").then_some("empty segment")
}

/// What every reader reads alike, the query included.
fn is_plain(target: &str) -> bool {
    target.chars().all(|c| ('\u{21}'..='\u{7e}').contains(&c) && !matches!(c, '\\' | '#'))
}

/// A name in small letters, without its port (RFC 9110, section 4.2.3); of several names, or with a user, there is none.
fn readable_host(host: &str) -> Option<String> {
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)) && !name.is_empty();
    (is_name && port.chars().all(|c| c.is_ascii_digit())).then(|| name.to_ascii_lowercase())
}

/// The one reading of a path: letters, digits and `-._~` decoded (RFC 3986, section 6.2.2.2), all else as sent. What two readers
/// could read differently has none.
fn canonical(path: &str) -> Option<String> {
    if !path.starts_with('/') || !is_plain(path) {
        return None;
    }
    let bytes = path.as_bytes();
    let (mut out, mut place) = (String::new(), 0);
    while place < bytes.len() {
        if bytes[place] != b'%' {
            out.push(char::from(bytes[place]));
            place += 1;
            continue;
        }
        let digits = path.get(place + 1..place + 3)?;
        let byte = u8::from_str_radix(digits, 16).ok().filter(|_| !digits.contains('+'))?;
        match byte {
            0 | b'\\' => return None,
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => out.push_str(&path[place..place + 3]),
        }
        place += 3;
    }
    let separated = out.replace("%2F", "/").replace("%2f", "/").replace("%3B", ";").replace("%3b", ";");
    let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    (!separated.split('/').any(is_dots)).then_some(out)
}

/// The call that a request is: the longest base path of a stage at that host, and the most specific route of it.
fn find<'a>(protocol: Protocol, host: &str, method: &'a str, canonical: &str) -> Option<Call<'a>> {
    let stages =
        APIS.iter().filter(|api| api.protocol == protocol).flat_map(|api| api.stages.iter().map(move |stage| (api, stage)));
    let stages: Vec<_> = stages.collect();
    let is_listed = stages.iter().any(|(_, stage)| stage.is_listed && stage.host == host);
    // Slashes before the stage, and behind it, do not count (recorded).
    let whole = canonical.trim_start_matches('/');
    let below = |base: &str| {
        let rest = if base.is_empty() { Some(whole) } else { whole.strip_prefix(&base[1..]) };
        rest.filter(|rest| base.is_empty() || rest.is_empty() || rest.starts_with('/'))
    };
    let here =
        stages.into_iter().filter(|(_, stage)| if is_listed { stage.is_listed && stage.host == host } else { !stage.is_listed });
    let (api, stage) = here.filter(|(_, stage)| below(stage.base).is_some()).max_by_key(|(_, stage)| stage.base.len())?;
    let sent = below(stage.base)?.trim_start_matches('/');
    let path = sent.trim_end_matches('/');
    let candidates = api.routes.iter().filter(|route| fits(route, method, path));
    let route = candidates.min_by_key(|route| rank(protocol, route))?;
    Some(Call { api, stage, route, method, path: path.to_owned(), sent: format!("/{sent}") })
}

/// The guard in front of a plain request.
pub fn guard_of(protocol: Protocol, host: &str, method: &str, path: &str) -> Option<Guard> {
    find(protocol, host, method, path).map(|call| call.route.guard)
}

fn fits(route: &Route, method: &str, path: &str) -> bool {
    let by_method = METHODS.contains(&method) && (route.method == method || route.method == "ANY");
    if route.pattern == "$default" {
        return true;
    }
    let pattern: Vec<&str> = route.pattern.split('/').filter(|part| !part.is_empty()).collect();
    let segments: Vec<&str> = path.split('/').filter(|_| !path.is_empty()).collect();
    let is_greedy = pattern.last().is_some_and(|part| part.ends_with("+}"));
    let by_length = if is_greedy { segments.len() >= pattern.len() } else { segments.len() == pattern.len() };
    let same = |(part, segment): (&&str, &&str)| {
        if part.starts_with('{') { part.ends_with("+}") || !segment.is_empty() } else { part == segment }
    };
    by_method && by_length && pattern.iter().zip(&segments).all(same)
}

/// Less is more specific. REST APIs: static, variable, greedy, segment by segment. HTTP APIs: a full match first, `$default` last.
fn rank(protocol: Protocol, route: &Route) -> (bool, bool, Vec<u8>, bool) {
    let kind = |part: &str| if part.ends_with("+}") { 2 } else { u8::from(part.starts_with('{')) };
    let is_greedy = protocol == Protocol::Http && route.pattern.ends_with("+}");
    (route.pattern == "$default", is_greedy, route.pattern[1..].split('/').map(kind).collect(), route.method == "ANY")
}

fn arrival(call: &Call<'_>) -> Arrival {
    let method = call.method.to_owned();
    if call.route.pattern == "$default" {
        return Arrival { host: DEFAULT_BACKEND, method, path: call.sent.clone() };
    }
    let pattern: Vec<&str> = call.route.pattern[1..].split('/').collect();
    let segments: Vec<&str> = call.path.split('/').collect();
    let value = |(place, part): (usize, &&str)| match part {
        part if part.ends_with("+}") => Some(segments[place..].join("/")),
        part if part.starts_with('{') => Some(segments[place].to_owned()),
        _ => None,
    };
    let values = pattern.iter().enumerate().filter_map(value).map(|value| format!("/{value}"));
    Arrival { host: BACKEND, method, path: call.api.marker(call.route) + &values.collect::<String>() }
}

/// "How API Gateway resource policies affect authorization workflow", and the pages of the authorizers.
fn permits(call: &Call<'_>, credential: &Credential) -> bool {
    let worth = &credential.worth;
    let says = |rules: &Rules| decide(rules, call);
    let resource = call.api.policy.as_ref().map(says);
    let must_allow = resource.is_none_or(|says| says == Some(true));
    let either = |own: Option<bool>| {
        let resource = resource.flatten();
        own != Some(false) && resource != Some(false) && (own == Some(true) || resource == Some(true))
    };
    let has_scope = |wanted: &[&str], has: &[&str]| wanted.is_empty() || wanted.iter().any(|scope| has.contains(scope));
    // "Method ARN longer than 1,600 bytes": 414 where something is to be authorized.
    let is_short = (call.route.guard == Guard::Open && call.api.policy.is_none())
        || arn(call).len() + "arn:aws:execute-api:us-east-1:000000000000:".len() <= 1_600;
    is_short
        && match call.route.guard {
            Guard::Open => must_allow,
            Guard::Iam => worth.signer.is_some_and(|user| {
                let own = user.rules.as_ref().and_then(says);
                if user.is_foreign { own == Some(true) && resource == Some(Some(true)) } else { either(own) }
            }),
            Guard::Token => worth.token.is_some_and(|rules| either(says(rules))),
            Guard::AnyToken => worth.any_token.is_some_and(|rules| either(says(rules))),
            Guard::Sealed => false,
            Guard::Request => worth.user_and_tenant.is_some_and(|rules| either(says(rules))),
            Guard::Simple => worth.user,
            Guard::Jwt(scopes) => {
                let token = if call.api.protocol == Protocol::Rest { worth.rest_jwt } else { worth.http_jwt };
                must_allow && token.is_some_and(|has| has_scope(scopes, has))
            }
            Guard::JwtInQuery => worth.query_jwt.is_some(),
            Guard::Pool(scopes) => {
                let due = if scopes.is_empty() { TokenUse::Id } else { TokenUse::Access };
                must_allow && worth.pool.is_some_and(|(kind, has)| kind == due && has_scope(scopes, has))
            }
        }
}

/// Explicit deny before allow before nothing.
fn decide(rules: &Rules, call: &Call<'_>) -> Option<bool> {
    let arn = arn(call);
    let any = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern.as_bytes(), arn.as_bytes()));
    if any(rules.deny) { Some(false) } else { any(rules.allow).then_some(true) }
}

/// The last part of the method's ARN.
fn arn(call: &Call<'_>) -> String {
    format!("{}/{}/{}/{}", call.api.id, call.stage.name, call.method, call.path)
}

/// `*` and `?`, slashes like any other character: on a difference, the last star takes one more.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut place, mut star) = (0, 0, None);
    while place < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, place));
                at += 1;
                continue;
            }
            Some(byte) if *byte == text[place] || *byte == b'?' => at += 1,
            _ => match &mut star {
                Some((star, taken)) => {
                    *taken += 1;
                    (at, place) = (*star + 1, *taken);
                    continue;
                }
                None => return false,
            },
        }
        place += 1;
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}
