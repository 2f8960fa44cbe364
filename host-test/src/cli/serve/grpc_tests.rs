//! gRPC calls of a filter through the engine, against servers on real sockets.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{HeaderMap as Fields, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tollgate_host::{Connection, FilterModule, HeaderMap, Shared};

use super::edge;
use super::engine::{Engine, Input};
use super::exchange::Backends;
use super::journal::{Journal, LogFormat, Recorder, Replayer, Shown};
use super::origins::{Origin, Origins, Protocol};
use super::settings;
use crate::cli::server::Body;

/// Longer than anything here takes that works.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the guest waits for its call where nothing else is said; a failure that takes as long was not heard of.
const TIMEOUT: u32 = 20_000;

/// What is prompt on a busy machine.
const PROMPT: Duration = Duration::from_secs(5);

/// Asks `ratelimit` on every request. The message that it gets is the answer, with 200; a status other than 0 is the first byte of
/// an answer with 502, and the words with it are the rest. From 4096 on it keeps who waits for which call.
const GUEST: &str = r#"(module
  (import "env" "proxy_grpc_call"
    (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_buffer_bytes" (func $buffer (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_status" (func $status (param i32 i32 i32) (result i32)))
  (import "env" "proxy_set_effective_context" (func $effective (param i32) (result i32)))
  (import "env" "proxy_send_local_response" (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "ratelimit")
  (data (i32.const 16) "test.Service")
  (data (i32.const 32) "Method")
  (data (i32.const 48) "ping")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (if (call $call (i32.const 0) (i32.const 9) (i32.const 16) (i32.const 12) (i32.const 32) (i32.const 6)
          (i32.const 0) (i32.const 0) (i32.const 48) (i32.const 4) (i32.const TIMEOUT) (i32.const 80))
      (then unreachable))
    (i32.store offset=4096 (i32.shl (i32.load (i32.const 80)) (i32.const 2)) (local.get 0))
    (i32.const 1))
  (func $answer (param $token i32) (param $code i32) (param $at i32) (param $size i32)
    (if (call $effective (i32.load offset=4096 (i32.shl (local.get $token) (i32.const 2)))) (then unreachable))
    (if (call $reply (local.get $code) (i32.const 0) (i32.const 0) (local.get $at) (local.get $size)
          (i32.const 0) (i32.const 0) (i32.const -1))
      (then unreachable)))
  (func (export "proxy_on_grpc_receive") (param i32 i32 i32)
    (if (call $buffer (i32.const 5) (i32.const 0) (local.get 2) (i32.const 84) (i32.const 88)) (then unreachable))
    (call $answer (local.get 1) (i32.const 200) (i32.load (i32.const 84)) (i32.load (i32.const 88))))
  (func (export "proxy_on_grpc_close") (param i32 i32 i32)
    (if (call $status (i32.const 92) (i32.const 84) (i32.const 88)) (then unreachable))
    (i32.store8 (i32.const 1023) (local.get 2))
    (call $answer (local.get 1) (i32.const 502) (i32.const 1023) (i32.add (i32.const 1) (i32.load (i32.const 88))))))"#;

/// What became of the guest's call.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Received(String),
    Closed(u8, String),
}

// --- the gateway ------------------------------------------------------------------------------------------------------------

/// An engine whose cluster `ratelimit` is at this URL.
async fn gateway(url: &str, protocol: Protocol, timeout: u32) -> Engine {
    let bytes = wat::parse_str(GUEST.replace("TIMEOUT", &timeout.to_string())).unwrap();
    let module = FilterModule::from_bytes(&bytes).unwrap();
    let origin = Origin { protocol, ..url.parse().unwrap() };
    let backends = Backends::new(Origins::from([("ratelimit".to_owned(), origin)]));
    let settings = settings("{}", &backends);
    let (journal, _) = Journal::start(Shown { log: LogFormat::None, trace: false, access_log: None, console: false });
    let recorder = Recorder::new(journal, Arc::new(Replayer::new(Arc::default(), Arc::default())));
    Engine::start(&module, settings, Arc::new(Shared::default()), backends, recorder).await.unwrap()
}

static KEYS: AtomicU64 = AtomicU64::new(0);

async fn ask(engine: &Engine) -> Outcome {
    let (reply, answer) = oneshot::channel();
    let (go, _gate) = watch::channel(true);
    let mut head = HeaderMap::new();
    for (name, value) in [(":method", "GET"), (":path", "/"), (":authority", "a.test"), (":scheme", "http")] {
        head.add(name, value);
    }
    let key = KEYS.fetch_add(1, Ordering::Relaxed);
    let request = Input::Request { key, connection: Connection::default(), head, end: true, reply, go };
    assert!(engine.tell(request).await);
    let answer = tokio::time::timeout(PATIENCE, answer).await.expect("an answer comes").expect("the engine lives");
    let response = edge::response(answer);
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    match (status, body.split_first()) {
        (200, _) => Outcome::Received(text(&body)),
        (502, Some((code, words))) => Outcome::Closed(*code, text(words)),
        (_, _) => panic!("the guest did not answer: {status} {}", text(&body)),
    }
}

/// Asks once, and soon has an answer.
async fn ask_promptly(url: &str) -> Outcome {
    let engine = gateway(url, Protocol::Http2, TIMEOUT).await;
    let started = Instant::now();
    let outcome = ask(&engine).await;
    assert!(started.elapsed() < PROMPT, "{outcome:?} after {:?}", started.elapsed());
    outcome
}

// --- the service ------------------------------------------------------------------------------------------------------------

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// A service that answers by a handler, over HTTP/2 with prior knowledge and nothing else; and how many connected to it.
async fn service<F>(handler: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static) -> (String, Arc<Mutex<usize>>)
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let (listener, url) = listen().await;
    let connections = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            *counted.lock().unwrap() += 1;
            let handler = handler.clone();
            let service = service_fn(move |request| {
                let answer = handler(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    (url, connections)
}

fn frame(message: &str) -> Bytes {
    [&[0][..], &(message.len() as u32).to_be_bytes(), message.as_bytes()].concat().into()
}

fn fields<const N: usize>(fields: [(&'static str, &'static str); N]) -> Fields {
    fields.into_iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
}

/// A response of one message, and trailers where there are some.
fn reply<const N: usize>(message: &str, trailers: [(&'static str, &'static str); N]) -> Response<Body> {
    let body = Full::new(frame(message)).map_err(|never| match never {});
    let body = if N == 0 {
        Body::new(body)
    } else {
        let trailers = fields(trailers);
        Body::new(body.with_trailers(async move { Some(Ok(trailers)) }))
    };
    Response::builder().header("content-type", "application/grpc").body(body).unwrap()
}

// --- tests ------------------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_unary_call_travels_over_http_2_and_brings_its_message() {
    let (tell, mut seen) = mpsc::unbounded_channel();
    let (url, connections) = service(move |request| {
        let tell = tell.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            tell.send((parts, body)).unwrap();
            reply("pong", [("grpc-status", "0")])
        }
    })
    .await;
    let engine = gateway(&url, Protocol::Http2, TIMEOUT).await;
    for _ in 0..2 {
        assert_eq!(ask(&engine).await, Outcome::Received("pong".to_owned()));
        let (head, body) = seen.recv().await.unwrap();
        // Envoy calls a server by the name of its cluster.
        assert_eq!(head.uri, "http://ratelimit/test.Service/Method");
        assert_eq!((head.method.as_str(), head.version), ("POST", hyper::Version::HTTP_2));
        let sent = [("te", "trailers"), ("grpc-timeout", "20000m"), ("content-type", "application/grpc")];
        assert_eq!(head.headers, fields(sent));
        assert_eq!(body, frame("ping"));
    }
    assert_eq!(*connections.lock().unwrap(), 1, "the second call has a connection of its own");
}

#[tokio::test]
async fn calls_that_begin_together_share_one_connection_and_wait_for_nobody() {
    const CALLS: usize = 100;
    let (here, all) = (Arc::new(Mutex::new(0)), Arc::new(Notify::new()));
    let (url, connections) = service(move |_| {
        let (here, all) = (Arc::clone(&here), Arc::clone(&all));
        async move {
            // None is answered before the last has come.
            let answered = all.notified();
            let last = {
                let mut here = here.lock().unwrap();
                *here += 1;
                *here == CALLS
            };
            if last {
                all.notify_waiters();
            } else {
                answered.await;
            }
            reply("pong", [("grpc-status", "0")])
        }
    })
    .await;
    let engine = gateway(&url, Protocol::Http2, TIMEOUT).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..CALLS {
        let engine = engine.clone();
        calls.spawn(async move { ask(&engine).await });
    }
    let outcomes = calls.join_all().await;
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Received("pong".to_owned())), "{outcomes:?}");
    assert_eq!(*connections.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_status_other_than_0_is_a_failure_with_its_words_whether_a_message_came_or_not() {
    let (url, _) = service(|_| async { reply("pong", [("grpc-status", "8"), ("grpc-message", "too much")]) }).await;
    assert_eq!(ask_promptly(&url).await, Outcome::Closed(8, "too much".to_owned()));
    let (url, _) = service(|_| async {
        let mut only = Response::new(crate::cli::server::empty());
        *only.headers_mut() =
            fields([("content-type", "application/grpc"), ("grpc-status", "12"), ("grpc-message", "no such method")]);
        only
    })
    .await;
    assert_eq!(ask_promptly(&url).await, Outcome::Closed(12, "no such method".to_owned()));
}

#[tokio::test]
async fn an_answer_that_is_no_grpc_is_a_failure() {
    let (url, _) = service(|_| async { reply("pong", []) }).await;
    assert_eq!(ask_promptly(&url).await, Outcome::Closed(2, String::new()), "no trailers, no status");
    let (url, _) = service(|_| async { Response::builder().status(503).body(crate::cli::server::empty()).unwrap() }).await;
    assert_eq!(ask_promptly(&url).await, Outcome::Closed(14, String::new()));
}

/// Envoy's words for an upstream that did not answer.
fn unavailable(reason: &str, details: &str) -> Outcome {
    let words = format!(
        "upstream connect error or disconnect/reset before headers. reset reason: {reason}\
         {{upstream_reset_before_response_started{{{details}}}}}"
    );
    Outcome::Closed(14, words)
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_a_prompt_failure() {
    let (listener, url) = listen().await;
    drop(listener);
    let Outcome::Closed(14, words) = ask_promptly(&url).await else { panic!("somebody listens") };
    assert!(words.contains("reset reason: remote connection failure{") && words.contains("refused"), "{words}");
}

#[tokio::test]
async fn a_service_that_goes_away_is_a_prompt_failure() {
    let (listener, url) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // The preface and the settings at least.
        stream.read_exact(&mut [0; 33]).await.unwrap();
    });
    assert_eq!(ask_promptly(&url).await, unavailable("connection termination", "connection_termination"));
}

#[tokio::test]
async fn a_service_that_gives_a_call_up_is_a_prompt_failure() {
    let (url, _) = service(|_| async {
        let (writer, reader) = super::pipe::pipe(|_| {});
        drop(writer);
        Response::new(Body::new(reader))
    })
    .await;
    assert_eq!(ask_promptly(&url).await, unavailable("remote reset", "remote_reset"));
}

#[tokio::test]
async fn a_service_of_http_1_is_a_prompt_failure() {
    let (listener, url) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    assert_eq!(ask_promptly(&url).await, unavailable("remote reset", "remote_reset"));
}

/// Tells when it is dropped.
struct Dropped(mpsc::UnboundedSender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_given_up_and_its_connection_is_kept() {
    let (tell, mut given_up) = mpsc::unbounded_channel();
    let calls = Arc::new(Mutex::new(0));
    let (url, connections) = service(move |_| {
        let call = {
            let mut calls = calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        let tell = tell.clone();
        async move {
            if call == 1 {
                let _dropped = Dropped(tell);
                std::future::pending::<()>().await;
            }
            reply("pong", [("grpc-status", "0")])
        }
    })
    .await;
    let engine = gateway(&url, Protocol::Http2, 300).await;
    let started = Instant::now();
    assert_eq!(ask(&engine).await, Outcome::Closed(14, "upstream request timeout".to_owned()));
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(300) && took < PROMPT, "{took:?}");
    let heard = tokio::time::timeout(PROMPT, given_up.recv()).await;
    assert_eq!(heard, Ok(Some(())), "the service goes on working for nobody");
    assert_eq!(ask(&engine).await, Outcome::Received("pong".to_owned()));
    assert_eq!(*connections.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_service_that_came_back_is_asked_again() {
    let (listener, url) = listen().await;
    let address = listener.local_addr().unwrap();
    let serve = |stream: TcpStream| {
        let service = service_fn(|_| async { Ok::<_, Infallible>(reply("pong", [("grpc-status", "0")])) });
        hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service)
    };
    let engine = gateway(&url, Protocol::Http2, TIMEOUT).await;
    let first = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        drop(listener);
        serve(stream).await
    });
    assert_eq!(ask(&engine).await, Outcome::Received("pong".to_owned()));
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    let listener = socket.listen(8).unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream).await
    });
    assert_eq!(ask(&engine).await, Outcome::Received("pong".to_owned()));
}

/// What is spoken belongs to the cluster: the call writes `content-type: application/grpc` to this one, too.
#[tokio::test]
async fn a_cluster_that_is_not_known_to_take_grpc_is_spoken_to_over_http_1() {
    let (listener, url) = listen().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = vec![0; 1024];
        let length = stream.read(&mut seen).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ngrpc-status: 5\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&seen[..length]).into_owned()
    });
    let engine = gateway(&url, Protocol::Http1, TIMEOUT).await;
    assert_eq!(ask(&engine).await, Outcome::Closed(5, String::new()));
    let seen = serving.await.unwrap();
    assert!(seen.starts_with("POST /test.Service/Method HTTP/1.1\r\n") && seen.contains("host: ratelimit\r\n"), "{seen}");
}

#[tokio::test]
async fn over_tls_the_protocol_is_asked_for() {
    for protocol in [Protocol::Http2, Protocol::Http1] {
        let (listener, url) = listen().await;
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut hello = vec![0; 4096];
            let length = stream.read(&mut hello).await.unwrap();
            hello.truncate(length);
            hello
        });
        let engine = gateway(&url.replace("http://127.0.0.1", "https://localhost"), protocol, TIMEOUT).await;
        let started = Instant::now();
        let Outcome::Closed(14, words) = ask(&engine).await else { panic!("nobody has a certificate") };
        assert!(started.elapsed() < PROMPT && words.contains("remote connection failure"), "{words}");
        let hello = serving.await.unwrap();
        let says = |text: &[u8]| hello.windows(text.len()).any(|window| window == text);
        // A list of one name; who means HTTP/1.1 need not say so.
        assert_eq!(says(b"\x00\x03\x02h2"), protocol == Protocol::Http2);
        assert!(says(b"localhost") && !says(b"http/1.1"), "{}", String::from_utf8_lossy(&hello));
    }
}
