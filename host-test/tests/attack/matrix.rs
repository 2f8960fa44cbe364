//! Nobody gets past an authorizer, whatever Envoy does to paths: the matrix of `bypass.rs` on a real Envoy, in each of its settings
//! for paths. The reference judges the path that Envoy hands to the filter, by a model of its own (`bypass/settings.rs`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use crate::bypass::apis::{Guard, Protocol};
use crate::bypass::comparison::Comparison;
use crate::bypass::credentials;
use crate::bypass::envoy::{Client, Envoy, Upstream};
use crate::bypass::matrix::{Attempt, Random};
use crate::bypass::reference::Verdict;
use crate::bypass::run::{Attack, Outcome, PROTOCOLS, SAMPLE_FLOOR, documents, documents_with, floors_missed, seed};
use crate::bypass::settings::{Reading, SETTINGS, Setting};
use crate::drivers::case::Request;
use crate::drivers::report::say;

/// Tokens of the matrix are right for two minutes, and some of them wrong no longer than that.
const AT_A_TIME: usize = 10_000;

/// Clients at a time.
const CLIENTS: usize = 4;

/// Requests in which a guard that is gone has to be found.
const PROOF: usize = 600;

/// One setting's outcome.
pub struct Row {
    /// The setting.
    pub name: &'static str,
    /// How many requests.
    pub requests: usize,
    /// How many reached a backend, as they may.
    pub reached: usize,
    /// How many Envoy answered before the filter saw them.
    pub answered: usize,
    /// How many got past a guard, or elsewhere than they may.
    pub bypasses: usize,
    /// How many were stopped that may pass.
    pub stopped: usize,
    /// How long it took.
    pub took: Duration,
}

/// An Envoy with a pair of listeners for each setting, and one pair that lacks a guard.
struct Gateway {
    envoy: Envoy,
    upstream: Upstream,
}

/// The clock of tokens and signatures.
fn clock() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Sends so many requests of the matrix in each setting, or all of them. The error says what was found.
pub fn run(count: Option<usize>) -> (Vec<Row>, Result<(), String>) {
    let mut attack = Attack::new(clock());
    let attempts = match count {
        Some(count) => attack.sample(count, clock()),
        None => attack.attempts.clone(),
    };
    let gateway = Gateway::start(&attack);
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for setting in SETTINGS {
        let start = Instant::now();
        let (comparison, answered) = gateway.compare(setting, listener(setting), &attempts, &mut attack);
        let row = Row {
            name: setting.name(),
            requests: comparison.total(),
            reached: comparison.reached.values().sum(),
            answered,
            bypasses: comparison.bypasses.len(),
            stopped: comparison.stopped.len(),
            took: start.elapsed(),
        };
        say(&format!("{}, {:.1?}: {}", setting.name(), row.took, comparison.told()));
        if row.bypasses + row.stopped > 0 {
            problems.push(format!(
                "{}: {} bypasses, {} stopped in vain\n{}",
                row.name,
                row.bypasses,
                row.stopped,
                comparison.offenders()
            ));
        }
        let floor = if count.is_some() { SAMPLE_FLOOR } else { usize::MAX };
        if setting == Setting::Shipped {
            problems.extend(floors_missed(&comparison, floor).into_iter().map(|missed| format!("{}: {missed}", row.name)));
        }
        rows.push(row);
    }
    problems.extend(gateway.proofs(&mut attack));
    gateway.envoy.assert_no_reloads();
    (rows, if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) })
}

fn listener(setting: Setting) -> impl Fn(Protocol) -> String {
    move |protocol| format!("{}-{setting:?}", protocol.document())
}

fn unguarded(protocol: Protocol) -> String {
    format!("{}-unguarded", protocol.document())
}

/// What may become of a request in a setting.
fn judge(setting: Setting, attack: &Attack, attempt: &Attempt, request: &Request) -> (Verdict, Request) {
    let path = match setting.read(&request.path) {
        Reading::Answers(_) => return (Verdict::Stops("Envoy itself"), request.clone()),
        Reading::Forwards(path) => path,
    };
    let is_changed = path != request.path;
    let mut read = request.clone();
    read.path = path;
    let verdict = match attack.judge(attempt, &read) {
        // It was made over what the client sent.
        Verdict::Reaches(arrival, _) if is_changed && attack.credentials[attempt.credential].worth.signer.is_some() => {
            Verdict::Perhaps("signature over something odd", vec![arrival])
        }
        verdict => verdict,
    };
    (verdict, read)
}

// === impl Gateway ===

impl Gateway {
    fn start(attack: &Attack) -> Self {
        let words = attack.credentials.iter().filter_map(|c| Some((c.identity.clone()?, c.word))).collect();
        let upstream = Upstream::start(words);
        let mut listeners = BTreeMap::new();
        let open = documents_with(|guard| if matches!(guard, Guard::Jwt(_)) { Guard::Open } else { guard });
        let whole = documents();
        for protocol in PROTOCOLS {
            for setting in SETTINGS {
                listeners.insert(listener(setting)(protocol), (whole[protocol.document()].clone(), setting));
            }
            listeners.insert(unguarded(protocol), (open[protocol.document()].clone(), Setting::Unescaping));
        }
        let envoy = Envoy::start("matrix", &listeners, upstream.address());
        Self { envoy, upstream }
    }

    /// Sends requests to a pair of listeners, and compares what came of them with what may in this setting.
    fn compare(
        &self,
        setting: Setting,
        listener: impl Fn(Protocol) -> String + Sync,
        attempts: &[Attempt],
        attack: &mut Attack,
    ) -> (Comparison, usize) {
        let (mut comparison, mut answered) = (Comparison::default(), 0);
        for attempts in attempts.chunks(AT_A_TIME) {
            attack.credentials = credentials::all(clock());
            for Outcome { attempt, request, seen, status } in self.send(&listener, attempts, attack) {
                let (verdict, read) = judge(setting, attack, &attempt, &request);
                comparison.add(&attempt, &read, &verdict, &seen, &status);
                if let Reading::Answers(expected) = setting.read(&request.path) {
                    answered += 1;
                    // What Envoy cannot parse it refuses before it looks at the path.
                    if status != expected && status != "400" {
                        comparison.stopped.push(format!("#{} {}: {status} and not {expected}", attempt.number, attempt.name));
                    }
                }
            }
        }
        (comparison, answered)
    }

    fn send(&self, listener: &(impl Fn(Protocol) -> String + Sync), attempts: &[Attempt], attack: &Attack) -> Vec<Outcome> {
        let sending = |part: usize| {
            let mut clients = PROTOCOLS.map(|protocol| Client::new(self.envoy.address(&listener(protocol))));
            let one = |attempt: &Attempt| {
                let request = attempt.request(&attack.credentials, clock());
                let client = usize::from(attempt.protocol == Protocol::Http);
                let status = clients[client].send(attempt.number, &request);
                Outcome { attempt: attempt.clone(), request, seen: Vec::new(), status }
            };
            attempts.iter().skip(part).step_by(CLIENTS).map(one).collect::<Vec<Outcome>>()
        };
        let mut outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let parts: Vec<_> = (0..CLIENTS).map(|part| scope.spawn(move || sending(part))).collect();
            parts.into_iter().flat_map(|part| part.join().expect("it has told why")).collect()
        });
        // A request that Envoy forwards although it has answered would come late.
        std::thread::sleep(Duration::from_millis(200));
        let by_number: BTreeMap<usize, usize> =
            outcomes.iter().enumerate().map(|(place, outcome)| (outcome.attempt.number, place)).collect();
        for (number, seen) in self.upstream.take() {
            let place = number.and_then(|number| by_number.get(&number));
            outcomes[*place.unwrap_or_else(|| panic!("the upstream got what nobody sent: {seen:?}"))].seen.push(seen);
        }
        outcomes
    }

    /// That a guard which is missing is found, and an Envoy that reads paths otherwise than the reference thinks.
    fn proofs(&self, attack: &mut Attack) -> Vec<String> {
        let mixed = Random(seed()).mixed(&attack.attempts);
        // Long enough for both, and no longer: each is signed.
        let mixed = &mixed[..mixed.len().min(PROOF * 8)];
        let folds = |attempt: &&Attempt| {
            let path = attempt.request(&attack.credentials, clock()).path;
            Setting::Unescaping.read(&path) != Setting::Shipped.read(&path)
        };
        let folded: Vec<Attempt> = mixed.iter().filter(folds).take(PROOF).cloned().collect();
        let some = &mixed[..mixed.len().min(PROOF)];
        let without = self.compare(Setting::Unescaping, unguarded, some, attack).0.bypasses.len();
        let otherwise = self.compare(Setting::Shipped, listener(Setting::Unescaping), &folded, attack).0.bypasses.len();
        say(&format!(
            "found of {PROOF} where JWT authorizers are missing: {without}; where Envoy decodes unknown to the reference: {otherwise}\n"
        ));
        let blind = |found: usize, what: &str| (found == 0).then(|| format!("the matrix does not find {what}"));
        [blind(without, "a guard that is missing"), blind(otherwise, "an Envoy that decodes slashes")]
            .into_iter()
            .flatten()
            .collect()
    }
}
