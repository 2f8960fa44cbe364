//! `envoy.service.ratelimit.v3.RateLimitService`, and the health of it, as gRPC over our own HTTP/2 server.

use std::pin::Pin;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Response, StatusCode};
use tonic::Status;
use tonic::codegen::Service;
use tonic::server::{Grpc, UnaryService};
use tonic_prost::ProstCodec;

use super::super::server::{Aborted, Body, text};
use super::counters::{Refusal, Standing, Store};
use super::messages::{Code, CurrentLimit, DescriptorStatus, Duration, RateLimitRequest, RateLimitResponse};
use super::request;

/// The name by which clients ask for the health of it.
pub const NAME: &str = "envoy.service.ratelimit.v3.RateLimitService";

/// Bytes of a request. Counters are named by what is in it, and there is no use for long names.
const MAX_MESSAGE: usize = 64 * 1024;

/// Answers a request of any kind. `health` is tonic's service.
pub async fn answer<H>(store: Arc<Store>, mut health: H, request: Request<Incoming>) -> Result<Response<Body>, Aborted>
where
    H: Service<Request<tonic::body::Body>, Response = Response<tonic::body::Body>>,
{
    let is_grpc = |value: &hyper::header::HeaderValue| value.as_bytes().starts_with(b"application/grpc");
    if !request.headers().get(CONTENT_TYPE).is_some_and(is_grpc) {
        return Ok(text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this is a gRPC service, and the request is no gRPC"));
    }
    let request = request.map(tonic::body::Body::new);
    let response = match request.uri().path().strip_prefix('/').and_then(|path| path.split_once('/')) {
        Some((NAME, "ShouldRateLimit")) => {
            let codec = ProstCodec::<RateLimitResponse, RateLimitRequest>::default();
            Grpc::new(codec).max_decoding_message_size(MAX_MESSAGE).unary(ShouldRateLimit(store), request).await
        }
        Some(("grpc.health.v1.Health", _)) => health.call(request).await.map_err(|_| Aborted)?,
        _ => Status::unimplemented(format!("there is no method `{}`", request.uri().path())).into_http(),
    };
    Ok(response.map(|body| body.map_err(|_| Aborted).boxed_unsync()))
}

/// The one method.
struct ShouldRateLimit(Arc<Store>);

// === impl ShouldRateLimit ===

impl UnaryService<RateLimitRequest> for ShouldRateLimit {
    type Response = RateLimitResponse;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<RateLimitResponse>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<RateLimitRequest>) -> Self::Future {
        let store = Arc::clone(&self.0);
        Box::pin(async move { should_rate_limit(&store, &request.into_inner()).await.map(tonic::Response::new) })
    }
}

async fn should_rate_limit(store: &Store, request: &RateLimitRequest) -> Result<RateLimitResponse, Status> {
    let descriptors = request::read(request).map_err(Status::invalid_argument)?;
    let hits: Vec<_> = descriptors.iter().flatten().cloned().collect();
    let standings = if hits.is_empty() { Vec::new() } else { store.count(&hits).await.map_err(status)? };
    if standings.len() != hits.len() {
        return Err(Status::internal("the store tells of other counters than were asked for"));
    }
    let over = standings.iter().any(|standing| standing.over);
    let mut counted = hits.iter().zip(&standings);
    let statuses = descriptors.iter().map(|descriptor| match descriptor {
        Some(_) => counted.next().map(|(hit, standing)| limited(hit.counter.per_unit(), hit.counter.unit().number(), standing)),
        None => None,
    });
    let unlimited = || DescriptorStatus { code: Code::Ok.into(), ..DescriptorStatus::default() };
    Ok(RateLimitResponse {
        overall_code: code(over).into(),
        statuses: statuses.map(|status| status.unwrap_or_else(unlimited)).collect(),
    })
}

fn limited(requests_per_unit: u32, unit: i32, standing: &Standing) -> DescriptorStatus {
    DescriptorStatus {
        code: code(standing.over).into(),
        current_limit: Some(CurrentLimit { requests_per_unit, unit }),
        limit_remaining: standing.remaining,
        duration_until_reset: Some(Duration {
            seconds: i64::try_from(standing.reset.as_secs()).unwrap_or(i64::MAX),
            nanos: standing.reset.subsec_nanos().cast_signed(),
        }),
    }
}

fn code(over: bool) -> Code {
    if over { Code::OverLimit } else { Code::Ok }
}

fn status(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Unavailable(message) => Status::unavailable(message),
        Refusal::Full(message) => Status::resource_exhausted(message),
    }
}
