//! The HTTP endpoint behind an integration: what `uri`, `httpMethod`, `timeoutInMillis` and the VPC link say, for HTTP and HTTP_PROXY
//! alike. AWS: "Set up HTTP integrations in API Gateway".

use super::parameters::{Mapped, RequestParameters};
use super::request_line::{compile_method, target, warn_of_unfilled};
use super::uri::{InvalidUri, Uri, UriValue, with_stage_variables};
use super::{Scope, timeout_millis};
use crate::definition::{Endpoint, Node};
use crate::gateway_response::Failure;
use crate::http::CanonicalPath;
use std::fmt;

/// A compiled endpoint.
#[derive(Debug)]
pub struct Backend {
    /// None: not an endpoint once the stage variables are in; every request is answered 500.
    uri: Option<Uri>,
    /// None: the client's own.
    pub method: Option<&'static str>,
    /// Where the host is.
    pub cluster: String,
    /// How long to wait for an answer.
    pub timeout_millis: u64,
}

// === impl Backend ===

impl Backend {
    /// Reads the endpoint of an integration.
    pub fn compile(node: &Node<'_>, parameters: &RequestParameters, scope: &mut Scope<'_, '_>) -> Self {
        let method = compile_method(node, scope);
        let uri = compile_uri(node, scope);
        if let Some(uri) = &uri {
            warn_of_unfilled(uri, parameters, node, scope);
        }
        Self { cluster: compile_cluster(node, uri.as_ref(), scope), uri, method, timeout_millis: timeout_millis(node, scope) }
    }

    /// The endpoint; a failure where there is none.
    pub fn uri(&self) -> Result<&Uri, Failure> {
        self.uri.as_ref().ok_or_else(Failure::configuration)
    }

    /// The request target.
    pub fn target(&self, mapped: &Mapped, appended: &str, client_query: &str) -> Result<Vec<u8>, Failure> {
        target(self.uri()?, mapped, appended, client_query)
    }
}

/// `GET https://host/path`, for the route table.
impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = self.method {
            write!(f, "{method} ")?;
        }
        match &self.uri {
            Some(uri) => uri.fmt(f),
            None => f.write_str("(no endpoint)"),
        }
    }
}

/// Settings that no HTTP endpoint has, or that its cluster decides.
pub fn check_settings(node: &Node<'_>, scope: &mut Scope<'_, '_>) {
    let no_effect = [
        ("credentials", "an HTTP endpoint takes no AWS credentials"),
        ("tlsConfig", "TLS towards an upstream is its cluster's matter"),
        ("integrationTarget", "which load balancer stands behind a VPC link is its cluster's matter"),
    ];
    scope.warn_of_no_effect(node, &no_effect);
    if let Some(subtype) = node.get("integrationSubtype") {
        scope.problems.error(&subtype.path, "`integrationSubtype` is for integrations of type aws_proxy", None);
    }
    if let Some(version) = node.get("payloadFormatVersion") {
        version.one_of(&[("1.0", ())], scope.problems);
    }
}

fn compile_uri(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Option<Uri> {
    let Some(uri) = node.get("uri") else {
        scope.problems.error(&node.path, "no `uri`", Some("an HTTP integration names its endpoint: `uri: https://…`"));
        return None;
    };
    let text = uri.string(scope.problems)?;
    if text.starts_with("arn:") {
        scope.problems.error(
            &uri.path,
            "not served yet: a private integration named by an ARN",
            Some("name the endpoint by its URL"),
        );
        return None;
    }
    match Uri::compile(text, scope.variables) {
        Ok(compiled) => {
            // With every parameter filled by a letter: what is wrong then is wrong for every request.
            if CanonicalPath::parse(compiled.path(&|_| Some(UriValue::Plain(b"x".to_vec()))).as_bytes()).is_err() {
                let help = "no dot segments and no `%` that encodes nothing";
                scope.problems.error(&uri.path, "a path that can be read in two ways is never sent upstream", Some(help));
            }
            return Some(compiled);
        }
        Err(InvalidUri::ParameterInHost) => {
            let help = "name the host, or take it from a stage variable";
            scope.problems.error(&uri.path, "not served: a host that is made of a request's values", Some(help));
        }
        Err(InvalidUri::NoEndpoint) => {
            // AWS's own words for it.
            let message = format!("invalid HTTP endpoint specified for URI: `{}`", with_stage_variables(text, scope.variables));
            if text.contains("${stageVariables.") {
                // A stage without the variable is deployed, and answers 500 (recorded).
                let message = format!("{message}; every request is answered 500");
                scope.problems.warning(&uri.path, message, Some("set the stage variable"));
            } else {
                scope.problems.error(&uri.path, message, Some("write `http://HOST/PATH` or `https://HOST/PATH`"));
            }
        }
    }
    None
}

/// The cluster of the integration's host, or of its VPC link; none where there is no endpoint, and then nothing is ever sent.
fn compile_cluster(node: &Node<'_>, uri: Option<&Uri>, scope: &mut Scope<'_, '_>) -> String {
    let kinds = [("INTERNET", false), ("VPC_LINK", true)];
    let private = node.get("connectionType").and_then(|kind| kind.one_of(&kinds, scope.problems)).unwrap_or(false);
    if !private {
        scope.warn_of_no_effect(node, &[("connectionId", "only `connectionType: VPC_LINK` has a link")]);
    }
    let link = if private { compile_link(node, scope) } else { None };
    let Some(uri) = uri else { return String::new() };
    let (scheme, authority) = (uri.scheme.to_owned(), uri.authority.clone());
    match link {
        Some((place, name)) => scope.cluster(Endpoint { name, scheme, authority, signing: None }, &place),
        None if private => String::new(),
        None => {
            let place = node.get("uri").unwrap_or_else(|| node.clone());
            scope.cluster(Endpoint { name: authority.clone(), scheme, authority, signing: None }, &place)
        }
    }
}

/// The VPC link of a private integration: an upstream of the document, by the link's id.
fn compile_link<'a>(node: &Node<'a>, scope: &mut Scope<'_, '_>) -> Option<(Node<'a>, String)> {
    let Some(link) = node.get("connectionId") else {
        let help = "a VPC link is an upstream of the document, named by `connectionId`";
        scope.problems.error(&node.path, "no `connectionId` for the VPC link", Some(help));
        return None;
    };
    let name = with_stage_variables(link.string(scope.problems)?, scope.variables).to_ascii_lowercase();
    Some((link, name))
}
