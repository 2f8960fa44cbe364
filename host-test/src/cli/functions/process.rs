//! The processes of functions: each is a group of its own, so that what it starts ends with it, and none outlives the server.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::failure::{Failure, Missing};
use super::log::Log;

/// All that run.
#[derive(Debug, Clone, Default)]
pub struct Processes(Arc<Mutex<Running>>);

#[derive(Debug, Default)]
struct Running {
    groups: Vec<Pid>,
    /// None is started any more.
    stopped: bool,
}

/// One of them; it is killed with its children when this is dropped.
pub struct Process {
    child: Child,
    group: Option<Pid>,
    processes: Processes,
}

// === impl Processes ===

impl Processes {
    /// Starts a process whose output goes to a log.
    pub fn start(&self, mut command: Command, program: &str, directory: &Path, log: &Log) -> Result<Process, Failure> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.stopped {
            return Err(Failure::Stopped);
        }
        let mut child = command.spawn().map_err(|error| not_started(&error, program, directory))?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        running.groups.extend(group);
        if let Some(pipe) = child.stdout.take() {
            tokio::spawn(log.clone().follow(pipe));
        }
        if let Some(pipe) = child.stderr.take() {
            tokio::spawn(log.clone().follow(pipe));
        }
        Ok(Process { child, group, processes: self.clone() })
    }

    /// Ends all of them, and lets none start any more.
    pub fn stop(&self) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.stopped = true;
        running.groups.drain(..).for_each(kill);
    }

    fn forget(&self, group: Pid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).groups.retain(|other| *other != group);
    }
}

fn kill(group: Pid) {
    // Gone already is as good.
    let _ = kill_process_group(group, Signal::KILL);
}

/// As Lambda's supervisor says it.
fn not_started(error: &std::io::Error, program: &str, directory: &Path) -> Failure {
    let reason = match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    match directory.as_os_str().is_empty() || directory.is_dir() {
        true => Failure::NotStarted(Missing::Program, format!("fork/exec {program}: {reason}")),
        false => Failure::NotStarted(Missing::Directory, format!("chdir {}: no such file or directory", directory.display())),
    }
}

// === impl Process ===

impl Process {
    /// Its end. Can be asked again.
    pub async fn exited(&mut self) -> ExitStatus {
        // What cannot be waited for is not there.
        self.child.wait().await.unwrap_or_default()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The most memory that it had, in megabytes; only Linux tells.
    pub fn memory_used(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kilobytes.div_ceil(1024))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            kill(group);
            self.processes.forget(group);
        }
    }
}
