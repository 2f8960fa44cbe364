//! Why a token does not let its bearer through, and what the client hears of it.
//!
//! AWS: "Troubleshooting issues with HTTP API JWT authorizers" (the challenge), "Gateway response types for API Gateway".

use crate::gateway_response::{Failure, ResponseType};
use crate::jose::Rejection;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No token.
    Missing,
    /// More than one.
    Several,
    /// No token that can be read.
    Malformed,
    /// An algorithm that is not taken, or not by its key.
    Algorithm,
    /// No key of that name.
    UnknownKey,
    /// A signature that is wrong.
    Signature,
    /// A signature that is right, over something that is no set of claims.
    Claims,
    /// Another issuer.
    Issuer,
    /// Another audience.
    Audience,
    /// A claim that the authorizer asks for is missing, or says something else.
    RequiredClaim,
    /// An ID token where an access token is due, or the other way round; Cognito only.
    TokenUse,
    /// Its time is over, or it does not say when.
    Expired,
    /// Its time has not come.
    TooEarly,
    /// It was made in the future.
    IssuedLater,
    /// None of the route's scopes.
    Scope,
    /// The keys of the issuer could not be had.
    NoKeys,
}

/// Whose manners an answer keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// `type: jwt` of HTTP APIs.
    Http,
    /// `type: jwt` of REST APIs.
    Rest,
    /// `type: cognito_user_pools`
    Cognito,
}

// === impl Refusal ===

impl Refusal {
    /// In the style of the one text that AWS publishes, that of the audience; assumed(challenge-texts): all others.
    pub fn description(self) -> &'static str {
        match self {
            Self::Missing => "there is no token",
            Self::Several => "there is more than one token",
            Self::Malformed => "the token is malformed",
            Self::Algorithm => "the token does not have a valid signing algorithm",
            Self::UnknownKey => "the token does not have a known key",
            Self::Signature => "the token has an invalid signature",
            Self::Claims => "the token does not have valid claims",
            Self::Issuer => "the token does not have a valid issuer",
            Self::Audience => "the token does not have a valid audience",
            Self::RequiredClaim => "the token does not have a required claim",
            Self::TokenUse => "the token is not for this use",
            Self::Expired => "the token has expired",
            Self::TooEarly => "the token is not valid yet",
            Self::IssuedLater => "the token was issued in the future",
            Self::Scope => "the token does not have a required scope",
            Self::NoKeys => "the keys of the issuer are not known",
        }
    }

    /// The answer.
    pub fn failure(self, manner: Manner, scopes: &[String]) -> Failure {
        let failure = match self {
            // Never open, and nobody waits for somebody else's server.
            Self::NoKeys => return Failure::new(ResponseType::AuthorizerFailure),
            Self::Scope if manner != Manner::Cognito => {
                // Measured for HTTP APIs by floci; assumed(rest-jwt-scope): the same of REST APIs.
                Failure::new(ResponseType::AccessDenied)
            }
            // Seen in clients of many APIs with a Cognito authorizer.
            Self::Expired if manner == Manner::Cognito => {
                Failure::new(ResponseType::Unauthorized).saying("The incoming token has expired")
            }
            _ => Failure::new(ResponseType::Unauthorized),
        };
        // assumed(rest-no-challenge): nobody has seen one on a REST API.
        if manner == Manner::Http { failure.challenging(self.challenge(scopes)) } else { failure }
    }

    /// `WWW-Authenticate` (RFC 6750, section 3), without the commas, as AWS writes it.
    fn challenge(self, scopes: &[String]) -> String {
        let error = match self {
            // RFC 6750, section 3.1: no error code where there was no authentication. assumed(bare-challenge) of AWS.
            Self::Missing => return "Bearer".to_owned(),
            // assumed(insufficient-scope): that there is a challenge at all.
            Self::Scope => "insufficient_scope",
            _ => "invalid_token",
        };
        // Published for a route without scopes; assumed(challenge-scopes): the route's. Only characters that a scope can have.
        let scopes = scopes.join(" ").replace(|c: char| !(c.is_ascii_graphic() || c == ' ') || matches!(c, '"' | '\\'), "");
        format!("Bearer scope=\"{scopes}\" error=\"{error}\" error_description=\"{}\"", self.description())
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Malformed => Self::Malformed,
            Rejection::Algorithm => Self::Algorithm,
            Rejection::UnknownKey => Self::UnknownKey,
            Rejection::Signature => Self::Signature,
            Rejection::Claims => Self::Claims,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_of_an_audience_is_the_one_that_aws_publishes() {
        let expected = r#"Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience""#;
        assert_eq!(Refusal::Audience.challenge(&[]), expected);
        assert_eq!(Refusal::Missing.challenge(&["a".to_owned()]), "Bearer");
        let scopes = ["read".to_owned(), "a\"\r\nb\\/c".to_owned()];
        let expected =
            r#"Bearer scope="read ab/c" error="insufficient_scope" error_description="the token does not have a required scope""#;
        assert_eq!(Refusal::Scope.challenge(&scopes), expected);
    }

    #[test]
    fn each_product_keeps_its_manners() {
        let unauthorized = Failure::new(ResponseType::Unauthorized);
        assert_eq!(Refusal::Missing.failure(Manner::Http, &[]), unauthorized.clone().challenging("Bearer"));
        assert_eq!(Refusal::Missing.failure(Manner::Rest, &[]), unauthorized);
        assert_eq!(Refusal::Scope.failure(Manner::Cognito, &[]), unauthorized);
        assert_eq!(Refusal::Scope.failure(Manner::Rest, &[]), Failure::new(ResponseType::AccessDenied));
        for manner in [Manner::Rest, Manner::Http] {
            let challenge = (manner == Manner::Http).then(|| Refusal::Expired.challenge(&[]));
            let expected = challenge.map_or(unauthorized.clone(), |challenge| unauthorized.clone().challenging(challenge));
            assert_eq!(Refusal::Expired.failure(manner, &[]), expected);
        }
        let expired = unauthorized.saying("The incoming token has expired");
        assert_eq!(Refusal::Expired.failure(Manner::Cognito, &[]), expired);
        for manner in [Manner::Http, Manner::Rest, Manner::Cognito] {
            assert_eq!(Refusal::NoKeys.failure(manner, &[]), Failure::new(ResponseType::AuthorizerFailure));
        }
    }
}
