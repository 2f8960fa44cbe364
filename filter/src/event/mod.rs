//! The events that Lambda functions get: what authorizers and proxy integrations have in common. [`rest`] is payload format 1.0,
//! [`http`] is 2.0.
//!
//! AWS: "Input to an API Gateway Lambda authorizer", "Control access to HTTP APIs with AWS Lambda authorizers", "Lambda proxy
//! integrations in API Gateway", "Create AWS Lambda proxy integrations for HTTP APIs". The key sets of authorizer events were
//! captured on AWS by the authors of powertools-lambda-typescript (issue 2624), those of proxy events were recorded
//! (`test_lambda_aws_proxy_integration`). Header names keep the case that the proxy gives them, which is lower; those that the
//! gateway adds are spelled as AWS does.

mod fields;
pub mod http;
mod proxy;
pub mod rest;

pub use proxy::{PayloadFormat, proxy_event};

use crate::context::Context;
use crate::definition::partition;

/// The longest ARN of a guarded method, in bytes: AWS answers 414 `Request URI too long` beyond it (documented).
pub const METHOD_ARN_LIMIT: usize = 1_600;

/// `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/VERB/PATH`: what a policy is evaluated against, `methodArn` and `routeArn` of the
/// events (captured: `…/prod/POST/lambda-request`, `…/$default/POST/lambda`).
///
/// The path is the one that was routed: below the stage, as it was sent, and without the slashes at its end that the route table
/// does not look at. assumed(method-arn-slash): a policy that denies `GET/admin` must not let `/admin/` through.
pub fn method_arn(context: &Context) -> String {
    let stage = context.stage.as_deref();
    let region = stage.map_or("", |stage| &stage.region);
    let account = stage.map_or("", |stage| &stage.account_id);
    let api = stage.map_or("", |stage| &stage.api_id);
    let name = stage.map_or("", |stage| &stage.stage);
    let path = context.stage_path.trim_matches('/');
    format!("arn:{}:execute-api:{region}:{account}:{api}/{name}/{}/{path}", partition(region), context.request.method)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::context::{Ids, RouteFacts, StageFacts};
    use crate::definition::Protocol;
    use crate::http::RequestHead;
    use crate::platform::Still;
    use std::sync::Arc;

    pub(crate) const STILL: Still = Still { now_millis: 1_718_636_523_035, source_address: Some("192.0.2.1:1234") };

    /// A request to `/{id}` (route key `METHOD /{id}`) of the stage `prod`, or `$default` of an HTTP API.
    pub(crate) fn request(protocol: Protocol, method: &str, target: &str, headers: &[(&str, &str)]) -> Context {
        let pairs = [(":method", method), (":path", target), (":authority", "id.execute-api.eu-west-1.amazonaws.com:443")];
        let pairs = pairs.iter().chain(&[(":scheme", "https")]).chain(headers);
        let pairs = pairs.map(|(name, value)| (*name, value.as_bytes()));
        let mut context = Context::new(Ids::new([0xff; 16]), RequestHead::from_pairs(pairs));
        let stage = if protocol == Protocol::Rest { "prod" } else { "$default" };
        let path = context.path.as_ref().map(|path| path.path().to_owned()).unwrap();
        let below = if protocol == Protocol::Rest { path.strip_prefix("/prod").unwrap() } else { &path };
        context.stage_path = if below.is_empty() { "/".to_owned() } else { below.to_owned() };
        context.protocol = protocol;
        context.stage = Some(Arc::new(StageFacts {
            api_id: "apiid".to_owned(),
            deployment_id: "dep1oy".to_owned(),
            account_id: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            stage: stage.to_owned(),
            ..StageFacts::default()
        }));
        context.route = Some(Arc::new(RouteFacts {
            resource_path: "/{id}".to_owned(),
            route_key: format!("{method} /{{id}}"),
            resource_id: "w567jh".to_owned(),
        }));
        context
    }

    #[test]
    fn the_arn_of_a_method_is_made_of_the_path_as_routed() {
        let arn = |target| method_arn(&request(Protocol::Rest, "GET", target, &[]));
        let base = "arn:aws:execute-api:eu-west-1:123456789012:apiid/prod/GET";
        assert_eq!(arn("/prod/pets/a%2Fb?x=1"), format!("{base}/pets/a%2Fb"));
        assert_eq!(arn("/prod"), format!("{base}/"));
        assert_eq!(arn("/prod/"), format!("{base}/"));
        for target in ["/prod/admin", "/prod/admin/", "/prod/admin//", "/prod//admin"] {
            assert_eq!(arn(target), format!("{base}/admin"), "{target}");
        }
        let http = method_arn(&request(Protocol::Http, "POST", "/lambda", &[]));
        assert_eq!(http, "arn:aws:execute-api:eu-west-1:123456789012:apiid/$default/POST/lambda");
    }

    #[test]
    fn china_and_the_government_cloud_have_arns_of_their_own() {
        assert_eq!([partition("cn-north-1"), partition("us-gov-west-1"), partition("us-east-1")], ["aws-cn", "aws-us-gov", "aws"]);
    }
}
