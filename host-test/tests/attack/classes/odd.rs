//! Methods, versions, expectations and other protocols.

use super::super::shot::{Aim, Shot, Step};
use super::super::upstream::TICKET;
use super::{Make, open_path};

/// Beside what has no error: HTTP/1.0 (426), methods (405, 501), versions (505), expectations (417).
const ODD: &[u16] = &[200, 204, 400, 401, 403, 404, 405, 411, 413, 417, 426, 431];

/// One of them.
pub fn odd(make: &mut Make) -> Shot {
    const METHODS: [&str; 22] = [
        "CONNECT",
        "TRACE",
        "TRACK",
        "PROPFIND",
        "get",
        "Get",
        "GET\t",
        "G\0T",
        "G\u{e9}T",
        "",
        "PRI",
        "SEARCH",
        "MKCOL",
        "PURGE",
        "ANY",
        "HEAD",
        "OPTIONS",
        "PATCH",
        "!#$%&'*+-.^_`|~",
        "M-SEARCH",
        "GETGETGETGETGETGETGETGETGETGETGETGETGET",
        "BREW",
    ];
    const VERSIONS: [&str; 18] = [
        "HTTP/1.0",
        "HTTP/0.9",
        "HTTP/2.0",
        "HTTP/1.2",
        "HTTP/1.",
        "HTTP/1",
        "http/1.1",
        "HTTP/1.1 ",
        " HTTP/1.1",
        "HTTP/01.1",
        "HTTP/1.10",
        "HTTP/+1.1",
        "HTTPS/1.1",
        "XTTP/1.1",
        "HTTP/9.9",
        "HTTP/1.1\t",
        "HTTP 1.1",
        "",
    ];
    let aim = make.aim();
    let path = open_path(aim);
    let head = format!("host: gateway.test\r\n{TICKET}: {}\r\n", make.ticket(0));
    let request = |line: String, more: &str| format!("{line}\r\n{head}{more}\r\n").into_bytes();
    let (name, method, bytes): (String, &'static str, Vec<u8>) = match make.random.below(7) {
        0 | 1 => {
            let method = make.one(&METHODS);
            let target = if make.random.below(3) == 0 {
                make.one(&["*", "gateway.test:443", "http://gateway.test/k/proxy/x"])
            } else {
                path
            };
            (format!("{method} {target}"), method, request(format!("{method} {target} HTTP/1.1"), ""))
        }
        2 => {
            let version = make.one(&VERSIONS);
            (format!("version {version:?}"), "GET", request(format!("GET {path} {version}"), ""))
        }
        3 => {
            let expectation = make.one(&[
                "100-continue",
                "100-Continue",
                "100-continue, 100-continue",
                "200-ok",
                "",
                "\u{ff}",
                "100-continue\r\nexpect: x",
            ]);
            let path = make.one(&["/k/proxy/x", "/k/mock", "/k/http/7", "/k/function", "/w/proxy/x"]);
            let bytes = [
                request(
                    format!("POST {path} HTTP/1.1"),
                    &format!("expect: {expectation}\r\ncontent-length: 2\r\ncontent-type: application/json\r\n"),
                ),
                b"{}".to_vec(),
            ]
            .concat();
            let mut shot = make.one_request(format!("POST {path} expects {expectation:?}"), Aim::Kinds, "POST", bytes, ODD);
            shot.is_ragged = true;
            return shot;
        }
        4 => {
            let protocol = make.one(&[
                "websocket",
                "h2c",
                "HTTP/2.0",
                "TLS/1.0",
                "x, y",
                "",
                "websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13",
                "h2c\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA",
            ]);
            let connection = make.one(&[
                "Upgrade",
                "upgrade, HTTP2-Settings",
                "close, upgrade",
                "keep-alive",
                "x-attack-answer",
                "host",
                "content-length, authorization",
            ]);
            (
                format!("upgrade to {protocol:?}, connection {connection:?}"),
                "GET",
                request(format!("GET {path} HTTP/1.1"), &format!("upgrade: {protocol}\r\nconnection: {connection}\r\n")),
            )
        }
        5 => {
            let length = make.between(1, 600);
            let mut bytes = make.bytes(length);
            let start = make.one::<&[u8]>(&[
                b"",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r",
                b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
                b"SSH-2.0-x\r\n",
                b"\r\n\r\n\r\n",
                b"GET /k/proxy/smuggled\r\n",
                b"\0\0\0\0",
                b"HTTP/1.1 200 OK\r\n\r\n",
                b"*1\r\n$4\r\nPING\r\n",
            ]);
            bytes.splice(..0, start.iter().copied());
            (format!("{} bytes of something else: {:?}", bytes.len(), String::from_utf8_lossy(start)), "GET", bytes)
        }
        _ => {
            let ends = make.one(&["\n", "\r", "\r\r\n", "\r\n\r", " \r\n", "\r\n\0"]);
            (
                format!("lines that end in {ends:?}"),
                "GET",
                request(format!("GET {path} HTTP/1.1"), "x: y\r\n")
                    .iter()
                    .flat_map(|byte| {
                        if *byte == b'\n' {
                            ends.as_bytes().to_vec()
                        } else if *byte == b'\r' {
                            Vec::new()
                        } else {
                            vec![*byte]
                        }
                    })
                    .collect(),
            )
        }
    };
    let mut shot = make.one_request(name, aim, method, bytes, ODD);
    shot.steps.push(Step::Linger);
    shot.methods = vec![method, "GET"];
    shot.least = 0;
    shot.is_ragged = true;
    shot
}
