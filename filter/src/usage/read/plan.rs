//! `usagePlans` of the gateway document, one plan after the other.
//!
//! AWS: `UsagePlan` and `ApiStage` of the API Gateway reference, `AWS::ApiGateway::UsagePlan`.

use super::keys::Keys;
use super::{few, quota, rates};
use crate::definition::{ApiDocument, Node, Protocol};
use crate::problem::{JsonPath, Problems};
use crate::usage::methods::name_in_plan;
use crate::usage::plan::stage_name;
use crate::usage::{Plan, PlanStage, Table, Throttle};

/// A plan, and what of it can be seen only beside other parts of the document.
#[derive(Debug)]
pub struct Draft {
    pub plan: Plan,
    /// Its keys, each once, and where they are said.
    pub keys: Vec<(usize, JsonPath)>,
    /// Where all keys are said.
    pub keys_path: JsonPath,
    /// Methods that have a throttle of their own.
    pub methods: Vec<NamedMethod>,
}

/// A method that a plan names.
#[derive(Debug)]
pub struct NamedMethod {
    pub api: String,
    /// As it is written.
    pub text: String,
    pub path: JsonPath,
}

/// The APIs of the document, by what plans call them.
pub struct Apis<'d>(pub &'d [ApiDocument<'d>]);

const KNOWN: [&str; 6] = ["usagePlanName", "description", "apiStages", "throttle", "quota", "keys"];

// === impl Draft ===

impl Draft {
    /// Reads a plan; none when it has no name.
    pub fn read(node: &Node<'_>, apis: &Apis<'_>, keys: &Keys, is_shared: bool, problems: &mut Problems) -> Option<Self> {
        node.only(&KNOWN, problems);
        if let Some(description) = node.get("description") {
            description.text(problems);
        }
        let name = node.required_text("usagePlanName", problems);
        let throttle = node.get("throttle").and_then(|throttle| rates::read_both(&throttle, problems));
        let quota = node.get("quota").and_then(|quota| quota::read(&quota, is_shared, problems));
        let mut methods = Vec::new();
        let stages = read_stages(node, apis, &mut methods, problems);
        let keys = read_keys(node, keys, problems);
        let plan = Plan { name: name?, throttle, quota, stages };
        if plan.stages.entries().is_empty()
            && node.get("apiStages").is_none_or(|stages| stages.value.as_array().is_some_and(Vec::is_empty))
        {
            let message = format!("usage plan `{}` has no `apiStages`: its keys let nobody in", plan.name);
            problems.warning(&node.path, message, None);
        }
        // A plan without keys is silent: it opens nothing, and a stage that nobody can call because of it is told at the stage.
        Some(Self { plan, keys, keys_path: node.path.key("keys"), methods })
    }
}

fn read_stages(node: &Node<'_>, apis: &Apis<'_>, methods: &mut Vec<NamedMethod>, problems: &mut Problems) -> Table<PlanStage> {
    let mut stages = Table::default();
    for node in node.get("apiStages").map(|list| list.elements(problems)).unwrap_or_default() {
        node.only(&["api", "apiId", "stage", "throttle"], problems);
        let api = apis.read(&node, problems);
        let stage = node.required_text("stage", problems);
        let (Some(api), Some(stage)) = (api, stage) else { continue };
        if !api.stages.iter().any(|known| known.name == stage) {
            let names: Vec<&str> = api.stages.iter().map(|stage| stage.name.as_str()).collect();
            let help = format!("it has {}", few(&names));
            let message = format!("API `{}` has no stage `{stage}`", api.name);
            problems.error(&node.path.key("stage"), message, Some(&help));
            continue;
        }
        let name = stage_name(&api.name, &stage);
        if stages.get(&name).is_some() {
            let message = format!("stage `{stage}` of `{}` is in this plan already", api.name);
            problems.error(&node.path, message, Some("put what both say of it together"));
            continue;
        }
        let throttles = read_methods(&node, api, methods, problems);
        stages.insert(name, PlanStage { api: api.name.clone(), stage, methods: throttles });
    }
    stages
}

/// Throttles of single methods. Whether the API has them is seen once its definition is read.
fn read_methods(node: &Node<'_>, api: &ApiDocument<'_>, named: &mut Vec<NamedMethod>, problems: &mut Problems) -> Table<Throttle> {
    let mut throttles = Table::default();
    let mut names = Table::default();
    for (text, node) in node.get("throttle").map(|throttle| throttle.members(problems)).unwrap_or_default() {
        let name = name_in_plan(text);
        if !names.insert(&name, ()) {
            problems.error(&node.path, format!("`{text}` names a method that has a throttle already"), None);
            continue;
        }
        named.push(NamedMethod { api: api.name.clone(), text: text.to_owned(), path: node.path.clone() });
        if let Some(throttle) = rates::read_both(&node, problems) {
            throttles.insert(name, throttle);
        }
    }
    throttles
}

fn read_keys(node: &Node<'_>, keys: &Keys, problems: &mut Problems) -> Vec<(usize, JsonPath)> {
    let mut read = Vec::new();
    let mut seen = Table::default();
    for node in node.get("keys").map(|list| list.elements(problems)).unwrap_or_default() {
        let Some(name) = node.text(problems) else { continue };
        match keys.find(&name) {
            // Without the text: whoever takes a name for a value has written a secret here.
            None => {
                let help = "a plan has keys by their names, never by their values; name it under `apiKeys`";
                problems.error(&node.path, "no API key is named so", Some(help));
            }
            _ if seen.get(&name).is_some() => problems.error(&node.path, format!("key `{name}` is on this plan already"), None),
            // Something is wrong with the key itself, and told there.
            Some(None) => {}
            Some(Some(key)) => read.push((key, node.path.clone())),
        }
        seen.insert(&name, ());
    }
    read
}

// === impl Apis ===

impl<'d> Apis<'d> {
    /// The API that an element of `apiStages` names.
    fn read(&self, node: &Node<'_>, problems: &mut Problems) -> Option<&'d ApiDocument<'d>> {
        let said = match (node.get("api"), node.get("apiId")) {
            (Some(_), Some(id)) => {
                problems.error(&id.path, "`api` and `apiId` both name the API", Some("keep one"));
                return None;
            }
            (None, None) => {
                problems.error(&node.path, "no `api`", Some("the name of an API of this document, or its `apiId`"));
                return None;
            }
            (Some(said), None) | (None, Some(said)) => said,
        };
        let text = said.text(problems)?;
        let named = self.0.iter().find(|api| api.name == text);
        let mut with_id = self.0.iter().filter(|api| api.api_id == text);
        let api = match (named.or_else(|| with_id.next()), with_id.next()) {
            (Some(api), None) => api,
            (Some(api), Some(_)) if named.is_some() => api,
            (Some(_), Some(_)) => {
                problems.error(&said.path, format!("several APIs have the id `{text}`"), Some("name it by its `name`"));
                return None;
            }
            (None, _) => {
                let names: Vec<&str> = self.0.iter().map(|api| api.name.as_str()).collect();
                let help = format!("there is {}", few(&names));
                problems.error(&said.path, format!("no API is named `{text}`, and none has that `apiId`"), Some(&help));
                return None;
            }
        };
        if api.protocol == Protocol::Http {
            let help = "`throttle`, `defaultRouteSettings` and `routeSettings` of its stages limit all callers together";
            problems.error(&said.path, format!("HTTP APIs have no usage plans (API `{}`)", api.name), Some(help));
            return None;
        }
        Some(api)
    }
}
