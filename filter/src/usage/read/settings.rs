//! `methodSettings` of a REST API's stage; `defaultRouteSettings` and `routeSettings` of an HTTP API's. The two kinds of APIs write
//! the same in different words.
//!
//! AWS: `AWS::ApiGateway::Stage MethodSetting` (a list), `Stage.methodSettings` of the API Gateway reference (a map, as `get-stage`
//! prints it), `AWS::ApiGatewayV2::Stage RouteSettings`.

use super::rates::{Limit, Rates, THROTTLING, read_limit};
use crate::definition::{Node, Protocol};
use crate::problem::{JsonPath, Problems};
use crate::reporting::Reporting;
use crate::usage::methods::{Methods, method_name, name_of_route, route_of_name};
use crate::usage::{Table, Throttle};

/// What is said of the methods of a stage.
#[derive(Debug)]
pub struct Settings {
    /// Of every method of which nothing else is said; none: no limit.
    pub default: Option<Throttle>,
    /// Of one method; only what is said.
    pub methods: Table<Option<Throttle>>,
    /// How all methods are reported on; those of which something is said come first.
    pub reporting: Reporting,
    /// How one method is.
    pub reported: Table<Reporting>,
}

/// Of whom an entry speaks.
enum Target {
    All,
    Method {
        name: String,
        /// As it is written.
        text: String,
    },
}

/// What an entry is read against.
pub struct Reader<'r> {
    protocol: Protocol,
    methods: &'r Methods,
    /// What is taken for the half of a limit that is not said.
    account: Option<Rates>,
    /// Where they are; the empty name is for all methods.
    seen: Table<JsonPath>,
    settings: Settings,
}

const OF_METHOD: [&str; 10] = [
    THROTTLING.rate,
    THROTTLING.burst,
    "cachingEnabled",
    "cacheTtlInSeconds",
    "cacheDataEncrypted",
    "requireAuthorizationForCacheControl",
    "unauthorizedCacheControlHeaderStrategy",
    "metricsEnabled",
    "loggingLevel",
    "dataTraceEnabled",
];

const OF_ROUTE: [&str; 5] = [THROTTLING.rate, THROTTLING.burst, "detailedMetricsEnabled", "loggingLevel", "dataTraceEnabled"];

const STRATEGIES: [(&str, ()); 3] =
    [("FAIL_WITH_403", ()), ("SUCCEED_WITH_RESPONSE_HEADER", ()), ("SUCCEED_WITHOUT_RESPONSE_HEADER", ())];

/// In seconds.
const CACHE_TTL: std::ops::RangeInclusive<u64> = 0..=3600;

// === impl Reader ===

impl<'r> Reader<'r> {
    /// For one stage.
    pub fn new(protocol: Protocol, methods: &'r Methods, account: Option<Rates>) -> Self {
        let settings =
            Settings { default: None, methods: Table::default(), reporting: Reporting::default(), reported: Table::default() };
        Self { protocol, methods, account, seen: Table::default(), settings }
    }

    /// What was read.
    pub fn into_settings(self) -> Settings {
        self.settings
    }

    /// `methodSettings`, as a list or a map.
    pub fn method_settings(&mut self, node: &Node<'_>, problems: &mut Problems) {
        if node.value.is_array() {
            for entry in node.elements(problems) {
                let known: Vec<&str> = ["resourcePath", "httpMethod"].into_iter().chain(OF_METHOD).collect();
                entry.only(&known, problems);
                if !entry.value.is_object() {
                    continue;
                }
                let path = entry.required_text("resourcePath", problems);
                let method = entry.required_text("httpMethod", problems);
                if let (Some(path), Some(method)) = (path, method) {
                    self.entry(target(&path, &method, format!("{method} {path}")), &entry, &OF_METHOD, problems);
                }
            }
            return;
        }
        for (key, entry) in node.members(problems) {
            entry.only(&OF_METHOD, problems);
            let (path, method) = key.rsplit_once('/').unwrap_or((key, ""));
            self.entry(target(path, method, key.to_owned()), &entry, &OF_METHOD, problems);
        }
    }

    /// `defaultRouteSettings`
    pub fn default_route_settings(&mut self, node: &Node<'_>, problems: &mut Problems) {
        node.only(&OF_ROUTE, problems);
        self.entry(Target::All, node, &OF_ROUTE, problems);
    }

    /// `routeSettings`
    pub fn route_settings(&mut self, node: &Node<'_>, problems: &mut Problems) {
        for (key, entry) in node.members(problems) {
            entry.only(&OF_ROUTE, problems);
            let target = Target::Method { name: name_of_route(key), text: key.to_owned() };
            self.entry(target, &entry, &OF_ROUTE, problems);
        }
    }

    fn entry(&mut self, target: Target, node: &Node<'_>, known: &[&str], problems: &mut Problems) {
        if !node.value.is_object() {
            return;
        }
        read_the_rest(node, known, problems);
        let reporting = Reporting::read(node, self.protocol, problems);
        let limit = read_limit(node, THROTTLING, self.account, problems);
        let name = match target {
            Target::All => None,
            // A definition without methods has a problem of its own.
            Target::Method { name, text } if !self.methods.contains(&name) && !self.methods.is_empty() => {
                let message = format!("the API has no method `{text}`");
                problems.error(&node.path, message, Some(&self.methods.near(&name, route_of_name)));
                return;
            }
            Target::Method { name, .. } => Some(name),
        };
        let called = name.as_deref().unwrap_or_default();
        if let Some(first) = self.seen.get(called) {
            let what = name.as_deref().map_or_else(|| "all methods".to_owned(), |name| format!("`{}`", route_of_name(name)));
            problems.error(&node.path, format!("settings of {what} are there already, at {first}"), Some("keep one"));
            return;
        }
        self.seen.insert(called, node.path.clone());
        match &name {
            None => self.settings.reporting = reporting,
            Some(name) => {
                self.settings.reported.insert(name, reporting);
            }
        }
        let throttle = match limit {
            None | Some(Limit::Unsaid) => return,
            Some(Limit::Unlimited) => None,
            Some(Limit::To(rates)) => Some(rates.throttle()),
        };
        match name {
            None => self.settings.default = throttle,
            Some(name) => {
                self.settings.methods.insert(name, throttle);
            }
        }
    }
}

/// Whom path and method mean; slashes inside a path may be written `~1`, as JSON pointers have them, and the first one be left out.
fn target(path: &str, method: &str, text: String) -> Target {
    let path = path.replace("~1", "/").replace("~0", "~");
    let path = format!("/{}", path.trim_start_matches('/'));
    match (path.as_str(), method) {
        ("/*", "*") => Target::All,
        (path, method) => Target::Method { name: method_name(path, &method.to_ascii_uppercase()), text },
    }
}

/// Everything but the limit. What stands beside a cache that is off asks for nothing: `get-stage` always prints it.
fn read_the_rest(node: &Node<'_>, known: &[&str], problems: &mut Problems) {
    // What is not known is told already.
    let get = |key: &str| known.contains(&key).then(|| node.get(key)).flatten();
    let is_on = |key: &str, problems: &mut Problems| get(key).filter(|value| value.boolean(problems) == Some(true));
    if let Some(value) = is_on("cachingEnabled", problems) {
        problems.error(&value.path, "not served yet: response caching of methods", None);
    }
    for key in ["cacheDataEncrypted", "requireAuthorizationForCacheControl"] {
        is_on(key, problems);
    }
    if let Some(value) = get("cacheTtlInSeconds") {
        value.integer(CACHE_TTL, problems);
    }
    if let Some(value) = get("unauthorizedCacheControlHeaderStrategy") {
        value.one_of(&STRATEGIES, problems);
    }
}
