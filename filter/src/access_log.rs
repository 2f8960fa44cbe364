//! The access log of a stage: one line a request, in the stage's own format. AWS: "Set up CloudWatch logging for REST APIs in API
//! Gateway", "Customize HTTP API access logs", "Variables for access logging for API Gateway".
//!
//! The line is handed to the host, which has access loggers of its own: Envoy's write files, gRPC and OpenTelemetry.

use crate::context::{IDENTITY, IDENTITY_IF_KNOWN, is_variable};
use crate::definition::Node;
use crate::problem::{JsonPath, Problems};
use crate::reporting::is_printable;

/// A compiled format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLog {
    pieces: Vec<Piece>,
    quoting: Quoting,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The name behind `$context.`.
    Variable(String),
}

/// How a value is kept from looking like a part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoting {
    /// As between the quotes of a JSON text.
    Json,
    /// It is a JSON text, or a part of one, already.
    Ready,
    /// As in the text of an XML element, or an attribute.
    Xml,
}

/// Of a format; documented.
const LIMIT: usize = 3 * 1024;

/// Of a line: "Quotas for configuring and running an HTTP API" has a log entry of 1 MB. A client that sends all the headers that it
/// may could make one of 14 MB of a format that names them often enough.
const LINE_LIMIT: usize = 1024 * 1024;

/// What a variable without a value prints (documented).
const UNSET: &str = "-";

/// The names that only access logs have. AWS: "Variables for access logging for API Gateway", "Customize HTTP API access logs",
/// "Troubleshooting issues with response streaming", "Troubleshooting issues with routing rules".
const LOG_VARIABLES: [&str; 39] = [
    "authenticate.error",
    "authenticate.latency",
    "authenticate.status",
    "authorize.error",
    "authorize.latency",
    "authorize.status",
    "awsEndpointRequestId2",
    "cipherSuite",
    "customDomain.basePathMatched",
    "customDomain.routingRuleIdMatched",
    "dataProcessed",
    "endpointType",
    "identity.clientCert.clientCertPem",
    "identity.clientCert.issuerDN",
    "identity.clientCert.serialNumber",
    "identity.clientCert.subjectDN",
    "identity.clientCert.validity.notAfter",
    "identity.clientCert.validity.notBefore",
    "identity.vpcId",
    "identity.vpceId",
    "integration.error",
    "integration.integrationStatus",
    "integration.latency",
    "integration.requestId",
    "integration.responseTransferMode",
    "integration.status",
    "integration.timeToAllHeaders",
    "integration.timeToFirstContent",
    "integrationErrorMessage",
    "integrationLatency",
    "integrationStatus",
    "responseLatency",
    "responseLength",
    "status",
    "tlsVersion",
    "waf.error",
    "waf.latency",
    "waf.status",
    "xrayTraceId",
];

/// What is ready to stand in a JSON text, with its quotes or between them; not in XML.
const READY: [&str; 2] = ["error.messageString", "error.validationErrorString"];

// === impl AccessLog ===

impl AccessLog {
    /// Reads `accessLogSettings`.
    pub fn read(settings: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        settings.only(&["destinationArn", "format"], problems);
        if let Some(destination) = settings.get("destinationArn") {
            destination.text(problems);
            let help = "Envoy: `%FILTER_STATE(wasm.tollgate_access_log:PLAIN)%`; `tollgate bundle` writes it";
            let message = "has no effect: lines go to the access loggers of the proxy, not to CloudWatch or Firehose";
            problems.warning(&destination.path, message, Some(help));
        }
        let format = settings.required_text("format", problems)?;
        let path = settings.path.key("format");
        let log = Self::parse(format.trim_end(), &path, problems);
        let names_request =
            |piece: &Piece| matches!(piece, Piece::Variable(name) if name == "requestId" || name == "extendedRequestId");
        // AWS refuses both, and what is longer.
        if !log.pieces.iter().any(names_request) {
            let help = Some("add `$context.requestId`");
            problems.error(&path, "an access log format names `$context.requestId` or `$context.extendedRequestId`", help);
        }
        if format.trim_end().contains(['\n', '\r']) {
            problems.error(&path, "an access log format is one line", Some("in YAML, `>-` folds lines into one"));
        }
        if format.len() > LIMIT {
            problems.error(&path, format!("an access log format is {LIMIT} bytes long at most"), None);
        }
        Some(log)
    }

    fn parse(format: &str, path: &JsonPath, problems: &mut Problems) -> Self {
        const BEGIN: &str = "$context.";
        let mut pieces = Vec::new();
        let mut rest = format;
        while let Some((before, after)) = rest.split_once(BEGIN) {
            let (name, behind) = after.split_at_checked(name_length(after)).unwrap_or((after, ""));
            if !is_log_variable(name) {
                let help = Some("see \"Variables for access logging for API Gateway\" of AWS");
                problems.warning(path, format!("no variable `$context.{name}`: it prints `{UNSET}`"), help);
            }
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Variable(name.to_owned()));
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let quoting = if format.trim_start().starts_with('<') { Quoting::Xml } else { Quoting::Json };
        Self { pieces, quoting }
    }

    /// The line of a request, by the values of its variables. assumed(access-log-entry): where it has grown to its limit a value ends
    /// early, and those behind it are not there; the format's own text is.
    pub fn line(&self, value: &dyn Fn(&str) -> Option<String>) -> String {
        let mut line = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Variable(_) if line.len() >= LINE_LIMIT => line.push_str(UNSET),
                Piece::Variable(name) => match value(name).filter(|value| !value.is_empty()) {
                    None => line.push_str(UNSET),
                    Some(value) => {
                        let quoting = if READY.contains(&name.as_str()) { self.quoting.ready() } else { self.quoting };
                        quoting.write(&value, &mut line);
                    }
                },
            }
        }
        line
    }
}

/// Whether an access log has a variable of that name; not every request has a value for it.
fn is_log_variable(name: &str) -> bool {
    let is_here = |known: &[&str]| known.contains(&name);
    match name.strip_prefix("identity.") {
        // Only what is listed: the family has no names of the user's own.
        Some(identity) => IDENTITY.contains(&identity) || IDENTITY_IF_KNOWN.contains(&identity) || is_here(&LOG_VARIABLES),
        None => is_here(&LOG_VARIABLES) || is_variable(name),
    }
}

/// How long the name is with which a text begins.
fn name_length(text: &str) -> usize {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
    let end = text.find(|c| !is_of_name(c)).unwrap_or(text.len());
    // What ends a sentence ends no name.
    let longest = text.get(..end).unwrap_or_default().trim_end_matches(['.', ':', '-']);
    // Claims may hold colons and hyphens, and no other names do: `$context.status:$context.path`, `$context.requestId-live`.
    let shorter = longest.match_indices([':', '-', '.']).rev().map(|(at, _)| longest.get(..at).unwrap_or_default());
    std::iter::once(longest).chain(shorter).find(|name| is_log_variable(name)).unwrap_or(longest).len()
}

// === impl Quoting ===

impl Quoting {
    /// The same for a value that is ready for JSON.
    fn ready(self) -> Self {
        if self == Self::Json { Self::Ready } else { self }
    }

    /// assumed(access-log-quoting): AWS does not say what becomes of quotes and line ends in a value. Here no caller can write another
    /// line, another member of a JSON object, or another element.
    fn write(self, value: &str, line: &mut String) {
        if self == Self::Ready && value.len() > LINE_LIMIT.saturating_sub(line.len()) {
            // A part of it may end in the middle of an escape.
            return line.push_str(UNSET);
        }
        for c in value.chars() {
            if line.len() >= LINE_LIMIT {
                return;
            }
            let instead = match (self, c) {
                (Self::Json, '"') => "\\\"",
                (Self::Json, '\\') => "\\\\",
                (Self::Json, '\n') => "\\n",
                (Self::Json, '\r') => "\\r",
                (Self::Json, '\t') => "\\t",
                (Self::Xml, '<') => "&lt;",
                (Self::Xml, '>') => "&gt;",
                (Self::Xml, '&') => "&amp;",
                (Self::Xml, '"') => "&quot;",
                (Self::Xml, '\'') => "&apos;",
                (_, c) if !is_printable(c) => "\u{fffd}",
                (_, c) => {
                    line.push(c);
                    continue;
                }
            };
            line.push_str(instead);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(settings: serde_json::Value) -> (Option<AccessLog>, Vec<String>) {
        let mut problems = Problems::default();
        let log = AccessLog::read(&Node::root(&settings), &mut problems);
        (log, problems.into_vec().iter().map(ToString::to_string).collect())
    }

    fn line(format: &str) -> String {
        let (log, problems) = read(json!({ "format": format }));
        assert!(problems.is_empty(), "{problems:#?}");
        log.unwrap().line(&|name| {
            let value = match name {
                "requestId" => "id-1",
                "identity.userAgent" => "a\"b\\c\n<d>&'\u{1}\u{9b}\u{2028}\u{202e}",
                "error.messageString" => "\"<no>\u{85}\"",
                "path" => "/prod/pets",
                "authorizer.claims.cognito:groups" => "g",
                _ => return None,
            };
            Some(value.to_owned())
        })
    }

    #[test]
    fn a_value_stands_in_the_place_of_its_variable_and_a_dash_where_there_is_none() {
        assert_eq!(line("$context.requestId $context.status \"$context.path\""), "id-1 - \"/prod/pets\"");
        assert_eq!(line("$context.requestId. $context.authorizer.claims.cognito:groups: $contextual"), "id-1. g: $contextual");
    }

    #[test]
    fn a_name_is_as_long_as_it_is_known() {
        assert_eq!(
            line("$context.requestId:$context.path-live $context.requestId-$context.path."),
            "id-1:/prod/pets-live id-1-/prod/pets."
        );
        let told = |format: &str| read(json!({"format": format!("$context.requestId {format}")})).1.join("\n");
        for known in [
            "authorizer.claims.cognito:groups",
            "authorizer.claims.custom:tenant-id",
            "authorizer.principalId",
            "authorizer.latency",
            "authorize.latency",
            "authenticate.error",
            "awsEndpointRequestId2",
            "customDomain.basePathMatched",
            "error.validationErrorString",
            "identity.clientCert.validity.notBefore",
            "identity.cognitoIdentityPoolId",
            "identity.apiKeyId",
            "integration.timeToFirstContent",
            "routeKey",
            "waf.status",
            "wafResponseCode",
            "webaclArn",
            "xrayTraceId",
        ] {
            assert_eq!(told(&format!("$context.{known}")), "", "{known}");
        }
        for unknown in ["identity.sourceip", "integration.state", "waf", "error.mesage", "customDomain", "Status", ""] {
            assert!(told(&format!("$context.{unknown}")).contains("no variable `$context."), "{unknown}");
        }
    }

    /// AWS's own: "Set up CloudWatch logging for REST APIs in API Gateway", "Configure logging for HTTP APIs in API Gateway".
    #[test]
    fn the_formats_that_the_console_offers_are_read_without_a_word() {
        let of = |path: &str, names: &[&str], join: &dyn Fn(&str) -> String| -> String {
            names.iter().map(|name| join(if *name == "PATH" { path } else { name })).collect()
        };
        for path in ["resourcePath", "routeKey"] {
            let names = ["identity.sourceIp", "identity.caller", "identity.user", "requestTime", "httpMethod", "PATH", "protocol"];
            let names = [&names[..], &["status", "responseLength", "requestId", "extendedRequestId"]].concat();
            let csv = of(path, &names, &|name| format!("$context.{name},"));
            assert_eq!(line(&csv), "-,-,-,-,-,-,-,-,-,id-1,-,");
            let json = of(path, &names, &|name| format!("\"{name}\":\"$context.{name}\","));
            let json = line(&format!("{{ {} }}", json.trim_end_matches(',')));
            let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
            assert_eq!(json["requestId"], "id-1");
            let xml = of(path, &names, &|name| format!("<x>$context.{name}</x> "));
            assert!(
                line(&format!("<request id=\"$context.requestId\"> {xml}</request>")).starts_with("<request id=\"id-1\"> <x>-</x>")
            );
            let clf = format!(
                "$context.identity.sourceIp - - [$context.requestTime] \"$context.httpMethod $context.{path} $context.protocol\" \
                 $context.status $context.responseLength $context.requestId $context.extendedRequestId"
            );
            assert_eq!(line(&clf), "- - - [-] \"- - -\" - - id-1 -");
        }
    }

    #[test]
    fn no_caller_writes_another_line_or_another_member() {
        assert_eq!(
            line("{\"a\":\"$context.identity.userAgent\",\"id\":\"$context.requestId\",\"m\":$context.error.messageString}"),
            "{\"a\":\"a\\\"b\\\\c\\n<d>&'\u{fffd}\u{fffd}\u{fffd}\u{fffd}\",\"id\":\"id-1\",\"m\":\"<no>\u{fffd}\"}"
        );
        assert_eq!(
            line("<a b='$context.identity.userAgent'>$context.error.messageString</a>$context.requestId"),
            "<a b='a&quot;b\\c\u{fffd}&lt;d&gt;&amp;&apos;\u{fffd}\u{fffd}\u{fffd}\u{fffd}'>&quot;&lt;no&gt;\u{fffd}&quot;</a>id-1"
        );
    }

    #[test]
    fn a_line_ends_however_much_its_values_hold_and_stays_what_the_format_makes_of_it() {
        let members: String = (0..100).map(|n| format!(",\"{n}\":\"$context.path\"")).collect();
        let (log, _) = read(json!({ "format": format!("{{\"id\":\"$context.requestId\"{members}}}") }));
        let asked = std::cell::Cell::new(0);
        let line = log.unwrap().line(&|_| {
            asked.set(asked.get() + 1);
            Some("\"\u{1f4a9}".repeat(10_000))
        });
        assert!(line.len() <= LINE_LIMIT + LIMIT, "{}", line.len());
        assert!(asked.get() < 20, "nobody looks for what is not written: {}", asked.get());
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!([&read["0"], &read["99"]].map(|value| value.as_str().unwrap().len()), [50_000, 1]);
    }

    #[test]
    fn what_aws_refuses_is_refused_and_what_has_no_effect_is_told() {
        let told = |settings| read(settings).1.join("\n");
        assert!(told(json!({"format": "$context.status"})).contains("names `$context.requestId`"));
        assert!(told(json!({"format": "$context.requestId\n$context.status"})).contains("is one line"));
        assert!(told(json!({"format": format!("$context.requestId {}", "x".repeat(LIMIT))})).contains("3072 bytes"));
        assert!(told(json!({"destinationArn": "arn:aws:logs:x"})).contains("no `format`"));
        assert!(told(json!({"format": "$context.requestId $context.statsu"})).contains("no variable `$context.statsu`"));
        assert!(told(json!({"format": "$context.requestId", "destinationArn": "a"})).contains("has no effect"));
        assert_eq!(told(json!({"format": "$context.requestId\n"})), "");
    }
}
