//! The two that serve the document and sign what it sends.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::drivers::http1::{Message, exchange_raw};
use crate::envoy::Envoy;
use crate::process::moto::{AccessKey, REGION};
use crate::process::{Server, repository};

/// The services of the document, by their names in hosts.
const SERVICES: [&str; 8] = ["lambda", "dynamodb", "s3", "sqs", "sns", "states", "events", "kinesis"];

/// Something that answers, until it is dropped.
pub struct Edge {
    /// Which of the two it is.
    pub name: &'static str,
    address: SocketAddr,
    _process: Process,
}

enum Process {
    Envoy(#[expect(dead_code, reason = "ends with the edge")] Envoy),
    Serve(#[expect(dead_code, reason = "ends with the edge")] Server),
}

fn document() -> PathBuf {
    repository().join("host-test/tests/aws/gateway.yaml")
}

/// A real Envoy and `tollgate serve`.
pub fn both(label: &str, key: &AccessKey, services: SocketAddr) -> [Edge; 2] {
    [Edge::envoy(label, key, services), Edge::serve(key, services)]
}

// === impl Edge ===

impl Edge {
    fn envoy(label: &str, key: &AccessKey, services: SocketAddr) -> Self {
        let envoy = Envoy::start(label, &document(), key, services);
        Self { name: "envoy", address: envoy.address(), _process: Process::Envoy(envoy) }
    }

    fn serve(key: &AccessKey, services: SocketAddr) -> Self {
        let document = document();
        let overrides = SERVICES.map(|service| format!("{service}.{REGION}.amazonaws.com=http://{services}"));
        let mut arguments = vec!["serve", document.to_str().expect("paths are UTF-8")];
        overrides.iter().for_each(|upstream| arguments.extend(["--upstream", upstream.as_str()]));
        let environment =
            [("AWS_ACCESS_KEY_ID", key.id.as_str()), ("AWS_SECRET_ACCESS_KEY", key.secret.as_str()), ("AWS_SESSION_TOKEN", "")];
        let server = Server::start_with(&arguments, &environment);
        let said = server.before.lines().find(|line| line.starts_with("signing "));
        let all = "dynamodb (us-east-1), events (us-east-1), kinesis (us-east-1), lambda (us-east-1), s3 (us-east-1), sns (us-east-1), sqs (us-east-1), states (us-east-1)";
        assert_eq!(said, Some(format!("signing {all} as {}", key.id).as_str()), "{}", server.before);
        assert!(!server.before.contains(&key.secret), "a secret is never said");
        Self { name: "serve", address: server.address.parse().expect("an address"), _process: Process::Serve(server) }
    }

    /// Sends a request on a connection of its own.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Message {
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: gateway.test\r\n{lines}content-length: {length}\r\nconnection: close\r\n\r\n"
        );
        let answer = exchange_raw(self.address, &[head.as_bytes(), body].concat(), method);
        answer.unwrap_or_else(|error| panic!("{}: no answer to {method} {path}: {error}", self.name))
    }

    /// The same with a body in JSON; panics when the answer has another status, and gives its body.
    pub fn json(&self, method: &str, path: &str, body: &str, status: u16) -> String {
        let answer = self.send(method, path, &[("content-type", "application/json")], body.as_bytes());
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status().ok(), Some(status), "{} {method} {path}: {text}", self.name);
        text
    }
}
