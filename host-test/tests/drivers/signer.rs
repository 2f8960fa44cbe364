//! AWS Signature Version 4, the signing side: an implementation of its own, so that the verifier is not tested with itself. Written
//! from the IAM user guide, "Create a signed AWS API request"; AWS's own vectors are run on it.
//!
//! [`Signer`] signs, in the header or in the query. [`Sign`] is the directive of case files, which also says how a signed request
//! is tampered with.

use std::time::Duration;

use ring::{digest, hmac};
use serde::Deserialize;

use super::body::latin1;
use super::observation::Line;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A payload that is not signed.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Who signs what for whom, and when.
#[derive(Debug, Clone)]
pub struct Signer<'a> {
    /// Whose key.
    pub access_key_id: &'a str,
    /// The key.
    pub secret_access_key: &'a str,
    /// Of temporary credentials.
    pub session_token: Option<&'a str>,
    /// Of the credential scope.
    pub region: &'a str,
    /// Of the credential scope: `execute-api`.
    pub service: &'a str,
    /// Since 1970.
    pub at: Duration,
}

/// What of a request is signed. Texts are one character a byte.
#[derive(Debug, Clone)]
pub struct Parts<'a> {
    /// The method.
    pub method: &'a str,
    /// The request target as it is on the wire.
    pub target: &'a str,
    /// All header lines, `host` among them.
    pub headers: &'a [Line],
    /// SHA-256 of the body in hexadecimal, or what stands for it.
    pub payload: &'a str,
    /// Which headers are signed; none: all of them.
    pub signed_headers: Option<&'a [String]>,
}

/// `sign:` of a request in a case file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Sign {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    region: String,
    service: String,
    /// In the query, not in a header.
    presign: bool,
    /// How many seconds a presigned URL counts.
    expires: String,
    /// How far the signer's clock is from the driver's.
    offset_seconds: i64,
    /// `signed`, or what `x-amz-content-sha256` says.
    payload: String,
    signed_headers: Option<Vec<String>>,
    /// What somebody on the way does to the signed request.
    pub after: After,
}

/// Changes of a signed request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct After {
    /// Another method.
    pub method: Option<String>,
    /// Another path; the query stays.
    pub path: Option<String>,
    /// More at the end of the query.
    pub query: Option<String>,
    /// Lines in the place of those of the same name; null takes them away.
    pub headers: Vec<(String, Option<String>)>,
    /// More lines.
    pub add: Vec<Line>,
    /// Another body.
    pub body: Option<String>,
}

/// What a signature adds to a request.
#[derive(Debug)]
pub struct Signed {
    /// The request target.
    pub target: String,
    /// Header lines to be added.
    pub headers: Vec<Line>,
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

// === impl Signer ===

impl Signer<'_> {
    /// The lines that sign a request: its date, the session token, and `authorization`.
    pub fn sign(&self, parts: &Parts<'_>) -> Vec<Line> {
        let mut added = vec![line("x-amz-date", &self.date())];
        added.extend(self.session_token.map(|token| line("x-amz-security-token", token)));
        let headers: Vec<Line> = parts.headers.iter().chain(&added).cloned().collect();
        let own = added.iter().map(|(name, _)| name.as_str());
        let names = names(parts, &headers, own);
        let signature = self.signature(&canonical_request(&Parts { headers: &headers, ..parts.clone() }, &names));
        let scope = self.scope();
        let value = format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
            self.access_key_id,
            names.join(";")
        );
        added.push(("authorization".to_owned(), value));
        added
    }

    /// The target whose query signs the request, for that many seconds.
    pub fn presign(&self, parts: &Parts<'_>, expires: &str) -> String {
        let names = names(parts, parts.headers, std::iter::empty());
        let credential = format!("{}/{}", self.access_key_id, self.scope());
        let mut target = parts.target.to_owned();
        let mut add = |name: &str, value: &str| {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&format!("{name}={}", encoded(value.as_bytes())));
        };
        add("X-Amz-Algorithm", ALGORITHM);
        add("X-Amz-Credential", &credential);
        add("X-Amz-Date", &self.date());
        add("X-Amz-Expires", expires);
        add("X-Amz-SignedHeaders", &names.join(";"));
        if let Some(token) = self.session_token {
            add("X-Amz-Security-Token", token);
        }
        let signature = self.signature(&canonical_request(&Parts { target: &target, ..parts.clone() }, &names));
        format!("{target}&X-Amz-Signature={signature}")
    }

    /// `YYYYMMDDTHHMMSSZ`
    fn date(&self) -> String {
        let seconds = self.at.as_secs();
        // Days to a date of the Gregorian calendar: H. Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
        let days = seconds / 86_400 + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", &self.date()[..8], self.region, self.service)
    }

    fn signature(&self, canonical_request: &[u8]) -> String {
        let (date, scope) = (self.date(), self.scope());
        let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{}", sha256(canonical_request));
        let secret = format!("AWS4{}", self.secret_access_key).into_bytes();
        let key = scope.split('/').fold(secret, |key, part| mac(&key, part));
        hex(&mac(&key, &to_sign))
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

/// The signed headers, lower case, sorted, each once. What the signature itself adds is always among them.
fn names<'a>(parts: &Parts<'_>, headers: &[Line], own: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = match parts.signed_headers {
        Some(names) => names.iter().cloned().chain(own.map(str::to_owned)).collect(),
        None => headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect(),
    };
    names.sort();
    names.dedup();
    names
}

/// Step 1 of the guide.
fn canonical_request(parts: &Parts<'_>, names: &[String]) -> Vec<u8> {
    let (path, query) = parts.target.split_once('?').unwrap_or((parts.target, ""));
    let mut text = format!("{}\n{}\n{}\n", parts.method, canonical_path(path), canonical_query(query)).into_bytes();
    for name in names {
        let values = parts.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let values: Vec<String> = values.map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        text.extend(bytes(&format!("{name}:{}\n", values.join(","))));
    }
    text.extend(format!("\n{}\n{}", names.join(";"), parts.payload).into_bytes());
    text
}

/// Without dot segments and empty ones, and encoded once more than it is on the wire, as for every service but S3.
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let joined: String = segments.iter().map(|segment| format!("/{}", encoded(&bytes(segment)))).collect();
    let slash = if joined.is_empty() || path.ends_with('/') { "/" } else { "" };
    joined + slash
}

/// Decoded, encoded in the one way, and sorted.
fn canonical_query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut pairs: Vec<(String, String)> = pairs.map(|(name, value)| (encoded(&decoded(name)), encoded(&decoded(value)))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Percent-encoding of all but unreserved characters (RFC 3986, section 2.3).
fn encoded(text: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.iter().map(one).collect()
}

fn decoded(text: &str) -> Vec<u8> {
    let (text, mut out) = (bytes(text), Vec::new());
    let mut place = 0;
    while let Some(byte) = text.get(place) {
        let digits = text.get(place + 1..place + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                place += 3;
            }
            None => {
                out.push(*byte);
                place += 1;
            }
        }
    }
    out
}

fn bytes(text: &str) -> Vec<u8> {
    latin1(text).expect("checked when the file was read")
}

fn line(name: &str, value: &str) -> Line {
    (name.to_owned(), value.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

// === impl Sign ===

impl Sign {
    /// Signed by this user, and otherwise as usual.
    pub fn by(access_key_id: &str, secret_access_key: &str) -> Self {
        Self { access_key_id: access_key_id.to_owned(), secret_access_key: secret_access_key.to_owned(), ..Self::default() }
    }

    /// Signs a request, at this time since 1970. The headers have the host among them.
    pub fn sign(&self, method: &str, target: &str, headers: &[Line], body: &[u8], now: Duration) -> Signed {
        let seconds = now.as_secs().saturating_add_signed(self.offset_seconds);
        let signer = Signer {
            access_key_id: &self.access_key_id,
            secret_access_key: &self.secret_access_key,
            session_token: self.session_token.as_deref(),
            region: &self.region,
            service: &self.service,
            at: Duration::from_secs(seconds),
        };
        let (payload, said) = match self.payload.as_str() {
            "signed" => (sha256(body), None),
            said => (said.to_owned(), Some(line("x-amz-content-sha256", said))),
        };
        let all: Vec<Line> = headers.iter().cloned().chain(said.clone()).collect();
        let signed_headers = self.signed_headers.as_deref();
        let parts = Parts { method, target, headers: &all, payload: &payload, signed_headers };
        if self.presign {
            let target = signer.presign(&parts, &self.expires);
            return Signed { target, headers: said.into_iter().collect() };
        }
        let lines = signer.sign(&parts);
        Signed { target: target.to_owned(), headers: said.into_iter().chain(lines).collect() }
    }
}

impl Default for Sign {
    /// The user of AWS's documentation, who calls an API in us-east-1.
    fn default() -> Self {
        Self {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
            region: "us-east-1".to_owned(),
            service: "execute-api".to_owned(),
            presign: false,
            expires: "300".to_owned(),
            offset_seconds: 0,
            payload: "signed".to_owned(),
            signed_headers: None,
            after: After::default(),
        }
    }
}
