//! `AWS::Serverless::Api`: a REST API, its stage, its domain and its usage plan. AWS: "AWS SAM API reference", `AWS::Serverless::Api`.

use serde_json::{Map, Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::super::resource::Resource;
use super::api::Api;
use super::definition::object;
use super::properties::{Properties, is_intrinsic, is_set};
use super::usage_plan::Shared;
use super::{Names, cors, domain, rest_auth, rest_event, usage_plan};

/// Makes the resources of an API, when all events have been written into it.
pub fn finish(mut api: Api, shared: &mut Shared, names: &mut Names, problems: &mut Problems) -> Vec<Resource> {
    let Some(stage_name) = stage_name(&api, problems) else { return Vec::new() };
    rest_event::validators(&mut api);
    cors::add(&mut api, problems);
    let auth = rest_auth::add(&mut api, problems);
    gateway_responses(&mut api, problems);
    binary_media_types(&mut api, problems);
    models(&mut api, problems);

    let stage_id = stage_id(&api.id, stage_name.as_str().unwrap_or_default());
    let mut made = rest_api(&mut api, problems);
    let (id, path) = (api.id.clone(), api.path.clone());
    let deployment = format!("{id}Deployment");
    names.add(&id, "Deployment", &deployment);
    made.push(resource(&deployment, "AWS::ApiGateway::Deployment", json!({"RestApiId": {"Ref": id}}), &path));
    let mut stage = Map::from_iter([
        ("RestApiId".to_owned(), json!({"Ref": id})),
        ("DeploymentId".to_owned(), json!({"Ref": deployment})),
        ("StageName".to_owned(), stage_name),
    ]);
    api.properties.skip(&["StageName"]);
    let of_stage = [
        "CacheClusterEnabled",
        "CacheClusterSize",
        "Variables",
        "MethodSettings",
        "AccessLogSetting",
        "CanarySetting",
        "TracingEnabled",
    ];
    let places = places(&api.properties, &of_stage);
    api.properties.pass(&of_stage, &mut stage);
    names.add(&id, "Stage", &stage_id);
    // What SAM calls it where a parameter names the stage.
    names.also(&format!("{id}Stage"), &stage_id);
    made.push(Resource { places, ..resource(&stage_id, "AWS::ApiGateway::Stage", Value::Object(stage), &path) });
    made.extend(domain::of_rest_api(&mut api, &stage_id, names, problems));
    if let Some(mut auth) = auth {
        made.extend(usage_plan::of_api(&mut auth, &api, &stage_id, shared, names, problems));
        auth.finish("`Auth` of a REST API", problems);
    }
    api.properties.skip(&["Tags", "PropagateTags", "AlwaysDeploy"]);
    api.properties.finish("`AWS::Serverless::Api`", problems);
    made
}

/// A resource at the place of the API that it is made of.
pub fn resource(id: &str, kind: &str, properties: Value, path: &JsonPath) -> Resource {
    Resource { id: id.to_owned(), kind: kind.to_owned(), properties, path: path.clone(), places: Vec::new() }
}

/// Where the properties of these names stand.
pub fn places(properties: &Properties, names: &[&str]) -> Vec<(String, JsonPath)> {
    let said = names.iter().filter(|name| properties.get(name).is_some());
    said.map(|name| ((*name).to_owned(), properties.path(name))).collect()
}

fn stage_name(api: &Api, problems: &mut Problems) -> Option<Value> {
    match api.properties.get("StageName") {
        // What it hangs on is told when references are resolved.
        Some(name) if is_intrinsic(name) || name.as_str().is_some_and(|name| !name.is_empty()) => return Some(name.clone()),
        Some(_) => problems.error(&api.properties.path("StageName"), "the name of a stage has to be text", None),
        None => problems.error(&api.path, "an `AWS::Serverless::Api` needs `StageName`", Some("`StageName: Prod`")),
    }
    None
}

/// What the stage is called by other resources.
fn stage_id(api: &str, stage: &str) -> String {
    let plain: String = stage.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{api}{plain}Stage")
}

fn rest_api(api: &mut Api, problems: &mut Problems) -> Vec<Resource> {
    let of_api = [
        "Name",
        "Description",
        "FailOnWarnings",
        "Mode",
        "ApiKeySourceType",
        "Policy",
        "MinimumCompressionSize",
        "EndpointConfiguration",
        "DisableExecuteApiEndpoint",
        "SecurityPolicy",
        "EndpointAccessMode",
    ];
    let mut places = places(&api.properties, &of_api);
    let endpoint = endpoint_configuration(&mut api.properties, problems);
    let mut properties = Map::new();
    api.properties.pass(&of_api, &mut properties);
    if let Some(endpoint) = endpoint {
        properties.insert("EndpointConfiguration".to_owned(), endpoint);
    }
    if let Some(definition) = api.definition.take() {
        let (body, parts) = definition.finish();
        places.push(("Body".to_owned(), api.definition_path.clone()));
        places.extend(parts);
        properties.insert("Body".to_owned(), body);
    }
    vec![Resource { places, ..resource(&api.id, "AWS::ApiGateway::RestApi", Value::Object(properties), &api.path) }]
}

/// SAM's `Type` is a list in CloudFormation.
fn endpoint_configuration(properties: &mut Properties, problems: &mut Problems) -> Option<Value> {
    let path = properties.path("EndpointConfiguration");
    let value = match properties.take("EndpointConfiguration")? {
        Value::String(kind) => json!({ "Type": kind }),
        value => value,
    };
    let mut said = Properties::of_object(value, &path, problems)?;
    let kind = said.text("Type", problems)?;
    let mut made = json!({"Types": [kind]});
    let ids = said.take("VPCEndpointIds").or_else(|| said.take("VpcEndpointIds"));
    if let (Some(ids), Some(made)) = (ids, made.as_object_mut()) {
        made.insert("VpcEndpointIds".to_owned(), ids);
    }
    said.skip(&["IpAddressType"]);
    said.finish_unread("`EndpointConfiguration`", problems);
    Some(made)
}

fn gateway_responses(api: &mut Api, problems: &mut Problems) {
    let Some(mut said) = api.properties.object("GatewayResponses", problems) else { return };
    let Some(definition) = &mut api.definition else { return };
    for name in said.names() {
        let Some(mut response) = said.object(&name, problems) else { continue };
        let mut parameters = Map::new();
        if let Some(mut kinds) = response.object("ResponseParameters", problems) {
            for (kind, prefix) in [("Headers", "header"), ("Paths", "path"), ("QueryStrings", "querystring")] {
                let Some(mut values) = kinds.object(kind, problems) else { continue };
                for name in values.names() {
                    parameters.extend(values.take(&name).map(|value| (format!("gatewayresponse.{prefix}.{name}"), value)));
                }
            }
            kinds.finish("`ResponseParameters`", problems);
        }
        let mut made = Map::from_iter([
            ("responseParameters".to_owned(), Value::Object(parameters)),
            ("responseTemplates".to_owned(), response.take("ResponseTemplates").unwrap_or_else(|| json!({}))),
        ]);
        let place = response.path("StatusCode");
        if let Some(code) = response.take("StatusCode") {
            let code = code.as_str().map_or_else(|| code.to_string(), str::to_owned);
            if code.is_empty() || code.len() > 3 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
                problems.error(&place, format!("`{code}` is no status"), None);
            }
            made.insert("statusCode".to_owned(), json!(code));
        }
        definition.came_from(&["x-amazon-apigateway-gateway-responses", &name], response.root());
        for (part, said) in
            [("responseParameters", "ResponseParameters"), ("responseTemplates", "ResponseTemplates"), ("statusCode", "StatusCode")]
        {
            definition.came_from(&["x-amazon-apigateway-gateway-responses", &name, part], &response.path(said));
        }
        response.finish("a gateway response", problems);
        object(&mut definition.root, "x-amazon-apigateway-gateway-responses").insert(name, Value::Object(made));
    }
}

/// `image~1png` is `image/png`: a slash would be taken for a path of a patch.
fn binary_media_types(api: &mut Api, problems: &mut Problems) {
    let path = api.properties.path("BinaryMediaTypes");
    let types = api.properties.list("BinaryMediaTypes", problems).unwrap_or_default();
    let Some(definition) = api.definition.as_mut().filter(|_| !types.is_empty()) else { return };
    let types: Vec<Value> =
        types.into_iter().map(|kind| kind.as_str().map_or(kind.clone(), |text| json!(text.replace("~1", "/")))).collect();
    definition.root.insert("x-amazon-apigateway-binary-media-types".to_owned(), Value::Array(types));
    definition.came_from(&["x-amazon-apigateway-binary-media-types"], &path);
}

fn models(api: &mut Api, problems: &mut Problems) {
    let Some(mut said) = api.properties.object("Models", problems) else { return };
    let Some(definition) = &mut api.definition else { return };
    for name in said.names() {
        let place = said.path(&name);
        match said.take(&name) {
            Some(Value::Object(schema)) if is_set(schema.get("type")) => {
                definition.model(&name.to_lowercase(), Value::Object(schema), &place);
            }
            Some(_) => problems.error(&place, format!("the model `{name}` needs a `type`"), Some("`type: object`")),
            None => {}
        }
    }
}
