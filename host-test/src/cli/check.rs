//! Judges a source: compiles its document and gives every problem its place.

use std::path::Path;

use serde_json::{Map, Value, json};
use tollgate::compile::{Compiled, compile};
use tollgate::definition::{Endpoint, Node};
use tollgate::gateway::Gateway;
use tollgate::problem::{JsonPath, Problem, Problems, Severity};

use super::Failure;
use super::diagnostics::{Count, Diagnostic};
use super::functions;
use super::signers;
use super::source::{Choice, Finding, Source};

/// A source and the verdict on it.
pub struct Checked {
    /// What was read.
    pub source: Source,
    /// What is wrong with it, in the order of its lines.
    pub diagnostics: Vec<Diagnostic>,
    /// What Envoy would miss in a gateway document, and this command does without: the clusters of hosts.
    pub missed_by_envoy: Vec<Diagnostic>,
    /// The compiled form, unless an error forbids it.
    pub gateway: Option<Gateway>,
    /// The document as the filter takes it: with an upstream for every integration host.
    pub document: Value,
    /// Every integration host.
    pub endpoints: Vec<Endpoint>,
}

// === impl Checked ===

impl Checked {
    /// Compiles the document of a source, or the part of it that `choice` names.
    pub fn new(source: Source, choice: &Choice) -> Self {
        let Some(mut document) = source.document() else {
            let diagnostics = diagnose(&source, &[]);
            let (missed_by_envoy, endpoints) = Default::default();
            return Self { source, diagnostics, missed_by_envoy, gateway: None, document: Value::Null, endpoints };
        };
        let Compiled { endpoints, problems: as_written, .. } = compile(&document);
        add_upstreams(&mut document, endpoints.iter().map(|endpoint| endpoint.name.as_str()));
        let Compiled { mut gateway, problems, .. } = compile(&document);
        let missed_by_envoy = if source.is_definition() { Vec::new() } else { missed(&source, as_written, &problems) };
        let diagnostics = diagnose(&source, &[problems, of_the_commands(&document, &endpoints)].concat());
        if Count::of(&diagnostics).errors > 0 {
            gateway = None;
        } else if let Some(stage) = &choice.stage {
            keep_stage(&mut document, stage);
            gateway = compile(&document).gateway;
        }
        Self { source, diagnostics, missed_by_envoy, gateway, document, endpoints }
    }

    /// Refuses a stage that the document does not have.
    pub fn require_stage(source: &Source, choice: &Choice) -> Result<(), Failure> {
        let (Some(stage), Some(document)) = (&choice.stage, source.document()) else { return Ok(()) };
        let names = stage_names(&document);
        if names.iter().any(|name| name == stage) {
            return Ok(());
        }
        let known: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        Err(Failure::usage(format!("no stage is named `{stage}`"))
            .help(format!("the stages of the document are {}", known.join(", "))))
    }
}

/// All that is wrong with a document that no file holds yet, once every host has a cluster.
pub fn compiled(document: &Value) -> Vec<Problem> {
    let mut document = document.clone();
    let Compiled { endpoints, .. } = compile(&document);
    add_upstreams(&mut document, endpoints.iter().map(|endpoint| endpoint.name.as_str()));
    let Compiled { problems, endpoints, .. } = compile(&document);
    [problems, of_the_commands(&document, &endpoints)].concat()
}

/// What the filter does not look at: functions, and who signs.
fn of_the_commands(document: &Value, endpoints: &[Endpoint]) -> Vec<Problem> {
    let mut problems = Problems::default();
    functions::document::read(&Node::root(document), Path::new(""), &mut problems);
    signers::check(document, endpoints, &mut problems);
    problems.into_vec()
}

/// What is wrong with the document as it is written, and not once every host has a cluster.
fn missed(source: &Source, as_written: Vec<Problem>, problems: &[Problem]) -> Vec<Diagnostic> {
    let is_missed = |problem: &Problem| !problems.iter().any(|p| p.path == problem.path && p.message == problem.message);
    let told = as_written.into_iter().filter(is_missed).map(|problem| {
        let help = problem.help.map(|help| format!("{help}; `tollgate serve` does without, Envoy does not"));
        let problem = Problem { severity: Severity::Warning, help, ..problem };
        Diagnostic::new(source, &Finding { problem, span: None, spoils: false })
    });
    told.collect()
}

/// All that is wrong, in the order of the lines; a consequence of what the reader already told is not told again.
pub fn diagnose(source: &Source, problems: &[Problem]) -> Vec<Diagnostic> {
    let read = source.findings();
    let is_new = |problem: &&Problem| !read.iter().any(|finding| finding.spoils && under(&problem.path, &finding.problem.path));
    let compiled = problems.iter().filter(is_new).map(|problem| Finding { problem: problem.clone(), span: None, spoils: false });
    let mut diagnostics: Vec<Diagnostic> =
        read.iter().cloned().chain(compiled).map(|finding| Diagnostic::new(source, &finding)).collect();
    let order = |file: &str| source.files().iter().position(|known| known.name == file);
    diagnostics.sort_by_key(|d| (order(&d.file), d.place.as_ref().map(|place| (place.line, place.column))));
    diagnostics
}

fn under(path: &JsonPath, ancestor: &JsonPath) -> bool {
    let ancestor = ancestor.segments();
    !ancestor.is_empty() && path.segments().starts_with(&ancestor)
}

/// Gives every host that has no cluster yet one of its own name.
fn add_upstreams<'a>(document: &mut Value, names: impl Iterator<Item = &'a str>) {
    let Some(document) = document.as_object_mut() else { return };
    let upstreams = document.entry("upstreams").or_insert_with(|| Value::Object(Map::new()));
    let Some(upstreams) = upstreams.as_object_mut() else { return };
    for name in names {
        if !upstreams.keys().any(|known| known.eq_ignore_ascii_case(name)) {
            upstreams.insert(name.to_owned(), json!({"cluster": name}));
        }
    }
}

/// Leaves only the stages of one name, and the APIs that have one.
fn keep_stage(document: &mut Value, stage: &str) {
    let Some(apis) = document.get_mut("apis").and_then(Value::as_array_mut) else { return };
    for api in apis.iter_mut() {
        if let Some(stages) = api.get_mut("stages").and_then(Value::as_array_mut) {
            stages.retain(|candidate| candidate.get("stageName").and_then(Value::as_str) == Some(stage));
        }
    }
    apis.retain(|api| api.get("stages").and_then(Value::as_array).is_some_and(|stages| !stages.is_empty()));
    let kept: Vec<Value> = apis.iter().flat_map(|api| [api.get("name"), api.get("apiId")]).flatten().cloned().collect();
    let plans = document.get_mut("usagePlans").and_then(Value::as_array_mut).into_iter().flatten();
    for stages in plans.filter_map(|plan| plan.get_mut("apiStages")?.as_array_mut()) {
        let api = |named: &Value| named.get("api").or_else(|| named.get("apiId")).is_some_and(|api| kept.contains(api));
        stages.retain(|named| named.get("stage").and_then(Value::as_str) == Some(stage) && api(named));
    }
}

fn stage_names(document: &Value) -> Vec<String> {
    let apis = document.get("apis").and_then(Value::as_array).into_iter().flatten();
    let stages = apis.filter_map(|api| api.get("stages")).filter_map(Value::as_array).flatten();
    let mut names: Vec<String> = Vec::new();
    for name in stages.filter_map(|stage| stage.get("stageName")).filter_map(Value::as_str) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_keeps_the_cluster_that_the_document_gives_it() {
        let mut document = json!({"upstreams": {"A.test": {"cluster": "x"}}});
        add_upstreams(&mut document, ["a.test", "b.test:81"].into_iter());
        assert_eq!(document["upstreams"], json!({"A.test": {"cluster": "x"}, "b.test:81": {"cluster": "b.test:81"}}));
    }

    #[test]
    fn only_the_chosen_stage_and_its_apis_stay() {
        let mut document = json!({"apis": [
            {"name": "a", "stages": [{"stageName": "dev"}, {"stageName": "prod"}]},
            {"name": "b", "stages": [{"stageName": "dev"}]},
        ]});
        assert_eq!(stage_names(&document), ["dev", "prod"]);
        keep_stage(&mut document, "prod");
        assert_eq!(document, json!({"apis": [{"name": "a", "stages": [{"stageName": "prod"}]}]}));
    }
}
