//! The case file: one gateway document, the backends behind it, and what each request must lead to.
//!
//! ```yaml
//! about: What this file guards.                # optional
//! definition: { openapi: 3.0.1, paths: … }     # or `definitionFile: path`, relative to the case file; both become a document
//! protocol: REST                               # optional, as in the gateway document
//! parameters: { basepath: split }              # optional, as in the gateway document
//! stage: dev                                   # a name, or a whole stage; default `prod`, or `$default` for `protocol: HTTP`
//! issuers: { "https://issuer.test": { jwks: "{{jwks}}" } }   # optional, as in the gateway document; so are `iam`, `upstreams`,
//!                                              #   `apiKeys`, `usagePlans` and `account`
//! document: { apis: … }                        # instead of all of these: the whole gateway document
//! tokens:                                      # see `tokens.rs`: made when a request that says {{token:good}} is sent
//!   good: { key: rs256, header: { kid: other, typ: null }, claims: { sub: me, exp: now+60 } }
//!   torn: { key: es256, payload: "{", corrupt: signature }
//! backends:                                    # integration host -> what it answers; becomes its own cluster, unless the
//!   backend.test: { status: 200, body: ok }    #   document's `upstreams` already names one
//!   lambda.us-east-1.amazonaws.com: { paths: { "re::authorizer/": { body: "{}" }, /exact: { status: 500 } } }
//! cases:
//!   - name: a sentence
//!     request: { method: GET, path: /dev/x, headers: [[name, value]], body: text }
//!     backend: { fault: hang }                 # every backend of the file, for this case only
//!     backends: { backend.test: { body: x } }  # this one, for this case only
//!     expect:
//!       status: 200
//!       headers: { content-type: application/json, x-amzn-requestid: "re:^[0-9a-f-]{36}$" }
//!       absentHeaders: [x-other]
//!       bodyJson: { message: "<any>" }
//!       bodyAt: { /message: "<any>", /other: "<none>" }   # parts of a large one, by JSON pointer
//!       upstream: none                         # or one request, or a list of them; absent: not asserted
//!       accessLog: "GET /x 200"                # the stage's line, exact or `re:…`; `none`: it has none
//!       executionLog: [a line, "re:another"]   # all lines of the method, without the request's id; Envoy does not show them
//!   - name: a signed request, of which somebody then changes the path
//!     request: { path: /dev/x, sign: { accessKeyId: AKIDEXAMPLE, presign: true, expires: "60", after: { path: /dev/y } } }
//!     expect: { status: 403 }
//!   - name: the third request of a caller
//!     preceding: 2                             # the same request so often before, whatever is answered
//!     request: { path: /dev/x }
//!     expect: { status: 429 }
//! problems:                                    # exactly what the compiler must say; an error means that nothing is served
//!   - { path: "$.apis[0].definition.paths", message: part of it, severity: error }
//! ```
//! Header values and paths are written one character a byte, so `"\xff\xfe"` is two bytes that are no UTF-8; they take
//! `{{token:NAME}}`. Anywhere in the document a text `{{jwks}}` is the set of all public test keys (kids `rsa`, `p256`, `p384`,
//! `ed25519`), and `{{jwks:hs256}}` one with the secret. What `sign:` takes is in `signer.rs`. Unknown keys are errors. A case with
//! `knownGap` is a documented difference from API Gateway: it must fail, and the run fails once it passes.
//!
//! The cases of a file run in its order against one gateway, which remembers and counts from the first to the last of them, in all
//! three drivers. What one file counts is nothing to another. Only in Envoy does time pass by itself, so the rates that files give
//! are such that nothing is refilled while they run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::body::{Body, latin1, pieces};
use super::expect::same_text;
use super::signer::{After, Sign};
use super::tokens::{self, Tokens, put_keys, put_tokens};

/// One file of `tests/cases`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CaseFile {
    /// `area/name`, from the path.
    #[serde(skip)]
    pub name: String,
    /// For the reader.
    pub about: Option<String>,
    document: Option<Value>,
    definition: Option<Value>,
    definition_file: Option<PathBuf>,
    protocol: Option<String>,
    parameters: Option<Value>,
    stage: Option<Value>,
    issuers: Option<Value>,
    iam: Option<Value>,
    upstreams: Option<Value>,
    api_keys: Option<Value>,
    usage_plans: Option<Value>,
    account: Option<Value>,
    /// What `{{token:NAME}}` stands for.
    #[serde(default)]
    pub tokens: Tokens,
    /// Integration host to its usual answer.
    #[serde(default)]
    pub backends: BTreeMap<String, Backend>,
    /// The requests.
    #[serde(default)]
    pub cases: Vec<Case>,
    /// What the compiler says about the document; `None`: anything but an error.
    pub problems: Option<Vec<ExpectedProblem>>,
}

/// What a stub does with a request.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Backend {
    status: Option<u16>,
    /// Header lines, in order.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body; `chunks` arrive one by one, chunked.
    #[serde(flatten)]
    body: Body,
    /// The body in pieces, sent with chunked transfer coding.
    pub chunks: Option<Vec<String>>,
    /// Trailers; only with `chunks`.
    #[serde(default)]
    pub trailers: Vec<(String, String)>,
    /// How long it thinks.
    #[serde(default)]
    pub delay_millis: u64,
    /// What goes wrong instead of an answer.
    pub fault: Option<Fault>,
    /// What it does at these paths instead: the first that is exact, or `re:…` and found in the target, in the order of names.
    #[serde(default)]
    pub paths: BTreeMap<String, Backend>,
}

/// How a backend fails.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// Nobody listens.
    Refuse,
    /// The connection is reset once the request was read.
    Reset,
    /// No answer, ever.
    Hang,
    /// The connection is lost in the middle of the answer's body. Only for backends that the gateway calls itself: of one that it
    /// forwards to, the client has the head already.
    Cut,
    /// Nothing comes after the middle of the answer's body; the same holds.
    Stall,
}

/// One request and what must come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Case {
    /// A sentence.
    pub name: String,
    /// How often it is sent before.
    #[serde(default)]
    pub preceding: u32,
    /// What is sent.
    pub request: Request,
    /// In the place of every backend of the file.
    pub backend: Option<Backend>,
    /// In the place of these backends of the file.
    #[serde(default)]
    pub backends: BTreeMap<String, Backend>,
    /// What must come of it.
    pub expect: Expect,
    /// Why it does not, and where the gap is written down.
    pub known_gap: Option<String>,
}

/// A request as the client sends it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Request {
    /// Default GET.
    #[serde(default = "get")]
    pub method: String,
    /// The request target, as it is on the wire.
    pub path: String,
    /// Header lines, in order; `host` is `gateway.test` unless it is here.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(flatten)]
    body: Body,
    /// The body in pieces, sent with chunked transfer coding.
    pub chunks: Option<Vec<String>>,
    /// Trailers; they make the body chunked.
    #[serde(default)]
    pub trailers: Vec<(String, String)>,
    /// Signed when it is sent.
    pub sign: Option<Sign>,
}

/// What the client and the backends must see. Members that are absent are not asserted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Expect {
    /// A number, or `re:…`.
    pub status: Value,
    /// The head and body of the answer.
    #[serde(flatten)]
    pub message: ExpectMessage,
    /// `none`, one request, or a list.
    pub upstream: Option<Upstream>,
    /// `none`, or the line.
    pub access_log: Option<String>,
    /// The lines.
    pub execution_log: Option<Vec<String>>,
}

/// Headers and body of an answer or of an upstream request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExpectMessage {
    /// Lower-case name to exact value or `re:…`; repeated lines are joined by `, `.
    pub headers: BTreeMap<String, String>,
    /// Names that must not be there.
    pub absent_headers: Vec<String>,
    /// Text, or `re:…`.
    pub body: Option<String>,
    /// Deep equality; `<any>` and `re:…` as texts inside.
    pub body_json: Option<Value>,
    /// JSON pointers into the body, each with what is there as in `bodyJson`; `<none>`: nothing is.
    pub body_at: BTreeMap<String, Value>,
    /// Bytes.
    pub body_base64: Option<String>,
    /// That many bytes.
    pub body_size: Option<usize>,
}

/// What the backends must get.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Upstream {
    /// `none`
    Word(String),
    /// Exactly one.
    One(Box<ExpectUpstream>),
    /// Exactly these, in order.
    Many(Vec<ExpectUpstream>),
}

/// One request that a backend must get.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct ExpectUpstream {
    /// The cluster that got it.
    pub cluster: Option<String>,
    /// The Host header.
    pub host: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// The request target with its query, exact or `re:…`.
    pub path: Option<String>,
    /// Exactly these trailers.
    pub trailers: Option<BTreeMap<String, String>>,
    /// Head and body.
    #[serde(flatten)]
    pub message: ExpectMessage,
}

/// One thing that the compiler must say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedProblem {
    /// The JSON path, exact.
    pub path: String,
    /// Part of the message.
    pub message: String,
    /// Default error.
    #[serde(default)]
    pub severity: ExpectedSeverity,
}

/// Whether the document may be served all the same.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExpectedSeverity {
    /// It may not.
    #[default]
    Error,
    /// It may.
    Warning,
}

fn get() -> String {
    "GET".to_owned()
}

// === impl CaseFile ===

impl CaseFile {
    /// Every case file, by name; panics with the file and the place where one cannot be read.
    pub fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
        let mut paths = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("the folder of case files is there") {
                let path = entry.expect("a folder can be read").path();
                match path.extension().and_then(|e| e.to_str()) {
                    _ if path.is_dir() => folders.push(path),
                    Some("yaml") => paths.push(path),
                    _ => panic!("`{}` is no case file: those end in .yaml", path.display()),
                }
            }
        }
        // To look at a few of them: CASES=http/ runs those whose path holds it.
        if let Ok(part) = std::env::var("CASES") {
            paths.retain(|path| path.strip_prefix(&root).is_ok_and(|name| name.to_string_lossy().contains(&part)));
        }
        paths.sort();
        assert!(!paths.is_empty(), "there are no case files under {}", root.display());
        paths.iter().map(|path| Self::read(&root, path)).collect()
    }

    fn read(root: &Path, path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("a case file can be read");
        let mut file: Self = serde_norway::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let name = path.strip_prefix(root).expect("it is below").with_extension("");
        file.name = name.to_str().expect("file names are UTF-8").to_owned();
        if let Some(relative) = file.definition_file.take() {
            let target = path.parent().expect("a file has a folder").join(relative);
            let text = std::fs::read_to_string(&target).unwrap_or_else(|e| panic!("{}: {e}", target.display()));
            file.definition = Some(serde_norway::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", target.display())));
        }
        file.validate().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        file
    }

    /// What serde cannot say: combinations that mean nothing.
    fn validate(&self) -> Result<(), String> {
        let loose = self.parameters.is_some() || self.stage.is_some() || self.protocol.is_some();
        let loose = loose || self.parts().iter().any(|(_, part)| part.is_some());
        match (&self.document, &self.definition) {
            (Some(_), Some(_)) | (None, None) => return Err("one of `document` and `definition` is needed".into()),
            (Some(_), None) if loose => {
                let parts: String = self.parts().iter().map(|(key, _)| format!(", `{key}`")).collect();
                return Err(format!("`protocol`, `parameters`, `stage`{parts} stand inside `document`"));
            }
            _ => {}
        }
        if self.cases.is_empty() && !self.must_not_compile() {
            return Err("neither `cases` nor an error among `problems`".into());
        }
        if self.must_not_compile() && !self.cases.is_empty() {
            return Err("a document that must not compile serves no `cases`".into());
        }
        if let Some((name, _)) = self.tokens.iter().find(|(_, token)| !token.is_valid()) {
            return Err(format!("token `{name}` has either `claims` or a `payload`"));
        }
        let mut names = std::collections::BTreeSet::new();
        for case in &self.cases {
            let fail = |what: &str| Err(format!("case `{}`: {what}", case.name));
            if !names.insert(&case.name) {
                return fail("the name is there twice");
            }
            if case.request.body.count() + usize::from(case.request.chunks.is_some()) > 1 {
                return fail("the request has more than one body");
            }
            if let Some(Upstream::Word(word)) = &case.expect.upstream
                && word != "none"
            {
                return fail("`upstream` is `none`, a request or a list of them");
            }
            latin1_lines(&case.request.headers).map_err(|e| format!("case `{}`: {e}", case.name))?;
            let texts = case.request.headers.iter().map(|(_, value)| value).chain([&case.request.path]);
            if let Some(name) = texts.flat_map(|text| tokens::names(text)).find(|name| !self.tokens.contains_key(*name)) {
                return fail(&format!("there is no token `{name}`"));
            }
            if let Some(host) = case.backends.keys().find(|host| !self.backends.contains_key(*host)) {
                return fail(&format!("`{host}` is no backend of the file"));
            }
        }
        let of_cases = self.cases.iter().flat_map(|case| case.backend.iter().chain(case.backends.values()));
        let backends: Vec<&Backend> = self.backends.values().chain(of_cases).collect();
        for backend in backends.iter().flat_map(|backend| backend.paths.values()) {
            if !backend.paths.is_empty() || backend.fault == Some(Fault::Refuse) {
                return Err("a path of a backend has no paths, and refuses no connections".into());
            }
        }
        for backend in backends.iter().copied().chain(backends.iter().flat_map(|backend| backend.paths.values())) {
            if backend.body.count() + usize::from(backend.chunks.is_some()) > 1 {
                return Err("a backend has more than one body".into());
            }
            if backend.chunks.is_none() && !backend.trailers.is_empty() {
                return Err("a backend sends trailers only after `chunks`".into());
            }
        }
        Ok(())
    }

    /// Whether an error is expected of the compiler.
    pub fn must_not_compile(&self) -> bool {
        self.problems.iter().flatten().any(|problem| problem.severity == ExpectedSeverity::Error)
    }

    /// The gateway document, with a cluster for every backend.
    pub fn document(&self) -> Value {
        let mut document = match (&self.document, &self.definition) {
            (Some(document), _) => document.clone(),
            (None, Some(definition)) => self.wrap(definition),
            (None, None) => Value::Null,
        };
        put_keys(&mut document);
        add_upstreams(&mut document, self.backends.keys());
        document
    }

    /// What stands beside the APIs of a document.
    fn parts(&self) -> [(&'static str, &Option<Value>); 6] {
        [
            ("issuers", &self.issuers),
            ("iam", &self.iam),
            ("upstreams", &self.upstreams),
            ("apiKeys", &self.api_keys),
            ("usagePlans", &self.usage_plans),
            ("account", &self.account),
        ]
    }

    fn wrap(&self, definition: &Value) -> Value {
        let mut api = Map::new();
        api.insert("name".into(), "api".into());
        if let Some(protocol) = &self.protocol {
            api.insert("protocol".into(), protocol.clone().into());
        }
        api.insert("apiId".into(), "abcdef1234".into());
        api.insert("accountId".into(), "000000000000".into());
        api.insert("region".into(), "us-east-1".into());
        if let Some(parameters) = &self.parameters {
            api.insert("parameters".into(), parameters.clone());
        }
        api.insert("definition".into(), definition.clone());
        let http = self.protocol.as_deref() == Some("HTTP");
        let stage = match &self.stage {
            None => json!({ "stageName": if http { "$default" } else { "prod" } }),
            Some(Value::String(name)) => json!({ "stageName": name }),
            Some(stage) => stage.clone(),
        };
        api.insert("stages".into(), json!([stage]));
        let mut document = json!({ "apis": [api] });
        for (key, part) in self.parts() {
            if let Some(part) = part {
                document[key] = part.clone();
            }
        }
        document
    }
}

/// Gives every host that the document does not place a cluster of its own name.
pub fn add_upstreams<'a>(document: &mut Value, hosts: impl Iterator<Item = &'a String>) {
    let Some(document) = document.as_object_mut() else { return };
    let upstreams = document.entry("upstreams").or_insert_with(|| json!({}));
    if let Some(upstreams) = upstreams.as_object_mut() {
        for host in hosts {
            upstreams.entry(host.clone()).or_insert_with(|| json!({ "cluster": host }));
        }
    }
    if document.get("upstreams").and_then(Value::as_object).is_some_and(Map::is_empty) {
        document.remove("upstreams");
    }
}

/// The cluster that a document gives to a host.
pub fn cluster_of(document: &Value, host: &str) -> String {
    document
        .get("upstreams")
        .and_then(|u| u.get(host))
        .and_then(|u| u.get("cluster"))
        .and_then(Value::as_str)
        .unwrap_or(host)
        .to_owned()
}

// === impl Backend ===

impl Backend {
    /// An answer with these parts.
    pub fn reply(status: u16, headers: Vec<(String, String)>, body: Body) -> Self {
        Self { status: Some(status), headers, body, ..Self::default() }
    }

    /// The status, 200 unless it is written.
    pub fn status(&self) -> u16 {
        self.status.unwrap_or(200)
    }

    /// What it does with a request for this target.
    pub fn at(&self, target: &str) -> &Self {
        self.paths.iter().find(|(path, _)| same_text(path, target)).map_or(self, |(_, backend)| backend)
    }

    /// The pieces of the body; a body that is not `chunks` is one piece, or none.
    pub fn pieces(&self) -> Vec<Vec<u8>> {
        pieces(&self.body, self.chunks.as_deref())
    }
}

// === impl Request ===

impl Request {
    /// A request without anything but a method and a target.
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Body::default(),
            chunks: None,
            trailers: Vec::new(),
            sign: None,
        }
    }

    /// The request as it is sent at this time since 1970: with its tokens, signed, and then changed.
    pub fn at(&self, now: Duration, tokens: &Tokens) -> Self {
        let mut request = self.clone();
        request.path = put_tokens(&self.path, tokens, now);
        for (_, value) in &mut request.headers {
            *value = put_tokens(value, tokens, now);
        }
        let Some(sign) = request.sign.take() else { return request };
        if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request.headers.push(("host".to_owned(), super::DEFAULT_HOST.to_owned()));
        }
        let signed = sign.sign(&request.method, &request.path, &request.headers, &request.pieces().concat(), now);
        request.path = signed.target;
        request.headers.extend(signed.headers);
        request.change(&sign.after);
        request
    }

    fn change(&mut self, after: &After) {
        if let Some(method) = &after.method {
            self.method.clone_from(method);
        }
        if let Some(path) = &after.path {
            let query = self.path.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
            self.path = format!("{path}{query}");
        }
        if let Some(query) = &after.query {
            self.path.push(if self.path.contains('?') { '&' } else { '?' });
            self.path.push_str(query);
        }
        self.headers.retain(|(name, _)| !after.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
        self.headers.extend(after.headers.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))));
        self.headers.extend(after.add.iter().cloned());
        if let Some(body) = &after.body {
            self.body = Body::text(body);
        }
    }

    /// The same with this body.
    pub fn with_body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// The pieces of the body.
    pub fn pieces(&self) -> Vec<Vec<u8>> {
        pieces(&self.body, self.chunks.as_deref())
    }

    /// Whether the body goes out with chunked transfer coding.
    pub fn is_chunked(&self) -> bool {
        self.chunks.is_some() || !self.trailers.is_empty()
    }

    /// Whether a `body`, however short, is part of the request.
    pub fn has_body(&self) -> bool {
        self.is_chunked() || self.body.count() > 0
    }

    /// The Host header: what is written, or the usual one.
    pub fn host(&self) -> &str {
        let written = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        written.map_or(super::DEFAULT_HOST, |(_, value)| value)
    }
}

fn latin1_lines(lines: &[(String, String)]) -> Result<(), String> {
    lines.iter().try_for_each(|(name, value)| latin1(name).and(latin1(value)).map(drop))
}
