//! What Terraform prints: the instances of resources in a state, or as a plan leaves them, and the configuration behind a plan.
//! Terraform: "JSON Output Format".

use std::collections::HashMap;

use serde_json::Value;
use tollgate::problem::{JsonPath, Problems};

use super::address::{self, Key, Step};

/// How to get what is read here.
const SHOW: &str = "`terraform show -json > state.json` prints the state, `terraform show -json PLAN > plan.json` a plan that \
                    `terraform plan -out PLAN` made; `tofu` does the same";

/// One instance of a resource or of a data source.
#[derive(Debug)]
pub struct Instance<'f> {
    /// `module.shop.aws_api_gateway_method.get["a"]`
    pub address: String,
    /// `aws_api_gateway_method`
    pub kind: &'f str,
    pub values: &'f Value,
    /// What is known only after apply, in the form of `values`: `true` where it is.
    pub unknown: Option<&'f Value>,
    /// The values before apply, unless the instance is replaced.
    pub prior: Option<&'f Value>,
    /// Where `values` stands.
    pub path: JsonPath,
    /// Which block of the configuration it comes from.
    pub origin: Origin<'f>,
}

/// Which block of which instance of a module.
#[derive(Debug, Clone)]
pub struct Origin<'f> {
    pub kind: &'f str,
    pub module: Vec<Step>,
    pub is_data: bool,
    pub name: &'f str,
    pub key: Option<Key>,
}

/// All of a file.
pub struct File<'f> {
    pub instances: Vec<Instance<'f>>,
    /// The configuration of a plan.
    pub configuration: Option<&'f Value>,
    /// The variables of the root module of a plan.
    pub variables: Option<&'f Value>,
    by_address: HashMap<String, usize>,
}

// === impl File ===

impl<'f> File<'f> {
    /// Reads a state or a plan.
    pub fn read(root: &'f Value, problems: &mut Problems) -> Option<Self> {
        let top = JsonPath::root();
        let Some(version) = root.get("format_version").and_then(Value::as_str) else {
            let message = if root.get("lineage").is_some() || root.get("terraform_version").is_some() {
                "this is a state as Terraform keeps it, not as `terraform show -json` prints it"
            } else {
                "this is not what `terraform show -json` prints: it has no `format_version`"
            };
            problems.error(&top, message, Some(SHOW));
            return None;
        };
        if !version.starts_with("1.") {
            let message = format!("the format `{version}` of Terraform's output is not read");
            problems.error(&top.key("format_version"), message, Some("formats 1.x are, which Terraform prints from 1.1 on"));
            return None;
        }
        if root.get("errored").and_then(Value::as_bool) == Some(true) {
            problems.warning(&top.key("errored"), "the plan ended in an error, so it is not complete", None);
        }
        let mut file = Self {
            instances: Vec::new(),
            configuration: root.get("configuration").and_then(|configuration| configuration.get("root_module")),
            variables: root.get("variables"),
            by_address: HashMap::new(),
        };
        let changes = changes(root);
        let state = |name: &str, holder: Option<&'f Value>| holder.and_then(|holder| holder.get(name)).and_then(root_module);
        let (module, path) = match root.get("planned_values") {
            Some(planned) => (root_module(planned), top.key("planned_values").key("root_module")),
            None => (state("values", Some(root)), top.key("values").key("root_module")),
        };
        if let Some(module) = module {
            file.add(module, &path, &changes);
        }
        // What data sources found stands in what was before.
        if let Some(module) = state("values", root.get("prior_state")) {
            let mut before = Self { instances: Vec::new(), configuration: None, variables: None, by_address: HashMap::new() };
            before.add(module, &top.key("prior_state").key("values").key("root_module"), &HashMap::new());
            for instance in before.instances {
                match file.by_address.get(&instance.address).and_then(|at| file.instances.get_mut(*at)) {
                    None if instance.origin.is_data => file.push(instance),
                    Some(planned) if !changes.get(planned.address.as_str()).is_some_and(|change| is_replaced(change)) => {
                        planned.prior = Some(instance.values);
                    }
                    _ => {}
                }
            }
        }
        Some(file)
    }

    /// The instance at an address.
    pub fn at(&self, address: &str) -> Option<&Instance<'f>> {
        self.by_address.get(address).and_then(|at| self.instances.get(*at))
    }

    /// The one of these kinds with an id.
    pub fn with_id(&self, kinds: &[&str], id: &str) -> Option<&Instance<'f>> {
        let has = |instance: &&Instance<'f>| {
            kinds.contains(&instance.kind) && !instance.origin.is_data && instance.text("id") == Some(id)
        };
        self.instances.iter().find(has)
    }

    /// All managed instances of these kinds.
    pub fn of_kinds<'s>(&'s self, kinds: &'s [&str]) -> impl Iterator<Item = &'s Instance<'f>> {
        self.instances.iter().filter(|instance| !instance.origin.is_data && kinds.contains(&instance.kind))
    }

    fn add(&mut self, module: &'f Value, path: &JsonPath, changes: &HashMap<&str, &'f Value>) {
        let module_address = module.get("address").and_then(Value::as_str).unwrap_or("");
        let resources = module.get("resources").and_then(Value::as_array).into_iter().flatten().enumerate();
        for (index, resource) in resources {
            // An instance that is replaced and was not destroyed yet.
            if resource.get("deposed_key").is_some() {
                continue;
            }
            let text = |name: &str| resource.get(name).and_then(Value::as_str);
            let (Some(address), Some(kind), Some(name)) = (text("address"), text("type"), text("name")) else { continue };
            let change = changes.get(address);
            self.push(Instance {
                address: address.to_owned(),
                kind,
                values: resource.get("values").unwrap_or(&Value::Null),
                unknown: change.and_then(|change| change.get("after_unknown")),
                prior: None,
                path: path.key("resources").index(index).key("values"),
                origin: Origin {
                    kind,
                    module: address::modules(module_address),
                    is_data: text("mode") == Some("data"),
                    name,
                    key: resource.get("index").and_then(Key::read),
                },
            });
        }
        let children = module.get("child_modules").and_then(Value::as_array).into_iter().flatten().enumerate();
        for (index, child) in children {
            self.add(child, &path.key("child_modules").index(index), changes);
        }
    }

    fn push(&mut self, instance: Instance<'f>) {
        self.by_address.insert(instance.address.clone(), self.instances.len());
        self.instances.push(instance);
    }
}

fn root_module(values: &Value) -> Option<&Value> {
    values.get("root_module")
}

/// `change` of every instance that a plan looks at, by address.
fn changes(root: &Value) -> HashMap<&str, &Value> {
    let changes = root.get("resource_changes").and_then(Value::as_array).into_iter().flatten();
    let current = changes.filter(|change| change.get("deposed").is_none());
    current.filter_map(|change| Some((change.get("address")?.as_str()?, change.get("change")?))).collect()
}

/// Whether what was known of an instance goes with it.
fn is_replaced(change: &Value) -> bool {
    let actions = change.get("actions").and_then(Value::as_array).into_iter().flatten();
    actions.filter_map(Value::as_str).any(|action| action == "delete")
}

// === impl Instance ===

impl<'f> Instance<'f> {
    /// A text that is known.
    pub fn text(&self, name: &str) -> Option<&'f str> {
        self.values.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}
