//! What the host functions see: the data of the wasmtime `Store` of one VM.
//!
//! A host function never runs the stream machine. It reads and edits this state and, for what
//! must happen once the guest has returned, leaves a [`Deferred`]; the worker does the rest.

use crate::abi::Status;
use crate::body::Body;
use crate::callout::Callouts;
use crate::clock::Clock;
use crate::headers::HeaderMap;
use crate::output::Output;
use crate::random::Random;
use crate::settings::{LogLevel, Settings};
use crate::shared::{MetricKind, Shared, WorkerId};
use crate::stream::{Side, Stream, StreamId};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use wasmtime::{Memory, StoreLimits, StoreLimitsBuilder, TypedFunc};

/// The state of one VM and of the worker that runs it.
pub(crate) struct HostState {
    pub settings: Arc<Settings>,
    pub shared: Arc<Shared>,
    pub clock: Arc<dyn Clock>,
    pub worker: WorkerId,
    pub random: Random,
    pub journal: Journal,
    pub outputs: VecDeque<Output>,
    pub streams: BTreeMap<StreamId, Stream>,
    pub callouts: Callouts,
    pub guest: GuestState,
}

/// The part that dies with the VM.
pub(crate) struct GuestState {
    /// Counts the VMs of this worker; a stream of another generation has lost its filter.
    pub generation: u64,
    pub limits: StoreLimits,
    pub memory: Option<Memory>,
    pub allocator: Option<TypedFunc<u32, u32>>,
    pub contexts: HashMap<u32, Context>,
    pub next_context: u32,
    /// The context whose callback runs; 0 outside of any.
    pub current: u32,
    /// Set by `proxy_set_effective_context`; 0 when unset.
    pub effective: u32,
    pub deferred: VecDeque<Deferred>,
    /// A local reply was sent in this callback: whatever it returns means stop.
    pub stop_iteration: bool,
    /// Readable as the plugin configuration, only while `on_configure` runs.
    pub configuration: Option<Bytes>,
    /// Argument of `on_foreign_function`.
    pub call_data: Option<Body>,
    /// What `proxy_get_status` answers.
    pub status: (u32, String),
    pub metrics: HashMap<u32, (Bytes, MetricKind)>,
    pub next_metric: u32,
    pub tick: BTreeMap<u32, Tick>,
    pub declared: BTreeMap<Bytes, Declared>,
    /// Root contexts that answered false to `on_done` and have called `proxy_done` since.
    pub done: BTreeSet<u32>,
}

/// A context of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    Root,
    Stream { root: u32, stream: StreamId },
}

/// What a callback asked for that happens once it has returned.
pub(crate) enum Deferred {
    Continue { stream: StreamId, side: Side },
    LocalReply { stream: StreamId, reply: LocalReply },
    Reset { stream: StreamId },
}

/// An answer that no upstream gave.
#[derive(Clone, Debug)]
pub(crate) struct LocalReply {
    pub status: u32,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub details: String,
    pub grpc_status: Option<u32>,
}

/// A timer set by `proxy_set_tick_period_milliseconds`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick {
    pub period: Duration,
    pub next: Duration,
}

/// What `declare_property` said of a property.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declared {
    pub read_only: bool,
}

/// One log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How grave it is.
    pub level: LogLevel,
    /// The text, without the prefix that Envoy adds.
    pub message: String,
}

/// What is counted and written down while the guest runs.
pub(crate) struct Journal {
    pub lowest: LogLevel,
    pub logs: VecDeque<LogLine>,
    pub host_calls: BTreeMap<&'static str, u64>,
    pub fuel: u64,
    pub bytes_copied: u64,
    pub vm_reloads: u64,
}

const LOG_LIMIT: usize = 100_000;

/// How much of a message is kept.
const LONGEST_MESSAGE: usize = 64 * 1024;

// === impl HostState ===

impl HostState {
    /// A state of the same worker with nothing in it.
    pub fn shell(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            shared: self.shared.clone(),
            clock: self.clock.clone(),
            worker: self.worker,
            random: Random::new(Some(0)),
            journal: Journal::new(self.journal.lowest),
            outputs: VecDeque::new(),
            streams: BTreeMap::new(),
            callouts: Callouts::default(),
            guest: GuestState::new(0, 0),
        }
    }

    /// The context that host calls act on.
    pub fn context_id(&self) -> u32 {
        let effective = self.guest.effective;
        if effective != 0 && self.guest.contexts.contains_key(&effective) { effective } else { self.guest.current }
    }

    /// The root context of whoever is calling.
    pub fn root_id(&self) -> u32 {
        let id = self.context_id();
        match self.guest.contexts.get(&id) {
            Some(Context::Stream { root, .. }) => *root,
            _ => id,
        }
    }

    pub fn stream_id(&self) -> Option<StreamId> {
        match self.guest.contexts.get(&self.context_id())? {
            Context::Stream { stream, .. } => Some(*stream),
            Context::Root => None,
        }
    }

    /// The stream that host calls act on; none in a root context.
    pub fn stream(&self) -> Option<&Stream> {
        self.streams.get(&self.stream_id()?)
    }

    pub fn stream_mut(&mut self) -> Option<&mut Stream> {
        let id = self.stream_id()?;
        self.streams.get_mut(&id)
    }

    pub fn set_status(&mut self, code: u32, message: &str) {
        self.guest.status = (code, message.to_owned());
    }

    pub fn new_context(&mut self, context: Context) -> u32 {
        let id = self.guest.next_context;
        self.guest.next_context = id.wrapping_add(1).max(1);
        self.guest.contexts.insert(id, context);
        id
    }

    pub fn define_metric(&mut self, kind: MetricKind, name: Bytes) -> u32 {
        self.shared.define_metric(&name, kind);
        self.guest.next_metric = self.guest.next_metric.wrapping_add(4);
        let id = self.guest.next_metric | kind as u32;
        self.guest.metrics.insert(id, (name, kind));
        id
    }

    pub fn log(&mut self, level: LogLevel, message: impl Into<String>) {
        self.journal.log(level, message.into());
    }

    /// Sets a `wasm.<path>` property of the stream.
    pub fn set_property(&mut self, path: &[u8], value: Bytes) -> Status {
        let read_only = self.guest.declared.get(path).is_some_and(|declared| declared.read_only);
        let Some(stream) = self.stream_mut() else {
            return Status::NotFound;
        };
        if read_only && stream.filter_state.contains_key(path) {
            return Status::BadArgument;
        }
        stream.filter_state.insert(Bytes::copy_from_slice(path), value);
        Status::Ok
    }
}

// === impl GuestState ===

impl GuestState {
    pub fn new(generation: u64, memory_limit: usize) -> Self {
        Self {
            generation,
            limits: StoreLimitsBuilder::new().memory_size(memory_limit).build(),
            memory: None,
            allocator: None,
            contexts: HashMap::new(),
            next_context: 1,
            current: 0,
            effective: 0,
            deferred: VecDeque::new(),
            stop_iteration: false,
            configuration: None,
            call_data: None,
            status: (0, String::new()),
            metrics: HashMap::new(),
            next_metric: 0,
            tick: BTreeMap::new(),
            declared: BTreeMap::new(),
            done: BTreeSet::new(),
        }
    }
}

// === impl Journal ===

impl Journal {
    pub fn new(lowest: LogLevel) -> Self {
        Self { lowest, logs: VecDeque::new(), host_calls: BTreeMap::new(), fuel: 0, bytes_copied: 0, vm_reloads: 0 }
    }

    pub fn log(&mut self, level: LogLevel, mut message: String) {
        if level >= self.lowest {
            message.truncate(message.floor_char_boundary(LONGEST_MESSAGE));
            if self.logs.len() >= LOG_LIMIT {
                self.logs.pop_front();
            }
            self.logs.push_back(LogLine { level, message });
        }
    }
}
