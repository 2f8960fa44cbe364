//! Templates of CloudFormation, as people write them, as `cdk synth` writes them, and as `aws cloudformation get-template` shows
//! them. AWS: "Template anatomy".

mod files;
mod parameters;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tollgate::problem::{JsonPath, Problem, Problems};

use super::Settings;
use super::resolve::{Outcome, Resolver, Template};
use super::resource::{Resource, is_of_api_gateway};

pub use self::files::put_files;

/// A template: what it says beside its resources, and those that are deployed.
#[derive(Debug, Default)]
pub struct Read {
    /// Parameters, mappings, conditions.
    pub template: Template,
    /// In the order written, references among them unresolved.
    pub resources: Vec<Resource>,
    /// `Globals` of SAM.
    pub globals: Value,
    /// `IgnoreGlobals` of the resources that say so.
    pub ignored: BTreeMap<String, Value>,
    /// Whether SAM's transform is due.
    pub is_sam: bool,
}

/// SAM's transform.
pub const SAM: &str = "AWS::Serverless-2016-10-31";

/// Transforms that say nothing of API Gateway, or whose functions are told where they stand.
const HARMLESS: [&str; 5] = [
    "AWS::CodeDeployBlueGreen",
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
    "AWS::ServiceCatalog",
];

/// Whether a file is a template at all.
pub fn is_template(root: &Value) -> bool {
    root.get("Resources").is_some() || root.get("AWSTemplateFormatVersion").is_some()
}

/// Reads a template; what is wrong with it is told.
pub fn read(root: &Value, settings: &Settings, problems: &mut Problems) -> Read {
    let mut read = Read::default();
    read.template.parameters = parameters::read(root, settings, problems);
    read.template.mappings = root.get("Mappings").cloned().unwrap_or_default();
    read.template.conditions = root.get("Conditions").and_then(Value::as_object).cloned().unwrap_or_default();
    read.is_sam = transforms(root, problems);
    let Some(Value::Object(resources)) = root.get("Resources") else {
        problems.error(&JsonPath::root(), "the template has no `Resources`", None);
        return read;
    };
    if let Some(globals) = root.get("Globals") {
        read.globals = match Resolver::new(&read.template, settings).resolve(globals, &JsonPath::root().key("Globals")) {
            Outcome::Known(globals) | Outcome::Kept(globals) => globals,
            Outcome::Nothing | Outcome::Failed => globals.clone(),
        };
    }
    let ignored = |(id, resource): (&String, &Value)| Some((id.clone(), resource.get("IgnoreGlobals")?.clone()));
    read.ignored = resources.iter().filter_map(ignored).collect();
    let (kept, dropped) = read_resources(resources, &read.template, settings, problems);
    read.resources = kept;
    read.template.dropped = dropped.into_iter().collect();
    read
}

/// True when SAM's is among them.
fn transforms(root: &Value, problems: &mut Problems) -> bool {
    let path = JsonPath::root().key("Transform");
    let named: Vec<&Value> = match root.get("Transform") {
        None => Vec::new(),
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
    };
    let mut is_sam = false;
    for transform in named {
        let name = transform.as_str().or_else(|| transform.get("Name").and_then(Value::as_str)).unwrap_or_default();
        match name {
            SAM => is_sam = true,
            name if HARMLESS.contains(&name) => {}
            name => {
                let help = "import the template as AWS processed it: `aws cloudformation get-template --template-stage Processed`";
                problems.error(&path, format!("the transform `{name}` happens in AWS"), Some(help));
            }
        }
    }
    is_sam
}

type Dropped = Vec<(String, String)>;

fn read_resources(
    resources: &Map<String, Value>,
    template: &Template,
    settings: &Settings,
    problems: &mut Problems,
) -> (Vec<Resource>, Dropped) {
    let mut resolver = Resolver::new(template, settings);
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    let at = JsonPath::root().key("Resources");
    for (id, resource) in resources {
        let path = at.key(id);
        if id.starts_with("Fn::") {
            let help = "import the template as AWS processed it: `aws cloudformation get-template --template-stage Processed`";
            problems.error(
                &path,
                format!("`{}` happens in AWS", id.split("::").take(2).collect::<Vec<_>>().join("::")),
                Some(help),
            );
            continue;
        }
        let Some(kind) = resource.get("Type").and_then(Value::as_str) else {
            problems.error(&path, format!("the resource `{id}` has no `Type`"), None);
            continue;
        };
        let is_ours = is_of_api_gateway(kind) || kind.starts_with("AWS::Serverless::");
        if let Some(condition) = resource.get("Condition").and_then(Value::as_str) {
            match resolver.condition(condition, &path.key("Condition")) {
                Ok(true) => {}
                Ok(false) => {
                    dropped.push((id.clone(), condition.to_owned()));
                    continue;
                }
                Err(found) if is_ours => {
                    tell(found, problems);
                    continue;
                }
                // What others refer to can stay; nobody asks whether it is there.
                Err(_) => {}
            }
        }
        let properties = resource.get("Properties").cloned().unwrap_or_else(|| Value::Object(Map::new()));
        let properties = match resolver.resolve(&properties, &path.key("Properties")) {
            Outcome::Known(properties) | Outcome::Kept(properties) => properties,
            Outcome::Nothing | Outcome::Failed => properties,
        };
        if kind == "AWS::CloudFormation::Stack" || kind == "AWS::Serverless::Application" {
            let help = "import the nested template by itself";
            problems.warning(&path, format!("the nested stack `{id}` is not looked into"), Some(help));
        }
        kept.push(Resource { id: id.clone(), kind: kind.to_owned(), properties, path, places: Vec::new() });
    }
    (kept, dropped)
}

/// Tells problems that were found elsewhere.
pub fn tell(found: impl IntoIterator<Item = Problem>, problems: &mut Problems) {
    for problem in found {
        let help = problem.help.as_deref();
        match problem.severity {
            tollgate::problem::Severity::Error => problems.error(&problem.path, problem.message, help),
            tollgate::problem::Severity::Warning => problems.warning(&problem.path, problem.message, help),
        }
    }
}
