//! `tollgate serve`: a real HTTP server around the filter, with real backends.
//!
//! ```text
//!   client -> server (hyper) -> edge -> engine: the filter's thread -> exchange (hyper) -> backend
//! ```
//! What became of each request the `journal` tells, and the `console` shows.
//! The settings are those of our Envoy at the edge (`envoy/edge.yaml`), so that what is seen here is what is deployed.

mod admin;
mod client;
mod console;
mod edge;
mod engine;
pub mod exchange;
#[cfg(test)]
mod grpc_tests;
mod journal;
pub mod module;
pub mod origins;
mod pipe;
mod reload;
mod request;
mod signing;
mod thread;
mod watch;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio::sync::watch::Receiver;
use tollgate::definition::Endpoint;
use tollgate::gateway::Gateway;
use tollgate_host::{FilterModule, Listener, LogLevel, OnTrap, Plugin, Route, Settings, Shared};

use self::console::{Subject, guard};
use self::engine::Engine;
use self::exchange::Backends;
use self::journal::{AccessLog, Journal, LogFormat, Recorder, Replayer, Shown};
use self::origins::Override;
use super::check::Checked;
use super::diagnostics;
use super::explain::platform::Memory;
use super::functions::{self, Local};
use super::source::{Choice, Source, Version, stage_variable};
use super::{Failure, Verdict, progress, routes, say, server};

/// Under what name the filter's workers share what they count.
const VM_ID: &str = "tollgate";

/// What API Gateway takes, and what our Envoy holds.
const MAX_BODY: usize = 10 * 1024 * 1024;

/// Serve a definition on this machine
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  tollgate serve api.yaml
  tollgate serve api.yaml --watch --stage dev --stage-variable backend=orders
  tollgate serve api.yaml --upstream petstore.example.com=http://127.0.0.1:9000
  tollgate serve api.yaml --trace
  tollgate serve gateway.yaml --log-format json --access-log access.log >requests.jsonl

The console at the address of `--admin` shows every method as API Gateway's does, the last requests with the steps of their ways,
and has a Test form. It is for whoever sits at this machine.

`--trace` shows below the line of each request every step of its way, as `tollgate explain` does: what the module got and was
answered goes through the same gateway once more, in the command itself, and nobody is asked a second time. A note stands where
that does not come to what the module answered. Tokens, keys and cookies of the request are shortened to their first four
characters, in the console too, and those of the query that are secret by their names in the log; what else is in bodies and templates
is shown as it is.

Each integration goes to its own host, unless `--upstream` puts another server in its place.
With `--watch` a changed file is served at once; one with errors is shown, and the last good one goes on serving.

Exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 the definition has errors or the server cannot start,
2 wrong usage or an unreadable file.")]
pub struct Arguments {
    /// A gateway document or an OpenAPI definition, JSON or YAML; `-` is the standard input
    file: PathBuf,
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Serve this stage only; the name of the one stage of a bare definition
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Set a stage variable; can be given more than once
    #[arg(long = "stage-variable", value_name = "NAME=VALUE", value_parser = stage_variable)]
    variables: Vec<(String, String)>,
    /// The server to ask instead of an integration's host (`host`, `host:port` or the name of a VPC link), or the server that a
    /// cluster of the document is, by the cluster's name
    #[arg(long = "upstream", value_name = "HOST=URL")]
    upstreams: Vec<Override>,
    /// Serve the file anew whenever it changes
    #[arg(long)]
    watch: bool,
    /// The module to run instead of the one beside the command
    #[arg(long, value_name = "PATH")]
    module: Option<PathBuf>,
    /// Where the console and the operator's routes are, apart from the APIs; a port alone is of 127.0.0.1, `off` is nowhere
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    /// How requests are logged
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// Show every step of each request below its line
    #[arg(long)]
    trace: bool,
    /// Where the lines go that the stages' `accessLogSettings` make; `-` is the standard output
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,
}

/// All that a new configuration is started with.
struct Server {
    arguments: Arguments,
    module: FilterModule,
    /// Outlives configurations: what the filter counts goes on counting.
    shared: Arc<Shared>,
    /// Where the functions of the document run, once it has some.
    lambda: OnceCell<Local>,
    /// What became of requests.
    journal: Journal,
    /// What the gateways remember in which the journal sends requests once more.
    memory: Memory,
}

/// What answers at this moment.
#[derive(Clone)]
struct Current {
    engine: Engine,
    /// The same document as the filter has it, compiled here.
    gateway: Arc<Gateway>,
    /// What the console shows of it, and sends its tests to.
    subject: Arc<Subject>,
}

/// A configuration that serves.
struct Serving {
    current: Current,
    /// Its routes, as a table.
    routes: String,
    /// The files that it was made of.
    files: Vec<Version>,
}

/// Why a configuration does not serve.
enum Refused {
    /// The file cannot be read.
    Failure(Failure),
    /// It has errors, which were shown; these files make it up.
    Problems(Vec<Version>),
}

/// Serves until it is told to stop.
pub fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    if arguments.watch && arguments.file.as_os_str() == "-" {
        return Err(Failure::usage("the standard input cannot be watched").help("name a file, or leave `--watch` out"));
    }
    server::runtime()?.block_on(async {
        // The document first: its mistakes are the user's own, and found at once.
        let draft = Draft::read(&arguments);
        let draft = match draft {
            Ok(draft) => draft,
            Err(Refused::Failure(failure)) => return Err(failure),
            Err(Refused::Problems(_)) => return Ok(Verdict::Problems),
        };
        let access_log = arguments.access_log.as_deref().map(AccessLog::open).transpose()?;
        let module = {
            let _progress = progress::start("compiling the module");
            module::load(arguments.module.as_deref())?
        };
        let console = arguments.admin.as_deref() != Some("off");
        let shown = Shown { log: arguments.log_format, trace: arguments.trace, access_log, console };
        let (journal, journal_thread) = Journal::start(shown);
        let (shared, lambda, memory) = Default::default();
        let server = Arc::new(Server { arguments, module, shared, lambda, journal, memory });
        let serving = draft.start(&server).await?;
        let (listener, local) = server::bind(&server.arguments.listen).await?;
        let admin = match server.arguments.admin.as_deref() {
            Some("off") => None,
            address => Some(admin::bind(address.unwrap_or(admin::ANYWHERE)).await?),
        };
        let digest: String = server.module.sha256().chars().take(12).collect();
        say(&format!("module sha256 {digest}\n{}listening on http://{local}\n", serving.routes));
        let (sender, current) = tokio::sync::watch::channel(serving.current);
        let operator = operate(admin, current.clone(), Arc::clone(&server));
        if server.arguments.watch {
            tokio::spawn(reload::follow(Arc::clone(&server), serving.files, sender));
        } else {
            // The channel stays open as long as the process, so that the engine does.
            Box::leak(Box::new(sender));
        }
        let keys = Arc::new(AtomicU64::new(0));
        let journal = server.journal.clone();
        let clients = server::serve(listener, server::stop_signal(), move |request, peer| {
            let engine = current.borrow().engine.clone();
            request::answer(engine, journal.clone(), keys.fetch_add(1, Ordering::Relaxed), request, peer)
        });
        tokio::join!(clients, operator);
        if let Some(lambda) = server.lambda.get() {
            lambda.stop();
        }
        server.journal.close();
        // What it has to say is said before the process ends.
        drop(journal_thread.join());
        Ok(Verdict::Good)
    })
}

/// Answers the operator, where there is a listener for that, until the server is told to stop.
async fn operate(listener: Option<(TcpListener, SocketAddr)>, current: Receiver<Current>, server: Arc<Server>) {
    let Some((listener, local)) = listener else { return };
    let is_asked_for = server.arguments.admin.is_some();
    let is_own = local.ip().to_canonical().is_loopback();
    if is_asked_for {
        say(&format!("admin on http://{local}\n{}", admin::warning(local).unwrap_or_default()));
    }
    say(&format!("console on http://{local}{}\n", console::ROOT));
    server::serve(listener, server::stop_signal(), move |request, _| {
        let current = current.borrow().clone();
        let server = Arc::clone(&server);
        async move {
            // Who opens the listener to others may have given it a name; nobody has named this machine to itself but who rebinds one.
            if is_own && let Some(refusal) = guard::foreign_host(&request) {
                return Ok(refusal);
            }
            if console::is_at(request.uri().path()) {
                return Ok(console::answer(request, &current, &server.journal, &server.shared).await);
            }
            Ok(admin::answer(&admin::ROUTES, request.method(), request.uri().path(), &current.gateway, &server.shared))
        }
    })
    .await;
}

/// A document that has been checked and can be started.
struct Draft {
    checked: Checked,
    gateway: Arc<Gateway>,
    routes: String,
    overrides: Vec<Override>,
}

// === impl Draft ===

impl Draft {
    /// Reads and checks the file, and shows what is wrong with it.
    fn read(arguments: &Arguments) -> Result<Self, Refused> {
        let progress = progress::start(&format!("reading {}", arguments.file.display()));
        let choice = Choice { stage: arguments.stage.clone(), variables: arguments.variables.clone() };
        let source = Source::load(&arguments.file, &choice).map_err(Refused::Failure)?;
        Checked::require_stage(&source, &choice).map_err(Refused::Failure)?;
        let mut checked = Checked::new(source, &choice);
        drop(progress);
        diagnostics::write_to_stderr(&checked.diagnostics, &arguments.file.display().to_string());
        match checked.gateway.take() {
            None => Err(Refused::Problems(checked.source.versions().to_vec())),
            Some(gateway) => {
                let routes = routes::text(&gateway);
                Ok(Self { checked, gateway: Arc::new(gateway), routes, overrides: arguments.upstreams.clone() })
            }
        }
    }

    /// The Lambda of this server, if the document has functions, or a document before it had.
    async fn lambda<'s>(&self, server: &'s Server) -> Result<Option<&'s Local>, Failure> {
        let Checked { document, endpoints, .. } = &self.checked;
        if !functions::are_in(document) {
            return Ok(server.lambda.get());
        }
        let replaced = |endpoint: &&Endpoint| origins::is_replaced(document, endpoint, &self.overrides);
        for endpoint in endpoints.iter().filter(|endpoint| functions::is_lambda(endpoint)).filter(replaced) {
            say(&format!("note: `--upstream` says where `{}` is: `functions` are not asked there\n", endpoint.name));
        }
        server.lambda.get_or_try_init(Local::start).await.map(Some)
    }

    /// Starts the filter with it.
    async fn start(self, server: &Server) -> Result<Serving, Failure> {
        let Checked { document, endpoints, .. } = &self.checked;
        let lambda = self.lambda(server).await?;
        let service = self.gateway.plans.service();
        let grpc_clusters: Vec<String> = service.map(|service| service.cluster().to_owned()).into_iter().collect();
        for unused in origins::unused(document, endpoints, &grpc_clusters, &self.overrides) {
            say(&format!("note: nothing goes to `{unused}`, which `--upstream` names\n"));
        }
        let said = self.overrides.as_slice();
        let overrides = lambda.map_or_else(|| said.to_vec(), |lambda| lambda.overrides(document, endpoints, said));
        let origins = origins::resolve(document, endpoints, &grpc_clusters, &overrides);
        for cluster in origins::nowhere(&origins, &grpc_clusters) {
            let wanted = format!("write `--upstream {cluster}=http://127.0.0.1:PORT`");
            say(&format!("warning: nobody knows where the cluster `{cluster}` is, and calls to it fail: {wanted}\n"));
        }
        let backends = Backends::new(origins);
        let settings = settings(&without_functions(document).to_string(), &backends);
        let replayer = Arc::new(Replayer::new(Arc::clone(&self.gateway), Arc::clone(&server.memory)));
        let recorder = Recorder::new(server.journal.clone(), replayer);
        let progress = progress::start("starting the module and looking for credentials");
        let engine = Engine::start(&server.module, settings, Arc::clone(&server.shared), backends.clone(), recorder);
        // Where no instance gives out credentials, it takes a while to know that.
        let (engine, signing) = tokio::join!(engine, backends.signing());
        drop(progress);
        say(&signing);
        let engine = engine.map_err(|said| {
            Failure::new(format!("the module does not take the document: {}", said.trim_end()))
                .help("command and module may be of different versions; build both with `make build`")
        })?;
        if let Some(lambda) = lambda {
            lambda.replace(document, &server.arguments.file);
            lambda.introduce();
        }
        let files = self.checked.source.versions().to_vec();
        let Checked { document, diagnostics, .. } = self.checked;
        let subject = Subject::new(server.arguments.file.display().to_string(), document, diagnostics, backends);
        let current = Current { engine, gateway: self.gateway, subject: Arc::new(subject) };
        Ok(Serving { current, routes: self.routes, files })
    }
}

/// What the module has no use for stays out of it.
fn without_functions(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(members) = document.as_object_mut() {
        members.shift_remove("functions");
    }
    document
}

/// Our Envoy's settings at the edge.
fn settings(document: &str, backends: &Backends) -> Settings {
    Settings {
        plugin: Plugin {
            name: "edge".to_owned(),
            vm_id: VM_ID.to_owned(),
            configuration: Bytes::copy_from_slice(document.as_bytes()),
            allow_on_headers_stop_iteration: true,
            on_trap: OnTrap::Reload { backoff: Duration::from_millis(10) },
            // Below that, a filter speaks to who debugs it.
            log_level: LogLevel::Warn,
            ..Plugin::default()
        },
        listener: Listener {
            buffer_limit: MAX_BODY,
            request_timeout: Some(Duration::from_secs(60)),
            stream_idle_timeout: Some(Duration::from_secs(65)),
            server_name: None,
            use_remote_address: true,
            generate_request_id: false,
        },
        route: Route { timeout: Some(Duration::from_secs(60)), suppress_envoy_headers: true, ..Route::default() },
        clusters: backends.clusters().cloned().collect(),
        ..Settings::default()
    }
}
