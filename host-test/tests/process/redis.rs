//! A real Redis on a port of its own, on loopback, that keeps what it is told on disk. It ends with the test.
#![allow(dead_code, reason = "each test target uses its own part of it")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long it may take to come up.
const START: Duration = Duration::from_secs(30);

/// A `redis-server`.
pub struct Redis {
    address: SocketAddr,
    folder: PathBuf,
    process: Option<Child>,
}

// === impl Redis ===

impl Redis {
    /// Starts one; panics with what to do where there is none.
    pub fn start() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tollgate-redis-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        // Whoever takes the port in between has it; then the next one is tried.
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
            let address = free.local_addr().expect("it has an address");
            drop(free);
            let mut redis = Self { address, folder: folder.clone(), process: None };
            if redis.spawn() {
                return redis;
            }
        }
        panic!("redis-server does not start");
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it, with all connections. What was written stays.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Gone already is as good.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts it again, on the same port and with what was written.
    pub fn restart(&mut self) {
        self.stop();
        let deadline = Instant::now() + START;
        while !self.spawn() {
            assert!(Instant::now() < deadline, "redis-server does not start again on {}", self.address);
        }
    }

    /// It goes on listening, and answers nobody.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// It goes on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// One inline command, such as `GET key`, and the raw answer.
    pub fn ask(&self, command: &str) -> String {
        let answer = exchange(self.address, command);
        let answer = answer.unwrap_or_else(|error| panic!("redis does not answer `{command}`: {error}"));
        answer.trim_end_matches("+OK\r\n").trim_end().to_owned()
    }

    /// Whether it came up.
    fn spawn(&mut self) -> bool {
        let binary = std::env::var_os("REDIS_SERVER").unwrap_or_else(|| "redis-server".into());
        let mut command = Command::new(&binary);
        command.args(["--bind", "127.0.0.1", "--port", &self.address.port().to_string(), "--dir"]).arg(&self.folder);
        command.args(["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap_or_else(|error| {
            let binary = binary.display();
            panic!("this test needs `{binary}` ({error}): run `make test`, which installs it, or set REDIS_SERVER to its path")
        });
        let process = self.process.insert(process);
        let deadline = Instant::now() + START;
        while Instant::now() < deadline && matches!(process.try_wait(), Ok(None)) {
            // Another Redis on the port would answer as well.
            let pid = format!("process_id:{}\r\n", process.id());
            let answer = exchange(self.address, "INFO server\r\nPING").unwrap_or_default();
            if answer.contains(&pid) && answer.contains("+PONG") {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.stop();
        false
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("it runs");
        let sent = Command::new("kill").args([signal, &process.id().to_string()]).status();
        assert!(sent.expect("kill can be run").success(), "{signal} reaches redis-server");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Inline commands, and all that is said to them and to the `QUIT` behind them.
fn exchange(address: SocketAddr, commands: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(START))?;
    stream.write_all(format!("{commands}\r\nQUIT\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
