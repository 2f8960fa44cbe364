//! The settings of a method, as they stand in the definition: part by part of its execution. Secrets are shortened.

use serde_json::Value;
use tollgate::definition::Protocol;
use tollgate::http::RequestHead;

use super::Place;
use crate::cli::explain::secrets::Secrets;

/// A part of a method's execution: a box of the picture.
pub struct Part {
    /// For links.
    pub id: &'static str,
    /// In API Gateway's words.
    pub title: &'static str,
    pub settings: Vec<Setting>,
}

/// What is set.
pub struct Setting {
    pub name: String,
    pub value: Shown,
}

/// How a value is shown.
pub enum Shown {
    Text(String),
    /// Templates and models, as they are written.
    Code(String),
    /// What is mapped: to where, from where.
    Rows(Vec<(String, String)>),
}

/// What stands in the definition for a method.
struct Operation<'a> {
    api: &'a Value,
    path_item: &'a Value,
    operation: &'a Value,
    integration: &'a Value,
}

const METHODS: &str = "x-amazon-apigateway-any-method";
const INTEGRATION: &str = "x-amazon-apigateway-integration";

/// The five parts between client and backend, in the order of a request's way and back.
pub fn parts(document: &Value, place: &Place<'_>) -> [Part; 5] {
    let part = |id, title, settings| Part { id, title, settings };
    let found = Operation::find(document, place);
    let [request, integration_request, integration_response, response] = match &found {
        Some(operation) => {
            [operation.request(), operation.integration_request(), operation.integration_response(), operation.response()]
        }
        None => Default::default(),
    };
    let summary = Setting::text("Backend", &safe_uri(&place.route.integration.summary()));
    let timeout = found.as_ref().and_then(|operation| operation.timeout(place));
    [
        part("method-request", "Method request", guards(place).into_iter().chain(request).collect()),
        part("integration-request", "Integration request", integration_request),
        part("integration", "Integration", [Some(summary), timeout].into_iter().flatten().collect()),
        part("integration-response", "Integration response", integration_response),
        part("method-response", "Method response", response),
    ]
}

/// What the compiled form says of who may call.
fn guards(place: &Place<'_>) -> Vec<Setting> {
    let key = if place.route.usage.key.is_some() { "required" } else { "not required" };
    vec![Setting::text("Authorization", &place.route.guard.summary()), Setting::text("API key", key)]
}

/// A text without the password of a URL in it.
pub fn safe_uri(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.get(..end).and_then(|authority| authority.rfind('@')) {
        Some(at) => format!("{scheme}://…@{}", rest.get(at + 1..).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A constant in the place of a credential is one.
fn shortened(target: &str, source: &str) -> String {
    let name = target.rsplit('.').next().unwrap_or(target);
    let Some(constant) = source.strip_prefix('\'').and_then(|source| source.strip_suffix('\'')) else { return source.to_owned() };
    format!("'{}'", Secrets::of(&RequestHead::default()).header(name, constant))
}

fn name_of(reference: &Value) -> Option<&str> {
    reference.get("$ref")?.as_str()?.rsplit('/').next()
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

// === impl Setting ===

impl Setting {
    fn text(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: Shown::Text(value.to_owned()) }
    }
}

// === impl Operation ===

impl<'a> Operation<'a> {
    fn find(document: &'a Value, place: &Place<'_>) -> Option<Self> {
        let apis = document.get("apis")?.as_array()?;
        let api = apis.iter().find(|api| api.get("name").and_then(Value::as_str) == Some(&place.stage.api.name))?;
        let api = api.get("definition")?;
        let (method, path) = (place.route.method, place.route.resource_path());
        let paths = api.get("paths")?.as_object()?;
        let is_it = |known: &str| match path {
            "$default" | "/$default" => known == "/$default" || known == "$default",
            // A base path may have been put before it, and a slash be too many.
            path => known.trim_end_matches('/') == path.trim_end_matches('/'),
        };
        let under_base = |known: &str| known != "/" && path.ends_with(known.trim_end_matches('/'));
        let key = paths.keys().find(|known| is_it(known)).or_else(|| paths.keys().find(|known| under_base(known)))?;
        let path_item = paths.get(key)?;
        let method = if matches!(method, "ANY" | "$default") { METHODS.to_owned() } else { method.to_ascii_lowercase() };
        let operation = path_item.get(&method).or_else(|| path_item.get(METHODS))?;
        let integration = operation.get(INTEGRATION).unwrap_or(&Value::Null);
        let integration = resolve(api, integration);
        Some(Self { api, path_item, operation, integration })
    }

    fn request(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        let validator = self
            .operation
            .get("x-amazon-apigateway-request-validator")
            .or_else(|| self.api.get("x-amazon-apigateway-request-validator"));
        if let Some(name) = validator.and_then(Value::as_str) {
            let settings_of = self.api.get("x-amazon-apigateway-request-validators").and_then(|all| all.get(name));
            let is_on = |key: &str| settings_of.and_then(|it| it.get(key)).and_then(Value::as_bool).unwrap_or_default();
            let what = match (is_on("validateRequestBody"), is_on("validateRequestParameters")) {
                (true, true) => "body and parameters",
                (true, false) => "body",
                (false, true) => "parameters",
                (false, false) => "nothing",
            };
            settings.push(Setting::text("Request validator", &format!("{name}: {what}")));
        }
        let of = |value: &'a Value| value.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let mut rows = Vec::new();
        for parameter in of(self.path_item).chain(of(self.operation)).map(|parameter| resolve(self.api, parameter)) {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            if text("in") == "body" {
                let model = parameter.get("schema").and_then(name_of).unwrap_or("a schema of its own");
                settings.push(Setting::text("Request model", model));
                continue;
            }
            let is_required = parameter.get("required").and_then(Value::as_bool).unwrap_or_default();
            rows.push((format!("{} {}", text("in"), text("name")), if is_required { "required" } else { "optional" }.to_owned()));
        }
        if !rows.is_empty() {
            settings.push(Setting { name: "Parameters".to_owned(), value: Shown::Rows(rows) });
        }
        let content = self.operation.get("requestBody").map(|body| resolve(self.api, body)).and_then(|body| body.get("content"));
        let models = content.map(models).unwrap_or_default();
        if !models.is_empty() {
            settings.push(Setting { name: "Request models".to_owned(), value: Shown::Rows(models) });
        }
        settings
    }

    fn integration_request(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        for (key, name) in [
            ("type", "Type"),
            ("integrationSubtype", "Subtype"),
            ("httpMethod", "HTTP method"),
            ("uri", "Endpoint URL"),
            ("connectionType", "Connection"),
            ("connectionId", "VPC link"),
            ("payloadFormatVersion", "Payload format"),
            ("contentHandling", "Content handling"),
            ("passthroughBehavior", "Passthrough"),
        ] {
            if let Some(value) = self.integration.get(key).filter(|value| !value.is_null()) {
                settings.push(Setting::text(name, &safe_uri(&text_of(value))));
            }
        }
        if self.integration.get("credentials").is_some_and(|role| !role.is_null()) {
            settings.push(Setting::text("Credentials", "a role of the definition"));
        }
        settings.extend(mapped("Mapped parameters", self.integration.get("requestParameters")));
        settings.extend(templates("Mapping template", self.integration.get("requestTemplates")));
        settings
    }

    /// None where nobody is waited for.
    fn timeout(&self, place: &Place<'_>) -> Option<Setting> {
        let kind = self.integration.get("type").and_then(Value::as_str).unwrap_or_default();
        let default = if place.stage.api.protocol == Protocol::Rest { 29_000 } else { 30_000 };
        let text = match self.integration.get("timeoutInMillis").and_then(Value::as_u64) {
            _ if kind.eq_ignore_ascii_case("mock") => return None,
            Some(millis) => format!("{millis} ms"),
            None => format!("{default} ms, the default"),
        };
        Some(Setting::text("Timeout", &text))
    }

    fn integration_response(&self) -> Vec<Setting> {
        let is_proxy =
            self.integration.get("type").and_then(Value::as_str).is_some_and(|kind| kind.to_ascii_lowercase().ends_with("_proxy"));
        let mut settings = Vec::new();
        if is_proxy {
            settings.push(Setting::text("Proxy integration", "the backend's answer goes on as it is"));
        }
        let responses = self.integration.get("responses").and_then(Value::as_object);
        let mut rows = Vec::new();
        for (pattern, response) in responses.into_iter().flatten() {
            let status = response.get("statusCode").map(text_of).unwrap_or_default();
            rows.push((pattern.clone(), format!("→ {status}")));
        }
        if !rows.is_empty() {
            settings.push(Setting { name: "Selection patterns".to_owned(), value: Shown::Rows(rows) });
        }
        for (pattern, response) in responses.into_iter().flatten() {
            let named = |name: &str| format!("{name} of {pattern}");
            if let Some(handling) = response.get("contentHandling").filter(|handling| !handling.is_null()) {
                settings.push(Setting::text(&named("Content handling"), &text_of(handling)));
            }
            settings.extend(mapped(&named("Mapped headers"), response.get("responseParameters")));
            settings.extend(templates(&named("Mapping template"), response.get("responseTemplates")));
        }
        // HTTP APIs map by status.
        for (status, parameters) in self.integration.get("responseParameters").and_then(Value::as_object).into_iter().flatten() {
            settings.extend(mapped(&format!("Mapped parameters of {status}"), Some(parameters)));
        }
        settings
    }

    fn response(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        for (status, response) in self.operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
            let response = resolve(self.api, response);
            let headers = response.get("headers").and_then(Value::as_object).into_iter().flatten();
            let mut rows: Vec<_> = headers.map(|(name, _)| ("header".to_owned(), name.clone())).collect();
            rows.extend(response.get("content").map(models).unwrap_or_default());
            if let Some(model) = response.get("schema").and_then(name_of) {
                rows.push(("model".to_owned(), model.to_owned()));
            }
            let said = response.get("description").and_then(Value::as_str).unwrap_or_default();
            let value = if rows.is_empty() { Shown::Text(said.to_owned()) } else { Shown::Rows(rows) };
            settings.push(Setting { name: status.clone(), value });
        }
        settings
    }
}

/// What a `$ref` of the definition points at.
fn resolve<'a>(api: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| api.pointer(pointer)).unwrap_or(value)
}

fn models(content: &Value) -> Vec<(String, String)> {
    let types = content.as_object().into_iter().flatten();
    let named = types.filter_map(|(media_type, of)| {
        let schema = of.get("schema")?;
        Some((media_type.clone(), name_of(schema).unwrap_or("a schema of its own").to_owned()))
    });
    named.collect()
}

fn mapped(name: &str, parameters: Option<&Value>) -> Option<Setting> {
    let parameters = parameters?.as_object().filter(|parameters| !parameters.is_empty())?;
    let rows = parameters.iter().map(|(target, source)| (target.clone(), shortened(target, &text_of(source)))).collect();
    Some(Setting { name: name.to_owned(), value: Shown::Rows(rows) })
}

fn templates(name: &str, templates: Option<&Value>) -> Vec<Setting> {
    let templates = templates.and_then(Value::as_object).into_iter().flatten();
    let shown = templates.map(|(media_type, template)| Setting {
        name: format!("{name}, {media_type}"),
        value: Shown::Code(Secrets::of(&RequestHead::default()).text(&text_of(template))),
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_of_a_url_and_no_constant_credential_is_shown() {
        assert_eq!(safe_uri("HTTP GET http://user:pass@a.test/x@y"), "HTTP GET http://…@a.test/x@y");
        assert_eq!(safe_uri("http://a.test/{proxy}?mail=a@b"), "http://a.test/{proxy}?mail=a@b");
        for (target, source, shown) in [
            ("integration.request.header.Authorization", "'Basic dXNlcjpwYXNzd29yZA=='", "'Basic dXNl…'"),
            ("integration.request.header.x-api-key", "'abcdefghijkl'", "'abcd…'"),
            ("integration.request.querystring.access_token", "'abcdefghijkl'", "'abcd…'"),
            ("integration.request.header.X-Source", "'web'", "'web'"),
            (
                "integration.request.header.Authorization",
                "method.request.header.Authorization",
                "method.request.header.Authorization",
            ),
        ] {
            assert_eq!(shortened(target, source), shown, "{target}");
        }
    }
}
