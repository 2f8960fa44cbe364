//! `type: jwt` of REST APIs: several issuers, each with its audiences and its claims, and the algorithms of all of them.
//!
//! AWS: "Create a JWT authorizer for a REST API", `JwtConfiguration` of the REST API reference.
//! assumed(rest-jwt-openapi): an exported definition has the same names as the REST API.

use super::http_api::{read_audience, read_texts, warn_of_ttl};
use super::identity::Identity;
use super::refusal::Manner;
use super::trust::{Audience, ClaimRule, Trust};
use super::{AuthorizerScope, SchemeRequirement, TokenAuthorizer};
use crate::definition::{Node, Protocol};
use crate::jose::Algorithm;
use crate::problem::Problems;

/// "The value cannot be `iss`, `aud`, …".
const RESERVED_CLAIMS: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "scope", "scp"];

/// Reads the authorizer of a security scheme.
pub fn compile(scheme: &SchemeRequirement<'_>, scope: &mut AuthorizerScope<'_, '_>) -> Option<TokenAuthorizer> {
    let node = &scheme.authorizer;
    node.only(&["type", "identitySource", "jwtConfiguration", "authorizerResultTtlInSeconds"], scope.problems);
    warn_of_ttl(node, scope.problems);
    let identity = match node.get("identitySource") {
        Some(source) => Identity::read(&source, Protocol::Rest, scope.problems),
        None => {
            // "There is no default."
            let help = "say where the token is: `method.request.header.Authorization`";
            scope.problems.error(&node.path, "no `identitySource`", Some(help));
            None
        }
    };
    let Some(configuration) = node.get("jwtConfiguration") else {
        let help = "name the issuers, their audiences and the algorithms: `issuers`, `defaultAlgorithms`";
        scope.problems.error(&node.path, "no `jwtConfiguration`", Some(help));
        return None;
    };
    configuration.only(&["issuers", "defaultAlgorithms"], scope.problems);
    let algorithms = read_algorithms(&configuration, scope.problems);
    let Some(list) = configuration.get("issuers") else {
        scope.problems.error(&configuration.path, "no `issuers`", Some("name at least one: `{issuer, audiences}`"));
        return None;
    };
    let elements = list.elements(scope.problems);
    if list.value.as_array().is_some_and(Vec::is_empty) {
        scope.problems.error(&list.path, "empty", Some("name at least one: `{issuer, audiences}`"));
    }
    let mut trusted: Vec<Trust> = Vec::new();
    for element in &elements {
        let Some(trust) = read_issuer(element, scope) else { continue };
        if trusted.iter().any(|other| other.issuer.url() == trust.issuer.url()) {
            scope.problems.error(&element.path, format!("a second issuer `{}`", trust.issuer.url()), None);
        }
        trusted.push(trust);
    }
    let is_whole = !elements.is_empty() && trusted.len() == elements.len();
    is_whole.then_some(TokenAuthorizer::new(Manner::Rest, identity?, Some(algorithms?), trusted))
}

fn read_algorithms(node: &Node<'_>, problems: &mut Problems) -> Option<Vec<Algorithm>> {
    let Some(list) = node.get("defaultAlgorithms") else {
        problems.error(&node.path, "no `defaultAlgorithms`", Some("name those of the issuers: `[RS256]`"));
        return None;
    };
    let mut algorithms = Vec::new();
    for element in list.elements(problems) {
        let Some(name) = element.string(problems) else { continue };
        match Algorithm::parse(name) {
            Some(algorithm) => algorithms.push(algorithm),
            // The one of AWS's list that is not served: tokens are refused, which is safe.
            None if name == "ES512" => problems.warning(&element.path, "not served: tokens signed with `ES512` are refused", None),
            None => problems.error(&element.path, format!("`{name}` is no algorithm of tokens"), None),
        }
    }
    if algorithms.is_empty() {
        problems.error(&list.path, "no algorithm that is served", Some("RS256, RS384, RS512, ES256, ES384"));
        return None;
    }
    Some(algorithms)
}

fn read_issuer(node: &Node<'_>, scope: &mut AuthorizerScope<'_, '_>) -> Option<Trust> {
    // `jwksUri` is what AWS found out, and exports.
    node.only(&["issuer", "audiences", "additionalClaims", "jwksUri"], scope.problems);
    let audience = read_audience(node, "audiences", scope.problems);
    let rules = node.get("additionalClaims").map(|list| list.elements(scope.problems)).unwrap_or_default();
    let claims: Vec<_> = rules.iter().filter_map(|rule| read_rule(rule, scope.problems)).collect();
    for (index, rule) in claims.iter().enumerate() {
        if claims.iter().take(index).any(|other| other.name == rule.name) {
            scope.problems.error(&node.path.key("additionalClaims"), format!("a second rule for `{}`", rule.name), None);
        }
    }
    let Some(issuer) = node.get("issuer") else {
        scope.problems.error(&node.path, "no `issuer`", Some("exactly as the token's `iss` has it"));
        return None;
    };
    let url = issuer.string(scope.problems)?;
    let issuer = scope.issuers.trust(url, &issuer, scope.directory, scope.problems)?;
    (claims.len() == rules.len()).then_some(Trust { issuer, audience: Audience::Aud(audience?), claims })
}

fn read_rule(node: &Node<'_>, problems: &mut Problems) -> Option<ClaimRule> {
    node.only(&["claimName", "format", "required", "expectedValues"], problems);
    if let Some(format) = node.get("format") {
        format.one_of(&[("SINGLE_STRING", ())], problems);
    }
    let is_required = node.get("required").and_then(|required| required.boolean(problems)).unwrap_or_default();
    let expected = match node.get("expectedValues") {
        Some(list) => read_texts(&list, problems)?,
        None => Vec::new(),
    };
    let Some(name) = node.get("claimName") else {
        problems.error(&node.path, "no `claimName`", None);
        return None;
    };
    let text = name.string(problems)?;
    if text.is_empty() || RESERVED_CLAIMS.contains(&text) {
        problems.error(&name.path, format!("`{text}` is no claim for a rule"), Some("it is looked at anyway"));
        return None;
    }
    Some(ClaimRule { name: text.to_owned(), is_required, expected })
}
