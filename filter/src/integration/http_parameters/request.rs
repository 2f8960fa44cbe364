//! `requestParameters` of HTTP APIs: headers, the query and the path of the request to the integration. Every value is read from the
//! request as the client sent it.

use super::super::Scope;
use super::super::uri::within_a_pair;
use super::{Action, Mapped, Mapping, apply, compile_value, describe, evaluate, evaluate_headers, target};
use crate::definition::Node;
use crate::http::{CanonicalPath, Query, RequestHead, is_valid_host, percent_encode};
use crate::mapping::{HttpExpression, Origin, Side, Sources};
use crate::platform::Platform;

/// The compiled mappings.
#[derive(Debug, Default)]
pub struct HttpRequestParameters {
    headers: Vec<Mapping>,
    query: Vec<Mapping>,
    path: Option<HttpExpression>,
}

/// What they made of one request.
#[derive(Debug)]
pub struct MappedRequest<'a> {
    headers: Vec<Mapped<'a>>,
    query: Vec<Mapped<'a>>,
    path: Option<String>,
}

// === impl HttpRequestParameters ===

impl HttpRequestParameters {
    /// Reads the mappings of an integration.
    pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Self {
        let mut parameters = Self::default();
        let Some(mappings) = node.get("requestParameters") else { return parameters };
        for (key, value) in mappings.members(scope.problems) {
            parameters.compile_mapping(key, &value, scope);
        }
        parameters
    }

    fn compile_mapping(&mut self, key: &str, node: &Node<'_>, scope: &mut Scope<'_, '_>) {
        let (side, problems) = (Side::Request, &mut *scope.problems);
        let Some((action, what)) = target(key) else { return unknown(key, node, scope) };
        if let Some(name) = what.strip_prefix("header.") {
            // A request without a host, or with two, is no request.
            if name.eq_ignore_ascii_case("host") && action != Action::Overwrite {
                return problems.error(&node.path, "a request has one host, which can only be overwritten", None);
            }
            let mapping = Mapping::header(action, name, node, side, problems);
            warn_of_unknown(mapping.as_ref().and_then(|mapping| mapping.value.as_ref()), node, scope);
            self.headers.extend(mapping);
        } else if let Some(name) = what.strip_prefix("querystring.").filter(|name| !name.is_empty()) {
            let mapping = Mapping::compile(action, name, node, side, problems);
            warn_of_unknown(mapping.as_ref().and_then(|mapping| mapping.value.as_ref()), node, scope);
            self.query.extend(mapping);
        } else if (action, what) == (Action::Overwrite, "path") {
            self.path = compile_path(node, scope);
            warn_of_unknown(self.path.as_ref(), node, scope);
        } else {
            unknown(key, node, scope);
        }
    }

    fn values(&self) -> impl Iterator<Item = &HttpExpression> {
        self.headers.iter().chain(&self.query).filter_map(|mapping| mapping.value.as_ref()).chain(&self.path)
    }

    /// Whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.values().next().is_none() && self.headers.is_empty() && self.query.is_empty()
    }

    /// Whether a part of the request's body is mapped.
    pub fn need_body(&self) -> bool {
        self.values().any(HttpExpression::needs_body)
    }

    /// What they make of a request.
    pub fn evaluate(&self, sources: &Sources<'_>, platform: &dyn Platform) -> MappedRequest<'_> {
        MappedRequest {
            headers: evaluate_headers(&self.headers, sources, platform),
            query: evaluate(&self.query, sources, platform, &query_piece),
            path: self.path.as_ref().and_then(|path| path_value(path, sources, platform)),
        }
    }
}

// === impl MappedRequest ===

impl MappedRequest<'_> {
    /// The path that is sent in the place of the URI's own.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The client's query with the changes; as it was sent where there are none. The URI's own query is not the client's, and stays:
    /// assumed(http-uri-query).
    pub fn query(&self, client: &str) -> String {
        let mut pairs: Vec<String> = Vec::new();
        let is_changed =
            |pair: &str| self.query.iter().any(|mapped| mapped.action != Action::Append && is_named(pair, mapped.name));
        if client.split(['&', ';']).any(is_changed) {
            pairs.extend(client.split(['&', ';']).filter(|pair| !pair.is_empty() && !is_changed(pair)).map(str::to_owned));
        } else if !client.is_empty() {
            pairs.push(client.to_owned());
        }
        for Mapped { name, value, .. } in &self.query {
            if let Some(value) = value {
                pairs.push([&percent_encode(name.as_bytes()), "=", &String::from_utf8_lossy(value)].concat());
            }
        }
        pairs.join("&")
    }

    /// Changes the headers, and the host.
    pub fn apply_headers(&self, head: &mut RequestHead) {
        // The host is no header field there.
        if let Some(host) = self.headers.iter().rev().find(|mapped| mapped.name == "host").and_then(|mapped| mapped.value.as_ref())
        {
            // Anything but one host would be read as two, or as none.
            if is_valid_host(host) {
                head.authority.clone_from(host);
            }
        }
        apply(&self.headers, &mut head.headers);
        head.headers.remove("host");
    }

    /// The whole request with the changes.
    pub fn change(&self, request: &RequestHead, path: &CanonicalPath) -> RequestHead {
        let mut changed = request.clone();
        self.apply_headers(&mut changed);
        let query = self.query(path.query().unwrap_or_default());
        let separator = if query.is_empty() { "" } else { "?" };
        changed.path = [self.path().unwrap_or(path.path()), separator, &query].concat().into_bytes();
        changed
    }

    /// A line a mapping, for people.
    pub fn describe(&self) -> String {
        let mut lines = Vec::new();
        lines.extend(self.path.as_ref().map(|path| format!("overwrite:path: {path}")));
        describe("querystring", &self.query, &mut lines);
        describe("header", &self.headers, &mut lines);
        lines.join("\n")
    }
}

fn unknown(key: &str, node: &Node<'_>, scope: &mut Scope<'_, '_>) {
    let help = "write `append:header.NAME`, `overwrite:querystring.NAME`, `remove:header.NAME`, …, or `overwrite:path`";
    scope.problems.error(&node.path, format!("`{key}` is no target of a request parameter"), Some(help));
}

/// Tells of path parameters that the route does not have.
fn warn_of_unknown(value: Option<&HttpExpression>, node: &Node<'_>, scope: &mut Scope<'_, '_>) {
    let known = scope.pattern.parameters();
    for name in value.into_iter().flat_map(HttpExpression::path_parameters) {
        if !known.iter().any(|known| known == name) {
            scope.problems.warning(&node.path, format!("the route has no path parameter `{name}`: it is never set"), None);
        }
    }
}

/// A path that is sent in the place of the URI's.
fn compile_path(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Option<HttpExpression> {
    let path = compile_value(node, Side::Request, scope.problems)?;
    // With a letter for every variable: what is wrong then is wrong for every request.
    let texts = path.texts().collect::<Vec<_>>().join("x");
    if texts.contains('?') {
        let help = "map the query by `append:querystring.NAME`";
        scope.problems.error(&node.path, "a path ends before its query", Some(help));
        return None;
    }
    if CanonicalPath::parse(["/", &texts].concat().as_bytes()).is_err() {
        let help = "no dot segments and no `%` that encodes nothing";
        scope.problems.error(&node.path, "a path that can be read in two ways is never sent upstream", Some(help));
        return None;
    }
    Some(path)
}

/// The path of a request: a slash in front, what came in a path as it was sent. A value from elsewhere stays one segment where there
/// is text around it, and may have slashes where it is the whole path: assumed(http-path-encoding).
fn path_value(path: &HttpExpression, sources: &Sources<'_>, platform: &dyn Platform) -> Option<String> {
    let piece = |origin: Origin, piece: Vec<u8>| match origin {
        Origin::Text | Origin::Encoded => piece,
        Origin::Plain if path.is_one_variable() => percent_encode(&piece).replace("%2F", "/").into_bytes(),
        Origin::Plain => percent_encode(&piece).into_bytes(),
    };
    let value = String::from_utf8(path.value_with(sources, platform, &piece)?).ok()?;
    Some(if value.starts_with('/') { value } else { ["/", &value].concat() })
}

/// A piece of a query parameter's value: it never ends the pair that it stands in.
fn query_piece(origin: Origin, piece: Vec<u8>) -> Vec<u8> {
    let text = match origin {
        Origin::Encoded => within_a_pair(&String::from_utf8_lossy(&piece)),
        Origin::Text | Origin::Plain => percent_encode(&piece),
    };
    text.into_bytes()
}

/// Whether a pair of a query has a name, as who reads the query decodes it.
fn is_named(pair: &str, name: &str) -> bool {
    Query::parse(pair).iter().any(|(known, _)| known == name)
}
