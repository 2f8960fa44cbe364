//! The module in the wasmtime host, in memory: stub upstreams, a virtual clock. Finds what the shell does to the gateway's
//! decisions, at the speed of a unit test.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tollgate_host::{
    Clock, Connection, FilterModule, HeaderMap, Host, HostBuilder, LogLevel, Request as HostRequest, StreamEnd, Stub,
    UpstreamReply, VirtualClock,
};

use super::body::{latin1, to_latin1};
use super::case::{Backend, Fault, Request};
use super::envoy::{module, workspace};
use super::observation::{Line, Observation, UpstreamRequest, execution_log, sorted};
use super::report::say;
use super::router::BUFFER_LIMIT;
use super::{Clusters, Driver};

/// The property that the filter leaves where a stage has `accessLogSettings`.
const ACCESS_LOG: &[u8] = b"tollgate_access_log";

/// The module, and a VM for each document.
pub struct Wasm {
    module: FilterModule,
    documents: BTreeMap<String, String>,
    hosts: BTreeMap<String, Host>,
    /// One for all VMs.
    clock: VirtualClock,
}

// === impl Wasm ===

impl Wasm {
    /// Compiles the module, or finds it compiled.
    pub fn new() -> Self {
        let cache = workspace().join("target/wasmtime-cache");
        let module = FilterModule::from_file_cached(module(), cache).unwrap_or_else(|e| panic!("{e}"));
        say(&format!("module under test: sha256 {}\n", module.sha256()));
        Self { module, documents: BTreeMap::new(), hosts: BTreeMap::new(), clock: VirtualClock::default() }
    }

    /// The listener of `envoy/edge.yaml`, in the host's words.
    fn builder(&self, document: &str) -> HostBuilder {
        Host::builder(&self.module)
            .plugin_configuration(document.to_owned())
            .clock(self.clock.clone())
            .allow_on_headers_stop_iteration(true)
            .buffer_limit(BUFFER_LIMIT)
            .route_timeout(Some(Duration::from_secs(60)))
            .log_level(LogLevel::Debug)
            .with(|settings| {
                settings.listener.server_name = None;
                settings.listener.generate_request_id = false;
                settings.listener.request_timeout = Some(Duration::from_secs(60));
                settings.listener.stream_idle_timeout = Some(Duration::from_secs(65));
                settings.route.suppress_envoy_headers = true;
            })
    }
}

impl Driver for Wasm {
    fn name(&self) -> &'static str {
        "wasm"
    }

    fn now(&self) -> Duration {
        self.clock.wall()
    }

    fn load(&mut self, name: &str, document: &Value) -> Result<(), String> {
        let document = document.to_string();
        match self.builder(&document).build() {
            Ok(_) => {
                self.documents.insert(name.to_owned(), document);
                Ok(())
            }
            Err(error) => Err(error.logs().iter().map(|line| format!("{}\n", line.message)).collect()),
        }
    }

    fn observe(&mut self, name: &str, request: &Request, clusters: &Clusters) -> Result<Observation, String> {
        if !self.hosts.contains_key(name) {
            let document = self.documents.get(name).ok_or_else(|| format!("`{name}` is not loaded"))?;
            let builder = clusters.keys().fold(self.builder(document), |b, cluster| b.cluster(cluster, Stub::hang()));
            let host = builder.build().map_err(|error| error.to_string())?;
            self.hosts.insert(name.to_owned(), host);
        }
        let host = self.hosts.get_mut(name).expect("it was put there");
        for (cluster, backend) in clusters {
            host.restub(cluster, stub(backend));
        }
        let outcome = host.send(host_request(request));
        let reloads = host.worker().vm_reloads();
        let logs: Vec<&str> = outcome.logs.iter().map(|line| line.message.as_str()).collect();
        if reloads != 0 {
            return Err(format!("the module trapped: {}", logs.join("\n")));
        }
        let response = outcome.response;
        if !response.complete {
            return Err(format!("no complete answer: {}", logs.join("\n")));
        }
        if let Some(wrong) = outcome.upstream_requests.iter().find(|r| r.complete && !r.length_is_right()) {
            return Err(format!("an upstream request whose content-length is not that of its body: {wrong:?}"));
        }
        // What an upstream had not yet got in full when it was given up is no request that a backend would have seen.
        let seen = outcome.upstream_requests.iter().filter(|request| request.complete);
        let seen = seen.filter(|request| clusters.get(&request.cluster).is_none_or(|b| b.fault != Some(Fault::Refuse)));
        let mut observation = Observation {
            status: response.status(),
            headers: lines(&response.headers),
            body: response.body.to_vec(),
            trailers: lines(&response.trailers),
            upstream: seen.map(upstream_request).collect(),
            access_log: access_log(response.end.as_ref()),
            execution_log: Some(execution_log(logs.into_iter())),
        };
        if request.method == "HEAD" {
            observation.body.clear();
        }
        Ok(observation)
    }
}

/// The request as the host takes it.
pub fn host_request(request: &Request) -> HostRequest {
    let bytes = |text: &str| latin1(text).expect("checked when the file was read");
    // The client of the other two drivers is on loopback.
    let peer = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 51234));
    let connection = Connection { peer, ..Connection::default() };
    let mut out = HostRequest::new(&request.method, "/").connection(connection).header(":path", bytes(&request.path));
    out = out.header(":authority", bytes(request.host()));
    for (name, value) in request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
        out = out.header(&name.to_ascii_lowercase(), bytes(value));
    }
    let pieces = request.pieces();
    if request.is_chunked() {
        out = pieces.into_iter().fold(out, HostRequest::chunk);
    } else if request.has_body() {
        out = out.body(pieces.concat());
    }
    request.trailers.iter().fold(out, |out, (name, value)| out.trailer(&name.to_ascii_lowercase(), bytes(value)))
}

/// A backend as the host plays it.
pub fn stub(backend: &Backend) -> Stub {
    if backend.paths.is_empty() {
        return plain_stub(backend);
    }
    let backend = backend.clone();
    Stub::ask(move |request| plain_stub(backend.at(request.path())))
}

fn plain_stub(backend: &Backend) -> Stub {
    let stub = match backend.fault {
        Some(Fault::Refuse) => Stub::refuse("delayed connect error: Connection refused"),
        Some(Fault::Reset) => Stub::close(),
        Some(Fault::Hang) => Stub::hang(),
        None | Some(Fault::Cut | Fault::Stall) => {
            let bytes = |text: &str| latin1(text).expect("checked when the file was read");
            let mut reply = UpstreamReply::new(backend.status());
            for (name, value) in &backend.headers {
                reply = reply.header(&name.to_ascii_lowercase(), bytes(value));
            }
            reply = match backend.chunks {
                Some(_) => backend.pieces().into_iter().fold(reply, UpstreamReply::chunk),
                None if matches!(backend.status(), 204 | 304) => reply,
                None => reply.body(backend.pieces().concat()),
            };
            let trailers = backend.trailers.iter();
            let reply = trailers.fold(reply, |reply, (name, value)| reply.trailer(&name.to_ascii_lowercase(), bytes(value)));
            Stub::respond(match backend.fault {
                Some(Fault::Cut) => reply.breaking_off(),
                Some(Fault::Stall) => reply.stalling(),
                _ => reply,
            })
        }
    };
    stub.after(Duration::from_millis(backend.delay_millis))
}

/// What `%FILTER_STATE(wasm.tollgate_access_log:PLAIN)%` would show.
fn access_log(end: Option<&StreamEnd>) -> Option<String> {
    let line = end?.filter_state.get(ACCESS_LOG)?;
    Some(String::from_utf8_lossy(line).into_owned())
}

fn upstream_request(request: &tollgate_host::UpstreamRequest) -> UpstreamRequest {
    let pseudo = |name: &str| to_latin1(request.headers.get(name).unwrap_or_default());
    UpstreamRequest {
        cluster: request.cluster.clone(),
        method: pseudo(":method"),
        path: pseudo(":path"),
        host: pseudo(":authority"),
        // The route of `envoy/edge.yaml` removes it (`request_headers_to_remove`).
        headers: lines(&request.headers).into_iter().filter(|(name, _)| name != "x-tollgate-cluster").collect(),
        body: request.body.to_vec(),
        trailers: lines(&request.trailers),
    }
}

/// Without pseudo headers.
fn lines(headers: &HeaderMap) -> Vec<Line> {
    let all = headers.iter().map(|(name, value)| (to_latin1(name), to_latin1(value)));
    sorted(all.filter(|(name, _)| !name.starts_with(':')))
}
