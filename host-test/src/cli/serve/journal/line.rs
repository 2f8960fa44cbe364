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
    /// Path and query, as they were sent.
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
