//! What the patches for Istio and Envoy Gateway make of a proxy's configuration, as a bootstrap that a real Envoy can judge. The
//! starting point is what the two generate for a plain listener; only what patches say is put in.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

const MANAGER: &str = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

fn address() -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": 0 } })
}

fn bootstrap(listeners: Vec<Value>, clusters: Vec<Value>) -> Value {
    json!({ "admin": { "address": address() }, "static_resources": { "listeners": listeners, "clusters": clusters } })
}

/// As few bootstraps as have the listeners and clusters of all: only where one name is two clusters there is another.
pub fn together(bootstraps: Vec<(String, Value)>) -> Vec<Value> {
    let mut groups: Vec<(Vec<Value>, BTreeMap<String, Value>)> = Vec::new();
    for (name, mut bootstrap) in bootstraps {
        let mut listener = bootstrap["static_resources"]["listeners"][0].take();
        listener["name"] = name.into();
        let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().expect("there are clusters").drain(..);
        let clusters: Vec<(String, Value)> =
            clusters.map(|cluster| (cluster["name"].as_str().expect("it has a name").to_owned(), cluster)).collect();
        let agrees = |(_, known): &(Vec<Value>, BTreeMap<String, Value>)| {
            clusters.iter().all(|(name, cluster)| known.get(name).is_none_or(|known| known == cluster))
        };
        let index = groups.iter().position(agrees).unwrap_or_else(|| {
            groups.push(Default::default());
            groups.len() - 1
        });
        groups[index].0.push(listener);
        groups[index].1.extend(clusters);
    }
    groups.into_iter().map(|(listeners, clusters)| bootstrap(listeners, clusters.into_values().collect())).collect()
}

/// The module of this machine in the place of one that has to be fetched.
fn with_module(typed_config: &mut Value, module: &Path) {
    let code = &mut typed_config["config"]["vm_config"]["code"];
    assert!(code.get("remote").is_some() || code.get("local").is_some(), "the filter has a module: {code}");
    *code = json!({ "local": { "filename": module } });
}

/// As protobuf merges: messages by their fields, lists one behind the other, everything else is replaced.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(from)) => into.extend(from.iter().cloned()),
        (into, from) => *into = from.clone(),
    }
}

// --- Istio ------------------------------------------------------------------------------------------------------------------

/// All patches of an EnvoyFilter applied to a gateway's listener.
pub fn of_istio(filter: &Value, module: &Path) -> Value {
    let mut listener = json!({ "name": "0.0.0.0_8080", "address": address(), "filter_chains": [{ "filters": [{
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": MANAGER,
            "stat_prefix": "outbound_0.0.0.0_8080",
            "use_remote_address": true,
            "normalize_path": true,
            "http_filters": [{ "name": "envoy.filters.http.router", "typed_config": { "@type": ROUTER } }],
            "route_config": { "name": "http.8080", "virtual_hosts": [
                { "name": "*:8080", "domains": ["*"], "routes": [{ "match": { "prefix": "/" }, "direct_response": { "status": 503 } }] },
            ] },
        },
    }] }] });
    let (mut clusters, mut extensions) = (Vec::new(), Vec::new());
    let patches = filter["spec"]["configPatches"].as_array().expect("it has patches");
    for patch in patches {
        let (value, operation) = (&patch["patch"]["value"], patch["patch"]["operation"].as_str().expect("it has an operation"));
        let manager = &mut listener["filter_chains"][0]["filters"][0];
        match (patch["applyTo"].as_str().expect("it has a target"), operation) {
            ("LISTENER", "MERGE") => merge(&mut listener, value),
            ("NETWORK_FILTER", "MERGE") => merge(manager, value),
            ("HTTP_FILTER", "MERGE") => {
                let filters = manager["typed_config"]["http_filters"].as_array_mut().expect("there are filters");
                let named = filters.iter_mut().find(|filter| filter["name"] == value["name"]);
                merge(named.expect("the filter is there"), value);
            }
            ("HTTP_FILTER", "INSERT_BEFORE") => {
                let filters = manager["typed_config"]["http_filters"].as_array_mut().expect("there are filters");
                filters.insert(filters.len() - 1, value.clone());
            }
            ("HTTP_ROUTE", "INSERT_FIRST") => {
                let routes = manager["typed_config"]["route_config"]["virtual_hosts"][0]["routes"].as_array_mut();
                routes.expect("there are routes").insert(0, value.clone());
            }
            ("CLUSTER", "MERGE") => {
                let name = &patch["match"]["cluster"]["name"];
                let mut cluster = json!({ "name": name, "type": "STRICT_DNS", "load_assignment": { "cluster_name": name } });
                merge(&mut cluster, value);
                clusters.push(cluster);
            }
            ("EXTENSION_CONFIG", "ADD") => extensions.push(value.clone()),
            other => panic!("nobody knows {other:?}"),
        }
    }
    // What Istio's discovery and its agent do with a module.
    let filters = &mut listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"];
    for filter in filters.as_array_mut().expect("there are filters") {
        if filter.get("config_discovery").is_some() {
            let extension = extensions.iter().find(|extension| extension["name"] == filter["name"]).expect("it is there");
            *filter = extension.clone();
            with_module(&mut filter["typed_config"], module);
        }
    }
    bootstrap(vec![listener], clusters)
}

// --- Envoy Gateway ----------------------------------------------------------------------------------------------------------

/// All patches of an EnvoyPatchPolicy applied to what Envoy Gateway makes of the other resources.
pub fn of_envoy_gateway(resources: &[Value], names: [&str; 2], module: &Path) -> Value {
    let of_kind = |kind: &str| resources.iter().find(|resource| resource["kind"] == kind).expect("it is there");
    let policy = of_kind("EnvoyPatchPolicy");
    let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
    let (namespace, name) = (text(&policy["metadata"]["namespace"]), text(&policy["metadata"]["name"]));
    let filter = format!("envoy.filters.http.wasm/envoyextensionpolicy/{namespace}/{name}/wasm/0");
    let source = &of_kind("EnvoyExtensionPolicy")["spec"]["wasm"][0]["code"];
    assert!(source["image"]["url"].is_string() || source["http"]["url"].is_string(), "the policy names a module: {source}");
    let mut listener = json!({
        "name": names[0], "address": address(), "per_connection_buffer_limit_bytes": 32768,
        "default_filter_chain": { "name": names[0], "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": MANAGER,
                "stat_prefix": "http-10080",
                "use_remote_address": true,
                "normalize_path": true,
                "merge_slashes": true,
                "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT",
                "server_header_transformation": "PASS_THROUGH",
                "common_http_protocol_options": { "headers_with_underscores_action": "REJECT_REQUEST" },
                "http2_protocol_options": { "max_concurrent_streams": 100 },
                "http_filters": [
                    { "name": filter, "disabled": true, "typed_config": { "@type": WASM, "config": {
                        "name": name, "configuration": { "@type": "type.googleapis.com/google.protobuf.StringValue", "value": "" },
                        "vm_config": { "vm_id": filter, "runtime": "envoy.wasm.runtime.v8", "code": { "local": { "filename": module } } },
                    } } },
                    { "name": "envoy.filters.http.router", "typed_config": { "@type": ROUTER, "suppress_envoy_headers": true } },
                ],
            },
        }] },
    });
    let mut routes = json!({ "name": names[1], "ignore_port_in_host_matching": true, "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [{
        "name": format!("httproute/{namespace}/{name}/rule/0/match/0/*"),
        "match": { "prefix": "/" },
        "route": { "cluster": format!("httproute/{namespace}/{name}/rule/0"), "upgrade_configs": [{ "upgrade_type": "websocket" }] },
        "typed_per_filter_config": { filter: { "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {} } },
    }] }] });
    let mut clusters = Vec::new();
    for patch in policy["spec"]["jsonPatches"].as_array().expect("it has patches") {
        let (kind, operation) = (text(&patch["type"]), &patch["operation"]);
        assert_eq!(operation["op"], "add");
        match kind.rsplit('.').next() {
            Some("Cluster") => {
                assert_eq!((&operation["path"], &patch["name"]), (&json!(""), &operation["value"]["name"]));
                clusters.push(operation["value"].clone());
            }
            Some("Listener") => add(&mut listener, names[0], patch),
            Some("RouteConfiguration") => add(&mut routes, names[1], patch),
            other => panic!("nobody knows {other:?}"),
        }
    }
    listener["default_filter_chain"]["filters"][0]["typed_config"]["route_config"] = routes;
    bootstrap(vec![listener], clusters)
}

/// The patch whose place is a JSON pointer, or the one element of a list that a JSONPath finds by its name.
fn add(resource: &mut Value, name: &str, patch: &Value) {
    assert_eq!(patch["name"], name);
    let operation = &patch["operation"];
    let path = operation["path"].as_str().expect("it has a path");
    let Some(found) = operation.get("jsonPath").map(|expression| expression.as_str().expect("it is a text")) else {
        let (parent, key) = path.rsplit_once('/').expect("a pointer has a slash");
        let parent = resource.pointer_mut(parent).unwrap_or_else(|| panic!("there is no {parent}"));
        parent[key] = operation["value"].clone();
        return;
    };
    let (list, rest) = found.strip_prefix("..").and_then(|rest| rest.split_once("[?(@.name=")).expect("a search by name");
    let (wanted, rest) = rest.split_once(")]").expect("it ends");
    let matches = |name: &str| match wanted.strip_prefix('~') {
        Some(pattern) => name.starts_with(pattern.trim_matches('\'').strip_prefix('^').expect("it is anchored")),
        None => name == wanted.strip_prefix('=').expect("it is a comparison").trim_matches('\''),
    };
    let mut hits = Vec::new();
    search(resource, list, &mut |element| {
        if element["name"].as_str().is_some_and(&matches) {
            let mut place = element;
            for key in rest.split('.').filter(|key| !key.is_empty()) {
                place = &mut place[key];
            }
            place[path] = operation["value"].clone();
            hits.push(());
        }
    });
    assert_eq!(hits.len(), 1, "`{found}` finds one element");
}

fn search(value: &mut Value, list: &str, visit: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::Array(items) if key == list => items.iter_mut().for_each(&mut *visit),
                    _ => {}
                }
                search(value, list, visit);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| search(item, list, visit)),
        _ => {}
    }
}
