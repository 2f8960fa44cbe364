//! What a client shows: nothing, what is right, and what is wrong in some way; each with what it is worth, by the rules of AWS.

mod claims;
mod cognito;
mod iam;
mod jwt;
mod lambda;

use std::time::Duration;

use serde_json::{Value, json};

use super::apis::{REQUEST_RULES, Rules, TOKEN_RULES, USERS, User};
use super::functions::Word;
use crate::drivers::case::Request;
use crate::drivers::signer::Sign;
use crate::drivers::tokens::{Tokens, put_tokens};

/// What a client shows.
#[derive(Debug, Clone)]
pub struct Credential {
    /// A name for people.
    pub name: String,
    headers: Vec<(String, String)>,
    query: Option<String>,
    sign: Option<Sign>,
    /// The method and the path that were signed in the place of those that are sent.
    signed_for: (Option<&'static str>, Option<&'static str>),
    /// What a function says that is asked about it.
    pub word: Word,
    /// The identity that a function is asked about.
    pub identity: Option<String>,
    /// What it is worth.
    pub worth: Worth,
}

/// What a credential proves.
#[derive(Debug, Clone, Default)]
pub struct Worth {
    /// Signed by this user.
    pub signer: Option<&'static User>,
    /// A token on Authorization that the expression takes, and what the function says of it.
    pub token: Option<&'static Rules>,
    /// The same on X-Token, where there is no expression.
    pub any_token: Option<&'static Rules>,
    /// A user on X-User and a tenant, and what the function says of them.
    pub user_and_tenant: Option<&'static Rules>,
    /// A user to whom the function says yes.
    pub user: bool,
    /// To the JWT authorizer of REST APIs: with these scopes.
    pub rest_jwt: Option<&'static [&'static str]>,
    /// To that of HTTP APIs.
    pub http_jwt: Option<&'static [&'static str]>,
    /// To that of HTTP APIs which looks at the query.
    pub query_jwt: Option<&'static [&'static str]>,
    /// To the user pool.
    pub pool: Option<(TokenUse, &'static [&'static str])>,
    /// It may be worth that much, or nothing: AWS does not say.
    pub unsure: Option<&'static str>,
}

/// Cognito's `token_use`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// Says who somebody is.
    Id,
    /// Says what somebody may.
    Access,
}

/// All credentials, for a clock.
pub fn all(now: Duration) -> Vec<Credential> {
    let mut all = vec![
        Credential::new("nothing"),
        Credential::known("token", |c| c.header("authorization", "Bearer tok-abc"), |w| w.token = Some(&TOKEN_RULES)),
        Credential::known("token in X-Token", |c| c.header("x-token", "letmein"), |w| w.any_token = Some(&TOKEN_RULES)),
        Credential::known(
            "user and tenant",
            |c| c.header("x-user", "alice").query("tenant=acme"),
            |w| {
                (w.user, w.user_and_tenant) = (true, Some(&REQUEST_RULES));
            },
        ),
    ];
    all.extend(jwt::all(now));
    all.extend(cognito::all(now));
    all.extend(iam::all());
    all.extend(lambda::all());
    all.extend(claims::all());
    all
}

/// What a credential for this scheme looks like that opens what it can open.
pub fn is_proper(credential: &Credential) -> bool {
    const NAMES: [&str; 10] = [
        "token",
        "token in X-Token",
        "user and tenant",
        "JWT",
        "JWT with scopes",
        "JWT in the query",
        "ID token",
        "access token",
        "signed by AKIDALL",
        "signed by AKIDFAR",
    ];
    NAMES.contains(&credential.name.as_str())
}

fn made(token: Value, now: Duration) -> String {
    let tokens: Tokens = serde_json::from_value(json!({ "it": token })).expect("it is a token of case files");
    put_tokens("{{token:it}}", &tokens, now)
}

/// Null takes away.
fn merged(base: &Value, change: &Value) -> Value {
    let mut out = base.as_object().expect("claims are an object").clone();
    out.extend(change.as_object().expect("and so are changes").clone());
    out.retain(|_, value| !value.is_null());
    out.into()
}

// === impl Credential ===

impl Credential {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            headers: Vec::new(),
            query: None,
            sign: None,
            signed_for: (None, None),
            word: Word::Denied,
            identity: None,
            worth: Worth::default(),
        }
    }

    fn known(name: &str, build: impl Fn(Self) -> Self, worth: impl Fn(&mut Worth)) -> Self {
        let credential = build(Self::new(name)).worth(worth);
        let identity = credential.headers[0].1.clone();
        credential.word(Word::Known, &identity)
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn query(mut self, query: &str) -> Self {
        self.query = Some(query.to_owned());
        self
    }

    fn word(mut self, word: Word, identity: &str) -> Self {
        (self.word, self.identity) = (word, Some(identity.to_owned()));
        self
    }

    fn worth(mut self, change: impl Fn(&mut Worth)) -> Self {
        change(&mut self.worth);
        self
    }

    fn signed_for(mut self, method: Option<&'static str>, path: Option<&'static str>) -> Self {
        self.signed_for = (method, path);
        self
    }

    fn worth_of(self, user: &User) -> Self {
        let user = USERS.iter().find(|other| other.key == user.key).expect("it is one of ours");
        self.worth(|worth| worth.signer = Some(user))
    }

    /// The request of somebody who shows this; it is signed as it is sent.
    pub fn show(&self, mut request: Request, now: Duration) -> Request {
        request.headers.extend(self.headers.iter().cloned());
        if let Some(query) = &self.query {
            request.path.push(if request.path.contains('?') { '&' } else { '?' });
            request.path.push_str(query);
        }
        let Some(mut sign) = self.sign.clone() else { return request };
        let (method, path) = self.signed_for;
        if let Some(method) = method {
            sign.after.method = Some(std::mem::replace(&mut request.method, method.to_owned()));
        }
        if let Some(path) = path {
            let (sent, query) = request.path.split_at(request.path.find('?').unwrap_or(request.path.len()));
            sign.after.path = Some(sent.to_owned());
            request.path = format!("{path}{query}");
        }
        request.sign = Some(sign);
        request.at(now, &Tokens::new())
    }
}
