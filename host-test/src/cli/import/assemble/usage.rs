//! API keys and usage plans. AWS: `AWS::ApiGateway::ApiKey`, `AWS::ApiGateway::UsagePlan`, `AWS::ApiGateway::UsagePlanKey`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tollgate::definition::Node;
use tollgate::problem::{JsonPath, Problems};

use super::draft::{Draft, camel_case, plain};
use super::stack::{Stack, text};
use crate::cli::import::Settings;
use crate::cli::import::resource::Resource;

const KEY: &str = "AWS::ApiGateway::ApiKey";
const PLAN: &str = "AWS::ApiGateway::UsagePlan";
const MEMBERSHIP: &str = "AWS::ApiGateway::UsagePlanKey";

/// Writes `apiKeys` and `usagePlans`.
pub fn assemble(stack: &Stack, settings: &Settings, draft: &mut Draft, problems: &mut Problems) {
    let mut names: HashMap<String, String> = HashMap::new();
    for resource in stack.of_kind(KEY) {
        let mut name = text(resource, "Name").unwrap_or(&resource.id).to_owned();
        if names.values().any(|taken| *taken == name) {
            problems.warning(
                &resource.path,
                format!("another API key is named `{name}`: this one is `{}` here", resource.id),
                None,
            );
            name.clone_from(&resource.id);
        }
        names.insert(stack.identity(resource).to_owned(), name.clone());
        let made = JsonPath::root().key("apiKeys").index(draft.api_keys.len());
        draft.note(&made, &resource.path);
        if let Some(key) = key(resource, &name, stack, settings, problems) {
            draft.api_keys.push(key);
        }
    }
    let mut members: HashMap<String, Vec<Value>> = HashMap::new();
    for resource in stack.of_kind(MEMBERSHIP) {
        let key = stack.named_by(resource, "KeyId", KEY, problems).map(|key| stack.identity(key));
        let plan = stack.named_by(resource, "UsagePlanId", PLAN, problems).map(|plan| stack.identity(plan));
        if let (Some(key), Some(plan)) = (key.and_then(|key| names.get(key)), plan) {
            members.entry(plan.to_owned()).or_default().push(key.as_str().into());
        }
    }
    for resource in stack.of_kind(PLAN) {
        let made = JsonPath::root().key("usagePlans").index(draft.usage_plans.len());
        draft.note(&made, &resource.path.key("Properties"));
        let plan = plan(resource, members.remove(stack.identity(resource)).unwrap_or_default(), &made, stack, draft, problems);
        draft.usage_plans.push(plan);
    }
}

/// Of the key itself only its digest is written: a document is no place for secrets.
fn key(resource: &Resource, name: &str, stack: &Stack, settings: &Settings, problems: &mut Problems) -> Option<Value> {
    let given = settings.values.get(&format!("{}.Value", resource.id)).map(String::as_str);
    let Some(value) = given.or_else(|| text(resource, "Value")) else {
        let help = format!(
            "`aws apigateway get-api-keys --include-values` shows it: `--value {}.Value=…`; or invent one of 20 to 128 characters",
            resource.id
        );
        problems.error(&resource.path, format!("AWS makes the value of the API key `{}` up", resource.id), Some(&help));
        return None;
    };
    if !(20..=128).contains(&value.chars().count()) {
        problems.error(&resource.place("Value"), "the value of an API key has 20 to 128 characters", None);
    }
    let digest: String = Sha256::digest(value).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut key = Map::new();
    key.insert("name".to_owned(), name.into());
    key.insert("id".to_owned(), stack.identity(resource).into());
    key.insert("sha256".to_owned(), digest.into());
    match resource.get("Enabled") {
        Some(enabled) => {
            if enabled.boolean(problems) == Some(false) {
                key.insert("enabled".to_owned(), false.into());
            }
        }
        None => {
            // `CreateApiKey` makes keys that do not count unless it is told otherwise, as users of it found out.
            let message = format!("the API key `{}` is disabled: `Enabled` is not said", resource.id);
            problems.warning(&resource.path, message, Some("write `Enabled: true`"));
            key.insert("enabled".to_owned(), false.into());
        }
    }
    Some(Value::Object(key))
}

fn plan(
    resource: &Resource,
    keys: Vec<Value>,
    made: &JsonPath,
    stack: &Stack,
    draft: &mut Draft,
    problems: &mut Problems,
) -> Value {
    let mut plan = Map::new();
    plan.insert("usagePlanName".to_owned(), text(resource, "UsagePlanName").unwrap_or(&resource.id).into());
    if let Some(description) = text(resource, "Description") {
        plan.insert("description".to_owned(), description.into());
    }
    let stages = resource.get("ApiStages").map(|stages| stages.elements(problems)).unwrap_or_default();
    if !stages.is_empty() {
        let mut written = Vec::new();
        for node in stages {
            node.only(&["ApiId", "Stage", "Throttle"], problems);
            let mut stage = Map::new();
            let id = node.text_of("ApiId", problems).unwrap_or_default();
            if stack.find(super::REST, &id).is_none() {
                problems.error(&node.path.key("ApiId"), format!("`{id}` is no {} of the template", super::REST), None);
            }
            stage.insert("apiId".to_owned(), id.into());
            stage.insert("stage".to_owned(), node.text_of("Stage", problems).unwrap_or_default().into());
            if let Some(throttle) = node.get("Throttle") {
                let throttle = throttle
                    .members(problems)
                    .into_iter()
                    .map(|(method, limit)| (method.to_owned(), both_limits(&limit, problems)));
                let throttle = throttle.collect::<Map<_, _>>();
                stage.insert("throttle".to_owned(), throttle.into());
            }
            written.push(Value::Object(stage));
        }
        draft.note(&made.key("apiStages"), &resource.place("ApiStages"));
        plan.insert("apiStages".to_owned(), Value::Array(written));
    }
    for (from, to) in [("Throttle", "throttle"), ("Quota", "quota")] {
        if let Some(node) = resource.get(from) {
            draft.note(&made.key(to), &node.path);
            let value = if to == "throttle" { both_limits(&node, problems) } else { camel_case(node.value) };
            plan.insert(to.to_owned(), value);
        }
    }
    if !keys.is_empty() {
        plan.insert("keys".to_owned(), json!(keys));
    }
    Value::Object(plan)
}

/// Limits of a plan. AWS takes one of the two without the other, and does not say what the other is then.
fn both_limits(node: &Node<'_>, problems: &mut Problems) -> Value {
    const NAMES: [(&str, &str, &str); 2] = [("RateLimit", "BurstLimit", "burstLimit"), ("BurstLimit", "RateLimit", "rateLimit")];
    let mut limits = camel_case(node.value);
    for (said, missing, name) in NAMES {
        let Some(limit) = node.get(said).filter(|_| node.get(missing).is_none()) else { continue };
        // assumed(plan-half-throttle): the limit of a plan that is not said is as high as the other.
        let limit = plain(limit.value).as_f64().unwrap_or_default().ceil().max(1.0);
        let message = format!("no `{missing}` beside `{said}`: it is {limit} here");
        problems.warning(&node.path, message, Some("say both"));
        limits[name] = if missing == "BurstLimit" { json!(limit as u64) } else { json!(limit) };
    }
    limits
}
