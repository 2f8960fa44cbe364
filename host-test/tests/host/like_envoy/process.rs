//! An Envoy with our listeners, killed by its id when it is dropped.

use super::{LISTENERS, TIMEOUT};
use crate::drivers::envoy::{command, workspace};
use crate::drivers::http1;
use crate::drivers::stub::Stub;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

/// V8 compiles the module first.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stands in the log for a trap.
pub(super) const TRAP: &str = "trap";

pub(super) struct Envoy {
    process: Child,
    folder: PathBuf,
    addresses: Vec<(String, SocketAddr)>,
    pub(super) backend: Stub,
    /// Keeps a port on which nobody listens.
    _dead: Stub,
}

// === impl Envoy ===

impl Envoy {
    pub(super) fn start(module: &Path) -> Self {
        let folder = workspace().join("target/envoy").join(format!("like-envoy-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("target/ can be written");
        let (backend, mut dead) = (Stub::start(), Stub::start());
        dead.play(&serde_json::from_value(json!({ "fault": "refuse" })).expect("a backend"));
        let listeners: Vec<Value> = LISTENERS.iter().map(|(name, allow, limit)| listener(name, *allow, *limit, module)).collect();
        let bootstrap = json!({
            "admin": { "address": address(0) },
            "static_resources": {
                "listeners": listeners,
                "clusters": [cluster("be", backend.address()), cluster("dead", dead.address())],
            },
        });
        std::fs::write(folder.join("bootstrap.json"), bootstrap.to_string()).expect("target/ can be written");
        let process = command(&folder, 1).spawn().expect("the Envoy binary can be run");
        let mut envoy = Self { process, folder, addresses: Vec::new(), backend, _dead: dead };
        envoy.addresses = envoy.wait("its listeners", Self::find_listeners);
        envoy
    }

    pub(super) fn address(&self, listener: &str) -> SocketAddr {
        let found = self.addresses.iter().find(|(name, _)| name == listener);
        found.unwrap_or_else(|| panic!("Envoy has no listener `{listener}`")).1
    }

    /// What streams of the filter said so far, and whether they trapped.
    pub(super) fn said(&self) -> Vec<String> {
        let log = std::fs::read(self.folder.join("envoy.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        let said = |line: &str| Some(line.split_once("wasm log probe: ")?.1.to_owned());
        let trap = |line: &str| line.contains("Uncaught RuntimeError").then(|| TRAP.to_owned());
        log.lines().filter_map(|line| said(line).or_else(|| trap(line))).collect()
    }

    /// Polls until there is an answer.
    pub(super) fn wait<T>(&mut self, what: &str, poll: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = poll(self) {
                return found;
            }
            let gone = self.process.try_wait().expect("a child can be asked");
            let log = || std::fs::read_to_string(self.folder.join("envoy.log")).unwrap_or_default();
            assert!(gone.is_none(), "Envoy stopped ({gone:?}) while waiting for {what}:\n{}", log());
            assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}:\n{}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn find_listeners(&self) -> Option<Vec<(String, SocketAddr)>> {
        let admin = std::fs::read_to_string(self.folder.join("admin")).ok()?.trim().parse().ok()?;
        let request = serde_json::from_value(json!({ "method": "GET", "path": "/listeners?format=json" })).ok()?;
        let message = http1::exchange(admin, &request).ok()?;
        let listeners: Value = serde_json::from_slice(&message.body).ok()?;
        let listeners = listeners["listener_statuses"].as_array()?.iter().map(|status| {
            let port = u16::try_from(status["local_address"]["socket_address"]["port_value"].as_u64()?).ok()?;
            Some((status["name"].as_str()?.to_owned(), SocketAddr::from((Ipv4Addr::LOCALHOST, port))))
        });
        listeners.collect::<Option<Vec<_>>>().filter(|listeners| listeners.len() == LISTENERS.len())
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}

fn cluster(name: &str, endpoint: SocketAddr) -> Value {
    json!({
        "name": name,
        "connect_timeout": "1s",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(endpoint.port()) } }] }],
        },
        "typed_extension_protocol_options": { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "common_http_protocol_options": { "max_requests_per_connection": 1 },
            "explicit_http_config": { "http_protocol_options": { "enable_trailers": true } },
        } },
    })
}

fn listener(name: &str, allow: bool, limit: usize, module: &Path) -> Value {
    let wasm = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "probe",
            "failure_policy": "FAIL_RELOAD",
            "allow_on_headers_stop_iteration": allow,
            "vm_config": { "runtime": "envoy.wasm.runtime.v8", "code": { "local": { "filename": module } } },
        },
    });
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "use_remote_address": true,
        "http_protocol_options": { "enable_trailers": true },
        "http_filters": [
            { "name": "wasm", "typed_config": wasm },
            { "name": "router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" } },
        ],
        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [{
            "match": { "prefix": "/" },
            "route": { "cluster_header": "x-tollgate-cluster", "timeout": format!("{}s", TIMEOUT.as_secs_f32()) },
        }] }] },
    });
    json!({
        "name": name,
        "address": address(0),
        "per_connection_buffer_limit_bytes": limit,
        "filter_chains": [{ "filters": [{ "name": "http", "typed_config": manager }] }],
    })
}
