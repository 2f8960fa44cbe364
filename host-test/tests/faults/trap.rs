//! Traps, one after another. The module that can is another build, with the feature `trap`; the one that is shipped does not know the
//! header.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::trial::{Allowed, Fault, Trial};
use crate::drivers::envoy::{self, workspace};
use crate::traffic::client::{Client, Reply};
use crate::traffic::kind::Kind;
use crate::traffic::load::{Fate, Record};
use crate::traffic::upstream::Trouble;

/// A request with this header makes the module trap.
const HEADER: &str = "x-tollgate-trap-this-worker";

/// From one trap to the next: longer than the backoff of `envoy/edge.yaml` can be.
const PAUSE: Duration = Duration::from_millis(300);

/// What an authorizer takes.
const SLOW: Duration = Duration::from_millis(200);

/// Longer than anything that takes part takes.
const IDLE: Duration = Duration::from_secs(3);

/// When each of them was asked for, and when it was over.
#[derive(Default)]
pub struct Traps(Mutex<Vec<(Instant, Instant)>>);

/// The module that traps; panics with what to do where there is none, and if the one that is shipped could do so.
pub fn module() -> PathBuf {
    let path = match std::env::var_os("TOLLGATE_TRAP_WASM") {
        Some(path) => PathBuf::from(path),
        None => workspace().join("target/wasm32-wasip1/trap/tollgate.wasm"),
    };
    assert!(path.is_file(), "there is no module that traps at {}: run `make wasm-trap` first", path.display());
    let knows = |module: &PathBuf| {
        let bytes = std::fs::read(module).expect("a module can be read");
        bytes.windows(HEADER.len()).any(|window| window == HEADER.as_bytes())
    };
    assert!(knows(&path), "{} was built without the feature `trap`", path.display());
    assert!(!knows(&envoy::module()), "the module that is shipped traps when a client asks for it");
    path
}

/// Streams that nobody continues end sooner than in the template, where that takes 65 seconds.
pub fn hurry(manager: &mut Value) {
    manager["stream_idle_timeout"] = format!("{}s", IDLE.as_secs()).into();
}

impl Fault for Traps {
    fn name(&self) -> &'static str {
        "traps"
    }

    fn begin(&self, trial: &mut Trial<'_>) {
        // So that each trap meets streams of its worker that wait for somebody.
        let upstreams = &trial.scene.upstreams;
        for host in [&upstreams.authorizers, &upstreams.lambda, &upstreams.backend] {
            host.play(Trouble::Slow(SLOW));
        }
    }

    fn during<'a>(&'a self, trial: &'a mut Trial<'_>) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        Box::pin(async move {
            let mut statuses = Vec::new();
            for _ in 0..trial.length.traps {
                let mut request = Kind::Open.request(trial.scene.ledger.id(), &trial.scene.sending.maker);
                request.headers_mut().insert(HEADER, "1".parse().expect("it is plain"));
                let began = Instant::now();
                let reply = Client::new(trial.scene.sending.client.address()).send(request, false).await;
                self.lock().push((began, Instant::now()));
                statuses.push(match reply {
                    Reply::Answer(status, ..) | Reply::Cut(status, _) => status.to_string(),
                    Reply::Broken(_) => "hung up".to_owned(),
                    Reply::Silence => "silence".to_owned(),
                });
                tokio::time::sleep(PAUSE).await;
            }
            statuses.dedup();
            trial.remark = format!("{} traps, answered {}", trial.length.traps, statuses.join(", "));
        })
    }

    fn end(&self, trial: &mut Trial<'_>) {
        let upstreams = &trial.scene.upstreams;
        for host in [&upstreams.authorizers, &upstreams.lambda, &upstreams.backend] {
            host.play(Trouble::None);
        }
    }

    fn allows(&self, _: Kind) -> Allowed {
        // Whatever it was doing on the worker; which ones that may be, `judge` says.
        Allowed::status(503)
    }

    fn timeout(&self, kind: Kind) -> Duration {
        kind.timeout().max(IDLE)
    }

    fn reloads(&self, trial: &Trial<'_>) -> u64 {
        u64::from(trial.length.traps)
    }

    fn judge<'a>(&'a self, trial: &'a mut Trial<'_>, records: &'a [Record]) -> Pin<Box<dyn Future<Output = Vec<String>> + 'a>> {
        let traps = std::mem::take(&mut *self.lock());
        let victims: Vec<&Record> = records.iter().filter(|record| !matches!(record.fate, Fate::Right(_))).collect();
        let was_under_way =
            |record: &Record| traps.iter().any(|(began, ended)| record.sent <= *ended && record.sent + record.took >= *began);
        let waited = victims.iter().filter(|record| record.took > IDLE / 2).count();
        trial.remark.push_str(&format!(
            "; under way on the worker {}, of which {waited} ended with stream_idle_timeout; begun later 0",
            victims.len()
        ));
        let begun_later = victims.iter().filter(|record| !was_under_way(record));
        let complaints = begun_later.map(|record| format!("{record:?} failed, and was not under way")).take(3).collect();
        Box::pin(std::future::ready(complaints))
    }
}

impl Traps {
    fn lock(&self) -> MutexGuard<'_, Vec<(Instant, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
