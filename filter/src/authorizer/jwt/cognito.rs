//! `type: cognito_user_pools` of REST APIs: the tokens of user pools, ID tokens where a method asks for no scopes, access tokens where
//! it does.
//!
//! AWS: "Control access to REST APIs using Amazon Cognito user pools as an authorizer", "Integrate a REST API with an Amazon Cognito
//! user pool", "x-amazon-apigateway-authorizer object".

use super::identity::Identity;
use super::refusal::Manner;
use super::trust::{Audience, Trust};
use super::{Authorizer, AuthorizerScope, SchemeRequirement, TokenAuthorizer};
use crate::definition::{Node, Protocol};
use crate::http::is_field_name;
use crate::problem::Problems;
use regex_lite::Regex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// `type: cognito_user_pools`
pub struct Cognito;

const KEYS: [&str; 5] = ["type", "providerARNs", "identitySource", "identityValidationExpression", "authorizerResultTtlInSeconds"];

// === impl Cognito ===

impl Cognito {
    /// Reads an authorizer of type `cognito_user_pools`.
    pub fn compile(scheme: &SchemeRequirement<'_>, scope: &mut AuthorizerScope<'_, '_>) -> Option<Arc<dyn Authorizer>> {
        let node = &scheme.authorizer;
        node.only(&KEYS, scope.problems);
        // AWS's default is 300, and the console shows it; what is remembered here ends with the token.
        if let Some(ttl) = node.get("authorizerResultTtlInSeconds") {
            ttl.integer(0..=3600, scope.problems);
        }
        let identity = read_identity(scheme, scope.problems);
        let pattern = match node.get("identityValidationExpression") {
            Some(expression) => Some(read_pattern(&expression, scope.problems)?),
            None => None,
        };
        let Some(list) = node.get("providerARNs") else {
            let help = "name the user pools: `arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID`";
            scope.problems.error(&node.path, "no `providerARNs`", Some(help));
            return None;
        };
        let pools = list.elements(scope.problems);
        if list.value.as_array().is_some_and(Vec::is_empty) {
            scope.problems.error(&list.path, "no user pool is named", None);
        }
        let mut trusted: Vec<Trust> = Vec::new();
        for pool in &pools {
            let Some(url) = issuer_of(pool, scope.variables, scope.problems) else { continue };
            let Some(issuer) = scope.issuers.trust(&url, pool, scope.directory, scope.problems) else { continue };
            let audience = pattern.clone().map_or(Audience::Anyone, Audience::Matching);
            trusted.push(Trust { issuer, audience, claims: Vec::new() });
        }
        let is_whole = !pools.is_empty() && trusted.len() == pools.len();
        let authorizer = TokenAuthorizer::new(Manner::Cognito, identity?, None, trusted);
        is_whole.then(|| Arc::new(authorizer) as Arc<dyn Authorizer>)
    }
}

/// The identity source, else the header that the security scheme names, else `Authorization`.
fn read_identity(scheme: &SchemeRequirement<'_>, problems: &mut Problems) -> Option<Identity> {
    if let Some(source) = scheme.authorizer.get("identitySource") {
        return Identity::read(&source, Protocol::Rest, problems);
    }
    let Some(name) = scheme.scheme.get("name") else { return Some(Identity::Header("Authorization".to_owned())) };
    if let Some(place) = scheme.scheme.get("in") {
        place.one_of(&[("header", ())], problems)?;
    }
    let text = name.string(problems)?;
    if !is_field_name(text) {
        problems.error(&name.path, format!("`{text}` is no name of a header"), None);
        return None;
    }
    Some(Identity::Header(text.to_owned()))
}

/// assumed(validation-of-all): the expression matches all of `aud`, as Java's `matches` does.
fn read_pattern(node: &Node<'_>, problems: &mut Problems) -> Option<Regex> {
    let text = node.string(problems)?;
    // Alone first: a bracket too many must not open the one around it.
    let pattern = Regex::new(text).and_then(|_| Regex::new(&format!("^(?:{text})$")));
    if let Err(error) = &pattern {
        problems.error(&node.path, format!("`{text}` is no regular expression that is served: {error}"), None);
    }
    pattern.ok()
}

/// `https://cognito-idp.REGION.amazonaws.com/ID`; stage variables may be part of the ARN.
fn issuer_of(node: &Node<'_>, variables: &BTreeMap<String, String>, problems: &mut Problems) -> Option<String> {
    let written = node.string(problems)?;
    let text = with_stage_variables(written, variables);
    let parts: Vec<_> = text.splitn(6, ':').collect();
    let issuer = match parts.as_slice() {
        ["arn", partition @ ("aws" | "aws-cn" | "aws-us-gov"), "cognito-idp", region, _, pool] => {
            let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
            let suffix = if *partition == "aws-cn" { ".cn" } else { "" };
            let id = pool.strip_prefix("userpool/").filter(|id| is_name(id) && is_name(region));
            id.map(|id| format!("https://cognito-idp.{region}.amazonaws.com{suffix}/{id}"))
        }
        _ => None,
    };
    if issuer.is_none() {
        let help = "`arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID`, with stage variables that are defined";
        problems.error(&node.path, format!("`{written}` is no ARN of a user pool"), Some(help));
    }
    issuer
}

/// One that is not defined stays as it is, and no ARN has such characters.
fn with_stage_variables(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${stageVariables.") {
        let Some((value, tail)) = after.split_once('}').and_then(|(name, tail)| Some((variables.get(name)?, tail))) else { break };
        out.push_str(before);
        out.push_str(value);
        rest = tail;
    }
    out.push_str(rest);
    out
}
