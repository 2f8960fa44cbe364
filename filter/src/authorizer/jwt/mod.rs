//! Token authorizers: `type: jwt` of HTTP APIs and of REST APIs, and `type: cognito_user_pools` of REST APIs. They read their
//! settings differently and keep different manners; who looks at a token is the same, [`TokenAuthorizer`].
//!
//! AWS: "Control access to HTTP APIs with JWT authorizers", "Control access to REST APIs using JWT authorizers", "Control access to
//! REST APIs using Amazon Cognito user pools as an authorizer".
//!
//! # A token is looked at in this order
//! read, algorithm, key and signature (`jose`), `iss`, `aud`, other claims ([`Trust`]), `exp`, `nbf`, `iat`, scopes. A token that
//! came that far once is remembered with what it says; its time and its scopes are looked at each time, and it is forgotten when the
//! keys of its issuer are others.
//!
//! # Where the keys come from
//! [`Issuers`] reads them from the document or finds out whom to ask, [`IssuerKeys`] fetches them, an [`issuer::Issuer`] has them.

mod claims;
mod cognito;
mod http_api;
mod identity;
mod issuer;
mod issuer_keys;
mod issuers;
mod place;
mod provider;
mod refusal;
mod rest_api;
mod shared;
mod state;
mod trust;
mod url;

pub use cognito::Cognito;
pub use issuer_keys::IssuerKeys;
pub use issuers::Issuers;

use super::{Authorizer, AuthorizerScope, Demand, Grant, SchemeRequirement, Verdict, Weight};
use crate::cache::{Cache, Capacity};
use crate::context::AuthorizerFacts;
use crate::definition::Protocol;
use crate::jose::{Algorithm, Claims, HostVerifier, Unverified};
use crate::platform::{Level, Platform};
use crate::policy::Principal;
use identity::Identity;
use refusal::{Manner, Refusal};
use serde_json::Value;
use std::sync::Arc;
use trust::Trust;

/// `type: jwt`
pub struct Jwt;

/// An authorizer that looks at tokens.
#[derive(Debug)]
struct TokenAuthorizer {
    manner: Manner,
    identity: Identity,
    /// None: those of the keys. assumed(jwt-algorithms): HTTP APIs take RSASSA-PKCS1-v1_5 only, on AWS; here whatever a key of the
    /// issuer is for is taken, and HS256 where the document itself has the secret.
    algorithms: Option<Vec<Algorithm>>,
    trusted: Vec<Trust>,
    verified: Cache<Arc<Verified>>,
}

/// A token that passed everything that does not change from request to request.
#[derive(Debug)]
struct Verified {
    /// Whose it is: its place among the trusted.
    trusted: usize,
    /// With which keys it was verified.
    keys: u64,
    /// Seconds since 1970, not always whole.
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    scopes: Vec<String>,
    /// Cognito's `token_use`.
    token_use: Option<String>,
    texts: Vec<(String, String)>,
}

/// Of one authorizer in one worker: 4 MiB.
const CAPACITY: Capacity = Capacity { entries: 1_024, bytes: 4_194_304 };

/// A token is looked at in full once an hour, however long it lives.
const REMEMBERED_MILLIS: u64 = 60 * 60 * 1000;

/// The host of the gateway, as it verifies signatures.
struct Host<'a>(&'a dyn Platform);

// === impl Jwt ===

impl Jwt {
    /// Reads an authorizer of type `jwt`.
    pub fn compile(scheme: &SchemeRequirement<'_>, scope: &mut AuthorizerScope<'_, '_>) -> Option<Arc<dyn Authorizer>> {
        let compiled = match scope.protocol {
            Protocol::Http => http_api::compile(scheme, scope),
            Protocol::Rest => rest_api::compile(scheme, scope),
        };
        Some(Arc::new(compiled?))
    }

    /// What an event says of a verified token: `{claims, scopes}`.
    pub fn event(facts: &AuthorizerFacts) -> Value {
        claims::event(facts)
    }
}

// === impl TokenAuthorizer ===

impl TokenAuthorizer {
    fn new(manner: Manner, identity: Identity, algorithms: Option<Vec<Algorithm>>, trusted: Vec<Trust>) -> Self {
        Self { manner, identity, algorithms, trusted, verified: Cache::new(CAPACITY) }
    }

    fn check(&self, demand: &Demand<'_>, platform: &dyn Platform) -> Result<AuthorizerFacts, Refusal> {
        let token = self.identity.token(demand.context)?;
        let now = platform.now_millis();
        let remembered = self.remembered(&token, now, platform);
        let verified = match &remembered {
            Some(verified) => Arc::clone(verified),
            None => Arc::new(self.verify(&token, now, platform)?),
        };
        verified.check_time(now)?;
        if remembered.is_none() {
            self.verified.insert(token.as_bytes(), Arc::clone(&verified), verified.weight(), now, verified.expires(now));
        }
        self.check_scopes(&verified, demand.scopes)?;
        Ok(AuthorizerFacts {
            claims: Some(verified.texts.clone()),
            scopes: (!demand.scopes.is_empty()).then(|| verified.scopes.clone()),
            ..AuthorizerFacts::default()
        })
    }

    /// A token counts as verified while its issuer has the keys that verified it.
    fn remembered(&self, token: &str, now: u64, platform: &dyn Platform) -> Option<Arc<Verified>> {
        let verified = self.verified.get(token.as_bytes(), now)?;
        let keys = self.trusted.get(verified.trusted)?.issuer.keys(now, platform)?;
        (keys.number == verified.keys).then_some(verified)
    }

    fn verify(&self, token: &str, now: u64, platform: &dyn Platform) -> Result<Verified, Refusal> {
        let unverified = Unverified::parse(token)?;
        let (kid, algorithm) = (unverified.kid().map(str::to_owned), unverified.algorithm());
        let mut unverified = Some(unverified);
        if self.algorithms.as_ref().is_some_and(|allowed| !allowed.contains(&algorithm)) {
            return Err(Refusal::Algorithm);
        }
        let (mut found, mut is_complete) = (None, true);
        for (index, trust) in self.trusted.iter().enumerate() {
            let Some(keys) = trust.issuer.keys(now, platform) else {
                is_complete = false;
                continue;
            };
            // "The token must have a header claim that matches the key in the jwks_uri"; keys of the document may have no names.
            let is_named = kid.is_some() || trust.issuer.provider().is_none();
            // The only issuer is asked for the reason, too; among several, only those that have the key are.
            if !is_named || (self.trusted.len() > 1 && !keys.set.contains(kid.as_deref(), algorithm)) {
                continue;
            }
            let unverified = match unverified.take() {
                Some(unverified) => unverified,
                None => Unverified::parse(token)?,
            };
            let verified = unverified.verify(&keys.set, Some(&Host(platform)));
            let checked = verified.map_err(Refusal::from).and_then(|claims| {
                trust.check(&claims)?;
                Verified::new(index, keys.number, &claims, self.manner)
            });
            match checked {
                Ok(verified) => return Ok(verified),
                // Another issuer may have a key of this name.
                Err(refusal @ (Refusal::UnknownKey | Refusal::Algorithm | Refusal::Signature | Refusal::Issuer)) => {
                    found = Some(refusal);
                }
                Err(refusal) => return Err(refusal),
            }
        }
        match found {
            Some(refusal) if refusal != Refusal::UnknownKey => Err(refusal),
            // The key may be one of an issuer whose keys are not here.
            _ if !is_complete => Err(Refusal::NoKeys),
            _ => {
                let providers = self.trusted.iter().filter_map(|trust| trust.issuer.provider());
                providers.filter(|_| kid.is_some()).for_each(|provider| provider.miss(now));
                Err(Refusal::UnknownKey)
            }
        }
    }

    fn check_scopes(&self, verified: &Verified, wanted: &[String]) -> Result<(), Refusal> {
        if self.manner == Manner::Cognito {
            // Without scopes "API Gateway treats the supplied token as an identity token", with scopes as an access token.
            let due = if wanted.is_empty() { "id" } else { "access" };
            if verified.token_use.as_deref() != Some(due) {
                return Err(Refusal::TokenUse);
            }
        }
        let has_one = wanted.is_empty() || wanted.iter().any(|scope| verified.scopes.contains(scope));
        if has_one { Ok(()) } else { Err(Refusal::Scope) }
    }
}

impl Authorizer for TokenAuthorizer {
    fn authorize(&self, demand: &Demand<'_>, platform: &mut dyn Platform) -> Verdict {
        match self.check(demand, platform) {
            // REST APIs: "the policy must allow explicitly" beside a token; the caller is nobody that a policy could name.
            Ok(facts) => Verdict::Granted(Grant { facts, principal: Principal::Anonymous, weight: Weight::Known }),
            Err(refusal) => {
                platform.log(Level::Debug, refusal.description());
                Verdict::Refused(refusal.failure(self.manner, demand.scopes))
            }
        }
    }

    fn credentials(&self) -> Vec<String> {
        vec![self.identity.name().to_owned()]
    }

    fn knows_scopes(&self) -> bool {
        true
    }

    fn summary(&self) -> String {
        let name = if self.manner == Manner::Cognito { "COGNITO_USER_POOLS" } else { "JWT" };
        let issuers: Vec<_> = self.trusted.iter().map(|trust| trust.issuer.url()).collect();
        format!("{name} {}", issuers.join(", "))
    }
}

// === impl Verified ===

impl Verified {
    fn new(trusted: usize, keys: u64, claims: &Claims, manner: Manner) -> Result<Self, Refusal> {
        Ok(Self {
            trusted,
            keys,
            // assumed(exp-required): a token that lives for ever is refused.
            exp: claims.exp().ok_or(Refusal::Expired)?,
            nbf: claims.nbf(),
            iat: claims.iat(),
            scopes: claims::scopes(claims),
            token_use: claims.get("token_use").and_then(Value::as_str).map(str::to_owned),
            texts: claims::texts(claims, manner),
        })
    }

    /// AWS allows no difference of clocks. A token of this very second is no token of the future.
    fn check_time(&self, now_millis: u64) -> Result<(), Refusal> {
        let now = now_millis as f64 / 1000.0;
        let is_later = |time: Option<f64>| time.is_some_and(|time| time > now);
        if self.exp <= now {
            return Err(Refusal::Expired);
        }
        if is_later(self.nbf) {
            return Err(Refusal::TooEarly);
        }
        if is_later(self.iat) { Err(Refusal::IssuedLater) } else { Ok(()) }
    }

    /// When it is forgotten. Casts of floats saturate.
    fn expires(&self, now_millis: u64) -> u64 {
        ((self.exp * 1000.0) as u64).min(now_millis.saturating_add(REMEMBERED_MILLIS))
    }

    /// About how many bytes it takes.
    fn weight(&self) -> usize {
        let texts = self.texts.iter().map(|(name, text)| name.len() + text.len() + 64).sum::<usize>();
        texts + self.scopes.iter().map(|scope| scope.len() + 32).sum::<usize>() + 256
    }
}

// === impl Host ===

impl HostVerifier for Host<'_> {
    fn verify(&self, hash: &str, public_key_der: &[u8], signature: &[u8], text: &[u8]) -> Option<bool> {
        self.0.verify_signature(hash, public_key_der, signature, text)
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
