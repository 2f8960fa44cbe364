provider "aws" {
  region = "us-west-2"
}

locals {
  paths = ["hello"]
}

resource "aws_api_gateway_rest_api" "old" {
  name = "old"
}

resource "aws_api_gateway_resource" "hello" {
  count       = length(local.paths)
  rest_api_id = aws_api_gateway_rest_api.old.id
  parent_id   = aws_api_gateway_rest_api.old.root_resource_id
  path_part   = local.paths[count.index]
}

resource "aws_api_gateway_method" "hello" {
  count         = length(local.paths)
  rest_api_id   = aws_api_gateway_rest_api.old.id
  resource_id   = aws_api_gateway_resource.hello[count.index].id
  http_method   = "GET"
  authorization = "AWS_IAM"
}

resource "aws_api_gateway_integration" "hello" {
  count                   = length(local.paths)
  rest_api_id             = aws_api_gateway_rest_api.old.id
  resource_id             = aws_api_gateway_resource.hello[count.index].id
  http_method             = aws_api_gateway_method.hello[count.index].http_method
  type                    = "HTTP_PROXY"
  integration_http_method = "GET"
  uri                     = "https://$${stageVariables.backend}/hello"
}

resource "aws_api_gateway_deployment" "live" {
  depends_on        = [aws_api_gateway_integration.hello]
  rest_api_id       = aws_api_gateway_rest_api.old.id
  stage_name        = "live"
  stage_description = "made by its deployment"
  variables         = { backend = "hello.example.com" }
}

resource "aws_api_gateway_method_settings" "live" {
  rest_api_id = aws_api_gateway_rest_api.old.id
  stage_name  = aws_api_gateway_deployment.live.stage_name
  method_path = "*/*"

  settings {
    throttling_rate_limit  = 25
    throttling_burst_limit = 50
  }
}
