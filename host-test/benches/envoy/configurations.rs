//! The Envoys that are measured: the shipped configuration with Tollgate in it, without it, and with native filters in its place.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::documents::{AUDIENCE, ISSUER, ORIGIN, template};
use super::floor::Floor;
use crate::drivers::edge::{Configuration, Template, http_connection_manager};
use crate::drivers::envoy::{module, workspace};
use crate::drivers::tokens::put_keys;

/// Makes them, all with the same backend.
pub struct Configurations {
    template: Template,
    backend: SocketAddr,
}

// === impl Configurations ===

impl Configurations {
    /// With a backend at an address.
    pub fn new(backend: SocketAddr) -> Self {
        Self { template: edge(), backend }
    }

    /// The filter, with a gateway document.
    pub fn tollgate(&self, document: &Value) -> Value {
        let listener = listener(&self.template, &document.to_string());
        self.bootstrap(listener)
    }

    /// A module that decides nothing, in the place of the filter.
    pub fn floor(&self, floor: Floor) -> Value {
        let mut listener = listener(&self.template, "");
        let manager = http_connection_manager(&mut listener);
        manager["http_filters"][0]["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"] = json!(floor.module());
        manager["route_config"]["virtual_hosts"][0]["routes"] = to_backend();
        self.bootstrap(listener)
    }

    /// No filter at all: one route to the backend.
    pub fn bare(&self) -> Value {
        self.native(Vec::new(), to_backend())
    }

    /// Native filters, in their order, in front of the router, and routes.
    pub fn native(&self, filters: Vec<Value>, routes: Value) -> Value {
        let mut listener = listener(&self.template, "");
        let manager = http_connection_manager(&mut listener);
        let http_filters = manager["http_filters"].as_array_mut().expect("a list");
        http_filters.splice(..1, filters);
        let host = &mut manager["route_config"]["virtual_hosts"][0];
        host["routes"] = routes;
        host["typed_per_filter_config"] = json!({"envoy.filters.http.cors": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
            "allow_origin_string_match": [{"exact": ORIGIN}], "allow_methods": "GET", "allow_headers": "authorization",
        }});
        self.bootstrap(listener)
    }

    fn bootstrap(&self, listener: Value) -> Value {
        let mut cluster = self.template.cluster("backend", &self.backend.ip().to_string(), self.backend.port());
        cluster["type"] = "STATIC".into();
        self.template.bootstrap(loopback(), vec![listener], vec![cluster])
    }
}

/// The backend of all: another Envoy, which answers by itself.
pub fn backend(answers: &[(&str, String)]) -> Value {
    let template = edge();
    let mut listener = listener(&template, "");
    let manager = http_connection_manager(&mut listener);
    manager["http_filters"].as_array_mut().expect("a list").remove(0);
    let answers = answers.iter().map(|(prefix, body)| answer(json!({"prefix": prefix}), body)).collect();
    manager["route_config"]["virtual_hosts"][0]["routes"] = Value::Array(answers);
    template.bootstrap(loopback(), vec![listener], Vec::new())
}

/// Every request to the backend, with the path that Tollgate's integration has.
pub fn to_backend() -> Value {
    json!([{"match": {"prefix": "/"}, "route": {"cluster": "backend", "timeout": "60s"}}])
}

/// Every request answered at once.
pub fn direct_response() -> Value {
    json!([answer(json!({"prefix": "/"}), "{\"message\": \"hello\"}")])
}

/// As many routes as Tollgate's tables have, by Envoy's own matcher of URI templates, each answered at once.
pub fn uri_templates(count: usize) -> Value {
    let matcher = |number: usize| {
        json!({"path_match_policy": {"name": "envoy.path.match.uri_template.uri_template_matcher",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
            "path_template": format!("/prod{}", template(number))}}})
    };
    (0..count).map(|number| answer(matcher(number), "{\"message\": \"hello\"}")).collect()
}

/// Envoy's `cors` and `local_ratelimit`.
pub fn open_filters() -> Vec<Value> {
    vec![
        json!({"name": "envoy.filters.http.cors",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"}}),
        json!({"name": "envoy.filters.http.local_ratelimit", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
            "stat_prefix": "throttle",
            "token_bucket": {"max_tokens": 10_000_000, "tokens_per_fill": 10_000_000, "fill_interval": "1s"},
            "filter_enabled": {"default_value": {"numerator": 100}},
            "filter_enforced": {"default_value": {"numerator": 100}},
        }}),
    ]
}

/// The same with `jwt_authn` between them.
pub fn jwt_filters(has_cache: bool) -> Vec<Value> {
    let mut jwks = json!({"issuers": {ISSUER: {"jwks": "{{jwks}}"}}});
    put_keys(&mut jwks);
    let mut provider = json!({
        "issuer": ISSUER, "audiences": [AUDIENCE], "forward": true,
        "local_jwks": {"inline_string": jwks["issuers"][ISSUER]["jwks"].to_string()},
    });
    if has_cache {
        provider["jwt_cache_config"] = json!({"jwt_cache_size": 1000});
    }
    let mut filters = open_filters();
    let authn = json!({"name": "envoy.filters.http.jwt_authn", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"issuer": provider},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "issuer"}}],
    }});
    filters.insert(1, authn);
    filters
}

fn answer(matcher: Value, body: &str) -> Value {
    json!({"match": matcher, "direct_response": {"status": 200, "body": {"inline_string": body}},
        "response_headers_to_add": [{"header": {"key": "content-type", "value": "application/json"},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}]})
}

fn edge() -> Template {
    Template::read(&workspace().join("envoy/edge.yaml")).expect("the template is YAML")
}

/// The shipped one but for its access log, which none of them writes: it would make every ratio look better.
fn listener(template: &Template, document: &str) -> Value {
    let mut listener = template.listener("edge", loopback(), &module(), &Configuration::Text(document.to_owned()));
    http_connection_manager(&mut listener).as_object_mut().expect("an object").remove("access_log");
    listener
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
