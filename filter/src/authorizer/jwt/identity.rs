//! Where a request carries its token: one header or one query parameter, once.
//!
//! AWS: "Control access to HTTP APIs with JWT authorizers", "Authorizer" of the REST API reference.

use super::refusal::Refusal;
use crate::context::Context;
use crate::definition::{Node, Protocol};
use crate::http::is_field_name;
use crate::problem::Problems;
use std::borrow::Cow;

/// The identity source of a token authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A header field.
    Header(String),
    /// A query parameter; HTTP APIs only.
    Query(String),
}

// === impl Identity ===

impl Identity {
    /// Reads an identity source: `$request.header.X` and `$request.querystring.X` of HTTP APIs, `method.request.header.X` of REST
    /// APIs. The console and CloudFormation write a list of one, which is taken alike.
    pub fn read(node: &Node<'_>, protocol: Protocol, problems: &mut Problems) -> Option<Self> {
        if node.value.is_array() {
            let elements = node.elements(problems);
            return match elements.as_slice() {
                [one] => Self::read_one(one, protocol, problems),
                _ => {
                    problems.error(&node.path, "a token stands in one place", Some("name one identity source"));
                    None
                }
            };
        }
        Self::read_one(node, protocol, problems)
    }

    fn read_one(node: &Node<'_>, protocol: Protocol, problems: &mut Problems) -> Option<Self> {
        let text = node.string(problems)?;
        let (prefix, help) = match protocol {
            Protocol::Http => ("$request.", "`$request.header.NAME` or `$request.querystring.NAME`"),
            Protocol::Rest => ("method.request.", "`method.request.header.NAME`"),
        };
        let identity = match text.trim().strip_prefix(prefix).and_then(|rest| rest.split_once('.')) {
            Some(("header", name)) if is_field_name(name) => Some(Self::Header(name.to_owned())),
            Some(("querystring", name)) if protocol == Protocol::Http && !name.is_empty() && !name.contains(',') => {
                Some(Self::Query(name.to_owned()))
            }
            _ => None,
        };
        if identity.is_none() {
            problems.error(&node.path, format!("`{text}` is not where a token can stand"), Some(help));
        }
        identity
    }

    /// That of the header or the parameter.
    pub fn name(&self) -> &str {
        match self {
            Self::Header(name) | Self::Query(name) => name,
        }
    }

    /// The token of a request, with or without `Bearer` in front of it.
    pub fn token<'a>(&self, context: &'a Context) -> Result<Cow<'a, str>, Refusal> {
        let token = match self {
            Self::Header(name) => {
                let value = only_one(context.headers().get_all(name))?;
                // Two lines that a proxy joined: no token has a comma, and neither the first nor the last is the right one.
                if value.contains(&b',') {
                    return Err(Refusal::Several);
                }
                Cow::Borrowed(without_scheme(std::str::from_utf8(value).map_err(|_| Refusal::Malformed)?))
            }
            Self::Query(name) => Cow::Borrowed(without_scheme(only_one(context.query().all(name))?)),
        };
        if token.is_empty() { Err(Refusal::Missing) } else { Ok(token) }
    }
}

fn only_one<T>(mut values: impl Iterator<Item = T>) -> Result<T, Refusal> {
    match (values.next(), values.next()) {
        (None, _) => Err(Refusal::Missing),
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(Refusal::Several),
    }
}

/// "The identitySource can include only the token, or the token prefixed with `Bearer`"; schemes have no case (RFC 9110, section
/// 11.1).
fn without_scheme(value: &str) -> &str {
    let value = value.trim_matches([' ', '\t']);
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start_matches(' '),
        None if value.eq_ignore_ascii_case("bearer") => "",
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Ids;
    use crate::http::RequestHead;
    use serde_json::{Value, json};

    fn read(value: &Value, protocol: Protocol) -> Result<Identity, String> {
        let mut problems = Problems::default();
        let read = Identity::read(&Node::root(value), protocol, &mut problems);
        read.ok_or_else(|| problems.into_vec()[0].to_string())
    }

    fn context(path: &str, headers: &[(&str, &[u8])]) -> Context {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
        let head = RequestHead { method: "GET".to_owned(), path: path.into(), headers, ..RequestHead::default() };
        Context::new(Ids::new([1; 16]), head)
    }

    #[test]
    fn one_place_is_named_in_the_way_of_the_product() {
        let header = || Ok(Identity::Header("Authorization".to_owned()));
        assert_eq!(read(&json!("$request.header.Authorization"), Protocol::Http), header());
        assert_eq!(read(&json!(["$request.header.Authorization"]), Protocol::Http), header());
        assert_eq!(read(&json!("$request.querystring.t"), Protocol::Http), Ok(Identity::Query("t".to_owned())));
        assert_eq!(read(&json!("method.request.header.Authorization"), Protocol::Rest), header());
        for (value, protocol) in [
            (json!("method.request.header.A"), Protocol::Http),
            (json!("$request.header.A,$request.header.B"), Protocol::Http),
            (json!(["$request.header.A", "$request.header.B"]), Protocol::Http),
            (json!([]), Protocol::Http),
            (json!("$request.body.a"), Protocol::Http),
            (json!("$request.header."), Protocol::Http),
            (json!("$request.querystring."), Protocol::Http),
            (json!("method.request.querystring.a"), Protocol::Rest),
            (json!("$request.header.A"), Protocol::Rest),
            (json!(1), Protocol::Rest),
        ] {
            assert!(read(&value, protocol).is_err(), "{value}");
        }
    }

    #[test]
    fn a_token_stands_alone_or_behind_its_scheme() {
        let identity = Identity::Header("authorization".to_owned());
        let token = |value: &'static [u8]| identity.token(&context("/", &[("Authorization", value)])).map(Cow::into_owned);
        for value in [b"a.b.c".as_slice(), b"Bearer a.b.c", b"bearer a.b.c", b"BEARER   a.b.c ", b" a.b.c\t"] {
            assert_eq!(token(value), Ok("a.b.c".to_owned()), "{value:?}");
        }
        for value in [b"".as_slice(), b" ", b"Bearer", b"bearer "] {
            assert_eq!(token(value), Err(Refusal::Missing), "{value:?}");
        }
        assert_eq!(token(b"Basic a.b.c"), Ok("Basic a.b.c".to_owned()));
        assert_eq!(token(b"Bearer Bearer x"), Ok("Bearer x".to_owned()));
        assert_eq!(token(b"a.b.c, a.b.c"), Err(Refusal::Several));
        assert_eq!(token(b"\xff"), Err(Refusal::Malformed));
    }

    #[test]
    fn a_token_that_is_there_twice_is_refused() {
        let identity = Identity::Header("authorization".to_owned());
        let twice = context("/", &[("authorization", b"a"), ("Authorization", b"a")]);
        assert_eq!(identity.token(&twice), Err(Refusal::Several));
        let query = Identity::Query("t".to_owned());
        assert_eq!(query.token(&context("/?t=Bearer%20a&u=1", &[])), Ok(Cow::Borrowed("a")));
        assert_eq!(query.token(&context("/?t=a&t=a", &[])), Err(Refusal::Several));
        assert_eq!(query.token(&context("/?T=a", &[])), Err(Refusal::Missing));
    }
}
