//! Required parameters. They are there and not blank, or not: nobody looks at their types (documented).

use crate::context::Context;

/// A required parameter. Ordered as those that are missing are told: by the full names that API Gateway has for them,
/// `method.request.header.NAME` before `method.request.path.NAME` before `method.request.querystring.NAME` (recorded:
/// `test_api_gateway_request_validator`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parameter {
    place: Place,
    name: String,
}

/// Where a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Header,
    Path,
    Query,
}

// === impl Parameter ===

impl Parameter {
    pub fn new(place: Place, name: &str) -> Self {
        Self { place, name: name.to_owned() }
    }

    /// As it was declared.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a request does not have it, or has nothing in it. Header names compare without case, because Envoy has lower-cased
    /// them already: assumed(validated-header-case). White space is nothing: assumed(blank-parameter).
    pub fn is_missing(&self, context: &Context) -> bool {
        let name = self.name.as_str();
        match self.place {
            Place::Header if name.eq_ignore_ascii_case("host") => is_blank(&context.request.authority),
            Place::Header => context.headers().get_all(name).all(is_blank),
            // One that the resource path does not have is always missing (recorded).
            Place::Path => context.path_parameter(name).is_none_or(|value| is_blank(value.as_bytes())),
            Place::Query => context.query().all(name).all(|value| is_blank(value.as_bytes())),
        }
    }
}

fn is_blank(value: &[u8]) -> bool {
    value.trim_ascii().is_empty()
}
