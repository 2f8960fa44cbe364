//! Resources of Terraform's that are parts of one of CloudFormation's: integrations and responses of a method, settings of a stage,
//! policy and definition of an API. And those that are none.

use serde_json::{Value, json};
use tollgate::problem::JsonPath;

use super::super::resource::Resource;
use super::cursor::Cursor;
use super::file::Instance;
use super::http;
use super::reader::{Converted, Reader};
use super::rest;
use super::shape::{Field, Shape};

/// What is still to be joined to its resource.
#[derive(Default)]
pub struct Parts {
    integrations: Vec<Part>,
    integration_responses: Vec<Part>,
    method_responses: Vec<Part>,
    method_settings: Vec<Part>,
    of_api: Vec<Part>,
    /// Stages that deployments make.
    stages: Vec<Resource>,
}

/// A part, and which properties its resource has.
struct Part {
    address: String,
    belongs_to: Vec<(&'static str, Value)>,
    converted: Converted,
    path: JsonPath,
}

/// What names the API of a part.
const API: [(&str, &str, Shape); 1] = [("rest_api_id", "RestApiId", Shape::Link(&["aws_api_gateway_rest_api"]))];

/// What names the method of a part.
const METHOD: [(&str, &str, Shape); 3] = [
    ("rest_api_id", "RestApiId", Shape::Link(&["aws_api_gateway_rest_api"])),
    ("resource_id", "ResourceId", Shape::Parent),
    ("http_method", "HttpMethod", Shape::Plain),
];

/// What names the stage of a part.
const STAGE: [(&str, &str, Shape); 2] =
    [("rest_api_id", "RestApiId", Shape::Link(&["aws_api_gateway_rest_api"])), ("stage_name", "StageName", Shape::Direct)];

/// What the attributes of a part become.
pub fn table(kind: &str) -> &'static [Field] {
    match kind {
        "aws_api_gateway_integration" => &rest::INTEGRATION,
        "aws_api_gateway_integration_response" => &rest::INTEGRATION_RESPONSE,
        "aws_api_gateway_method_response" => &rest::METHOD_RESPONSE,
        "aws_api_gateway_rest_api_policy" => &rest::API_POLICY,
        "aws_api_gateway_rest_api_put" => &rest::API_BODY,
        "aws_api_gateway_deployment" => &rest::DEPLOYMENT,
        _ => &[],
    }
}

/// Associations of a firewall.
const WEB_ACL: [&str; 2] = ["aws_wafv2_web_acl_association", "aws_wafregional_web_acl_association"];

// === impl Parts ===

impl Parts {
    /// Reads an instance that is no resource by itself.
    pub fn take<'s, 'f>(&mut self, reader: &mut Reader<'s, 'f>, instance: &'s Instance<'f>) {
        let cursor = Cursor::new(reader.file, instance);
        let (path, fields) = (&instance.path, table(instance.kind));
        match instance.kind {
            "aws_api_gateway_integration" => {
                self.integrations.extend(part(reader, &cursor, &METHOD, fields));
            }
            "aws_api_gateway_integration_response" => {
                self.integration_responses.extend(part(reader, &cursor, &METHOD, fields));
            }
            "aws_api_gateway_method_response" => {
                self.method_responses.extend(part(reader, &cursor, &METHOD, fields));
            }
            "aws_api_gateway_rest_api_policy" => self.of_api.extend(part(reader, &cursor, &API, fields)),
            "aws_api_gateway_rest_api_put" => self.of_api.extend(part(reader, &cursor, &API, fields)),
            "aws_api_gateway_method_settings" => self.method_settings.extend(method_settings(reader, &cursor)),
            "aws_api_gateway_deployment"
                if cursor.field("stage_name").text().is_some() || cursor.field("stage_name").is_unknown() =>
            {
                let Converted { properties, places } = reader.convert(&cursor, fields);
                let (id, kind) = (format!("{}.stage_name", instance.address), "AWS::ApiGateway::Stage".to_owned());
                self.stages.push(Resource { id, kind, properties: Value::Object(properties), path: path.clone(), places });
            }
            kind if http::WEBSOCKET.contains(&kind) => {
                let message = format!("`{}` is a part of a WebSocket API", instance.address);
                reader.problems.error(path, message, Some("WebSocket APIs are not served"));
            }
            kind if rest::UNSERVED.contains(&kind) || http::UNSERVED.contains(&kind) => {}
            kind if kind.starts_with("aws_api_gateway_") || kind.starts_with("aws_apigatewayv2_") => {
                let message = format!("`{kind}` is not imported");
                reader.problems.error(path, message, Some("leave it out, if what is served does not depend on it"));
            }
            kind if WEB_ACL.contains(&kind) => firewall(reader, &cursor),
            _ => {}
        }
    }

    /// Puts the parts into their resources.
    pub fn join(self, reader: &mut Reader<'_, '_>, resources: &mut Vec<Resource>) {
        let Self { integrations, integration_responses, method_responses, method_settings, of_api, stages } = self;
        resources.extend(stages);
        for part in of_api {
            if let Some(api) = find_api(reader, resources, &part) {
                for (name, value) in part.converted.properties {
                    api.properties[name.as_str()] = value;
                }
                api.places.extend(part.converted.places);
            }
        }
        for part in integrations {
            if let Some(method) = find(reader, resources, "AWS::ApiGateway::Method", &part) {
                method.properties["Integration"] = Value::Object(part.converted.properties);
                method.places.push(("Integration".to_owned(), part.path));
            }
        }
        for part in integration_responses {
            if let Some(method) = find(reader, resources, "AWS::ApiGateway::Method", &part) {
                match method.properties.get_mut("Integration") {
                    Some(integration) => push(integration, "IntegrationResponses", Value::Object(part.converted.properties)),
                    None => {
                        let message = format!("the method of `{}` has no integration in this file", part.address);
                        reader.problems.error(&part.path, message, None);
                    }
                }
            }
        }
        for part in method_responses {
            if let Some(method) = find(reader, resources, "AWS::ApiGateway::Method", &part) {
                push(&mut method.properties, "MethodResponses", Value::Object(part.converted.properties));
                if !method.places.iter().any(|(name, _)| name == "MethodResponses") {
                    method.places.push(("MethodResponses".to_owned(), part.path));
                }
            }
        }
        for part in method_settings {
            if let Some(stage) = find(reader, resources, "AWS::ApiGateway::Stage", &part) {
                push(&mut stage.properties, "MethodSettings", Value::Object(part.converted.properties));
                if !stage.places.iter().any(|(name, _)| name == "MethodSettings") {
                    stage.places.push(("MethodSettings".to_owned(), part.path));
                }
            }
        }
    }
}

/// Reads a part and what it belongs to; none where that cannot be told, which was said.
fn part<'s, 'f>(
    reader: &mut Reader<'s, 'f>,
    cursor: &Cursor<'s, 'f>,
    key: &[(&'static str, &'static str, Shape)],
    fields: &[Field],
) -> Option<Part> {
    let belongs_to = belongs_to(reader, cursor, key);
    let converted = reader.convert(cursor, fields);
    Some(Part { address: cursor.instance.address.clone(), belongs_to: belongs_to?, converted, path: cursor.path.clone() })
}

fn belongs_to<'s, 'f>(
    reader: &mut Reader<'s, 'f>,
    cursor: &Cursor<'s, 'f>,
    key: &[(&'static str, &'static str, Shape)],
) -> Option<Vec<(&'static str, Value)>> {
    key.iter().map(|(from, to, shape)| Some((*to, required(reader, &cursor.field(from), shape)?))).collect()
}

/// An attribute without which a part is of nothing; it must not be lost in silence.
fn required<'s, 'f>(reader: &mut Reader<'s, 'f>, at: &Cursor<'s, 'f>, shape: &Shape) -> Option<Value> {
    let value = reader.read(at, shape);
    if value.is_none() && !at.is_unknown() && at.text().is_none() {
        let message = format!("`{}` has no `{}`", at.instance.address, at.name);
        reader.problems.error(&at.instance.path, message, None);
    }
    value
}

/// An element of `MethodSettings`: `method_path` is `pets/{id}/GET`, and `*/*` all methods.
fn method_settings<'s, 'f>(reader: &mut Reader<'s, 'f>, cursor: &Cursor<'s, 'f>) -> Option<Part> {
    let belongs_to = belongs_to(reader, cursor, &STAGE);
    let method_path = required(reader, &cursor.field("method_path"), &Shape::MethodPath)?;
    let method_path = method_path.as_str()?.replace("~1", "/");
    let (resource, method) = method_path.rsplit_once('/').unwrap_or(("", &method_path));
    let resource = resource.trim_start_matches('/');
    let settings = cursor.field("settings");
    let Some(block) = settings.blocks().next() else {
        let message = format!("`settings` of `{}` are not known", cursor.instance.address);
        reader.problems.error(&settings.path, message, Some("import the state after apply"));
        return None;
    };
    let mut converted = reader.convert(&block, &rest::METHOD_SETTINGS);
    converted.properties.insert("ResourcePath".to_owned(), format!("/{resource}").into());
    converted.properties.insert("HttpMethod".to_owned(), method.into());
    Some(Part { address: cursor.instance.address.clone(), belongs_to: belongs_to?, converted, path: cursor.path.clone() })
}

/// The resource that a part belongs to; an error if it is not in the file.
fn find<'r>(reader: &mut Reader<'_, '_>, resources: &'r mut [Resource], kind: &str, part: &Part) -> Option<&'r mut Resource> {
    let is = |resource: &&mut Resource| {
        resource.kind == kind && part.belongs_to.iter().all(|(name, value)| resource.properties.get(name) == Some(value))
    };
    let found = resources.iter_mut().find(is);
    if found.is_none() {
        let what = if kind == "AWS::ApiGateway::Stage" { "stage" } else { "method" };
        let message = format!("the {what} that `{}` belongs to is not in this file", part.address);
        reader.problems.error(
            &part.path,
            message,
            Some("an API is imported from one file: the state or plan that has it and all its parts"),
        );
    }
    found
}

fn find_api<'r>(reader: &mut Reader<'_, '_>, resources: &'r mut [Resource], part: &Part) -> Option<&'r mut Resource> {
    let id = part.belongs_to.first().and_then(|(_, api)| api.get("Ref")).and_then(Value::as_str);
    let found = resources.iter_mut().find(|resource| Some(resource.id.as_str()) == id);
    if found.is_none() {
        reader.problems.error(&part.path, format!("the API of `{}` is not in this file", part.address), None);
    }
    found
}

fn push(holder: &mut Value, name: &str, element: Value) {
    match holder.get_mut(name).and_then(Value::as_array_mut) {
        Some(elements) => elements.push(element),
        None => holder[name] = json!([element]),
    }
}

/// A firewall in front of a stage is not served, and that is worth a word.
fn firewall<'s, 'f>(reader: &mut Reader<'s, 'f>, cursor: &Cursor<'s, 'f>) {
    let at = cursor.field("resource_arn");
    let is_stage = match at.text() {
        Some(arn) => arn.contains(":apigateway:"),
        None => {
            reader.unknown_leaves(&at).iter().any(|leaf| leaf.shown().is_some_and(|shown| shown.contains("aws_api_gateway_stage.")))
        }
    };
    if is_stage {
        let message = format!("the web ACL of `{}` does not stand in front of the stage", cursor.instance.address);
        reader.problems.warning(&at.path, message, Some("AWS WAF is not served: Envoy has filters of its own"));
    }
}
