//! What a request costs, in figures that do not depend on the machine: host calls, and wasmtime's fuel. Rules of the house: at most
//! ten host calls for an open route, twelve for one whose caller is known already, none for its limits but for the request that takes
//! a lot of them (two for each limit, three for a plan's two), three more to measure it (when it ended, two latencies; counts are
//! handed over by the second, and not by the request), and a cost that does not grow with the number of routes or keys. What a VM
//! holds of each route is bounded, too.

mod drivers;

use drivers::envoy::module;
use drivers::report::say;
use drivers::tokens::{Tokens, put_keys, put_tokens};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use std::time::Duration;
use tollgate_host::{Clock, FilterModule, Host, Outcome, Request, Stub};

/// An open route may cross the filter's border this often.
const HOST_CALLS: u64 = 10 + MEASURING;

/// A route whose caller was let in before (a token that was verified, a function that was asked), this often.
const WARM_HOST_CALLS: u64 = 12 + MEASURING;

/// To say how long it took: numbers that go out, a tenth of a microsecond each.
const MEASURING: u64 = 3;

/// The fuel of one request among 10,000 routes or keys over that among 10.
const GROWTH: f64 = 1.05;

/// The wasm memory of each route more, an ANY with a limit and a mapping, with what its compilation took: a VM keeps that, too.
const ROUTE_BYTES: usize = 1900;

/// The fuel of each byte of a body that goes into a function's event.
const EVENT_FUEL: f64 = 60.0;

/// Compiled once for all tests.
static MODULE: LazyLock<FilterModule> = LazyLock::new(|| FilterModule::from_file(module()).expect("the module is one"));

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
    // Counted at the method and at the account.
    let settings =
        json!({"stageName": "prod", "methodSettings": {"*/*": {"throttlingRateLimit": 1000, "throttlingBurstLimit": 1000}}});
    let document = json!({
        "apis": [{"name": "a", "definition": {"openapi": "3.0.1", "paths": paths}, "stages": [settings]}],
        "upstreams": {"b.test": {"cluster": "b"}},
    });
    let stub = Stub::reply(200, [("content-type", "application/json")], "{}");
    Host::builder(&MODULE).plugin_configuration(document.to_string()).cluster("b", stub).build().expect("the document is served")
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

/// A template as people deploy it: those of the benchmark.
fn template(name: &str) -> String {
    let file = drivers::envoy::workspace().join("filter/benches/templates").join(format!("{name}.vtl"));
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// An HTTP integration with a template on the way to the backend, or on the way back, or both; and a MOCK with both.
fn mapped(request: Option<&str>, response: Option<&str>) -> Host {
    let of = |text: Option<&str>| text.map_or(json!({}), |text| json!({"application/json": text}));
    let route = |mut integration: Value| {
        integration["responses"] = json!({"default": {"statusCode": 200, "responseTemplates": of(response),
            "responseParameters": {"method.response.header.x-kind": "'mapped'"}}});
        json!({"post": {"responses": {"default": {"description": ""}}, "x-amazon-apigateway-integration": integration}})
    };
    let http = json!({"type": "http", "httpMethod": "POST", "uri": "http://b.test/", "requestTemplates": of(request),
        "requestParameters": {"integration.request.header.x-id": "context.requestId"}});
    let mock = json!({"type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200, \"of\": $input.json('$')}"}});
    let document = json!({
        "apis": [{"name": "a", "definition": {"openapi": "3.0.1", "paths": {"/http": route(http), "/mock": route(mock)}},
            "stages": [{"stageName": "prod"}]}],
        "upstreams": {"b.test": {"cluster": "b"}},
    });
    let stub = Stub::reply(200, [("content-type", "application/json"), ("x-envoy-upstream-service-time", "1")], r#"{"Items":[]}"#);
    Host::builder(&MODULE)
        .plugin_configuration(document.to_string())
        .allow_on_headers_stop_iteration(true)
        .buffer_limit(10 << 20)
        .cluster("b", stub)
        .build()
        .unwrap_or_else(|e| panic!("{e}: {:?}", e.logs()))
}

fn post(host: &mut Host, path: &str, body: String) -> Outcome {
    host.send(Request::post(path, body).header("content-type", "application/json").header("accept", "*/*"))
}

/// An HTTP integration is a call of its own, with a head and a body on both sides, and an answer that the filter gives: 16 host calls
/// instead of 13. The first template that looks at `$context` asks for the client's address.
#[test]
fn templates_cost_no_host_calls_but_for_the_client_s_address() {
    let (both, plain) = (template("passthrough"), None);
    // What is asked, and what it takes.
    for (what, request, response, path, expected) in [
        ("HTTP, nothing mapped", plain, plain, "/prod/http", 16),
        ("HTTP, a request template", Some(both.as_str()), plain, "/prod/http", 17),
        ("HTTP, a response template", plain, Some(both.as_str()), "/prod/http", 17),
        ("HTTP, both", Some(both.as_str()), Some(both.as_str()), "/prod/http", 17),
        ("MOCK, both", plain, Some(both.as_str()), "/prod/mock", 11),
    ] {
        let mut host = mapped(request, response);
        post(&mut host, path, r#"{"a":1}"#.to_owned());
        let outcome = post(&mut host, path, r#"{"a":1}"#.to_owned());
        assert_eq!(outcome.response.status(), 200, "{what}: {:?}", outcome.logs);
        let calls = outcome.total_host_calls();
        say(&format!("{what}: {calls} host calls {:?}, {} fuel\n", outcome.host_calls, outcome.fuel));
        assert_eq!(calls, expected, "{what}: {:?}", outcome.host_calls);
    }
}

/// What a query of DynamoDB answers: 50 items, as long as they must be for about so many bytes.
fn items(size: usize) -> String {
    let message = "so long, and \\\"thanks\\\" for all the fish ".repeat((size / 50).saturating_sub(110) / 40 + 1);
    let item = |n: usize| {
        format!(
            r#"{{"commentId":{{"S":"{n:08}"}},"userName":{{"S":"user {n}"}},"likes":{{"N":"{n}"}},"message":{{"S":"{message}"}}}}"#
        )
    };
    format!(r#"{{"Count":50,"Items":[{}]}}"#, (0..50).map(item).collect::<Vec<_>>().join(","))
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "fuel and sizes are far below 2^52")]
fn a_template_costs_as_much_more_as_its_body_is_longer() {
    for name in ["dynamodb-query", "sqs-send-message", "passthrough"] {
        let mut host = mapped(Some(&template(name)), None);
        let [little, much] = [100 << 10, 1 << 20].map(|size| {
            let body = items(size);
            let length = body.len() as f64;
            post(&mut host, "/prod/http", body.clone());
            let outcome = post(&mut host, "/prod/http", body);
            assert_eq!(outcome.response.status(), 200, "{name}: {:?}", outcome.logs);
            (length, outcome.fuel as f64)
        });
        let (longer, dearer) = (much.0 / little.0, much.1 / little.1);
        say(&format!(
            "{name}: {} bytes {} fuel, {} bytes {} fuel: {dearer:.2} of {longer:.2}\n",
            little.0, little.1, much.0, much.1
        ));
        assert!(dearer <= longer * GROWTH, "{name}: {dearer:.2} times the fuel for {longer:.2} times the bytes");
    }
}

/// One HTTP_PROXY route for each kind of authorizer, with the same issuer, function and user.
fn guarded(protocol: &str) -> Value {
    let header = if protocol == "HTTP" { "$request.header.Authorization" } else { "method.request.header.Authorization" };
    let jwt = match protocol {
        "HTTP" => json!({"type": "jwt", "identitySource": header, "jwtConfiguration": {"issuer": ISSUER, "audience": ["a"]}}),
        _ => json!({"type": "cognito_user_pools", "providerARNs": ["arn:aws:cognito-idp:us-east-1:1:userpool/us-east-1_pool"]}),
    };
    let lambda = json!({"type": "request", "identitySource": header, "authorizerUri": "http://f.test/", "authorizerResultTtlInSeconds": 60,
        "authorizerPayloadFormatVersion": "1.0"});
    let scheme = |authorizer: Value| json!({"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authorizer": authorizer});
    let route = |security: Value| {
        json!({"get": {"security": security, "x-amazon-apigateway-integration": {
            "type": "http_proxy", "httpMethod": "GET", "uri": "http://b.test/", "payloadFormatVersion": "1.0"}}})
    };
    let mut document = json!({
        "apis": [{
            "name": "a", "protocol": protocol, "stages": [{"stageName": "prod"}],
            "definition": {
                "openapi": "3.0.1",
                "components": {"securitySchemes": {"jwt": scheme(jwt), "lambda": scheme(lambda)}},
                "paths": {"/jwt": route(json!([{"jwt": []}])), "/lambda": route(json!([{"lambda": []}]))},
            },
        }],
        "issuers": {ISSUER: {"jwks": "{{jwks}}"}},
        "upstreams": {"b.test": {"cluster": "b"}, "f.test": {"cluster": "f"}},
    });
    put_keys(&mut document);
    document
}

const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool";

#[test]
fn a_caller_who_is_known_costs_few_host_calls() {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let answer = json!({"principalId": "p", "policyDocument": policy}).to_string();
    let claims = json!({"iss": ISSUER, "aud": "a", "token_use": "id", "sub": "u", "exp": "now+3600", "iat": "now-10"});
    let tokens: Tokens = serde_json::from_value(json!({"good": {"key": "rs256", "claims": claims}})).expect("a token");
    for protocol in ["REST", "HTTP"] {
        let mut host = Host::builder(&MODULE)
            .plugin_configuration(guarded(protocol).to_string())
            .cluster("b", Stub::reply(200, [("content-type", "application/json")], "{}"))
            .cluster("f", Stub::reply(200, [("content-type", "application/json")], answer.clone()))
            .build()
            .expect("the document is served");
        let token = put_tokens("Bearer {{token:good}}", &tokens, host.clock().wall());
        for path in ["/prod/jwt", "/prod/lambda"] {
            let request = || Request::get(path).header("user-agent", "test").header("authorization", token.clone());
            let cold = host.send(request());
            let warm = host.send(request());
            assert_eq!((cold.response.status(), warm.response.status()), (200, 200), "{protocol} {path}: {:?}", warm.logs);
            let calls = warm.total_host_calls();
            say(&format!(
                "{protocol} {path}: warm {calls} host calls {:?}, {} fuel; cold {} fuel\n",
                warm.host_calls, warm.fuel, cold.fuel
            ));
            assert!(calls <= WARM_HOST_CALLS, "{protocol} {path}: {:?}", warm.host_calls);
            assert_eq!(warm.upstream_requests.len(), 1, "{protocol} {path}: nobody but the backend is asked");
        }
    }
}

#[test]
fn the_number_of_routes_does_not_change_the_cost_of_a_request() {
    let [(few, small), (many, large)] = [10, 10_000].map(|routes| {
        let mut host = host(routes);
        let memory = host.worker().memory_size();
        let outcome = measure(&mut host, &format!("/prod/r{:05}/42", routes - 1));
        assert_eq!(outcome.response.status(), 200);
        (outcome.fuel, memory)
    });
    let each = (large - small) / 9_990;
    say(&format!("wasm memory with 10 routes {small}, with 10,000 {large}: {each} bytes a route\n"));
    assert!(each <= ROUTE_BYTES, "{each} bytes a route");
    #[expect(clippy::cast_precision_loss, reason = "fuel is far below 2^52")]
    let ratio = many as f64 / few as f64;
    say(&format!("fuel among 10 routes {few}, among 10,000 {many}: {ratio:.3}\n"));
    assert!(ratio <= GROWTH, "{many} / {few} = {ratio:.3}");
}

/// MOCK routes that require a key of one of so many, all on one plan with so high limits.
fn keyed(keys: usize, rate: f64, limit: u64, stage: &Value) -> Value {
    let mock = json!({"type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {"statusCode": "200"}}});
    let route = |security: Value| json!({"get": {"security": security, "responses": {"200": {"description": ""}}, "x-amazon-apigateway-integration": mock}});
    let name = |number: usize| format!("k{number}");
    json!({
        "apis": [{"name": "a", "stages": [stage], "definition": {
            "openapi": "3.0.1",
            "paths": {"/open": route(json!([])), "/keyed": route(json!([{"api_key": []}]))},
            "components": {"securitySchemes": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}},
        }}],
        "apiKeys": (0..keys).map(|n| json!({"name": name(n), "value": key(n)})).collect::<Vec<_>>(),
        "usagePlans": [{
            "usagePlanName": "p", "apiStages": [{"api": "a", "stage": "prod"}], "keys": (0..keys).map(name).collect::<Vec<_>>(),
            "throttle": {"rateLimit": rate, "burstLimit": rate.ceil()}, "quota": {"limit": limit, "period": "MONTH"},
        }],
    })
}

fn key(number: usize) -> String {
    format!("the-value-of-key-number-{number:08}")
}

fn serve(document: &Value) -> Host {
    Host::builder(&MODULE).plugin_configuration(document.to_string()).build().unwrap_or_else(|e| panic!("{e}: {:?}", e.logs()))
}

/// Requests of which an average is made.
const MANY: u32 = 1_000;

/// What it may be above that of a request that finds what it needs: so rarely is a lot taken.
const LOTS: f64 = 0.2;

#[test]
fn a_request_that_is_counted_makes_few_host_calls() {
    let plain = json!({"stageName": "prod"});
    let throttling = |rate: u32, burst: u32| json!({"stageName": "prod", "methodSettings": {"*/*": {"throttlingRateLimit": rate, "throttlingBurstLimit": burst}}});
    let (settings, small, closed) = (throttling(10_000, 5_000), throttling(100, 100), throttling(0, 0));
    let of = |rate, limit, stage: &Value| keyed(10, rate, limit, stage);
    let unlimited = {
        let mut document = of(5_000.0, 1_000_000, &plain);
        document["account"] = json!({"throttleSettings": {"rateLimit": -1, "burstLimit": -1}});
        document
    };
    // What is asked, its status, what it takes, and what it takes at most, with lots of all that counts: docs/api-keys.md has the same
    // figures.
    for (what, document, path, status, most_requests, any_request) in [
        ("open, no limits at all", unlimited, "/prod/open", 200, 6, 6),
        ("open, the account's limit", of(5_000.0, 1_000_000, &plain), "/prod/open", 200, 6, 8),
        ("open, method settings", of(5_000.0, 1_000_000, &settings), "/prod/open", 200, 6, 10),
        ("key and plan", of(5_000.0, 1_000_000, &plain), "/prod/keyed", 200, 6, 11),
        ("key and plan, method settings", of(5_000.0, 1_000_000, &settings), "/prod/keyed", 200, 6, 13),
        ("open, small method settings", of(5_000.0, 1_000_000, &small), "/prod/open", 200, 8, 10),
        ("throttled by the stage", of(5_000.0, 1_000_000, &closed), "/prod/open", 429, 6, 6),
        ("throttled by the plan", of(0.0, 1_000_000, &plain), "/prod/keyed", 429, 6, 6),
        ("over the quota", of(5_000.0, 1, &plain), "/prod/keyed", 429, 7, 7),
    ] {
        let mut host = serve(&document);
        let request = || Request::get(path).header("user-agent", "test").header("accept", "*/*").header("x-api-key", key(3));
        host.send(request());
        host.advance(Duration::from_millis(10));
        // The first ones take lots of one, two, four.
        let (mut all, mut most, mut least) = (0, 0, (u64::MAX, 0));
        for _ in 0..MANY {
            let outcome = host.send(request());
            assert_eq!(outcome.response.status(), status, "{what}");
            let calls = outcome.total_host_calls();
            (all, most, least) = (all + calls, most.max(calls), least.min((calls, outcome.fuel)));
            host.advance(Duration::from_millis(10));
        }
        #[expect(clippy::cast_precision_loss, reason = "so many calls are far below 2^52")]
        let average = all as f64 / f64::from(MANY);
        let (calls, fuel) = least;
        say(&format!("{what}: {calls} host calls and {fuel} fuel, {most} at most, {average:.3} on average\n"));
        assert_eq!((calls, most), (most_requests, any_request), "{what}: {average:.3} on average");
        assert!(average <= f64::from(calls as u32) + LOTS, "{what}: {average} on average");
        assert!(path != "/prod/open" || most <= HOST_CALLS, "{what}: {most}");
    }
}

#[test]
fn the_number_of_keys_does_not_change_the_cost_of_a_request() {
    let stage = json!({"stageName": "prod"});
    let [few, many] = [10, 10_000].map(|keys| {
        let document = keyed(keys, 1000.0, 1_000_000, &stage).to_string();
        let size = document.len();
        let start = std::time::Instant::now();
        let mut host = Host::builder(&MODULE).plugin_configuration(document).build().expect("the document is served");
        let (took, memory) = (start.elapsed(), host.worker().memory_size());
        // What it costs to find a key depends on the key: the same number of them for both.
        let fuel: u64 = (0..10)
            .map(|number| {
                let request = || Request::get("/prod/keyed").header("x-api-key", key(number * (keys / 10)));
                host.send(request());
                let outcome = host.send(request());
                assert_eq!(outcome.response.status(), 200);
                outcome.fuel
            })
            .sum();
        let grown = host.worker().memory_size() - memory;
        say(&format!("{keys} keys: a document of {size} bytes, configured in {took:?}; {fuel} fuel for ten requests\n"));
        say(&format!("{keys} keys: {memory} bytes of wasm memory, and {grown} more after requests\n"));
        fuel
    });
    #[expect(clippy::cast_precision_loss, reason = "fuel is far below 2^52")]
    let ratio = many as f64 / few as f64;
    say(&format!("fuel among 10 keys {few}, among 10,000 {many}: {ratio:.3}\n"));
    assert!(ratio <= GROWTH, "{many} / {few} = {ratio:.3}");
}

/// A function behind a REST API.
fn function() -> Host {
    let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations";
    let integration = json!({"type": "aws_proxy", "httpMethod": "POST", "uri": uri});
    let document = json!({
        "apis": [{"name": "a", "definition": {"openapi": "3.0.1", "paths": {"/f": {"post": {"x-amazon-apigateway-integration": integration}}}},
            "stages": [{"stageName": "prod"}]}],
        "upstreams": {"lambda.us-east-1.amazonaws.com": {"cluster": "f"}},
    });
    let output = r#"{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"a\":1}"}"#;
    let stub = Stub::reply(200, [("content-type", "application/json"), ("x-envoy-upstream-service-time", "1")], output);
    Host::builder(&MODULE)
        .plugin_configuration(document.to_string())
        .allow_on_headers_stop_iteration(true)
        .buffer_limit(10 << 20)
        .cluster("f", stub)
        .build()
        .unwrap_or_else(|e| panic!("{e}: {:?}", e.logs()))
}

/// As many host calls as an HTTP integration with a template that looks at `$context`: the event tells the client's address. What a
/// longer body costs more is no more than its length, and it crosses the border twice: as the client's body, and in the event.
#[test]
#[expect(clippy::cast_precision_loss, reason = "fuel and sizes are far below 2^52")]
fn a_function_costs_few_host_calls_and_as_much_more_as_its_event_is_longer() {
    let mut host = function();
    let line = r#"{"message": "so long, and thanks for all the fish"}"#;
    let escapes = line.matches('"').count() as f64 / line.len() as f64;
    let [little, half, much] = [1 << 10, 1 << 19, 1 << 20].map(|size| {
        let body = line.repeat(size / line.len() + 1)[..size].to_owned();
        post(&mut host, "/prod/f", body.clone());
        let outcome = post(&mut host, "/prod/f", body);
        assert_eq!(outcome.response.status(), 200, "{:?}", outcome.logs);
        let calls = outcome.total_host_calls();
        let Outcome { fuel, bytes_copied, ref host_calls, .. } = outcome;
        say(&format!("a function, {size} bytes: {calls} host calls {host_calls:?}, {fuel} fuel, {bytes_copied} bytes copied\n"));
        // Two fewer where something is left of the account's lot.
        assert!(calls == 17 || calls == 15, "{host_calls:?}");
        (size as f64, fuel as f64, bytes_copied as f64)
    });
    let fuel = |(from, to): ((f64, f64, f64), (f64, f64, f64))| (to.1 - from.1) / (to.0 - from.0);
    let (first, second) = (fuel((little, half)), fuel((half, much)));
    let copied = (much.2 - little.2) / (much.0 - little.0);
    say(&format!(
        "a function: {first:.1} fuel for each byte of the first half, {second:.1} of the second, {copied:.2} bytes copied\n"
    ));
    assert!(second <= first * GROWTH, "{second} fuel a byte after {first}");
    assert!(first <= EVENT_FUEL, "{first} fuel a byte");
    // A quote is two bytes of the event.
    assert!(copied <= 2.0 + escapes + 0.01, "{copied} bytes copied a byte");
}

/// The memory of a VM never shrinks: of what an issuer answers no more comes in than a key set may have.
#[test]
fn an_issuer_that_answers_far_too_much_costs_no_memory_for_it() {
    const GROWTH: usize = 1 << 20;
    let scheme = json!({"type": "oauth2", "x-amazon-apigateway-authorizer": {"type": "jwt",
        "identitySource": "$request.header.Authorization", "jwtConfiguration": {"issuer": "https://i.test", "audience": ["a"]}}});
    let route = json!({"security": [{"s": []}], "x-amazon-apigateway-integration": {
        "type": "http_proxy", "httpMethod": "GET", "uri": "http://b.test/", "payloadFormatVersion": "1.0"}});
    let document = json!({
        "apis": [{"name": "a", "protocol": "HTTP", "stages": [{"stageName": "$default"}], "definition": {
            "openapi": "3.0.1", "paths": {"/a": {"get": route}}, "components": {"securitySchemes": {"s": scheme}}}}],
        "upstreams": {"i.test": {"cluster": "i"}, "b.test": {"cluster": "b"}},
    });
    let issuer = Stub::reply(200, [("content-type", "application/json")], vec![b' '; 8 << 20]);
    let stub = Stub::reply(200, [], "{}");
    let builder = Host::builder(&MODULE).plugin_configuration(document.to_string()).cluster("i", issuer).cluster("b", stub);
    let mut host = builder.build().unwrap_or_else(|e| panic!("{e}: {:?}", e.logs()));
    let before = host.worker().memory_size();
    host.advance(std::time::Duration::from_secs(20));
    let asked = host.take_upstream_requests().len();
    let grown = host.worker().memory_size() - before;
    say(&format!("an issuer with 8 MB, asked {asked} times: {grown} bytes of wasm memory\n"));
    assert!(asked >= 5, "asked {asked} times only");
    assert!(grown <= GROWTH, "{grown} bytes");
}
