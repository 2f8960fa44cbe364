//! Signatures, right ones and wrong ones.

use serde_json::{Value, json};

use super::Credential;
use crate::bypass::apis::{USERS, User};
use crate::bypass::documents::secret;
use crate::drivers::signer::Sign;

/// All of them.
pub fn all() -> Vec<Credential> {
    let right = USERS.iter().map(|user| signed(&format!("signed by {}", user.key), user, |_| {}, |_| {}).worth_of(user));
    right.chain(bad_signatures()).collect()
}

fn bad_signatures() -> Vec<Credential> {
    let user = &USERS[0];
    let changed = |name: &str, key: &str, value: Value| signed(&format!("IAM: {name}"), user, |s| s[key] = value, |_| {});
    let after = |name: &str, change: fn(&mut Sign)| signed(&format!("IAM: {name}"), user, |_| {}, change);
    let presigned =
        |name: &str, change: fn(&mut Sign)| signed(&format!("IAM: {name}"), user, |s| s["presign"] = true.into(), change);
    let mut unsigned_host = changed("host not signed", "signedHeaders", json!(["x-amz-date"]));
    unsigned_host.headers.clear();
    vec![
        presigned("presigned", |_| {}).worth_of(user),
        changed("payload not signed", "payload", "UNSIGNED-PAYLOAD".into()).worth_of(user).worth(|w| w.unsure = Some("UNSIGNED-PAYLOAD")),
        changed("a wrong secret", "secretAccessKey", "guess".into()),
        changed("the secret of another user", "secretAccessKey", secret(USERS[1].key).into()),
        changed("an empty secret", "secretAccessKey", "".into()),
        changed("an unknown key", "accessKeyId", "AKIDNOBODY".into()),
        changed("a key in another case", "accessKeyId", "akidall".into()),
        changed("stale", "offsetSeconds", (-400).into()),
        changed("of the future", "offsetSeconds", 400.into()),
        changed("another region", "region", "eu-west-1".into()),
        changed("another service", "service", "lambda".into()),
        changed("a session token that nobody gave", "sessionToken", "x".into()),
        unsigned_host,
        changed("the hash of another body", "payload", "e".repeat(64).into()),
        after("another path's signature", |_| {}).signed_for(None, Some("/prod/somewhere/else")),
        after("the stage's signature", |_| {}).signed_for(None, Some("/prod")),
        after("another method's signature", |_| {}).signed_for(Some("MKCOL"), None),
        after("an x-amz header that is not signed", |s| s.after.add = lines(&[("x-amz-meta", "1")])),
        after("a second x-amz-date", |s| s.after.add = lines(&[("x-amz-date", "20260102T030405Z")])),
        after("no date", |s| s.after.headers = vec![("x-amz-date".to_owned(), None)]),
        after("another date", |s| s.after.headers = vec![("x-amz-date".to_owned(), Some("20200102T030405Z".to_owned()))]),
        after("another host", |s| s.after.headers = vec![("host".to_owned(), Some("other.test".to_owned()))]),
        after("a body that was not signed", |s| s.after.body = Some("changed".to_owned())),
        after("one more parameter", |s| s.after.query = Some("admin=1".to_owned())),
        after("two Authorization headers", |s| s.after.add = lines(&[("authorization", "AWS4-HMAC-SHA256 Credential=x")])),
        after("a bearer token beside it", |s| s.after.add = lines(&[("authorization", "Bearer x")])),
        presigned("header and query", |s| {
            let value = "AWS4-HMAC-SHA256 Credential=AKIDALL/20260102/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=00";
            s.after.add = lines(&[("authorization", value)]);
        }),
        presigned("presigned for another path", |_| {}).signed_for(None, Some("/prod/somewhere/else")),
        presigned("presigned for another method", |_| {}).signed_for(Some("MKCOL"), None),
        presigned("presigned, one more parameter", |s| s.after.query = Some("x=1".to_owned())),
        presigned("presigned twice", |s| s.after.query = Some("X-Amz-Signature=00".to_owned())),
        signed("IAM: presigned and expired", user, |s| (s["presign"], s["expires"], s["offsetSeconds"]) = (true.into(), "60".into(), (-120).into()), |_| {}),
        signed("IAM: presigned for ever", user, |s| (s["presign"], s["expires"]) = (true.into(), "9999999".into()), |_| {}),
        Credential::new("IAM: the name of the algorithm alone").header("authorization", "AWS4-HMAC-SHA256"),
        Credential::new("IAM: an empty signature").header("authorization", "AWS4-HMAC-SHA256 Credential=AKIDALL/20260102/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=").header("x-amz-date", "20260102T030405Z"),
        Credential::new("IAM: an access key alone").header("x-amz-access-key", "AKIDALL").header("authorization", "AKIDALL"),
    ]
}

fn signed(name: &str, user: &User, settings: impl FnOnce(&mut Value), after: impl FnOnce(&mut Sign)) -> Credential {
    let mut value = json!({ "accessKeyId": user.key, "secretAccessKey": secret(user.key) });
    settings(&mut value);
    let mut sign: Sign = serde_json::from_value(value).expect("it is a directive of case files");
    after(&mut sign);
    Credential { sign: Some(sign), ..Credential::new(name) }
}

fn lines(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
