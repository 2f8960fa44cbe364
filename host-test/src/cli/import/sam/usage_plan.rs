//! `UsagePlan` of `Auth`: a plan with a key for one API, or for all that share it. AWS: "AWS SAM API reference", `ApiUsagePlan`. AWS
//! makes up the value of the key.

use serde_json::{Map, Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::super::resource::Resource;
use super::Names;
use super::api::Api;
use super::properties::Properties;
use super::rest::resource;

/// The plan of all APIs that have `CreateUsagePlan: SHARED`.
#[derive(Debug, Default)]
pub struct Shared {
    stages: Vec<Value>,
    said: Map<String, Value>,
    path: JsonPath,
}

const OF_PLAN: [&str; 4] = ["UsagePlanName", "Description", "Quota", "Throttle"];

/// Reads what an API says of it.
pub fn of_api(
    auth: &mut Properties,
    api: &Api,
    stage: &str,
    shared: &mut Shared,
    names: &mut Names,
    problems: &mut Problems,
) -> Vec<Resource> {
    let Some(mut said) = auth.object("UsagePlan", problems) else { return Vec::new() };
    let kind_path = said.path("CreateUsagePlan");
    let kind = said.text("CreateUsagePlan", problems).unwrap_or_default();
    let root = said.root().clone();
    let mut plan = Map::new();
    said.pass(&OF_PLAN, &mut plan);
    said.skip(&["Tags"]);
    said.finish("`UsagePlan`", problems);
    let of_stage = json!({"ApiId": {"Ref": api.id}, "Stage": {"Ref": stage}});
    match kind.as_str() {
        "NONE" => Vec::new(),
        "PER_API" => {
            plan.insert("ApiStages".to_owned(), json!([of_stage]));
            made(&api.id, &[&api.id], plan, &root, names)
        }
        "SHARED" => {
            shared.stages.push(of_stage);
            // Each API makes the plan anew, and SAM keeps the last one.
            if !shared.said.is_empty() && shared.said != plan {
                let message = "SAM forgets what this says of the shared plan: the last API that shares it counts";
                problems.warning(&shared.path, message, Some("say it there"));
            }
            shared.said = plan;
            shared.path = root;
            Vec::new()
        }
        other => {
            let message = format!("`{other}` is no way to make a usage plan");
            problems.error(&kind_path, message, Some("write one of PER_API, SHARED, NONE"));
            Vec::new()
        }
    }
}

// === impl Shared ===

impl Shared {
    /// The plan, once all APIs are known.
    pub fn finish(mut self, apis: &[String], names: &mut Names) -> Vec<Resource> {
        if self.stages.is_empty() {
            return Vec::new();
        }
        self.said.insert("ApiStages".to_owned(), Value::Array(self.stages));
        let apis: Vec<&str> = apis.iter().map(String::as_str).collect();
        made("Serverless", &apis, self.said, &self.path, names)
    }
}

fn made(prefix: &str, apis: &[&str], plan: Map<String, Value>, path: &JsonPath, names: &mut Names) -> Vec<Resource> {
    let [plan_id, key, link] = ["UsagePlan", "ApiKey", "UsagePlanKey"].map(|suffix| format!("{prefix}{suffix}"));
    for api in apis {
        names.add(api, "UsagePlan", &plan_id);
        names.add(api, "ApiKey", &key);
        names.add(api, "UsagePlanKey", &link);
    }
    let of_link = json!({"KeyId": {"Ref": key}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": plan_id}});
    let places = plan.keys().map(|name| (name.clone(), path.key(name))).collect();
    vec![
        Resource { places, ..resource(&plan_id, "AWS::ApiGateway::UsagePlan", Value::Object(plan), path) },
        resource(&key, "AWS::ApiGateway::ApiKey", json!({"Enabled": true}), path),
        resource(&link, "AWS::ApiGateway::UsagePlanKey", of_link, path),
    ]
}
