variable "routes" {
  default = {
    "GET /orders"  = { function = "orders-list", scope = "orders/read" }
    "POST /orders" = { function = "orders-create", scope = "orders/write" }
  }
}

resource "aws_lambda_function" "handler" {
  for_each      = var.routes
  function_name = each.value.function
  filename      = "${each.value.function}.zip"
  handler       = "index.handler"
  runtime       = "nodejs22.x"
  memory_size   = 256
  role          = aws_iam_role.handler[each.key].arn
}

resource "aws_apigatewayv2_api" "shop" {
  name          = "shop"
  protocol_type = "HTTP"

  cors_configuration {
    allow_origins = ["https://shop.example.com"]
    allow_methods = ["GET", "POST"]
    allow_headers = ["authorization"]
    max_age       = 600
  }
}

resource "aws_apigatewayv2_authorizer" "login" {
  api_id           = aws_apigatewayv2_api.shop.id
  authorizer_type  = "JWT"
  name             = "login"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = "https://login.example.com"
    audience = ["shop"]
  }
}

resource "aws_apigatewayv2_integration" "handler" {
  for_each               = var.routes
  api_id                 = aws_apigatewayv2_api.shop.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.handler[each.key].invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "handler" {
  for_each             = var.routes
  api_id               = aws_apigatewayv2_api.shop.id
  route_key            = each.key
  target               = "integrations/${aws_apigatewayv2_integration.handler[each.key].id}"
  authorization_type   = "JWT"
  authorizer_id        = aws_apigatewayv2_authorizer.login.id
  authorization_scopes = [each.value.scope]
}

resource "aws_apigatewayv2_integration" "status" {
  api_id               = aws_apigatewayv2_api.shop.id
  integration_type     = "HTTP_PROXY"
  integration_method   = "GET"
  integration_uri      = "https://status.example.com/shop"
  timeout_milliseconds = 3000

  request_parameters = {
    "append:header.x-gateway" = "tollgate"
  }

  response_parameters {
    status_code = 200
    mappings    = { "overwrite:statuscode" = "204" }
  }

  response_parameters {
    status_code = 503
    mappings    = { "overwrite:header.retry-after" = "30" }
  }
}

resource "aws_apigatewayv2_route" "status" {
  api_id    = aws_apigatewayv2_api.shop.id
  route_key = "GET /status"
  target    = "integrations/${aws_apigatewayv2_integration.status.id}"
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.shop.id
  name        = "$default"
  auto_deploy = true

  route_settings {
    route_key              = "POST /orders"
    throttling_burst_limit = 20
    throttling_rate_limit  = 10
  }

  depends_on = [aws_apigatewayv2_route.handler]
}

resource "aws_apigatewayv2_domain_name" "shop" {
  domain_name = "api.shop.example.com"

  domain_name_configuration {
    certificate_arn = aws_acm_certificate.shop.arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "shop" {
  api_id      = aws_apigatewayv2_api.shop.id
  domain_name = aws_apigatewayv2_domain_name.shop.id
  stage       = aws_apigatewayv2_stage.default.id
}
