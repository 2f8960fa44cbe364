//! Authorizers of HTTP APIs as security schemes, and what routes ask of them. AWS: `AWS::ApiGatewayV2::Authorizer`, `AWS::ApiGatewayV2::Route`.

use serde_json::{Map, Value, json};
use tollgate::problem::Problems;

use super::super::Api;
use super::super::documents::member;
use super::super::draft::{Draft, lower_first, plain};
use super::super::stack::{Stack, authorization_type, text};
use crate::cli::import::resource::Resource;

const AUTHORIZER: &str = "AWS::ApiGatewayV2::Authorizer";
const SIGNED: &str = "sigv4";

const NAMES: [(&str, &str); 8] = [
    ("IdentitySource", "identitySource"),
    ("JwtConfiguration", "jwtConfiguration"),
    ("AuthorizerUri", "authorizerUri"),
    ("AuthorizerCredentialsArn", "authorizerCredentials"),
    ("AuthorizerPayloadFormatVersion", "authorizerPayloadFormatVersion"),
    ("EnableSimpleResponses", "enableSimpleResponses"),
    ("AuthorizerResultTtlInSeconds", "authorizerResultTtlInSeconds"),
    ("IdentityValidationExpression", "identityValidationExpression"),
];

/// `components.securitySchemes`
pub fn schemes(
    api: &Api<'_>,
    stack: &Stack,
    is_signed: bool,
    definition: &mut Map<String, Value>,
    draft: &mut Draft,
    problems: &mut Problems,
) {
    let mut schemes = Map::new();
    if is_signed {
        let scheme =
            json!({ "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4" });
        schemes.insert(SIGNED.to_owned(), scheme);
    }
    for resource in stack.of_owner(AUTHORIZER, "ApiId", &api.id) {
        let name = text(resource, "Name").unwrap_or(&resource.id);
        let made = api.path.key("definition").key("components").key("securitySchemes").key(name);
        draft.note(&made, &resource.path);
        let made = made.key("x-amazon-apigateway-authorizer");
        let kind = text(resource, "AuthorizerType").unwrap_or_default().to_ascii_lowercase();
        let mut authorizer = Map::from_iter([("type".to_owned(), Value::from(kind.as_str()))]);
        draft.note(&made.key("type"), &resource.place("AuthorizerType"));
        for (from, to) in NAMES {
            let Some(node) = resource.get(from) else { continue };
            draft.note(&made.key(to), &node.path);
            let value = match (to, node.value) {
                ("identitySource", Value::Array(_)) => node.strings(problems).join(", ").into(),
                ("jwtConfiguration", value) => jwt(value),
                ("enableSimpleResponses" | "authorizerResultTtlInSeconds", value) => plain(value),
                ("authorizerPayloadFormatVersion", Value::Number(number)) => {
                    format!("{:.1}", number.as_f64().unwrap_or_default()).into()
                }
                (_, value) => value.clone(),
            };
            authorizer.insert(to.to_owned(), value);
        }
        let scheme = match kind.as_str() {
            "jwt" => json!({ "type": "oauth2", "flows": {}, "x-amazon-apigateway-authorizer": authorizer }),
            _ => json!({ "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authorizer": authorizer }),
        };
        if schemes.insert(name.to_owned(), scheme).is_some() {
            problems.error(&resource.path, format!("a second authorizer `{name}`"), Some("give it another `Name`"));
        }
    }
    if !schemes.is_empty() {
        *member(definition, &["components", "securitySchemes"]) = schemes;
    }
}

/// Audiences and issuers are texts, also those that look like numbers: ids of Google's clients have more digits than a number holds.
fn jwt(value: &Value) -> Value {
    let text = |value: &Value| if value.is_number() { Value::String(value.to_string()) } else { value.clone() };
    let texts = |value: &Value| match value {
        Value::Array(list) => list.iter().map(text).collect(),
        one => text(one),
    };
    let Value::Object(members) = value else { return value.clone() };
    members.iter().map(|(name, value)| (lower_first(name), texts(value))).collect()
}

/// `security` of a route, and whether it is a signature; none where everybody may call.
pub fn security(route: &Resource, stack: &Stack, problems: &mut Problems) -> (Option<Value>, bool) {
    let Some(kind) = authorization_type(route, problems) else { return (None, false) };
    match kind.as_str() {
        "NONE" => (None, false),
        "AWS_IAM" => (Some(json!([{ SIGNED: [] }])), true),
        "JWT" | "CUSTOM" => {
            let Some(authorizer) = stack.named_by(route, "AuthorizerId", AUTHORIZER, problems) else { return (None, false) };
            let scopes = route.get("AuthorizationScopes").map(|scopes| scopes.strings(problems)).unwrap_or_default();
            let name = text(authorizer, "Name").unwrap_or(&authorizer.id);
            (Some(json!([{ name: scopes }])), false)
        }
        kind => {
            let help = "one of `NONE`, `AWS_IAM`, `CUSTOM`, `JWT`";
            problems.error(&route.place("AuthorizationType"), format!("`{kind}` is no authorization type"), Some(help));
            (None, false)
        }
    }
}
