//! HTTP_PROXY: the request goes on to an HTTP endpoint through the proxy's own router, bodies stream both ways. AWS: "Set up HTTP
//! integrations in API Gateway" and "Create HTTP integrations for HTTP APIs".

mod headers;

pub use headers::client_response;

use super::backend::{self, Backend};
use super::parameters::RequestParameters;
use super::{CLUSTER_HEADER, Integration, IntegrationRequest, Scope, TIMEOUT_HEADER};
use crate::context::Context;
use crate::definition::{Node, OperationKey, Protocol};
use crate::gateway_response::Failure;
use crate::http::{CanonicalPath, RequestHead, ResponseHead};
use crate::mapping::Sources;
use crate::platform::{Platform, Section};
use crate::usage::Admitted;

/// A compiled HTTP_PROXY integration.
#[derive(Debug)]
pub struct HttpProxy {
    protocol: Protocol,
    backend: Backend,
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
        let parameters = RequestParameters::compile(node, scope);
        Box::new(Self {
            protocol: scope.protocol,
            backend: Backend::compile(node, &parameters, scope),
            parameters,
            appends_path: scope.operation.key == OperationKey::Default,
        })
    }
}

/// Settings that a proxy integration cannot have, or does nothing with.
fn check_settings(node: &Node<'_>, scope: &mut Scope<'_, '_>) {
    backend::check_settings(node, scope);
    scope.warn_of_no_effect(node, &[("requestTemplates", "a proxy integration passes the body through")]);
    for (_, response) in node.get("responses").map(|responses| responses.members(scope.problems)).unwrap_or_default() {
        response.only(&["statusCode", "responseParameters", "responseTemplates", "contentHandling"], scope.problems);
        let why = "a proxy integration passes the response through";
        scope.warn_of_no_effect(&response, &[("responseParameters", why), ("responseTemplates", why), ("contentHandling", why)]);
    }
    for (key, what) in [("contentHandling", "content handling"), ("responseParameters", "parameter mapping of responses")] {
        if let Some(setting) = node.get(key) {
            scope.problems.error(&setting.path, format!("not served yet: {what}"), None);
        }
    }
}

impl Integration for HttpProxy {
    fn needs_body(&self, _: &Context) -> bool {
        self.parameters.need_body()
    }

    fn request(&self, admitted: &Admitted, platform: &dyn Platform) -> Result<IntegrationRequest, Failure> {
        let context = admitted.context();
        let uri = self.backend.uri()?;
        let body = if self.parameters.need_body() { platform.request_body() } else { Vec::new() };
        let mapped = self.parameters.evaluate(&Sources::of(context).with_body(&body), platform)?;
        platform.note(Section::IntegrationRequest, "parameters", &|| mapped.describe());
        let appended = if self.appends_path { context.stage_path.as_str() } else { "" };
        let client_query = context.path.as_ref().and_then(CanonicalPath::query).unwrap_or_default();
        let mut head = RequestHead {
            method: self.backend.method.unwrap_or(&context.request.method).to_owned(),
            path: self.backend.target(&mapped, appended, client_query)?,
            authority: uri.authority.clone().into_bytes(),
            scheme: context.request.scheme.clone(),
            headers: headers::upstream_request(self.protocol, context, platform),
        };
        mapped.apply_headers(&mut head);
        head.headers.set(CLUSTER_HEADER, self.backend.cluster.as_str());
        head.headers.set(TIMEOUT_HEADER, self.backend.timeout_millis.to_string());
        Ok(IntegrationRequest::Forward(head))
    }

    fn response(&self, context: &Context, head: ResponseHead) -> ResponseHead {
        let mut head = headers::client_response(self.protocol, head);
        let upstream_got_head = self.backend.method.unwrap_or(&context.request.method) == "HEAD";
        if upstream_got_head && !context.client_sent_head {
            // The length of a body that never comes.
            head.headers.remove("content-length");
        }
        head
    }

    fn summary(&self) -> String {
        format!("HTTP_PROXY {}", self.backend)
    }
}
