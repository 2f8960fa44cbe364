//! The only place where a failure becomes status, headers and body.
//!
//! AWS: "Gateway response types for API Gateway", "Use gateway responses in REST APIs". HTTP APIs have fixed bodies and no
//! customization.

mod customization;
mod table;

pub use customization::GatewayResponses;
pub use table::{DefaultResponse, Evidence, ResponseType, evidence_table};

use crate::context::{Context, ErrorFacts};
use crate::definition::Protocol;
use crate::http::{Headers, MediaType, Response, ResponseHead, is_field_value};
use crate::mapping::substitute;
use crate::platform::Platform;
use customization::Customization;
use serde_json::json;

/// Why a request gets no answer from its integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    response_type: ResponseType,
    status: Option<u16>,
    message: Option<String>,
    error_type: Option<&'static str>,
    challenge: Option<String>,
    validation_error: Option<String>,
}

// === impl Failure ===

impl Failure {
    /// A failure with its type's own status and message.
    pub fn new(response_type: ResponseType) -> Self {
        Self { response_type, status: None, message: None, error_type: None, challenge: None, validation_error: None }
    }

    /// The same with a message of its own.
    #[must_use]
    pub fn saying(self, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..self }
    }

    /// The same with a status of its own.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// The same with an error type of its own.
    #[must_use]
    pub fn typed(self, error_type: &'static str) -> Self {
        Self { error_type: Some(error_type), ..self }
    }

    /// The same with a `www-authenticate` header.
    #[must_use]
    pub fn challenging(self, challenge: impl Into<String>) -> Self {
        Self { challenge: Some(challenge.into()), ..self }
    }

    /// What failed, for people.
    pub fn describe(&self) -> String {
        let message = self.message.as_deref().or(self.response_type.default().message).unwrap_or("null");
        let found = self.validation_error.as_ref().map(|found| format!(": {found}")).unwrap_or_default();
        format!("{}: {message}{found}", self.response_type.as_str())
    }

    /// The same with what a validator found: `$context.error.validationErrorString`.
    #[must_use]
    pub fn finding(self, validation_error: impl Into<String>) -> Self {
        Self { validation_error: Some(validation_error.into()), ..self }
    }

    /// The definition led into a dead end: 500 `Internal server error` (recorded: `test_import_with_stage_variables`).
    pub fn configuration() -> Self {
        Self::new(ResponseType::ApiConfigurationError)
    }

    /// A target or a host that two readers would read differently: 400.
    pub fn bad_request() -> Self {
        // assumed(front-end-400): AWS's front end refuses such requests before any API is found, with an answer of its own.
        Self { status: Some(400), message: Some("Bad Request".to_owned()), ..Self::new(ResponseType::Default4xx) }
    }

    /// No stage is served at this host and path: 403 `Forbidden` on a custom domain (documented for a path without a mapping)
    /// and on the endpoint of REST APIs, 404 on that of HTTP APIs.
    pub fn no_stage(protocol: Protocol, custom_domain: bool) -> Self {
        if protocol == Protocol::Http && !custom_domain {
            return Self::new(ResponseType::MissingAuthenticationToken);
        }
        // assumed(no-stage): the response type, and that REST endpoints say the same as custom domains.
        Self {
            status: Some(403),
            message: Some("Forbidden".to_owned()),
            error_type: Some("ForbiddenException"),
            ..Self::new(ResponseType::Default4xx)
        }
    }

    /// No route, and an `Authorization` header that is no AWS signature: REST APIs try to read one (seen in access logs of
    /// DataBiosphere/azul, issue 7470; the wording changed over the years).
    pub fn unreadable_signature(authorization: &[u8]) -> Self {
        let header = String::from_utf8_lossy(authorization);
        Self {
            status: Some(403),
            message: Some(format!("Invalid key=value pair (missing equal-sign) in Authorization header: '{header}'.")),
            error_type: Some("IncompleteSignatureException"),
            ..Self::new(ResponseType::Default4xx)
        }
    }
}

/// The answer to a failed request.
pub fn answer(failure: &Failure, responses: &GatewayResponses, context: &mut Context, platform: &dyn Platform) -> Response {
    match context.protocol {
        Protocol::Rest => rest(failure, responses, context, platform),
        Protocol::Http => http(failure, context),
    }
}

fn rest(failure: &Failure, responses: &GatewayResponses, context: &mut Context, platform: &dyn Platform) -> Response {
    let default = failure.response_type.default();
    let own_status = failure.status.or(default.status).unwrap_or(500);
    let message = failure.message.clone().or_else(|| default.message.map(str::to_owned));
    let validation_error = failure.validation_error.clone();
    context.error = Some(ErrorFacts { message, response_type: failure.response_type.as_str(), validation_error });

    let custom = responses.of(failure.response_type, own_status);
    let (media_type, body) = match custom.and_then(|c| c.template(context)) {
        Some((media_type, template)) => (media_type, substitute(template, context, platform)),
        None => (MediaType::JSON, default_body(failure.response_type, context)),
    };
    let mut headers = Headers::new();
    headers.append("content-type", media_type);
    // assumed(error-type-survives): customization keeps the error type, by an emulator's unit test.
    headers.append("x-amzn-errortype", failure.error_type.unwrap_or(default.error_type));
    if let Some(challenge) = &failure.challenge {
        headers.append("www-authenticate", challenge.as_str());
    }
    for (name, value) in custom.into_iter().flat_map(|c| c.headers(context, platform)) {
        if is_field_value(&value) {
            headers.set(name, value);
        }
    }
    let status = custom.and_then(Customization::status).unwrap_or(own_status);
    Response { head: ResponseHead { status, headers }, body: body.into_bytes() }
}

/// `{"message":$context.error.messageString}`; `ACCESS_DENIED` spells its key with a capital:
/// assumed(access-denied-key), an emulator's test.
fn default_body(response_type: ResponseType, context: &Context) -> String {
    let message = context.error.as_ref().and_then(|error| error.message.clone());
    match response_type {
        ResponseType::AccessDenied => json!({ "Message": message }).to_string(),
        _ => json!({ "message": message }).to_string(),
    }
}

fn http(failure: &Failure, context: &mut Context) -> Response {
    let own_status = failure.status.or(failure.response_type.default().status).unwrap_or(500);
    let (status, message) = failure.response_type.http_api(own_status);
    // For logs: an HTTP API has nothing else that could look at it.
    context.error = Some(ErrorFacts {
        message: Some(message.to_owned()),
        response_type: failure.response_type.as_str(),
        validation_error: None,
    });
    let mut headers = Headers::new();
    headers.append("content-type", MediaType::JSON);
    if let Some(challenge) = &failure.challenge {
        headers.append("www-authenticate", challenge.as_str());
    }
    Response { head: ResponseHead { status, headers }, body: json!({ "message": message }).to_string().into_bytes() }
}
