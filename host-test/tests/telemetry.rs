//! What an operator sees of a real Envoy: the metrics that Prometheus scrapes, the lines of access logs wherever Envoy can send them,
//! the spans of its tracer, and a dashboard that asks for what is there. Needs ENVOY and the module: `make test` brings them.

mod drivers;

#[path = "telemetry/dashboard.rs"]
mod dashboard;
#[path = "telemetry/documents.rs"]
mod documents;
#[path = "telemetry/messages.rs"]
mod messages;
#[path = "telemetry/receiver.rs"]
mod receiver;
#[path = "telemetry/scrape.rs"]
mod scrape;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use documents::{BACKEND, backend, gateway, plugins};
use drivers::case::Request;
use drivers::envoy::{Customize, Envoy};
use drivers::http1::exchange;
use messages::{AccessLogs, Export, LogRecord, Span};
use receiver::Receiver;
use scrape::{await_counts, scrape};
use serde_json::{Value, json};

/// The name of the receiver's cluster.
const RECEIVER: &str = "receiver";

fn start(label: &str, workers: u32, receiver: Option<&Receiver>, customize: Customize) -> Envoy {
    let services: BTreeMap<_, _> = receiver.map(|receiver| (RECEIVER.to_owned(), receiver.address)).into_iter().collect();
    let clusters = BTreeSet::from([BACKEND.to_owned()]);
    let mut envoy = Envoy::start_customized(workers, label, &clusters, &services, &plugins(&gateway()), customize);
    envoy.play(BACKEND, &backend(0));
    envoy
}

fn send(envoy: &Envoy, method: &str, path: &str, times: u32) -> u16 {
    let address = envoy.address("telemetry").unwrap_or_else(|| panic!("{}", envoy.log_of_refused("telemetry")));
    let statuses = (0..times).map(|_| {
        let answer = exchange(address, &Request::new(method, path)).expect("an answer");
        answer.status().expect("a status")
    });
    let statuses: BTreeSet<u16> = statuses.collect();
    assert_eq!(statuses.len(), 1, "{method} {path}: {statuses:?}");
    statuses.into_iter().next().unwrap_or_default()
}

// --- metrics ----------------------------------------------------------------------------------------------------------------

#[test]
fn prometheus_sees_every_request_once_by_the_dimensions_of_cloudwatch() {
    let envoy = start("telemetry-metrics", 2, None, |_| ());
    for (method, path, times, status) in [
        ("GET", "/prod/pets", 13, 200),
        ("GET", "/prod/pets?status=404", 5, 404),
        ("GET", "/prod/pets?status=503", 2, 503),
        ("POST", "/prod/pets", 3, 200),
        ("GET", "/prod/mock", 7, 200),
        ("GET", "/prod/nowhere", 4, 403),
        ("GET", "/beta/mock", 6, 200),
        ("GET", "/other/mock", 9, 200),
        ("GET", "/live/orders/1", 8, 200),
        ("GET", "/live/orders/1?status=500", 3, 500),
        ("GET", "/live/missing", 2, 404),
        ("GET", "/live/detailed", 5, 200),
        // Of no stage, and so of no API.
        ("GET", "/unknown/x", 5, 403),
    ] {
        assert_eq!(send(&envoy, method, path, times), status, "{method} {path}");
    }
    let counts = [
        // The one method that has metrics of its own.
        (r#"tollgate_Count{ApiName="pets",Method="GET",Resource="/pets",Stage="prod"}"#, 20),
        (r#"tollgate_4XXError{ApiName="pets",Method="GET",Resource="/pets",Stage="prod"}"#, 5),
        (r#"tollgate_5XXError{ApiName="pets",Method="GET",Resource="/pets",Stage="prod"}"#, 2),
        (r#"tollgate_Latency_count{ApiName="pets",Method="GET",Resource="/pets",Stage="prod"}"#, 20),
        (r#"tollgate_IntegrationLatency_count{ApiName="pets",Method="GET",Resource="/pets",Stage="prod"}"#, 20),
        // All other methods of the stage, and what found none.
        (r#"tollgate_Count{ApiName="pets",Stage="prod"}"#, 14),
        (r#"tollgate_4XXError{ApiName="pets",Stage="prod"}"#, 4),
        (r#"tollgate_5XXError{ApiName="pets",Stage="prod"}"#, 0),
        (r#"tollgate_Latency_count{ApiName="pets",Stage="prod"}"#, 14),
        (r#"tollgate_IntegrationLatency_count{ApiName="pets",Stage="prod"}"#, 3),
        (r#"tollgate_Count{ApiName="pets",Stage="beta"}"#, 6),
        (r#"tollgate_IntegrationLatency_count{ApiName="pets",Stage="beta"}"#, 0),
        (r#"tollgate_Count{ApiName="other pets: _all_",Stage="other"}"#, 9),
        (r#"tollgate_Count{ApiId="orders0001",Stage="live"}"#, 13),
        (r#"tollgate_4xx{ApiId="orders0001",Stage="live"}"#, 2),
        (r#"tollgate_5xx{ApiId="orders0001",Stage="live"}"#, 3),
        // `hello`, ten times, and `{"message":"Not Found"}` twice; eleven answers of the backend have 5 bytes each.
        (r#"tollgate_DataProcessed{ApiId="orders0001",Stage="live"}"#, 11 * 5 + 2 * 23),
        (r#"tollgate_Latency_count{ApiId="orders0001",Stage="live"}"#, 13),
        (r#"tollgate_IntegrationLatency_count{ApiId="orders0001",Stage="live"}"#, 11),
        (r#"tollgate_Count{ApiId="orders0001",Route="GET /detailed",Stage="live"}"#, 5),
        (r#"tollgate_DataProcessed{ApiId="orders0001",Route="GET /detailed",Stage="live"}"#, 25),
    ];
    await_counts(&envoy, &counts);
    let seen = scrape(&envoy);
    let total: f64 = seen.iter().filter(|(name, _)| name.starts_with("tollgate_Count{")).map(|(_, value)| value).sum();
    assert_eq!(total, 67.0, "72 requests, of which 5 reached no stage: {seen:#?}");
    let latency = |metric: &str, part: &str| {
        seen[&format!(r#"tollgate_{metric}_{part}{{ApiName="pets",Method="GET",Resource="/pets",Stage="prod"}}"#)]
    };
    assert!(latency("IntegrationLatency", "sum") <= latency("Latency", "sum") + 20.0);
    let buckets = seen.iter().filter(|(name, _)| name.starts_with("tollgate_Latency_bucket{") && name.contains(r#"Method="GET""#));
    let buckets: Vec<f64> = buckets.map(|(_, value)| *value).collect();
    assert!(buckets.len() > 10 && buckets.iter().all(|value| *value <= 20.0) && buckets.contains(&20.0), "{buckets:?}");
    let workers = envoy.stats("downstream_cx_total");
    let busy = workers.iter().filter(|(name, count)| name.contains(".worker_") && **count > 0 && name.starts_with("listener.127."));
    assert_eq!(busy.count(), 2, "{workers:?}");
    envoy.assert_no_reloads();
}

#[test]
fn counts_outlive_their_configuration_and_so_does_a_request_on_its_way() {
    const SLOW: u64 = 2500;
    let mut envoy = start("telemetry-swap", 2, None, |_| ());
    assert_eq!(send(&envoy, "GET", "/prod/pets", 7), 200);
    assert_eq!(send(&envoy, "GET", "/prod/mock", 3), 200);
    envoy.play(BACKEND, &backend(SLOW));
    let address = envoy.address("telemetry").expect("it is served");
    let on_its_way = std::thread::spawn(move || exchange(address, &Request::new("GET", "/prod/pets")).expect("an answer").status());
    std::thread::sleep(Duration::from_millis(500));
    let mut changed = gateway();
    changed["apis"][0]["stages"][1]["variables"] = json!({ "changed": "yes" });
    envoy.update(&plugins(&changed));
    assert_eq!(send(&envoy, "GET", "/prod/mock", 4), 200);
    assert_eq!(on_its_way.join().expect("no panic").expect("a status"), 200);
    envoy.play(BACKEND, &backend(0));
    assert_eq!(send(&envoy, "GET", "/prod/pets", 5), 200);
    await_counts(
        &envoy,
        &[
            (r#"tollgate_Count{ApiName="pets",Method="GET",Resource="/pets",Stage="prod"}"#, 13),
            (r#"tollgate_Latency_count{ApiName="pets",Method="GET",Resource="/pets",Stage="prod"}"#, 13),
            (r#"tollgate_IntegrationLatency_count{ApiName="pets",Method="GET",Resource="/pets",Stage="prod"}"#, 13),
            (r#"tollgate_Count{ApiName="pets",Stage="prod"}"#, 7),
        ],
    );
    let sum = scrape(&envoy)[r#"tollgate_Latency_sum{ApiName="pets",Method="GET",Resource="/pets",Stage="prod"}"#];
    // Envoy's histograms keep two digits of each value.
    assert!(sum > SLOW as f64 * 0.9, "one of them took {SLOW} ms, and all took {sum}");
    envoy.assert_no_reloads();
}

#[test]
fn a_client_that_goes_away_is_counted_and_logged_without_a_status() {
    let mut envoy = start("telemetry-abort", 1, None, |_| ());
    envoy.play(BACKEND, &backend(5_000));
    let mut client = TcpStream::connect(envoy.address("telemetry").expect("it is served")).expect("it accepts");
    client.write_all(b"GET /prod/pets HTTP/1.1\r\nhost: gateway.test\r\n\r\n").expect("it reads");
    std::thread::sleep(Duration::from_millis(1000));
    drop(client);
    let line = envoy.next_line("telemetry").expect("a line");
    assert!(line.ends_with(" GET /pets - -"), "{line}");
    let of_method = |metric: &str| format!(r#"tollgate_{metric}{{ApiName="pets",Method="GET",Resource="/pets",Stage="prod"}}"#);
    await_counts(&envoy, &[(&of_method("Count"), 1)]);
    let seen = scrape(&envoy);
    assert!(
        ["4XXError", "5XXError"].iter().all(|metric| seen.get(&of_method(metric)).is_none_or(|count| *count == 0.0)),
        "{seen:?}"
    );
    envoy.assert_no_reloads();
}

#[test]
fn the_dashboard_asks_for_what_is_there() {
    let envoy = start("telemetry-dashboard", 1, None, |_| ());
    send(&envoy, "GET", "/prod/pets", 2);
    send(&envoy, "GET", "/live/detailed", 2);
    await_counts(&envoy, &[(r#"tollgate_Count{ApiName="pets",Method="GET",Resource="/pets",Stage="prod"}"#, 2)]);
    dashboard::check(&scrape(&envoy));
}

// --- access logs and traces -------------------------------------------------------------------------------------------------

#[test]
fn the_execution_log_is_in_envoys_own_once_somebody_asks_for_it() {
    let envoy = start("telemetry-execution", 1, None, |_| ());
    const LINE: &str = ") HTTP Method: POST, Resource Path: /pets";
    let told = || {
        let deadline = Instant::now() + Duration::from_secs(2);
        while !envoy.log().contains(LINE) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        envoy.log().matches(LINE).count()
    };
    assert_eq!(send(&envoy, "POST", "/prod/pets", 1), 200);
    assert_eq!(told(), 0, "it is of level debug");
    envoy.log_of_filters("debug");
    assert_eq!(send(&envoy, "POST", "/prod/pets", 1), 200);
    assert_eq!(send(&envoy, "GET", "/prod/pets", 1), 200);
    assert_eq!(told(), 1, "{}", envoy.log());
    assert!(!envoy.log().contains("HTTP Method: GET, Resource Path: /pets"), "that method asks for none");
}

fn service() -> Value {
    json!({ "envoy_grpc": { "cluster_name": RECEIVER }, "timeout": "5s" })
}

#[test]
fn the_line_of_a_stage_goes_to_an_access_log_service() {
    let receiver = Receiver::start();
    let envoy = start("telemetry-als", 1, Some(&receiver), |manager| {
        manager["access_log"] = json!([{
            "name": "envoy.access_loggers.http_grpc",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
                "common_config": {
                    "log_name": "tollgate",
                    "transport_api_version": "V3",
                    "grpc_service": service(),
                    "buffer_flush_interval": "0.1s",
                    "filter_state_objects_to_log": ["wasm.tollgate_access_log"],
                    "custom_tags": [{ "tag": "line", "value": "%FILTER_STATE(wasm.tollgate_access_log:PLAIN)%" }],
                },
            },
        }]);
    });
    assert_eq!(send(&envoy, "GET", "/prod/pets", 1), 200);
    let (object, tag) = receiver.wait("/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs", |logs: Vec<AccessLogs>| {
        let entry = logs.into_iter().filter_map(|message| message.http_logs).flat_map(|logs| logs.log_entry).next()?;
        let common = entry.common_properties?;
        Some((common.filter_state_objects.get("wasm.tollgate_access_log").cloned(), common.custom_tags.get("line").cloned()))
    });
    let object = object.expect("the property is sent");
    assert!(String::from_utf8_lossy(&object.value).contains(" GET /pets 200 5"), "{object:?}");
    assert!(tag.is_some_and(|line| line.ends_with(" GET /pets 200 5")));
}

#[test]
fn the_line_of_a_stage_goes_to_an_opentelemetry_collector() {
    let receiver = Receiver::start();
    let envoy = start("telemetry-otlp-logs", 1, Some(&receiver), |manager| {
        manager["access_log"] = json!([{
            "name": "envoy.access_loggers.open_telemetry",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
                "log_name": "tollgate",
                "grpc_service": service(),
                "buffer_flush_interval": "0.1s",
                "body": { "string_value": "%FILTER_STATE(wasm.tollgate_access_log:PLAIN)%" },
            },
        }]);
    });
    assert_eq!(send(&envoy, "GET", "/prod/pets?status=404", 1), 404);
    let body = receiver.wait("/opentelemetry.proto.collector.logs.v1.LogsService/Export", |logs: Vec<Export<LogRecord>>| {
        let scopes = logs.into_iter().flat_map(|export| export.resources).flat_map(|resource| resource.scopes);
        scopes.flat_map(|scope| scope.records).find_map(|record| record.body?.string_value)
    });
    assert!(body.ends_with(" GET /pets 404 5"), "{body}");
}

#[test]
fn envoys_own_tracer_works_beside_the_filter_and_the_backend_hears_of_both() {
    let receiver = Receiver::start();
    let envoy = start("telemetry-traces", 1, Some(&receiver), |manager| {
        // There is no x-request-id (`generate_request_id: false`), which would decide otherwise.
        manager["request_id_extension"] = json!({ "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
            "use_request_id_for_trace_sampling": false,
        } });
        manager["tracing"] = json!({
            "random_sampling": { "value": 100 },
            "spawn_upstream_span": true,
            "provider": {
                "name": "envoy.tracers.opentelemetry",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                    "grpc_service": service(),
                    "service_name": "tollgate",
                },
            },
        });
    });
    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut request = Request::new("GET", "/prod/pets");
    request.headers = vec![
        ("traceparent".to_owned(), PARENT.to_owned()),
        ("x-amzn-trace-id".to_owned(), "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1".to_owned()),
    ];
    let address = envoy.address("telemetry").expect("it is served");
    assert_eq!(exchange(address, &request).expect("an answer").status().expect("a status"), 200);
    let arrived = envoy.arrivals(BACKEND);
    let header = |name: &str| arrived[0].header(name).unwrap_or_default().to_owned();
    assert!(header("x-amzn-trace-id").starts_with("Root=1-67891233-abcdef012345678912345678;Parent="), "{arrived:?}");
    let traceparent = header("traceparent");
    let [_, trace, span, _]: [&str; 4] = traceparent.split('-').collect::<Vec<_>>().try_into().expect("four parts");
    assert_eq!(trace, "0af7651916cd43dd8448eb211c80319c", "the client's trace goes on");
    let spans = receiver.wait("/opentelemetry.proto.collector.trace.v1.TraceService/Export", |exports: Vec<Export<Span>>| {
        let scopes = exports.into_iter().flat_map(|export| export.resources).flat_map(|resource| resource.scopes);
        let spans: Vec<Span> = scopes.flat_map(|scope| scope.records).collect();
        (spans.len() >= 2).then_some(spans)
    });
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(spans.iter().all(|span| hex(&span.trace_id) == trace), "{spans:?}");
    let server = spans.iter().find(|span| span.kind == 2).expect("the request's span");
    let client = spans.iter().find(|span| span.kind == 3).expect("the upstream's span");
    assert_eq!(hex(&server.parent_span_id), "b7ad6b7169203331", "below the client's");
    assert_eq!(client.parent_span_id, server.span_id, "below the request's");
    assert_eq!(hex(&client.span_id), span, "the backend is below the upstream's");
}
