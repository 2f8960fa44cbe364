//! An event of type `HttpApi`: one route of an HTTP API, with its Lambda proxy integration.

use serde_json::{Map, Value, json};
use tollgate::problem::Problems;

use super::api::{Api, Author};
use super::definition::{ANY, INTEGRATION, has_integration, integration, object, require};
use super::event::Event;
use super::properties::{Properties, is_set};

/// Writes the event into its API.
pub fn add(mut event: Event, arn: &str, api: &mut Api, problems: &mut Problems) {
    let Some(mut definition) = api.definition.take() else { return };
    // A path of OpenAPI begins with a slash; SAM's `$default` is the same route.
    let route = if event.route == "$default" { "/$default".to_owned() } else { event.route.clone() };
    let operation = definition.operation(&route, &event.method);
    if has_integration(operation) {
        if api.author == Author::Sam {
            let message = format!("`{}` of `{}` is said twice", event.method, event.route);
            problems.error(&event.path, message, Some("keep one of the two events"));
            api.definition = Some(definition);
            return;
        }
    } else {
        *integration(operation) = Map::from_iter([
            ("type".to_owned(), json!("aws_proxy")),
            ("httpMethod".to_owned(), json!("POST")),
            ("payloadFormatVersion".to_owned(), json!("2.0")),
            ("uri".to_owned(), json!({"Fn::Sub": api.place.invocation_of(arn)})),
        ]);
        if route == "/$default" && event.method == ANY {
            operation.insert("isDefaultRoute".to_owned(), json!(true));
        }
        operation.entry("responses").or_insert_with(|| json!({}));
    }
    authorize(&mut event, api, operation, problems);
    let place = event.properties.path("TimeoutInMillis");
    match event.properties.take("TimeoutInMillis") {
        Some(timeout) if timeout.is_u64() => drop(integration(operation).insert("timeoutInMillis".to_owned(), timeout)),
        Some(_) => problems.error(&place, "`TimeoutInMillis` has to be a number", None),
        None => {}
    }
    match event.properties.take("PayloadFormatVersion") {
        // YAML makes a number of 2.0.
        Some(Value::Number(version)) => {
            let version = version.as_f64().map_or_else(String::new, |version| format!("{version:.1}"));
            integration(operation).insert("payloadFormatVersion".to_owned(), json!(version));
        }
        Some(version) => drop(integration(operation).insert("payloadFormatVersion".to_owned(), version)),
        None => {}
    }
    path_parameters(&route, operation);
    let item = ["paths", route.as_str(), event.method.as_str()];
    definition.came_from(&item, &event.path);
    for (part, said) in [(&["security"][..], "Auth"), (&[INTEGRATION, "timeoutInMillis"], "TimeoutInMillis")] {
        definition.came_from(&[&item[..], part].concat(), &event.path.key("Properties").key(said));
    }
    api.definition = Some(definition);
    route_settings(&mut event, api, problems);
    event.properties.skip(&["Stage"]);
    event.properties.finish("an event of type `HttpApi`", problems);
}

/// `{id}` and `{proxy+}`, as OpenAPI wants them named.
fn path_parameters(route: &str, operation: &mut Map<String, Value>) {
    let names: Vec<&str> = route.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect();
    if names.is_empty() {
        return;
    }
    let Value::Array(parameters) = operation.entry("parameters").or_insert_with(|| json!([])) else { return };
    for name in names {
        match parameters.iter_mut().find(|known| known.get("name") == Some(&json!(name))).and_then(Value::as_object_mut) {
            Some(known) => {
                known.insert("in".to_owned(), json!("path"));
                known.insert("required".to_owned(), json!(true));
            }
            None => parameters.push(json!({"name": name, "in": "path", "required": true})),
        }
    }
}

/// `Auth` of the event.
fn authorize(event: &mut Event, api: &Api, operation: &mut Map<String, Value>, problems: &mut Problems) {
    let place = event.auth_path();
    let Some(auth) = event.properties.take("Auth").filter(|auth| is_set(Some(auth))) else { return };
    let Some(mut auth) = Properties::of_object(auth, &place, problems) else { return };
    let scopes = auth.list("AuthorizationScopes", problems).unwrap_or_default();
    let named = auth.text("Authorizer", problems);
    auth.finish_unread("`Auth` of an event of type `HttpApi`", problems);
    let default = api.auth("DefaultAuthorizer").and_then(Value::as_str).map(str::to_owned);
    let Some(name) = named.or_else(|| default.clone()) else {
        let help = "write `Authorizer`, or `DefaultAuthorizer` of the API";
        return problems.error(&place, "`Auth` of this event names no authorizer", Some(help));
    };
    let place = place.key("Authorizer");
    match name.as_str() {
        "NONE" if default.is_none() => {
            problems.error(&place, "`NONE` needs a `DefaultAuthorizer` that it takes away", Some("leave it out"));
        }
        "NONE" => require(operation, &name, Vec::new()),
        "AWS_IAM" if api.auth("EnableIamAuthorizer") == Some(&json!(true)) => require(operation, &name, Vec::new()),
        name => match api.auth("Authorizers").and_then(|all| all.get(name)) {
            Some(authorizer) => {
                let of_api = authorizer.get("AuthorizationScopes").and_then(Value::as_array).cloned();
                require(operation, name, if scopes.is_empty() { of_api.unwrap_or_default() } else { scopes });
            }
            None => {
                let help = match name {
                    "AWS_IAM" => "set `EnableIamAuthorizer: true` under `Auth` of the API",
                    _ => "write it under `Auth`, `Authorizers` of the API",
                };
                problems.error(&place, format!("`{}` has no authorizer `{name}`", api.id), Some(help));
            }
        },
    }
}

/// What the event says of its route goes to the stage, beside what the API says.
fn route_settings(event: &mut Event, api: &mut Api, problems: &mut Problems) {
    let Some(said) = event.properties.take("RouteSettings").filter(|said| is_set(Some(said))) else { return };
    let Value::Object(said) = said else {
        return problems.error(&event.properties.path("RouteSettings"), "`RouteSettings` has to be an object", None);
    };
    let key = match event.method.as_str() {
        ANY if event.route.ends_with("$default") => "$default".to_owned(),
        ANY => format!("ANY {}", event.route),
        method => format!("{} {}", method.to_uppercase(), event.route),
    };
    let place = api.properties.path("RouteSettings");
    let mut all = match api.properties.take("RouteSettings") {
        None => Map::new(),
        Some(Value::Object(all)) => all,
        Some(_) => return problems.error(&place, "`RouteSettings` has to be an object", None),
    };
    object(&mut all, &key).extend(said);
    api.properties.put("RouteSettings", Value::Object(all));
}
