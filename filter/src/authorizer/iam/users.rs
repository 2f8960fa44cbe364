//! `iam.users` of the gateway document: who may sign requests, and what each may do. The gateway asks no AWS service, so the
//! credentials are the document's own.

use crate::context::Context;
use crate::definition::{Node, partition};
use crate::policy::{Decision, Kind, Policy, Principal};
use crate::problem::Problems;
use crate::sigv4::Secret;
use std::collections::BTreeMap;
use std::fmt;

/// By access key id.
#[derive(Debug, Default)]
pub struct Users(BTreeMap<String, User>);

/// One who may sign.
pub struct User {
    /// The secret of the access key.
    pub secret: Secret,
    /// Temporary credentials come with a token, which has to come with each request.
    session_token: Option<String>,
    name: String,
    account_id: Option<String>,
    arn: Option<String>,
    policies: Vec<Policy>,
}

const KEYS: [&str; 7] = ["accessKeyId", "secretAccessKey", "sessionToken", "userName", "accountId", "arn", "policies"];

// === impl Users ===

impl Users {
    /// Reads `iam` of the document.
    pub fn read(node: Option<&Node<'_>>, problems: &mut Problems) -> Self {
        let mut users = Self::default();
        let Some(node) = node else { return users };
        node.only(&["users"], problems);
        let Some(list) = node.get("users") else {
            problems.error(&node.path, "no `users`", Some("write `iam: {users: [{accessKeyId, secretAccessKey, policies}]}`"));
            return users;
        };
        for node in list.elements(problems) {
            let Some((id, user)) = User::read(&node, problems) else { continue };
            if users.0.insert(id, user).is_some() {
                problems.error(&node.path.key("accessKeyId"), "a second user with this `accessKeyId`", None);
            }
        }
        users
    }

    /// Whether nobody may sign.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose key it is.
    pub fn find(&self, access_key_id: &str) -> Option<&User> {
        self.0.get(access_key_id)
    }
}

// === impl User ===

impl User {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<(String, Self)> {
        node.only(&KEYS, problems);
        let mut policies = Vec::new();
        if let Some(list) = node.get("policies") {
            policies.extend(list.elements(problems).iter().filter_map(|policy| Policy::compile(policy, Kind::Identity, problems)));
        }
        let id = node.required_text("accessKeyId", problems);
        let secret = node.required_text("secretAccessKey", problems);
        let [session_token, account_id, name, arn] =
            ["sessionToken", "accountId", "userName", "arn"].map(|key| node.text_of(key, problems));
        let account_id = match (account_id, &arn) {
            (given, Some(arn)) => match account_of(arn) {
                Some(account) if given.as_ref().is_none_or(|given| *given == account) => Some(account),
                Some(account) => {
                    let message = format!("`{arn}` is of account `{account}`, not of `accountId`");
                    problems.error(&node.path.key("arn"), message, None);
                    None
                }
                None => {
                    let help = "the ARN of a user or a role session, as `arn:aws:iam::123456789012:user/name`";
                    problems.error(&node.path.key("arn"), format!("`{arn}` names no account"), Some(help));
                    None
                }
            },
            (given, None) => given,
        };
        let (id, secret) = (id?, Secret::new(secret?)?);
        let name = name.unwrap_or_else(|| id.clone());
        Some((id, Self { secret, session_token, name, account_id, arn, policies }))
    }

    /// Whether a request came with the token that belongs to the credentials, or with none where there is none.
    pub fn has_session_token(&self, sent: Option<&[u8]>) -> bool {
        match (&self.session_token, sent) {
            (None, None) => true,
            (Some(own), Some(sent)) => is_same(own.as_bytes(), sent),
            _ => false,
        }
    }

    /// The name of the user.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The account: by default that of the API.
    pub fn account_id(&self, context: &Context) -> String {
        let own = || context.stage.as_ref().map(|stage| stage.account_id.clone()).unwrap_or_default();
        self.account_id.clone().unwrap_or_else(own)
    }

    /// The name that IAM gives it.
    pub fn arn(&self, context: &Context) -> String {
        let region = context.stage.as_ref().map_or("", |stage| &stage.region);
        let own = || format!("arn:{}:iam::{}:user/{}", partition(region), self.account_id(context), self.name);
        self.arn.clone().unwrap_or_else(own)
    }

    /// What its own policies say: an explicit deny of one beats the allow of another.
    pub fn decide(&self, evaluate: impl Fn(&Policy) -> Decision) -> Decision {
        let mut decision = Decision::Neither;
        for policy in &self.policies {
            match evaluate(policy) {
                Decision::Deny => return Decision::Deny,
                Decision::Allow => decision = Decision::Allow,
                Decision::Neither => {}
            }
        }
        decision
    }

    /// Who it is to a policy.
    pub fn principal(&self, context: &Context) -> Principal {
        Principal::Aws { arn: self.arn(context), account: self.account_id(context) }
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the secret nor the token.
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The fifth part of an ARN.
fn account_of(arn: &str) -> Option<String> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    (!account.is_empty()).then(|| account.to_owned())
}

/// In a time that does not tell where they differ.
fn is_same(own: &[u8], sent: &[u8]) -> bool {
    own.len() == sent.len() && own.iter().zip(sent).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
