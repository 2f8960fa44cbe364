//! What must not end up in a ticket or a chat with the rest: tokens, keys and cookies are shown by their first characters.

use tollgate::http::{RequestHead, is_field_name};

use crate::cli::functions::percent_decoded;

/// Headers whose values are secret.
const NAMES: [&str; 6] = ["authorization", "proxy-authorization", "x-api-key", "x-amz-security-token", "cookie", "set-cookie"];

/// By these, other headers and query parameters say that their values are: `x-auth-token`, `access_token`, `X-Amz-Signature`.
const WORDS: [&str; 8] = ["secret", "token", "password", "apikey", "api-key", "api_key", "credential", "signature"];

/// Up to this length a secret is shown by none of its characters.
const SHORT: usize = 8;

/// From this length on it is also looked for as a text in JSON.
const QUOTED: usize = 3;

/// How many characters of a longer one are shown.
const SHOWN: usize = 4;

/// What to hide; nothing by default.
#[derive(Debug, Default)]
pub struct Secrets {
    hides: bool,
    /// The secrets of the request, which may stand anywhere: in the event of a function, in a mapped header.
    values: Vec<(String, String)>,
}

// === impl Secrets ===

impl Secrets {
    /// The secrets of a request.
    pub fn of(head: &RequestHead) -> Self {
        let mut values = Vec::new();
        for (name, value) in
            query(&String::from_utf8_lossy(&head.path)).filter(|(name, value)| is_secret(name) && !value.is_empty())
        {
            values.push((format!("{name}={value}"), format!("{name}={}", short(value))));
            // Without its name it comes by as it was meant.
            let value = percent_decoded(value);
            if value.chars().count() > SHORT {
                let shown = short(&value);
                values.push((value, shown));
            }
        }
        for (name, value) in head.headers.iter().filter(|(name, _)| is_secret(name)) {
            let value = String::from_utf8_lossy(value).into_owned();
            for secret in parts(name, &value) {
                match secret.chars().count() {
                    0..QUOTED => {}
                    // Shorter ones are words of other texts, too, unless they are a whole value.
                    QUOTED..=SHORT => {
                        values.push((format!("\"{secret}\""), format!("\"{}\"", short(secret))));
                        values.push((format!("\"{value}\""), format!("\"{}\"", hide(name, &value))));
                    }
                    _ => values.push((secret.to_owned(), short(secret))),
                }
            }
        }
        Self { hides: true, values }
    }

    /// The value of a header.
    pub fn header(&self, name: &str, value: &str) -> String {
        if self.hides && is_secret(name) { hide(name, value) } else { self.anywhere(value.to_owned()) }
    }

    /// A text whose lines may be headers.
    pub fn text(&self, text: &str) -> String {
        if !self.hides {
            return text.to_owned();
        }
        let line = |line: &str| match line.split_once(": ") {
            Some((name, value)) if is_secret(name) && !is_response_type(name) => format!("{name}: {}", hide(name, value)),
            _ => self.anywhere(line.to_owned()),
        };
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    fn anywhere(&self, text: String) -> String {
        self.values.iter().fold(text, |text, (secret, shown)| text.replace(secret, shown))
    }
}

/// A target without the secrets of its query.
pub fn target(target: &str) -> String {
    let mut shown = target.to_owned();
    for (name, value) in query(target).filter(|(name, value)| is_secret(name) && !value.is_empty()) {
        shown = shown.replace(&format!("{name}={value}"), &format!("{name}={}", short(value)));
    }
    shown
}

/// Names and values as they stand in a target.
fn query(target: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|pair| pair.split_once('='))
}

/// Whether a name says that its value is a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // Those of CORS say what a page may send, and hold nothing of it.
    let says = is_field_name(&name) && !name.starts_with("access-control-");
    NAMES.contains(&name.as_str()) || (says && WORDS.iter().any(|word| name.contains(word)))
}

/// `EXPIRED_TOKEN: …` tells of a gateway response, and is no header.
fn is_response_type(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// What of a value is secret: not the scheme of a token, nor the name of a cookie.
fn parts<'a>(name: &str, value: &'a str) -> Vec<&'a str> {
    let of_cookie = |cookie: &'a str| cookie.split_once('=').map_or(cookie, |(_, value)| value).trim();
    match name.to_ascii_lowercase().as_str() {
        "cookie" => value.split(';').map(of_cookie).collect(),
        "set-cookie" => value.split(';').next().map(of_cookie).into_iter().collect(),
        "authorization" | "proxy-authorization" => vec![value.split_once(' ').map_or(value, |(_, token)| token.trim())],
        _ => vec![value],
    }
}

fn hide(name: &str, value: &str) -> String {
    let mut shown = String::new();
    let mut rest = value;
    for secret in parts(name, value).into_iter().filter(|secret| !secret.is_empty()) {
        if let Some((before, after)) = rest.split_once(secret) {
            shown.push_str(before);
            shown.push_str(&short(secret));
            rest = after;
        }
    }
    shown + rest
}

/// `eyJh…`
fn short(secret: &str) -> String {
    let shown = if secret.chars().count() > SHORT { SHOWN } else { 0 };
    secret.chars().take(shown).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_by_its_first_characters_wherever_it_stands() {
        let lines = [
            ("authorization", "Bearer eyJhbGciOiJIUzI1NiJ9"),
            ("x-api-key", "apikey1234567890"),
            ("cookie", "sid=0123456789; a=b"),
        ];
        let headers = lines.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
        let secrets = Secrets::of(&RequestHead { headers, ..RequestHead::default() });
        let text = "GET /\nAuthorization: Bearer eyJhbGciOiJIUzI1NiJ9\ncookie: sid=0123456789; a=b\n\n\
                    {\"token\":\"eyJhbGciOiJIUzI1NiJ9\",\"key\":\"apikey1234567890\",\"a\":\"b\"}";
        let shown =
            "GET /\nAuthorization: Bearer eyJh…\ncookie: sid=0123…; a=…\n\n{\"token\":\"eyJh…\",\"key\":\"apik…\",\"a\":\"b\"}";
        assert_eq!(secrets.text(text), shown);
        assert_eq!(secrets.header("x-api-key", "apikey1234567890"), "apik…");
        assert_eq!(secrets.header("x-api-key", "short"), "…");
        assert_eq!(secrets.header("set-cookie", "sid=0123456789; Path=/"), "sid=0123…; Path=/");
        assert_eq!(secrets.header("x-mapped", "k apikey1234567890"), "k apik…");
        assert_eq!(Secrets::default().text(text), text);
    }

    #[test]
    fn a_secret_of_the_query_is_none_of_the_log() {
        let path = "/a?access_token=eyJhbGciOiJI%2BUzI1NiJ9&page=2&X-Amz-Signature=0123456789abcdef&password=short&token=";
        let shown = "/a?access_token=eyJh…&page=2&X-Amz-Signature=0123…&password=…&token=";
        assert_eq!(target(path), shown);
        let secrets = Secrets::of(&RequestHead { path: path.as_bytes().to_vec(), ..RequestHead::default() });
        assert_eq!(
            secrets.text(&format!("GET {path}\nx-auth-token: another1234\nfor eyJhbGciOiJI+UzI1NiJ9")),
            format!("GET {shown}\nx-auth-token: anot…\nfor eyJh…")
        );
        assert_eq!(target("/token=1234567890"), "/token=1234567890");
        let failure = "MISSING_AUTHENTICATION_TOKEN: Missing Authentication Token";
        assert_eq!(secrets.text(failure), failure);
    }
}
