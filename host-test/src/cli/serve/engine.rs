//! The thread on which the filter runs: it feeds the host's worker what happens on connections, and carries out what the worker
//! asks for. The worker never waits and neither does this thread; whatever waits is a task of the runtime.
//!
//! One thread serves one configuration. Envoy has one a core; here one is enough for a laptop, and a single order of events is
//! easier to follow. A new configuration gets a thread of its own, and the old one ends with its last request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tollgate_host::{
    Clock, Connection, ExchangeId, FilterModule, HeaderMap, LogLevel, LogLine, Output, Settings, Shared, StreamId, SystemClock,
    UpstreamFailure, Worker,
};

use super::edge::{self, Answer};
use super::exchange::Backends;
use super::pipe::{self, Signal, Writer};
use crate::cli::diagnostics::printable;
use crate::cli::say;
use crate::cli::server::{Body, empty};

/// Events that may wait for the thread; who has one more waits himself.
const QUEUE: usize = 256;

/// Names a request before the worker has named its stream.
pub type Key = u64;

/// What happened on a connection.
pub enum Input {
    /// A client sent the head of a request.
    Request { key: Key, connection: Connection, head: HeaderMap, end: bool, reply: oneshot::Sender<Answer>, go: watch::Sender<bool> },
    /// A part of its body.
    Data { key: Key, data: Bytes, end: bool },
    /// Its trailers.
    Trailers { key: Key, trailers: HeaderMap },
    /// A backend sent the head of a response.
    UpstreamHead { exchange: ExchangeId, head: HeaderMap, end: bool },
    /// A part of its body.
    UpstreamData { exchange: ExchangeId, data: Bytes, end: bool },
    /// Its trailers.
    UpstreamTrailers { exchange: ExchangeId, trailers: HeaderMap },
    /// A backend is lost.
    UpstreamFailed { exchange: ExchangeId, failure: UpstreamFailure },
}

/// What must never wait.
enum Notice {
    /// The client of a request is gone.
    Gone(Key),
    /// The response of a request has gone out far enough.
    ResponseDrained(Key),
    /// The request of an exchange has gone out far enough.
    RequestDrained(ExchangeId),
    /// A queue of the worker has items.
    Wake,
}

/// A handle on the thread. The thread ends when the last handle and the last request have.
#[derive(Clone)]
pub struct Engine {
    inputs: mpsc::Sender<Input>,
    notices: mpsc::UnboundedSender<Notice>,
}

/// Tells the thread that a client is gone, unless it was answered.
pub struct Presence {
    key: Key,
    notices: Option<mpsc::UnboundedSender<Notice>>,
}

struct Thread {
    worker: Worker,
    clock: Arc<dyn Clock>,
    runtime: Handle,
    backends: Backends,
    inputs: mpsc::WeakSender<Input>,
    notices: mpsc::UnboundedSender<Notice>,
    streams: HashMap<Key, StreamId>,
    downstreams: HashMap<StreamId, Downstream>,
    upstreams: HashMap<ExchangeId, Upstream>,
}

/// The client's side of a request.
struct Downstream {
    key: Key,
    reply: Option<oneshot::Sender<Answer>>,
    writer: Option<Writer>,
    gate: Gate,
    /// The exchange whose response it gets, once that is known.
    source: Option<ExchangeId>,
}

/// The backend's side of a request.
struct Upstream {
    writer: Option<Writer>,
    gate: Gate,
    task: JoinHandle<()>,
    /// The stream whose body it gets, once that is known.
    source: Option<StreamId>,
}

/// Whether a source is read: not while the worker holds enough, nor while the other side is slow.
struct Gate {
    open: watch::Sender<bool>,
    held: bool,
    slow: bool,
}

/// Whose event is being worked on: what comes of it goes as fast as they can take it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Client(StreamId),
    Backend(ExchangeId),
    Other,
}

// === impl Engine ===

impl Engine {
    /// Starts the filter; fails with what it has to say against its configuration.
    pub async fn start(
        module: &FilterModule,
        settings: Settings,
        shared: Arc<Shared>,
        backends: Backends,
    ) -> Result<Self, String> {
        let (inputs, events) = mpsc::channel(QUEUE);
        let (notices, heard) = mpsc::unbounded_channel();
        let engine = Self { inputs: inputs.clone(), notices: notices.clone() };
        let (started, verdict) = oneshot::channel();
        let runtime = Handle::current();
        let module = module.clone();
        // The thread must not keep itself alive.
        let inputs = inputs.downgrade();
        std::thread::spawn(move || {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
            let mut worker = match Worker::start(&module, settings, shared, Arc::clone(&clock)) {
                Ok(worker) => worker,
                Err(error) => {
                    let said: Vec<String> = error.logs().iter().map(|line| line.message.clone()).collect();
                    drop(started.send(Err(format!("{error}\n{}", said.join("\n")))));
                    return;
                }
            };
            print_logs(worker.drain_logs());
            drop(started.send(Ok(())));
            let waker = notices.clone();
            worker.set_waker(Arc::new(move || drop(waker.send(Notice::Wake))));
            let (streams, downstreams, upstreams) = Default::default();
            let mut thread =
                Thread { worker, clock, runtime: runtime.clone(), backends, inputs, notices, streams, downstreams, upstreams };
            runtime.block_on(thread.run(events, heard));
            thread.worker.shut_down();
            print_logs(thread.worker.drain_logs());
        });
        verdict.await.map_err(|_| "the module's thread ended before it began".to_owned())??;
        Ok(engine)
    }

    /// Hands an event over; false when the thread is gone.
    pub async fn tell(&self, input: Input) -> bool {
        self.inputs.send(input).await.is_ok()
    }

    /// What to hold while waiting for an answer.
    pub fn presence(&self, key: Key) -> Presence {
        Presence { key, notices: Some(self.notices.clone()) }
    }
}

// === impl Presence ===

impl Presence {
    /// The answer is there: from now on its body tells when the client is gone.
    pub fn answered(mut self) {
        self.notices = None;
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some(notices) = &self.notices {
            let _ = notices.send(Notice::Gone(self.key));
        }
    }
}

// === impl Thread ===

impl Thread {
    async fn run(&mut self, mut inputs: mpsc::Receiver<Input>, mut notices: mpsc::UnboundedReceiver<Notice>) {
        let mut open = true;
        while open || !self.downstreams.is_empty() {
            let deadline = self.worker.next_deadline().map(|at| at.saturating_sub(self.clock.now()));
            let source = tokio::select! {
                biased;
                Some(notice) = notices.recv() => self.hear(notice),
                input = inputs.recv(), if open => match input {
                    Some(input) => self.feed(input),
                    None => {
                        open = false;
                        Source::Other
                    }
                },
                () = sleep(deadline) => {
                    self.worker.on_time();
                    Source::Other
                }
            };
            while let Some(output) = self.worker.poll() {
                self.carry_out(output, source);
            }
            print_logs(self.worker.drain_logs());
        }
    }

    fn feed(&mut self, input: Input) -> Source {
        match input {
            Input::Request { key, connection, head, end, reply, go } => {
                let stream = self.worker.begin(connection, head, end);
                self.streams.insert(key, stream);
                let gate = Gate { open: go, held: false, slow: false };
                let downstream = Downstream { key, reply: Some(reply), writer: None, gate, source: None };
                self.downstreams.insert(stream, downstream);
                Source::Client(stream)
            }
            Input::Data { key, data, end } => match self.streams.get(&key).copied() {
                None => Source::Other,
                Some(stream) => {
                    self.worker.request_data(stream, data, end);
                    Source::Client(stream)
                }
            },
            Input::Trailers { key, trailers } => match self.streams.get(&key).copied() {
                None => Source::Other,
                Some(stream) => {
                    self.worker.request_trailers(stream, trailers);
                    Source::Client(stream)
                }
            },
            Input::UpstreamHead { exchange, head, end } => {
                self.worker.upstream_head(exchange, head, end);
                self.ended(exchange, end)
            }
            Input::UpstreamData { exchange, data, end } => {
                self.worker.upstream_data(exchange, data, end);
                self.ended(exchange, end)
            }
            Input::UpstreamTrailers { exchange, trailers } => {
                self.worker.upstream_trailers(exchange, trailers);
                self.ended(exchange, true)
            }
            Input::UpstreamFailed { exchange, failure } => {
                self.worker.upstream_failed(exchange, failure);
                self.ended(exchange, true)
            }
        }
    }

    fn ended(&mut self, exchange: ExchangeId, end: bool) -> Source {
        if end {
            self.upstreams.remove(&exchange);
        }
        Source::Backend(exchange)
    }

    fn hear(&mut self, notice: Notice) -> Source {
        match notice {
            Notice::Wake => self.worker.on_time(),
            Notice::Gone(key) => {
                if let Some(stream) = self.streams.remove(&key) {
                    self.downstreams.remove(&stream);
                    self.worker.downstream_reset(stream);
                }
            }
            Notice::ResponseDrained(key) => {
                let source = self.streams.get(&key).and_then(|stream| self.downstreams.get(stream)?.source);
                if let Some(upstream) = source.and_then(|exchange| self.upstreams.get_mut(&exchange)) {
                    upstream.gate.slow(false);
                }
            }
            Notice::RequestDrained(exchange) => {
                let source = self.upstreams.get(&exchange).and_then(|upstream| upstream.source);
                if let Some(downstream) = source.and_then(|stream| self.downstreams.get_mut(&stream)) {
                    downstream.gate.slow(false);
                }
            }
        }
        Source::Other
    }

    fn carry_out(&mut self, output: Output, source: Source) {
        match output {
            Output::UpstreamHead { exchange, cluster, head, end, .. } => self.open(exchange, cluster, head, end, source),
            Output::UpstreamData { exchange, data, end } => self.send_upstream(exchange, data, end, source),
            Output::UpstreamTrailers { exchange, trailers } => {
                if let Some(writer) = self.upstreams.get_mut(&exchange).and_then(|upstream| upstream.writer.take()) {
                    writer.trailers(edge::to_fields(&trailers));
                }
            }
            Output::UpstreamReset { exchange } => {
                if let Some(upstream) = self.upstreams.remove(&exchange) {
                    upstream.task.abort();
                }
            }
            Output::UpstreamFlow { exchange, go } => {
                if let Some(upstream) = self.upstreams.get_mut(&exchange) {
                    upstream.gate.hold(!go);
                }
            }
            Output::ResponseHead { stream, head, end } => self.answer(stream, head, end, source),
            Output::ResponseData { stream, data, end } => self.send_downstream(stream, data, end, source),
            Output::ResponseTrailers { stream, trailers } => {
                if let Some(writer) = self.downstreams.get_mut(&stream).and_then(|downstream| downstream.writer.take()) {
                    writer.trailers(edge::to_fields(&trailers));
                }
                self.forget(stream);
            }
            Output::ResponseReset { stream } => self.forget(stream),
            Output::RequestFlow { stream, go } => {
                if let Some(downstream) = self.downstreams.get_mut(&stream) {
                    downstream.gate.hold(!go);
                }
            }
        }
    }

    fn open(&mut self, exchange: ExchangeId, cluster: String, head: HeaderMap, end: bool, source: Source) {
        // Without a single handle nobody could hear of the response, and nobody waits for it.
        let Some(report) = self.inputs.upgrade() else { return };
        let (writer, body) = if end {
            (None, empty())
        } else {
            let notices = self.notices.clone();
            let (writer, reader) = pipe::pipe(move |signal| {
                // A backend that stops reading can still answer; if it does not, the exchange itself fails.
                if signal == Signal::Drained {
                    let _ = notices.send(Notice::RequestDrained(exchange));
                }
            });
            (Some(writer), Body::new(reader))
        };
        let (open, go) = watch::channel(true);
        let task = self.runtime.spawn(self.backends.clone().run(exchange, cluster, head, body, report, go));
        let source = match source {
            Source::Client(stream) => Some(stream),
            _ => None,
        };
        self.upstreams.insert(exchange, Upstream { writer, gate: Gate { open, held: false, slow: false }, task, source });
    }

    fn send_upstream(&mut self, exchange: ExchangeId, data: Bytes, end: bool, source: Source) {
        let Some(upstream) = self.upstreams.get_mut(&exchange) else { return };
        let Some(writer) = &upstream.writer else { return };
        let full = !data.is_empty() && writer.data(data);
        if end {
            writer.finish();
            upstream.writer = None;
        }
        if let Source::Client(stream) = source {
            upstream.source = Some(stream);
            if full && !end && let Some(downstream) = self.downstreams.get_mut(&stream) {
                downstream.gate.slow(true);
            }
        }
    }

    fn answer(&mut self, stream: StreamId, head: HeaderMap, end: bool, source: Source) {
        let Some(downstream) = self.downstreams.get_mut(&stream) else { return };
        let Some(reply) = downstream.reply.take() else { return };
        if let Source::Backend(exchange) = source {
            downstream.source = Some(exchange);
        }
        if end {
            let _ = reply.send(Answer { head, body: None });
            self.forget(stream);
            return;
        }
        let (notices, key) = (self.notices.clone(), downstream.key);
        let (writer, reader) = pipe::pipe(move |signal| {
            let notice = match signal {
                Signal::Drained => Notice::ResponseDrained(key),
                Signal::Gone => Notice::Gone(key),
            };
            let _ = notices.send(notice);
        });
        downstream.writer = Some(writer);
        let _ = reply.send(Answer { head, body: Some(reader) });
    }

    fn send_downstream(&mut self, stream: StreamId, data: Bytes, end: bool, source: Source) {
        let Some(downstream) = self.downstreams.get_mut(&stream) else { return };
        let Some(writer) = &downstream.writer else { return };
        let full = !data.is_empty() && writer.data(data);
        if end {
            writer.finish();
            self.forget(stream);
            return;
        }
        if let Source::Backend(exchange) = source {
            downstream.source = Some(exchange);
            if full && let Some(upstream) = self.upstreams.get_mut(&exchange) {
                upstream.gate.slow(true);
            }
        }
    }

    /// The stream is over for its client: what was not finished is cut off.
    fn forget(&mut self, stream: StreamId) {
        if let Some(downstream) = self.downstreams.remove(&stream) {
            self.streams.remove(&downstream.key);
        }
    }
}

// === impl Gate ===

impl Gate {
    fn hold(&mut self, held: bool) {
        self.held = held;
        self.open.send_replace(!self.held && !self.slow);
    }

    fn slow(&mut self, slow: bool) {
        self.slow = slow;
        self.open.send_replace(!self.held && !self.slow);
    }
}

async fn sleep(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

fn print_logs(lines: Vec<LogLine>) {
    for line in lines {
        let level = match line.level {
            LogLevel::Trace | LogLevel::Debug | LogLevel::Info => "info",
            LogLevel::Warn => "warning",
            LogLevel::Error | LogLevel::Critical => "error",
        };
        say(&format!("{level}: {}\n", printable(&line.message)));
    }
}
