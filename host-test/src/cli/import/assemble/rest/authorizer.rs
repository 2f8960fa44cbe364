//! Authorizers of REST APIs as security schemes, and what methods ask of them. AWS: `AWS::ApiGateway::Authorizer`,
//! "x-amazon-apigateway-authorizer object", "x-amazon-apigateway-authtype property".

use serde_json::{Map, Value, json};
use tollgate::problem::Problems;

use super::super::Api;
use super::super::documents::member;
use super::super::draft::{Draft, plain};
use super::super::stack::{Stack, authorization_type, text};
use super::method::Used;
use crate::cli::import::resource::Resource;

/// The scheme by which methods ask for a signature.
const SIGNED: &str = "sigv4";
/// The scheme by which they ask for an API key.
const KEY: &str = "api_key";

const NAMES: [(&str, &str); 6] = [
    ("AuthorizerUri", "authorizerUri"),
    ("AuthorizerCredentials", "authorizerCredentials"),
    ("AuthorizerResultTtlInSeconds", "authorizerResultTtlInSeconds"),
    ("IdentitySource", "identitySource"),
    ("IdentityValidationExpression", "identityValidationExpression"),
    ("ProviderARNs", "providerARNs"),
];

/// `components.securitySchemes`
pub fn schemes(
    api: &Api<'_>,
    stack: &Stack,
    used: &Used,
    definition: &mut Map<String, Value>,
    draft: &mut Draft,
    problems: &mut Problems,
) {
    let mut schemes = Map::new();
    if used.api_key {
        schemes.insert(KEY.to_owned(), json!({ "type": "apiKey", "name": "x-api-key", "in": "header" }));
    }
    if used.iam {
        let scheme =
            json!({ "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4" });
        schemes.insert(SIGNED.to_owned(), scheme);
    }
    for resource in stack.of_owner("AWS::ApiGateway::Authorizer", "RestApiId", &api.id) {
        let name = scheme_name(resource);
        let made = api.path.key("definition").key("components").key("securitySchemes").key(name);
        draft.note(&made, &resource.path);
        if schemes.insert(name.to_owned(), scheme(resource, &made.key("x-amazon-apigateway-authorizer"), draft)).is_some() {
            problems.error(&resource.path, format!("a second authorizer `{name}`"), Some("give it another `Name`"));
        }
    }
    if !schemes.is_empty() {
        *member(definition, &["components", "securitySchemes"]) = schemes;
    }
}

fn scheme(resource: &Resource, made: &tollgate::problem::JsonPath, draft: &mut Draft) -> Value {
    let kind = text(resource, "Type").unwrap_or_default().to_ascii_lowercase();
    let mut authorizer = Map::from_iter([("type".to_owned(), Value::from(kind.as_str()))]);
    draft.note(&made.key("type"), &resource.place("Type"));
    for (from, to) in NAMES {
        if let Some(node) = resource.get(from) {
            draft.note(&made.key(to), &node.path);
            // A text of digits is a duration only where one is due.
            let value = if to == "authorizerResultTtlInSeconds" { plain(node.value) } else { node.value.clone() };
            authorizer.insert(to.to_owned(), value);
        }
    }
    let header = text(resource, "IdentitySource").and_then(|source| source.strip_prefix("method.request.header."));
    let header = header.filter(|name| !name.contains(',')).unwrap_or("Authorization");
    let authtype = if kind == "cognito_user_pools" { kind.as_str() } else { "custom" };
    json!({
        "type": "apiKey",
        "name": header,
        "in": "header",
        "x-amazon-apigateway-authtype": authtype,
        "x-amazon-apigateway-authorizer": authorizer,
    })
}

/// What it is called in the definition.
fn scheme_name(resource: &Resource) -> &str {
    text(resource, "Name").unwrap_or(&resource.id)
}

/// `security` of a method; none where everybody may call.
pub fn security(resource: &Resource, stack: &Stack, used: &mut Used, problems: &mut Problems) -> Option<Value> {
    let mut asked = Map::new();
    let kind = authorization_type(resource, problems)?;
    match kind.as_str() {
        "NONE" => {}
        "AWS_IAM" => {
            used.iam = true;
            asked.insert(SIGNED.to_owned(), json!([]));
        }
        "CUSTOM" | "COGNITO_USER_POOLS" | "JWT" => {
            let authorizer = stack.named_by(resource, "AuthorizerId", "AWS::ApiGateway::Authorizer", problems)?;
            let scopes = resource.get("AuthorizationScopes").map(|scopes| scopes.strings(problems)).unwrap_or_default();
            asked.insert(scheme_name(authorizer).to_owned(), json!(scopes));
        }
        kind => {
            let help = "one of `NONE`, `AWS_IAM`, `CUSTOM`, `COGNITO_USER_POOLS`";
            problems.error(&resource.place("AuthorizationType"), format!("`{kind}` is no authorization type"), Some(help));
        }
    }
    if resource.get("ApiKeyRequired").and_then(|flag| flag.boolean(problems)) == Some(true) {
        used.api_key = true;
        asked.insert(KEY.to_owned(), json!([]));
    }
    (!asked.is_empty()).then(|| json!([asked]))
}
