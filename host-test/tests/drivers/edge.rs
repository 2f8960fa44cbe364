//! Makes Envoy configurations out of `envoy/edge.yaml`, so that what the tests run is what the project ships: only names,
//! addresses, the module's path and the document are put in, and nothing of the hardening is repeated here.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

/// The parsed `envoy/edge.yaml`.
pub struct Template(Value);

/// The plugin configuration: the gateway document in one of the ways in which Envoy can carry it.
#[derive(Debug, Clone)]
pub enum Configuration {
    /// A `StringValue`: handed over as it is.
    Text(String),
    /// A `Struct`: handed over as binary protobuf, members in no order, every number a double.
    Struct(Value),
}

// === impl Template ===

impl Template {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let value = serde_norway::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self(value))
    }

    /// The template's listener, with another name, place, module and document.
    pub fn listener(&self, name: &str, address: SocketAddr, module: &Path, configuration: &Configuration) -> Value {
        let mut listener = self.0["static_resources"]["listeners"][0].clone();
        listener["name"] = name.into();
        listener["address"] = socket_address(address);
        let manager = http_connection_manager(&mut listener);
        manager["stat_prefix"] = name.into();
        manager["route_config"]["name"] = name.into();
        let plugin = &mut manager["http_filters"][0]["typed_config"]["config"];
        plugin["name"] = name.into();
        plugin["vm_config"]["code"] = json!({ "local": { "filename": module } });
        plugin["configuration"] = match configuration {
            Configuration::Text(text) => {
                json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": text })
            }
            Configuration::Struct(value) => {
                json!({ "@type": "type.googleapis.com/google.protobuf.Struct", "value": value })
            }
        };
        listener
    }

    /// The template's cluster, with another name and endpoint.
    pub fn cluster(&self, name: &str, host: &str, port: u16) -> Value {
        let mut cluster = self.0["static_resources"]["clusters"][0].clone();
        cluster["name"] = name.into();
        cluster["load_assignment"]["cluster_name"] = name.into();
        cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] =
            json!({ "socket_address": { "address": host, "port_value": port } });
        cluster
    }

    /// The template with these listeners and clusters in the place of its own.
    pub fn bootstrap(&self, admin: SocketAddr, listeners: Vec<Value>, clusters: Vec<Value>) -> Value {
        let mut bootstrap = self.0.clone();
        bootstrap["admin"]["address"] = socket_address(admin);
        bootstrap["static_resources"] = json!({ "listeners": listeners, "clusters": clusters });
        bootstrap
    }
}

/// The HTTP connection manager of a listener.
pub fn http_connection_manager(listener: &mut Value) -> &mut Value {
    &mut listener["filter_chains"][0]["filters"][0]["typed_config"]
}

fn socket_address(address: SocketAddr) -> Value {
    json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } })
}
