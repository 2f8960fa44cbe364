//! The execution log of a method: what became of one request, step by step, in the words and the order of API Gateway's console.
//! AWS: "Set up CloudWatch logging for REST APIs in API Gateway"; the sequence of lines was recorded
//! (`test_apigw_test_invoke_method_api`).
//!
//! Lines are of level debug, because they are for whoever looks at one request. What lets a caller in is shown by its end at most.

use crate::context::Context;
use crate::http::{Headers, RequestHead, Response, ResponseHead};
use crate::platform::{Level, Platform};
use crate::reporting::{LoggingLevel, Reporting};

/// How much is told of a method's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecutionLog {
    /// Only of those that fail.
    errors_only: bool,
    /// Headers and bodies, too.
    data_trace: bool,
}

/// Documented: what is longer is cut off.
const EVENT_LIMIT: usize = 1024;

/// The headers, and parameters of a signed URL, whose values let a caller in.
const SECRETS: [&str; 7] =
    ["authorization", "x-api-key", "cookie", "set-cookie", "x-amz-security-token", "x-amz-signature", "proxy-authorization"];

/// How much of a secret is shown.
const SHOWN: usize = 6;

// === impl ExecutionLog ===

impl ExecutionLog {
    /// None where nothing is told.
    pub fn new(reporting: Reporting) -> Option<Self> {
        let level = reporting.level.unwrap_or_default();
        let data_trace = reporting.data_trace == Some(true);
        (level > LoggingLevel::Off).then_some(Self { errors_only: level == LoggingLevel::Error, data_trace })
    }

    /// A request found its method.
    pub fn started(self, context: &Context, platform: &dyn Platform) {
        if self.errors_only {
            return;
        }
        let line = |text: &str| self.line(context, text, platform);
        line(&format!("Extended Request Id: {}", context.ids.extended_request_id()));
        line(&format!("Starting execution for request: {}", context.ids.request_id()));
        let path = context.route.as_ref().map_or("", |route| &route.resource_path);
        line(&format!("HTTP Method: {}, Resource Path: {path}", context.request.method));
        if self.data_trace {
            let parameters = context.path_parameters.iter().map(|(name, value)| (name.as_str(), value.clone()));
            line(&format!("Method request path: {}", map(parameters)));
            let query = context.query().iter().map(|(name, value)| (name, shown(name, value)));
            line(&format!("Method request query string: {}", map(query)));
            line(&format!("Method request headers: {}", fields(context.headers())));
        }
    }

    /// It was let in; a body that is not there in whole is not known.
    pub fn admitted(self, context: &Context, is_whole: bool, platform: &dyn Platform) {
        if !self.errors_only && self.data_trace {
            let body = platform.request_body();
            if body.is_empty() && !is_whole {
                return;
            }
            let text = format!("Method request body before transformations: {}", String::from_utf8_lossy(&body));
            self.line(context, &text, platform);
        }
    }

    /// It goes to its integration; a body that streams is not known.
    pub fn sending(self, context: &Context, head: &RequestHead, body: Option<&[u8]>, platform: &dyn Platform) {
        if self.errors_only {
            return;
        }
        let line = |text: &str| self.line(context, text, platform);
        let uri = [head.scheme.as_bytes(), b"://", &head.authority, &head.path].concat();
        let uri = String::from_utf8_lossy(&uri);
        let uri = uri.split_once('?').map_or(&*uri, |(uri, _)| uri);
        if self.data_trace {
            line(&format!("Endpoint request URI: {uri}"));
            line(&format!("Endpoint request headers: {}", fields(&head.headers)));
            if let Some(body) = body {
                line(&format!("Endpoint request body after transformations: {}", String::from_utf8_lossy(body)));
            }
        }
        line(&format!("Sending request to {uri}"));
    }

    /// Its integration answered; a body that streams is not known.
    pub fn received(self, context: &Context, head: &ResponseHead, body: Option<&[u8]>, millis: u64, platform: &dyn Platform) {
        if self.errors_only {
            return;
        }
        let line = |text: &str| self.line(context, text, platform);
        line(&format!("Received response. Status: {}, Integration latency: {millis} ms", head.status));
        if self.data_trace {
            line(&format!("Endpoint response headers: {}", fields(&head.headers)));
            if let Some(body) = body {
                line(&format!("Endpoint response body before transformations: {}", String::from_utf8_lossy(body)));
            }
        }
    }

    /// It ends in a gateway response.
    pub fn failed(self, context: &Context, reason: &str, response: &Response, platform: &dyn Platform) {
        let line = |text: &str| self.line(context, text, platform);
        let status = response.head.status;
        line(&format!("Execution failed: {reason}"));
        let response_type = context.error.as_ref().map_or("DEFAULT", |error| error.response_type);
        line(&format!("Gateway response type: {response_type} with status code: {status}"));
        if self.data_trace {
            line(&format!("Gateway response body: {}", String::from_utf8_lossy(&response.body)));
            line(&format!("Gateway response headers: {}", fields(&response.head.headers)));
        }
        line(&format!("Method completed with status: {status}"));
    }

    /// It was answered; a body that streams is not known.
    pub fn succeeded(self, context: &Context, head: &ResponseHead, body: Option<&[u8]>, platform: &dyn Platform) {
        if self.errors_only {
            return;
        }
        let line = |text: &str| self.line(context, text, platform);
        if self.data_trace {
            if let Some(body) = body {
                line(&format!("Method response body after transformations: {}", String::from_utf8_lossy(body)));
            }
            line(&format!("Method response headers: {}", fields(&head.headers)));
        }
        line("Successfully completed execution");
        line(&format!("Method completed with status: {}", head.status));
    }

    fn line(self, context: &Context, text: &str, platform: &dyn Platform) {
        let mut line = format!("({}) ", context.ids.request_id());
        // A client's bytes begin no line of their own.
        for c in text.chars() {
            if line.len() >= EVENT_LIMIT {
                line.push_str(" [TRUNCATED]");
                break;
            }
            line.push(if c.is_control() { ' ' } else { c });
        }
        platform.log(Level::Debug, &line);
    }
}

/// Java's text of a map, as the console has it.
fn map<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> String {
    let entries: Vec<String> = entries.map(|(name, value)| [name, "=", value.as_str()].concat()).collect();
    ["{", &entries.join(", "), "}"].concat()
}

fn fields(headers: &Headers) -> String {
    // What steers the proxy is nothing that a backend gets, or sent.
    let of_message = headers.iter().filter(|(name, _)| !name.starts_with("x-envoy-") && !name.starts_with("x-tollgate-"));
    map(of_message.map(|(name, value)| (name, shown(name, &String::from_utf8_lossy(value)))))
}

fn shown(name: &str, value: &str) -> String {
    if SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name)) { masked(value) } else { value.to_owned() }
}

/// A secret by its end; a short one not at all.
fn masked(secret: &str) -> String {
    let length = secret.chars().count();
    let hidden = if length >= 4 * SHOWN { length - SHOWN } else { length };
    let shown: String = secret.chars().skip(hidden).collect();
    ["*".repeat(hidden), shown].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_by_its_end_at_most() {
        assert_eq!(masked("0123456789012345678901234567"), "**********************234567");
        assert_eq!(masked("short-secret"), "************");
        let headers: Headers = [("accept", "*/*"), ("x-api-key", "k"), ("authorization", "Bearer 01234567890123456789")]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .collect();
        assert_eq!(fields(&headers), "{accept=*/*, x-api-key=*, authorization=*********************456789}");
    }

    #[test]
    fn nothing_is_told_where_nothing_is_asked_for() {
        let of = |level| ExecutionLog::new(Reporting { level, ..Reporting::default() });
        assert_eq!(of(None), None);
        assert_eq!(of(Some(LoggingLevel::Off)), None);
        assert_eq!(of(Some(LoggingLevel::Error)), Some(ExecutionLog { errors_only: true, data_trace: false }));
    }
}
