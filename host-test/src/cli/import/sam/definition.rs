//! The OpenAPI definition that SAM makes of events and of what an API says beside them.

use serde_json::{Map, Value, json};
use tollgate::problem::{JsonPath, Problems};

/// What API Gateway calls all methods at once.
pub const ANY: &str = "x-amazon-apigateway-any-method";
/// What becomes of a request.
pub const INTEGRATION: &str = "x-amazon-apigateway-integration";
const METHODS: [&str; 8] = ["get", "head", "post", "put", "patch", "delete", "options", ANY];

/// A definition in the making.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The document.
    pub root: Map<String, Value>,
    places: Vec<(String, JsonPath)>,
}

/// An object at a key of an object, made where there is none.
pub fn object<'a>(parent: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let value = parent.entry(key).or_insert_with(|| json!({}));
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(members) => members,
        _ => unreachable!("it was made one"),
    }
}

/// `any` and `GET` as a path item has them.
pub fn method_key(method: &str) -> String {
    match method.to_ascii_lowercase().as_str() {
        "any" => ANY.to_owned(),
        method => method.to_owned(),
    }
}

/// Whether a member of a path item is a method.
pub fn is_method(key: &str) -> bool {
    METHODS.contains(&key)
}

// === impl Definition ===

impl Definition {
    /// The empty definition of a REST API.
    pub fn of_rest_api(title: &str, open_api_version: Option<&str>) -> Self {
        let info = json!({"version": "1.0", "title": title});
        match open_api_version.filter(|version| version.starts_with('3')) {
            Some(version) => Self::made(json!({"openapi": version, "info": info, "paths": {}})),
            None => Self::made(json!({"swagger": "2.0", "info": info, "paths": {}})),
        }
    }

    /// The empty definition of an HTTP API.
    pub fn of_http_api(title: &str) -> Self {
        Self::made(json!({"openapi": "3.0.1", "info": {"version": "1.0", "title": title}, "paths": {}}))
    }

    fn made(value: Value) -> Self {
        Self { root: value.as_object().cloned().unwrap_or_default(), places: Vec::new() }
    }

    /// The user's own. It has to be one that can be written into.
    pub fn of(value: Value, path: &JsonPath, problems: &mut Problems) -> Option<Self> {
        let Value::Object(root) = value else {
            problems.error(path, "the definition has to be an object", None);
            return None;
        };
        let has_version = root.contains_key("swagger") || root.contains_key("openapi");
        let item = |(_, item): (&String, &Value)| item.is_object();
        match root.get("paths").and_then(Value::as_object) {
            Some(paths) if has_version && paths.iter().all(item) => Some(Self { root, places: Vec::new() }),
            _ => {
                let help = "it needs `openapi` or `swagger`, and `paths` with an object for each path";
                problems.error(path, "this is no OpenAPI definition", Some(help));
                None
            }
        }
    }

    /// Whether it is written in OpenAPI 3: `swagger` counts first, as SAM has it.
    pub fn is_openapi_3(&self) -> bool {
        !self.root.contains_key("swagger")
    }

    /// The path items.
    pub fn paths(&mut self) -> &mut Map<String, Value> {
        object(&mut self.root, "paths")
    }

    /// One operation, made where there is none.
    pub fn operation(&mut self, path: &str, method: &str) -> &mut Map<String, Value> {
        object(object(self.paths(), path), &method_key(method))
    }

    /// One operation, if it is there.
    pub fn find(&mut self, path: &str, method: &str) -> Option<&mut Map<String, Value>> {
        self.paths().get_mut(path)?.get_mut(method_key(method))?.as_object_mut()
    }

    /// All operations that have an integration, with their methods.
    pub fn operations(&mut self) -> impl Iterator<Item = (&str, &mut Map<String, Value>)> {
        let items = self.paths().values_mut().filter_map(Value::as_object_mut);
        items.flat_map(Map::iter_mut).filter_map(|(method, operation)| {
            let operation = operation.as_object_mut().filter(|operation| has_integration(operation))?;
            is_method(method).then_some((method.as_str(), operation))
        })
    }

    /// Remembers where a part of it is said, which stands at these names.
    pub fn came_from(&mut self, names: &[&str], path: &JsonPath) {
        let names = names.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1")));
        self.places.push((format!("Body{}", names.collect::<String>()), path.clone()));
    }

    /// The document, as the property `Body`, and where its parts are said.
    pub fn finish(self) -> (Value, Vec<(String, JsonPath)>) {
        (Value::Object(self.root), self.places)
    }

    /// Adds a security scheme, in the place of one of its name.
    pub fn scheme(&mut self, name: &str, scheme: Value, path: &JsonPath) {
        self.schemes().insert(name.to_owned(), scheme);
        if self.is_openapi_3() {
            self.came_from(&["components", "securitySchemes", name], path);
        } else {
            self.came_from(&["securityDefinitions", name], path);
        }
    }

    /// Adds a security scheme, unless the user has one of its name.
    pub fn scheme_unless_known(&mut self, name: &str, scheme: Value) {
        self.schemes().entry(name).or_insert(scheme);
    }

    fn schemes(&mut self) -> &mut Map<String, Value> {
        if self.is_openapi_3() {
            object(object(&mut self.root, "components"), "securitySchemes")
        } else {
            object(&mut self.root, "securityDefinitions")
        }
    }

    /// Adds a model.
    pub fn model(&mut self, name: &str, schema: Value, path: &JsonPath) {
        let models = if self.is_openapi_3() {
            object(object(&mut self.root, "components"), "schemas")
        } else {
            object(&mut self.root, "definitions")
        };
        models.insert(name.to_owned(), schema);
        if self.is_openapi_3() {
            self.came_from(&["components", "schemas", name], path);
        } else {
            self.came_from(&["definitions", name], path);
        }
    }
}

/// Whether somebody said what becomes of a request.
pub fn has_integration(operation: &Map<String, Value>) -> bool {
    operation.get(INTEGRATION).and_then(Value::as_object).is_some_and(|integration| !integration.is_empty())
}

/// The integration of an operation.
pub fn integration(operation: &mut Map<String, Value>) -> &mut Map<String, Value> {
    object(operation, INTEGRATION)
}

/// Adds a requirement to an operation, beside those that it has.
pub fn require(operation: &mut Map<String, Value>, scheme: &str, scopes: Vec<Value>) {
    let security = operation.entry("security").or_insert_with(|| json!([]));
    if let Value::Array(requirements) = security {
        requirements.push(json!({scheme: scopes}));
    }
}

/// Takes the requirements out of an operation that a test holds for.
pub fn take_requirements(operation: &mut Map<String, Value>, test: impl Fn(&str) -> bool) -> Vec<Value> {
    let Some(Value::Array(requirements)) = operation.get_mut("security") else { return Vec::new() };
    let names = |requirement: &Value| requirement.as_object().is_some_and(|r| r.keys().any(|name| test(name)));
    let (taken, left) = std::mem::take(requirements).into_iter().partition(names);
    *requirements = left;
    taken
}
