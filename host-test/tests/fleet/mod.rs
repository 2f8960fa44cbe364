//! Two Envoys that share nothing but a rate limit service, and what `tollgate usage` says of it.

pub mod outage;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::drivers::edge::Configuration;
use crate::drivers::envoy::{Envoy, Plugins};
use crate::process::{printed, tollgate};
use crate::service::Service;
use crate::usage::documents::{document, key, plan};
use crate::usage::load::{Load, Sample, run};

/// The name of the cluster that is the same service for both Envoys.
pub const SHARED: &str = "shared";

/// The name of the cluster that is a service of its own for each Envoy.
pub const OWN: &str = "own";

pub const EXCEEDED: &str = r#"{"message":"Limit Exceeded"}"#;
pub const TOO_MANY: &str = r#"{"message":"Too Many Requests"}"#;
pub const FAILED: &str = r#"{"message":"Internal server error"}"#;

/// The name of the plan that all documents have.
const PLAN: &str = "gold";

/// Two Envoys with two workers each.
pub struct Fleet {
    envoys: [Envoy; 2],
}

/// A folder with the documents that commands read; it goes with the test.
pub struct Folder(PathBuf);

/// Plan, key, used, left.
pub type Used = (String, String, u64, u64);

/// A document in which one key, `0`, is on one plan with these limits, which a service counts for a domain of its own. Clients are
/// told what is left, so that an answer shows whether it was counted, and by which count.
pub fn shared(domain: &str, limits: &Value, service: Value) -> Value {
    let mut document = document(1, 1, &json!([plan(PLAN, &[0], limits)]), &Value::Null);
    document["rateLimitService"] = json!({"cluster": SHARED, "domain": domain, "enableXRatelimitHeaders": "DRAFT_VERSION_03"});
    for (name, value) in service.as_object().into_iter().flatten() {
        document["rateLimitService"][name] = value.clone();
    }
    document
}

/// How long the slowest answer took.
pub fn slowest<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Duration {
    samples.into_iter().map(|sample| sample.received - sample.sent).max().unwrap_or_default()
}

/// As figures are shown.
pub fn millis(duration: Duration) -> String {
    format!("{:.0} ms", duration.as_secs_f64() * 1000.0)
}

// === impl Fleet ===

impl Fleet {
    /// Starts both with the same documents. Of the services the first is shared, and each Envoy has one of its own.
    pub fn start(label: &str, services: [&Service; 2], documents: &[(&str, Value)]) -> Self {
        let plugin = |(name, document): &(&str, Value)| ((*name).to_owned(), Configuration::Text(document.to_string()));
        let plugins: Plugins = documents.iter().map(plugin).collect();
        let addresses = services.map(|service| -> SocketAddr { service.address.parse().expect("it is an address") });
        let start = &|number: usize| {
            let clusters = [(SHARED, addresses[0]), (OWN, addresses[number])];
            let clusters: BTreeMap<_, _> = clusters.map(|(name, address)| (name.to_owned(), address)).into();
            Envoy::start_with_services(2, &format!("{label}-{number}"), &BTreeSet::new(), &clusters, &plugins)
        };
        let envoys = std::thread::scope(|scope| {
            [0, 1].map(|number| scope.spawn(move || start(number))).map(|thread| thread.join().expect("Envoy starts"))
        });
        Self { envoys }
    }

    /// Sends the load to each of them at once.
    pub fn run(&self, document: &str, load: Load) -> Vec<Sample> {
        let send = |envoy: &Envoy| {
            let address = envoy.address(document).unwrap_or_else(|| panic!("{}", envoy.log_of_refused(document)));
            run(address, load, "/prod/keyed", Some(&key(0)))
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = self.envoys.iter().map(|envoy| scope.spawn(move || send(envoy))).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("every request is answered")).collect()
        })
    }

    /// How many lines of each log hold a text.
    pub fn lines(&self, text: &str) -> [usize; 2] {
        self.envoys.each_ref().map(|envoy| envoy.log().lines().filter(|line| line.contains(text)).count())
    }

    /// Panics if the filter trapped, or if not all four workers had connections.
    pub fn assert_sound(&self) {
        for envoy in &self.envoys {
            envoy.assert_no_reloads();
            let connections = envoy.stats("downstream_cx_total");
            for worker in [".worker_0.", ".worker_1."] {
                let mut of_worker =
                    connections.iter().filter(|(name, _)| name.starts_with("listener.127.") && name.contains(worker));
                assert!(of_worker.any(|(_, count)| *count > 0), "{connections:?}");
            }
        }
    }
}

// === impl Folder ===

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tollgate-fleet-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    /// Writes a file as editors do: a new one takes the place of the old one.
    pub fn write(&self, name: &str, text: &str) -> String {
        let (new, path) = (self.0.join("new"), self.0.join(name));
        std::fs::write(&new, text).expect("a file can be written");
        std::fs::rename(new, &path).expect("a file can be renamed in its folder");
        path.to_str().expect("a temporary folder has a plain name").to_owned()
    }

    /// What Redis has of the quota of the one key of a document: used and left.
    pub fn used_and_left(&self, document: &Value, redis: &str) -> (u64, u64) {
        let file = self.write("document.json", &document.to_string());
        let rows = used(&[&file, "--redis", redis]);
        let [(plan, key, used, left)] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((plan.as_str(), key.as_str()), (PLAN, "0"));
        (*used, *left)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The rows of `tollgate usage`, as JSON.
fn rows(arguments: &[&str]) -> Vec<Value> {
    let output = tollgate(&[&["usage", "--format", "json"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", printed(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", printed(&output)));
    report["usage"].as_array().unwrap_or_else(|| panic!("{report}")).clone()
}

/// Plan, key, used and left of the rows of `tollgate usage` that have a quota.
pub fn used(arguments: &[&str]) -> Vec<Used> {
    let with_quota = rows(arguments).into_iter().filter(|row| row["quota"].is_object());
    let used = with_quota.map(|row| {
        let text = |name: &str| row[name].as_str().unwrap_or_else(|| panic!("no {name}: {row}")).to_owned();
        let number = |name: &str| row["quota"][name].as_u64().unwrap_or_else(|| panic!("no {name}: {row}"));
        (text("plan"), text("key"), number("used"), number("left"))
    });
    used.collect()
}

/// The table of `tollgate usage`, a list of its columns a line.
pub fn table(arguments: &[&str]) -> Vec<Vec<String>> {
    let output = tollgate(&[&["usage"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", printed(&output));
    let text = String::from_utf8_lossy(&output.stdout);
    let columns = |line: &str| line.split("  ").map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    text.lines().map(columns).collect()
}
