//! The integration response of REST's non-proxy integrations: which entry of `responses` is selected, and what it makes of the
//! answer. AWS: "Set up an integration response in API Gateway".

use super::is_reserved;
use super::passthrough::compile_templates;
use crate::context::Context;
use crate::definition::{Node, Operation};
use crate::gateway_response::Failure;
use crate::http::{Headers, MediaType, Response, ResponseHead, is_field_name, is_field_value};
use crate::mapping::{Expression, Side};
use crate::platform::Platform;
use crate::problem::Problems;
use crate::template::Template;
use regex_lite::Regex;

/// `responses` of one integration.
#[derive(Debug, Default)]
pub struct IntegrationResponses {
    selected: Vec<(Regex, IntegrationResponse)>,
    default: Option<IntegrationResponse>,
}

/// One entry: a status of the method, with headers and templates.
#[derive(Debug)]
pub struct IntegrationResponse {
    status: u16,
    /// Whether the method has this status among its responses; answering with another fails (documented).
    declared: bool,
    headers: Vec<(String, Expression)>,
    templates: Vec<(MediaType, Template)>,
}

const HEADER: &str = "method.response.header.";

// === impl IntegrationResponses ===

impl IntegrationResponses {
    /// Reads `responses` of an integration.
    pub fn compile(integration: &Node<'_>, operation: &Operation<'_>, problems: &mut Problems) -> Self {
        let mut responses = Self::default();
        let Some(node) = integration.get("responses") else { return responses };
        for (pattern, entry) in node.members(problems) {
            let Some(response) = IntegrationResponse::compile(&entry, operation, problems) else { continue };
            if pattern == "default" {
                responses.default = Some(response);
                continue;
            }
            // By itself first, so that no parenthesis of it closes ours; then whole, as with Java's `matches`.
            match Regex::new(pattern).and_then(|_| Regex::new(&format!("^(?:{pattern})$"))) {
                Ok(regex) => responses.selected.push((regex, response)),
                Err(error) => {
                    let message = format!("selection pattern `{pattern}` is not served: {error}");
                    problems.error(&entry.path, message, Some("look-around and back-references are not in the linear-time engine"));
                }
            }
        }
        responses
    }

    /// The entry for an integration's answer, told by its text (for MOCK the status code). Among several that match, the one whose
    /// own status is the text wins (measured for MOCK by ministack), then the first. No entry: a configuration error.
    pub fn select(&self, text: &str) -> Result<&IntegrationResponse, Failure> {
        let matching = || self.selected.iter().filter(|(regex, _)| regex.is_match(text)).map(|(_, response)| response);
        let selected = matching().find(|response| response.status.to_string() == text).or_else(|| matching().next());
        let selected = selected.or(self.default.as_ref()).ok_or_else(Failure::configuration)?;
        if selected.declared { Ok(selected) } else { Err(Failure::configuration()) }
    }
}

// === impl IntegrationResponse ===

impl IntegrationResponse {
    fn compile(node: &Node<'_>, operation: &Operation<'_>, problems: &mut Problems) -> Option<Self> {
        node.only(&["statusCode", "responseParameters", "responseTemplates", "contentHandling"], problems);
        if let Some(handling) = node.get("contentHandling") {
            problems.warning(&handling.path, "`contentHandling` has no effect: the payload of a MOCK is text", None);
        }
        let Some(status) = node.get("statusCode") else {
            problems.error(&node.path, "no `statusCode`", Some("name the method response that this entry leads to"));
            return None;
        };
        // Integers are accepted beside strings (recorded: `test_apigateway_import`).
        let status_code = u16::try_from(status.integer(200..=599, problems)?).ok()?;
        let declared = is_declared(status_code, operation);
        if !declared {
            let message = format!("the method has no response `{status_code}`: selecting it answers 500");
            problems.warning(&status.path, message, Some("add it under the operation's `responses`"));
        }
        let mut response = Self { status: status_code, declared, headers: Vec::new(), templates: Vec::new() };
        if let Some(parameters) = node.get("responseParameters") {
            for (target, source) in parameters.members(problems) {
                response.compile_parameter(target, &source, problems);
            }
        }
        if let Some(templates) = node.get("responseTemplates") {
            response.templates = compile_templates(&templates, problems);
        }
        Some(response)
    }

    fn compile_parameter(&mut self, target: &str, source: &Node<'_>, problems: &mut Problems) {
        let name = target.strip_prefix(HEADER).unwrap_or_default().to_ascii_lowercase();
        if !is_field_name(&name) {
            return problems.error(&source.path, format!("`{target}` is no target"), Some("write `method.response.header.NAME`"));
        }
        if is_reserved(&name) || name == "transfer-encoding" {
            return problems.warning(&source.path, format!("`{name}` is the gateway's own and is not mapped"), None);
        }
        if let Some(expression) = Expression::compile(source, Side::Response, problems) {
            self.headers.push((name, expression));
        }
    }

    /// The answer to the client, from an integration's own headers and a body that a template may replace.
    pub fn answer(&self, context: &Context, integration: &Headers, body: Vec<u8>, platform: &dyn Platform) -> Response {
        let mut headers = Headers::new();
        for (name, expression) in &self.headers {
            let value = expression.values(context, Some(integration), platform).into_iter().next();
            if let Some(value) = value.filter(|value| is_field_value(value)) {
                // What the gateway's own framing and ids need is not a mapping's to say.
                let name = if is_remapped(name) { format!("x-amzn-remapped-{name}") } else { name.clone() };
                if name != "transfer-encoding" {
                    headers.set(name, value);
                }
            }
        }
        let body = self.template(context).map_or(body, |template| template.as_plain().unwrap_or_default().as_bytes().to_vec());
        Response { head: ResponseHead { status: self.status, headers }, body }
    }

    /// The template for what the request accepts, else the one for JSON, else the first (documented as media types;
    /// assumed(template-by-accept): which of several an `Accept` list selects).
    fn template(&self, context: &Context) -> Option<&Template> {
        MediaType::choose(context.headers().last("accept"), &self.templates).map(|(_, template)| template)
    }
}

/// A method that says nothing of its responses, or has a `default` one, takes every status.
fn is_declared(status: u16, operation: &Operation<'_>) -> bool {
    let Some(responses) = operation.node.get("responses") else { return true };
    responses.get("default").is_some() || responses.get(&status.to_string()).is_some()
}

/// Mapped response headers that reach the client under another name (recorded for HTTP and AWS: `TestApiGatewayHeaderRemapping`;
/// assumed(mock-header-remap) for MOCK).
fn is_remapped(name: &str) -> bool {
    const REMAPPED: [&str; 14] = [
        "authorization",
        "connection",
        "content-length",
        "content-md5",
        "date",
        "expect",
        "host",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "trailer",
        "upgrade",
        "user-agent",
        "www-authenticate",
    ];
    REMAPPED.contains(&name)
}
