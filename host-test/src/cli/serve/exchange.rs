//! One request to a backend: sent as the filter wrote it, and not a byte more; its answer goes back piece by piece.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::http::uri::PathAndQuery;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tollgate_host::{ExchangeId, HeaderMap, UpstreamFailure};

use super::edge;
use super::engine::Input;
use super::origins::{Origin, Origins};
use crate::cli::diagnostics::printable;
use crate::cli::say;
use crate::cli::server::Body;

/// Envoy's own default of `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Tells the router where to go; no backend sees it.
const CLUSTER: &str = "x-tollgate-cluster";

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(60);

/// The backends of one configuration, with their connections.
#[derive(Clone)]
pub struct Backends {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    origins: Origins,
}

// === impl Backends ===

impl Backends {
    /// Takes the system's certificates, and Mozilla's where the system has none.
    pub fn new(origins: Origins) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let builder = match HttpsConnectorBuilder::new().with_native_roots() {
            Ok(builder) => builder,
            Err(_) => HttpsConnectorBuilder::new().with_webpki_roots(),
        };
        let connector = builder.https_or_http().enable_http1().wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            // The filter writes the host, as it writes all else.
            .set_host(false)
            .build(connector);
        Self { client, origins }
    }

    /// The names of all clusters.
    pub fn clusters(&self) -> impl Iterator<Item = &String> {
        self.origins.keys()
    }

    /// Sends a request and reports what comes back, as far as `go` lets it; ends when the gateway has no use for more.
    pub async fn run(
        self,
        exchange: ExchangeId,
        cluster: String,
        head: HeaderMap,
        body: Body,
        report: mpsc::Sender<Input>,
        mut go: watch::Receiver<bool>,
    ) {
        let failed = |failure| Input::UpstreamFailed { exchange, failure };
        let Some(request) = self.origins.get(&cluster).and_then(|origin| request(origin, &head, body)) else {
            let cause = "the request cannot be written as HTTP/1.1".to_owned();
            drop(report.send(failed(UpstreamFailure::Connect(cause))).await);
            return;
        };
        let end = match self.client.request(request).await {
            Ok(response) => relay(exchange, response, &report, &mut go).await,
            Err(error) => Err(reason(&error)),
        };
        if let Err(failure) = end {
            say(&format!("backend of `{cluster}`: {}\n", printable(words(&failure))));
            // The gateway stops listening only when it ends.
            drop(report.send(failed(failure)).await);
        }
    }
}

/// Reports a response to its end.
async fn relay(
    exchange: ExchangeId,
    response: Response<Incoming>,
    report: &mpsc::Sender<Input>,
    go: &mut watch::Receiver<bool>,
) -> Result<(), UpstreamFailure> {
    // Nobody asked for another protocol: no upgrade reaches a backend.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(UpstreamFailure::Reset);
    }
    let (parts, mut body) = response.into_parts();
    let mut head = edge::fields(&parts.headers);
    head.add(":status", parts.status.as_str().to_owned());
    let mut end = body.is_end_stream();
    if report.send(Input::UpstreamHead { exchange, head, end }).await.is_err() {
        return Ok(());
    }
    while !end {
        if go.wait_for(|go| *go).await.is_err() {
            return Ok(());
        }
        let input = match body.frame().await {
            None => {
                end = true;
                Input::UpstreamData { exchange, data: Bytes::new(), end }
            }
            Some(Err(error)) if error.is_incomplete_message() || error.is_closed() => return Err(UpstreamFailure::Closed),
            Some(Err(_)) => return Err(UpstreamFailure::Reset),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    end = body.is_end_stream();
                    Input::UpstreamData { exchange, data, end }
                }
                Err(frame) => match frame.into_trailers() {
                    Ok(trailers) => {
                        end = true;
                        Input::UpstreamTrailers { exchange, trailers: edge::fields(&trailers) }
                    }
                    Err(_) => continue,
                },
            },
        };
        if report.send(input).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The request, with exactly the fields that the filter left on it.
fn request(origin: &Origin, head: &HeaderMap, body: Body) -> Option<Request<Body>> {
    let mut parts = hyper::http::uri::Parts::default();
    parts.scheme = Some(origin.scheme.clone());
    parts.authority = Some(origin.authority.clone());
    parts.path_and_query = Some(PathAndQuery::try_from(head.get(":path")?).ok()?);
    let mut request = Request::new(body);
    *request.method_mut() = Method::from_bytes(head.get(":method")?).ok()?;
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    let mut fields = edge::to_fields(head);
    fields.remove(CLUSTER);
    if let Some(authority) = head.get(":authority") {
        let authority = hyper::header::HeaderValue::from_bytes(authority).ok()?;
        fields.insert(hyper::header::HOST, authority);
    }
    *request.headers_mut() = fields;
    Some(request)
}

/// Tells a backend that could not be reached from one that went away.
fn reason(error: &Error) -> UpstreamFailure {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
        if let Some(error) = cause.downcast_ref::<hyper::Error>()
            && (error.is_incomplete_message() || error.is_closed())
        {
            return UpstreamFailure::Closed;
        }
    }
    if error.is_connect() { UpstreamFailure::Connect(cause.to_string()) } else { UpstreamFailure::Reset }
}

/// What the client is not told: why its request failed.
fn words(failure: &UpstreamFailure) -> &str {
    match failure {
        UpstreamFailure::Connect(cause) => cause,
        UpstreamFailure::Closed => "it closed the connection before its answer was whole",
        UpstreamFailure::Reset => "it does not speak HTTP/1.1 as it should",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::server::empty;

    #[test]
    fn a_request_has_the_filters_fields_and_no_others() {
        let origin: Origin = "http://127.0.0.1:9".parse().unwrap();
        let mut head = HeaderMap::new();
        for (name, value) in
            [(":method", "POST"), (":path", "//x?y=%2B"), (":authority", "api.test"), ("x-a", "1"), ("x-a", "2"), (CLUSTER, "api")]
        {
            head.add(name, value);
        }
        let request = request(&origin, &head, empty()).unwrap();
        assert_eq!(request.uri(), "http://127.0.0.1:9//x?y=%2B");
        let fields: Vec<_> = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(fields, [("x-a", "1"), ("x-a", "2"), ("host", "api.test")]);
    }
}
