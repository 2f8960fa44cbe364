//! Where a function is. The Invoke API of Lambda by ARN, as AWS wants it, or, for authorizers, a plain URL, such as a function's own:
//! that one gets the same event by POST.

use crate::definition::{Endpoint, Node, Protocol, Signing};
use crate::http::is_valid_host;
use crate::problem::Problems;
use std::collections::BTreeMap;

/// Where a function is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// `http` or `https`
    pub scheme: &'static str,
    /// Host and port, lower case.
    pub authority: String,
    /// The target, with its query.
    pub path: String,
    /// Of the Invoke API.
    region: Option<String>,
}

const FUNCTIONS: &str = "/2015-03-31/functions/";
const INVOCATIONS: &str = "/invocations";
const HELP: &str =
    "write `arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION_ARN/invocations`, or the URL of a function";

// === impl Function ===

impl Function {
    /// Reads the URI of an authorizer's function.
    pub fn of_authorizer(uri: &Node<'_>, variables: &BTreeMap<String, String>, problems: &mut Problems) -> Option<Self> {
        let text = uri.string(problems)?;
        let text = match with_stage_variables(text, variables) {
            Ok(text) => text,
            Err(name) => {
                // AWS answers 500 to every request.
                let message = format!("stage variable `{name}` is not set: there is no function to ask");
                problems.error(&uri.path, message, Some("set it for every stage"));
                return None;
            }
        };
        let endpoint = Self::of_arn(&text).or_else(|| Self::of_url(&text));
        if endpoint.is_none() {
            problems.error(&uri.path, format!("`{text}` is no function"), Some(HELP));
        }
        endpoint
    }

    /// What it is called for people: its ARN's last part, or what stands in the place of an ARN.
    pub fn name(&self) -> &str {
        let named = self.path.strip_prefix(FUNCTIONS).and_then(|rest| rest.strip_suffix(INVOCATIONS)).unwrap_or(&self.path);
        named.split_once(":function:").map_or(named, |(_, name)| name)
    }

    /// Reads the URI of an integration: that of the Invoke API, or, in HTTP APIs, the function's own ARN.
    pub fn of_integration(text: &str, protocol: Protocol) -> Option<Self> {
        let mut parts = text.split(':');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("arn"), Some(partition), Some("lambda"), Some(region)) if protocol == Protocol::Http => {
                Self::of_arn(&format!("arn:{partition}:apigateway:{region}:lambda:path{FUNCTIONS}{text}{INVOCATIONS}"))
            }
            _ => Self::of_arn(text),
        }
    }

    /// Reads the URI of the Invoke API: `arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION/invocations`.
    fn of_arn(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, target, path) = (parts.next()?, parts.next()?, parts.next()?);
        let function = path.strip_prefix("path")?.strip_prefix(FUNCTIONS)?.strip_suffix(INVOCATIONS)?;
        let is_region = !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if (arn, service, target) != ("arn", "apigateway", "lambda") || !is_region || !is_function(function) {
            return None;
        }
        let domain = match partition {
            "aws" | "aws-us-gov" => "amazonaws.com",
            "aws-cn" => "amazonaws.com.cn",
            _ => return None,
        };
        // The colons of the ARN stay as they are, which a path segment may have (RFC 3986, section 3.3).
        let region = region.to_ascii_lowercase();
        Some(Self {
            scheme: "https",
            authority: format!("lambda.{region}.{domain}"),
            path: format!("{FUNCTIONS}{function}{INVOCATIONS}"),
            region: Some(region),
        })
    }

    fn of_url(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => "http",
            "https" => "https",
            _ => return None,
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end)?;
        let is_target = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'{' | b'}');
        if !is_valid_host(authority.as_bytes()) || !target.bytes().all(is_target) {
            return None;
        }
        let path = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Some(Self { scheme, authority: authority.to_ascii_lowercase(), path, region: None })
    }

    /// The upstream to call.
    pub fn endpoint(&self) -> Endpoint {
        let signing = self.region.clone().map(|region| Signing { service: "lambda".to_owned(), region });
        Endpoint { name: self.authority.clone(), scheme: self.scheme.to_owned(), authority: self.authority.clone(), signing }
    }
}

/// A name or an ARN, with or without a version: `[A-Za-z0-9-_.]`, colons, and `$LATEST` (documented: "Invoke", Lambda API). No part
/// is empty, as one is that a stage variable should have named.
fn is_function(text: &str) -> bool {
    let is_part = |part: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'$');
        !part.is_empty() && part.bytes().all(is_plain) && !matches!(part, "." | "..")
    };
    text.split(':').all(is_part)
}

/// Puts in `${stageVariables.x}`; the name of one that is not set is the error.
fn with_stage_variables<'t>(text: &'t str, variables: &BTreeMap<String, String>) -> Result<String, &'t str> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${stageVariables.") {
        // Without its end it stays, and makes the text no function.
        let Some((name, tail)) = after.split_once('}') else { break };
        out.push_str(before);
        out.push_str(variables.get(name).filter(|value| !value.is_empty()).ok_or(name)?);
        rest = tail;
    }
    Ok(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn compile(text: &str) -> Result<Function, String> {
        let value = Value::from(text);
        let mut problems = Problems::default();
        let variables = [("fn".to_owned(), "authz:live".to_owned()), ("bad".to_owned(), "a/b".to_owned())].into();
        let endpoint = Function::of_authorizer(&Node::root(&value), &variables, &mut problems);
        endpoint.ok_or_else(|| problems.into_vec().remove(0).message)
    }

    const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:";

    #[test]
    fn a_function_by_arn_is_called_through_the_invoke_api_of_its_region() {
        for (partition, region, host) in [
            ("aws", "us-east-1", "lambda.us-east-1.amazonaws.com"),
            ("aws-cn", "cn-north-1", "lambda.cn-north-1.amazonaws.com.cn"),
            ("aws-us-gov", "us-gov-west-1", "lambda.us-gov-west-1.amazonaws.com"),
        ] {
            let text =
                format!("arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{ARN}authz:$LATEST/invocations");
            let endpoint = compile(&text).unwrap();
            assert_eq!((endpoint.scheme, endpoint.authority.as_str()), ("https", host));
            assert_eq!(endpoint.path, format!("/2015-03-31/functions/{ARN}authz:$LATEST/invocations"));
        }
    }

    #[test]
    fn stage_variables_are_put_in_and_one_that_is_not_set_is_told() {
        let uri = |name: &str| {
            format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{ARN}${{stageVariables.{name}}}/invocations")
        };
        assert_eq!(compile(&uri("fn")).unwrap().path, format!("/2015-03-31/functions/{ARN}authz:live/invocations"));
        assert_eq!(compile(&uri("none")), Err("stage variable `none` is not set: there is no function to ask".to_owned()));
        assert!(compile(&uri("bad")).is_err());
    }

    #[test]
    fn a_url_is_called_as_it_is() {
        for (text, scheme, authority, path) in [
            ("https://x.lambda-url.eu-west-1.on.aws/", "https", "x.lambda-url.eu-west-1.on.aws", "/"),
            ("HTTP://Authz.test:8080/check?a=b", "http", "authz.test:8080", "/check?a=b"),
            ("http://h?a", "http", "h", "/?a"),
            ("http://h", "http", "h", "/"),
        ] {
            let wanted = Function { scheme, authority: authority.to_owned(), path: path.to_owned(), region: None };
            assert_eq!(compile(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_function_is_refused() {
        let path = "path/2015-03-31/functions/f";
        for text in [
            "",
            "f",
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions//invocations",
            &format!("arn:aws:apigateway:us-east-1:lambda:{path}/response-streaming-invocations"),
            &format!("arn:aws:apigateway:us-east-1:lambda:{path}?x=/invocations"),
            &format!("arn:aws:apigateway:us-east-1:lambda:{path}/../x/invocations"),
            "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/../invocations",
            &format!("arn:aws:apigateway:us-east-1:lambda:{path}%2F/invocations"),
            &format!("arn:aws:apigateway:evil.test/:lambda:{path}/invocations"),
            &format!("arn:aws:apigateway::lambda:{path}/invocations"),
            &format!("arn:aws:apigateway:us-east-1:lambda:{path}:/invocations"),
            &format!("arn:aws:apigateway:us-east-1:lambda:{path}::1/invocations"),
            &format!("arn:aws:apigateway:us-east-1:sqs:{path}/invocations"),
            &format!("arn:other:apigateway:us-east-1:lambda:{path}/invocations"),
            "ftp://h/",
            "http://",
            "http:///x",
            "http://a@b/x",
            "http://h/a b",
            "http://h/#x",
            "http://h/{x}",
            "http://h/${stageVariables.fn",
        ] {
            assert!(compile(text).is_err(), "{text}");
        }
    }
}
