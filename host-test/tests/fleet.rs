//! Plans that a fleet shares: real Envoys, `tollgate ratelimit` processes and a real Redis, under load, while parts of it go away
//! and come back; and what `tollgate usage` says of it. Needs ENVOY, REDIS_SERVER and the module: `make test` brings them.

mod drivers;
mod process;

#[path = "fleet/mod.rs"]
mod fleet;
#[path = "ratelimit/service.rs"]
mod service;
#[path = "usage/mod.rs"]
mod usage;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drivers::case::Request;
use drivers::http1::{Message, exchange};
use drivers::report::say;
use fleet::outage::{Outage, TIMEOUT, Trial};
use fleet::{EXCEEDED, FAILED, Fleet, Folder, OWN, SHARED, TOO_MANY, Used, millis, shared, slowest, table, used};
use process::redis::Redis;
use process::{Server, printed, tollgate};
use serde_json::{Value, json};
use service::Service;
use usage::documents::{document, key, plan};
use usage::load::{End, Load, admitted, answers, span};

/// `timeoutMillis` of the tests that are not about time: this machine may be busy.
const PATIENT: u64 = 10_000;

/// The tests load all processors, and some measure time: they wait for each other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn in_redis(redis: &Redis) -> Service {
    Service::start(&["--redis", &redis.url(), "--redis-timeout-millis", "20000"])
}

fn quota(limit: u64, period: &str) -> Value {
    json!({"quota": {"limit": limit, "period": period}})
}

/// As fast as it goes, so many requests to each Envoy.
fn requests(count: u64) -> Load {
    Load { connections: 12, requests_of_connection: 40, end: End::Requests(count), pause: Duration::ZERO }
}

// --- nothing fails ----------------------------------------------------------------------------------------------------------

#[test]
fn two_envoys_admit_together_exactly_what_the_quota_allows() {
    const LIMIT: u64 = 500;
    let _alone = alone();
    let (redis, folder) = (Redis::start(), Folder::new());
    let services = [in_redis(&redis), in_redis(&redis)];
    let of = |domain: &str, period: &str, cluster: &str| {
        shared(domain, &quota(LIMIT, period), json!({"timeoutMillis": PATIENT, "cluster": cluster}))
    };
    let documents = [
        ("day", of("day", "DAY", SHARED)),
        ("week", of("week", "WEEK", SHARED)),
        ("month", of("month", "MONTH", SHARED)),
        ("month, a service each", of("each", "MONTH", OWN)),
    ];
    let fleet = Fleet::start("fleet-quota", [&services[0], &services[1]], &documents);
    for (name, document) in &documents {
        let samples = fleet.run(name, requests(1_000));
        let counts = answers(&samples);
        say(&format!("a quota of {LIMIT}, {name}: {counts:?}, slowest answer {}\n", millis(slowest(&samples))));
        assert_eq!(counts, BTreeMap::from([((200, ""), 500), ((429, EXCEEDED), 1_500)]), "{name}");
        let mut left: Vec<_> = samples.iter().filter(|sample| sample.status == 200).filter_map(|sample| sample.remaining).collect();
        left.sort_unstable();
        assert_eq!(left, (0..LIMIT).collect::<Vec<_>>(), "{name}: each of them was another one");
        assert_eq!(folder.used_and_left(document, &redis.url()), (LIMIT, 0), "{name}");
    }
    fleet.assert_sound();
    const YEAR: i64 = 365 * 86_400;
    for (domain, period, unit, seconds) in
        [("day", "DAY", "DAY", 86_400), ("week", "WEEK", "YEAR", YEAR), ("month", "MONTH", "YEAR", YEAR)]
    {
        let names = redis.ask(&format!("KEYS '*\"{domain}\",\"{unit}\",*[\"period\",\"{period}\"]*'"));
        let name = names.lines().last().filter(|_| names.starts_with("*1\r\n")).unwrap_or_else(|| panic!("{names}"));
        let left = redis.ask(&format!("TTL '{name}'"));
        let left: i64 = left.trim_start_matches(':').parse().unwrap_or_else(|_| panic!("{left}"));
        assert!((seconds - 120..=seconds).contains(&left), "{name} ends in {left} s");
    }
}

#[test]
fn a_throttle_of_two_envoys_lets_through_what_the_page_says_and_takes_nothing_from_the_quota() {
    let (rate, burst, limit) = (20.0_f64, 30.0_f64, 100_000_u64);
    let _alone = alone();
    let (redis, folder) = (Redis::start(), Folder::new());
    let service = in_redis(&redis);
    let limits = json!({"throttle": {"rateLimit": rate, "burstLimit": 30}, "quota": {"limit": limit, "period": "MONTH"}});
    let document = shared("throttle", &limits, json!({"timeoutMillis": PATIENT}));
    let fleet = Fleet::start("fleet-throttle", [&service, &service], &[("throttle", document.clone())]);
    let load = Load { end: End::Time(Duration::from_secs(4)), pause: Duration::from_millis(4), ..requests(0) };
    let samples = fleet.run("throttle", load);
    let (admitted, (shortest, longest)) = (admitted(&samples), span(&samples));
    let buckets = 2.0 * (burst + rate * longest);
    let seconds = (longest.ceil() + 1.0) * rate.ceil().max(burst);
    let minutes = ((longest / 60.0).ceil() + 1.0) * ((60.0 * rate).ceil() + burst);
    let most = buckets.min(seconds).min(minutes);
    let (total, slowest) = (samples.len(), millis(slowest(&samples)));
    say(&format!(
        "a throttle of {rate} a second, {burst} at once: {admitted} of {total} requests in {longest:.3} s, at most {most:.0} \
         ({buckets:.0} by the buckets, {seconds:.0} by the seconds, {minutes:.0} by the minutes), slowest answer {slowest}\n"
    ));
    assert!(admitted as f64 <= most, "{admitted} of at most {most}");
    assert!(admitted as f64 >= rate * shortest, "only {admitted} in {shortest:.3} s: less than one Envoy would let through");
    assert!(total as u64 > 2 * admitted, "{total} requests are no overload");
    let wrong = samples.iter().find(|sample| sample.status != 200 && (sample.status, sample.body.as_str()) != (429, TOO_MANY));
    assert!(wrong.is_none(), "{wrong:?}");
    assert_eq!(folder.used_and_left(&document, &redis.url()), (admitted, limit - admitted));
    fleet.assert_sound();
}

// --- parts go away and come back --------------------------------------------------------------------------------------------

/// Panics unless the logs tell what happens to requests without an answer, at most once a second for each worker.
fn assert_told(fleet: &Fleet, trials: &[&Trial<'_>]) {
    for what in ["requests are refused", "requests pass uncounted"] {
        let lines = fleet.lines(&format!("the rate limit service of cluster `{SHARED}` does not answer: {what}"));
        // An outage lasts less than four of them, with the load that surrounds it.
        let most = 2 * 4 * trials.len();
        assert!(lines.iter().all(|count| (1..=most).contains(count)), "{what}: {lines:?}");
    }
}

#[test]
fn a_redis_that_stops_under_load_costs_answers_and_no_counts() {
    let _alone = alone();
    let mut redis = Redis::start();
    let url = redis.url();
    let service = Service::start(&["--redis", &url]);
    let trial = Trial::new("a Redis that stops", &url, &Value::Null);
    let fleet = Fleet::start("fleet-redis", [&service, &service], &trial.documents().collect::<Vec<_>>());
    trial.judge(&fleet, || {
        redis.stop();
        Outage::until(|| redis.restart())
    });
    service.wait_for("cannot be used");
    service.wait_for("is there, counting goes on");
    assert_told(&fleet, &[&trial]);
    fleet.assert_sound();
}

#[test]
fn a_service_that_is_killed_or_hangs_under_load_costs_answers_and_no_counts() {
    let _alone = alone();
    let redis = Redis::start();
    let url = redis.url();
    let mut service = Service::start(&["--redis", &url]);
    let throttle = json!({"throttle": {"rateLimit": 10_000, "burstLimit": 5_000}});
    let trials = ["a service that is killed", "a service that hangs"].map(|what| Trial::new(what, &url, &throttle));
    let documents: Vec<_> = trials.iter().flat_map(Trial::documents).collect();
    let fleet = Fleet::start("fleet-service", [&service, &service], &documents);
    trials[0].judge(&fleet, || {
        let address = service.address.clone();
        service.kill();
        Outage::until(|| service = Service::start_at(&address, &["--redis", &url]))
    });
    let within = trials[1].judge(&fleet, || {
        service.freeze();
        // Its threads stop one by one.
        std::thread::sleep(Duration::from_millis(50));
        Outage::until(|| service.thaw())
    });
    let soonest = within.iter().map(|sample| sample.received - sample.sent).min().expect("there are some");
    // A busy Envoy counts a timeout from the beginning of its turn.
    assert!(soonest > TIMEOUT * 9 / 10, "answered after {soonest:?}, though nobody had");
    assert_told(&fleet, &[&trials[0], &trials[1]]);
    fleet.assert_sound();
}

// --- what operators are told ------------------------------------------------------------------------------------------------

/// A document of two keys with limits of their own, and a third one that is disabled and has none.
fn two_plans(limit: u64) -> Value {
    let throttle = json!({"throttle": {"rateLimit": 1000, "burstLimit": 2000}});
    let limits = |limit: u64| json!({"throttle": throttle["throttle"], "quota": {"limit": limit, "period": "MONTH"}});
    let plans = json!([plan("gold", &[0], &limits(limit)), plan("silver", &[1], &limits(3)), plan("open", &[2], &throttle)]);
    let mut document = document(1, 3, &plans, &Value::Null);
    document["apiKeys"][2]["enabled"] = json!(false);
    document
}

fn known((plan, key, used, left): (&str, &str, u64, u64)) -> Used {
    (plan.to_owned(), key.to_owned(), used, left)
}

/// One request with a key.
fn get(address: &str, number: usize) -> Message {
    let mut request = Request::new("GET", "/prod/keyed");
    request.headers.push(("x-api-key".to_owned(), key(number)));
    exchange(address.parse().expect("it is an address"), &request).expect("every request is answered")
}

/// The statuses of so many.
fn statuses(address: &str, number: usize, count: usize) -> Vec<u16> {
    (0..count).map(|_| get(address, number).status().expect("an answer has a status")).collect()
}

fn serve(more: &[&str]) -> Server {
    let module = drivers::envoy::module();
    let module = module.to_str().expect("a module has a plain name");
    Server::start(&[&["serve", "--module", module], more].concat())
}

/// The columns of the quota.
fn columns(row: &[String]) -> [&str; 5] {
    std::array::from_fn(|column| row[column].as_str())
}

#[test]
fn usage_tells_what_a_server_counted_before_and_after_a_reload() {
    let _alone = alone();
    let folder = Folder::new();
    let file = folder.write("gateway.json", &two_plans(10).to_string());
    let server = serve(&[&file, "--watch", "--admin", "0"]);
    let admin = server.wait_for("admin on ").replace("admin on ", "");
    assert_eq!(used(&["--admin", &admin]), [("gold", "0", 0, 10), ("silver", "1", 0, 3)].map(known));
    assert_eq!(statuses(&server.address, 0, 4), [200; 4]);
    assert_eq!(statuses(&server.address, 1, 5), [200, 200, 200, 429, 429]);
    assert_eq!(used(&["--admin", &admin]), [("gold", "0", 4, 6), ("silver", "1", 3, 0)].map(known));
    for (limit, more, left) in [(20, 3, 13), (5, 0, 0), (9, 1, 1)] {
        folder.write("gateway.json", &two_plans(limit).to_string());
        server.wait_for("serving the changed definition");
        assert_eq!(statuses(&server.address, 0, more), vec![200; more]);
        let gold = used(&["--admin", &admin, "--plan", "gold"]);
        let now_used = if limit == 9 { 8 } else { 7 };
        assert_eq!(gold, [known(("gold", "0", now_used, left))], "a quota of {limit}");
        if left == 0 {
            assert_eq!(get(&server.address, 0).body, EXCEEDED.as_bytes());
        }
    }
    let rows = table(&["--admin", &admin]);
    assert_eq!(rows[0], ["PLAN", "KEY", "USED", "LEFT", "LIMIT", "PERIOD", "BEGINS ANEW", "AT ONCE"]);
    assert_eq!([columns(&rows[1]), columns(&rows[2])], [["gold", "0", "8", "1", "9"], ["silver", "1", "3", "0", "3"]]);
    assert_eq!(rows[3][..3], ["open", "2 (disabled)", "-"]);
    assert_eq!(rows.len(), 4);
}

#[test]
fn usage_tells_what_is_counted_in_redis_and_counts_nothing_itself() {
    let _alone = alone();
    let (redis, folder) = (Redis::start(), Folder::new());
    let service = in_redis(&redis);
    let mut document = two_plans(10);
    document["rateLimitService"] =
        json!({"cluster": "limits", "enableXRatelimitHeaders": "DRAFT_VERSION_03", "timeoutMillis": PATIENT});
    let file = folder.write("gateway.json", &document.to_string());
    let server = serve(&[&file, "--admin", "0", "--upstream", &format!("limits=http://{}", service.address)]);
    assert!(!server.before.contains("warning"), "{}", server.before);
    let redis = redis.url();
    assert_eq!(used(&[&file, "--redis", &redis]), [("gold", "0", 0, 10), ("silver", "1", 0, 3)].map(known));
    let first = get(&server.address, 0);
    let told = |name: &str| first.header(name).unwrap_or_else(|| panic!("no {name}: {first:?}")).to_owned();
    let limits = told("x-ratelimit-limit");
    assert!(limits.starts_with("10, 2000;w=1, 62000;w=60, 10;w=") && told("x-ratelimit-remaining") == "9", "{limits}");
    let reset: u64 = told("x-ratelimit-reset").parse().expect("seconds");
    assert!((1..=31 * 86_400).contains(&reset), "{reset}");
    assert_eq!(statuses(&server.address, 0, 3), [200; 3]);
    assert_eq!(statuses(&server.address, 1, 4), [200, 200, 200, 429]);
    // Looking changes nothing.
    for _ in 0..2 {
        assert_eq!(used(&[&file, "--redis", &redis]), [("gold", "0", 4, 6), ("silver", "1", 3, 0)].map(known));
    }
    let rows = table(&[&file, "--redis", &redis, "--key", "1"]);
    assert_eq!(rows.len(), 2);
    assert_eq!(columns(&rows[1]), ["silver", "1", "3", "0", "3"]);
    // The server's own workers count no quota where a service does: that is not the same as none used.
    let admin = server.wait_for("admin on ").replace("admin on ", "");
    let rows = table(&["--admin", &admin, "--plan", "gold"]);
    assert_eq!(columns(&rows[1]), ["gold", "0", "-", "-", "-"]);
    // A document with another domain asks for other counters.
    document["rateLimitService"]["domain"] = json!("another");
    let other = folder.write("other.json", &document.to_string());
    assert_eq!(used(&[&other, "--redis", &redis]), [("gold", "0", 0, 10), ("silver", "1", 0, 3)].map(known));
}

#[test]
fn a_server_that_is_not_told_where_the_service_is_warns_and_refuses() {
    let _alone = alone();
    let folder = Folder::new();
    for (mode, status, body) in [("deny", 500, FAILED), ("allow", 200, "")] {
        let file = folder.write("gateway.json", &shared("nowhere", &quota(1, "MONTH"), json!({"failureMode": mode})).to_string());
        let server = serve(&[&file]);
        let warning =
            server.before.lines().find(|line| line.starts_with("warning: ")).unwrap_or_else(|| panic!("{}", server.before));
        assert!(warning.contains(&format!("`{SHARED}`")) && warning.contains(&format!("--upstream {SHARED}=http://")), "{warning}");
        for _ in 0..2 {
            let answer = get(&server.address, 0);
            assert_eq!((answer.status().ok(), String::from_utf8_lossy(&answer.body).as_ref()), (Some(status), body), "{mode}");
        }
    }
}

/// What a command line says that cannot be served, and its exit code.
fn refused(arguments: &[&str], code: i32, parts: &[&str]) {
    let output = tollgate(&[&["usage"], arguments].concat());
    let said = printed(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty() && parts.iter().all(|part| said.contains(part)), "{arguments:?}, not {parts:?}:\n{said}");
}

#[test]
fn usage_says_why_it_cannot_tell() {
    let _alone = alone();
    let (mut redis, folder) = (Redis::start(), Folder::new());
    let url = redis.url();
    let document = shared("d", &quota(5, "DAY"), Value::Null);
    let file = folder.write("gateway.json", &document.to_string());
    // The command line.
    for nobody in [&[][..], &[file.as_str()]] {
        refused(nobody, 2, &["nobody is named who counts", "give `--admin URL`, or a document and `--redis URL`"]);
    }
    refused(&[&file, "--redis", "127.0.0.1:6379"], 2, &["write `redis://"]);
    refused(&[&file, "--redis", "rediss://127.0.0.1"], 2, &["redis over TLS is not served"]);
    refused(&["--redis", &url], 2, &["FILE"]);
    refused(&[&file, "--admin", "http://127.0.0.1:1"], 2, &["cannot be used with"]);
    refused(&["--admin", "127.0.0.1:9901"], 2, &["is no address", "write it as `http://127.0.0.1:9901`"]);
    refused(&["--admin", "https://127.0.0.1:9901"], 2, &["is no address"]);
    // The document.
    refused(&["nowhere.json", "--redis", &url], 2, &["nowhere.json"]);
    let alone = folder.write("alone.json", &two_plans(5).to_string());
    refused(&[&alone, "--redis", &url], 1, &["names no rate limit service", "add `rateLimitService`"]);
    let wrong = folder.write("wrong.json", &document.to_string().replace("DAY", "HOUR"));
    refused(&[&wrong, "--redis", &url], 1, &["$.usagePlans[0].quota.period", "HOUR", "1 error in"]);
    // What is asked for.
    refused(&[&file, "--redis", &url, "--plan", "silver"], 1, &["no plan named `silver`"]);
    refused(&[&file, "--redis", &url, "--key", "9"], 1, &["no key named `9`"]);
    // Nobody, and somebody else.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let nobody = listener.local_addr().expect("it has an address").to_string();
    drop(listener);
    refused(
        &["--admin", &format!("http://{nobody}")],
        1,
        &[&format!("no answer from http://{nobody}/usage: "), "refused", "--admin"],
    );
    refused(&[&file, "--redis", &format!("redis://{nobody}")], 1, &[&format!("redis at {nobody} cannot be read: "), "refused"]);
    let server = serve(&[&alone]);
    refused(&["--admin", &format!("http://{}", server.address)], 1, &["status 403", "no `tollgate serve`"]);
    refused(
        &[&file, "--redis", &format!("redis://{}", server.address)],
        1,
        &[&format!("redis at {} cannot be read: ", server.address)],
    );
    refused(&["--admin", &url.replace("redis:", "http:")], 1, &["no answer from"]);
    redis.stop();
    refused(&[&file, "--redis", &url], 1, &["cannot be read: ", "is it the one of `tollgate ratelimit`?"]);
}
