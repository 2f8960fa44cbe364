//! How an invocation goes wrong, in Lambda's words: each is a document with `errorType` and `errorMessage`, which the caller gets in
//! the place of the function's answer.

use std::process::ExitStatus;
use std::time::Duration;

use hyper::body::Bytes;
use serde_json::json;

/// Bytes of an answer: what is documented, and the hundred more that Lambda's own message names.
pub const MAX_RESPONSE: usize = 6_291_556;

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// The function told, by `…/error`; what it said goes to the caller as it is.
    Function {
        /// The header `Lambda-Runtime-Function-Error-Type`.
        error_type: String,
        /// The body.
        body: Bytes,
    },
    /// The process ended.
    Exited(ExitStatus),
    /// The time was over.
    TimedOut(Duration),
    /// The process cannot be started.
    NotStarted(Missing, String),
    /// The answer is larger than Lambda lets pass.
    TooLarge,
    /// The server is about to end.
    Stopped,
}

/// What was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The program.
    Program,
    /// Where it is to run.
    Directory,
}

// === impl Failure ===

impl Failure {
    /// `errorType`
    pub fn error_type(&self) -> &str {
        match self {
            Self::Function { error_type, .. } => error_type,
            Self::Exited(_) | Self::Stopped => "Runtime.ExitError",
            Self::TimedOut(_) => "Sandbox.Timedout",
            Self::NotStarted(Missing::Program, _) => "Runtime.InvalidEntrypoint",
            Self::NotStarted(Missing::Directory, _) => "Runtime.InvalidWorkingDir",
            Self::TooLarge => "Function.ResponseSizeTooLarge",
        }
    }

    /// `errorMessage` without the id of the request; nothing where the function has its own.
    pub fn message(&self) -> String {
        match self {
            Self::Function { .. } => String::new(),
            Self::Exited(status) => match exit_reason(*status) {
                Some(reason) => format!("Runtime exited with error: {reason}"),
                None => "Runtime exited without providing a reason".to_owned(),
            },
            Self::TimedOut(limit) => format!("Task timed out after {:.2} seconds", limit.as_secs_f64()),
            Self::NotStarted(_, why) => why.clone(),
            Self::TooLarge => format!("Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."),
            Self::Stopped => "Runtime exited with error: signal: killed".to_owned(),
        }
    }

    /// What the caller gets.
    pub fn payload(&self, request_id: &str) -> Bytes {
        let message = self.message();
        match self {
            Self::Function { body, .. } => body.clone(),
            // The one that names no request.
            Self::TooLarge => json!({"errorType": self.error_type(), "errorMessage": message}).to_string().into(),
            _ => {
                let message = format!("RequestId: {request_id} Error: {message}");
                json!({"errorType": self.error_type(), "errorMessage": message}).to_string().into()
            }
        }
    }

    /// `Status` of the REPORT line.
    pub fn status(&self) -> &'static str {
        match self {
            Self::TimedOut(_) => "timeout",
            _ => "error",
        }
    }
}

/// As Go says it, in which Lambda's own supervisor is written; nothing for the exit code 0.
fn exit_reason(status: ExitStatus) -> Option<String> {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit status {code}")),
        (None, Some(signal)) => Some(format!("signal: {}", signal_name(signal))),
        (None, None) => None,
    }
}

fn signal_name(signal: i32) -> String {
    match signal {
        2 => "interrupt".to_owned(),
        4 => "illegal instruction".to_owned(),
        6 => "aborted".to_owned(),
        7 => "bus error".to_owned(),
        9 => "killed".to_owned(),
        11 => "segmentation fault".to_owned(),
        15 => "terminated".to_owned(),
        other => format!("signal {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn each_failure_is_told_in_the_words_of_lambda() {
        let told = |failure: Failure| String::from_utf8(failure.payload("7").to_vec()).unwrap();
        let exited = |raw: i32| told(Failure::Exited(ExitStatus::from_raw(raw)));
        assert_eq!(
            exited(1 << 8),
            r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 7 Error: Runtime exited with error: exit status 1"}"#
        );
        assert!(exited(0).contains("Error: Runtime exited without providing a reason"));
        assert!(exited(9).contains("Error: Runtime exited with error: signal: killed"));
        assert!(exited(64).contains("signal: signal 64"));
        assert_eq!(
            told(Failure::TimedOut(Duration::from_secs(3))),
            r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 7 Error: Task timed out after 3.00 seconds"}"#
        );
        assert_eq!(
            told(Failure::TooLarge),
            r#"{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}"#
        );
    }
}
