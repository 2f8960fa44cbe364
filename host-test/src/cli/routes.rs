//! `tollgate routes`: what each method and path of a definition does, as a table.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Value, json};
use tollgate::gateway::{Gateway, Route, Stage};

use super::check::Checked;
use super::diagnostics;
use super::source::{Choice, Source, stage_variable};
use super::table::table;
use super::{Failure, Verdict};

/// Show what every route of a definition does
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate routes api.yaml
  tollgate routes gateway.yaml --stage prod --format json

Exit codes: 0 shown, 1 the definition has errors (they are on the standard error), 2 wrong usage or an unreadable file.")]
pub struct Arguments {
    /// A gateway document or an OpenAPI definition, JSON or YAML; `-` is the standard input
    file: PathBuf,
    /// Only this stage; the name of the one stage of a bare definition
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Set a stage variable; can be given more than once
    #[arg(long = "stage-variable", value_name = "NAME=VALUE", value_parser = stage_variable)]
    variables: Vec<(String, String)>,
    /// How routes are shown
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// How rows are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns
    Table,
    /// One JSON object
    Json,
}

/// A route of a stage.
struct Row {
    method: String,
    path: String,
    integration: String,
    authorization: String,
    stage: String,
}

/// Prints the routes, or why there are none.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let choice = Choice { stage: arguments.stage.clone(), variables: arguments.variables.clone() };
    let source = Source::load(&arguments.file, &choice)?;
    Checked::require_stage(&source, &choice)?;
    let checked = Checked::new(source, &choice);
    let Some(gateway) = &checked.gateway else {
        diagnostics::write_to_stderr(&checked.diagnostics, &arguments.file.display().to_string());
        return Ok(Verdict::Problems);
    };
    match arguments.format {
        Format::Table => super::print(&text(gateway))?,
        Format::Json => super::print(&format!("{:#}\n", to_json(gateway)))?,
    }
    Ok(Verdict::Good)
}

/// The table of all routes, which `serve` shows too.
pub fn text(gateway: &Gateway) -> String {
    let rows: Vec<Vec<String>> =
        rows(gateway).into_iter().map(|row| vec![row.method, row.path, row.integration, row.authorization, row.stage]).collect();
    table(&["METHOD", "PATH", "INTEGRATION", "AUTHORIZATION", "STAGE"], &rows)
}

fn to_json(gateway: &Gateway) -> Value {
    let routes: Vec<Value> = rows(gateway)
        .into_iter()
        .map(|row| {
            json!({"method": row.method, "path": row.path, "integration": row.integration,
                   "authorization": row.authorization, "stage": row.stage})
        })
        .collect();
    json!({"routes": routes})
}

/// In the order of the document.
fn rows(gateway: &Gateway) -> Vec<Row> {
    let mut apis = gateway.stages().map(|stage| stage.api.name.as_str());
    let first = apis.next();
    let several = apis.any(|api| Some(api) != first);
    let mut rows = Vec::new();
    for stage in gateway.stages() {
        let name = if several { format!("{}/{}", stage.api.name, stage.name()) } else { stage.name().to_owned() };
        for route in stage.routes() {
            rows.push(Row {
                method: route.method.to_string(),
                path: path(stage, route),
                integration: route.integration.summary(),
                authorization: authorization(route),
                stage: name.clone(),
            });
        }
    }
    rows
}

/// The guard, and the API key where one has to be shown, too.
fn authorization(route: &Route) -> String {
    match (route.guard.is_open(), route.usage.key.is_some()) {
        (true, true) => "API key".to_owned(),
        (false, true) => format!("{} + API key", route.guard.summary()),
        (_, false) => route.guard.summary(),
    }
}

/// What a client asks for: the base path belongs to it, and the domains where the stage is limited to some.
fn path(stage: &Stage, route: &Route) -> String {
    let path = match route.resource_path() {
        "$default" => format!("{}/*", stage.base_path),
        resource => format!("{}{resource}", stage.base_path),
    };
    format!("{}{path}", stage.hosts.join("|"))
}
