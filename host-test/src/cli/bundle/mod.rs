//! `tollgate bundle`: from a definition to the whole configuration of a proxy.
//!
//! | file | holds |
//! |---|---|
//! | `plan` | what the document needs, whatever the target is |
//! | `holding` | whether the filter holds requests |
//! | `template` | `envoy/edge.yaml` and `envoy/aws.yaml`, which everything is made of |
//! | `envoy`, `istio`, `envoy_gateway` | one target each |
//! | `minify` | documents without words for readers |

mod access_log;
mod envoy;
mod envoy_gateway;
pub mod holding;
mod istio;
mod kubernetes;
mod minify;
mod plan;
mod template;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::envoy_gateway::Listener;
use self::kubernetes::Module;
use self::plan::Plan;
use self::template::Template;
use super::check::Checked;
use super::diagnostics::{self, Diagnostic};
use super::serve::module;
use super::serve::origins::Override;
use super::source::{Choice, Finding, Source, stage_variable};
use super::{Failure, Verdict, say};

/// Write the whole configuration of a proxy that serves a definition
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate bundle api.yaml --target envoy --output envoy.yaml && envoy -c envoy.yaml
  tollgate bundle api.yaml --target istio --image oci://registry.example.com/tollgate:1.0 | kubectl apply -f -
  tollgate bundle api.yaml --target envoy-gateway --image oci://registry.example.com/tollgate:1.0 --minify
  tollgate bundle api.yaml --target envoy --upstream petstore.example.com=http://127.0.0.1:9000

What is written goes to the standard output; notes, warnings and sizes go to the standard error.

Exit codes: 0 written, 1 the definition has errors (they are on the standard error), 2 wrong usage or an unreadable file.")]
pub struct Arguments {
    /// A gateway document or an OpenAPI definition, JSON or YAML; `-` is the standard input
    file: PathBuf,
    /// Whose configuration
    #[arg(long, value_enum)]
    target: Target,
    /// Write it to a file, which only its owner can read
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// This stage only; the name of the one stage of a bare definition
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Set a stage variable; can be given more than once
    #[arg(long = "stage-variable", value_name = "NAME=VALUE", value_parser = stage_variable)]
    variables: Vec<(String, String)>,
    /// The server to ask instead of an integration's host (`host`, `host:port` or the name of a VPC link), or the server that a
    /// cluster of the document is, by the cluster's name
    #[arg(long = "upstream", value_name = "HOST=URL")]
    upstreams: Vec<Override>,
    /// Leave out what nobody asks at run time: descriptions, examples, unused models
    #[arg(long)]
    minify: bool,
    /// The certificates that https servers are checked with, where the proxy runs
    #[arg(long, value_name = "PATH", default_value = "/etc/ssl/certs/ca-certificates.crt")]
    ca_file: String,
    /// envoy: where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:10000")]
    listen: SocketAddr,
    /// envoy: where the admin interface is
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9901")]
    admin: SocketAddr,
    /// envoy: the module, instead of the one beside the command
    #[arg(long, value_name = "PATH")]
    module: Option<PathBuf>,
    /// envoy: where access logs go, `stdout` or a file
    #[arg(long, value_name = "PATH", default_value = "stdout")]
    access_log: PathBuf,
    /// Kubernetes: the image that the module is in, `oci://REGISTRY/NAME:TAG`
    #[arg(long, value_name = "URL", conflicts_with = "module_url")]
    image: Option<String>,
    /// Kubernetes: the module itself, by http, https or, where it is in the proxy's image, `file://`
    #[arg(long, value_name = "URL")]
    module_url: Option<String>,
    /// Kubernetes: the SHA-256 of the module or the image; that of the module here where `--module-url` names one to fetch
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// Kubernetes: the name of all resources
    #[arg(long, value_name = "NAME", default_value = "tollgate", value_parser = kubernetes::name)]
    name: String,
    /// Kubernetes: where they go; `istio-system`, or `default` for Envoy Gateway
    #[arg(long, value_name = "NAME", value_parser = kubernetes::name)]
    namespace: Option<String>,
    /// istio: labels of the workload
    #[arg(long, value_name = "LABELS", default_value = "istio=ingressgateway")]
    selector: String,
    /// istio: the filter stands before a workload in its sidecar, and not in a gateway
    #[arg(long)]
    sidecar: bool,
    /// istio: its version
    #[arg(long, value_name = "VERSION", default_value = "1.29", value_parser = istio::version)]
    istio: (u32, u32),
    /// envoy-gateway: the Gateway
    #[arg(long, value_name = "NAME", default_value = "eg", value_parser = kubernetes::name)]
    gateway: String,
    /// envoy-gateway: its listener, or its port where XDSNameSchemeV2 is enabled
    #[arg(long, value_name = "NAME", default_value = "http", value_parser = kubernetes::name)]
    listener: String,
}

/// Whose configuration is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// A bootstrap for `envoy -c`
    Envoy,
    /// Manifests for Istio
    Istio,
    /// Manifests for Envoy Gateway
    EnvoyGateway,
}

/// What is written, and what is said of it.
struct Bundle {
    text: String,
    said: Vec<String>,
}

/// Writes it, or why there is nothing to write.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let choice = Choice { stage: arguments.stage.clone(), variables: arguments.variables.clone() };
    let source = Source::load(&arguments.file, &choice)?;
    Checked::require_stage(&source, &choice)?;
    let mut checked = Checked::new(source, &choice);
    let plan = Plan::new(&checked, &arguments.upstreams)?;
    if let Err(problems) = &plan {
        let more = problems.iter().map(|problem| Finding { problem: problem.clone(), span: None, spoils: false });
        let more: Vec<Diagnostic> = more.map(|finding| Diagnostic::new(&checked.source, &finding)).collect();
        checked.diagnostics.extend(more);
    }
    diagnostics::write_to_stderr(&checked.diagnostics, &arguments.file.display().to_string());
    let Ok(mut plan) = plan else { return Ok(Verdict::Problems) };
    if arguments.minify {
        minify::minify(&mut plan.document);
    }
    let bundle = arguments.bundle(&plan)?;
    arguments.write(&bundle.text)?;
    let size = plan::text(&plan.document, arguments.minify).len();
    let sizes = format!("document: {}, output: {}", bytes(size), bytes(bundle.text.len()));
    for line in plan.notes.iter().chain(&bundle.said).chain([&sizes]) {
        say(&format!("{line}\n"));
    }
    Ok(Verdict::Good)
}

// === impl Arguments ===

impl Arguments {
    fn bundle(&self, plan: &Plan) -> Result<Bundle, Failure> {
        let template = Template::new()?;
        match self.target {
            Target::Envoy => self.envoy(&template, plan),
            Target::Istio => self.istio(&template, plan),
            Target::EnvoyGateway => self.envoy_gateway(&template, plan),
        }
    }

    fn envoy(&self, template: &Template, plan: &Plan) -> Result<Bundle, Failure> {
        let module = self.found_module()?;
        let file = Some(self.access_log.as_path()).filter(|path| *path != Path::new("stdout"));
        let settings = envoy::Settings {
            listen: self.listen,
            admin: self.admin,
            module: &module,
            ca_file: &self.ca_file,
            access_log: file,
            is_minified: self.minify,
        };
        let bootstrap = envoy::bootstrap(template, plan, &settings);
        let words = ["Envoy 1.36 or newer: envoy -c FILE. Why each line stands is said in envoy/edge.yaml and envoy/aws.yaml."];
        let head: String = [self.head()].iter().map(String::as_str).chain(words).map(|line| format!("# {line}\n")).collect();
        let is_yaml = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        let said =
            self.output.iter().filter(|path| !is_yaml(path)).map(|path| {
                format!("note: Envoy reads YAML from files that end in `.yaml` only, and `{}` does not", path.display())
            });
        Ok(Bundle { text: head + &yaml(&bootstrap)?, said: said.collect() })
    }

    fn istio(&self, template: &Template, plan: &Plan) -> Result<Bundle, Failure> {
        let settings = istio::Settings {
            name: &self.name,
            namespace: self.namespace.as_deref().unwrap_or("istio-system"),
            labels: kubernetes::labels(&self.selector)?,
            is_sidecar: self.sidecar,
            version: self.istio,
            module: self.remote_module()?,
            is_minified: self.minify,
        };
        let made = istio::manifests(template, plan, &settings).map_err(Failure::new)?;
        let said: Vec<String> = made.words.first().cloned().into_iter().collect();
        self.manifests(made.words, said, &made.resources)
    }

    fn envoy_gateway(&self, template: &Template, plan: &Plan) -> Result<Bundle, Failure> {
        let module = self.remote_module()?;
        if module.url.starts_with("file://") {
            return Err(Failure::usage("Envoy Gateway fetches modules by http, https or from an image, and reads no file"));
        }
        let settings = envoy_gateway::Settings {
            name: &self.name,
            namespace: self.namespace.as_deref().unwrap_or("default"),
            gateway: &self.gateway,
            listener: self.listener.parse().map_or_else(|_| Listener::Named(self.listener.clone()), Listener::Port),
            module,
            ca_file: &self.ca_file,
            is_minified: self.minify,
        };
        let words = envoy_gateway::words();
        let said =
            vec!["EnvoyPatchPolicy and Backend have to be enabled in Envoy Gateway: the head of the output says how".to_owned()];
        self.manifests(words, said, &envoy_gateway::manifests(template, plan, &settings))
    }

    fn manifests(&self, words: Vec<String>, mut said: Vec<String>, resources: &[Value]) -> Result<Bundle, Failure> {
        said.extend(kubernetes::warning(resources, self.minify));
        let comment: Vec<String> = std::iter::once(self.head()).chain(words).collect();
        Ok(Bundle { text: kubernetes::stream(&comment, resources)?, said })
    }

    /// The first line of every output.
    fn head(&self) -> String {
        format!(
            "Made by `tollgate bundle {}`: change that file, not this one.",
            diagnostics::printable(&self.file.display().to_string())
        )
    }

    /// The module on this machine, by its absolute path.
    fn found_module(&self) -> Result<PathBuf, Failure> {
        let path = module::locate(self.module.as_deref())?;
        path.canonicalize().map_err(|error| Failure::new(format!("cannot find `{}`: {error}", path.display())))
    }

    /// The module as a cluster fetches it.
    fn remote_module(&self) -> Result<Module, Failure> {
        if let Some(image) = &self.image {
            let url = if image.contains("://") { image.clone() } else { format!("oci://{image}") };
            if !url.starts_with("oci://") {
                return Err(Failure::usage(format!("`{image}` is no image")).help("write `oci://REGISTRY/NAME:TAG`"));
            }
            return Ok(Module { url, sha256: self.sha256.clone() });
        }
        let Some(url) = self.module_url.clone() else {
            return Err(Failure::usage("nobody says where the module is fetched from")
                .help("write `--image oci://REGISTRY/NAME:TAG`, or `--module-url https://HOST/tollgate.wasm`"));
        };
        if !["http://", "https://", "file://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(Failure::usage(format!("`{url}` is no URL of a module")).help("write `https://HOST/tollgate.wasm`"));
        }
        let sha256 = match &self.sha256 {
            Some(sha256) => Some(sha256.clone()),
            // What is fetched without TLS, above all, should be what was built here.
            None if !url.starts_with("file://") => Some(digest(&self.found_module()?)?),
            None => None,
        };
        Ok(Module { url, sha256 })
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        let Some(path) = &self.output else { return super::print(text) };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // It may hold API keys.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(path).and_then(|mut file| {
            // One that was there before is no more open to others; a pipe has no such thing.
            #[cfg(unix)]
            if file.metadata()?.is_file() {
                file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            }
            file.write_all(text.as_bytes())
        });
        written.map_err(|error| Failure::new(format!("cannot write `{}`: {error}", path.display())))
    }
}

fn digest(path: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::new(format!("cannot read `{}`: {error}", path.display())))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

fn yaml(value: &Value) -> Result<String, Failure> {
    serde_norway::to_string(value).map_err(|error| Failure::new(format!("cannot write YAML: {error}")))
}

/// `1.2 MB`
fn bytes(count: usize) -> String {
    let tenths = |unit: usize| format!("{}.{}", count / unit, count % unit * 10 / unit);
    match count {
        0..1_000 => format!("{count} bytes"),
        1_000..1_000_000 => format!("{} kB", tenths(1_000)),
        _ => format!("{} MB", tenths(1_000_000)),
    }
}
