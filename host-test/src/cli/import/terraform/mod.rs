//! Terraform and OpenTofu: what `terraform show -json` prints of a state or a plan, brought to CloudFormation's resources.
//!
//! ```text
//!   file ─> reader, by the tables rest and http ─> merge ─> resources
//!            ├ links: resources by their ids, or by references
//!            └ unknown: values by --value, by rules, or an error
//!               └ references: where the expressions of a plan lead
//! ```
//!
//! In a state every value is known, and resources are linked by their ids. In a plan for what is not there yet they are linked by the
//! references of the configuration; a plan has only those, and not the text of an expression around them.

mod address;
mod cursor;
mod file;
mod http;
mod links;
mod merge;
mod places;
mod reader;
mod references;
mod rest;
mod rules;
mod shape;
#[cfg(test)]
mod tests;
mod unknown;

use serde_json::{Map, Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::Settings;
use super::resource::Resource;
use cursor::Cursor;
use file::{File, Instance};
use merge::Parts;
pub use places::place;
use reader::{Converted, Reader};
use rules::Home;
use shape::Field;

/// Reads what `terraform show -json` prints.
pub fn read(root: &Value, settings: &Settings, problems: &mut Problems) -> Vec<Resource> {
    let Some(file) = File::read(root, problems) else { return Vec::new() };
    if file.of_kinds(&["aws_api_gateway_rest_api", "aws_apigatewayv2_api"]).next().is_none() {
        let help = "`aws_api_gateway_rest_api` and `aws_apigatewayv2_api` are APIs; what `data` only looks up is managed elsewhere, \
                    and imported from there";
        problems.error(&JsonPath::root(), "there is no API in it", Some(help));
        return Vec::new();
    }
    for name in settings.values.keys() {
        let is_of = |instance: &Instance<'_>| *name == instance.address || address::is_beginning(&instance.address, name);
        if !file.instances.iter().any(is_of) {
            let message = format!("`--value {name}=…` is of no resource of this file");
            problems.warning(
                &JsonPath::root(),
                message,
                Some("a value is named by its address and attribute, as errors show them"),
            );
        }
    }
    let home = Home { region: &settings.region, account: &settings.account };
    let mut reader = Reader { file: &file, settings, home, problems };
    let mut resources = Vec::new();
    let mut parts = Parts::default();
    for instance in file.instances.iter().filter(|instance| !instance.origin.is_data) {
        let known = rest::RESOURCES.iter().chain(&http::RESOURCES).find(|(kind, ..)| *kind == instance.kind);
        match known {
            Some((_, kind, fields)) => resources.push(whole(&mut reader, instance, kind, fields)),
            None => parts.take(&mut reader, instance),
        }
    }
    parts.join(&mut reader, &mut resources);
    resources
}

/// Adds what the file says: region and account, as data sources, ARNs and the configuration of the provider have them, and the ids
/// of APIs and keys, which are made up otherwise.
pub fn learn(root: &Value, settings: &mut Settings) {
    let Some(file) = File::read(root, &mut Problems::default()) else { return };
    let (mut region, mut account) = (None, None);
    for instance in &file.instances {
        let arn: Vec<&str> = instance.text("arn").map_or_else(Vec::new, |arn| arn.splitn(6, ':').collect());
        let part = |at: usize| arn.get(at).copied().filter(|part| !part.is_empty());
        region = region.or_else(|| match instance.kind {
            "aws_region" => instance.text("region").or_else(|| instance.text("name")),
            _ => part(3).or_else(|| instance.text("region")),
        });
        account = account.or_else(|| match instance.kind {
            "aws_caller_identity" => instance.text("account_id"),
            // What AWS manages itself has `aws` in the place of an account.
            _ => part(4).or_else(|| instance.text("execution_arn")?.split(':').nth(4)).filter(|account| account.len() == 12),
        });
    }
    for instance in file.of_kinds(&["aws_api_gateway_rest_api", "aws_apigatewayv2_api", "aws_api_gateway_api_key"]) {
        let mut add = |name: String, attribute: &str| {
            if let Some(value) = instance.text(attribute) {
                settings.values.entry(name).or_insert_with(|| value.to_owned());
            }
        };
        add(instance.address.clone(), "id");
        add(format!("{}.RootResourceId", instance.address), "root_resource_id");
        // The value of a key is asked for by the name that Terraform gives it.
        if let Some(value) = settings.values.get(&format!("{}.value", instance.address)).cloned() {
            settings.values.insert(format!("{}.Value", instance.address), value);
        }
    }
    let region = region.map(str::to_owned).or_else(|| of_provider(root));
    settings.region = region.unwrap_or_else(|| settings.region.clone());
    settings.account = account.map_or_else(|| settings.account.clone(), str::to_owned);
}

/// The region that the configuration of the provider names, by itself or by a variable.
fn of_provider(root: &Value) -> Option<String> {
    let region = root.get("configuration")?.get("provider_config")?.get("aws")?.get("expressions")?.get("region")?;
    let named = match region.get("constant_value") {
        Some(constant) => constant,
        None => {
            let variable = region.get("references")?.get(0)?.as_str()?.strip_prefix("var.")?;
            root.get("variables")?.get(variable)?.get("value")?
        }
    };
    named.as_str().map(str::to_owned)
}

/// An instance that is a resource of CloudFormation's by itself.
fn whole<'s, 'f>(reader: &mut Reader<'s, 'f>, instance: &'s Instance<'f>, kind: &str, fields: &[Field]) -> Resource {
    let Converted { mut properties, places } = reader.convert(&Cursor::new(reader.file, instance), fields);
    finish(kind, &mut properties);
    // Private domains have policies, and a type of their own.
    let kind = match kind {
        "AWS::ApiGateway::DomainName" if properties.contains_key("Policy") => "AWS::ApiGateway::DomainNameV2",
        kind => kind,
    };
    Resource {
        id: instance.address.clone(),
        kind: kind.to_owned(),
        properties: Value::Object(properties),
        path: instance.path.clone(),
        places,
    }
}

/// What CloudFormation writes in another form.
fn finish(kind: &str, properties: &mut Map<String, Value>) {
    let mut replace = |name: &str, with: fn(&Value) -> Option<Value>| {
        if let Some(value) = properties.remove(name)
            && let Some(value) = with(&value)
        {
            properties.insert(name.to_owned(), value);
        }
    };
    match kind {
        // -1 is none.
        "AWS::ApiGateway::RestApi" => replace("MinimumCompressionSize", |size| (size.as_i64() != Some(-1)).then(|| size.clone())),
        "AWS::ApiGateway::UsagePlan" => replace("ApiStages", |stages| {
            let mut stages = stages.clone();
            for stage in stages.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                if let Some(throttles) = stage.remove("Throttle") {
                    stage.insert("Throttle".to_owned(), keyed(&throttles, "Path"));
                }
            }
            Some(stages)
        }),
        "AWS::ApiGatewayV2::Integration" => replace("ResponseParameters", |parameters| {
            let statuses = parameters.as_array().into_iter().flatten().filter_map(|of| {
                let mappings = of.get("Mappings")?.as_object()?.iter();
                let list: Vec<Value> = mappings.map(|(to, from)| json!({ "Destination": to, "Source": from })).collect();
                Some((text_of(of.get("StatusCode")?), json!({ "ResponseParameters": list })))
            });
            Some(Value::Object(statuses.collect()))
        }),
        // The lifetime of answers is that of a Lambda authorizer.
        "AWS::ApiGatewayV2::Authorizer" => replace("AuthorizerResultTtlInSeconds", |ttl| (ttl != &json!(0)).then(|| ttl.clone())),
        "AWS::ApiGatewayV2::Stage" => {
            replace("RouteSettings", |settings| Some(keyed(settings, "RouteKey")));
            replace("DefaultRouteSettings", limits);
        }
        _ => {}
    }
}

/// Terraform writes two zeros where a stage has no limits of its own.
fn limits(settings: &Value) -> Option<Value> {
    let mut settings = settings.as_object()?.clone();
    let is_zero = |name: &str| settings.get(name).and_then(Value::as_f64) == Some(0.0);
    if is_zero("ThrottlingBurstLimit") && is_zero("ThrottlingRateLimit") {
        settings.retain(|name, _| !name.starts_with("Throttling"));
    }
    (!settings.is_empty()).then_some(Value::Object(settings))
}

/// Blocks that CloudFormation has as an object, by one of their members.
fn keyed(blocks: &Value, name: &str) -> Value {
    let entries = blocks.as_array().into_iter().flatten().filter_map(|block| {
        let mut block = block.as_object()?.clone();
        let key = block.remove(name)?;
        Some((text_of(&key), Value::Object(block)))
    });
    Value::Object(entries.collect())
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
