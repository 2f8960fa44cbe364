//! The filter: carries out the steps of each phase.

use crate::plan::{Plan, Step};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MapType, MetricType};
use std::time::Duration;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| Box::new(Root::default()));
}}

#[derive(Default)]
struct Root {
    plan: Plan,
}

struct Stream {
    id: u32,
    plan: Plan,
}

/// What a verb may know of the phase it stands in.
#[derive(Clone, Copy)]
struct Place {
    map: MapType,
    request: bool,
    size: usize,
    end: bool,
}

fn say(text: String) {
    let _ = hostcalls::log(LogLevel::Info, &text);
}

/// Verbs that need no stream.
fn anywhere(context: &dyn Context, step: &Step) {
    match step.verb.as_str() {
        "log" => say(step.arguments::<1>()[0].to_string()),
        "panic" => panic!("as planned"),
        "loop" => loop {
            std::hint::black_box(());
        },
        "property" => {
            let [path] = step.arguments();
            let value = context.get_property(path.split('/').collect());
            say(match value {
                None => format!("{path} is not there"),
                Some(value) => match std::str::from_utf8(&value) {
                    Ok(text) if !value.contains(&0) => format!("{path} is `{text}`"),
                    _ => format!("{path} is {value:?}"),
                },
            });
        }
        "set-property" => {
            let [path, value] = step.arguments();
            context.set_property(path.split('/').collect(), Some(value.as_bytes()));
        }
        "call" => {
            let [cluster, timeout, path] = step.arguments();
            let headers = vec![(":method", "GET"), (":path", path), (":authority", "callee")];
            let timeout = Duration::from_millis(timeout.parse().unwrap_or(1000));
            let answer = context.dispatch_http_call(cluster, headers, None, vec![], timeout);
            say(format!("call: {:?}", answer.map(|_| "sent")));
        }
        "bare-call" => {
            let [cluster] = step.arguments();
            let headers = vec![(":method", "GET"), (":path", "/")];
            let answer = context.dispatch_http_call(cluster, headers, None, vec![], Duration::from_secs(1));
            say(format!("call: {:?}", answer.map(|_| "sent")));
        }
        "grpc" => {
            let [cluster, timeout, message] = step.arguments();
            let answer = context.dispatch_grpc_call(
                cluster,
                "test.Service",
                "Method",
                vec![("x-meta", b"data".as_slice())],
                Some(message.as_bytes()),
                Duration::from_millis(timeout.parse().unwrap_or(1000)),
            );
            say(format!("grpc: {:?}", answer.map(|_| "sent")));
        }
        "grpc-stream" => {
            let [cluster, message] = step.arguments();
            match context.open_grpc_stream(cluster, "test.Service", "Watch", vec![]) {
                Err(status) => say(format!("grpc: {status:?}")),
                Ok(token) => {
                    context.send_grpc_stream_message(token, Some(message.as_bytes()), true);
                }
            }
        }
        "foreign" => {
            let [name] = step.arguments();
            let answer = context.call_foreign_function(name, None);
            say(format!("foreign {name}: {answer:?}"));
        }
        "foreign-hex" => {
            let [name, hex] = step.arguments();
            let digits: Vec<u8> = hex.bytes().map(|d| (d as char).to_digit(16).unwrap_or(0) as u8).collect();
            let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, d| byte << 4 | d)).collect();
            let answer = context.call_foreign_function(name, Some(&bytes));
            say(format!("foreign {name}: {answer:?}"));
        }
        "share" => {
            let [key, cas, value] = step.arguments();
            let answer = context.set_shared_data(key, Some(value.as_bytes()), cas.parse().ok());
            say(format!("share {key}: {answer:?}"));
        }
        "shared" => {
            let [key] = step.arguments();
            let (value, cas) = context.get_shared_data(key);
            let value = value.map(|value| String::from_utf8_lossy(&value).into_owned());
            say(format!("shared {key}: {value:?} {cas:?}"));
        }
        "enqueue" => {
            let [name, value] = step.arguments();
            if let Some(queue) = context.resolve_shared_queue("", name) {
                let answer = context.enqueue_shared_queue(queue, Some(value.as_bytes()));
                say(format!("enqueue: {answer:?}"));
            }
        }
        "queue" => {
            let [name] = step.arguments();
            context.register_shared_queue(name);
        }
        "count" => metric(step, MetricType::Counter),
        "gauge" => metric(step, MetricType::Gauge),
        "histogram" => metric(step, MetricType::Histogram),
        "random" => say(format!("random: {:?}", std::collections::hash_map::RandomState::new())),
        "time" => say(format!("time: {:?}", context.get_current_time())),
        "print" => println!("{}", step.arguments::<1>()[0]),
        _ => say(format!("no such verb here: {}", step.verb)),
    }
}

fn metric(step: &Step, kind: MetricType) {
    let [name, value] = step.arguments();
    let value: i64 = value.parse().unwrap_or(1);
    let Ok(id) = hostcalls::define_metric(kind, name) else { return };
    let _ = match kind {
        MetricType::Counter => hostcalls::increment_metric(id, value),
        _ => hostcalls::record_metric(id, value as u64),
    };
}

// === impl Root ===

impl Root {
    fn run(&self, phase: &str) {
        for step in self.plan.of(phase) {
            match step.verb.as_str() {
                "tick" => {
                    let [period] = step.arguments();
                    self.set_tick_period(Duration::from_millis(period.parse().unwrap_or(0)));
                }
                _ => anywhere(self, &step),
            }
        }
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, _: u32, headers: usize, body: usize, _: usize) {
        let status = self.get_http_call_response_header(":status");
        say(format!("root call: {headers} headers, status {status:?}, {body} bytes"));
        self.run("call");
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let text = self.get_plugin_configuration().unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        say(format!("configured with {size} bytes"));
        self.plan = Plan::parse(&text);
        self.run("configure");
        !text.contains("refuse")
    }

    fn on_tick(&mut self) {
        say("tick".into());
        self.run("tick");
    }

    fn on_queue_ready(&mut self, queue: u32) {
        while let Ok(Some(item)) = self.dequeue_shared_queue(queue) {
            say(format!("dequeued {}", String::from_utf8_lossy(&item)));
        }
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { id, plan: self.plan.clone() }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

// === impl Stream ===

impl Stream {
    /// Carries the phase's steps out; `Pause` when one says so.
    fn run(&self, phase: &str, place: Place) -> Action {
        let mut action = Action::Continue;
        for step in self.plan.of(phase) {
            match step.verb.as_str() {
                "pause" => action = Action::Pause,
                "collect" if !place.end => action = Action::Pause,
                "collect" => {}
                _ => self.step(&step, place),
            }
        }
        action
    }

    fn step(&self, step: &Step, place: Place) {
        match step.verb.as_str() {
            "add" => {
                let [name, value] = step.arguments();
                let _ = hostcalls::add_map_value(place.map, name, value);
            }
            "set" => {
                let [name, value] = step.arguments();
                let _ = hostcalls::set_map_value(place.map, name, Some(value));
            }
            "remove" => {
                let [name] = step.arguments();
                let _ = hostcalls::set_map_value(place.map, name, None);
            }
            "only" => {
                let [name, value] = step.arguments();
                hostcalls::set_map(place.map, vec![(":status", "200"), (name, value)]).ok();
            }
            "get" => {
                let [name] = step.arguments();
                let value = match place.request {
                    true => self.get_http_request_header(name),
                    false => self.get_http_response_header(name),
                };
                say(format!("{name} is {value:?}"));
            }
            "request-header" => {
                let [name] = step.arguments();
                let value = hostcalls::get_map_value(MapType::HttpRequestHeaders, name);
                say(format!("request {name}: {value:?}"));
            }
            "all" => {
                let pairs = match place.request {
                    true => self.get_http_request_headers(),
                    false => self.get_http_response_headers(),
                };
                say(format!("all {pairs:?}"));
            }
            "trailers" => {
                let pairs = hostcalls::get_map(place.map);
                say(format!("trailers {pairs:?}"));
            }
            "show" => {
                let body = self.body(place);
                say(format!("body `{body}`, {} bytes, end {}", place.size, place.end));
            }
            "body" => self.set_body(0, usize::MAX, step.arguments::<1>()[0], place),
            "prepend" => self.set_body(0, 0, step.arguments::<1>()[0], place),
            "append" => self.set_body(usize::MAX, 0, step.arguments::<1>()[0], place),
            "upper" => {
                let body = self.body(place).to_uppercase();
                self.set_body(0, usize::MAX, &body, place);
            }
            "reply" => {
                let [status, body] = step.arguments();
                let body = Some(body.as_bytes()).filter(|body| !body.is_empty());
                let status = status.parse().unwrap_or(500);
                self.send_http_response(status, vec![("x-made-by", "filter")], body);
            }
            "reply-again" => {
                let answer = hostcalls::send_http_response(200, vec![], Some(b"again"));
                say(format!("again: {answer:?}"));
            }
            "continue" => self.resume_http_request(),
            "continue-response" => self.resume_http_response(),
            "close" => self.reset_http_request(),
            _ => anywhere(self, step),
        }
    }

    fn body(&self, place: Place) -> String {
        let body = match place.request {
            true => self.get_http_request_body(0, i32::MAX as usize),
            false => self.get_http_response_body(0, i32::MAX as usize),
        };
        String::from_utf8_lossy(&body.unwrap_or_default()).into_owned()
    }

    fn set_body(&self, start: usize, size: usize, text: &str, place: Place) {
        let (start, size) = (start.min(i32::MAX as usize), size.min(i32::MAX as usize));
        match place.request {
            true => self.set_http_request_body(start, size, text.as_bytes()),
            false => self.set_http_response_body(start, size, text.as_bytes()),
        }
    }
}

const NOWHERE: Place = Place { map: MapType::HttpRequestHeaders, request: true, size: 0, end: false };

impl Context for Stream {
    fn on_http_call_response(&mut self, _: u32, headers: usize, body: usize, trailers: usize) {
        let status = self.get_http_call_response_header(":status");
        let text = self.get_http_call_response_body(0, i32::MAX as usize).unwrap_or_default();
        say(format!(
            "call: {headers} headers, status {status:?}, {body} bytes `{}`, {trailers} trailers",
            String::from_utf8_lossy(&text)
        ));
        self.run("call", NOWHERE);
    }

    fn on_grpc_call_response(&mut self, _: u32, status: u32, size: usize) {
        let body = self.get_grpc_call_response_body(0, size).unwrap_or_default();
        let message = self.get_grpc_status().1;
        let text = String::from_utf8_lossy(&body);
        say(format!("grpc: status {status} {message:?}, `{text}`"));
        self.run("grpc", NOWHERE);
    }

    fn on_grpc_stream_message(&mut self, _: u32, size: usize) {
        let body = self.get_grpc_stream_message(0, size).unwrap_or_default();
        say(format!("grpc message `{}`", String::from_utf8_lossy(&body)));
    }

    fn on_grpc_stream_close(&mut self, _: u32, status: u32) {
        say(format!("grpc stream closed: {status}"));
        self.run("grpc", NOWHERE);
    }

    fn on_done(&mut self) -> bool {
        if !self.plan.of("done").is_empty() {
            say("done".into());
        }
        self.run("done", NOWHERE);
        true
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        if let Some(plan) = self.get_http_request_header("x-plan") {
            self.plan = Plan::parse(&plan);
        }
        if !self.plan.of("trace").is_empty() {
            say(format!("stream {} begins", self.id));
        }
        let map = MapType::HttpRequestHeaders;
        self.run("request", Place { map, request: true, size: 0, end })
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        let map = MapType::HttpRequestHeaders;
        self.run("request-body", Place { map, request: true, size, end })
    }

    fn on_http_request_trailers(&mut self, size: usize) -> Action {
        let map = MapType::HttpRequestTrailers;
        self.run("request-trailers", Place { map, request: true, size, end: true })
    }

    fn on_http_response_headers(&mut self, _: usize, end: bool) -> Action {
        let map = MapType::HttpResponseHeaders;
        self.run("response", Place { map, request: false, size: 0, end })
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        let map = MapType::HttpResponseHeaders;
        self.run("response-body", Place { map, request: false, size, end })
    }

    fn on_http_response_trailers(&mut self, size: usize) -> Action {
        let map = MapType::HttpResponseTrailers;
        self.run("response-trailers", Place { map, request: false, size, end: true })
    }

    fn on_log(&mut self) {
        if !self.plan.of("log").is_empty() {
            say("log".into());
        }
        let map = MapType::HttpResponseHeaders;
        self.run("log", Place { map, request: false, size: 0, end: true });
    }
}
