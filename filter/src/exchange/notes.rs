//! What is told of one request to a host that keeps it, so that somebody can look at every step.

use crate::context::Context;
use crate::flow::CalloutOutcome;
use crate::gateway::{Route, Stage};
use crate::http::Response;
use crate::platform::{Platform, Section};

/// Where a request goes, and with what.
pub(super) fn note_route(stage: &Stage, route: &Route, context: &Context, platform: &dyn Platform) {
    let place = || format!("{} {} of `{}`, stage `{}`", route.method, route.resource_path(), stage.api.name, stage.name());
    platform.note(Section::MethodRequest, "route", &place);
    platform.note(Section::MethodRequest, "request", &|| context.request.describe());
    let parameters =
        || context.path_parameters.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n");
    platform.note(Section::MethodRequest, "path parameters", &parameters);
    platform.note(Section::MethodRequest, "authorizer", &|| route.guard.summary());
}

/// What a call came back with.
pub(super) fn outcome_text(outcome: &CalloutOutcome) -> String {
    outcome.as_ref().map_or_else(|_| "nobody answered".to_owned(), Response::describe)
}
