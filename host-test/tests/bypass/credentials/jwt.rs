//! JSON Web Tokens, right ones and wrong ones.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Credential, Worth, made, merged};
use crate::bypass::documents::ISSUER;

/// All of them.
pub fn all(now: Duration) -> Vec<Credential> {
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
