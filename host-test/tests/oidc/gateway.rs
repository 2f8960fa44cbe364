//! A real Envoy with two workers, the filter and two backends: one behind the API, and the provider. Configured as people
//! configure it who start from `envoy/edge.yaml`: the listener and the clusters are there from the start.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::drivers::case::Request;
use crate::drivers::edge::{Configuration, Template};
use crate::drivers::envoy::{command, module, workspace};
use crate::drivers::http1::{Message, exchange, exchange_raw};
use crate::drivers::stub::Stub;

const LISTENER: &str = "gateway";
const BACKEND: &str = "backend";
const PROVIDER: &str = "idp";

/// How long Envoy may take to listen: V8 compiles the module first.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many lines of Envoy's log a failure shows.
const TAIL: usize = 40;

/// A running Envoy; killed when it is dropped.
pub struct Gateway {
    process: Child,
    folder: PathBuf,
    admin: SocketAddr,
    address: SocketAddr,
    /// What stands behind the API.
    pub backend: Stub,
}

// === impl Gateway ===

impl Gateway {
    /// Starts one that trusts the issuer at `issuer`, and gives it back in the moment in which it listens.
    pub fn start(label: &str, issuer: SocketAddr) -> Self {
        let folder = workspace().join("target/envoy").join(format!("{label}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("target/ can be written");
        let backend = Stub::start();
        let bootstrap = bootstrap(issuer, backend.address());
        std::fs::write(folder.join("bootstrap.json"), bootstrap.to_string()).expect("target/ can be written");
        let mut command = command(&folder, 2);
        let process = command.spawn().expect("the Envoy binary can be run");
        let mut gateway = Self { process, folder, admin: loopback(), address: loopback(), backend };
        gateway.admin = gateway
            .wait("its admin interface", |gateway| std::fs::read_to_string(gateway.folder.join("admin")).ok()?.trim().parse().ok());
        gateway.address = gateway.wait("its listener", Self::listens);
        gateway
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request on a connection of its own; either worker may get it.
    pub fn get(&self, path: &str, token: Option<&str>) -> Message {
        let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let wire = format!("GET {path} HTTP/1.1\r\nhost: gateway.test\r\n{authorization}connection: close\r\n\r\n");
        let answer = exchange_raw(self.address, wire.as_bytes(), "GET");
        answer.unwrap_or_else(|error| panic!("no answer to GET {path}: {error}"))
    }

    /// The status of the same.
    pub fn status(&self, path: &str, token: Option<&str>) -> u16 {
        self.get(path, token).status().expect("an answer has a status")
    }

    /// The counters and gauges whose names begin so.
    pub fn stats(&self, start: &str) -> BTreeMap<String, u64> {
        let text = self.ask("/stats");
        let entries = text.lines().filter_map(|line| line.rsplit_once(": "));
        let wanted = entries.filter(|(name, _)| name.starts_with(start));
        wanted.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
    }

    /// How many connections to the provider were refused.
    pub fn refused_by_provider(&self) -> u64 {
        self.stats(&format!("cluster.{PROVIDER}.upstream_cx_connect_fail")).values().sum()
    }

    /// The memory of the process, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("the process is there");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
        line.trim().trim_end_matches(" kB").parse().expect("a size is a number")
    }

    /// Panics if the filter trapped: no VM was made anew, and none said that it panicked.
    pub fn assert_no_traps(&self) {
        let reloads = self.stats(&format!("wasm.{LISTENER}.vm_reload"));
        assert!(!reloads.is_empty(), "Envoy has no vm_reload counters: the plugin is not loaded with FAIL_RELOAD");
        assert!(reloads.values().all(|count| *count == 0), "the filter trapped: {reloads:?}");
        let log = self.log();
        let bad: Vec<&str> = log.lines().filter(|line| line.contains("[critical]") || line.contains("[error]")).collect();
        assert!(bad.is_empty(), "{bad:#?}");
    }

    /// The address, once somebody accepts connections there.
    fn listens(&self) -> Option<SocketAddr> {
        let listeners: Value = serde_json::from_str(&self.ask("/listeners?format=json")).ok()?;
        let port = listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"].as_u64()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).ok().filter(|port| *port != 0)?));
        TcpStream::connect(address).ok().map(|_| address)
    }

    fn ask(&self, target: &str) -> String {
        // Not up yet, or down: `wait` looks after both.
        let body = exchange(self.admin, &Request::new("GET", target)).map(|message| message.body).unwrap_or_default();
        String::from_utf8_lossy(&body).into_owned()
    }

    fn wait<T>(&mut self, what: &str, poll: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = poll(self) {
                return found;
            }
            let gone = self.process.try_wait().expect("a child can be asked");
            assert!(gone.is_none(), "Envoy stopped ({gone:?}) while waiting for {what}");
            assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn log(&self) -> String {
        let read = |name: &str| std::fs::read(self.folder.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&[read("envoy.log"), read("stderr.log")].concat()).into_owned()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("Envoy's log ends:\n{}", lines[lines.len().saturating_sub(TAIL)..].join("\n"));
        }
    }
}

fn bootstrap(issuer: SocketAddr, backend: SocketAddr) -> Value {
    let template = Template::read(&workspace().join("envoy/edge.yaml")).expect("the template is YAML");
    let cluster = |name: &str, address: SocketAddr| {
        let mut cluster = template.cluster(name, &address.ip().to_string(), address.port());
        cluster["type"] = "STATIC".into();
        cluster
    };
    let clusters = vec![cluster(BACKEND, backend), cluster(PROVIDER, issuer)];
    let configuration = Configuration::Text(document(issuer).to_string());
    let listener = template.listener(LISTENER, loopback(), &module(), &configuration);
    template.bootstrap(loopback(), vec![listener], clusters)
}

fn document(issuer: SocketAddr) -> Value {
    let url = format!("http://{issuer}");
    let route = |path: &str, security: Value| {
        json!({"get": {"security": security, "x-amazon-apigateway-integration": {
            "type": "http_proxy", "httpMethod": "GET", "uri": format!("http://backend.test{path}"), "payloadFormatVersion": "1.0"}}})
    };
    let jwt = json!({"type": "oauth2", "x-amazon-apigateway-authorizer": {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {"issuer": url, "audience": ["api"]}}});
    json!({
        "apis": [{"name": "api", "protocol": "HTTP", "stages": [{"stageName": "$default"}], "definition": {
            "openapi": "3.0.1",
            "components": {"securitySchemes": {"jwt": jwt}},
            "paths": {
                "/open": route("/open", json!([])),
                "/protected": route("/protected", json!([{"jwt": []}])),
                "/scoped": route("/scoped", json!([{"jwt": ["read"]}])),
            },
        }}],
        // No TLS, and meant so.
        "issuers": {url: {}},
        "upstreams": {"backend.test": {"cluster": BACKEND}, issuer.to_string(): {"cluster": PROVIDER}},
    })
}

/// A port of the other side's choice on loopback.
fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}
