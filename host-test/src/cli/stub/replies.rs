//! The replies of a stub backend: how they are written, and which of them fits a request.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tollgate::problem::JsonPath;

use crate::cli::source::Source;

const KNOWN: [&str; 7] = ["method", "path", "status", "headers", "body", "delayMillis", "echo"];

/// In the order of the file.
#[derive(Debug, Default)]
pub struct Replies(Vec<(Pattern, Reply)>);

/// Which requests a reply is for.
#[derive(Debug)]
struct Pattern {
    method: Option<Method>,
    segments: Vec<Segment>,
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Text(String),
    One,
    Rest,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// 200 unless the file says otherwise.
    pub status: StatusCode,
    /// As written, and the content type of the body.
    pub headers: HeaderMap,
    /// Its text.
    pub body: String,
    /// How long it takes.
    pub delay: Duration,
    /// The request is the body.
    pub echo: bool,
}

/// A request, for the echo.
pub struct Asked<'a> {
    /// Method, target and fields.
    pub head: &'a Parts,
    /// All of it.
    pub body: &'a Bytes,
}

// === impl Replies ===

impl Replies {
    /// The first reply that fits.
    pub fn find(&self, method: &Method, path: &str) -> Option<&Reply> {
        self.0.iter().find(|(pattern, _)| pattern.fits(method, path)).map(|(_, reply)| reply)
    }
}

/// Reads the file; what is wrong with it is added to the findings of the source.
pub fn read(source: &mut Source) -> Replies {
    let root = JsonPath::root();
    let Some(document) = source.document() else { return Replies::default() };
    let Some(list) = document.get("replies").and_then(Value::as_array) else {
        source.report(&root, "no list of `replies`", Some("write `replies:` and below it one entry a reply"));
        return Replies::default();
    };
    let mut replies = Vec::new();
    for (index, entry) in list.iter().enumerate() {
        let place = root.key("replies").index(index);
        match read_reply(entry, &place, source) {
            Ok(reply) => replies.push(reply),
            Err((path, message)) => source.report(&path, &message, None),
        }
    }
    Replies(replies)
}

type Mistake = (JsonPath, String);

fn read_reply(entry: &Value, place: &JsonPath, source: &mut Source) -> Result<(Pattern, Reply), Mistake> {
    let Some(members) = entry.as_object() else { return Err((place.clone(), "a reply is an object".to_owned())) };
    for name in members.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
        source.report(&place.key(name), &format!("`{name}` is not known here"), Some(&format!("known: {}", KNOWN.join(", "))));
    }
    let pattern = Pattern { method: method(entry, place)?, segments: segments(entry, place)? };
    let status = match entry.get("status") {
        None => StatusCode::OK,
        Some(value) => value
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .and_then(|status| StatusCode::from_u16(status).ok())
            .filter(|status| !status.is_informational())
            .ok_or_else(|| (place.key("status"), format!("`{value}` is no final HTTP status")))?,
    };
    let delay = match entry.get("delayMillis") {
        None => 0,
        Some(value) => {
            value.as_u64().ok_or_else(|| (place.key("delayMillis"), format!("`{value}` is no number of milliseconds")))?
        }
    };
    let echo = match entry.get("echo") {
        None => false,
        Some(value) => value.as_bool().ok_or_else(|| (place.key("echo"), "`echo` is true or false".to_owned()))?,
    };
    let mut headers = headers(entry, place)?;
    let (body, is_json) = match entry.get("body") {
        None | Some(Value::Null) => (String::new(), echo),
        Some(Value::String(text)) => (text.clone(), echo),
        Some(value) => (value.to_string(), true),
    };
    if is_json && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok((pattern, Reply { status, headers, body, delay: Duration::from_millis(delay), echo }))
}

fn method(entry: &Value, place: &JsonPath) -> Result<Option<Method>, Mistake> {
    let Some(value) = entry.get("method") else { return Ok(None) };
    let method = value.as_str().and_then(|text| Method::from_bytes(text.to_ascii_uppercase().as_bytes()).ok());
    method.map(Some).ok_or_else(|| (place.key("method"), format!("`{value}` is no method")))
}

fn segments(entry: &Value, place: &JsonPath) -> Result<Vec<Segment>, Mistake> {
    let Some(path) = entry.get("path").and_then(Value::as_str).filter(|path| path.starts_with('/')) else {
        return Err((place.key("path"), "a reply has a `path` that starts with `/`".to_owned()));
    };
    let segments: Vec<Segment> = path.split('/').skip(1).map(Segment::read).collect();
    let last = segments.len() - 1;
    if segments.iter().position(|segment| *segment == Segment::Rest).is_some_and(|at| at != last) {
        return Err((place.key("path"), "`{name+}` takes all that follows, so it stands last".to_owned()));
    }
    Ok(segments)
}

fn headers(entry: &Value, place: &JsonPath) -> Result<HeaderMap, Mistake> {
    let mut headers = HeaderMap::new();
    let Some(value) = entry.get("headers") else { return Ok(headers) };
    let place = place.key("headers");
    let members = value.as_object().ok_or_else(|| (place.clone(), "`headers` is an object".to_owned()))?;
    for (name, value) in members {
        let place = place.key(name);
        let field = HeaderName::from_bytes(name.as_bytes()).map_err(|_| (place.clone(), format!("`{name}` is no header name")))?;
        // A list is a header that is sent more than once.
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let value = HeaderValue::from_str(&text).map_err(|_| (place.clone(), format!("`{text}` is no header value")))?;
            headers.append(&field, value);
        }
    }
    Ok(headers)
}

// === impl Pattern ===

impl Pattern {
    fn fits(&self, method: &Method, path: &str) -> bool {
        if self.method.as_ref().is_some_and(|own| own != method) {
            return false;
        }
        let mut parts = path.split('/').skip(1);
        for segment in &self.segments {
            match (segment, parts.next()) {
                (Segment::Rest, Some(_)) => return true,
                (Segment::Text(text), Some(part)) if text == part => {}
                (Segment::One, Some(part)) if !part.is_empty() => {}
                _ => return false,
            }
        }
        parts.next().is_none()
    }
}

// === impl Segment ===

impl Segment {
    fn read(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) if name.ends_with('+') => Self::Rest,
            Some(_) => Self::One,
            None => Self::Text(text.to_owned()),
        }
    }
}

// === impl Asked ===

impl Asked<'_> {
    /// Everything that arrived; bytes that are no text are shown in hexadecimal.
    pub fn to_json(&self) -> Value {
        let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let headers: Vec<_> =
            self.head.headers.iter().map(|(name, value)| json!([name.as_str(), text(value.as_bytes())])).collect();
        let target = self.head.uri.path_and_query().map_or("/", |target| target.as_str());
        json!({"method": self.head.method.as_str(), "target": target, "headers": headers, "body": text(self.body)})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::Folder;

    fn replies(text: &str) -> (Replies, Vec<String>) {
        let folder = Folder::new();
        let mut source = Source::load_plain(&folder.write("r.yaml", text)).unwrap();
        let replies = read(&mut source);
        (replies, source.findings().iter().map(|finding| finding.problem.to_string()).collect())
    }

    #[test]
    fn the_first_reply_that_fits_is_taken() {
        let (replies, problems) = replies(
            "replies:\n- {method: get, path: /pets/1, status: 201}\n- {path: '/pets/{id}', status: 202}\n- {path: '/{all+}', status: 203}\n",
        );
        assert!(problems.is_empty(), "{problems:?}");
        for (method, path, status) in [
            (Method::GET, "/pets/1", 201),
            (Method::POST, "/pets/1", 202),
            (Method::GET, "/pets/2", 202),
            (Method::GET, "/pets/", 203),
            (Method::GET, "/pets/2/x", 203),
            (Method::GET, "/", 203),
        ] {
            assert_eq!(replies.find(&method, path).unwrap().status.as_u16(), status, "{method} {path}");
        }
    }

    #[test]
    fn text_is_sent_as_it_is_and_all_else_as_json() {
        let (replies, problems) =
            replies("replies:\n- {path: /a, body: plain}\n- {path: /b, body: {x: [1]}, headers: {x-a: [1, two]}}\n");
        assert!(problems.is_empty(), "{problems:?}");
        let a = replies.find(&Method::GET, "/a").unwrap();
        assert_eq!((a.body.as_str(), a.headers.len()), ("plain", 0));
        let b = replies.find(&Method::GET, "/b").unwrap();
        assert_eq!((b.body.as_str(), &b.headers[CONTENT_TYPE]), ("{\"x\":[1]}", &HeaderValue::from_static("application/json")));
        assert_eq!(b.headers.get_all("x-a").iter().count(), 2);
    }

    #[test]
    fn every_mistake_is_told_with_its_path() {
        let (_, problems) = replies(
            "replies:\n- {path: a}\n- {path: /a, status: 99}\n- {path: '/{a+}/b'}\n- {path: /a, stauts: 1}\n- {path: /a, headers: {'a b': 1}}\n- {path: /, echo: 1}\n",
        );
        let paths: Vec<_> = problems.iter().map(|problem| problem.split(':').next().unwrap()).collect();
        assert_eq!(
            paths,
            [
                "$.replies[0].path",
                "$.replies[1].status",
                "$.replies[2].path",
                "$.replies[3].stauts",
                "$.replies[4].headers[\"a b\"]",
                "$.replies[5].echo"
            ]
        );
    }

    #[test]
    fn a_file_without_replies_is_told_so() {
        assert!(replies("reply: []\n").1[0].contains("no list of `replies`"));
    }
}
