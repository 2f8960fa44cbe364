//! Bodies and their models.

use crate::context::Context;
use crate::gateway_response::{Failure, ResponseType};
use crate::http::MediaType;
use crate::platform::{Level, Platform};
use crate::schema::{Schema, Verdict};
use crate::value::{Budget, Heap, NotJson, Text, parse};
use std::sync::Arc;

/// The models of one method, by content type.
#[derive(Debug, Default)]
pub struct Models(Vec<(MediaType, Arc<Schema>)>);

/// What API Gateway's log says of a body that its validator cannot read (seen in logs of AWS). assumed(unreadable-body): that the
/// client is told the same, and of an empty body, too.
const UNREADABLE: &str = "[Unknown error parsing request body]";

/// The content type of a model that all bodies have which have no other (documented).
const DEFAULT: &str = "$default";

// === impl Models ===

impl Models {
    pub fn new(models: Vec<(MediaType, Arc<Schema>)>) -> Self {
        Self(models)
    }

    /// The model for the content type of a request, which is JSON where it says none (recorded:
    /// `test_api_gateway_request_validator_with_ref_models`). Where there is no model, nothing is asked of the body (documented).
    pub fn of(&self, context: &Context) -> Option<&Schema> {
        if self.0.is_empty() {
            return None;
        }
        let media_type = MediaType::of_header_or_json(context.headers().last("content-type"));
        let of = |wanted: &str| self.0.iter().find(|(known, _)| known.as_str() == wanted);
        of(media_type.as_str()).or_else(|| of(DEFAULT)).map(|(_, schema)| schema.as_ref())
    }
}

/// Looks at the whole body.
pub fn check(schema: &Schema, platform: &dyn Platform) -> Result<(), Failure> {
    let invalid = |why: &str| Err(Failure::new(ResponseType::BadRequestBody).finding(why));
    let bytes = platform.request_body();
    let Ok(text) = std::str::from_utf8(&bytes) else { return invalid(UNREADABLE) };
    let is_empty = text.trim().is_empty();
    let mut heap = Heap::new(Budget::default());
    let verdict = match parse(&Text::from(if is_empty { "{}" } else { text }), &mut heap) {
        Ok(value) => schema.validate(&value, &mut heap),
        Err(NotJson::Syntax { .. }) => return invalid(UNREADABLE),
        Err(NotJson::Exhausted(exhausted)) => Err(exhausted),
    };
    match verdict {
        Ok(Verdict::Valid) => Ok(()),
        // An empty body is an empty object (recorded: a model that requires a member does not let it pass).
        Ok(Verdict::Invalid(_)) if is_empty => invalid(UNREADABLE),
        Ok(Verdict::Invalid(why)) => invalid(&why),
        Err(exhausted) => {
            platform.log(Level::Warn, &format!("a body of {} bytes cannot be validated: {exhausted}", bytes.len()));
            Err(Failure::configuration())
        }
    }
}
