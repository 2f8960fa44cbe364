//! Who may call. The only place where an [`Authorized`] is made: an integration takes nothing else, so a request that skipped this
//! stage does not compile.

pub mod lambda;

use crate::context::Context;
use crate::definition::{Node, OpenApi, Operation};
use crate::problem::Problems;

/// What guards a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorizer {
    /// `NONE`: everyone may call.
    Open,
}

/// A request that may reach its integration.
#[derive(Debug)]
pub struct Authorized {
    context: Context,
}

// === impl Authorizer ===

impl Authorizer {
    /// Reads what an operation demands. A demand that is not served yet is an error: serving without it would open the route.
    pub fn compile(operation: &Operation<'_>, api: &OpenApi<'_>, root_security_counts: bool, problems: &mut Problems) -> Self {
        if let Some(auth) = operation.node.get("x-amazon-apigateway-auth") {
            auth.only(&["type"], problems);
            if auth.get("type").is_none() {
                problems.error(&auth.path, "no `type`", Some("`NONE` or `AWS_IAM`"));
            }
            let open = auth.get("type").and_then(|kind| kind.one_of(&[("NONE", true), ("AWS_IAM", false)], problems));
            if open == Some(false) {
                problems.error(&auth.path, "not served yet: IAM authorization", None);
            }
        }
        let at_root = api.root.get("security").filter(|security| security.value.as_array().is_none_or(|list| !list.is_empty()));
        if let Some(security) = at_root.as_ref().filter(|_| !root_security_counts) {
            // Recorded: `test_apigateway_import`.
            let message = "REST APIs ignore `security` at the root: the methods are open, as on AWS";
            problems.warning(&security.path, message, Some("say `security` at each method that needs it"));
        }
        let security = operation.node.get("security").or_else(|| at_root.filter(|_| root_security_counts));
        if let Some(security) = security {
            refuse_requirements(&security, problems);
        }
        Self::Open
    }

    /// Lets a routed request through.
    pub fn authorize(self, context: Context) -> Authorized {
        match self {
            Self::Open => Authorized { context },
        }
    }

    /// For the route table.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Open => "NONE",
        }
    }
}

fn refuse_requirements(security: &Node<'_>, problems: &mut Problems) {
    for requirement in security.elements(problems) {
        for (scheme, node) in requirement.members(problems) {
            let help = "authorizers and API keys are not enforced yet, and a route is never served without what guards it";
            problems.error(&node.path, format!("not served yet: security scheme `{scheme}`"), Some(help));
        }
    }
}

// === impl Authorized ===

impl Authorized {
    /// What is known of the request.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The same, once nothing more is asked of the authorization.
    pub fn into_context(self) -> Context {
        self.context
    }
}
