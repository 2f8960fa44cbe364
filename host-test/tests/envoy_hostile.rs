//! A real Envoy under what no polite client sends, and under configurations that do not compile: an HTTP error or a normal answer,
//! the next request is served, no VM is made anew, and the old configuration goes on serving. Needs ENVOY and the module:
//! `make test` brings both.

mod drivers;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use drivers::case::Backend;
use drivers::edge::Configuration;
use drivers::envoy::{Envoy, Plugins};
use drivers::http1::{Message, exchange_raw};
use serde_json::{Value, json};

const LISTENER: &str = "gateway";
const CLUSTER: &str = "backend.test";

fn mock(body: &str) -> Value {
    json!({"get": {"responses": {"200": {"description": "ok"}}, "x-amazon-apigateway-integration": {
        "type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": body}}}}}})
}

fn document(greeting: &str) -> Value {
    let proxy = json!({"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": {
        "type": "http_proxy", "httpMethod": "ANY", "uri": "http://backend.test/{proxy}",
        "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"}}}});
    // Reads the body: no template is for `text/plain`.
    let body =
        json!({"post": {"x-amazon-apigateway-integration": {"type": "mock", "responses": {"default": {"statusCode": 200}}}}});
    json!({
        "apis": [{"name": "a", "stages": [{"stageName": "prod"}], "definition": {"openapi": "3.0.1", "paths": {
            "/hello": mock(greeting), "/proxy/{proxy+}": proxy, "/body": body}}}],
        "upstreams": {CLUSTER: {"cluster": CLUSTER}},
    })
}

fn plugins(document: Configuration) -> Plugins {
    [(LISTENER.to_owned(), document)].into()
}

fn start(label: &str, configuration: Configuration) -> (Envoy, SocketAddr) {
    let clusters = BTreeSet::from([CLUSTER.to_owned()]);
    let mut envoy = Envoy::start(label, &clusters, &plugins(configuration));
    envoy.play(CLUSTER, &Backend::default());
    let address = envoy.address(LISTENER).expect("the document is served");
    (envoy, address)
}

fn get(address: SocketAddr, target: &[u8], lines: &[&[u8]]) -> std::io::Result<Message> {
    send(address, "GET", target, lines, b"")
}

fn send(address: SocketAddr, method: &str, target: &[u8], lines: &[&[u8]], body: &[u8]) -> std::io::Result<Message> {
    let mut wire = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\n"].concat();
    if !lines.iter().any(|line| line.to_ascii_lowercase().starts_with(b"host:")) {
        wire.extend(b"host: gateway.test\r\n");
    }
    for line in lines {
        wire.extend([*line, b"\r\n"].concat());
    }
    wire.extend(b"connection: close\r\n\r\n");
    wire.extend(body);
    exchange_raw(address, &wire, method)
}

fn greeting(address: SocketAddr) -> String {
    let message = get(address, b"/prod/hello", &[]).expect("an ordinary request is answered");
    String::from_utf8(message.body).expect("the greeting is text")
}

/// Name, method, target, header lines, body, and the statuses that are right.
struct Hostile {
    name: &'static str,
    method: &'static str,
    target: Vec<u8>,
    lines: Vec<Vec<u8>>,
    body: Vec<u8>,
    statuses: &'static [u16],
}

fn hostile(name: &'static str, target: &[u8], lines: Vec<Vec<u8>>, statuses: &'static [u16]) -> Hostile {
    Hostile { name, method: "GET", target: target.to_vec(), lines, body: Vec::new(), statuses }
}

fn requests() -> Vec<Hostile> {
    let line = |text: &str| vec![text.as_bytes().to_vec()];
    let numbered = |count: usize| (0..count).map(|n| format!("x-{n}: {n}").into_bytes()).collect();
    let post =
        |name, target: &[u8], lines, body, statuses| Hostile { method: "POST", body, ..hostile(name, target, lines, statuses) };
    vec![
        hostile("a header value that is no UTF-8", b"/prod/hello", vec![b"x-bin: \xff\xfe".to_vec()], &[200]),
        hostile("the same to a backend", b"/prod/proxy/x", vec![b"x-bin: \xff\xfe".to_vec()], &[200]),
        hostile("the same as authorization where no route is", b"/prod/none", vec![b"authorization: \xff\xfe".to_vec()], &[403]),
        hostile("100 KB of path", &[b"/prod/".as_slice(), &b"a/".repeat(50_000)].concat(), Vec::new(), &[431]),
        hostile("50 KB of path", &[b"/prod/proxy/".as_slice(), &b"a/".repeat(25_000)].concat(), Vec::new(), &[200]),
        hostile("1,000 headers", b"/prod/hello", numbered(1_000), &[431]),
        hostile("90 headers", b"/prod/proxy/x", numbered(90), &[200]),
        hostile("a NUL in the path", b"/prod/a%00b", Vec::new(), &[400]),
        hostile("dot segments", b"/prod/../secret", Vec::new(), &[400]),
        hostile("encoded dot segments", b"/prod/proxy/%2e%2e/x", Vec::new(), &[400]),
        hostile("a backslash", b"/prod\\hello", Vec::new(), &[400]),
        hostile("bytes above ASCII in the path", b"/prod/\xff\xfe", Vec::new(), &[400]),
        hostile(
            "two Authorization lines",
            b"/prod/hello",
            vec![b"authorization: a".to_vec(), b"authorization: b".to_vec()],
            &[200],
        ),
        hostile("a Host of two names", b"/prod/hello", line("host: a.test,b.test"), &[400]),
        hostile("two Host lines", b"/prod/hello", vec![b"host: a.test".to_vec(), b"host: b.test".to_vec()], &[400]),
        hostile("a cluster of the client's choice", b"/prod/proxy/x", line("x-tollgate-cluster: evil"), &[200]),
        Hostile { method: "BREW", ..hostile("a method nobody knows", b"/prod/hello", Vec::new(), &[400, 403]) },
        post(
            "content-length beside chunked",
            b"/prod/proxy/x",
            vec![b"content-length: 5".to_vec(), b"transfer-encoding: chunked".to_vec()],
            b"0\r\n\r\n".to_vec(),
            &[400],
        ),
        post("12 MB to a backend", b"/prod/proxy/x", line("content-length: 12000000"), vec![b'x'; 12_000_000], &[413]),
        post("12 MB to a route that reads it", b"/prod/body", line("content-length: 12000000"), vec![b'x'; 12_000_000], &[413]),
        post("a length beyond all machines", b"/prod/body", line("content-length: 99999999999999999999"), Vec::new(), &[400, 413]),
        post(
            "a gRPC request where no route is",
            b"/prod/none",
            vec![b"content-type: application/grpc".to_vec(), b"content-length: 0".to_vec()],
            Vec::new(),
            &[403],
        ),
    ]
}

#[test]
fn a_hostile_request_costs_its_sender_an_answer_and_nobody_else_anything() {
    let (envoy, address) = start("hostile", Configuration::Text(document("hello").to_string()));
    let mut wrong = Vec::new();
    for request in requests() {
        let lines: Vec<&[u8]> = request.lines.iter().map(Vec::as_slice).collect();
        let answer = send(address, request.method, &request.target, &lines, &request.body);
        let status = answer.as_ref().ok().and_then(|message| message.status().ok());
        if !status.is_some_and(|status| request.statuses.contains(&status)) {
            wrong.push(format!("{}: {answer:?}, not one of {:?}", request.name, request.statuses));
        }
        assert_eq!(greeting(address), "hello", "the request after `{}`", request.name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    envoy.assert_no_reloads();
}

#[test]
fn a_document_with_five_mistakes_is_refused_with_five_places_and_the_old_one_serves_on() {
    let (mut envoy, address) = start("reconfigured", Configuration::Text(document("first").to_string()));
    assert_eq!(greeting(address), "first");

    let mut broken = document("broken");
    let api = &mut broken["apis"][0];
    api["stages"][0]["basePth"] = "/x".into();
    let paths = &mut api["definition"]["paths"];
    paths["/hello"]["get"]["x-amazon-apigateway-integration"]["type"] = "mok".into();
    paths["/proxy/{proxy+}"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]["uri"] = "ftp://x".into();
    paths["/body"]["post"]["x-amazon-apigateway-integration"]["responses"]["default"]["statusCode"] = "two hundred".into();
    paths["/extra"] = json!({"get": {}});
    envoy.update(&plugins(Configuration::Text(broken.to_string())));
    let log = envoy.log_of_refused(LISTENER);
    for place in [
        "$.apis[0].stages[0].basePth: unknown key `basePth`",
        "$.apis[0].definition.paths[\"/hello\"].get[\"x-amazon-apigateway-integration\"].type: `mok` is not known here",
        "[\"x-amazon-apigateway-any-method\"][\"x-amazon-apigateway-integration\"].uri: invalid HTTP endpoint",
        "$.apis[0].definition.paths[\"/body\"].post[\"x-amazon-apigateway-integration\"].responses.default.statusCode: expected",
        "$.apis[0].definition.paths[\"/extra\"].get: no integration for `GET /extra`",
    ] {
        assert!(log.contains(place), "`{place}` is not in Envoy's log:\n{log}");
    }
    assert_eq!(greeting(address), "first", "the old configuration goes on serving");

    envoy.update(&plugins(Configuration::Text(document("second").to_string())));
    let address = envoy.address(LISTENER).expect("a good document is taken after a bad one");
    assert_eq!(greeting(address), "second");
    envoy.assert_no_reloads();
}

#[test]
fn an_inline_struct_is_a_document_too() {
    let (envoy, address) = start("struct", Configuration::Struct(document("from a struct")));
    assert_eq!(greeting(address), "from a struct");
    assert_eq!(get(address, b"/prod/proxy/x", &[]).expect("it is answered").status().expect("a status"), 200);
    envoy.assert_no_reloads();
}
