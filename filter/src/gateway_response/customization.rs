//! `x-amazon-apigateway-gateway-responses`: what an API says instead of the defaults.

use super::table::ResponseType;
use crate::context::Context;
use crate::definition::Node;
use crate::http::MediaType;
use crate::mapping::Expression;
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

// === impl GatewayResponses ===

impl GatewayResponses {
    /// Reads the extension.
    pub fn compile(node: &Node<'_>, problems: &mut Problems) -> Self {
        let mut customizations = Vec::new();
        for (name, response) in node.members(problems) {
            let Some(response_type) = ResponseType::named(name) else {
                let help = "AWS: \"Gateway response types for API Gateway\" lists them all";
                problems.error(&response.path, format!("unknown gateway response type `{name}`"), Some(help));
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
        let status = node.get("statusCode").and_then(|status| status.integer(100..=599, problems));
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
                if let Some(text) = template.string(problems) {
                    custom.templates.push((MediaType::of_header(media_type.as_bytes()), text.to_owned()));
                }
            }
        }
        custom
    }

    fn compile_parameter(&mut self, target: &str, value: &Node<'_>, problems: &mut Problems) {
        let Some(text) = value.string(problems) else { return };
        let Some(name) = target.strip_prefix(HEADER).filter(|name| !name.is_empty()) else {
            if target.starts_with("gatewayresponse.path.") || target.starts_with("gatewayresponse.querystring.") {
                problems.warning(&value.path, format!("`{target}` has no effect: a response has no path or query"), None);
            } else {
                problems.error(&value.path, format!("`{target}` is no target"), Some("write `gatewayresponse.header.NAME`"));
            }
            return;
        };
        match Expression::parse(text) {
            Ok(expression) if !expression.reads_response() => self.headers.push((name.to_ascii_lowercase(), expression)),
            _ => {
                let help = "a quoted literal, or `method.request.…`, `context.…`, `stageVariables.…`";
                problems.error(&value.path, format!("`{text}` is no source of a gateway response parameter"), Some(help));
            }
        }
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.status
    }

    /// The template for what the request accepts, else the one for JSON, else the first: assumed(gateway-response-template), after the
    /// rule of integration responses.
    pub(super) fn template(&self, context: &Context) -> Option<(&str, &str)> {
        let accepted = MediaType::of_header_or_json(context.headers().last("accept"));
        let of = |wanted: &str| self.templates.iter().find(|(media_type, _)| media_type.as_str() == wanted);
        let (media_type, template) = of(accepted.as_str()).or_else(|| of(MediaType::JSON)).or_else(|| self.templates.first())?;
        Some((media_type.as_str(), template))
    }

    pub(super) fn headers(&self, context: &Context, platform: &dyn Platform) -> Vec<(String, Vec<u8>)> {
        let value = |(name, expression): &(String, Expression)| {
            let value = expression.values(context, None, platform).into_iter().next()?;
            Some((name.clone(), value))
        };
        self.headers.iter().filter_map(value).collect()
    }
}
