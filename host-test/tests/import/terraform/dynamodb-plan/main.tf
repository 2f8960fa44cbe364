provider "aws" {
  region = "eu-west-1"
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

resource "aws_dynamodb_table" "notes" {
  name         = "notes"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_iam_role" "gateway" {
  name               = "notes-gateway"
  path               = "/service/"
  assume_role_policy = file("gateway.json")
}

resource "aws_api_gateway_rest_api" "api" {
  name = "notes"
}

resource "aws_api_gateway_resource" "notes" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  parent_id   = aws_api_gateway_rest_api.api.root_resource_id
  path_part   = "notes"
}

resource "aws_api_gateway_resource" "note" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  parent_id   = aws_api_gateway_resource.notes.id
  path_part   = "{id}"
}

resource "aws_api_gateway_method" "get" {
  rest_api_id   = aws_api_gateway_rest_api.api.id
  resource_id   = aws_api_gateway_resource.note.id
  http_method   = "GET"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "get" {
  rest_api_id             = aws_api_gateway_rest_api.api.id
  resource_id             = aws_api_gateway_resource.note.id
  http_method             = aws_api_gateway_method.get.http_method
  type                    = "AWS"
  integration_http_method = "POST"
  uri                     = "arn:aws:apigateway:${data.aws_region.current.region}:dynamodb:action/GetItem"
  credentials             = aws_iam_role.gateway.arn
  passthrough_behavior    = "NEVER"

  request_templates = {
    "application/json" = <<-EOT
      {
        "TableName": "${aws_dynamodb_table.notes.name}",
        "Key": { "id": { "S": "$util.escapeJavaScript($input.params('id'))" } }
      }
    EOT
  }
}

resource "aws_api_gateway_method_response" "get" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  resource_id = aws_api_gateway_resource.note.id
  http_method = aws_api_gateway_method.get.http_method
  status_code = "200"

  response_models = {
    "application/json" = "Empty"
  }
}

resource "aws_api_gateway_method_response" "refused" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  resource_id = aws_api_gateway_resource.note.id
  http_method = aws_api_gateway_method.get.http_method
  status_code = "400"
}

resource "aws_api_gateway_integration_response" "get" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  resource_id = aws_api_gateway_resource.note.id
  http_method = aws_api_gateway_method.get.http_method
  status_code = aws_api_gateway_method_response.get.status_code

  response_templates = {
    "application/json" = <<-EOT
      #set($item = $input.path('$.Item'))
      { "id": "$item.id.S", "text": "$util.escapeJavaScript($item.text.S)" }
    EOT
  }
}

resource "aws_api_gateway_integration_response" "refused" {
  rest_api_id       = aws_api_gateway_rest_api.api.id
  resource_id       = aws_api_gateway_resource.note.id
  http_method       = aws_api_gateway_method.get.http_method
  status_code       = aws_api_gateway_method_response.refused.status_code
  selection_pattern = "4\\d{2}"

  response_templates = {
    "application/json" = jsonencode({ message = "no such note" })
  }
}

resource "aws_api_gateway_deployment" "v1" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  depends_on  = [aws_api_gateway_integration.get]
}

resource "aws_api_gateway_stage" "v1" {
  rest_api_id   = aws_api_gateway_rest_api.api.id
  deployment_id = aws_api_gateway_deployment.v1.id
  stage_name    = "v1"
}

resource "aws_api_gateway_method_settings" "reads" {
  rest_api_id = aws_api_gateway_rest_api.api.id
  stage_name  = aws_api_gateway_stage.v1.stage_name
  method_path = "${trimprefix(aws_api_gateway_resource.note.path, "/")}/${aws_api_gateway_method.get.http_method}"

  settings {
    throttling_rate_limit  = 20
    throttling_burst_limit = 40
  }
}
