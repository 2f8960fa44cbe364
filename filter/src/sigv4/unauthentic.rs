//! Why a signature does not count, and what AWS says then. All texts stand in one table: [`Unauthentic::message`].
//!
//! The texts are those of REST APIs, as users quote them in public issues (aws/chalice #828, aws/aws-sdk-js #4097,
//! aws/aws-sdk-php #2469, aws/aws-sdk-go #1042, awslabs/time-addressable-media-store #8) and as the IAM user guide has them
//! under "Troubleshoot Signature Version 4 signing". Where AWS's text is not known, it has its own slug.

use super::time;
use jwt_simple::reexports::ct_codecs::{Base64, Encoder};

/// Why a request is not its signer's. `Debug` tells operators which rule it broke; [`Self::message`] is what the client hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unauthentic {
    /// Nothing says who calls.
    Missing,
    /// A part of the Authorization header is no `key=value`: a bearer token, most often.
    NotKeyValue(Digest),
    /// The Authorization header lacks parts, or the request a date.
    Incomplete {
        /// The parameters that it lacks.
        missing: Vec<&'static str>,
        /// Whether neither `X-Amz-Date` nor `Date` was sent.
        undated: bool,
        /// The header.
        authorization: Digest,
    },
    /// The query has a part of a signature, and lacks these.
    IncompleteQuery(Vec<&'static str>),
    /// The request is signed in its header and in its query.
    BothHeaderAndQuery,
    /// This was said twice, so two readers could take different values.
    Repeated(&'static str),
    /// A parameter of the Authorization header that nobody knows; two headers joined by a comma look like that.
    UnknownParameter(Digest),
    /// Signed with another algorithm.
    Algorithm(String),
    /// The credential is not `id/date/region/service/aws4_request`.
    Credential(String),
    /// The date is not `YYYYMMDDTHHMMSSZ`.
    Date(String),
    /// `X-Amz-Expires` is no number of seconds from 1 to a week.
    Expires(String),
    /// The list of signed headers is not lower case, sorted, without repetition, and at most a hundred names.
    SignedHeaders(String),
    /// The signature is not 64 lower-case hexadecimal digits.
    NotHexadecimal,
    /// The payload's hash is neither a SHA-256 in lower-case hexadecimal nor `UNSIGNED-PAYLOAD`: `STREAMING-…`, for one.
    Payload(String),
    /// Signed for another day, region or service; AWS's words for each.
    WrongScope(String),
    /// The host is not signed.
    UnsignedHost,
    /// A header that must be signed is not.
    UnsignedHeader(String),
    /// A signed header was not sent.
    NotSent(String),
    /// `UNSIGNED-PAYLOAD`, where the payload has to be signed.
    UnsignedPayload,
    /// The body is not the one whose hash was signed, or was not hashed by the caller.
    OtherBody,
    /// The signature is another one.
    SignatureMismatch,
    /// Too late.
    Expired {
        /// When it was signed, in seconds since 1970.
        signed_at: u64,
        /// When it came.
        now: u64,
        /// For how many seconds a signature counts.
        window: u64,
    },
    /// Signed in the future.
    NotYetCurrent {
        /// When it was signed, in seconds since 1970.
        signed_at: u64,
        /// When it came.
        now: u64,
    },
    /// Nobody has that access key id, or its session token is another one. Only who knows the keys can say so.
    UnknownCredentials,
    /// The session token was valid once. Only who knows the keys can say so.
    ExpiredToken,
}

/// The name that AWS has for a kind of failure: `x-amzn-ErrorType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorType {
    /// Gateway response MISSING_AUTHENTICATION_TOKEN.
    MissingAuthenticationToken,
    /// No gateway response of its own: DEFAULT_4XX (seen in access logs of DataBiosphere/azul #7470).
    IncompleteSignature,
    /// Gateway response INVALID_SIGNATURE.
    InvalidSignature,
    /// No gateway response of its own: DEFAULT_4XX.
    UnrecognizedClient,
    /// Gateway response EXPIRED_TOKEN.
    ExpiredToken,
}

/// SHA-256 of what was sent, in Base64: what AWS shows of an Authorization header today, since tokens landed in logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest(String);

/// How far the clocks may be apart, in seconds.
pub(super) const SKEW: u64 = 300;

/// How many characters of what was sent are said again.
const ECHO: usize = 128;

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
                        Key and signing method. Consult the service documentation for details.";

// === impl Unauthentic ===

impl Unauthentic {
    /// What the client is told, with status 403.
    pub fn message(&self) -> String {
        match self {
            Self::Missing => "Missing Authentication Token".to_owned(),
            // assumed(sigv4-digest-of-header): what is hashed is the whole value; issues quote only the words before it.
            Self::NotKeyValue(Digest(digest)) => format!(
                "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with \
                 Base64): '{digest}'."
            ),
            Self::Incomplete { missing, undated, authorization } => incomplete(missing, *undated, authorization),
            // assumed(sigv4-query-texts): nobody quotes what a REST API says of a damaged presigned URL.
            Self::IncompleteQuery(missing) => {
                missing.iter().map(|name| format!("AWS query-string parameters require '{name}'.")).collect::<Vec<_>>().join(" ")
            }
            // assumed(sigv4-both): the words are those of Amazon S3.
            Self::BothHeaderAndQuery => {
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query \
                                         string parameter or the Authorization header should be specified"
                    .to_owned()
            }
            // assumed(sigv4-repeated): AWS's words for a part that is sent twice, or that nobody knows, are not known.
            Self::Repeated(what) => format!("'{what}' must be specified once."),
            Self::UnknownParameter(Digest(digest)) => format!(
                "Authorization header has a parameter that is not known. (Hashed with SHA-256 and encoded with Base64) \
                 Authorization={digest}"
            ),
            // assumed(sigv4-algorithm-text): the words are those of other services.
            Self::Algorithm(name) => format!("Unsupported AWS 'algorithm': '{name}'."),
            Self::Credential(text) => format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{text}'"
            ),
            // assumed(sigv4-date-text): the words are those of other services.
            Self::Date(text) => {
                format!("Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601")
            }
            // assumed(sigv4-query-texts): as above.
            Self::Expires(text) => format!("X-Amz-Expires must be a number of seconds from 1 to 604800. Got '{text}'."),
            Self::WrongScope(message) => message.clone(),
            Self::UnsignedHost => "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned(),
            // assumed(sigv4-unsigned-x-amz): that the other headers are spoken of as the host is.
            Self::UnsignedHeader(name) => format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."),
            Self::Expired { signed_at, now, window } => format!(
                "Signature expired: {} is now earlier than {} ({} - {})",
                time::format(*signed_at),
                time::format(now.saturating_sub(*window)),
                time::format(*now),
                minutes(*window)
            ),
            Self::NotYetCurrent { signed_at, now } => format!(
                "Signature not yet current: {} is still later than {} ({} + {})",
                time::format(*signed_at),
                time::format(now.saturating_add(SKEW)),
                time::format(*now),
                minutes(SKEW)
            ),
            // AWS calculates another signature in all these cases, and says no more than that. It goes on with the canonical
            // request as it should have been; here operators get that (`Signed::explain`): assumed(sigv4-mismatch-short).
            Self::SignedHeaders(_)
            | Self::NotHexadecimal
            | Self::Payload(_)
            | Self::NotSent(_)
            | Self::UnsignedPayload
            | Self::OtherBody
            | Self::SignatureMismatch => MISMATCH.to_owned(),
            Self::UnknownCredentials => "The security token included in the request is invalid.".to_owned(),
            Self::ExpiredToken => "The security token included in the request is expired".to_owned(),
        }
    }

    /// What kind of failure it is.
    pub fn error_type(&self) -> ErrorType {
        match self {
            Self::Missing => ErrorType::MissingAuthenticationToken,
            Self::NotKeyValue(_)
            | Self::Incomplete { .. }
            | Self::IncompleteQuery(_)
            | Self::BothHeaderAndQuery
            | Self::Repeated(_)
            | Self::UnknownParameter(_)
            | Self::Algorithm(_)
            | Self::Credential(_)
            | Self::Date(_)
            | Self::Expires(_) => ErrorType::IncompleteSignature,
            Self::SignedHeaders(_)
            | Self::NotHexadecimal
            | Self::Payload(_)
            | Self::WrongScope(_)
            | Self::UnsignedHost
            | Self::UnsignedHeader(_)
            | Self::NotSent(_)
            | Self::UnsignedPayload
            | Self::OtherBody
            | Self::SignatureMismatch
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. } => ErrorType::InvalidSignature,
            Self::UnknownCredentials => ErrorType::UnrecognizedClient,
            Self::ExpiredToken => ErrorType::ExpiredToken,
        }
    }
}

fn incomplete(missing: &[&str], undated: bool, Digest(digest): &Digest) -> String {
    let mut text: String = missing.iter().map(|name| format!("Authorization header requires '{name}' parameter. ")).collect();
    if undated {
        text.push_str("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
    }
    // assumed(sigv4-digest-of-header): older issues quote the header itself here; today it is hashed as above.
    text + "(Hashed with SHA-256 and encoded with Base64) Authorization=" + digest
}

/// assumed(sigv4-expired-presigned): a presigned URL's own lifetime stands where the five minutes stand otherwise.
fn minutes(seconds: u64) -> String {
    if seconds % 60 == 0 { format!("{} min.", seconds / 60) } else { format!("{seconds} sec.") }
}

/// The beginning of what was sent, for a message.
pub(super) fn echo(text: &[u8]) -> String {
    // No character takes more than four bytes; what is cut within one shows as a replacement character, beyond the limit.
    let start = text.get(..ECHO * 4).unwrap_or(text);
    String::from_utf8_lossy(start).chars().take(ECHO).collect()
}

// === impl ErrorType ===

impl ErrorType {
    /// The value of `x-amzn-ErrorType`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::ExpiredToken => "ExpiredTokenException",
        }
    }
}

// === impl Digest ===

impl Digest {
    pub(super) fn of(text: &[u8]) -> Self {
        Self(Base64::encode_to_string(hmac_sha256::Hash::hash(text)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_apart_are_told_in_the_words_of_aws() {
        let (signed_at, now) = (time::parse("20240522T115159Z").unwrap(), time::parse("20240522T121019Z").unwrap());
        assert_eq!(
            Unauthentic::Expired { signed_at, now, window: SKEW }.message(),
            "Signature expired: 20240522T115159Z is now earlier than 20240522T120519Z (20240522T121019Z - 5 min.)"
        );
        assert_eq!(
            Unauthentic::NotYetCurrent { signed_at: now, now: signed_at }.message(),
            "Signature not yet current: 20240522T121019Z is still later than 20240522T115659Z (20240522T115159Z + 5 min.)"
        );
    }

    #[test]
    fn a_header_that_is_no_signature_is_not_repeated_in_the_answer() {
        assert_eq!(
            Unauthentic::NotKeyValue(Digest::of(b"")).message(),
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): \
             '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='."
        );
        let unsigned =
            Unauthentic::Incomplete { missing: vec!["Credential", "Signature"], undated: true, authorization: Digest::of(b"") };
        assert_eq!(
            unsigned.message(),
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
             Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded \
             with Base64) Authorization=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }

    #[test]
    fn what_is_repeated_in_the_answer_is_short() {
        assert_eq!(echo("\u{1f600}".repeat(1000).as_bytes()).chars().count(), ECHO);
        assert_eq!(echo(&[0xff; 9999]).chars().count(), ECHO);
    }
}
