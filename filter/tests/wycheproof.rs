//! Project Wycheproof's vectors for JSON Web Signatures and Keys (Apache-2.0, read from `shared/corpora`), and the promise that both
//! ways of verification give one verdict: every vector and every mutation goes both ways.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic; helpers beside the test count as code"
)]

use serde_json::{Value, json};
use std::fs;
use tollgate::jose::{Claims, HostVerifier, KeySet, Origin, Rejection, Unverified};

#[path = "../src/jose/testing.rs"]
mod testing;

use testing::{Ring, Signer, base64url};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora/wycheproof");

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
    let (mut exceptions, mut failures) = (Vec::new(), Vec::new());
    let (mut judged, mut all, mut twins) = (0, 0, 0);
    for file in ["json_web_signature_test", "json_web_key_test", "json_web_crypto_test"] {
        let path = format!("{CORPUS}/{file}.json");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}; clone `shared` beside this folder"));
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
