//! The payload of a request on its way to a custom integration: converted, then made anew by a template, or passed through. AWS:
//! "Method request behavior for payloads without mapping templates for REST APIs".

use super::content::{ContentHandling, request_payload};
use super::{Scope, faults};
use crate::context::Context;
use crate::definition::Node;
use crate::gateway_response::{Failure, ResponseType};
use crate::http::{BinaryMediaTypes, Headers, MediaType};
use crate::mapping::{Overrides, render};
use crate::platform::{Level, Platform, Section};
use crate::problem::Problems;
use crate::template::Template;

/// `passthroughBehavior`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum PassthroughBehavior {
    #[default]
    WhenNoMatch,
    WhenNoTemplates,
    Never,
}

const BEHAVIORS: [(&str, PassthroughBehavior); 3] = [
    ("when_no_match", PassthroughBehavior::WhenNoMatch),
    ("when_no_templates", PassthroughBehavior::WhenNoTemplates),
    ("never", PassthroughBehavior::Never),
];

/// `requestTemplates`, `passthroughBehavior` and `contentHandling` of one integration.
#[derive(Debug, Default)]
pub struct RequestPayload {
    templates: Vec<(MediaType, Template)>,
    behavior: PassthroughBehavior,
    handling: Option<ContentHandling>,
    binary: BinaryMediaTypes,
}

/// Even one without a byte in it: preflights by MOCK fail where `binaryMediaTypes` has `*/*`, with "Unable to transform request" in
/// their execution log (seen in many public threads, the log in one of SAM).
const CANNOT_TRANSFORM: &str = "cannot look at a payload of a binary media type";

// === impl RequestPayload ===

impl RequestPayload {
    /// Reads them from an integration.
    pub fn compile(integration: &Node<'_>, scope: &mut Scope<'_, '_>) -> Self {
        let behavior = integration.get("passthroughBehavior").and_then(|node| node.one_of(&BEHAVIORS, scope.problems));
        let templates =
            integration.get("requestTemplates").map(|node| compile_templates(&node, scope.problems)).unwrap_or_default();
        let handling = ContentHandling::compile(integration, scope.problems);
        let is_binary = |media_type: &MediaType| scope.binary_media_types.contain(Some(media_type.as_str().as_bytes()));
        if let Some((media_type, _)) =
            templates.iter().find(|(t, _)| handling != Some(ContentHandling::ConvertToText) && is_binary(t))
        {
            let message = format!("the template for `{}` {CANNOT_TRANSFORM}: every request is answered 500", media_type.as_str());
            let help = "set `contentHandling: CONVERT_TO_TEXT` for the integration";
            scope.problems.warning(&integration.path.key("requestTemplates"), message, Some(help));
        }
        Self { templates, behavior: behavior.unwrap_or_default(), handling, binary: scope.binary_media_types.clone() }
    }

    /// Whether the client's body goes into what is sent; `passes`: one without a template does.
    pub fn needs_body(&self, context: &Context, passes: bool) -> bool {
        match self.choose(context.headers()) {
            Ok(Some(template)) => template.names("input"),
            Ok(None) => passes,
            Err(_) => false,
        }
    }

    /// What is sent: the client's body, converted, and made anew where a template applies.
    pub fn make(
        &self,
        context: &Context,
        client_body: Vec<u8>,
        overrides: &mut Overrides,
        platform: &dyn Platform,
    ) -> Result<Vec<u8>, Failure> {
        let template = self.choose(context.headers())?;
        let is_binary = self.binary.contain(context.headers().last("content-type"));
        let payload = request_payload(client_body, is_binary, self.handling)?;
        let Some(template) = template else { return Ok(payload.into_bytes()) };
        if is_binary && self.handling != Some(ContentHandling::ConvertToText) {
            platform.log(Level::Warn, &format!("a mapping template {CANNOT_TRANSFORM}"));
            return Err(Failure::configuration());
        }
        let rendered = render(template, context, payload.as_text(), overrides, platform);
        let rendered = rendered.map_err(|fault| faults::of_request(fault, platform))?;
        platform.note(Section::IntegrationRequest, "body after the template", &|| rendered.clone());
        Ok(rendered.into_bytes())
    }

    /// The template for a request's content type; none: the body goes through as it is.
    fn choose(&self, request: &Headers) -> Result<Option<&Template>, Failure> {
        let media_type = MediaType::of_header_or_json(request.last("content-type"));
        let of = |wanted: &str| self.templates.iter().find(|(known, _)| known.as_str() == wanted);
        // assumed(template-default-key): `$default` is an emulator's.
        if let Some((_, template)) = of(media_type.as_str()).or_else(|| of("$default")) {
            return Ok(Some(template));
        }
        let passes = match self.behavior {
            PassthroughBehavior::WhenNoMatch => true,
            PassthroughBehavior::WhenNoTemplates => self.templates.is_empty(),
            PassthroughBehavior::Never => false,
        };
        if passes { Ok(None) } else { Err(Failure::new(ResponseType::UnsupportedMediaType)) }
    }

    /// All templates, to look at while compiling.
    pub fn templates(&self) -> impl Iterator<Item = (&MediaType, &Template)> {
        self.templates.iter().map(|(media_type, template)| (media_type, template))
    }
}

/// Templates by media type; one that is no template is a problem with its place in it.
pub fn compile_templates(node: &Node<'_>, problems: &mut Problems) -> Vec<(MediaType, Template)> {
    let mut templates = Vec::new();
    for (media_type, template) in node.members(problems) {
        let Some(text) = template.string(problems) else { continue };
        match Template::parse(text) {
            Ok(parsed) => templates.push((MediaType::of_header(media_type.as_bytes()), parsed)),
            Err(error) => problems.error(&template.path, error.to_string(), None),
        }
    }
    templates
}
