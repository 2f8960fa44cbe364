//! Bodies and bytes as case files write them: text, base64 or a size; header values and paths one character a byte.

use serde::Deserialize;

/// A body, in the way that reads best.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    body: Option<String>,
    body_base64: Option<String>,
    body_size: Option<usize>,
}

/// The pieces of a body: the chunks, or all of it at once, or none.
pub fn pieces(body: &Body, chunks: Option<&[String]>) -> Vec<Vec<u8>> {
    match chunks {
        Some(chunks) => chunks.iter().map(|c| c.clone().into_bytes()).collect(),
        None => Some(body.bytes()).filter(|b| !b.is_empty()).into_iter().collect(),
    }
}

/// Decodes standard base64, as the case files hold it.
pub fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for byte in text.bytes().filter(|b| *b != b'=' && !b.is_ascii_whitespace()) {
        let digit = ALPHABET.iter().position(|a| *a == byte);
        bits = bits << 6 | u32::try_from(digit.unwrap_or_else(|| panic!("`{text}` is not base64"))).expect("it is < 64");
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    out
}

/// The bytes of a text written one character a byte.
pub fn latin1(text: &str) -> Result<Vec<u8>, String> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).map_err(|_| format!("`{text}` has a character that is no byte: {c:?}")))
        .collect()
}

/// Bytes as a text of one character a byte.
pub fn to_latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}

// === impl Body ===

impl Body {
    /// This text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { body: Some(text.into()), ..Self::default() }
    }

    /// These bytes, in base64.
    pub fn base64(text: impl Into<String>) -> Self {
        Self { body_base64: Some(text.into()), ..Self::default() }
    }

    /// In how many ways it is written; more than one means nothing.
    pub fn count(&self) -> usize {
        [self.body.is_some(), self.body_base64.is_some(), self.body_size.is_some()].iter().filter(|b| **b).count()
    }

    /// The bytes.
    fn bytes(&self) -> Vec<u8> {
        match (&self.body, &self.body_base64, self.body_size) {
            (Some(text), _, _) => text.clone().into_bytes(),
            (_, Some(text), _) => from_base64(text),
            (_, _, Some(size)) => vec![b'x'; size],
            _ => Vec::new(),
        }
    }
}
