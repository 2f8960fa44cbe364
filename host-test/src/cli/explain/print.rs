//! How the steps are shown: to people section by section, to programs as one object.

use std::fmt::Write;

use anstyle::Style;
use serde_json::{Value, json};
use tollgate::http::Headers;
use tollgate::platform::Section;

use super::platform::Step;
use super::request::Asked;
use super::run::Explained;
use super::secrets::Secrets;
use crate::cli::diagnostics::printable;

const HEADING: Style = Style::new().bold();
const NAME: Style = anstyle::AnsiColor::Cyan.on_default();

/// For people.
pub fn human(explained: &Explained, secrets: &Secrets) -> String {
    sections(&explained.steps, secrets)
}

/// Steps under the headings of their sections.
pub fn sections(steps: &[Step], secrets: &Secrets) -> String {
    let mut out = String::new();
    let mut section = None;
    for step in steps {
        if section != Some(step.section) {
            let between = if section.is_some() { "\n" } else { "" };
            let _ = writeln!(out, "{between}{HEADING}{}{HEADING:#}", heading(step.section).0);
            section = Some(step.section);
        }
        write_step(&mut out, step, secrets);
    }
    out
}

/// A value of one line stands behind its name, a longer one below it.
fn write_step(out: &mut String, step: &Step, secrets: &Secrets) {
    let text = secrets.text(&step.text);
    let text = text.trim_end();
    let _ = write!(out, "  {NAME}{}{NAME:#}:", step.name);
    if !text.contains('\n') {
        let _ = writeln!(out, " {}", visible(text));
        return;
    }
    out.push('\n');
    for line in text.lines() {
        let indent = if line.is_empty() { "" } else { "    " };
        let _ = writeln!(out, "{indent}{}", visible(line));
    }
}

/// A tab moves no cursor where it should not be.
fn visible(line: &str) -> String {
    line.split('\t').map(printable).collect::<Vec<_>>().join("\t")
}

/// For programs.
pub fn to_json(asked: &Asked, explained: &Explained, secrets: &Secrets) -> Value {
    let text = |bytes: &[u8]| secrets.text(&String::from_utf8_lossy(bytes));
    let steps: Vec<Value> = explained
        .steps
        .iter()
        .map(|step| json!({"section": heading(step.section).1, "name": step.name, "text": secrets.text(&step.text)}))
        .collect();
    let response = &explained.response;
    json!({
        "request": {
            "method": asked.head.method,
            "path": text(&asked.head.path),
            "host": text(&asked.head.authority),
            "headers": headers(&asked.head.headers, secrets),
            "body": text(&asked.body),
        },
        "steps": steps,
        "response": {
            "status": response.head.status,
            "headers": headers(&response.head.headers, secrets),
            "body": text(&response.body),
        },
    })
}

/// Pairs, because a name may come more than once.
fn headers(headers: &Headers, secrets: &Secrets) -> Value {
    headers.iter().map(|(name, value)| json!([name, secrets.header(name, &String::from_utf8_lossy(value))])).collect()
}

/// The console's words, and ours.
pub fn heading(section: Section) -> (&'static str, &'static str) {
    match section {
        Section::MethodRequest => ("Method request", "MethodRequest"),
        Section::IntegrationRequest => ("Integration request", "IntegrationRequest"),
        Section::Integration => ("Integration", "Integration"),
        Section::IntegrationResponse => ("Integration response", "IntegrationResponse"),
        Section::MethodResponse => ("Method response", "MethodResponse"),
        Section::GatewayResponse => ("Gateway response", "GatewayResponse"),
    }
}
