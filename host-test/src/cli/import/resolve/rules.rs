//! What `Ref` and `Fn::GetAtt` give of each type of resource, where a rule exists. AWS: "Return values" of each type in the
//! "AWS resource and property types reference" of CloudFormation, and "Actions, resources, and condition keys for AWS services" for
//! the forms of ARNs.

/// What a type's references give.
pub struct Rule {
    kind: &'static str,
    /// What `{name}` is.
    pub name: Name,
    /// Attribute to form; the empty one is what `Ref` gives. In braces: what the stack is (`region`, `account`, `partition`,
    /// `suffix`), the resource (`id`, `name`, `ref`), an id that AWS would give it (`own` of API Gateway's, `made` of others'), or a property.
    attributes: &'static [(&'static str, &'static str)],
}

/// The physical name of a resource.
#[derive(Debug, Clone, Copy)]
pub enum Name {
    /// A property says it, or else AWS makes it up.
    Property(&'static str),
    /// The same, in lower case only.
    LowerCase(&'static str),
    /// It has none.
    None,
}

use Name::{LowerCase, Property};

const fn rule(kind: &'static str, name: Name, attributes: &'static [(&'static str, &'static str)]) -> Rule {
    Rule { kind, name, attributes }
}

#[rustfmt::skip]
const RULES: [Rule; 53] = [
    rule("AWS::ApiGateway::ApiKey", Name::None, &[("", "{own}"), ("APIKeyId", "{own}")]),
    rule("AWS::ApiGateway::Authorizer", Name::None, &[("", "{own}"), ("AuthorizerId", "{own}")]),
    rule("AWS::ApiGateway::ClientCertificate", Name::None, &[("", "{own}"), ("ClientCertificateId", "{own}")]),
    rule("AWS::ApiGateway::Deployment", Name::None, &[("", "{own}"), ("DeploymentId", "{own}")]),
    rule("AWS::ApiGateway::DomainName", Name::None, &[
        ("", "{DomainName}"), ("DomainNameArn", "arn:{partition}:apigateway:{region}::/domainnames/{DomainName}"),
    ]),
    rule("AWS::ApiGateway::DomainNameV2", Name::None, &[
        ("", "arn:{partition}:apigateway:{region}:{account}:/domainnames/{DomainName}+{own}"),
        ("DomainNameArn", "arn:{partition}:apigateway:{region}:{account}:/domainnames/{DomainName}+{own}"),
    ]),
    rule("AWS::ApiGateway::Model", Property("Name"), &[("", "{name}")]),
    rule("AWS::ApiGateway::RequestValidator", Name::None, &[("", "{own}"), ("RequestValidatorId", "{own}")]),
    rule("AWS::ApiGateway::Resource", Name::None, &[("", "{own}"), ("ResourceId", "{own}")]),
    rule("AWS::ApiGateway::RestApi", Name::None, &[("", "{own}"), ("RestApiId", "{own}"), ("RootResourceId", "{own}root")]),
    rule("AWS::ApiGateway::Stage", Name::None, &[("", "{StageName}")]),
    rule("AWS::ApiGateway::UsagePlan", Name::None, &[("", "{own}"), ("Id", "{own}")]),
    rule("AWS::ApiGateway::VpcLink", Property("Name"), &[("", "{name}"), ("VpcLinkId", "{name}")]),
    rule("AWS::ApiGatewayV2::Api", Name::None, &[
        ("", "{own}"), ("ApiId", "{own}"), ("ApiEndpoint", "https://{own}.execute-api.{region}.{suffix}"),
    ]),
    rule("AWS::ApiGatewayV2::Authorizer", Name::None, &[("", "{own}"), ("AuthorizerId", "{own}")]),
    rule("AWS::ApiGatewayV2::Deployment", Name::None, &[("", "{own}"), ("DeploymentId", "{own}")]),
    rule("AWS::ApiGatewayV2::DomainName", Name::None, &[
        ("", "{DomainName}"), ("DomainNameArn", "arn:{partition}:apigateway:{region}::/domainnames/{DomainName}"),
    ]),
    rule("AWS::ApiGatewayV2::Integration", Name::None, &[("", "{own}"), ("IntegrationId", "{own}")]),
    rule("AWS::ApiGatewayV2::Model", Name::None, &[("", "{own}"), ("ModelId", "{own}")]),
    rule("AWS::ApiGatewayV2::Route", Name::None, &[("", "{own}"), ("RouteId", "{own}")]),
    rule("AWS::ApiGatewayV2::Stage", Name::None, &[("", "{StageName}")]),
    rule("AWS::ApiGatewayV2::VpcLink", Property("Name"), &[("", "{name}"), ("VpcLinkId", "{name}")]),
    rule("AWS::CertificateManager::Certificate", Name::None, &[("", "arn:{partition}:acm:{region}:{account}:certificate/{made}")]),
    rule("AWS::Cognito::UserPool", Name::None, &[
        ("", "{region}_{made}"),
        ("UserPoolId", "{ref}"),
        ("Arn", "arn:{partition}:cognito-idp:{region}:{account}:userpool/{ref}"),
        ("ProviderName", "cognito-idp.{region}.{suffix}/{ref}"),
        ("ProviderURL", "https://cognito-idp.{region}.{suffix}/{ref}"),
    ]),
    rule("AWS::Cognito::UserPoolClient", Name::None, &[("", "{made}"), ("ClientId", "{ref}")]),
    rule("AWS::Cognito::UserPoolDomain", Name::None, &[("", "{Domain}")]),
    rule("AWS::DynamoDB::GlobalTable", Property("TableName"), &[
        ("", "{name}"), ("Arn", "arn:{partition}:dynamodb:{region}:{account}:table/{name}"),
    ]),
    rule("AWS::DynamoDB::Table", Property("TableName"), &[
        ("", "{name}"), ("Arn", "arn:{partition}:dynamodb:{region}:{account}:table/{name}"),
    ]),
    rule("AWS::EC2::SecurityGroup", Name::None, &[("", "sg-{made}"), ("GroupId", "sg-{made}")]),
    rule("AWS::EC2::Subnet", Name::None, &[("", "subnet-{made}"), ("SubnetId", "subnet-{made}")]),
    rule("AWS::EC2::VPC", Name::None, &[("", "vpc-{made}"), ("VpcId", "vpc-{made}")]),
    rule("AWS::EC2::VPCEndpoint", Name::None, &[("", "vpce-{made}"), ("Id", "vpce-{made}")]),
    rule("AWS::ElasticLoadBalancing::LoadBalancer", Property("LoadBalancerName"), &[
        ("", "{name}"), ("DNSName", "{name}-{made}.{region}.elb.{suffix}"),
    ]),
    rule("AWS::ElasticLoadBalancingV2::Listener", Name::None, &[
        ("", "arn:{partition}:elasticloadbalancing:{region}:{account}:listener/app/{made}/listener"),
        ("ListenerArn", "arn:{partition}:elasticloadbalancing:{region}:{account}:listener/app/{made}/listener"),
    ]),
    rule("AWS::ElasticLoadBalancingV2::LoadBalancer", Property("Name"), &[
        ("", "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/net/{name}/{made}"),
        ("LoadBalancerArn", "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/net/{name}/{made}"),
        ("LoadBalancerName", "{name}"),
        ("DNSName", "{name}-{made}.elb.{region}.{suffix}"),
    ]),
    rule("AWS::Events::EventBus", Property("Name"), &[
        ("", "{name}"), ("Name", "{name}"), ("Arn", "arn:{partition}:events:{region}:{account}:event-bus/{name}"),
    ]),
    rule("AWS::IAM::Role", Property("RoleName"), &[("", "{name}"), ("Arn", "arn:{partition}:iam::{account}:role{path}{name}")]),
    rule("AWS::Kinesis::Stream", Property("Name"), &[
        ("", "{name}"), ("Arn", "arn:{partition}:kinesis:{region}:{account}:stream/{name}"),
    ]),
    rule("AWS::KinesisFirehose::DeliveryStream", Property("DeliveryStreamName"), &[
        ("", "{name}"), ("Arn", "arn:{partition}:firehose:{region}:{account}:deliverystream/{name}"),
    ]),
    rule("AWS::KMS::Key", Name::None, &[("", "{made}"), ("KeyId", "{made}"), ("Arn", "arn:{partition}:kms:{region}:{account}:key/{made}")]),
    rule("AWS::Lambda::Alias", Property("Name"), &[("", "{function}:{name}"), ("AliasArn", "{function}:{name}")]),
    rule("AWS::Lambda::Function", Property("FunctionName"), &[
        ("", "{name}"), ("Arn", "arn:{partition}:lambda:{region}:{account}:function:{name}"),
    ]),
    // The number of a version is AWS's; what runs here has none.
    rule("AWS::Lambda::Version", Name::None, &[("", "{function}:1"), ("FunctionArn", "{function}:1"), ("Version", "1")]),
    rule("AWS::Logs::LogGroup", Property("LogGroupName"), &[
        ("", "{name}"), ("Arn", "arn:{partition}:logs:{region}:{account}:log-group:{name}:*"),
    ]),
    rule("AWS::S3::Bucket", LowerCase("BucketName"), &[
        ("", "{name}"),
        ("Arn", "arn:{partition}:s3:::{name}"),
        ("DomainName", "{name}.s3.{suffix}"),
        ("RegionalDomainName", "{name}.s3.{region}.{suffix}"),
    ]),
    rule("AWS::SecretsManager::Secret", Property("Name"), &[
        ("", "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{made}"),
        ("Id", "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{made}"),
    ]),
    rule("AWS::ServiceDiscovery::Service", Property("Name"), &[
        ("", "srv-{made}"), ("Id", "srv-{made}"), ("Name", "{name}"),
        ("Arn", "arn:{partition}:servicediscovery:{region}:{account}:service/srv-{made}"),
    ]),
    rule("AWS::SNS::Topic", Property("TopicName"), &[
        ("", "arn:{partition}:sns:{region}:{account}:{name}"),
        ("TopicArn", "arn:{partition}:sns:{region}:{account}:{name}"),
        ("TopicName", "{name}"),
    ]),
    rule("AWS::SQS::Queue", Property("QueueName"), &[
        ("", "https://sqs.{region}.{suffix}/{account}/{name}"),
        ("QueueUrl", "https://sqs.{region}.{suffix}/{account}/{name}"),
        ("QueueName", "{name}"),
        ("Arn", "arn:{partition}:sqs:{region}:{account}:{name}"),
    ]),
    rule("AWS::SSM::Parameter", Property("Name"), &[("", "{name}"), ("Type", "{Type}"), ("Value", "{Value}")]),
    rule("AWS::StepFunctions::Activity", Property("Name"), &[
        ("", "arn:{partition}:states:{region}:{account}:activity:{name}"), ("Name", "{name}"),
        ("Arn", "arn:{partition}:states:{region}:{account}:activity:{name}"),
    ]),
    rule("AWS::StepFunctions::StateMachine", Property("StateMachineName"), &[
        ("", "arn:{partition}:states:{region}:{account}:stateMachine:{name}"),
        ("Arn", "arn:{partition}:states:{region}:{account}:stateMachine:{name}"),
        ("Name", "{name}"),
    ]),
    rule("AWS::WAFv2::WebACL", Property("Name"), &[("Arn", "arn:{partition}:wafv2:{region}:{account}:regional/webacl/{name}/{made}")]),
];

/// The rule of a type.
pub fn of(kind: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.kind == kind)
}

// === impl Rule ===

impl Rule {
    /// The form of an attribute, or of what `Ref` gives.
    pub fn form(&self, attribute: Option<&str>) -> Option<&'static str> {
        let attribute = attribute.unwrap_or_default();
        self.attributes.iter().find(|(name, _)| *name == attribute).map(|(_, form)| *form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_made_of_what_can_be_put_in() {
        const KNOWN: [&str; 11] =
            ["region", "account", "partition", "suffix", "id", "ref", "name", "made", "own", "path", "function"];
        for rule in &RULES {
            assert!(rule.attributes.iter().any(|(name, _)| name.is_empty()) || rule.kind.contains("WebACL"), "{}", rule.kind);
            for (_, form) in rule.attributes {
                for placeholder in form.split('{').skip(1) {
                    let (name, _) = placeholder.split_once('}').expect("a brace has a partner");
                    let is_property = name.starts_with(|c: char| c.is_ascii_uppercase());
                    assert!(is_property || KNOWN.contains(&name), "{}: {form}", rule.kind);
                    assert!(name != "name" || !matches!(rule.name, Name::None), "{}: {form}", rule.kind);
                }
            }
        }
    }

    #[test]
    fn a_type_has_one_rule() {
        for (index, rule) in RULES.iter().enumerate() {
            assert!(!RULES[..index].iter().any(|other| other.kind == rule.kind), "{}", rule.kind);
        }
    }
}
