//! The request target, read exactly once. The route, its authorization and what goes upstream all come from this one value, so
//! that no two readers can disagree about it; whatever two readers are known to disagree about is refused here.
//!
//! API Gateway keeps paths as they were sent: `%2F`, `%2B`, `;x=1`, case and inner `//` stay (recorded:
//! `test_lambda_aws_proxy_integration`).

/// A request target that means the same to every reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath {
    /// Path as sent, but for needless percent-encodings, one slash in front; `$context.path`.
    path: String,
    /// What follows the first `?`, undecoded.
    query: Option<String>,
}

/// The target could be read in two ways: the request is answered 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidPath;

// === impl CanonicalPath ===

impl CanonicalPath {
    /// Reads `:path`.
    pub fn parse(target: &[u8]) -> Result<Self, InvalidPath> {
        // Visible ASCII without `#` and `\`: a fragment is never sent, and a backslash is a slash to some.
        if target.iter().any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'#' | b'\\')) {
            return Err(InvalidPath);
        }
        let target = std::str::from_utf8(target).map_err(|_| InvalidPath)?;
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        if !path.starts_with('/') || path.split('/').any(is_ambiguous) {
            return Err(InvalidPath);
        }
        // Guards must not depend on the spelling: to RFC 3986 (section 6.2.2.2) `%61dmin` is `admin`, and so it is to the upstream.
        // assumed(unreserved): nothing is recorded of how AWS reads such a path.
        let path = decode_unreserved(path);
        // `//stage/x` is served as `/stage/x`, and is that in `$context.path` too (recorded).
        let path = match path.strip_prefix("//") {
            Some(rest) => ["/", rest.trim_start_matches('/')].concat(),
            None => path,
        };
        Ok(Self { path, query })
    }

    /// The path, with the stage, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query as sent.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }
}

/// A segment that some readers take for another path: an encoded backslash or NUL, a broken percent-encoding, and dot segments:
/// plain, encoded, before a `;` (which some servers cut off), or between encoded slashes (which some decode first).
fn is_ambiguous(segment: &str) -> bool {
    if !segment.contains('%') {
        return is_dots(segment);
    }
    let mut decoded = String::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            decoded.push(char::from(byte));
            continue;
        }
        let (Some(high), Some(low)) = (rest.next().and_then(hex), rest.next().and_then(hex)) else { return true };
        match high * 16 + low {
            0 | b'\\' => return true,
            b'.' => decoded.push('.'),
            b'/' => decoded.push('/'),
            b';' => decoded.push(';'),
            _ => decoded.push('%'),
        }
    }
    decoded.split('/').any(is_dots)
}

/// A dot segment, whatever parameters it has.
fn is_dots(piece: &str) -> bool {
    piece.starts_with('.') && matches!(piece.split(';').next(), Some("." | ".."))
}

/// Letters, digits, `-`, `.`, `_` and `~` in the place of their percent-encodings; all else stays as it was sent.
fn decode_unreserved(path: &str) -> String {
    if !path.contains('%') {
        return path.to_owned();
    }
    let mut decoded = String::with_capacity(path.len());
    let mut pieces = path.split('%');
    decoded.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let code = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.map(char::from) {
            Some(character) if character.is_ascii_alphanumeric() || "-._~".contains(character) => decoded.push(character),
            _ => {
                decoded.push('%');
                decoded.push_str(piece.get(..2).unwrap_or_default());
            }
        }
        decoded.push_str(piece.get(2..).unwrap_or_default());
    }
    decoded
}

pub(super) fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Whether the Host header names one host, with or without a port: two `Host` lines arrive joined by a comma, and are refused.
pub fn is_valid_host(host: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    // An address of IPv6 stands in brackets, for it has colons of its own (RFC 3986, section 3.2.2).
    let address = host.strip_prefix(b"[").and_then(|rest| rest.iter().position(|byte| *byte == b']').map(|end| rest.split_at(end)));
    let (is_host, rest) = match address {
        Some((address, rest)) => {
            let is_address = address.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
            (is_address && address.contains(&b':'), rest.strip_prefix(b"]").unwrap_or_default())
        }
        None => {
            let (name, rest) = host.split_at(host.iter().position(|byte| *byte == b':').unwrap_or(host.len()));
            (!name.is_empty() && name.iter().all(is_name), rest)
        }
    };
    let is_port = rest.strip_prefix(b":").map_or(rest.is_empty(), |port| port.iter().all(u8::is_ascii_digit));
    is_host && is_port
}

/// The host without its port.
pub fn strip_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(target: &str) -> Result<String, InvalidPath> {
        CanonicalPath::parse(target.as_bytes()).map(|p| p.path)
    }

    #[test]
    fn what_aws_keeps_is_kept() {
        for target in ["/a%2Fb", "/test%2Balias@gmail.com", "/a;x=1/b", "/A/a.", "/%252F", "/a//b", "/a/b/", "/%20", "/...", "/{x}"]
        {
            assert_eq!(path(target).as_deref(), Ok(target));
        }
        assert_eq!(path("/%61%2d%7E%5f/x%2Ey%2B%61%252e").as_deref(), Ok("/a-~_/x.y%2Ba%252e"));
        assert_eq!(path("//stage//x").as_deref(), Ok("/stage//x"));
    }

    #[test]
    fn what_two_readers_read_differently_is_refused() {
        for target in [
            "",
            "x",
            "*",
            "/..",
            "/a/../b",
            "/a/./b",
            "/%2e%2E/x",
            "/.%2e",
            "/%2e",
            "/a\\b",
            "/a%5cb",
            "/a%00",
            "/a#b",
            "/a\u{7f}",
            "/\u{fc}",
            "/%",
            "/%2",
            "/%zz",
            "/a b",
            "/a\nb",
            "/..;/x",
            "/.;a=1",
            "/..%2fadmin",
            "/a%2F..%2Fb",
            "/%2e%2e%3bx",
        ] {
            assert_eq!(path(target), Err(InvalidPath), "{target:?}");
        }
    }

    #[test]
    fn the_query_begins_at_the_first_question_mark() {
        let target = CanonicalPath::parse(b"/a?b=c?d=..").unwrap();
        assert_eq!((target.path(), target.query()), ("/a", Some("b=c?d=..")));
        assert_eq!(CanonicalPath::parse(b"/a?").unwrap().query(), Some(""));
    }

    #[test]
    fn a_host_is_one_host() {
        for host in ["api.example.com", "a:80", "a:", "[::1]:8080", "[::1]", "A_b"] {
            assert!(is_valid_host(host.as_bytes()), "{host}");
        }
        for host in ["", "a,b", "a b", "a/b", "a@b", "a:b", "a:80:80", "[::1", "::1", "[]", "[a.b]", "[::1]x", ":80", "a]"] {
            assert!(!is_valid_host(host.as_bytes()), "{host}");
        }
        assert_eq!((strip_port("a.b:80"), strip_port("a.b"), strip_port("[::1]:80")), ("a.b", "a.b", "[::1]"));
    }
}
