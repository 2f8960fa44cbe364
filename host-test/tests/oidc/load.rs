//! Load that does not slow down with the gateway: each request is due at its own time, the next one that is due goes to whichever
//! connection is free, and what is late is sent as fast as it can be. Connections stay open. None of them sends a second request
//! before it has the answer to the first: Envoy hangs up on who does that for long (`http1.response_flood`).

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How much, how fast, for how long at most.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Requests in all.
    pub requests: u64,
    /// Requests a second, of all connections together.
    pub rate: u64,
    /// Connections that share the requests.
    pub connections: usize,
    /// After this nothing more is sent.
    pub bound: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// How many answers had which status.
    pub statuses: BTreeMap<u16, u64>,
    /// From when each request was due to its answer, sorted.
    pub latencies: Vec<Duration>,
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends the requests that `wire` makes of their numbers.
pub fn run(address: SocketAddr, plan: Plan, wire: impl Fn(u64) -> Vec<u8> + Sync) -> io::Result<Outcome> {
    let start = Instant::now();
    let next = AtomicU64::new(0);
    let connection = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut answers = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= plan.requests || start.elapsed() > plan.bound {
                return Ok(answers);
            }
            let due = start + Duration::from_nanos(number * 1_000_000_000 / plan.rate);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            stream.write_all(&wire(number))?;
            answers.push((answer(&mut reader)?, due.elapsed()));
        }
    };
    let parts: Vec<io::Result<Vec<_>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..plan.connections).map(|_| scope.spawn(connection)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no connection panics")).collect()
    });
    let mut outcome = Outcome { elapsed: start.elapsed(), ..Outcome::default() };
    for part in parts {
        for (status, latency) in part? {
            *outcome.statuses.entry(status).or_default() += 1;
            outcome.latencies.push(latency);
        }
    }
    outcome.latencies.sort_unstable();
    Ok(outcome)
}

/// The status of one answer, whose body has a length.
fn answer(reader: &mut impl BufRead) -> io::Result<u16> {
    let start = line(reader)?;
    let status = start.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| malformed(&start))?;
    let mut length = 0;
    loop {
        let field = line(reader)?;
        match field.trim_end().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().map_err(|_| malformed(&field))?,
            Some(_) => {}
            None => break,
        }
    }
    io::copy(&mut reader.take(length), &mut io::sink())?;
    Ok(status)
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    match reader.read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line),
    }
}

fn malformed(line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not what an answer says: `{line}`"))
}

// === impl Outcome ===

impl Outcome {
    /// How many were answered.
    pub fn answers(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// The latency that so many percent of the answers did not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        percentile(&self.latencies, percent)
    }
}

/// The element of a sorted list that so many percent do not exceed; zero of none.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}
