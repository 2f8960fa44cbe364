//! What came of a request: the answer, and what the backends got. Observations of two drivers are compared whole, after the few
//! values are masked that no two runs share, and the few lines dropped that belong to a connection and not to a message.

use std::fmt::Write as _;
use std::sync::LazyLock;

use fancy_regex::Regex;

/// An answer and the upstream requests behind it. Names are lower case and sorted, values one character a byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// The status code.
    pub status: u16,
    /// The header lines.
    pub headers: Vec<Line>,
    /// The body.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: Vec<Line>,
    /// What the backends got, in the order in which it came.
    pub upstream: Vec<UpstreamRequest>,
    /// The line that its stage asks for.
    pub access_log: Option<String>,
    /// The lines that its method asks for, without the request's id; none where the driver does not see them.
    pub execution_log: Option<Vec<String>>,
}

/// A request as a backend got it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpstreamRequest {
    /// The cluster that the route picked.
    pub cluster: String,
    /// The method.
    pub method: String,
    /// The request target.
    pub path: String,
    /// The Host header.
    pub host: String,
    /// The other header lines.
    pub headers: Vec<Line>,
    /// The body.
    pub body: Vec<u8>,
    /// The trailers.
    pub trailers: Vec<Line>,
}

/// A header line: name and value.
pub type Line = (String, String);

/// Sorts lines by name, keeping the order of repeated ones.
pub fn sorted(lines: impl IntoIterator<Item = Line>) -> Vec<Line> {
    let mut lines: Vec<Line> = lines.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    lines
}

/// The values of a header, joined as recipients may join them.
pub fn joined(lines: &[Line], name: &str) -> Option<String> {
    let values: Vec<&str> = lines.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// Lines that frame a message on one connection.
const FRAMING: [&str; 4] = ["connection", "keep-alive", "transfer-encoding", "content-length"];

/// Values that differ between any two runs: (pattern, what stands for them).
static VOLATILE: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
        (r"1-[0-9a-f]{8}-[0-9a-f]{24}", "<trace>"),
        (r"(?<=Parent=)[0-9a-f]{16}", "<parent>"),
        (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (\w{3}) \d{4} \d\d:\d\d:\d\d GMT", "<date>"),
        (r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", "<time>"),
        (r"\b1[6-9]\d{11}\b", "<millis>"),
        (r"(?<=Signature=)[0-9a-f]{64}", "<signature>"),
        (r"(?<![A-Za-z0-9_+/-])[A-Za-z0-9_+/-]{15}=(?!=)", "<extended id>"),
        // Times of tokens, and their signatures where chance is part of them.
        (r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", "<token>"),
        (r"\b1[6-9]\d{8}\b", "<seconds>"),
        // What AWS signatures are made of, in headers, queries and what is said of them.
        (r"\b\d{8}T\d{6}Z\b", "<moment>"),
        (r"(?<=/|%2F)\d{8}(?=(/|%2F)[a-z0-9-]+(/|%2F)[a-z0-9-]+(/|%2F)aws4_request)", "<day>"),
        (r"(?<=')\d{8}(?=')", "<day>"),
        (r"(?<=\) Authorization=)[A-Za-z0-9+/]{43}=", "<digest>"),
        // Envoy names its own address where the peer is on loopback, so no two hosts agree on it: what functions are told.
        (r#"(?<="(X-Forwarded-For|x-forwarded-for)":)(\["[0-9., ]+"\]|"[0-9., ]+")"#, "<addresses>"),
    ]
    .map(|(pattern, name)| (Regex::new(pattern).expect("a constant pattern"), name))
    .into()
});

/// How long it took; all names of such variables end alike, and formats of case files write them before their values.
static LATENCY: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"([lL]atency"?[:=] ?"?|<\w*[lL]atency>)\d+"#).expect("a constant pattern"));

fn mask(text: &str) -> String {
    VOLATILE.iter().fold(text.to_owned(), |text, (pattern, name)| pattern.replace_all(&text, *name).into_owned())
}

fn mask_lines(lines: &[Line], keep: impl Fn(&str) -> bool) -> Vec<Line> {
    let kept = lines.iter().filter(|(name, _)| !FRAMING.contains(&name.as_str()) && keep(name));
    kept.map(|(name, value)| (name.clone(), mask(value))).collect()
}

fn mask_body(body: &[u8]) -> Vec<u8> {
    // Large bodies are payload, and hold no ids of ours; but for the beginning of a function's event.
    const LARGE: usize = 100_000;
    let Ok(text) = std::str::from_utf8(body) else { return body.to_vec() };
    let (head, rest) = text.split_at(if text.len() < LARGE { text.len() } else { text.floor_char_boundary(LARGE / 10) });
    (mask(head) + rest).into_bytes()
}

/// What the proxy in front of the backend says about itself and its client, and API Gateway's filter does not decide.
fn of_the_proxy(name: &str) -> bool {
    matches!(name, "x-forwarded-proto" | "x-request-id") || name.starts_with("x-envoy-")
}

// === impl Observation ===

impl Observation {
    /// The same, comparable with that of another driver.
    pub fn masked(&self) -> Self {
        Self {
            status: self.status,
            headers: mask_lines(&self.headers, |_| true),
            body: mask_body(&self.body),
            trailers: mask_lines(&self.trailers, |_| true),
            upstream: self.upstream.iter().map(UpstreamRequest::masked).collect(),
            access_log: self.access_log.as_deref().map(|line| mask(&LATENCY.replace_all(line, "${1}<ms>"))),
            execution_log: self.execution_log.as_deref().map(|lines| lines.iter().map(|line| mask(line)).collect()),
        }
    }

    /// How two observations differ, a line a difference; empty when they do not.
    pub fn diff(&self, name: &str, other: &Self, other_name: &str) -> String {
        let mut out = String::new();
        let names = (name, other_name);
        if self.status != other.status {
            tell(&mut out, "status", names, &self.status.to_string(), &other.status.to_string());
        }
        diff_lines(&mut out, "header", names, &self.headers, &other.headers);
        diff_bodies(&mut out, "body", names, &self.body, &other.body);
        diff_lines(&mut out, "trailer", names, &self.trailers, &other.trailers);
        if self.access_log != other.access_log {
            let shown = |line: &Option<String>| line.clone().unwrap_or_else(|| "(none)".to_owned());
            tell(&mut out, "access log", names, &shown(&self.access_log), &shown(&other.access_log));
        }
        if let (Some(a), Some(b)) = (&self.execution_log, &other.execution_log)
            && a != b
        {
            tell(&mut out, "execution log", names, &a.join("\n"), &b.join("\n"));
        }
        let counts = (self.upstream.len(), other.upstream.len());
        if counts.0 != counts.1 {
            tell(&mut out, "number of upstream requests", names, &counts.0.to_string(), &counts.1.to_string());
        }
        for (a, b) in self.upstream.iter().zip(&other.upstream) {
            for (what, a, b) in [
                ("upstream cluster", &a.cluster, &b.cluster),
                ("upstream method", &a.method, &b.method),
                ("upstream path", &a.path, &b.path),
                ("upstream host", &a.host, &b.host),
            ] {
                if a != b {
                    tell(&mut out, what, names, a, b);
                }
            }
            diff_lines(&mut out, "upstream header", names, &a.headers, &b.headers);
            diff_bodies(&mut out, "upstream body", names, &a.body, &b.body);
            diff_lines(&mut out, "upstream trailer", names, &a.trailers, &b.trailers);
        }
        out
    }
}

impl UpstreamRequest {
    fn masked(&self) -> Self {
        let mut masked = self.clone();
        masked.path = mask(&self.path);
        masked.headers = mask_lines(&self.headers, |name| !of_the_proxy(name));
        for (name, value) in &mut masked.headers {
            // Envoy names its own address where the peer is on loopback, so no two hosts agree on it.
            if name == "x-forwarded-for" {
                "<addresses>".clone_into(value);
            }
        }
        masked.body = mask_body(&self.body);
        masked.trailers = mask_lines(&self.trailers, |_| true);
        masked
    }
}

fn tell(out: &mut String, what: &str, names: (&str, &str), a: &str, b: &str) {
    let _ = writeln!(out, "{what}: {} {a:?}, {} {b:?}", names.0, names.1);
}

fn diff_lines(out: &mut String, what: &str, names: (&str, &str), a: &[Line], b: &[Line]) {
    let all: std::collections::BTreeSet<&str> = a.iter().chain(b).map(|(name, _)| name.as_str()).collect();
    for name in all {
        let of = |lines: &[Line]| -> Vec<String> { lines.iter().filter(|(n, _)| n == name).map(|(_, v)| v.clone()).collect() };
        if of(a) != of(b) {
            let show = |lines: &[Line]| joined(lines, name).unwrap_or_else(|| "(none)".to_owned());
            tell(out, &format!("{what} {name}"), names, &show(a), &show(b));
        }
    }
}

fn diff_bodies(out: &mut String, what: &str, names: (&str, &str), a: &[u8], b: &[u8]) {
    if a != b {
        tell(out, what, names, &shown(a), &shown(b));
    }
}

/// The lines of the execution log among all that was logged while one request went through.
pub fn execution_log<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    static LINE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^\([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\) (.*)$").expect("a constant pattern"));
    lines.filter_map(|line| Some(LINE.captures(line).ok()??.get(1)?.as_str().to_owned())).collect()
}

/// A body as a failure message shows it.
pub fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.char_indices().nth(300) {
        Some((cut, _)) => format!("{}… ({} bytes)", &text[..cut], body.len()),
        None => text.into_owned(),
    }
}
