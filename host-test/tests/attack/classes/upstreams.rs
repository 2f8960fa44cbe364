//! Upstreams that answer badly: what a client gets is an answer all the same, and one.

use super::super::shot::{Aim, Shot};
use super::super::upstream::ANSWER;
use super::super::wrong_answers::{AUTHORIZERS, BACKENDS, FUNCTIONS};
use super::Make;

/// What a backend says, or 5xx for what is none of HTTP.
const PASSED_ON: &[u16] = &[200, 204, 304, 400, 500, 502, 503, 504];

/// A refusal, or that the authorizer is no good.
const NOT_LET_IN: &[u16] = &[401, 403, 500];

/// A backend.
pub fn backend(make: &mut Make) -> Shot {
    let wish = make.one(&BACKENDS);
    let path = make.one(&["/k/proxy/x", "/k/http/7", "/w/proxy/x"]);
    let method = make.one(&["GET", "POST", "HEAD"]);
    let lines =
        if method == "POST" { vec![b"content-type: application/json".to_vec(), b"content-length: 2".to_vec()] } else { Vec::new() };
    answered(make, path, method, wish, lines, PASSED_ON)
}

/// A function.
pub fn function(make: &mut Make) -> Shot {
    let wish = make.one(&FUNCTIONS);
    let path = make.one(&["/k/function", "/w/function", "/k/custom"]);
    let method = if path == "/k/custom" { "POST" } else { make.one(&["GET", "POST", "HEAD"]) };
    let lines =
        if method == "POST" { vec![b"content-type: application/json".to_vec(), b"content-length: 2".to_vec()] } else { Vec::new() };
    answered(make, path, method, wish, lines, PASSED_ON)
}

fn answered(
    make: &mut Make,
    path: &str,
    method: &'static str,
    wish: &str,
    mut lines: Vec<Vec<u8>>,
    statuses: &'static [u16],
) -> Shot {
    let body: &[u8] = if lines.is_empty() { b"" } else { b"{}" };
    lines.push(format!("{ANSWER}: {wish}").into_bytes());
    let bytes = [make.head(method, path.as_bytes(), &lines), body.to_vec()].concat();
    let may_break = wish.starts_with("cut-") || wish.ends_with("-chunk") || wish == "huge-length" || wish == "bad-trailers";
    Shot { may_break, ..make.one_request(format!("{method} {path}, answered {wish}"), Aim::Kinds, method, bytes, statuses) }
}

/// An authorizer: nobody is let in.
pub fn authorizer(make: &mut Make) -> Shot {
    let word = make.one(&AUTHORIZERS);
    let (aim, path, name) = make.one(&[
        (Aim::Kinds, "/k/token/x", "x-token"),
        (Aim::Kinds, "/k/request/x", "x-user"),
        (Aim::Rest, "/prod/nested", "x-token"),
        (Aim::Rest, "/prod/files/a?tenant=a", "x-user"),
        (Aim::Http, "/files/a?tenant=a", "x-user"),
        (Aim::Http, "/admin/7", "x-user"),
    ]);
    let method = if path.starts_with("/prod/") || path.starts_with("/files") { "POST" } else { "GET" };
    let bytes = make.head(method, path.as_bytes(), &[format!("{name}: word-{word}").into_bytes()]);
    make.one_request(format!("{method} {path}, answered {word}"), aim, method, bytes, NOT_LET_IN)
}
