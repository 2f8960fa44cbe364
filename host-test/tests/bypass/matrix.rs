//! The requests: every way to write a path, every method and every credential, each on every target, and a seeded mixture of all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::apis::{APIS, Api, Guard, Protocol, Stage};
use super::credentials::{Credential, is_proper};
use super::paths::{LONG, VARIANTS, Variant};
use super::reference::{Verdict, guard_of, judge};
use crate::drivers::case::Request;

/// One request of the matrix.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Its place in the matrix.
    pub number: usize,
    /// Whose document.
    pub protocol: Protocol,
    /// Its place among the credentials.
    pub credential: usize,
    /// What it is: API, path, method, credential.
    pub name: String,
    host: String,
    method: Method,
    path: String,
}

/// A method, and headers that ask for another one.
type Method = (&'static str, &'static [(&'static str, &'static str)]);

const METHODS: [Method; 19] = [
    ("GET", &[]),
    ("POST", &[]),
    ("PUT", &[]),
    ("PATCH", &[]),
    ("DELETE", &[]),
    ("HEAD", &[]),
    ("OPTIONS", &[]),
    ("get", &[]),
    ("Post", &[]),
    ("PROPFIND", &[]),
    ("TRACE", &[]),
    ("ANY", &[]),
    ("GET", &[("X-HTTP-Method-Override", "POST")]),
    ("POST", &[("x-http-method-override", "GET")]),
    ("PATCH", &[("x-http-method-override", "get")]),
    ("GET", &[("x-http-method-override", "ANY")]),
    ("POST", &[("x-http-method-override", "GET"), ("x-http-method-override", "PUT")]),
    ("GET", &[("x-http-method-override", "")]),
    ("POST", &[("x-method-override", "GET"), ("x-http-method", "GET")]),
];

/// How many are mixed.
const MIXED: usize = 8_000;

/// Numbers that only look random (Knuth's constants), so that a run can be repeated.
pub struct Random(pub u64);

/// A name, and how the host of a stage is written.
type Host = (&'static str, fn(&str) -> String);

/// Ways to write a host; the first is the host as it is.
const HOSTS: [Host; 9] = [
    ("", |host| host.to_owned()),
    ("; host in capitals", |host| host.to_ascii_uppercase()),
    ("; host with a port", |host| format!("{host}:8080")),
    ("; host with a dot behind", |host| format!("{host}.")),
    ("; host with a user", |host| format!("live.test@{host}")),
    ("; two hosts", |host| format!("{host},live.test")),
    ("; host and a path", |host| format!("live.test/{host}")),
    ("; no host", |_| String::new()),
    ("; a host that nobody listed", |_| "other.test".to_owned()),
];

/// A path of an API at one of its stages.
#[derive(Clone, Copy)]
struct Aim {
    api: &'static Api,
    stage: &'static Stage,
    target: &'static str,
}

struct Matrix<'a> {
    attempts: Vec<Attempt>,
    seen: BTreeSet<(Protocol, String, String, String, usize)>,
    credentials: &'a [Credential],
}

/// All requests.
pub fn all(credentials: &[Credential], seed: u64) -> Vec<Attempt> {
    let mut matrix = Matrix { attempts: Vec::new(), seen: BTreeSet::new(), credentials };
    let places = APIS.iter().flat_map(|api| api.stages.iter().map(move |stage| (api, stage)));
    let aims = places.flat_map(|(api, stage)| api.targets.iter().map(move |target| Aim { api, stage, target }));
    let aims: Vec<Aim> = aims.collect();
    let proper: Vec<usize> = (0..credentials.len()).filter(|place| is_proper(&credentials[*place])).collect();
    let mut random = Random(seed);
    for (place, aim) in aims.iter().enumerate() {
        // Paths and hosts: with nothing, and with what opens the guard of the plain path.
        for method in &METHODS[..2] {
            let opener = matrix.opener(*aim, *method, &proper);
            // Long ones cost as much as hundreds of others.
            let long = if place % 8 == 0 { LONG.as_slice() } else { &LONG[..2] };
            for credential in [0].into_iter().chain(opener) {
                for variant in VARIANTS.iter().chain(long) {
                    matrix.add(*aim, variant.0, aim.written(variant), 0, *method, credential);
                }
                for host in 1..HOSTS.len() {
                    matrix.add(*aim, "plain", aim.written(&VARIANTS[0]), host, *method, credential);
                }
            }
        }
        // Methods: with nothing, with something that opens this or that, and with what opens this.
        for method in METHODS {
            let opener = matrix.opener(*aim, method, &proper);
            for credential in [0, *random.one_of(&proper)].into_iter().chain(opener) {
                matrix.add(*aim, "plain", aim.written(&VARIANTS[0]), 0, method, credential);
            }
        }
        // Credentials: all of them on each guard.
        for method in &METHODS[..2] {
            let is_guarded = aim.guard(method.0).is_some_and(|guard| guard != Guard::Open);
            for credential in 0..credentials.len() {
                if is_guarded || random.below(10) == 0 {
                    matrix.add(*aim, "plain", aim.written(&VARIANTS[0]), 0, *method, credential);
                }
            }
        }
    }
    for _ in 0..MIXED {
        let aim = *random.one_of(&aims);
        let credential = if random.below(3) == 0 { *random.one_of(&proper) } else { random.below(credentials.len()) };
        let method = if random.below(2) == 0 { METHODS[random.below(2)] } else { *random.one_of(&METHODS) };
        let host = if random.below(8) == 0 { random.below(HOSTS.len()) } else { 0 };
        let variant = *random.one_of(&VARIANTS);
        if random.below(2) == 0 {
            matrix.add(aim, variant.0, aim.written(&variant), host, method, credential);
            continue;
        }
        // Two at once: the second is done to what the first made of the path below the stage.
        let first = *random.one_of(&VARIANTS);
        let once = (first.1)("", aim.target);
        if once.starts_with('/') && once.len() > 1 {
            let name = format!("{}, then {}", first.0, variant.0);
            matrix.add(aim, &name, (variant.1)(aim.stage.base, &once), host, method, credential);
        }
    }
    matrix.attempts
}

fn headers(host: &str, (_, lines): Method) -> Vec<(String, String)> {
    [("host", host)].iter().chain(lines).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

// === impl Aim ===

impl Aim {
    fn written(self, variant: &Variant) -> String {
        (variant.1)(self.stage.base, self.target)
    }

    /// What is in front of the plain path.
    fn guard(self, method: &str) -> Option<Guard> {
        guard_of(self.api.protocol, self.stage.host, method, &self.written(&VARIANTS[0]))
    }
}

// === impl Matrix ===

impl Matrix<'_> {
    /// What opens the guard in front of a target: the first that does.
    fn opener(&self, aim: Aim, method: Method, proper: &[usize]) -> Option<usize> {
        let mut request = Request::new(method.0, &aim.written(&VARIANTS[0]));
        request.headers = headers(aim.stage.host, method);
        let opens = |place: &usize| matches!(judge(aim.api.protocol, &request, &self.credentials[*place]), Verdict::Reaches(..));
        proper.iter().copied().find(opens)
    }

    fn add(&mut self, aim: Aim, variant: &str, path: String, host: usize, method: Method, credential: usize) {
        let Aim { api, stage, target } = aim;
        let (written, host) = (HOSTS[host].0, (HOSTS[host].1)(stage.host));
        if !self.seen.insert((api.protocol, host.clone(), path.clone(), format!("{method:?}"), credential)) {
            return;
        }
        let (verb, lines) = method;
        let shown = &self.credentials[credential].name;
        let name = format!("{} {}{target}: {variant}{written}; {verb} {lines:?}; {shown}", api.id, stage.base);
        let number = self.attempts.len();
        self.attempts.push(Attempt { number, protocol: api.protocol, credential, name, host, method, path });
    }
}

// === impl Attempt ===

impl Attempt {
    /// The request as it is sent at this time.
    pub fn request(&self, credentials: &[Credential], now: Duration) -> Request {
        let mut request = Request::new(self.method.0, &self.path);
        request.headers = headers(&self.host, self.method);
        credentials[self.credential].show(request, now)
    }
}

// === impl Random ===

impl Random {
    /// Less than the bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits are a size") % bound
    }

    /// One of these.
    pub fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// All of them, in another order.
    pub fn mixed(&mut self, attempts: &[Attempt]) -> Vec<Attempt> {
        let mut mixed = attempts.to_vec();
        for place in (1..mixed.len()).rev() {
            mixed.swap(place, self.below(place + 1));
        }
        mixed
    }

    /// That many of them, each once: half at random, half evenly by a label, so that what is rare is there, too.
    pub fn sample(&mut self, attempts: &[Attempt], label: impl Fn(&Attempt) -> (bool, &'static str), count: usize) -> Vec<Attempt> {
        let mut mixed = self.mixed(attempts);
        let even = mixed.split_off(count / 2);
        let mut ranks: BTreeMap<(bool, &str), usize> = BTreeMap::new();
        let mut ranked: Vec<(usize, Attempt)> = even
            .into_iter()
            .map(|attempt| {
                let rank = ranks.entry(label(&attempt)).or_default();
                *rank += 1;
                (*rank, attempt)
            })
            .collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        mixed.extend(ranked.into_iter().map(|(_, attempt)| attempt).take(count.div_ceil(2)));
        mixed
    }
}
