//! A real Envoy whose rate limit filter asks the service, and whose health checks do: what it makes of the answers shows that the
//! field numbers are its own.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{curl, repository};

/// How long Envoy may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Killed when it is dropped.
pub struct Envoy {
    process: Child,
    folder: PathBuf,
    admin: SocketAddr,
    /// Where it answers 200, as long as the service allows it.
    pub address: SocketAddr,
}

// === impl Envoy ===

impl Envoy {
    /// Starts one that allows so many requests an hour.
    pub fn start(service: &str, requests_per_hour: u32) -> Self {
        let binary = std::env::var_os("ENVOY").map(PathBuf::from).filter(|path| path.is_file());
        let binary = binary.expect("this test needs a real Envoy: run `make test`, which installs it, or set ENVOY to its path");
        let folder = repository().join("target/envoy").join(format!("ratelimit-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("target/ can be written");
        let bootstrap = bootstrap(service.parse().expect("it is an address"), backend(), requests_per_hour);
        std::fs::write(folder.join("bootstrap.json"), bootstrap.to_string()).expect("target/ can be written");
        let mut command = Command::new(binary);
        command
            .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning", "--config-path"])
            .arg(folder.join("bootstrap.json"))
            .arg("--admin-address-path")
            .arg(folder.join("admin"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("stderr.log")).expect("target/ can be written"));
        let process = command.spawn().expect("the Envoy binary can be run");
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut envoy = Self { process, folder, admin: nowhere, address: nowhere };
        envoy.admin = envoy.wait("its admin interface", |envoy| {
            let address = std::fs::read_to_string(envoy.folder.join("admin")).ok()?;
            address.trim().parse().ok()
        });
        envoy.address = envoy.wait("its listener", |envoy| {
            let listeners: Value = serde_json::from_str(&envoy.ask("/listeners?format=json")).ok()?;
            let port = listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"].as_u64()?;
            let live = envoy.ask("/ready").starts_with("LIVE");
            let port = u16::try_from(port).ok().filter(|port| *port != 0 && live)?;
            Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        });
        envoy
    }

    /// Waits until Envoy has found the service healthy; panics when it found it otherwise.
    pub fn wait_until_checked(mut self) {
        let stat = |envoy: &Self, name: &str| {
            let stats = envoy.ask(&format!("/stats?filter=cluster.service.health_check.{name}"));
            stats.trim().rsplit_once(": ").and_then(|(_, count)| count.parse::<u64>().ok())
        };
        self.wait("a health check", |envoy| stat(envoy, "success").filter(|count| *count > 0));
        assert_eq!(stat(&self, "failure"), Some(0));
    }

    fn ask(&self, target: &str) -> String {
        curl(&format!("curl 'http://{}{target}'", self.admin))
    }

    fn wait<T>(&mut self, what: &str, poll: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = poll(self) {
                return found;
            }
            let gone = self.process.try_wait().expect("a child can be asked");
            let log = || std::fs::read_to_string(self.folder.join("stderr.log")).unwrap_or_default();
            assert!(gone.is_none(), "Envoy stopped ({gone:?}) while waiting for {what}:\n{}", log());
            assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}:\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Answers every request, a connection each.
fn backend() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            if lines.any(|line| line.is_empty()) {
                // A client that went away has no use for it.
                let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            }
        }
    });
    address
}

fn bootstrap(service: SocketAddr, backend: SocketAddr, requests_per_hour: u32) -> Value {
    let typed = |name: &str, kind: &str, mut config: Value| {
        config["@type"] = format!("type.googleapis.com/{kind}").into();
        json!({ "name": name, "typed_config": config })
    };
    // The override is in the metadata of the request, where a filter such as ours would put it.
    let limit = typed(
        "envoy.filters.http.set_metadata",
        "envoy.extensions.filters.http.set_metadata.v3.Config",
        json!({ "metadata": [{ "metadata_namespace": "plan", "value": { "limit": { "requests_per_unit": requests_per_hour, "unit": "HOUR" } } }] }),
    );
    let rate_limit = typed(
        "envoy.filters.http.ratelimit",
        "envoy.extensions.filters.http.ratelimit.v3.RateLimit",
        json!({
            "domain": "envoy", "failure_mode_deny": true, "timeout": "10s", "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
            "rate_limit_service": { "transport_api_version": "V3", "grpc_service": { "envoy_grpc": { "cluster_name": "service" } } },
        }),
    );
    let router = typed("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", json!({}));
    let descriptor = json!({
        "actions": [{ "generic_key": { "descriptor_key": "plan", "descriptor_value": "gold" } }, { "remote_address": {} }],
        "limit": { "dynamic_metadata": { "metadata_key": { "key": "plan", "path": [{ "key": "limit" }] } } },
    });
    let routes = json!({ "name": "routes", "virtual_hosts": [{
        "name": "all", "domains": ["*"], "rate_limits": [descriptor],
        "routes": [{ "match": { "prefix": "/" }, "route": { "cluster": "backend" } }],
    }] });
    let manager = typed(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        json!({ "stat_prefix": "http", "use_remote_address": true, "route_config": routes, "http_filters": [limit, rate_limit, router] }),
    );
    let address =
        |address: SocketAddr| json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } });
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let cluster = |name: &str, place: SocketAddr| {
        let endpoint = json!({ "endpoint": { "address": address(place) } });
        let endpoints = json!([{ "lb_endpoints": [endpoint] }]);
        json!({ "name": name, "type": "STATIC", "connect_timeout": "5s", "load_assignment": { "cluster_name": name, "endpoints": endpoints } })
    };
    json!({
        "admin": { "address": address(loopback) },
        "static_resources": {
            "listeners": [{ "name": "http", "address": address(loopback), "filter_chains": [{ "filters": [manager] }] }],
            "clusters": [cluster("backend", backend), {
                "name": "service", "type": "STATIC", "connect_timeout": "5s",
                "load_assignment": cluster("service", service)["load_assignment"],
                "typed_extension_protocol_options": { "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": { "http2_protocol_options": {} },
                } },
                "health_checks": [{
                    "timeout": "5s", "interval": "1s", "unhealthy_threshold": 1, "healthy_threshold": 1,
                    "grpc_health_check": { "service_name": "envoy.service.ratelimit.v3.RateLimitService" },
                }],
            }],
        },
    })
}
