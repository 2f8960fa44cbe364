//! What the engine's thread does: events in, outputs carried out, and nobody sends faster than the other side takes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tollgate_host::{Clock, ExchangeId, HeaderMap, LogLevel, LogLine, Output, StreamId, Worker};

use super::edge::{self, Answer};
use super::engine::{Input, Key, Notice};
use super::exchange::Backends;
use super::journal::Recorder;
use super::pipe::{self, Signal, Writer};
use crate::cli::diagnostics::printable;
use crate::cli::say;
use crate::cli::server::{Body, empty};

/// The worker and everyone whom it deals with.
pub(super) struct Thread {
    worker: Worker,
    clock: Arc<dyn Clock>,
    runtime: Handle,
    backends: Backends,
    inputs: mpsc::WeakSender<Input>,
    notices: mpsc::UnboundedSender<Notice>,
    streams: HashMap<Key, StreamId>,
    downstreams: HashMap<StreamId, Downstream>,
    upstreams: HashMap<ExchangeId, Upstream>,
    recorder: Recorder,
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

// === impl Thread ===

impl Thread {
    pub fn new(
        worker: Worker,
        clock: Arc<dyn Clock>,
        runtime: Handle,
        backends: Backends,
        inputs: mpsc::WeakSender<Input>,
        notices: mpsc::UnboundedSender<Notice>,
        recorder: Recorder,
    ) -> Self {
        let (streams, downstreams, upstreams) = Default::default();
        Self { worker, clock, runtime, backends, inputs, notices, streams, downstreams, upstreams, recorder }
    }

    /// Works until nobody can send another event and every request is answered.
    pub async fn run(&mut self, mut inputs: mpsc::Receiver<Input>, mut notices: mpsc::UnboundedReceiver<Notice>) {
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

    /// Lets the filter end in order.
    pub fn end(&mut self) {
        self.worker.shut_down();
        print_logs(self.worker.drain_logs());
    }

    fn feed(&mut self, input: Input) -> Source {
        match input {
            Input::Request { key, connection, head, end, reply, go } => {
                let (peer, at_filter) = (connection.peer, self.worker.head_at_filter(&connection, head.clone()));
                let stream = self.worker.begin(connection, head, end);
                self.recorder.began(stream, key, peer, at_filter);
                self.streams.insert(key, stream);
                let gate = Gate { open: go, held: false, slow: false };
                let downstream = Downstream { key, reply: Some(reply), writer: None, gate, source: None };
                self.downstreams.insert(stream, downstream);
                Source::Client(stream)
            }
            Input::Data { key, data, end } => match self.streams.get(&key).copied() {
                None => Source::Other,
                Some(stream) => {
                    self.recorder.request_data(stream, &data);
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
                self.recorder.upstream_head(exchange, &head, end);
                self.worker.upstream_head(exchange, head, end);
                self.ended(exchange, end)
            }
            Input::UpstreamData { exchange, data, end } => {
                self.recorder.upstream_data(exchange, &data, end);
                self.worker.upstream_data(exchange, data, end);
                self.ended(exchange, end)
            }
            Input::UpstreamTrailers { exchange, trailers } => {
                self.recorder.upstream_trailers(exchange, &trailers);
                self.worker.upstream_trailers(exchange, trailers);
                self.ended(exchange, true)
            }
            Input::UpstreamFailed { exchange, failure } => {
                self.recorder.upstream_failed(exchange, &failure);
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
            Output::UpstreamHead { exchange, cluster, head, end, callout } => {
                let stream = match source {
                    Source::Client(stream) => Some(stream),
                    Source::Backend(before) => self.recorder.owner(before),
                    Source::Other => None,
                };
                self.recorder.asks(exchange, stream, &cluster, &head, callout);
                self.open(exchange, cluster, head, end, source);
            }
            Output::UpstreamData { exchange, data, end } => self.send_upstream(exchange, data, end, source),
            Output::UpstreamTrailers { exchange, trailers } => {
                if let Some(writer) = self.upstreams.get_mut(&exchange).and_then(|upstream| upstream.writer.take()) {
                    writer.trailers(edge::to_fields(&trailers));
                }
            }
            Output::UpstreamReset { exchange } => {
                self.recorder.given_up(exchange);
                if let Some(upstream) = self.upstreams.remove(&exchange) {
                    upstream.task.abort();
                }
            }
            Output::UpstreamFlow { exchange, go } => {
                if let Some(upstream) = self.upstreams.get_mut(&exchange) {
                    upstream.gate.hold(!go);
                }
            }
            Output::ResponseHead { stream, head, end } => {
                self.recorder.response_head(stream, &head);
                self.answer(stream, head, end, source);
            }
            Output::ResponseData { stream, data, end } => {
                self.recorder.response_data(stream, &data);
                self.send_downstream(stream, data, end, source);
            }
            Output::ResponseTrailers { stream, trailers } => {
                if let Some(writer) = self.downstreams.get_mut(&stream).and_then(|downstream| downstream.writer.take()) {
                    writer.trailers(edge::to_fields(&trailers));
                }
                self.forget(stream);
            }
            Output::ResponseReset { stream } => self.forget(stream),
            Output::StreamEnded { stream, end } => self.recorder.ended(stream, end),
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
            if full
                && !end
                && let Some(downstream) = self.downstreams.get_mut(&stream)
            {
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

/// Shows what the filter has to say.
pub(super) fn print_logs(lines: Vec<LogLine>) {
    for line in lines {
        let level = match line.level {
            LogLevel::Trace | LogLevel::Debug | LogLevel::Info => "info",
            LogLevel::Warn => "warning",
            LogLevel::Error | LogLevel::Critical => "error",
        };
        say(&format!("{level}: {}\n", printable(&line.message)));
    }
}
