//! What all VMs of one host share: shared data, queues and metrics. One per [`Host`], or one per
//! server; never a global, so tests run side by side.
//!
//! [`Host`]: crate::Host

use crate::abi::Status;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

/// The state that outlives any VM.
#[derive(Default)]
pub struct Shared {
    inner: Mutex<Inner>,
}

/// Names one worker of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct WorkerId(u32);

/// A metric as seen from outside. Names are the guest's; Envoy prefixes them with `wasmcustom.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Only grows.
    Counter(u64),
    /// Any value.
    Gauge(u64),
    /// All recorded values, in order; the older half is forgotten beyond 100,000.
    Histogram(Vec<u64>),
}

/// The three kinds of metric, with their numbers in the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MetricKind {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

type Waker = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Inner {
    data: HashMap<(String, Bytes), (Bytes, u32)>,
    last_cas: u32,
    queues: BTreeMap<u32, Queue>,
    metrics: BTreeMap<(Bytes, MetricKind), Metric>,
    workers: u32,
    ready: HashMap<WorkerId, VecDeque<(u32, u32)>>,
    wakers: HashMap<WorkerId, Waker>,
}

struct Queue {
    vm_id: String,
    name: Bytes,
    items: VecDeque<Bytes>,
    /// Who is told of new items: the last that registered.
    listener: (WorkerId, u32),
}

const HISTOGRAM_LIMIT: usize = 100_000;

// === impl Shared ===

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn join(&self) -> WorkerId {
        let mut inner = self.lock();
        inner.workers += 1;
        WorkerId(inner.workers)
    }

    pub(crate) fn set_waker(&self, worker: WorkerId, waker: Waker) {
        self.lock().wakers.insert(worker, waker);
    }

    /// The value and its compare-and-set number.
    pub fn get(&self, vm_id: &str, key: &[u8]) -> Option<(Bytes, u32)> {
        self.lock().data.get(&(vm_id.to_owned(), Bytes::copy_from_slice(key))).cloned()
    }

    pub(crate) fn set(&self, vm_id: &str, key: Bytes, value: Bytes, cas: u32) -> Status {
        let mut inner = self.lock();
        let next = match inner.last_cas.wrapping_add(1) {
            0 => 1,
            next => next,
        };
        let key = (vm_id.to_owned(), key);
        // Envoy compares only with a value that exists: on a missing key any number succeeds.
        match inner.data.get(&key) {
            Some((_, current)) if cas != 0 && cas != *current => return Status::CasMismatch,
            _ => {}
        }
        inner.last_cas = next;
        inner.data.insert(key, (value, next));
        Status::Ok
    }

    pub(crate) fn register_queue(&self, vm_id: &str, name: &[u8], listener: (WorkerId, u32)) -> u32 {
        let mut inner = self.lock();
        let found = inner.queues.iter_mut().find(|(_, q)| q.vm_id == vm_id && q.name == name);
        if let Some((token, queue)) = found {
            queue.listener = listener;
            return *token;
        }
        let token = inner.queues.len() as u32 + 1;
        let queue = Queue { vm_id: vm_id.to_owned(), name: Bytes::copy_from_slice(name), items: VecDeque::new(), listener };
        inner.queues.insert(token, queue);
        token
    }

    pub(crate) fn resolve_queue(&self, vm_id: &[u8], name: &[u8]) -> Option<u32> {
        let inner = self.lock();
        let mut queues = inner.queues.iter();
        queues.find(|(_, q)| q.vm_id.as_bytes() == vm_id && q.name == name).map(|(token, _)| *token)
    }

    pub(crate) fn dequeue(&self, token: u32) -> Result<Bytes, Status> {
        let mut inner = self.lock();
        let queue = inner.queues.get_mut(&token).ok_or(Status::NotFound)?;
        queue.items.pop_front().ok_or(Status::Empty)
    }

    pub(crate) fn enqueue(&self, token: u32, item: Bytes) -> Status {
        let mut inner = self.lock();
        let Some(queue) = inner.queues.get_mut(&token) else {
            return Status::NotFound;
        };
        queue.items.push_back(item);
        let (worker, context) = queue.listener;
        inner.ready.entry(worker).or_default().push_back((context, token));
        let waker = inner.wakers.get(&worker).cloned();
        drop(inner);
        if let Some(wake) = waker {
            wake();
        }
        Status::Ok
    }

    /// The next (root context, queue) that `worker` must be told of.
    pub(crate) fn next_ready(&self, worker: WorkerId) -> Option<(u32, u32)> {
        self.lock().ready.get_mut(&worker)?.pop_front()
    }

    pub(crate) fn forget_ready(&self, worker: WorkerId) {
        self.lock().ready.remove(&worker);
    }

    pub(crate) fn define_metric(&self, name: &Bytes, kind: MetricKind) {
        self.lock().metrics.entry((name.clone(), kind)).or_insert(match kind {
            MetricKind::Counter => Metric::Counter(0),
            MetricKind::Gauge => Metric::Gauge(0),
            MetricKind::Histogram => Metric::Histogram(Vec::new()),
        });
    }

    pub(crate) fn with_metric(&self, name: &Bytes, kind: MetricKind, change: impl FnOnce(&mut Metric)) {
        if let Some(metric) = self.lock().metrics.get_mut(&(name.clone(), kind)) {
            change(metric);
            if let Metric::Histogram(values) = metric
                && values.len() > HISTOGRAM_LIMIT
            {
                values.drain(..HISTOGRAM_LIMIT / 2);
            }
        }
    }

    /// All metrics that were defined, by name.
    pub fn metrics(&self) -> BTreeMap<String, Metric> {
        let inner = self.lock();
        inner.metrics.iter().map(|((name, _), metric)| (String::from_utf8_lossy(name).into_owned(), metric.clone())).collect()
    }
}
