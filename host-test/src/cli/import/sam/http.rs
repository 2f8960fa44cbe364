//! `AWS::Serverless::HttpApi`: an HTTP API, its stage and its domain. AWS: "AWS SAM API reference", `AWS::Serverless::HttpApi`.

use serde_json::{Map, Value, json};
use tollgate::problem::Problems;

use super::super::resource::Resource;
use super::api::{Api, Author};
use super::definition::object;
use super::properties::{Properties, is_intrinsic, is_set};
use super::rest::{places, resource};
use super::{Names, domain, http_auth};

/// Makes the resources of an API, when all events have been written into it.
pub fn finish(mut api: Api, names: &mut Names, problems: &mut Problems) -> Vec<Resource> {
    cors(&mut api, problems);
    http_auth::add(&mut api, problems);
    title_and_description(&mut api, problems);

    let path = api.path.clone();
    let mut properties = Map::new();
    let mut of_api = places(&api.properties, &["FailOnWarnings", "DisableExecuteApiEndpoint"]);
    api.properties.pass(&["FailOnWarnings", "DisableExecuteApiEndpoint"], &mut properties);
    if let Some(definition) = api.definition.take() {
        let (body, parts) = definition.finish();
        of_api.push(("Body".to_owned(), api.definition_path.clone()));
        of_api.extend(parts);
        properties.insert("Body".to_owned(), body);
    }
    let mut made =
        vec![Resource { places: of_api, ..resource(&api.id, "AWS::ApiGatewayV2::Api", Value::Object(properties), &path) }];
    let stage_name =
        api.properties.text("StageName", problems).filter(|name| !name.is_empty()).unwrap_or_else(|| "$default".to_owned());
    let stage_id = if stage_name == "$default" {
        format!("{}ApiGatewayDefaultStage", api.id)
    } else {
        format!("{}{}Stage", api.id, stage_name.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
    };
    let mut stage = Map::from_iter([
        ("ApiId".to_owned(), json!({"Ref": api.id})),
        ("StageName".to_owned(), json!(stage_name)),
        ("AutoDeploy".to_owned(), json!(true)),
    ]);
    let of_stage = ["StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings"];
    let stage_places = places(&api.properties, &of_stage);
    api.properties.pass(&of_stage, &mut stage);
    names.add(&api.id, "Stage", &stage_id);
    made.push(Resource { places: stage_places, ..resource(&stage_id, "AWS::ApiGatewayV2::Stage", Value::Object(stage), &path) });
    made.extend(domain::of_http_api(&mut api, &stage_id, names, problems));
    api.properties.skip(&["Tags", "PropagateTags"]);
    api.properties.finish("`AWS::Serverless::HttpApi`", problems);
    made
}

/// Goes into the definition, over what stands there.
fn cors(api: &mut Api, problems: &mut Problems) {
    let path = api.properties.path("CorsConfiguration");
    let Some(said) = api.properties.take("CorsConfiguration").filter(|said| is_set(Some(said))) else { return };
    let Some(definition) = &mut api.definition else { return };
    let said = match said {
        Value::Bool(_) => json!({"AllowOrigins": ["*"]}),
        // What came out of a parameter is text.
        Value::String(text) if text == "true" => json!({"AllowOrigins": ["*"]}),
        Value::String(text) if text == "false" => return,
        said if is_intrinsic(&said) => {
            return problems.error(&path, "`CorsConfiguration` hangs on another resource", Some("write true, or an object"));
        }
        said => said,
    };
    let Some(mut said) = Properties::of_object(said, &path, problems) else { return };
    let credentials = said.flag("AllowCredentials", problems) == Some(true);
    if credentials && said.get("AllowOrigins") == Some(&json!(["*"])) {
        let message = "`AllowCredentials` needs `AllowOrigins` other than `*`";
        problems.error(&path, message, Some("browsers refuse `*` for requests with credentials"));
    }
    definition.came_from(&["x-amazon-apigateway-cors"], &path);
    let cors = object(&mut definition.root, "x-amazon-apigateway-cors");
    for (name, key) in [
        ("AllowOrigins", "allowOrigins"),
        ("AllowHeaders", "allowHeaders"),
        ("AllowMethods", "allowMethods"),
        ("ExposeHeaders", "exposeHeaders"),
        ("MaxAge", "maxAge"),
    ] {
        if let Some(value) = said.take(name).filter(|value| value.is_number() || is_set(Some(value))) {
            cors.insert(key.to_owned(), value);
        }
    }
    if credentials {
        cors.insert("allowCredentials".to_owned(), json!(true));
    }
    said.finish("`CorsConfiguration`", problems);
}

fn title_and_description(api: &mut Api, problems: &mut Problems) {
    let Some(definition) = &mut api.definition else { return };
    let info = object(&mut definition.root, "info");
    let title_path = api.properties.path("Name");
    if let Some(name) = api.properties.take("Name") {
        if api.author == Author::Sam {
            info.insert("title".to_owned(), name);
        } else if info.get("title") != Some(&name) {
            let message = "SAM takes no `Name` beside a definition of one's own";
            problems.error(&title_path, message, Some("write it as `title` of its `info`"));
        }
    }
    let description_path = api.properties.path("Description");
    if let Some(description) = api.properties.take("Description") {
        if is_set(info.get("description")) {
            problems.error(&description_path, "the definition has a description already", Some("keep one of them"));
        } else {
            info.insert("description".to_owned(), description);
        }
    }
}
