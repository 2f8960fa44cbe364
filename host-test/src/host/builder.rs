//! Setting a [`Host`] up.

use super::Host;
use crate::boot::StartError;
use crate::clock::VirtualClock;
use crate::module::FilterModule;
use crate::settings::{ClusterChoice, LogLevel, OnTrap, Settings};
use crate::shared::Shared;
use crate::upstream::Stub;
use crate::worker::Worker;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Sets a [`Host`] up.
pub struct HostBuilder {
    module: FilterModule,
    settings: Settings,
    shared: Arc<Shared>,
    clock: VirtualClock,
    stubs: BTreeMap<String, Stub>,
}

// === impl HostBuilder ===

impl HostBuilder {
    pub(super) fn new(module: &FilterModule) -> Self {
        let mut settings = Settings::default();
        settings.plugin.random_seed = Some(1);
        // Time stands still in a test: with Envoy's default nothing would be served after a trap.
        settings.plugin.on_trap = OnTrap::Reload { backoff: Duration::ZERO };
        Self { module: module.clone(), settings, shared: Arc::default(), clock: VirtualClock::default(), stubs: BTreeMap::new() }
    }

    /// The plugin configuration.
    pub fn plugin_configuration(mut self, configuration: impl Into<Bytes>) -> Self {
        self.settings.plugin.configuration = configuration.into();
        self
    }

    /// See [`Plugin::allow_on_headers_stop_iteration`](crate::Plugin).
    pub fn allow_on_headers_stop_iteration(mut self, allow: bool) -> Self {
        self.settings.plugin.allow_on_headers_stop_iteration = allow;
        self
    }

    /// See [`Listener::buffer_limit`](crate::Listener).
    pub fn buffer_limit(mut self, bytes: usize) -> Self {
        self.settings.listener.buffer_limit = bytes;
        self
    }

    /// See [`Plugin::on_trap`](crate::Plugin).
    pub fn on_trap(mut self, policy: OnTrap) -> Self {
        self.settings.plugin.on_trap = policy;
        self
    }

    /// Whether `verify_signature` is offered.
    pub fn verify_signature(mut self, offered: bool) -> Self {
        self.settings.plugin.verify_signature = offered;
        self
    }

    /// The lowest level that is logged.
    pub fn log_level(mut self, level: LogLevel) -> Self {
        self.settings.plugin.log_level = level;
        self
    }

    /// See [`Limits::fuel_per_callback`](crate::Limits).
    pub fn fuel_per_callback(mut self, fuel: u64) -> Self {
        self.settings.limits.fuel_per_callback = fuel;
        self
    }

    /// All requests go to this cluster, whatever the cluster header says.
    pub fn fixed_cluster(mut self, name: &str) -> Self {
        self.settings.route.cluster = ClusterChoice::Fixed(name.to_owned());
        self
    }

    /// The route's timeout.
    pub fn route_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.settings.route.timeout = timeout;
        self
    }

    /// A cluster and what its upstream does.
    pub fn cluster(mut self, name: &str, stub: Stub) -> Self {
        self.settings.clusters.insert(name.to_owned());
        self.stubs.insert(name.to_owned(), stub);
        self
    }

    /// Anything else of the settings.
    pub fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Shares data, queues and metrics with another host.
    pub fn sharing_with(mut self, other: &Host) -> Self {
        self.shared = other.shared.clone();
        self.clock = other.clock.clone();
        self
    }

    /// The clock to run on.
    pub fn clock(mut self, clock: VirtualClock) -> Self {
        self.clock = clock;
        self
    }

    /// Starts the VM and configures the plugin.
    pub fn build(self) -> Result<Host, StartError> {
        let Self { module, settings, shared, clock, stubs } = self;
        let worker = Worker::start(&module, settings, shared.clone(), Arc::new(clock.clone()))?;
        let mut host = Host {
            worker,
            shared,
            clock,
            stubs,
            exchanges: BTreeMap::new(),
            streams: BTreeMap::new(),
            planned: BTreeMap::new(),
            plans: 0,
            upstream_requests: Vec::new(),
            logs: Vec::new(),
        };
        host.run();
        Ok(host)
    }
}
