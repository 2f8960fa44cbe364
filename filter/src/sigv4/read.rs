//! What a request says of its signature, from the Authorization header or from the query (IAM user guide, "Authentication
//! methods"). Strict: what AWS's own signers never write is refused, so that nothing is left to interpretation.

use super::canonical::{self, decode, parameters, split_target, unhex};
use super::unauthentic::{Digest, SKEW, Unauthentic, echo};
use super::{ALGORITHM, Payload, Scope, Signed, time};
use crate::http::{Headers, RequestHead, is_field_name};

/// In the place of the body's hash.
pub(super) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// A week: the longest that a presigned URL can live.
const LONGEST: u64 = 604_800;
const MOST_SIGNED_HEADERS: usize = 100;
const LONGEST_KEY_ID: usize = 128;

/// Parameters of a presigned URL. The first four make it one; the first five must be there.
const PARAMETERS: [&str; 8] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
];
const MARKS: usize = 4;
const REQUIRED: usize = 5;

/// The same parts, wherever they stood.
struct Parts<'a> {
    algorithm: &'a str,
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
    date: &'a str,
    window: u64,
    session_token: Option<&'a [u8]>,
    payload: Option<&'a [u8]>,
    presigned: bool,
}

// === impl Signed ===

impl Signed {
    /// Reads what the request says of its signature; nothing for a request that is not signed at all.
    ///
    /// An Authorization header of any kind counts as a signature, and is an error if it is none: so AWS answers a bearer token with
    /// "Invalid key=value pair", and unknown routes with that, too.
    pub fn read(request: &RequestHead) -> Result<Option<Self>, Unauthentic> {
        let (_, query) = split_target(&request.path);
        let presigned = query_parts(query)?;
        let is_presigned = presigned.iter().take(MARKS).any(Option::is_some);
        match (single(&request.headers, "Authorization")?, is_presigned) {
            (None, false) => Ok(None),
            (None, true) => from_query(&presigned, &request.headers).map(Some),
            (Some(header), false) => from_header(header, &request.headers).map(Some),
            (Some(_), true) => Err(Unauthentic::BothHeaderAndQuery),
        }
    }
}

/// The value of a header that may be there once.
fn single<'a>(headers: &'a Headers, name: &'static str) -> Result<Option<&'a [u8]>, Unauthentic> {
    let mut values = headers.get_all(name);
    let value = values.next();
    if values.next().is_some() { Err(Unauthentic::Repeated(name)) } else { Ok(value) }
}

fn from_header(header: &[u8], headers: &Headers) -> Result<Signed, Unauthentic> {
    let digest = || Digest::of(header);
    let Ok(text) = std::str::from_utf8(header) else { return Err(Unauthentic::NotKeyValue(digest())) };
    let (algorithm, rest) = text.trim().split_once(' ').unwrap_or((text, ""));
    let known = ["Credential", "Signature", "SignedHeaders"];
    let mut found: [Option<&str>; 3] = [None; 3];
    let mut unknown = false;
    for pair in rest.split(',').filter(|_| !rest.is_empty()) {
        let Some((name, value)) = pair.trim().split_once('=') else { return Err(Unauthentic::NotKeyValue(digest())) };
        match known.iter().zip(&mut found).find(|(known, _)| **known == name) {
            Some((known, slot)) => {
                if slot.replace(value).is_some() {
                    return Err(Unauthentic::Repeated(known));
                }
            }
            None => unknown = true,
        }
    }
    let date = match single(headers, "X-Amz-Date")? {
        Some(date) => Some(date),
        None => single(headers, "Date")?,
    };
    let ([Some(credential), Some(signature), Some(signed_headers)], Some(date)) = (found, date) else {
        let missing = known.iter().zip(found).filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
        return Err(Unauthentic::Incomplete { missing, undated: date.is_none(), authorization: digest() });
    };
    if unknown {
        return Err(Unauthentic::UnknownParameter(digest()));
    }
    assemble(&Parts {
        algorithm,
        credential,
        signed_headers,
        signature,
        date: std::str::from_utf8(date).map_err(|_| Unauthentic::Date(echo(date)))?,
        window: SKEW,
        session_token: single(headers, "X-Amz-Security-Token")?,
        payload: single(headers, "X-Amz-Content-Sha256")?,
        presigned: false,
    })
}

/// The decoded values of [`PARAMETERS`], in their order.
fn query_parts(query: &[u8]) -> Result<[Option<Vec<u8>>; 8], Unauthentic> {
    let mut found: [Option<Vec<u8>>; 8] = Default::default();
    for (name, value) in parameters(query) {
        let name = decode(name);
        if let Some((known, slot)) = PARAMETERS.iter().zip(&mut found).find(|(known, _)| known.as_bytes() == name) {
            if slot.replace(decode(value)).is_some() {
                return Err(Unauthentic::Repeated(known));
            }
        }
    }
    Ok(found)
}

fn from_query(found: &[Option<Vec<u8>>; 8], headers: &Headers) -> Result<Signed, Unauthentic> {
    let [Some(algorithm), Some(credential), Some(signed_headers), Some(signature), Some(date), expires, token, payload] = found
    else {
        let required = PARAMETERS.iter().zip(found).take(REQUIRED);
        return Err(Unauthentic::IncompleteQuery(required.filter(|(_, v)| v.is_none()).map(|(name, _)| *name).collect()));
    };
    let window = match expires {
        Some(text) => seconds(text).ok_or_else(|| Unauthentic::Expires(echo(text)))?,
        // Some signers (Amplify) leave it out: assumed(sigv4-no-expires), it counts as long as a signed header.
        None => SKEW,
    };
    // A replacement character is in none of what these may be.
    let text = |bytes| String::from_utf8_lossy(bytes);
    assemble(&Parts {
        algorithm: &text(algorithm),
        credential: &text(credential),
        signed_headers: &text(signed_headers),
        signature: &text(signature),
        date: &text(date),
        window,
        session_token: either(token, headers, "X-Amz-Security-Token")?,
        payload: either(payload, headers, "X-Amz-Content-Sha256")?,
        presigned: true,
    })
}

/// The parameter, or the header of that name; never both.
fn either<'a>(parameter: &'a Option<Vec<u8>>, headers: &'a Headers, name: &'static str) -> Result<Option<&'a [u8]>, Unauthentic> {
    match (parameter, single(headers, name)?) {
        (Some(_), Some(_)) => Err(Unauthentic::Repeated(name)),
        (parameter, header) => Ok(parameter.as_deref().or(header)),
    }
}

fn seconds(text: &[u8]) -> Option<u64> {
    let digits = text.len() <= 6 && text.iter().all(u8::is_ascii_digit);
    let seconds = std::str::from_utf8(text).ok()?.parse().ok()?;
    (digits && (1..=LONGEST).contains(&seconds)).then_some(seconds)
}

fn assemble(parts: &Parts<'_>) -> Result<Signed, Unauthentic> {
    // The elliptic curves of SigV4A (`AWS4-ECDSA-P256-SHA256`) end here, too.
    if parts.algorithm != ALGORITHM {
        return Err(Unauthentic::Algorithm(echo(parts.algorithm.as_bytes())));
    }
    let (access_key_id, scope) = credential(parts.credential)?;
    let signed_at = time::parse(parts.date).ok_or_else(|| Unauthentic::Date(echo(parts.date.as_bytes())))?;
    Ok(Signed {
        access_key_id,
        scope,
        date: parts.date.to_owned(),
        signed_at,
        window: parts.window,
        signed_headers: signed_headers(parts.signed_headers)?,
        signature: unhex(parts.signature).ok_or(Unauthentic::NotHexadecimal)?,
        session_token: parts.session_token.map(<[u8]>::to_vec),
        payload: payload(parts.payload)?,
        presigned: parts.presigned,
    })
}

fn credential(text: &str) -> Result<(String, Scope), Unauthentic> {
    let unreadable = || Unauthentic::Credential(echo(text.as_bytes()));
    let mut elements = text.split('/');
    let mut element = || elements.next().ok_or_else(unreadable);
    let (id, date, region, service, terminator) = (element()?, element()?, element()?, element()?, element()?);
    let is_id = (1..=LONGEST_KEY_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_id || elements.next().is_some() {
        return Err(unreadable());
    }
    if terminator != "aws4_request" {
        // assumed(sigv4-scope-texts): the words of the user guide, with the ending that the others have.
        let found = echo(terminator.as_bytes());
        let message = format!("Credential should be scoped with a valid terminator: 'aws4_request', not '{found}'. ");
        return Err(Unauthentic::WrongScope(message));
    }
    Ok((id.to_owned(), Scope { date: date.to_owned(), region: region.to_owned(), service: service.to_owned() }))
}

fn signed_headers(list: &str) -> Result<Vec<String>, Unauthentic> {
    let names: Vec<&str> = list.split(';').take(MOST_SIGNED_HEADERS + 1).collect();
    let is_name =
        |name: &&str| (is_field_name(name) || **name == *":authority") && !name.bytes().any(|byte| byte.is_ascii_uppercase());
    let ascending = names.iter().zip(names.iter().skip(1)).all(|(one, next)| one < next);
    // An empty list is one that lacks the host.
    if list.is_empty() {
        return Err(Unauthentic::UnsignedHost);
    }
    if names.len() > MOST_SIGNED_HEADERS || !names.iter().all(is_name) || !ascending {
        return Err(Unauthentic::SignedHeaders(echo(list.as_bytes())));
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

fn payload(declared: Option<&[u8]>) -> Result<Payload, Unauthentic> {
    let Some(declared) = declared else { return Ok(Payload::Undeclared) };
    if declared == UNSIGNED_PAYLOAD.as_bytes() {
        return Ok(Payload::Unsigned);
    }
    let hash = std::str::from_utf8(declared).ok().and_then(canonical::unhex);
    hash.map(Payload::Hash).ok_or_else(|| Unauthentic::Payload(echo(declared)))
}
