//! The host beside a real Envoy: the same module, the same plans, the same backends. Both must give the client the same answer,
//! send the backend the same request, and show the filter the same things.

mod plans;
mod process;

use self::plans::{PLANS, Plan};
use self::process::Envoy;
use crate::drivers::case::{Backend, Request};
use crate::drivers::http1::{self, Message};
use crate::drivers::wasm::{host_request, stub};
use crate::probe;
use serde_json::{Value, json};
use std::time::Duration;
use tollgate_host::{Host, Stub};

/// What came of one plan, in words that both sides have.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    answer: Vec<String>,
    forwarded: Vec<String>,
    said: Vec<String>,
}

/// The listeners: what `Pause` in a head means, and how much is buffered.
pub(crate) const LISTENERS: [(&str, bool, usize); 3] =
    [("open", true, 1 << 20), ("narrow", true, 1000), ("strict", false, 1 << 20)];

/// The route's timeout on both sides.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(600);

/// The filter says this when a stream is over.
const OVER: &str = "that was it";

#[test]
fn the_host_and_envoy_agree_on_every_plan() {
    let mut envoy = Envoy::start(&probe::path());
    let mut wrong = Vec::new();
    for plan in PLANS {
        let request = request(plan);
        let backend = serde_json::from_value(backend(plan)).expect("the plan's backend has the form of a case's");
        let (here, there) = (in_the_host(plan, &request, &backend), in_envoy(&mut envoy, plan, &request, &backend));
        if here != there {
            wrong.push(format!("{}: {}\nthe host {here:#?}\nEnvoy {there:#?}", plan.listener, plan.text));
        }
    }
    println!("{} plans in Envoy and in the host, {} differ", PLANS.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn request(plan: &Plan) -> Request {
    let mut headers =
        vec![("x-plan".to_owned(), format!("{}; done:log {OVER}", plan.text)), ("x-tollgate-cluster".to_owned(), "be".to_owned())];
    headers.extend(plan.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let mut request = json!({ "method": plan.method, "path": "/a?q=1", "headers": headers });
    if !plan.trailers.is_empty() {
        request["chunks"] = json!([plan.body]);
        request["trailers"] = json!(plan.trailers);
    } else if !plan.body.is_empty() {
        request["body"] = json!(plan.body);
    }
    serde_json::from_value(request).expect("the plan's request has the form of a case's")
}

fn backend(plan: &Plan) -> Value {
    match plan.backend {
        "" => json!({ "headers": [["content-type", "text/x"], ["server", "be"]], "body": "hello" }),
        text => serde_json::from_str(text).expect("the plan's backend is JSON"),
    }
}

fn in_the_host(plan: &Plan, request: &Request, backend: &Backend) -> Seen {
    let (_, allow, limit) = LISTENERS.iter().find(|(name, ..)| *name == plan.listener).expect("there is such a listener");
    let mut host = Host::builder(probe::module())
        .allow_on_headers_stop_iteration(*allow)
        .buffer_limit(*limit)
        .route_timeout(Some(TIMEOUT))
        .cluster("be", stub(backend))
        .cluster("dead", Stub::refuse("delayed connect error: Connection refused"))
        .with(|settings| settings.plugin.name = "probe".into())
        .build()
        .expect("the filter takes any configuration");
    let outcome = host.send(host_request(request));
    let response = &outcome.response;
    let mut answer = vec![format!("status {}", response.status())];
    answer.extend(response.headers.iter().filter_map(|(name, value)| line(name, value)));
    if response.reset {
        answer = vec!["cut off".to_owned()];
    } else {
        answer.push(format!("body {}", response.text()));
        answer.extend(response.trailers.iter().filter_map(|(name, value)| line(name, value)));
    }
    let mut forwarded = Vec::new();
    for request in outcome.upstream_requests.iter().filter(|request| request.complete && request.cluster == "be") {
        forwarded.push(format!("{} {} {}", request.method(), request.path(), request.authority()));
        forwarded.extend(request.headers.iter().filter_map(|(name, value)| line(name, value)));
        forwarded.push(format!("body {}", String::from_utf8_lossy(&request.body)));
        forwarded.extend(request.trailers.iter().filter_map(|(name, value)| line(name, value)));
    }
    Seen { answer, forwarded, said: probe::said(&outcome).iter().map(|line| masked(line)).collect() }
}

fn in_envoy(envoy: &mut Envoy, plan: &Plan, request: &Request, backend: &Backend) -> Seen {
    envoy.backend.play(backend);
    let before = envoy.said().len();
    let answer = match http1::exchange(envoy.address(plan.listener), request) {
        Err(_) => vec!["cut off".to_owned()],
        Ok(message) => {
            let mut answer = vec![format!("status {}", message.status().unwrap_or(0))];
            answer.extend(lines(&message.headers));
            answer.push(format!("body {}", String::from_utf8_lossy(&message.body)));
            answer.extend(lines(&message.trailers));
            answer
        }
    };
    let said = envoy.wait("the end of the stream", |envoy| {
        let said = envoy.said();
        said[before..].iter().any(|line| line == OVER || line == process::TRAP).then(|| said[before..].to_vec())
    });
    let said = told_once(said.iter().map(|line| masked(line)).collect());
    let forwarded = envoy.backend.seen().iter().flat_map(forwarded).collect();
    Seen { answer, forwarded, said }
}

fn forwarded(message: &Message) -> Vec<String> {
    let (method, path) = message.method_and_target();
    let mut out = vec![format!("{method} {path} {}", message.header("host").unwrap_or_default())];
    out.extend(lines(&message.headers));
    out.push(format!("body {}", String::from_utf8_lossy(&message.body)));
    out.extend(lines(&message.trailers));
    out
}

fn lines(headers: &[(String, String)]) -> Vec<String> {
    headers.iter().filter_map(|(name, value)| line(name.as_bytes(), value.as_bytes())).collect()
}

/// Whether Envoy tells the end of a held body with it, or a moment later with the same body once more, depends on when the connection
/// brought it. The host, whose backends are no connections, has to tell it at once.
fn told_once(mut lines: Vec<String>) -> Vec<String> {
    let is_told_again =
        |pair: &[String]| pair[0].strip_suffix("end false").is_some_and(|start| pair[1].strip_suffix("end true") == Some(start));
    while let Some(at) = lines.windows(2).position(is_told_again) {
        lines.remove(at);
    }
    lines
}

/// A line of the filter's, without what differs from run to run.
fn masked(line: &str) -> String {
    let mut line = line.to_owned();
    for name in ["x-request-id", "x-forwarded-for", "x-envoy-external-address", "x-envoy-upstream-service-time"] {
        let start = format!("(\"{name}\", \"");
        if let Some(at) = line.find(&start).map(|at| at + start.len())
            && let Some(end) = line[at..].find('"')
        {
            line.replace_range(at..at + end, "…");
        }
    }
    line
}

/// A header as it is compared: without what framing adds, what differs from run to run, and the client's address.
fn line(name: &[u8], value: &[u8]) -> Option<String> {
    let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
    match &*name {
        "connection" | "transfer-encoding" | "content-length" | "host" => None,
        "x-forwarded-for" | "x-envoy-external-address" => Some(format!("{name}: …")),
        "x-request-id" | "date" | "x-envoy-upstream-service-time" => Some(format!("{name}: …")),
        name if name.starts_with(':') => None,
        _ => Some(format!("{name}: {value}")),
    }
}
