//! The exported definition: Swagger 2.0, OpenAPI 3.0 or 3.1, as far as a gateway reads it. Models, examples and documentation are
//! not touched, so whatever stands there, cycles included, does no harm.

use super::{Basepath, Node, extensions};
use crate::http::{BinaryMediaTypes, METHODS};
use crate::problem::Problems;

/// One definition.
#[derive(Debug)]
pub struct OpenApi<'a> {
    /// The document, which `$ref` starts from.
    pub root: Node<'a>,
    /// The methods of all resources, in the order written.
    pub operations: Vec<Operation<'a>>,
    /// `x-amazon-apigateway-gateway-responses`
    pub gateway_responses: Option<Node<'a>>,
    /// `x-amazon-apigateway-cors`
    pub cors: Option<Node<'a>>,
    /// `x-amazon-apigateway-policy`
    pub policy: Option<Node<'a>>,
    /// `x-amazon-apigateway-api-key-source`
    pub api_key_source: Option<Node<'a>>,
    /// `x-amazon-apigateway-binary-media-types`
    pub binary_media_types: BinaryMediaTypes,
}

/// One method of one resource.
#[derive(Debug)]
pub struct Operation<'a> {
    /// The resource path, base path in front where the import asks for it.
    pub path: String,
    /// The verb.
    pub key: OperationKey,
    /// The operation object.
    pub node: Node<'a>,
    /// `x-amazon-apigateway-integration`, `$ref` resolved.
    pub integration: Option<Node<'a>>,
    /// `parameters` of the path, which all its methods have.
    pub path_parameters: Option<Node<'a>>,
}

/// What an operation answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKey {
    /// One method.
    Method(&'static str),
    /// `x-amazon-apigateway-any-method`
    Any,
    /// The `$default` route of an HTTP API.
    Default,
}

const ANY: &str = "x-amazon-apigateway-any-method";

// === impl OpenApi ===

impl<'a> OpenApi<'a> {
    /// Reads a definition and every mistake in it.
    pub fn read(root: &Node<'a>, basepath: Basepath, problems: &mut Problems) -> Self {
        version(root, problems);
        extensions::check(root, problems);
        let prefix = prefix(root, basepath, problems);
        let mut operations = Vec::new();
        match root.get("paths") {
            Some(paths) => {
                for (path, item) in paths.members(problems).into_iter().filter(|(path, _)| !path.starts_with("x-")) {
                    if !path.starts_with('/') {
                        problems.error(&item.path, format!("path `{path}` does not begin with `/`"), None);
                        continue;
                    }
                    let Some(item) = item.resolved(root, problems) else { continue };
                    let path = if path == "/$default" { path.to_owned() } else { format!("{prefix}{path}") };
                    read_path_item(root, &path, &item, &mut operations, problems);
                }
            }
            None => problems.error(&root.path, "no `paths`", Some("an OpenAPI definition lists its resources under `paths`")),
        }
        if let Some(version) = root.get("x-amazon-apigateway-importexport-version") {
            version.text(problems);
        }
        Self {
            operations,
            gateway_responses: root.get("x-amazon-apigateway-gateway-responses"),
            cors: root.get("x-amazon-apigateway-cors"),
            policy: root.guarding("x-amazon-apigateway-policy", problems),
            api_key_source: root.guarding("x-amazon-apigateway-api-key-source", problems),
            binary_media_types: root
                .get("x-amazon-apigateway-binary-media-types")
                .map(|types| BinaryMediaTypes::new(&types.strings(problems)))
                .unwrap_or_default(),
            root: root.clone(),
        }
    }
}

fn version(root: &Node<'_>, problems: &mut Problems) {
    let help = Some("API Gateway exports `swagger: \"2.0\"` or `openapi: 3.0.1`");
    let Some(node) = root.get("openapi").or_else(|| root.get("swagger")) else {
        return problems.error(&root.path, "neither `openapi` nor `swagger` names a version", help);
    };
    // YAML reads an unquoted 2.0 as a number.
    let Some(version) = node.text(problems) else { return };
    let known = if root.get("openapi").is_some() { ["3.0", "3.1"].as_slice() } else { &["2"] };
    if !known.iter().any(|start| version == *start || version.starts_with(&format!("{start}."))) {
        problems.error(&node.path, format!("version `{version}` is not served"), help);
    }
}

/// The import parameter `basepath` (recorded: `test_import_rest_api_with_base_path_oas30`; documented: "Set the OpenAPI basePath
/// property").
fn prefix(root: &Node<'_>, basepath: Basepath, problems: &mut Problems) -> String {
    let written = match basepath {
        Basepath::Ignore => return String::new(),
        Basepath::Prepend | Basepath::Split => written_base_path(root, problems).unwrap_or_default(),
    };
    let written = written.trim_matches('/');
    let kept = match basepath {
        Basepath::Split => written.split_once('/').map_or("", |(_, rest)| rest),
        _ => written,
    };
    if kept.is_empty() { String::new() } else { format!("/{kept}") }
}

/// `basePath` of Swagger 2.0; of OpenAPI 3 the first server's variable `basePath`, else the path of its URL.
fn written_base_path(root: &Node<'_>, problems: &mut Problems) -> Option<String> {
    if let Some(base_path) = root.get("basePath") {
        return base_path.string(problems).map(str::to_owned);
    }
    let server = root.get("servers")?.elements(problems).into_iter().next()?;
    let default = |variable: &Node<'_>| variable.get("default").and_then(|d| d.value.as_str().map(str::to_owned));
    if let Some(variable) = server.get("variables").and_then(|variables| variables.get("basePath")) {
        return default(&variable);
    }
    let url = server.get("url")?.string(problems)?;
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let mut path = after_scheme.split_once('/').map_or(String::new(), |(_, path)| path.to_owned());
    if let Some(variables) = server.get("variables") {
        for (name, variable) in variables.members(problems) {
            path = path.replace(&format!("{{{name}}}"), &default(&variable).unwrap_or_default());
        }
    }
    Some(path)
}

fn read_path_item<'a>(root: &Node<'a>, path: &str, item: &Node<'a>, operations: &mut Vec<Operation<'a>>, problems: &mut Problems) {
    for (key, node) in item.members(problems) {
        let key = match METHODS.iter().find(|method| method.eq_ignore_ascii_case(key)) {
            Some(method) => OperationKey::Method(method),
            None if key == ANY => any_or_default(path, &node, problems),
            None if key.eq_ignore_ascii_case("trace") => {
                problems.error(&node.path, "API Gateway has no method TRACE", None);
                continue;
            }
            None if key == "security" => {
                let help = "say it at each method: OpenAPI knows no `security` of a path";
                problems.error(&node.path, "`security` does not belong here, and guards nothing", Some(help));
                continue;
            }
            // Parameters, summary, description, servers; unknown extensions are told elsewhere.
            None => continue,
        };
        let integration = node.get("x-amazon-apigateway-integration").and_then(|i| i.resolved(root, problems));
        let path_parameters = item.get("parameters");
        operations.push(Operation { path: path.to_owned(), key, node, integration, path_parameters });
    }
}

fn any_or_default(path: &str, node: &Node<'_>, problems: &mut Problems) -> OperationKey {
    let flagged = node.get("isDefaultRoute").and_then(|flag| flag.boolean(problems)).unwrap_or(false);
    if flagged || path == "/$default" { OperationKey::Default } else { OperationKey::Any }
}

// === impl OperationKey ===

impl OperationKey {
    /// `GET`, `ANY` or `$default`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Method(method) => method,
            Self::Any => "ANY",
            Self::Default => "$default",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn paths(definition: &Value, basepath: Basepath) -> Vec<String> {
        let mut problems = Problems::default();
        let api = OpenApi::read(&Node::root(definition), basepath, &mut problems);
        assert!(!problems.any_error(), "{:?}", problems.into_vec());
        api.operations.iter().map(|operation| format!("{} {}", operation.key.as_str(), operation.path)).collect()
    }

    #[test]
    fn the_base_path_is_ignored_prepended_or_split() {
        let swagger = json!({"swagger": "2.0", "basePath": "/a/b/c", "paths": {"/e": {"get": {}}}});
        assert_eq!(paths(&swagger, Basepath::Ignore), ["GET /e"]);
        assert_eq!(paths(&swagger, Basepath::Prepend), ["GET /a/b/c/e"]);
        assert_eq!(paths(&swagger, Basepath::Split), ["GET /b/c/e"]);
        let server = json!({"openapi": "3.0.1", "servers": [{"url": "https://x/base-url/{v}", "variables": {"v": {"default": "part"}}}],
            "paths": {"/t": {"get": {}}}});
        assert_eq!(paths(&server, Basepath::Prepend), ["GET /base-url/part/t"]);
        let variable = json!({"openapi": "3.1.0", "servers": [{"url": "https://x", "variables": {"basePath": {"default": "/v"}}}],
            "paths": {"/t": {"get": {}}}});
        assert_eq!(paths(&variable, Basepath::Prepend), ["GET /v/t"]);
        assert_eq!(paths(&variable, Basepath::Split), ["GET /t"]);
    }

    #[test]
    fn methods_any_and_the_default_route_are_read_in_order() {
        let definition = json!({"swagger": 2.0, "paths": {
            "/b": {"parameters": [], "POST": {}, "get": {}, "x-amazon-apigateway-any-method": {}},
            "/a": {"x-amazon-apigateway-any-method": {"isDefaultRoute": true}},
            "/$default": {"x-amazon-apigateway-any-method": {}},
        }});
        assert_eq!(paths(&definition, Basepath::Prepend), ["POST /b", "GET /b", "ANY /b", "$default /a", "$default /$default"]);
    }

    #[test]
    fn a_version_nobody_exports_is_a_problem() {
        for definition in [json!({"paths": {}}), json!({"openapi": "4.0.0", "paths": {}}), json!({"swagger": "1.2", "paths": {}})] {
            let mut problems = Problems::default();
            OpenApi::read(&Node::root(&definition), Basepath::Ignore, &mut problems);
            assert!(problems.any_error(), "{definition}");
        }
    }
}
