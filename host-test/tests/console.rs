//! `/_tollgate`: what the console of `tollgate serve` shows, to whom, and how it looks. A real Chromium opens its pages. Needs the
//! module and Chromium: `make test` brings them. Pictures of the pages are left in `target/console`.

#[path = "console/devtools.rs"]
mod devtools;
mod process;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use devtools::Browser;
use process::Server;
use serde_json::Value;

/// Names that would be markup if they were not escaped.
const HOSTILE: &str = r##"{
  "apis": [{
    "name": "<script>document.title='owned'</script>",
    "protocol": "REST",
    "definition": {
      "openapi": "3.0.1",
      "paths": {
        "/a/{id}": {
          "get": {
            "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
            "responses": { "200": { "description": "<b id=injected>bold</b>" }, "\"><img src=x onerror=alert(1)>": { "description": "none" } },
            "x-amazon-apigateway-integration": {
              "type": "mock",
              "requestTemplates": { "application/json": "{\"statusCode\": 200}" },
              "responses": { "default": { "statusCode": "200",
                "responseParameters": { "method.response.header.X-Api-Key": "'top-secret-value'" },
                "responseTemplates": { "application/json": "</code></pre><b id=injected>bold</b>" } } }
            }
          }
        }
      }
    },
    "stages": [{ "stageName": "prod" }]
  }]
}"##;

/// `serve` with a console, and where that is.
struct Served {
    server: Server,
    /// `127.0.0.1:PORT`
    console: String,
}

// === impl Served ===

impl Served {
    fn new(file: &str, more: &[&str]) -> Self {
        let server = Server::start(&[&["serve", file], more].concat());
        let line = server.wait_for("console on http://");
        let console = line.trim_start_matches("console on http://").trim_end_matches("/_tollgate").to_owned();
        assert!(console.starts_with("127.0.0.1:"), "{line}");
        Self { server, console }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/_tollgate{path}", self.console)
    }

    /// Sends a request to the console, and gives its answer.
    fn ask(&self, request: &str) -> String {
        exchange(&self.console, request)
    }

    /// Sends a request to the APIs, and waits until it is logged.
    fn call(&self, path: &str, headers: &str) -> String {
        let answer =
            exchange(&self.server.address, &format!("GET {path} HTTP/1.1\r\nhost: a\r\n{headers}connection: close\r\n\r\n"));
        self.server.wait_for(&format!("GET {path} "));
        answer
    }
}

fn exchange(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the server accepts");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the server answers");
    String::from_utf8_lossy(&answer).into_owned()
}

fn picture(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| process::repository().join("target"), PathBuf::from);
    target.join(format!("console/{name}.png"))
}

/// Where the focus is: the text or the name of what has it.
fn focus(browser: &mut Browser) -> String {
    let shown = "(e => e.id || e.getAttribute('aria-label') || e.innerText)(document.activeElement)";
    browser.value(shown).as_str().unwrap_or_default().to_owned()
}

/// Presses Tab until something has the focus.
fn tab_to(browser: &mut Browser, wanted: &str) {
    let mut passed = Vec::new();
    for _ in 0..60 {
        browser.press("Tab");
        let at = focus(browser);
        if at == wanted {
            return;
        }
        passed.push(at);
    }
    panic!("`{wanted}` never has the focus, but {passed:?}");
}

/// The routes that `tollgate routes` shows of a file, as the tree names them.
fn routes(file: &str) -> Vec<String> {
    let output = process::tollgate(&["routes", file, "--format", "json"]);
    let shown: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let routes = shown["routes"].as_array().expect("a list").iter();
    let text = |route: &Value, key: &str| route[key].as_str().unwrap_or_default().to_owned();
    routes.map(|route| format!("{} {}", text(route, "method"), text(route, "path").trim_start_matches("/prod"))).collect()
}

#[test]
fn the_tree_shows_every_route_and_each_leads_to_its_method() {
    let mut browser = Browser::start();
    for file in ["examples/petstore/gateway.yaml", "examples/mapping-templates/gateway.yaml"] {
        let served = Served::new(file, &[]);
        browser.open(&served.url(""));
        browser.resize(1280, 800);
        browser.screenshot(&picture(&format!("tree-{}", file.split('/').nth(1).unwrap_or_default())));
        let links = browser.value("[...document.querySelectorAll('.methods a')].map(a => [a.getAttribute('aria-label'), a.href])");
        let links = links.as_array().expect("a list");
        let shown: Vec<&str> = links.iter().map(|link| link[0].as_str().unwrap_or_default()).collect();
        let expected: Vec<String> =
            routes(file).iter().map(|route| if route.ends_with(' ') { format!("{route}/") } else { route.clone() }).collect();
        assert_eq!(shown, expected, "{file}");
        for link in links {
            browser.open(link[1].as_str().unwrap_or_default());
            let heading = browser.value("document.querySelector('h1').innerText.replace(/\\s+/g, ' ')");
            assert_eq!(heading, link[0]);
            let boxes = browser.value("[...document.querySelectorAll('.picture a.title')].map(a => a.innerText).join()");
            assert_eq!(boxes, "Method request,Integration request,Integration,Integration response,Method response");
        }
        assert_eq!(browser.complaints(), Vec::<String>::new(), "{file}");
    }
}

#[test]
fn the_test_form_is_filled_and_sent_by_the_keyboard_alone() {
    let served = Served::new("examples/mapping-templates/gateway.yaml", &[]);
    let mut browser = Browser::start();
    browser.open(&served.url(""));
    browser.press("Tab");
    assert_eq!(focus(&mut browser), "Skip to the content");
    tab_to(&mut browser, "GET /orders/{orderId}");
    let outline = browser.value("getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, "solid", "the focus is seen");
    browser.press("Enter");
    browser.wait_for_page();
    tab_to(&mut browser, "path-0");
    browser.write("4711");
    tab_to(&mut browser, "headers");
    browser.write("Authorization: Bearer let-me-in-please");
    tab_to(&mut browser, "answer");
    browser.write(r#"200 {"ticket": 4711, "pieces": [{"article": "hat-1", "qty": 2, "picked": false}]}"#);
    browser.press("Tab");
    assert_eq!(focus(&mut browser), "Test");
    browser.press("Enter");
    browser.wait_for_page();
    let result = browser.value("document.querySelector('.result').innerText").as_str().unwrap_or_default().to_owned();
    for told in [
        "200",
        "\"open\": [\"hat-1\"]",
        "Starting execution for request",
        "GET /orders/{orderId} of `order-intake`",
        "Method request path",
        "orderId: 4711",
        "Endpoint request",
        "GET /tickets/4711",
        "Method completed with",
        "Bearer let-…",
    ] {
        assert!(result.contains(told), "`{told}` is missing:\n{result}");
    }
    assert!(!result.contains("let-me-in-please"), "{result}");
    assert_eq!(browser.value("document.getElementById('path-0').value"), "4711", "the form keeps what was typed");
    for (kind, width) in [("wide", 1280), ("narrow", 360)] {
        browser.resize(width, 800);
        let wider = browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(wider, 0, "at {width}");
        browser.screenshot(&picture(&format!("result-{kind}")));
    }
    // What cannot be sent is told.
    browser.open(&served.url("/method/0/1"));
    tab_to(&mut browser, "path-0");
    browser.write("1");
    tab_to(&mut browser, "headers");
    browser.write("no header");
    tab_to(&mut browser, "Test");
    browser.press("Enter");
    browser.wait_for_page();
    assert!(browser.text().contains("`no header` is no header"), "{}", browser.text());
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_last_requests_are_shown_with_their_steps() {
    let served = Served::new("examples/petstore/gateway.yaml", &[]);
    served.call("/prod/health", "authorization: Bearer let-me-in-please\r\n");
    served.call("/prod/nothing", "");
    let mut browser = Browser::start();
    browser.open(&served.url("/requests"));
    let rows = browser.value("[...document.querySelectorAll('tbody tr')].map(row => row.innerText)");
    let rows: Vec<&str> = rows.as_array().expect("rows").iter().filter_map(Value::as_str).collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(
        rows[0].contains("GET /prod/nothing") && rows[0].contains("404") && rows[0].contains("MISSING_AUTHENTICATION_TOKEN"),
        "{rows:?}"
    );
    assert!(rows[1].contains("GET /prod/health") && rows[1].contains("200") && rows[1].contains("GET /health"), "{rows:?}");
    tab_to(&mut browser, "GET /prod/health");
    browser.press("Enter");
    browser.wait_for_page();
    let text = browser.text();
    for told in
        ["Starting execution for request", "GET /health of `petstore`, stage `prod`", "{\"status\": \"healthy\"}", "Bearer let-…"]
    {
        assert!(text.contains(told), "`{told}` is missing:\n{text}");
    }
    assert!(!text.contains("let-me-in-please") && !text.contains("Note:"), "{text}");
    tab_to(&mut browser, "The method GET /health, and its Test form");
    browser.press("Enter");
    browser.wait_for_page();
    assert_eq!(browser.value("document.querySelector('h1').innerText.replace(/\\s+/g, ' ')"), "GET /health");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn hostile_names_are_text_and_secrets_are_shortened() {
    let file = std::env::temp_dir().join(format!("tollgate-hostile-{}.json", std::process::id()));
    std::fs::write(&file, HOSTILE).expect("a file can be written");
    let served = Served::new(&file.display().to_string(), &[]);
    std::fs::remove_file(&file).expect("the file can be removed");
    served.call("/prod/a/\"'&amp;?x=%3Cscript%3E", "x-a: </code></pre><b id=injected>\r\n");
    let mut browser = Browser::start();
    let mut seen = String::new();
    for path in ["", "/method/0/0", "/requests", "/requests/1", "/usage", "/problems"] {
        browser.open(&served.url(path));
        let injected = browser.value("document.querySelectorAll('main script, main img, #injected').length");
        assert_eq!(injected, 0, "{path}");
        assert!(browser.value("document.title").as_str().is_some_and(|title| title.ends_with(" · Tollgate")), "{path}");
        seen += &browser.text();
    }
    for shown in [
        "<script>document.title='owned'</script>",
        "<img src=x onerror=alert(1)>",
        "</code></pre><b id=injected>bold</b>",
        "x-a: </code></pre><b id=injected>",
        "/prod/a/\"'&amp;?",
        "top-…",
    ] {
        assert!(seen.contains(shown), "`{shown}` is missing:\n{seen}");
    }
    assert!(!seen.contains("top-secret-value"));
    // Nothing was tried and kept from happening.
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// An API of two stages with these methods, each of which says in what stage it answers.
fn staged(routes: &[(&str, &str)]) -> String {
    let mut paths = serde_json::Map::new();
    for (method, path) in routes {
        let integration = serde_json::json!({
            "type": "mock",
            "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
            "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": format!("$context.stage answers {method}")}}},
        });
        let mut operations = serde_json::Map::new();
        operations.insert((*method).to_owned(), serde_json::json!({"x-amazon-apigateway-integration": integration}));
        paths.insert((*path).to_owned(), Value::Object(operations));
    }
    let stages = serde_json::json!([{"stageName": "dev"}, {"stageName": "prod"}]);
    serde_json::json!({"apis": [{
        "name": "a", "protocol": "REST", "stages": stages, "definition": {"openapi": "3.0.1", "paths": paths},
    }]})
    .to_string()
}

#[test]
fn a_test_goes_to_the_stage_that_is_chosen_and_to_no_other_method_when_the_definition_has_changed() {
    let file = std::env::temp_dir().join(format!("tollgate-staged-{}.json", std::process::id()));
    let write = |text: &str| {
        let new = file.with_extension("new");
        std::fs::write(&new, text).expect("a file can be written");
        std::fs::rename(&new, &file).expect("a file can be renamed");
    };
    write(&staged(&[("get", "/b")]));
    let served = Served::new(&file.display().to_string(), &["--watch"]);
    let mut browser = Browser::start();
    browser.open(&served.url("/method/0/0"));
    let shown = |browser: &mut Browser| browser.value("document.querySelector('h1').innerText.replace(/\\s+/g, ' ')");
    assert_eq!(shown(&mut browser), "GET /b");
    tab_to(&mut browser, "stage");
    browser.press("ArrowDown");
    tab_to(&mut browser, "Test");
    browser.press("Enter");
    browser.wait_for_page();
    assert!(browser.text().contains("prod answers get"), "{}", browser.text());
    assert_eq!(browser.value("document.getElementById('stage').value"), "prod", "the form keeps what was chosen");
    // Another method comes to stand in its place, while its page is open.
    write(&staged(&[("delete", "/a"), ("get", "/b")]));
    served.server.wait_for("serving the changed definition");
    tab_to(&mut browser, "Test");
    browser.press("Enter");
    browser.wait_for_page();
    assert!(browser.text().contains("prod answers get") && !browser.text().contains("prod answers delete"), "{}", browser.text());
    assert_eq!(shown(&mut browser), "GET /b");
    browser.open(&served.url(""));
    assert_eq!(browser.value("document.querySelectorAll('.methods a').length"), 4, "both methods of both stages");
    // It goes away.
    browser.open(&served.url("/method/1/1"));
    assert_eq!(shown(&mut browser), "GET /b");
    write(&staged(&[("delete", "/a")]));
    served.server.wait_for("serving the changed definition");
    tab_to(&mut browser, "Test");
    browser.press("Enter");
    browser.wait_for_page();
    assert!(browser.text().contains("the definition may have changed"), "{}", browser.text());
    std::fs::remove_file(&file).expect("the file can be removed");
}

#[test]
fn whoever_is_not_at_this_machine_gets_nothing() {
    let served = Served::new("examples/petstore/gateway.yaml", &[]);
    let own = served.console.clone();
    let status = |answer: &str| answer.split(' ').nth(1).unwrap_or_default().to_owned();
    let get = |path: &str, host: &str| served.ask(&format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"));
    for (host, expected) in [(own.as_str(), "200"), ("localhost:1", "200"), ("evil.test", "403"), ("127.0.0.1.evil.test", "403")] {
        for path in ["/_tollgate", "/_tollgate/requests", "/routes"] {
            let answer = get(path, host);
            assert_eq!(status(&answer), expected, "{path} of {host}: {answer}");
            assert_eq!(expected == "200", answer.contains("/health") || answer.contains("No request"), "{answer}");
        }
    }
    let head = get("/_tollgate", &own);
    let policy = head.lines().find(|line| line.starts_with("content-security-policy: ")).unwrap_or_default();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
    for line in
        ["x-frame-options: DENY", "x-content-type-options: nosniff", "cache-control: no-store", "referrer-policy: same-origin"]
    {
        assert!(head.contains(line), "{line} is missing: {head}");
    }
    let post = |headers: &str| {
        let body = "answer=200";
        let length = body.len();
        served.ask(&format!(
            "POST /_tollgate/method/0/1 HTTP/1.1\r\nhost: {own}\r\n{headers}content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        ))
    };
    assert_eq!(status(&post(&format!("origin: http://{own}\r\n"))), "200");
    for origin in ["", "origin: null\r\n", "origin: http://evil.test\r\n", "origin: http://127.0.0.1:1\r\n"] {
        assert_eq!(status(&post(origin)), "403", "{origin:?}");
    }
    for (path, expected) in
        [("/_tollgate/nope", "404"), ("/_tollgate/method/9/9", "404"), ("/_tollgate/requests/9", "404"), ("/_tollgatex", "404")]
    {
        assert_eq!(status(&get(path, &own)), expected, "{path}");
    }
    // The APIs have nothing of it.
    let answer = exchange(&served.server.address, "GET /_tollgate HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 403 ") && !answer.contains("html"), "{answer}");
}

#[test]
fn a_test_reads_no_file_of_this_machine() {
    let served = Served::new("examples/petstore/gateway.yaml", &[]);
    let body = "answer=%40%2Fetc%2Fpasswd&body=%40%2Fetc%2Fpasswd";
    let request = format!(
        "POST /_tollgate/method/0/2 HTTP/1.1\r\nhost: {0}\r\norigin: http://{0}\r\ncontent-length: {1}\r\nconnection: close\r\n\r\n{body}",
        served.console,
        body.len()
    );
    let answer = served.ask(&request);
    assert!(answer.contains("the answer is none") && !answer.contains("root:"), "{answer}");
}

#[test]
fn no_page_is_wider_than_its_window_and_the_picture_turns() {
    let served = Served::new("examples/mapping-templates/gateway.yaml", &[]);
    served.call("/prod/orders/4711?a-rather-long-query-string-without-any-place-to-break=it-goes-on-and-on-and-on", "");
    let mut browser = Browser::start();
    for (name, path) in [
        ("overview", ""),
        ("method", "/method/0/0"),
        ("shipping", "/method/0/2"),
        ("requests", "/requests"),
        ("request", "/requests/1"),
        ("usage", "/usage"),
        ("problems", "/problems"),
    ] {
        for (kind, width, dark) in [("wide", 1280, false), ("narrow", 360, false), ("dark", 1280, true), ("narrow-dark", 360, true)]
        {
            browser.resize(width, 800);
            browser.dark(dark);
            browser.open(&served.url(path));
            let wider = browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(wider, 0, "{path} at {width}");
            let ground = browser.value("getComputedStyle(document.body).backgroundColor");
            assert_eq!(ground == "rgb(21, 25, 29)", dark, "{ground}");
            browser.screenshot(&picture(&format!("{name}-{kind}")));
            if name == "method" {
                let tops = browser.value("[...document.querySelectorAll('.picture > li')].filter(e => e.offsetParent).map(e => e.getBoundingClientRect()).map(r => [r.left, r.top])");
                let places = tops.as_array().expect("boxes").clone();
                let is_column = places.windows(2).all(|pair| pair[0][0] == pair[1][0] && pair[0][1].as_f64() < pair[1][1].as_f64());
                assert_eq!(is_column, width == 360, "{places:?}");
                assert_eq!(places.len(), if width == 360 { 7 } else { 6 }, "the client stands at both ends of the column");
                if width == 1280 {
                    let at = |number: usize, side: usize| places[number][side].as_f64().unwrap_or_default();
                    let [client, request, to_backend, backend, answer, response] = [0, 1, 2, 3, 4, 5];
                    assert!([client, request, to_backend, backend].is_sorted_by(|a, b| at(*a, 0) < at(*b, 0)), "{places:?}");
                    assert!(at(response, 0) == at(request, 0) && at(answer, 0) == at(to_backend, 0), "{places:?}");
                    assert!(at(response, 1) > at(request, 1) && at(response, 1) == at(answer, 1), "{places:?}");
                    let arrows = browser.value("[...document.querySelectorAll('.picture > li')].flatMap(e => ['::before', '::after'].map(p => getComputedStyle(e, p).content)).filter(c => c != 'none').map(c => c[1]).join('')");
                    assert_eq!(arrows, "→→→←←←", "each from the box before");
                }
            }
        }
    }
    browser.dark(false);
    browser.resize(1280, 800);
    // Every control has a label, and every page one heading and its landmarks.
    for path in ["", "/method/0/0", "/requests", "/requests/1"] {
        browser.open(&served.url(path));
        let unnamed = browser.value(
            "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(e => !e.labels.length).length",
        );
        assert_eq!(unnamed, 0, "{path}");
        let landmarks = browser.value("['h1', 'main', 'header', 'nav[aria-label]', '[aria-current=page], .crumbs'].map(s => document.querySelectorAll(s).length > 0)");
        assert_eq!(landmarks, serde_json::json!([true, true, true, true, true]), "{path}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
