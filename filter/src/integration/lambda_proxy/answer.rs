//! What a function's output is as a response: format 1.0, and 2.0. Whatever is not well-formed is an error of the gateway; why goes
//! into the operator's log.
//!
//! AWS: "Output format of a Lambda function for proxy integration", "Lambda function response for format 1.0" and "2.0". Recorded for
//! REST: `test_aws_proxy_response_payload_format_validation`; measured for HTTP APIs: aws-lambda-dotnet, pull request 1903.

use crate::base64;
use crate::definition::Protocol;
use crate::http::{Headers, MediaType, Response, ResponseHead, is_field_name, is_field_value};
use crate::integration::is_reserved;
use crate::value::skim;
use serde_json::{Map, Value};

type Malformed = &'static str;

/// The members of format 1.0, the body last; a REST API takes no others (recorded). assumed(http-v1-members): HTTP APIs do.
const MEMBERS: [&str; 5] = ["statusCode", "headers", "multiValueHeaders", "isBase64Encoded", BODY];

/// Those of format 2.0.
const MEMBERS_2: [&str; 5] = ["statusCode", "headers", "cookies", "isBase64Encoded", BODY];

const BODY: &str = "body";

/// The most that a member beside the body may have: what a proxy takes for the head of a message.
/// assumed(lambda-head-limit): more is malformed.
const HEAD_LIMIT: usize = 60 << 10;

/// A function's output, as it is written.
#[derive(Default)]
struct Output<'t> {
    known: [Option<&'t str>; 5],
    has_more: bool,
}

/// What an HTTP API calls a body whose type nobody named (measured).
const TEXT: &str = "text/plain; charset=utf-8";

/// Format 1.0; `decodes`: whether a body that is base64 is sent as bytes.
pub fn v1(payload: &[u8], protocol: Protocol, decodes: bool) -> Result<Response, Malformed> {
    let is_rest = protocol == Protocol::Rest;
    let output = std::str::from_utf8(payload).ok().and_then(|text| Output::read(text, &MEMBERS, is_rest));
    let output = output.ok_or("its output is no JSON object")?;
    if is_rest && output.has_more {
        return Err("its output has a member that a response does not have");
    }
    let members = output.members(&MEMBERS)?;
    let status = match status(&members)? {
        Some(status) => status,
        // Recorded for REST; HTTP APIs make no assumptions (documented).
        None if is_rest => 200,
        None => return Err("its output has no `statusCode`"),
    };
    let mut headers = Headers::new();
    // Both are merged, the lists first (recorded, against the documentation).
    for (name, values) in object(&members, "multiValueHeaders")? {
        let Value::Array(values) = values else { return Err("a member of `multiValueHeaders` is no list") };
        for value in values {
            append(&mut headers, name, value, protocol)?;
        }
    }
    for (name, value) in object(&members, "headers")? {
        append(&mut headers, name, value, protocol)?;
    }
    if !is_rest {
        default_type(&mut headers);
    }
    let body = output.body(&members, decodes)?;
    Ok(Response { head: ResponseHead { status, headers }, body })
}

/// Format 2.0: an object with a `statusCode`, or anything else, which is the body of a JSON response as it is (measured: no JSON,
/// too).
pub fn v2(payload: Vec<u8>) -> Result<Response, Malformed> {
    let inferred = |body: Vec<u8>| {
        let mut headers = Headers::new();
        headers.append("content-type", MediaType::JSON);
        Ok(Response { head: ResponseHead { status: 200, headers }, body })
    };
    let Ok(text) = std::str::from_utf8(&payload) else { return inferred(payload) };
    let Some(output) = Output::read(text, &MEMBERS_2, false).filter(|output| matches!(output.known, [Some(_), ..])) else {
        // A text is without its quotes (documented by an example).
        return inferred(skim::string(text).map_or(payload, String::into_bytes));
    };
    let members = output.members(&MEMBERS_2)?;
    let status = status(&members)?.ok_or("`statusCode` is null")?;
    let mut headers = Headers::new();
    for (name, value) in object(&members, "headers")? {
        append(&mut headers, name, value, Protocol::Http)?;
    }
    match members.get("cookies") {
        None | Some(Value::Null) => {}
        Some(Value::Array(cookies)) => {
            for cookie in cookies {
                append(&mut headers, "set-cookie", cookie, Protocol::Http)?;
            }
        }
        Some(_) => return Err("`cookies` is no list"),
    }
    default_type(&mut headers);
    let body = output.body(&members, true)?;
    Ok(Response { head: ResponseHead { status, headers }, body })
}

// === impl Output ===

impl<'t> Output<'t> {
    /// None: it is no object. Of a name that is there twice, the last counts. `only`: nothing behind one that is not known matters.
    fn read(text: &'t str, names: &[&str; 5], only: bool) -> Option<Self> {
        let mut output = Self::default();
        skim::members(text, &mut |name, value| {
            match output.known.iter_mut().zip(names).find(|(_, known)| **known == name) {
                Some((place, _)) => *place = Some(value),
                None => output.has_more = true,
            }
            !(only && output.has_more)
        })?;
        Some(output)
    }

    /// What there is beside the body.
    fn members(&self, names: &[&str; 5]) -> Result<Map<String, Value>, Malformed> {
        let mut members = Map::new();
        for (name, text) in names.iter().zip(self.known).filter(|(name, _)| **name != BODY) {
            let Some(text) = text else { continue };
            if text.len() > HEAD_LIMIT {
                return Err("it has more than 60 KB of headers");
            }
            members.insert((*name).to_owned(), serde_json::from_str(text).map_err(|_| "its output is no JSON object")?);
        }
        Ok(members)
    }

    /// assumed(lambda-bad-base64): what says that it is base64 and is not is malformed.
    fn body(&self, members: &Map<String, Value>, decodes: bool) -> Result<Vec<u8>, Malformed> {
        let is_base64 = match members.get("isBase64Encoded") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(is_base64)) => *is_base64,
            Some(_) => return Err("`isBase64Encoded` is neither true nor false"),
        };
        let text = match self.known {
            [.., None | Some("null")] => return Ok(Vec::new()),
            [.., Some(body)] => skim::said(body).ok_or("`body` is no text")?,
        };
        if is_base64 && decodes {
            return base64::decode(text.as_bytes()).ok_or("`body` is no base64");
        }
        Ok(text.into_bytes())
    }
}

/// A whole number, or the text of one (recorded). assumed(lambda-status-range): what is no final status is malformed.
fn status(members: &Map<String, Value>) -> Result<Option<u16>, Malformed> {
    let number = match members.get("statusCode") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    let known = (200..=599).find(|status| number == Some(f64::from(*status)));
    known.map(Some).ok_or("`statusCode` is no status of a response")
}

fn object<'a>(members: &'a Map<String, Value>, name: &str) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, Malformed> {
    match members.get(name) {
        // Null is nothing (recorded).
        None | Some(Value::Null) => Ok(None.into_iter().flatten()),
        Some(Value::Object(headers)) => Ok(Some(headers).into_iter().flatten()),
        Some(_) => Err("its headers are no object"),
    }
}

/// Scalars are texts (recorded for `true`). assumed(lambda-null-header): null is no header. assumed(lambda-bad-header): a field that
/// cannot be sent makes the output malformed.
fn append(headers: &mut Headers, name: &str, value: &Value, protocol: Protocol) -> Result<(), Malformed> {
    let value = match value {
        Value::Null => return Ok(()),
        // HTTP/2 has no blanks around a value.
        Value::String(text) => text.trim_matches([' ', '\t']).to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => return Err("a header's value is neither a text nor a list of texts"),
    };
    let name = name.to_ascii_lowercase();
    if !is_field_name(&name) || !is_field_value(value.as_bytes()) {
        return Err("a header cannot be sent as it is");
    }
    if let Some(name) = client_name(name, protocol) {
        headers.append(name, value);
    }
    Ok(())
}

/// The name under which a function's header reaches the client; none where it does not. REST: recorded
/// (`TestApiGatewayHeaderRemapping`), `www-authenticate` documented. assumed(http-api-headers): HTTP APIs drop what frames a message.
fn client_name(name: String, protocol: Protocol) -> Option<String> {
    const REMAPPED: [&str; 5] = ["connection", "content-length", "date", "server", "www-authenticate"];
    const DROPPED: [&str; 5] = ["keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];
    // A function says by it what failed (documented: "Handle Lambda errors in API Gateway").
    let is_error_type = name == "x-amzn-errortype";
    if (is_reserved(&name) && !is_error_type) || DROPPED.contains(&name.as_str()) {
        return None;
    }
    match protocol {
        Protocol::Rest if REMAPPED.contains(&name.as_str()) => Some(format!("x-amzn-remapped-{name}")),
        Protocol::Http if matches!(name.as_str(), "connection" | "content-length" | "trailer") => None,
        _ => Some(name),
    }
}

fn default_type(headers: &mut Headers) {
    if !headers.contains("content-type") {
        headers.append("content-type", TEXT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(response: &Response) -> Vec<(&str, &str)> {
        response.head.headers.iter().map(|(name, value)| (name, std::str::from_utf8(value).unwrap())).collect()
    }

    fn rest(output: &Value) -> Result<Response, Malformed> {
        v1(output.to_string().as_bytes(), Protocol::Rest, false)
    }

    #[test]
    fn what_was_recorded_as_well_formed_is_a_response() {
        for (output, status, body) in [
            (json!({}), 200, ""),
            (json!({"statusCode": 200}), 200, ""),
            (json!({"headers": {"a": "b"}}), 200, ""),
            (json!({"statusCode": "201", "headers": null, "body": "x"}), 201, "x"),
            (json!({"statusCode": 404.0, "multiValueHeaders": null, "body": null}), 404, ""),
        ] {
            let response = rest(&output).unwrap();
            assert_eq!((response.head.status, response.body.as_slice()), (status, body.as_bytes()), "{output}");
        }
    }

    #[test]
    fn what_is_malformed_is_an_error_in_both_products_but_for_the_members_that_are_not_known() {
        for output in [
            json!("text"),
            json!(null),
            json!([]),
            json!({"statusCode": "x"}),
            json!({"statusCode": true}),
            json!({"statusCode": 0}),
            json!({"statusCode": 100}),
            json!({"statusCode": 200.5}),
            json!({"statusCode": 600}),
            json!({"statusCode": 200, "headers": []}),
            json!({"statusCode": 200, "headers": {"a": ["b"]}}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            json!({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}),
            json!({"statusCode": 200, "multiValueHeaders": {"a": "b"}}),
            json!({"statusCode": 200, "multiValueHeaders": {"a": [{}]}}),
            json!({"statusCode": 200, "body": {}}),
            json!({"statusCode": 200, "body": 1}),
            json!({"statusCode": 200, "isBase64Encoded": "true"}),
        ] {
            for protocol in [Protocol::Rest, Protocol::Http] {
                assert!(v1(output.to_string().as_bytes(), protocol, true).is_err(), "{output}");
            }
        }
        assert!(v1(b"{", Protocol::Rest, true).is_err() && v1(b"", Protocol::Http, true).is_err());
        let stray = json!({"statusCode": 200, "cookies": []});
        assert!(rest(&stray).is_err() && v1(stray.to_string().as_bytes(), Protocol::Http, true).is_ok());
        assert!(v1(b"{}", Protocol::Http, true).is_err());
    }

    #[test]
    fn single_headers_follow_those_in_lists_and_framing_has_another_name() {
        let output = json!({
            "headers": {"X-A": "solo", "n": 1, "b": true, "z": null, "Connection": "close", "Content-Length": "5", "Date": "d",
                "Server": "s", "WWW-Authenticate": "w", "Transfer-Encoding": "chunked", "x-envoy-x": "1", "Apigw-Requestid": "1"},
            "multiValueHeaders": {"x-a": ["m1", "m2"]},
        });
        let response = rest(&output).unwrap();
        let wanted = [
            ("x-a", "m1"),
            ("x-a", "m2"),
            ("x-a", "solo"),
            ("n", "1"),
            ("b", "true"),
            ("x-amzn-remapped-connection", "close"),
            ("x-amzn-remapped-content-length", "5"),
            ("x-amzn-remapped-date", "d"),
            ("x-amzn-remapped-server", "s"),
            ("x-amzn-remapped-www-authenticate", "w"),
        ];
        assert_eq!(lines(&response), wanted);
        let http = json!({"statusCode": 200, "headers": output["headers"]});
        let http = v1(http.to_string().as_bytes(), Protocol::Http, true).unwrap();
        let wanted = [
            ("x-a", "solo"),
            ("n", "1"),
            ("b", "true"),
            ("date", "d"),
            ("server", "s"),
            ("www-authenticate", "w"),
            ("content-type", TEXT),
        ];
        assert_eq!(lines(&http), wanted);
    }

    #[test]
    fn base64_is_decoded_where_the_client_takes_bytes() {
        let output = json!({"body": "AP8=", "isBase64Encoded": true}).to_string();
        assert_eq!(v1(output.as_bytes(), Protocol::Rest, true).unwrap().body, [0, 255]);
        assert_eq!(v1(output.as_bytes(), Protocol::Rest, false).unwrap().body, b"AP8=");
        let none = json!({"body": "no base64", "isBase64Encoded": true});
        assert!(v1(none.to_string().as_bytes(), Protocol::Rest, true).is_err() && rest(&none).is_ok());
    }

    #[test]
    fn an_output_of_format_2_without_a_status_is_the_body() {
        for (output, body) in [
            ("\"Hello\"", "Hello"),
            ("{\"a\": 1}", "{\"a\": 1}"),
            ("null", "null"),
            ("", ""),
            ("{\"a\":", "{\"a\":"),
            ("[1]", "[1]"),
        ] {
            let response = v2(output.into()).unwrap();
            assert_eq!((response.head.status, response.body.as_slice()), (200, body.as_bytes()));
            assert_eq!(lines(&response), [("content-type", "application/json")]);
        }
    }

    #[test]
    fn an_output_of_format_2_with_a_status_is_a_response() {
        let output = json!({"statusCode": 201, "cookies": ["a=1", "b=2"], "headers": {"Content-Type": "a/b"}, "body": "eA==",
            "isBase64Encoded": true, "other": 1});
        let response = v2(output.to_string().into()).unwrap();
        assert_eq!((response.head.status, response.body.as_slice()), (201, b"x".as_slice()));
        assert_eq!(lines(&response), [("content-type", "a/b"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]);
        assert_eq!(lines(&v2(br#"{"statusCode":200}"#.to_vec()).unwrap()), [("content-type", TEXT)]);
        for output in [
            json!({"statusCode": null}),
            json!({"statusCode": "x"}),
            json!({"statusCode": 200, "cookies": "a=1"}),
            json!({"statusCode": 200, "headers": "x"}),
            json!({"statusCode": 200, "body": {}}),
            json!({"statusCode": 200, "body": "?", "isBase64Encoded": true}),
        ] {
            assert!(v2(output.to_string().into()).is_err(), "{output}");
        }
    }
}
