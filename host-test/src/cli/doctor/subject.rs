//! What is looked at: the parts of Envoy's configuration that decide whether the filter can do its work, wherever they came from.

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate::compile::{Compiled, compile};
use tollgate::definition::Endpoint;
use tollgate::problem::{Problem, Severity};

use super::module::Module;
use super::value::{at, field, is_a, list, text, unwrap};
use crate::cli::bundle::holding;

/// Envoy's version.
pub type Version = (u64, u64, u64);

/// Everything that is known.
#[derive(Default)]
pub struct Subject {
    /// Of a running Envoy.
    pub version: Option<Version>,
    /// What an Envoy starts with.
    pub bootstrap: Option<Value>,
    /// `envoy.config.listener.v3.Listener`
    pub listeners: Vec<Value>,
    /// `envoy.config.cluster.v3.Cluster`
    pub clusters: Vec<Value>,
    /// `envoy.config.route.v3.RouteConfiguration`, of those that a listener names only.
    pub routes: Vec<Value>,
    /// `envoy.config.core.v3.TypedExtensionConfig`, of those that a chain names only.
    pub extensions: Vec<Value>,
    /// A control plane adds what is not said here, so that what is missing is no finding.
    pub partial: bool,
    /// The manifest that has it is kept by Kubernetes.
    pub in_kubernetes: bool,
    /// What a running Envoy tells of itself.
    pub running: Option<Running>,
    /// The modules at hand.
    pub modules: Vec<Module>,
    /// The filter chains that have the filter.
    pub chains: Vec<Chain>,
    /// The others.
    pub unguarded: Vec<Chain>,
}

/// What a running Envoy tells.
#[derive(Default)]
pub struct Running {
    /// Counters and gauges.
    pub stats: BTreeMap<String, u64>,
    /// Hosts of a cluster, and how many of them are healthy.
    pub hosts: BTreeMap<String, (usize, usize)>,
    /// Updates that were refused, each with the reason.
    pub rejected: Vec<String>,
}

/// A filter chain with the filter in it.
pub struct Chain {
    /// Of its listener.
    pub name: String,
    /// The listener.
    pub listener: Value,
    /// The HTTP connection manager.
    pub manager: Value,
    /// The HTTP filters, each with its configuration.
    pub filters: Vec<Filter>,
    /// The route tables.
    pub routes: Vec<Value>,
}

/// An HTTP filter.
pub struct Filter {
    /// As the chain calls it.
    pub name: String,
    /// What it is.
    pub config: Value,
    /// It is off, unless a route says otherwise.
    pub disabled: bool,
    /// Where it is this one.
    pub gateway: Option<Gateway>,
}

/// The filter's own configuration.
pub struct Gateway {
    /// `envoy.extensions.wasm.v3.PluginConfig`
    pub plugin: Value,
    /// How the document is carried: `StringValue`, `Struct`, …
    pub form: String,
    /// The gateway document, or why there is none.
    pub document: Result<Value, String>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// The upstreams that it calls.
    pub endpoints: Vec<Endpoint>,
    /// The cluster of the rate limit service.
    pub service: Option<String>,
    /// Why it has to hold requests until they are decided, if it has to.
    pub holds: Option<String>,
    /// The longest `timeoutInMillis`.
    pub longest: u64,
}

/// What API Gateway waits where nothing is said.
const DEFAULT_TIMEOUT: u64 = 29_000;

// === impl Subject ===

impl Subject {
    /// Adds a bootstrap with what is in it.
    pub fn add_bootstrap(&mut self, bootstrap: Value) {
        self.listeners.extend(list(&bootstrap, "static_resources.listeners").iter().cloned());
        self.clusters.extend(list(&bootstrap, "static_resources.clusters").iter().cloned());
        // What a file brings is at hand, too; a control plane is not.
        for (source, into) in [("lds_config", true), ("cds_config", false)] {
            let path = at(&bootstrap, &format!("dynamic_resources.{source}"))
                .and_then(|source| text(source, "path_config_source.path").or_else(|| text(source, "path")).map(str::to_owned));
            let Some(path) = path else { continue };
            let found = crate::cli::source::read_documents(path.as_ref()).ok().unwrap_or_default();
            let resources = found.iter().flat_map(|value| list(value, "resources").iter().cloned());
            match into {
                true => self.listeners.extend(resources),
                false => self.clusters.extend(resources),
            }
        }
        self.bootstrap = Some(bootstrap);
    }

    /// Finds the filter, once everything is there.
    pub fn find_chains(&mut self) {
        let mut chains = Vec::new();
        for listener in &self.listeners {
            let alone = field(listener, "default_filter_chain").into_iter();
            let managers = list(listener, "filter_chains").iter().chain(alone).flat_map(|chain| list(chain, "filters"));
            for manager in managers.filter_map(|filter| field(filter, "typed_config")).map(unwrap) {
                if is_a(&manager, ".HttpConnectionManager") {
                    chains.push(self.chain(listener, manager));
                }
            }
        }
        let has_filter = |chain: &Chain| chain.filters.iter().any(|filter| filter.gateway.is_some());
        (self.chains, self.unguarded) = chains.into_iter().partition(has_filter);
    }

    fn chain(&self, listener: &Value, manager: Value) -> Chain {
        let filters = list(&manager, "http_filters").iter().map(|filter| {
            let name = text(filter, "name").unwrap_or_default().to_owned();
            let own = field(filter, "typed_config");
            let brought = || {
                let same = |extension: &&Value| text(extension, "name") == Some(&name);
                self.extensions.iter().find(same).and_then(|extension| field(extension, "typed_config"))
            };
            let config = own.or_else(brought).map(unwrap).unwrap_or_default();
            let gateway = Gateway::read(&name, &config);
            let disabled = field(filter, "disabled") == Some(&Value::Bool(true));
            Filter { name, config, disabled, gateway }
        });
        let filters = filters.collect();
        let named = text(&manager, "rds.route_config_name");
        let brought = self.routes.iter().filter(|routes| named.is_some() && text(routes, "name") == named);
        let routes = field(&manager, "route_config").into_iter().chain(brought).cloned().collect();
        let name = text(listener, "name").unwrap_or("without a name").to_owned();
        Chain { name, listener: listener.clone(), manager, filters, routes }
    }

    /// A cluster by its name.
    pub fn cluster(&self, name: &str) -> Option<&Value> {
        self.clusters.iter().find(|cluster| text(cluster, "name") == Some(name))
    }

    /// Every gateway with the name of its listener.
    pub fn gateways(&self) -> impl Iterator<Item = (&Chain, &Filter, &Gateway)> {
        let all = self.chains.iter().flat_map(|chain| chain.filters.iter().map(move |filter| (chain, filter)));
        all.filter_map(|(chain, filter)| Some((chain, filter, filter.gateway.as_ref()?)))
    }
}

// === impl Chain ===

impl Chain {
    /// Each route with what is around it: its table and its virtual host.
    pub fn each_route(&self) -> impl Iterator<Item = [&Value; 3]> {
        self.routes.iter().flat_map(|table| {
            list(table, "virtual_hosts")
                .iter()
                .flat_map(move |host| list(host, "routes").iter().map(move |route| [table, host, route]))
        })
    }

    /// As findings name it.
    pub fn place(&self) -> String {
        format!("listener `{}`", self.name)
    }
}

// === impl Filter ===

impl Filter {
    /// Whether it sends the request.
    pub fn is_router(&self) -> bool {
        is_a(&self.config, ".Router") || self.name == "envoy.filters.http.router"
    }
}

// === impl Gateway ===

impl Gateway {
    /// The filter's own, if a filter is this one: a wasm filter that has a gateway document, or that is called after us.
    fn read(name: &str, config: &Value) -> Option<Self> {
        if !is_a(config, ".wasm.v3.Wasm") {
            return None;
        }
        let plugin = field(config, "config")?.clone();
        let code = at(&plugin, "vm_config.code").map(ToString::to_string).unwrap_or_default();
        let ours = [name, text(&plugin, "name").unwrap_or_default(), &code].iter().any(|part| part.contains("tollgate"));
        let any = field(&plugin, "configuration");
        let form = any.and_then(|any| text(any, "@type")?.rsplit('.').next().map(str::to_owned)).unwrap_or_default();
        let document = any.ok_or_else(|| "there is no `configuration`".to_owned()).and_then(|any| read_document(any, &form));
        let has_apis = document.as_ref().is_ok_and(|document| document.get("apis").is_some());
        (ours || has_apis).then(|| Self::new(plugin, form, document))
    }

    /// Compiles what is there.
    pub fn new(plugin: Value, form: String, document: Result<Value, String>) -> Self {
        let Compiled { gateway, problems, endpoints } = match &document {
            Ok(document) => compile(document),
            Err(_) => Compiled { gateway: None, problems: Vec::new(), endpoints: Vec::new() },
        };
        let service = gateway.as_ref().and_then(|gateway| gateway.plans.service()).map(|service| service.cluster().to_owned());
        let value = document.as_ref().ok();
        let holds = gateway.as_ref().zip(value).and_then(|(gateway, document)| holding::reason(gateway, document));
        let longest = value.and_then(longest).unwrap_or(DEFAULT_TIMEOUT);
        Self { plugin, form, document, problems, endpoints, service, holds, longest }
    }

    /// What forbids serving the document.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error)
    }

    /// The Envoy cluster of an upstream.
    pub fn cluster_of<'a>(&'a self, endpoint: &'a Endpoint) -> &'a str {
        self.document
            .as_ref()
            .map_or(endpoint.name.as_str(), |document| crate::cli::serve::origins::cluster(document, &endpoint.name))
    }
}

fn read_document(any: &Value, form: &str) -> Result<Value, String> {
    let value = any.get("value");
    let parse = |text: &str| serde_json::from_str(text).map_err(|error| format!("the `configuration` is no JSON: {error}"));
    match (form, value) {
        ("StringValue", Some(Value::String(text))) => parse(text),
        ("BytesValue", Some(Value::String(text))) => {
            let bytes = tollgate::base64::decode(text.as_bytes()).ok_or("the `configuration` is no base64")?;
            parse(&String::from_utf8_lossy(&bytes))
        }
        ("Struct", Some(value)) => Ok(value.clone()),
        _ => Err(format!("a `configuration` of type `{form}` holds no gateway document: use `google.protobuf.StringValue`")),
    }
}

fn longest(value: &Value) -> Option<u64> {
    match value {
        Value::Object(members) => members
            .iter()
            .filter_map(|(name, value)| match name.as_str() {
                "timeoutInMillis" => value.as_u64().or_else(|| value.as_f64().map(|millis| millis as u64)),
                _ => longest(value),
            })
            .max(),
        Value::Array(elements) => elements.iter().filter_map(longest).max(),
        _ => None,
    }
}
