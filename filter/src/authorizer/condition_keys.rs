//! What a request says to a policy: its action, its ARN, and the values of condition keys.
//!
//! AWS: "AWS condition keys that can be used in API Gateway resource policies".

use crate::context::{Context, rfc3339, source_ip};
use crate::event::method_arn;
use crate::platform::Platform;
use crate::policy::{Decision, Key, Policy, Principal, Request};

/// What a policy says of a routed request.
pub fn evaluate(policy: &Policy, context: &Context, principal: &Principal, platform: &dyn Platform) -> Decision {
    let keys = |key: &Key| value(key, context, principal, platform).map(|value| vec![value]);
    let decide = |resource: &str| policy.evaluate(&Request { action: "execute-api:Invoke", resource, principal, keys: &keys });
    let arn = method_arn(context);
    let decision = decide(&arn);
    // The ARN has no slash at its end, and the upstream may get one: who denies `admin/*` means `admin/`, too.
    if context.stage_path.len() > 1 && context.stage_path.ends_with('/') && decide(&format!("{arn}/")) == Decision::Deny {
        return Decision::Deny;
    }
    decision
}

fn value(key: &Key, context: &Context, principal: &Principal, platform: &dyn Platform) -> Option<String> {
    let header = |name: &str| context.headers().last(name).map(|value| String::from_utf8_lossy(value).into_owned());
    let caller = match principal {
        Principal::Anonymous => None,
        Principal::Aws { arn, account } => Some((arn, account)),
    };
    match key {
        Key::CurrentTime => Some(rfc3339(platform.now_millis())),
        Key::EpochTime => Some((platform.now_millis() / 1000).to_string()),
        Key::PrincipalAccount => caller.map(|(_, account)| account.clone()),
        Key::PrincipalArn => caller.map(|(arn, _)| role_of(arn)),
        Key::PrincipalType => caller.map(|(arn, _)| kind_of(arn).to_owned()),
        Key::Referer => header("referer"),
        // The proxy says how the client came; a client cannot (`use_remote_address`).
        Key::SecureTransport => Some((header("x-forwarded-proto").as_deref() == Some("https")).to_string()),
        Key::SourceIp => source_ip(platform),
        Key::UserAgent => header("user-agent"),
        Key::UserName => caller.and_then(|(arn, _)| arn.split_once(":user/")?.1.rsplit('/').next().map(str::to_owned)),
        // What only AWS knows: multi-factor authentication, organizations, tags, VPCs. A condition on them is as for a request
        // that lacks them.
        Key::MultiFactorAuthAge
        | Key::MultiFactorAuthPresent
        | Key::PrincipalOrgId
        | Key::PrincipalOrgPaths
        | Key::PrincipalTag(_)
        | Key::SourceArn
        | Key::SourceVpc
        | Key::SourceVpce
        | Key::TokenIssueTime
        | Key::UserId
        | Key::VpcSourceIp => None,
    }
}

/// The role of a session; anybody else's own ARN.
fn role_of(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "sts", _, account, session] => match session.split('/').collect::<Vec<_>>().as_slice() {
            ["assumed-role", role, _] => format!("arn:{partition}:iam::{account}:role/{role}"),
            _ => arn.to_owned(),
        },
        _ => arn.to_owned(),
    }
}

/// The values that IAM documents for `aws:PrincipalType`.
fn kind_of(arn: &str) -> &'static str {
    match arn {
        _ if arn.contains(":assumed-role/") => "AssumedRole",
        _ if arn.ends_with(":root") => "Account",
        _ => "User",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_its_role() {
        assert_eq!(role_of("arn:aws:sts::1:assumed-role/r/s"), "arn:aws:iam::1:role/r");
        assert_eq!(role_of("arn:aws:iam::1:user/u"), "arn:aws:iam::1:user/u");
        let kinds = ["arn:aws:sts::1:assumed-role/r/s", "arn:aws:iam::1:root", "arn:aws:iam::1:user/u"];
        assert_eq!(kinds.map(kind_of), ["AssumedRole", "Account", "User"]);
    }
}
