//! `AWS::Serverless::Function` and `AWS::Serverless::StateMachine`: what is called, under the name that CloudFormation knows, and the
//! events that call it.

use serde_json::{Map, Value, json};
use tollgate::problem::Problems;

use super::super::resource::Resource;
use super::event::Event;
use super::properties::Properties;
use super::references::Names;
use super::rest::{places, resource};
use super::rest_event::Target;

/// What a function of Lambda has by the same name.
const OF_FUNCTION: [&str; 12] = [
    "FunctionName",
    "Description",
    "Handler",
    "Runtime",
    "Timeout",
    "MemorySize",
    "Environment",
    "PackageType",
    "ImageConfig",
    "Layers",
    "ReservedConcurrentExecutions",
    "Architectures",
];

/// A function, and the alias that its events call when SAM publishes one.
pub fn expand(
    function: Resource,
    names: &mut Names,
    routes: &mut Vec<(Event, Target)>,
    made: &mut Vec<Resource>,
    problems: &mut Problems,
) {
    let Resource { id, path, .. } = &function;
    let mut said = Properties::of(&function);
    let mut properties = Map::new();
    let mut places = places(&said, &OF_FUNCTION);
    said.pass(&OF_FUNCTION, &mut properties);
    if let Some(code) = said.take("CodeUri") {
        places.push(("Code".to_owned(), said.path("CodeUri")));
        properties.insert("Code".to_owned(), code);
    }
    if said.get("Role").is_none() {
        made.push(resource(&format!("{id}Role"), "AWS::IAM::Role", json!({}), path));
    }
    let alias_path = said.path("AutoPublishAlias");
    let alias = match said.take("AutoPublishAlias") {
        None => None,
        Some(Value::String(alias)) => Some(alias),
        Some(_) => {
            problems.error(&alias_path, "`AutoPublishAlias` has to be a name", None);
            None
        }
    };
    let events_path = said.path("Events");
    let events = said.take("Events").and_then(|events| events.as_object().cloned()).unwrap_or_default();
    let events = Event::all(&events, &events_path, problems);
    made.push(Resource { places, ..resource(id, "AWS::Lambda::Function", Value::Object(properties), path) });
    let arn = match alias {
        None => format!("${{{id}.Arn}}"),
        Some(alias) => {
            let (alias_id, version_id) = (format!("{id}Alias{alias}"), format!("{id}Version"));
            names.add(id, "Alias", &alias_id);
            names.add(id, "Version", &version_id);
            made.push(resource(&version_id, "AWS::Lambda::Version", json!({"FunctionName": {"Ref": id}}), path));
            let version = json!({"Fn::GetAtt": [version_id, "Version"]});
            let of_alias = json!({"Name": alias, "FunctionName": {"Ref": id}, "FunctionVersion": version});
            let places = vec![("Name".to_owned(), alias_path)];
            made.push(Resource { places, ..resource(&alias_id, "AWS::Lambda::Alias", of_alias, path) });
            // A reference to an alias is its ARN.
            format!("${{{alias_id}}}")
        }
    };
    routes.extend(events.into_iter().map(|event| (event, Target::Function(arn.clone()))));
}

/// A state machine, and a role for each event that starts it.
pub fn expand_state_machine(
    machine: Resource,
    routes: &mut Vec<(Event, Target)>,
    made: &mut Vec<Resource>,
    problems: &mut Problems,
) {
    let Resource { id, path, .. } = &machine;
    let mut said = Properties::of(&machine);
    let mut properties = Map::new();
    if let Some(name) = said.take("Name") {
        properties.insert("StateMachineName".to_owned(), name);
    }
    said.pass(&["Type"], &mut properties);
    if let Some(kind) = properties.remove("Type") {
        properties.insert("StateMachineType".to_owned(), kind);
    }
    if said.get("Role").is_none() {
        made.push(resource(&format!("{id}Role"), "AWS::IAM::Role", json!({}), path));
    }
    let places = vec![("StateMachineName".to_owned(), said.path("Name")), ("StateMachineType".to_owned(), said.path("Type"))];
    made.push(Resource { places, ..resource(id, "AWS::StepFunctions::StateMachine", Value::Object(properties), path) });
    let events_path = said.path("Events");
    let events = said.take("Events").and_then(|events| events.as_object().cloned()).unwrap_or_default();
    for event in Event::all(&events, &events_path, problems) {
        let role = format!("{id}{}Role", event.name);
        made.push(resource(&role, "AWS::IAM::Role", json!({}), &event.path));
        routes.push((event, Target::StateMachine { id: id.clone(), role }));
    }
}
