//! Every type of API Gateway's that CloudFormation has, every property of it, and what becomes of each: nothing is left out without a
//! word. AWS: "Amazon API Gateway resource type reference" and "Amazon API Gateway V2 resource type reference".

use tollgate::problem::{Problems, quoted};

use crate::cli::import::resource::Resource;

/// A type.
struct Kind {
    name: &'static str,
    treatment: Treatment,
    /// Properties that are carried over.
    read: &'static [&'static str],
    /// Properties that say nothing of how requests are served.
    silent: &'static [&'static str],
    /// Properties that are left out, and why that is safe.
    warned: &'static [(&'static str, &'static str)],
    /// Properties without which serving would be wrong.
    refused: &'static [(&'static str, &'static str)],
}

/// What becomes of a type.
#[derive(Clone, Copy)]
enum Treatment {
    /// It is part of the document.
    Carried,
    /// It says nothing of how requests are served.
    Silent,
    /// There is no such thing here.
    Refused(&'static str),
}

use Treatment::{Carried, Refused, Silent};

const CERTIFICATE: (&str, &str) = ("ClientCertificateId", "certificates towards backends are their clusters' matter");
const MUTUAL_TLS: (&str, &str) = ("MutualTlsAuthentication", "the listener asks clients for certificates");
const WEB_SOCKET: &str = "it is of WebSocket APIs, which are not served";

const NONE: Kind = Kind { name: "", treatment: Carried, read: &[], silent: &["Description", "Tags"], warned: &[], refused: &[] };

#[rustfmt::skip]
const KINDS: [Kind; 36] = [
    Kind { name: "AWS::ApiGateway::Account", treatment: Silent, ..NONE },
    Kind { name: "AWS::ApiGateway::ApiKey", read: &["Enabled", "Name", "Value"], silent: &["CustomerId", "Description", "GenerateDistinctId", "Tags"],
        warned: &[("StageKeys", "AWS has usage plans in its place")], ..NONE },
    Kind { name: "AWS::ApiGateway::Authorizer", read: &["AuthorizerCredentials", "AuthorizerResultTtlInSeconds", "AuthorizerUri", "IdentitySource",
        "IdentityValidationExpression", "Name", "ProviderARNs", "RestApiId", "Type"], silent: &["AuthType"], ..NONE },
    Kind { name: "AWS::ApiGateway::BasePathMapping", read: &["BasePath", "DomainName", "RestApiId", "Stage"], silent: &["Id"], ..NONE },
    Kind { name: "AWS::ApiGateway::BasePathMappingV2", read: &["BasePath", "DomainNameArn", "RestApiId", "Stage"], ..NONE },
    Kind { name: "AWS::ApiGateway::ClientCertificate", treatment: Silent, ..NONE },
    Kind { name: "AWS::ApiGateway::Deployment", read: &["RestApiId", "StageDescription", "StageName"],
        refused: &[("DeploymentCanarySettings", "not served yet: canary deployments")], ..NONE },
    Kind { name: "AWS::ApiGateway::DocumentationPart", treatment: Silent, ..NONE },
    Kind { name: "AWS::ApiGateway::DocumentationVersion", treatment: Silent, ..NONE },
    Kind { name: "AWS::ApiGateway::DomainName", read: &["DomainName"], silent: &["CertificateArn", "EndpointAccessMode", "EndpointConfiguration",
        "OwnershipVerificationCertificateArn", "RegionalCertificateArn", "SecurityPolicy", "Tags"], warned: &[MUTUAL_TLS],
        refused: &[("RoutingMode", ROUTING_RULES)], ..NONE },
    Kind { name: "AWS::ApiGateway::DomainNameAccessAssociation", treatment: Silent, ..NONE },
    Kind { name: "AWS::ApiGateway::DomainNameV2", read: &["DomainName"], silent: &["CertificateArn", "EndpointAccessMode", "EndpointConfiguration",
        "SecurityPolicy", "Tags"], refused: &[("Policy", "not served: a policy of a domain"), ("RoutingMode", ROUTING_RULES)], ..NONE },
    Kind { name: "AWS::ApiGateway::GatewayResponse", read: &["ResponseParameters", "ResponseTemplates", "ResponseType", "RestApiId", "StatusCode"], ..NONE },
    Kind { name: "AWS::ApiGateway::Method", read: &["ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "HttpMethod",
        "Integration", "MethodResponses", "OperationName", "RequestModels", "RequestParameters", "RequestValidatorId", "ResourceId", "RestApiId"], ..NONE },
    Kind { name: "AWS::ApiGateway::Model", read: &["Name", "RestApiId", "Schema"], silent: &["ContentType", "Description"], ..NONE },
    Kind { name: "AWS::ApiGateway::RequestValidator", read: &["Name", "RestApiId", "ValidateRequestBody", "ValidateRequestParameters"], ..NONE },
    Kind { name: "AWS::ApiGateway::Resource", read: &["ParentId", "PathPart", "RestApiId"], ..NONE },
    Kind { name: "AWS::ApiGateway::RestApi", read: &["ApiKeySourceType", "BinaryMediaTypes", "Body", "DisableExecuteApiEndpoint", "EndpointAccessMode",
        "EndpointConfiguration", "MinimumCompressionSize", "Name", "Parameters", "Policy", "SecurityPolicy"],
        silent: &["BodyS3Location", "Description", "FailOnWarnings", "Mode", "Tags"],
        refused: &[("CloneFrom", "the API that it is made from is not in the template")], ..NONE },
    Kind { name: "AWS::ApiGateway::Stage", read: &["AccessLogSetting", "CacheClusterEnabled", "CacheClusterSize", "CanarySetting", "MethodSettings",
        "RestApiId", "StageName", "Variables"], silent: &["DeploymentId", "Description", "DocumentationVersion", "Tags"],
        warned: &[CERTIFICATE, ("TracingEnabled", "the proxy traces requests")], ..NONE },
    Kind { name: "AWS::ApiGateway::UsagePlan", read: &["ApiStages", "Description", "Quota", "Throttle", "UsagePlanName"], silent: &["Tags"], ..NONE },
    Kind { name: "AWS::ApiGateway::UsagePlanKey", read: &["KeyId", "KeyType", "UsagePlanId"], ..NONE },
    Kind { name: "AWS::ApiGateway::VpcLink", silent: &["Description", "Name", "Tags", "TargetArns"], ..NONE },
    Kind { name: "AWS::ApiGatewayV2::Api", read: &["BasePath", "Body", "CorsConfiguration", "CredentialsArn", "Name", "ProtocolType", "RouteKey", "Target"],
        silent: &["ApiKeySelectionExpression", "BodyS3Location", "Description", "DisableSchemaValidation", "FailOnWarnings", "IpAddressType",
            "RouteSelectionExpression", "Tags", "Version"],
        warned: &[("DisableExecuteApiEndpoint", "at which domains the stages are served is said by their `hosts`")], ..NONE },
    Kind { name: "AWS::ApiGatewayV2::ApiGatewayManagedOverrides", treatment: Refused("say it at the stage, the route and the integration themselves"), ..NONE },
    Kind { name: "AWS::ApiGatewayV2::ApiMapping", read: &["ApiId", "ApiMappingKey", "DomainName", "Stage"], ..NONE },
    Kind { name: "AWS::ApiGatewayV2::Authorizer", read: &["ApiId", "AuthorizerCredentialsArn", "AuthorizerPayloadFormatVersion", "AuthorizerResultTtlInSeconds",
        "AuthorizerType", "AuthorizerUri", "EnableSimpleResponses", "IdentitySource", "IdentityValidationExpression", "JwtConfiguration", "Name"], ..NONE },
    Kind { name: "AWS::ApiGatewayV2::Deployment", treatment: Silent, ..NONE },
    Kind { name: "AWS::ApiGatewayV2::DomainName", read: &["DomainName"], silent: &["DomainNameConfigurations", "Tags"], warned: &[MUTUAL_TLS],
        refused: &[("RoutingMode", ROUTING_RULES)], ..NONE },
    Kind { name: "AWS::ApiGatewayV2::Integration", read: &["ApiId", "ConnectionId", "ConnectionType", "CredentialsArn", "IntegrationMethod",
        "IntegrationSubtype", "IntegrationType", "IntegrationUri", "PayloadFormatVersion", "RequestParameters", "ResponseParameters", "TimeoutInMillis", "TlsConfig"],
        refused: &[("ContentHandlingStrategy", WEB_SOCKET), ("RequestTemplates", WEB_SOCKET), ("TemplateSelectionExpression", WEB_SOCKET)],
        warned: &[("PassthroughBehavior", WEB_SOCKET)], ..NONE },
    Kind { name: "AWS::ApiGatewayV2::IntegrationResponse", treatment: Refused(WEB_SOCKET), ..NONE },
    Kind { name: "AWS::ApiGatewayV2::Model", treatment: Silent, ..NONE },
    Kind { name: "AWS::ApiGatewayV2::Route", read: &["ApiId", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "OperationName", "RouteKey", "Target"],
        refused: &[("ModelSelectionExpression", WEB_SOCKET), ("RequestModels", WEB_SOCKET), ("RequestParameters", WEB_SOCKET),
            ("RouteResponseSelectionExpression", WEB_SOCKET)], ..NONE },
    Kind { name: "AWS::ApiGatewayV2::RouteResponse", treatment: Refused(WEB_SOCKET), ..NONE },
    Kind { name: "AWS::ApiGatewayV2::RoutingRule", treatment: Refused(ROUTING_RULES), ..NONE },
    Kind { name: "AWS::ApiGatewayV2::Stage", read: &["AccessLogSettings", "ApiId", "DefaultRouteSettings", "RouteSettings", "StageName", "StageVariables"],
        silent: &["AutoDeploy", "DeploymentId", "Description", "Tags"], warned: &[CERTIFICATE], refused: &[("AccessPolicyId", WEB_SOCKET)], ..NONE },
    Kind { name: "AWS::ApiGatewayV2::VpcLink", silent: &["Name", "SecurityGroupIds", "SubnetIds", "Tags"], ..NONE },
];

const ROUTING_RULES: &str = "not served: routing rules of domains";

/// Whether a property says anything here: what does not need not be known.
pub fn is_read(kind: &str, property: &str) -> bool {
    let Some(kind) = KINDS.iter().find(|known| known.name == kind) else { return true };
    let is_warned = kind.warned.iter().any(|(name, _)| *name == property);
    matches!(kind.treatment, Carried) && !is_warned && !kind.silent.contains(&property)
}

/// Looks at the type of a resource and at the names of its properties. False when nothing of it is carried over.
pub fn check(resource: &Resource, problems: &mut Problems) -> bool {
    let Some(kind) = KINDS.iter().find(|kind| kind.name == resource.kind) else {
        let message = format!("the type `{}` is not known", resource.kind);
        problems.error(&resource.path.key("Type"), message, Some("docs/import.md lists those that are"));
        return false;
    };
    match kind.treatment {
        Carried => {}
        Silent => return false,
        Refused(why) => {
            problems.error(&resource.path, format!("not carried over: {}", kind.name), Some(why));
            return false;
        }
    }
    for (name, value) in resource.properties.as_object().into_iter().flatten() {
        let place = resource.place(name);
        let is_off = value.is_null() || is_false(value);
        let said = |list: &'static [(&str, &'static str)]| list.iter().find(|(known, _)| known == name).map(|(_, why)| *why);
        if kind.read.contains(&name.as_str()) || kind.silent.contains(&name.as_str()) {
            continue;
        }
        if let Some(why) = said(kind.warned) {
            if !is_off {
                problems.warning(&place, format!("`{name}` is not carried over: {why}"), None);
            }
        } else if let Some(why) = said(kind.refused) {
            // What every domain has that says nothing of rules.
            if !is_off && value != "BASE_PATH_MAPPING_ONLY" && value != "API_MAPPING_ONLY" {
                problems.error(&place, format!("`{name}` cannot be carried over"), Some(why));
            }
        } else {
            let known: Vec<&str> = kind.read.iter().chain(kind.silent).copied().collect();
            problems.stray(&place, format!("{} has no property `{name}`", kind.name), Some(&quoted(&known)));
        }
    }
    true
}

fn is_false(value: &serde_json::Value) -> bool {
    value == false || value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_type() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/import.md");
        let page = std::fs::read_to_string(page).expect("the page is there");
        let (_, types) = page.split_once("## What becomes of each type").expect("the section is there");
        let (rest, http) = types.split_once("HTTP APIs, `AWS::ApiGatewayV2::`").expect("both kinds of APIs are there");
        for kind in &KINDS {
            let (section, name) = match kind.name.strip_prefix("AWS::ApiGateway::") {
                Some(name) => (rest, name),
                None => (http, kind.name.rsplit("::").next().expect("a name")),
            };
            // "and their `V2`"
            let name = if kind.name.starts_with("AWS::ApiGateway::") { name.trim_end_matches("V2") } else { name };
            assert!(section.contains(&format!("`{name}`")), "docs/import.md says nothing of {}", kind.name);
        }
    }
}
