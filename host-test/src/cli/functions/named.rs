//! Which functions the definitions of a document call, so that it can be said which of them are not on this machine.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::name::FunctionName;

/// The names, in the order of the alphabet. One that takes a stage variable is read at each stage; one that is made of a request is
/// not known.
pub fn functions(document: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for api in document.get("apis").and_then(Value::as_array).into_iter().flatten() {
        let mut uris = BTreeSet::new();
        uris_of(api.get("definition").unwrap_or(&Value::Null), &mut uris);
        let stages = api.get("stages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for stage in stages {
            let variables = variables(stage);
            names.extend(uris.iter().filter_map(|uri| name(&put_in(uri, &variables))));
        }
    }
    names
}

/// Every text that names a function, however deep.
fn uris_of<'a>(value: &'a Value, uris: &mut BTreeSet<&'a str>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| uris_of(element, uris)),
        Value::Object(members) => {
            for (key, member) in members {
                match member.as_str() {
                    Some(text) if matches!(key.as_str(), "uri" | "authorizerUri") && text.starts_with("arn:") => {
                        uris.insert(text);
                    }
                    _ => uris_of(member, uris),
                }
            }
        }
        _ => {}
    }
}

/// Of the Invoke API's ARN, or of the function's own.
fn name(uri: &str) -> Option<String> {
    let function = match uri.split_once(":lambda:path/2015-03-31/functions/") {
        Some((_, rest)) => rest.strip_suffix("/invocations")?,
        None if uri.split(':').nth(2) == Some("lambda") => uri,
        None => return None,
    };
    FunctionName::parse(function).map(|function| function.name)
}

fn variables(stage: &Value) -> BTreeMap<&str, &str> {
    let variables = stage.get("variables").and_then(Value::as_object).into_iter().flatten();
    variables.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
}

fn put_in(uri: &str, variables: &BTreeMap<&str, &str>) -> String {
    variables.iter().fold(uri.to_owned(), |uri, (name, value)| uri.replace(&format!("${{stageVariables.{name}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn functions_of_integrations_and_authorizers_are_found_at_each_stage() {
        let invoke =
            |function: &str| format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations");
        let arn = "arn:aws:lambda:us-east-1:1:function:";
        let document = json!({"apis": [{
            "stages": [{"stageName": "a", "variables": {"fn": "of-a:live"}}, {"stageName": "b", "variables": {"fn": "of-b"}}, {}],
            "definition": {
                "paths": {"/x": {"get": {"x-amazon-apigateway-integration": {"uri": invoke(&format!("{arn}${{stageVariables.fn}}"))}}},
                    "/y": {"get": [{"uri": format!("{arn}own:7")}, {"uri": "http://h/"}, {"uri": "arn:aws:apigateway:r:s3:path/b"}]}},
                "components": {"a": {"authorizerUri": invoke(&format!("{arn}guard")), "note": invoke("nothing")}},
            },
        }]});
        let found: Vec<String> = functions(&document).into_iter().collect();
        assert_eq!(found, ["guard", "of-a", "of-b", "own"]);
    }
}
