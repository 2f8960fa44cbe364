//! The command as users run it: a child process that ends with the test, and `curl` lines as they are typed.
#![allow(dead_code, reason = "each test target uses its own part of it")]

pub mod moto;
pub mod redis;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// The command under test.
pub const TOLLGATE: &str = env!("CARGO_BIN_EXE_tollgate");

/// Until a server listens: the module is compiled at its first start.
const START: Duration = Duration::from_secs(120);

/// A `tollgate serve` or `tollgate stub` that listens; killed when it is dropped.
pub struct Server {
    child: Child,
    said: Receiver<String>,
    /// What it said before it listened.
    pub before: String,
    /// `127.0.0.1:PORT`
    pub address: String,
}

/// The folder of the repository, where every command of a page is run.
pub fn repository() -> PathBuf {
    let host_test = Path::new(env!("CARGO_MANIFEST_DIR"));
    host_test.parent().expect("the crate is a member of the workspace").to_owned()
}

/// The programs of functions: what `make need-functions` installs comes first.
fn path_with_runtime_clients() -> String {
    let installed = repository().join("target/functions");
    let ours = [installed.join("python/bin"), installed.join("node/node_modules/.bin")].map(|folder| folder.display().to_string());
    format!("{}:{}", ours.join(":"), std::env::var("PATH").unwrap_or_default())
}

/// Runs the command to its end.
pub fn tollgate(arguments: &[&str]) -> Output {
    let mut command = Command::new(TOLLGATE);
    command.args(arguments).current_dir(repository()).env("NO_COLOR", "1").stdin(Stdio::null());
    command.output().expect("the command can be run")
}

/// Both streams of a command that ran, one behind the other.
pub fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a line that begins with `curl`, and gives what it prints, line ends as on a terminal.
pub fn curl(line: &str) -> String {
    let words = line.strip_prefix("curl ").unwrap_or_else(|| panic!("`{line}` is no curl line"));
    let line = format!("curl --silent --show-error --max-time 30 {words}");
    let output = Command::new("bash").args(["-c", &line]).current_dir(repository()).output().expect("bash can be run");
    assert!(output.status.success(), "`{line}` ends in {}:\n{}", output.status, printed(&output));
    String::from_utf8_lossy(&output.stdout).replace('\r', "")
}

/// Runs a line as a shell does, and gives what both streams print, in the order of printing.
pub fn shell(line: &str) -> String {
    let line = format!("exec 2>&1; {line}");
    let mut command = Command::new("bash");
    command.args(["-c", &line]).current_dir(repository()).env("NO_COLOR", "1").stdin(Stdio::null());
    printed(&command.output().expect("bash can be run"))
}

/// Sends a signal, such as `-STOP`.
pub fn signal(process: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &process.id().to_string()]).status().expect("kill can be run");
    assert!(sent.success(), "{signal} reaches the process");
}

// === impl Server ===

impl Server {
    /// Starts the command on a port that nobody has; panics with what it said when it does not come to listen.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_as(arguments, "http")
    }

    /// The same for what is spoken there.
    pub fn start_as(arguments: &[&str], scheme: &str) -> Self {
        Self::run(arguments, scheme, &[])
    }

    /// The same with more in its environment.
    pub fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::run(arguments, "http", environment)
    }

    fn run(arguments: &[&str], scheme: &str, environment: &[(&str, &str)]) -> Self {
        let listens = format!("listening on {scheme}://");
        let mut command = Command::new(TOLLGATE);
        command.args(arguments).args(["--listen", "127.0.0.1:0"]).current_dir(repository());
        command.env("NO_COLOR", "1").env("PATH", path_with_runtime_clients()).envs(environment.iter().copied());
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the command can be run");
        let stderr = child.stderr.take().expect("its standard error is a pipe");
        let (sender, receiver) = mpsc::channel();
        // Reads on after the server listens, so that a full pipe never stops it.
        std::thread::spawn(move || BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let end = Instant::now() + START;
        let mut said = String::new();
        loop {
            match receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => match line.strip_prefix(&listens) {
                    Some(address) => return Self { child, said: receiver, before: said, address: address.to_owned() },
                    None => said.push_str(&format!("{line}\n")),
                },
                Err(error) => {
                    let _ = child.kill();
                    panic!("`tollgate {}` does not listen ({error}):\n{said}", arguments.join(" "));
                }
            }
        }
    }

    /// The lines that it has said since somebody listened.
    pub fn said(&self) -> Vec<String> {
        self.said.try_iter().collect()
    }

    /// Tells it to stop as a supervisor does, and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        signal(&self.child, "-TERM");
        self.child.wait().expect("a child can be waited for")
    }

    /// The next line that holds a text; panics when it is never said.
    pub fn wait_for(&self, text: &str) -> String {
        let end = Instant::now() + START;
        let mut said = Vec::new();
        while let Ok(line) = self.said.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(text) {
                return line;
            }
            said.push(line);
        }
        panic!("`{text}` was never said, but:\n{}", said.join("\n"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
