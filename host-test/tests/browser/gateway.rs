//! The two gateways that a page calls, each with its backends and its own log: `tollgate serve` and a real Envoy.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::drivers::edge::Configuration;
use crate::drivers::envoy::Envoy;
use crate::drivers::http1::Message;
use crate::drivers::stub::Stub;
use crate::process::Server;
use crate::table::Table;

/// A gateway that serves a table's document.
pub trait Gateway {
    /// What failures call it.
    fn name(&self) -> &'static str;

    /// `http://127.0.0.1:PORT`
    fn origin(&self) -> String;

    /// What it has logged since it was last asked: the target of a request, perhaps as the upstream got it, and method and status.
    fn logged(&mut self) -> Vec<(String, String)>;

    /// What a backend got.
    fn arrivals(&self, host: &str) -> Vec<Message>;

    /// Panics if the filter trapped.
    fn assert_no_traps(&self);
}

/// `tollgate serve`.
pub struct Serve {
    server: Server,
    backends: BTreeMap<String, Stub>,
    file: PathBuf,
}

/// Envoy, of which only the access log is read.
pub struct RealEnvoy {
    envoy: Envoy,
    read: usize,
}

/// The name of the only listener.
const LISTENER: &str = "api";

// === impl Serve ===

impl Serve {
    /// Starts it. `label` is part of the name of its file.
    pub fn start(label: &str, table: &Table) -> Self {
        let file = std::env::temp_dir().join(format!("tollgate-browser-{label}-{}.json", std::process::id()));
        std::fs::write(&file, table.document().to_string()).expect("a file can be written");
        let mut backends = BTreeMap::new();
        let mut arguments = vec!["serve".to_owned(), file.to_str().expect("paths are UTF-8").to_owned()];
        for (host, behaviour) in &table.backends {
            let mut stub = Stub::start();
            stub.play(behaviour);
            arguments.extend(["--upstream".to_owned(), format!("{host}=http://{}", stub.address())]);
            backends.insert(host.clone(), stub);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Self { server: Server::start(&arguments), backends, file }
    }
}

impl Gateway for Serve {
    fn name(&self) -> &'static str {
        "tollgate serve"
    }

    fn origin(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// `17:03:21Z GET /pets?call=1 200 3 ms GET /pets`
    fn logged(&mut self) -> Vec<(String, String)> {
        let read = |line: String| {
            let mut words = line.split(' ');
            words.next().filter(|time| time.ends_with('Z'))?;
            let (method, target, status) = (words.next()?, words.next()?, words.next()?);
            target.starts_with('/').then(|| (target.to_owned(), format!("{method} {status}")))
        };
        self.server.said().into_iter().filter_map(read).collect()
    }

    fn arrivals(&self, host: &str) -> Vec<Message> {
        self.backends[host].seen()
    }

    fn assert_no_traps(&self) {}
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

// === impl RealEnvoy ===

impl RealEnvoy {
    /// Starts it. `label` is part of the name of its folder.
    pub fn start(label: &str, table: &Table) -> Self {
        let plugins = BTreeMap::from([(LISTENER.to_owned(), Configuration::Text(table.document().to_string()))]);
        let mut envoy = Envoy::start(&format!("browser-{label}"), &table.backends.keys().cloned().collect(), &plugins);
        assert!(envoy.address(LISTENER).is_some(), "{}", envoy.log());
        for (host, behaviour) in &table.backends {
            envoy.play(host, behaviour);
        }
        Self { envoy, read: 0 }
    }
}

impl Gateway for RealEnvoy {
    fn name(&self) -> &'static str {
        "Envoy"
    }

    fn origin(&self) -> String {
        format!("http://{}", self.envoy.address(LISTENER).expect("it was there at the start"))
    }

    fn logged(&mut self) -> Vec<(String, String)> {
        let log = self.envoy.access_log();
        // A line that is still being written is read the next time.
        let whole = log.get(self.read..).unwrap_or_default().split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let lines: Vec<&str> = whole.collect();
        self.read += lines.iter().map(|line| line.len()).sum::<usize>();
        let read = |line: &&str| {
            let entry: Value = serde_json::from_str(line).ok()?;
            let method = entry["method"].as_str()?;
            Some((entry["path"].as_str()?.to_owned(), format!("{method} {}", entry["status"].as_u64()?)))
        };
        lines.iter().filter_map(read).collect()
    }

    fn arrivals(&self, host: &str) -> Vec<Message> {
        self.envoy.arrivals(host)
    }

    fn assert_no_traps(&self) {
        self.envoy.assert_no_reloads();
    }
}
