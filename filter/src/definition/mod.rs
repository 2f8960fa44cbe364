//! What users write: the gateway document, and inside it the exported OpenAPI definitions. Raw forms only; each authorizer and
//! integration stays a raw [`Node`] that its own kind reads.

mod directory;
mod document;
mod extensions;
mod node;
mod openapi;
mod outline;
mod protobuf_struct;

pub use directory::{Directory, Endpoint, Signing};
pub use document::{ApiDocument, Basepath, Document, StageDocument};
pub use extensions::treatments;
pub use node::Node;
pub use openapi::{Definition, OpenApi, Operation, OperationKey, PathItem};
pub use outline::{Outline, outlined};

use serde_json::Value;

/// Which of API Gateway's two HTTP products an API is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// A REST API (`AWS::ApiGateway::RestApi`).
    Rest,
    /// An HTTP API (`AWS::ApiGatewayV2::Api`).
    Http,
}

// === impl Protocol ===

impl Protocol {
    /// As the gateway document spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "REST",
            Self::Http => "HTTP",
        }
    }

    /// What an export says of itself: HTTP APIs are exported with `x-amazon-apigateway-importexport-version: 1.0`, REST APIs
    /// without. CORS as data, the default route, events of format 2.0 and integration subtypes exist in HTTP APIs only.
    pub fn of(definition: &Value) -> Self {
        let mut items = definition.get("paths").and_then(Value::as_object).into_iter().flatten();
        let is_http = Self::is_said_to_be_http(definition) || items.any(|(path, item)| Self::is_path_of_http(path, item));
        if is_http { Self::Http } else { Self::Rest }
    }

    fn is_said_to_be_http(definition: &Value) -> bool {
        // Quoted or not: YAML makes a number of it, and a protobuf Struct a whole one.
        let exported = match definition.get("x-amazon-apigateway-importexport-version") {
            Some(Value::String(text)) => text == "1.0" || text == "1",
            Some(Value::Number(number)) => number.as_f64() == Some(1.0),
            _ => false,
        };
        exported || definition.get("x-amazon-apigateway-cors").is_some()
    }

    fn is_path_of_http(path: &str, item: &Value) -> bool {
        let any = item.get("x-amazon-apigateway-any-method");
        let is_default_route = path == "/$default" || any.and_then(|any| any.get("isDefaultRoute")) == Some(&Value::Bool(true));
        let mut operations = item.as_object().into_iter().flat_map(|item| item.values());
        let is_http = |operation: &Value| operation.get("x-amazon-apigateway-integration").is_some_and(is_http_integration);
        is_default_route || operations.any(is_http)
    }
}

fn is_http_integration(integration: &Value) -> bool {
    let format = match integration.get("payloadFormatVersion") {
        Some(Value::String(text)) => text.parse().ok(),
        number => number.and_then(Value::as_f64),
    };
    format == Some(2.0) || integration.get("integrationSubtype").is_some()
}

/// The group of regions that a region is in, as ARNs name it.
pub fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// An id of API Gateway's own shape (lower-case letters and digits), the same for the same name (FNV-1a): logs and ARNs stay
/// stable over restarts.
pub fn stable_id(name: &str, length: usize) -> String {
    let mut rest =
        name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let digit = |_| {
        let digit = u32::try_from(rest % 36).unwrap_or(0);
        rest /= 36;
        char::from_digit(digit, 36).unwrap_or('0')
    };
    (0..length).map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_export_tells_its_protocol() {
        assert_eq!(Protocol::of(&json!({"paths": {"/a": {}}})), Protocol::Rest);
        assert_eq!(Protocol::of(&json!({"x-amazon-apigateway-importexport-version": "1.0"})), Protocol::Http);
        assert_eq!(Protocol::of(&json!({"x-amazon-apigateway-importexport-version": 1.0})), Protocol::Http);
        assert_eq!(Protocol::of(&json!({"x-amazon-apigateway-importexport-version": 1})), Protocol::Http);
        assert_eq!(Protocol::of(&json!({"x-amazon-apigateway-importexport-version": "2.0"})), Protocol::Rest);
        assert_eq!(Protocol::of(&json!({"paths": {"/$default": {}}})), Protocol::Http);
        let with = |integration: Value| json!({"paths": {"/a": {"get": {"x-amazon-apigateway-integration": integration}}}});
        for integration in [
            json!({"payloadFormatVersion": "2.0"}),
            json!({"payloadFormatVersion": 2.0}),
            json!({"integrationSubtype": "SQS-SendMessage"}),
        ] {
            assert_eq!(Protocol::of(&with(integration)), Protocol::Http);
        }
        assert_eq!(Protocol::of(&with(json!({"payloadFormatVersion": "1.0"}))), Protocol::Rest);
    }
}
