//! Limits as they are met: several workers with one count, documents that change under load, clocks that are set. Needs ENVOY and
//! the module: `make test` brings both.

mod drivers;
#[path = "usage/mod.rs"]
mod usage;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use drivers::case::CaseFile;
use drivers::edge::Configuration;
use drivers::envoy::{Envoy, Plugins, module};
use drivers::native::Native;
use drivers::report::say;
use drivers::wasm::Wasm;
use drivers::{Clusters, Driver};
use serde_json::{Value, json};
use tollgate_host::{
    Connection, FilterModule, HeaderMap, Host, LogLevel, Output, Request, Settings, Shared, SystemClock, VirtualClock, Worker,
};
use usage::documents::{document, key, plan};
use usage::load::{End, Load, Sample, admitted, answers, overflow, run, span};

const TOO_MANY: &str = r#"{"message":"Too Many Requests"}"#;
const EXCEEDED: &str = r#"{"message":"Limit Exceeded"}"#;

fn wasm() -> FilterModule {
    let cache = drivers::envoy::workspace().join("target/wasmtime-cache");
    FilterModule::from_file_cached(module(), cache).unwrap_or_else(|e| panic!("{e}"))
}

/// One key on one plan.
fn limited(version: u32, limits: &Value) -> Value {
    document(version, 1, &json!([plan("p", &[0], limits)]), &Value::Null)
}

fn host(document: &Value) -> Host {
    Host::builder(&wasm()).plugin_configuration(document.to_string()).build().unwrap_or_else(|e| panic!("{e}: {:?}", e.logs()))
}

/// Sends so many requests with the first key; says how many got through, and what the last one got to hear.
fn send(host: &mut Host, requests: usize) -> (usize, String) {
    let mut admitted = 0;
    let mut last = String::new();
    for _ in 0..requests {
        let response = host.send(Request::get("/prod/keyed").header("x-api-key", key(0))).response;
        admitted += usize::from(response.status() == 200);
        last = response.text();
    }
    (admitted, last)
}

#[test]
fn no_answer_tells_why_a_key_lets_nobody_in() {
    let files = CaseFile::all();
    let file = files.iter().find(|file| file.name == "usage/keys").expect("there is such a file");
    let (mut native, mut wasm) = (Native::default(), Wasm::new());
    let drivers: [&mut dyn Driver; 2] = [&mut native, &mut wasm];
    for driver in drivers {
        driver.load(&file.name, &file.document()).expect("it is served");
        let refused = file.cases.iter().filter(|case| case.expect.message.body.as_deref() == Some(r#"{"message":"Forbidden"}"#));
        let mut seen = refused.map(|case| {
            let request = case.request.at(driver.now(), &file.tokens);
            let clusters: Clusters = file.backends.iter().map(|(host, backend)| (host.clone(), backend.clone())).collect();
            (&case.name, driver.observe(&file.name, &request, &clusters).expect("it is answered").masked())
        });
        let (_, first) = seen.next().expect("there are some");
        let others: Vec<_> = seen.collect();
        assert!(others.len() > 10, "only {} others", others.len());
        for (name, answer) in others {
            assert_eq!(answer, first, "{name}");
        }
    }
}

/// More than a million requests to two workers, each with a VM of its own.
#[test]
fn two_workers_grant_exactly_a_million_requests() {
    const LIMIT: u64 = 1_000_000;
    const REQUESTS: u64 = LIMIT + 20_000;
    let mut document = limited(1, &json!({"quota": {"limit": LIMIT, "period": "MONTH"}}));
    // The workers are faster than an account may be by default.
    document["account"] = json!({"throttleSettings": {"rateLimit": -1, "burstLimit": -1}});
    let (module, shared) = (wasm(), Arc::new(Shared::default()));
    let (next, admitted, refused) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let head: HeaderMap = [(":method", "GET"), (":path", "/prod/keyed"), (":authority", "gateway.test"), ("x-api-key", &key(0))]
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    let start = Instant::now();
    let work = || {
        let mut settings = Settings::default();
        settings.plugin.configuration = document.to_string().into();
        settings.plugin.log_level = LogLevel::Warn;
        // As `envoy/edge.yaml` has it; each line that nobody needs is time here.
        settings.listener.generate_request_id = false;
        settings.listener.server_name = None;
        settings.route.suppress_envoy_headers = true;
        let clock = Arc::new(SystemClock::new());
        let mut worker = Worker::start(&module, settings, shared.clone(), clock).unwrap_or_else(|e| panic!("{e}"));
        let mut mine = 0_u64;
        while next.fetch_add(1, Ordering::Relaxed) < REQUESTS {
            worker.begin(Connection::default(), head.clone(), true);
            while let Some(output) = worker.poll() {
                if let Output::ResponseHead { head, .. } = output {
                    match head.get_str(":status") {
                        Some("200") => {
                            mine += 1;
                            admitted.fetch_add(1, Ordering::Relaxed)
                        }
                        Some("429") => refused.fetch_add(1, Ordering::Relaxed),
                        status => panic!("{status:?}"),
                    };
                }
            }
        }
        assert_eq!(worker.drain_logs().len(), 0);
        mine
    };
    let shares = std::thread::scope(|scope| [scope.spawn(work), scope.spawn(work)].map(|thread| thread.join().expect("it ends")));
    let (admitted, refused) = (admitted.into_inner(), refused.into_inner());
    say(&format!("{REQUESTS} requests through wasm in {:?}: {shares:?} admitted, {refused} refused\n", start.elapsed()));
    assert_eq!((admitted, refused), (LIMIT, REQUESTS - LIMIT));
    assert!(shares.iter().all(|share| *share > LIMIT / 20), "one worker did it all: {shares:?}");
}

#[test]
fn counts_outlive_a_new_document_and_a_new_vm() {
    let quota = |version, limit| limited(version, &json!({"quota": {"limit": limit, "period": "MONTH"}}));
    let mut host = host(&quota(1, 5));
    assert_eq!(send(&mut host, 3).0, 3);
    host.reconfigure(quota(2, 5).to_string()).expect("it is served");
    assert_eq!(send(&mut host, 9), (2, EXCEEDED.to_owned()));
    // A VM that is made anew begins with nothing but what all workers share.
    let module = wasm();
    let other = |limit| Host::builder(&module).plugin_configuration(quota(3, limit).to_string());
    let mut second = other(5).sharing_with(&host).build().expect("it is served");
    assert_eq!(send(&mut second, 1), (0, EXCEEDED.to_owned()));
    // Higher and lower limits count at once, over what was counted.
    host.reconfigure(quota(4, 6).to_string()).expect("it is served");
    assert_eq!(send(&mut host, 9), (1, EXCEEDED.to_owned()));
    host.reconfigure(quota(5, 2).to_string()).expect("it is served");
    assert_eq!(send(&mut host, 9), (0, EXCEEDED.to_owned()));
    host.reconfigure(quota(6, 8).to_string()).expect("it is served");
    assert_eq!(send(&mut host, 9), (2, EXCEEDED.to_owned()));
}

#[test]
fn tokens_outlive_a_new_document_and_a_new_vm() {
    let throttle = |burst| limited(1, &json!({"throttle": {"rateLimit": 1, "burstLimit": burst}}));
    let mut host = host(&throttle(10));
    assert_eq!(send(&mut host, 4).0, 4);
    host.reconfigure(throttle(3).to_string()).expect("it is served");
    assert_eq!(send(&mut host, 9), (3, TOO_MANY.to_owned()));
    host.reconfigure(throttle(10).to_string()).expect("it is served");
    assert_eq!(send(&mut host, 1), (0, TOO_MANY.to_owned()));
    host.advance(Duration::from_secs(4));
    let module = wasm();
    let second = Host::builder(&module).plugin_configuration(throttle(10).to_string()).sharing_with(&host);
    assert_eq!(send(&mut second.build().expect("it is served"), 9), (4, TOO_MANY.to_owned()));
}

#[test]
fn a_clock_that_is_set_moves_quotas_by_the_calendar_and_buckets_not_at_all() {
    const HOUR: i64 = 3_600_000;
    let minute = Duration::from_secs(60);
    let limits = json!({"quota": {"limit": 3, "period": "DAY"}, "throttle": {"rateLimit": 0.02, "burstLimit": 2}});
    // 2025-12-31T23:30:00Z; 0.02 a second are 1.2 a minute.
    let clock = VirtualClock::starting_at(Duration::from_secs(1_767_225_600 - 1_800));
    let builder = Host::builder(&wasm()).plugin_configuration(limited(1, &limits).to_string()).clock(clock.clone());
    let mut host = builder.build().expect("it is served");
    assert_eq!(send(&mut host, 5), (2, TOO_MANY.to_owned()));
    clock.step_wall(HOUR);
    assert_eq!(send(&mut host, 1), (0, TOO_MANY.to_owned()), "an hour forwards adds no token");
    host.advance(minute);
    assert_eq!(send(&mut host, 5), (1, TOO_MANY.to_owned()), "the first of the new year");
    clock.step_wall(-HOUR);
    assert_eq!(send(&mut host, 1), (0, TOO_MANY.to_owned()), "an hour backwards takes no token, and adds none");
    host.advance(minute);
    assert_eq!(send(&mut host, 5), (1, TOO_MANY.to_owned()), "the third and last one of the old year");
    host.advance(minute);
    assert_eq!(send(&mut host, 1), (0, EXCEEDED.to_owned()));
    clock.step_wall(HOUR);
    assert_eq!(send(&mut host, 1).0, 1, "the second of the new year");
    host.advance(2 * minute);
    assert_eq!(send(&mut host, 2), (1, EXCEEDED.to_owned()), "the third and last one of the new year");
    // A year that is none: not locked out, and nothing is granted twice when it is over.
    clock.step_wall(100 * 365 * 24 * HOUR);
    host.advance(2 * minute);
    assert_eq!(send(&mut host, 1).0, 1);
    clock.step_wall(-100 * 365 * 24 * HOUR);
    assert_eq!(send(&mut host, 1), (0, EXCEEDED.to_owned()));
}

// --- in Envoy, with two workers ---

/// Connections enough that the kernel gives some of them to each worker.
const CONNECTIONS: usize = 16;

fn for_seconds(seconds: u64) -> Load {
    Load {
        connections: CONNECTIONS,
        requests_of_connection: usize::MAX,
        end: End::Time(Duration::from_secs(seconds)),
        pause: Duration::from_millis(1),
    }
}

fn requests(requests: u64) -> Load {
    Load { end: End::Requests(requests), pause: Duration::ZERO, ..for_seconds(0) }
}

fn start(label: &str, documents: &[(&str, Value)]) -> Envoy {
    let plugin = |(name, document): &(&str, Value)| ((*name).to_owned(), Configuration::Text(document.to_string()));
    let plugins: Plugins = documents.iter().map(plugin).collect();
    Envoy::start_with_workers(2, label, &BTreeSet::new(), &plugins)
}

/// Panics unless both workers had connections. `envoy` has one listener.
fn assert_both_workers(envoy: &Envoy) {
    let stats = envoy.stats("downstream_cx_total");
    let connections = [".worker_0.", ".worker_1."].map(|worker| {
        let of_worker = stats.iter().filter(|(name, _)| name.contains(worker));
        of_worker.map(|(_, count)| count).sum::<u64>()
    });
    assert!(connections.iter().all(|count| *count > 0), "{connections:?} of {stats:?}");
}

/// Panics unless burst and rate let exactly so many in.
fn assert_rate(what: &str, samples: &[Sample], rate: f64, burst: f64) {
    let (admitted, (shortest, longest)) = (admitted(samples) as f64, span(samples));
    // A full bucket that nobody takes from runs over: with a burst of one, for as long as a token waits for its request.
    let lost = overflow(samples, rate, burst);
    let (least, most) = (burst + rate * shortest - lost - 1.0, burst + rate * longest + 1.0);
    let total = samples.len();
    say(&format!("{what}: {admitted} of {total} requests in {longest:.3} s, within [{least:.1}, {most:.1}], {lost:.1} run over\n"));
    assert!(least <= admitted && admitted <= most, "{what}: {admitted} is not within [{least}, {most}]");
    assert!(total as f64 > 2.0 * most, "{what}: {total} requests are no overload");
    let wrong = samples.iter().find(|sample| sample.status != 200 && (sample.status, sample.body.as_str()) != (429, TOO_MANY));
    assert!(wrong.is_none(), "{what}: {wrong:?}");
}

#[test]
fn buckets_let_in_what_burst_and_rate_say_under_overload() {
    let throttle = |rate: f64, burst: u32| json!({"throttle": {"rateLimit": rate, "burstLimit": burst}});
    let plans = |limits: &[Value]| -> Value {
        limits.iter().enumerate().map(|(number, limits)| plan(&format!("p{number}"), &[number], limits)).collect()
    };
    let method = |rate: f64, burst: u32| json!({"throttlingRateLimit": rate, "throttlingBurstLimit": burst});
    let stage = json!({"methodSettings": {"/open/GET": method(100.0, 50), "/limited/GET": method(60.0, 30)}});
    let limits = [throttle(20.0, 1), throttle(40.0, 20), throttle(500.0, 400)];
    let envoy = start("usage-rate", &[("rate", document(1, 3, &plans(&limits), &stage))]);
    let address = envoy.address("rate").expect("it is served");
    let load = |seconds, target, number: Option<usize>| run(address, for_seconds(seconds), target, number.map(key).as_deref());
    assert_rate("a method of the stage", &load(5, "/prod/open", None), 100.0, 50.0);
    // Few connections, so that answers come fast and a token waits no longer than it has to.
    let few = Load { connections: 4, pause: Duration::from_micros(200), ..for_seconds(4) };
    assert_rate("a plan with a burst of one", &run(address, few, "/prod/keyed", Some(&key(0))), 20.0, 1.0);
    assert_rate("a plan", &load(4, "/prod/keyed", Some(1)), 40.0, 20.0);
    // Plan and stage together: whichever has less, and what the stage refuses costs the plan nothing.
    assert_rate("a plan within the stage", &load(4, "/prod/limited", Some(2)), 60.0, 30.0);
    let left = run(address, requests(2_000), "/prod/keyed", Some(&key(2)));
    let (admitted, (_, longest)) = (admitted(&left), span(&left));
    say(&format!("the plan's own tokens, after the stage's throttle: {admitted} in {longest:.3} s\n"));
    assert!(admitted >= 400, "the stage's refusals cost the plan {} tokens", 400 - admitted);
    assert_both_workers(&envoy);
    envoy.assert_no_reloads();
}

#[test]
fn a_quota_lets_in_exactly_its_limit_under_overload() {
    let limits = json!({"quota": {"limit": 500, "period": "MONTH"}});
    let envoy = start("usage-quota", &[("quota", limited(1, &limits))]);
    let address = envoy.address("quota").expect("it is served");
    let samples =
        run(address, Load { connections: 64, requests_of_connection: 10, ..requests(4_000) }, "/prod/keyed", Some(&key(0)));
    let counts = answers(&samples);
    say(&format!("a quota of 500: {counts:?}\n"));
    assert_eq!(counts.get(&(429, EXCEEDED)).copied(), Some(3_500));
    assert_eq!(admitted(&samples), 500);
    assert_both_workers(&envoy);
    envoy.assert_no_reloads();
}

#[test]
fn no_count_is_lost_when_documents_are_swapped_under_load() {
    const LIMIT: u64 = 6_000;
    let limits = json!({"quota": {"limit": LIMIT, "period": "MONTH"}});
    let mut envoy = start("usage-swap", &[("swap", limited(1, &limits))]);
    let address = envoy.address("swap").expect("it is served");
    let load =
        Load { requests_of_connection: 20, end: End::Requests(LIMIT + 2_000), pause: Duration::from_millis(8), ..for_seconds(0) };
    let samples = std::thread::scope(|scope| {
        let load = scope.spawn(move || run(address, load, "/prod/keyed", Some(&key(0))));
        for version in 2..=4 {
            std::thread::sleep(Duration::from_millis(400));
            let text = limited(version, &limits).to_string();
            envoy.update(&Plugins::from([("swap".to_owned(), Configuration::Text(text))]));
        }
        assert_eq!(envoy.address("swap"), Some(address), "the listener stays where it is");
        load.join().expect("every request is answered")
    });
    let versions: BTreeSet<_> = samples.iter().filter_map(|sample| sample.version).collect();
    say(&format!("{} requests over documents {versions:?}: {:?}\n", samples.len(), answers(&samples)));
    assert_eq!(admitted(&samples), LIMIT);
    assert_eq!(versions, (1..=4).collect(), "each document let some in");
    assert_both_workers(&envoy);
    envoy.assert_no_reloads();
}
