//! Which request template applies, and what happens when none does. AWS: "Method request behavior for payloads without mapping
//! templates for REST APIs".

use crate::definition::Node;
use crate::gateway_response::{Failure, ResponseType};
use crate::http::{Headers, MediaType};
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

/// `requestTemplates` and `passthroughBehavior` of one integration.
#[derive(Debug, Default)]
pub struct RequestTemplates {
    templates: Vec<(MediaType, Template)>,
    behavior: PassthroughBehavior,
}

// === impl RequestTemplates ===

impl RequestTemplates {
    /// Reads both from an integration.
    pub fn compile(integration: &Node<'_>, problems: &mut Problems) -> Self {
        let behavior = integration.get("passthroughBehavior").and_then(|node| node.one_of(&BEHAVIORS, problems));
        let templates = integration.get("requestTemplates").map(|node| compile_templates(&node, problems));
        Self { templates: templates.unwrap_or_default(), behavior: behavior.unwrap_or_default() }
    }

    /// The template for a request's content type; none: the body goes through as it is.
    pub fn choose(&self, request: &Headers) -> Result<Option<&Template>, Failure> {
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

    /// All of them, to look at while compiling.
    pub fn iter(&self) -> impl Iterator<Item = (&MediaType, &Template)> {
        self.templates.iter().map(|(media_type, template)| (media_type, template))
    }
}

/// Templates by media type; one that needs Velocity is a problem with its line.
pub fn compile_templates(node: &Node<'_>, problems: &mut Problems) -> Vec<(MediaType, Template)> {
    let mut templates = Vec::new();
    for (media_type, template) in node.members(problems) {
        let Some(text) = template.string(problems) else { continue };
        match Template::parse(text) {
            Ok(parsed) if parsed.is_plain() => templates.push((MediaType::of_header(media_type.as_bytes()), parsed)),
            Ok(_) => {
                let message = "not served yet: the template needs Velocity";
                problems.error(&template.path, message.to_owned(), Some("templates of plain text are served"));
            }
            Err(error) => problems.error(&template.path, error.to_string(), None),
        }
    }
    templates
}
