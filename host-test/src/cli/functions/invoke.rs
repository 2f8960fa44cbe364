//! Lambda's Invoke API, as much of it as a gateway and the SDKs use: `POST /2015-03-31/functions/{function}/invocations`.

use std::sync::Arc;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tollgate::base64;

use super::failure::Failure;
use super::invocation::{Invocation, Outcome, ids, now_millis};
use super::name::{FunctionName, PATTERN};
use super::{Account, Functions};
use crate::cli::server::{Body, empty, whole};

/// Bytes of a payload ("Lambda quotas").
const MAX_PAYLOAD: usize = 6 * 1024 * 1024;

/// The same for an event, which waits.
const MAX_EVENT: usize = 1024 * 1024;

/// `X-Amz-Invocation-Type`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

/// An error of the API: not of the function.
struct Refused {
    status: StatusCode,
    /// `x-amzn-ErrorType`
    error_type: &'static str,
    body: Value,
}

/// Answers a request.
pub async fn answer(functions: Arc<Functions>, request: Request<Incoming>) -> Response<Body> {
    let request_id = ids().request_id();
    let mut response = match invoke(&functions, request, &request_id).await {
        Ok(response) => response,
        Err(refused) => refused.answer(),
    };
    set(response.headers_mut(), "x-amzn-requestid", request_id.as_bytes());
    response
}

async fn invoke(functions: &Functions, request: Request<Incoming>, request_id: &str) -> Result<Response<Body>, Refused> {
    let (head, body) = request.into_parts();
    if head.headers.contains_key(ORIGIN) {
        return Err(Refused::browser());
    }
    let name = function_name(&head)?;
    let account = functions.account.at(head.headers.get("host").and_then(|host| host.to_str().ok()));
    let Some(pool) = functions.get(&name.name) else { return Err(Refused::not_found(&name.arn(&account))) };
    let kind = InvocationType::of(&head.headers)?;
    let client_context = client_context(&head.headers)?;
    let payload = payload(body, kind).await?;
    let invocation = Invocation {
        request_id: request_id.to_owned(),
        payload,
        arn: name.arn(&account),
        trace: trace(&head.headers),
        client_context,
        tail: head.headers.get("x-amz-log-type").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"tail")),
    };
    match kind {
        InvocationType::DryRun => Ok(plain(StatusCode::NO_CONTENT)),
        InvocationType::Event => match pool.enqueue(invocation) {
            true => Ok(plain(StatusCode::ACCEPTED)),
            false => Err(Refused::too_many()),
        },
        InvocationType::RequestResponse => {
            let (tail, trace) = (invocation.tail, invocation.trace.clone());
            let outcome = pool.call(invocation).ok_or_else(Refused::too_many)?;
            // The task that runs it never ends without a word.
            let outcome = outcome.await.unwrap_or_else(|_| Outcome { answer: Err(Failure::Stopped), log: Vec::new() });
            let mut response = told(outcome, tail, request_id);
            set(response.headers_mut(), "x-amz-executed-version", name.version().as_bytes());
            set(response.headers_mut(), "x-amzn-trace-id", trace.as_bytes());
            Ok(response)
        }
    }
}

/// 200, also when the function failed.
fn told(outcome: Outcome, tail: bool, request_id: &str) -> Response<Body> {
    let (payload, failed) = match outcome.answer {
        Ok(payload) => (payload, false),
        Err(failure) => (failure.payload(request_id), true),
    };
    let mut response = Response::new(whole(payload));
    set(response.headers_mut(), "content-type", b"application/json");
    if failed {
        set(response.headers_mut(), "x-amz-function-error", b"Unhandled");
    }
    if tail {
        set(response.headers_mut(), "x-amz-log-result", base64::encode(&outcome.log).as_bytes());
    }
    response
}

fn function_name(head: &Parts) -> Result<FunctionName, Refused> {
    let path = head.uri.path();
    let function = path.strip_prefix("/2015-03-31/functions/").and_then(|rest| rest.strip_suffix("/invocations"));
    let Some(function) = function.filter(|function| head.method == Method::POST && !function.contains('/')) else {
        return Err(Refused::unknown(&head.method, path));
    };
    let function = percent_decoded(function);
    let mut name = FunctionName::parse(&function)
        .ok_or_else(|| Refused::invalid("functionName", &function, "regular expression pattern", PATTERN))?;
    let query = head.uri.query().unwrap_or_default();
    if let Some(qualifier) = query.split('&').find_map(|pair| pair.strip_prefix("Qualifier=")).filter(|text| !text.is_empty()) {
        name.qualifier = Some(percent_decoded(qualifier));
    }
    Ok(name)
}

async fn payload(body: Incoming, kind: InvocationType) -> Result<Bytes, Refused> {
    let limit = if kind == InvocationType::Event { MAX_EVENT } else { MAX_PAYLOAD };
    let payload = match Limited::new(body, limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Refused::too_large(limit)),
        Err(_) => return Err(Refused::no_json("the rest of it did not come")),
    };
    // As every runtime sees it.
    if payload.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<IgnoredAny>(&payload) {
        Ok(_) => Ok(payload),
        Err(error) => Err(Refused::no_json(&error.to_string())),
    }
}

fn client_context(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let Some(context) = headers.get("x-amz-client-context") else { return Ok(None) };
    let context = base64::decode(context.as_bytes()).and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    // On one line, as a header has to be.
    let context = context.filter(Value::is_object).map(|context| context.to_string());
    context.map(Some).ok_or_else(|| {
        Refused::content(json!({"Type": null, "message": "Client context must be a valid Base64-encoded JSON object."}))
    })
}

/// The caller's, or a new one that nobody traces.
fn trace(headers: &HeaderMap) -> String {
    let given = headers.get("x-amzn-trace-id").and_then(|trace| trace.to_str().ok()).filter(|trace| !trace.is_empty());
    given.map_or_else(
        || {
            let ids = ids();
            format!("Root={};Parent={};Sampled=0", ids.trace_root(now_millis()), ids.trace_parent())
        },
        str::to_owned,
    )
}

/// What `%` and two digits stand for. The SDKs escape the colons of an ARN so.
pub fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let escaped = digits.filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &[u8]) {
    // All of them were in a header before, or are written here.
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

// === impl InvocationType ===

impl InvocationType {
    fn of(headers: &HeaderMap) -> Result<Self, Refused> {
        let Some(value) = headers.get("x-amz-invocation-type") else { return Ok(Self::RequestResponse) };
        match value.as_bytes() {
            b"RequestResponse" => Ok(Self::RequestResponse),
            b"Event" => Ok(Self::Event),
            b"DryRun" => Ok(Self::DryRun),
            other => {
                let known = "[Event, RequestResponse, DryRun]";
                Err(Refused::invalid("invocationType", &String::from_utf8_lossy(other), "enum value set", known))
            }
        }
    }
}

// === impl Refused ===

impl Refused {
    fn not_found(arn: &str) -> Self {
        let body = json!({"Type": "User", "Message": format!("Function not found: {arn}")});
        Self { status: StatusCode::NOT_FOUND, error_type: "ResourceNotFoundException", body }
    }

    /// Lambda asks who calls, and we do not: a page that somebody looks at must not call what listens on their machine.
    fn browser() -> Self {
        let body = json!({"message": "pages of browsers, which send `Origin`, cannot call functions here"});
        Self { status: StatusCode::FORBIDDEN, error_type: "AccessDeniedException", body }
    }

    fn unknown(method: &Method, path: &str) -> Self {
        let message = format!("only POST /2015-03-31/functions/FUNCTION/invocations is answered here, and not {method} {path}");
        Self { status: StatusCode::NOT_FOUND, error_type: "UnknownOperationException", body: json!({"message": message}) }
    }

    fn invalid(what: &str, value: &str, rule: &str, known: &str) -> Self {
        let rule = format!("Member must satisfy {rule}: {known}");
        let message = format!("1 validation error detected: Value '{value}' at '{what}' failed to satisfy constraint: {rule}");
        Self { status: StatusCode::BAD_REQUEST, error_type: "ValidationException", body: json!({"message": message}) }
    }

    fn content(body: Value) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error_type: "InvalidRequestContentException", body }
    }

    /// The part behind the last colon is that of the parser, and ours is another.
    fn no_json(why: &str) -> Self {
        let message = format!("Could not parse request body into json: Could not parse payload into json: {why}");
        Self::content(json!({"Type": "User", "message": message}))
    }

    fn too_large(limit: usize) -> Self {
        let message = format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
        let body = json!({"Type": "User", "message": message});
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, error_type: "RequestTooLargeException", body }
    }

    fn too_many() -> Self {
        let reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
        let body = json!({"Reason": reason, "Type": "User", "message": "Rate Exceeded."});
        Self { status: StatusCode::TOO_MANY_REQUESTS, error_type: "TooManyRequestsException", body }
    }

    fn answer(self) -> Response<Body> {
        let mut response = Response::new(whole(self.body.to_string().into()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        set(response.headers_mut(), "x-amzn-errortype", self.error_type.as_bytes());
        response
    }
}

// === impl Account ===

impl Account {
    /// The account in the region whose Lambda a host is: `lambda.REGION.amazonaws.com`.
    fn at(&self, host: Option<&str>) -> Self {
        let host = host.unwrap_or_default().to_ascii_lowercase();
        let region = host.strip_prefix("lambda.").and_then(|rest| rest.split_once(".amazonaws.com")).map(|(region, _)| region);
        Self { region: region.unwrap_or(&self.region).to_owned(), id: self.id.clone() }
    }
}
