//! An integration of an HTTP API. AWS: `AWS::ApiGatewayV2::Integration`, "x-amazon-apigateway-integration object".

use serde_json::{Map, Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::super::draft::{Draft, camel_case, plain};
use super::super::stack::text;
use crate::cli::import::resource::Resource;

const NAMES: [(&str, &str); 11] = [
    ("IntegrationType", "type"),
    ("IntegrationSubtype", "integrationSubtype"),
    ("IntegrationMethod", "httpMethod"),
    ("IntegrationUri", "uri"),
    ("CredentialsArn", "credentials"),
    ("ConnectionType", "connectionType"),
    ("ConnectionId", "connectionId"),
    ("PayloadFormatVersion", "payloadFormatVersion"),
    ("RequestParameters", "requestParameters"),
    ("TimeoutInMillis", "timeoutInMillis"),
    ("TlsConfig", "tlsConfig"),
];

/// The integration object.
pub fn written(resource: &Resource, made: &JsonPath, draft: &mut Draft, problems: &mut Problems) -> Value {
    draft.note(made, &resource.path.key("Properties"));
    let mut integration = Map::new();
    for (from, to) in NAMES {
        let Some(node) = resource.get(from) else { continue };
        draft.note(&made.key(to), &node.path);
        let value = match (to, node.value) {
            ("type", Value::String(text)) => text.to_ascii_lowercase().into(),
            ("payloadFormatVersion", Value::Number(number)) => format!("{:.1}", number.as_f64().unwrap_or_default()).into(),
            ("timeoutInMillis", value) => plain(value),
            ("tlsConfig", value) => camel_case(value),
            (_, value) => value.clone(),
        };
        integration.insert(to.to_owned(), value);
    }
    let is_function = text(resource, "IntegrationType") == Some("AWS_PROXY") && !integration.contains_key("integrationSubtype");
    if is_function {
        // API Gateway itself calls functions by POST, whatever is said here.
        integration.insert("httpMethod".to_owned(), "POST".into());
    }
    private(resource, &mut integration, problems);
    if let Some(responses) = resource.get("ResponseParameters") {
        let mut written = Map::new();
        draft.note(&made.key("responseParameters"), &responses.path);
        for (status, node) in responses.members(problems) {
            let mut mappings = Map::new();
            for mapping in node.get("ResponseParameters").map(|list| list.elements(problems)).unwrap_or_default() {
                mapping.only(&["Destination", "Source"], problems);
                let (to, from) = (mapping.required_text("Destination", problems), mapping.get("Source"));
                if let (Some(to), Some(from)) = (to, from.and_then(|from| from.text(problems))) {
                    mappings.insert(to, from.into());
                }
            }
            written.insert(status.to_owned(), Value::Object(mappings));
        }
        integration.insert("responseParameters".to_owned(), Value::Object(written));
    }
    Value::Object(integration)
}

/// Behind a VPC link AWS names a listener or a service of AWS Cloud Map by its ARN. Here the link is an upstream, and what is called
/// there is a URL.
fn private(resource: &Resource, integration: &mut Map<String, Value>, problems: &mut Problems) {
    let is_private = integration.get("connectionType").is_some_and(|kind| kind == "VPC_LINK");
    let Some(arn) = integration.get("uri").and_then(Value::as_str).filter(|uri| is_private && uri.starts_with("arn:")) else {
        return;
    };
    let name = arn
        .split(':')
        .nth(5)
        .and_then(|rest| if rest.starts_with("listener/") { rest.split('/').nth(2) } else { rest.split('/').nth(1) });
    let link = integration.get("connectionId").and_then(Value::as_str).unwrap_or("link");
    let host: String = name.unwrap_or(link).chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect();
    let scheme = if integration.contains_key("tlsConfig") { "https" } else { "http" };
    let url = format!("{scheme}://{}", host.to_ascii_lowercase());
    let message = format!("`{arn}` is `{url}` here: the VPC link leads there, whatever the name");
    problems.warning(&resource.place("IntegrationUri"), message, Some("give the upstream of the link the right cluster"));
    integration.insert("uri".to_owned(), json!(url));
}
