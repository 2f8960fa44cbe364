//! A Lambda for development: functions are processes of this machine that speak Lambda's runtime API, so that what is written with the
//! official runtime clients runs as it is, and Lambda's Invoke API calls them.
//!
//! ```text
//!   gateway, Envoy, SDK -> server (hyper) -> invoke -> pool: concurrency -> environment <- runtime API <- process
//! ```
//! `tollgate functions` is this and nothing else; `tollgate serve` has one of its own.

pub mod document;
mod environment;
mod failure;
mod invocation;
mod invoke;
mod local;
mod log;
mod name;
mod named;
mod pool;
mod process;
mod runtime_api;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tollgate::definition::Node;
use tollgate::problem::Problems;

use self::document::Function;
pub use self::invoke::percent_decoded;
pub use self::local::{Local, are_in, is_lambda};
use self::log::Prefix;
pub use self::named::functions as named;
use self::pool::Pool;
use self::process::Processes;
use super::diagnostics::{self, Diagnostic};
use super::source::{Finding, Source};
use super::{Failure, Verdict, say, server};

/// Run the functions of a gateway document behind Lambda's Invoke API
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate functions gateway.yaml
  tollgate functions gateway.yaml --listen 127.0.0.1:9001
  aws lambda invoke --endpoint-url http://127.0.0.1:9001 --function-name hello /dev/stdout

Only `functions` of the document is read:

  functions:
    hello:
      command: [python3, -m, awslambdaric, app.handler]   # speaks Lambda's runtime API; no shell is asked
      timeout: 3                                          # seconds
      environment: {variables: {GREETING: hi}}

`tollgate serve` runs them itself; this is for a gateway that is Envoy, and for the SDKs.

Exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 `functions` has errors or the port is taken, 2 wrong usage or an unreadable file.")]
pub struct Arguments {
    /// A gateway document, or a file with `functions` alone, JSON or YAML; `-` is the standard input
    file: PathBuf,
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9001")]
    listen: String,
}

/// Whose functions they are: what their ARNs say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Of the account.
    pub id: String,
    /// `AWS_REGION`
    pub region: String,
}

/// The functions of a document.
pub struct Functions {
    pools: Vec<Arc<Pool>>,
    account: Account,
}

/// Serves them until it is told to stop.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let mut source = Source::load_plain(&arguments.file)?;
    let document = source.document().unwrap_or_default();
    let mut problems = Problems::default();
    let functions = document::read(&Node::root(&document), folder(&arguments.file), &mut problems);
    if functions.is_empty() && !problems.any_error() && source.findings().is_empty() {
        let help = "name at least one: `functions: {hello: {command: [python3, -m, awslambdaric, app.handler]}}`";
        source.report(&Node::root(&document).path, "the document has no `functions`", Some(help));
    }
    let read = problems.into_vec().into_iter().map(|problem| Finding { problem, span: None, spoils: false });
    let found: Vec<_> = source.findings().iter().cloned().chain(read).map(|finding| Diagnostic::new(&source, &finding)).collect();
    if !found.is_empty() {
        diagnostics::write_to_stderr(&found, &arguments.file.display().to_string());
        return Ok(Verdict::Problems);
    }
    server::runtime()?.block_on(async {
        let processes = Processes::default();
        let functions = Arc::new(Functions::new(functions, Account::of(&document), &processes));
        let (listener, local) = server::bind(&arguments.listen).await?;
        functions.introduce();
        if !local.ip().to_canonical().is_loopback() {
            say(&format!("warning: whoever reaches `{local}` can run the functions: nobody is asked who they are\n"));
        }
        say(&format!("listening on http://{local}\n"));
        server::serve(listener, server::stop_signal(), move |request, _| {
            let functions = Arc::clone(&functions);
            async move { Ok(invoke::answer(functions, request).await) }
        })
        .await;
        processes.stop();
        Ok(Verdict::Good)
    })
}

/// From where the paths of a document are.
pub fn folder(file: &Path) -> &Path {
    if file == Path::new("-") { Path::new("") } else { file.parent().unwrap_or(Path::new("")) }
}

// === impl Account ===

impl Account {
    /// That of the first API, which is where the functions of its definition most likely are.
    pub fn of(document: &Value) -> Self {
        let api = document.pointer("/apis/0");
        let text = |key: &str, default: &str| {
            let value = api.and_then(|api| api.get(key));
            value
                .and_then(|value| value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|n| n.to_string())))
                .unwrap_or_else(|| default.to_owned())
        };
        Self { id: text("accountId", "000000000000"), region: text("region", "us-east-1") }
    }
}

// === impl Functions ===

impl Functions {
    fn new(functions: Vec<Function>, account: Account, processes: &Processes) -> Self {
        let width = functions.iter().map(|function| function.name.len()).max().unwrap_or(0);
        let pools = functions.into_iter().enumerate().map(|(place, function)| {
            let prefix = Prefix::new(&function.name, place, width);
            Arc::new(Pool::new(function, account.clone(), processes.clone(), prefix))
        });
        Self { pools: pools.collect(), account: account.clone() }
    }

    fn get(&self, name: &str) -> Option<&Arc<Pool>> {
        self.pools.iter().find(|pool| pool.function().name == name)
    }

    /// Says what runs here.
    fn introduce(&self) {
        self.pools.iter().for_each(|pool| pool.introduce());
    }
}
