//! What a client shows: nothing, what is right, and what is wrong in some way; each with what it is worth, by the rules of AWS.

use std::time::Duration;

use serde_json::{Value, json};

use super::apis::{REQUEST_RULES, Rules, TOKEN_RULES, USERS, User};
use super::documents::{ISSUER, POOL, secret};
use super::functions::{ELSEWHERE, WORDS, Word};
use crate::drivers::case::Request;
use crate::drivers::signer::Sign;
use crate::drivers::tokens::{Tokens, put_tokens};

/// What a client shows.
#[derive(Debug, Clone)]
pub struct Credential {
    /// A name for people.
    pub name: String,
    headers: Vec<(String, String)>,
    query: Option<String>,
    sign: Option<Sign>,
    /// The method and the path that were signed in the place of those that are sent.
    signed_for: (Option<&'static str>, Option<&'static str>),
    /// What a function says that is asked about it.
    pub word: Word,
    /// The identity that a function is asked about.
    pub identity: Option<String>,
    /// What it is worth.
    pub worth: Worth,
}

/// What a credential proves.
#[derive(Debug, Clone, Default)]
pub struct Worth {
    /// Signed by this user.
    pub signer: Option<&'static User>,
    /// A token on Authorization that the expression takes, and what the function says of it.
    pub token: Option<&'static Rules>,
    /// The same on X-Token, where there is no expression.
    pub any_token: Option<&'static Rules>,
    /// A user on X-User and a tenant, and what the function says of them.
    pub user_and_tenant: Option<&'static Rules>,
    /// A user to whom the function says yes.
    pub user: bool,
    /// To the JWT authorizer of REST APIs: with these scopes.
    pub rest_jwt: Option<&'static [&'static str]>,
    /// To that of HTTP APIs.
    pub http_jwt: Option<&'static [&'static str]>,
    /// To that of HTTP APIs which looks at the query.
    pub query_jwt: Option<&'static [&'static str]>,
    /// To the user pool.
    pub pool: Option<(TokenUse, &'static [&'static str])>,
    /// It may be worth that much, or nothing: AWS does not say.
    pub unsure: Option<&'static str>,
}

/// Cognito's `token_use`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// Says who somebody is.
    Id,
    /// Says what somebody may.
    Access,
}

/// All credentials, for a clock.
pub fn all(now: Duration) -> Vec<Credential> {
    let mut all = vec![
        Credential::new("nothing"),
        Credential::known("token", |c| c.header("authorization", "Bearer tok-abc"), |w| w.token = Some(&TOKEN_RULES)),
        Credential::known("token in X-Token", |c| c.header("x-token", "letmein"), |w| w.any_token = Some(&TOKEN_RULES)),
        Credential::known(
            "user and tenant",
            |c| c.header("x-user", "alice").query("tenant=acme"),
            |w| {
                (w.user, w.user_and_tenant) = (true, Some(&REQUEST_RULES));
            },
        ),
    ];
    all.extend(jwts(now));
    all.extend(pool_tokens(now));
    all.extend(USERS.iter().map(|user| signed(&format!("signed by {}", user.key), user, |_| {}, |_| {}).worth_of(user)));
    all.extend(bad_signatures());
    all.extend(bad_tokens());
    all.extend(bad_identities());
    all.extend(claims_of_the_gateway());
    all
}

/// What a credential for this scheme looks like that opens what it can open.
pub fn is_proper(credential: &Credential) -> bool {
    const NAMES: [&str; 10] = [
        "token",
        "token in X-Token",
        "user and tenant",
        "JWT",
        "JWT with scopes",
        "JWT in the query",
        "ID token",
        "access token",
        "signed by AKIDALL",
        "signed by AKIDFAR",
    ];
    NAMES.contains(&credential.name.as_str())
}

fn jwts(now: Duration) -> Vec<Credential> {
    let good = json!({ "iss": ISSUER, "aud": "api", "sub": "me", "iat": "now-60", "exp": "now+900", "scope": "read" });
    let with = |changes: Value| merged(&good, &changes);
    let token = |key: &str, header: Value, claims: Value| made(json!({ "key": key, "header": header, "claims": claims }), now);
    let right = token("rs256", json!({}), with(json!({ "scope": "read write" })));
    let plain = token("rs256", json!({}), good.clone());
    let parts: Vec<&str> = plain.split('.').collect();
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    let forged = made(json!({ "key": "rs256", "corrupt": "signature", "claims": good }), now);
    let bearer = |token: &str| format!("Bearer {token}");
    let jwt = |name: &str, value: String| Credential::new(name).header("authorization", &value);
    let both = |w: &mut Worth, scopes| (w.rest_jwt, w.http_jwt) = (Some(scopes), Some(scopes));
    let mut all = vec![
        jwt("JWT", bearer(&plain)).worth(|w| both(w, &["read"])),
        jwt("JWT with scopes", bearer(&right)).worth(|w| both(w, &["read", "write"])),
        jwt("JWT without Bearer", plain.clone()).worth(|w| both(w, &["read"])),
        jwt("JWT, bearer in lower case", format!("bearer {plain}")).worth(|w| both(w, &["read"])),
        Credential::new("JWT in the query").query(&format!("token={plain}")).worth(|w| w.query_jwt = Some(&["read"])),
        jwt("JWT of RS384", bearer(&token("rs384", json!({}), good.clone()))).worth(|w| w.http_jwt = Some(&["read"])),
        jwt("JWT of ES256", bearer(&token("es256", json!({}), good.clone()))).worth(|w| {
            both(w, &["read"]);
            w.unsure = Some("ES256 in an HTTP API");
        }),
        jwt("JWT for several audiences", bearer(&token("rs256", json!({}), with(json!({ "aud": ["other", "api"] })))))
            .worth(|w| both(w, &["read"])),
        jwt("JWT with client_id and no aud", bearer(&token("rs256", json!({}), with(json!({ "aud": null, "client_id": "api" })))))
            .worth(|w| w.http_jwt = Some(&["read"])),
        jwt("JWT with scp", bearer(&token("rs256", json!({}), with(json!({ "scope": null, "scp": ["write"] })))))
            .worth(|w| both(w, &["write"])),
    ];
    let claims = [
        ("expired", json!({ "exp": "now-5" })),
        ("expired this second", json!({ "exp": "now-1" })),
        ("for ever", json!({ "exp": null })),
        ("exp is a text", json!({ "exp": "9999999999" })),
        ("exp is negative", json!({ "exp": -1 })),
        ("exp is a list", json!({ "exp": [9_999_999_999_u64] })),
        ("not yet", json!({ "nbf": "now+120" })),
        ("issued later", json!({ "iat": "now+120" })),
        ("another audience", json!({ "aud": "other" })),
        ("no audience", json!({ "aud": null })),
        ("an audience in another case", json!({ "aud": "API" })),
        ("an audience within another", json!({ "aud": "api2" })),
        ("an audience in one text", json!({ "aud": "other api" })),
        ("another audience, client_id right", json!({ "aud": "other", "client_id": "api" })),
        ("an empty list of audiences, client_id right", json!({ "aud": [], "client_id": "api" })),
        ("another issuer", json!({ "iss": "https://evil.test" })),
        ("an issuer with a slash", json!({ "iss": format!("{ISSUER}/") })),
        ("an issuer in another case", json!({ "iss": "https://ISSUER.test" })),
        ("an issuer over http", json!({ "iss": "http://issuer.test" })),
        ("no issuer", json!({ "iss": null })),
        ("a list of issuers", json!({ "iss": [ISSUER] })),
    ];
    all.extend(claims.map(|(what, change)| {
        jwt(&format!("JWT: {what}"), bearer(&token("rs256", json!({}), merged(&with(json!({ "scope": "read write" })), &change))))
    }));
    let headers = [
        ("alg none", "none", json!({})),
        ("alg None", "none", json!({ "alg": "None" })),
        ("alg nOnE over a real key's kid", "none", json!({ "alg": "nOnE", "kid": "rsa" })),
        ("HS256 with the public key", "hs256-with-rsa-public-key", json!({})),
        ("HS256 with the public key and its kid", "hs256-with-rsa-public-key", json!({ "kid": "rsa" })),
        ("HS256 of an unknown secret", "hs256", json!({})),
        ("alg of another family", "rs256", json!({ "alg": "PS256" })),
        ("alg in lower case", "rs256", json!({ "alg": "rs256" })),
        ("alg is a list", "rs256", json!({ "alg": ["RS256"] })),
        ("no alg", "rs256", json!({ "alg": null })),
        ("alg of a stronger hash", "rs256", json!({ "alg": "RS512" })),
        ("an unknown kid", "rs256", json!({ "kid": "nobody" })),
        ("the kid of another key", "rs256", json!({ "kid": "p256" })),
        ("a kid that is a path", "rs256", json!({ "kid": "../../dev/null" })),
        ("crit", "rs256", json!({ "crit": ["b64"], "b64": true })),
        ("an empty crit", "rs256", json!({ "crit": [] })),
        ("b64 false", "rs256", json!({ "b64": false, "crit": ["b64"] })),
        ("ES256 signed with P-384", "es384", json!({ "alg": "ES256", "kid": "p256" })),
        ("a key of its own, alg none", "none", json!({ "jwk": { "kty": "oct", "k": "YQ" } })),
    ];
    all.extend(headers.map(|(what, key, header)| {
        jwt(&format!("JWT: {what}"), bearer(&token(key, header, with(json!({ "scope": "read write" })))))
    }));
    let longer = token("rs256", json!({}), with(json!({ "filler": "x".repeat(9_000) })));
    let texts = [
        ("empty", String::new()),
        ("the scheme alone", "Bearer".to_owned()),
        ("the scheme and a space", "Bearer ".to_owned()),
        ("Basic", format!("Basic {right}")),
        ("Bearer twice", format!("Bearer Bearer {right}")),
        ("a bad signature", bearer(&forged)),
        ("no signature", bearer(&unsigned)),
        ("two parts", format!("Bearer {}.{}", parts[0], parts[1])),
        ("four parts", format!("Bearer {right}.{}", parts[2])),
        ("five parts", format!("Bearer {}..{}.{}.{}", parts[0], parts[1], parts[1], parts[2])),
        ("two tokens joined", format!("Bearer {forged},{right}")),
        ("two tokens joined, the right one first", format!("Bearer {right}, Bearer {forged}")),
        ("two tokens with a space", format!("Bearer {right} {right}")),
        ("padded", format!("Bearer {right}=")),
        ("the other alphabet", bearer(&(right.clone() + "+/"))),
        ("a dot in front", format!("Bearer .{right}")),
        ("quoted", format!("Bearer \"{right}\"")),
        ("the payload of another", format!("Bearer {}.{}.{}", parts[0], right.split('.').nth(1).unwrap_or_default(), parts[2])),
        ("oversized", bearer(&longer)),
        ("Latin-1", "Bearer \u{e9}\u{e8}\u{ff}".to_owned()),
        ("Unicode within", format!("Bearer {}\u{c2}\u{a0}", right)),
        ("a signature that begins as the right one", format!("Bearer {}", &right[..right.len() - 4])),
    ];
    all.extend(texts.map(|(what, value)| jwt(&format!("JWT: {what}"), value)));
    all.extend([
        jwt("JWT: two headers, the right one first", bearer(&right)).header("authorization", &bearer(&forged)),
        jwt("JWT: two headers, the right one last", bearer(&forged)).header("Authorization", &bearer(&right)),
        jwt("JWT: the same header twice", bearer(&right)).header("authorization", &bearer(&right)),
        Credential::new("JWT: in X-Authorization").header("x-authorization", &bearer(&right)),
        Credential::new("JWT: in Proxy-Authorization").header("proxy-authorization", &bearer(&right)),
        Credential::new("JWT: in a cookie").header("cookie", &format!("authorization={right}; token={right}")),
        Credential::new("JWT: as access_token in the query").query(&format!("access_token={right}&authorization={right}")),
        Credential::new("JWT: twice in the query").query(&format!("token={forged}&token={right}")),
        Credential::new("JWT: the right one first in the query").query(&format!("token={right}&token={forged}")),
        Credential::new("JWT: an expired one in the query")
            .query(&format!("token={}", token("rs256", json!({}), with(json!({ "exp": "now-5" }))))),
        Credential::new("JWT: none in the query").query("token="),
        Credential::new("JWT: a query name in another case").query(&format!("Token={right}")),
    ]);
    all
}

fn pool_tokens(now: Duration) -> Vec<Credential> {
    let id = json!({ "iss": POOL, "aud": "app", "token_use": "id", "sub": "me", "iat": "now-60", "exp": "now+900" });
    let access = json!({ "iss": POOL, "client_id": "app", "token_use": "access", "iat": "now-60", "exp": "now+900",
        "scope": "openid api/write" });
    let token = |base: &Value, key: &str, header: Value, change: Value| {
        format!("Bearer {}", made(json!({ "key": key, "header": header, "claims": merged(base, &change) }), now))
    };
    let shown = |name: &str, value: &str| Credential::new(name).header("authorization", value);
    let right = token(&id, "rs256", json!({}), json!({}));
    let mut all = vec![
        shown("ID token", &right).worth(|w| w.pool = Some((TokenUse::Id, &[]))),
        shown("access token", &token(&access, "rs256", json!({}), json!({})))
            .worth(|w| w.pool = Some((TokenUse::Access, &["openid", "api/write"]))),
        shown("access token of another scope", &token(&access, "rs256", json!({}), json!({ "scope": "openid api/write2" })))
            .worth(|w| w.pool = Some((TokenUse::Access, &["openid", "api/write2"]))),
        shown("ID token that claims scopes", &token(&id, "rs256", json!({}), json!({ "scope": "api/write" })))
            .worth(|w| w.pool = Some((TokenUse::Id, &["api/write"]))),
    ];
    let wrong = [
        ("expired", &id, "rs256", json!({}), json!({ "exp": "now-5" })),
        ("of another pool", &id, "rs256", json!({}), json!({ "iss": format!("{POOL}2") })),
        ("of another region", &id, "rs256", json!({}), json!({ "iss": POOL.replace("us-east-1.", "us-east-2.") })),
        ("of the JWT issuer", &id, "rs256", json!({}), json!({ "iss": ISSUER })),
        ("without token_use", &id, "rs256", json!({}), json!({ "token_use": null })),
        ("of another token_use", &id, "rs256", json!({}), json!({ "token_use": "refresh" })),
        ("of a list of uses", &id, "rs256", json!({}), json!({ "token_use": ["id"] })),
        ("for ever", &id, "rs256", json!({}), json!({ "exp": null })),
        ("not yet", &access, "rs256", json!({}), json!({ "nbf": "now+120" })),
        ("issued later", &id, "rs256", json!({}), json!({ "iat": "now+120" })),
        ("alg none", &id, "none", json!({}), json!({})),
        ("HS256 with the public key", &id, "hs256-with-rsa-public-key", json!({}), json!({})),
        ("HS256 with the public key and its kid", &access, "hs256-with-rsa-public-key", json!({ "kid": "rsa" }), json!({})),
        ("an unknown kid", &id, "rs256", json!({ "kid": "nobody" }), json!({})),
        ("crit", &id, "rs256", json!({ "crit": ["exp"] }), json!({})),
    ];
    all.extend(
        wrong.map(|(what, base, key, header, change)| shown(&format!("Cognito: {what}"), &token(base, key, header, change))),
    );
    let forged = format!("Bearer {}", made(json!({ "key": "rs256", "corrupt": "signature", "claims": id }), now));
    all.extend([
        shown("Cognito: a bad signature", &forged),
        shown("Cognito: two headers", &forged).header("authorization", &right),
        shown("Cognito: two headers, the right one first", &right).header("authorization", &forged),
        shown("Cognito: joined", &format!("{right},{forged}")),
        shown("Cognito: Basic", &right.replace("Bearer", "Basic")),
        Credential::new("Cognito: in another header").header("x-amz-security-token", &right).header("x-token", &right),
    ]);
    all
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
        after("another method's signature", |_| {}).signed_for(Some("PATCH"), None),
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
        presigned("presigned for another method", |_| {}).signed_for(Some("PATCH"), None),
        presigned("presigned, one more parameter", |s| s.after.query = Some("x=1".to_owned())),
        presigned("presigned twice", |s| s.after.query = Some("X-Amz-Signature=00".to_owned())),
        signed("IAM: presigned and expired", user, |s| (s["presign"], s["expires"], s["offsetSeconds"]) = (true.into(), "60".into(), (-120).into()), |_| {}),
        signed("IAM: presigned for ever", user, |s| (s["presign"], s["expires"]) = (true.into(), "9999999".into()), |_| {}),
        Credential::new("IAM: the name of the algorithm alone").header("authorization", "AWS4-HMAC-SHA256"),
        Credential::new("IAM: an empty signature").header("authorization", "AWS4-HMAC-SHA256 Credential=AKIDALL/20260102/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=").header("x-amz-date", "20260102T030405Z"),
        Credential::new("IAM: an access key alone").header("x-amz-access-key", "AKIDALL").header("authorization", "AKIDALL"),
    ]
}

fn bad_tokens() -> Vec<Credential> {
    let shown = |name: &str, value: &str| Credential::new(&format!("TOKEN: {name}")).header("authorization", value);
    let other = |name: &str, value: &str| Credential::new(&format!("TOKEN: {name}")).header("x-token", value);
    let mut all = Vec::new();
    // The function would know these: the expression, or what an identity is, has to stop them.
    let mismatches = [
        ("empty", ""),
        ("a space", " "),
        ("another scheme", "Basic tok-abc"),
        ("no scheme", "tok-abc"),
        ("another case", "Bearer TOK-abc"),
        ("digits", "Bearer tok-123"),
        ("more in front", "xBearer tok-abc"),
        ("more behind", "Bearer tok-abc; admin"),
        ("a second token behind", "Bearer tok-abc,Bearer tok-abc"),
        ("a tab", "Bearer\ttok-abc"),
        ("two spaces", "Bearer  tok-abc"),
        ("nothing behind the dash", "Bearer tok-"),
        ("Latin-1", "Bearer tok-ab\u{e7}"),
        ("an encoded letter", "Bearer tok-%61bc"),
    ];
    all.extend(mismatches.map(|(name, value)| shown(name, value).word(Word::Known, value)));
    all.extend([
        shown("two headers", "Bearer tok-abc").header("authorization", "Bearer tok-abc").word(Word::Known, "-"),
        shown("two headers, one wrong", "Bearer tok-abc").header("authorization", "x").word(Word::Known, "-"),
        other("X-Token empty", "").word(Word::Known, "-"),
        other("X-Token twice", "letmein").header("x-token", "letmein").word(Word::Known, "-"),
        other("X-Token twice, one wrong", "letmein").header("X-Token", "wrong").word(Word::Known, "-"),
        other("X-Token that is no UTF-8", "letmein\u{ff}").word(Word::Known, "-"),
        Credential::new("TOKEN: in the query").query("authorization=Bearer%20tok-abc&x-token=letmein").word(Word::Known, "-"),
        Credential::new("TOKEN: in X_Token").header("x_token", "letmein").word(Word::Known, "-"),
    ]);
    for (place, word) in WORDS.into_iter().filter(|word| *word != Word::Known).enumerate() {
        let letter = char::from(b'a' + u8::try_from(place).expect("there are few words"));
        let (bearer, value) = (format!("Bearer tok-z{letter}"), format!("bad-{letter}"));
        let says = (word == Word::Elsewhere).then_some(&ELSEWHERE);
        all.push(shown(&format!("the function says {word:?}"), &bearer).word(word, &bearer).worth(|w| w.token = says));
        all.push(
            other(&format!("X-Token, and the function says {word:?}"), &value).word(word, &value).worth(|w| w.any_token = says),
        );
    }
    all
}

fn bad_identities() -> Vec<Credential> {
    let shown =
        |name: &str, user: &str, tenant: &str| Credential::new(&format!("REQUEST: {name}")).header("x-user", user).query(tenant);
    let mut all = vec![
        Credential::new("REQUEST: no user").query("tenant=acme").word(Word::Known, "-"),
        // Simple authorizers ask for the user alone.
        Credential::new("REQUEST: no tenant").header("x-user", "alice").word(Word::Known, "alice").worth(|w| w.user = true),
        shown("an empty tenant", "alice", "tenant=").word(Word::Known, "alice").worth(|w| w.user = true),
        shown("a tenant without a value", "alice", "tenant").word(Word::Known, "alice").worth(|w| w.user = true),
        shown("a tenant in another case", "alice", "Tenant=acme").word(Word::Known, "alice").worth(|w| w.user = true),
        shown("an empty user", "", "tenant=acme").word(Word::Known, "-"),
        shown("a user that is no UTF-8", "alice\u{ff}", "tenant=acme").word(Word::Known, "-"),
        Credential::new("REQUEST: both in the query").query("x-user=alice&tenant=acme").word(Word::Known, "-"),
        Credential::new("REQUEST: both in headers")
            .header("x-user", "alice")
            .header("tenant", "acme")
            .word(Word::Known, "alice")
            .worth(|w| w.user = true),
        // HTTP APIs join what is repeated, and ask; the function knows nobody of that name.
        shown("two users", "alice", "tenant=acme").header("x-user", "mallory").word(Word::Denied, "alice,mallory"),
        shown("two users, the known one last", "mallory", "tenant=acme")
            .header("x-user", "alice")
            .word(Word::Denied, "mallory,alice"),
    ];
    for (place, word) in WORDS.into_iter().filter(|word| *word != Word::Known).enumerate() {
        let user = format!("user-{place}");
        let says = (word == Word::Elsewhere).then_some(&ELSEWHERE);
        let credential = shown(&format!("the function says {word:?}"), &user, "tenant=acme").word(word, &user);
        all.push(credential.worth(|w| w.user_and_tenant = says));
    }
    all
}

/// Headers that only somebody in front of the gateway, or the gateway itself, may be believed.
fn claims_of_the_gateway() -> Vec<Credential> {
    let lists: [(&str, &[(&str, &str)]); 14] = [
        ("a cluster", &[("x-tollgate-cluster", "backend.test")]),
        ("a path of Envoy", &[("x-envoy-original-path", "/prod/other"), ("x-envoy-decorator-operation", "open")]),
        ("an internal address", &[("x-envoy-internal", "true"), ("x-forwarded-for", "127.0.0.1, 10.0.0.1")]),
        (
            "a trusted proxy",
            &[("x-forwarded-for", "10.0.0.1"), ("x-real-ip", "10.0.0.1"), ("forwarded", "for=10.0.0.1;host=live.test")],
        ),
        (
            "another path",
            &[("x-original-url", "/prod/other"), ("x-rewrite-url", "/prod/other"), ("x-forwarded-uri", "/prod/other")],
        ),
        ("another host", &[("x-forwarded-host", "fall.test"), ("x-host", "fall.test")]),
        ("another prefix", &[("x-forwarded-prefix", "/policed"), ("x-script-name", "/other")]),
        ("another method, not AWS's header", &[("x-method-override", "POST"), ("x-http-method", "POST")]),
        ("an authorizer's context", &[("x-amzn-authorizer", "{\"principalId\":\"root\"}"), ("x-apigw-principal", "root")]),
        ("ids", &[("x-amzn-requestid", "1"), ("x-amz-apigw-id", "1"), ("x-amzn-apigateway-api-id", "main")]),
        ("a preflight", &[("origin", "https://app.test"), ("access-control-request-method", "GET")]),
        ("half a preflight", &[("origin", "https://app.test")]),
        ("an upgrade", &[("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13")]),
        ("a user of TLS", &[("x-forwarded-client-cert", "By=x;Subject=\"CN=root\""), ("x-ssl-client-verify", "SUCCESS")]),
    ];
    let claim = |(name, lines): (&str, &[(&str, &str)])| {
        let credential = lines.iter().fold(Credential::new(&format!("claims {name}")), |c, (n, v)| c.header(n, v));
        // Envoy refuses what it cannot upgrade; nobody else looks at it.
        credential.worth(|w| w.unsure = (name == "an upgrade").then_some("upgrade"))
    };
    lists.map(claim).into()
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

fn made(token: Value, now: Duration) -> String {
    let tokens: Tokens = serde_json::from_value(json!({ "it": token })).expect("it is a token of case files");
    put_tokens("{{token:it}}", &tokens, now)
}

/// Null takes away.
fn merged(base: &Value, change: &Value) -> Value {
    let mut out = base.as_object().expect("claims are an object").clone();
    out.extend(change.as_object().expect("and so are changes").clone());
    out.retain(|_, value| !value.is_null());
    out.into()
}

// === impl Credential ===

impl Credential {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            headers: Vec::new(),
            query: None,
            sign: None,
            signed_for: (None, None),
            word: Word::Denied,
            identity: None,
            worth: Worth::default(),
        }
    }

    fn known(name: &str, build: impl Fn(Self) -> Self, worth: impl Fn(&mut Worth)) -> Self {
        let credential = build(Self::new(name)).worth(worth);
        let identity = credential.headers[0].1.clone();
        credential.word(Word::Known, &identity)
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn query(mut self, query: &str) -> Self {
        self.query = Some(query.to_owned());
        self
    }

    fn word(mut self, word: Word, identity: &str) -> Self {
        (self.word, self.identity) = (word, Some(identity.to_owned()));
        self
    }

    fn worth(mut self, change: impl Fn(&mut Worth)) -> Self {
        change(&mut self.worth);
        self
    }

    fn signed_for(mut self, method: Option<&'static str>, path: Option<&'static str>) -> Self {
        self.signed_for = (method, path);
        self
    }

    fn worth_of(self, user: &User) -> Self {
        let user = USERS.iter().find(|other| other.key == user.key).expect("it is one of ours");
        self.worth(|worth| worth.signer = Some(user))
    }

    /// The request of somebody who shows this; it is signed as it is sent.
    pub fn show(&self, mut request: Request, now: Duration) -> Request {
        request.headers.extend(self.headers.iter().cloned());
        if let Some(query) = &self.query {
            request.path.push(if request.path.contains('?') { '&' } else { '?' });
            request.path.push_str(query);
        }
        let Some(mut sign) = self.sign.clone() else { return request };
        let (method, path) = self.signed_for;
        if let Some(method) = method {
            sign.after.method = Some(std::mem::replace(&mut request.method, method.to_owned()));
        }
        if let Some(path) = path {
            let (sent, query) = request.path.split_at(request.path.find('?').unwrap_or(request.path.len()));
            sign.after.path = Some(sent.to_owned());
            request.path = format!("{path}{query}");
        }
        request.sign = Some(sign);
        request.at(now, &Tokens::new())
    }
}
