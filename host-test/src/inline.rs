//! Headers that Envoy keeps once: a second value joins the first one by a comma, whether a client
//! sent it or a filter added it. All others, `cookie`, `set-cookie` and `x-api-key` among them,
//! stay apart. The lists are what Envoy 1.40 does, tried name by name; they differ by direction.

use crate::headers::HeaderMap;
use crate::stream::Side;
use bytes::Bytes;

const REQUEST: &[&str] = &[
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "authorization",
    "cache-control",
    "cdn-loop",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "grpc-accept-encoding",
    "grpc-timeout",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "origin",
    "pragma",
    "proxy-connection",
    "referer",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-client-trace-id",
    "x-envoy-attempt-count",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-upstream-rq-timeout-ms",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-request-id",
];

const RESPONSE: &[&str] = &[
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-allow-private-network",
    "access-control-expose-headers",
    "access-control-max-age",
    "age",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "etag",
    "expires",
    "grpc-message",
    "grpc-status",
    "keep-alive",
    "last-modified",
    "location",
    "proxy-connection",
    "server",
    "transfer-encoding",
    "upgrade",
    "vary",
    "via",
    "x-envoy-upstream-service-time",
    "x-request-id",
];

/// Adds a header as Envoy's header maps do.
pub(crate) fn add(map: &mut HeaderMap, side: Side, name: &[u8], value: Bytes) {
    let name = name.to_ascii_lowercase();
    let list = match side {
        Side::Request => REQUEST,
        Side::Response => RESPONSE,
    };
    let once = name.first() == Some(&b':') || list.binary_search_by(|known| known.as_bytes().cmp(&name)).is_ok();
    let earlier = map.iter().find(|(known, _)| once && *known == name);
    match earlier.map(|(_, earlier)| Bytes::from([earlier, b",", &value].concat())) {
        Some(joined) => map.set(name, joined),
        None => map.add(name, value),
    }
}

/// A head as Envoy's codec reads it off the wire.
pub(crate) fn fold(map: HeaderMap, side: Side) -> HeaderMap {
    let mut folded = HeaderMap::new();
    for (name, value) in map.entries() {
        add(&mut folded, side, name, value.clone());
    }
    folded
}
