//! What the events of both formats are made of: header lines, query pairs, cookies, and the maps they go into.

use crate::context::{Context, HIDDEN_HEADERS, TRACE_HEADER};
use crate::definition::Protocol;
use crate::http::Query;
use crate::platform::Platform;
use serde_json::{Map, Value};

/// Whom an event is for: they differ in details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A Lambda authorizer.
    Authorizer,
    /// A Lambda proxy integration.
    Integration,
}

/// The names of the fields that the gateway writes itself.
struct Spelling {
    host: &'static str,
    forwarded_for: &'static str,
    forwarded_port: &'static str,
    forwarded_proto: &'static str,
    trace: &'static str,
}

const REST: Spelling = Spelling {
    host: "Host",
    forwarded_for: "X-Forwarded-For",
    forwarded_port: "X-Forwarded-Port",
    forwarded_proto: "X-Forwarded-Proto",
    trace: "X-Amzn-Trace-Id",
};

const HTTP: Spelling = Spelling {
    host: "host",
    forwarded_for: "x-forwarded-for",
    forwarded_port: "x-forwarded-port",
    forwarded_proto: "x-forwarded-proto",
    trace: TRACE_HEADER,
};

/// The header lines of an event, in the order sent, then those of the gateway.
pub(super) fn headers(context: &Context, audience: Audience, platform: &dyn Platform) -> Vec<(String, String)> {
    let own = ["host", HTTP.forwarded_for, HTTP.forwarded_port, HTTP.forwarded_proto, HTTP.trace];
    let is_rest = context.protocol == Protocol::Rest;
    // The length of the body is hidden from integrations of REST APIs only (captured).
    let shows_length = !is_rest || audience == Audience::Authorizer;
    // assumed(event-hidden-headers): otherwise every event lacks what was recorded as hidden from integrations of REST APIs.
    let shown = |name: &str| {
        let hidden = HIDDEN_HEADERS.contains(&name) && !(shows_length && name == "content-length");
        !hidden && !own.contains(&name)
    };
    let mut lines: Vec<_> = context
        .headers()
        .iter()
        .map(|(name, value)| (name, name.to_ascii_lowercase(), value))
        .filter(|(_, lower, _)| shown(lower))
        .map(|(name, lower, value)| (if is_rest { name.to_owned() } else { lower }, text(value)))
        .collect();
    let spelling = if is_rest { &REST } else { &HTTP };
    let mut add = |name: &str, value: String| lines.push((name.to_owned(), value));
    // HTTP APIs tell a length where there is no body, too (captured).
    if !is_rest && !context.headers().contains("content-length") && !context.headers().contains("transfer-encoding") {
        add("content-length", "0".to_owned());
    }
    add(spelling.host, context.host());
    let proto = proto(context);
    add(spelling.forwarded_for, forwarded_for(context, platform));
    add(spelling.forwarded_port, port(context, proto));
    add(spelling.forwarded_proto, proto.to_owned());
    add(spelling.trace, trace(context, platform));
    lines
}

/// The addresses that the client came by, and its own at the end, which a proxy in front may have written already.
fn forwarded_for(context: &Context, platform: &dyn Platform) -> String {
    let sent: Vec<_> = context.headers().get_all(HTTP.forwarded_for).map(text).collect();
    let sent = sent.join(",");
    let mut addresses: Vec<_> = sent.split(',').map(str::trim).filter(|address| !address.is_empty()).collect();
    let peer = context.variable("identity.sourceIp", platform);
    if let Some(peer) = peer.as_deref().filter(|peer| addresses.last() != Some(peer)) {
        addresses.push(peer);
    }
    // A comma and a space, as AWS writes them and functions split them; proxies in front may write a comma only.
    addresses.join(", ")
}

fn proto(context: &Context) -> &'static str {
    let https = context.request.scheme == "https" || context.headers().get(HTTP.forwarded_proto) == Some(b"https");
    if https { "https" } else { "http" }
}

fn port(context: &Context, proto: &str) -> String {
    let host = context.host();
    let named = host.rsplit_once(':').map(|(_, port)| port).filter(|port| port.parse::<u16>().is_ok());
    named.unwrap_or(if proto == "https" { "443" } else { "80" }).to_owned()
}

/// A request that belongs to no trace yet gets the root of one, and nothing else (captured).
fn trace(context: &Context, platform: &dyn Platform) -> String {
    if context.headers().contains(TRACE_HEADER) {
        return context.trace_id(platform);
    }
    format!("Root={}", context.ids.trace_root(context.received_millis(platform)))
}

/// Names and values of the query, decoded, in the order sent.
pub(super) fn query(context: &Context) -> Vec<(String, String)> {
    let query = context.path.as_ref().and_then(|path| path.query()).unwrap_or_default();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // Both go through the one decoder, which tells values only.
        let decoded = Query::parse(&format!("n={name}&v={value}"));
        Some((decoded.last("n")?.to_owned(), decoded.last("v")?.to_owned()))
    };
    query.split(['&', ';']).filter(|pair| !pair.is_empty()).filter_map(pair).collect()
}

/// `{name: the last value}`
pub(super) fn last(pairs: &[(String, String)]) -> Map<String, Value> {
    pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

/// `{name: [every value]}`
pub(super) fn every(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in pairs {
        if let Value::Array(values) = map.entry(name.as_str()).or_insert_with(|| Value::Array(Vec::new())) {
            values.push(Value::from(value.as_str()));
        }
    }
    map
}

/// `{name: "every,value"}`
pub(super) fn joined(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        match map.get_mut(name) {
            Some(Value::String(values)) => {
                values.push(',');
                values.push_str(value);
            }
            _ => {
                map.insert(name.clone(), Value::from(value.as_str()));
            }
        }
    }
    map
}

/// The stage's variables.
pub(super) fn stage_variables(context: &Context) -> Map<String, Value> {
    let variables = context.stage.as_ref().map(|stage| &stage.variables);
    variables.into_iter().flatten().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

/// The path that names the resource: `/pets/{id}`, or `$default`.
pub(super) fn resource(context: &Context) -> Value {
    const DEFAULT: &str = "$default";
    let name = |route: &crate::context::RouteFacts| {
        Value::from(if route.route_key == DEFAULT { DEFAULT } else { route.resource_path.as_str() })
    };
    context.route.as_deref().map_or(Value::Null, name)
}

/// A path with its encoding undone, for the events of HTTP APIs (a fixture of aws-lambda-rust-runtime shows a space).
///
/// assumed(http-path-decoding): an encoded slash and an encoded percent sign stay as they are, and so does a path that is no
/// text when decoded: two paths that were routed differently must not look the same to the function.
pub(super) fn decoded_path(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'%', [high, low, after @ ..]) => {
                let hex = |digit: &u8| char::from(*digit).to_digit(16);
                let decoded = hex(high).zip(hex(low)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                match decoded.filter(|byte| !matches!(byte, b'/' | b'%')) {
                    Some(decoded) => {
                        bytes.push(decoded);
                        rest = after;
                    }
                    None => bytes.push(byte),
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{STILL, request};
    use super::*;

    fn value(lines: &[(String, String)], name: &str) -> Option<String> {
        lines.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn the_clients_address_is_at_the_end_whoever_wrote_it() {
        for (sent, wanted) in [
            (vec![], "192.0.2.1"),
            (vec![("x-forwarded-for", "198.51.100.7")], "198.51.100.7, 192.0.2.1"),
            (vec![("x-forwarded-for", "198.51.100.7, 192.0.2.1")], "198.51.100.7, 192.0.2.1"),
            (vec![("x-forwarded-for", "198.51.100.7,192.0.2.1"), ("x-forwarded-for", ", ")], "198.51.100.7, 192.0.2.1"),
            (vec![("x-forwarded-for", "192.0.2.1, 10.0.0.1")], "192.0.2.1, 10.0.0.1, 192.0.2.1"),
        ] {
            let context = request(Protocol::Rest, "GET", "/prod", &sent);
            let lines = headers(&context, Audience::Integration, &STILL);
            assert_eq!(value(&lines, "X-Forwarded-For").as_deref(), Some(wanted));
            assert_eq!(lines.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-for")).count(), 1);
        }
    }

    #[test]
    fn hidden_headers_are_in_no_event_and_the_length_only_where_it_was_seen() {
        let sent: Vec<_> = HIDDEN_HEADERS.iter().map(|name| (*name, "1")).collect();
        for (protocol, target, audience, shown) in [
            (Protocol::Rest, "/prod", Audience::Integration, false),
            (Protocol::Rest, "/prod", Audience::Authorizer, true),
            (Protocol::Http, "/", Audience::Integration, true),
        ] {
            let lines = headers(&request(protocol, "GET", target, &sent), audience, &STILL);
            let hidden: Vec<_> = lines.iter().filter(|(name, _)| HIDDEN_HEADERS.contains(&name.as_str())).collect();
            assert_eq!(hidden.len(), usize::from(shown), "{hidden:?}");
        }
    }

    #[test]
    fn the_port_is_the_hosts_or_that_of_the_scheme() {
        let mut context = request(Protocol::Http, "GET", "/", &[]);
        for (host, scheme, wanted) in
            [("h:8443", "https", "8443"), ("h", "https", "443"), ("h", "http", "80"), ("[::1]", "http", "80")]
        {
            context.request.authority = host.into();
            context.request.scheme = scheme.to_owned();
            let lines = headers(&context, Audience::Integration, &STILL);
            assert_eq!(value(&lines, "x-forwarded-port").as_deref(), Some(wanted), "{host} {scheme}");
        }
    }

    #[test]
    fn a_trace_that_came_in_is_kept_and_a_new_one_has_only_a_root() {
        let trace_of = |sent: &[(&str, &str)]| {
            value(&headers(&request(Protocol::Http, "GET", "/", sent), Audience::Integration, &STILL), "x-amzn-trace-id").unwrap()
        };
        assert_eq!(trace_of(&[]), "Root=1-66704feb-ffffffffffffffffffffffff");
        let sent = "Root=1-5e9f0c65-1de4d666d4dd26aced652b6c;Parent=0123456789abcdef;Sampled=1";
        assert_eq!(trace_of(&[("x-amzn-trace-id", sent)]), sent);
    }

    #[test]
    fn pairs_of_a_query_are_decoded_and_those_without_a_value_have_an_empty_one() {
        let context = request(Protocol::Rest, "GET", "/prod?a=1&b%20c=x%2By+z&a=2;d&e==&%6e=n&v=w", &[]);
        let pairs = query(&context);
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("a", "1"), ("b c", "x+y z"), ("a", "2"), ("d", ""), ("e", "="), ("n", "n"), ("v", "w")]);
    }

    #[test]
    fn decoding_never_makes_two_paths_one() {
        for (sent, decoded) in [
            ("/my/path%20with", "/my/path with"),
            ("/a%2Fb", "/a%2Fb"),
            ("/a%252Fb", "/a%252Fb"),
            ("/a+b", "/a+b"),
            ("/caf%C3%A9", "/caf\u{e9}"),
            ("/%ff", "/%ff"),
        ] {
            assert_eq!(decoded_path(sent), decoded);
        }
    }
}
