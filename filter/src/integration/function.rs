//! The function behind an integration: what `uri` says, for AWS_PROXY and AWS alike, and what Lambda's refusals mean.

use super::Scope;
use super::uri::with_stage_variables;
use crate::context::Context;
use crate::definition::{Node, Protocol};
use crate::gateway_response::{Failure, ResponseType};
use crate::http::RequestHead;
use crate::lambda::Function;
use crate::platform::{Level, Platform};
use std::fmt;

/// A compiled URI of a function.
#[derive(Debug)]
pub struct FunctionUri {
    /// None: no function once the stage variables are in; every request is answered 500.
    function: Option<Function>,
    /// Where it is called.
    pub cluster: String,
}

const HELP: &str = "write `arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION_ARN/invocations`";

// === impl FunctionUri ===

impl FunctionUri {
    /// Reads the function of an integration.
    pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Self {
        let none = Self { function: None, cluster: String::new() };
        let Some(uri) = node.get("uri") else {
            scope.problems.error(&node.path, "no `uri`", Some(HELP));
            return none;
        };
        let Some(text) = uri.string(scope.problems) else { return none };
        let named = with_stage_variables(text, scope.variables);
        let Some(function) = Function::of_integration(&named, scope.protocol) else {
            let message = format!("`{named}` is no function");
            if text.contains("${stageVariables.") {
                // A stage without the variable is deployed, and answers 500 (recorded for HTTP).
                scope.problems.warning(
                    &uri.path,
                    format!("{message}; every request is answered 500"),
                    Some("set the stage variable"),
                );
            } else {
                scope.problems.error(&uri.path, message, Some(help_with(text, HELP)));
            }
            return none;
        };
        let cluster = scope.cluster(function.endpoint(), &uri);
        Self { function: Some(function), cluster }
    }

    /// The head of a call; a failure where there is no function.
    pub fn head(&self, context: &Context, platform: &dyn Platform) -> Result<RequestHead, Failure> {
        Ok(self.function.as_ref().ok_or_else(Failure::configuration)?.head(context, platform))
    }
}

/// `lambda NAME`, for the route table.
impl fmt::Display for FunctionUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.function {
            Some(function) => write!(f, "lambda {}", function.name()),
            None => f.write_str("(no function)"),
        }
    }
}

/// What to do about a URI; one of a template that nobody resolved is not the user's typing error.
pub fn help_with(uri: &str, help: &'static str) -> &'static str {
    if uri.contains("${AWS::") {
        "`${AWS::…}` is CloudFormation's: serve the exported definition, or resolve the template first"
    } else {
        help
    }
}

/// Settings that no call of AWS has, or that are the proxy's matter.
pub fn check_settings(node: &Node<'_>, scope: &mut Scope<'_, '_>) {
    if let Some(subtype) = node.get("integrationSubtype").filter(|_| scope.protocol == Protocol::Rest) {
        let help = "name the service by its `uri`: `arn:aws:apigateway:REGION:SERVICE:action/NAME`, of type aws";
        scope.problems.error(&subtype.path, "REST APIs have no `integrationSubtype`", Some(help));
    }
    let no_effect = [
        ("connectionId", "AWS is called without a VPC link"),
        ("credentials", "requests are signed by whoever sends them: the AWS credentials of the proxy, or of the command"),
        ("tlsConfig", "TLS towards an upstream is its cluster's matter"),
        ("integrationTarget", "AWS is called without a VPC link"),
    ];
    scope.warn_of_no_effect(node, &no_effect);
    // AWS would call in the caller's name and with what he may do; here everybody would get what the proxy may do.
    if let Some(credentials) = node.get("credentials").filter(|credentials| credentials.value == CALLERS_OWN) {
        let help = "name a role: requests are signed by the proxy, whoever calls";
        scope.problems.error(&credentials.path, "not served: the caller's own credentials towards AWS", Some(help));
    }
    if let Some(kind) = node.get("connectionType") {
        kind.one_of(&[("INTERNET", ())], scope.problems);
    }
    if let Some(mode) =
        node.get("responseTransferMode").filter(|mode| mode.value.as_str().is_some_and(|m| m.eq_ignore_ascii_case("STREAM")))
    {
        let help = "write `BUFFERED`; a call of the proxy hands an answer over when it is whole";
        scope.problems.error(&mode.path, "not served: `responseTransferMode: STREAM` of a function", Some(help));
    }
}

/// The one method that Lambda takes.
pub fn says_post(method: &Node<'_>) -> bool {
    method.value.as_str().is_some_and(|method| method.eq_ignore_ascii_case("POST"))
}

/// What `credentials` says where AWS is called with those of the caller.
const CALLERS_OWN: &str = "arn:aws:iam::*:user/*";

/// Whether `httpMethod` is the one that Lambda takes.
pub fn is_post(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> bool {
    let method = node.get("httpMethod");
    let is_post = method.as_ref().is_some_and(says_post);
    if !is_post {
        let place = method.map_or_else(|| node.path.clone(), |method| method.path);
        let message = "a function is called by POST: AWS answers every request with 500, and so do we";
        scope.problems.warning(&place, message, Some("write `httpMethod: POST`"));
    }
    is_post
}

/// Lambda did not call the function: 500 (documented: "Handling Lambda errors with an API Gateway API"), unless the event is too large.
/// assumed(event-limit): that is the client's 413.
pub fn rejected(status: u16, whose: &str, platform: &dyn Platform) -> Failure {
    platform.log(Level::Warn, &format!("{whose}: Lambda answered {status} and did not call it"));
    if status == 413 { Failure::new(ResponseType::RequestTooLarge) } else { Failure::configuration() }
}
