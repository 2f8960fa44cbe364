//! HTTP_PROXY: the request goes on to an HTTP endpoint through the proxy's own router, bodies stream both ways; by a call only where
//! a response mapping has to see the whole answer. AWS: "Set up HTTP integrations in API Gateway" and "Create HTTP integrations for
//! HTTP APIs".

mod headers;

pub use headers::whole_response;

use super::answered::answered;
use super::backend::{self, Backend};
use super::content::as_text;
use super::http_parameters::{HttpRequestParameters, HttpResponseParameters};
use super::parameters::RequestParameters;
use super::{CLUSTER_HEADER, Integration, IntegrationRequest, Pending, Scope, TIMEOUT_HEADER, proxy};
use crate::context::Context;
use crate::definition::{Node, OperationKey, Protocol};
use crate::flow::{Callout, CalloutOutcome, Question};
use crate::gateway_response::Failure;
use crate::http::{CanonicalPath, RequestHead, Response, ResponseHead};
use crate::mapping::Sources;
use crate::platform::{Platform, Section};
use crate::usage::Admitted;

/// A compiled HTTP_PROXY integration.
#[derive(Debug)]
pub struct HttpProxy {
    protocol: Protocol,
    backend: Backend,
    parameters: RequestParameters,
    /// `requestParameters` of an HTTP API.
    mappings: HttpRequestParameters,
    /// `responseParameters` of an HTTP API.
    responses: HttpResponseParameters,
    /// The route is `$default` of an HTTP API: the request's path goes behind the URI's. assumed(private-path): without the stage
    /// for a private integration too, which AWS names by an ARN and sends the stage.
    appends_path: bool,
}

// === impl HttpProxy ===

impl HttpProxy {
    /// Reads an integration of type `http_proxy`.
    pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Box<dyn Integration> {
        check_settings(node, scope);
        let parameters = RequestParameters::compile(node, scope);
        let (mappings, responses) = match scope.protocol {
            Protocol::Rest => Default::default(),
            Protocol::Http => (HttpRequestParameters::compile(node, scope), HttpResponseParameters::compile(node, scope.problems)),
        };
        Box::new(Self {
            protocol: scope.protocol,
            backend: Backend::compile(node, &parameters, scope),
            parameters,
            mappings,
            responses,
            appends_path: scope.operation.key == OperationKey::Default,
        })
    }

    /// Asks by a call, which brings the whole answer.
    fn call(&self, mut head: RequestHead, body: Vec<u8>, platform: &dyn Platform) -> IntegrationRequest {
        head.headers.remove("transfer-encoding");
        if !body.is_empty() || head.headers.contains("content-length") {
            head.headers.set("content-length", body.len().to_string());
        }
        head.headers = as_text(head.headers);
        let callout = Callout {
            cluster: self.backend.cluster.clone(),
            question: Question::Http { head, body },
            timeout_millis: self.backend.timeout_millis,
        };
        IntegrationRequest::Call(callout, Pending { asked_nanos: platform.monotonic_nanos(), ..Pending::default() })
    }
}

/// Settings that a proxy integration cannot have, or does nothing with.
fn check_settings(node: &Node<'_>, scope: &mut Scope<'_, '_>) {
    backend::check_settings(node, scope);
    proxy::check_settings(node, scope);
    if scope.protocol == Protocol::Rest {
        scope.warn_of_no_effect(node, &[("responseParameters", "a proxy integration of a REST API passes the response through")]);
    }
    if let Some(setting) = node.get("contentHandling") {
        scope.problems.error(&setting.path, "not served yet: content handling", None);
    }
}

impl Integration for HttpProxy {
    fn needs_body(&self, _: &Context) -> bool {
        self.parameters.need_body() || self.mappings.need_body() || self.responses.need_answer()
    }

    fn request(&self, admitted: &Admitted, platform: &dyn Platform) -> Result<IntegrationRequest, Failure> {
        let context = admitted.context();
        let uri = self.backend.uri()?;
        let body = if self.needs_body(context) { platform.request_body() } else { Vec::new() };
        let sources = Sources::of(context).with_body(&body);
        let mut filled = self.parameters.evaluate(&sources, platform)?;
        let mapped = self.mappings.evaluate(&sources, platform);
        filled.overwrite_path(mapped.path());
        let describe = || [filled.describe(), mapped.describe()].join("\n").trim().to_owned();
        platform.note(Section::IntegrationRequest, "parameters", &describe);
        let appended = if self.appends_path { context.stage_path.as_str() } else { "" };
        let client_query = context.path.as_ref().and_then(CanonicalPath::query).unwrap_or_default();
        let calls = self.responses.need_answer();
        let mut head = RequestHead {
            method: self.backend.method.unwrap_or(&context.request.method).to_owned(),
            path: self.backend.target(&filled, appended, &mapped.query(client_query))?,
            authority: uri.authority.clone().into_bytes(),
            scheme: if calls { uri.scheme.to_owned() } else { context.request.scheme.clone() },
            headers: headers::upstream_request(self.protocol, context, platform),
        };
        filled.apply_headers(&mut head);
        mapped.apply_headers(&mut head);
        if calls {
            return Ok(self.call(head, body, platform));
        }
        head.headers.set(CLUSTER_HEADER, self.backend.cluster.as_str());
        head.headers.set(TIMEOUT_HEADER, self.backend.timeout_millis.to_string());
        Ok(IntegrationRequest::Forward(head))
    }

    fn called(
        &self,
        context: &Context,
        pending: Pending,
        outcome: CalloutOutcome,
        platform: &dyn Platform,
    ) -> Result<Response, Failure> {
        let answer = answered(outcome, self.backend.timeout_millis, pending.asked_nanos, platform)?;
        let mut response = headers::whole_response(self.protocol, answer);
        self.responses.apply(context, &mut response.head, &response.body, platform);
        Ok(response)
    }

    fn response(&self, context: &Context, head: ResponseHead, platform: &dyn Platform) -> ResponseHead {
        let mut head = headers::client_response(self.protocol, head);
        let upstream_got_head = self.backend.method.unwrap_or(&context.request.method) == "HEAD";
        if upstream_got_head && !context.client_sent_head {
            // The length of a body that never comes.
            head.headers.remove("content-length");
        }
        self.responses.apply(context, &mut head, b"", platform);
        head
    }

    fn summary(&self) -> String {
        format!("HTTP_PROXY {}", self.backend)
    }
}
