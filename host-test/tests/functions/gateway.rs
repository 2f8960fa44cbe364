//! A gateway in front of functions: a real Envoy, configured as people configure it who start from `envoy/edge.yaml`, and what every
//! gateway must hand over to a function.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::drivers::body::Body;
use crate::drivers::case::Request;
use crate::drivers::edge::{Configuration, Template};
use crate::drivers::envoy::{command, module, workspace};
use crate::drivers::http1::{Message, exchange};
use crate::lambda::{file, json, status};

/// How long Envoy may take to listen: V8 compiles the module first.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Envoy; killed when it is dropped.
pub struct Gateway {
    process: Child,
    folder: PathBuf,
    address: SocketAddr,
}

/// The recorded event of a REST API (format 1.0).
const REST: [&str; 12] = [
    "body",
    "headers",
    "httpMethod",
    "isBase64Encoded",
    "multiValueHeaders",
    "multiValueQueryStringParameters",
    "path",
    "pathParameters",
    "queryStringParameters",
    "requestContext",
    "resource",
    "stageVariables",
];

const REST_CONTEXT: [&str; 16] = [
    "accountId",
    "apiId",
    "deploymentId",
    "domainName",
    "domainPrefix",
    "extendedRequestId",
    "httpMethod",
    "identity",
    "path",
    "protocol",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "resourceId",
    "resourcePath",
    "stage",
];

const IDENTITY: [&str; 12] = [
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "sourceIp",
    "user",
    "userAgent",
    "userArn",
];

/// Format 2.0 with all that a request can bring; nothing stands there that it does not.
const TWO: [&str; 10] = [
    "body",
    "headers",
    "isBase64Encoded",
    "pathParameters",
    "queryStringParameters",
    "rawPath",
    "rawQueryString",
    "requestContext",
    "routeKey",
    "version",
];

const TWO_CONTEXT: [&str; 10] =
    ["accountId", "apiId", "domainName", "domainPrefix", "http", "requestId", "routeKey", "stage", "time", "timeEpoch"];

/// Asks a gateway for a path of a domain.
pub fn get(address: SocketAddr, host: &str, path: &str, headers: &[(&str, &str)]) -> Message {
    send(address, "GET", host, path, headers, "")
}

fn send(address: SocketAddr, method: &str, host: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Message {
    let mut request = Request::new(method, path).with_body(Body::text(body));
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    request.headers = [("host", host)].iter().chain(headers).map(pair).collect();
    exchange(address, &request).unwrap_or_else(|error| panic!("no answer to {method} {path}: {error}"))
}

/// The event that a function got, which is its answer.
fn event(message: &Message) -> Value {
    assert_eq!(status(message), 200, "{}", String::from_utf8_lossy(&message.body));
    assert_eq!(message.header("content-type"), Some("application/json"));
    assert!(message.header("x-pid").is_some());
    json(message)
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> =
        value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// The function gets what API Gateway hands over, neither more nor less.
pub fn assert_events(address: SocketAddr) {
    let json_type = ("content-type", "application/json");
    let rest = event(&send(address, "POST", "rest.test", "/test/echo/a/b?q=1&q=2", &[json_type], r#"{"a": 1}"#));
    assert_eq!(keys(&rest), REST);
    assert_eq!(keys(&rest["requestContext"]), REST_CONTEXT);
    assert_eq!(keys(&rest["requestContext"]["identity"]), IDENTITY);
    assert_eq!(rest["body"], r#"{"a": 1}"#);
    assert_eq!(rest["multiValueQueryStringParameters"]["q"], serde_json::json!(["1", "2"]));
    assert_eq!(rest["pathParameters"]["proxy"], "a/b");

    let one = event(&get(address, "http.test", "/one/7?q=1", &[]));
    let mut with_version = [REST.as_slice(), &["version"]].concat();
    with_version.sort_unstable();
    assert_eq!(keys(&one), with_version);
    assert_eq!(one["version"], "1.0");
    assert_eq!(one["requestContext"]["authorizer"], serde_json::json!({"claims": null, "scopes": null}));

    let headers = [json_type, ("user-agent", "test"), ("origin", "https://page.example")];
    let two = event(&send(address, "POST", "http.test", "/two/7?q=1", &headers, r#"{"a": 1}"#));
    assert_eq!(keys(&two), TWO);
    assert_eq!(keys(&two["requestContext"]), TWO_CONTEXT);
    assert_eq!(keys(&two["requestContext"]["http"]), ["method", "path", "protocol", "sourceIp", "userAgent"]);
    assert_eq!((&two["version"], &two["pathParameters"]["id"]), (&"2.0".into(), &"7".into()));
    let bare = event(&get(address, "http.test", "/two/7", &[("cookie", "a=1; b=2")]));
    assert!(!keys(&bare).contains(&"body") && !keys(&bare).contains(&"queryStringParameters"), "{bare}");
    assert_eq!(bare["cookies"], serde_json::json!(["a=1", "b=2"]));
}

// === impl Gateway ===

impl Gateway {
    /// Starts one whose Lambda is at an address.
    pub fn start(lambda: SocketAddr) -> Self {
        let folder = workspace().join("target/envoy").join(format!("functions-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("target/ can be written");
        std::fs::write(folder.join("bootstrap.json"), bootstrap(lambda).to_string()).expect("target/ can be written");
        let mut command = command(&folder, 1);
        let mut process = command.spawn().expect("the Envoy binary can be run");
        let end = Instant::now() + PATIENCE;
        loop {
            let admin = std::fs::read_to_string(folder.join("admin")).ok().and_then(|text| text.trim().parse().ok());
            if let Some(address) = admin.and_then(listens) {
                return Self { process, folder, address };
            }
            let gone = process.try_wait().expect("a child can be asked");
            assert!(gone.is_none() && Instant::now() < end, "Envoy does not listen ({gone:?}); see {}", folder.display());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.folder.join("envoy.log")).unwrap_or_default());
        }
    }
}

/// The address of the listener, once somebody accepts connections there.
fn listens(admin: SocketAddr) -> Option<SocketAddr> {
    let listeners = exchange(admin, &Request::new("GET", "/listeners?format=json")).ok()?;
    let listeners: Value = serde_json::from_slice(&listeners.body).ok()?;
    let port = listeners["listener_statuses"][0]["local_address"]["socket_address"]["port_value"].as_u64()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).ok().filter(|port| *port != 0)?));
    TcpStream::connect(address).ok().map(|_| address)
}

fn bootstrap(lambda: SocketAddr) -> Value {
    let template = Template::read(&workspace().join("envoy/edge.yaml")).expect("the template is YAML");
    let mut cluster = template.cluster("lambda", &lambda.ip().to_string(), lambda.port());
    cluster["type"] = "STATIC".into();
    let text = std::fs::read_to_string(file("gateway.yaml")).expect("it is there");
    let mut document: serde_norway::Value = serde_norway::from_str(&text).expect("it is YAML");
    document.apply_merge().expect("its merges have something to merge");
    let document = serde_json::to_value(document).expect("it is what JSON can say");
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    // With its `functions`, of which the module knows that they are not its own.
    let configuration = Configuration::Text(document.to_string());
    let listener = template.listener("gateway", loopback, &module(), &configuration);
    template.bootstrap(loopback, vec![listener], vec![cluster])
}
