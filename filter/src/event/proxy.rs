//! The event of a Lambda proxy integration: the request, who sent it, and its body.
//!
//! AWS: "Input format of a Lambda function for proxy integration", "Create AWS Lambda proxy integrations for HTTP APIs".

use super::fields::Audience;
use super::{http, rest};
use crate::base64;
use crate::context::{AuthorizerFacts, CallerFacts, Context};
use crate::definition::Protocol;
use crate::http::{BinaryMediaTypes, MediaType};
use crate::platform::Platform;
use crate::value::{lossy, write_json_string};
use serde_json::{Map, Value};

/// `payloadFormatVersion`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadFormat {
    /// `1.0`: all that REST APIs have, and HTTP APIs on request.
    V1,
    /// `2.0`
    V2,
}

/// The event, as JSON text; none where it has more bytes than the limit.
pub fn proxy_event(
    format: PayloadFormat,
    context: &Context,
    body: &[u8],
    binary: &BinaryMediaTypes,
    limit: usize,
    platform: &dyn Platform,
) -> Option<String> {
    let is_base64 = !body.is_empty() && is_bytes(context, body, binary);
    // Nothing becomes shorter in an event.
    if body.len() > if is_base64 { limit / 4 * 3 } else { limit } {
        return None;
    }
    let is_rest = context.protocol == Protocol::Rest;
    let mut event = match format {
        PayloadFormat::V1 => rest::request(context, Audience::Integration, platform),
        PayloadFormat::V2 => http::request(context, platform),
    };
    let facts = &context.authorizer;
    let authorizer = match (format, is_rest) {
        (PayloadFormat::V2, _) => v2_authorizer(facts),
        (PayloadFormat::V1, true) => rest_authorizer(facts),
        (PayloadFormat::V1, false) => Some(Value::Object(v1_authorizer(facts))),
    };
    if let (Some(authorizer), Some(Value::Object(request_context))) = (authorizer, event.get_mut("requestContext")) {
        request_context.insert("authorizer".to_owned(), authorizer);
    }
    if !is_rest && !body.is_empty() && !context.headers().contains("content-length") {
        tell_length(&mut event, body.len());
    }
    let mut text = String::with_capacity(body.len() + body.len() / 2);
    if !is_rest {
        let version = if format == PayloadFormat::V1 { "1.0" } else { "2.0" };
        text.push_str(&format!("{{\"version\":\"{version}\","));
    }
    let members = Value::Object(event).to_string();
    text.push_str(members.strip_prefix('{').filter(|_| !is_rest).unwrap_or(&members));
    // A body is written once, and never a value of its own.
    text.pop();
    match (format, body) {
        // What there is none of is absent in one format, and null in the other.
        (PayloadFormat::V2, []) => {}
        (PayloadFormat::V1, []) => text.push_str(",\"body\":null"),
        (_, body) => {
            text.push_str(",\"body\":");
            if is_base64 {
                text.push('"');
                text.push_str(&base64::encode(body));
                text.push('"');
            } else {
                // What is no UTF-8 is replaced.
                write_json_string(&mut text, &lossy(body, limit));
            }
        }
    }
    text.push_str(if is_base64 { ",\"isBase64Encoded\":true}" } else { ",\"isBase64Encoded\":false}" });
    Some(text).filter(|text| text.len() <= limit)
}

/// The length of a body that came in chunks, which told none: HTTP APIs tell one of every request.
fn tell_length(event: &mut Map<String, Value>, length: usize) {
    let length = Value::from(length.to_string());
    for (map, length) in [("multiValueHeaders", Value::Array(vec![length.clone()])), ("headers", length)] {
        if let Some(Value::Object(headers)) = event.get_mut(map) {
            headers.insert("content-length".to_owned(), length);
        }
    }
}

/// Whether a body goes into the event as base64. REST APIs look at `binaryMediaTypes`; HTTP APIs take for text what is named as one,
/// and nothing else (measured: ministack, floci). assumed(http-v1-body): in both formats. assumed(http-text-not-utf8): a text that
/// is no UTF-8 is bytes there, so that nothing of it is lost.
fn is_bytes(context: &Context, body: &[u8], binary: &BinaryMediaTypes) -> bool {
    const TEXTS: [&str; 3] = ["application/json", "application/xml", "application/javascript"];
    let content_type = context.headers().last("content-type");
    if context.protocol == Protocol::Rest {
        return binary.contain(content_type);
    }
    let media_type = MediaType::of_header(content_type.unwrap_or_default());
    let is_text = media_type.as_str().starts_with("text/") || TEXTS.contains(&media_type.as_str());
    !is_text || std::str::from_utf8(body).is_err()
}

/// There only where an authorizer found something out (recorded: no such key without one).
fn rest_authorizer(facts: &AuthorizerFacts) -> Option<Value> {
    if let Some(claims) = claims(facts) {
        return Some(object([("claims", claims)]));
    }
    let principal = facts.principal_id.as_deref()?;
    let mut members = facts.context.clone();
    members.insert("principalId".to_owned(), Value::from(principal));
    // assumed(integration-latency): 0, as for a remembered answer.
    members.insert("integrationLatency".to_owned(), Value::from(0));
    Some(Value::Object(members))
}

/// Both keys are there without an authorizer, too (documented by an example).
fn v1_authorizer(facts: &AuthorizerFacts) -> Map<String, Value> {
    if !facts.context.is_empty() || facts.principal_id.is_some() {
        let principal = facts.principal_id.iter().map(|id| ("principalId".to_owned(), Value::from(id.as_str())));
        return principal.chain(facts.context.clone()).collect();
    }
    let members = [("claims", claims(facts).unwrap_or_default()), ("scopes", scopes(facts))];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn v2_authorizer(facts: &AuthorizerFacts) -> Option<Value> {
    if let Some(claims) = claims(facts) {
        return Some(object([("jwt", object([("claims", claims), ("scopes", scopes(facts))]))]));
    }
    if let Some(caller) = &facts.caller {
        return Some(object([("iam", iam(caller))]));
    }
    (!facts.context.is_empty()).then(|| object([("lambda", Value::Object(facts.context.clone()))]))
}

/// The keys of a fixture of aws-lambda-rust-runtime.
fn iam(caller: &CallerFacts) -> Value {
    object([
        ("accessKey", Value::from(caller.access_key.as_str())),
        ("accountId", Value::from(caller.account_id.as_str())),
        ("callerId", Value::from(caller.user.as_str())),
        ("cognitoIdentity", Value::Null),
        ("principalOrgId", Value::Null),
        ("userArn", Value::from(caller.user_arn.as_str())),
        ("userId", Value::from(caller.user.as_str())),
    ])
}

/// Every claim is a text (measured: floci).
fn claims(facts: &AuthorizerFacts) -> Option<Value> {
    let claims = facts.claims.as_ref()?;
    Some(Value::Object(claims.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()))
}

/// Null where the route asks for none (measured: floci).
fn scopes(facts: &AuthorizerFacts) -> Value {
    facts.scopes.as_ref().map_or(Value::Null, |scopes| scopes.iter().map(|scope| Value::from(scope.as_str())).collect())
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{STILL, request};
    use super::*;
    use serde_json::json;

    fn event(format: PayloadFormat, context: &Context, body: &[u8], binary: &[&str]) -> Value {
        let text = proxy_event(format, context, body, &BinaryMediaTypes::new(binary), 5_000, &STILL).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_keys_are_those_that_were_recorded_in_their_order() {
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        let rest = event(PayloadFormat::V1, &request(Protocol::Rest, "GET", "/prod/1", &[]), b"", &[]);
        let both = "resource path httpMethod headers multiValueHeaders queryStringParameters multiValueQueryStringParameters \
                    pathParameters stageVariables requestContext body isBase64Encoded";
        assert_eq!(keys(&rest), both);
        assert!(rest["requestContext"].get("authorizer").is_none() && rest["body"].is_null());
        let context = request(Protocol::Http, "GET", "/1", &[]);
        assert_eq!(keys(&event(PayloadFormat::V1, &context, b"", &[])), format!("version {both}"));
        let v2 = event(PayloadFormat::V2, &context, b"", &[]);
        assert_eq!(keys(&v2), "version routeKey rawPath rawQueryString headers requestContext isBase64Encoded");
        let none = json!({"claims": null, "scopes": null});
        assert_eq!(event(PayloadFormat::V1, &context, b"", &[])["requestContext"]["authorizer"], none);
    }

    #[test]
    fn a_rest_body_is_bytes_where_its_type_is_one_of_the_apis() {
        for (content_type, body, binary, shown, encoded) in [
            ("image/png", b"\x00\xff".as_slice(), &["image/*"][..], json!("AP8="), true),
            ("image/png", b"\x00\xff", &[], json!("\u{0}\u{fffd}"), false),
            ("text/plain", b"hello", &["image/*"], json!("hello"), false),
            ("text/plain", b"hello", &["*/*"], json!("aGVsbG8="), true),
            ("image/png", b"", &["*/*"], json!(null), false),
        ] {
            let context = request(Protocol::Rest, "POST", "/prod/1", &[("content-type", content_type)]);
            let event = event(PayloadFormat::V1, &context, body, binary);
            assert_eq!((&event["body"], &event["isBase64Encoded"]), (&shown, &json!(encoded)), "{content_type}");
        }
    }

    #[test]
    fn an_http_body_is_text_where_its_type_says_so() {
        for (headers, body, shown, encoded) in [
            (&[("content-type", "application/json; charset=utf-8")][..], b"{}".as_slice(), json!("{}"), false),
            (&[("content-type", "TEXT/CSV")], b"a,b", json!("a,b"), false),
            (&[("content-type", "application/x-www-form-urlencoded")], b"a=b", json!("YT1i"), true),
            (&[], b"a", json!("YQ=="), true),
            (&[("content-type", "text/plain")], b"\xff", json!("/w=="), true),
        ] {
            let context = request(Protocol::Http, "POST", "/1", headers);
            for format in [PayloadFormat::V1, PayloadFormat::V2] {
                let event = event(format, &context, body, &[]);
                assert_eq!((&event["body"], &event["isBase64Encoded"]), (&shown, &json!(encoded)), "{headers:?}");
            }
        }
        for (format, protocol, told) in [
            (PayloadFormat::V2, Protocol::Http, json!("3")),
            (PayloadFormat::V1, Protocol::Http, json!("3")),
            (PayloadFormat::V1, Protocol::Rest, Value::Null),
        ] {
            let target = if protocol == Protocol::Rest { "/prod/1" } else { "/1" };
            let chunked = event(format, &request(protocol, "POST", target, &[]), b"abc", &[]);
            assert_eq!(chunked["headers"]["content-length"], told);
        }
        let empty = event(PayloadFormat::V2, &request(Protocol::Http, "POST", "/1", &[]), b"", &[]);
        assert!(empty.get("body").is_none() && empty["isBase64Encoded"] == false);
    }

    #[test]
    fn an_event_is_as_long_as_it_is_written() {
        let written = |body: &[u8], binary: &[&str], limit: usize| {
            let context = request(Protocol::Rest, "POST", "/prod/1", &[("content-type", "image/png")]);
            proxy_event(PayloadFormat::V1, &context, body, &BinaryMediaTypes::new(binary), limit, &STILL)
        };
        for binary in [&["image/png"][..], &[]] {
            let length = written(b"\"abc\0", binary, 9_999).unwrap().len();
            assert!(written(b"\"abc\0", binary, length).is_some() && written(b"\"abc\0", binary, length - 1).is_none());
        }
    }

    #[test]
    fn who_called_is_told_in_the_form_of_each_format() {
        let mut context = request(Protocol::Http, "GET", "/1", &[]);
        let mut authorizer = |facts: AuthorizerFacts, format: PayloadFormat, protocol: Protocol| {
            context.authorizer = facts;
            context.protocol = protocol;
            event(format, &context, b"", &[])["requestContext"].get("authorizer").cloned()
        };
        let jwt = AuthorizerFacts {
            claims: Some(vec![("sub".to_owned(), "u".to_owned())]),
            scopes: Some(vec!["a".to_owned(), "b".to_owned()]),
            ..AuthorizerFacts::default()
        };
        let both = json!({"claims": {"sub": "u"}, "scopes": ["a", "b"]});
        assert_eq!(authorizer(jwt.clone(), PayloadFormat::V2, Protocol::Http), Some(json!({"jwt": both})));
        assert_eq!(authorizer(jwt.clone(), PayloadFormat::V1, Protocol::Http), Some(both));
        assert_eq!(authorizer(jwt, PayloadFormat::V1, Protocol::Rest), Some(json!({"claims": {"sub": "u"}})));
        let members = json!({"a": "x"}).as_object().cloned().unwrap();
        let lambda = AuthorizerFacts { principal_id: Some("p".to_owned()), context: members, ..AuthorizerFacts::default() };
        assert_eq!(authorizer(lambda.clone(), PayloadFormat::V2, Protocol::Http), Some(json!({"lambda": {"a": "x"}})));
        assert_eq!(authorizer(lambda.clone(), PayloadFormat::V1, Protocol::Http), Some(json!({"principalId": "p", "a": "x"})));
        let rest = json!({"a": "x", "principalId": "p", "integrationLatency": 0});
        assert_eq!(authorizer(lambda, PayloadFormat::V1, Protocol::Rest), Some(rest));
        let caller = CallerFacts { access_key: "AK".into(), account_id: "1".into(), user_arn: "arn".into(), user: "U".into() };
        let signed = AuthorizerFacts { caller: Some(caller), ..AuthorizerFacts::default() };
        let iam = json!({"iam": {"accessKey": "AK", "accountId": "1", "callerId": "U", "cognitoIdentity": null,
            "principalOrgId": null, "userArn": "arn", "userId": "U"}});
        assert_eq!(authorizer(signed.clone(), PayloadFormat::V2, Protocol::Http), Some(iam));
        assert_eq!(authorizer(signed, PayloadFormat::V1, Protocol::Rest), None);
        assert_eq!(authorizer(AuthorizerFacts::default(), PayloadFormat::V2, Protocol::Http), None);
    }
}
