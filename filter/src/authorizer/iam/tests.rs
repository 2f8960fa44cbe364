//! Signed requests to what they are granted. They are signed here with what [`Signed::explain`] says.

use super::*;
use crate::definition::Node;
use crate::event::tests::{STILL, request};
use crate::policy::{Decision, Principal};
use hmac_sha256::HMAC;
use serde_json::{Value, json};

const ARN: &str = "arn:aws:iam::123456789012:user/alice";
const UNSIGNED: (&str, &str) = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD");

fn iam() -> Iam {
    let invoke = |effect: &str, resource: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}]});
    let users = json!({"users": [
        {"accessKeyId": "AKALICE", "secretAccessKey": "sa", "userName": "alice", "policies": [invoke("Allow", "*")]},
        {"accessKeyId": "AKOTHER", "secretAccessKey": "so", "accountId": "999999999999", "policies": [invoke("Allow", "*")]},
        {"accessKeyId": "ASTEMP", "secretAccessKey": "st", "sessionToken": "token", "arn": "arn:aws:sts::123456789012:assumed-role/r/s"},
        {"accessKeyId": "AKDENY", "secretAccessKey": "sd", "policies": [invoke("Deny", "*/GET/x"), invoke("Allow", "*")]},
    ]});
    let mut problems = Problems::default();
    let users = Users::read(Some(&Node::root(&users)), &mut problems);
    assert!(problems.into_vec().is_empty());
    Iam { users: Arc::new(users), region: "eu-west-1".to_owned() }
}

/// A request of this key, signed with this secret; all `x-amz-` headers are signed.
fn signed(mut context: Context, key: &str, secret: &str, more: &[(&str, &str)]) -> Context {
    let mut names = vec!["host", "x-amz-date"];
    context.request.headers.set("x-amz-date", "20240617T150203Z");
    for (name, value) in more {
        context.request.headers.set(*name, *value);
        names.push(name);
    }
    names.sort_unstable();
    let with = |signature: &str| {
        let scope = format!("{key}/20240617/eu-west-1/execute-api/aws4_request");
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={}, Signature={signature}", names.join(";"))
    };
    context.request.headers.set("authorization", with(&"0".repeat(64)));
    let read = Signed::read(&context.request).unwrap().unwrap();
    let rules = Rules { unsigned_payload: true, ..Rules::execute_api("eu-west-1") };
    let explained = read.explain(&context.request, Some(&Hash::hash(b"")), &rules).unwrap();
    let signature = HMAC::mac(explained.string_to_sign, crate::sigv4::Secret::new(secret).unwrap().signing_key(read.scope()));
    let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    context.request.headers.set("authorization", with(&signature));
    context
}

fn pets(protocol: Protocol) -> Context {
    request(protocol, "GET", if protocol == Protocol::Rest { "/prod/pets" } else { "/pets" }, &[])
}

fn ask(context: &Context) -> Result<Grant, Failure> {
    match iam().authorize(&Demand { context, scopes: &[] }, &mut STILL.clone()) {
        Verdict::Granted(grant) => Ok(grant),
        Verdict::Refused(failure) => Err(failure),
        Verdict::Call(callout) => panic!("{callout:?}"),
    }
}

/// What a refused client is told first; REST APIs only.
fn refused(context: &Context) -> String {
    ask(context).map(|grant| grant.facts).unwrap_err().describe()
}

#[test]
fn who_signs_is_the_caller_and_what_its_policies_say_counts() {
    let grant = ask(&signed(pets(Protocol::Rest), "AKALICE", "sa", &[])).unwrap();
    let caller = grant.facts.caller.unwrap();
    assert_eq!(
        [&*caller.access_key, &caller.account_id, &caller.user_arn, &caller.user],
        ["AKALICE", "123456789012", ARN, "alice"]
    );
    assert_eq!(grant.principal, Principal::Aws { arn: ARN.to_owned(), account: "123456789012".to_owned() });
    for (key, secret, target, weight) in [
        ("AKALICE", "sa", "/prod/x", Weight::Either(Decision::Allow)),
        // Of another account: the policy of the API has to agree.
        ("AKOTHER", "so", "/prod/x", Weight::Both(Decision::Allow)),
        ("AKDENY", "sd", "/prod/x", Weight::Either(Decision::Deny)),
        ("AKDENY", "sd", "/prod/y", Weight::Either(Decision::Allow)),
    ] {
        let grant = ask(&signed(request(Protocol::Rest, "GET", target, &[]), key, secret, &[])).unwrap();
        assert_eq!(grant.weight, weight, "{key} {target}");
    }
    let grant = ask(&signed(pets(Protocol::Rest), "ASTEMP", "st", &[("x-amz-security-token", "token")])).unwrap();
    assert_eq!(grant.weight, Weight::Either(Decision::Neither));
}

#[test]
fn whoever_cannot_prove_who_it_is_is_refused() {
    let token = |value| ("x-amz-security-token", value);
    let mismatch = "INVALID_SIGNATURE: The request signature we calculated does not match";
    let unknown = "DEFAULT_4XX: The security token included in the request is invalid";
    let pets = || pets(Protocol::Rest);
    for (context, told) in [
        (pets(), "MISSING_AUTHENTICATION_TOKEN: Missing Authentication Token"),
        (signed(pets(), "AKALICE", "so", &[]), mismatch),
        (signed(pets(), "AKNOBODY", "sa", &[]), unknown),
        (signed(pets(), "ASTEMP", "st", &[]), unknown),
        (signed(pets(), "ASTEMP", "st", &[token("tokem")]), unknown),
        (signed(pets(), "ASTEMP", "st", &[token("token1")]), unknown),
        // Two differences that are the same: one does not take the other away.
        (signed(pets(), "ASTEMP", "st", &[token("unken")]), unknown),
        (signed(pets(), "AKALICE", "sa", &[token("token")]), unknown),
        // The same signature counts for `/prod/pets`, and another path is routed.
        (signed(request(Protocol::Rest, "GET", "/prod//pets", &[]), "AKALICE", "sa", &[]), mismatch),
    ] {
        let refused = refused(&context);
        assert!(refused.starts_with(told), "{refused}");
    }
    let mut slashes = pets();
    slashes.request.path = b"//prod/pets".to_vec();
    assert!(refused(&signed(slashes, "AKALICE", "sa", &[])).starts_with(mismatch));
    let mut none = pets();
    none.path = None;
    assert!(refused(&signed(none, "AKALICE", "sa", &[])).starts_with(mismatch));
}

#[test]
fn an_http_api_says_no_more_than_that_it_is_forbidden() {
    let context = signed(pets(Protocol::Http), "AKALICE", "so", &[]);
    assert_eq!(ask(&context).map(|grant| grant.facts).unwrap_err(), Failure::new(ResponseType::AccessDenied));
    assert!(ask(&signed(pets(Protocol::Http), "AKALICE", "sa", &[])).is_ok());
}

#[test]
fn a_body_is_held_for_a_user_whose_signature_covers_it() {
    for (context, needs) in [
        (signed(pets(Protocol::Rest), "AKALICE", "sa", &[]), true),
        (signed(pets(Protocol::Rest), "AKALICE", "sa", &[UNSIGNED]), false),
        (signed(pets(Protocol::Rest), "AKNOBODY", "sa", &[]), false),
        (pets(Protocol::Rest), false),
    ] {
        assert_eq!(iam().needs_body(&context, &STILL), needs);
    }
}

#[test]
fn an_operation_that_nobody_can_sign_for_is_told() {
    let definition = json!({"openapi": "3.0.1", "paths": {"/a": {"get": {}}}});
    for (users, told) in [(Users::default(), 1), (Users::read(Some(&Node::root(&only_alice())), &mut Problems::default()), 0)] {
        let mut problems = Problems::default();
        let outline = crate::definition::Outline::of_definition(&definition);
        let basepath = crate::definition::Basepath::Ignore;
        let api = crate::definition::OpenApi::read(&outline.definition(), basepath, &mut Problems::default());
        let tree = api.items[0].open();
        let iam =
            Iam::compile(&api.items[0].operations(&tree, &api.root, &mut problems)[0], Arc::new(users), "eu-west-1", &mut problems);
        assert_eq!(iam.summary(), "AWS_IAM");
        assert_eq!(problems.into_vec().len(), told);
    }
}

fn only_alice() -> Value {
    json!({"users": [{"accessKeyId": "AKALICE", "secretAccessKey": "sa"}]})
}

#[test]
fn the_account_of_an_arn_is_that_of_the_user_and_may_not_be_another_one() {
    let arn = "arn:aws:iam::111122223333:user/u";
    for (account, arn, told) in [
        (None, Some(arn), 0),
        (Some("111122223333"), Some(arn), 0),
        (Some("111122223334"), Some(arn), 1),
        (Some("111122223333"), None, 0),
        (None, Some("arn:aws:iam:::user/u"), 1),
        (None, Some("alice"), 1),
    ] {
        let mut user = json!({"accessKeyId": "AK", "secretAccessKey": "s"});
        for (key, value) in [("accountId", account), ("arn", arn)] {
            if let Some(value) = value {
                user[key] = json!(value);
            }
        }
        let mut problems = Problems::default();
        let users = json!({"users": [user]});
        let users = Users::read(Some(&Node::root(&users)), &mut problems);
        assert_eq!(problems.into_vec().len(), told, "{account:?} {arn:?}");
        if told == 0 {
            assert_eq!(users.find("AK").unwrap().account_id(&pets(Protocol::Rest)), "111122223333");
        }
    }
}

#[test]
fn a_user_that_is_printed_shows_neither_its_secret_nor_its_token() {
    let users =
        json!({"users": [{"accessKeyId": "AK", "secretAccessKey": "hidden", "sessionToken": "hidden", "userName": "alice"}]});
    let users = Users::read(Some(&Node::root(&users)), &mut Problems::default());
    let printed = format!("{users:?}");
    assert!(printed.contains("alice") && !printed.contains("hidden"), "{printed}");
}
