//! Puts the resources of API Gateway together: for each API a definition with API Gateway's extensions, its stages and domains; then
//! keys and usage plans. What cannot be carried over is told.

mod documents;
mod domain;
mod draft;
mod hosts;
mod http;
mod kinds;
mod rest;
mod stack;
mod stage;
mod usage;

use serde_json::{Map, Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::Settings;
use super::resource::Resource;

use self::draft::Draft;
pub use self::draft::Origins;
pub use self::kinds::is_read;
pub use self::stack::Identities;
use self::stack::Stack;

/// What became of the resources.
#[derive(Debug)]
pub struct Assembled {
    /// The gateway document.
    pub document: Value,
    /// Where its parts come from.
    pub origins: Origins,
    /// Types of API Gateway's that say nothing of how requests are served.
    pub nothing_to_serve: Vec<String>,
}

/// An API in the making.
struct Api<'s> {
    resource: &'s Resource,
    /// `apiId`
    id: String,
    name: String,
    protocol: &'static str,
    /// Its place in the document.
    path: JsonPath,
}

const REST: &str = "AWS::ApiGateway::RestApi";
const HTTP: &str = "AWS::ApiGatewayV2::Api";

/// `resources` are those of API Gateway with everything resolved; `identities` says what references give of each.
pub fn assemble(resources: Vec<Resource>, identities: Identities, settings: &Settings, problems: &mut Problems) -> Assembled {
    let (carried, left): (Vec<_>, Vec<_>) = resources.into_iter().partition(|resource| kinds::check(resource, problems));
    let mut nothing_to_serve: Vec<String> = left.into_iter().map(|resource| resource.kind).collect();
    nothing_to_serve.sort();
    nothing_to_serve.dedup();
    let stack = Stack::new(carried, identities);
    let mut draft = Draft::default();
    let mut names: Vec<String> = Vec::new();
    for resource in stack.iter().filter(|resource| resource.kind == REST || resource.kind == HTTP) {
        let is_http = resource.kind == HTTP;
        if is_http && !is_served(resource, problems) {
            continue;
        }
        let name = name(resource, &names, problems);
        names.push(name.clone());
        let path = JsonPath::root().key("apis").index(draft.apis.len());
        let protocol = if is_http { "HTTP" } else { "REST" };
        let api = Api { resource, id: stack.identity(resource).to_owned(), name, protocol, path };
        draft.note(&api.path, &resource.path);
        draft.note(&api.path.key("definition"), &resource.path);
        let definition = if is_http {
            http::definition(&api, &stack, &mut draft, problems)
        } else {
            rest::definition(&api, &stack, &mut draft, problems)
        };
        let stages = stage::stages(&api, &definition, &stack, &mut draft, problems);
        let value = written(&api, definition, stages, settings, problems);
        draft.apis.push(value);
    }
    orphans(&stack, problems);
    hosts::tell_apart(&mut draft, problems);
    usage::assemble(&stack, settings, &mut draft, problems);
    let (document, origins) = draft.finish();
    Assembled { document, origins, nothing_to_serve }
}

fn written(api: &Api<'_>, definition: Value, stages: Vec<Value>, settings: &Settings, problems: &mut Problems) -> Value {
    let mut value = Map::new();
    value.insert("name".to_owned(), api.name.as_str().into());
    value.insert("protocol".to_owned(), api.protocol.into());
    value.insert("apiId".to_owned(), api.id.as_str().into());
    value.insert("accountId".to_owned(), settings.account.as_str().into());
    value.insert("region".to_owned(), settings.region.as_str().into());
    if let Some(parameters) = api.resource.get("Parameters") {
        for (name, parameter) in parameters.members(problems) {
            match name {
                "basepath" => {
                    value.insert("parameters".to_owned(), json!({ "basepath": parameter.value }));
                }
                // Endpoint types and documentation are nothing to a gateway.
                "endpointConfigurationTypes" | "endpointConfigurationVpcEndpointIds" | "ignore" => {}
                name => problems.error(&parameter.path, format!("there is no import parameter `{name}`"), None),
            }
        }
    }
    if let Some(base_path) = api.resource.get("BasePath") {
        value.insert("basePath".to_owned(), base_path.value.clone());
    }
    value.insert("definition".to_owned(), definition);
    value.insert("stages".to_owned(), Value::Array(stages));
    Value::Object(value)
}

/// WebSocket APIs are not.
fn is_served(resource: &Resource, problems: &mut Problems) -> bool {
    match resource
        .get("ProtocolType")
        .map(|protocol| (protocol.path, protocol.value.as_str().unwrap_or_default().to_ascii_uppercase()))
    {
        Some((path, protocol)) if protocol != "HTTP" => {
            let message = if protocol == "WEBSOCKET" {
                format!("`{}` is a WebSocket API, which is not served", resource.id)
            } else {
                format!("`{protocol}` is no protocol of an API")
            };
            problems.error(&path, message, Some("REST APIs and HTTP APIs are"));
            false
        }
        _ => true,
    }
}

/// What the API is called in the document: unique there, and no matter to AWS.
fn name(resource: &Resource, taken: &[String], problems: &mut Problems) -> String {
    let title = |body: &Value| body.get("info").and_then(|info| info.get("title")).and_then(Value::as_str).map(str::to_owned);
    let said = stack::text(resource, "Name").map(str::to_owned);
    let name = said.or_else(|| resource.properties.get("Body").and_then(title)).unwrap_or_else(|| resource.id.clone());
    if !taken.contains(&name) {
        return name;
    }
    let message = format!("another API is named `{name}`: this one is `{}` here", resource.id);
    problems.warning(&resource.place("Name"), message, Some("a gateway document tells APIs apart by their names"));
    resource.id.clone()
}

/// What belongs to an API that is not there would be left out in silence.
fn orphans(stack: &Stack, problems: &mut Problems) {
    for resource in stack.iter() {
        let (property, kind) = match resource.kind.as_str() {
            REST | HTTP => continue,
            kind if kind.starts_with("AWS::ApiGateway::") => ("RestApiId", REST),
            _ => ("ApiId", HTTP),
        };
        if matches!(
            resource.kind.as_str(),
            "AWS::ApiGateway::ApiKey"
                | "AWS::ApiGateway::DomainName"
                | "AWS::ApiGateway::DomainNameV2"
                | "AWS::ApiGateway::UsagePlan"
                | "AWS::ApiGateway::UsagePlanKey"
                | "AWS::ApiGateway::VpcLink"
                | "AWS::ApiGatewayV2::DomainName"
                | "AWS::ApiGatewayV2::VpcLink"
        ) {
            continue;
        }
        // Mappings of HTTP APIs' domains may lead to REST APIs, and the other way around.
        let other = if kind == REST { HTTP } else { REST };
        let leads_to = stack::text(resource, property).is_some_and(|id| stack.find(other, id).is_some());
        let is_mapping = resource.kind.contains("Mapping");
        if !(is_mapping && leads_to) {
            stack.named_by(resource, property, kind, problems);
        }
    }
}
