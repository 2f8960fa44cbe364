//! Several workers of one proxy fetch the keys of one issuer: whatever the schedule, the provider and the clock do, one of them
//! fetches for all, good keys stay, and no token passes that should not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic; helpers beside the test count as code"
)]

#[path = "../src/authorizer/jwt/testing.rs"]
mod testing;

use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use testing::Signer;
use tollgate::authorizer::Progress;
use tollgate::compile::compile;
use tollgate::context::{Context, Ids};
use tollgate::flow::{NoReply, Ticket};
use tollgate::gateway::Gateway;
use tollgate::gateway_response::{Failure, ResponseType};
use tollgate::http::{RequestHead, Response, ResponseHead};
use tollgate::platform::{Level, Platform, Version};

/// xorshift64*: the same seed is the same run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

/// What the workers of a proxy have in common.
#[derive(Default)]
struct Shared {
    data: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    /// Of the wall; the simulation's own time never goes back.
    wall_millis: Cell<u64>,
    lines: Cell<u32>,
}

/// One worker's host.
struct Host {
    shared: Rc<Shared>,
    /// How far its clock is ahead.
    skew: u64,
}

impl Platform for Host {
    fn now_millis(&self) -> u64 {
        self.shared.wall_millis.get() + self.skew
    }

    fn monotonic_nanos(&self) -> u64 {
        self.now_millis() * 1_000_000
    }
    fn random(&mut self) -> [u8; 16] {
        [0; 16]
    }
    fn source_address(&self) -> Option<String> {
        None
    }
    fn response_code_details(&self) -> Option<String> {
        None
    }
    fn request_body(&self) -> Vec<u8> {
        Vec::new()
    }
    fn verify_signature(&self, _: &str, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }
    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.shared.data.borrow().get(key).cloned()
    }
    fn set_shared_data(&self, key: &str, value: &[u8], version: Version) -> bool {
        let mut data = self.shared.data.borrow_mut();
        let current = data.get(key).map(|(_, version)| *version);
        let fits = match version {
            Version::Any => true,
            Version::Missing => current.is_none(),
            Version::Is(version) => current == Some(version),
        };
        if fits {
            data.insert(key.to_owned(), (value.to_vec(), current.unwrap_or(0) + 1));
        }
        fits
    }
    fn log(&self, level: Level, _: &str) {
        self.shared.lines.set(self.shared.lines.get() + u32::from(level >= Level::Warn));
    }
}

struct Worker {
    gateway: Gateway,
    host: Host,
    next_tick: u64,
}

/// A call on its way.
struct Call {
    worker: usize,
    ticket: Ticket,
    began: u64,
    /// When its reply comes; none ever does if it is not there.
    due: Option<u64>,
    reply: Result<Response, NoReply>,
}

/// How the issuer answers.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Well,
    Slowly,
    Badly,
    Never,
}

#[derive(Debug, PartialEq)]
enum Seen {
    Accepted,
    Refused,
    NoKeys,
}

struct World {
    random: Random,
    shared: Rc<Shared>,
    millis: u64,
    workers: Vec<Worker>,
    calls: Vec<Call>,
    mood: Mood,
    published: Value,
    /// When attempts began.
    attempts: Vec<u64>,
    key_fetches: u32,
    most_in_flight: usize,
}

const START: u64 = 1_700_000_000_000;

fn gateway() -> Gateway {
    let authorizer = json!({"type": "jwt", "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {"issuer": "https://i.test", "audience": ["a"]}});
    let integration = json!({"type": "http_proxy", "uri": "http://b.test/", "httpMethod": "GET", "payloadFormatVersion": "1.0"});
    let document = json!({
        "apis": [{"name": "a", "protocol": "HTTP", "stages": [{"stageName": "s"}], "definition": {
            "openapi": "3.0.1",
            "paths": {"/x": {"get": {"security": [{"jwt": []}], "x-amazon-apigateway-integration": integration}}},
            "components": {"securitySchemes": {"jwt": {"type": "oauth2", "x-amazon-apigateway-authorizer": authorizer}}},
        }}],
        "upstreams": {"b.test": {"cluster": "b"}, "i.test": {"cluster": "i"}, "keys.test": {"cluster": "k"}},
    });
    let compiled = compile(&document);
    compiled.gateway.unwrap_or_else(|| panic!("{:#?}", compiled.problems))
}

fn token(signer: &Signer) -> String {
    signer.token(&json!({"iss": "https://i.test", "aud": "a", "exp": START / 1000 + 10_000_000}).to_string())
}

impl World {
    fn new(seed: u64, workers: usize) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let shared = Rc::new(Shared::default());
        let worker = |_| Worker {
            gateway: gateway(),
            host: Host { shared: Rc::clone(&shared), skew: random.below(50) },
            next_tick: random.below(250),
        };
        let workers = (0..workers).map(worker).collect();
        let world = Self {
            random,
            shared,
            millis: 0,
            workers,
            calls: Vec::new(),
            mood: Mood::Well,
            published: json!({"keys": []}),
            attempts: Vec::new(),
            key_fetches: 0,
            most_in_flight: 0,
        };
        world.shared.wall_millis.set(START);
        world
    }

    fn publish(&mut self, signers: &[&Signer]) {
        self.published = json!({"keys": signers.iter().map(|signer| signer.jwk.clone()).collect::<Vec<_>>()});
    }

    fn ask(&mut self, worker: usize, token: &str) -> Seen {
        let headers = [("authorization".to_owned(), token.as_bytes().to_vec())].into_iter().collect();
        let head = RequestHead { method: "GET".to_owned(), path: b"/s/x".to_vec(), headers, ..RequestHead::default() };
        let worker = &mut self.workers[worker];
        let route = worker.gateway.stages().next().unwrap().routes().next().unwrap();
        match route.guard.enter(Context::new(Ids::new([0; 16]), head), &mut worker.host) {
            Progress::Authorized(_) => Seen::Accepted,
            Progress::Refused(_, failure) if failure == Failure::new(ResponseType::AuthorizerFailure) => Seen::NoKeys,
            Progress::Refused(..) => Seen::Refused,
            Progress::Call(_, callout) => panic!("a request calls: {callout:?}"),
        }
    }

    /// Time passes, in steps of a few milliseconds; replies come and timers run as they are due.
    fn run(&mut self, millis: u64) {
        let end = self.millis + millis;
        while self.millis < end {
            let step = (1 + self.random.below(20)).min(end - self.millis);
            self.millis += step;
            self.shared.wall_millis.set(self.shared.wall_millis.get() + step);
            while let Some(index) = self.calls.iter().position(|call| call.due.is_some_and(|due| due <= self.millis)) {
                let call = self.calls.remove(index);
                let worker = &mut self.workers[call.worker];
                let next = worker.gateway.issuer_keys.called(call.ticket, call.reply, &mut worker.host);
                self.begin(call.worker, next);
            }
            for index in 0..self.workers.len() {
                let worker = &mut self.workers[index];
                if worker.next_tick <= self.millis {
                    let period = u64::from(worker.gateway.issuer_keys.period_millis().unwrap());
                    // A worker that is busy ticks late.
                    worker.next_tick = self.millis + period + self.random.below(period);
                    let calls = worker.gateway.issuer_keys.tick(&mut worker.host);
                    if !calls.is_empty() {
                        self.attempts.push(self.millis);
                    }
                    self.begin(index, calls);
                }
            }
            // The host ends such a call in time, and nobody is told.
            self.calls.retain(|call| call.due.is_some() || self.millis - call.began < 1_500);
        }
    }

    fn begin(&mut self, worker: usize, calls: Vec<(Ticket, tollgate::flow::Callout)>) {
        for (ticket, callout) in calls {
            let discovery = callout.http_head().unwrap().path == b"/.well-known/openid-configuration";
            assert_eq!(callout.cluster, if discovery { "i" } else { "k" });
            self.key_fetches += u32::from(!discovery);
            let body = if discovery {
                json!({"issuer": "https://i.test", "jwks_uri": "https://keys.test/jwks"})
            } else {
                self.published.clone()
            };
            let (due, status, body) = match self.mood {
                Mood::Well => (Some(self.random.below(100)), 200, body),
                Mood::Slowly => (Some(1_000 + self.random.below(1_000)), 200, body),
                Mood::Badly => match self.random.below(3) {
                    0 => (Some(self.random.below(500)), 503, json!(null)),
                    1 => (Some(self.random.below(500)), 200, json!({"keys": []})),
                    _ => (Some(self.random.below(500)), 200, json!("<html>")),
                },
                Mood::Never => (None, 200, body),
            };
            let head = ResponseHead { status, ..ResponseHead::default() };
            let is_late = due.is_some_and(|due| due >= callout.timeout_millis);
            let reply = if is_late { Err(NoReply) } else { Ok(Response { head, body: body.to_string().into_bytes() }) };
            let due = due.map(|due| self.millis + due.min(callout.timeout_millis));
            self.calls.push(Call { worker, ticket, began: self.millis, due, reply });
        }
        self.most_in_flight = self.most_in_flight.max(self.calls.len());
    }

    fn everybody(&mut self, token: &str) -> Vec<Seen> {
        (0..self.workers.len()).map(|worker| self.ask(worker, token)).collect()
    }
}

#[test]
fn one_worker_fetches_for_all() {
    for seed in 0..25 {
        let mut world = World::new(seed, 8);
        let signer = Signer::public("k", 1);
        world.publish(&[&signer]);
        assert_eq!(world.ask(0, &token(&signer)), Seen::NoKeys);
        world.run(2_000);
        assert_eq!((world.attempts.len(), world.key_fetches, world.most_in_flight), (1, 1, 1), "seed {seed}");
        assert!(world.everybody(&token(&signer)).iter().all(|seen| *seen == Seen::Accepted), "seed {seed}");
        // And again every five minutes, whether or not a request comes.
        world.run(20 * 60 * 1000);
        assert_eq!((world.attempts.len(), world.key_fetches), (4 + 1, 4 + 1), "seed {seed}");
    }
}

#[test]
fn whatever_the_provider_does_good_keys_stay_and_one_attempt_runs_at_a_time() {
    let (good, foreign) = (Signer::public("k", 1), Signer::public("k", 2));
    let (good_token, foreign_token) = (token(&good), token(&foreign));
    let (unknown, confused) = (token(&Signer::public("nobody", 3)), token(&Signer::secret("k")));
    for seed in 0..40 {
        let mut world = World::new(seed, 5);
        world.publish(&[&good]);
        let mut had_keys = [false; 5];
        for _ in 0..60 {
            world.mood = [Mood::Well, Mood::Slowly, Mood::Badly, Mood::Never][usize::try_from(world.random.below(4)).unwrap()];
            let millis = world.random.below(3_000);
            world.run(millis);
            for (worker, had_keys) in had_keys.iter_mut().enumerate() {
                let seen = world.ask(worker, &good_token);
                assert!(seen == Seen::Accepted || (seen == Seen::NoKeys && !*had_keys), "seed {seed}: {seen:?}");
                *had_keys |= seen == Seen::Accepted;
                for token in [&foreign_token, &unknown, &confused] {
                    assert_ne!(world.ask(worker, token), Seen::Accepted, "seed {seed}");
                }
            }
        }
        assert!(world.most_in_flight <= 1, "seed {seed}: {}", world.most_in_flight);
        let shortest = world.attempts.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(u64::MAX);
        assert!(shortest >= 1_400, "seed {seed}: {shortest} ms between two attempts");
        // Once it answers, everybody has the keys.
        world.mood = Mood::Well;
        world.run(11_000);
        assert!(world.everybody(&good_token).iter().all(|seen| *seen == Seen::Accepted), "seed {seed}");
        assert!(world.shared.lines.get() < 100, "seed {seed}: {} lines", world.shared.lines.get());
    }
}

#[test]
fn a_rotation_is_followed_within_seconds_and_a_key_that_is_gone_within_minutes() {
    let (old, new) = (Signer::public("old", 1), Signer::public("new", 2));
    let (old_token, new_token) = (token(&old), token(&new));
    for seed in 0..25 {
        let mut world = World::new(seed, 6);
        world.publish(&[&old]);
        let wait = 2_000 + world.random.below(30_000);
        world.run(wait);
        world.publish(&[&old, &new]);
        let fetches = world.key_fetches;
        // One client with a new token, at any worker.
        let worker = usize::try_from(world.random.below(6)).unwrap();
        assert_eq!(world.ask(worker, &new_token), Seen::Refused);
        world.run(11_000);
        assert!(world.everybody(&new_token).iter().all(|seen| *seen == Seen::Accepted), "seed {seed}");
        assert!(world.everybody(&old_token).iter().all(|seen| *seen == Seen::Accepted), "seed {seed}");
        assert_eq!(world.key_fetches, fetches + 1, "seed {seed}");
        world.publish(&[&new]);
        world.run(5 * 60 * 1000 + 1_000);
        assert!(world.everybody(&old_token).iter().all(|seen| *seen == Seen::Refused), "seed {seed}");
        assert!(world.everybody(&new_token).iter().all(|seen| *seen == Seen::Accepted), "seed {seed}");
    }
}

#[test]
fn a_flood_of_unknown_keys_costs_three_fetches_in_twenty_seconds() {
    let signer = Signer::public("k", 1);
    let good = token(&signer);
    // The signature does not matter: nobody has a key to look at it.
    let unknown: Vec<_> = (0..2_000).map(|index| good.replacen(&header("k"), &header(&format!("x{index}")), 1)).collect();
    for seed in 0..5 {
        let mut world = World::new(seed, 4);
        world.publish(&[&signer]);
        let quiet = [1_000, 60_000][usize::try_from(seed % 2).unwrap()];
        world.run(quiet);
        let before = if quiet < 10_000 { 0 } else { world.key_fetches };
        for tick in 0..20 * 50 {
            for token in unknown.iter().skip(tick % 50 * 40).take(40) {
                assert_eq!(world.ask(tick % 4, token), Seen::Refused);
            }
            world.run(20);
        }
        assert!((2..=3).contains(&(world.key_fetches - before)), "seed {seed}: {}", world.key_fetches - before);
        assert!(world.everybody(&good).iter().all(|seen| *seen == Seen::Accepted), "seed {seed}");
    }
}

/// The first part of a token, as `Signer` makes it.
fn header(kid: &str) -> String {
    Signer::public(kid, 1).token("{}").split('.').next().unwrap().to_owned()
}

#[test]
fn a_clock_that_steps_locks_nobody_out() {
    let (old, new) = (Signer::public("old", 1), Signer::public("new", 2));
    let (old_token, new_token) = (token(&old), token(&new));
    for seed in 0..50 {
        let mut world = World::new(seed, 4);
        world.publish(&[&old]);
        let wait = world.random.below(5_000);
        world.run(wait);
        world.ask(1, &new_token);
        let hours = 1 + world.random.below(100);
        let wall = world.shared.wall_millis.get();
        let is_back = world.random.below(2) == 0;
        let step = hours * 3_600_000;
        world.shared.wall_millis.set(if is_back { wall - step } else { wall + step });
        world.publish(&[&old, &new]);
        let before = world.attempts.len();
        world.ask(0, &new_token);
        world.run(16_000);
        let accepted = |seen: &Seen| *seen == Seen::Accepted;
        assert!(world.everybody(&old_token).iter().all(accepted), "seed {seed}, {hours} h, back: {is_back}");
        assert!(world.everybody(&new_token).iter().all(accepted), "seed {seed}, {hours} h, back: {is_back}");
        assert!(world.attempts.len() - before <= 5, "seed {seed}: {:?}", world.attempts);
        // And it goes on as before.
        let before = world.attempts.len();
        world.run(10 * 60 * 1000);
        assert!((1..=3).contains(&(world.attempts.len() - before)), "seed {seed}: {:?}", world.attempts);
    }
}

#[test]
fn a_worker_that_is_gone_with_the_lease_holds_nobody_up() {
    let signer = Signer::public("k", 1);
    for seed in 0..25 {
        let mut world = World::new(seed, 3);
        world.publish(&[&signer]);
        world.mood = Mood::Never;
        world.run(600);
        let gone = world.calls[0].worker;
        world.calls.clear();
        world.workers.remove(gone);
        world.mood = Mood::Well;
        world.run(5_000);
        assert!(world.everybody(&token(&signer)).iter().all(|seen| *seen == Seen::Accepted), "seed {seed}");
        assert_eq!(world.attempts.len(), 2, "seed {seed}");
    }
}
