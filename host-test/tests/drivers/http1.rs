//! HTTP/1.1 by hand, for both ends of the wire: the cases send what no polite library would (bytes that are no UTF-8, a target
//! with `//`, two Host headers) and assert the lines that came back, not a library's opinion of them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::body::{latin1, to_latin1};
use super::case::Request;

/// Longer than any test waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most that a head may have, in bytes.
const MAX_HEAD: usize = 1 << 20;

/// A message as it stood on the wire; header values are one character a byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The request line or the status line.
    pub start: String,
    /// The lines, in order, names as they were written.
    pub headers: Vec<(String, String)>,
    /// The body, without its transfer coding.
    pub body: Vec<u8>,
    /// What came after a chunked body.
    pub trailers: Vec<(String, String)>,
}

/// Sends a request on a connection of its own, and reads the answer.
pub fn exchange(address: SocketAddr, request: &Request) -> io::Result<Message> {
    exchange_raw(address, &to_wire(request), &request.method)
}

/// Sends bytes on a connection of its own, and reads one answer. A peer that closes while it is still being written to (a 413,
/// a 431) is no error as long as it answered.
pub fn exchange_raw(address: SocketAddr, wire: &[u8], method: &str) -> io::Result<Message> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let written = stream.write_all(wire);
    match read_response(&mut reader, method) {
        Ok(message) => Ok(message),
        Err(error) => Err(written.err().unwrap_or(error)),
    }
}

/// The request as the client sends it. It says `connection: close`, a hop-by-hop line that no gateway passes on.
fn to_wire(request: &Request) -> Vec<u8> {
    let bytes = |text: &str| latin1(text).expect("checked when the file was read");
    let mut wire = bytes(&format!("{} {} HTTP/1.1\r\n", request.method, request.path));
    let mut line = |name: &str, value: &str| {
        wire.extend(bytes(name));
        wire.extend(b": ");
        wire.extend(bytes(value));
        wire.extend(b"\r\n");
    };
    let has = |wanted: &str| request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    if !has("host") {
        line("host", request.host());
    }
    for (name, value) in &request.headers {
        line(name, value);
    }
    let pieces = request.pieces();
    if request.is_chunked() && !has("transfer-encoding") {
        line("transfer-encoding", "chunked");
    } else if request.has_body() && !has("content-length") && !has("transfer-encoding") {
        line("content-length", &pieces.iter().map(Vec::len).sum::<usize>().to_string());
    }
    if !has("connection") {
        line("connection", "close");
    }
    wire.extend(b"\r\n");
    // A case may say so itself.
    let says_chunked = |(name, value): &(String, String)| name.eq_ignore_ascii_case("transfer-encoding") && value == "chunked";
    if request.is_chunked() || request.headers.iter().any(says_chunked) {
        pieces.iter().for_each(|piece| wire.extend(chunk(piece)));
        wire.extend(last_chunk(&request.trailers));
    } else {
        pieces.iter().for_each(|piece| wire.extend(piece));
    }
    wire
}

/// One piece of a chunked body.
pub fn chunk(piece: &[u8]) -> Vec<u8> {
    let mut out = format!("{:x}\r\n", piece.len()).into_bytes();
    out.extend(piece);
    out.extend(b"\r\n");
    out
}

/// The end of a chunked body.
pub fn last_chunk(trailers: &[(String, String)]) -> Vec<u8> {
    let mut out = b"0\r\n".to_vec();
    for (name, value) in trailers {
        out.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    out.extend(b"\r\n");
    out
}

/// Reads a request; `None` when the peer has closed the connection before one.
pub fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Message>> {
    let Some(mut message) = read_head(reader)? else { return Ok(None) };
    read_body(reader, &mut message, false)?;
    Ok(Some(message))
}

/// Reads a response, skipping interim ones.
pub fn read_response(reader: &mut impl BufRead, method: &str) -> io::Result<Message> {
    loop {
        let Some(mut message) = read_head(reader)? else {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed without an answer"));
        };
        match message.status()? {
            100..=199 => {}
            204 | 304 => return Ok(message),
            _ if method == "HEAD" => return Ok(message),
            _ => {
                read_body(reader, &mut message, true)?;
                return Ok(message);
            }
        }
    }
}

fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Message>> {
    let Some(start) = read_line(reader)? else { return Ok(None) };
    Ok(Some(Message { start, headers: read_fields(reader)?, ..Message::default() }))
}

fn read_fields(reader: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let (mut fields, mut size) = (Vec::new(), 0);
    loop {
        let line = read_line(reader)?.ok_or_else(|| malformed("closed within a head"))?;
        if line.is_empty() {
            return Ok(fields);
        }
        size += line.len();
        if size > MAX_HEAD {
            return Err(malformed("a head without end"));
        }
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("a header line without a colon"))?;
        fields.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.take(MAX_HEAD as u64).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    while line.last().is_some_and(|b| matches!(b, b'\r' | b'\n')) {
        line.pop();
    }
    Ok(Some(to_latin1(&line)))
}

fn read_body(reader: &mut impl BufRead, message: &mut Message, until_close: bool) -> io::Result<()> {
    if message.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        loop {
            let line = read_line(reader)?.ok_or_else(|| malformed("closed between chunks"))?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| malformed("a chunk size that is no number"))?;
            if size == 0 {
                message.trailers = read_fields(reader)?;
                return Ok(());
            }
            let start = message.body.len();
            message.body.resize(start + size, 0);
            reader.read_exact(&mut message.body[start..])?;
            read_line(reader)?;
        }
    }
    match message.header("content-length").map(|v| v.parse::<usize>()) {
        Some(Ok(length)) => {
            message.body.resize(length, 0);
            reader.read_exact(&mut message.body)
        }
        Some(Err(_)) => Err(malformed("a content-length that is no number")),
        None if until_close => reader.read_to_end(&mut message.body).map(drop),
        None => Ok(()),
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

// === impl Message ===

impl Message {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The status of a response.
    pub fn status(&self) -> io::Result<u16> {
        let word = self.start.split(' ').nth(1).unwrap_or_default();
        word.parse().map_err(|_| malformed("a status line without a status"))
    }

    /// Method and target of a request.
    pub fn method_and_target(&self) -> (&str, &str) {
        let mut words = self.start.splitn(3, ' ');
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }
}
