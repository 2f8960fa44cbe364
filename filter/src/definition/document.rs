//! The gateway document: which APIs are served, at which stages, and where their integrations' hosts are. Property names are those
//! of the CloudFormation resources (`AWS::ApiGateway::*`, `AWS::ApiGatewayV2::*`) in camelCase.

use super::outline::Members;
use super::{Definition, Directory, Node, OpenApi, Outline, Protocol, stable_id};
use crate::problem::Problems;
use std::collections::{BTreeMap, BTreeSet};

/// The whole plugin configuration.
#[derive(Debug)]
pub struct Document<'a> {
    /// The APIs, in order.
    pub apis: Vec<ApiDocument<'a>>,
    /// Where hosts are.
    pub directory: Directory,
    /// `issuers`: the keys of those who sign tokens.
    pub issuers: Option<Node<'a>>,
    /// `iam`: who may sign requests.
    pub iam: Option<Node<'a>>,
    /// `account`: what all APIs of an account share.
    pub account: Option<Node<'a>>,
    /// `apiKeys`: who may be known by a key.
    pub api_keys: Option<Node<'a>>,
    /// `usagePlans`: what a key lets its owner do.
    pub usage_plans: Option<Node<'a>>,
    /// `rateLimitService`: who counts for all Envoys.
    pub rate_limit_service: Option<Node<'a>>,
}

/// One API with its definition and stages.
#[derive(Debug)]
pub struct ApiDocument<'a> {
    /// Unique within the document.
    pub name: String,
    /// REST or HTTP.
    pub protocol: Protocol,
    /// `$context.apiId`; ten characters made from the name when it is not given.
    pub api_id: String,
    /// `$context.accountId`
    pub account_id: String,
    /// For ARNs and the domain name.
    pub region: String,
    /// The export.
    pub definition: OpenApi<'a>,
    /// At least one.
    pub stages: Vec<StageDocument<'a>>,
}

/// One stage of an API.
#[derive(Debug)]
pub struct StageDocument<'a> {
    /// The stage object.
    pub node: Node<'a>,
    /// `$context.stage`
    pub name: String,
    /// What comes in front of the API's own paths: `/prod`; empty for none.
    pub base_path: String,
    /// The domains it is served at, lower case; empty: all that no other stage claims.
    pub hosts: Vec<String>,
    /// `$stageVariables`
    pub variables: BTreeMap<String, String>,
}

/// The import parameter `basepath`: what becomes of `basePath` (Swagger 2.0) or of the path of the first server (OpenAPI 3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Basepath {
    /// It is dropped.
    #[default]
    Ignore,
    /// It goes in front of every path.
    Prepend,
    /// Its first segment is dropped, the rest goes in front of every path.
    Split,
}

const BASEPATHS: [(&str, Basepath); 3] = [("ignore", Basepath::Ignore), ("prepend", Basepath::Prepend), ("split", Basepath::Split)];

/// `functions` is for the command, which runs them and checks what is written there: a gateway calls a function wherever it is.
const DOCUMENT_KEYS: [&str; 9] =
    ["apis", "upstreams", "functions", "issuers", "iam", "account", "usagePlans", "apiKeys", "rateLimitService"];

const API_KEYS: [&str; 9] = ["name", "definition", "protocol", "apiId", "accountId", "region", "parameters", "basePath", "stages"];

/// What the document can say of a stage and is not served yet; each refused with the reason.
const STAGE_NOT_SERVED: [(&str, &str); 2] = [("cache", "response caching"), ("canarySettings", "canary deployments")];

/// What the stage's limits read themselves.
const STAGE_LIMITS: [&str; 4] = ["throttle", "methodSettings", "defaultRouteSettings", "routeSettings"];

// === impl Document ===

impl<'a> Document<'a> {
    /// Reads the document and every mistake in it.
    pub fn read(outline: &'a Outline<'a>, problems: &mut Problems) -> Self {
        let root = &Node::root(&outline.tree);
        root.only(&DOCUMENT_KEYS, problems);
        let mut document = Self {
            apis: Vec::new(),
            directory: Directory::read(root, problems),
            issuers: guarding(root, "issuers", problems),
            iam: guarding(root, "iam", problems),
            account: guarding(root, "account", problems),
            api_keys: guarding(root, "apiKeys", problems),
            usage_plans: guarding(root, "usagePlans", problems),
            rate_limit_service: guarding(root, "rateLimitService", problems),
        };
        match root.get("apis") {
            Some(apis) => document.apis = read_apis(&apis, outline, problems),
            None => problems.error(&root.path, "no `apis`", Some("name at least one API: `apis: [{name, definition, stages}]`")),
        }
        document
    }
}

/// What limits callers is said in full, or not at all.
fn guarding<'a>(root: &Node<'a>, key: &str, problems: &mut Problems) -> Option<Node<'a>> {
    root.guarding(key, problems).inspect(|node| node.no_nulls(problems))
}

fn read_apis<'a>(list: &Node<'a>, outline: &'a Outline<'a>, problems: &mut Problems) -> Vec<ApiDocument<'a>> {
    let mut apis: Vec<ApiDocument<'a>> = Vec::new();
    let elements = list.elements(problems);
    if elements.is_empty() {
        problems.error(&list.path, "no API is named", Some("name at least one: `apis: [{name, definition, stages}]`"));
    }
    for (index, node) in elements.iter().enumerate() {
        let paths = outline.paths.get(index).and_then(Option::as_ref);
        let Some(api) = ApiDocument::read(node, paths, problems) else { continue };
        if apis.iter().any(|other| other.name == api.name) {
            problems.error(&node.path.key("name"), format!("a second API named `{}`", api.name), None);
        }
        apis.push(api);
    }
    apis
}

fn refuse(node: &Node<'_>, settings: &[(&str, &str)], problems: &mut Problems) {
    for (key, what) in settings {
        if let Some(setting) = node.get(key) {
            problems.error(&setting.path, format!("not served yet: {what}"), None);
        }
    }
}

// === impl ApiDocument ===

impl<'a> ApiDocument<'a> {
    fn read(node: &Node<'a>, paths: Option<&'a Members<'a>>, problems: &mut Problems) -> Option<Self> {
        node.only(&API_KEYS, problems);
        let name = node.required_text("name", problems)?;
        let Some(root) = node.get("definition") else {
            problems.error(
                &node.path,
                format!("API `{name}` has no `definition`"),
                Some("put the exported OpenAPI document there"),
            );
            return None;
        };
        let definition = OpenApi::read(&Definition { root, paths }, basepath(node, problems), problems);
        let protocol = node
            .get("protocol")
            .and_then(|p| p.one_of(&[("REST", Protocol::Rest), ("HTTP", Protocol::Http)], problems))
            .unwrap_or(if definition.says_http { Protocol::Http } else { Protocol::Rest });
        let optional = |key: &str, problems: &mut Problems| node.get(key).and_then(|value| value.text(problems));
        let mut stages = Vec::new();
        match node.get("stages") {
            Some(list) => {
                let elements = list.elements(problems);
                if elements.is_empty() {
                    problems.error(&list.path, "no stage is named", Some("name at least one: `stages: [{stageName: prod}]`"));
                }
                stages.extend(elements.iter().filter_map(|stage| StageDocument::read(stage, problems)));
            }
            None => problems.error(
                &node.path,
                format!("API `{name}` has no `stages`"),
                Some("name at least one: `stages: [{stageName: prod}]`"),
            ),
        }
        Some(Self {
            protocol,
            api_id: optional("apiId", problems).unwrap_or_else(|| stable_id(&name, 10)),
            account_id: optional("accountId", problems).unwrap_or_else(|| "000000000000".to_owned()),
            region: optional("region", problems).unwrap_or_else(|| "us-east-1".to_owned()),
            definition,
            stages,
            name,
        })
    }
}

/// REST APIs take it as an import parameter (`Parameters: {basepath}`), HTTP APIs as a property of their own (`BasePath`).
fn basepath(node: &Node<'_>, problems: &mut Problems) -> Basepath {
    let mut chosen = None;
    if let Some(parameters) = node.get("parameters") {
        parameters.only(&["basepath"], problems);
        chosen = parameters.get("basepath").and_then(|value| value.one_of(&BASEPATHS, problems));
    }
    if let Some(value) = node.get("basePath") {
        chosen = value.one_of(&BASEPATHS, problems);
    }
    chosen.unwrap_or_default()
}

// === impl StageDocument ===

impl<'a> StageDocument<'a> {
    fn read(node: &Node<'a>, problems: &mut Problems) -> Option<Self> {
        let known: Vec<&str> = ["stageName", "basePath", "hosts", "variables", "accessLogSettings", "tracingEnabled"]
            .into_iter()
            .chain(STAGE_LIMITS)
            .chain(STAGE_NOT_SERVED.map(|(key, _)| key))
            .collect();
        node.only(&known, problems);
        refuse(node, &STAGE_NOT_SERVED, problems);
        if let Some(tracing) = node.get("tracingEnabled") {
            if tracing.boolean(problems) == Some(true) {
                problems.warning(&tracing.path, "has no effect: nothing is sent to X-Ray; the proxy has tracers of its own", None);
            }
        }
        let name = node.required_text("stageName", problems)?;
        if name != "$default" && !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
            let help = "letters, digits, `_` and `-`, or `$default`";
            problems.error(&node.path.key("stageName"), format!("`{name}` is no stage name"), Some(help));
        }
        let base_path = match node.get("basePath") {
            Some(value) => value.string(problems)?.trim_matches('/').to_owned(),
            None if name == "$default" => String::new(),
            None => name.clone(),
        };
        if node.get("basePath").is_some() && !base_path.is_empty() && !base_path.split('/').all(is_base_path_segment) {
            let help = "segments of letters, digits and `-._~!$&'()*+,;=:@`, as `/orders/v1`";
            problems.error(&node.path.key("basePath"), format!("`{base_path}` is no base path"), Some(help));
        }
        let hosts = node.guarding("hosts", problems).map(|hosts| hosts.elements(problems)).unwrap_or_default();
        // One domain written twice is one.
        let hosts: BTreeSet<String> = hosts.iter().filter_map(|host| read_host(host, problems)).collect();
        let mut variables = BTreeMap::new();
        if let Some(node) = node.get("variables") {
            for (key, value) in node.members(problems) {
                if let Some(text) = value.text(problems) {
                    variables.insert(key.to_owned(), text);
                }
            }
        }
        Some(Self {
            node: node.clone(),
            base_path: if base_path.is_empty() { String::new() } else { format!("/{base_path}") },
            hosts: hosts.into_iter().collect(),
            variables,
            name,
        })
    }
}

fn is_base_path_segment(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte))
}

/// A domain, without port and without wildcard: anything else would match no request.
fn read_host(node: &Node<'_>, problems: &mut Problems) -> Option<String> {
    let host = node.string(problems)?.to_ascii_lowercase();
    if host.is_empty() || !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
        problems.error(
            &node.path,
            format!("`{host}` is no domain name"),
            Some("one name without port or wildcard, as `api.example.com`"),
        );
        return None;
    }
    Some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn told(value: &Value) -> Vec<String> {
        let mut problems = Problems::default();
        Document::read(&Outline::from_value(value), &mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn defaults_are_those_of_the_document_format() {
        let value = json!({"apis": [{"name": "a", "definition": {"openapi": "3.0.1", "paths": {}}, "stages": [{"stageName": "prod"}, {"stageName": "$default"}]}]});
        let mut problems = Problems::default();
        let outline = Outline::from_value(&value);
        let document = Document::read(&outline, &mut problems);
        assert!(problems.into_vec().is_empty());
        let api = &document.apis[0];
        assert_eq!((api.api_id.len(), api.region.as_str()), (10, "us-east-1"));
        assert_eq!((api.stages[0].base_path.as_str(), api.stages[1].base_path.as_str()), ("/prod", ""));
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let told = told(&json!({
            "apis": [
                {"name": "a", "definition": {}, "stages": [{"stageName": "x y", "basePth": "/"}], "protocol": "SOAP"},
                {"name": "a", "definition": {}, "stages": [{"basePath": 1}]},
                {"name": "b", "stages": []},
            ],
            "upstreams": {"h": {"clusters": "x"}},
            "usagePlan": [],
        }));
        for place in [
            "$.apis[0].stages[0].basePth: unknown key",
            "$.apis[0].stages[0].stageName: `x y` is no stage name",
            "$.apis[0].protocol: `SOAP` is not known here",
            "$.apis[1].stages[0]: no `stageName`",
            "$.apis[2]: API `b` has no `definition`",
            "$.upstreams.h: no `cluster` for `h`",
            "$.usagePlan: unknown key `usagePlan`",
            "$.apis[1].name: a second API named `a`",
        ] {
            assert!(told.iter().any(|problem| problem.starts_with(place)), "{place} not in {told:#?}");
        }
    }
}
