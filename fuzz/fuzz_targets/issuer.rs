//! The keys of an issuer: two workers that fetch, share and lose them, with whatever comes of discovery, key sets, shared data and
//! clocks. However it went, keys that are published and calls that are answered open the gateway again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use std::sync::{Arc, LazyLock};
use tollgate::flow::{Callout, CalloutOutcome, Ticket};
use tollgate::gateway::Gateway;
use tollgate::http::ResponseHead;
use tollgate_fuzz::documents::{DOCUMENTS, PUBLISHER};
use tollgate_fuzz::signing::{public_keys, public_token};
use tollgate_fuzz::{Reader, START_MILLIS, World, ask, check_request, gateway, no_reply, reply, request, within_millis};

const STEPS: usize = 60;

static TOKEN: LazyLock<String> =
    LazyLock::new(|| public_token("k1", &json!({"iss": PUBLISHER, "aud": "a", "exp": 99_999_999_999_u64})));
static KEYS: LazyLock<Vec<u8>> = LazyLock::new(|| public_keys("k1").to_string().into_bytes());
static OTHER_KEYS: LazyLock<Vec<u8>> = LazyLock::new(|| public_keys("k2").to_string().into_bytes());

struct Place {
    gateway: Arc<Gateway>,
    calls: Vec<(Ticket, Callout)>,
}

impl Place {
    fn new(world: &World) -> Self {
        let gateway = Arc::new(gateway(&DOCUMENTS[6]));
        gateway.issuer_keys.load(&world.worker());
        Self { gateway, calls: Vec::new() }
    }

    fn add(&mut self, calls: Vec<(Ticket, Callout)>) {
        for (_, call) in &calls {
            assert!(["p", "k"].contains(&call.cluster.as_str()), "{call:?}");
            check_request(call.http_head().expect("keys come by HTTP"));
        }
        self.calls.extend(calls);
    }

    fn tick(&mut self, world: &World) {
        let calls = within_millis(50, "a tick", || self.gateway.issuer_keys.tick(&mut world.worker()));
        self.add(calls);
    }

    fn answer(&mut self, ticket: Ticket, outcome: CalloutOutcome, world: &World) {
        let calls = within_millis(100, "an answer", || self.gateway.issuer_keys.called(ticket, outcome, &mut world.worker()));
        assert!(calls.len() <= 1, "an answer asks for one call at most");
        self.add(calls);
    }

    fn passes(&self, token: &str, world: &World) -> bool {
        let head = request("GET", "/jwt", "api.test", &[("authorization", token)]);
        let upstream = ResponseHead { status: 200, ..ResponseHead::default() };
        let asked = ask(&self.gateway, head, &mut world.worker(), &mut |_| no_reply(), &upstream);
        assert!(asked.forwarded.is_some() || (400..600).contains(&asked.status()), "{asked:?}");
        asked.forwarded.is_some()
    }
}

fn discovery(input: &mut Reader<'_>) -> Vec<u8> {
    let uris = [
        "https://keys.test/jwks",
        "https://KEYS.test:443/",
        "http://keys.test/",
        "https://nowhere.test/",
        "https://keys.test@evil.test/",
        "https://p.test/k?a=b",
    ];
    let issuer = if input.flag() { "https://p.test/" } else { PUBLISHER };
    json!({"issuer": issuer, "jwks_uri": input.one_of(&uris), "x": input.text()}).to_string().into_bytes()
}

fn outcome(input: &mut Reader<'_>) -> CalloutOutcome {
    match input.below(9) {
        0 | 1 => reply(200, &[], &KEYS),
        2 => reply(200, &[], &OTHER_KEYS),
        3 => no_reply(),
        4 => reply(404, &[], &KEYS),
        5 => reply(200, &[], &json!({"issuer": PUBLISHER, "jwks_uri": "https://keys.test/jwks"}).to_string().into_bytes()),
        6 => reply(200, &[], &discovery(input)),
        7 => reply(200, &[], &vec![b' '; 256 * 1024 + input.below(3)]),
        _ => reply(200, &[], input.bytes()),
    }
}

/// As an issuer that works answers.
fn well(call: &Callout) -> CalloutOutcome {
    let is_discovery = call.http_head().is_some_and(|head| head.path.ends_with(b"/openid-configuration"));
    if is_discovery {
        reply(200, &[], json!({"issuer": PUBLISHER, "jwks_uri": "https://keys.test/jwks"}).to_string().as_bytes())
    } else {
        reply(200, &[], &KEYS)
    }
}

/// Within a minute of an issuer that works, all workers take its tokens.
fn recovers(workers: &mut [Place; 2], world: &World) {
    world.refusals.set(0);
    world.wall.set(world.wall.get().clamp(START_MILLIS, 4_000_000_000_000));
    for place in workers.iter_mut() {
        place.calls.clear();
    }
    // Past what counts as fetched, so that it is fetched anew: 24 hours and the time of an attempt.
    world.pass(25 * 3_600_000);
    for _ in 0..60 {
        for place in workers.iter_mut() {
            place.tick(world);
            while let Some((ticket, call)) = place.calls.pop() {
                place.answer(ticket, well(&call), world);
            }
        }
        world.pass(1000);
    }
    for place in workers {
        assert!(place.passes(&TOKEN, world), "the keys are published, and nobody takes the token");
        assert!(!place.passes(&TOKEN.replace(".eyJ", ".eyI"), world));
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Reader::new(data);
    let world = World::default();
    let mut workers = [Place::new(&world), Place::new(&world)];
    // Whether the right keys were ever to be had.
    let mut published = false;
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        let what = input.below(10);
        let place = &mut workers[input.below(2)];
        match what {
            0..=2 => {
                let before = place.calls.len();
                place.tick(&world);
                assert!(place.calls.len() - before <= 1);
            }
            3 | 4 => {
                if let Some((ticket, _)) = place.calls.pop() {
                    let outcome = outcome(&mut input);
                    published |= outcome.as_ref().is_ok_and(|answer| answer.head.status == 200 && answer.body == *KEYS);
                    place.answer(ticket, outcome, &world);
                }
            }
            5 => {
                if let Some((ticket, call)) = place.calls.pop() {
                    published = true;
                    place.answer(ticket, well(&call), &world);
                }
            }
            6 => place.answer(Ticket(u32::from(input.byte()) << 8), outcome(&mut input), &world),
            7 => world.pass(input.number() % 100_000_000),
            8 => match input.below(3) {
                0 => world.wall.set(input.number() % (4 * START_MILLIS)),
                1 => world.refusals.set(u32::from(input.byte() % 8)),
                _ => {
                    let keys = world.keys();
                    if !keys.is_empty() {
                        let key = &keys[input.below(keys.len())];
                        let mut value = world.value(key).unwrap_or_default();
                        let at = input.below(32);
                        value.iter_mut().skip(at).zip(input.bytes()).for_each(|(byte, new)| *byte = *new);
                        value.truncate(value.len() - input.below(3).min(value.len()));
                        world.put(key, &value);
                    }
                }
            },
            _ => {
                let passes = place.passes(&TOKEN, &world);
                assert!(published || !passes, "a token by keys that nobody published");
                if input.flag() {
                    *place = Place::new(&world);
                }
            }
        }
    }
    recovers(&mut workers, &world);
});
