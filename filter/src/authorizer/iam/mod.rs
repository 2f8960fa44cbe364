//! `AWS_IAM`: requests that are signed with AWS Signature Version 4 by a user of the document.
//!
//! AWS: "Control access to a REST API with IAM permissions", "Control access to HTTP APIs with IAM authorization". The texts of
//! refusals are those of `sigv4`; HTTP APIs say nothing but `Forbidden`.

mod users;

pub use users::Users;

use super::condition_keys::evaluate;
use super::{Authorizer, Demand, Grant, Verdict, Weight};
use crate::context::{AuthorizerFacts, CallerFacts, Context};
use crate::definition::{Operation, Protocol};
use crate::gateway_response::{Failure, ResponseType};
use crate::platform::{Level, Platform};
use crate::problem::Problems;
use crate::sigv4::{ErrorType, Rules, Signed, Unauthentic};
use hmac_sha256::Hash;
use std::sync::Arc;
use users::User;

/// The authorizer of methods with `AWS_IAM`.
#[derive(Debug)]
pub struct Iam {
    users: Arc<Users>,
    region: String,
}

// === impl Iam ===

impl Iam {
    /// The authorizer of an operation.
    pub fn compile(operation: &Operation<'_>, users: Arc<Users>, region: &str, problems: &mut Problems) -> Self {
        if users.is_empty() {
            let help = "name who may sign: `iam: {users: [{accessKeyId, secretAccessKey, policies}]}`";
            problems.warning(&operation.node.path, "nobody can call this: the document has no `iam.users`", Some(help));
        }
        Self { users, region: region.to_owned() }
    }

    /// Who says that it signed, as far as that can be told without the body: nobody's body is held for a stranger.
    fn claimed(&self, context: &Context, platform: &dyn Platform) -> Result<(Signed, &User), Unauthentic> {
        let request = &context.request;
        let signed = Signed::read(request)?.ok_or(Unauthentic::Missing)?;
        let user = self.users.find(signed.access_key_id()).ok_or(Unauthentic::UnknownCredentials)?;
        if !user.has_session_token(signed.session_token()) {
            return Err(Unauthentic::UnknownCredentials);
        }
        signed.check(request, &Rules::execute_api(&self.region), platform.now_millis())?;
        // assumed(sigv4-double-slash): a signature covers `//` as `/`, but the path that is routed and forwarded is another one.
        if context.path.as_ref().is_none_or(|path| path.path().contains("//")) || request.path.starts_with(b"//") {
            return Err(Unauthentic::SignatureMismatch);
        }
        Ok((signed, user))
    }

    fn authenticate(&self, context: &Context, platform: &dyn Platform) -> Result<Grant, Unauthentic> {
        let (signed, user) = self.claimed(context, platform)?;
        let hash = signed.needs_body().then(|| Hash::hash(&platform.request_body()));
        let rules = Rules::execute_api(&self.region);
        signed.verify(&context.request, hash.as_ref(), &user.secret, &rules, platform.now_millis())?;
        let caller = CallerFacts {
            access_key: signed.access_key_id().to_owned(),
            account_id: user.account_id(context),
            user_arn: user.arn(context),
            user: user.name().to_owned(),
        };
        let own = context.stage.as_ref().is_some_and(|stage| stage.account_id == caller.account_id);
        let principal = user.principal(context);
        let decision = user.decide(|policy| evaluate(policy, context, &principal, platform));
        let weight = if own { Weight::Either(decision) } else { Weight::Both(decision) };
        let facts = AuthorizerFacts { caller: Some(caller), ..AuthorizerFacts::default() };
        Ok(Grant { facts, principal, weight })
    }
}

impl Authorizer for Iam {
    fn needs_body(&self, context: &Context, platform: &dyn Platform) -> bool {
        self.claimed(context, platform).is_ok_and(|(signed, _)| signed.needs_body())
    }

    fn authorize(&self, demand: &Demand<'_>, platform: &mut dyn Platform) -> Verdict {
        match self.authenticate(demand.context, platform) {
            Ok(grant) => Verdict::Granted(grant),
            Err(why) => {
                platform.log(Level::Debug, &format!("a signature does not count: {why:?}"));
                Verdict::Refused(refusal(&why, demand.context.protocol))
            }
        }
    }

    fn summary(&self) -> String {
        "AWS_IAM".to_owned()
    }
}

fn refusal(why: &Unauthentic, protocol: Protocol) -> Failure {
    if protocol == Protocol::Http {
        return Failure::new(ResponseType::AccessDenied);
    }
    let response_type = match why.error_type() {
        ErrorType::MissingAuthenticationToken => ResponseType::MissingAuthenticationToken,
        ErrorType::InvalidSignature => ResponseType::InvalidSignature,
        ErrorType::ExpiredToken => ResponseType::ExpiredToken,
        ErrorType::IncompleteSignature | ErrorType::UnrecognizedClient => ResponseType::Default4xx,
    };
    Failure::new(response_type).with_status(403).saying(why.message()).typed(why.error_type().as_str())
}

#[cfg(test)]
mod tests;
