//! The condition keys of API Gateway. AWS: "AWS condition keys that can be used in API Gateway resource policies".

/// What a condition, or a policy variable, asks of the request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// `aws:CurrentTime`, as `2026-01-02T03:04:05Z`
    CurrentTime,
    /// `aws:EpochTime`, in seconds
    EpochTime,
    /// `aws:MultiFactorAuthAge`, in seconds; IAM authentication only
    MultiFactorAuthAge,
    /// `aws:MultiFactorAuthPresent`; IAM authentication only
    MultiFactorAuthPresent,
    /// `aws:PrincipalAccount`; IAM authentication only
    PrincipalAccount,
    /// `aws:PrincipalArn`: of a role session, the ARN of its role; IAM authentication only
    PrincipalArn,
    /// `aws:PrincipalOrgID`; IAM authentication only
    PrincipalOrgId,
    /// `aws:PrincipalOrgPaths`, which may have several values; IAM authentication only
    PrincipalOrgPaths,
    /// `aws:PrincipalTag/NAME`, whose name is as the policy writes it and compares in any case; IAM authentication only
    PrincipalTag(String),
    /// `aws:PrincipalType`; IAM authentication only
    PrincipalType,
    /// `aws:Referer`: the header
    Referer,
    /// `aws:SecureTransport`: `true` or `false`
    SecureTransport,
    /// `aws:SourceArn`
    SourceArn,
    /// `aws:SourceIp`
    SourceIp,
    /// `aws:SourceVpc`; private APIs only
    SourceVpc,
    /// `aws:SourceVpce`; private APIs only
    SourceVpce,
    /// `aws:TokenIssueTime`; temporary credentials only
    TokenIssueTime,
    /// `aws:UserAgent`: the header
    UserAgent,
    /// `aws:userid`; IAM authentication only
    UserId,
    /// `aws:username`; IAM users only
    UserName,
    /// `aws:VpcSourceIp`; private APIs only
    VpcSourceIp,
}

const TAG: &str = "aws:principaltag/";

// === impl Key ===

impl Key {
    /// Reads a name, in any case; none: API Gateway knows no such key.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let folded = name.to_ascii_lowercase();
        Some(match folded.as_str() {
            "aws:currenttime" => Self::CurrentTime,
            "aws:epochtime" => Self::EpochTime,
            "aws:multifactorauthage" => Self::MultiFactorAuthAge,
            "aws:multifactorauthpresent" => Self::MultiFactorAuthPresent,
            "aws:principalaccount" => Self::PrincipalAccount,
            "aws:principalarn" => Self::PrincipalArn,
            "aws:principalorgid" => Self::PrincipalOrgId,
            "aws:principalorgpaths" => Self::PrincipalOrgPaths,
            "aws:principaltype" => Self::PrincipalType,
            "aws:referer" => Self::Referer,
            "aws:securetransport" => Self::SecureTransport,
            "aws:sourcearn" => Self::SourceArn,
            "aws:sourceip" => Self::SourceIp,
            "aws:sourcevpc" => Self::SourceVpc,
            "aws:sourcevpce" => Self::SourceVpce,
            "aws:tokenissuetime" => Self::TokenIssueTime,
            "aws:useragent" => Self::UserAgent,
            "aws:userid" => Self::UserId,
            "aws:username" => Self::UserName,
            "aws:vpcsourceip" => Self::VpcSourceIp,
            other if other.starts_with(TAG) => Self::PrincipalTag(name.get(TAG.len()..).filter(|tag| !tag.is_empty())?.to_owned()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case_and_tags_keep_theirs() {
        assert_eq!(Key::parse("AWS:currenttime"), Some(Key::CurrentTime));
        assert_eq!(Key::parse("aws:PrincipalTag/Cost Centre"), Some(Key::PrincipalTag("Cost Centre".to_owned())));
        for (name, key) in [
            ("aws:CurrentTime", Key::CurrentTime),
            ("aws:EpochTime", Key::EpochTime),
            ("aws:MultiFactorAuthAge", Key::MultiFactorAuthAge),
            ("aws:MultiFactorAuthPresent", Key::MultiFactorAuthPresent),
            ("aws:PrincipalAccount", Key::PrincipalAccount),
            ("aws:PrincipalArn", Key::PrincipalArn),
            ("aws:PrincipalOrgID", Key::PrincipalOrgId),
            ("aws:PrincipalOrgPaths", Key::PrincipalOrgPaths),
            ("aws:PrincipalType", Key::PrincipalType),
            ("aws:Referer", Key::Referer),
            ("aws:SecureTransport", Key::SecureTransport),
            ("aws:SourceArn", Key::SourceArn),
            ("aws:SourceIp", Key::SourceIp),
            ("aws:SourceVpc", Key::SourceVpc),
            ("aws:SourceVpce", Key::SourceVpce),
            ("aws:TokenIssueTime", Key::TokenIssueTime),
            ("aws:UserAgent", Key::UserAgent),
            ("aws:userid", Key::UserId),
            ("aws:username", Key::UserName),
            ("aws:VpcSourceIp", Key::VpcSourceIp),
        ] {
            assert_eq!(Key::parse(name), Some(key), "{name}");
        }
        for unknown in [
            "aws:RequestTag/Department",
            "aws:PrincipalTag/",
            "aws:PrincipalTag",
            "aws:SourceAccount",
            "s3:prefix",
            "",
            "CurrentTime",
        ] {
            assert_eq!(Key::parse(unknown), None, "{unknown}");
        }
    }
}
