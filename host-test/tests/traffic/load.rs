//! Load: so many requests a second, whether or not the gateway keeps up; or so many at once, as fast as it goes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::client::{Client, Reply};
use super::kind::{Kind, Maker, Mix, pick, shown};
use super::ledger::Ledger;

/// How often requests that are due are sent.
const TICK: Duration = Duration::from_millis(4);

/// No more than what is due in this part of a second is sent at once.
const CATCH_UP: u64 = 20;

/// What came of one request, as far as it matters later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// This status, and the answer is what its kind says.
    Right(u16),
    /// Another status than its kind says.
    Other(u16),
    /// The right status, and something else is wrong.
    Wrong(u16),
    /// It broke off.
    Cut(u16),
    /// The connection ended without an answer.
    Broken,
    /// Nothing came.
    Silence,
}

/// A request that is over.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    pub id: u32,
    pub kind: Kind,
    pub fate: Fate,
    pub sent: Instant,
    pub took: Duration,
}

/// Who sends, and what is known of it.
pub struct Sending {
    pub client: Client,
    pub ledger: Arc<Ledger>,
    pub maker: Maker,
    records: Mutex<Vec<Record>>,
    /// Some of what was not right, in words.
    oddities: Mutex<Vec<String>>,
    under_way: AtomicU64,
    /// By how much the clock of the load itself was late at most, in microseconds.
    stalled: AtomicU64,
}

/// A load that goes on until it is told to stop.
pub struct Running {
    stop: Arc<AtomicBool>,
    sending: Arc<Sending>,
    task: tokio::task::JoinHandle<()>,
}

/// No list of oddities is longer.
const ODDITIES: usize = 2_000;

// === impl Sending ===

impl Sending {
    pub fn new(client: Client, ledger: Arc<Ledger>, maker: Maker) -> Arc<Self> {
        Arc::new(Self {
            client,
            ledger,
            maker,
            records: Mutex::default(),
            oddities: Mutex::default(),
            under_way: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
        })
    }

    /// Sends one, and writes down what came of it.
    pub async fn one(&self, kind: Kind) -> Fate {
        let id = self.ledger.id();
        let request = kind.request(id, &self.maker);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        let sent = Instant::now();
        let reply = self.client.send(request, id.is_multiple_of(3)).await;
        let took = sent.elapsed();
        let (fate, oddity) = judge(kind, id, reply);
        if let Some(what) = oddity {
            let mut oddities = self.oddities.lock().unwrap_or_else(PoisonError::into_inner);
            if oddities.len() < ODDITIES {
                oddities.push(format!("{kind:?} {id}: {what}"));
            }
        }
        self.records.lock().unwrap_or_else(PoisonError::into_inner).push(Record { id, kind, fate, sent, took });
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        fate
    }

    /// So many a second until it is told to stop.
    pub fn at_rate(self: &Arc<Self>, mix: Mix, rate: u64) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let (sending, flag) = (Arc::clone(self), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let start = Instant::now();
            let mut number = 0_u64;
            let mut ticks = tokio::time::interval(TICK);
            while !flag.load(Ordering::Relaxed) {
                let due = ticks.tick().await;
                let late = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
                sending.stalled.fetch_max(late, Ordering::Relaxed);
                let due = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX) * rate / 1_000_000;
                // What this process was too late for is left out: all of it at once would be another load.
                number = number.max(due.saturating_sub(rate / CATCH_UP + 1));
                while number < due {
                    let kind = pick(mix, u32::try_from(number % u64::from(u32::MAX)).unwrap_or_default());
                    let sending = Arc::clone(&sending);
                    tokio::spawn(async move { sending.one(kind).await });
                    number += 1;
                }
            }
        });
        Running { stop, sending: Arc::clone(self), task }
    }

    /// So many at once for a time; how many a second came to their end.
    pub async fn saturate(self: &Arc<Self>, mix: Mix, at_once: u32, time: Duration) -> f64 {
        let before = self.count();
        let start = Instant::now();
        let clients = (0..at_once).map(|place| {
            let sending = Arc::clone(self);
            tokio::spawn(async move {
                let mut number = place * 7_919;
                while start.elapsed() < time {
                    sending.one(pick(mix, number)).await;
                    number = number.wrapping_add(1);
                }
            })
        });
        let clients: Vec<_> = clients.collect();
        for client in clients {
            client.await.expect("no client panics");
        }
        (self.count() - before) as f64 / start.elapsed().as_secs_f64()
    }

    /// How many are over.
    pub fn count(&self) -> usize {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How many are not over yet.
    pub fn under_way(&self) -> u64 {
        self.under_way.load(Ordering::Relaxed)
    }

    /// For how long this process, and so most likely Envoy as well, got no processor at a stretch since this was last asked. What an
    /// answer takes longer because of it is not the gateway's doing.
    pub fn take_stall(&self) -> Duration {
        Duration::from_micros(self.stalled.swap(0, Ordering::Relaxed))
    }

    /// All that is over, and what was odd of it; they are forgotten here.
    pub fn take(&self) -> (Vec<Record>, Vec<String>) {
        let records = std::mem::take(&mut *self.records.lock().unwrap_or_else(PoisonError::into_inner));
        let oddities = std::mem::take(&mut *self.oddities.lock().unwrap_or_else(PoisonError::into_inner));
        (records, oddities)
    }
}

// === impl Running ===

impl Running {
    /// Sends no more, and waits until all is over.
    pub async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("the load does not panic");
        while self.sending.under_way() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn judge(kind: Kind, id: u32, reply: Reply) -> (Fate, Option<String>) {
    match reply {
        Reply::Answer(status, headers, body) if status == kind.status() => match kind.judge(id, &headers, &body) {
            Ok(()) => (Fate::Right(status), None),
            Err(what) => (Fate::Wrong(status), Some(format!("{status}, and {what}"))),
        },
        Reply::Answer(status, _, body) => (Fate::Other(status), Some(format!("{status} `{}`", shown(&body)))),
        Reply::Cut(status, error) => (Fate::Cut(status), Some(format!("{status} that broke off: {error}"))),
        Reply::Broken(error) => (Fate::Broken, Some(format!("no answer: {error}"))),
        Reply::Silence => (Fate::Silence, Some("no answer".to_owned())),
    }
}
