//! AWS, as far as moto plays it: a real `moto_server` on a port of its own, on loopback, that checks signatures and policies once
//! it is told to. It ends with the test.
#![allow(dead_code, reason = "each test target uses its own part of it")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long it may take to come up: Python reads all of its services.
const START: Duration = Duration::from_secs(60);

/// How long it may take to answer: a service is set up when it is called first.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where everything is.
pub const REGION: &str = "us-east-1";

/// The account that moto plays.
pub const ACCOUNT: &str = "123456789012";

/// A `moto_server`.
pub struct Moto {
    address: SocketAddr,
    process: Child,
    guarded: bool,
}

/// An access key of a user.
#[derive(Debug, Clone)]
pub struct AccessKey {
    /// `AKIA…`
    pub id: String,
    /// What signs.
    pub secret: String,
}

// === impl Moto ===

impl Moto {
    /// Starts one that lets everybody do everything; panics with what to do where there is none.
    pub fn start() -> Self {
        // Whoever takes the port in between has it; then the next one is tried.
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
            let address = free.local_addr().expect("it has an address");
            drop(free);
            let mut moto = Self { address, process: spawn(address), guarded: false };
            if moto.comes_up() {
                return moto;
            }
        }
        panic!("moto_server does not start");
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on every request needs the signature of a user whose policy allows it. What a test asks here is let through.
    pub fn guard(&mut self) {
        self.lift(false);
        self.guarded = true;
    }

    /// A user with a key, who may do these things: `dynamodb:PutItem`.
    pub fn user(&self, name: &str, actions: &[&str]) -> AccessKey {
        let statement = serde_json::json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        self.query("iam", &[("Action", "CreateUser"), ("UserName", name)]);
        let allow = [("Action", "PutUserPolicy"), ("UserName", name), ("PolicyName", "all"), ("PolicyDocument", &policy)];
        self.query("iam", &allow);
        let answer = self.query("iam", &[("Action", "CreateAccessKey"), ("UserName", name)]);
        AccessKey { id: element(&answer, "AccessKeyId"), secret: element(&answer, "SecretAccessKey") }
    }

    /// An operation of a service that speaks JSON: `DynamoDB_20120810.CreateTable`.
    pub fn json(&self, service: &str, operation: &str, body: &Value) -> Value {
        let version = if service == "kinesis" || service == "events" { "1.1" } else { "1.0" };
        let headers = format!("x-amz-target: {operation}\r\ncontent-type: application/x-amz-json-{version}\r\n");
        let answer = self.ask(service, "POST", "/", &headers, body.to_string().as_bytes());
        serde_json::from_slice(&answer).unwrap_or(Value::Null)
    }

    /// An operation of a service with a query API, and its answer in XML.
    pub fn query(&self, service: &str, parameters: &[(&str, &str)]) -> String {
        let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let headers = "content-type: application/x-www-form-urlencoded\r\n";
        let answer = self.ask(service, "POST", "/", headers, pairs.join("&").as_bytes());
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A request of S3's, with the bucket in the path.
    pub fn s3(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        self.ask("s3", method, path, "", body)
    }

    /// Asks a service whatever the guard says, and panics where it refuses.
    fn ask(&self, service: &str, method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
        if self.guarded {
            self.lift(true);
        }
        // Who asks is not looked at, but which service is asked stands in the signature.
        let headers = format!(
            "host: {service}.{REGION}.amazonaws.com\r\nauthorization: AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/{REGION}/\
             {service}/aws4_request, SignedHeaders=host, Signature=0\r\nx-amz-date: 20260101T000000Z\r\n{headers}"
        );
        let answer = exchange(self.address, method, path, &headers, body);
        if self.guarded {
            self.lift(false);
        }
        let (status, body) = answer.unwrap_or_else(|error| panic!("moto does not answer {method} {path} of {service}: {error}"));
        assert!((200..300).contains(&status), "{service} {method} {path}: {status} {}", String::from_utf8_lossy(&body));
        body
    }

    fn lift(&self, lifted: bool) {
        let actions = if lifted { "inf" } else { "0" };
        let answer = exchange(self.address, "POST", "/moto-api/reset-auth", "content-type: text/plain\r\n", actions.as_bytes());
        assert_eq!(answer.expect("moto answers").0, 200, "moto takes the setting");
    }

    fn comes_up(&mut self) -> bool {
        let deadline = Instant::now() + START;
        while Instant::now() < deadline && matches!(self.process.try_wait(), Ok(None)) {
            if exchange(self.address, "GET", "/moto-api/data.json", "", b"").is_ok_and(|(status, _)| status == 200) {
                // Another moto on the port would answer as well, and then ours is gone.
                std::thread::sleep(Duration::from_millis(50));
                return matches!(self.process.try_wait(), Ok(None));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(address: SocketAddr) -> Child {
    let binary = std::env::var_os("MOTO_SERVER").unwrap_or_else(|| "target/moto-venv/bin/moto_server".into());
    let mut command = Command::new(&binary);
    command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]).current_dir(super::repository());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).env_remove("INITIAL_NO_AUTH_ACTION_COUNT");
    command.spawn().unwrap_or_else(|error| {
        let binary = binary.display();
        panic!("this test needs `{binary}` ({error}): run `make test`, which installs it, or set MOTO_SERVER to its path")
    })
}

/// One request on a connection of its own: the status and the body of the answer.
fn exchange(address: SocketAddr, method: &str, path: &str, headers: &str, body: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
    let broken = |what| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.0\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(|| broken("no head"))?;
    let status = String::from_utf8_lossy(&answer).split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| broken("no status"))?, answer.split_off(end + 4)))
}

/// The text of the first element of a name.
pub fn element(xml: &str, name: &str) -> String {
    let text = xml.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    text.unwrap_or_else(|| panic!("no <{name}> in {xml}")).0.to_owned()
}

/// Of a form: all but unreserved characters (RFC 3986, section 2.3) by their bytes.
fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
