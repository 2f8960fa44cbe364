//! What API Gateway's console calls the steps of a request, in the log of its Test.

use tollgate::platform::Section;

use crate::cli::explain::platform::Step;

/// The words for a step; ours where API Gateway has none.
pub fn of(step: &Step) -> &'static str {
    match (step.section, step.name) {
        (Section::MethodRequest, "route") => "Starting execution for request",
        (Section::MethodRequest, "request") => "Method request",
        (Section::MethodRequest, "path parameters") => "Method request path",
        (Section::MethodRequest, "request body") => "Method request body before transformations",
        (_, "no answer") => "No answer",
        (_, "warning") => "Warning",
        (_, "error") => "Error",
        (Section::MethodRequest, "authorizer") => "Authorizer",
        (Section::MethodRequest, "authorizer asks") => "Sending authorizer request",
        (Section::MethodRequest, "answer") => "Authorizer result",
        (Section::IntegrationRequest, "parameters") => "Endpoint request parameters after transformations",
        (Section::IntegrationRequest, "body after the template" | "event") => "Endpoint request body after transformations",
        (Section::Integration, "request") => "Endpoint request",
        (Section::Integration, "request body") => "Endpoint request body",
        (Section::Integration, "server") => "Sending request to",
        (Section::Integration, "latency") => "Integration latency",
        (Section::Integration, "response") => "Endpoint response",
        (Section::Integration, "response body") => "Endpoint response body before transformations",
        (Section::IntegrationResponse, "selected response") => "Selected integration response",
        (Section::IntegrationResponse, "parameters") => "Method response parameters after transformations",
        (Section::GatewayResponse, "failure") => "Execution failed due to",
        (Section::MethodResponse, "response") => "Method completed with",
        _ => step.name,
    }
}
