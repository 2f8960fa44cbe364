//! Whom a request reaches: the servers of a definition by real calls, or the answer that the user gave in the place of the backend's.

use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Limited};
use hyper::StatusCode;
use tokio::runtime::Handle;
use tollgate::flow::{Callout, CalloutOutcome, NoReply, Question};
use tollgate::http::{Headers, RequestHead, Response, ResponseHead};
use tollgate::integration::{CLUSTER_HEADER, TIMEOUT_HEADER};
use tollgate_host::{HeaderMap, UpstreamFailure};

use crate::cli::serve::exchange::{self, lost};
use crate::cli::serve::origins::Origins;
use crate::cli::server::{empty, whole};

/// The route's own timeout of our Envoy, for a request that carries none.
const ROUTE_TIMEOUT: Duration = Duration::from_secs(60);

/// No answer is longer.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Whoever answers in a run.
pub trait Servers {
    /// Sends a request as the proxy's router does.
    fn forward(&self, head: RequestHead, body: Vec<u8>) -> Reply;

    /// Makes a call of the gateway's own; `is_backends`: it is the integration's.
    fn call(&self, callout: Callout, is_backends: bool) -> Reply;
}

/// The servers of a definition.
pub struct Backends {
    runtime: Handle,
    servers: exchange::Backends,
    answer: Option<Response>,
}

/// What the proxy says in the place of a backend: no user sees it, because the gateway answers in its place.
const NO_UPSTREAM: &str = "upstream connect error or timeout";

/// Envoy's mark on what a backend itself answered a call of the gateway's own.
const SERVICE_TIME: &str = "x-envoy-upstream-service-time";

/// What became of a question.
pub struct Reply {
    /// Who was asked, where that is known.
    pub server: String,
    /// How long it took; none when nobody had to be asked.
    pub latency: Option<Duration>,
    /// The answer.
    pub outcome: Result<Response, Lost>,
}

/// A question without an answer.
pub struct Lost {
    /// The cluster that was asked.
    pub cluster: String,
    /// Why.
    pub words: String,
    /// Whether it was waited for in vain.
    pub timed_out: bool,
    /// Whether the proxy answers in its place: a gRPC call ends without an answer.
    pub has_substitute: bool,
}

// === impl Backends ===

impl Backends {
    /// All servers, and what is said in the place of the backend.
    pub fn new(runtime: Handle, origins: Origins, answer: Option<Response>) -> Self {
        Self::of(runtime, exchange::Backends::new(origins), answer)
    }

    /// The same with servers that somebody has connections to.
    pub fn of(runtime: Handle, servers: exchange::Backends, answer: Option<Response>) -> Self {
        Self { runtime, servers, answer }
    }

    fn backend(&self) -> Option<Reply> {
        let answer = self.answer.clone()?;
        Some(Reply { server: "--answer".to_owned(), latency: None, outcome: Ok(answer) })
    }

    fn http(&self, cluster: String, head: RequestHead, body: Vec<u8>, timeout: Duration) -> Reply {
        let is_head = head.method == "HEAD";
        self.ask(cluster, head, body, timeout, |mut response, _| {
            if is_head {
                response.body.clear();
            }
            Ok(response)
        })
    }

    /// A unary call: what it returned is the body of an answer.
    fn grpc(&self, cluster: String, path: &str, message: &[u8], timeout: Duration) -> Reply {
        let mut head = RequestHead {
            method: "POST".to_owned(),
            path: path.as_bytes().to_vec(),
            authority: cluster.as_bytes().to_vec(),
            scheme: "http".to_owned(),
            ..RequestHead::default()
        };
        head.headers.append("te", "trailers");
        head.headers.append("content-type", "application/grpc");
        let mut body = BytesMut::with_capacity(message.len() + 5);
        body.put_u8(0);
        body.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
        body.put_slice(message);
        self.ask(cluster, head, body.to_vec(), timeout, |response, trailers| {
            let status = trailers.get("grpc-status").or_else(|| response.head.headers.get("grpc-status"));
            match (status, response.body.get(5..)) {
                (Some(b"0"), Some(message)) => {
                    Ok(Response { head: ResponseHead { status: 200, ..ResponseHead::default() }, body: message.to_vec() })
                }
                (Some(status), _) => Err(format!("gRPC status {}", String::from_utf8_lossy(status))),
                (None, _) => Err("it does not speak gRPC".to_owned()),
            }
        })
    }

    fn ask(
        &self,
        cluster: String,
        head: RequestHead,
        body: Vec<u8>,
        timeout: Duration,
        read: impl FnOnce(Response, &Headers) -> Result<Response, String>,
    ) -> Reply {
        let server = self.servers.origin(&cluster).map(|origin| format!("{}://{}", origin.scheme, origin.authority));
        let has_substitute = head.headers.get("content-type") != Some(b"application/grpc");
        let lost = |words: String, timed_out: bool| Lost { cluster: cluster.clone(), words, timed_out, has_substitute };
        let Some(server) = server else {
            let outcome = Err(lost(format!("nobody knows where the cluster `{cluster}` is"), false));
            return Reply { server: String::new(), latency: None, outcome };
        };
        let started = Instant::now();
        let answered = self.runtime.block_on(async { tokio::time::timeout(timeout, self.send(&cluster, head, body)).await });
        let latency = Some(started.elapsed());
        let outcome = match answered {
            Err(_) => Err(lost(format!("no answer within {} ms", timeout.as_millis()), true)),
            Ok(Err(failure)) => Err(lost(self.servers.words(&cluster, &failure).to_owned(), false)),
            Ok(Ok((response, trailers))) => read(response, &trailers).map_err(|words| lost(words, false)),
        };
        Reply { server, latency, outcome }
    }

    async fn send(&self, cluster: &str, head: RequestHead, body: Vec<u8>) -> Result<(Response, Headers), UpstreamFailure> {
        let mut pairs = HeaderMap::new();
        for (name, value) in head.pairs() {
            pairs.add(name, value.to_vec());
        }
        let body = if body.is_empty() { empty() } else { whole(Bytes::from(body)) };
        let response = self.servers.ask(cluster, &pairs, body).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(UpstreamFailure::Reset);
        }
        let (parts, body) = response.into_parts();
        let collected = Limited::new(body, MAX_BODY).collect().await.map_err(|error| lost(error.as_ref()))?;
        let trailers = collected.trailers().map(headers).unwrap_or_default();
        let head = ResponseHead { status: parts.status.as_u16(), headers: headers(&parts.headers) };
        Ok((Response { head, body: collected.to_bytes().to_vec() }, trailers))
    }
}

impl Servers for Backends {
    fn forward(&self, mut head: RequestHead, body: Vec<u8>) -> Reply {
        let text = |name: &str| head.headers.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
        let cluster = text(CLUSTER_HEADER).unwrap_or_default();
        let timeout = text(TIMEOUT_HEADER).and_then(|millis| millis.parse().ok()).map_or(ROUTE_TIMEOUT, Duration::from_millis);
        head.headers.retain(|name| name != CLUSTER_HEADER && !name.starts_with("x-envoy-"));
        self.backend().unwrap_or_else(|| self.http(cluster, head, body, timeout))
    }

    /// Only the integration's call is answered by the user.
    fn call(&self, callout: Callout, is_backends: bool) -> Reply {
        let Callout { cluster, question, timeout_millis } = callout;
        let timeout = Duration::from_millis(timeout_millis);
        match (self.backend().filter(|_| is_backends), question) {
            (Some(reply), _) => reply,
            (None, Question::Http { mut head, body }) => {
                if !body.is_empty() {
                    head.headers.set("content-length", body.len().to_string());
                }
                self.http(cluster, head, body, timeout)
            }
            (None, Question::Grpc { service, method, message }) => {
                self.grpc(cluster, &format!("/{service}/{method}"), &message, timeout)
            }
        }
    }
}

/// What the filter sees of header fields: not those of the connection.
pub fn headers(fields: &hyper::HeaderMap) -> Headers {
    let is_of_connection = |name: &str| matches!(name, "connection" | "keep-alive" | "transfer-encoding" | "upgrade");
    let lines = fields.iter().filter(|(name, _)| !is_of_connection(name.as_str()));
    lines.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}

// === impl Lost ===

impl Lost {
    /// What the proxy answers in the place of a backend, and its word for why.
    pub fn into_proxy_answer(self) -> (Response, &'static str) {
        let (status, details) = match self.timed_out {
            true => (504, "response_timeout"),
            false => (503, "upstream_reset_before_response_started{connection_failure}"),
        };
        (Response { head: ResponseHead { status, ..ResponseHead::default() }, body: NO_UPSTREAM.as_bytes().to_vec() }, details)
    }
}

/// What the gateway hears of a call of its own, as Envoy tells it.
pub fn outcome(heard: Result<Response, Lost>) -> CalloutOutcome {
    match heard {
        Ok(mut response) => {
            response.head.headers.append(SERVICE_TIME, "0");
            Ok(response)
        }
        Err(lost) if lost.has_substitute => Ok(lost.into_proxy_answer().0),
        Err(_) => Err(NoReply),
    }
}

/// What is told of that answer without what Envoy made of it; nothing where it is the proxy's own.
pub fn told(text: &str) -> String {
    if text.ends_with(NO_UPSTREAM) || text == "nobody answered" {
        return String::new();
    }
    text.replace(&format!("\n{SERVICE_TIME}: 0"), "")
}
