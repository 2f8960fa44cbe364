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
//! | `run` | the requests for one clock, and what came of them |
//! | `settings`, `envoy` | what Envoy makes of a path; raw bytes on connections that are kept: for `attack.rs`, which sends the matrix to a real Envoy |
//!
//! Where the reference is sure, the gateway has to do exactly what it says, down to the path that the backend gets. Where AWS does
//! not say what happens, a request that reaches a backend has to be permitted in one of the readings; those classes have names, and
//! are printed. `BYPASS_ONLY=NUMBER` runs one request of the matrix natively, `BYPASS_SEED=NUMBER` takes another mixture. Needs
//! the module: `make test` brings it.

#[path = "bypass/mod.rs"]
mod bypass;
mod drivers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bypass::apis::{APIS, Guard};
use bypass::comparison::Seen;
use bypass::credentials::Credential;
use bypass::documents::{BACKEND, DEFAULT_BACKEND, LAMBDA};
use bypass::functions::{WORDS, Word, backend};
use bypass::matrix::{Attempt, Random};
use bypass::reference::{Verdict, guard_of};
use bypass::run::{Attack, FLOORS, Outcome, SAMPLE_FLOOR, documents, documents_with, seed, told};
use bypass::settings::Reading::{Answers, Forwards};
use bypass::settings::Setting::{Normalized, Redirecting, Rejecting, Unescaping};
use drivers::case::{Backend, Request};
use drivers::native::Native;
use drivers::report::say;
use drivers::wasm::Wasm;
use drivers::{Clusters, Driver};
use serde_json::Value;

/// For the native driver, whose time stands still.
static NATIVE: LazyLock<Attack> = LazyLock::new(|| Attack::new(Native::default().now()));

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

/// The answers of an Envoy 1.40 with a router and an echo behind it.
#[test]
fn the_model_says_what_envoy_was_seen_to_do() {
    let rows: [(&str, &str, Option<&str>); 26] = [
        ("/a/%61b", "/a/ab", None),
        ("/a/%2561", "/a/%2561", None),
        ("/%2e%2e/x", "/x", None),
        ("/a/..;x/b", "/b", None),
        ("/a/.;/b", "/a/b", None),
        ("/a/%2e%2e;/b", "/a/..;/b", None),
        ("/a/..%2Fb", "/a/..%2Fb", Some("/b")),
        ("/a%2f..%5cb", "/a%2f..%5cb", Some("/b")),
        ("/a\\b", "/a/b", None),
        ("/a//b//", "/a/b/", None),
        ("/a%2", "/a%2", None),
        ("/a%zz", "/a%zz", None),
        ("/a\"<>`{}|^[]", "/a%22%3C%3E%60%7B%7D%7C%5E[]", None),
        ("//a/..//b", "/b", None),
        ("/a%2F%2Fb", "/a%2F%2Fb", Some("/a/b")),
        ("/a/...//b", "/a/.../b", None),
        ("http://h//a%2Fb?x=/../%2F", "http://h/a%2Fb?x=/../%2F", Some("http://h/a/b?x=/../%2F")),
        ("/a/%2e", "/a/", None),
        ("/a/.%2E/", "/", None),
        ("/../..", "/", None),
        ("/%7e%2d%5f%41", "/~-_A", None),
        ("/a%ff%41", "/a%ffA", None),
        ("/a/%%35%63b", "/a/%255cb", None),
        ("/a%2F..", "/a%2F..", Some("/")),
        ("//", "//", None),
        ("/%2F", "/%2F", Some("//")),
    ];
    for (target, normalized, unescaped) in rows {
        let forwards = |path: &str| Forwards(path.to_owned());
        assert_eq!(Normalized.read(target), forwards(normalized), "{target}");
        assert_eq!(Unescaping.read(target), forwards(unescaped.unwrap_or(normalized)), "{target}");
        let (rejected, redirected) =
            if unescaped.is_some() { (Answers("400"), Answers("307")) } else { (forwards(normalized), forwards(normalized)) };
        assert_eq!((Rejecting.read(target), Redirecting.read(target)), (rejected, redirected), "{target}");
    }
    for target in ["/a/%00", "/a\0b", "/a\u{e9}", "a/b", "*", "/a#b", "/x?a#b"] {
        assert_eq!(Normalized.read(target), Answers("400"), "{target}");
    }
}
