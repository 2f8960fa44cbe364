//! What the expressions of one mapping are read from.

use crate::context::Context;
use crate::http::Headers;
use crate::jsonpath::JsonPath;
use crate::value::{Budget, Heap, NotJson, Text, Value, json_text, parse};
use std::borrow::Cow;
use std::cell::RefCell;

/// What expressions are read from. The body is parsed once, for the first expression that asks for it.
#[derive(Debug)]
pub struct Sources<'a> {
    /// The request and what is known of it.
    pub context: &'a Context,
    /// The headers of the integration's response, once there is one.
    pub response: Option<&'a Headers>,
    body: &'a [u8],
    parsed: RefCell<Option<(Heap, Value)>>,
}

/// The body begins as JSON does and is none: 400 `Invalid JSON in request body` for a request, 500 for an integration's response,
/// assumed(invalid-json-source).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidBody;

// === impl Sources ===

impl<'a> Sources<'a> {
    /// The request alone, without its body.
    pub fn of(context: &'a Context) -> Self {
        Self { context, response: None, body: &[], parsed: RefCell::new(None) }
    }

    /// The same with the headers of a response.
    #[must_use]
    pub fn with_response(self, headers: &'a Headers) -> Self {
        Self { response: Some(headers), ..self }
    }

    /// The same with the body that `method.request.body` or `integration.response.body` names.
    #[must_use]
    pub fn with_body(self, body: &'a [u8]) -> Self {
        Self { body, parsed: RefCell::new(None), ..self }
    }

    /// The body as it came.
    pub(super) fn body(&self) -> &'a [u8] {
        self.body
    }

    /// What a path leads to in the body: texts as they are, anything else as JSON. Nothing where it leads to nothing, or to `null`:
    /// assumed(body-null-source). What is too much work to read is as invalid as what is no JSON.
    pub(super) fn in_body(&self, path: &JsonPath) -> Result<Option<String>, InvalidBody> {
        let mut parsed = self.parsed.borrow_mut();
        let (heap, root) = match &mut *parsed {
            Some(parsed) => parsed,
            unread => unread.insert(read(self.body)?),
        };
        match path.read(root, heap).map_err(|_| InvalidBody)? {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.to_string())),
            Some(value) => json_text(&value, heap).map(Some).map_err(|_| InvalidBody),
        }
    }
}

/// Only what begins as JSON is read as JSON; anything else is text, and nothing is `{}`.
fn read(body: &[u8]) -> Result<(Heap, Value), InvalidBody> {
    let text = std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed);
    let text = if text.is_empty() { Cow::Borrowed("{}") } else { text };
    let mut heap = Heap::new(Budget::default());
    let text_value = Text::from(&*text);
    if !text.trim_ascii_start().trim_start().starts_with(['{', '[', '"', '\'']) {
        return Ok((heap, Value::Text(text_value)));
    }
    let root = parse(&text_value, &mut heap)?;
    Ok((heap, root))
}

// === impl InvalidBody ===

impl From<NotJson> for InvalidBody {
    fn from(_: NotJson) -> Self {
        Self
    }
}
