//! The recorded rows of `../shared/conformance` as cases for our drivers. Its README is the format; `run.py` beside it is the
//! black-box twin of this file, and both give a row the same verdict.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::body::{Body, from_base64};
use super::case::{Backend, Request, add_upstreams};
use super::expect::{same_json, same_text, subset_json};
use super::observation::{Line, Observation, UpstreamRequest, joined, shown};
use super::signer::Sign;
use super::tokens::Tokens;
use super::{Clusters, DEFAULT_HOST, Driver};

/// The id that every imported API gets.
const API_ID: &str = "abcdef1234";

/// The key of the caller, where a row has one.
const CALLER: (&str, &str) = ("AKIDCALLER", "the secret of whoever calls");

/// Services whose endpoints the rows call.
const SERVICES: [&str; 9] = ["lambda", "s3", "sqs", "sns", "dynamodb", "states", "kinesis", "events", "ssm"];

/// One recorded request and what API Gateway made of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Row {
    /// Unique.
    pub id: String,
    /// The file that it stands in.
    #[serde(skip)]
    pub area: String,
    /// A build must not fail on it.
    #[serde(default)]
    pub doubt: bool,
    api_type: String,
    api: String,
    stage: Value,
    #[serde(default)]
    setup: Map<String, Value>,
    request: RowRequest,
    backend: Option<Value>,
    expect: Map<String, Value>,
    #[serde(rename = "source")]
    _source: Value,
    #[serde(rename = "evidence")]
    _evidence: Value,
    #[serde(rename = "note")]
    _note: Option<Value>,
    #[serde(rename = "unrouted")]
    _unrouted: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RowRequest {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
}

/// Every row, area by area.
pub fn rows(folder: &Path) -> Vec<Row> {
    let entries = std::fs::read_dir(folder.join("dev")).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder can be read").path()).collect();
    paths.sort();
    let mut rows = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "jsonl")) {
        let text = std::fs::read_to_string(path).expect("a file can be read");
        for (number, line) in text.lines().enumerate() {
            let mut row: Row = serde_json::from_str(line).unwrap_or_else(|e| panic!("{}:{}: {e}", path.display(), number + 1));
            row.area = path.file_stem().and_then(|stem| stem.to_str()).expect("areas are UTF-8").to_owned();
            rows.push(row);
        }
    }
    rows
}

// === impl Row ===

impl Row {
    /// The gateway document of the row's API, stage and setup, with a cluster for each host that a row may call.
    pub fn document(&self, folder: &Path) -> Value {
        let mut document = match self.setup.get("mappings").and_then(Value::as_array) {
            Some(mappings) => self.mapped(folder, mappings),
            None => self.single(folder),
        };
        if let Some(issuers) = self.setup.get("issuers").and_then(Value::as_array) {
            let named = |issuer: &Value| Some((issuer["issuer"].as_str()?.to_owned(), json!({ "jwks": issuer["jwks"] })));
            document["issuers"] = Value::Object(issuers.iter().filter_map(named).collect());
        }
        if let Some(caller) = self.setup.get("caller") {
            document["iam"] = json!({ "users": [user(caller)] });
        }
        add_upstreams(&mut document, self.hosts().iter());
        document
    }

    fn single(&self, folder: &Path) -> Value {
        let mut stage = json!({ "stageName": self.stage["name"], "variables": self.stage["variables"] });
        for (from, to) in [("methodSettings", "methodSettings"), ("canary", "canarySettings")] {
            if let Some(setting) = self.stage.get(from) {
                stage[to] = setting.clone();
            }
        }
        let mut api = json!({
            "name": "api", "protocol": self.api_type, "apiId": API_ID, "accountId": "000000000000", "region": "us-east-1",
            "definition": definition(folder, &self.api), "stages": [stage],
        });
        if let Some(parameters) = self.setup.get("importParameters") {
            api["parameters"] = parameters.clone();
        }
        let mut document = json!({ "apis": [api] });
        if let Some(plans) = self.setup.get("usagePlans").and_then(Value::as_array) {
            document["usagePlans"] = plans.iter().enumerate().map(usage_plan).collect();
        }
        if let Some(keys) = self.setup.get("apiKeys").and_then(Value::as_array) {
            let key = |key: &Value| json!({ "name": key["id"], "value": key["value"], "enabled": key.get("enabled").unwrap_or(&json!(true)) });
            document["apiKeys"] = keys.iter().map(key).collect();
        }
        document
    }

    fn mapped(&self, folder: &Path, mappings: &[Value]) -> Value {
        let api = |(number, mapping): (usize, &Value)| {
            json!({
                "name": format!("api{number}"), "protocol": self.api_type,
                "definition": definition(folder, mapping["api"].as_str().unwrap_or_default()),
                "stages": [{
                    "stageName": mapping["stage"], "hosts": [self.setup["domain"]],
                    "basePath": format!("/{}", mapping["path"].as_str().unwrap_or_default()),
                }],
            })
        };
        json!({ "apis": mappings.iter().enumerate().map(api).collect::<Vec<_>>() })
    }

    fn hosts(&self) -> Vec<String> {
        let issuers = self.setup.get("issuers").and_then(Value::as_array).into_iter().flatten();
        let issuers = issuers.filter_map(|issuer| issuer["issuer"].as_str()?.split('/').nth(2).map(str::to_owned));
        let services = SERVICES.iter().map(|service| format!("{service}.us-east-1.amazonaws.com"));
        std::iter::once("backend.test".to_owned()).chain(services).chain(issuers).collect()
    }

    /// What every backend answers.
    pub fn clusters(&self) -> Clusters {
        let mut backend = self.backend.as_ref().map_or_else(Backend::default, backend);
        backend.paths = self.functions().map(|(name, function)| (function_path(name), self::backend(function))).collect();
        self.hosts().into_iter().map(|host| (host, backend.clone())).collect()
    }

    /// Functions beside the one that the row's integration calls: authorizers.
    fn functions(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.setup.get("functions").and_then(Value::as_object).into_iter().flatten()
    }

    /// How often the request is sent before the one that counts.
    fn preceding(&self) -> u64 {
        self.setup.get("precedingRequests").and_then(Value::as_u64).unwrap_or(0)
    }

    /// The request; as in `run.py`, a method that usually has a body says how long it is, even if it is empty.
    fn request(&self) -> Request {
        let RowRequest { method, path, headers, body, body_base64 } = &self.request;
        let mut request = Request::new(method, path);
        request.headers.clone_from(headers);
        request.sign = self.setup.get("caller").map(|_| Sign::by(CALLER.0, CALLER.1));
        let has_length = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        match (body, body_base64) {
            (Some(text), _) if !text.is_empty() => request.with_body(Body::text(text)),
            (_, Some(text)) => request.with_body(Body::base64(text)),
            _ => {
                if !has_length && matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
                    request.headers.push(("content-length".to_owned(), "0".to_owned()));
                }
                request
            }
        }
    }

    /// Why the row does not hold on a driver; nothing when it does.
    pub fn verdict(&self, folder: &Path, driver: &mut dyn Driver) -> Vec<String> {
        if let Err(problems) = driver.load(&self.id, &self.document(folder)) {
            let first = problems.lines().next().unwrap_or_default();
            return vec![format!("the document is refused: {first}")];
        }
        let (request, clusters) = (self.request(), self.clusters());
        let mut send = || driver.observe(&self.id, &request.at(driver.now(), &Tokens::new()), &clusters);
        for _ in 0..self.preceding() {
            if let Err(error) = send() {
                return vec![error];
            }
        }
        match send() {
            Ok(seen) => self.differences(&seen),
            Err(error) => vec![error],
        }
    }

    /// How an observation differs from the record; empty when it does not.
    fn differences(&self, seen: &Observation) -> Vec<String> {
        let host = self.request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = host.map_or(DEFAULT_HOST, |(_, value)| value);
        let text = Value::Object(self.expect.clone()).to_string().replace("{{host}}", host).replace("{{apiId}}", API_ID);
        let expect: Value = serde_json::from_str(&text).expect("hosts and ids need no escapes");
        let mut bad = Vec::new();
        if let Some(status) = expect.get("status") {
            let wanted = status.as_str().map_or_else(|| status.to_string(), str::to_owned);
            if !same_text(&wanted, &seen.status.to_string()) {
                bad.push(format!("status {}, not {wanted}: {}", seen.status, shown(&seen.body)));
            }
        }
        message(&expect, &seen.headers, &seen.body, "answer", &mut bad);
        let is_function =
            |request: &&UpstreamRequest| self.functions().any(|(name, _)| same_text(&function_path(name), &request.path));
        match (expect.get("backendRequest"), seen.upstream.iter().rfind(|request| !is_function(request))) {
            (None, _) | (Some(Value::Null), None) => {}
            (Some(Value::Null), Some(_)) => bad.push("the backend was called".to_owned()),
            (Some(_), None) => bad.push("the backend was not called".to_owned()),
            (Some(wanted), Some(got)) => backend_request(wanted, got, &mut bad),
        }
        bad
    }
}

fn definition(folder: &Path, api: &str) -> Value {
    let name = Path::new(api).file_name().expect("a row names a file");
    let text = std::fs::read_to_string(folder.join("apis").join(name)).expect("every api of a row is there");
    serde_json::from_str(&text).expect("apis are JSON")
}

fn usage_plan((number, plan): (usize, &Value)) -> Value {
    let stages = plan["stages"].as_array().into_iter().flatten();
    let mut out = json!({
        "usagePlanName": format!("p{number}"), "keys": plan["apiKeys"],
        "apiStages": stages.map(|stage| json!({ "api": "api", "stage": stage })).collect::<Vec<_>>(),
    });
    for key in ["quota", "throttle"] {
        if let Some(value) = plan.get(key) {
            out[key] = value.clone();
        }
    }
    out
}

/// Where the Invoke API has a function of that name.
fn function_path(name: &str) -> String {
    format!("re:/functions/.*(:|%3A|/){name}/invocations$")
}

/// The caller as a user whose identity policy says what the row says of it.
fn user(caller: &Value) -> Value {
    let policies = match caller["identityPolicy"].as_str() {
        Some("allow") => json!([policy("Allow")]),
        Some("deny") => json!([policy("Deny")]),
        _ => json!([]),
    };
    json!({
        "accessKeyId": CALLER.0, "secretAccessKey": CALLER.1,
        "accountId": caller["accountId"], "arn": caller["arn"], "policies": policies,
    })
}

fn policy(effect: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": effect, "Action": "execute-api:Invoke", "Resource": "*" }] })
}

/// The HTTP form, or what the Lambda service would say for the Lambda form.
fn backend(spec: &Value) -> Backend {
    let status = spec["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
    let text = spec.get("body").and_then(Value::as_str);
    if let Some(returned) = spec.get("lambda") {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if let Some(error) = spec["functionError"].as_str() {
            headers.push(("x-amz-function-error".to_owned(), error.to_owned()));
        }
        return Backend::reply(status, headers, Body::text(text.map_or_else(|| returned.to_string(), str::to_owned)));
    }
    let framing = ["content-length", "transfer-encoding"];
    let headers: Vec<Line> = serde_json::from_value(spec["headers"].clone()).unwrap_or_default();
    let headers = headers.into_iter().filter(|(name, _)| !framing.contains(&name.to_ascii_lowercase().as_str())).collect();
    let body = match spec.get("bodyBase64").and_then(Value::as_str) {
        Some(encoded) => Body::base64(encoded),
        None => Body::text(text.unwrap_or_default()),
    };
    Backend::reply(status, headers, body)
}

fn backend_request(wanted: &Value, got: &UpstreamRequest, bad: &mut Vec<String>) {
    for (key, got) in [("method", &got.method), ("path", &got.path)] {
        if let Some(wanted) = wanted.get(key).and_then(Value::as_str)
            && !same_text(wanted, got)
        {
            bad.push(format!("backend {key} `{got}`, not `{wanted}`"));
        }
    }
    if let Some(wanted) = wanted.get("query") {
        let query = got.path.split_once('?').map_or("", |(_, query)| query);
        let query = json!(parse_query(query));
        if query != *wanted {
            bad.push(format!("backend query {query}, not {wanted}"));
        }
    }
    let mut headers = got.headers.clone();
    headers.push(("host".to_owned(), got.host.clone()));
    message(wanted, &headers, &got.body, "backend", bad);
}

/// Decoded names to their values in order.
fn parse_query(query: &str) -> BTreeMap<String, Vec<String>> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        out.entry(percent_decode(name)).or_default().push(percent_decode(value));
    }
    out
}

fn percent_decode(text: &str) -> String {
    let bytes = text.replace('+', " ").into_bytes();
    let (mut out, mut rest) = (Vec::new(), bytes.as_slice());
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &tail[2..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Headers and body of one message.
fn message(spec: &Value, headers: &[Line], body: &[u8], whose: &str, bad: &mut Vec<String>) {
    for (name, wanted) in spec.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let wanted = wanted.as_str().unwrap_or_default();
        let got = joined(headers, &name.to_ascii_lowercase());
        if !got.as_ref().is_some_and(|got| same_text(wanted, got)) {
            bad.push(format!("{whose} header {name} `{}`, not `{wanted}`", got.unwrap_or_else(|| "(none)".to_owned())));
        }
    }
    for name in spec.get("absentHeaders").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if joined(headers, &name.to_ascii_lowercase()).is_some() {
            bad.push(format!("{whose} header {name} is there"));
        }
    }
    let text = |key: &str| spec.get(key).and_then(Value::as_str);
    if text("body").is_some_and(|wanted| !same_text(wanted, &String::from_utf8_lossy(body))) {
        bad.push(format!("{whose} body `{}`, not `{}`", shown(body), text("body").unwrap_or_default()));
    }
    if text("bodyBase64").is_some_and(|wanted| from_base64(wanted) != body) {
        bad.push(format!("{whose} body is other bytes: {:?}", &body[..body.len().min(60)]));
    }
    let got: Option<Value> = serde_json::from_slice(body).ok();
    let is = |compare: fn(&Value, &Value) -> bool, wanted: &Value| got.as_ref().is_some_and(|got| compare(wanted, got));
    for (key, compare) in [("bodyJson", same_json as fn(&Value, &Value) -> bool), ("bodyJsonSubset", subset_json)] {
        if spec.get(key).is_some_and(|wanted| !is(compare, wanted)) {
            bad.push(format!("{whose} body `{}`, not the JSON {}", shown(body), spec[key]));
        }
    }
    let at = |dotted: &str| dotted.split('.').try_fold(got.as_ref()?, |value, key| value.get(key));
    for key in spec.get("bodyJsonAbsent").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if at(key).is_some() {
            bad.push(format!("{whose} body has {key}"));
        }
    }
    for (key, wanted) in spec.get("bodyJsonExactAt").and_then(Value::as_object).into_iter().flatten() {
        if !at(key).is_some_and(|got| same_json(wanted, got)) {
            bad.push(format!("{whose} body at {key}: {:?}, not {wanted}", at(key)));
        }
    }
}
