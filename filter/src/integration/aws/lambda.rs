//! A function behind mappings: the body that a template makes is its event, and what it returns, or raises, is what responses are
//! made of.

use crate::context::Context;
use crate::definition::Node;
use crate::gateway_response::{Failure, ResponseType};
use crate::http::{RequestHead, Response};
use crate::integration::custom::Target;
use crate::integration::function::{FunctionUri, is_post, rejected};
use crate::integration::parameters::Mapped;
use crate::integration::{Scope, timeout_millis};
use crate::lambda::Invoked;
use crate::platform::Platform;
use crate::value::skim;

#[derive(Debug)]
struct LambdaTarget {
    function: FunctionUri,
    /// Functions are called by POST; AWS answers 500 to every request otherwise.
    is_post: bool,
    timeout_millis: u64,
}

pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Box<dyn Target> {
    for (target, mapping) in node.get("requestParameters").map(|all| all.members(scope.problems)).unwrap_or_default() {
        if !target.starts_with("integration.request.header.") {
            let message = format!("`{target}` has no effect: a function has no path and no query");
            scope.problems.warning(&mapping.path, message, Some("put the value into the event by a template"));
        }
    }
    Box::new(LambdaTarget {
        is_post: is_post(node, scope),
        function: FunctionUri::compile(node, scope),
        timeout_millis: timeout_millis(node, scope),
    })
}

impl Target for LambdaTarget {
    fn method(&self) -> Option<&'static str> {
        Some("POST")
    }

    fn cluster(&self) -> &str {
        &self.function.cluster
    }

    fn timeout_millis(&self) -> u64 {
        self.timeout_millis
    }

    fn head(&self, _: &str, _: &Mapped, context: &Context, platform: &dyn Platform) -> Result<RequestHead, Failure> {
        if self.is_post { self.function.head(context, platform) } else { Err(Failure::configuration()) }
    }

    /// `errorMessage` of what the function raised; nothing of what it returned (documented under `responses` of the extension).
    fn selector(&self, answer: &Response, platform: &dyn Platform) -> Result<String, Failure> {
        match Invoked::of(answer) {
            Invoked::Returned => Ok(String::new()),
            Invoked::Failed => Ok(skim::text_of(&answer.body, "errorMessage").unwrap_or_default()),
            Invoked::Rejected(400) => Err(invalid_event(&answer.body)),
            Invoked::Rejected(status) => Err(rejected(status, &self.summary(), platform)),
        }
    }

    fn summary(&self) -> String {
        format!("AWS {}", self.function)
    }
}

/// assumed(lambda-400): the client hears Lambda's own words for an event that is no JSON (seen in public threads: `Could not parse
/// request body into json: …`).
fn invalid_event(body: &[u8]) -> Failure {
    let message = skim::text_of(body, "message").or_else(|| skim::text_of(body, "Message"));
    Failure::new(ResponseType::BadRequestBody).saying(message.as_deref().unwrap_or("Invalid request body"))
}
