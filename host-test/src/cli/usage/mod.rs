//! `tollgate usage`: what each API key used of its plan, and what is left. `serve` knows what its own workers counted, Redis what
//! all Envoys counted together.

mod admin;
mod redis;
mod report;

use std::path::PathBuf;

use hyper::Uri;

pub use report::to_json;

use super::ratelimit::Place;
use super::routes::Format;
use super::{Failure, Verdict, server};
use report::Filter;

/// Show what each API key used of its plan
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate usage --admin http://127.0.0.1:9901
  tollgate usage --admin http://127.0.0.1:9901 --plan gold --format json
  tollgate usage gateway.yaml --redis redis://127.0.0.1:6379
  tollgate usage gateway.yaml --redis redis://127.0.0.1:6379 --key partner

With `--admin` the counts are those of a `tollgate serve FILE --admin ADDRESS`. With `--redis` they are those that
`tollgate ratelimit --redis URL` keeps for the `rateLimitService` of the document.

Exit codes: 0 shown, 1 the document has errors or nobody answers, 2 wrong usage or an unreadable file.")]
pub struct Arguments {
    /// The gateway document, with `--redis`
    #[arg(conflicts_with = "admin")]
    file: Option<PathBuf>,
    /// The admin address of `tollgate serve`
    #[arg(long, value_name = "URL", conflicts_with = "redis")]
    admin: Option<Uri>,
    /// The Redis of `tollgate ratelimit`
    #[arg(long, value_name = "URL", requires = "file", value_parser = Place::parse)]
    redis: Option<Place>,
    /// Only this plan
    #[arg(long, value_name = "NAME")]
    plan: Option<String>,
    /// Only this API key, by its name
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// How it is shown
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Prints the report.
pub fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let Arguments { file, admin, redis, plan, key, format } = arguments;
    let report = server::runtime()?.block_on(async {
        match (admin, file, redis) {
            (Some(admin), ..) => admin::fetch(&admin).await.map(Some),
            (None, Some(file), Some(redis)) => redis::count(&file, &redis).await,
            _ => Err(Failure::usage("nobody is named who counts").help("give `--admin URL`, or a document and `--redis URL`")),
        }
    })?;
    let Some(report) = report else { return Ok(Verdict::Problems) };
    let report = Filter { plan, key }.apply(report)?;
    match format {
        Format::Table => super::print(&report::text(&report))?,
        Format::Json => super::print(&format!("{report:#}\n"))?,
    }
    Ok(Verdict::Good)
}
