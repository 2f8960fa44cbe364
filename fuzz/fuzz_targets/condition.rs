//! One condition of a policy: an operator, a key, the policy's value and the request's, against the same said the other way round.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use std::net::IpAddr;
use tollgate::policy::{Decision, Key, Policy, Principal, Request};
use tollgate_fuzz::{text_parts, within_millis};

/// Each with its opposite.
const PAIRS: [(&str, &str); 14] = [
    ("StringEquals", "StringNotEquals"),
    ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    ("StringLike", "StringNotLike"),
    ("NumericEquals", "NumericNotEquals"),
    ("NumericLessThan", "NumericGreaterThanEquals"),
    ("NumericGreaterThan", "NumericLessThanEquals"),
    ("DateEquals", "DateNotEquals"),
    ("DateLessThan", "DateGreaterThanEquals"),
    ("DateGreaterThan", "DateLessThanEquals"),
    ("IpAddress", "NotIpAddress"),
    ("ArnLike", "ArnNotLike"),
    ("ArnEquals", "ArnNotEquals"),
    ("Bool", "Bool"),
    ("BinaryEquals", "BinaryEquals"),
];

const NAMES: [&str; 5] = ["aws:SourceIp", "aws:CurrentTime", "aws:UserAgent", "aws:PrincipalArn", "aws:PrincipalTag/x"];

fn decide(effect: &str, operator: &str, key: &str, wanted: &[&str], asked: Option<&str>) -> Option<Decision> {
    let document = json!({"Version": "2012-10-17", "Statement": {
        "Effect": effect, "Action": "execute-api:Invoke", "Resource": "*", "Condition": {operator: {key: wanted}}}});
    let policy = Policy::parse(&document).ok()?;
    let keys = |_: &Key| asked.map(|asked| vec![asked.to_owned()]);
    let request = Request {
        action: "execute-api:Invoke",
        resource: "arn:aws:execute-api:us-east-1:1:a/s/GET/x",
        principal: &Principal::Anonymous,
        keys: &keys,
    };
    Some(policy.evaluate(&request))
}

/// An address in a range, by the standard library's own reading.
fn is_in(range: &str, address: &str) -> Option<bool> {
    let address = address.parse::<IpAddr>().ok()?.to_canonical();
    let (network, prefix) = range.split_once('/').unwrap_or((range, ""));
    let network: IpAddr = network.parse().ok()?;
    let (bits, width) = match network {
        IpAddr::V4(network) => (u128::from(network.to_bits()), 32),
        IpAddr::V6(network) => (network.to_bits(), 128),
    };
    let prefix: u32 = if prefix.is_empty() { width } else { prefix.parse().ok()? };
    let asked = match (network, address) {
        (IpAddr::V4(_), IpAddr::V4(address)) => u128::from(address.to_bits()),
        (IpAddr::V6(_), IpAddr::V6(address)) => address.to_bits(),
        (IpAddr::V6(_), IpAddr::V4(address)) => address.to_ipv6_mapped().to_bits(),
        _ => return Some(false),
    };
    // Ranges of IPv6 that are wider than all of the IPv4 addresses in it hold none of those.
    if matches!((network, address), (IpAddr::V6(_), IpAddr::V4(_))) && prefix < 96 {
        return Some(false);
    }
    let shift = width.checked_sub(prefix)?;
    Some(shift == 128 || bits >> shift == asked >> shift)
}

fn check(pair: (&str, &str), key: &str, wanted: &str, other: &str, asked: Option<&str>) {
    let values = [wanted, other];
    let values = if other.is_empty() { &values[..1] } else { &values[..] };
    let allow = |operator: &str, values: &[&str]| decide("Allow", operator, key, values, asked);
    let Some(one) = allow(pair.0, values) else { return };
    assert_ne!(one, Decision::Deny);
    // A condition that is met denies as it allows; one that nobody can decide does not allow, and denies.
    let denied = decide("Deny", pair.0, key, values, asked).expect("the same condition");
    assert!(one != Decision::Allow || denied == Decision::Deny, "{pair:?} {wanted:?} {asked:?}");
    // The opposite is met exactly when it is not, where anybody can decide.
    if pair.0 != pair.1 && values.len() == 1 && asked.is_some() {
        if let Some(opposite) = allow(pair.1, values) {
            assert!(one != Decision::Allow || opposite != Decision::Allow, "{pair:?} {wanted:?} {asked:?}");
        }
    }
    // More values allow no less.
    if values.len() == 2 && !pair.0.contains("Not") {
        for value in values {
            assert!(allow(pair.0, &[value]) != Some(Decision::Allow) || one == Decision::Allow, "{pair:?} {values:?} {asked:?}");
        }
    }
    // What is not there meets `IfExists`, and nothing but that.
    if let Some(absent) = decide("Allow", &format!("{}IfExists", pair.0), key, values, None) {
        assert_eq!(absent, Decision::Allow);
    }
    if let (None, Some(decision)) = (asked, allow(pair.0, values)) {
        assert!(decision != Decision::Allow || pair.0.contains("Not"));
    }
    if let ("IpAddress", [range], Some(Some(found))) = (pair.0, values, asked.map(|asked| is_in(wanted, asked))) {
        assert_eq!(one == Decision::Allow, found, "{range} {asked:?}");
    }
    if let ("StringEquals", [text], Some(asked)) = (pair.0, values, asked) {
        assert!(text.contains("${") || (one == Decision::Allow) == (*text == asked), "{text} {asked}");
    }
}

fuzz_target!(|data: &[u8]| {
    let [which, name, flags, rest @ ..] = data else { return };
    let Some([wanted, other, asked]) = text_parts(rest) else { return };
    let pair = PAIRS[usize::from(*which) % PAIRS.len()];
    let pair = if which & 128 != 0 { (pair.1, pair.0) } else { pair };
    let asked = (flags & 1 == 0).then_some(asked).filter(|asked| !asked.is_empty());
    within_millis(50, "a condition", || check(pair, NAMES[usize::from(*name) % NAMES.len()], wanted, other, asked));
});
