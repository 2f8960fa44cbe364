//! What an attribute will be that is known only after apply, where AWS makes it by a rule: the ARN of a function with a known name.
//! AWS: "Actions, resources, and condition keys for AWS services", the formats of ARNs.

use super::file::Instance;

/// In which account and region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home<'h> {
    pub region: &'h str,
    pub account: &'h str,
}

/// `arn` as service and resource, `{name}` being the attribute that follows.
const ARNS: [(&str, &str, &str, &str); 10] = [
    ("aws_lambda_function", "lambda", "function:", "function_name"),
    ("aws_sqs_queue", "sqs", "", "name"),
    ("aws_sns_topic", "sns", "", "name"),
    ("aws_sfn_state_machine", "states", "stateMachine:", "name"),
    ("aws_dynamodb_table", "dynamodb", "table/", "name"),
    ("aws_kinesis_stream", "kinesis", "stream/", "name"),
    ("aws_kinesis_firehose_delivery_stream", "firehose", "deliverystream/", "name"),
    ("aws_cloudwatch_event_bus", "events", "event-bus/", "name"),
    ("aws_cloudwatch_log_group", "logs", "log-group:", "name"),
    ("aws_cognito_user_pool", "cognito-idp", "userpool/", "id"),
];

/// Whose `id` is its ARN, in the place of its name.
const ID_IS_ARN: [&str; 4] =
    ["aws_sns_topic", "aws_sfn_state_machine", "aws_kinesis_stream", "aws_kinesis_firehose_delivery_stream"];

/// Whose `id` is another attribute.
const IDS: [(&str, &str); 8] = [
    ("aws_lambda_function", "function_name"),
    ("aws_dynamodb_table", "name"),
    ("aws_cloudwatch_event_bus", "name"),
    ("aws_cloudwatch_log_group", "name"),
    ("aws_s3_bucket", "bucket"),
    ("aws_apigatewayv2_stage", "name"),
    ("aws_apigatewayv2_domain_name", "domain_name"),
    ("aws_api_gateway_domain_name", "domain_name"),
];

// === impl Home ===

impl Home<'_> {
    /// An attribute of an instance, if there is a rule and what the rule takes is known.
    pub fn attribute(self, instance: &Instance<'_>, attribute: &str) -> Option<String> {
        // Version 6 of the provider gives each resource a region of its own.
        let home = Home { region: instance.text("region").unwrap_or(self.region), ..self };
        let Home { region, account } = home;
        let kind = instance.kind;
        match (kind, attribute) {
            (_, "arn") => home.arn(instance),
            ("aws_lambda_function" | "aws_lambda_alias", "invoke_arn") => Some(home.invocation(&home.arn(instance)?)),
            ("aws_sqs_queue", "url" | "id") => {
                let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
                Some(format!("https://sqs.{region}.amazonaws.com{suffix}/{account}/{}", instance.text("name")?))
            }
            ("aws_iam_role", "id") => instance.text("name").map(str::to_owned),
            (_, "id") if ID_IS_ARN.contains(&kind) => home.arn(instance),
            (_, "id") => {
                let (_, other) = IDS.iter().find(|(known, _)| *known == kind)?;
                instance.text(other).map(str::to_owned)
            }
            _ => None,
        }
    }

    /// What API Gateway calls to invoke a function.
    pub fn invocation(self, function: &str) -> String {
        // The function may be in another region than the rest.
        let region = function.split(':').nth(3).filter(|region| !region.is_empty()).unwrap_or(self.region);
        let partition = partition(region);
        format!("arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations")
    }

    fn arn(self, instance: &Instance<'_>) -> Option<String> {
        let Home { region, account } = self;
        let partition = partition(region);
        match instance.kind {
            "aws_iam_role" => {
                let path = instance.text("path").unwrap_or("/");
                Some(format!("arn:{partition}:iam::{account}:role{path}{}", instance.text("name")?))
            }
            "aws_s3_bucket" => Some(format!("arn:{partition}:s3:::{}", instance.text("bucket")?)),
            "aws_lambda_alias" => {
                let function = instance.text("function_name")?;
                let alias = instance.text("name")?;
                Some(match function.starts_with("arn:") {
                    true => format!("{function}:{alias}"),
                    false => format!("arn:{partition}:lambda:{region}:{account}:function:{function}:{alias}"),
                })
            }
            kind => {
                let (_, service, prefix, name) = ARNS.iter().find(|(known, ..)| *known == kind)?;
                Some(format!("arn:{partition}:{service}:{region}:{account}:{prefix}{}", instance.text(name)?))
            }
        }
    }
}

/// AWS: "Partitions", told by the region.
pub fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
