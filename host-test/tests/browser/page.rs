//! Where the page comes from: a server that serves it under two origins, tells it what to call, and takes what it saw.

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::drivers::http1::read_request;

const PAGE: &str = include_str!("page.html");

/// The server.
pub struct PageServer {
    port: u16,
    calls: Arc<Mutex<String>>,
    seen: Receiver<Vec<Seen>>,
}

/// What a script saw of one call.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seen {
    /// The status of an answer.
    pub status: Option<u16>,
    /// The header lines that it may see.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// What it got in the place of an answer.
    pub error: Option<String>,
}

// === impl PageServer ===

impl PageServer {
    /// Starts it on a port that nobody has.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let calls = Arc::new(Mutex::new(String::new()));
        let (tell, seen) = mpsc::channel();
        let shared = Arc::clone(&calls);
        // It ends with the test.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (calls, tell) = (Arc::clone(&shared), tell.clone());
                std::thread::spawn(move || drop(serve(stream, &calls, &tell)));
            }
        });
        Self { port, calls, seen }
    }

    /// The origin of the page at one of its two hosts, `127.0.0.1` and `localhost`.
    pub fn origin(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port)
    }

    /// What the page is to call when it is opened next.
    pub fn ask_for(&self, calls: &Value) {
        *self.calls.lock().expect("no page panics") = calls.to_string();
    }

    /// What it saw of the calls, in their order; none when it has not told within the time.
    pub fn seen(&self, patience: Duration) -> Option<Vec<Seen>> {
        self.seen.recv_timeout(patience).ok()
    }
}

/// A request a connection is enough for a page.
fn serve(mut stream: TcpStream, calls: &Mutex<String>, tell: &Sender<Vec<Seen>>) -> std::io::Result<()> {
    let Some(request) = read_request(&mut BufReader::new(stream.try_clone()?))? else { return Ok(()) };
    let (status, kind, body) = match request.method_and_target() {
        ("GET", "/") => ("200 OK", "text/html", PAGE.to_owned()),
        ("GET", "/calls") => ("200 OK", "application/json", calls.lock().expect("no page panics").clone()),
        ("POST", "/seen") => {
            let seen = serde_json::from_slice(&request.body).map_err(std::io::Error::other)?;
            // Nobody who no longer waits has to hear it.
            let _ = tell.send(seen);
            ("204 No Content", "text/plain", String::new())
        }
        // Browsers ask for an icon.
        _ => ("404 Not Found", "text/plain", String::new()),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}
