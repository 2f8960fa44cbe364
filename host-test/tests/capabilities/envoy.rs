//! What the pages show of Envoy's configuration is taken by a real Envoy. Needs ENVOY: `make test` brings it.

use std::process::Command;

use serde_json::{Map, Value, json};

use super::PAGES;
use crate::page;

const MANAGER: &str = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

/// What a block of YAML begins with that is a part of a definition or a gateway document, or of the filter, which `envoy/edge.yaml`
/// has and other tests start.
const NOT_ENVOYS: [&str; 7] =
    ["components", "issuers", "paths", "rateLimitService", "upstreams", "vm_config", "x-amazon-apigateway-cors"];

/// A bootstrap that is made of what pages show.
struct Bootstrap {
    clusters: Vec<Value>,
    listeners: Vec<Value>,
}

// === impl Bootstrap ===

impl Bootstrap {
    /// Puts a block where it belongs; false where it is none of Envoy's.
    fn add(&mut self, block: &Map<String, Value>) -> bool {
        let number = self.clusters.len() + self.listeners.len();
        let mut listener = json!({"name": format!("l{number}"),
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}});
        let mut manager = json!({"@type": MANAGER, "stat_prefix": "page", "route_config": {"virtual_hosts": []},
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}]});
        match block.keys().find(|key| !NOT_ENVOYS.contains(&key.as_str())).map(String::as_str) {
            None => return false,
            Some("clusters") => {
                self.clusters.extend(block["clusters"].as_array().expect("clusters are a list").clone());
                return true;
            }
            Some("typed_extension_protocol_options") => {
                let mut cluster = json!({"name": format!("c{number}"), "type": "STATIC", "connect_timeout": "1s"});
                cluster.as_object_mut().expect("it is one").extend(block.clone());
                self.clusters.push(cluster);
                return true;
            }
            Some("virtual_hosts") => manager["route_config"] = json!(block),
            Some("local_reply_config") => manager["local_reply_config"] = block["local_reply_config"].clone(),
            Some("per_connection_buffer_limit_bytes") => listener.as_object_mut().expect("it is one").extend(block.clone()),
            Some(key) => panic!("nobody says where `{key}` belongs"),
        }
        listener["filter_chains"] =
            json!([{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]);
        self.listeners.push(listener);
        true
    }
}

#[test]
fn what_the_pages_show_of_envoys_configuration_is_taken_by_envoy() {
    let envoy = std::env::var_os("ENVOY").expect("this test needs a real Envoy: run `make test`, which installs it, or set ENVOY");
    let mut bootstrap = Bootstrap { clusters: Vec::new(), listeners: Vec::new() };
    let mut added = 0;
    for name in PAGES.into_iter().chain(["document"]) {
        for block in page(&format!("docs/{name}.md")).blocks().iter().filter(|block| block.language == "yaml") {
            // Limits of Limitador are a list.
            let Ok(block) = serde_norway::from_str::<Map<String, Value>>(&block.text) else { continue };
            let is_document = name == "document" && block.contains_key("apis");
            added += usize::from(!is_document && bootstrap.add(&block));
        }
    }
    assert!(added >= 6, "only {added} parts of a configuration were found");
    let whole = json!({"static_resources": {"clusters": bootstrap.clusters, "listeners": bootstrap.listeners}});
    let file = std::env::temp_dir().join(format!("tollgate-pages-{}.json", std::process::id()));
    std::fs::write(&file, whole.to_string()).expect("a file can be written");
    let output = Command::new(envoy).args(["--mode", "validate", "-c"]).arg(&file).output().expect("Envoy can be run");
    std::fs::remove_file(&file).expect("it is there");
    assert!(output.status.success(), "{whole:#}\n{}", String::from_utf8_lossy(&output.stderr));
}
