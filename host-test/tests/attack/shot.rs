//! One shot of the attack: what goes over a connection, and what may come back.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::SockRef;

use super::answer::{Answer, BROKEN, Lack, Reader};
use super::h2;

/// Longer than any answer takes, with two cores that have other work.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long a client waits for answers to what may be no request.
const LULL: Duration = Duration::from_millis(200);

/// INTEGRATION_FAILURE of REST APIs and of HTTP APIs.
const LOST: [u16; 2] = [504, 503];

/// What a shot aims at; each is a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// `attack/gateway.yaml`.
    Kinds,
    /// The REST APIs of the matrix.
    Rest,
    /// The HTTP APIs of the matrix.
    Http,
}

/// A part of what a client does.
#[derive(Debug, Clone)]
pub enum Step {
    /// It sends these bytes.
    Send(Vec<u8>),
    /// It waits so many milliseconds.
    Wait(u64),
    /// It says that it sends no more, and reads.
    HalfClose,
    /// It waits for answers, and says that it sends no more when none comes.
    Linger,
    /// It goes, and reads nothing.
    Close,
    /// The same, with a reset.
    Reset,
}

/// A shot.
#[derive(Debug, Clone)]
pub struct Shot {
    /// Its place in the sequence.
    pub number: u64,
    /// Its kind.
    pub class: &'static str,
    /// What it is within its class.
    pub name: String,
    /// Where it goes.
    pub aim: Aim,
    /// What the client does.
    pub steps: Vec<Step>,
    /// The methods of the requests in it, which is how many answers there may be.
    pub methods: Vec<&'static str>,
    /// How many answers there have to be, unless the connection may just close.
    pub least: usize,
    /// The statuses that are right.
    pub statuses: &'static [u16],
    /// Whether bytes of it may be left over, which the gateway then reads as a part of the next request, and refuses.
    pub is_ragged: bool,
    /// Whether the answer may break off, because the backend's does.
    pub may_break: bool,
    /// Frames of HTTP/2, not HTTP/1.1.
    pub is_h2: bool,
    /// Streams that may be answered, for HTTP/2.
    pub streams: Vec<u32>,
}

/// What came of a shot.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The statuses of the answers.
    pub statuses: Vec<u16>,
    /// Whether the gateway closed the connection.
    pub is_closed: bool,
    /// Whether what is wrong may be that a backend closed a connection, as bad ones do, on which Envoy was sending a request.
    pub is_lost: bool,
    /// Whether it was sent a second time.
    pub is_again: bool,
    /// What is wrong.
    pub find: Option<String>,
}

// === impl Shot ===

impl Shot {
    /// Sends it, and judges what comes back; behind it an ordinary request, where the connection is still open.
    pub fn fire(&self, address: SocketAddr, ordinary: &[u8], ticket: &str) -> Outcome {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Err(error) => Outcome { find: Some(format!("no connection: {error}")), ..Outcome::default() },
            Ok(stream) if self.is_h2 => h2::exchange(self, stream, ticket),
            Ok(stream) => self.exchange(stream, ordinary, ticket),
        }
    }

    /// Does the steps; false where the client has gone.
    pub fn play(&self, stream: &mut TcpStream) -> io::Result<bool> {
        for step in &self.steps {
            match step {
                // The gateway may close before it has read all: what it answered counts.
                Step::Send(bytes) => drop(stream.write_all(bytes)),
                Step::Wait(millis) => std::thread::sleep(Duration::from_millis(*millis)),
                // See `judge`.
                Step::Linger => {}
                Step::HalfClose => drop(stream.shutdown(Shutdown::Write)),
                Step::Close => return Ok(false),
                Step::Reset => {
                    SockRef::from(&*stream).set_linger(Some(Duration::ZERO))?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn exchange(&self, mut stream: TcpStream, ordinary: &[u8], ticket: &str) -> Outcome {
        let mut outcome = Outcome::default();
        let prepared = prepare(&stream).and_then(|()| self.play(&mut stream));
        match prepared {
            Err(error) => outcome.find = Some(format!("the client itself failed: {error}")),
            Ok(false) => {}
            Ok(true) => outcome.find = self.judge(Reader::new(stream), ordinary, ticket, &mut outcome).err(),
        }
        outcome
    }

    fn judge(&self, mut reader: Reader<TcpStream>, ordinary: &[u8], ticket: &str, outcome: &mut Outcome) -> Result<(), String> {
        let has = |wanted: fn(&Step) -> bool| self.steps.iter().any(wanted);
        let (lingers, mut is_half) = (has(|step| matches!(step, Step::Linger)), has(|step| matches!(step, Step::HalfClose)));
        let mut closes = false;
        for (place, method) in self.methods.iter().enumerate() {
            is_half |= lingers && !is_half && hush(&mut reader);
            match reader.answer(method) {
                Ok(answer) => {
                    self.take(&answer, outcome)?;
                    closes = answer.closes;
                    if closes {
                        break;
                    }
                }
                Err(Lack::Closed) => {
                    outcome.is_closed = true;
                    let is_right = place >= self.least;
                    return is_right
                        .then_some(())
                        .ok_or_else(|| format!("closed after {place} answers of at least {}", self.least));
                }
                Err(Lack::Silence) => return Err(format!("neither an answer nor an end within {PATIENCE:?}, after {place}")),
                // A backend that breaks off may take the answer with it, which the client sees.
                Err(Lack::Malformed(what)) if self.may_break && what == BROKEN => {
                    outcome.is_closed = true;
                    return Ok(());
                }
                Err(Lack::Malformed(what)) => return Err(format!("an answer that is no HTTP: {what}")),
            }
            // What is behind the last answer belongs to the request behind it.
            if lingers && place + 1 >= self.least && !is_half {
                break;
            }
        }
        let more =
            |reader: &Reader<TcpStream>| Err(format!("more than {} answers: {:?}", self.methods.len(), shown(reader.rest())));
        if closes || is_half {
            // Envoy leaves the client a second to read and close, and closes at once when the client has.
            drop(reader.source().shutdown(Shutdown::Write));
            return match reader.is_over() {
                Ok(true) => {
                    outcome.is_closed = true;
                    Ok(())
                }
                // A request that cannot be parsed has no method to Envoy, and so its 400 has a body.
                Ok(false) if closes && [b"Bad Request".as_slice(), b"Not Implemented"].contains(&reader.rest()) => Ok(()),
                Ok(false) => more(&reader),
                Err(_) => Err("it did not close".to_owned()),
            };
        }
        if !self.is_ragged && !reader.rest().is_empty() {
            return more(&reader);
        }
        self.follow(&mut reader, ordinary, ticket, lingers, outcome)
    }

    /// What is left of the shot in the gateway must not become a part of the next request, nor its answer that of the next.
    fn follow(
        &self,
        reader: &mut Reader<TcpStream>,
        ordinary: &[u8],
        ticket: &str,
        lingers: bool,
        outcome: &mut Outcome,
    ) -> Result<(), String> {
        drop(reader.source().write_all(ordinary));
        let is_half = lingers && hush(reader);
        match reader.answer("GET") {
            Ok(answer) if answer.status == 200 && contains(&answer.body, ticket.as_bytes()) => Ok(()),
            Ok(answer) if answer.status == 400 && self.is_ragged => Ok(()),
            Ok(answer) if LOST.contains(&answer.status) => {
                outcome.is_lost = true;
                Err(format!("the request behind it got {} {:?}", answer.status, shown(&answer.body)))
            }
            Ok(answer) => Err(format!("the request behind it got {} {:?}", answer.status, shown(&answer.body))),
            // The gateway had begun to close.
            Err(Lack::Closed) => {
                outcome.is_closed = true;
                Ok(())
            }
            Err(Lack::Silence) if is_half => Err("it did not close".to_owned()),
            Err(Lack::Silence) => Err("the request behind it got no answer".to_owned()),
            Err(Lack::Malformed(what)) => Err(format!("the request behind it got no HTTP: {what}")),
        }
    }

    fn take(&self, answer: &Answer, outcome: &mut Outcome) -> Result<(), String> {
        outcome.statuses.push(answer.status);
        // What a backend writes is the backend's affair.
        let is_ours =
            |name: &str, value: &[u8]| (name.starts_with("x-tollgate-") || name.starts_with("x-envoy-")) && value != b"evil";
        let leaks = answer.fields.iter().find(|(name, value)| is_ours(name, value));
        if let Some((name, _)) = leaks {
            return Err(format!("the client gets `{name}`"));
        }
        let is_right = self.statuses.contains(&answer.status);
        outcome.is_lost = !is_right && LOST.contains(&answer.status);
        is_right.then_some(()).ok_or_else(|| format!("{} {:?} is none of {:?}", answer.status, shown(&answer.body), self.statuses))
    }
}

/// Says that nothing more is sent, where nothing comes for a while; whether it did.
fn hush(reader: &mut Reader<TcpStream>) -> bool {
    drop(reader.source().set_read_timeout(Some(LULL)));
    let is_silent = matches!(reader.is_over(), Err(Lack::Silence));
    if is_silent {
        drop(reader.source().shutdown(Shutdown::Write));
    }
    drop(reader.source().set_read_timeout(Some(PATIENCE)));
    is_silent
}

/// Timeouts and no delay.
pub fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))
}

/// Whether bytes hold these.
pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The beginning of some bytes, for people.
pub fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}
