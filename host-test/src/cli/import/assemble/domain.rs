//! Custom domains: at which of them, and below which base path, the stages of an API are served. AWS: `AWS::ApiGateway::BasePathMapping`,
//! `AWS::ApiGatewayV2::ApiMapping`.

use tollgate::problem::{JsonPath, Problems, quoted};

use super::Api;
use super::stack::{Stack, text};
use crate::cli::import::resource::Resource;

/// A place of a stage.
pub struct Mapping {
    pub domain: String,
    /// Without slashes around it; empty for the root.
    pub base_path: String,
    /// None: the path says which stage.
    pub stage: Option<String>,
    pub path: JsonPath,
}

struct Kind {
    name: &'static str,
    api: &'static str,
    domain: &'static str,
    base_path: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind { name: "AWS::ApiGateway::BasePathMapping", api: "RestApiId", domain: "DomainName", base_path: "BasePath" },
    Kind { name: "AWS::ApiGateway::BasePathMappingV2", api: "RestApiId", domain: "DomainNameArn", base_path: "BasePath" },
    Kind { name: "AWS::ApiGatewayV2::ApiMapping", api: "ApiId", domain: "DomainName", base_path: "ApiMappingKey" },
];

/// The mappings that lead to an API.
pub fn mappings(api: &Api<'_>, stack: &Stack, problems: &mut Problems) -> Vec<Mapping> {
    let mut mappings = Vec::new();
    for kind in &KINDS {
        for resource in stack.of_owner(kind.name, kind.api, &api.id) {
            let Some(domain) = domain(resource, kind, problems) else { continue };
            let base_path = text(resource, kind.base_path).unwrap_or_default();
            // "(none)" is what the console and the API call no base path.
            let base_path = if base_path == "(none)" { "" } else { base_path.trim_matches('/') };
            let stage = text(resource, "Stage").filter(|stage| !stage.is_empty()).map(str::to_owned);
            mappings.push(Mapping { domain, base_path: base_path.to_owned(), stage, path: resource.path.clone() });
        }
    }
    mappings
}

/// A domain may be one that another template makes: its name is enough.
fn domain(resource: &Resource, kind: &Kind, problems: &mut Problems) -> Option<String> {
    let Some(node) = resource.get(kind.domain) else {
        problems.error(&resource.path, format!("`{}` has no `{}`", resource.id, kind.domain), None);
        return None;
    };
    let named = node.text(problems)?;
    // `arn:aws:apigateway:REGION:ACCOUNT:/domainnames/NAME+ID`
    let name = named.rsplit_once("/domainnames/").map_or(named.as_str(), |(_, name)| name.split('+').next().unwrap_or(name));
    Some(name.to_owned())
}

/// Tells of mappings to stages that are not there.
pub fn check(mappings: &[Mapping], stages: &[&str], problems: &mut Problems) {
    for mapping in mappings {
        let Some(stage) = mapping.stage.as_deref().filter(|stage| !stages.contains(stage)) else { continue };
        problems.error(
            &mapping.path.key("Properties").key("Stage"),
            format!("the API has no stage `{stage}`"),
            Some(&quoted(stages)),
        );
    }
}
