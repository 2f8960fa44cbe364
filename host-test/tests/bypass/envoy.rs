//! The matrix on a real Envoy: connections that are kept, requests as raw bytes, and one upstream that plays all backends and
//! functions. Each request carries its number, and the upstream writes down which numbers come.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::comparison::Seen;
use super::documents::LAMBDA;
use super::functions::{Word, answer};
use super::settings::Setting;
use crate::drivers::body::{latin1, to_latin1};
use crate::drivers::case::Request;
use crate::drivers::edge::{Configuration, Template, http_connection_manager};
use crate::drivers::envoy::{command, module, workspace};
use crate::drivers::http1::{self, Message};

/// V8 compiles the module first.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any answer takes.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// The header that carries the number of a request.
const NUMBER: &str = "x-matrix-number";

/// A running Envoy with a listener for each document.
pub struct Envoy {
    process: Child,
    folder: PathBuf,
    admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
}

/// What arrived, and for which request of the matrix, where it says so.
type Arrivals = Arc<Mutex<Vec<(Option<usize>, Seen)>>>;

/// All backends and functions.
pub struct Upstream {
    address: SocketAddr,
    seen: Arrivals,
}

/// A connection that is kept as long as Envoy keeps it.
pub struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
    /// How many it took.
    pub connections: usize,
}

// === impl Envoy ===

impl Envoy {
    /// Starts it, with these documents, each read in its own setting, and one place for all their clusters.
    pub fn start(label: &str, documents: &BTreeMap<String, (Value, Setting)>, upstream: SocketAddr) -> Self {
        let folder = workspace().join("target/envoy").join(format!("{label}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("target/ can be written");
        let template = Template::read(&workspace().join("envoy/edge.yaml")).expect("the template is YAML");
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = |(name, (document, setting)): (&String, &(Value, Setting))| {
            let mut listener = template.listener(name, loopback, &module(), &Configuration::Text(document.to_string()));
            setting.apply(http_connection_manager(&mut listener));
            listener
        };
        let names =
            documents.values().flat_map(|(document, _)| document["upstreams"].as_object().expect("it has upstreams").keys());
        let names: BTreeSet<&String> = names.collect();
        let cluster = |name: &&String| {
            let mut cluster = template.cluster(name, &upstream.ip().to_string(), upstream.port());
            cluster["type"] = "STATIC".into();
            cluster
        };
        let clusters = names.iter().map(cluster).collect();
        let bootstrap = template.bootstrap(loopback, documents.iter().map(listener).collect(), clusters);
        std::fs::write(folder.join("bootstrap.json"), bootstrap.to_string()).expect("target/ can be written");
        let process = command(&folder, 2).spawn().expect("the Envoy binary can be run");
        let mut envoy = Self { process, folder, admin: loopback, listeners: BTreeMap::new() };
        envoy.admin = envoy.wait(|envoy| std::fs::read_to_string(envoy.folder.join("admin")).ok()?.trim().parse().ok());
        envoy.wait(|envoy| (envoy.get("/ready").trim() == "LIVE").then_some(()));
        envoy.listeners = envoy.wait(|envoy| {
            let listeners: Value = serde_json::from_str(&envoy.get("/listeners?format=json")).ok()?;
            let all = listeners["listener_statuses"].as_array()?.iter().map(|status| {
                let port = status["local_address"]["socket_address"]["port_value"].as_u64()?;
                Some((status["name"].as_str()?.to_owned(), SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).ok()?))))
            });
            let all: BTreeMap<String, SocketAddr> = all.collect::<Option<_>>()?;
            (all.len() == documents.len()).then_some(all)
        });
        envoy
    }

    /// Where a document is served.
    pub fn address(&self, name: &str) -> SocketAddr {
        self.listeners[name]
    }

    /// Panics if a VM had to be made anew, or if Envoy does not count it.
    pub fn assert_no_reloads(&self) {
        let stats = self.get("/stats?filter=vm_reload");
        let reloads: Vec<&str> = stats.lines().filter(|line| line.contains("vm_reload")).collect();
        assert!(!reloads.is_empty(), "Envoy has no vm_reload counters");
        assert!(reloads.iter().all(|line| line.ends_with(": 0")), "the filter trapped: {reloads:?}\n{}", self.log());
    }

    fn wait<T>(&mut self, poll: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = poll(self) {
                return found;
            }
            let gone = self.process.try_wait().expect("a child can be asked");
            assert!(gone.is_none() && Instant::now() < deadline, "Envoy does not serve ({gone:?}):\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn get(&self, path: &str) -> String {
        let message = http1::exchange(self.admin, &Request::new("GET", path));
        message.map(|message| String::from_utf8_lossy(&message.body).into_owned()).unwrap_or_default()
    }

    /// Its process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Counters and gauges whose names hold a text.
    pub fn stats(&self, part: &str) -> BTreeMap<String, u64> {
        let text = self.get(&format!("/stats?filter={part}"));
        let entries = text.lines().filter_map(|line| line.rsplit_once(": "));
        entries.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
    }

    /// What it has logged.
    pub fn whole_log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.join("envoy.log")).unwrap_or_default()).into_owned()
    }

    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("envoy.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

// === impl Upstream ===

impl Upstream {
    /// Starts it; it ends with the process.
    pub fn start(words: BTreeMap<String, Word>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there are ports");
        let address = listener.local_addr().expect("it is bound");
        let (seen, words) = (Arc::new(Mutex::new(Vec::new())), Arc::new(words));
        let shared = seen.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, words) = (shared.clone(), words.clone());
                // An error means that Envoy hung up.
                std::thread::spawn(move || drop(serve(stream, &seen, &words)));
            }
        });
        Self { address, seen }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What came to the backends since it was last asked, by number.
    pub fn take(&self) -> Vec<(Option<usize>, Seen)> {
        std::mem::take(&mut self.seen.lock().expect("no thread of it panics"))
    }
}

fn serve(mut stream: TcpStream, seen: &Arrivals, words: &BTreeMap<String, Word>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = http1::read_request(&mut reader)? {
        let (method, target) = request.method_and_target();
        let host = request.header("host").unwrap_or_default().to_owned();
        let (status, is_error, body) = if host == LAMBDA {
            match invoke(&request, target, words) {
                Some(answer) => answer,
                None => return Ok(()),
            }
        } else {
            let number = request.header(NUMBER).and_then(|number| number.parse().ok());
            let arrival = Seen { host, method: method.to_owned(), target: target.to_owned() };
            seen.lock().expect("no thread of it panics").push((number, arrival));
            (200, false, "ok".to_owned())
        };
        let error = if is_error { "x-amz-function-error: Unhandled\r\n" } else { "" };
        let content = if method == "HEAD" { "" } else { &body };
        let answer = format!("HTTP/1.1 {status} stub\r\n{error}content-length: {}\r\n\r\n{content}", body.len());
        stream.write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// The function itself: it knows its callers by what the gateway hands over, not by what the client sent.
fn invoke(request: &Message, target: &str, words: &BTreeMap<String, Word>) -> Option<(u16, bool, String)> {
    let function = target.split("function:").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let event: Value = serde_json::from_slice(&request.body).unwrap_or(json!({}));
    let user = || event["headers"].as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-user"))?.1.as_str();
    let identity = if event["type"] == "TOKEN" { event["authorizationToken"].as_str() } else { user() };
    answer(function, identity.and_then(|identity| words.get(identity)).copied().unwrap_or(Word::Denied))
}

// === impl Client ===

impl Client {
    /// For a listener.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connection: None, connections: 0 }
    }

    /// Sends a request with its number, and reads the status; an error is an answer, too.
    pub fn send(&mut self, number: usize, request: &Request) -> String {
        let wire = wire(number, request);
        // Envoy may have closed a kept connection in the meantime: then once more, on a new one.
        let is_kept = self.connection.is_some();
        match self.exchange(&wire, &request.method) {
            Err(_) if is_kept => self.exchange(&wire, &request.method),
            done => done,
        }
        .unwrap_or_else(|error| format!("no answer: {error}"))
    }

    fn exchange(&mut self, wire: &[u8], method: &str) -> io::Result<String> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                self.connections += 1;
                let stream = TcpStream::connect(self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(READ_TIMEOUT))?;
                BufReader::new(stream)
            }
        };
        // Envoy answers and closes before it has read all of some requests: what it wrote counts.
        let written = connection.get_mut().write_all(wire);
        let (status, is_kept) = read_answer(&mut connection, method).map_err(|error| written.err().unwrap_or(error))?;
        self.connection = Some(connection).filter(|_| is_kept);
        Ok(status)
    }
}

fn wire(number: usize, request: &Request) -> Vec<u8> {
    let bytes = |text: &str| latin1(text).expect("texts are one character a byte");
    let body = request.pieces().concat();
    let mut wire = bytes(&format!("{} {} HTTP/1.1\r\n{NUMBER}: {number}\r\n", request.method, request.path));
    for (name, value) in &request.headers {
        wire.extend(bytes(&format!("{name}: {value}\r\n")));
    }
    if !body.is_empty() {
        wire.extend(bytes(&format!("content-length: {}\r\n", body.len())));
    }
    wire.extend(b"\r\n");
    wire.extend(body);
    wire
}

/// The status, and whether the connection is kept.
fn read_answer(reader: &mut impl BufRead, method: &str) -> io::Result<(String, bool)> {
    let mut line = || {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed without an answer"));
        }
        Ok(to_latin1(line.trim_ascii_end()))
    };
    let status = line()?.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut is_kept) = (0, true);
    loop {
        let field = line()?.to_ascii_lowercase();
        match field.split_once(": ") {
            None if field.is_empty() => break,
            Some(("content-length", value)) => length = value.parse().map_err(io::Error::other)?,
            Some(("connection", "close") | ("transfer-encoding", _)) => is_kept = false,
            _ => {}
        }
    }
    if method != "HEAD" && status != "204" && status != "304" {
        io::copy(&mut reader.take(length), &mut io::sink())?;
    }
    Ok((status, is_kept))
}
