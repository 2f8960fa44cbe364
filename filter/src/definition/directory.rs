//! Where hosts are: `upstreams` of the document, and which of them a definition needs.

use super::Node;
use crate::problem::Problems;
use std::collections::BTreeMap;

/// An upstream that a definition needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Its key under the document's `upstreams`: a host (with its port, when it is named), or a VPC link.
    pub name: String,
    /// `http` or `https`
    pub scheme: String,
    /// Host and port as the URI has them.
    pub authority: String,
    /// For an AWS service: who sends a request has to sign it so.
    pub signing: Option<Signing>,
}

/// The scope of an AWS signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signing {
    /// The service's name in signatures: `dynamodb`
    pub service: String,
    /// `us-east-1`
    pub region: String,
}

/// Host (or VPC link) to Envoy cluster, and everybody who was looked up.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    clusters: BTreeMap<String, String>,
    endpoints: Vec<Endpoint>,
}

// === impl Directory ===

impl Directory {
    /// Reads `upstreams`.
    pub(super) fn read(root: &Node<'_>, problems: &mut Problems) -> Self {
        let mut directory = Self::default();
        let Some(node) = root.get("upstreams") else { return directory };
        for (host, upstream) in node.members(problems) {
            upstream.only(&["cluster"], problems);
            match upstream.get("cluster") {
                Some(cluster) => {
                    if let Some(cluster) = cluster.string(problems) {
                        directory.clusters.insert(host.to_ascii_lowercase(), cluster.to_owned());
                    }
                }
                None => {
                    let help = Some("name the Envoy cluster that reaches it");
                    problems.error(&upstream.path, format!("no `cluster` for `{host}`"), help);
                }
            }
        }
        directory
    }

    /// The cluster of a host, where it has one.
    pub fn find(&self, host: &str) -> Option<&str> {
        self.clusters.get(host).map(String::as_str)
    }

    /// The cluster of an upstream. One without a cluster is a problem: nothing else may be called.
    pub fn cluster(&mut self, endpoint: Endpoint, place: &Node<'_>, problems: &mut Problems) -> String {
        let cluster = self.clusters.get(&endpoint.name).cloned();
        if cluster.is_none() {
            let help = format!("add `upstreams: {{\"{}\": {{cluster: NAME}}}}` to the document", endpoint.name);
            problems.error(&place.path, format!("no upstream for `{}`", endpoint.name), Some(&help));
        }
        if !self.endpoints.contains(&endpoint) {
            self.endpoints.push(endpoint);
        }
        cluster.unwrap_or_default()
    }

    /// Everybody who was looked up, with or without an entry under `upstreams`.
    pub fn into_endpoints(self) -> Vec<Endpoint> {
        self.endpoints
    }
}
