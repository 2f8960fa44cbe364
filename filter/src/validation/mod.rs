//! What a request must be like before it goes to its integration: its required parameters are there, and its body is as a model
//! says. AWS: "Request validation for REST APIs in API Gateway".
//!
//! Parameters come first, and a body is not waited for where one is missing (recorded:
//! `test_api_gateway_request_validator`). A body is looked at under a budget: one that takes more is answered 500, and the operator
//! is told.

mod body;
mod parameters;
mod read;

pub use read::Validators;

use crate::context::Context;
use crate::gateway_response::{Failure, ResponseType};
use crate::platform::Platform;
use body::Models;
use parameters::Parameter;

/// What the requests of one route must be like; nothing, where no validator says otherwise.
#[derive(Debug, Default)]
pub struct Validation {
    /// The required ones, in the order in which those that are missing are told.
    parameters: Vec<Parameter>,
    models: Models,
}

// === impl Validation ===

impl Validation {
    /// Whether all required parameters are there.
    pub fn check_parameters(&self, context: &Context) -> Result<(), Failure> {
        let missing = self.parameters.iter().filter(|parameter| parameter.is_missing(context));
        let names: Vec<&str> = missing.map(Parameter::name).collect();
        if names.is_empty() {
            return Ok(());
        }
        let message = format!("Missing required request parameters: [{}]", names.join(", "));
        // assumed(parameters-validation-error): that the finding is the message.
        Err(Failure::new(ResponseType::BadRequestParameters).finding(message.as_str()).saying(message))
    }

    /// Whether there is a model for the body that a request brings.
    pub fn needs_body(&self, context: &Context) -> bool {
        self.models.of(context).is_some()
    }

    /// Whether the body is as its model says.
    pub fn check_body(&self, context: &Context, platform: &dyn Platform) -> Result<(), Failure> {
        match self.models.of(context) {
            Some(schema) => body::check(schema, platform),
            None => Ok(()),
        }
    }
}
