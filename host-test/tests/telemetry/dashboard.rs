//! `envoy/grafana.json`: a dashboard as Grafana's schema has it, whose queries name metrics and labels that a real Envoy shows.

use std::collections::BTreeSet;
use std::path::Path;

use fancy_regex::Regex;
use serde_json::Value;

use crate::drivers::envoy::workspace;
use crate::scrape::Seen;

/// Panels that draw, and their types.
const PANELS: [&str; 4] = ["timeseries", "stat", "gauge", "table"];

/// The labels that Prometheus adds, and those of every histogram.
const LABELS_OF_PROMETHEUS: [&str; 4] = ["le", "job", "instance", "__name__"];

/// Panics with everything that is wrong.
pub fn check(seen: &Seen) {
    let path = workspace().join(Path::new("envoy/grafana.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let dashboard: Value = serde_json::from_str(&text).expect("the dashboard is JSON");
    assert!(dashboard["schemaVersion"].as_u64().is_some_and(|version| version >= 36), "a schema of Grafana 9 or newer");
    assert!(dashboard["uid"].as_str().is_some_and(|uid| !uid.is_empty() && uid.len() <= 40), "Grafana's limit");
    assert!(dashboard["title"].is_string() && dashboard["id"].is_null(), "an id is what an instance gives");
    let metrics: BTreeSet<&str> = seen.keys().filter_map(|series| series.split('{').next()).collect();
    let labels: BTreeSet<&str> = seen.keys().flat_map(|series| labels(series)).collect();
    let mut queries = Vec::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a panel has a title");
        assert!(ids.insert(panel["id"].as_u64().expect("a panel has an id")), "{title}: its id is there twice");
        let place = &panel["gridPos"];
        let side = |name: &str| place[name].as_u64().unwrap_or_else(|| panic!("{title}: no gridPos.{name}"));
        assert!(side("x") + side("w") <= 24 && side("h") > 0 && place["y"].is_u64(), "{title}: Grafana has 24 columns");
        match panel["type"].as_str() {
            Some("row") => continue,
            Some(kind) if PANELS.contains(&kind) => {}
            other => panic!("{title}: a panel of type {other:?}"),
        }
        let targets = panel["targets"].as_array().filter(|targets| !targets.is_empty());
        for target in targets.unwrap_or_else(|| panic!("{title}: it asks for nothing")) {
            assert!(target["refId"].is_string(), "{title}: a target has a refId");
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            queries.push((title.to_owned(), target["expr"].as_str().expect("an expression").to_owned()));
        }
    }
    let variables: Vec<&Value> = dashboard["templating"]["list"].as_array().expect("variables").iter().collect();
    let names: BTreeSet<&str> = variables.iter().filter_map(|variable| variable["name"].as_str()).collect();
    for variable in variables.iter().filter(|variable| variable["type"] == "query") {
        let query = variable["query"]["query"].as_str().or(variable["query"].as_str()).expect("a query");
        queries.push((format!("variable {}", variable["name"]), query.to_owned()));
    }
    let wrong: Vec<String> = queries.iter().flat_map(|(title, query)| mistakes(title, query, &metrics, &labels, &names)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(queries.len() > 12, "only {} queries", queries.len());
}

fn mistakes(
    title: &str,
    query: &str,
    metrics: &BTreeSet<&str>,
    labels: &BTreeSet<&str>,
    variables: &BTreeSet<&str>,
) -> Vec<String> {
    let found = |pattern: &str| -> Vec<String> {
        let pattern = Regex::new(pattern).expect("a constant pattern");
        let all = pattern.captures_iter(query).filter_map(|captures| Some(captures.ok()?.get(1)?.as_str().to_owned()));
        all.collect()
    };
    let named = found(r#"(?<!")\b((?:tollgate|envoy)_\w+)\b(?!\s*[=!])"#);
    let patterns = found(r#"__name__=~"([^"]+)""#);
    let mut wrong = Vec::new();
    for pattern in &patterns {
        let whole = Regex::new(&format!("^(?:{pattern})$")).expect("a pattern");
        if !metrics.iter().any(|metric| whole.is_match(metric).unwrap_or(false)) {
            wrong.push(format!("{title}: no metric is like `{pattern}`"));
        }
    }
    if named.is_empty() && patterns.is_empty() {
        wrong.push(format!("{title}: `{query}` names no metric"));
    }
    wrong.extend(named.iter().filter(|name| !metrics.contains(name.as_str())).map(|name| format!("{title}: no metric `{name}`")));
    let in_selectors = found(r#"(\w+)\s*(?:=~|!~|!=|=)\s*""#);
    let grouped = found(r"by\s*\(([^)]*)\)")
        .iter()
        .flat_map(|list| list.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>())
        .collect::<Vec<_>>();
    let of_variables = found(r"label_values\([^,]*(?:\{[^}]*\})?\s*,\s*(\w+)\)");
    for label in in_selectors.iter().chain(&grouped).chain(&of_variables) {
        if !labels.contains(label.as_str()) && !LABELS_OF_PROMETHEUS.contains(&label.as_str()) {
            wrong.push(format!("{title}: no label `{label}`"));
        }
    }
    let used = found(r"\$\{?(\w+)\}?");
    let of_grafana = |name: &str| name.starts_with("__") || variables.contains(name);
    wrong.extend(used.iter().filter(|name| !of_grafana(name)).map(|name| format!("{title}: no variable `{name}`")));
    wrong
}

fn labels(series: &str) -> Vec<&str> {
    let Some((_, labels)) = series.split_once('{') else { return Vec::new() };
    labels.split(r#"","#).flat_map(|part| part.split(',')).filter_map(|part| part.split_once("=\"").map(|(name, _)| name)).collect()
}
