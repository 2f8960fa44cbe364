//! What an Envoy configuration would say about the listener, the route, the wasm plugin and the
//! clusters. Every default is Envoy's own, except where a line says otherwise.

use crate::headers::HeaderMap;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::time::Duration;

/// Everything a [`Worker`](crate::Worker) is configured with.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The wasm plugin.
    pub plugin: Plugin,
    /// What the guest may use up. Envoy has no such limits; they guard the host.
    pub limits: Limits,
    /// The HTTP connection manager.
    pub listener: Listener,
    /// The route that every request takes, and the router filter.
    pub route: Route,
    /// The names of all known clusters.
    pub clusters: BTreeSet<String>,
}

/// The wasm plugin, as in `envoy.extensions.wasm.v3.PluginConfig`.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// Property `plugin_name`.
    pub name: String,
    /// Property `plugin_root_id`.
    pub root_id: String,
    /// Property `plugin_vm_id`; also the name space of shared data and queues.
    pub vm_id: String,
    /// Property `node.id`.
    pub node_id: String,
    /// Property `node.cluster`.
    pub node_cluster: String,
    /// What `on_vm_start` reads.
    pub vm_configuration: Bytes,
    /// What `on_configure` reads.
    pub configuration: Bytes,
    /// Whether `Pause` in a headers callback lets body callbacks run (Envoy >= 1.35).
    pub allow_on_headers_stop_iteration: bool,
    /// What happens to new streams after a trap.
    pub on_trap: OnTrap,
    /// Whether the foreign function `verify_signature` exists.
    pub verify_signature: bool,
    /// The environment variables the guest sees.
    pub environment: Vec<(String, String)>,
    /// The lowest level that is logged.
    pub log_level: LogLevel,
    /// Fixes the random numbers that the guest and the host draw. `None`: the system's.
    pub random_seed: Option<u64>,
}

/// `failure_policy`. `FAIL_OPEN` is not offered: a gateway that lets requests by is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTrap {
    /// `FAIL_RELOAD`: a new VM serves new streams, if the one that failed was started at least
    /// `backoff` ago; until then new streams get 503. (Envoy jitters this time.)
    Reload {
        /// `reload_config.backoff.base_interval`.
        backoff: Duration,
    },
    /// `FAIL_CLOSED`: every later stream gets 503.
    FailClosed,
}

/// The levels of `proxy_log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum LogLevel {
    /// 0
    Trace = 0,
    /// 1
    Debug = 1,
    /// 2
    Info = 2,
    /// 3
    Warn = 3,
    /// 4
    Error = 4,
    /// 5
    Critical = 5,
}

/// Bounds on one VM.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Instructions (roughly) one callback may run before it traps. In Envoy an endless guest
    /// loop hangs the worker thread for good; here it ends as a trap.
    pub fuel_per_callback: u64,
    /// Linear memory in bytes.
    pub memory: usize,
}

/// The HTTP connection manager.
#[derive(Clone, Debug)]
pub struct Listener {
    /// `per_connection_buffer_limit_bytes`.
    pub buffer_limit: usize,
    /// `request_timeout`: the whole request must have arrived by then.
    pub request_timeout: Option<Duration>,
    /// `stream_idle_timeout`.
    pub stream_idle_timeout: Option<Duration>,
    /// `server_name`, which overwrites the `server` response header. `None`: passed through.
    pub server_name: Option<String>,
    /// `use_remote_address`: the peer's address is appended to `x-forwarded-for`.
    pub use_remote_address: bool,
    /// `generate_request_id`.
    pub generate_request_id: bool,
}

/// The route and the router filter.
#[derive(Clone, Debug)]
pub struct Route {
    /// Property `route_name`.
    pub name: String,
    /// Where requests go.
    pub cluster: ClusterChoice,
    /// `timeout` of the route; `None` disables it.
    pub timeout: Option<Duration>,
    /// `suppress_envoy_headers` of the router.
    pub suppress_envoy_headers: bool,
}

/// How the route picks a cluster.
#[derive(Clone, Debug)]
pub enum ClusterChoice {
    /// `cluster_header`: the value of this request header, once the filter is done with it.
    Header(String),
    /// `cluster`.
    Fixed(String),
    /// There is no route: 404.
    NoRoute,
}

// === defaults ===

impl Default for Plugin {
    fn default() -> Self {
        Self {
            name: "plugin".into(),
            root_id: String::new(),
            vm_id: String::new(),
            node_id: "tollgate-host".into(),
            node_cluster: "tollgate-host".into(),
            vm_configuration: Bytes::new(),
            configuration: Bytes::new(),
            allow_on_headers_stop_iteration: false,
            on_trap: OnTrap::Reload { backoff: Duration::from_secs(1) },
            verify_signature: true,
            environment: Vec::new(),
            log_level: LogLevel::Info,
            random_seed: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { fuel_per_callback: 20_000_000_000, memory: 1 << 30 }
    }
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            buffer_limit: 1024 * 1024,
            request_timeout: None,
            stream_idle_timeout: Some(Duration::from_secs(300)),
            server_name: Some("envoy".into()),
            use_remote_address: true,
            generate_request_id: true,
        }
    }
}

impl Default for Route {
    fn default() -> Self {
        Self {
            name: String::new(),
            cluster: ClusterChoice::Header("x-tollgate-cluster".into()),
            timeout: Some(Duration::from_secs(15)),
            suppress_envoy_headers: false,
        }
    }
}

// === impl ClusterChoice ===

impl ClusterChoice {
    /// The cluster of a request with this head; `None` when there is no route for it.
    pub(crate) fn of(&self, head: &HeaderMap) -> Option<String> {
        // No route matches without a path; the one virtual host here is for every authority.
        if !head.contains(":path") {
            return None;
        }
        match self {
            Self::NoRoute => None,
            Self::Fixed(name) => Some(name.clone()),
            Self::Header(header) => Some(head.get_str(header).unwrap_or_default().to_owned()),
        }
    }
}

// === impl LogLevel ===

impl LogLevel {
    /// The level with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Critical]
            .into_iter()
            .find(|level| *level as u32 == number)
    }
}
