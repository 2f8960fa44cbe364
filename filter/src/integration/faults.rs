//! What becomes of a request whose templates or mappings end without a result.

use crate::gateway_response::{Failure, ResponseType};
use crate::platform::{Level, Platform};
use crate::template::Fault;

/// A request template ended without a text.
pub fn of_request(fault: Fault, platform: &dyn Platform) -> Failure {
    match fault {
        // assumed(template-400): a body that is no JSON is the client's mistake (seen in public reports; the type is not in them).
        Fault::Body(message) => Failure::new(ResponseType::BadRequestBody).saying(message),
        fault => of_response(fault, platform),
    }
}

/// A response template ended without a text.
pub fn of_response(fault: Fault, platform: &dyn Platform) -> Failure {
    let reason = match fault {
        Fault::Exhausted(exhausted) => format!("a mapping template was stopped: {exhausted}"),
        Fault::NotText => "a mapping template cannot look at a payload that is not UTF-8".to_owned(),
        Fault::Body(message) => format!("a mapping template cannot read the integration's response: {message}"),
        Fault::Method(message) => format!("a mapping template was stopped: {message}"),
    };
    platform.log(Level::Warn, &reason);
    Failure::configuration()
}

/// A mapping names a part of a body that begins as JSON and is none: assumed(invalid-json-source), an emulator's tests that are
/// said to be checked on AWS.
pub fn invalid_json_in_request() -> Failure {
    Failure::new(ResponseType::Default4xx).with_status(400).saying("Invalid JSON in request body")
}
