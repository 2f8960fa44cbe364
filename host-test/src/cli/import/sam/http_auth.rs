//! `Auth` of an HTTP API: authorizers of JWTs, functions and IAM, and the default one. AWS: "AWS SAM API reference", `HttpApiAuth`.

use serde_json::{Map, Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::Place;
use super::api::Api;
use super::definition::{require, take_requirements};
use super::properties::{Properties, is_set};
use super::rest_auth::{iam, sources};

const SOURCES: [(&str, &str); 4] = [
    ("Headers", "$request.header."),
    ("QueryStrings", "$request.querystring."),
    ("StageVariables", "$stageVariables."),
    ("Context", "$context."),
];

/// Writes what `Auth` says into the definition.
pub fn add(api: &mut Api, problems: &mut Problems) {
    let Some(mut auth) = api.properties.object("Auth", problems) else { return };
    let Some(definition) = &mut api.definition else { return };
    let mut scopes = Map::new();
    if auth.flag("EnableIamAuthorizer", problems) == Some(true) {
        definition.scheme("AWS_IAM", iam(), &auth.path("EnableIamAuthorizer"));
        scopes.insert("AWS_IAM".to_owned(), json!([]));
    }
    if let Some(mut authorizers) = auth.object("Authorizers", problems) {
        for name in authorizers.names() {
            let Some(mut said) = authorizers.object(&name, problems) else { continue };
            scopes.insert(name.clone(), json!(said.list("AuthorizationScopes", problems).unwrap_or_default()));
            if let Some(scheme) = scheme(&name, said, &api.place, problems) {
                definition.scheme(&name, scheme, &authorizers.path(&name));
            }
        }
    }
    let default_path = auth.path("DefaultAuthorizer");
    let default = auth.text("DefaultAuthorizer", problems).filter(|name| !name.is_empty());
    auth.finish("`Auth` of an HTTP API", problems);
    if let Some(default) = default {
        let Some(scopes) = scopes.get(&default).and_then(Value::as_array) else {
            let help = match default.as_str() {
                "AWS_IAM" => "set `EnableIamAuthorizer: true`",
                _ => "write it under `Authorizers`",
            };
            return problems.error(&default_path, format!("there is no authorizer `{default}`"), Some(help));
        };
        for (method, operation) in definition.operations() {
            if method != "options" && !is_set(operation.get("security")) {
                require(operation, &default, scopes.clone());
            }
        }
    }
    // A mark against the default one, and no scheme.
    for (_, operation) in definition.operations() {
        take_requirements(operation, |name| name == "NONE");
    }
}

/// The security scheme of one authorizer.
fn scheme(name: &str, mut said: Properties, place: &Place, problems: &mut Problems) -> Option<Value> {
    let root = said.root().clone();
    let scheme = if said.get("JwtConfiguration").is_some() {
        jwt(&mut said, &root, problems)?
    } else if said.get("FunctionArn").is_some() {
        function(&mut said, &root, place, problems)?
    } else {
        let help = "an HTTP API has authorizers with `JwtConfiguration` or `FunctionArn`; a Cognito user pool is the former, with \
                    `issuer: https://cognito-idp.REGION.amazonaws.com/POOL`";
        problems.error(&root, format!("`{name}` is no authorizer of an HTTP API"), Some(help));
        return None;
    };
    said.finish_unread("an authorizer of this kind", problems);
    Some(scheme)
}

fn jwt(said: &mut Properties, root: &JsonPath, problems: &mut Problems) -> Option<Value> {
    let mut configuration = said.object("JwtConfiguration", problems)?;
    // Templates have them with capital letters as well, as CloudFormation does.
    let members: Map<String, Value> = configuration
        .names()
        .into_iter()
        .filter_map(|name| configuration.take(&name).map(|value| (name.to_lowercase(), value)))
        .collect();
    let Some(source) = said.take("IdentitySource") else {
        problems.error(
            root,
            "an authorizer of JWTs needs `IdentitySource`",
            Some("`IdentitySource: $request.header.Authorization`"),
        );
        return None;
    };
    let authorizer = json!({"jwtConfiguration": members, "identitySource": source, "type": "jwt"});
    Some(json!({"type": "oauth2", "x-amazon-apigateway-authorizer": authorizer}))
}

fn function(said: &mut Properties, root: &JsonPath, place: &Place, problems: &mut Problems) -> Option<Value> {
    let function = said.take("FunctionArn")?;
    let mut authorizer =
        Map::from_iter([("type".to_owned(), json!("request")), ("authorizerUri".to_owned(), place.invocation(function))]);
    if let Some(role) = said.take("FunctionInvokeRole").filter(|role| role != "NONE") {
        authorizer.insert("authorizerCredentials".to_owned(), role);
    }
    if let Some(mut identity) = said.object("Identity", problems) {
        if let Some(seconds) = identity.take("ReauthorizeEvery") {
            authorizer.insert("authorizerResultTtlInSeconds".to_owned(), seconds);
        }
        authorizer.insert("identitySource".to_owned(), json!(sources(&mut identity, &SOURCES, problems).join(", ")));
        identity.finish_unread("`Identity` of this authorizer", problems);
    }
    let version = match said.take("AuthorizerPayloadFormatVersion") {
        // YAML makes a number of 2.0.
        Some(Value::Number(version)) => json!(version.as_f64().map_or_else(String::new, |version| format!("{version:.1}"))),
        Some(version) => version,
        None => {
            let message = "a Lambda authorizer of an HTTP API needs `AuthorizerPayloadFormatVersion`";
            problems.error(root, message, Some("`AuthorizerPayloadFormatVersion: '2.0'`"));
            return None;
        }
    };
    authorizer.insert("authorizerPayloadFormatVersion".to_owned(), version);
    if said.flag("EnableSimpleResponses", problems) == Some(true) {
        authorizer.insert("enableSimpleResponses".to_owned(), json!(true));
    }
    said.skip(&["EnableFunctionDefaultPermissions"]);
    Some(json!({"type": "apiKey", "name": "Unused", "in": "header", "x-amazon-apigateway-authorizer": authorizer}))
}
