//! What an authorizer asks of the tokens of one issuer, beside the signature and the time.

use super::issuer::Issuer;
use super::refusal::Refusal;
use crate::jose::Claims;
use regex_lite::Regex;
use serde_json::Value;
use std::sync::Arc;

/// An issuer, and which of its tokens are meant.
#[derive(Debug)]
pub struct Trust {
    /// Whose tokens.
    pub issuer: Arc<Issuer>,
    /// For whom they are.
    pub audience: Audience,
    /// What else they must say.
    pub claims: Vec<ClaimRule>,
}

/// For whom a token must be.
#[derive(Debug)]
pub enum Audience {
    /// HTTP APIs: one of them is in `aud`, or is `client_id` where there is no `aud`.
    AudOrClientId(Vec<String>),
    /// REST APIs: one of them is in `aud` ("The token's `aud` claim must contain at least one of these values").
    Aud(Vec<String>),
    /// Cognito: `aud` matches, so that access tokens, which have none, do not.
    Matching(Regex),
    /// Cognito: for any client of the user pool.
    Anyone,
}

/// An additional claim of the JWT authorizer of a REST API; its format is `SINGLE_STRING`.
#[derive(Debug, PartialEq, Eq)]
pub struct ClaimRule {
    /// Its name.
    pub name: String,
    /// Whether it must be there.
    pub is_required: bool,
    /// What it may say; empty: any string.
    pub expected: Vec<String>,
}

// === impl Trust ===

impl Trust {
    /// Looks at verified claims, in AWS's order: issuer, audience, and then the rest.
    pub fn check(&self, claims: &Claims) -> Result<(), Refusal> {
        if claims.iss() != Some(self.issuer.url()) {
            return Err(Refusal::Issuer);
        }
        if !self.audience.takes(claims) {
            return Err(Refusal::Audience);
        }
        if self.claims.iter().all(|rule| rule.takes(claims)) { Ok(()) } else { Err(Refusal::RequiredClaim) }
    }
}

// === impl Audience ===

impl Audience {
    fn takes(&self, claims: &Claims) -> bool {
        let one_of = |allowed: &[String], found: &str| allowed.iter().any(|allowed| allowed == found);
        match self {
            // "API Gateway validates client_id only if aud is not present."
            Self::AudOrClientId(allowed) if claims.get("aud").is_none() => {
                claims.get("client_id").and_then(Value::as_str).is_some_and(|client| one_of(allowed, client))
            }
            Self::AudOrClientId(allowed) | Self::Aud(allowed) => claims.audiences().into_iter().any(|aud| one_of(allowed, aud)),
            Self::Matching(pattern) => claims.audiences().into_iter().any(|aud| pattern.is_match(aud)),
            Self::Anyone => true,
        }
    }
}

// === impl ClaimRule ===

impl ClaimRule {
    fn takes(&self, claims: &Claims) -> bool {
        match claims.get(&self.name) {
            None => !self.is_required,
            // "The claim must match it exactly, and the match is case-sensitive."
            Some(Value::String(found)) => self.expected.is_empty() || self.expected.contains(found),
            // assumed(single-string-claims): what is no string is not what is expected, whether or not the claim must be there.
            Some(_) => false,
        }
    }
}
