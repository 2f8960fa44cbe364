//! Kubernetes manifests, as far as they hold Envoy's configuration: what the patches of one file say is put together as if it were
//! Envoy's own. What the control plane adds is not there, so what is missing is no finding.
//!
//! Istio: <https://istio.io/latest/docs/reference/config/networking/envoy-filter/>. Envoy Gateway:
//! <https://gateway.envoyproxy.io/docs/api/extension_types/>.

use serde_json::{Map, Value, json};

use super::subject::Subject;
use super::value::{field, is_a, list, text};
use crate::cli::Failure;
use crate::cli::source::documents_of;

const MANAGER: &str = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

/// Marks a plugin that comes by a manifest of its own: that has no place for all that Envoy's configuration can say.
pub const MANIFEST: &str = "manifest";

/// The one listener that all patches are put into.
struct Put {
    listener: Map<String, Value>,
    manager: Map<String, Value>,
    filters: Vec<Value>,
    router: Value,
    routes: Vec<Value>,
    /// A route of the control plane, as far as patches change it.
    route: Map<String, Value>,
    removed: Vec<Value>,
}

/// Whether a document is a manifest.
pub fn is_manifest(document: &Value) -> bool {
    text(document, "apiVersion").is_some() && text(document, "kind").is_some()
}

/// Adds what manifests hold, or what of it cannot be read.
pub fn add(subject: &mut Subject, manifests: &[Value]) -> Result<(), Failure> {
    subject.in_kubernetes = true;
    let mut put = Put {
        listener: Map::new(),
        manager: Map::new(),
        filters: Vec::new(),
        router: json!({"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}),
        routes: Vec::new(),
        route: Map::new(),
        removed: Vec::new(),
    };
    let mut name = String::new();
    for manifest in manifests.iter().flat_map(flat) {
        let kind = text(manifest, "kind").unwrap_or_default();
        if matches!(kind, "EnvoyFilter" | "WasmPlugin" | "TrafficExtension" | "EnvoyExtensionPolicy" | "EnvoyPatchPolicy") {
            subject.partial = true;
            name = format!("{kind} {}", text(manifest, "metadata.name").unwrap_or_default());
        }
        match kind {
            "EnvoyFilter" => {
                list(manifest, "spec.configPatches").iter().for_each(|patch| put.envoy_filter(patch, subject));
            }
            "WasmPlugin" | "TrafficExtension" => put.wasm_plugin(manifest),
            "EnvoyExtensionPolicy" => list(manifest, "spec.wasm").iter().for_each(|wasm| put.extension_policy(wasm)),
            "ConfigMap" => {
                for (key, data) in manifest.get("data").and_then(Value::as_object).into_iter().flatten() {
                    // It may hold anything.
                    let Some(data) = data.as_str().filter(|data| data.contains("static_resources")) else { continue };
                    let name = format!("ConfigMap {}, {key}", text(manifest, "metadata.name").unwrap_or_default());
                    let found = documents_of(&name, data)?;
                    let bootstraps = found.into_iter().filter(|value| field(value, "static_resources").is_some());
                    bootstraps.for_each(|value| subject.add_bootstrap(value));
                }
            }
            _ => {}
        }
    }
    // What they patch is there by now.
    let policies = manifests.iter().flat_map(flat).filter(|manifest| text(manifest, "kind") == Some("EnvoyPatchPolicy"));
    for patch in policies.flat_map(|policy| list(policy, "spec.jsonPatches")) {
        put.json_patch(patch, subject);
    }
    if subject.partial {
        subject.listeners.push(put.into_listener(&name));
    }
    Ok(())
}

/// A `List` is what it holds.
fn flat(manifest: &Value) -> Vec<&Value> {
    match text(manifest, "kind") {
        Some("List") => list(manifest, "items").iter().collect(),
        _ => vec![manifest],
    }
}

fn merge(into: &mut Map<String, Value>, value: &Value) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match (into.get_mut(name), value) {
            (Some(Value::Object(known)), Value::Object(_)) => merge(known, value),
            _ => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

// === impl Put ===

impl Put {
    fn envoy_filter(&mut self, patch: &Value, subject: &mut Subject) {
        let Some(value) = field(patch, "patch").and_then(|patch| field(patch, "value")) else { return };
        match text(patch, "applyTo").unwrap_or_default() {
            "LISTENER" => merge(&mut self.listener, value),
            "NETWORK_FILTER" => {
                if let Some(config) = field(value, "typed_config").filter(|config| is_a(config, ".HttpConnectionManager")) {
                    merge(&mut self.manager, config);
                }
            }
            "HTTP_FILTER" if text(value, "name") == Some("envoy.filters.http.router") => self.router = value.clone(),
            "HTTP_FILTER" => self.filters.push(value.clone()),
            "EXTENSION_CONFIG" => subject.extensions.push(value.clone()),
            "HTTP_ROUTE" => self.routes.push(value.clone()),
            "VIRTUAL_HOST" | "ROUTE_CONFIGURATION" => {
                self.removed.extend(list(value, "request_headers_to_remove").iter().cloned());
                self.routes.extend(list(value, "routes").iter().cloned());
            }
            "CLUSTER" => subject.clusters.push(value.clone()),
            "BOOTSTRAP" => subject.bootstrap = Some(value.clone()),
            _ => {}
        }
    }

    /// Neither can say `allow_on_headers_stop_iteration` nor `FAIL_RELOAD`.
    fn wasm_plugin(&mut self, manifest: &Value) {
        let spec = field(manifest, "spec").cloned().unwrap_or_default();
        let spec = field(&spec, "wasm").cloned().unwrap_or(spec);
        let policy = match text(&spec, "failStrategy") {
            Some("FAIL_OPEN") => "FAIL_OPEN",
            Some("FAIL_RELOAD") => "FAIL_RELOAD",
            _ => "FAIL_CLOSED",
        };
        let name = text(manifest, "metadata.name").unwrap_or_default();
        self.plugin(name, policy, text(&spec, "url").unwrap_or_default(), field(&spec, "pluginConfig"));
    }

    fn extension_policy(&mut self, wasm: &Value) {
        let policy = if field(wasm, "failOpen") == Some(&Value::Bool(true)) { "FAIL_OPEN" } else { "FAIL_CLOSED" };
        let url = text(wasm, "code.http.url").or_else(|| text(wasm, "code.image.url")).unwrap_or_default();
        self.plugin(text(wasm, "name").unwrap_or_default(), policy, url, field(wasm, "config"));
    }

    fn plugin(&mut self, name: &str, policy: &str, url: &str, config: Option<&Value>) {
        let configuration = json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": config});
        let config = json!({
            "name": name,
            MANIFEST: true,
            "failure_policy": policy,
            "vm_config": {"code": {"remote": {"http_uri": {"uri": url}}}},
            "configuration": configuration,
        });
        // A patch brings the document where the policy does not.
        self.filters.push(json!({"name": name, "typed_config": {"@type": WASM, "config": config}}));
    }

    /// Where a patch leads: the steps of its JSONPath behind the last condition, and those of its path.
    fn json_patch(&mut self, patch: &Value, subject: &mut Subject) {
        let Some(operation) = field(patch, "operation") else { return };
        let Some(value) = field(operation, "value") else { return };
        let selected = text(operation, "jsonPath").unwrap_or_default();
        let below = selected.rsplit(']').next().unwrap_or_default().split('.');
        let path = text(operation, "path").unwrap_or_default().split('/');
        let steps: Vec<&str> = below.chain(path).filter(|step| !step.is_empty()).collect();
        match text(patch, "type").and_then(|name| name.rsplit('.').next()) {
            Some("Cluster") if steps.is_empty() => subject.clusters.push(value.clone()),
            Some("Listener") if selected.contains("http_filters[") && selected.contains("router") => {
                if let Value::Object(router) = &mut self.router {
                    set(router, &steps, value);
                }
            }
            Some("Listener") if selected.contains("http_filters[") => self.set_of_filter(&steps, value),
            Some("Listener") => self.listener_patch(&steps, value),
            Some("RouteConfiguration") if selected.contains("routes[") => set(&mut self.route, &steps, value),
            Some("RouteConfiguration") => match steps.as_slice() {
                [.., "request_headers_to_remove"] => self.removed.extend(value.as_array().into_iter().flatten().cloned()),
                [.., "routes"] => self.routes.extend(value.as_array().into_iter().flatten().cloned()),
                [.., "routes", _] => self.routes.push(value.clone()),
                _ => {}
            },
            _ => {}
        }
    }

    fn listener_patch(&mut self, steps: &[&str], value: &Value) {
        match steps.iter().position(|step| *step == "http_filters").map(|at| &steps[at + 1..]) {
            Some([_]) => self.filters.push(value.clone()),
            Some([_, rest @ ..]) => self.set_of_filter(rest, value),
            Some([]) => {}
            None => match steps.iter().position(|step| *step == "typed_config") {
                Some(at) => set(&mut self.manager, &steps[at + 1..], value),
                None if steps.iter().any(|step| step.contains("filter_chain")) => {}
                None => set(&mut self.listener, steps, value),
            },
        }
    }

    /// A setting of the filter that an EnvoyExtensionPolicy brings.
    fn set_of_filter(&mut self, steps: &[&str], value: &Value) {
        let is_wasm = |filter: &&mut Value| field(filter, "typed_config").is_some_and(|config| is_a(config, ".wasm.v3.Wasm"));
        if let Some(Value::Object(filter)) = self.filters.iter_mut().find(is_wasm) {
            set(filter, steps, value);
        }
    }

    fn into_listener(self, name: &str) -> Value {
        let Self { mut listener, mut manager, mut filters, router, mut routes, route, removed } = self;
        if !route.is_empty() {
            routes.push(route.into());
        }
        filters.push(router);
        manager.insert("@type".to_owned(), MANAGER.into());
        manager.insert("http_filters".to_owned(), filters.into());
        let host = json!({"name": "patches", "request_headers_to_remove": removed, "routes": routes});
        manager.insert("route_config".to_owned(), json!({"virtual_hosts": [host]}));
        listener.entry("name").or_insert_with(|| name.into());
        listener.insert("filter_chains".to_owned(), json!([{"filters": [{"name": "hcm", "typed_config": manager}]}]));
        listener.into()
    }
}

/// Puts a value where a path of JSON Patch leads.
fn set(into: &mut Map<String, Value>, steps: &[&str], value: &Value) {
    match steps {
        [] => merge(into, value),
        // As JSON Patch has it: what was there goes.
        [last] => {
            into.insert((*last).to_owned(), value.clone());
        }
        [first, rest @ ..] => {
            let next = into.entry(*first).or_insert_with(|| json!({}));
            if let Value::Object(next) = next {
                set(next, rest, value);
            }
        }
    }
}
