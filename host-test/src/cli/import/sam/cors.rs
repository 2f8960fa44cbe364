//! `Cors` of a REST API: an `OPTIONS` method for each path that has none, a MOCK which answers with the headers. AWS: "AWS SAM API
//! reference", `CorsConfiguration` of `AWS::Serverless::Api`. The answers of other methods are left to the functions.

use serde_json::{Map, Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::api::Api;
use super::definition::{ANY, is_method};
use super::properties::{Properties, is_intrinsic, is_set};

/// A header of the answer: what SAM calls it, what it is called, and its type.
const HEADERS: [(&str, &str, &str); 4] = [
    ("AllowOrigin", "Access-Control-Allow-Origin", "string"),
    ("AllowHeaders", "Access-Control-Allow-Headers", "string"),
    ("AllowMethods", "Access-Control-Allow-Methods", "string"),
    ("MaxAge", "Access-Control-Max-Age", "integer"),
];

/// Writes the preflights into the definition.
pub fn add(api: &mut Api, problems: &mut Problems) {
    let path = api.properties.path("Cors");
    let Some(cors) = api.properties.take("Cors").filter(|cors| is_set(Some(cors))) else { return };
    let short = cors.is_string() || is_intrinsic(&cors);
    let cors = if short { json!({"AllowOrigin": cors}) } else { cors };
    let Some(mut said) = Properties::of_object(cors, &path, problems) else { return };
    let mut values = Map::new();
    for (name, _, _) in HEADERS {
        let place = if short { path.clone() } else { said.path(name) };
        if let Some(value) = said.take(name).filter(|value| value.is_number() || is_set(Some(value))) {
            quoted_text(name, &value, &place, problems);
            values.insert(name.to_owned(), value);
        }
    }
    values.entry("AllowOrigin").or_insert_with(|| json!("'*'"));
    let credentials = said.flag("AllowCredentials", problems) == Some(true);
    if credentials && values.get("AllowOrigin") == Some(&json!("'*'")) {
        let message = "`AllowCredentials` needs an `AllowOrigin` other than \"'*'\"";
        problems.error(&path, message, Some("browsers refuse `*` for requests with credentials"));
    }
    said.finish("`Cors`", problems);
    let Some(definition) = &mut api.definition else { return };
    let open_api_3 = definition.is_openapi_3();
    let mut seen = Vec::new();
    let mut made = Vec::new();
    for (route, item) in definition.paths().iter_mut() {
        // API Gateway has one resource for `/pets` and `/pets/`.
        let resource = if route == "/" { "/" } else { route.trim_end_matches('/') };
        if seen.iter().any(|known| known == resource) {
            continue;
        }
        seen.push(resource.to_owned());
        if let Some(item) = item.as_object_mut().filter(|item| !item.contains_key("options")) {
            let mut values = values.clone();
            values.entry("AllowMethods").or_insert_with(|| json!(methods(item)));
            item.insert("options".to_owned(), preflight(&values, credentials, open_api_3));
            made.push(route.clone());
        }
    }
    for route in made {
        definition.came_from(&["paths", &route, "options"], &path);
    }
}

/// A header's value is a mapping expression, so text stands in quotes of its own.
fn quoted_text(name: &str, value: &Value, path: &JsonPath, problems: &mut Problems) {
    let sound =
        is_intrinsic(value) || value.as_str().is_some_and(|text| text.len() > 1 && text.starts_with('\'') && text.ends_with('\''));
    if !sound {
        let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let help = format!("write \"'{}'\"", written.trim_matches('\''));
        problems.error(path, format!("`{name}` needs single quotes within the text"), Some(&help));
    }
}

/// The methods of a path, as the header lists them.
fn methods(item: &Map<String, Value>) -> String {
    let mut methods: Vec<String> = if item.contains_key(ANY) {
        ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"].map(str::to_owned).to_vec()
    } else {
        item.keys().filter(|key| is_method(key)).map(|key| key.to_uppercase()).chain(["OPTIONS".to_owned()]).collect()
    };
    methods.sort();
    format!("'{}'", methods.join(","))
}

fn preflight(values: &Map<String, Value>, credentials: bool, open_api_3: bool) -> Value {
    let (mut parameters, mut headers) = (Map::new(), Map::new());
    let mut add = |header: &str, value: Value, kind: &str| {
        parameters.insert(format!("method.response.header.{header}"), value);
        let schema = json!({"type": kind});
        headers.insert(header.to_owned(), if open_api_3 { json!({"schema": schema}) } else { schema });
    };
    for (name, header, kind) in HEADERS {
        if let Some(value) = values.get(name) {
            add(header, value.clone(), kind);
        }
    }
    if credentials {
        add("Access-Control-Allow-Credentials", json!("'true'"), "string");
    }
    let integration = json!({
        "type": "mock",
        "requestTemplates": {"application/json": "{\n  \"statusCode\" : 200\n}\n"},
        "responses": {"default": {"statusCode": "200", "responseParameters": parameters, "responseTemplates": {"application/json": "{}\n"}}},
    });
    let responses = json!({"200": {"description": "Default response for CORS method", "headers": headers}});
    let mut operation = json!({"summary": "CORS support"});
    if let Some(operation) = operation.as_object_mut() {
        if !open_api_3 {
            operation.insert("consumes".to_owned(), json!(["application/json"]));
            operation.insert("produces".to_owned(), json!(["application/json"]));
        }
        operation.insert("x-amazon-apigateway-integration".to_owned(), integration);
        operation.insert("responses".to_owned(), responses);
    }
    operation
}
