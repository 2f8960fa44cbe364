//! What every source of an import is brought to: resources of API Gateway as CloudFormation writes them. AWS: "AWS resource and
//! property types reference" of CloudFormation, `AWS::ApiGateway` and `AWS::ApiGatewayV2`.

use serde_json::Value;
use tollgate::problem::JsonPath;

/// One resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// What other resources call it: a logical id, or Terraform's address.
    pub id: String,
    /// `AWS::ApiGateway::Method`
    pub kind: String,
    /// Its properties by CloudFormation's names. Another resource is `{"Ref": ID}` or `{"Fn::GetAtt": [ID, ATTRIBUTE]}`, also within
    /// `{"Fn::Sub": TEXT}` and `{"Fn::Join": [BETWEEN, LIST]}`; everything else is resolved.
    pub properties: Value,
    /// Where it stands in the source, so that a mistake can be shown there.
    pub path: JsonPath,
    /// Where the properties stand, when not below `path` under `Properties`: property name to path.
    pub places: Vec<(String, JsonPath)>,
}
