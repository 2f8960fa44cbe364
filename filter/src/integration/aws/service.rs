//! A service of AWS: `arn:aws:apigateway:REGION:SERVICE:path/PATH` is a REST call of it, `…:action/NAME` one of its actions.
//! `SUBDOMAIN.SERVICE` puts a name in front of the service's host. AWS: `uri` under "Integration" of the REST API reference.

use super::encoding::strictly_encoded;
use super::json_services;
use crate::context::Context;
use crate::definition::{Endpoint, Node, Signing, partition};
use crate::gateway_response::Failure;
use crate::http::{CanonicalPath, RequestHead, is_valid_host};
use crate::integration::custom::{Target, own_headers};
use crate::integration::function::help_with;
use crate::integration::parameters::{Mapped, RequestParameters};
use crate::integration::request_line::{compile_method, target, warn_of_unfilled};
use crate::integration::uri::{Uri, UriValue, with_stage_variables};
use crate::integration::{Scope, timeout_millis};
use crate::platform::Platform;
use std::collections::BTreeMap;

/// A compiled call of a service.
#[derive(Debug)]
pub struct Service {
    /// None: no service once the stage variables are in; every request is answered 500.
    call: Option<Call>,
    method: Option<&'static str>,
    cluster: String,
    timeout_millis: u64,
}

/// What `uri` says.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    uri: Uri,
    /// What names an action of a JSON service.
    headers: Vec<(&'static str, String)>,
    signing: Signing,
    /// `dynamodb:action/Query`
    name: String,
}

/// Services that are signed under another name than they have in the host.
const SIGNED_AS: [(&str, &str); 3] = [("appconfigdata", "appconfig"), ("bedrock-runtime", "bedrock"), ("email", "ses")];

/// Services with one host for all regions of a partition, which are signed for one region.
const GLOBAL: [&str; 3] = ["cloudfront", "iam", "route53"];

const HELP: &str = "write `arn:aws:apigateway:REGION:SERVICE:path/PATH` or `arn:aws:apigateway:REGION:SERVICE:action/NAME`";

// === impl Service ===

impl Service {
    /// Reads the service of an integration.
    pub fn compile(node: &Node<'_>, parameters: &RequestParameters, scope: &mut Scope<'_, '_>) -> Self {
        if node.get("httpMethod").is_none() {
            let help = "name the method of the service's API, or `ANY` for the client's own";
            scope.problems.error(&node.path, "no `httpMethod`", Some(help));
        }
        let call = compile_call(node, scope);
        let mut cluster = String::new();
        if let (Some(call), Some(place)) = (&call, node.get("uri")) {
            warn_of_unfilled(&call.uri, parameters, node, scope);
            let authority = call.uri.authority.clone();
            let signing = Some(call.signing.clone());
            cluster = scope.cluster(Endpoint { name: authority.clone(), scheme: "https".to_owned(), authority, signing }, &place);
        }
        Self { call, method: compile_method(node, scope), cluster, timeout_millis: timeout_millis(node, scope) }
    }
}

fn compile_call(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Option<Call> {
    let Some(uri) = node.get("uri") else {
        scope.problems.error(&node.path, "no `uri`", Some(HELP));
        return None;
    };
    let text = uri.string(scope.problems)?;
    let call = Call::parse(text, scope.variables);
    if call.is_none() {
        let named = with_stage_variables(text, scope.variables);
        if text.contains("${stageVariables.") {
            let message = format!("`{named}` is no service of AWS; every request is answered 500");
            scope.problems.warning(&uri.path, message, Some("set the stage variable"));
        } else {
            scope.problems.error(&uri.path, format!("`{named}` is no service of AWS"), Some(help_with(text, HELP)));
        }
    }
    call
}

// === impl Call ===

impl Call {
    fn parse(text: &str, variables: &BTreeMap<String, String>) -> Option<Self> {
        let text = with_stage_variables(text, variables);
        let mut parts = text.splitn(6, ':');
        let (arn, of, gateway) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, service, spec) = (parts.next()?.to_ascii_lowercase(), parts.next()?, parts.next()?);
        let is_label = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if arn != "arn" || gateway != "apigateway" || of != partition(&region) || !is_label(&region) {
            return None;
        }
        let service = service.to_ascii_lowercase();
        let name = service.rsplit('.').next().unwrap_or_default();
        let (kind, spec) = spec.split_once('/')?;
        let domain = if of == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        let is_global = GLOBAL.contains(&name);
        let host = if is_global { format!("{service}.{domain}") } else { format!("{service}.{region}.{domain}") };
        if !is_label(name) || !is_valid_host(host.as_bytes()) || host.contains('{') {
            return None;
        }
        let mut headers = Vec::new();
        let target = match kind {
            "path" => spec.to_owned(),
            "action" if is_label(spec) => match json_services::headers(name, spec) {
                Some(named) => {
                    headers.extend(named);
                    String::new()
                }
                None => format!("?Action={spec}"),
            },
            _ => return None,
        };
        let uri = Uri::compile(&format!("https://{host}/{target}"), variables).ok()?;
        // With every parameter filled by a letter: what is wrong then is wrong for every request.
        CanonicalPath::parse(uri.path(&|_| Some(UriValue::Plain(b"x".to_vec()))).as_bytes()).ok()?;
        let signed_as = SIGNED_AS.iter().find(|(known, _)| *known == name).map_or(name, |(_, signed)| signed);
        let region = if is_global { "us-east-1".to_owned() } else { region };
        Some(Self {
            uri,
            headers,
            signing: Signing { service: signed_as.to_owned(), region },
            name: format!("{service}:{kind}/{spec}"),
        })
    }
}

impl Target for Service {
    fn method(&self) -> Option<&'static str> {
        self.method
    }

    fn cluster(&self) -> &str {
        &self.cluster
    }

    fn timeout_millis(&self) -> u64 {
        self.timeout_millis
    }

    fn head(&self, method: &str, mapped: &Mapped, context: &Context, platform: &dyn Platform) -> Result<RequestHead, Failure> {
        let call = self.call.as_ref().ok_or_else(Failure::configuration)?;
        let mut headers = own_headers(context, platform);
        for (name, value) in &call.headers {
            headers.set(*name, value.as_str());
        }
        Ok(RequestHead {
            method: method.to_owned(),
            path: strictly_encoded(&target(&call.uri, mapped, "", "")?),
            authority: call.uri.authority.clone().into_bytes(),
            scheme: "https".to_owned(),
            headers,
        })
    }

    fn summary(&self) -> String {
        let name = self.call.as_ref().map_or("(no service)", |call| &call.name);
        format!("AWS {}{}{name}", self.method.unwrap_or_default(), if self.method.is_some() { " " } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> Option<Call> {
        Call::parse(text, &[("table".to_owned(), "t".to_owned()), ("region".to_owned(), "eu-west-1".to_owned())].into())
    }

    fn target_of(call: &Call) -> String {
        let value = |_: &str| Some(UriValue::Encoded("a/b".to_owned()));
        let query = call.uri.query(&value);
        format!("{}{}{}{query}", call.uri.authority, call.uri.path(&value), if query.is_empty() { "" } else { "?" })
    }

    #[test]
    fn a_path_is_called_at_the_services_host() {
        for (uri, target, service, region) in [
            ("us-east-1:s3:path/bucket/{key}", "s3.us-east-1.amazonaws.com/bucket/a/b", "s3", "us-east-1"),
            ("${stageVariables.region}:bucket.s3:path/{key}?x=1", "bucket.s3.eu-west-1.amazonaws.com/a/b?x=1", "s3", "eu-west-1"),
            ("us-east-1:sqs:path/123456789012/queue", "sqs.us-east-1.amazonaws.com/123456789012/queue", "sqs", "us-east-1"),
            ("us-east-1:sns:path//", "sns.us-east-1.amazonaws.com//", "sns", "us-east-1"),
            ("us-east-1:sqs:path/", "sqs.us-east-1.amazonaws.com/", "sqs", "us-east-1"),
            ("eu-west-1:iam:action/ListUsers", "iam.amazonaws.com/?Action=ListUsers", "iam", "us-east-1"),
            ("eu-west-1:email:action/SendEmail", "email.eu-west-1.amazonaws.com/?Action=SendEmail", "ses", "eu-west-1"),
            (
                "us-east-1:runtime.sagemaker:path/endpoints/e/invocations",
                "runtime.sagemaker.us-east-1.amazonaws.com/endpoints/e/invocations",
                "sagemaker",
                "us-east-1",
            ),
        ] {
            let call = call(&format!("arn:aws:apigateway:{uri}")).unwrap();
            assert_eq!(target_of(&call), target);
            assert_eq!((call.signing.service.as_str(), call.signing.region.as_str()), (service, region));
        }
        assert_eq!(target_of(&call("arn:aws-cn:apigateway:cn-north-1:s3:path/b").unwrap()), "s3.cn-north-1.amazonaws.com.cn/b");
    }

    #[test]
    fn an_action_is_named_as_its_service_wants_it() {
        let query = call("arn:aws:apigateway:us-east-1:dynamodb:action/Query").unwrap();
        assert_eq!(target_of(&query), "dynamodb.us-east-1.amazonaws.com/");
        assert_eq!(query.headers.first(), Some(&("x-amz-target", "DynamoDB_20120810.Query".to_owned())));
        assert_eq!(query.name, "dynamodb:action/Query");
        let publish = call("arn:aws:apigateway:us-east-1:sns:action/Publish").unwrap();
        assert_eq!(target_of(&publish), "sns.us-east-1.amazonaws.com/?Action=Publish");
        assert!(publish.headers.is_empty());
    }

    #[test]
    fn what_is_no_service_is_refused() {
        for text in [
            "",
            "https://s3.amazonaws.com/x",
            "arn:aws:s3:::bucket",
            "arn:aws:apigateway:us-east-1:s3:bucket/key",
            "arn:aws:apigateway:us-east-1:s3:path",
            "arn:aws:apigateway::s3:path/x",
            "arn:aws:apigateway:evil.test/:s3:path/x",
            "arn:aws:apigateway:us-east-1:s3@evil:path/x",
            "arn:aws:apigateway:us-east-1:{x}.s3:path/x",
            "arn:aws:apigateway:us-east-1:sns:action/Publish&X=1",
            "arn:aws:apigateway:us-east-1:sns:action/",
            "arn:aws:apigateway:us-east-1:s3:path/a/../b",
            "arn:aws:apigateway:${stageVariables.none}:s3:path/x",
            "arn:aws-cn:apigateway:us-east-1:s3:path/x",
        ] {
            assert_eq!(call(text), None, "{text}");
        }
    }
}
