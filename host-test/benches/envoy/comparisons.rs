//! What is set beside what, and how far apart it may be.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::configurations::{Configurations, direct_response, jwt_filters, open_filters, to_backend, uri_templates};
use super::documents::{AUDIENCE, ISSUER, ORIGIN, bodies, http_api, key, keyed, mocks, routes};
use super::floor::{Call, Floor};
use super::load::Load;
use crate::drivers::tokens::{Tokens, put_tokens};

/// Two configurations under the same kind of load.
pub struct Comparison {
    /// For `--only`, and for files.
    pub name: &'static str,
    /// What is measured.
    pub variant: (&'static str, Value, Load),
    /// What it is set beside.
    pub base: (&'static str, Value, Load),
    /// The ratio that it may have.
    pub goal: Option<f64>,
}

/// A kilobyte of JSON that clients and functions carry.
const FILLING: usize = 960;

/// More than any cache of tokens has, so that in turn each is new.
const COLD_TOKENS: usize = 2_500;

/// How many routes of a table are called, all over it.
const CALLED: usize = 997;

/// What the backend answers, by the beginning of the path.
pub fn answers() -> Vec<(&'static str, String)> {
    let pets: Vec<Value> = (0..20).map(|id| json!({"id": id, "name": format!("pet number {id}"), "tag": "friendly"})).collect();
    let output = json!({"statusCode": 200, "headers": {"content-type": "application/json"}, "body": "x".repeat(FILLING)});
    vec![
        ("/2015-03-31/functions", output.to_string()),
        ("/template", json!({"pets": pets}).to_string()),
        ("/", "{\"message\": \"hello\"}".to_owned()),
    ]
}

/// All of them, in the order of the table.
pub fn all(configurations: &Configurations) -> Vec<Comparison> {
    let c = configurations;
    let page = |load: Load| load.header("origin", ORIGIN);
    let pets = || Load::get("/prod/pets");
    let warm = || page(pets()).credentials(tokens(1));
    let cold = || page(pets()).credentials(tokens(COLD_TOKENS));
    let with_key = |keys: usize| Load::get("/prod/keyed").header("x-api-key", key(keys / 2));
    let body = || json!({"name": "Rex", "tag": "x".repeat(FILLING)}).to_string();
    let bare = || ("bare proxy", c.bare());
    let beside = |(what, configuration): (&'static str, Value), load: Load| (what, configuration, load);
    let native = |filters: Vec<Value>| c.native(filters, to_backend());
    let tables = |count: usize, make: fn(usize) -> Value| c.tollgate(&make(count));
    let spread = |count: usize| {
        let number = |n: usize| n * 7_919 % count;
        Load::get("/").paths((0..CALLED).map(|n| format!("/prod/r{:05}/42", number(n))).collect())
    };
    let open = || ("open route", c.tollgate(&http_api(false)));
    let uri_template = |count: usize| c.native(Vec::new(), uri_templates(count));
    let direct = || ("native direct_response", c.native(Vec::new(), direct_response()));
    let floor = |what, floor: Floor| (what, c.floor(floor), page(pets()));
    let comparison = |name, variant: (&'static str, Value, Load), base, goal| Comparison { name, variant, base, goal };
    vec![
        comparison("noise", beside(("bare proxy", c.bare()), pets()), beside(bare(), pets()), None),
        comparison(
            "native",
            ("native cors + local_ratelimit", native(open_filters()), page(pets())),
            beside(bare(), page(pets())),
            None,
        ),
        comparison("floor-loaded", floor("a module without callbacks", Floor::Loaded), beside(bare(), page(pets())), None),
        comparison("floor-called", floor("a module that is called", Floor::Called), beside(bare(), page(pets())), None),
        comparison("floor-reads", floor("a module that reads heads", Floor::Reads), beside(bare(), page(pets())), None),
        comparison(
            "floor-writes",
            floor("a module that reads and writes heads", Floor::Writes),
            beside(bare(), page(pets())),
            None,
        ),
        comparison("floor-measures", floor("the same, and is measured", Floor::Measures), beside(bare(), page(pets())), None),
        comparison("open", beside(open(), page(pets())), beside(bare(), page(pets())), Some(1.20)),
        comparison(
            "open-native",
            beside(open(), page(pets())),
            ("native cors + local_ratelimit", native(open_filters()), page(pets())),
            None,
        ),
        comparison(
            "jwt-warm",
            ("JWT, known", c.tollgate(&http_api(true)), warm()),
            ("native cors + jwt_authn with its cache + local_ratelimit", native(jwt_filters(true)), warm()),
            Some(1.10),
        ),
        comparison(
            "jwt-cold",
            ("JWT, new each time", c.tollgate(&http_api(true)), cold()),
            ("native cors + jwt_authn without cache + local_ratelimit", native(jwt_filters(false)), cold()),
            Some(1.00),
        ),
        comparison(
            "key",
            ("API key and plan", c.tollgate(&keyed(10)), with_key(10)),
            ("open route of the same API", c.tollgate(&keyed(10)), Load::get("/prod/open")),
            Some(1.10),
        ),
        comparison(
            "keys",
            ("10,000 keys", c.tollgate(&keyed(10_000)), with_key(10_000)),
            ("10 keys", c.tollgate(&keyed(10)), with_key(10)),
            None,
        ),
        comparison(
            "routes-1000",
            ("1,000 routes with a parameter", tables(1_000, routes), spread(1_000)),
            ("10 routes", tables(10, routes), spread(10)),
            None,
        ),
        comparison(
            "routes",
            ("10,000 routes with a parameter", tables(10_000, routes), spread(10_000)),
            ("10 routes", tables(10, routes), spread(10)),
            Some(1.05),
        ),
        comparison(
            "templates-10",
            ("10 templates, MOCK", tables(10, mocks), spread(10)),
            ("native uri_template, 10", uri_template(10), spread(10)),
            None,
        ),
        comparison(
            "templates-1000",
            ("1,000 templates, MOCK", tables(1_000, mocks), spread(1_000)),
            ("native uri_template, 1,000", uri_template(1_000), spread(1_000)),
            None,
        ),
        comparison(
            "templates",
            ("10,000 templates, MOCK", tables(10_000, mocks), spread(10_000)),
            ("native uri_template, 10,000", uri_template(10_000), spread(10_000)),
            Some(0.008),
        ),
        comparison(
            "response",
            ("gateway response", c.tollgate(&http_api(false)), Load::get("/prod/nowhere").answered(404)),
            beside(direct(), Load::get("/prod/nowhere")),
            Some(1.30),
        ),
        comparison("mock", ("MOCK", tables(10, mocks), spread(10)), beside(direct(), spread(10)), None),
        comparison(
            "lambda",
            ("Lambda proxy, 1 KB both ways", c.tollgate(&bodies()), Load::post("/prod/function", body())),
            beside(bare(), Load::post("/2015-03-31/functions", body())),
            None,
        ),
        comparison(
            "template",
            ("mapping templates, 1 KB both ways", c.tollgate(&bodies()), Load::post("/prod/template", body())),
            beside(bare(), Load::post("/template", body())),
            None,
        ),
        comparison(
            "post",
            ("HTTP_PROXY, 1 KB sent", c.tollgate(&bodies()), Load::post("/prod/proxy", body())),
            beside(bare(), Load::post("/prod/proxy", body())),
            None,
        ),
    ]
}

/// What a host call costs: a module that makes it again and again, beside one that makes none.
pub fn crossings(configurations: &Configurations) -> Vec<(Call, Comparison)> {
    let load = || Load::get("/prod/pets").header("origin", ORIGIN);
    let comparison = |call: Call| Comparison {
        name: call.name(),
        variant: ("a module that calls", configurations.floor(Floor::Repeats(call)), load()),
        base: ("a module that is called", configurations.floor(Floor::Called), load()),
        goal: None,
    };
    Call::ALL.into_iter().map(|call| (call, comparison(call))).collect()
}

/// Values of `authorization`, each with a token of its own.
fn tokens(count: usize) -> Vec<String> {
    let token = |n: usize| {
        let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": format!("user-{n}"), "scope": "read", "exp": "now+36000", "iat": "now-10"});
        (format!("t{n}"), json!({"key": "rs256", "claims": claims}))
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let of = |n: usize| {
        let (name, token) = token(n);
        let tokens: Tokens = serde_json::from_value(json!({ &name: token })).expect("they are tokens");
        put_tokens(&format!("Bearer {{{{token:{name}}}}}"), &tokens, now)
    };
    (0..count).map(of).collect()
}
