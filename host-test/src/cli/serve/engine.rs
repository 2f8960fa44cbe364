//! The thread on which the filter runs: it feeds the host's worker what happens on connections, and carries out what the worker
//! asks for. The worker never waits and neither does this thread; whatever waits is a task of the runtime.
//!
//! One thread serves one configuration. Envoy has one a core; here one is enough for a laptop, and a single order of events is
//! easier to follow. A new configuration gets a thread of its own, and the old one ends with its last request.

use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tollgate_host::{
    Clock, Connection, ExchangeId, FilterModule, HeaderMap, Settings, Shared, SystemClock, UpstreamFailure, Worker,
};

use super::edge::Answer;
use super::exchange::Backends;
use super::journal::Recorder;
use super::thread::{Thread, print_logs};

/// Events that may wait for the thread; who has one more waits himself.
const QUEUE: usize = 256;

/// Names a request before the worker has named its stream.
pub type Key = u64;

/// What happened on a connection.
pub enum Input {
    /// A client sent the head of a request.
    Request {
        key: Key,
        connection: Connection,
        head: HeaderMap,
        end: bool,
        reply: oneshot::Sender<Answer>,
        go: watch::Sender<bool>,
    },
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
pub(super) enum Notice {
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

// === impl Engine ===

impl Engine {
    /// Starts the filter; fails with what it has to say against its configuration.
    pub async fn start(
        module: &FilterModule,
        settings: Settings,
        shared: Arc<Shared>,
        backends: Backends,
        recorder: Recorder,
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
            let mut thread = Thread::new(worker, clock, runtime.clone(), backends, inputs, notices, recorder);
            runtime.block_on(thread.run(events, heard));
            thread.end();
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
