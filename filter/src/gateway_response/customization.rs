//! `x-amazon-apigateway-gateway-responses`: what an API says instead of the defaults.

use super::table::ResponseType;
use crate::context::Context;
use crate::definition::Node;
use crate::http::{MediaType, is_field_name, is_field_value};
use crate::mapping::{Expression, Side, Sources};
use crate::platform::Platform;
use crate::problem::Problems;

/// The customized types of one API.
#[derive(Debug, Clone, Default)]
pub struct GatewayResponses(Vec<Customization>);

/// One customized type.
#[derive(Debug, Clone)]
pub(super) struct Customization {
    response_type: ResponseType,
    status: Option<u16>,
    headers: Vec<(String, Expression)>,
    templates: Vec<(MediaType, String)>,
}

const HEADER: &str = "gatewayresponse.header.";

/// What the proxy writes about the response itself.
const FRAMING: [&str; 7] = ["connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// `type/subtype`, perhaps with parameters: it becomes the content type of the answer.
fn is_media_type(text: &str) -> bool {
    let (media_type, parameters) = text.split_once(';').unwrap_or((text, ""));
    let halves = media_type.trim().split_once('/');
    halves.is_some_and(|(kind, subtype)| is_field_name(kind) && is_field_name(subtype)) && is_field_value(parameters.as_bytes())
}

// === impl GatewayResponses ===

impl GatewayResponses {
    /// Reads the extension.
    pub fn compile(node: &Node<'_>, problems: &mut Problems) -> Self {
        let mut customizations = Vec::new();
        for (name, response) in node.members(problems) {
            let Some(response_type) = ResponseType::named(name) else {
                let help = "AWS: \"Gateway response types for API Gateway\" lists them all";
                problems.stray(&response.path, format!("unknown gateway response type `{name}`"), Some(help));
                continue;
            };
            customizations.push(Customization::compile(response_type, &response, problems));
        }
        Self(customizations)
    }

    /// The exact type wins; else the family does (documented; measured by ministack). `REQUEST_TOO_LARGE` cannot be customized
    /// (documented under known issues).
    pub(super) fn of(&self, response_type: ResponseType, status: u16) -> Option<&Customization> {
        let family = if status < 500 { ResponseType::Default4xx } else { ResponseType::Default5xx };
        if response_type == ResponseType::RequestTooLarge {
            return None;
        }
        let find = |wanted| self.0.iter().find(|custom| custom.response_type == wanted);
        find(response_type).or_else(|| find(family))
    }
}

// === impl Customization ===

impl Customization {
    fn compile(response_type: ResponseType, node: &Node<'_>, problems: &mut Problems) -> Self {
        node.only(&["statusCode", "responseParameters", "responseTemplates"], problems);
        let status = node.get("statusCode").and_then(|status| status.integer(200..=599, problems));
        let mut custom = Self {
            response_type,
            status: status.and_then(|status| u16::try_from(status).ok()),
            headers: Vec::new(),
            templates: Vec::new(),
        };
        if let Some(parameters) = node.get("responseParameters") {
            for (target, value) in parameters.members(problems) {
                custom.compile_parameter(target, &value, problems);
            }
        }
        if let Some(templates) = node.get("responseTemplates") {
            for (media_type, template) in templates.members(problems) {
                if !is_media_type(media_type) {
                    let help = Some("write `application/json`");
                    problems.stray(&template.path, format!("`{}` is no media type", media_type.escape_debug()), help);
                } else if let Some(text) = template.string(problems) {
                    custom.templates.push((MediaType::of_header(media_type.as_bytes()), text.to_owned()));
                }
            }
        }
        custom
    }

    fn compile_parameter(&mut self, target: &str, value: &Node<'_>, problems: &mut Problems) {
        if target.starts_with("gatewayresponse.path.") || target.starts_with("gatewayresponse.querystring.") {
            return problems.warning(&value.path, format!("`{target}` has no effect: a response has no path or query"), None);
        }
        let name = target.strip_prefix(HEADER).unwrap_or_default().to_ascii_lowercase();
        if !is_field_name(&name) {
            return problems.error(&value.path, format!("`{target}` is no target"), Some("write `gatewayresponse.header.NAME`"));
        }
        if FRAMING.contains(&name.as_str()) {
            return problems.error(&value.path, format!("`{name}` frames the response and cannot be mapped"), None);
        }
        if let Some(expression) = Expression::compile(value, Side::GatewayResponse, problems) {
            self.headers.push((name, expression));
        }
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.status
    }

    /// The template for what the request accepts, else the one for JSON, else the first: assumed(gateway-response-template), after
    /// the rule of integration responses.
    pub(super) fn template(&self, context: &Context) -> Option<(&str, &str)> {
        let (media_type, template) = MediaType::choose(context.headers().last("accept"), &self.templates)?;
        Some((media_type.as_str(), template))
    }

    pub(super) fn headers(&self, context: &Context, platform: &dyn Platform) -> Vec<(String, Vec<u8>)> {
        let value = |(name, expression): &(String, Expression)| {
            let value = expression.values(&Sources::of(context), platform).ok()?.into_iter().next()?;
            Some((name.clone(), value))
        };
        self.headers.iter().filter_map(value).collect()
    }
}
