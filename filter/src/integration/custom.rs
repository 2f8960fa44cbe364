//! Custom (non-proxy) integrations, HTTP and AWS alike: nothing of the client's request reaches the backend, and nothing of its answer
//! the client, but what a parameter, a template or the passthrough behavior takes over. What differs is who is asked, and how.

use super::answered::answered;
use super::content::as_text;
use super::parameters::{Mapped, RequestParameters};
use super::request_payload::RequestPayload;
use super::responses::{BackendAnswer, IntegrationResponses};
use super::{Integration, IntegrationRequest, Pending, Scope};
use crate::context::{Context, TRACE_HEADER, gateway_headers};
use crate::definition::Node;
use crate::flow::{Callout, CalloutOutcome, Question};
use crate::gateway_response::Failure;
use crate::http::{Headers, MediaType, RequestHead, Response};
use crate::mapping::{Overrides, Sources};
use crate::platform::{Platform, Section};
use crate::usage::Admitted;

/// Whom a custom integration asks.
pub trait Target: Send + Sync {
    /// Its own method; none: the client's.
    fn method(&self) -> Option<&'static str>;

    /// Where it is.
    fn cluster(&self) -> &str;

    /// How long to wait for an answer.
    fn timeout_millis(&self) -> u64;

    /// The head of a request, without what was mapped to headers.
    fn head(&self, method: &str, mapped: &Mapped, context: &Context, platform: &dyn Platform) -> Result<RequestHead, Failure>;

    /// The text that selects the integration response: the status code.
    fn selector(&self, answer: &Response, platform: &dyn Platform) -> Result<String, Failure> {
        let _ = platform;
        Ok(answer.head.status.to_string())
    }

    /// One cell of the route table.
    fn summary(&self) -> String;
}

/// A compiled custom integration.
pub struct Custom {
    target: Box<dyn Target>,
    parameters: RequestParameters,
    payload: RequestPayload,
    responses: IntegrationResponses,
}

// === impl Custom ===

impl Custom {
    /// Reads what every custom integration has.
    pub fn compile(
        node: &Node<'_>,
        scope: &mut Scope<'_, '_>,
        target: impl FnOnce(&RequestParameters, &mut Scope<'_, '_>) -> Box<dyn Target>,
    ) -> Box<dyn Integration> {
        let why = "a custom integration maps its responses under `responses`";
        scope.warn_of_no_effect(node, &[("responseParameters", why)]);
        let parameters = RequestParameters::compile(node, scope);
        Box::new(Self {
            target: target(&parameters, scope),
            parameters,
            payload: RequestPayload::compile(node, scope),
            responses: IntegrationResponses::compile(node, scope),
        })
    }

    fn method<'a>(&self, context: &'a Context) -> &'a str {
        self.target.method().unwrap_or(&context.request.method)
    }
}

/// What a backend gets without any mapping, with the type of the client's body. The client's method decides whether there is one
/// (recorded for GET in front of POST). assumed(default-content-type): JSON where the client names none, as for the choice of the
/// template.
pub fn own_headers(context: &Context, platform: &dyn Platform) -> Headers {
    let mut headers = gateway_headers(context, platform);
    if may_have_body(&context.request.method) {
        headers.append("content-type", context.headers().last("content-type").unwrap_or(MediaType::JSON.as_bytes()));
    }
    headers
}

/// Methods that send no body to a backend: assumed(bodiless-methods), an emulator's code.
fn may_have_body(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD" | "OPTIONS")
}

impl Integration for Custom {
    fn needs_body(&self, context: &Context) -> bool {
        self.parameters.need_body() || self.payload.needs_body(context, may_have_body(self.method(context)))
    }

    fn request(&self, admitted: &Admitted, platform: &dyn Platform) -> Result<IntegrationRequest, Failure> {
        let context = admitted.context();
        let client_body = if self.needs_body(context) { platform.request_body() } else { Vec::new() };
        let mut mapped = self.parameters.evaluate(&Sources::of(context).with_body(&client_body), platform)?;
        let mut overrides = Overrides::default();
        let mut body = self.payload.make(context, client_body, &mut overrides, platform)?;
        mapped.override_with(&overrides)?;
        platform.note(Section::IntegrationRequest, "parameters", &|| mapped.describe());
        let method = self.method(context);
        if !may_have_body(method) {
            body.clear();
        }
        let mut head = self.target.head(method, &mapped, context, platform)?;
        mapped.apply_headers(&mut head);
        head.headers = as_text(head.headers);
        if may_have_body(method) {
            // Zero, too (recorded).
            head.headers.set("content-length", body.len().to_string());
        }
        let callout = Callout {
            cluster: self.target.cluster().to_owned(),
            question: Question::Http { head, body },
            timeout_millis: self.target.timeout_millis(),
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
        let answer = answered(outcome, self.target.timeout_millis(), pending.asked_nanos, platform)?;
        let selector = self.target.selector(&answer, platform)?;
        let answer = BackendAnswer { text: &selector, headers: &answer.head.headers, body: &answer.body };
        let mut response = self.responses.answer(context, answer, &mut pending.overrides, platform)?;
        response.head.headers.set(TRACE_HEADER, context.trace_id(platform));
        Ok(response)
    }

    fn summary(&self) -> String {
        self.target.summary()
    }
}
