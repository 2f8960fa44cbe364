//! `Domain`: a domain of one's own, and which paths of it are the API's. AWS: "AWS SAM API reference", `DomainConfiguration`.

use serde_json::{Map, Value, json};
use tollgate::problem::Problems;

use super::super::resource::Resource;
use super::Names;
use super::api::Api;
use super::properties::Properties;
use super::rest::resource;

/// What the gateway does not look at: certificates belong to the listener, records to the name server.
const NOT_OURS: [&str; 7] = [
    "CertificateArn",
    "EndpointConfiguration",
    "IpAddressType",
    "OwnershipVerificationCertificateArn",
    "Route53",
    "AccessAssociation",
    "EndpointAccessMode",
];

/// The domain of a REST API.
pub fn of_rest_api(api: &mut Api, stage: &str, names: &mut Names, problems: &mut Problems) -> Vec<Resource> {
    let Some((mut said, mut made, domain)) = read(api, "AWS::ApiGateway::DomainName", "ApiGatewayDomainName", problems) else {
        return Vec::new();
    };
    names.add(&api.id, "DomainName", &domain);
    let normalize = said.flag("NormalizeBasePath", problems).unwrap_or(true);
    for base_path in base_paths(&mut said, problems) {
        let plain: String = base_path.iter().flat_map(|path| path.chars()).filter(char::is_ascii_alphanumeric).collect();
        let mut mapping = json!({"DomainName": {"Ref": domain}, "RestApiId": {"Ref": api.id}, "Stage": {"Ref": stage}});
        if let (Some(base_path), Some(mapping)) = (base_path, mapping.as_object_mut()) {
            mapping.insert("BasePath".to_owned(), json!(if normalize { plain.clone() } else { base_path }));
        }
        let id = format!("{}{plain}BasePathMapping", api.id);
        made.push(resource(&id, "AWS::ApiGateway::BasePathMapping", mapping, said.root()));
    }
    said.finish_unread("`Domain`", problems);
    made
}

/// The domain of an HTTP API.
pub fn of_http_api(api: &mut Api, stage: &str, names: &mut Names, problems: &mut Problems) -> Vec<Resource> {
    let Some((mut said, mut made, domain)) = read(api, "AWS::ApiGatewayV2::DomainName", "ApiGatewayDomainNameV2", problems) else {
        return Vec::new();
    };
    names.add(&api.id, "DomainName", &domain);
    for base_path in base_paths(&mut said, problems) {
        let plain: String = base_path.iter().flat_map(|path| path.chars()).filter(|c| !matches!(c, '-' | '_' | '/')).collect();
        let mut mapping = json!({"DomainName": {"Ref": domain}, "ApiId": {"Ref": api.id}, "Stage": {"Ref": stage}});
        if let (Some(base_path), Some(mapping)) = (base_path, mapping.as_object_mut()) {
            mapping.insert("ApiMappingKey".to_owned(), json!(base_path.trim_matches('/')));
        }
        let id = format!("{}{plain}ApiMapping", api.id);
        made.push(resource(&id, "AWS::ApiGatewayV2::ApiMapping", mapping, said.root()));
    }
    said.finish_unread("`Domain`", problems);
    made
}

fn read(api: &mut Api, kind: &str, prefix: &str, problems: &mut Problems) -> Option<(Properties, Vec<Resource>, String)> {
    let mut said = api.properties.object("Domain", problems)?;
    let Some(name) = said.take("DomainName") else {
        problems.error(said.root(), "a domain needs `DomainName`", None);
        return None;
    };
    // APIs with the same domain share its resource, so it is called by the domain.
    let plain: String = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
    let id = format!("{prefix}{}", plain.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
    let mut properties = Map::from_iter([("DomainName".to_owned(), name)]);
    said.pass(&["MutualTlsAuthentication", "SecurityPolicy"], &mut properties);
    said.skip(&NOT_OURS);
    let policy = said.path("Policy");
    if said.take("Policy").is_some() {
        problems.error(&policy, "not served: a policy of a domain", Some("say it in `Auth`, `ResourcePolicy` of the API"));
    }
    let made = vec![resource(&id, kind, Value::Object(properties), said.root())];
    Some((said, made, id))
}

/// Without one the whole domain is the API's.
fn base_paths(said: &mut Properties, problems: &mut Problems) -> Vec<Option<String>> {
    let path = said.path("BasePath");
    let paths = match said.take("BasePath") {
        None => return vec![None],
        Some(Value::Array(paths)) => paths,
        Some(path) => vec![path],
    };
    let mut made = Vec::new();
    for base_path in paths {
        match base_path {
            Value::String(text) => made.push(Some(text)),
            _ => problems.error(&path, "`BasePath` has to be text, or a list of it", None),
        }
    }
    made
}
