//! `--admin`: a second listener, for whoever operates the server. Clients never reach it by the address of the APIs, nor an API by
//! this one.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tollgate::gateway::Gateway;
use tollgate::usage::Now;
use tollgate_host::{Clock, Shared, SystemClock};

use crate::cli::diagnostics::printable;
use crate::cli::server::{self, Body, text, whole};
use crate::cli::{Failure, routes, usage};

use super::VM_ID;

/// All that is to be had. A new route is one line here.
pub static ROUTES: [Route; 4] = [
    Route { path: "/", about: "this list", answer: |_, _| text(StatusCode::OK, &list(&ROUTES)) },
    Route { path: "/ready", about: "that the definition is served", answer: |_, _| json(&json!({"status": "ready"})) },
    Route { path: "/routes", about: "what is served now", answer: |gateway, _| text(StatusCode::OK, &routes::text(gateway)) },
    Route { path: "/usage", about: "what each API key used of its plan", answer: usage_of },
];

/// Something that an operator can ask for, by GET.
pub struct Route {
    path: &'static str,
    about: &'static str,
    answer: Handler,
}

/// Answers by the configuration that serves at this moment, and by what all configurations have counted.
type Handler = fn(&Arc<Gateway>, &Arc<Shared>) -> Response<Body>;

/// A port of this machine that nobody has.
pub const ANYWHERE: &str = "127.0.0.1:0";

/// Listens. A port alone is one of this machine's own.
pub async fn bind(address: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let address = match address.parse::<u16>() {
        Ok(port) => format!("127.0.0.1:{port}"),
        Err(_) => address.to_owned(),
    };
    server::bind(&address).await.map_err(|failure| failure.help("write another address or port, such as `--admin 127.0.0.1:9901`"))
}

/// What to tell whoever listens where others can ask.
pub fn warning(local: SocketAddr) -> Option<String> {
    let own = local.ip().to_canonical().is_loopback();
    (!own)
        .then(|| format!("warning: whoever reaches `{local}` reads what is meant for the operator, and can send requests from the console: nobody is asked who they are\n"))
}

/// Answers a request.
pub fn answer(routes: &[Route], method: &Method, path: &str, gateway: &Arc<Gateway>, shared: &Arc<Shared>) -> Response<Body> {
    let Some(route) = routes.iter().find(|route| route.path == path) else {
        let words = format!("there is no `{}` here, but:\n{}", printable(path), list(routes));
        return text(StatusCode::NOT_FOUND, words.trim_end());
    };
    if method != Method::GET {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return response;
    }
    (route.answer)(gateway, shared)
}

fn usage_of(gateway: &Arc<Gateway>, shared: &Arc<Shared>) -> Response<Body> {
    json(&usage_report(gateway, shared))
}

/// What the filter's workers counted: not what a rate limit service did, which counts quotas where there is one.
pub fn usage_report(gateway: &Gateway, shared: &Shared) -> Value {
    let nanos = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let now = Now { seconds: SystemClock.wall().as_secs(), nanos: nanos(SystemClock.now()) };
    let read = |slot: &str| shared.get(VM_ID, slot.as_bytes()).map(|(value, _)| value.to_vec());
    usage::to_json(&gateway.plans.report(now, read))
}

fn list(routes: &[Route]) -> String {
    let width = routes.iter().map(|route| route.path.len()).max().unwrap_or_default();
    let lines: Vec<String> = routes.iter().map(|route| format!("GET {:width$}  {}", route.path, route.about)).collect();
    lines.join("\n")
}

fn json(value: &Value) -> Response<Body> {
    let mut response = Response::new(whole(Bytes::from(value.to_string())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tollgate::compile::compile;

    use super::*;

    /// The gateway of a document with one stage.
    fn gateway(stage: &str) -> Arc<Gateway> {
        let definition =
            json!({"openapi": "3.0.1", "paths": {"/pets": {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}}});
        let document =
            json!({"apis": [{"name": "a", "protocol": "REST", "definition": definition, "stages": [{"stageName": stage}]}]});
        let compiled = compile(&document);
        Arc::new(compiled.gateway.unwrap_or_else(|| panic!("{:?}", compiled.problems)))
    }

    async fn ask(routes: &[Route], method: Method, path: &str) -> (u16, hyper::HeaderMap, String) {
        let response = answer(routes, &method, path, &gateway("dev"), &Arc::new(Shared::default()));
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_root_lists_every_route_and_each_of_them_answers() {
        let (status, headers, listed) = ask(&ROUTES, Method::GET, "/").await;
        assert_eq!((status, headers[CONTENT_TYPE].as_bytes()), (200, &b"text/plain; charset=utf-8"[..]));
        for (route, line) in ROUTES.iter().zip(listed.lines()) {
            assert!(line.starts_with(&format!("GET {} ", route.path)) && line.ends_with(route.about), "{line}");
            assert_eq!(ask(&ROUTES, Method::GET, route.path).await.0, 200, "{line}");
        }
        assert_eq!(listed.lines().count(), ROUTES.len());
    }

    #[tokio::test]
    async fn ready_is_said_in_json() {
        let (status, headers, body) = ask(&ROUTES, Method::GET, "/ready").await;
        assert_eq!((status, headers[CONTENT_TYPE].as_bytes()), (200, &b"application/json"[..]));
        assert_eq!(body, r#"{"status":"ready"}"#);
    }

    #[tokio::test]
    async fn a_path_that_is_not_there_is_told_with_those_that_are() {
        for path in ["/nope", "/ready/", "//", "", "/READY"] {
            let (status, _, body) = ask(&ROUTES, Method::GET, path).await;
            assert_eq!(status, 404, "{path}");
            assert!(body.contains(&format!("`{path}`")) && body.contains("GET /ready "), "{body}");
        }
    }

    #[tokio::test]
    async fn another_method_is_told_which_one_is_allowed() {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS] {
            let (status, headers, _) = ask(&ROUTES, method.clone(), "/ready").await;
            assert_eq!((status, headers[ALLOW].as_bytes()), (405, &b"GET"[..]), "{method}");
        }
    }

    #[tokio::test]
    async fn a_route_sees_the_gateway_and_what_is_counted() {
        let mine = [Route {
            path: "/mine",
            about: "both",
            answer: |gateway, shared| json(&json!([routes::text(gateway), shared.metrics().len()])),
        }];
        let (_, _, body) = ask(&mine, Method::GET, "/mine").await;
        assert!(body.contains("/dev/pets") && body.ends_with(",0]"), "{body}");
    }

    #[test]
    fn only_an_address_that_others_reach_is_warned_of() {
        for own in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(warning(own.parse().unwrap()), None, "{own}");
        }
        for open in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[::ffff:192.0.2.1]:1"] {
            assert!(warning(open.parse().unwrap()).is_some_and(|warning| warning.contains(open)), "{open}");
        }
    }

    #[tokio::test]
    async fn a_port_alone_is_of_this_machine_and_one_that_is_taken_is_told() {
        let (_listener, local) = bind("0").await.unwrap();
        assert!(local.ip().is_loopback() && local.port() > 0);
        let failure = bind(&local.port().to_string()).await.unwrap_err();
        assert!(failure.message.contains("the port is in use"), "{}", failure.message);
        assert!(failure.help.unwrap().contains("--admin"));
    }
}
