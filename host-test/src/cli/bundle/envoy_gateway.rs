//! Manifests for Envoy Gateway: a route that leads nowhere by itself, the filter on it, and patches of the xDS that Envoy Gateway
//! makes of both.
//!
//! An EnvoyExtensionPolicy brings the module. It can neither let the filter hold requests nor name a route's cluster by a header, nor
//! keep the order of the document, so an EnvoyPatchPolicy always goes with it. Where patches are not enabled (`extensionApis.enableEnvoyPatchPolicy`) requests end at
//! the route's own backend, which is nowhere.

use serde_json::{Value, json};

use super::access_log;
use super::kubernetes::{Module, resource};
use super::plan::{Plan, configuration};
use super::template::{ClusterSettings, Template};

const LISTENER: &str = "type.googleapis.com/envoy.config.listener.v3.Listener";
const ROUTES: &str = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
const CLUSTER: &str = "type.googleapis.com/envoy.config.cluster.v3.Cluster";

const GATEWAY_API: &str = "gateway.networking.k8s.io";
const OWN_API: &str = "gateway.envoyproxy.io";

/// Where the HTTP connection manager of a plain listener is.
const MANAGER: &str = "/default_filter_chain/filters/0/typed_config";

/// What of the template's HTTP connection manager is said to Envoy Gateway's; the rest it has already.
const SETTINGS: [&str; 11] = [
    "generate_request_id",
    "server_header_transformation",
    "normalize_path",
    "merge_slashes",
    "path_with_escaped_slashes_action",
    "request_headers_timeout",
    "request_timeout",
    "max_request_headers_kb",
    "common_http_protocol_options",
    "http2_protocol_options",
    "local_reply_config",
];

/// What the command line says of it.
pub struct Settings<'a> {
    /// Of all resources.
    pub name: &'a str,
    /// Of the Gateway and of all resources.
    pub namespace: &'a str,
    /// The Gateway.
    pub gateway: &'a str,
    /// Its listener.
    pub listener: Listener,
    /// Where the module is.
    pub module: Module,
    /// Of the certificates.
    pub ca_file: &'a str,
    /// Without white space.
    pub is_minified: bool,
}

/// How Envoy Gateway names what it makes of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listener {
    /// `NAMESPACE/GATEWAY/LISTENER`
    Named(String),
    /// By its port: the runtime flag XDSNameSchemeV2.
    Port(u16),
}

/// The manifests, in the order in which they should be applied.
pub fn manifests(template: &Template, plan: &Plan, settings: &Settings<'_>) -> Vec<Value> {
    let Settings { name, namespace, gateway, .. } = settings;
    let gateway_ref = json!({ "group": GATEWAY_API, "kind": "Gateway", "name": gateway });
    let mut parent = gateway_ref.clone();
    if let Listener::Named(listener) = &settings.listener {
        parent["sectionName"] = listener.as_str().into();
    }
    // RFC 2606: no such host will ever be there.
    let nowhere = json!({ "endpoints": [{ "fqdn": { "hostname": "tollgate.invalid", "port": 80 } }] });
    let route = json!({
        "parentRefs": [parent],
        "rules": [{
            "matches": [{ "path": { "type": "PathPrefix", "value": "/" } }],
            "backendRefs": [{ "group": OWN_API, "kind": "Backend", "name": name }],
        }],
    });
    let patches = [
        listener_patches(template, plan, settings),
        route_patches(template, plan, settings),
        cluster_patches(template, plan, settings),
    ];
    let patch = json!({ "targetRef": gateway_ref, "type": "JSONPatch", "jsonPatches": patches.concat() });
    let version = format!("{OWN_API}/v1alpha1");
    vec![
        resource(&version, "Backend", namespace, name, nowhere),
        resource(&format!("{GATEWAY_API}/v1"), "HTTPRoute", namespace, name, route),
        resource(&version, "EnvoyExtensionPolicy", namespace, name, extension(settings)),
        resource(&version, "EnvoyPatchPolicy", namespace, name, patch),
    ]
}

/// What is chosen, for the head of the file and the user.
pub fn words() -> Vec<String> {
    [
        "The module comes by an EnvoyExtensionPolicy. That it may hold requests, which clusters there are and that a header names",
        "them is Envoy's own configuration: an EnvoyPatchPolicy, which has to be enabled in the configuration of Envoy Gateway:",
        "  extensionApis: { enableEnvoyPatchPolicy: true, enableBackend: true }",
        "Without it every request is refused.",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn extension(settings: &Settings<'_>) -> Value {
    let Module { url, sha256 } = &settings.module;
    let (kind, member, url) = match url.strip_prefix("oci://") {
        Some(image) => ("Image", "image", image),
        None => ("HTTP", "http", url.as_str()),
    };
    let mut source = json!({ "url": url });
    if let Some(sha256) = sha256 {
        source["sha256"] = sha256.as_str().into();
    }
    json!({
        "targetRefs": [{ "group": GATEWAY_API, "kind": "HTTPRoute", "name": settings.name }],
        "wasm": [{
            "name": settings.name,
            "rootID": "",
            "failOpen": false,
            "code": { "type": kind, member: source },
        }],
    })
}

// --- patches ----------------------------------------------------------------------------------------------------------------

fn patch(kind: &str, name: &str, operation: Value) -> Value {
    json!({ "type": kind, "name": name, "operation": operation })
}

fn listener_patches(template: &Template, plan: &Plan, settings: &Settings<'_>) -> Vec<Value> {
    let name = match &settings.listener {
        Listener::Named(listener) => format!("{}/{}/{listener}", settings.namespace, settings.gateway),
        Listener::Port(port) => format!("tcp-{port}"),
    };
    let add = |path: String, value: Value| patch(LISTENER, &name, json!({ "op": "add", "path": path, "value": value }));
    let limit = &template.listener()["per_connection_buffer_limit_bytes"];
    let mut patches = vec![add("/per_connection_buffer_limit_bytes".to_owned(), limit.clone())];
    let manager = template.manager();
    patches.extend(SETTINGS.iter().map(|key| add(format!("{MANAGER}/{key}"), manager[*key].clone())));
    patches.push(add(format!("{MANAGER}/stream_idle_timeout"), plan.stream_idle_timeout().into()));
    if plan.has_access_log {
        patches.push(add(format!("{MANAGER}/access_log"), access_log::loggers(&manager["access_log"][0], true, None)));
    }
    let plugin = &template.filter()["typed_config"]["config"];
    let filter = format!("..http_filters[?(@.name=='{}')].typed_config.config", filter_name(settings));
    let mut set = |key: &str, value: Value| {
        let operation = json!({ "op": "add", "jsonPath": filter, "path": key, "value": value });
        patches.push(patch(LISTENER, &name, operation));
    };
    for key in ["allow_on_headers_stop_iteration", "failure_policy", "reload_config"] {
        set(key, plugin[key].clone());
    }
    // As text: Kubernetes keeps no order of members, and selection patterns are tried in theirs.
    set("configuration", configuration(&plan.document, settings.is_minified));
    patches
}

/// As Envoy Gateway names the first wasm filter of a policy.
fn filter_name(settings: &Settings<'_>) -> String {
    format!("envoy.filters.http.wasm/envoyextensionpolicy/{}/{}/wasm/0", settings.namespace, settings.name)
}

/// The route keeps its match and its filter, and leads to where the filter says.
fn route_patches(template: &Template, plan: &Plan, settings: &Settings<'_>) -> Vec<Value> {
    let name = match &settings.listener {
        Listener::Named(listener) => format!("{}/{}/{listener}", settings.namespace, settings.gateway),
        Listener::Port(port) => format!("http-{port}"),
    };
    let route = format!("..routes[?(@.name=~'^httproute/{}/{}/rule/0/')]", settings.namespace, settings.name);
    let mut action = template.route()["route"].clone();
    action["timeout"] = plan.route_timeout().into();
    let add =
        |key: &str, value: Value| patch(ROUTES, &name, json!({ "op": "add", "jsonPath": route, "path": key, "value": value }));
    vec![add("route", action), add("request_headers_to_remove", template.headers_to_remove().clone())]
}

fn cluster_patches(template: &Template, plan: &Plan, settings: &Settings<'_>) -> Vec<Value> {
    let clusters = ClusterSettings { ca_file: settings.ca_file };
    let all = plan.servers.iter().map(|(name, server)| (name, template.cluster(name, server, &clusters)));
    all.map(|(name, value)| patch(CLUSTER, name, json!({ "op": "add", "path": "", "value": value }))).collect()
}
