//! Token authorizers from their settings to their verdicts.

#[path = "../../../tests/beside/mod.rs"]
mod beside;

use super::testing::Signer;
use super::*;
use crate::context::{Context, Ids};
use crate::definition::Node;
use crate::flow::{Callout, Ticket};
use crate::gateway_response::{Failure, ResponseType};
use crate::http::{RequestHead, Response, ResponseHead};
use crate::platform::Version;
use crate::problem::Problems;
use beside::beside;
use serde_json::json;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

const NOW: u64 = 1_700_000_000;

/// A host with a clock, and shared data that count their versions.
struct Fake {
    millis: Cell<u64>,
    shared: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    verifications: Cell<u32>,
    /// What it says of signatures.
    verdict: Cell<Option<bool>>,
    /// What another worker shares right after this one has read what is there.
    rival: RefCell<Option<(String, Vec<u8>)>>,
    lines: RefCell<Vec<String>>,
}

impl Default for Fake {
    fn default() -> Self {
        let millis = Cell::new(NOW * 1000);
        let (shared, rival) = (RefCell::default(), RefCell::default());
        let (verifications, verdict) = (Cell::default(), Cell::default());
        Self { millis, shared, verifications, verdict, rival, lines: RefCell::default() }
    }
}

impl Platform for Fake {
    fn now_millis(&self) -> u64 {
        self.millis.get()
    }

    fn monotonic_nanos(&self) -> u64 {
        self.now_millis() * 1_000_000
    }
    fn random(&mut self) -> [u8; 16] {
        [0; 16]
    }
    fn source_address(&self) -> Option<String> {
        None
    }
    fn response_code_details(&self) -> Option<String> {
        None
    }
    fn request_body(&self) -> Vec<u8> {
        Vec::new()
    }
    fn verify_signature(&self, _: &str, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        self.verifications.set(self.verifications.get() + 1);
        self.verdict.get()
    }
    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        let found = self.shared.borrow().get(key).cloned();
        let rival = self.rival.borrow_mut().take_if(|(rival, _)| rival == key);
        if let Some((key, value)) = rival {
            self.set_shared_data(&key, &value, Version::Any);
        }
        found
    }
    fn set_shared_data(&self, key: &str, value: &[u8], version: Version) -> bool {
        let mut shared = self.shared.borrow_mut();
        let current = shared.get(key).map(|(_, version)| *version);
        let fits = match version {
            Version::Any => true,
            Version::Missing => current.is_none(),
            Version::Is(version) => current == Some(version),
        };
        if fits {
            shared.insert(key.to_owned(), (value.to_vec(), current.unwrap_or(0) + 1));
        }
        fits
    }
    fn log(&self, level: Level, message: &str) {
        if level > Level::Debug {
            self.lines.borrow_mut().push(format!("{level:?} {message}"));
        }
    }
}

/// An authorizer with the keys of its issuers.
struct Compiled {
    authorizer: Option<Arc<dyn Authorizer>>,
    keys: IssuerKeys,
    told: Vec<String>,
}

fn compile(protocol: Protocol, document: &Value, scheme: &Value) -> Compiled {
    let mut problems = Problems::default();
    let root = Node::root(document);
    let scheme = Node::root(scheme);
    let outline = crate::definition::Outline::from_value(document);
    let mut directory = crate::definition::Document::read(&outline, &mut Problems::default()).directory;
    let mut issuers = Issuers::read(root.get("issuers").as_ref(), &mut problems);
    let variables = BTreeMap::from([("pool".to_owned(), "eu-west-1_A".to_owned())]);
    let authorizer = {
        let mut scope = AuthorizerScope {
            protocol,
            variables: &variables,
            directory: &mut directory,
            issuers: &mut issuers,
            problems: &mut problems,
        };
        let authorizer = scheme.get("x-amazon-apigateway-authorizer").unwrap();
        let is_cognito = authorizer.get("type").unwrap().value == "cognito_user_pools";
        let requirement = SchemeRequirement { name: "s", scheme: scheme.clone(), authorizer, scopes: Vec::new() };
        if is_cognito { Cognito::compile(&requirement, &mut scope) } else { Jwt::compile(&requirement, &mut scope) }
    };
    let keys = issuers.into_keys(&directory, &mut problems);
    Compiled { authorizer, keys, told: problems.into_vec().iter().map(ToString::to_string).collect() }
}

fn upstreams(hosts: &[&str]) -> Value {
    hosts
        .iter()
        .map(|host| ((*host).to_owned(), json!({"cluster": format!("to-{host}")})))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The HTTP API's authorizer for `https://i.test`, whose keys stand in the document.
fn http(keys: &[&Signer]) -> Arc<dyn Authorizer> {
    let keys: Vec<_> = keys.iter().map(|signer| signer.jwk.clone()).collect();
    let document = json!({"issuers": {"https://i.test": {"jwks": {"keys": keys}}}});
    let compiled = compile(Protocol::Http, &document, &http_scheme());
    assert_eq!(compiled.told, [""; 0]);
    assert_eq!(compiled.keys.period_millis(), None);
    compiled.authorizer.unwrap()
}

fn http_scheme() -> Value {
    json!({"type": "oauth2", "x-amazon-apigateway-authorizer": {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {"issuer": "https://i.test", "audience": ["a", "b"]},
    }})
}

fn context(headers: &[(&str, &str)]) -> Context {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    let head = RequestHead { method: "GET".to_owned(), path: b"/".to_vec(), headers, ..RequestHead::default() };
    Context::new(Ids::new([1; 16]), head)
}

fn ask(authorizer: &dyn Authorizer, fake: &mut Fake, token: &str, scopes: &[&str]) -> Result<AuthorizerFacts, Failure> {
    let scopes: Vec<_> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let context = context(&[("authorization", token)]);
    match authorizer.authorize(&Demand { context: &context, scopes: &scopes }, fake) {
        Verdict::Granted(grant) => Ok(grant.facts),
        Verdict::Refused(failure) => Err(failure),
        Verdict::Call(callout) => panic!("{callout:?}"),
    }
}

fn refused(refusal: Refusal, manner: Manner) -> Result<AuthorizerFacts, Failure> {
    Err(refusal.failure(manner, &[]))
}

/// A payload that passes, but for these changes; null takes a claim away.
fn payload(changes: Value) -> String {
    let mut payload = json!({"iss": "https://i.test", "aud": "a", "exp": NOW + 600, "sub": "u"});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(payload.as_object_mut().unwrap().remove(name)),
            value => payload[name.as_str()] = value.clone(),
        }
    }
    payload.to_string()
}

#[test]
fn each_claim_is_looked_at() {
    let signer = Signer::public("k", 1);
    let authorizer = http(&[&signer]);
    let rows = [
        (json!({}), None),
        (json!({"iss": "https://i.test/"}), Some(Refusal::Issuer)),
        (json!({"iss": "https://I.test"}), Some(Refusal::Issuer)),
        (json!({"iss": null}), Some(Refusal::Issuer)),
        (json!({"iss": null, "aud": null}), Some(Refusal::Issuer)),
        (json!({"aud": "c"}), Some(Refusal::Audience)),
        (json!({"aud": "A"}), Some(Refusal::Audience)),
        (json!({"aud": []}), Some(Refusal::Audience)),
        (json!({"aud": ["c", "b"]}), None),
        (json!({"aud": null}), Some(Refusal::Audience)),
        (json!({"aud": null, "client_id": "b"}), None),
        (json!({"aud": null, "client_id": ["b"]}), Some(Refusal::Audience)),
        (json!({"aud": "c", "client_id": "b"}), Some(Refusal::Audience)),
        (json!({"aud": [], "client_id": "b"}), Some(Refusal::Audience)),
        (json!({"exp": NOW}), Some(Refusal::Expired)),
        (json!({"exp": NOW as f64 + 0.5}), None),
        (json!({"exp": null}), Some(Refusal::Expired)),
        (json!({"exp": "1800000000"}), Some(Refusal::Claims)),
        (json!({"exp": 1e300}), None),
        (json!({"nbf": NOW}), None),
        (json!({"nbf": NOW + 1}), Some(Refusal::TooEarly)),
        (json!({"nbf": NOW as f64 + 0.1}), Some(Refusal::TooEarly)),
        (json!({"iat": NOW}), None),
        (json!({"iat": NOW + 1}), Some(Refusal::IssuedLater)),
    ];
    for (changes, refusal) in rows {
        let mut fake = Fake::default();
        let asked = ask(&*authorizer, &mut fake, &signer.token(&payload(changes.clone())), &[]);
        match refusal {
            None => assert!(asked.is_ok(), "{changes} {asked:?}"),
            Some(refusal) => assert_eq!(asked, refused(refusal, Manner::Http), "{changes}"),
        }
    }
}

#[test]
fn signature_claims_and_form_are_told_apart() {
    let signer = Signer::public("k", 1);
    let authorizer = http(&[&signer, &Signer::public("other", 2)]);
    let mut fake = Fake::default();
    let good = signer.token(&payload(json!({})));
    let forged = Signer::public("k", 3).token(&payload(json!({})));
    for (token, refusal) in [
        (forged.as_str(), Refusal::Signature),
        (&signer.token("[]"), Refusal::Claims),
        (&signer.token(r#"{"iss":"https://i.test","iss":"https://i.test"}"#), Refusal::Claims),
        ("", Refusal::Missing),
        ("Bearer ", Refusal::Missing),
        ("x", Refusal::Malformed),
        ("Basic dTpw", Refusal::Malformed),
        (&format!("{good}.x"), Refusal::Malformed),
        (&format!("{good}, {good}"), Refusal::Several),
        (&Signer::public("unknown", 1).token(&payload(json!({}))), Refusal::UnknownKey),
        (&Signer::secret("k").token(&payload(json!({}))), Refusal::Algorithm),
        (&signer.sign(r#"{"alg":"none","kid":"k"}"#, &payload(json!({}))), Refusal::Algorithm),
        (&signer.sign(r#"{"alg":"RS256","kid":"k"}"#, &payload(json!({}))), Refusal::Algorithm),
    ] {
        assert_eq!(ask(&*authorizer, &mut fake, token, &[]), refused(refusal, Manner::Http), "{token}");
    }
    for token in [good.clone(), format!("Bearer {good}"), format!("bEARER  {good} ")] {
        assert!(ask(&*authorizer, &mut fake, &token, &[]).is_ok());
    }
    let twice = context(&[("authorization", &good), ("Authorization", &good)]);
    let Verdict::Refused(failure) = authorizer.authorize(&Demand { context: &twice, scopes: &[] }, &mut fake) else { panic!() };
    assert_eq!(Err(failure), refused(Refusal::Several, Manner::Http));
}

#[test]
fn the_host_verifies_a_token_once_while_it_is_remembered() {
    let Some(folder) = beside("conformance") else { return };
    let row = std::fs::read_to_string(folder.join("dev/jwt.jsonl")).unwrap();
    let row = row.lines().find(|line| line.contains("\"jwt-bare-token\"")).unwrap();
    let row: Value = serde_json::from_str(row).unwrap();
    let document = json!({"issuers": {"https://issuer.test": {"jwks": row["setup"]["issuers"][0]["jwks"]}}});
    let mut scheme = http_scheme();
    scheme["x-amazon-apigateway-authorizer"]["jwtConfiguration"] =
        json!({"issuer": "https://issuer.test", "audience": ["test-client"]});
    let authorizer = compile(Protocol::Http, &document, &scheme).authorizer.unwrap();
    let mut fake = Fake::default();
    for (minute, verifications) in [(0, 1), (1, 1), (59, 1), (60, 2), (61, 2)] {
        fake.millis.set((NOW + minute * 60) * 1000);
        assert!(ask(&*authorizer, &mut fake, row["request"]["headers"][0][1].as_str().unwrap(), &[]).is_ok());
        assert_eq!(fake.verifications.get(), verifications, "after {minute} minutes");
    }
}

#[test]
fn a_signature_counts_as_the_host_says_and_as_computed_where_it_says_nothing() {
    let signer = Signer::elliptic("k");
    let good = signer.token(&payload(json!({})));
    let forged = Signer::elliptic("k").token(&payload(json!({})));
    for (verdict, token, counts) in [
        (None, &good, true),
        (None, &forged, false),
        (Some(true), &good, true),
        (Some(true), &forged, true),
        (Some(false), &good, false),
        (Some(false), &forged, false),
    ] {
        let mut fake = Fake::default();
        fake.verdict.set(verdict);
        let expected = if counts { None } else { refused(Refusal::Signature, Manner::Http).err() };
        assert_eq!(ask(&*http(&[&signer]), &mut fake, token, &[]).err(), expected, "{verdict:?}");
    }
}

#[test]
fn a_token_is_verified_once_an_hour() {
    let signer = Signer::elliptic("k");
    let authorizer = http(&[&signer]);
    let token = signer.token(&payload(json!({"exp": NOW + 86_400})));
    let mut fake = Fake::default();
    for (minute, verifications) in [(0, 1), (1, 1), (59, 1), (60, 2), (61, 2), (119, 2), (120, 3)] {
        fake.millis.set((NOW + minute * 60) * 1000);
        assert!(ask(&*authorizer, &mut fake, &token, &[]).is_ok());
        assert_eq!(fake.verifications.get(), verifications, "after {minute} minutes");
    }
}

#[test]
fn a_remembered_token_is_forgotten_when_it_ends_and_takes_what_it_holds() {
    let verified = |exp, texts: &[(&str, &str)], scopes: &[&str]| Verified {
        trusted: 0,
        keys: 1,
        exp,
        nbf: None,
        iat: None,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        token_use: None,
        texts: texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
    };
    for (exp, now, until) in [(2.5, 0, 2500), (7200.0, 1000, 3_601_000), (-1.0, 0, 0), (1e300, u64::MAX, u64::MAX)] {
        assert_eq!(verified(exp, &[], &[]).expires(now), until, "{exp} {now}");
    }
    for (texts, scopes, bytes) in [
        (&[][..], &[][..], 256),
        (&[("sub", "abcde")], &[], 256 + 64 + 8),
        (&[("sub", "abcde"), ("n", "")], &[], 256 + 128 + 9),
        (&[], &["read", "write"], 256 + 64 + 9),
        (&[("sub", "abcde")], &["read"], 256 + 64 + 8 + 32 + 4),
    ] {
        assert_eq!(verified(0.0, texts, scopes).weight(), bytes, "{texts:?} {scopes:?}");
    }
}

#[test]
fn one_of_the_routes_scopes_is_enough_and_facts_have_all_of_the_tokens() {
    let signer = Signer::secret("k");
    let authorizer = http(&[&signer]);
    assert!(authorizer.knows_scopes());
    assert_eq!(authorizer.summary(), "JWT https://i.test");
    assert_eq!(authorizer.credentials(), ["Authorization"]);
    let mut fake = Fake::default();
    let token = signer.token(&payload(json!({"scope": "read write", "n": 1})));
    let facts = ask(&*authorizer, &mut fake, &token, &["admin", "write"]).unwrap();
    assert_eq!(facts.scopes, Some(vec!["read".to_owned(), "write".to_owned()]));
    assert_eq!(Jwt::event(&facts)["claims"]["n"], "1");
    // The same token, remembered, at a route with other scopes, and at one with none.
    let failure = ask(&*authorizer, &mut fake, &token, &["admin"]).unwrap_err();
    assert_eq!(failure, Refusal::Scope.failure(Manner::Http, &["admin".to_owned()]));
    let facts = ask(&*authorizer, &mut fake, &token, &[]).unwrap();
    assert_eq!((facts.scopes, facts.principal_id), (None, None));
}

#[test]
fn a_remembered_token_dies_in_time_and_is_compared_whole() {
    let signer = Signer::secret("k");
    let authorizer = http(&[&signer]);
    let mut fake = Fake::default();
    let token = signer.token(&payload(json!({"exp": NOW + 2, "nbf": NOW})));
    assert!(ask(&*authorizer, &mut fake, &token, &[]).is_ok());
    let (start, _) = token.split_at(token.len() - 1);
    assert!(ask(&*authorizer, &mut fake, start, &[]).is_err());
    fake.millis.set((NOW + 2) * 1000 - 1);
    assert!(ask(&*authorizer, &mut fake, &token, &[]).is_ok());
    fake.millis.set((NOW + 2) * 1000);
    assert_eq!(ask(&*authorizer, &mut fake, &token, &[]), refused(Refusal::Expired, Manner::Http));
    // The clock goes back to before the token's time.
    fake.millis.set((NOW - 1) * 1000);
    assert_eq!(ask(&*authorizer, &mut fake, &token, &[]), refused(Refusal::TooEarly, Manner::Http));
}

/// Answers every call that is asked for, until none is; the paths in order.
fn answer(keys: &IssuerKeys, fake: &mut Fake, body: impl Fn(&str) -> Option<Value>) -> Vec<String> {
    let mut calls = keys.tick(fake);
    let mut paths = Vec::new();
    while let Some((ticket, callout)) = calls.pop() {
        let path = String::from_utf8(callout.http_head().unwrap().path.clone()).unwrap();
        assert_eq!(callout.timeout_millis, 1_500);
        let body = body(&path);
        paths.push(format!("{} {path}", callout.cluster));
        let head = ResponseHead { status: if body.is_some() { 200 } else { 503 }, ..ResponseHead::default() };
        let body = body.unwrap_or_default().to_string().into_bytes();
        calls.extend(keys.called(ticket, Ok(Response { head, body }), fake));
    }
    paths
}

fn discovery(uri: &str) -> Value {
    json!({"issuer": "https://i.test", "jwks_uri": uri})
}

#[test]
fn keys_are_discovered_and_a_key_that_is_gone_is_gone_for_remembered_tokens_too() {
    let document = json!({"upstreams": upstreams(&["i.test", "keys.test"])});
    let compiled = compile(Protocol::Http, &document, &http_scheme());
    let authorizer = compiled.authorizer.unwrap();
    assert_eq!((compiled.told.len(), compiled.keys.period_millis()), (0, Some(250)));
    let (old, new) = (Signer::public("old", 1), Signer::public("new", 2));
    let (old_token, new_token) = (old.token(&payload(json!({}))), new.token(&payload(json!({}))));
    let mut fake = Fake::default();
    assert_eq!(ask(&*authorizer, &mut fake, &old_token, &[]), refused(Refusal::NoKeys, Manner::Http));
    let serve = |keys: Value| {
        move |path: &str| {
            let is_discovery = path == "/.well-known/openid-configuration";
            Some(if is_discovery { discovery("https://keys.test/jwks?v=1") } else { keys.clone() })
        }
    };
    let paths = answer(&compiled.keys, &mut fake, serve(json!({"keys": [old.jwk]})));
    assert_eq!(paths, ["to-i.test /.well-known/openid-configuration", "to-keys.test /jwks?v=1"]);
    assert!(ask(&*authorizer, &mut fake, &old_token, &[]).is_ok());
    // A token must name its key.
    let unnamed = old.sign(r#"{"alg":"EdDSA"}"#, &payload(json!({})));
    assert_eq!(ask(&*authorizer, &mut fake, &unnamed, &[]), refused(Refusal::UnknownKey, Manner::Http));
    fake.millis.set(NOW * 1000 + 60_000);
    assert_eq!(answer(&compiled.keys, &mut fake, serve(json!({}))), [""; 0], "no key is missed");

    // A key that is not known is fetched once, without asking where.
    assert_eq!(ask(&*authorizer, &mut fake, &new_token, &[]), refused(Refusal::UnknownKey, Manner::Http));
    fake.millis.set(NOW * 1000 + 60_001);
    let paths = answer(&compiled.keys, &mut fake, serve(json!({"keys": [new.jwk]})));
    assert_eq!(paths, ["to-keys.test /jwks?v=1"]);
    assert!(ask(&*authorizer, &mut fake, &new_token, &[]).is_ok());
    assert_eq!(ask(&*authorizer, &mut fake, &old_token, &[]), refused(Refusal::UnknownKey, Manner::Http));
    assert_eq!(fake.lines.take(), ["Info issuer `https://i.test`: new keys"; 2]);
}

#[test]
fn failures_take_nothing_away_and_are_told_once() {
    let document = json!({"upstreams": upstreams(&["i.test", "keys.test"])});
    let compiled = compile(Protocol::Http, &document, &http_scheme());
    let (authorizer, keys) = (compiled.authorizer.unwrap(), compiled.keys);
    let signer = Signer::public("k", 1);
    let token = signer.token(&payload(json!({"exp": 1e12})));
    let mut fake = Fake::default();
    // Each failure begins two seconds after the one before, because there are no keys.
    let endless = "x".repeat(300_000);
    for (discovered, published, cause) in [
        (None, json!({}), "its discovery document came with status 503"),
        (Some(json!([])), json!({}), "its discovery document names no `issuer`"),
        (Some(json!({"issuer": "https://i.test/"})), json!({}), "its discovery document names another issuer: `https://i.test/`"),
        (Some(json!({"issuer": "https://i.test"})), json!({}), "its discovery document names no `jwks_uri`"),
        (Some(json!(endless)), json!({}), "its discovery document has more than 256 KiB"),
        (Some(discovery("http://keys.test/")), json!({}), "its `jwks_uri` is no https URL: `http://keys.test/`"),
        (
            Some(discovery("https://else.test/")),
            json!({}),
            "no upstream for `else.test`, where its keys are; help: add `upstreams: {\"else.test\": {cluster: NAME}}`",
        ),
        (Some(discovery("https://keys.test/")), json!(endless), "its key set has more than 256 KiB"),
        (Some(discovery("https://keys.test/")), json!({}), "a key set is an object with an array `keys`"),
        (Some(discovery("https://keys.test/")), json!({"keys": []}), "its key set has no key that can be used: it is empty"),
        (
            Some(discovery("https://keys.test/")),
            json!({"keys": [Signer::secret("s").jwk]}),
            "its key set has no key that can be used: key 0 (`s`) is not used: it is a secret, and whoever can fetch it could sign",
        ),
    ] {
        for repeated in [false, true] {
            let serve = |path: &str| if path.ends_with("configuration") { discovered.clone() } else { Some(published.clone()) };
            assert!(!answer(&keys, &mut fake, serve).is_empty(), "{cause}");
            let expected = if repeated { vec![] } else { vec![format!("Warn issuer `https://i.test`: no new keys: {cause}")] };
            assert_eq!(fake.lines.take(), expected);
            assert_eq!(ask(&*authorizer, &mut fake, &token, &[]), refused(Refusal::NoKeys, Manner::Http));
            fake.millis.set(fake.millis.get() + 1_499);
            assert_eq!(answer(&keys, &mut fake, serve), [""; 0]);
            fake.millis.set(fake.millis.get() + 1);
        }
    }
    let good = json!({"keys": [signer.jwk]});
    let serve = |path: &str| Some(if path.ends_with("configuration") { discovery("https://keys.test/") } else { good.clone() });
    assert_eq!(answer(&keys, &mut fake, serve).len(), 2);
    let fetched = fake.millis.get();
    assert!(ask(&*authorizer, &mut fake, &token, &[]).is_ok());
    // From then on nothing comes any more.
    let mut attempts = 0;
    for second in 1..24 * 60 * 60 {
        fake.millis.set(fetched + second * 1000);
        attempts += usize::from(!answer(&keys, &mut fake, |_| None).is_empty());
        if second % 3600 == 0 {
            assert!(ask(&*authorizer, &mut fake, &token, &[]).is_ok(), "after {second} s");
        }
    }
    assert_eq!(attempts, (86_400 - 300) / 10);
    let lines = fake.lines.take().len();
    assert!((280..=300).contains(&lines), "{lines} lines: one in five minutes");
    fake.millis.set(fetched + 24 * 60 * 60 * 1000);
    assert_eq!(ask(&*authorizer, &mut fake, &token, &[]), refused(Refusal::NoKeys, Manner::Http));
    assert_eq!(answer(&keys, &mut fake, serve).len(), 2);
    assert!(ask(&*authorizer, &mut fake, &token, &[]).is_ok());
}

#[test]
fn a_new_configuration_takes_what_is_shared_before_its_first_tick() {
    let document = json!({"upstreams": upstreams(&["i.test", "keys.test"])});
    let signer = Signer::public("k", 1);
    let token = signer.token(&payload(json!({})));
    let mut fake = Fake::default();
    let compiled = compile(Protocol::Http, &document, &http_scheme());
    let keys = json!({"keys": [signer.jwk]});
    answer(&compiled.keys, &mut fake, |path| {
        Some(if path.ends_with("configuration") { discovery("https://keys.test/") } else { keys.clone() })
    });
    let next = compile(Protocol::Http, &document, &http_scheme());
    assert!(ask(&*next.authorizer.unwrap(), &mut fake, &token, &[]).is_ok());
    assert_eq!(next.keys.tick(&mut fake), []);
    // What was loaded stays, whatever becomes of what is shared.
    let loaded = compile(Protocol::Http, &document, &http_scheme());
    loaded.keys.load(&fake);
    let shared = fake.shared.take();
    assert!(ask(&*loaded.authorizer.unwrap(), &mut fake, &token, &[]).is_ok());
    fake.shared.replace(shared);
    // Keys at another place are something else.
    let moved = json!({"upstreams": document["upstreams"], "issuers": {"https://i.test": {"jwksUri": "https://keys.test/x"}}});
    let moved = compile(Protocol::Http, &moved, &http_scheme());
    assert_eq!(ask(&*moved.authorizer.unwrap(), &mut fake, &token, &[]), refused(Refusal::NoKeys, Manner::Http));
    let paths = answer(&moved.keys, &mut fake, |_| None);
    assert_eq!(paths, ["to-keys.test /x"]);
}

/// The issuer's answer to a call.
fn reply(keys: &IssuerKeys, calls: &mut Vec<(Ticket, Callout)>, fake: &mut Fake, body: &Value) {
    let (ticket, _) = calls.pop().unwrap();
    let head = ResponseHead { status: 200, ..ResponseHead::default() };
    *calls = keys.called(ticket, Ok(Response { head, body: body.to_string().into_bytes() }), fake);
}

#[test]
fn of_two_workers_that_look_at_once_one_fetches() {
    let compiled = compile(Protocol::Http, &json!({"upstreams": upstreams(&["i.test"])}), &http_scheme());
    let mut fake = Fake::default();
    for there in [false, true] {
        let lease = shared::Attempt { started_millis: fake.millis.get(), failed: false };
        fake.rival.replace(Some(("tollgate.jwks.1.attempt https://i.test by to-i.test".to_owned(), lease.to_bytes())));
        assert_eq!(compiled.keys.tick(&mut fake), [], "something was there: {there}");
        fake.millis.set(fake.millis.get() + 4_000);
    }
    assert_eq!(compiled.keys.tick(&mut fake).len(), 1);
}

#[test]
fn keys_of_a_later_attempt_are_never_replaced_by_those_of_an_earlier_one() {
    let document = json!({"upstreams": upstreams(&["i.test", "keys.test"])});
    let (ours, theirs) = (Signer::public("ours", 1), Signer::public("theirs", 2));
    let name = "tollgate.jwks.1.keys https://i.test by to-i.test".to_owned();
    for is_loaded in [false, true] {
        let compiled = compile(Protocol::Http, &document, &http_scheme());
        let authorizer = compiled.authorizer.unwrap();
        let mut fake = Fake::default();
        let mut calls = compiled.keys.tick(&mut fake);
        reply(&compiled.keys, &mut calls, &mut fake, &discovery("https://keys.test/"));
        // Another worker began a second later, and is faster.
        let text = json!({"keys": [theirs.jwk]}).to_string();
        let (fetched_millis, discovered_millis) = (fake.millis.get() + 1_000, fake.millis.get());
        let newer = shared::SharedKeys { fetched_millis, discovered_millis, uri: "https://keys.test/", text: text.as_bytes() };
        fake.millis.set(fake.millis.get() + 1_400);
        if is_loaded {
            fake.set_shared_data(&name, &newer.to_bytes(), Version::Any);
            assert!(ask(&*authorizer, &mut fake, &theirs.token(&payload(json!({}))), &[]).is_ok());
        } else {
            fake.rival.replace(Some((name.clone(), newer.to_bytes())));
        }
        reply(&compiled.keys, &mut calls, &mut fake, &json!({"keys": [ours.jwk]}));
        assert_eq!(fake.shared_data(&name).map(|(bytes, _)| bytes), Some(newer.to_bytes()));
        assert_eq!(compiled.keys.tick(&mut fake), []);
        assert!(ask(&*authorizer, &mut fake, &theirs.token(&payload(json!({}))), &[]).is_ok());
        assert!(ask(&*authorizer, &mut fake, &ours.token(&payload(json!({}))), &[]).is_err());
    }
}

#[test]
fn keys_are_fetched_from_where_they_were_while_the_issuer_does_not_say() {
    let document = json!({"upstreams": upstreams(&["i.test", "keys.test"])});
    let compiled = compile(Protocol::Http, &document, &http_scheme());
    let mut fake = Fake::default();
    let (old, new) = (Signer::public("old", 1), Signer::public("new", 2));
    for (signer, discovered) in [(&old, Some(discovery("https://keys.test/a"))), (&new, None)] {
        let keys = json!({"keys": [signer.jwk]});
        let serve = |path: &str| if path.ends_with("configuration") { discovered.clone() } else { Some(keys.clone()) };
        assert_eq!(answer(&compiled.keys, &mut fake, serve)[1], "to-keys.test /a");
        assert!(ask(&**compiled.authorizer.as_ref().unwrap(), &mut fake, &signer.token(&payload(json!({}))), &[]).is_ok());
        fake.millis.set(fake.millis.get() + 5 * 60 * 1000);
    }
    // It moves.
    let paths = answer(&compiled.keys, &mut fake, |path| {
        Some(if path.ends_with("configuration") { discovery("https://i.test/b") } else { json!({"keys": [old.jwk]}) })
    });
    assert_eq!(paths[1], "to-i.test /b");
}

#[test]
fn a_shared_entry_that_nobody_understands_is_overwritten() {
    let document = json!({"upstreams": upstreams(&["i.test", "keys.test"])});
    let compiled = compile(Protocol::Http, &document, &http_scheme());
    let signer = Signer::public("k", 1);
    let token = signer.token(&payload(json!({})));
    let mut fake = Fake::default();
    for name in ["keys", "attempt"] {
        fake.set_shared_data(&format!("tollgate.jwks.1.{name} https://i.test by to-i.test"), b"nonsense", Version::Any);
    }
    assert_eq!(ask(&*compiled.authorizer.clone().unwrap(), &mut fake, &token, &[]), refused(Refusal::NoKeys, Manner::Http));
    let keys = json!({"keys": [signer.jwk]});
    answer(&compiled.keys, &mut fake, |path| {
        Some(if path.ends_with("configuration") { discovery("https://keys.test/") } else { keys.clone() })
    });
    assert!(ask(&*compiled.authorizer.unwrap(), &mut fake, &token, &[]).is_ok());
}

fn rest_scheme(changes: Value) -> Value {
    let mut authorizer = json!({
        "type": "jwt",
        "identitySource": "method.request.header.Authorization",
        "jwtConfiguration": {
            "defaultAlgorithms": ["RS256", "ES256", "ES512", "HS256"],
            "issuers": [
                {"issuer": "https://i.test", "audiences": ["a"], "jwksUri": "https://i.test/k", "additionalClaims": [
                    {"claimName": "tenant", "format": "SINGLE_STRING", "required": true, "expectedValues": ["t1"]},
                    {"claimName": "role", "format": "SINGLE_STRING", "expectedValues": ["r"]},
                    {"claimName": "seen", "format": "SINGLE_STRING", "required": true},
                ]},
                {"issuer": "https://j.test/", "audiences": ["b"]},
            ],
        },
    });
    for (key, value) in changes.as_object().unwrap() {
        authorizer[key.as_str()] = value.clone();
    }
    json!({"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authorizer": authorizer})
}

#[test]
fn a_rest_api_has_issuers_with_audiences_and_claims_of_their_own() {
    let (first, second) = (Signer::secret("one"), Signer::secret("two"));
    let document = json!({"issuers": {
        "https://i.test": {"jwks": {"keys": [first.jwk]}},
        "https://j.test/": {"jwks": {"keys": [second.jwk, Signer::secret("one").jwk]}},
    }});
    let compiled = compile(Protocol::Rest, &document, &rest_scheme(json!({})));
    assert_eq!(compiled.told.len(), 1, "{:?}", compiled.told);
    assert!(compiled.told[0].contains("tokens signed with `ES512` are refused"));
    let authorizer = compiled.authorizer.unwrap();
    let mut fake = Fake::default();
    let own = json!({"tenant": "t1", "seen": ""});
    let with = |changes: Value| {
        let mut all = own.clone();
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        payload(all)
    };
    let rows = [
        (&first, with(json!({})), None),
        (&first, with(json!({"role": "r"})), None),
        (&first, with(json!({"role": "x"})), Some(Refusal::RequiredClaim)),
        (&first, with(json!({"role": ["r"]})), Some(Refusal::RequiredClaim)),
        (&first, with(json!({"tenant": "T1"})), Some(Refusal::RequiredClaim)),
        (&first, with(json!({"tenant": null})), Some(Refusal::RequiredClaim)),
        (&first, with(json!({"seen": null})), Some(Refusal::RequiredClaim)),
        (&first, with(json!({"seen": 1})), Some(Refusal::RequiredClaim)),
        // An audience of the other issuer, and no way around it.
        (&first, with(json!({"aud": "b"})), Some(Refusal::Audience)),
        (&first, with(json!({"aud": null, "client_id": "a"})), Some(Refusal::Audience)),
        (&second, payload(json!({"iss": "https://j.test/", "aud": "b"})), None),
        (&second, payload(json!({"iss": "https://j.test", "aud": "b"})), Some(Refusal::Issuer)),
        // The keys of one issuer do not speak for the other.
        (&second, with(json!({})), Some(Refusal::Issuer)),
        // Both have this key: the token is the second's.
        (&first, payload(json!({"iss": "https://j.test/", "aud": "b"})), None),
        (&Signer::public("one", 1), with(json!({})), Some(Refusal::Algorithm)),
        (&Signer::secret("three"), with(json!({})), Some(Refusal::UnknownKey)),
    ];
    for (signer, payload, refusal) in rows {
        let asked = ask(&*authorizer, &mut fake, &signer.token(&payload), &[]);
        match refusal {
            None => assert!(asked.is_ok(), "{payload} {asked:?}"),
            Some(refusal) => assert_eq!(asked, refused(refusal, Manner::Rest), "{payload}"),
        }
    }
    let failure = ask(&*authorizer, &mut fake, &first.token(&with(json!({"scope": "x"}))), &["y"]).unwrap_err();
    assert_eq!(failure, Failure::new(ResponseType::AccessDenied));
}

#[test]
fn mistakes_in_settings_are_told_with_their_places() {
    let upstreams = json!({"upstreams": upstreams(&["i.test", "j.test"])});
    let jwt = |protocol, authorizer: Value| {
        let compiled = compile(protocol, &upstreams, &json!({"x-amazon-apigateway-authorizer": authorizer}));
        assert!(compiled.authorizer.is_none());
        compiled
            .told
            .iter()
            .map(|line| line.trim_start_matches("$[\"x-amazon-apigateway-authorizer\"]").to_owned())
            .collect::<Vec<_>>()
    };
    let told =
        jwt(Protocol::Http, json!({"type": "jwt", "x": 1, "jwtConfiguration": {"y": 1, "audience": [], "issuer": "i.test"}}));
    let starts =
        [".x: unknown key `x`", ": no `identitySource`", ".jwtConfiguration.y: unknown", ".jwtConfiguration.audience: empty"];
    for (line, start) in told.iter().zip(starts) {
        assert!(line.starts_with(start), "{told:#?}");
    }
    assert!(told[4].starts_with(".jwtConfiguration.issuer: `i.test` is no issuer"), "{told:#?}");
    assert!(jwt(Protocol::Http, json!({"type": "jwt"}))[1].starts_with(": no `jwtConfiguration`"));

    let told = jwt(
        Protocol::Rest,
        rest_scheme(json!({"jwtConfiguration": {
            "defaultAlgorithms": ["none", "ES512"],
            "issuers": [
                {"issuer": "https://i.test", "audiences": [""], "additionalClaims": [{"claimName": "iss", "format": "LIST"}]},
                {"issuer": "https://j.test", "audiences": ["a"], "additionalClaims": [{"claimName": "c"}, {"claimName": "c"}]},
                {"issuer": "https://j.test", "audiences": ["a"]},
                {"audiences": ["a"]},
            ],
        }}))["x-amazon-apigateway-authorizer"]
            .clone(),
    );
    let expected = [
        ".jwtConfiguration.defaultAlgorithms[0]: `none` is no algorithm of tokens",
        ".jwtConfiguration.defaultAlgorithms[1]: not served",
        ".jwtConfiguration.defaultAlgorithms: no algorithm that is served",
        ".jwtConfiguration.issuers[0].audiences: empty",
        ".jwtConfiguration.issuers[0].additionalClaims[0].format: `LIST` is not known",
        ".jwtConfiguration.issuers[0].additionalClaims[0].claimName: `iss` is no claim for a rule",
        ".jwtConfiguration.issuers[1].additionalClaims: a second rule for `c`",
        ".jwtConfiguration.issuers[2]: a second issuer `https://j.test`",
        ".jwtConfiguration.issuers[3]: no `issuer`",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (line, start) in told.iter().zip(expected) {
        assert!(line.starts_with(start), "{line} {start}");
    }
}

fn pool_payload(changes: Value) -> String {
    let mut all = json!({"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A", "aud": "client", "token_use": "id"});
    all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    payload(all)
}

#[test]
fn a_user_pool_gives_id_tokens_without_scopes_and_access_tokens_with_them() {
    let signer = Signer::secret("k");
    let issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A";
    let document = json!({"issuers": {issuer: {"jwks": {"keys": [signer.jwk]}}}});
    let scheme = |extra: Value| {
        let arn = "arn:aws:cognito-idp:eu-west-1:1:userpool/${stageVariables.pool}";
        let mut authorizer = json!({"type": "cognito_user_pools", "providerARNs": [arn], "authorizerResultTtlInSeconds": 300});
        authorizer.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"type": "apiKey", "name": "authorization", "in": "header", "x-amazon-apigateway-authorizer": authorizer})
    };
    let compiled = compile(Protocol::Rest, &document, &scheme(json!({})));
    assert_eq!(compiled.told, [""; 0]);
    let authorizer = compiled.authorizer.unwrap();
    assert_eq!(authorizer.summary(), format!("COGNITO_USER_POOLS {issuer}"));
    let mut fake = Fake::default();
    let id = signer.token(&pool_payload(json!({"cognito:groups": ["a", "b"]})));
    let access = json!({"token_use": "access", "aud": null, "client_id": "client", "scope": "x/read openid"});
    let access = signer.token(&pool_payload(access));
    let facts = ask(&*authorizer, &mut fake, &format!("Bearer {id}"), &[]).unwrap();
    let claims = facts.claims.unwrap();
    assert!(claims.contains(&("cognito:groups".to_owned(), "a,b".to_owned())), "{claims:?}");
    assert!(claims.contains(&("exp".to_owned(), "Tue Nov 14 22:23:20 UTC 2023".to_owned())), "{claims:?}");
    assert!(ask(&*authorizer, &mut fake, &access, &["x/write", "x/read"]).is_ok());
    let unauthorized = || Err(Failure::new(ResponseType::Unauthorized));
    assert_eq!(ask(&*authorizer, &mut fake, &access, &["x/write"]), unauthorized());
    assert_eq!(ask(&*authorizer, &mut fake, &access, &[]), unauthorized());
    assert_eq!(ask(&*authorizer, &mut fake, &id, &["x/read"]), unauthorized());
    assert_eq!(ask(&*authorizer, &mut fake, &signer.token(&pool_payload(json!({"token_use": null}))), &[]), unauthorized());
    let expired = signer.token(&pool_payload(json!({"exp": NOW - 1})));
    let failure = Failure::new(ResponseType::Unauthorized).saying("The incoming token has expired");
    assert_eq!(ask(&*authorizer, &mut fake, &expired, &[]), Err(failure));

    let compiled = compile(Protocol::Rest, &document, &scheme(json!({"identityValidationExpression": "cli.*|x"})));
    let authorizer = compiled.authorizer.unwrap();
    assert!(ask(&*authorizer, &mut fake, &id, &[]).is_ok());
    assert_eq!(ask(&*authorizer, &mut fake, &access, &["x/read"]), unauthorized());
    assert_eq!(ask(&*authorizer, &mut fake, &signer.token(&pool_payload(json!({"aud": "yx"}))), &[]), unauthorized());
}

#[test]
fn settings_of_user_pools_are_checked() {
    let compiled = |extra: Value| {
        let mut authorizer = json!({"type": "cognito_user_pools"});
        authorizer.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let scheme = json!({"type": "apiKey", "name": "X-T", "in": "header", "x-amazon-apigateway-authorizer": authorizer});
        let document = json!({"upstreams": upstreams(&["cognito-idp.cn-north-1.amazonaws.com.cn"])});
        compile(Protocol::Rest, &document, &scheme)
    };
    let told = |extra: Value| {
        let compiled = compiled(extra);
        assert!(compiled.authorizer.is_none());
        compiled.told.join("\n")
    };
    for arn in [
        "",
        "eu-west-1_A",
        "arn:aws:cognito-idp:eu-west-1:1:identitypool/A",
        "arn:aws:cognito-idp::1:userpool/A",
        "arn:aws:cognito-idp:eu-west-1:1:userpool/",
        "arn:aws:cognito-idp:eu-west-1:1:userpool/a/b",
        "arn:aws:cognito-idp:a.test/:1:userpool/A",
        "arn:aws:cognito-idp:eu-west-1:1:userpool/${stageVariables.unset}",
        "arn:aws:lambda:eu-west-1:1:userpool/A",
    ] {
        assert!(told(json!({"providerARNs": [arn]})).contains("is no ARN of a user pool"), "{arn}");
    }
    assert!(told(json!({})).contains("no `providerARNs`"));
    assert!(told(json!({"providerARNs": []})).contains("no user pool is named"));
    let arn = "arn:aws-cn:cognito-idp:cn-north-1:1:userpool/cn-north-1_A";
    assert!(told(json!({"providerARNs": [arn], "identityValidationExpression": "a)|(b"})).contains("is no regular expression"));
    assert!(told(json!({"providerARNs": [arn], "identitySource": "method.request.querystring.a"})).contains("token can stand"));
    let fine = compiled(json!({"providerARNs": [arn]}));
    assert_eq!(fine.told, [""; 0]);
    let cognito = fine.authorizer.unwrap().summary();
    assert_eq!(cognito, "COGNITO_USER_POOLS https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_A");
}

#[test]
fn a_reply_is_waited_for_as_long_as_a_lease_lasts() {
    let document = json!({"upstreams": upstreams(&["i.test", "keys.test"])});
    let keys = compile(Protocol::Http, &document, &http_scheme()).keys;
    let mut fake = Fake::default();
    let mut calls = keys.tick(&mut fake);
    assert_eq!(calls.len(), 1);
    fake.millis.set(NOW * 1000 + 250);
    assert_eq!(keys.tick(&mut fake), []);
    // The reply to the first call is still one, and the second call has no reply.
    reply(&keys, &mut calls, &mut fake, &discovery("https://keys.test/"));
    assert_eq!(calls.len(), 1);
    for (millis, asked) in [(3_999, 0), (4_000, 1), (4_001, 0), (7_999, 0), (8_000, 1)] {
        fake.millis.set(NOW * 1000 + millis);
        assert_eq!(keys.tick(&mut fake).len(), asked, "after {millis} ms");
    }
}

#[test]
fn a_ttl_is_spoken_of_because_it_has_no_effect() {
    let document = json!({"issuers": {"https://i.test": {"jwks": {"keys": [Signer::public("k", 1).jwk]}}}});
    let mut scheme = http_scheme();
    scheme["x-amazon-apigateway-authorizer"]["authorizerResultTtlInSeconds"] = json!(300);
    let told = compile(Protocol::Http, &document, &scheme).told;
    assert!(told.len() == 1 && told[0].contains("authorizerResultTtlInSeconds: no effect"), "{told:?}");
}

#[test]
fn what_one_worker_fetches_anew_counts_for_the_others() {
    let document = json!({"upstreams": upstreams(&["i.test", "keys.test"])});
    let (old, new) = (Signer::public("old", 1), Signer::public("new", 2));
    let worker = compile(Protocol::Http, &document, &http_scheme());
    let mut fake = Fake::default();
    for (signer, minute) in [(&old, 0), (&new, 6)] {
        fake.millis.set((NOW + minute * 60) * 1000);
        answer(&worker.keys, &mut fake, |path| {
            Some(if path.ends_with("configuration") { discovery("https://keys.test/") } else { json!({"keys": [signer.jwk]}) })
        });
    }
    let other = compile(Protocol::Http, &document, &http_scheme()).authorizer.unwrap();
    assert!(ask(&*other, &mut fake, &new.token(&payload(json!({}))), &[]).is_ok());
    assert_eq!(ask(&*other, &mut fake, &old.token(&payload(json!({}))), &[]), refused(Refusal::UnknownKey, Manner::Http));
}

#[test]
fn fresh_keys_are_not_fetched_again_because_nobody_knows_of_the_attempt() {
    let document = json!({"upstreams": upstreams(&["i.test", "keys.test"])});
    let worker = compile(Protocol::Http, &document, &http_scheme());
    let mut fake = Fake::default();
    let keys = json!({"keys": [Signer::public("k", 1).jwk]});
    answer(&worker.keys, &mut fake, |path| {
        Some(if path.ends_with("configuration") { discovery("https://keys.test/") } else { keys.clone() })
    });
    fake.shared.borrow_mut().retain(|name, _| !name.contains("attempt"));
    fake.millis.set((NOW + 60) * 1000);
    assert_eq!(worker.keys.tick(&mut fake), []);
}

#[test]
fn an_authorizer_of_which_one_issuer_does_not_read_is_none() {
    let document = json!({"upstreams": upstreams(&["i.test"])});
    let compiled = |issuers: Value| {
        let mut scheme = rest_scheme(json!({}));
        scheme["x-amazon-apigateway-authorizer"]["jwtConfiguration"]["issuers"] = issuers;
        compile(Protocol::Rest, &document, &scheme).authorizer.is_some()
    };
    let good = json!({"issuer": "https://i.test", "audiences": ["a"]});
    assert!(compiled(json!([good])));
    assert!(!compiled(json!([good, {"audiences": ["a"]}])));
    assert!(!compiled(json!([])));
}

#[test]
fn a_key_of_that_name_and_another_kind_does_not_speak_for_issuers_whose_keys_are_not_here() {
    let document = json!({
        "upstreams": upstreams(&["j.test"]),
        "issuers": {"https://i.test": {"jwks": {"keys": [Signer::secret("k").jwk]}}},
    });
    let mut scheme = rest_scheme(json!({}));
    scheme["x-amazon-apigateway-authorizer"]["jwtConfiguration"]["issuers"] =
        json!([{"issuer": "https://i.test", "audiences": ["a"]}, {"issuer": "https://j.test", "audiences": ["a"]}]);
    let compiled = compile(Protocol::Rest, &document, &scheme);
    let token = Signer::elliptic("k").token(&payload(json!({})));
    let asked = ask(&*compiled.authorizer.unwrap(), &mut Fake::default(), &token, &[]);
    assert_eq!(asked, refused(Refusal::NoKeys, Manner::Rest));
}
