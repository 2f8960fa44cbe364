//! The execution log of a method: what became of one request, step by step, in the words and the order of API Gateway's console.
//! AWS: "Set up CloudWatch logging for REST APIs in API Gateway"; the sequence of lines was recorded
//! (`test_apigw_test_invoke_method_api`).
//!
//! Lines are of level debug, because they are for whoever looks at one request. What lets a caller in is shown by its end at most,
//! and not at all where it stands in other words: a function's event has all headers of its request.

use crate::context::Context;
use crate::http::{Headers, RequestHead, Response, ResponseHead};
use crate::platform::{Level, Platform};
use crate::reporting::{LoggingLevel, Reporting, is_printable};

/// How much is told of a method's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionLog {
    /// Only of those that fail.
    errors_only: bool,
    /// Headers, parameters and bodies, too. assumed(execution-log-brief): which lines are left out without it.
    data_trace: bool,
    /// The headers and parameters in which its callers say who they are, in lower case.
    credentials: Vec<String>,
}

/// Where the lines of one request go, and what they do not show.
struct Lines<'a> {
    request_id: String,
    credentials: &'a [String],
    /// What lets this caller in, as it stands in a header, and as it does in JSON.
    secrets: Vec<String>,
    platform: &'a dyn Platform,
}

/// Documented: what is longer is cut off.
const EVENT_LIMIT: usize = 1024;

/// What the names of headers and parameters hold whose values let a caller in.
const SECRET: [&str; 10] =
    ["authorization", "api-key", "api_key", "apikey", "cookie", "password", "secret", "session", "signature", "token"];

/// Those of which an end tells nobody more than which one it is; that of a cookie may be all of it.
const SHOWN_BY_END: [&str; 5] = ["authorization", "proxy-authorization", "x-amz-security-token", "x-amz-signature", "x-api-key"];

/// How much of a secret is shown.
const SHOWN: usize = 6;

/// What is shorter is not looked for in other words: it may stand there by chance.
const SHORTEST: usize = 8;

/// How many secrets of a caller are looked for: whoever sends more tells on nobody else.
const MOST: usize = 32;

// === impl ExecutionLog ===

impl ExecutionLog {
    /// None where nothing is told.
    pub fn new(reporting: Reporting, credentials: &[String]) -> Option<Self> {
        let level = reporting.level.unwrap_or_default();
        let data_trace = reporting.data_trace == Some(true);
        let credentials = credentials.iter().map(|name| name.to_ascii_lowercase()).collect();
        (level > LoggingLevel::Off).then_some(Self { errors_only: level == LoggingLevel::Error, data_trace, credentials })
    }

    /// A request found its method.
    pub fn started(&self, context: &Context, platform: &dyn Platform) {
        if self.errors_only {
            return;
        }
        let lines = Lines::new(context, &self.credentials, platform);
        let line = |text: &str| lines.tell(text);
        line(&format!("Extended Request Id: {}", context.ids.extended_request_id()));
        line(&format!("Starting execution for request: {}", context.ids.request_id()));
        let path = context.route.as_ref().map_or("", |route| &route.resource_path);
        line(&format!("HTTP Method: {}, Resource Path: {path}", context.request.method));
        if self.data_trace {
            let parameters = context.path_parameters.iter().map(|(name, value)| (name.as_str(), value.clone()));
            line(&format!("Method request path: {}", map(parameters)));
            let query = context.query().iter().map(|(name, value)| (name, lines.shown(name, value)));
            line(&format!("Method request query string: {}", map(query)));
            line(&format!("Method request headers: {}", lines.fields(context.headers())));
        }
    }

    /// It was let in; a body that is not there in whole is not known.
    pub fn admitted(&self, context: &Context, is_whole: bool, platform: &dyn Platform) {
        if !self.errors_only && self.data_trace {
            let body = platform.request_body();
            if body.is_empty() && !is_whole {
                return;
            }
            let lines = Lines::new(context, &self.credentials, platform);
            lines.tell(&format!("Method request body before transformations: {}", lines.beginning(&body)));
        }
    }

    /// It goes to its integration; a body that streams is not known.
    pub fn sending(&self, context: &Context, head: &RequestHead, body: Option<&[u8]>, platform: &dyn Platform) {
        if self.errors_only {
            return;
        }
        let lines = Lines::new(context, &self.credentials, platform);
        let line = |text: &str| lines.tell(text);
        let uri = [head.scheme.as_bytes(), b"://", &head.authority, &head.path].concat();
        let uri = String::from_utf8_lossy(&uri);
        let uri = uri.split_once('?').map_or(&*uri, |(uri, _)| uri);
        if self.data_trace {
            line(&format!("Endpoint request URI: {uri}"));
            line(&format!("Endpoint request headers: {}", lines.fields(&head.headers)));
            if let Some(body) = body {
                line(&format!("Endpoint request body after transformations: {}", lines.beginning(body)));
            }
        }
        line(&format!("Sending request to {uri}"));
    }

    /// Its integration answered; a body that streams is not known.
    pub fn received(&self, context: &Context, head: &ResponseHead, body: Option<&[u8]>, millis: u64, platform: &dyn Platform) {
        if self.errors_only {
            return;
        }
        let lines = Lines::new(context, &self.credentials, platform);
        let line = |text: &str| lines.tell(text);
        line(&format!("Received response. Status: {}, Integration latency: {millis} ms", head.status));
        if self.data_trace {
            line(&format!("Endpoint response headers: {}", lines.fields(&head.headers)));
            if let Some(body) = body {
                line(&format!("Endpoint response body before transformations: {}", lines.beginning(body)));
            }
        }
    }

    /// It ends in a gateway response. assumed(execution-log-failure): the words of these lines; those that
    /// were recorded are of a request that succeeded.
    pub fn failed(&self, context: &Context, reason: &str, response: &Response, platform: &dyn Platform) {
        let lines = Lines::new(context, &self.credentials, platform);
        let line = |text: &str| lines.tell(text);
        let status = response.head.status;
        line(&format!("Execution failed: {reason}"));
        let response_type = context.error.as_ref().map_or("DEFAULT", |error| error.response_type);
        line(&format!("Gateway response type: {response_type} with status code: {status}"));
        if self.data_trace {
            line(&format!("Gateway response body: {}", lines.beginning(&response.body)));
            line(&format!("Gateway response headers: {}", lines.fields(&response.head.headers)));
        }
        line(&format!("Method completed with status: {status}"));
    }

    /// It was answered; a body that streams is not known.
    pub fn succeeded(&self, context: &Context, head: &ResponseHead, body: Option<&[u8]>, platform: &dyn Platform) {
        if self.errors_only {
            return;
        }
        let lines = Lines::new(context, &self.credentials, platform);
        let line = |text: &str| lines.tell(text);
        if self.data_trace {
            if let Some(body) = body {
                line(&format!("Method response body after transformations: {}", lines.beginning(body)));
            }
            line(&format!("Method response headers: {}", lines.fields(&head.headers)));
        }
        line("Successfully completed execution");
        line(&format!("Method completed with status: {}", head.status));
    }
}

// === impl Lines ===

impl<'a> Lines<'a> {
    fn new(context: &Context, credentials: &'a [String], platform: &'a dyn Platform) -> Self {
        let mut lines = Self { request_id: context.ids.request_id(), credentials, secrets: Vec::new(), platform };
        let headers = context.headers().iter().map(|(name, value)| (name, String::from_utf8_lossy(value)));
        let query = context.query().iter().map(|(name, value)| (name, value.into()));
        let named = headers.chain(query).filter(|(name, _)| lines.is_secret(name)).map(|(_, value)| value);
        let key = context.api_key.iter().map(|key| key.value.as_str().into());
        let mut secrets = Vec::new();
        for secret in named.chain(key).take(MOST) {
            // `Bearer` may be gone elsewhere.
            let bare = secret.split_once(' ').map_or(&*secret, |(_, bare)| bare);
            let quoted = serde_json::Value::from(bare).to_string();
            let quoted = quoted.trim_matches('"');
            secrets.extend([bare, quoted].into_iter().filter(|text| text.len() >= SHORTEST).map(str::to_owned));
        }
        secrets.dedup();
        lines.secrets = secrets;
        lines
    }

    fn tell(&self, text: &str) {
        self.platform.log(Level::Debug, &self.line(text));
    }

    /// One line, as long as it may be. A client's bytes begin no line of their own.
    fn line(&self, text: &str) -> String {
        let mut line = format!("({}) ", self.request_id);
        let mut hidden = 0;
        for (at, c) in text.char_indices() {
            if line.len() >= EVENT_LIMIT {
                line.push_str(" [TRUNCATED]");
                break;
            }
            let rest = text.get(at..).unwrap_or_default();
            let found = self.secrets.iter().filter(|secret| rest.starts_with(secret.as_str())).map(String::len).max();
            hidden = hidden.max(found.map_or(0, |length| at.saturating_add(length)));
            line.push(match c {
                _ if at < hidden => '*',
                c if is_printable(c) => c,
                _ => ' ',
            });
        }
        line
    }

    /// As much of a body as a line can show, with the whole of a secret that it shows the beginning of.
    fn beginning<'b>(&self, body: &'b [u8]) -> std::borrow::Cow<'b, str> {
        const LONGEST_CHARACTER: usize = 4;
        let longest = self.secrets.iter().map(String::len).max().unwrap_or_default();
        let length = body.len().min((EVENT_LIMIT * LONGEST_CHARACTER).saturating_add(longest));
        String::from_utf8_lossy(body.get(..length).unwrap_or(body))
    }

    fn fields(&self, headers: &Headers) -> String {
        // What steers the proxy is nothing that a backend gets, or sent.
        let of_message = headers.iter().filter(|(name, _)| !name.starts_with("x-envoy-") && !name.starts_with("x-tollgate-"));
        map(of_message.map(|(name, value)| (name, self.shown(name, &String::from_utf8_lossy(value)))))
    }

    fn shown(&self, name: &str, value: &str) -> String {
        if self.is_secret(name) { masked(name, value) } else { value.to_owned() }
    }

    fn is_secret(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        SECRET.iter().any(|part| name.contains(part)) || self.credentials.contains(&name)
    }
}

/// Java's text of a map, as the console has it.
fn map<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> String {
    let entries: Vec<String> = entries.map(|(name, value)| [name, "=", value.as_str()].concat()).collect();
    ["{", &entries.join(", "), "}"].concat()
}

/// A secret by its end; a short one not at all, and neither a password.
fn masked(name: &str, secret: &str) -> String {
    let length = secret.chars().count();
    let is_password = secret.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"));
    let has_end = !is_password && SHOWN_BY_END.iter().any(|shown| shown.eq_ignore_ascii_case(name));
    let hidden = if has_end && length >= 4 * SHOWN { length - SHOWN } else { length };
    let shown: String = secret.chars().skip(hidden).collect();
    ["*".repeat(hidden), shown].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Ids;
    use crate::http::RequestHead;
    use crate::platform::Still;

    fn lines<'a>(platform: &'a dyn Platform, credentials: &'a [String]) -> Lines<'a> {
        let headers: Headers =
            [("authorization", "Bearer 0123456789\"0123456789"), ("x-caller", "caller-of-this"), ("accept", "*/*")]
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                .collect();
        let request = RequestHead { headers, path: b"/?Access_Token=in-the-query".to_vec(), ..RequestHead::default() };
        Lines::new(&Context::new(Ids::new([0; 16]), request), credentials, platform)
    }

    #[test]
    fn a_secret_is_shown_by_its_end_at_most() {
        assert_eq!(masked("X-Api-Key", "0123456789012345678901234567"), "**********************234567");
        assert_eq!(masked("x-api-key", "short-secret"), "************");
        for (name, value) in [("cookie", "theme=dark; a=b; pin=123456"), ("authorization", "Basic dXNlcjp0aGUgcGFzc3dvcmQ=")] {
            assert_eq!(masked(name, value), "*".repeat(value.len()), "its end is all that is secret of it");
        }
        let host = Still { now_millis: 0, source_address: None };
        let headers: Headers =
            [("accept", "*/*"), ("x-api-key", "k"), ("x-auth-token", "t"), ("x-caller", "c"), ("x-envoy-a", "b")]
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                .collect();
        let credentials = ["x-caller".to_owned()];
        assert_eq!(lines(&host, &credentials).fields(&headers), "{accept=*/*, x-api-key=*, x-auth-token=*, x-caller=*}");
    }

    #[test]
    fn a_secret_is_not_shown_in_other_words() {
        let host = Still { now_millis: 0, source_address: None };
        let credentials = ["x-caller".to_owned()];
        let lines = lines(&host, &credentials);
        let told = |text: &str| lines.line(text).split_once(") ").map(|(_, text)| text.to_owned()).unwrap();
        let event = serde_json::json!({"Authorization": "Bearer 0123456789\"0123456789", "X-Caller": "caller-of-this"});
        let hidden = r#"{"Authorization":"Bearer **********************","X-Caller":"**************"}"#;
        assert_eq!(told(&event.to_string()), hidden);
        let text = "no such token: 0123456789\"0123456789, in-the-query, \u{9b}2J\u{2028}caller";
        assert_eq!(told(text), "no such token: *********************, ************,  2J caller");
        let long = ["x".repeat(981), "caller-of-this".repeat(1000)].concat();
        assert!(told(&lines.beginning(long.as_bytes())).ends_with("x**** [TRUNCATED]"), "its beginning, too");
    }

    #[test]
    fn nothing_is_told_where_nothing_is_asked_for() {
        let of = |level| ExecutionLog::new(Reporting { level, ..Reporting::default() }, &[]);
        assert_eq!(of(None), None);
        assert_eq!(of(Some(LoggingLevel::Off)), None);
        let errors = ExecutionLog { errors_only: true, data_trace: false, credentials: Vec::new() };
        assert_eq!(of(Some(LoggingLevel::Error)), Some(errors));
    }
}
