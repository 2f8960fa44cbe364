//! MOCK: an answer without a backend. The request template gives a status code, the status code selects a response. AWS: "Mock
//! integrations for REST APIs in API Gateway".

use super::request_payload::RequestPayload;
use super::responses::{BackendAnswer, IntegrationResponses};
use super::tolerant_json::status_code;
use super::{Integration, IntegrationRequest, Scope};
use crate::context::Context;
use crate::definition::Node;
use crate::gateway_response::{Failure, ResponseType};
use crate::http::{Headers, MediaType};
use crate::mapping::{Expression, Overrides, Side};
use crate::platform::Platform;
use crate::usage::Admitted;

/// A compiled MOCK integration.
#[derive(Debug)]
pub struct Mock {
    payload: RequestPayload,
    responses: IntegrationResponses,
}

/// What an export may say of a MOCK and nothing acts on.
const NO_EFFECT: [(&str, &str); 8] = [
    ("connectionId", NO_BACKEND),
    ("credentials", NO_BACKEND),
    ("integrationSubtype", NO_BACKEND),
    ("integrationTarget", NO_BACKEND),
    ("responseParameters", "a MOCK maps its responses under `responses`"),
    ("responseTransferMode", NO_BACKEND),
    ("tlsConfig", NO_BACKEND),
    ("uri", NO_BACKEND),
];

const NO_BACKEND: &str = "a MOCK has no backend";

/// How much of a body is read in the place of a template: as much as a template may have (300 KB, documented).
/// assumed(mock-body-limit): what AWS does with more.
const BODY_LIMIT: usize = 300 * 1024;

// === impl Mock ===

impl Mock {
    /// Reads an integration of type `mock`.
    pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Box<dyn Integration> {
        let payload = RequestPayload::compile(node, scope);
        for (media_type, template) in payload.templates() {
            if template.as_plain().is_some_and(|text| status_code(text).is_none()) {
                let message =
                    format!("the template for `{}` gives no `statusCode`: every request is answered 500", media_type.as_str());
                let help = "a MOCK request template is an object with a whole number: `{\"statusCode\": 200}`";
                scope.problems.warning(&node.path.key("requestTemplates"), message, Some(help));
            }
        }
        // Parameters of a MOCK reach nothing, not even its templates: only their form is looked at.
        if let Some(parameters) = node.get("requestParameters") {
            for (target, source) in parameters.members(scope.problems) {
                if !["header.", "querystring.", "path."]
                    .iter()
                    .any(|place| target.starts_with(&format!("integration.request.{place}")))
                {
                    scope.problems.error(
                        &source.path,
                        format!("`{target}` is no target"),
                        Some("write `integration.request.header.NAME`"),
                    );
                }
                Expression::compile(&source, Side::Request, scope.problems);
            }
        }
        scope.warn_of_no_effect(node, &NO_EFFECT);
        Box::new(Self { payload, responses: IntegrationResponses::compile(node, scope) })
    }

    /// The status code that the template, or the body that goes through in its place, asks for; none: the default response
    /// (documented for a MOCK without a template, so assumed(mock-without-template): an emulator answers 500).
    fn status(&self, context: &Context, overrides: &mut Overrides, platform: &dyn Platform) -> Result<Option<i64>, Failure> {
        let body = if self.needs_body(context) { platform.request_body() } else { Vec::new() };
        let text = self.payload.make(context, body, overrides, platform)?;
        if text.len() > BODY_LIMIT {
            return Err(Failure::new(ResponseType::RequestTooLarge));
        }
        if text.is_empty() {
            return Ok(None);
        }
        let text = std::str::from_utf8(&text).map_err(|_| Failure::configuration())?;
        status_code(text).map(Some).ok_or_else(Failure::configuration)
    }
}

impl Integration for Mock {
    fn needs_body(&self, context: &Context) -> bool {
        self.payload.needs_body(context, true)
    }

    fn request(&self, admitted: &Admitted, platform: &dyn Platform) -> Result<IntegrationRequest, Failure> {
        let context = admitted.context();
        let mut overrides = Overrides::default();
        let text = self.status(context, &mut overrides, platform)?.map(|status| status.to_string()).unwrap_or_default();
        let answer = BackendAnswer { text: &text, headers: &Headers::new(), body: &[] };
        let mut response = self.responses.answer(context, answer, &mut overrides, platform)?;
        if !response.head.headers.contains("content-type") {
            response.head.headers.append("content-type", MediaType::JSON);
        }
        Ok(IntegrationRequest::Respond(response))
    }

    fn summary(&self) -> String {
        "MOCK".to_owned()
    }
}
