//! AWS Signature Version 4, as a verifier: the `Authorization: AWS4-HMAC-SHA256 …` header, and presigned URLs (`X-Amz-Algorithm=…`).
//!
//! After the IAM user guide, "AWS Signature Version 4 for API requests" (how it works, "Create a signed request", "Authentication
//! methods", "Troubleshoot Signature Version 4 signing"). Two steps, because the secret has to be looked up between them:
//! [`Signed::read`] takes what the request says of its signature, and [`Signed::verify`] proves it. Wherever two readers could
//! take the request for two different ones (something said twice, said in the header and in the query, or not signed at all), it
//! is refused. The signature covers the order of different parameters only as AWS has it: `a=1&a=2` and `a=2&a=1` are signed alike.
//!
//! SigV4A (`AWS4-ECDSA-P256-SHA256`) and bodies signed in chunks (`STREAMING-…`) are refused by name.

mod canonical;
mod read;
mod secret;
mod time;
mod unauthentic;

pub use canonical::Explained;
pub use secret::Secret;
pub use unauthentic::{Digest, ErrorType, Unauthentic};

use crate::http::RequestHead;
use hmac_sha256::HMAC;
use std::fmt;
use unauthentic::{SKEW, echo};

/// The one algorithm.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a request says of its signature: read, not believed.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    access_key_id: String,
    scope: Scope,
    /// `YYYYMMDDTHHMMSSZ`
    date: String,
    /// The same in seconds since 1970.
    signed_at: u64,
    /// For how many seconds after that it counts.
    window: u64,
    /// Lower case, sorted, each once.
    signed_headers: Vec<String>,
    signature: [u8; 32],
    session_token: Option<Vec<u8>>,
    payload: Payload,
    presigned: bool,
}

/// What a signing key is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `YYYYMMDD`
    pub date: String,
    /// `us-east-1`
    pub region: String,
    /// `execute-api`
    pub service: String,
}

/// What a service demands of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules<'a> {
    /// The region that the request must be signed for.
    pub region: &'a str,
    /// The service that the request must be signed for.
    pub service: &'a str,
    /// Whether dot segments and repeated slashes are taken out of the path before it is signed: for all services but S3.
    pub normalize_path: bool,
    /// Whether the client may leave the body unsigned (`X-Amz-Content-Sha256: UNSIGNED-PAYLOAD`).
    pub unsigned_payload: bool,
    /// Whether the session token is added after signing: for a few services only (AWS IoT).
    pub token_after_signing: bool,
}

/// What `X-Amz-Content-Sha256` says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Payload {
    /// Nothing: the body's hash is signed all the same.
    Undeclared,
    Hash([u8; 32]),
    Unsigned,
}

// === impl Rules ===

impl<'a> Rules<'a> {
    /// What API Gateway demands of calls to an API.
    pub fn execute_api(region: &'a str) -> Self {
        Self {
            region,
            service: "execute-api",
            normalize_path: true,
            // assumed(sigv4-unsigned-payload): API Gateway takes the body's own hash, so that `UNSIGNED-PAYLOAD` never matches.
            unsigned_payload: false,
            // The token is signed as every other `x-amz-` header is; AWS's own signers do so for this service.
            token_after_signing: false,
        }
    }
}

// === impl Scope ===

impl Scope {
    /// `20150830/us-east-1/execute-api/aws4_request`
    fn credential_scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

// === impl Signed ===

impl Signed {
    /// Whose key it is said to be.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The token of temporary credentials. A signature proves it only where it was signed, see [`Rules::token_after_signing`].
    pub fn session_token(&self) -> Option<&[u8]> {
        self.session_token.as_deref()
    }

    /// Day, region and service that it was signed for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// When it was signed, in milliseconds since 1970.
    pub fn signed_at(&self) -> u64 {
        self.signed_at * 1000
    }

    /// Whether the signature stands in the query.
    pub fn is_presigned(&self) -> bool {
        self.presigned
    }

    /// Whether the body has to be hashed to verify it. A presigned URL signs a body, too; mostly the empty one.
    pub fn needs_body(&self) -> bool {
        // assumed(sigv4-presigned-body): as the signing suite has it; `UNSIGNED-PAYLOAD` as the default is S3's alone.
        self.payload != Payload::Unsigned
    }

    /// What can be told without the secret and without the body: for which service and when it was signed, and what it covers.
    pub fn check(&self, request: &RequestHead, rules: &Rules<'_>, now_millis: u64) -> Result<(), Unauthentic> {
        self.is_scoped_to(rules)?;
        self.covers(request, rules)?;
        self.is_current(now_millis / 1000)
    }

    /// Proves that the owner of the secret signed this request, for this service, now.
    ///
    /// The head is the one that was read, before anything was removed from it or added. The hash is that of the body as it came;
    /// it may be left out only where the body is not needed.
    pub fn verify(
        &self,
        request: &RequestHead,
        body_sha256: Option<&[u8; 32]>,
        secret: &Secret,
        rules: &Rules<'_>,
        now_millis: u64,
    ) -> Result<(), Unauthentic> {
        self.check(request, rules, now_millis)?;
        let explained = self.explain(request, body_sha256, rules)?;
        // In constant time.
        if HMAC::verify(explained.string_to_sign, secret.signing_key(&self.scope), &self.signature) {
            Ok(())
        } else {
            Err(Unauthentic::SignatureMismatch)
        }
    }

    /// What the client should have signed.
    pub fn explain(
        &self,
        request: &RequestHead,
        body_sha256: Option<&[u8; 32]>,
        rules: &Rules<'_>,
    ) -> Result<Explained, Unauthentic> {
        let payload = match (&self.payload, body_sha256) {
            (Payload::Unsigned, _) if rules.unsigned_payload => read::UNSIGNED_PAYLOAD.to_owned(),
            (Payload::Unsigned, _) => return Err(Unauthentic::UnsignedPayload),
            (Payload::Undeclared, Some(hash)) => canonical::hex(hash),
            (Payload::Hash(declared), Some(hash)) if declared == hash => canonical::hex(hash),
            _ => return Err(Unauthentic::OtherBody),
        };
        Explained::new(self, request, &payload, rules)
    }

    fn is_scoped_to(&self, rules: &Rules<'_>) -> Result<(), Unauthentic> {
        let Scope { date, region, service } = &self.scope;
        let mut wrong = String::new();
        // Each with a space behind it: seen so in aws/aws-sdk-js #792 and cllunsford/aws-signing-proxy #25.
        if region != rules.region {
            let region = echo(region.as_bytes());
            wrong.push_str(&format!("Credential should be scoped to a valid region, not '{region}'. "));
        }
        if service != rules.service {
            wrong.push_str(&format!("Credential should be scoped to correct service: '{}'. ", rules.service));
        }
        let day = self.date.get(..8).unwrap_or_default();
        if date != day {
            // assumed(sigv4-scope-texts): the words of the user guide; what follows the colon is that of other services.
            wrong.push_str(&format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{day}', from \
                 '{}'. ",
                echo(date.as_bytes()),
                self.date
            ));
        }
        if wrong.is_empty() { Ok(()) } else { Err(Unauthentic::WrongScope(wrong)) }
    }

    /// Whether all is signed that has to be. `Content-Type` need not be: assumed(sigv4-content-type), as several signers that work
    /// with API Gateway sign host, date and token only.
    fn covers(&self, request: &RequestHead, rules: &Rules<'_>) -> Result<(), Unauthentic> {
        let signs = |name: &str| self.signed_headers.binary_search_by(|signed| signed.as_str().cmp(name)).is_ok();
        if !signs("host") && !signs(":authority") {
            return Err(Unauthentic::UnsignedHost);
        }
        for (name, _) in request.headers.iter() {
            if !name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-")) {
                continue;
            }
            let name = name.to_ascii_lowercase();
            let may_be_added = rules.token_after_signing && name.as_bytes().eq_ignore_ascii_case(canonical::TOKEN);
            if !may_be_added && !signs(&name) {
                return Err(Unauthentic::UnsignedHeader(echo(name.as_bytes())));
            }
        }
        Ok(())
    }

    fn is_current(&self, now: u64) -> Result<(), Unauthentic> {
        let Self { signed_at, window, .. } = *self;
        if signed_at.saturating_add(window) < now {
            return Err(Unauthentic::Expired { signed_at, now, window });
        }
        if signed_at > now.saturating_add(SKEW) {
            return Err(Unauthentic::NotYetCurrent { signed_at, now });
        }
        Ok(())
    }
}

/// Neither the token nor the signature: whoever has them has the request.
impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("access_key_id", &self.access_key_id)
            .field("scope", &self.scope)
            .field("date", &self.date)
            .field("signed_headers", &self.signed_headers)
            .field("presigned", &self.presigned)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
