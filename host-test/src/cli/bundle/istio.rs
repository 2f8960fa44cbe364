//! Manifests for Istio: the filter in a gateway or beside a workload, and the way to the servers that it calls.
//!
//! Istio's own resource for filters (WasmPlugin, from 1.30 on TrafficExtension) has no `allow_on_headers_stop_iteration`. A
//! gateway that holds requests is therefore an EnvoyFilter, whose module Istio's agent fetches all the same (ECDS).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::{Value, json};

use super::access_log;
use super::kubernetes::{Module, name_of, resource};
use super::plan::{Plan, Server, configuration};
use super::template::{HTTP_OPTIONS, Template};

const MANAGER: &str = "envoy.filters.network.http_connection_manager";
const ROUTER: &str = "envoy.filters.http.router";
const RBAC: &str = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/// The first version with TrafficExtension.
const WITH_TRAFFIC_EXTENSION: (u32, u32) = (1, 30);

/// The first one whose Envoy (1.35) knows `allow_on_headers_stop_iteration`.
const WITH_HELD_HEADS: (u32, u32) = (1, 27);

/// What of the template's HTTP connection manager a merge can say to Istio's: it never makes a setting false, and lists grow.
const SETTINGS: [&str; 7] = [
    "server_header_transformation",
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
    /// Where the workload is.
    pub namespace: &'a str,
    /// Its labels.
    pub labels: Value,
    /// Beside a workload, not in a gateway of its own.
    pub is_sidecar: bool,
    /// Istio's version.
    pub version: (u32, u32),
    /// Where the module is.
    pub module: Module,
    /// Without white space.
    pub is_minified: bool,
}

/// The manifests, and what is chosen in words.
pub struct Manifests {
    /// For the head of the file and the user.
    pub words: Vec<String>,
    /// In the order in which they should be applied.
    pub resources: Vec<Value>,
}

/// `1.30`
pub fn version(text: &str) -> Result<(u32, u32), String> {
    let mut numbers = text.split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => Err(format!("`{text}` is no version: write `1.30`")),
    }
}

/// All that a plan needs.
pub fn manifests(template: &Template, plan: &Plan, settings: &Settings<'_>) -> Result<Manifests, String> {
    let names: BTreeMap<String, String> =
        plan.servers.iter().map(|(cluster, server)| (cluster.clone(), cluster_name(server, settings))).collect();
    let document = plan.document_with(&names);
    let mut words = Vec::new();
    let mut resources = Vec::new();
    let mut hosts: BTreeMap<String, BTreeMap<u16, &Server>> = BTreeMap::new();
    // To a service of the mesh Istio speaks mutual TLS, or none: what is asked by https wants a rule, too.
    let wants_rule = |server: &&Server| !is_own_port(server, settings) && (server.is_https || !is_of_the_mesh(server));
    for server in plan.servers.values().filter(wants_rule) {
        let ports = hosts.entry(mesh_host(server)).or_default();
        if let Some(other) = ports.insert(server.port, server).filter(|other| other.is_https != server.is_https) {
            let Server { host, port, .. } = other;
            return Err(format!("`{host}:{port}` is asked by http and by https, and Istio knows one of them for a port"));
        }
    }
    let mut known = BTreeSet::new();
    for (host, ports) in &hosts {
        let [entry, rule] = reach(template, host, ports, &unique(name_of(settings.name, host), &mut known), settings);
        resources.extend(ports.values().any(|server| !is_of_the_mesh(server)).then_some(entry));
        resources.push(rule);
    }
    if !settings.is_sidecar {
        resources.extend(entrance(settings));
    }
    let mut patches = edge_patches(template, plan, settings);
    let mut clusters: Vec<(&String, &Server)> = plan.servers.iter().filter_map(|(c, s)| Some((names.get(c)?, s))).collect();
    clusters.dedup_by(|a, b| a.0 == b.0);
    patches.extend(clusters.into_iter().map(|(name, server)| cluster_patch(template, name, server, settings)));
    match &plan.holds {
        Some(reason) => {
            if settings.version < WITH_HELD_HEADS {
                let (major, minor) = settings.version;
                return Err(format!("requests are held ({reason}), which Istio {major}.{minor} cannot: it takes 1.27 or newer"));
            }
            words.push(format!(
                "The filter is an EnvoyFilter: {reason}, and only Envoy's own configuration lets a filter hold requests."
            ));
            patches.extend(filter_patches(template, &document, settings));
        }
        None => {
            let plugin = plugin(&document, settings);
            words.push(format!("The filter is a {}: every route forwards at once.", plugin["kind"].as_str().unwrap_or_default()));
            resources.push(plugin);
        }
    }
    words.extend(advice(settings));
    let spec = json!({ "workloadSelector": { "labels": settings.labels }, "priority": 10, "configPatches": patches });
    resources.push(resource("networking.istio.io/v1alpha3", "EnvoyFilter", settings.namespace, settings.name, spec));
    Ok(Manifests { words, resources })
}

fn advice(settings: &Settings<'_>) -> Vec<String> {
    let tags = "[ApiName, ApiId, Stage, Resource, Method, Route]";
    let mut advice = vec![
        String::new(),
        "Of the mesh, not of this file:".to_owned(),
        "- `meshConfig.pathNormalization.normalization: NONE`, so that paths reach the filter as API Gateway sees them; Istio's"
            .to_owned(),
        "  default folds `/../` first, and an EnvoyFilter cannot turn that off.".to_owned(),
        "- metrics by API, stage and method: the annotation `proxy.istio.io/config` of the workload's pods with".to_owned(),
        format!("  `{{ extraStatTags: {tags}, proxyStatsMatcher: {{ inclusionPrefixes: [wasmcustom] }} }}`."),
    ];
    if !settings.is_sidecar {
        advice.push("- certificates: the Gateway below serves plain HTTP; add a server with `tls` to it.".to_owned());
    }
    advice
}

// --- servers ----------------------------------------------------------------------------------------------------------------

/// Services of the cluster are known to Istio.
fn is_of_the_mesh(server: &Server) -> bool {
    server.host.ends_with(".svc.cluster.local")
}

/// A workload's own ports are its inbound clusters.
fn is_own_port(server: &Server, settings: &Settings<'_>) -> bool {
    settings.is_sidecar && server.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn cluster_name(server: &Server, settings: &Settings<'_>) -> String {
    match is_own_port(server, settings) {
        true => format!("inbound|{}||", server.port),
        false => format!("outbound|{}||{}", server.port, mesh_host(server)),
    }
}

/// A ServiceEntry has a name, also where its server has none.
fn mesh_host(server: &Server) -> String {
    match server.host.parse::<IpAddr>() {
        Ok(_) => format!("{}.tollgate.internal", name_of("ip", &server.host)),
        Err(_) => server.host.clone(),
    }
}

/// Two hosts may have one name where it has to be in Kubernetes' letters.
fn unique(name: String, known: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let free = std::iter::once(name.clone()).chain(numbered).find(|name| !known.contains(name)).unwrap_or(name);
    known.insert(free.clone());
    free
}

/// A host with all of its ports: of two rules for one host Istio takes one.
fn reach(template: &Template, host: &str, ports: &BTreeMap<u16, &Server>, name: &str, settings: &Settings<'_>) -> [Value; 2] {
    let address = ports.values().map(|server| &server.host).find(|host| host.parse::<IpAddr>().is_ok());
    let port = |(number, server): (&u16, &&Server)| {
        // TLS is Istio's to add: to the mesh the port speaks plain HTTP.
        let protocol = if server.is_http2 { "HTTP2" } else { "HTTP" };
        json!({ "number": number, "name": format!("{}-{number}", protocol.to_ascii_lowercase()), "protocol": protocol })
    };
    let mut entry = json!({
        "hosts": [host],
        "location": "MESH_EXTERNAL",
        "resolution": if address.is_some() { "STATIC" } else { "DNS" },
        "exportTo": ["."],
        "ports": ports.iter().map(port).collect::<Value>(),
    });
    if let Some(address) = address {
        entry["endpoints"] = json!([{ "address": address }]);
    }
    let policy = |(number, server): (&u16, &&Server)| {
        let tls = match (server.is_https, address) {
            // The roots of the proxy's image; the certificate has to be for the host.
            (true, Some(address)) => json!({ "mode": "SIMPLE", "caCertificates": "system", "subjectAltNames": [address] }),
            (true, None) => json!({ "mode": "SIMPLE", "caCertificates": "system", "sni": host, "subjectAltNames": [host] }),
            (false, _) => json!({ "mode": "DISABLE" }),
        };
        let pool = json!({ "tcp": { "connectTimeout": template.connect_timeout() } });
        json!({ "port": { "number": number }, "connectionPool": pool, "tls": tls })
    };
    let policies: Value = ports.iter().map(policy).collect();
    let rule = json!({ "host": host, "exportTo": ["."], "trafficPolicy": { "portLevelSettings": policies } });
    [
        resource("networking.istio.io/v1", "ServiceEntry", settings.namespace, name, entry),
        resource("networking.istio.io/v1", "DestinationRule", settings.namespace, name, rule),
    ]
}

fn cluster_patch(template: &Template, name: &str, server: &Server, settings: &Settings<'_>) -> Value {
    let mut value = json!({ "per_connection_buffer_limit_bytes": template.buffer_limit() });
    // What Istio makes of the port's protocol is enough for gRPC.
    if let Some(options) = template.http_options(server).filter(|_| server.signing.is_some()) {
        value["typed_extension_protocol_options"] = json!({ HTTP_OPTIONS: options[HTTP_OPTIONS] });
    }
    let context = match (settings.is_sidecar, is_own_port(server, settings)) {
        (false, _) => "GATEWAY",
        (true, true) => "SIDECAR_INBOUND",
        (true, false) => "SIDECAR_OUTBOUND",
    };
    json!({
        "applyTo": "CLUSTER",
        "match": { "context": context, "cluster": { "name": name } },
        "patch": { "operation": "MERGE", "value": value },
    })
}

// --- the listener -----------------------------------------------------------------------------------------------------------

/// Without a virtual host there is no route to patch.
fn entrance(settings: &Settings<'_>) -> [Value; 2] {
    let gateway = json!({
        "selector": settings.labels,
        "servers": [{ "port": { "number": 80, "name": "http", "protocol": "HTTP" }, "hosts": ["*"] }],
    });
    // What answers where the EnvoyFilter is not there.
    let service = json!({
        "hosts": ["*"],
        "gateways": [settings.name],
        "http": [{ "name": "tollgate", "directResponse": { "status": 503 } }],
    });
    [
        resource("networking.istio.io/v1", "Gateway", settings.namespace, settings.name, gateway),
        resource("networking.istio.io/v1", "VirtualService", settings.namespace, settings.name, service),
    ]
}

fn context(settings: &Settings<'_>) -> &'static str {
    if settings.is_sidecar { "SIDECAR_INBOUND" } else { "GATEWAY" }
}

/// The hardening of the template, as far as a merge can say it, and the route that the filter steers.
fn edge_patches(template: &Template, plan: &Plan, settings: &Settings<'_>) -> Vec<Value> {
    let context = context(settings);
    let own = template.manager();
    let mut manager = json!({ "@type": own["@type"], "stream_idle_timeout": plan.stream_idle_timeout() });
    for key in SETTINGS {
        manager[key] = own[key].clone();
    }
    if plan.has_access_log {
        manager["access_log"] = json!([access_log::stage(None)]);
    }
    let filter = |sub: Option<&str>| match sub {
        None => json!({ "name": MANAGER }),
        Some(sub) => json!({ "name": MANAGER, "subFilter": { "name": sub } }),
    };
    let mut route = template.route().clone();
    route["name"] = settings.name.into();
    route["route"]["timeout"] = plan.route_timeout().into();
    route["request_headers_to_remove"] = template.headers_to_remove().clone();
    vec![
        json!({
            "applyTo": "LISTENER",
            "match": { "context": context },
            "patch": { "operation": "MERGE", "value": { "per_connection_buffer_limit_bytes": template.listener()["per_connection_buffer_limit_bytes"] } },
        }),
        json!({
            "applyTo": "NETWORK_FILTER",
            "match": { "context": context, "listener": { "filterChain": { "filter": filter(None) } } },
            "patch": { "operation": "MERGE", "value": { "name": MANAGER, "typed_config": manager } },
        }),
        json!({
            "applyTo": "HTTP_FILTER",
            "match": { "context": context, "listener": { "filterChain": { "filter": filter(Some(ROUTER)) } } },
            "patch": { "operation": "MERGE", "value": { "name": ROUTER, "typed_config": own["http_filters"][1]["typed_config"] } },
        }),
        json!({
            "applyTo": "HTTP_ROUTE",
            "match": { "context": context },
            "patch": { "operation": "INSERT_FIRST", "value": route },
        }),
    ]
}

// --- the filter -------------------------------------------------------------------------------------------------------------

/// The filter and, by ECDS, its configuration: the agent fetches the module and hands Envoy the file.
fn filter_patches(template: &Template, document: &Value, settings: &Settings<'_>) -> [Value; 2] {
    let context = context(settings);
    let name = format!("{}.{}", settings.namespace, settings.name);
    let mut config = template.filter()["typed_config"].clone();
    let plugin = &mut config["config"];
    plugin["name"] = settings.name.into();
    let mut remote = json!({ "http_uri": { "uri": settings.module.url, "timeout": "30s", "cluster": "_" } });
    if let Some(sha256) = &settings.module.sha256 {
        remote["sha256"] = sha256.as_str().into();
    }
    plugin["vm_config"]["code"] = match settings.module.url.strip_prefix("file://") {
        Some(path) => json!({ "local": { "filename": path } }),
        None => json!({ "remote": remote }),
    };
    plugin["configuration"] = configuration(document, settings.is_minified);
    [
        json!({
            "applyTo": "HTTP_FILTER",
            "match": { "context": context, "listener": { "filterChain": { "filter": { "name": MANAGER, "subFilter": { "name": ROUTER } } } } },
            "patch": { "operation": "INSERT_BEFORE", "value": {
                "name": name,
                // Until the module is there requests are refused.
                "config_discovery": {
                    "config_source": { "ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3" },
                    // The agent puts an RBAC filter that denies everything in the place of a module that it cannot fetch.
                    "type_urls": [WASM, RBAC],
                },
            } },
        }),
        json!({
            "applyTo": "EXTENSION_CONFIG",
            "match": { "context": context },
            "patch": { "operation": "ADD", "value": { "name": name, "typed_config": config } },
        }),
    ]
}

/// Istio's own resource for filters.
fn plugin(document: &Value, settings: &Settings<'_>) -> Value {
    let mut wasm = json!({ "url": settings.module.url, "failStrategy": "FAIL_RELOAD", "pluginConfig": document });
    if let Some(sha256) = &settings.module.sha256 {
        wasm["sha256"] = sha256.as_str().into();
    }
    let selector = json!({ "matchLabels": settings.labels });
    let version = "extensions.istio.io/v1alpha1";
    if settings.version >= WITH_TRAFFIC_EXTENSION {
        let spec = json!({ "selector": selector, "wasm": wasm });
        return resource(version, "TrafficExtension", settings.namespace, settings.name, spec);
    }
    wasm["selector"] = selector;
    resource(version, "WasmPlugin", settings.namespace, settings.name, wasm)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings<'static> {
        Settings {
            name: "tollgate",
            namespace: "istio-system",
            labels: json!({}),
            is_sidecar: false,
            version: (1, 29),
            module: Module { url: "oci://r/x:1".to_owned(), sha256: None },
            is_minified: false,
        }
    }

    #[test]
    fn a_host_with_http_and_https_has_one_rule_with_both_and_only_one_of_them_is_plain() {
        let server = |port, is_https| Server { host: "a.test".to_owned(), port, is_https, is_http2: false, signing: None };
        let (plain, tls) = (server(80, false), server(443, true));
        let [entry, rule] =
            reach(&Template::new().unwrap(), "a.test", &[(80, &plain), (443, &tls)].into(), "tollgate-a-test", &settings());
        assert_eq!(entry["spec"]["ports"].as_array().unwrap().len(), 2);
        let policies = &rule["spec"]["trafficPolicy"]["portLevelSettings"];
        assert_eq!((&policies[0]["port"]["number"], &policies[0]["tls"]["mode"]), (&json!(80), &json!("DISABLE")));
        assert_eq!((&policies[1]["port"]["number"], &policies[1]["tls"]["mode"]), (&json!(443), &json!("SIMPLE")));
        assert_eq!(policies[1]["tls"]["subjectAltNames"], json!(["a.test"]));
    }

    #[test]
    fn hosts_that_differ_in_a_letter_that_kubernetes_does_not_have_are_two_resources() {
        let mut known = BTreeSet::new();
        let names = ["a-b.test", "a.b.test", "a.b-test"].map(|host| unique(name_of("tollgate", host), &mut known));
        assert_eq!(names, ["tollgate-a-b-test", "tollgate-a-b-test-2", "tollgate-a-b-test-3"]);
    }
}
