data "terraform_remote_state" "network" {
  backend = "s3"
  config  = { bucket = "states", key = "network", region = "eu-west-1" }
}

resource "aws_api_gateway_rest_api" "mine" {
  name = "mine"
}

resource "aws_api_gateway_resource" "pets" {
  rest_api_id = data.terraform_remote_state.network.outputs.rest_api_id
  parent_id   = data.terraform_remote_state.network.outputs.root_resource_id
  path_part   = "pets"
}
