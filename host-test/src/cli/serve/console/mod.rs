//! `/_tollgate`: what is served, as API Gateway's console shows it, for whoever sits at this machine. Plain HTML, made here; no script,
//! and nothing from elsewhere.
//!
//! AWS: "REST API development: use the API Gateway console to test a REST API method"; the picture is its "Method execution" pane.

mod definition;
pub mod guard;
mod method;
mod overview;
mod page;
mod requests;
mod trial;
mod words;

use std::sync::{Arc, OnceLock};

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tollgate::compile::compile;
use tollgate::gateway::{Gateway, Route, Stage};
use tollgate_host::Shared;

use super::exchange::Backends;
use super::journal::{Journal, Told};
use super::{Current, admin};
use crate::cli::diagnostics::Diagnostic;
use crate::cli::server::Body;

/// Where the console is.
pub const ROOT: &str = "/_tollgate";

/// A form is no longer.
const MAX_FORM: usize = 1024 * 1024;

/// What the console shows of a configuration.
pub struct Subject {
    file: String,
    document: Value,
    diagnostics: Vec<Diagnostic>,
    backends: Backends,
    /// Another gateway of the same document: what is tried in it leaves no trace in what is served.
    trials: OnceLock<Option<Arc<Gateway>>>,
}

/// Whether a path is the console's.
pub fn is_at(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a request.
pub async fn answer(request: Request<Incoming>, current: &Current, journal: &Journal, shared: &Arc<Shared>) -> Response<Body> {
    if let Some(refusal) = guard::foreign_host(&request).or_else(|| guard::foreign_origin(&request)) {
        return refusal;
    }
    let path = request.uri().path().strip_prefix(ROOT).unwrap_or_default().to_owned();
    let places: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let is_trial = matches!(places.as_slice(), ["method", _, _]) && request.method() == Method::POST;
    if !is_trial && request.method() != Method::GET {
        return guard::refuse(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here, and POST by the Test form");
    }
    let (gateway, subject) = (&current.gateway, &current.subject);
    match places.as_slice() {
        [] => page::response(&overview::page(gateway, subject)),
        ["method", stage, route] => {
            let place = Place::find(gateway, stage, route);
            if !is_trial {
                let Some(place) = place else { return not_found() };
                return page::response(&method::page(gateway, subject, &place, &trial::Form::new(&place), None));
            }
            let Ok(body) = Limited::new(request.into_body(), MAX_FORM).collect().await else {
                return guard::refuse(StatusCode::PAYLOAD_TOO_LARGE, "the form is longer than 1 MiB");
            };
            let form = trial::Form::read(&body.to_bytes());
            // The form may name the same method of another stage, and its page be of a definition that is not served any more.
            let Some(place) = form.place(gateway, place) else { return not_found() };
            let tried = trial::run(subject, &place, &form).await;
            page::response(&method::page(gateway, subject, &place, &form, Some(&tried)))
        }
        ["requests"] => page::response(&requests::list(&journal.last(), subject)),
        ["requests", number] => match journal.last().into_iter().find(|entry| entry.number.to_string() == *number) {
            Some(entry) => page::response(&requests::one(&entry, gateway, subject)),
            None => not_found(),
        },
        ["usage"] => page::response(&requests::usage(&admin::usage_report(gateway, shared), subject)),
        ["problems"] => page::response(&overview::problems(subject)),
        _ => not_found(),
    }
}

fn not_found() -> Response<Body> {
    guard::refuse(StatusCode::NOT_FOUND, "there is no such page: the definition may have changed, or the request is too long ago")
}

/// A method of a stage, by its place among those of the gateway.
struct Place<'a> {
    /// The place of the stage.
    stage_number: usize,
    /// The place of the route in the stage.
    route_number: usize,
    stage: &'a Stage,
    route: &'a Route,
}

// === impl Place ===

impl<'a> Place<'a> {
    fn find(gateway: &'a Gateway, stage: &str, route: &str) -> Option<Self> {
        let (stage_number, route_number) = (stage.parse().ok()?, route.parse().ok()?);
        let stage = gateway.stages().nth(stage_number)?;
        Some(Self { stage_number, route_number, stage, route: stage.routes().nth(route_number)? })
    }

    /// The method that a request went to.
    fn of(gateway: &'a Gateway, told: &Told) -> Option<Self> {
        let (api, stage) = told.stage.as_ref()?;
        let wanted = told.route.as_ref()?;
        let is_stage = |it: &&Stage| it.api.name == *api && it.name() == stage;
        let (stage_number, stage) = gateway.stages().enumerate().find(|(_, it)| is_stage(it))?;
        let is_route = |route: &Route| match route.method {
            "$default" => wanted == "$default",
            method => wanted.strip_prefix(method).is_some_and(|path| path.trim_start() == route.resource_path()),
        };
        let (route_number, route) = stage.routes().enumerate().find(|(_, route)| is_route(route))?;
        Some(Self { stage_number, route_number, stage, route })
    }

    /// The same method of every stage of its API, itself among them.
    fn siblings(&self, gateway: &'a Gateway) -> Vec<Self> {
        Self::all(gateway).filter(|place| place.name() == self.name()).collect()
    }

    /// Every method of every stage.
    fn all(gateway: &'a Gateway) -> impl Iterator<Item = Self> {
        gateway.stages().enumerate().flat_map(|(stage_number, stage)| {
            stage.routes().enumerate().map(move |(route_number, route)| Self { stage_number, route_number, stage, route })
        })
    }

    /// What it is in every stage of its API.
    fn name(&self) -> String {
        format!("{} {} of {}", self.route.method, self.route.resource_path(), self.stage.api.name)
    }

    /// Where its page is.
    fn url(&self) -> String {
        format!("{ROOT}/method/{}/{}", self.stage_number, self.route_number)
    }
}

// === impl Subject ===

impl Subject {
    pub fn new(file: String, document: Value, diagnostics: Vec<Diagnostic>, backends: Backends) -> Self {
        Self { file, document, diagnostics, backends, trials: OnceLock::new() }
    }

    /// The gateway in which requests are tried.
    fn trials(&self) -> Option<Arc<Gateway>> {
        self.trials.get_or_init(|| compile(&self.document).gateway.map(Arc::new)).clone()
    }
}
