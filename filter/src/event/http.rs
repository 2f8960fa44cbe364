//! Payload format 2.0: what functions get from HTTP APIs. What there is none of is absent, never null (measured: ministack).

use super::fields::{Audience, decoded_path, headers, joined, query, stage_variables};
use crate::context::Context;
use crate::platform::Platform;
use serde_json::{Map, Value};

/// The request: from `routeKey` to `stageVariables`. `version`, the body and what an authorizer gets in front are the caller's.
pub fn request(context: &Context, platform: &dyn Platform) -> Map<String, Value> {
    let raw_query = context.path.as_ref().and_then(|path| path.query()).unwrap_or_default();
    let (cookies, headers): (Vec<_>, Vec<_>) =
        headers(context, Audience::Integration, platform).into_iter().partition(|(name, _)| name == "cookie");
    let cookies = cookies.iter().flat_map(|(_, line)| line.split(';')).map(str::trim);
    let cookies: Vec<Value> = cookies.filter(|cookie| !cookie.is_empty()).map(Value::from).collect();
    let parameter = |(name, value): &(String, String)| (name.clone(), Value::from(decoded_path(value)));
    let members = [
        ("routeKey", variable("routeKey", context, platform)),
        ("rawPath", Some(Value::from(path(context)))),
        ("rawQueryString", Some(Value::from(raw_query))),
        ("cookies", Some(Value::Array(cookies)).filter(|cookies| cookies.as_array().is_some_and(|list| !list.is_empty()))),
        ("headers", Some(Value::Object(joined(&headers)))),
        ("queryStringParameters", unless_empty(joined(&query(context)))),
        ("requestContext", Some(Value::Object(request_context(context, platform)))),
        ("pathParameters", unless_empty(context.path_parameters.iter().map(parameter).collect())),
        ("stageVariables", unless_empty(stage_variables(context))),
    ];
    present(members)
}

/// `requestContext`, without what an authorizer adds.
pub fn request_context(context: &Context, platform: &dyn Platform) -> Map<String, Value> {
    let value = |name: &str| variable(name, context, platform);
    let http = present([
        ("method", value("httpMethod")),
        ("path", Some(Value::from(path(context)))),
        ("protocol", value("protocol")),
        ("sourceIp", value("identity.sourceIp")),
        ("userAgent", value("identity.userAgent")),
    ]);
    present([
        ("accountId", value("accountId")),
        ("apiId", value("apiId")),
        ("domainName", value("domainName")),
        ("domainPrefix", value("domainPrefix")),
        ("http", Some(Value::Object(http))),
        // The only id that HTTP APIs give to a request (captured).
        ("requestId", value("extendedRequestId")),
        ("routeKey", value("routeKey")),
        ("stage", value("stage")),
        ("time", value("requestTime")),
        ("timeEpoch", Some(Value::from(context.received_millis(platform)))),
    ])
}

/// The path below the stage, behind the stage's name unless that is `$default` (measured: powertools, issue 621); the base path of a
/// custom domain is not in it (documented; measured: serverless-express, issue 465).
fn path(context: &Context) -> String {
    let sent = context.path.as_ref().map_or("/", |path| path.path());
    let stage = context.stage.as_ref().map_or("$default", |stage| stage.stage.as_str());
    let path = match sent.strip_prefix('/') {
        _ if stage == "$default" => context.stage_path.clone(),
        // Without the slash at its end, as it was sent.
        Some(only) if only == stage => sent.to_owned(),
        _ => ["/", stage, &context.stage_path].concat(),
    };
    decoded_path(&path)
}

fn variable(name: &str, context: &Context, platform: &dyn Platform) -> Option<Value> {
    context.variable(name, platform).map(Value::from)
}

fn unless_empty(map: Map<String, Value>) -> Option<Value> {
    Some(Value::Object(map)).filter(|map| map.as_object().is_some_and(|members| !members.is_empty()))
}

fn present<const N: usize>(members: [(&str, Option<Value>); N]) -> Map<String, Value> {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{STILL, request as context};
    use super::*;
    use crate::context::StageFacts;
    use crate::definition::Protocol;
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn a_full_event_joins_what_is_repeated_and_takes_the_cookies_out_of_the_headers() {
        let headers = [
            ("header2", "value1"),
            ("header2", "value2"),
            ("cookie", "cookie1; cookie2; "),
            ("cookie", "c3=x"),
            ("user-agent", "agent"),
            ("content-length", "17"),
        ];
        let mut context = context(Protocol::Http, "POST", "/my%20path/?p=1&p=a%20b&q=", &headers);
        context.path_parameters = vec![("id".to_owned(), "my%20path".to_owned())];
        if let Some(stage) = &mut context.stage {
            Arc::make_mut(stage).variables.insert("v".to_owned(), "1".to_owned());
        }
        let host = "id.execute-api.eu-west-1.amazonaws.com:443";
        assert_eq!(
            Value::Object(request(&context, &STILL)),
            json!({
                "routeKey": "POST /{id}", "rawPath": "/my path/", "rawQueryString": "p=1&p=a%20b&q=",
                "cookies": ["cookie1", "cookie2", "c3=x"],
                "headers": {"header2": "value1,value2", "user-agent": "agent", "content-length": "17", "host": host,
                    "x-forwarded-for": "192.0.2.1", "x-forwarded-port": "443", "x-forwarded-proto": "https",
                    "x-amzn-trace-id": "Root=1-66704feb-ffffffffffffffffffffffff"},
                "queryStringParameters": {"p": "1,a b", "q": ""},
                "requestContext": {
                    "accountId": "123456789012", "apiId": "apiid", "domainName": "id.execute-api.eu-west-1.amazonaws.com",
                    "domainPrefix": "id", "http": {"method": "POST", "path": "/my path/", "protocol": "HTTP/1.1",
                        "sourceIp": "192.0.2.1", "userAgent": "agent"},
                    "requestId": "_______________=", "routeKey": "POST /{id}", "stage": "$default",
                    "time": "17/Jun/2024:15:02:03 +0000", "timeEpoch": 1_718_636_523_035_u64,
                },
                "pathParameters": {"id": "my path"}, "stageVariables": {"v": "1"},
            })
        );
    }

    #[test]
    fn the_raw_path_has_the_stage_whatever_the_base_path_is() {
        let raw_path = |stage: &str, sent: &str, below: &str| {
            let mut context = context(Protocol::Http, "GET", sent, &[]);
            context.stage_path = below.to_owned();
            context.stage = Some(Arc::new(StageFacts { stage: stage.to_owned(), ..StageFacts::default() }));
            path(&context)
        };
        for (stage, sent, below, wanted) in [
            ("$default", "/pets/", "/pets/", "/pets/"),
            ("$default", "/v1/shop/pets", "/pets", "/pets"),
            ("dev", "/dev/a%20b", "/a%20b", "/dev/a b"),
            ("dev", "/dev", "/", "/dev"),
            ("dev", "/dev/", "/", "/dev/"),
            ("dev", "/v1/shop/pets", "/pets", "/dev/pets"),
            ("dev", "/pets", "/pets", "/dev/pets"),
        ] {
            assert_eq!(raw_path(stage, sent, below), wanted, "{sent}");
        }
    }

    #[test]
    fn what_there_is_none_of_is_absent() {
        let event = request(&context(Protocol::Http, "GET", "/", &[]), &STILL);
        let names: Vec<_> = event.keys().map(String::as_str).collect();
        assert_eq!(names, ["routeKey", "rawPath", "rawQueryString", "headers", "requestContext"]);
        let http = event["requestContext"]["http"].as_object().unwrap();
        assert!(!http.contains_key("userAgent") && event.values().all(|value| !value.is_null()));
    }
}
