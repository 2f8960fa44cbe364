//! What is known of one request: the request itself, where it was routed, and everything that `$context`, `$stageVariables` and
//! `method.request` can name. Templates, parameter mappings, gateway responses and logs all read it here.

use crate::definition::Protocol;
use crate::http::{CanonicalPath, Headers, Query, RequestHead, strip_port};
use crate::platform::Platform;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

mod api_key;
mod authorizer;
mod ids;
mod outgoing;
mod rate_limit;
mod time;
mod trace;

pub use api_key::ApiKeyFacts;
pub use authorizer::{AuthorizerFacts, CallerFacts};
pub use ids::Ids;
pub use outgoing::gateway_headers;
pub use rate_limit::RateLimitFacts;
pub use time::rfc3339;
pub use trace::TRACE_HEADER;

/// Client headers that no mapping, template or backend ever sees (recorded: `TestApiGatewayHeaderRemapping`, blank even in
/// `$input.params`).
pub const HIDDEN_HEADERS: [&str; 12] = [
    "connection",
    "content-length",
    "content-md5",
    "expect",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
];

/// The header that is the method of a request to a REST API.
pub const METHOD_OVERRIDE: &str = "x-http-method-override";

/// What stands under `identity` in events and templates, whether it is known or not.
pub const IDENTITY: [&str; 12] = [
    "cognitoIdentityPoolId",
    "accountId",
    "cognitoIdentityId",
    "caller",
    "sourceIp",
    "principalOrgId",
    "accessKey",
    "cognitoAuthenticationType",
    "cognitoAuthenticationProvider",
    "userArn",
    "userAgent",
    "user",
];

/// What stands there only when it is known.
pub const IDENTITY_IF_KNOWN: [&str; 2] = ["apiKey", "apiKeyId"];

/// The names of `$context`, without `$context.`, that AWS documents for REST and HTTP APIs; those that end in a dot begin a family.
/// AWS: "API Gateway mapping template and access logging variable reference".
const VARIABLES: [&str; 28] = [
    "accountId",
    "apiId",
    "authorizer.",
    "awsEndpointRequestId",
    "deploymentId",
    "domainName",
    "domainPrefix",
    "error.message",
    "error.messageString",
    "error.responseType",
    "error.validationErrorString",
    "extendedRequestId",
    "httpMethod",
    "identity.",
    "isCanaryRequest",
    "path",
    "protocol",
    "requestId",
    "requestOverride.",
    "requestTime",
    "requestTimeEpoch",
    "resourceId",
    "resourcePath",
    "responseOverride.",
    "routeKey",
    "stage",
    "wafResponseCode",
    "webaclArn",
];

/// Whether `$context` has a variable of that name; not every request has a value for it.
pub fn is_variable(name: &str) -> bool {
    VARIABLES.iter().any(|known| if known.ends_with('.') { name.starts_with(known) } else { *known == name })
}

/// An API and one of its stages, as `$context` names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageFacts {
    /// `$context.apiId`
    pub api_id: String,
    /// `$context.accountId`
    pub account_id: String,
    /// `$context.deploymentId`: stable for the same stage of the same API.
    pub deployment_id: String,
    /// Of the ARNs.
    pub region: String,
    /// `$context.stage`
    pub stage: String,
    /// `$stageVariables`
    pub variables: BTreeMap<String, String>,
}

/// The route that a request found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteFacts {
    /// `$context.resourcePath`: `/pets/{id}`
    pub resource_path: String,
    /// `$context.routeKey`: `GET /pets/{id}`
    pub route_key: String,
    /// `$context.resourceId`: stable for the same resource of the same API.
    pub resource_id: String,
}

/// What went wrong: `$context.error`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorFacts {
    /// `$context.error.message`
    pub message: Option<String>,
    /// `$context.error.responseType`
    pub response_type: &'static str,
    /// `$context.error.validationErrorString`, before it is escaped
    pub validation_error: Option<String>,
}

/// One request and what is known of it so far.
#[derive(Debug, Clone)]
pub struct Context {
    /// Which product's rules it follows; REST's until a stage says otherwise.
    pub protocol: Protocol,
    /// The ids given to it.
    pub ids: Ids,
    /// The head as the client sent it, without the headers that only the gateway may set.
    pub request: RequestHead,
    /// Whether the client's own method was HEAD, whatever the route made of it: such an answer has no body.
    pub client_sent_head: bool,
    /// The target; none when it was refused.
    pub path: Option<CanonicalPath>,
    /// The stage; none when no stage is served there.
    pub stage: Option<Arc<StageFacts>>,
    /// The path below the stage, as routed: `/pets/3/`
    pub stage_path: String,
    /// The route; none when there is none.
    pub route: Option<Arc<RouteFacts>>,
    /// Names and values, encoded as they were sent.
    pub path_parameters: Vec<(String, String)>,
    /// What an authorizer said, once one did.
    pub authorizer: AuthorizerFacts,
    /// The API key that let it in, where one did.
    pub api_key: Option<ApiKeyFacts>,
    /// What a rate limit service said of it, where the client is to be told.
    pub rate_limit: Option<RateLimitFacts>,
    /// What went wrong, once something did.
    pub error: Option<ErrorFacts>,
    query: OnceCell<Query>,
    received: OnceCell<u64>,
    source_ip: OnceCell<Option<String>>,
}

// === impl Context ===

impl Context {
    /// What is known when only the head is there.
    pub fn new(ids: Ids, request: RequestHead) -> Self {
        let path = CanonicalPath::parse(&request.path).ok();
        Self {
            protocol: Protocol::Rest,
            ids,
            client_sent_head: request.method == "HEAD",
            request,
            path,
            stage: None,
            stage_path: String::new(),
            route: None,
            path_parameters: Vec::new(),
            authorizer: AuthorizerFacts::default(),
            api_key: None,
            rate_limit: None,
            error: None,
            query: OnceCell::new(),
            received: OnceCell::new(),
            source_ip: OnceCell::new(),
        }
    }

    /// The same with another request in the place of the client's; `None` for a target that is none. Another path is one below the
    /// stage.
    pub fn with_request(&self, request: RequestHead) -> Option<Self> {
        let path = CanonicalPath::parse(&request.path).ok()?;
        let is_same = self.path.as_ref().is_some_and(|old| old.path() == path.path());
        let stage_path = if is_same { self.stage_path.clone() } else { path.path().to_owned() };
        Some(Self { request, path: Some(path), stage_path, query: OnceCell::new(), ..self.clone() })
    }

    /// The client's header fields.
    pub fn headers(&self) -> &Headers {
        &self.request.headers
    }

    /// The values of a client's header as mappings and templates see them: `Host` too, and none of what API Gateway hides.
    pub fn mapped_header<'a>(&'a self, name: &str) -> Vec<&'a [u8]> {
        if name.eq_ignore_ascii_case("host") {
            return vec![&self.request.authority];
        }
        if HIDDEN_HEADERS.iter().any(|hidden| hidden.eq_ignore_ascii_case(name)) {
            return Vec::new();
        }
        self.headers().get_all(name).collect()
    }

    /// The query, decoded once something asks for it, which most requests never do.
    pub fn query(&self) -> &Query {
        self.query.get_or_init(|| self.path.as_ref().and_then(CanonicalPath::query).map(Query::parse).unwrap_or_default())
    }

    /// When it came, in milliseconds since 1970: the moment at which somebody first asks, and the same for all who ask then. The trace
    /// has it, for the backend and for the client.
    pub fn received_millis(&self, platform: &dyn Platform) -> u64 {
        *self.received.get_or_init(|| platform.now_millis())
    }

    /// A path parameter, as it was sent.
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path_parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A stage variable.
    pub fn stage_variable(&self, name: &str) -> Option<&str> {
        self.stage.as_ref()?.variables.get(name).map(String::as_str)
    }

    /// The Host header as text.
    pub fn host(&self) -> String {
        String::from_utf8_lossy(&self.request.authority).into_owned()
    }

    /// A `$context` variable by its name without `$context.`; none when it is not set.
    ///
    /// AWS: "API Gateway mapping template and access logging variable reference".
    pub fn variable(&self, name: &str, platform: &dyn Platform) -> Option<String> {
        let stage = self.stage.as_deref();
        let route = self.route.as_deref();
        let error = self.error.as_ref();
        let text = |header: &str| self.headers().last(header).map(|value| String::from_utf8_lossy(value).into_owned());
        match name {
            "accountId" => stage.map(|s| s.account_id.clone()),
            "apiId" => stage.map(|s| s.api_id.clone()),
            "deploymentId" => stage.map(|s| s.deployment_id.clone()),
            "stage" => stage.map(|s| s.stage.clone()),
            "domainName" => Some(strip_port(&self.host()).to_owned()),
            "domainPrefix" => strip_port(&self.host()).split('.').next().map(str::to_owned),
            "httpMethod" => Some(self.request.method.clone()),
            "path" => self.path.as_ref().map(|path| path.path().to_owned()),
            // Envoy says no version of HTTP in its headers; API Gateway's own endpoints speak this one to integrations.
            "protocol" => Some("HTTP/1.1".to_owned()),
            "requestId" => Some(self.ids.request_id()),
            "extendedRequestId" => Some(self.ids.extended_request_id()),
            "requestTime" => Some(time::common_log(self.received_millis(platform))),
            "requestTimeEpoch" => Some(self.received_millis(platform).to_string()),
            "resourceId" => route.map(|r| r.resource_id.clone()),
            "resourcePath" => route.map(|r| r.resource_path.clone()),
            "routeKey" => route.map(|r| r.route_key.clone()),
            "identity.sourceIp" => self.source_ip.get_or_init(|| source_ip(platform)).clone(),
            "identity.userAgent" => text("user-agent"),
            "identity.apiKey" => self.api_key.as_ref().map(|key| key.value.clone()),
            "identity.apiKeyId" => self.api_key.as_ref().map(|key| key.id.clone()),
            "error.message" => error.and_then(|e| e.message.clone()),
            // JSON text: the message in its quotes, or `null`.
            "error.messageString" => error.map(|e| serde_json::Value::from(e.message.clone()).to_string()),
            // Ready to stand between the quotes of a JSON text, assumed(validation-error-escaped): templates write it so, and their
            // answers are read as JSON (seen in tests of APIs on AWS).
            "error.validationErrorString" => error.and_then(|e| e.validation_error.as_deref()).map(json_escaped),
            "error.responseType" => error.map(|e| e.response_type.to_owned()),
            _ => match name.split_once('.') {
                Some(("authorizer", name)) => self.authorizer.variable(name),
                Some(("identity", name)) => self.authorizer.caller.as_ref().and_then(|caller| caller.variable(name)),
                _ => None,
            },
        }
    }
}

/// A text as it stands between the quotes of a JSON string.
fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned()
}

/// The client's address without its port.
pub fn source_ip(platform: &dyn Platform) -> Option<String> {
    let address = platform.source_address()?;
    let ip = address.rsplit_once(':').map_or(address.as_str(), |(ip, _)| ip);
    Some(ip.trim_matches(['[', ']']).to_owned())
}
