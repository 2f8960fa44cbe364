//! Stages, at the places where they are served: below the domains that nobody names, and at each mapping of a domain. AWS:
//! `AWS::ApiGateway::Stage`, `AWS::ApiGateway::Deployment StageDescription`, `AWS::ApiGatewayV2::Stage`.

use serde_json::{Map, Value, json};
use tollgate::definition::Node;
use tollgate::problem::{JsonPath, Problems};

use super::Api;
use super::domain;
use super::draft::{Draft, camel_case, plain};
use super::stack::{Stack, text};

/// A stage as the document has it, and where it is written.
struct Stage {
    name: String,
    value: Map<String, Value>,
    /// Key of the document, place in the source.
    places: Vec<(&'static str, JsonPath)>,
    path: JsonPath,
}

/// Property of the stage and key of the document.
const OF_REST: [(&str, &str); 4] = [
    ("Variables", "variables"),
    ("MethodSettings", "methodSettings"),
    ("AccessLogSetting", "accessLogSettings"),
    ("CanarySetting", "canarySettings"),
];

const OF_HTTP: [(&str, &str); 4] = [
    ("StageVariables", "variables"),
    ("DefaultRouteSettings", "defaultRouteSettings"),
    ("RouteSettings", "routeSettings"),
    ("AccessLogSettings", "accessLogSettings"),
];

/// What `StageDescription` of a deployment says of all methods of its stage.
const OF_ALL_METHODS: [(&str, &str); 7] = [
    ("ThrottlingRateLimit", "throttlingRateLimit"),
    ("ThrottlingBurstLimit", "throttlingBurstLimit"),
    ("CachingEnabled", "cachingEnabled"),
    ("CacheTtlInSeconds", "cacheTtlInSeconds"),
    ("CacheDataEncrypted", "cacheDataEncrypted"),
    ("LoggingLevel", "loggingLevel"),
    ("MetricsEnabled", "metricsEnabled"),
];

/// The stages of an API, one for each place.
pub fn stages(api: &Api<'_>, definition: &Value, stack: &Stack, draft: &mut Draft, problems: &mut Problems) -> Vec<Value> {
    let mut stages = if api.protocol == "HTTP" { of_http(api, stack, problems) } else { of_rest(api, definition, stack, problems) };
    if stages.is_empty() {
        let name = if api.protocol == "HTTP" { "$default" } else { "prod" };
        let message = format!("the API `{}` has no stage: it is served at `{name}` here", api.name);
        problems.warning(&api.resource.path, message, Some("add a stage to the template, or to the document"));
        let value = Map::from_iter([("stageName".to_owned(), Value::from(name))]);
        stages.push(Stage { name: name.to_owned(), value, places: Vec::new(), path: api.resource.path.clone() });
    }
    let mappings = domain::mappings(api, stack, problems);
    let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
    domain::check(&mappings, &names, problems);
    let is_closed = api.resource.properties.get("DisableExecuteApiEndpoint").is_some_and(|closed| plain(closed) == true);
    let mut written = Vec::new();
    for stage in &stages {
        let own: Vec<_> = mappings.iter().filter(|mapping| mapping.stage.as_ref().is_none_or(|name| *name == stage.name)).collect();
        // Nothing answers below other domains where the API's own one is off.
        if !is_closed || own.is_empty() {
            stage.write(api, stage.value.clone(), &mut written, draft);
        }
        for mapping in own {
            let mut value = stage.value.clone();
            // Where a mapping names no stage, the path does.
            let base_path = match &mapping.stage {
                Some(_) => format!("/{}", mapping.base_path),
                None => format!(
                    "{}/{}",
                    if mapping.base_path.is_empty() { String::new() } else { format!("/{}", mapping.base_path) },
                    stage.name
                ),
            };
            let made = api.path.key("stages").index(written.len());
            draft.note(&made.key("basePath"), &mapping.path);
            draft.note(&made.key("hosts"), &mapping.path);
            value.insert("basePath".to_owned(), base_path.into());
            value.insert("hosts".to_owned(), json!([mapping.domain]));
            stage.write(api, value, &mut written, draft);
        }
    }
    written
}

fn of_rest(api: &Api<'_>, definition: &Value, stack: &Stack, problems: &mut Problems) -> Vec<Stage> {
    // A base path that the import puts in front of all paths: the compiler knows them then.
    let is_moved = api.resource.get("Parameters").is_some_and(|parameters| parameters.get("basepath").is_some());
    let paths = definition.get("paths").filter(|_| !is_moved);
    let mut stages = Vec::new();
    for resource in stack.of_owner("AWS::ApiGateway::Stage", "RestApiId", &api.id) {
        let Some(name) = resource.get("StageName").and_then(|name| name.text(problems)) else {
            problems.error(&resource.path, format!("`{}` has no `StageName`", resource.id), None);
            continue;
        };
        let mut stage = Stage::new(name, resource.path.clone());
        let node = |property: &str| resource.get(property);
        stage.take(&OF_REST, node, paths, problems);
        stage.cache(node("CacheClusterEnabled"), node("CacheClusterSize"));
        stages.push(stage);
    }
    for resource in stack.of_owner("AWS::ApiGateway::Deployment", "RestApiId", &api.id) {
        let Some(name) = text(resource, "StageName") else { continue };
        // A stage of its own says more.
        if stages.iter().any(|stage| stage.name == name) {
            continue;
        }
        let mut stage = Stage::new(name.to_owned(), resource.path.clone());
        if let Some(description) = resource.get("StageDescription") {
            stage.describe(&description, paths, problems);
        }
        stages.push(stage);
    }
    stages
}

fn of_http(api: &Api<'_>, stack: &Stack, problems: &mut Problems) -> Vec<Stage> {
    let mut stages = Vec::new();
    if let Some(target) = api.resource.get("Target") {
        // "Quick create": API Gateway makes a stage that is deployed by itself.
        stages.push(Stage::new("$default".to_owned(), target.path));
    }
    for resource in stack.of_owner("AWS::ApiGatewayV2::Stage", "ApiId", &api.id) {
        let Some(name) = resource.get("StageName").and_then(|name| name.text(problems)) else {
            problems.error(&resource.path, format!("`{}` has no `StageName`", resource.id), None);
            continue;
        };
        let mut stage = Stage::new(name, resource.path.clone());
        stage.take(&OF_HTTP, |property| resource.get(property), None, problems);
        stages.retain(|other: &Stage| other.name != stage.name);
        stages.push(stage);
    }
    stages
}

// === impl Stage ===

impl Stage {
    fn new(name: String, path: JsonPath) -> Self {
        let value = Map::from_iter([("stageName".to_owned(), Value::from(name.as_str()))]);
        Self { name, value, places: Vec::new(), path }
    }

    fn take<'n>(
        &mut self,
        names: &[(&str, &'static str)],
        node: impl Fn(&str) -> Option<Node<'n>>,
        paths: Option<&Value>,
        problems: &mut Problems,
    ) {
        for (from, to) in names {
            let Some(node) = node(from) else { continue };
            let value = match *to {
                // Names of variables and routes are as they are written.
                "variables" => node.value.clone(),
                "routeSettings" => {
                    let routes = node.members(problems).into_iter();
                    routes.map(|(route, settings)| (route.to_owned(), camel_case(settings.value))).collect()
                }
                "methodSettings" => method_settings(&node, paths, problems),
                _ => camel_case(node.value),
            };
            self.insert(to, value, node.path);
        }
    }

    fn insert(&mut self, key: &'static str, value: Value, path: JsonPath) {
        self.places.push((key, path));
        self.value.insert(key.to_owned(), value);
    }

    /// A cache that is on is said, so that the compiler says what becomes of it.
    fn cache(&mut self, enabled: Option<Node<'_>>, size: Option<Node<'_>>) {
        if let Some(enabled) = enabled.filter(|enabled| plain(enabled.value) == true) {
            let size = size.map_or(Value::Null, |size| size.value.clone());
            self.insert("cache", json!({ "cacheClusterEnabled": true, "cacheClusterSize": size }), enabled.path);
        }
    }

    fn describe(&mut self, description: &Node<'_>, paths: Option<&Value>, problems: &mut Problems) {
        let silent = ["Description", "DocumentationVersion", "Tags", "CacheClusterEnabled", "CacheClusterSize", "DataTraceEnabled"];
        let warned = ["ClientCertificateId", "TracingEnabled"];
        let read = OF_REST.iter().chain(&OF_ALL_METHODS).map(|(name, _)| *name);
        description.only(&read.chain(silent).chain(warned).collect::<Vec<_>>(), problems);
        for name in warned {
            if let Some(node) = description.get(name).filter(|node| plain(node.value) != false) {
                problems.warning(&node.path, format!("`{name}` is not carried over: it is the proxy's matter"), None);
            }
        }
        self.take(&OF_REST, |property| description.get(property).filter(|node| !node.value.is_null()), paths, problems);
        self.cache(description.get("CacheClusterEnabled"), description.get("CacheClusterSize"));
        let of_all: Map<String, Value> = OF_ALL_METHODS
            .iter()
            .chain(&[("DataTraceEnabled", "dataTraceEnabled")])
            .filter_map(|(from, to)| Some(((*to).to_owned(), plain(description.get(from)?.value))))
            .collect();
        if !of_all.is_empty() {
            let settings = self.value.entry("methodSettings").or_insert_with(|| json!([]));
            let mut entry = Map::from_iter([("resourcePath".to_owned(), json!("/*")), ("httpMethod".to_owned(), json!("*"))]);
            entry.extend(of_all);
            settings.as_array_mut().into_iter().for_each(|settings| settings.insert(0, Value::Object(entry.clone())));
            self.places.push(("methodSettings", description.path.clone()));
        }
    }

    fn write(&self, api: &Api<'_>, value: Map<String, Value>, written: &mut Vec<Value>, draft: &mut Draft) {
        let made = api.path.key("stages").index(written.len());
        draft.note(&made, &self.path);
        for (key, place) in &self.places {
            draft.note(&made.key(key), place);
        }
        written.push(Value::Object(value));
    }
}

/// Templates write `/*` and `*` for all methods, and single ones by their paths. What is said twice of one method is one entry.
fn method_settings(settings: &Node<'_>, paths: Option<&Value>, problems: &mut Problems) -> Value {
    let mut entries: Vec<Value> = Vec::new();
    for node in settings.elements(problems) {
        let entry = camel_case(node.value);
        if !paths.is_none_or(|paths| is_of_a_method(&entry, paths)) {
            let text = |name: &str| entry[name].as_str().unwrap_or_default();
            let (method, path) = (text("httpMethod"), text("resourcePath"));
            let message = format!("the API has no method `{method} {path}`: its settings are not carried over");
            let help = "AWS takes them, and they have no effect there either; all methods are `/*` and `*`";
            problems.warning(&node.path, message, Some(help));
            continue;
        }
        let same =
            |other: &&mut Value| other["resourcePath"] == entry["resourcePath"] && other["httpMethod"] == entry["httpMethod"];
        match entries.iter_mut().find(same) {
            Some(Value::Object(first)) => first.extend(entry.as_object().cloned().into_iter().flatten()),
            _ => entries.push(entry),
        }
    }
    Value::Array(entries)
}

/// Whether settings name all methods, or one that is there. What is written in another form is the compiler's to judge.
fn is_of_a_method(entry: &Value, paths: &Value) -> bool {
    let (Some(path), Some(method)) = (entry["resourcePath"].as_str(), entry["httpMethod"].as_str()) else { return true };
    let path = path.replace("~1", "/");
    let path = format!("/{}", path.trim_matches('/'));
    if path == "/*" {
        return method == "*";
    }
    // Settings of `GET` where there is only `ANY` are left to the compiler, too.
    let is_it = |name: &String| name.eq_ignore_ascii_case(method) || name == "x-amazon-apigateway-any-method";
    paths.get(&path).and_then(Value::as_object).is_some_and(|item| item.keys().any(is_it))
}
