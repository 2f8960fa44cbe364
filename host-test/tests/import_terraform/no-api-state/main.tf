data "aws_api_gateway_rest_api" "shared" {
  name = "shared"
}

resource "aws_lambda_function" "pets" {
  function_name = "pets"
  filename      = "pets.zip"
  handler       = "index.handler"
  runtime       = "nodejs22.x"
  role          = "arn:aws:iam::123456789012:role/pets"
}
