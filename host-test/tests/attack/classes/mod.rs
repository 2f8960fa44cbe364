//! What is sent: classes of shots, each of which makes a shot of nothing but numbers from its seed.

mod bodies;
mod credentials;
mod framing;
mod heads;
mod odd;
mod paths;
mod streams;
mod upstreams;

use super::shot::{Aim, Shot, Step};
use super::upstream::TICKET;
use crate::bypass::matrix::Random;

/// A class: its name, how often it comes, and what makes its shots.
pub type Class = (&'static str, usize, fn(&mut Make) -> Shot);

/// All classes; the numbers are shares.
pub const CLASSES: [Class; 21] = [
    ("paths", 22, paths::path),
    ("hosts and targets", 5, paths::host),
    ("header lines", 9, heads::line),
    ("headers of the gateway", 3, heads::reserved),
    ("framing that two read differently", 9, framing::ambiguous),
    ("chunks and trailers", 6, framing::chunked),
    ("pipelined requests", 3, framing::pipelined),
    ("cut short", 6, framing::cut),
    ("slow pieces", 1, framing::slow),
    ("too large", 1, framing::oversized),
    ("methods, versions, protocols", 5, odd::odd),
    ("tokens", 6, credentials::token),
    ("signatures", 4, credentials::signature),
    ("keys, cookies, queries", 3, credentials::key),
    ("bodies", 5, bodies::body),
    ("answers of backends", 4, upstreams::backend),
    ("answers of functions", 4, upstreams::function),
    ("answers of authorizers", 3, upstreams::authorizer),
    ("HTTP/2: header blocks", 6, streams::blocks),
    ("HTTP/2: frames", 6, streams::frames),
    ("HTTP/2: floods and resets", 1, streams::floods),
];

/// Whatever is right for a request that is answered by somebody: no error of a server.
pub const NO_ERROR: &[u16] = &[200, 204, 400, 401, 403, 404, 405, 411, 413, 414, 415, 417, 426, 431];

/// What refuses.
pub const REFUSED: &[u16] = &[400, 401, 403, 404, 413, 414, 431];

/// Makes a shot.
pub struct Make {
    /// Its numbers.
    pub random: Random,
    /// Its place in the sequence.
    pub number: u64,
}

/// The shot of a number; `class` takes that class only.
pub fn shot(seed: u64, number: u64, class: Option<&str>) -> Shot {
    let start = (seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mut make = Make { random: Random(start ^ start >> 31), number };
    for _ in 0..3 {
        make.random.below(2);
    }
    let shares = CLASSES.iter().filter(|(name, ..)| class.is_none_or(|class| class == *name));
    let all: Vec<&Class> = shares.flat_map(|class| std::iter::repeat_n(class, class.1)).collect();
    let (name, _, build) = make.random.one_of(&all);
    Shot { class: name, ..build(&mut make) }
}

/// A path with an open route that leads to a backend.
pub fn open_path(aim: Aim) -> &'static str {
    match aim {
        Aim::Kinds => "/k/proxy/x",
        Aim::Rest => "/prod/admin/public",
        Aim::Http => "/other/place",
    }
}

/// An ordinary request, whose answer has its ticket.
pub fn ordinary(aim: Aim, ticket: &str) -> Vec<u8> {
    let path = if aim == Aim::Kinds { "/k/mock" } else { open_path(aim) };
    format!("GET {path} HTTP/1.1\r\nhost: gateway.test\r\n{TICKET}: {ticket}\r\n\r\n").into_bytes()
}

// === impl Make ===

impl Make {
    /// The ticket of the shot's first request, or of a later one.
    pub fn ticket(&self, place: usize) -> String {
        ticket(self.number, place)
    }

    /// One of several.
    pub fn one<T: Copy>(&mut self, list: &[T]) -> T {
        *self.random.one_of(list)
    }

    /// Between two numbers, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.random.below(high - low + 1)
    }

    /// Made-up bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| u8::try_from(self.random.below(256)).expect("a byte")).collect()
    }

    /// A listener.
    pub fn aim(&mut self) -> Aim {
        self.one(&[Aim::Kinds, Aim::Kinds, Aim::Rest, Aim::Http])
    }

    /// A head: the host and the ticket, and these lines.
    pub fn head(&self, method: &str, target: &[u8], lines: &[Vec<u8>]) -> Vec<u8> {
        let mut out = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\nhost: gateway.test\r\n"].concat();
        // A line that begins with a space belongs to the one before it, which must not be the ticket.
        out.extend(format!("{TICKET}: {}\r\naccept: */*\r\n", self.ticket(0)).into_bytes());
        for line in lines {
            out.extend([line.as_slice(), b"\r\n"].concat());
        }
        out.extend(b"\r\n");
        out
    }

    /// A shot of one request which has to be answered.
    pub fn one_request(
        &self,
        name: impl Into<String>,
        aim: Aim,
        method: &'static str,
        bytes: Vec<u8>,
        statuses: &'static [u16],
    ) -> Shot {
        Shot {
            number: self.number,
            class: "",
            name: name.into(),
            aim,
            steps: vec![Step::Send(bytes)],
            methods: vec![method],
            least: 1,
            statuses,
            is_ragged: false,
            may_break: false,
            is_h2: false,
            streams: Vec::new(),
        }
    }
}

/// The ticket of a request of a shot.
pub fn ticket(number: u64, place: usize) -> String {
    format!("t{number}x{place}")
}
