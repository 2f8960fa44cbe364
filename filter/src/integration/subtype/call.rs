//! The request that a subtype's parameters become.

use super::table::{Form, Kind, Row};
use crate::http::percent_encode;
use crate::policy::parse_date;
use serde_json::{Map, Value};

/// A parameter and its text.
pub type Filled = (&'static str, String);

/// What goes to the service, but for its headers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Call {
    pub target: String,
    pub body: String,
}

/// No call can be made of what a parameter holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Unusable(pub &'static str);

// === impl Call ===

impl Call {
    /// Writes the call of a subtype.
    pub fn of(row: &Row, filled: Vec<Filled>) -> Result<Self, Unusable> {
        match row.form {
            Form::Json | Form::LowerJson | Form::Entries => json(row, filled),
            Form::Queue => queue(row, filled),
            Form::Configuration => configuration(&filled),
        }
    }
}

fn json(row: &Row, filled: Vec<Filled>) -> Result<Call, Unusable> {
    let mut members = Map::new();
    for (name, text) in filled {
        let value = match Kind::of(name) {
            // Members that are not in the service's API do not occur in a JSON form.
            Kind::Text | Kind::Attributes(_) => Value::String(text),
            Kind::List(_) => Value::Array(list(&text).into_iter().map(Value::String).collect()),
            // assumed(subtype-time): written as PutEvents documents it, RFC 3339, or in seconds.
            Kind::Time => Value::from(parse_date(&text).ok_or(Unusable(name))?.div_euclid(1000)),
        };
        members.insert(member_name(row.form, name), value);
    }
    let members = Value::Object(members);
    let body = if row.form == Form::Entries {
        Value::Object([("Entries".to_owned(), Value::Array(vec![members]))].into_iter().collect())
    } else {
        members
    };
    Ok(Call { target: "/".to_owned(), body: body.to_string() })
}

fn member_name(form: Form, name: &str) -> String {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1).filter(|_| form == Form::LowerJson) {
        first.make_ascii_lowercase();
    }
    name
}

/// A form, posted to the queue's own path, which is what tells SQS the queue. The host of the URL is not followed: no request chooses
/// whom the gateway calls.
fn queue(row: &Row, filled: Vec<Filled>) -> Result<Call, Unusable> {
    let mut call = Call { target: "/".to_owned(), body: format!("Action={}&Version=2012-11-05", row.action()) };
    let mut field = |name: &str, value: &str| {
        call.body.extend(["&", &percent_encode(name.as_bytes()), "=", &percent_encode(value.as_bytes())]);
    };
    for (name, text) in filled {
        match Kind::of(name) {
            Kind::Text | Kind::Time => {
                field(name, &text);
                if name == "QueueUrl" {
                    call.target = queue_path(&text).ok_or(Unusable(name))?;
                }
            }
            Kind::List(field_name) => {
                for (place, value) in (1..).zip(list(&text)) {
                    field(&format!("{field_name}.{place}"), &value);
                }
            }
            Kind::Attributes(field_name) => {
                let Ok(Value::Object(attributes)) = serde_json::from_slice(text.as_bytes()) else { return Err(Unusable(name)) };
                for (place, (attribute, members)) in (1..).zip(attributes) {
                    let Value::Object(members) = members else { return Err(Unusable(name)) };
                    field(&format!("{field_name}.{place}.Name"), &attribute);
                    for (member, value) in members {
                        let value = element(value);
                        field(&format!("{field_name}.{place}.Value.{member}"), &value);
                    }
                }
            }
        }
    }
    Ok(call)
}

/// `/ACCOUNT/QUEUE` of a queue's URL. With anything else in it the service would look for the queue elsewhere than whoever wrote the
/// text around a client's value.
fn queue_path(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (_, path) = rest.split_once('/')?;
    let (account, queue) = path.split_once('/')?;
    let is_name = |name: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !name.is_empty() && name.bytes().all(is_plain) && !matches!(name, "." | "..")
    };
    (is_name(account) && is_name(queue)).then(|| format!("/{path}"))
}

/// A JSON array, or texts with commas between them: assumed(subtype-lists).
fn list(text: &str) -> Vec<String> {
    match serde_json::from_slice(text.as_bytes()) {
        Ok(Value::Array(elements)) => elements.into_iter().map(element).collect(),
        _ => text.split(',').map(|element| element.trim().to_owned()).collect(),
    }
}

fn element(value: Value) -> String {
    match value {
        Value::String(text) => text,
        value => value.to_string(),
    }
}

/// `GET /applications/A/environments/E/configurations/C?client_id=I`, each value one segment or one value of the query.
fn configuration(filled: &[Filled]) -> Result<Call, Unusable> {
    let value = |wanted: &str| filled.iter().find(|(name, _)| *name == wanted).map(|(_, text)| percent_encode(text.as_bytes()));
    let mut target = String::new();
    for (segment, name) in
        [("/applications/", "Application"), ("/environments/", "Environment"), ("/configurations/", "Configuration")]
    {
        let value = value(name).filter(|value| !matches!(value.as_str(), "." | "..")).ok_or(Unusable(name))?;
        target.extend([segment, &value]);
    }
    for (field, name) in [("?client_id=", "ClientId"), ("&client_configuration_version=", "ClientConfigurationVersion")] {
        if let Some(value) = value(name) {
            target.extend([field, &value]);
        }
    }
    Ok(Call { target, body: String::new() })
}
