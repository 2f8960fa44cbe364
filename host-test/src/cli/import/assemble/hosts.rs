//! Domains for APIs that would be served at one place: in AWS each API has a domain of its own, here they share a listener.

use std::collections::HashMap;

use serde_json::{Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::draft::Draft;

/// Gives each stage that another API's would be in the way of its API's own domain, and a name that leads to this machine.
pub fn tell_apart(draft: &mut Draft, problems: &mut Problems) {
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, api) in draft.apis.iter().enumerate() {
        for stage in api["stages"].as_array().into_iter().flatten().filter(|stage| stage.get("hosts").is_none()) {
            let apis = places.entry(place(stage)).or_default();
            if !apis.contains(&index) {
                apis.push(index);
            }
        }
    }
    places.retain(|_, apis| apis.len() > 1);
    let mut told = Vec::new();
    for (index, api) in draft.apis.iter_mut().enumerate() {
        let text = |name: &str| api[name].as_str().unwrap_or_default().to_owned();
        let suffix = if text("region").starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let domain = format!("{}.execute-api.{}.{suffix}", text("apiId"), text("region"));
        // Browsers and curl take every name below `localhost` for this machine.
        let local = format!("{}.localhost", label(&text("name")));
        for stage in api["stages"].as_array_mut().into_iter().flatten().filter(|stage| stage.get("hosts").is_none()) {
            if places.contains_key(&place(stage)) {
                stage["hosts"] = json!([domain, local]);
                told.push((index, local.clone()));
            }
        }
    }
    told.dedup();
    for (index, local) in told {
        let path = draft.written_at(&JsonPath::root().key("apis").index(index));
        let message = format!("another API is served at the same path: this one has a domain of its own, `{local}`");
        problems.warning(&path, message, Some("`hosts` of its stages say at which domains it is served"));
    }
}

/// Where a stage is served that no domain is named for.
fn place(stage: &Value) -> String {
    match (stage["basePath"].as_str(), stage["stageName"].as_str()) {
        (Some(base_path), _) => base_path.trim_matches('/').to_owned(),
        (None, None | Some("$default")) => String::new(),
        (None, Some(name)) => name.to_owned(),
    }
}

/// A name as a part of a domain.
fn label(name: &str) -> String {
    let plain: String = name.to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    plain.trim_matches('-').to_owned()
}
