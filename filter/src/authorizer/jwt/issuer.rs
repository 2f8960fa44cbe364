//! One issuer of tokens and its keys, as requests see them: here, or not here. Requests never wait and never call; they leave word
//! that a key is missing, and [`super::provider`] fetches.

use super::provider::Provider;
use crate::jose::KeySet;
use crate::platform::Platform;
use std::sync::Arc;

/// An issuer whose tokens are taken.
#[derive(Debug)]
pub struct Issuer {
    url: String,
    source: Source,
}

/// Where keys come from.
#[derive(Debug)]
pub enum Source {
    /// They stand in the document.
    Document(Keys),
    /// They are fetched.
    Fetched(Box<Provider>),
}

/// The keys of an issuer at one time.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The keys.
    pub set: Arc<KeySet>,
    /// Another number: other keys. What was verified with the keys of one number counts as long as they are there.
    pub number: u64,
}

// === impl Issuer ===

impl Issuer {
    /// An issuer.
    pub fn new(url: &str, source: Source) -> Self {
        Self { url: url.to_owned(), source }
    }

    /// Exactly what `iss` says.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its keys; none when there are none yet, or none that are young enough.
    pub fn keys(&self, now_millis: u64, platform: &dyn Platform) -> Option<Keys> {
        match &self.source {
            Source::Document(keys) => Some(keys.clone()),
            Source::Fetched(provider) => provider.keys(now_millis, platform),
        }
    }

    /// Whether its keys come from elsewhere.
    pub fn provider(&self) -> Option<&Provider> {
        match &self.source {
            Source::Document(_) => None,
            Source::Fetched(provider) => Some(provider),
        }
    }
}
