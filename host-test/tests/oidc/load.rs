//! Load that does not wait: requests are sent when they are due, whether or not the ones before them are answered, on a few
//! connections that stay open. A gateway that is slow gets no fewer of them.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How much, how fast, for how long at most.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Requests in all.
    pub requests: u64,
    /// Requests a second, of all connections together.
    pub rate: u64,
    /// Connections that share the requests.
    pub connections: u64,
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

/// The longest nap between two looks at what is due.
const NAP: Duration = Duration::from_millis(2);

/// Sends the requests that `wire` makes of their numbers.
pub fn run(address: SocketAddr, plan: Plan, wire: impl Fn(u64) -> Vec<u8> + Sync) -> io::Result<Outcome> {
    let start = Instant::now();
    let mut outcome = Outcome::default();
    let parts = std::thread::scope(|scope| {
        let wire = &wire;
        let connections: Vec<_> =
            (0..plan.connections).map(|own| scope.spawn(move || connection(address, plan, own, start, wire))).collect();
        connections.into_iter().map(|thread| thread.join().expect("no connection panics")).collect::<Vec<_>>()
    });
    for part in parts {
        for (status, latency) in part? {
            *outcome.statuses.entry(status).or_default() += 1;
            outcome.latencies.push(latency);
        }
    }
    outcome.elapsed = start.elapsed();
    outcome.latencies.sort_unstable();
    Ok(outcome)
}

/// One connection: this thread sends, another one reads, and both know when each request was due.
fn connection(
    address: SocketAddr,
    plan: Plan,
    own: u64,
    start: Instant,
    wire: &(impl Fn(u64) -> Vec<u8> + Sync),
) -> io::Result<Vec<(u16, Duration)>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let reader = BufReader::new(stream.try_clone()?);
    let due = |number: u64| start + Duration::from_nanos(number * 1_000_000_000 / plan.rate);
    std::thread::scope(|scope| {
        let (sent, to_come) = std::sync::mpsc::channel();
        let answers = scope.spawn(move || read(reader, to_come));
        for number in (own..plan.requests).step_by(usize::try_from(plan.connections).expect("they are few")) {
            let due = due(number);
            while Instant::now() < due {
                std::thread::sleep(due.saturating_duration_since(Instant::now()).min(NAP));
            }
            if start.elapsed() > plan.bound {
                break;
            }
            stream.write_all(&wire(number))?;
            // A reader that is gone tells why below.
            if sent.send(due).is_err() {
                break;
            }
        }
        drop(sent);
        answers.join().expect("no reader panics")
    })
}

/// Reads an answer for each request that was sent.
fn read(mut reader: impl BufRead, to_come: std::sync::mpsc::Receiver<Instant>) -> io::Result<Vec<(u16, Duration)>> {
    let mut answers = Vec::new();
    for due in to_come {
        answers.push((answer(&mut reader)?, due.elapsed()));
    }
    Ok(answers)
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

/// The element of a sorted list that so many percent do not exceed; none of none.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}
