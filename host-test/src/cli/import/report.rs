//! What is told of an import that went well: what was found, what was made up, what is next.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

use serde_json::Value;
use tollgate::problem::{Problem, Severity};

use super::Settings;
use super::resolve::MadeUp;
use crate::cli::diagnostics::printable;

/// What was found.
#[derive(Debug)]
pub struct Report {
    apis: Vec<String>,
    keys: usize,
    plans: usize,
    others: usize,
    nothing_to_serve: Vec<String>,
    made_up: Vec<MadeUp>,
}

/// What one warning says of many places is said at the first of them: templates repeat themselves, and what counts would drown.
pub fn fold(problems: &mut Vec<Problem>) {
    let of = |problem: &Problem| (problem.message.clone(), problem.help.clone());
    let mut times: HashMap<(String, Option<String>), usize> = HashMap::new();
    for problem in problems.iter().filter(|problem| problem.severity == Severity::Warning) {
        *times.entry(of(problem)).or_default() += 1;
    }
    problems.retain_mut(|problem| {
        if problem.severity != Severity::Warning {
            return true;
        }
        match times.insert(of(problem), 0) {
            Some(0) | None => false,
            Some(1) => true,
            Some(times) => {
                problem.message.push_str(&format!(" (and {} more like it)", times - 1));
                true
            }
        }
    });
}

// === impl Report ===

impl Report {
    /// Of a document, of which so many resources of other services are no part.
    pub fn new(document: &Value, others: usize, nothing_to_serve: Vec<String>, mut made_up: Vec<MadeUp>) -> Self {
        // What says nothing of requests may have asked, too.
        let text = document.to_string();
        made_up.retain(|made| text.contains(&made.name));
        let list = |name: &str| document.get(name).and_then(Value::as_array).into_iter().flatten();
        Self {
            apis: list("apis").map(api).collect(),
            keys: list("apiKeys").count(),
            plans: list("usagePlans").count(),
            others,
            nothing_to_serve,
            made_up,
        }
    }

    /// For the standard error.
    pub fn text(&self, settings: &Settings, output: Option<&Path>) -> String {
        let mut text = String::new();
        for api in &self.apis {
            let _ = writeln!(text, "{}", printable(api));
        }
        if self.keys + self.plans > 0 {
            let _ = writeln!(text, "{}, {}", count(self.plans, "usage plan"), count(self.keys, "API key"));
        }
        if self.others > 0 {
            let _ = writeln!(text, "not of API Gateway: {}", count(self.others, "resource"));
        }
        if !self.nothing_to_serve.is_empty() {
            let _ = writeln!(text, "nothing to serve: {}", self.nothing_to_serve.join(", "));
        }
        if !self.made_up.is_empty() {
            let _ = writeln!(
                text,
                "names that the template leaves to AWS; `--value LOGICALID=…` or `--value LOGICALID.ATTRIBUTE=…` says them:"
            );
            for made in &self.made_up {
                let _ = writeln!(text, "  {} ({}): {}", printable(&made.id), made.kind, printable(&made.name));
            }
        }
        if settings.account == super::NO_ACCOUNT {
            let _ = writeln!(
                text,
                "account {} and region {}: `--account` and `--region` say others",
                settings.account, settings.region
            );
        }
        let file = output.map_or_else(|| "gateway.yaml".to_owned(), |output| output.display().to_string());
        let _ = writeln!(text, "next: tollgate serve {}", printable(&file));
        text
    }
}

/// ``REST API `pets`: 3 methods, at stages prod, beta``
fn api(api: &Value) -> String {
    let text = |name: &str| api.get(name).and_then(Value::as_str).unwrap_or_default();
    let paths = api.pointer("/definition/paths").and_then(Value::as_object).into_iter().flatten();
    let is_method = |name: &&String| {
        *name == "x-amazon-apigateway-any-method" || tollgate::http::METHODS.iter().any(|method| method.eq_ignore_ascii_case(name))
    };
    let methods: usize = paths.filter_map(|(_, item)| item.as_object()).map(|item| item.keys().filter(is_method).count()).sum();
    let mut stages: Vec<&str> = Vec::new();
    for stage in api.get("stages").and_then(Value::as_array).into_iter().flatten() {
        let name = stage.get("stageName").and_then(Value::as_str).unwrap_or_default();
        if !stages.contains(&name) {
            stages.push(name);
        }
    }
    let (protocol, word) = (text("protocol"), if text("protocol") == "HTTP" { "route" } else { "method" });
    format!("{protocol} API `{}`: {}, stages {}", text("name"), count(methods, word), stages.join(", "))
}

fn count(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
