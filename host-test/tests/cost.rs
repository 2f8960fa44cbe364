//! What a request costs, in figures that do not depend on the machine: host calls, and wasmtime's fuel. Rules of the house: at most
//! ten host calls for an open route, and a cost that does not grow with the number of routes.

mod drivers;

use drivers::envoy::module;
use drivers::report::say;
use serde_json::{Map, Value, json};
use tollgate_host::{FilterModule, Host, Outcome, Request, Stub};

/// An open route may cross the filter's border this often.
const HOST_CALLS: u64 = 10;

/// The fuel of one request among 10,000 routes over that among 10.
const GROWTH: f64 = 1.05;

fn host(routes: usize) -> Host {
    let integration = |uri: String| {
        json!({"x-amazon-apigateway-integration": {"type": "http_proxy", "uri": uri,
        "requestParameters": {"integration.request.path.id": "method.request.path.id"}}})
    };
    let mock = json!({"get": {"x-amazon-apigateway-integration": {"type": "mock", "requestTemplates": {"application/json": "{statusCode: 200}"},
        "responses": {"default": {"statusCode": 200}}}}});
    let mut paths: Map<String, Value> = (0..routes)
        .map(|n| {
            (
                format!("/r{n:05}/{{id}}"),
                json!({"x-amazon-apigateway-any-method": integration(format!("http://b.test/r{n}/{{id}}"))}),
            )
        })
        .collect();
    paths.insert("/mock".to_owned(), mock);
    let document = json!({
        "apis": [{"name": "a", "definition": {"openapi": "3.0.1", "paths": paths}, "stages": [{"stageName": "prod"}]}],
        "upstreams": {"b.test": {"cluster": "b"}},
    });
    let module = FilterModule::from_file(module()).expect("the module is one");
    let stub = Stub::reply(200, [("content-type", "application/json")], "{}");
    Host::builder(&module).plugin_configuration(document.to_string()).cluster("b", stub).build().expect("the document is served")
}

/// The second of two requests: the first may fill caches.
fn measure(host: &mut Host, path: &str) -> Outcome {
    let request = || Request::get(path).header("user-agent", "test").header("accept", "*/*");
    host.send(request());
    host.send(request())
}

#[test]
fn an_open_route_makes_few_host_calls() {
    let mut host = host(10);
    for (path, status) in [("/prod/r00007/42", 200), ("/prod/mock", 200), ("/prod/nowhere", 403)] {
        let outcome = measure(&mut host, path);
        assert_eq!(outcome.response.status(), status, "{path}");
        let calls = outcome.total_host_calls();
        say(&format!("{path}: {calls} host calls {:?}, {} fuel\n", outcome.host_calls, outcome.fuel));
        assert!(outcome.total_host_calls() <= HOST_CALLS, "{path}: {:?}", outcome.host_calls);
    }
}

#[test]
fn the_number_of_routes_does_not_change_the_cost_of_a_request() {
    let [few, many] = [10, 10_000].map(|routes| {
        let outcome = measure(&mut host(routes), &format!("/prod/r{:05}/42", routes - 1));
        assert_eq!(outcome.response.status(), 200);
        outcome.fuel
    });
    #[expect(clippy::cast_precision_loss, reason = "fuel is far below 2^52")]
    let ratio = many as f64 / few as f64;
    say(&format!("fuel among 10 routes {few}, among 10,000 {many}: {ratio:.3}\n"));
    assert!(ratio <= GROWTH, "{many} / {few} = {ratio:.3}");
}
