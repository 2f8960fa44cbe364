//! What upstreams answer that no upstream should: broken HTTP, broken answers of Lambda functions and of Lambda authorizers. A
//! request names what it wants (`x-attack-answer`, or the identity that an authorizer is asked about).

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::drivers::http1::Message;

/// What backends answer.
pub const BACKENDS: [&str; 40] = [
    "ok",
    "nothing",
    "reset",
    "garbage",
    "no-version",
    "http09",
    "http10",
    "status-0",
    "status-99",
    "status-600",
    "status-text",
    "two-lengths",
    "length-and-chunked",
    "negative-length",
    "huge-length",
    "cut-length",
    "cut-chunk",
    "bad-chunk",
    "huge-chunk",
    "chunk-extensions",
    "trailers",
    "bad-trailers",
    "bare-lf",
    "nul-in-value",
    "cr-in-value",
    "no-colon",
    "odd-names",
    "huge-header",
    "many-headers",
    "second-answer",
    "body-of-204",
    "body-of-304",
    "interims",
    "switches",
    "gzip-chunked",
    "not-utf8",
    "deep-json",
    "gateway-headers",
    "own-cluster",
    "slow",
];

/// What proxied functions answer, as the body of an invocation.
pub const FUNCTIONS: [&str; 38] = [
    "ok",
    "nothing",
    "reset",
    "garbage",
    "f-empty",
    "f-null",
    "f-number",
    "f-text",
    "f-list",
    "f-deep",
    "f-cut",
    "f-twice",
    "f-not-utf8",
    "f-status-text",
    "f-status-negative",
    "f-status-huge",
    "f-status-float",
    "f-status-101",
    "f-status-204-body",
    "f-headers-list",
    "f-headers-nested",
    "f-header-crlf",
    "f-header-nul",
    "f-header-name",
    "f-header-pseudo",
    "f-header-framing",
    "f-header-gateway",
    "f-multi-crlf",
    "f-many-headers",
    "f-huge-header",
    "f-body-number",
    "f-body-object",
    "f-base64-bad",
    "f-base64-number",
    "f-cookies-crlf",
    "f-cookies-text",
    "f-huge",
    "f-error",
];

/// What authorizers answer; each of them a no, for it is an error or denies.
pub const AUTHORIZERS: [&str; 30] = [
    "deny",
    "nothing",
    "reset",
    "garbage",
    "empty",
    "null",
    "number",
    "list",
    "deep",
    "cut",
    "not-utf8",
    "no-policy",
    "policy-text",
    "policy-list",
    "no-effect",
    "effect-number",
    "effect-lower",
    "no-resource",
    "resource-number",
    "resource-deep",
    "many-statements",
    "condition",
    "not-resource",
    "allow-and-deny",
    "context-crlf",
    "context-nested",
    "long-principal",
    "error-allow",
    "status-500-allow",
    "huge",
];

const STAR: &str = r#""Action":"execute-api:Invoke","Resource":"*""#;

/// Answers one request; false where the connection ends with that.
pub fn send(stream: &mut TcpStream, answer: &str, method: &str, request: &Message) -> io::Result<bool> {
    let (kind, rest) = answer.split_once(':').unwrap_or((answer, ""));
    let (wish, ticket) = rest.split_once(':').unwrap_or((rest, ""));
    if kind == "authorizer" && !matches!(wish, "nothing" | "reset" | "garbage") {
        return authorize(stream, wish);
    }
    if let Some(wish) = wish.strip_prefix("f-").filter(|_| kind == "function") {
        return invoke(stream, wish);
    }
    let ok = if kind == "function" {
        json!({ "statusCode": 200, "body": ticket }).to_string()
    } else {
        json!({ "ticket": ticket }).to_string()
    };
    let is_head = method == "HEAD";
    let raw = |text: &str| text.as_bytes().to_vec();
    let with = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}content-length: 2\r\n\r\nok").into_bytes();
    let (bytes, is_kept) = match wish {
        "nothing" | "reset" => return Ok(false),
        "garbage" => (vec![0xff, 0, b'\r', b'\n', 7, b'x', b'\n', b'\n'], false),
        "no-version" => (raw("200 OK\r\ncontent-length: 0\r\n\r\n"), false),
        "http09" => (raw("<html>hello</html>\r\n"), false),
        "http10" => (raw("HTTP/1.0 200 OK\r\n\r\nuntil the end"), false),
        "status-0" => (raw("HTTP/1.1 0 None\r\ncontent-length: 0\r\n\r\n"), false),
        "status-99" => (raw("HTTP/1.1 99 None\r\ncontent-length: 0\r\n\r\n"), false),
        "status-600" => (raw("HTTP/1.1 600 Much\r\ncontent-length: 0\r\n\r\n"), false),
        "status-text" => (raw("HTTP/1.1 2x0 OK\r\ncontent-length: 0\r\n\r\n"), false),
        "two-lengths" => (with("content-length: 1\r\n"), false),
        "length-and-chunked" => {
            (raw("HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), false)
        }
        "negative-length" => (raw("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nok"), false),
        "huge-length" => (raw("HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\nok"), false),
        "cut-length" => (raw("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok"), false),
        "cut-chunk" => (raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nok"), false),
        "bad-chunk" => (raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n"), false),
        "huge-chunk" => (raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nok\r\n0\r\n\r\n"), false),
        "chunk-extensions" => (raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;a=\"b\";c\r\nok\r\n0;x\r\n\r\n"), false),
        "trailers" => (raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-trailer: 1\r\n\r\n"), false),
        "bad-trailers" => (
            raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\ncontent-length: 5\r\n:status: 500\r\n\r\n"),
            false,
        ),
        "bare-lf" => (raw("HTTP/1.1 200 OK\ncontent-length: 2\n\nok"), false),
        "nul-in-value" => (with("x-nul: a\0b\r\n"), false),
        "cr-in-value" => (with("x-cr: a\rx-hidden: b\r\n"), false),
        "no-colon" => (with("nocolon\r\n"), false),
        "odd-names" => (with("x y: 1\r\n: 2\r\nx(z): 3\r\n"), false),
        "huge-header" => (with(&format!("x-huge: {}\r\n", "h".repeat(70_000))), false),
        "many-headers" => (with(&(0..300).map(|n| format!("x-{n}: {n}\r\n")).collect::<String>()), false),
        "second-answer" => ([with(""), with("x-second: 1\r\n")].concat(), false),
        "body-of-204" => (raw("HTTP/1.1 204 None\r\ncontent-length: 2\r\n\r\nok"), false),
        "body-of-304" => (raw("HTTP/1.1 304 Same\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), false),
        "interims" => {
            ([raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"), with("")].concat(), false)
        }
        "switches" => (raw("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nok"), false),
        "gzip-chunked" => (raw("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), false),
        "not-utf8" => (
            [
                raw("HTTP/1.1 200 OK\r\nx-kind: "),
                vec![0xff, 0xfe],
                raw("\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\n"),
                vec![b'"', 0xff, 0xfe, b'"'],
            ]
            .concat(),
            false,
        ),
        "deep-json" => {
            let body = format!("{}1{}", r#"{"a":[{"b":"#.repeat(3_000), "}]}".repeat(3_000));
            (
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
                    .into_bytes(),
                false,
            )
        }
        "gateway-headers" => (
            with(
                "x-tollgate-cluster: evil\r\nx-envoy-upstream-service-time: evil\r\nx-envoy-immediate-health-check-fail: evil\r\nx-amzn-requestid: evil\r\nserver: evil\r\ndate: evil\r\n",
            ),
            false,
        ),
        "own-cluster" => (
            with("x-tollgate-cluster: evil\r\nconnection: x-tollgate-cluster, close\r\nkeep-alive: 9\r\nproxy-connection: x\r\n"),
            false,
        ),
        "slow" => {
            std::thread::sleep(Duration::from_millis(30));
            (with(""), true)
        }
        _ => {
            let content = if is_head { "" } else { &ok };
            (
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{content}", ok.len())
                    .into_bytes(),
                true,
            )
        }
    };
    let _ = request;
    stream.write_all(&bytes)?;
    Ok(is_kept)
}

fn json_answer(stream: &mut TcpStream, status: u16, more: &str, body: &[u8]) -> io::Result<bool> {
    let head = format!("HTTP/1.1 {status} it\r\ncontent-type: application/json\r\n{more}content-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat())?;
    Ok(true)
}

fn invoke(stream: &mut TcpStream, wish: &str) -> io::Result<bool> {
    let headers =
        |name: &str, value: &str| json!({ "statusCode": 200, "headers": { name: value }, "body": "ok" }).to_string().into_bytes();
    let mut more = "";
    let body = match wish {
        "empty" => Vec::new(),
        "null" => b"null".to_vec(),
        "number" => b"1e999".to_vec(),
        "text" => b"\"text\"".to_vec(),
        "list" => b"[{\"statusCode\":200}]".to_vec(),
        "deep" => format!(r#"{{"statusCode":200,"x":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000)).into_bytes(),
        "cut" => b"{\"statusCode\":200,\"body\":\"o".to_vec(),
        "twice" => br#"{"statusCode":200,"statusCode":500,"body":"a","body":"b"}"#.to_vec(),
        "not-utf8" => b"{\"statusCode\":200,\"body\":\"\xff\xfe\",\"headers\":{\"x\":\"\xff\"}}".to_vec(),
        "status-text" => br#"{"statusCode":"200 OK\r\nx: y"}"#.to_vec(),
        "status-negative" => br#"{"statusCode":-200}"#.to_vec(),
        "status-huge" => br#"{"statusCode":99999999999999999999999}"#.to_vec(),
        "status-float" => br#"{"statusCode":200.5}"#.to_vec(),
        "status-101" => br#"{"statusCode":101,"headers":{"upgrade":"x","connection":"upgrade"}}"#.to_vec(),
        "status-204-body" => br#"{"statusCode":204,"body":"there should be none"}"#.to_vec(),
        "headers-list" => br#"{"statusCode":200,"headers":["a","b"]}"#.to_vec(),
        "headers-nested" => br#"{"statusCode":200,"headers":{"x":{"y":["z"]}}}"#.to_vec(),
        "header-crlf" => headers("x-crlf", "a\r\nset-cookie: evil=1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
        "header-nul" => headers("x-nul", "a\0b"),
        "header-name" => headers("x y\r\nz: 1", "a"),
        "header-pseudo" => headers(":status", "500"),
        "header-framing" => br#"{"statusCode":200,"headers":{"content-length":"1","transfer-encoding":"chunked","connection":"close, te","upgrade":"h2c"},"body":"more than one"}"#.to_vec(),
        "header-gateway" => headers("x-tollgate-cluster", "evil"),
        "multi-crlf" => br#"{"statusCode":200,"multiValueHeaders":{"x":["a\r\nb","c\n"],"set-cookie":["a=1\r\n\r\n"]}}"#.to_vec(),
        "many-headers" => {
            let all: serde_json::Map<String, serde_json::Value> = (0..2_000).map(|n| (format!("x-{n}"), n.to_string().into())).collect();
            json!({ "statusCode": 200, "headers": all }).to_string().into_bytes()
        }
        "huge-header" => headers("x-huge", &"h".repeat(100_000)),
        "body-number" => br#"{"statusCode":200,"body":12}"#.to_vec(),
        "body-object" => br#"{"statusCode":200,"body":{"a":1}}"#.to_vec(),
        "base64-bad" => br#"{"statusCode":200,"isBase64Encoded":true,"body":"@@@=="}"#.to_vec(),
        "base64-number" => br#"{"statusCode":200,"isBase64Encoded":"yes","body":"b2s="}"#.to_vec(),
        "cookies-crlf" => br#"{"statusCode":200,"cookies":["a=1\r\nx: y","b=2\n"]}"#.to_vec(),
        "cookies-text" => br#"{"statusCode":200,"cookies":"a=1"}"#.to_vec(),
        "huge" => json!({ "statusCode": 200, "body": "y".repeat(2_000_000) }).to_string().into_bytes(),
        _ => {
            more = "x-amz-function-error: Unhandled\r\n";
            br#"{"errorMessage":"a\r\nb","errorType":"E"}"#.to_vec()
        }
    };
    json_answer(stream, 200, more, &body)
}

fn authorize(stream: &mut TcpStream, wish: &str) -> io::Result<bool> {
    let policy = |statement: &str, rest: &str| {
        format!(r#"{{"principalId":"p","policyDocument":{{"Version":"2012-10-17","Statement":[{statement}]}}{rest}}}"#).into_bytes()
    };
    let allow = format!(r#"{{"Effect":"Allow",{STAR}}}"#);
    let deny = format!(r#"{{"Effect":"Deny",{STAR}}}"#);
    let (mut status, mut more) = (200, "");
    let body = match wish {
        "empty" => Vec::new(),
        "null" => b"null".to_vec(),
        "number" => b"1".to_vec(),
        "list" => [b"[".to_vec(), policy(&allow, ""), b"]".to_vec()].concat(),
        "deep" => policy(&deny, &format!(r#","context":{}{}"#, "{\"a\":".repeat(20_000), "1".to_owned() + &"}".repeat(20_000))),
        "cut" => policy(&allow, "").split_last().map(|(_, head)| head.to_vec()).unwrap_or_default(),
        "not-utf8" => [policy(&allow, "").as_slice(), b"\xff"].concat(),
        "no-policy" => br#"{"principalId":"p"}"#.to_vec(),
        "policy-text" => br#"{"principalId":"p","policyDocument":"Allow"}"#.to_vec(),
        "policy-list" => br#"{"principalId":"p","policyDocument":["Allow"]}"#.to_vec(),
        "no-effect" => policy(&format!("{{{STAR}}}"), ""),
        "effect-number" => policy(&format!(r#"{{"Effect":1,{STAR}}}"#), ""),
        "effect-lower" => policy(&format!(r#"{{"Effect":"allow",{STAR}}}"#), ""),
        "no-resource" => policy(r#"{"Effect":"Allow","Action":"execute-api:Invoke"}"#, ""),
        "resource-number" => policy(r#"{"Effect":"Allow","Action":"execute-api:Invoke","Resource":7}"#, ""),
        "resource-deep" => policy(r#"{"Effect":"Allow","Action":"execute-api:Invoke","Resource":[["*"]]}"#, ""),
        "many-statements" => {
            policy(&vec![r#"{"Effect":"Deny","Action":"execute-api:*","Resource":"arn:*:*:*?*?*?*?*?*x"}"#; 2_000].join(","), "")
        }
        "condition" => policy(&format!(r#"{{"Effect":"Allow",{STAR},"Condition":{{"Unheard":{{"aws:Of":"it"}}}}}}"#), ""),
        "not-resource" => policy(r#"{"Effect":"Allow","Action":"execute-api:Invoke","NotResource":"*"}"#, ""),
        "allow-and-deny" => policy(&format!("{allow},{deny}"), ""),
        "context-crlf" => policy(&deny, r#","context":{"x":"a\r\nset-cookie: evil"}"#),
        "context-nested" => policy(&allow, r#","context":{"x":{"y":[1]}}"#),
        "long-principal" => policy(&deny, "").repeat(1).into_iter().chain(b" ".repeat(100_000)).collect(),
        "error-allow" => {
            more = "x-amz-function-error: Unhandled\r\n";
            policy(&allow, "")
        }
        "status-500-allow" => {
            status = 500;
            policy(&allow, "")
        }
        "huge" => policy(&deny, &format!(r#","context":{{"x":"{}"}}"#, "z".repeat(1_000_000))),
        _ => policy(&deny, ""),
    };
    json_answer(stream, status, more, &body)
}
