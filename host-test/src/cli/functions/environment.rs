//! An execution environment: one process of a function and its runtime API. It does one invocation at a time.

use std::time::Duration;

use hyper::body::Bytes;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Account;
use super::document::Function;
use super::failure::Failure;
use super::invocation::{Invocation, ids, now_millis};
use super::log::Log;
use super::process::{Process, Processes};
use super::runtime_api::{Delivery, Event, Post, RuntimeApi, Verdict, Waiting};

/// How long a process may take until it asks for its first invocation ("Lambda execution environment", Init phase).
const INIT: Duration = Duration::from_secs(10);

/// A process that is there.
pub struct Environment {
    process: Process,
    api: RuntimeApi,
    /// The process waits for an invocation.
    waiting: Option<Waiting>,
    /// What it prints.
    pub log: Log,
}

/// What comes first.
enum Happened {
    Event(Event),
    Failed(Failure),
}

// === impl Environment ===

impl Environment {
    /// Starts a process, and waits until it asks for work.
    pub async fn start(function: &Function, account: &Account, processes: &Processes, log: Log) -> Result<Self, Failure> {
        let api = RuntimeApi::start().await.map_err(|_| Failure::Stopped)?;
        let [program, arguments @ ..] = function.command.as_slice() else { return Err(Failure::Stopped) };
        let mut command = Command::new(program);
        command.args(arguments).envs(function.environment.iter().map(|(name, value)| (name, value)));
        // Whoever starts the gateway may be a function, too.
        ["AWS_EXECUTION_ENV", "AWS_LAMBDA_MAX_CONCURRENCY", "_X_AMZN_TRACE_ID", "_HANDLER"].iter().for_each(|name| {
            command.env_remove(name);
        });
        command.envs(variables(function, account)).env("AWS_LAMBDA_RUNTIME_API", api.address.to_string());
        if !function.directory.as_os_str().is_empty() {
            command.current_dir(&function.directory);
        }
        let process = processes.start(command, program, &function.directory, &log)?;
        let mut environment = Self { process, api, waiting: None, log };
        environment.settle(Instant::now() + INIT, INIT).await?;
        Ok(environment)
    }

    /// Whether it can take an invocation.
    pub fn is_alive(&mut self) -> bool {
        self.process.is_running()
    }

    /// The most memory that the process had, in megabytes.
    pub fn memory_used(&self) -> Option<u64> {
        self.process.memory_used()
    }

    /// Hands an invocation over, and waits for the answer.
    pub async fn invoke(&mut self, invocation: &Invocation, timeout: Duration) -> Result<Bytes, Failure> {
        let deadline = Instant::now() + timeout;
        let deadline_millis = now_millis().saturating_add(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        loop {
            self.settle(deadline, timeout).await?;
            let Some(waiting) = self.waiting.take() else { continue };
            // A process that no longer listens asks again.
            if waiting.send(Some(Delivery::new(invocation, deadline_millis))).is_ok() {
                break;
            }
        }
        loop {
            let (post, is_error) = match self.next(deadline, timeout).await {
                Happened::Failed(failure) => return Err(failure),
                // Asked before it has answered.
                Happened::Event(Event::Next(waiting)) => {
                    let _ = waiting.send(None);
                    continue;
                }
                Happened::Event(Event::InitError(post)) => {
                    let _ = post.verdict.send(Verdict::WrongState);
                    continue;
                }
                Happened::Event(Event::Response(post)) => (post, false),
                Happened::Event(Event::Error(post)) => (post, true),
            };
            if post.request_id != invocation.request_id {
                let _ = post.verdict.send(Verdict::UnknownId);
                continue;
            }
            return match (is_error, accept(post)) {
                (false, Ok((body, _))) => Ok(body),
                (true, Ok((body, error_type))) => Err(Failure::Function { error_type, body }),
                (_, Err(failure)) => Err(failure),
            };
        }
    }

    /// Waits until the process asks for an invocation.
    pub async fn settle(&mut self, deadline: Instant, limit: Duration) -> Result<(), Failure> {
        while self.waiting.as_ref().is_none_or(oneshot::Sender::is_closed) {
            match self.next(deadline, limit).await {
                Happened::Failed(failure) => return Err(failure),
                Happened::Event(Event::Next(waiting)) => self.waiting = Some(waiting),
                Happened::Event(Event::InitError(post)) => {
                    let (body, error_type) = accept(post)?;
                    return Err(Failure::Function { error_type, body });
                }
                Happened::Event(Event::Response(post) | Event::Error(post)) => drop(post.verdict.send(Verdict::UnknownId)),
            }
        }
        Ok(())
    }

    async fn next(&mut self, deadline: Instant, limit: Duration) -> Happened {
        tokio::select! {
            // What a process told before it ended counts.
            biased;
            Some(event) = self.api.events.recv() => Happened::Event(event),
            status = self.process.exited() => Happened::Failed(Failure::Exited(status)),
            () = tokio::time::sleep_until(deadline) => Happened::Failed(Failure::TimedOut(limit)),
        }
    }
}

/// Takes what the process told.
fn accept(post: Post) -> Result<(Bytes, String), Failure> {
    let verdict = if post.body.is_some() { Verdict::Accepted } else { Verdict::TooLarge };
    let _ = post.verdict.send(verdict);
    let error_type = post.error_type.unwrap_or_else(|| "Unhandled".to_owned());
    post.body.map(|body| (body, error_type)).ok_or(Failure::TooLarge)
}

/// What Lambda puts into the environment ("Defined runtime environment variables"); the rest is that of the gateway.
fn variables(function: &Function, account: &Account) -> Vec<(&'static str, String)> {
    let root = std::path::absolute(&function.directory).unwrap_or_else(|_| std::env::current_dir().unwrap_or_default());
    let stream = ids().trace_root(now_millis()).replace('-', "");
    let mut variables = vec![
        ("AWS_DEFAULT_REGION", account.region.clone()),
        ("AWS_REGION", account.region.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_size.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/[$LATEST]{stream}")),
        ("LAMBDA_TASK_ROOT", root.display().to_string()),
    ];
    // The function may have set its own (it is not among those that Lambda keeps for itself).
    if !function.environment.iter().any(|(name, _)| name == "TZ") {
        variables.push(("TZ", ":UTC".to_owned()));
    }
    if let Some(handler) = &function.handler {
        variables.push(("_HANDLER", handler.clone()));
    }
    variables
}
