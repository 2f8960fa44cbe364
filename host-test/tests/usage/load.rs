//! More requests than any limit allows: connections that are kept, each of which sends the next request as soon as it has the answer
//! to the last one, or a moment later.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::drivers::http1::read_response;

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many connections.
    pub connections: usize,
    /// How many requests until a connection is closed and opened anew.
    pub requests_of_connection: usize,
    /// When it ends.
    pub end: End,
    /// How long a connection waits before its next request.
    pub pause: Duration,
}

/// When a load ends.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// After so many requests.
    Requests(u64),
    /// After that time.
    Time(Duration),
}

/// One request and its answer.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Before its first byte was sent.
    pub sent: Instant,
    /// After the last byte of the answer.
    pub received: Instant,
    /// Its status.
    pub status: u16,
    /// The body of the answer.
    pub body: String,
    /// Which version of the document answered.
    pub version: Option<u32>,
    /// How many requests the nearest limit has left, where the answer tells it.
    pub remaining: Option<u64>,
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends it; panics when a request gets no answer.
pub fn run(address: SocketAddr, load: Load, target: &str, key: Option<&str>) -> Vec<Sample> {
    let key = key.map(|key| format!("x-api-key: {key}\r\n")).unwrap_or_default();
    let wire = format!("GET {target} HTTP/1.1\r\nhost: gateway.test\r\n{key}\r\n");
    let (start, sent) = (Instant::now(), AtomicU64::new(0));
    let is_over = || match load.end {
        End::Requests(requests) => sent.fetch_add(1, Ordering::Relaxed) >= requests,
        End::Time(time) => start.elapsed() >= time,
    };
    let connection = || {
        let mut samples = Vec::new();
        loop {
            let stream = TcpStream::connect(address).expect("Envoy listens");
            stream.set_nodelay(true).expect("an option of every socket");
            stream.set_read_timeout(Some(PATIENCE)).expect("an option of every socket");
            let mut reader = BufReader::new(stream.try_clone().expect("a socket can be cloned"));
            for _ in 0..load.requests_of_connection {
                if is_over() {
                    return samples;
                }
                let sent = Instant::now();
                (&stream).write_all(wire.as_bytes()).expect("Envoy takes requests");
                let answer = read_response(&mut reader, "GET").expect("every request gets an answer");
                let received = Instant::now();
                samples.push(Sample {
                    sent,
                    received,
                    status: answer.status().expect("an answer has a status"),
                    body: String::from_utf8_lossy(&answer.body).into_owned(),
                    version: answer.header("x-version").and_then(|version| version.parse().ok()),
                    remaining: answer.header("x-ratelimit-remaining").and_then(|remaining| remaining.parse().ok()),
                });
                if answer.header("connection") == Some("close") {
                    break;
                }
                std::thread::sleep(load.pause);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..load.connections).map(|_| scope.spawn(connection)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no connection fails")).collect()
    })
}

/// How many got through.
pub fn admitted(samples: &[Sample]) -> u64 {
    samples.iter().filter(|sample| sample.status == 200).count() as u64
}

/// How many got which answer.
pub fn answers(samples: &[Sample]) -> BTreeMap<(u16, &str), usize> {
    let mut counts = BTreeMap::new();
    for sample in samples {
        *counts.entry((sample.status, sample.body.as_str())).or_default() += 1;
    }
    counts
}

/// The shortest and the longest time, in seconds, that may have passed at the gateway between the first and the last request that it
/// counted: it counted each of them at some moment between its first byte and its answer.
pub fn span(samples: &[Sample]) -> (f64, f64) {
    let first_sent = samples.iter().map(|sample| sample.sent).min().expect("there are some");
    let first_received = samples.iter().map(|sample| sample.received).min().expect("there are some");
    let last_sent = samples.iter().map(|sample| sample.sent).max().expect("there are some");
    let last_received = samples.iter().map(|sample| sample.received).max().expect("there are some");
    let seconds = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64();
    (seconds(first_received, last_sent), seconds(first_sent, last_received))
}

/// The most tokens that a bucket may have lost because it was full when nobody asked: before each request that got one, back to the
/// last one that was certainly counted before. A request is counted at some moment between its first byte and its answer.
pub fn overflow(samples: &[Sample], rate: f64, burst: f64) -> f64 {
    let admitted = samples.iter().filter(|sample| sample.status == 200);
    let lost = admitted.filter_map(|sample| {
        let before = samples.iter().filter(|other| other.received <= sample.sent).map(|other| other.sent).max()?;
        let gap = sample.received.saturating_duration_since(before).as_secs_f64();
        Some((rate * gap + 1.0 - burst).max(0.0))
    });
    lost.sum()
}
