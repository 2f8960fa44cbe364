//! Who may have been let in: kept apart from the gateway, and never stricter than what makes a request pass there.

use crate::documents::API_KEY;
use std::collections::HashSet;

/// What was said so far that lets anybody in.
#[derive(Debug, Default)]
pub struct Oracle {
    /// Identities of which an authorizer said that they may.
    allowed: HashSet<Vec<u8>>,
    /// Requests that went to a backend.
    pub forwarded: u64,
    /// Of those, the ones with an API key, by the number of the document.
    by_key: [u64; 7],
}

/// What one stream did for it to be let in.
#[derive(Debug, Default)]
pub struct Claim {
    /// The values of `authorization`.
    pub identities: Vec<Vec<u8>>,
    /// The values of `x-api-key`.
    pub keys: Vec<Vec<u8>>,
    /// Whether a credential was good when it was sent.
    pub has_token: bool,
    /// The same of a signature.
    pub has_signature: bool,
    /// Where it came from.
    pub is_inside: bool,
    /// What the rate limit service said, loosely read.
    pub passes: u32,
}

// === impl Oracle ===

impl Oracle {
    /// An authorizer was answered so.
    pub fn note_answer(&mut self, claim: &Claim, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        if text.contains("Allow") || text.contains("true") {
            self.allowed.extend(claim.identities.iter().cloned());
        }
    }

    /// Whoever can write to what workers share can write keys there; no input does so.
    pub fn note_shared(&self, value: &[u8]) {
        assert!(value.len() < 64 * 1024);
    }

    /// A request goes to a backend.
    pub fn note_backend(&mut self, document: usize, target: &str, claim: &Claim) {
        self.forwarded += 1;
        let Some(place) = target.find("guarded-") else { return };
        let name: String = target[place + "guarded-".len()..].chars().take_while(char::is_ascii_alphabetic).collect();
        let may = match name.as_str() {
            "token" | "request" | "simple" => claim.identities.iter().any(|identity| self.allowed.contains(identity)),
            "jwt" | "pool" => claim.has_token,
            "iam" => claim.has_signature,
            "wall" => claim.is_inside,
            "key" => {
                self.by_key[document] += 1;
                // By a service that says no to who is not asked for, somebody has to have said yes.
                claim.keys.iter().any(|key| key == API_KEY.as_bytes()) && (document != 4 || claim.passes >= 2)
            }
            _ => panic!("nothing guards {target}"),
        };
        assert!(may, "{target} is open to {claim:?}");
    }

    /// Requests with an API key that one document let in.
    pub fn admitted_by_key(&self, document: usize) -> u64 {
        self.by_key[document]
    }

    /// The same of all documents.
    pub fn admitted_by_keys(&self) -> u64 {
        self.by_key.iter().sum()
    }
}
