//! What the other sides say: clients, authorizers, backends, issuers, the rate limit service. Rightly, wrongly, and anything at all.

use super::oracle::Claim;
use crate::documents::{API_KEY, ISSUER, POOL, PUBLISHER};
use crate::signing::{public_keys, public_token, secret_token, signed_headers};
use crate::{Reader, UPSTREAM, no_reply, reply};
use serde_json::{Value, json};
use std::sync::LazyLock;
use tollgate::flow::CalloutOutcome;
use tollgate::http::{RequestHead, ResponseHead, is_field_name, is_field_value};

const METHODS: [&str; 8] = ["GET", "POST", "OPTIONS", "HEAD", "PUT", "ANY", "CONNECT", "get"];

/// Every route, with what is next to one.
const PATHS: [&str; 24] = [
    "/prod/mock",
    "/prod/proxy/a/b",
    "/prod/http",
    "/prod/lambda",
    "/prod/custom",
    "/prod/queue",
    "/prod/valid",
    "/prod/token",
    "/prod/request",
    "/prod/pool",
    "/prod/iam",
    "/prod/closed",
    "/wall/walled",
    "/jwt",
    "/simple",
    "/open/x%20y",
    "/lambda",
    "/queue",
    "/prod/key",
    "/prod/free",
    "/prod//token",
    "/prod/%74oken",
    "/prod/token/",
    "/elsewhere",
];

const HEADERS: [(&str, &str); 22] = [
    ("content-type", "application/json"),
    ("content-type", "text/plain"),
    ("content-type", "image/png"),
    ("accept", "image/png"),
    ("content-length", "10485761"),
    ("content-length", "5"),
    ("origin", "https://a.test"),
    ("origin", "null"),
    ("access-control-request-method", "GET"),
    ("x-http-method-override", "POST"),
    ("x-must", "1"),
    ("x-a", "a b"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
    ("expect", "100-continue"),
    ("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"),
    ("x-forwarded-for", "192.0.2.9"),
    ("x-envoy-original-path", "/x"),
    ("connection", "x-a, upgrade"),
    ("upgrade", "websocket"),
    ("x-amz-date", "20260102T030405Z"),
    ("cookie", "a=b; c=\"d;e\""),
];

const BODIES: [&str; 10] = [
    "{\"a\": 1, \"o\": [\"x\", 2]}",
    "{\"a\": 0}",
    "",
    "{",
    "\"text\"",
    "[[[[[[1]]]]]]",
    "{\"a\": {\"b\": null}, \"errorMessage\": \"Error\"}",
    "{\"statusCode\": 201, \"headers\": {\"x-a\": \"b\"}, \"multiValueHeaders\": {\"set-cookie\": [\"a\", \"b\"]}, \"body\": \"aGk=\", \"isBase64Encoded\": true}",
    "{\"statusCode\": \"404\", \"body\": {\"a\": 1}}",
    "a=b&c=d",
];

static SECRET_TOKEN: LazyLock<String> = LazyLock::new(|| secret_token(claims(ISSUER).to_string().as_bytes()));
static POOL_TOKEN: LazyLock<String> = LazyLock::new(|| secret_token(claims(POOL).to_string().as_bytes()));
static PUBLIC_TOKEN: LazyLock<String> = LazyLock::new(|| public_token("k1", &claims(PUBLISHER)));
static PUBLIC_KEYS: LazyLock<Vec<u8>> = LazyLock::new(|| public_keys("k1").to_string().into_bytes());

fn claims(issuer: &str) -> Value {
    json!({"iss": issuer, "aud": ["a"], "sub": "s", "token_use": "id", "exp": 9_999_999_999_u64, "scope": "a b", "cognito:groups": ["g"]})
}

/// The head of a request, and by what it may be let in.
pub fn request_head(input: &mut Reader<'_>, source: &str) -> (RequestHead, Claim) {
    let mut claim = Claim { is_inside: source.starts_with("192.0.2."), ..Claim::default() };
    let path = input.one_of(&PATHS);
    let mut head = RequestHead {
        method: input.one_of(&METHODS).to_owned(),
        path: path.as_bytes().to_vec(),
        authority: b"api.test".to_vec(),
        scheme: "https".to_owned(),
        ..RequestHead::default()
    };
    credentials(input, path, &mut head, &mut claim);
    let flags = input.byte();
    if flags & 1 != 0 {
        head.path.push(b'?');
        head.path.extend(input.bytes());
    }
    if flags & 2 != 0 {
        head.authority = input.bytes().to_vec();
    }
    for _ in 0..(flags >> 2) % 8 {
        let (name, value) = input.one_of(&HEADERS);
        head.headers.append(name, value);
    }
    if flags & 32 != 0 {
        field(input.text(), input.bytes(), &mut head);
    }
    if flags & 64 != 0 {
        let at = input.below(head.path.len());
        head.path.splice(at..at, input.take(3).iter().copied());
    }
    if flags & 128 != 0 {
        // Envoy refuses what is no method.
        head.method = Some(input.text()).filter(|method| is_field_name(method)).unwrap_or_else(|| "M".to_owned());
    }
    claim.identities = head.headers.get_all("authorization").map(<[u8]>::to_vec).collect();
    claim.keys = head.headers.get_all("x-api-key").map(<[u8]>::to_vec).collect();
    (head, claim)
}

fn credentials(input: &mut Reader<'_>, path: &str, head: &mut RequestHead, claim: &mut Claim) {
    let mut bearer = |token: &str, is_good: bool| {
        claim.has_token |= is_good;
        head.headers.append("authorization", format!("Bearer {token}"));
    };
    match input.below(12) {
        // What the route at hand wants.
        0 | 1 => match path {
            "/prod/pool" => bearer(&POOL_TOKEN, true),
            "/prod/iam" => {
                signed_headers("GET", path, "api.test").into_iter().for_each(|(name, value)| head.headers.append(name, value));
                claim.has_signature = true;
            }
            "/prod/key" => head.headers.append("x-api-key", API_KEY),
            "/jwt" if input.flag() => bearer(&PUBLIC_TOKEN, true),
            "/jwt" => bearer(&SECRET_TOKEN, true),
            _ => head.headers.append("authorization", input.one_of(&["alice", "bob"])),
        },
        2 => {}
        3 => bearer(&SECRET_TOKEN.replace('.', ".a"), false),
        4 => bearer(&secret_token(br#"{"iss":"https://i.test","aud":"a","exp":1}"#), false),
        5 => bearer(&secret_token(br#"{"iss":"https://other.test","aud":"a","exp":9999999999}"#), false),
        6 => bearer(&secret_token(br#"{"iss":"https://i.test","aud":"b","exp":9999999999}"#), false),
        7 => head.headers.append("x-api-key", "12345678901234567891"),
        8 => field("authorization".to_owned(), input.bytes(), head),
        9 => {
            head.headers.append("x-api-key", API_KEY);
            head.headers.append("x-api-key", "other");
        }
        10 => {
            let [(name, value), date] = signed_headers("GET", "/prod/other", "api.test");
            head.headers.append(name, value);
            head.headers.append(date.0, date.1);
        }
        _ => head.headers.append("x-api-key", API_KEY),
    }
}

/// A field that Envoy takes: it refuses all others.
fn field(name: String, value: &[u8], head: &mut RequestHead) {
    let name = name.to_ascii_lowercase();
    if is_field_name(&name) && is_field_value(value) {
        head.headers.append(name, value);
    }
}

/// A body, or a part of one.
pub fn body(input: &mut Reader<'_>) -> Vec<u8> {
    match input.below(12) {
        11 => input.bytes().to_vec(),
        10 => BODIES[input.below(10)].repeat(usize::from(input.byte()) * 4).into_bytes(),
        text => BODIES[text].as_bytes().to_vec(),
    }
}

/// The head of a response, by the upstream or by the proxy itself.
pub fn response_head(input: &mut Reader<'_>) -> (ResponseHead, Option<&'static str>) {
    let statuses = [200, 200, 404, 500, 503, 204, 304, 408, 413, 504, 101, 100, 0, 999, 302, 431];
    let details = [
        Some("via_upstream"),
        Some("via_upstream"),
        None,
        Some("response_timeout"),
        Some("request_payload_too_large"),
        Some("route_not_found"),
        Some("stream_idle_timeout"),
        Some("tollgate"),
        Some("upstream_reset_before_response_started{connection_termination}"),
    ];
    let mut head = ResponseHead { status: input.one_of(&statuses), ..ResponseHead::default() };
    for _ in 0..input.below(4) {
        let (name, value) = input.one_of(&[
            ("content-type", "application/json"),
            ("x-a", "b"),
            ("x-envoy-upstream-service-time", "1"),
            ("connection", "close"),
            ("access-control-allow-origin", "*"),
            ("vary", "x"),
            ("x-amzn-errortype", "E"),
            ("x-status", "418"),
            ("content-length", "7"),
            ("x-amz-function-error", "Unhandled"),
            ("x-amzn-requestid", "r"),
            ("set-cookie", "a=b"),
            ("x-status", "99999"),
            ("server", "s"),
        ]);
        head.headers.append(name, value);
    }
    if input.byte() == 7 {
        head.headers.append("x-a", input.bytes());
        head.headers = head.headers.into_iter().filter(|(_, value)| is_field_value(value)).collect();
    }
    (head, input.one_of(&details))
}

/// What comes of a call: by whoever was asked, or by the proxy in his place.
pub fn outcome(input: &mut Reader<'_>) -> CalloutOutcome {
    let is_own = input.byte() == 255;
    let mut outcome = said(input);
    if let Ok(response) = &mut outcome {
        if !is_own {
            response.head.headers.append(UPSTREAM.0, UPSTREAM.1);
        }
    }
    outcome
}

fn said(input: &mut Reader<'_>) -> CalloutOutcome {
    let allow = r#"{"principalId":"p","policyDocument":{"Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}},"context":{"k":"v\r\n"}}"#;
    let deny = allow.replace("Allow", "Deny");
    match input.below(16) {
        0 => reply(200, &[], allow.as_bytes()),
        1 => reply(200, &[], deny.as_bytes()),
        2 => reply(200, &[], br#"{"isAuthorized":true,"context":{"a":[1]}}"#),
        3 => reply(200, &[], br#"{"isAuthorized":false}"#),
        4 => no_reply(),
        5 => reply(200, &[("x-amz-function-error", "Unhandled")], br#"{"errorMessage":"Unauthorized"}"#),
        6 => reply(503, &[], allow.as_bytes()),
        7 => reply(200, &[], b"\x08\x01"),
        8 => reply(200, &[], b"\x08\x01\x12\x08\x08\x01\x12\x04\x08\x05\x10\x01"),
        9 => reply(200, &[], b"\x08\x02"),
        10 => reply(200, &[], input.bytes()),
        11 => reply(200, &[], &body(input)),
        12 | 13 => {
            let (head, _) = response_head(input);
            let headers: Vec<(String, Vec<u8>)> = head.headers.into_iter().collect();
            let headers: Vec<_> =
                headers.iter().filter_map(|(name, value)| Some((name.as_str(), std::str::from_utf8(value).ok()?))).collect();
            reply(head.status, &headers, &body(input))
        }
        14 => reply(200, &[], &vec![b'x'; 10_485_761]),
        _ => reply(200, &[("content-type", "application/json")], b"{\"statusCode\": 200, \"body\": \"b\"}"),
    }
}

/// What an issuer says of itself and of its keys.
pub fn issuer_outcome(input: &mut Reader<'_>) -> CalloutOutcome {
    let discovery = |keys: &str| json!({"issuer": PUBLISHER, "jwks_uri": keys}).to_string();
    match input.below(10) {
        0 | 1 => reply(200, &[], discovery("https://keys.test/jwks").as_bytes()),
        2 | 3 => reply(200, &[], &PUBLIC_KEYS),
        4 => no_reply(),
        5 => reply(500, &[], &PUBLIC_KEYS),
        6 => reply(200, &[], discovery("http://keys.test/jwks").as_bytes()),
        7 => reply(200, &[], discovery("https://nowhere.test/").as_bytes()),
        8 => reply(200, &[], b"{\"keys\":[]}"),
        _ => reply(200, &[], input.bytes()),
    }
}
