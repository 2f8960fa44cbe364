//! What the engine's thread keeps of a request: all that the module saw and was answered, so that the same can be done once more.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tollgate_host::{Clock, ExchangeId, HeaderMap, StreamEnd, StreamId, SystemClock, UpstreamFailure};

use super::{Journal, Replayer};
use crate::cli::serve::engine::Key;

/// How much of each body is kept.
const KEPT: usize = 1024 * 1024;

/// How much is kept of all bodies together, of requests under way and of those that wait to be told.
const KEPT_OF_ALL: usize = 256 * 1024 * 1024;

/// How much that is at this moment.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// One request.
pub struct Record {
    pub replayer: Arc<Replayer>,
    /// When it came: on the wall, and on the clock that nobody sets.
    pub wall: Duration,
    pub monotonic: Duration,
    pub peer: SocketAddr,
    /// The head as the filter got it.
    pub head: HeaderMap,
    pub body: Kept,
    /// What was asked because of it, in order.
    pub asked: Vec<Asked>,
    /// What the client got; none when it got nothing.
    pub response: Option<HeaderMap>,
    pub response_body: Kept,
    pub end: StreamEnd,
    /// Nothing is kept that takes room: too much is going on, or nobody looks.
    pub is_bare: bool,
}

/// The beginning of a body.
#[derive(Default)]
pub struct Kept {
    pub bytes: Vec<u8>,
    /// There was more.
    pub cut: bool,
}

/// A request to a cluster, and its answer.
pub struct Asked {
    pub cluster: String,
    /// A call of the gateway's own, and not the client's request on its way.
    pub callout: bool,
    began: Instant,
    /// Until the head of the answer was there, or its failure.
    pub latency: Option<Duration>,
    pub head: Option<HeaderMap>,
    pub body: Kept,
    pub trailers: HeaderMap,
    /// Why there is no answer.
    pub failure: Option<UpstreamFailure>,
}

/// The records of the requests under way, and what the gateway asked for itself.
pub struct Recorder {
    journal: Journal,
    replayer: Arc<Replayer>,
    records: HashMap<StreamId, (Key, Record)>,
    /// The stream of an exchange and its place among those of the stream.
    owners: HashMap<ExchangeId, (StreamId, usize)>,
    /// What belongs to no stream: the keys of issuers. With method and path, by which the replay finds it.
    common: HashMap<ExchangeId, (String, Asked)>,
}

// === impl Recorder ===

impl Recorder {
    pub fn new(journal: Journal, replayer: Arc<Replayer>) -> Self {
        let (records, owners, common) = Default::default();
        Self { journal, replayer, records, owners, common }
    }

    /// A request came, with this head at the filter.
    pub fn began(&mut self, stream: StreamId, key: Key, peer: SocketAddr, head: HeaderMap) {
        let clock = SystemClock::new();
        let (body, asked, response, response_body, end) = Default::default();
        let is_bare = !self.journal.is_looked_at();
        let (wall, monotonic, replayer) = (clock.wall(), clock.now(), Arc::clone(&self.replayer));
        let record = Record { replayer, wall, monotonic, peer, head, body, asked, response, response_body, end, is_bare };
        self.records.insert(stream, (key, record));
    }

    pub fn request_data(&mut self, stream: StreamId, data: &Bytes) {
        if let Some((_, record)) = self.records.get_mut(&stream).filter(|(_, record)| !record.is_bare) {
            record.body.push(data);
        }
    }

    /// Whose an exchange is, if it is a stream's.
    pub fn owner(&self, exchange: ExchangeId) -> Option<StreamId> {
        self.owners.get(&exchange).map(|(stream, _)| *stream)
    }

    /// Somebody is asked, because of what happened on a stream or on none.
    pub fn asks(&mut self, exchange: ExchangeId, stream: Option<StreamId>, cluster: &str, head: &HeaderMap, callout: bool) {
        let (latency, answer, body, trailers, failure) = Default::default();
        let cluster = cluster.to_owned();
        let asked = Asked { cluster, callout, began: Instant::now(), latency, head: answer, body, trailers, failure };
        match stream.and_then(|stream| Some((stream, self.records.get_mut(&stream)?))) {
            Some((stream, (_, record))) => {
                self.owners.insert(exchange, (stream, record.asked.len()));
                record.asked.push(asked);
            }
            None => {
                let path = head.get_str(":path").unwrap_or_default().to_owned();
                self.common.insert(exchange, (path, asked));
            }
        }
    }

    pub fn upstream_head(&mut self, exchange: ExchangeId, head: &HeaderMap, end: bool) {
        self.answered(exchange, end, |asked| {
            asked.latency = Some(asked.began.elapsed());
            asked.head = Some(head.clone());
        });
    }

    pub fn upstream_data(&mut self, exchange: ExchangeId, data: &Bytes, end: bool) {
        let is_kept = self.journal.is_looked_at();
        self.answered(exchange, end, |asked| {
            if is_kept {
                asked.body.push(data);
            }
        });
    }

    pub fn upstream_trailers(&mut self, exchange: ExchangeId, trailers: &HeaderMap) {
        self.answered(exchange, true, |asked| asked.trailers = trailers.clone());
    }

    pub fn upstream_failed(&mut self, exchange: ExchangeId, failure: &UpstreamFailure) {
        self.answered(exchange, true, |asked| {
            asked.latency.get_or_insert_with(|| asked.began.elapsed());
            asked.failure = Some(failure.clone());
        });
    }

    /// The gateway waits for an answer no longer.
    pub fn given_up(&mut self, exchange: ExchangeId) {
        self.answered(exchange, true, |asked| {
            asked.latency.get_or_insert_with(|| asked.began.elapsed());
        });
    }

    pub fn response_head(&mut self, stream: StreamId, head: &HeaderMap) {
        if let Some((_, record)) = self.records.get_mut(&stream) {
            record.response = Some(head.clone());
        }
    }

    pub fn response_data(&mut self, stream: StreamId, data: &Bytes) {
        if let Some((_, record)) = self.records.get_mut(&stream).filter(|(_, record)| !record.is_bare) {
            record.response_body.push(data);
        }
    }

    /// A request is over.
    pub fn ended(&mut self, stream: StreamId, end: StreamEnd) {
        if let Some((key, mut record)) = self.records.remove(&stream) {
            if !record.asked.is_empty() {
                self.owners.retain(|_, (owner, _)| *owner != stream);
            }
            record.end = end;
            self.journal.record(key, record);
        }
    }

    fn answered(&mut self, exchange: ExchangeId, end: bool, change: impl FnOnce(&mut Asked)) {
        if let Some((stream, place)) = self.owners.get(&exchange) {
            let record = self.records.get_mut(stream);
            if let Some(asked) = record.and_then(|(_, record)| record.asked.get_mut(*place)) {
                change(asked);
            }
        } else if let Some((_, asked)) = self.common.get_mut(&exchange) {
            change(asked);
            if end && let Some((path, asked)) = self.common.remove(&exchange) {
                self.replayer.heard(path, asked);
            }
        }
    }
}

// === impl Record ===

impl Record {
    /// Lets go of all that takes room.
    pub fn strip(&mut self) {
        self.is_bare = true;
        (self.body, self.response_body) = Default::default();
        self.asked.iter_mut().for_each(|asked| asked.body = Kept::default());
    }
}

// === impl Kept ===

impl Kept {
    fn push(&mut self, data: &Bytes) {
        let room = KEPT - self.bytes.len().min(KEPT);
        let kept = data.get(..room).unwrap_or(data);
        // What comes after a gap is no part of a beginning.
        let is_held = !self.cut && HELD.fetch_add(kept.len(), Ordering::Relaxed) + kept.len() <= KEPT_OF_ALL;
        if is_held {
            self.bytes.extend_from_slice(kept);
        } else if !self.cut {
            HELD.fetch_sub(kept.len(), Ordering::Relaxed);
        }
        self.cut |= !is_held || data.len() > room;
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        HELD.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bodies_of_all_requests_have_one_bound_and_make_room_when_they_go() {
        let chunk = Bytes::from(vec![b'x'; KEPT + 1]);
        let keep = || {
            let mut kept = Kept::default();
            kept.push(&chunk);
            kept
        };
        let whole: Vec<Kept> = (0..KEPT_OF_ALL / KEPT).map(|_| keep()).collect();
        assert!(whole.iter().all(|kept| kept.cut && kept.bytes.len() == KEPT));
        let mut beyond = keep();
        assert!(beyond.cut && beyond.bytes.is_empty());
        drop(whole);
        beyond.push(&chunk);
        assert!(beyond.bytes.is_empty(), "there is no end without its beginning");
        assert_eq!(keep().bytes.len(), KEPT);
        drop(beyond);
        assert_eq!(HELD.load(Ordering::Relaxed), 0);
    }
}
