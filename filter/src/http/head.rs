//! Heads of requests and responses, and the one place where they become the pseudo-header pairs of the filter ABI.

use super::Headers;

/// Everything of a request but its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestHead {
    /// `:method`
    pub method: String,
    /// `:path`: the request target as it was sent, with its query.
    pub path: Vec<u8>,
    /// `:authority`: the Host header.
    pub authority: Vec<u8>,
    /// `:scheme`
    pub scheme: String,
    /// The fields, without pseudo-headers.
    pub headers: Headers,
}

/// Everything of a response but its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// `:status`
    pub status: u16,
    /// The fields, without pseudo-headers.
    pub headers: Headers,
}

/// A whole answer that the gateway makes itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// Status and fields.
    pub head: ResponseHead,
    /// The body, complete.
    pub body: Vec<u8>,
}

// === impl Response ===

impl Response {
    /// Head and body as HTTP/1.1 writes them, for people.
    pub fn describe(&self) -> String {
        format!("{}\n\n{}", self.head.describe(), String::from_utf8_lossy(&self.body))
    }

    /// Takes away the body that the status forbids (RFC 9110, section 6.4.1): the client would read it as the next response.
    pub fn without_forbidden_body(mut self) -> Self {
        if self.head.forbids_body() {
            self.body.clear();
        }
        self
    }
}

// === impl RequestHead ===

impl RequestHead {
    /// Reads the pairs of the filter ABI; a missing pseudo-header stays empty and is refused by whoever needs it.
    pub fn from_pairs<N: AsRef<str> + Into<String>, V: AsRef<[u8]> + Into<Vec<u8>>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let text = |value: V| String::from_utf8_lossy(value.as_ref()).into_owned();
        let mut head = Self::default();
        for (name, value) in pairs {
            match name.as_ref() {
                ":method" => head.method = text(value),
                ":path" => head.path = value.into(),
                ":authority" => head.authority = value.into(),
                ":scheme" => head.scheme = text(value),
                // `:protocol` of an extended CONNECT: never a request of an API.
                other if other.starts_with(':') => {}
                _ => head.headers.append(name, value),
            }
        }
        head
    }

    /// The head as HTTP/1.1 writes it, for people.
    pub fn describe(&self) -> String {
        let first = format!("{} {}", self.method, String::from_utf8_lossy(&self.path));
        format!("{first}\nhost: {}{}", String::from_utf8_lossy(&self.authority), self.headers.describe())
    }

    /// The pairs to put in the place of those that were read.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        let pseudo = [
            (":authority", self.authority.as_slice()),
            (":path", &self.path),
            (":method", self.method.as_bytes()),
            (":scheme", self.scheme.as_bytes()),
        ];
        pseudo.into_iter().chain(self.headers.iter())
    }
}

// === impl ResponseHead ===

impl ResponseHead {
    /// Reads the pairs of the filter ABI; a status that is none becomes 0 and is never relayed as success.
    pub fn from_pairs<N: AsRef<str> + Into<String>, V: AsRef<[u8]> + Into<Vec<u8>>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut head = Self::default();
        for (name, value) in pairs {
            match name.as_ref() {
                ":status" => head.status = std::str::from_utf8(value.as_ref()).ok().and_then(|s| s.parse().ok()).unwrap_or(0),
                other if other.starts_with(':') => {}
                _ => head.headers.append(name, value),
            }
        }
        head
    }

    /// The head as HTTP/1.1 writes it, for people.
    pub fn describe(&self) -> String {
        format!("{}{}", self.status, self.headers.describe())
    }

    /// Whether a response of this status ends with its head.
    pub fn forbids_body(&self) -> bool {
        matches!(self.status, 100..=199 | 204 | 304)
    }

    /// The pairs to put in the place of those that were read, with the status as text.
    pub fn pairs<'a>(&'a self, status: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> + Clone {
        std::iter::once((":status", status.as_bytes())).chain(self.headers.iter())
    }
}
