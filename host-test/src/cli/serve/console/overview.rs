//! What is served: the resources of every API and stage, and what is wrong with the definition.

use maud::{Markup, html};
use tollgate::definition::Protocol;
use tollgate::gateway::{Gateway, Route, Stage};
use tollgate::problem::Severity;

use super::page::page as frame;
use super::{Place, Subject};

/// A part of a path, with what stands below it.
#[derive(Default)]
struct Resource {
    name: String,
    /// Route numbers.
    methods: Vec<usize>,
    below: Vec<Resource>,
}

/// The resources of all stages.
pub fn page(gateway: &Gateway, subject: &Subject) -> Markup {
    let content = html! {
        h1 { "Resources" }
        @for (number, stage) in gateway.stages().enumerate() {
            section.stage aria-labelledby=(format!("stage-{number}")) {
                h2 id=(format!("stage-{number}")) {
                    (stage.api.name) " " span.faint { "stage " } (stage.name())
                    " " span.tag { (protocol(stage)) }
                }
                p.faint { (place(stage)) }
                ul.tree { (branch(number, stage, &tree(stage))) }
            }
        }
    };
    frame(subject, "", "Resources", &content)
}

fn protocol(stage: &Stage) -> &'static str {
    match stage.api.protocol {
        Protocol::Rest => "REST API",
        Protocol::Http => "HTTP API",
    }
}

/// Where a client finds it.
fn place(stage: &Stage) -> String {
    let base = if stage.base_path.is_empty() { "/" } else { &stage.base_path };
    match stage.hosts.as_slice() {
        [] => format!("at {base}"),
        hosts => format!("at {base} of {}", hosts.join(", ")),
    }
}

/// The resources of a stage as a tree, in the order of the definition.
fn tree(stage: &Stage) -> Resource {
    let mut root = Resource { name: "/".to_owned(), ..Resource::default() };
    for (number, route) in stage.routes().enumerate() {
        let path = route.resource_path();
        let mut at = &mut root;
        if route.method == "$default" {
            at = at.child("$default");
        } else {
            for part in path.split('/').filter(|part| !part.is_empty()) {
                at = at.child(&format!("/{part}"));
            }
        }
        at.methods.push(number);
    }
    root
}

fn branch(number: usize, stage: &Stage, resource: &Resource) -> Markup {
    html! {
        li {
            span.resource { (resource.name) }
            @if !resource.methods.is_empty() {
                ul.methods aria-label=(format!("Methods of {}", resource.name)) {
                    @for route_number in &resource.methods {
                        @if let Some(route) = stage.routes().nth(*route_number) {
                            (method(&Place { stage_number: number, route_number: *route_number, stage, route }))
                        }
                    }
                }
            }
            @if !resource.below.is_empty() {
                ul { @for below in &resource.below { (branch(number, stage, below)) } }
            }
        }
    }
}

fn method(place: &Place<'_>) -> Markup {
    let Place { route, .. } = place;
    html! {
        li {
            a href=(place.url()) aria-label=(format!("{} {}", route.method, route.resource_path())) {
                (verb(route))
                span.summary { (super::definition::safe_uri(&route.integration.summary())) }
                @if !route.guard.is_open() { " " span.tag { (route.guard.summary()) } }
                @if route.usage.key.is_some() { " " span.tag { "API key" } }
            }
        }
    }
}

/// The method, by its colour.
pub fn verb(route: &Route) -> Markup {
    html! { span class=(format!("verb {}", route.method.trim_start_matches('$').to_ascii_lowercase())) { (route.method) } }
}

/// What is wrong with the definition.
pub fn problems(subject: &Subject) -> Markup {
    let content = html! {
        h1 { "Problems" }
        @if subject.diagnostics.is_empty() {
            p { "The definition has none: nothing of it is served otherwise than it says." }
        } @else {
            p.faint { "What is served otherwise than the definition may mean." }
            ul.cards {
                @for problem in &subject.diagnostics {
                    li.card {
                        h2 { span.tag.warn { (match problem.severity { Severity::Error => "error", Severity::Warning => "warning" }) } " " (problem.message) }
                        p.mono.faint {
                            (problem.file) @if let Some(place) = &problem.place { ":" (place.line) ":" (place.column) }
                        }
                        @if !problem.path.is_empty() { p.mono { (problem.path) } }
                        @if let Some(help) = &problem.help { p { (help) } }
                    }
                }
            }
        }
    };
    frame(subject, "/problems", "Problems", &content)
}

// === impl Resource ===

impl Resource {
    fn child(&mut self, name: &str) -> &mut Self {
        let at = self.below.iter().position(|child| child.name == name).unwrap_or_else(|| {
            self.below.push(Self { name: name.to_owned(), ..Self::default() });
            self.below.len() - 1
        });
        &mut self.below[at]
    }
}
