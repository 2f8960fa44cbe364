//! HTTP: an endpoint behind mappings. Nothing of the client's request reaches it, and nothing of its answer the client, but what a
//! parameter, a template or the passthrough behavior takes over. AWS: "Set up HTTP integrations in API Gateway".

use super::answered::answered;
use super::backend::{self, Backend};
use super::content::as_text;
use super::parameters::{Mapped, RequestParameters};
use super::request_payload::RequestPayload;
use super::responses::{BackendAnswer, IntegrationResponses};
use super::{Integration, IntegrationRequest, Pending, Scope};
use crate::context::{Context, TRACE_HEADER};
use crate::definition::Node;
use crate::flow::{Callout, CalloutOutcome, Question};
use crate::gateway_response::Failure;
use crate::http::{Headers, MediaType, RequestHead, Response};
use crate::mapping::{Overrides, Sources};
use crate::platform::{Platform, Section};
use crate::usage::Admitted;

/// A compiled HTTP integration.
#[derive(Debug)]
pub struct Http {
    backend: Backend,
    parameters: RequestParameters,
    payload: RequestPayload,
    responses: IntegrationResponses,
}

// === impl Http ===

impl Http {
    /// Reads an integration of type `http`.
    pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Box<dyn Integration> {
        backend::check_settings(node, scope);
        let why = "an HTTP integration maps its responses under `responses`";
        scope.warn_of_no_effect(node, &[("responseParameters", why)]);
        let parameters = RequestParameters::compile(node, scope);
        Box::new(Self {
            backend: Backend::compile(node, &parameters, scope),
            parameters,
            payload: RequestPayload::compile(node, scope),
            responses: IntegrationResponses::compile(node, scope),
        })
    }

    fn head(&self, method: &str, mapped: &Mapped, context: &Context, platform: &dyn Platform) -> Result<RequestHead, Failure> {
        let uri = self.backend.uri()?;
        let mut head = RequestHead {
            method: method.to_owned(),
            path: self.backend.target(mapped, "", "")?,
            authority: uri.authority.clone().into_bytes(),
            scheme: uri.scheme.clone(),
            headers: own_headers(context, platform),
        };
        mapped.apply_headers(&mut head);
        head.headers = as_text(head.headers);
        Ok(head)
    }
}

/// What a backend gets without any mapping (recorded: `TestApiGatewayHeaderRemapping`).
fn own_headers(context: &Context, platform: &dyn Platform) -> Headers {
    let api_id = context.stage.as_ref().map(|stage| stage.api_id.as_str()).unwrap_or_default();
    let mut headers = Headers::new();
    headers.append("accept", MediaType::JSON);
    // The client's method decides (recorded for GET in front of POST). assumed(default-content-type): JSON where the client names
    // none, as for the choice of the template.
    if may_have_body(&context.request.method) {
        headers.append("content-type", context.headers().last("content-type").unwrap_or(MediaType::JSON.as_bytes()));
    }
    headers.append("user-agent", format!("AmazonAPIGateway_{api_id}"));
    headers.append("x-amzn-apigateway-api-id", api_id);
    headers.append(TRACE_HEADER, context.trace_id(platform));
    headers
}

/// Methods that send no body to an HTTP backend: assumed(bodiless-methods), an emulator's code.
fn may_have_body(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS")
}

impl Integration for Http {
    fn needs_body(&self, context: &Context) -> bool {
        let method = self.backend.method.unwrap_or(&context.request.method);
        self.parameters.need_body() || self.payload.needs_body(context, may_have_body(method))
    }

    fn request(&self, admitted: &Admitted, platform: &dyn Platform) -> Result<IntegrationRequest, Failure> {
        let context = admitted.context();
        let client_body = if self.needs_body(context) { platform.request_body() } else { Vec::new() };
        let mut mapped = self.parameters.evaluate(&Sources::of(context).with_body(&client_body), platform)?;
        let mut overrides = Overrides::default();
        let mut body = self.payload.make(context, client_body, &mut overrides, platform)?;
        mapped.override_with(&overrides)?;
        platform.note(Section::IntegrationRequest, "parameters", &|| mapped.describe());
        let method = self.backend.method.unwrap_or(&context.request.method);
        if !may_have_body(method) {
            body.clear();
        }
        let mut head = self.head(method, &mapped, context, platform)?;
        if may_have_body(method) {
            // Zero, too (recorded).
            head.headers.set("content-length", body.len().to_string());
        }
        let callout = Callout {
            cluster: self.backend.cluster.clone(),
            question: Question::Http { head, body },
            timeout_millis: self.backend.timeout_millis,
        };
        Ok(IntegrationRequest::Call(callout, Pending { overrides, asked_nanos: platform.monotonic_nanos() }))
    }

    fn called(
        &self,
        context: &Context,
        mut pending: Pending,
        outcome: CalloutOutcome,
        platform: &dyn Platform,
    ) -> Result<Response, Failure> {
        let answered = answered(outcome, self.backend.timeout_millis, pending.asked_nanos, platform)?;
        let status = answered.head.status.to_string();
        let answer = BackendAnswer { text: &status, headers: &answered.head.headers, body: &answered.body };
        let mut response = self.responses.answer(context, answer, &mut pending.overrides, platform)?;
        response.head.headers.set(TRACE_HEADER, context.trace_id(platform));
        Ok(response)
    }

    fn summary(&self) -> String {
        format!("HTTP {}", self.backend)
    }
}
