//! Payload format 1.0: what functions get from REST APIs, and from HTTP APIs that ask for it.

pub use super::fields::Audience;

use super::fields::{decoded_path, every, headers, last, query, resource, stage_variables};
use crate::context::{Context, IDENTITY, IDENTITY_IF_KNOWN};
use crate::definition::Protocol;
use crate::platform::Platform;
use serde_json::{Map, Value};

/// The request: from `resource` to `requestContext`. `version`, the body and what an authorizer gets in front are the caller's.
pub fn request(context: &Context, audience: Audience, platform: &dyn Platform) -> Map<String, Value> {
    let headers = headers(context, audience, platform);
    let query = query(context);
    let is_http = context.protocol == Protocol::Http;
    let parameter = |(name, value): &(String, String)| {
        let value = if is_http { decoded_path(value) } else { value.clone() };
        (name.clone(), Value::from(value))
    };
    let maps = [
        ("headers", last(&headers)),
        ("multiValueHeaders", every(&headers)),
        ("queryStringParameters", last(&query)),
        ("multiValueQueryStringParameters", every(&query)),
        ("pathParameters", context.path_parameters.iter().map(parameter).collect()),
        ("stageVariables", stage_variables(context)),
    ];
    let mut event = Map::new();
    event.insert("resource".to_owned(), resource(context));
    event.insert("path".to_owned(), Value::from(path(context)));
    event.insert("httpMethod".to_owned(), Value::from(context.request.method.as_str()));
    for (name, map) in maps {
        // Empty maps: `{}` for authorizers (captured), `null` for integrations (recorded).
        let value = if map.is_empty() && audience == Audience::Integration { Value::Null } else { Value::Object(map) };
        event.insert(name.to_owned(), value);
    }
    event.insert("requestContext".to_owned(), Value::Object(request_context(context, platform)));
    event
}

/// Without the stage in REST APIs, but with the base path of a custom domain (measured: powertools); with both in HTTP APIs.
fn path(context: &Context) -> String {
    let full = context.path.as_ref().map_or(context.stage_path.as_str(), |path| path.path());
    if context.protocol == Protocol::Http {
        return decoded_path(full);
    }
    let first = full.trim_start_matches('/').split('/').next();
    let is_stage = context.stage.as_ref().is_some_and(|stage| first == Some(stage.stage.as_str()));
    if is_stage { context.stage_path.clone() } else { full.to_owned() }
}

/// `requestContext`, without what an authorizer adds.
pub fn request_context(context: &Context, platform: &dyn Platform) -> Map<String, Value> {
    let is_http = context.protocol == Protocol::Http;
    let value = |name: &str| context.variable(name, platform).map_or(Value::Null, Value::from);
    let identity = |name: &str| value(&format!("identity.{name}"));
    let known = IDENTITY_IF_KNOWN.iter().map(|name| (*name, identity(name))).filter(|(_, value)| !value.is_null());
    let identity = IDENTITY.iter().map(|name| (*name, identity(name))).chain(known);
    let identity: Map<_, _> = identity.map(|(name, value)| (name.to_owned(), value)).collect();
    // HTTP APIs have one id for a request (captured), and no id for a resource (documented).
    let request_id = if is_http { "extendedRequestId" } else { "requestId" };
    let members = [
        ("resourceId", if is_http { Value::Null } else { value("resourceId") }),
        ("resourcePath", resource(context)),
        ("httpMethod", value("httpMethod")),
        ("extendedRequestId", value("extendedRequestId")),
        ("requestTime", value("requestTime")),
        ("path", value("path")),
        ("accountId", value("accountId")),
        ("protocol", value("protocol")),
        ("stage", value("stage")),
        ("domainPrefix", value("domainPrefix")),
        ("requestTimeEpoch", Value::from(context.received_millis(platform))),
        ("requestId", value(request_id)),
        ("identity", Value::Object(identity)),
        ("domainName", value("domainName")),
        ("deploymentId", value("deploymentId")),
        ("apiId", value("apiId")),
    ];
    // What the two products have in common but deployments (documented: no such key for HTTP APIs).
    let members = members.into_iter().filter(|(name, _)| !(is_http && *name == "deploymentId"));
    members.map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{STILL, request as context};
    use super::*;
    use crate::context::StageFacts;
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn a_proxy_event_has_the_recorded_keys_and_null_for_empty_maps() {
        let context = context(Protocol::Rest, "POST", "/prod/3", &[("user-agent", "test/integration")]);
        let event = Value::Object(request(&context, Audience::Integration, &STILL));
        let identity = json!({
            "accessKey": null, "accountId": null, "caller": null, "cognitoAuthenticationProvider": null,
            "cognitoAuthenticationType": null, "cognitoIdentityId": null, "cognitoIdentityPoolId": null, "principalOrgId": null,
            "sourceIp": "192.0.2.1", "user": null, "userAgent": "test/integration", "userArn": null,
        });
        let host = "id.execute-api.eu-west-1.amazonaws.com:443";
        assert_eq!(
            event,
            json!({
                "resource": "/{id}", "path": "/3", "httpMethod": "POST",
                "headers": {"user-agent": "test/integration", "Host": host, "X-Forwarded-For": "192.0.2.1",
                    "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https",
                    "X-Amzn-Trace-Id": "Root=1-66704feb-ffffffffffffffffffffffff"},
                "multiValueHeaders": {"user-agent": ["test/integration"], "Host": [host], "X-Forwarded-For": ["192.0.2.1"],
                    "X-Forwarded-Port": ["443"], "X-Forwarded-Proto": ["https"],
                    "X-Amzn-Trace-Id": ["Root=1-66704feb-ffffffffffffffffffffffff"]},
                "queryStringParameters": null, "multiValueQueryStringParameters": null,
                "pathParameters": null, "stageVariables": null,
                "requestContext": {
                    "accountId": "123456789012", "apiId": "apiid", "deploymentId": "dep1oy",
                    "domainName": "id.execute-api.eu-west-1.amazonaws.com", "domainPrefix": "id",
                    "extendedRequestId": "_______________=", "httpMethod": "POST", "identity": identity, "path": "/prod/3",
                    "protocol": "HTTP/1.1", "requestId": "ffffffff-ffff-4fff-bfff-ffffffffffff",
                    "requestTime": "17/Jun/2024:15:02:03 +0000", "requestTimeEpoch": 1_718_636_523_035_u64,
                    "resourceId": "w567jh", "resourcePath": "/{id}", "stage": "prod",
                },
            })
        );
    }

    #[test]
    fn single_maps_have_the_last_value_and_multi_maps_all_of_them_in_order() {
        let mut context = context(Protocol::Rest, "GET", "/prod/a%2Fb?q=1&q=%32", &[("x-a", "1"), ("x-b", "b"), ("x-a", "2")]);
        context.path_parameters = vec![("id".to_owned(), "a%2Fb".to_owned())];
        let event = Value::Object(request(&context, Audience::Integration, &STILL));
        assert_eq!((&event["headers"]["x-a"], &event["multiValueHeaders"]["x-a"]), (&json!("2"), &json!(["1", "2"])));
        assert_eq!(event["queryStringParameters"], json!({"q": "2"}));
        assert_eq!(event["multiValueQueryStringParameters"], json!({"q": ["1", "2"]}));
        assert_eq!(event["pathParameters"], json!({"id": "a%2Fb"}));
    }

    #[test]
    fn the_path_loses_its_stage_and_keeps_a_base_path() {
        let mut context = context(Protocol::Rest, "GET", "/prod/v1/x/", &[]);
        assert_eq!(path(&context), "/v1/x/");
        context.stage = Some(Arc::new(StageFacts { stage: "other".to_owned(), ..StageFacts::default() }));
        assert_eq!(path(&context), "/prod/v1/x/");
    }

    #[test]
    fn an_http_api_has_one_id_no_resource_id_and_lower_case_names() {
        let context = context(Protocol::Http, "GET", "/a%20b", &[("X-Mixed", "1")]);
        let event = Value::Object(request(&context, Audience::Integration, &STILL));
        assert_eq!(event["path"], "/a b");
        assert_eq!(event["requestContext"]["requestId"], "_______________=");
        assert_eq!(event["requestContext"]["resourceId"], Value::Null);
        assert!(event["requestContext"].get("deploymentId").is_none());
        let names: Vec<_> = event["headers"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["x-mixed", "content-length", "host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id"]
        );
    }
}
