//! A running `tollgate ratelimit`, and what it says.
#![allow(dead_code, reason = "each test target uses its own part of it")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::process::{TOLLGATE, signal};

/// Longer than anything here takes, shorter than a hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// Killed when it is dropped.
pub struct Service {
    child: Child,
    said: Receiver<String>,
    /// `127.0.0.1:PORT`
    pub address: String,
}

// === impl Service ===

impl Service {
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", arguments)
    }

    /// Starts it where another one was.
    pub fn start_at(address: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(TOLLGATE);
        command.args(["ratelimit", "--listen", address]).args(arguments).env("NO_COLOR", "1");
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the command can be run");
        let stderr = child.stderr.take().expect("a pipe");
        let (tell, said) = mpsc::channel();
        std::thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| drop(tell.send(line))));
        Self { child, said, address: String::new() }.listening()
    }

    fn listening(mut self) -> Self {
        let (line, before) = self.wait_for("listening on grpc://");
        self.address = line.replace("listening on grpc://", "");
        // The first line of all says where it counts.
        assert_eq!(before.len(), 1, "{before:?}");
        self
    }

    /// The next line that holds a text, and those before it.
    pub fn wait_for(&self, text: &str) -> (String, Vec<String>) {
        let end = Instant::now() + PATIENCE;
        let mut before = Vec::new();
        while let Ok(line) = self.said.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(text) {
                return (line, before);
            }
            before.push(line);
        }
        panic!("`{text}` was never said, but:\n{}", before.join("\n"));
    }

    /// What it has said since somebody last waited.
    pub fn said(&self) -> Vec<String> {
        self.said.try_iter().collect()
    }

    /// Tells it to stop, and waits.
    pub fn terminate(&mut self) -> ExitStatus {
        signal(&self.child, "-TERM");
        self.child.wait().expect("it ends")
    }

    /// Ends it at once, in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// It goes on listening, and answers nobody.
    pub fn freeze(&self) {
        signal(&self.child, "-STOP");
    }

    /// It goes on.
    pub fn thaw(&self) {
        signal(&self.child, "-CONT");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
