//! Absolute URLs of issuers and their keys, taken apart for a call.

use crate::http::is_valid_host;

/// An absolute `http` or `https` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// `http` or `https`
    pub scheme: &'static str,
    /// Host and port, lower case.
    pub authority: String,
    /// The path with its query, `/` at the least.
    pub path: String,
}

/// AWS's limit for issuers of HTTP APIs.
const LENGTH_LIMIT: usize = 2048;

// === impl Url ===

impl Url {
    /// None: another scheme, user information, a fragment, no host, or characters that no URL has.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = match text.split_once("://")? {
            ("https", rest) => ("https", rest),
            ("http", rest) => ("http", rest),
            _ => return None,
        };
        if text.len() > LENGTH_LIMIT || text.bytes().any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'#' | b'\\')) {
            return None;
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        // User information would be an `@`, which no host has.
        if !is_valid_host(authority.as_bytes()) {
            return None;
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(Self { scheme, authority: authority.to_ascii_lowercase(), path })
    }

    /// The same of an issuer, which has no query (OpenID Connect Discovery 1.0, section 3; REST API reference, `JwtIssuer`).
    pub fn of_issuer(text: &str) -> Option<Self> {
        Self::parse(text).filter(|_| !text.contains('?'))
    }

    /// Where an issuer says what it is: OpenID Connect Discovery 1.0, section 4, which takes a slash at the end away.
    pub fn discovery(&self) -> Self {
        let path = format!("{}/.well-known/openid-configuration", self.path.strip_suffix('/').unwrap_or(&self.path));
        Self { path, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_urls_are_taken_apart() {
        let url = Url::parse("https://Issuer.Test:8443/a/b?c=d").unwrap();
        assert_eq!((url.scheme, url.authority.as_str(), url.path.as_str()), ("https", "issuer.test:8443", "/a/b?c=d"));
        assert_eq!(Url::parse("http://a?b").unwrap().path, "/?b");
        assert_eq!(Url::parse("http://[::1]:80").unwrap().path, "/");
        assert_eq!(Url::of_issuer("https://a.test/x?y"), None);
    }

    #[test]
    fn a_url_has_2048_bytes_at_the_most() {
        let start = "https://a.test/";
        let is_one = |length: usize| Url::parse(&format!("{start}{}", "x".repeat(length - start.len()))).is_some();
        assert_eq!([is_one(2_048), is_one(2_049)], [true, false]);
    }

    #[test]
    fn what_is_no_url_of_a_host_is_refused() {
        let long = format!("https://a.test/{}", "x".repeat(2048));
        for text in [
            "",
            "a.test",
            "//a.test",
            "ftp://a.test",
            "HTTPS://a.test",
            "https://",
            "https:///x",
            "https://u:p@a.test",
            "https://a.test/#f",
            "https://a.test/ x",
            "https://a.test\\x",
            "https://a.test/\u{e9}",
            "https://a.test/\n",
            "https://${x}/",
            &long,
        ] {
            assert_eq!(Url::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_discovery_document_stands_below_the_issuer() {
        let path = |issuer: &str| Url::of_issuer(issuer).unwrap().discovery().path;
        assert_eq!(path("https://a.test"), "/.well-known/openid-configuration");
        assert_eq!(path("https://a.test/"), "/.well-known/openid-configuration");
        assert_eq!(path("https://a.test/t1/v2.0"), "/t1/v2.0/.well-known/openid-configuration");
    }
}
