//! A real Envoy with the filter, the listener of `envoy/edge.yaml` and the clusters of `envoy/aws.yaml`, where another server
//! stands in the place of AWS: only the address is another, and TLS is left out.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::drivers::case::Request;
use crate::drivers::edge::{Configuration, Template};
use crate::drivers::envoy::{command, module, workspace};
use crate::drivers::http1::exchange;
use crate::process::moto::AccessKey;

/// How long Envoy may take to listen: V8 compiles the module first.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many lines of Envoy's log a failure shows.
const TAIL: usize = 40;

/// A running Envoy; killed when it is dropped.
pub struct Envoy {
    process: Child,
    folder: PathBuf,
    admin: SocketAddr,
    address: SocketAddr,
}

// === impl Envoy ===

impl Envoy {
    /// Starts one that signs with this key and finds all services at one address.
    pub fn start(label: &str, document: &Path, key: &AccessKey, services: SocketAddr) -> Self {
        let folder = workspace().join("target/envoy").join(format!("{label}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("target/ can be written");
        let bootstrap = bootstrap(document, services);
        std::fs::write(folder.join("bootstrap.json"), bootstrap.to_string()).expect("target/ can be written");
        let mut command = command(&folder, 1);
        command
            .env("AWS_ACCESS_KEY_ID", &key.id)
            .env("AWS_SECRET_ACCESS_KEY", &key.secret)
            .env_remove("AWS_SESSION_TOKEN")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        let process = command.spawn().expect("the Envoy binary can be run");
        let mut envoy = Self { process, folder, admin: loopback(), address: loopback() };
        envoy.admin = envoy
            .wait("its admin interface", |envoy| std::fs::read_to_string(envoy.folder.join("admin")).ok()?.trim().parse().ok());
        envoy.address = envoy.wait("its listener", Self::listens);
        envoy
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address, once somebody accepts connections there.
    fn listens(&self) -> Option<SocketAddr> {
        // Not up yet, or down: `wait` looks after both.
        let answer = exchange(self.admin, &Request::new("GET", "/listeners?format=json")).ok()?;
        let listeners: Value = serde_json::from_slice(&answer.body).ok()?;
        let port = listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"].as_u64()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).ok().filter(|port| *port != 0)?));
        TcpStream::connect(address).ok().map(|_| address)
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
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let read = |name: &str| std::fs::read(self.folder.join(name)).unwrap_or_default();
            let log = String::from_utf8_lossy(&[read("envoy.log"), read("stderr.log")].concat()).into_owned();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("Envoy's log ends:\n{}", lines[lines.len().saturating_sub(TAIL)..].join("\n"));
        }
    }
}

fn bootstrap(document: &Path, services: SocketAddr) -> Value {
    let template = Template::read(&workspace().join("envoy/edge.yaml")).expect("the template is YAML");
    let aws: Value = read_yaml(&workspace().join("envoy/aws.yaml"));
    let mut clusters = aws["static_resources"]["clusters"].as_array().expect("the file has clusters").clone();
    for cluster in &mut clusters {
        cluster["type"] = "STATIC".into();
        cluster.as_object_mut().expect("a cluster is a map").remove("transport_socket");
        cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"] =
            json!({"address": services.ip().to_string(), "port_value": services.port()});
    }
    let configuration = Configuration::Text(read_yaml(document).to_string());
    let listener = template.listener("gateway", loopback(), &module(), &configuration);
    template.bootstrap(loopback(), vec![listener], clusters)
}

fn read_yaml(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_norway::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}
