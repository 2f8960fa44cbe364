//! What AWS's own translator makes of the templates in `tests/import/sam`, and what we do. `translate.py` writes its side down.

use std::path::{Path, PathBuf};

use serde_json::Map;

use super::*;
use crate::cli::source::Source;

fn settings() -> Settings {
    Settings {
        region: "eu-west-1".to_owned(),
        account: "123456789012".to_owned(),
        stack_name: "stack".to_owned(),
        parameters: Default::default(),
        values: Default::default(),
    }
}

fn expanded(template: &Value) -> (Vec<Resource>, Vec<String>) {
    let root = JsonPath::root().key("Resources");
    let resources = template["Resources"].as_object().expect("a template has resources");
    let resources = resources.iter().map(|(id, resource)| Resource {
        id: id.clone(),
        kind: resource["Type"].as_str().expect("a resource has a type").to_owned(),
        properties: resource.get("Properties").cloned().unwrap_or_default(),
        path: root.key(id),
        places: Vec::new(),
    });
    let mut problems = Problems::default();
    let template = Sam { resources: resources.collect(), globals: template["Globals"].clone(), ..Sam::default() };
    let made = expand(template, &settings(), &mut problems);
    (made, problems.into_vec().into_iter().map(|problem| problem.to_string()).collect())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import/sam")
}

/// Parameters and pseudo parameters, which are known before SAM's transform here, and after it in AWS.
fn resolved(value: &Value, parameters: &Map<String, Value>) -> Value {
    let known = |name: &str| match name {
        "AWS::Region" => Some("eu-west-1".to_owned()),
        "AWS::Partition" => Some("aws".to_owned()),
        "AWS::AccountId" => Some("123456789012".to_owned()),
        "AWS::StackName" => Some("stack".to_owned()),
        name => parameters.get(name)?.get("Default")?.as_str().map(str::to_owned),
    };
    match value {
        Value::Array(items) => items.iter().map(|item| resolved(item, parameters)).collect(),
        Value::Object(members) => {
            if let Some(value) = members.get("Ref").and_then(Value::as_str).and_then(known) {
                return Value::from(value);
            }
            if let Some(text) = substituted(members) {
                let mut text = text;
                for name in ["AWS::Region", "AWS::Partition", "AWS::AccountId", "AWS::StackName"]
                    .map(str::to_owned)
                    .iter()
                    .chain(parameters.keys())
                {
                    text = text.replace(&format!("${{{name}}}"), &known(name).unwrap_or_default());
                }
                return if text.contains("${") { json!({"Fn::Sub": text}) } else { Value::from(text) };
            }
            if let Some(name) = members.get("Fn::GetAtt").and_then(Value::as_str) {
                return json!({"Fn::GetAtt": name.splitn(2, '.').collect::<Vec<_>>()});
            }
            members.iter().map(|(name, value)| (name.clone(), resolved(value, parameters))).collect()
        }
        value => value.clone(),
    }
}

/// `Fn::Sub` in both of its forms, and `Fn::Join`, as one text.
fn substituted(members: &Map<String, Value>) -> Option<String> {
    let put = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => match &value["Fn::GetAtt"] {
            Value::String(name) => format!("${{{name}}}"),
            Value::Array(parts) => format!("${{{}.{}}}", parts[0].as_str().unwrap(), parts[1].as_str().unwrap()),
            _ => format!("${{{}}}", value["Ref"].as_str().unwrap()),
        },
    };
    match (members.get("Fn::Sub"), members.get("Fn::Join")) {
        (Some(Value::String(text)), _) => Some(text.clone()),
        (Some(Value::Array(parts)), _) => {
            let mut text = parts[0].as_str()?.to_owned();
            for (name, value) in parts[1].as_object()? {
                text = text.replace(&format!("${{{name}}}"), &put(value));
            }
            Some(text)
        }
        (_, Some(join)) => Some(join[1].as_array()?.iter().map(put).collect()),
        _ => None,
    }
}

/// What both sides have to agree on: everything that a gateway looks at.
fn comparable(id: &str, kind: &str, properties: &Value) -> Option<(String, Value)> {
    let mut properties = properties.as_object().cloned().unwrap_or_default();
    match kind {
        "AWS::Lambda::Function" => properties.retain(|name, _| name == "FunctionName" || name == "Environment"),
        "AWS::Lambda::Alias" => properties.retain(|name, _| name == "Name"),
        "AWS::StepFunctions::StateMachine" => properties.retain(|name, _| name == "StateMachineName" || name == "StateMachineType"),
        "AWS::ApiGateway::DomainName" | "AWS::ApiGatewayV2::DomainName" => properties.retain(|name, _| name == "DomainName"),
        // The id of a deployment changes with each, and its stage `Stage` is nobody's wish.
        kind if kind.ends_with("::Deployment") || !kind.starts_with("AWS::ApiGateway") => return None,
        _ => {}
    }
    // Said twice (in the definition), generated, or gone from AWS.
    for name in ["Tags", "DeploymentId", "BinaryMediaTypes", "Parameters", "StageKeys", "BodyS3Location"] {
        properties.shift_remove(name);
    }
    let mut closed = None;
    if let Some(body) = properties.get_mut("Body").and_then(Value::as_object_mut) {
        body.shift_remove("tags");
        // SAM says it in the definition, where OpenAPI 3 has it at each server.
        let servers = body.get("servers").and_then(|servers| servers.get(0)).unwrap_or(&Value::Null);
        let extension = "x-amazon-apigateway-endpoint-configuration";
        closed = servers.get(extension).or_else(|| body.get(extension)).map(|said| said["disableExecuteApiEndpoint"].clone());
        if closed.is_some() {
            body.shift_remove("servers");
            body.shift_remove(extension);
        }
        if let Some(paths) = body.get_mut("paths").and_then(Value::as_object_mut)
            && let Some(item) = paths.shift_remove("$default")
        {
            paths.insert("/$default".to_owned(), item);
        }
    }
    properties.extend(closed.map(|closed| ("DisableExecuteApiEndpoint".to_owned(), closed)));
    let mut properties = Value::Object(properties);
    tidy(&mut properties);
    Some((id.to_owned(), json!({"Type": kind, "Properties": properties})))
}

/// Leaves out SAM's marks which mean nothing to API Gateway, and headers that it wraps once more each time.
fn tidy(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(members) => {
            if let Some(Value::Array(security)) = members.get_mut("security") {
                security.retain(|requirement| requirement.get("NONE").is_none());
                if security.is_empty() {
                    members.shift_remove("security");
                }
            }
            if let Some(inner) = members.get("schema").and_then(|schema| schema.get("schema")).cloned() {
                members.insert("schema".to_owned(), inner);
                return tidy(value);
            }
            // Which the gateway has none of.
            if members.get("credentials") == Some(&json!("arn:aws:iam::*:user/*")) {
                members.shift_remove("credentials");
            }
            // The gateway takes them apart by commas.
            if let Some(sources) = members.get_mut("identitySource").filter(|sources| sources.is_array()) {
                let texts: Vec<&str> = sources.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                *sources = json!(texts.join(", "));
            }
            members.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

/// SAM calls a domain by its hash, and a stage by the hash of its name, or by its API alone where a parameter names it.
fn with_plain_ids(translated: &str, parameters: &Map<String, Value>) -> Value {
    let value: Value = serde_json::from_str(translated).expect("the translator writes JSON");
    let mut text = translated.to_owned();
    for (id, resource) in value.as_object().expect("resources by their ids") {
        if let Some(domain) = resource["Properties"]["DomainName"].as_str() {
            let prefix =
                if resource["Type"] == "AWS::ApiGatewayV2::DomainName" { "ApiGatewayDomainNameV2" } else { "ApiGatewayDomainName" };
            let plain: String = domain.chars().filter(char::is_ascii_alphanumeric).collect();
            text = text.replace(id.as_str(), &format!("{prefix}{plain}"));
        }
        let stage = resolved(&resource["Properties"]["StageName"], parameters);
        let owner = ["RestApiId", "ApiId"].iter().find_map(|owner| resource["Properties"][*owner]["Ref"].as_str());
        if let (Some(stage), Some(api)) = (stage.as_str().filter(|stage| *stage != "$default"), owner)
            && resource["Type"].as_str().is_some_and(|kind| kind.ends_with("::Stage"))
        {
            let plain: String = stage.chars().filter(char::is_ascii_alphanumeric).collect();
            text = text.replace(&format!("\"{id}\""), &format!("\"{api}{plain}Stage\""));
        }
    }
    serde_json::from_str(&text).expect("it still is JSON")
}

#[test]
fn what_the_translator_of_aws_makes_is_what_we_make() {
    let mut compared = 0;
    for entry in std::fs::read_dir(folder()).expect("there are templates") {
        let folder = entry.expect("a folder can be read").path();
        let Ok(translated) = std::fs::read_to_string(folder.join("translated.json")) else { continue };
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let template =
            Source::load_template(&folder.join("template.yaml")).expect("it can be read").document().expect("it is YAML");
        let parameters = template.get("Parameters").and_then(Value::as_object).cloned().unwrap_or_default();
        let (made, problems) = expanded(&resolved(&template, &parameters));
        let told = |problem: &&String| {
            ["and SAM adds none", "SAM forgets", "the credentials of the caller"].iter().any(|known| problem.contains(known))
        };
        let errors: Vec<&String> = problems.iter().filter(|problem| !told(problem)).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        let made = made
            .iter()
            .filter_map(|resource| comparable(&resource.id, &resource.kind, &resolved(&resource.properties, &parameters)));
        let mut made: Map<String, Value> = made.collect();
        let translated = resolved(&with_plain_ids(&translated, &parameters), &parameters);
        let translated = translated.as_object().expect("resources by their ids").iter();
        for (id, theirs) in translated {
            let kind = theirs["Type"].as_str().expect("a resource has a type");
            let Some((_, theirs)) = comparable(id, kind, theirs.get("Properties").unwrap_or(&Value::Null)) else { continue };
            let ours = made.shift_remove(id).unwrap_or_else(|| panic!("{name}: {id} is missing; left are {:?}", made.keys()));
            assert_eq!(format!("{:#}", sorted(&ours)), format!("{:#}", sorted(&theirs)), "{name}: {id}");
            compared += 1;
        }
        assert!(made.is_empty(), "{name}: the translator makes no {:?}", made.keys());
    }
    assert!(compared > 40, "{compared} resources were compared");
}

/// Members have no order, and neither have the resources of a statement.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) if items.iter().all(|item| item.as_str().is_some_and(|text| text.starts_with("execute-api:"))) => {
            let mut items = items.clone();
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            members.into_iter().collect()
        }
        value => value.clone(),
    }
}

/// An API with a function that has one event, and what else is said of the API.
fn with_event(kind: &str, of_api: Value, event: Value) -> Value {
    let (api, reference) =
        if kind == "Api" { ("AWS::Serverless::Api", "RestApiId") } else { ("AWS::Serverless::HttpApi", "ApiId") };
    let mut properties = if kind == "Api" { json!({"StageName": "Prod"}) } else { json!({}) };
    properties.as_object_mut().unwrap().extend(of_api.as_object().unwrap().clone());
    let mut of_event = json!({"Path": "/pets", "Method": "get", reference: {"Ref": "Pets"}});
    of_event.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
    json!({"Resources": {
        "Pets": {"Type": api, "Properties": properties},
        "List": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {"Get": {"Type": kind, "Properties": of_event}}}},
    }})
}

fn operation(kind: &str, of_api: Value, event: Value) -> Value {
    let (made, problems) = expanded(&with_event(kind, of_api, event));
    assert!(problems.is_empty(), "{problems:?}");
    made.iter().find(|resource| resource.id == "Pets").unwrap().properties["Body"]["paths"]["/pets"]["get"].clone()
}

#[test]
fn what_is_no_sam_is_told_at_its_place() {
    let pool = json!({"Authorizers": {"Login": {"UserPoolArn": "arn"}}});
    let pool = |more: Value| {
        let mut auth = pool.clone();
        auth.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"Auth": auth})
    };
    for (kind, of_api, event, told) in [
        ("Api", json!({"StageName": null}), json!({}), "$.Resources.Pets: an `AWS::Serverless::Api` needs `StageName`"),
        ("Api", json!({"StagName": "x"}), json!({}), "$.Resources.Pets.Properties.StagName: `StagName` is no property of"),
        ("Api", json!({"Cors": "*"}), json!({}), "$.Resources.Pets.Properties.Cors: `AllowOrigin` needs single quotes"),
        (
            "Api",
            json!({"Cors": {"MaxAge": 600}}),
            json!({}),
            "$.Resources.Pets.Properties.Cors.MaxAge: `MaxAge` needs single quotes",
        ),
        (
            "Api",
            json!({"Cors": {"AllowCredentials": true}}),
            json!({}),
            "$.Resources.Pets.Properties.Cors: `AllowCredentials` needs",
        ),
        ("Api", json!({"Cors": {"Origin": "'*'"}}), json!({}), "$.Resources.Pets.Properties.Cors.Origin: `Origin` is no property"),
        (
            "Api",
            json!({"Auth": {"DefaultAuthorizer": "Login"}}),
            json!({}),
            "$.Resources.Pets.Properties.Auth.DefaultAuthorizer: there is no",
        ),
        (
            "Api",
            json!({"Auth": {"Autorizers": {}}}),
            json!({}),
            "$.Resources.Pets.Properties.Auth.Autorizers: `Autorizers` is no property",
        ),
        (
            "Api",
            json!({"Auth": {"Authorizers": {"Fn": {"FunctionArn": "arn", "FunctionPayloadType": "JWT"}}}}),
            json!({}),
            "$.Resources.Pets.Properties.Auth.Authorizers.Fn.FunctionPayloadType: `JWT` is no payload",
        ),
        (
            "Api",
            json!({"Auth": {"UsagePlan": {"CreateUsagePlan": "SINGLE"}}}),
            json!({}),
            "$.Resources.Pets.Properties.Auth.UsagePlan.CreateUsagePlan: `SINGLE` is no way",
        ),
        (
            "Api",
            json!({"Models": {"Pet": {}}}),
            json!({}),
            "$.Resources.Pets.Properties.Models.Pet: the model `Pet` needs a `type`",
        ),
        (
            "Api",
            json!({"GatewayResponses": {"DEFAULT_4XX": {"ResponseParameters": {"Header": {}}}}}),
            json!({}),
            "$.Resources.Pets.Properties.GatewayResponses.DEFAULT_4XX.ResponseParameters.Header: `Header` is no property",
        ),
        (
            "Api",
            json!({"GatewayResponses": {"DEFAULT_4XX": {"StatusCode": "4xx"}}}),
            json!({}),
            "$.Resources.Pets.Properties.GatewayResponses.DEFAULT_4XX.StatusCode: `4xx` is no status",
        ),
        ("Api", json!({"OpenApiVersion": "four"}), json!({}), "$.Resources.Pets.Properties.OpenApiVersion: this is no version"),
        (
            "Api",
            json!({"DefinitionBody": {"paths": []}}),
            json!({}),
            "$.Resources.Pets.Properties.DefinitionBody: this is no OpenAPI",
        ),
        (
            "Api",
            json!({"DefinitionBody": {"openapi": "3.0.1", "paths": {}}}),
            json!({}),
            "$.Resources.List.Properties.Events.Get: the definition of `Pets` has no `get` of `/pets`, and SAM adds none",
        ),
        (
            "Api",
            json!({}),
            json!({"Auth": {"Authorizer": "Login"}}),
            "$.Resources.List.Properties.Events.Get.Properties.Auth.Authorizer: `Pets` has no",
        ),
        (
            "Api",
            pool(json!({})),
            json!({"Auth": {"Authorizer": "NONE"}}),
            "$.Resources.List.Properties.Events.Get.Properties.Auth.Authorizer: `NONE` needs",
        ),
        (
            "Api",
            json!({}),
            json!({"Auth": {"ApiKeyRequired": false}}),
            "$.Resources.List.Properties.Events.Get.Properties.Auth.ApiKeyRequired: no other",
        ),
        (
            "Api",
            json!({}),
            json!({"Auth": {"Autorizer": "x"}}),
            "$.Resources.List.Properties.Events.Get.Properties.Auth.Autorizer: `Autorizer` is no",
        ),
        (
            "Api",
            json!({}),
            json!({"RequestModel": {"Model": "Pet"}}),
            "$.Resources.List.Properties.Events.Get.Properties.RequestModel.Model: `Pets` has no model",
        ),
        (
            "Api",
            json!({}),
            json!({"RequestParameters": ["body.x"]}),
            "$.Resources.List.Properties.Events.Get.Properties.RequestParameters[0]: `body.x` is no",
        ),
        (
            "Api",
            json!({}),
            json!({"RestApiId": {"Ref": "Cats"}}),
            "$.Resources.List.Properties.Events.Get.Properties.RestApiId: `Cats` is no API",
        ),
        (
            "HttpApi",
            json!({"CorsConfiguration": {"AllowOrigin": "*"}}),
            json!({}),
            "$.Resources.Pets.Properties.CorsConfiguration.AllowOrigin: ",
        ),
        (
            "HttpApi",
            json!({"Auth": {"DefaultAuthorizer": "AWS_IAM"}}),
            json!({}),
            "$.Resources.Pets.Properties.Auth.DefaultAuthorizer: there is no",
        ),
        (
            "HttpApi",
            pool(json!({})),
            json!({}),
            "$.Resources.Pets.Properties.Auth.Authorizers.Login: `Login` is no authorizer of an HTTP API",
        ),
        (
            "HttpApi",
            json!({"Auth": {"Authorizers": {"Fn": {"FunctionArn": "arn"}}}}),
            json!({}),
            "$.Resources.Pets.Properties.Auth.Authorizers.Fn: a Lambda authorizer of an HTTP API needs `AuthorizerPayloadFormatVersion`",
        ),
        (
            "HttpApi",
            json!({"Auth": {"Authorizers": {"Fn": {"JwtConfiguration": {"issuer": "https://a"}}}}}),
            json!({}),
            "$.Resources.Pets.Properties.Auth.Authorizers.Fn: an authorizer of JWTs needs `IdentitySource`",
        ),
        (
            "HttpApi",
            json!({}),
            json!({"Auth": {"AuthorizationScopes": ["a"]}}),
            "$.Resources.List.Properties.Events.Get.Properties.Auth: `Auth` of this event names no",
        ),
        (
            "HttpApi",
            json!({}),
            json!({"Timeout": 1}),
            "$.Resources.List.Properties.Events.Get.Properties.Timeout: `Timeout` is no property",
        ),
    ] {
        let (_, problems) = expanded(&with_event(kind, of_api, event));
        assert_eq!(problems.len(), 1, "{told}: {problems:#?}");
        assert!(problems[0].starts_with(told), "{told}\n{}", problems[0]);
    }
}

#[test]
fn signed_requests_call_the_function_with_the_role_that_invoke_role_says() {
    for (of_api, of_event, credentials) in [
        (json!({}), json!({"Authorizer": "AWS_IAM", "InvokeRole": "NONE"}), json!(null)),
        (json!({"InvokeRole": "NONE"}), json!({"Authorizer": "AWS_IAM"}), json!(null)),
        (json!({"InvokeRole": "arn:role"}), json!({"Authorizer": "AWS_IAM"}), json!("arn:role")),
        (json!({"InvokeRole": "NONE"}), json!({"Authorizer": "AWS_IAM", "InvokeRole": "arn:role"}), json!("arn:role")),
    ] {
        let operation = operation("Api", json!({"Auth": of_api}), json!({"Auth": of_event}));
        assert_eq!(operation["x-amazon-apigateway-integration"].get("credentials").cloned().unwrap_or_default(), credentials);
        assert_eq!(operation["security"], json!([{"AWS_IAM": []}]));
    }
}

#[test]
fn nobody_lends_the_gateway_his_credentials() {
    let at = "$.Resources.List.Properties.Events.Get.Properties.Auth";
    let event = json!({"Auth": {"Authorizer": "AWS_IAM"}});
    let (made, problems) = expanded(&with_event("Api", json!({}), event));
    assert!(problems[0].starts_with(&format!("{at}: functions are not called with the credentials of the caller")), "{problems:?}");
    let api = made.iter().find(|resource| resource.id == "Pets").unwrap();
    assert!(!api.properties.to_string().contains("credentials"));
    let event = json!({"Auth": {"Authorizer": "AWS_IAM", "InvokeRole": "CALLER_CREDENTIALS"}});
    let (_, problems) = expanded(&with_event("Api", json!({}), event));
    assert!(problems[0].starts_with(&format!("{at}.InvokeRole: not served: ")), "{problems:?}");
}

#[test]
fn an_event_may_stream_its_answer() {
    let operation = operation("Api", json!({}), json!({"ResponseTransferMode": "RESPONSE_STREAM"}));
    let integration = &operation["x-amazon-apigateway-integration"];
    assert_eq!(integration["responseTransferMode"], "STREAM");
    assert!(
        integration["uri"]["Fn::Sub"]
            .as_str()
            .unwrap()
            .ends_with("/2021-11-15/functions/${List.Arn}/response-streaming-invocations")
    );
}

#[test]
fn an_event_overrides_the_authorizer_of_the_users_own_definition_when_it_says_so() {
    let body = json!({"openapi": "3.0.1", "paths": {"/pets": {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}}});
    let of_api = json!({"DefinitionBody": body, "Auth": {"DefaultAuthorizer": "A", "Authorizers": {"A": {"UserPoolArn": "a"}, "B": {"UserPoolArn": "b"}}}});
    let overridden = operation("Api", of_api.clone(), json!({"Auth": {"Authorizer": "B", "OverrideApiAuth": true}}));
    assert_eq!(overridden["security"], json!([{"B": []}]));
    let left = operation("Api", of_api, json!({"Auth": {"Authorizer": "B"}}));
    assert_eq!(left["security"], json!([{"A": []}]));
}

#[test]
fn only_authorizers_of_ones_own_have_scopes() {
    let auth = json!({"Authorizers": {"Login": {"UserPoolArn": "arn", "AuthorizationScopes": ["all"]}}});
    for (name, scopes) in [("Login", json!(["a"])), ("AWS_IAM", json!([]))] {
        let event = json!({"Auth": {"Authorizer": name, "AuthorizationScopes": ["a"], "InvokeRole": "NONE"}});
        assert_eq!(operation("Api", json!({"Auth": auth}), event)["security"], json!([{name: scopes}]));
    }
}

#[test]
fn what_sam_loses_in_a_merge_is_told_and_not_made_up() {
    let body = json!({"openapi": "3.0.1", "paths": {}});
    let of_api = json!({"MergeDefinitions": true, "DefinitionBody": body});
    let event = json!({"Auth": {"ResourcePolicy": {"IpRangeWhitelist": ["10.0.0.0/8"]}}});
    let (made, problems) = expanded(&with_event("Api", of_api, event));
    assert!(
        problems[0].starts_with("$.Resources.List.Properties.Events.Get.Properties.Auth.ResourcePolicy: SAM loses this"),
        "{problems:?}"
    );
    let api = made.iter().find(|resource| resource.id == "Pets").unwrap();
    assert!(api.properties["Body"].get("x-amazon-apigateway-policy").is_none());
}

#[test]
fn an_event_of_an_api_that_is_written_out_adds_nothing_to_it() {
    for (kind, api) in [("Api", "AWS::ApiGateway::RestApi"), ("HttpApi", "AWS::ApiGatewayV2::Api")] {
        let mut template = with_event(kind, json!({}), json!({}));
        template["Resources"]["Pets"] = json!({"Type": api, "Properties": {"Name": "pets"}});
        let (made, problems) = expanded(&template);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(made.iter().find(|resource| resource.id == "Pets").unwrap().properties, json!({"Name": "pets"}));
    }
}

#[test]
fn an_http_api_is_found_in_china_too() {
    let template = with_event("HttpApi", json!({}), json!({}));
    let resources = template["Resources"].as_object().unwrap().iter().map(|(id, resource)| Resource {
        id: id.clone(),
        kind: resource["Type"].as_str().unwrap().to_owned(),
        properties: resource["Properties"].clone(),
        path: JsonPath::root(),
        places: Vec::new(),
    });
    let settings = Settings { region: "cn-north-1".to_owned(), ..settings() };
    let template = Sam { resources: resources.collect(), ..Sam::default() };
    let made = expand(template, &settings, &mut Problems::default());
    let api = made.iter().find(|resource| resource.id == "Pets").unwrap();
    let uri = &api.properties["Body"]["paths"]["/pets"]["get"]["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"];
    assert!(uri.as_str().unwrap().starts_with("arn:aws-cn:apigateway:cn-north-1:lambda:"), "{uri}");
}
