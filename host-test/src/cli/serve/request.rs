//! One request of a client: handed to the engine piece by piece, answered, and told of when it is over.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::{Request, Response};
use tokio::sync::{oneshot, watch};
use tollgate_host::{Clock, SystemClock};

use super::edge;
use super::engine::{Engine, Input, Key};
use super::journal::{Journal, Line};
use crate::cli::explain::secrets;
use crate::cli::server::{Aborted, Body, Peer};

/// Tells the journal what became of a request when it is over.
struct Over {
    journal: Journal,
    key: Key,
    line: Line,
    started: Instant,
    /// The engine has it, and tells the journal too.
    has_record: bool,
}

/// A body that tells when it is over.
struct Told {
    body: Body,
    _over: Over,
}

/// Answers a request.
pub async fn answer(
    engine: Engine,
    journal: Journal,
    key: Key,
    request: Request<Incoming>,
    peer: Peer,
) -> Result<Response<Body>, Aborted> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let line = Line {
        millis: u64::try_from(SystemClock.wall().as_millis()).unwrap_or(u64::MAX),
        method: request.method().to_string(),
        target: secrets::target(target),
        client: peer.remote.ip().to_string(),
        status: None,
        latency: Duration::ZERO,
    };
    let mut over = Over { journal, key, line, started: Instant::now(), has_record: false };
    let response = match edge::refuse(&request) {
        Some(refusal) => refusal,
        None => {
            over.has_record = true;
            ask(engine, key, request, peer).await?
        }
    };
    over.line.status = Some(response.status().as_u16());
    Ok(response.map(|body| Body::new(Told { body, _over: over })))
}

async fn ask(engine: Engine, key: Key, request: Request<Incoming>, peer: Peer) -> Result<Response<Body>, Aborted> {
    let (parts, body) = request.into_parts();
    let connection = edge::connection(peer, parts.version);
    let head = edge::request_head(&parts);
    let end = body.is_end_stream();
    let (reply, answer) = oneshot::channel();
    let (go, gate) = watch::channel(true);
    // Dropped when the client goes away before it was answered.
    let presence = engine.presence(key);
    if !engine.tell(Input::Request { key, connection, head, end, reply, go }).await {
        return Err(Aborted);
    }
    if !end {
        tokio::spawn(upload(engine.clone(), key, body, gate));
    }
    let answer = answer.await.map_err(|_| Aborted)?;
    presence.answered();
    Ok(edge::response(answer))
}

/// Hands the body over, as fast as the gateway takes it.
async fn upload(engine: Engine, key: Key, mut body: Incoming, mut go: watch::Receiver<bool>) {
    let mut end = false;
    // Once the request is answered nobody opens the gate any more, and the rest is not wanted.
    while !end && go.wait_for(|go| *go).await.is_ok() {
        let input = match body.frame().await {
            None => {
                end = true;
                Input::Data { key, data: Bytes::new(), end }
            }
            Some(Err(_)) => {
                drop(engine.presence(key));
                return;
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    end = body.is_end_stream();
                    Input::Data { key, data, end }
                }
                Err(frame) => match frame.into_trailers() {
                    Ok(trailers) => {
                        end = true;
                        Input::Trailers { key, trailers: edge::fields(&trailers) }
                    }
                    Err(_) => continue,
                },
            },
        };
        if !engine.tell(input).await {
            return;
        }
    }
}

// === impl Over ===

impl Drop for Over {
    fn drop(&mut self) {
        let line = Line { latency: self.started.elapsed(), ..self.line.clone() };
        self.journal.line(self.key, line, self.has_record);
    }
}

// === impl Told ===

impl hyper::body::Body for Told {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
