//! Integrations: what stands behind a route. One file a kind, with its raw form, its compile step, its run step and its tests; the
//! registry of kinds is `compile/kinds.rs`.

mod answered;
mod aws;
mod backend;
mod content;
mod custom;
mod faults;
mod function;
mod http;
mod http_parameters;
mod http_proxy;
mod lambda_proxy;
mod mock;
mod parameters;
mod proxy;
mod request_line;
mod request_payload;
mod responses;
mod subtype;
mod tolerant_json;
mod uri;

pub use answered::is_of_backend;
pub use aws::compile as compile_aws;
pub use http::compile as compile_http;
pub use http_proxy::HttpProxy;
pub use lambda_proxy::LambdaProxy;
pub use mock::Mock;
pub use subtype::compile as compile_subtype;

use crate::context::Context;
use crate::definition::{Directory, Endpoint, Node, Operation, Protocol};
use crate::flow::{Callout, CalloutOutcome};
use crate::gateway_response::Failure;
use crate::http::{BinaryMediaTypes, RequestHead, Response, ResponseHead};
use crate::mapping::Overrides;
use crate::platform::Platform;
use crate::problem::Problems;
use crate::route::Pattern;
use crate::usage::Admitted;
use std::collections::BTreeMap;
use std::fmt;

/// The request header that names Envoy's cluster (route `cluster_header`).
pub const CLUSTER_HEADER: &str = "x-tollgate-cluster";

/// `timeoutInMillis`: from 50 ms; the 29 s of REST are a quota that AWS raises on request, so the end is only where a typing error
/// is likelier.
pub const TIMEOUT_MILLIS: std::ops::RangeInclusive<u64> = 50..=900_000;

/// The request header that is Envoy's timeout for one request.
pub const TIMEOUT_HEADER: &str = "x-envoy-upstream-rq-timeout-ms";

/// Headers that a client must not be able to say, nor a mapping: those that steer the proxy, and those that the gateway itself sets.
pub fn is_reserved(name: &str) -> bool {
    const OWN: [&str; 6] =
        [CLUSTER_HEADER, "x-amzn-requestid", "x-amzn-errortype", "x-amzn-apigateway-api-id", "x-amz-apigw-id", "apigw-requestid"];
    name.starts_with("x-envoy-") || OWN.contains(&name)
}

/// A compiled integration.
pub trait Integration: Send + Sync {
    /// Whether the request body is read before the integration can go on.
    fn needs_body(&self, context: &Context) -> bool;

    /// What becomes of an admitted request.
    fn request(&self, admitted: &Admitted, platform: &dyn Platform) -> Result<IntegrationRequest, Failure>;

    /// The answer that a call of [`request`](Self::request) led to.
    fn called(
        &self,
        context: &Context,
        pending: Pending,
        outcome: CalloutOutcome,
        platform: &dyn Platform,
    ) -> Result<Response, Failure> {
        let _ = (context, pending, outcome, platform);
        Err(Failure::configuration())
    }

    /// What the client gets to see of the upstream's response head, where the request was forwarded.
    fn response(&self, context: &Context, head: ResponseHead, platform: &dyn Platform) -> ResponseHead {
        let _ = (context, platform);
        head
    }

    /// Whether the status of [`called`](Self::called) is the backend's own word, and not a mapping's.
    fn has_status_of_its_own(&self) -> bool {
        false
    }

    /// One cell of the route table: `HTTP_PROXY http://…`.
    fn summary(&self) -> String;
}

/// Its summary: `Debug` as a part of the trait would keep the derived one of every field in the module.
impl fmt::Debug for dyn Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())
    }
}

/// The second half of the request's way.
#[derive(Debug)]
pub enum IntegrationRequest {
    /// To the upstream, by the proxy's own router; the body streams.
    Forward(RequestHead),
    /// Asked by a call of the gateway's own, because request and answer are rewritten as a whole. A filter cannot give a body to a
    /// message that came without one, and both templates may.
    Call(Callout, Pending),
    /// No upstream: this is the answer.
    Respond(Response),
}

/// What an integration remembers while its call is under way.
#[derive(Debug, Default)]
pub struct Pending {
    /// What the request's template said.
    overrides: Overrides,
    /// When it asked, on the monotonic clock.
    asked_nanos: u64,
}

/// How long an integration may take.
fn timeout_millis(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> u64 {
    // AWS's defaults.
    let default = if scope.protocol == Protocol::Rest { 29_000 } else { 30_000 };
    let timeout = node.get("timeoutInMillis").and_then(|timeout| timeout.integer(TIMEOUT_MILLIS, scope.problems));
    timeout.unwrap_or(default)
}

/// What the compile step of an integration may look at, and where it tells what it found.
pub struct Scope<'a, 'b> {
    /// REST or HTTP.
    pub protocol: Protocol,
    /// The API's own.
    pub region: &'a str,
    /// The stage's variables.
    pub variables: &'a BTreeMap<String, String>,
    /// Where hosts are.
    pub directory: &'b mut Directory,
    /// `binaryMediaTypes` of the API.
    pub binary_media_types: &'a BinaryMediaTypes,
    /// The resource path.
    pub pattern: &'a Pattern,
    /// The method.
    pub operation: &'a Operation<'a>,
    /// The findings.
    pub problems: &'b mut Problems,
}

// === impl Scope ===

impl Scope<'_, '_> {
    /// Tells of settings that a kind of integration takes and does nothing with, so that nobody waits for their effect.
    pub fn warn_of_no_effect(&mut self, integration: &Node<'_>, settings: &[(&str, &str)]) {
        for (key, why) in settings {
            let setting = integration.get(key).filter(|s| s.value.as_object().is_none_or(|members| !members.is_empty()));
            if let Some(setting) = setting {
                self.problems.warning(&setting.path, format!("`{key}` has no effect: {why}"), None);
            }
        }
    }

    /// The cluster of an upstream. A static host without one is a problem: nothing else may be called.
    pub fn cluster(&mut self, endpoint: Endpoint, place: &Node<'_>) -> String {
        self.directory.cluster(endpoint, place, self.problems)
    }
}
