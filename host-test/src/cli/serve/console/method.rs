//! A method: the picture of its execution, its settings, and the form that tries it.

use maud::{Markup, html};
use tollgate::gateway::Gateway;
use tollgate::http::Headers;

use super::definition::{Part, Setting, Shown, parts};
use super::overview::verb;
use super::page::{page as frame, status};
use super::requests::steps;
use super::trial::{Form, Tried, is_any, names};
use super::{Place, ROOT, Subject};
use crate::cli::explain::secrets::Secrets;

/// How many settings a box of the picture shows; below it stand all.
const IN_A_BOX: usize = 4;

/// How much of a body is shown.
const BODY: usize = 256 * 1024;

pub fn page(gateway: &Gateway, subject: &Subject, place: &Place<'_>, form: &Form, tried: Option<&Tried>) -> Markup {
    let parts = parts(&subject.document, place);
    let title = format!("{} {}", place.route.method, place.route.resource_path());
    let content = html! {
        p.crumbs { a href=(ROOT) { "Resources" } " / " (place.stage.api.name) " / " (place.stage.name()) }
        h1.method-title { (verb(place.route)) " " span.resource { (place.route.resource_path()) } }
        (picture(&parts))
        @if let Some(tried) = tried { (result(tried)) }
        (test_form(gateway, place, form))
        section aria-labelledby="settings" {
            h2 #settings { "Settings" }
            @for part in &parts { (settings(part)) }
        }
    };
    frame(subject, "", &title, &content)
}

/// The way there above, the way back below; one below the other in a narrow window.
fn picture([request, integration_request, integration, integration_response, response]: &[Part; 5]) -> Markup {
    html! {
        section.execution aria-labelledby="execution" {
            h2 #execution { "Method execution" }
            ol.picture {
                li.box.client { span.title { "Client" } }
                (in_picture(request)) (in_picture(integration_request))
                li.box.integration { (box_content(integration)) }
                (in_picture(integration_response)) (in_picture(response))
                li.box.client.again { span.title { "Client" } }
            }
        }
    }
}

fn in_picture(part: &Part) -> Markup {
    html! { li class=(format!("box {}", part.id)) { (box_content(part)) } }
}

fn box_content(part: &Part) -> Markup {
    html! {
        a.title href=(format!("#{}", part.id)) { (part.title) }
        @if part.settings.is_empty() { p.faint { "nothing set" } }
        @else {
            dl {
                @for setting in part.settings.iter().take(IN_A_BOX) {
                    div { dt { (setting.name) } dd { (brief(setting)) } }
                }
            }
            @if part.settings.len() > IN_A_BOX { p.faint { "and " (part.settings.len() - IN_A_BOX) " more" } }
        }
    }
}

/// As much as fits into a box.
fn brief(setting: &Setting) -> String {
    match &setting.value {
        Shown::Text(text) => text.clone(),
        Shown::Code(code) => match code.lines().count() {
            1 => "1 line".to_owned(),
            lines => format!("{lines} lines"),
        },
        Shown::Rows(rows) => rows
            .iter()
            .map(|(name, value)| if value.starts_with('→') { format!("{name} {value}") } else { last(name).to_owned() })
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// `integration.request.path.id` is long, and `path id` says the same.
fn last(name: &str) -> &str {
    let known = ["integration.request.", "method.response."];
    known.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

fn settings(part: &Part) -> Markup {
    html! {
        section.part aria-labelledby=(part.id) {
            h3 id=(part.id) tabindex="-1" { (part.title) }
            @if part.settings.is_empty() { p.faint { "Nothing is set." } }
            @else {
                dl.settings {
                    @for setting in &part.settings {
                        div {
                            dt { (setting.name) }
                            dd {
                                @match &setting.value {
                                    Shown::Text(text) => { (text) }
                                    Shown::Code(code) => { pre tabindex="0" { code { (code) } } }
                                    Shown::Rows(rows) => {
                                        ul.rows { @for (name, value) in rows { li { code { (name) } " " span { (value) } } } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn test_form(gateway: &Gateway, place: &Place<'_>, form: &Form) -> Markup {
    let siblings = place.siblings(gateway);
    html! {
        section.test aria-labelledby="test" {
            h2 #test { "Test" }
            p.faint {
                "Sends one request through a gateway of its own: nothing is counted. Authorizers and the backend are really asked, unless the answer is given here."
            }
            form method="post" action=(format!("{}#result", place.url())) {
                input type="hidden" name="route" value=(place.name());
                div.fields {
                    div.field {
                        label for="stage" { "Stage" }
                        select #stage name="stage" {
                            @for sibling in &siblings {
                                option selected[sibling.stage_number == place.stage_number] { (sibling.stage.name()) }
                            }
                        }
                    }
                    @if is_any(place) {
                        div.field {
                            label for="method" { "Method" }
                            select #method name="method" {
                                @for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
                                    option selected[form.method == method] { (method) }
                                }
                            }
                        }
                    }
                    @for (number, name) in names(place).iter().enumerate() {
                        div.field {
                            label for=(format!("path-{number}")) { "Path: " code { "{" (name) "}" } }
                            input id=(format!("path-{number}")) name=(format!("path.{name}")) value=(form.parameter(name)) autocomplete="off" required;
                        }
                    }
                    div.field.wide {
                        label for="query" { "Query string" }
                        input #query name="query" value=(form.query) placeholder="name=value&other=2" autocomplete="off" spellcheck="false";
                    }
                    div.field.wide {
                        label for="headers" { "Headers, one a line" }
                        textarea #headers name="headers" rows="3" placeholder="Accept: application/json" spellcheck="false" { (form.headers) }
                    }
                    div.field.wide {
                        label for="body" { "Request body" }
                        textarea #body name="body" rows="5" spellcheck="false" { (form.body) }
                    }
                    div.field.wide {
                        label for="answer" { "Answer in the place of the backend's, if it is not to be asked" }
                        input #answer name="answer" value=(form.answer) placeholder="200 {\"id\": 3}" autocomplete="off" spellcheck="false";
                    }
                }
                button type="submit" { "Test" }
            }
        }
    }
}

fn result(tried: &Tried) -> Markup {
    html! {
        section.result #result aria-labelledby="result-title" role="status" tabindex="-1" {
            h2 #result-title { "Result" }
            @match tried {
                Tried::Unsendable(words) => { p.error { (words) } }
                Tried::Done { explained, secrets, latency } => {
                    @let response = &explained.response;
                    p.verdict {
                        (status(response.head.status)) " " span.faint { "in " (latency.as_millis()) " ms" }
                    }
                    h3 { "Response headers" }
                    pre tabindex="0" { code { (headers(&response.head.headers, secrets)) } }
                    h3 { "Response body" }
                    @if response.body.is_empty() { p.faint { "There is none." } }
                    @else { pre tabindex="0" { code { (body(&response.body, secrets)) } } }
                    @for help in &explained.help { p.faint { "Help: " (help) } }
                    h3 { "Log" }
                    (steps(&explained.steps, secrets))
                }
            }
        }
    }
}

fn headers(headers: &Headers, secrets: &Secrets) -> String {
    let lines = headers.iter().map(|(name, value)| format!("{name}: {}", secrets.header(name, &String::from_utf8_lossy(value))));
    lines.collect::<Vec<_>>().join("\n")
}

fn body(body: &[u8], secrets: &Secrets) -> String {
    let shown = body.get(..BODY).unwrap_or(body);
    let text = secrets.text(&String::from_utf8_lossy(shown));
    if body.len() > BODY { format!("{text}…") } else { text }
}
