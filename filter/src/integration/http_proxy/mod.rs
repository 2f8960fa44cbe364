//! HTTP_PROXY: the request goes on to an HTTP endpoint through the proxy's own router, bodies stream both ways. AWS: "Set up HTTP
//! integrations in API Gateway" and "Create HTTP integrations for HTTP APIs".

mod headers;
mod parameters;

use super::uri::{InvalidUri, Uri, UriValue, with_stage_variables};
use super::{CLUSTER_HEADER, Integration, IntegrationRequest, Scope, TIMEOUT_HEADER, TIMEOUT_MILLIS};
use crate::context::Context;
use crate::definition::{Endpoint, Node, OperationKey, Protocol};
use crate::gateway_response::Failure;
use crate::http::{CanonicalPath, METHODS, RequestHead, ResponseHead};
use crate::platform::Platform;
use crate::usage::Admitted;
use parameters::RequestParameters;

/// A compiled HTTP_PROXY integration.
#[derive(Debug)]
pub struct HttpProxy {
    protocol: Protocol,
    /// None: not an endpoint once the stage variables are in; every request is answered 500.
    uri: Option<Uri>,
    /// None: the client's own.
    method: Option<String>,
    /// Where the host is.
    cluster: String,
    timeout_millis: u64,
    parameters: RequestParameters,
    /// The route is `$default` of an HTTP API: the request's path goes behind the URI's. assumed(private-path): without the stage
    /// for a private integration too, which AWS names by an ARN and sends the stage.
    appends_path: bool,
}

// === impl HttpProxy ===

impl HttpProxy {
    /// Reads an integration of type `http_proxy`.
    pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Box<dyn Integration> {
        check_settings(node, scope);
        let timeout = node.get("timeoutInMillis").and_then(|timeout| timeout.integer(TIMEOUT_MILLIS, scope.problems));
        // AWS's defaults.
        let default_timeout = if scope.protocol == Protocol::Rest { 29_000 } else { 30_000 };
        let methods: Vec<_> = [("ANY", None)].into_iter().chain(METHODS.map(|method| (method, Some(method)))).collect();
        let method = node.get("httpMethod").and_then(|method| method.one_of(&methods, scope.problems)).flatten();
        let uri = compile_uri(node, scope);
        let parameters = RequestParameters::compile(node, scope);
        if let Some(uri) = &uri {
            for name in uri.parameters().filter(|name| !parameters.fills(name)) {
                let message = format!("nothing fills `{{{name}}}`: it goes upstream as it stands");
                let help = format!("map it: `integration.request.path.{name}: method.request.path.{name}`");
                scope.problems.warning(&node.path.key("uri"), message, Some(&help));
            }
        }
        Box::new(Self {
            protocol: scope.protocol,
            cluster: compile_cluster(node, uri.as_ref(), scope),
            uri,
            method: method.map(str::to_owned),
            timeout_millis: timeout.unwrap_or(default_timeout),
            parameters,
            appends_path: scope.operation.key == OperationKey::Default,
        })
    }

    /// The request target upstream.
    fn path(&self, uri: &Uri, context: &Context, platform: &dyn Platform) -> Result<Vec<u8>, Failure> {
        let value = |name: &str| -> Option<UriValue> { self.parameters.uri_value(name, context, platform) };
        let mut path = uri.path(&value);
        if self.appends_path {
            path = format!("{}{}", path.trim_end_matches('/'), context.stage_path);
        }
        // A mapped value may have made of it what no client may send. assumed(leading-slashes): two slashes in front, which some
        // would read as a host, are one.
        let canonical = CanonicalPath::parse(path.as_bytes()).map_err(|_| Failure::bad_request())?;
        canonical.path().clone_into(&mut path);
        // The URI's own parameters first, then the client's as they were sent, then the mapped ones (recorded:
        // `test_http_proxy_integration_request_data_mappings`).
        let client = context.path.as_ref().and_then(CanonicalPath::query).unwrap_or_default();
        let queries = [uri.query(&value), client.to_owned(), self.parameters.query(context, platform)];
        let query = queries.into_iter().filter(|query| !query.is_empty()).collect::<Vec<_>>().join("&");
        if !query.is_empty() {
            path = format!("{path}?{query}");
        }
        Ok(path.into_bytes())
    }
}

/// Settings that a proxy integration cannot have, or does nothing with.
fn check_settings(node: &Node<'_>, scope: &mut Scope<'_, '_>) {
    let no_effect = [
        ("requestTemplates", "a proxy integration passes the body through"),
        ("credentials", "an HTTP endpoint takes no AWS credentials"),
        ("tlsConfig", "TLS towards an upstream is its cluster's matter"),
        ("integrationTarget", "which load balancer stands behind a VPC link is its cluster's matter"),
    ];
    scope.warn_of_no_effect(node, &no_effect);
    for (_, response) in node.get("responses").map(|responses| responses.members(scope.problems)).unwrap_or_default() {
        response.only(&["statusCode", "responseParameters", "responseTemplates", "contentHandling"], scope.problems);
        let why = "a proxy integration passes the response through";
        scope.warn_of_no_effect(&response, &[("responseParameters", why), ("responseTemplates", why), ("contentHandling", why)]);
    }
    if let Some(subtype) = node.get("integrationSubtype") {
        scope.problems.error(&subtype.path, "`integrationSubtype` is for integrations of type aws_proxy", None);
    }
    if let Some(version) = node.get("payloadFormatVersion") {
        version.one_of(&[("1.0", ())], scope.problems);
    }
    for (key, what) in [("contentHandling", "content handling"), ("responseParameters", "parameter mapping of responses")] {
        if let Some(setting) = node.get(key) {
            scope.problems.error(&setting.path, format!("not served yet: {what}"), None);
        }
    }
}

fn compile_uri(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Option<Uri> {
    let Some(uri) = node.get("uri") else {
        scope.problems.error(&node.path, "no `uri`", Some("an HTTP_PROXY integration names its endpoint: `uri: https://…`"));
        return None;
    };
    let text = uri.string(scope.problems)?;
    if text.starts_with("arn:") {
        scope.problems.error(
            &uri.path,
            "not served yet: a private integration named by an ARN",
            Some("name the endpoint by its URL"),
        );
        return None;
    }
    match Uri::compile(text, scope.variables) {
        Ok(compiled) => {
            // With every parameter filled by a letter: what is wrong then is wrong for every request.
            if CanonicalPath::parse(compiled.path(&|_| Some(UriValue::Plain(b"x".to_vec()))).as_bytes()).is_err() {
                let help = "no dot segments and no `%` that encodes nothing";
                scope.problems.error(&uri.path, "a path that can be read in two ways is never sent upstream", Some(help));
            }
            return Some(compiled);
        }
        Err(InvalidUri::ParameterInHost) => {
            let help = "name the host, or take it from a stage variable";
            scope.problems.error(&uri.path, "not served: a host that is made of a request's values", Some(help));
        }
        Err(InvalidUri::NoEndpoint) => {
            // AWS's own words for it.
            let message = format!("invalid HTTP endpoint specified for URI: `{}`", with_stage_variables(text, scope.variables));
            if text.contains("${stageVariables.") {
                // A stage without the variable is deployed, and answers 500 (recorded).
                let message = format!("{message}; every request is answered 500");
                scope.problems.warning(&uri.path, message, Some("set the stage variable"));
            } else {
                scope.problems.error(&uri.path, message, Some("write `http://HOST/PATH` or `https://HOST/PATH`"));
            }
        }
    }
    None
}

/// The cluster of the integration's host, or of its VPC link; none where there is no endpoint, and then nothing is ever sent.
fn compile_cluster(node: &Node<'_>, uri: Option<&Uri>, scope: &mut Scope<'_, '_>) -> String {
    let kinds = [("INTERNET", false), ("VPC_LINK", true)];
    let private = node.get("connectionType").and_then(|kind| kind.one_of(&kinds, scope.problems)).unwrap_or(false);
    if !private {
        scope.warn_of_no_effect(node, &[("connectionId", "only `connectionType: VPC_LINK` has a link")]);
    }
    let link = if private { compile_link(node, scope) } else { None };
    let Some(uri) = uri else { return String::new() };
    let (scheme, authority) = (uri.scheme.clone(), uri.authority.clone());
    match link {
        Some((place, name)) => scope.cluster(Endpoint { name, scheme, authority }, &place),
        None if private => String::new(),
        None => {
            let place = node.get("uri").unwrap_or_else(|| node.clone());
            scope.cluster(Endpoint { name: authority.clone(), scheme, authority }, &place)
        }
    }
}

/// The VPC link of a private integration: an upstream of the document, by the link's id.
fn compile_link<'a>(node: &Node<'a>, scope: &mut Scope<'_, '_>) -> Option<(Node<'a>, String)> {
    let Some(link) = node.get("connectionId") else {
        let help = "a VPC link is an upstream of the document, named by `connectionId`";
        scope.problems.error(&node.path, "no `connectionId` for the VPC link", Some(help));
        return None;
    };
    let name = with_stage_variables(link.string(scope.problems)?, scope.variables).to_ascii_lowercase();
    Some((link, name))
}

impl Integration for HttpProxy {
    fn needs_body(&self, _: &Context) -> bool {
        false
    }

    fn request(&self, admitted: &Admitted, platform: &dyn Platform) -> Result<IntegrationRequest, Failure> {
        let context = admitted.context();
        let uri = self.uri.as_ref().ok_or_else(Failure::configuration)?;
        if self.parameters.are_illegal() {
            return Err(Failure::configuration());
        }
        let mut head = RequestHead {
            method: self.method.clone().unwrap_or_else(|| context.request.method.clone()),
            path: self.path(uri, context, platform)?,
            authority: uri.authority.clone().into_bytes(),
            scheme: context.request.scheme.clone(),
            headers: headers::upstream_request(self.protocol, context, platform),
        };
        self.parameters.apply_headers(&mut head, context, platform);
        head.headers.set(CLUSTER_HEADER, self.cluster.as_str());
        head.headers.set(TIMEOUT_HEADER, self.timeout_millis.to_string());
        Ok(IntegrationRequest::Forward(head))
    }

    fn response(&self, context: &Context, head: ResponseHead) -> ResponseHead {
        let mut head = headers::client_response(self.protocol, head);
        let upstream_got_head = self.method.as_ref().unwrap_or(&context.request.method) == "HEAD";
        if upstream_got_head && !context.client_sent_head {
            // The length of a body that never comes.
            head.headers.remove("content-length");
        }
        head
    }

    fn summary(&self) -> String {
        let uri = self.uri.as_ref().map_or_else(|| "(no endpoint)".to_owned(), ToString::to_string);
        match &self.method {
            Some(method) => format!("HTTP_PROXY {method} {uri}"),
            None => format!("HTTP_PROXY {uri}"),
        }
    }
}
