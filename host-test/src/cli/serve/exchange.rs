//! One request to a backend: sent as the filter wrote it, and not a byte more; its answer goes back piece by piece.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::http::uri::{Authority, PathAndQuery};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy;
use tokio::sync::{mpsc, watch};
use tollgate_host::{ExchangeId, HeaderMap, UpstreamFailure};

use super::client::{Client, connector};
use super::edge;
use super::engine::Input;
use super::origins::{Origin, Origins, Protocol};
use super::signing::{self, Keys};
use crate::cli::diagnostics::printable;
use crate::cli::say;
use crate::cli::server::Body;

/// Tells the router where to go; no backend sees it.
const CLUSTER: &str = "x-tollgate-cluster";

/// The backends of one configuration, with their connections.
#[derive(Clone)]
pub struct Backends {
    clusters: Arc<BTreeMap<String, Backend>>,
    keys: Arc<Keys>,
}

struct Backend {
    origin: Origin,
    client: Client,
}

// === impl Backends ===

impl Backends {
    pub fn new(origins: Origins) -> Self {
        let http1 = Client::http1(connector(Protocol::Http1));
        // It takes the certificates another time, and few documents need it.
        let http2 = LazyCell::new(|| connector(Protocol::Http2));
        let backend = |origin: Origin| {
            let client = match origin.protocol {
                Protocol::Http1 => http1.clone(),
                Protocol::Http2 => Client::http2(http2.clone(), &origin)?,
            };
            Some(Backend { origin, client })
        };
        // Whoever gives out credentials is asked in the region, and with it in the partition, that they are for.
        let region = origins.values().find_map(|origin| Some(origin.signing.as_ref()?.signing.region.clone()));
        let clusters = origins.into_iter().filter_map(|(name, origin)| Some((name, backend(origin)?)));
        Self { clusters: Arc::new(clusters.collect()), keys: Arc::new(Keys::new(region.unwrap_or_default())) }
    }

    /// The names of all clusters.
    pub fn clusters(&self) -> impl Iterator<Item = &String> {
        self.clusters.keys()
    }

    /// What is signed as whom, for the operator.
    pub async fn signing(&self) -> String {
        signing::summary(self.clusters.values().filter_map(|backend| backend.origin.signing.as_ref()), &self.keys).await
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
        let end = match self.ask(&cluster, &head, body).await {
            Ok(response) => relay(exchange, response, &report, &mut go).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = end {
            say(&format!("backend of `{cluster}`: {}\n", printable(self.words(&cluster, &failure))));
            // The gateway stops listening only when it ends.
            drop(report.send(failed(failure)).await);
        }
    }

    /// Sends a request to a cluster; the response is there when its head is.
    pub async fn ask(&self, cluster: &str, head: &HeaderMap, body: Body) -> Result<Response<Incoming>, UpstreamFailure> {
        let backend = self.clusters.get(cluster);
        let request = backend.and_then(|backend| request(&backend.origin, head, body));
        let (Some(backend), Some(request)) = (backend, request) else {
            return Err(UpstreamFailure::Connect("the request cannot be written as HTTP".to_owned()));
        };
        let request = match &backend.origin.signing {
            Some(scope) => signing::signed(request, scope, &self.keys).await?,
            None => request,
        };
        backend.client.send(request).await.map_err(|error| reason(&error))
    }

    /// Where a cluster is, if anywhere.
    pub fn origin(&self, cluster: &str) -> Option<&Origin> {
        self.clusters.get(cluster).map(|backend| &backend.origin)
    }

    /// What the client is not told: why a request to a cluster failed.
    pub fn words<'a>(&self, cluster: &str, failure: &'a UpstreamFailure) -> &'a str {
        words(failure, self.origin(cluster).map_or(Protocol::Http1, |origin| origin.protocol))
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
            Some(Err(error)) => return Err(lost(&error)),
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
    let authority = head.get(":authority");
    let mut fields = edge::to_fields(head);
    fields.remove(CLUSTER);
    let mut parts = hyper::http::uri::Parts::default();
    parts.scheme = Some(origin.scheme.clone());
    parts.authority = Some(origin.authority.clone());
    parts.path_and_query = Some(PathAndQuery::try_from(head.get(":path")?).ok()?);
    match (origin.protocol, authority) {
        (_, None) => {}
        (Protocol::Http1, Some(authority)) => {
            fields.insert(hyper::header::HOST, hyper::header::HeaderValue::from_bytes(authority).ok()?);
        }
        // The name of a cluster need not be one of a host: Istio's have a `|`. Then the server is called by its own.
        (Protocol::Http2, Some(authority)) => {
            parts.authority = Authority::try_from(authority).ok().or(parts.authority);
        }
    }
    let mut request = Request::new(body);
    *request.method_mut() = Method::from_bytes(head.get(":method")?).ok()?;
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    *request.headers_mut() = fields;
    Some(request)
}

/// Tells a backend that could not be reached from one that went away.
fn reason(error: &legacy::Error) -> UpstreamFailure {
    if !error.is_connect() {
        return lost(error);
    }
    UpstreamFailure::Connect(causes(error).last().map_or_else(String::new, |cause| cause.to_string()))
}

/// Tells a connection that ended from an answer that was given up, or was none.
pub fn lost(error: &(dyn Error + 'static)) -> UpstreamFailure {
    let closed = causes(error).any(|cause| match cause.downcast_ref::<hyper::Error>() {
        Some(error) => error.is_incomplete_message() || error.is_closed() || error.is_canceled(),
        None => cause.is::<io::Error>(),
    });
    if closed { UpstreamFailure::Closed } else { UpstreamFailure::Reset }
}

/// The error, what caused it, and so on down.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn words(failure: &UpstreamFailure, protocol: Protocol) -> &str {
    match (failure, protocol) {
        (UpstreamFailure::Connect(cause), _) => cause,
        (UpstreamFailure::Closed, _) => "it closed the connection before its answer was whole",
        (UpstreamFailure::Reset, Protocol::Http1) => "it does not speak HTTP/1.1 as it should",
        (UpstreamFailure::Reset, Protocol::Http2) => "it gave its answer up, or does not speak HTTP/2",
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;
    use crate::cli::server::empty;

    fn head(authority: &'static str) -> HeaderMap {
        let mut head = HeaderMap::new();
        for (name, value) in
            [(":method", "POST"), (":path", "//x?y=%2B"), (":authority", authority), ("x-a", "1"), ("x-a", "2"), (CLUSTER, "api")]
        {
            head.add(name, value);
        }
        head
    }

    fn fields(request: &Request<Body>) -> Vec<(&str, &str)> {
        request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect()
    }

    #[test]
    fn a_request_has_the_filters_fields_and_no_others() {
        let origin: Origin = "http://127.0.0.1:9".parse().unwrap();
        let request = request(&origin, &head("api.test"), empty()).unwrap();
        assert_eq!(request.uri(), "http://127.0.0.1:9//x?y=%2B");
        assert_eq!(fields(&request), [("x-a", "1"), ("x-a", "2"), ("host", "api.test")]);
    }

    #[test]
    fn over_http_2_the_authority_is_the_filters_unless_it_can_be_none() {
        let origin = Origin { protocol: Protocol::Http2, ..Origin::from_str("http://127.0.0.1:9").unwrap() };
        for (written, sent) in [("ratelimit", "ratelimit"), ("outbound|8081||limits.test", "127.0.0.1:9")] {
            let request = request(&origin, &head(written), empty()).unwrap();
            assert_eq!(request.uri().to_string(), format!("http://{sent}//x?y=%2B"));
            assert_eq!(fields(&request), [("x-a", "1"), ("x-a", "2")]);
        }
    }
}
