//! A bootstrap that `envoy -c` takes: `envoy/edge.yaml` with the document, its clusters and addresses.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use super::access_log;
use super::plan::{Plan, configuration};
use super::template::{ClusterSettings, Template};

/// What the command line says of it.
pub struct Settings<'a> {
    /// Of the listener.
    pub listen: SocketAddr,
    /// Of the admin interface.
    pub admin: SocketAddr,
    /// An absolute path.
    pub module: &'a Path,
    /// Of the certificates.
    pub ca_file: &'a str,
    /// Where access logs go; none is the standard output.
    pub access_log: Option<&'a Path>,
    /// Without white space.
    pub is_minified: bool,
}

/// The whole bootstrap.
pub fn bootstrap(template: &Template, plan: &Plan, settings: &Settings<'_>) -> Value {
    let mut bootstrap = template.bootstrap();
    bootstrap["admin"]["address"] = socket_address(settings.admin);
    let clusters = ClusterSettings { ca_file: settings.ca_file };
    let clusters = plan.servers.iter().map(|(name, server)| template.cluster(name, server, &clusters));
    bootstrap["static_resources"]["clusters"] = clusters.collect();
    let listener = &mut bootstrap["static_resources"]["listeners"][0];
    listener["address"] = socket_address(settings.listen);
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    manager["stream_idle_timeout"] = plan.stream_idle_timeout().into();
    manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"]["timeout"] = plan.route_timeout().into();
    manager["access_log"] = access_log::loggers(&manager["access_log"][0], plan.has_access_log, settings.access_log);
    let plugin = &mut manager["http_filters"][0]["typed_config"]["config"];
    plugin["vm_config"]["code"] = json!({ "local": { "filename": settings.module } });
    plugin["configuration"] = configuration(&plan.document, settings.is_minified);
    bootstrap
}

fn socket_address(address: SocketAddr) -> Value {
    json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } })
}
