//! Tokens of a user pool, right ones and wrong ones.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Credential, TokenUse, made, merged};
use crate::bypass::documents::{ISSUER, POOL};

/// All of them.
pub fn all(now: Duration) -> Vec<Credential> {
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
