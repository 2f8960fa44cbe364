//! The execution environments of one function: an invocation takes one that is idle, or starts another while there are fewer than
//! `reservedConcurrentExecutions`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use super::Account;
use super::document::Function;
use super::environment::Environment;
use super::failure::Failure;
use super::invocation::{Invocation, Outcome};
use super::log::{Log, Prefix, Report};
use super::process::Processes;

/// How long the caller waits for what the process does between its answer and its asking for more: with what is done by then, one
/// invocation behind the other is one process, and a log is whole.
const GRACE: Duration = Duration::from_millis(100);

/// How long what was printed may take through the pipe.
const PIPE: Duration = Duration::from_millis(2);

/// How many events may wait for a process (`X-Amz-Invocation-Type: Event`).
const QUEUE: usize = 1000;

/// How long the next start waits behind the first that failed; twice as long behind each further one.
const BACKOFF: Duration = Duration::from_millis(100);

/// It never waits longer.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// All that run one function.
pub struct Pool {
    function: Function,
    account: Account,
    processes: Processes,
    prefix: Prefix,
    idle: Mutex<Vec<Environment>>,
    permits: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    starts: Mutex<Starts>,
}

/// How starts went of late.
struct Starts {
    failed: u32,
    not_before: Instant,
}

/// An environment that an invocation has, or why it has none.
struct Begun {
    environment: Result<Environment, Failure>,
    log: Log,
    /// How long the start took, if there was one.
    init: Option<Duration>,
}

// === impl Pool ===

impl Pool {
    /// No process is started before it is needed.
    pub fn new(function: Function, account: Account, processes: Processes, prefix: Prefix) -> Self {
        let permits = Arc::new(Semaphore::new(function.concurrency));
        let starts = Mutex::new(Starts { failed: 0, not_before: Instant::now() });
        let queue = Arc::new(Semaphore::new(QUEUE));
        Self { function, account, processes, prefix, idle: Mutex::default(), permits, queue, starts }
    }

    /// What it runs.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// Says what it runs.
    pub fn introduce(&self) {
        let Function { command, timeout, memory_size, concurrency, .. } = &self.function;
        let timeout = timeout.as_secs();
        self.prefix.say(&format!("{} ({timeout} s, {memory_size} MB, {concurrency} at once)", command.join(" ")));
    }

    /// Begins an invocation, which goes on whether or not its caller stays; nothing when too many run already.
    pub fn call(self: &Arc<Self>, invocation: Invocation) -> Option<oneshot::Receiver<Outcome>> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        let (told, outcome) = oneshot::channel();
        tokio::spawn(Arc::clone(self).run(invocation, permit, told));
        Some(outcome)
    }

    /// Begins one as soon as there is room; false when there never is.
    pub fn enqueue(self: &Arc<Self>, invocation: Invocation) -> bool {
        let Ok(place) = Arc::clone(&self.queue).try_acquire_owned() else { return false };
        if self.function.concurrency == 0 {
            return false;
        }
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            let permit = Arc::clone(&pool.permits).acquire_owned().await;
            drop(place);
            if let Ok(permit) = permit {
                pool.run(invocation, permit, oneshot::channel().0).await;
            }
        });
        true
    }

    async fn run(self: Arc<Self>, invocation: Invocation, permit: OwnedSemaphorePermit, told: oneshot::Sender<Outcome>) {
        let Begun { environment, log, init } = self.begin().await;
        log.line(&format!("START RequestId: {} Version: $LATEST", invocation.request_id));
        let timeout = self.function.timeout;
        let begun = Instant::now();
        let (mut environment, answer) = match environment {
            Err(failure) => (None, Err(failure)),
            Ok(mut environment) => {
                let answer = environment.invoke(&invocation, timeout).await;
                (Some(environment), answer)
            }
        };
        let duration = begun.elapsed();
        let memory_used = environment.as_ref().and_then(Environment::memory_used);
        if matches!(answer, Err(Failure::Exited(_) | Failure::TimedOut(_) | Failure::Stopped)) {
            // Killed here, with all that it started.
            environment = None;
        }
        let end = |answer: &Result<_, Failure>| {
            let request_id = invocation.request_id.as_str();
            if let Some(line) = answer.as_ref().err().and_then(|failure| said(failure, request_id)) {
                log.line(&line);
            }
            log.line(&format!("END RequestId: {request_id}"));
            let failure = answer.as_ref().err().map(|failure| (failure.status(), failure.error_type()));
            let memory_size = self.function.memory_size;
            log.line(&Report { request_id, duration, memory_size, memory_used, init, failure }.line());
        };
        let mut settled = Box::pin(settle(environment, begun + timeout, timeout));
        // A caller that went away is told nothing.
        match tokio::time::timeout(GRACE, settled.as_mut()).await {
            Ok(environment) => {
                end(&answer);
                self.release(environment, permit);
                let _ = told.send(Outcome { answer, log: log.take() });
            }
            Err(_) => {
                end(&answer);
                let _ = told.send(Outcome { answer, log: log.take() });
                let environment = settled.await;
                if environment.is_none() {
                    log.line("the process did not ask for more in time, and was ended");
                }
                self.release(environment, permit);
            }
        }
    }

    /// An idle environment, or a new one.
    async fn begin(&self) -> Begun {
        while let Some(mut environment) = self.take_idle() {
            let log = environment.log.clone();
            if environment.is_alive() {
                log.take();
                return Begun { environment: Ok(environment), log, init: None };
            }
            log.line("the process ended between two invocations; another is started");
        }
        let not_before = self.starts.lock().unwrap_or_else(PoisonError::into_inner).not_before;
        tokio::time::sleep_until(not_before).await;
        let log = Log::new(self.prefix.clone());
        let begun = Instant::now();
        let environment = Environment::start(&self.function, &self.account, &self.processes, log.clone()).await;
        let took = begun.elapsed();
        self.note(environment.is_ok());
        if let Err(failure) = &environment {
            // What it printed on its way is still in the pipe.
            tokio::time::sleep(PIPE).await;
            let millis = took.as_secs_f64() * 1000.0;
            let (status, error_type) = (failure.status(), failure.error_type());
            log.line(&format!(
                "INIT_REPORT Init Duration: {millis:.2} ms\tPhase: init\tStatus: {status}\tError Type: {error_type}"
            ));
        }
        Begun { environment, log, init: Some(took) }
    }

    /// A start that fails lets the next one wait, so that no number of requests makes a machine do nothing but start.
    fn note(&self, good: bool) {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        if good {
            starts.failed = 0;
            return;
        }
        let wait = BACKOFF.saturating_mul(1 << starts.failed.min(10)).min(MAX_BACKOFF);
        starts.failed = starts.failed.saturating_add(1);
        starts.not_before = Instant::now() + wait;
    }

    fn take_idle(&self) -> Option<Environment> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// The environment first: who gets the permit next finds it.
    fn release(&self, environment: Option<Environment>, permit: OwnedSemaphorePermit) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(environment);
        drop(permit);
    }
}

/// The environment once it asks for more; nothing when it does not.
async fn settle(environment: Option<Environment>, deadline: Instant, limit: Duration) -> Option<Environment> {
    let settled = match environment {
        None => None,
        Some(mut environment) => environment.settle(deadline, limit).await.ok().map(|()| environment),
    };
    tokio::time::sleep(PIPE).await;
    settled
}

/// What Lambda's log says of a failure; a function says itself what went wrong in it.
fn said(failure: &Failure, request_id: &str) -> Option<String> {
    match failure {
        Failure::Function { .. } => None,
        Failure::TimedOut(_) => Some(format!("{request_id} {}", failure.message())),
        _ => Some(format!("RequestId: {request_id} Error: {} {}", failure.message(), failure.error_type())),
    }
}
