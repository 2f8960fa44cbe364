//! The gateway under attack: a real Envoy with two workers and `envoy/edge.yaml`, and what can be asked about it from outside.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

use super::shot::Aim;
use crate::bypass::envoy::Envoy;
use crate::bypass::run::documents;
use crate::bypass::settings::Setting;

/// The gateway.
pub struct Gateway {
    envoy: Envoy,
    addresses: [SocketAddr; 3],
}

// === impl Gateway ===

impl Gateway {
    /// Starts it, with all its clusters at one place.
    pub fn start(upstream: SocketAddr) -> Self {
        let kinds: Value = serde_norway::from_str(include_str!("gateway.yaml")).expect("gateway.yaml is YAML");
        let mut listeners: BTreeMap<String, (Value, Setting)> =
            documents().into_iter().map(|(name, document)| (name, (document, Setting::Shipped))).collect();
        listeners.insert("kinds".to_owned(), (kinds, Setting::Shipped));
        let envoy = Envoy::start("attack", &listeners, upstream);
        let addresses = ["kinds", "rest", "http"].map(|name| envoy.address(name));
        Self { envoy, addresses }
    }

    /// Where to aim.
    pub fn address(&self, aim: Aim) -> SocketAddr {
        match aim {
            Aim::Kinds => self.addresses[0],
            Aim::Rest => self.addresses[1],
            Aim::Http => self.addresses[2],
        }
    }

    /// The memory that the process has of the machine, in MB.
    pub fn memory(&self) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.envoy.process_id())).unwrap_or_default();
        let pages: f64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("Envoy is there");
        pages * 4096.0 / 1e6
    }

    /// Traps, in Envoy's counters and in its log.
    pub fn traps(&self) -> Vec<String> {
        let stats = self.envoy.stats("vm_reload");
        let mut bad: Vec<String> =
            stats.iter().filter(|(_, count)| **count != 0).map(|(name, count)| format!("{name}: {count}")).collect();
        if stats.is_empty() {
            bad.push("Envoy has no vm_reload counters".to_owned());
        }
        const TRAPS: [&str; 6] = ["in-VM", "panicked", "RuntimeError", "Proxy-Wasm failed", "wasm trap", "[critical]"];
        let log = self.envoy.whole_log();
        bad.extend(log.lines().filter(|line| TRAPS.iter().any(|trap| line.contains(trap))).take(5).map(str::to_owned));
        bad
    }

    /// Requests that are still under way at the gateway's listeners.
    pub fn active(&self) -> u64 {
        self.envoy.stats("downstream_rq_active").iter().filter(|(name, _)| !name.contains("admin")).map(|(_, count)| count).sum()
    }
}
