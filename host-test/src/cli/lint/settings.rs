//! What in a document is a setting: a value that API Gateway itself would act upon.
//!
//! A setting is a value at the end of a path: a text, a number, a flag, a list of these, an empty object, or a CloudFormation function
//! that stands in their place. Counted is what is below an extension of AWS or in a part of the gateway document that stands for a
//! resource of API Gateway. A model is one setting, whatever is in it, and so are a parameter, a body, a `security` and a route as
//! such. What OpenAPI writes for readers is none (`info`, descriptions, examples, servers, tags, the responses of operations), nor is
//! what the gateway document says of its own (`upstreams`, `functions`, `issuers`, `iam`, `rateLimitService`).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Included, Unbounded};

use serde_json::{Map, Value};
use tollgate::definition::{Protocol, treatments};
use tollgate::problem::JsonPath;

use super::kind::Kind;
use crate::cli::source::Source;

const PREFIX: &str = "x-amazon-apigateway-";

const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "x-amazon-apigateway-any-method"];

/// The extensions that have a line of their own in the report.
const OF_EXTENSIONS: [(&str, Kind); 13] = [
    ("auth", Kind::Authorization),
    ("authtype", Kind::Authorizers),
    ("authorizer", Kind::Authorizers),
    ("cors", Kind::Cors),
    ("gateway-responses", Kind::GatewayResponses),
    ("integration", Kind::Integrations),
    ("integrations", Kind::Integrations),
    ("policy", Kind::ResourcePolicies),
    ("request-validator", Kind::Requests),
    ("request-validators", Kind::Requests),
    ("api-key-source", Kind::ApiKeys),
    ("binary-media-types", Kind::Apis),
    ("importexport-version", Kind::Apis),
];

/// The members of the gateway document that stand for resources of API Gateway, beside `apis`.
const OF_THE_DOCUMENT: [(&str, Kind); 3] =
    [("usagePlans", Kind::UsagePlans), ("apiKeys", Kind::ApiKeys), ("account", Kind::Account)];

/// Where an integration says what becomes of an answer.
const OF_ANSWERS: [&str; 2] = ["responses", "responseParameters"];

/// The settings of a document, each by its path as it is shown.
#[derive(Debug, Default)]
pub struct Settings {
    all: BTreeMap<String, Setting>,
    /// What holds several settings that have nothing to do with each other, so that a warning about it is none about all of them.
    holders: BTreeSet<String>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// What it belongs to.
    pub kind: Kind,
    /// What stands below its path is part of it; a route is apart from its integration.
    whole: bool,
}

struct Walk<'a> {
    source: &'a Source,
    unserved: BTreeSet<String>,
    settings: Settings,
}

// === impl Settings ===

impl Settings {
    /// Finds all of them.
    pub fn of(source: &Source) -> Self {
        let nothing_to_serve = treatments().filter(|(_, treatment)| *treatment == "nothing to serve").map(|(name, _)| name);
        let mut walk = Walk { source, unserved: nothing_to_serve.collect(), settings: Self::default() };
        if let Some(Value::Object(document)) = source.document() {
            walk.document(&document);
        }
        walk.settings
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// What each is part of.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.all.iter().map(|(path, setting)| (path.as_str(), setting.kind))
    }

    /// The settings against which a problem stands: what is below its path, else the nearest that it is part of. A warning about what
    /// holds settings of many sorts is about none of them.
    pub fn struck(&self, path: &str, is_error: bool) -> Vec<&str> {
        let below = || {
            let from = self.all.range::<str, _>((Included(path), Unbounded)).map(|(known, _)| known.as_str());
            from.take_while(|known| known.starts_with(path)).filter(|known| is_at_or_below(known, path))
        };
        let struck: Vec<&str> = match is_error || !self.holders.contains(path) {
            true => below().collect(),
            false => below().filter(|known| *known == path).collect(),
        };
        match struck.is_empty() {
            false => struck,
            true => self.around(path).into_iter().collect(),
        }
    }

    /// What a path belongs to, be there a setting or not.
    pub fn kind_at(&self, path: &str) -> Kind {
        let at = self.around(path).and_then(|known| self.all.get(known));
        let below = || self.struck(path, true).first().and_then(|known| self.all.get(*known));
        at.or_else(below).map_or(Kind::Document, |setting| setting.kind)
    }

    /// The nearest setting that has a path as its part.
    fn around(&self, path: &str) -> Option<&str> {
        let ends = path.char_indices().filter(|(_, c)| matches!(c, '.' | '[')).map(|(at, _)| at);
        let ancestors = ends.chain([path.len()]).filter_map(|end| path.get(..end));
        let known = ancestors.filter_map(|ancestor| self.all.get_key_value(ancestor));
        let mut whole = known.filter(|(known, setting)| setting.whole || known.as_str() == path);
        whole.next_back().map(|(known, _)| known.as_str())
    }
}

fn is_at_or_below(path: &str, ancestor: &str) -> bool {
    path.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

// === impl Walk ===

impl Walk<'_> {
    fn document(&mut self, document: &Map<String, Value>) {
        let root = JsonPath::root();
        self.hold(&root);
        let apis = document.get("apis").and_then(Value::as_array);
        for (index, api) in apis.into_iter().flatten().enumerate() {
            self.api(api, &root.key("apis").index(index));
        }
        for (name, kind) in OF_THE_DOCUMENT {
            if let Some(value) = document.get(name) {
                self.resources(value, &root.key(name), kind);
            }
        }
    }

    fn api(&mut self, api: &Value, path: &JsonPath) {
        let Some(members) = api.as_object() else { return };
        self.hold(path);
        let protocol = match members.get("protocol").and_then(Value::as_str) {
            Some(protocol) if protocol.eq_ignore_ascii_case("HTTP") => Protocol::Http,
            Some(_) => Protocol::Rest,
            None => members.get("definition").map_or(Protocol::Rest, Protocol::of),
        };
        for (name, value) in members {
            let path = path.key(name);
            match name.as_str() {
                "definition" => {
                    self.hold(&path);
                    self.definition(value, &path, protocol);
                }
                // The command itself writes the rest around a bare definition.
                _ if self.source.is_definition() => {}
                "stages" => self.resources(value, &path, Kind::Stages),
                _ => self.values(value, &path, Kind::Apis),
            }
        }
    }

    /// A list of resources, or one.
    fn resources(&mut self, value: &Value, path: &JsonPath, kind: Kind) {
        match value {
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.resources(element, &path.index(index), kind);
                }
            }
            Value::Object(members) => {
                self.hold(path);
                // AWS has no throttle of a stage, and nothing reads a description.
                let is_ours = |name: &str| name == "description" || kind == Kind::Stages && name == "throttle";
                for (name, value) in members.iter().filter(|(name, _)| !is_ours(name)) {
                    self.values(value, &path.key(name), kind);
                }
            }
            _ => self.values(value, path, kind),
        }
    }

    fn definition(&mut self, definition: &Value, path: &JsonPath, protocol: Protocol) {
        let Some(members) = definition.as_object() else { return };
        for (name, value) in members {
            let path = path.key(name);
            match name.as_str() {
                "paths" => self.each(value, &path, |walk, item, path| walk.path_item(item, path, protocol)),
                "security" => self.add(&path, Kind::Authorization, true),
                "securityDefinitions" => self.each(value, &path, Self::scheme),
                "definitions" if protocol == Protocol::Rest => self.each(value, &path, Self::model),
                "components" => self.each(value, &path, |walk, part, path| match path.segments().last() {
                    Some(segment) if is(segment, "securitySchemes") => walk.each(part, path, Self::scheme),
                    Some(segment) if is(segment, "schemas") && protocol == Protocol::Rest => walk.each(part, path, Self::model),
                    Some(tollgate::problem::Segment::Key(name)) => walk.other(name, part, path),
                    _ => {}
                }),
                _ => self.other(name, value, &path),
            }
        }
    }

    fn path_item(&mut self, item: &Value, path: &JsonPath, protocol: Protocol) {
        self.hold(path);
        for (name, value) in item.as_object().into_iter().flatten() {
            let path = path.key(name);
            match name.as_str() {
                method if METHODS.contains(&method) => self.operation(value, &path, protocol),
                "parameters" if protocol == Protocol::Rest => self.parameters(value, &path),
                _ => self.other(name, value, &path),
            }
        }
    }

    fn operation(&mut self, operation: &Value, path: &JsonPath, protocol: Protocol) {
        self.hold(path);
        self.add(path, Kind::Routes, false);
        for (name, value) in operation.as_object().into_iter().flatten() {
            let path = path.key(name);
            match name.as_str() {
                "security" => self.add(&path, Kind::Authorization, true),
                "parameters" if protocol == Protocol::Rest => self.parameters(value, &path),
                "requestBody" if protocol == Protocol::Rest => self.add(&path, Kind::Requests, true),
                _ => self.other(name, value, &path),
            }
        }
    }

    fn parameters(&mut self, parameters: &Value, path: &JsonPath) {
        self.each(parameters, path, |walk, _, path| walk.add(path, Kind::Requests, true));
    }

    fn scheme(&mut self, scheme: &Value, path: &JsonPath) {
        self.hold(path);
        for (name, value) in scheme.as_object().into_iter().flatten() {
            match name.starts_with(PREFIX) {
                true => self.other(name, value, &path.key(name)),
                false if name == "description" => {}
                false => self.values(value, &path.key(name), Kind::Authorizers),
            }
        }
    }

    fn model(&mut self, _: &Value, path: &JsonPath) {
        self.add(path, Kind::Models, true);
    }

    /// An extension, or what may hold one in a place where none belongs.
    fn other(&mut self, name: &str, value: &Value, path: &JsonPath) {
        let Some(extension) = name.to_ascii_lowercase().strip_prefix(PREFIX).map(str::to_owned) else {
            return self.each(value, path, |walk, value, path| {
                let name = match path.segments().last() {
                    Some(tollgate::problem::Segment::Key(name)) => name.clone(),
                    _ => String::new(),
                };
                walk.other(&name, value, path);
            });
        };
        if self.unserved.contains(name) {
            return;
        }
        let kind = OF_EXTENSIONS.iter().find(|(known, _)| *known == extension).map_or(Kind::Extensions, |(_, kind)| *kind);
        match (value, extension.as_str()) {
            (Value::Object(_), "integration") => self.integration(value, path),
            (Value::Object(_), "integrations") => self.each(value, path, Self::integration),
            _ => self.values(value, path, kind),
        }
    }

    fn integration(&mut self, integration: &Value, path: &JsonPath) {
        self.hold(path);
        self.each(integration, path, |walk, value, path| {
            let is_answer = path.segments().last().is_some_and(|segment| OF_ANSWERS.iter().any(|name| is(segment, name)));
            walk.values(value, path, if is_answer { Kind::IntegrationResponses } else { Kind::Integrations });
        });
    }

    /// Every value at the end of a path.
    fn values(&mut self, value: &Value, path: &JsonPath, kind: Kind) {
        match value {
            Value::Object(members) if !members.is_empty() && !is_function(members) => {
                self.each(value, path, |walk, value, path| walk.values(value, path, kind));
            }
            Value::Array(elements) if elements.iter().any(|element| element.is_object() || element.is_array()) => {
                self.each(value, path, |walk, value, path| walk.values(value, path, kind));
            }
            _ => self.add(path, kind, true),
        }
    }

    fn each(&mut self, value: &Value, path: &JsonPath, mut visit: impl FnMut(&mut Self, &Value, &JsonPath)) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| visit(self, value, &path.key(name))),
            Value::Array(elements) => elements.iter().enumerate().for_each(|(at, value)| visit(self, value, &path.index(at))),
            _ => {}
        }
    }

    fn add(&mut self, path: &JsonPath, kind: Kind, whole: bool) {
        self.settings.all.insert(self.source.shown(path).to_string(), Setting { kind, whole });
    }

    fn hold(&mut self, path: &JsonPath) {
        self.settings.holders.insert(self.source.shown(path).to_string());
    }
}

fn is(segment: &tollgate::problem::Segment, name: &str) -> bool {
    matches!(segment, tollgate::problem::Segment::Key(key) if key == name)
}

/// `{"Fn::Sub": …}` and `{"Ref": …}` stand for one value.
fn is_function(members: &Map<String, Value>) -> bool {
    members.len() == 1 && members.keys().all(|name| name.starts_with("Fn::") || name == "Ref")
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
