//! What a document needs of the proxy around it: the servers behind its clusters, how long they may take, and whether the filter
//! holds requests. What is the same for every target is decided here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tollgate::compile::compile;
use tollgate::definition::{Endpoint, Signing};
use tollgate::problem::{JsonPath, Problem, Problems, Severity};

use super::holding;
use crate::cli::check::Checked;
use crate::cli::serve::origins::{self, Origin, Override, Protocol};
use crate::cli::{Failure, functions};

/// API Gateway's longest wait that AWS does not have to raise first.
const USUAL_WAIT: u64 = 29;

/// A server behind a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// A name in lower case, or an address, IPv6 without brackets.
    pub host: String,
    /// Its own, or the scheme's.
    pub port: u16,
    /// Whether TLS is spoken.
    pub is_https: bool,
    /// Whether it takes gRPC.
    pub is_http2: bool,
    /// How requests to it are signed.
    pub signing: Option<Signing>,
}

/// What is written for every target.
pub struct Plan {
    /// The document as the filter takes it.
    pub document: Value,
    /// By the cluster's name in it.
    pub servers: BTreeMap<String, Server>,
    /// Whether a stage says how requests are logged.
    pub has_access_log: bool,
    /// Why the filter has to hold a request before it goes on; none where no route does.
    pub holds: Option<String>,
    /// What the user should know, one line each.
    pub notes: Vec<String>,
    longest_seconds: u64,
}

// === impl Plan ===

impl Plan {
    /// Of a checked document; its errors otherwise, the places of servers that nobody knows among them.
    pub fn new(checked: &Checked, overrides: &[Override]) -> Result<Result<Self, Vec<Problem>>, Failure> {
        let Some(gateway) = &checked.gateway else { return Ok(Err(Vec::new())) };
        let (document, endpoints) = (&checked.document, checked.endpoints.as_slice());
        let grpc: Vec<String> = gateway.plans.service().map(|service| service.cluster().to_owned()).into_iter().collect();
        let origins = origins::resolve(document, endpoints, &grpc, overrides);
        if let Some(cluster) = origins::nowhere(&origins, &grpc).first() {
            return Err(Failure::usage(format!("nobody says where `{cluster}` is, the cluster of `rateLimitService`"))
                .help(format!("write `--upstream {cluster}=http://HOST:PORT`; it is spoken to over HTTP/2")));
        }
        let mut wrong = unknown(document, endpoints, overrides, &origins);
        wrong.extend(mixed(document, endpoints, overrides));
        if !wrong.is_empty() {
            return Ok(Err(wrong));
        }
        let mut notes: Vec<String> = origins::unused(document, endpoints, &grpc, overrides)
            .into_iter()
            .map(|unused| format!("note: nothing goes to `{unused}`, which `--upstream` names"))
            .collect();
        notes.extend(shared(document, endpoints, &origins));
        let mut document = document.clone();
        notes.extend(without_functions(&mut document, endpoints, overrides));
        if has_secrets(&document) {
            notes.push("note: the output holds keys of callers, as the document does: keep it as you keep that".to_owned());
        }
        let has_access_log = stages(&document).any(|stage| stage.get("accessLogSettings").is_some());
        Ok(Ok(Self {
            has_access_log,
            holds: holding::reason(gateway, &document),
            servers: origins.iter().map(|(cluster, origin)| (cluster.clone(), Server::from(origin))).collect(),
            longest_seconds: longest_wait(&document).div_ceil(1000).max(USUAL_WAIT),
            document,
            notes,
        }))
    }

    /// A stream that waits for its backend is idle; so is one that waits for its authorizer first.
    pub fn stream_idle_timeout(&self) -> String {
        format!("{}s", self.longest_seconds + USUAL_WAIT + 7)
    }

    /// A net under the timeout that the filter writes for each request.
    pub fn route_timeout(&self) -> String {
        format!("{}s", self.longest_seconds + USUAL_WAIT + 2)
    }

    /// The document with the clusters under other names.
    pub fn document_with(&self, names: &BTreeMap<String, String>) -> Value {
        let mut document = self.document.clone();
        let rename = |cluster: &mut Value| {
            if let Some(name) = cluster.as_str().and_then(|name| names.get(name)) {
                *cluster = name.as_str().into();
            }
        };
        let upstreams = document.get_mut("upstreams").and_then(Value::as_object_mut).into_iter().flatten();
        upstreams.filter_map(|(_, upstream)| upstream.get_mut("cluster")).for_each(rename);
        document.get_mut("rateLimitService").and_then(|service| service.get_mut("cluster")).into_iter().for_each(rename);
        document
    }
}

/// VPC links whose servers nobody named, and hosts that are none: an error each, where it is written.
fn unknown(document: &Value, endpoints: &[Endpoint], overrides: &[Override], origins: &origins::Origins) -> Vec<Problem> {
    // The URI of a private integration has the host that the server is told, and the link knows the server.
    let is_link = |endpoint: &Endpoint| endpoint.name != endpoint.authority;
    let is_unknown = |endpoint: &&Endpoint| {
        let nobody_says = is_link(endpoint) && !origins::is_replaced(document, endpoint, overrides);
        nobody_says || !origins.contains_key(origins::cluster(document, &endpoint.name))
    };
    let mut problems = Problems::default();
    for endpoint in endpoints.iter().filter(is_unknown) {
        let (name, what) = (&endpoint.name, if is_link(endpoint) { "the VPC link" } else { "the host" });
        for path in places(document, name) {
            let help = format!("write `--upstream {name}=http://HOST:PORT`, the server behind it");
            problems.error(&path, format!("nobody says where {what} `{name}` is"), Some(&help));
        }
    }
    let mut problems = problems.into_vec();
    problems.dedup_by(|a, b| a.path == b.path && a.message == b.message);
    problems
}

/// A cluster speaks TLS or does not: what is asked by https must not go there in clear because something else is asked by http.
fn mixed(document: &Value, endpoints: &[Endpoint], overrides: &[Override]) -> Vec<Problem> {
    let own = |endpoint: &&Endpoint| !origins::is_replaced(document, endpoint, overrides);
    let cluster = |endpoint: &Endpoint| origins::cluster(document, &endpoint.name).to_owned();
    let by_https: BTreeSet<String> =
        endpoints.iter().filter(own).filter(|endpoint| endpoint.scheme == "https").map(cluster).collect();
    let mut problems = Problems::default();
    for endpoint in endpoints.iter().filter(own).filter(|endpoint| endpoint.scheme != "https") {
        let (name, cluster) = (&endpoint.name, cluster(endpoint));
        if by_https.contains(&cluster) {
            let help = format!("write a port that only one of them has, or `--upstream {name}=https://HOST`");
            for path in places(document, name) {
                problems.error(&path, format!("the cluster `{cluster}` is asked by http and by https"), Some(&help));
            }
        }
    }
    problems.into_vec()
}

/// Where an upstream is named: the compiler tells, of a document that has it no more.
fn places(document: &Value, name: &str) -> Vec<JsonPath> {
    let mut document = document.clone();
    if let Some(upstreams) = document.get_mut("upstreams").and_then(Value::as_object_mut) {
        upstreams.retain(|known, _| !known.eq_ignore_ascii_case(name));
    }
    let message = format!("no upstream for `{name}`");
    let missed = compile(&document).problems.into_iter().filter(|problem| problem.message == message);
    let paths: Vec<JsonPath> = missed.filter(|problem| problem.severity == Severity::Error).map(|problem| problem.path).collect();
    if paths.is_empty() { vec![JsonPath::root().key("upstreams")] } else { paths }
}

/// A cluster is one server: hosts that share one all go there.
fn shared(document: &Value, endpoints: &[Endpoint], origins: &origins::Origins) -> Vec<String> {
    let mut told = Vec::new();
    for (cluster, origin) in origins {
        let of_it = endpoints.iter().filter(|endpoint| origins::cluster(document, &endpoint.name) == cluster);
        let mut hosts: Vec<&str> = of_it.map(|endpoint| endpoint.authority.as_str()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        if hosts.len() > 1 {
            let hosts: Vec<String> = hosts.iter().map(|host| format!("`{host}`")).collect();
            let all = hosts.join(", ");
            told.push(format!("warning: {all} share the cluster `{cluster}`: all of them go to `{}`", origin.authority));
        }
    }
    told
}

/// Leaves out what runs on the developer's machine, and says who is asked instead.
fn without_functions(document: &mut Value, endpoints: &[Endpoint], overrides: &[Override]) -> Option<String> {
    let removed = functions::are_in(document);
    let replaced = endpoints
        .iter()
        .filter(|endpoint| functions::is_lambda(endpoint))
        .find(|endpoint| !origins::is_replaced(document, endpoint, overrides));
    if let Some(members) = document.as_object_mut() {
        members.shift_remove("functions");
    }
    let host = replaced.filter(|_| removed)?.name.clone();
    Some(format!(
        "note: `functions` are left out: the proxy asks Lambda at `{host}`; `--upstream {host}=http://127.0.0.1:9001` asks `tollgate functions`"
    ))
}

/// API keys in clear and secrets of users; the SHA-256 of a key is no secret.
fn has_secrets(document: &Value) -> bool {
    let keys = document["apiKeys"].as_array().into_iter().flatten().any(|key| key.get("value").is_some());
    keys || document["iam"]["users"].as_array().is_some_and(|users| !users.is_empty())
}

fn stages(document: &Value) -> impl Iterator<Item = &Value> {
    let apis = document["apis"].as_array().into_iter().flatten();
    apis.filter_map(|api| api["stages"].as_array()).flatten()
}

/// The longest `timeoutInMillis`, wherever one is written.
fn longest_wait(value: &Value) -> u64 {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| if key == "timeoutInMillis" { value.as_u64().unwrap_or(0) } else { longest_wait(value) })
            .max()
            .unwrap_or(0),
        Value::Array(items) => items.iter().map(longest_wait).max().unwrap_or(0),
        _ => 0,
    }
}

// === impl Server ===

impl From<&Origin> for Server {
    fn from(origin: &Origin) -> Self {
        let is_https = origin.scheme.as_str() == "https";
        Self {
            host: origin.authority.host().trim_matches(['[', ']']).to_ascii_lowercase(),
            port: origin.authority.port_u16().unwrap_or(if is_https { 443 } else { 80 }),
            is_https,
            is_http2: origin.protocol == Protocol::Http2,
            signing: origin.signing.as_ref().map(|scope| scope.signing.clone()),
        }
    }
}

/// JSON text of a document: to be read, or as small as it can be.
pub fn text(document: &Value, minified: bool) -> String {
    let text = if minified { document.to_string() } else { format!("{document:#}\n") };
    // Some readers of YAML take these for the end of a line; in JSON they stand in strings only.
    text.chars().fold(String::with_capacity(text.len()), |mut text, c| {
        match c {
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
        text
    })
}

/// A `StringValue` with it: a `Struct` would keep no order of members, and selection patterns are tried in theirs.
pub fn configuration(document: &Value, minified: bool) -> Value {
    json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": text(document, minified) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_take_for_the_end_of_a_line_is_escaped() {
        let document = json!({"a": "x\u{2028}y\u{85}"});
        assert_eq!(text(&document, true), r#"{"a":"x\u2028y\u0085"}"#);
        assert_eq!(serde_json::from_str::<Value>(&text(&document, false)).unwrap(), document);
    }

    #[test]
    fn the_longest_wait_is_found_wherever_it_is_written() {
        let document = json!({"apis": [{"definition": {"paths": {"/a": {"get": {"x": {"timeoutInMillis": 5}}}},
            "components": {"x-amazon-apigateway-integrations": {"a": {"timeoutInMillis": 120_000}}}}}]});
        assert_eq!(longest_wait(&document), 120_000);
    }
}
