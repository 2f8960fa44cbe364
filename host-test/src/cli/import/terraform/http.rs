//! HTTP APIs: which attributes of `aws_apigatewayv2_…` are which properties of `AWS::ApiGatewayV2::…`. Terraform: the AWS provider,
//! "API Gateway V2".

use super::rest::MUTUAL_TLS;
use super::shape::{Field, Shape, field, unused};

const API_ID: Shape = Shape::Link(&["aws_apigatewayv2_api"]);
const NO: &str = "false";

/// Resources that become one resource of CloudFormation's, each by itself.
pub const RESOURCES: [(&str, &str, &[Field]); 8] = [
    ("aws_apigatewayv2_api", "AWS::ApiGatewayV2::Api", &API),
    ("aws_apigatewayv2_route", "AWS::ApiGatewayV2::Route", &ROUTE),
    ("aws_apigatewayv2_integration", "AWS::ApiGatewayV2::Integration", &INTEGRATION),
    ("aws_apigatewayv2_authorizer", "AWS::ApiGatewayV2::Authorizer", &AUTHORIZER),
    ("aws_apigatewayv2_stage", "AWS::ApiGatewayV2::Stage", &STAGE),
    ("aws_apigatewayv2_domain_name", "AWS::ApiGatewayV2::DomainName", &DOMAIN_NAME),
    ("aws_apigatewayv2_api_mapping", "AWS::ApiGatewayV2::ApiMapping", &API_MAPPING),
    ("aws_apigatewayv2_vpc_link", "AWS::ApiGatewayV2::VpcLink", &VPC_LINK),
];

/// Resources that say nothing of what is served: a deployment is a copy of the API at some time, and what is served is the API.
pub const UNSERVED: [&str; 1] = ["aws_apigatewayv2_deployment"];

/// What only WebSocket APIs have.
pub const WEBSOCKET: [&str; 3] =
    ["aws_apigatewayv2_integration_response", "aws_apigatewayv2_route_response", "aws_apigatewayv2_model"];

static API: [Field; 17] = [
    field("name", "Name", Shape::Plain),
    field("protocol_type", "ProtocolType", Shape::Plain),
    field("description", "Description", Shape::Plain),
    field("body", "Body", Shape::Json),
    field("cors_configuration", "CorsConfiguration", Shape::Block(&CORS)),
    field("route_key", "RouteKey", Shape::Plain),
    field("target", "Target", Shape::HttpUri),
    field("credentials_arn", "CredentialsArn", Shape::Loose),
    field("disable_execute_api_endpoint", "DisableExecuteApiEndpoint", Shape::Unless(NO)),
    field("route_selection_expression", "RouteSelectionExpression", Shape::Unless("$request.method $request.path")),
    field("api_key_selection_expression", "ApiKeySelectionExpression", Shape::Unless("$request.header.x-api-key")),
    unused("fail_on_warnings"),
    unused("version"),
    unused("api_endpoint"),
    unused("ip_address_type"),
    unused("api_id"),
    unused("disable_schema_validation"),
];

static CORS: [Field; 6] = [
    field("allow_credentials", "AllowCredentials", Shape::Unless(NO)),
    field("allow_headers", "AllowHeaders", Shape::Plain),
    field("allow_methods", "AllowMethods", Shape::Plain),
    field("allow_origins", "AllowOrigins", Shape::Plain),
    field("expose_headers", "ExposeHeaders", Shape::Plain),
    field("max_age", "MaxAge", Shape::Unless("0")),
];

static ROUTE: [Field; 12] = [
    field("api_id", "ApiId", API_ID),
    field("route_key", "RouteKey", Shape::Plain),
    field("target", "Target", Shape::Target),
    field("authorization_type", "AuthorizationType", Shape::Plain),
    field("authorizer_id", "AuthorizerId", Shape::Link(&["aws_apigatewayv2_authorizer"])),
    field("authorization_scopes", "AuthorizationScopes", Shape::List),
    field("operation_name", "OperationName", Shape::Plain),
    field("api_key_required", "ApiKeyRequired", Shape::Unless(NO)),
    field("model_selection_expression", "ModelSelectionExpression", Shape::Plain),
    field("request_models", "RequestModels", Shape::Plain),
    field("request_parameter", "RequestParameters", Shape::Plain),
    field("route_response_selection_expression", "RouteResponseSelectionExpression", Shape::Plain),
];

static INTEGRATION: [Field; 19] = [
    field("api_id", "ApiId", API_ID),
    field("integration_type", "IntegrationType", Shape::Plain),
    field("integration_subtype", "IntegrationSubtype", Shape::Plain),
    field("integration_uri", "IntegrationUri", Shape::HttpUri),
    field("integration_method", "IntegrationMethod", Shape::Plain),
    field("payload_format_version", "PayloadFormatVersion", Shape::Plain),
    field("connection_type", "ConnectionType", Shape::Unless("INTERNET")),
    field("connection_id", "ConnectionId", Shape::VpcLink(&["aws_apigatewayv2_vpc_link"])),
    field("credentials_arn", "CredentialsArn", Shape::Loose),
    field("request_parameters", "RequestParameters", Shape::Plain),
    field("response_parameters", "ResponseParameters", Shape::Blocks(&RESPONSE_PARAMETERS)),
    field("timeout_milliseconds", "TimeoutInMillis", Shape::Unless("30000")),
    field("tls_config", "TlsConfig", Shape::Block(&TLS)),
    field("content_handling_strategy", "ContentHandlingStrategy", Shape::Plain),
    field("passthrough_behavior", "PassthroughBehavior", Shape::Unless("WHEN_NO_MATCH")),
    field("request_templates", "RequestTemplates", Shape::Plain),
    field("template_selection_expression", "TemplateSelectionExpression", Shape::Plain),
    unused("integration_response_selection_expression"),
    unused("description"),
];

static TLS: [Field; 1] = [field("server_name_to_verify", "ServerNameToVerify", Shape::Plain)];

static RESPONSE_PARAMETERS: [Field; 2] =
    [field("status_code", "StatusCode", Shape::Plain), field("mappings", "Mappings", Shape::Plain)];

static AUTHORIZER: [Field; 10] = [
    field("api_id", "ApiId", API_ID),
    field("authorizer_type", "AuthorizerType", Shape::Plain),
    field("name", "Name", Shape::Plain),
    field("identity_sources", "IdentitySource", Shape::List),
    field("jwt_configuration", "JwtConfiguration", Shape::Block(&JWT)),
    field("authorizer_uri", "AuthorizerUri", Shape::Uri),
    field("authorizer_credentials_arn", "AuthorizerCredentialsArn", Shape::Loose),
    field("authorizer_payload_format_version", "AuthorizerPayloadFormatVersion", Shape::Plain),
    field("authorizer_result_ttl_in_seconds", "AuthorizerResultTtlInSeconds", Shape::Plain),
    field("enable_simple_responses", "EnableSimpleResponses", Shape::Unless(NO)),
];

static JWT: [Field; 2] = [field("issuer", "Issuer", Shape::Issuer), field("audience", "Audience", Shape::List)];

static STAGE: [Field; 11] = [
    field("api_id", "ApiId", API_ID),
    field("name", "StageName", Shape::Plain),
    field("description", "Description", Shape::Plain),
    field("stage_variables", "StageVariables", Shape::Plain),
    field("access_log_settings", "AccessLogSettings", Shape::Block(&ACCESS_LOG)),
    field("default_route_settings", "DefaultRouteSettings", Shape::Block(&ROUTE_SETTINGS)),
    field("route_settings", "RouteSettings", Shape::Blocks(&ROUTE_SETTINGS)),
    field("client_certificate_id", "ClientCertificateId", Shape::Loose),
    field("auto_deploy", "AutoDeploy", Shape::Unless(NO)),
    unused("deployment_id"),
    unused("invoke_url"),
];

static ACCESS_LOG: [Field; 2] =
    [field("destination_arn", "DestinationArn", Shape::Direct), field("format", "Format", Shape::Plain)];

static ROUTE_SETTINGS: [Field; 6] = [
    field("route_key", "RouteKey", Shape::Plain),
    field("throttling_burst_limit", "ThrottlingBurstLimit", Shape::Plain),
    field("throttling_rate_limit", "ThrottlingRateLimit", Shape::Plain),
    field("detailed_metrics_enabled", "DetailedMetricsEnabled", Shape::Unless(NO)),
    field("data_trace_enabled", "DataTraceEnabled", Shape::Unless(NO)),
    field("logging_level", "LoggingLevel", Shape::Unless("OFF")),
];

static DOMAIN_NAME: [Field; 6] = [
    field("domain_name", "DomainName", Shape::Plain),
    field("mutual_tls_authentication", "MutualTlsAuthentication", Shape::Block(&MUTUAL_TLS)),
    field("routing_mode", "RoutingMode", Shape::Unless("API_MAPPING_ONLY")),
    unused("domain_name_configuration"),
    unused("api_mapping_selection_expression"),
    unused("domain_name_id"),
];

static API_MAPPING: [Field; 4] = [
    field("api_id", "ApiId", API_ID),
    field("api_mapping_key", "ApiMappingKey", Shape::Plain),
    field("domain_name", "DomainName", Shape::Direct),
    field("stage", "Stage", Shape::Direct),
];

static VPC_LINK: [Field; 3] = [field("name", "Name", Shape::Plain), unused("security_group_ids"), unused("subnet_ids")];
