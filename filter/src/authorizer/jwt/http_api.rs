//! `type: jwt` of HTTP APIs: one issuer, its audiences, and a header or a query parameter.
//!
//! AWS: "Control access to HTTP APIs with JWT authorizers", "JWTConfiguration" of the API Gateway Version 2 API reference.

use super::identity::Identity;
use super::refusal::Manner;
use super::trust::{Audience, Trust};
use super::{AuthorizerScope, SchemeRequirement, TokenAuthorizer};
use crate::definition::{Node, Protocol};
use crate::problem::Problems;

/// Reads the authorizer of a security scheme.
pub fn compile(scheme: &SchemeRequirement<'_>, scope: &mut AuthorizerScope<'_, '_>) -> Option<TokenAuthorizer> {
    let node = &scheme.authorizer;
    node.only(&["type", "identitySource", "jwtConfiguration", "authorizerResultTtlInSeconds"], scope.problems);
    warn_of_ttl(node, scope.problems);
    let identity = match node.get("identitySource") {
        Some(source) => Identity::read(&source, Protocol::Http, scope.problems),
        None => {
            scope.problems.error(
                &node.path,
                "no `identitySource`",
                Some("say where the token is: `$request.header.Authorization`"),
            );
            None
        }
    };
    let Some(configuration) = node.get("jwtConfiguration") else {
        scope.problems.error(&node.path, "no `jwtConfiguration`", Some("name the issuer and the audience of the tokens"));
        return None;
    };
    configuration.only(&["issuer", "audience"], scope.problems);
    let audience = read_audience(&configuration, "audience", scope.problems);
    let Some(issuer) = configuration.get("issuer") else {
        scope.problems.error(&configuration.path, "no `issuer`", Some("exactly as the token's `iss` has it"));
        return None;
    };
    let url = issuer.string(scope.problems)?;
    let issuer = scope.issuers.trust(url, &issuer, scope.directory, scope.problems);
    let trust = Trust { issuer: issuer?, audience: Audience::AudOrClientId(audience?), claims: Vec::new() };
    Some(TokenAuthorizer::new(Manner::Http, identity?, None, vec![trust]))
}

/// A list of audiences that is not empty: without one, every token of the issuer would pass, for whomever it is.
pub fn read_audience(node: &Node<'_>, key: &str, problems: &mut Problems) -> Option<Vec<String>> {
    let Some(list) = node.get(key) else {
        problems.error(&node.path, format!("no `{key}`"), Some("for whom the tokens are: one of them must be in `aud`"));
        return None;
    };
    read_texts(&list, problems)
}

/// Strings, none of them empty, and one at the least.
pub fn read_texts(list: &Node<'_>, problems: &mut Problems) -> Option<Vec<String>> {
    let texts = list.strings(problems);
    let is_whole = list.value.as_array().is_some_and(|elements| elements.len() == texts.len());
    if is_whole && (texts.is_empty() || texts.contains(&"")) {
        problems.error(&list.path, "empty", Some("name at least one, and none that is empty"));
        return None;
    }
    is_whole.then(|| texts.into_iter().map(str::to_owned).collect())
}

/// A setting of other authorizers, which CloudFormation templates have here, too.
pub fn warn_of_ttl(node: &Node<'_>, problems: &mut Problems) {
    if let Some(ttl) = node.get("authorizerResultTtlInSeconds") {
        ttl.integer(0..=3600, problems);
        problems.warning(&ttl.path, "no effect: a token is remembered as long as it counts, an hour at the most", None);
    }
}
