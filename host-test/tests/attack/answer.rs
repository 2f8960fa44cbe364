//! A strict reader of HTTP/1.1 answers (RFC 9110, RFC 9112): what is lenient in other readers is an error here, for an answer that
//! two readers read differently is as bad as a request that is.

use std::io::{self, Read};

/// An answer, framing and all.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Header lines, names in small letters.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The body, without its transfer coding.
    pub body: Vec<u8>,
    /// Whether the server closes behind it.
    pub closes: bool,
}

/// Why there is none.
#[derive(Debug)]
pub enum Lack {
    /// The peer closed, or reset, before one began.
    Closed,
    /// Nothing more came in time.
    Silence,
    /// What came is no HTTP, or ends within an answer.
    Malformed(String),
}

/// Bytes of a connection, as far as they are read.
pub struct Reader<R> {
    source: R,
    buffer: Vec<u8>,
    at: usize,
}

/// Of an answer that breaks off.
pub const BROKEN: &str = "closed within an answer";

/// More than any answer of the attack has.
const MAX_HEAD: usize = 1 << 18;

// === impl Answer ===

impl Answer {
    /// The first value of a header.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }
}

// === impl Reader ===

impl<R: Read> Reader<R> {
    /// Of a connection whose read timeout is set.
    pub fn new(source: R) -> Self {
        Self { source, buffer: Vec::new(), at: 0 }
    }

    /// The next final answer; interim ones before it are read, too.
    pub fn answer(&mut self, method: &str) -> Result<Answer, Lack> {
        for _ in 0..64 {
            if self.is_over()? {
                return Err(Lack::Closed);
            }
            let (status, closes_by_version) = self.status_line()?;
            let fields = self.fields()?;
            if status == 101 {
                return Err(bad("101 to a request that may not change the protocol"));
            }
            if status < 200 {
                continue;
            }
            let mut answer = Answer { status, fields, body: Vec::new(), closes: closes_by_version };
            answer.closes |= answer.field("connection").is_some_and(|value| value.eq_ignore_ascii_case(b"close"));
            self.body(&mut answer, method)?;
            return Ok(answer);
        }
        Err(bad("64 interim answers"))
    }

    /// Whether the peer has closed, with nothing more to read.
    pub fn is_over(&mut self) -> Result<bool, Lack> {
        while self.at == self.buffer.len() {
            match self.fill() {
                Ok(0) => return Ok(true),
                Ok(_) => {}
                Err(error) => return if is_silence(&error) { Err(Lack::Silence) } else { Ok(true) },
            }
        }
        Ok(false)
    }

    /// What is there and was not read.
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// The connection.
    pub fn source(&mut self) -> &mut R {
        &mut self.source
    }

    fn status_line(&mut self) -> Result<(u16, bool), Lack> {
        let line = self.line()?;
        let text = String::from_utf8_lossy(&line).into_owned();
        let rest = text.strip_prefix("HTTP/1.1 ").or_else(|| text.strip_prefix("HTTP/1.0 "));
        let digits = rest.and_then(|rest| rest.get(..3)).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
        let is_separated = text.as_bytes().get(12) == Some(&b' ');
        let status = digits.and_then(|digits| digits.parse().ok()).filter(|status| is_separated && (100..600).contains(status));
        Ok((status.ok_or_else(|| bad(&format!("status line {text:?}")))?, text.starts_with("HTTP/1.0")))
    }

    fn fields(&mut self) -> Result<Vec<(String, Vec<u8>)>, Lack> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let colon = line.iter().position(|byte| *byte == b':').ok_or_else(|| bad("a header line without a colon"))?;
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
                return Err(bad(&format!("header name {:?}", String::from_utf8_lossy(name))));
            }
            if value.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f) {
                return Err(bad(&format!("header value {:?}", String::from_utf8_lossy(value))));
            }
            fields.push((String::from_utf8_lossy(name).to_ascii_lowercase(), value.to_vec()));
        }
    }

    fn body(&mut self, answer: &mut Answer, method: &str) -> Result<(), Lack> {
        let all = |name: &str| answer.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect::<Vec<_>>();
        let (lengths, codings) = (all("content-length"), all("transfer-encoding"));
        if lengths.len() > 1 || codings.len() > 1 || (!lengths.is_empty() && !codings.is_empty()) {
            return Err(bad("two ways to know the length"));
        }
        let digits = |value: &[u8]| {
            let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|digit| digit.is_ascii_digit()))?;
            text.parse::<usize>().ok()
        };
        let length = match lengths.first() {
            Some(value) => Some(digits(value).ok_or_else(|| bad("content-length that is no number"))?),
            None => None,
        };
        let is_chunked = !codings.is_empty();
        if is_chunked && !codings[0].eq_ignore_ascii_case(b"chunked") {
            return Err(bad("a transfer coding that is not chunked"));
        }
        if answer.status == 204 && (is_chunked || length.is_some_and(|length| length > 0)) {
            return Err(bad("204 with a body"));
        }
        if method == "HEAD" || matches!(answer.status, 204 | 304) {
            return Ok(());
        }
        if is_chunked {
            return self.chunks(&mut answer.body);
        }
        match length {
            Some(length) => answer.body = self.exactly(length)?,
            None => {
                answer.closes = true;
                while !self.is_over()? {
                    answer.body.extend_from_slice(&self.buffer[self.at..]);
                    self.at = self.buffer.len();
                }
            }
        }
        Ok(())
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Result<(), Lack> {
        loop {
            let line = self.line()?;
            let text = String::from_utf8_lossy(&line).into_owned();
            let is_plain = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_hexdigit());
            let size = usize::from_str_radix(&text, 16).ok().filter(|_| is_plain).ok_or_else(|| bad(&format!("chunk {text:?}")))?;
            if size == 0 {
                return self.fields().map(drop);
            }
            body.extend(self.exactly(size)?);
            if self.exactly(2)? != b"\r\n" {
                return Err(bad("a chunk that is longer than its size"));
            }
        }
    }

    fn line(&mut self) -> Result<Vec<u8>, Lack> {
        loop {
            let rest = &self.buffer[self.at..];
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest[..end].strip_suffix(b"\r").map(<[u8]>::to_vec);
                self.at += end + 1;
                return line.filter(|line| !line.contains(&b'\r')).ok_or_else(|| bad("a line end that is no CRLF"));
            }
            if rest.len() > MAX_HEAD {
                return Err(bad("a line without end"));
            }
            self.more()?;
        }
    }

    fn exactly(&mut self, count: usize) -> Result<Vec<u8>, Lack> {
        while self.buffer.len() - self.at < count {
            self.more()?;
        }
        self.at += count;
        Ok(self.buffer[self.at - count..self.at].to_vec())
    }

    /// More, within an answer.
    fn more(&mut self) -> Result<(), Lack> {
        match self.fill() {
            Ok(0) => Err(bad(BROKEN)),
            Ok(_) => Ok(()),
            Err(error) if is_silence(&error) => Err(bad("an answer that does not end")),
            Err(error) => Err(bad(&format!("{error} within an answer"))),
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut piece = [0; 1 << 14];
        let count = self.source.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(count)
    }
}

fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn bad(what: &str) -> Lack {
    Lack::Malformed(what.to_owned())
}
