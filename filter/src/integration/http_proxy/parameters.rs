//! `requestParameters` of an HTTP_PROXY integration. REST proxies do apply them, though the documentation says that they pass
//! everything through (recorded: `test_http_proxy_integration_request_data_mappings`): headers replace, query values are appended,
//! path values fill the URI. In HTTP APIs the path parameters fill the URI by themselves.

use super::super::uri::{UriValue, within_a_pair};
use super::super::{Scope, is_reserved};
use crate::context::Context;
use crate::definition::{Node, Protocol};
use crate::http::{RequestHead, is_field_name, is_field_value, is_valid_host, percent_encode};
use crate::mapping::{Expression, Side, Source, Sources};
use crate::platform::Platform;

/// The compiled mappings.
#[derive(Debug, Default)]
pub struct RequestParameters {
    path: Vec<(String, Expression)>,
    query: Vec<(String, Expression)>,
    headers: Vec<(String, Expression)>,
    /// A target that AWS answers 500 for.
    illegal: bool,
}

/// Targets of a header mapping for which AWS answers 500 to every request (recorded).
const ILLEGAL: [&str; 4] = ["content-length", "transfer-encoding", "x-amzn-trace-id", "x-amzn-apigateway-api-id"];

/// Targets that AWS drops without a word (recorded).
const DROPPED: [&str; 5] = ["connection", "expect", "proxy-authenticate", "te", "via"];

// === impl RequestParameters ===

impl RequestParameters {
    /// Reads the mappings of an integration.
    pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Self {
        let mut parameters = Self::default();
        if scope.protocol == Protocol::Http {
            parameters.path = scope
                .pattern
                .parameters()
                .into_iter()
                .map(|name| (name.clone(), Expression::Request(Source::Path(name))))
                .collect();
        }
        let Some(mappings) = node.get("requestParameters") else { return parameters };
        if scope.protocol == Protocol::Http {
            scope.problems.error(&mappings.path, "not served yet: parameter mapping of HTTP APIs", None);
            return parameters;
        }
        for (target, source) in mappings.members(scope.problems) {
            parameters.compile_mapping(target, &source, scope);
        }
        parameters
    }

    fn compile_mapping(&mut self, target: &str, node: &Node<'_>, scope: &mut Scope<'_, '_>) {
        let Some(expression) = Expression::compile(node, Side::Request, scope.problems) else { return };
        if expression.needs_body() {
            return scope.problems.error(&node.path, "not served yet: a part of a body, which streams through here", None);
        }
        if let Expression::Request(Source::Path(name)) = &expression {
            if !scope.pattern.parameters().contains(name) {
                let message = format!("the resource has no path parameter `{name}`: the mapping is skipped");
                scope.problems.warning(&node.path, message, None);
            }
        }
        let named = |place: &str| target.strip_prefix("integration.request.")?.strip_prefix(place).filter(|name| !name.is_empty());
        if let Some(name) = named("path.") {
            self.path.push((name.to_owned(), expression));
        } else if let Some(name) = named("querystring.") {
            self.query.push((name.to_owned(), expression));
        } else if let Some(name) = named("header.") {
            self.compile_header(&name.to_ascii_lowercase(), expression, node, scope);
        } else {
            let help = "write `integration.request.header.NAME`, `….querystring.NAME` or `….path.NAME`";
            scope.problems.error(&node.path, format!("`{target}` is no target"), Some(help));
        }
    }

    fn compile_header(&mut self, name: &str, expression: Expression, node: &Node<'_>, scope: &mut Scope<'_, '_>) {
        if !is_field_name(name) {
            scope.problems.error(&node.path, format!("`{name}` is no header name"), None);
        } else if ILLEGAL.contains(&name) {
            self.illegal = true;
            scope.problems.warning(
                &node.path,
                format!("`{name}` must not be mapped: AWS answers every request with 500, and so do we"),
                None,
            );
        } else if is_reserved(name) {
            scope.problems.error(&node.path, format!("`{name}` is the gateway's own and cannot be mapped"), None);
        } else if DROPPED.contains(&name) {
            scope.problems.warning(&node.path, format!("`{name}` is not sent upstream, mapped or not"), None);
        } else {
            self.headers.push((name.to_owned(), expression));
        }
    }

    /// Whether every request has to be answered 500.
    pub fn are_illegal(&self) -> bool {
        self.illegal
    }

    /// Whether a parameter of the URI has a source.
    pub fn fills(&self, name: &str) -> bool {
        self.path.iter().any(|(n, _)| n == name)
    }

    /// The value of a parameter of the URI.
    pub fn uri_value(&self, name: &str, context: &Context, platform: &dyn Platform) -> Option<UriValue> {
        let (_, expression) = self.path.iter().find(|(n, _)| n == name)?;
        let value = expression.values(&Sources::of(context), platform).ok()?.into_iter().next()?;
        match expression {
            // Still encoded, as it was sent.
            Expression::Request(Source::Path(_)) => String::from_utf8(value).ok().map(UriValue::Encoded),
            _ => Some(UriValue::Plain(value)),
        }
    }

    /// The mapped query parameters, encoded; `""` for none.
    pub fn query(&self, context: &Context, platform: &dyn Platform) -> String {
        let pairs = self.query.iter().flat_map(|(name, expression)| {
            let values = expression.values(&Sources::of(context), platform).unwrap_or_default();
            // A path parameter is encoded already, as it was sent.
            let encoded = matches!(expression, Expression::Request(Source::Path(_)));
            let text = move |value: Vec<u8>| match String::from_utf8(value) {
                Ok(text) if encoded => within_a_pair(&text),
                Ok(text) => percent_encode(text.as_bytes()),
                Err(bytes) => percent_encode(bytes.as_bytes()),
            };
            values.into_iter().map(move |value| format!("{}={}", percent_encode(name.as_bytes()), text(value)))
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    /// Puts the mapped headers in the place of the client's.
    pub fn apply_headers(&self, head: &mut RequestHead, context: &Context, platform: &dyn Platform) {
        for (name, expression) in &self.headers {
            let value = expression
                .values(&Sources::of(context), platform)
                .unwrap_or_default()
                .into_iter()
                .next()
                .filter(|value| is_field_value(value));
            match value {
                // Anything but one host would be read as two, or as none.
                Some(value) if name == "host" && is_valid_host(&value) => head.authority = value,
                Some(_) if name == "host" => {}
                Some(value) => head.headers.set(name.as_str(), value),
                // What only the gateway knows of a caller, no client may say in its place.
                None if matches!(expression, Expression::Context(_)) && name != "host" => head.headers.remove(name),
                None => {}
            }
        }
    }
}
