//! What a running Envoy tells at its admin interface. <https://www.envoyproxy.io/docs/envoy/latest/operations/admin>

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::module::Module;
use super::subject::{Running, Subject, Version};
use super::value::{field, is_a, list, text};
use crate::cli::Failure;

/// How long an answer may take: a dump can have megabytes.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Asks an Envoy for everything.
pub async fn fetch(admin: &Uri) -> Result<Subject, Failure> {
    let Some(authority) = admin.authority().filter(|_| admin.scheme_str() == Some("http")) else {
        return Err(Failure::usage(format!("`{admin}` is no address")).help("write it as `http://127.0.0.1:9901`"));
    };
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let get = async |path: &'static str| json(&client, authority.as_str(), path).await;
    let info = get("/server_info").await?;
    let dump = get("/config_dump?include_eds").await?;
    let clusters = get("/clusters?format=json").await?;
    let stats = get("/stats?format=json").await?;
    let mut subject = Subject { version: version(&info), ..Subject::default() };
    let mut running = Running { stats: counters(&stats), hosts: hosts(&clusters), rejected: Vec::new() };
    add_dump(&mut subject, &mut running, &dump);
    subject.running = Some(running);
    Ok(subject)
}

/// Adds a dump, from a running Envoy or a file that has one.
pub fn add_dump(subject: &mut Subject, running: &mut Running, dump: &Value) {
    for config in list(dump, "configs") {
        let inner = |names: &[&str], of: &str| -> Vec<Value> {
            let entries = names.iter().flat_map(|name| list(config, name));
            entries.filter_map(|entry| field(entry, of)).cloned().collect()
        };
        if is_a(config, ".BootstrapConfigDump") {
            // Its static resources are told again by those who made something of them.
            subject.bootstrap = field(config, "bootstrap").cloned();
        } else if is_a(config, ".ListenersConfigDump") {
            subject.listeners.extend(inner(&["static_listeners"], "listener"));
            for entry in list(config, "dynamic_listeners") {
                subject.listeners.extend(field(entry, "active_state").and_then(|state| field(state, "listener")).cloned());
                if let Some(error) = field(entry, "error_state") {
                    let name = text(entry, "name").unwrap_or_default();
                    running.rejected.push(format!("listener `{name}`: {}", text(error, "details").unwrap_or("without a reason")));
                }
            }
        } else if is_a(config, ".ClustersConfigDump") {
            subject.clusters.extend(inner(&["static_clusters", "dynamic_active_clusters"], "cluster"));
        } else if is_a(config, ".RoutesConfigDump") {
            subject.routes.extend(inner(&["static_route_configs", "dynamic_route_configs"], "route_config"));
        } else if is_a(config, ".EcdsConfigDump") {
            subject.extensions.extend(inner(&["ecds_filters"], "ecds_filter"));
        }
        for name in ["dynamic_active_clusters", "dynamic_warming_clusters", "dynamic_route_configs", "ecds_filters"] {
            for error in list(config, name).iter().filter_map(|entry| field(entry, "error_state")) {
                running.rejected.push(text(error, "details").unwrap_or("without a reason").to_owned());
            }
        }
    }
}

/// The modules that the chains name, where this command can read them, too.
pub fn add_modules(subject: &mut Subject) {
    let file = |plugin: &Value| text(plugin, "vm_config.code.local.filename").map(str::to_owned);
    let files: std::collections::BTreeSet<String> =
        subject.gateways().filter_map(|(_, _, gateway)| file(&gateway.plugin)).collect();
    subject.modules.extend(files.iter().filter_map(|file| Module::load(Path::new(file)).ok()));
}

/// `9e55…/1.40.0/Clean/RELEASE/BoringSSL`
fn version(info: &Value) -> Option<Version> {
    let mut numbers = text(info, "version")?.split('/').nth(1)?.split(['.', '-']).map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next()??))
}

fn counters(stats: &Value) -> BTreeMap<String, u64> {
    let counter = |stat: &Value| Some((text(stat, "name")?.to_owned(), stat.get("value")?.as_u64()?));
    list(stats, "stats").iter().filter_map(counter).collect()
}

fn hosts(clusters: &Value) -> BTreeMap<String, (usize, usize)> {
    let mut hosts = BTreeMap::new();
    for cluster in list(clusters, "cluster_statuses") {
        let all = list(cluster, "host_statuses");
        let is_healthy = |host: &&Value| {
            let Some(health) = field(host, "health_status") else { return true };
            let failed = ["failed_active_health_check", "failed_outlier_check", "failed_active_degraded_check"];
            let eds = text(health, "eds_health_status").unwrap_or("HEALTHY");
            !failed.iter().any(|name| field(health, name) == Some(&Value::Bool(true)))
                && matches!(eds, "HEALTHY" | "UNKNOWN" | "DEGRADED")
        };
        hosts.insert(text(cluster, "name").unwrap_or_default().to_owned(), (all.len(), all.iter().filter(is_healthy).count()));
    }
    hosts
}

async fn json(client: &Client<HttpConnector, Empty<Bytes>>, authority: &str, path: &str) -> Result<Value, Failure> {
    let failed = |why: String| {
        Failure::usage(format!("no answer from http://{authority}{path}: {why}"))
            .help("`--admin` takes the address of Envoy's admin interface, such as http://127.0.0.1:9901")
    };
    let uri = Uri::builder().scheme("http").authority(authority).path_and_query(path).build();
    let uri = uri.map_err(|error| failed(error.to_string()))?;
    let answer = async {
        let response = client.get(uri).await.map_err(|error| failed(root_cause(&error)))?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| failed(error.to_string()))?.to_bytes();
        match serde_json::from_slice(&body) {
            Ok(value) if status == StatusCode::OK => Ok(value),
            _ => Err(failed(format!("what answers with status {status} there is no Envoy"))),
        }
    };
    tokio::time::timeout(TIMEOUT, answer).await.unwrap_or_else(|_| Err(failed(format!("nothing within {} s", TIMEOUT.as_secs()))))
}

/// The innermost error says what happened.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_version_is_read_from_what_the_server_says() {
        assert_eq!(version(&json!({"version": "9e55/1.40.0/Clean/RELEASE/BoringSSL"})), Some((1, 40, 0)));
        assert_eq!(version(&json!({"version": "9e55/1.36.2-dev/Clean/RELEASE/BoringSSL"})), Some((1, 36, 2)));
        assert_eq!(version(&json!({"version": "x"})), None);
    }

    #[test]
    fn a_host_that_failed_its_check_is_not_healthy() {
        let clusters = json!({"cluster_statuses": [{"name": "c", "host_statuses": [
            {"health_status": {"eds_health_status": "HEALTHY"}}, {"health_status": {"failed_active_health_check": true}}]}]});
        assert_eq!(hosts(&clusters)["c"], (2, 1));
    }
}
