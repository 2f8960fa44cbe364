//! The host for tests: a worker with stub upstreams and a virtual clock, all in memory.

mod builder;
mod request;

pub use builder::HostBuilder;
pub use request::{Outcome, Request, Response};

use crate::boot::StartError;
use crate::clock::{Clock, VirtualClock};
use crate::module::FilterModule;
use crate::output::{ExchangeId, Output};
use crate::shared::{Metric, Shared};
use crate::state::LogLine;
use crate::stream::StreamId;
use crate::upstream::{Step, Stub, UpstreamRequest};
use crate::worker::Worker;
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
        HostBuilder::new(module)
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
            Output::StreamEnded { stream, end } => self.streams.entry(stream).or_default().end = Some(end),
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
            bytes_copied: self.worker.bytes_copied() - before.bytes_copied,
            logs: self.take_logs(),
            took: self.clock.now() - before.now,
        }
    }
}

/// Where the counters stood.
struct Before {
    now: Duration,
    fuel: u64,
    bytes_copied: u64,
    host_calls: BTreeMap<&'static str, u64>,
}

// === impl Before ===

impl Before {
    fn of(host: &mut Host) -> Self {
        host.take_logs();
        host.take_upstream_requests();
        Self {
            now: host.clock.now(),
            fuel: host.worker.fuel_used(),
            bytes_copied: host.worker.bytes_copied(),
            host_calls: host.worker.host_calls().clone(),
        }
    }
}
