//! `tollgate lint`: every problem of every file, each with its place; with `--report` how much of each file is served, too.

mod consequence;
mod github;
mod kind;
mod page;
mod report;
mod sarif;
mod settings;
mod text;

use std::path::PathBuf;

use serde_json::{Value, json};

use self::report::{Report, Tally};
use super::check::Checked;
use super::diagnostics::{self, Count, Diagnostic};
use super::source::{Choice, Source, stage_variable};
use super::{Failure, Verdict};

/// Check definitions and show every problem with its place
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate lint api.yaml
  tollgate lint --report api.yaml
  tollgate lint --stage-variable backend=orders.internal api.yaml
  tollgate lint --format json api/*.yaml | jq '.problems[].path'
  tollgate lint --report --format sarif api/*.yaml > tollgate.sarif
  aws apigateway get-export … /dev/stdout | tollgate lint -

Exit codes: 0 no problems or warnings only, 1 errors, 2 wrong usage or an unreadable file.")]
pub struct Arguments {
    /// Gateway documents or OpenAPI definitions, JSON or YAML; `-` is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Count the settings that are served, and say of each other one what follows and where to read on
    #[arg(long)]
    report: bool,
    /// Set a stage variable of a bare definition's stage; can be given more than once
    #[arg(long = "stage-variable", value_name = "NAME=VALUE", value_parser = stage_variable)]
    variables: Vec<(String, String)>,
    /// How problems are shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Where the folder docs/ is published, for the links of `--format sarif`
    #[arg(long, value_name = "URL", value_parser = whole_url)]
    docs: Option<String>,
}

/// How to show problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    #[value(alias = "text")]
    Human,
    /// For programs: one JSON object
    Json,
    /// For code scanning: a SARIF 2.1.0 log
    Sarif,
    /// For GitHub Actions: workflow commands
    Github,
}

fn whole_url(text: &str) -> Result<String, String> {
    match text.parse::<hyper::Uri>() {
        Ok(uri) if uri.scheme().is_some() && uri.query().is_none() => Ok(text.to_owned()),
        _ => Err("write a whole URL, as `https://example.com/tollgate/docs`".to_owned()),
    }
}

/// Checks all files, also after a bad one; a file that cannot be read outweighs one with errors.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let choice = Choice { stage: None, variables: arguments.variables.clone() };
    let mut reports = Vec::new();
    let mut unreadable = None;
    for file in &arguments.files {
        match Source::load(file, &choice) {
            Err(failure) => {
                if let Some(earlier) = unreadable.replace(failure) {
                    let earlier: Failure = earlier;
                    diagnostics::write_failure(&earlier.message, None);
                }
            }
            Ok(source) => {
                let report = Report::new(file.display().to_string(), Checked::new(source, &choice));
                if arguments.format == Format::Human {
                    super::print(&human(&report, arguments.report))?;
                }
                reports.push(report);
            }
        }
    }
    match arguments.format {
        Format::Human => {}
        Format::Json if arguments.report => super::print(&format!("{:#}\n", to_json(&reports)))?,
        Format::Json => super::print(&diagnostics::json(&found(&reports)))?,
        Format::Sarif => super::print(&sarif::sarif(&reports, arguments.docs.as_deref()))?,
        Format::Github => super::print(&github::github(&reports, arguments.report))?,
    }
    match unreadable {
        Some(failure) => Err(failure),
        None if Count::of(&found(&reports)).errors > 0 => Ok(Verdict::Problems),
        None => Ok(Verdict::Good),
    }
}

fn human(report: &Report, counted: bool) -> String {
    match counted {
        true => text::text(report),
        false => diagnostics::human(&found(std::slice::from_ref(report)), &report.file),
    }
}

/// The problems of all files, in their order.
fn found(reports: &[Report]) -> Vec<Diagnostic> {
    reports.iter().flat_map(|report| &report.items).map(|item| item.diagnostic.clone()).collect()
}

fn to_json(reports: &[Report]) -> Value {
    let Tally { settings, served } = Tally::sum(reports.iter().map(Report::tally));
    let count = Count::of(&found(reports));
    json!({
        "settings": settings,
        "served": served,
        "errors": count.errors,
        "warnings": count.warnings,
        "files": reports.iter().map(Report::to_json).collect::<Vec<_>>(),
    })
}
