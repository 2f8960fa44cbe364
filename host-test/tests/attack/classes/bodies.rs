//! Bodies for models, mapping templates and events: bombs, and what is no JSON.

use super::super::shot::{Aim, Shot};
use super::Make;

/// A mapping template that takes too long is stopped, and that is a 500 (`worst_case.rs` counts how long).
const STATUSES: &[u16] = &[200, 400, 413, 415, 500];

/// One of them.
pub fn body(make: &mut Make) -> Shot {
    const TEXTS: [&str; 24] = [
        "",
        " ",
        "{",
        "}",
        "[",
        "{}",
        "[]",
        "null",
        "true",
        "\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "-",
        "1e999",
        "-0",
        "0.1e-400",
        "01",
        "{\"name\":1}",
        "{\"name\":\"a\",\"name\":\"b\"}",
        "{\"name\":\"ok\"} trailing",
        "{\"name\":\"$context.path #set($x=1)\"}",
        "{'name':'x'}",
        "{\"__proto__\":{\"name\":\"x\"}}",
        "\u{feff}{\"name\":\"x\"}",
    ];
    const TYPES: [&str; 16] = [
        "application/json",
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=utf-16",
        "APPLICATION/JSON",
        "application/json, text/plain",
        "text/plain",
        "application/octet-stream",
        "image/png",
        "application/xml",
        "multipart/form-data; boundary=x",
        "*/*",
        "",
        "/",
        "application/x-www-form-urlencoded",
        "\u{ff}",
    ];
    let size = make.between(1, 4_000);
    let large = if make.random.below(40) == 0 { 100 } else { 1 };
    let noise = make.bytes(size);
    let bytes: Vec<u8> = match make.random.below(14) {
        0 => format!("{}{}", "[".repeat(size * large), "]".repeat(size * large)).into(),
        1 => format!("{}1{}", "{\"more\":".repeat(size), "}".repeat(size)).into(),
        2 => format!("{{\"name\":\"{}!\"}}", "a".repeat(size)).into(),
        3 => format!("{{\"name\":\"x\",\"tags\":[{}\"z\"]}}", (0..size * large).map(|n| format!("\"{n}\",")).collect::<String>())
            .into(),
        4 => format!("{{{}\"name\":\"x\"}}", (0..size).map(|n| format!("\"k{n}\":{n},")).collect::<String>()).into(),
        5 => format!("{{\"name\":\"{}\"}}", "\\u00e9".repeat(size)).into(),
        6 => format!("{{\"items\":[{}{{}}]}}", "{\"name\":\"a\"},".repeat(size)).into(),
        7 => format!("[{}1]", "[{\"x\":1},".repeat(size.min(200)) + &"1],".repeat(size.min(200))).into(),
        8 => noise,
        9 => [b"{\"name\":\"".as_slice(), &noise, b"\"}"].concat(),
        10 => format!("{{\"name\":{}}}", "9".repeat(size)).into(),
        11 => " ".repeat(size * large).into(),
        _ => make.one(&TEXTS).into(),
    };
    let path = make.one(&[
        "/k/model?size=1",
        "/k/model?size=1",
        "/k/model",
        "/k/http/7",
        "/k/http/7",
        "/k/custom",
        "/k/custom",
        "/k/function",
        "/k/mock",
        "/w/function",
        "/w/proxy/x",
    ]);
    let kind = make.one(&TYPES);
    let coding = make.one(&["", "", "", "gzip", "identity", "deflate, gzip", "br"]);
    let mut lines = vec![kind.chars().fold(b"content-type: ".to_vec(), |mut line, c| {
        line.push(u8::try_from(u32::from(c)).unwrap_or(b'?'));
        line
    })];
    if !coding.is_empty() {
        lines.push(format!("content-encoding: {coding}").into_bytes());
    }
    lines.push(format!("content-length: {}", bytes.len()).into_bytes());
    let name = format!(
        "POST {path} {kind:?} {coding:?} {} bytes: {:?}",
        bytes.len(),
        String::from_utf8_lossy(&bytes[..bytes.len().min(60)])
    );
    let wire = [make.head("POST", path.as_bytes(), &lines), bytes].concat();
    make.one_request(name, Aim::Kinds, "POST", wire, STATUSES)
}
