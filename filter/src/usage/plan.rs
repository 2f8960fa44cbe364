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
    /// The throttle alone, where the quota is counted elsewhere.
    throttle: Arc<Lease>,
    /// The quota alone, where the method has a throttle of its own.
    quota: Arc<Lease>,
    /// The throttles of those methods that were asked for: a plan may have as many for each of its keys.
    methods: Mutex<Table<Arc<Lease>>>,
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
        self.stage(&place.api, &place.stage)?.method(place)
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

    fn method(&self, place: &Place) -> Option<Throttle> {
        self.methods.get(&place.method).copied()
    }
}

// === impl Membership ===

impl Membership {
    /// A key of that name on a plan.
    pub fn new(plan: Arc<Plan>, key: &str, leases: &Arc<Leases>) -> Self {
        let slot = slot(&["plan", &plan.name, key]);
        let lease = |throttle, quota| Lease::new(Meter { slot: slot.clone(), throttle, quota }, leases);
        let both = lease(plan.throttle, plan.quota);
        // There may be many keys: where a plan says one of the two, one meter does.
        let throttle = if plan.quota.is_none() { Arc::clone(&both) } else { lease(plan.throttle, None) };
        let quota = if plan.throttle.is_none() { Arc::clone(&both) } else { lease(None, plan.quota) };
        Self { plan, both, throttle, quota, methods: Mutex::default(), leases: Arc::clone(leases) }
    }

    /// What counts a request to a route: the throttle that its method has of its own, and what the plan says.
    pub(super) fn meters(&self, key: &str, place: &Place) -> [Option<Arc<Lease>>; 2] {
        match self.own(key, place) {
            Some(own) => [Some(own), counting(&self.quota)],
            None => [None, counting(&self.both)],
        }
    }

    /// The same without the quota.
    pub(super) fn throttles(&self, key: &str, place: &Place) -> [Option<Arc<Lease>>; 2] {
        [self.own(key, place).or_else(|| counting(&self.throttle)), None]
    }

    /// One lease for all requests to a method.
    fn own(&self, key: &str, place: &Place) -> Option<Arc<Lease>> {
        let stage = self.plan.stage(&place.api, &place.stage)?;
        let throttle = stage.method(place)?;
        let names = [&place.api, &place.stage, &place.method];
        let mut methods = self.methods.lock().unwrap_or_else(PoisonError::into_inner);
        let lease = methods.entry(key_of(names.map(String::as_bytes)), || {
            let [api, stage, method] = names;
            let slot = slot(&["plan", &self.plan.name, key, api, stage, method]);
            Lease::new(Meter { slot, throttle: Some(throttle), quota: None }, &self.leases)
        });
        lease.cloned()
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

/// The meter, unless nothing is counted there: the workers would have to be asked for nothing.
fn counting(lease: &Arc<Lease>) -> Option<Arc<Lease>> {
    (lease.throttle.is_some() || lease.quota.is_some()).then(|| Arc::clone(lease))
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
