//! The API key of a request.

use std::fmt;

/// The API key that let a request in: `$context.identity`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyFacts {
    /// `$context.identity.apiKeyId`
    pub id: String,
    /// `$context.identity.apiKey`
    pub value: String,
}

/// Without its value, which is a secret.
impl fmt::Debug for ApiKeyFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeyFacts").field("id", &self.id).field("value", &"<redacted>").finish()
    }
}
