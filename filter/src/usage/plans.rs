//! Who may call by a key, and how much: `apiKeys` and `usagePlans` of the gateway document, put together.

use super::methods::{Methods, name_in_plan};
use super::plan::stage_name;
use super::read::keys::Keys;
use super::read::overlaps;
use super::read::plan::{Apis, Draft, NamedMethod};
use super::{Key, KeyDemand, KeyRing, KeySource, Leases, Membership, Place, Plan, RateLimitService, Table};
use crate::definition::{Document, Node};
use crate::problem::Problems;

use std::sync::Arc;

/// Who may call by a key, and how much.
#[derive(Debug, Default)]
pub struct UsagePlans {
    keys: Arc<KeyRing>,
    plans: Vec<Arc<Plan>>,
    service: Option<Arc<RateLimitService>>,
    /// What this worker has of what is counted of them.
    pub leases: Arc<Leases>,
    /// Stages that some key lets its owner call, as API and stage.
    open: Table<()>,
    /// What plans say of methods: seen once the methods are known.
    methods: Vec<NamedMethod>,
}

/// How many keys that are on no plan are told one by one.
const SHOWN: usize = 3;

// === impl UsagePlans ===

impl UsagePlans {
    /// Reads them and every mistake in them.
    pub fn read(document: &Document<'_>, problems: &mut Problems) -> Self {
        let service = document.rate_limit_service.as_ref().and_then(|node| RateLimitService::read(node, problems));
        let is_shared = document.rate_limit_service.is_some();
        let keys = Keys::read(document.api_keys.as_ref(), problems);
        let mut drafts = Vec::new();
        if let Some(list) = &document.usage_plans {
            let apis = Apis(&document.apis);
            let mut names = Table::default();
            for node in list.elements(problems) {
                let Some(draft) = Draft::read(&node, &apis, &keys, is_shared, problems) else { continue };
                if !names.insert(&draft.plan.name, ()) {
                    let message = format!("a second usage plan named `{}`", draft.plan.name);
                    problems.error(&node.path.key("usagePlanName"), message, None);
                }
                drafts.push(draft);
            }
        }
        overlaps::tell(&drafts, &keys.keys, problems);
        let mut read = Self { service: service.map(Arc::new), ..Self::default() };
        tell_of_loose_keys(&keys, &drafts, document.api_keys.as_ref(), problems);
        read.put_together(keys.keys, drafts);
        read
    }

    fn put_together(&mut self, mut keys: Vec<Key>, drafts: Vec<Draft>) {
        for Draft { plan, keys: members, methods, .. } in drafts {
            self.methods.extend(methods);
            let plan = Arc::new(plan);
            let mut lets_in = false;
            for (index, _) in members {
                let Some(key) = keys.get_mut(index) else { continue };
                lets_in |= key.enabled;
                let membership = Membership::new(Arc::clone(&plan), &key.name, &self.leases);
                key.memberships.push(membership);
            }
            if lets_in {
                for stage in plan.stages.entries() {
                    self.open.insert(stage.name(), ());
                }
            }
            self.plans.push(plan);
        }
        let mut ring = KeyRing::default();
        for key in keys {
            // Two keys with one value were told, and only one of them is here.
            ring.insert(key);
        }
        self.keys = Arc::new(ring);
    }

    /// Tells which methods of an API a plan names and the API does not have.
    pub fn check_methods(&self, api: &str, methods: &Methods, problems: &mut Problems) {
        // A definition without methods has a problem of its own.
        for named in self.methods.iter().filter(|named| named.api == api && !methods.is_empty()) {
            let name = name_in_plan(&named.text);
            if !methods.contains(&name) {
                let message = format!("API `{api}` has no method `{}`", named.text);
                problems.error(&named.path, message, Some(&methods.near(&name, str::to_owned)));
            }
        }
    }

    /// Whether some key lets its owner call a stage.
    pub fn opens(&self, api: &str, stage: &str) -> bool {
        self.open.get(stage_name(api, stage)).is_some()
    }

    /// What a method asks that requires a key.
    pub fn demand(&self, source: KeySource, place: Place) -> KeyDemand {
        KeyDemand { source, keys: Arc::clone(&self.keys), place, service: self.service.clone() }
    }

    /// Who counts for all Envoys, where somebody does.
    pub fn service(&self) -> Option<&RateLimitService> {
        self.service.as_deref()
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// The plans, in the order of the document.
    pub fn plans(&self) -> &[Arc<Plan>] {
        &self.plans
    }
}

/// Keys that are on no plan.
fn tell_of_loose_keys(keys: &Keys, drafts: &[Draft], node: Option<&Node<'_>>, problems: &mut Problems) {
    let mut is_loose = vec![true; keys.keys.len()];
    for (key, _) in drafts.iter().flat_map(|draft| &draft.keys) {
        if let Some(is_loose) = is_loose.get_mut(*key) {
            *is_loose = false;
        }
    }
    let mut loose = 0;
    for ((key, path), is_loose) in keys.keys.iter().zip(&keys.paths).zip(is_loose) {
        loose += usize::from(is_loose);
        if is_loose && loose <= SHOWN {
            problems.warning(path, format!("key `{}` is on no usage plan: it lets nobody in", key.name), None);
        }
    }
    if let (more @ 1.., Some(node)) = (loose.saturating_sub(SHOWN), node) {
        problems.warning(&node.path, format!("{more} more keys are on no usage plan"), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Outline;
    use crate::usage::{Period, Quota, Throttle};
    use serde_json::{Value, json};

    /// A document of the REST APIs `pets` (stages `prod`, `beta`) and `orders` (stage `prod`) and the HTTP API `web`.
    fn document(keys: Value, plans: Value) -> Value {
        let api = |name: &str, protocol: &str, stages: &[&str]| {
            let stages: Vec<Value> = stages.iter().map(|stage| json!({"stageName": stage})).collect();
            json!({"name": name, "apiId": format!("id{name}"), "protocol": protocol, "definition": {"openapi": "3.0.1", "paths": {}}, "stages": stages})
        };
        let apis = [api("pets", "REST", &["prod", "beta"]), api("orders", "REST", &["prod"]), api("web", "HTTP", &["$default"])];
        json!({"apis": apis, "apiKeys": keys, "usagePlans": plans})
    }

    fn read(value: &Value) -> (UsagePlans, Vec<String>) {
        let mut problems = Problems::default();
        let outline = Outline::from_value(value);
        let document = Document::read(&outline, &mut problems);
        let plans = UsagePlans::read(&document, &mut problems);
        (plans, problems.into_vec().iter().map(ToString::to_string).collect())
    }

    fn told(keys: Value, plans: Value) -> Vec<String> {
        read(&document(keys, plans)).1
    }

    /// Keys `k0`, `k1` … with values of their own.
    fn keys(count: usize) -> Value {
        (0..count).map(|index| json!({"name": format!("k{index}"), "value": value_of(index)})).collect()
    }

    fn value_of(index: usize) -> String {
        format!("a value of its own {index}")
    }

    fn names(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|index| format!("k{index}")).collect()
    }

    fn place(api: &str, stage: &str, method: &str) -> Place {
        Place { api: api.to_owned(), stage: stage.to_owned(), method: method.to_owned() }
    }

    #[test]
    fn a_key_calls_the_stages_of_its_plans_within_their_limits() {
        let value = document(
            keys(2),
            json!([
                {
                    "usagePlanName": "gold",
                    "apiStages": [
                        {"api": "pets", "stage": "prod", "throttle": {"/GET": {"rateLimit": 1, "burstLimit": 2}}},
                        {"apiId": "idpets", "stage": "beta"},
                    ],
                    "throttle": {"rateLimit": 5, "burstLimit": 10},
                    "quota": {"limit": 7, "period": "MONTH"},
                    "keys": ["k0"],
                },
                {"usagePlanName": "open", "description": "no limits", "apiStages": [{"api": "idorders", "stage": "prod"}], "keys": ["k0"]},
                {"usagePlanName": "silver", "apiStages": [{"api": "pets", "stage": "prod"}], "keys": ["k1"]},
            ]),
        );
        let (plans, told) = read(&value);
        assert!(told.is_empty(), "{told:?}");
        let demand = plans.demand(KeySource::Header, place("pets", "prod", "//GET"));
        let key = demand.keys.find(value_of(0).as_bytes()).unwrap();
        let slots = |place: &Place| -> Vec<_> {
            let meters = key.membership(place).unwrap().meters(&key.name, place);
            meters.iter().flatten().map(|meter| (meter.slot.clone(), meter.throttle, meter.quota)).collect()
        };
        let quota = Some(Quota { limit: 7, offset: 0, period: Period::Month });
        let (own, whole) = (Some(Throttle::new(1.0, 2)), Some(Throttle::new(5.0, 10)));
        let slot = r#"usage["plan","gold","k0"]"#.to_owned();
        assert_eq!(
            slots(&demand.place),
            [(r#"usage["plan","gold","k0","pets","prod","//GET"]"#.to_owned(), own, None), (slot.clone(), None, quota)]
        );
        // The stages of a plan share throttle and quota.
        assert_eq!(slots(&place("pets", "prod", "//POST")), [(slot.clone(), whole, quota)]);
        assert_eq!(slots(&place("pets", "beta", "//GET")), [(slot, whole, quota)]);
        // A plan without limits counts nothing.
        assert!(slots(&place("orders", "prod", "//GET")).is_empty());
        let key = demand.keys.find(value_of(1).as_bytes()).unwrap();
        assert!(key.membership(&place("pets", "beta", "//GET")).is_none());
        assert_eq!(key.membership(&demand.place).unwrap().plan.name, "silver");
        assert_eq!(plans.plans().iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>(), ["gold", "open", "silver"]);
    }

    #[test]
    fn a_stage_is_open_where_a_key_that_counts_is_on_a_plan_that_has_it() {
        let mut list = keys(2);
        list[1]["enabled"] = json!(false);
        let stage = |api: &str, stage: &str| json!([{"api": api, "stage": stage}]);
        let (plans, _) = read(&document(
            list,
            json!([
                {"usagePlanName": "a", "apiStages": stage("pets", "prod"), "keys": ["k0", "k1"]},
                {"usagePlanName": "b", "apiStages": stage("pets", "beta"), "keys": ["k1"]},
                {"usagePlanName": "c", "apiStages": stage("orders", "prod")},
            ]),
        ));
        assert!(plans.opens("pets", "prod"));
        assert!(!plans.opens("pets", "beta"));
        assert!(!plans.opens("orders", "prod"));
    }

    #[test]
    fn every_mistake_of_a_plan_is_told_once_with_what_there_is() {
        for (plan, start, help) in [
            (json!({}), ": no `usagePlanName`", ""),
            (json!({"usagePlanId": "x"}), ".usagePlanId: unknown key `usagePlanId`", "usagePlanName"),
            (
                json!({"apiStages": [{"api": "cats", "stage": "prod"}]}),
                ".apiStages[0].api: no API is named `cats`",
                "there is `pets`, `orders`, `web`",
            ),
            (
                json!({"apiStages": [{"apiId": "idcats", "stage": "prod"}]}),
                ".apiStages[0].apiId: no API is named `idcats`",
                "`pets`",
            ),
            (
                json!({"apiStages": [{"api": "pets", "stage": "test"}]}),
                ".apiStages[0].stage: API `pets` has no stage `test`",
                "it has `prod`, `beta`",
            ),
            (json!({"apiStages": [{"api": "pets"}]}), ".apiStages[0]: no `stage`", ""),
            (json!({"apiStages": [{"stage": "prod"}]}), ".apiStages[0]: no `api`", ""),
            (
                json!({"apiStages": [{"api": "pets", "apiId": "idpets", "stage": "prod"}]}),
                ".apiStages[0].apiId: `api` and `apiId`",
                "keep one",
            ),
            (
                json!({"apiStages": [{"api": "web", "stage": "$default"}]}),
                ".apiStages[0].api: HTTP APIs have no usage plans",
                "routeSettings",
            ),
            (
                json!({"apiStages": [{"api": "pets", "stage": "prod"}, {"apiId": "idpets", "stage": "prod"}]}),
                ".apiStages[1]: stage `prod` of `pets` is in this plan already",
                "",
            ),
            (
                json!({"apiStages": [{"api": "pets", "stage": "prod", "throttle": {"/GET": {"rateLimit": 1, "burstLimit": 1}, "//get": {"rateLimit": 1, "burstLimit": 1}}}]}),
                ".apiStages[0].throttle[\"//get\"]: `//get` names a method that has a throttle already",
                "",
            ),
            (
                json!({"apiStages": [{"api": "pets", "stage": "prod", "throttle": {"/GET": {"rateLimit": 1}}}]}),
                ".apiStages[0].throttle[\"/GET\"]: no `burstLimit`",
                "say both",
            ),
            (json!({"keys": ["nobody"]}), ".keys[0]: no API key is named so", "apiKeys"),
            (json!({"keys": ["k0", "k0"]}), ".keys[1]: key `k0` is on this plan already", ""),
            (json!({"keys": "k0"}), ".keys: expected an array", ""),
            (json!({"quota": {"limit": 1}}), ".quota: no `period`", "WEEK"),
            (json!({"throttle": {"rateLimit": 1}}), ".throttle: no `burstLimit`", "say both"),
        ] {
            let mut whole = json!({"usagePlanName": "p", "apiStages": [{"api": "pets", "stage": "prod"}], "keys": ["k0"]});
            if plan == json!({}) {
                whole["usagePlanName"] = Value::Null;
                whole.as_object_mut().unwrap().remove("usagePlanName");
            }
            whole.as_object_mut().unwrap().extend(plan.as_object().unwrap().clone());
            let problems: Vec<_> =
                told(keys(1), json!([whole])).into_iter().filter(|told| !told.contains("is on no usage plan")).collect();
            assert_eq!(problems.len(), 1, "{problems:#?}");
            assert!(problems[0].starts_with(&format!("$.usagePlans[0]{start}")), "{problems:#?}");
            assert!(problems[0].split("; help: ").nth(1).unwrap_or_default().contains(help), "{problems:#?}");
        }
    }

    #[test]
    fn plans_have_names_of_their_own() {
        let plan = json!({"usagePlanName": "p", "apiStages": [{"api": "pets", "stage": "prod"}]});
        assert_eq!(told(json!([]), json!([plan, plan])), ["$.usagePlans[1].usagePlanName: a second usage plan named `p`"]);
    }

    #[test]
    fn a_plan_without_stages_is_warned_of_and_one_without_keys_is_not() {
        let plans = json!([{"usagePlanName": "p", "keys": ["k0"]}, {"usagePlanName": "q", "apiStages": [{"api": "pets", "stage": "prod"}]}]);
        assert_eq!(told(keys(1), plans), ["$.usagePlans[0]: usage plan `p` has no `apiStages`: its keys let nobody in"]);
    }

    #[test]
    fn a_key_that_does_not_read_is_told_once_though_a_plan_names_it() {
        let plans = json!([{"usagePlanName": "p", "apiStages": [{"api": "pets", "stage": "prod"}], "keys": ["k0"]}]);
        let told = told(json!([{"name": "k0", "value": "short"}]), plans);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("$.apiKeys[0].value: the value of key `k0` is too short or too long"), "{told:?}");
    }

    #[test]
    fn the_value_of_a_key_in_the_place_of_its_name_is_not_shown() {
        let value = value_of(0);
        let plan = json!({"usagePlanName": "p", "apiStages": [{"api": "pets", "stage": "prod"}], "keys": ["k0", value, value]});
        let told = told(keys(1), json!([plan]));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().all(|told| told.contains("].keys[") && !told.contains(&value)), "{told:?}");
    }

    #[test]
    fn keys_on_no_plan_are_warned_of_and_many_in_one_line() {
        let told = told(keys(10), json!([{"usagePlanName": "p", "apiStages": [{"api": "pets", "stage": "prod"}], "keys": ["k1"]}]));
        assert_eq!(
            told,
            [
                "$.apiKeys[0]: key `k0` is on no usage plan: it lets nobody in",
                "$.apiKeys[2]: key `k2` is on no usage plan: it lets nobody in",
                "$.apiKeys[3]: key `k3` is on no usage plan: it lets nobody in",
                "$.apiKeys: 6 more keys are on no usage plan",
            ]
        );
    }

    #[test]
    fn a_key_on_two_plans_of_a_stage_is_told_with_both_and_the_stage() {
        let prod = json!([{"api": "pets", "stage": "prod"}, {"api": "orders", "stage": "prod"}]);
        let both = json!([{"api": "pets", "stage": "beta"}, {"api": "pets", "stage": "prod"}, {"api": "orders", "stage": "prod"}]);
        let told = told(
            keys(3),
            json!([
                {"usagePlanName": "gold", "apiStages": prod, "keys": ["k0", "k1"]},
                {"usagePlanName": "silver", "apiStages": both, "keys": ["k2", "k1"]},
                // Another stage alone: nothing is wrong with it.
                {"usagePlanName": "extra", "apiStages": [{"api": "pets", "stage": "beta"}], "keys": ["k0"]},
            ]),
        );
        assert_eq!(
            told,
            [
                "$.usagePlans[1].keys[1]: key `k1` is on the usage plans `gold` and `silver`, which both have stage `prod` of `pets` and 1 more; help: a key has one plan for a stage"
            ]
        );
    }

    #[test]
    fn ten_thousand_keys_on_two_plans_of_many_stages_are_four_lines() {
        const COUNT: usize = 10_000;
        let stages: Vec<Value> = (0..200).map(|index| json!({"stageName": format!("s{index}")})).collect();
        let mut value = document(keys(COUNT), json!([]));
        value["apis"][0]["stages"] = json!(stages);
        let all: Vec<Value> = (0..200).map(|index| json!({"api": "pets", "stage": format!("s{index}")})).collect();
        let plan = |name: &str, range| json!({"usagePlanName": name, "apiStages": all, "keys": names(range)});
        value["usagePlans"] = json!([plan("gold", 0..COUNT), plan("silver", 0..COUNT)]);
        let told = read(&value).1;
        assert_eq!(told.len(), 4, "{told:#?}");
        assert!(told[3].starts_with("$.usagePlans[1].keys: 9997 more keys of this plan are on usage plan `gold`"), "{told:#?}");
        assert!(told[3].contains("stage `s0` of `pets` and 199 more"), "{told:#?}");
        value["usagePlans"] = json!([plan("gold", 0..COUNT / 2), plan("silver", COUNT / 2..COUNT)]);
        let (plans, told) = read(&value);
        assert!(told.is_empty(), "{told:#?}");
        assert_eq!(plans.keys.iter().count(), COUNT);
    }

    #[test]
    fn methods_that_the_api_has_not_are_told_with_the_nearest() {
        let throttle = json!({"rateLimit": 1, "burstLimit": 1});
        let value = document(
            json!([]),
            json!([{"usagePlanName": "p", "apiStages": [{"api": "pets", "stage": "prod", "throttle": {
                "/pets/{petId}/GET": throttle, "/pets/{id}/GET": throttle, "/pets/GET": throttle, "/GET": throttle, "GET": throttle,
            }}]}]),
        );
        let definition = Outline::of_definition(&json!({"openapi": "3.0.1", "servers": [{"url": "https://h/v1"}], "paths": {
            "/": {"get": {}}, "/pets/{petId}": {"get": {}}, "/pets": {"x-amazon-apigateway-any-method": {}},
        }}));
        let methods = |basepath, problems: &mut Problems| {
            Methods::of(&crate::definition::OpenApi::read(&definition.definition(), basepath, problems).items)
        };
        let mut problems = Problems::default();
        let (plans, _) = read(&value);
        let known = methods(crate::definition::Basepath::Ignore, &mut problems);
        plans.check_methods("orders", &known, &mut problems);
        assert!(!problems.any_error(), "they are another API's");
        plans.check_methods("pets", &known, &mut problems);
        let told: Vec<_> = problems.into_vec().iter().map(ToString::to_string).collect();
        let place = "$.usagePlans[0].apiStages[0].throttle";
        assert_eq!(
            told,
            [
                format!(
                    "{place}[\"/pets/{{id}}/GET\"]: API `pets` has no method `/pets/{{id}}/GET`; help: near it there is `/pets/{{petId}}/GET`, `/pets/ANY`, `//GET`"
                ),
                format!(
                    "{place}[\"/pets/GET\"]: API `pets` has no method `/pets/GET`; help: near it there is `/pets/ANY`, `/pets/{{petId}}/GET`, `//GET`"
                ),
                format!(
                    "{place}.GET: API `pets` has no method `GET`; help: near it there is `/pets/{{petId}}/GET`, `/pets/ANY`, `//GET`"
                ),
            ]
        );
        // A definition without methods has a problem of its own.
        let mut problems = Problems::default();
        plans.check_methods("pets", &Methods::default(), &mut problems);
        assert!(!problems.any_error());
        // A base path that the import prepends is part of every name.
        let mut problems = Problems::default();
        let (plans, _) = read(&value);
        plans.check_methods("pets", &methods(crate::definition::Basepath::Prepend, &mut Problems::default()), &mut problems);
        assert_eq!(problems.into_vec().len(), 5);
    }

    #[test]
    fn a_name_beats_an_id_and_an_id_of_two_apis_names_none() {
        let api = |name: &str, id: &str| json!({"name": name, "apiId": id, "definition": {"openapi": "3.0.1", "paths": {}}, "stages": [{"stageName": "prod"}]});
        let told = |text: &str| {
            let plan = json!({"usagePlanName": "p", "apiStages": [{"api": text, "stage": "prod"}]});
            let apis = [api("x", "y"), api("a", "x"), api("b", "z"), api("c", "z")];
            read(&json!({"apis": apis, "usagePlans": [plan]})).1
        };
        assert_eq!([told("x"), told("y")], [const { Vec::<String>::new() }; 2]);
        assert!(told("z").iter().any(|line| line.contains("several APIs have the id `z`")), "{:?}", told("z"));
    }
}
