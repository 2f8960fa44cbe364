//! A request on its way to its integration, and how far it came.

use crate::context::Context;
use crate::flow::Ticket;
use crate::gateway::{Route, Stage};
use crate::platform::Platform;
use crate::usage::Asking;
use std::sync::Arc;

/// Where a request goes.
#[derive(Debug)]
pub(super) struct Routed {
    pub(super) stage: Arc<Stage>,
    pub(super) route: Arc<Route>,
    pub(super) held: Held,
}

/// A request that wants to go to an integration.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) routed: Routed,
    pub(super) step: Step,
    /// The call that was made for it.
    pub(super) waits_for: Option<Ticket>,
}

/// How far it came.
#[derive(Debug)]
pub(super) enum Step {
    Authorize(Box<Context>),
    Count(Box<Asking>),
}

/// How much of a request body the host keeps back, and whether that is all of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) size: usize,
    pub(super) end: bool,
}

// === impl Step ===

impl Step {
    /// What a call of it asks, for people.
    pub(super) fn asks(&self) -> &'static str {
        match self {
            Self::Authorize(_) => "authorizer asks",
            Self::Count(_) => "rate limit service is asked",
        }
    }

    /// What is known of a request that came no further.
    pub(super) fn give_up(self, platform: &dyn Platform) -> Context {
        match self {
            Self::Authorize(context) => *context,
            Self::Count(asking) => asking.give_up(platform),
        }
    }
}
