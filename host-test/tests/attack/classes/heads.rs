//! Header lines: what is no line, lines that come twice, lines that only the gateway may write.

use super::super::shot::{Aim, Shot};
use super::{Make, NO_ERROR, open_path};

/// Names, most of which are none.
const NAMES: [&[u8]; 22] = [
    b"x-ok",
    b"X_Under_Score",
    b"x y",
    b"",
    b" x",
    b"x ",
    b"x\t",
    b"x\0y",
    b"x\xff",
    b"(x)",
    b"x\"",
    b"x/y",
    b"x,y",
    b":path",
    b":authority",
    b"cookie",
    b"accept",
    b"user-agent",
    b"te",
    b"x-amzn-trace-id",
    b"if-match",
    b"range",
];

const VALUES: [&[u8]; 24] = [
    b"",
    b" ",
    b"plain",
    b"\xff\xfe",
    b"a\0b",
    b"a\rb",
    b"a\x01b",
    b"a\x7fb",
    b"\t\ttabs\t",
    b"a\r\n folded",
    b"a\r\n\tfolded",
    b"a\nx-hidden: b",
    b"\"open",
    b"${jndi:ldap://x}",
    b"$context.path",
    b"#set($x=1)$x",
    b"%0d%0ax: y",
    b"trailers, deflate;q=0.5",
    b"bytes=0-,0-,0-,0-",
    b"1=2=3;;;===",
    b"\xe2\x80\xae",
    b"\xed\xa0\x80",
    b"a,b,,c, ,",
    b"Root=1-0-0;Parent=x;Sampled=?",
];

/// A line of any sort on a request of any kind, up to four of them.
pub fn line(make: &mut Make) -> Shot {
    let aim = make.aim();
    let path = if aim == Aim::Kinds {
        make.one(&["/k/proxy/x", "/k/http/7", "/k/mock", "/k/function", "/w/proxy/x", "/w/function"])
    } else {
        open_path(aim)
    };
    let count = make.between(1, 4);
    let lines: Vec<Vec<u8>> = (0..count)
        .map(|_| match make.random.below(8) {
            0 => make.one::<&[u8]>(&[b"no colon at all", b":", b": x", b"=", b"\xff", b"x", b"GET / HTTP/1.1"]).to_vec(),
            1 => {
                let length = make.between(1, 20_000);
                [b"x-long: ".as_slice(), &b"v".repeat(length)].concat()
            }
            2 => {
                let length = make.between(1, 60);
                let bytes: Vec<u8> = make.bytes(length).into_iter().filter(|byte| *byte != b'\n').collect();
                [b"x-bytes: ".as_slice(), &bytes].concat()
            }
            _ => [make.one(&NAMES), b":", make.one::<&[u8]>(&[b"", b" ", b"\t"]), make.one(&VALUES)].concat(),
        })
        .collect();
    let method = make.one(&["GET", "GET", "HEAD", "DELETE"]);
    let shown: Vec<String> = lines.iter().map(|line| String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned()).collect();
    let bytes = make.head(method, path.as_bytes(), &lines);
    make.one_request(format!("{method} {path} {shown:?}"), aim, method, bytes, NO_ERROR)
}

/// Lines which say what only the gateway may say, in every spelling; and what may come once, twice.
pub fn reserved(make: &mut Make) -> Shot {
    const NAMES: [&str; 22] = [
        "x-tollgate-cluster",
        "X-Tollgate-Cluster",
        "x-tollgate-anything",
        "x-envoy-upstream-rq-timeout-ms",
        "X-Envoy-Original-Path",
        "x-envoy-retry-on",
        "x-envoy-max-retries",
        "x-envoy-expected-rq-timeout-ms",
        "x-envoy-decorator-operation",
        "x-envoy-force-trace",
        "x-envoy-internal",
        "x-envoy-external-address",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-amzn-requestid",
        "x-amz-apigw-id",
        "x-amzn-apigateway-api-id",
        "x-request-id",
        "forwarded",
        "via",
    ];
    const TWICE: [(Aim, &str, &str, &[u16]); 4] = [
        (Aim::Rest, "/prod/same", "authorization", &[401]),
        (Aim::Http, "/same", "authorization", &[401]),
        (Aim::Kinds, "/k/keyed/x", "x-api-key", &[403]),
        (Aim::Rest, "/prod/nested/deep/er", "authorization", &[400, 403]),
    ];
    if make.random.below(4) == 0 {
        let (aim, path, name, statuses) = make.one(&TWICE);
        let value = make.one(&["Bearer a.b.c", "the-key-of-the-caller-01", "AWS4-HMAC-SHA256 Credential=x", ""]);
        let lines = vec![format!("{name}: the-key-of-the-caller-01").into_bytes(), format!("{name}: {value}").into_bytes()];
        let bytes = make.head("GET", path.as_bytes(), &lines);
        return make.one_request(format!("{name} twice at {path}: {value}"), aim, "GET", bytes, statuses);
    }
    let aim = make.aim();
    let value = make.one(&["evil", "1", "0", "backend.test", "5xx", "true", "-1", "99999999999999999999", "\"", ""]);
    let count = make.between(1, 3);
    let lines: Vec<Vec<u8>> = (0..count).map(|_| format!("{}: {value}", make.one(&NAMES)).into_bytes()).collect();
    let shown: Vec<String> = lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let bytes = make.head("GET", open_path(aim).as_bytes(), &lines);
    make.one_request(format!("{shown:?}"), aim, "GET", bytes, &[200])
}
