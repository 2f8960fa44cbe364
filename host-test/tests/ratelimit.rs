//! `tollgate ratelimit` as a process, asked over gRPC: in memory, with a real Redis that comes and goes, and by a real Envoy.
//! Needs ENVOY and REDIS_SERVER: `make test` brings both.

mod process;

#[path = "ratelimit/client.rs"]
mod client;
#[path = "ratelimit/envoy.rs"]
mod envoy;
#[path = "ratelimit/messages.rs"]
mod messages;
#[path = "ratelimit/service.rs"]
mod service;

use std::time::{Duration, Instant};

use client::{Client, INVALID_ARGUMENT, NOT_FOUND, UNAVAILABLE, UNIMPLEMENTED};
use messages::{
    DAY, Descriptor, Entry, HOUR, Limit, MINUTE, MONTH, Number, OK, OVER_LIMIT, Request, Response, SECOND, Status, WEEK, YEAR,
    limited, request, unlimited,
};
use process::redis::Redis;
use service::Service;

/// `--redis-timeout-millis` of the tests that are not about time: this machine may be busy.
const PATIENT: &str = "20000";

/// What a request may take on top of `--redis-timeout-millis`.
const SLACK: Duration = Duration::from_millis(500);

/// Runs a test over both storages: each must behave the same.
async fn on_both<T: AsyncFn(Service)>(test: T) {
    test(Service::start(&[])).await;
    let redis = Redis::start();
    test(in_redis(&redis)).await;
}

fn in_redis(redis: &Redis) -> Service {
    Service::start(&["--redis", &redis.url(), "--redis-timeout-millis", PATIENT])
}

/// The codes of the descriptors.
fn codes(response: &Response) -> Vec<i32> {
    response.statuses.iter().map(|status| status.code).collect()
}

fn remaining(response: &Response) -> Vec<u32> {
    response.statuses.iter().map(|status| status.limit_remaining).collect()
}

/// How many of so many requests at the same time are admitted, sent over connections in turn.
async fn admitted(clients: &[Client], requests: usize, request: &Request) -> usize {
    let asked: Vec<_> = (0..requests)
        .map(|number| {
            let (client, request) = (clients[number % clients.len()].clone(), request.clone());
            tokio::spawn(async move { client.answer(&request).await })
        })
        .collect();
    let mut admitted = 0;
    for asked in asked {
        let response = asked.await.expect("no task panics");
        assert!([OK, OVER_LIMIT].contains(&response.overall_code));
        admitted += usize::from(response.overall_code == OK);
    }
    admitted
}

async fn clients(services: &[&Service]) -> Vec<Client> {
    let mut clients = Vec::new();
    for service in services {
        for _ in 0..4 {
            clients.push(Client::connect(&service.address).await);
        }
    }
    clients
}

// --- what is counted --------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn of_many_requests_at_once_exactly_as_many_are_admitted_as_the_limit_allows() {
    on_both(async |service| {
        let clients = clients(&[&service]).await;
        let one = request(&[limited("one", 137, HOUR)]);
        assert_eq!(admitted(&clients, 400, &one).await, 137);
        // Two counters, of which one is full first, and three hits at a time.
        let two = Request { hits_addend: 3, ..request(&[limited("wide", 1000, HOUR), limited("narrow", 100, MINUTE)]) };
        assert_eq!(admitted(&clients, 200, &two).await, 33);
        let after = clients[0].answer(&Request { hits_addend: 1, ..two }).await;
        assert_eq!(remaining(&after), [1000 - 100, 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_redis_admit_together_exactly_what_the_limit_allows() {
    let redis = Redis::start();
    let services = [in_redis(&redis), in_redis(&redis)];
    let clients = clients(&[&services[0], &services[1]]).await;
    let request = request(&[limited("shared", 211, DAY), limited("also", 500, HOUR)]);
    assert_eq!(admitted(&clients, 800, &request).await, 211);
}

#[tokio::test]
async fn a_request_that_is_over_one_limit_counts_for_none() {
    on_both(async |service| {
        let client = Client::connect(&service.address).await;
        let both = request(&[limited("wide", 10, HOUR), limited("narrow", 1, HOUR)]);
        let first = client.answer(&both).await;
        assert_eq!((first.overall_code, codes(&first), remaining(&first)), (OK, vec![OK, OK], vec![9, 0]));
        for _ in 0..3 {
            let refused = client.answer(&both).await;
            let told = (refused.overall_code, codes(&refused), remaining(&refused));
            assert_eq!(told, (OVER_LIMIT, vec![OK, OVER_LIMIT], vec![9, 0]));
        }
        assert_eq!(remaining(&client.answer(&request(&[limited("wide", 10, HOUR)])).await), [8]);
    })
    .await;
}

#[tokio::test]
async fn the_same_counter_twice_in_a_request_is_hit_twice() {
    on_both(async |service| {
        let client = Client::connect(&service.address).await;
        let twice = request(&[limited("same", 3, HOUR), limited("same", 3, HOUR)]);
        assert_eq!(remaining(&client.answer(&twice).await), [1, 1]);
        let refused = client.answer(&twice).await;
        assert_eq!((codes(&refused), remaining(&refused)), (vec![OK, OVER_LIMIT], vec![1, 1]));
    })
    .await;
}

#[tokio::test]
async fn a_window_begins_with_its_first_hit_and_ends_a_unit_later() {
    on_both(async |service| {
        let client = Client::connect(&service.address).await;
        let request = request(&[limited("short", 2, SECOND)]);
        let started = Instant::now();
        let first = client.answer(&request).await;
        assert_eq!(remaining(&first), [1]);
        assert!((0.5..=1.0).contains(&first.statuses[0].reset()), "{}", first.statuses[0].reset());
        client.answer(&request).await;
        let full = client.answer(&request).await;
        assert!(full.overall_code == OVER_LIMIT || started.elapsed() > Duration::from_secs(1), "{full:?}");
        // Asking when nothing is left does not make the window longer.
        let deadline = started + Duration::from_secs(5);
        while client.answer(&request).await.overall_code == OVER_LIMIT {
            assert!(Instant::now() < deadline, "the window does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(started.elapsed() >= Duration::from_millis(990), "the window ended after {:?}", started.elapsed());
    })
    .await;
}

#[tokio::test]
async fn every_unit_tells_what_remains_and_when_its_window_ends() {
    const HOUR_SECONDS: f64 = 3600.0;
    let units = [
        (SECOND, 1.0),
        (MINUTE, 60.0),
        (HOUR, HOUR_SECONDS),
        (DAY, 24.0 * HOUR_SECONDS),
        (WEEK, 7.0 * 24.0 * HOUR_SECONDS),
        (MONTH, 30.0 * 24.0 * HOUR_SECONDS),
        (YEAR, 365.0 * 24.0 * HOUR_SECONDS),
    ];
    on_both(async |service| {
        let client = Client::connect(&service.address).await;
        for (unit, seconds) in units {
            // One name: the unit makes them different counters.
            let Response { overall_code, statuses } = client.answer(&request(&[limited("all", 5, unit)])).await;
            assert_eq!(overall_code, OK);
            let [Status { code: OK, current_limit, limit_remaining: 4, .. }] = statuses.as_slice() else { panic!("{statuses:?}") };
            assert_eq!(*current_limit, Some(Limit { requests_per_unit: 5, unit }));
            let reset = statuses[0].reset();
            assert!(reset <= seconds && reset > seconds - 10.0, "{unit}: {reset}");
        }
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let later = client.answer(&request(&[limited("all", 5, MINUTE)])).await;
        assert_eq!(remaining(&later), [3]);
        assert!(later.statuses[0].reset() <= 59.0, "{}", later.statuses[0].reset());
    })
    .await;
}

#[tokio::test]
async fn a_limit_that_is_changed_goes_on_with_the_same_counter() {
    on_both(async |service| {
        let client = Client::connect(&service.address).await;
        let with = async |limit| client.answer(&request(&[limited("plan", limit, DAY)])).await;
        for left in [2, 1, 0] {
            assert_eq!(remaining(&with(3).await), [left]);
        }
        assert_eq!(with(3).await.overall_code, OVER_LIMIT);
        assert_eq!(remaining(&with(5).await), [1]);
        let lower = with(2).await;
        assert_eq!((lower.overall_code, remaining(&lower)), (OVER_LIMIT, vec![0]));
        assert_eq!(with(0).await.overall_code, OVER_LIMIT);
    })
    .await;
}

#[tokio::test]
async fn domains_and_entries_in_their_order_are_counters_of_their_own() {
    on_both(async |service| {
        let client = Client::connect(&service.address).await;
        let entry = |key: &str, value: &str| Entry { key: key.to_owned(), value: value.to_owned() };
        let all = [
            vec![entry("a", "1"), entry("b", "2")],
            vec![entry("b", "2"), entry("a", "1")],
            vec![entry("a", "1")],
            vec![entry("a", "12")],
            vec![entry("a", "")],
            vec![entry("a", "1\",\"b\nGET *{}"), entry("ü", "€")],
        ];
        for domain in ["x", "y"] {
            for entries in &all {
                let descriptor = Descriptor { entries: entries.clone(), ..limited("", 1, HOUR) };
                let request = Request { domain: domain.to_owned(), ..request(&[descriptor]) };
                assert_eq!(client.answer(&request).await.overall_code, OK, "{domain} {entries:?}");
                assert_eq!(client.answer(&request).await.overall_code, OVER_LIMIT, "{domain} {entries:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_descriptor_without_a_limit_is_not_limited() {
    on_both(async |service| {
        let client = Client::connect(&service.address).await;
        let free = Status { code: OK, ..Status::default() };
        let response = client.answer(&request(&[unlimited("free")])).await;
        assert_eq!(response, Response { overall_code: OK, statuses: vec![free.clone()] });
        let mixed = request(&[unlimited("free"), limited("held", 1, HOUR), unlimited("free")]);
        assert_eq!(codes(&client.answer(&mixed).await), [OK, OK, OK]);
        let refused = client.answer(&mixed).await;
        assert_eq!((refused.overall_code, codes(&refused)), (OVER_LIMIT, vec![OK, OVER_LIMIT, OK]));
        assert_eq!((&refused.statuses[0], &refused.statuses[2]), (&free, &free));
    })
    .await;
}

#[tokio::test]
async fn hits_are_one_or_what_the_request_says_or_what_the_descriptor_says() {
    on_both(async |service| {
        let client = Client::connect(&service.address).await;
        let own = |value| Descriptor { hits_addend: Some(Number { value }), ..limited("own", 100, HOUR) };
        let asked = |hits_addend, own| Request { hits_addend, ..request(&[limited("of the request", 100, HOUR), own]) };
        assert_eq!(remaining(&client.answer(&asked(0, own(10))).await), [99, 90]);
        assert_eq!(remaining(&client.answer(&asked(7, own(20))).await), [92, 70]);
        // None at all counts nothing, and tells.
        assert_eq!(remaining(&client.answer(&asked(1, own(0))).await), [91, 70]);
        let refused = client.answer(&asked(1, own(71))).await;
        assert_eq!((codes(&refused), remaining(&refused)), (vec![OK, OVER_LIMIT], vec![91, 70]));
        for most in [u64::from(u32::MAX), u64::MAX] {
            assert_eq!(client.answer(&asked(1, own(most))).await.overall_code, OVER_LIMIT);
        }
        assert_eq!(remaining(&client.answer(&asked(1, own(70))).await), [90, 0]);
        let full = client.answer(&request(&[own(0)])).await;
        assert_eq!((full.overall_code, remaining(&full)), (OK, vec![0]));
        assert_eq!(client.answer(&asked(u32::MAX, own(0))).await.overall_code, OVER_LIMIT);
        // As many as there can be.
        let most = Descriptor { hits_addend: Some(Number { value: u64::from(u32::MAX) }), ..limited("most", u32::MAX, HOUR) };
        assert_eq!(remaining(&client.answer(&request(std::slice::from_ref(&most))).await), [0]);
        assert_eq!(client.answer(&request(&[most])).await.overall_code, OVER_LIMIT);
    })
    .await;
}

// --- what is refused --------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused_with_the_place_of_the_mistake() {
    let service = Service::start(&[]);
    let client = Client::connect(&service.address).await;
    let good = limited("good", 1, HOUR);
    let nameless = Descriptor { entries: vec![Entry::default()], ..good.clone() };
    let long = limited(&"x".repeat(3000), 1, HOUR);
    let cases = [
        (Request { domain: String::new(), ..request(std::slice::from_ref(&good)) }, "`domain` is empty"),
        (request(&[]), "`descriptors` is empty"),
        (request(&vec![good.clone(); 65]), "`descriptors` has more than 64 items"),
        (request(&[good.clone(), Descriptor::default()]), "`descriptors[1].entries` is empty"),
        (request(&[nameless]), "`descriptors[0].entries[0].key` is empty"),
        (request(&[limited("a", 1, 0)]), "`descriptors[0].limit.unit` is `0`, which is no unit of time"),
        (request(&[limited("a", 1, 8)]), "`descriptors[0].limit.unit` is `8`, which is no unit of time"),
        (
            request(&[Descriptor { is_negative_hits: true, ..good.clone() }]),
            "`descriptors[0].is_negative_hits` is not served: hits are never given back",
        ),
        (request(&[long]), "`descriptors[0].entries` are longer than 2048 bytes, the domain included"),
    ];
    for (request, message) in cases {
        let refused = client.ask(&request).await.expect_err(message);
        assert_eq!((refused.code, refused.message.as_str()), (INVALID_ARGUMENT, message));
    }
    // Nothing of it was counted.
    assert_eq!(client.answer(&request(&[good])).await.overall_code, OK);
}

#[tokio::test]
async fn what_is_no_call_of_the_service_is_told_so() {
    let service = Service::start(&[]);
    let client = Client::connect(&service.address).await;
    for path in ["/envoy.service.ratelimit.v3.RateLimitService/Other", "/other.Service/ShouldRateLimit", "/"] {
        let refused = client.call::<Request, Response>(path, &Request::default()).await.expect_err(path);
        assert_eq!(refused.code, UNIMPLEMENTED, "{path}: {refused:?}");
    }
    let (head, body) = client.exchange("/", "application/json", Vec::new()).await;
    assert_eq!(head.status, 415);
    assert!(body.starts_with(b"this is a gRPC service"), "{body:?}");
    // More than a message may have, and no message at all: the connection lives on.
    let huge = Request { domain: "x".repeat(100_000), ..Request::default() };
    assert!(client.ask(&huge).await.is_err());
    let garbage = b"\xff\xff\xff\xff".to_vec();
    let path = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";
    let (head, _) = client.exchange(path, "application/grpc", garbage).await;
    assert_ne!(head.headers["grpc-status"], "0");
    assert_eq!(client.answer(&request(&[unlimited("a")])).await.overall_code, OK);
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_is_refused() {
    let refused = |arguments: &[&str], part: &str| {
        let output = process::tollgate(arguments);
        let said = process::printed(&output);
        assert!(output.status.code() == Some(2) && said.contains(part), "{arguments:?}: {said}");
    };
    refused(&["ratelimit", "--redis", "127.0.0.1:6379"], "write `redis://");
    refused(&["ratelimit", "--redis", "rediss://127.0.0.1"], "redis over TLS is not served");
    refused(&["ratelimit", "--redis-timeout-millis", "5"], "--redis <URL>");
    refused(&["ratelimit", "--redis", "redis://127.0.0.1", "--redis-timeout-millis", "0"], "1..=60000");
    let service = Service::start(&[]);
    let output = process::tollgate(&["ratelimit", "--listen", &service.address]);
    assert!(output.status.code() == Some(1) && process::printed(&output).contains("the port is in use"));
}

// --- a Redis that goes and comes --------------------------------------------------------------------------------------------

/// Asks until there is an answer.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited too long: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_stops_is_told_at_once_and_counts_on_when_it_is_back() {
    let mut redis = Redis::start();
    let service = Service::start(&["--redis", &redis.url(), "--redis-timeout-millis", "1000"]);
    let client = Client::connect(&service.address).await;
    let asked = request(&[limited("kept", 5, DAY)]);
    for left in [4, 3] {
        assert_eq!(remaining(&client.answer(&asked).await), [left]);
    }
    redis.stop();
    for _ in 0..20 {
        let started = Instant::now();
        let refused = client.ask(&asked).await.expect_err("redis is gone");
        assert!(started.elapsed() < Duration::from_millis(1000) + SLACK, "{:?}", started.elapsed());
        assert_eq!(refused.code, UNAVAILABLE);
        assert!(refused.message.starts_with("redis "), "{refused:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (lost, _) = service.wait_for("cannot be used");
    let address = redis.address().to_string();
    assert!(lost.starts_with(&format!("redis at {address} cannot be used: ")), "{lost}");
    assert_eq!(service.said(), Vec::<String>::new(), "one line tells it, and not one a request");
    redis.restart();
    let back = until("it counts again", async || client.ask(&asked).await.ok()).await;
    assert_eq!(remaining(&back), [2]);
    let (_, before) = service.wait_for(&format!("redis at {address} is there"));
    assert_eq!(before, Vec::<String>::new());
    for left in [1, 0] {
        assert_eq!(remaining(&client.answer(&asked).await), [left]);
    }
    assert_eq!(client.answer(&asked).await.overall_code, OVER_LIMIT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_costs_a_request_its_timeout_and_no_more() {
    let redis = Redis::start();
    let service = Service::start(&["--redis", &redis.url(), "--redis-timeout-millis", "300"]);
    let client = Client::connect(&service.address).await;
    let asked = request(&[limited("hangs", 1000, DAY)]);
    assert_eq!(client.answer(&asked).await.overall_code, OK);
    redis.freeze();
    // Many at once on one counter: none waits for another.
    let all: Vec<_> = (0..50)
        .map(|_| {
            let (client, asked) = (client.clone(), asked.clone());
            tokio::spawn(async move {
                let started = Instant::now();
                (client.ask(&asked).await, started.elapsed())
            })
        })
        .collect();
    for one in all {
        let (answer, took) = one.await.unwrap();
        assert_eq!(answer.expect_err("redis hangs").code, UNAVAILABLE);
        assert!(took < Duration::from_millis(300) + SLACK, "{took:?}");
    }
    service.wait_for("cannot be used");
    let started = Instant::now();
    let refused = client.ask(&asked).await.expect_err("redis hangs");
    assert!(started.elapsed() < SLACK, "known to be down, and waited for: {:?}", started.elapsed());
    assert!(refused.message.starts_with("redis cannot be used: no answer "), "{refused:?}");
    redis.thaw();
    until("it counts again", async || client.ask(&asked).await.ok()).await;
    service.wait_for("is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_starts_without_its_redis_says_so_and_counts_when_it_comes() {
    let mut redis = Redis::start();
    redis.stop();
    let service = Service::start(&["--redis", &redis.url()]);
    let client = Client::connect(&service.address).await;
    let asked = request(&[limited("late", 5, DAY)]);
    let started = Instant::now();
    assert_eq!(client.ask(&asked).await.expect_err("there is no redis").code, UNAVAILABLE);
    assert!(started.elapsed() < Duration::from_millis(100) + SLACK, "{:?}", started.elapsed());
    // What is not limited needs no Redis.
    assert_eq!(client.answer(&request(&[unlimited("free")])).await.overall_code, OK);
    redis.restart();
    service.wait_for("is there, counting goes on");
    assert_eq!(remaining(&client.answer(&asked).await), [4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_takes_no_writes_is_one_that_cannot_be_used() {
    let redis = Redis::start();
    let service = in_redis(&redis);
    let client = Client::connect(&service.address).await;
    let asked = request(&[limited("full", 5, DAY)]);
    assert_eq!(remaining(&client.answer(&asked).await), [4]);
    redis.ask("CONFIG SET maxmemory 1");
    let (line, _) = service.wait_for("cannot be used");
    assert!(line.contains("OOM"), "{line}");
    let refused = client.ask(&asked).await.expect_err("redis is full");
    assert!(refused.code == UNAVAILABLE && refused.message.contains("OOM"), "{refused:?}");
    redis.ask("CONFIG SET maxmemory 0");
    service.wait_for("is there");
    assert_eq!(remaining(&client.answer(&asked).await), [3]);
}

#[tokio::test]
async fn redis_keeps_nothing_longer_than_its_window() {
    let redis = Redis::start();
    let service = in_redis(&redis);
    let client = Client::connect(&service.address).await;
    client.answer(&request(&[limited("a", 5, SECOND), limited("b", 5, HOUR)])).await;
    // Neither does one that only wants to know, nor one that is refused.
    let none = Descriptor { hits_addend: Some(Number { value: 0 }), ..limited("c", 5, HOUR) };
    client.answer(&request(&[none, limited("d", 0, HOUR)])).await;
    drop(service);
    let hour = r#"tollgate:ratelimit:["tests","HOUR",[["key","b"]]]"#;
    until("only the hour is left", async || {
        let keys = redis.ask("KEYS *");
        (keys.starts_with("*1\r\n") && keys.contains(hour)).then_some(())
    })
    .await;
}

// --- the process ------------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_whether_the_service_can_count() {
    const SERVICE: &str = "envoy.service.ratelimit.v3.RateLimitService";
    let memory = Service::start(&[]);
    let client = Client::connect(&memory.address).await;
    assert_eq!((client.health("").await, client.health(SERVICE).await), (Ok(1), Ok(1)));
    assert_eq!(client.health("other").await.expect_err("there is no such service").code, NOT_FOUND);

    let mut redis = Redis::start();
    let service = in_redis(&redis);
    let client = Client::connect(&service.address).await;
    assert_eq!(client.health(SERVICE).await, Ok(1));
    redis.stop();
    // Nobody has to ask for it to be known.
    until("it is not healthy", async || (client.health(SERVICE).await == Ok(2)).then_some(())).await;
    assert_eq!(client.health("").await, Ok(1), "the process is well");
    redis.restart();
    until("it is healthy", async || (client.health(SERVICE).await == Ok(1)).then_some(())).await;
}

#[tokio::test]
async fn a_told_service_ends_although_clients_are_connected() {
    on_both(async |mut service| {
        let client = Client::connect(&service.address).await;
        assert_eq!(client.answer(&request(&[limited("a", 1, HOUR)])).await.overall_code, OK);
        let started = Instant::now();
        let status = tokio::task::spawn_blocking(move || service.terminate()).await.unwrap();
        assert!(status.success(), "{status}");
        assert!(started.elapsed() < Duration::from_secs(4), "an idle connection held it up: {:?}", started.elapsed());
    })
    .await;
}

// --- a real Envoy -----------------------------------------------------------------------------------------------------------

#[test]
fn envoy_asks_the_service_and_shows_what_it_was_told() {
    let service = Service::start(&[]);
    let envoy = envoy::Envoy::start(&service.address, 2);
    let ask = || {
        let answer = process::curl(&format!("curl -i http://{}/", envoy.address));
        let header = |name: &str| {
            let line = answer.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap_or_else(|| panic!("no {name}:\n{answer}")).to_owned()
        };
        let status = answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
        let reset: u64 = header("x-ratelimit-reset").parse().expect("seconds");
        assert!((3590..=3600).contains(&reset), "{answer}");
        (status.expect("an answer has a status"), header("x-ratelimit-limit"), header("x-ratelimit-remaining"))
    };
    let shown = |status, remaining: &str| (status, "2, 2;w=3600".to_owned(), remaining.to_owned());
    assert_eq!(ask(), shown(200, "1"));
    assert_eq!(ask(), shown(200, "0"));
    assert_eq!(ask(), shown(429, "0"));
    envoy.wait_until_checked();
}
