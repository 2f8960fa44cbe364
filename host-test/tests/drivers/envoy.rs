//! The module in a real Envoy: one process, a listener a document, all sharing one VM but for those that count (see
//! [`vm_id`]), real backends on loopback. Listeners come by LDS from a file, so that a document that does not compile costs its own
//! listener and not the process, exactly as a bad push from a control plane would.
//!
//! The process is killed by its id when the driver is dropped. Ports are Envoy's own choice, read from its admin interface.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::case::{Backend, Request};
use super::edge::{Configuration, Template, http_connection_manager};
use super::http1::{self, Message};
use super::observation::{Observation, UpstreamRequest, sorted};
use super::stub::Stub;
use super::{Clusters, Driver};

/// How long Envoy may take to start or to take an update: V8 compiles the module first.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it writes its log.
const LOG_FLUSH: Duration = Duration::from_millis(50);

/// A running Envoy, its listeners and its backends.
pub struct Envoy {
    process: Child,
    folder: PathBuf,
    module: PathBuf,
    template: Template,
    admin: SocketAddr,
    version: u32,
    listeners: BTreeMap<String, SocketAddr>,
    stubs: BTreeMap<String, Stub>,
    /// How many lines of each listener's stages were seen; only of those that have such.
    lines: BTreeMap<String, usize>,
    customize: Customize,
}

/// What a test wants of the HTTP connection manager beyond the template.
pub type Customize = fn(&mut Value);

/// What the lines of stages look like to Envoy.
pub const ACCESS_LOG: &str = "%FILTER_STATE(wasm.tollgate_access_log:PLAIN)%\n";

/// How an Envoy is started, beside the documents that it serves.
pub struct Setup {
    /// Worker threads, each of which has VMs of its own.
    pub workers: u32,
    /// Backends that each test tells what to do.
    pub stubs: BTreeSet<String>,
    /// Clusters of somebody else.
    pub clusters: Vec<Endpoint>,
    pub customize: Customize,
    pub module: PathBuf,
    /// More variables of its environment.
    pub environment: Vec<(&'static str, PathBuf)>,
    /// Whether the access log that the template writes is kept: a long load makes a large one.
    pub keeps_access_log: bool,
}

/// A cluster and its only host.
pub struct Endpoint {
    pub name: String,
    pub address: SocketAddr,
    /// Whether it speaks HTTP/2, as what takes gRPC does.
    pub http2: bool,
}

/// The documents to serve, by the name of their listener.
pub type Plugins = BTreeMap<String, Configuration>;

/// The Envoy binary; panics with what to do where there is none.
pub fn binary() -> PathBuf {
    let path = std::env::var_os("ENVOY").map(PathBuf::from);
    path.filter(|path| path.is_file()).unwrap_or_else(|| {
        panic!("these tests need a real Envoy: run `make test`, which installs it, or set ENVOY to the binary's path")
    })
}

/// An Envoy that is about to start with one folder: `bootstrap.json` is there, and what it tells and logs goes there.
pub fn command(folder: &Path, workers: u32) -> Command {
    let mut command = Command::new(binary());
    command
        .args(["--concurrency", &workers.to_string(), "--disable-hot-restart", "--log-level", "warning"])
        .args(["--component-log-level", "wasm:info"])
        .args(["--file-flush-interval-msec", &LOG_FLUSH.as_millis().to_string()])
        .arg("--config-path")
        .arg(folder.join("bootstrap.json"))
        .arg("--admin-address-path")
        .arg(folder.join("admin"))
        .arg("--log-path")
        .arg(folder.join("envoy.log"))
        .current_dir(workspace())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("stderr.log")).expect("target/ can be written"));
    command
}

/// The module under test; panics with what to do where there is none.
pub fn module() -> PathBuf {
    let path = match std::env::var_os("TOLLGATE_WASM") {
        Some(path) => PathBuf::from(path),
        None => workspace().join("target/wasm32-wasip1/wasm/tollgate.wasm"),
    };
    assert!(path.is_file(), "there is no module at {}: run `make build` first", path.display());
    path
}

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is a member of the workspace")
}

// === impl Endpoint ===

impl Endpoint {
    /// The shipped cluster, and what gRPC needs.
    fn cluster(&self, template: &Template) -> Value {
        let mut cluster = template.cluster(&self.name, &self.address.ip().to_string(), self.address.port());
        cluster["type"] = "STATIC".into();
        if self.http2 {
            cluster["typed_extension_protocol_options"] = json!({
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": { "http2_protocol_options": {} },
                }
            });
        }
        cluster
    }
}

// === impl Envoy ===

impl Envoy {
    /// Starts Envoy with a backend for every cluster and a listener for every document. `label` names the folder below
    /// `target/envoy` where its configuration and its log stay for whoever wants to know what happened.
    pub fn start(label: &str, clusters: &BTreeSet<String>, plugins: &Plugins) -> Self {
        Self::start_with_workers(1, label, clusters, plugins)
    }

    /// The same with so many worker threads, each of which has VMs of its own.
    pub fn start_with_workers(workers: u32, label: &str, clusters: &BTreeSet<String>, plugins: &Plugins) -> Self {
        Self::start_with_services(workers, label, clusters, &BTreeMap::new(), plugins)
    }

    /// The same with clusters that take gRPC, and where they are.
    pub fn start_with_services(
        workers: u32,
        label: &str,
        clusters: &BTreeSet<String>,
        services: &BTreeMap<String, SocketAddr>,
        plugins: &Plugins,
    ) -> Self {
        Self::start_customized(workers, label, clusters, services, plugins, |_| ())
    }

    /// The same with a connection manager that is changed.
    pub fn start_customized(
        workers: u32,
        label: &str,
        stubs: &BTreeSet<String>,
        services: &BTreeMap<String, SocketAddr>,
        plugins: &Plugins,
        customize: Customize,
    ) -> Self {
        let clusters = services.iter().map(|(name, address)| Endpoint { name: name.clone(), address: *address, http2: true });
        let setup = Setup {
            workers,
            stubs: stubs.clone(),
            clusters: clusters.collect(),
            customize,
            module: module(),
            environment: Vec::new(),
            keeps_access_log: true,
        };
        Self::start_as(setup, label, plugins)
    }

    /// The same with all that can be chosen.
    pub fn start_as(setup: Setup, label: &str, plugins: &Plugins) -> Self {
        let Setup { workers, customize, module, .. } = setup;
        let folder = workspace().join("target/envoy").join(format!("{label}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("target/ can be written");
        let template = Template::read(&workspace().join("envoy/edge.yaml")).expect("the template is YAML");
        let stubs: BTreeMap<String, Stub> = setup.stubs.iter().map(|name| (name.clone(), Stub::start())).collect();
        let backends = stubs.iter().map(|(name, stub)| test_cluster(&template, name, stub.address()));
        let others = setup.clusters.iter().map(|endpoint| endpoint.cluster(&template));
        let configured = backends.chain(others).collect();
        let mut bootstrap = template.bootstrap(loopback(), Vec::new(), configured);
        bootstrap["node"] = json!({ "id": "tests", "cluster": "tests" });
        bootstrap["dynamic_resources"] =
            json!({ "lds_config": { "path_config_source": { "path": folder.join("listeners.json") } } });
        write(&folder.join("bootstrap.json"), &bootstrap);
        // Before Envoy looks for them.
        write_listeners(&folder, &template, &module, 0, plugins, customize);
        let mut command = command(&folder, workers);
        command.envs(setup.environment);
        if setup.keeps_access_log {
            command.stdout(std::fs::File::create(folder.join("access.log")).expect("target/ can be written"));
        }
        let process = command.spawn().expect("the Envoy binary can be run");
        let mut envoy = Self {
            process,
            folder,
            module,
            template,
            admin: loopback(),
            version: 0,
            listeners: BTreeMap::new(),
            stubs,
            lines: lines(plugins),
            customize,
        };
        envoy.admin = envoy
            .wait("its admin interface", |envoy| std::fs::read_to_string(envoy.folder.join("admin")).ok()?.trim().parse().ok());
        envoy.await_update(0);
        envoy
    }

    /// Hands Envoy other documents, as a control plane would, and waits until it has taken or refused them.
    pub fn update(&mut self, plugins: &Plugins) {
        let before = self.updates();
        self.version += 1;
        for (name, seen) in lines(plugins) {
            self.lines.entry(name).or_insert(seen);
        }
        write_listeners(&self.folder, &self.template, &self.module, self.version, plugins, self.customize);
        self.await_update(before);
    }

    /// Where its admin interface is.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// The memory of the process, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("the process is there");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
        line.trim().trim_end_matches(" kB").parse().expect("a size is a number")
    }

    /// Tells a backend what to do with the requests that come from now on.
    pub fn play(&mut self, cluster: &str, behaviour: &Backend) {
        let stub = self.stubs.get_mut(cluster).unwrap_or_else(|| panic!("no stub plays `{cluster}`"));
        stub.play(behaviour);
    }

    /// Where a listener listens; `None` where Envoy has refused the document.
    pub fn address(&self, name: &str) -> Option<SocketAddr> {
        self.listeners.get(name).copied()
    }

    /// What a backend got since it was last told what to do.
    pub fn arrivals(&self, cluster: &str) -> Vec<Message> {
        self.stubs[cluster].seen()
    }

    /// The access log so far: one JSON object a line, with the `path` that the shipped configuration keeps out of it.
    pub fn access_log(&self) -> String {
        let bytes = std::fs::read(self.folder.join("access.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Makes Envoy write what filters log, from this level on.
    pub fn log_of_filters(&self, level: &str) {
        let answer = http1::exchange(self.admin, &Request::new("POST", &format!("/logging?wasm={level}"))).expect("it is up");
        assert_eq!(answer.status().expect("a status"), 200);
    }

    /// What Prometheus scrapes.
    pub fn prometheus(&self) -> String {
        self.admin_get("/stats/prometheus")
    }

    /// The next line of a listener's stages; none where the request left none, or no stage has one.
    pub fn next_line(&mut self, name: &str) -> Option<String> {
        let seen = *self.lines.get(name)?;
        let path = lines_of(&self.folder, name);
        let line = self.wait("a line of the access log", |_| {
            std::fs::read_to_string(&path).ok()?.split_inclusive('\n').nth(seen)?.strip_suffix('\n').map(str::to_owned)
        });
        self.lines.insert(name.to_owned(), seen + 1);
        // What Envoy writes for a property that nobody set.
        (line != "-").then_some(line)
    }

    /// Envoy's log so far.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.folder.join("envoy.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What was logged while Envoy tried, and refused, a listener. Lines that a filter logs while it is configured carry the id
    /// of the VM and not the name of the plugin, but Envoy takes the listeners one by one and tells how each went.
    pub fn log_of_refused(&self, listener: &str) -> String {
        let log = self.log();
        let verdict = format!("lds: listener '{listener}' config rejected");
        let end = log.find(&verdict).unwrap_or_else(|| panic!("Envoy did not refuse `{listener}`:\n{log}"));
        let start = log[..end].rfind("config rejected").unwrap_or(0);
        log[start..end].to_owned()
    }

    /// Counters and gauges whose names hold a text.
    pub fn stats(&self, part: &str) -> BTreeMap<String, u64> {
        let text = self.admin_get("/stats");
        let entries = text.lines().filter_map(|line| line.rsplit_once(": "));
        let wanted = entries.filter(|(name, _)| name.contains(part));
        wanted.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
    }

    /// Panics if a VM had to be made anew. Envoy 1.40 counts a reload that worked in `vm_reload_success` and leaves
    /// `vm_reload` at 0, so all of the family are asked.
    pub fn assert_no_reloads(&self) {
        let reloads = self.stats("vm_reload");
        assert!(!reloads.is_empty(), "Envoy has no vm_reload counters: the plugin is not loaded with FAIL_RELOAD");
        let bad: Vec<_> = reloads.iter().filter(|(_, count)| **count != 0).collect();
        assert!(bad.is_empty(), "the filter trapped: {bad:?}\n{}", self.tail());
    }

    /// How many updates of the listeners Envoy is done with.
    fn updates(&self) -> u64 {
        let stats = self.stats("listener_manager.lds.update_");
        let count = |name: &str| stats.get(&format!("listener_manager.lds.{name}")).copied().unwrap_or(0);
        count("update_success") + count("update_rejected")
    }

    fn await_update(&mut self, before: u64) {
        self.wait("the new listeners", |envoy| (envoy.updates() > before).then_some(()));
        // The log is flushed on a timer, and tells what was refused.
        std::thread::sleep(3 * LOG_FLUSH);
        let text = self.admin_get("/listeners?format=json");
        let listeners: Value = serde_json::from_str(&text).expect("Envoy's admin interface speaks JSON");
        self.listeners = listeners["listener_statuses"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|status| {
                let port = status["local_address"]["socket_address"]["port_value"].as_u64();
                let port = port.and_then(|port| u16::try_from(port).ok()).expect("a listener has a port");
                let name = status["name"].as_str().expect("a listener has a name").to_owned();
                (name, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            })
            .collect();
    }

    /// Polls until there is an answer; panics with the end of the log when there is none, or no Envoy any more.
    fn wait<T>(&mut self, what: &str, poll: impl Fn(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = poll(self) {
                return found;
            }
            let gone = self.process.try_wait().expect("a child can be asked");
            assert!(gone.is_none(), "Envoy stopped ({gone:?}) while waiting for {what}:\n{}", self.tail());
            assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}:\n{}", self.tail());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn admin_get(&self, path: &str) -> String {
        match http1::exchange(self.admin, &Request::new("GET", path)) {
            Ok(message) => String::from_utf8_lossy(&message.body).into_owned(),
            // Not up yet, or down: `wait` looks after both.
            Err(_) => String::new(),
        }
    }

    fn tail(&self) -> String {
        let stderr = std::fs::read_to_string(self.folder.join("stderr.log")).unwrap_or_default();
        let log = self.log() + &stderr;
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Driver for Envoy {
    fn name(&self) -> &'static str {
        "envoy"
    }

    fn now(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    /// All documents are handed over at the start; this tells what became of one.
    fn load(&mut self, name: &str, _document: &Value) -> Result<(), String> {
        match self.listeners.contains_key(name) {
            true => Ok(()),
            false => Err(self.log_of_refused(name)),
        }
    }

    fn observe(&mut self, name: &str, request: &Request, clusters: &Clusters) -> Result<Observation, String> {
        for (name, behaviour) in clusters {
            self.play(name, behaviour);
        }
        let address = self.address(name).ok_or_else(|| format!("`{name}` is not loaded"))?;
        let answer = http1::exchange(address, request).map_err(|error| format!("no answer: {error}"))?;
        let status = answer.status().map_err(|error| error.to_string())?;
        let arrivals = |name: &String| {
            self.stubs[name].arrivals().into_iter().map(|(at, message)| (at, upstream_request(name, message))).collect::<Vec<_>>()
        };
        let mut seen: Vec<(Instant, UpstreamRequest)> = clusters.keys().flat_map(arrivals).collect();
        seen.sort_by_key(|(at, _)| *at);
        let access_log = self.next_line(name);
        Ok(Observation {
            status,
            access_log,
            // It is of level debug, as are thousands of lines of Envoy's own.
            execution_log: None,
            upstream: seen.into_iter().map(|(_, request)| request).collect(),
            headers: sorted(answer.headers),
            body: answer.body,
            trailers: sorted(answer.trailers),
        })
    }
}

/// Where Envoy watches for them.
fn write_listeners(folder: &Path, template: &Template, module: &Path, version: u32, plugins: &Plugins, customize: Customize) {
    let resources: Vec<Value> = plugins
        .iter()
        .map(|(name, configuration)| {
            let mut listener = template.listener(name, loopback(), module, configuration);
            listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
            let manager = http_connection_manager(&mut listener);
            // Off by default in Envoy, for HTTP/1 only; on here so that trailers need no HTTP/2 client.
            manager["http_protocol_options"] = json!({ "enable_trailers": true });
            manager["access_log"][0]["typed_config"]["log_format"]["json_format"]["path"] = "%REQUEST_HEADER(:PATH)%".into();
            if has_line(configuration) {
                let file = json!({
                    "name": "envoy.access_loggers.file",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                        "path": lines_of(folder, name),
                        "log_format": { "text_format_source": { "inline_string": ACCESS_LOG } },
                    },
                });
                manager["access_log"].as_array_mut().expect("a list").push(file);
            }
            customize(manager);
            if let Some(vm_id) = vm_id(name, configuration) {
                manager["http_filters"][0]["typed_config"]["config"]["vm_config"]["vm_id"] = vm_id.into();
            }
            listener
        })
        .collect();
    let new = folder.join("listeners.new");
    write(&new, &json!({ "version_info": version.to_string(), "resources": resources }));
    // Envoy watches for a file that is moved in place.
    std::fs::rename(new, folder.join("listeners.json")).expect("a file can be renamed in its folder");
}

/// Plugins of one VM id share what is counted, by the names in their documents: an account, an API, a plan and its keys. That is
/// what operators want of two listeners of one gateway; of two files that happen to use the same names it would make a test that
/// depends on the other. So a document with limits of its own gets a VM id of its own. It costs some 20 ms: V8 compiles
/// the same bytes once in a process.
fn vm_id(name: &str, configuration: &Configuration) -> Option<String> {
    has_limits(&document(configuration)).then(|| format!("tollgate {name}"))
}

fn document(configuration: &Configuration) -> Value {
    match configuration {
        Configuration::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        Configuration::Struct(value) => value.clone(),
    }
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    value[key].as_array().cloned().unwrap_or_default()
}

/// Whether a stage of a document describes its line.
fn has_line(configuration: &Configuration) -> bool {
    let stages = list(&document(configuration), "apis").into_iter().flat_map(|api| list(&api, "stages"));
    stages.into_iter().any(|stage| stage.get("accessLogSettings").is_some())
}

/// The listeners whose lines are read, none of which was yet.
fn lines(plugins: &Plugins) -> BTreeMap<String, usize> {
    plugins.iter().filter(|(_, configuration)| has_line(configuration)).map(|(name, _)| (name.clone(), 0)).collect()
}

/// Where the lines of a listener's stages go.
fn lines_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("lines-{}.log", name.replace('/', "-")))
}

/// Whether a document says how often somebody may call.
fn has_limits(document: &Value) -> bool {
    const OF_STAGES: [&str; 4] = ["throttle", "methodSettings", "defaultRouteSettings", "routeSettings"];
    let stages = list(document, "apis").into_iter().flat_map(|api| list(&api, "stages"));
    let is_there = |value: &Value, key: &str| value.get(key).is_some();
    let at_top = ["usagePlans", "account"].iter().any(|key| is_there(document, key));
    at_top || stages.into_iter().any(|stage| OF_STAGES.iter().any(|key| is_there(&stage, key)))
}

fn upstream_request(cluster: &str, message: Message) -> UpstreamRequest {
    let (method, path) = message.method_and_target();
    UpstreamRequest {
        cluster: cluster.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        host: message.header("host").unwrap_or_default().to_owned(),
        headers: sorted(message.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")).cloned()),
        body: message.body.clone(),
        trailers: sorted(message.trailers.clone()),
    }
}

/// The shipped cluster, and: a connection a request, so that a stub which stops listening is refused at once and no request
/// meets a connection that its stub is about to close; trailers also over HTTP/1.
fn test_cluster(template: &Template, name: &str, address: SocketAddr) -> Value {
    let mut cluster = template.cluster(name, &address.ip().to_string(), address.port());
    cluster["type"] = "STATIC".into();
    cluster["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "common_http_protocol_options": { "max_requests_per_connection": 1 },
            "explicit_http_config": { "http_protocol_options": { "enable_trailers": true } },
        }
    });
    cluster
}

/// A port of the other side's choice on loopback.
fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

fn write(path: &Path, value: &Value) {
    std::fs::write(path, value.to_string()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}
