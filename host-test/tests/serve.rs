//! `tollgate serve` on real sockets: what goes out on the wire byte for byte, what happens when a side is slow, gone or wrong,
//! and how the server follows its files and ends. Needs the module: `make wasm`.

mod process;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use process::TOLLGATE;

/// Longer than anything here takes, shorter than a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// A definition with a proxy to everywhere, one that gives up soon, and a mock.
const API: &str = r#"openapi: 3.0.1
paths:
  /proxy/{proxy+}:
    x-amazon-apigateway-any-method:
      parameters: [{name: proxy, in: path, required: true, schema: {type: string}}]
      x-amazon-apigateway-integration:
        {type: http_proxy, httpMethod: ANY, uri: 'http://backend.test/{proxy}', passthroughBehavior: when_no_match,
         requestParameters: {integration.request.path.proxy: method.request.path.proxy}}
  /soon:
    get:
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: 'http://backend.test/soon', timeoutInMillis: 300}
  /mock:
    get:
      x-amazon-apigateway-integration: {type: mock, requestTemplates: {application/json: '{"statusCode": 200}'},
        responses: {default: {statusCode: 200, responseTemplates: {application/json: '{"version": 1}'}}}}
"#;

/// A running `tollgate serve`, and what it says.
struct Running {
    child: Child,
    address: String,
    said: Receiver<String>,
    folder: PathBuf,
}

// === impl Running ===

impl Running {
    /// Serves [`API`], with `backend` in the place of its backend.
    fn new(test: &str, backend: &str, more: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("tollgate-serve-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        std::fs::write(folder.join("api.yaml"), API).expect("a file can be written");
        let mut command = Command::new(TOLLGATE);
        command.arg("serve").arg(folder.join("api.yaml")).args(["--listen", "127.0.0.1:0", "--upstream"]);
        command.arg(format!("backend.test=http://{backend}")).args(more).env("NO_COLOR", "1");
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the command can be run");
        let stderr = child.stderr.take().expect("a pipe");
        let (tell, said) = mpsc::channel();
        std::thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| drop(tell.send(line))));
        let mut running = Self { child, address: String::new(), said, folder };
        running.address = running.wait_for("listening on http://").replace("listening on http://", "");
        running
    }

    /// The next line that holds a text.
    fn wait_for(&self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut said = Vec::new();
        while let Ok(line) = self.said.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(text) {
                return line;
            }
            said.push(line);
        }
        panic!("`{text}` was never said, but:\n{}", said.join("\n"));
    }

    fn connect(&self) -> TcpStream {
        connect(&self.address)
    }

    /// Sends bytes on a connection of their own and reads the answer to its end.
    fn exchange(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(request).expect("the server reads");
        let mut answer = Vec::new();
        // A server that cuts the connection after its answer has answered all the same.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn get(&self, path: &str) -> String {
        self.exchange(format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes())
    }

    fn write(&self, text: &str) {
        // As editors do: a new file takes the place of the old one.
        std::fs::write(self.folder.join("new"), text).expect("a file can be written");
        std::fs::rename(self.folder.join("new"), self.folder.join("api.yaml")).expect("a file can be renamed");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    stream
}

/// A backend that is told by hand what to do.
fn backend() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address").to_string();
    (listener, address)
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().expect("the gateway connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    stream
}

/// Reads up to the end of a head.
fn head(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut byte).expect("the head arrives");
        assert!(read > 0, "the connection ends in the head: {}", String::from_utf8_lossy(&head));
        head.extend_from_slice(&byte);
    }
    head
}

fn until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    let mut byte = [0];
    while !all.ends_with(end) {
        assert_eq!(stream.read(&mut byte).expect("bytes arrive"), 1, "ends at {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&byte);
    }
    all
}

#[test]
fn the_backend_gets_the_bytes_of_the_client_and_no_header_that_nobody_wrote() {
    let (listener, address) = backend();
    let running = Running::new("bytes", &address, &[]);
    let serving = std::thread::spawn(move || {
        let mut stream = accept(&listener);
        let head = head(&mut stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nx-b: \xfe\xff\r\nset-cookie: a\r\nset-cookie: b\r\ncontent-length: 2\r\n\r\nok")
            .unwrap();
        head
    });
    let mut stream = running.connect();
    stream
        .write_all(b"GET /prod/proxy/a//b%2Fc/+%2B;x?q=%zz&q=a+b HTTP/1.1\r\nHost: h\r\nX-B: \xff\xfe\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let sent = serving.join().unwrap();
    let text = String::from_utf8_lossy(&sent).into_owned();
    assert!(text.starts_with("GET /a//b%2Fc/+%2B;x?q=%zz&q=a+b "), "{text}");
    assert!(sent.windows(8).any(|window| window == b"x-b: \xff\xfe\r"), "{text}");
    assert!(text.find("x-a: 1\r\nx-a: 2\r\n").is_some(), "{text}");
    for name in ["accept:", "user-agent:", "x-request-id:", "x-envoy-", "x-tollgate-", "connection:", "transfer-encoding:"] {
        assert!(!text.contains(&format!("\r\n{name}")), "{name} was added:\n{text}");
    }
    assert!(answer.windows(8).any(|window| window == b"x-b: \xfe\xff\r"), "{}", String::from_utf8_lossy(&answer));
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.contains("set-cookie: a\r\nset-cookie: b\r\n"), "{answer}");
    running.wait_for("GET /prod/proxy/a//b%2Fc/+%2B;x?q=%zz&q=a+b 200 ");
}

#[test]
fn both_bodies_stream_while_they_are_made() {
    let (listener, address) = backend();
    let running = Running::new("stream", &address, &[]);
    let mut client = running.connect();
    client.write_all(b"POST /prod/proxy/x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n").unwrap();
    let mut server = accept(&listener);
    // The backend has the first part of the request before the second is written, and answers it.
    head(&mut server);
    until(&mut server, b"5\r\nfirst\r\n");
    server.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n").unwrap();
    head(&mut client);
    until(&mut client, b"3\r\none\r\n");
    client.write_all(b"6\r\nsecond\r\n0\r\n\r\n").unwrap();
    until(&mut server, b"6\r\nsecond\r\n0\r\n\r\n");
    server.write_all(b"3\r\ntwo\r\n0\r\n\r\n").unwrap();
    until(&mut client, b"3\r\ntwo\r\n0\r\n\r\n");
}

#[test]
fn a_slow_client_makes_the_backend_wait_and_gets_every_byte() {
    // More than the buffers of both connections in the kernel, which grow to tens of megabytes each.
    const TOTAL: usize = 160 * 1024 * 1024;
    let (listener, address) = backend();
    let running = Running::new("slow", &address, &[]);
    let (tell, progress) = mpsc::channel();
    std::thread::spawn(move || {
        let mut stream = accept(&listener);
        head(&mut stream);
        stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {TOTAL}\r\n\r\n").as_bytes()).unwrap();
        let chunk = vec![b'x'; 1024 * 1024];
        for sent in 1..=TOTAL / chunk.len() {
            stream.write_all(&chunk).unwrap();
            tell.send(sent).unwrap();
        }
    });
    let mut client = running.connect();
    client.write_all(b"GET /prod/proxy/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    head(&mut client);
    std::thread::sleep(Duration::from_millis(1500));
    let before = progress.try_iter().last().unwrap_or(0);
    assert!(before < 120, "the backend has sent {before} MB to a client that has read none");
    let mut body = Vec::new();
    client.read_to_end(&mut body).unwrap();
    assert_eq!(body.len(), TOTAL);
}

#[test]
fn a_client_that_leaves_takes_its_backend_request_with_it() {
    let (listener, address) = backend();
    let running = Running::new("leave", &address, &[]);
    let mut client = running.connect();
    client.write_all(b"GET /prod/proxy/x HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut server = accept(&listener);
    head(&mut server);
    drop(client);
    assert_eq!(server.read(&mut [0]).expect("the gateway closes"), 0);
    running.wait_for("GET /prod/proxy/x gone ");
}

#[test]
fn a_backend_that_is_late_or_not_there_is_an_integration_failure() {
    let (listener, address) = backend();
    let running = Running::new("late", &address, &[]);
    let started = Instant::now();
    let answer = running.get("/prod/soon");
    assert!(answer.starts_with("HTTP/1.1 504 ") && answer.ends_with(r#"{"message":"Endpoint request timed out"}"#), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    // Connections that it has accepted but not answered go with the listener.
    drop(listener);
    let answer = running.get("/prod/proxy/x");
    assert!(answer.starts_with("HTTP/1.1 50"), "{answer}");
    assert!(answer.contains("x-amzn-errortype: InternalServerErrorException"), "{answer}");
    running.wait_for("backend of `backend.test`: ");
}

#[test]
fn half_an_answer_arrives_and_does_not_look_whole() {
    let (listener, address) = backend();
    let running = Running::new("half", &address, &[]);
    // The backend goes away at once, which has to be tried more than once: what is lost is lost in a race.
    let halves: [&[u8]; 2] = [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
    ];
    std::thread::spawn(move || {
        for answer in halves.iter().cycle() {
            let mut stream = accept(&listener);
            head(&mut stream);
            stream.write_all(answer).unwrap();
        }
    });
    for _ in 0..100 {
        let answer = running.get("/prod/proxy/x");
        assert!(answer.contains("\r\n4\r\nhalf\r\n") && !answer.ends_with("0\r\n\r\n"), "{answer}");
        let answer = running.get("/prod/proxy/x");
        assert!(answer.contains("content-length: 100\r\n") && answer.ends_with("\r\n\r\nhalf"), "{answer}");
    }
}

#[test]
fn a_backend_that_switches_protocols_unasked_is_an_integration_failure() {
    let (listener, address) = backend();
    let running = Running::new("switch", &address, &[]);
    let serving = std::thread::spawn(move || {
        let mut stream = accept(&listener);
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n").unwrap();
        stream
    });
    let answer = running.get("/prod/proxy/x");
    drop(serving.join());
    assert!(answer.starts_with("HTTP/1.1 50"), "{answer}");
    assert!(answer.contains("\r\n\r\n{\"message\":"), "{answer}");
}

#[test]
fn a_refused_request_ends_its_connection() {
    let (_listener, address) = backend();
    let running = Running::new("refused", &address, &[]);
    for (request, status) in [
        ("GET /prod/mock HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", "403"),
        ("GET /prod/mock HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n", "426"),
    ] {
        let answer = running.exchange(request.as_bytes());
        assert!(answer.split(' ').nth(1) == Some(status) && answer.contains("connection: close\r\n"), "{answer}");
    }
}

#[test]
fn requests_out_of_bounds_are_refused_and_the_next_one_is_served() {
    let (_listener, address) = backend();
    let running = Running::new("bounds", &address, &[]);
    let many: String = (0..1000).map(|n| format!("x-{n}: y\r\n")).collect();
    for (request, status) in [
        (format!("GET /prod/{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(100 * 1024)), "431"),
        (format!("GET /prod/mock HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(61 * 1024)), "431"),
        (format!("GET /prod/mock HTTP/1.1\r\nhost: a\r\n{many}\r\n"), "431"),
        ("GET /prod/mock HTTP/1.0\r\nhost: a\r\n\r\n".to_owned(), "426"),
        ("GET /prod/mock HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned(), "400"),
        ("GET /prod/../mock HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = running.exchange(request.as_bytes());
        let start: String = request.chars().take(30).collect();
        assert!(answer.split(' ').nth(1) == Some(status), "{start}: {}", answer.lines().next().unwrap_or("nothing"));
        assert!(running.get("/prod/mock").ends_with(r#"{"version": 1}"#), "after {start}");
    }
}

#[test]
fn cleartext_http_2_is_spoken_too() {
    let (_listener, address) = backend();
    let running = Running::new("h2c", &address, &[]);
    let url = format!("http://{}/prod/mock", running.address);
    let output = Command::new("curl").args(["-sS", "--http2-prior-knowledge", "-w", " %{http_version}", &url]).output();
    assert_eq!(process::printed(&output.expect("curl can be run")), r#"{"version": 1} 2"#);
}

#[test]
fn a_changed_file_is_served_and_a_bad_one_keeps_the_last_good() {
    let (_listener, address) = backend();
    let running = Running::new("watch", &address, &["--watch"]);
    for (version, good) in [(2, true), (3, false), (4, true)] {
        let text = API.replace(r#""version": 1"#, &format!(r#""version": {version}"#));
        if good {
            running.write(&text);
            running.wait_for("serving the changed definition");
            assert!(running.get("/prod/mock").ends_with(&format!(r#"{{"version": {version}}}"#)));
        } else {
            running.write(&text.replace("type: mock", "type: mokc"));
            running.wait_for("api.yaml:14:");
            running.wait_for("the last good definition goes on serving");
            assert!(running.get("/prod/mock").ends_with(r#"{"version": 2}"#));
        }
    }
}

#[test]
fn a_request_in_flight_ends_on_the_definition_that_it_began_on() {
    let (listener, address) = backend();
    let running = Running::new("flight", &address, &["--watch"]);
    let mut client = running.connect();
    client.write_all(b"GET /prod/proxy/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut server = accept(&listener);
    head(&mut server);
    running.write(&API.replace("/proxy/", "/other/"));
    running.wait_for("serving the changed definition");
    server.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlate").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nlate"), "{answer}");
}

#[cfg(unix)]
#[test]
fn a_told_server_stops_taking_requests_and_ends_those_in_flight() {
    let (listener, address) = backend();
    let mut running = Running::new("stop", &address, &[]);
    let idle = running.connect();
    let mut client = running.connect();
    client.write_all(b"GET /prod/proxy/x HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut server = accept(&listener);
    head(&mut server);
    let killed = Command::new("kill").arg(running.child.id().to_string()).status().expect("kill can be run");
    assert!(killed.success());
    let refused = || TcpStream::connect(&running.address).is_err();
    let end = Instant::now() + PATIENCE;
    while !refused() {
        assert!(Instant::now() < end, "it goes on accepting");
        std::thread::sleep(Duration::from_millis(20));
    }
    server.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlast").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("\r\n\r\nlast"), "{answer}");
    let started = Instant::now();
    assert!(running.child.wait().expect("it ends").success());
    assert!(started.elapsed() < Duration::from_secs(4), "an idle connection held it up");
    drop(idle);
}

#[test]
fn a_port_that_is_taken_is_told_in_plain_words() {
    let (_listener, address) = backend();
    let running = Running::new("port", &address, &[]);
    let file = running.folder.join("api.yaml");
    let output = Command::new(TOLLGATE).arg("serve").arg(file).args(["--listen", &address]).output().expect("it can be run");
    assert_eq!(output.status.code(), Some(1));
    let said = process::printed(&output);
    assert!(said.contains("the port is in use") && said.contains("help: "), "{said}");
}

// --- what is told of requests -----------------------------------------------------------------------------------------------

#[test]
fn a_line_of_the_log_tells_route_latencies_and_why_a_request_failed() {
    let (listener, address) = backend();
    let running = Running::new("log", &address, &[]);
    let answering = std::thread::spawn(move || {
        let mut stream = accept(&listener);
        head(&mut stream);
        std::thread::sleep(Duration::from_millis(50));
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok").unwrap();
        // Given up while it is waited for.
        let mut late = accept(&listener);
        head(&mut late);
        (stream, late)
    });
    running.get("/prod/proxy/x?y=1");
    let line = running.wait_for("GET /prod/proxy/x?y=1 200 ");
    let (_, rest) = line.split_once("integration ").unwrap_or_else(|| panic!("{line}"));
    let (millis, rest) = rest.split_once(" ms, ").unwrap_or_else(|| panic!("{line}"));
    assert!(millis.parse::<u64>().is_ok_and(|millis| (50..10_000).contains(&millis)), "{line}");
    assert_eq!(rest, "ANY /proxy/{proxy+}", "{line}");
    let answer = running.get("/prod/soon");
    let id = answer.lines().find_map(|line| line.strip_prefix("x-amzn-requestid: ")).unwrap_or_else(|| panic!("{answer}"));
    let line = running.wait_for("GET /prod/soon 504 ");
    assert!(line.contains("GET /soon, INTEGRATION_TIMEOUT: ") && line.ends_with(&format!(", request {id}")), "{line}");
    running.get("/prod/nothing");
    assert!(running.wait_for("GET /prod/nothing 403 ").contains("MISSING_AUTHENTICATION_TOKEN"));
    drop(answering.join());
}

#[test]
fn a_trace_is_of_the_very_request_and_asks_nobody_twice() {
    let (listener, address) = backend();
    let running = Running::new("trace", &address, &["--trace"]);
    let answering = std::thread::spawn(move || {
        let mut stream = accept(&listener);
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 201 Created\r\nx-from: backend\r\ncontent-length: 5\r\n\r\nhello").unwrap();
        listener.set_nonblocking(true).unwrap();
        (stream, listener)
    });
    let request = "POST /prod/proxy/a?b=c HTTP/1.1\r\nhost: a\r\nauthorization: Bearer let-me-in-please\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody";
    let answer = running.exchange(request.as_bytes());
    let id =
        answer.lines().find_map(|line| line.strip_prefix("x-amzn-requestid: ")).unwrap_or_else(|| panic!("{answer}")).to_owned();
    running.wait_for("POST /prod/proxy/a?b=c 201 ");
    let mut trace = Vec::new();
    while trace.last().is_none_or(|line| line != "      hello") {
        trace.push(running.said.recv_timeout(PATIENCE).expect("the trace goes on"));
    }
    let (stream, listener) = answering.join().unwrap();
    assert!(listener.accept().is_err(), "the backend is asked once");
    drop(stream);
    let has = |text: &str| assert!(trace.iter().any(|line| line.trim() == text), "`{text}` is missing:\n{}", trace.join("\n"));
    for text in [
        "Method request",
        "authorization: Bearer let-…",
        "request body: body",
        "Integration",
        "POST /a?b=c",
        "x-from: backend",
        "Method response",
    ] {
        has(text);
    }
    has(&format!("x-amzn-requestid: {id}"));
    assert!(!trace.iter().any(|line| line.contains("let-me-in") || line.contains("note: ")), "{}", trace.join("\n"));
}

#[test]
fn a_throttled_request_is_traced_as_it_was() {
    let folder = std::env::temp_dir().join(format!("tollgate-throttled-{}.yaml", std::process::id()));
    let document = format!(
        "apis:\n  - name: a\n    definition:\n{}    stages:\n      - {{ stageName: prod, throttle: {{ rateLimit: 0.001, burstLimit: 2 }} }}\n",
        API.lines().map(|line| format!("      {line}\n")).collect::<String>()
    );
    std::fs::write(&folder, document).expect("a file can be written");
    let server = process::Server::start(&["serve", &folder.display().to_string(), "--trace"]);
    std::fs::remove_file(&folder).expect("the file can be removed");
    for expected in ["200", "200", "429"] {
        let mut stream = connect(&server.address);
        stream.write_all(b"GET /prod/mock HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
        let line = server.wait_for("GET /prod/mock ");
        assert!(line.contains(&format!("/prod/mock {expected} ")), "{line}");
        assert_eq!(line.contains("THROTTLED"), expected == "429", "{line}");
        server.wait_for("Method response");
    }
    assert!(!server.said().iter().any(|line| line.contains("note: ")));
}

#[test]
fn what_takes_a_while_is_told_on_a_terminal_and_leaves_nothing_there() {
    let folder = std::env::temp_dir().join(format!("tollgate-terminal-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("api.yaml"), API).unwrap();
    // Without the compiled module of an earlier start.
    let serve = format!("XDG_CACHE_HOME={0} {TOLLGATE} serve {0}/api.yaml --listen 127.0.0.1:0", folder.display());
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &serve, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("script can be run");
    let mut shown = Vec::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    while reader.read_until(b'\n', &mut shown).is_ok_and(|length| length > 0) {
        if String::from_utf8_lossy(&shown).contains("console on ") {
            break;
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    std::fs::remove_dir_all(&folder).unwrap();
    let shown = String::from_utf8_lossy(&shown).replace("\r\n", "\n");
    assert!(shown.contains("compiling the module"), "{shown:?}");
    // What a terminal shows of a line: what stands behind the last time that it was cleared.
    let left: Vec<&str> = shown.lines().map(|line| line.rsplit("\u{1b}[2K").next().unwrap_or(line)).collect();
    assert!(left.iter().any(|line| line.starts_with("module sha256 ")), "{left:?}");
    assert!(
        !left.iter().any(|line| line.contains("compiling") || line.contains("starting") || line.contains("reading")),
        "{left:?}"
    );
}

/// The `curl` lines of a page, sent to a server that is not where the page says.
fn curl_lines(page: &str, address: &str) -> Vec<String> {
    let text = std::fs::read_to_string(process::repository().join(page)).expect("the page is there");
    let text = text.replace("\\\n", "").replace("127.0.0.1:8080", address);
    text.lines().filter_map(|line| line.strip_prefix("$ ").filter(|line| line.starts_with("curl ")).map(str::to_owned)).collect()
}

#[test]
fn the_traces_of_what_guards_and_counts_come_to_what_the_module_answered() {
    let backend = process::Server::start(&["stub", "examples/authorizers/backend.yaml"]);
    let at = |host: &str| format!("{host}=http://{}", backend.address);
    let (lambda, notes) = (at("lambda.us-east-1.amazonaws.com"), at("notes.example.com"));
    let mut seen = 0;
    for (folder, more) in [("authorizers", vec!["--upstream", &lambda, "--upstream", &notes]), ("usage-plans", vec![])] {
        let file = format!("examples/{folder}/gateway.yaml");
        let server = process::Server::start(&[&["serve", &file, "--trace"], &more[..]].concat());
        for line in curl_lines(&format!("examples/{folder}/README.md"), &server.address) {
            process::curl(&line);
            // A note on one request stands before the line of the next.
            loop {
                let line = server.wait_for("");
                assert!(!line.starts_with("  note: "), "{folder}: {line}");
                if line == "  Method response" {
                    break;
                }
            }
            seen += 1;
        }
        // The last one of all.
        std::thread::sleep(Duration::from_millis(300));
        assert!(!server.said().iter().any(|line| line.starts_with("  note: ")), "{folder}");
    }
    assert!(seen >= 20, "only {seen} requests were sent");
}

#[test]
fn a_log_for_programs_is_one_object_a_line_and_nothing_else() {
    let (_listener, address) = backend();
    let folder = std::env::temp_dir().join(format!("tollgate-json-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("api.yaml"), API).unwrap();
    let mut command = Command::new(TOLLGATE);
    command.arg("serve").arg(folder.join("api.yaml")).args(["--listen", "127.0.0.1:0", "--log-format", "json", "--upstream"]);
    command.arg(format!("backend.test=http://{address}"));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let listens = said.find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned)).expect("it listens");
    for path in ["/prod/mock", "/prod/nothing"] {
        let mut stream = connect(&listens);
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let lines: Vec<serde_json::Value> = lines.take(2).map(|line| serde_json::from_str(&line).expect(&line)).collect();
    let _ = child.kill();
    let _ = child.wait();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(
        (&lines[0]["path"], &lines[0]["status"], &lines[0]["route"]),
        (&"/prod/mock".into(), &200.into(), &"GET /mock".into())
    );
    assert_eq!((&lines[1]["status"], &lines[1]["gatewayResponse"]), (&403.into(), &"MISSING_AUTHENTICATION_TOKEN".into()));
    // Every key is on the page.
    let page = std::fs::read_to_string(process::repository().join("docs/cli.md")).expect("the page is there");
    for key in lines[0].as_object().expect("an object").keys() {
        assert!(page.contains(&format!("| `{key}` |")), "docs/cli.md does not tell of `{key}`");
    }
}

/// A filter that answers nothing and leaves a line for the access log, which a request must not make two of.
const LOGGING_FILTER: &str = r#"(module
  (import "env" "proxy_set_property" (func $set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "tollgate_access_log")
  (data (i32.const 64) "id-1 GET\nforged 200")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_log") (param i32)
    (drop (call $set (i32.const 16) (i32.const 19) (i32.const 64) (i32.const 19)))))"#;

#[test]
fn what_the_filter_leaves_for_the_access_log_is_written_to_its_file() {
    let (_listener, address) = backend();
    let folder = std::env::temp_dir().join(format!("tollgate-access-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (module, log) = (folder.join("filter.wasm"), folder.join("access.log"));
    std::fs::write(&module, wat::parse_str(LOGGING_FILTER).expect("it is a module")).unwrap();
    std::fs::write(&log, "before\n").unwrap();
    let running =
        Running::new("access", &address, &["--module", &module.display().to_string(), "--access-log", &log.display().to_string()]);
    for _ in 0..2 {
        running.get("/prod/mock");
        running.wait_for("GET /prod/mock ");
    }
    let written = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(written, "before\nid-1 GET forged 200\nid-1 GET forged 200\n");
}

#[test]
fn the_line_of_a_stage_with_access_log_settings_goes_to_the_standard_output() {
    let file = std::env::temp_dir().join(format!("tollgate-access-{}.yaml", std::process::id()));
    let format = r#"{"id":"$context.requestId","route":"$context.httpMethod $context.resourcePath","agent":"$context.identity.userAgent","status":"$context.status"}"#;
    let document = format!(
        "apis:\n  - name: a\n    definition:\n{}    stages:\n      - {{ stageName: prod, accessLogSettings: {{ format: '{format}' }} }}\n      - {{ stageName: dev }}\n",
        API.lines().map(|line| format!("      {line}\n")).collect::<String>()
    );
    std::fs::write(&file, document).expect("a file can be written");
    let mut command = Command::new(TOLLGATE);
    command.arg("serve").arg(&file).args([
        "--listen",
        "127.0.0.1:0",
        "--log-format",
        "none",
        "--admin",
        "off",
        "--access-log",
        "-",
    ]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let listens = said.find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned)).expect("it listens");
    std::fs::remove_file(&file).expect("the file can be removed");
    let mut ids = Vec::new();
    for path in ["/dev/mock", "/prod/mock", "/prod/nothing"] {
        let mut stream = connect(&listens);
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nuser-agent: \"\u{9b}2J\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        ids.extend(answer.lines().find_map(|line| line.strip_prefix("x-amzn-requestid: ")).map(str::to_owned));
    }
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let lines: Vec<serde_json::Value> = lines.take(2).map(|line| serde_json::from_str(&line).expect(&line)).collect();
    let _ = child.kill();
    let _ = child.wait();
    let line = |id: &str, route: &str, status: &str| serde_json::json!({"id": id, "route": route, "agent": "\"\u{fffd}2J", "status": status});
    assert_eq!(lines, [line(&ids[1], "GET /mock", "200"), line(&ids[2], "GET -", "403")]);
}

#[test]
fn nothing_moves_where_nobody_sees_it() {
    let (_listener, address) = backend();
    let mut running = Running::new("quiet", &address, &["--log-format", "none", "--admin", "off"]);
    running.get("/prod/mock");
    let killed = Command::new("kill").arg(running.child.id().to_string()).status().expect("kill can be run");
    assert!(killed.success() && running.child.wait().expect("it ends").success());
    let said: Vec<String> = running.said.iter().collect();
    assert_eq!(said, Vec::<String>::new());
}

// --- the operator's listener ------------------------------------------------------------------------------------------------

/// One GET at the operator's listener: the status and the body.
fn operate(address: &str, method: &str, path: &str) -> (String, String) {
    let mut stream = connect(address);
    stream.write_all(format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    let status = head.split(' ').nth(1).unwrap_or_default();
    (status.to_owned(), body.to_owned())
}

#[test]
fn the_operator_and_the_clients_have_listeners_of_their_own() {
    let (_listener, address) = backend();
    let running = Running::new("admin", &address, &["--admin", "0"]);
    let admin = running.wait_for("admin on http://").replace("admin on http://", "");
    assert!(admin.starts_with("127.0.0.1:") && admin != running.address, "{admin}");
    assert_eq!(operate(&admin, "GET", "/ready?x=1"), ("200".to_owned(), r#"{"status":"ready"}"#.to_owned()));
    assert_eq!(operate(&admin, "POST", "/ready").0, "405");
    assert_eq!(operate(&admin, "GET", "/prod/mock").0, "404");
    assert!(running.get("/ready").starts_with("HTTP/1.1 403 "), "{}", running.get("/ready"));
    // The page has exactly the routes that are listed.
    let page = std::fs::read_to_string(process::repository().join("docs/cli.md")).expect("the page is there");
    let table = page.split("| route |").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("the page has a table of them");
    let paths = table.lines().skip(2).map(|row| row.trim_start_matches("| `").split('`').next().unwrap_or_default());
    let (_, listed) = operate(&admin, "GET", "/");
    let known = listed.lines().map(|line| line.split_whitespace().nth(1).unwrap_or_default());
    assert_eq!(paths.collect::<Vec<_>>(), known.collect::<Vec<_>>(), "{listed}");
    // Nothing was said of requests that no client made, and no warning of an address that nobody else reaches.
    running.get("/prod/mock");
    while let Ok(line) = running.said.recv_timeout(PATIENCE) {
        assert!(!line.contains("warning") && !line.contains("/prod/mock 404") && !line.contains("GET /routes"), "{line}");
        if line.contains("/prod/mock 200") {
            return;
        }
    }
    panic!("the request of the client was never told of");
}

#[test]
fn nobody_listens_for_the_operator_where_that_is_off() {
    let (_listener, address) = backend();
    let running = Running::new("noadmin", &address, &["--admin", "off"]);
    running.get("/prod/mock");
    let line = running.said.recv_timeout(PATIENCE).expect("something is said");
    assert!(line.contains("Z GET /prod/mock 200 "), "{line}");
}

#[test]
fn the_operator_sees_the_definition_that_serves_now() {
    let (_listener, address) = backend();
    let running = Running::new("adminwatch", &address, &["--watch", "--admin", "127.0.0.1:0"]);
    let admin = running.wait_for("admin on http://").replace("admin on http://", "");
    let shown = || operate(&admin, "GET", "/routes").1;
    assert!(shown().contains("/prod/mock") && !shown().contains("/prod/other"), "{}", shown());
    running.write(&API.replace("/mock:", "/other:"));
    running.wait_for("serving the changed definition");
    assert!(!shown().contains("/prod/mock") && shown().contains("/prod/other"), "{}", shown());
}

#[test]
fn an_address_for_the_operator_that_others_reach_is_warned_of() {
    let (_listener, address) = backend();
    let running = Running::new("adminopen", &address, &["--admin", "0.0.0.0:0"]);
    let admin = running.wait_for("admin on http://").replace("admin on http://", "");
    let warning = running.wait_for("warning: ");
    assert!(warning.contains(&admin), "{warning}");
}

#[cfg(unix)]
#[test]
fn a_told_server_ends_though_the_operator_is_still_connected() {
    let (_listener, address) = backend();
    let mut running = Running::new("adminstop", &address, &["--admin", "0"]);
    let admin = running.wait_for("admin on http://").replace("admin on http://", "");
    let mut idle = connect(&admin);
    idle.write_all(b"GET /ready HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    head(&mut idle);
    let killed = Command::new("kill").arg(running.child.id().to_string()).status().expect("kill can be run");
    assert!(killed.success());
    let started = Instant::now();
    assert!(running.child.wait().expect("it ends").success());
    assert!(started.elapsed() < Duration::from_secs(4), "an idle connection held it up");
}
