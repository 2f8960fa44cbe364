//! What Envoy does around the filter, as a model: the lines it adds to a request, where it routes, and the answers that it makes
//! itself. Each figure and text was measured on Envoy 1.40 with the listener of `envoy/edge.yaml`; the Envoy driver runs the
//! same cases, so a model that is wrong shows as a difference.

use tollgate::http::{RequestHead, ResponseHead};

use super::Clusters;
use super::body::{latin1, to_latin1};
use super::case::{Backend, Fault, Request};
use super::observation::{UpstreamRequest, sorted};

/// `per_connection_buffer_limit_bytes`: a held body that grows beyond it is refused.
pub const BUFFER_LIMIT: usize = 10_485_760;

/// The route's own timeout, for a request that carries none.
const ROUTE_TIMEOUT_MILLIS: u64 = 60_000;

/// An answer as it reaches the filter's response callbacks.
pub struct Answer {
    /// Status and fields.
    pub head: ResponseHead,
    /// The body, in the pieces in which it comes.
    pub pieces: Vec<Vec<u8>>,
    /// Trailers.
    pub trailers: Vec<(String, String)>,
    /// `response.code_details`; the filter's own replies have none.
    pub details: Option<String>,
    /// Whether it breaks off after its last piece.
    pub breaks_off: bool,
    /// Whether all of its time was over then.
    pub stalls: bool,
}

/// Request headers of which Envoy keeps a single line, joining the values with a comma; all others stay as many as were sent.
const JOINED: [&str; 15] = [
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "if-match",
    "origin",
    "pragma",
    "referer",
    "user-agent",
    "via",
    "x-forwarded-for",
];

/// Lines of a connection, which no filter sees.
const HOP_BY_HOP: [&str; 6] = ["connection", "http2-settings", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// The head of a request as the filter sees it.
pub fn downstream_head(request: &Request) -> RequestHead {
    let bytes = |text: &str| latin1(text).expect("checked when the file was read");
    let mut head = RequestHead {
        method: request.method.clone(),
        path: bytes(&request.path),
        authority: bytes(request.host()),
        scheme: "http".to_owned(),
        ..RequestHead::default()
    };
    let mut lines: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, value) in &request.headers {
        let (name, value) = (name.to_ascii_lowercase(), bytes(value));
        match lines.iter_mut().find(|(n, _)| *n == name && JOINED.contains(&name.as_str())) {
            _ if name == "host" || HOP_BY_HOP.contains(&name.as_str()) => {}
            // Envoy answers the one and drops the other.
            _ if name == "expect" && value == b"100-continue" || name == "te" && value != b"trailers" => {}
            Some((_, joined)) => {
                joined.push(b',');
                joined.extend(value);
            }
            None => lines.push((name, value)),
        }
    }
    head.headers = lines.into_iter().collect();
    if request.has_body() && !request.is_chunked() && !head.headers.contains("content-length") {
        let length: usize = request.pieces().iter().map(Vec::len).sum();
        head.headers.append("content-length", length.to_string());
    }
    head.headers.retain(|name| name != "x-forwarded-proto");
    let peers = match head.headers.get("x-forwarded-for") {
        Some(claimed) => [claimed, b",127.0.0.1"].concat(),
        None => b"127.0.0.1".to_vec(),
    };
    head.headers.set("x-forwarded-for", peers);
    head.headers.append("x-forwarded-proto", "http");
    head.headers.append("x-envoy-external-address", "127.0.0.1");
    head
}

/// Takes a request that the filter let go, and tells what comes back; what a backend got is recorded.
pub fn route(
    head: RequestHead,
    body: Vec<u8>,
    trailers: &[(String, String)],
    clusters: &Clusters,
    seen: &mut Vec<UpstreamRequest>,
) -> Answer {
    // Envoy tells the scheme of a route by this line: without it, no route matches.
    if !head.headers.contains("x-forwarded-proto") {
        return local(404, "route_not_found", "no upstream");
    }
    let cluster = head.headers.get("x-tollgate-cluster").map(to_latin1).unwrap_or_default();
    let Some(backend) = clusters.get(&cluster) else { return local(503, "cluster_not_found", "no upstream") };
    let backend = backend.at(&to_latin1(&head.path));
    let timeout = head.headers.get("x-envoy-upstream-rq-timeout-ms").map(to_latin1).and_then(|v| v.parse().ok());
    let timeout = timeout.unwrap_or(ROUTE_TIMEOUT_MILLIS);
    if backend.fault == Some(Fault::Refuse) {
        return local(
            503,
            "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}",
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, \
             transport failure reason: delayed connect error: Connection refused",
        );
    }
    let is_head = head.method == "HEAD";
    seen.push(UpstreamRequest {
        cluster,
        method: head.method,
        path: to_latin1(&head.path),
        host: to_latin1(&head.authority),
        headers: sorted(
            head.headers
                .into_iter()
                .filter(|(name, _)| name != "x-tollgate-cluster" && name != "x-envoy-upstream-rq-timeout-ms")
                .map(|(name, value)| (name, to_latin1(&value))),
        ),
        body,
        trailers: sorted(trailers.to_vec()),
    });
    if backend.fault == Some(Fault::Hang) || backend.delay_millis > timeout {
        return local(504, "response_timeout", "upstream request timeout");
    }
    if backend.fault == Some(Fault::Reset) {
        return local(
            503,
            "upstream_reset_before_response_started{connection_termination}",
            "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
        );
    }
    answer_of(backend, is_head)
}

fn answer_of(backend: &Backend, is_head: bool) -> Answer {
    let pieces = backend.pieces();
    let lines = backend
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), latin1(value).expect("checked when the file was read")));
    let mut head = ResponseHead { status: backend.status(), headers: lines.collect() };
    let bodyless = is_head || matches!(backend.status(), 204 | 304);
    if backend.chunks.is_none() && !matches!(backend.status(), 204 | 304) && !head.headers.contains("content-length") {
        head.headers.append("content-length", pieces.iter().map(Vec::len).sum::<usize>().to_string());
    }
    head.headers.retain(|name| !matches!(name, "transfer-encoding" | "keep-alive"));
    Answer {
        head,
        pieces: if bodyless { Vec::new() } else { pieces },
        trailers: if bodyless { Vec::new() } else { backend.trailers.clone() },
        details: Some("via_upstream".to_owned()),
        breaks_off: matches!(backend.fault, Some(Fault::Cut | Fault::Stall)),
        stalls: backend.fault == Some(Fault::Stall),
    }
}

/// An answer of the proxy itself.
pub fn local(status: u16, details: &str, body: &str) -> Answer {
    let mut head = ResponseHead { status, ..ResponseHead::default() };
    head.headers.append("content-length", body.len().to_string());
    head.headers.append("content-type", "text/plain");
    Answer {
        head,
        pieces: vec![body.as_bytes().to_vec()],
        trailers: Vec::new(),
        details: Some(details.to_owned()),
        breaks_off: false,
        stalls: false,
    }
}
