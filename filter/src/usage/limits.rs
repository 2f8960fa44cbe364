//! What all callers share: the throttles of methods, stages and accounts.

use super::Meter;
use crate::definition::{ApiDocument, Document, StageDocument};
use crate::problem::Problems;
use std::sync::Arc;

/// What limits the stages of a document.
#[derive(Debug, Default)]
pub struct AccountLimits {}

/// What limits the routes of one stage.
#[derive(Debug, Default)]
pub struct StageLimits {}

// === impl AccountLimits ===

impl AccountLimits {
    /// Reads `account`.
    pub fn read(_document: &Document<'_>, _problems: &mut Problems) -> Self {
        Self {}
    }
}

// === impl StageLimits ===

impl StageLimits {
    /// Reads what a stage says of its routes.
    pub fn read(_api: &ApiDocument<'_>, _stage: &StageDocument<'_>, _account: &AccountLimits, _problems: &mut Problems) -> Self {
        Self {}
    }

    /// What counts the requests of a route.
    pub fn meters(&self, _method: &str, _path: &str) -> Vec<Arc<Meter>> {
        Vec::new()
    }
}
