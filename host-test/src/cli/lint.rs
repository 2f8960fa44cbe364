//! `tollgate lint`: every problem of every file, each with its place.

use std::path::PathBuf;

use super::check::Checked;
use super::diagnostics::{self, Count, Format};
use super::source::{Choice, Source, stage_variable};
use super::{Failure, Verdict};

/// Check definitions and show every problem with its place
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate lint api.yaml
  tollgate lint --stage-variable backend=orders.internal api.yaml
  tollgate lint --format json api/*.yaml | jq '.problems[].path'
  aws apigateway get-export … /dev/stdout | tollgate lint -

Exit codes: 0 no problems or warnings only, 1 errors, 2 wrong usage or an unreadable file.")]
pub struct Arguments {
    /// Gateway documents or OpenAPI definitions, JSON or YAML; `-` is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Set a stage variable of a bare definition's stage; can be given more than once
    #[arg(long = "stage-variable", value_name = "NAME=VALUE", value_parser = stage_variable)]
    variables: Vec<(String, String)>,
    /// How problems are shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Checks all files, also after a bad one; a file that cannot be read outweighs one with errors.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let choice = Choice { stage: None, variables: arguments.variables.clone() };
    let mut all = Vec::new();
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
                let Checked { mut diagnostics, missed_by_envoy, .. } = Checked::new(source, &choice);
                diagnostics.extend(missed_by_envoy);
                let found = diagnostics;
                if arguments.format == Format::Human {
                    super::print(&diagnostics::human(&found, &file.display().to_string()))?;
                }
                all.extend(found);
            }
        }
    }
    if arguments.format == Format::Json {
        super::print(&diagnostics::json(&all))?;
    }
    match unreadable {
        Some(failure) => Err(failure),
        None if Count::of(&all).errors > 0 => Ok(Verdict::Problems),
        None => Ok(Verdict::Good),
    }
}
