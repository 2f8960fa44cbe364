//! A real Chromium without a window. It is given a page and says on its console what it kept from it, and why. It reaches nothing
//! but loopback, and ends with the test.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::process::signal;

/// How long it may take to end when it is asked to.
const FAREWELL: Duration = Duration::from_secs(5);

/// A running browser; killed when it is dropped.
pub struct Chromium {
    process: Child,
    folder: PathBuf,
    said: Receiver<String>,
    blocked: Vec<Blocked>,
}

/// What the console says of a call whose answer the page does not get.
#[derive(Debug, Clone)]
pub struct Blocked {
    /// What was called.
    pub url: String,
    /// Why.
    pub reason: String,
}

// === impl Chromium ===

impl Chromium {
    /// Opens a page; panics with what to do where there is no Chromium.
    pub fn open(url: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tollgate-chromium-{}-{number}", std::process::id()));
        let binary = std::env::var_os("CHROMIUM").unwrap_or_else(|| "chromium".into());
        let mut command = Command::new(&binary);
        command
            // It sees our own page only, and as root it has no sandbox.
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-breakpad"])
            .args(["--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"])
            .arg("--enable-logging=stderr")
            .arg(format!("--user-data-dir={}", folder.display()))
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| {
            let binary = binary.display();
            panic!("this test needs `{binary}` ({error}): run `make test`, which installs it, or set CHROMIUM to its path")
        });
        let stderr = process.stderr.take().expect("its standard error is a pipe");
        let (tell, said) = mpsc::channel();
        // Reads on, whoever listens, so that a full pipe never stops it.
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stderr).split(b'\n').map_while(Result::ok);
            lines.by_ref().for_each(|line| drop(tell.send(String::from_utf8_lossy(&line).into_owned())));
        });
        Self { process, folder, said, blocked: Vec::new() }
    }

    /// Why it kept the answer of a URL from the page; none when it has not said so within the time. It speaks of a call a moment
    /// after the page knows.
    pub fn reason(&mut self, url: &str, patience: Duration) -> Option<String> {
        let end = Instant::now() + patience;
        loop {
            if let Some(found) = self.blocked.iter().find(|blocked| blocked.url == url) {
                return Some(found.reason.clone());
            }
            let line = self.said.recv_timeout(end.saturating_duration_since(Instant::now())).ok()?;
            self.blocked.extend(Blocked::read(&line));
        }
    }

    /// All that it says and nobody has read.
    pub fn said(&self) -> Vec<String> {
        self.said.try_iter().collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Asked to end, it tells the processes that it started.
        signal(&self.process, "-TERM");
        let end = Instant::now() + FAREWELL;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
        // One of them may have something to write yet, and make the folder anew.
        while self.folder.exists() && Instant::now() < end {
            let _ = std::fs::remove_dir_all(&self.folder);
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

// === impl Blocked ===

impl Blocked {
    /// `… "Access to fetch at 'URL' from origin 'ORIGIN' has been blocked by CORS policy: REASON", source: …`
    fn read(line: &str) -> Option<Self> {
        let (_, rest) = line.split_once("Access to fetch at '")?;
        let (url, rest) = rest.split_once('\'')?;
        let (_, rest) = rest.split_once("has been blocked by CORS policy: ")?;
        let reason = rest.split("\", source: ").next().unwrap_or(rest);
        Some(Self { url: url.to_owned(), reason: reason.to_owned() })
    }
}
