//! The integration response of REST's non-proxy integrations: which entry of `responses` is selected, and what it makes of the
//! answer. AWS: "Set up an integration response in API Gateway".

use super::content::{Content, ContentHandling, response_payload};
use super::request_payload::compile_templates;
use super::{Scope, faults, is_reserved};
use crate::context::Context;
use crate::definition::{Node, Operation};
use crate::gateway_response::Failure;
use crate::http::{BinaryMediaTypes, Headers, MediaType, Response, ResponseHead, is_field_name, is_field_value};
use crate::java_regex::JavaRegex;
use crate::mapping::{Expression, InvalidBody, Overrides, Side, Sources, render};
use crate::platform::{Level, Platform, Section};
use crate::problem::Problems;
use crate::template::Template;
use crate::value::Budget;

/// `responses` of one integration.
#[derive(Debug, Default)]
pub struct IntegrationResponses {
    selected: Vec<(JavaRegex, IntegrationResponse)>,
    default: Option<IntegrationResponse>,
    binary: BinaryMediaTypes,
}

/// One entry: a status of the method, with headers and templates.
#[derive(Debug)]
pub struct IntegrationResponse {
    /// What selects it, as written.
    pattern: String,
    status: u16,
    /// Whether the method has this status among its responses; answering with another fails (documented).
    declared: bool,
    headers: Vec<(String, Expression)>,
    templates: Vec<(MediaType, Template)>,
    handling: Option<ContentHandling>,
}

/// What an integration answered.
#[derive(Debug, Clone, Copy)]
pub struct BackendAnswer<'a> {
    /// What selects the entry: the status code.
    pub text: &'a str,
    /// Its fields.
    pub headers: &'a Headers,
    /// Its body.
    pub body: &'a [u8],
}

const HEADER: &str = "method.response.header.";

// === impl IntegrationResponses ===

impl IntegrationResponses {
    /// Reads `responses` of an integration.
    pub fn compile(integration: &Node<'_>, scope: &mut Scope<'_, '_>) -> Self {
        let mut responses = Self { binary: scope.binary_media_types.clone(), ..Self::default() };
        let Some(node) = integration.get("responses") else { return responses };
        for (pattern, entry) in node.members(scope.problems) {
            let Some(response) = IntegrationResponse::compile(pattern, &entry, scope.operation, scope.problems) else { continue };
            if pattern == "default" {
                responses.default = Some(response);
                continue;
            }
            match JavaRegex::compile(pattern) {
                Ok(regex) => responses.selected.push((regex, response)),
                Err(error) => {
                    let message = error.to_string().replacen("the pattern", "the selection pattern", 1);
                    scope.problems.error(&entry.path, message, None);
                }
            }
        }
        responses
    }

    /// The answer to the client: the entry that the integration's answer selects, with its headers and template.
    pub fn answer(
        &self,
        context: &Context,
        answer: BackendAnswer<'_>,
        overrides: &mut Overrides,
        platform: &dyn Platform,
    ) -> Result<Response, Failure> {
        let selected = self.select(answer.text, platform)?;
        let choice = || format!("`{}` for `{}`: {}", selected.pattern, answer.text, selected.status);
        platform.note(Section::IntegrationResponse, "selected response", &choice);
        let is_binary = self.binary.contain(answer.headers.last("content-type"));
        let is_wanted = self.binary.contain(context.headers().last("accept"));
        let payload = response_payload(answer.body.to_vec(), is_binary, is_wanted, selected.handling)?;
        selected.answer(context, answer, payload, overrides, platform)
    }

    /// The entry for an integration's answer, told by its text (for MOCK the status code). Among several that match, the one whose
    /// own status is the text wins (measured for MOCK by ministack; assumed(selection-order) for HTTP), then the first. No entry: a
    /// configuration error. A function's error may be long, and so is bounded like everything else that looks at a text.
    fn select(&self, text: &str, platform: &dyn Platform) -> Result<&IntegrationResponse, Failure> {
        const STATUS_LENGTH: usize = 3;
        let mut budget = Budget::default();
        let mut selected = None;
        for (regex, response) in &self.selected {
            if let Err(exhausted) = budget.spend(regex.steps(text.len())) {
                platform.log(Level::Warn, &format!("the choice of a response was stopped: {exhausted}"));
                return Err(Failure::configuration());
            }
            if regex.is_whole_match(text) {
                let is_its_own = response.status.to_string() == text;
                if is_its_own || selected.is_none() {
                    selected = Some(response);
                }
                if is_its_own || text.len() > STATUS_LENGTH {
                    break;
                }
            }
        }
        let selected = selected.or(self.default.as_ref()).ok_or_else(Failure::configuration)?;
        if selected.declared { Ok(selected) } else { Err(Failure::configuration()) }
    }
}

// === impl IntegrationResponse ===

impl IntegrationResponse {
    fn compile(pattern: &str, node: &Node<'_>, operation: &Operation<'_>, problems: &mut Problems) -> Option<Self> {
        node.only(&["statusCode", "responseParameters", "responseTemplates", "contentHandling"], problems);
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
        let handling = ContentHandling::compile(node, problems);
        let (pattern, headers, templates) = (pattern.to_owned(), Vec::new(), Vec::new());
        let mut response = Self { pattern, status: status_code, declared, headers, templates, handling };
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
        if !is_mappable(&name) {
            return problems.warning(&source.path, format!("`{name}` is the gateway's own and is not mapped"), None);
        }
        if let Some(expression) = Expression::compile(source, Side::Response, problems) {
            self.headers.push((name, expression));
        }
    }

    fn answer(
        &self,
        context: &Context,
        answer: BackendAnswer<'_>,
        payload: Content,
        overrides: &mut Overrides,
        platform: &dyn Platform,
    ) -> Result<Response, Failure> {
        let body = match self.template(context) {
            Some(template) => {
                let rendered = render(template, context, payload.as_text(), overrides, platform);
                rendered.map_err(|fault| faults::of_response(fault, platform))?.into_bytes()
            }
            None => payload.into_bytes(),
        };
        let mut headers = Headers::new();
        let sources = Sources::of(context).with_response(answer.headers).with_body(answer.body);
        for (name, expression) in &self.headers {
            // An answer that begins as JSON and is none is a 500: assumed(invalid-json-source).
            let values = expression.values(&sources, platform).map_err(|InvalidBody| Failure::configuration())?;
            if let Some(value) = values.into_iter().next().filter(|value| is_field_value(value)) {
                headers.set(client_name(name), value);
            }
        }
        // assumed(response-override-names): an override is named as a mapping is, and remapped as one.
        for (name, values) in &overrides.response_headers {
            let name = name.to_ascii_lowercase();
            if is_mappable(&name) && values.iter().all(|value| is_field_value(value.as_bytes())) {
                let name = client_name(&name);
                headers.remove(&name);
                values.iter().for_each(|value| headers.append(name.as_str(), value.as_str()));
            }
        }
        // assumed(override-1xx): what is no final status is none.
        let status = overrides.status.filter(|status| *status >= 200).unwrap_or(self.status);
        Ok(Response { head: ResponseHead { status, headers }, body })
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

/// Whether a mapping or a template may set a header of the client's response.
fn is_mappable(name: &str) -> bool {
    is_field_name(name) && !is_reserved(name) && name != "transfer-encoding"
}

/// The name under which a mapped header reaches the client: what the gateway's own framing and ids need is not a mapping's to say.
fn client_name(name: &str) -> String {
    if is_remapped(name) { format!("x-amzn-remapped-{name}") } else { name.to_owned() }
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
