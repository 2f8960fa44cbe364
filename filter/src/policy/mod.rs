//! IAM policy documents and how they are evaluated: resource policies (`x-amazon-apigateway-policy`), the policies that Lambda
//! authorizers return, and the identity policies of users. AWS: "IAM JSON policy element reference", "Policy evaluation logic",
//! "How API Gateway resource policies affect authorization workflow".
//!
//! An explicit Deny wins over an Allow, an Allow over silence, in whatever order the statements stand. What cannot be decided (an
//! unknown operator or condition key, a value that does not read) is neither true nor false: with it a Deny applies and an Allow
//! does not.
//!
//! | file | what it holds |
//! |---|---|
//! | `document` | documents to policies, with every mistake |
//! | `statement` | one statement |
//! | `principal` | `Principal`, `NotPrincipal` |
//! | `condition` | `Condition` |
//! | `operator` | the names of its operators |
//! | `key` | the names of its keys |
//! | `pattern` | wildcards and policy variables |
//! | `cidr`, `date` | values of conditions |
//! | `truth` | yes, no, unsure |

mod cidr;
mod condition;
mod date;
mod document;
mod key;
mod operator;
mod pattern;
mod principal;
mod statement;
mod truth;

pub use date::parse as parse_date;
pub use document::{ApiArn, Kind, MalformedPolicy};
pub use key::Key;

use pattern::{Steps, separated};
use statement::{Asked, Effect, Statement};
use truth::Truth;

/// A compiled policy document.
#[derive(Debug)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// What one policy says of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allow,
    /// A statement denies it.
    Deny,
    /// No statement is about it: an implicit deny, unless another policy allows.
    Neither,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// Nobody that AWS knows: no IAM authentication, or none yet.
    Anonymous,
    /// A user, a role session or the root user of an account.
    Aws {
        /// `arn:aws:iam::111122223333:user/name`, `arn:aws:sts::111122223333:assumed-role/role/session`
        arn: String,
        /// `111122223333`
        account: String,
    },
}

/// What is asked.
pub struct Request<'a> {
    /// `execute-api:Invoke`
    pub action: &'a str,
    /// The ARN of the method: `arn:aws:execute-api:region:account:api/stage/VERB/path`.
    pub resource: &'a str,
    /// Who asks; only resource policies look at it.
    pub principal: &'a Principal,
    /// The values of a condition key, none where the request has no such key. Asked for only where a statement names the key.
    pub keys: &'a dyn Fn(&Key) -> Option<Vec<String>>,
}

/// How many steps one evaluation may take, each one token of a pattern against one character: far more than any policy that is
/// meant needs, and some ten milliseconds of the worker. Our own limit; at its end the answer is Deny.
const STEPS: usize = 1 << 22;

/// Table A, for callers in the account of the API and for authorizers: one of the two must allow, none may deny.
pub fn table_a(identity_or_authorizer: Decision, resource: Decision) -> bool {
    let both = [identity_or_authorizer, resource];
    both.contains(&Decision::Allow) && !both.contains(&Decision::Deny)
}

/// Table B, for callers of another account: both must allow. An API without a resource policy says [`Decision::Neither`].
pub fn table_b(identity: Decision, resource: Decision) -> bool {
    identity == Decision::Allow && resource == Decision::Allow
}

// === impl Policy ===

impl Policy {
    /// What the policy says of the request.
    pub fn evaluate(&self, request: &Request<'_>) -> Decision {
        self.evaluate_within(request, STEPS)
    }

    fn evaluate_within(&self, request: &Request<'_>, steps: usize) -> Decision {
        let mut asked = Asked { request, resource_parts: separated(request.resource), steps: Steps::new(steps) };
        let mut decision = Decision::Neither;
        // All of them, also behind an Allow: what the steps are spent on must not depend on the order.
        for statement in &self.statements {
            match (statement.effect, statement.applies(&mut asked)) {
                (Effect::Deny, Truth::Yes | Truth::Unsure) => return Decision::Deny,
                (Effect::Allow, Truth::Yes) => decision = Decision::Allow,
                _ => {}
            }
        }
        if asked.steps.are_spent() { Decision::Deny } else { decision }
    }
}

#[cfg(test)]
mod tests {
    use super::Decision::{Allow, Deny, Neither};
    use super::*;
    use serde_json::{Value, json};

    /// A request with these condition keys and no more.
    pub(super) fn asking<T>(keys: &[(&str, &[&str])], ask: impl FnOnce(&Request<'_>) -> T) -> T {
        let known: Vec<_> = keys.iter().map(|(name, values)| (Key::parse(name).unwrap(), values)).collect();
        let keys = |asked: &Key| {
            let (_, values) = known.iter().find(|(key, _)| key == asked)?;
            Some(values.iter().map(|value| (*value).to_owned()).collect())
        };
        let resource = "arn:aws:execute-api:us-east-1:000000000000:abcdef1234/test/GET/pets";
        ask(&Request { action: "execute-api:Invoke", resource, principal: &Principal::Anonymous, keys: &keys })
    }

    /// What an authorizer's policy of these statements decides.
    pub(super) fn decide(statements: &Value, keys: &[(&str, &[&str])]) -> Decision {
        let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements}));
        asking(keys, |request| policy.unwrap().evaluate(request))
    }

    fn statement(effect: &str, resource: &str, condition: Value) -> Value {
        json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource, "Condition": condition})
    }

    #[test]
    fn table_a_is_as_documented() {
        for (identity, resource, allowed) in [
            (Allow, Allow, true),
            (Allow, Neither, true),
            (Allow, Deny, false),
            (Neither, Allow, true),
            (Neither, Neither, false),
            (Neither, Deny, false),
            (Deny, Allow, false),
            (Deny, Neither, false),
            (Deny, Deny, false),
        ] {
            assert_eq!(table_a(identity, resource), allowed, "{identity:?} {resource:?}");
        }
    }

    #[test]
    fn table_b_is_as_documented() {
        for identity in [Allow, Neither, Deny] {
            for resource in [Allow, Neither, Deny] {
                assert_eq!(table_b(identity, resource), (identity, resource) == (Allow, Allow), "{identity:?} {resource:?}");
            }
        }
    }

    #[test]
    fn a_deny_wins_and_the_order_of_statements_does_not_matter() {
        let [allow, deny] = ["Allow", "Deny"].map(|effect| statement(effect, "*", json!({})));
        let other = statement("Deny", "arn:aws:execute-api:*:*:other/*", json!({}));
        let unsure = statement("Allow", "*", json!({"StringLike": {"aws:Unheard": "*"}}));
        let statements = [allow, deny, other, unsure];
        for set in 1..16_usize {
            let chosen: Vec<_> = (0..4).filter(|i| set & (1 << i) != 0).collect();
            let expected = if set & 2 != 0 { Deny } else { [Neither, Allow][set & 1] };
            for order in permutations(&chosen) {
                let list: Vec<_> = order.iter().map(|i| statements[*i].clone()).collect();
                assert_eq!(decide(&json!(list), &[]), expected, "{order:?}");
            }
        }
    }

    fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
        if of.is_empty() {
            return vec![Vec::new()];
        }
        let with = |first: usize| {
            let rest: Vec<_> = of.iter().copied().filter(|i| *i != first).collect();
            permutations(&rest).into_iter().map(move |rest| [vec![first], rest].concat())
        };
        of.iter().copied().flat_map(with).collect()
    }

    #[test]
    fn what_is_not_known_denies_and_never_allows() {
        for condition in [
            json!({"StringResembles": {"aws:SourceIp": "*"}}),
            json!({"StringNotEquals": {"aws:Unheard": "x"}}),
            json!({"StringEqualsIfExists": {"aws:Unheard": "x"}}),
            json!({"Null": {"aws:Unheard": "true"}}),
            json!({"ForAllValues:StringEquals": {"aws:Unheard": "x"}}),
            json!({"StringEquals": {"aws:SourceIp": "${aws:Unheard}"}}),
        ] {
            let keys: &[(&str, &[&str])] = &[("aws:SourceIp", &["192.0.2.1"])];
            assert_eq!(decide(&json!(statement("Allow", "*", condition.clone())), keys), Neither, "{condition}");
            assert_eq!(decide(&json!(statement("Deny", "*", condition.clone())), keys), Deny, "{condition}");
            // But not where another condition is plainly not met.
            let mut both = condition;
            both["IpAddress"] = json!({"aws:SourceIp": "198.51.100.0/24"});
            assert_eq!(decide(&json!(statement("Deny", "*", both.clone())), keys), Neither, "{both}");
        }
    }

    #[test]
    fn a_policy_that_takes_too_many_steps_denies_in_any_order() {
        let allow = statement("Allow", "*", json!({}));
        let costly = statement("Allow", "arn:aws:execute-api:*:*:*pets*petsx", json!({}));
        for list in [json!([allow, costly]), json!([costly, allow])] {
            let policy = Policy::parse(&json!({"Statement": list})).unwrap();
            assert_eq!(asking(&[], |request| policy.evaluate(request)), Allow);
            assert_eq!(asking(&[], |request| policy.evaluate_within(request, 60)), Deny);
        }
    }
}
