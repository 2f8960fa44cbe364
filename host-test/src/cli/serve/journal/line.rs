//! One request in one line.

use std::fmt::Write;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use tollgate::context::rfc3339;

use super::Entry;
use crate::cli::diagnostics::printable;

const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// What the client of a request saw.
#[derive(Debug, Clone)]
pub struct Line {
    /// When it came, in milliseconds since 1970.
    pub millis: u64,
    /// As it was sent.
    pub method: String,
    /// Path and query, as they were sent but for secrets.
    pub target: String,
    /// Who sent it.
    pub client: String,
    /// None: the client went away.
    pub status: Option<u16>,
    /// From the head of the request to the last byte of the answer.
    pub latency: Duration,
}

// === impl Entry ===

impl Entry {
    /// For people.
    pub fn text(&self) -> String {
        let Line { method, target, status, latency, .. } = &self.line;
        let time = rfc3339(self.line.millis);
        let time = time.split_once('T').map_or(time.as_str(), |(_, time)| time);
        let (style, status) = match status {
            Some(status) => (colour(*status), status.to_string()),
            None => (AnsiColor::Magenta.on_default(), "gone".to_owned()),
        };
        let target = printable(target);
        let mut text = format!(
            "{FAINT}{time}{FAINT:#} {STRONG}{method}{STRONG:#} {target} {style}{status}{style:#} {} ms",
            latency.as_millis()
        );
        if let Some(told) = &self.told {
            let mut more = Vec::new();
            if let Some(latency) = told.integration_latency {
                more.push(format!("integration {} ms", latency.as_millis()));
            }
            if let Some(route) = &told.route {
                let place = told.stage.as_ref().filter(|_| told.is_one_of_many);
                let place = place.map(|(api, stage)| format!(" of {api}/{stage}")).unwrap_or_default();
                more.push(printable(&format!("{route}{place}")));
            }
            if let Some(authorizer) = &told.authorizer {
                let word = match told.is_authorized {
                    Some(false) => "refused by",
                    _ => "allowed by",
                };
                more.push(printable(&format!("{word} {authorizer}")));
            }
            if let Some(failure) = &told.failure {
                more.push(printable(failure));
            }
            let is_failure = self.line.status.is_none_or(|status| status >= 400);
            if let Some(id) = told.request_id.as_ref().filter(|_| is_failure) {
                more.push(printable(&format!("request {id}")));
            }
            if !more.is_empty() {
                let _ = write!(text, " {FAINT}{}{FAINT:#}", more.join(", "));
            }
        }
        text + "\n"
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let Line { millis, method, target, client, status, latency } = &self.line;
        let told = self.told.as_ref();
        let millis_of = |latency: Duration| u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        let stage = told.and_then(|told| told.stage.as_ref());
        let is_authorized = told.and_then(|told| told.is_authorized);
        json!({
            "time": rfc3339(*millis),
            "client": client,
            "method": method,
            "path": target,
            "status": status,
            "latencyMillis": millis_of(*latency),
            "integrationLatencyMillis": told.and_then(|told| told.integration_latency).map(millis_of),
            "api": stage.map(|(api, _)| api),
            "stage": stage.map(|(_, stage)| stage),
            "route": told.and_then(|told| told.route.as_ref()),
            "authorizer": told.and_then(|told| told.authorizer.as_ref()),
            "authorized": is_authorized,
            "requestId": told.and_then(|told| told.request_id.as_ref()),
            "gatewayResponse": told.and_then(|told| told.failure.as_ref()?.split(':').next()),
        })
    }
}

/// One line of JSON that a terminal takes for nothing else: serde escapes the control characters of ASCII only.
pub fn escaped(value: &Value) -> String {
    let text = value.to_string();
    text.chars().fold(String::with_capacity(text.len()), |mut line, c| {
        if c.is_control() {
            let _ = write!(line, "\\u{:04x}", u32::from(c));
        } else {
            line.push(c);
        }
        line
    })
}

/// By its class.
fn colour(status: u16) -> Style {
    let colour = match status {
        0..300 => AnsiColor::Green,
        300..400 => AnsiColor::Cyan,
        400..500 => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    colour.on_default().bold()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::serve::journal::Told;

    fn entry(status: Option<u16>, told: Option<Told>) -> Entry {
        let line = Line {
            millis: 1_893_455_999_000,
            method: "GET".to_owned(),
            target: "/pets/3".to_owned(),
            client: "127.0.0.1".to_owned(),
            status,
            latency: Duration::from_micros(12_900),
        };
        Entry { number: 1, line, told }
    }

    fn told() -> Told {
        Told {
            steps: Vec::new(),
            route: Some("GET /pets/{id}".to_owned()),
            stage: Some(("shop".to_owned(), "prod".to_owned())),
            is_one_of_many: true,
            authorizer: Some("JWT login".to_owned()),
            is_authorized: Some(false),
            failure: Some("UNAUTHORIZED: Unauthorized".to_owned()),
            integration_latency: Some(Duration::from_millis(7)),
            request_id: Some("id-1".to_owned()),
            remark: None,
        }
    }

    fn plain(entry: &Entry) -> String {
        anstream::adapter::strip_str(&entry.text()).to_string()
    }

    #[test]
    fn a_line_tells_who_was_asked_what_came_of_it_and_why() {
        assert_eq!(
            plain(&entry(Some(401), Some(told()))),
            "23:59:59Z GET /pets/3 401 12 ms integration 7 ms, GET /pets/{id} of shop/prod, refused by JWT login, \
             UNAUTHORIZED: Unauthorized, request id-1\n"
        );
        let good = Told { is_one_of_many: false, is_authorized: Some(true), failure: None, ..told() };
        let line = "23:59:59Z GET /pets/3 200 12 ms integration 7 ms, GET /pets/{id}, allowed by JWT login\n";
        assert_eq!(plain(&entry(Some(200), Some(good))), line);
        assert_eq!(plain(&entry(None, None)), "23:59:59Z GET /pets/3 gone 12 ms\n");
    }

    #[test]
    fn a_status_has_the_colour_of_its_class() {
        for (status, code) in [(201, "32m"), (304, "36m"), (404, "33m"), (502, "31m")] {
            assert!(entry(Some(status), None).text().contains(&format!("\u{1b}[{code}{status}")), "{status}");
        }
    }

    #[test]
    fn no_character_of_a_request_moves_the_cursor() {
        let mut entry = entry(Some(200), Some(Told { route: Some("GET /\u{1b}[2J".to_owned()), ..told() }));
        entry.line.target = "/\u{1b}[2J".to_owned();
        assert!(!entry.text().contains("\u{1b}[2J"));
        entry.line.target = "/\u{9b}2J\u{7f}".to_owned();
        assert!(!entry.text().contains(['\u{9b}', '\u{7f}']));
        let line = escaped(&entry.json());
        assert!(line.contains(r"/\u009b2J\u007f"), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), entry.json());
    }

    #[test]
    fn programs_get_every_key_whether_it_is_known_or_not() {
        let known = entry(Some(401), Some(told())).json();
        assert_eq!(
            known,
            json!({"time": "2029-12-31T23:59:59Z", "client": "127.0.0.1", "method": "GET", "path": "/pets/3", "status": 401,
                   "latencyMillis": 12, "integrationLatencyMillis": 7, "api": "shop", "stage": "prod", "route": "GET /pets/{id}",
                   "authorizer": "JWT login", "authorized": false, "requestId": "id-1", "gatewayResponse": "UNAUTHORIZED"})
        );
        let unknown = entry(None, None).json();
        let keys = |value: &Value| value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>());
        assert_eq!(keys(&unknown), keys(&known));
        assert_eq!(unknown["status"], Value::Null);
    }
}
