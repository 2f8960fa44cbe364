//! What every source of an import is brought to: resources of API Gateway as CloudFormation writes them. AWS: "AWS resource and
//! property types reference" of CloudFormation, `AWS::ApiGateway` and `AWS::ApiGatewayV2`.

use serde_json::Value;
use tollgate::definition::Node;
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
    /// Where the properties stand, when not below `path` under `Properties`: property name to path. A part of a property that was put
    /// together from elsewhere is a JSON pointer behind its name: `Body/paths/~1pets/get`.
    pub places: Vec<(String, JsonPath)>,
}

// === impl Resource ===

impl Resource {
    /// Where a property stands.
    pub fn place(&self, property: &str) -> JsonPath {
        let known = self.places.iter().find(|(name, _)| name == property);
        known.map_or_else(|| self.path.key("Properties").key(property), |(_, path)| path.clone())
    }

    /// A property with its place; null is none.
    pub fn get(&self, property: &str) -> Option<Node<'_>> {
        let value = self.properties.get(property).filter(|value| !value.is_null())?;
        Some(Node { value, path: self.place(property) })
    }

    /// Whether it is one that this command makes something of, and not only one that others refer to.
    pub fn is_of_api_gateway(&self) -> bool {
        is_of_api_gateway(&self.kind)
    }
}

/// Whether a type is one of API Gateway's.
pub fn is_of_api_gateway(kind: &str) -> bool {
    kind.starts_with("AWS::ApiGateway::") || kind.starts_with("AWS::ApiGatewayV2::")
}
