//! The `uri` of an HTTP integration: `https://host/path/{param}?name={param}` with `${stageVariables.x}`. Stage variables are put in
//! when the stage is compiled (undefined: the empty string, recorded: `test_import_with_stage_variables`), parameters when a request
//! comes; a parameter without a value stays literal.

use crate::http::{is_valid_host, percent_encode};
use std::collections::BTreeMap;

/// A compiled URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// `http` or `https`
    pub scheme: &'static str,
    /// Host and port, lower case.
    pub authority: String,
    path: Vec<Part>,
    query: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Parameter(String),
}

/// Why a text is no endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidUri {
    /// No URL of a host: AWS answers 500 to every request (recorded).
    NoEndpoint,
    /// A parameter stands in the host.
    ParameterInHost,
}

/// A value for a parameter of the URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UriValue {
    /// From a path: still encoded as the client sent it.
    Encoded(String),
    /// From elsewhere: plain bytes.
    Plain(Vec<u8>),
}

// === impl Uri ===

impl Uri {
    /// Puts stage variables in and reads the rest.
    pub fn compile(text: &str, variables: &BTreeMap<String, String>) -> Result<Self, InvalidUri> {
        let text = with_stage_variables(text, variables);
        let (scheme, rest) = text.split_once("://").ok_or(InvalidUri::NoEndpoint)?;
        let scheme =
            ["http", "https"].into_iter().find(|known| known.eq_ignore_ascii_case(scheme)).ok_or(InvalidUri::NoEndpoint)?;
        if text.bytes().any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'#' | b'\\')) {
            return Err(InvalidUri::NoEndpoint);
        }
        let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
        let authority = before_query.split('/').next().unwrap_or_default();
        let path = before_query.get(authority.len()..).unwrap_or_default();
        // A host made of a request's values would let a client choose whom the gateway calls.
        if authority.contains('{') {
            return Err(InvalidUri::ParameterInHost);
        }
        if !is_valid_host(authority.as_bytes()) {
            return Err(InvalidUri::NoEndpoint);
        }
        Ok(Self { scheme, authority: authority.to_ascii_lowercase(), path: parts(path), query: parts(query) })
    }

    /// The names of all parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.path.iter().chain(&self.query).filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Parameter(name) => Some(name.as_str()),
        })
    }

    /// The path of a request. A value from a path may hold slashes; any other is encoded, so that it stays one segment.
    pub fn path(&self, value: &dyn Fn(&str) -> Option<UriValue>) -> String {
        let path = fill(&self.path, value, |value| match value {
            UriValue::Encoded(text) => text,
            UriValue::Plain(bytes) => percent_encode(&bytes),
        });
        if path.is_empty() { "/".to_owned() } else { path }
    }

    /// The query of a request, `""` for none. A value never ends the pair that it stands in.
    pub fn query(&self, value: &dyn Fn(&str) -> Option<UriValue>) -> String {
        fill(&self.query, value, |value| match value {
            UriValue::Encoded(text) => within_a_pair(&text),
            UriValue::Plain(bytes) => percent_encode(&bytes),
        })
    }
}

/// As it was written, for the route table.
impl std::fmt::Display for Uri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)?;
        let mut write_parts = |parts: &[Part]| {
            parts.iter().try_for_each(|part| match part {
                Part::Literal(text) => f.write_str(text),
                Part::Parameter(name) => write!(f, "{{{name}}}"),
            })
        };
        write_parts(&self.path)?;
        if self.query.is_empty() {
            return Ok(());
        }
        write_parts(&[Part::Literal("?".to_owned())])?;
        write_parts(&self.query)
    }
}

fn fill(parts: &[Part], value: &dyn Fn(&str) -> Option<UriValue>, text_of: impl Fn(UriValue) -> String) -> String {
    let text = |part: &Part| match part {
        Part::Literal(text) => text.clone(),
        Part::Parameter(name) => value(name).map_or_else(|| format!("{{{name}}}"), &text_of),
    };
    parts.iter().map(text).collect()
}

/// An encoded value that does not end the pair of a query that it stands in.
pub fn within_a_pair(text: &str) -> String {
    text.replace('&', "%26").replace('=', "%3D").replace('+', "%2B").replace(';', "%3B")
}

/// `${stageVariables.x}`; any other `${…}` stays.
pub fn with_stage_variables(text: &str, variables: &BTreeMap<String, String>) -> String {
    const START: &str = "${stageVariables.";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(START) {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) => {
                out.push_str(variables.get(name).map(String::as_str).unwrap_or_default());
                rest = tail;
            }
            None => {
                out.push_str(START);
                rest = after;
            }
        }
    }
    out + rest
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        if !before.is_empty() {
            parts.push(Part::Literal(before.to_owned()));
        }
        // `{proxy+}` is how some write `{proxy}`.
        parts.push(Part::Parameter(name.trim_end_matches('+').to_owned()));
        rest = tail;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    parts.shrink_to_fit();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Result<Uri, InvalidUri> {
        Uri::compile(text, &[("host".to_owned(), "b.test".to_owned())].into())
    }

    #[test]
    fn stage_variables_go_in_when_compiled_and_parameters_when_asked() {
        let uri = uri("https://${stageVariables.host}:8443/a${stageVariables.none}/{id}?q={id}&r={x}").unwrap();
        assert_eq!(uri.authority, "b.test:8443");
        let value = |name: &str| (name == "id").then(|| UriValue::Encoded("x%2F/y&z=1".to_owned()));
        assert_eq!(uri.path(&value), "/a/x%2F/y&z=1");
        assert_eq!(uri.query(&value), "q=x%2F/y%26z%3D1&r={x}");
        assert_eq!(uri.to_string(), "https://b.test:8443/a/{id}?q={id}&r={x}");
        assert_eq!(super::Uri::compile("http://h", &BTreeMap::new()).unwrap().path(&value), "/");
    }

    #[test]
    fn a_plain_value_stays_one_segment() {
        let uri = uri("http://h/{x}").unwrap();
        for (value, path) in [("x/admin", "/x%2Fadmin"), ("a b?", "/a%20b%3F")] {
            assert_eq!(uri.path(&|_| Some(UriValue::Plain(value.into()))), path);
        }
    }

    #[test]
    fn no_request_chooses_the_host() {
        for text in ["http://{h}/x", "http://{h}.test", "http://b.test:{port}/"] {
            assert_eq!(uri(text), Err(InvalidUri::ParameterInHost), "{text}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for text in [
            "",
            "h/x",
            "ftp://h",
            "http://",
            "http:///x",
            "http://${stageVariables.none}/x",
            "http://a b",
            "http://h/\u{e9}",
            "http://h/#x",
            "http://h/\\x",
        ] {
            assert_eq!(uri(text), Err(InvalidUri::NoEndpoint), "{text}");
        }
    }
}
