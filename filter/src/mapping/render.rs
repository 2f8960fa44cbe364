//! What a mapping template looks at, and what it leaves behind. AWS: "Mapping template transformations for REST APIs in API
//! Gateway" and "Override your API's request and response parameters and status codes for REST APIs in API Gateway".

use super::variables::Variables;
use crate::context::Context;
use crate::platform::Platform;
use crate::template::{Fault, Host, Template};
use crate::value::{Budget, Exhausted, Heap, Value, java_text, json_text};

/// What the templates of one request said in `$context.requestOverride` and `$context.responseOverride`. The caller keeps it from
/// the request's rendering to the response's: what the first one set, the second one reads (recorded:
/// `test_integration_mock_with_request_overrides_in_response_template`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `$context.requestOverride.header.NAME`: names as written, and their values; a list has several.
    pub request_headers: Vec<(String, Vec<String>)>,
    /// `$context.requestOverride.path.NAME`
    pub request_path: Vec<(String, Vec<String>)>,
    /// `$context.requestOverride.querystring.NAME`
    pub request_querystring: Vec<(String, Vec<String>)>,
    /// `$context.responseOverride.header.NAME`
    pub response_headers: Vec<(String, Vec<String>)>,
    /// `$context.responseOverride.status`, where it is a status: a whole number from 100 to 599.
    pub status: Option<u16>,
    /// Both maps as JSON, with all that nothing but a template reads.
    maps: Option<String>,
}

/// The text of a template. Whoever gets a [`Fault::Body`] answers 400 with its message for a request, 500 for a response;
/// [`Fault::NotText`] is 500 for both (documented for payloads that a template cannot read).
pub fn render(
    template: &Template,
    context: &Context,
    body: Option<&str>,
    overrides: &mut Overrides,
    platform: &dyn Platform,
) -> Result<String, Fault> {
    render_with(template, context, body, overrides, platform, None)
}

/// Puts more into the map `$context` before a template looks at it.
pub type Amend<'a> = &'a dyn Fn(&Value, &mut Heap) -> Result<(), Exhausted>;

/// The same for who tries a template out, with values of `$context` that no request has.
pub fn render_with(
    template: &Template,
    context: &Context,
    body: Option<&str>,
    overrides: &mut Overrides,
    platform: &dyn Platform,
    amend: Option<Amend<'_>>,
) -> Result<String, Fault> {
    let mut heap = Heap::new(Budget::default());
    let variables = Variables::new(context, body, overrides.maps.as_deref(), platform, &mut heap)?;
    if let Some(amend) = amend {
        amend(&variables.root("context", &mut heap), &mut heap)?;
    }
    let text = template.render(&variables, &mut heap)?;
    // A template that never asked for `$context` overrides nothing.
    if let Some(context) = variables.context_map() {
        *overrides = Overrides::read(&context, &mut heap)?;
    }
    Ok(text)
}

// === impl Overrides ===

impl Overrides {
    /// What a template left in `$context`.
    fn read(context: &Value, heap: &mut Heap) -> Result<Self, Exhausted> {
        let [request, response] = ["requestOverride", "responseOverride"].map(|name| heap.member(context, name).cloned());
        let (request, response) = (request.unwrap_or_default(), response.unwrap_or_default());
        let mut maps = String::from("{\"requestOverride\":");
        maps.push_str(&json_text(&request, heap)?);
        maps.push_str(",\"responseOverride\":");
        maps.push_str(&json_text(&response, heap)?);
        maps.push('}');
        let status = heap.member(&response, "status").cloned().unwrap_or_default();
        Ok(Self {
            request_headers: named_values(&request, "header", heap)?,
            request_path: named_values(&request, "path", heap)?,
            request_querystring: named_values(&request, "querystring", heap)?,
            response_headers: named_values(&response, "header", heap)?,
            status: status_code(&status),
            maps: Some(maps),
        })
    }
}

/// The entries of a map of overrides. A list has several values (recorded); `null` has none.
fn named_values(overrides: &Value, part: &str, heap: &mut Heap) -> Result<Vec<(String, Vec<String>)>, Exhausted> {
    let Some(Value::Map(id)) = heap.member(overrides, part).cloned() else { return Ok(Vec::new()) };
    let mut entries = Vec::new();
    while let Some((name, value)) = heap.map(id).at(entries.len()).map(|(name, value)| (name.to_string(), value.clone())) {
        let values = match &value {
            Value::Null => Vec::new(),
            Value::List(id) => heap.list(*id).to_vec(),
            _ => vec![value],
        };
        let values = values.iter().map(|value| java_text(value, heap)).collect::<Result<_, _>>()?;
        entries.push((name, values));
    }
    Ok(entries)
}

/// A whole number from 100 to 599, or its digits: assumed(override-status-text); anything else is ignored (an emulator's test).
fn status_code(value: &Value) -> Option<u16> {
    let number = match value {
        Value::Integer(number) => u16::try_from(*number).ok(),
        Value::Text(digits) => digits.trim().parse().ok(),
        _ => None,
    };
    number.filter(|status| (100..=599).contains(status))
}
