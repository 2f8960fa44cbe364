//! Every rule on its own. Requests are signed here with what [`Signed::explain`] says; that it says the right thing is what
//! `tests/signing_suite.rs` proves against AWS's own vectors.

use super::*;
use hmac_sha256::Hash;

const NOW: u64 = 1_440_938_160;
const DATE: &str = "20150830T123600Z";
const SCOPE: &str = "AKID/20150830/eu-west-1/execute-api/aws4_request";

fn rules() -> Rules<'static> {
    Rules::execute_api("eu-west-1")
}

fn secret() -> Secret {
    Secret::new("hidden").unwrap()
}

fn request(target: &str, headers: &[(&str, &str)]) -> RequestHead {
    RequestHead {
        method: "POST".into(),
        path: target.as_bytes().to_vec(),
        authority: b"api.example.com".to_vec(),
        scheme: "https".into(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect(),
    }
}

fn signature(request: &RequestHead, body: &[u8], rules: &Rules<'_>) -> String {
    let signed = Signed::read(request).unwrap().unwrap();
    let explained = signed.explain(request, Some(&Hash::hash(body)), rules).unwrap();
    canonical::hex(&HMAC::mac(explained.string_to_sign, secret().signing_key(signed.scope())))
}

fn authorization(credential: &str, signed_headers: &str, signature: &str) -> String {
    format!("{ALGORITHM} Credential={credential}, SignedHeaders={signed_headers}, Signature={signature}")
}

/// Signs with the header.
fn with_header(mut request: RequestHead, credential: &str, signed_headers: &str, body: &[u8], rules: &Rules<'_>) -> RequestHead {
    request.headers.set("Authorization", authorization(credential, signed_headers, &"0".repeat(64)));
    let signature = signature(&request, body, rules);
    request.headers.set("Authorization", authorization(credential, signed_headers, &signature));
    request
}

/// Signs with the query.
fn with_query(mut request: RequestHead, more: &str, signed_headers: &str, body: &[u8], rules: &Rules<'_>) -> RequestHead {
    let credential = SCOPE.replace('/', "%2F");
    let query = format!(
        "X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={DATE}&X-Amz-SignedHeaders={signed_headers}{more}"
    );
    let separator = if request.path.contains(&b'?') { "&" } else { "?" };
    request.path.extend_from_slice(format!("{separator}{query}&X-Amz-Signature={}", "0".repeat(64)).as_bytes());
    let signature = signature(&request, body, rules);
    let start = request.path.len() - 64;
    request.path.truncate(start);
    request.path.extend_from_slice(signature.as_bytes());
    request
}

fn outcome(request: &RequestHead, body: &[u8], rules: &Rules<'_>, now: u64) -> Result<(), Unauthentic> {
    let signed = Signed::read(request)?.ok_or(Unauthentic::Missing)?;
    signed.verify(request, Some(&Hash::hash(body)), &secret(), rules, now * 1000 + 999)
}

fn dated(more: &[(&str, &str)]) -> RequestHead {
    let headers: Vec<_> = [("X-Amz-Date", DATE)].iter().chain(more).copied().collect();
    request("/prod/a%20b?x=1&x=0", &headers)
}

fn refused(request: &RequestHead) -> Unauthentic {
    outcome(request, b"", &rules(), NOW).unwrap_err()
}

/// Whatever the header says but for its shape.
fn with_authorization(value: &str) -> RequestHead {
    dated(&[("Authorization", value)])
}

#[test]
fn a_signed_request_is_accepted_and_says_who_signed_it() {
    let token = [("X-Amz-Security-Token", "a+b/c=="), ("Content-Type", "text/plain")];
    let request = with_header(dated(&token), SCOPE, "host;x-amz-date;x-amz-security-token", b"body", &rules());
    assert_eq!(outcome(&request, b"body", &rules(), NOW), Ok(()));
    let signed = Signed::read(&request).unwrap().unwrap();
    assert_eq!((signed.access_key_id(), signed.session_token()), ("AKID", Some(b"a+b/c==".as_slice())));
    assert_eq!((signed.scope().region.as_str(), signed.scope().service.as_str()), ("eu-west-1", "execute-api"));
    assert_eq!((signed.signed_at(), signed.is_presigned(), signed.needs_body()), (NOW * 1000, false, true));
    let shown = format!("{signed:?}");
    assert!(shown.contains("AKID") && !shown.contains("a+b/c==") && !shown.contains("signature"), "{shown}");
}

#[test]
fn a_presigned_request_is_accepted_and_says_who_signed_it() {
    let request = with_query(request("/prod?q=a+b", &[]), "&X-Amz-Expires=60&X-Amz-Security-Token=a%2Bb", "host", b"", &rules());
    assert_eq!(outcome(&request, b"", &rules(), NOW), Ok(()));
    let signed = Signed::read(&request).unwrap().unwrap();
    assert_eq!((signed.access_key_id(), signed.session_token()), ("AKID", Some(b"a+b".as_slice())));
    assert!(signed.is_presigned() && signed.needs_body());
    assert_eq!(outcome(&request, b"body", &rules(), NOW), Err(Unauthentic::SignatureMismatch));
}

#[test]
fn a_request_without_a_signature_is_not_signed() {
    assert_eq!(Signed::read(&request("/a?X-Amz-Date=x&x-amz-signature=y", &[])), Ok(None));
    assert_eq!(Unauthentic::Missing.message(), "Missing Authentication Token");
}

#[test]
fn an_authorization_header_of_another_kind_is_told_as_aws_tells_it() {
    let message = |value: &str| Signed::read(&request("/", &[("Authorization", value)])).unwrap_err().message();
    assert!(message("Bearer eyJ.eyJ.x").starts_with("Invalid key=value pair (missing equal-sign) in Authorization header (hashed"));
    for value in ["eyJ.eyJ.x", "", "Basic ZDQ=="] {
        let message = message(value);
        let expected = "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
                        Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either \
                        a 'X-Amz-Date' or a 'Date' header. ";
        assert!(message.starts_with(expected), "{message}");
    }
    assert_eq!(refused(&with_authorization("AWS4-HMAC-SHA256 Credential=a,,")).error_type(), ErrorType::IncompleteSignature);
    let mut request = dated(&[]);
    request.headers.append("Authorization", b"Basic \xff=".to_vec());
    assert!(matches!(refused(&request), Unauthentic::NotKeyValue(_)));
}

#[test]
fn what_is_said_twice_is_refused() {
    let good = with_header(dated(&[]), SCOPE, "host;x-amz-date", b"", &rules());
    for name in ["Authorization", "X-Amz-Date"] {
        let mut twice = good.clone();
        let value = good.headers.get(name).unwrap().to_vec();
        twice.headers.append(name.to_ascii_lowercase(), value);
        assert_eq!(refused(&twice), Unauthentic::Repeated(name));
    }
    let value = String::from_utf8(good.headers.get("Authorization").unwrap().to_vec()).unwrap();
    assert_eq!(refused(&with_authorization(&format!("{value}, {value}"))), Unauthentic::Repeated("SignedHeaders"));
    assert!(matches!(refused(&with_authorization(&format!("{value}, Region=x"))), Unauthentic::UnknownParameter(_)));
    let presigned = with_query(request("/", &[]), "", "host", b"", &rules());
    for name in ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date"] {
        let mut twice = presigned.clone();
        twice.path.extend_from_slice(format!("&{}=0", name.replace('-', "%2d")).as_bytes());
        assert_eq!(refused(&twice), Unauthentic::Repeated(name));
    }
    let mut two_tokens = with_query(request("/", &[]), "&X-Amz-Security-Token=a", "host", b"", &rules());
    two_tokens.headers.append("X-Amz-Security-Token", "b");
    assert_eq!(refused(&two_tokens), Unauthentic::Repeated("X-Amz-Security-Token"));
}

#[test]
fn a_request_signed_in_two_places_is_refused() {
    let mut both = with_query(request("/", &[]), "", "host", b"", &rules());
    both.headers.append("Authorization", "Bearer x");
    assert_eq!(refused(&both), Unauthentic::BothHeaderAndQuery);
    let mut header = with_header(dated(&[]), SCOPE, "host;x-amz-date", b"", &rules());
    header.path.extend_from_slice(b"&X-Amz-Signature=0");
    assert_eq!(refused(&header), Unauthentic::BothHeaderAndQuery);
}

#[test]
fn other_algorithms_are_refused_by_name() {
    for name in ["AWS4-ECDSA-P256-SHA256", "AWS4-HMAC-SHA1", "aws4-hmac-sha256"] {
        let value = authorization(SCOPE, "host", &"0".repeat(64)).replace(ALGORITHM, name);
        assert_eq!(refused(&with_authorization(&value)), Unauthentic::Algorithm(name.into()));
        let mut presigned = with_query(request("/", &[]), "", "host", b"", &rules());
        presigned.path = String::from_utf8(presigned.path).unwrap().replace(ALGORITHM, name).into_bytes();
        assert_eq!(refused(&presigned), Unauthentic::Algorithm(name.into()));
    }
}

#[test]
fn a_credential_has_five_elements() {
    for credential in ["", "AKID", "/20150830/r/s/aws4_request", "A/B/20150830/r/s/aws4_request", "A B/20150830/r/s/aws4_request"] {
        let refused = refused(&with_authorization(&authorization(credential, "host", &"0".repeat(64))));
        assert_eq!(refused, Unauthentic::Credential(credential.into()));
    }
    let long = "A".repeat(129) + "/20150830/r/s/aws4_request";
    let refused = refused(&with_authorization(&authorization(&long, "host", &"0".repeat(64))));
    assert!(refused.message().len() < 256);
}

#[test]
fn the_scope_must_match_exactly() {
    for (credential, message) in [
        ("AKID/20150830/us-east-1/execute-api/aws4_request", "Credential should be scoped to a valid region, not 'us-east-1'. "),
        ("AKID/20150830/eu-west-1/s3/aws4_request", "Credential should be scoped to correct service: 'execute-api'. "),
        (
            "AKID/20150829/eu-west-1/execute-api/aws4_request",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', \
             from '20150830T123600Z'. ",
        ),
        (
            "AKID/20150830/EU-WEST-1/bedrock/aws4_request",
            "Credential should be scoped to a valid region, not 'EU-WEST-1'. Credential should be scoped to correct service: \
             'execute-api'. ",
        ),
    ] {
        let request = with_header(dated(&[]), credential, "host;x-amz-date", b"", &rules());
        assert_eq!((refused(&request).message().as_str(), refused(&request).error_type()), (message, ErrorType::InvalidSignature));
    }
    let value = authorization("AKID/20150830/eu-west-1/execute-api/aws5_request", "host", &"0".repeat(64));
    let message = refused(&with_authorization(&value)).message();
    assert_eq!(message, "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. ");
}

#[test]
fn host_and_all_x_amz_headers_must_be_signed() {
    let request = with_header(dated(&[]), SCOPE, "x-amz-date", b"", &rules());
    assert_eq!(refused(&request), Unauthentic::UnsignedHost);
    assert_eq!(refused(&with_authorization(&authorization(SCOPE, "", &"0".repeat(64)))), Unauthentic::UnsignedHost);
    assert_eq!(Unauthentic::UnsignedHost.message(), "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
    let request = with_header(dated(&[("X-AMZ-Meta", "1")]), SCOPE, "host;x-amz-date", b"", &rules());
    assert_eq!(refused(&request), Unauthentic::UnsignedHeader("x-amz-meta".into()));
    let request = with_header(dated(&[]), SCOPE, "host", b"", &rules());
    assert_eq!(refused(&request).message(), "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization.");
    let mut presigned = with_query(dated(&[]), "", "host%3Bx-amz-date", b"", &rules());
    assert_eq!(outcome(&presigned, b"", &rules(), NOW), Ok(()));
    presigned.headers.append("x-amz-meta", "1");
    assert_eq!(refused(&presigned), Unauthentic::UnsignedHeader("x-amz-meta".into()));
    let trace = with_header(dated(&[("X-Amzn-Trace-Id", "1")]), SCOPE, ":authority;x-amz-date", b"", &rules());
    assert_eq!(outcome(&trace, b"", &rules(), NOW), Ok(()));
}

#[test]
fn a_header_that_is_signed_must_be_sent() {
    let value = authorization(SCOPE, "host;x-amz-date;x-not-sent", &"0".repeat(64));
    assert_eq!(refused(&with_authorization(&value)), Unauthentic::NotSent("x-not-sent".into()));
}

#[test]
fn the_list_of_signed_headers_has_one_form() {
    let long: Vec<String> = (100..201).map(|number| format!("x-{number}")).collect();
    for list in
        ["Host;x-amz-date", "x-amz-date;host", "host;host", "host;", ";host", "a b;host", "host,x-amz-date", &long.join(";")]
    {
        let value = authorization(SCOPE, &list.replace(',', "%2C"), &"0".repeat(64));
        assert!(matches!(refused(&with_authorization(&value)), Unauthentic::SignedHeaders(_)), "{list}");
    }
}

#[test]
fn a_signature_is_64_lower_case_digits() {
    for signature in ["", "0", &"A".repeat(64), &"g".repeat(64), &"0".repeat(65)] {
        let value = authorization(SCOPE, "host", signature);
        assert_eq!(refused(&with_authorization(&value)), Unauthentic::NotHexadecimal);
    }
    assert_eq!(
        Unauthentic::NotHexadecimal.message(),
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and \
         signing method. Consult the service documentation for details."
    );
}

#[test]
fn clocks_may_be_five_minutes_apart() {
    let request = with_header(dated(&[]), SCOPE, "host;x-amz-date", b"", &rules());
    for now in [NOW - 300, NOW, NOW + 300] {
        assert_eq!(outcome(&request, b"", &rules(), now), Ok(()));
    }
    assert_eq!(outcome(&request, b"", &rules(), NOW - 301), Err(Unauthentic::NotYetCurrent { signed_at: NOW, now: NOW - 301 }));
    let late = Unauthentic::Expired { signed_at: NOW, now: NOW + 301, window: 300 };
    assert_eq!(outcome(&request, b"", &rules(), NOW + 301), Err(late));
    assert!(outcome(&request, b"", &rules(), u64::MAX / 1001).is_err());
}

#[test]
fn a_presigned_request_lives_as_long_as_it_says() {
    let expiring = |expires: &str| with_query(request("/", &[]), expires, "host", b"", &rules());
    for (expires, seconds) in [("&X-Amz-Expires=604800", 604_800), ("&X-Amz-Expires=1", 1), ("", 300)] {
        let request = expiring(expires);
        assert_eq!(outcome(&request, b"", &rules(), NOW + seconds), Ok(()));
        assert!(matches!(outcome(&request, b"", &rules(), NOW + seconds + 1), Err(Unauthentic::Expired { .. })));
        assert_eq!(outcome(&request, b"", &rules(), NOW - 300), Ok(()));
        assert!(matches!(outcome(&request, b"", &rules(), NOW - 301), Err(Unauthentic::NotYetCurrent { .. })));
    }
    for text in ["0", "604801", "", "-1", "+60", "1e3", "60.0", "00000060", "99999999999999999999"] {
        let mut request = expiring("");
        request.path.extend_from_slice(format!("&X-Amz-Expires={}", text.replace('+', "%2B")).as_bytes());
        assert_eq!(refused(&request), Unauthentic::Expires(text.into()));
    }
}

#[test]
fn a_presigned_request_has_all_its_parts() {
    let whole = String::from_utf8(with_query(request("/", &[]), "", "host", b"", &rules()).path).unwrap();
    for name in ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date"] {
        let refused = refused(&request(&whole.replace(name, "other"), &[]));
        assert_eq!(refused, Unauthentic::IncompleteQuery(vec![name]));
        assert_eq!(refused.message(), format!("AWS query-string parameters require '{name}'."));
    }
}

#[test]
fn a_date_is_in_the_basic_format() {
    let date = "Sun, 30 Aug 2015 12:36:00 GMT";
    let value = authorization(SCOPE, "date;host", &"0".repeat(64));
    let request = |date: &str| request("/", &[("Date", date), ("Authorization", &value)]);
    assert_eq!(refused(&request(date)), Unauthentic::Date(date.into()));
    let signed = with_header(request(DATE), SCOPE, "date;host", b"", &rules());
    assert_eq!(outcome(&signed, b"", &rules(), NOW), Ok(()));
}

#[test]
fn the_body_must_be_the_one_that_was_signed() {
    let hash = canonical::hex(&Hash::hash(b"body"));
    let headers = "host;x-amz-content-sha256;x-amz-date";
    let request = with_header(dated(&[("X-Amz-Content-Sha256", &hash)]), SCOPE, headers, b"body", &rules());
    assert_eq!(outcome(&request, b"body", &rules(), NOW), Ok(()));
    assert_eq!(outcome(&request, b"", &rules(), NOW), Err(Unauthentic::OtherBody));
    let signed = Signed::read(&request).unwrap().unwrap();
    assert_eq!(signed.verify(&request, None, &secret(), &rules(), NOW * 1000), Err(Unauthentic::OtherBody));
    let undeclared = with_header(dated(&[]), SCOPE, "host;x-amz-date", b"body", &rules());
    assert_eq!(outcome(&undeclared, b"", &rules(), NOW), Err(Unauthentic::SignatureMismatch));
    let signed = Signed::read(&undeclared).unwrap().unwrap();
    assert_eq!(signed.verify(&undeclared, None, &secret(), &rules(), NOW * 1000), Err(Unauthentic::OtherBody));
}

#[test]
fn an_unsigned_body_counts_only_where_it_is_allowed() {
    let lenient = Rules { unsigned_payload: true, ..rules() };
    let header = dated(&[("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")]);
    let header = with_header(header, SCOPE, "host;x-amz-content-sha256;x-amz-date", b"", &lenient);
    let query = with_query(request("/", &[]), "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD", "host", b"", &lenient);
    for request in [header, query] {
        let signed = Signed::read(&request).unwrap().unwrap();
        assert!(!signed.needs_body());
        assert_eq!(signed.verify(&request, None, &secret(), &lenient, NOW * 1000), Ok(()));
        assert_eq!(signed.verify(&request, None, &secret(), &rules(), NOW * 1000), Err(Unauthentic::UnsignedPayload));
    }
}

#[test]
fn bodies_signed_in_chunks_are_refused_by_name() {
    for name in ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "unsigned-payload", ""] {
        let value = authorization(SCOPE, "host;x-amz-content-sha256;x-amz-date", &"0".repeat(64));
        let request = dated(&[("X-Amz-Content-Sha256", name), ("Authorization", &value)]);
        assert_eq!(refused(&request), Unauthentic::Payload(name.into()));
    }
}

#[test]
fn a_token_is_signed_unless_the_service_says_otherwise() {
    let late = Rules { token_after_signing: true, ..rules() };
    let mut header = with_header(dated(&[]), SCOPE, "host;x-amz-date", b"", &rules());
    header.headers.append("X-Amz-Security-Token", "t");
    let mut query = with_query(request("/", &[]), "", "host", b"", &rules());
    query.path.extend_from_slice(b"&X-Amz-Security-Token=t");
    for request in [header, query] {
        assert_eq!(outcome(&request, b"", &late, NOW), Ok(()));
        assert!(outcome(&request, b"", &rules(), NOW).is_err());
    }
}

#[test]
fn equal_values_read_in_two_ways_are_not_signed_alike() {
    let signed = with_header(dated(&[]), SCOPE, "host;x-amz-date", b"", &rules());
    for target in
        ["/prod/a%2520b?x=1&x=0", "/prod/a%20b?x=1%26x=0", "/prod/a%20b?x=1&x=0&y", "/prod/a b/?x=1&x=0", "/prod/A%20b?x=1&x=0"]
    {
        let changed = RequestHead { path: target.as_bytes().to_vec(), ..signed.clone() };
        assert_eq!(refused(&changed), Unauthentic::SignatureMismatch, "{target}");
    }
    let reordered = RequestHead { path: b"/prod/a%20b?x=%30&x=1".to_vec(), ..signed };
    assert_eq!(outcome(&reordered, b"", &rules(), NOW), Ok(()));
}
