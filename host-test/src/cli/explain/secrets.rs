//! What must not end up in a ticket or a chat with the rest: tokens, keys and cookies are shown by their first characters.

use tollgate::http::Headers;

/// Headers whose values are secret.
const NAMES: [&str; 6] = ["authorization", "proxy-authorization", "x-api-key", "x-amz-security-token", "cookie", "set-cookie"];

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
    pub fn of(headers: &Headers) -> Self {
        let mut values = Vec::new();
        for (name, value) in headers.iter().filter(|(name, _)| is_secret(name)) {
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
            Some((name, value)) if is_secret(name) => format!("{name}: {}", hide(name, value)),
            _ => self.anywhere(line.to_owned()),
        };
        text.split('\n').map(line).collect::<Vec<_>>().join("\n")
    }

    fn anywhere(&self, text: String) -> String {
        self.values.iter().fold(text, |text, (secret, shown)| text.replace(secret, shown))
    }
}

fn is_secret(name: &str) -> bool {
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
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
        let secrets = Secrets::of(&headers);
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
}
