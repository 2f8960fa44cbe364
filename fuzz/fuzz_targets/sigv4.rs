//! AWS signatures: [`Signed::read`] and `verify`.
//!
//! The input is a request as the signing test suite writes them: a line of method and target, lines of headers, an empty line,
//! the body.
//!
//! Nobody knows the secret, so nothing verifies but what was signed with it. Then the request is signed here: it has to verify,
//! and requests that differ from it in one place must not, unless they mean the same.

#![no_main]

use hmac_sha256::{HMAC, Hash};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use tollgate::http::{CanonicalPath, RequestHead};
use tollgate::sigv4::{Explained, Rules, Secret, Signed, Unauthentic};
use tollgate_fuzz::Numbers;

/// 2015-08-30T12:36:00Z, the clock of the suite, in milliseconds.
const CLOCK: u64 = 1_440_938_160_000;

static SECRET: LazyLock<Secret> = LazyLock::new(|| Secret::new("the fuzzer's own secret").expect("it is not empty"));

/// What was signed with the secret: `fuzz/seeds` has the signatures.
const SIGNED: [&str; 2] = [
    "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n4f399b7aedef0e6a4f0352bbe2dc18ccec49d387f0eb6b1e1a4671c5b26a7fa5",
    "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n6a6dc83f21f585b80f221b08367d68fe680929fc8d819e2aa81277300337c656",
];

const API_GATEWAY: Rules<'_> =
    Rules { region: "us-east-1", service: "service", normalize_path: true, unsigned_payload: false, token_after_signing: false };
const OTHERS: Rules<'_> = Rules { normalize_path: false, unsigned_payload: true, token_after_signing: true, ..API_GATEWAY };

/// How many requests beside each one are tried: few are signed for the right scope at the right time.
const NEIGHBOURS: usize = 64;

#[derive(Debug, Clone, PartialEq)]
struct Sent {
    head: RequestHead,
    body: Vec<u8>,
}

// === impl Sent ===

impl Sent {
    fn read(data: &[u8]) -> Option<Self> {
        let end = data.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = end.map_or((data, [].as_slice()), |end| (&data[..end], &data[end + 2..]));
        let mut lines = head.split(|byte| *byte == b'\n');
        let start = lines.next()?.strip_suffix(b" HTTP/1.1")?;
        let space = start.iter().position(|byte| *byte == b' ')?;
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        for line in lines {
            match line.iter().position(|byte| *byte == b':').filter(|_| !line.starts_with(b" ")) {
                Some(colon) => fields.push((String::from_utf8_lossy(&line[..colon]).into_owned(), line[colon + 1..].to_vec())),
                None => fields.last_mut()?.1.extend([b"\n", line].concat()),
            }
        }
        let host = fields.iter().position(|(name, _)| name.eq_ignore_ascii_case("host"));
        let head = RequestHead {
            method: String::from_utf8_lossy(&start[..space]).into_owned(),
            path: start[space + 1..].to_vec(),
            authority: host.map(|host| fields.remove(host).1).unwrap_or_default(),
            scheme: "https".to_owned(),
            headers: fields.into_iter().collect(),
        };
        Some(Self { head, body: body.to_vec() })
    }

    fn judge(&self, rules: &Rules<'_>) -> Result<(), Unauthentic> {
        let signed = Signed::read(&self.head)?.ok_or(Unauthentic::Missing)?;
        signed.verify(&self.head, Some(&Hash::hash(&self.body)), &SECRET, rules, CLOCK)
    }

    fn explain(&self, rules: &Rules<'_>) -> Option<(Signed, Explained)> {
        let signed = Signed::read(&self.head).ok()??;
        let explained = signed.explain(&self.head, Some(&Hash::hash(&self.body)), rules).ok()?;
        Some((signed, explained))
    }

    /// With the right signature in the place of another one.
    fn signed(&self) -> Option<Self> {
        let (signed, explained) = self.explain(&API_GATEWAY)?;
        let right = HMAC::mac(explained.string_to_sign, SECRET.signing_key(signed.scope()));
        let right: String = right.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut sent = self.clone();
        if signed.is_presigned() {
            sent.head.path = put(&self.head.path, b"X-Amz-Signature=", right.as_bytes())?;
        } else {
            let header = put(self.head.headers.get("authorization")?, b"Signature=", right.as_bytes())?;
            sent.head.headers.set("authorization", header);
        }
        Some(sent)
    }

    /// Another request, one byte or one line away.
    fn neighbour(&self, numbers: &mut Numbers) -> Self {
        let mut sent = self.clone();
        match numbers.below(8) {
            0..=3 => sent.head.path = edit(&self.head.path, numbers),
            4 => sent.body = edit(&self.body, numbers),
            5 => sent.head.method = String::from_utf8_lossy(&edit(self.head.method.as_bytes(), numbers)).into_owned(),
            6 => sent.head.authority = edit(&self.head.authority, numbers),
            _ => {
                let mut fields: Vec<_> = self.head.headers.clone().into_iter().collect();
                let place = numbers.below(fields.len());
                if let Some((name, value)) = fields.get_mut(place) {
                    match numbers.below(3) {
                        0 => *name = String::from_utf8_lossy(&edit(name.as_bytes(), numbers)).into_owned(),
                        1 => *value = edit(value, numbers),
                        _ => drop(fields.remove(place)),
                    }
                }
                sent.head.headers = fields.into_iter().collect();
            }
        }
        sent
    }

    /// What the gateway and whoever stands behind it can tell of the request, and a signature covers: two requests alike in it
    /// are one.
    fn meaning(&self, signed: &Signed, explained: &Explained) -> Option<Meaning> {
        // What the gateway does not take has no meaning.
        let path = CanonicalPath::parse(&self.head.path).ok()?;
        let segments = path.path().split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
        let mut parameters: Vec<_> =
            path.query().unwrap_or_default().split(['&', ';']).filter(|pair| !pair.is_empty()).map(pair).collect();
        parameters.retain(|(name, _)| !signed.is_presigned() || name != b"X-Amz-Signature");
        // Of one name, AWS's own signers do not keep the order.
        parameters.sort();
        // The last line but one of what is signed names the headers.
        let text = String::from_utf8_lossy(&explained.canonical_request).into_owned();
        let names = text.rsplit('\n').nth(1).unwrap_or_default();
        let headers = names.split(';').map(|name| self.header(name)).collect();
        Some(Meaning {
            method: self.head.method.clone(),
            segments,
            ends_in_slash: path.path().ends_with('/'),
            parameters,
            headers,
            body: self.body.clone(),
            session_token: signed.session_token().map(words),
        })
    }

    fn header(&self, name: &str) -> (String, Vec<u8>) {
        let own = self.head.headers.get_all(name);
        let authority = matches!(name, "host" | ":authority").then_some(self.head.authority.as_slice());
        // Several lines of one name are one line with commas (RFC 9110, section 5.3).
        let line = authority.into_iter().filter(|value| !value.is_empty()).chain(own).map(words).collect::<Vec<_>>().join(&b',');
        (name.to_owned(), line)
    }
}

#[derive(Debug, PartialEq)]
struct Meaning {
    method: String,
    segments: Vec<String>,
    ends_in_slash: bool,
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    session_token: Option<Vec<u8>>,
}

/// The value of a header as it is signed: the blanks around it and more than one between its words do not count.
fn words(value: &[u8]) -> Vec<u8> {
    let is_space = |byte: &u8| b" \t\r\n".contains(byte);
    value.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(&b' ')
}

fn pair(text: &str) -> (Vec<u8>, Vec<u8>) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (decode(name.as_bytes()), decode(value.as_bytes()))
}

/// Percent-decoding, written a second time.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut place = 0;
    while place < text.len() {
        let digits = text.get(place + 1..place + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match (text[place], digits) {
            (b'+', _) => bytes.push(b' '),
            (b'%', Some(digits)) => {
                bytes.push(u8::from_str_radix(&String::from_utf8_lossy(digits), 16).expect("two digits"));
                place += 2;
            }
            (byte, _) => bytes.push(byte),
        }
        place += 1;
    }
    bytes
}

/// Puts digits behind a mark that is there once.
fn put(text: &[u8], mark: &[u8], digits: &[u8]) -> Option<Vec<u8>> {
    let mut places = text.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark).map(|(place, _)| place);
    let place = places.next()? + mark.len();
    let rest = text.get(place + digits.len()..)?;
    places.next().is_none().then(|| [&text[..place], digits, rest].concat())
}

/// One byte more, less, another, or spelled in another way; half of the time one that means something somewhere.
fn edit(text: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    const MARKS: &[u8] = b"%&;=+/.?#\\ \t\n,:20aA";
    let marks: Vec<usize> = (0..text.len()).filter(|place| MARKS.contains(&text[*place])).collect();
    let place =
        if numbers.below(2) == 0 { numbers.below(text.len()) } else { *marks.get(numbers.below(marks.len())).unwrap_or(&0) };
    let byte = if numbers.below(2) == 0 { MARKS[numbers.below(MARKS.len())] } else { numbers.below(256) as u8 };
    let (before, behind) = text.split_at(place);
    let (old, after) = behind.split_at(behind.len().min(1));
    let other = match numbers.below(5) {
        0 => [&[byte], old].concat(),
        1 => vec![byte],
        2 => Vec::new(),
        3 => old.iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
        // What stands here encoded, plainly.
        _ => {
            let encoded = behind.get(..3).map(decode).filter(|plain| plain.len() == 1);
            let plain = encoded.map(|plain| [before, &plain, &behind[3..]].concat());
            return plain.unwrap_or_else(|| text.to_vec());
        }
    };
    [before, &other, after].concat()
}

/// A signature that counts carries over to nothing else.
fn check_neighbours(sent: &Sent, numbers: &mut Numbers) {
    let Some((signed, explained)) = sent.explain(&API_GATEWAY) else { panic!("{sent:?} verified") };
    let Some(meaning) = sent.meaning(&signed, &explained) else { return };
    for _ in 0..NEIGHBOURS {
        let other = sent.neighbour(numbers);
        if other == *sent || other.judge(&API_GATEWAY).is_err() {
            continue;
        }
        let Some((signed, explained)) = other.explain(&API_GATEWAY) else { panic!("{other:?} verified") };
        if let Some(other_meaning) = other.meaning(&signed, &explained) {
            assert_eq!(meaning, other_meaning, "one signature for\n{sent:?} and\n{other:?}");
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(sent) = Sent::read(data) else { return };
    for rules in [API_GATEWAY, OTHERS] {
        let verdict = sent.judge(&rules);
        assert_eq!(verdict, sent.judge(&rules));
        match verdict {
            Ok(()) => {
                let (_, explained) = sent.explain(&rules).expect("it verified");
                assert!(SIGNED.contains(&explained.string_to_sign.as_str()), "nobody signed {sent:?}: {explained:?}");
            }
            Err(why) => {
                let message = why.message();
                assert!(message.len() < 1000, "{message:?}");
            }
        }
    }
    // Nothing but the signature is wrong: with the right one, nothing is.
    if sent.judge(&API_GATEWAY) == Err(Unauthentic::SignatureMismatch) {
        let Some(signed) = sent.signed() else { return };
        // A header that is part of what it signs cannot be right.
        let is_its_own = signed.explain(&API_GATEWAY).map(|(_, explained)| explained)
            != sent.explain(&API_GATEWAY).map(|(_, explained)| explained);
        if !is_its_own {
            assert_eq!(signed.judge(&API_GATEWAY), Ok(()), "{signed:?}");
            check_neighbours(&signed, &mut Numbers::of(data));
        }
    }
});
