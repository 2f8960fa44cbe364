//! `contentHandling`: payloads that are text, and payloads that are bytes. AWS: "Content type conversions in API Gateway", whose
//! tables these two functions are (recorded for S3: `test_apigateway_s3.py`).

use crate::base64;
use crate::definition::Node;
use crate::gateway_response::Failure;
use crate::http::Headers;
use crate::problem::Problems;
use crate::value::lossy;

/// `contentHandling`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentHandling {
    /// What is text is decoded.
    ConvertToBinary,
    /// What is bytes is encoded.
    ConvertToText,
}

const HANDLINGS: [(&str, ContentHandling); 2] =
    [("CONVERT_TO_BINARY", ContentHandling::ConvertToBinary), ("CONVERT_TO_TEXT", ContentHandling::ConvertToText)];

/// A payload as it is handed on.
#[derive(Debug)]
pub enum Content {
    Text(String),
    /// What may be no text.
    Bytes(Vec<u8>),
}

// === impl ContentHandling ===

impl ContentHandling {
    /// Reads the setting of an integration, or of one of its responses.
    pub fn compile(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        node.get("contentHandling")?.one_of(&HANDLINGS, problems)
    }
}

// === impl Content ===

impl Content {
    /// The text, if it is one: what is known to be is not looked at again.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// A request's payload on its way to the integration; `binary`: its type is one of `binaryMediaTypes`.
pub fn request_payload(body: Vec<u8>, binary: bool, handling: Option<ContentHandling>) -> Result<Content, Failure> {
    match (binary, handling) {
        (false, Some(ContentHandling::ConvertToBinary)) => decoded(&body),
        (false, _) => Ok(Content::Text(valid(body))),
        (true, Some(ContentHandling::ConvertToText)) => Ok(Content::Text(base64::encode(&body))),
        (true, _) => Ok(Content::Bytes(body)),
    }
}

/// An integration's payload on its way to the client; `binary`: its type is one of `binaryMediaTypes`; `wanted`: so is the first
/// type that the client accepts.
pub fn response_payload(body: Vec<u8>, binary: bool, wanted: bool, handling: Option<ContentHandling>) -> Result<Content, Failure> {
    let bytes_are_due = match handling {
        Some(handling) => handling == ContentHandling::ConvertToBinary,
        None => wanted,
    };
    match (binary, bytes_are_due) {
        (false, false) => Ok(Content::Text(valid(body))),
        (false, true) => decoded(&body),
        (true, false) => Ok(Content::Text(base64::encode(&body))),
        (true, true) => Ok(Content::Bytes(body)),
    }
}

/// What is not UTF-8 is replaced.
fn text(body: Vec<u8>) -> Vec<u8> {
    valid(body).into_bytes()
}

/// The proxy takes fields that are text for a call, so what is not UTF-8 is replaced: assumed(call-header-bytes), as in payloads.
pub fn as_text(headers: Headers) -> Headers {
    headers.into_iter().map(|(name, value)| (name, text(value))).collect()
}

fn valid(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap_or_else(|error| lossy(error.as_bytes(), usize::MAX).into_owned())
}

/// What is no base64 is a 500 (recorded).
fn decoded(body: &[u8]) -> Result<Content, Failure> {
    base64::decode(body).map(Content::Bytes).ok_or_else(Failure::configuration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ContentHandling::{ConvertToBinary, ConvertToText};

    #[test]
    fn requests_follow_the_documented_table() {
        for (body, binary, handling, payload) in [
            ("a", false, None, Some("a")),
            ("a", false, Some(ConvertToText), Some("a")),
            ("YQ==", false, Some(ConvertToBinary), Some("a")),
            ("plain text", false, Some(ConvertToBinary), None),
            ("a", true, None, Some("a")),
            ("a", true, Some(ConvertToBinary), Some("a")),
            ("a", true, Some(ConvertToText), Some("YQ==")),
        ] {
            let made = request_payload(body.into(), binary, handling).ok().map(Content::into_bytes);
            assert_eq!(made.as_deref(), payload.map(str::as_bytes), "{body} {binary} {handling:?}");
        }
        assert_eq!(request_payload(b"a\xff".to_vec(), false, None).unwrap().into_bytes(), "a\u{fffd}".as_bytes());
    }

    #[test]
    fn responses_follow_the_documented_table() {
        for (body, binary, wanted, handling, payload) in [
            ("a", false, false, None, Some("a")),
            ("YQ==", false, true, None, Some("a")),
            ("a b", false, true, None, None),
            ("a", true, false, None, Some("YQ==")),
            ("a", true, true, None, Some("a")),
            ("a", false, true, Some(ConvertToText), Some("a")),
            ("a", true, true, Some(ConvertToText), Some("YQ==")),
            ("YQ==", false, false, Some(ConvertToBinary), Some("a")),
            ("a", true, false, Some(ConvertToBinary), Some("a")),
            ("a b", false, false, Some(ConvertToBinary), None),
        ] {
            let made = response_payload(body.into(), binary, wanted, handling).ok().map(Content::into_bytes);
            assert_eq!(made.as_deref(), payload.map(str::as_bytes), "{body} {binary} {wanted} {handling:?}");
        }
    }
}
