//! Clusters that cannot sign for all that goes there: in Envoy, and with it here, a cluster signs every request or none, and all of
//! them for one service in one region.

use serde_json::Value;
use tollgate::definition::{Endpoint, Signing};
use tollgate::problem::{JsonPath, Problems};

use super::serve::origins::cluster;

/// Warns of each cluster to which requests go that want to be signed in different ways.
pub fn check(document: &Value, endpoints: &[Endpoint], problems: &mut Problems) {
    for (at, endpoint) in endpoints.iter().enumerate() {
        let Some(signing) = &endpoint.signing else { continue };
        let own = cluster(document, &endpoint.name);
        let differs = |other: &&Endpoint| other.signing.as_ref() != Some(signing) && cluster(document, &other.name) == own;
        // Two services are told of once, at the second.
        let is_first = |other: &Endpoint| other.signing.is_none() || endpoints.iter().take(at).any(|known| known == other);
        let Some(other) = endpoints.iter().filter(differs).find(|other| is_first(other)) else { continue };
        let (message, help) = match &other.signing {
            Some(first) => (
                format!("the cluster `{own}` is to sign for {} and for {}: it can for one of them", words(first), words(signing)),
                "give each host a cluster of its own".to_owned(),
            ),
            None => (
                format!(
                    "the cluster `{own}` signs for {}, and with it what HTTP integrations send to `{}`: their clients act with the \
                     gateway's credentials",
                    words(signing),
                    other.authority
                ),
                format!(
                    "write the port into the URI of the HTTP integration, `{}://{}`, and give that host a cluster of its own",
                    other.scheme,
                    with_port(other)
                ),
            ),
        };
        problems.warning(&JsonPath::root().key("upstreams").key(&endpoint.name), message, Some(&help));
    }
}

fn words(Signing { service, region }: &Signing) -> String {
    format!("{service} ({region})")
}

fn with_port(Endpoint { scheme, authority, .. }: &Endpoint) -> String {
    match authority.contains(':') {
        true => authority.clone(),
        false => format!("{authority}:{}", if scheme == "http" { 80 } else { 443 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn endpoint(host: &str, service: Option<&str>) -> Endpoint {
        let signing = service.map(|service| Signing { service: service.to_owned(), region: "us-east-1".to_owned() });
        Endpoint { name: host.to_owned(), scheme: "https".to_owned(), authority: host.to_owned(), signing }
    }

    fn told(document: &Value, endpoints: &[Endpoint]) -> Vec<String> {
        let mut problems = Problems::default();
        check(document, endpoints, &mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_host_that_is_a_service_and_a_backend_is_warned_of_however_they_come() {
        let (service, backend) = (endpoint("s3.test", Some("s3")), endpoint("s3.test", None));
        for endpoints in [[service.clone(), backend.clone()], [backend, service]] {
            let told = told(&json!({}), &endpoints);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains("signs for s3 (us-east-1), and with it what HTTP integrations send to `s3.test`"), "{told:?}");
            assert!(told[0].contains("`https://s3.test:443`"), "{told:?}");
        }
    }

    #[test]
    fn two_services_of_one_cluster_are_told_of_once() {
        let document =
            json!({"upstreams": {"s3.test": {"cluster": "aws"}, "sqs.test": {"cluster": "aws"}, "own.test": {"cluster": "own"}}});
        let endpoints = [endpoint("s3.test", Some("s3")), endpoint("own.test", None), endpoint("sqs.test", Some("sqs"))];
        let told = told(&document, &endpoints);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("the cluster `aws` is to sign for s3 (us-east-1) and for sqs (us-east-1)"), "{told:?}");
    }

    #[test]
    fn a_cluster_for_each_host_is_no_matter() {
        let endpoints = [endpoint("s3.test", Some("s3")), endpoint("s3.test:443", None), endpoint("sqs.test", Some("sqs"))];
        assert_eq!(told(&json!({}), &endpoints), [""; 0]);
    }
}
