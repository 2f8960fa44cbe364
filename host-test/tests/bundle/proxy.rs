//! A real Envoy with a bootstrap that the command wrote.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::{curl, repository};

/// V8 compiles the module first.
const PATIENCE: Duration = Duration::from_secs(90);

/// It listens until it is dropped.
pub struct Proxy {
    child: Child,
    folder: PathBuf,
    /// `127.0.0.1:PORT`
    pub address: String,
    /// The same of its admin interface.
    pub admin: String,
}

/// The Envoy binary; panics with what to do where there is none.
pub fn envoy() -> PathBuf {
    let path = std::env::var_os("ENVOY").map(PathBuf::from).filter(|path| path.is_file());
    path.expect("these tests need a real Envoy: run `make test`, which installs it, or set ENVOY to the binary's path")
}

/// A folder for what tests write, where it stays.
pub fn folder(name: &str) -> PathBuf {
    let folder = repository().join("target/bundle").join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("target/ can be written");
    folder
}

/// What Envoy says against a bootstrap, if anything.
pub fn refusal(file: &Path) -> Option<String> {
    let mut command = Command::new(envoy());
    command.args(["--mode", "validate", "--log-level", "error", "--config-path"]).arg(file);
    let output = command.current_dir(repository()).output().expect("Envoy can be run");
    (!output.status.success()).then(|| super::process::printed(&output).chars().take(2000).collect())
}

// === impl Proxy ===

impl Proxy {
    /// Starts it; the bootstrap has port 0 for listener and admin.
    pub fn start(folder: &Path, bootstrap: &Path, environment: &[(String, String)]) -> Self {
        let admin_file = folder.join("admin");
        let output = |name: &str| std::fs::File::create(folder.join(name)).expect("target/ can be written");
        let mut command = Command::new(envoy());
        command.args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning", "--config-path"]).arg(bootstrap);
        command.arg("--admin-address-path").arg(&admin_file).current_dir(repository());
        // Where no instance gives out credentials, Envoy need not ask for some.
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(output("stdout.log")).stderr(output("stderr.log"));
        let child = command.spawn().expect("Envoy can be run");
        let mut proxy = Self { child, folder: folder.to_owned(), address: String::new(), admin: String::new() };
        proxy.admin = proxy.wait("its admin interface", |_| {
            std::fs::read_to_string(&admin_file).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
        });
        proxy.wait("being ready", |proxy| is_live(&proxy.admin).then_some(()));
        let listeners: Value = serde_json::from_str(&ask(&proxy.admin, "/listeners?format=json")).expect("it is JSON");
        let port = &listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"];
        proxy.address = format!("127.0.0.1:{port}");
        proxy
    }

    /// What it wrote to its standard output: access logs.
    pub fn stdout(&self) -> String {
        std::fs::read_to_string(self.folder.join("stdout.log")).unwrap_or_default()
    }

    fn wait<T>(&mut self, what: &str, poll: impl Fn(&Self) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = poll(self) {
                return found;
            }
            let gone = self.child.try_wait().expect("a child can be asked");
            let said = || std::fs::read_to_string(self.folder.join("stderr.log")).unwrap_or_default();
            assert!(gone.is_none(), "Envoy stopped while waiting for {what}:\n{}", said());
            assert!(Instant::now() < end, "waited {PATIENCE:?} for {what}:\n{}", said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One that stops has no answer, and says why elsewhere.
fn is_live(admin: &str) -> bool {
    let output = Command::new("curl").args(["--silent", "--max-time", "30"]).arg(format!("http://{admin}/ready")).output();
    output.expect("curl can be run").stdout.trim_ascii() == b"LIVE"
}

fn ask(admin: &str, path: &str) -> String {
    curl(&format!("curl 'http://{admin}{path}'"))
}
