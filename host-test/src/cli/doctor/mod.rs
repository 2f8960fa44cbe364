//! `tollgate doctor`: looks at an Envoy, at the configuration of one, or at a module, and says what is wrong with it, why that matters
//! and how it is mended.

mod admin;
mod checks;
mod kubernetes;
mod module;
mod subject;
mod value;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use hyper::Uri;
use serde_json::{Value, json};

use self::checks::{Finding, Outcome, Severity};
use self::module::Module;
use self::subject::{Running, Subject};
use self::value::field;
use super::diagnostics::{Format, printable};
use super::{Failure, Verdict, server, source};

/// Check a running Envoy, its configuration or the module, and say what is wrong
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate doctor --admin http://127.0.0.1:9901
  tollgate doctor envoy.yaml
  tollgate doctor --module target/wasm32-wasip1/wasm/tollgate.wasm
  tollgate bundle api.yaml --target istio --image oci://registry.example.com/tollgate:1.0 | tollgate doctor -
  tollgate doctor --list

Exit codes: 0 nothing is wrong, or warnings only, 1 errors, 2 wrong usage, an unreadable file, or nobody answers.")]
pub struct Arguments {
    /// Envoy's bootstrap, a part or a dump of its configuration, or Kubernetes manifests, as JSON or YAML; `-` is the standard input
    #[arg(required_unless_present_any = ["admin", "module", "list"], value_name = "FILE", conflicts_with = "admin")]
    files: Vec<PathBuf>,
    /// The admin interface of a running Envoy
    #[arg(long, value_name = "URL")]
    admin: Option<Uri>,
    /// The module, where it is not the one that the configuration names, or is all there is
    #[arg(long, value_name = "PATH")]
    module: Option<PathBuf>,
    /// Show all checks and look at nothing
    #[arg(long)]
    list: bool,
    /// How it is shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

const GOOD: Style = AnsiColor::Green.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const STRONG: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Looks, and prints what came of it.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    if arguments.list {
        super::print(&list(arguments.format))?;
        return Ok(Verdict::Good);
    }
    let mut subject = match &arguments.admin {
        Some(admin) => server::runtime()?.block_on(admin::fetch(admin))?,
        None => read(&arguments.files)?,
    };
    subject.find_chains();
    match &arguments.module {
        Some(path) => subject.modules.push(Module::load(path)?),
        None => admin::add_modules(&mut subject),
    }
    let outcomes = checks::run(&subject);
    match arguments.format {
        Format::Human => super::print(&human(&outcomes))?,
        Format::Json => super::print(&format!("{:#}\n", to_json(&outcomes)))?,
    }
    let is_wrong = count(&outcomes, Severity::Error) > 0;
    Ok(if is_wrong { Verdict::Problems } else { Verdict::Good })
}

/// Reads files, each with one document or several.
fn read(files: &[PathBuf]) -> Result<Subject, Failure> {
    let mut subject = Subject::default();
    for file in files {
        let documents = source::read_documents(file)?;
        let (manifests, others): (Vec<Value>, Vec<Value>) = documents.into_iter().partition(kubernetes::is_manifest);
        let known = !manifests.is_empty() || others.iter().any(is_envoys);
        if !known {
            return Err(unknown(file));
        }
        if !manifests.is_empty() {
            kubernetes::add(&mut subject, &manifests)?;
        }
        for document in others {
            if document.get("configs").is_some() {
                let mut running = Running::default();
                admin::add_dump(&mut subject, &mut running, &document);
            } else if document.get("resources").is_some() {
                for resource in value::list(&document, "resources") {
                    let into = if value::is_a(resource, ".Cluster") { &mut subject.clusters } else { &mut subject.listeners };
                    into.push(resource.clone());
                }
            } else {
                subject.add_bootstrap(document);
            }
        }
    }
    let is_empty = subject.bootstrap.is_none() && subject.listeners.is_empty() && subject.clusters.is_empty();
    match files.last().filter(|_| is_empty) {
        // Manifests of other things: to look at nothing must not read as a clean bill.
        Some(file) => Err(unknown(file)),
        None => Ok(subject),
    }
}

fn is_envoys(document: &Value) -> bool {
    ["static_resources", "dynamic_resources", "admin", "configs", "resources"].iter().any(|name| field(document, name).is_some())
}

fn unknown(file: &Path) -> Failure {
    Failure::usage(format!("`{}` is no configuration of Envoy", file.display())).help(
        "name a bootstrap (`static_resources`), what /config_dump of the admin interface prints, or Kubernetes manifests; \
         a definition is looked at by `tollgate lint`",
    )
}

fn count(outcomes: &[Outcome], severity: Severity) -> usize {
    outcomes.iter().flat_map(|outcome| outcome.findings.iter().flatten()).filter(|finding| finding.severity == severity).count()
}

fn human(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for Outcome { check, findings } in outcomes {
        let Some(findings) = findings else { continue };
        if findings.is_empty() {
            let _ = writeln!(out, "{GOOD}ok{GOOD:#}       {} {DIM}{}{DIM:#}", check.id, check.what);
        }
        for Finding { severity, place, message } in findings {
            let style = if *severity == Severity::Error { ERROR } else { WARNING };
            let _ = writeln!(
                out,
                "{style}{:8}{style:#} {STRONG}{}{STRONG:#} {}: {}",
                severity.as_str(),
                check.id,
                printable(place),
                printable(message)
            );
            let _ = writeln!(out, "         why: {}\n         mend: {}", check.why, check.mend);
        }
    }
    let unseen: Vec<&str> = outcomes.iter().filter(|outcome| outcome.findings.is_none()).map(|outcome| outcome.check.id).collect();
    if !unseen.is_empty() {
        let _ = writeln!(out, "{DIM}not looked at, for want of what they are about: {}{DIM:#}", unseen.join(", "));
    }
    let (errors, warnings) = (count(outcomes, Severity::Error), count(outcomes, Severity::Warning));
    let _ = match (errors, warnings) {
        (0, 0) => writeln!(out, "{GOOD}nothing is wrong{GOOD:#}"),
        _ => writeln!(out, "{STRONG}errors: {errors}, warnings: {warnings}{STRONG:#}; docs/doctor.md tells more of each check"),
    };
    out
}

fn to_json(outcomes: &[Outcome]) -> Value {
    let checks = outcomes.iter().map(|Outcome { check, findings }| {
        let worst = findings.iter().flatten().map(|finding| finding.severity).max();
        let state = match (findings, worst) {
            (None, _) => "not looked at",
            (Some(_), None) => "ok",
            (Some(_), Some(severity)) => severity.as_str(),
        };
        let findings = findings
            .iter()
            .flatten()
            .map(|finding| json!({"severity": finding.severity.as_str(), "place": finding.place, "message": finding.message}));
        json!({"id": check.id, "state": state, "what": check.what, "why": check.why, "mend": check.mend,
               "findings": findings.collect::<Vec<_>>()})
    });
    let checks: Vec<Value> = checks.collect();
    json!({"errors": count(outcomes, Severity::Error), "warnings": count(outcomes, Severity::Warning), "checks": checks})
}

fn list(format: Format) -> String {
    match format {
        Format::Json => {
            let checks =
                checks::all().map(|check| json!({"id": check.id, "what": check.what, "why": check.why, "mend": check.mend}));
            format!("{:#}\n", json!({"checks": checks.collect::<Vec<_>>()}))
        }
        Format::Human => {
            let rows: Vec<Vec<String>> = checks::all().map(|check| vec![check.id.to_owned(), check.what.to_owned()]).collect();
            super::table::table(&["CHECK", "LOOKS AT"], &rows)
        }
    }
}
