//! What a function is asked: the call of its Invoke API, or of its URL, with the event as its body.
//!
//! AWS: "Input to an API Gateway Lambda authorizer", "Control access to HTTP APIs with AWS Lambda authorizers"; the keys and their
//! order are those captured on AWS (powertools-lambda-typescript, issue 2624).

use super::{Format, Identity, LambdaAuthorizer};
use crate::context::Context;
use crate::event::{http, method_arn, rest};
use crate::http::RequestHead;
use crate::platform::Platform;
use serde_json::{Map, Value};

/// A call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvokeRequest {
    /// Pseudo-headers and fields; who signs it is its upstream's matter.
    pub head: RequestHead,
    /// The event.
    pub body: Vec<u8>,
}

// === impl LambdaAuthorizer ===

impl LambdaAuthorizer {
    /// Asks about a request.
    pub fn request(&self, context: &Context, identity: &Identity, platform: &dyn Platform) -> InvokeRequest {
        let head = self.function.head(context, platform);
        InvokeRequest { head, body: Value::Object(self.event(context, identity, platform)).to_string().into_bytes() }
    }

    fn event(&self, context: &Context, identity: &Identity, platform: &dyn Platform) -> Map<String, Value> {
        let arn = Value::from(method_arn(context));
        let values: Vec<&str> = identity.values().collect();
        let joined = if values.is_empty() { Value::Null } else { Value::from(values.join(",")) };
        let (front, request) = match self.format {
            Format::Token => (vec![("type", "TOKEN".into()), ("methodArn", arn), ("authorizationToken", joined)], Map::new()),
            Format::Rest => {
                (vec![("type", "REQUEST".into()), ("methodArn", arn)], rest::request(context, rest::Audience::Authorizer, platform))
            }
            Format::Http1 => (
                vec![
                    ("version", "1.0".into()),
                    ("type", "REQUEST".into()),
                    ("methodArn", arn),
                    // Both, joined by commas (documented).
                    ("identitySource", joined.clone()),
                    ("authorizationToken", joined),
                ],
                // assumed(http-v1-multi-value): the documented example lacks the multi-value maps that the format has elsewhere.
                rest::request(context, rest::Audience::Authorizer, platform),
            ),
            Format::Http2 { .. } => (
                vec![
                    ("version", "2.0".into()),
                    ("type", "REQUEST".into()),
                    ("routeArn", arn),
                    // Null without sources (captured: powertools-lambda-typescript, issue 3483).
                    ("identitySource", if values.is_empty() { Value::Null } else { Value::from(values) }),
                ],
                http::request(context, platform),
            ),
        };
        front.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(request).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::authorizer;
    use super::*;
    use crate::definition::Protocol;
    use crate::event::tests::{STILL, request};
    use serde_json::json;
    use std::sync::Arc;

    const HOST: &str = "id.execute-api.eu-west-1.amazonaws.com:443";
    const TRACE: &str = "Root=1-66704feb-ffffffffffffffffffffffff";

    /// The event, as text: keys in their order.
    fn event(settings: Value, context: &Context) -> String {
        let authorizer = authorizer(context.protocol, settings);
        let identity = authorizer.identity(context, &STILL).unwrap();
        String::from_utf8(authorizer.request(context, &identity, &STILL).body).unwrap()
    }

    #[test]
    fn the_call_is_a_post_to_the_invoke_api() {
        let authorizer = authorizer(Protocol::Rest, json!({"type": "token"}));
        let context = request(Protocol::Rest, "DELETE", "/prod/x", &[("auth", "allow"), ("cookie", "secret")]);
        let identity = authorizer.identity(&context, &STILL).unwrap();
        let head = authorizer.request(&context, &identity, &STILL).head;
        let pairs: Vec<_> = head.pairs().map(|(name, value)| (name, std::str::from_utf8(value).unwrap())).collect();
        assert_eq!(
            pairs,
            [
                (":authority", "lambda.us-east-1.amazonaws.com"),
                (":path", "/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:authz/invocations"),
                (":method", "POST"),
                (":scheme", "https"),
                ("accept", "application/json"),
                ("user-agent", "AmazonAPIGateway_apiid"),
                ("x-amzn-apigateway-api-id", "apiid"),
                ("x-amzn-trace-id", &format!("{TRACE};Parent=ffffffffffffffff;Sampled=0")),
                ("content-type", "application/json"),
            ]
        );
    }

    #[test]
    fn the_token_event_is_the_captured_one() {
        let context = request(Protocol::Rest, "POST", "/prod/lambda-token", &[("auth", "Bearer \"foo\"")]);
        assert_eq!(
            event(json!({"type": "token"}), &context),
            r#"{"type":"TOKEN","methodArn":"arn:aws:execute-api:eu-west-1:123456789012:apiid/prod/POST/lambda-token","authorizationToken":"Bearer \"foo\""}"#
        );
    }

    /// The keys in the order captured, header names apart.
    #[test]
    fn the_request_event_of_a_rest_api_is_the_captured_one() {
        let headers = [("accept", "*/*"), ("authorization", "Bearer foo"), ("content-length", "0"), ("user-agent", "HTTPie/3.2.2")];
        let context = request(Protocol::Rest, "POST", "/prod/lambda-request", &headers);
        let wanted = json!({
            "type": "REQUEST",
            "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:apiid/prod/POST/lambda-request",
            "resource": "/{id}", "path": "/lambda-request", "httpMethod": "POST",
            "headers": {"accept": "*/*", "authorization": "Bearer foo", "content-length": "0", "user-agent": "HTTPie/3.2.2",
                "Host": HOST, "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https",
                "X-Amzn-Trace-Id": TRACE},
            "multiValueHeaders": {"accept": ["*/*"], "authorization": ["Bearer foo"], "content-length": ["0"],
                "user-agent": ["HTTPie/3.2.2"], "Host": [HOST], "X-Forwarded-For": ["192.0.2.1"], "X-Forwarded-Port": ["443"],
                "X-Forwarded-Proto": ["https"], "X-Amzn-Trace-Id": [TRACE]},
            "queryStringParameters": {}, "multiValueQueryStringParameters": {}, "pathParameters": {}, "stageVariables": {},
            "requestContext": {
                "resourceId": "w567jh", "resourcePath": "/{id}", "httpMethod": "POST", "extendedRequestId": "_______________=",
                "requestTime": "17/Jun/2024:15:02:03 +0000", "path": "/prod/lambda-request", "accountId": "123456789012",
                "protocol": "HTTP/1.1", "stage": "prod", "domainPrefix": "id", "requestTimeEpoch": 1_718_636_523_035_u64,
                "requestId": "ffffffff-ffff-4fff-bfff-ffffffffffff",
                "identity": {"cognitoIdentityPoolId": null, "accountId": null, "cognitoIdentityId": null, "caller": null,
                    "sourceIp": "192.0.2.1", "principalOrgId": null, "accessKey": null, "cognitoAuthenticationType": null,
                    "cognitoAuthenticationProvider": null, "userArn": null, "userAgent": "HTTPie/3.2.2", "user": null},
                "domainName": "id.execute-api.eu-west-1.amazonaws.com", "deploymentId": "dep1oy", "apiId": "apiid",
            },
        });
        let settings = json!({"type": "request", "identitySource": "method.request.header.Authorization"});
        assert_eq!(event(settings, &context), wanted.to_string());
    }

    #[test]
    fn the_first_format_of_an_http_api_adds_version_and_identity() {
        let mut context = request(Protocol::Http, "GET", "/a?q=4&r=1&r=2", &[("auth", "user1"), ("content-length", "3")]);
        context.path_parameters = vec![("id".to_owned(), "a".to_owned())];
        if let Some(stage) = &mut context.stage {
            Arc::make_mut(stage).variables.insert("StageVar1".to_owned(), "stageValue1".to_owned());
        }
        let wanted = json!({
            "version": "1.0", "type": "REQUEST",
            "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:apiid/$default/GET/a",
            "identitySource": "user1,4", "authorizationToken": "user1,4",
            "resource": "/{id}", "path": "/a", "httpMethod": "GET",
            "headers": {"auth": "user1", "content-length": "3", "host": HOST, "x-forwarded-for": "192.0.2.1",
                "x-forwarded-port": "443", "x-forwarded-proto": "https", "x-amzn-trace-id": TRACE},
            "multiValueHeaders": {"auth": ["user1"], "content-length": ["3"], "host": [HOST], "x-forwarded-for": ["192.0.2.1"],
                "x-forwarded-port": ["443"], "x-forwarded-proto": ["https"], "x-amzn-trace-id": [TRACE]},
            "queryStringParameters": {"q": "4", "r": "2"}, "multiValueQueryStringParameters": {"q": ["4"], "r": ["1", "2"]},
            "pathParameters": {"id": "a"}, "stageVariables": {"StageVar1": "stageValue1"},
            "requestContext": {
                "resourceId": null, "resourcePath": "/{id}", "httpMethod": "GET", "extendedRequestId": "_______________=",
                "requestTime": "17/Jun/2024:15:02:03 +0000", "path": "/a", "accountId": "123456789012", "protocol": "HTTP/1.1",
                "stage": "$default", "domainPrefix": "id", "requestTimeEpoch": 1_718_636_523_035_u64,
                "requestId": "_______________=",
                "identity": {"cognitoIdentityPoolId": null, "accountId": null, "cognitoIdentityId": null, "caller": null,
                    "sourceIp": "192.0.2.1", "principalOrgId": null, "accessKey": null, "cognitoAuthenticationType": null,
                    "cognitoAuthenticationProvider": null, "userArn": null, "userAgent": null, "user": null},
                "domainName": "id.execute-api.eu-west-1.amazonaws.com", "apiId": "apiid",
            },
        });
        let settings = json!({"type": "request", "authorizerPayloadFormatVersion": "1.0",
            "identitySource": "$request.header.auth, $request.querystring.q"});
        assert_eq!(event(settings, &context), wanted.to_string());
    }

    #[test]
    fn the_second_format_of_an_http_api_is_the_captured_one() {
        let headers =
            [("accept", "*/*"), ("authorization", "Bearer foo"), ("user-agent", "HTTPie/3.2.2"), ("cookie", "cookie1; cookie2")];
        let context = request(Protocol::Http, "POST", "/lambda", &headers);
        let mut wanted = json!({
            "version": "2.0", "type": "REQUEST",
            "routeArn": "arn:aws:execute-api:eu-west-1:123456789012:apiid/$default/POST/lambda",
            "identitySource": ["Bearer foo"],
            "routeKey": "POST /{id}", "rawPath": "/lambda", "rawQueryString": "", "cookies": ["cookie1", "cookie2"],
            "headers": {"accept": "*/*", "authorization": "Bearer foo", "user-agent": "HTTPie/3.2.2", "content-length": "0",
                "host": HOST, "x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443", "x-forwarded-proto": "https",
                "x-amzn-trace-id": TRACE},
            "requestContext": {
                "accountId": "123456789012", "apiId": "apiid", "domainName": "id.execute-api.eu-west-1.amazonaws.com",
                "domainPrefix": "id",
                "http": {"method": "POST", "path": "/lambda", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                    "userAgent": "HTTPie/3.2.2"},
                "requestId": "_______________=", "routeKey": "POST /{id}", "stage": "$default",
                "time": "17/Jun/2024:15:02:03 +0000", "timeEpoch": 1_718_636_523_035_u64,
            },
        });
        let mut settings = json!({"type": "request", "authorizerPayloadFormatVersion": "2.0",
            "identitySource": "$request.header.Authorization"});
        assert_eq!(event(settings.clone(), &context), wanted.to_string());
        settings["identitySource"] = Value::Null;
        wanted["identitySource"] = Value::Null;
        assert_eq!(event(settings, &context), wanted.to_string());
    }
}
