//! Whom the console answers: whoever sits at this machine, and no page of elsewhere that their browser shows.

use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderValue, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};

use crate::cli::diagnostics::printable;
use crate::cli::server::{Body, text};

/// Refuses what was asked by another name than this machine's: a page of elsewhere can make its own name mean this machine (DNS
/// rebinding), but not an address, nor `localhost`.
pub fn foreign_host<B>(request: &Request<B>) -> Option<Response<Body>> {
    let host = host_of(request);
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(name, _)| name);
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let is_own = name.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok();
    let words =
        format!("`{}` is a name that others can give to this machine: ask by its address, or as `localhost`", printable(host));
    (!is_own).then(|| refuse(StatusCode::FORBIDDEN, &words))
}

/// Refuses what a page of elsewhere sends: only the console's own form may cause requests.
pub fn foreign_origin<B>(request: &Request<B>) -> Option<Response<Body>> {
    if request.method() == Method::GET {
        return None;
    }
    let origin = request.headers().get(ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
    let is_own = origin.strip_prefix("http://").is_some_and(|origin| origin.eq_ignore_ascii_case(host_of(request)));
    (!is_own).then(|| refuse(StatusCode::FORBIDDEN, "the form is the console's own: a page of another origin may not send it"))
}

fn host_of<B>(request: &Request<B>) -> &str {
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let header = || request.headers().get(HOST).and_then(|host| host.to_str().ok());
    authority.or_else(header).unwrap_or_default()
}

/// An answer in words.
pub fn refuse(status: StatusCode, words: &str) -> Response<Body> {
    guarded(text(status, words), "default-src 'none'; frame-ancestors 'none'")
}

/// Nothing of the console is kept, framed, or read as what it is not.
pub fn guarded(mut response: Response<Body>, policy: &str) -> Response<Body> {
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // Without a referrer a browser would call the origin of a form `null`.
        (REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
        headers.insert(name, HeaderValue::from_static("same-origin"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, host: &str, origin: Option<&str>) -> Request<()> {
        let request = Request::builder().method(method).uri("/_tollgate").header("host", host);
        origin.into_iter().fold(request, |request, origin| request.header("origin", origin)).body(()).unwrap()
    }

    #[test]
    fn only_an_address_and_localhost_are_this_machine() {
        for host in ["127.0.0.1:9901", "127.0.0.1", "localhost:9901", "LOCALHOST", "[::1]:9901", "[::1]", "192.0.2.1:1"] {
            assert!(foreign_host(&request("GET", host, None)).is_none(), "{host}");
        }
        for host in ["", "evil.test", "evil.test:9901", "localhost.evil.test", "127.0.0.1.evil.test", "127.0.0.1@evil.test", "a:b"]
        {
            assert_eq!(foreign_host(&request("GET", host, None)).unwrap().status(), 403, "{host}");
        }
    }

    #[test]
    fn only_a_page_of_the_console_may_send_the_form() {
        let host = "127.0.0.1:9901";
        assert!(foreign_origin(&request("GET", host, Some("http://evil.test"))).is_none());
        assert!(foreign_origin(&request("POST", host, Some("http://127.0.0.1:9901"))).is_none());
        for origin in [None, Some("null"), Some("http://evil.test"), Some("https://127.0.0.1:9901"), Some("http://127.0.0.1:9902")]
        {
            assert_eq!(foreign_origin(&request("POST", host, origin)).unwrap().status(), 403, "{origin:?}");
        }
    }
}
