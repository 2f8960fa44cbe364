//! CORS as browsers keep it: a real Chromium opens a page of one origin, which calls an API of another, behind `tollgate serve` and
//! behind a real Envoy. What the page may read, what it may not and why, and which requests the gateway has logged is the same for
//! both, and stands in `browser/http.yaml` and `browser/rest.yaml`. Needs ENVOY, the module and Chromium: `make test` brings them.

#[path = "browser/chromium.rs"]
mod chromium;
mod drivers;
#[path = "browser/gateway.rs"]
mod gateway;
#[path = "browser/page.rs"]
mod page;
mod process;
#[path = "browser/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chromium::Chromium;
use drivers::case::ExpectMessage;
use drivers::expect::{differences, message, same_text};
use drivers::observation::{Observation, sorted};
use drivers::report::Report;
use gateway::{Gateway, RealEnvoy, Serve};
use page::{PageServer, Seen};
use table::{From, Row, Table, number_of};

/// Until a page has made all its calls: a browser starts, and some calls wait for what takes long.
const PATIENCE: Duration = Duration::from_secs(120);

/// Until a log has what happened, or a console what it is about to say.
const SOON: Duration = Duration::from_secs(10);

/// Where the page is, by host: other hosts are other origins.
const PAGES: [(From, &str); 2] = [(From::Page, "127.0.0.1"), (From::Elsewhere, "localhost")];

/// What the gateway has logged, by the number of the call.
type Logged = BTreeMap<usize, Vec<String>>;

#[test]
fn a_page_reads_of_an_http_api_what_its_cors_settings_allow() {
    run("http");
}

#[test]
fn a_page_reads_of_a_rest_api_what_its_methods_and_gateway_responses_allow() {
    run("rest");
}

fn run(name: &str) {
    let pages = PageServer::start();
    let table = Table::read(&format!("{name}.yaml"), &pages.origin("127.0.0.1"));
    let mut report = Report::default();
    let gateways: [Box<dyn Gateway>; 2] = [Box::new(Serve::start(name, &table)), Box::new(RealEnvoy::start(name, &table))];
    for mut gateway in gateways {
        for (from, host) in PAGES {
            visit(&pages, &table, gateway.as_mut(), from, host, &mut report);
        }
        gateway.assert_no_traps();
    }
    report.finish(&format!("browser {name}"));
}

/// One browser opens one page, which makes its calls.
fn visit(pages: &PageServer, table: &Table, gateway: &mut dyn Gateway, from: From, host: &str, report: &mut Report) {
    pages.ask_for(&table.for_page(from, &gateway.origin()));
    let mut browser = Chromium::open(&format!("{}/", pages.origin(host)));
    let Some(seen) = pages.seen(PATIENCE) else {
        panic!("the page has told nothing; the browser says {:#?}", browser.said());
    };
    let rows = table.from(from);
    assert_eq!(seen.len(), rows.len(), "each call is told of");
    let logged = logged(gateway, &rows);
    let empty = Vec::new();
    for ((number, row), seen) in rows.into_iter().zip(&seen) {
        let mut bad = what_the_page_saw(row, seen, &format!("{}{}", gateway.origin(), row.target(number)), &mut browser);
        let wire = logged.get(&number).unwrap_or(&empty);
        if *wire != row.wire {
            bad.push(format!("the gateway has logged {wire:?}, not {:?}", row.wire));
        }
        if let Some(expected) = &row.backend {
            what_the_backend_got(expected, table, gateway, number, &mut bad);
        }
        report.count(if seen.error.is_some() { "calls blocked" } else { "calls read" });
        if !bad.is_empty() {
            report.fail(&format!("{}: {}", gateway.name(), row.name), &bad.join("\n"));
        }
    }
}

/// Everything that a gateway has logged, as soon as it is as much of each call as is expected.
fn logged(gateway: &mut dyn Gateway, rows: &[(usize, &Row)]) -> Logged {
    let deadline = Instant::now() + SOON;
    let mut logged = Logged::new();
    loop {
        for (target, line) in gateway.logged() {
            let number = number_of(&target).unwrap_or_else(|| panic!("`{line}` of `{target}` belongs to no call"));
            logged.entry(number).or_default().push(line);
        }
        let is_there = |(number, row): &(usize, &Row)| logged.get(number).map_or(0, Vec::len) >= row.wire.len();
        if rows.iter().all(is_there) || Instant::now() > deadline {
            return logged;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn what_the_page_saw(row: &Row, seen: &Seen, url: &str, browser: &mut Chromium) -> Vec<String> {
    match (&row.blocked, &seen.error, &row.sees) {
        (Some(wanted), Some(error), _) => {
            let reason = browser.reason(url, SOON).unwrap_or_else(|| "(nothing)".to_owned());
            if error.starts_with("TypeError: ") && same_text(&format!("re:{wanted}"), &reason) {
                return Vec::new();
            }
            vec![format!("the page got `{error}`, and the console tells `{reason}`, not `{wanted}`")]
        }
        (None, Some(error), _) => {
            vec![format!("the page got `{error}`: {}", browser.reason(url, SOON).unwrap_or_default())]
        }
        (_, None, None) => vec![format!("the page may read the answer: {seen:?}")],
        (_, None, Some(expected)) => {
            let observation = Observation {
                status: seen.status.unwrap_or_default(),
                headers: sorted(seen.headers.clone()),
                body: seen.body.clone().into_bytes(),
                ..Observation::default()
            };
            differences(expected, &observation)
        }
    }
}

/// The last request of a call that reached a backend.
fn what_the_backend_got(expected: &ExpectMessage, table: &Table, gateway: &dyn Gateway, number: usize, bad: &mut Vec<String>) {
    let arrivals = table.backends.keys().flat_map(|host| gateway.arrivals(host));
    match arrivals.filter(|request| number_of(request.method_and_target().1) == Some(number)).last() {
        Some(request) => message(expected, &sorted(request.headers), &request.body, "backend", bad),
        None => bad.push("no backend was called".to_owned()),
    }
}
