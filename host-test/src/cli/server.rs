//! What `serve` and `stub` have in common: an HTTP/1.1 and cleartext HTTP/2 server that stops when it is told to.

mod opening;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use self::opening::Opening;
use super::Failure;

/// Bytes of a request head, as in our Envoy; more is answered with 431.
pub const MAX_HEAD: usize = 60 * 1024;

/// How long a client may take over its first bytes, and over each request head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long requests in flight may go on once the server was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// A body that ends in an error when whoever makes it gave up: the connection is cut then.
pub type Body = UnsyncBoxBody<Bytes, Aborted>;

/// The rest of the body will not come.
#[derive(Debug)]
pub struct Aborted;

// === impl Aborted ===

impl std::fmt::Display for Aborted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the rest of the body will not come")
    }
}

impl std::error::Error for Aborted {}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// No two connections have the same.
    pub id: u64,
    /// The client's address.
    pub remote: SocketAddr,
    /// The address that it connected to.
    pub local: SocketAddr,
}

/// No body.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body that is there already.
pub fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// An answer in words.
pub fn text(status: StatusCode, words: &str) -> Response<Body> {
    let mut response = Response::new(whole(Bytes::from(format!("{words}\n"))));
    *response.status_mut() = status;
    let plain = hyper::header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, plain);
    response
}

/// The runtime that a serving command works on. It ends with the process: whoever still waits for it then is cut off.
pub fn runtime() -> Result<&'static tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot start the runtime: {error}")))?;
    Ok(Box::leak(Box::new(runtime)))
}

/// Listens, or says in plain words why not.
pub async fn bind(address: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    use std::io::ErrorKind;
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => Failure::new(format!("cannot listen on `{address}`: the port is in use"))
            .help("stop the other process, or choose another port with `--listen 127.0.0.1:0` (0: any free one)"),
        ErrorKind::PermissionDenied => Failure::new(format!("cannot listen on `{address}`: permission denied"))
            .help("ports below 1024 belong to the system; choose one above"),
        ErrorKind::InvalidInput => {
            Failure::usage(format!("`{address}` is no address to listen on")).help("write host and port, such as `127.0.0.1:8080`")
        }
        _ => Failure::new(format!("cannot listen on `{address}`: {error}"))
            .help("write host and port of this machine, such as `127.0.0.1:8080`"),
    })?;
    let local = listener.local_addr().map_err(|error| Failure::new(format!("cannot listen on `{address}`: {error}")))?;
    Ok((listener, local))
}

/// Ends at Ctrl-C or SIGTERM.
pub async fn stop_signal() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Answers requests until `stop` ends; then lets those in flight end, for a while. A handler that aborts cuts the connection.
pub async fn serve<H, A>(listener: TcpListener, stop: impl Future<Output = ()>, handler: H)
where
    H: Fn(Request<Incoming>, Peer) -> A + Clone + Send + 'static,
    A: Future<Output = Result<Response<Body>, Aborted>> + Send + 'static,
{
    let mut last = 0;
    let builder = connection_builder();
    let graceful = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let (stream, remote) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Out of file descriptors, most likely: a moment later there may be one.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        // Answers are written whole; waiting for more to send would only cost time.
        let _ = stream.set_nodelay(true);
        let handler = handler.clone();
        last += 1;
        let peer = Peer { id: last, remote, local: stream.local_addr().unwrap_or(remote) };
        let service = service_fn(move |request| handler(request, peer));
        let stream = Opening::new(stream, HEAD_TIMEOUT);
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
        // A connection that fails is the client's to notice.
        tokio::spawn(async move { drop(connection.await) });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(GRACE) => {}
    }
}

fn connection_builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        // The filter decides what is in an answer.
        .auto_date_header(false);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(MAX_HEAD as u32).auto_date_header(false);
    builder
}
