//! `responseParameters` of HTTP APIs: headers and the status of the client's response, by the status that the integration answers.

use super::{Action, Mapping, apply, compile_value, describe, evaluate_headers, target};
use crate::context::Context;
use crate::definition::Node;
use crate::http::ResponseHead;
use crate::mapping::{HttpExpression, Side, Sources};
use crate::platform::{Platform, Section};
use crate::problem::Problems;
use std::ops::RangeInclusive;

/// The compiled mappings of all statuses.
#[derive(Debug, Default)]
pub struct HttpResponseParameters(Vec<OfStatus>);

/// The mappings for one status of the integration.
#[derive(Debug)]
struct OfStatus {
    of: u16,
    headers: Vec<Mapping>,
    status: Option<HttpExpression>,
}

/// Statuses that are answers: none of them is followed by another.
const FINAL: RangeInclusive<u16> = 200..=599;

// === impl HttpResponseParameters ===

impl HttpResponseParameters {
    /// Reads the mappings of an integration.
    pub fn compile(node: &Node<'_>, problems: &mut Problems) -> Self {
        let Some(statuses) = node.get("responseParameters") else { return Self::default() };
        let mut parameters = Vec::new();
        for (status, mappings) in statuses.members(problems) {
            match final_status(status.as_bytes()) {
                Some(of) => parameters.push(OfStatus::compile(of, &mappings, problems)),
                None => problems.error(
                    &mappings.path,
                    format!("`{status}` is no status of an integration"),
                    Some("the keys of `responseParameters` are statuses, from 200 to 599"),
                ),
            }
        }
        Self(parameters)
    }

    /// Whether the answer has to be there as a whole: a part of its body is mapped, or a mapped status may forbid the body, which
    /// must not follow its head then.
    pub fn need_answer(&self) -> bool {
        self.0.iter().any(OfStatus::needs_answer)
    }

    /// Changes the head of the integration's answer.
    pub fn apply(&self, context: &Context, head: &mut ResponseHead, body: &[u8], platform: &dyn Platform) {
        let Some(of_status) = self.0.iter().find(|parameters| parameters.of == head.status) else { return };
        let sources = Sources::of(context).with_response(&head.headers).with_body(body);
        let mapped = evaluate_headers(&of_status.headers, &sources, platform);
        // assumed(http-status-value): what is no final status changes nothing.
        let status = of_status.status.as_ref().and_then(|status| status.value(&sources, platform));
        let status = status.and_then(|status| final_status(&status));
        platform.note(Section::IntegrationResponse, "parameters", &|| {
            let mut lines = Vec::new();
            lines.extend(status.map(|status| format!("overwrite:statuscode: {status}")));
            describe("header", &mapped, &mut lines);
            lines.join("\n")
        });
        let mut headers = head.headers.clone();
        apply(&mapped, &mut headers);
        if let Some(status) = status {
            // A response that had no body tells the length of another one.
            if head.forbids_body() {
                headers.remove("content-length");
            }
            head.status = status;
        }
        head.headers = headers;
    }
}

// === impl OfStatus ===

impl OfStatus {
    fn compile(of: u16, node: &Node<'_>, problems: &mut Problems) -> Self {
        let mut parameters = Self { of, headers: Vec::new(), status: None };
        for (key, value) in node.members(problems) {
            let header = target(key).and_then(|(action, what)| Some((action, what.strip_prefix("header.")?)));
            if let Some((action, name)) = header {
                parameters.headers.extend(Mapping::header(action, name, &value, Side::Response, problems));
            } else if target(key) == Some((Action::Overwrite, "statuscode")) {
                parameters.status = compile_status(&value, problems);
            } else {
                let help = "write `append:header.NAME`, `overwrite:header.NAME`, `remove:header.NAME` or `overwrite:statuscode`";
                problems.error(&value.path, format!("`{key}` is no target of a response parameter"), Some(help));
            }
        }
        parameters
    }

    fn needs_answer(&self) -> bool {
        let may_forbid_body = |status: &HttpExpression| static_status(status).is_none_or(forbids_body);
        let mut values = self.headers.iter().filter_map(|mapping| mapping.value.as_ref()).chain(&self.status);
        values.any(HttpExpression::needs_body) || self.status.as_ref().is_some_and(may_forbid_body)
    }
}

fn compile_status(node: &Node<'_>, problems: &mut Problems) -> Option<HttpExpression> {
    let status = compile_value(node, Side::Response, problems)?;
    if status.is_text() && static_status(&status).is_none() {
        problems.error(&node.path, "no status of a response", Some("write a status from 200 to 599"));
        return None;
    }
    Some(status)
}

/// The status that it is for every answer.
fn static_status(status: &HttpExpression) -> Option<u16> {
    if status.is_text() { final_status(status.texts().next()?.as_bytes()) } else { None }
}

fn forbids_body(status: u16) -> bool {
    ResponseHead { status, ..ResponseHead::default() }.forbids_body()
}

fn final_status(text: &[u8]) -> Option<u16> {
    std::str::from_utf8(text).ok()?.parse().ok().filter(|status| text.len() == 3 && FINAL.contains(status))
}
