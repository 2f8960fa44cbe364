//! Every `x-amazon-apigateway-*` extension that AWS documents, where it belongs, and what becomes of it. No extension is ever
//! silently ignored: an unknown or misplaced one is an error with its place.

use super::Node;
use crate::problem::Problems;
use serde_json::Value;

/// Where a value stands in an OpenAPI document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Paths,
    PathItem,
    Operation,
    Components,
    SecuritySchemes,
    SecurityScheme,
    Tags,
    Tag,
    Elsewhere,
}

/// What becomes of it.
enum Treatment {
    /// Read by the part of the gateway that serves it.
    Served,
    /// Says nothing about how requests are served.
    NothingToServe,
    /// Served without it; the user is told why that is safe.
    Warning(&'static str),
}

use Place::{Components, Operation, PathItem, Root, SecurityScheme, Tag};
use Treatment::{NothingToServe, Served, Warning};

const PREFIX: &str = "x-amazon-apigateway-";

/// AWS: "Working with API Gateway extensions to OpenAPI", all rows.
const EXTENSIONS: [(&str, &[Place], Treatment); 20] = [
    ("any-method", &[PathItem], Served),
    ("cors", &[Root], Served),
    ("api-key-source", &[Root], Served),
    ("auth", &[Operation], Served),
    ("authorizer", &[SecurityScheme], Served),
    ("authtype", &[SecurityScheme], Served),
    ("binary-media-types", &[Root], Served),
    ("documentation", &[Root], NothingToServe),
    ("endpoint-access-mode", &[Root], Warning("who may reach the endpoint is the listener's matter")),
    ("endpoint-configuration", &[Root], Warning("endpoint types and VPC endpoints are the listener's matter")),
    ("gateway-responses", &[Root], Served),
    ("importexport-version", &[Root], Served),
    ("integration", &[Operation], Served),
    ("integrations", &[Root, Components], Served),
    ("minimum-compression-size", &[Root], Warning("responses are not compressed; Envoy's compressor filter can do it")),
    ("policy", &[Root], Served),
    ("request-validator", &[Root, Operation], Served),
    ("request-validators", &[Root], Served),
    ("security-policy", &[Root], Warning("the TLS policy is the listener's matter")),
    ("tag-value", &[Tag], NothingToServe),
];

/// Every extension with one word for what becomes of it, for the page that tells users.
pub fn treatments() -> impl Iterator<Item = (String, &'static str)> {
    EXTENSIONS.iter().map(|(name, _, treatment)| (format!("{PREFIX}{name}"), treatment.as_str()))
}

/// Looks at every extension of a definition, but for those of its path items.
pub fn check(root: &Node<'_>, problems: &mut Problems) {
    visit(root, Root, problems);
}

/// Looks at those of a member of `paths`.
pub fn check_path_item(name: &str, item: &Node<'_>, problems: &mut Problems) {
    visit_member(name, item, Place::Paths, problems);
}

fn visit(node: &Node<'_>, place: Place, problems: &mut Problems) {
    match node.value {
        Value::Object(members) => {
            for (key, value) in members.iter().filter(|(key, _)| place.below(key) != Place::Paths) {
                visit_member(key, &Node { value, path: node.path.key(key) }, place, problems);
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                let place = if place == Place::Tags { Tag } else { Place::Elsewhere };
                visit(&Node { value, path: node.path.index(index) }, place, problems);
            }
        }
        _ => {}
    }
}

fn visit_member(key: &str, member: &Node<'_>, place: Place, problems: &mut Problems) {
    match key.strip_prefix(PREFIX) {
        // Nobody would read it, and what it asks for would be missing.
        None if key.to_ascii_lowercase().starts_with(PREFIX) => {
            let help = format!("write `{}`", key.to_ascii_lowercase());
            problems.stray(&member.path, format!("`{key}` is not spelt as an extension is"), Some(&help));
        }
        Some(name) => {
            judge(name, member, place, problems);
            // The extensions that hold operations go on like the operations beside them.
            if name == "any-method" {
                visit(member, Operation, problems);
            }
        }
        None => visit(member, place.below(key), problems),
    }
}

// === impl Place ===

impl Place {
    /// The place of a member.
    fn below(self, key: &str) -> Self {
        match (self, key) {
            (Root, "paths") => Self::Paths,
            (Self::Paths, _) => PathItem,
            (PathItem, _) => Operation,
            (Root, "components") => Components,
            (Components, "securitySchemes") | (Root, "securityDefinitions") => Self::SecuritySchemes,
            (Self::SecuritySchemes, _) => SecurityScheme,
            (Root, "tags") => Self::Tags,
            _ => Self::Elsewhere,
        }
    }
}

// === impl Treatment ===

impl Treatment {
    fn as_str(&self) -> &'static str {
        match self {
            Served => "read",
            NothingToServe => "nothing to serve",
            Warning(_) => "warned",
        }
    }
}

fn judge(name: &str, node: &Node<'_>, place: Place, problems: &mut Problems) {
    let Some((_, places, treatment)) = EXTENSIONS.iter().find(|(known, ..)| *known == name) else {
        problems.stray(&node.path, format!("unknown extension `{PREFIX}{name}`"), Some("AWS documents no such extension"));
        return;
    };
    if !places.contains(&place) {
        problems.stray(&node.path, format!("`{PREFIX}{name}` does not belong here"), None);
        return;
    }
    match treatment {
        Served | NothingToServe => {}
        Warning(why) => problems.warning(&node.path, format!("`{PREFIX}{name}` has no effect: {why}"), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(definition: &Value) -> Vec<String> {
        let mut problems = Problems::default();
        let root = Node::root(definition);
        check(&root, &mut problems);
        for (name, item) in root.get("paths").unwrap().members(&mut problems) {
            check_path_item(name, &item, &mut problems);
        }
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn unknown_and_misplaced_extensions_and_those_without_effect_are_all_told() {
        let told = told(&json!({
            "x-amazon-apigateway-integratoin": {},
            "X-Amazon-Apigateway-Policy": {},
            "x-amazon-apigateway-policy": {},
            "x-amazon-apigateway-security-policy": "TLS_1_2",
            "tags": [{"name": "team", "x-amazon-apigateway-tag-value": "pets"}],
            "paths": {"/a": {
                "x-amazon-apigateway-cors": {},
                "x-amazon-apigateway-any-method": {"x-amazon-apigateway-request-validators": "all"},
                "get": {"x-amazon-apigateway-auth": {"type": "NONE"}, "parameters": [{"x-amazon-apigateway-auth": {}}]},
            }},
            "components": {"securitySchemes": {"s": {"x-amazon-apigateway-authorizer": {}}}, "schemas": {"x-other": {}}},
        }));
        let starts = [
            "$[\"x-amazon-apigateway-integratoin\"]: unknown extension",
            "$[\"X-Amazon-Apigateway-Policy\"]: `X-Amazon-Apigateway-Policy` is not spelt as an extension is",
            "$[\"x-amazon-apigateway-security-policy\"]: `x-amazon-apigateway-security-policy` has no effect",
            "$.paths[\"/a\"][\"x-amazon-apigateway-cors\"]: `x-amazon-apigateway-cors` does not belong here",
            "$.paths[\"/a\"][\"x-amazon-apigateway-any-method\"][\"x-amazon-apigateway-request-validators\"]: `x-amazon-apigateway-request-validators` does not belong here",
            "$.paths[\"/a\"].get.parameters[0][\"x-amazon-apigateway-auth\"]: `x-amazon-apigateway-auth` does not belong here",
        ];
        assert_eq!(told.len(), starts.len(), "{told:#?}");
        for (problem, start) in told.iter().zip(starts) {
            assert!(problem.starts_with(start), "{problem}");
        }
    }
}
