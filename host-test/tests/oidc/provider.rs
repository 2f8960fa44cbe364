//! The OpenID Connect provider: a child process that runs `provider.mjs`, and the port of its issuer, which is the test's own, so
//! that the issuer has its name before it is there, and nobody else is there after it.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::drivers::envoy::workspace;
use crate::drivers::http1::exchange_raw;

/// How long the process may take to say where it is.
const START: Duration = Duration::from_secs(60);

/// How long the process may take to end when it is asked to.
const END: Duration = Duration::from_secs(5);

/// Audience `api`, signed with RS256.
pub const RS256: &str = "urn:api";
/// Audience `api`, signed with ES256.
pub const ES256: &str = "urn:api:es256";
/// Another audience.
pub const OTHER: &str = "urn:other";

/// A port of loopback that nobody else gets while this is held: a socket that is bound and never listens.
pub struct Port {
    address: SocketAddr,
    _reservation: Socket,
}

/// Whether the issuer is there from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Up,
    /// Not before [`Provider::up`].
    Down,
}

/// Which old keys are published after a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of them, behind the new ones.
    Old,
    /// None.
    Nothing,
}

/// How often the issuer was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// For its discovery document.
    pub discovery: u64,
    /// For its keys.
    pub jwks: u64,
}

/// A running provider. It ends when this is dropped, or when the test is no more.
pub struct Provider {
    process: Child,
    control: SocketAddr,
    log: PathBuf,
}

// === impl Port ===

impl Port {
    /// A free one.
    pub fn reserve() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("there are sockets");
        // Linux lets another socket listen there if both say so and this one does not listen.
        socket.set_reuse_address(true).expect("an option of every socket");
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("there are free ports");
        let address = socket.local_addr().expect("it is bound").as_socket().expect("it is an IP socket");
        Self { address, _reservation: socket }
    }

    /// Where the issuer listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

// === impl Provider ===

impl Provider {
    /// Starts one, and waits until it is there.
    pub fn start(label: &str, port: &Port, presence: Presence) -> Self {
        let modules = workspace().join("target/oidc-provider/node_modules");
        assert!(
            modules.is_dir(),
            "there is no OpenID Connect provider in {}: run `make test`, which installs it",
            modules.display()
        );
        let folder = workspace().join("target/oidc");
        std::fs::create_dir_all(&folder).expect("target/ can be written");
        let log = folder.join(format!("{label}.log"));
        let mut command = Command::new("node");
        command
            .arg(workspace().join("host-test/tests/oidc/provider.mjs"))
            .arg(modules)
            .arg(port.address.port().to_string())
            .args((presence == Presence::Down).then_some("down"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).expect("target/ can be written"));
        let process = command.spawn().unwrap_or_else(|error| panic!("this test needs node: {error}"));
        let unknown = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut provider = Self { process, control: unknown, log };
        let stdout = provider.process.stdout.take().expect("it is piped");
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = sender.send(BufReader::new(stdout).read_line(&mut line).map(|_| line));
        });
        let line = receiver.recv_timeout(START).unwrap_or_else(|_| panic!("the provider said nothing in {} s", START.as_secs()));
        let line = line.expect("a pipe can be read");
        let control = line.trim().parse().unwrap_or_else(|_| panic!("the provider did not start: `{line}`"));
        provider.control.set_port(control);
        provider
    }

    /// A new access token.
    pub fn token(&self, resource: &str, scope: &str) -> String {
        let body = format!(
            "grant_type=client_credentials&client_id=test&client_secret=secret&resource={resource}&scope={}",
            scope.replace(' ', "+")
        );
        let answer = self.ask("POST", "/token", &body);
        let token = answer["access_token"].as_str();
        token.unwrap_or_else(|| panic!("the provider gives no token: {answer}")).to_owned()
    }

    /// From now on new keys sign.
    pub fn rotate(&self, keep: Keep) {
        let keep = match keep {
            Keep::Old => "old",
            Keep::Nothing => "none",
        };
        self.ask("POST", &format!("/rotate?keep={keep}"), "");
    }

    /// The issuer listens.
    pub fn up(&self) {
        self.ask("POST", "/up", "");
    }

    /// How often it was asked so far.
    pub fn counts(&self) -> Counts {
        let answer = self.ask("GET", "/counts", "");
        let count = |name: &str| answer[name].as_u64().unwrap_or_else(|| panic!("the provider does not count: {answer}"));
        Counts { discovery: count("discovery"), jwks: count("jwks") }
    }

    fn ask(&self, method: &str, target: &str, body: &str) -> Value {
        let wire = format!(
            "{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{body}",
            self.control,
            body.len()
        );
        let answer = exchange_raw(self.control, wire.as_bytes(), method);
        let answer = answer.unwrap_or_else(|error| panic!("the provider does not answer {method} {target}: {error}"));
        assert_eq!(answer.status().ok(), Some(200), "the provider refuses {method} {target}: {answer:?}");
        serde_json::from_slice(&answer.body).expect("the provider speaks JSON")
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // What it ends by.
        drop(self.process.stdin.take());
        let deadline = Instant::now() + END;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("the provider's log:\n{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}
