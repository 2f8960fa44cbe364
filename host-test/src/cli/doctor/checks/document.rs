//! The gateway document.

use tollgate::problem::Severity;

use super::Found;
use crate::cli::doctor::subject::Subject;

/// etcd's limit for one request, less what stands around the document.
const ETCD: usize = 1_500_000;

pub fn compiles(subject: &Subject, found: &mut Found<'_>) {
    for (chain, filter, gateway) in subject.gateways() {
        let place = || format!("{}, filter `{}`", chain.place(), filter.name);
        if let Err(trouble) = &gateway.document {
            found.error(place(), trouble.clone());
        }
        for problem in gateway.errors() {
            found.error(place(), problem.to_string());
        }
    }
}

pub fn warnings(subject: &Subject, found: &mut Found<'_>) {
    for (chain, filter, gateway) in subject.gateways() {
        for problem in gateway.problems.iter().filter(|problem| problem.severity == Severity::Warning) {
            found.warning(format!("{}, filter `{}`", chain.place(), filter.name), problem.to_string());
        }
    }
}

pub fn form(subject: &Subject, found: &mut Found<'_>) {
    for (chain, filter, gateway) in subject.gateways().filter(|(.., gateway)| gateway.form == "Struct") {
        if gateway.document.as_ref().is_ok_and(has_patterns) {
            let message = "it is a Struct, and an integration has several `responses`: which is tried first is not said";
            found.warning(format!("{}, filter `{}`", chain.place(), filter.name), message);
        }
    }
}

/// Whether the order of members decides anything.
fn has_patterns(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| match (name.as_str(), value) {
            ("x-amazon-apigateway-integration", integration) => {
                let responses = integration.get("responses").and_then(Value::as_object);
                let patterns =
                    responses.into_iter().flatten().filter(|(name, _)| *name != "default" && name.parse::<u16>().is_err());
                patterns.count() > 1
            }
            (_, value) => has_patterns(value),
        }),
        Value::Array(elements) => elements.iter().any(has_patterns),
        _ => false,
    }
}

pub fn size(subject: &Subject, found: &mut Found<'_>) {
    if !subject.in_kubernetes {
        return;
    }
    for (chain, filter, gateway) in subject.gateways() {
        let size = gateway.document.as_ref().map_or(0, |document| document.to_string().len());
        if size > ETCD {
            found.error(format!("{}, filter `{}`", chain.place(), filter.name), format!("it has {size} bytes, at least"));
        }
    }
}
