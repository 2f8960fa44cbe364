//! Between hyper's types and the host's: every byte of the request target and of the header values stays what it was.

use bytes::Bytes;
use hyper::body::Body as _;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode, Version};
use tollgate_host::{Connection, HeaderMap};

use super::pipe::Reader;
use crate::cli::server::{Body, MAX_HEAD, Peer, empty, text};

/// The head of an answer, and the body that follows it if there is one.
pub struct Answer {
    /// `:status` and fields.
    pub head: HeaderMap,
    /// None: there is nothing but the head.
    pub body: Option<Reader>,
}

/// What the server answers by itself, as our Envoy does, because no gateway is to see such a request.
pub fn refuse<B>(request: &Request<B>) -> Option<Response<Body>> {
    let head: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let upgrade = request.headers().get("upgrade").is_some_and(|to| !to.as_bytes().eq_ignore_ascii_case(b"h2c"));
    let (status, words) = if request.version() == Version::HTTP_10 {
        (StatusCode::UPGRADE_REQUIRED, "HTTP/1.0 is not spoken here")
    } else if head + target > MAX_HEAD {
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "the request head is larger than 60 KiB")
    } else if request.method() == Method::CONNECT || upgrade {
        (StatusCode::FORBIDDEN, "tunnels and upgrades are not served")
    } else if authority(request.uri().authority().map(|a| a.as_str()), request.headers()).is_none() {
        (StatusCode::BAD_REQUEST, "the request names no host")
    } else if request.headers().get_all(hyper::header::CONNECTION).iter().any(names_what_must_stay) {
        (StatusCode::BAD_REQUEST, "`connection` names a header that is not the connection's")
    } else {
        return None;
    };
    let mut response = text(status, words);
    // Envoy's codec gives the connection up, where its router only refuses the request. HTTP/2 has no such header.
    if status != StatusCode::BAD_REQUEST && request.version() != Version::HTTP_2 {
        response.headers_mut().insert(hyper::header::CONNECTION, HeaderValue::from_static("close"));
        // Without it hyper would offer a client of HTTP/1.0 to keep the connection all the same.
        *response.version_mut() = request.version();
    }
    Some(response)
}

/// A client must not have headers removed that say who it is and whom it asks.
fn names_what_must_stay(connection: &HeaderValue) -> bool {
    connection
        .as_bytes()
        .split(|byte| *byte == b',')
        .map(|token| token.trim_ascii().to_ascii_lowercase())
        .any(|token| token == b"host" || token.starts_with(b":") || token.starts_with(b"x-forwarded-"))
}

/// The connection as the filter can see it.
pub fn connection(peer: Peer, version: Version) -> Connection {
    let protocol = if version == Version::HTTP_2 { "HTTP/2" } else { "HTTP/1.1" };
    Connection { id: peer.id, peer: peer.remote, local: peer.local, protocol, ..Connection::default() }
}

/// The head as the filter ABI writes it.
pub fn request_head(parts: &Parts) -> HeaderMap {
    let mut head = HeaderMap::new();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    head.add(":authority", authority(parts.uri.authority().map(|a| a.as_str()), &parts.headers).unwrap_or_default());
    head.add(":path", Bytes::copy_from_slice(target.as_bytes()));
    head.add(":method", Bytes::copy_from_slice(parts.method.as_str().as_bytes()));
    head.add(":scheme", Bytes::from_static(b"http"));
    for (name, value) in &parts.headers {
        // hyper itself answers `expect` with 100, and the host is the authority.
        if name != hyper::header::HOST && name != hyper::header::EXPECT {
            head.add(name.as_str(), Bytes::copy_from_slice(value.as_bytes()));
        }
    }
    head
}

/// The target's own authority, else the host; two of them are shown as the two that they are.
fn authority(target: Option<&str>, headers: &hyper::HeaderMap) -> Option<Vec<u8>> {
    if let Some(authority) = target {
        return Some(authority.as_bytes().to_vec());
    }
    let hosts: Vec<&[u8]> = headers.get_all(hyper::header::HOST).iter().map(|value| value.as_bytes()).collect();
    if hosts.is_empty() { None } else { Some(hosts.join(&b","[..])) }
}

/// Trailers, or the fields of an upstream's head.
pub fn fields(headers: &hyper::HeaderMap) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for (name, value) in headers {
        fields.add(name.as_str(), Bytes::copy_from_slice(value.as_bytes()));
    }
    fields
}

/// hyper's form of fields; a field that no HTTP message can carry is left out.
pub fn to_fields(fields: &HeaderMap) -> hyper::HeaderMap {
    let mut headers = hyper::HeaderMap::with_capacity(fields.len());
    for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with(b":")) {
        let name = hyper::header::HeaderName::from_bytes(name);
        let value = hyper::header::HeaderValue::from_bytes(value);
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

/// The answer as hyper sends it.
pub fn response(answer: Answer) -> Response<Body> {
    let status = answer.head.get_str(":status").and_then(|status| status.parse().ok());
    let body = match answer.body {
        Some(body) if !body.is_end_stream() => Body::new(body),
        _ => empty(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = to_fields(&answer.head);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(request: hyper::http::request::Builder) -> Parts {
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_target_and_the_values_keep_their_bytes() {
        let value = hyper::header::HeaderValue::from_bytes(b"\xff\xfe").unwrap();
        let request = Request::builder().uri("//a%2Fb/+%2B/;x?q=%zz&q=").header("host", "h").header("x-b", value);
        let head = request_head(&parts(request.header("x-a", "1").header("x-b", "2")));
        assert_eq!(head.get(":path"), Some(&b"//a%2Fb/+%2B/;x?q=%zz&q="[..]));
        assert_eq!(head.get(":authority"), Some(&b"h"[..]));
        assert_eq!(head.get_all("x-b").collect::<Vec<_>>(), [&b"\xff\xfe"[..], b"2"]);
        assert!(!head.contains("host"));
    }

    #[test]
    fn two_hosts_arrive_as_two_and_the_target_wins_over_them() {
        let request = Request::builder().uri("/").header("host", "a").header("host", "b");
        assert_eq!(request_head(&parts(request)).get(":authority"), Some(&b"a,b"[..]));
        let request = Request::builder().uri("http://c/").header("host", "a");
        assert_eq!(request_head(&parts(request)).get(":authority"), Some(&b"c"[..]));
    }

    #[test]
    fn requests_that_no_gateway_sees_are_answered_as_by_envoy() {
        let status = |request: hyper::http::request::Builder| refuse(&request.body(()).unwrap()).map(|r| r.status().as_u16());
        let plain = || Request::builder().uri("/").header("host", "h");
        assert_eq!(status(plain()), None);
        assert_eq!(status(plain().header("x", "y".repeat(61 * 1024))), Some(431));
        assert_eq!(status(plain().version(Version::HTTP_10)), Some(426));
        assert_eq!(status(plain().header("upgrade", "websocket")), Some(403));
        assert_eq!(status(plain().header("upgrade", "h2c")), None);
        assert_eq!(status(Request::builder().uri("/")), Some(400));
        for token in ["host", "close, Host", ":path", "X-Forwarded-For", "x-forwarded-proto ,close"] {
            assert_eq!(status(plain().header("connection", token)), Some(400), "{token}");
        }
        assert_eq!(status(plain().header("connection", "keep-alive, x-host")), None);
        assert_eq!(status(plain().method("get")), None);
    }
}
