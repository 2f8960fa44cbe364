//! An Envoy with everything behind it and somebody in front of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::client::{Client, Reply};
use super::documents::{LIMITS, Variant, document};
use super::kind::{Kind, Maker};
use super::ledger::Ledger;
use super::load::{Fate, Sending};
use super::tokens::Signer;
use super::upstream::{Address, Upstreams};
use crate::drivers::edge::Configuration;
use crate::drivers::envoy::{Customize, Endpoint, Envoy, Plugins, Setup, module};

/// The name of the listener.
const LISTENER: &str = "traffic";

/// All of it.
pub struct Scene {
    pub envoy: Envoy,
    pub upstreams: Upstreams,
    pub sending: Arc<Sending>,
    pub ledger: Arc<Ledger>,
    variant: Variant,
    started: Instant,
}

/// What a scene is made of.
#[derive(Default)]
pub struct Stage {
    /// The module, where it is not the one that is shipped.
    pub module: Option<PathBuf>,
    /// Where the rate limit service is; without one Envoy counts itself.
    pub limits: Option<Address>,
    /// `stream_idle_timeout`, where it is not that of the template.
    pub customize: Option<Customize>,
    pub environment: Vec<(&'static str, PathBuf)>,
}

// === impl Scene ===

impl Scene {
    /// Starts it, and returns when tokens are taken.
    pub async fn start(label: &str, stage: Stage) -> Self {
        let ledger = Arc::new(Ledger::default());
        let upstreams = Upstreams::start(&ledger);
        let endpoint = |name: &str, address, http2| Endpoint { name: name.to_owned(), address, http2 };
        let mut clusters = vec![
            endpoint("backend", upstreams.backend.address(), false),
            endpoint("lambda", upstreams.lambda.address(), false),
            endpoint("authorizers", upstreams.authorizers.address(), false),
            endpoint("issuer", upstreams.issuer.address(), false),
        ];
        clusters.extend(stage.limits.map(|address| endpoint(LIMITS, address, true)));
        let variant = Variant { version: 1, service: stage.limits.is_some(), new_issuer: None };
        let setup = Setup {
            workers: 2,
            stubs: Default::default(),
            clusters,
            customize: stage.customize.unwrap_or(|_| ()),
            module: stage.module.unwrap_or_else(module),
            environment: stage.environment,
            keeps_access_log: false,
        };
        let issuer = upstreams.issuer.address();
        let plugins = plugins(issuer, &variant);
        let envoy = Envoy::start_as(setup, label, &plugins);
        let address = envoy.address(LISTENER).unwrap_or_else(|| panic!("{}", envoy.log_of_refused(LISTENER)));
        let maker = Maker { signer: Signer::default(), issuer, new_issuer: Mutex::default() };
        let sending = Sending::new(Client::new(address), Arc::clone(&ledger), maker);
        let scene = Self { envoy, upstreams, sending, ledger, variant, started: Instant::now() };
        scene.wait_for_keys().await;
        scene
    }

    /// Until tokens are taken by all workers.
    async fn wait_for_keys(&self) {
        let start = Instant::now();
        let mut in_a_row = 0;
        while in_a_row < 20 {
            assert!(start.elapsed() < Duration::from_secs(20), "the keys are never there:\n{}", self.envoy.log());
            match self.sending.one(Kind::Jwt).await {
                Fate::Right(_) => in_a_row += 1,
                _ => {
                    in_a_row = 0;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        self.sending.take();
    }

    /// Serves another document.
    pub fn serve(&mut self, change: impl FnOnce(&mut Variant)) {
        change(&mut self.variant);
        self.envoy.update(&plugins(self.upstreams.issuer.address(), &self.variant));
    }

    /// Hands over a document that does not compile.
    pub fn serve_nonsense(&mut self, number: u32) {
        let mut document = document(self.upstreams.issuer.address(), &self.variant);
        match number % 3 {
            0 => document["apis"][0]["stages"] = serde_json::json!("none"),
            1 => document["upstreams"] = serde_json::json!({}),
            _ => document["nonsense"] = serde_json::json!(true),
        }
        let text = if number % 4 == 3 { "{\"apis\": [".to_owned() } else { document.to_string() };
        self.envoy.update(&[(LISTENER.to_owned(), Configuration::Text(text))].into());
    }

    /// Until it is so old.
    pub fn wait_until_old(&self, age: Duration) {
        std::thread::sleep(age.saturating_sub(self.started.elapsed()));
    }

    /// The version that a MOCK tells on a new connection.
    pub async fn version_served(&self) -> Option<u64> {
        let request = Kind::Mock.request(self.ledger.id(), &self.sending.maker);
        match Client::new(self.sending.client.address()).send(request, false).await {
            Reply::Answer(200, _, body) => serde_json::from_slice::<serde_json::Value>(&body).ok()?["version"].as_u64(),
            _ => None,
        }
    }

    /// The version that a MOCK tells is that of this document.
    pub fn version(&self) -> u32 {
        self.variant.version
    }

    /// How often a VM failed or was made anew.
    pub fn reloads(&self) -> u64 {
        self.envoy.stats("vm_reload").values().sum()
    }

    /// How many VMs there are.
    pub fn machines(&self) -> u64 {
        self.envoy.stats("wasm.envoy.wasm.runtime.v8.active").values().sum()
    }

    /// Gives requests a moment to end; how many did not.
    pub async fn wait_until_nothing_is_active(&self) -> u64 {
        let start = Instant::now();
        loop {
            let active = self.active();
            if active == 0 || start.elapsed() > Duration::from_secs(5) {
                return active;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Streams and requests that Envoy thinks are not over.
    pub fn active(&self) -> u64 {
        let stats = self.envoy.stats("rq_active");
        // The request for these figures is one itself.
        stats.iter().filter(|(name, _)| !name.contains("http.admin")).map(|(_, count)| count).sum()
    }
}

fn plugins(issuer: Address, variant: &Variant) -> Plugins {
    [(LISTENER.to_owned(), Configuration::Text(document(issuer, variant).to_string()))].into()
}
