provider "aws" {
  region = "eu-west-1"
}

data "aws_caller_identity" "current" {}

variable "routes" {
  default = {
    "GET /orders"  = { function = "orders-list" }
    "POST /orders" = { function = "orders-create" }
  }
}

resource "aws_lambda_function" "handler" {
  for_each      = var.routes
  function_name = each.value.function
  filename      = "handler.zip"
  handler       = "index.handler"
  runtime       = "nodejs22.x"
  role          = "arn:aws:iam::123456789012:role/handler"
}

resource "aws_lambda_function" "login" {
  function_name = "login"
  filename      = "login.zip"
  handler       = "index.handler"
  runtime       = "nodejs22.x"
  role          = "arn:aws:iam::123456789012:role/handler"
}

resource "aws_sqs_queue" "later" {
  name = "later"
}

resource "aws_iam_role" "gateway" {
  name               = "shop-gateway"
  assume_role_policy = "{}"
}

resource "aws_cloudwatch_log_group" "shop" {
  name = "/aws/apigateway/shop"
}

resource "aws_apigatewayv2_api" "shop" {
  name          = "shop"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_authorizer" "login" {
  api_id                            = aws_apigatewayv2_api.shop.id
  authorizer_type                   = "REQUEST"
  name                              = "login"
  authorizer_uri                    = aws_lambda_function.login.invoke_arn
  authorizer_payload_format_version = "2.0"
  enable_simple_responses           = true
  identity_sources                  = ["$request.header.Authorization"]
}

resource "aws_apigatewayv2_integration" "handler" {
  for_each               = var.routes
  api_id                 = aws_apigatewayv2_api.shop.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.handler[each.key].invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "handler" {
  for_each           = var.routes
  api_id             = aws_apigatewayv2_api.shop.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.handler[each.key].id}"
  authorization_type = "CUSTOM"
  authorizer_id      = aws_apigatewayv2_authorizer.login.id
}

resource "aws_apigatewayv2_integration" "later" {
  api_id              = aws_apigatewayv2_api.shop.id
  integration_type    = "AWS_PROXY"
  integration_subtype = "SQS-SendMessage"
  credentials_arn     = aws_iam_role.gateway.arn

  request_parameters = {
    QueueUrl    = aws_sqs_queue.later.url
    MessageBody = "$request.body"
  }
}

resource "aws_apigatewayv2_route" "later" {
  api_id    = aws_apigatewayv2_api.shop.id
  route_key = "POST /later"
  target    = "integrations/${aws_apigatewayv2_integration.later.id}"
}

resource "aws_apigatewayv2_stage" "live" {
  api_id      = aws_apigatewayv2_api.shop.id
  name        = "live"
  auto_deploy = true

  default_route_settings {
    throttling_burst_limit = 200
    throttling_rate_limit  = 100
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.shop.arn
    format          = "$context.requestId $context.status"
  }
}

resource "aws_apigatewayv2_domain_name" "shop" {
  domain_name = "api.shop.example.com"

  domain_name_configuration {
    certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/0f1e2d3c"
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "shop" {
  api_id          = aws_apigatewayv2_api.shop.id
  domain_name     = aws_apigatewayv2_domain_name.shop.id
  stage           = aws_apigatewayv2_stage.live.id
  api_mapping_key = "v1"
}
