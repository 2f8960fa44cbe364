//! What a function prints, and what Lambda prints of it: START, END and REPORT. All of it is shown with the function's name in front,
//! and the end of it is kept for a caller who asks for it (`X-Amz-Log-Type: Tail`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::cli::say;

/// What `X-Amz-Log-Result` holds: the last 4 KB.
const TAIL: usize = 4096;

/// A line that is longer is shown in parts.
const MAX_LINE: usize = 64 * 1024;

const COLOURS: [AnsiColor; 6] =
    [AnsiColor::Cyan, AnsiColor::Magenta, AnsiColor::Green, AnsiColor::Blue, AnsiColor::Yellow, AnsiColor::BrightCyan];

/// How the lines of one function begin.
#[derive(Debug, Clone)]
pub struct Prefix {
    name: Arc<str>,
    style: Style,
}

/// The log of one process.
#[derive(Debug, Clone)]
pub struct Log {
    prefix: Prefix,
    tail: Arc<Mutex<Vec<u8>>>,
}

// === impl Prefix ===

impl Prefix {
    /// Of the function at this place in the document; names are as wide as the widest.
    pub fn new(name: &str, place: usize, width: usize) -> Self {
        let colour = COLOURS[place % COLOURS.len()];
        Self { name: format!("{name:width$} |").into(), style: colour.on_default() }
    }

    /// Shows a line.
    pub fn say(&self, line: &str) {
        let Self { name, style } = self;
        say(&format!("{style}{name}{style:#} {line}\n"));
    }
}

// === impl Log ===

impl Log {
    /// An empty log.
    pub fn new(prefix: Prefix) -> Self {
        Self { prefix, tail: Arc::default() }
    }

    /// Shows a line, and keeps it.
    pub fn line(&self, line: &str) {
        // Runtime clients put a text of several lines into one event by writing its line ends so.
        line.split('\r').for_each(|line| self.prefix.say(line));
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(line.as_bytes());
        tail.push(b'\n');
        let old = tail.len().saturating_sub(TAIL);
        tail.drain(..old);
    }

    /// The end of what was printed since the last time that it was taken.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.tail.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows what comes out of a pipe, to its end.
    pub async fn follow(self, pipe: impl AsyncRead + Unpin) {
        let mut pipe = BufReader::with_capacity(MAX_LINE, pipe);
        let mut line = Vec::new();
        // What is there at once; a line can come in several parts, and may never end.
        while let Ok(bytes) = pipe.fill_buf().await {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            line.extend_from_slice(part);
            let used = part.len() + usize::from(end.is_some());
            pipe.consume(used);
            if used == 0 {
                break;
            }
            if end.is_some() || line.len() >= MAX_LINE {
                self.line(String::from_utf8_lossy(&line).trim_end_matches('\r'));
                line.clear();
            }
        }
        if !line.is_empty() {
            self.line(&String::from_utf8_lossy(&line));
        }
    }
}

/// The REPORT line.
pub struct Report<'a> {
    /// Whose.
    pub request_id: &'a str,
    /// Of the invocation, without the start of the process.
    pub duration: Duration,
    /// `memorySize`, in megabytes.
    pub memory_size: u64,
    /// What the process used at most, in megabytes, where the system tells.
    pub memory_used: Option<u64>,
    /// Of the start of the process, where this invocation needed one.
    pub init: Option<Duration>,
    /// `timeout` or `error`, and the type of the error.
    pub failure: Option<(&'static str, &'a str)>,
}

// === impl Report ===

impl Report<'_> {
    /// As Lambda writes it, with tabs between.
    pub fn line(&self) -> String {
        let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let duration = millis(self.duration);
        let mut line =
            format!("REPORT RequestId: {}\tDuration: {duration:.2} ms\tBilled Duration: {} ms", self.request_id, duration.ceil());
        line.push_str(&format!("\tMemory Size: {} MB", self.memory_size));
        if let Some(used) = self.memory_used {
            line.push_str(&format!("\tMax Memory Used: {used} MB"));
        }
        if let Some(init) = self.init {
            line.push_str(&format!("\tInit Duration: {:.2} ms", millis(init)));
        }
        if let Some((status, error_type)) = self.failure {
            line.push_str(&format!("\tStatus: {status}"));
            if status == "error" {
                line.push_str(&format!("\tError Type: {error_type}"));
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_last_four_kilobytes_and_is_taken_once() {
        let log = Log::new(Prefix::new("f", 0, 1));
        log.line(&"x".repeat(5000));
        log.line("end");
        let tail = log.take();
        assert_eq!(tail.len(), TAIL);
        assert!(tail.ends_with(b"x\nend\n"));
        assert!(log.take().is_empty());
    }

    #[tokio::test]
    async fn lines_are_told_apart_however_they_come_and_a_last_one_without_end_is_shown() {
        let log = Log::new(Prefix::new("f", 0, 1));
        let text = format!("a\r\n\n{}\nlast", "y".repeat(MAX_LINE + 3));
        log.clone().follow(text.as_bytes()).await;
        let tail = log.take();
        assert!(tail.ends_with(b"y\nyyy\nlast\n"), "{}", String::from_utf8_lossy(&tail[tail.len() - 20..]));
    }

    #[test]
    fn the_report_has_the_parts_of_lambdas() {
        let report = Report {
            request_id: "7",
            duration: Duration::from_micros(1234),
            memory_size: 128,
            memory_used: Some(30),
            init: Some(Duration::from_millis(100)),
            failure: Some(("error", "Runtime.ExitError")),
        };
        assert_eq!(
            report.line(),
            "REPORT RequestId: 7\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\
             \tInit Duration: 100.00 ms\tStatus: error\tError Type: Runtime.ExitError"
        );
    }
}
