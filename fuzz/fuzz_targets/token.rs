//! Tokens: [`Unverified::parse`] and `verify`.
//!
//! The input is a token; or, with a line feed in it, a header and a payload, which are signed here. So claims are reached that no
//! mutation of a signed token would reach, and it can be told whether the verification of a host and our own agree on them.

#![no_main]

use jwt_simple::algorithms::{ECDSAP256KeyPairLike, ES256KeyPair};
use jwt_simple::reexports::ct_codecs::{Base64UrlSafeNoPadding, Decoder, Encoder};
use libfuzzer_sys::fuzz_target;
use p256::ecdsa::Signature;
use p256::ecdsa::signature::Signer;
use std::sync::LazyLock;
use tollgate::jose::{Algorithm, Claims, HostVerifier, KeySet, Origin, Rejection, Unverified};

/// The public keys of RFC 7515, appendices A.2 and A.3, and of RFC 8037, appendix A; named as Project Wycheproof names its own,
/// whose tokens are among the seeds.
const PUBLIC: &str = r#"{"keys":[
  {"kty":"RSA","kid":"kid-rsa-sign","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
  {"kty":"EC","kid":"kid-ec-sign","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
  {"kty":"OKP","kid":"ed","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// The secret of RFC 7515, appendix A.1.
const SECRET: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

/// The private half of the EC key.
const EC_SCALAR: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

/// What was signed with those keys before they were published, which anybody can send.
const PUBLISHED: [&str; 3] = [
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
];

struct Keys {
    public: KeySet,
    secret: KeySet,
    raw_secret: Vec<u8>,
    signer: ES256KeyPair,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let set = |text: &str| {
        let (keys, skipped) = KeySet::parse(text.as_bytes(), Origin::Document).expect("our own keys");
        assert!(skipped.is_empty(), "{skipped:?}");
        keys
    };
    let decoded = |text: &str| Base64UrlSafeNoPadding::decode_to_vec(text, None).expect("our own keys");
    Keys {
        public: set(PUBLIC),
        secret: set(&format!(r#"{{"keys":[{{"kty":"oct","kid":"hs256-key","k":"{SECRET}"}}]}}"#)),
        raw_secret: decoded(SECRET),
        signer: ES256KeyPair::from_bytes(&decoded(EC_SCALAR)).expect("our own keys"),
    }
});

/// A host that says the same to everything.
struct Says(Option<bool>);

impl HostVerifier for Says {
    fn verify(&self, _: &str, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        self.0
    }
}

type Verdict = Result<Claims, Rejection>;

fn verdict(token: &str, keys: &KeySet, host: Option<&dyn HostVerifier>) -> Verdict {
    Unverified::parse(token).and_then(|token| token.verify(keys, host))
}

/// The verdict, the same however often it is asked for and with whatever host that cannot tell.
fn settled(token: &str, keys: &KeySet) -> Verdict {
    let verdict = verdict(token, keys, None);
    assert_eq!(verdict, self::verdict(token, keys, Some(&Says(None))), "{token}");
    if let Ok(claims) = &verdict {
        check(claims);
        let again = Unverified::parse(token).expect("a token that was verified is one");
        assert!(keys.contains(again.kid(), again.algorithm()), "{token}");
    }
    verdict
}

/// What everybody who gets claims relies on.
fn check(claims: &Claims) {
    for seconds in [claims.exp(), claims.nbf(), claims.iat()].into_iter().flatten() {
        assert!(seconds.is_finite() && seconds >= 0.0, "{claims:?}");
    }
    for (name, found) in [("exp", claims.exp().is_some()), ("nbf", claims.nbf().is_some()), ("iat", claims.iat().is_some())] {
        assert_eq!(claims.get(name).is_some(), found, "{claims:?}");
    }
    assert_eq!(claims.get("iss").is_some(), claims.iss().is_some(), "{claims:?}");
    assert_eq!(claims.get("sub").is_some(), claims.sub().is_some(), "{claims:?}");
    assert_eq!(claims.as_map().len(), claims.iter().count());
}

/// A token of this header and payload, rightly signed by the secret where the header says so, else by the EC key.
fn signed(header: &[u8], payload: &[u8]) -> Option<String> {
    let encode = |bytes: &[u8]| Base64UrlSafeNoPadding::encode_to_string(bytes).expect("base64 has no limit");
    let text = format!("{}.{}", encode(header), encode(payload));
    // Not signed in vain.
    let algorithm = Unverified::parse(&format!("{text}.AA")).ok()?.algorithm();
    let signature = if algorithm == Algorithm::Hs256 {
        hmac_sha256::HMAC::mac(&text, &KEYS.raw_secret).to_vec()
    } else {
        let signature: Signature = KEYS.signer.key_pair().as_ref().sign(text.as_bytes());
        signature.to_bytes().to_vec()
    };
    Some(format!("{text}.{}", encode(&signature)))
}

fn judge_signed(header: &[u8], payload: &[u8]) {
    let Some(token) = signed(header, payload) else { return };
    let algorithm = Unverified::parse(&token).map(|token| token.algorithm());
    let (by_public, by_secret) = (settled(&token, &KEYS.public), settled(&token, &KEYS.secret));
    assert!(by_public.is_err() || by_secret.is_err(), "{token}");
    match algorithm {
        Ok(Algorithm::Es256) => {
            assert_ne!(by_public.as_ref().err(), Some(&Rejection::Signature), "{token}");
            // Two ways, one verdict.
            assert_eq!(by_public, verdict(&token, &KEYS.public, Some(&Says(Some(true)))), "{token}");
        }
        Ok(Algorithm::Hs256) => {
            assert_ne!(by_secret.as_ref().err(), Some(&Rejection::Signature), "{token}");
            assert!(by_public.is_err(), "{token}");
        }
        _ => assert!(by_public.is_err() && by_secret.is_err(), "signed with another key: {token}"),
    }
    assert!(verdict(&token, &KEYS.public, Some(&Says(Some(false)))).is_err(), "{token}");
}

fn judge_sent(token: &str) {
    for keys in [&KEYS.public, &KEYS.secret] {
        let verdict = settled(token, keys);
        assert_eq!(verdict, self::verdict(token, keys, None), "{token}");
        // Nobody forges a signature.
        let text = token.rsplit_once('.').map_or("", |(text, _)| text);
        assert!(verdict.is_err() || PUBLISHED.contains(&text), "{token}");
        // Whatever a host believes, the claims are what claims are.
        if let Ok(claims) = self::verdict(token, keys, Some(&Says(Some(true)))) {
            check(&claims);
        }
    }
}

fuzz_target!(|data: &[u8]| {
    if let Some(end) = data.iter().position(|byte| *byte == b'\n') {
        judge_signed(&data[..end], &data[end + 1..]);
    } else if let Ok(token) = std::str::from_utf8(data) {
        judge_sent(token);
    }
});
