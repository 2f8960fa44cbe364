//! Policies against the documented decision tables, and against a second evaluator that is written another way.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic; helpers beside the test count as code"
)]

mod beside;

use beside::beside;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use tollgate::definition::Node;
use tollgate::policy::{ApiArn, Decision, Key, Kind, Policy, Principal, Request, table_a, table_b};
use tollgate::problem::Problems;

const API: ApiArn<'_> = ApiArn { region: "us-east-1", account: "000000000000", api: "abcdef1234" };

fn shared(path: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/conformance/").to_owned() + path;
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}; the conformance cases belong beside the repository"))
}

fn compiled(document: &Value, kind: Kind<'_>) -> Policy {
    let mut problems = Problems::default();
    let policy = Policy::compile(&Node::root(document), kind, &mut problems);
    policy.unwrap_or_else(|| panic!("{document}: {:#?}", problems.into_vec()))
}

fn identity_policy(name: &str) -> Policy {
    let statement = |effect: &str, resource: &str| json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource});
    let statement = match name {
        "allow" => statement("Allow", "arn:aws:execute-api:*:*:*"),
        "deny" => statement("Deny", "*"),
        "none" => statement("Allow", "arn:aws:execute-api:*:*:other/*"),
        _ => panic!("{name}"),
    };
    compiled(&json!({"Version": "2012-10-17", "Statement": statement}), Kind::Identity)
}

#[test]
fn the_documented_rows_are_decided_as_documented() {
    if beside("conformance").is_none() {
        return;
    }
    let rows = shared("dev/resource-policy.jsonl");
    let mut count = 0;
    for row in rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let api: Value = serde_json::from_str(&shared(row["api"].as_str().unwrap())).unwrap();
        let resource = format!("{API}{}", "/test/GET/");
        let caller = &row["setup"]["caller"];
        let principal = match caller["arn"].as_str() {
            Some(arn) => Principal::Aws { arn: arn.to_owned(), account: caller["accountId"].as_str().unwrap().to_owned() },
            None => Principal::Anonymous,
        };
        let request = Request { action: "execute-api:Invoke", resource: &resource, principal: &principal, keys: &|_| None };
        let of_api = compiled(&api["x-amazon-apigateway-policy"], Kind::Resource(API)).evaluate(&request);
        let allowed = if let Some(name) = caller["identityPolicy"].as_str() {
            table_b(identity_policy(name).evaluate(&request), of_api)
        } else if let Some(function) = row["setup"]["functions"].get("authz") {
            table_a(Policy::parse(&function["lambda"]["policyDocument"]).unwrap().evaluate(&request), of_api)
        } else {
            of_api == Decision::Allow
        };
        assert_eq!(allowed, row["expect"]["status"] == 200, "{}", row["id"]);
        count += 1;
    }
    assert_eq!(count, 17);
}

/// xorshift64*: the same policies on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % bound
    }

    fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn some(&mut self, of: &[&str], most: usize) -> Vec<String> {
        (0..=self.below(most)).map(|_| self.one(of).to_owned()).collect()
    }

    /// One value as it is, several as a list.
    fn values(&mut self, of: &[&str]) -> Value {
        let mut values = self.some(of, 3);
        if values.len() == 1 && self.once_in(2) { json!(values.remove(0)) } else { json!(values) }
    }
}

const BOB: &str = "arn:aws:iam::111122223333:user/Bob";
const ROOT: &str = "arn:aws:iam::111122223333:root";
const ROLE: &str = "arn:aws:iam::111122223333:role/path/Reader";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Reader/s1";
const ALICE: &str = "arn:aws:iam::444455556666:user/Alice";
const PRINCIPALS: [&str; 8] = [BOB, ROOT, "111122223333", ROLE, SESSION, ALICE, "444455556666", "*"];

const ACTIONS: [&str; 7] =
    ["*", "execute-api:*", "execute-api:Invoke", "EXECUTE-API:inv?ke", "s3:*", "execute-api:ManageConnections", "*:I*e"];
const PIECES: [&str; 13] =
    ["/", "*", "?", "a", "b", ":", "GET", "/*", "*/", "${aws:username}", "${*}", "${aws:userid, 'a'}", "${aws:Nobody}"];
const TEXTS: [&str; 9] = ["a", "A", "ab", "a*", "*b", "?", "", "${aws:username}", "${?}${$}"];
const NUMBERS: [&str; 5] = ["10", "20", "20.5", "-3", "1e1"];
const DATES: [&str; 6] =
    ["2026-01-02T03:04:05Z", "2026-01-02", "2026-01", "2024-02-29T23:59:59.5-01:00", "1767323045", "2026-01-02T04:34:05+01:30"];
const RANGES: [&str; 6] = ["192.0.2.0/24", "192.0.2.128/25", "192.0.2.1", "2001:db8::/31", "0.0.0.0/0", "::/0"];
const ARNS: [&str; 5] = [BOB, "arn:aws:iam::*:user/*", "arn:aws:*::1111*:*", "*", "arn:aws:iam::111122223333:user/${aws:username}"];

/// Each with the values that it takes and the keys that it fits.
const OPERATORS: [(&[&str], &[&str], &[&str]); 6] = [
    (
        &["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"],
        &TEXTS,
        &["aws:UserAgent", "AWS:username", "aws:PrincipalOrgPaths", "aws:Nobody", "aws:userid"],
    ),
    (
        &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        &NUMBERS,
        &["aws:EpochTime", "aws:MultiFactorAuthAge"],
    ),
    (
        &["DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"],
        &DATES,
        &["aws:CurrentTime", "aws:TokenIssueTime"],
    ),
    (&["Bool", "Null"], &["true", "false"], &["aws:SecureTransport", "aws:UserAgent", "aws:Nobody"]),
    (&["IpAddress", "NotIpAddress"], &RANGES, &["aws:SourceIp", "aws:VpcSourceIp"]),
    (&["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"], &ARNS, &["aws:PrincipalArn", "aws:SourceArn"]),
];

fn random_resource(random: &mut Random, of_api: bool) -> String {
    let rest = random.some(&PIECES, 4).concat();
    match random.below(8) {
        0 | 1 => "*".to_owned(),
        2 => "arn:aws:execute-api:*".to_owned(),
        3 => format!("arn:aws:execute-api:*:{}{rest}", random.one(&["abcdef1234/", "*", "x"])).replace("${", "{"),
        4 | 5 if of_api => format!("execute-api:/{rest}"),
        _ => format!(
            "arn:aws:execute-api:{}:{}:{}/{rest}",
            random.one(&["*", "us-east-1", "us-*", "??-east-1"]),
            random.one(&["*", "000000000000", "1*"]),
            random.one(&["*", "abcdef1234", "abc*", "other"])
        ),
    }
}

fn random_statement(random: &mut Random, of_api: bool) -> Value {
    let effect = random.one(&["Allow", "Allow", "Deny"]);
    let mut statement = json!({"Effect": effect});
    if of_api {
        let element = if effect == "Deny" && random.once_in(3) { "NotPrincipal" } else { "Principal" };
        let entries = random.values(&PRINCIPALS);
        statement[element] = if random.once_in(3) { json!("*") } else { json!({"AWS": entries}) };
    }
    let actions = if random.once_in(2) { json!("execute-api:Invoke") } else { random.values(&ACTIONS) };
    statement[if random.once_in(5) { "NotAction" } else { "Action" }] = actions;
    let resources: Vec<_> = (0..=random.below(3)).map(|_| random_resource(random, of_api)).collect();
    statement[if random.once_in(5) { "NotResource" } else { "Resource" }] = json!(resources);
    for _ in 0..random.below(3) {
        let (names, values, keys) = OPERATORS[random.below(OPERATORS.len())];
        let mut name = random.one(names).to_owned();
        if name != "Null" {
            let set = random.one(&["", "", "", "ForAllValues:", "ForAnyValue:"]);
            name = format!("{set}{name}{}", random.one(&["", "", "IfExists"]));
        }
        if !of_api && random.once_in(12) {
            name = "StringMatches".to_owned();
        }
        let wanted = random.values(values);
        statement["Condition"][name] = json!({random.one(keys): wanted});
    }
    statement
}

/// What is asked, as plain data. Keys in lower case.
struct Asked {
    action: String,
    resource: String,
    principal: Principal,
    keys: BTreeMap<&'static str, Vec<String>>,
}

fn random_request(random: &mut Random) -> Asked {
    let rest = random.some(&["a", "b", "/", ":", "*", "GET", "é", "other/", "test/GET/pets"], 6).concat();
    let arn = random.one(&["", BOB, ROOT, SESSION, ALICE]);
    let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
    let mut keys = BTreeMap::new();
    for (name, values) in [
        ("aws:username", &["a", "b", "*", ":", "Bob"][..]),
        ("aws:userid", &["a", "A", "ab"]),
        ("aws:useragent", &["a", "A", "ab", "a*", "?$", "xb", ""]),
        ("aws:epochtime", &["10", "10.0", "20.5", "21", "soon"]),
        ("aws:multifactorauthage", &["-3", "20"]),
        ("aws:currenttime", &["2026-01-02T03:04:05Z", "2026-01-01T23:00:00-01:00", "2024-03-01T00:59:59.5Z", "never"]),
        ("aws:tokenissuetime", &["2025-12-31", "1767323045", "1767323046"]),
        ("aws:securetransport", &["true", "false", "perhaps"]),
        ("aws:sourceip", &["192.0.2.1", "192.0.2.200", "::ffff:192.0.2.1", "2001:db9::1", "2001:dba::1", "10.0.0.1", "?"]),
        ("aws:vpcsourceip", &["192.0.2.1"]),
        ("aws:principalarn", &[BOB, ALICE, SESSION]),
        ("aws:sourcearn", &["arn:aws:iam::1111:2222:user/x", BOB]),
    ] {
        if !random.once_in(4) {
            keys.insert(name, vec![random.one(values).to_owned()]);
        }
    }
    if !random.once_in(4) {
        keys.insert("aws:principalorgpaths", random.some(&["a", "ab", "A"], 3));
    }
    Asked {
        action: random
            .one(&["execute-api:Invoke", "execute-api:Invoke", "execute-api:Invoke", "execute-api:ManageConnections"])
            .to_owned(),
        resource: format!("{API}/{rest}"),
        principal: if arn.is_empty() { Principal::Anonymous } else { Principal::Aws { arn: arn.to_owned(), account } },
        keys,
    }
}

fn name_of(key: &Key) -> &'static str {
    match key {
        Key::UserName => "aws:username",
        Key::UserId => "aws:userid",
        Key::UserAgent => "aws:useragent",
        Key::EpochTime => "aws:epochtime",
        Key::MultiFactorAuthAge => "aws:multifactorauthage",
        Key::CurrentTime => "aws:currenttime",
        Key::TokenIssueTime => "aws:tokenissuetime",
        Key::SecureTransport => "aws:securetransport",
        Key::SourceIp => "aws:sourceip",
        Key::VpcSourceIp => "aws:vpcsourceip",
        Key::PrincipalArn => "aws:principalarn",
        Key::SourceArn => "aws:sourcearn",
        Key::PrincipalOrgPaths => "aws:principalorgpaths",
        key => panic!("{key:?} is in no policy of this test"),
    }
}

/// The second evaluator. It reads the JSON as it goes, translates patterns to regular expressions, and asks twice: what holds if
/// all that cannot be decided holds (for Deny), and what if it does not (for Allow).
struct Reference<'a> {
    asked: &'a Asked,
    variables: bool,
    assume: bool,
    expressions: &'a mut HashMap<String, regex_lite::Regex>,
}

fn listed(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    value.as_array().map_or_else(|| vec![text(value)], |list| list.iter().map(text).collect())
}

fn reference(document: &Value, asked: &Asked, expressions: &mut HashMap<String, regex_lite::Regex>) -> Decision {
    let variables = document["Version"] == "2012-10-17";
    let mut applying = |effect: &str, assume: bool| {
        let mut reference = Reference { asked, variables, assume, expressions };
        let statements = document["Statement"].as_array().unwrap();
        statements.iter().any(|statement| statement["Effect"] == effect && reference.applies(statement))
    };
    match (applying("Deny", true), applying("Allow", false)) {
        (true, _) => Decision::Deny,
        (false, true) => Decision::Allow,
        (false, false) => Decision::Neither,
    }
}

impl Reference<'_> {
    fn applies(&mut self, statement: &Value) -> bool {
        let action = &self.asked.action.to_lowercase();
        let mut covers_action = |patterns: &Value| {
            listed(patterns).iter().any(|pattern| self.expression(&pattern.to_lowercase(), true).is_match(action))
        };
        let is_action = match statement.get("Action") {
            Some(patterns) => covers_action(patterns),
            None => !covers_action(&statement["NotAction"]),
        };
        let allows = statement["Effect"] == "Allow";
        let is_resource = match statement.get("Resource") {
            Some(patterns) => listed(patterns).iter().any(|pattern| self.is_resource(pattern, allows, self.assume)),
            None => !listed(&statement["NotResource"]).iter().any(|pattern| self.is_resource(pattern, !allows, !self.assume)),
        };
        let none = serde_json::Map::new();
        let conditions = statement.get("Condition").and_then(Value::as_object).unwrap_or(&none);
        let mut lines = conditions
            .iter()
            .flat_map(|(name, keys)| keys.as_object().unwrap().iter().map(move |(key, wanted)| (name, key, wanted)));
        is_action
            && is_resource
            && self.is_principal(statement)
            && lines.all(|(name, key, wanted)| self.line(name, key, &listed(wanted)))
    }

    /// From a table: who is meant by an entry, and what spares whom.
    fn is_principal(&self, statement: &Value) -> bool {
        let (element, not) = match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(element), _) => (element, false),
            (None, Some(element)) => (element, true),
            (None, None) => return true,
        };
        let named = element.get("AWS").map_or_else(|| listed(element), listed);
        let has = |entry: &str| named.iter().any(|named| named == entry);
        let first = has(ROOT) || has("111122223333");
        let arn = match &self.asked.principal {
            Principal::Anonymous => "",
            Principal::Aws { arn, .. } => arn.as_str(),
        };
        match (arn, not) {
            (_, false) if has("*") => true,
            (_, true) if has("*") => false,
            ("", not) => not,
            (BOB, false) => has(BOB) || first,
            (BOB, true) => !(has(BOB) && first),
            (ROOT, false) => first,
            (ROOT, true) => !first,
            (SESSION, false) => has(SESSION) || has(ROLE) || first,
            (SESSION, true) => !(has(SESSION) && has(ROLE) && first),
            (ALICE, false) => has(ALICE) || has("444455556666"),
            (ALICE, true) => !(has(ALICE) && has("444455556666")),
            _ => panic!("{arn}"),
        }
    }

    /// A colon in the path is another character than the colons of the ARN, where that is `strict`.
    fn is_resource(&mut self, pattern: &str, strict: bool, assume: bool) -> bool {
        let pattern = pattern.strip_prefix("execute-api:").map_or_else(|| pattern.to_owned(), |rest| format!("{API}{rest}"));
        if !strict {
            return self.fits(&pattern, &self.asked.resource.clone(), true, assume);
        }
        self.fits_in_parts(&pattern, &self.asked.resource.clone(), assume)
    }

    fn fits(&mut self, pattern: &str, text: &str, wild: bool, assume: bool) -> bool {
        self.found(self.filled_in(pattern, wild, false), text, assume)
    }

    fn fits_in_parts(&mut self, pattern: &str, text: &str, assume: bool) -> bool {
        self.found(self.filled_in(&in_parts(pattern), true, true), &in_parts(text), assume)
    }

    fn found(&mut self, expression: Option<String>, text: &str, assume: bool) -> bool {
        match expression {
            Some(expression) => self.cached(expression).is_match(text),
            None => assume,
        }
    }

    fn expression(&mut self, pattern: &str, wild: bool) -> &regex_lite::Regex {
        self.cached(translated(pattern, wild))
    }

    fn cached(&mut self, expression: String) -> &regex_lite::Regex {
        let new = || regex_lite::Regex::new(&format!("(?s)^(?:{expression})$")).unwrap();
        self.expressions.entry(expression.clone()).or_insert_with(new)
    }

    /// The pattern as an expression, none when a variable has no value.
    fn filled_in(&self, pattern: &str, wild: bool, in_parts: bool) -> Option<String> {
        let Some(start) = pattern.find("${").filter(|_| self.variables) else { return Some(translated(pattern, wild)) };
        let end = start + pattern[start..].find('}').unwrap();
        let value = match &pattern[start + 2..end] {
            special @ ("*" | "?" | "$") => special.to_owned(),
            "aws:userid, 'a'" => self.asked.keys.get("aws:userid").map_or("a", |values| &values[0]).to_owned(),
            name => self.asked.keys.get(name)?[0].clone(),
        };
        // Whatever is filled in stands in the last part.
        let value = if in_parts { value.replace(':', "\u{1}") } else { value };
        let before = translated(&pattern[..start], wild);
        Some(before + &translated(&value, false) + &self.filled_in(&pattern[end + 1..], wild, in_parts)?)
    }

    fn line(&mut self, name: &str, key: &str, wanted: &[String]) -> bool {
        let (set, name) = name.split_once(':').unwrap_or(("", name));
        let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
        if name == "StringMatches" || key == "aws:Nobody" {
            return self.assume;
        }
        let values = self.asked.keys.get(key.to_lowercase().as_str());
        let negated = name.contains("Not");
        if name == "Null" {
            return wanted.iter().any(|wanted| (wanted == "true") == values.is_none());
        }
        let Some(values) = values else { return if_exists || if set.is_empty() { negated } else { set == "ForAllValues" } };
        let assume = self.assume ^ negated;
        let met: Vec<_> =
            values.iter().map(|value| wanted.iter().any(|wanted| self.test(name, wanted, value, assume)) ^ negated).collect();
        match set {
            "ForAllValues" => !met.contains(&false),
            "ForAnyValue" => met.contains(&true),
            _ if met.contains(&true) && met.contains(&false) => self.assume,
            _ => met[0],
        }
    }

    fn test(&mut self, name: &str, wanted: &str, value: &str, assume: bool) -> bool {
        let order = |value: Option<i64>, wanted: i64| {
            let Some(value) = value else { return assume };
            let bare = name.trim_start_matches("Numeric").trim_start_matches("Date");
            match bare {
                "LessThan" => value < wanted,
                "LessThanEquals" => value <= wanted,
                "GreaterThan" => value > wanted,
                "GreaterThanEquals" => value >= wanted,
                _ => value == wanted,
            }
        };
        match name {
            _ if name.starts_with("Numeric") => order(tenths(value), tenths(wanted).unwrap()),
            _ if name.starts_with("Date") => order(half_seconds(value), half_seconds(wanted).unwrap()),
            "Bool" => {
                if ["true", "false"].contains(&value) {
                    value == wanted
                } else {
                    assume
                }
            }
            "IpAddress" | "NotIpAddress" => bits(value).map_or(assume, |value| value.starts_with(&bits(wanted).unwrap())),
            "StringLike" | "StringNotLike" => self.fits(wanted, value, true, assume),
            "StringEquals" | "StringNotEquals" => self.fits(wanted, value, false, assume),
            "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => {
                // Names of variables are the same in lower case.
                self.filled_in(wanted, false, false).map_or(assume, |expression| {
                    let expression = expression.to_lowercase();
                    self.cached(expression).is_match(&value.to_lowercase())
                })
            }
            _ => self.fits_in_parts(wanted, value, assume),
        }
    }
}

/// With the colons behind the fifth as another character.
fn in_parts(arn: &str) -> String {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let last = parts.len().saturating_sub(1);
    let rest = if parts.len() == 6 { hide_colons(parts[5]) } else { parts[last].to_owned() };
    parts[..last].iter().map(|part| format!("{part}:")).collect::<String>() + &rest
}

/// Not those in the names of variables.
fn hide_colons(text: &str) -> String {
    text.replace("${aws:", "${aws\u{2}").replace(':', "\u{1}").replace('\u{2}', ":")
}

fn translated(pattern: &str, wild: bool) -> String {
    let one = |c: char| match c {
        '*' if wild => ".*".to_owned(),
        '?' if wild => ".".to_owned(),
        c => regex_lite::escape(&c.to_string()),
    };
    pattern.chars().map(one).collect()
}

fn tenths(text: &str) -> Option<i64> {
    Some(match text {
        "10" | "10.0" | "1e1" => 100,
        "20" => 200,
        "20.5" => 205,
        "21" => 210,
        "-3" => -30,
        _ => return None,
    })
}

/// From a table, made with `date -u -d … +%s`.
fn half_seconds(text: &str) -> Option<i64> {
    Some(match text {
        "2026-01-02T03:04:05Z" | "2026-01-02T04:34:05+01:30" | "1767323045" => 2 * 1_767_323_045,
        "1767323046" => 2 * 1_767_323_046,
        "2026-01-02" => 2 * 1_767_312_000,
        "2026-01" | "2026-01-01T23:00:00-01:00" => 2 * if text == "2026-01" { 1_767_225_600 } else { 1_767_312_000 },
        "2024-02-29T23:59:59.5-01:00" | "2024-03-01T00:59:59.5Z" => 2 * 1_709_254_799 + 1,
        "2025-12-31" => 2 * 1_767_139_200,
        _ => return None,
    })
}

/// An address as text of bits, a range as the bits in front of it.
fn bits(text: &str) -> Option<String> {
    let (address, prefix) = text.split_once('/').unwrap_or((text, "128"));
    let text = match address.parse().ok()? {
        std::net::IpAddr::V4(v4) => v4.octets().iter().map(|octet| format!("{octet:08b}")).collect::<String>(),
        std::net::IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => return bits(&v4.to_string()),
            None => v6.octets().iter().map(|octet| format!("{octet:08b}")).collect(),
        },
    };
    let family = if text.len() == 32 { '4' } else { '6' };
    Some(format!("{family}{}", &text[..text.len().min(prefix.parse().unwrap())]))
}

#[test]
fn random_policies_are_decided_as_by_a_second_evaluator() {
    let mut random = Random(0x7011_6a7e);
    let (mut expressions, mut decisions) = (HashMap::new(), HashMap::<Decision, usize>::new());
    for _ in 0..20_000 {
        let of_api = random.once_in(2);
        let version = random.one(&["2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17"]);
        let statements: Vec<_> = (0..=random.below(3)).map(|_| random_statement(&mut random, of_api)).collect();
        let document = json!({"Version": version, "Statement": statements});
        let policy = if of_api { compiled(&document, Kind::Resource(API)) } else { Policy::parse(&document).unwrap() };
        for _ in 0..3 {
            let asked = random_request(&mut random);
            let keys = |key: &Key| asked.keys.get(name_of(key)).cloned();
            let request = Request { action: &asked.action, resource: &asked.resource, principal: &asked.principal, keys: &keys };
            let decision = policy.evaluate(&request);
            let expected = reference(&document, &asked, &mut expressions);
            assert_eq!(
                decision, expected,
                "{document:#}\n{} {} {:?}\n{:#?}",
                asked.action, asked.resource, asked.principal, asked.keys
            );
            *decisions.entry(decision).or_default() += 1;
        }
    }
    assert!(decisions.len() == 3 && decisions.values().all(|count| *count > 5_000), "too one-sided to say much: {decisions:?}");
}
