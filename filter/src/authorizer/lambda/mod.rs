//! Lambda authorizers of REST and HTTP APIs: everything but the call itself. A request's identity (`identity`) is the key of what
//! is remembered; what is not remembered is asked (`request`); what comes back is read strictly (`answer`). The policy in an
//! answer is evaluated by the caller, for each request anew: AWS reuses one answer for a whole API.
//!
//! AWS: "x-amazon-apigateway-authorizer object", "Use API Gateway Lambda authorizers", "Control access to HTTP APIs with AWS Lambda
//! authorizers".

mod answer;
mod ask;
mod identity;
mod request;

pub use answer::{Answer, Refusal};
pub use ask::Lambda;
pub use identity::{Identity, MissingIdentity};
pub use request::InvokeRequest;

use crate::cache::key_of;
use crate::context::Context;
use crate::definition::{Node, Protocol};
use crate::http::is_field_name;
use crate::lambda::Function;
use crate::platform::Platform;
use crate::problem::{Problems, Segment};
use identity::Source;
use regex_lite::Regex;
use std::collections::BTreeMap;

/// A compiled Lambda authorizer of one stage.
#[derive(Debug)]
pub struct LambdaAuthorizer {
    name: String,
    format: Format,
    function: Function,
    sources: Vec<Source>,
    validation: Option<Regex>,
    ttl_seconds: u64,
}

/// What the function gets, and so what it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// REST: one token.
    Token,
    /// REST: the request.
    Rest,
    /// HTTP: the request as REST APIs send it.
    Http1,
    /// HTTP: the request in a format of its own.
    Http2 {
        /// `enableSimpleResponses`: yes or no, not a policy.
        simple: bool,
    },
}

const KEYS: [&str; 8] = [
    "type",
    "authorizerUri",
    "authorizerCredentials",
    "authorizerPayloadFormatVersion",
    "enableSimpleResponses",
    "identitySource",
    "identityValidationExpression",
    "authorizerResultTtlInSeconds",
];

/// A token that an expression is run on: as long as the longest that is verified, too.
const VALIDATED_LIMIT: usize = 8 * 1024;

// === impl LambdaAuthorizer ===

impl LambdaAuthorizer {
    /// Reads an `x-amazon-apigateway-authorizer` of type `token` or `request`, in its security scheme, for a stage with these
    /// variables.
    pub fn compile(
        scheme: &Node<'_>,
        authorizer: &Node<'_>,
        protocol: Protocol,
        variables: &BTreeMap<String, String>,
        problems: &mut Problems,
    ) -> Option<Self> {
        authorizer.only(&KEYS, problems);
        let format = Format::compile(authorizer, protocol, problems);
        let function = match authorizer.get("authorizerUri") {
            Some(uri) => Function::of_authorizer(&uri, variables, problems),
            None => {
                problems.error(&authorizer.path, "no `authorizerUri`", Some("name the function that decides"));
                None
            }
        };
        if let Some(credentials) = authorizer.get("authorizerCredentials") {
            let message = "`authorizerCredentials` has no effect: who signs the calls is a matter of the function's upstream";
            problems.warning(&credentials.path, message, None);
        }
        let is_token = format == Some(Format::Token);
        let sources = if is_token {
            token_source(scheme, authorizer, problems).map(|source| vec![source])
        } else {
            sources(authorizer, protocol, variables, problems)
        };
        let validation = validation(authorizer, is_token, problems);
        // 300 s unless a REST API says otherwise (documented); HTTP APIs remember nothing unless told to.
        let default_ttl = if protocol == Protocol::Rest { 300 } else { 0 };
        let ttl_seconds = match authorizer.get("authorizerResultTtlInSeconds") {
            Some(ttl) => ttl.integer(0..=3_600, problems),
            None => Some(default_ttl),
        };
        let has_no_key = format.is_some() && sources.as_ref().is_some_and(Vec::is_empty);
        if has_no_key && ttl_seconds.is_some_and(|ttl| ttl > 0) {
            // Documented for both products.
            let help = "name `identitySource`, or set `authorizerResultTtlInSeconds` to 0";
            problems.error(&authorizer.path, "results are to be remembered, but there is no `identitySource`", Some(help));
            return None;
        }
        Some(Self {
            name: name_of(scheme),
            format: format?,
            function: function?,
            sources: sources?,
            validation: validation.ok()?,
            ttl_seconds: ttl_seconds?,
        })
    }

    /// The function to call.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// The names of its identity sources that a client writes.
    pub fn credentials(&self) -> Vec<String> {
        let of_client = self.sources.iter().filter_map(|source| match source {
            Source::Header(name) | Source::Query(name) => Some(name.clone()),
            Source::StageVariable(_) | Source::Context(_) => None,
        });
        of_client.collect()
    }

    /// How long an answer may be remembered; 0: not at all.
    pub fn ttl_millis(&self) -> u64 {
        self.ttl_seconds * 1_000
    }

    /// How long to wait for an answer: 10 s in HTTP APIs (documented). assumed(authorizer-timeout): as long as for an integration
    /// in REST APIs.
    pub fn timeout_millis(&self) -> u64 {
        match self.format {
            Format::Token | Format::Rest => 29_000,
            Format::Http1 | Format::Http2 { .. } => 10_000,
        }
    }

    /// Who asks, if the request says all of it.
    pub fn identity(&self, context: &Context, platform: &dyn Platform) -> Result<Identity, MissingIdentity> {
        let values = self.sources.iter().map(|source| source.read(context, platform)).collect::<Result<Vec<_>, _>>()?;
        let matches = |regex: &Regex| values.iter().all(|value| value.len() <= VALIDATED_LIMIT && regex.is_match(value));
        if self.validation.as_ref().is_none_or(matches) { Ok(Identity::new(values)) } else { Err(MissingIdentity::Mismatched) }
    }

    /// What an answer to this identity is remembered by.
    pub fn cache_key(&self, context: &Context, identity: &Identity) -> Vec<u8> {
        let stage = context.stage.as_deref();
        let (api, name) = stage.map_or(("", ""), |stage| (&stage.api_id, &stage.stage));
        key_of([self.name.as_str(), api, name].into_iter().chain(identity.values()).map(str::as_bytes))
    }
}

/// The name of the security scheme: the last step of its path.
fn name_of(scheme: &Node<'_>) -> String {
    match scheme.path.segments().last() {
        Some(Segment::Key(name)) => name.clone(),
        _ => String::new(),
    }
}

/// The header of a TOKEN authorizer: the scheme's own, unless `identitySource` names one.
fn token_source(scheme: &Node<'_>, authorizer: &Node<'_>, problems: &mut Problems) -> Option<Source> {
    if let Some(node) = authorizer.get("identitySource") {
        let text = node.string(problems)?.trim();
        let source = Source::parse(text, Protocol::Rest).filter(|source| matches!(source, Source::Header(_)));
        if source.is_none() {
            let help = "a `token` authorizer reads one header: `method.request.header.NAME`";
            problems.error(&node.path, format!("`{text}` is no header"), Some(help));
        }
        return source;
    }
    let place = scheme.get("in");
    if let Some(place) = place.filter(|place| !place.value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("header"))) {
        problems.error(&place.path, "a `token` authorizer reads a header", Some("say `in: header`"));
        return None;
    }
    let Some(name) = scheme.get("name") else {
        let help = "the scheme's `name` is the header that the token is in";
        problems.error(&scheme.path, "no `name`", Some(help));
        return None;
    };
    let text = name.string(problems)?;
    if !is_field_name(text) {
        problems.error(&name.path, format!("`{text}` is no name of a header"), None);
        return None;
    }
    Some(Source::Header(text.to_owned()))
}

fn sources(
    authorizer: &Node<'_>,
    protocol: Protocol,
    variables: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Option<Vec<Source>> {
    let Some(node) = authorizer.get("identitySource") else { return Some(Vec::new()) };
    let list = node.string(problems)?;
    let mut sources = Some(Vec::new());
    // Nothing between two commas is nothing, as in an empty list.
    for text in list.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let Some(source) = Source::parse(text, protocol) else {
            problems.error(&node.path, format!("`{text}` is no identity source"), Some(Source::help(protocol)));
            sources = None;
            continue;
        };
        if matches!(&source, Source::Context(name) if name.starts_with("requestTime")) {
            let message = format!("`{text}` is no identity: it is another one at each look");
            problems.error(&node.path, message, Some(Source::help(protocol)));
            sources = None;
            continue;
        }
        if matches!(&source, Source::StageVariable(name) if !variables.contains_key(name)) {
            let message = format!("`{text}` is not set for a stage: every request is answered 401 there");
            problems.warning(&node.path, message, None);
        }
        if let Some(sources) = &mut sources {
            sources.push(source);
        }
    }
    sources
}

/// `Err` when there is one that cannot be served: without it, more requests would reach the function than should.
fn validation(authorizer: &Node<'_>, is_token: bool, problems: &mut Problems) -> Result<Option<Regex>, ()> {
    let Some(node) = authorizer.get("identityValidationExpression") else { return Ok(None) };
    if !is_token {
        let message = "`identityValidationExpression` has no effect: it is for `token` authorizers of REST APIs";
        problems.warning(&node.path, message, None);
        return Ok(None);
    }
    let pattern = node.string(problems).ok_or(())?;
    // By itself first, so that no parenthesis of it closes ours; then whole. assumed(identity-validation-whole): AWS does not say
    // whether a part may match; selection patterns, where it does, match whole.
    match Regex::new(pattern).and_then(|_| Regex::new(&format!("^(?:{pattern})$"))) {
        Ok(regex) => Ok(Some(regex)),
        Err(error) => {
            let message = format!("validation expression `{pattern}` is not served: {error}");
            problems.error(&node.path, message, Some("look-around and back-references are not in the linear-time engine"));
            Err(())
        }
    }
}

// === impl Format ===

impl Format {
    fn compile(authorizer: &Node<'_>, protocol: Protocol, problems: &mut Problems) -> Option<Self> {
        let version = authorizer.get("authorizerPayloadFormatVersion").and_then(|node| {
            let text = node.text(problems)?;
            let version = match text.as_str() {
                // YAML makes a number of it, and a protobuf Struct a whole one.
                "1.0" | "1" => Some(1),
                "2.0" | "2" => Some(2),
                _ => None,
            };
            if version.is_none() {
                problems.error(&node.path, format!("`{text}` is not known here"), Some("use one of `1.0`, `2.0`"));
            }
            version
        });
        let simple = authorizer.get("enableSimpleResponses");
        let is_simple = simple.as_ref().and_then(|node| node.boolean(problems));
        let Some(kind) = authorizer.get("type") else {
            problems.error(&authorizer.path, "no `type`", Some("`token` or `request`"));
            return None;
        };
        let is_token = kind.one_of(&[("token", true), ("request", false)], problems)?;
        if let Some(node) = simple.filter(|_| is_simple == Some(true) && (protocol == Protocol::Rest || version == Some(1))) {
            let message = "`enableSimpleResponses` is for HTTP APIs with payload format 2.0 only";
            problems.error(&node.path, message, None);
            return None;
        }
        match (protocol, is_token, version) {
            (Protocol::Rest, _, Some(2)) => {
                let place = authorizer.path.key("authorizerPayloadFormatVersion");
                problems.error(&place, "REST APIs have payload format 1.0 only", None);
                None
            }
            (Protocol::Rest, true, _) => Some(Self::Token),
            (Protocol::Rest, false, _) => Some(Self::Rest),
            (Protocol::Http, true, _) => {
                problems.error(&kind.path, "HTTP APIs have no `token` authorizers", Some("use `request`"));
                None
            }
            (Protocol::Http, false, Some(1)) => Some(Self::Http1),
            (Protocol::Http, false, Some(_)) => Some(Self::Http2 { simple: is_simple == Some(true) }),
            (Protocol::Http, false, None) => {
                // Told already when it is there.
                if authorizer.get("authorizerPayloadFormatVersion").is_none() {
                    problems.error(&authorizer.path, "no `authorizerPayloadFormatVersion`", Some("`1.0` or `2.0`"));
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::{STILL, request};
    use crate::problem::Severity;
    use serde_json::{Value, json};

    const URI: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
        arn:aws:lambda:us-east-1:123456789012:function:authz/invocations";

    /// Compiles settings, with an `authorizerUri` if they have none, in a scheme named `authz` of the header `auth`.
    fn compile(protocol: Protocol, mut settings: Value) -> (Option<LambdaAuthorizer>, Vec<(Severity, String)>) {
        let members = settings.as_object_mut().unwrap();
        members.entry("authorizerUri").or_insert_with(|| URI.into());
        let document = json!({"authz": {"type": "apiKey", "name": "auth", "in": "header", "a": settings}});
        compile_in(protocol, &document)
    }

    fn compile_in(protocol: Protocol, document: &Value) -> (Option<LambdaAuthorizer>, Vec<(Severity, String)>) {
        let mut problems = Problems::default();
        let scheme = Node::root(document).get("authz").unwrap();
        let variables = [("v".to_owned(), "1".to_owned())].into();
        let compiled = LambdaAuthorizer::compile(&scheme, &scheme.get("a").unwrap(), protocol, &variables, &mut problems);
        let told: Vec<_> = problems.into_vec().iter().map(|problem| (problem.severity, problem.to_string())).collect();
        let fails = told.iter().any(|(severity, _)| *severity == Severity::Error);
        assert!(compiled.is_some() != fails || settings_only(&told), "{told:?}");
        (compiled, told)
    }

    /// An unknown key is an error that leaves nothing out of the authorizer.
    fn settings_only(told: &[(Severity, String)]) -> bool {
        told.iter().all(|(_, text)| text.contains("unknown key"))
    }

    /// An authorizer without problems.
    pub(super) fn authorizer(protocol: Protocol, settings: Value) -> LambdaAuthorizer {
        let (compiled, told) = compile(protocol, settings);
        assert_eq!(told, []);
        compiled.unwrap()
    }

    fn error(protocol: Protocol, settings: Value) -> String {
        let (_, told) = compile(protocol, settings);
        assert!(told.len() == 1 && told[0].0 == Severity::Error, "{told:?}");
        told[0].1.clone()
    }

    fn warning(protocol: Protocol, settings: Value) -> String {
        let (compiled, told) = compile(protocol, settings);
        assert!(compiled.is_some() && told.len() == 1 && told[0].0 == Severity::Warning, "{told:?}");
        told[0].1.clone()
    }

    #[test]
    fn a_token_authorizer_reads_the_schemes_header_or_the_one_it_names() {
        let headers = [("auth", "a"), ("other", "b")];
        let request = request(Protocol::Rest, "GET", "/prod", &headers);
        for (settings, wanted) in
            [(json!({"type": "token"}), "a"), (json!({"type": "TOKEN", "identitySource": "method.request.header.Other"}), "b")]
        {
            let identity = authorizer(Protocol::Rest, settings).identity(&request, &STILL).unwrap();
            assert_eq!(identity.values().collect::<Vec<_>>(), [wanted]);
        }
    }

    #[test]
    fn what_one_authorizer_said_is_not_what_another_one_says() {
        let settings = json!({"type": "token", "authorizerUri": URI});
        let scheme = json!({"type": "apiKey", "name": "auth", "in": "header", "a": settings});
        let document = json!({"authz": scheme, "other": scheme});
        let request = request(Protocol::Rest, "GET", "/prod", &[("auth", "token")]);
        let key = |name: &str| {
            let scheme = Node::root(&document).get(name).unwrap();
            let compiled = LambdaAuthorizer::compile(
                &scheme,
                &scheme.get("a").unwrap(),
                Protocol::Rest,
                &BTreeMap::new(),
                &mut Problems::default(),
            );
            let compiled = compiled.unwrap();
            compiled.cache_key(&request, &compiled.identity(&request, &STILL).unwrap())
        };
        assert_eq!(key("authz"), key("authz"));
        assert_ne!(key("authz"), key("other"));
    }

    #[test]
    fn no_log_shows_what_an_authorizer_looks_at() {
        let sources = "method.request.header.A, method.request.querystring.B, context.identity.sourceIp, stageVariables.v";
        let token = authorizer(Protocol::Rest, json!({"type": "token"}));
        assert_eq!(token.credentials(), ["auth"]);
        let request = authorizer(Protocol::Rest, json!({"type": "request", "identitySource": sources}));
        assert_eq!(request.credentials(), ["A", "B"]);
    }

    #[test]
    fn a_source_that_is_none_is_told_with_those_that_there_are() {
        for (protocol, version, there) in
            [(Protocol::Rest, "1.0", "`method.request.header.NAME`"), (Protocol::Http, "2.0", "`$request.header.NAME`")]
        {
            let settings = json!({"type": "request", "identitySource": "x", "authorizerPayloadFormatVersion": version});
            let told = error(protocol, settings);
            assert!(told.contains("`x` is no identity source") && told.contains(there), "{told}");
        }
    }

    #[test]
    fn an_identity_needs_every_source() {
        let settings = json!({"type": "request", "authorizerResultTtlInSeconds": 0,
            "identitySource": "method.request.header.headerauth1, method.request.querystring.QueryString1"});
        let authorizer = authorizer(Protocol::Rest, settings);
        let identity = |target, headers| {
            let identity = authorizer.identity(&request(Protocol::Rest, "GET", target, headers), &STILL);
            identity.map(|identity| identity.values().map(str::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(identity("/prod?QueryString1=q", &[("headerauth1", "h")]), Ok(vec!["h".to_owned(), "q".to_owned()]));
        for (target, headers, name) in [
            ("/prod?QueryString1=q", [].as_slice(), "headerauth1"),
            ("/prod?QueryString1=", &[("headerauth1", "h")], "QueryString1"),
            ("/prod", &[("headerauth1", "h")], "QueryString1"),
        ] {
            assert_eq!(identity(target, headers), Err(MissingIdentity::Absent(name.to_owned())));
        }
    }

    #[test]
    fn a_token_has_to_match_the_validation_expression_as_a_whole() {
        for (pattern, token, fits) in [
            ("^[a-z]+$", "allow", true),
            ("^[a-z]+$", "NOT-VALID-1", false),
            ("[a-z]+", "allow", true),
            ("[a-z]+", "1allow1", false),
            ("a|b", "ab", false),
            ("Bearer (.*)", "Bearer x.y.z", true),
            ("Bearer (.*)", "bearer x", false),
        ] {
            let settings = json!({"type": "token", "identityValidationExpression": pattern});
            let context = request(Protocol::Rest, "GET", "/prod", &[("auth", token)]);
            let identity = authorizer(Protocol::Rest, settings).identity(&context, &STILL);
            assert_eq!(identity.is_ok(), fits, "{pattern} {token}");
        }
        let settings = json!({"type": "token", "identityValidationExpression": "a*"});
        for (length, fits) in [(8_192, true), (8_193, false)] {
            let context = request(Protocol::Rest, "GET", "/prod", &[("auth", &"a".repeat(length))]);
            assert_eq!(authorizer(Protocol::Rest, settings.clone()).identity(&context, &STILL).is_ok(), fits, "{length}");
        }
    }

    #[test]
    fn the_key_of_the_cache_tells_apart_authorizers_stages_and_identities() {
        let settings = json!({"type": "request", "identitySource": "method.request.header.a, method.request.header.b"});
        let authorizer = authorizer(Protocol::Rest, settings.clone());
        let key = |authorizer: &LambdaAuthorizer, a: &str, b: &str, stage: &str| {
            let mut context = request(Protocol::Rest, "GET", "/prod", &[("a", a), ("b", b)]);
            if let Some(facts) = &mut context.stage {
                stage.clone_into(&mut std::sync::Arc::make_mut(facts).stage);
            }
            authorizer.cache_key(&context, &authorizer.identity(&context, &STILL).unwrap())
        };
        let mut other = self::authorizer(Protocol::Rest, settings);
        "other".clone_into(&mut other.name);
        let keys = [
            key(&authorizer, "x", "yz", "prod"),
            key(&authorizer, "xy", "z", "prod"),
            key(&authorizer, "x", "yz", "dev"),
            key(&other, "x", "yz", "prod"),
        ];
        for (index, one) in keys.iter().enumerate() {
            assert!(keys.iter().skip(index + 1).all(|two| two != one));
        }
        assert_eq!(keys[0], key(&authorizer, "x", "yz", "prod"));
    }

    #[test]
    fn results_are_remembered_for_300_seconds_in_rest_apis_and_not_in_http_apis_unless_said_otherwise() {
        let rest =
            |ttl: Value| authorizer(Protocol::Rest, json!({"type": "token", "authorizerResultTtlInSeconds": ttl})).ttl_millis();
        assert_eq!([rest(json!(null)), rest(json!(0)), rest(json!("3600"))], [300_000, 0, 3_600_000]);
        let http = json!({"type": "request", "authorizerPayloadFormatVersion": "2.0"});
        assert_eq!(authorizer(Protocol::Http, http).ttl_millis(), 0);
        for ttl in [json!(3_601), json!(-1), json!(1.5), json!("x")] {
            let told = error(Protocol::Rest, json!({"type": "token", "authorizerResultTtlInSeconds": ttl}));
            assert!(told.starts_with("$.authz.a.authorizerResultTtlInSeconds: expected a whole number from 0 to 3600"), "{told}");
        }
    }

    #[test]
    fn nothing_is_remembered_without_a_key() {
        let told = error(Protocol::Rest, json!({"type": "request"}));
        assert!(told.starts_with("$.authz.a: results are to be remembered, but there is no `identitySource`"), "{told}");
        let http = json!({"type": "request", "authorizerPayloadFormatVersion": "1.0", "authorizerResultTtlInSeconds": 5,
            "identitySource": " , "});
        assert!(error(Protocol::Http, http).contains("no `identitySource`"));
        authorizer(Protocol::Rest, json!({"type": "request", "authorizerResultTtlInSeconds": 0}));
    }

    #[test]
    fn the_format_of_an_http_api_has_to_be_said() {
        for version in [json!("2.0"), json!("1.0"), json!(1.0), json!(2), json!("2")] {
            authorizer(Protocol::Http, json!({"type": "request", "authorizerPayloadFormatVersion": version}));
        }
        let with = |more: Value| {
            let mut settings = json!({"type": "request"});
            settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            settings
        };
        for (protocol, settings, message) in [
            (Protocol::Http, with(json!({})), "$.authz.a: no `authorizerPayloadFormatVersion`"),
            (Protocol::Http, with(json!({"authorizerPayloadFormatVersion": "3.0"})), "`3.0` is not known here"),
            (
                Protocol::Http,
                json!({"type": "token", "authorizerPayloadFormatVersion": "1.0"}),
                "HTTP APIs have no `token` authorizers",
            ),
            (
                Protocol::Http,
                with(json!({"authorizerPayloadFormatVersion": "1.0", "enableSimpleResponses": true})),
                "`enableSimpleResponses` is for HTTP APIs with payload format 2.0 only",
            ),
            (
                Protocol::Rest,
                json!({"type": "token", "enableSimpleResponses": true}),
                "$.authz.a.enableSimpleResponses: `enableSimpleResponses` is for HTTP APIs",
            ),
            (
                Protocol::Rest,
                json!({"type": "token", "authorizerPayloadFormatVersion": "2.0"}),
                "$.authz.a.authorizerPayloadFormatVersion: REST APIs have payload format 1.0 only",
            ),
        ] {
            let told = error(protocol, settings);
            assert!(told.contains(message), "{told}");
        }
    }

    #[test]
    fn what_cannot_be_served_is_told_at_its_place() {
        for (settings, message) in [
            (json!({}), "$.authz.a: no `type`"),
            (json!({"type": "jwt"}), "$.authz.a.type: `jwt` is not known here"),
            (json!({"type": "token", "authorizerUri": "f"}), "$.authz.a.authorizerUri: `f` is no function"),
            (json!({"type": "token", "authorizerUri": {"Fn::Sub": "x"}}), "unresolved CloudFormation function `Fn::Sub`"),
            (json!({"type": "token", "authorizerUri": null}), "$.authz.a: no `authorizerUri`"),
            (
                json!({"type": "token", "identitySource": "method.request.querystring.x"}),
                "is no header; help: a `token` authorizer",
            ),
            (
                json!({"type": "request", "identitySource": "method.request.path.id"}),
                "`method.request.path.id` is no identity source",
            ),
            (json!({"type": "request", "identitySource": ["x"]}), "$.authz.a.identitySource: expected a string"),
            (json!({"type": "token", "identityValidationExpression": "(?=a)b"}), "validation expression `(?=a)b` is not served"),
            (json!({"type": "token", "identityValidationExpression": "a)|(b"}), "validation expression `a)|(b` is not served"),
            (json!({"type": "token", "ttl": 1}), "$.authz.a.ttl: unknown key `ttl`"),
        ] {
            let told = error(Protocol::Rest, settings);
            assert!(told.contains(message), "{told}");
        }
    }

    #[test]
    fn every_problem_is_told_not_only_the_first() {
        let settings = json!({"type": "x", "authorizerUri": "f", "identitySource": "y", "authorizerResultTtlInSeconds": -1});
        let (compiled, told) = compile(Protocol::Rest, settings);
        assert!(compiled.is_none());
        assert_eq!(told.len(), 4, "{told:#?}");
    }

    #[test]
    fn a_token_needs_a_header() {
        let scheme = |more: Value| {
            let mut scheme = json!({"type": "apiKey", "a": {"type": "token", "authorizerUri": URI}});
            scheme.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            compile_in(Protocol::Rest, &json!({"authz": scheme})).1.into_iter().map(|(_, text)| text).collect::<String>()
        };
        assert!(scheme(json!({"in": "header"})).starts_with("$.authz: no `name`"));
        assert!(scheme(json!({"in": "query", "name": "x"})).starts_with("$.authz.in: a `token` authorizer reads a header"));
        assert!(scheme(json!({"in": "header", "name": "a b"})).starts_with("$.authz.name: `a b` is no name of a header"));
        assert_eq!(scheme(json!({"name": "x"})), "");
    }

    #[test]
    fn what_has_no_effect_is_told() {
        for (protocol, settings, message) in [
            (
                Protocol::Rest,
                json!({"type": "token", "authorizerCredentials": "arn:aws:iam::123456789012:role/r"}),
                "$.authz.a.authorizerCredentials: `authorizerCredentials` has no effect",
            ),
            (
                Protocol::Http,
                json!({"type": "request", "authorizerPayloadFormatVersion": "2.0", "identityValidationExpression": "x"}),
                "$.authz.a.identityValidationExpression: `identityValidationExpression` has no effect",
            ),
            (
                Protocol::Rest,
                json!({"type": "request", "identitySource": "stageVariables.v,stageVariables.none"}),
                "$.authz.a.identitySource: `stageVariables.none` is not set",
            ),
        ] {
            let told = warning(protocol, settings);
            assert!(told.starts_with(message), "{told}");
        }
    }

    #[test]
    fn an_answer_is_waited_for_as_long_as_its_product_waits() {
        let rest = authorizer(Protocol::Rest, json!({"type": "token"}));
        let http = authorizer(Protocol::Http, json!({"type": "request", "authorizerPayloadFormatVersion": "1.0"}));
        assert_eq!((rest.timeout_millis(), http.timeout_millis()), (29_000, 10_000));
    }
}
