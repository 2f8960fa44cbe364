//! What users write: the gateway document, and inside it the exported OpenAPI definitions. Raw forms only; each authorizer and
//! integration stays a raw [`Node`] that its own kind reads.

mod directory;
mod document;
mod extensions;
mod node;
mod openapi;
mod protobuf_struct;

pub use directory::{Directory, Endpoint, Signing};
pub use document::{ApiDocument, Basepath, Document, StageDocument};
pub use extensions::treatments;
pub use node::Node;
pub use openapi::{OpenApi, Operation, OperationKey};

use crate::problem::{About, JsonPath, Problem, Severity};
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
        let is_default_route = |item: &Value| {
            item.get("x-amazon-apigateway-any-method").and_then(|m| m.get("isDefaultRoute")) == Some(&Value::Bool(true))
        };
        // Quoted or not: YAML makes a number of it, and a protobuf Struct a whole one.
        let exported = match definition.get("x-amazon-apigateway-importexport-version") {
            Some(Value::String(text)) => text == "1.0" || text == "1",
            Some(Value::Number(number)) => number.as_f64() == Some(1.0),
            _ => false,
        };
        let cors = definition.get("x-amazon-apigateway-cors").is_some();
        let paths = definition.get("paths").and_then(Value::as_object);
        let default_route = paths.is_some_and(|p| p.contains_key("/$default") || p.values().any(is_default_route));
        let operations = paths.into_iter().flat_map(|paths| paths.values()).filter_map(Value::as_object).flat_map(|p| p.values());
        let is_http = |operation: &Value| operation.get("x-amazon-apigateway-integration").is_some_and(is_http_integration);
        if exported || cors || default_route || operations.into_iter().any(is_http) { Self::Http } else { Self::Rest }
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

/// Reads the plugin configuration: JSON text, or a binary `google.protobuf.Struct`.
pub fn read(bytes: &[u8]) -> Result<Value, Problem> {
    // JSON first: a Struct begins with the tag 0x0a, which is white space to JSON, but no Struct is JSON to its end.
    serde_json::from_slice(bytes).or_else(|error| {
        protobuf_struct::decode(bytes).filter(|_| !bytes.is_empty()).ok_or_else(|| Problem {
            severity: Severity::Error,
            path: JsonPath::root(),
            about: About::Value,
            message: format!("the document is not JSON: {error}"),
            help: Some("hand the gateway document over as JSON text or as an inline google.protobuf.Struct".to_owned()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_that_is_neither_json_nor_a_struct_is_one_problem_with_its_place_in_the_text() {
        let problem = read(b"{\n \"apis\": [,]}").unwrap_err();
        assert!(problem.message.contains("line 2 column 11"), "{}", problem.message);
    }

    #[test]
    fn leading_white_space_does_not_make_json_a_struct() {
        assert_eq!(read(b"\n{\n}").unwrap(), json!({}));
    }

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
