//! What each key used of its plan, and what is left: for whoever operates the gateway.

use super::service::{Descriptor, Limits};
use super::{Key, Membership, Period, Quota, State, Throttle, UsagePlans};
use std::collections::HashMap;

/// One key on one plan.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyUsage<'a> {
    /// `usagePlanName`
    pub plan: &'a str,
    /// The name of the key.
    pub key: &'a str,
    /// Whether the key counts at all.
    pub enabled: bool,
    /// Of the period at hand, where the plan has a quota and the workers count it.
    pub quota: Option<QuotaUsage>,
    /// At this moment, where the plan has a throttle.
    pub throttle: Option<ThrottleUsage>,
}

/// How much of a quota is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaUsage {
    /// Requests that a period has.
    pub limit: u64,
    /// Requests that count as made.
    pub used: u64,
    /// Day, week or month.
    pub period: Period,
    /// When the period began, in seconds since 1970.
    pub start_seconds: u64,
    /// When the next one begins.
    pub end_seconds: u64,
}

/// How full a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleUsage {
    /// Requests that pass at once when it is full.
    pub burst: u32,
    /// Requests that would pass now.
    pub left: u64,
}

/// The quota of one key on one plan, as a rate limit service counts it.
#[derive(Debug)]
pub struct SharedQuota<'a> {
    /// `usagePlanName`
    pub plan: &'a str,
    /// The name of the key.
    pub key: &'a str,
    /// Whether the key counts at all.
    pub enabled: bool,
    /// The quota, and what the service is asked; none where the plan has no quota.
    pub asked: Option<(Quota, Descriptor)>,
}

/// When somebody asks.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Since 1970.
    pub seconds: u64,
    /// On the monotonic clock of the workers.
    pub nanos: u64,
}

// === impl UsagePlans ===

impl UsagePlans {
    /// What all keys used, in the order of plans and of the names of keys. `shared` reads what the workers share under a name:
    /// nothing of a quota that a rate limit service counts.
    pub fn report(&self, now: Now, shared: impl Fn(&str) -> Option<Vec<u8>>) -> Vec<KeyUsage<'_>> {
        let mut rows = Vec::new();
        for (key, membership) in self.memberships() {
            let state = membership.both.state(shared(&membership.both.slot).as_deref());
            let plan = &membership.plan;
            let quota = plan.quota.filter(|_| self.service().is_none());
            let quota = quota.map(|quota| QuotaUsage::new(quota, quota.used(state.counter, now.seconds), now.seconds));
            let throttle = plan.throttle.map(|throttle| ThrottleUsage::new(throttle, state, now.nanos));
            rows.push(KeyUsage { plan: &plan.name, key: &key.name, enabled: key.enabled, quota, throttle });
        }
        rows
    }

    /// What a rate limit service is asked of the quotas of all keys, in the same order.
    pub fn shared_quotas(&self, now_seconds: u64) -> Vec<SharedQuota<'_>> {
        let mut rows = Vec::new();
        for (key, membership) in self.memberships() {
            let plan = &membership.plan;
            let asked = plan.quota.and_then(|quota| {
                let mut limits = Limits::quota(&plan.name, &key.name, quota, now_seconds);
                limits.descriptors.pop().map(|descriptor| (quota, descriptor))
            });
            rows.push(SharedQuota { plan: &plan.name, key: &key.name, enabled: key.enabled, asked });
        }
        rows
    }

    /// Every key on every plan, in that order.
    pub fn memberships(&self) -> Vec<(&Key, &Membership)> {
        let mut all: Vec<(&Key, &Membership)> =
            self.keys().flat_map(|key| key.memberships.iter().map(move |membership| (key, membership))).collect();
        let places: HashMap<&str, usize> =
            self.plans().iter().enumerate().map(|(place, plan)| (plan.name.as_str(), place)).collect();
        all.sort_by_key(|(key, membership)| (places.get(membership.plan.name.as_str()).copied(), key.name.as_str()));
        all
    }
}

// === impl QuotaUsage ===

impl QuotaUsage {
    /// Of so many requests in the period at hand.
    pub fn new(quota: Quota, used: u64, now_seconds: u64) -> Self {
        let Quota { limit, period, .. } = quota;
        let (start_seconds, end_seconds) = (period.start_seconds(now_seconds), period.end_seconds(now_seconds));
        Self { limit, used, period, start_seconds, end_seconds }
    }

    /// Requests that are left.
    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

// === impl ThrottleUsage ===

impl ThrottleUsage {
    fn new(throttle: Throttle, state: State, now_nanos: u64) -> Self {
        let burst = throttle.burst();
        let left = state.bucket.map_or(u64::from(burst), |bucket| bucket.available(throttle, now_nanos));
        Self { burst, left }
    }
}
