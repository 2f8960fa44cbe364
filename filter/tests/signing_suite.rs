//! AWS's signing test suite, with the header and with the query: every vector is accepted at its own clock with exactly its
//! canonical request and its string to sign, and no change of a single field is.
//!
//! The vectors are fed as parsed requests: some of them (dot segments, raw spaces and UTF-8 in the path, folded header lines) do not
//! come through the gateway's own reading of HTTP, which refuses them earlier.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test may panic; helpers beside the test count as code")]
#![expect(clippy::indexing_slicing, reason = "as above")]

mod beside;

use beside::beside;
use hmac_sha256::Hash;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tollgate::http::{CanonicalPath, METHODS, RequestHead};
use tollgate::sigv4::{Explained, Rules, Secret, Signed, Unauthentic};

/// 2015-08-30T12:36:00Z, the clock of all vectors, in milliseconds.
const CLOCK: u64 = 1_440_938_160_000;
const MINUTE: u64 = 60_000;
const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request and all that decides whether it is accepted.
#[derive(Clone)]
struct Case {
    request: RequestHead,
    body: Vec<u8>,
    secret: String,
    rules: Rules<'static>,
    now: u64,
}

struct Vector {
    name: String,
    presigned: bool,
    case: Case,
    folder: PathBuf,
}

// === impl Case ===

impl Case {
    fn judge(&self) -> Result<(), Unauthentic> {
        let signed = Signed::read(&self.request)?.ok_or(Unauthentic::Missing)?;
        // Whoever looks the secret up knows one key.
        if signed.access_key_id() != ACCESS_KEY_ID {
            return Err(Unauthentic::UnknownCredentials);
        }
        let secret = Secret::new(self.secret.clone()).unwrap();
        signed.verify(&self.request, Some(&Hash::hash(&self.body)), &secret, &self.rules, self.now)
    }

    fn with(&self, change: impl FnOnce(&mut Case)) -> Case {
        let mut case = self.clone();
        change(&mut case);
        case
    }

    fn replaced(&self, from: &str, to: &str) -> Case {
        self.with(|case| {
            case.request.path = swap(&case.request.path, from, to);
            case.request.headers =
                case.request.headers.iter().map(|(name, value)| (name.to_owned(), swap(value, from, to))).collect();
        })
    }
}

fn swap(text: &[u8], from: &str, to: &str) -> Vec<u8> {
    // Byte for byte to characters and back, because header values may be any bytes.
    let latin: String = text.iter().copied().map(char::from).collect();
    latin.replace(from, to).chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

// === impl Vector ===

impl Vector {
    fn read(folder: &Path, presigned: bool) -> Self {
        let context: Value = serde_json::from_slice(&fs::read(folder.join("context.json")).unwrap()).unwrap();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(context["timestamp"], "2015-08-30T12:36:00Z", "{name}");
        assert_eq!((&context["region"], &context["service"]), (&Value::from("us-east-1"), &Value::from("service")), "{name}");
        assert_eq!(context["credentials"]["access_key_id"], ACCESS_KEY_ID, "{name}");
        assert_eq!(context["credentials"]["secret_access_key"], SECRET, "{name}");
        let rules = Rules {
            region: "us-east-1",
            service: "service",
            normalize_path: context["normalize"].as_bool().unwrap(),
            unsigned_payload: false,
            token_after_signing: context["omit_session_token"].as_bool().unwrap_or(false),
        };
        let kind = if presigned { "query" } else { "header" };
        let (request, body) = parse(&fs::read(folder.join(format!("{kind}-signed-request.txt"))).unwrap());
        let case = Case { request, body, secret: SECRET.into(), rules, now: CLOCK };
        Self { name: format!("{name} ({kind})"), presigned, case, folder: folder.to_owned() }
    }

    fn all() -> Vec<Self> {
        let Some(suite) = beside("corpora/aws-signing-test-suite/v4") else { return Vec::new() };
        let folders = fs::read_dir(suite).unwrap();
        let mut folders: Vec<PathBuf> = folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
        folders.sort();
        folders.iter().flat_map(|folder| [false, true].map(|presigned| Self::read(folder, presigned))).collect()
    }

    fn expected(&self, file: &str) -> String {
        let kind = if self.presigned { "query" } else { "header" };
        fs::read_to_string(self.folder.join(format!("{kind}-{file}.txt"))).unwrap().trim_end().to_owned()
    }

    fn explained(&self) -> Explained {
        let signed = Signed::read(&self.case.request).unwrap().unwrap();
        signed.explain(&self.case.request, Some(&Hash::hash(&self.case.body)), &self.case.rules).unwrap()
    }

    /// Dot segments are taken out before signing, so that what stands before them may change freely.
    fn has_dot_segments(&self) -> bool {
        path_of(&self.case).split(|byte| *byte == b'/').any(|segment| matches!(segment, b"." | b".."))
    }
}

fn path_of(case: &Case) -> &[u8] {
    case.request.path.split(|byte| *byte == b'?').next().unwrap()
}

/// Reads a request as the suite writes them: lines end with a line feed, and a line that begins with a space goes on with the one
/// before it (a folded line: kept as it is, for the verifier to fold).
fn parse(text: &[u8]) -> (RequestHead, Vec<u8>) {
    let end = text.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((text, [].as_slice()), |end| (&text[..end], &text[end + 2..]));
    let mut lines = std::str::from_utf8(head).unwrap().trim_end().split('\n');
    let (start, version) = lines.next().unwrap().rsplit_once(' ').unwrap();
    assert_eq!(version, "HTTP/1.1");
    let (method, target) = start.split_once(' ').unwrap();
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    for line in lines {
        match line.split_once(':').filter(|_| !line.starts_with(' ')) {
            Some((name, value)) => fields.push((name.to_owned(), value.as_bytes().to_vec())),
            None => fields.last_mut().unwrap().1.extend_from_slice(format!("\n{line}").as_bytes()),
        }
    }
    let host = fields.iter().position(|(name, _)| name == "Host").unwrap();
    let authority = fields.remove(host).1;
    let request = RequestHead {
        method: method.into(),
        path: target.as_bytes().to_vec(),
        authority,
        scheme: "https".into(),
        headers: fields.into_iter().collect(),
    };
    (request, body.to_vec())
}

#[test]
fn every_vector_is_accepted_with_its_own_canonical_form() {
    let vectors = Vector::all();
    if vectors.is_empty() {
        return;
    }
    let mut beyond_http = 0;
    for vector in &vectors {
        let explained = vector.explained();
        assert_eq!(
            String::from_utf8(explained.canonical_request).unwrap(),
            vector.expected("canonical-request"),
            "{}",
            vector.name
        );
        assert_eq!(explained.string_to_sign, vector.expected("string-to-sign"), "{}", vector.name);
        let carried = if vector.presigned {
            vector.case.request.path.clone()
        } else {
            vector.case.request.headers.get("authorization").unwrap().to_vec()
        };
        assert!(carried.ends_with(vector.expected("signature").as_bytes()), "{}", vector.name);
        assert_eq!(vector.case.judge(), Ok(()), "{}", vector.name);
        let folded = vector.case.request.headers.iter().any(|(_, value)| value.contains(&b'\n'));
        beyond_http += usize::from(folded || CanonicalPath::parse(&vector.case.request.path).is_err());
    }
    println!(
        "{} vectors accepted, {beyond_http} of them in a form that the gateway refuses before it looks at a signature",
        vectors.len()
    );
    assert_eq!(vectors.len(), 76);
}

#[test]
fn for_api_gateway_no_vector_counts() {
    // They are signed for a service called `service`; and the token that is added after signing is none of ours.
    for vector in Vector::all() {
        let judged = vector.case.with(|case| case.rules = Rules::execute_api("us-east-1")).judge();
        assert!(matches!(judged, Err(Unauthentic::WrongScope(_))), "{}", vector.name);
        let judged = vector.case.with(|case| case.rules.token_after_signing = false).judge();
        assert_eq!(judged.is_ok(), !vector.name.starts_with("post-sts-header-after"), "{}", vector.name);
    }
}

/// The changed cases, each with the kind of its change.
struct Changes {
    random: u64,
    made: Vec<(&'static str, String, Case)>,
}

// === impl Changes ===

impl Changes {
    fn add(&mut self, kind: &'static str, what: impl Into<String>, case: Case) {
        self.made.push((kind, what.into(), case));
    }

    fn below(&mut self, bound: usize) -> usize {
        // xorshift64*, from a fixed seed.
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        usize::try_from(self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % bound
    }

    /// A letter or digit that is another one than the byte, whatever its case.
    fn other(&mut self, byte: u8) -> u8 {
        let choices: Vec<u8> = (b'a'..=b'z').chain(b'0'..=b'9').filter(|choice| *choice != byte.to_ascii_lowercase()).collect();
        let chosen = choices[self.below(choices.len())];
        if self.below(2) == 0 { chosen } else { chosen.to_ascii_uppercase() }
    }

    /// One text for each of its bytes replaced, each place where a letter can be put in, and each letter in the other case.
    fn of(&mut self, text: &[u8]) -> Vec<Vec<u8>> {
        let mut texts = Vec::new();
        for (place, &byte) in text.iter().enumerate() {
            let mut replaced = text.to_vec();
            replaced[place] = self.other(byte);
            texts.push(replaced);
            let mut longer = text.to_vec();
            longer.insert(place, self.other(b'%'));
            texts.push(longer);
            let escaped = text[..place].iter().rev().take(2).any(|before| *before == b'%');
            if byte.is_ascii_alphabetic() && !escaped {
                let mut flipped = text.to_vec();
                flipped[place] ^= 0x20;
                texts.push(flipped);
            }
        }
        texts
    }
}

fn changes(vector: &Vector, seed: u64) -> Vec<(&'static str, String, Case)> {
    let mut changes = Changes { random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, made: Vec::new() };
    let case = &vector.case;
    // Added after signing, so it may be changed freely; it proves itself to whoever issued it.
    let free_token = case.rules.token_after_signing;

    for method in changes.of(case.request.method.as_bytes()) {
        changes.add("method", "letter", case.with(|case| case.request.method = String::from_utf8(method).unwrap()));
    }
    for method in METHODS.iter().filter(|method| **method != case.request.method) {
        changes.add("method", *method, case.with(|case| case.request.method = (*method).to_owned()));
    }

    target(vector, &mut changes, free_token);
    headers(vector, &mut changes, free_token);

    for authority in changes.of(&case.request.authority) {
        changes.add("host", "letter", case.with(|case| case.request.authority = authority));
    }
    changes.add("host", "empty", case.with(|case| case.request.authority.clear()));
    changes.add("host", "a second one", case.with(|case| case.request.headers.append("Host", "example.amazonaws.com")));

    for body in changes.of(&case.body) {
        changes.add("body", "byte", case.with(|case| case.body = body));
    }
    changes.add("body", "longer", case.with(|case| case.body.push(b'\n')));
    for secret in changes.of(SECRET.as_bytes()) {
        changes.add("secret", "letter", case.with(|case| case.secret = String::from_utf8(secret).unwrap()));
    }

    let lifetime = if vector.presigned { 60 * MINUTE } else { 5 * MINUTE };
    changes.add("clock", "late", case.with(|case| case.now = CLOCK + lifetime + MINUTE));
    changes.add("clock", "a second late", case.with(|case| case.now = CLOCK + lifetime + 1000));
    changes.add("clock", "early", case.with(|case| case.now = CLOCK - 6 * MINUTE));
    changes.add("clock", "none", case.with(|case| case.now = 0));

    changes.add("expected scope", "region", case.with(|case| case.rules.region = "us-east-2"));
    changes.add("expected scope", "service", case.with(|case| case.rules.service = "execute-api"));
    for (kind, from, others) in [
        ("scope: date", "20150830/", ["20150829/", "20150831/", "2015083/", "/", "20150830/20150830/"]),
        ("scope: date", "20150830%2F", ["20150829%2F", "20150831%2F", "2015083%2F", "%2F", "20150830%2F20150830%2F"]),
        ("scope: region", "us-east-1", ["us-east-2", "US-EAST-1", "", "*", "us-east-1 "]),
        ("scope: service", "service/", ["execute-api/", "Service/", "/", "s3/", "service/service/"]),
        ("scope: service", "service%2F", ["execute-api%2F", "Service%2F", "%2F", "s3%2F", "service%2Fservice%2F"]),
        ("scope: end", "aws4_request", ["aws5_request", "aws4_Request", "", "aws4_request/", "aws4_request%2F"]),
        ("algorithm", "AWS4-HMAC-SHA256", ["AWS4-ECDSA-P256-SHA256", "AWS4-HMAC-SHA512", "aws4-hmac-sha256", "", "none"]),
        ("date", "20150830T123600Z", ["20150830T123601Z", "20150830T123559Z", "20150830T1236Z", "20150831T123600Z", ""]),
    ] {
        for other in others {
            let changed = case.replaced(from, other);
            if changed.request != case.request {
                changes.add(kind, other, changed);
            }
        }
    }
    signature(vector, &mut changes);
    changes.made
}

fn signature(vector: &Vector, changes: &mut Changes) {
    let (case, right) = (&vector.case, vector.expected("signature"));
    for digits in changes.of(right.as_bytes()) {
        changes.add("signature", "digit", case.replaced(&right, &String::from_utf8(digits).unwrap()));
    }
    for place in 0..64 {
        let digit = if &right[place..=place] == "0" { "1" } else { "0" };
        changes.add(
            "signature",
            "hexadecimal digit",
            case.replaced(&right, &format!("{}{digit}{}", &right[..place], &right[place + 1..])),
        );
    }
    for other in ["", &"0".repeat(64), &right.to_uppercase(), &right[1..], &format!("{right}{right}")] {
        changes.add("signature", other, case.replaced(&right, other));
    }
}

/// The path, and each name and value of the query.
fn target(vector: &Vector, changes: &mut Changes, free_token: bool) {
    let case = &vector.case;
    let path = path_of(case).to_vec();
    let query = case.request.path.get(path.len() + 1..).map(<[u8]>::to_vec);
    let put = |path: &[u8], query: Option<&[u8]>| {
        let target = query.map_or(path.to_vec(), |query| [path, b"?", query].concat());
        case.with(|case| case.request.path = target)
    };
    if !vector.has_dot_segments() {
        for changed in changes.of(&path) {
            changes.add("path", String::from_utf8_lossy(&changed), put(&changed, query.as_deref()));
        }
    }
    for more in ["x", "/x", "%2F", "%20", "/..x"] {
        let changed = [&path, more.as_bytes()].concat();
        changes.add("path", more, put(&changed, query.as_deref()));
    }
    let query = query.unwrap_or_default();
    for more in ["x", "x=y", "%00", "X-Amz-Signature=0", "%58-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Expires=86400", "+"] {
        let more = if query.is_empty() { more.as_bytes().to_vec() } else { [&query, b"&".as_slice(), more.as_bytes()].concat() };
        changes.add("query: more", String::from_utf8_lossy(&more), put(&path, Some(&more)));
    }
    let pairs: Vec<&[u8]> = query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).collect();
    for (place, pair) in pairs.iter().enumerate() {
        if free_token && pair.starts_with(b"X-Amz-Security-Token=") {
            continue;
        }
        let name = String::from_utf8_lossy(pair).split('=').next().unwrap().to_owned();
        for changed in changes.of(pair) {
            let mut pairs = pairs.clone();
            pairs[place] = &changed;
            changes.add("query: name or value", name.clone(), put(&path, Some(&pairs.join(b"&".as_slice()))));
        }
        let mut fewer = pairs.clone();
        fewer.remove(place);
        changes.add("query: less", name.clone(), put(&path, Some(&fewer.join(b"&".as_slice()))));
        let mut twice = pairs.clone();
        twice.push(pair);
        changes.add("query: twice", name, put(&path, Some(&twice.join(b"&".as_slice()))));
    }
}

/// Each header: its name, its value, without it, and with it twice; the list of those that are signed.
fn headers(vector: &Vector, changes: &mut Changes, free_token: bool) {
    let case = &vector.case;
    let lines: Vec<(String, Vec<u8>)> = case.request.headers.clone().into_iter().collect();
    let put = |lines: &[(String, Vec<u8>)]| case.with(|case| case.request.headers = lines.iter().cloned().collect());
    for (place, (name, value)) in lines.iter().enumerate() {
        if free_token && name == "X-Amz-Security-Token" {
            continue;
        }
        for changed in changes.of(value) {
            let mut lines = lines.clone();
            lines[place].1 = changed;
            changes.add("header value", name.clone(), put(&lines));
        }
        for letter in 0..name.len() {
            let mut changed = name.clone().into_bytes();
            changed[letter] = changes.other(changed[letter]);
            let mut lines = lines.clone();
            lines[place].0 = String::from_utf8(changed).unwrap();
            changes.add("header name", name.clone(), put(&lines));
        }
        let mut fewer = lines.clone();
        fewer.remove(place);
        changes.add("header: less", name.clone(), put(&fewer));
        changes.add("header: twice", name.clone(), case.with(|case| case.request.headers.append(name.clone(), value.clone())));
    }
    for name in ["X-Amz-Meta", "x-amz-target", "X-AMZ-CONTENT-SHA256", "X-Amz-Expires"] {
        changes.add("unsigned x-amz header", name, case.with(|case| case.request.headers.append(name, "1")));
    }
    for value in ["Bearer x", "Basic eDp5", "", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE"] {
        changes.add("a second Authorization", value, case.with(|case| case.request.headers.append("Authorization", value)));
    }
    let signed = Signed::read(&case.request).unwrap().unwrap();
    let explained = signed.explain(&case.request, Some(&Hash::hash(&case.body)), &case.rules).unwrap().canonical_request;
    let list = String::from_utf8(explained).unwrap().lines().rev().nth(1).unwrap().to_owned();
    let names: Vec<&str> = list.split(';').collect();
    let separator = if vector.presigned { "%3B" } else { ";" };
    let written = format!("SignedHeaders={}", names.join(separator));
    let mut relist = |what: &str, names: Vec<&str>| {
        changes.add("signed headers", what, case.replaced(&written, &format!("SignedHeaders={}", names.join(separator))));
    };
    for place in 0..names.len() {
        relist("one less", [&names[..place], &names[place + 1..]].concat());
        relist("one twice", [&names[..=place], &names[place..]].concat());
    }
    relist("one that is not sent", [names.as_slice(), &["zzz"]].concat());
    relist("the authority", [&[":authority"], names.as_slice()].concat());
    if names.len() > 1 {
        relist("another order", names.iter().rev().copied().collect());
    }
}

#[test]
fn no_change_of_a_single_field_is_accepted() {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for (seed, vector) in Vector::all().iter().enumerate() {
        for (kind, what, case) in changes(vector, seed as u64 + 1) {
            let Err(reason) = case.judge() else {
                panic!("{}: {kind} ({what}) is accepted: {:?}", vector.name, case.request);
            };
            assert!(reason.message().len() < 1000, "{}", reason.message());
            *kinds.entry(kind).or_default() += 1;
            let reason = format!("{reason:?}");
            *reasons.entry(reason.split(['(', ' ', '{']).next().unwrap().to_owned()).or_default() += 1;
        }
    }
    let total: usize = kinds.values().sum();
    println!("{total} changes refused: {kinds:#?}\nwith {reasons:#?}");
    assert!(total >= 2000 || Vector::all().is_empty(), "only {total} changes");
}
