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
    use crate::definition::Protocol;
    use crate::event::tests::{STILL, request};
    use crate::policy::MalformedPolicy;
    use serde_json::json;

    const USER: &str = "arn:aws:iam::111122223333:user/team/u";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/r/s";

    fn caller(arn: &str) -> Principal {
        Principal::Aws { arn: arn.to_owned(), account: "111122223333".to_owned() }
    }

    #[test]
    fn every_key_has_its_own_value_and_what_only_aws_knows_has_none() {
        let headers = [("referer", "r"), ("user-agent", "a"), ("x-forwarded-proto", "https")];
        let of =
            |key: &Key, principal: &Principal| value(key, &request(Protocol::Rest, "GET", "/prod/", &headers), principal, &STILL);
        for (key, expected) in [
            (Key::CurrentTime, Some("2024-06-17T15:02:03Z")),
            (Key::EpochTime, Some("1718636523")),
            (Key::PrincipalAccount, Some("111122223333")),
            (Key::PrincipalArn, Some(USER)),
            (Key::PrincipalType, Some("User")),
            (Key::Referer, Some("r")),
            (Key::SecureTransport, Some("true")),
            (Key::SourceIp, Some("192.0.2.1")),
            (Key::UserAgent, Some("a")),
            (Key::UserName, Some("u")),
            (Key::MultiFactorAuthAge, None),
            (Key::MultiFactorAuthPresent, None),
            (Key::PrincipalOrgId, None),
            (Key::PrincipalOrgPaths, None),
            (Key::PrincipalTag("t".to_owned()), None),
            (Key::SourceArn, None),
            (Key::SourceVpc, None),
            (Key::SourceVpce, None),
            (Key::TokenIssueTime, None),
            (Key::UserId, None),
            (Key::VpcSourceIp, None),
        ] {
            assert_eq!(of(&key, &caller(USER)).as_deref(), expected, "{key:?}");
        }
        for key in [Key::PrincipalAccount, Key::PrincipalArn, Key::PrincipalType, Key::UserName] {
            assert_eq!(of(&key, &Principal::Anonymous), None, "{key:?}");
        }
        assert_eq!(of(&Key::PrincipalArn, &caller(SESSION)).as_deref(), Some("arn:aws:iam::111122223333:role/r"));
        assert_eq!(of(&Key::UserName, &caller(SESSION)), None);
    }

    #[test]
    fn a_request_without_tls_says_so() {
        for (headers, expected) in [(vec![], "false"), (vec![("x-forwarded-proto", "http")], "false")] {
            let context = request(Protocol::Rest, "GET", "/prod/", &headers);
            assert_eq!(value(&Key::SecureTransport, &context, &Principal::Anonymous, &STILL).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_deny_of_what_stands_behind_a_slash_is_about_the_slash_too() -> Result<(), MalformedPolicy> {
        let arn = |rest: &str| format!("arn:aws:execute-api:eu-west-1:123456789012:apiid/prod/GET{rest}");
        let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        for (target, effect, resource, expected) in [
            ("/prod/admin/", "Deny", arn("/admin/*"), Decision::Deny),
            ("/prod/admin", "Deny", arn("/admin/*"), Decision::Allow),
            ("/prod/admin/", "Deny", arn("/admin"), Decision::Deny),
            ("/prod/admin/", "Deny", arn("/other/*"), Decision::Allow),
            ("/prod/", "Deny", arn("//"), Decision::Allow),
            ("/prod/", "Deny", arn("/"), Decision::Deny),
        ] {
            let more = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource});
            let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": [everything, more]}))?;
            let context = request(Protocol::Rest, "GET", target, &[]);
            assert_eq!(evaluate(&policy, &context, &Principal::Anonymous, &STILL), expected, "{target} {resource}");
        }
        // An Allow of what stands behind the slash lets nobody in at the slash.
        let behind = json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arn("/admin/*")});
        let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": [behind]}))?;
        let at = |target| evaluate(&policy, &request(Protocol::Rest, "GET", target, &[]), &Principal::Anonymous, &STILL);
        assert_eq!([at("/prod/admin/"), at("/prod/admin/x")], [Decision::Neither, Decision::Allow]);
        Ok(())
    }

    #[test]
    fn a_session_is_its_role() {
        assert_eq!(role_of("arn:aws:sts::1:assumed-role/r/s"), "arn:aws:iam::1:role/r");
        assert_eq!(role_of("arn:aws:iam::1:user/u"), "arn:aws:iam::1:user/u");
        let kinds = ["arn:aws:sts::1:assumed-role/r/s", "arn:aws:iam::1:root", "arn:aws:iam::1:user/u"];
        assert_eq!(kinds.map(kind_of), ["AssumedRole", "Account", "User"]);
    }
}
