//! The keys of all issuers of a gateway, for whoever owns the gateway: it asks from a timer what is to be called, and says what came
//! of it.

use super::issuer::Issuer;
use super::place::BODY_LIMIT;
use super::provider::Provider;
use crate::definition::Directory;
use crate::flow::{Callout, CalloutOutcome, Ticket};
use crate::platform::Platform;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The keys of all issuers of a gateway: fetched, kept fresh, shared by all workers of the proxy.
#[derive(Debug, Default)]
pub struct IssuerKeys {
    issuers: Vec<Arc<Issuer>>,
    /// Where the hosts are that an issuer may name.
    directory: Directory,
    last_ticket: AtomicU32,
}

const PERIOD_MILLIS: u32 = 250;

// === impl IssuerKeys ===

impl IssuerKeys {
    /// As much of an answer is of use: what is read of one, and a byte that tells that it is more.
    pub const ANSWER_LIMIT: usize = BODY_LIMIT + 1;

    /// The keys of these issuers; those whose keys stand in the document need nothing.
    pub(super) fn new(issuers: impl Iterator<Item = Arc<Issuer>>, directory: &Directory) -> Self {
        let issuers = issuers.filter(|issuer| issuer.provider().is_some()).collect();
        Self { issuers, directory: directory.clone(), last_ticket: AtomicU32::new(0) }
    }

    /// How often `tick` wants to be asked; none when there is nothing to fetch.
    pub fn period_millis(&self) -> Option<u32> {
        (!self.issuers.is_empty()).then_some(PERIOD_MILLIS)
    }

    /// Takes what the workers share already, so that a new configuration begins with the keys of the one before it. Nothing is
    /// fetched yet: Envoy drops calls that a plugin makes while the proxy itself is still starting.
    pub fn load(&self, platform: &dyn Platform) {
        self.providers().for_each(|provider| provider.load(platform));
    }

    /// Time has passed: what is to be fetched now.
    pub fn tick(&self, platform: &mut dyn Platform) -> Vec<(Ticket, Callout)> {
        self.providers().filter_map(|provider| provider.tick(platform, &self.directory, self.ticket())).collect()
    }

    /// One of those calls is over: what is to be fetched next (the keys, once discovery said where they are).
    pub fn called(&self, ticket: Ticket, outcome: CalloutOutcome, platform: &mut dyn Platform) -> Vec<(Ticket, Callout)> {
        let next = |provider: &Provider| provider.called(ticket, &outcome, platform, &self.directory, self.ticket());
        self.providers().filter_map(next).collect()
    }

    fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.issuers.iter().filter_map(|issuer| issuer.provider())
    }

    fn ticket(&self) -> Ticket {
        Ticket(self.last_ticket.fetch_add(1, Ordering::Relaxed))
    }
}
