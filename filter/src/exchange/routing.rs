//! From a request head to its route: the first stages of the pipeline.

use super::finish::add_ids;
use crate::context::{Context, Ids, METHOD_OVERRIDE};
use crate::definition::Protocol;
use crate::flow::PAYLOAD_LIMIT;
use crate::gateway::{Gateway, Route, Stage};
use crate::gateway_response::{Failure, ResponseType};
use crate::http::{CanonicalPath, RequestHead, Response, is_valid_host};
use crate::integration::is_reserved;
use crate::platform::Platform;
use std::sync::Arc;

/// Where a request goes.
pub(super) enum Found {
    /// An answer without a route.
    Preflight(Arc<Stage>, Box<Context>, Response),
    Route(Arc<Stage>, Arc<Route>, Box<Context>),
}

/// A request that gets a gateway response instead.
pub(super) struct Refused {
    pub(super) stage: Option<Arc<Stage>>,
    pub(super) context: Context,
    pub(super) failure: Failure,
}

/// Reads the head once, and drops every header that only the gateway or the proxy may set.
pub(super) fn read(mut head: RequestHead, platform: &mut dyn Platform) -> Context {
    head.headers.retain(|name| !is_reserved(name));
    Context::new(Ids::new(platform.random()), head)
}

/// Stage, route, preflight. A preflight needs no route; but where one takes OPTIONS and is guarded, its guard is asked first
/// (documented for `$default`; assumed(guarded-preflight): for every other route, as users report it of ANY).
pub(super) fn find_route(gateway: &Gateway, context: Context) -> Result<Found, Box<Refused>> {
    let (stage, mut context) = find_stage(gateway, context)?;
    let found = stage.find(&context.request.method, &context.stage_path);
    let is_open = found.as_ref().is_none_or(|found| found.route.guard.is_open());
    if let Some(response) = preflight(&stage, &context).filter(|_| is_open) {
        return Ok(Found::Preflight(stage, Box::new(context), response));
    }
    let Some(found) = found else {
        let failure = no_route(&context);
        return Err(Box::new(Refused { stage: Some(stage), context, failure }));
    };
    let route = Arc::clone(found.route);
    context.path_parameters = found.parameters;
    context.route = Some(Arc::clone(&route.facts));
    if declared_length(&context) > PAYLOAD_LIMIT as u64 {
        let failure = Failure::new(ResponseType::RequestTooLarge);
        return Err(Box::new(Refused { stage: Some(stage), context, failure }));
    }
    Ok(Found::Route(stage, route, Box::new(context)))
}

/// The answer to a preflight of an API with CORS settings.
pub(super) fn preflight(stage: &Stage, context: &Context) -> Option<Response> {
    let mut response = stage.api.cors.as_ref()?.preflight(&context.request)?;
    add_ids(&mut response.head, context);
    Some(response)
}

fn find_stage(gateway: &Gateway, mut context: Context) -> Result<(Arc<Stage>, Context), Box<Refused>> {
    let path = context.path.as_ref().map(CanonicalPath::path);
    let found = match path.filter(|_| is_valid_host(&context.request.authority)) {
        Some(path) => gateway.find(&context.host(), path).ok_or(None),
        None => Err(Some(Failure::bad_request())),
    };
    let found = match found {
        Ok(found) => found,
        Err(failure) => {
            let host = context.host();
            context.protocol = gateway.protocol_at(&host);
            let no_stage = || Failure::no_stage(context.protocol, gateway.is_custom_domain(&host));
            let failure = failure.unwrap_or_else(no_stage);
            return Err(Box::new(Refused { stage: None, context, failure }));
        }
    };
    let stage = Arc::clone(found.stage);
    context.stage_path = found.path;
    context.protocol = stage.api.protocol;
    context.stage = Some(Arc::clone(&stage.facts));
    if context.protocol == Protocol::Rest {
        override_method(&mut context.request);
    }
    Ok((stage, context))
}

/// REST APIs take the method from this header (documented under known issues).
fn override_method(request: &mut RequestHead) {
    if let Some(method) = request.headers.last(METHOD_OVERRIDE) {
        request.method = String::from_utf8_lossy(method).to_ascii_uppercase();
    }
}

/// REST APIs try to read an AWS signature where no route is; any other `Authorization` is told so.
fn no_route(context: &Context) -> Failure {
    match context.headers().get("authorization") {
        Some(value) if context.protocol == Protocol::Rest && !value.starts_with(b"AWS4-HMAC-SHA256") => {
            Failure::unreadable_signature(value)
        }
        _ => Failure::new(ResponseType::MissingAuthenticationToken),
    }
}

/// `content-length`; a number that no machine holds is too large, and what is no number the proxy has refused.
fn declared_length(context: &Context) -> u64 {
    let value =
        context.headers().get("content-length").and_then(|value| std::str::from_utf8(value).ok()).unwrap_or_default().trim();
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().unwrap_or(if is_number { u64::MAX } else { 0 })
}
