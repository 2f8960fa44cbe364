//! AWS_PROXY with a subtype, of HTTP APIs: one call of an AWS service, made of values of the request. AWS: "Create AWS service
//! integrations for HTTP APIs in API Gateway".
//!
//! That a value which is missing or empty is a 400, of a required parameter and of any other, and that the client gets 500 for what
//! the service refuses, is in an emulator's tests for Kinesis that are checked on AWS; assumed(subtype-errors): so it is for all.

mod call;
mod parameter;
mod table;

#[cfg(test)]
mod tests;

use super::answered::answered;
use super::aws::action_headers;
use super::http_parameters::HttpResponseParameters;
use super::http_proxy::whole_response;
use super::{Integration, IntegrationRequest, Pending, Scope, function, proxy, timeout_millis};
use crate::context::{Context, gateway_headers};
use crate::definition::{Endpoint, Node, Protocol, Signing, partition};
use crate::flow::{Callout, CalloutOutcome, Question};
use crate::gateway_response::{Failure, ResponseType};
use crate::http::{Headers, RequestHead, Response};
use crate::mapping::Sources;
use crate::platform::{Level, Platform, Section};
use crate::usage::Admitted;
use call::{Call, Unusable};
use parameter::Parameter;
use table::{Form, ROWS, Row};

/// A compiled integration with a subtype.
#[derive(Debug)]
pub struct Subtype {
    row: &'static Row,
    authority: String,
    cluster: String,
    parameters: Vec<Parameter>,
    responses: HttpResponseParameters,
    timeout_millis: u64,
}

/// Compiles an integration of type `aws_proxy` that has a subtype.
pub fn compile(node: &Node<'_>, subtype: &Node<'_>, scope: &mut Scope<'_, '_>) -> Box<dyn Integration> {
    check_settings(node, scope);
    let rows = ROWS.each_ref().map(|row| (row.name, row));
    // Without one of them nothing is served; any is as good.
    let known = subtype.one_of(&rows, scope.problems);
    let row = known.unwrap_or(&ROWS[0]);
    let parameters = if known.is_some() { parameter::compile_all(row, node, scope) } else { Vec::new() };
    let region = parameter::region(node, scope);
    let domain = if partition(&region) == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let authority = format!("{}.{region}.{domain}", row.host);
    let mut cluster = String::new();
    if known.is_some() {
        let signing = Some(Signing { service: row.service.to_owned(), region });
        let endpoint = Endpoint { name: authority.clone(), scheme: "https".to_owned(), authority: authority.clone(), signing };
        cluster = scope.cluster(endpoint, subtype);
    }
    let responses = HttpResponseParameters::compile(node, scope.problems);
    Box::new(Subtype { row, authority, cluster, parameters, responses, timeout_millis: timeout_millis(node, scope) })
}

fn check_settings(node: &Node<'_>, scope: &mut Scope<'_, '_>) {
    function::check_settings(node, scope);
    proxy::check_settings(node, scope);
    let why = "the subtype names what is called";
    scope.warn_of_no_effect(node, &[("uri", why), ("httpMethod", why), ("contentHandling", "an answer passes as it is")]);
    if let Some(version) = node.get("payloadFormatVersion") {
        version.one_of(&[("1.0", ())], scope.problems);
    }
}

// === impl Subtype ===

impl Subtype {
    fn call(&self, context: &Context, platform: &dyn Platform) -> Result<Call, Unusable> {
        let body = if self.needs_body(context) { platform.request_body() } else { Vec::new() };
        let sources = Sources::of(context).with_body(&body);
        let filled = self.parameters.iter().map(|parameter| parameter.fill(&sources, platform)).collect::<Result<Vec<_>, _>>()?;
        Call::of(self.row, filled)
    }

    /// The fields of a call.
    fn headers(&self, context: &Context, platform: &dyn Platform) -> Headers {
        let mut headers = gateway_headers(context, platform);
        // SQS would answer in JSON.
        headers.remove("accept");
        match self.row.form {
            Form::Configuration => {}
            Form::Queue => headers.append("content-type", "application/x-www-form-urlencoded"),
            Form::Json | Form::LowerJson | Form::Entries => {
                for (name, value) in action_headers(self.row.service, self.row.action()).into_iter().flatten() {
                    headers.append(name, value);
                }
            }
        }
        headers
    }
}

impl Integration for Subtype {
    fn needs_body(&self, _: &Context) -> bool {
        self.parameters.iter().any(Parameter::needs_body)
    }

    fn request(&self, admitted: &Admitted, platform: &dyn Platform) -> Result<IntegrationRequest, Failure> {
        let context = admitted.context();
        let Call { target, body } = self.call(context, platform).map_err(|Unusable(name)| {
            // The text is AWS's in the logs of an API; the client's is a fixed one.
            let message = format!("Unable to resolve property {name}");
            Failure::new(ResponseType::Default4xx).with_status(400).saying(message)
        })?;
        platform.note(Section::IntegrationRequest, "call", &|| format!("{target} {body}"));
        let is_get = self.row.form == Form::Configuration;
        let mut headers = self.headers(context, platform);
        if !is_get {
            headers.append("content-length", body.len().to_string());
        }
        let head = RequestHead {
            method: if is_get { "GET" } else { "POST" }.to_owned(),
            path: target.into_bytes(),
            authority: self.authority.clone().into_bytes(),
            scheme: "https".to_owned(),
            headers,
        };
        let callout = Callout {
            cluster: self.cluster.clone(),
            question: Question::Http { head, body: body.into_bytes() },
            timeout_millis: self.timeout_millis,
        };
        Ok(IntegrationRequest::Call(callout, Pending { asked_nanos: platform.monotonic_nanos(), ..Pending::default() }))
    }

    /// The service's own answer, whose fields pass (in those tests: `x-amzn-requestid`, `x-amz-id-2`).
    fn called(
        &self,
        context: &Context,
        pending: Pending,
        outcome: CalloutOutcome,
        platform: &dyn Platform,
    ) -> Result<Response, Failure> {
        let answer = answered(outcome, self.timeout_millis, pending.asked_nanos, platform)?;
        let status = answer.head.status;
        if !(200..300).contains(&status) {
            let told: String = String::from_utf8_lossy(&answer.body).chars().take(500).collect();
            platform.log(Level::Warn, &format!("{}: the service answered {status}: {told:?}", self.row.name));
            return Err(Failure::configuration());
        }
        let mut response = whole_response(Protocol::Http, answer);
        self.responses.apply(context, &mut response.head, &response.body, platform);
        Ok(response)
    }

    fn summary(&self) -> String {
        format!("AWS_PROXY {}", self.row.name)
    }
}
