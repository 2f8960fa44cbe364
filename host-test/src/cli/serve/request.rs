//! One request of a client: handed to the engine piece by piece, answered, and told of in one line.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::{Request, Response, StatusCode};
use tokio::sync::{oneshot, watch};

use super::edge;
use super::engine::{Engine, Input, Key};
use crate::cli::diagnostics::printable;
use crate::cli::say;
use crate::cli::server::{Aborted, Body, Peer};

/// Says what became of a request when it is over.
struct Line {
    request: String,
    status: Option<StatusCode>,
    started: Instant,
}

/// A body that says when it is over.
struct Told {
    body: Body,
    _line: Line,
}

/// Answers a request.
pub async fn answer(engine: Engine, key: Key, request: Request<Incoming>, peer: Peer) -> Result<Response<Body>, Aborted> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let request_line = format!("{} {}", request.method(), printable(target));
    let mut line = Line { request: request_line, status: None, started: Instant::now() };
    let response = match edge::refuse(&request) {
        Some(refusal) => refusal,
        None => ask(engine, key, request, peer).await?,
    };
    line.status = Some(response.status());
    Ok(response.map(|body| Body::new(Told { body, _line: line })))
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

// === impl Line ===

impl Drop for Line {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed().as_millis();
        let status = self.status.map_or_else(|| "gone".to_owned(), |status| status.as_u16().to_string());
        say(&format!("{} {status} {elapsed} ms\n", self.request));
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
