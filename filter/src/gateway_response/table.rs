//! Every gateway response type with its defaults, and how well each row is known.

/// How a row is known: recorded on AWS, measured by somebody, AWS's documentation, an emulator's code, memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// Recorded on AWS by a public test suite.
    Recorded,
    /// Somebody says that they measured it on AWS.
    Measured,
    /// AWS's documentation.
    Documented,
    /// An emulator does so; not proved on AWS.
    Emulator,
    /// Nothing but memory.
    Memory,
}

/// AWS's names of what can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are AWS's and each row of the table explains one")]
pub enum ResponseType {
    AccessDenied,
    ApiConfigurationError,
    AuthorizerConfigurationError,
    AuthorizerFailure,
    BadRequestBody,
    BadRequestParameters,
    Default4xx,
    Default5xx,
    ExpiredToken,
    IntegrationFailure,
    IntegrationTimeout,
    InvalidApiKey,
    InvalidSignature,
    MissingAuthenticationToken,
    QuotaExceeded,
    RequestTooLarge,
    ResourceNotFound,
    Throttled,
    Unauthorized,
    UnsupportedMediaType,
    WafFiltered,
}

/// The defaults of one response type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultResponse {
    /// Which.
    pub response_type: ResponseType,
    /// AWS's spelling.
    pub name: &'static str,
    /// None for the two families, whose members keep their own.
    pub status: Option<u16>,
    /// `$context.error.message`; none prints as `null`.
    pub message: Option<&'static str>,
    /// Header `x-amzn-ErrorType`.
    pub error_type: &'static str,
    /// How well status and message are known.
    pub evidence: Evidence,
    /// Where from, and what is in doubt.
    pub source: &'static str,
}

use Evidence::{Documented, Emulator, Measured, Memory, Recorded};

macro_rules! row {
    ($kind:ident $name:literal $status:expr, $message:expr, $error:literal, $evidence:expr, $source:literal) => {
        DefaultResponse {
            response_type: ResponseType::$kind,
            name: $name,
            status: $status,
            message: $message,
            error_type: $error,
            evidence: $evidence,
            source: $source,
        }
    };
}

/// In the order of [`ResponseType`].
#[rustfmt::skip]
static TABLE: [DefaultResponse; 21] = [
    row!(AccessDenied "ACCESS_DENIED" Some(403), Some("User is not authorized to access this resource"), "AccessDeniedException", Documented, "AWS repost, table of 403 texts; the key `Message` is an emulator's"),
    row!(ApiConfigurationError "API_CONFIGURATION_ERROR" Some(500), Some("Internal server error"), "InternalServerErrorException", Recorded, "test_import_with_stage_variables"),
    row!(AuthorizerConfigurationError "AUTHORIZER_CONFIGURATION_ERROR" Some(500), None, "AuthorizerConfigurationException", Emulator, "message null by an emulator; public logs show `Internal server error` too"),
    row!(AuthorizerFailure "AUTHORIZER_FAILURE" Some(500), None, "AuthorizerFailureException", Emulator, "an emulator's table"),
    row!(BadRequestBody "BAD_REQUEST_BODY" Some(400), Some("Invalid request body"), "BadRequestException", Recorded, "body recorded; the error type is an emulator's"),
    row!(BadRequestParameters "BAD_REQUEST_PARAMETERS" Some(400), Some("Missing required request parameters"), "BadRequestException", Recorded, "body recorded; the error type is an emulator's"),
    row!(Default4xx "DEFAULT_4XX" None, None, "BadRequestException", Emulator, "an emulator's table"),
    row!(Default5xx "DEFAULT_5XX" None, None, "InternalServerErrorException", Emulator, "an emulator's table"),
    row!(ExpiredToken "EXPIRED_TOKEN" Some(403), Some("The security token included in the request is expired"), "ExpiredTokenException", Memory, "AWS's list of types; text from memory"),
    row!(IntegrationFailure "INTEGRATION_FAILURE" Some(504), Some("Network error communicating with endpoint"), "InternalServerErrorException", Emulator, "504 is AWS's nominal status; 500 and 502 are seen for integrations that answer badly"),
    row!(IntegrationTimeout "INTEGRATION_TIMEOUT" Some(504), Some("Endpoint request timed out"), "InternalServerErrorException", Memory, "status documented; text and error type from memory"),
    row!(InvalidApiKey "INVALID_API_KEY" Some(403), Some("Forbidden"), "ForbiddenException", Recorded, "test_api_key_required_for_methods; body measured by ministack"),
    row!(InvalidSignature "INVALID_SIGNATURE" Some(403), Some("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."), "InvalidSignatureException", Documented, "AWS repost, table of 403 texts"),
    row!(MissingAuthenticationToken "MISSING_AUTHENTICATION_TOKEN" Some(403), Some("Missing Authentication Token"), "MissingAuthenticationTokenException", Recorded, "test_routing_not_found"),
    row!(QuotaExceeded "QUOTA_EXCEEDED" Some(429), Some("Limit Exceeded"), "LimitExceededException", Measured, "ministack issue 1746"),
    row!(RequestTooLarge "REQUEST_TOO_LARGE" Some(413), Some("Request Too Long"), "RequestTooLargeException", Memory, "not customizable (documented); text from memory"),
    row!(ResourceNotFound "RESOURCE_NOT_FOUND" Some(404), Some("The specified resource does not exist"), "ResourceNotFoundException", Memory, "AWS's list of types; text from memory"),
    row!(Throttled "THROTTLED" Some(429), Some("Too Many Requests"), "TooManyRequestsException", Measured, "ministack issue 1746"),
    row!(Unauthorized "UNAUTHORIZED" Some(401), Some("Unauthorized"), "UnauthorizedException", Documented, "AWS's list of types"),
    row!(UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" Some(415), Some("Unsupported Media Type"), "BadRequestException", Measured, "ministack issue 1746; the error type is an emulator's"),
    row!(WafFiltered "WAF_FILTERED" Some(403), Some("Forbidden"), "ForbiddenException", Memory, "AWS's list of types; the error type is an emulator's"),
];

/// All rows, for a report of how well each is known.
pub fn evidence_table() -> &'static [DefaultResponse] {
    &TABLE
}

// === impl ResponseType ===

impl ResponseType {
    /// The type that a definition names, in any case.
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name.eq_ignore_ascii_case(name)).map(|row| row.response_type)
    }

    /// Its row of the table.
    pub fn default(self) -> &'static DefaultResponse {
        // Every type has a row (a test says so); without one it would be an internal error.
        TABLE.iter().find(|row| row.response_type == self).unwrap_or(&TABLE[1])
    }

    /// AWS's spelling.
    pub fn as_str(self) -> &'static str {
        self.default().name
    }

    /// Status and fixed message of an HTTP API. Statuses are documented or well known; assumed(http-5xx): the texts of 5xx, and 503
    /// for an integration that times out or cannot be reached, are from memory.
    pub fn http_api(self, own_status: u16) -> (u16, &'static str) {
        match self {
            // "If no routes match a request, API Gateway returns {"message":"Not Found"}".
            Self::MissingAuthenticationToken | Self::ResourceNotFound => (404, "Not Found"),
            Self::IntegrationFailure | Self::IntegrationTimeout => (503, "Service Unavailable"),
            Self::RequestTooLarge => (413, "Request Entity Too Large"),
            _ => match own_status {
                401 => (401, "Unauthorized"),
                403 => (403, "Forbidden"),
                429 => (429, "Too Many Requests"),
                status @ 400..=499 => (status, "Bad Request"),
                _ => (500, "Internal Server Error"),
            },
        }
    }
}

// === impl Evidence ===

impl Evidence {
    /// One word for a report.
    pub fn as_str(self) -> &'static str {
        match self {
            Recorded => "recorded",
            Measured => "measured",
            Documented => "documented",
            Emulator => "emulator",
            Memory => "memory",
        }
    }

    /// Whether the row could be wrong about AWS.
    pub fn is_weak(self) -> bool {
        matches!(self, Emulator | Memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_one_row_in_order() {
        assert!(TABLE.windows(2).all(|pair| pair[0].response_type < pair[1].response_type && pair[0].name < pair[1].name));
        for row in &TABLE {
            assert_eq!(ResponseType::named(&row.name.to_lowercase()), Some(row.response_type));
            assert_eq!(row.response_type.default(), row);
        }
    }
}
