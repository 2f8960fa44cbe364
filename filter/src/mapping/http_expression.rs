//! A value of HTTP APIs: static text with variables in it, `$request.header.X` or `${request.path.id}/${context.requestId}`, as
//! parameter mappings and the parameters of AWS service integrations write it. AWS: "Transform API requests and responses for HTTP
//! APIs in API Gateway".

use super::substitution::reference;
use super::{Expression, Side, Source, Sources};
use crate::context::is_variable;
use crate::definition::Node;
use crate::jsonpath::JsonPath;
use crate::platform::Platform;
use crate::problem::Problems;

/// A compiled value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpExpression(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// `$request.path`: without the stage, as it was sent.
    RequestPath,
    /// `$request.body` or `$response.body`, whatever it is.
    WholeBody,
    /// A variable that REST has too.
    Variable(Expression),
}

/// Where a piece of a value comes from: who writes a path or a query encodes what is not encoded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Static text.
    Text,
    /// From the request's path, still encoded as the client sent it: assumed(http-path-values).
    Encoded,
    /// From elsewhere: plain bytes.
    Plain,
}

/// What of a body is looked at for a JSONPath.
const JSON_LIMIT: usize = 100 * 1024;

const REQUEST_HELP: &str = "write text with `$request.header.NAME`, `$request.querystring.NAME`, `$request.path`, \
    `$request.path.NAME`, `$request.body.JSONPATH`, `$context.NAME` or `$stageVariables.NAME` in it";
const RESPONSE_HELP: &str = "write text with `$response.header.NAME`, `$response.body.JSONPATH`, `$context.NAME` or \
    `$stageVariables.NAME` in it";

/// Which side has a variable, how its name begins, and what it is in REST.
const VARIABLES: [(Option<Side>, &str, Variable); 6] = [
    (Some(Side::Request), "request.header.", |name| Expression::Request(Source::MultiValueHeader(name))),
    (Some(Side::Request), "request.querystring.", |name| Expression::Request(Source::MultiValueQueryString(name))),
    (Some(Side::Request), "request.path.", |name| Expression::Request(Source::Path(name))),
    (Some(Side::Response), "response.header.", Expression::ResponseMultiValueHeader),
    (None, "context.", Expression::Context),
    (None, "stageVariables.", Expression::StageVariable),
];

type Variable = fn(String) -> Expression;

// === impl HttpExpression ===

impl HttpExpression {
    /// Reads the value of a mapping, and tells what is wrong with it. The gateway's answers have no values of HTTP APIs: `side` is the
    /// request's or the response's.
    pub fn compile(node: &Node<'_>, side: Side, problems: &mut Problems) -> Option<Self> {
        let whole = node.text(problems)?;
        let mut rest = whole.as_str();
        let mut parts = Vec::new();
        let mut text = String::new();
        while let Some((before, after)) = rest.split_once('$') {
            text.push_str(before);
            // A `$` that begins no name is a text: a price, the end of a pattern.
            if !after.starts_with(|c: char| c == '{' || c.is_ascii_alphabetic()) {
                text.push('$');
                rest = after;
                continue;
            }
            // assumed(http-expression-names)
            let (name, tail) = reference(after);
            match Part::read(name.trim(), side) {
                Ok(part) => {
                    part.warn(node, problems);
                    parts.push(Part::Text(std::mem::take(&mut text)));
                    parts.push(part);
                }
                Err(message) => {
                    let help = if side == Side::Response { RESPONSE_HELP } else { REQUEST_HELP };
                    problems.error(&node.path, format!("`${name}` {message}"), Some(help));
                    return None;
                }
            }
            rest = tail;
        }
        text.push_str(rest);
        parts.push(Part::Text(text));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Some(Self(parts))
    }

    /// Whether it can only be read once the body is there.
    pub fn needs_body(&self) -> bool {
        self.0.iter().any(|part| match part {
            Part::WholeBody => true,
            Part::Variable(expression) => expression.needs_body(),
            Part::Text(_) | Part::RequestPath => false,
        })
    }

    /// Its static texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Whether it is the same for everybody.
    pub fn is_text(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// The path parameters that it names.
    pub fn path_parameters(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(Expression::Request(Source::Path(name))) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The one variable that it is, with no text around it.
    pub fn is_one_variable(&self) -> bool {
        matches!(self.0.as_slice(), [part] if !matches!(part, Part::Text(_)))
    }

    /// Its value. None where it is one variable and that is missing; among others a missing one is empty:
    /// assumed(http-missing-source). So is what a path leads to in a body that is no JSON, or too long for one.
    pub fn value(&self, sources: &Sources<'_>, platform: &dyn Platform) -> Option<Vec<u8>> {
        self.value_with(sources, platform, &|_, piece| piece)
    }

    /// The same, each piece written as the place needs it.
    pub fn value_with(
        &self,
        sources: &Sources<'_>,
        platform: &dyn Platform,
        written: &dyn Fn(Origin, Vec<u8>) -> Vec<u8>,
    ) -> Option<Vec<u8>> {
        let mut value = Vec::new();
        for part in &self.0 {
            match part.value(sources, platform) {
                Some(piece) => value.append(&mut written(part.origin(), piece)),
                None if self.is_one_variable() => return None,
                None => {}
            }
        }
        Some(value)
    }
}

// === impl Part ===

impl Part {
    /// A name without its `$` and braces; what is wrong with it, to stand behind it.
    fn read(name: &str, side: Side) -> Result<Self, String> {
        let is_response = side == Side::Response;
        let (whole_body, what) = if is_response { ("response.body", "a response") } else { ("request.body", "a request") };
        match name.strip_prefix(whole_body) {
            Some("") => return Ok(Self::WholeBody),
            Some(path) if path.starts_with(['.', '[']) => return in_body(path, is_response),
            _ => {}
        }
        if name == "request.path" && !is_response {
            return Ok(Self::RequestPath);
        }
        let variable = VARIABLES.iter().filter(|(of, ..)| of.is_none_or(|of| of == side)).find_map(|(_, prefix, kind)| {
            let name = name.strip_prefix(prefix).filter(|name| !name.is_empty())?;
            Some(Self::Variable(kind(name.to_owned())))
        });
        variable.ok_or_else(|| ["is no variable of ", what].concat())
    }

    fn warn(&self, node: &Node<'_>, problems: &mut Problems) {
        if let Self::Variable(Expression::Context(name)) = self {
            if !is_variable(name) {
                problems.warning(&node.path, format!("`$context.{name}` is no variable of `$context`: it is never set"), None);
            }
        }
    }

    fn origin(&self) -> Origin {
        match self {
            Self::Text(_) => Origin::Text,
            Self::RequestPath | Self::Variable(Expression::Request(Source::Path(_))) => Origin::Encoded,
            Self::WholeBody | Self::Variable(_) => Origin::Plain,
        }
    }

    fn value(&self, sources: &Sources<'_>, platform: &dyn Platform) -> Option<Vec<u8>> {
        let body = sources.body();
        match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::RequestPath => Some(sources.context.stage_path.clone().into_bytes()),
            Self::WholeBody => (!body.is_empty()).then(|| body.to_vec()),
            // What is cut off at the limit is no JSON any more.
            Self::Variable(expression) if expression.needs_body() && body.len() > JSON_LIMIT => None,
            Self::Variable(expression) => {
                let values = expression.values(sources, platform).unwrap_or_default();
                (!values.is_empty()).then(|| values.join(b",".as_slice()))
            }
        }
    }
}

/// What follows `$request.body` or `$response.body`.
fn in_body(path: &str, is_response: bool) -> Result<Part, String> {
    if path.contains("..") || path.contains("?(") {
        return Err("has a recursive descent or a filter, which HTTP APIs do not support".to_owned());
    }
    let path = JsonPath::parse(&["$", path].concat()).map_err(|invalid| format!("names no part of a body: {invalid}"))?;
    Ok(Part::Variable(if is_response { Expression::ResponseBody(path) } else { Expression::RequestBody(path) }))
}
