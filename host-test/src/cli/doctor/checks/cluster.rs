//! The clusters that the document calls.

use serde_json::Value;
use tollgate::definition::{Endpoint, Signing};

use super::Found;
use crate::cli::doctor::subject::Subject;
use crate::cli::doctor::value::{at, field, is_a, list, number, text, unwrap};

/// What API Gateway takes.
pub const PAYLOAD: u64 = 10_485_760;

const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// Every upstream of every document with its cluster's name.
fn upstreams(subject: &Subject) -> impl Iterator<Item = (&Endpoint, &str)> {
    subject
        .gateways()
        .flat_map(|(.., gateway)| gateway.endpoints.iter().map(move |endpoint| (endpoint, gateway.cluster_of(endpoint))))
}

pub fn missing(subject: &Subject, found: &mut Found<'_>) {
    for (endpoint, name) in upstreams(subject) {
        let place = format!("cluster `{name}`");
        let Some(cluster) = subject.cluster(name) else {
            if subject.partial && name.starts_with("outbound|") {
                continue;
            }
            found.error(place, format!("there is none, and `{}` is reached by it", endpoint.authority));
            continue;
        };
        let tls = tls(cluster);
        if endpoint.scheme == "https" && tls.is_none() && !is_here(cluster) {
            found.error(&*place, format!("no TLS, and `{}` is asked by https", endpoint.authority));
        }
        let Some(tls) = tls else { continue };
        if !verifies(&tls) {
            found.error(place, "no `validation_context`: it believes any certificate");
        } else if !names(cluster, &tls) {
            found.error(place, "it believes a certificate for any name: nothing says whose it is to be");
        }
    }
}

pub fn buffer(subject: &Subject, found: &mut Found<'_>) {
    for (_, name) in upstreams(subject) {
        let Some(cluster) = subject.cluster(name) else { continue };
        let limit = number(cluster, "per_connection_buffer_limit_bytes").unwrap_or(1_048_576);
        if limit < PAYLOAD {
            found.warning(format!("cluster `{name}`"), format!("it holds {limit} bytes"));
        }
    }
}

pub fn signing(subject: &Subject, found: &mut Found<'_>) {
    for (endpoint, name) in upstreams(subject) {
        let Some(cluster) = subject.cluster(name) else { continue };
        let place = format!("cluster `{name}`");
        let signer = signer(cluster);
        match (&endpoint.signing, signer) {
            (None, None) => {}
            (None, Some(_)) => found.warning(place, format!("it signs, and `{}` is no service of AWS", endpoint.authority)),
            (Some(Signing { service, region }), None) => {
                found.error(
                    place,
                    format!("it does not sign: `{}` wants requests signed for {service} in {region}", endpoint.authority),
                );
            }
            (Some(wanted), Some(signer)) => {
                let signs = |path: &str| text(&signer, path).unwrap_or_default().to_owned();
                let (service, region) = (signs("service_name"), signs("region"));
                if service != wanted.service || (!region.is_empty() && region != wanted.region) {
                    let message = format!(
                        "it signs for {service} in {region}, and `{}` is {} in {}",
                        endpoint.authority, wanted.service, wanted.region
                    );
                    found.error(place, message);
                }
            }
        }
    }
}

pub fn rate_limit(subject: &Subject, found: &mut Found<'_>) {
    for name in subject.gateways().filter_map(|(.., gateway)| gateway.service.as_deref()) {
        let place = format!("cluster `{name}`");
        match subject.cluster(name) {
            None => found.error(place, "there is none, and the rate limit service is reached by it"),
            Some(cluster) if !speaks_http2(cluster) => {
                found.error(place, "it speaks HTTP/1.1, and the rate limit service takes gRPC")
            }
            Some(_) => {}
        }
    }
}

pub fn health(subject: &Subject, found: &mut Found<'_>) {
    let Some(running) = &subject.running else { return };
    let services = subject.gateways().filter_map(|(.., gateway)| gateway.service.as_deref());
    for name in upstreams(subject).map(|(_, name)| name).chain(services) {
        let place = format!("cluster `{name}`");
        match running.hosts.get(name) {
            // `upstream-clusters` tells of it.
            None => {}
            Some((0, _)) => found.error(place, "it has no host: its name does not resolve, or nobody told its hosts yet"),
            Some((all, 0)) => found.error(place, format!("none of its {all} hosts is healthy")),
            Some((all, healthy)) if healthy < all => found.warning(place, format!("{healthy} of its {all} hosts are healthy")),
            Some(_) => {}
        }
    }
}

/// The context of its TLS.
fn tls(cluster: &Value) -> Option<Value> {
    let matches = list(cluster, "transport_socket_matches").iter().filter_map(|candidate| field(candidate, "transport_socket"));
    let mut sockets = field(cluster, "transport_socket")
        .into_iter()
        .chain(matches)
        .filter_map(|socket| field(socket, "typed_config"))
        .map(unwrap);
    sockets.find(|config| is_a(config, ".UpstreamTlsContext"))
}

/// Where contexts of validation are that somebody else brings, and can say everything.
const BROUGHT: [&str; 4] = [
    "validation_context_sds_secret_config",
    "combined_validation_context",
    "validation_context_certificate_provider",
    "validation_context_certificate_provider_instance",
];

/// One certificate and no other.
const PINS: [&str; 2] = ["verify_certificate_spki", "verify_certificate_hash"];

/// Whether a certificate has to be of somebody who is trusted.
fn verifies(tls: &Value) -> bool {
    let own = |name: &str| at(tls, &format!("common_tls_context.validation_context.{name}"));
    let roots = ["trusted_ca", "system_root_certs", "ca_certificate_provider_instance"];
    let takes_any = own("trust_chain_verification").is_some_and(|mode| mode == "ACCEPT_UNTRUSTED");
    let is_pinned = PINS.into_iter().any(|name| own(name).is_some());
    is_pinned || is_brought(tls) || (!takes_any && roots.into_iter().any(|name| own(name).is_some()))
}

/// Whether it has to be for somebody, too.
fn names(cluster: &Value, tls: &Value) -> bool {
    let is_on = |value: &Value, path: &str| at(value, path) == Some(&Value::Bool(true));
    let by_host = is_on(tls, "auto_sni_san_validation")
        || options(cluster).is_some_and(|options| is_on(options, "upstream_http_protocol_options.auto_san_validation"))
        || is_on(cluster, "upstream_http_protocol_options.auto_san_validation");
    let lists = PINS.into_iter().chain(["match_typed_subject_alt_names", "match_subject_alt_names"]);
    let mut lists = lists.map(|name| list(tls, &format!("common_tls_context.validation_context.{name}")));
    by_host || is_brought(tls) || lists.any(|list| !list.is_empty())
}

fn is_brought(tls: &Value) -> bool {
    BROUGHT.into_iter().any(|name| at(tls, &format!("common_tls_context.{name}")).is_some())
}

/// A stand-in on this machine has no certificate, and needs none.
fn is_here(cluster: &Value) -> bool {
    let endpoints = list(cluster, "load_assignment.endpoints").iter().flat_map(|group| list(group, "lb_endpoints"));
    let mut addresses = endpoints.filter_map(|endpoint| text(endpoint, "endpoint.address.socket_address.address")).peekable();
    let is_loopback =
        |address: &str| address.parse::<std::net::IpAddr>().map_or(address == "localhost", |address| address.is_loopback());
    addresses.peek().is_some() && addresses.all(is_loopback)
}

fn options(cluster: &Value) -> Option<&Value> {
    field(cluster, "typed_extension_protocol_options")?.get(OPTIONS)
}

/// The filter of the cluster that signs.
fn signer(cluster: &Value) -> Option<Value> {
    let filters = options(cluster).map_or(&[][..], |options| list(options, "http_filters"));
    let mut configs = filters.iter().filter_map(|filter| field(filter, "typed_config")).map(unwrap);
    configs.find(|config| is_a(config, ".AwsRequestSigning"))
}

fn speaks_http2(cluster: &Value) -> bool {
    let options = options(cluster);
    let has = |path: &str| options.is_some_and(|options| at(options, path).is_some());
    has("explicit_http_config.http2_protocol_options")
        || has("auto_config.http2_protocol_options")
        || field(cluster, "http2_protocol_options").is_some()
}
