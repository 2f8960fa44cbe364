//! What a function says of a request. Whatever is not a whole and well-formed answer fails, and a failure never lets a request
//! through.
//!
//! AWS: "Output from an API Gateway Lambda authorizer", "Control access to HTTP APIs with AWS Lambda authorizers"; the quota "AWS
//! Lambda authorizer result size".

use super::{Format, LambdaAuthorizer};
use crate::gateway_response::ResponseType;
use crate::http::Headers;
use crate::lambda::FUNCTION_ERROR;
use serde_json::{Map, Value};
use std::fmt;

/// A well-formed answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A policy, to be evaluated for each request.
    Policy {
        /// `$context.authorizer.principalId`; HTTP APIs may go without.
        principal_id: Option<String>,
        /// `policyDocument`, an object, as it came.
        policy: Value,
        /// `$context.authorizer.…`: strings in REST APIs, any JSON in HTTP APIs.
        context: Map<String, Value>,
        /// The API key that the request counts for.
        usage_identifier_key: Option<String>,
    },
    /// `enableSimpleResponses`
    Simple {
        /// Yes or no, for every request of the same identity.
        is_authorized: bool,
        /// `$context.authorizer.…`
        context: Map<String, Value>,
    },
}

/// No answer. The reasons are for the operator's log, never for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The function raised `Unauthorized`: 401.
    Unauthorized,
    /// The function was not reached, or failed.
    Failed(String),
    /// It answered something else than an answer.
    Malformed(String),
}

/// The longest answer (documented: 8 KB).
const ANSWER_LIMIT: usize = 8 * 1024;

/// The longest error that is read: stack traces come with it.
const ERROR_LIMIT: usize = 64 * 1024;

/// Of an error's text, what goes into a log.
const EXCERPT: usize = 120;

// === impl LambdaAuthorizer ===

impl LambdaAuthorizer {
    /// Reads the response to a call; a status of 0 says that there was none.
    pub fn answer(&self, status: u16, headers: &Headers, body: &[u8]) -> Result<Answer, Refusal> {
        if status != 200 {
            return Err(Refusal::Failed(format!("the call of the function was answered with status {status}")));
        }
        if headers.contains(FUNCTION_ERROR) {
            return Err(function_error(body));
        }
        if body.len() > ANSWER_LIMIT {
            return Err(Refusal::Malformed(format!("the answer has {} bytes; {ANSWER_LIMIT} are allowed", body.len())));
        }
        let malformed = |reason: &str| Refusal::Malformed(reason.to_owned());
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => self.read(members).map_err(Refusal::Malformed),
            Ok(_) => Err(malformed("the answer is no object")),
            Err(_) => Err(malformed("the answer is not JSON")),
        }
    }

    fn read(&self, mut members: Map<String, Value>) -> Result<Answer, String> {
        let is_rest = matches!(self.format, Format::Token | Format::Rest);
        let context = match members.remove("context") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(context)) if is_rest => flat(context)?,
            // HTTP APIs take arrays and objects, and keep numbers and booleans (documented).
            Some(Value::Object(context)) => context,
            Some(_) => return Err("`context` is no object".to_owned()),
        };
        if self.format == (Format::Http2 { simple: true }) {
            return match members.get("isAuthorized") {
                Some(Value::Bool(is_authorized)) => Ok(Answer::Simple { is_authorized: *is_authorized, context }),
                _ => Err("`isAuthorized` is missing or no boolean".to_owned()),
            };
        }
        let Some(policy @ Value::Object(_)) = members.remove("policyDocument") else {
            return Err("`policyDocument` is missing or no object".to_owned());
        };
        let principal_id = text(&mut members, "principalId")?;
        // Documented as required. assumed(principal-required): somebody says that REST APIs do without.
        if is_rest && principal_id.is_none() {
            return Err("`principalId` is missing".to_owned());
        }
        Ok(Answer::Policy { principal_id, policy, context, usage_identifier_key: text(&mut members, "usageIdentifierKey")? })
    }
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` is no string")),
    }
}

/// The context of a REST API: every value becomes a string (documented); anything but a string, a number or a boolean is a
/// configuration error (measured: serverless-offline, pull request 1376).
fn flat(context: Map<String, Value>) -> Result<Map<String, Value>, String> {
    let stringified = |(name, value): (String, Value)| match value {
        Value::String(_) => Ok((name, value)),
        Value::Number(_) | Value::Bool(_) => Ok((name, Value::from(value.to_string()))),
        // The name is the function's: it goes into a log, and may be anything.
        _ => Err(format!("`context` has a value that is no string, number or boolean: {}", excerpt(&name))),
    };
    context.into_iter().map(stringified).collect()
}

/// Only the very word `Unauthorized` is a 401; everything else that a function raises is its failure (documented).
/// assumed(http-unauthorized): in HTTP APIs, too.
fn function_error(body: &[u8]) -> Refusal {
    let error = Some(body).filter(|body| body.len() <= ERROR_LIMIT).and_then(|body| serde_json::from_slice::<Value>(body).ok());
    let message = error.as_ref().and_then(|error| error.get("errorMessage")).and_then(Value::as_str);
    match message {
        Some("Unauthorized") => Refusal::Unauthorized,
        Some(message) => Refusal::Failed(format!("the function failed: {}", excerpt(message))),
        None => Refusal::Failed("the function failed".to_owned()),
    }
}

/// The beginning of a text, on one line.
fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT).flat_map(char::escape_debug).collect()
}

// === impl Answer ===

impl Answer {
    /// About how many bytes it takes, for the cache.
    pub fn weight(&self) -> usize {
        let context = |context: &Map<String, Value>| weigh_members(context);
        let more = match self {
            Self::Policy { principal_id, policy, context: members, usage_identifier_key } => {
                let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
                weigh(policy) + context(members) + text(principal_id) + text(usage_identifier_key)
            }
            Self::Simple { context: members, .. } => context(members),
        };
        size_of::<Self>() + more
    }
}

/// As deep as the JSON reader went: 128 levels.
fn weigh(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(values) => values.iter().map(weigh).sum(),
            Value::Object(members) => weigh_members(members),
            _ => 0,
        }
}

fn weigh_members(members: &Map<String, Value>) -> usize {
    // A member takes its name, a hash and an index beside its value.
    members.iter().map(|(name, value)| name.len() + 6 * size_of::<usize>() + weigh(value)).sum()
}

// === impl Refusal ===

impl Refusal {
    /// The gateway response. Whatever is wrong with a function is `AUTHORIZER_CONFIGURATION_ERROR`: documented for one that cannot
    /// be reached, seen for one that fails (newbedev, "control error message and code") and for a malformed answer (measured:
    /// serverless-offline, pull request 1376). assumed(authorizer-failure): `AUTHORIZER_FAILURE` is for none of them.
    pub fn response_type(&self) -> ResponseType {
        match self {
            Self::Unauthorized => ResponseType::Unauthorized,
            Self::Failed(_) | Self::Malformed(_) => ResponseType::AuthorizerConfigurationError,
        }
    }
}

/// For the operator's log.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized => f.write_str("the function raised `Unauthorized`"),
            Self::Failed(reason) | Self::Malformed(reason) => f.write_str(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::authorizer;
    use super::*;
    use crate::definition::Protocol;
    use serde_json::json;

    fn rest() -> LambdaAuthorizer {
        authorizer(Protocol::Rest, json!({"type": "token"}))
    }

    fn http(simple: bool) -> LambdaAuthorizer {
        let settings = json!({"type": "request", "authorizerPayloadFormatVersion": "2.0", "enableSimpleResponses": simple});
        authorizer(Protocol::Http, settings)
    }

    fn said(authorizer: &LambdaAuthorizer, body: Value) -> Result<Answer, Refusal> {
        authorizer.answer(200, &Headers::new(), body.to_string().as_bytes())
    }

    fn malformed(authorizer: &LambdaAuthorizer, body: Value) -> String {
        match said(authorizer, body) {
            Err(Refusal::Malformed(reason)) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn raised(body: &[u8]) -> Refusal {
        let mut headers = Headers::new();
        headers.append("X-Amz-Function-Error", "Unhandled");
        rest().answer(200, &headers, body).unwrap_err()
    }

    fn members(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_policy_of_a_rest_api_comes_with_a_context_of_strings() {
        let policy = json!({"Version": "2012-10-17", "Statement": []});
        let context = json!({"stringKey": "value", "numberKey": 123, "fraction": -1.5, "booleanKey": true});
        let body =
            json!({"principalId": "user", "policyDocument": policy, "context": context, "usageIdentifierKey": "key", "x": 1});
        let wanted = Answer::Policy {
            principal_id: Some("user".to_owned()),
            policy,
            context: members(json!({"stringKey": "value", "numberKey": "123", "fraction": "-1.5", "booleanKey": "true"})),
            usage_identifier_key: Some("key".to_owned()),
        };
        assert_eq!(said(&rest(), body), Ok(wanted));
    }

    #[test]
    fn a_policy_of_an_http_api_keeps_its_context_and_may_lack_a_principal() {
        let context =
            json!({"numberKey": 1, "booleanKey": true, "arrayKey": ["value1"], "mapKey": {"value1": "value2"}, "n": null});
        let body = json!({"policyDocument": {}, "context": context});
        let wanted =
            Answer::Policy { principal_id: None, policy: json!({}), context: members(context), usage_identifier_key: None };
        assert_eq!(said(&http(false), body), Ok(wanted));
    }

    #[test]
    fn a_simple_answer_is_yes_or_no() {
        for is_authorized in [true, false] {
            let wanted = Answer::Simple { is_authorized, context: members(json!({"a": [1]})) };
            assert_eq!(said(&http(true), json!({"isAuthorized": is_authorized, "context": {"a": [1]}})), Ok(wanted));
        }
        for answer in [json!({}), json!({"isAuthorized": "true"}), json!({"isAuthorized": 1}), json!({"policyDocument": {}})] {
            assert_eq!(malformed(&http(true), answer), "`isAuthorized` is missing or no boolean");
        }
    }

    #[test]
    fn a_simple_answer_is_none_where_it_was_not_asked_for() {
        for authorizer in [rest(), http(false)] {
            assert_eq!(malformed(&authorizer, json!({"isAuthorized": true})), "`policyDocument` is missing or no object");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_no_answer() {
        for (body, reason) in [
            (json!(null), "the answer is no object"),
            (json!("Allow"), "the answer is no object"),
            (json!([{"principalId": "u", "policyDocument": {}}]), "the answer is no object"),
            (json!({"principalId": "u"}), "`policyDocument` is missing or no object"),
            (json!({"principalId": "u", "policyDocument": null}), "`policyDocument` is missing or no object"),
            (json!({"principalId": "u", "policyDocument": "{}"}), "`policyDocument` is missing or no object"),
            (json!({"policyDocument": {}}), "`principalId` is missing"),
            (json!({"principalId": null, "policyDocument": {}}), "`principalId` is missing"),
            (json!({"principalId": 1, "policyDocument": {}}), "`principalId` is no string"),
            (json!({"principalId": "u", "policyDocument": {}, "usageIdentifierKey": 1}), "`usageIdentifierKey` is no string"),
            (json!({"principalId": "u", "policyDocument": {}, "context": []}), "`context` is no object"),
            (json!({"principalId": "u", "policyDocument": {}, "context": "x"}), "`context` is no object"),
        ] {
            assert_eq!(malformed(&rest(), body.clone()), reason, "{body}");
        }
        for value in [json!([]), json!({}), json!(null)] {
            let body = json!({"principalId": "u", "policyDocument": {}, "context": {"a\nb": value}});
            assert_eq!(malformed(&rest(), body), "`context` has a value that is no string, number or boolean: a\\nb");
        }
    }

    #[test]
    fn what_is_no_json_is_no_answer() {
        let deep = "[".repeat(8_000);
        for body in ["", "x", "{", "{}{}", "{\"a\": 1e999}", "\u{feff}{}", deep.as_str()] {
            let answer = rest().answer(200, &Headers::new(), body.as_bytes());
            assert_eq!(answer, Err(Refusal::Malformed("the answer is not JSON".to_owned())), "{body:.10}");
        }
        assert!(rest().answer(200, &Headers::new(), b"\xff").is_err());
    }

    #[test]
    fn an_answer_of_more_than_8_kilobytes_is_none() {
        let body = |length: usize| json!({"principalId": "u", "policyDocument": {}, "x": "y".repeat(length)});
        let overhead = body(0).to_string().len();
        assert!(said(&rest(), body(8_192 - overhead)).is_ok());
        assert_eq!(malformed(&rest(), body(8_193 - overhead)), "the answer has 8193 bytes; 8192 are allowed");
    }

    #[test]
    fn only_the_very_word_unauthorized_is_a_401() {
        assert_eq!(raised(br#"{"errorMessage": "Unauthorized", "errorType": "Error", "stackTrace": []}"#), Refusal::Unauthorized);
        for message in ["unauthorized", "Unauthorized.", " Unauthorized", "[401] Unauthorized", ""] {
            let refusal = raised(json!({ "errorMessage": message }).to_string().as_bytes());
            assert_eq!(refusal, Refusal::Failed(format!("the function failed: {message}")));
        }
        for body in [b"".as_slice(), b"Unauthorized", b"\"Unauthorized\"", b"{\"errorMessage\": [\"Unauthorized\"]}"] {
            assert_eq!(raised(body), Refusal::Failed("the function failed".to_owned()));
        }
        // An answer that a function raised is none, whatever it says.
        let allow = json!({"principalId": "u", "policyDocument": {}, "isAuthorized": true}).to_string();
        assert!(matches!(raised(allow.as_bytes()), Refusal::Failed(_)));
        // And one that it did not raise is not unauthorized.
        assert!(malformed(&rest(), json!({"errorMessage": "Unauthorized"})).starts_with("`policyDocument`"));
    }

    #[test]
    fn a_long_error_goes_into_a_log_as_one_short_line() {
        let refusal = raised(json!({ "errorMessage": format!("a\r\n{}", "x".repeat(10_000)) }).to_string().as_bytes());
        let line = refusal.to_string();
        assert!(line.starts_with("the function failed: a\\r\\nxxx") && line.len() < 200, "{line}");
        let said = json!({"errorMessage": "Unauthorized"}).to_string();
        let unauthorized = |length: usize| said.clone() + &" ".repeat(length - said.len());
        assert_eq!(raised(unauthorized(65_536).as_bytes()), Refusal::Unauthorized);
        assert_eq!(raised(unauthorized(65_537).as_bytes()), Refusal::Failed("the function failed".to_owned()));
    }

    #[test]
    fn only_a_200_is_an_answer() {
        let allow = json!({"principalId": "u", "policyDocument": {}}).to_string();
        for status in [0, 100, 201, 204, 302, 401, 403, 404, 429, 500, 502, 504] {
            let answer = rest().answer(status, &Headers::new(), allow.as_bytes());
            assert!(matches!(answer, Err(Refusal::Failed(_))), "{status}");
        }
        assert!(rest().answer(200, &Headers::new(), allow.as_bytes()).is_ok());
    }

    #[test]
    fn a_refusal_is_401_or_an_error_of_the_configuration() {
        assert_eq!(Refusal::Unauthorized.response_type(), ResponseType::Unauthorized);
        for refusal in [Refusal::Failed(String::new()), Refusal::Malformed(String::new())] {
            assert_eq!(refusal.response_type(), ResponseType::AuthorizerConfigurationError);
        }
    }

    #[test]
    fn an_answer_weighs_at_least_what_it_says() {
        let small = said(&rest(), json!({"principalId": "u", "policyDocument": {}})).unwrap().weight();
        let policy = json!({"Statement": [{"Resource": ["x".repeat(1_000)]}]});
        let large = said(&rest(), json!({"principalId": "u", "policyDocument": policy, "context": {"k": "v"}})).unwrap().weight();
        assert!(small >= size_of::<Answer>() && large > small + 1_000, "{small} {large}");
    }

    #[test]
    fn each_part_of_an_answer_weighs() {
        let weight = |more: Value| {
            let mut body = json!({"principalId": "u", "policyDocument": {}});
            body.as_object_mut().unwrap().extend(members(more));
            said(&rest(), body).unwrap().weight()
        };
        let bare = weight(json!({}));
        // A member: its name, six words, and its value.
        let member = 6 * size_of::<usize>() + size_of::<Value>();
        for (more, weighs) in [
            (json!({"principalId": "user"}), 3),
            (json!({"usageIdentifierKey": "key"}), 3),
            (json!({"policyDocument": {"Sid": 1}}), 3 + member),
            (json!({"policyDocument": {"Sid": "text"}}), 3 + member + 4),
            (json!({"policyDocument": {"Sid": ["text", 1]}}), 3 + member + 2 * size_of::<Value>() + 4),
            (json!({"context": {"a": "b", "cd": "ef"}}), 6 + 2 * member),
            (json!({"context": {"a": "b"}, "usageIdentifierKey": "key", "principalId": "user"}), 8 + member),
        ] {
            assert_eq!(weight(more.clone()) - bare, weighs, "{more}");
        }
        let simple = |context: Value| said(&http(true), json!({"isAuthorized": true, "context": context})).unwrap().weight();
        assert_eq!(simple(json!({"a": "b"})) - simple(json!({})), 2 + member);
    }
}
