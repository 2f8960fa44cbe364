//! What became of each request: a line of the log, the steps of its way, and the last of them for the console.
//!
//! ```text
//!   request task --- line --------+
//!                                 +--> journal's thread: replay -> line, trace, access log -> the last requests
//!   engine's thread --- record ---+
//! ```
//! The module tells nothing of what it does. So the engine's thread keeps what the module saw and what was answered to it, and the
//! journal sends the same once more through the same gateway, natively: nobody is asked a second time. Where that does not come to
//! what the module answered, the journal says so.

mod line;
mod record;
mod replay;

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use clap::ValueEnum;

pub use line::Line;
pub use record::{Record, Recorder};
pub use replay::{Replayer, Told};

use super::engine::Key;
use crate::cli::explain::print;
use crate::cli::explain::secrets::Secrets;
use crate::cli::{Failure, say};

/// The property that the filter leaves where a stage has `accessLogSettings`.
const ACCESS_LOG: &[u8] = b"tollgate_access_log";

/// How many requests the console can look back on.
pub const LAST: usize = 200;

/// How many requests may wait to be replayed; beyond, they are told without their steps.
const WAITING: usize = 100;

/// How much the journal's thread may have to hear; beyond, requests are not told of: whoever reads the log does not keep up.
const UNHEARD: usize = 10_000;

/// How many requests may be half told: their line without their record, or the other way round.
const HALVES: usize = 10_000;

/// How requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people on the standard error, with colours on a terminal
    Text,
    /// One JSON object a line on the standard output
    Json,
    /// Nothing
    None,
}

/// What is shown of requests.
pub struct Shown {
    /// The log.
    pub log: LogFormat,
    /// The steps of each request below its line.
    pub trace: bool,
    /// The lines of `accessLogSettings`.
    pub access_log: Option<AccessLog>,
    /// Whether the console looks back on requests.
    pub console: bool,
}

/// Where the lines of `accessLogSettings` go.
pub enum AccessLog {
    /// `-`
    Stdout,
    /// A file, written to its end.
    File(File),
}

/// One request that is over.
pub struct Entry {
    /// They are counted from one.
    pub number: u64,
    /// What its client saw.
    pub line: Line,
    /// What the gateway did, if it was asked.
    pub told: Option<Told>,
}

/// A handle on the journal.
#[derive(Clone)]
pub struct Journal {
    sender: mpsc::Sender<News>,
    /// Somebody sees what a request went through.
    is_looked_at: bool,
    waiting: Arc<AtomicUsize>,
    /// What was told to nobody, and is not counted yet in the log.
    unheard: Arc<AtomicUsize>,
    last: Arc<Mutex<VecDeque<Arc<Entry>>>>,
}

/// What the journal hears.
enum News {
    Line { key: Key, line: Line, has_record: bool },
    Record { key: Key, record: Box<Record> },
    End,
}

/// What of a request came first.
enum Half {
    Line(Line),
    Record(Box<Record>),
}

// === impl Journal ===

impl Journal {
    /// Starts the journal's thread, which ends after [`close`](Self::close).
    pub fn start(shown: Shown) -> (Self, JoinHandle<()>) {
        let (sender, news) = mpsc::channel();
        let is_looked_at = shown.trace || shown.console || shown.log != LogFormat::None;
        let journal = Self { sender, is_looked_at, waiting: Arc::default(), unheard: Arc::default(), last: Arc::default() };
        let (waiting, last) = (Arc::clone(&journal.waiting), Arc::clone(&journal.last));
        let unheard = Arc::clone(&journal.unheard);
        let thread = std::thread::spawn(move || {
            Writer { shown, waiting, unheard, last, halves: BTreeMap::new(), count: 0 }.run(&news);
        });
        (journal, thread)
    }

    /// Whether anybody sees what a request went through: else nothing of it is kept.
    pub fn is_looked_at(&self) -> bool {
        self.is_looked_at
    }

    /// A request is over for its client.
    pub fn line(&self, key: Key, line: Line, has_record: bool) {
        if self.waiting.load(Ordering::Relaxed) > UNHEARD {
            self.unheard.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.send(News::Line { key, line, has_record });
    }

    /// A request is over for the gateway.
    pub fn record(&self, key: Key, mut record: Record) {
        match self.waiting.load(Ordering::Relaxed) {
            // Its line counts it.
            waiting if waiting > UNHEARD => return,
            waiting if waiting > WAITING => record.strip(),
            _ => {}
        }
        self.send(News::Record { key, record: Box::new(record) });
    }

    /// Nothing more will come that anybody has to hear.
    pub fn close(&self) {
        self.send(News::End);
    }

    /// The last requests, the latest first.
    pub fn last(&self) -> Vec<Arc<Entry>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }

    fn send(&self, news: News) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // A journal that is closed has nobody to tell it to.
        drop(self.sender.send(news));
    }
}

/// The journal's thread.
struct Writer {
    shown: Shown,
    waiting: Arc<AtomicUsize>,
    unheard: Arc<AtomicUsize>,
    last: Arc<Mutex<VecDeque<Arc<Entry>>>>,
    /// By when they came: what waits the longest may wait for what nobody tells.
    halves: BTreeMap<Key, Half>,
    count: u64,
}

// === impl Writer ===

impl Writer {
    fn run(mut self, news: &mpsc::Receiver<News>) {
        while let Ok(news) = news.recv() {
            let waiting = self.waiting.fetch_sub(1, Ordering::Relaxed);
            match news {
                News::End => break,
                News::Line { key, line, has_record: false } => {
                    self.halves.remove(&key);
                    self.tell(line, None, waiting);
                }
                News::Line { key, line, has_record: true } => match self.halves.remove(&key) {
                    Some(Half::Record(record)) => self.tell(line, Some(*record), waiting),
                    _ => self.wait(key, Half::Line(line)),
                },
                News::Record { key, record } => match self.halves.remove(&key) {
                    Some(Half::Line(line)) => self.tell(line, Some(*record), waiting),
                    _ => self.wait(key, Half::Record(record)),
                },
            }
        }
        // What the gateway has not finished is told as far as it is known.
        for (_, half) in std::mem::take(&mut self.halves) {
            if let Half::Line(line) = half {
                self.tell(line, None, 0);
            }
        }
    }

    fn wait(&mut self, key: Key, half: Half) {
        self.halves.insert(key, half);
        if self.halves.len() > HALVES
            && let Some((_, Half::Line(line))) = self.halves.pop_first()
        {
            self.tell(line, None, 0);
        }
    }

    fn tell(&mut self, line: Line, record: Option<Record>, waiting: usize) {
        let told = record.map(|record| {
            let access_log = record.end.filter_state.get(ACCESS_LOG).cloned();
            if let (Some(log), Some(line)) = (&mut self.shown.access_log, access_log) {
                log.write(&line);
            }
            if waiting > WAITING || record.is_bare {
                return Told::without_steps(&record);
            }
            // Whatever a replay stumbles over must not end the log.
            let replayed = std::panic::catch_unwind(AssertUnwindSafe(|| record.replayer.tell(&record)));
            replayed.unwrap_or_else(|_| Told::without_steps(&record))
        });
        let unheard = self.unheard.swap(0, Ordering::Relaxed);
        if unheard > 0 && self.shown.log != LogFormat::None {
            say(&format!("note: {unheard} requests are not in this log: it is read more slowly than they come\n"));
        }
        self.count += 1;
        let entry = Arc::new(Entry { number: self.count, line, told });
        match self.shown.log {
            LogFormat::Text => say(&entry.text()),
            LogFormat::Json => {
                // A reader that went away (`| head`) is no error.
                let mut out = std::io::stdout().lock();
                drop(writeln!(out, "{}", line::escaped(&entry.json())).and_then(|()| out.flush()));
            }
            LogFormat::None => {}
        }
        if self.shown.trace
            && let Some(told) = &entry.told
        {
            say(&told.trace());
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= LAST {
            last.pop_front();
        }
        last.push_back(entry);
    }
}

// === impl AccessLog ===

impl AccessLog {
    /// `-` is the standard output.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let opened = File::options().create(true).append(true).open(path);
        opened.map(Self::File).map_err(|error| {
            Failure::usage(format!("`{}` cannot be written: {error}", path.display()))
                .help("name a file, or `-` for the standard output")
        })
    }

    /// One line, whatever is in it: nobody makes two of one by what a request says.
    fn write(&mut self, line: &[u8]) {
        let line = line.trim_ascii_end().iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte });
        let line: Vec<u8> = line.chain([b'\n']).collect();
        let written = match self {
            Self::Stdout => {
                let mut out = std::io::stdout().lock();
                out.write_all(&line).and_then(|()| out.flush())
            }
            Self::File(file) => file.write_all(&line),
        };
        if let Err(error) = written
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            say(&format!("warning: the access log cannot be written: {error}\n"));
        }
    }
}

// === impl Told ===

impl Told {
    /// Every step, for people, below the line of the request.
    fn trace(&self) -> String {
        let mut text = String::new();
        for line in print::sections(&self.steps, &Secrets::default()).lines() {
            text.push_str(if line.is_empty() { "" } else { "  " });
            text.push_str(line);
            text.push('\n');
        }
        if let Some(remark) = &self.remark {
            text.push_str(&format!("  note: {remark}\n"));
        }
        text + "\n"
    }
}
