//! Nobody reaches a backend without permission: a matrix of paths, hosts, methods, credentials and their defects, on every shape of
//! route and every kind of guard, against a second and naive reading of AWS's rules.
//!
//! | file | what it says |
//! |---|---|
//! | `apis` | what is attacked: stages, routes, guards and policies, as one table |
//! | `documents`, `functions` | the same as gateway documents, and the functions of Lambda authorizers |
//! | `paths`, `credentials` | how a path can be written; what a client can show, what is wrong with it, and what it is worth |
//! | `matrix` | which of them are put together |
//! | `reference` | who may reach what |
//! | `comparison` | what a driver did against what the reference says, counts, offenders |
//! | `envoy` | raw bytes on connections that are kept |
//!
//! Where the reference is sure, the gateway has to do exactly what it says, down to the path that the backend gets. Where AWS does
//! not say what happens, a request that reaches a backend has to be permitted in one of the readings; those classes have names, and
//! are printed. `BYPASS_ONLY=NUMBER` runs one request of the matrix natively, `BYPASS_SEED=NUMBER` takes another mixture. Needs
//! ENVOY and the module: `make test` brings both.

#[path = "bypass/mod.rs"]
mod bypass;
mod drivers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use bypass::apis::{APIS, Guard, Protocol};
use bypass::comparison::{Comparison, Seen};
use bypass::credentials::{self, Credential};
use bypass::documents::{BACKEND, DEFAULT_BACKEND, LAMBDA, document};
use bypass::envoy::{Client, Envoy, Upstream};
use bypass::functions::{WORDS, Word, backend};
use bypass::matrix::{self, Attempt, Random};
use bypass::reference::{Verdict, guard_of, judge};
use drivers::case::{Backend, Request};
use drivers::native::Native;
use drivers::report::say;
use drivers::wasm::Wasm;
use drivers::{Clusters, Driver};
use serde_json::Value;

/// Of the mixed part of the matrix, unless BYPASS_SEED is another.
const SEED: u64 = 20_261_121;

fn seed() -> u64 {
    std::env::var("BYPASS_SEED").map_or(SEED, |seed| seed.parse().expect("BYPASS_SEED is a number"))
}

const PROTOCOLS: [Protocol; 2] = [Protocol::Rest, Protocol::Http];

/// Guards, and how many requests have to get through each of them, and to be stopped there, natively.
const FLOORS: [(&str, usize, usize); 12] = [
    ("open", 5_000, 100),
    ("IAM", 200, 1_000),
    ("TOKEN", 50, 500),
    ("TOKEN without expression", 50, 500),
    ("TOKEN that denies", 0, 500),
    ("REQUEST", 100, 500),
    ("REQUEST, yes or no", 50, 500),
    ("JWT", 300, 1_000),
    ("JWT with scopes", 50, 500),
    ("JWT in the query", 50, 300),
    ("Cognito", 100, 1_000),
    ("Cognito with scopes", 20, 300),
];

/// The same in a sample: these, or fewer where natively fewer are asked for.
const SAMPLE_FLOOR: usize = 25;

/// A request as it was sent, and what came of it.
struct Outcome {
    attempt: Attempt,
    request: Request,
    seen: Vec<Seen>,
    status: String,
}

/// The matrix for one clock.
struct Attack {
    credentials: Vec<Credential>,
    attempts: Vec<Attempt>,
}

/// For the native driver, whose time stands still.
static NATIVE: LazyLock<Attack> = LazyLock::new(|| Attack::new(Native::default().now()));

// === impl Attack ===

impl Attack {
    fn new(now: Duration) -> Self {
        let credentials = credentials::all(now);
        let attempts = matrix::all(&credentials, seed());
        Self { credentials, attempts }
    }

    fn judge(&self, attempt: &Attempt, request: &Request) -> Verdict {
        judge(attempt.protocol, request, &self.credentials[attempt.credential])
    }

    /// A part in which every verdict, every class and every kind of guard is well represented.
    fn sample(&self, count: usize, now: Duration) -> Vec<Attempt> {
        let label = |attempt: &Attempt| match self.judge(attempt, &attempt.request(&self.credentials, now)) {
            Verdict::Reaches(_, kind) => (true, kind),
            Verdict::Stops(kind) => (false, kind),
            Verdict::Perhaps(class, _) => (false, class),
        };
        Random(seed()).sample(&self.attempts, label, count)
    }

    fn compare(&self, outcomes: &[Outcome]) -> Comparison {
        compare(outcomes, |attempt, request| self.judge(attempt, request))
    }
}

fn compare(outcomes: &[Outcome], judge: impl Fn(&Attempt, &Request) -> Verdict) -> Comparison {
    let mut comparison = Comparison::default();
    for Outcome { attempt, request, seen, status } in outcomes {
        comparison.add(attempt, request, &judge(attempt, request), seen, status);
    }
    comparison
}

/// Both documents, with every guard in its place.
fn documents() -> BTreeMap<String, Value> {
    documents_with(|guard| guard)
}

fn documents_with(changed: impl Fn(Guard) -> Guard) -> BTreeMap<String, Value> {
    PROTOCOLS.into_iter().map(|protocol| (protocol.document().to_owned(), document(protocol, &changed))).collect()
}

/// Sends requests through a driver that serves these documents; `sent` may change a request on its way.
fn send(
    driver: &mut dyn Driver,
    documents: &BTreeMap<String, Value>,
    attempts: &[Attempt],
    credentials: &[Credential],
    sent: &dyn Fn(&mut Request, &mut Word),
) -> Vec<Outcome> {
    for (name, document) in documents {
        driver.load(name, document).unwrap_or_else(|problems| panic!("{name}:\n{problems}"));
    }
    let clusters = |word: Word| -> Clusters {
        let all = [(BACKEND, Backend::default()), (DEFAULT_BACKEND, Backend::default()), (LAMBDA, backend(word))];
        all.map(|(host, backend)| (host.to_owned(), backend)).into()
    };
    let clusters: BTreeMap<Word, Clusters> = WORDS.into_iter().map(|word| (word, clusters(word))).collect();
    let one = |attempt: &Attempt| {
        let request = attempt.request(credentials, driver.now());
        let (mut changed, mut word) = (request.clone(), credentials[attempt.credential].word);
        sent(&mut changed, &mut word);
        let observed = driver.observe(attempt.protocol.document(), &changed, &clusters[&word]);
        let observed = observed.unwrap_or_else(|error| panic!("#{} {}: {error}", attempt.number, attempt.name));
        let to_backends = observed.upstream.into_iter().filter(|seen| seen.cluster != LAMBDA);
        let seen = to_backends.map(|seen| Seen { host: seen.cluster, method: seen.method, target: seen.path }).collect();
        Outcome { attempt: attempt.clone(), request, seen, status: observed.status.to_string() }
    };
    attempts.iter().map(one).collect()
}

fn as_it_is(_: &mut Request, _: &mut Word) {}

fn natively(documents: &BTreeMap<String, Value>, attempts: &[Attempt], credentials: &[Credential]) -> Vec<Outcome> {
    send(&mut Native::default(), documents, attempts, credentials, &as_it_is)
}

/// The figures, and that they are none of a test that saw nothing.
fn told(driver: &str, comparison: &Comparison, at_least: usize, floor: usize, start: Instant) {
    say(&format!("{driver}, {:.1?}: {}", start.elapsed(), comparison.told()));
    comparison.assert_none(driver);
    assert!(comparison.total() >= at_least, "{driver}: {} requests are too few", comparison.total());
    for (kind, reached, refused) in FLOORS {
        let count = |counts: &BTreeMap<&str, usize>| counts.get(kind).copied().unwrap_or_default();
        let (through, stopped) = (count(&comparison.reached), count(&comparison.refused));
        assert!(through >= reached.min(floor), "{driver}: `{kind}` let only {through} requests through");
        assert!(stopped >= refused.min(floor), "{driver}: `{kind}` stopped only {stopped} requests");
    }
}

#[test]
fn natively_every_request_does_what_the_rules_of_aws_say() {
    let (start, documents, attack) = (Instant::now(), documents(), &*NATIVE);
    let only = std::env::var("BYPASS_ONLY").ok().map(|number| number.parse::<usize>().expect("BYPASS_ONLY is a number"));
    if let Some(number) = only {
        let outcomes = natively(&documents, &attack.attempts[number..=number], &attack.credentials);
        let Outcome { attempt, request, seen, status } = &outcomes[0];
        say(&format!("{}\n{request:#?}\n{status} {seen:?}\n{:?}\n", attempt.name, attack.judge(attempt, request)));
        return attack.compare(&outcomes).assert_none("native");
    }
    let (first, second) = attack.attempts.split_at(attack.attempts.len() / 2);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let both = [first, second].map(|half| scope.spawn(|| natively(&documents, half, &attack.credentials)));
        both.into_iter().flat_map(|half| half.join().expect("it has told why")).collect()
    });
    told("native", &attack.compare(&outcomes), 20_000, usize::MAX, start);
}

#[test]
fn a_sample_does_so_in_the_module() {
    let start = Instant::now();
    let mut wasm = Wasm::new();
    let now = wasm.now();
    let attack = Attack::new(now);
    let attempts = attack.sample(2_500, now);
    let outcomes = send(&mut wasm, &documents(), &attempts, &attack.credentials, &as_it_is);
    told("wasm", &attack.compare(&outcomes), 2_000, SAMPLE_FLOOR, start);
}

#[test]
fn a_sample_does_so_in_envoy() {
    let (start, clock) = (Instant::now(), || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
    let attack = Attack::new(clock());
    let attempts = attack.sample(20_000, clock());
    let words = attack.credentials.iter().filter_map(|c| Some((c.identity.clone()?, c.word))).collect();
    let upstream = Upstream::start(words);
    let envoy = Envoy::start(&documents(), upstream.address());
    let served = Instant::now();
    let sending = |attempts: Vec<&Attempt>| {
        let mut clients = PROTOCOLS.map(|protocol| Client::new(envoy.address(protocol.document())));
        let one = |attempt: &Attempt| {
            let request = attempt.request(&attack.credentials, clock());
            let client = usize::from(attempt.protocol == Protocol::Http);
            let status = clients[client].send(attempt.number, &request);
            Outcome { attempt: attempt.clone(), request, seen: Vec::new(), status }
        };
        let outcomes: Vec<Outcome> = attempts.into_iter().map(one).collect();
        (outcomes, clients.iter().map(|client| client.connections).sum::<usize>())
    };
    let parts = [0, 1, 2].map(|part| attempts.iter().skip(part).step_by(3).collect::<Vec<_>>());
    let (mut outcomes, mut connections) = (Vec::new(), 0);
    std::thread::scope(|scope| {
        for part in parts.map(|part| scope.spawn(|| sending(part))) {
            let (done, opened) = part.join().expect("it has told why");
            outcomes.extend(done);
            connections += opened;
        }
    });
    let took = served.elapsed();
    // A request that Envoy forwards although it has answered would come late.
    std::thread::sleep(Duration::from_millis(200));
    let mut by_number: BTreeMap<usize, usize> = BTreeMap::new();
    by_number.extend(outcomes.iter().enumerate().map(|(place, outcome)| (outcome.attempt.number, place)));
    for (number, seen) in upstream.seen() {
        let place = number.and_then(|number| by_number.get(&number));
        outcomes[*place.unwrap_or_else(|| panic!("the upstream got what nobody sent: {seen:?}"))].seen.push(seen);
    }
    envoy.assert_no_reloads();
    say(&format!("Envoy: {connections} connections, {:.1?} for the requests alone\n", took));
    told("Envoy", &attack.compare(&outcomes), 20_000, SAMPLE_FLOOR, start);
}

/// That many requests which may not pass, with the guard that they meet and where that is.
fn refused(attack: &Attack, now: Duration, count: usize, meets: impl Fn(&str, &str) -> bool) -> Vec<Attempt> {
    let stops = |attempt: &&Attempt| {
        let request = attempt.request(&attack.credentials, now);
        let path = request.path.split('?').next().unwrap_or_default();
        let guard = guard_of(attempt.protocol, request.host(), &request.method, path);
        guard.is_some_and(|guard| meets(guard.kind(), path)) && matches!(attack.judge(attempt, &request), Verdict::Stops(_))
    };
    attack.attempts.iter().filter(stops).take(count).cloned().collect()
}

#[test]
fn a_gateway_that_lacks_one_kind_of_guard_is_caught() {
    let (attack, now) = (&*NATIVE, Native::default().now());
    let guards = APIS.iter().flat_map(|api| api.routes).map(|route| route.guard.kind());
    let kinds: BTreeSet<&str> = guards.filter(|kind| *kind != "open").collect();
    assert_eq!(kinds.len() + 1, FLOORS.len(), "all kinds but the open one: {kinds:?}");
    let caught = |documents: &BTreeMap<String, Value>, without: &str, attempts: &[Attempt]| {
        let found = attack.compare(&natively(documents, attempts, &attack.credentials)).bypasses.len();
        // Some stay out for another reason.
        assert!(found * 3 > attempts.len() && found > 20, "without {without}, {found} of {} are told", attempts.len());
    };
    for kind in kinds {
        let open = documents_with(|guard| if guard.kind() == kind { Guard::Open } else { guard });
        caught(&open, kind, &refused(attack, now, 60, |met, _| met == kind));
    }
    let mut unpoliced = documents();
    for api in unpoliced.get_mut("rest").and_then(|rest| rest["apis"].as_array_mut()).expect("it has APIs") {
        api["definition"].as_object_mut().expect("it is one").remove("x-amazon-apigateway-policy");
    }
    let is_policed = |path: &str| path.starts_with("/policed/") || path.starts_with("/needy/");
    caught(&unpoliced, "resource policies", &refused(attack, now, 60, |met, path| met == "open" && is_policed(path)));
}

#[test]
fn a_gateway_that_reads_a_request_otherwise_is_caught() {
    type Reader = (&'static str, fn(&mut Request, &mut Word));
    let readers: [Reader; 8] = [
        ("decodes slashes", |request, _| request.path = request.path.replace("%2F", "/").replace("%2f", "/")),
        ("merges slashes", |request, _| request.path = request.path.replace("//", "/")),
        ("cuts parameters", |request, _| request.path = request.path.split(';').next().unwrap_or_default().to_owned()),
        ("takes away dots", |request, _| request.path = request.path.replace("/./", "/").replace("/../", "/")),
        ("folds case", |request, _| request.path = request.path.to_ascii_lowercase()),
        ("decodes twice", |request, _| request.path = request.path.replace("%25", "%")),
        ("takes the first of two headers", |request, _| {
            let mut names = BTreeSet::new();
            request.headers.retain(|(name, _)| names.insert(name.to_ascii_lowercase()));
        }),
        ("takes every word of a function for a yes", |_, word| *word = Word::Known),
    ];
    let (attack, now) = (&*NATIVE, Native::default().now());
    let mixed = Random(seed()).mixed(&attack.attempts);
    for (what, reader) in readers {
        let matters = |attempt: &&Attempt| {
            let (request, word) = (attempt.request(&attack.credentials, now), attack.credentials[attempt.credential].word);
            let (mut changed, mut heard) = (request.clone(), word);
            reader(&mut changed, &mut heard);
            // A function has a say where somebody names himself to it.
            let is_asked = heard != word && attack.credentials[attempt.credential].identity.is_some();
            is_asked || changed.path != request.path || changed.headers != request.headers
        };
        let attempts: Vec<Attempt> = mixed.iter().filter(matters).take(250).cloned().collect();
        let comparison = attack.compare(&send(&mut Native::default(), &documents(), &attempts, &attack.credentials, &reader));
        say(&format!("a gateway that {what}: {} of {} are bypasses\n", comparison.bypasses.len(), attempts.len()));
        assert!(!comparison.bypasses.is_empty(), "a gateway that {what} is not caught");
    }
}

#[test]
fn a_reference_that_is_wrong_is_caught() {
    let place = |name: &str| NATIVE.credentials.iter().position(|c| c.name == name).expect("there is one");
    let (right, expired, nothing) = (place("JWT"), place("JWT: expired"), place("nothing"));
    let mut attack = Attack::new(Native::default().now());
    let shows = |attempt: &&Attempt| [right, expired].contains(&attempt.credential);
    let attempts: Vec<Attempt> = attack.attempts.iter().filter(shows).take(2_000).cloned().collect();
    let outcomes = natively(&documents(), &attempts, &attack.credentials);
    attack.compare(&outcomes).assert_none("native");
    // It lets expired tokens in, and the gateway does not.
    attack.credentials[expired].worth = NATIVE.credentials[right].worth.clone();
    let comparison = attack.compare(&outcomes);
    assert!(comparison.bypasses.is_empty() && !comparison.stopped.is_empty(), "{}", comparison.told());
    // It knows nothing of tokens that the gateway lets in.
    attack.credentials[expired].worth = NATIVE.credentials[nothing].worth.clone();
    attack.credentials[right].worth = NATIVE.credentials[nothing].worth.clone();
    let comparison = attack.compare(&outcomes);
    assert!(!comparison.bypasses.is_empty() && comparison.stopped.is_empty(), "{}", comparison.told());
}
