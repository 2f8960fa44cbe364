//! Credentials that are good: no fuzzer finds one by luck.

use crate::START_MILLIS;
use hmac_sha256::{HMAC, Hash};
use jwt_simple::reexports::ct_codecs::{Base64UrlSafeNoPadding, Encoder};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The secret of tokens by HS256.
const SECRET: [u8; 32] = [7; 32];

/// Who signs requests.
pub const ACCESS_KEY: &str = "AKIDEXAMPLE";
/// With what.
pub const SECRET_KEY: &str = "the fuzzer's own secret";

static SIGNER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_slice(&[9; 32]).expect("a scalar of the curve"));

fn base64url(bytes: &[u8]) -> String {
    Base64UrlSafeNoPadding::encode_to_string(bytes).expect("base64 has no limit")
}

/// What is signed of a token.
fn text(header: &Value, claims: &[u8]) -> String {
    format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims))
}

/// The keys of whoever signs by a secret.
pub fn secret_keys() -> Value {
    json!({"keys": [{"kty": "oct", "kid": "s", "k": base64url(&SECRET)}]})
}

/// A token of such claims by the secret.
pub fn secret_token(claims: &[u8]) -> String {
    let text = text(&json!({"alg": "HS256", "kid": "s"}), claims);
    format!("{text}.{}", base64url(&HMAC::mac(text.as_bytes(), SECRET)))
}

/// The keys of an issuer that publishes them.
pub fn public_keys(kid: &str) -> Value {
    let point = SIGNER.verifying_key().to_sec1_point(false);
    let (x, y) = (point.x().expect("a point"), point.y().expect("a point"));
    json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": kid, "x": base64url(x), "y": base64url(y)}]})
}

/// A token of such claims by the key that is published.
pub fn public_token(kid: &str, claims: &Value) -> String {
    let text = text(&json!({"alg": "ES256", "kid": kid}), claims.to_string().as_bytes());
    let signature: Signature = SIGNER.sign(text.as_bytes());
    format!("{text}.{}", base64url(&signature.to_bytes()))
}

/// The headers that sign a request without a body, at the moment at which each [`World`](crate::World) begins.
pub fn signed_headers(method: &str, path: &str, host: &str) -> [(&'static str, String); 2] {
    const DATE: &str = "20260102T030405Z";
    const SCOPE: &str = "20260102/us-east-1/execute-api/aws4_request";
    assert_eq!(START_MILLIS, 1_767_323_045_000, "which is this date");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let canonical = format!("{method}\n{path}\n\nhost:{host}\nx-amz-date:{DATE}\n\nhost;x-amz-date\n{}", hex(&Hash::hash(b"")));
    let text = format!("AWS4-HMAC-SHA256\n{DATE}\n{SCOPE}\n{}", hex(&Hash::hash(canonical.as_bytes())));
    let first = format!("AWS4{SECRET_KEY}").into_bytes();
    let key = SCOPE.split('/').fold(first, |key, part| HMAC::mac(part.as_bytes(), key).to_vec());
    let signature = hex(&HMAC::mac(text.as_bytes(), key));
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{SCOPE}, SignedHeaders=host;x-amz-date, Signature={signature}");
    [("authorization", authorization), ("x-amz-date", DATE.to_owned())]
}
