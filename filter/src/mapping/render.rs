//! What a mapping template looks at, and what it leaves behind. AWS: "Mapping template transformations for REST APIs in API
//! Gateway" and "Override your API's request and response parameters and status codes for REST APIs in API Gateway".

use super::Side;
use crate::context::Context;
use crate::platform::Platform;
use crate::template::{Fault, Template};

/// What a template or an expression reads the body of: the request, or the integration's response.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    /// The bytes, after `contentHandling`.
    pub body: &'a [u8],
    /// Whose they are.
    pub side: Side,
}

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

/// The text of a template.
pub fn render(
    template: &Template,
    _context: &Context,
    payload: &Payload<'_>,
    _overrides: &mut Overrides,
    _platform: &dyn Platform,
) -> Result<String, Fault> {
    std::str::from_utf8(payload.body).map_err(|_| Fault::NotText)?;
    Ok(template.render().to_owned())
}
