//! HTTP_PROXY: the request goes on to an HTTP endpoint through the proxy's own router, bodies stream both ways. AWS: "Set up HTTP
//! integrations in API Gateway" and "Create HTTP integrations for HTTP APIs".

mod headers;
mod parameters;

use super::uri::{Uri, UriValue, with_stage_variables};
use super::{CLUSTER_HEADER, Endpoint, Integration, IntegrationRequest, Scope, TIMEOUT_HEADER};
use crate::authorizer::Authorized;
use crate::context::Context;
use crate::definition::{Node, Protocol, Upstreams};
use crate::gateway_response::Failure;
use crate::http::{RequestHead, ResponseHead};
use crate::platform::Platform;
use parameters::RequestParameters;

/// A compiled HTTP_PROXY integration.
#[derive(Debug)]
pub struct HttpProxy {
    protocol: Protocol,
    /// None: not an endpoint once the stage variables are in; every request is answered 500.
    uri: Option<Uri>,
    /// None: the client's own.
    method: Option<String>,
    target: Target,
    timeout_millis: u64,
    parameters: RequestParameters,
    /// The route is `$default` of an HTTP API: the request's path goes behind the URI's.
    appends_path: bool,
}

/// How the cluster of a request is found.
#[derive(Debug)]
enum Target {
    /// Known when the stage is compiled.
    Cluster(String),
    /// The host is made of parameters: only the hosts of the document are reached.
    ByHost(Upstreams),
}

/// AWS's defaults: 29 s for REST, 30 s for HTTP APIs.
const TIMEOUT_MILLIS: [(Protocol, u64); 2] = [(Protocol::Rest, 29_000), (Protocol::Http, 30_000)];

/// From 50 ms; the 29 s of REST are a quota that AWS raises on request, so the end is only where a typing error is likelier.
const TIMEOUT_RANGE: std::ops::RangeInclusive<u64> = 50..=900_000;

const METHODS: [(&str, Option<&str>); 8] = [
    ("ANY", None),
    ("DELETE", Some("DELETE")),
    ("GET", Some("GET")),
    ("HEAD", Some("HEAD")),
    ("OPTIONS", Some("OPTIONS")),
    ("PATCH", Some("PATCH")),
    ("POST", Some("POST")),
    ("PUT", Some("PUT")),
];

// === impl HttpProxy ===

impl HttpProxy {
    /// Reads an integration of type `http_proxy`.
    pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Box<dyn Integration> {
        check_settings(node, scope);
        let default_timeout = TIMEOUT_MILLIS.iter().find(|(protocol, _)| *protocol == scope.protocol).map_or(29_000, |(_, t)| *t);
        let timeout = node.get("timeoutInMillis").and_then(|timeout| timeout.integer(TIMEOUT_RANGE, scope.problems));
        let method = node.get("httpMethod").and_then(|method| method.one_of(&METHODS, scope.problems)).flatten();
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
            target: compile_target(node, uri.as_ref(), scope),
            uri,
            method: method.map(str::to_owned),
            timeout_millis: timeout.unwrap_or(default_timeout),
            parameters,
            appends_path: scope.operation.key == crate::definition::OperationKey::Default,
        })
    }

    fn target_of(&self, uri: &Uri, context: &Context, platform: &dyn Platform) -> Option<(String, String, String)> {
        let value = |name: &str| -> Option<UriValue> { self.parameters.uri_value(name, context, platform) };
        let authority = uri.authority(&value)?;
        let cluster = match &self.target {
            Target::Cluster(cluster) => cluster.clone(),
            Target::ByHost(upstreams) => upstreams.get(&authority)?.clone(),
        };
        let mut path = uri.path(&value);
        if self.appends_path {
            path = format!("{}{}", path.trim_end_matches('/'), context.stage_path);
        }
        // The URI's own parameters first, then the client's as they were sent, then the mapped ones (recorded:
        // `test_http_proxy_integration_request_data_mappings`).
        let client = context.path.as_ref().and_then(|target| target.query()).unwrap_or_default();
        let queries = [uri.query(&value), client.to_owned(), self.parameters.query(context, platform)];
        let query = queries.into_iter().filter(|query| !query.is_empty()).collect::<Vec<_>>().join("&");
        if !query.is_empty() {
            path = format!("{path}?{query}");
        }
        Some((cluster, authority, path))
    }
}

/// Settings that a proxy integration takes and does nothing with, told so that nobody waits for their effect, and those that it
/// cannot have.
fn check_settings(node: &Node<'_>, scope: &mut Scope<'_, '_>) {
    for (key, why) in [
        ("requestTemplates", "a proxy integration passes the body through"),
        ("credentials", "an HTTP endpoint takes no AWS credentials"),
        ("tlsConfig", "TLS towards an upstream is its cluster's matter"),
    ] {
        if let Some(setting) = node.get(key).filter(|setting| setting.value.as_object().is_none_or(|members| !members.is_empty())) {
            scope.problems.warning(&setting.path, format!("`{key}` has no effect: {why}"), None);
        }
    }
    if let Some(subtype) = node.get("integrationSubtype") {
        scope.problems.error(&subtype.path, "`integrationSubtype` is for integrations of type aws_proxy", None);
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
    let compiled = Uri::compile(text, scope.variables).ok();
    if compiled.is_none() {
        // AWS's own words for it.
        let message = format!("invalid HTTP endpoint specified for URI: `{}`", with_stage_variables(text, scope.variables));
        if text.contains("${stageVariables.") {
            // A stage without the variable is deployed, and answers 500 (recorded).
            scope.problems.warning(&uri.path, format!("{message}; every request is answered 500"), Some("set the stage variable"));
        } else {
            scope.problems.error(&uri.path, message, Some("write `http://HOST/PATH` or `https://HOST/PATH`"));
        }
    }
    compiled
}

fn compile_target(node: &Node<'_>, uri: Option<&Uri>, scope: &mut Scope<'_, '_>) -> Target {
    if let Some(target) = node.get("integrationTarget") {
        // Which load balancer stands behind the link: the upstream's matter, but no template may be left in it.
        target.string(scope.problems);
    }
    let private = node
        .get("connectionType")
        .and_then(|kind| kind.one_of(&[("INTERNET", false), ("VPC_LINK", true)], scope.problems))
        .unwrap_or(false);
    let link = if private { compile_link(node, scope) } else { None };
    let nowhere = Target::ByHost(Upstreams::new());
    let Some(uri) = uri else { return nowhere };
    let (scheme, authority) = (uri.scheme.clone(), uri.static_authority());
    match (link, authority) {
        (Some((place, name)), authority) => {
            Target::Cluster(scope.cluster(Endpoint { name, scheme, authority: authority.unwrap_or_default() }, &place))
        }
        (None, _) if private => nowhere,
        (None, Some(name)) => {
            let place = node.get("uri").unwrap_or_else(|| node.clone());
            Target::Cluster(scope.cluster(Endpoint { authority: name.clone(), name, scheme }, &place))
        }
        (None, None) => Target::ByHost(scope.upstreams.clone()),
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

    fn request(&self, authorized: &Authorized, platform: &dyn Platform) -> Result<IntegrationRequest, Failure> {
        let context = authorized.context();
        let uri = self.uri.as_ref().ok_or_else(Failure::configuration)?;
        if self.parameters.are_illegal() {
            return Err(Failure::configuration());
        }
        let (cluster, authority, path) = self.target_of(uri, context, platform).ok_or_else(Failure::configuration)?;
        let mut head = RequestHead {
            method: self.method.clone().unwrap_or_else(|| context.request.method.clone()),
            path: path.into_bytes(),
            authority: authority.into_bytes(),
            scheme: context.request.scheme.clone(),
            headers: headers::upstream_request(self.protocol, context, platform),
        };
        self.parameters.apply_headers(&mut head, context, platform);
        head.headers.set(CLUSTER_HEADER, cluster);
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
