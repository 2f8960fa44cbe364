//! `Globals`: what is said once of all functions and APIs. AWS: "Globals section of the AWS SAM template": an object is merged
//! member by member, a list is put in front of the resource's own, and of anything else the resource's own counts.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tollgate::problem::{JsonPath, Problems, quoted};

use super::super::resource::Resource;
use super::properties::is_intrinsic;

/// What `Globals` may say of REST APIs: everything but the definition and the stage's name.
const OF_API: [&str; 22] = [
    "Auth",
    "Name",
    "DefinitionUri",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "MergeDefinitions",
    "Variables",
    "EndpointConfiguration",
    "MethodSettings",
    "BinaryMediaTypes",
    "MinimumCompressionSize",
    "Cors",
    "GatewayResponses",
    "AccessLogSetting",
    "CanarySetting",
    "TracingEnabled",
    "OpenApiVersion",
    "Domain",
    "AlwaysDeploy",
    "PropagateTags",
    "SecurityPolicy",
    "EndpointAccessMode",
];

/// What `Globals` may say of HTTP APIs.
const OF_HTTP_API: [&str; 10] = [
    "Auth",
    "AccessLogSettings",
    "StageVariables",
    "Tags",
    "CorsConfiguration",
    "DefaultRouteSettings",
    "Domain",
    "RouteSettings",
    "FailOnWarnings",
    "PropagateTags",
];

/// The section, by kind of resource.
#[derive(Debug, Default)]
pub struct Globals {
    sections: Map<String, Value>,
    ignored: BTreeMap<String, Value>,
    path: JsonPath,
}

// === impl Globals ===

impl Globals {
    /// Reads the section; nothing at all is none. `ignored` has `IgnoreGlobals` of the resources that say so.
    pub fn read(section: &Value, ignored: &BTreeMap<String, Value>, path: &JsonPath, problems: &mut Problems) -> Self {
        let sections = match section {
            Value::Null => return Self::default(),
            Value::Object(sections) => sections.clone(),
            _ => {
                problems.error(path, "`Globals` has to be an object", None);
                return Self::default();
            }
        };
        for (name, supported) in [("Api", &OF_API[..]), ("HttpApi", &OF_HTTP_API[..])] {
            for property in sections.get(name).and_then(Value::as_object).into_iter().flat_map(Map::keys) {
                if !supported.contains(&property.as_str()) {
                    let help = format!("`{name}` of `Globals` knows {}", quoted(supported));
                    let message = format!("`{property}` cannot be said of all APIs at once");
                    problems.stray(&path.key(name).key(property), message, Some(&help));
                }
            }
        }
        Self { sections, ignored: ignored.clone(), path: path.clone() }
    }

    /// Puts what is said of all resources of its kind into one of them.
    pub fn merge_into(&self, resource: &mut Resource, problems: &mut Problems) {
        let Some(kind) = resource.kind.strip_prefix("AWS::Serverless::") else { return };
        let Some(Value::Object(members)) = self.sections.get(kind) else { return };
        let mut members = members.clone();
        match self.ignored.get(&resource.id) {
            None => {}
            Some(Value::String(all)) if all == "*" => return,
            Some(Value::Array(names)) if names.iter().all(|name| name.as_str().is_some_and(|name| members.contains_key(name))) => {
                members.retain(|name, _| !names.iter().any(|ignored| ignored == name));
            }
            Some(_) => {
                let help = "write '*', or a list of properties that `Globals` has for its kind";
                problems.error(&resource.path.key("IgnoreGlobals"), "there is nothing of this to ignore", Some(help));
            }
        }
        let own = std::mem::take(&mut resource.properties);
        for name in members.keys().filter(|name| own.get(name.as_str()).is_none()) {
            resource.places.push((name.clone(), self.path.key(kind).key(name)));
        }
        resource.properties = if own.is_null() { Value::Object(members) } else { merged(Value::Object(members), own) };
    }
}

fn merged(global: Value, own: Value) -> Value {
    if is_intrinsic(&global) || is_intrinsic(&own) {
        return own;
    }
    match (global, own) {
        (Value::Object(mut members), Value::Object(own)) => {
            for (name, value) in own {
                let value = match members.get_mut(&name) {
                    Some(global) => merged(global.take(), value),
                    None => value,
                };
                members.insert(name, value);
            }
            Value::Object(members)
        }
        (Value::Array(mut items), Value::Array(own)) => {
            items.extend(own);
            Value::Array(items)
        }
        (_, own) => own,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn api(properties: Value) -> Resource {
        let path = JsonPath::root().key("Resources").key("Pets");
        Resource { id: "Pets".into(), kind: "AWS::Serverless::Api".into(), properties, path, places: Vec::new() }
    }

    #[test]
    fn objects_are_merged_lists_joined_and_anything_else_is_the_resources_own() {
        let section = json!({"Api": {"Variables": {"A": "1", "B": "2"}, "BinaryMediaTypes": ["image~1png"], "Name": "all", "Cors": {"AllowOrigin": "'*'"}}});
        let mut problems = Problems::default();
        let globals = Globals::read(&section, &BTreeMap::new(), &JsonPath::root().key("Globals"), &mut problems);
        let mut pets =
            api(json!({"Variables": {"B": "3"}, "BinaryMediaTypes": ["image~1gif"], "Name": "pets", "Cors": {"Ref": "Origin"}}));
        globals.merge_into(&mut pets, &mut Problems::default());
        assert_eq!(
            pets.properties,
            json!({"Variables": {"A": "1", "B": "3"}, "BinaryMediaTypes": ["image~1png", "image~1gif"], "Name": "pets", "Cors": {"Ref": "Origin"}})
        );
        assert!(pets.places.is_empty());
        assert!(!problems.any_error());
    }

    #[test]
    fn what_comes_from_the_globals_has_its_place_there() {
        let section = json!({"Api": {"Name": "all"}});
        let globals = Globals::read(&section, &BTreeMap::new(), &JsonPath::root().key("Globals"), &mut Problems::default());
        let mut pets = api(Value::Null);
        globals.merge_into(&mut pets, &mut Problems::default());
        assert_eq!(pets.places[0].1.to_string(), "$.Globals.Api.Name");
    }

    #[test]
    fn a_definition_of_all_apis_is_refused() {
        let mut problems = Problems::default();
        Globals::read(&json!({"Api": {"DefinitionBody": {}}}), &BTreeMap::new(), &JsonPath::root(), &mut problems);
        assert_eq!(problems.into_vec()[0].path.to_string(), "$.Api.DefinitionBody");
    }

    #[test]
    fn a_resource_may_ignore_all_of_it_or_some() {
        let section = json!({"Api": {"Name": "all", "Cors": "'*'"}});
        for (ignored, left, errors) in [
            (json!("*"), Value::Null, 0),
            (json!(["Name"]), json!({"Cors": "'*'"}), 0),
            (json!(["Auth"]), json!({"Name": "all", "Cors": "'*'"}), 1),
        ] {
            let ignored = BTreeMap::from([("Pets".to_owned(), ignored)]);
            let mut problems = Problems::default();
            let globals = Globals::read(&section, &ignored, &JsonPath::root(), &mut problems);
            let mut pets = api(Value::Null);
            globals.merge_into(&mut pets, &mut problems);
            assert_eq!((pets.properties, problems.into_vec().len()), (left, errors));
        }
    }
}
