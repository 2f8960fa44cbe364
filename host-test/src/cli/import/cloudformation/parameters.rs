//! `Parameters`: what `--parameter` says, or else the default. AWS: "Parameters section".

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate::problem::{JsonPath, Problems, quoted};

use crate::cli::import::Settings;
use crate::cli::import::resolve::Parameter;

/// Parameters of this type hold what a parameter of Systems Manager holds, and their own value is its name.
const ELSEWHERE: &str = "AWS::SSM::Parameter::Value<";

/// Reads them all, and tells of `--parameter` for one that the template does not have.
pub fn read(root: &Value, settings: &Settings, problems: &mut Problems) -> BTreeMap<String, Parameter> {
    let at = JsonPath::root().key("Parameters");
    let mut parameters = BTreeMap::new();
    for (name, declared) in root.get("Parameters").and_then(Value::as_object).into_iter().flatten() {
        let path = at.key(name);
        let kind = declared.get("Type").and_then(Value::as_str).unwrap_or("String");
        let given = settings.parameters.get(name).map(|text| Value::from(text.as_str()));
        let is_given = given.is_some();
        let parameter = match given.or_else(|| declared.get("Default").cloned()) {
            None => Parameter::Missing,
            Some(default) if kind.starts_with(ELSEWHERE) && !is_given => {
                Parameter::Elsewhere(default.as_str().unwrap_or_default().to_owned())
            }
            Some(value) => {
                check(&value, name, declared, &path, problems);
                Parameter::Known(if kind.contains("List") { list(&value) } else { value })
            }
        };
        parameters.insert(name.clone(), parameter);
    }
    for name in settings.parameters.keys().filter(|name| !parameters.contains_key(*name)) {
        let known: Vec<&str> = parameters.keys().map(String::as_str).collect();
        let help = if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", quoted(&known)) };
        let path = if known.is_empty() { JsonPath::root() } else { at.clone() };
        problems.error(&path, format!("the template has no parameter `{name}`"), Some(&help));
    }
    parameters
}

fn check(value: &Value, name: &str, declared: &Value, path: &JsonPath, problems: &mut Problems) {
    let Some(allowed) = declared.get("AllowedValues").and_then(Value::as_array) else { return };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let allowed: Vec<String> = allowed.iter().map(text).collect();
    let values = list(value);
    let is_allowed = |one: &Value| allowed.contains(&text(one));
    if !is_allowed(value) && !values.as_array().is_some_and(|values| values.iter().all(is_allowed)) {
        let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
        problems.error(
            path,
            format!("`{}` is not among the allowed values of the parameter `{name}`", text(value)),
            Some(&quoted(&allowed)),
        );
    }
}

/// `a, b` as CloudFormation takes a list apart.
fn list(value: &Value) -> Value {
    match value {
        Value::String(text) => text.split(',').map(|part| Value::from(part.trim())).collect(),
        value => value.clone(),
    }
}
