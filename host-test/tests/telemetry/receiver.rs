//! A server that takes the messages of any gRPC method, as they come, and answers when its client is done: an access log service
//! and a collector of OpenTelemetry at once.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};

/// How long a client may take to send what it collects.
const PATIENCE: Duration = Duration::from_secs(20);

/// The messages so far, each with the path of its method.
type Messages = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A running server; it ends with the test.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    messages: Messages,
    _runtime: tokio::runtime::Runtime,
}

// === impl Receiver ===

impl Receiver {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let messages = Messages::default();
        let kept = Arc::clone(&messages);
        runtime.spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(|request| take(request, Arc::clone(&kept)));
                    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    // A client that goes away is no failure of the test.
                    let _ = builder.serve_connection(TokioIo::new(connection), service).await;
                });
            }
        });
        Self { address, messages, _runtime: runtime }
    }

    /// Waits until what a method got so far holds what is looked for.
    pub fn wait<M: prost::Message + Default, T>(&self, method: &str, find: impl Fn(Vec<M>) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let messages = self.messages.lock().expect("nobody panics with it").clone();
            let of_method = messages.iter().filter(|(path, _)| path == method);
            let decoded = of_method.map(|(_, bytes)| M::decode(bytes.as_slice()).expect("a message of that method")).collect();
            if let Some(found) = find(decoded) {
                return found;
            }
            let paths: Vec<&str> = messages.iter().map(|(path, _)| path.as_str()).collect();
            assert!(Instant::now() < deadline, "nothing of {method} within {PATIENCE:?}; there came {paths:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

async fn take(
    request: Request<Incoming>,
    messages: Messages,
) -> Result<Response<impl Body<Data = Bytes, Error = Infallible>>, Infallible> {
    let path = request.uri().path().to_owned();
    let mut body = request.into_body();
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        bytes.extend_from_slice(&data);
        while let Some(message) = next(&mut bytes) {
            messages.lock().expect("nobody panics with it").push((path.clone(), message));
        }
    }
    // An empty message says that all was taken.
    let trailers = HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
    let body = Full::new(Bytes::from_static(&[0; 5])).with_trailers(std::future::ready(Some(Ok(trailers))));
    let content_type = HeaderValue::from_static("application/grpc");
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", content_type);
    Ok(response)
}

/// Takes one message, without its frame, once it is there in whole.
fn next(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    let frame: [u8; 5] = bytes.get(..5)?.try_into().ok()?;
    assert_eq!(frame[0], 0, "not compressed");
    let end = 5 + u32::from_be_bytes([frame[1], frame[2], frame[3], frame[4]]) as usize;
    let message = bytes.get(5..end)?.to_vec();
    bytes.drain(..end);
    Some(message)
}
