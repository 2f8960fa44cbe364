//! Events of type `Api` and `HttpApi` of functions and state machines. AWS: "AWS SAM API reference", event sources `Api` and
//! `HttpApi`.

use serde_json::{Map, Value};
use tollgate::problem::{JsonPath, Problems};

use super::api::Kind;
use super::definition::{is_method, method_key};
use super::properties::Properties;

/// One event, with what makes a route of it.
#[derive(Debug, Clone)]
pub struct Event {
    /// What the function calls it.
    pub name: String,
    /// Of which kind of API it is a route.
    pub kind: Kind,
    /// The API that it names.
    pub api: Option<String>,
    /// `/pets/{id}`
    pub route: String,
    /// As a path item has it: `get`.
    pub method: String,
    /// What else it says.
    pub properties: Properties,
    /// Where it stands.
    pub path: JsonPath,
}

// === impl Event ===

impl Event {
    /// The events of a resource that are routes of an API.
    pub fn all(events: &Map<String, Value>, path: &JsonPath, problems: &mut Problems) -> Vec<Self> {
        let mut found = Vec::new();
        for (name, event) in events {
            let kind = match event.get("Type").and_then(Value::as_str) {
                Some("Api") => Kind::Rest,
                Some("HttpApi") => Kind::Http,
                // Queues, schedules and others come to the function by another way than a gateway.
                _ => continue,
            };
            found.extend(Self::read(name, kind, event, &path.key(name), problems));
        }
        found
    }

    fn read(name: &str, kind: Kind, event: &Value, path: &JsonPath, problems: &mut Problems) -> Option<Self> {
        let place = path.key("Properties");
        let value = event.get("Properties").cloned().unwrap_or_default();
        let mut properties = Properties::of_object(value, &place, problems)?;
        let api_key = match kind {
            Kind::Rest => "RestApiId",
            Kind::Http => "ApiId",
        };
        let api = match properties.take(api_key) {
            None => None,
            Some(Value::String(id)) => Some(id),
            Some(Value::Object(reference)) if reference.get("Ref").is_some_and(Value::is_string) => {
                reference.get("Ref").and_then(Value::as_str).map(str::to_owned)
            }
            Some(_) => {
                let help = format!("write `!Ref` and the logical id of an `{}` of this template", kind.as_str());
                problems.error(&place.key(api_key), format!("`{api_key}` names no API of this template"), Some(&help));
                return None;
            }
        };
        let (route, method) = (properties.text("Path", problems), properties.text("Method", problems));
        let (route, method) = match (route, method) {
            (Some(route), Some(method)) => (route, method_key(&method)),
            (None, None) if kind == Kind::Http => ("$default".to_owned(), method_key("any")),
            (route, _) => {
                let missing = if route.is_some() { "Method" } else { "Path" };
                problems.error(&place, format!("an event of an API needs `{missing}`"), None);
                return None;
            }
        };
        let event = Self { name: name.into(), kind, api, route, method, properties, path: path.clone() };
        event.is_sound(problems).then_some(event)
    }

    fn is_sound(&self, problems: &mut Problems) -> bool {
        let path = self.properties.path("Path");
        let is_default = self.kind == Kind::Http && (self.route == "$default" || self.route == "/$default");
        if !is_default && !self.route.starts_with('/') {
            problems.error(&path, format!("`{}` is no path", self.route), Some("write a path that begins with `/`"));
            return false;
        }
        if self.route.matches('{').count() != self.route.matches('}').count() {
            problems.error(&path, format!("a brace of `{}` has no partner", self.route), Some("write `{name}` or `{name+}`"));
            return false;
        }
        if !is_method(&self.method) {
            let help = "write one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, ANY";
            let message = format!("`{}` is no method of an API", self.method);
            problems.error(&self.properties.path("Method"), message, Some(help));
            return false;
        }
        true
    }

    /// What `Auth` of the event says.
    pub fn auth(&self, name: &str) -> Option<&Value> {
        self.properties.get("Auth")?.get(name).filter(|value| !value.is_null())
    }

    /// Where `Auth` stands.
    pub fn auth_path(&self) -> JsonPath {
        self.properties.path("Auth")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(event: Value) -> (Vec<Event>, Vec<String>) {
        let mut problems = Problems::default();
        let events = json!({"Get": event});
        let events = Event::all(events.as_object().unwrap(), &JsonPath::root(), &mut problems);
        (events, problems.into_vec().into_iter().map(|problem| problem.to_string()).collect())
    }

    #[test]
    fn methods_are_those_of_a_path_item_however_they_are_written() {
        for (written, key) in [("GET", "get"), ("get", "get"), ("any", "x-amazon-apigateway-any-method"), ("Post", "post")] {
            let (events, _) = read(json!({"Type": "Api", "Properties": {"Path": "/pets", "Method": written}}));
            assert_eq!(events[0].method, key);
        }
    }

    #[test]
    fn an_http_event_that_says_nothing_is_the_default_route() {
        let (events, problems) = read(json!({"Type": "HttpApi"}));
        assert_eq!((events[0].route.as_str(), problems.len()), ("$default", 0));
    }

    #[test]
    fn what_is_no_route_is_refused_at_its_place() {
        for (event, place) in [
            (json!({"Type": "Api", "Properties": {"Path": "pets", "Method": "get"}}), "$.Get.Properties.Path: `pets` is no path"),
            (json!({"Type": "Api", "Properties": {"Path": "/{id", "Method": "get"}}), "$.Get.Properties.Path: a brace"),
            (json!({"Type": "Api", "Properties": {"Path": "/", "Method": "trace"}}), "$.Get.Properties.Method: `trace`"),
            (json!({"Type": "Api", "Properties": {"Path": "/"}}), "$.Get.Properties: an event of an API needs `Method`"),
            (json!({"Type": "Api", "Properties": {"RestApiId": {"Fn::ImportValue": "x"}}}), "$.Get.Properties.RestApiId:"),
        ] {
            let (events, problems) = read(event);
            assert!(events.is_empty());
            assert!(problems[0].starts_with(place), "{}", problems[0]);
        }
    }

    #[test]
    fn other_events_are_no_matter_of_a_gateway() {
        assert!(read(json!({"Type": "SQS", "Properties": {"Queue": "q"}})).0.is_empty());
    }
}
