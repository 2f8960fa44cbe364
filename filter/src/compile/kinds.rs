//! The registry: every kind of authorizer and of integration that API Gateway knows, one line each.

use crate::authorizer::{Authorizer, AuthorizerScope, Cognito, Jwt, Lambda, SchemeRequirement};
use crate::definition::{Node, Protocol};
use crate::integration::{
    HttpProxy, Integration, LambdaProxy, Mock, Scope, TIMEOUT_MILLIS, compile_aws, compile_http, compile_subtype,
};
use std::sync::Arc;

type Compile = fn(&Node<'_>, &mut Scope<'_, '_>) -> Box<dyn Integration>;

/// One value of the integration's `type`.
#[derive(Clone, Copy)]
struct Kind {
    /// Which APIs have it.
    protocols: &'static [Protocol],
    compile: Compile,
}

type CompileAuthorizer = fn(&SchemeRequirement<'_>, &mut AuthorizerScope<'_, '_>) -> Option<Arc<dyn Authorizer>>;

/// By the authorizer's `type`, and which APIs have it.
const AUTHORIZERS: [(&str, (&[Protocol], CompileAuthorizer)); 4] = [
    ("token", (&[Rest], Lambda::compile)),
    ("request", (&[Rest, Http], Lambda::compile)),
    ("jwt", (&[Rest, Http], Jwt::compile)),
    ("cognito_user_pools", (&[Rest], Cognito::compile)),
];

use Protocol::{Http, Rest};

const INTEGRATIONS: [(&str, Kind); 5] = [
    ("mock", Kind { protocols: &[Rest], compile: Mock::compile }),
    ("http_proxy", Kind { protocols: &[Rest, Http], compile: HttpProxy::compile }),
    ("http", Kind { protocols: &[Rest], compile: compile_http }),
    ("aws", Kind { protocols: &[Rest], compile: compile_aws }),
    ("aws_proxy", Kind { protocols: &[Rest, Http], compile: compile_aws_proxy }),
];

/// Every key that AWS documents for the integration object.
const KEYS: [&str; 20] = [
    "cacheKeyParameters",
    "cacheNamespace",
    "connectionId",
    "connectionType",
    "contentHandling",
    "credentials",
    "httpMethod",
    "integrationSubtype",
    "integrationTarget",
    "passthroughBehavior",
    "payloadFormatVersion",
    "requestParameters",
    "requestTemplates",
    "responseParameters",
    "responses",
    "responseTransferMode",
    "timeoutInMillis",
    "tlsConfig",
    "type",
    "uri",
];

const ENUMERATIONS: [(&str, &[&str]); 6] = [
    ("contentHandling", &["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"]),
    ("connectionType", &["INTERNET", "VPC_LINK"]),
    ("httpMethod", &["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]),
    ("passthroughBehavior", &["when_no_match", "when_no_templates", "never"]),
    ("payloadFormatVersion", &["1.0", "2.0"]),
    ("responseTransferMode", &["BUFFERED", "STREAM"]),
];

/// Compiles the authorizer of a security scheme.
pub fn compile_authorizer(scheme: &SchemeRequirement<'_>, scope: &mut AuthorizerScope<'_, '_>) -> Option<Arc<dyn Authorizer>> {
    let Some(type_node) = scheme.authorizer.get("type") else {
        let help = "an authorizer is of type token, request, jwt or cognito_user_pools";
        scope.problems.error(&scheme.authorizer.path, "no `type`", Some(help));
        return None;
    };
    let (protocols, compile) = type_node.one_of(&AUTHORIZERS, scope.problems)?;
    if !protocols.contains(&scope.protocol) {
        let name = type_node.string(scope.problems).unwrap_or_default();
        let message = format!("{} APIs have no authorizer of type `{name}`", scope.protocol.as_str());
        scope.problems.error(&type_node.path, message, None);
        return None;
    }
    compile(scheme, scope)
}

/// A function, or another service of AWS.
fn compile_aws_proxy(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Box<dyn Integration> {
    match node.get("integrationSubtype") {
        Some(subtype) if scope.protocol == Http => compile_subtype(node, &subtype, scope),
        _ => LambdaProxy::compile(node, scope),
    }
}

/// Compiles the integration object of a method.
pub fn compile_integration(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Option<Box<dyn Integration>> {
    node.only(&KEYS, scope.problems);
    let Some(type_node) = node.get("type") else {
        scope.problems.error(&node.path, "no `type`", Some("an integration is of type mock, http, http_proxy, aws or aws_proxy"));
        return None;
    };
    let kind = type_node.one_of(&INTEGRATIONS, scope.problems)?;
    let name = type_node.string(scope.problems).unwrap_or_default();
    if !kind.protocols.contains(&scope.protocol) {
        let message = format!("{} APIs have no integration of type `{name}`", scope.protocol.as_str());
        scope.problems.error(&type_node.path, message, None);
        return None;
    }
    // Enumerations that a kind may have no use for; a typing error is one all the same. Bodies always stream, so both transfer
    // modes are served alike.
    for (key, choices) in ENUMERATIONS {
        let choices: Vec<_> = choices.iter().map(|name| (*name, ())).collect();
        if let Some(value) = node.get(key) {
            value.one_of(&choices, scope.problems);
        }
    }
    // Caching is refused where a stage switches it on; what would be the key has no effect without it.
    if let Some(parameters) = node.get("cacheKeyParameters") {
        parameters.strings(scope.problems);
    }
    if let Some(timeout) = node.get("timeoutInMillis") {
        timeout.integer(TIMEOUT_MILLIS, scope.problems);
    }
    Some((kind.compile)(node, scope))
}
