//! One mapping expression: `'literal'`, `method.request.header.X`, `integration.response.body.PATH`, `context.x`,
//! `stageVariables.x`. AWS: "Amazon API Gateway API request and response data mapping reference". Names are case-sensitive for
//! AWS, which lower-cases nothing; Envoy has lower-cased header names already, so header names compare without case here
//! (assumed(mapping-header-case): the casing rows come from an emulator's unit test and are in doubt).

use super::sources::{InvalidBody, Sources};
use crate::context::{Context, is_variable};
use crate::definition::Node;
use crate::http::is_field_value;
use crate::jsonpath::{InvalidPath, JsonPath};
use crate::platform::Platform;
use crate::problem::Problems;

/// A parsed mapping expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// `'text'`
    Literal(String),
    /// `method.request.…`
    Request(Source),
    /// `method.input.params.X`: path, then query, then header
    AnyParameter(String),
    /// `method.request.body`, `method.request.body.JSONPATH`
    RequestBody(JsonPath),
    /// `integration.response.body`, `integration.response.body.JSONPATH`
    ResponseBody(JsonPath),
    /// `integration.response.header.X`
    ResponseHeader(String),
    /// `integration.response.multivalueheader.X`
    ResponseMultiValueHeader(String),
    /// `context.x`
    Context(String),
    /// `stageVariables.x`
    StageVariable(String),
}

/// A part of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `path.X`: as sent, still encoded.
    Path(String),
    /// `querystring.X`: the last value.
    QueryString(String),
    /// `multivaluequerystring.X`: every value.
    MultiValueQueryString(String),
    /// `header.X`: the last value.
    Header(String),
    /// `multivalueheader.X`: all values, joined.
    MultiValueHeader(String),
}

/// The text is no mapping expression, or one that is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidExpression {
    /// No such form.
    Unknown,
    /// What follows `body.` is no JSONPath.
    Path(InvalidPath),
}

/// How the expressions begin that name a body, and what they are.
const BODIES: [(&str, BodySource); 2] =
    [("method.request.body", Expression::RequestBody), ("integration.response.body", Expression::ResponseBody)];

type BodySource = fn(JsonPath) -> Expression;

/// Which mapping a source is read for: not every one has every source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `requestParameters` of an integration.
    Request,
    /// `responseParameters` of an integration response.
    Response,
    /// `responseParameters` of a gateway response.
    GatewayResponse,
}

// === impl Side ===

impl Side {
    fn has(self, expression: &Expression) -> bool {
        match expression {
            Expression::Literal(_) | Expression::Context(_) | Expression::StageVariable(_) => true,
            Expression::Request(_) => self != Self::Response,
            Expression::RequestBody(_) => self == Self::Request,
            Expression::AnyParameter(_) => self == Self::GatewayResponse,
            Expression::ResponseBody(_) | Expression::ResponseHeader(_) | Expression::ResponseMultiValueHeader(_) => {
                self == Self::Response
            }
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Request => "a request parameter",
            Self::Response => "a response parameter",
            Self::GatewayResponse => "a gateway response parameter",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Request | Self::GatewayResponse => "a quoted literal, or `method.request.…`, `context.…`, `stageVariables.…`",
            Self::Response => "a quoted literal, or `integration.response.…`, `context.…`, `stageVariables.…`",
        }
    }
}

// === impl Expression ===

impl Expression {
    /// Reads an expression of REST's parameter mappings.
    pub fn parse(text: &str) -> Result<Self, InvalidExpression> {
        if let Some(literal) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            return Ok(Self::Literal(literal.to_owned()));
        }
        for (whole, kind) in BODIES {
            let path = match text.strip_prefix(whole) {
                Some("") => JsonPath::parse("$"),
                Some(path) if path.starts_with('.') => JsonPath::parse(&format!("${path}")),
                _ => continue,
            };
            return path.map(kind).map_err(InvalidExpression::Path);
        }
        let named = |prefix: &str| text.strip_prefix(prefix).filter(|name| !name.is_empty()).map(str::to_owned);
        let source = |prefix, kind: fn(String) -> Source| named(prefix).map(|name| Self::Request(kind(name)));
        source("method.request.path.", Source::Path)
            .or_else(|| source("method.request.querystring.", Source::QueryString))
            .or_else(|| source("method.request.multivaluequerystring.", Source::MultiValueQueryString))
            .or_else(|| source("method.request.header.", Source::Header))
            .or_else(|| source("method.request.multivalueheader.", Source::MultiValueHeader))
            .or_else(|| named("method.input.params.").map(Self::AnyParameter))
            .or_else(|| named("integration.response.header.").map(Self::ResponseHeader))
            .or_else(|| named("integration.response.multivalueheader.").map(Self::ResponseMultiValueHeader))
            .or_else(|| named("context.").map(Self::Context))
            .or_else(|| named("stageVariables.").map(Self::StageVariable))
            .ok_or(InvalidExpression::Unknown)
    }

    /// Reads the source of a mapping, and tells what is wrong with it.
    pub fn compile(node: &Node<'_>, side: Side, problems: &mut Problems) -> Option<Self> {
        let text = node.string(problems)?;
        match Self::parse(text) {
            Ok(Self::Literal(literal)) if !is_field_value(literal.as_bytes()) => {
                problems.error(
                    &node.path,
                    "a literal with a line end or another control character in it, which no header can carry",
                    None,
                );
            }
            Ok(expression) if side.has(&expression) => {
                if matches!(&expression, Self::Context(name) if !is_variable(name)) {
                    problems.warning(&node.path, format!("`{text}` is no variable of `$context`: it is never set"), None);
                }
                return Some(expression);
            }
            Err(InvalidExpression::Path(invalid)) => {
                problems.error(&node.path, format!("`{text}` names no part of a body: {invalid}"), None);
            }
            _ => problems.error(&node.path, format!("`{text}` is no source of {}", side.what()), Some(side.help())),
        }
        None
    }

    /// Whether it can only be read once the body is there.
    pub fn needs_body(&self) -> bool {
        matches!(self, Self::RequestBody(_) | Self::ResponseBody(_))
    }

    /// Its values; none when the source is missing, and then the mapping is skipped: assumed(missing-source), an emulator's
    /// tests that are said to be checked on AWS. More than one only for `multivaluequerystring`.
    pub fn values(&self, sources: &Sources<'_>, platform: &dyn Platform) -> Result<Vec<Vec<u8>>, InvalidBody> {
        let text = |value: Option<String>| value.map(String::into_bytes).into_iter().collect();
        let Sources { context, response, .. } = *sources;
        Ok(match self {
            Self::Literal(literal) => vec![literal.clone().into_bytes()],
            Self::Request(source) => source.values(context),
            Self::AnyParameter(name) => {
                let kinds = [Source::Path, Source::QueryString, Source::Header];
                kinds.iter().map(|kind| kind(name.clone()).values(context)).find(|v| !v.is_empty()).unwrap_or_default()
            }
            Self::RequestBody(path) | Self::ResponseBody(path) => text(sources.in_body(path)?),
            Self::ResponseHeader(name) => response.and_then(|h| h.last(name)).map(<[u8]>::to_vec).into_iter().collect(),
            Self::ResponseMultiValueHeader(name) => {
                joined(&response.map(|h| h.get_all(name).collect::<Vec<_>>()).unwrap_or_default()).into_iter().collect()
            }
            Self::Context(name) => text(context.variable(name, platform)),
            Self::StageVariable(name) => text(context.stage_variable(name).map(str::to_owned)),
        })
    }
}

// === impl Source ===

impl Source {
    fn values(&self, context: &Context) -> Vec<Vec<u8>> {
        let bytes = |value: &str| value.as_bytes().to_vec();
        match self {
            Self::Path(name) => context.path_parameter(name).map(bytes).into_iter().collect(),
            Self::QueryString(name) => context.query().last(name).map(bytes).into_iter().collect(),
            Self::MultiValueQueryString(name) => context.query().all(name).map(bytes).collect(),
            Self::Header(name) => context.mapped_header(name).last().map(|value| value.to_vec()).into_iter().collect(),
            Self::MultiValueHeader(name) => joined(&context.mapped_header(name)).into_iter().collect(),
        }
    }
}

fn joined(values: &[&[u8]]) -> Option<Vec<u8>> {
    (!values.is_empty()).then(|| values.join(b",".as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_reference_page_is_read() {
        let header = Expression::Request(Source::Header("X-A.b".to_owned()));
        assert_eq!(Expression::parse("method.request.header.X-A.b"), Ok(header));
        assert_eq!(Expression::parse("'it''s'"), Ok(Expression::Literal("it''s".to_owned())));
        assert_eq!(Expression::parse("context.identity.sourceIp"), Ok(Expression::Context("identity.sourceIp".to_owned())));
        assert_eq!(Expression::parse("stageVariables.x"), Ok(Expression::StageVariable("x".to_owned())));
        let path = |path| JsonPath::parse(path).unwrap();
        assert_eq!(Expression::parse("integration.response.body.a[0]"), Ok(Expression::ResponseBody(path("$.a[0]"))));
        assert_eq!(Expression::parse("method.request.body"), Ok(Expression::RequestBody(path("$"))));
        assert!(matches!(Expression::parse("method.request.body.a["), Err(InvalidExpression::Path(_))));
        for text in ["", "'", "x", "method.request.header.", "method.request.bodyx", "$context.x"] {
            assert_eq!(Expression::parse(text), Err(InvalidExpression::Unknown), "{text}");
        }
    }
}
