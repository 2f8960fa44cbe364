//! The exported definition: Swagger 2.0, OpenAPI 3.0 or 3.1, as far as a gateway reads it. Models, examples and documentation are
//! not touched, so whatever stands there, cycles included, does no harm.

use super::outline::Members;
use super::{Basepath, Node, Protocol, extensions};
use crate::http::{BinaryMediaTypes, METHODS};
use crate::problem::{JsonPath, Problems};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A definition as it is handed over.
#[derive(Debug, Clone)]
pub struct Definition<'a> {
    /// Everything but its `paths`.
    pub root: Node<'a>,
    /// Its path items; none where `paths` is no object.
    pub paths: Option<&'a Members<'a>>,
}

/// One definition.
#[derive(Debug)]
pub struct OpenApi<'a> {
    /// The document, which `$ref` starts from.
    pub root: Node<'a>,
    /// Whether it has what only those of HTTP APIs have.
    pub says_http: bool,
    /// The resources, in the order written.
    pub items: Vec<PathItem<'a>>,
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

/// One resource. It is text, of which [`open`](Self::open) makes a tree for as long as its operations are looked at.
#[derive(Debug)]
pub struct PathItem<'a> {
    /// The resource path, base path in front where the import asks for it.
    pub path: Cow<'a, str>,
    /// Its methods, in the order written.
    pub methods: Box<[OperationKey]>,
    name: &'a str,
    text: &'a RawValue,
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
    pub fn read(definition: &Definition<'a>, basepath: Basepath, problems: &mut Problems) -> Self {
        let root = &definition.root;
        version(root, problems);
        extensions::check(root, problems);
        let prefix = prefix(root, basepath, problems);
        let mut says_http = Protocol::is_said_to_be_http(root.value);
        let items = read_paths(definition, &prefix, &mut says_http, problems);
        if let Some(version) = root.get("x-amazon-apigateway-importexport-version") {
            version.text(problems);
        }
        Self {
            says_http,
            items,
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

fn read_paths<'a>(definition: &Definition<'a>, prefix: &str, says_http: &mut bool, problems: &mut Problems) -> Vec<PathItem<'a>> {
    let root = &definition.root;
    let Some(paths) = definition.paths else {
        match root.get("paths") {
            Some(paths) => drop(paths.members(problems)),
            None => problems.error(&root.path, "no `paths`", Some("an OpenAPI definition lists its resources under `paths`")),
        }
        return Vec::new();
    };
    let mut items = Vec::with_capacity(paths.iter().len());
    for (name, text) in paths.iter() {
        let is_as_named = prefix.is_empty() || name == "/$default";
        let path = if is_as_named { Cow::Borrowed(name) } else { Cow::Owned(format!("{prefix}{name}")) };
        let mut item = PathItem { path, methods: Box::default(), name, text };
        let tree = match serde_json::from_str(text.get()) {
            Ok(tree) => tree,
            Err(error) => {
                problems.error(&item.node(&Value::Null, root).path, format!("not JSON, from where it begins: {error}"), None);
                continue;
            }
        };
        let node = item.node(&tree, root);
        *says_http |= Protocol::is_path_of_http(name, &tree);
        extensions::check_path_item(name, &node, problems);
        if name.starts_with("x-") {
            continue;
        }
        if !name.starts_with('/') {
            problems.error(&node.path, format!("path `{name}` does not begin with `/`"), None);
            continue;
        }
        item.methods = item.operations(&tree, root, problems).iter().map(|operation| operation.key).collect();
        items.push(item);
    }
    items
}

fn any_or_default(path: &str, node: &Node<'_>, problems: &mut Problems) -> OperationKey {
    let flagged = node.get("isDefaultRoute").and_then(|flag| flag.boolean(problems)).unwrap_or(false);
    if flagged || path == "/$default" { OperationKey::Default } else { OperationKey::Any }
}

// === impl PathItem ===

impl<'a> PathItem<'a> {
    /// Its tree; null where it is none, which is told when it is read first.
    pub fn open(&self) -> Value {
        serde_json::from_str(self.text.get()).unwrap_or_default()
    }

    fn node<'t>(&self, tree: &'t Value, root: &Node<'_>) -> Node<'t> {
        Node { value: tree, path: root.path.key("paths").key(self.name) }
    }

    /// The methods of its tree, in the order written.
    pub fn operations<'t>(&self, tree: &'t Value, root: &Node<'t>, problems: &mut Problems) -> Vec<Operation<'t>>
    where
        'a: 't,
    {
        let Some(item) = self.node(tree, root).resolved(root, problems) else { return Vec::new() };
        let mut operations = Vec::new();
        for (key, node) in item.members(problems) {
            let key = match METHODS.iter().find(|method| method.eq_ignore_ascii_case(key)) {
                Some(method) => OperationKey::Method(method),
                None if key == ANY => any_or_default(&self.path, &node, problems),
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
            operations.push(Operation { path: self.path.clone().into_owned(), key, node, integration, path_parameters });
        }
        operations
    }

    /// Where its methods stand, for whoever has something to tell of them.
    pub fn places(&self, root: &Node<'_>) -> Vec<(OperationKey, JsonPath)> {
        let tree = self.open();
        let root = Node { value: root.value, path: root.path.clone() };
        let operations = self.operations(&tree, &root, &mut Problems::default());
        operations.into_iter().map(|operation| (operation.key, operation.node.path)).collect()
    }
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
    use crate::definition::Outline;
    use serde_json::json;

    fn paths(definition: &Value, basepath: Basepath) -> Vec<String> {
        let mut problems = Problems::default();
        let outline = Outline::of_definition(definition);
        let api = OpenApi::read(&outline.definition(), basepath, &mut problems);
        assert!(!problems.any_error(), "{:?}", problems.into_vec());
        let names =
            |item: &PathItem<'_>| item.methods.iter().map(|key| format!("{} {}", key.as_str(), item.path)).collect::<Vec<_>>();
        api.items.iter().flat_map(names).collect()
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
    fn a_path_item_that_is_no_json_is_a_problem_at_its_place() {
        let text = r#"{"apis": [{"definition": {"openapi": "3.0.1", "paths": {"/a": {}, "/b": "\ud800"}}}]}"#;
        let mut problems = Problems::default();
        OpenApi::read(&Outline::read(text).unwrap().definition(), Basepath::Ignore, &mut problems);
        let told: Vec<String> = problems.into_vec().iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("$.paths[\"/b\"]: not JSON, from where it begins: "), "{told:?}");
    }

    #[test]
    fn a_version_nobody_exports_is_a_problem() {
        for definition in [json!({"paths": {}}), json!({"openapi": "4.0.0", "paths": {}}), json!({"swagger": "1.2", "paths": {}})] {
            let mut problems = Problems::default();
            OpenApi::read(&Outline::of_definition(&definition).definition(), Basepath::Ignore, &mut problems);
            assert!(problems.any_error(), "{definition}");
        }
    }
}
