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

/// A header line as it crosses the filter ABI.
type Pair = (String, Vec<u8>);

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
    pub fn from_pairs(pairs: Vec<Pair>) -> Self {
        let mut head = Self::default();
        let mut fields = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            match name.as_str() {
                ":method" => head.method = String::from_utf8_lossy(&value).into_owned(),
                ":path" => head.path = value,
                ":authority" => head.authority = value,
                ":scheme" => head.scheme = String::from_utf8_lossy(&value).into_owned(),
                // `:protocol` of an extended CONNECT: never a request of an API.
                _ if name.starts_with(':') => {}
                _ => fields.push((name, value)),
            }
        }
        head.headers = fields.into_iter().collect();
        head
    }

    /// The head as HTTP/1.1 writes it, for people.
    pub fn describe(&self) -> String {
        let first = format!("{} {}", self.method, String::from_utf8_lossy(&self.path));
        format!("{first}\nhost: {}{}", String::from_utf8_lossy(&self.authority), self.headers.describe())
    }

    /// The pairs to put in the place of those that were read.
    pub fn into_pairs(self) -> Vec<Pair> {
        let pseudo = [
            (":authority", self.authority),
            (":path", self.path),
            (":method", self.method.into_bytes()),
            (":scheme", self.scheme.into_bytes()),
        ];
        pseudo.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(self.headers).collect()
    }
}

// === impl ResponseHead ===

impl ResponseHead {
    /// Reads the pairs of the filter ABI; a status that is none becomes 0 and is never relayed as success.
    pub fn from_pairs(pairs: Vec<Pair>) -> Self {
        let mut head = Self::default();
        let mut fields = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            match name.as_str() {
                ":status" => head.status = std::str::from_utf8(&value).ok().and_then(|s| s.parse().ok()).unwrap_or(0),
                _ if name.starts_with(':') => {}
                _ => fields.push((name, value)),
            }
        }
        head.headers = fields.into_iter().collect();
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

    /// The pairs to put in the place of those that were read.
    pub fn into_pairs(self) -> Vec<Pair> {
        let status = (":status".to_owned(), self.status.to_string().into_bytes());
        std::iter::once(status).chain(self.headers).collect()
    }
}
