//! The client of one cluster: connections that are kept, and what is spoken on them.

use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

use super::origins::{Origin, Protocol};
use crate::cli::server::{Body, MAX_HEAD};

/// Envoy's own default of `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(60);

/// Connects with or without TLS, as the URL says.
pub type Connector = HttpsConnector<HttpConnector>;

/// How a cluster is spoken to. Clones share their connections.
#[derive(Clone)]
pub enum Client {
    /// All clusters of HTTP/1.1 can share one: the target of a request names its server.
    Http1(legacy::Client<Connector, Body>),
    /// One for each cluster.
    Http2(legacy::Client<Dial, Body>),
}

/// Connects to one server, whatever a request calls it: over HTTP/2 the target's authority is sent, and the filter writes that one.
#[derive(Clone)]
pub struct Dial {
    connector: Connector,
    server: Uri,
}

/// Connects with this protocol; over TLS it is agreed on there. Takes the system's certificates, and Mozilla's where the system has
/// none.
pub fn connector(protocol: Protocol) -> Connector {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let builder = match HttpsConnectorBuilder::new().with_native_roots() {
        Ok(builder) => builder,
        Err(_) => HttpsConnectorBuilder::new().with_webpki_roots(),
    };
    let builder = builder.https_or_http();
    match protocol {
        Protocol::Http1 => builder.enable_http1().wrap_connector(http),
        Protocol::Http2 => builder.enable_http2().wrap_connector(http),
    }
}

fn builder() -> legacy::Builder {
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
    builder
}

// === impl Client ===

impl Client {
    pub fn http1(connector: Connector) -> Self {
        // The filter writes the host, as it writes all else.
        Self::Http1(builder().set_host(false).build(connector))
    }

    pub fn http2(connector: Connector, origin: &Origin) -> Option<Self> {
        let server = Uri::builder().scheme(origin.scheme.clone()).authority(origin.authority.clone()).path_and_query("/");
        let dial = Dial { connector, server: server.build().ok()? };
        let client = builder().http2_only(true).timer(TokioTimer::new()).http2_max_header_list_size(MAX_HEAD as u32).build(dial);
        Some(Self::Http2(client))
    }

    /// Sends a request. The response is there when its head is.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Incoming>, legacy::Error> {
        match self {
            Self::Http1(client) => client.request(request).await,
            Self::Http2(client) => client.request(request).await,
        }
    }
}

// === impl Dial ===

impl Service<Uri> for Dial {
    type Response = <Connector as Service<Uri>>::Response;
    type Error = <Connector as Service<Uri>>::Error;
    type Future = <Connector as Service<Uri>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        self.connector.call(self.server.clone())
    }
}
