//! `Condition`: one operator with one key and its values. AWS: "IAM JSON policy elements: Condition operators", "Conditions with
//! multiple context keys or values".

use super::cidr::{self, Cidr};
use super::document::Reader;
use super::key::Key;
use super::operator::{Comparison, Operand, Operator, Quantifier};
use super::pattern::{Pattern, Style, separated};
use super::statement::{Asked, Effect};
use super::truth::Truth;
use super::{Request, date};
use crate::definition::Node;

/// One line of a condition block; all of them have to hold.
#[derive(Debug)]
pub(super) enum Condition {
    /// An operator or a key that nobody here knows: never decided.
    Unknown,
    Known {
        key: Key,
        operator: Operator,
        test: Test,
    },
}

/// The values of the policy, one of which has to be met.
#[derive(Debug)]
pub(super) enum Test {
    Text(Vec<Pattern>),
    Arn(Vec<Pattern>),
    Number(Comparison, Vec<f64>),
    Date(Comparison, Vec<i64>),
    Bool(Vec<bool>),
    /// As Base64.
    Binary(Vec<String>),
    Ip(Vec<Cidr>),
    Null(Vec<bool>),
}

/// Reads a condition block.
pub(super) fn compile(block: &Node<'_>, effect: Effect, reader: &mut Reader<'_>) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (name, keys) in block.members(reader.problems) {
        let operator = Operator::parse(name);
        if operator.is_none() && !reader.is_lenient() {
            reader.problems.stray(
                &keys.path,
                format!("`{name}` is no condition operator"),
                Some("names are case-sensitive: `StringLike`"),
            );
        }
        let members = keys.members(reader.problems);
        if members.is_empty() && keys.value.is_object() {
            reader.problems.error(&keys.path, "an operator without a condition key", None);
        }
        for (name, values) in members {
            let key = Key::parse(name);
            if key.is_none() {
                reader.warn_of_unknown_key(&values, name, effect);
            }
            let nodes = reader.list(&values);
            let Some(operator) = operator else {
                conditions.push(Condition::Unknown);
                continue;
            };
            let test = Test::compile(operator.operand, &nodes, effect, reader);
            conditions.push(match (key, test) {
                (Some(key), Some(test)) => Condition::Known { key, operator, test },
                _ => Condition::Unknown,
            });
        }
    }
    conditions
}

/// A decimal number: what Rust reads, but no `inf`, `nan` or hexadecimal.
fn number(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    text.parse().ok().filter(|number: &f64| is_plain && number.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    let is = |name| text.eq_ignore_ascii_case(name);
    if is("true") { Some(true) } else { is("false").then_some(false) }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0, |group, i| (group << 8) | usize::from(chunk.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let digit = BASE64.get((group >> (18 - 6 * i)) & 63).filter(|_| i <= chunk.len());
            text.push(digit.map_or('=', |digit| char::from(*digit)));
        }
    }
    text
}

/// The form only; a value whose spare bits are set is never met.
fn is_base64(text: &str) -> bool {
    let digits = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    text.len() % 4 == 0 && digits.bytes().all(|b| BASE64.contains(&b))
}

// === impl Condition ===

impl Condition {
    /// Whether the request meets it.
    pub(super) fn holds(&self, asked: &mut Asked<'_>) -> Truth {
        let Self::Known { key, operator, test } = self else { return Truth::Unsure };
        let values = (asked.request.keys)(key).filter(|values| !values.is_empty());
        if let Test::Null(wanted) = test {
            return Truth::of(wanted.contains(&values.is_none()));
        }
        let Some(values) = values else {
            return Truth::of(match operator.quantifier {
                _ if operator.if_exists => true,
                Quantifier::All => true,
                Quantifier::Any => false,
                // Documented: what is not there is equal to nothing.
                Quantifier::Single => operator.negated,
            });
        };
        asked.steps.spend(values.iter().map(String::len).sum());
        let mut truths = values.iter().map(|value| test.is_met_by(value, asked).negated_if(operator.negated));
        match operator.quantifier {
            Quantifier::All => Truth::all(truths),
            Quantifier::Any => Truth::any(truths),
            // assumed(policy-several-values): AWS says that several values need a set operator, not what happens without.
            Quantifier::Single => {
                let first = truths.next().unwrap_or(Truth::Unsure);
                if truths.all(|truth| truth == first) { first } else { Truth::Unsure }
            }
        }
    }
}

// === impl Test ===

impl Test {
    fn compile(operand: Operand, values: &[Node<'_>], effect: Effect, reader: &mut Reader<'_>) -> Option<Self> {
        match operand {
            Operand::Text(style) => {
                let patterns = reader.patterns(values, effect, |text, variables| {
                    let has_parts =
                        style != Style::Arn || text == "*" || (text.starts_with("arn:") && text.matches(':').count() >= 5);
                    if has_parts {
                        Pattern::read(text, style, variables)
                    } else {
                        Err("an ARN has six parts, `arn:partition:service:region:account:resource`")
                    }
                });
                Some(if style == Style::Arn { Self::Arn(patterns) } else { Self::Text(patterns) })
            }
            Operand::Number(comparison) => Some(Self::Number(comparison, reader.values(values, "a number", number)?)),
            Operand::Date(comparison) => {
                let what = "a date such as `2026-01-02T03:04:05Z`, or a number of seconds";
                Some(Self::Date(comparison, reader.values(values, what, date::parse)?))
            }
            Operand::Bool => Some(Self::Bool(reader.values(values, "`true` or `false`", boolean)?)),
            Operand::Null => Some(Self::Null(reader.values(values, "`true` or `false`", boolean)?)),
            Operand::Binary => {
                let text = |text: &str| is_base64(text).then(|| text.to_owned());
                Some(Self::Binary(reader.values(values, "Base64", text)?))
            }
            Operand::Ip => Some(Self::Ip(reader.values(values, "an IP address or a range such as `192.0.2.0/24`", Cidr::parse)?)),
        }
    }

    /// Whether one of the policy's values fits the request's. A value of the request that does not read is not decided:
    /// assumed(policy-unreadable-value), AWS does not say.
    fn is_met_by(&self, value: &str, asked: &mut Asked<'_>) -> Truth {
        let request: &Request<'_> = asked.request;
        let steps = &mut asked.steps;
        match self {
            Self::Text(patterns) => Truth::any(patterns.iter().map(|pattern| pattern.matches(value, request, steps))),
            Self::Arn(patterns) => {
                let parts = separated(value);
                Truth::any(patterns.iter().map(|pattern| pattern.matches(&parts, request, steps)))
            }
            Self::Number(comparison, wanted) => {
                compare(number(value), |value| wanted.iter().any(|wanted| comparison.holds(value, wanted)))
            }
            Self::Date(comparison, wanted) => {
                compare(date::parse(value), |value| wanted.iter().any(|wanted| comparison.holds(value, wanted)))
            }
            Self::Bool(wanted) | Self::Null(wanted) => compare(boolean(value), |value| wanted.contains(value)),
            Self::Binary(wanted) => Truth::of(wanted.contains(&base64(value.as_bytes()))),
            Self::Ip(ranges) => compare(cidr::address(value), |value| ranges.iter().any(|range| range.contains(*value))),
        }
    }
}

fn compare<T>(value: Option<T>, holds: impl FnOnce(&T) -> bool) -> Truth {
    value.as_ref().map_or(Truth::Unsure, |value| Truth::of(holds(value)))
}

#[cfg(test)]
mod tests {
    use super::super::Decision;
    use super::super::tests::decide;
    use super::*;
    use serde_json::{Value, json};

    /// The truth of a condition, seen from both effects.
    fn truth(condition: &Value, keys: &[(&str, &[&str])]) -> Truth {
        let statement = |effect: &str| json!({"Effect": effect, "Action": "*", "Resource": "*", "Condition": condition});
        match (decide(&statement("Allow"), keys), decide(&statement("Deny"), keys)) {
            (Decision::Allow, Decision::Deny) => Truth::Yes,
            (Decision::Neither, Decision::Deny) => Truth::Unsure,
            (Decision::Neither, Decision::Neither) => Truth::No,
            both => panic!("{both:?}"),
        }
    }

    fn check(operator: &str, key: &str, wanted: Value, asked: &[&str], expected: Truth) {
        let condition = json!({operator: {key: wanted}});
        assert_eq!(truth(&condition, &[(key, asked)]), expected, "{condition} and {asked:?}");
    }

    /// An operator, its negation if it has one, a value of the policy, values of the request that meet it, that do not, and that
    /// do not read.
    type Row = (
        &'static str,
        Option<&'static str>,
        &'static str,
        Value,
        &'static [&'static str],
        &'static [&'static str],
        &'static [&'static str],
    );

    fn rows() -> Vec<Row> {
        let arn = "arn:aws:iam::111122223333:user/*";
        vec![
            ("StringEquals", Some("StringNotEquals"), "aws:UserAgent", json!(["a*", "b"]), &["a*", "b"], &["aa", "A*", ""], &[]),
            (
                "StringEqualsIgnoreCase",
                Some("StringNotEqualsIgnoreCase"),
                "aws:UserAgent",
                json!("A*"),
                &["a*", "A*"],
                &["ab"],
                &[],
            ),
            (
                "StringLike",
                Some("StringNotLike"),
                "aws:Referer",
                json!("http://a.test/*"),
                &["http://a.test/x"],
                &["http://A.test/x"],
                &[],
            ),
            (
                "NumericEquals",
                Some("NumericNotEquals"),
                "aws:EpochTime",
                json!(["10", 11]),
                &["10", "10.0", "11"],
                &["12", "-10"],
                &["", "x", "inf"],
            ),
            ("NumericLessThan", None, "aws:EpochTime", json!(10), &["9", "-3.5"], &["10", "11"], &["ten"]),
            ("NumericLessThanEquals", None, "aws:EpochTime", json!("10"), &["9", "10"], &["10.1"], &["NaN"]),
            ("NumericGreaterThan", None, "aws:EpochTime", json!("1e1"), &["11"], &["10", "9"], &["0x10"]),
            ("NumericGreaterThanEquals", None, "aws:EpochTime", json!(10.5), &["10.5", "11"], &["10"], &["1 1"]),
            (
                "DateEquals",
                Some("DateNotEquals"),
                "aws:CurrentTime",
                json!("2026-01-02T03:04:05Z"),
                &["2026-01-02T04:04:05+01:00", "1767323045"],
                &["2026-01-02"],
                &["now"],
            ),
            (
                "DateLessThan",
                None,
                "aws:CurrentTime",
                json!("2026-01-02"),
                &["2026-01-01T23:59:59Z"],
                &["2026-01-02T00:00:00Z"],
                &["2026"],
            ),
            (
                "DateLessThanEquals",
                None,
                "aws:CurrentTime",
                json!(1_767_312_000),
                &["2026-01-02"],
                &["2026-01-02T00:00:00.001Z"],
                &[""],
            ),
            ("DateGreaterThan", None, "aws:EpochTime", json!("2026-01-02T00:00Z"), &["1767312001"], &["1767312000"], &["x"]),
            (
                "DateGreaterThanEquals",
                None,
                "aws:CurrentTime",
                json!("2026-01"),
                &["2026-01-01T00:00:00Z"],
                &["2025-12-31T23:59:59Z"],
                &["x"],
            ),
            ("Bool", None, "aws:SecureTransport", json!(true), &["true", "True"], &["false"], &["1", ""]),
            (
                "BinaryEquals",
                None,
                "aws:userid",
                json!("QmluYXJ5VmFsdWVJbkJhc2U2NA=="),
                &["BinaryValueInBase64"],
                &["QmluYXJ5VmFsdWVJbkJhc2U2NA==", ""],
                &[],
            ),
            (
                "IpAddress",
                Some("NotIpAddress"),
                "aws:SourceIp",
                json!(["203.0.113.0/24", "2001:db8::/32"]),
                &["203.0.113.9", "::ffff:203.0.113.9", "2001:db8::1"],
                &["203.0.114.9", "::1"],
                &["", "x", "203.0.113.9:80"],
            ),
            (
                "ArnEquals",
                Some("ArnNotEquals"),
                "aws:PrincipalArn",
                json!(arn),
                &["arn:aws:iam::111122223333:user/a:b"],
                &["arn:aws:iam::9:111122223333:user/a", "x", ""],
                &[],
            ),
            ("ArnLike", Some("ArnNotLike"), "aws:PrincipalArn", json!(["*", arn]), &["arn:aws:iam::9:root", "x"], &[], &[]),
        ]
    }

    #[test]
    fn every_operator_tells_values_apart() {
        for (operator, negation, key, wanted, meeting, failing, unreadable) in rows() {
            for (values, truth) in [(meeting, Truth::Yes), (failing, Truth::No), (unreadable, Truth::Unsure)] {
                for value in values {
                    let asked = std::slice::from_ref(value);
                    for prefix in ["", "ForAllValues:", "ForAnyValue:"] {
                        for suffix in ["", "IfExists"] {
                            check(&format!("{prefix}{operator}{suffix}"), key, wanted.clone(), asked, truth);
                            if let Some(negation) = negation {
                                check(&format!("{prefix}{negation}{suffix}"), key, wanted.clone(), asked, truth.negated_if(true));
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_missing_key_meets_what_is_negated_if_exists_or_for_all() {
        for (operator, negation, key, wanted, ..) in rows() {
            for (name, is_negated) in [Some((operator, false)), negation.map(|name| (name, true))].into_iter().flatten() {
                for prefix in ["", "ForAllValues:", "ForAnyValue:"] {
                    let met = if prefix.is_empty() { is_negated } else { prefix == "ForAllValues:" };
                    check(&format!("{prefix}{name}"), key, wanted.clone(), &[], Truth::of(met));
                    check(&format!("{prefix}{name}IfExists"), key, wanted.clone(), &[], Truth::Yes);
                    let condition = json!({name: {"aws:TokenIssueTime": wanted}});
                    assert_eq!(truth(&condition, &[]), Truth::of(is_negated), "{condition}");
                }
            }
        }
    }

    #[test]
    fn null_asks_for_presence_only() {
        for (wanted, absent, present) in [
            (json!("true"), Truth::Yes, Truth::No),
            (json!(false), Truth::No, Truth::Yes),
            (json!(["true", "false"]), Truth::Yes, Truth::Yes),
        ] {
            check("Null", "aws:Referer", wanted.clone(), &[], absent);
            check("Null", "aws:Referer", wanted, &[""], present);
        }
    }

    #[test]
    fn several_values_need_a_set_operator_unless_they_agree() {
        let key = "aws:PrincipalOrgPaths";
        for (operator, all, some, none) in [
            ("ForAllValues:StringEquals", Truth::Yes, Truth::No, Truth::No),
            ("ForAnyValue:StringEquals", Truth::Yes, Truth::Yes, Truth::No),
            ("ForAllValues:StringNotEquals", Truth::No, Truth::No, Truth::Yes),
            ("ForAnyValue:StringNotEquals", Truth::No, Truth::Yes, Truth::Yes),
            ("StringEquals", Truth::Yes, Truth::Unsure, Truth::No),
            ("StringNotEquals", Truth::No, Truth::Unsure, Truth::Yes),
        ] {
            check(operator, key, json!(["a", "b"]), &["a", "b"], all);
            check(operator, key, json!(["a", "b"]), &["a", "x"], some);
            check(operator, key, json!(["a", "b"]), &["x", "y"], none);
        }
    }

    #[test]
    fn operators_and_keys_of_a_block_have_to_hold_together() {
        let condition = json!({
            "StringEquals": {"aws:UserAgent": "a", "aws:Referer": ["b", "c"]},
            "Bool": {"aws:SecureTransport": "true"},
        });
        let met: [(&str, &[&str]); 3] = [("aws:UserAgent", &["a"]), ("aws:Referer", &["c"]), ("aws:SecureTransport", &["true"])];
        assert_eq!(truth(&condition, &met), Truth::Yes);
        for i in 0..3 {
            let mut unmet = met;
            unmet[i].1 = &["false"];
            assert_eq!(truth(&condition, &unmet), Truth::No, "{unmet:?}");
        }
    }

    #[test]
    fn values_that_no_operator_takes_are_malformed() {
        for (operator, value) in [
            ("NumericEquals", json!("ten")),
            ("NumericEquals", json!("0x1")),
            ("NumericEquals", json!("inf")),
            ("DateLessThan", json!("tomorrow")),
            ("DateLessThan", json!(2030)),
            ("Bool", json!("yes")),
            ("Null", json!("maybe")),
            ("BinaryEquals", json!("a")),
            ("BinaryEquals", json!("a===")),
            ("IpAddress", json!("10.0.0.0/33")),
            ("IpAddress", json!("${aws:username}")),
            ("ArnLike", json!("arn:aws:iam")),
            ("StringEquals", json!({})),
            ("StringEquals", json!([["a"]])),
            ("StringEquals", json!([])),
            ("StringEquals", json!(null)),
        ] {
            let statement =
                json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {operator: {"aws:SourceIp": value}}});
            let malformed = super::super::Policy::parse(&json!({"Version": "2012-10-17", "Statement": statement}));
            assert!(malformed.is_err(), "{statement}");
        }
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (text, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("\u{ff}\u{3ff}", "w7/Pvw==")]
        {
            assert_eq!(base64(text.as_bytes()), encoded);
            assert!(is_base64(encoded));
        }
    }

    #[test]
    fn a_number_is_decimal_and_finite() {
        assert_eq!(["1", "-1.5", "+2e1", "1E-1"].map(number), [Some(1.0), Some(-1.5), Some(20.0), Some(0.1)]);
        assert_eq!(["1e999", "-1e999", "inf", "nan", "0x1", "1_0", ""].map(number), [None; 7]);
    }
}
