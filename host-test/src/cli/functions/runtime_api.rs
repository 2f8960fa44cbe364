//! The runtime API: what a function's process asks for work, and where it brings its answers ("Using the Lambda runtime API for custom
//! runtimes"). Each process has one of its own, as each of Lambda's execution environments has, so that the address tells who asks.
//!
//! | route | what it does |
//! |---|---|
//! | `GET /2018-06-01/runtime/invocation/next` | waits for an invocation |
//! | `POST /2018-06-01/runtime/invocation/{requestId}/response` | its answer |
//! | `POST /2018-06-01/runtime/invocation/{requestId}/error` | that it failed |
//! | `POST /2018-06-01/runtime/init/error` | that the process cannot start |

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::failure::MAX_RESPONSE;
use super::invocation::Invocation;

const PREFIX: &str = "/2018-06-01/runtime/";

/// So much is read of an answer that is too large, so that its sender hears why it was refused.
const MAX_READ: usize = 64 * 1024 * 1024;

/// Where an invocation goes that a process asked for; without one it asked at the wrong time.
pub type Waiting = oneshot::Sender<Option<Delivery>>;

/// What the process asks for; each is answered with a [`Verdict`] but the first.
pub enum Event {
    /// `…/next`
    Next(Waiting),
    /// `…/response`
    Response(Post),
    /// `…/error`
    Error(Post),
    /// `init/error`
    InitError(Post),
}

/// What the process told.
pub struct Post {
    /// Which invocation it is about; empty for the start.
    pub request_id: String,
    /// The header `Lambda-Runtime-Function-Error-Type`.
    pub error_type: Option<String>,
    /// Nothing when it is larger than Lambda takes.
    pub body: Option<Bytes>,
    /// What to answer.
    pub verdict: oneshot::Sender<Verdict>,
}

/// What becomes of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// 202
    Accepted,
    /// 400: there is no such invocation.
    UnknownId,
    /// 403: not now.
    WrongState,
    /// 413
    TooLarge,
}

/// An invocation as the process gets it.
pub struct Delivery {
    headers: HeaderMap,
    payload: Bytes,
}

/// A listener; it ends when this is dropped.
pub struct RuntimeApi {
    /// `AWS_LAMBDA_RUNTIME_API`
    pub address: SocketAddr,
    /// What the process asks for.
    pub events: mpsc::Receiver<Event>,
    listening: JoinHandle<()>,
}

// === impl RuntimeApi ===

impl RuntimeApi {
    /// Listens on a port of loopback that nobody has.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, events) = mpsc::channel(16);
        Ok(Self { address, events, listening: tokio::spawn(listen(listener, sender)) })
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// There is no limit of time: a process waits for its next invocation as long as it takes.
async fn listen(listener: TcpListener, events: mpsc::Sender<Event>) {
    // Aborts what is left when it is dropped.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                let events = events.clone();
                let service = service_fn(move |request| {
                    let events = events.clone();
                    async move { Ok::<_, Infallible>(answer(&events, request).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                connections.spawn(async move { drop(connection.await) });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(events: &mpsc::Sender<Event>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    // A page that tries ports must not take an invocation away from the process.
    if ["origin", "sec-fetch-site"].iter().any(|name| request.headers().contains_key(*name)) {
        return Verdict::WrongState.answer();
    }
    let Some(route) = path.strip_prefix(PREFIX) else { return unknown(&path) };
    let segments: Vec<&str> = route.split('/').collect();
    match (request.method(), segments.as_slice()) {
        (&Method::GET, ["invocation", "next"]) => next(events).await,
        (&Method::POST, ["invocation", id, "response"]) => post(events, id, Event::Response, request).await,
        (&Method::POST, ["invocation", id, "error"]) => post(events, id, Event::Error, request).await,
        (&Method::POST, ["init", "error"]) => post(events, "", Event::InitError, request).await,
        _ => unknown(&path),
    }
}

async fn next(events: &mpsc::Sender<Event>) -> Response<Full<Bytes>> {
    let (waiting, delivered) = oneshot::channel();
    if events.send(Event::Next(waiting)).await.is_err() {
        return Verdict::WrongState.answer();
    }
    match delivered.await {
        Ok(Some(Delivery { headers, payload })) => {
            let mut response = Response::new(Full::new(payload));
            *response.headers_mut() = headers;
            response
        }
        _ => Verdict::WrongState.answer(),
    }
}

async fn post(
    events: &mpsc::Sender<Event>,
    request_id: &str,
    event: fn(Post) -> Event,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let error_type = request.headers().get("lambda-runtime-function-error-type");
    let error_type = error_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let Ok(body) = Limited::new(request.into_body(), MAX_READ).collect().await else { return Verdict::TooLarge.answer() };
    let body = Some(body.to_bytes()).filter(|body| body.len() <= MAX_RESPONSE);
    let (verdict, decided) = oneshot::channel();
    let post = Post { request_id: request_id.to_owned(), error_type, body, verdict };
    // Nobody listens to a process that is being ended.
    let _ = events.send(event(post)).await;
    decided.await.unwrap_or(Verdict::WrongState).answer()
}

fn unknown(path: &str) -> Response<Full<Bytes>> {
    message(StatusCode::NOT_FOUND, &json!({"errorType": "NotFound", "errorMessage": format!("the runtime API has no `{path}`")}))
}

fn message(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

// === impl Verdict ===

impl Verdict {
    fn answer(self) -> Response<Full<Bytes>> {
        let (status, body) = match self {
            Self::Accepted => (StatusCode::ACCEPTED, json!({"status": "OK"})),
            Self::UnknownId => {
                (StatusCode::BAD_REQUEST, json!({"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"}))
            }
            Self::WrongState => {
                (StatusCode::FORBIDDEN, json!({"errorMessage": "Transition is not allowed", "errorType": "InvalidStateTransition"}))
            }
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                json!({
                    "errorMessage": format!("Exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."),
                    "errorType": "RequestEntityTooLarge",
                }),
            ),
        };
        message(status, &body)
    }
}

// === impl Delivery ===

impl Delivery {
    /// The invocation with its headers.
    pub fn new(invocation: &Invocation, deadline_millis: u64) -> Self {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| {
            // All of them were in a header before, or are written here.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        set("content-type", "application/json");
        set("lambda-runtime-aws-request-id", &invocation.request_id);
        set("lambda-runtime-deadline-ms", &deadline_millis.to_string());
        set("lambda-runtime-invoked-function-arn", &invocation.arn);
        set("lambda-runtime-trace-id", &invocation.trace);
        if let Some(context) = &invocation.client_context {
            set("lambda-runtime-client-context", context);
        }
        Self { headers, payload: invocation.payload.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn pages_of_browsers_get_no_invocation() {
        let mut api = RuntimeApi::start().await.unwrap();
        for header in ["Origin: null", "Sec-Fetch-Site: cross-site"] {
            let mut stream = tokio::net::TcpStream::connect(api.address).await.unwrap();
            let request = format!("GET {PREFIX}invocation/next HTTP/1.1\r\nHost: a\r\n{header}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        }
        assert!(api.events.try_recv().is_err(), "nobody asked");
    }
}
