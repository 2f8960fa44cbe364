//! `tollgate explain`: one request through the gateway, and every step of it, as the console's Test shows them.
//!
//! ```text
//!   request -> run: the exchange, natively -> backend: real servers, or `--answer`
//!                   | platform keeps what the exchange tells
//!                   v
//!              print, after secrets
//! ```
//! `serve` shows its requests by the same parts.

pub mod answer;
pub mod backend;
pub mod platform;
pub mod print;
pub mod request;
pub mod run;
pub mod secrets;

use std::path::PathBuf;
use std::sync::Arc;

use self::backend::Backends;
use self::request::Asked;
use self::secrets::Secrets;
use super::check::Checked;
use super::diagnostics::{self, Format};
use super::functions::{self, Local};
use super::serve::origins::{self, Override};
use super::server;
use super::source::{Choice, Source, stage_variable};
use super::{Failure, Verdict, given, say};

/// Send one request through a definition and show every step of its way
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate explain GET /pets/3 api.yaml --answer 200
  tollgate explain POST '/prod/pets?dry=1' api.yaml -H 'x-api-key: abc' --body @pet.json
  tollgate explain GET /prod/pets/3 api.yaml --upstream petstore.example.com=http://127.0.0.1:9000
  tollgate explain GET beta.example.com/items/1 gateway.yaml --answer '404 {\"message\": \"gone\"}' --format json

Authorizers, issuers and the backend are really asked, each at its own host unless `--upstream` puts another server in its place.
`functions` of the document stand in the place of Lambda. With `--answer` the backend is not asked: a status, a status and a body, or the whole answer as HTTP writes it.

Exit codes: 0 answered, 1 the definition has errors, 2 wrong usage or an unreadable file, 3 answered by a gateway response.")]
pub struct Arguments {
    /// The method
    method: String,
    /// What is asked for, as `tollgate routes` shows it; the base path can be left out where there is one stage
    path: String,
    /// A gateway document or an OpenAPI definition, JSON or YAML; `-` is the standard input
    file: PathBuf,
    /// A header of the request; can be given more than once
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = given::header)]
    headers: Vec<(String, String)>,
    /// The body of the request; `@` and a file is what is in it
    #[arg(long, value_name = "TEXT|@FILE")]
    body: Option<String>,
    /// Only this stage; the name of the one stage of a bare definition
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Set a stage variable; can be given more than once
    #[arg(long = "stage-variable", value_name = "NAME=VALUE", value_parser = stage_variable)]
    variables: Vec<(String, String)>,
    /// The server to ask instead of a host, or the server that a cluster of the document is; can be given more than once
    #[arg(long = "upstream", value_name = "HOST=URL")]
    upstreams: Vec<Override>,
    /// What the backend answers, which is not asked then: `200`, `404 {"a": 1}`, or `@` and a file
    #[arg(long, value_name = "ANSWER")]
    answer: Option<String>,
    /// Show tokens, keys and cookies in full
    #[arg(long)]
    show_secrets: bool,
    /// How the steps are shown
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// Sends the request, and prints what became of it.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let choice = Choice { stage: arguments.stage.clone(), variables: arguments.variables.clone() };
    let answer = arguments.answer.as_deref().map(answer::read).transpose()?;
    let source = Source::load(&arguments.file, &choice)?;
    Checked::require_stage(&source, &choice)?;
    let mut checked = Checked::new(source, &choice);
    let Some(gateway) = checked.gateway.take().map(Arc::new) else {
        diagnostics::write_to_stderr(&checked.diagnostics, &arguments.file.display().to_string());
        return Ok(Verdict::Problems);
    };
    let asked = Asked::read(arguments, &gateway)?;
    let Checked { document, endpoints, .. } = &checked;
    let service = gateway.plans.service();
    let grpc_clusters: Vec<String> = service.map(|service| service.cluster().to_owned()).into_iter().collect();
    for unused in origins::unused(document, endpoints, &grpc_clusters, &arguments.upstreams) {
        say(&format!("note: nothing goes to `{unused}`, which `--upstream` names\n"));
    }
    let runtime = server::runtime()?;
    let lambda = functions::are_in(document).then(|| runtime.block_on(Local::start())).transpose()?;
    let overrides = match &lambda {
        None => arguments.upstreams.clone(),
        Some(lambda) => {
            lambda.replace(document, &arguments.file);
            lambda.overrides(document, endpoints, &arguments.upstreams)
        }
    };
    let origins = origins::resolve(document, endpoints, &grpc_clusters, &overrides);
    let explained = run::run(&gateway, &asked, &Backends::new(runtime.handle().clone(), origins, answer));
    if let Some(lambda) = &lambda {
        lambda.stop();
    }
    let explained = explained?;
    let secrets = if arguments.show_secrets { Secrets::default() } else { Secrets::of(&asked.head) };
    match arguments.format {
        Format::Human => super::print(&print::human(&explained, &secrets))?,
        Format::Json => super::print(&format!("{:#}\n", print::to_json(&asked, &explained, &secrets)))?,
    }
    for help in &explained.help {
        say(&format!("help: {help}\n"));
    }
    Ok(if explained.is_refused() { Verdict::Refused } else { Verdict::Good })
}
