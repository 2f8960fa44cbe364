//! Usage plans: which keys may call which stages, how fast and how often.
//!
//! AWS: "Usage plans and API keys for REST APIs in API Gateway": throttle and quota count for each API key, over all API stages of
//! the plan together.

use super::Place;
use super::lease::{Lease, Leases};
use super::meter::{Meter, slot};
use super::quota::Quota;
use super::service::Limits;
use super::table::Table;
use super::throttle::Throttle;
use crate::cache::key_of;
use std::sync::{Arc, Mutex, PoisonError};

/// A usage plan.
#[derive(Debug)]
pub struct Plan {
    /// `usagePlanName`
    pub name: String,
    /// Of each of its keys.
    pub throttle: Option<Throttle>,
    /// Of each of its keys.
    pub quota: Option<Quota>,
    /// What its keys may call, by API and stage.
    pub stages: Table<PlanStage>,
}

/// A stage that a plan lets its keys call.
#[derive(Debug)]
pub struct PlanStage {
    /// The name of the API in the document.
    pub api: String,
    /// The name of the stage.
    pub stage: String,
    /// What counts in the place of the plan's own throttle, by method: `/pets/{petId}/GET`.
    pub methods: Table<Throttle>,
}

/// A key on a plan.
#[derive(Debug)]
pub struct Membership {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Throttle and quota of the plan for this key.
    pub both: Arc<Lease>,
    /// What was asked for beside it: one of the two alone, throttles of methods. A plan may have as many for each of its keys.
    parts: Mutex<Table<Arc<Lease>>>,
    leases: Arc<Leases>,
}

// === impl Plan ===

impl Plan {
    /// What the plan says of a stage; none when its keys may not call it.
    pub fn stage(&self, api: &str, stage: &str) -> Option<&PlanStage> {
        self.stages.get(stage_name(api, stage))
    }

    /// The throttle that a method has of its own. assumed(plan-method-throttle): it takes the place of the plan's; AWS names the
    /// two one after the other.
    fn method(&self, place: &Place) -> Option<Throttle> {
        self.stage(&place.api, &place.stage)?.methods.get(&place.method).copied()
    }
}

/// What no other stage has.
pub fn stage_name(api: &str, stage: &str) -> Vec<u8> {
    key_of([api.as_bytes(), stage.as_bytes()])
}

// === impl PlanStage ===

impl PlanStage {
    /// Under what name it stands.
    pub fn name(&self) -> Vec<u8> {
        stage_name(&self.api, &self.stage)
    }
}

// === impl Membership ===

impl Membership {
    /// A key of that name on a plan.
    pub fn new(plan: Arc<Plan>, key: &str, leases: &Arc<Leases>) -> Self {
        let slot = slot(&["plan", &plan.name, key]);
        let both = Lease::new(Meter { slot, throttle: plan.throttle, quota: plan.quota }, leases);
        Self { plan, both, parts: Mutex::default(), leases: Arc::clone(leases) }
    }

    /// What counts a request to a route: the throttle that its method has of its own, and what the plan says.
    pub(super) fn meters(&self, key: &str, place: &Place) -> [Option<Arc<Lease>>; 2] {
        match self.own(key, place) {
            Some(own) => [Some(own), self.quota()],
            None => [None, self.counting()],
        }
    }

    /// The same without the quota.
    pub(super) fn throttles(&self, key: &str, place: &Place) -> [Option<Arc<Lease>>; 2] {
        [self.own(key, place).or_else(|| self.throttle()), None]
    }

    /// What the plan counts, if it counts at all: the workers would have to be asked for nothing.
    fn counting(&self) -> Option<Arc<Lease>> {
        (self.plan.throttle.is_some() || self.plan.quota.is_some()).then(|| Arc::clone(&self.both))
    }

    /// The throttle alone, where the quota is counted elsewhere.
    fn throttle(&self) -> Option<Arc<Lease>> {
        let throttle = Some(self.plan.throttle?);
        match self.plan.quota {
            None => self.counting(),
            Some(_) => self.part("throttle", || Meter { slot: self.both.slot.clone(), throttle, quota: None }),
        }
    }

    /// The quota alone, where the method has a throttle of its own.
    fn quota(&self) -> Option<Arc<Lease>> {
        let quota = Some(self.plan.quota?);
        match self.plan.throttle {
            None => self.counting(),
            Some(_) => self.part("quota", || Meter { slot: self.both.slot.clone(), throttle: None, quota }),
        }
    }

    /// The throttle of a method.
    fn own(&self, key: &str, place: &Place) -> Option<Arc<Lease>> {
        let throttle = Some(self.plan.method(place)?);
        let [api, stage, method] = [&place.api, &place.stage, &place.method];
        // With lengths in it, which no other name begins with.
        let name = key_of([api, stage, method].map(String::as_bytes));
        self.part(name, || Meter { slot: slot(&["plan", &self.plan.name, key, api, stage, method]), throttle, quota: None })
    }

    /// The same lease for all requests.
    fn part(&self, name: impl AsRef<[u8]>, meter: impl FnOnce() -> Meter) -> Option<Arc<Lease>> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.entry(name, || Lease::new(meter(), &self.leases)).cloned()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::Period;

    fn plan(throttle: Option<Throttle>, quota: Option<Quota>) -> Arc<Plan> {
        let stage =
            |api: &str, stage: &str, methods: Table<Throttle>| PlanStage { api: api.to_owned(), stage: stage.to_owned(), methods };
        let mut methods = Table::default();
        methods.insert("/a/GET", Throttle::new(1.0, 1));
        let mut stages = Table::default();
        for stage in [stage("a", "prod", Table::default()), stage("b", "beta", methods), stage("b", "prod", Table::default())] {
            stages.insert(stage.name(), stage);
        }
        Arc::new(Plan { name: "p".to_owned(), throttle, quota, stages })
    }

    fn place(method: &str) -> Place {
        Place { api: "b".to_owned(), stage: "beta".to_owned(), method: method.to_owned() }
    }

    #[test]
    fn a_plan_knows_its_stages_by_api_and_name() {
        let plan = plan(None, None);
        for (api, stage, is_there) in
            [("a", "prod", true), ("b", "beta", true), ("b", "prod", true), ("a", "beta", false), ("c", "prod", false)]
        {
            assert_eq!(
                plan.stage(api, stage).map(|found| (found.api.as_str(), found.stage.as_str())),
                is_there.then_some((api, stage))
            );
        }
    }

    #[test]
    fn a_meter_that_counts_nothing_is_left_out() {
        let (throttle, quota) = (Some(Throttle::new(2.0, 2)), Some(Quota { limit: 1, offset: 0, period: Period::Day }));
        let own = Some(Throttle::new(1.0, 1));
        type Parts = Vec<(Option<Throttle>, Option<Quota>)>;
        let parts = |meters: [Option<Arc<Lease>>; 2]| -> Parts {
            meters.iter().flatten().map(|meter| (meter.throttle, meter.quota)).collect()
        };
        for (plan, elsewhere, here, without_quota) in [
            (plan(None, None), vec![], vec![(own, None)], vec![]),
            (plan(throttle, None), vec![(throttle, None)], vec![(own, None)], vec![(throttle, None)]),
            (plan(None, quota), vec![(None, quota)], vec![(own, None), (None, quota)], vec![]),
            (plan(throttle, quota), vec![(throttle, quota)], vec![(own, None), (None, quota)], vec![(throttle, None)]),
        ] {
            let membership = Membership::new(plan, "k", &Arc::default());
            assert_eq!(parts(membership.meters("k", &place("/a/POST"))), elsewhere);
            assert_eq!(parts(membership.meters("k", &place("/a/GET"))), here);
            assert_eq!(parts(membership.throttles("k", &place("/a/POST"))), without_quota);
            assert_eq!(parts(membership.throttles("k", &place("/a/GET"))), [(own, None)]);
        }
    }
}
