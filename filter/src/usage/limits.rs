//! What all callers share: the throttles of methods, stages and accounts.
//!
//! AWS: "Throttle requests to your REST APIs for better throughput in API Gateway", "Throttle requests to your HTTP APIs for better
//! throughput in API Gateway".
//!
//! The throttle of a whole stage is ours: AWS limits the methods of a stage, each by itself, and the account.

use super::methods::{Methods, method_name};
use super::read::rates::{self, Limit, Rates, SETTINGS};
use super::read::settings::Reader;
use super::{Lease, Leases, Meter, Table, Throttle, slot};
use crate::definition::{ApiDocument, Document, Node, Protocol, StageDocument};
use crate::problem::Problems;
use crate::reporting::Reporting;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// What limits all APIs of an account in a region together.
#[derive(Debug, Default)]
pub struct AccountLimits {
    /// None: no limit.
    rates: Option<Rates>,
    limits: Rc<Limits>,
}

/// One lease of each slot, whoever else counts there: APIs of one account, stages that are told twice.
#[derive(Debug, Default)]
struct Limits {
    leases: Arc<Leases>,
    made: RefCell<Table<Arc<Lease>>>,
}

/// What limits the routes of one stage.
#[derive(Debug)]
pub struct StageLimits {
    api: String,
    stage: String,
    /// Of each method of which nothing else is said.
    default: Option<Throttle>,
    /// None: no limit, whatever the others have.
    methods: Table<Option<Throttle>>,
    /// How all methods are reported on, and how each of which something is said.
    reporting: Reporting,
    reported: Table<Reporting>,
    /// What all methods share: stage, account.
    shared: Vec<Arc<Lease>>,
    limits: Rc<Limits>,
}

/// What API Gateway gives an account.
const DEFAULT: Rates = Rates { rate: 10_000.0, burst: 5_000 };

/// What a stage says of limits; the first one is ours, the second AWS's for REST APIs, the others AWS's for HTTP APIs.
const KEYS: [&str; 4] = ["throttle", "methodSettings", "defaultRouteSettings", "routeSettings"];

// === impl AccountLimits ===

impl AccountLimits {
    /// Reads `account`.
    pub fn read(document: &Document<'_>, problems: &mut Problems) -> Self {
        let limit = document.account.as_ref().and_then(|node| read_account(node, problems)).unwrap_or(Limit::Unsaid);
        let rates = match limit {
            Limit::Unsaid => Some(DEFAULT),
            Limit::Unlimited => None,
            Limit::To(rates) => Some(rates),
        };
        Self { rates, limits: Rc::default() }
    }

    /// What counts the requests of an API: one of each account and region.
    fn meter(&self, api: &ApiDocument<'_>) -> Option<Arc<Lease>> {
        self.limits.lease(&["account", &api.account_id, &api.region], self.rates?.throttle())
    }

    /// What this worker has of everything that callers share.
    pub fn leases(&self) -> Arc<Leases> {
        Arc::clone(&self.limits.leases)
    }
}

// === impl Limits ===

impl Limits {
    fn lease(&self, parts: &[&str], throttle: Throttle) -> Option<Arc<Lease>> {
        let meter = Meter { slot: slot(parts), throttle: Some(throttle), quota: None };
        self.made.borrow_mut().entry(meter.slot.clone(), || Lease::new(meter, &self.leases)).cloned()
    }
}

fn read_account(node: &Node<'_>, problems: &mut Problems) -> Option<Limit> {
    node.only(&["throttleSettings"], problems);
    let settings = node.get("throttleSettings")?;
    settings.only(&[SETTINGS.rate, SETTINGS.burst], problems);
    rates::read_limit(&settings, SETTINGS, Some(DEFAULT), problems)
}

// === impl StageLimits ===

impl StageLimits {
    /// Reads what a stage says of its routes.
    pub fn read(
        api: &ApiDocument<'_>,
        stage: &StageDocument<'_>,
        methods: &Methods,
        account: &AccountLimits,
        problems: &mut Problems,
    ) -> Self {
        let mut said = KEYS.map(|key| stage.node.guarding(key, problems));
        said.iter().flatten().for_each(|node| node.no_nulls(problems));
        let [throttle, method_settings, default_route, routes] = &mut said;
        // What is for the other kind of API is told, and not read.
        match api.protocol {
            Protocol::Rest => {
                for node in [default_route.take(), routes.take()].into_iter().flatten() {
                    let help = "`methodSettings` are those of REST APIs";
                    problems.error(&node.path, "REST APIs have no route settings", Some(help));
                }
            }
            Protocol::Http => {
                if let Some(node) = method_settings.take() {
                    let help = "`defaultRouteSettings` and `routeSettings` are those of HTTP APIs";
                    problems.error(&node.path, "HTTP APIs have no method settings", Some(help));
                }
            }
        }
        let mut reader = Reader::new(api.protocol, methods, account.rates);
        if let Some(node) = method_settings {
            reader.method_settings(node, problems);
        }
        if let Some(node) = default_route {
            reader.default_route_settings(node, problems);
        }
        if let Some(node) = routes {
            reader.route_settings(node, problems);
        }
        let settings = reader.into_settings();
        let whole = throttle.as_ref().and_then(|node| rates::read_both(node, problems));
        let limits = Rc::clone(&account.limits);
        let whole = whole.and_then(|throttle| limits.lease(&["stage", &api.name, &stage.name], throttle));
        Self {
            api: api.name.clone(),
            stage: stage.name.clone(),
            default: settings.default,
            methods: settings.methods,
            reporting: settings.reporting,
            reported: settings.reported,
            shared: whole.into_iter().chain(account.meter(api)).collect(),
            limits,
        }
    }

    /// How a route is reported on: settings of methods and routes stand beside their limits.
    pub fn reporting(&self, method: &str, path: &str) -> Reporting {
        self.reported.get(method_name(path, method)).copied().unwrap_or_default().or(self.reporting)
    }

    /// What counts the requests of a route: its own meter, the stage's, the account's.
    pub fn meters(&self, method: &str, path: &str) -> Vec<Arc<Lease>> {
        let name = method_name(path, method);
        // Documented: these limits "are applied at the API method level for a stage", the same for all methods or not.
        let throttle = self.methods.get(&name).copied().unwrap_or(self.default);
        let own = throttle.and_then(|throttle| self.limits.lease(&["method", &self.api, &self.stage, &name], throttle));
        let mut meters: Vec<Arc<Lease>> = own.into_iter().collect();
        meters.extend_from_slice(&self.shared);
        meters
    }
}

/// Whether two stages of one name, which share their counts, have the same limits.
pub fn agree(one: &StageDocument<'_>, other: &StageDocument<'_>) -> bool {
    KEYS.iter().all(|key| one.node.value.get(key) == other.node.value.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Outline;
    use serde_json::{Value, json};

    type Counted = Vec<(String, Throttle)>;

    /// What counts `GET /`, `GET /pets` and `ANY /pets/{petId}` (`$default` in the place of the last in an HTTP API).
    fn limits(protocol: &str, account: Value, stage: Value) -> (Vec<Counted>, Vec<String>) {
        let mut stage = stage;
        stage["stageName"] = json!("prod");
        let last = if protocol == "REST" { "/pets/{petId}" } else { "/$default" };
        let definition = json!({"openapi": "3.0.1", "paths": {
            "/": {"get": {}}, "/pets": {"get": {}}, last: {"x-amazon-apigateway-any-method": {}},
        }});
        let document = json!({
            "apis": [{"name": "a", "protocol": protocol, "accountId": "1", "region": "r", "definition": definition, "stages": [stage]}],
            "account": account,
        });
        let mut problems = Problems::default();
        let outline = Outline::from_value(&document);
        let document = Document::read(&outline, &mut problems);
        let account = AccountLimits::read(&document, &mut problems);
        let api = &document.apis[0];
        let items = &api.definition.items;
        let methods = Methods::of(items);
        let limits = StageLimits::read(api, &api.stages[0], &methods, &account, &mut problems);
        let meters = items.iter().flat_map(|item| item.methods.iter().map(|key| (key, &item.path))).map(|(key, path)| {
            let meters = limits.meters(key.as_str(), path);
            meters.iter().map(|meter| (meter.slot.clone(), meter.throttle.unwrap())).collect()
        });
        (meters.collect(), problems.into_vec().iter().map(ToString::to_string).collect())
    }

    fn no_account() -> Value {
        json!({"throttleSettings": {"rateLimit": -1, "burstLimit": -1}})
    }

    fn throttling(rate: f64, burst: i64) -> Value {
        json!({"throttlingRateLimit": rate, "throttlingBurstLimit": burst})
    }

    fn of_method(name: &str, rate: f64, burst: u32) -> (String, Throttle) {
        (format!(r#"usage["method","a","prod","{name}"]"#), Throttle::new(rate, burst))
    }

    #[test]
    fn the_account_limits_everything_by_aws_own_numbers_unless_it_is_said() {
        let whole = |rate, burst| (r#"usage["account","1","r"]"#.to_owned(), Throttle::new(rate, burst));
        for (account, expected) in [
            (Value::Null, vec![whole(10_000.0, 5_000)]),
            (json!({}), vec![whole(10_000.0, 5_000)]),
            (json!({"throttleSettings": {"rateLimit": 7, "burstLimit": 3}}), vec![whole(7.0, 3)]),
            (json!({"throttleSettings": {"burstLimit": 3}}), vec![whole(10_000.0, 3)]),
            (no_account(), vec![]),
        ] {
            for protocol in ["REST", "HTTP"] {
                let account = if account.is_null() { json!({}) } else { account.clone() };
                assert_eq!(limits(protocol, account, json!({})), (vec![expected.clone(); 3], vec![]));
            }
        }
    }

    #[test]
    fn the_apis_of_an_account_in_a_region_share_one_slot() {
        let api = |name: &str, account: &str, region: &str| json!({"name": name, "accountId": account, "region": region, "definition": {}, "stages": [{"stageName": "s"}]});
        let document = json!({"apis": [api("a", "1", "r"), api("b", "1", "r"), api("c", "2", "r"), api("d", "1", "s")]});
        let mut problems = Problems::default();
        let outline = Outline::from_value(&document);
        let document = Document::read(&outline, &mut problems);
        let account = AccountLimits::read(&document, &mut problems);
        let slots: Vec<_> = document.apis.iter().map(|api| account.meter(api).unwrap().slot.clone()).collect();
        assert_eq!(slots[0], slots[1]);
        assert!(slots[2] != slots[3] && slots[0] != slots[2] && slots[0] != slots[3]);
    }

    #[test]
    fn every_spelling_of_method_settings_says_the_same() {
        let (all, one, root) = (throttling(9.0, 9), throttling(5.0, 10), throttling(0.0, 0));
        let expected = vec![
            vec![of_method("//GET", 0.0, 0)],
            vec![of_method("/pets/GET", 5.0, 10)],
            vec![of_method("/pets/{petId}/ANY", 9.0, 9)],
        ];
        let entry = |path: &str, method: &str, settings: &Value| {
            let mut entry = settings.clone();
            entry["resourcePath"] = json!(path);
            entry["httpMethod"] = json!(method);
            entry
        };
        for settings in [
            json!([entry("/*", "*", &all), entry("/~1pets", "GET", &one), entry("/", "GET", &root)]),
            json!([entry("*", "*", &all), entry("/pets", "get", &one), entry("~1", "GET", &root)]),
            json!({"*/*": all, "pets/GET": one, "/GET": root}),
            json!({"/*/*": all, "~1pets/GET": one, "~1/GET": root}),
            json!({"*/*": all, "/pets/GET": one, "//GET": root}),
        ] {
            assert_eq!(limits("REST", no_account(), json!({"methodSettings": settings})), (expected.clone(), vec![]), "{settings}");
        }
    }

    #[test]
    fn route_settings_say_of_routes_what_method_settings_say_of_methods() {
        let stage = json!({
            "defaultRouteSettings": throttling(9.0, 9),
            "routeSettings": {"GET /pets": throttling(5.0, 10), "$default": throttling(-1.0, -1)},
        });
        let expected = vec![vec![of_method("//GET", 9.0, 9)], vec![of_method("/pets/GET", 5.0, 10)], vec![]];
        assert_eq!(limits("HTTP", no_account(), stage), (expected, vec![]));
        let stage = json!({"routeSettings": {"$default": throttling(1.0, 1)}});
        let (meters, told) = limits("HTTP", no_account(), stage);
        assert_eq!((meters[2].as_slice(), told), ([of_method("$default", 1.0, 1)].as_slice(), vec![]));
    }

    #[test]
    fn a_method_is_counted_by_its_own_meter_then_the_stages_then_the_accounts() {
        let stage = json!({"throttle": {"rateLimit": 3, "burstLimit": 4}, "methodSettings": {"pets/GET": throttling(1.0, 2)}});
        let (meters, told) = limits("REST", json!({"throttleSettings": {"rateLimit": 5, "burstLimit": 6}}), stage);
        let shared = [
            (r#"usage["stage","a","prod"]"#.to_owned(), Throttle::new(3.0, 4)),
            (r#"usage["account","1","r"]"#.to_owned(), Throttle::new(5.0, 6)),
        ];
        assert_eq!(meters[0], shared);
        assert_eq!(meters[1], [[of_method("/pets/GET", 1.0, 2)].as_slice(), &shared].concat());
        assert!(told.is_empty(), "{told:?}");
    }

    #[test]
    fn a_method_of_which_only_logs_are_said_keeps_the_default_and_minus_one_lifts_it() {
        let stage = json!({"methodSettings": {
            "*/*": throttling(9.0, 9),
            "pets/GET": {"loggingLevel": "OFF"},
            "~1/GET": throttling(-1.0, -1),
        }});
        let expected = vec![vec![], vec![of_method("/pets/GET", 9.0, 9)], vec![of_method("/pets/{petId}/ANY", 9.0, 9)]];
        assert_eq!(limits("REST", no_account(), stage), (expected, vec![]));
    }

    #[test]
    fn what_get_stage_prints_of_a_stage_without_a_cache_is_silent() {
        let printed = json!({"*/*": {
            "metricsEnabled": false, "loggingLevel": "OFF", "dataTraceEnabled": false, "throttlingBurstLimit": 5000,
            "throttlingRateLimit": 10000.0, "cachingEnabled": false, "cacheTtlInSeconds": 300, "cacheDataEncrypted": false,
            "requireAuthorizationForCacheControl": true, "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
        }});
        assert_eq!(limits("REST", no_account(), json!({"methodSettings": printed})).1, Vec::<String>::new());
        let printed = json!({"detailedMetricsEnabled": false, "dataTraceEnabled": false, "loggingLevel": "OFF"});
        assert_eq!(limits("HTTP", no_account(), json!({"defaultRouteSettings": printed})).1, Vec::<String>::new());
    }

    #[test]
    fn every_mistake_of_a_stage_is_told_once() {
        let one = throttling(1.0, 1);
        for (protocol, stage, start) in [
            ("REST", json!({"defaultRouteSettings": {}}), ".defaultRouteSettings: REST APIs have no route settings"),
            ("REST", json!({"routeSettings": {}}), ".routeSettings: REST APIs have no route settings"),
            ("HTTP", json!({"methodSettings": []}), ".methodSettings: HTTP APIs have no method settings"),
            ("REST", json!({"throttle": {"rateLimit": -1, "burstLimit": 5}}), ".throttle.rateLimit: `-1` is no rate"),
            ("REST", json!({"throttle": null}), ".throttle: nothing is said here"),
            ("REST", json!({"methodSettings": 7}), ".methodSettings: expected an object"),
            ("REST", json!({"methodSettings": {"*/*": 7}}), ".methodSettings[\"*/*\"]: expected an object"),
            (
                "REST",
                json!({"methodSettings": {"*/*": {"throttlingRate": 7}}}),
                ".methodSettings[\"*/*\"].throttlingRate: unknown key",
            ),
            ("REST", json!({"methodSettings": [{"httpMethod": "GET"}]}), ".methodSettings[0]: no `resourcePath`"),
            ("REST", json!({"methodSettings": [{"resourcePath": "/"}]}), ".methodSettings[0]: no `httpMethod`"),
            (
                "REST",
                json!({"methodSettings": {"pets/POST": one}}),
                ".methodSettings[\"pets/POST\"]: the API has no method `pets/POST`; help: near it there is `GET /pets`",
            ),
            ("REST", json!({"methodSettings": {"pets/*": one}}), ".methodSettings[\"pets/*\"]: the API has no method `pets/*`"),
            ("REST", json!({"methodSettings": {"*/GET": one}}), ".methodSettings[\"*/GET\"]: the API has no method `*/GET`"),
            (
                "REST",
                json!({"methodSettings": {"pets/GET": one, "/pets/GET": one}}),
                ".methodSettings[\"/pets/GET\"]: settings of `GET /pets` are there already, at $.apis[0].stages[0].methodSettings[\"pets/GET\"]",
            ),
            (
                "REST",
                json!({"methodSettings": {"*/*": {}, "/*/*": {}}}),
                ".methodSettings[\"/*/*\"]: settings of all methods are there already",
            ),
            (
                "REST",
                json!({"methodSettings": {"*/*": throttling(1.0, 0)}}),
                ".methodSettings[\"*/*\"].throttlingBurstLimit: `throttlingBurstLimit` 0 lets no request pass",
            ),
            (
                "REST",
                json!({"methodSettings": {"*/*": throttling(-2.0, 1)}}),
                ".methodSettings[\"*/*\"].throttlingRateLimit: `-2` is no rate",
            ),
            (
                "REST",
                json!({"methodSettings": {"*/*": {"throttlingRateLimit": 1}}}),
                ".methodSettings[\"*/*\"]: no `throttlingBurstLimit`, and the account has none",
            ),
            (
                "REST",
                json!({"methodSettings": {"*/*": {"cachingEnabled": true}}}),
                ".methodSettings[\"*/*\"].cachingEnabled: not served yet: response caching",
            ),
            (
                "REST",
                json!({"methodSettings": {"*/*": {"cacheTtlInSeconds": 3601}}}),
                ".methodSettings[\"*/*\"].cacheTtlInSeconds: expected a whole number from 0 to 3600",
            ),
            (
                "REST",
                json!({"methodSettings": {"*/*": {"metricsEnabled": 1}}}),
                ".methodSettings[\"*/*\"].metricsEnabled: expected `true` or `false`",
            ),
            (
                "REST",
                json!({"methodSettings": {"*/*": {"loggingLevel": "debug"}}}),
                ".methodSettings[\"*/*\"].loggingLevel: `debug` is not known here",
            ),
            (
                "HTTP",
                json!({"defaultRouteSettings": {"dataTraceEnabled": "true"}}),
                ".defaultRouteSettings.dataTraceEnabled: has no effect: HTTP APIs have no execution logs",
            ),
            (
                "HTTP",
                json!({"routeSettings": {"GET /pets": {"loggingLevel": "INFO"}}}),
                ".routeSettings[\"GET /pets\"].loggingLevel: has no effect: HTTP APIs have no execution logs",
            ),
            (
                "HTTP",
                json!({"defaultRouteSettings": {"cachingEnabled": true}}),
                ".defaultRouteSettings.cachingEnabled: unknown key",
            ),
            (
                "HTTP",
                json!({"routeSettings": {"POST /pets": one}}),
                ".routeSettings[\"POST /pets\"]: the API has no method `POST /pets`; help: near it there is `GET /pets`",
            ),
            ("HTTP", json!({"routeSettings": {"/pets": one}}), ".routeSettings[\"/pets\"]: the API has no method `/pets`"),
        ] {
            let (_, told) = limits(protocol, no_account(), stage);
            assert_eq!(told.len(), 1, "{told:#?}");
            assert!(told[0].starts_with(&format!("$.apis[0].stages[0]{start}")), "{told:#?}");
        }
    }

    #[test]
    fn the_account_is_read_as_strictly() {
        for (account, start) in [
            (json!({"rateLimit": 1}), "$.account.rateLimit: unknown key"),
            (json!({"throttleSettings": {"rate": 1}}), "$.account.throttleSettings.rate: unknown key"),
            (json!({"throttleSettings": {"rateLimit": -3}}), "$.account.throttleSettings.rateLimit: `-3` is no rate"),
            (
                json!({"throttleSettings": {"burstLimit": 0}}),
                "$.account.throttleSettings.burstLimit: `burstLimit` 0 lets no request pass",
            ),
            (json!({"throttleSettings": null}), "$.account.throttleSettings: nothing is said here"),
            (json!([]), "$.account: expected an object"),
        ] {
            let (_, told) = limits("REST", account, json!({}));
            assert_eq!(told.len(), 1, "{told:#?}");
            assert!(told[0].starts_with(start), "{told:#?}");
        }
    }

    #[test]
    fn a_method_is_reported_on_as_its_own_settings_say_and_else_as_those_of_all() {
        let setting = |path: &str, level: &str, metrics: bool| {
            json!({path: {"loggingLevel": level, "metricsEnabled": metrics}}).as_object().cloned().unwrap()
        };
        let mut settings = setting("*/*", "ERROR", true);
        settings.extend(setting("~1pets/GET", "INFO", false));
        let document = json!({"apis": [{"name": "a", "protocol": "REST", "definition": {"openapi": "3.0.1", "paths": {"/pets": {"get": {}}}},
            "stages": [{"stageName": "prod", "methodSettings": settings}]}]});
        let mut problems = Problems::default();
        let outline = Outline::from_value(&document);
        let document = Document::read(&outline, &mut problems);
        let api = &document.apis[0];
        let methods = Methods::of(&api.definition.items);
        let limits = StageLimits::read(api, &api.stages[0], &methods, &AccountLimits::default(), &mut problems);
        assert_eq!(problems.into_vec().iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
        assert_eq!(limits.reporting("GET", "/pets").metrics, Some(false));
        assert_eq!(limits.reporting("GET", "/other").metrics, Some(true));
        assert_ne!(limits.reporting("GET", "/pets").level, limits.reporting("GET", "/other").level);
    }

    #[test]
    fn stages_of_one_name_agree_when_they_limit_alike() {
        let limits = [
            json!({"throttle": {"rateLimit": 1, "burstLimit": 1}}),
            json!({"methodSettings": {"*/*": throttling(1.0, 1)}}),
            json!({"defaultRouteSettings": throttling(1.0, 1)}),
            json!({"routeSettings": {"GET /": throttling(1.0, 1)}}),
            json!({}),
        ];
        fn stage(value: &Value) -> StageDocument<'_> {
            let (name, variables) = ("prod".to_owned(), std::collections::BTreeMap::new());
            StageDocument { node: Node::root(value), name, base_path: String::new(), hosts: Vec::new(), variables }
        }
        for (index, one) in limits.iter().enumerate() {
            for (other_index, other) in limits.iter().enumerate() {
                assert_eq!(agree(&stage(one), &stage(other)), index == other_index, "{one} {other}");
            }
            let mut elsewhere = one.clone();
            elsewhere["description"] = json!("says nothing of limits");
            assert!(agree(&stage(one), &stage(&elsewhere)));
        }
    }
}
