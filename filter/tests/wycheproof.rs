//! Project Wycheproof's vectors for JSON Web Signatures and Keys (Apache-2.0, read from `shared/corpora`), and the promise that both
//! ways of verification give one verdict: every vector and every mutation goes both ways.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic; helpers beside the test count as code"
)]

use jwt_simple::reexports::ct_codecs::{Base64UrlSafeNoPadding, Decoder};
use serde_json::{Value, json};
use std::fs;
use tollgate::jose::{Claims, HostVerifier, KeySet, Origin, Rejection, Unverified};

mod beside;
#[path = "../src/jose/testing.rs"]
mod testing;

use beside::beside;
use testing::{Ring, Signer, base64url};

/// Invalid by the corpus, and byte for byte the token of the valid vector 357: what was invalid of them is lost.
const TWINS_OF_VALID: [(&str, u64); 2] = [("json_web_signature_test", 367), ("json_web_signature_test", 370)];

/// Valid by the corpus and refused all the same, and why.
const REFUSED_VALID: [(&str, u64, Rejected, &str); 10] = [
    ("json_web_signature_test", 346, Rejected::Token(Rejection::Algorithm), "the key is for PS256, the token is of PS384"),
    ("json_web_signature_test", 347, Rejected::Token(Rejection::Algorithm), "ES512 is not supported"),
    ("json_web_signature_test", 350, Rejected::Token(Rejection::Algorithm), "the key is for PS256, the token is of PS384"),
    ("json_web_signature_test", 351, Rejected::Token(Rejection::Algorithm), "ES512 is not supported"),
    ("json_web_signature_test", 372, Rejected::Token(Rejection::Malformed), "`?` in base64url, against RFC 7515 (as 371 has it)"),
    ("json_web_signature_test", 373, Rejected::Token(Rejection::Malformed), "`?` in base64url, against RFC 7515 (as 371 has it)"),
    ("json_web_key_test", 14, Rejected::Token(Rejection::Algorithm), "HS384 is not supported"),
    ("json_web_key_test", 15, Rejected::Token(Rejection::Algorithm), "HS512 is not supported"),
    ("json_web_crypto_test", 50, Rejected::Token(Rejection::Malformed), "JWE is not supported"),
    ("json_web_crypto_test", 67, Rejected::Token(Rejection::Malformed), "JWE is not supported"),
];

const VECTOR_357: &str = "eyJraWQiOiJoczI1Ni1rZXkiLCJhbGciOiJIUzI1NiJ9.VGVzdA.c1LROH7eNQwUT8KMVEO52VC3WZ9e_AnDWbZ7aMmowV8";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Rejected {
    KeySet,
    Token(Rejection),
}

type Verdict = Result<Claims, Rejection>;

fn verdict(token: &str, keys: &KeySet, host: Option<&dyn HostVerifier>) -> Verdict {
    Unverified::parse(token).and_then(|token| token.verify(keys, host))
}

/// The verdict of both ways.
fn verdicts(token: &str, keys: &KeySet) -> Verdict {
    let (here, by_host) = (verdict(token, keys, None), verdict(token, keys, Some(&Ring)));
    assert_eq!(here, by_host, "verified here, and by the host: {token}");
    here
}

/// What the group's keys say of a token. Public keys are as fetched ones; a set of secrets can only be the document's.
fn judge(group: &Value, token: &str) -> Result<(), Rejected> {
    let public = group.get("public");
    let key = public.unwrap_or(&group["private"]);
    let set = if key.get("keys").is_some() { key.clone() } else { json!({"keys": [key]}) };
    let origin = if public.is_some() { Origin::Fetched } else { Origin::Document };
    let (keys, _) = KeySet::parse(set.to_string().as_bytes(), origin).map_err(|_| Rejected::KeySet)?;
    match verdicts(token, &keys) {
        // The payloads are no claims: what counts is that the signature is right.
        Ok(_) | Err(Rejection::Claims) => Ok(()),
        Err(rejection) => Err(Rejected::Token(rejection)),
    }
}

#[test]
fn every_vector_is_judged_as_it_should_be() {
    let Some(corpus) = beside("corpora/wycheproof") else { return };
    let (mut exceptions, mut failures) = (Vec::new(), Vec::new());
    let (mut judged, mut all, mut twins) = (0, 0, 0);
    for file in ["json_web_signature_test", "json_web_key_test", "json_web_crypto_test"] {
        let path = corpus.join(format!("{file}.json"));
        let text = fs::read_to_string(&path).unwrap();
        let corpus: Value = serde_json::from_str(&text).unwrap();
        let (mut accepted, mut rejected, mut excepted) = (0, 0, 0);
        for group in corpus["testGroups"].as_array().unwrap() {
            for test in group["tests"].as_array().unwrap() {
                let id = test["tcId"].as_u64().unwrap();
                // A JWE, or a text in JSON serialisation, is a token like any other.
                let token = ["jws", "jwe"].iter().find_map(|kind| test.get(*kind)).unwrap();
                let token = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
                let exception = REFUSED_VALID.iter().find(|(of, known, ..)| *of == file && *known == id);
                match (test["result"].as_str().unwrap(), judge(group, &token), exception) {
                    ("valid", Ok(()), None) => accepted += 1,
                    ("invalid", Err(_), None) => rejected += 1,
                    ("invalid", Ok(()), None) if TWINS_OF_VALID.contains(&(file, id)) => {
                        twins += 1;
                        assert_eq!(token, VECTOR_357);
                    }
                    ("valid", Err(why), Some((_, _, expected, reason))) if why == *expected => {
                        excepted += 1;
                        exceptions.push(format!("{file} {id}: {reason}"));
                    }
                    (expected, found, _) => failures.push(format!("{file} {id} {}: {expected}, {found:?}", test["comment"])),
                }
            }
        }
        println!("{file}: {accepted} valid accepted, {rejected} invalid rejected, {excepted} valid refused by intent");
        judged += accepted + rejected + excepted;
        all += corpus["numberOfTests"].as_u64().unwrap();
    }
    println!("{}", exceptions.join("\n"));
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(exceptions.len(), REFUSED_VALID.len());
    assert_eq!((judged, twins, all), (508, 2, 510));
}
/// xorshift64*: the same mutations on every run, but of keys and signatures that are new each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

const MEMBERS: [&str; 18] = [
    "alg", "kid", "typ", "cty", "crit", "b64", "jwk", "jku", "x5c", "salt", "iss", "sub", "aud", "exp", "nbf", "iat", "jti",
    "nonce",
];

const VALUES: [&str; 22] = [
    "null",
    "true",
    "0",
    "-0",
    "-1",
    "1.5",
    "-0.5",
    "1e300",
    "1e400",
    "18446744073709551616",
    "\"\"",
    "\"a\"",
    "\"JWT\"",
    "\"x+jwt\"",
    "\"A\"",
    "\"\\ud800\"",
    "[]",
    "[\"a\"]",
    "[1]",
    "{}",
    "{\"a\":1,\"a\":1}",
    "[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]",
];

/// An object with one member more, or one said twice.
fn with_member(object: &str, random: &mut Random) -> String {
    let member = format!("\"{}\":{}", random.of(&MEMBERS), random.of(&VALUES));
    match random.below(3) {
        0 => object.replacen('{', &format!("{{{member},"), 1),
        1 => format!("{{{member}}}"),
        _ => format!("{},{member}}}", object.trim_end_matches('}')),
    }
}

fn flip(bytes: &mut [u8], random: &mut Random) {
    if !bytes.is_empty() {
        let place = random.below(bytes.len());
        bytes[place] ^= 1 << random.below(8);
    }
}

fn mutated(signer: &Signer, random: &mut Random) -> String {
    let (mut header, mut payload) =
        (signer.header().to_string(), r#"{"iss":"i","exp":9999999999,"aud":["a"],"x":{"y":1}}"#.to_owned());
    match random.below(8) {
        // Rightly signed, of another header or payload.
        0 | 1 => header = with_member(&header, random),
        2..=4 => payload = with_member(&payload, random),
        5 => {
            let mut bytes = payload.into_bytes();
            flip(&mut bytes, random);
            return signer.sign(header, bytes);
        }
        // Signed with one algorithm and called another.
        6 => header = header.replace(signer.algorithm, random.of(&["RS256", "RS384", "PS256", "ES256", "ES384", "HS256", "none"])),
        _ => {}
    }
    let token = signer.sign(&header, &payload);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = signature.as_bytes().to_vec();
    match random.below(12) {
        0 => {
            // Any bytes, perhaps as many as are due.
            let mut raw = vec![0; [64, 96, 256][random.below(3)]];
            raw.iter_mut().for_each(|byte| *byte = random.below(256) as u8);
            format!("{signed}.{}", base64url(raw))
        }
        1 => {
            flip(&mut signature, random);
            format!("{signed}.{}", String::from_utf8_lossy(&signature))
        }
        2 => {
            let mut bytes = token.into_bytes();
            flip(&mut bytes, random);
            String::from_utf8_lossy(&bytes).into_owned()
        }
        3 => token[..random.below(token.len())].to_owned(),
        4 => format!("{token}{}", random.of(&["A", "AA", "=", ".", ".AA", " "])),
        5 => {
            let place = random.below(token.len());
            format!("{}{}{}", &token[..place], random.of(&["A", "_", "=", ".", "+"]), &token[place..])
        }
        _ => token,
    }
}

#[test]
fn both_ways_judge_mutations_alike() {
    let (signers, mut random) = (Signer::all(), Random(0x7011_6a7e));
    let mut counts = std::collections::BTreeMap::new();
    for signer in &signers {
        let mut jwk = signer.jwk.clone();
        for with_algorithm in [true, false] {
            if !with_algorithm {
                jwk.as_object_mut().unwrap().remove("alg");
            }
            let (keys, _) = KeySet::from_value(&json!({"keys": [jwk]}), Origin::Document).unwrap();
            assert_eq!(keys.len(), 1);
            // Half as many where no host is asked.
            let rounds = if matches!(signer.algorithm, "RS256" | "RS384" | "RS512" | "ES256" | "ES384") { 200 } else { 100 };
            for _ in 0..rounds {
                let token = mutated(signer, &mut random);
                let name = match verdicts(&token, &keys) {
                    Ok(_) => "accepted".to_owned(),
                    Err(rejection) => format!("{rejection:?}"),
                };
                *counts.entry(name).or_insert(0) += 1;
            }
        }
    }
    println!("{counts:?}");
    assert_eq!(counts.values().sum::<i32>(), 3000);
    // All verdicts are met but the one of unknown keys, which is rare.
    assert!(["accepted", "Malformed", "Algorithm", "Signature", "Claims"].iter().all(|name| counts[*name] > 10), "{counts:?}");
}

#[test]
fn every_signer_is_believed_both_ways_and_by_no_other_key() {
    let signers = Signer::all();
    for signer in &signers {
        let token = signer.token(r#"{"iss":"i"}"#);
        for other in &signers {
            let mut jwk = other.jwk.clone();
            jwk["kid"] = signer.jwk["kid"].clone();
            let (keys, _) = KeySet::from_value(&json!({"keys": [jwk]}), Origin::Document).unwrap();
            let verdict = verdicts(&token, &keys);
            assert_eq!(verdict.is_ok(), signer.algorithm == other.algorithm, "{} by {}", signer.algorithm, other.algorithm);
        }
    }
}

/// n - s is as right as s, and which of both a signer takes is its own affair: both ways take either.
#[test]
fn the_other_half_of_an_ecdsa_signature_is_right_as_well() {
    // n of P-256.
    let order = [0xffff_ffff_u32, 0x0000_0000, 0xffff_ffff, 0xffff_ffff, 0xbce6_faad, 0xa717_9e84, 0xf3b9_cac2, 0xfc63_2551]
        .map(u32::to_be_bytes)
        .concat();
    let signer = Signer::of("ES256");
    let (keys, _) = KeySet::from_value(&signer.set(), Origin::Fetched).unwrap();
    let token = signer.token("{}");
    assert!(verdicts(&token, &keys).is_ok());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = Base64UrlSafeNoPadding::decode_to_vec(signature, None).unwrap();
    let mut borrow = 0;
    for (digit, of_order) in signature[32..].iter_mut().zip(order).rev() {
        let difference = i32::from(of_order) - i32::from(*digit) - borrow;
        borrow = i32::from(difference < 0);
        *digit = difference.rem_euclid(256) as u8;
    }
    assert!(verdicts(&format!("{signed}.{}", base64url(signature)), &keys).is_ok());
}
