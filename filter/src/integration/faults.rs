//! What becomes of a request whose templates or mappings end without a result.

use crate::gateway_response::{Failure, ResponseType};
use crate::platform::{Level, Platform};
use crate::problem::on_one_line;
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
    // A character of the payload, or a whole text of it, may be part of it.
    platform.log(Level::Warn, &on_one_line(&reason));
    Failure::configuration()
}

/// A mapping names a part of a body that begins as JSON and is none: assumed(invalid-json-source), an emulator's tests that are
/// said to be checked on AWS.
pub fn invalid_json_in_request() -> Failure {
    Failure::new(ResponseType::Default4xx).with_status(400).saying("Invalid JSON in request body")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Version;
    use std::cell::RefCell;

    /// A host that keeps its log.
    #[derive(Default)]
    struct Host(RefCell<Vec<String>>);

    impl Platform for Host {
        fn now_millis(&self) -> u64 {
            0
        }
        fn monotonic_nanos(&self) -> u64 {
            0
        }
        fn random(&mut self) -> [u8; 16] {
            [0; 16]
        }
        fn source_address(&self) -> Option<String> {
            None
        }
        fn response_code_details(&self) -> Option<String> {
            None
        }
        fn request_body(&self) -> Vec<u8> {
            Vec::new()
        }
        fn verify_signature(&self, _: &str, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
            None
        }
        fn shared_data(&self, _: &str) -> Option<(Vec<u8>, u32)> {
            None
        }
        fn set_shared_data(&self, _: &str, _: &[u8], _: Version) -> bool {
            false
        }
        fn log(&self, _: Level, message: &str) {
            self.0.borrow_mut().push(message.to_owned());
        }
    }

    #[test]
    fn what_a_backend_sent_is_no_second_line_of_the_log() {
        let host = Host::default();
        of_response(Fault::Body("Unexpected character (\n) at position 0.".to_owned()), &host);
        of_response(Fault::Method("a\r\n[error] b".to_owned()), &host);
        let told = [r"the integration's response: Unexpected character (\n) at position 0.", r"stopped: a\r\n[error] b"];
        assert_eq!(host.0.borrow().len(), 2);
        for (line, told) in host.0.borrow().iter().zip(told) {
            assert!(line.ends_with(told) && !line.contains(char::is_control), "{line:?}");
        }
    }
}
