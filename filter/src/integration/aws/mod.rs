//! AWS: a Lambda function, or another service of AWS, behind mappings. AWS: "Set up Lambda custom integrations in API Gateway", "Set up
//! an AWS integration"; `uri` under "Integration" of the REST API reference.

mod encoding;
mod json_services;
mod lambda;
mod service;

pub use json_services::headers as action_headers;

use super::custom::Custom;
use super::uri::with_stage_variables;
use super::{Integration, Scope, function};
use crate::definition::Node;
use service::Service;
use std::collections::BTreeMap;

/// Reads an integration of type `aws`.
pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Box<dyn Integration> {
    function::check_settings(node, scope);
    if let Some(version) = node.get("payloadFormatVersion") {
        version.one_of(&[("1.0", ())], scope.problems);
    }
    let variables = scope.variables;
    let is_function = node.get("uri").is_some_and(|uri| uri.value.as_str().is_some_and(|uri| is_function(uri, variables)));
    Custom::compile(node, scope, |parameters, scope| {
        if is_function { lambda::compile(node, scope) } else { Box::new(Service::compile(node, parameters, scope)) }
    })
}

/// The Invoke API; other operations of Lambda are a service's.
fn is_function(uri: &str, variables: &BTreeMap<String, String>) -> bool {
    let uri = with_stage_variables(uri, variables);
    uri.contains(":lambda:path/2015-03-31/functions/") && uri.ends_with("/invocations")
}
