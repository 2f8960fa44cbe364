//! The substitution of gateway response templates: no Velocity, only `$context.x`, `$stageVariables.x` and `$method.request.x`,
//! each put in the place of its name. AWS: "Gateway responses in API Gateway". An unset variable becomes nothing:
//! assumed(unset-variable).

use super::{Expression, Sources};
use crate::context::Context;
use crate::platform::Platform;

/// Puts the values of variables into a template.
pub fn substitute(template: &str, context: &Context, platform: &dyn Platform) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, tail) = reference(after);
        match expression(name) {
            Some(expression) => {
                for value in expression.values(&Sources::of(context), platform).unwrap_or_default() {
                    out.push_str(&String::from_utf8_lossy(&value));
                }
                rest = tail;
            }
            None => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The name behind a `$`, with or without braces, and what follows it. Only the paths of bodies have brackets.
pub(super) fn reference(text: &str) -> (&str, &str) {
    if let Some((name, tail)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        return (name, tail);
    }
    let has_brackets = text.starts_with("request.body") || text.starts_with("response.body");
    let mut inside = false;
    let ends = |c: char| {
        let was_inside = inside;
        inside = if inside { c != ']' } else { has_brackets && c == '[' };
        !(was_inside || inside || c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    let name = text.get(..text.find(ends).unwrap_or(text.len())).unwrap_or_default();
    // A full stop ends a sentence, not a name.
    let name = name.trim_end_matches('.');
    (name, text.get(name.len()..).unwrap_or_default())
}

fn expression(name: &str) -> Option<Expression> {
    let known = ["context.", "stageVariables.", "method.request.", "method.input."].iter().any(|prefix| name.starts_with(prefix));
    Expression::parse(name).ok().filter(|expression| known && !expression.needs_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_where_its_characters_end() {
        assert_eq!(reference("context.stage\", x"), ("context.stage", "\", x"));
        assert_eq!(reference("{context.stage}x"), ("context.stage", "x"));
        assert_eq!(reference("context.stage. Next"), ("context.stage", ". Next"));
        assert_eq!(reference("5"), ("5", ""));
    }
}
