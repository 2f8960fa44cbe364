//! `ResourcePolicy`: who may call a REST API, in SAM's short words. AWS: "AWS SAM API reference", `ResourcePolicyStatement`.

use serde_json::{Map, Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::definition::{ANY, Definition, is_method, object};
use super::properties::Properties;

const POLICY: &str = "x-amazon-apigateway-policy";

/// Writes the statements for each of the paths into the definition.
pub fn add(said: &Value, path: &JsonPath, definition: &mut Definition, routes: &[String], stage: &Value, problems: &mut Problems) {
    let Some(mut said) = Properties::of_object(said.clone(), path, problems) else { return };
    let lists = Lists::read(&mut said, problems);
    let custom = said.take("CustomStatements");
    said.finish_unread("`ResourcePolicy`", problems);
    for route in routes {
        let resources = resources(definition, route, stage);
        lists.write(definition, &Value::Array(resources));
    }
    definition.came_from(&[POLICY], path);
    if let Some(custom) = custom {
        append(definition, items(custom));
    }
}

/// What `ResourcePolicy` says of accounts, addresses and networks.
#[derive(Debug, Default)]
struct Lists {
    accounts: [Option<Vec<Value>>; 2],
    addresses: [Option<Vec<Value>>; 2],
    networks: [Map<String, Value>; 2],
}

// === impl Lists ===

impl Lists {
    fn read(said: &mut Properties, problems: &mut Problems) -> Self {
        let mut lists = Self::default();
        for (index, list) in ["Whitelist", "Blacklist"].into_iter().enumerate() {
            lists.accounts[index] = said.take(&format!("AwsAccount{list}")).map(items);
            lists.addresses[index] = said.take(&format!("IpRange{list}")).map(items);
            let (mut vpcs, mut endpoints) = (Vec::new(), Vec::new());
            let name = format!("SourceVpc{list}");
            let place = said.path(&name);
            for (at, value) in said.take(&name).map(items).unwrap_or_default().into_iter().enumerate() {
                match value.as_str() {
                    Some(text) if text.starts_with("vpce-") => endpoints.push(value),
                    Some(text) if text.starts_with("vpc-") => vpcs.push(value),
                    _ => problems.error(&place.index(at), "this is neither `vpc-…` nor `vpce-…`", None),
                }
            }
            vpcs.extend(said.take(&format!("IntrinsicVpc{list}")).map(items).unwrap_or_default());
            endpoints.extend(said.take(&format!("IntrinsicVpce{list}")).map(items).unwrap_or_default());
            for (key, values) in [("aws:SourceVpc", vpcs), ("aws:SourceVpce", endpoints)] {
                if !values.is_empty() {
                    lists.networks[index].insert(key.to_owned(), Value::Array(values));
                }
            }
        }
        lists
    }

    fn write(&self, definition: &mut Definition, resources: &Value) {
        for (accounts, effect) in self.accounts.iter().zip(["Allow", "Deny"]) {
            if let Some(accounts) = accounts.as_ref().filter(|accounts| !accounts.is_empty()) {
                let who = json!({"AWS": accounts});
                let statement = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resources, "Principal": who});
                append(definition, vec![statement]);
            }
        }
        // Everybody is let in, and whoever comes from elsewhere is sent away.
        let addresses = self.addresses.iter().zip(["NotIpAddress", "IpAddress"]);
        for (addresses, operator) in addresses {
            if let Some(addresses) = addresses.as_ref().filter(|addresses| !addresses.is_empty()) {
                append_once(definition, resources, json!({operator: {"aws:SourceIp": addresses}}));
            }
        }
        let networks = self.networks.iter().zip(["StringNotEquals", "StringEquals"]);
        for (networks, operator) in networks.rev() {
            if !networks.is_empty() {
                append_once(definition, resources, json!({operator: networks}));
            }
        }
    }
}

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        one => vec![one],
    }
}

/// Allows all, and denies those of a condition.
fn append_once(definition: &mut Definition, resources: &Value, condition: Value) {
    let allow = json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources, "Principal": "*"});
    let mut deny = allow.clone();
    if let Some(deny) = deny.as_object_mut() {
        deny.insert("Effect".to_owned(), json!("Deny"));
        deny.insert("Condition".to_owned(), condition);
    }
    append(definition, vec![allow, deny]);
}

/// Adds statements, each of them once.
fn append(definition: &mut Definition, statements: Vec<Value>) {
    let policy = object(&mut definition.root, POLICY);
    policy.entry("Version").or_insert_with(|| json!("2012-10-17"));
    let known = policy.remove("Statement").map(items).unwrap_or_default();
    let mut all = known;
    for statement in statements {
        if !all.contains(&statement) {
            all.push(statement);
        }
    }
    policy.insert("Statement".to_owned(), Value::Array(all));
}

/// The methods of a path, as `execute-api` calls them.
fn resources(definition: &mut Definition, route: &str, stage: &Value) -> Vec<Value> {
    let pattern = starred(route);
    let item = object(definition.paths(), route);
    let methods = item.keys().filter(|key| is_method(key)).map(|key| match key.as_str() {
        ANY => "*".to_owned(),
        key => key.to_uppercase(),
    });
    let resource = |method: String| match stage {
        Value::String(stage) => json!(format!("execute-api:/{stage}/{method}{pattern}")),
        stage => json!({"Fn::Join": ["", ["execute-api:/", stage, format!("/{method}{pattern}")]]}),
    };
    methods.map(resource).collect()
}

/// `/pets/{id}` is `/pets/*`.
fn starred(route: &str) -> String {
    let mut made = String::new();
    let mut rest = route;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, behind)) = after.split_once('}') else { break };
        made.push_str(before);
        made.push('*');
        rest = behind;
    }
    made + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(said: Value) -> (Value, Vec<String>) {
        let mut problems = Problems::default();
        let value =
            json!({"swagger": "2.0", "paths": {"/pets/{id}": {"get": {}, "x-amazon-apigateway-any-method": {}, "parameters": []}}});
        let mut definition = Definition::of(value, &JsonPath::root(), &mut problems).unwrap();
        add(&said, &JsonPath::root(), &mut definition, &["/pets/{id}".to_owned()], &json!("Prod"), &mut problems);
        let policy = definition.root.get(POLICY).cloned().unwrap_or_default();
        (policy, problems.into_vec().into_iter().map(|problem| problem.to_string()).collect())
    }

    #[test]
    fn everybody_is_let_in_but_who_comes_from_elsewhere() {
        let (policy, _) = written(json!({"IpRangeWhitelist": ["10.0.0.0/8"]}));
        let resources = json!(["execute-api:/Prod/GET/pets/*", "execute-api:/Prod/*/pets/*"]);
        assert_eq!(
            policy["Statement"],
            json!([
                {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources, "Principal": "*"},
                {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": resources, "Principal": "*",
                 "Condition": {"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}},
            ])
        );
    }

    #[test]
    fn custom_statements_are_taken_as_they_are() {
        let statement = json!({"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"});
        let (policy, _) = written(json!({"CustomStatements": statement}));
        assert_eq!(policy["Statement"], json!([statement]));
    }

    #[test]
    fn what_is_neither_network_nor_endpoint_is_refused() {
        let (_, problems) = written(json!({"SourceVpcWhitelist": ["subnet-1"], "Adresses": []}));
        assert!(problems[0].starts_with("$.SourceVpcWhitelist[0]: "), "{}", problems[0]);
        assert!(problems[1].starts_with("$.Adresses: "), "{}", problems[1]);
    }
}
