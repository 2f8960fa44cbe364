//! The load: `wrk`, pinned beside the upstream, for one slice.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What clients send.
#[derive(Debug, Clone)]
pub struct Load {
    /// `GET`
    pub method: &'static str,
    /// One of them for each request, in turn.
    pub paths: Vec<String>,
    /// Of each request.
    pub headers: Vec<(&'static str, String)>,
    /// One of them for each request, in turn; as many as one likes.
    pub credentials: Vec<String>,
    /// Of each request.
    pub body: String,
    /// What each answer must be.
    pub status: u16,
}

/// Connections that are open at once: so many that the worker never waits for the client.
const CONNECTIONS: u32 = 16;

// === impl Load ===

impl Load {
    /// GETs of one path.
    pub fn get(path: &str) -> Self {
        Self {
            method: "GET",
            paths: vec![path.to_owned()],
            headers: vec![("Host", "api.test".to_owned()), ("accept", "*/*".to_owned()), ("user-agent", "bench".to_owned())],
            credentials: Vec::new(),
            body: String::new(),
            status: 200,
        }
    }

    /// POSTs of a JSON body to one path.
    pub fn post(path: &str, body: String) -> Self {
        Self { method: "POST", body, ..Self::get(path) }.header("content-type", "application/json")
    }

    /// The same to these paths.
    pub fn paths(self, paths: Vec<String>) -> Self {
        Self { paths, ..self }
    }

    /// The same with another header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same, each request with one of these in `authorization`.
    pub fn credentials(self, credentials: Vec<String>) -> Self {
        Self { credentials, ..self }
    }

    /// The same, which is answered so.
    pub fn answered(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// For `wrk`: all requests are made before the first is sent.
    pub fn script(&self, file: &Path) -> PathBuf {
        let quote = |text: &str| format!("{text:?}");
        let count = self.paths.len().max(self.credentials.len());
        let mut script = String::from("local requests = {}\n");
        for place in 0..count {
            let mut headers = String::new();
            for (name, value) in &self.headers {
                let _ = write!(headers, "[{}]={},", quote(name), quote(value));
            }
            if !self.credentials.is_empty() {
                let _ = write!(headers, "authorization={},", quote(&self.credentials[place % self.credentials.len()]));
            }
            let path = quote(&self.paths[place % self.paths.len()]);
            let body = if self.body.is_empty() { "nil".to_owned() } else { quote(&self.body) };
            let _ = writeln!(script, "requests[{}] = {{{:?}, {path}, {{{headers}}}, {body}}}", place + 1, self.method);
        }
        script.push_str(
            "local place, made = 0, {}\n\
             function init(args)\n  for i, r in ipairs(requests) do made[i] = wrk.format(r[1], r[2], r[3], r[4]) end\nend\n\
             function request()\n  place = place % #made + 1\n  return made[place]\nend\n",
        );
        std::fs::write(file, script).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        file.to_owned()
    }
}

/// Sends for so many seconds, and tells how many requests were answered; panics with what `wrk` said when one failed.
pub fn send(core: &str, script: &Path, load: &Load, address: SocketAddr, seconds: u32) -> u64 {
    let mut command = Command::new("taskset");
    command.args(["-c", core, "wrk", "--threads", "1", "--connections", &CONNECTIONS.to_string()]);
    command.args(["--duration", &format!("{seconds}s"), "--script"]).arg(script).arg(format!("http://{address}"));
    let output = command.output().expect("taskset and wrk can be run");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let answered = said.lines().find_map(|line| number(line.split_once(" requests in ")?.0)).unwrap_or_default();
    let failed = said.lines().find_map(|line| number(line.strip_prefix("  Non-2xx or 3xx responses: ")?)).unwrap_or_default();
    let expected = if load.status < 400 { 0 } else { answered };
    let is_clean = output.status.success() && !said.contains("Socket errors") && answered > 0 && failed == expected;
    assert!(is_clean, "wrk with {}:\n{said}", script.display());
    answered
}
