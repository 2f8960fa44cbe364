//! A real OpenID Connect provider, a real Envoy with two workers, and the filter between a client and a backend: tokens of the
//! provider pass, others do not, whatever happens to the provider and its keys. Needs ENVOY, the module, node and the provider's
//! packages: `make test` brings all but node.
//!
//! Keys are fetched when they are five minutes old, and once for a key that nobody knows, but not within ten seconds of the last
//! time; that is what the times below are about.

mod drivers;
#[path = "oidc/forge.rs"]
mod forge;
#[path = "oidc/gateway.rs"]
mod gateway;
#[path = "oidc/load.rs"]
mod load;
#[path = "oidc/provider.rs"]
mod provider;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use drivers::case::Backend;
use drivers::report::say;
use gateway::Gateway;
use load::{Plan, percentile};
use provider::{ES256, Keep, OTHER, Port, Presence, Provider, RS256};

/// From one look at the keys to the next.
const COOLDOWN: Duration = Duration::from_secs(10);

/// What may come on top of it: a tick, two calls, and the tick of the other worker.
const SLACK: Duration = Duration::from_millis(1500);

/// Within this an issuer that was not there is asked again, even if nobody heard what became of the last time.
const RETRY: Duration = Duration::from_secs(8);

/// So many requests in a row, each on a connection of its own, reach both workers: one in 2^15 runs misses one of them.
const IN_A_ROW: usize = 16;

const LOAD: Plan = Plan { requests: 40_000, rate: 2_000, connections: 32, bound: Duration::from_secs(40) };

/// Sends a token until it gets this status many times in a row, and tells how long that took.
fn becomes(gateway: &Gateway, token: &str, status: u16, limit: Duration, mut meanwhile: impl FnMut()) -> Duration {
    let start = Instant::now();
    let mut first = start.elapsed();
    let mut row = 0;
    while row < IN_A_ROW {
        meanwhile();
        match gateway.status("/protected", Some(token)) {
            now if now == status && row == 0 => (first, row) = (start.elapsed(), 1),
            now if now == status => row += 1,
            now => {
                assert!(start.elapsed() < limit, "still {now}, not {status}, after {limit:?}");
                row = 0;
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
    first
}

fn stays(gateway: &Gateway, path: &str, token: Option<&str>, status: u16, what: &str) {
    for _ in 0..IN_A_ROW {
        let answer = gateway.get(path, token);
        assert_eq!(answer.status().ok(), Some(status), "{what}: {answer:?}");
    }
}

#[test]
fn tokens_of_the_provider_pass_others_do_not_and_a_rotation_takes_seconds() {
    let port = Port::reserve();
    let provider = Provider::start("oidc-tokens", &port, Presence::Up);
    let good = provider.token(RS256, "read");
    let forged = forge::with_wrong_signature(&good);
    let unknown = forge::with_key(&good, &forge::unknown_key(0));

    // The first moments, in which the keys may not be there yet.
    let mut gateway = Gateway::start("oidc-tokens", port.address());
    let start = Instant::now();
    let mut too_early = 0;
    loop {
        for token in [None, Some(&forged), Some(&unknown)] {
            let status = gateway.status("/protected", token.map(String::as_str));
            assert!(matches!(status, 401 | 500), "{status} for {token:?}");
        }
        assert_eq!(gateway.backend.seen().len(), 0, "nothing has reached the backend");
        match gateway.status("/protected", Some(&good)) {
            200 => break,
            status => assert_eq!(status, 500, "before the keys are there"),
        }
        assert!(start.elapsed() < RETRY, "no keys after {RETRY:?}");
        too_early += 1;
    }
    let ready = start.elapsed();

    becomes(&gateway, &good, 200, SLACK, || ());
    gateway.backend.play(&Backend::default());
    let missing = gateway.get("/protected", None);
    assert_eq!(missing.header("www-authenticate"), Some("Bearer"), "{missing:?}");
    stays(&gateway, "/protected", None, 401, "no token");
    stays(&gateway, "/protected", Some(&forged), 401, "a wrong signature");
    stays(&gateway, "/protected", Some(&unknown), 401, "an unknown key");
    stays(&gateway, "/protected", Some(&provider.token(OTHER, "read")), 401, "another audience");
    stays(&gateway, "/scoped", Some(&provider.token(RS256, "write")), 403, "another scope");
    stays(&gateway, "/scoped", None, 401, "no token where a scope is due");
    assert_eq!(gateway.backend.seen().len(), 0, "nothing of that has reached the backend");
    stays(&gateway, "/open", None, 200, "no token where none is due");
    stays(&gateway, "/protected", Some(&provider.token(RS256, "")), 200, "RS256");
    stays(&gateway, "/protected", Some(&provider.token(ES256, "")), 200, "ES256");
    stays(&gateway, "/scoped", Some(&provider.token(RS256, "read write")), 200, "the scope, RS256");
    stays(&gateway, "/scoped", Some(&provider.token(ES256, "read")), 200, "the scope, ES256");
    assert_eq!(gateway.backend.seen().len(), 5 * IN_A_ROW, "all of that has reached the backend");

    // New keys, and the old ones still published: nobody who has a token notices.
    provider.rotate(Keep::Old);
    let newer = provider.token(RS256, "read");
    let kept = becomes(&gateway, &newer, 200, COOLDOWN + SLACK, || {
        assert_eq!(gateway.status("/protected", Some(&good)), 200, "the old key is still published");
    });
    stays(&gateway, "/protected", Some(&provider.token(ES256, "read")), 200, "the new key, ES256");
    stays(&gateway, "/protected", Some(&good), 200, "the old key");

    // New keys, and nothing else: what the old ones signed counts no more, however often it has passed.
    provider.rotate(Keep::Nothing);
    let newest = provider.token(RS256, "read");
    let dropped = becomes(&gateway, &newest, 200, COOLDOWN + SLACK, || ());
    stays(&gateway, "/protected", Some(&good), 401, "the first key is gone");
    stays(&gateway, "/protected", Some(&newer), 401, "the second key is gone");
    stays(&gateway, "/protected", Some(&newest), 200, "the third key");

    gateway.assert_no_traps();
    say(&format!(
        "oidc: keys {ready:.1?} after the listener ({too_early} good tokens too early, 500 each); new keys count {kept:.1?} after \
         a rotation that keeps the old ones, {dropped:.1?} after one that does not; {:?}\n",
        provider.counts()
    ));
}

#[test]
fn two_thousand_unknown_keys_a_second_cost_the_provider_nothing_and_nobody_else_anything() {
    let port = Port::reserve();
    let provider = Provider::start("oidc-load", &port, Presence::Up);
    let mut gateway = Gateway::start("oidc-load", port.address());
    let warm = provider.token(RS256, "read");
    becomes(&gateway, &warm, 200, RETRY, || ());
    gateway.backend.play(&Backend::default());
    let (counts, resident) = (provider.counts(), gateway.resident_kib());

    let over = AtomicBool::new(false);
    let (outcome, good) = std::thread::scope(|scope| {
        let good = scope.spawn(|| good_tokens(&gateway, &provider, &warm, &over));
        let outcome = load::run(gateway.address(), LOAD, |number| {
            let token = forge::with_key(&warm, &forge::unknown_key(number));
            format!("GET /protected HTTP/1.1\r\nhost: gateway.test\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes()
        });
        over.store(true, Ordering::Relaxed);
        // First what good tokens got: their failure tells more.
        let good = good.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (outcome.unwrap_or_else(|error| panic!("the gateway stopped answering: {error}")), good)
    });

    let fetched = provider.counts().jwks - counts.jwks;
    let seconds = outcome.elapsed.as_secs_f64();
    say(&format!(
        "oidc: {} tokens with unknown keys in {seconds:.1} s, {:.0} a second (of {} wanted): {:?}, p50 {:.1?}, p99 {:.1?}, max \
         {:.1?}; meanwhile {} good tokens, p50 {:.1?}, p99 {:.1?}, max {:.1?}; keys fetched {fetched} times; Envoy {} KiB larger\n",
        outcome.answers(),
        outcome.answers() as f64 / seconds,
        LOAD.rate,
        outcome.statuses,
        outcome.percentile(50),
        outcome.percentile(99),
        outcome.percentile(100),
        good.len(),
        percentile(&good, 50),
        percentile(&good, 99),
        percentile(&good, 100),
        gateway.resident_kib().saturating_sub(resident),
    ));
    assert_eq!(outcome.statuses.keys().collect::<Vec<_>>(), [&401], "{:?}", outcome.statuses);
    assert!(outcome.answers() >= LOAD.requests / 4, "too little load to tell anything: {} requests", outcome.answers());
    assert_eq!(gateway.backend.seen().len(), good.len(), "only good tokens reach the backend");
    // Three for 20 s: one at once, one after each cooldown.
    let most = 1 + outcome.elapsed.as_secs() / COOLDOWN.as_secs();
    assert!((1..=most).contains(&fetched), "keys were fetched {fetched} times in {seconds:.1} s, not once to {most} times");
    gateway.assert_no_traps();
}

/// Sends good tokens until the load is over, one that was seen before and one that was not by turns; how long each took, sorted.
fn good_tokens(gateway: &Gateway, provider: &Provider, warm: &str, over: &AtomicBool) -> Vec<Duration> {
    let mut latencies = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let fresh = provider.token(RS256, "read");
        for (token, what) in [(warm, "warm"), (&fresh, "fresh")] {
            let start = Instant::now();
            let answer = gateway.get("/scoped", Some(token));
            latencies.push(start.elapsed());
            assert_eq!(answer.status().ok(), Some(200), "a {what} token under load: {answer:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    latencies.sort_unstable();
    latencies
}

#[test]
fn a_provider_that_comes_late_is_waited_for_with_closed_doors() {
    let port = Port::reserve();
    let provider = Provider::start("oidc-late", &port, Presence::Down);
    let gateway = Gateway::start("oidc-late", port.address());
    let good = provider.token(RS256, "read");
    let forged = forge::with_wrong_signature(&good);
    let start = Instant::now();
    while gateway.refused_by_provider() < 2 {
        assert_eq!(gateway.status("/open", None), 200, "a route without authorizer");
        assert_eq!(gateway.status("/protected", None), 401, "no token");
        assert_eq!(gateway.status("/protected", Some(&good)), 500, "a good token that nobody can judge");
        assert_eq!(gateway.status("/protected", Some(&forged)), 500, "a bad token that nobody can judge");
        assert!(start.elapsed() < 2 * RETRY, "the provider is asked again and again");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(gateway.backend.seen().iter().all(|request| request.method_and_target().1 == "/open"), "nothing else has come through");
    let (closed, refused) = (start.elapsed(), gateway.refused_by_provider());

    provider.up();
    let late = becomes(&gateway, &good, 200, RETRY, || ());
    stays(&gateway, "/protected", Some(&forged), 401, "a bad token");
    stays(&gateway, "/protected", None, 401, "no token");
    gateway.assert_no_traps();
    say(&format!(
        "oidc: without a provider {closed:.1?} closed, {refused} attempts; open {late:.1?} after it came; {:?}\n",
        provider.counts()
    ));
}

#[test]
fn a_provider_that_dies_takes_its_keys_with_it_from_nobody() {
    let port = Port::reserve();
    let provider = Provider::start("oidc-dead", &port, Presence::Up);
    let gateway = Gateway::start("oidc-dead", port.address());
    let warm = provider.token(RS256, "read");
    becomes(&gateway, &warm, 200, RETRY, || ());
    let mut unseen: Vec<String> = (0..200).map(|_| provider.token(RS256, "read")).collect();
    drop(provider);

    // Unknown keys make the gateway ask for new ones; nobody is there to answer.
    let unknown = forge::with_key(&warm, &forge::unknown_key(0));
    let start = Instant::now();
    let mut served = 0;
    let mut check = || {
        assert_eq!(gateway.status("/protected", Some(&unknown)), 401, "an unknown key");
        assert_eq!(gateway.status("/protected", Some(&warm)), 200, "a token that was seen before");
        let fresh = unseen.pop().expect("there are enough tokens");
        assert_eq!(gateway.status("/protected", Some(&fresh)), 200, "a token that was never seen");
        served += 2;
        std::thread::sleep(Duration::from_millis(100));
    };
    while gateway.refused_by_provider() == 0 {
        check();
        assert!(start.elapsed() < COOLDOWN + SLACK, "nobody asked the dead provider");
    }
    let asked = start.elapsed();
    (0..IN_A_ROW).for_each(|_| check());
    gateway.assert_no_traps();
    say(&format!("oidc: {served} good tokens served after the provider died; it was asked for new keys after {asked:.1?}\n"));
}
