provider "aws" {
  region = "eu-west-1"
}

variable "backend" {}

variable "status" {}

resource "aws_api_gateway_rest_api" "catalogue" {
  name = "catalogue"
  body = templatefile("${path.module}/openapi.yaml", { backend = var.backend })
}

resource "aws_api_gateway_deployment" "catalogue" {
  rest_api_id = aws_api_gateway_rest_api.catalogue.id

  triggers = {
    redeployment = sha1(aws_api_gateway_rest_api.catalogue.body)
  }
}

resource "aws_api_gateway_stage" "v2" {
  rest_api_id   = aws_api_gateway_rest_api.catalogue.id
  deployment_id = aws_api_gateway_deployment.catalogue.id
  stage_name    = "v2"
}

resource "aws_apigatewayv2_api" "status" {
  name          = "status"
  protocol_type = "HTTP"

  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = "status", version = "1" }

    x-amazon-apigateway-importexport-version = "1.0"

    paths = {
      "/status" = {
        get = {
          responses = { "200" = { description = "it is well" } }

          x-amazon-apigateway-integration = {
            type       = "http_proxy"
            httpMethod = "GET"
            uri        = "https://${var.status}/"
          }
        }
      }
    }
  })
}

resource "aws_apigatewayv2_stage" "status" {
  api_id      = aws_apigatewayv2_api.status.id
  name        = "$default"
  auto_deploy = true
}
