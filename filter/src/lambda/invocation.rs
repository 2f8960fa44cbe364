//! One call of a function: its request, and what the answer means.

use super::Function;
use crate::context::{Context, gateway_headers};
use crate::http::{MediaType, RequestHead, Response};
use crate::platform::Platform;

/// `Handled` or `Unhandled`: the body is an error (Lambda API, "Invoke").
pub const FUNCTION_ERROR: &str = "x-amz-function-error";

/// The longest event that Lambda takes (quota "invocation payload", 6 MB, as its API counts it).
pub const EVENT_LIMIT: usize = 6_291_556;

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invoked {
    /// The body is what the function returned; empty where nobody waits for it.
    Returned,
    /// The body is the function's error.
    Failed,
    /// Lambda did not call it, for the reason of this status: no such function, no permission, too many calls.
    Rejected(u16),
}

// === impl Function ===

impl Function {
    /// The head of a call; who signs it is its upstream's matter.
    pub fn head(&self, context: &Context, platform: &dyn Platform) -> RequestHead {
        let mut headers = gateway_headers(context, platform);
        headers.append("content-type", MediaType::JSON);
        RequestHead {
            method: "POST".to_owned(),
            path: self.path.clone().into_bytes(),
            authority: self.authority.clone().into_bytes(),
            scheme: self.scheme.to_owned(),
            headers,
        }
    }
}

// === impl Invoked ===

impl Invoked {
    /// What an answer of the Invoke API says.
    pub fn of(answer: &Response) -> Self {
        match answer.head.status {
            200 if answer.head.headers.contains(FUNCTION_ERROR) => Self::Failed,
            200 | 202 | 204 => Self::Returned,
            status => Self::Rejected(status),
        }
    }
}
