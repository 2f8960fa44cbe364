//! The Test form: one request to one method, through a gateway of its own, with every step. Nothing of it is counted, and nothing
//! is remembered but what an authorizer said; the servers behind it are really asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tollgate::gateway::Gateway;
use tollgate::http::{RequestHead, is_field_name, is_field_value};

use super::{Place, Subject};
use crate::cli::explain::backend::Backends;
use crate::cli::explain::request::Asked;
use crate::cli::explain::run::{self, Explained};
use crate::cli::explain::{answer, secrets::Secrets};
use crate::cli::functions::percent_decoded;

/// What is in the form.
pub struct Form {
    /// The name of the stage.
    pub stage: String,
    /// The method, its resource and its API, by name: they are where the page says, though a new definition put others in their places.
    pub route: Option<String>,
    /// What stands for `ANY`.
    pub method: String,
    /// The path parameters.
    pub parameters: Vec<(String, String)>,
    /// Without `?`.
    pub query: String,
    /// One a line.
    pub headers: String,
    pub body: String,
    /// What the backend says that is not asked then.
    pub answer: String,
}

/// What came of it.
pub enum Tried {
    /// The form says nothing that can be sent.
    Unsendable(String),
    Done {
        explained: Box<Explained>,
        secrets: Secrets,
        latency: Duration,
    },
}

// === impl Form ===

impl Form {
    /// An empty one.
    pub fn new(place: &Place<'_>) -> Self {
        let method = if is_any(place) { "GET" } else { place.route.method }.to_owned();
        let parameters = names(place).into_iter().map(|name| (name, String::new())).collect();
        let (stage, route) = (place.stage.name().to_owned(), Some(place.name()));
        let (query, headers, body, answer) = Default::default();
        Self { stage, route, method, parameters, query, headers, body, answer }
    }

    /// What a browser sends.
    pub fn read(body: &[u8]) -> Self {
        let (mut stage, mut method, mut query, mut headers, mut text, mut answer) =
            <(String, String, String, String, String, String)>::default();
        let (mut parameters, mut route) = (Vec::new(), None);
        for pair in body.split(|byte| *byte == b'&') {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = (decoded(&pair[..at]), decoded(pair.get(at + 1..).unwrap_or_default()));
            match name.as_str() {
                "stage" => stage = value,
                "route" => route = Some(value),
                "method" => method = value,
                "query" => query = value.trim().trim_start_matches('?').to_owned(),
                "headers" => headers = value,
                // A browser writes line breaks as two characters; nobody typed the first one.
                "body" => text = value.replace("\r\n", "\n"),
                "answer" => answer = value.replace("\r\n", "\n"),
                _ => {
                    if let Some(name) = name.strip_prefix("path.") {
                        parameters.push((name.to_owned(), value));
                    }
                }
            }
        }
        Self { stage, route, method, parameters, query, headers, body: text, answer }
    }

    /// The method of the stage that is chosen; `asked`: what the form was sent to, which is it where the form says nothing else.
    pub fn place<'a>(&self, gateway: &'a Gateway, asked: Option<Place<'a>>) -> Option<Place<'a>> {
        let Some(route) = &self.route else { return asked };
        Place::all(gateway).find(|place| place.stage.name() == self.stage && place.name() == *route)
    }

    /// The value of a path parameter.
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The request, as the filter would see it behind Envoy.
    fn asked(&self, place: &Place<'_>) -> Result<Asked, String> {
        let method = if is_any(place) { self.method.trim().to_ascii_uppercase() } else { place.route.method.to_owned() };
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-') {
            return Err(format!("`{method}` is no method"));
        }
        let mut path = place.stage.base_path.clone();
        for part in resource(place).split('/').filter(|part| !part.is_empty()) {
            path.push('/');
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                None => path.push_str(part),
                Some(name) => {
                    let is_greedy = name.ends_with('+');
                    let value = self.parameter(name.trim_end_matches('+'));
                    if value.is_empty() {
                        return Err(format!("the path parameter `{}` needs a value", name.trim_end_matches('+')));
                    }
                    path.push_str(&encoded(value, if is_greedy { b"/" } else { b"" }));
                }
            }
        }
        if path.is_empty() || place.route.resource_path() == "/" {
            path.push('/');
        }
        if !self.query.is_empty() {
            path.push('?');
            path.push_str(&encoded(&self.query, b"&=+%;,:@/?$!'()*[]"));
        }
        let host = place.stage.hosts.first().map_or("localhost", String::as_str);
        let mut head = RequestHead {
            method,
            path: path.into_bytes(),
            authority: host.as_bytes().to_vec(),
            scheme: "http".to_owned(),
            ..RequestHead::default()
        };
        for line in self.headers.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let header = line.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
            let Some((name, value)) = header.filter(|(name, value)| is_field_name(name) && is_field_value(value.as_bytes())) else {
                return Err(format!("`{line}` is no header: write `name: value`, one a line"));
            };
            if name.eq_ignore_ascii_case("host") {
                head.authority = value.as_bytes().to_vec();
            } else {
                head.headers.append(name.to_ascii_lowercase(), value.as_bytes());
            }
        }
        let body = self.body.clone().into_bytes();
        if !body.is_empty() && !head.headers.contains("content-length") {
            head.headers.append("content-length", body.len().to_string());
        }
        if !head.headers.contains("x-forwarded-for") {
            head.headers.append("x-forwarded-for", "127.0.0.1");
        }
        head.headers.set("x-forwarded-proto", "http");
        Ok(Asked { head, body, remark: None })
    }
}

/// The names of the path parameters.
pub fn names(place: &Place<'_>) -> Vec<String> {
    let parts = resource(place).split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    parts.map(|name| name.trim_end_matches('+').to_owned()).collect()
}

/// Whether the form has to say which method.
pub fn is_any(place: &Place<'_>) -> bool {
    matches!(place.route.method, "ANY" | "$default")
}

/// `$default` takes any path.
fn resource<'a>(place: &'a Place<'_>) -> &'a str {
    match place.route.resource_path() {
        "$default" | "/$default" => "/{path+}",
        path => path,
    }
}

/// Sends what the form says.
pub async fn run(subject: &Arc<Subject>, place: &Place<'_>, form: &Form) -> Tried {
    let asked = match form.asked(place) {
        Ok(asked) => asked,
        Err(words) => return Tried::Unsendable(words),
    };
    let given = match form.answer.trim() {
        "" => None,
        text => match answer::parse(text.as_bytes()) {
            Some(answer) => Some(answer),
            None => return Tried::Unsendable("the answer is none: write `200`, or `404 {\"a\": 1}`".to_owned()),
        },
    };
    let secrets = Secrets::of(&asked.head);
    let (subject, runtime) = (Arc::clone(subject), Handle::current());
    let started = Instant::now();
    // It waits for servers, and for the compiler the first time.
    let ran = tokio::task::spawn_blocking(move || {
        let gateway = subject.trials()?;
        let backends = Backends::of(runtime, subject.backends.clone(), given);
        run::run(&gateway, &asked, &backends).ok()
    });
    match ran.await {
        Ok(Some(mut explained)) => {
            in_words_of_the_form(&mut explained);
            Tried::Done { explained: Box::new(explained), secrets, latency: started.elapsed() }
        }
        _ => Tried::Unsendable("the gateway neither answers the request nor lets it go".to_owned()),
    }
}

/// What `explain` says of its options, the form says of its fields.
fn in_words_of_the_form(explained: &mut Explained) {
    for step in explained.steps.iter_mut().filter(|step| step.name == "server" && step.text == "--answer") {
        step.text = "nobody: the answer is the form's".to_owned();
    }
    for help in &mut explained.help {
        *help = help.replace("`--answer 200` asks none", "an answer in the form asks none");
    }
}

/// What a form's encoding stands for.
fn decoded(text: &[u8]) -> String {
    percent_decoded(&String::from_utf8_lossy(text).replace('+', " "))
}

/// A value as it can stand in a target.
fn encoded(value: &str, kept: &[u8]) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let form =
            Form::read(b"stage=prod%201&route=GET+%2Fa+of+b&path.id=a%20b%2B&query=%3Fx%3D1+2&headers=A%3A+b%0D%0AC%3A+d&body=%7B%0D%0A%7D&answer=200");
        assert_eq!((form.stage.as_str(), form.parameter("id"), form.query.as_str()), ("prod 1", "a b+", "x=1 2"));
        assert_eq!(form.route.as_deref(), Some("GET /a of b"));
        assert_eq!((form.headers.as_str(), form.body.as_str(), form.answer.as_str()), ("A: b\r\nC: d", "{\n}", "200"));
        assert_eq!(Form::read(b"query=%zz%4").query, "%zz%4");
    }

    #[test]
    fn what_cannot_stand_in_a_path_is_encoded() {
        assert_eq!(encoded("a/b c?é", b""), "a%2Fb%20c%3F%C3%A9");
        assert_eq!(encoded("a/b", b"/"), "a/b");
    }
}
