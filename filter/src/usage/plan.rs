//! Usage plans: which keys may call which stages, how fast and how often.
//!
//! AWS: "Usage plans and API keys for REST APIs in API Gateway": throttle and quota count for each API key, over all API stages of
//! the plan together.

use super::Place;
use super::meter::{Meter, slot};
use super::quota::Quota;
use super::service::Limits;
use super::throttle::Throttle;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A usage plan.
#[derive(Debug)]
pub struct Plan {
    /// `usagePlanName`
    pub name: String,
    /// Of each of its keys.
    pub throttle: Option<Throttle>,
    /// Of each of its keys.
    pub quota: Option<Quota>,
    /// What its keys may call.
    pub stages: Vec<PlanStage>,
}

/// A stage that a plan lets its keys call.
#[derive(Debug)]
pub struct PlanStage {
    /// The name of the API in the document.
    pub api: String,
    /// The name of the stage.
    pub stage: String,
    /// What counts in the place of the plan's own throttle, by method: `/pets/{petId}/GET`.
    pub methods: BTreeMap<String, Throttle>,
}

/// A key on a plan.
#[derive(Debug)]
pub struct Membership {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Throttle and quota of the plan for this key.
    pub both: Arc<Meter>,
    /// The throttle alone, where the quota is counted elsewhere.
    throttle: Arc<Meter>,
    /// The quota alone, where the method has a throttle of its own.
    quota: Arc<Meter>,
}

// === impl Plan ===

impl Plan {
    /// What the plan says of a stage; none when its keys may not call it.
    pub fn stage(&self, api: &str, stage: &str) -> Option<&PlanStage> {
        self.stages.iter().find(|candidate| candidate.api == api && candidate.stage == stage)
    }

    /// The throttle that a method has of its own. assumed(plan-method-throttle): it takes the place of the plan's; AWS names the
    /// two one after the other.
    fn method(&self, place: &Place) -> Option<Throttle> {
        self.stage(&place.api, &place.stage)?.methods.get(&place.method).copied()
    }
}

// === impl Membership ===

impl Membership {
    /// A key of that name on a plan.
    pub fn new(plan: Arc<Plan>, key: &str) -> Self {
        let slot = slot(&["plan", &plan.name, key]);
        let meter = |throttle, quota| Arc::new(Meter { slot: slot.clone(), throttle, quota });
        Self { both: meter(plan.throttle, plan.quota), throttle: meter(plan.throttle, None), quota: meter(None, plan.quota), plan }
    }

    /// What counts a request to a route.
    pub(super) fn meters(&self, key: &str, place: &Place) -> Vec<Arc<Meter>> {
        match self.plan.method(place) {
            Some(throttle) => vec![self.of_method(throttle, key, place), Arc::clone(&self.quota)],
            None => vec![Arc::clone(&self.both)],
        }
    }

    /// The same without the quota.
    pub(super) fn throttles(&self, key: &str, place: &Place) -> Vec<Arc<Meter>> {
        match self.plan.method(place) {
            Some(throttle) => vec![self.of_method(throttle, key, place)],
            None => vec![Arc::clone(&self.throttle)],
        }
    }

    fn of_method(&self, throttle: Throttle, key: &str, place: &Place) -> Arc<Meter> {
        let slot = slot(&["plan", &self.plan.name, key, &place.api, &place.stage, &place.method]);
        Arc::new(Meter { slot, throttle: Some(throttle), quota: None })
    }

    /// What a rate limit service is asked, the first question last: of the quota only when the request is not throttled.
    pub(super) fn limits(&self, key: &str, place: &Place, now_seconds: u64) -> Vec<Limits> {
        let quota = self.plan.quota.map(|quota| Limits::quota(&self.plan.name, key, quota, now_seconds));
        let throttle = match self.plan.method(place) {
            Some(throttle) => Some(Limits::method_throttle(&self.plan.name, key, place, throttle)),
            None => self.plan.throttle.map(|throttle| Limits::throttle(&self.plan.name, key, throttle)),
        };
        quota.into_iter().chain(throttle).collect()
    }
}
