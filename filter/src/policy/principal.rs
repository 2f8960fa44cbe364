//! `Principal` and `NotPrincipal`. AWS: "AWS JSON policy elements: Principal", "AWS JSON policy elements: NotPrincipal".

use super::Principal;
use super::document::Reader;
use super::statement::Effect;
use crate::definition::Node;

/// Whom a statement is about.
#[derive(Debug)]
pub(super) enum Principals {
    /// `Principal`
    These(Vec<Who>),
    /// `NotPrincipal`
    AllBut(Vec<Who>),
}

/// One entry of the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// `*`
    Everyone,
    /// `111122223333`, `arn:aws:iam::111122223333:root`
    Account(String),
    /// A user, a role or a session.
    Arn(String),
    /// Somebody who never calls here.
    Nobody,
}

const HELP: &str = "`*`, an account id, or the ARN of an account, a user, a role or a session; a wildcard stands alone";

// === impl Principals ===

impl Principals {
    /// Reads either element.
    pub(super) fn compile(node: &Node<'_>, not: bool, effect: Effect, reader: &mut Reader<'_>) -> Self {
        if not && effect == Effect::Allow {
            // Documented: "Using it with Allow is not supported".
            let help = "name whom you allow, or deny everybody else";
            reader.problems.stray(&node.path, "`NotPrincipal` stands with `Deny` only", Some(help));
        }
        let mut who = Vec::new();
        match node.value.as_str() {
            Some("*") => who.push(Who::Everyone),
            Some(text) => {
                reader.problems.error(&node.path, format!("`{text}` is no principal"), Some("write `*` or `{\"AWS\": …}`"))
            }
            None => {
                for (kind, entries) in node.members(reader.problems) {
                    who.extend(Who::compile(kind, &entries, reader));
                }
            }
        }
        if node.value.as_object().is_some_and(serde_json::Map::is_empty) {
            reader.problems.error(&node.path, "nobody is named", Some(HELP));
        }
        if not { Self::AllBut(who) } else { Self::These(who) }
    }

    /// Whether the statement is about this principal.
    pub(super) fn include(&self, principal: &Principal) -> bool {
        match self {
            Self::These(who) => who.iter().any(|who| who.is(principal)),
            // AWS "might validate the account first, then the role, and then the assumed-role user", each against the list: only who
            // is named with all that he belongs to is left out. assumed(policy-not-principal): "might" means always.
            Self::AllBut(who) => !who.contains(&Who::Everyone) && !is_spared(who, principal),
        }
    }
}

fn is_spared(who: &[Who], principal: &Principal) -> bool {
    let Principal::Aws { arn, account } = principal else { return false };
    let is_named = |arn: &str| who.iter().any(|who| matches!(who, Who::Arn(named) if named == arn));
    let has_account = who.iter().any(|who| matches!(who, Who::Account(named) if named == account));
    let has_role =
        !arn.contains(":assumed-role/") || who.iter().any(|who| matches!(who, Who::Arn(role) if is_session_of(arn, role)));
    has_account && has_role && (is_named(arn) || arn.ends_with(&format!("::{account}:root")))
}

/// Whether `arn:aws:sts::A:assumed-role/NAME/session` belongs to `arn:aws:iam::A:role/path/NAME`: names of roles are unique in an
/// account, whatever their path.
fn is_session_of(session: &str, role: &str) -> bool {
    let parts = |arn: &str, service: &str, kind: &str| -> Option<(String, String, String)> {
        let mut parts = arn.splitn(6, ':').map(str::to_owned);
        let (partition, is_service) = (parts.nth(1)?, parts.next()? == service);
        let (account, resource) = (parts.nth(1)?, parts.next()?);
        is_service.then_some((partition, account, resource.strip_prefix(kind)?.to_owned()))
    };
    let Some((partition, account, rest)) = parts(session, "sts", "assumed-role/") else { return false };
    let Some((role_partition, role_account, path)) = parts(role, "iam", "role/") else { return false };
    let name = rest.split('/').next();
    partition == role_partition && account == role_account && name.is_some() && name == path.rsplit('/').next()
}

// === impl Who ===

impl Who {
    fn compile(kind: &str, entries: &Node<'_>, reader: &mut Reader<'_>) -> Vec<Self> {
        let nodes = reader.list(entries);
        match kind {
            "AWS" => nodes.iter().filter_map(|node| Self::parse(node, reader)).collect(),
            "Service" | "Federated" | "CanonicalUser" => {
                let message = format!("no caller here is ever a `{kind}` principal");
                reader.problems.warning(&entries.path, message, None);
                nodes.iter().filter_map(|node| node.string(reader.problems)).map(|_| Self::Nobody).collect()
            }
            _ => {
                let help = "known here: AWS, Service, Federated, CanonicalUser";
                reader.problems.stray(&entries.path, format!("unknown key `{kind}`"), Some(help));
                Vec::new()
            }
        }
    }

    fn parse(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = node.string(reader.problems)?;
        let who = Self::read(text);
        match &who {
            None => reader.problems.error(&node.path, format!("`{text}` is no principal"), Some(HELP)),
            Some(Self::Nobody) => {
                let message = format!("`{text}` is the id of a principal that was deleted, and nobody here");
                reader.problems.warning(&node.path, message, None);
            }
            Some(_) => {}
        }
        who
    }

    fn read(text: &str) -> Option<Self> {
        let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        if text == "*" {
            return Some(Self::Everyone);
        }
        if is_account(text) {
            return Some(Self::Account(text.to_owned()));
        }
        // What IAM shows in the place of a deleted user or role.
        if text.starts_with('A') && text.len() >= 16 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            return Some(Self::Nobody);
        }
        let mut parts = text.strip_prefix("arn:aws")?.splitn(5, ':');
        let (_, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        let (account, resource) = (parts.next().filter(|account| is_account(account))?, parts.next()?);
        let kinds: &[&str] = if service == "iam" { &["user/", "role/"] } else { &["assumed-role/", "federated-user/"] };
        let is_named = kinds.iter().any(|kind| resource.strip_prefix(kind).is_some_and(|name| !name.is_empty()));
        let is_whole = region.is_empty() && ["iam", "sts"].contains(&service) && !text.contains(['*', '?']);
        match resource {
            "root" if is_whole && service == "iam" => Some(Self::Account(account.to_owned())),
            _ => (is_whole && is_named).then(|| Self::Arn(text.to_owned())),
        }
    }

    fn is(&self, principal: &Principal) -> bool {
        match (self, principal) {
            (Self::Everyone, _) => true,
            (Self::Account(named), Principal::Aws { account, .. }) => named == account,
            (Self::Arn(named), Principal::Aws { arn, .. }) => named == arn || is_session_of(arn, named),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ApiArn, Decision, Kind, Policy, Principal, Request};
    use crate::definition::Node;
    use crate::problem::Problems;
    use serde_json::{Value, json};

    const BOB: &str = "arn:aws:iam::111122223333:user/Bob";
    const ROOT: &str = "arn:aws:iam::111122223333:root";
    const ROLE: &str = "arn:aws:iam::111122223333:role/path/Reader";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/Reader/s1";

    /// Whether a deny of this element is about the principal: an ARN, or nothing for everybody's requests.
    fn is_denied(element: &str, principals: &Value, arn: &str) -> bool {
        let mut statement = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
        statement[element] = principals.clone();
        let api = ApiArn { region: "us-east-1", account: "000000000000", api: "abcdef1234" };
        let mut problems = Problems::default();
        let document = json!({"Statement": statement});
        let policy = Policy::compile(&Node::root(&document), Kind::Resource(api), &mut problems);
        let policy = policy.unwrap_or_else(|| panic!("{:#?}", problems.into_vec()));
        let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
        let principal = if arn.is_empty() { Principal::Anonymous } else { Principal::Aws { arn: arn.to_owned(), account } };
        let request = Request { action: "execute-api:Invoke", resource: "arn:x", principal: &principal, keys: &|_| None };
        policy.evaluate(&request) == Decision::Deny
    }

    #[test]
    fn a_star_is_everybody_and_all_else_somebody() {
        for everybody in [json!("*"), json!({"AWS": "*"}), json!({"AWS": [BOB, "*"]})] {
            for arn in ["", BOB, ROOT, SESSION] {
                assert!(is_denied("Principal", &everybody, arn), "{everybody} {arn}");
                assert!(!is_denied("NotPrincipal", &everybody, arn), "{everybody} {arn}");
            }
        }
        for (named, meant) in [
            (json!({"AWS": "111122223333"}), &[BOB, ROOT, ROLE, SESSION][..]),
            (json!({"AWS": [ROOT]}), &[BOB, ROOT, ROLE, SESSION]),
            (json!({"AWS": BOB}), &[BOB]),
            (json!({"AWS": ROLE}), &[ROLE, SESSION]),
            (json!({"AWS": "arn:aws:iam::111122223333:role/Reader"}), &[SESSION]),
            (json!({"AWS": SESSION}), &[SESSION]),
            (json!({"AWS": "arn:aws:iam::111122223333:role/Read"}), &[]),
            (json!({"AWS": "arn:aws:iam::444455556666:role/Reader"}), &[]),
            (json!({"AWS": "arn:aws:iam::111122223333:user/bob"}), &[]),
            (json!({"AWS": "AIDACKCEVSQ6C2EXAMPLE"}), &[]),
            (json!({"Service": "lambda.amazonaws.com", "Federated": ["x"], "CanonicalUser": "y"}), &[]),
        ] {
            for arn in ["", BOB, ROOT, ROLE, SESSION, "arn:aws:iam::444455556666:user/Bob"] {
                assert_eq!(is_denied("Principal", &named, arn), meant.contains(&arn), "{named} {arn}");
            }
        }
    }

    #[test]
    fn not_principal_spares_only_who_is_named_with_all_that_he_belongs_to() {
        for (named, spared) in [
            (json!({"AWS": [BOB, ROOT]}), &[BOB, ROOT][..]),
            (json!({"AWS": BOB}), &[]),
            (json!({"AWS": "111122223333"}), &[ROOT]),
            (json!({"AWS": [SESSION, ROLE, ROOT]}), &[SESSION, ROLE, ROOT]),
            (json!({"AWS": [SESSION, ROOT]}), &[ROOT]),
            (json!({"AWS": [ROLE, ROOT]}), &[ROLE, ROOT]),
            (json!({"Service": "lambda.amazonaws.com"}), &[]),
        ] {
            for arn in ["", BOB, ROOT, ROLE, SESSION, "arn:aws:iam::444455556666:root"] {
                assert_eq!(!is_denied("NotPrincipal", &named, arn), spared.contains(&arn), "{named} {arn}");
            }
        }
    }

    #[test]
    fn what_names_nobody_is_a_mistake() {
        let api = ApiArn { region: "us-east-1", account: "000000000000", api: "abcdef1234" };
        for named in [
            "",
            "Alice",
            "BIDACKCEVSQ6C2EXAMPLE",
            "AIDACKCEVSQ6C2",
            "11112222333",
            "arn:aws:s3::111122223333:assumed-role/r/s",
            "arn:aws:sts::111122223333:root",
            "arn:aws:iam:us-east-1:111122223333:root",
            "arn:aws:iam:us-east-1:111122223333:user/u",
            "arn:aws:iam::111122223333:user/*",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:assumed-role/r/s",
            "arn:aws:sts::111122223333:user/u",
            "arn:aws:iam::1111:root",
        ] {
            let statement = json!({"Effect": "Deny", "Principal": {"AWS": named}, "Action": "*", "Resource": "*"});
            let mut problems = Problems::default();
            let document = json!({"Statement": statement});
            assert!(Policy::compile(&Node::root(&document), Kind::Resource(api), &mut problems).is_none(), "{named}");
        }
    }
}
