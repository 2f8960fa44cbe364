//! Connections that are kept, HTTP/1.1 and HTTP/2, and what becomes of a request on one of them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::{http1, http2};
use hyper::header::HeaderMap;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

/// Longer than any answer may take.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// So many requests, and an HTTP/1.1 connection is closed: clients come and go.
const REQUESTS_OF_CONNECTION: u32 = 200;

/// HTTP/2 connections that are open at once.
const MULTIPLEXED: usize = 4;

type Sender1 = http1::SendRequest<Full<Bytes>>;
type Sender2 = http2::SendRequest<Full<Bytes>>;

/// What came of a request.
#[derive(Debug)]
pub enum Reply {
    /// A whole answer.
    Answer(u16, HeaderMap, Bytes),
    /// An answer with this status began, and did not end.
    Cut(u16, String),
    /// The connection ended without an answer.
    Broken(String),
    /// Nothing came.
    Silence,
}

/// Clients of one listener.
pub struct Client {
    address: SocketAddr,
    idle: Mutex<VecDeque<(Sender1, u32)>>,
    /// How often all connections were closed: one of an earlier time is not kept.
    time: AtomicUsize,
    multiplexed: [tokio::sync::Mutex<Option<Sender2>>; MULTIPLEXED],
    next: AtomicUsize,
}

// === impl Client ===

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            idle: Mutex::default(),
            time: AtomicUsize::new(0),
            multiplexed: Default::default(),
            next: AtomicUsize::new(0),
        }
    }

    /// Where they connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends one, by HTTP/2 or by HTTP/1.1, and waits for the whole answer.
    pub async fn send(&self, request: Request<Full<Bytes>>, by_http2: bool) -> Reply {
        let sent = async { if by_http2 { self.send_multiplexed(request).await } else { self.send_alone(request).await } };
        tokio::time::timeout(PATIENCE, sent).await.unwrap_or(Reply::Silence)
    }

    /// Sends one on a connection of its own by HTTP/1.1, or on a stream of a shared one, and gives up after a time.
    pub async fn abort(&self, request: Request<Full<Bytes>>, after: Duration, by_http2: bool) {
        if by_http2 {
            // Dropping the answer to come resets the stream.
            let _ = tokio::time::timeout(after, self.send_multiplexed(request)).await;
        } else if let Ok(mut sender) = self.connect().await {
            // Dropping the sender closes the connection.
            let _ = tokio::time::timeout(after, sender.send_request(request)).await;
        }
    }

    /// Closes all connections; those that come from now on are new ones.
    pub async fn forget(&self) {
        self.time.fetch_add(1, Ordering::SeqCst);
        self.idle().clear();
        for place in &self.multiplexed {
            *place.lock().await = None;
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, VecDeque<(Sender1, u32)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<Sender1, String> {
        let stream = TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
        let _ = stream.set_nodelay(true);
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn send_alone(&self, request: Request<Full<Bytes>>) -> Reply {
        let mut request = request;
        let time = self.time.load(Ordering::SeqCst);
        loop {
            let next = self.idle().pop_front().filter(|(sender, _)| !sender.is_closed());
            let (mut sender, used) = match next {
                Some((sender, used)) => (sender, used + 1),
                None => match self.connect().await {
                    Ok(sender) => (sender, 1),
                    Err(error) => return Reply::Broken(error),
                },
            };
            let again = request.clone();
            match sender.send_request(request).await {
                // The connection had ended before a byte of it was sent, as kept ones do.
                Err(error) if error.is_canceled() && used > 1 => request = again,
                Err(error) => return Reply::Broken(told(&error)),
                Ok(response) => {
                    let reply = read(response).await;
                    let is_kept = matches!(reply, Reply::Answer(..)) && used < REQUESTS_OF_CONNECTION;
                    if is_kept && sender.ready().await.is_ok() && self.time.load(Ordering::SeqCst) == time {
                        self.idle().push_back((sender, used));
                    }
                    return reply;
                }
            }
        }
    }

    async fn send_multiplexed(&self, request: Request<Full<Bytes>>) -> Reply {
        let place = self.next.fetch_add(1, Ordering::Relaxed) % MULTIPLEXED;
        let mut request = request;
        loop {
            let (mut sender, is_new) = match self.multiplexed(place).await {
                Ok(sender) => sender,
                Err(error) => return Reply::Broken(error),
            };
            let again = request.clone();
            match sender.send_request(request).await {
                Err(error) if error.is_canceled() && !is_new => request = again,
                Err(error) => return Reply::Broken(told(&error)),
                Ok(response) => return read(response).await,
            }
        }
    }

    async fn multiplexed(&self, place: usize) -> Result<(Sender2, bool), String> {
        let mut kept = self.multiplexed[place].lock().await;
        if let Some(sender) = kept.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok((sender.clone(), false));
        }
        let stream = TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
        let _ = stream.set_nodelay(true);
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        *kept = Some(sender.clone());
        Ok((sender, true))
    }
}

async fn read(response: hyper::Response<hyper::body::Incoming>) -> Reply {
    let (head, body) = response.into_parts();
    match body.collect().await {
        Ok(body) => Reply::Answer(head.status.as_u16(), head.headers, body.to_bytes()),
        Err(error) => Reply::Cut(head.status.as_u16(), told(&error)),
    }
}

/// An error and its causes.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
