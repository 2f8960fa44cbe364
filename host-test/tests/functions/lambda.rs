//! `tollgate functions` with the functions of `functions.yaml`, and its Invoke API as a client sees it.

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::drivers::body::Body;
use crate::drivers::case::Request;
use crate::drivers::http1::{Message, exchange};
use crate::process::{Server, repository};

/// Longer than it takes to end a process.
const PATIENCE: Duration = Duration::from_secs(10);

/// A Lambda that listens, and its client.
pub struct Lambda {
    /// The command.
    pub server: Server,
    client: Client,
}

/// Who calls functions.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    address: SocketAddr,
}

/// A file of this folder, as the command is given it.
pub fn file(name: &str) -> String {
    let python = repository().join("target/functions/python/bin/python3");
    assert!(python.exists(), "there is no {}: run `make need-functions`, which installs the runtime clients", python.display());
    repository().join("host-test/tests/functions").join(name).to_str().expect("paths are UTF-8").to_owned()
}

/// Waits until a process is no more; one that nobody has buried yet counts as gone.
pub fn gone(pid: u64) {
    let end = Instant::now() + PATIENCE;
    while is_there(pid) {
        assert!(Instant::now() < end, "process {pid} is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process runs.
pub fn is_there(pid: u64) -> bool {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

/// The JSON in an answer.
pub fn json(message: &Message) -> Value {
    serde_json::from_slice(&message.body).unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&message.body)))
}

// === impl Lambda ===

impl Lambda {
    /// Starts one.
    pub fn start() -> Self {
        let server = Server::start(&["functions", &file("functions.yaml")]);
        let client = Client { address: server.address.parse().expect("an address") };
        Self { server, client }
    }
}

impl Deref for Lambda {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

// === impl Client ===

impl Client {
    /// Calls a function with headers.
    pub fn call(&self, function: &str, payload: &str, headers: &[(&str, &str)]) -> Message {
        let mut request =
            Request::new("POST", &format!("/2015-03-31/functions/{function}/invocations")).with_body(Body::text(payload));
        request.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        exchange(self.address, &request).unwrap_or_else(|error| panic!("`{function}` does not answer: {error}"))
    }

    /// What a function answers; panics when it fails.
    pub fn answer(&self, function: &str, payload: &str) -> Value {
        let message = self.call(function, payload, &[]);
        let answer = json(&message);
        assert_eq!((status(&message), message.header("x-amz-function-error")), (200, None), "{answer}");
        answer
    }

    /// What a function that fails says.
    pub fn failure(&self, function: &str, payload: &str) -> Value {
        let message = self.call(function, payload, &[]);
        let answer = json(&message);
        assert_eq!((status(&message), message.header("x-amz-function-error")), (200, Some("Unhandled")), "{answer}");
        answer
    }

    /// The status and the error of a call that Lambda refuses.
    pub fn refusal(&self, function: &str, payload: &str, headers: &[(&str, &str)]) -> (u16, String, Value) {
        let message = self.call(function, payload, headers);
        (status(&message), message.header("x-amzn-errortype").unwrap_or_default().to_owned(), json(&message))
    }

    /// Another method or path.
    pub fn ask(&self, method: &str, path: &str) -> Message {
        exchange(self.address, &Request::new(method, path)).expect("it answers")
    }
}

/// The status of an answer.
pub fn status(message: &Message) -> u16 {
    message.status().expect("an answer has a status")
}
