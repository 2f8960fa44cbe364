//! The last requests, each with its steps, and what API keys used.

use std::sync::Arc;

use maud::{Markup, html};
use serde_json::Value;
use tollgate::gateway::Gateway;
use tollgate::platform::Section;

use super::page::{page as frame, status};
use super::{Place, ROOT, Subject, words};
use crate::cli::explain::platform::Step;
use crate::cli::explain::print::heading;
use crate::cli::explain::secrets::Secrets;
use crate::cli::serve::journal::{Entry, LAST};

/// The last requests, the latest first.
pub fn list(entries: &[Arc<Entry>], subject: &Subject) -> Markup {
    let content = html! {
        h1 { "Requests" }
        @if entries.is_empty() {
            p { "No request has come yet." }
        } @else {
            p.faint { "The latest first; the last " (LAST) " are kept. " a href=(format!("{ROOT}/requests")) { "Look again" } }
            div.scroll role="region" aria-label="Requests" tabindex="0" {
                table.requests {
                    thead { tr { th scope="col" { "Time" } th scope="col" { "Request" } th scope="col" { "Status" } th scope="col" { "Route" } th.number scope="col" { "ms" } th.number scope="col" { "Backend ms" } } }
                    tbody {
                        @for entry in entries {
                            tr {
                                td.mono { (time(entry)) }
                                th scope="row" { a href=(format!("{ROOT}/requests/{}", entry.number)) { (entry.line.method) " " (shortened(&entry.line.target)) } }
                                td { (verdict(entry)) }
                                td { (route(entry)) }
                                td.number { (entry.line.latency.as_millis()) }
                                td.number { @if let Some(latency) = entry.told.as_ref().and_then(|told| told.integration_latency) { (latency.as_millis()) } }
                            }
                        }
                    }
                }
            }
        }
    };
    frame(subject, "/requests", "Requests", &content)
}

/// One request with its steps.
pub fn one(entry: &Entry, gateway: &Gateway, subject: &Subject) -> Markup {
    let line = &entry.line;
    let content = html! {
        p.crumbs { a href=(format!("{ROOT}/requests")) { "Requests" } " / " (entry.number) }
        h1.method-title { (line.method) " " span.resource { (line.target) } }
        p.verdict { (verdict(entry)) " " span.faint { "in " (line.latency.as_millis()) " ms, at " (time(entry)) " from " (line.client) } }
        @match &entry.told {
            None => { p { "No gateway saw this request: the server refused it." } }
            Some(told) => {
                @if let Some(remark) = &told.remark { p.error { "Note: " (remark) } }
                @if let Some(id) = &told.request_id { p.faint { "Request id " code { (id) } } }
                @if let Some(place) = Place::of(gateway, told) {
                    p { a href=(place.url()) { "The method " (place.route.method) " " (place.route.resource_path()) ", and its Test form" } }
                }
                h2 { "Log" }
                (steps(&told.steps, &Secrets::default()))
            }
        }
    };
    frame(subject, "/requests", &format!("{} {}", line.method, line.target), &content)
}

/// What happened, in API Gateway's words, section by section.
pub fn steps(steps: &[Step], secrets: &Secrets) -> Markup {
    let mut sections: Vec<(Section, Vec<&Step>)> = Vec::new();
    for step in steps {
        match sections.last_mut() {
            Some((section, steps)) if *section == step.section => steps.push(step),
            _ => sections.push((step.section, vec![step])),
        }
    }
    html! {
        ol.log {
            @for (section, steps) in &sections {
                li class=(heading(*section).1) {
                    h4 { (heading(*section).0) }
                    dl {
                        @for step in steps {
                            @let text = secrets.text(&step.text);
                            @let text = text.trim_end();
                            div {
                                dt { (words::of(step)) }
                                dd { @if text.contains('\n') { pre tabindex="0" { code { (text) } } } @else { code { (text) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What keys used of their plans.
pub fn usage(report: &Value, subject: &Subject) -> Markup {
    let rows = report["usage"].as_array().map_or(&[][..], Vec::as_slice);
    let cell = |value: &Value| match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let content = html! {
        h1 { "Usage" }
        @if rows.is_empty() {
            p { "No API key is on a plan." }
        } @else {
            p.faint { "What each API key used of its plan. The keys themselves are not shown." }
            div.scroll role="region" aria-label="Usage" tabindex="0" {
                table {
                    thead { tr { th scope="col" { "Key" } th scope="col" { "Plan" } th.number scope="col" { "Used" } th.number scope="col" { "Left" } th.number scope="col" { "Limit" } th scope="col" { "Period" } th scope="col" { "Begins anew" } th.number scope="col" { "At once" } } }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" { (cell(&row["key"])) @if row["enabled"] == false { " " span.tag.warn { "disabled" } } }
                                td { (cell(&row["plan"])) }
                                td.number { (cell(&row["quota"]["used"])) }
                                td.number { (cell(&row["quota"]["left"])) }
                                td.number { (cell(&row["quota"]["limit"])) }
                                td { (cell(&row["quota"]["period"])) }
                                td { (cell(&row["quota"]["end"])) }
                                td.number { (cell(&row["throttle"]["left"])) }
                            }
                        }
                    }
                }
            }
        }
    };
    frame(subject, "/usage", "Usage", &content)
}

fn verdict(entry: &Entry) -> Markup {
    let failure = entry.told.as_ref().and_then(|told| told.failure.as_ref()?.split(':').next().map(str::to_owned));
    html! {
        @match entry.line.status {
            Some(code) => { (status(code)) }
            None => { span.status.gone { "gone" } }
        }
        @if let Some(failure) = failure { " " span.tag.warn { (failure) } }
    }
}

fn route(entry: &Entry) -> String {
    let Some(told) = &entry.told else { return String::new() };
    let place = told.stage.as_ref().filter(|_| told.is_one_of_many);
    let place = place.map(|(api, stage)| format!(" of {api}/{stage}")).unwrap_or_default();
    told.route.as_ref().map(|route| format!("{route}{place}")).unwrap_or_default()
}

fn time(entry: &Entry) -> String {
    let time = tollgate::context::rfc3339(entry.line.millis);
    time.split_once('T').map(|(_, time)| time.to_owned()).unwrap_or(time)
}

/// As much of a target as a table needs.
fn shortened(target: &str) -> String {
    let end = target.char_indices().nth(80).map(|(end, _)| end);
    end.and_then(|end| target.get(..end)).map_or_else(|| target.to_owned(), |start| format!("{start}…"))
}
