//! Documents to policies, with every mistake and its place. AWS: "Grammar of the IAM JSON policy language".

use super::Policy;
use super::pattern::Pattern;
use super::statement::{Effect, Statement};
use crate::definition::{Node, partition};
use crate::problem::{About, Problems, Severity};
use serde_json::Value;
use std::fmt;

/// Where a policy stands, which decides what may be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// On an API: it names principals, and `execute-api:/…` is this API.
    Resource(ApiArn<'a>),
    /// On a user.
    Identity,
    /// In the answer of an authorizer.
    Authorizer,
}

/// The ARN of an API: `arn:aws:execute-api:region:account:api`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiArn<'a> {
    /// `us-east-1`
    pub region: &'a str,
    /// `111122223333`
    pub account: &'a str,
    /// `abcdef1234`
    pub api: &'a str,
}

/// What an authorizer returned is no policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedPolicy(String);

/// What reading a document carries along.
pub(super) struct Reader<'r> {
    pub(super) kind: Kind<'r>,
    pub(super) problems: &'r mut Problems,
    /// Policy variables exist since version 2012-10-17.
    variables: bool,
}

/// How large a policy may be that an authorizer returns, about in bytes of JSON: our own limit, many times what IAM lets a user's
/// policies have, so that a broken function harms nobody but itself.
const SIZE_LIMIT: usize = 64 * 1024;

/// How much of a mistake goes to the operator's log.
const REASON_LIMIT: usize = 240;

/// Looks no further than the limit, and at no depth.
fn is_too_large(value: &Value) -> bool {
    let (mut size, mut rest) = (0_usize, vec![value]);
    while let Some(value) = rest.pop() {
        match value {
            Value::String(text) => size += text.len(),
            Value::Array(elements) => size += 4 * elements.len(),
            Value::Object(members) => size += members.keys().map(|key| key.len() + 6).sum::<usize>(),
            _ => {}
        }
        if size > SIZE_LIMIT {
            return true;
        }
        match value {
            Value::Array(elements) => rest.extend(elements),
            Value::Object(members) => rest.extend(members.values()),
            _ => {}
        }
    }
    false
}

// === impl ApiArn ===

impl fmt::Display for ApiArn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:execute-api:{}:{}:{}", partition(self.region), self.region, self.account, self.api)
    }
}

// === impl MalformedPolicy ===

/// The first mistake, short and on one line: for the operator's log.
impl fmt::Display for MalformedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Policy ===

impl Policy {
    /// Reads a document; none when there is a mistake in it.
    pub fn compile(node: &Node<'_>, kind: Kind<'_>, problems: &mut Problems) -> Option<Self> {
        let mut own = Problems::default();
        let policy = Self::read(node, kind, &mut own);
        let is_whole = !own.any_error();
        for problem in own.into_vec() {
            let (path, help) = (&problem.path, problem.help.as_deref());
            match (problem.severity, problem.about) {
                (Severity::Warning, _) => problems.warning(path, problem.message, help),
                (Severity::Error, About::Value) => problems.error(path, problem.message, help),
                (Severity::Error, About::Name) => problems.stray(path, problem.message, help),
            }
        }
        policy.filter(|_| is_whole)
    }

    /// Reads what an authorizer returned as its `policyDocument`. Any mistake makes it malformed, but for operators and condition
    /// keys that are not known: with those a Deny applies and an Allow does not. assumed(policy-returned-grammar): AWS refuses what
    /// the grammar does not have, such as an empty list or a principal; only null is told by users.
    pub fn parse(value: &Value) -> Result<Self, MalformedPolicy> {
        if is_too_large(value) {
            return Err(MalformedPolicy(format!("a policy of more than {SIZE_LIMIT} bytes")));
        }
        let mut problems = Problems::default();
        let policy = Self::read(&Node::root(value), Kind::Authorizer, &mut problems);
        let mistake = problems.into_vec().into_iter().find(|problem| problem.severity == Severity::Error);
        let reason = match (policy, mistake) {
            (Some(policy), None) => return Ok(policy),
            (_, mistake) => mistake.map_or_else(String::new, |mistake| mistake.to_string()),
        };
        Err(MalformedPolicy(reason.chars().take(REASON_LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect()))
    }

    fn read(node: &Node<'_>, kind: Kind<'_>, problems: &mut Problems) -> Option<Self> {
        let mut reader = Reader { kind, problems, variables: false };
        let known: &[&str] = if kind == Kind::Identity { &["Version", "Statement"] } else { &["Version", "Id", "Statement"] };
        reader.only(node, known);
        if let Some(id) = node.get("Id") {
            id.string(reader.problems);
        }
        // Documented: without a version it is 2008-10-17.
        if let Some(version) = node.get("Version") {
            match version.string(reader.problems) {
                Some("2012-10-17") => reader.variables = true,
                Some("2008-10-17") | None => {}
                Some(text) => {
                    let help = "`2012-10-17`, or `2008-10-17` without policy variables";
                    reader.problems.error(&version.path, format!("`{text}` is no version of the policy language"), Some(help));
                }
            }
        }
        let statements = reader.required(node, "Statement")?;
        let statements = reader.list(&statements);
        Some(Self { statements: statements.iter().filter_map(|statement| Statement::compile(statement, &mut reader)).collect() })
    }
}

// === impl Reader ===

impl Reader<'_> {
    /// Whether names that nobody knows leave a statement undecided, and are no mistake.
    pub(super) fn is_lenient(&self) -> bool {
        self.kind == Kind::Authorizer
    }

    /// Reports members that are not known, and null: AWS refuses a policy with `"Condition": null` (told by users of its runtimes).
    pub(super) fn only(&mut self, node: &Node<'_>, known: &[&str]) {
        for (key, member) in node.members(self.problems) {
            if !known.contains(&key) {
                let help = format!("known here: {}", known.join(", "));
                self.problems.stray(&member.path, format!("unknown key `{key}`"), Some(&help));
            } else if member.value.is_null() {
                self.problems.error(&member.path, "null", Some("leave it out"));
            }
        }
    }

    /// A member that must be there.
    pub(super) fn required<'n>(&mut self, node: &Node<'n>, key: &str) -> Option<Node<'n>> {
        let member = node.get(key);
        if member.is_none() && node.value.is_object() {
            self.problems.error(&node.path, format!("`{key}` is missing"), None);
        }
        member
    }

    /// One of two members that exclude each other; true for the second.
    pub(super) fn one_of<'n>(&mut self, node: &Node<'n>, key: &str, not_key: &str) -> Option<(bool, Node<'n>)> {
        match (node.get(key), node.get(not_key)) {
            (Some(member), None) => Some((false, member)),
            (None, Some(member)) => Some((true, member)),
            (Some(_), Some(member)) => {
                self.problems.stray(&member.path, format!("`{key}` and `{not_key}` exclude each other"), None);
                None
            }
            (None, None) => {
                if node.value.is_object() {
                    self.problems.error(&node.path, format!("`{key}` is missing"), Some(&format!("write `{key}` or `{not_key}`")));
                }
                None
            }
        }
    }

    /// One value, or a list of at least one.
    pub(super) fn list<'n>(&mut self, node: &Node<'n>) -> Vec<Node<'n>> {
        if !node.value.is_array() {
            return vec![node.clone()];
        }
        let elements = node.elements(self.problems);
        if elements.is_empty() {
            self.problems.error(&node.path, "an empty list", None);
        }
        elements
    }

    /// The texts as patterns, each read by `read`, which is told whether policy variables are on.
    pub(super) fn patterns(
        &mut self,
        nodes: &[Node<'_>],
        effect: Effect,
        read: impl Fn(&str, bool) -> Result<Pattern, &'static str>,
    ) -> Vec<Pattern> {
        let mut patterns = Vec::with_capacity(nodes.len());
        for node in nodes {
            let Some(text) = node.text(self.problems) else { continue };
            match read(&text, self.variables) {
                Ok(pattern) => {
                    if pattern.has_unknown_variable() {
                        self.warn_of_unknown_key(node, &text, effect);
                    }
                    patterns.push(pattern);
                }
                Err(reason) => self.problems.error(&node.path, format!("`{text}` is not served: {reason}"), None),
            }
        }
        patterns
    }

    /// The texts as values; none when one does not read.
    pub(super) fn values<T>(&mut self, nodes: &[Node<'_>], what: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            let Some(text) = node.text(self.problems) else { continue };
            match read(&text) {
                Some(value) => values.push(value),
                None => self.problems.error(&node.path, format!("`{text}` is not {what}"), None),
            }
        }
        (values.len() == nodes.len()).then_some(values)
    }

    /// Says what becomes of a statement that is never decided.
    pub(super) fn warn_of_unknown_key(&mut self, node: &Node<'_>, name: &str, effect: Effect) {
        let outcome = match effect {
            Effect::Allow => "the statement never allows",
            Effect::Deny => "the statement denies, whatever the value",
        };
        self.problems.warning(&node.path, format!("`{name}` asks for no condition key of API Gateway: {outcome}"), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const API: ApiArn<'_> = ApiArn { region: "us-east-1", account: "000000000000", api: "abcdef1234" };

    fn told(value: &Value, kind: Kind<'_>) -> (bool, Vec<String>) {
        let mut problems = Problems::default();
        let policy = Policy::compile(&Node::root(value), kind, &mut problems);
        (policy.is_some(), problems.into_vec().iter().map(ToString::to_string).collect())
    }

    /// One statement of a resource policy with some members changed or, by null, left out; and what is told of it.
    fn told_of(changes: &Value) -> (bool, Vec<String>) {
        let mut statement =
            json!({"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"});
        for (key, value) in changes.as_object().unwrap() {
            let members = statement.as_object_mut().unwrap();
            if value.is_null() {
                members.shift_remove(key)
            } else {
                members.insert(key.clone(), value.clone())
            };
        }
        told(&json!({"Version": "2012-10-17", "Statement": [statement]}), Kind::Resource(API))
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let document = json!({"version": "x", "Version": "2012-10-18", "Statement": [
            {"Effect": "allow", "Sid": 1, "Action": [], "Resource": "pets", "Condition": null},
            {"Effect": "Deny", "Principal": "x", "NotPrincipal": "*", "Action": "Invoke", "NotAction": "*", "Extra": {}},
        ]});
        let (compiled, told) = told(&document, Kind::Resource(API));
        assert!(!compiled);
        for (path, message) in [
            ("$.version", "unknown key `version`"),
            ("$.Version", "`2012-10-18` is no version"),
            ("$.Statement[0].Sid", "expected a string, found a number"),
            ("$.Statement[0].Effect", "`allow` is no effect"),
            ("$.Statement[0]", "`Principal` is missing"),
            ("$.Statement[0].Action", "an empty list"),
            ("$.Statement[0].Resource", "`pets` is not served: a resource is `*` or an ARN"),
            ("$.Statement[0].Condition", "null"),
            ("$.Statement[1].NotPrincipal", "`Principal` and `NotPrincipal` exclude each other"),
            ("$.Statement[1].NotAction", "`Action` and `NotAction` exclude each other"),
            ("$.Statement[1].Extra", "unknown key `Extra`"),
            ("$.Statement[1]", "`Resource` is missing"),
        ] {
            assert!(told.iter().any(|line| line.starts_with(&format!("{path}: {message}"))), "{path}: {message} in {told:#?}");
        }
        assert_eq!(told.len(), 12, "{told:#?}");
    }

    #[test]
    fn mistakes_of_elements_are_told() {
        for (changes, message) in [
            (json!({"Principal": null, "NotPrincipal": "*"}), "`NotPrincipal` stands with `Deny` only"),
            (
                json!({"Principal": {"AWS": "arn:aws:iam::111122223333:user/*"}}),
                "`arn:aws:iam::111122223333:user/*` is no principal",
            ),
            (json!({"Principal": {"AWS": "arn:aws:s3:::bucket"}}), "is no principal"),
            (json!({"Principal": {"AWS": "1234"}}), "`1234` is no principal"),
            (json!({"Principal": {"User": "x"}}), "unknown key `User`"),
            (json!({"Principal": {}}), "nobody is named"),
            (json!({"Action": "Invoke"}), "an action is `*` or names its service"),
            (json!({"Resource": "arn:aws:execute-api:us-east-1:${aws:username}:a/*"}), "only behind the fifth colon"),
            (json!({"Resource": "execute-api:/${aws:username"}), "a policy variable without its `}`"),
            (json!({"Condition": {"StringIs": {"aws:Referer": "x"}}}), "`StringIs` is no condition operator"),
            (json!({"Condition": {"StringEquals": {}}}), "an operator without a condition key"),
            (json!({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}}), "`10.0.0.0/33` is not an IP address"),
            (json!({"Condition": {"DateLessThan": {"aws:CurrentTime": "soon"}}}), "`soon` is not a date"),
            (json!({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3"}}}), "an ARN has six parts"),
        ] {
            let (compiled, told) = told_of(&changes);
            assert!(!compiled, "{changes}");
            assert!(told.len() == 1 && told[0].contains(message), "{message} in {told:#?}");
        }
    }

    #[test]
    fn what_never_applies_as_it_looks_is_warned_of() {
        for (changes, message) in [
            (json!({"Action": "execute-api:Invok"}), "`execute-api:Invok` is no action of execute-api"),
            (json!({"Resource": "arn:aws:execute-api:us-east-1:000000000000:other/*"}), "names nothing of this API"),
            (json!({"Principal": {"Service": "lambda.amazonaws.com"}}), "no caller here is ever a `Service` principal"),
            (json!({"Principal": {"AWS": "AIDACKCEVSQ6C2EXAMPLE"}}), "a principal that was deleted"),
            (
                json!({"Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}),
                "`aws:SourceAccount` asks for no condition key of API Gateway: the statement never allows",
            ),
            (json!({"Effect": "Deny", "Resource": "execute-api:/${aws:Tag}"}), "the statement denies, whatever the value"),
        ] {
            let (compiled, told) = told_of(&changes);
            assert!(compiled, "{told:#?}");
            assert!(told.len() == 1 && told[0].contains(message), "{message} in {told:#?}");
        }
    }

    #[test]
    fn what_is_right_is_not_talked_about() {
        for changes in [
            json!({"Sid": "a b", "Action": ["execute-api:*", "EXECUTE-API:invoke", "*"], "Condition": {}}),
            json!({"Resource": ["*", "arn:aws:execute-api:*:*:*", "arn:aws:execute-api:us-east-1:*/test/GET/*", "arn:aws:execute-api:*:*:a*GET/pets", "arn:aws:execute-api:us-east-1:000000000000:abcdef1234/${aws:username}/*"]}),
            json!({"Action": null, "NotAction": "execute-api:ManageConnections", "Resource": null, "NotResource": "execute-api:/prod/*"}),
            json!({"Effect": "Deny", "Principal": null, "NotPrincipal": {"AWS": ["111122223333", "arn:aws-cn:iam::111122223333:user/a/b"]}}),
        ] {
            assert_eq!(told_of(&changes), (true, vec![]), "{changes}");
        }
    }

    #[test]
    fn only_resource_policies_name_principals() {
        let allow = json!({"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"});
        let mut named = allow.clone();
        named["Principal"] = json!("*");
        for kind in [Kind::Identity, Kind::Authorizer] {
            assert_eq!(told(&json!({"Statement": allow}), kind), (true, vec![]));
            let (compiled, told) = told(&json!({"Statement": named}), kind);
            assert!(!compiled && told[0].contains("a principal stands only in a resource policy"), "{told:?}");
        }
        assert!(!told(&json!({"Id": "x", "Statement": allow}), Kind::Identity).0);
        assert!(told(&json!({"Id": "x", "Statement": allow}), Kind::Authorizer).0);
    }

    #[test]
    fn what_an_authorizer_returns_wrongly_is_malformed() {
        let allow = json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"});
        assert!(Policy::parse(&json!({"Statement": [allow]})).is_ok());
        let with = |key: &str, value: Value| {
            let mut changed = allow.clone();
            changed[key] = value;
            json!({"Version": "2012-10-17", "Statement": [changed]})
        };
        for (value, reason) in [
            (json!(null), "$: expected an object, found null"),
            (json!("{}"), "$: expected an object, found a string"),
            (json!({}), "$: `Statement` is missing"),
            (json!({"Statement": []}), "$.Statement: an empty list"),
            (json!({"Statement": [null]}), "$.Statement[0]: expected an object"),
            (json!({"Statement": allow, "statement": allow}), "$.statement: unknown key"),
            (with("Condition", json!(null)), "$.Statement[0].Condition: null"),
            (with("Effect", json!("ALLOW")), "$.Statement[0].Effect: `ALLOW` is no effect"),
            (with("Resource", json!("execute-api:/*")), "$.Statement[0].Resource: `execute-api:/*` is not served"),
            (with("Resource", json!("/pets")), "$.Statement[0].Resource: `/pets` is not served"),
            (with("Resource", json!(format!("arn:{}", "a".repeat(509)))), "$.Statement[0].Resource: `arn:aaa"),
            (with("Sid", json!("a".repeat(SIZE_LIMIT))), "a policy of more than 65536 bytes"),
            (json!(vec![0; SIZE_LIMIT]), "a policy of more than 65536 bytes"),
            (with("Action", json!("a\nb")), "$.Statement[0].Action: `a\\nb` is not served"),
        ] {
            let malformed = Policy::parse(&value).unwrap_err().to_string();
            assert!(malformed.starts_with(reason) && malformed.len() <= REASON_LIMIT, "{malformed}");
        }
    }

    #[test]
    fn a_policy_is_as_large_as_all_of_its_texts_and_elements() {
        let name = |length: usize| "k".repeat(length);
        for (size, value) in [
            (0, json!(1)),
            (SIZE_LIMIT, json!("a".repeat(SIZE_LIMIT))),
            (SIZE_LIMIT, json!(vec![0; SIZE_LIMIT / 4])),
            (SIZE_LIMIT, json!({name(SIZE_LIMIT - 6): 1})),
            (SIZE_LIMIT, json!([["a".repeat(SIZE_LIMIT - 8)]])),
            (SIZE_LIMIT, json!({"k": {"l": "a".repeat(SIZE_LIMIT - 14)}})),
        ] {
            assert!(!is_too_large(&value), "{size}");
        }
        for value in [
            json!("a".repeat(SIZE_LIMIT + 1)),
            json!(vec![0; SIZE_LIMIT / 4 + 1]),
            json!({name(SIZE_LIMIT - 5): 1}),
            json!([["a".repeat(SIZE_LIMIT - 7)]]),
            json!({"k": {"l": "a".repeat(SIZE_LIMIT - 13)}}),
        ] {
            assert!(is_too_large(&value));
        }
    }
}
