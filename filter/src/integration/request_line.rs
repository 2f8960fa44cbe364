//! Method and target of the request to a backend: the same for HTTP endpoints and for services of AWS.

use super::Scope;
use super::parameters::{Mapped, RequestParameters};
use super::uri::Uri;
use crate::definition::Node;
use crate::gateway_response::Failure;
use crate::http::{CanonicalPath, METHODS};

/// `httpMethod`; none: the client's own.
pub fn compile_method(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Option<&'static str> {
    let methods: Vec<_> = [("ANY", None)].into_iter().chain(METHODS.map(|method| (method, Some(method)))).collect();
    node.get("httpMethod").and_then(|method| method.one_of(&methods, scope.problems)).flatten()
}

/// A parameter of a URI without a source.
pub fn warn_of_unfilled(uri: &Uri, parameters: &RequestParameters, node: &Node<'_>, scope: &mut Scope<'_, '_>) {
    for name in uri.parameters().filter(|name| !parameters.fills(name)) {
        let message = format!("nothing fills `{{{name}}}`: it goes upstream as it stands");
        let help = format!("map it: `integration.request.path.{name}: method.request.path.{name}`");
        scope.problems.warning(&node.path.key("uri"), message, Some(&help));
    }
}

/// A request target: the URI's path with its parameters filled and a path appended, and its own query before others.
pub fn target(uri: &Uri, mapped: &Mapped, appended: &str, client_query: &str) -> Result<Vec<u8>, Failure> {
    let value = |name: &str| mapped.uri_value(name);
    let mut path = match mapped.whole_path() {
        // The path of the URI, and what would go behind it, is not sent at all: assumed(http-overwritten-path).
        Some(path) => path.to_owned(),
        None if appended.is_empty() => uri.path(&value),
        None => [uri.path(&value).trim_end_matches('/'), appended].concat(),
    };
    // A mapped value may have made of it what no client may send. assumed(leading-slashes): two slashes in front, which some
    // would read as a host, are one.
    let canonical = CanonicalPath::parse(path.as_bytes()).map_err(|_| Failure::bad_request())?;
    canonical.path().clone_into(&mut path);
    // The URI's own parameters first, then the client's as they were sent, then the mapped ones (recorded:
    // `test_http_proxy_integration_request_data_mappings`).
    let mut separator = '?';
    for query in [uri.query(&value).as_str(), client_query, &mapped.query()] {
        if !query.is_empty() {
            path.push(separator);
            path.push_str(query);
            separator = '&';
        }
    }
    Ok(path.into_bytes())
}
