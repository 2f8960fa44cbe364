//! The signatures are those of AWS's own examples ("Signature Calculations for the Authorization Header", S3 API reference), and
//! of botocore where there is none.

use std::str::FromStr;
use std::time::Duration;

use super::*;
use crate::cli::server::empty;

const EXAMPLE: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");

/// 2013-05-24T00:00:00Z
fn at() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600)
}

fn credentials(token: Option<&str>) -> Credentials {
    Credentials::new(EXAMPLE.0, EXAMPLE.1, token.map(str::to_owned), None, "test")
}

fn signing(service: &str) -> Signing {
    Signing { service: service.to_owned(), region: "us-east-1".to_owned() }
}

fn head(method: &str, uri: &str, headers: &[(&'static str, &'static str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

/// `SignedHeaders` and `Signature`.
fn signature(head: &Parts) -> (&str, &str) {
    let text = head.headers["authorization"].to_str().unwrap();
    let part = |name: &str| text.split(", ").find_map(|part| part.strip_prefix(name)).unwrap();
    (part("SignedHeaders="), part("Signature="))
}

#[test]
fn signatures_are_those_of_the_examples_of_s3() {
    for (uri, wanted) in [
        ("/?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ] {
        let uri = format!("https://examplebucket.s3.amazonaws.com{uri}");
        let mut head = head("GET", &uri, &[("host", "examplebucket.s3.amazonaws.com"), ("accept", "*/*")]);
        write(&mut head, b"", &signing("s3"), &credentials(None), at()).unwrap();
        assert_eq!(signature(&head), ("host;x-amz-content-sha256;x-amz-date", wanted));
        assert_eq!(head.headers["x-amz-date"], "20130524T000000Z");
    }
}

#[test]
fn other_services_sign_the_path_as_it_is_on_the_wire_encoded_once_more_and_the_token_too() {
    let uri = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:a/invocations?Qualifier=1";
    let mut lambda = head("POST", uri, &[("host", "lambda.us-east-1.amazonaws.com"), ("content-type", "application/json")]);
    write(&mut lambda, br#"{"a":1}"#, &signing("lambda"), &credentials(Some("token")), at()).unwrap();
    let wanted = "cec7d4dcb6568f9d2a4ebc5a441203d9dc26a216e2027bac26e6c7b87566e9b5";
    assert_eq!(signature(&lambda), ("content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token", wanted));
    assert_eq!(lambda.headers["x-amz-security-token"], "token");
    assert_eq!(lambda.uri, uri, "what is sent stays as it was");

    let target = [("host", "dynamodb.us-east-1.amazonaws.com"), ("x-amz-target", "DynamoDB_20120810.GetItem")];
    let mut dynamodb = head("POST", "https://dynamodb.us-east-1.amazonaws.com/a%20b", &target);
    write(&mut dynamodb, b"{}", &signing("dynamodb"), &credentials(None), at()).unwrap();
    let wanted = "999ad8b7dcfbd7748c537d60a7dbb3727135e2490beed17a84ae51fb7846ce07";
    assert_eq!(signature(&dynamodb), ("host;x-amz-content-sha256;x-amz-date;x-amz-target", wanted));
}

#[test]
fn a_key_of_s3_is_signed_as_it_is_on_the_wire() {
    let body: Vec<u8> = (0..=255).collect();
    let uri = "https://s3.us-east-1.amazonaws.com/bucket/a%3Ab/%2B%20./~%E2%82%AC";
    let mut head = head("PUT", uri, &[("host", "s3.us-east-1.amazonaws.com")]);
    write(&mut head, &body, &signing("s3"), &credentials(None), at()).unwrap();
    let wanted = "90385897da3b0c177c19c41b94004c7992ed6b778a8a15670c06a9a885e92cb8";
    assert_eq!(signature(&head), ("host;x-amz-content-sha256;x-amz-date", wanted));
    assert_eq!(head.uri, uri);
}

#[test]
fn the_host_that_is_signed_is_the_one_that_is_sent() {
    let hosts = ["dynamodb.us-east-1.amazonaws.com", "dynamodb.us-west-2.amazonaws.com"].map(|host| {
        let mut head = head("POST", "http://127.0.0.1:9000/", &[("host", host)]);
        write(&mut head, b"", &signing("dynamodb"), &credentials(None), at()).unwrap();
        assert_eq!(head.headers["host"], host);
        signature(&head).1.to_owned()
    });
    assert_ne!(hosts[0], hosts[1]);
}

#[tokio::test]
async fn nothing_of_another_signature_survives() {
    let scope = Scope { signing: signing("dynamodb"), stand_in: Some(Authority::from_static("127.0.0.1:5000")) };
    for keys in [Keys::fixed(Ok(credentials(None))), Keys::fixed(Err("none".to_owned()))] {
        let mut request = Request::new(empty());
        *request.uri_mut() = FromStr::from_str("https://dynamodb.us-east-1.amazonaws.com/").unwrap();
        for name in OWN {
            request.headers_mut().append(name, HeaderValue::from_static("theirs"));
            request.headers_mut().append(name, HeaderValue::from_static("theirs, too"));
        }
        request.headers_mut().insert("x-amz-target", HeaderValue::from_static("ours"));
        let signed = signed(request, &scope, &keys).await.unwrap();
        assert!(signed.headers().values().all(|value| !value.as_bytes().starts_with(b"theirs")), "{:?}", signed.headers());
        assert_eq!(signed.headers()["x-amz-target"], "ours");
        assert_eq!(signed.headers().contains_key("authorization"), keys.get().await.is_ok());
    }
}

#[tokio::test]
async fn without_credentials_a_request_to_aws_itself_is_not_sent() {
    let scope = Scope { signing: signing("dynamodb"), stand_in: None };
    let sent = signed(Request::new(empty()), &scope, &Keys::fixed(Err("none; do this".to_owned()))).await;
    assert_eq!(sent.err(), Some(UpstreamFailure::Connect("the request cannot be signed: none; do this".to_owned())));
}

#[tokio::test]
async fn what_is_signed_as_whom_is_said_and_what_cannot_be() {
    let stands_in = |service: &str, server| Scope { signing: signing(service), stand_in: Some(Authority::from_static(server)) };
    let scopes = [stands_in("s3", "127.0.0.1:5000"), Scope { signing: signing("dynamodb"), stand_in: None }];
    let (good, none) = (Keys::fixed(Ok(credentials(None))), Keys::fixed(Err("none; do this".to_owned())));
    assert_eq!(summary(scopes.iter(), &good).await, format!("signing dynamodb (us-east-1), s3 (us-east-1) as {}\n", EXAMPLE.0));
    assert_eq!(
        summary(scopes.iter(), &none).await,
        "warning: requests to dynamodb (us-east-1) fail: none; do this\n\
         note: without AWS credentials, requests to what stands in for s3 (us-east-1) are not signed\n"
    );
    assert_eq!(summary([].iter(), &none).await, "");
    for (server, warned) in
        [("LocalHost:1", false), ("[::1]:1", false), ("127.1.2.3", false), ("moto.test:5000", true), ("[::2]", true)]
    {
        let said = summary([stands_in("s3", server)].iter(), &good).await;
        assert_eq!(said.contains(&format!("warning: `{server}`, which stands in for s3 (us-east-1)")), warned, "{said}");
    }
}
