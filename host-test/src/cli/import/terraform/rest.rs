//! REST APIs: which attributes of `aws_api_gateway_…` are which properties of `AWS::ApiGateway::…`. Terraform: the AWS provider,
//! "API Gateway".

use super::shape::{Field, Shape, field, unused};

const REST_API: Shape = Shape::Link(&["aws_api_gateway_rest_api"]);
const NO: &str = "false";

/// Resources that become one resource of CloudFormation's, each by itself.
pub const RESOURCES: [(&str, &str, &[Field]); 15] = [
    ("aws_api_gateway_rest_api", "AWS::ApiGateway::RestApi", &API),
    ("aws_api_gateway_resource", "AWS::ApiGateway::Resource", &RESOURCE),
    ("aws_api_gateway_method", "AWS::ApiGateway::Method", &METHOD),
    ("aws_api_gateway_authorizer", "AWS::ApiGateway::Authorizer", &AUTHORIZER),
    ("aws_api_gateway_model", "AWS::ApiGateway::Model", &MODEL),
    ("aws_api_gateway_request_validator", "AWS::ApiGateway::RequestValidator", &REQUEST_VALIDATOR),
    ("aws_api_gateway_gateway_response", "AWS::ApiGateway::GatewayResponse", &GATEWAY_RESPONSE),
    ("aws_api_gateway_stage", "AWS::ApiGateway::Stage", &STAGE),
    ("aws_api_gateway_usage_plan", "AWS::ApiGateway::UsagePlan", &USAGE_PLAN),
    ("aws_api_gateway_api_key", "AWS::ApiGateway::ApiKey", &API_KEY),
    ("aws_api_gateway_usage_plan_key", "AWS::ApiGateway::UsagePlanKey", &USAGE_PLAN_KEY),
    ("aws_api_gateway_domain_name", "AWS::ApiGateway::DomainName", &DOMAIN_NAME),
    ("aws_api_gateway_base_path_mapping", "AWS::ApiGateway::BasePathMapping", &BASE_PATH_MAPPING),
    ("aws_api_gateway_vpc_link", "AWS::ApiGateway::VpcLink", &VPC_LINK),
    ("aws_api_gateway_account", "AWS::ApiGateway::Account", &ACCOUNT),
];

/// Resources that say nothing of what is served.
pub const UNSERVED: [&str; 6] = [
    // A copy of the API at some time; what is served is the API. The older kind, with a `stage_name`, makes a stage.
    "aws_api_gateway_deployment",
    "aws_api_gateway_client_certificate",
    "aws_api_gateway_documentation_part",
    "aws_api_gateway_documentation_version",
    // Who may reach a private domain through a VPC endpoint: the gateway has neither.
    "aws_api_gateway_domain_name_access_association",
    "aws_api_gateway_domain_name_share",
];

static API: [Field; 15] = [
    field("name", "Name", Shape::Plain),
    field("description", "Description", Shape::Plain),
    field("body", "Body", Shape::Json),
    field("parameters", "Parameters", Shape::Plain),
    field("put_rest_api_mode", "Mode", Shape::Unless("overwrite")),
    field("policy", "Policy", Shape::Json),
    field("binary_media_types", "BinaryMediaTypes", Shape::Plain),
    field("minimum_compression_size", "MinimumCompressionSize", Shape::Number),
    field("api_key_source", "ApiKeySourceType", Shape::Unless("HEADER")),
    field("disable_execute_api_endpoint", "DisableExecuteApiEndpoint", Shape::Unless(NO)),
    field("endpoint_configuration", "EndpointConfiguration", Shape::Block(&ENDPOINT)),
    unused("fail_on_warnings"),
    unused("root_resource_id"),
    unused("endpoint_access_mode"),
    unused("security_policy"),
];

static ENDPOINT: [Field; 3] = [field("types", "Types", Shape::Plain), unused("vpc_endpoint_ids"), unused("ip_address_type")];

/// `aws_api_gateway_rest_api_policy`, which is the API's own.
pub static API_POLICY: [Field; 2] = [unused("rest_api_id"), field("policy", "Policy", Shape::Json)];

/// `aws_api_gateway_rest_api_put`, which is the API's own, too.
pub static API_BODY: [Field; 5] = [
    unused("rest_api_id"),
    field("body", "Body", Shape::Json),
    field("parameters", "Parameters", Shape::Plain),
    unused("fail_on_warnings"),
    unused("triggers"),
];

static RESOURCE: [Field; 4] = [
    field("rest_api_id", "RestApiId", REST_API),
    field("parent_id", "ParentId", Shape::Parent),
    field("path_part", "PathPart", Shape::Plain),
    unused("path"),
];

static METHOD: [Field; 11] = [
    field("rest_api_id", "RestApiId", REST_API),
    field("resource_id", "ResourceId", Shape::Parent),
    field("http_method", "HttpMethod", Shape::Plain),
    field("authorization", "AuthorizationType", Shape::Plain),
    field("authorizer_id", "AuthorizerId", Shape::Link(&["aws_api_gateway_authorizer"])),
    field("authorization_scopes", "AuthorizationScopes", Shape::List),
    field("api_key_required", "ApiKeyRequired", Shape::Unless(NO)),
    field("operation_name", "OperationName", Shape::Plain),
    field("request_models", "RequestModels", Shape::Plain),
    field("request_parameters", "RequestParameters", Shape::Plain),
    field("request_validator_id", "RequestValidatorId", Shape::Link(&["aws_api_gateway_request_validator"])),
];

/// `Integration` of a method.
pub static INTEGRATION: [Field; 20] = [
    unused("rest_api_id"),
    unused("resource_id"),
    unused("http_method"),
    field("type", "Type", Shape::Plain),
    field("integration_http_method", "IntegrationHttpMethod", Shape::Plain),
    field("uri", "Uri", Shape::Uri),
    field("credentials", "Credentials", Shape::Loose),
    field("connection_type", "ConnectionType", Shape::Unless("INTERNET")),
    field("connection_id", "ConnectionId", Shape::VpcLink(&["aws_api_gateway_vpc_link", "aws_apigatewayv2_vpc_link"])),
    field("integration_target", "IntegrationTarget", Shape::Direct),
    field("request_parameters", "RequestParameters", Shape::Plain),
    field("request_templates", "RequestTemplates", Shape::Plain),
    field("passthrough_behavior", "PassthroughBehavior", Shape::Unless("WHEN_NO_MATCH")),
    field("content_handling", "ContentHandling", Shape::Plain),
    field("timeout_milliseconds", "TimeoutInMillis", Shape::Unless("29000")),
    field("response_transfer_mode", "ResponseTransferMode", Shape::Unless("BUFFERED")),
    field("tls_config", "TlsConfig", Shape::Block(&TLS)),
    field("cache_key_parameters", "CacheKeyParameters", Shape::Plain),
    // The id of the resource where nothing else is said.
    unused("cache_namespace"),
    unused("rest_api_name"),
];

static TLS: [Field; 1] = [field("insecure_skip_verification", "InsecureSkipVerification", Shape::Unless(NO))];

/// An element of `IntegrationResponses` of an integration.
pub static INTEGRATION_RESPONSE: [Field; 8] = [
    unused("rest_api_id"),
    unused("resource_id"),
    unused("http_method"),
    field("status_code", "StatusCode", Shape::Plain),
    field("selection_pattern", "SelectionPattern", Shape::Plain),
    field("response_parameters", "ResponseParameters", Shape::Plain),
    field("response_templates", "ResponseTemplates", Shape::Plain),
    field("content_handling", "ContentHandling", Shape::Plain),
];

/// An element of `MethodResponses` of a method.
pub static METHOD_RESPONSE: [Field; 6] = [
    unused("rest_api_id"),
    unused("resource_id"),
    unused("http_method"),
    field("status_code", "StatusCode", Shape::Plain),
    field("response_models", "ResponseModels", Shape::Plain),
    field("response_parameters", "ResponseParameters", Shape::Plain),
];

static AUTHORIZER: [Field; 9] = [
    field("rest_api_id", "RestApiId", REST_API),
    field("name", "Name", Shape::Plain),
    field("type", "Type", Shape::Plain),
    field("authorizer_uri", "AuthorizerUri", Shape::Uri),
    field("authorizer_credentials", "AuthorizerCredentials", Shape::Loose),
    field("authorizer_result_ttl_in_seconds", "AuthorizerResultTtlInSeconds", Shape::Plain),
    field("identity_source", "IdentitySource", Shape::Plain),
    field("identity_validation_expression", "IdentityValidationExpression", Shape::Plain),
    field("provider_arns", "ProviderARNs", Shape::List),
];

static MODEL: [Field; 5] = [
    field("rest_api_id", "RestApiId", REST_API),
    field("name", "Name", Shape::Plain),
    field("content_type", "ContentType", Shape::Plain),
    field("schema", "Schema", Shape::Json),
    unused("description"),
];

static REQUEST_VALIDATOR: [Field; 4] = [
    field("rest_api_id", "RestApiId", REST_API),
    field("name", "Name", Shape::Plain),
    field("validate_request_body", "ValidateRequestBody", Shape::Plain),
    field("validate_request_parameters", "ValidateRequestParameters", Shape::Plain),
];

static GATEWAY_RESPONSE: [Field; 5] = [
    field("rest_api_id", "RestApiId", REST_API),
    field("response_type", "ResponseType", Shape::Plain),
    field("status_code", "StatusCode", Shape::Plain),
    field("response_parameters", "ResponseParameters", Shape::Plain),
    field("response_templates", "ResponseTemplates", Shape::Plain),
];

static STAGE: [Field; 14] = [
    field("rest_api_id", "RestApiId", REST_API),
    field("stage_name", "StageName", Shape::Plain),
    field("description", "Description", Shape::Plain),
    field("variables", "Variables", Shape::Plain),
    field("access_log_settings", "AccessLogSetting", Shape::Block(&ACCESS_LOG)),
    field("canary_settings", "CanarySetting", Shape::Block(&CANARY)),
    field("cache_cluster_enabled", "CacheClusterEnabled", Shape::Unless(NO)),
    field("client_certificate_id", "ClientCertificateId", Shape::Loose),
    field("xray_tracing_enabled", "TracingEnabled", Shape::Unless(NO)),
    unused("cache_cluster_size"),
    // A deployment is a copy of the API at some time; what is served is the API.
    unused("deployment_id"),
    unused("documentation_version"),
    unused("invoke_url"),
    unused("web_acl_arn"),
];

/// A stage that a deployment of the older kind makes.
pub static DEPLOYMENT: [Field; 9] = [
    field("rest_api_id", "RestApiId", REST_API),
    field("stage_name", "StageName", Shape::Plain),
    field("stage_description", "Description", Shape::Plain),
    field("variables", "Variables", Shape::Plain),
    field("canary_settings", "CanarySetting", Shape::Block(&CANARY)),
    unused("description"),
    unused("triggers"),
    unused("invoke_url"),
    unused("deployment_id"),
];

static ACCESS_LOG: [Field; 2] =
    [field("destination_arn", "DestinationArn", Shape::Direct), field("format", "Format", Shape::Plain)];

static CANARY: [Field; 4] = [
    field("percent_traffic", "PercentTraffic", Shape::Plain),
    field("stage_variable_overrides", "StageVariableOverrides", Shape::Plain),
    field("use_stage_cache", "UseStageCache", Shape::Unless(NO)),
    unused("deployment_id"),
];

/// An element of `MethodSettings` of a stage, but for its method.
pub static METHOD_SETTINGS: [Field; 10] = [
    field("throttling_burst_limit", "ThrottlingBurstLimit", Shape::Unless("-1")),
    field("throttling_rate_limit", "ThrottlingRateLimit", Shape::Unless("-1")),
    field("caching_enabled", "CachingEnabled", Shape::Unless(NO)),
    field("logging_level", "LoggingLevel", Shape::Unless("OFF")),
    field("metrics_enabled", "MetricsEnabled", Shape::Unless(NO)),
    field("data_trace_enabled", "DataTraceEnabled", Shape::Unless(NO)),
    unused("cache_ttl_in_seconds"),
    unused("cache_data_encrypted"),
    unused("require_authorization_for_cache_control"),
    unused("unauthorized_cache_control_header_strategy"),
];

static USAGE_PLAN: [Field; 6] = [
    field("name", "UsagePlanName", Shape::Plain),
    field("description", "Description", Shape::Plain),
    field("api_stages", "ApiStages", Shape::Blocks(&API_STAGE)),
    field("quota_settings", "Quota", Shape::Block(&QUOTA)),
    field("throttle_settings", "Throttle", Shape::Block(&THROTTLE)),
    unused("product_code"),
];

static API_STAGE: [Field; 3] = [
    field("api_id", "ApiId", REST_API),
    field("stage", "Stage", Shape::Direct),
    field("throttle", "Throttle", Shape::Blocks(&METHOD_THROTTLE)),
];

static METHOD_THROTTLE: [Field; 3] = [
    field("path", "Path", Shape::MethodPath),
    field("burst_limit", "BurstLimit", Shape::Plain),
    field("rate_limit", "RateLimit", Shape::Plain),
];

static QUOTA: [Field; 3] =
    [field("limit", "Limit", Shape::Plain), field("offset", "Offset", Shape::Unless("0")), field("period", "Period", Shape::Plain)];

static THROTTLE: [Field; 2] = [field("burst_limit", "BurstLimit", Shape::Plain), field("rate_limit", "RateLimit", Shape::Plain)];

static API_KEY: [Field; 5] = [
    field("name", "Name", Shape::Plain),
    field("description", "Description", Shape::Unless("Managed by Terraform")),
    field("enabled", "Enabled", Shape::Plain),
    field("value", "Value", Shape::Plain),
    unused("customer_id"),
];

static USAGE_PLAN_KEY: [Field; 5] = [
    field("usage_plan_id", "UsagePlanId", Shape::Link(&["aws_api_gateway_usage_plan"])),
    field("key_id", "KeyId", Shape::Link(&["aws_api_gateway_api_key"])),
    field("key_type", "KeyType", Shape::Plain),
    unused("name"),
    unused("value"),
];

static DOMAIN_NAME: [Field; 23] = [
    field("domain_name", "DomainName", Shape::Plain),
    field("mutual_tls_authentication", "MutualTlsAuthentication", Shape::Block(&MUTUAL_TLS)),
    field("routing_mode", "RoutingMode", Shape::Unless("BASE_PATH_MAPPING_ONLY")),
    field("policy", "Policy", Shape::Json),
    unused("domain_name_id"),
    unused("endpoint_access_mode"),
    unused("endpoint_configuration"),
    unused("security_policy"),
    unused("certificate_arn"),
    unused("certificate_name"),
    unused("certificate_body"),
    unused("certificate_chain"),
    unused("certificate_private_key"),
    unused("certificate_private_key_wo"),
    unused("certificate_private_key_wo_version"),
    unused("certificate_upload_date"),
    unused("cloudfront_domain_name"),
    unused("cloudfront_zone_id"),
    unused("ownership_verification_certificate_arn"),
    unused("regional_certificate_arn"),
    unused("regional_certificate_name"),
    unused("regional_domain_name"),
    unused("regional_zone_id"),
];

/// Of a domain.
pub static MUTUAL_TLS: [Field; 2] =
    [field("truststore_uri", "TruststoreUri", Shape::Plain), field("truststore_version", "TruststoreVersion", Shape::Plain)];

static BASE_PATH_MAPPING: [Field; 5] = [
    field("api_id", "RestApiId", REST_API),
    field("stage_name", "Stage", Shape::Direct),
    field("base_path", "BasePath", Shape::Plain),
    field("domain_name", "DomainName", Shape::Direct),
    unused("domain_name_id"),
];

static VPC_LINK: [Field; 3] = [
    field("name", "Name", Shape::Plain),
    // Where the link leads is a matter of the cluster that takes its place.
    unused("target_arns"),
    unused("description"),
];

static ACCOUNT: [Field; 5] = [
    unused("cloudwatch_role_arn"),
    unused("throttle_settings"),
    unused("features"),
    unused("api_key_version"),
    unused("reset_on_delete"),
];
