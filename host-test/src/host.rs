//! The host for tests: a worker with stub upstreams and a virtual clock, all in memory.

use crate::clock::{Clock, VirtualClock};
use crate::headers::HeaderMap;
use crate::module::FilterModule;
use crate::settings::{ClusterChoice, LogLevel, OnTrap, Settings};
use crate::shared::{Metric, Shared};
use crate::state::LogLine;
use crate::stream::{Connection, StreamId};
use crate::upstream::{Step, Stub, UpstreamRequest};
use crate::worker::{ExchangeId, Output, StartError, Worker};
use bytes::{Bytes, BytesMut};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A filter under test.
pub struct Host {
    worker: Worker,
    shared: Arc<Shared>,
    clock: VirtualClock,
    stubs: BTreeMap<String, Stub>,
    exchanges: BTreeMap<ExchangeId, Exchange>,
    streams: BTreeMap<StreamId, Response>,
    /// What stubs will do, by time, then in the order in which it was planned.
    planned: BTreeMap<(Duration, u64), (ExchangeId, VecDeque<Step>)>,
    plans: u64,
    upstream_requests: Vec<UpstreamRequest>,
    logs: Vec<LogLine>,
}

/// Sets a [`Host`] up.
pub struct HostBuilder {
    module: FilterModule,
    settings: Settings,
    shared: Arc<Shared>,
    clock: VirtualClock,
    stubs: BTreeMap<String, Stub>,
}

/// A request of a client.
#[derive(Clone, Debug)]
pub struct Request {
    connection: Connection,
    headers: HeaderMap,
    chunks: Vec<Bytes>,
    trailers: Option<HeaderMap>,
    open_ended: bool,
}

/// A response, as far as the client got it.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// All headers with `:status`; empty while there is no response.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The trailers; empty when there were none.
    pub trailers: HeaderMap,
    /// It came to its end.
    pub complete: bool,
    /// The client was cut off.
    pub reset: bool,
    received: BytesMut,
}

/// All that came of one request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the client got. When nothing came within [`Host::PATIENCE`], it is not complete.
    pub response: Response,
    /// What upstreams got meanwhile, callouts too, in the order in which they were begun.
    pub upstream_requests: Vec<UpstreamRequest>,
    /// How often each host function was called meanwhile.
    pub host_calls: BTreeMap<&'static str, u64>,
    /// The fuel that the guest used meanwhile.
    pub fuel: u64,
    /// What was logged meanwhile.
    pub logs: Vec<LogLine>,
    /// How long it took on the virtual clock.
    pub took: Duration,
}

struct Exchange {
    request: UpstreamRequest,
    body: BytesMut,
    index: usize,
}

// === impl Host ===

impl Host {
    /// How long [`send`](Self::send) waits for a response, on the virtual clock.
    pub const PATIENCE: Duration = Duration::from_secs(3600);

    /// Begins to set a host up.
    pub fn builder(module: &FilterModule) -> HostBuilder {
        let mut settings = Settings::default();
        settings.plugin.random_seed = Some(1);
        // Time stands still in a test: with Envoy's default nothing would be served after a trap.
        settings.plugin.on_trap = OnTrap::Reload { backoff: Duration::ZERO };
        HostBuilder {
            module: module.clone(),
            settings,
            shared: Arc::default(),
            clock: VirtualClock::default(),
            stubs: BTreeMap::new(),
        }
    }

    /// Sends a request and waits for the end of its response, moving the clock when nothing else
    /// is left to do.
    pub fn send(&mut self, request: Request) -> Outcome {
        let before = Before::of(self);
        let stream = self.open(request);
        let deadline = before.now + Self::PATIENCE;
        loop {
            let done = self.streams.get(&stream).is_none_or(|r| r.complete || r.reset);
            if done || !self.step(deadline) {
                break;
            }
        }
        self.outcome(stream, before)
    }

    /// Sends a request and lets happen what happens at once, but lets no time pass.
    pub fn open(&mut self, request: Request) -> StreamId {
        let Request { connection, headers, chunks, trailers, open_ended } = request;
        let open = open_ended || trailers.is_some();
        let end = chunks.is_empty() && !open;
        let stream = self.worker.begin(connection, headers, end);
        self.streams.insert(stream, Response::default());
        self.run();
        for chunk in chunks {
            self.worker.request_data(stream, chunk, false);
            self.run();
        }
        if let Some(trailers) = trailers {
            self.worker.request_trailers(stream, trailers);
        } else if !end && !open {
            // Over HTTP/1.1 the end of a body comes by itself, after the last chunk.
            self.worker.request_data(stream, Bytes::new(), true);
        }
        self.run();
        stream
    }

    /// Sends one more chunk of a request that [`open`](Self::open) left without an end; see
    /// [`Request::open_ended`].
    pub fn send_data(&mut self, stream: StreamId, chunk: impl Into<Bytes>, end: bool) {
        self.worker.request_data(stream, chunk.into(), end);
        self.run();
    }

    /// The client goes away.
    pub fn abort(&mut self, stream: StreamId) {
        self.worker.downstream_reset(stream);
        self.run();
    }

    /// What a stream's client got so far.
    pub fn response(&mut self, stream: StreamId) -> Response {
        let mut response = self.streams.get(&stream).cloned().unwrap_or_default();
        response.body = response.received.clone().freeze();
        response
    }

    /// Lets time pass: timers fire, slow upstreams answer, each at its time.
    pub fn advance(&mut self, by: Duration) {
        let until = self.clock.now() + by;
        while self.step(until) {}
        self.clock.advance(until.saturating_sub(self.clock.now()));
        self.worker.on_time();
        self.run();
    }

    /// Tries a new plugin configuration. A refused one changes nothing.
    pub fn reconfigure(&mut self, configuration: impl Into<Bytes>) -> Result<(), StartError> {
        let result = self.worker.reconfigure(configuration.into());
        self.run();
        result
    }

    /// Replaces or adds a stub of a cluster that was known when the host was built.
    pub fn restub(&mut self, cluster: &str, stub: Stub) {
        self.stubs.insert(cluster.to_owned(), stub);
    }

    /// What upstreams got and no [`Outcome`] has reported yet.
    pub fn take_upstream_requests(&mut self) -> Vec<UpstreamRequest> {
        for exchange in self.exchanges.values() {
            if let Some(request) = self.upstream_requests.get_mut(exchange.index) {
                *request = exchange.request.clone();
                request.body = exchange.body.clone().freeze();
            }
        }
        // What is still under way has been reported: its place is gone.
        for exchange in self.exchanges.values_mut() {
            exchange.index = usize::MAX;
        }
        std::mem::take(&mut self.upstream_requests)
    }

    /// What was logged and no [`Outcome`] has reported yet.
    pub fn take_logs(&mut self) -> Vec<LogLine> {
        self.logs.extend(self.worker.drain_logs());
        std::mem::take(&mut self.logs)
    }

    /// All metrics, by name.
    pub fn metrics(&self) -> BTreeMap<String, Metric> {
        self.shared.metrics()
    }

    /// The worker itself.
    pub fn worker(&mut self) -> &mut Worker {
        &mut self.worker
    }

    /// The host's clock.
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// Shared data as the guest sees it.
    pub fn shared_data(&self, vm_id: &str, key: &str) -> Option<Bytes> {
        self.shared.get(vm_id, key.as_bytes()).map(|(value, _)| value)
    }

    /// Moves to the next thing that happens, unless it is later than `until`.
    fn step(&mut self, until: Duration) -> bool {
        let now = self.clock.now();
        let planned = self.planned.keys().next().map(|(at, _)| *at);
        let timer = self.worker.next_deadline();
        let Some(at) = [planned, timer].into_iter().flatten().min().filter(|at| *at <= until) else {
            return false;
        };
        self.clock.advance(at.saturating_sub(now));
        // A reply that comes at the very moment of a timeout comes first.
        if planned == Some(at) {
            if let Some((_, (exchange, steps))) = self.planned.pop_first() {
                self.play(exchange, steps);
            }
        } else {
            self.worker.on_time();
            self.run();
        }
        true
    }

    fn play(&mut self, exchange: ExchangeId, steps: VecDeque<Step>) {
        for step in steps {
            if !self.exchanges.contains_key(&exchange) {
                break;
            }
            match step {
                Step::Head(head, end) => self.worker.upstream_head(exchange, head, end),
                Step::Data(data, end) => self.worker.upstream_data(exchange, data, end),
                Step::Trailers(trailers) => self.worker.upstream_trailers(exchange, trailers),
                Step::Fail(failure) => self.worker.upstream_failed(exchange, failure),
            }
            // No timer may come between the parts.
            self.drain();
        }
        self.close(exchange);
        self.run();
    }

    /// Carries out what the worker asks for, until it asks for nothing more.
    fn run(&mut self) {
        self.worker.on_time();
        while self.drain() {
            self.worker.on_time();
        }
    }

    /// Carries out what the worker has asked for; whether that was anything.
    fn drain(&mut self) -> bool {
        let mut some = false;
        while let Some(output) = self.worker.poll() {
            self.carry_out(output);
            some = true;
        }
        self.logs.extend(self.worker.drain_logs());
        some
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::UpstreamHead { exchange, cluster, head, end, callout } => {
                let request = UpstreamRequest { cluster, headers: head, callout, ..Default::default() };
                let index = self.upstream_requests.len();
                self.upstream_requests.push(request.clone());
                self.exchanges.insert(exchange, Exchange { request, body: BytesMut::new(), index });
                self.sent(exchange, end);
            }
            Output::UpstreamData { exchange, data, end } => {
                if let Some(open) = self.exchanges.get_mut(&exchange) {
                    open.body.extend_from_slice(&data);
                    self.sent(exchange, end);
                }
            }
            Output::UpstreamTrailers { exchange, trailers } => {
                if let Some(open) = self.exchanges.get_mut(&exchange) {
                    open.request.trailers = trailers;
                    self.sent(exchange, true);
                }
            }
            Output::UpstreamReset { exchange } => self.close(exchange),
            Output::ResponseHead { stream, head, end } => {
                let response = self.streams.entry(stream).or_default();
                response.headers = head;
                response.complete = end;
            }
            Output::ResponseData { stream, data, end } => {
                let response = self.streams.entry(stream).or_default();
                response.received.extend_from_slice(&data);
                response.complete = end;
            }
            Output::ResponseTrailers { stream, trailers } => {
                let response = self.streams.entry(stream).or_default();
                response.trailers = trailers;
                response.complete = true;
            }
            Output::ResponseReset { stream } => {
                self.streams.entry(stream).or_default().reset = true;
            }
            Output::RequestFlow { .. } | Output::UpstreamFlow { .. } => {}
        }
    }

    /// A part of a request has been sent; the stub acts on the last one.
    fn sent(&mut self, exchange: ExchangeId, end: bool) {
        let now = self.clock.now();
        let Some(open) = self.exchanges.get_mut(&exchange) else { return };
        if !end {
            return;
        }
        open.request.complete = true;
        open.request.body = open.body.clone().freeze();
        if let Some(recorded) = self.upstream_requests.get_mut(open.index) {
            *recorded = open.request.clone();
        }
        let Some(stub) = self.stubs.get(&open.request.cluster) else { return };
        let (delay, steps) = stub.act(&open.request);
        if !steps.is_empty() {
            self.plans += 1;
            self.planned.insert((now + delay, self.plans), (exchange, steps.into()));
        }
    }

    fn close(&mut self, exchange: ExchangeId) {
        if let Some(open) = self.exchanges.remove(&exchange)
            && let Some(recorded) = self.upstream_requests.get_mut(open.index)
        {
            *recorded = open.request;
            recorded.body = open.body.freeze();
        }
        self.planned.retain(|_, (of, _)| *of != exchange);
    }

    fn outcome(&mut self, stream: StreamId, before: Before) -> Outcome {
        let mut response = self.response(stream);
        response.received.clear();
        self.streams.remove(&stream);
        let mut host_calls = self.worker.host_calls().clone();
        for (name, count) in &mut host_calls {
            *count -= before.host_calls.get(name).copied().unwrap_or(0);
        }
        host_calls.retain(|_, count| *count > 0);
        Outcome {
            response,
            upstream_requests: self.take_upstream_requests(),
            host_calls,
            fuel: self.worker.fuel_used() - before.fuel,
            logs: self.take_logs(),
            took: self.clock.now() - before.now,
        }
    }
}

/// Where the counters stood.
struct Before {
    now: Duration,
    fuel: u64,
    host_calls: BTreeMap<&'static str, u64>,
}

// === impl Before ===

impl Before {
    fn of(host: &mut Host) -> Self {
        host.take_logs();
        host.take_upstream_requests();
        Self { now: host.clock.now(), fuel: host.worker.fuel_used(), host_calls: host.worker.host_calls().clone() }
    }
}

// === impl HostBuilder ===

impl HostBuilder {
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

// === impl Request ===

impl Request {
    /// A request to `example.com` with a method and a path.
    pub fn new(method: &str, path: &str) -> Self {
        let headers = [(":authority", "example.com"), (":path", path), (":method", method)];
        Self {
            connection: Connection::default(),
            headers: headers.iter().map(|(name, value)| (name, value.to_string())).collect(),
            chunks: Vec::new(),
            trailers: None,
            open_ended: false,
        }
    }

    /// GET
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// POST with a body.
    pub fn post(path: &str, body: impl Into<Bytes>) -> Self {
        Self::new("POST", path).body(body)
    }

    /// Adds a header; a pseudo header is set.
    pub fn header(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        if name.starts_with(':') {
            self.headers.set(name, value);
        } else {
            self.headers.add(name, value);
        }
        self
    }

    /// The body in one chunk, with its content-length.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        self.headers.set("content-length", body.len().to_string());
        self.chunks = if body.is_empty() { Vec::new() } else { vec![body] };
        self
    }

    /// Adds a chunk to the body, without a content-length.
    pub fn chunk(mut self, chunk: impl Into<Bytes>) -> Self {
        self.chunks.push(chunk.into());
        self
    }

    /// Adds a trailer.
    pub fn trailer(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        self.trailers.get_or_insert_default().add(name, value);
        self
    }

    /// More of the body will come by [`Host::send_data`].
    pub fn open_ended(mut self) -> Self {
        self.open_ended = true;
        self
    }

    /// The connection it comes over.
    pub fn connection(mut self, connection: Connection) -> Self {
        self.connection = connection;
        self
    }
}

// === impl Response ===

impl Response {
    /// The status; 0 while there is none.
    pub fn status(&self) -> u16 {
        self.header(":status").and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// The first value of a header, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get_str(name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

// === impl Outcome ===

impl Outcome {
    /// The number of host calls of all kinds.
    pub fn total_host_calls(&self) -> u64 {
        self.host_calls.values().sum()
    }

    /// The requests that were forwarded, without callouts.
    pub fn forwarded(&self) -> Vec<&UpstreamRequest> {
        self.upstream_requests.iter().filter(|request| !request.callout).collect()
    }

    /// The callouts of the guest.
    pub fn callouts(&self) -> Vec<&UpstreamRequest> {
        self.upstream_requests.iter().filter(|request| request.callout).collect()
    }
}
