//! Where a property of CloudFormation's stands in Terraform's output: the rest of the import speaks of `Integration.Uri`, the file
//! has `uri`.

use serde_json::Value;
use tollgate::problem::{JsonPath, Segment};

use super::shape::{Field, Shape};
use super::{http, merge, rest};

/// The same place by the names of the file: as far as it is in the file.
pub fn place(root: &Value, path: &JsonPath) -> JsonPath {
    let mut at = JsonPath::root();
    let mut value = root;
    let mut fields: &[Field] = &[];
    for segment in path.segments() {
        let (next, found) = match segment {
            Segment::Index(index) => (at.index(*index), value.get(*index)),
            Segment::Key(key) if value.get(key).is_some() => {
                fields = match value.get("type").and_then(Value::as_str).filter(|_| key == "values") {
                    Some(kind) => table(kind),
                    None => fields.iter().find(|field| field.from == key).map_or(&[], inner),
                };
                (at.key(key), value.get(key))
            }
            // What CloudFormation has around the properties of a resource.
            Segment::Key(key) if key == "Properties" && !fields.is_empty() => continue,
            Segment::Key(key) => {
                let Some(field) = fields.iter().find(|field| field.to == key) else { break };
                let (next, found) = (at.key(field.from), value.get(field.from));
                fields = inner(field);
                match (&field.shape, found) {
                    (Shape::Block(_), Some(Value::Array(blocks))) => (next.index(0), blocks.first()),
                    _ => (next, found),
                }
            }
        };
        let Some(found) = found else { break };
        (at, value) = (next, found);
    }
    at
}

/// The table of a type.
fn table(kind: &str) -> &'static [Field] {
    let whole = rest::RESOURCES.iter().chain(&http::RESOURCES).find(|(known, ..)| *known == kind);
    whole.map_or_else(|| merge::table(kind), |(_, _, fields)| fields)
}

/// The table of a block.
fn inner(field: &Field) -> &'static [Field] {
    match field.shape {
        Shape::Block(fields) | Shape::Blocks(fields) => fields,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn properties_are_shown_by_the_names_of_the_file() {
        let root = json!({ "resources": [
            { "type": "aws_api_gateway_integration", "values": { "uri": "https://a.test" } },
            { "type": "aws_apigatewayv2_authorizer", "values": { "jwt_configuration": [{ "issuer": "x" }] } },
        ] });
        let resource = |index: usize| JsonPath::root().key("resources").index(index).key("values");
        let shown = |path: &JsonPath| place(&root, path).to_string();
        assert_eq!(shown(&resource(0).key("Uri")), "$.resources[0].values.uri");
        assert_eq!(shown(&resource(0).key("Properties").key("Uri")), "$.resources[0].values.uri");
        assert_eq!(shown(&resource(0).key("Credentials")), "$.resources[0].values");
        assert_eq!(shown(&resource(1).key("JwtConfiguration").key("Issuer")), "$.resources[1].values.jwt_configuration[0].issuer");
        assert_eq!(shown(&resource(0).key("uri")), "$.resources[0].values.uri");
    }
}
