//! `envoy/edge.yaml` and `envoy/aws.yaml`: the one place where the hardening of an edge proxy, its clusters and its signatures are
//! written. What is made here is a copy of those files with names, addresses, the module and the document put in.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::plan::Server;
use crate::cli::Failure;

const EDGE: &str = include_str!("../../../../envoy/edge.yaml");
const AWS: &str = include_str!("../../../../envoy/aws.yaml");

/// Where a cluster says how HTTP is spoken, and which filters its requests go through.
pub const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// Both files, parsed.
pub struct Template {
    edge: Value,
    aws: Value,
}

/// What of a cluster is the user's to say.
pub struct ClusterSettings<'a> {
    /// The certificates that an https server is checked with.
    pub ca_file: &'a str,
}

// === impl Template ===

impl Template {
    /// Parses what was compiled in.
    pub fn new() -> Result<Self, Failure> {
        let parse = |text: &str| serde_norway::from_str::<Value>(text).map_err(|error| Failure::new(format!("{error}")));
        Ok(Self { edge: parse(EDGE)?, aws: parse(AWS)? })
    }

    /// The whole bootstrap, to be changed.
    pub fn bootstrap(&self) -> Value {
        self.edge.clone()
    }

    /// Its listener.
    pub fn listener(&self) -> &Value {
        &self.edge["static_resources"]["listeners"][0]
    }

    /// Its HTTP connection manager.
    pub fn manager(&self) -> &Value {
        &self.listener()["filter_chains"][0]["filters"][0]["typed_config"]
    }

    /// Its wasm filter: name and `typed_config`.
    pub fn filter(&self) -> &Value {
        &self.manager()["http_filters"][0]
    }

    /// Its only route.
    pub fn route(&self) -> &Value {
        &self.virtual_host()["routes"][0]
    }

    /// What no backend is to see.
    pub fn headers_to_remove(&self) -> &Value {
        &self.virtual_host()["request_headers_to_remove"]
    }

    fn virtual_host(&self) -> &Value {
        &self.manager()["route_config"]["virtual_hosts"][0]
    }

    /// What clusters hold of a body.
    pub fn buffer_limit(&self) -> &Value {
        &self.edge["static_resources"]["clusters"][0]["per_connection_buffer_limit_bytes"]
    }

    /// How long they wait for a connection.
    pub fn connect_timeout(&self) -> &Value {
        &self.edge["static_resources"]["clusters"][0]["connect_timeout"]
    }

    /// The cluster of a server.
    pub fn cluster(&self, name: &str, server: &Server, settings: &ClusterSettings<'_>) -> Value {
        let mut cluster = match (&server.signing, server.is_https) {
            (Some(signing), _) => self.aws_cluster(&signing.service).clone(),
            (None, true) => self.aws_cluster("lambda").clone(),
            (None, false) => self.edge["static_resources"]["clusters"][0].clone(),
        };
        cluster["name"] = name.into();
        let literal = server.host.parse::<IpAddr>().ok();
        if literal.is_some() {
            cluster["type"] = "STATIC".into();
        } else if server.signing.is_none() {
            // A host with IPv6 addresses in DNS is reached from where there is no IPv6, too.
            cluster["dns_lookup_family"] = "V4_PREFERRED".into();
        }
        if server.is_https {
            let tls = &mut cluster["transport_socket"]["typed_config"];
            tls["common_tls_context"]["validation_context"]["trusted_ca"] = json!({ "filename": settings.ca_file });
            if let Some(address) = literal {
                // An address is no server name, and its certificate has to be for the address.
                remove(tls, &["auto_host_sni", "auto_sni_san_validation"]);
                tls["common_tls_context"]["validation_context"]["match_typed_subject_alt_names"] =
                    json!([{ "san_type": "IP_ADDRESS", "matcher": { "exact": address.to_string() } }]);
            }
            if server.is_http2 {
                tls["common_tls_context"]["alpn_protocols"] = json!(["h2"]);
            }
        } else {
            remove(&mut cluster, &["transport_socket"]);
        }
        match self.http_options(server) {
            Some(options) => cluster["typed_extension_protocol_options"] = options,
            None => remove(&mut cluster, &["typed_extension_protocol_options"]),
        }
        cluster["load_assignment"] = json!({
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": {
                "address": { "socket_address": { "address": server.host, "port_value": server.port } },
            } }] }],
        });
        cluster
    }

    /// How HTTP is spoken to a server, where it is not HTTP/1 without more.
    pub fn http_options(&self, server: &Server) -> Option<Value> {
        if let Some(signing) = &server.signing {
            let mut options = self.aws_cluster(&signing.service)["typed_extension_protocol_options"].clone();
            let filter = &mut options[HTTP_OPTIONS]["http_filters"][0]["typed_config"];
            filter["service_name"] = signing.service.as_str().into();
            filter["region"] = signing.region.as_str().into();
            return Some(options);
        }
        let http2 = json!({ HTTP_OPTIONS: {
            "@type": format!("type.googleapis.com/{HTTP_OPTIONS}"),
            "explicit_http_config": { "http2_protocol_options": {} },
        } });
        server.is_http2.then_some(http2)
    }

    /// That of the service, or of the first one: services that the file does not have differ by their name alone.
    fn aws_cluster(&self, service: &str) -> &Value {
        let clusters = self.aws["static_resources"]["clusters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named = clusters.iter().find(|cluster| cluster["name"] == service);
        named.or(clusters.first()).unwrap_or(&Value::Null)
    }
}

/// Takes members away.
fn remove(value: &mut Value, names: &[&str]) {
    if let Some(members) = value.as_object_mut() {
        names.iter().for_each(|name| drop(members.shift_remove(*name)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate::definition::Signing;

    fn server(is_https: bool, host: &str) -> Server {
        Server { host: host.to_owned(), port: 1, is_https, is_http2: false, signing: None }
    }

    fn cluster(server: &Server) -> Value {
        Template::new().unwrap().cluster("c", server, &ClusterSettings { ca_file: "/ca" })
    }

    #[test]
    fn a_signed_cluster_is_the_one_of_the_file_but_for_service_and_region() {
        for service in ["s3", "kinesis", "secretsmanager"] {
            let signing = Some(Signing { service: service.to_owned(), region: "eu-west-3".to_owned() });
            let made = cluster(&Server { signing, ..server(true, "x.amazonaws.com") });
            let filter = &made["typed_extension_protocol_options"][HTTP_OPTIONS]["http_filters"][0]["typed_config"];
            assert_eq!((&filter["service_name"], &filter["region"]), (&json!(service), &json!("eu-west-3")));
            assert_eq!(filter.get("use_unsigned_payload").is_some(), service == "s3");
            assert_eq!(made["transport_socket"]["typed_config"]["auto_sni_san_validation"], true);
        }
    }

    #[test]
    fn an_https_server_is_checked_by_its_name_or_by_its_address() {
        let named = cluster(&server(true, "a.test"));
        assert_eq!(named["transport_socket"]["typed_config"]["auto_host_sni"], true);
        assert_eq!(named.get("typed_extension_protocol_options"), None);
        let tls = cluster(&server(true, "::1"))["transport_socket"]["typed_config"].clone();
        assert_eq!(tls.get("auto_host_sni"), None);
        let checked = &tls["common_tls_context"]["validation_context"];
        assert_eq!(checked["match_typed_subject_alt_names"][0]["matcher"]["exact"], "::1");
        assert_eq!(checked["trusted_ca"]["filename"], "/ca");
    }

    #[test]
    fn a_plain_server_has_no_tls_also_where_requests_to_it_are_signed() {
        let signing = Some(Signing { service: "sqs".to_owned(), region: "us-east-1".to_owned() });
        for server in [server(false, "a.test"), Server { signing, ..server(false, "127.0.0.1") }] {
            assert_eq!(cluster(&server).get("transport_socket"), None);
        }
    }
}
