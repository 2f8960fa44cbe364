//! CORS of HTTP APIs: `x-amazon-apigateway-cors`. (REST APIs do it with a MOCK integration on OPTIONS and with gateway response
//! parameters.) AWS: "Configure CORS for HTTP APIs in API Gateway".

use crate::definition::Node;
use crate::http::{Headers, RequestHead, Response, ResponseHead, is_field_name};
use crate::problem::Problems;

/// The compiled extension.
#[derive(Debug, Clone)]
pub struct Cors {
    origins: Vec<AllowedOrigin>,
    methods: String,
    headers: String,
    exposed: String,
    max_age: Option<i64>,
    credentials: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum AllowedOrigin {
    Any,
    /// `https://*`
    Scheme(String),
    Exact(String),
}

/// What the gateway says itself, and therefore never takes from a backend (documented: "API Gateway ignores CORS headers returned
/// from your backend integration").
const PREFIX: &str = "access-control-";

// === impl Cors ===

impl Cors {
    /// Reads the extension.
    pub fn compile(node: &Node<'_>, problems: &mut Problems) -> Self {
        node.only(&["allowOrigins", "allowCredentials", "exposeHeaders", "maxAge", "allowMethods", "allowHeaders"], problems);
        let origins = node.get("allowOrigins").map(|list| list.elements(problems)).unwrap_or_default();
        let cors = Self {
            origins: origins.iter().filter_map(|origin| AllowedOrigin::compile(origin, problems)).collect(),
            methods: tokens(node, "allowMethods", problems),
            headers: tokens(node, "allowHeaders", problems),
            exposed: tokens(node, "exposeHeaders", problems),
            max_age: node.get("maxAge").and_then(|age| max_age(&age, problems)),
            credentials: node.get("allowCredentials").and_then(|flag| flag.boolean(problems)).unwrap_or(false),
        };
        if cors.credentials && cors.origins.contains(&AllowedOrigin::Any) {
            problems.error(&node.path, "`allowCredentials` is not supported if `allowOrigins` has `*`", None);
        }
        cors
    }

    /// The answer to a preflight; none when the request is not one.
    pub fn preflight(&self, request: &RequestHead) -> Option<Response> {
        let is_preflight = request.method == "OPTIONS"
            && request.headers.contains("origin")
            && request.headers.contains("access-control-request-method");
        // assumed(preflight-204): from memory; only "2xx" is safe to say.
        is_preflight.then(|| Response {
            head: ResponseHead { status: 204, headers: self.preflight_headers(&request.headers) },
            body: Vec::new(),
        })
    }

    fn preflight_headers(&self, request: &Headers) -> Headers {
        let mut headers = Headers::new();
        if self.allow(request, &mut headers) {
            let lines = [("access-control-allow-methods", &self.methods), ("access-control-allow-headers", &self.headers)];
            for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
                headers.append(name, value.as_str());
            }
            if let Some(seconds) = self.max_age {
                headers.append("access-control-max-age", seconds.to_string());
            }
        }
        headers
    }

    /// Puts this API's CORS headers in the place of whatever a backend sent.
    pub fn apply(&self, request: &Headers, response: &mut Headers) {
        response.retain(|name| !name.starts_with(PREFIX));
        if self.allow(request, response) && !self.exposed.is_empty() {
            response.append("access-control-expose-headers", self.exposed.as_str());
        }
    }

    /// Allows the origin, if it may be allowed; assumed(unlisted-origin): one that is not listed gets no CORS headers, from memory.
    /// Every answer varies by origin, allowed or not: a cache must not mix them up.
    fn allow(&self, request: &Headers, response: &mut Headers) -> bool {
        vary_by_origin(response);
        let Some(origin) = request.get("origin") else { return false };
        let Some(allowed) = self.origins.iter().find(|allowed| allowed.matches(origin)) else { return false };
        let echoed = match allowed {
            AllowedOrigin::Any => b"*".as_slice(),
            AllowedOrigin::Scheme(_) | AllowedOrigin::Exact(_) => origin,
        };
        response.append("access-control-allow-origin", echoed);
        if self.credentials {
            response.append("access-control-allow-credentials", "true");
        }
        true
    }
}

/// One line, whatever the upstream varies by: Envoy would make one of two.
fn vary_by_origin(response: &mut Headers) {
    if !response.contains("vary") {
        return response.append("vary", "Origin");
    }
    let mut value = response.get_all("vary").collect::<Vec<_>>().join(b", ".as_slice());
    let says_so = |name: &[u8]| name.trim_ascii().eq_ignore_ascii_case(b"origin") || name.trim_ascii() == b"*";
    if !value.split(|byte| *byte == b',').any(says_so) {
        value.extend_from_slice(if value.is_empty() { b"Origin" } else { b", Origin" });
    }
    response.set("vary", value);
}

/// Methods or header names, as one header value.
fn tokens(node: &Node<'_>, key: &str, problems: &mut Problems) -> String {
    let elements = node.get(key).map(|list| list.elements(problems)).unwrap_or_default();
    let token = |element: &Node<'_>| {
        let text = element.string(problems)?;
        if !is_field_name(text) {
            problems.error(&element.path, format!("`{text}` is neither a method nor a header name"), None);
        }
        Some(text.to_owned())
    };
    elements.iter().filter_map(token).collect::<Vec<_>>().join(",")
}

/// Seconds; -1 tells browsers not to keep the answer.
fn max_age(node: &Node<'_>, problems: &mut Problems) -> Option<i64> {
    if node.value.as_i64() == Some(-1) {
        return Some(-1);
    }
    node.integer(0..=86_400, problems).and_then(|seconds| i64::try_from(seconds).ok())
}

// === impl AllowedOrigin ===

impl AllowedOrigin {
    fn compile(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let text = node.string(problems)?;
        match text {
            "*" => return Some(Self::Any),
            "http://*" | "https://*" => return Some(Self::Scheme(text.trim_end_matches('*').to_owned())),
            _ => {}
        }
        // A browser sends `scheme://host[:port]`, or `null`; no other text ever matches one.
        let is_origin = text == "null" || (text.contains("://") && text.bytes().all(|byte| byte.is_ascii_graphic()));
        if text.contains('*') || !is_origin {
            let help = "an origin as browsers send it, or `*`, `http://*`, `https://*`";
            problems.error(&node.path, format!("`{text}` allows no origin"), Some(help));
            return None;
        }
        Some(Self::Exact(text.to_owned()))
    }

    fn matches(&self, origin: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Scheme(start) => origin.starts_with(start.as_bytes()) && origin.len() > start.len(),
            Self::Exact(text) => origin == text.as_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn cors(value: &Value) -> Cors {
        let mut problems = Problems::default();
        let cors = Cors::compile(&Node::root(value), &mut problems);
        assert!(!problems.any_error());
        cors
    }

    fn allowed(cors: &Cors, origin: &str) -> Vec<(String, String)> {
        let request: Headers = [("origin".to_owned(), origin.as_bytes().to_vec())].into_iter().collect();
        let mut response = Headers::new();
        response.append("access-control-allow-origin", "https://evil.test");
        cors.apply(&request, &mut response);
        response.iter().map(|(n, v)| (n.to_owned(), String::from_utf8_lossy(v).into_owned())).collect()
    }

    #[test]
    fn only_a_listed_origin_is_allowed_and_the_backend_has_no_say() {
        let cors =
            cors(&json!({"allowOrigins": ["https://a.test", "http://*"], "exposeHeaders": ["x-a"], "allowCredentials": true}));
        let vary = ("vary".to_owned(), "Origin".to_owned());
        for origin in ["https://b.test", "https://a.test.evil", "null", "http://", "https://A.test"] {
            assert_eq!(allowed(&cors, origin), std::slice::from_ref(&vary), "{origin}");
        }
        for origin in ["https://a.test", "http://any"] {
            let headers = allowed(&cors, origin);
            assert!(headers.contains(&("access-control-allow-origin".to_owned(), origin.to_owned())), "{headers:?}");
            assert!(headers.contains(&("access-control-allow-credentials".to_owned(), "true".to_owned())), "{headers:?}");
        }
    }

    #[test]
    fn credentials_with_a_star_are_refused() {
        let mut problems = Problems::default();
        Cors::compile(&Node::root(&json!({"allowOrigins": ["*"], "allowCredentials": true})), &mut problems);
        assert!(problems.any_error());
    }
}
