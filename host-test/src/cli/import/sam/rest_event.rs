//! An event of type `Api`: one method of a REST API, with its Lambda proxy integration, or the start of a state machine.

use serde_json::{Map, Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::api::{Api, Author};
use super::definition::{has_integration, integration, require};
use super::event::Event;
use super::policy;
use super::properties::{Properties, is_set};

/// What is called.
#[derive(Debug, Clone)]
pub enum Target {
    /// A function, by what `Fn::Sub` puts its ARN (or its alias) in for.
    Function(String),
    /// A state machine, and the role that starts it.
    StateMachine { id: String, role: String },
}

/// Writes the event into its API.
pub fn add(mut event: Event, target: &Target, api: &mut Api, problems: &mut Problems) {
    // SAM merges the events of functions alone.
    let author =
        if matches!(target, Target::StateMachine { .. }) && api.author == Author::Both { Author::User } else { api.author };
    match author {
        Author::User => return beside_the_users_own(&event, target, api, problems),
        Author::Sam => {
            let Some(definition) = &mut api.definition else { return };
            if has_integration(definition.operation(&event.route, &event.method)) {
                let message = format!("`{}` of `{}` is said twice", event.method, event.route);
                return problems.error(&event.path, message, Some("keep one of the two events"));
            }
        }
        // The event takes the place of what the user wrote of the same.
        Author::Both => {}
    }
    let mut operation = Map::new();
    let open_api_3 = api.definition.as_ref().is_some_and(|definition| definition.is_openapi_3());
    match target {
        Target::Function(arn) => call_function(&mut event, arn, api, &mut operation, problems),
        Target::StateMachine { id, role } => start_execution(&mut event, (id, role), api, &mut operation, problems),
    }
    authorize(&event, api, &mut operation, problems);
    if let Some(definition) = &mut api.definition {
        definition.operation(&event.route, &event.method);
    }
    restrict(&event, api, problems);
    event.properties.take("Auth");
    let place = event.properties.path("TimeoutInMillis");
    match event.properties.take("TimeoutInMillis") {
        Some(timeout) if timeout.is_u64() => drop(integration(&mut operation).insert("timeoutInMillis".to_owned(), timeout)),
        Some(_) => problems.error(&place, "`TimeoutInMillis` has to be a number", None),
        None => {}
    }
    request_model(&mut event, api, open_api_3, &mut operation, problems);
    request_parameters(&mut event, open_api_3, &mut operation, problems);
    event.properties.skip(&["Stage"]);
    event.properties.finish("an event of type `Api`", problems);
    if let Some(definition) = &mut api.definition {
        definition.operation(&event.route, &event.method).extend(operation);
        let item = ["paths", event.route.as_str(), event.method.as_str()];
        definition.came_from(&item, &event.path);
        for (part, said) in [("security", "Auth"), ("parameters", "RequestParameters"), ("requestBody", "RequestModel")] {
            definition.came_from(&[&item[..], &[part]].concat(), &event.path.key("Properties").key(said));
        }
        let timeout = [&item[..], &["x-amazon-apigateway-integration", "timeoutInMillis"]].concat();
        definition.came_from(&timeout, &event.path.key("Properties").key("TimeoutInMillis"));
    }
}

/// SAM leaves the user's own definition alone, but for `OverrideApiAuth` of functions.
fn beside_the_users_own(event: &Event, target: &Target, api: &mut Api, problems: &mut Problems) {
    let Some(definition) = &mut api.definition else { return };
    let Some(operation) = definition.find(&event.route, &event.method) else {
        let message = format!("the definition of `{}` has no `{}` of `{}`, and SAM adds none", api.id, event.method, event.route);
        let help = "write it into the definition, with its integration, or set `MergeDefinitions: true`";
        return problems.warning(&event.path, message, Some(help));
    };
    if matches!(target, Target::Function(_)) && is_set(event.auth("OverrideApiAuth")) {
        let mut taken = std::mem::take(operation);
        authorize(event, api, &mut taken, problems);
        if let Some(definition) = &mut api.definition {
            *definition.operation(&event.route, &event.method) = taken;
        }
        restrict(event, api, problems);
    }
}

fn call_function(event: &mut Event, arn: &str, api: &Api, operation: &mut Map<String, Value>, problems: &mut Problems) {
    let mode_path = event.properties.path("ResponseTransferMode");
    let mode = event.properties.text("ResponseTransferMode", problems);
    let (version, invocation) = match mode.as_deref() {
        Some("RESPONSE_STREAM") => ("2021-11-15", "response-streaming-invocations"),
        None | Some("BUFFERED") => ("2015-03-31", "invocations"),
        Some(mode) => {
            return problems.error(&mode_path, format!("`{mode}` is no mode of a response"), Some("RESPONSE_STREAM or BUFFERED"));
        }
    };
    let uri = format!("{}:lambda:path/{version}/functions/{arn}/{invocation}", api.place.of_api_gateway());
    let integration = integration(operation);
    integration.insert("type".to_owned(), json!("aws_proxy"));
    integration.insert("httpMethod".to_owned(), json!("POST"));
    integration.insert("uri".to_owned(), json!({"Fn::Sub": uri}));
    if mode.as_deref() == Some("RESPONSE_STREAM") {
        integration.insert("responseTransferMode".to_owned(), json!("STREAM"));
    }
    if let Some(role) = invoke_role(event, api, problems) {
        integration.insert("credentials".to_owned(), role);
    }
    operation.insert("responses".to_owned(), json!({}));
}

/// Whose rights the function is called with where AWS_IAM guards it. The caller's own, which SAM takes where nobody names a role, are
/// beyond a gateway: it knows whose request it is, and has no credentials of his.
fn invoke_role(event: &Event, api: &Api, problems: &mut Problems) -> Option<Value> {
    let own = event.auth("Authorizer") == Some(&json!("AWS_IAM"));
    let of_api = api.auth("DefaultAuthorizer") == Some(&json!("AWS_IAM")) && !is_set(event.properties.get("Auth"));
    if !own && !of_api {
        return None;
    }
    for properties in [&event.properties, &api.properties] {
        let Some(role) = properties.get("Auth").and_then(|auth| auth.get("InvokeRole")) else { continue };
        return match role.as_str() {
            Some("CALLER_CREDENTIALS") => {
                let message = "not served: functions that are called with the credentials of the caller";
                problems.error(
                    &properties.path("Auth").key("InvokeRole"),
                    message,
                    Some("write `InvokeRole: NONE`, or name a role"),
                );
                None
            }
            Some("NONE" | "") => None,
            None if !role.is_object() => None,
            _ => Some(role.clone()),
        };
    }
    let message = "functions are not called with the credentials of the caller, as SAM has it where there is no `InvokeRole`";
    let help = "`InvokeRole: NONE` says so, too: then only the right to call the API counts, not the one to call the function";
    let path = if own { event.auth_path() } else { api.properties.path("Auth") };
    problems.warning(&path, message, Some(help));
    None
}

fn start_execution(
    event: &mut Event,
    (id, role): (&str, &str),
    api: &Api,
    operation: &mut Map<String, Value>,
    problems: &mut Problems,
) {
    let template = if event.properties.flag("UnescapeMappingTemplate", problems) == Some(true) {
        format!(r#"{{"input": "$util.escapeJavaScript($input.json('$')).replaceAll("\\'","'")", "stateMachineArn": "${{{id}}}"}}"#)
    } else {
        format!(r#"{{"input": "$util.escapeJavaScript($input.json('$'))", "stateMachineArn": "${{{id}}}"}}"#)
    };
    let uri = json!(format!("{}:states:action/StartExecution", api.place.of_api_gateway()));
    *integration(operation) = Map::from_iter([
        ("type".to_owned(), json!("aws")),
        ("httpMethod".to_owned(), json!("POST")),
        ("uri".to_owned(), uri),
        ("responses".to_owned(), json!({"200": {"statusCode": "200"}, "400": {"statusCode": "400"}})),
        ("credentials".to_owned(), json!({"Fn::GetAtt": [role, "Arn"]})),
        ("requestTemplates".to_owned(), json!({"application/json": {"Fn::Sub": template}})),
    ]);
    operation.insert("responses".to_owned(), json!({"200": {"description": "OK"}, "400": {"description": "Bad Request"}}));
}

/// `Auth` of the event.
fn authorize(event: &Event, api: &mut Api, operation: &mut Map<String, Value>, problems: &mut Problems) {
    let place = event.auth_path();
    let Some(auth) = event.properties.get("Auth").cloned() else { return };
    let Some(mut auth) = Properties::of_object(auth, &place, problems) else { return };
    let name = auth.text("Authorizer", problems).filter(|name| !name.is_empty());
    let scopes = auth.list("AuthorizationScopes", problems);
    if let Some(name) = &name {
        if may_name(name, api, &place.key("Authorizer"), problems) {
            let of_api = api.auth("Authorizers").and_then(|all| all.get(name)?.get("AuthorizationScopes")?.as_array().cloned());
            // What is built in knows no scopes.
            let is_own = api.auth("Authorizers").and_then(|all| all.get(name)).is_some();
            require(operation, name, if is_own { scopes.or(of_api).unwrap_or_default() } else { Vec::new() });
        }
    } else if scopes.is_some_and(|scopes| !scopes.is_empty()) {
        problems.error(&place.key("AuthorizationScopes"), "`AuthorizationScopes` needs an `Authorizer`", None);
    }
    match auth.flag("ApiKeyRequired", problems) {
        Some(true) => require(operation, "api_key", Vec::new()),
        Some(false) if !is_set(api.auth("ApiKeyRequired")) => {
            let message = "no other method needs an API key: the API has no `ApiKeyRequired`";
            problems.error(&place.key("ApiKeyRequired"), message, Some("leave it out"));
        }
        // A mark for who puts the API's own requirement in, who takes it away.
        Some(false) => require(operation, "api_key_false", Vec::new()),
        None => {}
    }
    let needs_key = auth.get("OverrideApiAuth").is_some() && name.is_none() && !operation.contains_key("security");
    if needs_key && auth.get("ResourcePolicy").is_none() {
        let message = "`OverrideApiAuth` needs `Authorizer`, `ApiKeyRequired` or `ResourcePolicy`";
        problems.error(&place, message, None);
    }
    if let Some(definition) = &mut api.definition {
        if operation.get("security").is_some_and(|security| names(security, "AWS_IAM")) {
            definition.scheme_unless_known("AWS_IAM", super::rest_auth::iam());
        }
        if operation.get("security").is_some_and(|security| names(security, "api_key")) {
            definition.scheme_unless_known("api_key", super::rest_auth::api_key());
        }
    }
    auth.skip(&["OverrideApiAuth", "InvokeRole", "ResourcePolicy"]);
    auth.finish_unread("`Auth` of an event of type `Api`", problems);
}

fn names(security: &Value, scheme: &str) -> bool {
    security.as_array().is_some_and(|list| list.iter().any(|requirement| requirement.get(scheme).is_some()))
}

/// `ResourcePolicy` of the event, which is about all methods of its path.
fn restrict(event: &Event, api: &mut Api, problems: &mut Problems) {
    let path = event.auth_path().key("ResourcePolicy");
    let Some(policy) = event.auth("ResourcePolicy").filter(|policy| is_set(Some(policy))) else { return };
    if api.author == Author::Both && !is_set(event.auth("OverrideApiAuth")) {
        let message = "SAM loses this beside `MergeDefinitions`, and the API stays open";
        return problems.warning(&path, message, Some("write it under `Auth` of the API, or set `OverrideApiAuth: true`"));
    }
    let stage = api.properties.get("StageName").cloned().unwrap_or_default();
    if let Some(definition) = &mut api.definition {
        policy::add(policy, &path, definition, std::slice::from_ref(&event.route), &stage, problems);
    }
}

/// Whether an event may name an authorizer.
fn may_name(name: &str, api: &Api, path: &JsonPath, problems: &mut Problems) -> bool {
    match name {
        "AWS_IAM" => true,
        "NONE" if api.auth("DefaultAuthorizer").is_some() => true,
        "NONE" => {
            problems.error(path, "`NONE` needs a `DefaultAuthorizer` that it takes away", Some("leave it out"));
            false
        }
        name if api.auth("Authorizers").and_then(|all| all.get(name)).is_some_and(|found| !found.is_null()) => true,
        name => {
            let message = format!("`{}` has no authorizer `{name}`", api.id);
            problems.error(path, message, Some("write it under `Auth`, `Authorizers` of the API"));
            false
        }
    }
}

fn request_model(event: &mut Event, api: &Api, open_api_3: bool, operation: &mut Map<String, Value>, problems: &mut Problems) {
    let place = event.properties.path("RequestModel");
    let Some(mut said) = event.properties.object("RequestModel", problems) else { return };
    let Some(model) = said.text("Model", problems) else {
        return problems.error(&place, "`RequestModel` needs `Model`", None);
    };
    if api.properties.get("Models").and_then(|models| models.get(&model)).is_none() {
        let message = format!("`{}` has no model `{model}`", api.id);
        return problems.error(&said.path("Model"), message, Some("write it under `Models` of the API"));
    }
    let key = model.to_lowercase();
    let required = said.flag("Required", problems);
    if open_api_3 {
        let schema = json!({"$ref": format!("#/components/schemas/{key}")});
        let mut body = json!({"content": {"application/json": {"schema": schema}}});
        if let (Some(required), Some(body)) = (required, body.as_object_mut()) {
            body.insert("required".to_owned(), json!(required));
        }
        operation.insert("requestBody".to_owned(), body);
    } else {
        let mut parameter = json!({"in": "body", "name": key, "schema": {"$ref": format!("#/definitions/{key}")}});
        if let (Some(required), Some(parameter)) = (required, parameter.as_object_mut()) {
            parameter.insert("required".to_owned(), json!(required));
        }
        parameters(operation).push(parameter);
    }
    let (body, request) = (said.flag("ValidateBody", problems), said.flag("ValidateParameters", problems));
    if body.is_some() || request.is_some() {
        let name = match (body.unwrap_or(false), request.unwrap_or(false)) {
            (true, true) => "body-and-params",
            (true, false) => "body-only",
            (false, true) => "params-only",
            (false, false) => "no-validation",
        };
        operation.insert("x-amazon-apigateway-request-validator".to_owned(), json!(name));
    }
    said.finish_unread("`RequestModel`", problems);
}

fn parameters(operation: &mut Map<String, Value>) -> &mut Vec<Value> {
    let value = operation.entry("parameters").or_insert_with(|| json!([]));
    if !value.is_array() {
        *value = json!([]);
    }
    match value {
        Value::Array(parameters) => parameters,
        _ => unreachable!("it was made one"),
    }
}

fn request_parameters(event: &mut Event, open_api_3: bool, operation: &mut Map<String, Value>, problems: &mut Problems) {
    const HELP: &str = "write `method.request.querystring.NAME`, `….path.NAME` or `….header.NAME`";
    let place = event.properties.path("RequestParameters");
    for (index, parameter) in event.properties.list("RequestParameters", problems).unwrap_or_default().into_iter().enumerate() {
        let place = place.index(index);
        let (full, settings) = match parameter {
            Value::String(name) => (name, json!({})),
            Value::Object(named) if named.len() == 1 => match named.into_iter().next() {
                Some(named) => named,
                None => continue,
            },
            _ => {
                problems.error(&place, "a parameter has to be a name, or one name and what is said of it", Some(HELP));
                continue;
            }
        };
        let (location, name) = match full.strip_prefix("method.request.").and_then(|rest| rest.split_once('.')) {
            Some(("querystring", name)) => ("query", name),
            Some((location @ ("path" | "header"), name)) => (location, name),
            _ => {
                problems.error(&place, format!("`{full}` is no parameter of a request"), Some(HELP));
                continue;
            }
        };
        let Some(mut settings) = Properties::of_object(settings, &place.key(&full), problems) else { continue };
        // A parameter of the path is always there, and OpenAPI wants it said.
        let required = settings.flag("Required", problems).unwrap_or(false);
        let mut made = json!({"in": location, "name": name, "required": required});
        let typed = if open_api_3 { ("schema", json!({"type": "string"})) } else { ("type", json!("string")) };
        if let Some(made) = made.as_object_mut() {
            made.insert(typed.0.to_owned(), typed.1);
        }
        if settings.flag("Caching", problems) == Some(true) {
            let keys = integration(operation).entry("cacheKeyParameters").or_insert_with(|| json!([]));
            if let Value::Array(keys) = keys {
                keys.push(json!(full));
            }
        }
        settings.finish("a parameter of a request", problems);
        parameters(operation).push(made);
    }
}

/// The request validators that the events name.
pub fn validators(api: &mut Api) {
    let Some(definition) = &mut api.definition else { return };
    let mut named = Map::new();
    for (_, operation) in definition.operations() {
        let (body, request) = match operation.get("x-amazon-apigateway-request-validator").and_then(Value::as_str) {
            Some("body-and-params") => (true, true),
            Some("body-only") => (true, false),
            Some("params-only") => (false, true),
            Some("no-validation") => (false, false),
            _ => continue,
        };
        let name = operation.get("x-amazon-apigateway-request-validator").and_then(Value::as_str).unwrap_or_default();
        named.insert(name.to_owned(), json!({"validateRequestBody": body, "validateRequestParameters": request}));
    }
    if named.is_empty() {
        return;
    }
    let known = super::definition::object(&mut definition.root, "x-amazon-apigateway-request-validators");
    for (name, validator) in named {
        known.entry(name).or_insert(validator);
    }
}
