//! Which server each cluster of the document is: the integration's own, or the one that the user put in its place.

use std::collections::BTreeMap;
use std::str::FromStr;

use hyper::Uri;
use hyper::http::uri::{Authority, Scheme};
use serde_json::Value;
use tollgate::definition::Endpoint;

use super::signing::Scope;

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host and, where it is not the scheme's own, port.
    pub authority: Authority,
    /// What is spoken there.
    pub protocol: Protocol,
    /// How requests are signed, if they are.
    pub signing: Option<Scope>,
}

/// As in Envoy it belongs to the cluster, and no request chooses it: a client that writes `content-type: application/grpc` must not
/// decide how an integration's backend is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// What integrations, functions and issuers are asked by.
    Http1,
    /// With prior knowledge: what takes gRPC speaks nothing else.
    Http2,
}

/// `--upstream HOST=URL`.
#[derive(Debug, Clone)]
pub struct Override {
    /// An integration's host, `host:port`, or the name of a VPC link or a cluster; compared without case.
    pub host: String,
    origin: Origin,
    /// It is this very process, which looks at no signature.
    is_here: bool,
}

/// Cluster to server.
pub type Origins = BTreeMap<String, Origin>;

/// Finds the server of every cluster. Those that take gRPC are named by the document as Envoy knows them and by nothing else, so
/// that only a replacement, or a host of `upstreams` with the same cluster, says where one is; without either it has no server.
pub fn resolve(document: &Value, endpoints: &[Endpoint], grpc_clusters: &[String], overrides: &[Override]) -> Origins {
    let named = |name: &str| overrides.iter().rev().find(|candidate| candidate.host.eq_ignore_ascii_case(name));
    let mut origins = Origins::new();
    for endpoint in &all(document, endpoints) {
        let cluster = cluster(document, &endpoint.name);
        let replaced = names(document, endpoint).into_iter().find_map(named);
        let origin = match replaced {
            Some(replaced) => Some(replaced.origin.clone()),
            None => Origin::from_str(&format!("{}://{}", endpoint.scheme, endpoint.authority)).ok(),
        };
        if let Some(origin) = origin {
            let signing = endpoint.signing.clone().filter(|_| replaced.is_none_or(|replaced| !replaced.is_here));
            let stand_in = replaced.map(|replaced| replaced.origin.authority.clone());
            let signing = signing.map(|signing| Scope { signing, stand_in });
            // As in Envoy a cluster signs all that goes there, by one scheme: whoever else goes there, too, changes nothing, and nothing
            // that asks for https goes in clear.
            let is_weaker = |known: &Origin| {
                known.signing.is_some() || (signing.is_none() && known.scheme == Scheme::HTTPS && origin.scheme == Scheme::HTTP)
            };
            if !origins.get(cluster).is_some_and(is_weaker) {
                origins.insert(cluster.to_owned(), Origin { signing, ..origin });
            }
        }
    }
    for cluster in grpc_clusters {
        let origin = named(cluster).map(|replaced| &replaced.origin).or_else(|| origins.get(cluster));
        if let Some(origin) = origin.cloned() {
            origins.insert(cluster.clone(), Origin { protocol: Protocol::Http2, ..origin });
        }
    }
    origins
}

/// Those that the definition names, and the hosts of `upstreams` that only a running gateway hears of: where an issuer says that
/// its keys are.
fn all(document: &Value, endpoints: &[Endpoint]) -> Vec<Endpoint> {
    let mut all = endpoints.to_vec();
    for host in document.get("upstreams").and_then(Value::as_object).into_iter().flatten().map(|(host, _)| host) {
        if !endpoints.iter().any(|endpoint| endpoint.name.eq_ignore_ascii_case(host)) {
            all.push(Endpoint { name: host.clone(), scheme: "https".to_owned(), authority: host.clone(), signing: None });
        }
    }
    all
}

/// Whether the user says where an endpoint is.
pub fn is_replaced(document: &Value, endpoint: &Endpoint, overrides: &[Override]) -> bool {
    let names = names(document, endpoint);
    overrides.iter().any(|replaced| names.iter().any(|name| replaced.host.eq_ignore_ascii_case(name)))
}

/// The replacements of servers that nothing goes to: a typing error, most likely.
pub fn unused<'a>(document: &Value, endpoints: &[Endpoint], grpc_clusters: &[String], overrides: &'a [Override]) -> Vec<&'a str> {
    let endpoints = all(document, endpoints);
    let goes_there = |replaced: &&Override| {
        let mut names =
            endpoints.iter().flat_map(|endpoint| names(document, endpoint)).chain(grpc_clusters.iter().map(String::as_str));
        names.any(|name| replaced.host.eq_ignore_ascii_case(name))
    };
    overrides.iter().filter(|replaced| !goes_there(replaced)).map(|replaced| replaced.host.as_str()).collect()
}

/// The clusters that take gRPC and have no server: calls to them fail.
pub fn nowhere<'a>(origins: &Origins, grpc_clusters: &'a [String]) -> Vec<&'a str> {
    grpc_clusters.iter().map(String::as_str).filter(|cluster| !origins.contains_key(*cluster)).collect()
}

/// What a replacement may call an endpoint.
fn names<'a>(document: &'a Value, endpoint: &'a Endpoint) -> [&'a str; 4] {
    let host = endpoint.authority.rsplit_once(':').map_or(endpoint.authority.as_str(), |(host, _)| host);
    [&endpoint.name, &endpoint.authority, host, cluster(document, &endpoint.name)]
}

/// The cluster of a host or a VPC link; one of its own name where the document says nothing.
pub fn cluster<'a>(document: &'a Value, name: &'a str) -> &'a str {
    let upstreams = document.get("upstreams").and_then(Value::as_object).into_iter().flatten();
    let mut named = upstreams.filter(|(host, _)| host.eq_ignore_ascii_case(name));
    named.find_map(|(_, upstream)| upstream.get("cluster")?.as_str()).unwrap_or(name)
}

// === impl Origin ===

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no URL of a server: write `http://host:port` or `https://host`");
        let parts = Uri::from_str(text).map_err(|_| wrong())?.into_parts();
        let plain = parts.path_and_query.is_none_or(|path| path == "/");
        match (parts.scheme, parts.authority) {
            (Some(scheme), Some(authority))
                if plain && (scheme == Scheme::HTTP || scheme == Scheme::HTTPS) && !authority.as_str().contains('@') =>
            {
                Ok(Self { scheme, authority, protocol: Protocol::Http1, signing: None })
            }
            _ => Err(wrong()),
        }
    }
}

// === impl Override ===

impl Override {
    /// A server of this process in the place of a host.
    pub fn here(host: &str, address: std::net::SocketAddr) -> Option<Self> {
        let origin = Origin::from_str(&format!("http://{address}")).ok()?;
        Some(Self { host: host.to_owned(), origin, is_here: true })
    }
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((host, url)) = text.split_once('=').filter(|(host, _)| !host.is_empty()) else {
            return Err("write `HOST=URL`, such as `petstore.example.com=http://127.0.0.1:9000`".to_owned());
        };
        Ok(Self { host: host.to_owned(), origin: url.parse()?, is_here: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tollgate::definition::Signing;

    fn endpoint(name: &str, scheme: &str, authority: &str) -> Endpoint {
        Endpoint { name: name.into(), scheme: scheme.into(), authority: authority.into(), signing: None }
    }

    fn url(origins: &Origins, cluster: &str) -> String {
        format!("{}://{}", origins[cluster].scheme, origins[cluster].authority)
    }

    #[test]
    fn an_integration_goes_to_its_own_host_unless_it_is_replaced() {
        let document =
            json!({"upstreams": {"Own.test": {"cluster": "own"}, "b.test:81": {"cluster": "b"}, "link": {"cluster": "link"}}});
        let endpoints = [
            endpoint("own.test", "https", "own.test"),
            endpoint("b.test:81", "http", "b.test:81"),
            endpoint("link", "http", "inner.test"),
        ];
        let overrides = ["B.TEST=http://127.0.0.1:1", "LINK=http://127.0.0.1:2", "later.test=http://127.0.0.1:3"]
            .map(|text| text.parse::<Override>().unwrap());
        let origins = resolve(&document, &endpoints, &[], &overrides);
        assert_eq!(url(&origins, "own"), "https://own.test");
        assert_eq!(url(&origins, "b"), "http://127.0.0.1:1");
        assert_eq!(url(&origins, "link"), "http://127.0.0.1:2");
        assert_eq!(unused(&document, &endpoints, &[], &overrides), ["later.test"]);
        assert!(!origins.contains_key("later.test"));
    }

    #[test]
    fn an_aws_service_is_signed_for_whoever_stands_in_its_place() {
        let signing = Signing { service: "sqs".to_owned(), region: "eu-west-1".to_owned() };
        let host = "sqs.eu-west-1.amazonaws.com";
        let endpoints = [Endpoint { signing: Some(signing.clone()), ..endpoint(host, "https", host) }];
        let local = format!("{host}=http://127.0.0.1:1").parse::<Override>().unwrap();
        for (overrides, stand_in) in [(vec![], None), (vec![local], Some(Authority::from_static("127.0.0.1:1")))] {
            let origins = resolve(&json!({}), &endpoints, &[], &overrides);
            assert_eq!(origins[host].signing, Some(Scope { signing: signing.clone(), stand_in }));
        }
    }

    #[test]
    fn requests_to_an_aws_service_are_signed_also_where_others_go_to_the_same_cluster() {
        let signing = Signing { service: "s3".to_owned(), region: "us-east-1".to_owned() };
        let plain = endpoint("s3.test", "https", "s3.test");
        let signed = Endpoint { signing: Some(signing.clone()), ..plain.clone() };
        for endpoints in [[signed.clone(), plain.clone()], [plain, signed]] {
            let origins = resolve(&json!({}), &endpoints, &[], &[]);
            assert_eq!(origins["s3.test"].signing, Some(Scope { signing: signing.clone(), stand_in: None }));
        }
    }

    #[test]
    fn what_asks_for_https_never_goes_in_clear() {
        let [secure, plain] = ["https", "http"].map(|scheme| endpoint("a.test", scheme, "a.test"));
        for endpoints in [[secure.clone(), plain.clone()], [plain, secure]] {
            assert_eq!(url(&resolve(&json!({}), &endpoints, &[], &[]), "a.test"), "https://a.test");
        }
    }

    #[test]
    fn a_host_that_only_a_running_gateway_asks_is_reached_too() {
        let document = json!({"upstreams": {"keys.test": {"cluster": "keys"}}});
        let overrides = ["keys.test=http://127.0.0.1:1".parse::<Override>().unwrap()];
        assert_eq!(url(&resolve(&document, &[], &[], &[]), "keys"), "https://keys.test");
        assert_eq!(url(&resolve(&document, &[], &[], &overrides), "keys"), "http://127.0.0.1:1");
        assert!(unused(&document, &[], &[], &overrides).is_empty());
    }

    #[test]
    fn a_cluster_that_takes_grpc_is_where_a_replacement_of_its_name_says_and_speaks_http_2() {
        let overrides = ["ratelimit=http://127.0.0.1:1"].map(|text| text.parse::<Override>().unwrap());
        let clusters = ["ratelimit", "elsewhere"].map(str::to_owned);
        let endpoints = [endpoint("a.test", "http", "a.test")];
        let origins = resolve(&json!({}), &endpoints, &clusters, &overrides);
        assert_eq!(url(&origins, "ratelimit"), "http://127.0.0.1:1");
        assert_eq!(origins["ratelimit"].protocol, Protocol::Http2);
        assert_eq!(origins["a.test"].protocol, Protocol::Http1);
        assert_eq!(nowhere(&origins, &clusters), ["elsewhere"], "a cluster's name is no host");
        assert!(unused(&json!({}), &endpoints, &clusters, &overrides).is_empty());
        assert_eq!(unused(&json!({}), &endpoints, &[], &overrides), ["ratelimit"]);
    }

    #[test]
    fn a_cluster_that_takes_grpc_can_be_one_of_the_upstreams() {
        let document = json!({"upstreams": {"limits.test": {"cluster": "ratelimit"}}});
        let clusters = ["ratelimit".to_owned()];
        let at = |overrides: &[Override]| resolve(&document, &[], &clusters, overrides)["ratelimit"].clone();
        let own = at(&[]);
        assert_eq!((own.authority.as_str(), own.protocol), ("limits.test", Protocol::Http2));
        let replaced = at(&["limits.test=http://127.0.0.1:1".parse().unwrap()]);
        assert_eq!((replaced.authority.as_str(), replaced.protocol), ("127.0.0.1:1", Protocol::Http2));
    }

    #[test]
    fn the_last_of_two_replacements_of_one_host_counts() {
        let overrides = ["a.test=http://127.0.0.1:1", "a.test=http://127.0.0.1:2"].map(|text| text.parse().unwrap());
        let origins = resolve(&json!({}), &[endpoint("a.test", "http", "a.test")], &[], &overrides);
        assert_eq!(url(&origins, "a.test"), "http://127.0.0.1:2");
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for text in ["a", "=http://a", "a=b", "a=ftp://b", "a=http://b/path", "a=http://u:p@b", "a=http://b?x=1"] {
            assert!(text.parse::<Override>().is_err(), "{text}");
        }
        assert!("a=http://b:80/".parse::<Override>().is_ok());
    }
}
