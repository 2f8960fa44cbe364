//! AWS_PROXY: a Lambda function gets the whole request as an event, and its answer is the response. AWS: "Lambda proxy integrations in
//! API Gateway", "Create AWS Lambda proxy integrations for HTTP APIs".

mod answer;

use super::answered::answered;
use super::function::{self, FunctionUri};
use super::http_parameters::{HttpRequestParameters, HttpResponseParameters};
use super::parameters::RequestParameters;
use super::{Integration, IntegrationRequest, Pending, Scope, proxy};
use crate::context::{Context, TRACE_HEADER};
use crate::definition::{Node, Protocol};
use crate::event::{PayloadFormat, proxy_event};
use crate::flow::{Callout, CalloutOutcome, Question};
use crate::gateway_response::{Failure, ResponseType};
use crate::http::{BinaryMediaTypes, Response};
use crate::lambda::{EVENT_LIMIT, Invoked};
use crate::mapping::{Overrides, Sources};
use crate::platform::{Level, Platform, Section};
use crate::usage::Admitted;

/// A compiled Lambda proxy integration.
#[derive(Debug)]
pub struct LambdaProxy {
    protocol: Protocol,
    function: FunctionUri,
    format: PayloadFormat,
    /// What AWS answers 500 to every request for: another method than POST (recorded:
    /// `test_lambda_aws_proxy_integration_non_post_method`), a mapped header that must not be mapped.
    broken: bool,
    binary: BinaryMediaTypes,
    timeout_millis: u64,
    /// `requestParameters` of an HTTP API. assumed(function-parameter-mapping): they change what the event tells of the request.
    mappings: HttpRequestParameters,
    /// `responseParameters` of an HTTP API.
    responses: HttpResponseParameters,
}

const FORMATS: [(&str, PayloadFormat); 2] = [("1.0", PayloadFormat::V1), ("2.0", PayloadFormat::V2)];

// === impl LambdaProxy ===

impl LambdaProxy {
    /// Reads an integration of type `aws_proxy`.
    pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Box<dyn Integration> {
        let broken = check_settings(node, scope);
        let format = match node.get("payloadFormatVersion") {
            Some(version) => version.one_of(&FORMATS, scope.problems),
            None if scope.protocol == Protocol::Http => {
                let help = "`1.0` is the event of REST APIs, `2.0` that of HTTP APIs";
                scope.problems.error(&node.path, "no `payloadFormatVersion`", Some(help));
                None
            }
            None => None,
        };
        if scope.protocol == Protocol::Rest && format == Some(PayloadFormat::V2) {
            scope.problems.error(&node.path.key("payloadFormatVersion"), "REST APIs have payload format 1.0 only", None);
        }
        let (mappings, responses) = match scope.protocol {
            Protocol::Rest => Default::default(),
            Protocol::Http => (HttpRequestParameters::compile(node, scope), HttpResponseParameters::compile(node, scope.problems)),
        };
        Box::new(Self {
            mappings,
            responses,
            protocol: scope.protocol,
            function: FunctionUri::compile(node, scope),
            format: format.unwrap_or(PayloadFormat::V1),
            broken,
            binary: scope.binary_media_types.clone(),
            timeout_millis: super::timeout_millis(node, scope),
        })
    }

    /// The request with what is mapped; none where nothing is.
    fn changed(&self, context: &Context, body: &[u8], platform: &dyn Platform) -> Result<Option<Context>, Failure> {
        let Some(path) = context.path.as_ref().filter(|_| !self.mappings.is_empty()) else { return Ok(None) };
        let mapped = self.mappings.evaluate(&Sources::of(context).with_body(body), platform);
        platform.note(Section::IntegrationRequest, "parameters", &|| mapped.describe());
        // A mapped value may have made of it what no client may send.
        context.with_request(mapped.change(&context.request, path)).map(Some).ok_or_else(Failure::bad_request)
    }

    /// AWS answers 502 in REST APIs, and 500 in HTTP APIs (documented: "Handling Lambda errors with an API Gateway API").
    fn bad_gateway(&self, reason: &str, platform: &dyn Platform) -> Failure {
        platform.log(Level::Warn, &format!("{}: {reason}", self.summary()));
        Failure::new(ResponseType::Default5xx).with_status(502).saying("Internal server error")
    }
}

/// Settings that a Lambda proxy cannot have, or does nothing with; whether one of them breaks it.
fn check_settings(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> bool {
    function::check_settings(node, scope);
    proxy::check_settings(node, scope);
    let why = match scope.protocol {
        Protocol::Rest => "`binaryMediaTypes` tells which bodies are base64 in the event",
        Protocol::Http => "the type of a body tells whether it is base64 in the event",
    };
    scope.warn_of_no_effect(node, &[("contentHandling", why)]);
    if scope.protocol == Protocol::Rest {
        scope.warn_of_no_effect(node, &[("responseParameters", "a proxy integration of a REST API passes the response through")]);
    }
    if scope.protocol == Protocol::Http {
        let is_other = node.get("httpMethod").is_some_and(|method| !function::says_post(&method));
        scope.warn_of_no_effect(node, if is_other { &[("httpMethod", "a function is called by POST")] } else { &[] });
        return false;
    }
    let illegal = RequestParameters::compile(node, scope).are_illegal();
    if !illegal {
        // Recorded.
        scope.warn_of_no_effect(node, &[("requestParameters", "the event of a function has the request as it came")]);
    }
    !function::is_post(node, scope) || illegal
}

impl Integration for LambdaProxy {
    fn needs_body(&self, _: &Context) -> bool {
        true
    }

    fn request(&self, admitted: &Admitted, platform: &dyn Platform) -> Result<IntegrationRequest, Failure> {
        let context = admitted.context();
        if self.broken {
            return Err(Failure::configuration());
        }
        let head = self.function.head(context, platform)?;
        let body = platform.request_body();
        let changed = self.changed(context, &body, platform)?;
        let told = changed.as_ref().unwrap_or(context);
        // assumed(event-limit): as Lambda answers it.
        let event = proxy_event(self.format, told, &body, &self.binary, EVENT_LIMIT, platform)
            .ok_or_else(|| Failure::new(ResponseType::RequestTooLarge))?;
        platform.note(Section::IntegrationRequest, "event", &|| event.clone());
        let callout = Callout {
            cluster: self.function.cluster.clone(),
            question: Question::Http { head, body: event.into_bytes() },
            timeout_millis: self.timeout_millis,
        };
        let pending = Pending { overrides: Overrides::default(), asked_nanos: platform.monotonic_nanos() };
        Ok(IntegrationRequest::Call(callout, pending))
    }

    fn called(
        &self,
        context: &Context,
        pending: Pending,
        outcome: CalloutOutcome,
        platform: &dyn Platform,
    ) -> Result<Response, Failure> {
        let answer = answered(outcome, self.timeout_millis, pending.asked_nanos, platform)?;
        match Invoked::of(&answer) {
            Invoked::Returned => {}
            Invoked::Failed => return Err(self.bad_gateway("the function failed", platform)),
            Invoked::Rejected(status) => return Err(function::rejected(status, &self.summary(), platform)),
        }
        let payload = answer.body;
        let answer = match (self.format, self.protocol) {
            (PayloadFormat::V1, protocol) => {
                // A range or a type that is not listed gets the base64 text (recorded: `test_aws_proxy_binary_response`).
                let decodes = protocol == Protocol::Http || self.binary.contain(context.headers().last("accept"));
                answer::v1(&payload, protocol, decodes)
            }
            (PayloadFormat::V2, _) => answer::v2(payload),
        };
        let mut response = answer.map_err(|reason| self.bad_gateway(reason, platform))?;
        self.responses.apply(context, &mut response.head, &response.body, platform);
        if self.protocol == Protocol::Rest {
            response.head.headers.set(TRACE_HEADER, context.trace_id(platform));
        }
        Ok(response)
    }

    fn has_status_of_its_own(&self) -> bool {
        true
    }

    fn summary(&self) -> String {
        format!("AWS_PROXY {}", self.function)
    }
}
