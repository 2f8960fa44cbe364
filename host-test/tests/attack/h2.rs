//! HTTP/2 by hand (RFC 9113): frames of any kind to send, and a strict reader of those that come back. A library would not send
//! most of what is sent here. Header blocks are written as literals without Huffman's code, and read by `loona-hpack`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use loona_hpack::Decoder;

use super::shot::{Outcome, PATIENCE, Shot, contains, prepare, shown};

/// What a connection begins with.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The stream of the ordinary request behind a shot.
const BEHIND: u32 = 0x000f_ffff;

/// Types of frames.
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

/// Flags.
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;

/// A frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("frames are small").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header block of literals.
pub fn block(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let text = |text: &[u8]| {
        let mut out = Vec::new();
        if text.len() < 127 {
            out.push(u8::try_from(text.len()).expect("it is < 127"));
        } else {
            out.push(127);
            let mut rest = text.len() - 127;
            while rest >= 128 {
                out.push(u8::try_from(rest % 128).expect("7 bits") | 128);
                rest /= 128;
            }
            out.push(u8::try_from(rest).expect("7 bits"));
        }
        out.extend(text);
        out
    };
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

/// What a stream of ours got.
#[derive(Default)]
struct Stream {
    status: Option<u16>,
    length: Option<usize>,
    body: Vec<u8>,
    is_done: bool,
    is_reset: bool,
}

struct Connection<'a> {
    shot: &'a Shot,
    stream: TcpStream,
    decoder: Decoder<'a>,
    streams: BTreeMap<u32, Stream>,
    has_settings: bool,
    goes_away: bool,
}

/// Why reading ends.
enum End {
    Closed,
    Wrong(String),
}

/// Sends a shot, and judges what comes back; behind it an ordinary request.
pub fn exchange(shot: &Shot, stream: TcpStream, ticket: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let decoder = Decoder::new();
    let mut connection = Connection { shot, stream, decoder, streams: BTreeMap::new(), has_settings: false, goes_away: false };
    let played = prepare(&connection.stream).and_then(|()| shot.play(&mut connection.stream));
    match played {
        Err(error) => outcome.find = Some(format!("the client itself failed: {error}")),
        Ok(false) => {}
        Ok(true) => outcome.find = connection.judge(ticket, &mut outcome).err(),
    }
    outcome
}

/// An ordinary request on a stream.
pub fn ordinary(stream: u32, ticket: &str) -> Vec<u8> {
    let fields = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/k/mock"),
        (":authority", "gateway.test"),
        ("x-attack-ticket", ticket),
    ];
    let fields = fields.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &block(&fields))
}

// === impl Connection ===

impl Connection<'_> {
    fn judge(&mut self, ticket: &str, outcome: &mut Outcome) -> Result<(), String> {
        drop(self.stream.write_all(&ordinary(BEHIND, ticket)));
        let ended = loop {
            let is_done = |id: &u32| self.streams.get(id).is_some_and(|stream| stream.is_done || stream.is_reset);
            let answered = self.shot.streams.iter().filter(|id| is_done(id)).count();
            if is_done(&BEHIND) && answered >= self.shot.least {
                break Ok(());
            }
            match self.frame() {
                Ok(()) => {}
                Err(End::Closed) => break Err(()),
                Err(End::Wrong(what)) => return Err(what),
            }
        };
        let behind = self.streams.remove(&BEHIND).unwrap_or_default();
        for (id, stream) in &self.streams {
            let Some(status) = stream.status else { continue };
            outcome.statuses.push(status);
            if !self.shot.statuses.contains(&status) {
                return Err(format!("stream {id}: {status} {:?} is none of {:?}", shown(&stream.body), self.shot.statuses));
            }
        }
        if ended.is_err() {
            outcome.is_closed = true;
            let answered = self.streams.values().filter(|stream| stream.is_done || stream.is_reset).count();
            let is_right = self.goes_away || answered >= self.shot.least;
            return is_right.then_some(()).ok_or_else(|| format!("closed after {answered} answers of {}", self.shot.least));
        }
        let is_right = behind.status == Some(200) && contains(&behind.body, ticket.as_bytes());
        // `max_concurrent_streams` of the shipped configuration.
        let is_full = self.shot.streams.len() >= 100;
        (is_right || (behind.is_reset && (self.goes_away || is_full))).then_some(()).ok_or_else(|| {
            format!("the request behind it got {:?} {:?}, reset: {}", behind.status, shown(&behind.body), behind.is_reset)
        })
    }

    /// One frame of the gateway's.
    fn frame(&mut self) -> Result<(), End> {
        let (kind, flags, id, payload) = self.read()?;
        if !self.has_settings && kind != SETTINGS && kind != GOAWAY {
            return wrong("the first frame is not SETTINGS");
        }
        let is_ours = id % 2 == 1 && (id == BEHIND || self.shot.streams.contains(&id));
        match kind {
            SETTINGS if id != 0 || payload.len() % 6 != 0 || (flags & 1 == 1 && !payload.is_empty()) => wrong("SETTINGS"),
            SETTINGS => {
                self.has_settings = true;
                if flags & 1 == 0 {
                    drop(self.stream.write_all(&frame(SETTINGS, 1, 0, &[])));
                }
                Ok(())
            }
            PING if id != 0 || payload.len() != 8 => wrong("PING"),
            WINDOW_UPDATE if payload.len() != 4 || payload == [0; 4] => wrong("WINDOW_UPDATE"),
            PING | WINDOW_UPDATE => Ok(()),
            GOAWAY if id != 0 || payload.len() < 8 => wrong("GOAWAY"),
            GOAWAY => {
                self.goes_away = true;
                // Envoy closes at once when the client has, and otherwise a second later.
                if payload[4..8] != [0; 4] {
                    drop(self.stream.shutdown(Shutdown::Write));
                }
                Ok(())
            }
            RST_STREAM if payload.len() != 4 || id == 0 => wrong("RST_STREAM"),
            RST_STREAM => {
                self.streams.entry(id).or_default().is_reset = true;
                Ok(())
            }
            HEADERS | DATA if !is_ours => wrong(&format!("an answer on stream {id}, where nobody asked")),
            HEADERS => self.headers(flags, id, payload),
            DATA => self.data(flags, id, &payload),
            _ => wrong(&format!("a frame of type {kind}")),
        }
    }

    fn headers(&mut self, flags: u8, id: u32, mut payload: Vec<u8>) -> Result<(), End> {
        if flags & (PADDED | 0x20) != 0 {
            return wrong("padding or priority, which this reader does not know");
        }
        let mut is_last = flags & END_HEADERS != 0;
        while !is_last {
            let (kind, flags, other, more) = self.read()?;
            if kind != CONTINUATION || other != id {
                return wrong("a header block that is interrupted");
            }
            payload.extend(more);
            is_last = flags & END_HEADERS != 0;
        }
        let Ok(fields) = self.decoder.decode(&payload) else { return wrong("a header block that is no HPACK") };
        let stream = self.streams.entry(id).or_default();
        if stream.is_done {
            return wrong("HEADERS behind the end of a stream");
        }
        let is_trailer = stream.status.is_some();
        for (place, (name, value)) in fields.iter().enumerate() {
            let is_name = !name.is_empty() && name.iter().all(|byte| (b'!'..=b'~').contains(byte) && !byte.is_ascii_uppercase());
            let is_value = value.iter().all(|byte| !matches!(byte, b'\r' | b'\n' | 0));
            let is_pseudo = name.starts_with(b":");
            let is_status = !is_trailer && place == 0 && name == b":status";
            let is_of_connection =
                [b"connection".as_slice(), b"transfer-encoding", b"upgrade", b"keep-alive"].contains(&name.as_slice());
            if !is_name || !is_value || is_of_connection || is_pseudo != is_status {
                return wrong(&format!("header {:?}: {:?}", shown(name), shown(value)));
            }
            let number = || std::str::from_utf8(value).ok()?.parse::<usize>().ok();
            if is_status {
                stream.status = number().and_then(|status| u16::try_from(status).ok()).filter(|status| *status >= 200);
            }
            if name == b"content-length" {
                stream.length = number();
            }
            if name.starts_with(b"x-tollgate-") || name.starts_with(b"x-envoy-") {
                return wrong(&format!("the client gets `{}`", shown(name)));
            }
        }
        let is_interim = fields.first().is_some_and(|(_, value)| value.starts_with(b"1"));
        if stream.status.is_none() && !is_interim {
            return wrong("a header block without a status");
        }
        self.end(flags, id)
    }

    fn data(&mut self, flags: u8, id: u32, payload: &[u8]) -> Result<(), End> {
        let stream = self.streams.entry(id).or_default();
        if stream.status.is_none() || stream.is_done || flags & PADDED != 0 {
            return wrong("DATA where none may be");
        }
        stream.body.extend_from_slice(payload);
        if !payload.is_empty() {
            let more = u32::try_from(payload.len()).expect("frames are small").to_be_bytes();
            drop(self.stream.write_all(&[frame(WINDOW_UPDATE, 0, 0, &more), frame(WINDOW_UPDATE, 0, id, &more)].concat()));
        }
        self.end(flags, id)
    }

    fn end(&mut self, flags: u8, id: u32) -> Result<(), End> {
        let stream = self.streams.entry(id).or_default();
        stream.is_done |= flags & END_STREAM != 0;
        let differs = stream.length.is_some_and(|length| length != stream.body.len() && !stream.body.is_empty());
        if stream.is_done && differs { wrong("content-length that disagrees with DATA") } else { Ok(()) }
    }

    fn read(&mut self) -> Result<(u8, u8, u32, Vec<u8>), End> {
        let mut head = [0; 9];
        self.exactly(&mut head)?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        if length > 16_384 {
            return Err(End::Wrong(format!("a frame of {length} bytes")));
        }
        let mut payload = vec![0; length];
        self.exactly(&mut payload)?;
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Ok((head[3], head[4], id & 0x7fff_ffff, payload))
    }

    fn exactly(&mut self, bytes: &mut [u8]) -> Result<(), End> {
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        self.stream.read_exact(bytes).map_err(|error| match error.kind() {
            TimedOut | WouldBlock => End::Wrong(format!("neither an answer nor an end within {PATIENCE:?}")),
            _ => End::Closed,
        })
    }
}

fn wrong<T>(what: &str) -> Result<T, End> {
    Err(End::Wrong(format!("not what HTTP/2 allows: {what}")))
}
