//! What all pages have in common.

use std::sync::LazyLock;

use bytes::Bytes;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::{ROOT, Subject, guard};
use crate::cli::server::{Body, whole};

/// The one stylesheet.
const STYLE: &str = include_str!("style.css");

/// Nothing but this stylesheet and this form: no script, no picture, no frame.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = tollgate::base64::encode(&Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

/// The pages that every page leads to.
const PAGES: [(&str, &str); 4] = [("", "Resources"), ("/requests", "Requests"), ("/usage", "Usage"), ("/problems", "Problems")];

/// A page; `at`: which of [`PAGES`] it belongs to.
pub fn page(subject: &Subject, at: &str, title: &str, content: &Markup) -> Markup {
    let problems = subject.diagnostics.len();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (title) " · Tollgate" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header {
                  div.inner {
                    p.brand { a href=(ROOT) { "Tollgate" } " " span.file { (subject.file) } }
                    nav aria-label="Pages" {
                        ul {
                            @for (path, name) in PAGES {
                                li {
                                    a href=(format!("{ROOT}{path}")) aria-current=[(at == path).then_some("page")] {
                                        (name)
                                        @if path == "/problems" && problems > 0 { " " span.count { (problems) } }
                                    }
                                }
                            }
                        }
                    }
                  }
                }
                main #content tabindex="-1" {
                    (content)
                }
            }
        }
    }
}

/// As it is sent.
pub fn response(markup: &Markup) -> Response<Body> {
    let mut response = Response::new(whole(Bytes::from(markup.0.clone())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    guard::guarded(response, &POLICY)
}

/// A status by its class.
pub fn status(status: u16) -> Markup {
    html! { span class=(format!("status s{}", status / 100)) { (status) } }
}
