variable "partners" {
  default = {
    shop = { description = "the shop's own", enabled = true }
    zoo  = { description = "Managed by Terraform", enabled = false }
  }
}

resource "aws_api_gateway_account" "this" {
  cloudwatch_role_arn = aws_iam_role.logs.arn
}

resource "aws_api_gateway_rest_api" "api" {
  name = "items"

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_rest_api_policy" "api" {
  rest_api_id = aws_api_gateway_rest_api.api.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "execute-api:Invoke"
      Resource  = "${aws_api_gateway_rest_api.api.execution_arn}/*"
    }]
  })
}

resource "aws_api_gateway_resource" "items" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  parent_id   = aws_api_gateway_rest_api.api.root_resource_id
  path_part   = "items"
}

resource "aws_api_gateway_model" "item" {
  rest_api_id  = aws_api_gateway_rest_api.api.id
  name         = "Item"
  content_type = "application/json"
  schema       = file("item.json")
}

resource "aws_api_gateway_request_validator" "all" {
  rest_api_id                 = aws_api_gateway_rest_api.api.id
  name                        = "all"
  validate_request_body       = true
  validate_request_parameters = true
}

resource "aws_api_gateway_authorizer" "users" {
  rest_api_id                      = aws_api_gateway_rest_api.api.id
  name                             = "users"
  type                             = "REQUEST"
  authorizer_uri                   = aws_lambda_function.guard.invoke_arn
  authorizer_result_ttl_in_seconds = 60
  identity_source                  = "method.request.header.X-User,method.request.querystring.tenant"
}

resource "aws_api_gateway_method" "create" {
  rest_api_id          = aws_api_gateway_rest_api.api.id
  resource_id          = aws_api_gateway_resource.items.id
  http_method          = "POST"
  operation_name       = "CreateItem"
  authorization        = "CUSTOM"
  authorizer_id        = aws_api_gateway_authorizer.users.id
  api_key_required     = true
  request_validator_id = aws_api_gateway_request_validator.all.id

  request_models = {
    "application/json" = aws_api_gateway_model.item.name
  }

  request_parameters = {
    "method.request.header.X-User"      = true
    "method.request.querystring.tenant" = false
  }
}

resource "aws_api_gateway_integration" "create" {
  rest_api_id             = aws_api_gateway_rest_api.api.id
  resource_id             = aws_api_gateway_resource.items.id
  http_method             = aws_api_gateway_method.create.http_method
  type                    = "HTTP_PROXY"
  integration_http_method = "POST"
  uri                     = "https://items.example.com/items"
}

resource "aws_api_gateway_gateway_response" "throttled" {
  rest_api_id   = aws_api_gateway_rest_api.api.id
  response_type = "THROTTLED"
  status_code   = "429"

  response_parameters = {
    "gatewayresponse.header.Retry-After" = "'1'"
  }

  response_templates = {
    "application/json" = "{\"message\":$context.error.messageString,\"retry\":true}"
  }
}

resource "aws_api_gateway_deployment" "one" {
  rest_api_id = aws_api_gateway_rest_api.api.id
}

resource "aws_api_gateway_stage" "v1" {
  rest_api_id   = aws_api_gateway_rest_api.api.id
  deployment_id = aws_api_gateway_deployment.one.id
  stage_name    = "v1"
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  stage_name  = aws_api_gateway_stage.v1.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = true
    throttling_rate_limit  = 100
    throttling_burst_limit = 200
  }
}

resource "aws_api_gateway_method_settings" "create" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  stage_name  = aws_api_gateway_stage.v1.stage_name
  method_path = "items/POST"

  settings {
    throttling_rate_limit  = 2.5
    throttling_burst_limit = 5
  }
}

resource "aws_api_gateway_usage_plan" "gold" {
  name        = "gold"
  description = "partners"

  api_stages {
    api_id = aws_api_gateway_rest_api.api.id
    stage  = aws_api_gateway_stage.v1.stage_name

    throttle {
      path        = "/items/POST"
      rate_limit  = 0.5
      burst_limit = 3
    }
  }

  throttle_settings {
    rate_limit  = 5
    burst_limit = 10
  }

  quota_settings {
    limit  = 10000
    period = "MONTH"
  }
}

resource "aws_api_gateway_api_key" "partner" {
  for_each    = var.partners
  name        = each.key
  description = each.value.description
  enabled     = each.value.enabled
}

resource "aws_api_gateway_usage_plan_key" "gold" {
  for_each      = var.partners
  usage_plan_id = aws_api_gateway_usage_plan.gold.id
  key_id        = aws_api_gateway_api_key.partner[each.key].id
  key_type      = "API_KEY"
}
