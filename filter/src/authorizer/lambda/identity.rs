//! Identity sources: the parts of a request that say who asks. All of them have to be there and not empty, or the request is
//! answered 401 and no function is asked (documented); together they are the key of what is remembered.
//!
//! A value is read in one way only. What two readers could read differently, a function and a backend that take another of two
//! lines, is no identity.

use crate::context::{Context, is_variable};
use crate::definition::Protocol;
use crate::http::is_field_name;
use crate::platform::Platform;
use std::fmt;

/// The values of all identity sources, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity(Vec<String>);

/// Why there is no identity: 401, without a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingIdentity {
    /// An identity source is not there, or empty.
    Absent(String),
    /// It is there more than once.
    Repeated(String),
    /// It is not text.
    Unreadable(String),
    /// It does not match `identityValidationExpression`.
    Mismatched,
}

/// One identity source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Header(String),
    Query(String),
    StageVariable(String),
    Context(String),
}

const AUTHORIZATION: &str = "authorization";

// === impl Identity ===

impl Identity {
    pub(super) fn new(values: Vec<String>) -> Self {
        Self(values)
    }

    /// The values, in the order of their sources.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

// === impl MissingIdentity ===

/// For the operator's log: names, never values.
impl fmt::Display for MissingIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(name) => write!(f, "identity source `{name}` is missing or empty"),
            Self::Repeated(name) => write!(f, "identity source `{name}` is there more than once"),
            Self::Unreadable(name) => write!(f, "identity source `{name}` is not UTF-8"),
            Self::Mismatched => f.write_str("the token does not match the validation expression"),
        }
    }
}

// === impl Source ===

impl Source {
    /// `method.request.header.X` and the like in REST APIs, `$request.header.X` in HTTP APIs. Path parameters cannot be identity
    /// sources (documented).
    pub(super) fn parse(text: &str, protocol: Protocol) -> Option<Self> {
        let (request, others) = match protocol {
            Protocol::Rest => ("method.request.", text),
            Protocol::Http => ("$request.", text.strip_prefix('$').unwrap_or_default()),
        };
        let of_request = |place: &str| text.strip_prefix(request)?.strip_prefix(place).filter(|name| !name.is_empty());
        let other = |place: &str| others.strip_prefix(place).filter(|name| !name.is_empty()).map(str::to_owned);
        let header = of_request("header.").filter(|name| is_field_name(name)).map(|name| Self::Header(name.to_owned()));
        header
            .or_else(|| of_request("querystring.").map(|name| Self::Query(name.to_owned())))
            .or_else(|| other("stageVariables.").map(Self::StageVariable))
            .or_else(|| other("context.").filter(|name| is_variable(name)).map(Self::Context))
    }

    pub(super) fn help(protocol: Protocol) -> &'static str {
        match protocol {
            Protocol::Rest => {
                "`method.request.header.NAME`, `method.request.querystring.NAME`, `stageVariables.NAME` or `context.NAME`"
            }
            Protocol::Http => "`$request.header.NAME`, `$request.querystring.NAME`, `$stageVariables.NAME` or `$context.NAME`",
        }
    }

    pub(super) fn read(&self, context: &Context, platform: &dyn Platform) -> Result<String, MissingIdentity> {
        let value = match self {
            Self::Header(name) => header(name, context)?,
            Self::Query(name) => {
                let values: Vec<_> = context.query().all(name).collect();
                if values.len() > 1 {
                    return Err(MissingIdentity::Repeated(name.clone()));
                }
                // What was no UTF-8 has lost what it was: two of them would be one identity.
                if values.iter().any(|value| value.contains(char::REPLACEMENT_CHARACTER)) {
                    return Err(MissingIdentity::Unreadable(name.clone()));
                }
                values.concat()
            }
            Self::StageVariable(name) => context.stage_variable(name).unwrap_or_default().to_owned(),
            Self::Context(name) => context.variable(name, platform).unwrap_or_default(),
        };
        if value.is_empty() { Err(MissingIdentity::Absent(self.name().to_owned())) } else { Ok(value) }
    }

    fn name(&self) -> &str {
        match self {
            Self::Header(name) | Self::Query(name) | Self::StageVariable(name) | Self::Context(name) => name,
        }
    }
}

/// A header that is there once. assumed(repeated-identity): REST APIs would take one of the values and HTTP APIs join them; a
/// function that looks at all of them would decide for a key that shows something else, so there is no identity.
fn header(name: &str, context: &Context) -> Result<String, MissingIdentity> {
    let lines = context.mapped_header(name);
    let is_authorization = name.eq_ignore_ascii_case(AUTHORIZATION);
    let value = lines.join(b",".as_slice());
    let value = String::from_utf8(value).map_err(|_| MissingIdentity::Unreadable(name.to_owned()))?;
    // Two Authorization lines arrive as one.
    if lines.len() > 1 || (is_authorization && is_joined(&value)) {
        return Err(MissingIdentity::Repeated(name.to_owned()));
    }
    Ok(value)
}

/// Whether something follows a comma that is no parameter of the credentials before it: `Bearer a,Bearer b`, but not
/// `Digest username="x",uri="/"` (RFC 9110, section 11.4). A comma in quotes counts too: that is the safe side.
fn is_joined(value: &str) -> bool {
    let is_parameter = |part: &str| part.split_once('=').is_some_and(|(name, _)| is_field_name(name.trim()));
    value.split(',').skip(1).any(|part| !is_parameter(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::{STILL, request};

    fn read(source: &str, protocol: Protocol, query: &str, headers: &[(&str, &str)]) -> Result<String, MissingIdentity> {
        let target = if protocol == Protocol::Rest { format!("/prod/x{query}") } else { format!("/x{query}") };
        let context = request(protocol, "GET", &target, headers);
        Source::parse(source, protocol).unwrap().read(&context, &STILL)
    }

    #[test]
    fn every_kind_of_source_is_read() {
        let headers = [("x-a", "1")];
        for (rest, http, wanted) in [
            ("method.request.header.X-A", "$request.header.x-A", "1"),
            ("method.request.header.host", "$request.header.Host", "id.execute-api.eu-west-1.amazonaws.com:443"),
            ("method.request.querystring.Q", "$request.querystring.Q", "a b"),
            ("context.httpMethod", "$context.httpMethod", "GET"),
            ("context.identity.sourceIp", "$context.identity.sourceIp", "192.0.2.1"),
            ("context.routeKey", "$context.routeKey", "GET /{id}"),
        ] {
            assert_eq!(read(rest, Protocol::Rest, "?Q=a+b", &headers).as_deref(), Ok(wanted), "{rest}");
            assert_eq!(read(http, Protocol::Http, "?Q=a+b", &headers).as_deref(), Ok(wanted), "{http}");
        }
    }

    #[test]
    fn what_is_missing_or_empty_is_no_identity() {
        for (source, query) in [
            ("method.request.header.x-a", ""),
            ("method.request.header.x-empty", ""),
            ("method.request.querystring.q", ""),
            ("method.request.querystring.q", "?q"),
            ("method.request.querystring.q", "?q="),
            ("method.request.querystring.q", "?Q=1"),
            ("stageVariables.none", ""),
            ("context.identity.userAgent", ""),
        ] {
            let missing = read(source, Protocol::Rest, query, &[("x-empty", "")]);
            assert!(matches!(missing, Err(MissingIdentity::Absent(_))), "{source} {query}");
        }
    }

    #[test]
    fn what_is_repeated_or_unreadable_is_no_identity() {
        let headers = [("x-a", "1"), ("x-a", "2")];
        for source in ["header.x-a", "querystring.q"] {
            let rest = read(&format!("method.request.{source}"), Protocol::Rest, "?q=1&q=2", &headers);
            assert!(matches!(rest, Err(MissingIdentity::Repeated(_))), "{source}");
            let http = read(&format!("$request.{source}"), Protocol::Http, "?q=1&q=2", &headers);
            assert!(matches!(http, Err(MissingIdentity::Repeated(_))), "{source}");
        }
        for query in ["?q=%ff%fe", "?q=%80"] {
            let lossy = read("method.request.querystring.q", Protocol::Rest, query, &[]);
            assert!(matches!(lossy, Err(MissingIdentity::Unreadable(_))), "{query}");
        }
    }

    #[test]
    fn two_authorization_headers_are_no_identity_however_they_arrive() {
        for (protocol, source) in
            [(Protocol::Rest, "method.request.header.Authorization"), (Protocol::Http, "$request.header.Authorization")]
        {
            for lines in [
                vec![("authorization", "Bearer a"), ("authorization", "Bearer b")],
                vec![("authorization", "a=1"), ("authorization", "b=2")],
                vec![("authorization", "Bearer a,Bearer b")],
                vec![("authorization", "a, b")],
                vec![("authorization", "a,")],
                vec![("authorization", "Digest a=1,Digest b=2")],
            ] {
                assert!(matches!(read(source, protocol, "", &lines), Err(MissingIdentity::Repeated(_))), "{lines:?}");
            }
            let digest = "Digest username=\"x\", uri=\"/\",qop=auth";
            assert_eq!(read(source, protocol, "", &[("authorization", digest)]).as_deref(), Ok(digest));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_no_identity() {
        let mut context = request(Protocol::Rest, "GET", "/prod", &[]);
        context.request.headers.append("x-a", b"\xff".as_slice());
        let source = Source::parse("method.request.header.x-a", Protocol::Rest).unwrap();
        let missing = source.read(&context, &STILL).unwrap_err();
        assert_eq!(missing.to_string(), "identity source `x-a` is not UTF-8");
    }

    #[test]
    fn what_is_no_source_is_not_read_as_one() {
        for text in [
            "",
            "x",
            "method.request.header.",
            "method.request.header.a b",
            "method.request.path.id",
            "method.request.body.x",
            "context.",
            "context.nothing",
            "$request.header.x",
            "$context.stage",
        ] {
            assert_eq!(Source::parse(text, Protocol::Rest), None, "{text}");
        }
        for text in [
            "request.header.x",
            "context.stage",
            "stageVariables.x",
            "$request.path.id",
            "$request.body",
            "$method.request.header.x",
        ] {
            assert_eq!(Source::parse(text, Protocol::Http), None, "{text}");
        }
    }
}
