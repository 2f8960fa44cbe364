//! `Auth` of a REST API: authorizers, the default one, the API key, the resource policy. AWS: "AWS SAM API reference", `ApiAuth`.

use serde_json::{Map, Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::Place;
use super::api::Api;
use super::definition::{require, take_requirements};
use super::policy;
use super::properties::Properties;

/// The scheme of requests that are signed.
pub fn iam() -> Value {
    json!({"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"})
}

/// The scheme of API keys.
pub fn api_key() -> Value {
    json!({"type": "apiKey", "name": "x-api-key", "in": "header"})
}

/// Writes what `Auth` says into the definition. What is left is the usage plan.
pub fn add(api: &mut Api, problems: &mut Problems) -> Option<Properties> {
    let mut auth = api.properties.object("Auth", problems)?;
    let mut schemes = Map::new();
    let mut scopes = Map::new();
    for (name, authorizer) in read_authorizers(&mut auth, problems) {
        let place = auth.path("Authorizers").key(&name);
        if let Some(mut authorizer) = Properties::of_object(authorizer, &place, problems) {
            let said = authorizer.list("AuthorizationScopes", problems).unwrap_or_default();
            scopes.insert(name.clone(), Value::Array(said));
            schemes.extend(scheme(&name, authorizer, &api.place, problems).map(|scheme| (name, scheme)));
        }
    }
    let default_path = auth.path("DefaultAuthorizer");
    let default = auth.text("DefaultAuthorizer", problems).filter(|name| !name.is_empty());
    let to_preflight = auth.flag("AddDefaultAuthorizerToCorsPreflight", problems).unwrap_or(true);
    let needs_key = auth.flag("ApiKeyRequired", problems) == Some(true);
    let key_to_preflight = auth.flag("AddApiKeyRequiredToCorsPreflight", problems).unwrap_or(true);
    let stage = api.properties.get("StageName").cloned().unwrap_or_default();
    let policy_path = auth.path("ResourcePolicy");
    let policy = auth.take("ResourcePolicy");
    auth.skip(&["InvokeRole"]);
    let Some(definition) = &mut api.definition else { return Some(auth) };
    if let Some(name) = &default
        && name != "AWS_IAM"
        && !scopes.contains_key(name)
    {
        let message = format!("there is no authorizer `{name}`");
        problems.error(&default_path, message, Some("write it under `Authorizers`, or write AWS_IAM"));
        return Some(auth);
    }
    if default.as_deref() == Some("AWS_IAM") {
        definition.scheme("AWS_IAM", iam(), &default_path);
    }
    let mut names: Vec<String> = schemes.keys().cloned().collect();
    names.push("AWS_IAM".to_owned());
    for (name, scheme) in schemes {
        definition.scheme(&name, scheme, &auth.path("Authorizers").key(&name));
    }
    if let Some(default) = &default {
        let default_scopes = scopes.get(default).and_then(Value::as_array).cloned().unwrap_or_default();
        for (method, operation) in definition.operations() {
            let refused = !take_requirements(operation, |name| name == "NONE").is_empty();
            if method == "options" && !to_preflight {
                continue;
            }
            let own = take_requirements(operation, |name| names.iter().any(|known| known == name));
            let known = !own.is_empty();
            // An authorizer stands behind the key, as SAM has it.
            for requirement in own {
                if let Some((name, scopes)) = requirement.as_object().and_then(|requirement| requirement.iter().next()) {
                    require(operation, name, scopes.as_array().cloned().unwrap_or_default());
                }
            }
            if !refused && !known {
                require(operation, default, default_scopes.clone());
            }
        }
    }
    if needs_key {
        definition.scheme_unless_known("api_key", api_key());
        for (method, operation) in definition.operations() {
            let refused = !take_requirements(operation, |name| name == "api_key_false").is_empty();
            take_requirements(operation, |name| name == "api_key");
            if !refused && (method != "options" || key_to_preflight) {
                require(operation, "api_key", Vec::new());
            }
        }
    }
    if let Some(policy) = policy {
        let routes: Vec<String> = definition.paths().keys().cloned().collect();
        policy::add(&policy, &policy_path, definition, &routes, &stage, problems);
    }
    Some(auth)
}

fn read_authorizers(auth: &mut Properties, problems: &mut Problems) -> Map<String, Value> {
    let path = auth.path("Authorizers");
    match auth.take("Authorizers") {
        None => Map::new(),
        Some(Value::Object(authorizers)) => authorizers,
        Some(_) => {
            problems.error(&path, "`Authorizers` has to be an object", None);
            Map::new()
        }
    }
}

/// The security scheme of one authorizer.
fn scheme(name: &str, mut said: Properties, place: &Place, problems: &mut Problems) -> Option<Value> {
    let root = said.root().clone();
    let identity_path = said.path("Identity");
    let mut identity = said.object("Identity", problems);
    let (pools, function) = (said.take("UserPoolArn"), said.take("FunctionArn"));
    let scheme = match (pools, function) {
        (Some(pools), _) => {
            let arns = if pools.is_array() { pools } else { json!([pools]) };
            let mut authorizer = json!({"type": "cognito_user_pools", "providerARNs": arns});
            let header = token_header(identity.as_mut(), &mut authorizer, problems);
            json!({"type": "apiKey", "name": header, "in": "header", "x-amazon-apigateway-authtype": "cognito_user_pools",
                   "x-amazon-apigateway-authorizer": authorizer})
        }
        (None, Some(function)) => function_scheme(&mut said, function, identity.as_mut(), &identity_path, place, problems)?,
        (None, None) => {
            let help = "a REST API has authorizers with `UserPoolArn` or `FunctionArn`, and AWS_IAM; JWT is of HTTP APIs";
            problems.error(&root, format!("`{name}` is no authorizer of a REST API"), Some(help));
            return None;
        }
    };
    if let Some(identity) = identity {
        identity.finish_unread("`Identity` of this authorizer", problems);
    }
    said.skip(&["DisableFunctionDefaultPermissions"]);
    said.finish_unread("an authorizer of a REST API", problems);
    Some(scheme)
}

/// The header of the token, and what it has to look like.
fn token_header(identity: Option<&mut Properties>, authorizer: &mut Value, problems: &mut Problems) -> String {
    let Some(identity) = identity else { return "Authorization".to_owned() };
    let expression = identity.take("ValidationExpression");
    if let (Some(expression), Some(authorizer)) = (expression, authorizer.as_object_mut()) {
        authorizer.insert("identityValidationExpression".to_owned(), expression);
    }
    // A pool's answer is not kept.
    if authorizer.get("type") == Some(&json!("cognito_user_pools")) {
        identity.skip(&["ReauthorizeEvery"]);
    }
    identity.text("Header", problems).filter(|header| !header.is_empty()).unwrap_or_else(|| "Authorization".to_owned())
}

fn function_scheme(
    said: &mut Properties,
    function: Value,
    identity: Option<&mut Properties>,
    identity_path: &JsonPath,
    place: &Place,
    problems: &mut Problems,
) -> Option<Value> {
    let type_path = said.path("FunctionPayloadType");
    let payload = said.text("FunctionPayloadType", problems).unwrap_or_else(|| "TOKEN".to_owned());
    let mut authorizer = json!({"type": payload.to_lowercase(), "authorizerUri": place.invocation(function)});
    let mut set = |name: &str, value: Option<Value>| {
        if let (Some(value), Some(authorizer)) = (value, authorizer.as_object_mut()) {
            authorizer.insert(name.to_owned(), value);
        }
    };
    set("authorizerCredentials", said.take("FunctionInvokeRole").filter(|role| role != "NONE"));
    let mut identity = identity;
    let ttl = identity.as_mut().and_then(|identity| identity.take("ReauthorizeEvery"));
    set("authorizerResultTtlInSeconds", ttl.clone());
    let header = match payload.as_str() {
        "TOKEN" => token_header(identity, &mut authorizer, problems),
        "REQUEST" => {
            let sources = identity.map(|identity| sources(identity, &REST_SOURCES, problems)).unwrap_or_default();
            // An answer is kept by what the request says of itself.
            if sources.is_empty() && ttl.as_ref().and_then(Value::as_i64) != Some(0) {
                let help = "name at least one of `Headers`, `QueryStrings`, `StageVariables`, `Context`";
                problems.error(identity_path, "an authorizer of type REQUEST needs `Identity`", Some(help));
                return None;
            }
            if !sources.is_empty() {
                set("identitySource", Some(json!(sources.join(", "))));
            }
            "Unused".to_owned()
        }
        other => {
            problems.error(&type_path, format!("`{other}` is no payload of an authorizer"), Some("TOKEN or REQUEST"));
            return None;
        }
    };
    Some(json!({"type": "apiKey", "name": header, "in": "header", "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": authorizer}))
}

const REST_SOURCES: [(&str, &str); 4] = [
    ("Headers", "method.request.header."),
    ("QueryStrings", "method.request.querystring."),
    ("StageVariables", "stageVariables."),
    ("Context", "context."),
];

/// What a Lambda authorizer is asked about, each with its prefix.
pub fn sources(identity: &mut Properties, kinds: &[(&str, &str)], problems: &mut Problems) -> Vec<String> {
    let mut sources = Vec::new();
    for (kind, prefix) in kinds {
        for (index, name) in identity.list(kind, problems).unwrap_or_default().into_iter().enumerate() {
            match name.as_str() {
                Some(name) => sources.push(format!("{prefix}{name}")),
                None => problems.error(&identity.path(kind).index(index), "a source has to be text", None),
            }
        }
    }
    sources
}
