//! `--answer`: what a backend says that is not there.

use tollgate::http::{Response, ResponseHead, is_field_name};

use crate::cli::{Failure, given};

/// Reads `200`, `404 {"a": 1}`, or an answer as HTTP/1.1 writes it: status line, header lines, an empty line, the body.
pub fn read(text: &str) -> Result<Response, Failure> {
    let bytes = given::bytes(text)?;
    parse(&bytes).ok_or_else(|| {
        Failure::usage("`--answer` is no answer").help(
            "write a status (`200`), a status and a body (`404 {\"a\": 1}`), or `@` and a file with status, header lines, an empty \
             line and the body",
        )
    })
}

/// The answer itself, without a file that it may name.
pub fn parse(bytes: &[u8]) -> Option<Response> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (first, below) = match end {
        Some(end) => (bytes.get(..end)?, bytes.get(end + 1..)),
        None => (bytes, None),
    };
    let first = std::str::from_utf8(first).ok()?.trim();
    let is_status_line = first.starts_with("HTTP/");
    let words = if is_status_line { first.split_once(' ')?.1.trim_start() } else { first };
    let (status, rest) = words.split_at_checked(3)?;
    let status: u16 = status.parse().ok().filter(|status| (200..=599).contains(status))?;
    // `200x` is none.
    if !rest.is_empty() && !rest.starts_with(' ') {
        return None;
    }
    match below {
        // Only behind a version can words be the reason, which nobody needs.
        Some(below) if is_status_line || rest.trim().is_empty() => whole(status, below),
        _ => {
            let start = bytes.len() - bytes.trim_ascii_start().len();
            let body = if is_status_line { &[] } else { bytes.get(start + 3..)?.trim_ascii() };
            Some(short(status, body))
        }
    }
}

/// A body of its own says what it is.
fn short(status: u16, body: &[u8]) -> Response {
    let mut head = ResponseHead { status, ..ResponseHead::default() };
    if !body.is_empty() {
        let is_json = serde_json::from_slice::<serde_json::Value>(body).is_ok();
        head.headers.append("content-type", if is_json { "application/json" } else { "text/plain" });
    }
    complete(head, body)
}

fn whole(status: u16, mut rest: &[u8]) -> Option<Response> {
    let mut head = ResponseHead { status, ..ResponseHead::default() };
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = rest.get(..end)?.trim_ascii();
        rest = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = std::str::from_utf8(line.get(..colon)?).ok().filter(|name| is_field_name(name))?;
        head.headers.append(name.to_ascii_lowercase(), line.get(colon + 1..)?.trim_ascii());
    }
    Some(complete(head, rest))
}

/// What a server adds: the length, and no body where there can be none.
fn complete(mut head: ResponseHead, body: &[u8]) -> Response {
    // They are about bytes on a wire that there is not.
    head.headers.remove("transfer-encoding");
    if !head.forbids_body() {
        head.headers.set("content-length", body.len().to_string());
    }
    Response { head, body: body.to_vec() }.without_forbidden_body()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        parse(text.as_bytes()).map(|answer| answer.describe())
    }

    #[test]
    fn a_status_alone_or_with_a_body() {
        assert_eq!(shown("200").as_deref(), Some("200\ncontent-length: 0\n\n"));
        let json = "404\ncontent-type: application/json\ncontent-length: 7\n\n{\"a\":1}";
        assert_eq!(shown("404 {\"a\":1}").as_deref(), Some(json));
        assert_eq!(shown("500 oops").as_deref(), Some("500\ncontent-type: text/plain\ncontent-length: 4\n\noops"));
        assert_eq!(shown("204 x").as_deref(), Some("204\ncontent-type: text/plain\n\n"));
        let lines = "200\ncontent-type: application/json\ncontent-length: 8\n\n{\n\"a\":1}";
        assert_eq!(shown("200 {\n\"a\":1}\n").as_deref(), Some(lines));
    }

    #[test]
    fn a_whole_answer_as_http_writes_it_and_as_explain_shows_it() {
        let same = "404\nx-a: 1\nx-a: 2\ncontent-length: 3\n\na\nb";
        assert_eq!(shown("HTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-a:2\r\n\r\na\nb").as_deref(), Some(same));
        assert_eq!(shown(same).as_deref(), Some(same));
        assert_eq!(shown("HTTP/1.1 302 Found").as_deref(), Some("302\ncontent-length: 0\n\n"));
        assert_eq!(shown("HTTP/2 200\n").as_deref(), Some("200\ncontent-length: 0\n\n"));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for text in ["", "ok", "20", "2000", "100", "600", "HTTP/1.1", "200\nno header\n\nx", "200\na b: c\n"] {
            assert_eq!(shown(text), None, "{text:?}");
        }
    }
}
