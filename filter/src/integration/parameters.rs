//! `requestParameters`: what a request says in one place goes upstream in another. REST proxies apply them, too, though the
//! documentation says that they pass everything through (recorded: `test_http_proxy_integration_request_data_mappings`). In HTTP
//! APIs the path parameters fill the URI by themselves; all else that is mapped there is in `http_parameters`.

use super::uri::{UriValue, within_a_pair};
use super::{Scope, faults, is_reserved};
use crate::definition::{Node, Protocol};
use crate::gateway_response::Failure;
use crate::http::{RequestHead, is_field_name, is_field_value, is_valid_host, percent_encode};
use crate::mapping::{Expression, InvalidBody, Overrides, Side, Source, Sources};
use crate::platform::Platform;

/// The compiled mappings.
#[derive(Debug, Default)]
pub struct RequestParameters {
    path: Vec<(String, Expression)>,
    query: Vec<(String, Expression)>,
    headers: Vec<(String, Expression)>,
    /// A target that AWS answers 500 for.
    illegal: bool,
    /// In front of AWS.
    aws: bool,
}

/// What the mappings made of one request: headers replace, query values are appended, path values fill the URI.
#[derive(Debug, Default)]
pub struct Mapped {
    path: Vec<(String, UriValue)>,
    /// Encoded, as they stand in a query.
    query: Vec<(String, Vec<String>)>,
    /// No value: whatever the client sent under the name is removed.
    headers: Vec<(String, Vec<Vec<u8>>)>,
    aws: bool,
    /// The path in the place of the URI's, in HTTP APIs.
    whole_path: Option<String>,
}

/// Targets of a header mapping for which AWS answers 500 to every request (recorded).
const ILLEGAL: [&str; 4] = ["content-length", "transfer-encoding", "x-amzn-trace-id", "x-amzn-apigateway-api-id"];

/// And in front of AWS (recorded).
const ILLEGAL_FOR_AWS: [&str; 5] = ["authorization", "connection", "expect", "proxy-authenticate", "te"];

/// Targets that AWS drops without a word (recorded).
const DROPPED: [&str; 5] = ["connection", "expect", "proxy-authenticate", "te", "via"];

fn is_illegal(name: &str, aws: bool) -> bool {
    ILLEGAL.contains(&name) || (aws && ILLEGAL_FOR_AWS.contains(&name))
}

/// assumed(aws-host): AWS is called at the host that the URI names. One made of a request's values would let a client choose the
/// bucket that a signed request reads.
fn is_dropped(name: &str, aws: bool) -> bool {
    DROPPED.contains(&name) || (aws && name == "host")
}

// === impl RequestParameters ===

impl RequestParameters {
    /// Reads the mappings of an integration.
    pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Self {
        let aws = node
            .get("type")
            .is_some_and(|kind| kind.value.as_str().is_some_and(|kind| kind.to_ascii_lowercase().starts_with("aws")));
        let mut parameters = Self { aws, ..Self::default() };
        if scope.protocol == Protocol::Http {
            parameters.path = scope
                .pattern
                .parameters()
                .into_iter()
                .map(|name| (name.clone(), Expression::Request(Source::Path(name))))
                .collect();
            return parameters;
        }
        let Some(mappings) = node.get("requestParameters") else { return parameters };
        for (target, source) in mappings.members(scope.problems) {
            parameters.compile_mapping(target, &source, scope);
        }
        for list in [&mut parameters.path, &mut parameters.query, &mut parameters.headers] {
            list.shrink_to_fit();
        }
        parameters
    }

    fn compile_mapping(&mut self, target: &str, node: &Node<'_>, scope: &mut Scope<'_, '_>) {
        let Some(expression) = Expression::compile(node, Side::Request, scope.problems) else { return };
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
        } else if is_illegal(name, self.aws) {
            self.illegal = true;
            scope.problems.warning(
                &node.path,
                format!("`{name}` must not be mapped: AWS answers every request with 500, and so do we"),
                None,
            );
        } else if is_reserved(name) {
            scope.problems.error(&node.path, format!("`{name}` is the gateway's own and cannot be mapped"), None);
        } else if is_dropped(name, self.aws) {
            scope.problems.warning(&node.path, format!("`{name}` is not sent upstream, mapped or not"), None);
        } else {
            self.headers.push((name.to_owned(), expression));
        }
    }

    /// Whether one of them fails every request.
    pub fn are_illegal(&self) -> bool {
        self.illegal
    }

    /// Whether a parameter of the URI has a source.
    pub fn fills(&self, name: &str) -> bool {
        self.path.iter().any(|(n, _)| n == name)
    }

    /// Whether a part of the request's body is mapped.
    pub fn need_body(&self) -> bool {
        [&self.path, &self.query, &self.headers].into_iter().flatten().any(|(_, expression)| expression.needs_body())
    }

    /// What they make of a request.
    pub fn evaluate(&self, sources: &Sources<'_>, platform: &dyn Platform) -> Result<Mapped, Failure> {
        if self.illegal {
            return Err(Failure::configuration());
        }
        let values =
            |expression: &Expression| expression.values(sources, platform).map_err(|InvalidBody| faults::invalid_json_in_request());
        let mut mapped = Mapped { aws: self.aws, ..Mapped::default() };
        for (name, expression) in &self.path {
            let Some(value) = values(expression)?.into_iter().next() else { continue };
            let value = match expression {
                // Still encoded, as it was sent.
                Expression::Request(Source::Path(_)) => match String::from_utf8(value) {
                    Ok(text) => UriValue::Encoded(text),
                    Err(_) => continue,
                },
                _ => UriValue::Plain(value),
            };
            mapped.path.push((name.clone(), value));
        }
        for (name, expression) in &self.query {
            // A path parameter is encoded already, as it was sent.
            let is_encoded = matches!(expression, Expression::Request(Source::Path(_)));
            let text = |value: Vec<u8>| match String::from_utf8(value) {
                Ok(text) if is_encoded => within_a_pair(&text),
                Ok(text) => percent_encode(text.as_bytes()),
                Err(bytes) => percent_encode(bytes.as_bytes()),
            };
            mapped.query.push((name.clone(), values(expression)?.into_iter().map(text).collect()));
        }
        for (name, expression) in &self.headers {
            let value = values(expression)?.into_iter().next().filter(|value| is_field_value(value));
            // What only the gateway knows of a caller, no client may say in its place.
            if value.is_some() || matches!(expression, Expression::Context(_)) {
                mapped.headers.push((name.clone(), value.into_iter().collect()));
            }
        }
        Ok(mapped)
    }
}

// === impl Mapped ===

impl Mapped {
    /// What a template put in the place of mapped values ("used instead", documented): `$context.requestOverride`.
    pub fn override_with(&mut self, overrides: &Overrides) -> Result<(), Failure> {
        for (name, values) in &overrides.request_path {
            let Some(value) = values.first() else { continue };
            put(&mut self.path, name, UriValue::Plain(value.clone().into_bytes()));
        }
        for (name, values) in &overrides.request_querystring {
            put(&mut self.query, name, values.iter().map(|value| percent_encode(value.as_bytes())).collect());
        }
        for (name, values) in &overrides.request_headers {
            let name = name.to_ascii_lowercase();
            // assumed(override-names): a header that a mapping must not set, a template must not either.
            if is_illegal(&name, self.aws) {
                return Err(Failure::configuration());
            }
            let is_sent = is_field_name(&name) && !is_reserved(&name) && !is_dropped(&name, self.aws);
            if is_sent && values.iter().all(|value| is_field_value(value.as_bytes())) {
                put(&mut self.headers, &name, values.iter().map(|value| value.clone().into_bytes()).collect());
            }
        }
        Ok(())
    }

    /// Puts another path in the place of the URI's.
    pub fn overwrite_path(&mut self, path: Option<&str>) {
        self.whole_path = path.map(str::to_owned);
    }

    /// The path in the place of the URI's.
    pub fn whole_path(&self) -> Option<&str> {
        self.whole_path.as_deref()
    }

    /// A line a value, for people.
    pub fn describe(&self) -> String {
        let mut lines = Vec::new();
        for (name, value) in &self.path {
            let text = match value {
                UriValue::Encoded(text) => text.clone(),
                UriValue::Plain(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            };
            lines.push(format!("path.{name}: {text}"));
        }
        lines.extend(self.query.iter().flat_map(|(name, values)| values.iter().map(move |v| format!("querystring.{name}: {v}"))));
        for (name, values) in &self.headers {
            lines.extend(values.iter().map(|value| format!("header.{name}: {}", String::from_utf8_lossy(value))));
        }
        lines.join("\n")
    }

    /// The value of a parameter of the URI.
    pub fn uri_value(&self, name: &str) -> Option<UriValue> {
        self.path.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    }

    /// The mapped query parameters, encoded; `""` for none.
    pub fn query(&self) -> String {
        let pairs = self
            .query
            .iter()
            .flat_map(|(name, values)| values.iter().map(move |value| format!("{}={value}", percent_encode(name.as_bytes()))));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// Puts the mapped headers in the place of those that are there.
    pub fn apply_headers(&self, head: &mut RequestHead) {
        for (name, values) in &self.headers {
            match values.as_slice() {
                // Anything but one host would be read as two, or as none.
                [value] if name == "host" && is_valid_host(value) => head.authority.clone_from(value),
                _ if name == "host" => {}
                values => {
                    head.headers.remove(name);
                    for value in values {
                        head.headers.append(name.as_str(), value.as_slice());
                    }
                }
            }
        }
    }
}

fn put<T>(entries: &mut Vec<(String, T)>, name: &str, value: T) {
    match entries.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => *old = value,
        None => entries.push((name.to_owned(), value)),
    }
}
