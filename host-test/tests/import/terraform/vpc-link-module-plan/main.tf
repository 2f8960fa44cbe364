# main.tf

provider "aws" {
  region = "eu-west-1"
}

resource "aws_lb" "private" {
  name               = "reports"
  internal           = true
  load_balancer_type = "network"
  subnets            = ["subnet-0a1b2c3d4e5f60718"]
}

resource "aws_api_gateway_vpc_link" "private" {
  name        = "reports"
  target_arns = [aws_lb.private.arn]
}

module "api" {
  source      = "./modules/api"
  name        = "reports"
  vpc_link_id = aws_api_gateway_vpc_link.private.id
}

resource "aws_api_gateway_stage" "prod" {
  rest_api_id   = module.api.rest_api_id
  deployment_id = module.api.deployment_id
  stage_name    = "prod"
  variables     = { host = "reports.internal" }
}

# modules/api/main.tf

variable "name" {}

variable "vpc_link_id" {}

variable "timeout" {
  default = 10000
}

resource "aws_api_gateway_rest_api" "this" {
  name = var.name
}

resource "aws_api_gateway_resource" "proxy" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = "{proxy+}"
}

resource "aws_api_gateway_method" "proxy" {
  rest_api_id   = aws_api_gateway_rest_api.this.id
  resource_id   = aws_api_gateway_resource.proxy.id
  http_method   = "ANY"
  authorization = "NONE"

  request_parameters = {
    "method.request.path.proxy" = true
  }
}

resource "aws_api_gateway_integration" "proxy" {
  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = aws_api_gateway_resource.proxy.id
  http_method             = aws_api_gateway_method.proxy.http_method
  type                    = "HTTP_PROXY"
  integration_http_method = "ANY"
  uri                     = "http://$${stageVariables.host}/{proxy}"
  connection_type         = "VPC_LINK"
  connection_id           = var.vpc_link_id
  timeout_milliseconds    = var.timeout

  request_parameters = {
    "integration.request.path.proxy" = "method.request.path.proxy"
  }

  tls_config {
    insecure_skip_verification = false
  }
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
}

output "rest_api_id" {
  value = aws_api_gateway_rest_api.this.id
}

output "deployment_id" {
  value = aws_api_gateway_deployment.this.id
}
