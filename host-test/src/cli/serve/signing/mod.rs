//! Signs requests to AWS services over their final body, which Envoy leaves to the cluster's `aws_request_signing`
//! (`envoy/aws.yaml`): Signature Version 4. IAM user guide, "Create a signed AWS API request".

mod credentials;

use std::net::IpAddr;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use tollgate::definition::Signing;
use tollgate_host::UpstreamFailure;

pub use self::credentials::Keys;
use crate::cli::server::{Body, whole};

/// What a signature is made of. Whatever of it a request brings along is of somebody else's signature.
const OWN: [&str; 4] = ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"];

/// How requests to a server are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The service and its region.
    pub signing: Signing,
    /// The server in the service's place, if there is one. Emulators take requests without a signature, too.
    pub stand_in: Option<Authority>,
}

/// The request with its signature, and nothing that looks like another one.
pub async fn signed(request: Request<Body>, scope: &Scope, keys: &Keys) -> Result<Request<Body>, UpstreamFailure> {
    let (mut head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| UpstreamFailure::Closed)?.to_bytes();
    OWN.iter().for_each(|name| drop(head.headers.remove(*name)));
    match keys.get().await {
        Ok(credentials) => {
            write(&mut head, &body, &scope.signing, &credentials, SystemTime::now()).map_err(UpstreamFailure::Connect)?;
        }
        Err(_) if scope.stand_in.is_some() => {}
        Err(reason) => return Err(UpstreamFailure::Connect(format!("the request cannot be signed: {reason}"))),
    }
    Ok(Request::from_parts(head, whole(body)))
}

/// Says what is signed as whom, or that nothing can be; nothing where nothing is to be signed.
pub async fn summary<'a>(scopes: impl Iterator<Item = &'a Scope> + Clone, keys: &Keys) -> String {
    let named = |stand_in: Option<bool>| {
        let wanted = scopes.clone().filter(|scope| stand_in.is_none_or(|wanted| scope.stand_in.is_some() == wanted));
        let mut names: Vec<_> = wanted.map(|Scope { signing, .. }| format!("{} ({})", signing.service, signing.region)).collect();
        names.sort();
        names.dedup();
        names.join(", ")
    };
    let all = named(None);
    if all.is_empty() {
        return String::new();
    }
    let (reason, failing, unsigned) = match keys.get().await {
        Ok(credentials) => {
            let id = credentials.access_key_id();
            return format!("signing {all} as {id}\n{}", scopes.filter_map(|scope| warning(scope, id)).collect::<String>());
        }
        Err(reason) => (reason, named(Some(false)), named(Some(true))),
    };
    let mut lines = String::new();
    if !failing.is_empty() {
        lines.push_str(&format!("warning: requests to {failing} fail: {reason}\n"));
    }
    if !unsigned.is_empty() {
        lines.push_str(&format!("note: without AWS credentials, requests to what stands in for {unsigned} are not signed\n"));
    }
    lines
}

/// What stands in for a service gets what the service itself would take, host and all.
fn warning(Scope { signing, stand_in }: &Scope, id: &str) -> Option<String> {
    let server = stand_in.as_ref().filter(|server| !is_of_this_machine(server.host()))?;
    let Signing { service, region } = signing;
    Some(format!(
        "warning: `{server}`, which stands in for {service} ({region}), is not of this machine, and could send requests signed as \
         {id} on to AWS, which takes them for some minutes: use credentials that are good for nothing else\n"
    ))
}

fn is_of_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Writes the signature into the head.
fn write(head: &mut Parts, body: &[u8], signing: &Signing, credentials: &Credentials, at: SystemTime) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("the request cannot be signed: {error}");
    let identity = credentials.clone().into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .name(&signing.service)
        .region(&signing.region)
        .time(at)
        .settings(settings(&signing.service))
        .build()
        .map_err(|error| failed(&error))?;
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    // What proxies and clients in between may change is left out, as in our Envoy.
    let is_signed = |name: &HeaderName| {
        let name = name.as_str();
        name == "host" || name == "content-type" || name.starts_with("x-amz-")
    };
    let lines = head.headers.iter().filter(|(name, _)| is_signed(name));
    let lines = lines.map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let lines: Option<Vec<_>> = lines.collect();
    let lines = lines.ok_or_else(|| failed(&"a header that is signed has bytes beyond ASCII"))?;
    let uri = format!("https://{}{target}", head.uri.authority().map_or("", |authority| authority.as_str()));
    let request = SignableRequest::new(head.method.as_str(), uri, lines.into_iter(), SignableBody::Bytes(body));
    let output = request.and_then(|request| sign(request, &parameters.into())).map_err(|error| failed(&error))?;
    let (instructions, _) = output.into_parts();
    for (name, value) in instructions.headers() {
        let name = HeaderName::try_from(name).map_err(|error| failed(&error))?;
        let mut value = HeaderValue::try_from(value).map_err(|error| failed(&error))?;
        value.set_sensitive(true);
        head.headers.insert(name, value);
    }
    Ok(())
}

/// The digest of the body is told to every service, as Envoy does; S3 and a few others insist on it.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    if is_s3(service) {
        // A key of an object can have empty segments and dots. The filter sends it in the encoding that is signed.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}

/// S3 itself, `s3-outposts` and `s3-object-lambda`.
fn is_s3(service: &str) -> bool {
    service == "s3" || service.starts_with("s3-")
}

#[cfg(test)]
mod tests;
