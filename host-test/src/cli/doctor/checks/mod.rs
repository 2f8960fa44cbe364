//! The checks: one line each in the table, one small function each in its file. docs/doctor.md lists them in the same words.

mod chain;
mod cluster;
mod document;
mod envoy;
mod plugin;
mod route;

use super::subject::Subject;

/// One thing that is looked at.
pub struct Check {
    /// Stable, for programs and the page.
    pub id: &'static str,
    /// What is looked at.
    pub what: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// How it is mended.
    pub mend: &'static str,
    sees: Sees,
    run: fn(&Subject, &mut Found<'_>),
}

/// What has to be there for a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sees {
    /// Envoy's configuration, or a part of it.
    Configuration,
    /// A filter chain with the filter in it.
    Chain,
    /// The clusters of such a chain; a control plane has others, too.
    Clusters,
    /// A bootstrap.
    Bootstrap,
    /// A running Envoy.
    Running,
    /// A module.
    Module,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, but not as well as it might, or not for all requests.
    Warning,
    /// Requests fail, or pass that should not.
    Error,
}

/// Something that is not as it should be.
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// Where: `listener \`edge\``
    pub place: String,
    /// What is wrong.
    pub message: String,
}

/// Where findings go.
pub struct Found<'a>(&'a mut Vec<Finding>);

/// What came of a check.
pub struct Outcome {
    /// Which.
    pub check: &'static Check,
    /// None: there was nothing to look at.
    pub findings: Option<Vec<Finding>>,
}

use Sees::{Bootstrap, Chain, Clusters, Configuration, Module, Running};

/// In the order in which they are told.
pub const CHECKS: [Check; 34] = [
    Check {
        id: "envoy-version",
        sees: Running,
        run: envoy::version,
        what: "Envoy's version: 1.35 at least, and 1.36 to 1.40 are known to work",
        why: "an older Envoy does not know `allow_on_headers_stop_iteration`: what has to wait for a decision is forwarded before it",
        mend: "run Envoy 1.40",
    },
    Check {
        id: "module-imports",
        sees: Module,
        run: envoy::imports,
        what: "the functions that the module imports from its host",
        why: "a missing one stops Envoy at its start, even with `FAIL_OPEN`",
        mend: "take the module of the same release as this command, or a newer Envoy",
    },
    Check {
        id: "module-abi",
        sees: Module,
        run: envoy::abi,
        what: "the file is a proxy-wasm filter of ABI 0.2",
        why: "Envoy does not load anything else",
        mend: "name the file `tollgate.wasm` that `make build` makes",
    },
    Check {
        id: "module-size",
        sees: Module,
        run: envoy::size,
        what: "the size of the module",
        why: "V8 compiles every byte when Envoy starts: about a second and 30 MB of memory for each megabyte",
        mend: "build it with the profile `wasm`, as `make build` does",
    },
    Check {
        id: "plugin-missing",
        sees: Configuration,
        run: chain::missing,
        what: "a filter chain has the filter, and each with its route does",
        why: "without it nothing guards and nothing routes",
        mend: "add the filter to `http_filters`, as envoy/edge.yaml has it",
    },
    Check {
        id: "filter-once",
        sees: Chain,
        run: chain::once,
        what: "the filter stands once in its chain",
        why: "the second one judges what the first has rewritten for the backend",
        mend: "serve several APIs by one gateway document: it has a list of them",
    },
    Check {
        id: "filter-disabled",
        sees: Chain,
        run: chain::disabled,
        what: "no route has the filter off",
        why: "nothing guards such a route, and a client chooses the cluster by the filter's own header",
        mend: "take `disabled` away, of the filter and of `typed_per_filter_config`",
    },
    Check {
        id: "filter-position",
        sees: Chain,
        run: chain::position,
        what: "the filter stands right before the router",
        why: "a filter between the two can change what was authorized, and does not see what the filter answers itself",
        mend: "move the others in front of it",
    },
    Check {
        id: "path-rewritten",
        sees: Chain,
        run: chain::rewritten,
        what: "no filter that changes paths or headers stands in front",
        why: "what is authorized is then the changed request, and not what the client signed and sent",
        mend: "let such a filter leave `:path` and `:authority` alone, or take it out",
    },
    Check {
        id: "failure-policy",
        sees: Chain,
        run: plugin::failure_policy,
        what: "`failure_policy` of the plugin",
        why: "after a trap `FAIL_OPEN` lets every request pass unguarded, and `FAIL_CLOSED` answers 503 until Envoy is restarted",
        mend: "write `failure_policy: FAIL_RELOAD`",
    },
    Check {
        id: "reload-backoff",
        sees: Chain,
        run: plugin::backoff,
        what: "`reload_config` of the plugin",
        why: "with the default backoff each trap after the first costs a second of 503",
        mend: "write `reload_config: { backoff: { base_interval: 0.01s, max_interval: 0.1s } }`",
    },
    Check {
        id: "stop-iteration",
        sees: Chain,
        run: plugin::stop_iteration,
        what: "`allow_on_headers_stop_iteration` of the plugin",
        why: "without it the body of a request that waits for a decision never arrives: the request hangs",
        mend: "write `allow_on_headers_stop_iteration: true`, in Kubernetes by an EnvoyFilter or an EnvoyPatchPolicy",
    },
    Check {
        id: "document-compiles",
        sees: Chain,
        run: document::compiles,
        what: "the gateway document compiles with this command's version",
        why: "at its start Envoy stops on one that does not, later it keeps the old one",
        mend: "`tollgate lint` shows each problem with its place",
    },
    Check {
        id: "document-warnings",
        sees: Chain,
        run: document::warnings,
        what: "nothing of the gateway document is served otherwise than it is written",
        why: "a setting without effect is most likely one that somebody counts on",
        mend: "`tollgate lint --report` says what follows from each",
    },
    Check {
        id: "document-form",
        sees: Chain,
        run: document::form,
        what: "how the document is carried",
        why: "a `google.protobuf.Struct` keeps no order of members, and selection patterns are tried in theirs",
        mend: "carry it as `google.protobuf.StringValue`",
    },
    Check {
        id: "document-size",
        sees: Chain,
        run: document::size,
        what: "the size of the document in a Kubernetes manifest",
        why: "etcd keeps no resource of more than about 1.5 MB",
        mend: "leave out what nobody asks at run time: descriptions, examples, unused models",
    },
    Check {
        id: "listener-buffer",
        sees: Chain,
        run: chain::buffer,
        what: "`per_connection_buffer_limit_bytes` of the listener",
        why: "API Gateway takes bodies of 10 MB; a held body beyond this limit is answered 413",
        mend: "write `per_connection_buffer_limit_bytes: 10485760`",
    },
    Check {
        id: "cluster-buffer",
        sees: Clusters,
        run: cluster::buffer,
        what: "`per_connection_buffer_limit_bytes` of the clusters",
        why: "an answer that a template reads is held whole; beyond this limit it becomes a 500",
        mend: "write `per_connection_buffer_limit_bytes: 10485760`",
    },
    Check {
        id: "stream-idle-timeout",
        sees: Chain,
        run: chain::idle_timeout,
        what: "`stream_idle_timeout` against the longest `timeoutInMillis`",
        why: "a stream that waits for its backend is idle: shorter, it ends before the integration's own timeout; off, a stream that a trap left behind never ends",
        mend: "write a little more than the longest `timeoutInMillis`, such as 65s",
    },
    Check {
        id: "request-timeout",
        sees: Chain,
        run: chain::request_timeout,
        what: "`request_timeout`",
        why: "without one a client that sends slowly holds memory for ever, and so does a request that a trap left behind",
        mend: "write `request_timeout: 60s`",
    },
    Check {
        id: "route-timeout",
        sees: Chain,
        run: route::timeout,
        what: "`timeout` of the route against the longest `timeoutInMillis`",
        why: "it is the net under the timeout that the filter writes for each request",
        mend: "write a little more than the longest `timeoutInMillis`, such as 60s",
    },
    Check {
        id: "cluster-header",
        sees: Chain,
        run: route::header,
        what: "a route with `cluster_header: x-tollgate-cluster`, and none beside it that leads elsewhere",
        why: "the filter chooses the upstream by this header",
        mend: "write the route as envoy/edge.yaml has it",
    },
    Check {
        id: "cluster-header-removed",
        sees: Chain,
        run: route::removed,
        what: "`request_headers_to_remove` with x-tollgate-cluster",
        why: "backends would see, and might pass on, how the gateway calls its clusters",
        mend: "write `request_headers_to_remove: [x-tollgate-cluster]` at the virtual host or the route",
    },
    Check {
        id: "path-normalisation",
        sees: Chain,
        run: chain::normalisation,
        what: "`normalize_path`, `merge_slashes`, `path_with_escaped_slashes_action`",
        why: "the filter refuses what is ambiguous by itself; folded or decoded earlier, `{proxy+}` and signatures see another path than on AWS",
        mend: "write `normalize_path: false`, `merge_slashes: false`, `path_with_escaped_slashes_action: KEEP_UNCHANGED`",
    },
    Check {
        id: "client-address",
        sees: Chain,
        run: chain::client_address,
        what: "`use_remote_address`",
        why: "without it a client says its own address, which `aws:SourceIp` of a policy believes, and may steer Envoy's router by x-envoy-* headers",
        mend: "write `use_remote_address: true`, and `xff_num_trusted_hops` where proxies of yours stand in front",
    },
    Check {
        id: "envoy-headers",
        sees: Chain,
        run: chain::envoy_headers,
        what: "`suppress_envoy_headers` of the router",
        why: "clients and backends see x-envoy-* headers that API Gateway does not send",
        mend: "write `suppress_envoy_headers: true`",
    },
    Check {
        id: "local-replies",
        sees: Chain,
        run: chain::local_replies,
        what: "`local_reply_config` for the flags NC and NR",
        why: "Envoy makes these replies without a body, and the gateway response that takes their place would lose its own",
        mend: "copy `local_reply_config` of envoy/edge.yaml",
    },
    Check {
        id: "access-log",
        sees: Chain,
        run: chain::access_log,
        what: "an access log with `%FILTER_STATE(wasm.tollgate_access_log:PLAIN)%`, where a stage has `accessLogSettings`",
        why: "the stage's own lines are in the filter's state, and Envoy writes them",
        mend: "add an access log whose format is this operator",
    },
    Check {
        id: "upstream-clusters",
        sees: Clusters,
        run: cluster::missing,
        what: "every cluster that the document names is there, with TLS where the host is asked by https, and that its certificate and name are verified",
        why: "a call to a missing one fails, and one without TLS or without verification gives tokens and bodies to whoever listens",
        mend: "`tollgate bundle` writes the clusters of a document",
    },
    Check {
        id: "upstream-signing",
        sees: Clusters,
        run: cluster::signing,
        what: "clusters of AWS services sign, for the right service and region, and others do not",
        why: "AWS refuses what is not signed; a backend that gets a signature could use it",
        mend: "take the cluster of envoy/aws.yaml, in your region",
    },
    Check {
        id: "rate-limit-http2",
        sees: Clusters,
        run: cluster::rate_limit,
        what: "the cluster of the rate limit service is there and speaks HTTP/2",
        why: "gRPC is spoken over HTTP/2 only; without an answer keys are refused",
        mend: "write `explicit_http_config: { http2_protocol_options: {} }`",
    },
    Check {
        id: "cluster-health",
        sees: Running,
        run: cluster::health,
        what: "every cluster that the document names has a healthy host",
        why: "calls to it fail: 504 or 503 for clients, 500 where an authorizer is asked",
        mend: "start the backend, or mend its address or health check",
    },
    Check {
        id: "admin-interface",
        sees: Bootstrap,
        run: envoy::admin,
        what: "the address of the admin interface",
        why: "whoever reaches it can stop Envoy, and read the document with its keys and secrets",
        mend: "bind it to 127.0.0.1",
    },
    Check {
        id: "stats-tags",
        sees: Bootstrap,
        run: envoy::stats_tags,
        what: "`stats_tags` for ApiName, ApiId, Stage, Resource, Method and Route",
        why: "the filter's metrics carry these dimensions in their names; without the tags each route is a metric of its own",
        mend: "copy `stats_config` of envoy/edge.yaml",
    },
];

/// Runs all of them.
pub fn run(subject: &Subject) -> Vec<Outcome> {
    let all = CHECKS.iter().chain(&envoy::RUNNING);
    all.map(|check| Outcome { check, findings: check.sees.is_in(subject).then(|| check.findings(subject)) }).collect()
}

/// Every check, in the order of the page.
pub fn all() -> impl Iterator<Item = &'static Check> {
    CHECKS.iter().chain(&envoy::RUNNING)
}

// === impl Check ===

impl Check {
    fn findings(&self, subject: &Subject) -> Vec<Finding> {
        let mut findings = Vec::new();
        (self.run)(subject, &mut Found(&mut findings));
        findings
    }
}

// === impl Sees ===

impl Sees {
    fn is_in(self, subject: &Subject) -> bool {
        let configured = !subject.listeners.is_empty() || subject.bootstrap.is_some() || subject.running.is_some();
        match self {
            Configuration => configured,
            Chain => !subject.chains.is_empty(),
            Clusters => {
                let is_brought = subject.partial && subject.clusters.is_empty();
                !subject.chains.is_empty() && !is_brought
            }
            Bootstrap => subject.bootstrap.is_some(),
            Running => subject.running.is_some(),
            Module => !subject.modules.is_empty(),
        }
    }
}

// === impl Found ===

impl Found<'_> {
    /// Requests fail, or pass that should not.
    pub fn error(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Error, place.into(), message.into());
    }

    /// It works, but not well, or not for all.
    pub fn warning(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.add(Severity::Warning, place.into(), message.into());
    }

    fn add(&mut self, severity: Severity, place: String, message: String) {
        // One cluster of two listeners is one cluster.
        if !self.0.iter().any(|known| known.place == place && known.message == message) {
            self.0.push(Finding { severity, place, message });
        }
    }
}

// === impl Severity ===

impl Severity {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}
