//! Reads `apiKeys` and `usagePlans` of the gateway document.

use super::{Key, KeyDemand, KeyRing, KeySource, Place, Plan, RateLimitService};
use crate::definition::Document;
use crate::problem::Problems;
use std::sync::Arc;

/// Who may call by a key, and how much.
#[derive(Debug, Default)]
pub struct UsagePlans {
    keys: Arc<KeyRing>,
    plans: Vec<Arc<Plan>>,
    service: Option<Arc<RateLimitService>>,
}

// === impl UsagePlans ===

impl UsagePlans {
    /// Reads them and every mistake in them.
    pub fn read(document: &Document<'_>, problems: &mut Problems) -> Self {
        let service = document.rate_limit_service.as_ref().and_then(|node| RateLimitService::read(node, problems));
        Self { service: service.map(Arc::new), ..Self::default() }
    }

    /// What a method asks that requires a key.
    pub fn demand(&self, source: KeySource, place: Place) -> KeyDemand {
        KeyDemand { source, keys: Arc::clone(&self.keys), place, service: self.service.clone() }
    }

    /// Who counts for all Envoys, where somebody does.
    pub fn service(&self) -> Option<&RateLimitService> {
        self.service.as_deref()
    }

    /// The keys, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// The plans, in the order of the document.
    pub fn plans(&self) -> &[Arc<Plan>] {
        &self.plans
    }
}
