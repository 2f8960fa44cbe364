//! IAM policies: [`Policy::parse`], [`Policy::compile`] for each kind, and what they decide.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tollgate::definition::Node;
use tollgate::policy::{ApiArn, Decision, Key, Kind, Policy, Principal, Request};
use tollgate::problem::Problems;

const API: ApiArn<'_> = ApiArn { region: "us-east-1", account: "111122223333", api: "abcdef1234" };
const RESOURCE: &str = "arn:aws:execute-api:us-east-1:111122223333:abcdef1234/prod/GET/pets/a:b";

/// More than this and an authorizer's policy may be too large, which the other kinds never are.
const SMALL: usize = 4 * 1024;

/// What the fixed requests say of themselves: with some keys, and with none.
fn keys(key: &Key) -> Option<Vec<String>> {
    let values: &[&str] = match key {
        Key::CurrentTime => &["2026-01-02T03:04:05Z"],
        Key::EpochTime => &["1767323045"],
        Key::PrincipalArn => &["arn:aws:iam::111122223333:user/Bob"],
        Key::PrincipalOrgPaths => &["o-1/r-1/ou-1/", "o-1/r-1/ou-2/"],
        Key::PrincipalTag(_) => &["red"],
        Key::SecureTransport => &["true"],
        Key::SourceIp => &["192.0.2.77"],
        Key::UserAgent => &["curl/8"],
        Key::UserName => &["Bob"],
        _ => return None,
    };
    Some(values.iter().map(|value| (*value).to_owned()).collect())
}

/// What the policy says to each of the fixed requests; the same when asked twice.
fn decisions(policy: &Policy) -> Vec<Decision> {
    let bob = Principal::Aws { arn: "arn:aws:iam::111122223333:user/Bob".to_owned(), account: "111122223333".to_owned() };
    let mut decisions = Vec::new();
    for principal in [&Principal::Anonymous, &bob] {
        for keys in [&keys as &dyn Fn(&Key) -> Option<Vec<String>>, &|_| None] {
            for resource in [RESOURCE, ""] {
                let request = Request { action: "execute-api:Invoke", resource, principal, keys };
                let decision = policy.evaluate(&request);
                assert_eq!(decision, policy.evaluate(&request));
                decisions.push(decision);
            }
        }
    }
    decisions
}

fn compile(document: &Value, kind: Kind<'_>) -> Option<Policy> {
    let mut problems = Problems::default();
    let policy = Policy::compile(&Node::root(document), kind, &mut problems);
    assert_eq!(policy.is_none(), problems.any_error(), "what is refused is told, and what is told as an error is refused");
    for problem in problems.into_vec() {
        assert!(!problem.to_string().is_empty());
    }
    policy
}

fn statements(document: &Value) -> Vec<Value> {
    match &document["Statement"] {
        Value::Array(statements) => statements.clone(),
        statement => vec![statement.clone()],
    }
}

fn with_statements(document: &Value, statements: Vec<Value>) -> Value {
    let mut document = document.clone();
    document["Statement"] = Value::Array(statements);
    document
}

fn check(document: &Value, kind: Kind<'_>, policy: &Policy) -> Vec<Decision> {
    let (decisions, statements) = (decisions(policy), statements(document));
    let allows = statements.iter().any(|statement| statement["Effect"] == "Allow");
    let denies = statements.iter().any(|statement| statement["Effect"] == "Deny");
    assert!(allows || !decisions.contains(&Decision::Allow), "nobody wrote Allow");

    // The order does not matter.
    let reversed = with_statements(document, statements.iter().rev().cloned().collect());
    assert_eq!(decisions, self::decisions(&compile(&reversed, kind).expect("the same statements")));

    // Less that allows, less that denies: never more than was allowed.
    let only = |effect: &str| {
        let kept: Vec<_> = statements.iter().filter(|statement| statement["Effect"] == effect).cloned().collect();
        let policy = (!kept.is_empty()).then(|| compile(&with_statements(document, kept), kind).expect("some of the statements"));
        policy.map(|policy| self::decisions(&policy))
    };
    let (allowed, denied) = (only("Allow"), only("Deny"));
    assert_eq!((allowed.is_some(), denied.is_some()), (allows, denies));
    for (place, decision) in decisions.iter().enumerate() {
        let is = |part: &Option<Vec<Decision>>, what: Decision| part.as_ref().is_some_and(|part| part[place] == what);
        assert!(*decision != Decision::Allow || is(&allowed, Decision::Allow) && !is(&denied, Decision::Deny));
        assert!(!is(&denied, Decision::Deny) || *decision == Decision::Deny);
    }

    // A Deny of everything wins.
    let mut deny = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
    if matches!(kind, Kind::Resource(_)) {
        deny["Principal"] = "*".into();
    }
    let denied = with_statements(document, statements.into_iter().chain([deny]).collect());
    let denied = compile(&denied, kind).map(|policy| self::decisions(&policy));
    assert!(denied.is_some_and(|decisions| decisions.iter().all(|decision| *decision == Decision::Deny)));
    decisions
}

fuzz_target!(|data: &[u8]| {
    let Ok(document) = serde_json::from_slice::<Value>(data) else { return };
    let [by_identity, by_authorizer, _] = [Kind::Identity, Kind::Authorizer, Kind::Resource(API)]
        .map(|kind| compile(&document, kind).map(|policy| check(&document, kind, &policy)));
    // `Id` and what nobody knows are a matter of the kind; the decision is not.
    if let (Some(by_identity), Some(by_authorizer)) = (&by_identity, &by_authorizer) {
        assert_eq!(by_identity, by_authorizer);
    }
    match Policy::parse(&document) {
        Ok(policy) => assert_eq!(by_authorizer, Some(decisions(&policy))),
        Err(malformed) => {
            assert!(by_authorizer.is_none() || data.len() > SMALL, "{malformed}");
            let reason = malformed.to_string();
            assert!(reason.chars().count() <= 240 && !reason.contains(char::is_control), "{reason}");
        }
    }
});
